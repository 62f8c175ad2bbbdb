/*
 * schema: what the records of a state are made for, as one text in its `meta`: the
 * layout's version and, where they are not the default ones, the windows, shortest first:
 * "2", "2 3h/5m 24h/15m".  A window's records are sums by its buckets: of other windows
 * they say nothing, so that other windows are another state.  Pure.
 */
#ifndef RPVD_SCHEMA_H
#define RPVD_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "core/window.h"

#define WINDOW_NAME_MAX 7		/* bytes: the configuration allows no longer one (window_parse()) */

/* Appends that of a state of these windows, sorted by length.  n 0: the default ones. */
void schema_text(const struct level *, size_t n, const char *version, struct buf *out);
/* The version of one, and its windows as they are written: "1h/1m 24h/15m". */
struct slice schema_version(struct slice schema);
void schema_windows(struct slice schema, struct buf *out);
/* Appends the names of its windows, with blanks between: "1h 24h". */
void schema_names(struct slice schema, struct buf *out);
/* Appends, likewise and each once, the names of windows that the `gone` have and `schema` has not.  gone: schemas, each
 * with a ';' before the next. */
void schema_gone(struct slice gone, struct slice schema, struct buf *out);

#endif
