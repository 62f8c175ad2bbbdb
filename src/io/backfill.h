/*
 * backfill: shows who sits at a terminal how far a replay or a rebuild is.
 */
#ifndef RPVD_BACKFILL_H
#define RPVD_BACKFILL_H

#include <stdbool.h>
#include <stddef.h>

struct backfill;
struct event_base;
struct site;

/* sites: borrowed, until backfill_end().  NULL where standard error is no terminal: then nothing is shown. */
struct backfill *backfill_begin(struct event_base *, struct site *const *sites, size_t n);
/* ok: the end was reached, and is told in one line. */
void backfill_end(struct backfill **, bool ok);

#endif
