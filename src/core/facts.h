/*
 * facts: what a hit says by itself, under the rules: whose it is, which page, from where.
 *
 * Half of the work that a line makes needs nothing but the line, the rules and the keys.
 * It is done here, so that it can be done ahead and on another thread; what it means for
 * visits is the engine's.  Pure: a maker is used by one thread at a time, and shares
 * nothing with the engine but the rules, which nobody changes.
 */
#ifndef RPVD_FACTS_H
#define RPVD_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"
#include "core/client.h"
#include "core/counter.h"
#include "core/engine_rules.h"
#include "core/hit.h"
#include "core/visitor.h"

#define FACTS_TOKENS_MAX 8
#define FACTS_ADDR_MAX 200		/* longer ones are no addresses, and differ before that */
#define FACTS_BYTES_MAX 1024

/* What a hit that is no pageview says of its visit. */
enum facts_sign { SIGN_NONE, SIGN_ASSET, SIGN_ERROR, SIGN_ROBOTS };

/* Small, and its strings one behind the other: millions of them go from one core's cache to another's. */
struct facts {
	int64_t time_ms;
	const char *bytes;		/* of a bot the page that it fetched, if it did; else address, page; then of pageviews source, NUL, medium, campaign; tokens */
	uint64_t visitor;		/* keyed hash of cookie or uid; 0 where by_agent */
	uint64_t user_agent;		/* keyed hash, to be put into hash_agent() */
	uint64_t agent;			/* hash_agent() of its day; 0 where it was not asked for, or the key not at hand */
	uint64_t source_key;		/* equal where source and medium are */
	const char *channel;
	uint16_t used;			/* of bytes */
	uint8_t addr_len, page_len, source_len, medium_len, campaign_len, n_tokens;
	/* enum counter.  COUNT_BOT, COUNT_IGNORED_NETWORK, COUNT_NO_VISITOR: nobody's, and of the rest only the
	 * time is set; of a bot its rule, its page and is_error too.  COUNT_PAGEVIEWS, or the reason why it is none. */
	uint8_t what;
	uint8_t device;			/* enum device */
	uint8_t sign;			/* enum facts_sign: an asset, a page that is an error, robots.txt whatever came of it */
	uint16_t agent_rule;		/* of bots_judge() */
	bool by_agent;			/* the identity is address + user agent */
	bool is_error;			/* its status is 400 or more */
	bool is_internal;		/* its referrer is a page of ours or a payment page; not told where by_agent */
	bool brings, is_direct;		/* a pageview: as source_of(), source_is_direct() */
	bool is_spam;			/* none, because of where it says that it comes from: COUNT_SPAM_REFERRER */
};

static inline struct slice
facts_addr(const struct facts *f)
{
	return (slice_make(f->bytes, f->addr_len));
}

static inline struct slice
facts_page(const struct facts *f)
{
	return (slice_make(f->bytes + f->addr_len, f->page_len));
}

static inline struct slice
facts_source(const struct facts *f)
{
	return (slice_make(f->bytes + f->addr_len + f->page_len, f->source_len));
}

static inline struct slice
facts_medium(const struct facts *f)
{
	return (slice_make(facts_source(f).p + f->source_len + 1, f->medium_len));
}

/* Empty where there is none. */
static inline struct slice
facts_campaign(const struct facts *f)
{
	return (slice_make(facts_medium(f).p + f->medium_len, f->campaign_len));
}

static inline uint64_t
facts_token(const struct facts *f, size_t i)
{
	uint64_t token;

	memcpy(&token, f->bytes + f->used - (f->n_tokens - i) * sizeof(token), sizeof(token));
	return (token);
}

struct facts_maker;

/* rules: borrowed. */
struct facts_maker *facts_maker_new(const struct engine_rules *);
void facts_maker_free(struct facts_maker **);
/* The keys from now on, copied.  Before the first hit, and again where there may be others. */
void facts_maker_keys(struct facts_maker *, const struct keyring *);

/* bytes: room for FACTS_BYTES_MAX, of which facts.used are taken; whoever moves these sets facts.bytes anew. */
void facts_of(struct facts_maker *, const struct hit *, struct facts *, char *bytes);

#endif
