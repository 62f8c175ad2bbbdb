/*
 * engine_impl: the engine's insides, shared by engine.c (hits), evidence.c, settle.c (order events
 * and money), join.c (decisions), erase.c (a person who is forgotten) and state.c (records).
 */
#ifndef RPVD_ENGINE_IMPL_H
#define RPVD_ENGINE_IMPL_H

#include "base/heap.h"
#include "base/map.h"
#include "core/engine.h"
#include "core/evidence.h"
#include "core/model.h"
#include "core/names.h"
#include "core/orderbook.h"
#include "core/visit.h"

#define JOIN_AFTER_MS INT64_C(30000)		/* an order is joined when this much has passed */
#define TOKEN_WAIT_MS (30 * INT64_C(60000))	/* one that offers a token waits so long for it */
#define LATE_GRACE_MS (15 * INT64_C(60000))	/* visits stay in memory so much longer than they are open */
#define RETENTION_SLACK_MS (2 * DAY_MS)

enum need_kind { NEED_VISITOR, NEED_AGENT, NEED_TOKEN, NEED_ORDER, NEED_CUSTOMER, NEED_BLOCKS };

struct want {
	enum need_kind kind;
	uint64_t key;
	int64_t first_epoch;
	struct slice provider, id;	/* own; NEED_ORDER */
	struct name names[NEED_NAMES_MAX];
};

/* An id that a logged URL showed, and the visit that contains the first hit with it. */
struct token {
	uint64_t hash;
	bool known;			/* the store has been asked */
	bool seen, dirty;
	int64_t seen_ms;
	struct visit_ref visit;
	struct order **waiting;
	size_t n_waiting, cap;
};

struct customer_order {
	int64_t time_ms;
	struct slice provider, id;	/* own */
	struct visit_ref visit;
};

struct customer {
	uint64_t hash;
	bool known, dirty;
	struct customer_order *joined;	/* by joins 1-3 */
	size_t n_joined, joined_cap;
	struct order *waiting;		/* a list by next_of_customer */
};

struct agent_list {			/* what the store has of one address + agent and day */
	uint64_t agent;
	struct agent_entry *entries;
	size_t n, cap;
};

struct due {
	int64_t moment_ms, order_ms;
	struct order *order;
	unsigned round;			/* that of the order; of an earlier one it is void */
	uint64_t looked;		/* engine.commit_no when it was last looked up ahead */
};

struct erasure {				/* a person who is to be forgotten */
	struct forget who;
	bool begun;			/* nothing of them is in memory any more */
	size_t noted;			/* visits that were taken over, in its record */
	size_t next;			/* how far the walk over the blocks has come: erasure_name() */
};

struct engine {
	const struct engine_rules *rules;
	struct keyring *ring;
	bool replay;
	int64_t clock;			/* highest event time taken */
	int64_t watermark;		/* decisions before it are taken */
	int64_t evicted_before;		/* visitors untouched since then may be in blocks only */
	int64_t oldest_epoch;		/* there are no blocks of earlier epochs; 0: none at all */
	uint64_t next_visit, next_event;
	bool orders_stored, customers_stored, tokens_stored;	/* there may be such records */
	struct bloom *orders_written;	/* names of all that ever were; NULL where that is not known: another process did */
	uint64_t counters[COUNTERS];
	bool counters_dirty;
	struct windows *windows;
	uint32_t total;			/* number of the total's series */
	struct visits visits;
	struct evidence_state evidence;
	struct orderbook book;
	struct map64 tokens, customers, agents;
	size_t settle_at;		/* visits in memory: engine_settle() */
	size_t n_waiting;		/* ... in memory */
	struct heap dues;
	struct heap asleep;		/* struct sleeper (asleep.c): orders that wait, and whose time is far ahead */
	size_t n_asleep;		/* ... and are not in memory */
	struct strmap *unconverted;	/* names of orders without a rate, or beyond all sums */
	struct { int64_t epoch, sum; } gross[HISTORY_EPOCHS];	/* what counts of orders, by the epoch of their time */
	bool recount;			/* rates may have come since they were looked at */
	struct buf recounts;		/* of these names those that are still to be looked at, from next_recount on */
	size_t next_recount;
	struct erasure *erasures;	/* by time */
	size_t n_erasures, erasures_cap;
	struct changes erased;		/* what was erased since the last commit */
	struct buf erased_customers;
	uint64_t commit_no;		/* calls of engine_changes(), from 1: what was looked up before may have left */
	int look_ahead;			/* rounds of looking ahead that are still to come */
	struct want **wants;
	size_t n_wants, wants_cap;
	struct map64 want_index;
	struct need *needs;
	size_t needs_cap;
	/* Latest pageview of any visit under a day's ip_ua key: whether yesterday's can still be open. */
	struct { int64_t day, last_ms; } recent_days[4];
	int64_t check_yesterday_until;
	struct slice *bucket_names;
	struct { size_t level; int64_t bucket; } *bucket_places;
	size_t n_buckets;
};

/* state.c */
void want(struct engine *, enum need_kind, uint64_t key, int64_t first_epoch, struct slice provider, struct slice id);
int64_t engine_retention_ms(const struct engine *);
bool order_may_be_stored(const struct engine *, struct slice provider, struct slice id);
bool split_order_name(struct slice name, struct slice *provider, struct slice *id);
void engine_drop_agents(struct engine *);
void engine_settle(struct engine *);		/* visits that are over leave the memory */

/* join.c */
struct token *token_get(struct engine *, uint64_t hash);
struct customer *customer_get(struct engine *, uint64_t hash);
void token_seen(struct engine *, uint64_t hash, struct visit *);
void token_wake(struct engine *, const struct token *);		/* a decision for each order that waits for it */
void order_queue(struct engine *, struct order *);		/* decisions at the moments that its keys ask for */
void order_forget(struct engine *, struct order *);		/* no longer waits */
enum engine_result join_due(struct engine *, int64_t before_ms);
int due_compare(const void *, const void *);

/* asleep.c */
int sleeper_compare(const void *, const void *);
void orders_sleep(struct engine *);			/* at a commit: whose time is far ahead leaves memory */
bool order_sleeps_on(struct engine *, struct order *);	/* one of a state that is loaded; true: it is gone from memory */
void order_wakes(struct engine *, struct order *);	/* one that was just loaded: waits again, where it was asleep */
/* Asks for the next of them whose first decision falls before that time, and is no later than the next one that
 * is due; ENGINE_DONE where there is none. */
enum engine_result orders_wake(struct engine *, int64_t before_ms);
enum engine_result orders_wake_all(struct engine *);
void sleepers_free(struct engine *);

/* erase.c */
int64_t erasure_next_ms(const struct engine *);	/* INT64_MAX where nobody is to be forgotten */
enum engine_result erasure_run(struct engine *);		/* the next one */
void erasure_name(uint64_t unit, int64_t epoch, struct name *);
void erasure_supply(struct engine *, uint64_t unit, int64_t epoch, struct slice name, struct slice block);
/* The block of that name, of which `fetched` may be older than what the next commit writes. */
struct slice erased_block(const struct engine *, struct slice name, struct slice fetched);
/* Its record is gone with the next commit. */
bool erased_is_customer(const struct engine *, uint64_t hash);
void erasures_changes(struct engine *, struct changes *);
void erasures_free(struct engine *);

/* settle.c */
/* The visit whose figures change with the order, in *v; NULL where none has to be changed.
 * ENGINE_NEEDS where it has to be fetched first. */
enum engine_result order_visit(struct engine *, const struct order *, struct visit **v);
void order_count(struct engine *, struct order *);		/* what stands in the windows becomes what is true now */
void order_uncount(struct engine *, struct order *);
/* Looks again at orders that had no rate, where rates may have come: some of them, or all. */
enum engine_result recount_unconverted(struct engine *, bool all);

#endif
