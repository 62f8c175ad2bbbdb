/*
 * explain: what rpvd makes of single things of a log, so that its figures can be trusted.
 *
 * `rpvctl explain KIND` reads lines on standard input and answers each with one line of
 * JSON, at once: an owner pastes a line and looks, a script sends a million.  A kind is one
 * struct explainer in a file of its own, and does with a line what the daemon would do, by
 * the very same functions.
 */
#ifndef RPVD_CTL_EXPLAIN_H
#define RPVD_CTL_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct config;
struct tables;

/* What all kinds may want to know.  Borrowed. */
struct explain_want {
	const char *format, *host;	/* options; NULL: not given.  host: several with commas between */
	const struct config *config;	/* of -c; NULL: not given */
	const char *site;		/* of -s; NULL: the first */
	const struct tables *tables;	/* the configuration's, else those built in */
};

struct explainer {
	const char *kind;
	/* What explains; NULL with err set where an option is wrong. */
	void *(*open)(const struct explain_want *, struct err *);
	/* Appends the answer's members; the line, without its newline, may be changed. */
	void (*line)(void *, char *line, size_t len, struct buf *answer);
	void (*close)(void *);
};

extern const struct explainer explain_line, explain_source, explain_agent;

/* Members of the answer, in the order in which they are put. */
void answer_text(struct buf *, const char *name, struct slice value);
void answer_number(struct buf *, const char *name, int64_t value);
void answer_bool(struct buf *, const char *name, bool value);

#endif
