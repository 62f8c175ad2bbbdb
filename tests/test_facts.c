/*
 * Tests of core/facts: what a maker remembers of earlier lines is what a maker without a memory finds out.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/facts.h"

static const char known[] = "google.*\tgoogle\tsearch\nfacebook.com\tfacebook\tsocial\nsemalt.com\tsemalt\tspam\n";
static const char *const own_hosts[] = { "shop.example", "www.shop.example", NULL };

static struct engine_rules rules;
static struct keyring ring;
static char key[] = "testkey";

static void
make(void *arg, int64_t day, struct hash_key *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->bytes, arg, 8);
	memcpy(out->bytes + 8, &day, sizeof(day));
}

static void
begin(void)
{
	static const struct glob_rule tokens[] = { { SLICE("/thanks*"), SLICE("order") } };
	struct err err;

	rules = (struct engine_rules){
		.bots = bots_parse(SLICE("crawler\n"), "bots", &err),
		.source = { sources_parse(slice_of(known), "sources", &err), own_hosts, NULL },
		.identities = { { IDENTITY_COOKIE, 0 }, { IDENTITY_UID, 0 }, { IDENTITY_IP_UA, 0 } }, .n_identities = 3,
		.tokens = tokens, .n_tokens = 1,
	};
	ck_assert(rules.bots != NULL && rules.source.sources != NULL);
	ring = (struct keyring){ .site = { "0123456789abcde" }, .make = make, .arg = key };
	for (int64_t day = 20000; day < 20004; day++)
		keyring_day(&ring, day);
}

static void
end(void)
{
	keyring_clear(&ring);
	bots_free((struct bots **)&rules.bots);
	sources_free((struct sources **)&rules.source.sources);
}

/* Parts that differ by a byte, by what stands before or behind a border, or by being absent. */
static const char *const addrs[] = { "1.2.3.4", "1.2.3.5", "11.2.3.4", "2001:db8::1", "2001:db8:0::1", "unix:", "" };
static const char *const cookies[] = { "", "", "a", "b", "ab", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdeg",
    "1123456789abcdef0123456789abcdef", "0123456789abcdef1123456789abcdef", "0123456789abcdef0123456789abcdef0123456789abcdef" };
static const char *const uids[] = { "", "", "rpv=0100007F0A1B2C3DDEADBEEF00000001", "rpv=0100007F0A1B2C3DDEADBEEF00000002", "a", "ab" };
static const char *const agents[] = { "", "Mozilla/5.0 (iPhone) Mobile", "Mozilla/5.0 (iPhone) Mobilf", "Mozilla/5.0 (X11)", "a crawler" };
static const char *const targets[] = { "/", "/p/mug", "/p/mug?utm_source=a", "/p/mug?utm_source=ab", "/?utm_source=a&utm_medium=b", "/?gclid=1",
    "/?gclid=", "/a.js", "/thanks?order=1", "/thanks?order=2", "/?utm_campaign=x", "/?https://", "http://other.example/?utm_source=a" };
static const char *const referrers[] = { "", "https://shop.example", "https://shop.example/p/mug", "http://shop.example/", "https://shop.example:443/",
    "https://SHOP.example/", "https://shop.exampl/", "https://www.google.com/search?q=a", "https://www.google.de/", "https://google.com@evil.example/",
    "https://paypal.com/x", "https://www.paypal.com?x", "https://a.example#b", "https://a.example/b", "android-app://com.google.android.gm/",
    "//shop.example/", "https://", "https:///", "?https://a.example", ("https://\x01" "a.example/"), "https://semalt.com/", "https://a.semalt.com" };

static struct slice
pick(const char *const *list, size_t n)
{
	return (slice_of(list[(size_t)rand() % n]));
}

#define PICK(list) pick(list, N_ELEM(list))

static struct hit
any_hit(void)
{
	return ((struct hit){
		.time_ms = (20000 + rand() % 6) * DAY_MS + rand() % 1000, .status = rand() % 8 == 0 ? 404 : 200,
		.addr = PICK(addrs), .method = SLICE("GET"), .target = PICK(targets), .referrer = PICK(referrers), .agent = PICK(agents),
		.cookies = { PICK(cookies) }, .uid_got = PICK(uids), .uid_set = PICK(uids),
	});
}

static void
assert_same(const struct facts *a, const struct facts *b, unsigned seed)
{
	struct facts x = *a, y = *b;

	ck_assert_msg(x.used == y.used && memcmp(x.bytes, y.bytes, x.used) == 0, "other bytes; seed %u", seed);
	ck_assert_msg(x.visitor == y.visitor && x.agent == y.agent && x.user_agent == y.user_agent && x.source_key == y.source_key,
	    "other hashes; seed %u", seed);
	ck_assert_msg((x.channel == NULL) == (y.channel == NULL) && (x.channel == NULL || strcmp(x.channel, y.channel) == 0), "seed %u", seed);
	ck_assert_msg(x.addr_len == y.addr_len && x.page_len == y.page_len && x.source_len == y.source_len && x.medium_len == y.medium_len &&
	    x.campaign_len == y.campaign_len && x.n_tokens == y.n_tokens, "other lengths; seed %u", seed);
	ck_assert_msg(x.time_ms == y.time_ms && x.what == y.what && x.device == y.device && x.by_agent == y.by_agent && x.is_error == y.is_error &&
	    x.is_internal == y.is_internal && x.brings == y.brings && x.is_direct == y.is_direct && x.is_spam == y.is_spam, "other facts; seed %u", seed);
}

/* Days come, and the site's key becomes another one, as after Redis was emptied. */
static void
change_keys(struct facts_maker *old)
{
	if (rand() % 2 == 0)
		keyring_day(&ring, 20004);
	else
		ring.site.bytes[0] ^= (unsigned char)(1 + rand() % 255);
	facts_maker_keys(old, &ring);
}

START_TEST(a_memory_changes_nothing)
{
	unsigned seed = 1 + (unsigned)_i;
	char bytes[FACTS_BYTES_MAX], fresh_bytes[FACTS_BYTES_MAX];
	struct facts_maker *old;

	srand(seed);
	begin();
	old = facts_maker_new(&rules);
	facts_maker_keys(old, &ring);
	for (int i = 0; i < 400; i++) {
		struct facts_maker *fresh = facts_maker_new(&rules);
		struct hit hit = any_hit();
		struct facts facts, fresh_facts;

		if (rand() % 100 == 0)
			change_keys(old);
		facts_maker_keys(fresh, &ring);
		facts_of(old, &hit, &facts, bytes);
		facts_of(fresh, &hit, &fresh_facts, fresh_bytes);
		assert_same(&facts, &fresh_facts, seed);
		facts_maker_free(&fresh);
	}
	facts_maker_free(&old);
	end();
}
END_TEST

/* What is alike in all that source_of() looks at has the same origin and query. */
START_TEST(an_origin_says_all)
{
	char host[HOST_MAX], of_origin[HOST_MAX];

	for (size_t i = 0; i < N_ELEM(referrers); i++) {
		struct slice referrer = slice_of(referrers[i]), origin = referrer_origin(referrer);
		size_t n = url_host(referrer, host), m = url_host(origin, of_origin);

		ck_assert_msg(n == m && memcmp(host, of_origin, n) == 0, "%s", referrers[i]);
	}
}
END_TEST

/* No pageview, the first time and when it is remembered; but a token that it shows is read. */
START_TEST(referrer_spam)
{
	static const struct {
		const char *target, *referrer;
		enum counter what;
		uint8_t n_tokens;
	} cases[] = {
		{ "/", "https://semalt.com/", COUNT_SPAM_REFERRER, 0 },
		{ "/?a=1", "https://www.semalt.com:80/x", COUNT_SPAM_REFERRER, 0 },
		{ "/thanks?order=1", "https://semalt.com/", COUNT_SPAM_REFERRER, 1 },
		{ "/thanks?order=1", "https://notsemalt.com/", COUNT_PAGEVIEWS, 1 },
		{ "/?utm_source=a", "https://semalt.com/", COUNT_PAGEVIEWS, 0 },
		{ "/?gclid=1", "https://semalt.com/", COUNT_PAGEVIEWS, 0 },
		{ "/a.js", "https://semalt.com/", COUNT_ASSET, 0 },
	};
	char bytes[FACTS_BYTES_MAX];
	struct facts_maker *m;
	struct facts f;

	begin();
	m = facts_maker_new(&rules);
	facts_maker_keys(m, &ring);
	for (size_t i = 0; i < 2 * N_ELEM(cases); i++) {
		size_t k = i % N_ELEM(cases);
		struct hit hit = { .time_ms = 20000 * DAY_MS, .status = 200, .method = SLICE("GET"), .addr = SLICE("1.2.3.4"),
			.agent = SLICE("Mozilla/5.0 (X11)"), .target = slice_of(cases[k].target), .referrer = slice_of(cases[k].referrer) };

		facts_of(m, &hit, &f, bytes);
		ck_assert_msg(f.what == cases[k].what && f.n_tokens == cases[k].n_tokens, "%s from %s: %s, %u tokens", cases[k].target,
		    cases[k].referrer, counter_name(f.what), f.n_tokens);
		ck_assert((f.page_len > 0) == (f.what == COUNT_PAGEVIEWS) && (f.channel != NULL) == (f.what == COUNT_PAGEVIEWS));
	}
	facts_maker_free(&m);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("facts");
	TCase *tc = tcase_create("facts");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, a_memory_changes_nothing, 0, 20);
	tcase_add_test(tc, an_origin_says_all);
	tcase_add_test(tc, referrer_spam);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed > 0);
}
