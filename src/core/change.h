/*
 * change: what a commit has to write, as a value that a test can read.
 *
 * The engine names records by a suffix ("b:1m:29538720"); the store puts the site's
 * prefix before it and turns the list into one atomic step.  Every change is absolute
 * or, for APPEND, such that a repeated record says the same again.
 */
#ifndef RPVD_CHANGE_H
#define RPVD_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum change_op {
	CHANGE_SET,		/* string: value */
	CHANGE_APPEND,		/* string: value at the end */
	CHANGE_HSET,		/* hash: field, value */
	CHANGE_HDEL,		/* hash: field */
	CHANGE_SADD,		/* set: field */
	CHANGE_SREM,		/* set: field */
	CHANGE_ZADD,		/* sorted set: field is the member, value its score in decimal */
	CHANGE_DEL,		/* the whole record, of whatever type */
	CHANGE_OPS
};

/* Offsets into changes.bytes, which moves while it grows.  There can be half a million of them. */
struct change {
	enum change_op op;
	uint32_t key, key_len, field, field_len, value, value_len;
};

struct changes {
	struct change *list;
	size_t count, cap;
	struct buf bytes;
};

void changes_free(struct changes *);			/* {0} is an empty list */
void changes_clear(struct changes *);			/* keeps the memory */
void changes_add(struct changes *, enum change_op, struct slice key, struct slice field, struct slice value);

static inline struct slice
change_key(const struct changes *all, const struct change *c)
{
	return (slice_make(all->bytes.p + c->key, c->key_len));
}

static inline struct slice
change_field(const struct changes *all, const struct change *c)
{
	return (slice_make(all->bytes.p + c->field, c->field_len));
}

static inline struct slice
change_value(const struct changes *all, const struct change *c)
{
	return (slice_make(all->bytes.p + c->value, c->value_len));
}

#endif
