/*
 * webhook: the HTTP listener for checkout webhooks.
 *
 * Listens on a unix socket or loopback, behind the web server that is there anyway.
 * Each connection brings one request, read by http.c under absolute deadlines; a
 * request for a configured path goes through its provider module, its messages are
 * hashed and journalled by the owner's callback, and the answer waits for the sync:
 * group commit, all requests that arrived within 2 ms share one.
 */
#ifndef RPVD_WEBHOOK_H
#define RPVD_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "provider/provider.h"

struct event_base;
struct webhooks;

struct webhook_endpoint {
	const char *path;			/* "/hooks/stripe"; exact */
	const char *name;			/* "stripe"; a site's second one of that provider: "stripe-2" */
	const struct provider *provider;
	struct provider_conf conf;		/* borrowed as long as the endpoint is set */
	void *site;				/* handed back to the callbacks */
};

/* How a request ended.  Strings live for the call. */
struct webhook_end {
	const struct webhook_endpoint *endpoint;	/* NULL where no path fitted, or none was read */
	int status;				/* 0: closed without an answer (too slow, or the client left) */
	const char *reason;			/* as in struct delivery, or http.c's, or NULL */
	const char *detail, *type;		/* as in struct delivery; "" where there is none */
	int secret_index;			/* as in struct delivery: -1 where no secret fitted */
	int64_t signed_s, received_ms;		/* as in struct delivery; the wall clock then */
};

struct webhook_calls {
	/* Appends what the delivery says to the journal (not synced).  Also called for VERDICT_QUARANTINE. */
	void (*append)(void *arg, void *site, const struct webhook_endpoint *, const struct request *, const struct delivery *);
	/* Makes all appended records durable: 0, or -1: then 503 is answered. */
	int (*sync)(void *arg);
	/* Each request's end, for counters and the rate-limited log. */
	void (*done)(void *arg, const struct webhook_end *);
	/* Wall clock, Unix milliseconds. */
	int64_t (*now_ms)(void *arg);
	/* A certificate that is not here would be needed, for the next try. */
	void (*wants)(void *arg, struct slice url);
};

/* listen: "unix:/path" or "127.0.0.1:8377" / "[::1]:8377" (any other address is refused);
 * fd >= 0: a listening socket from systemd, used instead, under the same rule; ours from then
 * on, the caller's where this fails.  A stale unix socket file is replaced, a live one is
 * refused.  Socket mode 0660.  NULL with err set. */
struct webhooks *webhooks_new(struct event_base *, const char *listen, int fd, const struct webhook_calls *, void *arg, struct err *);
/* Syncs and answers what was appended, closes the rest: to be called before the journal is closed. */
void webhooks_free(struct webhooks **);
/* Replaces the endpoints (at start and at reload); the array and what it points to is
 * borrowed until the next call.  Paths are compared without the query. */
void webhooks_set_endpoints(struct webhooks *, const struct webhook_endpoint *, size_t n);
/* Takes what waits at the socket, then stops accepting; returns the number of requests still
 * under way, of clients who have just connected, too.  To be called again until that is 0 or the caller's patience ends. */
size_t webhooks_drain(struct webhooks *);
/* Time for a request to arrive, and for its answer to leave: 10,000 ms.  For tests. */
void webhooks_set_deadline_ms(struct webhooks *, int64_t ms);

#endif
