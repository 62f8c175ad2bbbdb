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

static size_t
keep(struct changes *all, struct slice s)
{
	size_t at = all->bytes.len;

	buf_put(&all->bytes, s.p, s.len);
	return (at);
}

void
changes_add(struct changes *all, enum change_op op, struct slice key, struct slice field, struct slice value)
{
	struct change *c;

	mem_grow(&all->list, &all->cap, all->count + 1, sizeof(*all->list));
	c = &all->list[all->count++];
	c->op = op;
	c->key = keep(all, key);
	c->key_len = key.len;
	c->field = keep(all, field);
	c->field_len = field.len;
	c->value = keep(all, value);
	c->value_len = value.len;
}
