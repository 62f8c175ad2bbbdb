/*
 * orderbook: what became of each order.
 *
 * An order is (provider, order id).  Events may come in any order, twice, or under an
 * alias; the end state is the same: the first `paid` sets amount, currency and time,
 * refunds and disputes count once each, a running total counts as its highest, a
 * dispute is lost until won and won for good.  Net is never below zero.  Pure.
 */
#ifndef RPVD_ORDERBOOK_H
#define RPVD_ORDERBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "core/credit.h"
#include "core/names.h"
#include "core/order.h"

#define JOIN_RETRY_MS (7 * INT64_C(86400000))	/* how long an order waits for one of its keys */
#define ORDER_KEEP_S (400 * INT64_C(86400))
#define ORDERS_LISTED 10000		/* the latest by time, for listings */

/* In falling strength. */
enum join_how { JOIN_NONE, JOIN_VISITOR, JOIN_TOKEN, JOIN_IP_UA, JOIN_CUSTOMER, JOINS };

const char *join_name(enum join_how);

struct visit_ref {
	uint64_t visitor, id;
	int64_t start_ms;
};

struct part {				/* a refund or a dispute */
	uint64_t id;			/* hash of its id */
	int64_t amount;			/* -1: a dispute that was won before it was told */
	struct currency currency;	/* as long as the order's is not known, any may come; then only that is kept */
	bool won;
	bool total;			/* not yet paid: a running total, the highest in its currency */
};

struct order {
	struct slice provider, id;	/* own */
	bool paid;
	uint64_t paid_no;		/* number of the paid event among all: which of two came first */
	int64_t time_ms, total, tax, shipping;
	struct currency currency;
	bool recurring;
	uint64_t customer, visitors[2], agents[2];
	uint64_t tokens[ORDER_TOKENS_MAX];
	size_t n_tokens;
	struct part *refunds, *disputes;
	size_t n_refunds, refunds_cap, n_disputes, disputes_cap;
	int64_t cumulative;
	struct slice alias_of;		/* own; not empty: this is another name of that order, and nothing else counts */
	enum join_how how;
	struct visit_ref visit;		/* the converting visit */
	struct touch *touches;
	size_t n_touches;
	/* What stands in the windows for it now; taken back before it changes. */
	bool counted, counted_joined, counted_recurring;
	int64_t counted_gross, counted_net;
	bool unconverted;		/* no rate for its currency is known */
	bool erased;			/* whose it is was forgotten: it takes no keys, and what it did to its visit stays */
	/* Memory only. */
	bool dirty, waiting;		/* differs from its record; may still be joined */
	bool stored_waiting, stored_unconverted;	/* it is in those sets */
	int64_t listed_ms;		/* it was listed under that time; 0: not yet */
	bool has_sleeper;		/* it is due to be woken, though it is here */
	unsigned dues;			/* how many moments of decision are queued */
	unsigned round;			/* how often it ceased to wait, or began anew: what was queued before is void */
	struct order *next_of_customer;
};

struct orderbook {
	struct strmap *by_key;		/* name_order() -> struct order */
	struct order **dirty;
	size_t n_dirty, dirty_cap;
};

void orderbook_init(struct orderbook *, const struct hash_key *);
void orderbook_clear(struct orderbook *);
struct order *orderbook_find(const struct orderbook *, struct slice provider, struct slice id);
struct order *orderbook_add(struct orderbook *, struct slice provider, struct slice id);
void orderbook_remove(struct orderbook *, struct order *);
void orderbook_dirty(struct orderbook *, struct order *);

enum order_change { ORDER_SAME, ORDER_CHANGED, ORDER_OTHER_CURRENCY };

/* Takes a paid, refunded, disputed or dispute_won event (not alias); event_no grows with each. */
enum order_change order_apply(struct order *, const struct order_event *, uint64_t event_no, const struct hash_key *);
/* True where the event tells another amount or currency than was told before of the same order, refund or
 * dispute: what came first counts.  To be asked before order_apply(). */
bool order_contradicts(const struct order *, const struct order_event *, const struct hash_key *);
/* Forgets whose it is, and its visit and touches.  Its amounts stay, and so do the figures: what is taken
 * back from it later is taken from the sales alone. */
void order_erase(struct order *);
/* All that waits under `from` moves to `into`; joins and counted figures must have been taken back. */
void order_merge(struct order *into, struct order *from);
/* Gross and net in the order's own currency by basis: paid, and what is left of it.
 * *scale_a / *scale_b is the share of the total that the basis is. */
int64_t order_refunded(const struct order *);		/* single refunds, or the running total where that is more */
int64_t order_lost(const struct order *);		/* disputes that are not won */
int64_t order_taken_back(const struct order *);		/* both */
int64_t order_basis(const struct order *, int basis);

void order_encode(const struct order *, struct buf *);
/* Into a fresh one, in which provider and id are already there; -1 and as fresh as before where the
 * bytes are none of ours. */
int order_decode(struct slice bytes, struct order *);

#endif
