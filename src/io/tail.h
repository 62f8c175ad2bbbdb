/*
 * tail: log files as streams of lines with positions that survive everything.
 *
 * One stream reads one configured log: the file of that name now, or, where it was
 * rotated while we were behind or away, first what is left of the older generations,
 * oldest first (found by identity in the same directory, .gz included).  A file is
 * known by (device, inode, birth time) and a hash of its first bytes, never by its name.
 * A position is the identity plus an offset in plain (decompressed) bytes, always at the
 * start of a line.
 */
#ifndef RPVD_TAIL_H
#define RPVD_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

#define LINE_MAX_BYTES (64 * 1024)	/* longer lines are skipped and counted */
#define HEAD_HASH_BYTES 256

struct file_id {
	uint64_t dev, ino;
	int64_t birth_ns;		/* 0 where the file system has none */
	uint64_t head_hash;		/* of the first head_len plain bytes */
	uint32_t head_len;		/* <= HEAD_HASH_BYTES; grows with a short file */
};

/* A place in a file: everything before `offset` was read. */
struct file_pos {
	struct file_id id;
	uint64_t offset;
};

struct line {
	char *p;			/* the caller may change these bytes; valid until the stream's next tail_next() or tail_poll() */
	size_t len;			/* without the newline */
	uint64_t file_no;		/* which file of this stream: grows by one at each change of file */
	uint64_t offset, end;		/* of its first byte, and behind its newline */
};

enum tail_state {
	TAIL_LINE,			/* *line is set */
	TAIL_WAIT,			/* nothing more now (end of file, or no file yet) */
	TAIL_END			/* replay only: the end of the input */
};

struct tail_status {
	bool waiting_for_file;		/* there is no such file yet, or it may not be read: `problem` says what to do */
	bool is_no_file;		/* it is a FIFO, a directory, ...: nothing that could be read later */
	bool stuck;			/* there are lines, or may be, that cannot be read now: also those of a new file */
	char problem[256];
	uint64_t truncations, overlong, nul_bytes, torn, lost_bytes;
	uint64_t size, offset;		/* of the file being read */
	uint64_t behind;		/* bytes on disk not yet read: of that file and those that follow it */
};

struct feed;
struct tail;

/* Whether what is there now can never be a live log (a FIFO, a socket, packed as it is written): -1 with
 * err set.  0 also where nothing is there, or nothing is to be known. */
int tail_check(const char *path, struct err *);

/* path: a file name (globs are expanded by the caller, one stream a file).  replay: read this
 * one file (plain or gz by content) once from start or `from` to its end; no rotation, no waiting.
 * Live, it begins with the current file at its first byte.  Never fails for what the file system
 * may repair later: see tail_status().  A path that is a symbolic link now is followed, also
 * re-pointed, but only to files in the directory of its first target; one that becomes a link later
 * is refused, and no other file of the log may be one. */
struct tail *tail_open(const char *path, bool replay);
/* Bytes that come once, as the one file of a log that is called name.  Those of a pipe are a replay: a stream
 * that begins as one of which a position is committed goes on behind that.  What a sender says has no end. */
struct tail *tail_open_feed(const char *name, struct feed *);
bool tail_is_feed(const struct tail *);
void tail_close(struct tail **);

/* Where to go on: positions committed earlier, any number of files of this log (also ones that
 * are rotated away by now), in the order in which they were read.  Call before the first tail_next(),
 * or later to go back: files that are still held are found even if they were deleted.
 *
 * Each is found by identity, or by its first bytes where it was copied or compressed.  Then
 * come all younger files of the log, then the live one.  Files older than the oldest
 * position, and files between positions, are taken as read.  Where a position's file is nowhere,
 * `problem` says so; where all are nowhere, the live file is read from its start. */
void tail_resume(struct tail *, const struct file_pos *, size_t n);

/* The next whole line.  TAIL_WAIT is said only after a look at the file: its growth, rotation
 * and truncation are noticed here (the first and the last at once, a new file behind the name
 * at most look_ms later).  Where there is nothing new this costs one pread().
 *
 * Order.  Lines of one file come in its order.  A rotated file is read to its end before the
 * next one is begun, and the next one is begun when the old one had nothing new in two looks at
 * least switch_ms apart (at once where it is two rotations old, or cannot grow: gz, a copy).  The
 * old one is looked at further until grace_ms after its last growth, and until its successor has
 * bytes, too (a web server that was never told to reopen goes on with the old file): lines
 * that appear there come late, under their own, lower file_no.  Then a last line without a
 * newline is given out as a line, counted as torn. */
enum tail_state tail_next(struct tail *, struct line *line);

/* Identity of file number file_no, for as long as it has not been released; NULL after that. */
const struct file_id *tail_file(const struct tail *, uint64_t file_no);
/* Whether file number file_no goes on at a position of tail_resume(): that file, renamed, compressed, or
 * a copy of it; then *which is the position's index.  False for a file that has the position's inode, and
 * other lines by now. */
bool tail_resumed(const struct tail *, uint64_t file_no, size_t *which);
/* Number of the emptied file that this one is a copy of, with the same offsets: of the positions of both, the
 * copy's counts when they are resumed.  0: it is none. */
uint64_t tail_continued(const struct tail *, uint64_t file_no);
/* All lines of files before file_no are safely committed: their descriptors may be closed.  Files
 * that may still bring late lines are kept all the same. */
void tail_release(struct tail *, uint64_t file_no);

/* Of a feed: what is before this offset is committed. */
void tail_release_bytes(struct tail *, uint64_t offset);

/* What to commit: the positions of all files from *first to *last for which tail_position() is
 * true, that is of those being read, those that may bring late lines, and those not begun.
 * An owner that has lines in hand commits, for their files, the offset of the first of them
 * instead.  False: no such file, or none yet (*first > *last). */
bool tail_files(const struct tail *, uint64_t *first, uint64_t *last);
bool tail_position(const struct tail *, uint64_t file_no, struct file_pos *);

void tail_status(const struct tail *, struct tail_status *);
const char *tail_path(const struct tail *);

/* The directory to watch for this path (io/watch.h), so that the owner's loop calls tail_next() again
 * early; polling every second beside it is the owner's.  The caller frees it.  NULL of a feed. */
char *tail_dir(const struct tail *);

/* For tests: other times, and a clock that they drive (NULL: the monotonic one). */
struct tail_times {
	int64_t look_ms;		/* between two looks at the name and at late files: 200 */
	int64_t switch_ms;		/* 1000 */
	int64_t grace_ms;		/* 60000 */
	int64_t (*now_ms)(void);
};
void tail_set_times(struct tail *, const struct tail_times *);

#endif
