/*
 * deliveries: a site's webhooks: into the journal without personal data, then to the engine; what is
 * counted of them, and which of their secrets are in use.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/journal.h"
#include "io/keys.h"
#include "io/site_impl.h"
#include "io/tally.h"
#include "io/uses.h"
#include "io/webhook.h"

/* ---- the journal ------------------------------------------------------------ */

void
site_append(struct site *s, const struct request *request, const struct delivery *d)
{
	struct slice name = slice_of(s->conf->name);
	struct order_event event;
	struct buf bytes = { 0 };

	must(d->verdict == VERDICT_ACCEPT);
	for (size_t i = 0; i < d->n_messages; i++) {
		bytes.len = 0;
		order_event_hash(keys_ring(s->keys), &d->messages[i], &event);
		order_event_encode(&event, &bytes);
		buf_varint(&s->unsynced, journal_append(s->env.journal, JOURNAL_EVENT, request->received_ms, name, buf_view(&bytes)));
		buf_svarint(&s->unsynced, request->received_ms);
		buf_slice(&s->unsynced, buf_view(&bytes));
	}
	buf_free(&bytes);
}

void
site_journal_synced(struct site *s, bool ok)
{
	struct reader r = reader_of(buf_view(&s->unsynced));

	while (ok && reader_more(&r)) {
		uint64_t seq = reader_varint(&r);
		int64_t received_ms = reader_svarint(&r);

		pump_journalled(s, seq, received_ms, reader_slice(&r));
	}
	s->unsynced.len = 0;
	pump(s);
}

uint64_t
site_journal_committed(const struct site *s)
{
	return (s->journal_committed);
}

/* ---- counting ----------------------------------------------------------------- */

static uint64_t
secret_hash(const struct site *s, const struct webhook_endpoint *e, size_t i)
{
	return (hash_bytes(&keys_ring(s->keys)->site, e->conf.secrets[i]));
}

/* Only what changes: a line when the clocks part, and one when they meet again. */
static void
say_clock(const char *name, int64_t before, int64_t now)
{
	if (before == 0 && now != 0)
		log_error("webhook: this machine's clock is %" PRId64 " s %s that of %s; its webhooks are refused until the clock is set",
		    now < 0 ? -now : now, now < 0 ? "behind" : "ahead of", name);
	else if (before != 0 && now == 0)
		log_notice("webhook: the clock agrees with that of %s again", name);
}

void
site_count_request(struct site *s, const struct webhook_end *end)
{
	const struct webhook_endpoint *e = end->endpoint;
	const bool is_signature = end->reason != NULL && strcmp(end->reason, "bad_signature") == 0;
	const struct tally_request r = { e->name, end->status, end->reason, end->type, is_signature ? end->detail : NULL, end->secret_index,
	    end->signed_s, end->received_ms };
	int64_t clock_before = tally_clock_off(s->tally, e->name);

	tally_request(s->tally, &r);
	say_clock(e->name, clock_before, tally_clock_off(s->tally, e->name));
	if (end->secret_index >= 0)
		uses_note(s->uses, secret_hash(s, e, (size_t)end->secret_index), end->received_ms);
}

void
site_know_secrets(struct site *s, const struct webhook_endpoint *e)
{
	for (size_t i = 0; i < e->conf.n_secrets; i++)
		tally_secret_known(s->tally, e->name, (unsigned)i, uses_last(s->uses, secret_hash(s, e, i), site_now(s)));
}

void
site_inherit(struct site *next, struct site *before)
{
	struct tally *fresh = next->tally;

	tally_forget_secrets(before->tally);
	next->tally = before->tally;
	before->tally = fresh;
	uses_close(&next->uses);
	next->uses = before->uses;
	before->uses = NULL;
}
