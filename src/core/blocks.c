/*
 * blocks: see blocks.h.
 */
#include "core/blocks.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/names.h"

struct block_record {
	size_t at, len;
	size_t next;			/* place of the next record of its block + 1; 0: the last */
};

struct block {
	char kind;
	unsigned shard;
	int64_t epoch;
	size_t first, last;		/* places of records */
};

static struct block *
block_of(struct blocks *b, char kind, int64_t epoch, unsigned shard)
{
	uint64_t key = (uint64_t)epoch << 24 | (uint64_t)(unsigned char)kind << 16 | shard;
	uintptr_t place = (uintptr_t)map64_get(&b->index, key);

	if (place == 0) {
		mem_grow(&b->list, &b->cap, b->n + 1, sizeof(*b->list));
		b->list[b->n++] = (struct block){ kind, shard, epoch, SIZE_MAX, SIZE_MAX };
		place = b->n;
		map64_put(&b->index, key, (void *)place);
	}
	return (&b->list[place - 1]);
}

void
blocks_append(struct blocks *b, char kind, int64_t epoch, unsigned shard, struct slice record)
{
	struct block *block = block_of(b, kind, epoch, shard);

	mem_grow(&b->records, &b->records_cap, b->n_records + 1, sizeof(*b->records));
	b->records[b->n_records] = (struct block_record){ b->bytes.len, record.len, 0 };
	buf_put(&b->bytes, record.p, record.len);
	if (block->last == SIZE_MAX)
		block->first = b->n_records;
	else
		b->records[block->last].next = b->n_records + 1;
	block->last = b->n_records++;
}

void
blocks_changes(struct blocks *b, struct changes *out)
{
	struct buf value = { 0 };
	struct name name;

	for (size_t i = 0; i < b->n; i++) {
		const struct block *block = &b->list[i];

		value.len = 0;
		for (size_t k = block->first + 1; k != 0; k = b->records[k - 1].next)
			buf_put(&value, b->bytes.p + b->records[k - 1].at, b->records[k - 1].len);
		name_shard(&name, block->kind, block->epoch, block->shard);
		changes_add(out, CHANGE_APPEND, name_view(&name), SLICE(""), buf_view(&value));
	}
	buf_free(&value);
	buf_free(&b->bytes);
	map64_free(&b->index);
	free(b->records);
	free(b->list);
	*b = (struct blocks){ 0 };
}
