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

int
main(void)
{
	Suite *s = suite_create("progress");
	TCase *tc = tcase_create("progress");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, catching_up);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
