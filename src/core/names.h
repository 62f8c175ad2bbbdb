/*
 * names: under which names the state's records lie, behind the site's prefix.
 *
 * Visits that are over, their address + agent index and tokens lie in blocks: strings
 * to which records are appended, one block for an epoch of 16 days and a shard of the
 * key's hash.  A look-up reads one block of each living epoch; an epoch that is too old
 * goes as a whole.  So a visit costs its bytes and next to nothing else.
 */
#ifndef RPVD_NAMES_H
#define RPVD_NAMES_H

#include <stdint.h>

#include "base/slice.h"

#define EPOCH_MS (16 * INT64_C(86400000))
#define TIME_MAX_MS (INT64_C(1) << 56)		/* of times in records: far behind the year 9999, far from overflow */
#define NAME_MAX_LEN 600
#define VISIT_SHARDS 4096
#define TOKEN_SHARDS 256

struct name {
	char text[NAME_MAX_LEN];
	size_t len;
};

static inline struct slice
name_view(const struct name *n)
{
	return (slice_make(n->text, n->len));
}

int64_t epoch_of(int64_t time_ms);
unsigned shard_of_visits(uint64_t hash);				/* also of agents */
unsigned shard_of_tokens(uint64_t token);
void name_visits(struct name *, int64_t epoch, uint64_t visitor);	/* v:EPOCH:SHARD */
void name_agents(struct name *, int64_t epoch, uint64_t agent);		/* a:EPOCH:SHARD */
void name_tokens(struct name *, int64_t epoch, uint64_t token);		/* t:EPOCH:SHARD */
void name_shard(struct name *, char kind, int64_t epoch, unsigned shard);
void name_order(struct name *, struct slice provider, struct slice id);	/* o:PROVIDER:ID */
void name_customer(struct name *, uint64_t customer);			/* c:HEX */

#endif
