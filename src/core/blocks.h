/*
 * blocks: gathers the records that a commit appends to blocks (names.h), so that each
 * block is one change however many records go into it.
 */
#ifndef RPVD_BLOCKS_H
#define RPVD_BLOCKS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "core/change.h"

struct blocks {				/* {0} is empty */
	struct block_record *records;
	size_t n_records, records_cap;
	struct block *list;
	size_t n, cap;
	struct map64 index;		/* of kind, epoch and shard: place in list + 1 */
	struct buf bytes;
};

void blocks_append(struct blocks *, char kind, int64_t epoch, unsigned shard, struct slice record);
/* Writes them as changes, records in the order in which they came, and empties it. */
void blocks_changes(struct blocks *, struct changes *);

#endif
