/*
 * progress: how long a site will still be reading what it has not read yet.
 */
#ifndef RPVD_PROGRESS_H
#define RPVD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
