/*
 * engine: hits -> pageviews -> visits; see engine.h.
 *
 * The steps of a hit stand in engine_hit() in the order of the definitions: whose is it,
 * does it adopt a visit, is it a pageview, does it show a token.
 */
#include "core/engine_impl.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/mem.h"

static const char *const counter_names[COUNTERS] = {
	"lines", "empty", "malformed", "bad_time", "bad_status", "bot", "ignored_network", "no_visitor",
	"method", "status", "asset", "ignored_path", "pageviews", "visits", "late", "adopted", "tokens",
	"events", "events_rejected", "no_change", "zero_amount", "other_currency", "absurd", "orders",
	"joined_visitor", "joined_token", "joined_ip_ua", "joined_customer", "damaged",
	"future",
};

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
	e->windows = windows_new(rules->levels, rules->n_levels, rules->max_series);
	orderbook_init(&e->book, &ring->site);
	e->unconverted = strmap_new(&ring->site);
	e->dues.compare = due_compare;
	return (e);
}

void
engine_set_rules(struct engine *e, const struct engine_rules *rules)
{
	e->rules = rules;
	e->recount = true;
	for (size_t i = 0; i < AGENT_CACHE; i++) {
		free(e->agent_cache[i].text);
		e->agent_cache[i] = (struct agent_class){ 0 };
	}
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
	return (e->n_waiting);
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

/* Spreads agents over the cache's slots, and nothing more: a stranger who makes them collide
 * gains nothing but his own slowness. */
static size_t
agent_slot(struct slice agent)
{
	uint64_t spread = agent.len, word;
	size_t i;

	for (i = 0; i + 8 <= agent.len; i += 8) {
		memcpy(&word, agent.p + i, 8);
		spread = (spread ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		spread ^= spread >> 29;
	}
	for (; i < agent.len; i++)
		spread = (spread ^ (unsigned char)agent.p[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return ((spread ^ spread >> 32) % AGENT_CACHE);
}

/* The same few hundred agents make nearly all hits: a direct-mapped cache saves the automaton
 * and the keyed hash. */
static const struct agent_class *
classify(struct engine *e, struct slice agent)
{
	struct agent_class *c = &e->agent_cache[agent_slot(agent)];

	if (c->text != NULL && c->len == agent.len && memcmp(c->text, agent.p, agent.len) == 0)
		return (c);
	free(c->text);
	c->text = mem_strndup(agent.p, agent.len);
	c->len = agent.len;
	c->is_bot = agent.len == 0 || bots_match(e->rules->bots, agent);
	c->hash = hash_user_agent(e->ring, agent);
	c->device = device_of(agent);
	return (c);
}

static bool
in_network(const struct network *net, const unsigned char addr[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->addr, addr, whole) != 0)
		return (false);
	return (rest == 0 || (net->addr[whole] ^ addr[whole]) >> (8 - rest) == 0);
}

static bool
is_ignored_network(const struct engine_rules *rules, struct slice addr)
{
	unsigned char bytes[16];

	if (rules->n_ignore_networks == 0 || !address_parse(addr, bytes))
		return (false);
	for (size_t i = 0; i < rules->n_ignore_networks; i++)
		if (in_network(&rules->ignore_networks[i], bytes))
			return (true);
	return (false);
}

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

	if (!who->by_agent)
		return;
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

static void
want_visitor(struct engine *e, uint64_t visitor)
{
	want(e, NEED_VISITOR, visitor, epoch_of(e->clock - engine_retention_ms(e)), SLICE(""), SLICE(""));
}

static enum engine_result
who_by_agent(struct engine *e, const struct hit *hit, uint64_t agent, bool late, struct who *who)
{
	int64_t day = day_of(hit->time_ms);
	uint64_t yesterday;

	*who = (struct who){ .by_agent = true, .key_day = day };
	if (late || day_may_be_open(e, day - 1, hit->time_ms)) {
		struct visitor *old;

		yesterday = hash_agent(e->ring, day - 1, hit->addr, agent);
		old = yesterday != 0 ? visits_find(&e->visits, yesterday) : NULL;
		if (late && yesterday != 0 && may_be_evicted(e, yesterday, hit->time_ms)) {
			want_visitor(e, yesterday);
			return (ENGINE_NEEDS);
		}
		if (visit_is_open(e, visitor_latest(old), hit->time_ms)) {
			who->visitor = yesterday;
			who->key_day = day - 1;
			return (ENGINE_DONE);
		}
	}
	who->visitor = hash_agent(e->ring, day, hit->addr, agent);
	return (ENGINE_DONE);
}

/* The first of the configured identities that the hit has. */
static enum engine_result
identify(struct engine *e, const struct hit *hit, uint64_t agent, bool late, struct who *who)
{
	const struct engine_rules *rules = e->rules;

	*who = (struct who){ 0 };
	for (size_t i = 0; i < rules->n_identities; i++) {
		struct slice value;

		switch (rules->identities[i].kind) {
		case IDENTITY_COOKIE:
			value = hit->cookies[rules->identities[i].cookie];
			if (value.len > 0)
				who->visitor = hash_cookie(e->ring, value);
			break;
		case IDENTITY_UID:
			value = hit->uid_got.len > 0 ? hit->uid_got : hit->uid_set;
			if (value.len > 0)
				who->visitor = hash_uid(e->ring, value);
			break;
		case IDENTITY_IP_UA:
			return (who_by_agent(e, hit, agent, late, who));
		}
		if (who->visitor != 0)
			break;
	}
	return (ENGINE_DONE);
}

static bool
has_ip_ua(const struct engine_rules *rules)
{
	for (size_t i = 0; i < rules->n_identities; i++)
		if (rules->identities[i].kind == IDENTITY_IP_UA)
			return (true);
	return (false);
}

/* The line of the response that sets a cookie does not have it yet: the next hit, which comes
 * from a page of ours, takes that first pageview's visit over. */
static void
adopt(struct engine *e, const struct hit *hit, uint64_t agent, const struct who *who)
{
	int64_t day = day_of(hit->time_ms);

	if (who->by_agent || !has_ip_ua(e->rules) ||
	    visit_is_open(e, visitor_latest(visits_find(&e->visits, who->visitor)), hit->time_ms) ||
	    !referrer_is_internal(&e->rules->source, hit->referrer))
		return;
	for (int64_t d = day - 1; d <= day; d++) {
		uint64_t key = day_may_be_open(e, d, hit->time_ms) ? hash_agent(e->ring, d, hit->addr, agent) : 0;
		struct visit *v = key != 0 ? visitor_latest(visits_find(&e->visits, key)) : NULL;

		if (!visit_is_open(e, v, hit->time_ms))
			continue;
		if (v->views == 1) {
			visits_adopt(&e->visits, v, who->visitor, e->next_visit++, e->clock);
			engine_count(e, COUNT_ADOPTED, 1);
		}
		return;
	}
}

/* ---- pageviews and visits ------------------------------------------------- */

static bool
is_ignored_path(const struct engine_rules *rules, struct slice page)
{
	for (size_t i = 0; i < rules->n_ignore_paths; i++)
		if (glob_match(rules->ignore_paths[i], page))
			return (true);
	return (false);
}

/* COUNT_PAGEVIEWS, or the reason why it is none. */
static enum counter
pageview_or_not(const struct engine_rules *rules, const struct hit *hit, struct slice page)
{
	if (!slice_is(hit->method, "GET"))
		return (COUNT_METHOD);
	if (!((hit->status >= 200 && hit->status <= 299) || hit->status == 304))
		return (COUNT_STATUS);
	if (page_is_asset(page, rules->assets))
		return (COUNT_ASSET);
	return (is_ignored_path(rules, page) ? COUNT_IGNORED_PATH : COUNT_PAGEVIEWS);
}

static struct slice
grouped(const struct engine_rules *rules, struct slice page)
{
	for (size_t i = 0; i < rules->n_pages; i++)
		if (glob_match(rules->pages[i].glob, page))
			return (rules->pages[i].value);
	return (page);
}

static uint64_t
source_key(const struct engine *e, const struct source *s)
{
	SCRATCH char text[SOURCE_NAME_MAX + UTM_MAX + 2];

	memcpy(text, s->source, s->source_len);
	text[s->source_len] = '\0';
	memcpy(text + s->source_len + 1, s->medium, s->medium_len);
	return (hash_bytes(&e->ring->site, slice_make(text, s->source_len + 1 + s->medium_len)));
}

static uint32_t
source_series(struct engine *e, const struct source *s)
{
	SCRATCH char text[SOURCE_NAME_MAX + UTM_MAX + 2];

	memcpy(text, s->source, s->source_len);
	text[s->source_len] = '/';
	memcpy(text + s->source_len + 1, s->medium, s->medium_len);
	return (windows_series(e->windows, DIM_SOURCE, slice_make(text, s->source_len + 1 + s->medium_len)));
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
begin_visit(struct engine *e, const struct hit *hit, const struct who *who, const struct agent_class *agent,
    const struct source *s, struct slice page)
{
	const struct engine_rules *rules = e->rules;
	const char *country = rules->country != NULL ? rules->country(rules->country_arg, hit->addr) : "(unknown)";
	const char *channel = channel_of(rules->source.sources, s);
	struct visit v = {
		.id = e->next_visit, .place = e->next_visit, .visitor = who->visitor,
		.agent = hash_agent(e->ring, day_of(hit->time_ms), hit->addr, agent->hash),
		.start_ms = hit->time_ms, .last_ms = hit->time_ms, .born_ms = e->clock, .since_ms = e->clock,
		.source_key = source_key(e, s), .is_direct = source_is_direct(s),
		.landing = windows_series(e->windows, DIM_LANDING, page),
		.source = source_series(e, s),
		.channel = windows_series(e->windows, DIM_CHANNEL, slice_of(channel)),
		.campaign = windows_series(e->windows, DIM_CAMPAIGN,
		    s->campaign_len > 0 ? slice_make(s->campaign, s->campaign_len) : SLICE("(none)")),
		.country = windows_series(e->windows, DIM_COUNTRY, slice_of(country)),
		.device = windows_series(e->windows, DIM_DEVICE, slice_of(device_name(agent->device))),
	};

	e->next_visit++;
	count_visit(e, &v);
	return (visits_add(&e->visits, &v, e->clock));
}

static void
add_page(struct engine *e, struct visit *v, struct slice page)
{
	uint32_t series = windows_series(e->windows, DIM_PAGE, page);
	const int64_t figures[5] = { 1, v->credit[0], v->credit[1], v->credit[2], v->credit[3] };

	if (visit_add_page(v, series))
		windows_add(e->windows, DIM_PAGE, series, v->start_ms, FIG_VISITS, figures, 5);
}

static bool
visit_breaks(const struct engine *e, const struct visit *v, const struct hit *hit, bool brings, const struct source *s, bool late)
{
	if (!visit_is_open(e, v, hit->time_ms))
		return (true);
	return (!late && brings && !source_is_direct(s) && source_key(e, s) != v->source_key);
}

static struct visit *
pageview(struct engine *e, const struct hit *hit, const struct who *who, const struct agent_class *agent, struct slice page, bool late)
{
	struct visit *v = visitor_latest(visits_touch(&e->visits, who->visitor, e->clock));
	SCRATCH struct source s;
	bool brings = source_of(&e->rules->source, hit->target, hit->referrer, &s);

	page = grouped(e->rules, page);
	if (visit_breaks(e, v, hit, brings, &s, late))
		v = begin_visit(e, hit, who, agent, &s, page);
	v->views++;
	if (hit->time_ms > v->last_ms)
		v->last_ms = hit->time_ms;
	add_page(e, v, page);
	visits_dirty(&e->visits, v);
	note_day(e, who, v->last_ms);
	return (v);
}

/* ---- tokens -------------------------------------------------------------- */

static size_t
tokens_of(const struct engine *e, const struct hit *hit, struct slice page, uint64_t *tokens, size_t max)
{
	struct slice query = target_query(hit->target), raw;
	SCRATCH char small[1024];
	size_t n = 0;

	for (size_t i = 0; i < e->rules->n_tokens && n < max && query.len > 0; i++) {
		const struct glob_rule *rule = &e->rules->tokens[i];

		if (!query_param(query, rule->value, &raw) || raw.len == 0 || raw.len > sizeof(small) ||
		    !glob_match(rule->glob, page))
			continue;
		tokens[n++] = hash_token(e->ring, slice_make(small, percent_decode(raw, true, small)));
	}
	return (n);
}

/* ---- a hit --------------------------------------------------------------- */

#define HIT_TOKENS_MAX 8

static enum engine_result
advance_clock(struct engine *e, int64_t time_ms)
{
	if (time_ms <= e->clock)
		return (ENGINE_DONE);
	if (join_due(e, time_ms) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	e->clock = time_ms;
	if (e->replay)
		windows_advance(e->windows, time_ms);
	return (ENGINE_DONE);
}

/* The visitor's earlier visits decide where a late hit belongs, and whose a token is. */
static bool
needs_history(struct engine *e, const struct hit *hit, const struct who *who, bool is_pageview, size_t n_tokens, bool late)
{
	if (late && is_pageview && may_be_evicted(e, who->visitor, hit->time_ms))
		return (true);
	return (!is_pageview && n_tokens > 0 && may_be_evicted(e, who->visitor, INT64_MIN / 4));
}

static enum engine_result
take(struct engine *e, const struct hit *hit, const struct who *who, const struct agent_class *agent, bool late)
{
	SCRATCH uint64_t tokens[HIT_TOKENS_MAX];
	SCRATCH char page_bytes[PAGE_MAX];
	struct slice page = slice_make(page_bytes, page_of(hit->target, page_bytes));
	enum counter what = pageview_or_not(e->rules, hit, page);
	size_t n_tokens = hit->status < 400 ? tokens_of(e, hit, page, tokens, HIT_TOKENS_MAX) : 0;
	struct visit *v;

	if (needs_history(e, hit, who, what == COUNT_PAGEVIEWS, n_tokens, late)) {
		want_visitor(e, who->visitor);
		return (ENGINE_NEEDS);
	}
	engine_count(e, what, 1);
	if (hit->status < 400 && !late)
		adopt(e, hit, agent->hash, who);
	if (what == COUNT_PAGEVIEWS)
		v = pageview(e, hit, who, agent, page, late);
	else
		v = n_tokens > 0 ? visitor_latest(visits_find(&e->visits, who->visitor)) : NULL;
	for (size_t i = 0; i < n_tokens && v != NULL; i++)
		token_seen(e, tokens[i], v);
	return (ENGINE_DONE);
}

enum engine_result
engine_hit(struct engine *e, const struct hit *hit, bool late)
{
	const struct agent_class *agent;
	struct who who;

	if (advance_clock(e, hit->time_ms) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	agent = classify(e, hit->agent);
	if (agent->is_bot) {
		engine_count(e, COUNT_BOT, 1);
		return (ENGINE_DONE);
	}
	if (is_ignored_network(e->rules, hit->addr)) {
		engine_count(e, COUNT_IGNORED_NETWORK, 1);
		return (ENGINE_DONE);
	}
	if (identify(e, hit, agent->hash, late, &who) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (who.visitor == 0) {
		engine_count(e, COUNT_NO_VISITOR, 1);
		return (ENGINE_DONE);
	}
	if (take(e, hit, &who, agent, late) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (late)
		engine_count(e, COUNT_LATE, 1);
	return (ENGINE_DONE);
}
