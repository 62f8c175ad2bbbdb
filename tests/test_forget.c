/*
 * Tests of forgetting a person: the request as bytes; that no figure changes by it, and
 * nothing of the person is left in the state, whatever was committed before; that what
 * comes later does not bring them back; that a state made anew forgets them again.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/names.h"
#include "core/orderbook.h"
#include "engine_world.h"

#define HOUR INT64_C(3600000)

/* ---- the request ------------------------------------------------------------ */

START_TEST(request_as_bytes)
{
	struct forget f = { .id = 0x1234, .time_ms = WORLD_DAY }, g = { 0 };
	struct order_event event;
	struct buf bytes = { 0 };
	struct name field;

	ck_assert(forget_add_hash(&f, 7) && forget_add_hash(&f, 3) && forget_add_hash(&f, 7) && forget_add_hash(&f, 0));
	ck_assert(forget_add_order(&f, SLICE("o:stripe:pi_1")));
	forget_encode(&f, &bytes);
	ck_assert(forget_is(buf_view(&bytes)));
	ck_assert_int_eq(order_event_decode(buf_view(&bytes), &event), -1);
	for (size_t len = 0; len < bytes.len; len++)
		ck_assert_msg(forget_decode(slice_make(bytes.p, len), &g) == -1 && g.hashes == NULL, "cut at %zu", len);
	ck_assert_int_eq(forget_decode(buf_view(&bytes), &g), 0);
	ck_assert(g.id == 0x1234 && g.time_ms == WORLD_DAY && g.n_hashes == 2 && g.n_orders == 1);
	ck_assert(forget_has(&g, 3) && forget_has(&g, 7) && !forget_has(&g, 0) && !forget_has(&g, 5));
	forget_field(&g, &field);
	ck_assert(slice_is(name_view(&field), "0000000000001234"));
	forget_clear(&f);
	forget_clear(&g);
	buf_free(&bytes);
}
END_TEST

START_TEST(too_much_for_a_request)
{
	struct forget f = { .id = 1, .time_ms = 1 };

	for (uint64_t i = 1; i <= FORGET_HASHES_MAX; i++)
		ck_assert(forget_add_hash(&f, i * 3));
	ck_assert(!forget_add_hash(&f, 1));
	ck_assert(forget_add_hash(&f, 3));
	for (size_t i = 0; i < FORGET_ORDERS_MAX; i++)
		ck_assert(forget_add_order(&f, SLICE("o:a:b")));
	ck_assert(!forget_add_order(&f, SLICE("o:a:b")));
	forget_clear(&f);
}
END_TEST

/* ---- a shop in which Anna buys ------------------------------------------------- */


struct shop {
	struct world *w;
	int64_t highest;
	bool commits, reloads;
};

static void
take(struct shop *s, struct input *in)
{
	world_take(s->w, in);
	if (s->commits)
		world_commit(s->w);
	if (s->reloads)
		world_reload(s->w);
}

static void
hit(struct shop *s, int64_t ms, const char *cookie, const char *target, const char *referrer)
{
	struct input in = { .kind = INPUT_HIT, .ms = WORLD_DAY + ms };

	in.hit = (struct hit){ .time_ms = in.ms, .status = 200, .method = SLICE("GET"), .target = slice_of(target), .agent = SLICE("Firefox/140"),
	    .addr = SLICE("192.0.2.77"), .referrer = slice_of(referrer), .cookies = { slice_of(cookie) } };
	take(s, &in);
}

static struct input
event(int64_t ms, enum order_kind kind, const char *id)
{
	struct input in = { .kind = INPUT_EVENT, .ms = WORLD_DAY + ms };

	in.message = (struct order_message){ .kind = kind, .provider = SLICE("generic"), .time_ms = in.ms, .order_id = slice_of(id), .amount = 8000 };
	currency_parse(SLICE("EUR"), &in.message.currency);
	return (in);
}

static void
paid(struct shop *s, int64_t ms, const char *id, const char *visitor, const char *customer, const char *token)
{
	struct input in = event(ms, ORDER_PAID, id);

	in.message.visitor = slice_of(visitor);
	in.message.customer = slice_of(customer);
	if (token[0] != '\0')
		in.message.tokens[in.message.n_tokens++] = slice_of(token);
	in.message.ip = SLICE("192.0.2.77");
	in.message.user_agent = SLICE("Firefox/140");
	take(s, &in);
}

static void
refunded(struct shop *s, int64_t ms, const char *id, int64_t amount)
{
	struct input in = event(ms, ORDER_REFUNDED, id);

	in.message.part_id = SLICE("r1");
	in.message.amount = amount;
	take(s, &in);
}

static void
until(struct shop *s, int64_t ms)
{
	struct input in = { .kind = INPUT_UNTIL, .ms = WORLD_DAY + ms };

	take(s, &in);
}

/* What rpvctl would find: cookie, customer, and the orders that have them. */
static struct forget
anna(const struct shop *s)
{
	struct order_message m = { .provider = SLICE("generic"), .customer = SLICE("email:anna@mail.example"), .visitor = SLICE("anna") };
	struct order_event e;
	struct forget f = { .id = 0xa };

	order_event_hash(&s->w->ring, &m, &e);
	forget_add_hash(&f, e.customer);
	forget_add_hash(&f, e.visitors[0]);
	forget_add_hash(&f, e.visitors[1]);
	forget_add_order(&f, SLICE("o:generic:o1"));
	forget_add_order(&f, SLICE("o:generic:o2"));
	forget_add_order(&f, SLICE("o:generic:none"));	/* of an order that has no record */
	return (f);
}

static void
forget(struct shop *s, int64_t ms)
{
	struct forget f = anna(s);
	struct input in = { .kind = INPUT_FORGET, .ms = WORLD_DAY + ms, .forget = &f };

	take(s, &in);
	forget_clear(&f);
}

/* Anna comes by an advertisement without a cookie yet, gets one, buys by token, comes back by
 * mail, buys by cookie, and is there again; Bert buys meanwhile. */
static void
a_day(struct shop *s)
{
	hit(s, 10 * HOUR, "", "/lamp?utm_source=ads&utm_medium=cpc", "");
	hit(s, 10 * HOUR + 1000, "anna", "/cart", "https://shop.example/lamp");
	hit(s, 10 * HOUR + 2000, "anna", "/thanks?order=tok1", "https://shop.example/cart");
	paid(s, 10 * HOUR + 3000, "o1", "", "email:anna@mail.example", "tok1");
	hit(s, 11 * HOUR, "bert", "/chair", "https://www.google.com/");
	paid(s, 11 * HOUR + 1000, "o3", "bert", "email:bert@mail.example", "");
	hit(s, 15 * HOUR, "anna", "/lamp?utm_source=news&utm_medium=email", "");
	paid(s, 15 * HOUR + 1000, "o2", "anna", "email:anna@mail.example", "");
	until(s, 17 * HOUR);
	hit(s, 18 * HOUR, "anna", "/desk", "");
	hit(s, 18 * HOUR + 1800001, "anna", "/robots.txt", "");
}

static struct shop
open_shop(int how)
{
	return ((struct shop){ .w = world_new(false), .commits = how >= 1, .reloads = how == 2 });
}

/* Without the counters, of which one says that somebody was forgotten. */
static char *
figures(struct shop *s)
{
	char *text = world_figures(s->w), *counters = strstr(text, "\nbot ");

	ck_assert_ptr_nonnull(counters);
	*counters = '\0';
	return (text);
}

/* ---- nothing is left ------------------------------------------------------------ */

static bool
holds(struct slice bytes, uint64_t hash)
{
	char hex[17];
	struct buf raw = { 0 };
	bool found;

	buf_u64(&raw, hash);
	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)hash);
	found = bytes.len >= 8 && (memmem(bytes.p, bytes.len, raw.p, 8) != NULL || memmem(bytes.p, bytes.len, hex, 16) != NULL);
	buf_free(&raw);
	return (found);
}

/* In how many names, fields and values the hash stands. */
static size_t
places_of(const struct world *w, uint64_t hash)
{
	const struct record *r;
	struct slice name, field;
	const struct buf *value;
	size_t n = 0;

	for (size_t i = 0; (r = strmap_next(w->store, &i, &name)) != NULL;) {
		n += holds(name, hash);
		n += r->type == RECORD_STRING && holds(buf_view(&r->bytes), hash);
		for (size_t k = 0; r->fields != NULL && (value = strmap_next(r->fields, &k, &field)) != NULL;)
			n += (size_t)holds(field, hash) + (size_t)holds(buf_view(value), hash);
	}
	return (n);
}

static size_t
places_of_anna(const struct shop *s)
{
	struct forget f = anna(s);
	size_t n = 0;

	for (size_t i = 0; i < f.n_hashes; i++)
		n += places_of(s->w, f.hashes[i]);
	forget_clear(&f);
	return (n);
}

static struct order *
order_of(const struct shop *s, const char *id)
{
	struct order *o = mem_calloc(1, sizeof(*o));
	char name[64];
	const struct record *r;

	snprintf(name, sizeof(name), "o:generic:%s", id);
	r = world_record(s->w, name);
	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(order_decode(buf_view(&r->bytes), o), 0);
	return (o);
}

static void
order_done(struct order *o)
{
	free(o->refunds);
	free(o->touches);
	free(o);
}

/* how: never committed before, committed after each input, loaded anew after each. */
START_TEST(nothing_is_left_and_no_figure_changes)
{
	struct shop s = open_shop(_i);
	char *before, *behind;
	struct order *o;

	a_day(&s);
	before = figures(&s);
	world_commit(s.w);
	ck_assert_uint_gt(places_of_anna(&s), 3);
	forget(&s, 18 * HOUR + 1000);
	ck_assert_uint_eq(engine_forgetting(s.w->engine), 1);
	until(&s, 18 * HOUR + 1000);		/* not before the logs are read beyond it */
	ck_assert_uint_eq(engine_forgetting(s.w->engine), 1);
	until(&s, 18 * HOUR + 1001);
	ck_assert_uint_eq(engine_forgetting(s.w->engine), 0);
	world_commit(s.w);
	ck_assert_uint_eq(places_of_anna(&s), 0);
	ck_assert_ptr_null(world_record(s.w, "forget"));
	behind = figures(&s);
	ck_assert_str_eq(before, behind);
	world_reload(s.w);
	free(behind);
	behind = figures(&s);
	ck_assert_str_eq(before, behind);
	ck_assert_uint_eq(engine_counter(s.w->engine, COUNT_FORGOTTEN), 1);
	o = order_of(&s, "o1");
	ck_assert(o->erased && o->how == JOIN_TOKEN && o->n_touches == 0 && o->customer == 0 && o->n_tokens == 0);
	ck_assert(o->agents[0] == 0 && o->agents[1] == 0 && o->visit.visitor == 0 && o->visit.start_ms == 0 && o->total == 8000);
	order_done(o);
	o = order_of(&s, "o3");
	ck_assert(!o->erased && o->how == JOIN_VISITOR && o->n_touches == 1 && o->customer != 0);
	order_done(o);
	free(before);
	free(behind);
	world_free(&s.w);
}
END_TEST

/* Days later, when all visits are in their blocks. */
START_TEST(old_visits_are_forgotten)
{
	struct shop s = open_shop(_i);
	char *before, *behind;

	a_day(&s);
	hit(&s, 20 * 24 * HOUR, "bert", "/", "");
	until(&s, 20 * 24 * HOUR + HOUR);
	world_commit(s.w);
	ck_assert_uint_gt(places_of_anna(&s), 3);
	before = figures(&s);
	forget(&s, 20 * 24 * HOUR + HOUR);
	until(&s, 20 * 24 * HOUR + HOUR + 1);
	world_commit(s.w);
	ck_assert_uint_eq(places_of_anna(&s), 0);
	behind = figures(&s);
	ck_assert_str_eq(before, behind);
	free(before);
	free(behind);
	world_free(&s.w);
}
END_TEST

/* A visit that a token named before it had its cookie leaves a mark, which says whose it is now. */
START_TEST(marks_are_forgotten)
{
	struct shop s = open_shop(_i);

	hit(&s, 10 * HOUR, "", "/thanks?order=tok1", "");
	hit(&s, 10 * HOUR + 1000, "anna", "/lamp", "https://shop.example/thanks");
	hit(&s, 20 * 24 * HOUR, "bert", "/", "");
	until(&s, 20 * 24 * HOUR + HOUR);
	world_commit(s.w);
	ck_assert_uint_eq(engine_counter(s.w->engine, COUNT_ADOPTED), 1);
	ck_assert_uint_gt(places_of_anna(&s), 1);
	forget(&s, 20 * 24 * HOUR + HOUR);
	until(&s, 20 * 24 * HOUR + HOUR + 1);
	world_commit(s.w);
	ck_assert_uint_eq(places_of_anna(&s), 0);
	world_free(&s.w);
}
END_TEST

static size_t
bytes_of_blocks(const struct world *w, const char *kind)
{
	const struct record *r;
	struct slice name;
	size_t n = 0;

	for (size_t i = 0; (r = strmap_next(w->store, &i, &name)) != NULL;)
		n += slice_starts(name, slice_of(kind)) ? r->bytes.len : 0;
	return (n);
}

static void
until_it_is_forgotten(struct shop *s, int64_t ms, bool cut)
{
	if (cut) {			/* it has begun, and what it has done so far is committed */
		ck_assert_int_eq(engine_watermark(s->w->engine, WORLD_DAY + ms), ENGINE_NEEDS);
		engine_supplied(s->w->engine);
		world_commit(s->w);
		world_reload(s->w);
	}
	until(s, ms);
	world_commit(s->w);
	ck_assert_uint_eq(engine_forgetting(s->w->engine), 0);
}

/* A visit that lay in a block when Anna took it over lies there twice: as nobody's, which it was, and as hers. */
START_TEST(what_was_taken_over_is_forgotten)
{
	struct shop s = open_shop(1 + _i % 2);
	bool cut = _i >= 4, leaves = (_i / 2) % 2 == 0;
	int64_t total[FIGURES_MAX];

	s.w->rules.visits_bytes = 1;	/* each visit leaves the memory at once */
	engine_set_rules(s.w->engine, &s.w->rules);
	hit(&s, 10 * HOUR, "", "/thanks?order=tok1", "");
	ck_assert_uint_gt(bytes_of_blocks(s.w, "v:"), 0);
	if (!leaves) {			/* Anna's, and the mark, are still open */
		s.w->rules.visits_bytes = 0;
		engine_set_rules(s.w->engine, &s.w->rules);
	}
	hit(&s, 10 * HOUR + 1000, "anna", "/lamp", "https://shop.example/thanks");
	ck_assert_uint_eq(engine_counter(s.w->engine, COUNT_ADOPTED), 1);
	forget(&s, 10 * HOUR + 2000);
	until_it_is_forgotten(&s, 11 * HOUR, cut);
	ck_assert_uint_eq(places_of_anna(&s), 0);
	ck_assert_uint_eq(bytes_of_blocks(s.w, "v:"), 0);
	ck_assert_uint_eq(bytes_of_blocks(s.w, "a:"), 0);
	paid(&s, 11 * HOUR, "o3", "", "email:bert@mail.example", "tok1");
	until(&s, 12 * HOUR);
	world_series(s.w, DIM_TOTAL, SLICE(""), total);
	ck_assert_int_eq(total[FIG_SALES], 8000);
	ck_assert_int_eq(total[FIG_REVENUE], 0);
	world_free(&s.w);
}
END_TEST

/* Bert, whose visit stays, came from an address and with a browser that are Anna's, too: open in memory, on its way
 * into a block, or there. */
START_TEST(address_of_another_is_forgotten)
{
	struct shop s = open_shop(_i % 3 == 2);
	struct order_message m = { .provider = SLICE("generic"), .time_ms = WORLD_DAY, .ip = SLICE("192.0.2.77"), .user_agent = SLICE("Firefox/140") };
	struct forget f = { .id = 0xb };
	struct input in = { .kind = INPUT_FORGET, .ms = WORLD_DAY + 14 * HOUR, .forget = &f };
	struct order_event e;
	int64_t total[FIGURES_MAX];

	s.w->rules.visits_bytes = _i % 3 == 2;
	s.w->rules.settle_visits = 1;
	engine_set_rules(s.w->engine, &s.w->rules);
	s.reloads = _i >= 3 && s.commits;
	hit(&s, 10 * HOUR, "bert", "/lamp", "");
	order_event_hash(&s.w->ring, &m, &e);
	forget_add_hash(&f, e.agents[0]);
	if (_i % 3 == 0) {
		world_commit(s.w);
		ck_assert_uint_gt(places_of(s.w, e.agents[0]), 0);
	} else
		hit(&s, 13 * HOUR, "carl", "/robots.txt", "");
	take(&s, &in);
	until(&s, 15 * HOUR);
	world_commit(s.w);
	world_commit(s.w);
	ck_assert_uint_eq(engine_forgetting(s.w->engine), 0);
	forget_clear(&f);
	ck_assert_uint_eq(places_of(s.w, e.agents[0]), 0);
	paid(&s, 15 * HOUR, "o3", "", "email:bert@mail.example", "");
	paid(&s, 15 * HOUR, "o4", "bert", "", "");
	until(&s, 16 * HOUR);
	world_series(s.w, DIM_TOTAL, SLICE(""), total);
	ck_assert_int_eq(total[FIG_VISITS], 1);
	ck_assert_int_eq(total[FIG_SALES], 16000);
	ck_assert_int_eq(total[FIG_REVENUE], 8000);
	world_free(&s.w);
}
END_TEST

/* The store still has the records until the next commit: they are not read again. */
START_TEST(nothing_comes_back_before_the_commit)
{
	struct shop s = open_shop(0);
	struct input by_visitor = event(20 * 24 * HOUR + HOUR + 2000, ORDER_PAID, "o5"), by_customer = event(20 * 24 * HOUR + HOUR + 2000, ORDER_PAID, "o6");
	int64_t total[FIGURES_MAX];

	a_day(&s);
	hit(&s, 20 * 24 * HOUR, "bert", "/", "");
	until(&s, 20 * 24 * HOUR + HOUR);
	world_commit(s.w);
	if (_i == 1)
		world_reload(s.w);
	forget(&s, 20 * 24 * HOUR + HOUR);
	if (_i == 2)			/* twice, in the same blocks */
		forget(&s, 20 * 24 * HOUR + HOUR);
	until(&s, 20 * 24 * HOUR + HOUR + 1);
	by_visitor.message.visitor = SLICE("anna");
	by_customer.message.customer = SLICE("email:anna@mail.example");
	take(&s, &by_visitor);
	take(&s, &by_customer);
	until(&s, 20 * 24 * HOUR + 2 * HOUR);
	ck_assert(world_series(s.w, DIM_TOTAL, SLICE(""), total));
	ck_assert_int_eq(total[FIG_UNATTRIBUTED], 16000);
	world_free(&s.w);
}
END_TEST

/* A walk that a crash cuts short begins again: nothing of it was committed, or some of it. */
START_TEST(crash_while_it_is_forgotten)
{
	struct shop s = open_shop(1);
	struct input later = { .kind = INPUT_UNTIL, .ms = WORLD_DAY + 30 * HOUR };

	a_day(&s);
	until(&s, 24 * HOUR);
	forget(&s, 25 * HOUR);
	world_commit(s.w);
	world_reload(s.w);
	ck_assert_uint_eq(engine_forgetting(s.w->engine), 1);
	if (_i == 1) {			/* it has begun, and what it has done so far is committed */
		ck_assert_int_eq(engine_watermark(s.w->engine, later.ms), ENGINE_NEEDS);
		engine_supplied(s.w->engine);
		world_commit(s.w);
		world_reload(s.w);
	}
	take(&s, &later);
	world_commit(s.w);
	ck_assert_uint_eq(engine_forgetting(s.w->engine), 0);
	ck_assert_uint_eq(places_of_anna(&s), 0);
	world_free(&s.w);
}
END_TEST

/* ---- and later --------------------------------------------------------------------- */

static int64_t
total_of(struct shop *s, size_t figure)
{
	int64_t total[FIGURES_MAX];

	ck_assert(world_series(s->w, DIM_TOTAL, SLICE(""), total));
	return (total[figure]);
}

START_TEST(what_comes_later_brings_nobody_back)
{
	struct shop s = open_shop(_i);
	int64_t revenue, unattributed;

	a_day(&s);
	forget(&s, 19 * HOUR);
	until(&s, 20 * HOUR);
	revenue = total_of(&s, FIG_REVENUE);
	unattributed = total_of(&s, FIG_UNATTRIBUTED);
	ck_assert_int_eq(revenue, 24000);
	ck_assert_int_eq(total_of(&s, FIG_SALES), 24000);
	/* The provider tells of it again, and takes money back. */
	paid(&s, 15 * HOUR + 1000, "o2", "anna", "email:anna@mail.example", "tok1");
	refunded(&s, 21 * HOUR, "o2", 3000);
	until(&s, 22 * HOUR);
	world_commit(s.w);
	ck_assert_uint_eq(places_of_anna(&s), 0);
	ck_assert_int_eq(total_of(&s, FIG_SALES), 21000);
	ck_assert_int_eq(total_of(&s, FIG_REVENUE), revenue);
	ck_assert_int_eq(total_of(&s, FIG_UNATTRIBUTED), unattributed);
	/* An order of the same person: who was forgotten is a stranger. */
	paid(&s, 23 * HOUR, "o4", "", "email:anna@mail.example", "");
	until(&s, 24 * HOUR);
	ck_assert_int_eq(total_of(&s, FIG_UNATTRIBUTED), unattributed);	/* by address and browser, to a visit of Bert's */
	world_free(&s.w);
}
END_TEST

/* Redis was emptied: the journal comes first, then the logs, by time.  Everything is as it was. */
START_TEST(made_anew_they_are_forgotten_again)
{
	struct shop live = open_shop(1), anew = open_shop(_i);
	char *a, *b;

	a_day(&live);
	forget(&live, 19 * HOUR);
	until(&live, 30 * HOUR);
	world_commit(live.w);
	a = figures(&live);
	paid(&anew, 10 * HOUR + 3000, "o1", "", "email:anna@mail.example", "tok1");
	paid(&anew, 11 * HOUR + 1000, "o3", "bert", "email:bert@mail.example", "");
	paid(&anew, 15 * HOUR + 1000, "o2", "anna", "email:anna@mail.example", "");
	forget(&anew, 19 * HOUR);
	hit(&anew, 10 * HOUR, "", "/lamp?utm_source=ads&utm_medium=cpc", "");
	hit(&anew, 10 * HOUR + 1000, "anna", "/cart", "https://shop.example/lamp");
	hit(&anew, 10 * HOUR + 2000, "anna", "/thanks?order=tok1", "https://shop.example/cart");
	hit(&anew, 11 * HOUR, "bert", "/chair", "https://www.google.com/");
	hit(&anew, 15 * HOUR, "anna", "/lamp?utm_source=news&utm_medium=email", "");
	hit(&anew, 18 * HOUR, "anna", "/desk", "");
	ck_assert_uint_eq(engine_forgetting(anew.w->engine), 1);
	until(&anew, 30 * HOUR);
	world_commit(anew.w);
	b = figures(&anew);
	ck_assert_str_eq(a, b);
	ck_assert_uint_eq(places_of_anna(&anew), 0);
	free(a);
	free(b);
	world_free(&live.w);
	world_free(&anew.w);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("forget");
	TCase *tc = tcase_create("forget");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, request_as_bytes);
	tcase_add_test(tc, too_much_for_a_request);
	tcase_add_loop_test(tc, nothing_is_left_and_no_figure_changes, 0, 3);
	tcase_add_loop_test(tc, old_visits_are_forgotten, 0, 3);
	tcase_add_loop_test(tc, marks_are_forgotten, 0, 3);
	tcase_add_loop_test(tc, what_was_taken_over_is_forgotten, 0, 8);
	tcase_add_loop_test(tc, address_of_another_is_forgotten, 0, 6);
	tcase_add_loop_test(tc, nothing_comes_back_before_the_commit, 0, 3);
	tcase_add_loop_test(tc, crash_while_it_is_forgotten, 0, 2);
	tcase_add_loop_test(tc, what_comes_later_brings_nobody_back, 0, 3);
	tcase_add_loop_test(tc, made_anew_they_are_forgotten_again, 0, 3);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
