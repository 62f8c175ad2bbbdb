/*
 * hit_time: the time stamps of web servers, read by position.
 *
 * No strptime: it depends on the locale, forgives too much, and is slow.  Each
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

#endif
