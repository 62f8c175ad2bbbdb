/*
 * Tests of io/tally: what is told of the webhooks that came.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/tally.h"

#define NOW INT64_C(1772445600)		/* 2026-03-02T10:00:00Z */
#define DAY_S INT64_C(86400)

static struct tally *t;

static void
setup(void)
{
	t = tally_new();
}

static void
teardown(void)
{
	tally_free(&t);
	ck_assert_ptr_null(t);
}

static void
put(void *arg, const char *name, const char *value)
{
	buf_printf(arg, "%s=%s\n", name, value);
}

/* All fields, a line each. */
static struct buf
told(int64_t now_s)
{
	struct buf out = { 0 };

	tally_put(t, now_s * 1000, put, &out);
	buf_putc(&out, '\0');
	return (out);
}

static void
assert_told(const char *why, const char *want)
{
	struct buf out = told(NOW);

	ck_assert_msg(strcmp(out.p, want) == 0, "%s:\n%s", why, out.p);
	buf_free(&out);
}

static void
assert_tells(const char *why, int64_t now_s, const char *part, bool is_there)
{
	struct buf out = told(now_s);

	ck_assert_msg((strstr(out.p, part) != NULL) == is_there, "%s: \"%s\":\n%s", why, part, out.p);
	buf_free(&out);
}

static void
request(const char *provider, int status, const char *reason)
{
	tally_request(t, &(struct tally_request){ .provider = provider, .status = status, .reason = reason, .secret = -1,
	    .received_ms = NOW * 1000 });
}

START_TEST(by_provider_and_reason)
{
	request("stripe", 200, NULL);
	request("stripe", 200, NULL);
	request("stripe", 401, "bad_signature");
	request("shopify", 401, "timestamp_too_old");
	request(NULL, 404, "unknown_path");
	request(NULL, 400, "space before the colon of a header");
	request(NULL, 0, "too slow");
	tally_event(t, SLICE("stripe"), "duplicate");
	tally_event(t, SLICE("own_shop\x1b"), "conflict");
	assert_told("all of it",
	    "webhook_stripe_200=2\n"
	    "webhook_stripe_401_bad_signature=1\n"
	    "webhook_stripe_duplicate=1\n"
	    "webhook_stripe_last=2026-03-02T10:00:00Z\n"
	    "webhook_shopify_401_timestamp_too_old=1\n"
	    "request_404_unknown_path=1\n"
	    "request_400_space_before_the_colon_of_a_header=1\n"
	    "request_closed_too_slow=1\n"
	    "webhook_own-shop?_conflict=1\n");
}
END_TEST

START_TEST(unknown_types)
{
	struct tally_request r = { .provider = "stripe", .status = 200, .reason = "irrelevant_type", .secret = -1, .type = "customer.created",
	    .received_ms = NOW * 1000 };

	tally_request(t, &r);
	tally_request(t, &r);
	r.type = "a b\n\xff";
	tally_request(t, &r);
	r.type = "";
	tally_request(t, &r);
	r.reason = "same_money";
	r.type = "charge.succeeded";		/* known, and not wanted */
	tally_request(t, &r);
	assert_told("types",
	    "webhook_stripe_200_irrelevant_type=4\n"
	    "webhook_stripe_type_customer.created=2\n"
	    "webhook_stripe_type_a_b?" "?=1\n"
	    "webhook_stripe_type_none=1\n"
	    "webhook_stripe_200_same_money=1\n"
	    "webhook_stripe_last=2026-03-02T10:00:00Z\n");
}
END_TEST

START_TEST(bounded_whatever_comes)
{
	struct buf out;
	unsigned lines = 0;

	for (int i = 0; i < 1000; i++) {
		char text[300];

		snprintf(text, sizeof(text), "type.%d.%0200d", i, i);
		tally_request(t, &(struct tally_request){ .provider = "stripe", .status = 200, .reason = "irrelevant_type", .type = text,
		    .secret = -1, .received_ms = NOW * 1000 });
		snprintf(text, sizeof(text), "provider%d", i);
		tally_event(t, slice_of(text), "duplicate");
	}
	request("stripe", 200, "irrelevant_type");	/* what is known goes on being counted */
	out = told(NOW);
	for (const char *p = out.p; *p != '\0'; p++)
		lines += *p == '\n';
	ck_assert_uint_lt(lines, 200);
	ck_assert_ptr_nonnull(strstr(out.p, "webhook_stripe_200_irrelevant_type=1001\n"));
	ck_assert_ptr_nonnull(strstr(out.p, "webhook_stripe_other="));
	ck_assert_ptr_nonnull(strstr(out.p, "webhook_others_duplicate="));
	buf_free(&out);
}
END_TEST

/* A delivery with a good signature of that time, received now + after. */
static void
timed(int64_t signed_s, int64_t after)
{
	int64_t off = NOW + after - signed_s;

	tally_request(t, &(struct tally_request){ .provider = "stripe", .status = off > 300 || off < -300 ? 401 : 200,
	    .reason = off > 300 ? "timestamp_too_old" : off < -300 ? "timestamp_too_new" : NULL, .secret = 0,
	    .signed_s = signed_s, .received_ms = (NOW + after) * 1000 });
}

START_TEST(clock_is_wrong)
{
	timed(NOW + 7200, 0);
	timed(NOW + 7230, 30);
	ck_assert_int_eq(tally_clock_off(t, "stripe"), 0);	/* two may be an accident */
	timed(NOW + 7300, 101);
	ck_assert_int_eq(tally_clock_off(t, "stripe"), -7199);
	assert_tells("behind", NOW, "webhook_stripe_clock=This machine's clock is 7199 s behind that of stripe, ", true);
	timed(NOW + 200, 201);					/* set right */
	ck_assert_int_eq(tally_clock_off(t, "stripe"), 0);
	assert_tells("set right", NOW, "clock", false);
	for (int i = 0; i < 3; i++)
		timed(NOW - 1000 + i, 300 + i);
	assert_tells("ahead", NOW, "clock is 1300 s ahead of that of stripe", true);
	ck_assert_int_eq(tally_clock_off(t, "shopify"), 0);
}
END_TEST

START_TEST(clock_is_right_and_others_are_late)
{
	for (int i = 0; i < 10; i++)
		timed(NOW - 5000, i);			/* one old request, sent again and again */
	ck_assert_int_eq(tally_clock_off(t, "stripe"), 0);
	for (int i = 0; i < 10; i++)
		timed(NOW - 5000 * i - 1000, 100 + i);	/* old ones of all ages */
	ck_assert_int_eq(tally_clock_off(t, "stripe"), 0);
	for (int i = 0; i < 10; i++) {
		timed(NOW - 7000 + i, 200 + i);		/* a queue that was held up, among new ones */
		if (i % 2 == 1)
			timed(NOW + 200 + i, 200 + i);
	}
	ck_assert_int_eq(tally_clock_off(t, "stripe"), 0);
	for (int i = 0; i < 10; i++)			/* forged: no signed time */
		request("stripe", 401, "bad_signature");
	ck_assert_int_eq(tally_clock_off(t, "stripe"), 0);
}
END_TEST

START_TEST(hint_goes_with_the_next_good_signature)
{
	struct tally_request bad = { .provider = "stripe", .status = 401, .reason = "bad_signature", .secret = -1, .received_ms = NOW * 1000 };

	tally_request(t, &bad);
	assert_tells("nothing is known", NOW, "hint", false);
	bad.hint = "the body is empty";
	tally_request(t, &bad);
	bad.hint = "";
	tally_request(t, &bad);				/* a forger says nothing about it */
	assert_tells("known", NOW, "webhook_stripe_hint=the body is empty\n", true);
	timed(NOW, 0);
	assert_tells("mended", NOW, "hint", false);
}
END_TEST

START_TEST(secrets)
{
	struct tally_request r = { .provider = "stripe", .status = 200, .secret = 0, .received_ms = NOW * 1000 };

	tally_secret_known(t, "stripe", 0, NOW * 1000);
	tally_request(t, &r);
	assert_tells("one alone", NOW + 100 * DAY_S, "secret", false);
	tally_secret_known(t, "stripe", 1, (NOW - 3 * DAY_S) * 1000);
	tally_request(t, &r);
	assert_tells("which fits", NOW, "webhook_stripe_secret_1=2\n", true);
	tally_forget_secrets(t);
	assert_tells("a reload", NOW, "secret", false);
	tally_secret_known(t, "stripe", 0, NOW * 1000);
	tally_secret_known(t, "stripe", 1, (NOW - 3 * DAY_S) * 1000);
	tally_request(t, &r);
	tally_request(t, &r);
	assert_tells("which fits", NOW, "webhook_stripe_secret_1=2\n", true);
	assert_tells("which does not", NOW, "webhook_stripe_secret_2=0\n", true);
	assert_tells("not yet", NOW + 4 * DAY_S - 1, "unused", false);
	assert_tells("a week", NOW + 4 * DAY_S, "webhook_stripe_secret_2_unused_days=7\n", true);
	assert_tells("a week", NOW + 4 * DAY_S, "secret_1_unused", false);
	r.secret = 1;
	r.received_ms = (NOW + 4 * DAY_S) * 1000;
	tally_request(t, &r);
	assert_tells("in use again", NOW + 5 * DAY_S, "secret_2_unused", false);
	r.secret = 99;
	tally_request(t, &r);				/* no such place; nothing happens */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tally");
	TCase *tc = tcase_create("tally");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, by_provider_and_reason);
	tcase_add_test(tc, unknown_types);
	tcase_add_test(tc, bounded_whatever_comes);
	tcase_add_test(tc, clock_is_wrong);
	tcase_add_test(tc, clock_is_right_and_others_are_late);
	tcase_add_test(tc, hint_goes_with_the_next_good_signature);
	tcase_add_test(tc, secrets);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
