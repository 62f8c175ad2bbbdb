/*
 * Properties of the engine over random inputs.
 *
 * What a commit, a crash, a restart, a redelivery or another order of events may not
 * change is compared with a run in which there was none.  The seed is printed;
 * RPVD_SEED=N runs the same again.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "engine_world.h"

#define INPUTS_MAX 400
#define TEXTS 4096
#define FORGETS 8

struct script {				/* inputs, and the bytes that they borrow */
	struct input list[INPUTS_MAX];
	size_t n;
	char texts[TEXTS][48];
	size_t n_texts;
	struct forget forgets[FORGETS];
	size_t n_forgets;
};

static struct script script;

/* ---- random inputs ------------------------------------------------------------ */

static struct slice
text(const char *fmt, unsigned a)
{
	char *out;

	must(script.n_texts < TEXTS);
	out = script.texts[script.n_texts++];
	snprintf(out, sizeof(script.texts[0]), fmt, a);
	return (slice_of(out));
}

static struct slice
one_of(struct random *r, const char *const *list, size_t n)
{
	return (slice_of(list[random_below(r, n)]));
}

/* Now and then a gap around the session timeout, a night, or days. */
static int64_t
random_gap(struct random *r, int64_t timeout)
{
	switch (random_below(r, 12)) {
	case 0: return (timeout);
	case 1: return (timeout + 1);
	case 2: return (timeout / 2);
	case 3: return ((int64_t)random_below(r, 12 * 3600000));
	case 4: return (random_below(r, 4) == 0 ? (int64_t)random_below(r, 5 * DAY_MS) : 0);
	case 5: return (30000);
	default: return ((int64_t)random_below(r, 60000));
	}
}

static void
random_hit(struct random *r, struct input *in)
{
	static const char *const agents[] = { "Firefox/140", "iPad", "Googlebot" };
	static const char *const targets[] = { "/", "/a", "/b", "/c/d", "/e.css", "/b?utm_source=news&utm_medium=email",
	    "/a?utm_source=ads&utm_medium=cpc&utm_campaign=spring", "/a?gclid=1", "/p/1", "/p/2", "/robots.txt" };
	static const char *const referrers[] = { "", "", "", "https://shop.example/a", "https://shop.example/", "https://www.google.com/", "https://blog.example/",
	    "https://checkout.stripe.com/x" };
	struct hit *h = &in->hit;

	*h = (struct hit){ .time_ms = in->ms, .status = random_below(r, 8) == 0 ? random_below(r, 2) == 0 ? 302 : 404 : 200, .method = SLICE("GET") };
	h->agent = one_of(r, agents, random_below(r, 10) == 0 ? 3 : 2);
	h->addr = text(random_below(r, 20) == 0 ? "203.0.113.%u" : "192.0.2.%u", (unsigned)random_below(r, 3));
	h->target = random_below(r, 4) == 0 ? text("/thanks?order=t%u", (unsigned)random_below(r, 8)) : one_of(r, targets, N_ELEM(targets));
	h->referrer = one_of(r, referrers, N_ELEM(referrers));
	if (random_below(r, 3) != 0)
		h->cookies[0] = text("v%u", (unsigned)random_below(r, 4));
}

static void
random_keys(struct random *r, struct order_message *m)
{
	if (random_below(r, 3) == 0)
		m->visitor = text("v%u", (unsigned)random_below(r, 5));
	for (size_t n = random_below(r, 3); n > 0; n--)
		m->tokens[m->n_tokens++] = text("t%u", (unsigned)random_below(r, 8));
	if (random_below(r, 3) == 0) {
		m->ip = text("192.0.2.%u", (unsigned)random_below(r, 3));
		m->user_agent = SLICE("Firefox/140");
	}
	if (random_below(r, 2) == 0)
		m->customer = random_below(r, 2) == 0 ? text("k%u", (unsigned)random_below(r, 2)) : SLICE("email:a@b.example");
	m->recurring = random_below(r, 4) == 0;
}

static void
random_event(struct random *r, struct input *in, bool currencies)
{
	struct order_message *m = &in->message;

	*m = (struct order_message){ .provider = random_below(r, 8) == 0 ? SLICE("other") : SLICE("generic"), .time_ms = in->ms };
	m->kind = random_below(r, 2) == 0 ? ORDER_PAID : (enum order_kind)random_below(r, ORDER_KINDS);
	m->order_id = text("o%u", (unsigned)random_below(r, 10));
	currency_parse(currencies && random_below(r, 6) == 0 ? SLICE("USD") : SLICE("EUR"), &m->currency);
	m->amount = (int64_t)random_below(r, 10000);
	if (m->kind == ORDER_ALIAS)
		m->aliases[m->n_aliases++] = text("o%u", (unsigned)random_below(r, 10));
	else if (m->kind == ORDER_PAID)
		random_keys(r, m);
	else
		m->part_id = text("r%u", (unsigned)random_below(r, 3));
	m->cumulative = m->kind == ORDER_REFUNDED && random_below(r, 3) == 0;
	/* Told later than it happened, by seconds or by days. */
	m->time_ms -= random_below(r, 4) == 0 ? random_gap(r, 1800000) : (int64_t)random_below(r, 20000);
}

/* Some visitor and some customer are forgotten, and some orders, whoever's these are. */
static void
random_forget(struct random *r, struct input *in)
{
	struct forget *f = &script.forgets[script.n_forgets];
	struct keyring ring = { .n_days = 0 };
	struct order_message m = { .provider = SLICE("generic"), .time_ms = in->ms };
	struct order_event e;
	char name[32];

	*in = (struct input){ .kind = INPUT_FORGET, .ms = in->ms, .forget = f };
	world_keys(&ring);
	forget_clear(f);
	f->id = ++script.n_forgets;
	m.visitor = text("v%u", (unsigned)random_below(r, 4));
	m.customer = random_below(r, 2) == 0 ? text("k%u", (unsigned)random_below(r, 2)) : SLICE("email:a@b.example");
	if (random_below(r, 2) == 0) {
		m.ip = text("192.0.2.%u", (unsigned)random_below(r, 3));
		m.user_agent = SLICE("Firefox/140");
	}
	order_event_hash(&ring, &m, &e);
	keyring_clear(&ring);
	forget_add_hash(f, e.visitors[0]);
	forget_add_hash(f, e.agents[0]);
	forget_add_hash(f, e.agents[1]);
	forget_add_hash(f, e.customer);
	for (size_t i = random_below(r, 4); i > 0; i--) {
		snprintf(name, sizeof(name), "o:generic:o%u", (unsigned)random_below(r, 10));
		forget_add_order(f, slice_of(name));
	}
}

enum { CURRENCIES = 1, PERSONS = 2 };	/* what more a script may hold: other currencies; that persons are forgotten */

static void
make_script(struct random *r, size_t n, int64_t timeout, int more)
{
	int64_t clock = WORLD_DAY + 20 * 3600000, highest = INT64_MIN;

	script.n = n;
	script.n_texts = script.n_forgets = 0;
	for (size_t i = 0; i < n; i++) {
		struct input *in = &script.list[i];

		*in = (struct input){ .kind = random_below(r, 3) == 0 ? INPUT_EVENT : INPUT_HIT };
		clock += random_gap(r, timeout);
		in->ms = clock;
		if ((more & PERSONS) != 0 && script.n_forgets < FORGETS && random_below(r, 16) == 0) {
			random_forget(r, in);
			continue;
		}
		if (in->kind == INPUT_EVENT) {
			random_event(r, in, (more & CURRENCIES) != 0);
			continue;
		}
		if (random_below(r, 12) == 0)
			in->ms -= random_gap(r, timeout);
		random_hit(r, in);
		in->late = in->ms < highest;
		highest = in->late ? highest : in->ms;
		if (random_below(r, 16) == 0)
			*in = (struct input){ .kind = INPUT_UNTIL, .ms = clock };
	}
	script.list[n - 1] = (struct input){ .kind = INPUT_UNTIL, .ms = random_below(r, 2) == 0 ? INT64_MAX : clock + 1800001 };
}

/* ---- runs ----------------------------------------------------------------------- */

enum policy { NEVER, EVERY_COMMIT, EVERY_RELOAD, RANDOM_RELOAD, RANDOM_CRASH, POLICIES };

static const char *const policy_names[] = { "never", "a commit after each", "a reload after each", "random reloads", "random crashes" };

struct setting {
	bool replay;
	int64_t timeout;
	size_t max_series;
	bool strict;			/* visits with evidence against them are left out */
	size_t visits_bytes;		/* what visits may take of memory where there are commits, at first; 0: all of it, always */
};

/* settle: as rules.settle_visits. */
static struct world *
world_of(const struct setting *s, size_t settle)
{
	struct world *w = world_new(s->replay);

	w->rules.session_timeout_ms = s->timeout;
	w->rules.max_series = s->max_series;
	w->rules.visits_bytes = s->visits_bytes;
	w->rules.settle_visits = settle;
	w->rules.strict = s->strict;
	w->rules.limits = (struct evidence_limits){ .bare_views = 2, .assets_known = 1, .rate_views = 3, .rate_ms = 40000, .errors = 1 };
	world_reload(w);
	return (w);
}

static void
after_input(struct world *w, enum policy policy, bool varies, struct random *r, size_t *i, size_t *committed)
{
	static const size_t rooms[] = { 1, 1000, 2000, 4000, 0 };
	bool commit = policy == EVERY_COMMIT || policy == EVERY_RELOAD || (policy >= RANDOM_RELOAD && random_below(r, 4) == 0);
	bool reload = policy == EVERY_RELOAD || (policy == RANDOM_RELOAD && commit && random_below(r, 2) == 0);

	if (varies && random_below(r, 8) == 0) {
		w->rules.visits_bytes = rooms[random_below(r, N_ELEM(rooms))];
		engine_set_rules(w->engine, &w->rules);
	}
	if (commit) {
		world_commit(w);
		*committed = *i + 1;
	}
	if (reload)
		world_reload(w);
	if (policy == RANDOM_CRASH && random_below(r, 20) == 0) {
		world_reload(w);		/* what was not committed is read again */
		*i = *committed - 1;
	}
}

static char *
run(const struct setting *s, enum policy policy, struct random *r)
{
	struct world *w = world_of(s, policy == NEVER ? SIZE_MAX / 2 : 1 + random_below(r, 4));
	size_t committed = 0;
	char *figures;

	for (size_t i = 0; i < script.n; i++) {
		world_take(w, &script.list[i]);
		after_input(w, policy, s->visits_bytes > 0, r, &i, &committed);
	}
	figures = world_figures(w);
	world_free(&w);
	return (figures);
}

/* Committed, thrown away and loaded again once, behind input k. */
static char *
run_cut(const struct setting *s, size_t k)
{
	struct world *w = world_of(s, 1);
	char *figures;

	for (size_t i = 0; i < script.n; i++) {
		world_take(w, &script.list[i]);
		if (i != k)
			continue;
		world_commit(w);
		world_reload(w);
	}
	figures = world_figures(w);
	world_free(&w);
	return (figures);
}

/* The first line in which two texts differ. */
static void
expect_same(const char *is, const char *expected, const char *what, size_t where)
{
	struct slice a = slice_of(is), b = slice_of(expected), x, y;

	while (a.len > 0 || b.len > 0) {
		x = slice_cut(&a, '\n');
		y = slice_cut(&b, '\n');
		ck_assert_msg(slice_equal(x, y), "%s %zu:\n   %.*s\nis not\n   %.*s", what, where, SLICE_FMT(x), SLICE_FMT(y));
	}
}

static struct setting
random_setting(struct random *r)
{
	return ((struct setting){ random_below(r, 2) == 0, random_below(r, 2) == 0 ? 1800000 : 60000, 10000, random_below(r, 2) == 0,
	    random_below(r, 3) * 2000 });
}

#define ROUNDS 10

START_TEST(no_policy_shows)
{
	struct random r = random_seeded("no_policy_shows");

	r.state += (uint64_t)_i * 1000003;
	for (int round = 0; round < 4; round++) {
		struct setting s = random_setting(&r);
		char *never, *other;

		make_script(&r, 20 + random_below(&r, INPUTS_MAX - 20), s.timeout, CURRENCIES | (round % 2 == 1 ? PERSONS : 0));
		never = run(&s, NEVER, &r);
		for (int policy = NEVER + 1; policy < POLICIES; policy++) {
			other = run(&s, (enum policy)policy, &r);
			expect_same(other, never, policy_names[policy], script.n);
			free(other);
		}
		free(never);
	}
}
END_TEST

START_TEST(no_cut_shows)
{
	struct random r = random_seeded("no_cut_shows");

	r.state += (uint64_t)_i * 1000003;
	for (int round = 0; round < 2; round++) {
		struct setting s = random_setting(&r);
		char *never, *other;

		make_script(&r, 10 + random_below(&r, 50), s.timeout, CURRENCIES | (round == 1 ? PERSONS : 0));
		never = run(&s, NEVER, &r);
		for (size_t k = 0; k < script.n; k++) {
			other = run_cut(&s, k);
			expect_same(other, never, "cut behind", k);
			free(other);
		}
		free(never);
	}
}
END_TEST

/* ---- order events ------------------------------------------------------------------ */

/* Every permutation of up to six events, none of them unlike another of the same id. */
static void
make_events(struct random *r, struct input *events, size_t n)
{
	static const char *const ids[] = { "o", "pi" };

	for (size_t i = 0; i < n; i++) {
		struct order_message *m = &events[i].message;

		events[i] = (struct input){ .kind = INPUT_EVENT, .ms = WORLD_DAY + 3600000 };
		*m = (struct order_message){ .provider = SLICE("generic"), .time_ms = WORLD_DAY + 3600000, .amount = 10000 };
		m->order_id = slice_of(ids[random_below(r, 2)]);
		m->kind = i == 0 ? ORDER_PAID : (enum order_kind)random_below(r, ORDER_KINDS);
		currency_parse(m->kind != ORDER_PAID && random_below(r, 4) == 0 ? SLICE("USD") : SLICE("EUR"), &m->currency);
		if (m->kind == ORDER_PAID) {
			m->visitor = SLICE("v0");
			m->order_id = SLICE("o");
		} else if (m->kind == ORDER_ALIAS) {
			bool flip = random_below(r, 2) == 0;

			m->order_id = slice_of(ids[flip]);
			m->aliases[m->n_aliases++] = slice_of(ids[!flip]);
		} else {
			m->part_id = random_below(r, 2) == 0 ? SLICE("r0") : SLICE("r1");
			m->cumulative = m->kind == ORDER_REFUNDED && random_below(r, 2) == 0;
			m->amount = m->cumulative ? 1000 + (int64_t)random_below(r, 5) * 700 : slice_is(m->part_id, "r0") ? 1234 : 2345;
		}
	}
}

static bool
next_permutation(size_t *p, size_t n)
{
	size_t i = n - 1, k = n - 1, swap;

	while (i > 0 && p[i - 1] >= p[i])
		i--;
	if (i == 0)
		return (false);
	while (p[k] <= p[i - 1])
		k--;
	swap = p[i - 1], p[i - 1] = p[k], p[k] = swap;
	for (k = n - 1; i < k; i++, k--)
		swap = p[i], p[i] = p[k], p[k] = swap;
	return (true);
}

/* Of the figures only what the events make of the order; their number is a counter like others. */
static char *
run_events(const struct input *events, const size_t *order, size_t n, int twice, size_t decide_at)
{
	struct input hit = { .kind = INPUT_HIT, .ms = WORLD_DAY, .hit = { .time_ms = WORLD_DAY, .status = 200, .method = SLICE("GET"),
	    .target = SLICE("/a"), .agent = SLICE("Firefox/140"), .addr = SLICE("192.0.2.1"), .cookies = { SLICE("v0") } } };
	struct input until = { .kind = INPUT_UNTIL, .ms = WORLD_DAY + 7200000 };
	struct world *w = world_new(false);
	char *figures, *counters;

	world_take(w, &hit);
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k <= twice; k++)
			world_take(w, &events[order[i]]);
		if (i == decide_at)
			world_take(w, &until);
	}
	world_take(w, &until);
	figures = world_figures(w);
	counters = strstr(figures, "\nbot ");
	ck_assert_ptr_nonnull(counters);
	*counters = '\0';
	world_free(&w);
	return (figures);
}

START_TEST(no_order_of_events_shows)
{
	struct random r = random_seeded("no_order_of_events_shows");
	struct input events[6];
	size_t order[6], n;
	char *first, *other;

	r.state += (uint64_t)_i * 1000003;
	n = _i % 4 == 0 ? 6 : 5;
	make_events(&r, events, n);
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	first = run_events(events, order, n, 0, SIZE_MAX);
	do {
		other = run_events(events, order, n, random_below(&r, 3) == 0, random_below(&r, 2 * n));
		expect_same(other, first, "events", n);
		free(other);
	} while (next_permutation(order, n));
	free(first);
}
END_TEST

/* ---- sums -------------------------------------------------------------------------- */

static void
expect_sums(struct world *w)
{
	static const enum dim by_visit[] = { DIM_LANDING, DIM_COUNTRY, DIM_DEVICE }, by_touch[] = { DIM_SOURCE, DIM_CHANNEL, DIM_CAMPAIGN };
	int64_t total[FIGURES_MAX], sum[FIGURES_MAX];

	world_sum(w, DIM_TOTAL, total);
	ck_assert_int_eq(total[FIG_REVENUE] + total[FIG_UNATTRIBUTED], total[FIG_SALES]);
	ck_assert_int_eq(total[FIG_LEFT_OUT], w->rules.strict ? total[FIG_SUSPECTS] : 0);
	for (size_t i = 0; i < N_ELEM(by_visit); i++) {
		world_sum(w, by_visit[i], sum);
		for (size_t k = 0; k < 5; k++)
			ck_assert_msg(sum[k] == total[k], "%s %zu: %lld of %lld", dim_name(by_visit[i]), k, (long long)sum[k], (long long)total[k]);
	}
	for (size_t i = 0; i < N_ELEM(by_touch); i++) {
		world_sum(w, by_touch[i], sum);
		ck_assert_int_eq(sum[FIG_VISITS], total[FIG_VISITS]);
		for (size_t k = 0; k < 4 * MODELS; k++)
			ck_assert_msg(sum[FIG_ORDERS + k] == total[FIG_ORDERS + k % 4], "%s, figure %zu: %lld of %lld", dim_name(by_touch[i]), k,
			    (long long)sum[FIG_ORDERS + k], (long long)total[FIG_ORDERS + k % 4]);
	}
}

/* Each order is wholly refunded, whatever became of it before. */
static void
take_back_all(struct world *w)
{
	struct input in = { .kind = INPUT_EVENT, .ms = w->now_ms };
	char id[2][8];

	for (unsigned i = 0; i < 20; i++) {
		in.message = (struct order_message){ .kind = ORDER_REFUNDED, .provider = i % 2 == 0 ? SLICE("generic") : SLICE("other"),
		    .time_ms = w->now_ms, .amount = MONEY_MAX, .part_id = SLICE("all") };
		snprintf(id[0], sizeof(id[0]), "o%u", i / 2);
		in.message.order_id = slice_of(id[0]);
		currency_parse(SLICE("EUR"), &in.message.currency);
		world_take(w, &in);
	}
}

static void
expect_nothing_left(struct world *w)
{
	int64_t sum[FIGURES_MAX];

	for (int dim = 0; dim < DIMS; dim++) {
		if (dim_of_bots((enum dim)dim))
			continue;
		world_sum(w, (enum dim)dim, sum);
		for (size_t k = FIG_ORDERS; k < dim_width((enum dim)dim); k++)
			if (dim == DIM_TOTAL ? k != FIG_REFUNDS && k < FIG_LEFT_OUT : (k - FIG_ORDERS) % 4 != 2)
				ck_assert_msg(sum[k] == 0, "%s: figure %zu is %lld", dim_name((enum dim)dim), k, (long long)sum[k]);
	}
}

START_TEST(parts_add_up)
{
	struct random r = random_seeded("parts_add_up");
	struct setting s;
	struct world *w;

	r.state += (uint64_t)_i * 1000003;
	s = random_setting(&r);
	s.max_series = random_below(&r, 2) == 0 ? 10000 : 3;	/* with "(other)" too */
	make_script(&r, 200, s.timeout, 0);
	w = world_of(&s, 1);
	for (size_t i = 0; i < script.n; i++) {
		/* All of it within the longest window. */
		if (script.list[i].kind != INPUT_UNTIL && script.list[i].ms > WORLD_DAY + 25 * DAY_MS)
			break;
		if (script.list[i].kind == INPUT_EVENT && script.list[i].message.time_ms < WORLD_DAY)
			continue;
		world_take(w, &script.list[i]);
		if (random_below(&r, 8) == 0)
			world_commit(w);
		if (random_below(&r, 32) == 0) {
			world_commit(w);
			world_reload(w);
		}
		expect_sums(w);
	}
	take_back_all(w);
	expect_sums(w);
	expect_nothing_left(w);
	world_free(&w);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------- */

/* The bytes of a record, whatever its type: those of field k of a hash. */
static struct buf *
bytes_of(struct record *record, size_t k)
{
	struct buf *value;

	if (record->type == RECORD_STRING)
		return (&record->bytes);
	if (record->type != RECORD_HASH)
		return (NULL);
	k %= strmap_count(record->fields);
	for (size_t i = 0; (value = strmap_next(record->fields, &i, NULL)) != NULL;)
		if (k-- == 0)
			return (value);
	return (NULL);
}

static struct buf *
some_bytes(struct random *r, struct world *w)
{
	struct record *record = NULL;
	size_t k = random_below(r, strmap_count(w->store));

	for (size_t i = 0; (record = strmap_next(w->store, &i, NULL)) != NULL && k > 0;)
		k--;
	return (record != NULL ? bytes_of(record, random_below(r, 1000)) : NULL);
}

static void
damage(struct random *r, struct buf *b)
{
	if (b == NULL || b->len == 0)
		return;
	switch (random_below(r, 4)) {
	case 0:
		b->len = random_below(r, b->len);
		break;
	case 1:
		b->p[random_below(r, b->len)] ^= (char)(1 << random_below(r, 8));
		break;
	case 2:
		b->p[random_below(r, b->len)] = (char)(random_below(r, 2) == 0 ? 0xff : 0x80);
		break;
	default:
		for (size_t i = random_below(r, b->len); i < b->len; i++)
			b->p[i] = (char)random_next(r);
	}
}

/* What it counts then may be anything; it may refuse the state; but it goes on or says no. */
START_TEST(damage_ends_nothing)
{
	struct random r = random_seeded("damage_ends_nothing");
	struct setting s;
	struct world *w;

	r.state += (uint64_t)_i * 1000003;
	s = random_setting(&r);
	make_script(&r, 300, s.timeout, CURRENCIES | PERSONS);
	w = world_of(&s, 1);
	for (size_t i = 0; i < script.n; i++) {
		world_take(w, &script.list[i]);
		if (random_below(&r, 4) != 0)
			continue;
		world_commit(w);
		for (size_t n = random_below(&r, 4); n > 0; n--)
			damage(&r, some_bytes(&r, w));
		if (random_below(&r, 2) == 0 && world_try_reload(w) != 0)
			break;
	}
	world_free(&w);
}
END_TEST

/* Each record cut at each place. */
START_TEST(truncation_ends_nothing)
{
	struct random r = random_seeded("truncation_ends_nothing");
	struct setting s = { false, 60000, 10000, false, 0 };
	struct world *w = world_of(&s, 1);
	struct record *record;

	make_script(&r, 60, s.timeout, CURRENCIES | PERSONS);
	for (size_t i = 0; i < 40; i++)
		world_take(w, &script.list[i]);
	world_commit(w);
	for (size_t i = 0; (record = strmap_next(w->store, &i, NULL)) != NULL;) {
		struct buf *b = bytes_of(record, i);
		size_t len = b != NULL ? b->len : 0;

		for (size_t cut = 0; cut < len; cut++) {
			b->len = cut;
			if (world_try_reload(w) == 0)
				for (size_t k = 40; k < 60; k++)
					world_take(w, &script.list[k]);
		}
		if (b != NULL)
			b->len = len;
	}
	world_free(&w);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("engine_random");
	TCase *tc = tcase_create("random");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, no_policy_shows, 0, ROUNDS);
	tcase_add_loop_test(tc, no_cut_shows, 0, ROUNDS);
	tcase_add_loop_test(tc, no_order_of_events_shows, 0, ROUNDS);
	tcase_add_loop_test(tc, parts_add_up, 0, ROUNDS);
	tcase_add_loop_test(tc, damage_ends_nothing, 0, ROUNDS);
	tcase_add_test(tc, truncation_ends_nothing);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
