/*
 * Tests of io/quarantine: what is kept, for how long, and what happens when it is understood.
 */
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/journal.h"
#include "io/quarantine.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define WEEK_MS (7 * DAY_MS)
#define NOW INT64_C(1772445600000)
#define CANARY "jane@shop.example"

static char top[64];
static struct journal *journal;
static struct quarantine *q;

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return (remove(path));
}

static void
open_both(void)
{
	struct err err = { "" };

	journal = journal_open(top, &err);
	ck_assert_msg(journal != NULL, "%s", err.msg);
	q = quarantine_open(journal, &err);
	ck_assert_msg(q != NULL, "%s", err.msg);
}

static void
close_both(void)
{
	quarantine_close(&q);
	ck_assert_ptr_null(q);
	journal_close(&journal);
}

static void
setup(void)
{
	log_init(0);
	snprintf(top, sizeof(top), "/tmp/test_quarantine.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	open_both();
}

static void
teardown(void)
{
	close_both();
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct quarantine_status
status(void)
{
	struct quarantine_status s;

	quarantine_status(q, &s);
	return (s);
}

static void
add(int64_t received_ms, const char *body)
{
	const struct quarantined one = { .received_ms = received_ms, .site = SLICE("shop"), .provider = SLICE("generic"),
	    .path = SLICE("/hooks/generic"), .id = SLICE("msg_1"), .detail = SLICE("order.total: is missing"), .body = slice_of(body) };

	quarantine_add(q, &one);
}

static void
add_synced(int64_t received_ms, const char *body)
{
	struct err err;

	add(received_ms, body);
	ck_assert_msg(quarantine_sync(q, &err) == 0, "%s", err.msg);
}

/* ---- trying again ------------------------------------------------------------ */

static struct tries {
	const char *understood;		/* bodies that hold this */
	unsigned seen, syncs;
	bool sync_fails;
	char bodies[256];
} tries;

static bool
understands(void *arg, const struct quarantined *one)
{
	struct tries *t = arg;

	ck_assert(slice_is(one->site, "shop") && slice_is(one->provider, "generic") && slice_is(one->path, "/hooks/generic") &&
	    slice_is(one->id, "msg_1") && slice_is(one->detail, "order.total: is missing"));
	t->seen++;
	strncat(t->bodies, one->body.p, one->body.len);
	return (t->understood != NULL && memmem(one->body.p, one->body.len, t->understood, strlen(t->understood)) != NULL);
}

static int
sync_tries(void *arg)
{
	struct tries *t = arg;

	t->syncs++;
	return (t->sync_fails ? -1 : 0);
}

static const struct tries *
try_again(const char *understood)
{
	static const struct quarantine_calls calls = { understands, sync_tries };
	struct err err = { "" };

	tries = (struct tries){ .understood = understood, .sync_fails = tries.sync_fails };
	ck_assert_msg(quarantine_again(q, NOW, &calls, &tries, &err) == 0, "%s", err.msg);
	return (&tries);
}

START_TEST(kept_until_understood)
{
	ck_assert_uint_eq(try_again("")->syncs, 0);
	add(NOW, "one ");
	add(NOW, "two ");
	ck_assert_uint_eq(status().waiting, 0);			/* not before the sync */
	ck_assert_int_eq(quarantine_sync(q, NULL), 0);
	add_synced(NOW, "three ");
	ck_assert_uint_eq(status().waiting, 3);
	ck_assert_str_eq(try_again(NULL)->bodies, "one two three ");
	ck_assert_uint_eq(tries.syncs, 0);
	close_both();
	open_both();						/* a version that knows one of them */
	ck_assert_uint_eq(status().waiting, 3);
	ck_assert_uint_eq(try_again("two")->seen, 3);
	ck_assert_uint_eq(tries.syncs, 1);
	ck_assert_uint_eq(status().waiting, 2);
	ck_assert_str_eq(try_again("two")->bodies, "one three ");
	close_both();
	open_both();						/* and remembers which */
	ck_assert_uint_eq(status().waiting, 2);
	ck_assert_str_eq(try_again("e")->bodies, "one three ");
	ck_assert_uint_eq(status().waiting, 0);
	ck_assert_uint_eq(try_again("e")->seen, 0);
	ck_assert_uint_eq(status().forgotten, 0);
}
END_TEST

/* What came of it is not on disk: it waits on. */
START_TEST(not_released_where_the_journal_fails)
{
	add_synced(NOW, "one ");
	tries.sync_fails = true;
	try_again("one");
	ck_assert_uint_eq(status().waiting, 1);
	tries.sync_fails = false;
	try_again("one");
	ck_assert_uint_eq(status().waiting, 0);
}
END_TEST

/* ---- forgetting ---------------------------------------------------------------- */

static int
look_for_canary(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	char bytes[65536];
	FILE *f;
	size_t n;

	(void)st;
	(void)ftw;
	if (flag != FTW_F)
		return (0);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return (memmem(bytes, n, CANARY, strlen(CANARY)) != NULL);
}

static bool
canary_is_on_disk(void)
{
	return (nftw(top, look_for_canary, 16, FTW_PHYS) != 0);
}

static void
forget(int64_t now_ms)
{
	struct err err = { "" };

	ck_assert_msg(quarantine_forget(q, now_ms, WEEK_MS, &err) == 0, "%s", err.msg);
}

START_TEST(gone_after_a_week)
{
	add_synced(NOW, CANARY);
	for (int64_t at = NOW; at <= NOW + WEEK_MS; at += HOUR_MS) {
		forget(at);
		ck_assert_msg(canary_is_on_disk(), "gone after %d hours", (int)((at - NOW) / HOUR_MS));
	}
	forget(NOW + WEEK_MS + 1000);
	ck_assert(!canary_is_on_disk());
	ck_assert_uint_eq(status().waiting, 0);
	ck_assert_uint_eq(status().bytes, 0);
	ck_assert_uint_eq(status().forgotten, 1);
}
END_TEST

/* However they come: none stays longer, none goes more than an hour early. */
START_TEST(each_has_its_week)
{
	for (int64_t at = NOW; at < NOW + 20 * DAY_MS; at += HOUR_MS / 2) {
		uint64_t n = (uint64_t)(at - NOW) / (HOUR_MS / 2) + 1;

		add_synced(at, "x");
		forget(at);
		ck_assert_uint_le(status().waiting, 2 * 24 * 7 + 1);
		ck_assert_uint_ge(status().waiting, n < 2 * 24 * 7 - 2 ? n : 2 * 24 * 7 - 2);
	}
}
END_TEST

/* rpvd was away for days: what comes then must not keep what is old. */
START_TEST(old_after_a_pause)
{
	add_synced(NOW, CANARY);
	close_both();
	open_both();
	add_synced(NOW + 6 * DAY_MS, "young");
	try_again("young");
	forget(NOW + 6 * DAY_MS);
	ck_assert(canary_is_on_disk());
	add_synced(NOW + 6 * DAY_MS + HOUR_MS, "younger");
	forget(NOW + WEEK_MS + 1000);
	ck_assert(!canary_is_on_disk());
	ck_assert_uint_eq(status().waiting, 1);
}
END_TEST

START_TEST(of_a_clock_that_was_wrong)
{
	add_synced(NOW + 3650 * DAY_MS, CANARY);
	forget(NOW);
	ck_assert(!canary_is_on_disk());
}
END_TEST

START_TEST(not_too_much)
{
	char *body = mem_calloc(1, 2 * 1024 * 1024 + 1);

	memset(body, 'x', 2 * 1024 * 1024);
	for (int i = 0; i < 60; i++) {
		add_synced(NOW + i, body);
		forget(NOW + i);
	}
	free(body);
	ck_assert_uint_le(status().bytes, 64 * 1024 * 1024 + 4096);
	ck_assert_uint_ge(status().waiting, 20);			/* the latest ones */
	ck_assert_uint_eq(status().waiting + status().forgotten, 60);
}
END_TEST

START_TEST(modes)
{
	char path[128];
	struct stat st;

	umask(0);
	add_synced(NOW, "x");
	snprintf(path, sizeof(path), "%s/quarantine", top);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%s/quarantine/00000000000000000001.log", top);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

/* ---- odd bytes -------------------------------------------------------------------- */

START_TEST(cut_anywhere)
{
	struct buf bytes = { 0 };
	struct quarantined one;

	buf_putc(&bytes, 1);
	for (int i = 0; i < 5; i++)
		buf_slice(&bytes, SLICE("some words"));
	ck_assert_int_eq(quarantined_decode(buf_view(&bytes), &one), 0);
	ck_assert(slice_is(one.body, "some words"));
	for (size_t len = 0; len < bytes.len; len++)
		ck_assert_int_eq(quarantined_decode(slice_make(bytes.p, len), &one), -1);
	buf_putc(&bytes, 'x');
	ck_assert_int_eq(quarantined_decode(buf_view(&bytes), &one), -1);
	bytes.p[0] = 2;
	ck_assert_int_eq(quarantined_decode(buf_view(&bytes), &one), -1);
	buf_free(&bytes);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("quarantine");
	TCase *tc = tcase_create("quarantine");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, kept_until_understood);
	tcase_add_test(tc, not_released_where_the_journal_fails);
	tcase_add_test(tc, gone_after_a_week);
	tcase_add_test(tc, each_has_its_week);
	tcase_add_test(tc, old_after_a_pause);
	tcase_add_test(tc, of_a_clock_that_was_wrong);
	tcase_add_test(tc, not_too_much);
	tcase_add_test(tc, modes);
	tcase_add_test(tc, cut_anywhere);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
