/*
 * requests: what rpvctl asks of a site: to forget a person.
 *
 * rpvctl leaves a request in the site's record `forget`.  It goes into the journal, with the
 * time at which that was, before the engine takes it: a state that is made anew from the
 * journal and the logs must not know the person again.  The engine keeps it in that same
 * record until it is carried out; its field is gone then, which is how rpvctl knows.
 */
#include <inttypes.h>

#include "base/log.h"
#include "io/journal.h"
#include "io/site_impl.h"

#define SKEW_MS INT64_C(60000)

static void
journal_request(struct site *s, struct forget *f)
{
	int64_t now = site_now(s), clock = engine_clock(s->engine);
	struct buf bytes = { 0 };
	struct err err;

	/* Where the web server's clock is a little ahead, its lines are to be read up to there. */
	f->time_ms = clock > now && clock - now <= SKEW_MS ? clock : now;
	forget_encode(f, &bytes);
	journal_append(s->env.journal, JOURNAL_FORGET, now, slice_of(s->conf->name), buf_view(&bytes));
	if (journal_sync(s->env.journal, &err) == 0) {
		map64_put(&s->requested, f->id, s);
		log_notice("site %s: a person is forgotten once the logs are read up to now request=%016" PRIx64, s->conf->name, f->id);
	} else if (log_limit(&s->last_request_error, 60))
		log_error("site %s: a person cannot be forgotten yet: journal: %s", s->conf->name, err.msg);
	buf_free(&bytes);
}

/* A webhook whose record is not synced yet would be, or would be lost, without its answer knowing. */
static void
on_request(struct slice value, void *arg)
{
	struct site *s = arg;
	struct forget f = { 0 };

	if (s->state != SITE_RUNNING || s->stopping || !journal_is_synced(s->env.journal))
		return;
	if (forget_decode(value, &f) != 0) {
		if (log_limit(&s->last_request_error, 3600))
			log_error("site %s: a request to forget a person cannot be read: rpvctl and rpvd must be of the same version", s->conf->name);
		return;
	}
	if (f.id != 0 && f.time_ms == 0 && map64_get(&s->requested, f.id) == NULL)
		journal_request(s, &f);
	forget_clear(&f);
}

void
site_ask_requests(struct site *s)
{
	store_requests(s->store, on_request, s);
}
