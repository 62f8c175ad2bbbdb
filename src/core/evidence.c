/*
 * evidence: see evidence.h.
 *
 * The rules err on the side of people: a buyer who is dropped costs more than a bot that is
 * counted.  What stays said is said once; only missing assets are taken back, with the first.
 */
#include "core/evidence.h"

#include "base/mem.h"
#include "core/engine_impl.h"

#define SHARE_OF 4096			/* the latest visits are so many, or half as many */

const struct evidence_limits evidence_usual = { .bare_views = 4, .assets_known = 50, .rate_views = 20, .rate_ms = 500, .errors = 10 };

const char *
evidence_name(enum evidence e)
{
	static const char *const names[EVIDENCES] = { "robots", "no_assets", "rate", "errors", "hosting" };

	must(e < EVIDENCES);
	return (names[e]);
}

/* ---- what follows for the figures ------------------------------------------ */

static void
add_to_total(struct engine *e, const struct visit *v, size_t figure, int64_t n)
{
	windows_add(e->windows, DIM_TOTAL, e->total, v->start_ms, figure, &n, 1);
}

/* In all dimensions. */
static void
add_visits(struct engine *e, const struct visit *v, int64_t n)
{
	add_to_total(e, v, FIG_VISITS, n);
	add_to_total(e, v, FIG_LEFT_OUT, -n);
	windows_add(e->windows, DIM_LANDING, v->landing, v->start_ms, FIG_VISITS, &n, 1);
	windows_add(e->windows, DIM_COUNTRY, v->country, v->start_ms, FIG_VISITS, &n, 1);
	windows_add(e->windows, DIM_DEVICE, v->device, v->start_ms, FIG_VISITS, &n, 1);
	windows_add(e->windows, DIM_SOURCE, v->source, v->start_ms, FIG_VISITS, &n, 1);
	windows_add(e->windows, DIM_CHANNEL, v->channel, v->start_ms, FIG_VISITS, &n, 1);
	windows_add(e->windows, DIM_CAMPAIGN, v->campaign, v->start_ms, FIG_VISITS, &n, 1);
	for (uint32_t i = 0; i < v->n_pages; i++)
		windows_add(e->windows, DIM_PAGE, v->pages[i], v->start_ms, FIG_VISITS, &n, 1);
}

static bool
is_suspect(const struct visit *v)
{
	return (v->evidence != 0 && !v->bought);
}

/* The visit was a suspect before, or not; what is true now is counted. */
static void
settle(struct engine *e, struct visit *v, bool before)
{
	bool now = is_suspect(v);

	visits_dirty(&e->visits, v);
	if (now != before)
		add_to_total(e, v, FIG_SUSPECTS, now ? 1 : -1);
	if (v->left_out ? now : !now || !e->rules->strict)
		return;
	v->left_out = !v->left_out;
	add_visits(e, v, v->left_out ? -1 : 1);
}

static void
say(struct engine *e, struct visit *v, enum evidence which, bool is_so)
{
	uint8_t bit = (uint8_t)(1U << which);
	bool before = is_suspect(v);

	if (((v->evidence & bit) != 0) == is_so)
		return;
	v->evidence ^= bit;
	add_to_total(e, v, FIG_EVIDENCE + which, is_so ? 1 : -1);
	if (is_so)
		engine_count(e, COUNT_EVIDENCE + (enum counter)which, 1);
	settle(e, v, before);
}

void
evidence_bought(struct engine *e, struct visit *v)
{
	bool before = is_suspect(v);

	if (v->bought)
		return;
	v->bought = true;
	settle(e, v, before);
}

/* A line that is later than a visit is kept for in memory would find a record in a block, which no longer says
 * all of this. */
static bool
is_too_late(const struct engine *e, const struct facts *f)
{
	return (e->clock - f->time_ms > LATE_GRACE_MS);
}

/* ---- who asked for robots.txt ------------------------------------------------ */

/* What is older than a visit stays open says nothing any more. */
static void
robots_prune(const struct engine *e, struct evidence_state *s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->n_robots; i++)
		if (e->clock - s->robots[i].ms <= e->rules->session_timeout_ms)
			s->robots[kept++] = s->robots[i];
	s->n_robots = kept;
}

void
evidence_before(struct engine *e, uint64_t visitor, const struct facts *f)
{
	struct evidence_state *s = &e->evidence;

	if (f->sign != SIGN_ROBOTS || is_too_late(e, f))
		return;
	robots_prune(e, s);
	if (s->n_robots == ROBOTS_MAX) {
		memmove(s->robots, s->robots + 1, (ROBOTS_MAX - 1) * sizeof(s->robots[0]));
		s->n_robots--;
	}
	s->robots[s->n_robots].visitor = visitor;
	s->robots[s->n_robots++].ms = f->time_ms;
}

static bool
asked_robots(struct engine *e, uint64_t visitor)
{
	if (e->evidence.n_robots > 0)
		robots_prune(e, &e->evidence);
	for (uint32_t i = 0; i < e->evidence.n_robots; i++)
		if (e->evidence.robots[i].visitor == visitor)
			return (true);
	return (false);
}

void
evidence_forget(struct evidence_state *s, const struct forget *f)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->n_robots; i++)
		if (!forget_has(f, s->robots[i].visitor))
			s->robots[kept++] = s->robots[i];
	s->n_robots = kept;
}

/* ---- hits -------------------------------------------------------------------- */

static bool
others_load_assets(const struct evidence_state *s, uint32_t known)
{
	return (s->with_assets >= known && s->with_assets >= s->visits / 2);
}

static void
count_begun(struct evidence_state *s)
{
	if (++s->visits < SHARE_OF)
		return;
	s->visits /= 2;
	s->with_assets /= 2;
}

void
evidence_begin(struct engine *e, struct visit *v, const struct facts *f)
{
	count_begun(&e->evidence);
	if (asked_robots(e, v->visitor))
		say(e, v, EVIDENCE_ROBOTS, true);
	if (e->rules->is_hosting != NULL && e->rules->is_hosting(e->rules->hosting_arg, facts_addr(f)))
		say(e, v, EVIDENCE_HOSTING, true);
}

static void
loaded_asset(struct engine *e, struct visit *v)
{
	if (v->has_asset)
		return;
	v->has_asset = true;
	visits_dirty(&e->visits, v);
	if (e->evidence.with_assets < e->evidence.visits)
		e->evidence.with_assets++;
	say(e, v, EVIDENCE_NO_ASSETS, false);
}

static void
viewed_page(struct engine *e, struct visit *v)
{
	const struct evidence_limits *limits = &e->rules->limits;

	if (v->views >= limits->bare_views && !v->has_asset && others_load_assets(&e->evidence, limits->assets_known))
		say(e, v, EVIDENCE_NO_ASSETS, true);
	if (v->views >= limits->rate_views && v->last_ms - v->start_ms < (int64_t)v->views * limits->rate_ms)
		say(e, v, EVIDENCE_RATE, true);
}

static void
met_error(struct engine *e, struct visit *v)
{
	uint32_t limit = e->rules->limits.errors;

	if (v->errors == UINT8_MAX || (v->evidence & 1U << EVIDENCE_ERRORS) != 0)
		return;
	v->errors++;
	visits_dirty(&e->visits, v);
	if (v->errors >= limit && v->errors / limit >= v->views)
		say(e, v, EVIDENCE_ERRORS, true);
}

void
evidence_hit(struct engine *e, struct visit *v, const struct facts *f)
{
	if (is_too_late(e, f))
		return;
	if (f->what == COUNT_PAGEVIEWS)
		viewed_page(e, v);
	else if (f->sign == SIGN_ASSET)
		loaded_asset(e, v);
	else if (f->sign == SIGN_ERROR)
		met_error(e, v);
}

/* ---- records ------------------------------------------------------------------ */

void
evidence_encode(struct engine *e, struct buf *out)
{
	const struct evidence_state *s = &e->evidence;

	robots_prune(e, &e->evidence);
	buf_varint(out, s->visits);
	buf_varint(out, s->with_assets);
	buf_varint(out, s->n_robots);
	for (uint32_t i = 0; i < s->n_robots; i++) {
		buf_u64(out, s->robots[i].visitor);
		buf_svarint(out, s->robots[i].ms);
	}
}

void
evidence_decode(struct evidence_state *s, struct reader *r)
{
	uint64_t n;

	s->visits = (uint32_t)(reader_varint(r) % (2 * SHARE_OF));
	s->with_assets = (uint32_t)(reader_varint(r) % (2 * SHARE_OF));
	n = reader_varint(r);
	if (n > ROBOTS_MAX)
		r->bad = true;
	for (s->n_robots = 0; s->n_robots < n && !r->bad; s->n_robots++) {
		s->robots[s->n_robots].visitor = reader_u64(r);
		s->robots[s->n_robots].ms = reader_within(r, TIME_MAX_MS);
	}
}
