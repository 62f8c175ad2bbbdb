/*
 * Tests of io/progress: a catch-up, second by second.
 */
#include "io/progress.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"

static const struct { const char *why; int64_t ms; uint64_t behind; int64_t seconds; bool says; } steps[] = {
	{ "nothing is behind", 1000, 0, -1, false },
	{ "nothing was read yet", 2000, 1000, -1, false },
	{ "too early to say", 2500, 900, -1, false },
	{ "200 of 1000 in 2 s", 4000, 800, 8, false },
	{ "500 in 8 s", 10000, 500, 8, false },
	{ "after ten seconds the log tells", 12000, 400, 7, true },
	{ "and not again at once", 13000, 350, 6, false },
	{ "as much came as was read", 14000, 350, 6, false },
	{ "one more file: 1000 more, 650 of 2000 in 13 s", 15000, 1350, 27, false },
	{ "once a minute", 72000, 100, 4, true },
	{ "done", 80000, 0, -1, false },
	{ "the next time begins anew", 90000, 500, -1, false },
	{ "at its own rate", 91000, 250, 1, false },
};

START_TEST(catching_up)
{
	struct progress p = { 0 };

	for (size_t i = 0; i < N_ELEM(steps); i++) {
		bool says = progress_note(&p, steps[i].behind, steps[i].ms);

		ck_assert_msg(says == steps[i].says, "%s: says %d", steps[i].why, says);
		ck_assert_msg(progress_seconds(&p, steps[i].ms) == steps[i].seconds, "%s: %lld s", steps[i].why,
		    (long long)progress_seconds(&p, steps[i].ms));
	}
}
END_TEST

static const struct { const char *why; int64_t ms; uint64_t lines, a_second; } paces[] = {
	{ "the begin", 1000, 500, 0 },
	{ "too soon to say", 1100, 900, 0 },
	{ "1000 in half a second", 1500, 1500, 2000 },
	{ "it changes slowly", 2500, 7500, 3000 },
	{ "begun anew: fewer lines than before", 3500, 100, 0 },
	{ "at its own pace", 4500, 300, 200 },
};

START_TEST(pace_of_lines)
{
	struct pace p = { 0 };

	for (size_t i = 0; i < N_ELEM(paces); i++) {
		pace_note(&p, paces[i].lines, paces[i].ms);
		ck_assert_msg((uint64_t)(p.a_second + 0.5) == paces[i].a_second, "%s: %f", paces[i].why, p.a_second);
	}
}
END_TEST

#define T INT64_C(1772445600000)	/* 2026-03-02T10:00:00Z */

/* Begun at 1000 with no line; what is shown, and the sum at the end. */
static const struct { const char *why; struct replayed at; double a_second; int64_t ms; const char *shown, *sum; } shows[] = {
	{ "nothing yet", { 0, 1000000, 0, INT64_MIN }, 0, 1100, "0% of 1.0 MB, 0 lines/s", "0 lines (0.0 kB) in 0.1 s, 0 lines/s" },
	{ "a third in two seconds", { 1000000000, 3000000000, 4000000, T }, 1999999.6, 3000,
	    "33% of 3.0 GB, 2,000,000 lines/s, 4 s left, at 2026-03-02 10:00 UTC",
	    "4,000,000 lines (1.0 GB) in 2.0 s, 2,000,000 lines/s, up to 2026-03-02 10:00 UTC" },
	{ "a pipe, of which nobody knows the end", { 412345678, 412345678, 12345, T }, 999, 3000,
	    "412 MB, 999 lines/s, at 2026-03-02 10:00 UTC", "12,345 lines (412 MB) in 2.0 s, 6,173 lines/s, up to 2026-03-02 10:00 UTC" },
	{ "minutes", { 1000, 100000, 10, T }, 10, 3000, "1% of 100 kB, 10 lines/s, 3 min left, at 2026-03-02 10:00 UTC",
	    "10 lines (1.0 kB) in 2.0 s, 5 lines/s, up to 2026-03-02 10:00 UTC" },
	{ "hours", { 1000, 10000000, 10, T }, 10, 3000, "0% of 10 MB, 10 lines/s, 5 h 33 min left, at 2026-03-02 10:00 UTC",
	    "10 lines (1.0 kB) in 2.0 s, 5 lines/s, up to 2026-03-02 10:00 UTC" },
};

START_TEST(shown)
{
	struct pace p = { .begun_ms = 1000, .a_second = shows[_i].a_second };
	struct buf b = { 0 };

	progress_put(&b, &shows[_i].at, &p, shows[_i].ms);
	ck_assert_msg(slice_is(buf_view(&b), shows[_i].shown), "%s: %.*s", shows[_i].why, SLICE_FMT(buf_view(&b)));
	b.len = 0;
	progress_put_sum(&b, &shows[_i].at, &p, shows[_i].ms);
	ck_assert_msg(slice_is(buf_view(&b), shows[_i].sum), "%s: %.*s", shows[_i].why, SLICE_FMT(buf_view(&b)));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("progress");
	TCase *tc = tcase_create("progress");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, catching_up);
	tcase_add_test(tc, pace_of_lines);
	tcase_add_loop_test(tc, shown, 0, (int)N_ELEM(shows));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
