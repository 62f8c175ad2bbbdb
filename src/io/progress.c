/*
 * progress: see progress.h.
 */
#include "io/progress.h"

#define KNOWN_MS 1000			/* before that a rate says nothing */
#define FIRST_SAID_MS 10000
#define SAID_MS 60000

bool
progress_note(struct progress *p, uint64_t behind, int64_t uptime_ms)
{
	if (behind == 0) {
		*p = (struct progress){ 0 };
		return (false);
	}
	if (!p->is_behind)
		*p = (struct progress){ .is_behind = true, .begun_ms = uptime_ms, .said_ms = uptime_ms - SAID_MS + FIRST_SAID_MS,
		    .all = behind };
	else if (behind > p->behind)
		p->all += behind - p->behind;	/* more has come, or one more file was found */
	p->behind = behind;
	if (uptime_ms - p->said_ms < SAID_MS)
		return (false);
	p->said_ms = uptime_ms;
	return (true);
}

int64_t
progress_seconds(const struct progress *p, int64_t uptime_ms)
{
	int64_t passed = uptime_ms - p->begun_ms;

	if (!p->is_behind || passed < KNOWN_MS || p->all == p->behind)
		return (-1);
	return ((int64_t)((double)p->behind / (double)(p->all - p->behind) * (double)passed / 1000 + 0.5));
}
