/*
 * facts: see facts.h.
 */
#include "core/facts.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/mem.h"
#include "core/address.h"
#include "core/page.h"

#define AGENT_CACHE 1024
#define MEMOS 4096
#define MEMO_KEY_MAX 43			/* a memo fills a cache line */
#define SOURCE_MEMOS 512
#define SOURCE_KEY_MAX 192
#define SOURCE_VALUE_MAX 96

struct agent_seen {			/* a user agent seen lately */
	char *text;
	size_t len;
	uint64_t hash;
	struct agent_verdict verdict;
	enum device device;
};

/*
 * What was made of some bytes lately.  Most lines are of a visitor, and come from a page, that was there a
 * moment ago: to find it again costs a fifth of making it anew.  Direct-mapped: who makes entries collide gains
 * nothing but his own slowness.
 */
struct memo {
	uint64_t value;			/* never 0 where there is one */
	uint64_t salt;			/* what else it was made of */
	uint32_t kind;			/* a letter, or a day */
	uint8_t len;
	char key[MEMO_KEY_MAX];
};

struct source_memo {			/* of a query and where it was referred from, behind each other */
	uint64_t source_key;
	const char *channel;		/* NULL: none */
	uint8_t query_len, key_len, source_len, medium_len, campaign_len;
	bool brings, is_direct, is_spam;
	char key[SOURCE_KEY_MAX];
	char value[SOURCE_VALUE_MAX];	/* as in facts.bytes */
};

struct facts_maker {
	const struct engine_rules *rules;
	struct keyring ring;		/* a copy, which makes no keys */
	struct agent_seen agent_cache[AGENT_CACHE];
	struct memo memos[MEMOS];
	struct source_memo source_memos[SOURCE_MEMOS];
};

struct facts_maker *
facts_maker_new(const struct engine_rules *rules)
{
	struct facts_maker *m = mem_calloc(1, sizeof(*m));

	m->rules = rules;
	return (m);
}

static void
agents_forget(struct facts_maker *m)
{
	for (size_t i = 0; i < AGENT_CACHE; i++) {
		free(m->agent_cache[i].text);
		m->agent_cache[i] = (struct agent_seen){ 0 };
	}
}

void
facts_maker_free(struct facts_maker **mp)
{
	if (*mp == NULL)
		return;
	agents_forget(*mp);
	keyring_clear(&(*mp)->ring);
	free(*mp);
	*mp = NULL;
}

/* What was made with other keys is forgotten. */
void
facts_maker_keys(struct facts_maker *m, const struct keyring *ring)
{
	if (memcmp(&m->ring.site, &ring->site, sizeof(ring->site)) != 0) {
		agents_forget(m);
		memset(m->source_memos, 0, sizeof(m->source_memos));
	}
	if (keyring_copy(&m->ring, ring))
		memset(m->memos, 0, sizeof(m->memos));
}

/* ---- what was there lately ------------------------------------------------- */

static uint64_t
word_at(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (word);
}

/* Up to seven bytes as a number that tells them apart. */
static uint64_t
short_word(const char *p, size_t len)
{
	uint32_t first, last;

	if (len < 4)
		return (len == 0 ? 0 : (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[len / 2] << 8 | (uint64_t)(unsigned char)p[len - 1] << 16);
	memcpy(&first, p, 4);
	memcpy(&last, p + len - 4, 4);
	return (first | (uint64_t)last << 32);
}

/* Spreads bytes over the slots of a cache, and nothing more.  Differences move up only: the high bits count. */
static uint64_t
spread(struct slice s)
{
	uint64_t even = s.len, odd = UINT64_C(0x94d049bb133111eb);
	size_t i;

	for (i = 0; i + 16 <= s.len; i += 16) {
		even = (even ^ word_at(s.p + i)) * UINT64_C(0x9e3779b97f4a7c15);
		odd = (odd ^ word_at(s.p + i + 8)) * UINT64_C(0xbf58476d1ce4e5b9);
	}
	if (i + 8 <= s.len)
		odd ^= word_at(s.p + i);
	even ^= even >> 32 ^ (s.len >= 8 ? word_at(s.p + s.len - 8) : short_word(s.p, s.len));
	return ((even ^ odd ^ odd >> 32) * UINT64_C(0x9e3779b97f4a7c15));
}

/* The memo of these bytes, or the one whose place it would take: then its value is 0.  NULL: too long for one. */
static struct memo *
memo_of(struct facts_maker *m, uint32_t kind, uint64_t salt, struct slice key)
{
	struct memo *memo;

	if (key.len > MEMO_KEY_MAX)
		return (NULL);
	memo = &m->memos[(spread(key) ^ kind * UINT64_C(0x9e3779b97f4a7c15) ^ salt) >> 52];
	if (memo->len == key.len && memo->kind == kind && memo->salt == salt && (key.len == 0 || memcmp(memo->key, key.p, key.len) == 0))
		return (memo);
	*memo = (struct memo){ .salt = salt, .kind = kind, .len = (uint8_t)key.len };
	if (key.len > 0)
		memcpy(memo->key, key.p, key.len);
	return (memo);
}

_Static_assert(MEMOS == 1 << (64 - 52), "the high bits of a spread are a memo's place");
_Static_assert(sizeof(struct memo) == 64, "a memo fills a cache line");

/* ---- who ----------------------------------------------------------------- */

/* The same few hundred agents make nearly all hits: a direct-mapped cache saves the automaton
 * and the keyed hash. */
static const struct agent_seen *
classify(struct facts_maker *m, struct slice agent)
{
	struct agent_seen *c = &m->agent_cache[(spread(agent) >> 32) % AGENT_CACHE];

	if (c->text != NULL && c->len == agent.len && memcmp(c->text, agent.p, agent.len) == 0)
		return (c);
	free(c->text);
	c->text = mem_strndup(agent.p, agent.len);
	c->len = agent.len;
	bots_judge(m->rules->bots, agent, &c->verdict);
	c->hash = hash_user_agent(&m->ring, agent);
	c->device = device_of(agent);
	return (c);
}

static bool
is_ignored_network(const struct engine_rules *rules, struct slice addr)
{
	unsigned char bytes[16];

	return (rules->n_ignore_networks > 0 && address_parse(addr, bytes) &&
	    networks_have(rules->ignore_networks, rules->n_ignore_networks, bytes));
}

static uint64_t
hash_of(struct facts_maker *m, uint32_t kind, struct slice value)
{
	struct memo *memo = memo_of(m, kind, 0, value);
	uint64_t h = memo != NULL ? memo->value : 0;

	if (h == 0)
		h = kind == 'c' ? hash_cookie(&m->ring, value) : hash_uid(&m->ring, value);
	if (memo != NULL)
		memo->value = h;
	return (h);
}

/* As hash_agent(). */
static uint64_t
agent_of(struct facts_maker *m, int64_t day, struct slice addr, uint64_t user_agent)
{
	struct memo *memo = memo_of(m, (uint32_t)day, user_agent, addr);
	uint64_t h = memo != NULL ? memo->value : 0;

	if (h == 0)
		h = hash_agent(&m->ring, day, addr, user_agent);
	if (memo != NULL)
		memo->value = h;
	return (h);
}

/* The first of the configured identities that the hit has; false where it has none. */
static bool
identify(struct facts_maker *m, const struct hit *hit, struct facts *f)
{
	const struct engine_rules *rules = m->rules;

	f->visitor = 0;
	f->by_agent = false;
	for (size_t i = 0; i < rules->n_identities && f->visitor == 0; i++) {
		struct slice value;

		switch (rules->identities[i].kind) {
		case IDENTITY_COOKIE:
			value = hit->cookies[rules->identities[i].cookie];
			if (value.len > 0)
				f->visitor = hash_of(m, 'c', value);
			break;
		case IDENTITY_UID:
			value = hit->uid_got.len > 0 ? hit->uid_got : hit->uid_set;
			if (value.len > 0)
				f->visitor = hash_of(m, 'i', value);
			break;
		case IDENTITY_IP_UA:
			f->by_agent = true;
			return (true);
		}
	}
	return (f->visitor != 0);
}

static bool
has_ip_ua(const struct engine_rules *rules)
{
	for (size_t i = 0; i < rules->n_identities; i++)
		if (rules->identities[i].kind == IDENTITY_IP_UA)
			return (true);
	return (false);
}

/* ---- what ---------------------------------------------------------------- */

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

static enum facts_sign
sign_of(const struct engine_rules *rules, const struct hit *hit, enum counter what, struct slice page)
{
	if (slice_is(page, "/robots.txt"))
		return (SIGN_ROBOTS);
	if (what == COUNT_ASSET)
		return (SIGN_ASSET);
	/* A page may have many pictures that are missing, and a server that fails is not the visitor's fault. */
	return (hit->status >= 400 && hit->status < 500 && !page_is_asset(page, rules->assets) && !is_ignored_path(rules, page) ? SIGN_ERROR : SIGN_NONE);
}

static struct slice
grouped(const struct engine_rules *rules, struct slice page)
{
	for (size_t i = 0; i < rules->n_pages; i++)
		if (glob_match(rules->pages[i].glob, page))
			return (rules->pages[i].value);
	return (page);
}

/* A token's hash behind the other bytes; returns behind it. */
static char *
tokens_of(const struct facts_maker *m, const struct hit *hit, struct slice page, struct facts *f, char *at)
{
	const struct engine_rules *rules = m->rules;
	struct slice query, raw;
	SCRATCH char small[1024];

	if (rules->n_tokens == 0 || hit->status >= 400)
		return (at);
	query = target_query(hit->target);
	for (size_t i = 0; i < rules->n_tokens && f->n_tokens < FACTS_TOKENS_MAX && query.len > 0; i++) {
		const struct glob_rule *rule = &rules->tokens[i];
		uint64_t token;

		if (!query_param(query, rule->value, &raw) || raw.len == 0 || raw.len > sizeof(small) ||
		    !glob_match(rule->glob, page))
			continue;
		token = hash_token(&m->ring, slice_make(small, percent_decode(raw, true, small)));
		memcpy(at, &token, sizeof(token));
		at += sizeof(token);
		f->n_tokens++;
	}
	return (at);
}

static char *
put(char *at, struct slice s, uint8_t *len)
{
	if (s.len > 0)
		memcpy(at, s.p, s.len);
	*len = (uint8_t)s.len;
	return (at + s.len);
}

/* The NUL between source and medium tells one pair from another. */
static char *
source_facts(const struct facts_maker *m, struct slice target, struct slice referrer, struct facts *f, char *at)
{
	SCRATCH struct source s;
	char *pair = at;

	f->brings = source_of(&m->rules->source, target, referrer, &s);
	f->is_direct = source_is_direct(&s);
	f->is_spam = s.rule == RULE_SPAM;
	f->channel = channel_of(m->rules->source.sources, &s);
	at = put(at, slice_make(s.source, s.source_len), &f->source_len);
	*at++ = '\0';
	at = put(at, slice_make(s.medium, s.medium_len), &f->medium_len);
	f->source_key = hash_bytes(&m->ring.site, slice_make(pair, (size_t)(at - pair)));
	return (put(at, slice_make(s.campaign, s.campaign_len), &f->campaign_len));
}

static bool
source_memo_is(const struct source_memo *memo, struct slice query, struct slice origin)
{
	return (memo->channel != NULL && memo->query_len == query.len && memo->key_len == query.len + origin.len &&
	    memcmp(memo->key, query.p, query.len) == 0 && memcmp(memo->key + query.len, origin.p, origin.len) == 0);
}

static size_t
source_bytes(uint8_t source_len, uint8_t medium_len, uint8_t campaign_len)
{
	return ((size_t)source_len + 1 + medium_len + campaign_len);
}

static void
source_memo_put(struct source_memo *memo, struct slice query, struct slice origin, const struct facts *f, const char *value)
{
	*memo = (struct source_memo){
		.source_key = f->source_key, .channel = f->channel, .brings = f->brings, .is_direct = f->is_direct, .is_spam = f->is_spam,
		.query_len = (uint8_t)query.len, .key_len = (uint8_t)(query.len + origin.len),
		.source_len = f->source_len, .medium_len = f->medium_len, .campaign_len = f->campaign_len,
	};
	memcpy(memo->key, query.p, query.len);
	memcpy(memo->key + query.len, origin.p, origin.len);
	memcpy(memo->value, value, source_bytes(f->source_len, f->medium_len, f->campaign_len));
}

static char *
source_recalled(const struct source_memo *memo, struct facts *f, char *at)
{
	size_t n = source_bytes(memo->source_len, memo->medium_len, memo->campaign_len);

	f->brings = memo->brings;
	f->is_direct = memo->is_direct;
	f->is_spam = memo->is_spam;
	f->channel = memo->channel;
	f->source_key = memo->source_key;
	f->source_len = memo->source_len;
	f->medium_len = memo->medium_len;
	f->campaign_len = memo->campaign_len;
	memcpy(at, memo->value, n);
	return (at + n);
}

/* A source depends on the query and on the referrer's origin, and few of these make nearly all hits. */
static char *
source_or_memo(struct facts_maker *m, const struct hit *hit, struct slice origin, struct facts *f, char *at)
{
	struct slice query = target_query(hit->target);
	struct source_memo *memo;
	char *end;

	if (query.len + origin.len > SOURCE_KEY_MAX)
		return (source_facts(m, hit->target, hit->referrer, f, at));
	memo = &m->source_memos[((spread(query) ^ spread(origin) * 3) >> 32) % SOURCE_MEMOS];
	if (source_memo_is(memo, query, origin))
		return (source_recalled(memo, f, at));
	end = source_facts(m, hit->target, hit->referrer, f, at);
	if (end - at <= SOURCE_VALUE_MAX)
		source_memo_put(memo, query, origin, f, at);
	return (end);
}

static bool
is_internal(struct facts_maker *m, struct slice referrer, struct slice origin)
{
	struct memo *memo = memo_of(m, 'r', 0, origin);
	bool internal;

	if (memo != NULL && memo->value != 0)
		return (memo->value == 2);
	internal = referrer_is_internal(&m->rules->source, referrer);
	if (memo != NULL)
		memo->value = internal ? 2 : 1;
	return (internal);
}

_Static_assert(FACTS_ADDR_MAX + PAGE_MAX + SOURCE_NAME_MAX + 1 + 2 * UTM_MAX + FACTS_TOKENS_MAX * sizeof(uint64_t) <= FACTS_BYTES_MAX,
    "room for all");
_Static_assert(FACTS_ADDR_MAX <= UINT8_MAX && PAGE_MAX <= UINT8_MAX && SOURCE_NAME_MAX <= UINT8_MAX && UTM_MAX <= UINT8_MAX,
    "lengths of a byte");
_Static_assert(COUNTERS <= UINT8_MAX, "a counter in a byte");

/* A robot that wants its referrer to be looked up makes no pageview.  A token in its target is
 * read as ever, and who sent it may go on to make pageviews: no order is lost by it. */
static void
take_back_pageview(struct facts *f)
{
	f->what = COUNT_SPAM_REFERRER;
	f->page_len = f->source_len = f->medium_len = f->campaign_len = 0;
	f->source_key = 0;
	f->channel = NULL;
	f->brings = f->is_direct = false;
}

/* Of a group's page only what its name would be cut at. */
static struct slice
cut(struct slice s, size_t max)
{
	return (slice_make(s.p, s.len < max ? s.len : max));
}

/* What a bot fetched, where that would be a pageview of anybody else's. */
static void
fetched_page(const struct engine_rules *rules, const struct hit *hit, struct slice page, struct facts *f, char *bytes)
{
	if (pageview_or_not(rules, hit, page) == COUNT_PAGEVIEWS)
		f->used = (uint16_t)(put(bytes, cut(grouped(rules, page), PAGE_MAX), &f->page_len) - bytes);
}

void
facts_of(struct facts_maker *m, const struct hit *hit, struct facts *f, char *bytes)
{
	const struct agent_seen *agent = classify(m, hit->agent);
	SCRATCH char page_bytes[PAGE_MAX];
	struct slice page, origin, addr;
	char *at, *end;

	*f = (struct facts){ .time_ms = hit->time_ms, .bytes = bytes };
	f->agent_rule = (uint16_t)agent->verdict.number;
	addr = agent->verdict.is_bot ? hit->addr : client_address(m->rules, hit);
	f->what = agent->verdict.is_bot ? COUNT_BOT : is_ignored_network(m->rules, addr) ? COUNT_IGNORED_NETWORK :
	    identify(m, hit, f) ? COUNT_PAGEVIEWS : COUNT_NO_VISITOR;
	if (f->what != COUNT_PAGEVIEWS && f->what != COUNT_BOT)
		return;
	page = slice_make(page_bytes, page_of(hit->target, page_bytes));
	f->is_error = hit->status >= 400;
	if (f->what == COUNT_BOT) {
		fetched_page(m->rules, hit, page, f, bytes);
		return;
	}
	origin = referrer_origin(hit->referrer);
	f->what = (uint8_t)pageview_or_not(m->rules, hit, page);
	f->sign = (uint8_t)sign_of(m->rules, hit, f->what, page);
	f->is_internal = !f->by_agent && has_ip_ua(m->rules) && is_internal(m, hit->referrer, origin);
	f->user_agent = agent->hash;
	f->device = (uint8_t)agent->device;
	at = put(bytes, cut(addr, FACTS_ADDR_MAX), &f->addr_len);
	if (f->by_agent || f->what == COUNT_PAGEVIEWS)
		f->agent = agent_of(m, day_of(hit->time_ms), facts_addr(f), agent->hash);
	if (f->what == COUNT_PAGEVIEWS) {
		end = put(at, cut(grouped(m->rules, page), PAGE_MAX), &f->page_len);
		end = source_or_memo(m, hit, origin, f, end);
		if (f->is_spam)
			take_back_pageview(f);
		else
			at = end;
	}
	at = tokens_of(m, hit, page, f, at);
	f->used = (uint16_t)(at - bytes);
}
