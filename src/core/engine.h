/*
 * engine: one site's numbers as a deterministic function of its inputs.
 *
 * Hits in event-time order and order events go in; changes to records come out.  No
 * I/O, no clock, no globals: the same in a test, in a replay and live.  What the
 * memory does not hold (an old visitor's visits, an order) the engine asks for: a
 * call answers ENGINE_NEEDS, the shell fetches the named records, hands them in with
 * engine_supply() and makes the same call again.  Nothing was changed by a call that
 * answered so, but for decisions that were due before.
 */
#ifndef RPVD_ENGINE_H
#define RPVD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "core/change.h"
#include "core/counter.h"
#include "core/facts.h"
#include "core/forget.h"
#include "core/order.h"
#include "core/engine_rules.h"
#include "core/visitor.h"
#include "core/window.h"

#define NEED_NAMES_MAX 8

enum engine_result { ENGINE_DONE, ENGINE_NEEDS };

/* Strings to fetch, in this order; a record that is not there is handed in as NULL, 0. */
struct need {
	struct slice names[NEED_NAMES_MAX];
	size_t n_names;
};

struct engine;

/* replay: event time is the clock, also that of order events. */
struct engine *engine_new(const struct engine_rules *, struct keyring *, bool replay);
void engine_free(struct engine **);
/* At reload.  What the rules make of later input changes; what was counted stays, but for orders
 * whose currency has a rate now. */
void engine_set_rules(struct engine *, const struct engine_rules *);

/* ---- input --------------------------------------------------------------- */

/* late: older than the highest time read less `reorder`. */
enum engine_result engine_hit(struct engine *, const struct facts *, bool late);
/* This hit comes soon: the memory of its visitor is fetched into the cache meanwhile, in HIT_AHEAD_STEPS
 * steps (from 0) that are some hits apart.  Changes nothing. */
#define HIT_AHEAD_STEPS 3
bool engine_looks_ahead(const struct engine *);	/* there are so many that it helps */
void engine_hit_ahead(const struct engine *, const struct facts *, int step);
/* This hit comes soon: only adds needs. */
void engine_hit_needs(struct engine *, const struct facts *);
/* Only adds needs, so that many events can be looked up at once. */
void engine_order_ahead(struct engine *, const struct order_event *);
enum engine_result engine_order(struct engine *, const struct order_event *);
/* A person is to be forgotten once the logs are read up to its time, which is not 0.  Takes it over and
 * leaves it empty; a commit tells that it is done by taking its field out of the record `forget`. */
void engine_forget(struct engine *, struct forget *);
/* Event time has come this far (the logs are read up to wall time, or to their end): decides what is
 * due before it; after a load or new rules it also looks again at orders that had no rate, some of them
 * a call.  INT64_MAX at the end of a replay's input: at all of them. */
enum engine_result engine_watermark(struct engine *, int64_t time_ms);
/* Live: the wall clock, for the windows. */
void engine_now(struct engine *, int64_t now_ms);
void engine_count(struct engine *, enum counter, uint64_t n);

size_t engine_needs(struct engine *, const struct need **);
/* Answers need i; values in the order of its names, valid for this call only. */
void engine_supply(struct engine *, size_t i, const struct slice *values, size_t n);
/* All needs were answered. */
void engine_supplied(struct engine *);

/* ---- output -------------------------------------------------------------- */

/* Everything that changed since the last call, as records.  Takes it as committed: where the commit
 * fails, the engine is thrown away and loaded anew. */
void engine_changes(struct engine *, struct changes *);
/* Something has changed since the last engine_changes(). */
bool engine_is_dirty(const struct engine *);
struct windows *engine_windows(struct engine *);
uint64_t engine_counter(const struct engine *, enum counter);
int64_t engine_clock(const struct engine *);		/* highest event time taken; INT64_MIN before the first */
int64_t engine_now_ms(const struct engine *);
int64_t engine_watermark_ms(const struct engine *);	/* decisions before it are taken */
size_t engine_waiting(const struct engine *);		/* orders that may still be joined */
size_t engine_unconverted(const struct engine *);	/* orders in a currency that has no rate: they count nowhere */
size_t engine_forgetting(const struct engine *);	/* persons who are to be forgotten, and are not yet */
size_t engine_visits(const struct engine *);		/* visits in memory */
size_t engine_unstored(const struct engine *);		/* bytes of visits and orders that the next commit writes, about */
bool engine_is_full(const struct engine *);		/* of visits, or of changed orders: a commit makes room, and is wanted soon */
bool engine_is_overfull(const struct engine *);		/* ... and nothing should come in before it */
uint64_t engine_history(const struct engine *);		/* bytes of the store that visits take, about */

/* ---- loading ------------------------------------------------------------- */

/* The engine's own record ("engine" field of the meta record); empty for a new state.  Then, in
 * this order: all of `s`, the buckets that engine_bucket_names() gives, all of `open` and `forget`, the
 * orders named in `waiting`, and `unconverted`. */
int engine_load_head(struct engine *, struct slice value, struct err *);
int engine_load_series(struct engine *, struct slice field, struct slice value);
/* Names of the live buckets' records: *n of them, owned by the engine until the load ends. */
const struct slice *engine_bucket_names(struct engine *, size_t *n);
int engine_load_bucket(struct engine *, size_t i, struct slice field, struct slice value);
int engine_load_open(struct engine *, struct slice value);
int engine_load_forget(struct engine *, struct slice value);
int engine_load_waiting(struct engine *, struct slice name, struct slice value);
int engine_load_unconverted(struct engine *, struct slice name);

#endif
