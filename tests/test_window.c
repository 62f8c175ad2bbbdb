/*
 * Tests of core/window: running sums against a slow recount at random clocks, the cap,
 * and what is left of both after a restart.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "core/window.h"
#include "engine_world.h"

static const struct level levels[] = { { "short", 1000, 5 }, { "long", 7000, 12 } };

#define ADDS_MAX 3000
#define NAMES 30

struct added {
	enum dim dim;
	unsigned name;
	int64_t time_ms, figures[5];
};

struct shelf {				/* windows, what was added to them, and a store */
	struct windows *windows;
	struct added adds[ADDS_MAX];
	size_t n;
	struct strmap *store;		/* key, a space, field -> struct buf */
};

static struct shelf shelf;
static const struct hash_key secret;

static struct slice
name_of(unsigned i, char buf[16])
{
	return (slice_make(buf, (size_t)snprintf(buf, 16, "name %u", i)));
}

static void
open_shelf(size_t max_series)
{
	shelf = (struct shelf){ .windows = windows_new(levels, N_ELEM(levels), max_series, &secret), .store = strmap_new(&secret) };
}

static void
close_shelf(void)
{
	struct buf *b;

	for (size_t i = 0; (b = strmap_next(shelf.store, &i, NULL)) != NULL;) {
		buf_free(b);
		free(b);
	}
	strmap_free(&shelf.store);
	windows_free(&shelf.windows);
	ck_assert_ptr_null(shelf.windows);
}

static void
add(enum dim dim, unsigned name, int64_t time_ms, const int64_t figures[5])
{
	char buf[16];
	uint32_t number = windows_series(shelf.windows, dim, name_of(name, buf));

	windows_add(shelf.windows, dim, number, time_ms, 0, figures, 5);
	ck_assert(shelf.n < ADDS_MAX);
	shelf.adds[shelf.n] = (struct added){ .dim = dim, .name = name, .time_ms = time_ms };
	memcpy(shelf.adds[shelf.n++].figures, figures, sizeof(shelf.adds[0].figures));
}

static void
add_random(struct random *r, int64_t now, unsigned names)
{
	const int64_t figures[5] = { 1, (int64_t)random_below(r, 3), (int64_t)random_below(r, 1000) - 100, (int64_t)random_below(r, 9), 0 };

	add(random_below(r, 2) == 0 ? DIM_PAGE : DIM_LANDING, (unsigned)random_below(r, names), now - 90000 + (int64_t)random_below(r, 100000), figures);
}

/* ---- what is shown ---------------------------------------------------------------- */

static int64_t
bucket_of(int64_t time_ms, int64_t bucket_ms)
{
	return (time_ms >= 0 ? time_ms / bucket_ms : -((-time_ms + bucket_ms - 1) / bucket_ms));
}

/* name NAMES: all of the dimension. */
static void
recount(enum dim dim, unsigned name, const struct level *level, int64_t sum[5])
{
	int64_t last = bucket_of(windows_now(shelf.windows), level->bucket_ms);

	memset(sum, 0, 5 * sizeof(*sum));
	for (size_t i = 0; i < shelf.n; i++) {
		const struct added *a = &shelf.adds[i];
		int64_t b = bucket_of(a->time_ms, level->bucket_ms);

		if (a->dim == dim && (name == NAMES || a->name == name) && b <= last && b > last - level->buckets)
			for (size_t k = 0; k < 5; k++)
				sum[k] += a->figures[k];
	}
}

struct shown {
	enum dim dim;
	struct slice name;
	bool all;
	size_t level, series;
	int64_t sum[5];
};

static void
show(const struct series_view *s, size_t level, void *arg)
{
	struct shown *w = arg;

	if (s->dim != w->dim || level != w->level || s->figures == NULL || (!w->all && !slice_equal(s->name, w->name)))
		return;
	w->series++;
	for (size_t k = 0; k < 5; k++)
		w->sum[k] += s->figures[k];
}

static struct shown
shown(enum dim dim, unsigned name, size_t level)
{
	char buf[16];
	struct shown w = { .dim = dim, .name = name_of(name, buf), .all = name == NAMES, .level = level };

	windows_walk(shelf.windows, true, show, &w);
	return (w);
}

static void
expect_recount(enum dim dim, unsigned name, const char *when)
{
	int64_t expected[5];

	for (size_t level = 0; level < N_ELEM(levels); level++) {
		struct shown w = shown(dim, name, level);

		recount(dim, name, &levels[level], expected);
		for (size_t k = 0; k < 5; k++)
			ck_assert_msg(w.sum[k] == expected[k], "%s: %s %u, window %s, figure %zu: %lld, not %lld", when, dim_name(dim), name,
			    levels[level].name, k, (long long)w.sum[k], (long long)expected[k]);
	}
}

static void
expect_all(const char *when)
{
	windows_roll(shelf.windows);
	for (unsigned name = 0; name <= NAMES; name++) {
		expect_recount(DIM_PAGE, name, when);
		expect_recount(DIM_LANDING, name, when);
	}
}

/* ---- the store -------------------------------------------------------------------- */

static struct slice
place(struct buf *b, struct slice key, struct slice field)
{
	b->len = 0;
	buf_put(b, key.p, key.len);
	buf_putc(b, ' ');
	buf_put(b, field.p, field.len);
	return (buf_view(b));
}

static void
store_del(struct slice at)
{
	struct buf *b = strmap_del(shelf.store, at);

	if (b != NULL)
		buf_free(b);
	free(b);
}

static void
store_del_key(struct slice key)
{
	struct slice at;
	struct buf *b, copy = { 0 };

	for (size_t i = 0; (b = strmap_next(shelf.store, &i, &at)) != NULL;)
		if (at.len > key.len && at.p[key.len] == ' ' && slice_starts(at, key)) {
			copy.len = 0;
			buf_put(&copy, at.p, at.len);
			store_del(buf_view(&copy));
			i = 0;
		}
	buf_free(&copy);
}

static void
store_set(struct slice at, struct slice value)
{
	struct buf *b = strmap_get(shelf.store, at);

	if (b == NULL) {
		b = mem_calloc(1, sizeof(*b));
		strmap_put(shelf.store, at, b);
	}
	b->len = 0;
	buf_put(b, value.p, value.len);
}

static void
commit(void)
{
	struct changes all = { 0 };
	struct buf at = { 0 };

	windows_changes(shelf.windows, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct change *c = &all.list[i];

		if (c->op == CHANGE_HSET)
			store_set(place(&at, change_key(&all, c), change_field(&all, c)), change_value(&all, c));
		else if (c->op == CHANGE_HDEL)
			store_del(place(&at, change_key(&all, c), change_field(&all, c)));
		else
			store_del_key(change_key(&all, c));
	}
	buf_free(&at);
	changes_free(&all);
}

static void
load_cells(struct windows *w)
{
	int64_t first, last, bucket;
	struct slice at;
	struct buf *b;
	char name[16];
	unsigned number;

	for (size_t i = 0; (b = strmap_next(shelf.store, &i, &at)) != NULL;) {
		char text[64], field[16];

		if (at.p[0] != 'b')
			continue;
		snprintf(text, sizeof(text), "%.*s", SLICE_FMT(at));
		ck_assert_int_eq(sscanf(text, "b:%15[a-z]:%ld %u", name, &bucket, &number), 3);
		snprintf(field, sizeof(field), "%u", number);
		for (size_t level = 0; level < N_ELEM(levels); level++) {
			windows_bucket_range(w, level, windows_now(w), &first, &last);
			if (strcmp(name, levels[level].name) == 0 && bucket >= first && bucket <= last)
				ck_assert_int_eq(windows_load_cell(w, level, bucket, slice_of(field), buf_view(b)), 0);
		}
	}
}

static void
reload(size_t max_series)
{
	struct windows *old = shelf.windows, *w = windows_new(levels, N_ELEM(levels), max_series, &secret);
	struct slice at;
	struct buf *b;

	windows_advance(w, windows_now(old));
	windows_roll(w);
	windows_skip_numbers(w, windows_next_number(old));
	for (size_t i = 0; (b = strmap_next(shelf.store, &i, &at)) != NULL;)
		if (slice_starts(at, SLICE("s ")))
			ck_assert_int_eq(windows_load_series(w, slice_skip(at, 2), buf_view(b)), 0);
	load_cells(w);
	windows_free(&old);
	shelf.windows = w;
}

/* Nothing of what has left is kept. */
static void
expect_clean(void)
{
	struct slice at;
	int64_t first, last, bucket;
	char text[64], name[16];

	for (size_t i = 0; strmap_next(shelf.store, &i, &at) != NULL;) {
		if (at.p[0] != 'b')
			continue;
		snprintf(text, sizeof(text), "%.*s", SLICE_FMT(at));
		ck_assert_int_eq(sscanf(text, "b:%15[a-z]:%ld", name, &bucket), 2);
		windows_bucket_range(shelf.windows, name[0] == 's' ? 0 : 1, windows_now(shelf.windows), &first, &last);
		ck_assert_msg(bucket >= first, "%s is left behind, the first is %lld", text, (long long)first);
	}
}

/* ---- tests ------------------------------------------------------------------------ */

START_TEST(sums_are_those_of_a_recount)
{
	struct random r = random_seeded("sums_are_those_of_a_recount");
	int64_t now = 1000000;

	r.state += (uint64_t)_i * 1000003;
	open_shelf(10000);
	windows_advance(shelf.windows, now);
	for (int i = 0; i < 400; i++) {
		add_random(&r, now, NAMES);
		if (random_below(&r, 10) == 0)
			now += random_below(&r, 8) == 0 ? (int64_t)random_below(&r, 400000) : (int64_t)random_below(&r, 5000);
		windows_advance(shelf.windows, now);
		if (random_below(&r, 10) == 0) {
			commit();
			expect_clean();
		}
		if (random_below(&r, 40) == 0) {
			commit();
			reload(10000);
		}
		if (random_below(&r, 10) == 0)
			expect_all("on the way");
	}
	expect_all("at the end");
	close_shelf();
}
END_TEST

START_TEST(capped_series_add_up)
{
	struct random r = random_seeded("capped_series_add_up");
	const int64_t dear[5] = { 50, 1, 1000000, 0, 0 };
	size_t cap = 2 + (size_t)_i;
	int64_t now = 1000000;

	r.state += (uint64_t)_i * 1000003;
	open_shelf(cap);
	windows_advance(shelf.windows, now);
	add(DIM_PAGE, 0, now, dear);
	for (int i = 0; i < 600; i++) {
		add_random(&r, now, NAMES);
		ck_assert_uint_le(shown(DIM_PAGE, NAMES, 1).series, cap + 1);
		if (random_below(&r, 30) == 0) {
			commit();
			if (random_below(&r, 3) == 0)
				reload(cap);
		}
		windows_roll(shelf.windows);
		expect_recount(DIM_PAGE, NAMES, "all of a capped dimension");
		expect_recount(DIM_LANDING, NAMES, "all of a capped dimension");
		if (cap > 2)
			ck_assert_msg(windows_alive(shelf.windows, 1, DIM_PAGE, SLICE("name 0")), "the most valuable series is gone");
		now += (int64_t)random_below(&r, 60);
		windows_advance(shelf.windows, now);
	}
	close_shelf();
}
END_TEST

/* The number of a series that is gone is not given to another. */
START_TEST(numbers_are_not_given_twice)
{
	const int64_t one[5] = { 1, 0, 7, 0, 0 };
	uint32_t gone, fresh;

	open_shelf(100);
	windows_advance(shelf.windows, 1000000);
	gone = windows_series(shelf.windows, DIM_LANDING, SLICE("a"));
	windows_add(shelf.windows, DIM_LANDING, gone, 1000000, 0, one, 5);
	commit();
	windows_advance(shelf.windows, 2000000);
	commit();
	ck_assert_uint_eq(windows_count(shelf.windows), 0);
	reload(100);
	fresh = windows_series(shelf.windows, DIM_SOURCE, SLICE("b"));
	ck_assert_uint_ne(gone, fresh);
	/* What still names it goes to the rest of its dimension. */
	windows_add(shelf.windows, DIM_LANDING, gone, 2000000, 0, one, 5);
	ck_assert(windows_alive(shelf.windows, 0, DIM_LANDING, SLICE("(other)")));
	/* So does what names a series of another dimension. */
	windows_add(shelf.windows, DIM_LANDING, fresh, 2000000, 0, one, 5);
	ck_assert_int_eq(shown(DIM_LANDING, NAMES, 0).sum[2], 14);
	close_shelf();
}
END_TEST

/* Room is made in the middle of a visit: what was named before must not go for want of figures. */
#define FULL 200

/* Of a full dimension a twentieth and one more leave: those with the fewest visits, of as many the oldest. */
START_TEST(the_least_important_leave)
{
	unsigned visits[FULL], order[FULL];
	char buf[16];

	srand(7 + (unsigned)_i);
	open_shelf(FULL);
	windows_advance(shelf.windows, 1000000);
	for (unsigned i = 0; i < FULL; i++) {
		const int64_t figures[5] = { visits[i] = 1 + (unsigned)rand() % 40, 0, 0, 0, 0 };

		add(DIM_PAGE, i, 1000000, figures);
		order[i] = i;
	}
	for (unsigned i = 0; i < FULL; i++)		/* slowly, and in plain sight */
		for (unsigned k = i + 1; k < FULL; k++)
			if (visits[order[k]] < visits[order[i]] || (visits[order[k]] == visits[order[i]] && order[k] < order[i])) {
				unsigned swap = order[i];

				order[i] = order[k];
				order[k] = swap;
			}
	windows_series(shelf.windows, DIM_PAGE, SLICE("one more"));
	for (unsigned i = 0; i < FULL; i++)
		ck_assert_msg(windows_alive(shelf.windows, 0, DIM_PAGE, name_of(order[i], buf)) == (i > FULL / 20),
		    "the %uth from below, with %u visits", i, visits[order[i]]);
	close_shelf();
}
END_TEST

START_TEST(a_new_series_is_not_dropped_before_its_first_figure)
{
	const int64_t one[5] = { 1, 0, 0, 0, 0 };
	uint32_t landing;

	open_shelf(2);
	windows_advance(shelf.windows, 1000000);
	for (unsigned i = 0; i < 2; i++)
		add(DIM_PAGE, i, 1000000, one);
	commit();
	windows_advance(shelf.windows, 1005000);
	landing = windows_series(shelf.windows, DIM_LANDING, SLICE("a"));
	windows_series(shelf.windows, DIM_PAGE, SLICE("name 2"));
	windows_add(shelf.windows, DIM_LANDING, landing, 1005000, 0, one, 5);
	ck_assert(windows_alive(shelf.windows, 0, DIM_LANDING, SLICE("a")));
	close_shelf();
}
END_TEST

static void
count_ends(const struct series_view *s, size_t level, void *arg)
{
	(void)level;
	if (s->dim == DIM_PAGE && s->figures == NULL)
		++*(int *)arg;
}

/* Whoever publishes is told once when a series leaves a window. */
START_TEST(leaving_is_told_once)
{
	const int64_t one[5] = { 1, 0, 0, 0, 0 };
	int ends = 0;

	open_shelf(100);
	windows_advance(shelf.windows, 1000000);
	add(DIM_PAGE, 0, 1000000, one);
	windows_roll(shelf.windows);
	windows_walk(shelf.windows, false, count_ends, &ends);
	ck_assert_int_eq(ends, 0);
	windows_advance(shelf.windows, 1006000);
	windows_roll(shelf.windows);
	windows_walk(shelf.windows, false, count_ends, &ends);
	ck_assert_int_eq(ends, 1);	/* the short window */
	commit();
	windows_advance(shelf.windows, 2000000);
	windows_roll(shelf.windows);
	windows_walk(shelf.windows, false, count_ends, &ends);
	ck_assert_int_eq(ends, 2);
	windows_walk(shelf.windows, false, count_ends, &ends);
	ck_assert_int_eq(ends, 2);
	close_shelf();
}
END_TEST

/* Few series with a cell in each bucket take more than many: there is a bound for that, too, and what
 * is beyond goes where it belongs, figure for figure. */
START_TEST(a_full_memory_keeps_what_earns)
{
	const int64_t visit[5] = { 1, 0, 0, 0, 0 }, order[5] = { 0, 1, 1000, 0, 0 };
	int64_t now = 1000000;

	open_shelf(10000);
	windows_limit(shelf.windows, 20000);
	add(DIM_PAGE, 0, now, order);
	for (int i = 0; i < ADDS_MAX - 1; i++) {
		now += 30;
		windows_advance(shelf.windows, now);
		add(i % 2 == 0 ? DIM_PAGE : DIM_LANDING, (unsigned)i % (NAMES - 1), now, visit);
		if (i % 100 == 0)
			commit();
	}
	ck_assert_uint_gt(windows_merged(shelf.windows), 0);
	windows_roll(shelf.windows);
	expect_recount(DIM_PAGE, NAMES, "all of a dimension that gave back");
	expect_recount(DIM_LANDING, NAMES, "all of a dimension that gave back");
	ck_assert(windows_alive(shelf.windows, 1, DIM_PAGE, SLICE("(other)")) || windows_alive(shelf.windows, 1, DIM_LANDING, SLICE("(other)")));
	close_shelf();
}
END_TEST

static void
count_shown(const struct series_view *s, size_t level, void *arg)
{
	(void)level;
	*(size_t *)arg += s->figures != NULL;
}

/* A walk in portions comes by all that changed, whatever happens between two of them. */
START_TEST(a_walk_in_portions)
{
	const int64_t one[5] = { 1, 0, 0, 0, 0 };
	struct windows_walk walk;
	size_t n = 0, portions = 0, more = 0;
	char buf[16];

	open_shelf(10000);
	windows_advance(shelf.windows, 1000000);
	windows_roll(shelf.windows);
	for (unsigned i = 0; i < NAMES; i++)
		windows_add(shelf.windows, DIM_PAGE, windows_series(shelf.windows, DIM_PAGE, name_of(i, buf)), 1000000, 0, one, 5);
	windows_walk_begin(shelf.windows, false, &walk);
	while (windows_walk_on(shelf.windows, &walk, 2, count_shown, &n)) {
		ck_assert_uint_le(n, 2 * N_ELEM(levels) * ++portions);
		windows_add(shelf.windows, DIM_LANDING, windows_series(shelf.windows, DIM_LANDING, name_of((unsigned)portions, buf)), 1000000, 0, one, 5);
	}
	ck_assert_uint_gt(portions, 1);
	ck_assert_uint_eq(n, NAMES * N_ELEM(levels));
	windows_walk(shelf.windows, false, count_shown, &more);
	ck_assert_uint_eq(more, portions * N_ELEM(levels));	/* what came meanwhile */
	close_shelf();
}
END_TEST

static const struct { const char *why, *field; struct slice value; int loads; } records[] = {
	{ "as written", "7", { "\002/a", 3 }, 0 },
	{ "no number", "x", { "\002/a", 3 }, -1 },
	{ "number 0", "0", { "\002/a", 3 }, -1 },
	{ "a number too long", "4294967296", { "\002/a", 3 }, -1 },
	{ "no dimension", "7", { "", 0 }, -1 },
	{ "no such dimension", "7", { "\077/a", 3 }, -1 },
};

START_TEST(foreign_records_are_refused)
{
	static const char cells[][4] = { "\000\002", "\005\002", "\000", "\000\377" };
	static const int fit[] = { 0, -1, -1, -1 };
	struct windows *w = windows_new(levels, N_ELEM(levels), 10, &secret);

	ck_assert_msg(windows_load_series(w, slice_of(records[_i].field), records[_i].value) == records[_i].loads, "%s", records[_i].why);
	if (records[_i].loads == 0) {
		ck_assert_int_eq(windows_load_series(w, SLICE("7"), records[_i].value), -1);	/* twice */
		for (size_t i = 0; i < N_ELEM(cells); i++)
			ck_assert_int_eq(windows_load_cell(w, 0, 5, SLICE("7"), slice_make(cells[i], i == 2 ? 1 : 2)), fit[i]);
	}
	ck_assert_int_eq(windows_load_cell(w, 0, 5, SLICE("8"), SLICE("")), 0);	/* its series went before */
	windows_free(&w);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("window");
	TCase *tc = tcase_create("window");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, sums_are_those_of_a_recount, 0, 8);
	tcase_add_loop_test(tc, capped_series_add_up, 0, 8);
	tcase_add_test(tc, numbers_are_not_given_twice);
	tcase_add_loop_test(tc, the_least_important_leave, 0, 8);
	tcase_add_test(tc, a_new_series_is_not_dropped_before_its_first_figure);
	tcase_add_test(tc, leaving_is_told_once);
	tcase_add_test(tc, a_full_memory_keeps_what_earns);
	tcase_add_test(tc, a_walk_in_portions);
	tcase_add_loop_test(tc, foreign_records_are_refused, 0, (int)N_ELEM(records));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
