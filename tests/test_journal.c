/*
 * The journal: what was synced is there again, whatever happened to the files; what
 * was not written is never delivered.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/journal.h"

#define HOUR_MS INT64_C(3600000)

static char top[64], dir[128];

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return (remove(path));
}

static void
dir_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
setup(void)
{
	log_init(0);			/* damage is made on purpose here: no lines about it */
	snprintf(top, sizeof(top), "/tmp/test_journal.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(dir, sizeof(dir), "%s/var/state", top);
}

static void
teardown(void)
{
	umount2(dir, MNT_DETACH);	/* of disk_full; fails elsewhere */
	dir_remove(top);
}

static void
path_of(uint64_t number, char path[256])
{
	snprintf(path, 256, "%s/journal/%020" PRIu64 ".log", dir, number);
}

static struct journal *
open_ok(void)
{
	struct err err = { "" };
	struct journal *j = journal_open(dir, &err);

	ck_assert_msg(j != NULL, "%s", err.msg);
	return (j);
}

static void
sync_ok(struct journal *j)
{
	struct err err = { "" };

	ck_assert_msg(journal_sync(j, &err) == 0, "%s", err.msg);
}

/* Record n says of itself that it is n, so that a wrong one is seen. */
static uint64_t
append_numbered(struct journal *j, uint64_t n)
{
	char text[64];

	snprintf(text, sizeof(text), "record %" PRIu64 " of the journal", n);
	return (journal_append(j, n % 3 == 0 ? JOURNAL_RELEASED : JOURNAL_EVENT, (int64_t)n * HOUR_MS, SLICE("shop"), slice_of(text)));
}

static void
append_range(struct journal *j, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		ck_assert_uint_eq(append_numbered(j, n), n);
}

struct seen {
	uint64_t n, first, last, stop_at;
};

static int
see(const struct journal_record *rec, void *arg)
{
	struct seen *seen = arg;
	char text[64];

	ck_assert_uint_gt(rec->seq, seen->last);
	snprintf(text, sizeof(text), "record %" PRIu64 " of the journal", rec->seq);
	ck_assert_msg(slice_is(rec->bytes, text), "record %" PRIu64 " is \"%.*s\"", rec->seq, SLICE_FMT(rec->bytes));
	ck_assert(slice_is(rec->site, "shop"));
	ck_assert_int_eq(rec->received_ms, (int64_t)rec->seq * HOUR_MS);
	ck_assert_int_eq(rec->kind, rec->seq % 3 == 0 ? JOURNAL_RELEASED : JOURNAL_EVENT);
	if (seen->n++ == 0)
		seen->first = rec->seq;
	seen->last = rec->seq;
	return (rec->seq == seen->stop_at);
}

static struct seen
read_from(struct journal *j, uint64_t after)
{
	struct seen seen = { .last = after };
	struct err err = { "" };

	ck_assert_msg(journal_read(j, after, see, &seen, &err) == 0, "%s", err.msg);
	return (seen);
}

static struct journal_status
status_of(const struct journal *j)
{
	struct journal_status st;

	journal_status(j, &st);
	return (st);
}

static struct buf
slurp(const char *path)
{
	struct buf b = { 0 };
	char chunk[4096];
	FILE *f = fopen(path, "re");

	ck_assert_ptr_nonnull(f);
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
		buf_put(&b, chunk, n);
	fclose(f);
	return (b);
}

static void
spill(const char *path, struct slice s)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(s.p, 1, s.len, f), s.len);
	fclose(f);
}

START_TEST(round_trip)
{
	struct journal *j = open_ok();
	struct seen seen;

	ck_assert_uint_eq(journal_first(j), 0);
	ck_assert_uint_eq(journal_last(j), 0);
	ck_assert_uint_eq(read_from(j, 0).n, 0);
	append_range(j, 1, 3);
	ck_assert_uint_eq(journal_last(j), 0);		/* not before the sync */
	ck_assert_uint_eq(read_from(j, 0).n, 0);
	sync_ok(j);
	sync_ok(j);
	ck_assert_uint_eq(journal_last(j), 3);
	append_range(j, 4, 4);
	sync_ok(j);
	append_range(j, 5, 6);				/* never synced: a crash */
	journal_close(&j);
	ck_assert_ptr_null(j);

	j = open_ok();
	ck_assert_uint_eq(journal_first(j), 1);
	ck_assert_uint_eq(journal_last(j), 4);
	seen = read_from(j, 0);
	ck_assert(seen.n == 4 && seen.first == 1 && seen.last == 4);
	seen = read_from(j, 2);
	ck_assert(seen.n == 2 && seen.first == 3);
	ck_assert_uint_eq(read_from(j, 4).n, 0);
	ck_assert_uint_eq(read_from(j, 99).n, 0);
	append_range(j, 5, 5);
	sync_ok(j);
	ck_assert_uint_eq(read_from(j, 4).n, 1);
	ck_assert_uint_eq(read_from(j, 0).n, 5);	/* back before where the last walk ended */
	ck_assert(status_of(j).damaged == 0 && status_of(j).cut_bytes == 0 && status_of(j).files == 1);
	journal_close(&j);
}
END_TEST

START_TEST(callback_ends_the_walk)
{
	struct journal *j = open_ok();
	struct seen seen = { .stop_at = 2 };

	append_range(j, 1, 5);
	sync_ok(j);
	ck_assert_int_eq(journal_read(j, 0, see, &seen, NULL), 0);
	ck_assert_uint_eq(seen.n, 2);
	seen = read_from(j, 2);
	ck_assert(seen.n == 3 && seen.first == 3);
	ck_assert_uint_eq(status_of(j).damaged, 0);	/* what was not looked at is not missing */
	journal_close(&j);
}
END_TEST

static int
same_bytes(const struct journal_record *rec, void *arg)
{
	const struct buf *want = arg;

	ck_assert(rec->seq == 2 ? slice_equal(rec->bytes, buf_view(want)) : rec->bytes.len == 0);
	return (0);
}

START_TEST(bodies_of_all_sizes)
{
	struct journal *j = open_ok();
	struct buf big = { 0 };

	for (uint32_t i = 0; i < 2 * 1024 * 1024; i++)
		buf_putc(&big, (char)(i * 2654435761u >> 13));
	journal_append(j, JOURNAL_EVENT, 1, SLICE(""), SLICE(""));
	journal_append(j, JOURNAL_RELEASED, 2, SLICE("shop"), buf_view(&big));
	journal_append(j, JOURNAL_EVENT, 3, SLICE("other"), SLICE(""));
	sync_ok(j);
	journal_close(&j);
	j = open_ok();
	ck_assert_uint_eq(journal_last(j), 3);
	ck_assert_int_eq(journal_read(j, 0, same_bytes, &big, NULL), 0);
	journal_close(&j);
	buf_free(&big);
}
END_TEST

/* A small journal whose file ends up in *bytes; ends[n] is where record n ends. */
static void
make_small(struct buf *bytes, size_t *ends, uint64_t n)
{
	struct journal *j = open_ok();
	char path[256];

	ends[0] = 0;
	for (uint64_t i = 1; i <= n; i++) {
		append_range(j, i, i);
		sync_ok(j);
		ends[i] = (size_t)status_of(j).bytes;
	}
	journal_close(&j);
	path_of(1, path);
	*bytes = slurp(path);
	ck_assert_uint_eq(bytes->len, ends[n]);
}

START_TEST(cut_at_every_byte)
{
	struct buf bytes;
	size_t ends[5];
	char path[256];

	make_small(&bytes, ends, 4);
	path_of(1, path);
	for (size_t len = 0; len <= bytes.len; len++) {
		uint64_t whole = 0;
		struct journal *j;

		while (whole < 4 && ends[whole + 1] <= len)
			whole++;
		spill(path, slice_make(bytes.p, len));
		j = open_ok();
		ck_assert_uint_eq(journal_last(j), whole);
		ck_assert_uint_eq(status_of(j).cut_bytes, len - ends[whole]);
		ck_assert_uint_eq(status_of(j).damaged, 0);
		append_range(j, whole + 1, whole + 1);
		sync_ok(j);
		journal_close(&j);
		j = open_ok();
		ck_assert_uint_eq(read_from(j, 0).n, whole + 1);
		ck_assert_uint_eq(status_of(j).cut_bytes, 0);
		journal_close(&j);
	}
	buf_free(&bytes);
}
END_TEST

START_TEST(flip_every_byte)
{
	static const unsigned char flips[] = { 0x01, 0x80, 0xff };
	struct buf bytes;
	size_t ends[5];
	char path[256];

	make_small(&bytes, ends, 4);
	path_of(1, path);
	for (size_t at = 0; at < bytes.len; at++) {
		bool in_tail = at >= ends[3];
		struct journal *j;

		bytes.p[at] = (char)(bytes.p[at] ^ flips[_i]);
		spill(path, buf_view(&bytes));
		bytes.p[at] = (char)(bytes.p[at] ^ flips[_i]);
		j = open_ok();
		ck_assert_msg(read_from(j, 0).n == 3, "byte %zu", at);	/* see() checks each */
		ck_assert_uint_eq(status_of(j).damaged, in_tail ? 0 : 1);
		ck_assert_uint_eq(status_of(j).cut_bytes, in_tail ? ends[4] - ends[3] : 0);
		ck_assert_uint_eq(journal_last(j), in_tail ? 3 : 4);
		journal_close(&j);
	}
	buf_free(&bytes);
}
END_TEST

/* While it runs: damage that came after the open. */
START_TEST(flip_under_an_open_journal)
{
	struct journal *j;
	struct buf bytes;
	size_t ends[5];
	char path[256];

	make_small(&bytes, ends, 4);
	path_of(1, path);
	for (size_t at = 0; at < bytes.len; at++) {
		spill(path, buf_view(&bytes));
		j = open_ok();
		bytes.p[at] ^= 0x20;
		spill(path, buf_view(&bytes));
		bytes.p[at] ^= 0x20;
		ck_assert_uint_eq(read_from(j, 0).n, 3);
		ck_assert_uint_eq(status_of(j).damaged, 1);
		journal_close(&j);
	}
	buf_free(&bytes);
}
END_TEST

/* Bytes that look like a record, inside one that is damaged, are none. */
START_TEST(journal_inside_a_quarantined_body)
{
	struct buf bytes;
	size_t ends[5];
	struct journal *j;
	char path[256];

	make_small(&bytes, ends, 4);
	path_of(1, path);
	ck_assert_int_eq(unlink(path), 0);
	j = open_ok();
	append_range(j, 1, 1);
	journal_append(j, JOURNAL_RELEASED, 2, SLICE("shop"), slice_make(bytes.p + ends[1], ends[4] - ends[1]));
	ck_assert_uint_eq(append_numbered(j, 3), 3);
	sync_ok(j);
	journal_close(&j);
	buf_free(&bytes);
	bytes = slurp(path);
	bytes.p[ends[1]] ^= 1;			/* the magic of record 2 */
	spill(path, buf_view(&bytes));
	j = open_ok();
	ck_assert_uint_eq(read_from(j, 0).n, 2);
	ck_assert_uint_eq(journal_last(j), 3);
	ck_assert_uint_eq(status_of(j).damaged, 1);
	journal_close(&j);
	buf_free(&bytes);
}
END_TEST

static struct journal *
look_ok(void)
{
	struct err err = { "" };
	struct journal *j = journal_open_to_look(dir, "journal", &err);

	ck_assert_msg(j != NULL, "%s", err.msg);
	return (j);
}

START_TEST(a_look_under_a_running_daemon)
{
	struct journal *j = open_ok(), *look = look_ok();
	struct buf before, after;
	struct err err;
	char path[256];

	ck_assert_uint_eq(read_from(look, 0).n, 0);
	journal_close(&look);
	append_range(j, 1, 4);
	sync_ok(j);
	append_range(j, 5, 5);				/* not synced: not there */
	look = look_ok();
	ck_assert(read_from(look, 0).n == 4 && journal_last(look) == 4);
	journal_close(&look);
	sync_ok(j);					/* it was not disturbed */
	ck_assert_uint_eq(read_from(j, 0).n, 5);
	journal_close(&j);

	path_of(1, path);				/* a torn end and a damaged record stay as they are */
	before = slurp(path);
	before.p[40] ^= 1;
	buf_puts(&before, "\x89rpj torn");
	spill(path, buf_view(&before));
	look = look_ok();
	ck_assert_uint_eq(read_from(look, 0).n, 4);
	ck_assert(status_of(look).damaged == 1 && status_of(look).cut_bytes == 9);
	journal_close(&look);
	after = slurp(path);
	ck_assert(slice_equal(buf_view(&before), buf_view(&after)));
	buf_free(&before);
	buf_free(&after);
	ck_assert_ptr_null(journal_open_to_look("/nonexistent", "journal", &err));
	ck_assert_msg(strstr(err.msg, "/nonexistent: cannot open: ") != NULL, "%s", err.msg);
	ck_assert_ptr_null(journal_open_to_look(dir, "quarantine", &err));
	ck_assert_msg(strstr(err.msg, "/quarantine: cannot open: ") != NULL, "%s", err.msg);
}
END_TEST

/* What lay here before there was a quarantine, with a customer's data in it: gone at the next start. */
START_TEST(bodies_are_blanked)
{
	static const char canary[] = "{\"email\":\"jane@shop.example\"}";
	struct journal *j = open_ok();
	struct buf bytes, again;
	char path[256];

	append_range(j, 1, 2);
	journal_append(j, JOURNAL_QUARANTINE, 3 * HOUR_MS, SLICE("shop"), slice_of(canary));
	append_range(j, 4, 5);
	sync_ok(j);
	ck_assert_int_eq(journal_rotate(j, 100 * HOUR_MS, 1000 * HOUR_MS, 0, NULL), 0);
	journal_append(j, JOURNAL_QUARANTINE, 6 * HOUR_MS, SLICE("shop"), slice_of(canary));
	sync_ok(j);
	journal_close(&j);
	path_of(1, path);
	bytes = slurp(path);
	ck_assert_ptr_nonnull(memmem(bytes.p, bytes.len, "jane", 4));
	buf_free(&bytes);

	j = open_ok();
	ck_assert_uint_eq(status_of(j).files, 2);
	for (uint64_t first = 1; first <= 6; first += 5) {
		path_of(first, path);
		bytes = slurp(path);
		ck_assert_ptr_null(memmem(bytes.p, bytes.len, "jane", 4));
		buf_free(&bytes);
	}
	ck_assert(status_of(j).damaged == 0 && journal_last(j) == 6);	/* all else is as it was */
	journal_close(&j);
	path_of(1, path);
	bytes = slurp(path);
	j = open_ok();
	ck_assert(status_of(j).damaged == 0 && status_of(j).cut_bytes == 0);
	journal_close(&j);
	again = slurp(path);
	ck_assert(slice_equal(buf_view(&bytes), buf_view(&again)));
	buf_free(&bytes);
	buf_free(&again);
}
END_TEST

START_TEST(rotation_and_retention)
{
	struct journal *j = open_ok();
	struct seen seen;

	/* Record n was received at n hours: a day's file holds 25 of them. */
	for (uint64_t n = 1; n <= 100; n++) {
		append_range(j, n, n);
		sync_ok(j);
		ck_assert_int_eq(journal_rotate(j, (int64_t)n * HOUR_MS, 1000 * HOUR_MS, n, NULL), 0);
	}
	ck_assert_uint_eq(status_of(j).files, 4);
	ck_assert_uint_eq(read_from(j, 0).n, 100);
	seen = read_from(j, 60);
	ck_assert(seen.n == 40 && seen.first == 61);

	/* Old enough, but not committed: stays. */
	ck_assert_int_eq(journal_rotate(j, 100 * HOUR_MS, 10 * HOUR_MS, 25, NULL), 0);
	ck_assert_uint_eq(journal_first(j), 1);
	ck_assert_int_eq(journal_rotate(j, 100 * HOUR_MS, 10 * HOUR_MS, 26, NULL), 0);
	ck_assert_uint_eq(journal_first(j), 27);
	/* Committed, but not old enough: stays. */
	ck_assert_int_eq(journal_rotate(j, 100 * HOUR_MS, 48 * HOUR_MS, 100, NULL), 0);
	ck_assert_uint_eq(journal_first(j), 27);
	ck_assert_int_eq(journal_rotate(j, 101 * HOUR_MS, 48 * HOUR_MS, 100, NULL), 0);
	ck_assert_uint_eq(journal_first(j), 53);
	journal_close(&j);

	j = open_ok();
	ck_assert_uint_eq(journal_first(j), 53);
	ck_assert_uint_eq(journal_last(j), 100);
	ck_assert_uint_eq(read_from(j, 0).n, 48);
	ck_assert_uint_eq(status_of(j).damaged, 0);
	/* All of it old: the new file's name keeps the count. */
	ck_assert_int_eq(journal_rotate(j, 1000 * HOUR_MS, HOUR_MS, 100, NULL), 0);
	ck_assert_uint_eq(journal_first(j), 0);
	ck_assert_uint_eq(journal_last(j), 100);
	journal_close(&j);
	j = open_ok();
	ck_assert_uint_eq(journal_last(j), 100);
	append_range(j, 101, 101);
	sync_ok(j);
	ck_assert_uint_eq(journal_first(j), 101);
	journal_close(&j);
}
END_TEST

START_TEST(rotation_by_size_and_in_mid_append)
{
	struct journal *j = open_ok();
	char *large = mem_calloc(1, 1024 * 1024);

	for (int i = 0; i < 17; i++)
		journal_append(j, JOURNAL_RELEASED, 17 * HOUR_MS, SLICE("shop"), slice_make(large, 1024 * 1024));
	sync_ok(j);
	append_range(j, 18, 18);			/* not yet written: goes to the new file */
	ck_assert_int_eq(journal_rotate(j, 18 * HOUR_MS, 1000 * HOUR_MS, 0, NULL), 0);
	append_range(j, 19, 19);
	sync_ok(j);
	ck_assert_uint_eq(status_of(j).files, 2);
	ck_assert_uint_eq(read_from(j, 17).n, 2);
	journal_close(&j);
	j = open_ok();
	ck_assert_uint_eq(journal_last(j), 19);
	ck_assert_uint_eq(status_of(j).damaged, 0);
	journal_close(&j);
	free(large);
}
END_TEST

START_TEST(second_opener_is_refused)
{
	struct journal *j;
	struct err err = { "" };
	int ready[2], quit[2];
	char c, pid_text[24];
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(quit), 0);
	pid = fork();
	if (pid == 0) {
		j = journal_open(dir, NULL);
		(void)!write(ready[1], j != NULL ? "y" : "n", 1);
		(void)!read(quit[0], &c, 1);
		_exit(0);				/* without a close, as in a crash */
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(c, 'y');
	ck_assert_ptr_null(journal_open(dir, &err));
	snprintf(pid_text, sizeof(pid_text), "process %ld", (long)pid);
	ck_assert_msg(strstr(err.msg, pid_text) != NULL, "\"%s\" names not %s", err.msg, pid_text);
	ck_assert_int_eq(write(quit[1], "", 1), 1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	j = open_ok();
	ck_assert_ptr_null(journal_open(dir, &err));	/* in the same process too */
	journal_close(&j);
}
END_TEST

/* Under the limit only while it runs: Check's own messages go through a file too. */
static int
sync_within(struct journal *j, rlim_t file_size, struct err *err)
{
	struct rlimit limit = { file_size, RLIM_INFINITY };
	int rc;

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	rc = journal_sync(j, err);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	return (rc);
}

/* Appends and syncs until it fails, then checks that nothing of the failure stays. */
static void
fill_up(struct journal *j, rlim_t file_size)
{
	struct err err = { "" };
	uint64_t n = 0;
	struct stat st;
	char path[256];

	do {
		ck_assert_uint_lt(n, 20000);
		append_range(j, n + 1, n + 10);
		n += 10;
	} while (sync_within(j, file_size, &err) == 0);
	n -= 10;
	ck_assert_uint_gt(n, 0);
	ck_assert_msg(strstr(err.msg, ".log: cannot write: ") != NULL, "%s", err.msg);
	ck_assert_uint_eq(journal_last(j), n);
	ck_assert_uint_eq(read_from(j, 0).n, n);
	path_of(1, path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, status_of(j).bytes);
}

static void
goes_on_after(struct journal *j)
{
	uint64_t n = journal_last(j);

	append_range(j, n + 1, n + 10);		/* numbers are given again */
	sync_ok(j);
	journal_close(&j);
	j = open_ok();
	ck_assert_uint_eq(read_from(j, 0).n, n + 10);
	ck_assert(status_of(j).damaged == 0 && status_of(j).cut_bytes == 0);
	journal_close(&j);
}

START_TEST(disk_full)
{
	struct journal *j;
	char ballast[160], path[256];
	struct stat st;
	uint64_t size;

	journal_close(&(struct journal *){ open_ok() });	/* makes the directories */
	dir_remove(dir);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	/* In a namespace of its own the mount goes with this process, however that ends. */
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", dir, "tmpfs", 0, "size=64k") != 0) {
		printf("disk_full: skipped, a tmpfs cannot be mounted here (%s)\n", strerror(errno));
		return;
	}
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	spill(ballast, slice_make((const char[32768]){ 0 }, 32768));
	j = open_ok();
	fill_up(j, RLIM_INFINITY);
	size = status_of(j).bytes;
	ck_assert_msg(status_of(j).problem != NULL && strstr(status_of(j).problem, "No space left") != NULL, "%s", status_of(j).problem);
	journal_probe(j);
	ck_assert_ptr_nonnull(status_of(j).problem);	/* nothing has changed */
	ck_assert_int_eq(unlink(ballast), 0);
	ck_assert_ptr_nonnull(status_of(j).problem);
	journal_probe(j);
	ck_assert_ptr_null(status_of(j).problem);
	path_of(1, path);
	ck_assert(stat(path, &st) == 0 && (uint64_t)st.st_size == size);
	goes_on_after(j);
}
END_TEST

START_TEST(file_size_limit)
{
	struct journal *j = open_ok();

	signal(SIGXFSZ, SIG_IGN);
	fill_up(j, 5000);
	goes_on_after(j);
}
END_TEST

START_TEST(skip_to_the_committed_position)
{
	struct journal *j = open_ok();

	append_range(j, 1, 4);
	sync_ok(j);
	journal_skip(j, 4);
	journal_skip(j, 2);
	ck_assert_uint_eq(journal_last(j), 4);
	journal_close(&j);
	dir_remove(dir);

	j = open_ok();				/* an emptied directory; Redis knows position 40 */
	journal_skip(j, 40);
	ck_assert_uint_eq(journal_last(j), 40);
	ck_assert_uint_eq(journal_first(j), 0);
	append_range(j, 41, 42);
	sync_ok(j);
	journal_close(&j);
	j = open_ok();
	ck_assert(read_from(j, 40).n == 2 && journal_first(j) == 41 && status_of(j).damaged == 0);

	journal_skip(j, 50);			/* behind records: 43-50 are missing, and said to be */
	append_range(j, 51, 51);
	sync_ok(j);
	journal_close(&j);
	j = open_ok();
	ck_assert(read_from(j, 0).n == 3 && status_of(j).damaged == 8 && journal_last(j) == 51);
	journal_close(&j);
}
END_TEST

static void
make_three_files(void)
{
	struct journal *j = open_ok();

	for (uint64_t n = 1; n <= 70; n++) {
		append_range(j, n, n);
		sync_ok(j);
		ck_assert_int_eq(journal_rotate(j, (int64_t)n * HOUR_MS, 1000 * HOUR_MS, n, NULL), 0);
	}
	ck_assert_uint_eq(status_of(j).files, 3);	/* 1-26, 27-52, 53-70 */
	journal_close(&j);
}

START_TEST(missing_and_emptied_files)
{
	struct journal *j;
	char path[256];

	make_three_files();
	path_of(27, path);
	spill(path, SLICE("no journal at all"));
	j = open_ok();
	ck_assert_uint_eq(read_from(j, 0).n, 70 - 26);
	ck_assert_uint_eq(status_of(j).damaged, 26);
	journal_close(&j);
	ck_assert_int_eq(unlink(path), 0);
	j = open_ok();
	ck_assert_uint_eq(read_from(j, 0).n, 70 - 26);
	ck_assert_uint_eq(status_of(j).damaged, 26);
	journal_close(&j);
}
END_TEST

START_TEST(file_removed_while_open)
{
	struct journal *j = open_ok();
	struct err err = { "" };
	char path[256];

	append_range(j, 1, 3);
	sync_ok(j);
	path_of(1, path);
	ck_assert_int_eq(unlink(path), 0);
	append_range(j, 4, 5);
	sync_ok(j);				/* goes to a new file, not to nowhere */
	ck_assert_uint_eq(read_from(j, 3).n, 2);
	dir_remove(dir);
	append_range(j, 6, 6);
	ck_assert_int_eq(journal_sync(j, &err), -1);
	ck_assert_msg(strstr(err.msg, "cannot open") != NULL, "%s", err.msg);
	ck_assert_uint_eq(journal_last(j), 5);
	journal_close(&j);
}
END_TEST

START_TEST(file_cut_or_grown_while_open)
{
	struct journal *j = open_ok();
	char path[256];
	FILE *f;

	append_range(j, 1, 3);
	sync_ok(j);
	path_of(1, path);
	f = fopen(path, "ae");
	fputs("somebody else's line\n", f);
	fclose(f);
	append_range(j, 4, 4);
	sync_ok(j);
	ck_assert_uint_eq(read_from(j, 0).n, 4);
	ck_assert_int_eq(truncate(path, 10), 0);
	append_range(j, 5, 5);
	sync_ok(j);
	ck_assert_uint_eq(read_from(j, 0).n, 1);
	ck_assert_uint_eq(status_of(j).damaged, 4);
	journal_close(&j);
	j = open_ok();
	ck_assert(read_from(j, 0).n == 1 && journal_last(j) == 5 && status_of(j).damaged == 4);
	journal_close(&j);
}
END_TEST

static unsigned
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (st.st_mode & 07777);
}

START_TEST(modes)
{
	struct journal *j;
	char path[256];

	umask(0);
	j = open_ok();
	append_range(j, 1, 1);
	sync_ok(j);
	journal_close(&j);
	path_of(1, path);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert_uint_eq(mode_of(dir), 0700);
	snprintf(path, sizeof(path), "%s/journal", dir);
	ck_assert_uint_eq(mode_of(path), 0700);
	snprintf(path, sizeof(path), "%s/lock", dir);
	ck_assert_uint_eq(mode_of(path), 0600);
}
END_TEST

static const struct {
	const char *why, *name;
	char kind;		/* l: symlink to a file, L: to a directory, f: FIFO, d: directory, t: text file */
	const char *want;	/* NULL: opens */
} odd[] = {
	{ "a symlink is not followed", "journal/00000000000000000001.log", 'l', "cannot open" },
	{ "a FIFO does not block", "journal/00000000000000000001.log", 'f', "not a regular file" },
	{ "a directory is no file", "journal/00000000000000000001.log", 'd', "01.log" },
	{ "the lock is no symlink", "lock", 'l', "lock: cannot open" },
	{ "the directory itself may not be elsewhere", "journal", 'L', "journal: cannot open" },
	{ "a file where the directory should be", "journal", 't', "journal: cannot open" },
	{ "other names are not ours", "journal/notes.txt", 't', NULL },
	{ "number 0 is not ours", "journal/00000000000000000000.log", 't', NULL },
	{ "a number beyond all is not ours", "journal/99999999999999999999.log", 't', NULL },
	{ "sign and space are no digits", "journal/ +000000000000000001.log", 't', NULL },
};

static bool
file_is(const char *path, const char *text)
{
	char got[64] = "";
	FILE *f = fopen(path, "re");

	ck_assert_ptr_nonnull(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	return (strcmp(got, text) == 0);
}

START_TEST(odd_things_in_the_directory)
{
	struct err err = { "" };
	struct journal *j;
	char path[256], elsewhere[128];

	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", top);
	journal_close(&(struct journal *){ open_ok() });
	if (strncmp(odd[_i].name, "journal/", 8) != 0) {
		snprintf(path, sizeof(path), "%s/%s", dir, odd[_i].name);
		dir_remove(path);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, odd[_i].name);
	spill(elsewhere, SLICE("somebody's"));		/* where a link leads to stays what it was */
	if (odd[_i].kind == 'l')
		ck_assert_int_eq(symlink(elsewhere, path), 0);
	else if (odd[_i].kind == 'L')
		ck_assert_int_eq(symlink(top, path), 0);
	else if (odd[_i].kind == 'f')
		ck_assert_int_eq(mkfifo(path, 0600), 0);
	else if (odd[_i].kind == 'd')
		ck_assert_int_eq(mkdir(path, 0700), 0);
	else
		spill(path, SLICE("hello"));
	j = journal_open(dir, &err);
	ck_assert_msg((j == NULL) == (odd[_i].want != NULL), "%s: %s", odd[_i].why, err.msg);
	ck_assert_msg(odd[_i].want == NULL || strstr(err.msg, odd[_i].want) != NULL, "%s: %s", odd[_i].why, err.msg);
	ck_assert_msg(file_is(elsewhere, "somebody's"), "%s: written to where it leads", odd[_i].why);
	journal_close(&j);
}
END_TEST

/* Put there where the next file will be, under an open journal. */
START_TEST(a_link_in_the_way_of_the_next_file)
{
	struct journal *j = open_ok();
	struct err err = { "" };
	char path[256], elsewhere[128];

	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", top);
	path_of(1, path);
	ck_assert_int_eq(symlink(elsewhere, path), 0);
	append_range(j, 1, 1);
	ck_assert_int_eq(journal_sync(j, &err), -1);
	ck_assert_msg(strstr(err.msg, "cannot open") != NULL, "%s", err.msg);
	ck_assert_int_ne(access(elsewhere, F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
	append_range(j, 1, 1);
	sync_ok(j);
	journal_close(&j);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal");
	TCase *tc = tcase_create("journal");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, callback_ends_the_walk);
	tcase_add_test(tc, bodies_of_all_sizes);
	tcase_add_test(tc, cut_at_every_byte);
	tcase_add_loop_test(tc, flip_every_byte, 0, 3);
	tcase_add_test(tc, flip_under_an_open_journal);
	tcase_add_test(tc, journal_inside_a_quarantined_body);
	tcase_add_test(tc, a_look_under_a_running_daemon);
	tcase_add_test(tc, bodies_are_blanked);
	tcase_add_test(tc, rotation_and_retention);
	tcase_add_test(tc, rotation_by_size_and_in_mid_append);
	tcase_add_test(tc, second_opener_is_refused);
	tcase_add_test(tc, disk_full);
	tcase_add_test(tc, file_size_limit);
	tcase_add_test(tc, skip_to_the_committed_position);
	tcase_add_test(tc, missing_and_emptied_files);
	tcase_add_test(tc, file_removed_while_open);
	tcase_add_test(tc, file_cut_or_grown_while_open);
	tcase_add_test(tc, modes);
	tcase_add_test(tc, a_link_in_the_way_of_the_next_file);
	tcase_add_loop_test(tc, odd_things_in_the_directory, 0, (int)N_ELEM(odd));
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
