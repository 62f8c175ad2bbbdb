/*
 * crowd: see crowd.h.
 *
 * The places are the "space-saving" summary of Metwally, Agrawal and El Abbadi: where all are taken,
 * the one with the fewest visits goes to the new address and keeps its count as surplus.  Whoever has
 * more than one visit in CROWD_PLACES is among them, and visits - surplus is never too much.
 */
#include "core/crowd.h"

#include "core/visitor.h"

static struct crowd_place *
place_of(struct crowd_day *d, uint64_t address)
{
	struct crowd_place *least = &d->places[0];

	for (size_t i = 0; i < CROWD_PLACES; i++) {
		if (d->places[i].address == address && d->places[i].visits > 0)
			return (&d->places[i]);
		if (d->places[i].visits < least->visits)
			least = &d->places[i];
	}
	*least = (struct crowd_place){ .address = address, .visits = least->visits, .surplus = least->visits };
	return (least);
}

/* A late visit of an earlier day is of no interest. */
static bool
turn_to(struct crowd *c, int64_t day)
{
	if (c->now.visits > 0 && day < c->now.day)
		return (false);
	if (day != c->now.day) {
		c->before = c->now;
		c->now = (struct crowd_day){ .day = day };
	}
	return (true);
}

void
crowd_note(struct crowd *c, const struct hash_key *key, struct slice addr, uint64_t user_agent, int64_t time_ms)
{
	struct crowd_place *p;

	if (!turn_to(c, day_of(time_ms)))
		return;
	p = place_of(&c->now, hash_bytes(key, addr));
	p->visits++;
	p->browsers |= UINT64_C(1) << (user_agent % 64);
	c->now.visits++;
}

static uint64_t
sure_visits(const struct crowd_place *p)
{
	unsigned browsers = 0;

	for (uint64_t bits = p->browsers; bits != 0; bits &= bits - 1)
		browsers++;
	return (browsers >= CROWD_BROWSERS ? p->visits - p->surplus : 0);
}

unsigned
crowd_percent(const struct crowd *c, unsigned *addresses)
{
	const struct crowd_day *d = c->now.visits >= CROWD_VISITS ? &c->now : &c->before;
	bool taken[CROWD_PLACES] = { false };
	uint64_t sum = 0;

	*addresses = 0;
	while (d->visits >= CROWD_VISITS && *addresses < CROWD_ADDRESSES && sum * 2 <= d->visits) {
		size_t best = 0;

		for (size_t i = 1; i < CROWD_PLACES; i++)
			if (!taken[i] && (taken[best] || sure_visits(&d->places[i]) > sure_visits(&d->places[best])))
				best = i;
		taken[best] = true;
		sum += sure_visits(&d->places[best]);
		++*addresses;
	}
	return (sum * 2 > d->visits ? (unsigned)(sum * 100 / d->visits) : 0);
}
