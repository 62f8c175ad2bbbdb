/*
 * stream: one log as a sequence of facts in reading order.
 *
 * Lines are read, parsed and made facts in batches.  In a replay that is done ahead by a
 * thread of the stream's own; what it shares with the rest is the tail, under a lock, and
 * whole batches.  So the functions here may be called as if there were no thread, by one
 * caller's thread.
 */
#ifndef RPVD_STREAM_H
#define RPVD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/facts.h"
#include "core/hit.h"
#include "io/tail.h"

struct reading {			/* a line that was read */
	uint64_t file_no, offset;
	enum hit_drop drop;		/* HIT_OK: facts are set */
	struct facts facts;
};

struct stream;

/* tail, format and maker become the stream's.  ring: borrowed; its keys are copied between batches. */
struct stream *stream_new(struct tail *, struct format *, struct facts_maker *, const struct keyring *ring);
void stream_free(struct stream **);
/* From now on a thread reads ahead. */
void stream_read_ahead(struct stream *);

/* The next line, which stays the same, and valid, until stream_taken().  NULL: none now, and *state says
 * TAIL_WAIT or TAIL_END.  A stream that reads ahead is waited for. */
const struct reading *stream_peek(struct stream *, enum tail_state *state);
void stream_taken(struct stream *);
/* The k-th line behind the next one, where it is read already. */
const struct reading *stream_ahead(const struct stream *, size_t k);
/* New lines may be there: after the lines that were read it looks at the log again. */
void stream_wake(struct stream *);
/* Days of the keyring were forgotten: no copy of their keys stays here. */
void stream_keys(struct stream *);

/* Everything that was read and not taken is forgotten; the tail is the caller's to move: the
 * thread begins again with the next stream_peek(). */
struct tail *stream_stop(struct stream *);
/* The tail, for a short while, as the caller's; what was read ahead of it is pending. */
struct tail *stream_lock(struct stream *);
void stream_unlock(struct stream *);
/* While locked: offset of the first line of this file that was read and not taken; false where there is none. */
bool stream_pending(const struct stream *, uint64_t file_no, uint64_t *offset);
/* While locked: the lowest file number of such a line, or `otherwise` where that is lower. */
uint64_t stream_first_file(const struct stream *, uint64_t otherwise);
/* Most lines do not fit the format, as misfit_problem(). */
bool stream_misfits(struct stream *, bool ever, struct err *);
/* As format_found(): what a log whose format is auto turned out to be. */
unsigned stream_found(struct stream *);
/* As tail_status(), tail_path(), tail_dir(). */
void stream_status(struct stream *, struct tail_status *);
const char *stream_path(const struct stream *);
char *stream_dir(const struct stream *);

#endif
