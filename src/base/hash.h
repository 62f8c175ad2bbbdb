/*
 * hash: SipHash-2-4 under a secret key (libsodium's crypto_shorthash).
 *
 * Two uses: personal data becomes a number that cannot be turned back without the
 * key, and hash tables over strangers' bytes cannot be flooded.
 */
#ifndef RPVD_HASH_H
#define RPVD_HASH_H

#include <stdint.h>

#include "base/slice.h"

#define HASH_KEY_LEN 16

struct hash_key {
	unsigned char bytes[HASH_KEY_LEN];
};

uint64_t hash_bytes(const struct hash_key *, struct slice);

#endif
