/*
 * buf: a growing byte buffer, and the compact integers in which state is kept.
 *
 * Writers append and cannot fail.  A reader walks over foreign bytes: after the
 * first short or malformed field `bad` is set and every later read gives zero, so
 * that a decoder checks once, at its end.
 */
#ifndef RPVD_BUF_H
#define RPVD_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf {
	char *p;
	size_t len, cap;
};

void buf_free(struct buf *);				/* {0} is an empty one */
void buf_reserve(struct buf *, size_t more);
void buf_put(struct buf *, const void *, size_t);
void buf_puts(struct buf *, const char *);
void buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Decimal digits (and a sign) without a NUL; out has room for 20 bytes; returns how many. */
size_t decimal_put(char *out, int64_t);
void buf_u32(struct buf *, uint32_t);			/* 4 bytes, little-endian */
void buf_u64(struct buf *, uint64_t);			/* 8 bytes, little-endian */
void buf_varint_more(struct buf *, uint64_t);		/* as buf_varint() */
void buf_svarint(struct buf *, int64_t);		/* zigzag, then LEB128 */
void buf_slice(struct buf *, struct slice);		/* varint length, bytes */

static inline void
buf_putc(struct buf *b, char c)
{
	if (b->len == b->cap)
		buf_reserve(b, 1);
	b->p[b->len++] = c;
}

/* LEB128, 1-10 bytes. */
static inline void
buf_varint(struct buf *b, uint64_t v)
{
	if (v < 0x80)
		buf_putc(b, (char)v);	/* as nearly all of them */
	else
		buf_varint_more(b, v);
}

static inline struct slice
buf_view(const struct buf *b)
{
	return ((struct slice){ b->p, b->len });
}

struct reader {
	const char *p, *end;
	bool bad;
};

static inline struct reader
reader_of(struct slice s)
{
	const char *p = s.p != NULL ? s.p : "";		/* an absent record has no bytes */

	return ((struct reader){ p, p + s.len, false });
}

static inline bool
reader_more(const struct reader *r)
{
	return (!r->bad && r->p < r->end);
}

uint8_t reader_u8(struct reader *);
uint32_t reader_u32(struct reader *);
uint64_t reader_u64(struct reader *);
uint64_t reader_varint(struct reader *);
int64_t reader_svarint(struct reader *);
/* One of at most max in either direction; else bad, and 0. */
int64_t reader_within(struct reader *, int64_t max);
/* Borrowed from the bytes that are read. */
struct slice reader_slice(struct reader *);
struct slice reader_bytes(struct reader *, size_t len);

#endif
