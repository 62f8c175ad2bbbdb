/*
 * visit: the visits that are held in memory, by visitor and by address + agent.
 *
 * Held are the visits that are open, and those of visitors about whom an order asked.
 * A visitor whose visits are all over leaves the memory: the visits become records of
 * their blocks (names.h), from which they can be loaded again; the next commit writes these,
 * and until then they are kept here.  Of several records of one visit in a block the last one counts.
 *
 * Memory has a bound, `max_bytes`.  Above it the visitors who were longest without a hit
 * leave early, though their visits are open; who comes back is known by a filter, and is
 * loaded as he left.  Pure.
 */
#ifndef RPVD_VISIT_H
#define RPVD_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bloom.h"
#include "base/map.h"
#include "base/slice.h"
#include "core/blocks.h"
#include "core/change.h"
#include "core/forget.h"

#define VISIT_PAGES_MAX 500		/* distinct pages of a visit; the last is then "(other)", for all further ones */
#define VISITOR_HELD 256		/* a visitor's latest visits that a commit leaves in memory, at most */
#define VISITOR_STORED 4096		/* of his visits that nothing refers to so many go into blocks */
#define HISTORY_EPOCHS 16

/* What is kept of visits for orders that may come yet; none of it changes a figure that stands. */
enum keep { KEEP_ALL, KEEP_LONGER, KEEP_REFERRED };	/* all; of more than one pageview; that an order or a token names */

struct visit {
	uint64_t id;			/* by creation; never changes */
	uint64_t place;			/* among its visitor's visits; the id, or that of its adoption */
	uint64_t visitor, agent;	/* keyed hashes; agent: 0 where its day's key was forgotten */
	int64_t start_ms, last_ms;	/* of the first and the latest pageview */
	int64_t born_ms, since_ms;	/* the clock at its first pageview, and when it became this visitor's */
	uint64_t source_key;		/* equal where source and medium are; known while it is open */
	uint32_t landing, source, channel, campaign, country, device;	/* series numbers */
	uint32_t views;
	bool is_direct;
	/* evidence.h.  has_asset and errors are known while it is open. */
	uint8_t evidence, errors;	/* a bit for each enum evidence; errors that it met */
	bool has_asset, bought, left_out;	/* loaded one; an order is its visitor's; it is not in the figures */
	uint32_t *pages;		/* distinct, series numbers; few_pages as long as they fit */
	uint32_t n_pages, pages_cap;
	uint32_t few_pages[4];
	int64_t credit[4];		/* orders that it converted: FIG_ORDERS, FIG_REVENUE, FIG_REFUNDS, FIG_RECURRING */
	uint64_t moved_to;		/* not 0: a mark that this visit is another visitor's now */
	bool referred;			/* a token or an order names it */
	bool dirty, in_open, in_block;	/* differs from its record; has one in `open`; has one in a block */
	uint32_t dirty_at;		/* where it stands among the dirty ones */
	bool stale;			/* that in the block is older than that in `open` */
	struct visit *next_of_agent, *prev_of_agent;
};

struct visitor {
	uint64_t hash;
	struct visit **visits;		/* ascending by place, marks among them; &only as long as that will do */
	size_t n, cap;
	struct visit *only;
	int64_t touched_ms, keep_ms;	/* the clock at the last touch; not dropped before keep_ms */
	bool complete;			/* all of its visits that exist are here */
	bool crowded;			/* in that list */
	uint32_t stored;		/* of its visits, as far as is known, so many are in blocks */
	struct visitor *older, *newer;	/* by touch */
};

struct visits {
	struct map64 by_visitor, by_agent;
	struct visitor *oldest, *newest;
	size_t count;			/* visits in memory */
	/* Visitors and agents that ever went into blocks; NULL where that is not known, as the state
	 * is older than this process. */
	struct bloom *evicted;
	int64_t first_epoch;		/* of the earliest block written since it was last set to INT64_MAX */
	size_t bytes, max_bytes;	/* about what all of it takes; 0: no bound */
	/* Who left early: since `early_ms`, and for as long before that as a visit can be open. */
	struct bloom *early, *early_before;
	int64_t early_ms;
	int64_t early_unknown_ms;	/* who left before that may have left early: it was another process */
	int64_t left_ms;		/* who left early was last touched before it; rises */
	enum keep keep;
	uint64_t history[HISTORY_EPOCHS];	/* bytes of visits and agents appended to the blocks of an epoch */
	uint64_t n_early, n_unkept;	/* visits that left early, that were not kept, since these were last set to 0 */
	uint64_t *crowded;		/* visitors that have too many visits in memory */
	size_t n_crowded, crowded_cap;
	struct visit **dirty;
	size_t n_dirty, dirty_cap;
	/* Room of some who left, for who comes next: by next_of_agent, by newer. */
	struct visit *spare_visits;
	struct visitor *spare_visitors;
	size_t n_spare_visits, n_spare_visitors;
	struct blocks pending;		/* of who left, for the next commit */
	struct map64 left_open;		/* fields of `open` that go with it */
};

void visits_clear(struct visits *);
/* There are no blocks yet: from now on it is known who has none. */
void visits_begin(struct visits *);
/* There may be records in blocks under this visitor's, or agent's, hash. */
bool visits_may_have_blocks(const struct visits *, uint64_t hash);
/* The visitor may have left early, with a visit that was going on at since_ms or later. */
bool visits_left_early(const struct visits *, uint64_t visitor, int64_t since_ms);

/* NULL where it is not in memory (and not created). */
struct visitor *visits_find(const struct visits *, uint64_t visitor);
struct visitor *visits_touch(struct visits *, uint64_t visitor, int64_t clock_ms);	/* made where it is new */
/* The visitor is asked for soon: step 0, 1, 2 fetches his place, him, his latest visit, or where he is new the
 * places that a first visit takes, into the cache. */
void visits_ahead(const struct visits *, uint64_t visitor, uint64_t agent, int step);
/* The latest visit of a visitor as far as it is in memory; NULL where there is none. */
struct visit *visitor_latest(const struct visitor *);
/* Follows marks.  NULL where the visit is not in memory; then *owner is who has it. */
struct visit *visits_by_id(const struct visits *, uint64_t visitor, uint64_t id, uint64_t *owner);
struct visit *visits_of_agent(const struct visits *, uint64_t agent);			/* a list by next_of_agent */

/* Copies what `from` says (pages empty), in the visitor's list by place. */
struct visit *visits_add(struct visits *, const struct visit *from, int64_t clock_ms);
/* The visit becomes another visitor's, as its latest. */
struct visit *visits_adopt(struct visits *, struct visit *, uint64_t visitor, uint64_t place, int64_t clock_ms);
/* True where the page is new to the visit. */
bool visits_add_page(struct visits *, struct visit *, uint32_t page);
/* No room but for "(other)". */
bool visit_is_full(const struct visit *);
void visits_dirty(struct visits *, struct visit *);

/* Records of this visitor in a block; those in memory already are newer and stay.  0 or -1. */
int visits_load_block(struct visits *, uint64_t visitor, struct slice block, int64_t epoch, int64_t clock_ms);
/* The same of what left and is not committed yet. */
void visits_load_pending(struct visits *, uint64_t visitor, int64_t epoch, int64_t clock_ms);
/* A record of `open`. */
int visits_load_open(struct visits *, struct slice value, int64_t clock_ms);

/* Visitors untouched since before horizon_ms leave the memory: early and often, so that what there is
 * of it stays in the processor's cache. */
void visits_settle(struct visits *, int64_t horizon_ms, int64_t clock_ms);
/* Changed visits into `open`; as visits_settle(), with all that has left so far; and so many more that half of
 * max_bytes is free again, where it was passed. */
void visits_changes(struct visits *, int64_t horizon_ms, int64_t clock_ms, struct changes *);
/* Memory is above its bound: a commit would help. */
bool visits_are_too_many(const struct visits *);
/* Something of it is in no commit yet; about how many bytes that makes. */
size_t visits_unstored(const struct visits *);

/* One entry of an agent block. */
struct agent_entry {
	uint64_t visitor, id;
	int64_t start_ms, born_ms;
};
/* Out of memory; what it has in `open` goes by these changes.  Visits that the person took over are noted. */
void visits_erase(struct visits *, struct forget *, struct changes *);
/* A block without what is the person's, behind what out holds; false where that is all of it.  Agents come after
 * all visits, as these tell which were taken over. */
bool visits_without(struct slice block, int64_t epoch, struct forget *, struct buf *out);
bool agents_without(struct slice block, const struct forget *, struct buf *out);
/* Walks a block's entries of this agent: true while there is one. */
bool agent_entry_next(struct slice *block, int64_t epoch, uint64_t agent, struct agent_entry *);
/* The same of what is not committed yet; *at: 0 before the first. */
bool agent_entry_pending(const struct visits *, int64_t epoch, uint64_t agent, size_t *at, struct agent_entry *);

#endif
