/*
 * facts: see facts.h.
 */
#include "core/facts.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/mem.h"
#include "core/page.h"

#define AGENT_CACHE 1024

struct agent_class {			/* a user agent seen lately */
	char *text;
	size_t len;
	uint64_t hash;
	bool is_bot;
	enum device device;
};

struct facts_maker {
	const struct engine_rules *rules;
	struct keyring ring;		/* a copy, which makes no keys */
	struct agent_class agent_cache[AGENT_CACHE];
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
		m->agent_cache[i] = (struct agent_class){ 0 };
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

void
facts_maker_keys(struct facts_maker *m, const struct keyring *ring)
{
	if (memcmp(&m->ring.site, &ring->site, sizeof(ring->site)) != 0)
		agents_forget(m);
	keyring_copy(&m->ring, ring);
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
classify(struct facts_maker *m, struct slice agent)
{
	struct agent_class *c = &m->agent_cache[agent_slot(agent)];

	if (c->text != NULL && c->len == agent.len && memcmp(c->text, agent.p, agent.len) == 0)
		return (c);
	free(c->text);
	c->text = mem_strndup(agent.p, agent.len);
	c->len = agent.len;
	c->is_bot = agent.len == 0 || bots_match(m->rules->bots, agent);
	c->hash = hash_user_agent(&m->ring, agent);
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
				f->visitor = hash_cookie(&m->ring, value);
			break;
		case IDENTITY_UID:
			value = hit->uid_got.len > 0 ? hit->uid_got : hit->uid_set;
			if (value.len > 0)
				f->visitor = hash_uid(&m->ring, value);
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
source_facts(const struct facts_maker *m, const struct hit *hit, struct facts *f, char *at)
{
	SCRATCH struct source s;
	char *pair = at;

	f->brings = source_of(&m->rules->source, hit->target, hit->referrer, &s);
	f->is_direct = source_is_direct(&s);
	f->channel = channel_of(m->rules->source.sources, &s);
	at = put(at, slice_make(s.source, s.source_len), &f->source_len);
	*at++ = '\0';
	at = put(at, slice_make(s.medium, s.medium_len), &f->medium_len);
	f->source_key = hash_bytes(&m->ring.site, slice_make(pair, (size_t)(at - pair)));
	return (put(at, slice_make(s.campaign, s.campaign_len), &f->campaign_len));
}

_Static_assert(FACTS_ADDR_MAX + PAGE_MAX + SOURCE_NAME_MAX + 1 + 2 * UTM_MAX + FACTS_TOKENS_MAX * sizeof(uint64_t) <= FACTS_BYTES_MAX,
    "room for all");
_Static_assert(FACTS_ADDR_MAX <= UINT8_MAX && PAGE_MAX <= UINT8_MAX && SOURCE_NAME_MAX <= UINT8_MAX && UTM_MAX <= UINT8_MAX,
    "lengths of a byte");
_Static_assert(COUNTERS <= UINT8_MAX, "a counter in a byte");

/* Of a group's page only what its name would be cut at. */
static struct slice
cut(struct slice s, size_t max)
{
	return (slice_make(s.p, s.len < max ? s.len : max));
}

void
facts_of(struct facts_maker *m, const struct hit *hit, struct facts *f, char *bytes)
{
	const struct agent_class *agent = classify(m, hit->agent);
	SCRATCH char page_bytes[PAGE_MAX];
	struct slice page;
	char *at;

	*f = (struct facts){ .time_ms = hit->time_ms, .bytes = bytes };
	f->what = agent->is_bot ? COUNT_BOT : is_ignored_network(m->rules, hit->addr) ? COUNT_IGNORED_NETWORK :
	    identify(m, hit, f) ? COUNT_PAGEVIEWS : COUNT_NO_VISITOR;
	if (f->what != COUNT_PAGEVIEWS)
		return;
	page = slice_make(page_bytes, page_of(hit->target, page_bytes));
	f->what = (uint8_t)pageview_or_not(m->rules, hit, page);
	f->is_error = hit->status >= 400;
	f->is_internal = !f->by_agent && has_ip_ua(m->rules) && referrer_is_internal(&m->rules->source, hit->referrer);
	f->user_agent = agent->hash;
	f->device = (uint8_t)agent->device;
	at = put(bytes, cut(hit->addr, FACTS_ADDR_MAX), &f->addr_len);
	if (f->by_agent || f->what == COUNT_PAGEVIEWS)
		f->agent = hash_agent(&m->ring, day_of(hit->time_ms), facts_addr(f), agent->hash);
	if (f->what == COUNT_PAGEVIEWS) {
		at = put(at, cut(grouped(m->rules, page), PAGE_MAX), &f->page_len);
		at = source_facts(m, hit, f, at);
	}
	at = tokens_of(m, hit, page, f, at);
	f->used = (uint16_t)(at - bytes);
}
