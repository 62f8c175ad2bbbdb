/*
 * table: columns of text for a terminal.  Pure: in come strings, out come lines.
 *
 * The first column is a name: left-aligned, and cut in its middle where the table would
 * be wider than the terminal, since both ends of a path or a campaign tell it from its
 * neighbours.  All others are right-aligned and never cut; where the terminal is too
 * narrow even so, columns are left out from the right.
 *
 * Cells may hold a stranger's bytes (from the log); table_safe() is applied to each.
 */
#ifndef RPVD_TABLE_H
#define RPVD_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct table;

struct table *table_new(const char *const *heads, size_t columns);
void table_free(struct table **);
/* Fills the rows from left to right. */
void table_cell(struct table *, struct slice text);
void table_text(struct table *, const char *text);
/* All rows must be complete.  No line is longer than width, but for a first column of
 * less than TABLE_NAME_MIN bytes. */
void table_write(const struct table *, size_t width, struct buf *out);

#define TABLE_NAME_MIN 12

/* Appends text, every byte outside 0x20-0x7e as \xHH: no escape sequence, no control or
 * bidi character reaches the terminal. */
void table_safe(struct buf *out, struct slice text);
/* The same, with its middle replaced by "..." where it is longer than width (at least 5). */
void table_cut(struct buf *out, struct slice text, size_t width);

/* "1 order is", "0 orders are": the number, and the word for one or for many. */
void table_count(struct buf *out, uint64_t n, const char *one, const char *many);

#endif
