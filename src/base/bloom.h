/*
 * bloom: a set that may say yes too often, never no too often (Bloom 1970).
 *
 * Tells, in a megabyte or a few, that something was certainly never seen, which saves asking
 * for it.  When it fills up it only saves less.  Keys must be spread (keyed hashes).
 */
#ifndef RPVD_BLOOM_H
#define RPVD_BLOOM_H

#include <stdbool.h>
#include <stdint.h>

struct bloom;

/* Of 2^bits bits, four a key. */
struct bloom *bloom_new(unsigned bits);
void bloom_free(struct bloom **);
void bloom_add(struct bloom *, uint64_t key);
void bloom_ahead(const struct bloom *, uint64_t key);	/* is asked for soon: a hint to the cache */
bool bloom_may_have(const struct bloom *, uint64_t key);

#endif
