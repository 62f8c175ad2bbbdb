/*
 * clock: the wall time, as far as it can be believed.
 *
 * A clock that is far ahead for a moment (a battery that is empty, a hand that slips) would end
 * every window, delete the journal by its age, and leave figures that wait for a year to come.
 */
#ifndef RPVD_CLOCK_H
#define RPVD_CLOCK_H

#include <stdint.h>

#include "base/err.h"

struct clock;

/* file: NULL, or a file that holds the time in Unix milliseconds, for tests.  NULL with err set. */
struct clock *clock_new(const char *file, struct err *err);
void clock_free(struct clock **);
/* Unix milliseconds.  Where the clock leaps ahead by more than a year, time goes on as before for an
 * hour; then it is believed.  Back it may go at any time. */
int64_t clock_now_ms(struct clock *);
/* What is known from an earlier run: it was this late then. */
void clock_was(struct clock *, int64_t ms);
/* So far the host's clock is ahead of what is believed; 0: it is believed. */
int64_t clock_ahead_ms(const struct clock *);

#endif
