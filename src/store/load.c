/*
 * load: the state out of Redis: all of it at the start, single records when the engine asks.
 *
 * A load is a chain of pipelined steps; each step's last reply begins the next.  Any
 * lost connection or refusal ends it, and the engine that was being filled is thrown away.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/redis.h"
#include "store/redis_why.h"
#include "store/store_impl.h"

struct load {
	struct store *store;
	struct engine *engine;
	store_fn *fn;
	void *arg;
	size_t pending;			/* replies of this step still to come, and one for the step itself */
	void (*next)(struct load *);
	enum store_result result;
	char message[512];
	struct buf names;		/* of waiting orders: slices */
	const struct slice *buckets;
	size_t n_buckets;
};

struct load_one {			/* a reply that has to know its place */
	struct load *load;
	size_t index;
	struct slice name;
};

static struct slice
reply_slice(const struct redisReply *r)
{
	if (r == NULL || r->type == REDIS_REPLY_NIL || r->str == NULL)
		return (slice_make(NULL, 0));
	return (slice_make(r->str, r->len));
}

/* ---- steps --------------------------------------------------------------- */

static void
load_fail(struct load *l, enum store_result result, const char *message)
{
	if (l->result != STORE_OK)
		return;
	l->result = result;
	snprintf(l->message, sizeof(l->message), "%s", message);
}

static void
step_done(struct load *l)
{
	if (--l->pending > 0)
		return;
	if (l->result == STORE_OK && l->next != NULL) {
		l->next(l);
		return;
	}
	l->fn(l->result, l->message, l->arg);
	buf_free(&l->names);
	free(l);
}

static void
step_begin(struct load *l, void (*next)(struct load *))
{
	l->pending = 1;
	l->next = next;
}

/* True where the reply can be used; otherwise the load has failed. */
static bool
reply_fits(struct load *l, const struct redisReply *r, int type)
{
	const struct redis *redis = l->store->redis;
	struct err why;

	if (r != NULL && r->type == type)
		return (true);
	if (r == NULL)
		load_fail(l, STORE_DOWN, "");
	else if (r->type != REDIS_REPLY_ERROR)
		load_fail(l, STORE_REFUSED, "a record in Redis has an unexpected type");
	else {
		redis_why_error(redis_info(redis), redis_user(redis), r->str, &why);
		load_fail(l, STORE_REFUSED, why.msg);
	}
	return (false);
}

static void
damaged(struct load *l)
{
	engine_count(l->engine, COUNT_DAMAGED, 1);
}

static void
send_get(struct load *l, const char *command, struct slice name, redis_reply_fn *fn, void *arg)
{
	struct store *s = l->store;

	l->pending++;
	store_args_begin(s);
	store_arg(s, slice_of(command));
	store_arg_key(s, name);
	if (!store_send(s, fn, arg))
		fn(NULL, arg);
}

static struct load_one *
one_of(struct load *l, size_t index, struct slice name)
{
	struct load_one *one = mem_calloc(1, sizeof(*one) + name.len);

	one->load = l;
	one->index = index;
	if (name.len > 0)
		memcpy(one + 1, name.p, name.len);
	one->name = slice_make((char *)(one + 1), name.len);
	return (one);
}

/* ---- the whole state ------------------------------------------------------ */

static void
on_unconverted(struct redisReply *r, void *arg)
{
	struct load *l = arg;

	if (reply_fits(l, r, REDIS_REPLY_ARRAY))
		for (size_t i = 0; i < r->elements; i++)
			engine_load_unconverted(l->engine, reply_slice(r->element[i]));
	step_done(l);
}

static void
on_waiting_order(struct redisReply *r, void *arg)
{
	struct load_one *one = arg;
	struct load *l = one->load;

	if (r == NULL)
		load_fail(l, STORE_DOWN, "");
	else if (engine_load_waiting(l->engine, one->name, reply_slice(r)) != 0)
		damaged(l);
	free(one);
	step_done(l);
}

static void
load_waiting_orders(struct load *l)
{
	struct reader r = reader_of(buf_view(&l->names));

	step_begin(l, NULL);
	while (reader_more(&r)) {
		struct slice name = reader_slice(&r);

		send_get(l, "GET", name, on_waiting_order, one_of(l, 0, name));
	}
	send_get(l, "SMEMBERS", SLICE("unconverted"), on_unconverted, l);
	step_done(l);
}

static void
on_waiting(struct redisReply *r, void *arg)
{
	struct load *l = arg;

	if (reply_fits(l, r, REDIS_REPLY_ARRAY))
		for (size_t i = 0; i < r->elements; i++)
			buf_slice(&l->names, reply_slice(r->element[i]));
	step_done(l);
}

static void
on_open(struct redisReply *r, void *arg)
{
	struct load *l = arg;

	if (reply_fits(l, r, REDIS_REPLY_ARRAY))
		for (size_t i = 1; i < r->elements; i += 2)
			if (engine_load_open(l->engine, reply_slice(r->element[i])) != 0)
				damaged(l);
	step_done(l);
}

static void
on_bucket(struct redisReply *r, void *arg)
{
	struct load_one *one = arg;
	struct load *l = one->load;
	char message[300];

	if (r != NULL && r->type == REDIS_REPLY_ERROR) {
		snprintf(message, sizeof(message), "key %s%.*s: Redis says %.100s: remove or rename that key", l->store->prefix,
		    (int)one->name.len, one->name.p, r->str);
		load_fail(l, STORE_REFUSED, message);
	} else if (reply_fits(l, r, REDIS_REPLY_ARRAY))
		for (size_t i = 1; i < r->elements; i += 2)
			if (engine_load_bucket(l->engine, one->index, reply_slice(r->element[i - 1]), reply_slice(r->element[i])) != 0)
				damaged(l);
	free(one);
	step_done(l);
}

static void
on_forget(struct redisReply *r, void *arg)
{
	struct load *l = arg;

	if (reply_fits(l, r, REDIS_REPLY_ARRAY))
		for (size_t i = 1; i < r->elements; i += 2)
			if (engine_load_forget(l->engine, reply_slice(r->element[i])) != 0)
				damaged(l);
	step_done(l);
}

static void
load_buckets(struct load *l)
{
	step_begin(l, load_waiting_orders);
	l->buckets = engine_bucket_names(l->engine, &l->n_buckets);
	for (size_t i = 0; i < l->n_buckets; i++)
		send_get(l, "HGETALL", l->buckets[i], on_bucket, one_of(l, i, l->buckets[i]));
	send_get(l, "HGETALL", SLICE("open"), on_open, l);
	send_get(l, "HGETALL", SLICE("forget"), on_forget, l);
	send_get(l, "SMEMBERS", SLICE("waiting"), on_waiting, l);
	step_done(l);
}

static void
on_series(struct redisReply *r, void *arg)
{
	struct load *l = arg;

	if (reply_fits(l, r, REDIS_REPLY_ARRAY))
		for (size_t i = 1; i < r->elements; i += 2)
			if (engine_load_series(l->engine, reply_slice(r->element[i - 1]), reply_slice(r->element[i])) != 0)
				damaged(l);
	step_done(l);
}

static void
load_series(struct load *l)
{
	step_begin(l, load_buckets);
	send_get(l, "HGETALL", SLICE("s"), on_series, l);
	step_done(l);
}

void
store_take_text(struct buf *to, const struct redisReply *r, size_t i)
{
	struct slice text = r != NULL && i < r->elements ? reply_slice(r->element[i]) : SLICE("");

	to->len = 0;
	buf_put(to, text.p, text.len);
}

/* The word with which a script's reply begins. */
static struct slice
first_of(const struct redisReply *r)
{
	return (r != NULL && r->type == REDIS_REPLY_ARRAY && r->elements > 0 ? reply_slice(r->element[0]) : SLICE(""));
}

static void on_prepared(enum store_result, const char *message, void *arg);

static void
on_acquired(struct redisReply *r, void *arg)
{
	struct load *l = arg;
	struct store *s = l->store;
	enum store_result result = store_reply(s, r, l->message, sizeof(l->message));
	struct err err;

	if (slice_is(first_of(r), "REBUILD")) {
		l->message[0] = '\0';
		store_prepare(s, on_prepared, l);
		return;
	}
	if (slice_is(first_of(r), "SCHEMA"))
		store_take_text(&s->shown, r, 1);
	else if (result == STORE_OK && !store_is_building(s))
		store_take_text(&s->shown, NULL, 0);
	if (result == STORE_OK && r->elements == 7) {
		struct slice positions = reply_slice(r->element[3]), head = reply_slice(r->element[4]);

		uint64_t seq = strtoull(r->element[2]->str, NULL, 10);

		/* An emptied Redis is another story. */
		s->lost = s->seq_of == s->prefix_len && seq < s->seq && head.len > 0 ? s->seq - seq : 0;
		s->epoch = strtoull(r->element[1]->str, NULL, 10);
		s->seq = seq;
		s->seq_of = s->prefix_len;
		s->positions.len = 0;
		buf_put(&s->positions, positions.p, positions.len);
		s->was_empty = head.len == 0;
		s->again = reply_slice(r->element[5]).len > 0;
		store_take_text(&s->replaced, r, 6);
		s->swept = false;
		if (engine_load_head(l->engine, head, &err) != 0)
			load_fail(l, STORE_REFUSED, err.msg);
		else if (s->was_empty)
			l->next = NULL;
	} else
		l->result = result != STORE_OK ? result : STORE_REFUSED;
	step_done(l);
}

static void
load_begin(struct load *l)
{
	if (!store_acquire(l->store, on_acquired, l)) {
		load_fail(l, STORE_DOWN, "");
		step_done(l);
	}
}

static void
on_prepared(enum store_result result, const char *message, void *arg)
{
	struct load *l = arg;

	if (result == STORE_OK) {
		load_begin(l);
		return;
	}
	load_fail(l, result, message);
	step_done(l);
}

static void
on_preflight(enum store_result result, const char *message, void *arg)
{
	struct load *l = arg;

	step_begin(l, load_series);
	if (result != STORE_OK) {
		load_fail(l, result, message);
		step_done(l);
	} else if (l->store->wants_rebuild)
		store_prepare(l->store, on_prepared, l);
	else
		load_begin(l);
}

/* The records are looked at only where Redis will do. */
void
store_load(struct store *s, struct engine *e, store_fn *fn, void *arg)
{
	struct load *l = mem_calloc(1, sizeof(*l));

	*l = (struct load){ .store = s, .engine = e, .fn = fn, .arg = arg };
	store_choose(s, false);
	store_preflight(s, on_preflight, l);
}

/* ---- single records ------------------------------------------------------- */

struct fetch_one {
	struct load *load;
	size_t need, n;
};

static void
on_need(struct redisReply *r, void *arg)
{
	struct fetch_one *one = arg;
	struct load *l = one->load;
	struct slice values[NEED_NAMES_MAX];

	if (reply_fits(l, r, REDIS_REPLY_ARRAY) && r->elements == one->n) {
		for (size_t i = 0; i < one->n; i++)
			values[i] = reply_slice(r->element[i]);
		engine_supply(l->engine, one->need, values, one->n);
	}
	free(one);
	step_done(l);
}

static void
fetch_done(struct load *l)
{
	step_begin(l, NULL);
	engine_supplied(l->engine);
	step_done(l);
}

static void
fetch_send(struct load *l)
{
	struct store *s = l->store;
	const struct need *needs;
	size_t n = engine_needs(l->engine, &needs);

	step_begin(l, fetch_done);
	for (size_t i = 0; i < n; i++) {
		struct fetch_one *one = mem_calloc(1, sizeof(*one));

		*one = (struct fetch_one){ l, i, needs[i].n_names };
		l->pending++;
		store_args_begin(s);
		store_arg(s, SLICE("MGET"));
		for (size_t k = 0; k < needs[i].n_names; k++)
			store_arg_key(s, needs[i].names[k]);
		if (!store_send(s, on_need, one))
			on_need(NULL, one);
	}
	step_done(l);
}

/* A commit that is still being validated would be overtaken, and what it takes out of the
 * engine's memory would be nowhere: the fetch waits until it is written. */
void
store_fetch(struct store *s, struct engine *e, store_fn *fn, void *arg)
{
	struct load *l = mem_calloc(1, sizeof(*l));

	*l = (struct load){ .store = s, .engine = e, .fn = fn, .arg = arg };
	if (s->validating) {
		must(s->waiting_fetch == NULL);
		s->waiting_fetch = l;
	} else
		fetch_send(l);
}

void
store_fetch_waiting(struct store *s)
{
	struct load *l = s->waiting_fetch;

	s->waiting_fetch = NULL;
	if (l != NULL)
		fetch_send(l);
}

/* ---- requests -------------------------------------------------------------- */

struct ask {
	void (*fn)(struct slice, void *);
	void *arg;
};

static void
on_requests(struct redisReply *r, void *arg)
{
	struct ask *ask = arg;

	for (size_t i = 1; r != NULL && r->type == REDIS_REPLY_ARRAY && i < r->elements; i += 2)
		ask->fn(reply_slice(r->element[i]), ask->arg);
	free(ask);
}

void
store_requests(struct store *s, void (*fn)(struct slice, void *), void *arg)
{
	struct ask *ask = mem_alloc(sizeof(*ask));

	*ask = (struct ask){ fn, arg };
	store_args_begin(s);
	store_arg(s, SLICE("HGETALL"));
	store_arg_key(s, SLICE("forget"));
	if (!store_send(s, on_requests, ask))
		free(ask);
}
