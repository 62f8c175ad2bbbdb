/*
 * order: what verified webhooks and order files say, first in the provider's own words
 * (order_message), then without personal data (order_event): the form that the journal
 * keeps and the engine takes.
 */
#ifndef RPVD_ORDER_H
#define RPVD_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "core/money.h"

#define ORDER_TOKENS_MAX 16
#define ORDER_ALIASES_MAX 16
#define ORDER_ID_MAX 255	/* bytes of an order, refund, dispute or event id */

enum order_kind {
	ORDER_PAID,
	ORDER_REFUNDED,
	ORDER_DISPUTED,
	ORDER_DISPUTE_WON,
	ORDER_ALIAS,
	ORDER_KINDS
};

/* "order.paid", ... as in a generic event's `type`. */
const char *order_kind_name(enum order_kind);

/* One event as the provider tells it, personal keys in clear: lives only until
 * order_event_hash().  Strings are borrowed; len 0 is absent. */
struct order_message {
	enum order_kind kind;
	struct slice event_id;
	int64_t time_ms;		/* when it happened */
	struct slice provider;
	struct slice order_id;		/* paid: the order; refund and dispute: the order they name; alias: order_id */
	struct currency currency;	/* of amount */
	int64_t amount;			/* minor units; total, refund or dispute amount */
	int64_t tax, shipping;		/* paid only */
	bool recurring;			/* paid only */
	struct slice customer, visitor, ip, user_agent;		/* paid only */
	struct slice tokens[ORDER_TOKENS_MAX];			/* paid only; strongest first */
	size_t n_tokens;
	struct slice aliases[ORDER_ALIASES_MAX];		/* paid; alias: exactly one */
	size_t n_aliases;
	struct slice part_id;		/* refund id, dispute id */
	bool cumulative;		/* refund: amount is all refunded so far */
};

/* The same without personal data.  Keys are 64-bit keyed hashes, 0 is absent. */
struct order_event {
	enum order_kind kind;
	struct slice event_id, provider, order_id, part_id;
	int64_t time_ms;
	struct currency currency;
	int64_t amount, tax, shipping;
	bool recurring, cumulative;
	uint64_t customer;
	bool customer_is_email;		/* an address is the same person at every provider */
	uint64_t visitors[2];		/* the visitor value taken as a cookie, and as a uid */
	uint64_t agents[2];		/* address + user agent under the key of the order's UTC day, and of the day before */
	uint64_t tokens[ORDER_TOKENS_MAX];
	size_t n_tokens;
	struct slice aliases[ORDER_ALIASES_MAX];
	size_t n_aliases;
};

/* The journal's and the engine's binary form.  decode: strings borrowed from bytes; 0, or
 * -1 where the bytes are no event of this version. */
void order_event_encode(const struct order_event *, struct buf *);
int order_event_decode(struct slice bytes, struct order_event *);

#endif
