/*
 * publish: see publish.h.
 */
#include "store/publish.h"

#include <hiredis/hiredis.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "core/evidence.h"
#include "store/redis.h"

/* ---- figures as text ------------------------------------------------------ */

static long double
scale_of(struct currency c)
{
	return (powl(10, currency_exponent(c)));
}

static void
put_ratio(struct field *f, const char *name, long double a, long double b)
{
	f->name = name;
	if (b == 0)
		snprintf(f->value, sizeof(f->value), "0");
	else
		snprintf(f->value, sizeof(f->value), "%.6g", (double)(a / b));
}

static void
put_money(struct field *f, const char *name, int64_t minor, struct currency c)
{
	f->name = name;
	money_format(minor, c, f->value);
}

static void
put_count(struct field *f, const char *name, int64_t n)
{
	f->name = name;
	snprintf(f->value, sizeof(f->value), "%lld", (long long)n);
}

/* Four decimals of a count in 1/ORDER_ONE. */
static void
put_orders(struct field *f, int64_t nano)
{
	int64_t tenthousandths = (nano + ORDER_ONE / 20000) / (ORDER_ONE / 10000);

	f->name = "orders";
	snprintf(f->value, sizeof(f->value), "%lld.%04lld", (long long)(tenthousandths / 10000), (long long)(tenthousandths % 10000));
}

static void
put_time(struct field *f, const char *name, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	f->name = name;
	gmtime_r(&seconds, &tm);
	strftime(f->value, sizeof(f->value), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static size_t
fetch_fields(enum dim dim, const int64_t *figures, int64_t now_ms, struct field *fields)
{
	static const char *const of_bot[] = { "fetches", "pages", "errors" }, *const of_page[] = { "fetches", "search", "ai_crawler", "ai_assistant" };
	const char *const *names = dim == DIM_BOT ? of_bot : of_page;
	size_t n = dim == DIM_BOT ? N_ELEM(of_bot) : N_ELEM(of_page);

	for (size_t i = 0; i < n; i++)
		put_count(&fields[i], names[i], figures[FIG_FETCHES + i]);
	put_time(&fields[n], "updated", now_ms);
	return (n + 1);
}

/* The same figures under both rules, whichever the site has: orders are never left out, and so the revenue is one. */
static size_t
put_evidence(struct field *fields, const int64_t *figures, long double revenue, long double scale)
{
	static const char *const names[] = { "evidence_robots", "evidence_no_assets", "evidence_rate", "evidence_errors", "evidence_hosting" };
	int64_t lenient = figures[FIG_VISITS] + figures[FIG_LEFT_OUT], strict = lenient - figures[FIG_SUSPECTS];

	_Static_assert(N_ELEM(names) == EVIDENCES, "a name for each evidence");
	put_count(&fields[0], "visits_lenient", lenient);
	put_ratio(&fields[1], "rpv_lenient", revenue, (long double)lenient * scale);
	put_count(&fields[2], "visits_strict", strict);
	put_ratio(&fields[3], "rpv_strict", revenue, (long double)strict * scale);
	for (size_t i = 0; i < EVIDENCES; i++)
		put_count(&fields[4 + i], names[i], figures[FIG_EVIDENCE + i]);
	return (4 + EVIDENCES);
}

size_t
publish_fields(const struct publish_conf *conf, enum dim dim, int model, const int64_t *figures, int64_t now_ms,
    struct field fields[PUBLISH_FIELDS_MAX])
{
	const int64_t *m = figures + FIG_ORDERS + (dim_by_touch(dim) ? 4 * model : 0);
	long double visits = figures[FIG_VISITS], orders = (long double)m[0] / ORDER_ONE, revenue = m[1];
	long double scale = scale_of(conf->currency);
	size_t n = 0;

	if (dim_of_bots(dim))
		return (fetch_fields(dim, figures, now_ms, fields));
	put_count(&fields[n++], "visits", figures[FIG_VISITS]);
	put_orders(&fields[n++], m[0]);
	put_money(&fields[n++], "revenue", m[1], conf->currency);
	put_ratio(&fields[n++], "rpv", revenue, visits * scale);
	put_ratio(&fields[n++], "conversion_rate", orders, visits);
	put_ratio(&fields[n++], "aov", revenue, orders * scale);
	put_money(&fields[n++], "refunds", m[2], conf->currency);
	put_money(&fields[n++], "recurring", m[3], conf->currency);
	put_time(&fields[n++], "updated", now_ms);
	if (dim != DIM_TOTAL)
		return (n);
	put_money(&fields[n++], "sales", figures[FIG_SALES], conf->currency);
	put_count(&fields[n++], "sales_orders", figures[FIG_SALES_ORDERS]);
	put_money(&fields[n++], "unattributed", figures[FIG_UNATTRIBUTED], conf->currency);
	put_ratio(&fields[n++], "coverage", (long double)(figures[FIG_SALES] - figures[FIG_UNATTRIBUTED]), (long double)figures[FIG_SALES]);
	n += put_evidence(&fields[n], figures, revenue, scale);
	fields[n].name = "currency";
	snprintf(fields[n++].value, sizeof(fields[0].value), "%s", conf->currency.code);
	return (n);
}

/* ---- commands ------------------------------------------------------------ */

struct run {
	struct redis *redis;
	const struct publish_conf *conf;
	const struct level *levels;
	int64_t now_ms;
	bool sent;			/* no command was refused for want of a connection */
	struct batch *batch;
};

#define SERIES_AT_ONCE 256		/* some megabytes of commands: the next are made when these were answered */

/* Outlives publish(): commands whose replies are still to come, and series still to be sent. */
struct batch {
	size_t pending;
	bool ok;
	char error[256];
	publish_fn *done;
	void *arg;
	struct redis *redis;
	struct publish_conf conf;
	struct windows *windows;	/* NULL: there is nothing more to be sent */
	struct windows_walk walk;
};

static bool batch_send(struct batch *);

/* A command of a batch, and the key that an error is about: its reply does not name it. */
struct sent {
	struct batch *batch;
	size_t len;
	char key[];
};

static void
on_reply(struct redisReply *r, void *arg)
{
	struct batch *b = arg;

	if (r == NULL || r->type == REDIS_REPLY_ERROR) {
		if (b->ok)
			snprintf(b->error, sizeof(b->error), "%.200s", r != NULL ? r->str : "connection lost");
		b->ok = false;
	}
	if (--b->pending > 0 || (b->windows != NULL && r != NULL && batch_send(b)))
		return;
	if (b->done != NULL)
		b->done(b->ok, b->error, b->arg);
	free(b->walk.numbers);
	free(b);
}

static void
on_sent(struct redisReply *r, void *arg)
{
	struct sent *sent = arg;
	struct batch *b = sent->batch;

	if (r != NULL && r->type == REDIS_REPLY_ERROR && b->ok) {
		snprintf(b->error, sizeof(b->error), "key %.*s: %.100s", (int)sent->len, sent->key, r->str);
		b->ok = false;
	}
	free(sent);
	on_reply(r, b);
}

static void
send_command(struct run *run, size_t argc, const struct slice *argv)
{
	size_t len = argv[1].len < 140 ? argv[1].len : 140;
	struct sent *sent = mem_alloc(sizeof(*sent) + len);

	sent->batch = run->batch;
	sent->len = len;
	memcpy(sent->key, argv[1].p, len);
	run->batch->pending++;
	if (redis_command(run->redis, on_sent, sent, argc, argv))
		return;
	free(sent);
	run->batch->pending--;
	run->sent = false;
}

static void
put_dim(struct buf *out, const struct run *run, size_t level, enum dim dim, int model)
{
	buf_printf(out, "rpv:%s:%s:%s", run->conf->site, run->levels[level].name, dim_name(dim));
	if (dim_by_touch(dim) && model != run->conf->model)
		buf_printf(out, ".%s", conf_model_name((enum conf_model)model));
}

static void
send_hash(struct run *run, struct slice key, const struct field *fields, size_t n)
{
	struct slice argv[2 + 2 * PUBLISH_FIELDS_MAX] = { SLICE("HSET"), key };

	for (size_t i = 0; i < n; i++) {
		argv[2 + 2 * i] = slice_of(fields[i].name);
		argv[3 + 2 * i] = slice_of(fields[i].value);
	}
	send_command(run, 2 + 2 * n, argv);
}

/* A name stands in the first set as long as anything else is there of it, also when rpvd is killed
 * between two commands: first to come, last to go.  The sweep looks at that set alone. */
static const char *const orders_by[3] = { "", "@rpv", "@visits" };

/* What bots fetch has one order. */
static size_t
orders_of(enum dim dim)
{
	return (dim_of_bots(dim) ? 1 : N_ELEM(orders_by));
}

static void
send_ranks(struct run *run, enum dim dim, struct slice zset, struct slice value, const struct field *fields)
{
	static const size_t by_worth[3] = { 2, 3, 0 }, by_fetches[1] = { 0 };	/* revenue, rpv, visits */
	const size_t *score_field = dim_of_bots(dim) ? by_fetches : by_worth;

	for (size_t i = 0; i < orders_of(dim); i++) {
		struct buf key = { 0 };

		buf_put(&key, zset.p, zset.len);
		buf_puts(&key, orders_by[i]);
		send_command(run, 4, (struct slice[]){ SLICE("ZADD"), buf_view(&key), slice_of(fields[score_field[i]].value), value });
		buf_free(&key);
	}
}

/* Every field that a series may have. */
static const char *const field_names[] = { "visits", "orders", "revenue", "rpv", "conversion_rate", "aov", "refunds", "recurring",
	"updated", "fetches", "pages", "errors", "search", "ai_crawler", "ai_assistant" };

/* The last field takes the key with it.  Not UNLINK: what another program put there is not ours to remove. */
static void
send_removal(struct run *run, enum dim dim, struct slice key, struct slice zset, struct slice value)
{
	struct slice argv[2 + N_ELEM(field_names)] = { SLICE("HDEL"), key };

	for (size_t i = 0; i < N_ELEM(field_names); i++)
		argv[2 + i] = slice_of(field_names[i]);
	send_command(run, N_ELEM(argv), argv);
	for (size_t i = orders_of(dim); i-- > 0;) {
		struct buf name = { 0 };

		buf_put(&name, zset.p, zset.len);
		buf_puts(&name, orders_by[i]);
		send_command(run, 3, (struct slice[]){ SLICE("ZREM"), buf_view(&name), value });
		buf_free(&name);
	}
}

static void
publish_one(const struct series_view *s, size_t level, void *arg)
{
	struct run *run = arg;
	struct field fields[PUBLISH_FIELDS_MAX];
	struct buf zset = { 0 }, key = { 0 };
	size_t n;

	for (int model = 0; model < (dim_by_touch(s->dim) ? CONF_MODELS : 1); model++) {
		zset.len = key.len = 0;
		put_dim(&zset, run, level, s->dim, model);
		buf_put(&key, zset.p, zset.len);
		if (s->dim != DIM_TOTAL) {
			buf_putc(&key, ':');
			buf_put(&key, s->name.p, s->name.len);
		}
		if (s->figures == NULL) {
			send_removal(run, s->dim, buf_view(&key), buf_view(&zset), s->name);
			continue;
		}
		n = publish_fields(run->conf, s->dim, model, s->figures, run->now_ms, fields);
		if (s->dim != DIM_TOTAL)
			send_ranks(run, s->dim, buf_view(&zset), s->name, fields);
		send_hash(run, buf_view(&key), fields, n);
	}
	buf_free(&zset);
	buf_free(&key);
}

/* The next series; false where the connection is lost. */
static bool
batch_send(struct batch *b)
{
	struct run run = { .redis = b->redis, .conf = &b->conf, .now_ms = windows_now(b->windows), .sent = true, .batch = b };

	if (b->conf.may_go_on != NULL && !b->conf.may_go_on(b->conf.arg)) {
		snprintf(b->error, sizeof(b->error), "another rpvd may have this site: this one, or Redis, stood still too long");
		return (b->ok = false);
	}
	windows_levels(b->windows, &run.levels);
	b->pending = 1;
	if (!windows_walk_on(b->windows, &b->walk, SERIES_AT_ONCE, publish_one, &run))
		b->windows = NULL;
	/* One command more, whose reply is the last: so that `done` is never called from here. */
	if (run.sent && redis_command(b->redis, on_reply, b, 1, (struct slice[]){ SLICE("PING") }))
		return (true);
	return (b->ok = false);		/* then none of them was sent */
}

bool
publish(struct redis *redis, const struct publish_conf *conf, struct windows *w, bool all, publish_fn *done, void *arg)
{
	struct batch *batch;

	if (!redis_is_up(redis))
		return (false);
	batch = mem_calloc(1, sizeof(*batch));
	*batch = (struct batch){ .ok = true, .done = done, .arg = arg, .redis = redis, .conf = *conf, .windows = w };
	windows_walk_begin(w, all, &batch->walk);
	if (batch_send(batch))
		return (true);
	free(batch->walk.numbers);
	free(batch);
	return (false);
}

/* ---- what was left behind ------------------------------------------------- */

struct sweep {
	struct redis *redis;
	struct publish_conf conf;
	struct windows *windows;
	size_t level;
	enum dim dim;
	int model;
};

static void
on_members(struct redisReply *r, void *arg)
{
	struct sweep *s = arg;
	struct run run = { .redis = s->redis, .conf = &s->conf, .sent = true };
	struct batch *batch = mem_calloc(1, sizeof(*batch));

	*batch = (struct batch){ .pending = 1, .ok = true };
	run.batch = batch;
	windows_levels(s->windows, &run.levels);
	for (size_t i = 0; r != NULL && r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
		struct slice value = slice_make(r->element[i]->str, r->element[i]->len);
		struct buf zset = { 0 }, key = { 0 };

		if (windows_alive(s->windows, s->level, s->dim, value))
			continue;
		put_dim(&zset, &run, s->level, s->dim, s->model);
		buf_put(&key, zset.p, zset.len);
		buf_putc(&key, ':');
		buf_put(&key, value.p, value.len);
		send_removal(&run, s->dim, buf_view(&key), buf_view(&zset), value);
		buf_free(&zset);
		buf_free(&key);
	}
	on_reply(r, batch);
	free(s);
}

static bool
sweep_one(struct redis *redis, const struct publish_conf *conf, struct windows *w, size_t level, enum dim dim, int model)
{
	struct run run = { .conf = conf };
	struct sweep *s = mem_calloc(1, sizeof(*s));
	struct buf key = { 0 };
	bool ok;

	*s = (struct sweep){ redis, *conf, w, level, dim, model };
	windows_levels(w, &run.levels);
	put_dim(&key, &run, level, dim, model);
	ok = redis_command(redis, on_members, s, 4, (struct slice[]){ SLICE("ZRANGE"), buf_view(&key), SLICE("0"), SLICE("-1") });
	buf_free(&key);
	if (!ok)
		free(s);
	return (ok);
}

bool
publish_sweep(struct redis *redis, const struct publish_conf *conf, struct windows *w)
{
	const struct level *levels;
	size_t n = windows_levels(w, &levels);

	for (size_t level = 0; level < n; level++)
		for (enum dim dim = DIM_LANDING; dim < DIMS; dim++)
			for (int model = 0; model < (dim_by_touch(dim) ? CONF_MODELS : 1); model++)
				if (!sweep_one(redis, conf, w, level, dim, model))
					return (false);
	return (true);
}

/* ---- windows that are no more ---------------------------------------------- */

#define REMOVED_AT_ONCE "255"		/* last place of a portion of names */

struct removal {			/* of all sets of all windows, one after the other */
	struct redis *redis;
	struct publish_conf conf;
	struct buf windows;
	struct slice rest;		/* windows behind this one */
	struct level window;
	char name[32];
	enum dim dim;
	int model;
	struct buf first;		/* of the last portion: where it comes again, it cannot be removed */
	bool ok;
	char error[256];
	publish_fn *done;
	void *arg;
};

static void
removal_end(struct removal *m, const char *error)
{
	if (error != NULL && m->ok)
		snprintf(m->error, sizeof(m->error), "%s", error);
	m->ok = m->ok && error == NULL;
	m->done(m->ok, m->error, m->arg);
	buf_free(&m->windows);
	buf_free(&m->first);
	free(m);
}

/* The run of a batch that goes on with `done`; publish_one() and its like write into it. */
static struct run
removal_run(struct removal *m, publish_fn *done)
{
	struct batch *batch = mem_calloc(1, sizeof(*batch));

	*batch = (struct batch){ .pending = 1, .ok = true, .done = done, .arg = m };
	return (struct run){ .redis = m->redis, .conf = &m->conf, .levels = &m->window, .sent = true, .batch = batch };
}

/* False where the connection is lost: then none of it was sent. */
static bool
removal_run_end(struct run *run)
{
	if (run->sent && redis_command(run->redis, on_reply, run->batch, 1, (struct slice[]){ SLICE("PING") }))
		return (true);
	free(run->batch);
	return (false);
}

static bool
removal_next_window(struct removal *m)
{
	struct slice name;

	if (m->rest.len == 0)
		return (false);
	name = slice_cut(&m->rest, ' ');
	snprintf(m->name, sizeof(m->name), "%.*s", SLICE_FMT(name));
	m->window = (struct level){ .name = m->name };
	m->dim = DIM_TOTAL;
	return (true);
}

/* False behind the last set of the last window. */
static bool
removal_next_set(struct removal *m)
{
	m->first.len = 0;
	if (dim_by_touch(m->dim) && m->model + 1 < CONF_MODELS) {
		m->model++;
		return (true);
	}
	m->model = 0;
	return (++m->dim < DIMS || removal_next_window(m));
}

static bool removal_ask(struct removal *);

/* What could not be removed stays, and the rest goes. */
static void
on_removed(bool ok, const char *error, void *arg)
{
	struct removal *m = arg;

	if (!ok && m->ok)
		snprintf(m->error, sizeof(m->error), "%s", error);
	m->ok = m->ok && ok;
	if (m->dim == DIM_TOTAL && !removal_next_set(m))
		removal_end(m, NULL);
	else if (m->conf.may_go_on != NULL && !m->conf.may_go_on(m->conf.arg))
		removal_end(m, "rpvd stops, or another one may have this site");
	else if (!removal_ask(m))
		removal_end(m, "connection lost");
}

static bool
remove_total(struct removal *m)
{
	static const int64_t none[FIGURES_MAX];
	struct run run = removal_run(m, on_removed);
	struct field fields[PUBLISH_FIELDS_MAX];
	size_t n = publish_fields(&m->conf, DIM_TOTAL, 0, none, 0, fields);
	struct slice argv[2 + PUBLISH_FIELDS_MAX] = { SLICE("HDEL") };
	struct buf key = { 0 };

	put_dim(&key, &run, 0, DIM_TOTAL, 0);
	argv[1] = buf_view(&key);
	for (size_t i = 0; i < n; i++)
		argv[2 + i] = slice_of(fields[i].name);
	send_command(&run, 2 + n, argv);
	buf_free(&key);
	return (removal_run_end(&run));
}

static bool
remove_portion(struct removal *m, const struct redisReply *names)
{
	struct run run = removal_run(m, on_removed);
	struct buf zset = { 0 }, key = { 0 };

	put_dim(&zset, &run, 0, m->dim, m->model);
	for (size_t i = 0; i < names->elements; i++) {
		struct slice value = slice_make(names->element[i]->str, names->element[i]->len);

		key.len = 0;
		buf_put(&key, zset.p, zset.len);
		buf_putc(&key, ':');
		buf_put(&key, value.p, value.len);
		send_removal(&run, m->dim, buf_view(&key), buf_view(&zset), value);
	}
	buf_free(&zset);
	buf_free(&key);
	return (removal_run_end(&run));
}

/* A set of another type is another program's. */
static bool
on_names(struct removal *m, const struct redisReply *r)
{
	struct slice first = SLICE("");

	if (r->type == REDIS_REPLY_ARRAY && r->elements > 0)
		first = slice_make(r->element[0]->str, r->element[0]->len);
	if (r->type != REDIS_REPLY_ARRAY || r->elements == 0 || (m->first.len > 0 && slice_equal(first, buf_view(&m->first)))) {
		if (removal_next_set(m))
			return (removal_ask(m));
		removal_end(m, NULL);
		return (true);
	}
	m->first.len = 0;
	buf_put(&m->first, first.p, first.len);
	return (remove_portion(m, r));
}

static void
on_left(struct redisReply *r, void *arg)
{
	struct removal *m = arg;

	if (r == NULL || !on_names(m, r))
		removal_end(m, "connection lost");
}

/* What there is of this set; the total has none. */
static bool
removal_ask(struct removal *m)
{
	struct run run = { .conf = &m->conf, .levels = &m->window };
	struct buf key = { 0 };
	bool ok;

	if (m->dim == DIM_TOTAL)
		return (remove_total(m));
	put_dim(&key, &run, 0, m->dim, m->model);
	ok = redis_command(m->redis, on_left, m, 4, (struct slice[]){ SLICE("ZRANGE"), buf_view(&key), SLICE("0"), SLICE(REMOVED_AT_ONCE) });
	buf_free(&key);
	return (ok);
}

bool
publish_remove(struct redis *redis, const struct publish_conf *conf, struct slice windows, publish_fn *done, void *arg)
{
	struct removal *m = mem_calloc(1, sizeof(*m));

	*m = (struct removal){ .redis = redis, .conf = *conf, .ok = true, .done = done, .arg = arg };
	buf_put(&m->windows, windows.p, windows.len);
	m->rest = buf_view(&m->windows);
	if (removal_next_window(m) && removal_ask(m))
		return (true);
	buf_free(&m->windows);
	free(m);
	return (false);
}

/* ---- the status ------------------------------------------------------------- */

/* Whole: what is no longer true goes with the same step. */
static const char status_script[] =
    "local have = redis.call('TYPE', KEYS[1])['ok']\n"
    "if have ~= 'hash' and have ~= 'none' then return redis.error_reply('WRONGTYPE') end\n"
    "redis.call('DEL', KEYS[1])\n"
    "redis.call('HSET', KEYS[1], unpack(ARGV))\n"
    "return redis.status_reply('OK')\n";

bool
publish_status(struct redis *redis, const char *site, const struct slice *pairs, size_t n, redis_reply_fn *fn, void *arg)
{
	struct slice *argv = mem_calloc(n + 4, sizeof(*argv));
	struct buf key = { 0 };
	bool ok;

	buf_printf(&key, "rpv:%s:status", site);
	argv[0] = SLICE("EVAL");
	argv[1] = slice_of(status_script);
	argv[2] = SLICE("1");
	argv[3] = buf_view(&key);
	memcpy(argv + 4, pairs, n * sizeof(*pairs));
	ok = redis_command(redis, fn, arg, n + 4, argv);
	buf_free(&key);
	free(argv);
	return (ok);
}
