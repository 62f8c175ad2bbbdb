/*
 * engine: hits -> pageviews -> visits; see engine.h.
 *
 * The steps of a hit stand in engine_hit() in the order of the definitions: whose is it,
 * does it adopt a visit, is it a pageview, does it show a token.
 */
#include "core/engine_impl.h"

#include "base/mem.h"

#define ORDER_BYTES 256			/* what a commit writes of an order, about */
#define AHEAD_VISITORS 16384		/* so few in memory stay in the cache by themselves */
#define ORDERS_A_COMMIT 4096		/* that have changed: what a commit copies of them is bounded */

static const char *const counter_names[COUNTERS] = {
	"lines", "empty", "malformed", "bad_time", "bad_status", "bot", "ignored_network", "no_visitor",
	"method", "status", "asset", "ignored_path", "pageviews", "visits", "late", "adopted", "tokens",
	"events", "events_rejected", "no_change", "zero_amount", "other_currency", "absurd", "orders",
	"joined_visitor", "joined_token", "joined_ip_ua", "joined_customer", "damaged",
	"future", "conflict", "forgotten", "pages_over", "visits_early", "visits_unkept", "series_merged",
	"spam_referrer", "over_sums",
	"bot_search", "bot_ai_crawler", "bot_ai_assistant", "bot_ad", "bot_seo", "bot_monitor", "bot_preview", "bot_feed",
	"bot_archive", "bot_library", "bot_scanner", "bot_other",
	"evidence_robots", "evidence_no_assets", "evidence_rate", "evidence_errors", "evidence_hosting",
};

/* The names of the classes, and their order. */
_Static_assert(COUNT_BOT_LAST - COUNT_BOT_CLASS == AGENT_CLASSES - 1 - (AGENT_BROWSER + 1), "a counter for each class of bots");
_Static_assert(COUNT_EVIDENCE_LAST - COUNT_EVIDENCE + 1 == EVIDENCES, "and for each evidence");

const char *
counter_name(enum counter c)
{
	must(c < COUNTERS);
	return (counter_names[c]);
}

struct engine *
engine_new(const struct engine_rules *rules, struct keyring *ring, bool replay)
{
	struct engine *e = mem_calloc(1, sizeof(*e));

	e->rules = rules;
	e->ring = ring;
	e->replay = replay;
	e->clock = e->watermark = e->evicted_before = e->check_yesterday_until = INT64_MIN / 4;
	e->next_visit = e->next_event = e->commit_no = 1;
	e->windows = windows_new(rules->levels, rules->n_levels, rules->max_series, &ring->site);
	windows_limit(e->windows, rules->series_bytes);
	orderbook_init(&e->book, &ring->site);
	e->unconverted = strmap_new(&ring->site);
	e->dues.compare = due_compare;
	e->asleep.compare = sleeper_compare;
	e->visits.early_unknown_ms = INT64_MIN / 4;
	e->visits.max_bytes = rules->visits_bytes;
	return (e);
}

void
engine_set_rules(struct engine *e, const struct engine_rules *rules)
{
	e->rules = rules;
	e->recount = true;
	e->visits.max_bytes = rules->visits_bytes;
	windows_limit(e->windows, rules->series_bytes);
}

uint64_t
engine_counter(const struct engine *e, enum counter c)
{
	return (e->counters[c]);
}

void
engine_count(struct engine *e, enum counter c, uint64_t n)
{
	e->counters[c] += n;
	e->counters_dirty = true;
}

int64_t
engine_clock(const struct engine *e)
{
	return (e->clock);
}

int64_t
engine_now_ms(const struct engine *e)
{
	return (windows_now(e->windows));
}

int64_t
engine_watermark_ms(const struct engine *e)
{
	return (e->watermark);
}

struct windows *
engine_windows(struct engine *e)
{
	return (e->windows);
}

size_t
engine_waiting(const struct engine *e)
{
	return (e->n_waiting + e->n_asleep);
}

size_t
engine_unconverted(const struct engine *e)
{
	return (strmap_count(e->unconverted));
}

size_t
engine_visits(const struct engine *e)
{
	return (e->visits.count);
}

size_t
engine_unstored(const struct engine *e)
{
	return (visits_unstored(&e->visits) + e->book.n_dirty * ORDER_BYTES);
}

bool
engine_is_full(const struct engine *e)
{
	return (visits_are_too_many(&e->visits) || e->book.n_dirty >= ORDERS_A_COMMIT);
}

bool
engine_is_overfull(const struct engine *e)
{
	return ((e->visits.max_bytes > 0 && (e->visits.bytes + visits_unstored(&e->visits)) / 2 > e->visits.max_bytes) ||
	    e->book.n_dirty >= 2 * ORDERS_A_COMMIT);
}

void
engine_now(struct engine *e, int64_t now_ms)
{
	windows_advance(e->windows, now_ms);
}

enum engine_result
engine_watermark(struct engine *e, int64_t time_ms)
{
	if (join_due(e, time_ms) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	return (recount_unconverted(e, time_ms == INT64_MAX));
}

/* ---- who ----------------------------------------------------------------- */

struct who {
	uint64_t visitor;		/* 0: nobody */
	bool by_agent;			/* by address + agent, under the key of key_day */
	int64_t key_day;
};

static bool
visit_is_open(const struct engine *e, const struct visit *v, int64_t time_ms)
{
	return (v != NULL && time_ms - v->last_ms <= e->rules->session_timeout_ms);
}

/* Whether a visit under the day's ip_ua key can be open at that time at all. */
static bool
day_may_be_open(const struct engine *e, int64_t day, int64_t time_ms)
{
	size_t i = (uint64_t)day % N_ELEM(e->recent_days);

	if (time_ms <= e->check_yesterday_until)
		return (true);
	return (e->recent_days[i].day == day && time_ms - e->recent_days[i].last_ms <= e->rules->session_timeout_ms);
}

static void
note_day(struct engine *e, const struct who *who, int64_t last_ms)
{
	size_t i = (uint64_t)who->key_day % N_ELEM(e->recent_days);

	if (!who->by_agent || who->key_day < e->recent_days[i].day)
		return;			/* of a line that is days late */
	if (e->recent_days[i].day != who->key_day) {
		e->recent_days[i].day = who->key_day;
		e->recent_days[i].last_ms = last_ms;
	} else if (last_ms > e->recent_days[i].last_ms)
		e->recent_days[i].last_ms = last_ms;
}

/* Blocks may have visits of this visitor that the memory does not, and that were going on at that time. */
static bool
may_be_evicted(const struct engine *e, uint64_t visitor, int64_t time_ms)
{
	const struct visitor *who = visits_find(&e->visits, visitor);

	if (time_ms - e->rules->session_timeout_ms >= e->evicted_before)
		return (false);
	if (who == NULL)
		return (visits_may_have_blocks(&e->visits, visitor));
	return (!who->complete && visitor_latest(who) == NULL);
}

/* A visit of somebody who left the memory early, for want of room, may be going on in a block. */
static bool
may_be_open_in_block(const struct engine *e, uint64_t visitor, int64_t time_ms)
{
	int64_t since_ms = time_ms - e->rules->session_timeout_ms;

	return (since_ms < e->evicted_before && visits_left_early(&e->visits, visitor, since_ms) && may_be_evicted(e, visitor, time_ms));
}

static void
want_visitor(struct engine *e, uint64_t visitor)
{
	want(e, NEED_VISITOR, visitor, epoch_of(e->clock - engine_retention_ms(e)), SLICE(""), SLICE(""));
}

/* Address + user agent under the key of that day; 0 where it is forgotten.  What was hashed ahead may
 * have been so under a key that is forgotten by now. */
static uint64_t
agent_of(struct engine *e, const struct facts *f, int64_t day)
{
	if (f->agent != 0 && day == day_of(f->time_ms) && day >= e->ring->first_day)
		return (f->agent);
	return (hash_agent(e->ring, day, facts_addr(f), f->user_agent));
}

static enum engine_result
who_by_agent(struct engine *e, const struct facts *f, bool late, struct who *who)
{
	int64_t day = day_of(f->time_ms);

	*who = (struct who){ .by_agent = true, .key_day = day };
	if (late || day_may_be_open(e, day - 1, f->time_ms)) {
		uint64_t yesterday = agent_of(e, f, day - 1);
		const struct visitor *old = yesterday != 0 ? visits_find(&e->visits, yesterday) : NULL;

		if (yesterday != 0 && (late ? may_be_evicted(e, yesterday, f->time_ms) : may_be_open_in_block(e, yesterday, f->time_ms))) {
			want_visitor(e, yesterday);
			return (ENGINE_NEEDS);
		}
		if (visit_is_open(e, visitor_latest(old), f->time_ms)) {
			who->visitor = yesterday;
			who->key_day = day - 1;
			return (ENGINE_DONE);
		}
	}
	who->visitor = agent_of(e, f, day);
	return (ENGINE_DONE);
}

static enum engine_result
identify(struct engine *e, const struct facts *f, bool late, struct who *who)
{
	if (f->by_agent)
		return (who_by_agent(e, f, late, who));
	*who = (struct who){ .visitor = f->visitor };
	return (ENGINE_DONE);
}

/* The line of the response that sets a cookie does not have it yet: the next hit, which comes
 * from a page of ours, takes that first pageview's visit over. */
static void
adopt(struct engine *e, const struct facts *f, const struct who *who)
{
	int64_t day = day_of(f->time_ms);

	if (!f->is_internal || visit_is_open(e, visitor_latest(visits_find(&e->visits, who->visitor)), f->time_ms))
		return;
	for (int64_t d = day - 1; d <= day; d++) {
		uint64_t key = day_may_be_open(e, d, f->time_ms) ? agent_of(e, f, d) : 0;
		struct visit *v = key != 0 ? visitor_latest(visits_find(&e->visits, key)) : NULL;

		if (!visit_is_open(e, v, f->time_ms))
			continue;
		if (v->views == 1) {
			visits_adopt(&e->visits, v, who->visitor, e->next_visit++, e->clock);
			engine_count(e, COUNT_ADOPTED, 1);
		}
		return;
	}
}

/* The visit that goes on with the hit, or is adopted by it, may have left early: asks for it. */
static bool
needs_open_visit(struct engine *e, const struct facts *f, const struct who *who)
{
	int64_t day = day_of(f->time_ms);

	if (may_be_open_in_block(e, who->visitor, f->time_ms)) {
		want_visitor(e, who->visitor);
		return (true);
	}
	if (!f->is_internal || visit_is_open(e, visitor_latest(visits_find(&e->visits, who->visitor)), f->time_ms))
		return (false);
	for (int64_t d = day - 1; d <= day; d++) {
		uint64_t key = day_may_be_open(e, d, f->time_ms) ? agent_of(e, f, d) : 0;

		if (key != 0 && may_be_open_in_block(e, key, f->time_ms))
			want_visitor(e, key);
	}
	return (e->n_wants > 0);
}

/* ---- pageviews and visits ------------------------------------------------- */

static uint32_t
source_series(struct engine *e, const struct facts *f)
{
	struct slice source = facts_source(f), medium = facts_medium(f);
	SCRATCH char text[SOURCE_NAME_MAX + UTM_MAX + 2];

	memcpy(text, source.p, source.len);
	text[source.len] = '/';
	memcpy(text + source.len + 1, medium.p, medium.len);
	return (windows_series(e->windows, DIM_SOURCE, slice_make(text, source.len + 1 + medium.len)));
}

static void
count_one(struct engine *e, enum dim dim, uint32_t series, int64_t time_ms)
{
	static const int64_t one = 1;

	windows_add(e->windows, dim, series, time_ms, FIG_VISITS, &one, 1);
}

static void
count_visit(struct engine *e, const struct visit *v)
{
	count_one(e, DIM_TOTAL, e->total, v->start_ms);
	count_one(e, DIM_LANDING, v->landing, v->start_ms);
	count_one(e, DIM_COUNTRY, v->country, v->start_ms);
	count_one(e, DIM_DEVICE, v->device, v->start_ms);
	count_one(e, DIM_SOURCE, v->source, v->start_ms);
	count_one(e, DIM_CHANNEL, v->channel, v->start_ms);
	count_one(e, DIM_CAMPAIGN, v->campaign, v->start_ms);
	engine_count(e, COUNT_VISITS, 1);
}

static struct visit *
begin_visit(struct engine *e, const struct facts *f, const struct who *who)
{
	const struct engine_rules *rules = e->rules;
	const char *country = rules->country != NULL ? rules->country(rules->country_arg, facts_addr(f)) : "(unknown)";
	struct visit v = {
		.id = e->next_visit, .place = e->next_visit, .visitor = who->visitor,
		.agent = agent_of(e, f, day_of(f->time_ms)),
		.start_ms = f->time_ms, .last_ms = f->time_ms, .born_ms = e->clock, .since_ms = e->clock,
		.source_key = f->source_key, .is_direct = f->is_direct,
		.landing = windows_series(e->windows, DIM_LANDING, facts_page(f)),
		.source = source_series(e, f),
		.channel = windows_series(e->windows, DIM_CHANNEL, slice_of(f->channel)),
		.campaign = windows_series(e->windows, DIM_CAMPAIGN, f->campaign_len > 0 ? facts_campaign(f) : SLICE("(none)")),
		.country = windows_series(e->windows, DIM_COUNTRY, slice_of(country)),
		.device = windows_series(e->windows, DIM_DEVICE, slice_of(device_name(f->device))),
	};
	struct visit *at;

	e->next_visit++;
	count_visit(e, &v);
	at = visits_add(&e->visits, &v, e->clock);
	evidence_begin(e, at, f);
	return (at);
}

static void
add_page(struct engine *e, struct visit *v, struct slice page)
{
	const int64_t figures[5] = { !v->left_out, v->credit[0], v->credit[1], v->credit[2], v->credit[3] };
	uint32_t series;

	if (visit_is_full(v)) {
		engine_count(e, COUNT_PAGES_OVER, 1);
		page = SLICE("(other)");
	}
	series = windows_series(e->windows, DIM_PAGE, page);
	if (visits_add_page(&e->visits, v, series))
		windows_add(e->windows, DIM_PAGE, series, v->start_ms, FIG_VISITS, figures, 5);
}

static bool
visit_breaks(const struct engine *e, const struct visit *v, const struct facts *f, bool late)
{
	if (!visit_is_open(e, v, f->time_ms))
		return (true);
	return (!late && f->brings && !f->is_direct && f->source_key != v->source_key);
}

static struct visit *
pageview(struct engine *e, const struct facts *f, const struct who *who, bool late)
{
	struct visit *v = visitor_latest(visits_touch(&e->visits, who->visitor, e->clock));

	if (visit_breaks(e, v, f, late))
		v = begin_visit(e, f, who);
	v->views++;
	if (f->time_ms > v->last_ms)
		v->last_ms = f->time_ms;
	add_page(e, v, facts_page(f));
	evidence_hit(e, v, f);
	visits_dirty(&e->visits, v);
	note_day(e, who, v->last_ms);
	return (v);
}

/* ---- bots ----------------------------------------------------------------- */

static void
count_bot(struct engine *e, const struct facts *f)
{
	const struct bots *bots = e->rules->bots;
	enum agent_class class = bots_rule_class(bots, f->agent_rule);
	const int64_t fetch[] = { 1, f->page_len > 0, f->is_error };
	const int64_t page[] = { 1, class == AGENT_SEARCH, class == AGENT_AI_CRAWLER, class == AGENT_AI_ASSISTANT };
	uint32_t series = windows_series(e->windows, DIM_BOT, bots_rule_name(bots, f->agent_rule));

	engine_count(e, COUNT_BOT_CLASS + (class - (AGENT_BROWSER + 1)), 1);
	windows_add(e->windows, DIM_BOT, series, f->time_ms, FIG_FETCHES, fetch, N_ELEM(fetch));
	if (f->page_len == 0)
		return;
	series = windows_series(e->windows, DIM_BOT_PAGE, facts_page(f));
	windows_add(e->windows, DIM_BOT_PAGE, series, f->time_ms, FIG_FETCHES, page, N_ELEM(page));
}

/* ---- a hit --------------------------------------------------------------- */

static enum engine_result
advance_clock(struct engine *e, int64_t time_ms)
{
	if (time_ms <= e->clock)
		return (ENGINE_DONE);
	if (join_due(e, time_ms) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	e->clock = time_ms;
	if (e->visits.count >= e->settle_at)
		engine_settle(e);
	if (e->replay)
		windows_advance(e->windows, time_ms);
	return (ENGINE_DONE);
}

/* The visitor's earlier visits decide where a late hit belongs, and whose a token is. */
static bool
needs_history(struct engine *e, const struct facts *f, const struct who *who, bool late)
{
	bool is_pageview = f->what == COUNT_PAGEVIEWS;

	if (is_pageview ? late && may_be_evicted(e, who->visitor, f->time_ms) :
	    f->n_tokens > 0 && may_be_evicted(e, who->visitor, INT64_MIN / 4)) {
		want_visitor(e, who->visitor);
		return (true);
	}
	if (f->sign != SIGN_NONE && may_be_open_in_block(e, who->visitor, f->time_ms)) {
		want_visitor(e, who->visitor);
		return (true);
	}
	return (!late && !f->is_error && f->time_ms - e->rules->session_timeout_ms < e->evicted_before && needs_open_visit(e, f, who));
}

/* A hit that is no pageview: what it says of the visit that goes on, or of one to come. */
static void
take_sign(struct engine *e, const struct facts *f, uint64_t visitor)
{
	struct visit *v = visitor_latest(visits_find(&e->visits, visitor));

	if (visit_is_open(e, v, f->time_ms))
		evidence_hit(e, v, f);
	else
		evidence_before(e, visitor, f);
}

static enum engine_result
take(struct engine *e, const struct facts *f, const struct who *who, bool late)
{
	struct visit *v;

	if (needs_history(e, f, who, late))
		return (ENGINE_NEEDS);
	engine_count(e, f->what, 1);
	if (!f->is_error && !late)
		adopt(e, f, who);
	if (f->sign != SIGN_NONE)
		take_sign(e, f, who->visitor);
	if (f->what == COUNT_PAGEVIEWS)
		v = pageview(e, f, who, late);
	else
		v = f->n_tokens > 0 ? visitor_latest(visits_find(&e->visits, who->visitor)) : NULL;
	for (size_t i = 0; i < f->n_tokens && v != NULL; i++)
		token_seen(e, facts_token(f, i), v);
	return (ENGINE_DONE);
}

static bool
is_nobodys(const struct facts *f)
{
	return (f->what == COUNT_BOT || f->what == COUNT_IGNORED_NETWORK || f->what == COUNT_NO_VISITOR);
}

enum engine_result
engine_hit(struct engine *e, const struct facts *f, bool late)
{
	struct who who;

	if (advance_clock(e, f->time_ms) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (is_nobodys(f)) {
		engine_count(e, f->what, 1);
		if (f->what == COUNT_BOT)
			count_bot(e, f);
		return (ENGINE_DONE);
	}
	if (identify(e, f, late, &who) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (who.visitor == 0) {
		engine_count(e, COUNT_NO_VISITOR, 1);
		return (ENGINE_DONE);
	}
	if (take(e, f, &who, late) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (late)
		engine_count(e, COUNT_LATE, 1);
	return (ENGINE_DONE);
}

bool
engine_looks_ahead(const struct engine *e)
{
	return (e->visits.by_visitor.count >= AHEAD_VISITORS);
}

void
engine_hit_ahead(const struct engine *e, const struct facts *f, int step)
{
	if (!is_nobodys(f))
		visits_ahead(&e->visits, f->by_agent ? f->agent : f->visitor, f->agent, step);
}

void
engine_hit_needs(struct engine *e, const struct facts *f)
{
	uint64_t visitor = f->by_agent ? f->agent : f->visitor;

	if (!is_nobodys(f) && !f->is_error && visitor != 0 && may_be_open_in_block(e, visitor, f->time_ms))
		want_visitor(e, visitor);
}
