/*
 * visit: see visit.h.
 */
#include "core/visit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/blocks.h"
#include "core/names.h"

#define LEAVE_AHEAD 6			/* places between looking ahead and leaving */

enum { FLAG_DIRECT = 1, FLAG_MOVED = 2, FLAG_CREDIT = 4, FLAG_REFERRED = 8 };

/* ---- memory -------------------------------------------------------------- */

static void
visit_free(struct visit *v)
{
	if (v->pages != v->few_pages)
		free(v->pages);
	free(v);
}

static void
visitor_free(struct visitor *who)
{
	for (size_t i = 0; i < who->n; i++)
		visit_free(who->visits[i]);
	if (who->visits != &who->only)
		free(who->visits);
	free(who);
}

void
visits_clear(struct visits *all)
{
	struct visitor *who;

	while ((who = all->oldest) != NULL) {
		all->oldest = who->newer;
		visitor_free(who);
	}
	map64_free(&all->by_visitor);
	map64_free(&all->by_agent);
	free(all->dirty);
	bloom_free(&all->evicted);
	*all = (struct visits){ 0 };
}

void
visits_begin(struct visits *all)
{
	must(all->evicted == NULL);
	all->evicted = bloom_new();
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
		who = mem_calloc(1, sizeof(*who));
		who->hash = visitor;
		who->complete = !visits_may_have_blocks(all, visitor);
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
	map64_put(&all->by_agent, v->agent, v);
}

static void
unindex_agent(struct visits *all, struct visit *v)
{
	struct visit *first = v->agent != 0 ? map64_get(&all->by_agent, v->agent) : NULL;

	if (first == NULL)
		return;
	if (first == v) {
		if (v->next_of_agent != NULL)
			map64_put(&all->by_agent, v->agent, v->next_of_agent);
		else
			map64_del(&all->by_agent, v->agent);
		return;
	}
	while (first != NULL && first->next_of_agent != v)
		first = first->next_of_agent;
	if (first != NULL)
		first->next_of_agent = v->next_of_agent;
}

static void
insert_by_place(struct visitor *who, struct visit *v)
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
		who->visits = more;
		who->cap *= 2;
	}
	for (i = who->n++; i > 0 && who->visits[i - 1]->place > v->place; i--)
		who->visits[i] = who->visits[i - 1];
	who->visits[i] = v;
}

struct visit *
visits_add(struct visits *all, const struct visit *from, int64_t clock_ms)
{
	struct visit *v = mem_dup(from, sizeof(*from));

	v->pages = v->few_pages;
	v->n_pages = 0;
	v->pages_cap = N_ELEM(v->few_pages);
	v->next_of_agent = NULL;
	insert_by_place(visits_touch(all, v->visitor, clock_ms), v);
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
	all->dirty[all->n_dirty++] = v;
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
	v->in_block = false;
	v->visitor = visitor;
	v->place = place;
	v->since_ms = clock_ms;
	insert_by_place(visits_touch(all, visitor, clock_ms), v);
	visits_dirty(all, v);
	return (v);
}

bool
visit_add_page(struct visit *v, uint32_t page)
{
	for (uint32_t i = v->n_pages; i-- > 0;)
		if (v->pages[i] == page)
			return (false);
	if (v->n_pages == v->pages_cap) {
		uint32_t *more = mem_alloc(2 * v->pages_cap * sizeof(*more));

		memcpy(more, v->pages, v->n_pages * sizeof(*more));
		if (v->pages != v->few_pages)
			free(v->pages);
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

static void
visit_encode(const struct visit *v, struct buf *out)
{
	int flags = (v->is_direct ? FLAG_DIRECT : 0) | (v->moved_to != 0 ? FLAG_MOVED : 0) |
	    (has_credit(v) ? FLAG_CREDIT : 0) | (v->referred ? FLAG_REFERRED : 0);

	buf_u64(out, v->visitor);
	buf_varint(out, v->id);
	buf_putc(out, (char)flags);
	buf_varint(out, v->place - v->id);
	buf_varint(out, (uint64_t)v->start_ms % EPOCH_MS);
	buf_svarint(out, v->born_ms - v->start_ms);
	buf_svarint(out, v->since_ms - v->born_ms);
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
}

/* Pages stay behind in the reader's bytes; *n_pages of them follow at *pages. */
static void
visit_decode(struct reader *r, int64_t epoch, struct visit *v, struct reader *pages)
{
	int flags;

	*v = (struct visit){ 0 };
	v->visitor = reader_u64(r);	/* one statement each: an initializer's calls have no order */
	v->id = reader_varint(r);
	flags = reader_u8(r);
	v->place = v->id + reader_varint(r);
	v->start_ms = epoch * EPOCH_MS + (int64_t)(reader_varint(r) % EPOCH_MS);
	v->born_ms = v->start_ms + reader_within(r, TIME_MAX_MS);
	v->since_ms = v->born_ms + reader_within(r, TIME_MAX_MS);
	v->is_direct = (flags & FLAG_DIRECT) != 0;
	v->referred = (flags & FLAG_REFERRED) != 0;
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
}

static void
visit_load(struct visits *all, const struct visit *from, struct reader pages, int64_t clock_ms)
{
	struct visit *v = visits_add(all, from, clock_ms);

	for (uint32_t i = 0; i < from->n_pages; i++)
		visit_add_page(v, (uint32_t)reader_varint(&pages));
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
		visit_free(v);
		return (true);
	}
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
		if (replace_loaded(all, who, &v))
			visit_load(all, &v, pages, clock_ms);
	}
	return (r.bad ? -1 : 0);
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

bool
agent_entry_next(struct slice *block, int64_t epoch, uint64_t agent, struct agent_entry *e)
{
	struct reader r = reader_of(*block);

	while (reader_more(&r)) {
		uint64_t own = reader_u64(&r);

		e->visitor = reader_u64(&r);
		e->id = reader_varint(&r);
		e->start_ms = epoch * EPOCH_MS + (int64_t)(reader_varint(&r) % EPOCH_MS);
		e->born_ms = e->start_ms + reader_within(&r, TIME_MAX_MS);
		if (r.bad)
			return (false);
		if (own == agent) {
			*block = slice_make(r.p, (size_t)(r.end - r.p));
			return (true);
		}
	}
	return (false);
}

/* ---- changes ------------------------------------------------------------- */

static void
open_field(const struct visit *v, struct buf *out)
{
	out->len = 0;
	buf_u64(out, v->id);
	buf_putc(out, v->moved_to != 0 ? 'm' : 'v');	/* a mark has the id of the visit that moved */
}

static void
change_open(struct visit *v, struct buf *value, struct buf *field, struct changes *out)
{
	value->len = 0;
	buf_svarint(value, epoch_of(v->start_ms));
	buf_u64(value, v->agent);
	buf_u64(value, v->source_key);
	visit_encode(v, value);
	open_field(v, field);
	changes_add(out, CHANGE_HSET, SLICE("open"), buf_view(field), buf_view(value));
	v->in_open = true;
}

static void
append_visit(struct visits *all, const struct visit *v, struct buf *value, struct buf *record, struct blocks *blocks)
{
	int64_t epoch = epoch_of(v->start_ms);

	if (epoch < all->first_epoch)
		all->first_epoch = epoch;
	record->len = 0;
	visit_encode(v, record);
	value->len = 0;
	buf_slice(value, buf_view(record));
	note_evicted(all, v->visitor);
	blocks_append(blocks, 'v', epoch, shard_of_visits(v->visitor), buf_view(value));
}

static void
append_agent(struct visits *all, const struct visit *v, struct buf *value, struct blocks *blocks)
{
	if (v->agent == 0 || v->moved_to != 0)
		return;
	value->len = 0;
	buf_u64(value, v->agent);
	buf_u64(value, v->visitor);
	buf_varint(value, v->id);
	buf_varint(value, (uint64_t)v->start_ms % EPOCH_MS);
	buf_svarint(value, v->born_ms - v->start_ms);
	note_evicted(all, v->agent);
	blocks_append(blocks, 'a', epoch_of(v->start_ms), shard_of_visits(v->agent), buf_view(value));
}

/* The visit's last word: into its block where that does not say the same already. */
static void
settle(struct visits *all, struct visit *v, struct buf *value, struct buf *scratch, struct blocks *blocks, struct changes *out)
{
	if (v->dirty || !v->in_block)
		append_visit(all, v, value, scratch, blocks);
	if (!v->in_block)
		append_agent(all, v, value, blocks);
	if (v->in_open) {
		open_field(v, scratch);
		changes_add(out, CHANGE_HDEL, SLICE("open"), buf_view(scratch), SLICE(""));
	}
	unindex_agent(all, v);
	all->count--;
}

static void
drop_visitor(struct visits *all, struct visitor *who, struct buf *value, struct buf *scratch, struct blocks *blocks, struct changes *out)
{
	for (size_t i = 0; i < who->n; i++)
		settle(all, who->visits[i], value, scratch, blocks, out);
	unlink_visitor(all, who);
	map64_del(&all->by_visitor, who->hash);
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

void
visits_changes(struct visits *all, int64_t horizon_ms, int64_t clock_ms, struct changes *out)
{
	struct buf value = { 0 }, scratch = { 0 };
	struct blocks blocks = { 0 };
	struct visitor *who, *newer, *dropped = NULL;
	const struct visitor *soon = all->oldest;

	for (int i = 0; i < LEAVE_AHEAD; i++)
		soon = leaves_soon(all, soon);
	for (who = all->oldest; who != NULL && who->touched_ms < horizon_ms; who = newer) {
		newer = who->newer;
		soon = leaves_soon(all, soon);
		if (who->keep_ms >= clock_ms)
			continue;
		drop_visitor(all, who, &value, &scratch, &blocks, out);
		who->newer = dropped;		/* freed below: the dirty list still points to its visits */
		dropped = who;
		for (size_t i = 0; i < who->n; i++)
			who->visits[i]->dirty = false;
	}
	for (size_t i = 0; i < all->n_dirty; i++) {
		struct visit *v = all->dirty[i];

		if (!v->dirty)
			continue;
		v->dirty = false;
		if (v->in_block)
			append_visit(all, v, &value, &scratch, &blocks);
		else
			change_open(v, &value, &scratch, out);
	}
	all->n_dirty = 0;
	blocks_changes(&blocks, out);
	while ((who = dropped) != NULL) {
		dropped = who->newer;
		visitor_free(who);
	}
	buf_free(&value);
	buf_free(&scratch);
}

/* ---- erasing ------------------------------------------------------------- */

static void
undirty(struct visits *all, const struct visit *v)
{
	for (size_t i = 0; v->dirty && i < all->n_dirty; i++)
		if (all->dirty[i] == v) {
			all->dirty[i] = all->dirty[--all->n_dirty];
			return;
		}
}

static void
erase_visit(struct visits *all, struct visitor *who, size_t i, struct changes *out)
{
	struct visit *v = who->visits[i];
	struct buf field = { 0 };

	if (v->in_open) {
		open_field(v, &field);
		changes_add(out, CHANGE_HDEL, SLICE("open"), buf_view(&field), SLICE(""));
		buf_free(&field);
	}
	undirty(all, v);
	unindex_agent(all, v);
	all->count--;
	memmove(who->visits + i, who->visits + i + 1, (who->n - i - 1) * sizeof(*who->visits));
	who->n--;
	visit_free(v);
}

void
visits_erase(struct visits *all, const struct forget *f, struct changes *out)
{
	struct visitor *who, *newer;

	for (who = all->oldest; who != NULL; who = newer) {
		bool all_of_it = forget_has(f, who->hash);

		newer = who->newer;
		for (size_t i = who->n; i-- > 0;)
			if (all_of_it || forget_has(f, who->visits[i]->moved_to))
				erase_visit(all, who, i, out);
		if (!all_of_it)
			continue;
		unlink_visitor(all, who);
		map64_del(&all->by_visitor, who->hash);
		visitor_free(who);
	}
}

bool
visits_without(struct slice block, int64_t epoch, const struct forget *f, struct buf *out)
{
	struct reader r = reader_of(block), pages = r;
	size_t before = out->len;

	while (reader_more(&r)) {
		const char *from = r.p;
		struct reader one = reader_of(reader_slice(&r));
		struct visit v;

		visit_decode(&one, epoch, &v, &pages);
		if (r.bad || !(forget_has(f, v.visitor) || forget_has(f, v.moved_to)))
			buf_put(out, from, (size_t)((r.bad ? r.end : r.p) - from));
	}
	return (out->len - before < block.len);
}

bool
agents_without(struct slice block, const struct forget *f, struct buf *out)
{
	struct reader r = reader_of(block);
	size_t before = out->len;

	while (reader_more(&r)) {
		const char *from = r.p;
		uint64_t agent = reader_u64(&r), visitor = reader_u64(&r);

		reader_varint(&r);
		reader_varint(&r);
		reader_svarint(&r);
		if (r.bad || !(forget_has(f, agent) || forget_has(f, visitor)))
			buf_put(out, from, (size_t)((r.bad ? r.end : r.p) - from));
	}
	return (out->len - before < block.len);
}
