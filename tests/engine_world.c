/*
 * engine_world: see engine_world.h.
 */
#include "engine_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/map.h"
#include "base/mem.h"
#include "io/tables_builtin.h"

/* ---- random --------------------------------------------------------------- */

uint64_t
random_next(struct random *r)
{
	uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31);
}

uint64_t
random_below(struct random *r, uint64_t n)
{
	return (random_next(r) % n);
}

struct random
random_seeded(const char *what)
{
	const char *text = getenv("RPVD_SEED");
	struct timespec now;
	struct random r;

	clock_gettime(CLOCK_REALTIME, &now);
	r.state = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	printf("%s: RPVD_SEED=%llu\n", what, (unsigned long long)r.state);
	fflush(stdout);
	return (r);
}

/* ---- the store ------------------------------------------------------------- */

static void
record_free(struct record *r)
{
	struct buf *value;

	buf_free(&r->bytes);
	for (size_t i = 0; r->fields != NULL && (value = strmap_next(r->fields, &i, NULL)) != NULL;) {
		buf_free(value);
		free(value);
	}
	strmap_free(&r->fields);
	free(r);
}

static void
store_del(struct world *w, struct slice name)
{
	struct record *r = strmap_del(w->store, name);

	if (r != NULL)
		record_free(r);
}

/* The record of that type, made where it is new.  Redis would refuse another type. */
static struct record *
store_get(struct world *w, struct slice name, enum record_type type)
{
	struct record *r = strmap_get(w->store, name);

	if (r == NULL) {
		r = mem_calloc(1, sizeof(*r));
		r->type = type;
		if (type != RECORD_STRING)
			r->fields = strmap_new(&w->ring.site);
		strmap_put(w->store, name, r);
	}
	must(r->type == type);
	return (r);
}

static void
field_set(struct record *r, struct slice field, struct slice value)
{
	struct buf *b = strmap_get(r->fields, field);

	if (b == NULL) {
		b = mem_calloc(1, sizeof(*b));
		strmap_put(r->fields, field, b);
	}
	b->len = 0;
	buf_put(b, value.p, value.len);
}

/* Redis has no empty hashes and sets. */
static void
field_del(struct world *w, struct slice name, enum record_type type, struct slice field)
{
	struct record *r = store_get(w, name, type);
	struct buf *b = strmap_del(r->fields, field);

	if (b != NULL) {
		buf_free(b);
		free(b);
	}
	if (strmap_count(r->fields) == 0)
		store_del(w, name);
}

static void
apply(struct world *w, enum change_op op, struct slice name, struct slice field, struct slice value)
{
	switch (op) {
	case CHANGE_SET:
		store_get(w, name, RECORD_STRING)->bytes.len = 0;
		buf_put(&store_get(w, name, RECORD_STRING)->bytes, value.p, value.len);
		break;
	case CHANGE_APPEND:
		buf_put(&store_get(w, name, RECORD_STRING)->bytes, value.p, value.len);
		break;
	case CHANGE_HSET:
		field_set(store_get(w, name, RECORD_HASH), field, value);
		break;
	case CHANGE_HDEL:
		field_del(w, name, RECORD_HASH, field);
		break;
	case CHANGE_SADD:
		field_set(store_get(w, name, RECORD_SET), field, SLICE(""));
		break;
	case CHANGE_SREM:
		field_del(w, name, RECORD_SET, field);
		break;
	case CHANGE_ZADD:
		field_set(store_get(w, name, RECORD_ZSET), field, value);
		break;
	case CHANGE_DEL:
		store_del(w, name);
		break;
	case CHANGE_OPS:
		must(false);
	}
}

/* As store/commit.c sends them: by record, then operation, then age. */
static int
by_record(const void *x, const void *y, void *arg)
{
	const struct changes *all = arg;
	const struct change *a = &all->list[*(const size_t *)x], *b = &all->list[*(const size_t *)y];
	struct slice ka = change_key(all, a), kb = change_key(all, b);
	int c = memcmp(ka.p, kb.p, ka.len < kb.len ? ka.len : kb.len);

	if (c != 0)
		return (c);
	if (ka.len != kb.len)
		return (ka.len < kb.len ? -1 : 1);
	if (a->op != b->op)
		return (a->op < b->op ? -1 : 1);
	return (*(const size_t *)x < *(const size_t *)y ? -1 : 1);
}

void
world_commit(struct world *w)
{
	size_t *order;

	changes_clear(&w->changes);
	engine_changes(w->engine, &w->changes);
	order = mem_calloc(w->changes.count + 1, sizeof(*order));
	for (size_t i = 0; i < w->changes.count; i++)
		order[i] = i;
	qsort_r(order, w->changes.count, sizeof(*order), by_record, &w->changes);
	for (size_t i = 0; i < w->changes.count; i++) {
		const struct change *c = &w->changes.list[order[i]];

		apply(w, c->op, change_key(&w->changes, c), change_field(&w->changes, c), change_value(&w->changes, c));
	}
	free(order);
	w->commits++;
}

struct record *
world_record(const struct world *w, const char *name)
{
	return (strmap_get(w->store, slice_of(name)));
}

/* ---- loading ---------------------------------------------------------------- */

static struct slice
string_of(const struct world *w, struct slice name)
{
	const struct record *r = strmap_get(w->store, name);

	if (r == NULL || r->type != RECORD_STRING)
		return (slice_make(NULL, 0));
	return (slice_make(r->bytes.p != NULL ? r->bytes.p : "", r->bytes.len));
}

static void
damaged(struct world *w, int rc)
{
	if (rc != 0)
		engine_count(w->engine, COUNT_DAMAGED, 1);
}

static void
load_buckets(struct world *w)
{
	size_t n;
	const struct slice *names = engine_bucket_names(w->engine, &n);

	for (size_t i = 0; i < n; i++) {
		struct record *r = strmap_get(w->store, names[i]);
		struct slice field;
		struct buf *value;

		for (size_t k = 0; r != NULL && (value = strmap_next(r->fields, &k, &field)) != NULL;)
			damaged(w, engine_load_bucket(w->engine, i, field, buf_view(value)));
	}
}

static void
load_rest(struct world *w)
{
	struct record *r;
	struct slice field;
	struct buf *value;

	r = world_record(w, "s");
	for (size_t i = 0; r != NULL && (value = strmap_next(r->fields, &i, &field)) != NULL;)
		damaged(w, engine_load_series(w->engine, field, buf_view(value)));
	load_buckets(w);
	r = world_record(w, "open");
	for (size_t i = 0; r != NULL && (value = strmap_next(r->fields, &i, &field)) != NULL;)
		damaged(w, engine_load_open(w->engine, buf_view(value)));
	r = world_record(w, "forget");
	for (size_t i = 0; r != NULL && (value = strmap_next(r->fields, &i, &field)) != NULL;)
		damaged(w, engine_load_forget(w->engine, buf_view(value)));
	r = world_record(w, "waiting");
	for (size_t i = 0; r != NULL && strmap_next(r->fields, &i, &field) != NULL;)
		damaged(w, engine_load_waiting(w->engine, field, string_of(w, field)));
	r = world_record(w, "unconverted");
	for (size_t i = 0; r != NULL && strmap_next(r->fields, &i, &field) != NULL;)
		damaged(w, engine_load_unconverted(w->engine, field));
}

int
world_try_reload(struct world *w)
{
	struct record *meta = world_record(w, "meta");
	struct buf *head = meta != NULL ? strmap_get(meta->fields, SLICE("engine")) : NULL;
	struct err err;

	engine_free(&w->engine);
	facts_maker_free(&w->maker);
	w->maker = facts_maker_new(&w->rules);
	w->engine = engine_new(&w->rules, &w->ring, w->replay);
	if (engine_load_head(w->engine, head != NULL ? buf_view(head) : SLICE(""), &err) != 0)
		return (-1);
	if (head != NULL && head->len > 0)
		load_rest(w);
	if (!w->replay && w->now_ms > 0)
		engine_now(w->engine, w->now_ms);
	return (0);
}

void
world_reload(struct world *w)
{
	must(world_try_reload(w) == 0);
	must(engine_counter(w->engine, COUNT_DAMAGED) == 0);
}

/* ---- inputs ------------------------------------------------------------------ */

static void
answer(struct world *w)
{
	const struct need *needs;
	size_t n = engine_needs(w->engine, &needs);

	for (size_t i = 0; i < n; i++) {
		struct slice values[NEED_NAMES_MAX];

		for (size_t k = 0; k < needs[i].n_names; k++)
			values[k] = string_of(w, needs[i].names[k]);
		engine_supply(w->engine, i, values, needs[i].n_names);
		w->fetches += needs[i].n_names;
	}
	engine_supplied(w->engine);
}

/* As the journal has it. */
static void
forget(struct world *w, const struct input *in)
{
	struct forget f = { 0 };
	struct buf bytes = { 0 };

	forget_encode(in->forget, &bytes);
	must(forget_decode(buf_view(&bytes), &f) == 0);
	f.time_ms = in->ms;
	engine_forget(w->engine, &f);
	buf_free(&bytes);
}

static enum engine_result
give(struct world *w, const struct input *in)
{
	struct order_event event;
	char bytes[FACTS_BYTES_MAX];
	struct facts facts;

	switch (in->kind) {
	case INPUT_HIT:
		facts_maker_keys(w->maker, &w->ring);
		facts_of(w->maker, &in->hit, &facts, bytes);
		return (engine_hit(w->engine, &facts, in->late));
	case INPUT_EVENT:
		order_event_hash(&w->ring, &in->message, &event);
		return (engine_order(w->engine, &event));
	case INPUT_FORGET:
		forget(w, in);
		return (ENGINE_DONE);
	case INPUT_UNTIL:
		break;
	}
	return (engine_watermark(w->engine, in->ms));
}

void
world_take(struct world *w, const struct input *in)
{
	int rounds = 0;

	if (in->ms > w->now_ms && in->ms < INT64_MAX)
		w->now_ms = in->ms;
	if (!w->replay)
		engine_now(w->engine, w->now_ms);
	while (give(w, in) == ENGINE_NEEDS) {
		must(rounds++ < 10000);		/* it asks for the same again and again */
		answer(w);
	}
}

/* ---- figures ------------------------------------------------------------------ */

struct lines {
	char **list;
	size_t n, cap;
	const struct level *levels;
};

static void
add_line(struct lines *all, char *line)
{
	mem_grow(&all->list, &all->cap, all->n + 1, sizeof(*all->list));
	all->list[all->n++] = line;
}

static void
series_line(const struct series_view *s, size_t level, void *arg)
{
	struct lines *all = arg;
	struct buf line = { 0 };

	if (s->figures == NULL)
		return;
	buf_printf(&line, "%s %s %.*s:", all->levels[level].name, dim_name(s->dim), SLICE_FMT(s->name));
	for (size_t i = 0; i < dim_width(s->dim); i++)
		buf_printf(&line, " %lld", (long long)s->figures[i]);
	buf_putc(&line, '\0');
	add_line(all, line.p);
}

static int
by_text(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

static void
counter_lines(const struct world *w, struct buf *out)
{
	static const enum counter which[] = { COUNT_BOT, COUNT_NO_VISITOR, COUNT_PAGEVIEWS, COUNT_VISITS, COUNT_LATE, COUNT_ADOPTED,
	    COUNT_EVENTS, COUNT_ORDERS, COUNT_JOIN_VISITOR, COUNT_JOIN_TOKEN, COUNT_JOIN_IP_UA, COUNT_JOIN_CUSTOMER };

	for (size_t i = 0; i < N_ELEM(which); i++)
		buf_printf(out, "%s %llu\n", counter_name(which[i]), (unsigned long long)engine_counter(w->engine, which[i]));
}

char *
world_figures(struct world *w)
{
	struct lines all = { 0 };
	struct buf out = { 0 };

	windows_roll(engine_windows(w->engine));
	windows_levels(engine_windows(w->engine), &all.levels);
	windows_walk(engine_windows(w->engine), true, series_line, &all);
	qsort(all.list, all.n, sizeof(*all.list), by_text);
	for (size_t i = 0; i < all.n; i++) {
		buf_printf(&out, "%s\n", all.list[i]);
		free(all.list[i]);
	}
	free(all.list);
	counter_lines(w, &out);
	buf_putc(&out, '\0');
	return (out.p);
}

struct looked_for {
	enum dim dim;
	struct slice name;
	bool any, found;
	size_t level;
	int64_t *figures;
};

static void
look_at(const struct series_view *s, size_t level, void *arg)
{
	struct looked_for *l = arg;

	if (s->figures == NULL || level != l->level || s->dim != l->dim || (!l->any && !slice_equal(s->name, l->name)))
		return;
	l->found = true;
	for (size_t i = 0; i < dim_width(s->dim); i++)
		l->figures[i] += s->figures[i];
}

static bool
look(struct world *w, struct looked_for *l)
{
	const struct level *levels;

	windows_roll(engine_windows(w->engine));
	l->level = windows_levels(engine_windows(w->engine), &levels) - 1;
	memset(l->figures, 0, FIGURES_MAX * sizeof(*l->figures));
	windows_walk(engine_windows(w->engine), true, look_at, l);
	return (l->found);
}

bool
world_series(struct world *w, enum dim dim, struct slice name, int64_t figures[FIGURES_MAX])
{
	return (look(w, &(struct looked_for){ .dim = dim, .name = name, .figures = figures }));
}

void
world_sum(struct world *w, enum dim dim, int64_t figures[FIGURES_MAX])
{
	look(w, &(struct looked_for){ .dim = dim, .any = true, .figures = figures });
}

/* ---- the world ---------------------------------------------------------------- */

static void
make_key(void *arg, int64_t day, struct hash_key *out)
{
	(void)arg;
	memset(out, 0, sizeof(*out));
	memcpy(out->bytes, &day, sizeof(day));
}

void
world_site_key(struct hash_key *key)
{
	memcpy(key->bytes, "the site's key..", HASH_KEY_LEN);
}

static bool
is_hosting(void *arg, struct slice addr)
{
	(void)arg;
	return (slice_starts(addr, SLICE("203.0.113.")));
}

void
world_keys(struct keyring *ring)
{
	world_site_key(&ring->site);
	ring->make = make_key;
}

struct world *
world_new(bool replay)
{
	static const char *const own_hosts[] = { "shop.example", NULL }, *const none[] = { NULL };
	static struct sources *sources;		/* the same for all worlds, as long as the process lives */
	static struct bots *bots;
	static const struct glob_rule tokens[] = { { { "/thanks*", 8 }, { "order", 5 } } };
	struct world *w = mem_calloc(1, sizeof(*w));
	struct engine_rules *r = &w->rules;
	struct err err;

	w->replay = replay;
	world_keys(&w->ring);
	w->store = strmap_new(&w->ring.site);
	if (sources == NULL)
		sources = sources_parse(slice_make(builtin_sources, builtin_sources_len), "sources.tsv", &err);
	if (bots == NULL)
		bots = bots_parse(slice_make(builtin_bots, builtin_bots_len), "bots.txt", &err);
	must(sources != NULL && bots != NULL);
	*r = (struct engine_rules){ .bots = bots, .source = { sources, own_hosts, none }, .n_identities = 3,
	    .tokens = tokens, .n_tokens = N_ELEM(tokens), .session_timeout_ms = 1800000, .lookback_ms = 30 * DAY_MS,
	    .basis = BASIS_TOTAL, .levels = windows_default, .n_levels = N_ELEM(windows_default), .max_series = 10000,
	    .is_hosting = is_hosting, .limits = evidence_usual };
	r->identities[0].kind = IDENTITY_COOKIE;
	r->identities[1].kind = IDENTITY_UID;
	r->identities[2].kind = IDENTITY_IP_UA;
	must(currency_parse(SLICE("EUR"), &r->currency));
	must(world_try_reload(w) == 0);
	return (w);
}

void
world_free(struct world **wp)
{
	struct world *w = *wp;
	struct record *r;

	engine_free(&w->engine);
	facts_maker_free(&w->maker);
	for (size_t i = 0; (r = strmap_next(w->store, &i, NULL)) != NULL;)
		record_free(r);
	strmap_free(&w->store);
	changes_free(&w->changes);
	keyring_clear(&w->ring);
	free(w);
	*wp = NULL;
}
