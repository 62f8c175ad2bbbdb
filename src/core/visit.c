/*
 * visit: see visit.h.
 */
#include "core/visit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/blocks.h"
#include "core/evidence.h"
#include "core/names.h"

#define OPEN_BYTES 64			/* a record of `open`, about */
#define LEAVE_AHEAD 6			/* places between looking ahead and leaving */

enum {
	FLAG_DIRECT = 1, FLAG_MOVED = 2, FLAG_CREDIT = 4, FLAG_REFERRED = 8,
	FLAG_OPEN = 16,			/* in a block: it left early; agent and source follow */
	FLAG_IN_BLOCK = 32,		/* in `open`: it has been in a block before */
	FLAG_WEIGHED = 64,		/* its evidence, bought, left_out follow */
	FLAG_HABITS = 128		/* of one that is open: has_asset and errors follow */
};

#define EARLY_BITS 25			/* four megabytes: one false answer in six at ten million visitors */
#define EARLY_MS (90 * INT64_C(60000))	/* longer than a visit stays open without a hit, unless it is set longer */

/* ---- memory -------------------------------------------------------------- */

/* What the allocator and the two tables add to a struct. */
#define VISIT_BYTES (sizeof(struct visit) + 16 + 2 * sizeof(struct map64_slot))
#define VISITOR_BYTES (sizeof(struct visitor) + 16 + 2 * sizeof(struct map64_slot))

/* They leave by the thousand, and as many come: the allocator would merge their room and cut it again.
 * Where a sanitizer watches, it shall see each of them. */
#ifdef __SANITIZE_ADDRESS__
#define SPARES_MAX 0
#else
#define SPARES_MAX 4096
#endif

static struct visit *
visit_room(struct visits *all)
{
	struct visit *v = all->spare_visits;

	if (v == NULL)
		return (mem_alloc(sizeof(*v)));
	all->spare_visits = v->next_of_agent;
	all->n_spare_visits--;
	return (v);
}

static struct visitor *
visitor_room(struct visits *all)
{
	struct visitor *who = all->spare_visitors;

	if (who == NULL)
		return (mem_alloc(sizeof(*who)));
	all->spare_visitors = who->newer;
	all->n_spare_visitors--;
	return (who);
}

static void
spares_free(struct visits *all)
{
	while (all->spare_visits != NULL)
		free(visit_room(all));
	while (all->spare_visitors != NULL)
		free(visitor_room(all));
}

static void
visit_free(struct visits *all, struct visit *v)
{
	all->bytes -= VISIT_BYTES;
	if (v->pages != v->few_pages) {
		all->bytes -= v->pages_cap * sizeof(*v->pages);
		free(v->pages);
	}
	if (all->n_spare_visits + 1 > SPARES_MAX) {
		free(v);
		return;
	}
	v->next_of_agent = all->spare_visits;
	all->spare_visits = v;
	all->n_spare_visits++;
}

static void
visitor_free(struct visits *all, struct visitor *who)
{
	for (size_t i = 0; i < who->n; i++)
		visit_free(all, who->visits[i]);
	all->bytes -= VISITOR_BYTES;
	if (who->visits != &who->only) {
		all->bytes -= who->cap * sizeof(struct visit *);
		free(who->visits);
	}
	if (all->n_spare_visitors + 1 > SPARES_MAX) {
		free(who);
		return;
	}
	who->newer = all->spare_visitors;
	all->spare_visitors = who;
	all->n_spare_visitors++;
}

void
visits_clear(struct visits *all)
{
	struct visitor *who;

	while ((who = all->oldest) != NULL) {
		all->oldest = who->newer;
		visitor_free(all, who);
	}
	spares_free(all);
	map64_free(&all->by_visitor);
	map64_free(&all->by_agent);
	map64_free(&all->left_open);
	blocks_free(&all->pending);
	free(all->dirty);
	free(all->crowded);
	bloom_free(&all->evicted);
	bloom_free(&all->early);
	bloom_free(&all->early_before);
	*all = (struct visits){ 0 };
}

void
visits_begin(struct visits *all)
{
	must(all->evicted == NULL);
	all->evicted = bloom_new(23);
}

bool
visits_may_have_blocks(const struct visits *all, uint64_t hash)
{
	return (all->evicted == NULL || bloom_may_have(all->evicted, hash));
}

static void
note_evicted(struct visits *all, uint64_t hash)
{
	if (all->evicted != NULL)
		bloom_add(all->evicted, hash);
}

bool
visits_left_early(const struct visits *all, uint64_t visitor, int64_t since_ms)
{
	return (since_ms < all->early_unknown_ms || (all->early != NULL && bloom_may_have(all->early, visitor)) ||
	    (all->early_before != NULL && bloom_may_have(all->early_before, visitor)));
}

/* Two filters in turn: a name stays for EARLY_MS at least, and not for ever. */
static void
note_early(struct visits *all, const struct visitor *who, int64_t horizon_ms, int64_t clock_ms)
{
	int64_t keep = clock_ms - horizon_ms > EARLY_MS ? clock_ms - horizon_ms : EARLY_MS;

	if (all->early == NULL || clock_ms - all->early_ms > keep) {
		bloom_free(&all->early_before);
		all->early_before = all->early;
		all->early = bloom_new(EARLY_BITS);
		all->early_ms = clock_ms;
	}
	bloom_add(all->early, who->hash);
	if (who->touched_ms >= all->left_ms)
		all->left_ms = who->touched_ms + 1;
}

static void
unlink_visitor(struct visits *all, struct visitor *who)
{
	*(who->older != NULL ? &who->older->newer : &all->oldest) = who->newer;
	*(who->newer != NULL ? &who->newer->older : &all->newest) = who->older;
	who->older = who->newer = NULL;
}

static void
link_newest(struct visits *all, struct visitor *who)
{
	who->older = all->newest;
	who->newer = NULL;
	*(all->newest != NULL ? &all->newest->newer : &all->oldest) = who;
	all->newest = who;
}

struct visitor *
visits_find(const struct visits *all, uint64_t visitor)
{
	return (map64_get(&all->by_visitor, visitor));
}

void
visits_ahead(const struct visits *all, uint64_t visitor, uint64_t agent, int step)
{
	const struct visitor *who;

	if (step == 0) {
		map64_ahead(&all->by_visitor, visitor);
		return;
	}
	who = visits_find(all, visitor);
	if (who == NULL && step == 1) {
		map64_ahead(&all->by_agent, agent);
		if (all->evicted != NULL)
			bloom_ahead(all->evicted, visitor);
	} else if (who != NULL && step == 1)
		__builtin_prefetch(who, 1);
	else if (who != NULL && who->n > 0)
		__builtin_prefetch(who->visits[who->n - 1], 1);
}

struct visitor *
visits_touch(struct visits *all, uint64_t visitor, int64_t clock_ms)
{
	struct visitor *who = visits_find(all, visitor);

	if (who == NULL) {
		who = visitor_room(all);
		*who = (struct visitor){ .hash = visitor, .complete = !visits_may_have_blocks(all, visitor) };
		all->bytes += VISITOR_BYTES;
		map64_put(&all->by_visitor, visitor, who);
		link_newest(all, who);
	} else if (who != all->newest) {
		unlink_visitor(all, who);
		link_newest(all, who);
	}
	if (clock_ms > who->touched_ms)
		who->touched_ms = clock_ms;
	return (who);
}

struct visit *
visitor_latest(const struct visitor *who)
{
	for (size_t i = who != NULL ? who->n : 0; i-- > 0;)
		if (who->visits[i]->moved_to == 0)
			return (who->visits[i]);
	return (NULL);
}

static struct visit *
visit_of(const struct visitor *who, uint64_t id)
{
	for (size_t i = who != NULL ? who->n : 0; i-- > 0;)
		if (who->visits[i]->id == id)
			return (who->visits[i]);
	return (NULL);
}

/* A visit is adopted once; more hops would be damage that leads in a circle. */
struct visit *
visits_by_id(const struct visits *all, uint64_t visitor, uint64_t id, uint64_t *owner)
{
	struct visit *v = NULL;

	*owner = visitor;
	for (int hops = 0; hops < 4; hops++) {
		v = visit_of(visits_find(all, *owner), id);
		if (v == NULL || v->moved_to == 0)
			return (v);
		*owner = v->moved_to;
	}
	return (NULL);
}

struct visit *
visits_of_agent(const struct visits *all, uint64_t agent)
{
	return (map64_get(&all->by_agent, agent));
}

static void
index_agent(struct visits *all, struct visit *v)
{
	if (v->agent == 0 || v->moved_to != 0)
		return;
	v->next_of_agent = map64_get(&all->by_agent, v->agent);
	if (v->next_of_agent != NULL)
		v->next_of_agent->prev_of_agent = v;
	map64_put(&all->by_agent, v->agent, v);
}

/* In one step: who changes his cookie with each hit has a list as long as he likes. */
static void
unindex_agent(struct visits *all, struct visit *v)
{
	if (v->agent == 0 || v->moved_to != 0)
		return;
	if (v->next_of_agent != NULL)
		v->next_of_agent->prev_of_agent = v->prev_of_agent;
	if (v->prev_of_agent != NULL)
		v->prev_of_agent->next_of_agent = v->next_of_agent;
	else if (v->next_of_agent != NULL)
		map64_put(&all->by_agent, v->agent, v->next_of_agent);
	else
		map64_del(&all->by_agent, v->agent);
	v->next_of_agent = v->prev_of_agent = NULL;
}

static void
note_crowded(struct visits *all, struct visitor *who)
{
	if (who->crowded)
		return;
	who->crowded = true;
	mem_grow(&all->crowded, &all->crowded_cap, all->n_crowded + 1, sizeof(*all->crowded));
	all->crowded[all->n_crowded++] = who->hash;
}

static void
insert_by_place(struct visits *all, struct visitor *who, struct visit *v)
{
	size_t i;

	if (who->n == 0 && who->cap == 0) {
		who->visits = &who->only;
		who->cap = 1;
	} else if (who->n == who->cap) {
		struct visit **more = mem_alloc(2 * who->cap * sizeof(*more));

		memcpy(more, who->visits, who->n * sizeof(*more));
		if (who->visits != &who->only)
			free(who->visits);
		all->bytes += (who->visits != &who->only ? 1 : 2) * who->cap * sizeof(*more);
		who->visits = more;
		who->cap *= 2;
	}
	if (who->n >= VISITOR_HELD)
		note_crowded(all, who);
	for (i = who->n++; i > 0 && who->visits[i - 1]->place > v->place; i--)
		who->visits[i] = who->visits[i - 1];
	who->visits[i] = v;
}

struct visit *
visits_add(struct visits *all, const struct visit *from, int64_t clock_ms)
{
	struct visit *v = visit_room(all);

	*v = *from;
	v->pages = v->few_pages;
	v->n_pages = 0;
	v->pages_cap = N_ELEM(v->few_pages);
	v->next_of_agent = v->prev_of_agent = NULL;
	v->dirty = false;
	all->bytes += VISIT_BYTES;
	insert_by_place(all, visits_touch(all, v->visitor, clock_ms), v);
	index_agent(all, v);
	all->count++;
	return (v);
}

void
visits_dirty(struct visits *all, struct visit *v)
{
	if (v->dirty)
		return;
	v->dirty = true;
	mem_grow(&all->dirty, &all->dirty_cap, all->n_dirty + 1, sizeof(*all->dirty));
	v->dirty_at = (uint32_t)all->n_dirty;
	all->dirty[all->n_dirty++] = v;
}

static void
undirty(struct visits *all, struct visit *v)
{
	struct visit *last;

	if (!v->dirty)
		return;
	v->dirty = false;
	last = all->dirty[--all->n_dirty];
	last->dirty_at = v->dirty_at;
	all->dirty[v->dirty_at] = last;
}

struct visit *
visits_adopt(struct visits *all, struct visit *v, uint64_t visitor, uint64_t place, int64_t clock_ms)
{
	struct visitor *old = visits_find(all, v->visitor);
	struct visit mark = { .id = v->id, .place = v->place, .visitor = v->visitor, .moved_to = visitor,
	    .start_ms = v->start_ms, .born_ms = v->born_ms, .since_ms = clock_ms };
	size_t i = 0;

	while (old->visits[i] != v)
		i++;
	memmove(old->visits + i, old->visits + i + 1, (old->n - i - 1) * sizeof(*old->visits));
	old->n--;
	if (v->referred || v->in_block)		/* who looks for it under its old visitor is sent on */
		visits_dirty(all, visits_add(all, &mark, clock_ms));
	v->in_block = v->stale = false;
	v->visitor = visitor;
	v->place = place;
	v->since_ms = clock_ms;
	insert_by_place(all, visits_touch(all, visitor, clock_ms), v);
	visits_dirty(all, v);
	return (v);
}

bool
visit_is_full(const struct visit *v)
{
	return (v->n_pages >= VISIT_PAGES_MAX - 1);
}

bool
visits_add_page(struct visits *all, struct visit *v, uint32_t page)
{
	for (uint32_t i = v->n_pages; i-- > 0;)
		if (v->pages[i] == page)
			return (false);
	if (v->n_pages == v->pages_cap) {
		uint32_t *more = mem_alloc(2 * v->pages_cap * sizeof(*more));

		memcpy(more, v->pages, v->n_pages * sizeof(*more));
		if (v->pages != v->few_pages)
			free(v->pages);
		all->bytes += (v->pages != v->few_pages ? 1 : 2) * v->pages_cap * sizeof(*more);
		v->pages = more;
		v->pages_cap *= 2;
	}
	v->pages[v->n_pages++] = page;
	return (true);
}

/* ---- records ------------------------------------------------------------- */

static bool
has_credit(const struct visit *v)
{
	return ((v->credit[0] | v->credit[1] | v->credit[2] | v->credit[3]) != 0);
}

/* A time within an epoch takes 31 bits: the one that is left says whether there is more to it. */
static void
put_start(struct buf *out, int64_t start_ms, bool more)
{
	buf_u32(out, (uint32_t)((uint64_t)start_ms % EPOCH_MS) << 1 | more);
}

static int64_t
read_start(struct reader *r, int64_t epoch, bool *more)
{
	uint32_t word = reader_u32(r);

	*more = (word & 1) != 0;
	return (epoch * EPOCH_MS + (int64_t)((word >> 1) % EPOCH_MS));
}

/* It was not adopted, and its first line came when it was due. */
static bool
is_plain(const struct visit *v)
{
	return (v->place == v->id && v->born_ms == v->start_ms && v->since_ms == v->born_ms);
}

/* In a byte behind the evidence. */
#define WEIGHED_BOUGHT 64
#define WEIGHED_LEFT_OUT 128

static int
weighed(const struct visit *v)
{
	return (v->evidence | (v->bought ? WEIGHED_BOUGHT : 0) | (v->left_out ? WEIGHED_LEFT_OUT : 0));
}

static int
habits(const struct visit *v)
{
	return (v->errors << 1 | v->has_asset);
}

/* more: of FLAG_OPEN, FLAG_IN_BLOCK, FLAG_HABITS. */
static void
visit_encode(const struct visit *v, int more, struct buf *out)
{
	int flags = (v->is_direct ? FLAG_DIRECT : 0) | (v->moved_to != 0 ? FLAG_MOVED : 0) |
	    (has_credit(v) ? FLAG_CREDIT : 0) | (v->referred ? FLAG_REFERRED : 0) |
	    (weighed(v) != 0 ? FLAG_WEIGHED : 0) | (habits(v) != 0 ? more : more & ~FLAG_HABITS);

	buf_u64(out, v->visitor);
	buf_varint(out, v->id);
	buf_putc(out, (char)flags);
	put_start(out, v->start_ms, !is_plain(v));
	if (!is_plain(v)) {
		buf_varint(out, v->place - v->id);
		buf_svarint(out, v->born_ms - v->start_ms);
		buf_svarint(out, v->since_ms - v->born_ms);
	}
	if (v->moved_to != 0) {
		buf_u64(out, v->moved_to);
		return;
	}
	buf_varint(out, (uint64_t)(v->last_ms - v->start_ms));
	buf_varint(out, v->landing);
	buf_varint(out, v->source);
	buf_varint(out, v->channel);
	buf_varint(out, v->campaign);
	buf_varint(out, v->country);
	buf_varint(out, v->device);
	buf_varint(out, v->views);
	buf_varint(out, v->n_pages);
	for (uint32_t i = 0; i < v->n_pages; i++)
		buf_varint(out, v->pages[i]);
	for (size_t i = 0; i < 4 && (flags & FLAG_CREDIT) != 0; i++)
		buf_svarint(out, v->credit[i]);
	if ((flags & FLAG_WEIGHED) != 0)
		buf_putc(out, (char)weighed(v));
	if ((flags & FLAG_HABITS) != 0)
		buf_varint(out, (uint64_t)habits(v));
	if ((flags & FLAG_OPEN) != 0) {
		buf_u64(out, v->agent);
		buf_u64(out, v->source_key);
	}
}

static void
read_weighed(struct visit *v, int byte)
{
	v->evidence = (uint8_t)(byte & ((1 << EVIDENCES) - 1));
	v->bought = (byte & WEIGHED_BOUGHT) != 0;
	v->left_out = (byte & WEIGHED_LEFT_OUT) != 0;
}

static void
read_habits(struct visit *v, uint64_t habits)
{
	v->has_asset = (habits & 1) != 0;
	v->errors = (uint8_t)(habits >> 1);
}

/* Pages stay behind in the reader's bytes; *n_pages of them follow at *pages. */
static void
visit_decode(struct reader *r, int64_t epoch, struct visit *v, struct reader *pages)
{
	bool more;
	int flags;

	*v = (struct visit){ 0 };
	v->visitor = reader_u64(r);	/* one statement each: an initializer's calls have no order */
	v->id = reader_varint(r);
	flags = reader_u8(r);
	v->start_ms = read_start(r, epoch, &more);
	v->place = v->id + (more ? reader_varint(r) : 0);
	v->born_ms = v->start_ms + (more ? reader_within(r, TIME_MAX_MS) : 0);
	v->since_ms = v->born_ms + (more ? reader_within(r, TIME_MAX_MS) : 0);
	v->is_direct = (flags & FLAG_DIRECT) != 0;
	v->referred = (flags & FLAG_REFERRED) != 0;
	v->in_block = v->stale = (flags & FLAG_IN_BLOCK) != 0;
	if (flags & FLAG_MOVED) {
		v->moved_to = reader_u64(r);
		return;
	}
	v->last_ms = v->start_ms + (int64_t)(reader_varint(r) % TIME_MAX_MS);
	v->landing = (uint32_t)reader_varint(r);
	v->source = (uint32_t)reader_varint(r);
	v->channel = (uint32_t)reader_varint(r);
	v->campaign = (uint32_t)reader_varint(r);
	v->country = (uint32_t)reader_varint(r);
	v->device = (uint32_t)reader_varint(r);
	v->views = (uint32_t)reader_varint(r);
	v->n_pages = (uint32_t)reader_varint(r);
	*pages = *r;
	if (v->n_pages > (size_t)(r->end - r->p))
		r->bad = true;
	for (uint32_t i = 0; i < v->n_pages && !r->bad; i++)
		reader_varint(r);
	for (size_t i = 0; i < 4 && (flags & FLAG_CREDIT) != 0; i++)
		v->credit[i] = reader_svarint(r);
	if ((flags & FLAG_WEIGHED) != 0)
		read_weighed(v, reader_u8(r));
	if ((flags & FLAG_HABITS) != 0)
		read_habits(v, reader_varint(r));
	if ((flags & FLAG_OPEN) != 0) {
		v->agent = reader_u64(r);
		v->source_key = reader_u64(r);
	}
}

static void
visit_load(struct visits *all, const struct visit *from, struct reader pages, int64_t clock_ms)
{
	struct visit *v = visits_add(all, from, clock_ms);

	for (uint32_t i = 0; i < from->n_pages; i++)
		visits_add_page(all, v, (uint32_t)reader_varint(&pages));
}

/* A later record of the same visit replaces an earlier one of the same load. */
static bool
replace_loaded(struct visits *all, struct visitor *who, const struct visit *from)
{
	for (size_t i = 0; i < who->n; i++) {
		struct visit *v = who->visits[i];

		if (v->id != from->id)
			continue;
		if (!v->in_block || v->dirty || v->in_open)
			return (false);		/* memory knows better */
		unindex_agent(all, v);
		memmove(who->visits + i, who->visits + i + 1, (who->n - i - 1) * sizeof(*who->visits));
		who->n--;
		all->count--;
		visit_free(all, v);
		return (true);
	}
	who->stored++;
	return (true);
}

int
visits_load_block(struct visits *all, uint64_t visitor, struct slice block, int64_t epoch, int64_t clock_ms)
{
	struct visitor *who = visits_touch(all, visitor, clock_ms);
	struct reader r = reader_of(block), pages = r;
	struct visit v;

	while (reader_more(&r)) {
		struct reader one = reader_of(reader_slice(&r));

		if (r.bad)
			break;
		if (reader_u64(&(struct reader){ one.p, one.end, false }) != visitor)
			continue;
		visit_decode(&one, epoch, &v, &pages);
		if (one.bad)
			return (-1);
		v.in_block = true;
		v.stale = false;
		if (replace_loaded(all, who, &v))
			visit_load(all, &v, pages, clock_ms);
	}
	return (r.bad ? -1 : 0);
}

void
visits_load_pending(struct visits *all, uint64_t visitor, int64_t epoch, int64_t clock_ms)
{
	struct slice record;

	for (size_t at = 0; blocks_next(&all->pending, 'v', epoch, shard_of_visits(visitor), &at, &record);)
		must(visits_load_block(all, visitor, record, epoch, clock_ms) == 0);
}

int
visits_load_open(struct visits *all, struct slice value, int64_t clock_ms)
{
	struct reader r = reader_of(value), pages = r;
	int64_t epoch = reader_within(&r, TIME_MAX_MS / EPOCH_MS);
	uint64_t agent = reader_u64(&r), source_key = reader_u64(&r);
	struct visit v;

	visit_decode(&r, epoch, &v, &pages);
	if (r.bad)
		return (-1);
	v.agent = agent;
	v.source_key = source_key;
	v.in_open = true;
	visit_load(all, &v, pages, clock_ms);
	return (0);
}

/* Without cookies the visitor is the agent: then it stands there once. */
static void
agent_encode(const struct visit *v, struct buf *out)
{
	bool same = v->visitor == v->agent, late = v->born_ms != v->start_ms;

	buf_u64(out, v->agent);
	buf_varint(out, v->id << 1 | same);
	if (!same)
		buf_u64(out, v->visitor);
	put_start(out, v->start_ms, late);
	if (late)
		buf_svarint(out, v->born_ms - v->start_ms);
}

static uint64_t
agent_decode(struct reader *r, int64_t epoch, struct agent_entry *e)
{
	uint64_t agent = reader_u64(r), id = reader_varint(r);
	bool late;

	e->id = id >> 1;
	e->visitor = (id & 1) != 0 ? agent : reader_u64(r);
	e->start_ms = read_start(r, epoch, &late);
	e->born_ms = e->start_ms + (late ? reader_within(r, TIME_MAX_MS) : 0);
	return (agent);
}

bool
agent_entry_next(struct slice *block, int64_t epoch, uint64_t agent, struct agent_entry *e)
{
	struct reader r = reader_of(*block);

	while (reader_more(&r)) {
		uint64_t own = agent_decode(&r, epoch, e);

		if (r.bad)
			return (false);
		if (own == agent) {
			*block = slice_make(r.p, (size_t)(r.end - r.p));
			return (true);
		}
	}
	return (false);
}

bool
agent_entry_pending(const struct visits *all, int64_t epoch, uint64_t agent, size_t *at, struct agent_entry *e)
{
	struct slice record;

	while (blocks_next(&all->pending, 'a', epoch, shard_of_visits(agent), at, &record))
		if (agent_entry_next(&record, epoch, agent, e))
			return (true);
	return (false);
}

/* ---- changes ------------------------------------------------------------- */

/* A mark has the id of the visit that moved. */
static uint64_t
open_key(const struct visit *v)
{
	return (v->id << 1 | (v->moved_to != 0));
}

static void
open_field(uint64_t key, struct buf *out)
{
	out->len = 0;
	buf_u64(out, key >> 1);
	buf_putc(out, key & 1 ? 'm' : 'v');
}

static void
change_open(struct visits *all, struct visit *v, struct buf *value, struct buf *field, struct changes *out)
{
	value->len = 0;
	buf_svarint(value, epoch_of(v->start_ms));
	buf_u64(value, v->agent);
	buf_u64(value, v->source_key);
	visit_encode(v, FLAG_HABITS | (v->in_block ? FLAG_IN_BLOCK : 0), value);
	open_field(open_key(v), field);
	changes_add(out, CHANGE_HSET, SLICE("open"), buf_view(field), buf_view(value));
	map64_del(&all->left_open, open_key(v));	/* it is back */
	v->in_open = true;
}

static void
change_left_open(struct visits *all, struct buf *field, struct changes *out)
{
	uint64_t key;

	for (size_t i = 0; map64_next(&all->left_open, &i, &key) != NULL;) {
		open_field(key, field);
		changes_add(out, CHANGE_HDEL, SLICE("open"), buf_view(field), SLICE(""));
	}
	map64_free(&all->left_open);
}

struct out {				/* room for a record and its parts */
	struct buf value, scratch;
};

static void
append(struct visits *all, char kind, int64_t epoch, uint64_t hash, struct out *out)
{
	note_evicted(all, hash);
	if (epoch >= 0)
		all->history[epoch % HISTORY_EPOCHS] += out->value.len;
	blocks_append(&all->pending, kind, epoch, shard_of_visits(hash), buf_view(&out->value));
}

static void
append_visit(struct visits *all, const struct visit *v, bool open, struct out *out)
{
	int64_t epoch = epoch_of(v->start_ms);

	if (epoch < all->first_epoch)
		all->first_epoch = epoch;
	out->scratch.len = 0;
	visit_encode(v, open && v->moved_to == 0 ? FLAG_OPEN | FLAG_HABITS : 0, &out->scratch);
	out->value.len = 0;
	buf_slice(&out->value, buf_view(&out->scratch));
	append(all, 'v', epoch, v->visitor, out);
}

static void
append_agent(struct visits *all, const struct visit *v, struct out *out)
{
	if (v->agent == 0 || v->moved_to != 0)
		return;
	out->value.len = 0;
	agent_encode(v, &out->value);
	append(all, 'a', epoch_of(v->start_ms), v->agent, out);
}

/* An order that comes later may have to find it, or its figures are to be changed. */
static bool
is_kept(const struct visits *all, const struct visitor *who, const struct visit *v, bool is_latest)
{
	if (v->referred || v->in_block || v->moved_to != 0 || has_credit(v))
		return (true);
	if (who->stored >= VISITOR_STORED && !is_latest)
		return (false);
	return (all->keep == KEEP_ALL || (all->keep == KEEP_LONGER && v->views > 1));
}

/* The visit's last word: into its block where that does not say the same already.  early: it is open. */
static void
settle(struct visits *all, struct visitor *who, struct visit *v, bool early, struct out *out)
{
	if (!is_kept(all, who, v, v == visitor_latest(who)))
		all->n_unkept++;
	else {
		if (v->dirty || v->stale || !v->in_block)
			append_visit(all, v, early, out);
		if (!v->in_block) {
			append_agent(all, v, out);
			who->stored++;
		}
	}
	if (v->in_open)
		map64_put(&all->left_open, open_key(v), all);
	unindex_agent(all, v);
	undirty(all, v);
	all->count--;
	all->n_early += early;
}

/* The latest visits stay, and the others go into blocks. */
static void
thin_out(struct visits *all, struct visitor *who, int64_t clock_ms, struct out *out)
{
	size_t n = who->n > VISITOR_HELD / 2 ? who->n - VISITOR_HELD / 2 : 0;

	if (who->keep_ms >= clock_ms || who->n <= VISITOR_HELD)
		return;
	for (size_t i = 0; i < n; i++) {
		settle(all, who, who->visits[i], false, out);
		visit_free(all, who->visits[i]);
	}
	memmove(who->visits, who->visits + n, (who->n - n) * sizeof(*who->visits));
	who->n -= n;
	who->complete = false;
}

static void
thin_out_crowded(struct visits *all, int64_t clock_ms, struct out *out)
{
	size_t n = all->n_crowded;

	all->n_crowded = 0;
	for (size_t i = 0; i < n; i++) {
		struct visitor *who = visits_find(all, all->crowded[i]);

		if (who == NULL)
			continue;
		who->crowded = false;
		thin_out(all, who, clock_ms, out);
		if (who->n > VISITOR_HELD)
			note_crowded(all, who);
	}
}

static void
drop_visitor(struct visits *all, struct visitor *who, bool early, struct out *out)
{
	for (size_t i = 0; i < who->n; i++)
		settle(all, who, who->visits[i], early, out);
	unlink_visitor(all, who);
	map64_del(&all->by_visitor, who->hash);
	visitor_free(all, who);
}

/* By the tens of thousands they leave memory in the order in which they were touched, each from another place:
 * what is needed of the one some places on is fetched into the cache. */
static const struct visitor *
leaves_soon(const struct visits *all, const struct visitor *who)
{
	if (who == NULL)
		return (NULL);
	if (who->n > 0)
		__builtin_prefetch(who->visits[who->n - 1], 1);
	map64_ahead(&all->by_visitor, who->hash);
	if (all->evicted != NULL)
		bloom_ahead(all->evicted, who->hash);
	if (who->newer != NULL)
		__builtin_prefetch(who->newer, 1);
	return (who->newer);
}

static size_t
bytes_of(const struct visitor *who)
{
	size_t bytes = VISITOR_BYTES + who->n * VISIT_BYTES + (who->visits != &who->only ? who->cap * sizeof(struct visit *) : 0);

	for (size_t i = 0; i < who->n; i++)
		if (who->visits[i]->pages != who->visits[i]->few_pages)
			bytes += who->visits[i]->pages_cap * sizeof(uint32_t);
	return (bytes);
}

bool
visits_are_too_many(const struct visits *all)
{
	return (all->max_bytes > 0 && all->bytes + blocks_bytes(&all->pending) > all->max_bytes);
}

size_t
visits_unstored(const struct visits *all)
{
	return (blocks_bytes(&all->pending) + (all->n_dirty + all->left_open.count) * OPEN_BYTES);
}

static void
drop_visitors(struct visits *all, int64_t horizon_ms, int64_t clock_ms, size_t surplus, struct out *out)
{
	struct visitor *who, *newer;
	const struct visitor *soon = all->oldest;
	size_t left = 0;

	for (int i = 0; i < LEAVE_AHEAD; i++)
		soon = leaves_soon(all, soon);
	for (who = all->oldest; who != NULL && (who->touched_ms < horizon_ms || left < surplus); who = newer) {
		bool early = who->touched_ms >= horizon_ms;

		newer = who->newer;
		soon = leaves_soon(all, soon);
		if (who->keep_ms >= clock_ms)
			continue;
		left += bytes_of(who);
		if (early)
			note_early(all, who, horizon_ms, clock_ms);
		drop_visitor(all, who, early, out);
	}
}

static void
write_open(struct visits *all, struct visit *v, struct out *out, struct changes *changes)
{
	change_open(all, v, &out->value, &out->scratch, changes);
	v->stale = v->in_block;
}

/* Whoever is loaded from `open` is taken to be known as far as his latest visit, as no hit would ask for the others:
 * so that one goes with any other, though an order changed nothing of it. */
static void
write_latest(struct visits *all, const struct visit *v, struct out *out, struct changes *changes)
{
	struct visit *latest = v->in_block ? visitor_latest(visits_find(all, v->visitor)) : NULL;

	if (latest != NULL && latest != v && !latest->in_open)
		write_open(all, latest, out, changes);
}

/* What is over goes into its block at once, what goes on into `open`, where it takes the place of
 * what stood there. */
static void
change_dirty(struct visits *all, int64_t horizon_ms, struct out *out, struct changes *changes)
{
	for (size_t i = 0; i < all->n_dirty; i++) {
		struct visit *v = all->dirty[i];

		v->dirty = false;
		if (v->in_block && !v->in_open && v->last_ms < horizon_ms)
			append_visit(all, v, false, out);
		else {
			write_open(all, v, out, changes);
			write_latest(all, v, out, changes);
		}
	}
	all->n_dirty = 0;
}

static void
out_free(struct out *out)
{
	buf_free(&out->value);
	buf_free(&out->scratch);
}

void
visits_settle(struct visits *all, int64_t horizon_ms, int64_t clock_ms)
{
	struct out out = { 0 };

	drop_visitors(all, horizon_ms, clock_ms, 0, &out);
	out_free(&out);
}

void
visits_changes(struct visits *all, int64_t horizon_ms, int64_t clock_ms, struct changes *changes)
{
	size_t surplus = all->max_bytes > 0 && all->bytes > all->max_bytes ? all->bytes - all->max_bytes / 2 : 0;
	struct out out = { 0 };

	thin_out_crowded(all, clock_ms, &out);
	drop_visitors(all, horizon_ms, clock_ms, surplus, &out);
	change_dirty(all, horizon_ms, &out, changes);
	change_left_open(all, &out.scratch, changes);
	blocks_changes(&all->pending, changes);
	out_free(&out);
}

/* ---- erasing ------------------------------------------------------------- */

static void
erase_visit(struct visits *all, struct visitor *who, size_t i, struct changes *out)
{
	struct visit *v = who->visits[i];
	struct buf field = { 0 };

	if (v->in_open) {
		open_field(open_key(v), &field);
		changes_add(out, CHANGE_HDEL, SLICE("open"), buf_view(&field), SLICE(""));
		buf_free(&field);
	}
	undirty(all, v);
	unindex_agent(all, v);
	all->count--;
	memmove(who->visits + i, who->visits + i + 1, (who->n - i - 1) * sizeof(*who->visits));
	who->n--;
	visit_free(all, v);
}

/* Whose visit, of which id; to whom it moved. */
static bool
is_erased(const struct forget *f, const struct visit *v)
{
	return (forget_has(f, v->visitor) || forget_has(f, v->moved_to) || forget_has_visit(f, v->id));
}

/* The person took it over: under its former visitor's hash there may be records that do not say so yet. */
static void
note_taken_over(struct forget *f, const struct visit *v)
{
	if (forget_has(f, v->moved_to) || (forget_has(f, v->visitor) && v->place != v->id))
		forget_add_visit(f, v->id);
}

/* One of a block, or pending. */
static bool
record_decode(struct reader *r, int64_t epoch, struct visit *v)
{
	struct reader one = reader_of(reader_slice(r)), pages = one;

	visit_decode(&one, epoch, v, &pages);
	return (!r->bad);
}

/* Somebody else's visit from the person's address + browser: these are the last but one word of a record that has them. */
static bool
blank_agent(const struct forget *f, const struct visit *v, char *end)
{
	bool has_it = forget_has(f, v->agent);

	if (has_it)
		memset(end - 2 * sizeof(uint64_t), 0, sizeof(uint64_t));
	return (has_it);
}

static bool
visit_noted(struct slice record, void *arg)
{
	struct reader r = reader_of(record);
	struct visit v;

	if (record_decode(&r, 0, &v))
		note_taken_over(arg, &v);
	return (true);
}

static bool
visit_stays(struct slice record, void *arg)
{
	struct reader r = reader_of(record);
	struct visit v;

	if (!record_decode(&r, 0, &v))
		return (true);
	blank_agent(arg, &v, (char *)record.p + record.len);
	return (!is_erased(arg, &v));
}

static bool
agent_stays(struct slice record, void *arg)
{
	struct reader r = reader_of(record);
	struct agent_entry e;

	return (!forget_has(arg, agent_decode(&r, 0, &e)) && !forget_has(arg, e.visitor) && !forget_has_visit(arg, e.id));
}

static void
note_all_taken_over(struct visits *all, struct forget *f)
{
	blocks_filter(&all->pending, 'v', visit_noted, f);
	for (const struct visitor *who = all->oldest; who != NULL; who = who->newer)
		for (size_t i = 0; i < who->n; i++)
			note_taken_over(f, who->visits[i]);
}

static void
erase_visits_of(struct visits *all, struct visitor *who, const struct forget *f, struct changes *out)
{
	for (size_t i = who->n; i-- > 0;) {
		struct visit *v = who->visits[i];

		if (is_erased(f, v))
			erase_visit(all, who, i, out);
		else if (forget_has(f, v->agent)) {
			unindex_agent(all, v);
			v->agent = 0;
			visits_dirty(all, v);
		}
	}
}

void
visits_erase(struct visits *all, struct forget *f, struct changes *out)
{
	struct visitor *who, *newer;

	note_all_taken_over(all, f);
	blocks_filter(&all->pending, 'v', visit_stays, f);
	blocks_filter(&all->pending, 'a', agent_stays, f);

	for (who = all->oldest; who != NULL; who = newer) {
		newer = who->newer;
		erase_visits_of(all, who, f, out);
		if (!forget_has(f, who->hash))
			continue;
		unlink_visitor(all, who);
		map64_del(&all->by_visitor, who->hash);
		visitor_free(all, who);
	}
}

bool
visits_without(struct slice block, int64_t epoch, struct forget *f, struct buf *out)
{
	struct reader r = reader_of(block);
	bool less = false;
	struct visit v;

	while (reader_more(&r) && record_decode(&r, epoch, &v))
		note_taken_over(f, &v);
	r = reader_of(block);

	while (reader_more(&r)) {
		const char *from = r.p;

		if (record_decode(&r, epoch, &v) && is_erased(f, &v)) {
			less = true;
			continue;
		}
		buf_put(out, from, (size_t)((r.bad ? r.end : r.p) - from));
		if (!r.bad)
			less |= blank_agent(f, &v, out->p + out->len);
	}
	return (less);
}

bool
agents_without(struct slice block, const struct forget *f, struct buf *out)
{
	struct reader r = reader_of(block);
	size_t before = out->len;

	while (reader_more(&r)) {
		const char *from = r.p;
		struct agent_entry e;
		uint64_t agent = agent_decode(&r, 0, &e);

		if (r.bad || !(forget_has(f, agent) || forget_has(f, e.visitor) || forget_has_visit(f, e.id)))
			buf_put(out, from, (size_t)((r.bad ? r.end : r.p) - from));
	}
	return (out->len - before < block.len);
}
