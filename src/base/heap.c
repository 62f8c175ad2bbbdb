/*
 * heap: see heap.h.
 */
#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

void
heap_free(struct heap *h)
{
	free(h->items);
	h->items = NULL;
	h->count = h->cap = 0;
}

void
heap_push(struct heap *h, void *item)
{
	size_t i = h->count++, parent;

	mem_grow(&h->items, &h->cap, h->count, sizeof(*h->items));
	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (h->compare(h->items[parent], item) <= 0)
			break;
		h->items[i] = h->items[parent];
	}
	h->items[i] = item;
}

void *
heap_first(const struct heap *h)
{
	return (h->count > 0 ? h->items[0] : NULL);
}

void *
heap_pop(struct heap *h)
{
	void *first = heap_first(h), *last;
	size_t i = 0, child;

	if (first == NULL)
		return (NULL);
	last = h->items[--h->count];
	while ((child = 2 * i + 1) < h->count) {
		if (child + 1 < h->count && h->compare(h->items[child + 1], h->items[child]) < 0)
			child++;
		if (h->compare(last, h->items[child]) <= 0)
			break;
		h->items[i] = h->items[child];
		i = child;
	}
	if (h->count > 0)
		h->items[i] = last;
	return (first);
}
