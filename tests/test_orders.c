/*
 * Tests of ctl/order_view: what an owner is told of an order, from its record on.
 *
 * Each order goes through its record once, so that a field that is not kept shows.
 */
#include "ctl/order_view.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/model.h"

#define AT INT64_C(1772448000000)	/* 2026-03-02 10:40:00 UTC */
#define MINUTE INT64_C(60000)

static const struct hash_key key = { { 1, 2, 3 } };
static struct orderbook book, decoded;

static void
setup(void)
{
	setenv("TZ", "UTC", 1);
	orderbook_init(&book, &key);
	orderbook_init(&decoded, &key);
}

static void
teardown(void)
{
	orderbook_clear(&book);
	orderbook_clear(&decoded);
}

/* "paid 80.00", "refunded r1 20.00", "total r2 20.00", "disputed d1 5.00", "won d1 5.00" */
static struct order_event
event_of(const char *text)
{
	static const struct { const char *word; enum order_kind kind; bool cumulative; } words[] = {
		{ "paid", ORDER_PAID, false }, { "refunded", ORDER_REFUNDED, false }, { "total", ORDER_REFUNDED, true },
		{ "disputed", ORDER_DISPUTED, false }, { "won", ORDER_DISPUTE_WON, false },
	};
	struct order_event e = { .time_ms = AT, .currency = { "EUR" } };
	struct slice rest = slice_of(text), word = slice_cut(&rest, ' ');

	for (size_t i = 0; i < N_ELEM(words); i++)
		if (slice_is(word, words[i].word)) {
			e.kind = words[i].kind;
			e.cumulative = words[i].cumulative;
		}
	if (e.kind != ORDER_PAID)
		e.part_id = slice_cut(&rest, ' ');
	ck_assert_msg(money_parse(rest, e.currency, &e.amount), "%s", text);
	return (e);
}

static struct order *
through_record(const struct order *o)
{
	struct order *copy = orderbook_add(&decoded, o->provider, o->id);
	struct buf record = { 0 };

	order_encode(o, &record);
	ck_assert_int_eq(order_decode(buf_view(&record), copy), 0);
	buf_free(&record);
	return (copy);
}

static struct order *
order_of(const char *id, const char *const *events, size_t n)
{
	struct order *o = orderbook_add(&book, SLICE("stripe"), slice_of(id));

	for (size_t i = 0; i < n && events[i] != NULL; i++) {
		struct order_event e = event_of(events[i]);

		order_apply(o, &e, i + 1, &key);
	}
	return (o);
}

/* ---- sums ---------------------------------------------------------------- */

static const struct { const char *why, *events[5]; int64_t paid, refunded, disputed, net; } sums[] = {
	{ "nothing but paid", { "paid 80.00" }, 8000, 0, 0, 8000 },
	{ "refunds add up, each id once", { "paid 80.00", "refunded r1 20.00", "refunded r1 20.00", "refunded r2 5.00" },
	    8000, 2500, 0, 5500 },
	{ "a running total that is more", { "paid 80.00", "refunded r1 20.00", "total r2 30.00" }, 8000, 3000, 0, 5000 },
	{ "a running total that is less", { "paid 80.00", "refunded r1 20.00", "total r2 10.00" }, 8000, 2000, 0, 6000 },
	{ "a dispute is lost", { "paid 80.00", "disputed d1 80.00" }, 8000, 0, 8000, 0 },
	{ "until it is won", { "paid 80.00", "disputed d1 80.00", "won d1 80.00" }, 8000, 0, 0, 8000 },
	{ "and then for good", { "paid 80.00", "won d1 80.00", "disputed d1 80.00" }, 8000, 0, 0, 8000 },
	{ "never below zero", { "paid 80.00", "refunded r1 80.00", "disputed d1 80.00" }, 8000, 8000, 8000, 0 },
	{ "a refund that waits for its order", { "refunded r1 20.00" }, 0, 2000, 0, 0 },
};

START_TEST(sums_of_order)
{
	struct order *o = through_record(order_of("cs_1", sums[_i].events, N_ELEM(sums[_i].events)));
	struct order_sums s = order_sums(o);

	ck_assert_msg(s.paid == sums[_i].paid && s.refunded == sums[_i].refunded && s.disputed == sums[_i].disputed &&
	    s.net == sums[_i].net, "%s: paid %lld refunded %lld disputed %lld net %lld", sums[_i].why,
	    (long long)s.paid, (long long)s.refunded, (long long)s.disputed, (long long)s.net);
}
END_TEST

/* ---- joins and sources ------------------------------------------------------ */

static const struct { const char *why; bool paid, waiting; enum join_how how; const char *word; } joins[] = {
	{ "joined", true, false, JOIN_TOKEN, "token" },
	{ "joined while a set still says that it waits", true, true, JOIN_TOKEN, "token" },
	{ "may still be", true, true, JOIN_NONE, "waiting" },
	{ "final", true, false, JOIN_NONE, "none" },
	{ "nothing to join yet", false, true, JOIN_NONE, "unpaid" },
};

START_TEST(join_of_order)
{
	struct order o = { .paid = joins[_i].paid, .waiting = joins[_i].waiting, .how = joins[_i].how };

	ck_assert_msg(strcmp(order_join(&o), joins[_i].word) == 0, "%s: %s", joins[_i].why, order_join(&o));
}
END_TEST

enum { NEWS = 1, GOOGLE, DIRECT, EMAIL, ORGANIC, CHANNEL_DIRECT, SPRING, NO_CAMPAIGN, GONE };

static void
name_series(struct order_shop *shop)
{
	static const char *const names[] = { "", "news/email", "google/organic", "(direct)/(none)", "Email", "Organic Search",
	    "Direct", "\x1b[31mspring", "(none)" };

	for (uint32_t i = 1; i < N_ELEM(names); i++)
		series_names_put(&shop->names, i, slice_of(names[i]));
}

static const struct touch journey[] = {
	{ AT - 3 * 1440 * MINUTE, false, NEWS, EMAIL, SPRING },
	{ AT - 2 * 1440 * MINUTE, false, GOOGLE, ORGANIC, NO_CAMPAIGN },
	{ AT - 1440 * MINUTE, false, NEWS, EMAIL, GONE },
	{ AT - 5 * MINUTE, true, DIRECT, CHANNEL_DIRECT, NO_CAMPAIGN },
};

static struct order *
joined_order(void)
{
	static const char *const events[] = { "paid 80.00", "refunded r1 20.00", "refunded r2 0.01" };
	struct order *o = order_of("cs_1", events, N_ELEM(events)), *copy;

	o->tax = 1277;
	o->shipping = 490;
	o->n_tokens = 2;
	o->customer = 7;
	o->how = JOIN_TOKEN;
	o->visit = (struct visit_ref){ 1, 2, journey[3].start_ms };
	o->touches = mem_dup(journey, sizeof(journey));
	o->n_touches = N_ELEM(journey);
	o->counted = o->counted_joined = true;
	o->counted_gross = 8640;
	o->counted_net = 6479;
	copy = through_record(o);
	return (copy);
}

static const struct { const char *why; int model; const char *sources; } credited[] = {
	{ "direct has nothing where another has", MODEL_LAST_NON_DIRECT, "[\"news/email\"]" },
	{ "the last", MODEL_LAST, "[\"(direct)/(none)\"]" },
	{ "each once, the earliest first", MODEL_LINEAR, "[\"news/email\", \"google/organic\", \"(direct)/(none)\"]" },
};

START_TEST(sources_of_order)
{
	struct order_shop shop = { .site = "shop", .model = credited[_i].model };
	json_t *object;
	char *text;

	name_series(&shop);
	object = order_json(&shop, joined_order());
	text = json_dumps(json_object_get(object, "sources"), 0);
	ck_assert_msg(text != NULL && strcmp(text, credited[_i].sources) == 0, "%s: %s", credited[_i].why, text);
	free(text);
	json_decref(object);
	series_names_free(&shop.names);
}
END_TEST

/* ---- the whole --------------------------------------------------------------- */

static const char in_full[] =
    "order       stripe:cs_1\n"
    "time        2026-03-02 10:40:00 UTC\n"
    "paid        80.00 EUR, of which tax 12.77, shipping 4.90\n"
    "refunded    20.01 EUR: 20.00 + 0.01\n"
    "disputed    0.00 EUR\n"
    "net         59.99 EUR\n"
    "offers      2 tokens, customer\n"
    "join        by token, to the visit of 2026-03-02 10:35:00 UTC\n"
    "in figures  64.79 USD of 86.40, attributed\n"
    "\n"
    "Touches, the earliest first:\n"
    "\n"
    "touch                         start         channel        campaign\n"
    "1 news/email       2026-02-27 10:40           Email  \\x1b[31mspring\n"
    "2 google/organic   2026-02-28 10:40  Organic Search          (none)\n"
    "3 news/email       2026-03-01 10:40           Email         (other)\n"
    "4 (direct)/(none)  2026-03-02 10:35          Direct          (none)\n"
    "\n"
    "Its credit by model, USD; this site goes by last_non_direct:\n"
    "\n"
    "touch              last_non_direct   last  first  linear  position  time_decay\n"
    "1 news/email                  0.00   0.00  64.79   16.20     25.92       13.88\n"
    "2 google/organic              0.00   0.00   0.00   16.20      6.48       15.32\n"
    "3 news/email                 64.79   0.00   0.00   16.20      6.48       16.92\n"
    "4 (direct)/(none)             0.00  64.79   0.00   16.19     25.91       18.67\n";

START_TEST(order_in_full)
{
	struct order_shop shop = { .site = "shop", .currency = { "USD" } };
	struct buf b = { 0 };

	name_series(&shop);
	order_write(&shop, joined_order(), 80, &b);
	ck_assert_msg(slice_is(buf_view(&b), in_full), "%.*s", SLICE_FMT(buf_view(&b)));
	buf_free(&b);
	series_names_free(&shop.names);
}
END_TEST

START_TEST(order_without_payment)
{
	static const char *const events[] = { "refunded r1 20.00" };
	struct order_shop shop = { .site = "shop" };
	struct buf b = { 0 };

	order_write(&shop, through_record(order_of("cs_1", events, 1)), 80, &b);
	ck_assert_msg(slice_is(buf_view(&b),
	    "order       stripe:cs_1\n"
	    "paid        not yet: what came of it waits for the payment\n"
	    "refunded    20.00 EUR\n"
	    "disputed    0.00 EUR\n"
	    "net         0.00 EUR\n"
	    "offers      nothing to join it by\n"), "%.*s", SLICE_FMT(buf_view(&b)));
	buf_free(&b);
}
END_TEST

START_TEST(table_with_several_sources)
{
	struct order_shop shop = { .site = "shop", .model = MODEL_LINEAR };
	struct order *order = joined_order();
	struct buf b = { 0 };

	name_series(&shop);
	orders_write(&shop, &order, 1, 100, &b);
	ck_assert_msg(slice_is(buf_view(&b),
	    "shop: 1 order, EUR, source by linear\n"
	    "\n"
	    "order                    time   paid  refunded    net   join         source        visit\n"
	    "stripe:cs_1  2026-03-02 10:40  80.00     20.01  59.99  token  news/email +2  03-02 10:35\n"),
	    "%.*s", SLICE_FMT(buf_view(&b)));
	buf_free(&b);
	series_names_free(&shop.names);
}
END_TEST

START_TEST(table_of_orders)
{
	static const char *const plain[] = { "paid 7.90" };
	struct order_shop shop = { .site = "shop", .currency = { "USD" } };
	struct order *orders[] = { joined_order(), through_record(order_of("cs_2", plain, 1)) };
	struct buf b = { 0 };

	name_series(&shop);
	orders[1]->waiting = true;
	orders_write(&shop, orders, 2, 100, &b);
	ck_assert_msg(slice_is(buf_view(&b),
	    "shop: 2 orders, the latest first, EUR, source by last_non_direct\n"
	    "\n"
	    "order                    time   paid  refunded    net     join      source        visit\n"
	    "stripe:cs_1  2026-03-02 10:40  80.00     20.01  59.99    token  news/email  03-02 10:35\n"
	    "stripe:cs_2  2026-03-02 10:40   7.90      0.00   7.90  waiting           -            -\n"),
	    "%.*s", SLICE_FMT(buf_view(&b)));
	buf_free(&b);
	series_names_free(&shop.names);
}
END_TEST

/* What scripts rely on. */
static const struct { const char *why, *path, *value; } members[] = {
	{ "money is text, with the currency's digits", "paid", "\"80.00\"" },
	{ "single refunds added up", "refunded", "\"20.01\"" },
	{ "zero has its digits too", "disputed", "\"0.00\"" },
	{ "what is left", "net", "\"59.99\"" },
	{ "a time with its zone", "time", "\"2026-03-02T10:40:00Z\"" },
	{ "the converting visit", "visit_start", "\"2026-03-02T10:35:00Z\"" },
	{ "how", "join", "\"token\"" },
	{ "decided", "waiting", "false" },
	{ "hashes are counted, not shown", "offers", "{\"visitor\": false, \"tokens\": 2, \"ip_ua\": false, \"customer\": true}" },
	{ "in the site's currency", "in_figures",
	    "{\"currency\": \"USD\", \"paid\": \"86.40\", \"net\": \"64.79\", \"attributed\": true, \"recurring\": false}" },
};

START_TEST(json_of_order)
{
	struct order_shop shop = { .site = "shop", .currency = { "USD" } };
	json_t *object;
	char *text;

	name_series(&shop);
	object = order_json(&shop, joined_order());
	text = json_dumps(json_object_get(object, members[_i].path), JSON_ENCODE_ANY);
	ck_assert_msg(text != NULL && strcmp(text, members[_i].value) == 0, "%s: %s is %s", members[_i].why, members[_i].path, text);
	ck_assert_uint_eq(json_array_size(json_object_get(object, "touches")), N_ELEM(journey));
	free(text);
	json_decref(object);
	series_names_free(&shop.names);
}
END_TEST

/* The parts of every model add up to what stands in the figures. */
START_TEST(credit_adds_up)
{
	struct order_shop shop = { .site = "shop", .currency = { "USD" } };
	struct currency usd = { "USD" };
	json_t *object = order_json(&shop, joined_order()), *touch;
	const char *model = (const char *[]){ "last_non_direct", "last", "first", "linear", "position", "time_decay" }[_i];
	int64_t sum = 0, part;
	size_t i;

	json_array_foreach(json_object_get(object, "touches"), i, touch) {
		const char *credit = json_string_value(json_object_get(json_object_get(touch, "credit"), model));

		ck_assert_ptr_nonnull(credit);
		ck_assert(money_parse(slice_of(credit), usd, &part));
		sum += part;
	}
	ck_assert_int_eq(sum, 6479);
	json_decref(object);
}
END_TEST

/* A record of another version, or cut short, is no order; none is more than its bytes say. */
START_TEST(damaged_records)
{
	struct order *whole = joined_order();
	struct buf record = { 0 };

	order_encode(whole, &record);
	for (size_t n = 0; n < record.len; n++) {
		char id[32];

		snprintf(id, sizeof(id), "cut_%zu", n);
		ck_assert_msg(order_decode(slice_make(record.p, n), orderbook_add(&decoded, SLICE("stripe"), slice_of(id))) != 0,
		    "a record of %zu bytes is taken with %zu", record.len, n);
	}
	record.p[0] = 99;
	ck_assert_int_ne(order_decode(buf_view(&record), orderbook_add(&decoded, SLICE("stripe"), SLICE("other_version"))), 0);
	buf_free(&record);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("orders");
	TCase *tc = tcase_create("orders");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, sums_of_order, 0, N_ELEM(sums));
	tcase_add_loop_test(tc, join_of_order, 0, N_ELEM(joins));
	tcase_add_loop_test(tc, sources_of_order, 0, N_ELEM(credited));
	tcase_add_test(tc, order_in_full);
	tcase_add_test(tc, order_without_payment);
	tcase_add_test(tc, table_of_orders);
	tcase_add_test(tc, table_with_several_sources);
	tcase_add_loop_test(tc, json_of_order, 0, N_ELEM(members));
	tcase_add_loop_test(tc, credit_adds_up, 0, 6);
	tcase_add_test(tc, damaged_records);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
