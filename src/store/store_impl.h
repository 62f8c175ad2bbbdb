/*
 * store_impl: shared by commit.c (writing) and load.c (reading).
 */
#ifndef RPVD_STORE_IMPL_H
#define RPVD_STORE_IMPL_H

#include "base/buf.h"
#include "base/map.h"
#include "store/redis.h"
#include "store/store.h"

#define STORE_NEW "new:"		/* below the prefix: a state that is being built beside the one in use */

struct place {
	size_t at, len;
};

struct store {
	struct redis *redis;
	char prefix[128];
	size_t prefix_len, base_len;	/* of all records; without STORE_NEW, where a new state is built */
	char *site, *owner, *keys, *schema;
	struct buf shown;		/* schema of the state in use; empty: not known, or ours */
	struct buf replaced;		/* of those that it took the place of: schemas, a ';' before each next one */
	bool swept;			/* that is to be forgotten, behind the commit that is being written */
	bool allow_eviction;
	uint64_t epoch, seq, lost;
	size_t seq_of;			/* prefix_len of the state that seq is of; 0: none yet */
	struct buf positions;
	bool was_empty, again;
	bool was_here, wants_rebuild;	/* what the caller said */
	bool validating;		/* a commit has begun and is not yet written: what it writes cannot be read */
	struct load *waiting_fetch;	/* to be sent when it is */
	struct map64 verified;		/* hashes of names whose type was checked */
	/* The command that is being built. */
	struct buf args;
	struct place *places;
	size_t n_args, places_cap, argv_cap;
	struct slice *argv;
};

struct store_call {
	struct store *store;
	store_fn *fn;
	void *arg;
};

void store_args_begin(struct store *);
void store_arg(struct store *, struct slice);
void store_arg_key(struct store *, struct slice name);	/* with the site's prefix */
void store_arg_base(struct store *, struct slice name);	/* the same, and never STORE_NEW */
bool store_send(struct store *, redis_reply_fn *, void *arg);
struct store_call *store_call_new(struct store *, store_fn *, void *arg);
enum store_result store_reply(const struct store *, const struct redisReply *, char *message, size_t room);
void store_fetch_waiting(struct store *);
/* What `meta` says of the state in use, or empty. */
void store_take_text(struct buf *, const struct redisReply *, size_t element);
bool store_acquire(struct store *, redis_reply_fn *, void *arg);
/* swap.c: a rebuild is wanted, or was begun.  Finishes what is half done; on STORE_OK either the
 * state to be built is chosen, or the one in use. */
void store_prepare(struct store *, store_fn *, void *arg);
/* Records are those of the state that is built / in use. */
void store_choose(struct store *, bool building);

#endif
