/*
 * The client behind proxies, and the look of a log that has the proxies' addresses only.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/address.h"
#include "core/crowd.h"
#include "core/visitor.h"

static const struct {
	const char *why, *trusted, *addr, *forwarded, *client;
} rows[] = {
	/* nobody is trusted */
	{ "an address is the client's", "", "203.0.113.9", "", "203.0.113.9" },
	{ "what strangers write counts for nothing", "", "203.0.113.9", "198.51.100.1", "203.0.113.9" },
	{ "of a list in place of the address the last", "", "10.0.0.2, 10.0.0.1, 127.0.0.1", "", "127.0.0.1" },
	{ "a list alone: its last", "", "", "198.51.100.1, 203.0.113.9", "203.0.113.9" },
	{ "a port changes with each connection", "", "203.0.113.9:51234", "", "203.0.113.9" },
	{ "IPv6 stays as it is", "", "2001:db8::9", "", "2001:db8::9" },
	{ "IPv6 with a port", "", "[2001:db8::9]:443", "", "2001:db8::9" },
	{ "IPv6 in brackets", "", "[2001:db8::9]", "", "2001:db8::9" },
	{ "a bracket that stays open", "", "[2001:db8::9", "", "2001:db8::9" },
	{ "a name, as Apache may log it", "", "host.example", "", "host.example" },
	{ "a unix socket", "", "unix:", "198.51.100.1", "unix:" },
	{ "nothing at all", "", "", "", "" },
	{ "commas only", "", " , ,", ",,", "" },

	/* proxies */
	{ "behind a trusted one", "10.0.0.0/8", "10.1.2.3", "203.0.113.9", "203.0.113.9" },
	{ "over two of ours", "10.0.0.0/8", "10.1.2.3", "203.0.113.9, 10.0.0.1", "203.0.113.9" },
	{ "what the client made up is on the left", "10.0.0.0/8", "10.1.2.3", "1.1.1.1, 203.0.113.9, 10.0.0.1", "203.0.113.9" },
	{ "a proxy's network made up by the client, too", "10.0.0.0/8", "10.1.2.3", "10.9.9.9, 203.0.113.9", "203.0.113.9" },
	{ "who is not trusted is the client, whatever it says", "10.0.0.0/8", "203.0.113.9", "198.51.100.1", "203.0.113.9" },
	{ "all are ours: the one that began", "10.0.0.0/8", "10.1.2.3", "10.0.0.7, 10.0.0.1", "10.0.0.7" },
	{ "no list: the proxy itself asks", "10.0.0.0/8", "10.1.2.3", "", "10.1.2.3" },
	{ "the list in place of the address", "10.0.0.0/8 127.0.0.1", "203.0.113.9, 10.0.0.1, 127.0.0.1", "", "203.0.113.9" },
	{ "the list in its place, without an address", "10.0.0.0/8", "", "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9" },
	{ "the edge of a network", "10.0.0.0/9", "10.127.255.255", "203.0.113.9", "203.0.113.9" },
	{ "beyond the edge", "10.0.0.0/9", "10.128.0.0", "203.0.113.9", "10.128.0.0" },
	{ "one address", "10.1.2.3", "10.1.2.4", "203.0.113.9", "10.1.2.4" },
	{ "a network of IPv6", "2001:db8::/32", "2001:db8:1::5", "203.0.113.9", "203.0.113.9" },
	{ "IPv4 that a listener for both logs", "10.0.0.0/8", "::ffff:10.1.2.3", "203.0.113.9", "::ffff:10.1.2.3" },
	{ "the same in hexadecimal", "10.0.0.0/8", "::ffff:a01:203", "203.0.113.9", "203.0.113.9" },
	{ "no blank behind the comma", "10.0.0.0/8", "10.1.2.3", "203.0.113.9,10.0.0.1", "203.0.113.9" },
	{ "empty places are none", "10.0.0.0/8", "10.1.2.3", "203.0.113.9, , 10.0.0.1,", "203.0.113.9" },
	{ "ports in the list", "10.0.0.0/8", "10.1.2.3:80", "203.0.113.9:4711, 10.0.0.1:443", "203.0.113.9" },
	{ "IPv6 and port in the list", "10.0.0.0/8", "10.1.2.3", "[2001:db8::9]:4711", "2001:db8::9" },
	{ "unknown ends it: what is left of that nobody vouches for", "10.0.0.0/8", "10.1.2.3", "203.0.113.9, unknown", "10.1.2.3" },
	{ "garbage ends it, too", "10.0.0.0/8", "10.1.2.3", "203.0.113.9, 10.0.0.1, ' or 1=1", "10.1.2.3" },
	{ "a unix socket that is not trusted", "10.0.0.0/8", "unix:", "203.0.113.9", "unix:" },
	{ "a trusted unix socket", "unix: 10.0.0.0/8", "unix:", "203.0.113.9, 10.0.0.1", "203.0.113.9" },
	{ "a trusted unix socket, and nobody else", "unix:", "unix:", "203.0.113.9", "203.0.113.9" },
	{ "a unix socket without a list", "unix:", "unix:", "", "unix:" },

	/* RFC 7239 */
	{ "for=", "10.0.0.0/8", "10.1.2.3", "for=203.0.113.9", "203.0.113.9" },
	{ "among others, and in capitals", "10.0.0.0/8", "10.1.2.3", "proto=https; For=203.0.113.9;by=10.0.0.1", "203.0.113.9" },
	{ "quoted, IPv6, port", "10.0.0.0/8", "10.1.2.3", "for=\"[2001:db8::9]:4711\"", "2001:db8::9" },
	{ "several", "10.0.0.0/8", "10.1.2.3", "for=1.1.1.1, for=203.0.113.9;proto=http, for=10.0.0.1", "203.0.113.9" },
	{ "hidden", "10.0.0.0/8", "10.1.2.3", "for=_hidden", "10.1.2.3" },
	{ "none for", "10.0.0.0/8", "10.1.2.3", "by=203.0.113.9", "10.1.2.3" },
};

/* "10.0.0.0/8 unix:" as rules have it. */
static void
trust(struct engine_rules *rules, struct network *nets, const char *list)
{
	struct slice rest = slice_of(list);

	rules->trusted_proxies = nets;
	while (rest.len > 0) {
		struct slice bits = slice_cut(&rest, ' '), addr;

		if (slice_is(bits, "unix:")) {
			rules->trusts_unix = true;
			continue;
		}
		addr = slice_cut(&bits, '/');
		ck_assert(address_parse(addr, nets->addr));
		nets->bits = bits.len == 0 ? 128 : (unsigned)atoi(bits.p) + (slice_find(addr, ':') < 0 ? 96 : 0);
		rules->n_trusted_proxies++;
		nets++;
	}
}

START_TEST(client_of_hit)
{
	struct engine_rules rules = { 0 };
	struct network nets[4];
	struct hit hit = { .addr = slice_of(rows[_i].addr), .forwarded = slice_of(rows[_i].forwarded) };
	struct slice client;

	trust(&rules, nets, rows[_i].trusted);
	client = client_address(&rules, &hit);
	ck_assert_msg(slice_is(client, rows[_i].client), "%s: \"%.*s\", not \"%s\"", rows[_i].why, SLICE_FMT(client), rows[_i].client);
}
END_TEST

/* ---- crowds ---------------------------------------------------------------- */

static const struct hash_key key = { "a key of a test" };

/* visits of one address, by so many browsers. */
static void
note(struct crowd *c, unsigned address, unsigned visits, unsigned browsers, int64_t time_ms)
{
	char text[16];

	snprintf(text, sizeof(text), "10.0.%u.%u", address / 256, address % 256);
	for (unsigned i = 0; i < visits; i++)
		crowd_note(c, &key, slice_of(text), i % browsers, time_ms);
}

static void
check_crowd(const char *why, const struct crowd *c, unsigned percent, unsigned addresses)
{
	unsigned n, is = crowd_percent(c, &n);

	ck_assert_msg(is == percent && (is == 0 || n == addresses), "%s: %u %% by %u", why, is, n);
}

START_TEST(crowd_of_a_few)
{
	struct crowd c = { 0 };

	check_crowd("nobody", &c, 0, 0);
	note(&c, 1, CROWD_VISITS - 1, 20, 0);
	check_crowd("too few to tell", &c, 0, 0);
	note(&c, 2, 1, 1, 0);
	check_crowd("one address", &c, 98, 1);
	note(&c, 2, 48, 10, 0);
	note(&c, 3, 49, 10, 0);
	check_crowd("two of three", &c, 66, 2);
	for (unsigned i = 0; i < 150; i++)
		note(&c, 1000 + i, 1, 1, 0);
	check_crowd("a half is not most", &c, 0, 0);
}
END_TEST

START_TEST(crowd_of_robots)
{
	struct crowd c = { 0 };

	note(&c, 1, 1000, CROWD_BROWSERS - 1, 0);
	check_crowd("many visits and hardly a browser: no proxy", &c, 0, 0);
	note(&c, 1, 1000, CROWD_BROWSERS, 0);
	check_crowd("now it is one", &c, 100, 1);
}
END_TEST

/* Few at a time, and more addresses than there are places: what is said is never too much. */
START_TEST(crowd_of_many)
{
	struct crowd c = { 0 };

	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < 2000; i++)
			note(&c, i, 1, 1, 0);
	for (unsigned i = 0; i < CROWD_PLACES; i++)
		c.now.places[i].browsers = UINT64_MAX;
	check_crowd("an even crowd", &c, 0, 0);
	for (unsigned i = 0; i < 41000; i++) {
		note(&c, 5000 + i % 4, 1, 1, 0);
		c.now.places[i % CROWD_PLACES].browsers = UINT64_MAX;
	}
	check_crowd("four of them", &c, 0, 0);
	for (unsigned i = 0; i < 100000; i++)
		crowd_note(&c, &key, SLICE("10.255.0.1"), i, 0);
	check_crowd("one among two thousand", &c, 55, 1);
}
END_TEST

START_TEST(crowd_by_day)
{
	struct crowd c = { 0 };

	note(&c, 1, 100, 20, 10 * DAY_MS);
	note(&c, 2, 1, 1, 11 * DAY_MS);
	check_crowd("a day that has just begun says nothing yet", &c, 100, 1);
	note(&c, 7, 1000, 20, 10 * DAY_MS + 1);
	check_crowd("a late visit changes nothing", &c, 100, 1);
	for (unsigned i = 0; i < CROWD_VISITS; i++)
		note(&c, 100 + i, 1, 1, 11 * DAY_MS + 1);
	check_crowd("the new day is fine", &c, 0, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("address");
	TCase *tc = tcase_create("rules");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, client_of_hit, 0, (int)N_ELEM(rows));
	tcase_add_test(tc, crowd_of_a_few);
	tcase_add_test(tc, crowd_of_robots);
	tcase_add_test(tc, crowd_of_many);
	tcase_add_test(tc, crowd_by_day);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
