/*
 * map: hash tables with open addressing.
 *
 * map64 goes from a 64-bit key to a pointer.  Its keys must be spread already:
 * keyed hashes, or counters (which are mixed).  strmap goes from bytes to a
 * pointer, under a random SipHash key, so that no stranger can flood it; keys are
 * copied.  Neither owns what its pointers point to.
 */
#ifndef RPVD_MAP_H
#define RPVD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/slice.h"

struct map64 {
	struct map64_slot { uint64_t key; void *value; } *slots;
	size_t cap, count;		/* cap is 0 or a power of two */
};

/* {0} is an empty map. */
void map64_free(struct map64 *);			/* the table, not the values */
void *map64_get(const struct map64 *, uint64_t key);	/* NULL where absent */
void map64_ahead(const struct map64 *, uint64_t key);	/* is asked for soon: a hint to the cache */
void map64_put(struct map64 *, uint64_t key, void *value); /* value is not NULL; replaces */
void *map64_del(struct map64 *, uint64_t key);		/* what was there, or NULL */
/* Iterates: for (size_t i = 0; (v = map64_next(m, &i, &key)) != NULL;)  No changes meanwhile. */
void *map64_next(const struct map64 *, size_t *i, uint64_t *key);

struct strmap;

struct strmap *strmap_new(const struct hash_key *);
void strmap_free(struct strmap **);
void *strmap_get(const struct strmap *, struct slice key);
void strmap_put(struct strmap *, struct slice key, void *value);
void *strmap_del(struct strmap *, struct slice key);
size_t strmap_count(const struct strmap *);
void *strmap_next(const struct strmap *, size_t *i, struct slice *key);

#endif
