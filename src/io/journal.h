/*
 * journal: the local, append-only file of order events that webhooks brought.
 *
 * A webhook is answered 2xx only after its record is on disk; records are numbered
 * from 1 without gaps, and the engine's committed position in it is such a number.
 * Each record carries a CRC; a torn tail (crash in mid-write) is cut off at open, damage
 * in the middle is skipped, counted and said.  Files rotate and are removed by age.
 * Personal data never gets here: events come hashed (core/order.h).  What could not be
 * understood has a log of its own, which forgets soon (quarantine.h).
 */
#ifndef RPVD_JOURNAL_H
#define RPVD_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum journal_kind {
	JOURNAL_EVENT = 1,		/* bytes: order_event_encode() */
	JOURNAL_QUARANTINE = 2,		/* quarantine.c: a body that could not be understood */
	JOURNAL_RELEASED = 3,		/* quarantine.c: one that since could be */
	JOURNAL_FORGET = 4		/* bytes: forget_encode() */
};

struct journal_record {
	uint64_t seq;
	enum journal_kind kind;
	int64_t received_ms;
	struct slice site;		/* which site it belongs to */
	struct slice bytes;
};

struct journal;

/* Opens or creates DIR/journal/.  Takes an exclusive lock on DIR/lock: a second daemon on
 * the same directory is refused, err names the first one's pid.  Reads what is there once,
 * to find the end, and blanks bodies that an rpvd without a quarantine kept here.  NULL with err
 * set. */
struct journal *journal_open(const char *dir, struct err *);
/* Another log of the same form beside it, DIR/NAME/, under the same lock; a file of it is closed
 * after file_ms, and removed with its oldest record, or where it is of the future, as a wrong clock
 * leaves it. */
struct journal *journal_open_beside(const struct journal *, const char *name, int64_t file_ms, struct err *);
/* To look only, at DIR/NAME/, also under a running daemon: takes no lock, mends nothing, says
 * nothing in the log.  Only journal_read(), _first(), _last(), _status() and _close() may follow. */
struct journal *journal_open_to_look(const char *dir, const char *name, struct err *);
void journal_close(struct journal **);

/* Numbers go on behind `last` where the journal ends before it: call once after opening, with
 * the engine's committed position.  A directory that was emptied or restored would else give
 * numbers again that the engine has passed, and it would never read them. */
void journal_skip(struct journal *, uint64_t last);

/* Appends to memory and returns the record's number; not yet on disk. */
uint64_t journal_append(struct journal *, enum journal_kind, int64_t received_ms, struct slice site, struct slice bytes);
/* Writes and syncs all that was appended.  0: everything up to journal_last() is durable.
 * -1 with err set: nothing of what was appended since the last sync counts, it is taken
 * back (numbers are given again) and the file is cut to its old length. */
int journal_sync(struct journal *, struct err *);
/* Nothing was appended since the last sync. */
bool journal_is_synced(const struct journal *);
/* After a sync that failed, with nothing appended since: is there room again?  Where so, status.problem ends. */
void journal_probe(struct journal *);
/* Number of the last durable record, be it removed by age since, 0 where there never was one;
 * of the oldest that is kept, 0 where none is. */
uint64_t journal_last(const struct journal *);
uint64_t journal_first(const struct journal *);
/* Calls back for each durable record with a number > after, in order; a callback that
 * returns non-zero ends the walk.  The record lives until the callback returns.
 * 0, or -1 with err set where a file could not be read. */
int journal_read(struct journal *, uint64_t after, int (*)(const struct journal_record *, void *), void *arg, struct err *);
/* Starts a new file where the current one is larger than 16 MiB or older than a day, and
 * removes files all of whose records are older than keep_ms and numbered <= committed. */
int journal_rotate(struct journal *, int64_t now_ms, int64_t keep_ms, uint64_t committed, struct err *);
/* Removes the oldest file, but for the one that is written to; false where there is no other. */
bool journal_drop_oldest(struct journal *);

struct journal_status {
	uint64_t first, last, bytes;
	uint64_t damaged;		/* records that are missing between readable ones, in the files that are kept */
	uint64_t cut_bytes;		/* torn tail that was cut off at open; to look: not yet whole, or torn */
	unsigned files;
	int64_t newest_ms;		/* latest receipt of a record, by the clock of then; 0 where there is none */
	const char *problem;		/* of the last sync, as long as none succeeded since; else NULL */
};
void journal_status(const struct journal *, struct journal_status *);

#endif
