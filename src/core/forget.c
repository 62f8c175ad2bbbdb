/*
 * forget: see forget.h.
 */
#include "core/forget.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define VERSION 0xf1			/* no version of an order event */

void
forget_clear(struct forget *f)
{
	free(f->hashes);
	buf_free(&f->orders);
	*f = (struct forget){ 0 };
}

/* Where the hash is, or belongs. */
static size_t
place_of(const struct forget *f, uint64_t hash)
{
	size_t low = 0, high = f->n_hashes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->hashes[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

bool
forget_has(const struct forget *f, uint64_t hash)
{
	size_t at = place_of(f, hash);

	return (at < f->n_hashes && f->hashes[at] == hash);
}

bool
forget_add_hash(struct forget *f, uint64_t hash)
{
	size_t at = place_of(f, hash);

	if (hash == 0 || (at < f->n_hashes && f->hashes[at] == hash))
		return (true);
	if (f->n_hashes >= FORGET_HASHES_MAX)
		return (false);
	mem_grow(&f->hashes, &f->hashes_cap, f->n_hashes + 1, sizeof(*f->hashes));
	memmove(f->hashes + at + 1, f->hashes + at, (f->n_hashes - at) * sizeof(*f->hashes));
	f->hashes[at] = hash;
	f->n_hashes++;
	return (true);
}

bool
forget_add_order(struct forget *f, struct slice name)
{
	if (f->n_orders >= FORGET_ORDERS_MAX)
		return (false);
	buf_slice(&f->orders, name);
	f->n_orders++;
	return (true);
}

bool
forget_is(struct slice bytes)
{
	return (bytes.len > 0 && (uint8_t)bytes.p[0] == VERSION);
}

void
forget_encode(const struct forget *f, struct buf *out)
{
	buf_putc(out, (char)VERSION);
	buf_u64(out, f->id);
	buf_svarint(out, f->time_ms);
	buf_varint(out, f->n_hashes);
	for (size_t i = 0; i < f->n_hashes; i++)
		buf_u64(out, f->hashes[i]);
	buf_varint(out, f->n_orders);
	buf_put(out, f->orders.p, f->orders.len);
}

static void
take_orders(struct reader *r, struct forget *f)
{
	uint64_t n = reader_varint(r);

	if (n > FORGET_ORDERS_MAX)
		r->bad = true;
	for (uint64_t i = 0; i < n && !r->bad; i++) {
		struct slice name = reader_slice(r);

		if (name.len > NAME_MAX_LEN)
			r->bad = true;
		else
			forget_add_order(f, name);
	}
}

int
forget_decode(struct slice bytes, struct forget *f)
{
	struct reader r = reader_of(bytes);
	uint64_t n;

	if (reader_u8(&r) != VERSION)
		return (-1);
	f->id = reader_u64(&r);
	f->time_ms = reader_within(&r, TIME_MAX_MS);
	n = reader_varint(&r);
	if (n > FORGET_HASHES_MAX || f->time_ms < 0)
		r.bad = true;
	for (uint64_t i = 0; i < n && !r.bad; i++)
		forget_add_hash(f, reader_u64(&r));
	take_orders(&r, f);
	if (!r.bad && !reader_more(&r))
		return (0);
	forget_clear(f);
	return (-1);
}

void
forget_field(const struct forget *f, struct name *field)
{
	field->len = (size_t)snprintf(field->text, sizeof(field->text), "%016llx", (unsigned long long)f->id);
}
