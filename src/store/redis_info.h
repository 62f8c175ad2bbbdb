/*
 * redis_info: what a Redis says of itself (INFO), as far as it matters here.  Pure.
 */
#ifndef RPVD_REDIS_INFO_H
#define RPVD_REDIS_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct redis_info {
	bool known;			/* false: it was not told, and the rest means nothing */
	char software[16], version[24];	/* "redis", "valkey"; "7.0.15" */
	bool replica, cluster;
	uint64_t used, max;		/* bytes; max 0: as many as there are */
	char eviction[32];		/* maxmemory-policy */
	bool aof, aof_failed, snapshot_failed;
	uint64_t unsaved;		/* changes since the last snapshot */
	int64_t saved_at;		/* when that was; seconds */
	enum { SNAPSHOTS_UNKNOWN, SNAPSHOTS_OFF, SNAPSHOTS_ON } snapshots;	/* by CONFIG GET save */
};

/* A whole reply to INFO.  snapshots stays as it was. */
void redis_info_parse(struct redis_info *, struct slice text);
/* Keys may vanish, since they may be evicted.  False where not, or where that is not known. */
bool redis_info_evicts(const struct redis_info *);
/* Primaries of a cluster that have slots, by a reply to CLUSTER INFO; 0 where it does not say. */
uint64_t redis_info_primaries(struct slice text);
/* What a crash of Redis would cost, in one sentence. */
void redis_info_persistence(const struct redis_info *, struct err *sentence);
/* "1.2 MB of 64 MB" */
void redis_info_memory(const struct redis_info *, struct err *text);

#endif
