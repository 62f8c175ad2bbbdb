/*
 * clock: the wall time, as far as it can be believed.
 *
 * A clock that is far ahead for a moment (a battery that is empty, a hand that slips) would end
 * every window, delete the journal by its age, and leave figures that wait for that time to come.
 * The time since boot cannot be set, and goes on while the host sleeps: where the wall clock steps
 * away from it by more than a few minutes, time goes on as before, and the step is believed only
 * when it has stood for an hour.  For a minute only, where it is likely that the clock was just set
 * right: in the hour after the boot, and when rpvd starts and the host may have been off meanwhile.
 * At once, where the time before is known to have been wrong.
 */
#ifndef RPVD_CLOCK_H
#define RPVD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct clock;

/* file: NULL, or a file that holds the time in Unix milliseconds, for tests; behind it, after a blank, the
 * milliseconds since boot.  Without these time only ever passes, however far it goes, and makes no steps.
 * NULL with err set. */
struct clock *clock_new(const char *file, struct err *err);
void clock_free(struct clock **);
/* Once, before the first clock_now_ms(): goes on from what DIR/clock says of an earlier run since this boot, and keeps
 * that file from now on.  Where it cannot be read or written, nothing is known of earlier runs. */
void clock_remember(struct clock *, const char *dir);
/* What is known from an earlier run: it was this late then. */
void clock_was(struct clock *, int64_t ms);
/* Unix milliseconds. */
int64_t clock_now_ms(struct clock *);
/* So far the host's clock was ahead of what is believed, at the last clock_now_ms(), or behind it (negative); 0: it is
 * believed. */
int64_t clock_off_ms(const struct clock *);
/* Steps since the start, believed or not. */
unsigned clock_steps(const struct clock *);
/* It has gone on without a step for hours: what is old by it may be removed for good. */
bool clock_is_steady(const struct clock *);

#endif
