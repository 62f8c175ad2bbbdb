/*
 * generations: the files of one log that lie in its directory, oldest first.
 *
 * These are the file of the log's own name (the live one) and those whose names begin with
 * it.  All of them may turn out to be the file of a position, by identity or content; as
 * something to read from its start counts only what is named like a rotated file: digits and
 * separators (or .old) behind the log's name, compressed or not, so that a copy that somebody
 * made by hand is not taken for a day of traffic.
 */
#ifndef RPVD_GENERATIONS_H
#define RPVD_GENERATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/logfile.h"

struct generation {
	char *name;			/* within the directory */
	struct logfile *file;		/* NULL where it may not be read; taken by setting it to NULL */
	struct file_id id;
	int64_t mtime_ns;
	long number;			/* N of NAME.N[.gz]; -1 */
	bool is_rotated;		/* by its name */
};

struct generations {
	char *dir;
	struct generation *items;	/* what is not rotated by its name, then oldest first, the live one last */
	size_t count, cap;
	bool has_live;			/* and it is open */
	struct err live_err;		/* why not */
};

/* {0} at first.  follow: path itself may be a symbolic link (no other file of the log may); its
 * target's directory is searched then.  0, or -1 with err set where no sure answer is to be had
 * now: what was looked at changed meanwhile, no descriptors are left, ... */
int generations_scan(struct generations *, const char *path, bool follow, struct err *);
void generations_free(struct generations *);
/* Adds a file that is open already, unless it or what was made of it is among them.  Takes it over. */
void generations_add_held(struct generations *, struct logfile *);

/* The file of this position: by identity, else by content.  `old` may be NULL, or is what
 * the position was read in: then the bytes before the position must be the same, too.  -1: none. */
ptrdiff_t generations_find(const struct generations *, const struct file_pos *, const struct logfile *old);
/* The file of this identity, whatever it holds, or -1. */
ptrdiff_t generations_find_id(const struct generations *, const struct file_id *);
/* Whether it is to be read as a part of the log: rotated or live, and no copy of one that is. */
bool generations_is_part(const struct generations *, size_t i);

/* By their names: path is a rotated file of the log live. */
bool generations_is_rotated(const char *live, const char *path);

/* The directory in which the log's files lie; the caller's. */
char *generations_dir(const char *path, bool follow);

#endif
