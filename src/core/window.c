/*
 * window: see window.h.
 *
 * A row of cells is an array sorted by bucket with everything of a series and window
 * side by side.  Nearly every addition goes into the last cell.  Cells later than the
 * clock's bucket (an order told with a time ahead of ours) are kept but enter the sum
 * only when the clock reaches them: `due` is where they begin.
 */
#include "core/window.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "core/evidence.h"

#define RECENT 512
#define MS_MINUTE INT64_C(60000)

const struct level windows_default[4] = {
	{ "1h", MS_MINUTE, 60 },
	{ "24h", 15 * MS_MINUTE, 96 },
	{ "7d", 60 * MS_MINUTE, 168 },
	{ "30d", 360 * MS_MINUTE, 120 },
};

static const struct slice other_name = { "(other)", 7 };

struct cell {
	int64_t bucket;
	uint64_t dirty;			/* it stands in the list of dirty cells */
	int64_t figures[];
};

struct row {
	char *cells;
	size_t cap, head, due, count;	/* head <= due <= count; [head, due) are in the sum */
};

/* Most series have visits and nothing else: then they are narrow, of one figure, until there is another. */
struct series {
	uint32_t number;
	enum dim dim;
	size_t width;			/* figures in its cells and sums: FIG_VISITS alone, or all of its dimension's */
	struct slice name;
	unsigned changed, shown;	/* a bit per window: since the last walk; told by it */
	bool stored;			/* its record is in the store, or in the changes taken */
	int64_t *sums;			/* n_levels * width */
	size_t place;			/* among those of its dimension */
	struct row rows[];		/* of each window; the name stands behind them */
};

struct dirty_cell {
	uint32_t number;
	uint32_t level;
	int64_t bucket;
};

struct gone {				/* a series that is no more, until the walk has said so */
	enum dim dim;
	struct slice name;
	unsigned shown;
	struct gone *next;
};

struct windows {
	struct level levels[LEVELS_MAX];
	size_t n_levels, max_series;
	int64_t now, rolled[LEVELS_MAX];	/* the bucket up to which rows are rolled */
	int64_t oldest[LEVELS_MAX];		/* first bucket of the window at `now` */
	int64_t place_ms, place[LEVELS_MAX];	/* the buckets of one time: that of the last addition */
	int64_t dropped[LEVELS_MAX];		/* buckets before this one were deleted from the store; 0: not known */
	struct strmap *by_name;			/* dimension byte + name */
	struct series *recent[RECENT];		/* looked up lately, by a cheap hash: a help for by_name */
	struct map64 by_number;
	size_t per_dim[DIMS];
	struct series **series[DIMS];		/* per_dim of them, in any order */
	size_t series_cap[DIMS];
	size_t bytes[DIMS];			/* about what its series take of memory */
	size_t max_bytes, shed_at;		/* 0: no bound; where room is made next */
	unsigned looks;				/* since it was last looked how much it is */
	uint64_t n_merged;			/* series, since windows_merged() */
	uint32_t next_number;
	uint32_t fresh;				/* series from this number on may be about to get their first figures */
	struct dirty_cell *dirty;
	size_t n_dirty, dirty_cap;
	struct changes removed;			/* HDELs of series that went away */
	struct gone *gone;
};

static const char *const dim_names[DIMS] = { "total", "landing", "page", "country", "device", "source", "channel", "campaign",
	"bot", "bot_page" };

const char *
dim_name(enum dim dim)
{
	must(dim < DIMS);
	return (dim_names[dim]);
}

bool
dim_by_touch(enum dim dim)
{
	return (dim >= DIM_SOURCE && dim <= DIM_CAMPAIGN);
}

bool
dim_of_bots(enum dim dim)
{
	return (dim == DIM_BOT || dim == DIM_BOT_PAGE);
}

size_t
dim_width(enum dim dim)
{
	static const size_t widths[DIMS] = {
		[DIM_TOTAL] = FIG_EVIDENCE + EVIDENCES, [DIM_LANDING] = 5, [DIM_PAGE] = 5, [DIM_COUNTRY] = 5, [DIM_DEVICE] = 5,
		[DIM_SOURCE] = FIGURES_MAX, [DIM_CHANNEL] = FIGURES_MAX, [DIM_CAMPAIGN] = FIGURES_MAX,
		[DIM_BOT] = FIG_ERRORS + 1, [DIM_BOT_PAGE] = FIG_AI_ASSISTANT + 1,
	};

	must(dim < DIMS);
	return (widths[dim]);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return (a % b < 0 ? q - 1 : q);
}

struct windows *
windows_new(const struct level *levels, size_t n, size_t max_series, const struct hash_key *key)
{
	struct windows *w = mem_calloc(1, sizeof(*w));

	must(n > 0 && n <= LEVELS_MAX && max_series > 0);
	memcpy(w->levels, levels, n * sizeof(*levels));
	w->n_levels = n;
	w->max_series = max_series;
	w->by_name = strmap_new(key);
	w->next_number = 1;
	w->now = INT64_MIN / 4;
	for (size_t i = 0; i < n; i++) {
		w->rolled[i] = floor_div(w->now, levels[i].bucket_ms);
		w->oldest[i] = w->rolled[i] - levels[i].buckets + 1;
	}
	w->place_ms = INT64_MIN;
	return (w);
}

/* What the allocator and the two tables add to a struct. */
#define SERIES_BYTES (sizeof(struct series) + 48 + 4 * sizeof(struct map64_slot))
#define BLOCK_BYTES 8

static size_t
series_size(const struct windows *w, const struct series *s)
{
	return (SERIES_BYTES + w->n_levels * (sizeof(struct row) + s->width * sizeof(int64_t)) + 2 * s->name.len);
}

static void
series_free(struct windows *w, struct series *s)
{
	w->bytes[s->dim] -= series_size(w, s);
	for (size_t i = 0; i < w->n_levels; i++) {
		if (s->rows[i].cells != NULL)
			w->bytes[s->dim] -= s->rows[i].cap + BLOCK_BYTES;
		free(s->rows[i].cells);
	}
	free(s->sums);
	free(s);
}

void
windows_free(struct windows **wp)
{
	struct windows *w = *wp;
	struct series *s;
	struct gone *g;

	if (w == NULL)
		return;
	for (size_t i = 0; (s = map64_next(&w->by_number, &i, NULL)) != NULL;)
		series_free(w, s);
	while ((g = w->gone) != NULL) {
		w->gone = g->next;
		free(g);
	}
	for (int dim = 0; dim < DIMS; dim++)
		free(w->series[dim]);
	map64_free(&w->by_number);
	strmap_free(&w->by_name);
	changes_free(&w->removed);
	free(w->dirty);
	free(w);
	*wp = NULL;
}

size_t
windows_levels(const struct windows *w, const struct level **levels)
{
	*levels = w->levels;
	return (w->n_levels);
}

uint32_t
windows_next_number(const struct windows *w)
{
	return (w->next_number);
}

void
windows_skip_numbers(struct windows *w, uint32_t next)
{
	if (next > w->next_number)
		w->next_number = next;
}

size_t
windows_count(const struct windows *w)
{
	return (w->by_number.count);
}

int64_t
windows_now(const struct windows *w)
{
	return (w->now);
}

/* ---- rows of cells ------------------------------------------------------- */

static size_t
cell_size(const struct series *s)
{
	return (sizeof(struct cell) + s->width * sizeof(int64_t));
}

static struct cell *
row_at(const struct series *s, const struct row *row, size_t i)
{
	return ((struct cell *)(void *)(row->cells + i * cell_size(s)));
}

/* First cell whose bucket is at least the given one. */
static size_t
row_find(const struct series *s, const struct row *row, int64_t bucket)
{
	size_t lo = row->head, hi = row->count;

	if (hi > lo && row_at(s, row, hi - 1)->bucket < bucket)
		return (hi);
	if (hi > lo && row_at(s, row, hi - 1)->bucket == bucket)
		return (hi - 1);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (row_at(s, row, mid)->bucket < bucket)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

/* Takes the room of cells that have left before it asks for more. */
static void
row_compact(const struct series *s, struct row *row)
{
	if (row->head == 0)
		return;
	memmove(row->cells, row->cells + row->head * cell_size(s), (row->count - row->head) * cell_size(s));
	row->count -= row->head;
	row->due -= row->head;
	row->head = 0;
}

static struct cell *
row_cell(struct windows *w, const struct series *s, struct row *row, size_t level, int64_t bucket)
{
	size_t i = row_find(s, row, bucket), size = cell_size(s);
	struct cell *cell;

	if (i < row->count && row_at(s, row, i)->bucket == bucket)
		return (row_at(s, row, i));
	if (row->count * size == row->cap && row->head > row->count / 2) {
		i -= row->head;
		row_compact(s, row);
	}
	if ((row->count + 1) * size > row->cap) {
		size_t cap = (row->cap == 0 ? 1 : row->cap / size * 2) * size;

		w->bytes[s->dim] += cap - row->cap + (row->cap == 0 ? BLOCK_BYTES : 0);
		row->cap = cap;
		row->cells = mem_realloc(row->cells, row->cap);
	}
	cell = row_at(s, row, i);
	memmove((char *)cell + size, cell, (row->count - i) * size);
	memset(cell, 0, size);
	cell->bucket = bucket;
	row->count++;
	if (bucket <= w->rolled[level])
		row->due++;
	return (cell);
}

/* Room for all figures of the dimension. */
static void
series_widen(struct windows *w, struct series *s)
{
	size_t width = dim_width(s->dim), narrow = cell_size(s), size = sizeof(struct cell) + width * sizeof(int64_t);
	int64_t *sums = mem_calloc(w->n_levels * width, sizeof(*sums));

	w->bytes[s->dim] -= series_size(w, s);
	for (size_t level = 0; level < w->n_levels; level++) {
		struct row *row = &s->rows[level];
		char *cells;

		memcpy(sums + level * width, s->sums + level * s->width, s->width * sizeof(*sums));
		if (row->cells == NULL)
			continue;
		cells = mem_calloc(row->cap / narrow, size);
		for (size_t i = row->head; i < row->count; i++)
			memcpy(cells + i * size, row->cells + i * narrow, narrow);
		w->bytes[s->dim] += row->cap / narrow * (size - narrow);
		row->cap = row->cap / narrow * size;
		free(row->cells);
		row->cells = cells;
	}
	free(s->sums);
	s->sums = sums;
	s->width = width;
	w->bytes[s->dim] += series_size(w, s);
}

static void
sum_add(struct series *s, size_t level, const struct cell *cell, int64_t sign)
{
	int64_t *sum = s->sums + level * s->width;

	for (size_t i = 0; i < s->width; i++)
		sum[i] = figure_add(sum[i], sign < 0 ? figure_neg(cell->figures[i]) : cell->figures[i]);
	s->changed |= 1u << level;
}

/* ---- series -------------------------------------------------------------- */

static struct slice
name_key(enum dim dim, struct slice name, char buf[1 + 512])
{
	if (name.len > 511)
		name.len = 511;
	buf[0] = (char)('A' + dim);
	if (name.len > 0)
		memcpy(buf + 1, name.p, name.len);
	return (slice_make(buf, name.len + 1));
}

/* Where the series stands in `recent`, if it does. */
static size_t
recent_slot(enum dim dim, struct slice name)
{
	uint64_t head = 0, tail = 0, mixed;

	memcpy(&head, name.p, name.len < 8 ? name.len : 8);
	if (name.len > 8)
		memcpy(&tail, name.p + name.len - 8, 8);
	mixed = (head ^ (tail << 1 | tail >> 63) ^ (name.len << 8 | dim)) * UINT64_C(0x9e3779b97f4a7c15);
	return (mixed >> 40) % RECENT;
}

static struct series *
series_by_name(struct windows *w, enum dim dim, struct slice name)
{
	struct series **recent = &w->recent[recent_slot(dim, name)];
	SCRATCH char key[513];

	if (*recent == NULL || (*recent)->dim != dim || !slice_equal((*recent)->name, name))
		*recent = strmap_get(w->by_name, name_key(dim, name, key));
	return (*recent);
}

static struct series *
series_new(struct windows *w, enum dim dim, struct slice name, uint32_t number)
{
	SCRATCH char key[513];
	struct slice k = name_key(dim, name, key);
	struct series *s = mem_calloc(1, sizeof(*s) + w->n_levels * sizeof(s->rows[0]) + k.len);

	must(number != SERIES_NONE && map64_get(&w->by_number, number) == NULL);
	s->number = number;
	s->dim = dim;
	s->width = FIG_VISITS + 1;
	s->name = slice_make(memcpy(s->rows + w->n_levels, k.p + 1, k.len - 1), k.len - 1);
	mem_grow(&w->series[dim], &w->series_cap[dim], w->per_dim[dim] + 1, sizeof(*w->series[dim]));
	s->place = w->per_dim[dim];
	w->series[dim][s->place] = s;
	w->bytes[dim] += series_size(w, s);
	s->sums = mem_calloc(w->n_levels * s->width, sizeof(int64_t));
	strmap_put(w->by_name, k, s);
	map64_put(&w->by_number, number, s);
	w->per_dim[dim]++;
	if (number >= w->next_number)
		w->next_number = number + 1;
	return (s);
}

/* Numbers are not used again: visits and orders may still name a series that is gone.  Only after
 * 2^32 series they begin anew. */
static struct series *
series_make(struct windows *w, enum dim dim, struct slice name)
{
	while (w->next_number == SERIES_NONE || map64_get(&w->by_number, w->next_number) != NULL)
		w->next_number++;
	return (series_new(w, dim, name, w->next_number));
}

static void
number_field(uint32_t number, char out[16], struct slice *field)
{
	*field = slice_make(out, decimal_put(out, number));
}

static void
bucket_key(const struct windows *w, size_t level, int64_t bucket, char out[64], struct slice *key)
{
	size_t n = strlen(w->levels[level].name);

	must(n < 32);
	memcpy(out, "b:", 2);
	memcpy(out + 2, w->levels[level].name, n);
	out[2 + n] = ':';
	*key = slice_make(out, 3 + n + decimal_put(out + 3 + n, bucket));
}

/* Forgets a series: what the store and the public keys have of it goes with the next changes. */
static void
series_drop(struct windows *w, struct series *s)
{
	char key[513], field_buf[16];
	struct series *last;
	struct slice field;
	struct gone *g;

	number_field(s->number, field_buf, &field);
	if (s->stored)
		changes_add(&w->removed, CHANGE_HDEL, SLICE("s"), field, SLICE(""));
	if (s->shown != 0) {
		g = mem_calloc(1, sizeof(*g) + s->name.len);
		*g = (struct gone){ s->dim, slice_make((char *)(g + 1), s->name.len), s->shown, w->gone };
		memcpy((char *)(g + 1), s->name.p, s->name.len);
		w->gone = g;
	}
	if (w->recent[recent_slot(s->dim, s->name)] == s)
		w->recent[recent_slot(s->dim, s->name)] = NULL;
	strmap_del(w->by_name, name_key(s->dim, s->name, key));
	map64_del(&w->by_number, s->number);
	last = w->series[s->dim][--w->per_dim[s->dim]];
	last->place = s->place;
	w->series[s->dim][s->place] = last;
	series_free(w, s);
}

/* Series may come and go by the thousand between two commits; what is gone needs no place. */
static void
forget_gone(struct windows *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_dirty; i++)
		if (map64_get(&w->by_number, w->dirty[i].number) != NULL)
			w->dirty[kept++] = w->dirty[i];
	w->n_dirty = kept;
	if (kept > w->dirty_cap / 2)
		mem_grow(&w->dirty, &w->dirty_cap, w->dirty_cap + 1, sizeof(*w->dirty));
}

static void
mark_dirty(struct windows *w, const struct series *s, size_t level, struct cell *cell)
{
	if (cell->dirty)
		return;
	cell->dirty = 1;
	if (w->n_dirty == w->dirty_cap && w->n_dirty > 0)
		forget_gone(w);
	mem_grow(&w->dirty, &w->dirty_cap, w->n_dirty + 1, sizeof(*w->dirty));
	w->dirty[w->n_dirty++] = (struct dirty_cell){ s->number, (uint32_t)level, cell->bucket };
}

/* The latest cell, where it is of that bucket and in the list of dirty ones: so it is nearly always. */
static struct cell *
latest_cell(const struct series *s, size_t level, int64_t bucket)
{
	const struct row *row = &s->rows[level];
	struct cell *cell;

	if (row->head == row->count)
		return (NULL);
	cell = row_at(s, row, row->count - 1);
	return (cell->bucket == bucket && cell->dirty ? cell : NULL);
}

static void
add_to_cell(struct windows *w, struct series *s, size_t level, int64_t bucket, size_t first, const int64_t *figures, size_t n)
{
	struct cell *cell;
	int64_t *sum;

	if (first + n > s->width)
		series_widen(w, s);
	cell = latest_cell(s, level, bucket);
	if (cell == NULL) {
		cell = row_cell(w, s, &s->rows[level], level, bucket);
		mark_dirty(w, s, level, cell);
	}
	sum = s->sums + level * s->width;
	for (size_t i = 0; i < n; i++)
		cell->figures[first + i] = figure_add(cell->figures[first + i], figures[i]);
	if (bucket > w->rolled[level])
		return;
	for (size_t i = 0; i < n; i++)
		sum[first + i] = figure_add(sum[first + i], figures[i]);
	s->changed |= 1u << level;
}

/* Everything of the series goes to "(other)", cell by cell; its own records are removed. */
static void
series_merge(struct windows *w, struct series *s, struct series *other)
{
	char key_buf[64], field_buf[16];
	struct slice key, field;

	number_field(s->number, field_buf, &field);
	for (size_t level = 0; level < w->n_levels; level++)
		for (size_t i = s->rows[level].head; i < s->rows[level].count; i++) {
			struct cell *cell = row_at(s, &s->rows[level], i);

			add_to_cell(w, other, level, cell->bucket, 0, cell->figures, s->width);
			if (!s->stored)
				continue;	/* nor is any cell of it */
			bucket_key(w, level, cell->bucket, key_buf, &key);
			changes_add(&w->removed, CHANGE_HDEL, key, field, SLICE(""));
		}
	series_drop(w, s);
}

/* In the longest window.  Side by side, so that sorting thousands of them does not go all over the memory. */
struct worth {
	int64_t revenue, visits;
	struct series *series;
	uint32_t number;
};

/* Money first, then visits, then age. */
static int
by_worth(const void *a, const void *b)
{
	const struct worth *x = a, *y = b;

	if (x->revenue != y->revenue)
		return (x->revenue < y->revenue ? -1 : 1);
	if (x->visits != y->visits)
		return (x->visits < y->visits ? -1 : 1);
	return (x->number < y->number ? -1 : 1);
}

/* A heap with the most important first: what stands at i goes down to where it belongs. */
static void
sink(struct worth *heap, size_t n, size_t i)
{
	struct worth x = heap[i];

	for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
		if (child + 1 < n && by_worth(&heap[child], &heap[child + 1]) < 0)
			child++;
		if (by_worth(&x, &heap[child]) >= 0)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = x;
}

/* Series lie all over the memory: those some places on are fetched meanwhile. */
static void
fetch_ahead(const struct windows *w, enum dim dim, size_t i)
{
	if (i + 16 < w->per_dim[dim])
		__builtin_prefetch(w->series[dim][i + 16]);
	if (i + 8 < w->per_dim[dim])
		__builtin_prefetch(w->series[dim][i + 8]->sums + (w->n_levels - 1) * w->series[dim][i + 8]->width);
}

/* The least important series of a dimension, but "(other)": k of them, in that order.  The caller frees it. */
static struct worth *
least_worth(const struct windows *w, enum dim dim, bool with_empty, size_t k, size_t *n)
{
	size_t longest = w->n_levels - 1, room = k < w->per_dim[dim] ? k : w->per_dim[dim];
	struct worth *all = mem_calloc(room + 1, sizeof(*all));

	*n = 0;
	for (size_t i = 0; i < w->per_dim[dim]; i++) {
		struct series *s = w->series[dim][i];
		const int64_t *sum = s->sums + longest * s->width;
		struct worth x;

		fetch_ahead(w, dim, i);
		if ((!with_empty && s->rows[longest].count == 0) || slice_equal(s->name, other_name))
			continue;
		x = (struct worth){ s->width > FIG_REVENUE && !dim_of_bots(dim) ? sum[FIG_REVENUE] : 0, sum[FIG_VISITS], s, s->number };
		if (*n < room) {
			all[(*n)++] = x;
			for (size_t at = *n == room ? room / 2 : 0; at-- > 0;)
				sink(all, room, at);
		} else if (room > 0 && by_worth(&x, &all[0]) < 0) {
			all[0] = x;
			sink(all, room, 0);
		}
	}
	qsort(all, *n, sizeof(*all), by_worth);
	return (all);
}

static struct series *
other_of(struct windows *w, enum dim dim)
{
	struct series *other = series_by_name(w, dim, other_name);

	return (other != NULL ? other : series_make(w, dim, other_name));
}

/* Sums the least important series into "(other)": so many, or until the dimension takes so many bytes less.
 * That may be in the middle of a visit, when one of another dimension is about to get its first figure. */
static void
shed(struct windows *w, enum dim dim, size_t victims, size_t bytes)
{
	size_t n, keep = w->bytes[dim] > bytes ? w->bytes[dim] - bytes : 0;
	struct series *other = other_of(w, dim);
	struct worth *all = least_worth(w, dim, bytes == 0, bytes == 0 ? victims : SIZE_MAX, &n);

	for (size_t i = 0; i < n && (bytes > 0 ? w->bytes[dim] > keep : i < victims); i++) {
		series_merge(w, all[i].series, other);
		w->n_merged++;
	}
	free(all);
}

static void
make_room(struct windows *w, enum dim dim)
{
	windows_roll(w);
	if (w->per_dim[dim] >= w->max_series)
		shed(w, dim, w->max_series / 20 + 1, 0);
}

static size_t
bytes_in_all(const struct windows *w)
{
	size_t bytes = 0;

	for (int dim = 0; dim < DIMS; dim++)
		bytes += w->bytes[dim];
	return (bytes);
}

/* Series may be few and yet have a cell in each bucket: the dimension that takes most gives back. */
static void
make_bytes(struct windows *w)
{
	enum dim most = DIM_LANDING;
	size_t bytes;

	windows_roll(w);
	for (enum dim dim = DIM_LANDING; dim < DIMS; dim++)
		if (w->bytes[dim] > w->bytes[most])
			most = dim;
	bytes = bytes_in_all(w);
	if (bytes > w->max_bytes)
		shed(w, most, 0, bytes - w->max_bytes + w->max_bytes / 16);
	bytes = bytes_in_all(w);
	w->shed_at = (bytes > w->max_bytes ? bytes : w->max_bytes) + w->max_bytes / 64;
}

/* Looked at now and then: there is no need to be exact. */
#define LOOKS 1024

static bool
is_too_large(struct windows *w)
{
	if (w->max_bytes == 0 || ++w->looks < LOOKS)
		return (false);
	w->looks = 0;
	return (bytes_in_all(w) > w->shed_at);
}

void
windows_limit(struct windows *w, size_t max_bytes)
{
	w->max_bytes = w->shed_at = max_bytes;
}

uint64_t
windows_merged(struct windows *w)
{
	uint64_t n = w->n_merged;

	w->n_merged = 0;
	return (n);
}

uint32_t
windows_series(struct windows *w, enum dim dim, struct slice name)
{
	struct series *s;

	if (is_too_large(w))
		make_bytes(w);
	s = series_by_name(w, dim, name);
	if (s != NULL)
		return (s->number);
	if (w->per_dim[dim] >= w->max_series)
		make_room(w, dim);
	return (series_make(w, dim, name)->number);
}

/* Divisions are slow, and a visit adds to a dozen series at one time. */
static void
set_place(struct windows *w, int64_t time_ms)
{
	if (time_ms == w->place_ms)
		return;
	w->place_ms = time_ms;
	for (size_t level = 0; level < w->n_levels; level++)
		w->place[level] = floor_div(time_ms, w->levels[level].bucket_ms);
}

void
windows_add(struct windows *w, enum dim dim, uint32_t number, int64_t time_ms, size_t first, const int64_t *figures, size_t n)
{
	struct series *s = map64_get(&w->by_number, number);

	must(first + n <= dim_width(dim));
	while (n > 1 && figures[n - 1] == 0)
		n--;			/* that would widen it for nothing */
	if (s == NULL || s->dim != dim) {
		s = series_by_name(w, dim, other_name);
		if (s == NULL)
			s = series_make(w, dim, other_name);
	}
	set_place(w, time_ms);
	for (size_t level = 0; level < w->n_levels; level++)
		if (w->place[level] >= w->oldest[level])
			add_to_cell(w, s, level, w->place[level], first, figures, n);
}

/* ---- time ---------------------------------------------------------------- */

void
windows_advance(struct windows *w, int64_t now_ms)
{
	if (now_ms <= w->now)
		return;
	w->now = now_ms;
	for (size_t level = 0; level < w->n_levels; level++)
		w->oldest[level] = floor_div(now_ms, w->levels[level].bucket_ms) - w->levels[level].buckets + 1;
}

static bool
series_roll(struct windows *w, struct series *s)
{
	bool alive = s->dim == DIM_TOTAL || s->number >= w->fresh;

	for (size_t level = 0; level < w->n_levels; level++) {
		struct row *row = &s->rows[level];
		int64_t last = w->rolled[level], first = last - w->levels[level].buckets;

		while (row->due < row->count && row_at(s, row, row->due)->bucket <= last)
			sum_add(s, level, row_at(s, row, row->due++), 1);
		while (row->head < row->due && row_at(s, row, row->head)->bucket <= first)
			sum_add(s, level, row_at(s, row, row->head++), -1);
		alive |= row->head < row->count;
	}
	return (alive);
}

void
windows_roll(struct windows *w)
{
	struct series **dead, *s;
	size_t n = 0;
	bool moved = false;

	for (size_t level = 0; level < w->n_levels; level++) {
		int64_t bucket = floor_div(w->now, w->levels[level].bucket_ms);

		moved |= bucket != w->rolled[level];
		w->rolled[level] = bucket;
	}
	if (!moved)
		return;
	dead = mem_calloc(w->by_number.count + 1, sizeof(*dead));
	for (size_t i = 0; (s = map64_next(&w->by_number, &i, NULL)) != NULL;)
		if (!series_roll(w, s))
			dead[n++] = s;
	while (n > 0)
		series_drop(w, dead[--n]);
	free(dead);
}

/* ---- changes and loading -------------------------------------------------- */

/* Zero figures cost one byte a run: a pair (how many zeros, value) until the row ends. */
static void
figures_encode(struct buf *out, const int64_t *figures, size_t n)
{
	size_t zeros = 0;

	for (size_t i = 0; i < n; i++)
		if (figures[i] == 0)
			zeros++;
		else {
			buf_varint(out, zeros);
			buf_svarint(out, figures[i]);
			zeros = 0;
		}
}

/* *used: how many of the n there are. */
static int
figures_decode(struct slice bytes, int64_t *figures, size_t n, size_t *used)
{
	struct reader r = reader_of(bytes);
	size_t i = 0;

	while (reader_more(&r)) {
		uint64_t zeros = reader_varint(&r);
		int64_t v = reader_svarint(&r);

		if (r.bad || zeros >= n - i)
			return (-1);
		i += zeros;
		figures[i++] = v;
	}
	*used = i;
	return (r.bad ? -1 : 0);
}

static void
series_change(struct series *s, struct changes *out)
{
	char field_buf[16];
	struct slice field;
	struct buf value = { 0 };

	number_field(s->number, field_buf, &field);
	buf_putc(&value, (char)s->dim);
	buf_put(&value, s->name.p, s->name.len);
	changes_add(out, CHANGE_HSET, SLICE("s"), field, buf_view(&value));
	buf_free(&value);
	s->stored = true;
}

static void
cell_change(struct windows *w, const struct dirty_cell *d, struct buf *value, struct changes *out)
{
	struct series *s = map64_get(&w->by_number, d->number);
	char key_buf[64], field_buf[16];
	struct slice key, field;
	struct cell *cell;
	size_t i;

	if (s == NULL)
		return;
	i = row_find(s, &s->rows[d->level], d->bucket);
	if (i >= s->rows[d->level].count)
		return;
	cell = row_at(s, &s->rows[d->level], i);
	if (cell->bucket != d->bucket)
		return;			/* it left the window before it was ever stored */
	cell->dirty = 0;
	if (!s->stored)
		series_change(s, out);
	value->len = 0;
	figures_encode(value, cell->figures, s->width);
	bucket_key(w, d->level, d->bucket, key_buf, &key);
	number_field(s->number, field_buf, &field);
	changes_add(out, CHANGE_HSET, key, field, buf_view(value));
}

static void
drop_range(const struct windows *w, size_t level, int64_t b, int64_t end, struct changes *out)
{
	char key_buf[64];
	struct slice key;

	for (; b < end; b++) {
		bucket_key(w, level, b, key_buf, &key);
		changes_add(out, CHANGE_DEL, key, SLICE(""), SLICE(""));
	}
}

/* Times may be ahead of the clock (an order's, by a wrong time zone at worst): so many buckets of
 * them are found again by a load. */
static int64_t
buckets_ahead(const struct windows *w, size_t level)
{
	int64_t day = 86400000 / w->levels[level].bucket_ms + 1;

	return (w->levels[level].buckets > day ? w->levels[level].buckets : day);
}

/* Records of buckets that have left.  There are some from the last window's begin on, to that
 * window's end and what was ahead of it; of a longer gap the rest never was. */
static void
drop_buckets(struct windows *w, size_t level, struct changes *out)
{
	int64_t length = w->levels[level].buckets, first = w->rolled[level] - length + 1, b = w->dropped[level];
	int64_t end = b + length + buckets_ahead(w, level);

	if (b != 0)
		drop_range(w, level, b, end < first ? end : first, out);
	w->dropped[level] = first;
}

void
windows_changes(struct windows *w, struct changes *out)
{
	struct buf value = { 0 };

	w->fresh = w->next_number;
	windows_roll(w);
	for (size_t i = 0; i < w->removed.count; i++) {
		const struct change *c = &w->removed.list[i];

		changes_add(out, c->op, change_key(&w->removed, c), change_field(&w->removed, c), change_value(&w->removed, c));
	}
	changes_clear(&w->removed);
	for (size_t i = 0; i < w->n_dirty; i++)
		cell_change(w, &w->dirty[i], &value, out);
	w->n_dirty = 0;
	for (size_t level = 0; level < w->n_levels; level++)
		if (w->dropped[level] != w->rolled[level] - w->levels[level].buckets + 1)
			drop_buckets(w, level, out);
	buf_free(&value);
}

static bool
parse_number(struct slice field, uint32_t *number)
{
	uint64_t v = 0;

	if (field.len == 0 || field.len > 10)
		return (false);
	for (size_t i = 0; i < field.len; i++) {
		if (field.p[i] < '0' || field.p[i] > '9')
			return (false);
		v = v * 10 + (uint64_t)(field.p[i] - '0');
	}
	*number = (uint32_t)v;
	return (v > 0 && v < UINT32_MAX);
}

int
windows_load_series(struct windows *w, struct slice field, struct slice value)
{
	uint32_t number;

	if (!parse_number(field, &number) || value.len == 0 || (uint8_t)value.p[0] >= DIMS ||
	    map64_get(&w->by_number, number) != NULL)
		return (-1);
	series_new(w, (enum dim)value.p[0], slice_skip(value, 1), number)->stored = true;
	return (0);
}

int
windows_load_cell(struct windows *w, size_t level, int64_t bucket, struct slice field, struct slice value)
{
	int64_t figures[FIGURES_MAX] = { 0 };
	uint32_t number;
	struct series *s;
	struct row *row;
	struct cell *cell;
	size_t n;

	if (!parse_number(field, &number))
		return (-1);
	s = map64_get(&w->by_number, number);
	if (s == NULL)
		return (0);		/* its series went in the same commit that removed this bucket */
	if (figures_decode(value, figures, dim_width(s->dim), &n) != 0)
		return (-1);
	if (n > s->width)
		series_widen(w, s);
	if (w->dropped[level] == 0)
		w->dropped[level] = w->rolled[level] - w->levels[level].buckets + 1;
	row = &s->rows[level];
	cell = row_cell(w, s, row, level, bucket);
	memcpy(cell->figures, figures, s->width * sizeof(int64_t));
	if (bucket <= w->rolled[level])
		sum_add(s, level, cell, 1);
	return (0);
}

void
windows_bucket_range(const struct windows *w, size_t level, int64_t now_ms, int64_t *first, int64_t *last)
{
	*last = floor_div(now_ms, w->levels[level].bucket_ms);
	*first = *last - w->levels[level].buckets + 1;
	*last += buckets_ahead(w, level);
}

/* ---- reading -------------------------------------------------------------- */

static void
series_walk(struct windows *w, struct series *s, bool all, windows_fn *fn, void *arg)
{
	int64_t figures[FIGURES_MAX] = { 0 };
	struct series_view view = { s->number, s->dim, s->name, NULL };

	for (size_t level = 0; level < w->n_levels; level++) {
		unsigned bit = 1u << level;
		const int64_t *sum = s->sums + level * s->width;
		bool alive = s->dim == DIM_TOTAL || sum[FIG_VISITS] > 0;

		if (!all && (s->changed & bit) == 0)
			continue;
		if (!alive && (s->shown & bit) == 0)
			continue;
		memcpy(figures, sum, s->width * sizeof(*sum));
		view.figures = alive ? figures : NULL;
		fn(&view, level, arg);
		s->shown = alive ? s->shown | bit : s->shown & ~bit;
	}
	s->changed = 0;
}

static void
gone_walk(struct windows *w, const struct gone *g, windows_fn *fn, void *arg)
{
	struct series_view view = { SERIES_NONE, g->dim, g->name, NULL };

	for (size_t level = 0; level < w->n_levels; level++)
		if ((g->shown & 1u << level) != 0 && !windows_alive(w, level, g->dim, g->name))
			fn(&view, level, arg);
}

void
windows_walk_begin(struct windows *w, bool all, struct windows_walk *walk)
{
	const struct series *s;

	*walk = (struct windows_walk){ .all = all, .numbers = mem_calloc(w->by_number.count + 1, sizeof(*walk->numbers)) };
	for (size_t i = 0; (s = map64_next(&w->by_number, &i, NULL)) != NULL;)
		if (all || s->changed != 0)
			walk->numbers[walk->n++] = s->number;
}

bool
windows_walk_on(struct windows *w, struct windows_walk *walk, size_t n, windows_fn *fn, void *arg)
{
	struct series *s;
	struct gone *g;

	for (; (g = w->gone) != NULL && n > 0; n--) {
		gone_walk(w, g, fn, arg);
		w->gone = g->next;
		free(g);
	}
	for (; walk->next < walk->n && n > 0; walk->next++) {
		s = map64_get(&w->by_number, walk->numbers[walk->next]);
		if (s == NULL || (!walk->all && s->changed == 0))
			continue;
		series_walk(w, s, walk->all, fn, arg);
		n--;
	}
	if (n == 0)
		return (true);
	free(walk->numbers);
	*walk = (struct windows_walk){ 0 };
	return (false);
}

void
windows_walk(struct windows *w, bool all, windows_fn *fn, void *arg)
{
	struct windows_walk walk;

	windows_walk_begin(w, all, &walk);
	while (windows_walk_on(w, &walk, SIZE_MAX, fn, arg))
		;
}

bool
windows_alive(struct windows *w, size_t level, enum dim dim, struct slice name)
{
	const struct series *s = series_by_name(w, dim, name);

	return (s != NULL && (dim == DIM_TOTAL || s->sums[level * s->width + FIG_VISITS] > 0));
}
