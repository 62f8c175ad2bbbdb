/*
 * counter: what is counted beside the figures, so that an owner can see where lines and
 * order events went.
 */
#ifndef RPVD_COUNTER_H
#define RPVD_COUNTER_H

/* What was counted since the state began; part of the state. */
enum counter {
	COUNT_LINES,			/* read from logs */
	COUNT_EMPTY, COUNT_MALFORMED, COUNT_BAD_TIME, COUNT_BAD_STATUS,	/* no hit, by reason: as enum hit_drop */
	COUNT_BOT, COUNT_IGNORED_NETWORK, COUNT_NO_VISITOR,		/* a hit, but nobody's */
	COUNT_METHOD, COUNT_STATUS, COUNT_ASSET, COUNT_IGNORED_PATH,	/* somebody's, but no pageview */
	COUNT_PAGEVIEWS, COUNT_VISITS, COUNT_LATE, COUNT_ADOPTED, COUNT_TOKENS,
	COUNT_EVENTS,			/* order events taken */
	COUNT_EVENTS_REJECTED,		/* lines of order files that could not be read */
	COUNT_NO_CHANGE, COUNT_ZERO_AMOUNT, COUNT_OTHER_CURRENCY, COUNT_ABSURD,	/* of these, without effect, by reason */
	COUNT_ORDERS,			/* first paid */
	COUNT_JOIN_VISITOR, COUNT_JOIN_TOKEN, COUNT_JOIN_IP_UA, COUNT_JOIN_CUSTOMER,
	COUNT_DAMAGED,			/* records of the state that could not be read */
	COUNT_FUTURE,			/* no hit either: lines dated ahead of the wall clock */
	COUNT_CONFLICT,			/* events that contradict what was told before: another amount of the same order or part */
	COUNT_FORGOTTEN,		/* persons */
	COUNT_PAGES_OVER,		/* pageviews of a visit with too many pages: they are in "(other)" */
	COUNT_VISITS_EARLY,		/* left the memory while they were open: it was full */
	COUNT_VISITS_UNKEPT,		/* not kept for orders to come: the history is full */
	COUNT_SERIES_MERGED,		/* summed into "(other)" */
	COUNT_SPAM_REFERRER,		/* somebody's, but no pageview: sent to have its referrer looked up */
	COUNT_OVER_SUMS,		/* orders kept out of the figures: no sum would hold them */
	COUNT_BOT_CLASS,		/* of COUNT_BOT, by class: from here on, but AGENT_BROWSER as enum agent_class */
	COUNT_BOT_LAST = COUNT_BOT_CLASS + 11,
	COUNT_EVIDENCE,			/* visits, + enum evidence: it was said of them once */
	COUNT_EVIDENCE_LAST = COUNT_EVIDENCE + 4,
	COUNTERS
};

const char *counter_name(enum counter);

#endif
