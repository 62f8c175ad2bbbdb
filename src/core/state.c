/*
 * state: the engine's records: asking for them, taking them in, and what changed.
 *
 * One commit holds everything that changed since the last one; together with the
 * input positions it leads from one state that is right to the next.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/engine_impl.h"

#define HEAD_VERSION 1
#define EPOCHS_A_COMMIT 4		/* of which blocks are deleted at most */
#define STORE_FACTOR 2			/* a block takes about so much more than its records: Redis grows strings by doubling */
#define SETTLE_VISITS 1024
#define ORDERS_BITS 21			/* a quarter of a megabyte: nearly no false answers up to two hundred thousand orders */
#define TOKENS_HELD 65536		/* seen tokens kept in memory, so that a reloaded page says nothing new */

/* ---- asking -------------------------------------------------------------- */

int64_t
engine_retention_ms(const struct engine *e)
{
	int64_t longest = e->rules->lookback_ms;

	for (size_t i = 0; i < e->rules->n_levels; i++) {
		int64_t length = e->rules->levels[i].bucket_ms * e->rules->levels[i].buckets;

		longest = length > longest ? length : longest;
	}
	return (longest + JOIN_RETRY_MS + RETENTION_SLACK_MS);
}

static uint64_t
name_hash(const struct engine *e, struct slice name)
{
	return (hash_bytes(&e->ring->site, name));
}

bool
order_may_be_stored(const struct engine *e, struct slice provider, struct slice id)
{
	struct name name;

	if (!e->orders_stored || e->orders_written == NULL)
		return (e->orders_stored);
	name_order(&name, provider, id);
	return (bloom_may_have(e->orders_written, name_hash(e, name_view(&name))));
}

static struct slice
own(struct slice s)
{
	return (slice_make(mem_strndup(s.p, s.len), s.len));
}

static void
disown(struct slice s)
{
	free((char *)s.p);
}

static void
want_free(struct want *w)
{
	disown(w->provider);
	disown(w->id);
	free(w);
}

static bool
want_is(const struct want *w, enum need_kind kind, uint64_t key, struct slice provider, struct slice id)
{
	return (w->kind == kind && w->key == key && slice_equal(w->provider, provider) && slice_equal(w->id, id));
}

void
want(struct engine *e, enum need_kind kind, uint64_t key, int64_t first_epoch, struct slice provider, struct slice id)
{
	uint64_t index = key ^ (uint64_t)kind << 56;
	struct want *w;

	if (kind == NEED_ORDER) {
		struct name name;

		name_order(&name, provider, id);
		index = name_hash(e, name_view(&name));
	}
	w = map64_get(&e->want_index, index);
	if (w != NULL && want_is(w, kind, key, provider, id))
		return;
	w = mem_calloc(1, sizeof(*w));
	w->kind = kind;
	w->key = key;
	w->first_epoch = first_epoch > e->oldest_epoch ? first_epoch : e->oldest_epoch;
	w->provider = own(provider);
	w->id = own(id);
	mem_grow(&e->wants, &e->wants_cap, e->n_wants + 1, sizeof(*e->wants));
	e->wants[e->n_wants++] = w;
	map64_put(&e->want_index, index, w);
}

/* One block of each living epoch, the oldest first. */
static size_t
epoch_names(const struct engine *e, struct want *w, void (*name)(struct name *, int64_t, uint64_t))
{
	int64_t last = epoch_of(e->clock);
	size_t n = 0;

	/* Before the first hit there is no block; a need still has a name. */
	if (last < w->first_epoch)
		last = w->first_epoch;
	if (last - w->first_epoch >= NEED_NAMES_MAX)
		w->first_epoch = last - NEED_NAMES_MAX + 1;
	for (int64_t epoch = w->first_epoch; epoch <= last; epoch++)
		name(&w->names[n++], epoch, w->key);
	return (n);
}

/* The same for a walk over all blocks: its units are no hashes. */
static size_t
blocks_names(const struct engine *e, struct want *w)
{
	size_t n = epoch_names(e, w, name_visits);

	for (size_t i = 0; i < n; i++)
		erasure_name(w->key, w->first_epoch + (int64_t)i, &w->names[i]);
	return (n);
}

static size_t
want_names(const struct engine *e, struct want *w)
{
	switch (w->kind) {
	case NEED_VISITOR:
		return (epoch_names(e, w, name_visits));
	case NEED_TOKEN:
		return (epoch_names(e, w, name_tokens));
	case NEED_AGENT:
		name_agents(&w->names[0], w->first_epoch, w->key);
		return (1);
	case NEED_ORDER:
		name_order(&w->names[0], w->provider, w->id);
		return (1);
	case NEED_CUSTOMER:
		name_customer(&w->names[0], w->key);
		return (1);
	case NEED_BLOCKS:
		return (blocks_names(e, w));
	}
	return (0);
}

size_t
engine_needs(struct engine *e, const struct need **needs)
{
	mem_grow(&e->needs, &e->needs_cap, e->n_wants + 1, sizeof(*e->needs));
	for (size_t i = 0; i < e->n_wants; i++) {
		struct need *n = &e->needs[i];

		n->n_names = want_names(e, e->wants[i]);
		for (size_t k = 0; k < n->n_names; k++)
			n->names[k] = name_view(&e->wants[i]->names[k]);
	}
	*needs = e->needs;
	return (e->n_wants);
}

/* ---- answers ------------------------------------------------------------- */

static void
damaged(struct engine *e)
{
	engine_count(e, COUNT_DAMAGED, 1);
}

static void
supply_visitor(struct engine *e, const struct want *w, const struct slice *values, size_t n)
{
	visits_touch(&e->visits, w->key, e->clock)->stored = 0;
	for (size_t i = 0; i < n; i++) {
		if (visits_load_block(&e->visits, w->key, values[i], w->first_epoch + (int64_t)i, e->clock) != 0)
			damaged(e);
		visits_load_pending(&e->visits, w->key, w->first_epoch + (int64_t)i, e->clock);
	}
	visits_touch(&e->visits, w->key, e->clock)->complete = true;
}

static void
list_entry(struct agent_list *list, struct agent_entry entry)
{
	mem_grow(&list->entries, &list->cap, list->n + 1, sizeof(*list->entries));
	list->entries[list->n++] = entry;
}

static void
supply_agent(struct engine *e, const struct want *w, struct slice block)
{
	struct agent_list *list = mem_calloc(1, sizeof(*list));
	struct agent_entry entry;

	list->agent = w->key;
	while (agent_entry_next(&block, w->first_epoch, w->key, &entry))
		list_entry(list, entry);
	for (size_t at = 0; agent_entry_pending(&e->visits, w->first_epoch, w->key, &at, &entry);)
		list_entry(list, entry);
	must(map64_get(&e->agents, w->key) == NULL);
	map64_put(&e->agents, w->key, list);
}

/* The first hit with a token is the one that counts. */
static bool
token_in_block(struct slice block, int64_t epoch, struct token *t)
{
	struct reader r = reader_of(block);

	while (reader_more(&r)) {
		uint64_t hash = reader_u64(&r);
		struct visit_ref visit;
		int64_t seen;

		visit.visitor = reader_u64(&r);
		visit.id = reader_varint(&r);
		seen = epoch * EPOCH_MS + (int64_t)(reader_varint(&r) % EPOCH_MS);
		visit.start_ms = seen + reader_within(&r, TIME_MAX_MS);
		if (r.bad)
			return (false);
		if (hash != t->hash)
			continue;
		t->seen = true;
		t->seen_ms = seen;
		t->visit = visit;
		return (true);
	}
	return (false);
}

static void
supply_token(struct engine *e, const struct want *w, const struct slice *values, size_t n)
{
	struct token *t = token_get(e, w->key), stored = { .hash = w->key };

	t->known = true;
	for (size_t i = 0; i < n; i++)
		if (token_in_block(values[i], w->first_epoch + (int64_t)i, &stored)) {
			t->seen = true;
			t->dirty = false;
			t->seen_ms = stored.seen_ms;
			t->visit = stored.visit;
			token_wake(e, t);	/* it may have been seen just before the process ended */
			return;
		}
}

static void
order_load(struct engine *e, struct slice provider, struct slice id, struct slice value)
{
	struct order *o;
	struct name name;

	if (orderbook_find(&e->book, provider, id) != NULL)
		return;
	o = orderbook_add(&e->book, provider, id);
	if (value.p != NULL && order_decode(value, o) != 0)
		damaged(e);
	name_order(&name, provider, id);
	o->stored_unconverted = o->unconverted;
	o->listed_ms = o->paid ? o->time_ms : 0;
}

static void
supply_order(struct engine *e, const struct want *w, struct slice value)
{
	if (orderbook_find(&e->book, w->provider, w->id) != NULL)
		return;
	order_load(e, w->provider, w->id, value);
	order_wakes(e, orderbook_find(&e->book, w->provider, w->id));
}

static void
supply_customer(struct engine *e, const struct want *w, struct slice value)
{
	struct customer *c = customer_get(e, w->key);
	struct reader r = reader_of(value);

	if (c->known)
		return;
	c->known = true;
	if (erased_is_customer(e, w->key))
		return;
	while (reader_more(&r)) {
		struct customer_order x;

		x.time_ms = reader_within(&r, TIME_MAX_MS);
		x.provider = reader_slice(&r);
		x.id = reader_slice(&r);
		x.visit.visitor = reader_u64(&r);
		x.visit.id = reader_varint(&r);
		x.visit.start_ms = reader_within(&r, TIME_MAX_MS);
		if (r.bad) {
			damaged(e);
			return;
		}
		x.provider = own(x.provider);
		x.id = own(x.id);
		mem_grow(&c->joined, &c->joined_cap, c->n_joined + 1, sizeof(*c->joined));
		c->joined[c->n_joined++] = x;
	}
}

static void
supply(struct engine *e, const struct want *w, const struct slice *values, size_t n)
{
	switch (w->kind) {
	case NEED_VISITOR:
		supply_visitor(e, w, values, n);
		break;
	case NEED_AGENT:
		supply_agent(e, w, values[0]);
		break;
	case NEED_TOKEN:
		supply_token(e, w, values, n);
		break;
	case NEED_ORDER:
		supply_order(e, w, values[0]);
		break;
	case NEED_CUSTOMER:
		supply_customer(e, w, values[0]);
		break;
	case NEED_BLOCKS:
		for (size_t i = 0; i < n; i++)
			erasure_supply(e, w->key, w->first_epoch + (int64_t)i, name_view(&w->names[i]), values[i]);
		break;
	}
}

void
engine_supply(struct engine *e, size_t i, const struct slice *values, size_t n)
{
	struct slice now[NEED_NAMES_MAX];

	must(i < e->n_wants && n == e->needs[i].n_names);
	for (size_t k = 0; k < n; k++)
		now[k] = erased_block(e, name_view(&e->wants[i]->names[k]), values[k]);
	supply(e, e->wants[i], now, n);
}

void
engine_supplied(struct engine *e)
{
	for (size_t i = 0; i < e->n_wants; i++)
		want_free(e->wants[i]);
	e->n_wants = 0;
	map64_free(&e->want_index);
}

/* ---- changes ------------------------------------------------------------- */

bool
engine_is_dirty(const struct engine *e)
{
	return (visits_unstored(&e->visits) > 0 || e->book.n_dirty > 0 || e->counters_dirty);
}

/* Blocks begin with this epoch. */
static void
note_epoch(struct engine *e, int64_t epoch)
{
	if (epoch > 0 && epoch < INT64_MAX && (e->oldest_epoch == 0 || epoch < e->oldest_epoch))
		e->oldest_epoch = epoch;
}

static void
change_token(struct engine *e, struct token *t, struct buf *value, struct blocks *blocks)
{
	value->len = 0;
	buf_u64(value, t->hash);
	buf_u64(value, t->visit.visitor);
	buf_varint(value, t->visit.id);
	buf_varint(value, (uint64_t)t->seen_ms % EPOCH_MS);
	buf_svarint(value, t->visit.start_ms - t->seen_ms);
	blocks_append(blocks, 't', epoch_of(t->seen_ms), shard_of_tokens(t->hash), buf_view(value));
	note_epoch(e, epoch_of(t->seen_ms));
	t->dirty = false;
	e->tokens_stored = true;
}

static void
token_free(struct token *t)
{
	free(t->waiting);
	free(t);
}

/* A deletion may move later entries before the place of the walk, which then misses them until
 * the next commit; nothing else depends on the walk being whole. */
static void
change_tokens(struct engine *e, struct buf *value, struct changes *out)
{
	bool full = e->tokens.count > TOKENS_HELD;
	struct blocks blocks = { 0 };
	struct token *t;

	for (size_t i = 0; (t = map64_next(&e->tokens, &i, NULL)) != NULL;)
		if (t->dirty)
			change_token(e, t, value, &blocks);
	blocks_changes(&blocks, out);
	for (size_t i = 0; (t = map64_next(&e->tokens, &i, NULL)) != NULL;)
		if (t->n_waiting == 0 && (full || !t->seen)) {
			map64_del(&e->tokens, t->hash);
			token_free(t);
			i = i > 0 ? i - 1 : 0;
		}
}

static void
customer_free(struct customer *c)
{
	for (size_t i = 0; i < c->n_joined; i++) {
		disown(c->joined[i].provider);
		disown(c->joined[i].id);
	}
	free(c->joined);
	free(c);
}

static void
change_customer(struct engine *e, struct customer *c, struct buf *value, struct changes *out)
{
	struct name name;

	value->len = 0;
	for (size_t i = 0; i < c->n_joined; i++) {
		const struct customer_order *x = &c->joined[i];

		buf_svarint(value, x->time_ms);
		buf_slice(value, x->provider);
		buf_slice(value, x->id);
		buf_u64(value, x->visit.visitor);
		buf_varint(value, x->visit.id);
		buf_svarint(value, x->visit.start_ms);
	}
	name_customer(&name, c->hash);
	changes_add(out, CHANGE_SET, name_view(&name), SLICE(""), buf_view(value));
	c->dirty = false;
	e->customers_stored = true;
}

static void
change_customers(struct engine *e, struct buf *value, struct changes *out)
{
	struct customer *c;

	for (size_t i = 0; (c = map64_next(&e->customers, &i, NULL)) != NULL;)
		if (c->dirty)
			change_customer(e, c, value, out);
	for (size_t i = 0; (c = map64_next(&e->customers, &i, NULL)) != NULL;) {
		if (c->waiting != NULL)
			continue;
		map64_del(&e->customers, c->hash);
		customer_free(c);
		i = i > 0 ? i - 1 : 0;
	}
}

static void
change_membership(bool now, bool *stored, const char *set, struct slice name, struct changes *out)
{
	if (now == *stored)
		return;
	changes_add(out, now ? CHANGE_SADD : CHANGE_SREM, slice_of(set), name, SLICE(""));
	*stored = now;
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

/* Of many orders at once only the latest are listed: what is older than this would leave the list at once. */
static int64_t
listed_since(const struct engine *e)
{
	size_t n = e->book.n_dirty;
	int64_t *times, since;

	if (n <= ORDERS_LISTED)
		return (INT64_MIN);
	times = mem_calloc(n, sizeof(*times));
	for (size_t i = 0; i < n; i++)
		times[i] = e->book.dirty[i]->paid ? e->book.dirty[i]->time_ms : INT64_MIN;
	qsort(times, n, sizeof(*times), by_time);
	since = times[n - ORDERS_LISTED];
	free(times);
	return (since);
}

static void
change_order(struct engine *e, struct order *o, int64_t since_ms, struct buf *value, struct changes *out)
{
	struct name name;
	char score[32];

	name_order(&name, o->provider, o->id);
	value->len = 0;
	order_encode(o, value);
	changes_add(out, CHANGE_SET, name_view(&name), SLICE(""), buf_view(value));
	if (o->paid && o->listed_ms != o->time_ms && o->time_ms >= since_ms) {
		snprintf(score, sizeof(score), "%lld", (long long)o->time_ms);
		o->listed_ms = o->time_ms;
		changes_add(out, CHANGE_ZADD, SLICE("orders"), name_view(&name), slice_of(score));
	}
	change_membership(o->waiting, &o->stored_waiting, "waiting", name_view(&name), out);
	change_membership(o->unconverted && o->paid, &o->stored_unconverted, "unconverted", name_view(&name), out);
	o->dirty = false;
	e->orders_stored = true;
	if (e->orders_written != NULL)
		bloom_add(e->orders_written, name_hash(e, name_view(&name)));
}

/* Orders that are decided, or too old to be, need not be in memory. */
static void
change_orders(struct engine *e, struct buf *value, struct changes *out)
{
	int64_t since_ms;
	struct order *o;

	for (size_t i = 0; (o = strmap_next(e->book.by_key, &i, NULL)) != NULL;)
		if (o->waiting && o->dues == 0 && o->time_ms + JOIN_RETRY_MS < e->clock) {
			order_forget(e, o);
			orderbook_dirty(&e->book, o);
		}
	since_ms = listed_since(e);
	for (size_t i = 0; i < e->book.n_dirty; i++)
		change_order(e, e->book.dirty[i], since_ms, value, out);
	e->book.n_dirty = 0;
	for (size_t i = 0; (o = strmap_next(e->book.by_key, &i, NULL)) != NULL;)
		if (!o->waiting && o->dues == 0) {
			orderbook_remove(&e->book, o);
			i = i > 0 ? i - 1 : 0;
		}
	orders_sleep(e);
}

void
engine_drop_agents(struct engine *e)
{
	struct agent_list *list;

	for (size_t i = 0; (list = map64_next(&e->agents, &i, NULL)) != NULL;) {
		free(list->entries);
		free(list);
	}
	map64_free(&e->agents);
}

static void
drop_old_epochs(struct engine *e, struct changes *out)
{
	int64_t keep = epoch_of(e->clock - engine_retention_ms(e));
	struct name name;

	/* A clock that jumps far ahead leaves the rest to later commits. */
	if (keep > e->oldest_epoch + EPOCHS_A_COMMIT)
		keep = e->oldest_epoch + EPOCHS_A_COMMIT;
	for (; e->oldest_epoch > 0 && e->oldest_epoch < keep; e->oldest_epoch++) {
		e->visits.history[e->oldest_epoch % HISTORY_EPOCHS] = 0;
		for (unsigned shard = 0; shard < VISIT_SHARDS; shard++) {
			name_shard(&name, 'v', e->oldest_epoch, shard);
			changes_add(out, CHANGE_DEL, name_view(&name), SLICE(""), SLICE(""));
			name_shard(&name, 'a', e->oldest_epoch, shard);
			changes_add(out, CHANGE_DEL, name_view(&name), SLICE(""), SLICE(""));
			if (shard >= TOKEN_SHARDS)
				continue;
			name_shard(&name, 't', e->oldest_epoch, shard);
			changes_add(out, CHANGE_DEL, name_view(&name), SLICE(""), SLICE(""));
		}
	}
}

static void
change_head(struct engine *e, struct buf *value, struct changes *out)
{
	value->len = 0;
	buf_putc(value, HEAD_VERSION);
	buf_svarint(value, e->clock);
	buf_svarint(value, e->watermark);
	buf_svarint(value, e->evicted_before);
	buf_svarint(value, e->oldest_epoch);
	buf_svarint(value, windows_now(e->windows));
	buf_varint(value, e->next_visit);
	buf_varint(value, e->next_event);
	buf_putc(value, (char)(e->orders_stored | e->customers_stored << 1 | e->tokens_stored << 2));
	buf_varint(value, COUNTERS);
	for (size_t i = 0; i < COUNTERS; i++)
		buf_varint(value, e->counters[i]);
	buf_varint(value, windows_next_number(e->windows));
	for (size_t i = 0; i < HISTORY_EPOCHS; i++)
		buf_varint(value, e->visits.history[i]);
	for (size_t i = 0; i < HISTORY_EPOCHS; i++) {
		buf_svarint(value, e->gross[i].epoch);
		buf_svarint(value, e->gross[i].sum);
	}
	evidence_encode(e, value);
	changes_add(out, CHANGE_HSET, SLICE("meta"), SLICE("engine"), buf_view(value));
	e->counters_dirty = false;
}

uint64_t
engine_history(const struct engine *e)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < HISTORY_EPOCHS; i++)
		bytes += e->visits.history[i];
	return (bytes * STORE_FACTOR);
}

/* What is least likely to be asked for goes first: a single pageview, of which nothing came. */
static enum keep
what_to_keep(const struct engine *e)
{
	uint64_t bytes = engine_history(e), max = e->rules->max_history;

	if (max == 0 || bytes < max / 5 * 4)
		return (KEEP_ALL);
	return (bytes < max ? KEEP_LONGER : KEEP_REFERRED);
}

static int64_t
settle_horizon(const struct engine *e)
{
	return (e->clock - e->rules->session_timeout_ms - LATE_GRACE_MS);
}

/* Around each step in which visitors may leave: `before` of them were there. */
static void
note_left(struct engine *e, size_t before)
{
	size_t more = e->rules->settle_visits > 0 ? e->rules->settle_visits : SETTLE_VISITS;
	int64_t horizon = settle_horizon(e);

	e->settle_at = e->visits.count + more;
	note_epoch(e, e->visits.first_epoch);
	e->visits.first_epoch = INT64_MAX;
	if (e->visits.left_ms > e->evicted_before)
		e->evicted_before = e->visits.left_ms;
	if (e->visits.by_visitor.count != before && horizon > e->evicted_before)
		e->evicted_before = horizon;
}

void
engine_settle(struct engine *e)
{
	size_t before = e->visits.by_visitor.count;

	e->visits.first_epoch = INT64_MAX;
	e->visits.keep = what_to_keep(e);
	visits_settle(&e->visits, settle_horizon(e), e->clock);
	note_left(e, before);
	engine_drop_agents(e);		/* what left meanwhile is not in these lists */
}

static void
change_visits(struct engine *e, struct changes *out)
{
	size_t before = e->visits.by_visitor.count;

	e->visits.first_epoch = INT64_MAX;
	e->visits.keep = what_to_keep(e);
	visits_changes(&e->visits, settle_horizon(e), e->clock, out);
	note_left(e, before);
	engine_count(e, COUNT_VISITS_EARLY, e->visits.n_early);
	engine_count(e, COUNT_VISITS_UNKEPT, e->visits.n_unkept);
	e->visits.n_early = e->visits.n_unkept = 0;
}

void
engine_changes(struct engine *e, struct changes *out)
{
	struct buf value = { 0 };

	must(e->n_wants == 0);
	e->commit_no++;
	drop_old_epochs(e, out);
	erasures_changes(e, out);
	change_visits(e, out);
	change_tokens(e, &value, out);
	change_customers(e, &value, out);
	change_orders(e, &value, out);
	engine_drop_agents(e);
	windows_changes(e->windows, out);
	engine_count(e, COUNT_SERIES_MERGED, windows_merged(e->windows));
	change_head(e, &value, out);
	buf_free(&value);
}

/* ---- loading ------------------------------------------------------------- */

int
engine_load_head(struct engine *e, struct slice value, struct err *err)
{
	struct reader r = reader_of(value);
	uint64_t n;
	int stored;

	if (value.len == 0) {
		visits_begin(&e->visits);
		e->orders_written = bloom_new(ORDERS_BITS);
		e->total = windows_series(e->windows, DIM_TOTAL, SLICE(""));
		return (0);
	}
	if (reader_u8(&r) != HEAD_VERSION)
		return (err_set(err, "the state was written by another version of rpvd"));
	e->clock = reader_within(&r, -(INT64_MIN / 4));
	e->watermark = reader_within(&r, -(INT64_MIN / 4));
	e->evicted_before = reader_within(&r, -(INT64_MIN / 4));
	e->oldest_epoch = reader_within(&r, TIME_MAX_MS / EPOCH_MS);
	windows_advance(e->windows, reader_within(&r, -(INT64_MIN / 4)));
	windows_roll(e->windows);
	e->next_visit = reader_varint(&r);
	e->next_event = reader_varint(&r);
	stored = reader_u8(&r);
	e->orders_stored = (stored & 1) != 0;
	e->customers_stored = (stored & 2) != 0;
	e->tokens_stored = (stored & 4) != 0;
	n = reader_varint(&r);
	for (size_t i = 0; i < n && i < COUNTERS; i++)
		e->counters[i] = reader_varint(&r);
	if (reader_more(&r))
		windows_skip_numbers(e->windows, (uint32_t)reader_varint(&r));
	for (size_t i = 0; i < HISTORY_EPOCHS && reader_more(&r); i++)
		e->visits.history[i] = reader_varint(&r);
	for (size_t i = 0; i < HISTORY_EPOCHS && reader_more(&r); i++) {
		e->gross[i].epoch = reader_within(&r, TIME_MAX_MS / EPOCH_MS);
		e->gross[i].sum = reader_within(&r, INT64_MAX / HISTORY_EPOCHS);
	}
	if (reader_more(&r))
		evidence_decode(&e->evidence, &r);
	if (r.bad || n > COUNTERS)
		return (err_set(err, "the state's head record is damaged"));
	e->check_yesterday_until = e->clock + e->rules->session_timeout_ms;
	e->visits.early_unknown_ms = e->evicted_before;
	return (0);
}

int
engine_load_series(struct engine *e, struct slice field, struct slice value)
{
	return (windows_load_series(e->windows, field, value));
}

const struct slice *
engine_bucket_names(struct engine *e, size_t *n)
{
	const struct level *levels;
	size_t n_levels = windows_levels(e->windows, &levels), cap = 0, places_cap = 0;
	int64_t first, last;

	e->total = windows_series(e->windows, DIM_TOTAL, SLICE(""));
	for (size_t level = 0; level < n_levels; level++) {
		windows_bucket_range(e->windows, level, windows_now(e->windows), &first, &last);
		for (int64_t b = first; b <= last; b++) {
			char text[64];
			int len = snprintf(text, sizeof(text), "b:%s:%lld", levels[level].name, (long long)b);

			mem_grow(&e->bucket_names, &cap, e->n_buckets + 1, sizeof(*e->bucket_names));
			mem_grow(&e->bucket_places, &places_cap, e->n_buckets + 1, sizeof(*e->bucket_places));
			e->bucket_names[e->n_buckets] = own(slice_make(text, (size_t)len));
			e->bucket_places[e->n_buckets].level = level;
			e->bucket_places[e->n_buckets++].bucket = b;
		}
	}
	*n = e->n_buckets;
	return (e->bucket_names);
}

int
engine_load_bucket(struct engine *e, size_t i, struct slice field, struct slice value)
{
	return (windows_load_cell(e->windows, e->bucket_places[i].level, e->bucket_places[i].bucket, field, value));
}

int
engine_load_open(struct engine *e, struct slice value)
{
	return (visits_load_open(&e->visits, value, e->clock));
}

/* "o:PROVIDER:ID"; a provider's name has no colon. */
bool
split_order_name(struct slice name, struct slice *provider, struct slice *id)
{
	struct slice rest = name;

	if (!slice_is(slice_cut(&rest, ':'), "o"))
		return (false);
	*provider = slice_cut(&rest, ':');
	*id = rest;
	return (provider->len > 0 && id->len > 0 && provider->len <= ORDER_ID_MAX && id->len <= ORDER_ID_MAX);
}

int
engine_load_waiting(struct engine *e, struct slice name, struct slice value)
{
	struct slice provider, id;
	struct order *o;

	if (!split_order_name(name, &provider, &id) || value.p == NULL)
		return (-1);
	order_load(e, provider, id, value);
	o = orderbook_find(&e->book, provider, id);
	o->stored_waiting = true;
	if (o->paid && o->how == JOIN_NONE) {
		if (!order_sleeps_on(e, o))
			order_queue(e, o);
	} else
		orderbook_dirty(&e->book, o);
	return (0);
}

int
engine_load_unconverted(struct engine *e, struct slice name)
{
	struct slice provider, id;

	if (!split_order_name(name, &provider, &id))
		return (-1);
	strmap_put(e->unconverted, name, e);
	e->recount = true;
	return (0);
}

void
engine_free(struct engine **ep)
{
	struct engine *e = *ep;
	struct token *t;
	struct customer *c;
	struct due *d;

	if (e == NULL)
		return;
	engine_supplied(e);
	sleepers_free(e);
	while ((d = heap_pop(&e->dues)) != NULL)
		free(d);
	heap_free(&e->dues);
	for (size_t i = 0; (t = map64_next(&e->tokens, &i, NULL)) != NULL;)
		token_free(t);
	for (size_t i = 0; (c = map64_next(&e->customers, &i, NULL)) != NULL;)
		customer_free(c);
	map64_free(&e->tokens);
	map64_free(&e->customers);
	engine_drop_agents(e);
	visits_clear(&e->visits);
	orderbook_clear(&e->book);
	strmap_free(&e->unconverted);
	bloom_free(&e->orders_written);
	buf_free(&e->recounts);
	erasures_free(e);
	windows_free(&e->windows);
	for (size_t i = 0; i < e->n_buckets; i++)
		disown(e->bucket_names[i]);
	free(e->bucket_names);
	free(e->bucket_places);
	free(e->wants);
	free(e->needs);
	free(e);
	*ep = NULL;
}
