/*
 * engine_world: an engine with everything around it made up: rules, day keys, and a
 * store in memory that takes changes as store/commit.c would and answers what the
 * engine asks for.  So a test can commit, throw the engine away and load it again
 * wherever it likes, and compare figures.
 */
#ifndef RPVD_TESTS_ENGINE_WORLD_H
#define RPVD_TESTS_ENGINE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/engine.h"
#include "core/model.h"
#include "core/visitor.h"

#define WORLD_DAY INT64_C(1772409600000)	/* 2026-03-02T00:00:00Z, a Monday */

enum input_kind { INPUT_HIT, INPUT_EVENT, INPUT_UNTIL, INPUT_FORGET };

struct input {
	enum input_kind kind;
	int64_t ms;			/* INPUT_UNTIL: the logs are read up to there */
	bool late;
	struct hit hit;			/* strings borrowed */
	struct order_message message;	/* strings borrowed */
	const struct forget *forget;	/* borrowed; its time is ms */
};

struct world {
	struct engine_rules rules;	/* change before the first input, or call engine_set_rules() */
	struct keyring ring;
	struct engine *engine;
	struct facts_maker *maker;
	struct strmap *store;		/* name -> struct record */
	struct changes changes;
	bool replay;
	int64_t now_ms;			/* live: the wall clock, which follows the inputs */
	size_t commits, fetches;	/* fetches: records that the engine asked for */
};

enum record_type { RECORD_STRING, RECORD_HASH, RECORD_SET, RECORD_ZSET };

struct record {
	enum record_type type;
	struct buf bytes;		/* RECORD_STRING */
	struct strmap *fields;		/* the others: field or member -> struct buf */
};

/* 203.0.113.* is a hoster's network. */
struct world *world_new(bool replay);
void world_free(struct world **);
/* The same in all worlds. */
void world_site_key(struct hash_key *);
void world_keys(struct keyring *);		/* an empty one */

/* Gives the input to the engine and answers its questions until it is done. */
void world_take(struct world *, const struct input *);
void world_commit(struct world *);
/* Throws the engine away, whatever it holds, and loads what was committed. */
void world_reload(struct world *);
/* 0, or -1 where the engine refuses the state: for states that a test has damaged. */
int world_try_reload(struct world *);
struct record *world_record(const struct world *, const char *name);

/* Everything that is shown, one line a series and window, sorted; and the counters that speak of
 * hits, visits and joins.  The caller frees it. */
char *world_figures(struct world *);
/* The figures of one series in the longest window; false where it is not shown there. */
bool world_series(struct world *, enum dim, struct slice name, int64_t figures[FIGURES_MAX]);
/* Sum over all series of a dimension. */
void world_sum(struct world *, enum dim, int64_t figures[FIGURES_MAX]);

/* splitmix64 */
struct random {
	uint64_t state;
};
uint64_t random_next(struct random *);
uint64_t random_below(struct random *, uint64_t n);
/* RPVD_SEED, else of the clock; printed, so that a failure can be had again. */
struct random random_seeded(const char *what);

#endif
