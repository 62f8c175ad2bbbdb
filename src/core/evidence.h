/*
 * evidence: what a visit does that people do not do, though its user agent is a browser's.
 *
 * A visit is looked at with each of its hits, and what speaks against it stands in its record
 * and in the total's figures.  It is a function of the hits alone: when it is looked at,
 * committed, or loaded again changes nothing.  A visitor who buys is a person, whatever
 * he does.  Where the rules are strict, visits with evidence and without an order are taken
 * out of the figures, in all dimensions, and put back when that is no longer so.  Pure.
 */
#ifndef RPVD_EVIDENCE_H
#define RPVD_EVIDENCE_H

#include <stdint.h>

#include "base/buf.h"

enum evidence {
	EVIDENCE_ROBOTS,		/* asked for robots.txt before the first page */
	EVIDENCE_NO_ASSETS,		/* several pages and no picture, style or script, where others load them */
	EVIDENCE_RATE,			/* pages faster than a person opens them */
	EVIDENCE_ERRORS,		/* next to nothing but errors */
	EVIDENCE_HOSTING,		/* from a network that hosts machines */
	EVIDENCES
};

/* "robots", ... */
const char *evidence_name(enum evidence);

/* How much of it is too much for a person. */
struct evidence_limits {
	uint32_t bare_views;		/* pageviews without an asset, */
	uint32_t assets_known;		/* where so many visits, and half of the latest, loaded one */
	uint32_t rate_views;		/* pageviews, each in less than rate_ms on the average of the visit */
	int64_t rate_ms;
	uint32_t errors;		/* at least, and so many for each pageview */
};

extern const struct evidence_limits evidence_usual;

#define ROBOTS_MAX 256			/* visitors of whom it is remembered that they asked */

/* Of a site, part of the engine's state. */
struct evidence_state {
	struct { uint64_t visitor; int64_t ms; } robots[ROBOTS_MAX];	/* in the order in which they asked */
	uint32_t n_robots;
	uint32_t visits, with_assets;	/* begun lately, and how many of these loaded one */
};

struct engine;
struct facts;
struct forget;
struct visit;

/* What of it still says something. */
void evidence_encode(struct engine *, struct buf *out);
/* Sets r->bad where it is damaged. */
void evidence_decode(struct evidence_state *, struct reader *r);

/* A hit of a visitor without an open visit. */
void evidence_before(struct engine *, uint64_t visitor, const struct facts *);
/* It has just begun. */
void evidence_begin(struct engine *, struct visit *, const struct facts *);
/* One of its hits, the first pageview included. */
void evidence_hit(struct engine *, struct visit *, const struct facts *);
/* An order was joined to it, or to a later visit of the same visitor. */
void evidence_bought(struct engine *, struct visit *);
/* Nothing is remembered of the person. */
void evidence_forget(struct evidence_state *, const struct forget *);

#endif
