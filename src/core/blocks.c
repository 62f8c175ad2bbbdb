/*
 * blocks: see blocks.h.
 */
#include "core/blocks.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/names.h"

struct block_record {
	uint32_t at, len;
	uint32_t next;			/* place of the next record of its block + 1; 0: the last */
};

struct block {
	char kind;
	unsigned shard;
	int64_t epoch;
	uint32_t first, last;		/* places of records + 1 */
};

static uint64_t
index_of(char kind, int64_t epoch, unsigned shard)
{
	return ((uint64_t)epoch << 24 | (uint64_t)(unsigned char)kind << 16 | shard);
}

static struct block *
block_of(struct blocks *b, char kind, int64_t epoch, unsigned shard)
{
	uint64_t key = index_of(kind, epoch, shard);
	uintptr_t place = (uintptr_t)map64_get(&b->index, key);

	if (place == 0) {
		mem_grow(&b->list, &b->cap, b->n + 1, sizeof(*b->list));
		b->list[b->n++] = (struct block){ kind, shard, epoch, 0, 0 };
		place = b->n;
		map64_put(&b->index, key, (void *)place);
	}
	return (&b->list[place - 1]);
}

void
blocks_free(struct blocks *b)
{
	buf_free(&b->bytes);
	map64_free(&b->index);
	free(b->records);
	free(b->list);
	*b = (struct blocks){ 0 };
}

void
blocks_append(struct blocks *b, char kind, int64_t epoch, unsigned shard, struct slice record)
{
	struct block *block = block_of(b, kind, epoch, shard);

	mem_grow(&b->records, &b->records_cap, b->n_records + 1, sizeof(*b->records));
	must(b->bytes.len <= UINT32_MAX && b->n_records < UINT32_MAX);
	b->records[b->n_records] = (struct block_record){ (uint32_t)b->bytes.len, (uint32_t)record.len, 0 };
	buf_put(&b->bytes, record.p, record.len);
	b->n_records++;
	*(block->last == 0 ? &block->first : &b->records[block->last - 1].next) = (uint32_t)b->n_records;
	block->last = (uint32_t)b->n_records;
}

static struct slice
record_at(const struct blocks *b, size_t place)
{
	return (slice_make(b->bytes.p + b->records[place - 1].at, b->records[place - 1].len));
}

bool
blocks_next(const struct blocks *b, char kind, int64_t epoch, unsigned shard, size_t *at, struct slice *record)
{
	uintptr_t place = *at == 0 ? (uintptr_t)map64_get(&b->index, index_of(kind, epoch, shard)) : 0;

	*at = *at > 0 ? b->records[*at - 1].next : place > 0 ? b->list[place - 1].first : 0;
	if (*at > 0)
		*record = record_at(b, *at);
	return (*at > 0);
}

/* What is taken out stays without bytes. */
void
blocks_filter(struct blocks *b, char kind, bool (*keep)(struct slice record, void *arg), void *arg)
{
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = b->list[i].kind == kind ? b->list[i].first : 0; k != 0; k = b->records[k - 1].next)
			if (!keep(record_at(b, k), arg))
				b->records[k - 1].len = 0;
}

size_t
blocks_bytes(const struct blocks *b)
{
	return (b->bytes.len + b->n_records * sizeof(*b->records) + b->n * (sizeof(*b->list) + 2 * sizeof(struct map64_slot)));
}

void
blocks_changes(struct blocks *b, struct changes *out)
{
	struct buf value = { 0 };
	struct name name;

	for (size_t i = 0; i < b->n; i++) {
		const struct block *block = &b->list[i];

		value.len = 0;
		for (size_t k = block->first; k != 0; k = b->records[k - 1].next)
			buf_put(&value, b->bytes.p + b->records[k - 1].at, b->records[k - 1].len);
		if (value.len == 0)
			continue;
		name_shard(&name, block->kind, block->epoch, block->shard);
		changes_add(out, CHANGE_APPEND, name_view(&name), SLICE(""), buf_view(&value));
	}
	buf_free(&value);
	blocks_free(b);
}
