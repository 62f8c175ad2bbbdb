/*
 * change: see change.h.
 */
#include "core/change.h"

#include <stdlib.h>

#include "base/mem.h"

void
changes_free(struct changes *all)
{
	free(all->list);
	buf_free(&all->bytes);
	*all = (struct changes){ 0 };
}

void
changes_clear(struct changes *all)
{
	all->count = 0;
	all->bytes.len = 0;
}

static uint32_t
keep(struct changes *all, struct slice s)
{
	size_t at = all->bytes.len;

	buf_put(&all->bytes, s.p, s.len);
	must(all->bytes.len <= UINT32_MAX);
	return ((uint32_t)at);
}

#define SAME_KEYS 6			/* so far back: a series changes its record and a bucket of each window in turn */

/* Key of the next change, where it stands already. */
static bool
find_key(struct changes *all, struct slice key, uint32_t *at)
{
	for (size_t i = all->count; i-- > 0 && all->count - i <= SAME_KEYS;)
		if (slice_equal(change_key(all, &all->list[i]), key)) {
			*at = all->list[i].key;
			return (true);
		}
	return (false);
}

void
changes_add(struct changes *all, enum change_op op, struct slice key, struct slice field, struct slice value)
{
	struct change *c;
	uint32_t at;

	if (!find_key(all, key, &at))
		at = keep(all, key);
	mem_grow(&all->list, &all->cap, all->count + 1, sizeof(*all->list));
	c = &all->list[all->count++];
	c->op = op;
	c->key = at;
	c->key_len = (uint32_t)key.len;
	c->field = keep(all, field);
	c->field_len = (uint32_t)field.len;
	c->value = keep(all, value);
	c->value_len = (uint32_t)value.len;
}
