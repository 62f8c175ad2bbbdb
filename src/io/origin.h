/*
 * origin: where a site's figures begin, and what of them could not be brought back.
 *
 * A state that begins empty reaches back as far as its inputs did then; that is its origin, saved
 * with the positions, and told in the status for as long as a window reaches back further.  A file
 * in the state directory keeps where the figures began at all: it is what a rebuild is measured by.
 */
#ifndef RPVD_ORIGIN_H
#define RPVD_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct site;

enum origin_limit { LIMIT_NONE, LIMIT_LOG, LIMIT_JOURNAL, LIMIT_SYSLOG };	/* NONE: the figures had begun no earlier */

struct origin {
	bool is_rebuild;		/* there was a state before */
	bool under_way;			/* the end of the inputs has not been reached yet */
	int64_t since_ms;		/* the figures are whole from here on; 0: not known */
	enum origin_limit limit;	/* what reaches back no further */
	int64_t rebuilt_ms;		/* wall time of its end; 0: none */
	/* Orders that offer nothing but address and browser, of days whose key is forgotten; time of the last. */
	uint64_t keyless;
	int64_t keyless_ms;
	uint64_t unread;		/* rotated files that may not be read, or are packed in ways we cannot */
};

/* The state is empty: looks how far the inputs reach back.  rewound: the logs are read from their oldest
 * rotated file, else from the one of their name. */
void origin_find(struct site *, bool rewound);
void origin_save(const struct origin *, struct buf *out);
void origin_load(struct origin *, struct slice saved);
/* What could not be rebuilt, in a sentence; empty where nothing is missing from any window now. */
void origin_sentence(const struct site *, struct buf *out);
/* "7d 30d": windows that reach back beyond the origin. */
void origin_partial(const struct site *, struct buf *out);
/* Once a second (anew: the first time since a load): where the state was begun before anything was logged,
 * the first line is where the figures begin. */
void origin_note_begin(struct site *, bool anew);
/* Adds a line for each rotated file of the log that cannot be read. */
void origin_unreadable(const char *path, struct buf *lines);

#endif
