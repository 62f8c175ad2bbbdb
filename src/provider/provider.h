/*
 * provider: checkout webhooks.  One small pure module a provider: bytes, headers,
 * secrets and a time in; order messages or a reason out.  No I/O, no clock.
 *
 * Adding a provider: one file with one `const struct provider`, one row in the table
 * of provider.c, one paragraph in rpvd.conf.5, and its cases.
 */
#ifndef RPVD_PROVIDER_H
#define RPVD_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "core/order.h"

#define CERTIFICATE_URL_MAX 512

/* A certificate in PEM, and where it came from; without that, it is pinned: good for any. */
struct certificate {
	struct slice url, pem;
};

struct certificate_list {
	const struct certificate *list;
	size_t n;
};

/* What the owner configured for one endpoint.  Borrowed. */
struct provider_conf {
	const struct slice *secrets;	/* one a line of the secret file, taken literally; empty ones never accept */
	size_t n_secrets;
	struct slice visitor_key;	/* name under which the shop carries the visitor cookie: "rpv" */
	int64_t tolerance_s;		/* of signed time stamps: 300 */
	bool is_behind;			/* our clock is, by nobody knows how much: what looks too new may be right; too old is too old */
	int64_t doubt_s;		/* our clock may be off by this much: a time is in time by either */
	bool test;			/* take test-mode events, and only those */
	bool count_payment_intents;	/* stripe: count = "payment_intents" */
	bool count_captures;		/* adyen: count = "capture" */
	struct slice notification_url;	/* square: as it was typed into the subscription */
	struct slice seller_id;		/* gumroad */
	struct slice webhook_id;	/* paypal */
	const struct certificate_list *certificates;	/* paypal: those that are here; may grow */
};

struct header {
	struct slice name, value;	/* names compare without case */
};

struct request {
	struct slice method;		/* "POST" */
	const struct header *headers;
	size_t n_headers;
	struct slice body;		/* as received */
	int64_t received_ms;		/* Unix milliseconds: the clock to believe */
	bool was_checked;		/* its signature was found good when it came, and is not here any more: from the quarantine */
};

enum verdict {
	VERDICT_ACCEPT,			/* answer 200: n_messages >= 0; reason says why where there are none */
	VERDICT_QUARANTINE,		/* authentic but unusable: reject with status, keep the body for later; reason "bad_body" */
	VERDICT_REJECT			/* answer status */
};

#define DELIVERY_MESSAGES_MAX 64

/* What one request came to.  Messages borrow from `arena`, which delivery_free() ends. */
struct delivery {
	enum verdict verdict;
	int status;			/* 200, 400, 401, 405; 503: later, perhaps */
	const char *reason;		/* one word of providers.md's vocabulary, NULL where there are messages; a constant */
	char detail[160];		/* for the log: which field, what was expected; never values */
	int secret_index;		/* which secret fitted, -1 where none did or was needed */
	int64_t signed_s;		/* the signed time, Unix seconds, where a good signature has one; else 0 */
	struct slice wants_certificate;	/* with 503: whose URL is not among those configured; borrowed from the request */
	struct slice type;		/* the provider's word for what it tells; empty where it has none.  Borrowed as messages are, or from the request */
	struct order_message messages[DELIVERY_MESSAGES_MAX];
	size_t n_messages;
	void *arena;
};

/* What an endpoint's configuration has to have, as bits; the others of these are the wrong provider's. */
enum {
	NEEDS_SECRET = 1,
	NEEDS_NOTIFICATION_URL = 2,
	NEEDS_SELLER_ID = 4,
	NEEDS_WEBHOOK_ID = 8
};

struct provider {
	const char *name;		/* "stripe": in the configuration, in order keys */
	void (*read)(const struct provider_conf *, const struct request *, struct delivery *);
	const char *const *token_params;	/* NULL-terminated pairs glob, param: token patterns that its success URLs bring */
	const char *const *payment_pages;	/* NULL-terminated: hosts, with their subdomains, from which visitors only come back */
	unsigned needs;
	const char *accepted;		/* the text of the answer 200; NULL: none */
};

/* NULL where there is none of that name. */
const struct provider *provider_find(const char *name);
/* All of them, for messages and manuals; NULL-terminated. */
const struct provider *const *providers(void);

void delivery_free(struct delivery *);

/* An address from which certificates are believed: https, a host of the provider's own, a plain path. */
bool certificate_url_is_known(struct slice url);
/* In PEM, with a key that signatures can be checked with. */
bool certificate_is_usable(struct slice pem);

/* Order files: one generic event a line.  0 with one message (or none: reason says why:
 * unknown type, zero amount), or -1 with err naming the field.  Ends with delivery_free(). */
int order_line_read(struct slice line, struct delivery *, struct err *);

#endif
