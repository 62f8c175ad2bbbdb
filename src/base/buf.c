/*
 * buf: see buf.h.
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void
buf_reserve(struct buf *b, size_t more)
{
	must(more <= SIZE_MAX / 4 && b->len <= SIZE_MAX / 4);
	if (b->cap - b->len < more)
		mem_grow(&b->p, &b->cap, b->len + more, 1);
}

void
buf_put(struct buf *b, const void *p, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(b, len);
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	for (size_t room = 128;; room = (size_t)n + 1) {
		buf_reserve(b, room);
		va_start(ap, fmt);
		n = vsnprintf(b->p + b->len, room, fmt, ap);
		va_end(ap);
		must(n >= 0);
		if ((size_t)n < room)
			break;
	}
	b->len += (size_t)n;
}

size_t
decimal_put(char *out, int64_t v)
{
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char text[20], *p = text + sizeof(text);

	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (v < 0)
		*--p = '-';
	memcpy(out, p, (size_t)(text + sizeof(text) - p));
	return ((size_t)(text + sizeof(text) - p));
}

static void
put_word(struct buf *b, uint64_t v, size_t len)
{
	char bytes[8];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(v >> (8 * i));
	buf_put(b, bytes, len);
}

void
buf_u32(struct buf *b, uint32_t v)
{
	put_word(b, v, 4);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	put_word(b, v, 8);
}

void
buf_varint_more(struct buf *b, uint64_t v)
{
	buf_reserve(b, 10);
	while (v >= 0x80) {
		b->p[b->len++] = (char)(v | 0x80);
		v >>= 7;
	}
	b->p[b->len++] = (char)v;
}

void
buf_svarint(struct buf *b, int64_t v)
{
	buf_varint(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void
buf_slice(struct buf *b, struct slice s)
{
	buf_varint(b, s.len);
	buf_put(b, s.p, s.len);
}

uint8_t
reader_u8(struct reader *r)
{
	if (!reader_more(r)) {
		r->bad = true;
		return (0);
	}
	return ((uint8_t)*r->p++);
}

static uint64_t
take_word(struct reader *r, size_t len)
{
	struct slice raw = reader_bytes(r, len);
	uint64_t v = 0;

	for (size_t i = raw.len; i-- > 0;)
		v = v << 8 | (uint8_t)raw.p[i];
	return (v);
}

uint32_t
reader_u32(struct reader *r)
{
	return ((uint32_t)take_word(r, 4));
}

uint64_t
reader_u64(struct reader *r)
{
	return (take_word(r, 8));
}

uint64_t
reader_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(r);

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return (r->bad ? 0 : v);
	}
	r->bad = true;
	return (0);
}

int64_t
reader_svarint(struct reader *r)
{
	uint64_t v = reader_varint(r);

	return ((int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0)));
}

int64_t
reader_within(struct reader *r, int64_t max)
{
	int64_t v = reader_svarint(r);

	if (v >= -max && v <= max)
		return (v);
	r->bad = true;
	return (0);
}

struct slice
reader_slice(struct reader *r)
{
	uint64_t len = reader_varint(r);

	if (!r->bad && len > (size_t)(r->end - r->p))
		r->bad = true;
	return (reader_bytes(r, r->bad ? 0 : (size_t)len));
}

struct slice
reader_bytes(struct reader *r, size_t len)
{
	struct slice s = { r->p, len };

	if (r->bad || len > (size_t)(r->end - r->p)) {
		r->bad = true;
		return ((struct slice){ "", 0 });
	}
	r->p += len;
	return (s);
}
