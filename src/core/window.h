/*
 * window: rolling sums.  A series is one value of one dimension ("source",
 * "google/organic"); for each window it has a row of cells, one a bucket, and their
 * running sum over the window's last buckets.
 *
 * All figures are integers, so that they add up the same in whatever order they
 * come, and a credit that is taken back leaves nothing behind.  Each dimension keeps
 * at most max_series; when it is full the least important twentieth is summed into
 * "(other)".  So are, in the dimension that takes most, as many as take a sixteenth of
 * the memory that all series may take, when that is full: few series can have many
 * buckets.  The least important has the least revenue, then the fewest visits, then is
 * the oldest.  Pure.
 */
#ifndef RPVD_WINDOW_H
#define RPVD_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/slice.h"
#include "core/change.h"

enum dim { DIM_TOTAL, DIM_LANDING, DIM_PAGE, DIM_COUNTRY, DIM_DEVICE, DIM_SOURCE, DIM_CHANNEL, DIM_CAMPAIGN,
	DIM_BOT, DIM_BOT_PAGE, DIMS };	/* the last two are fetched by bots, and have no visits and no money */

#define MODELS 6			/* attribution models, numbered as enum conf_model */
#define LEVELS_MAX 8
#define ORDER_ONE INT64_C(1000000000)	/* an order is counted in 10^-9, so that parts of it are whole numbers */
#define SERIES_NONE 0			/* no series has this number */

/* Places in a series' row of figures.  Dimensions by touch have the four money figures once
 * for each model, the others once. */
enum figure {
	FIG_VISITS,
	FIG_ORDERS,			/* in 1/ORDER_ONE; + 4 * model */
	FIG_REVENUE, FIG_REFUNDS, FIG_RECURRING,
	FIG_SALES = 5, FIG_SALES_ORDERS, FIG_UNATTRIBUTED,	/* these and the next DIM_TOTAL only */
	FIG_LEFT_OUT,			/* visits that are in no FIG_VISITS */
	FIG_SUSPECTS,			/* visits with evidence and without an order, left out or not */
	FIG_EVIDENCE,			/* visits, + enum evidence */
	FIG_FETCHES = FIG_VISITS,	/* DIM_BOT: hits, among them those of pages, and errors */
	FIG_PAGES, FIG_ERRORS,
	FIG_SEARCH = FIG_FETCHES + 1, FIG_AI_CRAWLER, FIG_AI_ASSISTANT	/* DIM_BOT_PAGE: of its fetches, by class */
};
#define FIGURES_MAX (1 + 4 * MODELS)

/* Orders whose sums would not hold them are not counted (settle.c).  What a damaged record says may go round,
 * which ends nothing, and what is taken back leaves the right figure again. */
static inline int64_t
figure_add(int64_t a, int64_t b)
{
	return ((int64_t)((uint64_t)a + (uint64_t)b));
}

static inline int64_t
figure_neg(int64_t a)
{
	return ((int64_t)(0 - (uint64_t)a));
}

const char *dim_name(enum dim);
/* Credited to each touch by model, not to the converting visit. */
bool dim_by_touch(enum dim);
/* Fetched by bots: no visits, no money. */
bool dim_of_bots(enum dim);
/* How many figures a series of that dimension has. */
size_t dim_width(enum dim);

struct level {
	const char *name;		/* "1h": the window's name, borrowed */
	int64_t bucket_ms;
	int64_t buckets;		/* window length = bucket_ms * buckets */
};

struct windows;

/* The four windows of the design, 1h 24h 7d 30d. */
extern const struct level windows_default[4];

/* Names come from strangers: key is secret. */
struct windows *windows_new(const struct level *, size_t n_levels, size_t max_series, const struct hash_key *key);
/* About how many bytes of memory the series may take; 0: no bound. */
void windows_limit(struct windows *, size_t max_bytes);
/* Series that were summed into "(other)" since the last call. */
uint64_t windows_merged(struct windows *);
void windows_free(struct windows **);
size_t windows_levels(const struct windows *, const struct level **);

/* Number of the series, made where it is new; never SERIES_NONE.  May sum others into "(other)". */
uint32_t windows_series(struct windows *, enum dim, struct slice name);
/* Adds n figures from `first` on to the cells of time_ms.  A series that is gone by now adds to
 * "(other)" of its dimension; a time before the window is no longer shown and adds nothing. */
void windows_add(struct windows *, enum dim, uint32_t series, int64_t time_ms, size_t first, const int64_t *figures, size_t n);
/* The clock of the windows; never goes back. */
void windows_advance(struct windows *, int64_t now_ms);
int64_t windows_now(const struct windows *);
/* Drops cells that have left, and series with none left.  Called before changes are taken. */
void windows_roll(struct windows *);

/* Changed cells and series since the last call, as records: `s` hash number -> dimension and name;
 * b:WINDOW:BUCKET hash number -> figures. */
void windows_changes(struct windows *, struct changes *);

/* Loading: series, then cells, as stored.  -1 where the bytes are not of this version. */
int windows_load_series(struct windows *, struct slice field, struct slice value);
int windows_load_cell(struct windows *, size_t level, int64_t bucket, struct slice field, struct slice value);
/* Numbers below this one have been given; a load says so before it makes a series. */
uint32_t windows_next_number(const struct windows *);
void windows_skip_numbers(struct windows *, uint32_t next);
/* First and last bucket that a load has to look for at that time. */
void windows_bucket_range(const struct windows *, size_t level, int64_t now_ms, int64_t *first, int64_t *last);

/* Reading, for publication. */
struct series_view {
	uint32_t number;
	enum dim dim;
	struct slice name;
	const int64_t *figures;		/* the running sums of one window */
};
size_t windows_count(const struct windows *);		/* live series */
/* Calls fn for each series and window whose figures changed since the last walk (all of them where
 * `all`).  A series that left the window, or is gone, comes with figures == NULL. */
typedef void windows_fn(const struct series_view *, size_t level, void *arg);
void windows_walk(struct windows *, bool all, windows_fn *, void *arg);
/* The same in portions of n series, between which anything may happen to the windows.  False behind
 * the last: then `walk` needs nothing more; or free walk.numbers. */
struct windows_walk {
	bool all;
	uint32_t *numbers;
	size_t n, next;
};
void windows_walk_begin(struct windows *, bool all, struct windows_walk *);
bool windows_walk_on(struct windows *, struct windows_walk *, size_t n, windows_fn *, void *arg);
/* True where the series is alive in that window. */
bool windows_alive(struct windows *, size_t level, enum dim, struct slice name);

#endif
