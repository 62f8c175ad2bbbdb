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

#include "base/slice.h"
#include "core/client.h"
#include "core/counter.h"
#include "core/engine_rules.h"
#include "core/hit.h"
#include "core/visitor.h"

#define FACTS_TOKENS_MAX 8
#define FACTS_ADDR_MAX 200		/* longer ones are no addresses, and differ before that */
#define FACTS_BYTES_MAX 1024		/* of all slices */

struct facts {
	int64_t time_ms;
	/* COUNT_BOT, COUNT_IGNORED_NETWORK, COUNT_NO_VISITOR: nobody's, and of the rest only the time is
	 * set.  COUNT_PAGEVIEWS, or the reason why it is none. */
	enum counter what;
	bool by_agent;			/* the identity is address + user agent; then visitor is 0 */
	bool is_error;			/* its status is 400 or more */
	bool is_internal;		/* its referrer is a page of ours or a payment page; not told where by_agent */
	uint64_t visitor;		/* keyed hash of cookie or uid */
	uint64_t user_agent;		/* keyed hash, to be put into hash_agent() */
	uint64_t agent;			/* hash_agent() of its day; 0 where it was not asked for, or the key not at hand */
	enum device device;
	struct slice addr, page;
	/* Pageviews only. */
	bool brings, is_direct;		/* as source_of(), source_is_direct() */
	struct slice source, medium, campaign;	/* one behind the other; campaign: empty where there is none */
	const char *channel;
	uint64_t source_key;		/* equal where source and medium are */
	size_t n_tokens;
	uint64_t tokens[FACTS_TOKENS_MAX];
};

struct facts_maker;

/* rules: borrowed. */
struct facts_maker *facts_maker_new(const struct engine_rules *);
void facts_maker_free(struct facts_maker **);
/* The keys from now on, copied.  Before the first hit, and again where there may be others. */
void facts_maker_keys(struct facts_maker *, const struct keyring *);

/* Slices lie in bytes, which has room for FACTS_BYTES_MAX, or are the rules'; returns how much of it
 * was used. */
size_t facts_of(struct facts_maker *, const struct hit *, struct facts *, char *bytes);
/* The same with its bytes elsewhere: the used ones of `from`, which lie at `bytes`, were copied to `to`. */
void facts_move(struct facts *, const char *bytes, size_t used, char *to);

#endif
