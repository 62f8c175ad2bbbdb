/*
 * progress: how far the reading of logs is, how fast, and how long it will still take.  Pure.
 */
#ifndef RPVD_PROGRESS_H
#define RPVD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct progress {			/* {0} at first */
	bool is_behind;
	int64_t begun_ms, said_ms;
	uint64_t all, behind;		/* bytes: met since begun_ms; of these not yet read */
};

/* behind: bytes not yet read; 0 where the logs are read to their end.  uptime_ms: of a clock that only
 * ever passes.  True where it takes so long that the log should tell: after 10 s, then once a minute. */
bool progress_note(struct progress *, uint64_t behind, int64_t uptime_ms);
/* By what was read so far; -1: nobody knows yet, or nothing is behind. */
int64_t progress_seconds(const struct progress *, int64_t uptime_ms);

/* How fast, over the last seconds. */
struct pace {				/* {0} at first */
	int64_t begun_ms, noted_ms;
	uint64_t first, noted;		/* lines: when it began, and at noted_ms */
	double a_second;
};

void pace_note(struct pace *, uint64_t lines, int64_t uptime_ms);

/* What a person is shown of a replay. */
struct replayed {
	uint64_t read, size;		/* bytes on disk; size is that of read where nobody knows what comes (a pipe) */
	uint64_t lines;
	int64_t event_ms;		/* event time reached; INT64_MIN: none yet */
};

/* "35% of 3.4 GB, 450,000 lines/s, 12 s left, at 2026-03-02 14:05 UTC" */
void progress_put(struct buf *out, const struct replayed *, const struct pace *, int64_t uptime_ms);
/* "2,000,000 lines (412 MB) in 1.2 s, 1,650,000 lines/s, up to 2026-03-02 14:05 UTC" */
void progress_put_sum(struct buf *out, const struct replayed *, const struct pace *, int64_t uptime_ms);

#endif
