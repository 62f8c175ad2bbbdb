/*
 * Tests of io/clock: two clocks, reading by reading, and what is believed.
 */
#include "io/clock.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define NOW INT64_C(1772409600000)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define UP (9 * DAY)			/* since boot, at NOW */

static char dir[64], file[96];

struct reading {
	const char *why;
	int64_t wall, up, believed;
	unsigned steps;			/* by then */
};

static void
set(int64_t wall, int64_t up)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "%lld %lld\n", (long long)wall, (long long)up);
	fclose(f);
}

static struct clock *
start(int64_t was, bool remembers)
{
	struct clock *c = clock_new(file, NULL);

	ck_assert_ptr_nonnull(c);
	clock_was(c, was);
	if (remembers)
		clock_remember(c, dir);
	return (c);
}

static void
read_all(struct clock *c, const struct reading *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		set(r[i].wall, r[i].up);
		ck_assert_msg(clock_now_ms(c) == r[i].believed, "%s: believes %+lld s", r[i].why,
		    (long long)(clock_now_ms(c) - r[i].believed) / 1000);
		ck_assert_msg(clock_off_ms(c) == r[i].wall - r[i].believed, "%s: off by %lld ms", r[i].why, (long long)clock_off_ms(c));
		ck_assert_msg(clock_steps(c) == r[i].steps, "%s: %u steps", r[i].why, clock_steps(c));
	}
}

static const int64_t leaps[] = { 6 * MINUTE, 2 * HOUR, 40 * DAY, 200 * DAY, 400 * DAY, 4000 * DAY, -6 * MINUTE, -2 * HOUR, -40 * DAY, -200 * DAY };

START_TEST(leap)
{
	const int64_t by = leaps[_i];
	const struct reading rows[] = {
		{ "first", NOW, UP, NOW, 0 },
		{ "a day passes, or the host sleeps", NOW + DAY, UP + DAY, NOW + DAY, 0 },
		{ "leapt", NOW + DAY + SECOND + by, UP + DAY + SECOND, NOW + DAY + SECOND, 1 },
		{ "still", NOW + DAY + HOUR + by, UP + DAY + HOUR, NOW + DAY + HOUR, 1 },
		{ "right again", NOW + DAY + HOUR + 30, UP + DAY + HOUR + 30, NOW + DAY + HOUR + 30, 1 },
		{ "leapt once more", NOW + DAY + 2 * HOUR + by, UP + DAY + 2 * HOUR, NOW + DAY + 2 * HOUR, 2 },
		{ "not quite an hour", NOW + DAY + 3 * HOUR - 1 + by, UP + DAY + 3 * HOUR - 1, NOW + DAY + 3 * HOUR - 1, 2 },
		{ "it has stood", NOW + DAY + 3 * HOUR + by, UP + DAY + 3 * HOUR, NOW + DAY + 3 * HOUR + by, 2 },
		{ "and goes on", NOW + DAY + 4 * HOUR + by, UP + DAY + 4 * HOUR, NOW + DAY + 4 * HOUR + by, 2 },
	};
	struct clock *c = start(0, false);

	read_all(c, rows, 2);
	ck_assert(clock_is_steady(c));
	read_all(c, rows + 2, 1);
	ck_assert(!clock_is_steady(c));
	read_all(c, rows + 3, N_ELEM(rows) - 3);
	ck_assert(!clock_is_steady(c));
	set(NOW + DAY + 6 * HOUR + by, UP + DAY + 6 * HOUR);
	clock_now_ms(c);
	ck_assert(clock_is_steady(c));
	clock_free(&c);
}
END_TEST

START_TEST(corrected)
{
	static const struct reading rows[] = {
		{ "first", NOW, UP, NOW, 0 },
		{ "by four minutes", NOW + 4 * MINUTE, UP, NOW + 4 * MINUTE, 0 },
		{ "and back", NOW, UP + SECOND, NOW, 0 },
	};
	struct clock *c = start(0, false);

	read_all(c, rows, N_ELEM(rows));
	clock_free(&c);
}
END_TEST

/* Each step has its own hour. */
START_TEST(another_step)
{
	static const struct reading rows[] = {
		{ "first", NOW, UP, NOW, 0 },
		{ "ahead", NOW + 40 * DAY, UP + SECOND, NOW + SECOND, 1 },
		{ "further", NOW + 50 * DAY, UP + 50 * MINUTE, NOW + 50 * MINUTE, 2 },
		{ "an hour since the first", NOW + 50 * DAY + 20 * MINUTE, UP + 70 * MINUTE, NOW + 70 * MINUTE, 2 },
		{ "an hour since the second", NOW + 50 * DAY + HOUR, UP + 110 * MINUTE, NOW + 50 * DAY + HOUR, 2 },
	};
	struct clock *c = start(0, false);

	read_all(c, rows, N_ELEM(rows));
	clock_free(&c);
}
END_TEST

/* What is told the time at boot is believed soon. */
static const struct { const char *why; int64_t was, before, up, after, patience; } boots[] = {
	{ "1970", 0, 40 * SECOND, 40 * SECOND, NOW, 0 },
	{ "1970, and there was a webhook", NOW - DAY, 40 * SECOND, 40 * SECOND, NOW, 0 },
	{ "2000", 0, 946684800000, 40 * SECOND, NOW, 0 },
	{ "2000, long after boot", 0, 946684800000, UP, NOW, 0 },
	{ "1970, but not to where no webhook was", NOW + HOUR, 40 * SECOND, 40 * SECOND, NOW, HOUR },
	{ "1970, but not to 2030", NOW - DAY, 40 * SECOND, 40 * SECOND, NOW + 1500 * DAY, HOUR },
	{ "before the last webhook", NOW - DAY, NOW - 3 * DAY, UP, NOW, 0 },
	{ "before the last webhook, but not to 2030", NOW - DAY, NOW - 3 * DAY, UP, NOW + 1500 * DAY, HOUR },
	{ "the last time before it was switched off", NOW - DAY, NOW - DAY, 40 * SECOND, NOW, MINUTE },
	{ "the same, long after boot", NOW - DAY, NOW - DAY, UP, NOW, HOUR },
	{ "ahead at boot, and put back", 0, NOW + 40 * DAY, 40 * SECOND, NOW, MINUTE },
	{ "years ahead at boot is not believed so soon", NOW - DAY, NOW, 40 * SECOND, NOW + 4000 * DAY, HOUR },
};

START_TEST(boot)
{
	struct clock *c = start(boots[_i].was, false);
	int64_t up = boots[_i].up + SECOND, after = boots[_i].after;

	set(boots[_i].before, boots[_i].up);
	ck_assert_msg(clock_now_ms(c) == boots[_i].before, "%s: the first", boots[_i].why);
	set(after, up);
	ck_assert_msg(clock_now_ms(c) == (boots[_i].patience == 0 ? after : boots[_i].before + SECOND), "%s: at once", boots[_i].why);
	set(after + boots[_i].patience / 2, up + boots[_i].patience / 2);
	ck_assert_msg((clock_now_ms(c) == after) == (boots[_i].patience == 0), "%s: half way", boots[_i].why);
	set(after + boots[_i].patience, up + boots[_i].patience);
	ck_assert_msg(clock_now_ms(c) == after + boots[_i].patience, "%s: at last", boots[_i].why);
	ck_assert_uint_eq(clock_steps(c), 1);
	clock_free(&c);
}
END_TEST

/* A restart: what was believed until then is on disk. */
static const struct { const char *why; int64_t wall, up, believed, patience; } restarts[] = {
	{ "a minute later", NOW + MINUTE, UP + MINUTE, NOW + MINUTE, 0 },
	{ "forty days later", NOW + 40 * DAY, UP + 40 * DAY, NOW + 40 * DAY, 0 },
	{ "during a leap of two hours", NOW + 2 * HOUR, UP + MINUTE, NOW + MINUTE, HOUR },
	{ "during a leap that could be a night of being off", NOW + 10 * DAY, UP + MINUTE, NOW + MINUTE, MINUTE },
	{ "during a leap of 400 days", NOW + 400 * DAY, UP + MINUTE, NOW + MINUTE, HOUR },
	{ "during a leap back", NOW - 40 * DAY, UP + MINUTE, NOW + MINUTE, HOUR },
	{ "after a boot, forty days later", NOW + 40 * DAY, 30 * SECOND, NOW + 40 * DAY, 0 },
	{ "after a boot that takes it 400 days ahead", NOW + 400 * DAY, 30 * SECOND, NOW, HOUR },
	{ "after a boot, with a clock that is behind", NOW - 3 * DAY, 30 * SECOND, NOW - 3 * DAY, 0 },
};

START_TEST(restart)
{
	struct clock *c;

	set(NOW - 4 * HOUR, UP - 4 * HOUR);
	c = start(0, true);
	clock_now_ms(c);
	set(NOW, UP);
	clock_now_ms(c);
	ck_assert(clock_is_steady(c));
	clock_free(&c);
	set(restarts[_i].wall, restarts[_i].up);
	c = start(0, true);
	ck_assert_msg(clock_now_ms(c) == restarts[_i].believed, "%s: %+lld s", restarts[_i].why,
	    (long long)(clock_now_ms(c) - restarts[_i].believed) / 1000);
	ck_assert_msg(clock_is_steady(c) == (restarts[_i].patience == 0 && restarts[_i].up > UP), "%s: steady", restarts[_i].why);
	set(restarts[_i].wall + restarts[_i].patience, restarts[_i].up + restarts[_i].patience);
	ck_assert_msg(clock_now_ms(c) == restarts[_i].wall + restarts[_i].patience, "%s: at last", restarts[_i].why);
	clock_free(&c);
}
END_TEST

/* A file that is no moment says nothing, and one that is no file stays as it is. */
START_TEST(what_is_no_moment)
{
	static const char *const texts[] = { "", "x", "1 2 3", "1 2 1 5\n", "-1 2 1 2\n", "1772409600000 777600000 0 1\n" };
	char path[96];

	snprintf(path, sizeof(path), "%s/clock", dir);
	for (size_t i = 0; i < N_ELEM(texts); i++) {
		FILE *f = fopen(path, "w");
		struct clock *c;

		fputs(texts[i], f);
		fclose(f);
		set(NOW + 4 * HOUR, UP + MINUTE);
		c = start(0, true);
		ck_assert_msg(clock_now_ms(c) == NOW + 4 * HOUR, "\"%s\" is taken for something", texts[i]);
		clock_free(&c);
	}
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("elsewhere", path), 0);
	for (int i = 0; i < 2; i++) {
		struct clock *c = start(0, true);

		ck_assert_int_eq(clock_now_ms(c), NOW + 4 * HOUR);
		clock_free(&c);
	}
	ck_assert_int_ne(access("elsewhere", F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* Time that is driven without a time since boot makes no steps. */
START_TEST(driven)
{
	struct clock *c;
	FILE *f = fopen(file, "w");

	fprintf(f, "%lld", (long long)NOW);
	fclose(f);
	c = start(0, false);
	ck_assert_int_eq(clock_now_ms(c), NOW);
	f = fopen(file, "w");
	fprintf(f, "%lld", (long long)(NOW + 40 * DAY));
	fclose(f);
	ck_assert_int_eq(clock_now_ms(c), NOW + 40 * DAY);
	ck_assert_uint_eq(clock_steps(c), 0);
	ck_assert(clock_is_steady(c));
	clock_free(&c);
}
END_TEST

static void
make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/rpvd-clock-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/driven", dir);
	set(NOW, UP);
}

static void
remove_dir(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/clock", dir);
	unlink(path);
	unlink(file);
	rmdir(dir);
}

int
main(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, leap, 0, N_ELEM(leaps));
	tcase_add_test(tc, corrected);
	tcase_add_test(tc, another_step);
	tcase_add_loop_test(tc, boot, 0, N_ELEM(boots));
	tcase_add_loop_test(tc, restart, 0, N_ELEM(restarts));
	tcase_add_test(tc, what_is_no_moment);
	tcase_add_test(tc, driven);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
