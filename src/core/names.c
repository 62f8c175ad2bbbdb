/*
 * names: see names.h.
 */
#include "core/names.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"

int64_t
epoch_of(int64_t time_ms)
{
	return (time_ms >= 0 ? time_ms / EPOCH_MS : -1);
}

void
name_shard(struct name *n, char kind, int64_t epoch, unsigned shard)
{
	static const char digits[] = "0123456789abcdef";

	must(shard < 4096);
	n->text[0] = kind;
	n->text[1] = ':';
	n->len = 2 + decimal_put(n->text + 2, epoch);
	n->text[n->len++] = ':';
	for (int shift = 8; shift >= 0; shift -= 4)
		n->text[n->len++] = digits[shard >> shift & 15];
}

unsigned
shard_of_visits(uint64_t hash)
{
	return ((unsigned)(hash >> 32) % VISIT_SHARDS);
}

void
name_visits(struct name *n, int64_t epoch, uint64_t visitor)
{
	name_shard(n, 'v', epoch, shard_of_visits(visitor));
}

void
name_agents(struct name *n, int64_t epoch, uint64_t agent)
{
	name_shard(n, 'a', epoch, shard_of_visits(agent));
}

unsigned
shard_of_tokens(uint64_t token)
{
	return ((unsigned)(token >> 32) % TOKEN_SHARDS);
}

void
name_tokens(struct name *n, int64_t epoch, uint64_t token)
{
	name_shard(n, 't', epoch, shard_of_tokens(token));
}

void
name_order(struct name *n, struct slice provider, struct slice id)
{
	must(provider.len <= 255 && id.len <= 255);
	n->text[0] = 'o';
	n->text[1] = ':';
	memcpy(n->text + 2, provider.p, provider.len);
	n->text[2 + provider.len] = ':';
	memcpy(n->text + 3 + provider.len, id.p, id.len);
	n->len = 3 + provider.len + id.len;
}

void
name_customer(struct name *n, uint64_t customer)
{
	n->len = (size_t)snprintf(n->text, sizeof(n->text), "c:%016llx", (unsigned long long)customer);
}
