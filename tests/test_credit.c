/*
 * Tests of core/credit: the six models, and parts that always add up.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/credit.h"
#include "core/model.h"
#include "engine_world.h"

#define MAX 4
#define WEEK (7 * DAY_MS)

static const struct {
	const char *why;
	int model;
	const char *touches;		/* d: direct, x: not; a digit before it: weeks before the order */
	int64_t amount, parts[MAX];
} rows[] = {
	{ "the last that is not direct", MODEL_LAST_NON_DIRECT, "xxdd", 100, { 0, 100, 0, 0 } },
	{ "itself where it is not", MODEL_LAST_NON_DIRECT, "ddx", 100, { 0, 0, 100 } },
	{ "all direct: the last", MODEL_LAST_NON_DIRECT, "ddd", 100, { 0, 0, 100 } },
	{ "one touch", MODEL_LAST_NON_DIRECT, "d", 100, { 100 } },
	{ "the last, direct or not", MODEL_LAST, "xxd", 100, { 0, 0, 100 } },
	{ "the first, direct or not", MODEL_FIRST, "dxx", 100, { 100, 0, 0 } },
	{ "the same for all", MODEL_LINEAR, "xdx", 99, { 33, 33, 33 } },
	{ "a cent too many goes to the earlier touch", MODEL_LINEAR, "xxx", 100, { 34, 33, 33 } },
	{ "two of them to the two earliest", MODEL_LINEAR, "xxx", 101, { 34, 34, 33 } },
	{ "less than there are touches", MODEL_LINEAR, "xxxx", 2, { 1, 1, 0, 0 } },
	{ "nothing", MODEL_LINEAR, "xxx", 0, { 0, 0, 0 } },
	{ "one touch has all of it", MODEL_POSITION, "x", 100, { 100 } },
	{ "two have half each", MODEL_POSITION, "xx", 101, { 51, 50 } },
	{ "40, 20, 40", MODEL_POSITION, "xxx", 1000, { 400, 200, 400 } },
	{ "40, 10, 10, 40", MODEL_POSITION, "xxxx", 1000, { 400, 100, 100, 400 } },
	{ "the largest remainder gets the cent: 40.4, 20.2, 40.4", MODEL_POSITION, "xxx", 101, { 41, 20, 40 } },
	{ "half for each week of age", MODEL_TIME_DECAY, "2x1x0x", 700, { 100, 200, 400 } },
	{ "of the same age the same", MODEL_TIME_DECAY, "1x1x", 100, { 50, 50 } },
	{ "ages ago, all of them", MODEL_TIME_DECAY, "9x", 100, { 100 } },
	{ "the largest amount", MODEL_LINEAR, "xx", INT64_MAX, { INT64_MAX / 2 + 1, INT64_MAX / 2 } },
	{ "the largest amount by decay", MODEL_TIME_DECAY, "0x0x", INT64_MAX, { INT64_MAX / 2 + 1, INT64_MAX / 2 } },
};

START_TEST(models)
{
	struct touch touches[MAX] = { 0 };
	uint64_t weights[TOUCHES_MAX];
	int64_t parts[TOUCHES_MAX], age = 0;
	size_t n = 0;

	for (const char *p = rows[_i].touches; *p != '\0'; p++)
		if (*p >= '0' && *p <= '9') {
			age = (*p - '0') * WEEK;
		} else {
			ck_assert(n < MAX);
			touches[n++] = (struct touch){ .start_ms = WORLD_DAY - age, .is_direct = *p == 'd' };
		}
	credit_weights(rows[_i].model, touches, n, WORLD_DAY, weights);
	credit_split(rows[_i].amount, weights, n, parts);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(parts[i] == rows[_i].parts[i], "%s: part %zu is %lld", rows[_i].why, i, (long long)parts[i]);
}
END_TEST

/* Exactly, by every model, for every number of touches, and to a touch without weight nothing. */
START_TEST(parts_add_up)
{
	struct random r = random_seeded("parts_add_up");

	for (int i = 0; i < 20000; i++) {
		struct touch touches[TOUCHES_MAX] = { 0 };
		uint64_t weights[TOUCHES_MAX], all = 0;
		int64_t parts[TOUCHES_MAX], amount = (int64_t)(random_next(&r) >> (1 + random_below(&r, 63))), left = amount;
		size_t n = 1 + random_below(&r, TOUCHES_MAX);

		/* Up to years ago, and after the order. */
		for (size_t k = 0; k < n; k++) {
			touches[k].start_ms = WORLD_DAY + 30000 - (int64_t)random_below(&r, UINT64_C(1) << (1 + random_below(&r, 44)));
			touches[k].is_direct = random_below(&r, 2) == 0;
		}
		credit_weights(i % CONF_MODELS, touches, n, WORLD_DAY, weights);
		credit_split(amount, weights, n, parts);
		for (size_t k = 0; k < n; k++) {
			ck_assert_int_ge(parts[k], 0);
			ck_assert(weights[k] > 0 || parts[k] == 0);
			left -= parts[k];
			all += weights[k] > 0;
		}
		ck_assert_int_eq(left, 0);
		ck_assert_uint_gt(all, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("credit");
	TCase *tc = tcase_create("credit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, models, 0, (int)N_ELEM(rows));
	tcase_add_test(tc, parts_add_up);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
