/*
 * syntax: the text of a configuration file -> text that libConfuse cannot stumble over.
 *
 * libConfuse 3.3 stops at the first mistake.  It also counts a comment as three lines,
 * goes on inside a string at the next file where one was not closed, unescapes `\\` in
 * single quotes, and lets a section replace an earlier one of the same title.  So every
 * statement is looked at here first: a mistaken one is reported and left out, comments
 * go, and each value and title gets its line and a running number in front.  Every option
 * is a list to libConfuse: one that stands twice has the values of both, so that both are
 * looked at.
 * Internal to src/conf.
 */
#ifndef RPVD_SYNTAX_H
#define RPVD_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

#define LIST_MAX 1000			/* items of a list, sections of a file */

/* Mistakes, each with its line (0: none). */
struct mistakes {
	struct mistake { int line; char *text; } *list;
	size_t n, cap;
};

void mistake_add(struct mistakes *, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void mistakes_free(struct mistakes *);

/* Appends to *out what is left, NUL-terminated.  text has no NUL. */
void syntax_clean(struct slice text, struct buf *out, struct mistakes *);

#define MISTAKES_MORE "there are more mistakes than these"	/* the last of too many, which has no line */

/* What stands behind the numbers, and its line; *line is negative where a mistake was
 * reported already: there is a value, but it counts for nothing. */
const char *syntax_value(const char *numbered, int *line);
/* Stands in a list that has no item, for its line. */
bool syntax_is_no_item(const char *numbered);

#endif
