/*
 * source: query + referrer -> source, medium, campaign; and from those the channel.
 *
 * The first rule that fits decides, in the order of enum source_rule.  Which hosts are
 * known is said by a table (hosts.h).  Pure.
 */
#ifndef RPVD_SOURCE_H
#define RPVD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"
#include "core/hosts.h"

#define UTM_MAX 100		/* bytes of a utm value */
#define SOURCE_NAME_MAX 255

enum source_rule {
	RULE_UTM,			/* utm_source */
	RULE_CLICK_ID,			/* gclid and its like, not stale */
	RULE_OWN_HOST,			/* the referrer is one of the site's own hosts, */
	RULE_IGNORED,			/* one of its ignore_referrers, */
	RULE_PAYMENT_PAGE,		/* a payment page of the table, */
	RULE_KNOWN,			/* another host of the table, */
	RULE_SPAM,			/* one of those that send robots, */
	RULE_REFERRER,			/* or any other */
	RULE_DIRECT			/* nothing of all that */
};

struct source {
	char source[SOURCE_NAME_MAX + 1];	/* lower case; "(direct)" */
	char medium[UTM_MAX + 1];		/* "(none)" */
	char campaign[UTM_MAX + 1];		/* "" where there is none */
	size_t source_len, medium_len, campaign_len;
	enum source_rule rule;			/* which decided, */
	struct slice by;			/* by which parameter, host or pattern (borrowed; may be empty) */
	const char *kind;			/* and of RULE_KNOWN the word for the kind; else "" */
};

/* What one site adds: all strings borrowed, lower case. */
struct source_rules {
	const struct sources *sources;
	const char *const *own_hosts;		/* NULL-terminated; exact */
	const char *const *ignore_referrers;	/* NULL-terminated, besides the payment pages; a
						 * subdomain of a listed host counts */
};

/* True where the pageview brings a source of its own (then *out is whole), false where
 * it brings none: no referrer, an own host, a payment page.  Then *out is
 * (direct)/(none) with the target's utm_campaign: what a visit gets that begins so. */
bool source_of(const struct source_rules *, struct slice target, struct slice referrer, struct source *out);
bool source_is_direct(const struct source *);
/* As much of a referrer as source_of() and referrer_is_internal() look at: scheme and host, as they stand there;
 * its p is not NULL.  (Of a target they look at its query.)  Who has seen both before knows the answer. */
struct slice referrer_origin(struct slice referrer);
/* "utm", "click_id", "own_host", ... */
const char *source_rule_word(enum source_rule);

/* The referrer's host is an own host or a payment page, which gives a visitor back. */
bool referrer_is_internal(const struct source_rules *, struct slice referrer);
/* Lower-case host of a URL, without user, port and trailing dot; its length, 0 where there is none. */
size_t url_host(struct slice url, char out[HOST_MAX]);

/* GA4's default channel group (without Cross-network) plus "AI Assistant".  A string constant. */
const char *channel_of(const struct sources *, const struct source *);

#endif
