/*
 * blocks: gathers the records that a commit appends to blocks (names.h), so that each
 * block is one change however many records go into it.  Until then they can be read here.
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

void blocks_free(struct blocks *);
void blocks_append(struct blocks *, char kind, int64_t epoch, unsigned shard, struct slice record);
/* The records of one block in the order in which they came, while there is one; *at: 0 before the first. */
bool blocks_next(const struct blocks *, char kind, int64_t epoch, unsigned shard, size_t *at, struct slice *record);
/* All records of a kind, as they stand: keep answers false where one is to be taken out again. */
void blocks_filter(struct blocks *, char kind, bool (*keep)(struct slice record, void *arg), void *arg);
/* About what it takes of memory. */
size_t blocks_bytes(const struct blocks *);
/* Writes them as changes, records in the order in which they came, and empties it. */
void blocks_changes(struct blocks *, struct changes *);

#endif
