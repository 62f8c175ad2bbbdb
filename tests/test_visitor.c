/*
 * Tests of core/visitor: day keys, addresses, and identities that are one or two.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/visitor.h"

static int made;

static void
make(void *arg, int64_t day, struct hash_key *out)
{
	(void)arg;
	made++;
	memset(out, 0, sizeof(*out));
	memcpy(out->bytes, &day, sizeof(day));
}

static struct keyring ring = { .site = { "0123456789abcde" }, .make = make };

static const struct { const char *text, *hex; } addresses[] = {
	{ "1.2.3.4", "00000000000000000000ffff01020304" },
	{ "255.255.255.255", "00000000000000000000ffffffffffff" },
	{ "::", "00000000000000000000000000000000" },
	{ "::1", "00000000000000000000000000000001" },
	{ "2001:db8::1", "20010db8000000000000000000000001" },
	{ "2001:DB8:0:0:0:0:0:1", "20010db8000000000000000000000001" },
	{ "1:2:3:4:5:6:7:8", "00010002000300040005000600070008" },
	{ "fe80::", "fe800000000000000000000000000000" },
	{ "1::8", "00010000000000000000000000000008" },
	{ "::ffff:102:304", "00000000000000000000ffff01020304" },	/* IPv4, mapped: the same address */
	{ "1:2:3:4:5:6:7::", "00010002000300040005000600070000" },
	{ "", NULL }, { "1.2.3", NULL }, { "1.2.3.4.5", NULL }, { "1.2.3.256", NULL }, { "1..2.3", NULL }, { "1.2.3.4 ", NULL },
	{ "1.2.3.0004", NULL }, { ":", NULL }, { ":::", NULL }, { "1::2::3", NULL }, { "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL }, { "12345::", NULL }, { "g::", NULL }, { "1:2:3:4:5:6:7:", NULL }, { "unix:", NULL },
	{ "1:2:3:4:5:6:7:8::", NULL },
};

START_TEST(addresses_are_read)
{
	unsigned char out[16];
	char hex[33] = "";
	bool ok = address_parse(slice_of(addresses[_i].text), out);

	ck_assert_msg(ok == (addresses[_i].hex != NULL), "%s", addresses[_i].text);
	for (size_t i = 0; ok && i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", out[i]);
	if (ok)
		ck_assert_str_eq(hex, addresses[_i].hex);
}
END_TEST

#define HEX "0100007F0A1B2C3DDEADBEEF00000001"
#define B64 "fwAAAT0sGwrvvq3eAQAAAA=="

static const struct { const char *why, *a, *b; bool same; } uids[] = {
	{ "as logged, and hexadecimal alone", "uid=" HEX, HEX, true },
	{ "whatever the cookie's name", "my_ID2=" HEX, HEX, true },
	{ "as the cookie carries it", B64, "uid=" HEX, true },
	{ "with the name before that, too", "uid=" B64, HEX, true },
	{ "small letters", "0100007f0a1b2c3ddeadbeef00000001", HEX, true },
	{ "another", "0100007F0A1B2C3DDEADBEEF00000002", HEX, false },
	{ "of base64 case counts", "FWAAAT0sGwrvvq3eAQAAAA==", HEX, false },
	{ "no base64: a byte that is none", "fwAA_T0sGwrvvq3eAQAAAA==", HEX, false },
	{ "a value that ends in = is no name", "abc=", "", false },
	{ "cut short", "uid=0100007F", HEX, false },
};

START_TEST(uids_are_one)
{
	bool same = hash_uid(&ring, slice_of(uids[_i].a)) == hash_uid(&ring, slice_of(uids[_i].b));

	ck_assert_msg(same == uids[_i].same, "%s", uids[_i].why);
}
END_TEST

/* The same bytes as a cookie, a uid, a token and a user agent are four numbers; none is 0. */
START_TEST(kinds_are_apart)
{
	char longer[2000];
	uint64_t h[6];

	memset(longer, 'a', sizeof(longer));
	h[0] = hash_cookie(&ring, SLICE("ABC"));
	h[1] = hash_uid(&ring, SLICE("ABC"));
	h[2] = hash_token(&ring, SLICE("ABC"));
	h[3] = hash_user_agent(&ring, SLICE("ABC"));
	h[4] = hash_cookie(&ring, slice_make(longer, 2000));
	h[5] = hash_cookie(&ring, slice_make(longer, 1999));
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_ne(h[i], 0);
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(h[i], h[k]);
	}
}
END_TEST

START_TEST(agents_have_a_day)
{
	uint64_t ua = hash_user_agent(&ring, SLICE("Firefox")), first = hash_agent(&ring, 10, SLICE("1.2.3.4"), ua);

	ck_assert_uint_eq(hash_agent(&ring, 10, SLICE("::ffff:102:304"), ua), first);
	ck_assert_uint_ne(hash_agent(&ring, 11, SLICE("1.2.3.4"), ua), first);
	ck_assert_uint_ne(hash_agent(&ring, 10, SLICE("1.2.3.5"), ua), first);
	ck_assert_uint_ne(hash_agent(&ring, 10, SLICE("1.2.3.4"), ua + 1), first);
	/* What is no address is one of its own all the same. */
	ck_assert_uint_ne(hash_agent(&ring, 10, SLICE("unix:"), ua), hash_agent(&ring, 10, SLICE("host"), ua));
	keyring_clear(&ring);
	ring.make = make;
}
END_TEST

START_TEST(keys_are_made_once_and_forgotten_for_good)
{
	struct keyring r = { .make = make };
	int before = made;

	ck_assert_ptr_nonnull(keyring_day(&r, 5));
	ck_assert_ptr_nonnull(keyring_day(&r, 3));
	ck_assert_ptr_nonnull(keyring_day(&r, 4));
	ck_assert_ptr_nonnull(keyring_day(&r, 3));
	ck_assert_int_eq(made - before, 3);
	ck_assert(r.n_days == 3 && r.days[0].day == 3 && r.days[2].day == 5);
	ck_assert(keyring_forget(&r, 4));
	ck_assert(!keyring_forget(&r, 4));
	ck_assert(!keyring_forget(&r, 3));		/* never goes back */
	ck_assert_ptr_null(keyring_day(&r, 3));
	ck_assert_ptr_nonnull(keyring_day(&r, 4));
	ck_assert_int_eq(made - before, 3);
	ck_assert_uint_eq(hash_agent(&r, 2, SLICE("1.2.3.4"), 1), 0);
	keyring_clear(&r);
}
END_TEST

static struct order_event
event(const char *provider, const char *customer, const char *visitor, const char *ip, const char *agent)
{
	struct order_message m = { .provider = slice_of(provider), .customer = slice_of(customer), .visitor = slice_of(visitor),
	    .ip = slice_of(ip), .user_agent = slice_of(agent), .time_ms = 10 * DAY_MS };
	struct order_event e;

	order_event_hash(&ring, &m, &e);
	return (e);
}

START_TEST(order_keys)
{
	struct order_event e = event("stripe", "7", "abc", "1.2.3.4", "Firefox"), none = event("stripe", "", "", "1.2.3.4", "");
	uint64_t ua = hash_user_agent(&ring, SLICE("Firefox"));

	ck_assert_uint_eq(e.visitors[0], hash_cookie(&ring, SLICE("abc")));
	ck_assert_uint_eq(e.visitors[1], hash_uid(&ring, SLICE("abc")));
	ck_assert_uint_eq(e.agents[0], hash_agent(&ring, 10, SLICE("1.2.3.4"), ua));
	ck_assert_uint_eq(e.agents[1], hash_agent(&ring, 9, SLICE("1.2.3.4"), ua));
	ck_assert(none.customer == 0 && none.visitors[0] == 0 && none.visitors[1] == 0 && none.agents[0] == 0 && none.agents[1] == 0);
	/* An id is a customer of its provider, an address of the world. */
	ck_assert_uint_ne(e.customer, event("other", "7", "", "", "").customer);
	ck_assert_uint_eq(event("a", "email:x@y", "", "", "").customer, event("b", "email:x@y", "", "", "").customer);
	ck_assert_uint_ne(event("a", "bc", "", "", "").customer, event("ab", "c", "", "", "").customer);
	keyring_clear(&ring);
}
END_TEST

START_TEST(days)
{
	ck_assert_int_eq(day_of(0), 0);
	ck_assert_int_eq(day_of(DAY_MS - 1), 0);
	ck_assert_int_eq(day_of(DAY_MS), 1);
	ck_assert_int_eq(day_of(-1), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("visitor");
	TCase *tc = tcase_create("visitor");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, addresses_are_read, 0, (int)N_ELEM(addresses));
	tcase_add_loop_test(tc, uids_are_one, 0, (int)N_ELEM(uids));
	tcase_add_test(tc, kinds_are_apart);
	tcase_add_test(tc, agents_have_a_day);
	tcase_add_test(tc, keys_are_made_once_and_forgotten_for_good);
	tcase_add_test(tc, order_keys);
	tcase_add_test(tc, days);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
