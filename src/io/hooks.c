/*
 * hooks: see hooks.h.
 */
#include "io/hooks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/certificates.h"
#include "io/journal.h"
#include "io/quarantine.h"
#include "io/site.h"
#include "io/tally.h"
#include "io/webhook.h"

#define LOG_S 5				/* between two lines about refused webhooks of a provider, all together */
#define CLOCK_PATIENCE_MS (60 * 60000)	/* after the start the clock has so long to be set */
#define STRANGERS_LOG_S 60		/* ... and about those who have the wrong door */

struct hooks {
	struct journal *journal;
	struct certificates *certificates;
	struct quarantine *quarantine;
	struct webhooks *webhooks;
	struct tally *strangers;
	struct site *const *sites;
	size_t n_sites;
	const struct webhook_endpoint *endpoints;
	size_t n_endpoints;
	int64_t (*now_ms)(void *arg);
	void *arg;
	bool failed;			/* the last sync */
	int64_t begun_ms;		/* as site_uptime() */
	long said_request, said_stranger, said_forget;
};

/* ---- what is kept ----------------------------------------------------------- */

static struct slice
header_of(const struct request *req, const char *name)
{
	for (size_t i = 0; i < req->n_headers; i++)
		if (slice_equal_nocase(req->headers[i].name, slice_of(name)))
			return (req->headers[i].value);
	return (SLICE(""));
}

static void
on_append(void *arg, void *site, const struct webhook_endpoint *e, const struct request *req, const struct delivery *d)
{
	struct hooks *h = arg;
	const struct quarantined one = { .received_ms = req->received_ms, .site = slice_of(site_name(site)),
	    .provider = slice_of(e->provider->name), .path = slice_of(e->path), .id = header_of(req, "webhook-id"),
	    .detail = slice_of(d->detail), .body = req->body };

	if (d->verdict == VERDICT_QUARANTINE)
		quarantine_add(h->quarantine, &one);
	else
		site_append(site, req, d);
}

static void
say_sync(struct hooks *h, const struct err *err, bool failed)
{
	if (failed && !h->failed)
		log_error("journal: %s; webhooks are answered 503 until it can be written again: make room, or check the disk", err->msg);
	else if (!failed && h->failed)
		log_notice("journal: can be written again");
	h->failed = failed;
}

/* The two logs fail and succeed each for itself: what is in one of them counts, though its answer
 * may be 503 for the other's sake; then it comes again, and changes nothing. */
static int
on_sync(void *arg)
{
	struct hooks *h = arg;
	struct err err = { "" };
	bool kept = quarantine_sync(h->quarantine, &err) == 0;
	bool written = journal_sync(h->journal, &err) == 0;

	say_sync(h, &err, !kept || !written);
	for (size_t i = 0; i < h->n_sites; i++)
		site_journal_synced(h->sites[i], written);
	return (kept && written ? 0 : -1);
}

/* ---- what is told ------------------------------------------------------------- */

static void
on_stranger(struct hooks *h, const struct webhook_end *end)
{
	const struct tally_request r = { .status = end->status, .reason = end->reason, .secret = -1, .received_ms = end->received_ms };

	tally_request(h->strangers, &r);
	if (end->status >= 400 && log_limit(&h->said_stranger, STRANGERS_LOG_S))
		log_warning("webhook: answered %d reason=%s; no provider was addressed", end->status, end->reason != NULL ? end->reason : "");
}

static void
on_done(void *arg, const struct webhook_end *end)
{
	struct hooks *h = arg;
	bool has_detail = end->detail[0] != '\0';

	if (end->endpoint == NULL) {
		on_stranger(h, end);
		return;
	}
	site_count_request(end->endpoint->site, end);
	if (end->status >= 400 && log_limit(&h->said_request, LOG_S))
		log_warning("webhook: answered %d provider=%s%s%s%s%s", end->status, end->endpoint->name, end->reason != NULL ? " reason=" : "",
		    end->reason != NULL ? end->reason : "", has_detail ? ": " : "", end->detail);
}

static int64_t
on_now(void *arg)
{
	const struct hooks *h = arg;

	return (h->now_ms(h->arg));
}

static void
on_wants(void *arg, struct slice url)
{
	const struct hooks *h = arg;

	if (h->certificates != NULL)		/* not where one is pinned */
		certificates_want(h->certificates, url);
}

/* ---- the quarantine ------------------------------------------------------------- */

static const struct webhook_endpoint *
endpoint_of(const struct hooks *h, const struct quarantined *one)
{
	for (size_t i = 0; i < h->n_endpoints; i++) {
		const struct webhook_endpoint *e = &h->endpoints[i];

		if (slice_is(one->site, site_name(e->site)) && slice_is(one->provider, e->provider->name) && slice_is(one->path, e->path))
			return (e);
	}
	return (NULL);
}

struct again {
	struct hooks *hooks;
	struct delivery *delivery;	/* too large for the stack */
	unsigned long understood, events;
};

static bool
understands(void *arg, const struct quarantined *one)
{
	struct again *a = arg;
	const struct webhook_endpoint *e = endpoint_of(a->hooks, one);
	struct header id = { SLICE("webhook-id"), one->id };
	struct request req = { .method = SLICE("POST"), .headers = &id, .n_headers = one->id.len > 0, .body = one->body,
	    .received_ms = one->received_ms, .was_checked = true };
	bool fine;

	if (e == NULL)
		return (false);
	e->provider->read(&e->conf, &req, a->delivery);
	fine = a->delivery->verdict == VERDICT_ACCEPT;
	if (fine) {
		a->understood++;
		a->events += a->delivery->n_messages;
		site_append(e->site, &req, a->delivery);
	}
	delivery_free(a->delivery);
	return (fine);
}

/* In the journal before it is out of the quarantine: a crash between the two brings it twice, which
 * changes nothing. */
static int
sync_again(void *arg)
{
	struct again *a = arg;

	return (on_sync(a->hooks));
}

void
hooks_try_again(struct hooks *h)
{
	static const struct quarantine_calls calls = { understands, sync_again };
	struct again a = { .hooks = h, .delivery = mem_calloc(1, sizeof(*a.delivery)) };
	struct err err;

	if (quarantine_again(h->quarantine, h->now_ms(h->arg), &calls, &a, &err) != 0)
		log_error("quarantine: %s", err.msg);
	if (a.understood > 0)
		log_notice("quarantine: %lu webhook%s not understood before %s now, with %lu event%s", a.understood, a.understood == 1 ? "" : "s",
		    a.understood == 1 ? "is" : "are", a.events, a.events == 1 ? "" : "s");
	free(a.delivery);
}

/* The next webhook may be hours away, and the owner, who has made room, looks now. */
static void
look_for_room(struct hooks *h)
{
	struct quarantine_status kept;
	struct journal_status journal;

	journal_probe(h->journal);
	quarantine_probe(h->quarantine);
	journal_status(h->journal, &journal);
	quarantine_status(h->quarantine, &kept);
	if (journal.problem == NULL && kept.problem == NULL)
		say_sync(h, NULL, false);
}

/* A machine that has just booted may not have been told the time yet, and what was kept before looks as if
 * it were of the future; from one that is ahead for a moment it looks as if it were old. */
static bool
clock_is_set(const struct hooks *h, bool is_steady)
{
	struct quarantine_status kept;

	quarantine_status(h->quarantine, &kept);
	return (is_steady && (kept.newest_ms - h->now_ms(h->arg) <= CLOCK_SLACK_MS || site_uptime() - h->begun_ms > CLOCK_PATIENCE_MS));
}

void
hooks_tick(struct hooks *h, int64_t quarantine_keep_ms, bool clock_is_steady)
{
	struct err err;

	if (h->failed)
		look_for_room(h);
	if (!clock_is_set(h, clock_is_steady))
		return;
	if (quarantine_forget(h->quarantine, h->now_ms(h->arg), quarantine_keep_ms, &err) != 0 && log_limit(&h->said_forget, 3600))
		log_error("quarantine: %s", err.msg);
}

/* ---- life ------------------------------------------------------------------------- */

struct hooks *
hooks_new(struct journal *journal, int64_t (*now_ms)(void *), void *arg, struct err *err)
{
	struct hooks *h = mem_calloc(1, sizeof(*h));

	h->journal = journal;
	h->now_ms = now_ms;
	h->arg = arg;
	h->begun_ms = site_uptime();
	h->strangers = tally_new();
	h->quarantine = quarantine_open(journal, err);
	if (h->quarantine == NULL)
		hooks_free(&h);
	return (h);
}

void
hooks_free(struct hooks **hp)
{
	struct hooks *h = *hp;

	if (h == NULL)
		return;
	webhooks_free(&h->webhooks);
	quarantine_close(&h->quarantine);
	tally_free(&h->strangers);
	free(h);
	*hp = NULL;
}

int
hooks_listen(struct hooks *h, struct event_base *base, const char *listen, int fd, struct err *err)
{
	const struct webhook_calls calls = { on_append, on_sync, on_done, on_now, on_wants };

	h->webhooks = webhooks_new(base, listen, fd, &calls, h, err);
	return (h->webhooks != NULL ? 0 : -1);
}

void
hooks_set(struct hooks *h, struct site *const *sites, size_t n_sites, const struct webhook_endpoint *endpoints, size_t n_endpoints)
{
	/* First, since it syncs for those that were there until now. */
	if (h->webhooks != NULL)
		webhooks_set_endpoints(h->webhooks, endpoints, n_endpoints);
	for (size_t i = 0; i < n_sites; i++)
		for (size_t k = 0; k < h->n_sites; k++)
			if (strcmp(site_name(sites[i]), site_name(h->sites[k])) == 0)
				site_inherit(sites[i], h->sites[k]);
	h->sites = sites;
	h->n_sites = n_sites;
	h->endpoints = endpoints;
	h->n_endpoints = n_endpoints;
	for (size_t i = 0; i < n_endpoints; i++)
		site_know_secrets(endpoints[i].site, &endpoints[i]);
}

void
hooks_use(struct hooks *h, struct certificates *certificates)
{
	h->certificates = certificates;
}

size_t
hooks_drain(struct hooks *h)
{
	return (h->webhooks != NULL ? webhooks_drain(h->webhooks) : 0);
}

const struct tally *
hooks_strangers(const struct hooks *h)
{
	return (h->strangers);
}

const struct quarantine *
hooks_quarantine(const struct hooks *h)
{
	return (h->quarantine);
}
