/*
 * User agents: bots by data/bots.txt and by rules of the test's own, devices, and two
 * collections of real agents (where RPVD_SHARED says they are).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "core/client.h"
#include "core/hosting.h"

#define CHROME " AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

static struct bots *bots;

static bool
bots_match(const struct bots *b, struct slice agent)
{
	struct agent_verdict v;

	bots_judge(b, agent, &v);
	return (v.is_bot);
}

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
	struct slice text = read_file(dir != NULL ? dir : ".", "data/bots.txt");
	struct err err;

	ck_assert_msg(text.len > 0, "no data/bots.txt");
	bots = bots_parse(text, "bots.txt", &err);
	ck_assert_msg(bots != NULL, "%s", err.msg);
	free((void *)(uintptr_t)text.p);
}

static void
unload(void)
{
	bots_free(&bots);
	ck_assert_ptr_null(bots);
}

static const struct {
	const char *why, *agent;
	bool is_bot;
} agents[] = {
	{ "no agent", "", true },
	{ "a dash", "-", true },
	{ "Chrome", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" CHROME, false },
	{ "Safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", false },
	{ "Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0", false },
	{ "an iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1", false },
	{ "an Android phone", "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36", false },
	{ "an old Internet Explorer says compatible", "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", false },
	{ "a person who reads a translation", "Mozilla/5.0 (X11; Linux x86_64)" CHROME ",gzip(gfe) (via translate.google.com)", false },
	{ "inside another app", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0", false },
	{ "a phone whose name has bot in it", "Mozilla/5.0 (Linux; Android 6.0; CUBOT MAX)" CHROME, false },
	{ "a bot on that phone", "Mozilla/5.0 (Linux; Android 6.0; CUBOT MAX)" CHROME " (compatible; Googlebot/2.1)", true },

	{ "Googlebot", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", true },
	{ "Googlebot as a browser", "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/126.0.0.0 Safari/537.36", true },
	{ "bingbot", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", true },
	{ "AhrefsBot", "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", true },
	{ "curl", "curl/8.5.0", true },
	{ "a Python library", "python-requests/2.31.0", true },
	{ "Go's", "Go-http-client/2.0", true },
	{ "Facebook's preview", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", true },
	{ "a browser without a window", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36", true },
	{ "Lighthouse", "Mozilla/5.0 (Linux; Android 11)" CHROME " Chrome-Lighthouse", true },
	{ "a contact address", "Mozilla/5.0 (X11; Linux x86_64)" CHROME " (research; me@uni.example)", true },
	{ "compatible; and no browser's name", "Mozilla/5.0 (compatible; Something/1.0) Gecko", true },
	{ "nothing that a browser says", "SomeTool/1.0", true },
	{ "just Mozilla", "Mozilla/5.0", true },
	{ "case does not matter", "CURL/8", true },
};

START_TEST(agent_is_a_bot)
{
	ck_assert_msg(bots_match(bots, slice_of(agents[_i].agent)) == agents[_i].is_bot, "%s", agents[_i].why);
}
END_TEST

/* At the least, these words make a bot, in whatever company. */
START_TEST(words_of_the_design)
{
	static const char *const words[] = { "bot", "crawl", "spider", "slurp", "curl", "wget", "python", "java/",
		"go-http", "libwww", "httpclient", "headless", "monitor", "preview", "fetch", "scrapy",
		"facebookexternalhit", "lighthouse", "axios", "okhttp", "ruby", "perl" };
	char agent[256];

	for (size_t i = 0; i < N_ELEM(words); i++) {
		snprintf(agent, sizeof(agent), "Mozilla/5.0 (X11; Linux x86_64)" CHROME " x%sx", words[i]);
		ck_assert_msg(bots_match(bots, slice_of(agent)), "%s", words[i]);
	}
}
END_TEST

static const struct {
	const char *why, *rules, *agent;
	bool is_bot;
} matches[] = {
	{ "a phrase anywhere", "abc", "xabcx", true },
	{ "not a part of it", "abc", "xabx", false },
	{ "case of the rule", "ABC", "abc", true },
	{ "case of the agent", "abc", "aBC", true },
	{ "no case beyond letters", "[", "{", false },
	{ "bytes beyond ASCII", "\xc3\xa9", "caf\xc3\xa9", true },
	{ "a phrase that begins again inside a false start", "aab", "aaab", true },
	{ "a phrase inside a longer one that fails", "abcde\nbcd", "abcdx", true },
	{ "the end of one is the beginning of another", "abc\ncde", "xcde", true },
	{ "spaces inside count", "a b", "ab", false },
	{ "spaces around do not", "  ab  ", "xabx", true },
	{ "remarks and empty lines", "# abc\n\n \nxyz", "abc", false },
	{ "no rule", "", "abc", false },
	{ "no rule, no agent", "", "", true },

	{ "at the beginning", "^abc", "abcx", true },
	{ "only there", "^abc", "xabc", false },
	{ "at the end", "abc$", "xabc", true },
	{ "only there", "abc$", "abcx", false },
	{ "the whole", "^abc$", "abc", true },
	{ "only that", "^abc$", "abcx", false },
	{ "only that", "^abc$", "xabc", false },
	{ "a dollar sign elsewhere is itself", "a$b", "xa$bx", true },

	{ "an exception", "bot\n!cubot", "a cubot b", false },
	{ "for that place alone", "bot\n!cubot", "a cubot bot", true },
	{ "before it too", "bot\n!cubot", "bot cubot", true },
	{ "an exception that ends later", "bot\n!bottle", "a bottle", false },
	{ "one that does not come to its end", "bot\n!bottle", "a bott", true },
	{ "nor at the end of the agent", "bot\n!bottle", "a bot", true },
	{ "a hit that only overlaps it stays", "bot x\n!cubot", "cubot x", true },
	{ "two hits in one exception", "bo\not\n!cubot", "cubot", false },
	{ "one of two inside", "cubo\nbot\n!ubot", "cubot", true },
	{ "two exceptions, two hits", "bot\n!cubot\n!fubo tv\n!fubotv", "cubot fubotv", false },
	{ "the longer of two that end together", "cubot\n!ubot\n!a cubot", "a cubot", false },
	{ "the shorter of two does not reach", "cubot\n!ubot\n!a cubot", "cubot", true },
	{ "an exception at the beginning", "bot\n!^bot", "bot", false },
	{ "not elsewhere", "bot\n!^bot", "xbot", true },
	{ "an exception at the end", "bot\n!bot$", "bot", false },
	{ "not elsewhere", "bot\n!bot$", "botx", true },
	{ "an exception of nothing", "!abc", "abc", false },

	{ "a sign of a browser", "+gecko", "x gecko", false },
	{ "without any it is a bot", "+gecko\n+webkit", "x", true },
	{ "one of them is enough", "+gecko\n+webkit", "webkit", false },
	{ "a bot's word beats it", "bot\n+gecko", "gecko bot", true },
	{ "a sign at the end", "+gecko$", "gecko", false },
	{ "a sign that is also a bot's word", "+abc\nabc", "abc", true },
};

START_TEST(rules_match)
{
	struct err err = { "" };
	struct bots *b = bots_parse(slice_of(matches[_i].rules), "f", &err);

	ck_assert_msg(b != NULL, "%s", err.msg);
	ck_assert_msg(bots_match(b, slice_of(matches[_i].agent)) == matches[_i].is_bot, "%s", matches[_i].why);
	bots_free(&b);
}
END_TEST

/* Of which class, and by which rule. */
static const struct {
	const char *why, *rules, *agent, *class, *rule;
} verdicts[] = {
	{ "the phrase as it is written", "[search]\nGoogleBot", "x googlebot", "search", "GoogleBot" },
	{ "with its anchors", "[library]\n^curl$", "curl", "library", "^curl$" },
	{ "no class above it", "bot\n[search]\nfoo", "bot", "other", "bot" },
	{ "the last class above it", "[search]\n[feed]\nbot", "bot", "feed", "bot" },
	{ "the first in the file", "[search]\nb\n[feed]\na", "a b", "search", "b" },
	{ "wherever they stand", "[search]\nb\n[feed]\na", "b a", "search", "b" },
	{ "the name before the word that it has in it", "[search]\nabcbot\n[other]\nbot", "an abcbot", "search", "abcbot" },
	{ "the word before the name, if the file has it so", "[other]\nbot\n[search]\nabcbot", "an abcbot", "other", "bot" },
	{ "three that end together", "[ad]\nbot\n[seo]\ncbot\n[feed]\nbcbot", "bcbot", "ad", "bot" },
	{ "the middle one of them", "[seo]\ncbot\n[ad]\nbot\n[feed]\nbcbot", "bcbot", "seo", "cbot" },
	{ "two that begin together", "[feed]\nabcd\n[ad]\nab", "abcd", "feed", "abcd" },
	{ "twice in the file", "[feed]\nbot\n[ad]\nbot", "bot", "feed", "bot" },
	{ "one that is excepted does not count", "[feed]\nbot\n[ad]\nx\n!cubot", "cubot x", "ad", "x" },
	{ "until it stands elsewhere too", "[feed]\nbot\n[ad]\nx\n!cubot", "cubot x bot", "feed", "bot" },
	{ "the shorter one is excepted", "[feed]\nbot\n[ad]\na cubot\n!cubot", "a cubot", "ad", "a cubot" },
	{ "one that waits for an exception that does not come", "[feed]\nbot\n[ad]\nx\n!bottle", "bottx", "feed", "bot" },
	{ "long after it", "[feed]\nfirst\n[ad]\nx\n!bottle", "first 345678901234567890123456789012345678901234567890123456789012345678901234567890 x", "feed", "first" },
	{ "no agent", "[feed]\nbot", "", "other", "(empty)" },
	{ "a dash", "[feed]\nbot", "-", "other", "(empty)" },
	{ "no sign of a browser", "+gecko", "tool", "other", "(no browser)" },
	{ "a browser by its sign", "+webkit\n+gecko", "gecko", "browser", "gecko" },
	{ "the first sign in the file", "+webkit\n+gecko", "gecko webkit", "browser", "webkit" },
	{ "a browser where the file has no signs", "bot", "gecko", "browser", "" },
	{ "a phrase in brackets", "[feed]\n[x", "[x", "feed", "[x" },
	{ "empty brackets are one too", "[feed]\n[]", "a[]", "feed", "[]" },
};

START_TEST(rule_is_told)
{
	struct err err = { "" };
	struct bots *b = bots_parse(slice_of(verdicts[_i].rules), "f", &err);
	struct agent_verdict v;

	ck_assert_msg(b != NULL, "%s", err.msg);
	bots_judge(b, slice_of(verdicts[_i].agent), &v);
	ck_assert_msg(strcmp(agent_class_name(v.class), verdicts[_i].class) == 0 && slice_is(v.rule, verdicts[_i].rule),
	    "%s: %s/%.*s", verdicts[_i].why, agent_class_name(v.class), SLICE_FMT(v.rule));
	ck_assert(v.is_bot == (v.class != AGENT_BROWSER) && v.number < bots_rules(b) && bots_rule_class(b, v.number) == v.class);
	ck_assert(slice_ends(bots_rule_name(b, v.number), v.rule) && slice_starts(bots_rule_name(b, v.number), slice_of(verdicts[_i].class)));
	bots_free(&b);
}
END_TEST

/* Who they are, by the file that comes with rpvd. */
static const struct { const char *agent, *class, *rule; } named[] = {
	{ "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "search", "googlebot" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/126.0.0.0 Safari/537.36", "search", "bingbot" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", "ai_crawler", "gptbot" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "ai_crawler", "claudebot" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot", "ai_assistant", "chatgpt-user" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Claude-User/1.0; +Claude-User@anthropic.com)", "ai_assistant", "claude-user" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)", "ai_assistant", "perplexity-user" },
	{ "AdsBot-Google (+http://www.google.com/adsbot.html)", "ad", "adsbot-google" },
	{ "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "seo", "ahrefsbot" },
	{ "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor", "uptimerobot" },
	{ "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "preview", "facebookexternalhit" },
	{ "Mozilla/5.0 (compatible; archive.org_bot +http://www.archive.org/details/archive.org_bot)", "archive", "archive.org_bot" },
	{ "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)", "feed", "feedfetcher" },
	{ "curl/8.5.0", "library", "curl" },
	{ "python-requests/2.31.0", "library", "python-requests" },
	{ "Mozilla/5.0 (X11; Linux x86_64)" CHROME " HeadlessChrome/126.0.0.0", "library", "headlesschrome" },
	{ "Mozilla/5.0 zgrab/0.x", "scanner", "zgrab" },
	{ "sqlmap/1.8 (https://sqlmap.org)", "scanner", "sqlmap" },
	{ "Mozilla/5.0 (compatible; Unheardof-Robot/1.0)", "other", "bot" },
	{ "SomeTool/1.0", "other", "(no browser)" },
	{ "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0", "browser", "gecko" },
	/* People, in apps whose makers have bots as well. */
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]", "browser", "webkit/" },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Snapchat/12.80 (like Safari/8617)", "browser", "webkit/" },
	{ "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 trill_340 BytedanceWebview/d8a21c6", "browser", "webkit/" },
};

START_TEST(bot_is_named)
{
	struct agent_verdict v;

	bots_judge(bots, slice_of(named[_i].agent), &v);
	ck_assert_msg(strcmp(agent_class_name(v.class), named[_i].class) == 0 && slice_is(v.rule, named[_i].rule),
	    "%s: %s/%.*s", named[_i].agent, agent_class_name(v.class), SLICE_FMT(v.rule));
}
END_TEST

/* An exception of any length reaches back exactly so far. */
START_TEST(exceptions_reach_back)
{
	char rules[128], agent[128];
	struct bots *b;
	size_t n = (size_t)_i;

	snprintf(rules, sizeof(rules), "bot\n!bot%.*s!", _i, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	b = bots_parse(slice_of(rules), "f", NULL);
	ck_assert((b != NULL) == (n + 4 <= 62));
	if (b == NULL)
		return;
	snprintf(agent, sizeof(agent), "%s", rules + 5);
	ck_assert(!bots_match(b, slice_of(agent)));
	agent[strlen(agent) - 1] = 'x';
	ck_assert(bots_match(b, slice_of(agent)));
	bots_free(&b);
}
END_TEST

static const struct {
	const char *why, *text, *error;
} files[] = {
	{ "an exception without a phrase", "a\n!\n", "f:2: " },
	{ "a sign without a phrase", "+", "f:1: " },
	{ "a beginning without a phrase", "^", "f:1: " },
	{ "an end without a phrase", "$", "f:1: " },
	{ "both without a phrase", "^$", "f:1: " },
	{ "a class that is none", "[search]\n[browser]\nx", "f:2: " },
	{ "a class in capitals", "[SEARCH]", "f:1: " },
	{ "longer than 62", "#\n\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", "f:3: " },
};

START_TEST(file_is_checked)
{
	struct err err = { "" };

	ck_assert_ptr_null(bots_parse(slice_of(files[_i].text), "f", &err));
	ck_assert_msg(strncmp(err.msg, files[_i].error, strlen(files[_i].error)) == 0, "%s: %s", files[_i].why, err.msg);
}
END_TEST

START_TEST(too_many_rules)
{
	char *text = mem_alloc(1200 * 60);
	struct err err = { "" };

	for (size_t i = 0; i < 1200; i++) {
		memset(text + i * 60, 'x', 59);
		text[i * 60 + 59] = '\n';
	}
	ck_assert_ptr_null(bots_parse(slice_make(text, 1200 * 60), "f", &err));
	ck_assert(strncmp(err.msg, "f: ", 3) == 0);
	free(text);
}
END_TEST

START_TEST(hosters_networks)
{
	static const struct { const char *why, *text, *error; } wrong[] = {
		{ "a name", "AS1 x\nHetzner", "h:2: " }, { "no number", "AS", "h:1: " }, { "0", "0 x", "h:1: " },
		{ "too large", "AS4294967296 x", "h:1: " }, { "a number that goes on", "AS1x", "h:1: " },
	};
	struct err err = { "" };
	struct hosting *h = hosting_parse(SLICE("# remark\n\nAS64500 A\n64496\tB\r\nas4294967295\n  # more\n"), "h", &err);
	const char *dir = getenv("srcdir");
	struct slice file = read_file(dir != NULL ? dir : ".", "data/hosting.txt");

	ck_assert_msg(h != NULL, "%s", err.msg);
	ck_assert(hosting_has(h, 64500) && hosting_has(h, 64496) && hosting_has(h, UINT32_MAX));
	ck_assert(!hosting_has(h, 64499) && !hosting_has(h, 0));
	hosting_free(&h);
	for (size_t i = 0; i < N_ELEM(wrong); i++) {
		ck_assert_msg(hosting_parse(slice_of(wrong[i].text), "h", &err) == NULL, "%s", wrong[i].why);
		ck_assert_msg(strncmp(err.msg, wrong[i].error, strlen(wrong[i].error)) == 0, "%s: %s", wrong[i].why, err.msg);
	}
	h = hosting_parse(file, "hosting.txt", &err);
	ck_assert_msg(h != NULL, "%s", err.msg);
	ck_assert(hosting_has(h, 16509) && hosting_has(h, 24940) && !hosting_has(h, 3320) && !hosting_has(h, 13335));
	hosting_free(&h);
	free((void *)(uintptr_t)file.p);
}
END_TEST

/* The least of some runs, so that what else the machine does hardly counts. */
static double
seconds_for(const struct bots *b, struct slice agent)
{
	double least = 1e9;

	for (int run = 0; run < 7; run++) {
		struct timespec from, to;
		double took;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
		ck_assert(!bots_match(b, agent));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
		took = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
		if (took < least)
			least = took;
	}
	return (least);
}

/* 60 KB that almost match everywhere, and hits that all wait for an exception: 16 times
 * the bytes take 16 times the time, not 256 times. */
START_TEST(hostile_agent_takes_linear_time)
{
	static char agent[61440];
	static const char *const hostile[][2] = {
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\naaaaaaaaaaaaaab\naaab", "a" },
		{ "ab\n!ababababababababababababababababababab\n!abab\n!aba$", "ab" },
		{ "abababababababababababababababc\nbababababababc\nabc", "ab" },
	};

	for (size_t i = 0; i < N_ELEM(hostile); i++) {
		struct bots *b = bots_parse(slice_of(hostile[i][0]), "f", NULL);
		size_t len = strlen(hostile[i][1]);
		double little, much;

		ck_assert_ptr_nonnull(b);
		for (size_t k = 0; k < sizeof(agent); k++)
			agent[k] = hostile[i][1][k % len];
		little = seconds_for(b, slice_make(agent, sizeof(agent) / 16));
		much = seconds_for(b, slice_make(agent, sizeof(agent)));
		ck_assert_msg(much < little * 64 + 1e-4, "%zu: %g s for 16 times the bytes of %g s", i, much, little);
		ck_assert_msg(much < 0.05, "%zu: %g s", i, much);
		bots_free(&b);
	}
}
END_TEST

static const struct {
	const char *why, *agent;
	enum device device;
} devices[] = {
	{ "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" CHROME, DEVICE_DESKTOP },
	{ "no agent", "", DEVICE_DESKTOP },
	{ "an iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148 Safari/604.1", DEVICE_MOBILE },
	{ "an iPod", "Mozilla/5.0 (iPod; CPU)", DEVICE_MOBILE },
	{ "Android with Mobile", "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0.0.0 Mobile Safari/537.36", DEVICE_MOBILE },
	{ "Mobile before Android", "Mobile Android", DEVICE_MOBILE },
	{ "Android without Mobile", "Mozilla/5.0 (Linux; Android 13; SM-X200) Chrome/126.0.0.0 Safari/537.36", DEVICE_TABLET },
	{ "Mobi alone is a phone", "Opera Mobi", DEVICE_MOBILE },
	{ "Mobi alone does not take Android from the tablets", "Android Mobi", DEVICE_TABLET },
	{ "an iPad that says Mobile", "Mozilla/5.0 (iPad; CPU OS 16_0) Version/16.0 Mobile/15E148 Safari/604.1", DEVICE_TABLET },
	{ "a tablet that says Mobile", "Mozilla/5.0 (Android; Tablet; rv:40.0) Mobile", DEVICE_TABLET },
	{ "a PlayBook", "Mozilla/5.0 (PlayBook; U)", DEVICE_TABLET },
	{ "Silk", "Silk/3.1 Mobile", DEVICE_TABLET },
	{ "case matters", "ipad tablet android mobile iphone", DEVICE_DESKTOP },
	{ "a cut word is none", "iPa Table Androi Mob iPhon iPo", DEVICE_DESKTOP },
	{ "a word at the very end", "iPad", DEVICE_TABLET },
};

START_TEST(agent_has_device)
{
	enum device device = device_of(slice_of(devices[_i].agent));

	ck_assert_msg(device == devices[_i].device, "%s: %s", devices[_i].why, device_name(device));
}
END_TEST

START_TEST(devices_have_names)
{
	ck_assert_str_eq(device_name(DEVICE_DESKTOP), "desktop");
	ck_assert_str_eq(device_name(DEVICE_MOBILE), "mobile");
	ck_assert_str_eq(device_name(DEVICE_TABLET), "tablet");
}
END_TEST

/* Where the rate of bots in the file must lie. */
static const struct {
	const char *name;
	size_t count;
	double at_least, at_most;
} collections[] = {
	{ "data/agents/bots.txt", 2733, 0.98, 1 },
	{ "data/agents/browsers.txt", 698, 0, 0.001 },
};

START_TEST(collected_agents)
{
	const char *dir = getenv("RPVD_SHARED");
	struct slice text, rest;
	size_t count = 0, caught = 0;
	double rate;

	if (dir == NULL) {
		printf("%s: not looked at, RPVD_SHARED is not set\n", collections[_i].name);
		return;
	}
	text = read_file(dir, collections[_i].name);
	ck_assert_msg(text.len > 0, "%s/%s cannot be read", dir, collections[_i].name);
	for (rest = text; rest.len > 0; count++) {
		struct slice agent = slice_cut(&rest, '\n');
		struct agent_verdict v;

		bots_judge(bots, agent, &v);
		caught += v.is_bot;
		if (v.is_bot && collections[_i].at_most < 0.5)
			printf("a browser that is caught, %s/%.*s: %.*s\n", agent_class_name(v.class), SLICE_FMT(v.rule), SLICE_FMT(agent));
	}
	rate = (double)caught / (double)count;
	printf("%s: %zu of %zu are bots\n", collections[_i].name, caught, count);
	ck_assert_uint_eq(count, collections[_i].count);
	ck_assert(rate >= collections[_i].at_least && rate <= collections[_i].at_most);
	free((void *)(uintptr_t)text.p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client");
	TCase *tc = tcase_create("client");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, load, unload);
	tcase_add_loop_test(tc, agent_is_a_bot, 0, (int)N_ELEM(agents));
	tcase_add_test(tc, words_of_the_design);
	tcase_add_loop_test(tc, rules_match, 0, (int)N_ELEM(matches));
	tcase_add_loop_test(tc, rule_is_told, 0, (int)N_ELEM(verdicts));
	tcase_add_loop_test(tc, bot_is_named, 0, (int)N_ELEM(named));
	tcase_add_loop_test(tc, exceptions_reach_back, 0, 61);
	tcase_add_loop_test(tc, file_is_checked, 0, (int)N_ELEM(files));
	tcase_add_test(tc, too_many_rules);
	tcase_add_test(tc, hosters_networks);
	tcase_add_test(tc, hostile_agent_takes_linear_time);
	tcase_add_loop_test(tc, agent_has_device, 0, (int)N_ELEM(devices));
	tcase_add_test(tc, devices_have_names);
	tcase_add_loop_test(tc, collected_agents, 0, (int)N_ELEM(collections));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
