/*
 * hit_time: the time stamps of web servers, read by position.
 *
 * No strptime(3): it depends on the locale, forgives too much, and is slow.  Each
 * function gives Unix milliseconds (finer ones cut) of 1970 to 2100, or false where
 * the text is anything else; *ms is then untouched.
 */
#ifndef RPVD_HIT_TIME_H
#define RPVD_HIT_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* 22/Nov/2026:03:20:55 +0100 */
bool hit_time_local(struct slice, int64_t *ms);
/* 2026-11-22T03:20:55+01:00, or with a fraction, +0100 or Z */
bool hit_time_iso8601(struct slice, int64_t *ms);
/* 1795317655.459 */
bool hit_time_msec(struct slice, int64_t *ms);
/* 1795317655459, where a second has 1000 of them; a_second: a power of ten */
bool hit_time_unix(struct slice, int64_t a_second, int64_t *ms);
/* 2026-11-22 03:20:55 in UTC; a T or a tab for the blank, a fraction and a zone where there are any */
bool hit_time_utc(struct slice, int64_t *ms);
/* 22/Nov/2026:03:20:55.459, as HAProxy writes it, taken as UTC */
bool hit_time_haproxy(struct slice, int64_t *ms);
/* Any of these, also in brackets, also seconds, milli-, micro- or nanoseconds by their number of digits */
bool hit_time_any(struct slice, int64_t *ms);

/* As strftime(3) writes it with that pattern; "msec_frac" and "usec_frac" in it are the fraction of a
 * second, as in Apache's %{...}t.  Without a zone it is taken as UTC. */
bool hit_time_pattern(const char *pattern, struct slice, int64_t *ms);
/* Whether a pattern gives date and time, by letters that are known. */
bool hit_time_pattern_check(struct slice pattern);

#endif
