/*
 * feed: bytes that come once, kept for a while as if they were a file.
 *
 * Standard input and what a syslog sender says have no place to go back to.  A feed gives each of
 * their bytes an offset and keeps the latest in memory, so that they can be read by position all the
 * same: those of a pipe as far as a reader looks back, those of a sender until they are committed.
 * Nothing of it reaches the disk, for it has addresses in it.
 */
#ifndef RPVD_FEED_H
#define RPVD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

#define FEED_WAIT_MS 50			/* so long at most a pipe is waited for */

struct feed;

/* fd is read when bytes are asked for that have not come yet; it stays the caller's. */
struct feed *feed_of_pipe(int fd);
/* Filled by feed_put(); holds limit bytes at most. */
struct feed *feed_new(size_t limit);
/* One more owner; each ends with feed_free(). */
struct feed *feed_share(struct feed *);
void feed_free(struct feed **);

/* As pread(): 0 where nothing (more) is there now.  -1 with errno: EIO and others of the pipe; ESPIPE
 * where those bytes are kept no more. */
ssize_t feed_read(struct feed *, void *out, size_t room, uint64_t offset);
/* No byte will come any more. */
bool feed_has_ended(const struct feed *);
bool feed_is_pipe(const struct feed *);
/* Offsets of the first byte that can be read, and behind the last one. */
uint64_t feed_begin(const struct feed *);
uint64_t feed_end(const struct feed *);
/* The same at its end, as far as that is known. */
uint64_t feed_size(const struct feed *);
/* Another number for each feed_new(), over restarts, too. */
uint64_t feed_id(const struct feed *);

/* A line, without its newline; only where feed_room() has room for both. */
void feed_put(struct feed *, struct slice line);
size_t feed_room(const struct feed *);
/* What is before offset is committed.  An eighth of the limit stays in memory all the same: a Redis that
 * crashes may forget its last second, and it is read again; until feed_rest(), when nothing has come for long. */
void feed_release(struct feed *, uint64_t offset);
void feed_rest(struct feed *);

#endif
