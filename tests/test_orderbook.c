/*
 * Tests of core/orderbook: orders as records, what order_apply() says, and merging.
 * What events make of an order is told in test_engine.c.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/model.h"
#include "core/orderbook.h"
#include "engine_world.h"

static const struct hash_key key = { "0123456789abcde" };
static struct orderbook book;

static void
open_book(void)
{
	orderbook_init(&book, &key);
}

static void
close_book(void)
{
	orderbook_clear(&book);
}

static struct order_event
event(enum order_kind kind, const char *part, int64_t amount, const char *currency)
{
	struct order_event e = { .kind = kind, .part_id = slice_of(part), .amount = amount, .time_ms = WORLD_DAY };

	ck_assert(currency_parse(slice_of(currency), &e.currency));
	return (e);
}

static enum order_change
apply(struct order *o, struct order_event e)
{
	static uint64_t number;

	return (order_apply(o, &e, ++number, &key));
}

static const struct {
	const char *why;
	enum order_kind kind;
	const char *part;
	int64_t amount;
	const char *currency;
	bool cumulative;
	enum order_change says;
	int64_t taken_back;
} steps[] = {
	{ "a refund before the order waits", ORDER_REFUNDED, "r0", 100, "EUR", false, ORDER_CHANGED, 100 },
	{ "in any currency", ORDER_REFUNDED, "r1", 900, "USD", false, ORDER_CHANGED, 100 },
	{ "but a total of nothing is no order", ORDER_PAID, "", 0, "USD", false, ORDER_SAME, 100 },
	{ "the order says which currency counts", ORDER_PAID, "", 10000, "EUR", false, ORDER_CHANGED, 100 },
	{ "paid again", ORDER_PAID, "", 10000, "EUR", false, ORDER_SAME, 100 },
	{ "the same refund again", ORDER_REFUNDED, "r0", 100, "EUR", false, ORDER_SAME, 100 },
	{ "with another amount: the first counts", ORDER_REFUNDED, "r0", 200, "EUR", false, ORDER_SAME, 100 },
	{ "another one", ORDER_REFUNDED, "r1", 200, "EUR", false, ORDER_CHANGED, 300 },
	{ "in another currency", ORDER_REFUNDED, "r2", 200, "USD", false, ORDER_OTHER_CURRENCY, 300 },
	{ "a running total below that", ORDER_REFUNDED, "r3", 250, "EUR", true, ORDER_CHANGED, 300 },
	{ "and above", ORDER_REFUNDED, "r4", 400, "EUR", true, ORDER_CHANGED, 400 },
	{ "an older one", ORDER_REFUNDED, "r3", 250, "EUR", true, ORDER_SAME, 400 },
	{ "a dispute", ORDER_DISPUTED, "d0", 50, "EUR", false, ORDER_CHANGED, 450 },
	{ "again", ORDER_DISPUTED, "d0", 50, "EUR", false, ORDER_SAME, 450 },
	{ "won", ORDER_DISPUTE_WON, "d0", 50, "EUR", false, ORDER_CHANGED, 400 },
	{ "won is final", ORDER_DISPUTED, "d0", 50, "EUR", false, ORDER_SAME, 400 },
	{ "won before it was told", ORDER_DISPUTE_WON, "d1", 70, "EUR", false, ORDER_CHANGED, 400 },
	{ "then told", ORDER_DISPUTED, "d1", 70, "EUR", false, ORDER_CHANGED, 400 },
};

START_TEST(events_in_their_order)
{
	struct order *o = orderbook_add(&book, SLICE("p"), SLICE("o"));

	for (size_t i = 0; i < N_ELEM(steps); i++) {
		struct order_event e = event(steps[i].kind, steps[i].part, steps[i].amount, steps[i].currency);

		e.cumulative = steps[i].cumulative;
		ck_assert_msg(apply(o, e) == steps[i].says, "%s: it says otherwise", steps[i].why);
		ck_assert_msg(order_taken_back(o) == steps[i].taken_back, "%s: %lld", steps[i].why, (long long)order_taken_back(o));
	}
}
END_TEST

static const struct { const char *why; enum order_kind kind; const char *part; int64_t amount; const char *currency; bool cumulative, contradicts; } told[] = {
	{ "the same again", ORDER_PAID, "", 10000, "EUR", false, false },
	{ "another amount", ORDER_PAID, "", 9900, "EUR", false, true },
	{ "another currency", ORDER_PAID, "", 10000, "USD", false, true },
	{ "nothing is said by a total of 0", ORDER_PAID, "", 0, "EUR", false, false },
	{ "a refund again", ORDER_REFUNDED, "r1", 100, "EUR", false, false },
	{ "a refund of another amount", ORDER_REFUNDED, "r1", 200, "EUR", false, true },
	{ "another refund", ORDER_REFUNDED, "r2", 200, "EUR", false, false },
	{ "a running total grows as it pleases", ORDER_REFUNDED, "r1", 300, "EUR", true, false },
	{ "a dispute again", ORDER_DISPUTED, "d1", 500, "EUR", false, false },
	{ "a dispute over another amount", ORDER_DISPUTED, "d1", 600, "EUR", false, true },
	{ "won: its amount means nothing", ORDER_DISPUTE_WON, "d1", 600, "EUR", false, false },
	{ "first won, then told: no amount was known", ORDER_DISPUTED, "d2", 700, "EUR", false, false },
};

START_TEST(contradictions)
{
	struct order *o = orderbook_add(&book, SLICE("p"), SLICE("1"));
	struct order_event e = event(told[_i].kind, told[_i].part, told[_i].amount, told[_i].currency);

	e.cumulative = told[_i].cumulative;
	ck_assert_msg(!order_contradicts(o, &e, &key), "%s: nothing was told before", told[_i].why);
	apply(o, event(ORDER_PAID, "", 10000, "EUR"));
	apply(o, event(ORDER_REFUNDED, "r1", 100, "EUR"));
	apply(o, event(ORDER_DISPUTED, "d1", 500, "EUR"));
	apply(o, event(ORDER_DISPUTE_WON, "d2", 0, "EUR"));
	ck_assert_msg(order_contradicts(o, &e, &key) == told[_i].contradicts, "%s", told[_i].why);
}
END_TEST

START_TEST(basis_of_an_order)
{
	struct order o = { .total = 119, .tax = 19, .shipping = 10 };

	ck_assert_int_eq(order_basis(&o, BASIS_TOTAL), 119);
	ck_assert_int_eq(order_basis(&o, BASIS_NET_OF_TAX), 100);
	ck_assert_int_eq(order_basis(&o, BASIS_NET), 90);
}
END_TEST

/* More refunds than anybody has are refused, and cost no memory. */
START_TEST(parts_are_bounded)
{
	struct order *o = orderbook_add(&book, SLICE("p"), SLICE("o"));
	char id[16];
	int taken = 0;

	apply(o, event(ORDER_PAID, "", MONEY_MAX, "EUR"));
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "r%d", i);
		taken += apply(o, event(ORDER_REFUNDED, id, MONEY_MAX, "EUR")) == ORDER_CHANGED;
	}
	ck_assert_int_eq(taken, 4096);
	ck_assert_int_eq(order_taken_back(o), 4096 * MONEY_MAX);
}
END_TEST

/* ---- records ---------------------------------------------------------------------- */

static struct order *
full_order(const char *id)
{
	struct order *o = orderbook_add(&book, SLICE("p"), slice_of(id));
	struct order_event e = event(ORDER_PAID, "", 11900, "EUR");

	e.tax = 1900;
	e.shipping = 1000;
	e.customer = 1;
	e.visitors[0] = 2;
	e.agents[1] = 3;
	e.tokens[0] = 4;
	e.tokens[1] = 5;
	e.n_tokens = 2;
	e.recurring = true;
	apply(o, e);
	apply(o, event(ORDER_REFUNDED, "r0", 100, "EUR"));
	apply(o, event(ORDER_DISPUTED, "d0", 200, "EUR"));
	apply(o, event(ORDER_DISPUTE_WON, "d1", 0, "EUR"));
	o->cumulative = 70;
	o->how = JOIN_TOKEN;
	o->visit = (struct visit_ref){ 7, 8, WORLD_DAY - 1000 };
	o->touches = mem_calloc(2, sizeof(*o->touches));
	o->n_touches = 2;
	o->touches[1] = (struct touch){ WORLD_DAY - 1000, true, 1, 2, 3 };
	o->counted = o->counted_joined = o->counted_recurring = true;
	o->counted_gross = 11900;
	o->counted_net = 11800;
	return (o);
}

static void
expect_same_record(const struct order *o)
{
	struct buf first = { 0 }, second = { 0 };
	struct order *back = orderbook_add(&book, SLICE("p"), o->paid ? SLICE("paid back") : SLICE("back"));

	order_encode(o, &first);
	ck_assert_int_eq(order_decode(buf_view(&first), back), 0);
	order_encode(back, &second);
	ck_assert_uint_eq(first.len, second.len);
	ck_assert_mem_eq(first.p, second.p, first.len);
	ck_assert_int_eq(order_taken_back(back), order_taken_back(o));
	ck_assert(back->paid == o->paid && back->how == o->how && back->n_tokens == o->n_tokens && back->time_ms == o->time_ms &&
	    currency_equal(back->currency, o->currency) && slice_equal(back->alias_of, o->alias_of) && back->n_touches == o->n_touches);
	buf_free(&first);
	buf_free(&second);
}

START_TEST(an_order_comes_back)
{
	expect_same_record(full_order("o"));
}
END_TEST

START_TEST(what_waits_comes_back)
{
	struct order *o = orderbook_add(&book, SLICE("p"), SLICE("o"));
	struct order_event e = event(ORDER_REFUNDED, "r0", 100, "USD");

	apply(o, event(ORDER_REFUNDED, "r1", 300, "EUR"));
	apply(o, e);
	e.cumulative = true;
	e.amount = 400;
	apply(o, e);
	expect_same_record(o);
	/* And is the same with the order behind it. */
	apply(o, event(ORDER_PAID, "", 1000, "USD"));
	ck_assert_int_eq(order_taken_back(o), 400);
	expect_same_record(o);
}
END_TEST

START_TEST(an_alias_comes_back)
{
	struct order *o = orderbook_add(&book, SLICE("p"), SLICE("o"));

	o->alias_of = slice_make(mem_strdup("other"), 5);
	expect_same_record(o);
}
END_TEST

/* It is no order then, rather than half a one. */
START_TEST(damaged_records_are_refused)
{
	struct order *o = full_order("o"), *back = orderbook_add(&book, SLICE("p"), SLICE("back"));
	struct buf bytes = { 0 };

	order_encode(o, &bytes);
	for (size_t n = 0; n < bytes.len; n++) {
		ck_assert_int_eq(order_decode(slice_make(bytes.p, n), back), -1);
		ck_assert(!back->paid && back->touches == NULL && back->refunds == NULL && slice_is(back->id, "back"));
	}
	bytes.len = 0;
	o->how = JOIN_NONE;			/* counted as joined, but not joined */
	order_encode(o, &bytes);
	ck_assert_int_eq(order_decode(buf_view(&bytes), back), -1);
	bytes.len = 0;
	o->counted_joined = false;
	o->counted_net = o->counted_gross + 1;	/* more left than there was */
	order_encode(o, &bytes);
	ck_assert_int_eq(order_decode(buf_view(&bytes), back), -1);
	buf_free(&bytes);
}
END_TEST

/* ---- merging ----------------------------------------------------------------------- */

START_TEST(the_first_paid_counts)
{
	struct order *a = orderbook_add(&book, SLICE("p"), SLICE("a")), *b = orderbook_add(&book, SLICE("p"), SLICE("b"));
	struct order_event first = event(ORDER_PAID, "", 100, "EUR"), second = event(ORDER_PAID, "", 200, "USD");

	first.visitors[0] = 1;
	second.visitors[0] = 2;
	second.customer = 3;
	apply(b, event(ORDER_REFUNDED, "r0", 10, "EUR"));	/* of the other one, as it turns out */
	apply(_i == 0 ? a : b, first);
	apply(_i == 0 ? b : a, second);
	apply(_i == 0 ? b : a, event(ORDER_REFUNDED, "r1", 20, "USD"));
	order_merge(a, b);
	ck_assert(a->total == 100 && a->visitors[0] == 1 && a->customer == 3);
	ck_assert_str_eq(a->currency.code, "EUR");
	ck_assert_int_eq(order_taken_back(a), _i == 0 ? 0 : 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("orderbook");
	TCase *tc = tcase_create("orderbook");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, open_book, close_book);
	tcase_add_test(tc, events_in_their_order);
	tcase_add_loop_test(tc, contradictions, 0, N_ELEM(told));
	tcase_add_test(tc, basis_of_an_order);
	tcase_add_test(tc, parts_are_bounded);
	tcase_add_test(tc, an_order_comes_back);
	tcase_add_test(tc, what_waits_comes_back);
	tcase_add_test(tc, an_alias_comes_back);
	tcase_add_test(tc, damaged_records_are_refused);
	tcase_add_loop_test(tc, the_first_paid_counts, 0, 2);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
