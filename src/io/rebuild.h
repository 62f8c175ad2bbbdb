/*
 * rebuild: where a site's figures begin, and making them anew from what is on disk.
 *
 * A state that begins empty reaches back as far as its inputs did then; that is its origin, saved
 * with the positions, and told in the status for as long as a window reaches back further.
 * An emptied Redis is filled again in place.  `rpvd --rebuild` builds a new state beside the one in
 * use (store/swap.c): the old figures stay visible until the new ones are whole.  A daemon does the same
 * where it finds one that was begun or asked for, and takes webhooks meanwhile.
 */
#ifndef RPVD_REBUILD_H
#define RPVD_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct site;

enum origin_limit { LIMIT_NONE, LIMIT_LOG, LIMIT_JOURNAL };	/* NONE: the figures had begun no earlier */

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

/* Before `rpvd --rebuild` begins: adds a line for each file that cannot be read and would be missing. */
void rebuild_check(struct site *, struct buf *mistakes);
/* Hundredths of the logs that are read. */
unsigned rebuild_percent(const struct site *);
/* Once a second while the site runs: shows how far it is, and notices the end. */
void rebuild_tick(struct site *);
/* What was built is committed whole. */
bool rebuild_is_whole(const struct site *);
/* `rpvd --rebuild-later`: whoever loads the site (NULL: all of the configuration) next rebuilds it, or gives
 * that up.  The exit code. */
struct config;
int rebuild_request(const struct config *, const char *site, bool cancel);
/* As root: what was made in the state directory belongs to who owns that. */
void state_dir_give_back(const char *dir);

#endif
