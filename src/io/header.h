/*
 * header: the header that holds at a place of a W3C log.
 *
 * The last line "#Fields:" above a line says what its columns are.  Who reads a log from its
 * begin meets it; who goes on in the middle of a file, or with another file, does not.  Then it
 * is found again on disk: above the place in the same file, else (a file that was emptied
 * after it was copied has none) in the file before it, and so on.  So it is never stored, and
 * is the same after a restart.
 */
#ifndef RPVD_HEADER_H
#define RPVD_HEADER_H

#include <stdbool.h>

#include "core/hit.h"
#include "io/tail.h"

struct headers;				/* of one log */

/* NULL where the format has none. */
struct headers *headers_new(const struct format *);
void headers_free(struct headers **);
/* The log is gone back in, or on: what was read is no sign of what holds at the next line. */
void headers_forget(struct headers *);

/* Before a line is parsed: sets the format's header where the line does not follow the last one. */
void headers_place(struct headers *, struct format *, const struct line *);
/* After it was rejected: whether a header was found on disk that holds there; then it is set, and the line is to
 * be parsed again.  Looks once in a file. */
bool headers_find(struct headers *, struct format *, const struct tail *, const struct line *);

#endif
