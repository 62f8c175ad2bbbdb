/*
 * heap: a binary heap of pointers; the smallest comes first.
 */
#ifndef RPVD_HEAP_H
#define RPVD_HEAP_H

#include <stddef.h>

struct heap {
	int (*compare)(const void *a, const void *b);	/* <0, 0, >0; a total order */
	void **items;
	size_t count, cap;
};

void heap_free(struct heap *);			/* the table, not the items */
void heap_push(struct heap *, void *item);
void *heap_first(const struct heap *);		/* NULL where empty */
void *heap_pop(struct heap *);			/* NULL where empty */

#endif
