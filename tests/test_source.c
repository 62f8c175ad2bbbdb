/*
 * Sources and channels: the rules over data/sources.tsv, that file itself, and its syntax.
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
	{ "an ad network neither: it shows anybody's", "gclid=1", "https://googleads.g.doubleclick.net/", true, "google", "cpc", "" },
	{ "an affiliate network neither", "msclkid=1", "https://www.awin1.com/", true, "bing", "cpc", "" },

	/* own hosts and payment pages */
	{ "own host is no source", "", "https://shop.example/cart", false, DIRECT, "" },
	{ "the other own host", "", "https://www.shop.example/", false, DIRECT, "" },
	{ "own hosts are exact", "", "https://blog.shop.example/", true, "blog.shop.example", "referral", "" },
	{ "case and port do not matter", "", "HTTPS://SHOP.Example:8443/", false, DIRECT, "" },
	{ "a trailing dot neither", "", "https://shop.example./", false, DIRECT, "" },
	{ "a payment page", "", "https://checkout.stripe.com/c/pay", false, DIRECT, "" },
	{ "one below a shop that is none", "", "https://pay.amazon.de/checkout", false, DIRECT, "" },
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
	{ "an ad network is paid", "", "https://trc.taboola.com/", true, "taboola", "cpc", "" },
	{ "... below a host that is none", "", "https://an.yandex.ru/", true, "yandex-ads", "cpc", "" },
	{ "an affiliate network", "", "https://www.awin1.com/cread.php", true, "awin", "affiliate", "" },
	{ "another spelling is no host", "", "https://a.fb/", true, "a.fb", "referral", "" },
	{ "referrer spam, as a host like others", "", "https://semalt.semalt.com/", true, "semalt.semalt.com", "referral", "" },
	{ "... and none where a link says more", "utm_source=a", "https://semalt.com/", true, "a", "(none)", "" },
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

/* Which rule decided, and by what. */
START_TEST(rules_that_decide)
{
	static const struct {
		const char *query, *referrer;
		enum source_rule rule;
		const char *word, *by, *kind;
	} cases[] = {
		{ "utm_source=a&gclid=1", "https://shop.example/", RULE_UTM, "utm", "", "" },
		{ "gclid=1&gbraid=1", "https://shop.example/", RULE_CLICK_ID, "click_id", "gclid", "" },
		{ "gclid=&li_fat_id=1", "", RULE_CLICK_ID, "click_id", "li_fat_id", "" },
		{ "gclid=1", "https://t.co/", RULE_KNOWN, "known", "t.co", "social" },
		{ "", "https://shop.example/", RULE_OWN_HOST, "own_host", "shop.example", "" },
		{ "", "https://eu.pay.bank.example/", RULE_IGNORED, "ignored", "pay.bank.example", "" },
		{ "", "https://www.paypal.com/", RULE_PAYMENT_PAGE, "payment_page", "paypal.com", "" },
		{ "", "https://www.google.de/", RULE_KNOWN, "known", "google.*", "search" },
		{ "", "https://ads.semalt.com/", RULE_SPAM, "spam", "semalt.com", "" },
		{ "", "https://blog.example/", RULE_REFERRER, "referrer", "", "" },
		{ "", "", RULE_DIRECT, "direct", "", "" },
		{ "", "about:blank", RULE_DIRECT, "direct", "", "" },
	};
	char target[64];
	struct source s;

	for (size_t i = 0; i < N_ELEM(cases); i++) {
		snprintf(target, sizeof(target), "/?%s", cases[i].query);
		source_of(&rules, slice_of(target), slice_of(cases[i].referrer), &s);
		ck_assert_msg(s.rule == cases[i].rule && slice_is(s.by, cases[i].by) && strcmp(s.kind, cases[i].kind) == 0,
		    "%zu: %s %.*s %s", i, source_rule_word(s.rule), SLICE_FMT(s.by), s.kind);
		ck_assert_str_eq(source_rule_word(s.rule), cases[i].word);
	}
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
	const struct source_rules bare = { sources, NULL, NULL };

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
		"checkout.stripe.com", "myshopify.com", "shop.app", "www.com", "co.uk", "localhost", "semalt.com", "taboola.com" };
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
	{ "retargeting is the whole of it", "bing", "retargeting1", "", "Organic Search" },
	{ "cpa and cpv are paid as well", "x", "cpa", "", "Paid Other" },
	{ "paid at the beginning", "facebook", "paid_social", "", "Paid Social" },
	{ "only there", "facebook", "unpaid", "", "Organic Social" },
	{ "paid video", "youtube", "cpm", "", "Paid Video" },
	{ "display, cpm of an unknown source", "adnet", "cpm", "", "Display" },
	{ "display", "youtube", "display", "", "Display" },
	{ "banner", "x", "banner", "", "Display" },
	{ "expandable", "x", "expandable", "", "Display" },
	{ "interstitial", "x", "interstitial", "", "Display" },
	{ "another paid one", "adnet", "cpc", "", "Paid Other" },
	{ "an ad network", "taboola", "cpc", "", "Paid Other" },
	{ "an ad network's display", "criteo", "display", "", "Display" },
	{ "cross-network is no channel of ours", "x", "cpc", "cross-network", "Paid Other" },
	{ "... nor without a paid medium", "x", "y", "cross-network", "Unassigned" },
	{ "paid mail is none of the paid kinds", "gmail", "cpc", "", "Paid Other" },
	{ "paid ai neither", "chatgpt", "cpc", "", "Paid Other" },

	{ "a shop", "ebay", "referral", "", "Organic Shopping" },
	{ "a shopping campaign", "news", "email", "shop", "Organic Shopping" },
	{ "a shopping campaign goes before an assistant", "chatgpt", "ai", "shop", "Organic Shopping" },
	{ "an assistant", "chatgpt", "ai", "", "AI Assistant" },
	{ "an assistant goes before a social medium", "claude", "social", "", "AI Assistant" },
	{ "ai is the whole of it", "newbot", "ais", "", "Unassigned" },
	{ "by its medium", "newbot", "ai", "", "AI Assistant" },
	{ "by its host", "chatgpt.com", "(none)", "", "AI Assistant" },
	{ "a social network", "facebook", "social", "", "Organic Social" },
	{ "by its host", "m.facebook.com", "x", "", "Organic Social" },
	{ "a kind beats a medium", "facebook", "email", "", "Organic Social" },
	{ "sm", "x", "sm", "", "Organic Social" },
	{ "social network", "x", "social network", "", "Organic Social" },
	{ "social-media", "x", "social-media", "", "Organic Social" },
	{ "social-network", "x", "social-network", "", "Organic Social" },
	{ "social media", "x", "social media", "", "Organic Social" },
	{ "social", "x", "social", "", "Organic Social" },
	{ "not a part of it", "x", "socialpost", "", "Unassigned" },
	{ "another spelling", "fb", "x", "", "Organic Social" },
	{ "... paid for", "ig", "paid", "", "Paid Social" },
	{ "... of two words", "google shopping", "(none)", "", "Organic Shopping" },
	{ "... of a search engine's advertisements", "google_ads", "cpc", "", "Paid Search" },
	{ "video", "youtube", "video", "", "Organic Video" },
	{ "video in the medium", "x", "myvideos", "", "Organic Video" },
	{ "search", "google", "organic", "", "Organic Search" },
	{ "search of an unknown engine", "x", "organic", "", "Organic Search" },
	{ "organic is the whole of it", "x", "organics", "", "Unassigned" },
	{ "a social medium goes before a video source", "youtube", "social", "", "Organic Social" },
	{ "a video medium goes before a search engine", "google", "video", "", "Organic Video" },
	{ "email", "news", "email", "", "Email" },
	{ "email as source", "e-mail", "x", "", "Email" },
	{ "e_mail as source", "e_mail", "x", "", "Email" },
	{ "e mail as source", "e mail", "x", "", "Email" },
	{ "email as source, plain", "email", "(none)", "", "Email" },
	{ "e-mail", "x", "e-mail", "", "Email" },
	{ "e_mail", "x", "e_mail", "", "Email" },
	{ "e mail", "x", "e mail", "", "Email" },
	{ "not a part of it", "x", "emails", "", "Unassigned" },
	{ "email goes before referral", "email", "referral", "", "Email" },
	{ "web mail", "gmail", "email", "", "Email" },
	{ "affiliate", "x", "affiliate", "", "Affiliates" },
	{ "an affiliate network", "awin", "affiliate", "", "Affiliates" },
	{ "affiliates is not it", "x", "affiliates", "", "Unassigned" },
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
	{ "every kind", "a.a\ta\tsearch\nb.b\tb\tsocial\nc.c\tc\tvideo\nd.d\td\tmail\ne.e\te\tai\nf.f\tf\tshopping\n"
	    "g.g\tg\tads\nh.h\th\taffiliate\ni.i\ti\tpayment\nj.j\tj\tspam\n", NULL },
	{ "another spelling, before the name and behind", "=b c\ta\tsearch\na.example\ta\tsearch\n=d\ta\tsearch\n", NULL },
	{ "another spelling of another kind than its name", "a.example\ta\tsearch\n=b\ta\tsocial\n", "f:2: " },
	{ "another spelling that is a name of another kind", "a.example\ta\tsearch\n=a\tb\tsocial\n", "f:2: " },
	{ "another spelling twice", "=b\ta\tsearch\n=b\ta\tsearch\n", "f:2: " },
	{ "another spelling in capitals", "=B\ta\tsearch\n", "f:1: " },
	{ "no spelling", "=\ta\tsearch\n", "f:1: " },
	{ "a spelling between spaces is never met", "= b\ta\tsearch\n", "f:1: " },
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

/* ---- the file that is shipped ----------------------------------------------------- */

/* A host that the pattern alone should decide: itself, its .* filled in. */
static struct slice
host_of_pattern(struct slice pattern, char *out)
{
	bool is_stem = slice_ends(pattern, SLICE(".*"));

	memcpy(out, pattern.p, pattern.len);
	if (!is_stem)
		return (slice_make(out, pattern.len));
	memcpy(out + pattern.len - 1, "com", 3);
	return (slice_make(out, pattern.len + 2));
}

/* Each line decides what it names, and no line says only what a shorter one says already. */
static void
check_line(struct slice line)
{
	char host[HOST_MAX + 8];
	struct slice pattern = slice_cut(&line, '\t'), name = slice_cut(&line, '\t'), rest, full;
	const struct known *known = NULL, *parent;

	if (slice_starts(pattern, SLICE("="))) {
		known = known_name(sources, slice_skip(pattern, 1));
		ck_assert_msg(known != NULL && slice_is(line, kind_word(known->kind)), "%.*s", SLICE_FMT(pattern));
		ck_assert_msg(known_host(sources, slice_skip(pattern, 1)) == NULL, "%.*s: is a host as well", SLICE_FMT(pattern));
		return;
	}
	rest = full = host_of_pattern(pattern, host);
	known = known_host(sources, full);
	ck_assert_msg(known != NULL && slice_equal(known->pattern, pattern), "%.*s: another line decides", SLICE_FMT(pattern));
	ck_assert_msg(slice_equal(known->name, name) && slice_is(line, kind_word(known->kind)), "%.*s", SLICE_FMT(pattern));
	slice_cut(&rest, '.');
	parent = rest.len > 0 ? known_host(sources, rest) : NULL;
	ck_assert_msg(parent == NULL || !slice_equal(parent->name, name) || slice_equal(parent->pattern, pattern),
	    "%.*s: %.*s says so already", SLICE_FMT(pattern), SLICE_FMT(parent->pattern));
}

START_TEST(every_line_decides)
{
	const char *dir = getenv("srcdir");
	struct slice text = read_file(dir != NULL ? dir : ".", "data/sources.tsv"), rest = text, line;
	size_t count = 0;

	while (rest.len > 0) {
		line = slice_cut(&rest, '\n');
		if (line.len == 0 || line.p[0] == '#')
			continue;
		check_line(line);
		count++;
	}
	ck_assert_uint_gt(count, 4000);
	free((void *)(uintptr_t)text.p);
}
END_TEST

/* The pattern, taken literally. */
static bool
naive_matches(struct slice pattern, struct slice host)
{
	struct slice labels = host, stem = slice_make(pattern.p, pattern.len - 2);

	if (slice_starts(pattern, SLICE("=")))
		return (false);
	if (!slice_ends(pattern, SLICE(".*")))
		return (slice_ends(host, pattern) && (host.len == pattern.len || host.p[host.len - pattern.len - 1] == '.'));
	for (int i = 0; i < 2; i++) {
		size_t letters = 0;

		while (letters < labels.len && labels.p[labels.len - 1 - letters] >= 'a' && labels.p[labels.len - 1 - letters] <= 'z')
			letters++;
		if (letters == 0 || letters > 3 || letters + 1 >= labels.len || labels.p[labels.len - 1 - letters] != '.')
			return (false);
		labels.len -= letters + 1;
		if (slice_ends(labels, stem) && (labels.len == stem.len || labels.p[labels.len - stem.len - 1] == '.'))
			return (true);
	}
	return (false);
}

/* The longest line that matches, the first of equally long ones. */
static struct slice
naive_pattern(struct slice text, struct slice host)
{
	struct slice best = SLICE(""), line, pattern;

	while (text.len > 0) {
		line = slice_cut(&text, '\n');
		pattern = slice_cut(&line, '\t');
		if (line.len > 0 && pattern.p[0] != '#' && pattern.len > best.len && naive_matches(pattern, host))
			best = pattern;
	}
	return (best);
}

/* Hosts near to a pattern: below, above and beside it, with one more or less of all. */
START_TEST(as_a_slow_search_finds)
{
	static const struct { const char *before, *behind; } forms[] = { { "", "" }, { "a.", "" }, { "a.b-c.", "" }, { "x", "" },
		{ "", ".de" }, { "", ".co.uk" }, { "", ".info" }, { "", ".c0m" }, { "", ".a.b.c" } };
	const char *dir = getenv("srcdir");
	struct slice text = read_file(dir != NULL ? dir : ".", "data/sources.tsv"), rest = text, line, pattern, expected;
	const struct known *known;
	char host[HOST_MAX + 32];
	size_t number = 0, len;

	while (rest.len > 0) {
		line = slice_cut(&rest, '\n');
		pattern = slice_cut(&line, '\t');
		if (line.len == 0 || pattern.p[0] == '#' || (number++ % 37 != 0 && !slice_ends(pattern, SLICE(".*"))))
			continue;
		if (slice_ends(pattern, SLICE(".*")))
			pattern.len -= 2;
		for (size_t i = 0; i < N_ELEM(forms); i++) {
			len = (size_t)snprintf(host, sizeof(host), "%s%.*s%s", forms[i].before, SLICE_FMT(pattern), forms[i].behind);
			known = known_host(sources, slice_make(host, len));
			expected = naive_pattern(text, slice_make(host, len));
			ck_assert_msg(slice_equal(known != NULL ? known->pattern : SLICE(""), expected), "%s: %.*s, not %.*s", host,
			    SLICE_FMT(expected), known != NULL ? (int)known->pattern.len : 0, known != NULL ? known->pattern.p : "");
		}
	}
	free((void *)(uintptr_t)text.p);
}
END_TEST

/* What an owner would wonder about if it were missing. */
static const struct {
	const char *kind, *hosts;
} popular[] = {
	{ "search", "www.google.com www.google.de www.google.co.jp www.google.com.br cn.bing.com duckduckgo.com html.duckduckgo.com "
	    "search.yahoo.com fr.search.yahoo.com search.yahoo.co.jp yandex.ru yandex.com.tr www.baidu.com m.baidu.com www.ecosia.org "
	    "search.brave.com www.startpage.com www.qwant.com kagi.com search.naver.com search.seznam.cz m.sogou.com www.so.com "
	    "search.daum.net swisscows.com www.mojeek.com metager.de coccoc.com petalsearch.com go.mail.ru nova.rambler.ru yep.com "
	    "com.google.android.googlequicksearchbox" },
	{ "social", "www.facebook.com m.facebook.com lm.facebook.com l.facebook.com l.instagram.com t.co x.com www.linkedin.com lnkd.in "
	    "out.reddit.com old.reddit.com www.pinterest.de pin.it www.tiktok.com l.threads.com bsky.app go.bsky.app mastodon.social "
	    "vk.com away.vk.com ok.ru t.me web.telegram.org web.whatsapp.com discord.com www.quora.com news.ycombinator.com lobste.rs "
	    "weibo.com www.xiaohongshu.com www.zhihu.com line.me story.kakao.com www.snapchat.com nextdoor.com www.xing.com "
	    "app.slack.com statics.teams.cdn.office.net linktr.ee lemmy.world tumblr.com flipboard.com com.facebook.katana com.linkedin.android" },
	{ "video", "www.youtube.com m.youtube.com youtu.be vimeo.com player.vimeo.com www.twitch.tv www.dailymotion.com rumble.com odysee.com "
	    "rutube.ru www.bilibili.com www.douyin.com v.youku.com www.nicovideo.jp kick.com www.ted.com com.google.android.youtube" },
	{ "mail", "mail.google.com outlook.live.com outlook.office365.com nam02.safelinks.protection.outlook.com mail.yahoo.com mail.aol.com "
	    "www.icloud.com mail.proton.me 3c.gmx.net deref-gmx.net deref-web.de webmail.freenet.de e.mail.ru mail.yandex.ru mail.qq.com mail.163.com "
	    "email.seznam.cz poczta.wp.pl webmail.laposte.net mail.zoho.eu app.fastmail.com com.google.android.gm us1.campaign-archive.com" },
	{ "ai", "chatgpt.com chat.openai.com gemini.google.com copilot.microsoft.com edgeservices.bing.com www.perplexity.ai claude.ai grok.com "
	    "www.meta.ai chat.deepseek.com chat.mistral.ai poe.com you.com phind.com chat.qwen.ai www.kimi.com www.doubao.com yiyan.baidu.com "
	    "notebooklm.google.com duck.ai lumo.proton.me character.ai" },
	{ "shopping", "www.amazon.de www.amazon.co.uk www.ebay.com www.etsy.com www.walmart.com de.aliexpress.com www.temu.com www.idealo.de "
	    "geizhals.at www.billiger.de www.check24.de allegro.pl www.ceneo.pl www.bol.com www.zalando.fr www.otto.de www.kaufland.de "
	    "shopee.co.th www.lazada.com.my www.mercadolivre.com.br item.rakuten.co.jp kakaku.com shopping.naver.com www.coupang.com "
	    "www.flipkart.com www.skroutz.gr www.heureka.cz www.pricerunner.dk www.prisjakt.nu slickdeals.net www.mydealz.de" },
	{ "ads", "googleads.g.doubleclick.net www.googleadservices.com tpc.googlesyndication.com trc.taboola.com paid.outbrain.com "
	    "cat.nl.eu.criteo.com ib.adnxs.com c.amazon-adsystem.com match.adsrvr.org www.mgid.com track.adform.net an.yandex.ru" },
	{ "affiliate", "www.awin1.com www.anrdoezrs.net www.dpbolvw.net click.linksynergy.com www.shareasale.com go.skimresources.com "
	    "prf.hn clk.tradedoubler.com tc.tradetracker.net track.webgains.com ad.admitad.com goto.target.sjv.io go.redirectingat.com" },
	{ "payment", "checkout.stripe.com buy.stripe.com hooks.stripe.com www.paypal.com pay.shopify.com shop.app checkout.paddle.com "
	    "store.lemonsqueezy.com pay.klarna.com www.mollie.com checkoutshopper-live.adyen.com secure.payu.com payments.amazon.de "
	    "pay.google.com sis.redsys.es www.mercadopago.com.br api.razorpay.com secure.przelewy24.pl secure.ogone.com payment.quickpay.net "
	    "gate.gopay.cz www.saferpay.com pay.twint.ch checkout.paystack.com www.sofort.com www.paydirekt.de" },
	{ "spam", "semalt.com www.semalt.com buttons-for-website.com darodar.com free-share-buttons.com trafficbot.life news.grets.store" },
};

START_TEST(popular_hosts)
{
	struct slice rest = slice_of(popular[_i].hosts), host;
	const struct known *known;

	while (rest.len > 0) {
		host = slice_cut(&rest, ' ');
		known = known_host(sources, host);
		ck_assert_msg(known != NULL && strcmp(kind_word(known->kind), popular[_i].kind) == 0, "%.*s: %s", SLICE_FMT(host),
		    known != NULL ? kind_word(known->kind) : "unknown");
	}
}
END_TEST

/* A table of before there were payment pages in it must not make sources of them. */
START_TEST(payment_pages_without_a_line)
{
	static const struct { const char *text; bool is_payment; } tables[] = {
		{ "", true }, { "google.*\tgoogle\tsearch\n", true }, { "bank.example\tbank\tpayment\n", false },
		{ "paypal.com\tpaypal\tsocial\n", false },
	};

	for (size_t i = 0; i < N_ELEM(tables); i++) {
		struct sources *s = sources_parse(slice_of(tables[i].text), "f", NULL);
		const struct source_rules only = { s, NULL, NULL };

		ck_assert(referrer_is_internal(&only, SLICE("https://www.paypal.com/")) == tables[i].is_payment);
		ck_assert(referrer_is_internal(&only, SLICE("https://klarna.com/")) == (i != 2));
		sources_free(&s);
	}
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
	tcase_add_test(tc, rules_that_decide);
	tcase_add_test(tc, long_hosts);
	tcase_add_test(tc, internal_referrers);
	tcase_add_test(tc, unknown_hosts);
	tcase_add_loop_test(tc, channel_of_source, 0, (int)N_ELEM(channels));
	tcase_add_loop_test(tc, file_is_checked, 0, (int)N_ELEM(files));
	tcase_add_test(tc, which_pattern_wins);
	tcase_add_test(tc, every_line_decides);
	tcase_add_test(tc, as_a_slow_search_finds);
	tcase_add_loop_test(tc, popular_hosts, 0, (int)N_ELEM(popular));
	tcase_add_test(tc, payment_pages_without_a_line);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
