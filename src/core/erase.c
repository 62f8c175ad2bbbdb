/*
 * erase: the state without one person.
 *
 * Due when the logs are read up to the time of the request: what the person did before is
 * joined and counted by then, and stands in the windows' sums, which say nothing of whom.
 * Orders keep their amounts and lose what leads to a person.  Visits, tokens and entries
 * of address + browser lie in blocks by hashes that a person does not know, so that all
 * living blocks are walked over, some shards a call, and those that hold something of
 * the person are written anew.  Where the person took a visit over from address + browser,
 * records of before lie there under that hash: such visits are known by their ids.  A walk
 * that is cut short begins again: the request stays in the state until the commit in which
 * its last block goes.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/engine_impl.h"

#define SHARDS_A_CALL 256		/* of which blocks are asked for together */
#define SHARDS (2 * VISIT_SHARDS + TOKEN_SHARDS)
#define ALIAS_HOPS 16

/* ---- requests ------------------------------------------------------------ */

static bool
is_known(const struct engine *e, uint64_t id)
{
	for (size_t i = 0; i < e->n_erasures; i++)
		if (e->erasures[i].who.id == id)
			return (true);
	return (false);
}

static bool
comes_before(const struct forget *a, const struct forget *b)
{
	return (a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->id < b->id);
}

/* Takes it over.  A walk that has begun stays the first. */
static void
queue(struct engine *e, struct forget *f)
{
	size_t at = e->n_erasures;

	mem_grow(&e->erasures, &e->erasures_cap, e->n_erasures + 1, sizeof(*e->erasures));
	while (at > 0 && !e->erasures[at - 1].begun && comes_before(f, &e->erasures[at - 1].who))
		at--;
	memmove(e->erasures + at + 1, e->erasures + at, (e->n_erasures - at) * sizeof(*e->erasures));
	e->erasures[at] = (struct erasure){ .who = *f };
	e->n_erasures++;
	*f = (struct forget){ 0 };
}

void
engine_forget(struct engine *e, struct forget *f)
{
	struct buf value = { 0 };
	struct name field;

	if (f->time_ms <= 0 || is_known(e, f->id)) {
		forget_clear(f);
		return;
	}
	forget_field(f, &field);
	forget_encode(f, &value);
	changes_add(&e->erased, CHANGE_HSET, SLICE("forget"), name_view(&field), buf_view(&value));
	buf_free(&value);
	queue(e, f);
	engine_count(e, COUNT_EVENTS, 1);
}

size_t
engine_forgetting(const struct engine *e)
{
	return (e->n_erasures);
}

/* One that is not in the journal yet is nothing to the engine. */
int
engine_load_forget(struct engine *e, struct slice value)
{
	struct forget f = { 0 };

	if (forget_decode(value, &f) != 0)
		return (-1);
	if (f.time_ms > 0 && !is_known(e, f.id))
		queue(e, &f);
	forget_clear(&f);
	return (0);
}

void
erasures_free(struct engine *e)
{
	for (size_t i = 0; i < e->n_erasures; i++)
		forget_clear(&e->erasures[i].who);
	free(e->erasures);
	changes_free(&e->erased);
	buf_free(&e->erased_customers);
}

int64_t
erasure_next_ms(const struct engine *e)
{
	return (e->n_erasures > 0 ? e->erasures[0].who.time_ms : INT64_MAX);
}

/* ---- what a commit writes --------------------------------------------------- */

/* A customer who was back before the commit has a record of what came since. */
static void
change_customers(struct engine *e, struct changes *out)
{
	struct reader r = reader_of(buf_view(&e->erased_customers));

	while (reader_more(&r)) {
		uint64_t hash = reader_u64(&r);
		const struct customer *c = map64_get(&e->customers, hash);
		struct name name;

		if (c != NULL && c->dirty)
			continue;
		name_customer(&name, hash);
		changes_add(out, CHANGE_DEL, name_view(&name), SLICE(""), SLICE(""));
	}
	e->erased_customers.len = 0;
}

void
erasures_changes(struct engine *e, struct changes *out)
{
	for (size_t i = 0; i < e->erased.count; i++) {
		const struct change *c = &e->erased.list[i];

		changes_add(out, c->op, change_key(&e->erased, c), change_field(&e->erased, c), change_value(&e->erased, c));
	}
	changes_clear(&e->erased);
	change_customers(e, out);
}

/* What a block holds once the next commit is through: what was fetched, or what is to be written. */
struct slice
erased_block(const struct engine *e, struct slice name, struct slice fetched)
{
	for (size_t i = e->erased.count; i-- > 0;) {
		const struct change *c = &e->erased.list[i];

		if (c->op == CHANGE_SET && slice_equal(change_key(&e->erased, c), name))
			return (change_value(&e->erased, c));
	}
	return (fetched);
}

bool
erased_is_customer(const struct engine *e, uint64_t hash)
{
	struct reader r = reader_of(buf_view(&e->erased_customers));

	while (reader_more(&r))
		if (reader_u64(&r) == hash)
			return (true);
	return (false);
}

/* ---- orders ---------------------------------------------------------------- */

/* NULL in *o where there is none of that name. */
static enum engine_result
find_order(struct engine *e, struct slice name, struct order **o)
{
	struct slice provider, id;

	*o = NULL;
	if (!split_order_name(name, &provider, &id))
		return (ENGINE_DONE);
	for (int hops = 0; hops < ALIAS_HOPS; hops++) {
		*o = orderbook_find(&e->book, provider, id);
		if (*o == NULL && order_may_be_stored(e, provider, id)) {
			want(e, NEED_ORDER, 0, 0, provider, id);
			return (ENGINE_NEEDS);
		}
		if (*o == NULL || (*o)->alias_of.len == 0)
			break;
		id = (*o)->alias_of;
	}
	return (ENGINE_DONE);
}

static void
erase_order(struct engine *e, struct order *o)
{
	if (!o->paid || o->alias_of.len > 0)
		return;
	order_forget(e, o);
	order_erase(o);
	orderbook_dirty(&e->book, o);
}

static bool
is_theirs(const struct forget *f, const struct order *o)
{
	return (forget_has(f, o->customer) || forget_has(f, o->visitors[0]) || forget_has(f, o->visitors[1]));
}

static enum engine_result
erase_orders(struct engine *e, const struct forget *f)
{
	struct reader r = reader_of(buf_view(&f->orders));
	enum engine_result rc = ENGINE_DONE;
	struct order *o;

	while (reader_more(&r))
		if (find_order(e, reader_slice(&r), &o) == ENGINE_NEEDS)
			rc = ENGINE_NEEDS;
	if (orders_wake_all(e) == ENGINE_NEEDS || rc == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	for (r = reader_of(buf_view(&f->orders)); reader_more(&r);)
		if (find_order(e, reader_slice(&r), &o) == ENGINE_DONE && o != NULL)
			erase_order(e, o);
	/* Orders that were told after the request was made and still wait; these are all in memory now. */
	for (size_t i = 0; (o = strmap_next(e->book.by_key, &i, NULL)) != NULL;)
		if (o->waiting && o->time_ms + JOIN_RETRY_MS >= e->clock && is_theirs(f, o))
			erase_order(e, o);
	return (ENGINE_DONE);
}

/* ---- memory ---------------------------------------------------------------- */

static void
erase_customer(struct engine *e, uint64_t hash)
{
	struct customer *c = map64_get(&e->customers, hash);

	buf_u64(&e->erased_customers, hash);
	if (c == NULL)
		return;
	while (c->n_joined > 0) {
		c->n_joined--;
		free((char *)c->joined[c->n_joined].provider.p);
		free((char *)c->joined[c->n_joined].id.p);
	}
	c->dirty = false;
	c->known = true;
}

static void
erase_memory(struct engine *e, struct forget *f)
{
	struct token *t;

	visits_erase(&e->visits, f, &e->erased);
	evidence_forget(&e->evidence, f);
	for (size_t i = 0; (t = map64_next(&e->tokens, &i, NULL)) != NULL;)
		if (t->seen && forget_has(f, t->visit.visitor))
			t->visit = (struct visit_ref){ 0, 0, t->seen_ms };
	for (size_t i = 0; i < f->n_hashes; i++)
		erase_customer(e, f->hashes[i]);
	engine_drop_agents(e);
}

/* ---- blocks ---------------------------------------------------------------- */

/* A token was seen in nobody's visit then: that it was seen stays, since the first time counts. */
static bool
tokens_without(struct slice block, const struct forget *f, struct buf *out)
{
	struct reader r = reader_of(block);
	bool less = false;

	while (reader_more(&r)) {
		const char *from = r.p;
		uint64_t hash = reader_u64(&r), visitor = reader_u64(&r), seen;

		reader_varint(&r);
		seen = reader_varint(&r);
		reader_svarint(&r);
		if (r.bad || !forget_has(f, visitor)) {
			buf_put(out, from, (size_t)((r.bad ? r.end : r.p) - from));
			continue;
		}
		less = true;
		buf_u64(out, hash);
		buf_u64(out, 0);
		buf_varint(out, 0);
		buf_varint(out, seen);
		buf_svarint(out, 0);
	}
	return (less);
}

/* Units of the walk: the shards of visits, of agents, of tokens. */
static char
unit_of(size_t unit, unsigned *shard)
{
	*shard = (unsigned)(unit % VISIT_SHARDS);
	return (unit < VISIT_SHARDS ? 'v' : unit < 2 * VISIT_SHARDS ? 'a' : 't');
}

void
erasure_name(uint64_t unit, int64_t epoch, struct name *name)
{
	unsigned shard;
	char kind = unit_of(unit, &shard);

	name_shard(name, kind, epoch, shard);
}

/* Its record, too: where a commit falls into the walk, blocks that said which visits were taken over are gone. */
static void
note_taken_over(struct engine *e)
{
	struct erasure *x = &e->erasures[0];
	struct buf value = { 0 };
	struct name field;

	if (x->who.n_visits == x->noted)
		return;
	x->noted = x->who.n_visits;
	forget_field(&x->who, &field);
	forget_encode(&x->who, &value);
	changes_add(&e->erased, CHANGE_HSET, SLICE("forget"), name_view(&field), buf_view(&value));
	buf_free(&value);
}

void
erasure_supply(struct engine *e, uint64_t unit, int64_t epoch, struct slice name, struct slice block)
{
	struct forget *f = &e->erasures[0].who;
	struct buf rest = { 0 };
	bool less;
	unsigned shard;

	switch (unit_of(unit, &shard)) {
	case 'v':
		less = visits_without(block, epoch, f, &rest);
		break;
	case 'a':
		less = agents_without(block, f, &rest);
		break;
	default:
		less = tokens_without(block, f, &rest);
	}
	if (less) {
		changes_add(&e->erased, CHANGE_SET, name, SLICE(""), buf_view(&rest));
		e->counters_dirty = true;
	}
	buf_free(&rest);
	note_taken_over(e);
}

static enum engine_result
walk_on(struct engine *e, struct erasure *x)
{
	size_t end = x->next + SHARDS_A_CALL < SHARDS ? x->next + SHARDS_A_CALL : SHARDS;

	if (e->oldest_epoch == 0 || x->next == SHARDS)
		return (ENGINE_DONE);
	for (; x->next < end; x->next++)
		want(e, NEED_BLOCKS, x->next, e->oldest_epoch, SLICE(""), SLICE(""));
	return (ENGINE_NEEDS);
}

/* ---- one person -------------------------------------------------------------- */

static void
finish(struct engine *e)
{
	struct erasure *x = &e->erasures[0];
	struct name field;

	erase_memory(e, &x->who);	/* what an event asked for meanwhile */
	forget_field(&x->who, &field);
	changes_add(&e->erased, CHANGE_HDEL, SLICE("forget"), name_view(&field), SLICE(""));
	engine_count(e, COUNT_FORGOTTEN, 1);
	forget_clear(&x->who);
	memmove(e->erasures, e->erasures + 1, --e->n_erasures * sizeof(*e->erasures));
}

enum engine_result
erasure_run(struct engine *e)
{
	struct erasure *x = &e->erasures[0];

	if (!x->begun) {
		if (erase_orders(e, &x->who) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
		erase_memory(e, &x->who);
		note_taken_over(e);
		x->begun = true;
	}
	if (walk_on(e, x) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	finish(e);
	return (ENGINE_DONE);
}
