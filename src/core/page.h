/*
 * page: request target -> page, and what the target's query says.
 *
 * A page is the path: query and fragment removed, unreserved escapes decoded, other
 * escapes and bytes outside `!`-`~` as %XX in capitals, `//` folded, index.html,
 * index.htm and index.php removed, trailing `/` removed except the root, cut at 255
 * bytes.  Pure.
 */
#ifndef RPVD_PAGE_H
#define RPVD_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define PAGE_MAX 255

/* Writes the page to out, returns its length (1 to PAGE_MAX; not NUL-terminated).
 * An absolute target (GET http://host/path) gives its path. */
size_t page_of(struct slice target, char out[PAGE_MAX]);

/* The file name's extension is that of a static asset (case does not matter).
 * extensions: NULL-terminated, lower case, without the dot; NULL for the built-in list. */
bool page_is_asset(struct slice page, const char *const *extensions);

/* The query of a target: between the first `?` and `#`; empty where there is none. */
struct slice target_query(struct slice target);
/* The raw value of the first parameter of that name (names compare as bytes, undecoded);
 * false where it does not occur. */
bool query_param(struct slice query, struct slice name, struct slice *value);
/* Undoes %XX (malformed ones stay) and, with plus, `+` for space.  out has room for
 * text.len bytes; the length is returned. */
size_t percent_decode(struct slice text, bool plus, char *out);
/* The same by the byte: takes the next one off text, which is not empty. */
char percent_next(struct slice *text, bool plus);

#endif
