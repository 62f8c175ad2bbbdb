/*
 * hash: see hash.h.
 */
#include "base/hash.h"

#include <sodium.h>

_Static_assert(HASH_KEY_LEN == crypto_shorthash_KEYBYTES, "SipHash key");
_Static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES, "SipHash output");

uint64_t
hash_bytes(const struct hash_key *key, struct slice s)
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t h = 0;

	crypto_shorthash(out, (const unsigned char *)s.p, s.len, key->bytes);
	for (int i = 7; i >= 0; i--)
		h = h << 8 | out[i];
	return (h);
}
