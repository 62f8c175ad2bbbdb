/*
 * misfit: notices that a log's lines are not of the format that rpvd was told.
 *
 * One broken line in a thousand is the work of a scanner or of a full disk, and is only
 * counted.  Where most lines do not fit, the format is wrong, and the figures are of
 * nothing: then a sentence is to be had, with a guess what the lines are and one of them
 * as an example, in which each letter stands as a, each digit as 9, for it has addresses.
 */
#ifndef RPVD_MISFIT_H
#define RPVD_MISFIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/hit.h"

#define MISFIT_LINES 1000		/* of so many lines more than half, or ... */
#define MISFIT_FIRST 20			/* ... the first so many, all of them */

/* One log's; {0} at first. */
struct misfit {
	unsigned lines, rejected;	/* of the stretch of MISFIT_LINES that is read now */
	unsigned in_row;		/* that fitted, one after the other */
	bool is_loud, was_loud;
	unsigned of, unread;		/* when it became loud */
	const char *guess;
	char example[161];
};

/* A line was read.  line: its bytes, only looked at where it did not fit. */
void misfit_note(struct misfit *, enum hit_drop, const char *line, size_t len);
/* What a line that does not fit looks like, and what to do; or NULL. */
const char *misfit_guess(const char *line, size_t len);
/* True where lines do not fit (ever: or did not at some time), and err says so. */
bool misfit_problem(const struct misfit *, bool ever, const char *path, struct err *);

#endif
