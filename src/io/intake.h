/*
 * intake: the logs of one site as one sequence of hits, with positions to commit.
 *
 * The log whose next line is the earliest goes next (ties: the order in which the logs
 * are configured); at the end of a log it is not waited for.  Lines are then held back
 * by `reorder` of event time and go on in order; what is older than the highest time read
 * less `reorder` is late and goes on at once.  The position to commit never passes a line
 * that is held or not yet taken.  Of the lines behind it that were read all the same, those
 * were taken that are older than the horizon: up to it every held line was given out, and
 * what came late was older still.  How far was read and the horizon are kept beside the
 * position, so that after a restart each of these lines is taken once.
 */
#ifndef RPVD_INTAKE_H
#define RPVD_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/engine.h"
#include "core/facts.h"
#include "core/hit.h"

struct intake;
struct stream;
struct tail;

enum intake_state { INTAKE_HIT, INTAKE_WAIT, INTAKE_END };

/* replay: a few logs are read ahead, each by a thread. */
struct intake *intake_new(int64_t reorder_ms, bool replay);
void intake_free(struct intake **);
/* The stream becomes the intake's.  Before the first intake_next(). */
void intake_add(struct intake *, struct stream *);
size_t intake_logs(const struct intake *);
struct stream *intake_stream(const struct intake *, size_t i);

/* Lines that are no hits are counted here, hits when they are taken. */
struct intake_counts {
	uint64_t lines, drops[HIT_DROPS];
};

/* The next hit; it stays the same, and valid, until intake_taken().  wall_ms: live, at the end of all
 * logs, held lines older than wall_ms - reorder are released, too, and lines dated more than a day ahead
 * of now are no hits: one of them would make all that follow late.  INT64_MIN: neither. */
enum intake_state intake_next(struct intake *, int64_t wall_ms, const struct facts **, bool *late);
/* Live, before each intake_next(): it is now_ms, which may be later than wall_ms, the time up to which all was seen; a line
 * is of the future by this one.  It may as well be off_ms later still: a line that would be of the future by the one and not
 * by the other waits, and its log with it.  0 or less: it is certain. */
void intake_clock(struct intake *, int64_t now_ms, int64_t off_ms);
void intake_taken(struct intake *);
/* A hit that comes soon, about k hits behind this one; NULL where none is known. */
const struct facts *intake_ahead(const struct intake *, size_t k);
/* Opens each log at its place, so that there is a position to save. */
void intake_look(struct intake *);
/* New lines may be there: look at the logs again. */
void intake_wake(struct intake *);
/* See stream_keys(). */
void intake_keys(struct intake *);
/* A log has lines, or may have, that cannot be read now. */
bool intake_is_stuck(const struct intake *);
/* Since the last call. */
struct intake_counts intake_counted(struct intake *);
/* Highest event time read; INT64_MIN where there is none. */
int64_t intake_highest(const struct intake *);

/* No held line has its turn: between two hits, when positions may be saved. */
bool intake_is_settled(const struct intake *);
/* Positions, appended to out / taken from what an earlier call wrote: at first, and again to go
 * back.  Empty: a log begins with the file that has its name.  -1 where the bytes are not of this version. */
void intake_save(struct intake *, struct buf *out);
int intake_resume(struct intake *, struct slice saved);
/* After an empty intake_resume(), live: a log begins with its oldest rotated file that is still there.
 * Where that is, is appended to out as intake_save() would: until a log is begun it knows nothing of it. */
void intake_rewind(struct intake *, struct buf *out);
/* What intake_save() wrote last is committed: files before that may be closed. */
void intake_committed(struct intake *);

#define POSITIONS_MAX 64

/* The same for a single tail (an order file): its positions, where what lies behind hold_offset of
 * file hold_file is not yet taken (UINT64_MAX: nothing is held); and reading them back: at most max
 * of this path, *highest as saved by intake_save(), untouched where there is none. */
void tail_save(const struct tail *, uint64_t hold_file, uint64_t hold_offset, struct buf *out);
struct file_pos;
/* The next record of what these wrote, whole, and whose it is; empty: of no path.  False at the end. */
struct reader;
bool position_next(struct reader *, struct slice *record, struct slice *path);
size_t positions_of(struct slice saved, const char *path, struct file_pos *positions, uint64_t *reads, size_t max);

#endif
