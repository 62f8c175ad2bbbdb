/*
 * Sources and channels: the rules over data/sources.tsv, the file's own syntax, and
 * cases of other people's programs (where RPVD_SHARED says they are).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/source.h"

static struct sources *sources;
static const char *const own_hosts[] = { "shop.example", "www.shop.example", "www.snowplowanalytics.com", NULL };
static const char *const ignored[] = { "pay.bank.example", NULL };
static struct source_rules rules = { NULL, own_hosts, ignored };

/* The file's bytes, or an empty slice where it cannot be read. */
static struct slice
read_file(const char *dir, const char *name)
{
	char path[4096], *text;
	size_t cap = 1 << 20;
	FILE *f;
	struct slice s;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (f == NULL)
		return (SLICE(""));
	text = mem_alloc(cap);
	s = slice_make(text, fread(text, 1, cap, f));
	fclose(f);
	return (s);
}

static void
load(void)
{
	const char *dir = getenv("srcdir");
	struct slice text = read_file(dir != NULL ? dir : ".", "data/sources.tsv");
	struct err err;

	ck_assert_msg(text.len > 0, "no data/sources.tsv");
	sources = sources_parse(text, "sources.tsv", &err);
	ck_assert_msg(sources != NULL, "%s", err.msg);
	rules.sources = sources;
	free((void *)(uintptr_t)text.p);
}

static void
unload(void)
{
	sources_free(&sources);
	ck_assert_ptr_null(sources);
}

/* ---- sources ---------------------------------------------------------------------- */

#define DIRECT "(direct)", "(none)"
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

static const struct {
	const char *why, *query, *referrer;
	bool has_source;
	const char *source, *medium, *campaign;
} rows[] = {
	/* utm */
	{ "utm beats the referrer", "utm_source=News&utm_medium=email", "https://www.google.com/", true, "news", "email", "" },
	{ "utm beats a click id", "gclid=1&utm_source=news", "", true, "news", "(none)", "" },
	{ "utm counts under an own host", "utm_source=a", "https://shop.example/", true, "a", "(none)", "" },
	{ "no medium", "utm_source=a", "", true, "a", "(none)", "" },
	{ "an empty medium is none", "utm_source=a&utm_medium=", "", true, "a", "(none)", "" },
	{ "an empty source is none", "utm_source=&utm_medium=cpc", "https://www.bing.com/", true, "bing", "organic", "" },
	{ "a source of spaces is none", "utm_source=+%20", "", false, DIRECT, "" },
	{ "a source of control bytes is none", "utm_source=%00%1f%7f", "", false, DIRECT, "" },
	{ "control bytes are dropped, then it is trimmed", "utm_source=+%0a+a%09b+", "", true, "ab", "(none)", "" },
	{ "a medium alone is nothing", "utm_medium=cpc", "", false, DIRECT, "" },
	{ "a campaign stays with a direct visit", "utm_campaign=Spring", "", false, DIRECT, "spring" },
	{ "... with an own host", "utm_campaign=Spring", "https://shop.example/", false, DIRECT, "spring" },
	{ "... with a referrer", "utm_campaign=Spring", "https://www.bing.com/", true, "bing", "organic", "spring" },
	{ "... with a click id", "utm_campaign=Spring&gclid=1", "", true, "google", "cpc", "spring" },
	{ "plus and escapes are undone", "utm_source=a+b%2Bc%20d", "", true, "a b+c d", "(none)", "" },
	{ "malformed escapes stay", "utm_source=%ZZ+%41", "", true, "%zz a", "(none)", "" },
	{ "ASCII becomes lower case, other bytes stay", "utm_source=%C3%89A", "", true, "\xc3\x89" "a", "(none)", "" },
	{ "of a repeated one the first", "utm_source=a&utm_source=b", "", true, "a", "(none)", "" },
	{ "even if the first is empty", "utm_source=&utm_source=b", "", false, DIRECT, "" },
	{ "names have a case", "UTM_SOURCE=a", "", false, DIRECT, "" },
	{ "names are not decoded", "utm%5Fsource=a", "", false, DIRECT, "" },
	{ "100 bytes", "utm_source=" X50 X50, "", true, X50 X50, "(none)", "" },
	{ "cut at 100", "utm_source=" X50 X50 "y", "", true, X50 X50, "(none)", "" },
	{ "trimmed before the cut: a space at the cut stays", "utm_source=" X50 X10 X10 X10 X10 "xxxxxxxxx+y", "", true,
	    X50 X10 X10 X10 X10 "xxxxxxxxx ", "(none)", "" },
	{ "... but trailing ones are no content", "utm_source=" X50 X10 X10 X10 X10 "xxxxxxxxx++++", "", true,
	    X50 X10 X10 X10 X10 "xxxxxxxxx", "(none)", "" },
	{ "nothing behind the fragment", "a=b#&utm_source=c", "", false, DIRECT, "" },

	/* click ids */
	{ "gclid", "gclid=1", "", true, "google", "cpc", "" },
	{ "gbraid", "gbraid=1", "", true, "google", "cpc", "" },
	{ "wbraid", "wbraid=1", "", true, "google", "cpc", "" },
	{ "dclid", "dclid=1", "", true, "google", "cpc", "" },
	{ "msclkid", "msclkid=1", "", true, "bing", "cpc", "" },
	{ "fbclid", "fbclid=1", "", true, "facebook", "social", "" },
	{ "ttclid", "ttclid=1", "", true, "tiktok", "cpc", "" },
	{ "li_fat_id", "li_fat_id=1", "", true, "linkedin", "cpc", "" },
	{ "twclid", "twclid=1", "", true, "twitter", "cpc", "" },
	{ "an empty one is none", "gclid=", "", false, DIRECT, "" },
	{ "the order of the rules, not of the query", "twclid=1&gclid=1", "", true, "google", "cpc", "" },
	{ "with its own platform", "gclid=1", "https://www.google.com/", true, "google", "cpc", "" },
	{ "Google's with youtube", "gclid=1", "https://www.youtube.com/", true, "google", "cpc", "" },
	{ "Google's with gmail", "gclid=1", "https://mail.google.com/", true, "google", "cpc", "" },
	{ "stale: the referrer is another platform", "gclid=1", "https://www.linkedin.com/", true, "linkedin", "social", "" },
	{ "stale: the next id is tried", "gclid=1&li_fat_id=2", "https://www.linkedin.com/", true, "linkedin", "cpc", "" },
	{ "bing's not with youtube", "msclkid=1", "https://www.youtube.com/", true, "youtube", "video", "" },
	{ "an unknown referrer does not make it stale", "gclid=1", "https://ads.publisher.example/", true, "google", "cpc", "" },
	{ "an own host neither", "gclid=1", "https://shop.example/", true, "google", "cpc", "" },
	{ "a payment page neither", "gclid=1", "https://checkout.stripe.com/", true, "google", "cpc", "" },

	/* own hosts and payment pages */
	{ "own host is no source", "", "https://shop.example/cart", false, DIRECT, "" },
	{ "the other own host", "", "https://www.shop.example/", false, DIRECT, "" },
	{ "own hosts are exact", "", "https://blog.shop.example/", true, "blog.shop.example", "referral", "" },
	{ "case and port do not matter", "", "HTTPS://SHOP.Example:8443/", false, DIRECT, "" },
	{ "a trailing dot neither", "", "https://shop.example./", false, DIRECT, "" },
	{ "a payment page", "", "https://checkout.stripe.com/c/pay", false, DIRECT, "" },
	{ "its subdomain", "", "https://www.paypal.com/", false, DIRECT, "" },
	{ "not what only ends so", "", "https://notpaypal.com/", true, "notpaypal.com", "referral", "" },
	{ "not its parent", "", "https://stripe.com/", true, "stripe.com", "referral", "" },
	{ "the site's own list", "", "https://pay.bank.example/", false, DIRECT, "" },
	{ "with subdomains", "", "https://eu.pay.bank.example/", false, DIRECT, "" },
	{ "not its parent", "", "https://bank.example/", true, "bank.example", "referral", "" },

	/* known hosts */
	{ "search", "", "https://www.google.com/search?q=lamp", true, "google", "organic", "" },
	{ "a country's", "", "https://www.google.co.uk/", true, "google", "organic", "" },
	{ "social", "", "https://l.facebook.com/", true, "facebook", "social", "" },
	{ "video", "", "https://youtu.be/1", true, "youtube", "video", "" },
	{ "mail", "", "https://mail.google.com/mail/u/0/", true, "gmail", "email", "" },
	{ "ai", "", "https://chatgpt.com/", true, "chatgpt", "ai", "" },
	{ "shopping", "", "https://www.amazon.co.uk/dp/1", true, "amazon", "referral", "" },
	{ "the longest pattern wins: not google.*", "", "https://gemini.google.com/", true, "gemini", "ai", "" },
	{ "a subdomain of a known subdomain", "", "https://a.b.gemini.google.com/", true, "gemini", "ai", "" },
	{ ".* is two labels at most", "", "https://google.a.b.c/", true, "google.a.b.c", "referral", "" },
	{ ".* is three letters a label at most", "", "https://google.info/", true, "google.info", "referral", "" },
	{ ".* is letters", "", "https://google.c0m/", true, "google.c0m", "referral", "" },
	{ ".* is not nothing", "", "https://google/", true, "google", "referral", "" },
	{ "a name inside a label is none", "", "https://notgoogle.com/", true, "notgoogle.com", "referral", "" },
	{ "a name in front is none", "", "https://t.co.example/", true, "t.co.example", "referral", "" },
	{ "an Android app", "", "android-app://com.google.android.gm/", true, "gmail", "email", "" },

	/* other hosts */
	{ "another host", "", "https://blog.partner.example/review", true, "blog.partner.example", "referral", "" },
	{ "without www.", "", "https://www.partner.example/", true, "partner.example", "referral", "" },
	{ "one www. only", "", "https://www.www.partner.example/", true, "www.partner.example", "referral", "" },
	{ "user and password are no host", "", "https://u:p@a.example/", true, "a.example", "referral", "" },
	{ "an @ in the path is none", "", "https://a.example/@b.example", true, "a.example", "referral", "" },
	{ "an @ with nothing behind is part of the host", "", "https://a@/", true, "a@", "referral", "" },
	{ "a query right behind the host", "", "https://a.example?b", true, "a.example", "referral", "" },

	/* nothing */
	{ "no referrer", "", "", false, DIRECT, "" },
	{ "a dash", "", "-", false, DIRECT, "" },
	{ "no scheme", "", "www.google.com/", false, DIRECT, "" },
	{ "no host", "", "https:///a", false, DIRECT, "" },
	{ "control bytes in a host", "", "https://bl\x1bog\x7f.exa\rmple/", true, "blog.example", "referral", "" },
	{ "a dot that control bytes hide", "", "https://blog.example.\x1b.\x7f/", true, "blog.example", "referral", "" },
	{ "www. and nothing behind it", "", "https://www.\x1b/", true, "www", "referral", "" },
	{ "nothing else in a host", "", "https://\x1b\n/", false, DIRECT, "" },
	{ "only dots", "", "https://.../", false, DIRECT, "" },
	{ "a scheme begins with a letter", "", "1http://a.example/", false, DIRECT, "" },
};

START_TEST(source_of_pageview)
{
	char target[512];
	struct source s;
	bool has;

	snprintf(target, sizeof(target), "/a?%s", rows[_i].query);
	has = source_of(&rules, slice_of(target), slice_of(rows[_i].referrer), &s);
	ck_assert_msg(has == rows[_i].has_source && strcmp(s.source, rows[_i].source) == 0 &&
	    strcmp(s.medium, rows[_i].medium) == 0 && strcmp(s.campaign, rows[_i].campaign) == 0,
	    "%s: %d %s/%s campaign \"%s\"", rows[_i].why, has, s.source, s.medium, s.campaign);
	ck_assert_uint_eq(s.source_len, strlen(s.source));
	ck_assert_uint_eq(s.medium_len, strlen(s.medium));
	ck_assert_uint_eq(s.campaign_len, strlen(s.campaign));
	ck_assert(source_is_direct(&s) == (strcmp(rows[_i].source, "(direct)") == 0));
}
END_TEST

START_TEST(long_hosts)
{
	char url[8 + 300 + 1] = "https://", host[HOST_MAX];

	memset(url + 8, 'x', 300);
	ck_assert_uint_eq(url_host(slice_make(url, 8 + HOST_MAX), host), HOST_MAX);
	ck_assert_uint_eq(url_host(slice_make(url, 8 + HOST_MAX + 1), host), 0);
	url[8 + HOST_MAX] = '.';
	ck_assert_uint_eq(url_host(slice_make(url, 8 + HOST_MAX + 1), host), HOST_MAX);
	url[8 + 40] = '/';
	ck_assert_uint_eq(url_host(slice_make(url, 308), host), 40);
}
END_TEST

START_TEST(internal_referrers)
{
	static const struct source_rules bare = { NULL, NULL, NULL };

	ck_assert(referrer_is_internal(&rules, SLICE("https://shop.example/a")));
	ck_assert(referrer_is_internal(&rules, SLICE("https://www.paypal.com/")));
	ck_assert(referrer_is_internal(&bare, SLICE("https://www.paypal.com/")));
	ck_assert(!referrer_is_internal(&rules, SLICE("https://a.shop.example/")));
	ck_assert(!referrer_is_internal(&rules, SLICE("https://www.google.com/")));
	ck_assert(!referrer_is_internal(&rules, SLICE("-")));
	ck_assert(!referrer_is_internal(&rules, SLICE("")));
}
END_TEST

/* What must stay unknown: hosts that a shop may own or be linked from, payment and shop systems. */
START_TEST(unknown_hosts)
{
	static const char *const hosts[] = { "blog.partner.example", "ads.publisher.example", "stripe.com",
		"checkout.stripe.com", "myshopify.com", "shop.app", "www.com", "co.uk", "localhost" };
	struct source s = { .medium = "x", .medium_len = 1 };

	for (size_t i = 0; i < N_ELEM(hosts); i++) {
		s.source_len = strlen(strcpy(s.source, hosts[i]));
		ck_assert_msg(strcmp(channel_of(sources, &s), "Unassigned") == 0, "%s", hosts[i]);
	}
}
END_TEST

/* ---- channels --------------------------------------------------------------------- */

static const struct {
	const char *why, *source, *medium, *campaign, *channel;
} channels[] = {
	{ "direct", "(direct)", "(none)", "", "Direct" },
	{ "direct, as GA4 exports it", "(direct)", "(not set)", "", "Direct" },
	{ "direct goes before a campaign", "(direct)", "(none)", "shopping", "Direct" },
	{ "direct with a medium is not", "(direct)", "email", "", "Email" },
	{ "a source called direct is not", "direct", "(none)", "", "Unassigned" },

	{ "a paid shop", "amazon", "cpc", "", "Paid Shopping" },
	{ "a paid shopping campaign", "google", "cpc", "shopping-1", "Paid Shopping" },
	{ "shop at the beginning", "google", "cpc", "shop", "Paid Shopping" },
	{ "shop behind a sign", "google", "cpc", "my-shop", "Paid Shopping" },
	{ "shop behind a digit", "google", "cpc", "1shop", "Paid Shopping" },
	{ "shop behind an e", "google", "cpc", "eshop", "Paid Shopping" },
	{ "workshop is no shop", "google", "cpc", "workshop", "Paid Search" },
	{ "the second may be one", "google", "cpc", "workshop shop", "Paid Shopping" },
	{ "workshopping is shopping", "google", "cpc", "workshopping", "Paid Shopping" },
	{ "paid search", "google", "cpc", "", "Paid Search" },
	{ "cp anywhere in it", "google", "xcpy", "", "Paid Search" },
	{ "ppc", "bing", "ppc", "", "Paid Search" },
	{ "ppc is the whole of it", "bing", "xppc", "", "Organic Search" },
	{ "retargeting", "bing", "retargeting", "", "Paid Search" },
	{ "paid at the beginning", "facebook", "paid_social", "", "Paid Social" },
	{ "only there", "facebook", "unpaid", "", "Organic Social" },
	{ "paid video", "youtube", "cpm", "", "Paid Video" },
	{ "display, cpm of an unknown source", "adnet", "cpm", "", "Display" },
	{ "display", "youtube", "display", "", "Display" },
	{ "banner", "x", "banner", "", "Display" },
	{ "expandable", "x", "expandable", "", "Display" },
	{ "interstitial", "x", "interstitial", "", "Display" },
	{ "another paid one", "adnet", "cpc", "", "Paid Other" },
	{ "paid mail is none of the paid kinds", "gmail", "cpc", "", "Paid Other" },
	{ "paid ai neither", "chatgpt", "cpc", "", "Paid Other" },

	{ "a shop", "ebay", "referral", "", "Organic Shopping" },
	{ "a shopping campaign", "news", "email", "shop", "Organic Shopping" },
	{ "an assistant", "chatgpt", "ai", "", "AI Assistant" },
	{ "by its medium", "newbot", "ai", "", "AI Assistant" },
	{ "by its host", "chatgpt.com", "(none)", "", "AI Assistant" },
	{ "a social network", "facebook", "social", "", "Organic Social" },
	{ "by its host", "m.facebook.com", "x", "", "Organic Social" },
	{ "a kind beats a medium", "facebook", "email", "", "Organic Social" },
	{ "sm", "x", "sm", "", "Organic Social" },
	{ "social network", "x", "social network", "", "Organic Social" },
	{ "social-media", "x", "social-media", "", "Organic Social" },
	{ "video", "youtube", "video", "", "Organic Video" },
	{ "video in the medium", "x", "myvideos", "", "Organic Video" },
	{ "search", "google", "organic", "", "Organic Search" },
	{ "search of an unknown engine", "x", "organic", "", "Organic Search" },
	{ "email", "news", "email", "", "Email" },
	{ "email as source", "e-mail", "x", "", "Email" },
	{ "e mail", "x", "e mail", "", "Email" },
	{ "web mail", "gmail", "email", "", "Email" },
	{ "affiliate", "x", "affiliate", "", "Affiliates" },
	{ "referral", "a.example", "referral", "", "Referral" },
	{ "app", "x", "app", "", "Referral" },
	{ "link", "x", "link", "", "Referral" },
	{ "audio", "x", "audio", "", "Audio" },
	{ "sms", "sms", "x", "", "SMS" },
	{ "sms as medium", "x", "sms", "", "SMS" },
	{ "push", "x", "web push", "", "Mobile Push Notifications" },
	{ "push at the end", "x", "pushed", "", "Unassigned" },
	{ "mobile", "x", "mobile", "", "Mobile Push Notifications" },
	{ "notification", "x", "notifications", "", "Mobile Push Notifications" },
	{ "firebase", "firebase", "x", "", "Mobile Push Notifications" },
	{ "nothing fits", "x", "y", "", "Unassigned" },
};

START_TEST(channel_of_source)
{
	struct source s;
	const char *got;

	s.source_len = strlen(strcpy(s.source, channels[_i].source));
	s.medium_len = strlen(strcpy(s.medium, channels[_i].medium));
	s.campaign_len = strlen(strcpy(s.campaign, channels[_i].campaign));
	got = channel_of(sources, &s);
	ck_assert_msg(strcmp(got, channels[_i].channel) == 0, "%s: %s", channels[_i].why, got);
}
END_TEST

/* ---- the data file ---------------------------------------------------------------- */

static const struct {
	const char *why, *text, *error;		/* NULL: is fine */
} files[] = {
	{ "nothing", "", NULL },
	{ "remarks and empty lines", "# a\n\n#b", NULL },
	{ "one without a newline", "a.example\ta\tsearch", NULL },
	{ "line ends of another system", "a.example\ta\tsearch\r\nb.example\tb\tsocial\r\n", NULL },
	{ "a host and a stem of the same letters", "a.b\tc\tsearch\na.b.*\tc\tsearch\n", NULL },
	{ "a name twice", "a.example\ta\tsearch\nb.example\ta\tsearch\n", NULL },
	{ "an unknown kind, which may be a later version's", "#\na.example\ta\tpodcast\n", "f:2: " },
	{ "no kind", "a.example\ta\n", "f:1: " },
	{ "no name", "a.example\t\tsearch\n", "f:1: " },
	{ "no host", "\ta\tsearch\n", "f:1: " },
	{ "spaces for tabs", "a.example a search\n", "f:1: " },
	{ "a fourth column", "a.example\ta\tsearch\tx\n", "f:1: " },
	{ "a host in capitals would never match", "A.example\ta\tsearch\n", "f:1: " },
	{ "a name in capitals would be a second one", "a.example\tA\tsearch\n", "f:1: " },
	{ "a star in front", "*.example\ta\tsearch\n", "f:1: " },
	{ "a star alone", "*\ta\tsearch\n", "f:1: " },
	{ "nothing before the star", ".*\ta\tsearch\n", "f:1: " },
	{ "an empty label", "a..example\ta\tsearch\n", "f:1: " },
	{ "a dot in front", ".example\ta\tsearch\n", "f:1: " },
	{ "a dot at the end", "example.\ta\tsearch\n", "f:1: " },
	{ "a path", "a.example/b\ta\tsearch\n", "f:1: " },
	{ "the same pattern twice", "a.example\ta\tsearch\n\na.example\tb\tsearch\n", "f:3: " },
	{ "a name of two kinds", "a.example\ta\tsearch\nb.example\ta\tsocial\n", "f:2: " },
};

START_TEST(file_is_checked)
{
	struct err err = { "" };
	struct sources *s = sources_parse(slice_of(files[_i].text), "f", &err);

	ck_assert_msg((s != NULL) == (files[_i].error == NULL), "%s: %s", files[_i].why, err.msg);
	if (files[_i].error != NULL)
		ck_assert_msg(strncmp(err.msg, files[_i].error, strlen(files[_i].error)) == 0, "%s", err.msg);
	sources_free(&s);
}
END_TEST

/* Equally long patterns: the first line; a host beats a shorter stem and the other way round. */
START_TEST(which_pattern_wins)
{
	static const struct {
		const char *text, *host, *source;
	} cases[] = {
		{ "abc.*\tstem\tsearch\nde.fg\thost\tsearch\n", "abc.de.fg", "stem" },
		{ "de.fg\thost\tsearch\nabc.*\tstem\tsearch\n", "abc.de.fg", "host" },
		{ "abcd.*\tstem\tsearch\nde.fg\thost\tsearch\n", "abcd.de.fg", "stem" },
		{ "ab.*\tstem\tsearch\nde.fg\thost\tsearch\n", "ab.de.fg", "host" },
		{ "a.*\tstem\tsearch\na.b.c\thost\tsearch\n", "x.a.b.c", "host" },
		{ "a.b.c.d\tlong\tsearch\nd.e\tshort\tsearch\n", "a.b.c.d.e", "short" },
		{ "one\tone\tsearch\n", "a.one", "one" },
	};

	for (size_t i = 0; i < N_ELEM(cases); i++) {
		struct sources *s = sources_parse(slice_of(cases[i].text), "f", NULL);
		struct source_rules only = { s, NULL, NULL };
		struct source out;
		char url[64];

		ck_assert_ptr_nonnull(s);
		snprintf(url, sizeof(url), "http://%s/", cases[i].host);
		ck_assert(source_of(&only, SLICE("/"), slice_of(url), &out));
		ck_assert_msg(strcmp(out.source, cases[i].source) == 0, "%zu: %s", i, out.source);
		sources_free(&s);
	}
}
END_TEST

/* ---- other people's cases --------------------------------------------------------- */

/* Where the design decides otherwise: the beginning of the line, what is said here, why. */
struct deviation {
	const char *line, *channel, *reason;
};

static const struct deviation deviations[] = {
	/* GA4's own rules */
	{ "some-source\tsome-medium\tcross-network", "Unassigned", "the design has no Cross-network" },
	{ "Google Shopping\t", "Unassigned", "a source name with a space is in no list of hosts" },
	/* single properties */
	{ "$direct\t\t\tcross-network", "Direct", "no Cross-network, and a campaign alone is no source" },
	{ "www.ebay.co.uk\t\tppc", "Organic Shopping", "a medium without a source does not count" },
	{ "\t\tppc\tshopping", "Direct", "a medium without a source does not count" },
	{ "youtube.com\t\tcpc", "Organic Video", "a medium without a source does not count" },
	{ "$direct\twhat\twho", "Unassigned", "a source that the owner named is not taken away again" },
	{ "example.com\t123\t123", "Unassigned", "utm beats the referrer, known or not" },
	/* real clicks */
	{ "https://www.allbirds.co.uk/", "Organic Search", "pmax is no paid medium in GA4's rules" },
	{ "https://www.quooker.co.uk/", "Paid Search", "gclid is google/cpc, wherever the advertisement stood" },
};

/* Peers spell some channels otherwise. */
static bool
same_channel(struct slice theirs, const char *ours)
{
	return (slice_is(theirs, ours) || (slice_is(theirs, "Affiliate") && strcmp(ours, "Affiliates") == 0));
}

static const struct deviation *
deviation_of(struct slice line)
{
	for (size_t i = 0; i < N_ELEM(deviations); i++)
		if (slice_starts(line, slice_of(deviations[i].line)))
			return (&deviations[i]);
	return (NULL);
}

/* Each line is as they say, or a deviation that is known, and is as said there. */
static bool
judge(struct slice line, struct slice theirs, const char *ours)
{
	const struct deviation *known = deviation_of(line);
	bool same = same_channel(theirs, ours);

	ck_assert_msg(same == (known == NULL), "\"%.*s\": %s", SLICE_FMT(line), ours);
	ck_assert_msg(known == NULL || strcmp(known->channel, ours) == 0, "\"%.*s\": %s", SLICE_FMT(line), ours);
	return (same);
}

static const char *
channel_of_hit(struct slice target, struct slice referrer)
{
	struct source s;

	source_of(&rules, target, referrer, &s);
	return (channel_of(sources, &s));
}

/* source medium campaign channel */
static bool
ga4_case(struct slice line, struct slice rest)
{
	struct slice field[3];
	char *to[3];
	struct source s;

	to[0] = s.source, to[1] = s.medium, to[2] = s.campaign;
	for (int i = 0; i < 3; i++) {
		field[i] = slice_cut(&rest, '\t');
		for (size_t k = 0; k < field[i].len; k++)
			to[i][k] = ascii_lower(field[i].p[k]);
		to[i][field[i].len] = '\0';
	}
	s.source_len = field[0].len, s.medium_len = field[1].len, s.campaign_len = field[2].len;
	return (judge(line, rest, channel_of(sources, &s)));
}

/* referring_domain utm_source utm_medium utm_campaign other channel */
static bool
posthog_case(struct slice line, struct slice rest)
{
	char target[512], referrer[256] = "";
	struct slice domain = slice_cut(&rest, '\t'), source = slice_cut(&rest, '\t');
	struct slice medium = slice_cut(&rest, '\t'), campaign = slice_cut(&rest, '\t');

	slice_cut(&rest, '\t');
	if (domain.len > 0 && domain.p[0] != '$')
		snprintf(referrer, sizeof(referrer), "https://%.*s/", SLICE_FMT(domain));
	snprintf(target, sizeof(target), "/?utm_source=%.*s&utm_medium=%.*s&utm_campaign=%.*s",
	    SLICE_FMT(source), SLICE_FMT(medium), SLICE_FMT(campaign));
	return (judge(line, rest, channel_of_hit(slice_of(target), slice_of(referrer))));
}

/* landing_url referer channel */
static bool
landing_case(struct slice line, struct slice rest)
{
	struct slice url = slice_cut(&rest, '\t'), referrer = slice_cut(&rest, '\t');

	return (judge(line, rest, channel_of_hit(url, referrer)));
}

/* referer medium source search_term; names of sources differ between lists, media do not */
static bool
referer_case(struct slice line, struct slice rest)
{
	static const char *const media[][2] = { { "search", "organic" }, { "social", "social" },
		{ "email", "email" }, { "chatbot", "ai" }, { "internal", "(none)" } };
	struct slice referrer = slice_cut(&rest, '\t'), medium = slice_cut(&rest, '\t');
	struct source s;

	source_of(&rules, SLICE("/"), referrer, &s);
	for (size_t i = 0; i < N_ELEM(media); i++)
		if (slice_is(medium, media[i][0])) {
			ck_assert_msg(strcmp(s.medium, media[i][1]) == 0, "%.*s: %s/%s", SLICE_FMT(line), s.source, s.medium);
			return (true);
		}
	ck_abort_msg("a medium without a row: %.*s", SLICE_FMT(line));
}

static const struct {
	const char *name;
	bool (*one)(struct slice line, struct slice rest);
	size_t count, met;
} shared[] = {
	{ "data/sources/channel-cases-ga4.tsv", ga4_case, 13, 11 },
	{ "data/sources/channel-cases-posthog.tsv", posthog_case, 12, 6 },
	{ "data/sources/landing-cases.tsv", landing_case, 6, 4 },
	{ "data/sources/referer-cases.tsv", referer_case, 18, 18 },
};

START_TEST(cases_of_others)
{
	const char *dir = getenv("RPVD_SHARED");
	struct slice text, rest, line;
	size_t count = 0, met = 0;

	if (dir == NULL) {
		printf("%s: not looked at, RPVD_SHARED is not set\n", shared[_i].name);
		return;
	}
	text = read_file(dir, shared[_i].name);
	ck_assert_msg(text.len > 0, "%s/%s cannot be read", dir, shared[_i].name);
	rest = text;
	slice_cut(&rest, '\n');
	while (rest.len > 0) {
		line = slice_cut(&rest, '\n');
		count++;
		met += shared[_i].one(line, line);
	}
	printf("%s: %zu of %zu as they say\n", shared[_i].name, met, count);
	ck_assert_uint_eq(count, shared[_i].count);
	ck_assert_uint_ge(met, shared[_i].met);
	free((void *)(uintptr_t)text.p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("source");
	TCase *tc = tcase_create("source");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, load, unload);
	tcase_add_loop_test(tc, source_of_pageview, 0, (int)N_ELEM(rows));
	tcase_add_test(tc, long_hosts);
	tcase_add_test(tc, internal_referrers);
	tcase_add_test(tc, unknown_hosts);
	tcase_add_loop_test(tc, channel_of_source, 0, (int)N_ELEM(channels));
	tcase_add_loop_test(tc, file_is_checked, 0, (int)N_ELEM(files));
	tcase_add_test(tc, which_pattern_wins);
	tcase_add_loop_test(tc, cases_of_others, 0, (int)N_ELEM(shared));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
