/*
 * store: one site's state in Redis.
 *
 * Everything lies under `rpvd:{SITE.0}:`.  The record `meta` holds the writer's epoch,
 * the number of the last commit and the input positions that belong to it; a commit is
 * one transaction that checks epoch and number and the types of all records, and then
 * writes them together with the positions: all of it or nothing.  Who wants to write first takes the
 * lease (by owner name, for LEASE_MS, renewed while alive) and a new epoch, so that
 * whoever held it before is fenced off.  `meta` also says of which layout and windows the state
 * is (schema.h); one of others is refused, or replaced by a new one.
 *
 * All calls are asynchronous on the site's one connection, whose order makes them
 * consistent: what was committed before a fetch is seen by it.
 */
#ifndef RPVD_STORE_H
#define RPVD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "core/change.h"
#include "core/engine.h"

#define STORE_SCHEMA "2"
#define LEASE_MS 10000

struct level;
struct redis;
struct store;

enum store_result {
	STORE_OK,
	STORE_DOWN,			/* the connection was lost: result unknown; load again when it is up */
	STORE_HELD,			/* another daemon holds the site: wait, try again */
	STORE_FENCED,			/* another daemon took over, or the state is not what we left: load again */
	STORE_ABSENT,			/* there is no state any more: load again */
	STORE_REFUSED			/* Redis or its state will not do (message): nothing was written */
};

typedef void store_fn(enum store_result, const char *message, void *arg);

struct store_conf {
	const char *site;		/* its name */
	const char *owner;		/* who we are, the same over restarts on one state directory */
	const char *keys;		/* by which keys the hashes of this state are made; a state of others is refused */
	bool allow_eviction;
	const struct level *levels;	/* its windows, sorted by length; a state of others is refused.  n_levels 0: the default ones */
	size_t n_levels;
};

/* Keeps copies of the texts. */
struct store *store_new(struct redis *, const struct store_conf *);
void store_free(struct store **);
const char *store_prefix(const struct store *);

/* STORE_OK where this Redis may keep the site; a load asks this first by itself. */
void store_preflight(struct store *, store_fn *, void *arg);
/* Said before a load.  was_here: this installation has kept a state of the site before, so that
 * none in Redis means a loss. */
void store_was_here(struct store *, bool was_here);
/* The next load begins to build a new state beside the one in use, or goes on with one that was begun
 * (so does any load that finds one); nothing of the one in use is touched until store_swap(). */
void store_rebuild(struct store *);
/* Asks whoever loads the site next to do so, or to give up what was begun; needs neither lease nor load.
 * False, and no call of fn, where the connection is down. */
bool store_request_rebuild(struct store *, bool cancel, store_fn *, void *arg);
bool store_is_building(const struct store *);
/* The state that was built, as it was committed last, takes the place of the one in use; commits, fetches
 * and renewals must not be under way, nor be begun before fn is called.  Broken off anywhere, the next load
 * ends it. */
void store_swap(struct store *, store_fn *, void *arg);

/* Takes the lease and a new epoch, reads everything into a new engine.  On STORE_OK
 * store_positions() is what the last commit said (empty where there is no state). */
void store_load(struct store *, struct engine *, store_fn *, void *arg);
struct slice store_positions(const struct store *);
/* Commits that this process has made and Redis no longer knew at the last load: it lost its last seconds, a
 * replica that lacked them took over, a backup was put back. */
uint64_t store_lost_commits(const struct store *);
/* True where the load found no state at all. */
bool store_was_empty(const struct store *);
/* True where one was there before, said whoever began this one. */
bool store_is_again(const struct store *);

/* Appends the names of the windows whose figures are shown: those of the state in use, as far as it is known; else ours. */
void store_windows(const struct store *, struct buf *names);
/* True where this state took the place of others, of which something may be left in the public keys: appends the names of
 * windows that these had and it has not.  Until store_swept(), which has no effect unless the site is still ours. */
bool store_replaced(const struct store *, struct buf *names);
void store_swept(struct store *);

/* Fetches what the engine needs and supplies it. */
void store_fetch(struct store *, struct engine *, store_fn *, void *arg);

/* Calls back for each value of the record `forget`, in which rpvctl leaves its requests. */
void store_requests(struct store *, void (*)(struct slice value, void *arg), void *arg);

/* One atomic step.  changes and positions stay as they are until fn is called. */
void store_commit(struct store *, const struct changes *, struct slice positions, store_fn *, void *arg);
/* Renews the lease without a commit. */
void store_renew(struct store *, store_fn *, void *arg);
/* Gives the lease back (a clean stop). */
void store_release(struct store *, store_fn *, void *arg);

#endif
