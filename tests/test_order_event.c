/*
 * Tests of core/order_event: what is encoded decodes to the same event; what was
 * never encoded is refused.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/order.h"

static char text[ORDER_ID_MAX + 2];		/* what random ids point into */

static struct slice
some_id(size_t max)
{
	return (slice_make(text, (size_t)random() % (max + 1)));
}

static uint64_t
some_hash(void)
{
	return (random() % 2 == 0 ? 0 : (uint64_t)random() << 33 | (uint64_t)random());
}

static int64_t
some_amount(void)
{
	return ((random() << 20 ^ random()) % (MONEY_MAX + 1) >> random() % 40);
}

static struct order_event
some_event(void)
{
	struct order_event e = {
		.kind = (enum order_kind)(random() % ORDER_KINDS),
		.event_id = some_id(ORDER_ID_MAX), .provider = some_id(20),
		.order_id = some_id(ORDER_ID_MAX), .part_id = some_id(ORDER_ID_MAX),
		.time_ms = (random() << 12 ^ random()) % INT64_C(253402300799999),
		.currency = { "EUR" },
		.amount = some_amount(), .tax = some_amount(), .shipping = some_amount(),
		.recurring = random() % 2, .cumulative = random() % 2,
		.customer = some_hash(), .customer_is_email = random() % 2,
		.visitors = { some_hash(), some_hash() }, .agents = { some_hash(), some_hash() },
		.n_tokens = (size_t)random() % (ORDER_TOKENS_MAX + 1),
		.n_aliases = (size_t)random() % (ORDER_ALIASES_MAX + 1),
	};

	for (size_t i = 0; i < e.n_tokens; i++)
		e.tokens[i] = some_hash();
	if (e.kind == ORDER_ALIAS)
		e.n_aliases = 1;
	for (size_t i = 0; i < e.n_aliases; i++)
		e.aliases[i] = some_id(ORDER_ID_MAX);
	return (e);
}

static void
assert_equal(const struct order_event *a, const struct order_event *b)
{
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert(slice_equal(a->event_id, b->event_id) && slice_equal(a->provider, b->provider));
	ck_assert(slice_equal(a->order_id, b->order_id) && slice_equal(a->part_id, b->part_id));
	ck_assert_int_eq(a->time_ms, b->time_ms);
	ck_assert_str_eq(a->currency.code, b->currency.code);
	ck_assert(a->amount == b->amount && a->tax == b->tax && a->shipping == b->shipping);
	ck_assert(a->recurring == b->recurring && a->cumulative == b->cumulative);
	ck_assert(a->customer == b->customer && a->customer_is_email == b->customer_is_email);
	ck_assert(memcmp(a->visitors, b->visitors, sizeof(a->visitors)) == 0);
	ck_assert(memcmp(a->agents, b->agents, sizeof(a->agents)) == 0);
	ck_assert_uint_eq(a->n_tokens, b->n_tokens);
	ck_assert(memcmp(a->tokens, b->tokens, sizeof(a->tokens)) == 0);
	ck_assert_uint_eq(a->n_aliases, b->n_aliases);
	for (size_t i = 0; i < a->n_aliases; i++)
		ck_assert(slice_equal(a->aliases[i], b->aliases[i]));
}

static void
fill_text(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);	/* NULs, quotes, high bytes: ids are bytes */
}

START_TEST(events_come_back)
{
	struct buf b = { 0 };

	fill_text();
	srandom((unsigned)_i);
	for (int i = 0; i < 2000; i++) {
		struct order_event e = some_event(), back;

		b.len = 0;
		order_event_encode(&e, &b);
		ck_assert_msg(order_event_decode(buf_view(&b), &back) == 0, "seed %d, event %d", _i, i);
		assert_equal(&e, &back);
	}
	buf_free(&b);
}
END_TEST

/* Cut anywhere, it is no event, and neither is one with something behind it. */
START_TEST(cut_anywhere)
{
	struct buf b = { 0 };

	fill_text();
	srandom((unsigned)_i);
	for (int i = 0; i < 20; i++) {
		struct order_event e = some_event(), back;

		b.len = 0;
		order_event_encode(&e, &b);
		for (size_t len = 0; len < b.len; len++) {
			char *exact = mem_dup(b.p, len);	/* so that a sanitizer sees one byte too many */

			ck_assert_msg(order_event_decode(slice_make(exact, len), &back) == -1,
			    "seed %d, event %d, %zu of %zu bytes", _i, i, len, b.len);
			free(exact);
		}
		buf_putc(&b, 0);
		ck_assert_int_eq(order_event_decode(buf_view(&b), &back), -1);
	}
	buf_free(&b);
}
END_TEST

/* Any byte changed: no crash, and what is still taken for an event is within its bounds. */
START_TEST(bytes_changed)
{
	struct buf b = { 0 }, again = { 0 };

	fill_text();
	srandom((unsigned)_i);
	for (int i = 0; i < 20000; i++) {
		struct order_event e = some_event(), back, twice;

		b.len = again.len = 0;
		order_event_encode(&e, &b);
		for (int n = 0; n < 3; n++)
			b.p[(size_t)random() % (i % 2 ? b.len : 16)] = (char)random();
		if (order_event_decode(buf_view(&b), &back) != 0)
			continue;
		order_event_encode(&back, &again);	/* must() would stop us here */
		ck_assert_int_eq(order_event_decode(buf_view(&again), &twice), 0);
		assert_equal(&back, &twice);
	}
	buf_free(&b);
	buf_free(&again);
}
END_TEST

/* The bytes of version 1, written by hand: a change of the format must change the version. */
static const char hand_written[] =
    "\x01" "\x01" "\x40"			/* version, refunded, cumulative */
    "\x02" "e1" "\x01" "p" "\x02" "o1" "\x02" "r1"
    "\x80\xa4\xec\xdf\x95\x67"			/* 1772445600000 ms, zigzag */
    "EUR" "\x88\x0e" "\x00" "\x00"		/* 9.00, no tax, no shipping */
    "\x00" "\x00";				/* no tokens, no aliases */

START_TEST(format_is_version_1)
{
	struct order_event e;
	struct buf b = { 0 };

	ck_assert_int_eq(order_event_decode(SLICE(hand_written), &e), 0);
	ck_assert_int_eq(e.kind, ORDER_REFUNDED);
	ck_assert(e.cumulative && !e.recurring);
	ck_assert(slice_is(e.event_id, "e1") && slice_is(e.provider, "p"));
	ck_assert(slice_is(e.order_id, "o1") && slice_is(e.part_id, "r1"));
	ck_assert_int_eq(e.time_ms, 1772445600000);
	ck_assert_str_eq(e.currency.code, "EUR");
	ck_assert_int_eq(e.amount, 900);
	order_event_encode(&e, &b);
	ck_assert(slice_equal(buf_view(&b), SLICE(hand_written)));
	buf_free(&b);
}
END_TEST

/* One field of the bytes above replaced; each refusal has a neighbour that is fine. */
static const struct { const char *why; int rc; size_t at, cut; struct slice by; } changed[] = {
	{ "another version", -1, 0, 1, { "\x02", 1 } },
	{ "version 0: a block of zeros", -1, 0, 1, { "\x00", 1 } },
	{ "no such kind", -1, 1, 1, { "\x05", 1 } },
	{ "an alias that names none", -1, 1, 1, { "\x04", 1 } },
	{ "a customer", 0, 2, 25, { "\x41\x00\x00\x00\x00\x80\x01" "EUR\x88\x0e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 22 } },
	{ "a customer that is nobody", -1, 2, 25, { "\x41\x00\x00\x00\x00\x80\x01" "EUR\x88\x0e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 22 } },
	{ "a time before 1970", -1, 14, 6, { "\x01", 1 } },
	{ "a time beyond the year 9999", -1, 14, 6, { "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10 } },
	{ "a currency in small letters", -1, 20, 3, { "eur", 3 } },
	{ "a currency that is none", -1, 20, 3, { "E\0\0", 3 } },
	{ "a negative amount", -1, 23, 2, { "\x01", 1 } },
	{ "the largest amount", 0, 23, 2, { "\x80\xc0\xa8\xca\x9a\x3a", 6 } },
	{ "an absurd amount: MONEY_MAX and one", -1, 23, 2, { "\x82\xc0\xa8\xca\x9a\x3a", 6 } },
	{ "a negative tax", -1, 25, 1, { "\x01", 1 } },
	{ "16 tokens", 0, 27, 1, { "\x10" "0123456701234567012345670123456701234567012345670123456701234567"
	    "0123456701234567012345670123456701234567012345670123456701234567", 129 } },
	{ "17 tokens", -1, 27, 1, { "\x11" "0123456701234567012345670123456701234567012345670123456701234567"
	    "0123456701234567012345670123456701234567012345670123456701234567" "01234567", 137 } },
	{ "16 aliases", 0, 28, 1, { "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17 } },
	{ "17 aliases", -1, 28, 1, { "\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18 } },
	{ "a length beyond the end", -1, 28, 1, { "\x01\x7f", 2 } },
	{ "a length beyond any end", -1, 28, 1, { "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 } },
};

START_TEST(out_of_range)
{
	struct buf b = { 0 };
	struct order_event e = { .kind = ORDER_ALIAS, .amount = 4 };

	buf_put(&b, hand_written, changed[_i].at);
	buf_put(&b, changed[_i].by.p, changed[_i].by.len);
	buf_put(&b, hand_written + changed[_i].at + changed[_i].cut, sizeof(hand_written) - 1 - changed[_i].at - changed[_i].cut);
	ck_assert_msg(order_event_decode(buf_view(&b), &e) == changed[_i].rc, "%s", changed[_i].why);
	if (changed[_i].rc != 0)
		ck_assert_msg(e.kind == ORDER_ALIAS && e.amount == 4, "%s: the result was touched", changed[_i].why);
	buf_free(&b);
}
END_TEST

/* The longest id is taken, one byte more is not. */
START_TEST(longest_id)
{
	struct buf b = { 0 };
	struct order_event e;

	for (size_t len = ORDER_ID_MAX; len <= ORDER_ID_MAX + 1; len++) {
		b.len = 0;
		buf_put(&b, hand_written, 3);
		buf_slice(&b, slice_make(text, len));
		buf_put(&b, hand_written + 6, sizeof(hand_written) - 1 - 6);
		ck_assert_int_eq(order_event_decode(buf_view(&b), &e), len == ORDER_ID_MAX ? 0 : -1);
	}
	buf_free(&b);
}
END_TEST

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(order_kind_name(ORDER_PAID), "order.paid");
	ck_assert_str_eq(order_kind_name(ORDER_REFUNDED), "order.refunded");
	ck_assert_str_eq(order_kind_name(ORDER_DISPUTED), "order.disputed");
	ck_assert_str_eq(order_kind_name(ORDER_DISPUTE_WON), "order.dispute_won");
	ck_assert_str_eq(order_kind_name(ORDER_ALIAS), "order.alias");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("order_event");
	TCase *tc = tcase_create("order_event");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, events_come_back, 0, 3);
	tcase_add_loop_test(tc, cut_anywhere, 0, 3);
	tcase_add_loop_test(tc, bytes_changed, 0, 3);
	tcase_add_test(tc, format_is_version_1);
	tcase_add_loop_test(tc, out_of_range, 0, N_ELEM(changed));
	tcase_add_test(tc, longest_id);
	tcase_add_test(tc, kinds_have_names);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
