/*
 * logfile: one open log file, plain or gzip by content: its identity, and its lines.
 *
 * Lines are cut in a large buffer; the last one is given out only with its newline.
 * Each read of a plain file begins with the bytes just before the position and compares
 * them with what was there: a file that was truncated or rewritten is noticed by the very
 * read that would have met foreign bytes, whatever its size and times say.
 */
#ifndef RPVD_LOGFILE_H
#define RPVD_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "io/tail.h"

struct feed;
struct logfile;

enum logfile_state {
	LOGFILE_LINE,
	LOGFILE_EOF,			/* no whole line more, now */
	LOGFILE_WAIT,			/* a feed: likewise, and more will come */
	LOGFILE_TRUNCATED,		/* what lies before the position is not what was read */
	LOGFILE_STALE,			/* the handle is dead (network file system): open it again */
	LOGFILE_ERROR,			/* err says what; the position is unmoved: try again later */
	LOGFILE_DAMAGED			/* gzip only: cut or corrupt from here on */
};

/* Never hangs and never opens what is not a regular file.  follow: path may be a symbolic
 * link.  NULL with errno and err set, the latter with what the owner can do. */
struct logfile *logfile_open(const char *path, bool follow, struct err *);
/* Bytes that come once.  Begins at byte 0, which a feed may keep no more: seek first. */
struct logfile *logfile_of_feed(struct feed *);
/* A second, independent reader at byte 0 of the same file.  NULL with errno and err set. */
struct logfile *logfile_again(const struct logfile *, struct err *);
void logfile_close(struct logfile **);
/* Nothing more will be read: gives the memory back; identity, position and descriptor stay. */
void logfile_stop(struct logfile *);

/* To an offset at which a line begins.  False where the file does not reach that far. */
bool logfile_seek(struct logfile *, uint64_t offset, struct err *);
/* The next line, if it is in memory already: no system call. */
bool logfile_take(struct logfile *, struct line *);
/* Of a plain file of which nothing was read yet: reads ahead, and gives out nothing.  True where there
 * is something; then it is in memory, and the identity knows it, whatever becomes of the file. */
bool logfile_look(struct logfile *);
/* The next line.  line->file_no is left alone. */
enum logfile_state logfile_next(struct logfile *, struct line *, struct err *);
/* What lies behind the last newline, as a line; false where there is nothing.  After it
 * the file is not read any more. */
bool logfile_rest(struct logfile *, struct line *);

const struct file_id *logfile_id(const struct logfile *);
bool logfile_is_gz(const struct logfile *);
/* What it is packed with, by its content: "gzip", others of which rpvd reads nothing; or NULL. */
const char *logfile_packer(const struct logfile *);
uint64_t logfile_position(const struct logfile *);	/* where the next line begins */
uint64_t logfile_end(const struct logfile *);		/* its size on disk, now */
uint64_t logfile_seen(const struct logfile *);		/* how far it was read at all */
int64_t logfile_mtime_ns(const struct logfile *);	/* now */
/* How far of how much, in bytes on disk (for gzip: compressed ones). */
void logfile_progress(const struct logfile *, uint64_t *offset, uint64_t *size);
void logfile_counts(const struct logfile *, uint64_t *overlong, uint64_t *nul_bytes);

/* Of what has this name now, without opening it (head_len is 0).  False with errno and err
 * set as by logfile_open(). */
bool file_id_of(struct file_id *, const char *path, bool follow, struct err *);
/* The same file in the file system, whatever it holds now. */
bool file_id_same(const struct file_id *, const struct file_id *);
/* Whether the position knows enough of its file to find it by content: a whole line, or more
 * than two lines have in common. */
bool file_pos_is_telling(const struct file_pos *);
/* Begins with the bytes by which the identity knows its file, and reaches the offset. */
bool logfile_holds(const struct logfile *, const struct file_pos *);
/* Begins with these bytes, and ends before the offset: a copy that was made before all was read. */
bool logfile_is_short_of(const struct logfile *, const struct file_pos *);
/* Holds, before `old`'s position, what `old` had there (gzip: not looked at, true). */
bool logfile_continues(const struct logfile *, const struct logfile *old);
/* As far as both know their first bytes, these are the same. */
bool logfile_shares_head(const struct logfile *, const struct logfile *);
/* Its bytes are the first of another file: a copy, whole or in the making. */
bool logfile_is_copy_of(const struct logfile *, const struct logfile *);

#endif
