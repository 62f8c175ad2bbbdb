/*
 * Tests of the engine: the definitions as small stories.
 *
 * A story is lines of "TIME WORD arguments"; what is expected stands behind it as
 * "DIM|SERIES|field=value ...".  Each is told five times: as a backfill and live, without
 * any commit, with a commit after every line, and with the engine thrown away and
 * loaded again after every line.  None of that may show.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine_world.h"

/* ---- telling a story -------------------------------------------------------- */

struct teller {
	struct world *w;
	struct rates *rates;
	int64_t highest;		/* of the hits so far */
	bool commits, reloads;
	const char *why;
};

/* "HH:MM:SS", "HH:MM:SS.mmm", or with "DAY+" before it. */
static int64_t
story_time(struct slice text)
{
	int day = 0, h, m, s, ms = 0, used = 0;
	char buf[40];

	ck_assert(text.len < sizeof(buf));
	snprintf(buf, sizeof(buf), "%.*s", SLICE_FMT(text));
	if (strchr(buf, '+') != NULL && sscanf(buf, "%d+%n", &day, &used) != 1)
		ck_abort_msg("%s is no time", buf);
	if (sscanf(buf + used, "%d:%d:%d.%d", &h, &m, &s, &ms) < 3)
		ck_abort_msg("%s is no time", buf);
	return (WORLD_DAY + day * DAY_MS + ((h * 60 + m) * INT64_C(60) + s) * 1000 + ms);
}

static bool
option(struct slice word, const char *name, struct slice *value)
{
	size_t n = strlen(name);

	if (word.len <= n || memcmp(word.p, name, n) != 0 || word.p[n] != '=')
		return (false);
	*value = slice_skip(word, n + 1);
	return (true);
}

static void
story_hit(struct teller *t, struct input *in, struct slice method, struct slice rest)
{
	struct hit *h = &in->hit;
	struct slice word, value;

	*h = (struct hit){ .time_ms = in->ms, .status = 200, .addr = SLICE("192.0.2.1"), .agent = SLICE("Firefox/140"), .method = method };
	h->target = slice_cut(&rest, ' ');
	while (rest.len > 0) {
		word = slice_cut(&rest, ' ');
		if (option(word, "c", &h->cookies[0]) || option(word, "uid", &h->uid_got) || option(word, "ip", &h->addr) ||
		    option(word, "ua", &h->agent) || option(word, "ref", &h->referrer))
			continue;
		ck_assert_msg(option(word, "status", &value), "%s: %.*s", t->why, SLICE_FMT(word));
		h->status = atoi(value.p);
	}
	in->late = in->ms < t->highest;
	t->highest = in->late ? t->highest : in->ms;
}

static void
story_amount(struct order_message *m, struct slice text, int64_t *amount)
{
	struct slice number = slice_make(text.p, text.len - 3);

	ck_assert(text.len > 3 && currency_parse(slice_skip(text, text.len - 3), &m->currency));
	ck_assert(money_parse(number, m->currency, amount));
}

static void
story_option(const struct teller *t, struct order_message *m, struct slice word)
{
	struct slice value;

	if (option(word, "visitor", &m->visitor) || option(word, "customer", &m->customer) || option(word, "ip", &m->ip) ||
	    option(word, "ua", &m->user_agent) || option(word, "provider", &m->provider))
		return;
	if (option(word, "token", &value))
		m->tokens[m->n_tokens++] = value;
	else if (option(word, "alias", &value))
		m->aliases[m->n_aliases++] = value;
	else if (option(word, "tax", &value))
		ck_assert(money_parse(value, m->currency, &m->tax));
	else if (option(word, "shipping", &value))
		ck_assert(money_parse(value, m->currency, &m->shipping));
	else if (slice_is(word, "recurring"))
		m->recurring = true;
	else if (slice_is(word, "cumulative"))
		m->cumulative = true;
	else
		ck_abort_msg("%s: what is %.*s?", t->why, SLICE_FMT(word));
}

/* paid ORDER AMOUNT ..., refund ORDER ID AMOUNT, dispute ORDER ID AMOUNT, won ORDER ID, alias ALIAS ORDER */
static bool
story_event(const struct teller *t, struct input *in, struct slice what, struct slice rest)
{
	static const char *const words[ORDER_KINDS] = { "paid", "refund", "dispute", "won", "alias" };
	struct order_message *m = &in->message;
	int kind = 0;

	while (kind < ORDER_KINDS && !slice_is(what, words[kind]))
		kind++;
	if (kind == ORDER_KINDS)
		return (false);
	*m = (struct order_message){ .kind = (enum order_kind)kind, .time_ms = in->ms, .provider = SLICE("generic") };
	if (m->kind == ORDER_ALIAS)
		m->aliases[m->n_aliases++] = slice_cut(&rest, ' ');
	m->order_id = slice_cut(&rest, ' ');
	if (m->kind != ORDER_PAID && m->kind != ORDER_ALIAS)
		m->part_id = slice_cut(&rest, ' ');
	if (m->kind == ORDER_DISPUTE_WON)
		currency_parse(SLICE("EUR"), &m->currency);
	else if (m->kind != ORDER_ALIAS)
		story_amount(m, slice_cut(&rest, ' '), &m->amount);
	while (rest.len > 0)
		story_option(t, m, slice_cut(&rest, ' '));
	in->kind = INPUT_EVENT;
	return (true);
}

/* rates USD 1.25 ...: from the first day on, one EUR is so many.  "rates none" takes them away. */
static void
story_rates(struct teller *t, struct slice rest)
{
	struct rates *before = t->rates;
	struct buf text = { 0 };
	struct slice code = slice_cut(&rest, ' ');
	struct err err;

	t->rates = NULL;
	if (!slice_is(code, "none")) {
		buf_printf(&text, "Date,%.*s\n2026-03-01,%.*s\n", SLICE_FMT(code), SLICE_FMT(rest));
		t->rates = rates_parse(buf_view(&text), "rates.csv", &err);
		ck_assert(t->rates != NULL);
	}
	t->w->rules.rates = t->rates;
	engine_set_rules(t->w->engine, &t->w->rules);
	rates_free(&before);
	buf_free(&text);
}

/* A line that changes the rules: what is not the default. */
static bool
story_rule(struct teller *t, struct slice line)
{
	struct slice rest = line, word = slice_cut(&rest, ' ');
	struct engine_rules *rules = &t->w->rules;

	if (slice_is(word, "rates"))
		story_rates(t, rest);
	else if (slice_is(word, "basis"))
		rules->basis = slice_is(rest, "net") ? BASIS_NET : BASIS_NET_OF_TAX;
	else if (slice_is(word, "strict"))
		rules->strict = true;
	else if (slice_is(word, "limits"))	/* small enough for a story */
		rules->limits = (struct evidence_limits){ .bare_views = 3, .assets_known = 1, .rate_views = 3, .rate_ms = 500, .errors = 2 };
	else if (slice_is(word, "lookback"))
		rules->lookback_ms = atoi(rest.p) * DAY_MS;
	else if (slice_is(word, "identity")) {
		rules->identities[0].kind = IDENTITY_COOKIE;
		rules->n_identities = 1;
	} else if (slice_is(word, "forget"))
		keyring_forget(&t->w->ring, day_of(WORLD_DAY) + atoi(rest.p));
	else
		return (false);
	return (true);
}

static void
story_line(struct teller *t, struct slice line)
{
	struct slice rest = line, what;
	struct input in = { 0 };

	if (story_rule(t, line))
		return;
	in.ms = story_time(slice_cut(&rest, ' '));
	what = slice_cut(&rest, ' ');
	if (slice_is(what, "until")) {
		in.kind = INPUT_UNTIL;
	} else if (!story_event(t, &in, what, rest))
		story_hit(t, &in, what, rest);
	world_take(t->w, &in);
	if (t->commits)
		world_commit(t->w);
	if (t->reloads)
		world_reload(t->w);
}

/* ---- what came of it --------------------------------------------------------- */

static enum dim
dim_of(struct slice text, int *model)
{
	static const char *const models[] = { "last_non_direct", "last", "first", "linear", "position", "time_decay" };
	struct slice rest = text, name = slice_cut(&rest, '.');

	*model = 0;
	for (int i = 0; i < MODELS; i++)
		if (slice_is(rest, models[i]))
			*model = i;
	for (int i = 0; i < DIMS; i++)
		if (slice_is(name, dim_name((enum dim)i)))
			return ((enum dim)i);
	ck_abort_msg("no dimension %.*s", SLICE_FMT(name));
}

static void
expect_field(const struct teller *t, struct slice series, const int64_t *figures, int model, struct slice word)
{
	static const struct { const char *name; int at; bool by_model; } fields[] = {
		{ "visits", FIG_VISITS, false }, { "orders", FIG_ORDERS, true }, { "revenue", FIG_REVENUE, true },
		{ "refunds", FIG_REFUNDS, true }, { "recurring", FIG_RECURRING, true }, { "sales", FIG_SALES, false },
		{ "sales_orders", FIG_SALES_ORDERS, false }, { "unattributed", FIG_UNATTRIBUTED, false },
		{ "fetches", FIG_FETCHES, false }, { "pages", FIG_PAGES, false }, { "errors", FIG_ERRORS, false },
		{ "left_out", FIG_LEFT_OUT, false }, { "suspects", FIG_SUSPECTS, false },
		{ "robots", FIG_EVIDENCE + EVIDENCE_ROBOTS, false }, { "no_assets", FIG_EVIDENCE + EVIDENCE_NO_ASSETS, false },
		{ "rate", FIG_EVIDENCE + EVIDENCE_RATE, false }, { "errors_only", FIG_EVIDENCE + EVIDENCE_ERRORS, false },
		{ "hosting", FIG_EVIDENCE + EVIDENCE_HOSTING, false }, { "search", FIG_SEARCH, false }, { "ai_crawler", FIG_AI_CRAWLER, false }, { "ai_assistant", FIG_AI_ASSISTANT, false },
	};
	struct slice value;

	for (size_t i = 0; i < N_ELEM(fields); i++)
		if (option(word, fields[i].name, &value)) {
			int64_t is = figures[fields[i].at + (fields[i].by_model ? 4 * model : 0)];
			double want = strtod(value.p, NULL) * (strcmp(fields[i].name, "orders") == 0 ? (double)ORDER_ONE : 1);

			ck_assert_msg((double)is == want, "%s: %.*s: %s is %lld, not %.*s (commits %d, reloads %d, replay %d)", t->why,
			    SLICE_FMT(series), fields[i].name, (long long)is, SLICE_FMT(value), t->commits, t->reloads, t->w->replay);
			return;
		}
	ck_abort_msg("%s: no field in %.*s", t->why, SLICE_FMT(word));
}

static void
expect_counter(const struct teller *t, struct slice name, struct slice value)
{
	for (int i = 0; i < COUNTERS; i++)
		if (slice_is(name, counter_name((enum counter)i))) {
			ck_assert_msg(engine_counter(t->w->engine, (enum counter)i) == (uint64_t)atoi(value.p), "%s: %.*s is %llu", t->why,
			    SLICE_FMT(name), (unsigned long long)engine_counter(t->w->engine, (enum counter)i));
			return;
		}
	ck_abort_msg("no counter %.*s", SLICE_FMT(name));
}

static void
expect_line(const struct teller *t, struct slice line)
{
	struct slice rest = line, dim = slice_cut(&rest, '|'), series = slice_cut(&rest, '|');
	int64_t figures[FIGURES_MAX];
	int model;

	if (slice_is(dim, "count")) {
		expect_counter(t, series, rest);
		return;
	}
	if (!world_series(t->w, dim_of(dim, &model), series, figures) || slice_is(rest, "none")) {
		ck_assert_msg(slice_is(rest, "none") && figures[FIG_VISITS] == 0, "%s: %.*s: no such series, or one too many (commits %d, reloads %d)",
		    t->why, SLICE_FMT(line), t->commits, t->reloads);
		return;
	}
	while (rest.len > 0)
		expect_field(t, line, figures, model, slice_cut(&rest, ' '));
}

static void
tell(const char *why, const char *story, const char *expected, int how)
{
	struct teller t = { .why = why, .highest = INT64_MIN, .commits = how >= 2, .reloads = how == 3 || how == 4 || how == 6 };
	struct slice rest = slice_of(story);

	t.w = world_new(how == 0 || how == 2 || how == 3);
	if (how >= 5) {			/* each visit leaves the memory at once */
		t.w->rules.visits_bytes = 1;
		engine_set_rules(t.w->engine, &t.w->rules);
	}
	while (rest.len > 0)
		story_line(&t, slice_cut(&rest, '\n'));
	rest = slice_of(expected);
	while (rest.len > 0)
		expect_line(&t, slice_cut(&rest, '\n'));
	world_free(&t.w);
	rates_free(&t.rates);
}

struct story {
	const char *why, *story, *expected;
};

#define TELL_TEST(name, stories) \
	START_TEST(name) \
	{ \
		for (int how = 0; how < 7; how++) \
			tell((stories)[_i].why, (stories)[_i].story, (stories)[_i].expected, how); \
	} \
	END_TEST

/* ---- hits -------------------------------------------------------------------- */

static const struct story hits[] = {
	{ "a page is a pageview, and that a visit",
	  "10:00:00 GET /a?x=1",
	  "total||visits=1 orders=0\nlanding|/a|visits=1\npage|/a|visits=1\ncount|pageviews|1" },
	{ "304 is a pageview", "10:00:00 GET /a status=304", "total||visits=1" },
	{ "206 is a pageview", "10:00:00 GET /a status=206", "total||visits=1" },
	{ "302 is none", "10:00:00 GET /a status=302", "total||visits=0\ncount|status|1" },
	{ "404 is none", "10:00:00 GET /a status=404", "total||visits=0\ncount|status|1" },
	{ "POST is none", "10:00:00 POST /a", "total||visits=0\ncount|method|1" },
	{ "HEAD is none", "10:00:00 HEAD /a", "total||visits=0\ncount|method|1" },
	{ "an asset is none, and starts no visit", "10:00:00 GET /a.css\n10:00:01 GET /b", "total||visits=1\nlanding|/b|visits=1\ncount|asset|1" },
	{ "a bot is nobody", "10:00:00 GET /a ua=Googlebot", "total||visits=0\ncount|bot|1" },
	{ "no user agent is a bot", "10:00:00 GET /a ua=", "total||visits=0\ncount|bot|1" },
	{ "where only a cookie counts, one without is nobody", "identity\n10:00:00 GET /a\n10:00:00 GET /b c=x", "total||visits=1\ncount|no_visitor|1" },
	{ "a page twice in a visit is one", "10:00:00 GET /a\n10:00:01 GET /b\n10:00:02 GET /a", "page|/a|visits=1\npage|/b|visits=1\nlanding|/b|none" },
};
TELL_TEST(hits_of_stories, hits)

/* ---- bots -------------------------------------------------------------------- */

static const struct story bots[] = {
	{ "a bot's fetches are counted by class and rule",
	  "10:00:00 GET /a ua=Googlebot/2.1\n10:00:01 GET /b ua=googlebot\n10:00:02 GET /a ua=GPTBot/1.2\n10:00:03 GET /a",
	  "bot|search/googlebot|fetches=2 pages=2 errors=0\nbot|ai_crawler/gptbot|fetches=1 pages=1\ntotal||visits=1\n"
	  "count|bot|3\ncount|bot_search|2\ncount|bot_ai_crawler|1\ncount|bot_other|0" },
	{ "by page, and class of those who feed answers",
	  "10:00:00 GET /a ua=Googlebot\n10:00:01 GET /a ua=GPTBot\n10:00:02 GET /a ua=GPTBot\n10:00:03 GET /a ua=ChatGPT-User/1.0\n10:00:04 GET /a ua=curl/8",
	  "bot_page|/a|fetches=5 search=1 ai_crawler=2 ai_assistant=1\npage|/a|none\nlanding|/a|none\nbot|library/curl|fetches=1 pages=1" },
	{ "what is no page is fetched nevertheless",
	  "10:00:00 GET /robots.txt ua=Googlebot\n10:00:01 GET /x status=404 ua=Googlebot\n10:00:02 HEAD /a ua=Googlebot\n10:00:03 GET /b status=302 ua=Googlebot",
	  "bot|search/googlebot|fetches=4 pages=0 errors=1\nbot_page|/x|none\nbot_page|/a|none\nbot_page|/robots.txt|none" },
	{ "pages are grouped and cleaned as for people",
	  "10:00:00 GET /a/index.html?x=1 ua=Googlebot\n10:00:01 GET /a/ ua=Googlebot", "bot_page|/a|fetches=2 search=2" },
	{ "who has no name", "10:00:00 GET /a ua=\n10:00:01 GET /a ua=-\n10:00:02 GET /a ua=Thing/1",
	  "bot|other/(empty)|fetches=2\nbot|other/(no_browser)|none\nbot|other/(no browser)|fetches=1\ncount|bot_other|3" },
	{ "a line that comes late", "10:00:10 GET /a ua=Googlebot\n10:00:00 GET /a ua=Googlebot", "bot_page|/a|fetches=2" },
};
TELL_TEST(bots_of_stories, bots)

#define ADS "?utm_source=ads&utm_medium=cpc"
#define NEWS "?utm_source=news&utm_medium=email"

/* ---- evidence ------------------------------------------------------------------ */

/* A person who loads an asset, so that it is known that visits do. */
#define PERSON "limits\n10:00:00 GET /a ip=192.0.2.99\n10:00:00 GET /a.css ip=192.0.2.99\n"

static const struct story evidence[] = {
	{ "a person", PERSON "10:00:05 GET /b ip=192.0.2.99\n10:00:09 GET /c ip=192.0.2.99\n10:00:12 GET /d ip=192.0.2.99",
	  "total||visits=1 suspects=0 left_out=0 robots=0 no_assets=0 rate=0 errors_only=0 hosting=0" },
	{ "who asks for robots.txt first", "10:00:00 GET /robots.txt\n10:00:01 GET /a", "total||visits=1 robots=1 suspects=1 left_out=0\nlanding|/a|visits=1\ncount|evidence_robots|1" },
	{ "whatever the answer", "10:00:00 GET /robots.txt status=404\n10:00:01 GET /a", "total||visits=1 robots=1" },
	{ "who asks for it later is curious", "10:00:00 GET /a\n10:00:01 GET /robots.txt\n10:00:02 GET /b", "total||visits=1 robots=0 suspects=0" },
	{ "another one's question", "10:00:00 GET /robots.txt ip=192.0.2.2\n10:00:01 GET /a", "total||visits=1 robots=0" },
	{ "it is forgotten with the session timeout", "10:00:00 GET /robots.txt\n10:30:00 GET /a\n10:31:00 GET /robots.txt ip=192.0.2.2\n11:01:01 GET /a ip=192.0.2.2",
	  "total||visits=2 robots=1" },
	{ "a line of it that comes too late", "10:00:00 GET /x ip=192.0.2.7\n09:44:59 GET /robots.txt\n10:00:01 GET /a", "total||visits=2 robots=0" },
	{ "one that comes late", "10:00:00 GET /x ip=192.0.2.7\n09:50:00 GET /robots.txt\n10:00:01 GET /a", "total||visits=2 robots=1" },

	{ "no asset, where others load them", PERSON "10:01:00 GET /a\n10:02:00 GET /b\n10:03:00 GET /c", "total||visits=2 no_assets=1 suspects=1" },
	{ "not after two pages", PERSON "10:01:00 GET /a\n10:02:00 GET /b", "total||visits=2 no_assets=0" },
	{ "an asset in time", PERSON "10:01:00 GET /a\n10:02:00 GET /b\n10:02:01 GET /b.png status=304\n10:03:00 GET /c", "total||visits=2 no_assets=0 suspects=0" },
	{ "an asset takes it back", PERSON "10:01:00 GET /a\n10:02:00 GET /b\n10:03:00 GET /c\n10:03:01 GET /c.png", "total||visits=2 no_assets=0 suspects=0\ncount|evidence_no_assets|1" },
	{ "one that comes late too", PERSON "10:01:00 GET /a\n10:02:00 GET /b\n10:03:00 GET /c\n10:02:59 GET /c.png", "total||visits=2 no_assets=0 suspects=0" },
	{ "another one's asset does not", PERSON "10:01:00 GET /a\n10:02:00 GET /b\n10:03:00 GET /c\n10:03:01 GET /c.png ip=192.0.2.2", "total||no_assets=1" },
	{ "nobody loads any", "limits\n10:01:00 GET /a\n10:02:00 GET /b\n10:03:00 GET /c", "total||visits=1 no_assets=0" },
	{ "few do", PERSON "10:01:00 GET /a ip=192.0.2.2\n10:01:00 GET /a ip=192.0.2.3\n10:01:00 GET /a\n10:02:00 GET /b\n10:03:00 GET /c", "total||visits=4 no_assets=0" },
	{ "a missing picture is none", PERSON "10:01:00 GET /a\n10:02:00 GET /b\n10:02:00 GET /b.png status=404\n10:03:00 GET /c", "total||no_assets=1 errors_only=0" },

	{ "faster than a person", "limits\n10:00:00 GET /a\n10:00:00.300 GET /b\n10:00:00.900 GET /c", "total||visits=1 rate=1 suspects=1" },
	{ "it stays said", "limits\n10:00:00 GET /a\n10:00:00.300 GET /b\n10:00:00.900 GET /c\n10:20:00 GET /d", "total||visits=1 rate=1" },
	{ "not faster", "limits\n10:00:00 GET /a\n10:00:00.300 GET /b\n10:00:01.500 GET /c", "total||visits=1 rate=0" },
	{ "two pages are no rate", "limits\n10:00:00 GET /a\n10:00:00 GET /b", "total||visits=1 rate=0" },
	{ "of the usual limits", "10:00:00 GET /a\n10:00:00 GET /b\n10:00:00 GET /c", "total||visits=1 rate=0" },

	{ "little but errors", "limits\n10:00:00 GET /a\n10:00:01 GET /.env status=404\n10:00:02 GET /wp-admin status=403", "total||visits=1 errors_only=1 suspects=1" },
	{ "a server that fails", "limits\n10:00:00 GET /a\n10:00:01 GET /b status=503\n10:00:02 GET /b status=500", "total||visits=1 errors_only=0" },
	{ "one is none", "limits\n10:00:00 GET /a\n10:00:01 GET /.env status=404", "total||errors_only=0" },
	{ "more pages than that", "limits\n10:00:00 GET /a\n10:00:05 GET /b\n10:00:06 GET /x status=404\n10:00:07 GET /y status=404\n10:00:08 GET /z status=404", "total||errors_only=0" },
	{ "an error before the visit is nobody's", "limits\n10:00:00 GET /x status=404\n10:00:00 GET /a\n10:00:01 GET /.env status=404", "total||errors_only=0" },

	{ "from a hoster's network", "10:00:00 GET /a ip=203.0.113.5", "total||visits=1 hosting=1 suspects=1 left_out=0" },
	{ "all of it is one suspect", "10:00:00 GET /robots.txt ip=203.0.113.5\n10:00:00 GET /a ip=203.0.113.5", "total||visits=1 hosting=1 robots=1 suspects=1" },

	{ "strict: it is in no figure", "strict\n10:00:00 GET /robots.txt\n10:00:00 GET /a" NEWS "\n10:00:10 GET /b\n10:00:00 GET /a ip=192.0.2.9",
	  "total||visits=1 left_out=1 suspects=1\nlanding|/a|visits=1\npage|/a|visits=1\npage|/b|none\nsource|news/email|none\ndevice|desktop|visits=1\n"
	  "channel|Email|none\ncampaign|(none)|visits=1\ncountry|(unknown)|visits=1\ncount|visits|2" },
	{ "strict: what is said late takes it out", "strict\nlimits\n10:00:00 GET /a\n10:00:00 GET /b\n10:00:00 GET /c\n10:00:30 GET /d",
	  "total||visits=0 left_out=1\npage|/a|none\npage|/d|none\nlanding|/a|none" },
	{ "strict: an asset puts it back", "strict\n" PERSON "10:01:00 GET /x\n10:02:00 GET /b\n10:03:00 GET /c\n10:03:01 GET /c.png",
	  "total||visits=2 left_out=0 suspects=0\npage|/x|visits=1\npage|/c|visits=1\nlanding|/x|visits=1" },
	{ "strict: who buys is a person", "strict\n10:00:00 GET /robots.txt\n10:00:00 GET /a c=x\n10:00:10 GET /b c=x\n10:01:00 paid o1 10.00EUR visitor=x\n10:03:00 until\n10:04:00 GET /c c=x",
	  "total||visits=1 orders=1 left_out=0 suspects=0\npage|/a|visits=1 orders=1\npage|/c|visits=1 orders=1" },
	{ "lenient: who buys is none either", "10:00:00 GET /a c=x ip=203.0.113.5\n10:01:00 paid o1 10.00EUR visitor=x\n10:03:00 until", "total||visits=1 hosting=1 suspects=0" },
	{ "strict: and was one before", "strict\n10:00:00 GET /a" NEWS " c=x ip=203.0.113.5\n12:00:00 GET /b c=x\n12:01:00 paid o1 10.00EUR visitor=x\n12:03:00 until",
	  "total||visits=2 orders=1 hosting=1 left_out=0 suspects=0\nsource|news/email|visits=1 revenue=1000\nlanding|/a|visits=1" },
	{ "strict: though all is refunded", "strict\n10:00:00 GET /a c=x ip=203.0.113.5\n10:01:00 paid o1 10.00EUR visitor=x\n10:03:00 until\n10:04:00 refund o1 r1 10.00EUR",
	  "total||visits=1 orders=0 left_out=0" },
	{ "strict: an order that comes days later", "strict\n10:00:00 GET /a c=x ip=203.0.113.5\n3+10:00:00 GET /z ip=192.0.2.8\n3+10:01:00 paid o1 10.00EUR visitor=x\n3+10:03:00 until",
	  "total||visits=2 orders=1 left_out=0\nlanding|/a|visits=1 orders=1" },
	{ "an adopted visit keeps what is said of it", "10:00:00 GET /robots.txt\n10:00:00 GET /a\n10:00:01 GET /b c=x ref=https://shop.example/a",
	  "total||visits=1 robots=1 suspects=1\ncount|adopted|1" },
};
TELL_TEST(evidence_of_stories, evidence)

/* ---- visits ------------------------------------------------------------------ */

static const struct story visits[] = {
	{ "exactly the session timeout apart is one visit", "10:00:00 GET /a c=x\n10:30:00 GET /b c=x", "total||visits=1" },
	{ "a millisecond more makes two", "10:00:00 GET /a c=x\n10:30:00.001 GET /b c=x", "total||visits=2\nlanding|/b|visits=1" },
	{ "the gap counts from the latest pageview", "10:00:00 GET /a c=x\n10:20:00 GET /b c=x\n10:45:00 GET /c c=x", "total||visits=1" },
	{ "what is no pageview keeps none open", "10:00:00 GET /a c=x\n10:20:00 GET /b.css c=x\n10:31:00 GET /c c=x", "total||visits=2" },
	{ "a new campaign splits", "10:00:00 GET /a" NEWS " c=x\n10:01:00 GET /b" ADS " c=x",
	  "total||visits=2\nsource|news/email|visits=1\nsource|ads/cpc|visits=1\nlanding|/b|visits=1" },
	{ "the same source again does not", "10:00:00 GET /a" NEWS " c=x\n10:01:00 GET /b" NEWS " c=x", "total||visits=1" },
	{ "another campaign of the same source does not", "10:00:00 GET /a" NEWS "&utm_campaign=one c=x\n10:01:00 GET /b" NEWS "&utm_campaign=two c=x",
	  "total||visits=1\ncampaign|one|visits=1\ncampaign|two|none" },
	{ "no referrer does not split", "10:00:00 GET /a" NEWS " c=x\n10:01:00 GET /b c=x", "total||visits=1" },
	{ "an own host does not", "10:00:00 GET /a" NEWS " c=x\n10:01:00 GET /b c=x ref=https://shop.example/a", "total||visits=1" },
	{ "a payment page does not", "10:00:00 GET /a" NEWS " c=x\n10:01:00 GET /b c=x ref=https://checkout.stripe.com/pay", "total||visits=1" },
	{ "another site does", "10:00:00 GET /a c=x\n10:01:00 GET /b c=x ref=https://blog.example/", "total||visits=2\nsource|blog.example/referral|visits=1" },
	{ "a campaign called direct does not", "10:00:00 GET /a" NEWS " c=x\n10:01:00 GET /b?utm_source=(direct)&utm_medium=(none) c=x", "total||visits=1" },
	{ "back to the first source is a third visit", "10:00:00 GET /a" NEWS " c=x\n10:01:00 GET /b" ADS " c=x\n10:02:00 GET /c" NEWS " c=x",
	  "total||visits=3\nsource|news/email|visits=2" },
	{ "two visitors are two visits", "10:00:00 GET /a c=x\n10:00:00 GET /a c=y", "total||visits=2\nlanding|/a|visits=2" },
	{ "a direct visit with utm_campaign alone has that campaign", "10:00:00 GET /a?utm_campaign=sale c=x",
	  "source|(direct)/(none)|visits=1\ncampaign|sale|visits=1" },
	{ "a late line joins the current visit, whose start and landing page stay",
	  "10:00:00 GET /a c=x\n10:05:00 GET /other c=y\n10:04:00 GET /b c=x\n", "total||visits=2\nlanding|/a|visits=1\npage|/b|visits=1\ncount|late|1" },
	{ "a late line splits none", "10:00:00 GET /a c=x\n10:05:00 GET /other c=y\n10:04:00 GET /b" ADS " c=x\n", "total||visits=2\nsource|ads/cpc|none" },
	{ "a late line may be older than the visit that it joins",
	  "10:00:00 GET /a c=x\n09:50:00 GET /b c=x\n10:30:00 GET /c c=x", "total||visits=1\nlanding|/a|visits=1" },
	{ "a late line of somebody new is a visit at its own time", "10:00:00 GET /a c=x\n09:50:00 GET /b c=y", "total||visits=2\nlanding|/b|visits=1" },
	{ "a late line does not push the end of a visit back", "10:00:00 GET /a c=x\n10:20:00 GET /b c=x\n09:59:00 GET /c c=x\n10:50:00 GET /d c=x", "total||visits=1" },
	{ "a late line finds a visit that left the memory", "10:00:00 GET /a c=x\n11:30:00 GET /b c=y\n10:29:00 GET /c c=x",
	  "total||visits=2\npage|/c|visits=1\nlanding|/c|none" },
	{ "a late line far behind the visit is another one", "10:00:00 GET /a c=x\n11:30:00 GET /b c=y\n10:31:00 GET /c c=x", "total||visits=3\nlanding|/c|visits=1" },
};
TELL_TEST(visits_of_stories, visits)

/* ---- visitors ---------------------------------------------------------------- */

static const struct story visitors[] = {
	{ "address + agent is a visitor", "10:00:00 GET /a\n10:01:00 GET /b", "total||visits=1" },
	{ "another address is another", "10:00:00 GET /a\n10:01:00 GET /b ip=192.0.2.2", "total||visits=2" },
	{ "another agent is another", "10:00:00 GET /a\n10:01:00 GET /b ua=Opera", "total||visits=2" },
	{ "the first identity that a hit has: the cookie, wherever it comes from", "10:00:00 GET /a c=x\n10:01:00 GET /b c=x ip=192.0.2.2 ua=Opera", "total||visits=1" },
	{ "the cookie before the uid", "10:00:00 GET /a c=x uid=uid=AA\n10:01:00 GET /b c=x uid=uid=BB", "total||visits=1" },
	{ "a cookie's value is not a uid's", "10:00:00 GET /a c=AA\n10:01:00 GET /b uid=uid=AA", "total||visits=2" },
	{ "an address may be spelled in two ways", "10:00:00 GET /a ip=2001:db8::1\n10:01:00 GET /b ip=2001:DB8:0:0:0:0:0:1", "total||visits=1" },
	{ "a visit that is open at midnight goes on", "23:50:00 GET /a\n1+00:10:00 GET /b", "total||visits=1" },
	{ "and on, as long as it is open", "23:50:00 GET /a\n1+00:10:00 GET /b\n1+00:35:00 GET /c\n1+01:00:00 GET /d", "total||visits=1" },
	{ "exactly the session timeout over midnight", "23:50:00 GET /a\n1+00:20:00 GET /b", "total||visits=1" },
	{ "a visit split off from one over midnight stays with its key",
	  "23:50:00 GET /a\n1+00:10:00 GET /b" NEWS "\n1+00:35:00 GET /c", "total||visits=2\npage|/c|visits=1\nlanding|/c|none" },
	{ "the next day it is somebody else", "23:20:00 GET /a\n1+00:10:00 GET /b", "total||visits=2" },
	{ "a cookie is the same the next day: its orders too",
	  "10:00:00 GET /a" NEWS " c=x\n1+10:00:00 paid o1 10.00EUR visitor=x\n1+10:01:00 until", "source|news/email|revenue=1000" },
	{ "a line of a day whose key is forgotten is nobody's", "forget 1\n23:59:00 GET /a\n1+00:00:00 GET /b", "total||visits=1\ncount|no_visitor|1" },
};
TELL_TEST(visitors_of_stories, visitors)

#define OWN " ref=https://shop.example/a"

static const struct story adoptions[] = {
	{ "the second line has the cookie that the first one set", "10:00:00 GET /a" NEWS "\n10:00:10 GET /b c=x" OWN,
	  "total||visits=1\ncount|adopted|1\nlanding|/a|visits=1\nlanding|/b|none\npage|/b|visits=1" },
	{ "and is the cookie's from then on", "10:00:00 GET /a" NEWS "\n10:00:10 GET /b c=x" OWN "\n10:01:00 paid o1 10.00EUR visitor=x\n10:02:00 until",
	  "source|news/email|revenue=1000\ncount|joined_visitor|1" },
	{ "a uid adopts too", "10:00:00 GET /a\n10:00:10 GET /b uid=uid=AA" OWN, "total||visits=1" },
	{ "back from a payment page", "10:00:00 GET /a\n10:00:10 GET /b c=x ref=https://www.paypal.com/", "total||visits=1" },
	{ "not from elsewhere", "10:00:00 GET /a\n10:00:10 GET /b c=x ref=https://blog.example/", "total||visits=2\ncount|adopted|0" },
	{ "not without a referrer", "10:00:00 GET /a\n10:00:10 GET /b c=x", "total||visits=2" },
	{ "not a visit of two pageviews: that one had no cookie for good", "10:00:00 GET /a\n10:00:05 GET /b\n10:00:10 GET /c c=x" OWN, "total||visits=2" },
	{ "not by a cookie with an open visit", "10:00:00 GET /a c=x ip=192.0.2.9\n10:00:05 GET /b\n10:00:10 GET /c c=x" OWN, "total||visits=2\ncount|adopted|0" },
	{ "by a cookie whose visit is over", "09:00:00 GET /a c=x\n10:00:05 GET /b\n10:00:10 GET /c c=x" OWN, "total||visits=2\ncount|adopted|1" },
	{ "not from another address", "10:00:00 GET /a\n10:00:10 GET /b c=x ip=192.0.2.2" OWN, "total||visits=2" },
	{ "not what is over", "10:00:00 GET /a\n10:30:00.001 GET /b c=x" OWN, "total||visits=2" },
	{ "exactly the session timeout later", "10:00:00 GET /a\n10:30:00 GET /b c=x" OWN, "total||visits=1" },
	{ "an asset adopts as well as a page", "10:00:00 GET /a\n10:00:01 GET /a.css c=x" OWN "\n10:10:00 GET /b c=x", "total||visits=1\ncount|adopted|1" },
	{ "an error does not", "10:00:00 GET /a\n10:00:01 GET /x c=x status=404" OWN "\n10:00:02 GET /b c=x", "total||visits=2\ncount|adopted|0" },
	{ "nor a late line", "10:00:00 GET /a\n10:00:05 GET /y c=y\n10:00:04 GET /b c=x" OWN, "total||visits=3\ncount|adopted|0" },
	{ "over midnight, under yesterday's key", "23:59:50 GET /a\n1+00:00:10 GET /b c=x" OWN, "total||visits=1\ncount|adopted|1" },
	{ "address + agent adopts nothing", "10:00:00 GET /a\n10:00:10 GET /b" OWN, "total||visits=1\ncount|adopted|0" },
	{ "what an order found by its address is found again after the adoption",
	  "10:00:00 GET /a" NEWS "\n10:00:01 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n10:00:40 GET /other c=z\n10:00:50 GET /b c=x" OWN
	  "\n10:20:00 refund o1 r1 4.00EUR\n14:00:00 GET /late c=z\n14:00:01 refund o1 r2 1.00EUR",
	  "source|news/email|revenue=500 refunds=500\npage|/b|revenue=500\ntotal||visits=3 revenue=500" },
	{ "a line that is days late is in nobody's way", "4+10:00:00 GET /a\n0+10:00:00 GET /x ip=192.0.2.9\n4+10:00:01 GET /b c=x" OWN,
	  "total||visits=2\ncount|adopted|1" },
};
TELL_TEST(adoptions_of_stories, adoptions)

/* ---- joins ------------------------------------------------------------------- */

static const struct story joins[] = {
	{ "by the cookie", "10:00:00 GET /a c=x\n10:05:00 paid o1 10.00EUR visitor=x\n10:06:00 until",
	  "total||revenue=1000 orders=1 sales=1000 sales_orders=1 unattributed=0\ncount|joined_visitor|1" },
	{ "by the uid, as the cookie carries it", "10:00:00 GET /a uid=uid=0100007F00000001000000020000000A\n"
	  "10:05:00 paid o1 10.00EUR visitor=fwAAAQEAAAACAAAACgAAAA==\n10:06:00 until", "count|joined_visitor|1" },
	{ "by nothing: in the sales all the same", "10:00:00 GET /a c=x\n10:05:00 paid o1 10.00EUR\n10:06:00 until",
	  "total||revenue=0 orders=0 sales=1000 sales_orders=1 unattributed=1000" },
	{ "not before the watermark has passed order time + 30 s", "10:00:00 GET /a c=x\n10:05:00 paid o1 10.00EUR visitor=x\n10:05:30 GET /b c=y", "total||revenue=0 unattributed=1000" },
	{ "but then", "10:00:00 GET /a c=x\n10:05:00 paid o1 10.00EUR visitor=x\n10:05:30.001 GET /b c=y", "total||revenue=1000" },
	{ "the latest visit", "10:00:00 GET /a c=x\n10:01:00 GET /b" NEWS " c=x\n10:05:00 paid o1 10.00EUR visitor=x\n10:06:00 until", "landing|/b|revenue=1000\nlanding|/a|revenue=0" },
	{ "one that starts 30 s after the order at most", "10:05:30 GET /a c=x\n10:05:00 paid o1 10.00EUR visitor=x\n10:06:00 until", "total||revenue=1000" },
	{ "not one later", "10:05:30.001 GET /a c=x\n10:05:00 paid o1 10.00EUR visitor=x\n10:06:00 until", "total||revenue=0" },
	{ "one as old as the lookback", "lookback 7\n10:00:00 GET /a c=x\n7+10:00:00 paid o1 10.00EUR visitor=x\n7+10:01:00 until", "total||revenue=1000" },
	{ "not one older", "lookback 7\n10:00:00 GET /a c=x\n7+10:00:00.001 paid o1 10.00EUR visitor=x\n7+10:01:00 until", "total||revenue=0" },
	{ "by a token that a page showed", "10:00:00 GET /a c=x\n10:05:00 GET /thanks?order=t1 c=x\n10:04:59 paid o1 10.00EUR token=t1\n10:06:00 until", "landing|/a|revenue=1000\ncount|joined_token|1" },
	{ "by a token of a redirect: the visitor's latest visit", "10:00:00 GET /a c=x\n10:05:00 GET /thanks?order=t1 c=x status=302\n10:04:59 paid o1 10.00EUR token=t1\n10:06:00 until",
	  "landing|/a|revenue=1000" },
	{ "however old that visit is", "10:00:00 GET /a c=x\n14:05:00 GET /thanks?order=t1 c=x status=302\n14:04:59 paid o1 10.00EUR token=t1\n14:06:00 until", "landing|/a|revenue=1000" },
	{ "a redirect of somebody without a visit does not count", "10:05:00 GET /thanks?order=t1 c=x status=302\n10:05:01 GET /a c=y\n10:05:02 GET /thanks?order=t1 c=y\n"
	  "10:04:59 paid o1 10.00EUR token=t1\n10:06:00 until", "landing|/a|revenue=1000" },
	{ "an error shows no token", "10:00:00 GET /a c=x\n10:05:00 GET /thanks?order=t1 c=x status=404\n10:04:59 paid o1 10.00EUR token=t1\n10:50:00 until", "total||revenue=0" },
	{ "another page shows none", "10:05:00 GET /other?order=t1 c=x\n10:04:59 paid o1 10.00EUR token=t1\n10:50:00 until", "total||revenue=0" },
	{ "the first hit with the token counts", "10:00:00 GET /thanks?order=t1 c=x\n10:01:00 GET /b c=y\n10:02:00 GET /thanks?order=t1 c=y\n10:00:00 paid o1 10.00EUR token=t1\n10:06:00 until",
	  "landing|/b|revenue=0\nlanding|/thanks|revenue=1000" },
	{ "of several the strongest", "10:00:00 GET /a c=x\n10:01:00 GET /b c=y\n10:02:00 GET /thanks?order=weak c=x\n10:02:01 GET /thanks?order=strong c=y\n"
	  "10:01:50 paid o1 10.00EUR token=strong token=weak\n10:06:00 until", "landing|/b|revenue=1000" },
	{ "the cookie is stronger than a token", "10:00:00 GET /a c=x\n10:01:00 GET /thanks?order=t1 c=y\n10:01:00 paid o1 10.00EUR visitor=x token=t1\n10:06:00 until", "landing|/a|revenue=1000" },
	{ "one that offers a token waits for it before it takes less", "10:00:00 GET /a\n10:01:00 paid o1 10.00EUR token=t1 ip=192.0.2.1 ua=Firefox/140\n10:31:00 GET /b c=y", "total||revenue=0" },
	{ "30 minutes", "10:00:00 GET /a\n10:01:00 paid o1 10.00EUR token=t1 ip=192.0.2.1 ua=Firefox/140\n10:31:00.001 GET /b c=y", "landing|/a|revenue=1000\ncount|joined_ip_ua|1" },
	{ "not where it has a cookie that is known", "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR token=t1 visitor=x\n10:02:00 until", "total||revenue=1000" },
	{ "a token may come hours later", "10:00:00 paid o1 10.00EUR token=t1\n10:59:00 GET /a c=x\n15:00:00 GET /thanks?order=t1 c=x\n15:00:01 GET /b c=y", "landing|/thanks|revenue=1000" },
	{ "and days", "10:00:00 paid o1 10.00EUR token=t1\n6+10:00:00 GET /thanks?order=t1 c=x\n6+10:01:00 until", "total||revenue=1000" },
	{ "seven of them", "10:00:00 paid o1 10.00EUR token=t1\n7+10:00:00 GET /thanks?order=t1 c=x\n7+10:01:00 until", "total||revenue=1000" },
	{ "then it is final", "10:00:00 paid o1 10.00EUR token=t1\n7+10:00:00.001 GET /thanks?order=t1 c=x\n7+10:01:00 until", "total||revenue=0 unattributed=1000" },
	{ "a token that was shown before the order was told", "10:00:00 GET /thanks?order=t1 c=x\n12:00:00 GET /b c=y\n10:00:01 paid o1 10.00EUR token=t1\n12:00:01 until", "landing|/thanks|revenue=1000" },
	{ "by address and agent: the first pageview had both", "10:00:00 GET /a\n10:01:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n10:02:00 until", "total||revenue=1000\ncount|joined_ip_ua|1" },
	{ "not without the agent", "10:00:00 GET /a\n10:01:00 paid o1 10.00EUR ip=192.0.2.1\n10:02:00 until", "total||revenue=0" },
	{ "whatever the visitor's identity", "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n10:02:00 until", "total||revenue=1000\ncount|joined_ip_ua|1" },
	{ "of the latest visit", "10:00:00 GET /a c=x\n10:00:30 GET /b c=y\n10:01:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n10:02:00 until", "landing|/b|revenue=1000" },
	{ "only the first pageview counts", "10:00:00 GET /a c=x ip=192.0.2.7\n10:00:30 GET /b c=x\n10:01:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n10:02:00 until", "total||revenue=0" },
	{ "the day before, too", "23:59:00 GET /a\n1+00:01:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n1+00:02:00 until", "total||revenue=1000" },
	{ "the order's day first", "23:50:00 GET /a\n1+00:30:00 GET /b\n1+00:31:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n1+00:32:00 until", "landing|/b|revenue=1000" },
	{ "two days before is too old", "10:00:00 GET /a\n2+10:00:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n2+10:01:00 until", "total||revenue=0" },
	{ "a visit that left the memory", "10:00:00 GET /a\n20:00:00 GET /b c=y ip=192.0.2.9\n20:00:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n20:01:00 until", "landing|/a|revenue=1000" },
	{ "a cookie without a visit in the lookback: the next join is tried", "10:00:00 GET /a\n10:01:00 paid o1 10.00EUR visitor=gone ip=192.0.2.1 ua=Firefox/140\n10:02:00 until", "total||revenue=1000\ncount|joined_ip_ua|1" },
	{ "address and browser that are told the day after the order are looked for on the order's day",	/* the first of an epoch */
	  "13+10:00:00 GET /q c=q ip=192.0.2.8\n14+10:00:00 GET /a\n14+10:05:00 paid o1 10.00EUR\n14+23:00:00 GET /z ip=192.0.2.9\n15+02:00:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n"
	  "15+02:01:00 until", "landing|/a|revenue=1000\ncount|joined_ip_ua|1" },
	{ "told with a time of the day before, too",
	  "13+22:00:00 GET /a\n14+01:00:00 paid o1 10.00EUR\n14+01:30:00 GET /z ip=192.0.2.9\n13+23:00:00 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n"
	  "14+02:01:00 until", "landing|/a|revenue=1000\ncount|joined_ip_ua|1" },
	{ "and so through an alias",
	  "13+10:00:00 GET /q c=q ip=192.0.2.8\n14+10:00:00 GET /a\n14+10:05:00 paid o1 10.00EUR\n14+23:00:00 GET /z ip=192.0.2.9\n15+02:00:00 paid pi1 10.00EUR ip=192.0.2.1 ua=Firefox/140\n"
	  "15+02:00:01 alias o1 pi1\n15+02:01:00 until", "landing|/a|revenue=1000\ncount|joined_ip_ua|1" },
};
TELL_TEST(joins_of_stories, joins)

static const struct story customers[] = {
	{ "a renewal goes where the first order of the customer went",
	  "10:00:00 GET /a" NEWS " c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n20+10:00:00 paid o2 10.00EUR customer=7 recurring\n20+10:01:00 until",
	  "source|news/email|revenue=2000 orders=2 recurring=1000\ncount|joined_customer|1\ntotal||recurring=1000" },
	{ "to that visitor's latest visit in the lookback",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n20+09:00:00 GET /b c=x\n20+10:00:00 paid o2 10.00EUR customer=7\n20+10:01:00 until",
	  "landing|/a|revenue=1000\nlanding|/b|revenue=1000" },
	{ "where there is none, to that order's own visit, however old",
	  "lookback 5\n10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n20+10:00:00 paid o2 10.00EUR customer=7\n20+10:01:00 until",
	  "landing|/a|revenue=2000\ntotal||unattributed=0" },
	{ "which may be older than all windows: attributed, and shown nowhere",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n60+10:00:00 paid o2 10.00EUR customer=7\n60+10:01:00 until",
	  "total||sales=1000 unattributed=0 revenue=0" },
	{ "an id is another customer at another provider",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n11:00:00 paid o2 10.00EUR customer=7 provider=other\n11:01:00 until", "total||revenue=1000 unattributed=1000" },
	{ "an address is the same one everywhere",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=email:a@b\n11:00:00 paid o2 10.00EUR customer=email:a@b provider=other\n11:01:00 until", "total||revenue=2000 unattributed=0" },
	{ "only earlier orders lead", "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR customer=7\n10:01:01 paid o2 10.00EUR visitor=x customer=7\n10:05:00 until", "total||revenue=1000 unattributed=1000" },
	{ "not one of the same time", "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR customer=7\n10:01:00 paid o2 10.00EUR visitor=x customer=7\n10:05:00 until", "total||revenue=1000 unattributed=1000" },
	{ "one that was itself joined by the customer leads nowhere new",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n11:00:00 paid o2 10.00EUR customer=7\n12:00:00 paid o3 10.00EUR customer=7\n12:01:00 until", "landing|/a|revenue=3000\ncount|joined_customer|2" },
	{ "an order waits until the earlier one has its token",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR token=t1 customer=7\n10:02:00 paid o2 10.00EUR customer=7\n"
	  "12:00:00 GET /thanks?order=t1 c=x status=302\n12:00:01 GET /b c=y", "landing|/a|revenue=2000\ncount|joined_customer|1" },
	{ "the latest of the earlier orders leads",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n10:30:00 GET /b c=y\n10:31:00 paid o2 10.00EUR visitor=y customer=7\n11:00:00 paid o3 10.00EUR customer=7\n11:01:00 until",
	  "landing|/a|revenue=1000\nlanding|/b|revenue=2000" },
	{ "address and agent come before the customer",
	  "10:00:00 GET /a c=x ip=192.0.2.7\n10:01:00 paid o1 10.00EUR visitor=x customer=7\n10:30:00 GET /b c=y\n10:31:00 paid o2 10.00EUR customer=7 ip=192.0.2.1 ua=Firefox/140\n10:32:00 until", "landing|/b|revenue=1000" },
	{ "where the customer's visitor took the visit over", "10:00:00 GET /a\n10:00:20 paid o1 10.00EUR ip=192.0.2.1 ua=Firefox/140 customer=7\n10:01:00 GET /z c=z ip=192.0.2.9\n"
	  "10:01:30 GET /b c=x" OWN "\n20:00:00 GET /y c=z ip=192.0.2.9\n5+10:00:00 paid o2 10.00EUR customer=7\n5+10:01:00 until", "landing|/a|revenue=2000\npage|/b|revenue=2000" },
};
TELL_TEST(customers_of_stories, customers)

/* ---- credit ------------------------------------------------------------------ */

static const struct story credits[] = {
	{ "each model of the same three touches: news, ads, direct",
	  "10:00:00 GET /a" NEWS " c=x\n7+10:00:00 GET /b" ADS " c=x\n14+10:00:00 GET /c c=x\n14+10:00:00 paid o1 10.01EUR visitor=x\n14+10:01:00 until",
	  "source|ads/cpc|revenue=1001 orders=1\nsource|news/email|revenue=0\nsource.last|(direct)/(none)|revenue=1001\nsource.first|news/email|revenue=1001\n"
	  "source.linear|news/email|revenue=334\nsource.linear|ads/cpc|revenue=334\nsource.linear|(direct)/(none)|revenue=333 orders=0.333333333\n"
	  "source.position|news/email|revenue=401\nsource.position|ads/cpc|revenue=200 orders=0.2\nsource.position|(direct)/(none)|revenue=400\n"
	  "source.time_decay|news/email|revenue=143\nsource.time_decay|ads/cpc|revenue=286\nsource.time_decay|(direct)/(none)|revenue=572" },
	{ "landing, pages, country and device are the converting visit's",
	  "10:00:00 GET /a" NEWS " c=x\n10:40:00 GET /b" ADS " c=x\n10:41:00 GET /c c=x\n10:42:00 paid o1 10.00EUR visitor=x\n10:43:00 until",
	  "landing|/a|revenue=0\nlanding|/b|revenue=1000 orders=1\npage|/a|revenue=0\npage|/b|revenue=1000\npage|/c|revenue=1000\n"
	  "country|(unknown)|revenue=1000 visits=2\ndevice|desktop|revenue=1000\ntotal||revenue=1000 orders=1" },
	{ "a page seen after the order earns too: it is part of that visit",
	  "10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x\n10:02:00 GET /b c=x\n10:03:00 refund o1 r1 3.00EUR\n10:04:00 GET /c c=x",
	  "page|/b|revenue=700 orders=1 refunds=300\npage|/c|revenue=700 orders=1 refunds=300" },
	{ "touches as old as the lookback", "lookback 7\n10:00:00 GET /a" NEWS " c=x\n7+09:00:00 GET /b" ADS " c=x\n7+10:00:00 paid o1 10.00EUR visitor=x\n7+10:01:00 until", "source.first|news/email|revenue=1000" },
	{ "not older ones", "lookback 7\n10:00:00 GET /a" NEWS " c=x\n7+09:00:00 GET /b" ADS " c=x\n7+10:00:00.001 paid o1 10.00EUR visitor=x\n7+10:01:00 until", "source.first|ads/cpc|revenue=1000" },
	{ "nor what comes after the converting visit",
	  "10:00:00 GET /a" NEWS " c=x\n10:00:29 paid o1 10.00EUR visitor=x\n10:00:59.001 GET /b" ADS " c=x\n10:02:00 until", "source.last|news/email|revenue=1000\nsource.last|ads/cpc|revenue=0" },
	{ "joined once, it stays joined, to the touches known then",
	  "10:00:00 GET /a" NEWS " c=x\n10:10:00 paid o1 10.00EUR visitor=x\n10:20:00 GET /b" ADS " c=x\n10:21:00 refund o1 r1 4.00EUR", "source|news/email|revenue=600\nsource|ads/cpc|revenue=0" },
	{ "credit goes into the bucket of the visit's start: out of the window with it",
	  "10:00:00 GET /a c=x\n20+10:00:00 paid o1 10.00EUR visitor=x\n29+00:00:00 GET /b c=y\n32+00:00:00 GET /b c=y", "landing|/a|none\ntotal||revenue=0 sales=1000" },
};
TELL_TEST(credits_of_stories, credits)

/* ---- orders ------------------------------------------------------------------ */

#define VISIT "10:00:00 GET /a c=x\n"
#define PAID "10:01:00 paid o1 80.00EUR visitor=x\n"
#define END "10:30:00 GET /z c=z"

static const struct story orders[] = {
	{ "a refund", VISIT PAID "10:02:00 refund o1 r1 20.00EUR\n" END, "total||revenue=6000 refunds=2000 orders=1 sales=6000" },
	{ "that comes first", VISIT "10:00:59 refund o1 r1 20.00EUR\n" PAID END, "total||revenue=6000 refunds=2000" },
	{ "twice the same is one", VISIT PAID "10:02:00 refund o1 r1 20.00EUR\n10:02:00 refund o1 r1 20.00EUR\n" END, "total||revenue=6000" },
	{ "two are two", VISIT PAID "10:02:00 refund o1 r1 20.00EUR\n10:02:00 refund o1 r2 20.00EUR\n" END, "total||revenue=4000" },
	{ "of running totals the highest", VISIT PAID "10:02:00 refund o1 r2 30.00EUR cumulative\n10:02:00 refund o1 r1 20.00EUR cumulative\n" END, "total||revenue=5000" },
	{ "told in both ways: the higher counts", VISIT PAID "10:02:00 refund o1 r1 20.00EUR\n10:02:00 refund o1 r2 15.00EUR\n10:02:00 refund o1 r3 30.00EUR cumulative\n" END, "total||revenue=4500" },
	{ "all of it: no order any more", VISIT PAID "10:02:00 refund o1 r1 80.00EUR\n" END, "total||revenue=0 refunds=8000 orders=0 sales=0 sales_orders=0" },
	{ "more than all of it: never below zero", VISIT PAID "10:02:00 refund o1 r1 80.00EUR\n10:02:00 refund o1 r2 1.00EUR\n" END, "total||revenue=0 refunds=8000" },
	{ "a dispute is lost until won", VISIT PAID "10:02:00 dispute o1 d1 80.00EUR\n" END, "total||revenue=0" },
	{ "then it is not", VISIT PAID "10:02:00 dispute o1 d1 80.00EUR\n10:03:00 won o1 d1\n" END, "total||revenue=8000 refunds=0 orders=1" },
	{ "won is final, even told first", VISIT PAID "10:02:00 won o1 d1\n10:03:00 dispute o1 d1 80.00EUR\n" END, "total||revenue=8000" },
	{ "one that was won, and another", VISIT PAID "10:02:00 dispute o1 d1 80.00EUR\n10:02:00 dispute o1 d2 10.00EUR\n10:03:00 won o1 d1\n" END, "total||revenue=7000" },
	{ "the first paid sets the amount", VISIT PAID "10:02:00 paid o1 90.00EUR visitor=x\n" END, "total||revenue=8000 orders=1" },
	{ "a later one adds a key that was missing", VISIT "10:01:00 paid o1 80.00EUR\n10:02:00 paid o1 80.00EUR visitor=x\n" END, "total||revenue=8000" },
	{ "but changes none", VISIT "10:00:30 GET /b c=y\n" PAID "10:02:00 paid o1 80.00EUR visitor=y\n" END, "landing|/a|revenue=8000" },
	{ "and the recurring flag", VISIT PAID "10:02:00 paid o1 80.00EUR recurring\n" END, "total||revenue=8000 recurring=8000" },
	{ "a total of 0 is no order", VISIT "10:01:00 paid o1 0.00EUR visitor=x\n" END, "total||sales_orders=0\ncount|zero_amount|1\ncount|orders|0" },
	{ "nor the first", VISIT "10:00:40 paid o1 0.00EUR\n" PAID END, "total||revenue=8000" },
	{ "a refund in another currency changes nothing", VISIT PAID "10:02:00 refund o1 r1 20.00USD\n" END, "total||revenue=8000\ncount|other_currency|1" },
	{ "nor one that came first", VISIT "10:00:00 refund o1 r1 20.00USD\n" PAID END, "total||revenue=8000" },
	{ "beside one in the order's own", VISIT "10:00:00 refund o1 r1 20.00USD\n10:00:01 refund o1 r2 30.00EUR\n" PAID END, "total||revenue=5000" },
	{ "the same with running totals", VISIT "10:00:00 refund o1 r1 70.00USD cumulative\n10:00:01 refund o1 r2 30.00EUR cumulative\n" PAID END, "total||revenue=5000" },
	{ "the same with disputes", VISIT "10:00:00 dispute o1 d1 70.00USD\n10:00:01 dispute o1 d2 30.00EUR\n" PAID END, "total||revenue=5000" },
	{ "the same id at another provider is another order", VISIT PAID "10:02:00 paid o1 5.00EUR provider=other\n" END, "total||sales_orders=2 sales=8500" },
	{ "the largest amount there is", VISIT "10:01:00 paid o1 10000000000.00EUR visitor=x\n10:02:00 refund o1 r1 0.01EUR\n" END, "total||revenue=999999999999 refunds=1" },
};
TELL_TEST(orders_of_stories, orders)

static const struct story aliases[] = {
	{ "a refund by the other name", VISIT PAID "10:02:00 alias pi1 o1\n10:03:00 refund pi1 r1 20.00EUR\n" END, "total||revenue=6000 sales_orders=1" },
	{ "that came before the alias", VISIT PAID "10:02:00 refund pi1 r1 20.00EUR\n10:03:00 alias pi1 o1\n" END, "total||revenue=6000 sales_orders=1" },
	{ "that came before the order", VISIT "10:00:30 refund pi1 r1 20.00EUR\n10:00:31 alias pi1 o1\n" PAID END, "total||revenue=6000" },
	{ "the other way round", VISIT PAID "10:02:00 alias o1 pi1\n10:03:00 refund pi1 r1 20.00EUR\n" END, "total||revenue=6000" },
	{ "both ways", VISIT PAID "10:02:00 alias o1 pi1\n10:02:00 alias pi1 o1\n10:03:00 refund pi1 r1 20.00EUR\n" END, "total||revenue=6000" },
	{ "told with the order", VISIT "10:00:30 refund pi1 r1 20.00EUR\n10:01:00 paid o1 80.00EUR visitor=x alias=ch1 alias=pi1\n" END, "total||revenue=6000" },
	{ "paid under both names is one order: the first", VISIT PAID "10:02:00 paid pi1 90.00EUR visitor=x\n10:03:00 alias pi1 o1\n" END, "total||revenue=8000 sales_orders=1" },
	{ "whichever is the alias", VISIT PAID "10:02:00 paid pi1 90.00EUR visitor=x\n10:03:00 alias o1 pi1\n" END, "total||revenue=8000 sales_orders=1" },
	{ "the first one's keys, too", VISIT "10:00:10 GET /b c=y\n" PAID "10:01:10 paid pi1 90.00EUR visitor=y\n10:01:11 alias o1 pi1\n" END, "landing|/a|revenue=8000\nlanding|/b|revenue=0" },
	{ "and what it lacks from the other", VISIT "10:01:00 paid o1 80.00EUR\n10:01:10 paid pi1 90.00EUR visitor=x\n10:01:11 alias o1 pi1\n" END, "total||revenue=8000 sales_orders=1" },
	{ "after both were joined", VISIT PAID "10:02:00 paid pi1 90.00EUR visitor=x\n10:10:00 GET /b c=y\n10:11:00 alias o1 pi1\n10:12:00 refund o1 r1 1.00EUR\n" END, "total||revenue=7900 orders=1 sales_orders=1" },
	{ "one refund told under both names is one", VISIT PAID "10:02:00 refund o1 r1 20.00EUR\n10:02:00 refund pi1 r1 20.00EUR\n10:03:00 alias pi1 o1\n" END, "total||revenue=6000" },
	{ "a dispute won under the other name", VISIT PAID "10:02:00 dispute o1 d1 20.00EUR\n10:02:00 won pi1 d1\n10:03:00 alias pi1 o1\n" END, "total||revenue=8000" },
	{ "a chain of names", VISIT PAID "10:02:00 alias a b\n10:02:00 alias b c\n10:02:00 alias c o1\n10:02:00 refund a r1 20.00EUR\n" END, "total||revenue=6000" },
	{ "one in another currency does not come in by an alias", VISIT PAID "10:02:00 refund pi1 r1 20.00USD\n10:03:00 alias pi1 o1\n" END, "total||revenue=8000" },
	{ "a token that the other name offered", VISIT PAID "10:02:00 GET /b c=y\n10:03:00 GET /thanks?order=t1 c=y\n10:03:00 paid o2 10.00EUR\n10:03:00 paid pi2 10.00EUR token=t1\n10:03:10 alias pi2 o2\n" END,
	  "landing|/b|revenue=1000" },
	{ "one that was paid so long before that all is decided waits for nothing",
	  "10:00:00 paid o1 80.00EUR token=t1\n8+10:00:00 GET /thanks?order=t1\n8+10:00:01 paid pi1 90.00EUR\n8+10:00:02 alias o1 pi1\n8+10:10:00 GET /b c=y",
	  "total||sales=8000 revenue=0 unattributed=8000" },
	{ "one that is earlier, of two whose time is far ahead",
	  "10:00:00 GET /b c=y\n1+10:00:00 paid o1 80.00EUR visitor=x\n2+10:00:00 paid pi1 90.00EUR\n2+10:00:01 alias o1 pi1\n1+09:50:00 GET /a c=x\n"
	  "1+10:05:00 GET /b c=y\n3+10:00:00 until", "landing|/a|revenue=8000\ntotal||sales_orders=1" },
};
TELL_TEST(aliases_of_stories, aliases)

/* ---- money ------------------------------------------------------------------- */

static const struct story money[] = {
	{ "at the day's rate", "rates USD 1.25\n" VISIT "10:01:00 paid o1 10.00USD visitor=x\n10:02:00 refund o1 r1 2.50USD\n" END, "total||revenue=600 refunds=200 sales=600" },
	{ "net of tax: of a refund its share", "basis net_of_tax\n" VISIT "10:01:00 paid o1 119.00EUR visitor=x tax=19.00 shipping=10.00\n10:02:00 refund o1 r1 11.90EUR\n" END, "total||revenue=9000 refunds=1000" },
	{ "net of tax and shipping", "basis net\n" VISIT "10:01:00 paid o1 119.00EUR visitor=x tax=19.00 shipping=10.00\n" END, "total||revenue=9000 sales=9000" },
	{ "half to even, once", "basis net_of_tax\n" VISIT "10:01:00 paid o1 1.00EUR visitor=x tax=0.50\n10:02:00 refund o1 r1 0.01EUR\n" END, "total||revenue=50 refunds=0" },
	{ "no rate: in no figure", VISIT "10:01:00 paid o1 10.00USD visitor=x\n" END, "total||revenue=0 sales=0 sales_orders=0 unattributed=0" },
	{ "until there is one", VISIT "10:01:00 paid o1 10.00USD visitor=x\n10:30:00 GET /z c=z\nrates USD 1.25\n10:31:00 until", "total||revenue=800 sales=800 sales_orders=1 unattributed=0\nlanding|/a|revenue=800" },
	{ "of an order that waits for nobody any more", VISIT "10:01:00 paid o1 10.00USD\n9+10:00:00 GET /z c=z\n9+10:01:00 GET /z c=z\nrates USD 1.25\n9+10:02:00 until", "total||sales=800 unattributed=800" },
	{ "with what was refunded meanwhile", VISIT "10:01:00 paid o1 10.00USD visitor=x\n10:02:00 refund o1 r1 5.00USD\n10:30:00 GET /z c=z\nrates USD 1.25\n10:31:00 until", "total||revenue=400 refunds=400" },
	{ "of a visit that left the memory", VISIT "10:01:00 paid o1 10.00USD visitor=x\n20:30:00 GET /z c=z\n20:31:00 GET /z c=z\nrates USD 1.25\n20:32:00 until", "total||revenue=800\npage|/a|revenue=800" },
	{ "of another currency than the one that came: still none", VISIT "10:01:00 paid o1 10.00USD visitor=x\n10:30:00 GET /z c=z\nrates GBP 0.80\n10:31:00 until", "total||sales=0" },
	{ "then that one", VISIT "10:01:00 paid o1 10.00USD visitor=x\n10:30:00 GET /z c=z\nrates GBP 0.80\n10:31:00 until\nrates USD 1.25\n10:32:00 until", "total||sales=800" },
	{ "under another name by now", VISIT "10:01:00 paid o1 10.00USD visitor=x\n10:30:00 alias o1 pi1\n10:31:00 GET /z c=z\nrates USD 1.25\n10:32:00 until", "total||sales=800 sales_orders=1" },
	{ "what no sum holds is kept out", "rates USD 0.000001\n" VISIT "10:01:00 paid o1 9999999999.00USD visitor=x\n10:01:01 paid o2 1.00USD visitor=x\n" END,
	  "total||revenue=100000000 orders=1 sales=100000000 sales_orders=1\ncount|over_sums|1" },
	{ "nor what goes beyond it with the others", "rates USD 0.000001\n" VISIT "10:01:00 paid o1 90000000.00USD visitor=x\n10:01:01 paid o2 90000000.00USD visitor=x\n"
	  "10:01:02 paid o3 90000000.00USD visitor=x\n10:01:03 refund o1 r1 90000000.00USD\n" END,
	  "total||revenue=9000000000000000 refunds=9000000000000000 orders=1 sales=9000000000000000\nlanding|/a|revenue=9000000000000000" },
	{ "counted once, however often rates come", VISIT "10:01:00 paid o1 10.00USD visitor=x\n10:30:00 GET /z c=z\nrates USD 1.25\n10:32:00 until\nrates USD 1.25\n10:33:00 until", "total||sales=800 sales_orders=1 revenue=800" },
};
TELL_TEST(money_of_stories, money)

/* ---- a history of orders, told before the lines of their visits ---------------- */

#define EARLY 600

enum early { ALL_IN_MEMORY, COMMIT_AT_ONCE, COMMIT_OFTEN, RELOAD, RELOAD_OFTEN };

static void
early_order(struct teller *t, int i)
{
	const char *offers[] = { "visitor=v%d", "token=t%d", "customer=c%d", "visitor=v%d token=t1" };
	struct buf line = { 0 };
	int minute = 2 * i;

	buf_printf(&line, "%d+%02d:%02d:30 paid o%d %d.00EUR ", minute / 1440, minute / 60 % 24, minute % 60, i, 10 + i % 7);
	buf_printf(&line, offers[i % 4], i % 4 == 2 ? i / 8 : i);
	if (i % 8 == 0)
		buf_printf(&line, " customer=c%d", i / 8);
	story_line(t, buf_view(&line));
	buf_free(&line);
}

/* The visit, and where the order has a token the page that shows it. */
static void
early_lines(struct teller *t, int i)
{
	struct buf line = { 0 };
	int minute = 2 * i;

	buf_printf(&line, "%d+%02d:%02d:10 GET /p%d?utm_source=s%d c=v%d", minute / 1440, minute / 60 % 24, minute % 60, i % 5, i % 3, i);
	story_line(t, buf_view(&line));
	line.len = 0;
	buf_printf(&line, "%d+%02d:%02d:40 GET /thanks?order=t%d c=v%d", minute / 1440, minute / 60 % 24, minute % 60, i, i);
	if (i % 4 == 1)
		story_line(t, buf_view(&line));
	buf_free(&line);
}

static void
early_step(struct teller *t, enum early how, int i, int every)
{
	if (i % every != every - 1 && i != EARLY - 1)
		return;
	if (how >= COMMIT_OFTEN || (how == COMMIT_AT_ONCE && i == EARLY - 1))
		world_commit(t->w);
	if (how == RELOAD_OFTEN || (how == RELOAD && i == EARLY - 1))
		world_reload(t->w);
}

/* The figures; *fetches: what was asked of the store. */
static char *
early_orders(enum early how, bool replay, size_t *fetches)
{
	struct teller t = { .w = world_new(replay), .why = "early orders", .highest = INT64_MIN };
	char *figures;

	if (!replay)			/* a catch-up: the wall clock is there already */
		story_line(&t, SLICE("3+00:00:00 refund o1 r1 1.00EUR"));
	for (int i = EARLY; i-- > 0;) {
		early_order(&t, i);
		early_step(&t, how, EARLY - 1 - i, 97);
	}
	ck_assert_uint_eq(engine_waiting(t.w->engine), EARLY);
	story_line(&t, SLICE("0+00:00:00 refund o40 r1 3.00EUR"));	/* one that sleeps is spoken of */
	story_line(&t, SLICE("0+00:00:00 paid o44 99.00EUR visitor=v44 token=t45"));
	for (int i = 0; i < EARLY; i++) {
		early_lines(&t, i);
		if (how == COMMIT_OFTEN || how == RELOAD_OFTEN)
			early_step(&t, how, i, 31);
	}
	story_line(&t, SLICE("3+00:00:00 until"));
	*fetches = t.w->fetches;
	ck_assert_uint_gt(engine_counter(t.w->engine, COUNT_JOIN_VISITOR), EARLY / 4);
	ck_assert_uint_gt(engine_counter(t.w->engine, COUNT_JOIN_TOKEN), EARLY / 5);
	ck_assert_uint_gt(engine_counter(t.w->engine, COUNT_JOIN_CUSTOMER), EARLY / 10);
	figures = world_figures(t.w);
	world_free(&t.w);
	return (figures);
}

/* Orders are out of memory until their time comes, and nothing shows it. */
START_TEST(told_early)
{
	size_t fetches;
	char *expected = early_orders(ALL_IN_MEMORY, _i != 0, &fetches);

	ck_assert_uint_eq(fetches, 0);
	for (enum early how = COMMIT_AT_ONCE; how <= RELOAD_OFTEN; how++) {
		char *figures = early_orders(how, _i != 0, &fetches);

		ck_assert_msg(strcmp(figures, expected) == 0, "how %d: %.400s\nnot\n%.400s", (int)how, figures, expected);
		ck_assert_msg(fetches >= EARLY / 2, "how %d: only %zu records were fetched", (int)how, fetches);
		free(figures);
	}
	free(expected);
}
END_TEST

/* Two visits lie in a block, open both, and an order asks for them: of the earlier one something is written among
 * those that are open.  Who comes next goes on with the latest, not with that one. */
START_TEST(asked_for_while_it_is_open)
{
	struct teller t = { .w = world_new(_i % 2 == 0), .why = "asked for while it is open", .highest = INT64_MIN };
	struct slice before = SLICE("10:00:00 GET /a c=x\n10:01:00 paid o1 10.00EUR visitor=x\n10:05:00 GET /z c=y\n10:10:00 GET /b" NEWS " c=x");

	t.w->rules.visits_bytes = 1;
	engine_set_rules(t.w->engine, &t.w->rules);
	while (before.len > 0)
		story_line(&t, slice_cut(&before, '\n'));
	world_commit(t.w);
	ck_assert_uint_eq(engine_visits(t.w->engine), 0);
	t.w->rules.visits_bytes = 0;
	engine_set_rules(t.w->engine, &t.w->rules);
	story_line(&t, SLICE("10:12:00 refund o1 r1 4.00EUR"));
	world_commit(t.w);
	if (_i >= 2)
		world_reload(t.w);
	story_line(&t, SLICE("10:35:00 GET /c c=x"));
	expect_line(&t, SLICE("total||visits=3 orders=1 revenue=600"));
	expect_line(&t, SLICE("source|news/email|visits=1"));
	world_free(&t.w);
}
END_TEST

int
main(void)
{
	const struct { const char *name; const TTest *test; size_t n; } all[] = {
		{ "hits", hits_of_stories, N_ELEM(hits) }, { "bots", bots_of_stories, N_ELEM(bots) }, { "evidence", evidence_of_stories, N_ELEM(evidence) }, { "visits", visits_of_stories, N_ELEM(visits) },
		{ "visitors", visitors_of_stories, N_ELEM(visitors) }, { "adoptions", adoptions_of_stories, N_ELEM(adoptions) },
		{ "joins", joins_of_stories, N_ELEM(joins) }, { "customers", customers_of_stories, N_ELEM(customers) },
		{ "credits", credits_of_stories, N_ELEM(credits) }, { "orders", orders_of_stories, N_ELEM(orders) },
		{ "aliases", aliases_of_stories, N_ELEM(aliases) }, { "money", money_of_stories, N_ELEM(money) },
		{ "early", told_early, 2 }, { "open", asked_for_while_it_is_open, 4 },
	};
	Suite *suite = suite_create("engine");
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < N_ELEM(all); i++) {
		TCase *tc = tcase_create(all[i].name);

		tcase_add_loop_test(tc, all[i].test, 0, (int)all[i].n);
		suite_add_tcase(suite, tc);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
