/*
 * slice: borrowed bytes.  Whoever made the slice says how long they live; they are
 * bytes, not text: no NUL at the end, and a NUL inside is a byte like any other.
 */
#ifndef RPVD_SLICE_H
#define RPVD_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct slice {
	const char *p;
	size_t len;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })
#define SLICE_FMT(s) (int)(s).len, (s).p	/* for "%.*s" */

static inline struct slice
slice_of(const char *s)
{
	return ((struct slice){ s, s != NULL ? strlen(s) : 0 });
}

static inline struct slice
slice_make(const char *p, size_t len)
{
	return ((struct slice){ p, len });
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return (a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0));
}

static inline bool
slice_is(struct slice a, const char *s)
{
	return (slice_equal(a, slice_of(s)));
}

static inline char
ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
}

/* Equal but for ASCII case. */
static inline bool
slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return (false);
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return (false);
	return (true);
}

static inline bool
slice_starts(struct slice a, struct slice prefix)
{
	return (a.len >= prefix.len && (prefix.len == 0 || memcmp(a.p, prefix.p, prefix.len) == 0));
}

static inline bool
slice_ends(struct slice a, struct slice suffix)
{
	return (a.len >= suffix.len && (suffix.len == 0 ||
	    memcmp(a.p + a.len - suffix.len, suffix.p, suffix.len) == 0));
}

/* memchr() of a byte that is mostly among the next few: what a log line is cut at stands so near that the
 * call costs more than the search. */
static inline const char *
byte_near(const char *p, const char *end, char c)
{
#ifdef __SSE2__
	const __m128i wanted = _mm_set1_epi8(c);

	for (; end - p >= 16; p += 16) {
		int found = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), wanted));

		if (found != 0)
			return (p + __builtin_ctz((unsigned)found));
	}
#endif
	return (p < end ? memchr(p, c, (size_t)(end - p)) : NULL);
}

/* Position of the byte, or -1. */
static inline ptrdiff_t
slice_find(struct slice a, char c)
{
	const char *hit = a.len > 0 ? byte_near(a.p, a.p + a.len, c) : NULL;

	return (hit != NULL ? hit - a.p : -1);
}

static inline struct slice
slice_skip(struct slice a, size_t n)
{
	if (n > a.len)
		n = a.len;
	return (n > 0 ? (struct slice){ a.p + n, a.len - n } : a);	/* NULL + 0 is undefined */
}

/* Everything before the first `c` ends up in the result, *rest is what follows it
 * (empty where there is none); the usual way to walk "a&b&c". */
static inline struct slice
slice_cut(struct slice *rest, char c)
{
	ptrdiff_t at = slice_find(*rest, c);
	struct slice head = *rest;

	if (at < 0) {
		*rest = slice_skip(*rest, rest->len);
		return (head);
	}
	head.len = (size_t)at;
	*rest = slice_skip(*rest, (size_t)at + 1);
	return (head);
}

#endif
