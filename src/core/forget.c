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
	free(f->visits);
	buf_free(&f->orders);
	*f = (struct forget){ 0 };
}

/* Where the number is, or belongs. */
static size_t
place_of(const uint64_t *list, size_t n, uint64_t number)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

static bool
has(const uint64_t *list, size_t n, uint64_t number)
{
	size_t at = place_of(list, n, number);

	return (at < n && list[at] == number);
}

static void
add(uint64_t **list, size_t *n, size_t *cap, uint64_t number)
{
	size_t at = place_of(*list, *n, number);

	mem_grow(list, cap, *n + 1, sizeof(**list));
	memmove(*list + at + 1, *list + at, (*n - at) * sizeof(**list));
	(*list)[at] = number;
	(*n)++;
}

bool
forget_has(const struct forget *f, uint64_t hash)
{
	return (has(f->hashes, f->n_hashes, hash));
}

bool
forget_add_hash(struct forget *f, uint64_t hash)
{
	if (hash == 0 || forget_has(f, hash))
		return (true);
	if (f->n_hashes >= FORGET_HASHES_MAX)
		return (false);
	add(&f->hashes, &f->n_hashes, &f->hashes_cap, hash);
	return (true);
}

bool
forget_has_visit(const struct forget *f, uint64_t id)
{
	return (has(f->visits, f->n_visits, id));
}

void
forget_add_visit(struct forget *f, uint64_t id)
{
	if (id != 0 && !forget_has_visit(f, id))
		add(&f->visits, &f->n_visits, &f->visits_cap, id);
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
	for (size_t i = 0; i < f->n_visits; i++)
		buf_varint(out, f->visits[i]);
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
	while (!r.bad && reader_more(&r))
		forget_add_visit(f, reader_varint(&r));
	if (!r.bad)
		return (0);
	forget_clear(f);
	return (-1);
}

void
forget_field(const struct forget *f, struct name *field)
{
	field->len = (size_t)snprintf(field->text, sizeof(field->text), "%016llx", (unsigned long long)f->id);
}
