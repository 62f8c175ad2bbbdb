/*
 * Tests of io/tail, io/logfile, io/gunzip, io/generations and io/watch, on real files.
 *
 * The clock is driven by the tests, so nobody sleeps.  The last test is the strongest: a
 * random life of a log (writes, half lines, rotations, copytruncate, gzip, deletion) and
 * of its reader (commits, restarts, going back), compared with a model that knows every byte.
 */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/generations.h"
#include "io/tail.h"
#include "io/watch.h"

/* ---- the stage -------------------------------------------------------------------- */

static char dir[64], log_path[96];
static int64_t fake_ms;

/* Reads of the library come through here, so that a test can let them fail: all, or those of one descriptor. */
static int pread_errno, pread_bad_fd, pread_last_fd;
static unsigned pread_calls;

ssize_t
pread(int fd, void *p, size_t len, off_t offset)
{
	pread_calls++;
	pread_last_fd = fd;
	if (pread_errno != 0 && (pread_bad_fd < 0 || pread_bad_fd == fd)) {
		errno = pread_errno;
		return (-1);
	}
	return (syscall(SYS_pread64, fd, p, len, offset));
}

/* A file system without birth times (L30). */
static bool no_birth;

int
statx(int fd, const char *path, int flags, unsigned mask, struct statx *sx)
{
	int rc = (int)syscall(SYS_statx, fd, path, flags, mask, sx);

	if (rc == 0 && no_birth) {
		sx->stx_mask &= ~(unsigned)STATX_BTIME;
		sx->stx_btime = (struct statx_timestamp){ 0 };
	}
	return (rc);
}

/* The limits of inotify (L32). */
static int inotify_errno;

int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (inotify_errno != 0) {
		errno = inotify_errno;
		return (-1);
	}
	return ((int)syscall(SYS_inotify_add_watch, fd, path, mask));
}

int
inotify_init1(int flags)
{
	if (inotify_errno != 0) {
		errno = inotify_errno;
		return (-1);
	}
	return ((int)syscall(SYS_inotify_init1, flags));
}

static int64_t
fake_now(void)
{
	return (fake_ms);
}

static void
run(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	ck_assert_msg(system(cmd) == 0, "%s", cmd);
}

static void
setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/tail.XXXXXX", tmp != NULL && strlen(tmp) < 32 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(log_path, sizeof(log_path), "%s/access.log", dir);
	fake_ms = 1000000;
	pread_errno = 0;
	pread_bad_fd = -1;
	no_birth = false;
	inotify_errno = 0;
}

static void
teardown(void)
{
	run("chmod -R u+rwx %s; rm -rf %s", dir, dir);
}

static char *
in_dir(const char *name)
{
	static char paths[8][256];
	static unsigned k;

	k = (k + 1) % 8;
	snprintf(paths[k], sizeof(paths[k]), "%s/%s", dir, name);
	return (paths[k]);
}

static void
write_to(const char *path, int flags, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void
put(const char *name, const char *text)
{
	write_to(in_dir(name), O_APPEND, text, strlen(text));
}

static void
rename_in_dir(const char *from, const char *to)
{
	ck_assert_int_eq(rename(in_dir(from), in_dir(to)), 0);
}

static void
gzip_bytes(const char *path, const char *mode, const void *bytes, size_t len)
{
	gzFile gz = gzopen(path, mode);

	ck_assert_ptr_nonnull(gz);
	if (len > 0)
		ck_assert_int_eq(gzwrite(gz, bytes, (unsigned)len), (int)len);
	gzclose(gz);
}

static struct buf
slurp(const char *path)
{
	struct buf b = { 0 };
	char chunk[65536];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&b, chunk, (size_t)n);
	close(fd);
	return (b);
}

/* As gzip(1) does: NAME becomes NAME.gz with the same times. */
static void
gzip_in_dir(const char *name)
{
	char gz[100];
	struct buf b = slurp(in_dir(name));
	struct stat st;

	snprintf(gz, sizeof(gz), "%s.gz", name);
	stat(in_dir(name), &st);
	gzip_bytes(in_dir(gz), "wb", b.p, b.len);
	ck_assert_int_eq(utimensat(AT_FDCWD, in_dir(gz), (struct timespec[2]){ st.st_atim, st.st_mtim }, 0), 0);
	unlink(in_dir(name));
	buf_free(&b);
}

static struct tail *
open_tail(void)
{
	struct tail *t = tail_open(log_path, false);

	tail_set_times(t, &(struct tail_times){ 200, 1000, 60000, fake_now });
	return (t);
}

/* All lines that are there now, as "1:first|1:second|2:third|": file number and line. */
static void
drain_once(struct tail *t, struct buf *out)
{
	struct line line;

	while (tail_next(t, &line) == TAIL_LINE) {
		buf_printf(out, "%llu:", (unsigned long long)line.file_no);
		buf_put(out, line.p, line.len);
		buf_putc(out, '|');
		/* The caller may do this; it must not be taken for truncation later. */
		memset(line.p, 'X', line.len);
	}
}

static const char *
text_of(struct buf *b)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%.*s", (int)b->len, b->len > 0 ? b->p : "");
	buf_free(b);
	*b = (struct buf){ 0 };
	return (text);
}

/* Looks every 300 ms for that long. */
static const char *
drain_for(struct tail *t, int64_t ms)
{
	struct buf out = { 0 };

	drain_once(t, &out);
	for (int64_t end = fake_ms + ms; fake_ms < end;) {
		fake_ms += 300;
		drain_once(t, &out);
	}
	return (text_of(&out));
}

#define drain(t) drain_for(t, 0)

static struct tail_status
status_of(const struct tail *t)
{
	struct tail_status s;

	tail_status(t, &s);
	return (s);
}

static size_t
positions_of(const struct tail *t, struct file_pos *out, size_t max)
{
	uint64_t first, last;
	size_t n = 0;

	tail_files(t, &first, &last);
	for (uint64_t no = first; no <= last && n < max; no++)
		if (tail_position(t, no, &out[n]))
			n++;
	return (n);
}

/* Closes, and opens a new one at the same positions. */
static struct tail *
restart(struct tail *t)
{
	struct file_pos pos[32];
	size_t n = positions_of(t, pos, N_ELEM(pos));

	tail_close(&t);
	t = open_tail();
	tail_resume(t, pos, n);
	return (t);
}

/* ---- lines ---------------------------------------------------------------------------- */

#define BIG(n) { NULL, n }
static const struct {
	const char *why;
	struct { const char *text; size_t len; } parts[6];	/* text, or NULL and so many x */
	const char *lines;
	uint64_t overlong, nul_bytes, torn;
} contents[] = {
	{ "nothing", { { "", 0 } }, "", 0, 0, 0 },
	{ "two lines", { { "a\nb\n", 4 } }, "a|b|", 0, 0, 0 },
	{ "empty lines are lines", { { "\n\na\n\n", 5 } }, "||a||", 0, 0, 0 },
	{ "a mark of byte order is no part of the first line", { { "\xef\xbb\xbf" "a\n\xef\xbb\xbf" "b\n", 10 } },
	    "a|\xef\xbb\xbf" "b|", 0, 0, 0 },	/* L16 */
	{ "CR is the parser's", { { "a\r\nb\r\n", 6 } }, "a\r|b\r|", 0, 0, 0 },
	{ "a last line without newline", { { "a\nb", 3 } }, "a|b|", 0, 0, 1 },
	{ "NULs before a line", { { "a\n\0\0\0b\n", 7 } }, "a|b|", 0, 3, 0 },
	{ "NULs before a newline", { { "\0\0\n", 3 } }, "|", 0, 2, 0 },
	{ "NULs inside a line are bytes", { { "a\0b\nc\n", 6 } }, "a\0b|c|", 0, 0, 0 },
	{ "NULs at the end are no line", { { "a\n\0\0", 4 } }, "a|", 0, 2, 0 },
	{ "the longest line", { { "a\n", 2 }, BIG(LINE_MAX_BYTES), { "\nb\n", 3 } }, "a|*|b|", 0, 0, 0 },
	{ "one byte more", { { "a\n", 2 }, BIG(LINE_MAX_BYTES + 1), { "\nb\n", 3 } }, "a|b|", 1, 0, 0 },
	{ "longer than any buffer", { { "a\n", 2 }, BIG(3000000), { "\nb\n", 3 } }, "a|b|", 1, 0, 0 },
	{ "two of them", { BIG(700000), { "\nb\n", 3 }, BIG(70000), { "\nc\n", 3 } }, "b|c|", 2, 0, 0 },
	{ "a long one without end", { { "a\n", 2 }, BIG(3000000) }, "a|", 1, 0, 0 },
	{ "a little too long, without end", { { "a\n", 2 }, BIG(70000) }, "a|", 1, 0, 0 },
	{ "a long torn one", { { "a\n", 2 }, BIG(60000) }, "a|*|", 0, 0, 1 },
};

static struct buf
content_of(size_t row)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < N_ELEM(contents[row].parts); i++) {
		if (contents[row].parts[i].text != NULL)
			buf_put(&b, contents[row].parts[i].text, contents[row].parts[i].len);
		else
			for (size_t k = 0; k < contents[row].parts[i].len; k++)
				buf_putc(&b, 'x');
	}
	return (b);
}

/* Replays the file and compares it with the row; lines of only x are shown as *. */
static void
expect_content(const char *path, size_t row, const char *form)
{
	struct tail *t = tail_open(path, true);
	const char *want = contents[row].lines;
	struct tail_status s;
	struct line line;
	uint64_t end = 0;

	while (tail_next(t, &line) == TAIL_LINE) {
		size_t len = (size_t)((const char *)memchr(want, '|', 16) - want);

		ck_assert_msg(line.offset >= end && line.end > line.offset, "%s, %s: offsets", contents[row].why, form);
		end = line.end;
		if (*want == '*')
			ck_assert_msg(line.len > 1000 && line.p[0] == 'x' && line.p[line.len - 1] == 'x',
			    "%s, %s: long line", contents[row].why, form);
		else
			ck_assert_msg(line.len == len && memcmp(line.p, want, len) == 0, "%s, %s: got %.*s at %s",
			    contents[row].why, form, line.len < 50 ? (int)line.len : 50, line.p, want);
		want += len + 1;
	}
	ck_assert_msg(*want == '\0', "%s, %s: missing %s", contents[row].why, form, want);
	ck_assert_int_eq(tail_next(t, &line), TAIL_END);
	s = status_of(t);
	ck_assert_msg(s.overlong == contents[row].overlong, "%s, %s: overlong", contents[row].why, form);
	ck_assert_msg(s.nul_bytes == contents[row].nul_bytes, "%s, %s: nul_bytes", contents[row].why, form);
	ck_assert_msg(s.torn == contents[row].torn, "%s, %s: torn", contents[row].why, form);
	ck_assert_str_eq(s.problem, "");
	tail_close(&t);
}

START_TEST(lines_of_content)
{
	size_t row = (size_t)_i;
	struct buf b = content_of(row);

	write_to(log_path, 0, b.p, b.len);
	expect_content(log_path, row, "plain");
	gzip_bytes(in_dir("a.gz"), "wb", b.p, b.len);
	expect_content(in_dir("a.gz"), row, "gzip");
	gzip_bytes(in_dir("b"), "wb", b.p, b.len / 2);
	gzip_bytes(in_dir("b"), "ab", b.p + b.len / 2, b.len - b.len / 2);
	expect_content(in_dir("b"), row, "gzip of two members");
	write_to(in_dir("b"), O_APPEND, "\0\0\0\0\0\0\0\0", 8);
	expect_content(in_dir("b"), row, "gzip padded with zeros");
	buf_free(&b);
}
END_TEST

/* The same content written in pieces of every kind, with a look after each. */
START_TEST(lines_in_small_writes)
{
	static const size_t steps[] = { 1, 7, 300 };
	const char *text = "first\n\nsecond line\r\nthird, a longer one, to go over the edge of an anchor\n";
	struct buf b = { 0 }, got = { 0 };
	struct tail *t = open_tail();

	while (b.len < 2000)
		buf_puts(&b, text);
	for (size_t at = 0, n; at < b.len; at += n) {
		n = steps[(at / 600) % 3];
		n = n > b.len - at ? b.len - at : n;
		write_to(log_path, O_APPEND, b.p + at, n);
		fake_ms += 300;
		drain_once(t, &got);
	}
	for (size_t i = 0, k = 0; i < b.len; i++, k++) {
		if (i == 0 || b.p[i - 1] == '\n') {
			ck_assert(memcmp(got.p + k, "1:", 2) == 0);
			k += 2;
		}
		ck_assert_int_eq(got.p[k], b.p[i] == '\n' ? '|' : b.p[i]);
	}
	ck_assert_uint_eq(status_of(t).truncations, 0);
	buf_free(&b);
	buf_free(&got);
	tail_close(&t);
}
END_TEST

START_TEST(partial_line_is_not_consumed)	/* L10 */
{
	struct tail *t = open_tail();
	struct file_pos pos;

	put("access.log", "one\ntw");
	ck_assert_str_eq(drain_for(t, 100000), "1:one|");
	ck_assert(tail_position(t, 1, &pos));
	ck_assert_uint_eq(pos.offset, 4);
	put("access.log", "o\n");
	ck_assert_str_eq(drain(t), "1:two|");
	ck_assert_uint_eq(status_of(t).torn, 0);
	tail_close(&t);
}
END_TEST

static long
max_rss_kb(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (ru.ru_maxrss);
}

START_TEST(holes_cost_no_memory)		/* L13 */
{
	struct tail *t = open_tail();
	long before = max_rss_kb();
	const off_t hole = (off_t)1 << 38;	/* 256 GiB: reading it would take minutes */
	struct file_pos pos;

	put("access.log", "one\n");
	ck_assert_str_eq(drain(t), "1:one|");
	ck_assert_int_eq(truncate(log_path, hole), 0);
	put("access.log", "two\n");
	ck_assert_str_eq(drain(t), "1:two|");
	ck_assert_uint_eq(status_of(t).nul_bytes, (uint64_t)hole - 4);
	ck_assert_int_lt(max_rss_kb() - before, 20000);
	put("access.log", "three\n");
	ck_assert_str_eq(drain(t), "1:three|");
	tail_position(t, 1, &pos);
	ck_assert_uint_eq(pos.offset, (uint64_t)hole + 10);
	ck_assert_uint_eq(status_of(t).truncations, 0);
	tail_close(&t);
}
END_TEST

START_TEST(long_lines_cost_no_memory)		/* L14 */
{
	struct tail *t = open_tail();
	char *chunk = mem_alloc(1 << 20);
	long before;
	struct file_pos pos;

	memset(chunk, 'x', 1 << 20);
	put("access.log", "one\n");
	drain(t);
	before = max_rss_kb();
	for (int i = 0; i < 40; i++) {
		write_to(log_path, O_APPEND, chunk, 1 << 20);
		ck_assert_str_eq(drain(t), "");
	}
	tail_position(t, 1, &pos);
	ck_assert_uint_eq(pos.offset, 4);	/* a restart begins at a line */
	put("access.log", "\ntwo\n");
	ck_assert_str_eq(drain(t), "1:two|");
	ck_assert_uint_eq(status_of(t).overlong, 1);
	ck_assert_int_lt(max_rss_kb() - before, 5000);
	free(chunk);
	tail_close(&t);
}
END_TEST

/* ---- rotation -------------------------------------------------------------------------- */

START_TEST(rename_rotation)			/* L1: the writer goes on with the old file for a while */
{
	struct tail *t = open_tail();

	put("access.log", "a1\na2\n");
	ck_assert_str_eq(drain(t), "1:a1|1:a2|");
	rename_in_dir("access.log", "access.log.1");
	put("access.log.1", "a3\n");
	put("access.log", "b1\n");
	put("access.log.1", "a4\n");
	ck_assert_str_eq(drain(t), "1:a3|1:a4|");
	ck_assert_str_eq(drain_for(t, 900), "");	/* not yet sure that the old one is at its end */
	ck_assert_str_eq(drain_for(t, 900), "2:b1|");
	put("access.log.1", "a5\na6\n");
	put("access.log", "b2\n");
	ck_assert_str_eq(drain_for(t, 600), "2:b2|1:a5|1:a6|");
	ck_assert_str_eq(drain_for(t, 55000), "");
	put("access.log.1", "a7\n");			/* the grace time begins anew with each growth */
	ck_assert_str_eq(drain_for(t, 55000), "1:a7|");
	put("access.log.1", "a8\n");
	ck_assert_str_eq(drain_for(t, 600), "1:a8|");
	drain_for(t, 61000);
	put("access.log.1", "too late\n");
	put("access.log", "b3\n");
	ck_assert_str_eq(drain_for(t, 10000), "2:b3|");
	tail_close(&t);
}
END_TEST

START_TEST(writer_that_never_reopens)		/* logrotate without USR1: the new file stays empty */
{
	struct tail *t = open_tail();

	put("access.log", "a1\n");
	drain(t);
	rename_in_dir("access.log", "access.log.1");
	put("access.log", "");
	ck_assert_str_eq(drain_for(t, 300000), "");
	put("access.log.1", "a2\n");
	ck_assert_str_eq(drain_for(t, 300), "1:a2|");
	tail_close(&t);
}
END_TEST

START_TEST(torn_last_line)			/* L11 */
{
	struct tail *t = open_tail();
	struct line line;

	put("access.log", "a1\nhal");
	drain(t);
	rename_in_dir("access.log", "access.log.1");
	put("access.log", "b1\n");
	ck_assert_str_eq(drain_for(t, 30000), "2:b1|");
	ck_assert_uint_eq(status_of(t).torn, 0);
	ck_assert_str_eq(drain_for(t, 60000), "1:hal|");
	ck_assert_uint_eq(status_of(t).torn, 1);
	ck_assert_str_eq(drain_for(t, 60000), "");
	ck_assert_int_eq(tail_next(t, &line), TAIL_WAIT);
	tail_close(&t);
}
END_TEST

START_TEST(missing_for_seconds)			/* L7, L8, L34 */
{
	struct tail *t = open_tail();

	ck_assert_str_eq(drain_for(t, 1000), "");
	ck_assert(status_of(t).waiting_for_file);
	ck_assert_msg(strstr(status_of(t).problem, "no such file") != NULL, "%s", status_of(t).problem);
	put("access.log", "a1\n");
	ck_assert_str_eq(drain_for(t, 1000), "1:a1|");
	ck_assert(!status_of(t).waiting_for_file);
	rename_in_dir("access.log", "access.log.1");
	ck_assert_str_eq(drain_for(t, 5000), "");
	ck_assert(status_of(t).waiting_for_file);
	put("access.log.1", "a2\n");
	ck_assert_str_eq(drain_for(t, 600), "1:a2|");
	put("access.log", "b1\n");
	ck_assert_str_eq(drain_for(t, 2000), "2:b1|");
	run("rm -r %s", dir);
	ck_assert_str_eq(drain_for(t, 5000), "");
	ck_assert(status_of(t).waiting_for_file);
	mkdir(dir, 0755);
	put("access.log", "c1\n");
	ck_assert_str_eq(drain_for(t, 2000), "3:c1|");
	ck_assert_str_eq(status_of(t).problem, "");
	tail_close(&t);
}
END_TEST

START_TEST(several_rotations_while_stopped)	/* L20: SIGSTOP over three rotations */
{
	struct tail *t = open_tail();

	put("access.log.4", "old\n");
	put("access.log", "a1\n");
	drain(t);
	put("access.log", "a2\n");
	rename_in_dir("access.log", "access.log.3");
	put("access.log.2", "b1\nb2");
	put("access.log.1", "c1\n");
	put("access.log", "d1\n");
	put("access.log.bak", "by hand\n");
	ck_assert_str_eq(drain_for(t, 200), "1:a2|2:b1|3:c1|");
	ck_assert_str_eq(drain_for(t, 3000), "4:d1|");
	ck_assert_str_eq(drain_for(t, 70000), "2:b2|");
	tail_close(&t);
}
END_TEST

START_TEST(deleted_and_created)			/* L5, running: ext4 gives the same inode again */
{
	struct tail *t = open_tail();

	put("access.log", "a1\n");
	drain(t);
	put("access.log", "a2\n");
	unlink(log_path);
	put("access.log", "b1\n");
	ck_assert_str_eq(drain_for(t, 3000), "1:a2|2:b1|");
	tail_close(&t);
}
END_TEST

START_TEST(moved_to_another_directory)		/* L21: logrotate's olddir */
{
	struct tail *t = open_tail();

	mkdir(in_dir("old"), 0755);
	put("access.log", "a1\n");
	drain(t);
	put("access.log", "a2\n");
	rename_in_dir("access.log", "old/access.log.1");
	put("access.log", "b1\n");
	ck_assert_str_eq(drain_for(t, 3000), "1:a2|2:b1|");
	put("old/access.log.1", "a3\n");
	ck_assert_str_eq(drain_for(t, 600), "1:a3|");
	ck_assert_str_eq(status_of(t).problem, "");
	tail_close(&t);
}
END_TEST

START_TEST(rotation_undone)
{
	struct tail *t = open_tail();

	put("access.log", "a1\n");
	drain(t);
	rename_in_dir("access.log", "access.log.1");
	put("access.log", "b1\n");
	ck_assert_str_eq(drain_for(t, 3000), "2:b1|");
	rename_in_dir("access.log", "access.log.x");
	rename_in_dir("access.log.1", "access.log");
	put("access.log", "a2\n");
	ck_assert_str_eq(drain_for(t, 3000), "3:a2|");	/* the live one again, where it was */
	put("access.log", "a3\n");
	ck_assert_str_eq(drain_for(t, 3000), "3:a3|");
	tail_close(&t);
}
END_TEST

/* ---- truncation -------------------------------------------------------------------------- */

START_TEST(truncated_without_copy)		/* L2, L3, L4 */
{
	static const char *const rewrites[] = { "", "b1\n", "b1\nb2\n", "b1\nb2\nb3\nb4\nb5\n" };
	static const char *const lines[] = { "", "2:b1|", "2:b1|2:b2|", "2:b1|2:b2|2:b3|2:b4|2:b5|" };
	struct tail *t = open_tail();

	put("access.log", "a1\na2\n");
	ck_assert_str_eq(drain(t), "1:a1|1:a2|");
	write_to(log_path, O_TRUNC, rewrites[_i], strlen(rewrites[_i]));
	ck_assert_str_eq(drain(t), lines[_i]);
	ck_assert_uint_eq(status_of(t).truncations, 1);
	put("access.log", "c1\n");
	ck_assert_str_eq(drain_for(t, 300), "2:c1|");
	ck_assert_uint_eq(status_of(t).truncations, 1);
	tail_close(&t);
}
END_TEST

START_TEST(copytruncate_behind)			/* L2: the unread rest is in the copy, here three deep */
{
	struct tail *t = open_tail();

	put("access.log.9", "old\n");
	put("access.log", "a1\n");
	drain(t);
	put("access.log", "a2\na");
	run("cp %s %s.3; : > %s", log_path, log_path, log_path);
	put("access.log.2", "b1\n");
	put("access.log.1", "c1\n");
	put("access.log", "d1\n");
	ck_assert_str_eq(drain(t), "2:a2|2:a|3:b1|4:c1|5:d1|");
	ck_assert_uint_eq(status_of(t).truncations, 1);
	ck_assert_uint_eq(status_of(t).lost_bytes, 0);
	ck_assert_str_eq(drain_for(t, 100000), "");
	tail_close(&t);
}
END_TEST

START_TEST(copytruncate_in_its_middle)		/* a start between copy and truncate */
{
	struct tail *t = open_tail();

	put("access.log", "a1\n");
	drain(t);
	rename_in_dir("access.log", "access.log.2");
	put("access.log", "b1\nb2\n");
	run("cp %s %s.1", log_path, log_path);
	put("access.log", "b3\n");
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 3000), "2:b1|2:b2|2:b3|");
	run("cp %s %s.1; : > %s", log_path, log_path, log_path);
	put("access.log", "c1\n");
	ck_assert_str_eq(drain_for(t, 3000), "4:c1|");	/* 3 is the copy, with nothing more in it */
	tail_close(&t);
}
END_TEST

START_TEST(copytruncate_of_what_nobody_saw)	/* L2: it was empty, and is empty or not: the copy tells */
{
	struct tail *t = open_tail();

	put("access.log.2", "old\n");
	put("access.log", "a1\n");
	drain(t);
	run("cp %s %s.1; : > %s", log_path, log_path, log_path);
	ck_assert_str_eq(drain_for(t, 300), "");
	ck_assert_uint_eq(status_of(t).truncations, 1);
	put("access.log", "b1\n");
	rename_in_dir("access.log.2", "access.log.3");
	rename_in_dir("access.log.1", "access.log.2");
	run("cp %s %s.1; : > %s", log_path, log_path, log_path);
	if (_i == 0)
		ck_assert_str_eq(drain_for(t, 300), "");	/* it comes with the next line */
	put("access.log", "c1\n");
	ck_assert_str_eq(drain_for(t, 300), "3:b1|4:c1|");
	ck_assert_uint_eq(status_of(t).truncations, 2);
	put("access.log", "c2\n");
	ck_assert_str_eq(drain_for(t, 100000), "4:c2|");
	ck_assert_str_eq(status_of(t).problem, "");
	tail_close(&t);
}
END_TEST

START_TEST(copy_that_ends_too_early)		/* L2: it was made before the last lines that were read */
{
	struct tail *t = open_tail();

	put("access.log", "what was before all that\n");
	drain(t);
	run("cp %s %s.2; : > %s", log_path, log_path, log_path);
	drain_for(t, 300);
	for (int i = 0; i < 10; i++)
		put("access.log", "a line of thirty bytes or more\n");
	drain_for(t, 300);
	run("cp %s %s.1", log_path, log_path);
	put("access.log", "a2\n");
	ck_assert_str_eq(drain_for(t, 300), "3:a2|");
	write_to(log_path, O_TRUNC, "", 0);
	ck_assert_str_eq(drain_for(t, 300), "");
	put("access.log", "b1\n");
	if (_i == 1)
		t = restart(t);
	ck_assert_str_eq(drain_for(t, 3000), _i == 1 ? "2:b1|" : "4:b1|");
	ck_assert_uint_eq(status_of(t).lost_bytes, 0);
	ck_assert_str_eq(status_of(t).problem, "");
	tail_close(&t);
}
END_TEST

START_TEST(truncated_while_away)
{
	struct tail *t = open_tail();

	put("access.log", "a1\na2\n");
	drain(t);
	put("access.log", "a3\n");
	if (_i == 1)
		run("cp %s %s.1", log_path, log_path);
	write_to(log_path, O_TRUNC, "b1\nb2\nb3\nb4\n", 12);
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 3000), _i == 1 ? "1:a3|2:b1|2:b2|2:b3|2:b4|" : "1:b1|1:b2|1:b3|1:b4|");
	ck_assert_uint_eq(status_of(t).truncations, 1);
	if (_i == 0)
		ck_assert_msg(strstr(status_of(t).problem, "emptied") != NULL, "%s", status_of(t).problem);
	tail_close(&t);
}
END_TEST

/* ---- resume ---------------------------------------------------------------------------------- */

START_TEST(resume_after_rotations)		/* L19, L20, L21: numbered or dated, plain or compressed */
{
	static const char *const names[][3] = {
		{ "access.log.3", "access.log.2", "access.log.1" },
		{ "access.log-20261101", "access.log-20261102", "access.log-20261103" },
	};
	const char *const *name = names[_i / 8];
	struct tail *t = open_tail();
	char cmd[200];

	put("access.log.7", "old\n");
	put("access.log", "a1\na2\n");
	drain(t);
	put("access.log", "a3\n");
	rename_in_dir("access.log", name[0]);
	put(name[1], "b1\n");
	put(name[2], "c1\n");
	put("access.log", "d1\n");
	for (int k = 0; k < 3; k++) {
		snprintf(cmd, sizeof(cmd), "touch -d '2026-11-0%d 10:00:00' %s", k + 1, in_dir(name[k]));
		run("%s", cmd);
	}
	run("touch -d '2026-10-01' %s", in_dir("access.log.7"));
	for (int k = 0; k < 3; k++)
		if (_i & 1 << k)
			gzip_in_dir(name[k]);
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 5000), "1:a3|2:b1|3:c1|4:d1|");
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 5000), "");
	ck_assert_str_eq(status_of(t).problem, "");
	tail_close(&t);
}
END_TEST

START_TEST(resume_while_gzip_works)		/* both the plain file and a half-written .gz are there */
{
	struct tail *t = open_tail();

	put("access.log", "a1\n");
	drain(t);
	put("access.log", "a2\n");
	rename_in_dir("access.log", "access.log.2");
	put("access.log.1", "b1\n");
	gzip_bytes(in_dir("access.log.1.gz"), "wb", "b1\n", 3);
	gzip_bytes(in_dir("access.log.2.gz"), "wb", "a1\n", 3);
	put("access.log", "c1\n");
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 5000), "1:a2|2:b1|3:c1|");
	tail_close(&t);
}
END_TEST

START_TEST(resume_where_the_file_is_gone)	/* 1: where there are no birth times either, L30 */
{
	struct tail *t = open_tail();

	no_birth = _i == 1;
	put("access.log", "a1\n");
	drain(t);
	unlink(log_path);				/* L5, stopped: the inode comes back, too */
	put("access.log.1", "old\n");
	put("access.log", "b1\n");
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 5000), "1:b1|");
	ck_assert_msg(strstr(status_of(t).problem, "is gone") != NULL ||
	    strstr(status_of(t).problem, "emptied") != NULL, "%s", status_of(t).problem);
	ck_assert(!status_of(t).waiting_for_file);
	tail_close(&t);
}
END_TEST

START_TEST(resume_waits_for_the_disk)		/* an empty mount point is no lost log */
{
	struct tail *t = open_tail();

	put("access.log", "a1\n");
	drain(t);
	put("access.log", "a2\n");
	run("mv %s %s.away; mkdir %s", dir, dir, dir);
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 5000), "");
	ck_assert(status_of(t).waiting_for_file);
	run("rmdir %s; mv %s.away %s", dir, dir, dir);
	ck_assert_str_eq(drain_for(t, 5000), "1:a2|");
	tail_close(&t);
}
END_TEST

START_TEST(resume_past_an_xz)			/* what cannot be read is said, with its size */
{
	struct tail *t = open_tail();

	put("access.log", "a1\n");
	drain(t);
	rename_in_dir("access.log", "access.log.2");
	write_to(in_dir("access.log.1.xz"), 0, "\xfd" "7zXZ\0 and so on", 16);
	put("access.log", "c1\n");
	t = restart(t);
	ck_assert_str_eq(drain_for(t, 5000), "2:c1|");
	ck_assert_uint_eq(status_of(t).lost_bytes, 16);
	ck_assert_msg(strstr(status_of(t).problem, "access.log.1.xz: is packed with xz") != NULL, "%s",
	    status_of(t).problem);
	tail_close(&t);
}
END_TEST

START_TEST(going_back)				/* Redis forgot: a running stream goes back, to a deleted file too */
{
	struct tail *t = open_tail();
	struct file_pos pos[8];
	size_t n;

	put("access.log", "a1\n");
	drain(t);
	n = positions_of(t, pos, N_ELEM(pos));
	put("access.log", "a2\n");
	drain(t);
	unlink(log_path);
	put("access.log", "b1\n");
	ck_assert_str_eq(drain_for(t, 100000), "2:b1|");
	tail_resume(t, pos, n);
	ck_assert_str_eq(drain_for(t, 5000), "3:a2|4:b1|");
	tail_close(&t);
}
END_TEST

START_TEST(release)
{
	struct tail *t = open_tail();
	uint64_t first, last;

	ck_assert(!tail_files(t, &first, &last));
	put("access.log", "a1\n");
	drain(t);
	rename_in_dir("access.log", "access.log.1");
	put("access.log", "b1\n");
	drain_for(t, 5000);
	tail_release(t, 2);
	ck_assert_ptr_nonnull(tail_file(t, 1));	/* it may get late lines */
	drain_for(t, 61000);
	ck_assert_ptr_nonnull(tail_file(t, 1));	/* it may not, but who knows what is committed now */
	tail_release(t, 1);
	ck_assert_ptr_nonnull(tail_file(t, 1));
	tail_release(t, 2);
	ck_assert_ptr_null(tail_file(t, 1));
	ck_assert_ptr_nonnull(tail_file(t, 2));
	ck_assert(tail_files(t, &first, &last));
	ck_assert_uint_eq(first, 2);
	ck_assert_uint_eq(last, 2);
	tail_release(t, 3);
	ck_assert_ptr_nonnull(tail_file(t, 2));	/* it is being read */
	put("access.log", "b2\n");
	ck_assert_str_eq(drain(t), "2:b2|");
	tail_close(&t);
}
END_TEST

/* ---- what is no log, and what may not be read ------------------------------------------------------ */

static void
expect_refusal(const char *part)
{
	struct tail *t = open_tail();

	ck_assert_str_eq(drain_for(t, 1000), "");
	ck_assert(status_of(t).waiting_for_file);
	ck_assert_msg(strstr(status_of(t).problem, part) != NULL, "%s: %s", part, status_of(t).problem);
	tail_close(&t);
	t = tail_open(log_path, true);
	ck_assert_int_eq(tail_next(t, &(struct line){ 0 }), TAIL_END);
	tail_close(&t);
}

START_TEST(no_regular_file)			/* L35: a sentence, and no hang */
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(mkfifo(log_path, 0644), 0);
	expect_refusal("is a FIFO");
	unlink(log_path);
	mkdir(log_path, 0755);
	expect_refusal("is a directory");
	rmdir(log_path);
	strncpy(sun.sun_path, log_path, sizeof(sun.sun_path) - 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	expect_refusal("is a socket");
	close(fd);
	unlink(log_path);
	ck_assert_int_eq(symlink("/dev/null", log_path), 0);
	expect_refusal("is a device");
}
END_TEST

START_TEST(live_gzip)
{
	struct tail *t = open_tail();

	put("access.log", "");
	drain(t);
	gzip_bytes(log_path, "wb", "a1\n", 3);
	ck_assert_str_eq(drain_for(t, 1000), "");
	ck_assert_msg(strstr(status_of(t).problem, "must be plain") != NULL, "%s", status_of(t).problem);
	tail_close(&t);
	t = open_tail();
	ck_assert_str_eq(drain_for(t, 1000), "");
	ck_assert_msg(strstr(status_of(t).problem, "must be plain") != NULL, "%s", status_of(t).problem);
	tail_close(&t);
}
END_TEST

START_TEST(symlinks)				/* L6 */
{
	struct tail *t;

	put("secret", "s1\n");
	put("target-1", "a1\n");
	put("target-2", "b1\n");
	ck_assert_int_eq(symlink("target-1", log_path), 0);
	t = open_tail();
	ck_assert_str_eq(drain(t), "1:a1|");		/* the owner's own link is followed, also when re-pointed */
	unlink(log_path);
	ck_assert_int_eq(symlink("target-2", log_path), 0);
	ck_assert_str_eq(drain_for(t, 5000), "2:b1|");
	tail_close(&t);

	unlink(log_path);
	put("access.log", "c1\n");
	t = open_tail();
	ck_assert_str_eq(drain(t), "1:c1|");
	unlink(log_path);
	ck_assert_int_eq(symlink("secret", log_path), 0);
	ck_assert_str_eq(drain_for(t, 5000), "");	/* a file that becomes a link is not */
	ck_assert_msg(strstr(status_of(t).problem, "symbolic link") != NULL, "%s", status_of(t).problem);
	unlink(log_path);
	put("access.log", "d1\n");
	ck_assert_str_eq(drain_for(t, 5000), "2:d1|");
	tail_close(&t);
}
END_TEST

START_TEST(symlink_out_of_its_directory)	/* L6: who may write beside the log leads rpvd nowhere else */
{
	char secret[128];
	struct tail *t;

	snprintf(secret, sizeof(secret), "%s/logs", dir);
	mkdir(secret, 0755);
	put("secret", "s1\n");
	put("logs/a", "a1\n");
	ck_assert_int_eq(symlink("logs/a", log_path), 0);
	t = open_tail();
	ck_assert_str_eq(drain(t), "1:a1|");
	unlink(log_path);
	ck_assert_int_eq(symlink("secret", log_path), 0);
	put("logs/a", "a2\n");
	ck_assert_str_eq(drain_for(t, 5000), "1:a2|");
	ck_assert(status_of(t).waiting_for_file);
	ck_assert_msg(strstr(status_of(t).problem, "refused, for its symbolic link leads to") != NULL, "%s", status_of(t).problem);
	unlink(log_path);
	put("logs/b", "b1\n");
	ck_assert_int_eq(symlink("logs/b", log_path), 0);
	ck_assert_str_eq(drain_for(t, 5000), "2:b1|");
	ck_assert_str_eq(status_of(t).problem, "");
	unlink(log_path);
	ck_assert_int_eq(symlink("logs/none", log_path), 0);
	ck_assert_str_eq(drain_for(t, 1000), "");
	ck_assert_msg(strstr(status_of(t).problem, "no such file") != NULL, "%s", status_of(t).problem);
	tail_close(&t);
}
END_TEST

START_TEST(permissions)				/* L9 */
{
	struct tail *t = open_tail();
	bool is_root = geteuid() == 0;

	chmod(dir, 0755);
	put("access.log", "a1\n");
	chmod(log_path, 0);
	if (is_root)
		ck_assert_int_eq(setgroups(0, NULL) + setegid(65534) + seteuid(65534), 0);
	ck_assert_str_eq(drain_for(t, 1000), "");
	ck_assert(status_of(t).waiting_for_file);
	ck_assert_msg(strstr(status_of(t).problem, "mode 0000") != NULL, "%s", status_of(t).problem);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	chmod(log_path, 0640);
	if (is_root) {
		ck_assert_int_eq(seteuid(65534), 0);
		ck_assert_str_eq(drain_for(t, 1000), "");
		ck_assert_msg(strstr(status_of(t).problem, "usermod -aG root ") != NULL, "%s", status_of(t).problem);
		ck_assert_int_eq(seteuid(0), 0);
		chmod(dir, 0700);
		ck_assert_int_eq(seteuid(65534), 0);
		ck_assert_str_eq(drain_for(t, 1000), "");
		ck_assert_msg(strstr(status_of(t).problem, "may not enter") != NULL, "%s", status_of(t).problem);
		ck_assert_int_eq(seteuid(0), 0);
	}
	ck_assert_str_eq(drain_for(t, 1000), "1:a1|");
	ck_assert_str_eq(status_of(t).problem, "");
	tail_close(&t);
}
END_TEST

START_TEST(directory_that_is_not_shown)		/* nothing but the log's own name can be looked up there */
{
	struct tail *t = open_tail();
	bool is_root = geteuid() == 0;

	put("access.log", "");
	chmod(dir, 0311);
	if (is_root)
		ck_assert_int_eq(setgroups(0, NULL) + setegid(65534) + seteuid(65534), 0);
	ck_assert_str_eq(drain_for(t, 1000), "");
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	put("access.log", "a1\n");
	if (is_root)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_str_eq(drain_for(t, 1000), "1:a1|");
	ck_assert_str_eq(status_of(t).problem, "");
	ck_assert(!status_of(t).stuck);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	tail_close(&t);
}
END_TEST

START_TEST(read_errors)				/* L30, L33 */
{
	static const int errors[] = { EIO, ESTALE };
	struct tail *t = open_tail();

	put("access.log", "a1\na");
	ck_assert_str_eq(drain(t), "1:a1|");
	put("access.log", "2\n");
	pread_errno = errors[_i];
	ck_assert_str_eq(drain_for(t, 5000), "");
	ck_assert_msg(status_of(t).problem[0] != '\0', "silent");
	pread_errno = 0;
	ck_assert_str_eq(drain_for(t, 1000), "1:a2|");
	ck_assert_str_eq(status_of(t).problem, "");
	ck_assert_uint_eq(status_of(t).truncations, 0);
	tail_close(&t);
}
END_TEST

START_TEST(stale_handle)			/* L30: the file is there, only our handle to it is dead */
{
	struct tail *t = open_tail();
	struct line line;

	no_birth = true;
	put("access.log", "a1\na");
	ck_assert_str_eq(drain(t), "1:a1|");
	put("access.log", "2\n");
	tail_next(t, &line);			/* the current file is what is read last */
	pread_errno = ESTALE;
	pread_bad_fd = pread_last_fd;
	put("access.log", "a3\n");
	ck_assert_str_eq(drain_for(t, 1000), "1:a3|");
	ck_assert_str_eq(status_of(t).problem, "");
	ck_assert_uint_eq(status_of(t).truncations, 0);
	tail_close(&t);
}
END_TEST

START_TEST(damaged_gzip)			/* cut and flipped at many places: used as far as it goes */
{
	struct buf plain = { 0 }, gz, broken = { 0 };
	struct line line;
	struct tail *t;
	size_t n;

	for (unsigned i = 0; i < 3000; i++)
		buf_printf(&plain, "line %u %u\n", i, i * 2654435761u);
	gzip_bytes(in_dir("a.gz"), "wb", plain.p, plain.len);
	gz = slurp(in_dir("a.gz"));
	for (size_t at = 2; at < gz.len; at += 1 + gz.len / 61) {
		broken.len = 0;
		buf_put(&broken, gz.p, _i == 0 ? at : gz.len);
		if (_i == 1)
			broken.p[at] ^= 0x55;
		write_to(log_path, O_TRUNC, broken.p, broken.len);
		t = tail_open(log_path, true);
		for (n = 0; tail_next(t, &line) == TAIL_LINE; n++)
			if (_i == 0)
				ck_assert(memcmp(plain.p + line.offset, line.p, line.len + 1) == 0);
		if (_i == 0)
			ck_assert_msg(strstr(status_of(t).problem, "gzip -t") != NULL, "cut at %zu: %s", at,
			    status_of(t).problem);
		if (_i == 0 && at > gz.len - 4)
			ck_assert_uint_eq(n, 3000);
		tail_close(&t);
	}
	buf_free(&plain);
	buf_free(&gz);
	buf_free(&broken);
}
END_TEST

START_TEST(idle_is_cheap)			/* at the end of the file: one read, no more */
{
	struct tail *t = open_tail();
	struct line line;
	unsigned before;

	put("access.log", "a1\n");
	drain_for(t, 1000);
	before = pread_calls;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(tail_next(t, &line), TAIL_WAIT);
	ck_assert_uint_eq(pread_calls - before, 100);
	tail_close(&t);
}
END_TEST

START_TEST(replay_from)
{
	struct tail *t = tail_open(log_path, true);
	struct file_pos pos;
	struct line line;

	put("access.log", "a1\na2\na3");
	ck_assert_int_eq(tail_next(t, &line), TAIL_LINE);
	ck_assert(tail_position(t, line.file_no, &pos));
	tail_close(&t);
	if (_i == 1)
		run("gzip -c %s > %s.tmp; mv %s.tmp %s", log_path, log_path, log_path, log_path);
	t = tail_open(log_path, true);
	tail_resume(t, &pos, 1);
	ck_assert_str_eq(drain(t), "1:a2|1:a3|");
	ck_assert_int_eq(tail_next(t, &line), TAIL_END);
	tail_close(&t);
}
END_TEST

/* ---- watch ------------------------------------------------------------------------------------ */

static unsigned changes;

static void
on_change(const char *changed, void *arg)
{
	ck_assert_str_eq(changed, dir);
	ck_assert_ptr_eq(arg, &changes);
	changes++;
}

static unsigned
changes_now(struct event_base *base)
{
	changes = 0;
	event_base_loop(base, EVLOOP_NONBLOCK);
	return (changes);
}

START_TEST(watch_tells)
{
	struct event_base *base = event_base_new();
	struct watch *w = watch_new(base, on_change, &changes);
	struct tail *t = open_tail();
	char *watched = tail_dir(t);

	ck_assert_str_eq(watched, dir);
	watch_dir(w, watched);
	ck_assert_uint_eq(changes_now(base), 0);
	put("access.log", "a1\n");
	put("access.log", "a2\n");
	ck_assert_uint_eq(changes_now(base), 1);	/* many changes, one call */
	rename_in_dir("access.log", "access.log.1");
	ck_assert_uint_eq(changes_now(base), 1);
	run("rm -r %s", dir);
	changes_now(base);
	watch_dir(w, watched);				/* the poll: not there yet */
	mkdir(dir, 0755);
	watch_dir(w, watched);				/* there again */
	put("access.log", "b1\n");
	ck_assert_uint_eq(changes_now(base), 1);
	run("mv %s %s.away; mkdir %s", dir, dir, dir);
	changes_now(base);
	watch_dir(w, watched);
	put("access.log", "c1\n");
	ck_assert_uint_eq(changes_now(base), 1);
	run("rm -r %s.away", dir);
	for (int i = 0; i < 20000; i++)			/* L31: more than the queue holds */
		write_to(in_dir(i % 2 ? "x" : "y"), 0, "", 0);
	ck_assert_uint_eq(changes_now(base), 1);
	free(watched);
	watch_free(&w);
	tail_close(&t);
	event_base_free(base);
}
END_TEST

static void
on_change_of_b(const char *changed, void *arg)
{
	*(bool *)arg |= strcmp(changed, in_dir("b")) == 0;
}

START_TEST(watch_overflows)			/* L31: what happened in one directory was lost in the noise of another */
{
	struct event_base *base = event_base_new();
	bool b_changed = false;
	struct watch *w = watch_new(base, on_change_of_b, &b_changed);
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	int queue = 16384;

	mkdir(in_dir("a"), 0755);
	mkdir(in_dir("b"), 0755);
	watch_dir(w, in_dir("a"));
	watch_dir(w, in_dir("b"));
	if (f != NULL) {
		ck_assert_int_eq(fscanf(f, "%d", &queue), 1);
		fclose(f);
	}
	for (int i = 0; i < queue + 1000; i++)
		write_to(in_dir(i % 2 ? "a/x" : "a/y"), 0, "", 0);	/* no two alike in a row: those become one */
	for (int i = 0; i < queue; i++)
		chmod(in_dir(i % 2 ? "a/x" : "a/y"), 0600);
	put("b/access.log", "b1\n");
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert(b_changed);
	watch_free(&w);
	event_base_free(base);
}
END_TEST

START_TEST(watch_at_its_limits)			/* L32: the poll goes on alone, and finds a raised limit */
{
	struct event_base *base = event_base_new();
	struct watch *w;

	inotify_errno = EMFILE;
	w = watch_new(base, on_change, &changes);
	watch_dir(w, dir);
	put("access.log", "a1\n");
	ck_assert_uint_eq(changes_now(base), 0);
	watch_free(&w);
	inotify_errno = 0;
	w = watch_new(base, on_change, &changes);
	inotify_errno = ENOSPC;
	watch_dir(w, dir);
	watch_dir(w, dir);
	put("access.log", "a2\n");
	ck_assert_uint_eq(changes_now(base), 0);
	inotify_errno = 0;
	watch_dir(w, dir);
	put("access.log", "a3\n");
	ck_assert_uint_eq(changes_now(base), 1);
	watch_free(&w);
	event_base_free(base);
}
END_TEST

/* ---- storms ----------------------------------------------------------------------------------- */

#define STORM_ROTATIONS 300
#define STORM_LINES 40

/* A web server and a logrotate that do nothing else, in a process of their own: each file
 * gets a date, and after half of the rotations a line still goes to the old file. */
static void
storm(void)
{
	unsigned no = 0;
	FILE *f, *old = NULL;

	for (unsigned r = 0; r < STORM_ROTATIONS; r++) {
		char name[64], text[64];

		f = fopen(log_path, "a");
		for (unsigned i = 0; i < STORM_LINES; i++) {
			fprintf(f, "line %06u of a storm that goes on and on\n", no++);
			if (i == 5 && old != NULL) {
				fprintf(old, "line %06u of a storm that goes on and on\n", no++);
				fclose(old);
				old = NULL;
			}
			if (i % 8 == 0)
				fflush(f);
		}
		fflush(f);
		snprintf(text, sizeof(text), "access.log-%06u", r);
		snprintf(name, sizeof(name), "%s", in_dir(text));
		rename(log_path, name);
		if (r % 2 == 0)
			old = f;
		else
			fclose(f);
		usleep(r % 10 == 0 ? 3000 : 200);
	}
	if (old != NULL)
		fclose(old);
	f = fopen(log_path, "a");
	fputs("the end\n", f);
	fclose(f);
}

START_TEST(rotation_storm)			/* while it is read all the time, or by a reader that is stopped now and then */
{
	struct tail *t = tail_open(log_path, false);
	char *seen = mem_calloc(STORM_ROTATIONS * (STORM_LINES + 1), 1);
	unsigned lines = 0, no, stops = 0;
	struct line line;
	bool end = false;
	pid_t child;

	tail_set_times(t, &(struct tail_times){ 2, 20, 5000, NULL });
	put("access.log", "the begin\n");
	ck_assert_int_eq(tail_next(t, &line), TAIL_LINE);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		storm();
		_exit(0);
	}
	while (!end) {
		if (tail_next(t, &line) != TAIL_LINE) {
			usleep(_i == 1 && stops++ % 20 == 0 ? 60000 : 500);
			continue;
		}
		line.p[line.len] = '\0';
		end = strcmp(line.p, "the end") == 0;
		if (sscanf(line.p, "line %u of a storm that goes on and o", &no) == 1) {
			ck_assert_msg(seen[no] == 0, "line %u came twice", no);
			seen[no] = 1;
			lines++;
		}
	}
	waitpid(child, NULL, 0);
	/* What went to the last old file may still come late. */
	for (unsigned i = 0; i < 400 && lines < STORM_ROTATIONS * STORM_LINES + STORM_ROTATIONS / 2; i++, usleep(10000))
		while (tail_next(t, &line) == TAIL_LINE) {
			ck_assert_int_eq(sscanf(line.p, "line %u", &no), 1);
			ck_assert_msg(seen[no] == 0, "line %u came twice", no);
			seen[no] = 1;
			lines++;
		}
	ck_assert_uint_eq(lines, STORM_ROTATIONS * STORM_LINES + STORM_ROTATIONS / 2);
	ck_assert_uint_eq(status_of(t).truncations, 0);
	ck_assert_uint_eq(status_of(t).lost_bytes, 0);
	ck_assert_str_eq(status_of(t).problem, "");
	free(seen);
	tail_close(&t);
}
END_TEST

#define COPIES 40
#define COPY_LINES 400

/* A writer that never closes the file, and a logrotate that copies and empties it under its hands. */
static void
copy_storm(void)
{
	int fd = open(log_path, O_WRONLY | O_APPEND);
	char text[64];
	unsigned no = 0;

	for (unsigned r = 0; r < COPIES; r++) {
		pid_t logrotate;

		for (unsigned i = 0; i < COPY_LINES / 2; i++)
			(void)!write(fd, text, (size_t)sprintf(text, "line %06u of a storm that goes on and on\n", no++));
		logrotate = fork();
		if (logrotate == 0) {
			for (unsigned k = r; k > 0; k--) {
				char from[128], to[128];

				snprintf(from, sizeof(from), "%s.%u", log_path, k);
				snprintf(to, sizeof(to), "%s.%u", log_path, k + 1);
				rename(from, to);
			}
			run("cp %s %s.1", log_path, log_path);
			(void)!truncate(log_path, 0);
			_exit(0);
		}
		for (unsigned i = 0; i < COPY_LINES / 2; i++) {
			(void)!write(fd, text, (size_t)sprintf(text, "line %06u of a storm that goes on and on\n", no++));
			if (i % 10 == 0)
				usleep(300);
		}
		waitpid(logrotate, NULL, 0);
	}
	(void)!write(fd, "the end\n", 8);
}

/* What is in the file, or the copies, must have been read. */
static void
expect_seen(const char *path, const char *seen)
{
	struct buf b = slurp(path);
	struct slice rest = buf_view(&b);

	while (rest.len > 0) {
		char text[64];
		unsigned no;

		snprintf(text, sizeof(text), "%.*s", SLICE_FMT(slice_cut(&rest, '\n')));
		if (sscanf(text, "line %u of a storm", &no) == 1)
			ck_assert_msg(seen[no] == 1, "%s: line %u was not read", path, no);
	}
	buf_free(&b);
}

START_TEST(copytruncate_storm)			/* L2 */
{
	struct tail *t = tail_open(log_path, false);
	char *seen = mem_calloc(COPIES * COPY_LINES + 1, 1), path[100];
	unsigned no, stops = 0;
	struct line line;
	bool end = false;
	pid_t child;

	tail_set_times(t, &(struct tail_times){ 2, 20, 5000, NULL });
	put("access.log", "the begin\n");
	ck_assert_int_eq(tail_next(t, &line), TAIL_LINE);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		copy_storm();
		_exit(0);
	}
	while (!end) {
		if (tail_next(t, &line) != TAIL_LINE) {
			usleep(_i == 1 && stops++ % 20 == 0 ? 30000 : 300);
			continue;
		}
		end = slice_is(slice_make(line.p, line.len), "the end");
		line.p[line.len] = '\0';
		if (sscanf(line.p, "line %u of a storm that goes on and o", &no) == 1) {
			ck_assert_msg(seen[no] == 0, "line %u came twice", no);
			seen[no] = 1;
		}
	}
	waitpid(child, NULL, 0);
	expect_seen(log_path, seen);
	for (unsigned k = 1; k <= COPIES; k++) {
		snprintf(path, sizeof(path), "%s.%u", log_path, k);
		expect_seen(path, seen);
	}
	free(seen);
	tail_close(&t);
}
END_TEST

/* ---- the model ------------------------------------------------------------------------------- */

#define GENERATIONS 400

static struct {
	uint64_t rng;
	bool dated;			/* names by date instead of numbers */
	struct buf content[GENERATIONS];	/* all bytes that a perfect reader could get */
	char *name[GENERATIONS];	/* in the directory now; NULL: deleted */
	int64_t rotated_ms[GENERATIONS];
	unsigned n;			/* the live one is content[n - 1] */
	unsigned line_no, writes;
	struct buf unwritten;		/* of the last line, which the writer has begun */

	struct tail *t;
	bool in_time;			/* the reader is not interrupted */
	struct buf *got;		/* lines, in the order of arrival */
	size_t n_got, cap_got, committed;
	struct file_pos pos[64];
	size_t n_pos;
} m;

static uint32_t
rnd(uint32_t below)
{
	m.rng ^= m.rng << 13;
	m.rng ^= m.rng >> 7;
	m.rng ^= m.rng << 17;
	return ((uint32_t)(m.rng >> 33) % below);
}

static void
set_mtime(const char *path)
{
	/* No two at the same time. */
	struct timespec ts = { 1700000000 + fake_ms / 1000, fake_ms % 1000 * 1000000 + m.writes++ % 1000000 };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[2]){ ts, ts }, 0), 0);
}

static void
m_append(unsigned g, const char *p, size_t len)
{
	write_to(in_dir(m.name[g]), O_APPEND, p, len);
	set_mtime(in_dir(m.name[g]));
	buf_put(&m.content[g], p, len);
}

static void
m_new_live(void)
{
	m.name[m.n] = mem_strdup("access.log");
	m.n++;
	must(m.n < GENERATIONS);
	m_append(m.n - 1, "", 0);
	m.unwritten.len = 0;
}

/* Some lines, in pieces that need not end where lines do. */
static void
m_write(unsigned g)
{
	size_t cut;

	for (unsigned k = rnd(6); k > 0; k--) {
		buf_printf(&m.unwritten, "%08x%08x-%u", rnd(UINT32_MAX), rnd(UINT32_MAX), m.line_no++);
		for (unsigned pad = 24 + (rnd(10) == 0 ? rnd(3000) : rnd(60)); pad > 0; pad--)
			buf_putc(&m.unwritten, (char)('a' + pad % 26));
		buf_putc(&m.unwritten, '\n');
	}
	cut = rnd(3) > 0 || m.unwritten.len == 0 ? m.unwritten.len : rnd((uint32_t)m.unwritten.len);
	/* A file of less than the start of a line has nothing by which it could be known. */
	if (m.content[g].len + cut < 40)
		cut = m.unwritten.len;
	m_append(g, m.unwritten.p, cut);
	if (cut < m.unwritten.len)
		memmove(m.unwritten.p, m.unwritten.p + cut, m.unwritten.len - cut);
	m.unwritten.len -= cut;
}

static void
m_rename(unsigned g, const char *to)
{
	rename_in_dir(m.name[g], to);
	free(m.name[g]);
	m.name[g] = mem_strdup(to);
}

/* Makes room for a new youngest rotated file and says its name. */
static void
m_shift(char *name, size_t size)
{
	unsigned no = 0;

	if (m.dated) {
		snprintf(name, size, "access.log-%08u", 20260000 + m.n);
		return;
	}
	for (unsigned g = 0; g + 1 < m.n; g++)
		no += m.name[g] != NULL;
	for (unsigned g = 0; g + 1 < m.n; g++) {
		if (m.name[g] == NULL)
			continue;
		snprintf(name, size, "access.log.%u%s", no-- + 1, strstr(m.name[g], ".gz") != NULL ? ".gz" : "");
		m_rename(g, name);
	}
	snprintf(name, size, "access.log.1");
}

static void
m_drain(void)
{
	struct line line;

	if (m.t == NULL)
		return;
	while (tail_next(m.t, &line) == TAIL_LINE) {
		mem_grow(&m.got, &m.cap_got, m.n_got + 1, sizeof(*m.got));
		m.got[m.n_got] = (struct buf){ 0 };
		buf_put(&m.got[m.n_got++], line.p, line.len);
		memset(line.p, 'X', line.len);
		if (!m.in_time && rnd(40) == 0)
			return;		/* busy with something else */
	}
}

static void
m_drain_all(int64_t ms)
{
	m.in_time = true;
	for (int64_t end = fake_ms + ms; fake_ms < end; fake_ms += 300)
		m_drain();
	m.in_time = false;
}

static void
m_commit(void)
{
	uint64_t first, last;

	if (m.t == NULL || !tail_files(m.t, &first, &last))
		return;
	m.n_pos = positions_of(m.t, m.pos, N_ELEM(m.pos));
	m.committed = m.n_got;
	tail_release(m.t, last);
}

static void
m_forget(void)
{
	while (m.n_got > m.committed)
		buf_free(&m.got[--m.n_got]);
}

static void
m_open(void)
{
	if (m.t != NULL)
		return;
	m.t = open_tail();
	tail_resume(m.t, m.pos, m.n_pos);
}

static void
m_rotate(void)
{
	char name[64];

	m_shift(name, sizeof(name));
	m_rename(m.n - 1, name);
	m.rotated_ms[m.n - 1] = fake_ms;
	if (rnd(4) == 0)
		m_drain();		/* while there is no file of the name */
	m_new_live();
}

static bool
m_has_seen_live(void)
{
	uint64_t first, last;
	struct file_pos pos;
	struct stat st;

	if (m.t == NULL || !tail_files(m.t, &first, &last) || !tail_position(m.t, last, &pos))
		return (false);
	return (stat(log_path, &st) == 0 && st.st_ino == pos.id.ino && (pos.id.head_len >= 32 || pos.offset > 0) &&
	    pos.id.head_len <= m.content[m.n - 1].len);
}

static void
m_copytruncate(void)
{
	char name[64];

	if (!m_has_seen_live())
		return;			/* a file that nobody saw with bytes cannot be missed */
	m_shift(name, sizeof(name));
	run("cp -p %s %s", log_path, in_dir(name));
	if (rnd(3) == 0)
		m_drain();
	m.rotated_ms[m.n - 1] = -1000000;	/* nobody has the copy open */
	free(m.name[m.n - 1]);
	m.name[m.n - 1] = mem_strdup(name);
	ck_assert_int_eq(truncate(log_path, 0), 0);
	m_new_live();
}

static void
m_gzip(void)
{
	char name[64];
	unsigned g = rnd(m.n);

	if (g + 1 == m.n || m.name[g] == NULL || strstr(m.name[g], ".gz") != NULL ||
	    fake_ms - m.rotated_ms[g] < 25000)
		return;
	gzip_in_dir(m.name[g]);
	snprintf(name, sizeof(name), "%s.gz", m.name[g]);
	free(m.name[g]);
	m.name[g] = mem_strdup(name);
}

/* Late: the writer was not told to reopen yet.  Not where nothing was in the file before: if
 * that is committed as empty and compressed later, no identity is left to find it by. */
static void
m_write_late(void)
{
	struct buf live = m.unwritten;
	unsigned g = m.n - 2;

	if (m.dated || m.n < 2 || m.name[g] == NULL || m.content[g].len == 0 || fake_ms - m.rotated_ms[g] > 20000)
		return;
	m.unwritten = (struct buf){ 0 };
	m_write(g);
	buf_free(&m.unwritten);
	m.unwritten = live;
}

/* Real lines have time stamps: no two files have the same bytes. */
static void
m_append_unique(const char *what)
{
	char text[64];

	m_append(m.n - 1, text, (size_t)snprintf(text, sizeof(text), "%s %u %08x\n", what, m.line_no++, rnd(UINT32_MAX)));
}

static void
m_delete(void)
{
	if (m.t == NULL)
		return;
	m_append_unique("end");
	m.unwritten.len = 0;
	m_drain_all(3000);
	unlink(log_path);
	free(m.name[m.n - 1]);
	m.name[m.n - 1] = NULL;
	m.rotated_ms[m.n - 1] = -1000000;
	m_new_live();
	m_append_unique("begin");
	m_drain_all(3000);
	m_commit();
}

static void
m_act(void)
{
	unsigned act = rnd(100);

	if (getenv("RPVD_SEED") != NULL)
		fprintf(stderr, "%lld: act %u, generation %u, read %zu (%zu committed), line %u%s\n", (long long)fake_ms, act,
		    m.n, m.n_got, m.committed, m.line_no, m.t == NULL ? ", closed" : "");
	if (act < 35)
		m_write(m.n - 1);
	else if (act < 55)
		m_drain();
	else if (act < 62)
		fake_ms += rnd(3000);
	else if (act < 64)
		fake_ms += 70000;
	else if (act < 72)
		m_commit();
	else if (act < 77)
		m_rotate();
	else if (act < 81)
		m_write_late();
	else if (act < 84)
		m_copytruncate();
	else if (act < 88)
		m_gzip();
	else if (act < 89)
		m_delete();
	else if (act < 92 && m.t != NULL) {
		tail_resume(m.t, m.pos, m.n_pos);
		m_forget();
	} else if (act < 96) {
		tail_close(&m.t);
		m_forget();
	} else
		m_open();
}

static int
compare_bufs(const void *va, const void *vb)
{
	const struct buf *a = va, *b = vb;
	int c = memcmp(a->p != NULL ? a->p : "", b->p != NULL ? b->p : "", a->len < b->len ? a->len : b->len);

	return (c != 0 ? c : a->len < b->len ? -1 : a->len > b->len);
}

static const char *
shown(const struct buf *b)
{
	static char text[2][61];
	static unsigned k;

	k ^= 1;
	snprintf(text[k], sizeof(text[k]), "%.*s", (int)b->len, b->p != NULL ? b->p : "");
	return (text[k]);
}

/* What should have come, cut from the generations' bytes. */
static size_t
m_expected(struct buf **out)
{
	size_t n = 0, cap = 0;

	*out = NULL;
	for (unsigned g = 0; g < m.n; g++) {
		struct slice rest = buf_view(&m.content[g]), l;

		while (rest.len > 0) {
			if (g + 1 == m.n && slice_find(rest, '\n') < 0)
				break;
			l = slice_cut(&rest, '\n');
			mem_grow(out, &cap, n + 1, sizeof(**out));
			(*out)[n] = (struct buf){ 0 };
			buf_put(&(*out)[n++], l.p, l.len);
		}
	}
	return (n);
}

static void
m_compare(unsigned long seed)
{
	struct buf *want;
	size_t n = m_expected(&want), i;

	qsort(want, n, sizeof(*want), compare_bufs);
	qsort(m.got, m.n_got, sizeof(*m.got), compare_bufs);
	for (i = 0; i < n && i < m.n_got && compare_bufs(&want[i], &m.got[i]) == 0; i++)
		;
	if (getenv("RPVD_SEED") != NULL)
		for (size_t a = 0, b = 0; a < n || b < m.n_got;) {
			int c = a == n ? 1 : b == m.n_got ? -1 : compare_bufs(&want[a], &m.got[b]);

			if (c != 0)
				fprintf(stderr, "%s %s\n", c < 0 ? "missing" : "too many", shown(c < 0 ? &want[a] : &m.got[b]));
			a += c <= 0;
			b += c >= 0;
		}
	ck_assert_msg(i == n && n == m.n_got, "RPVD_SEED=%lu: %zu lines written, %zu read; first difference: %s / %s",
	    seed, n, m.n_got, i < n ? shown(&want[i]) : "-", i < m.n_got ? shown(&m.got[i]) : "-");
	for (i = 0; i < n; i++)
		buf_free(&want[i]);
	free(want);
}

static void
m_run(unsigned long seed, unsigned acts)
{
	memset(&m, 0, sizeof(m));
	m.rng = seed * 2654435761u + 88172645463325252u;
	m.dated = seed % 3 == 0;
	/* Without birth times an inode that is used again cannot always be told: about one life of a thousand, full
	 * of deletions as they are, goes wrong.  So only where it is asked for. */
	no_birth = getenv("RPVD_NO_BIRTH") != NULL;
	m_new_live();
	m_append(0, "the first\n", 10);
	m.t = open_tail();
	m_drain();
	m_commit();
	while (acts-- > 0)
		m_act();
	m_open();
	m_append(m.n - 1, "\nthe last\n", 10);
	for (int i = 0; i < 400; i++) {
		m_drain();
		fake_ms += 700;
	}
	m_compare(seed);
	tail_close(&m.t);
	while (m.n_got > 0)
		buf_free(&m.got[--m.n_got]);
	free(m.got);
	for (unsigned g = 0; g < m.n; g++) {
		buf_free(&m.content[g]);
		free(m.name[g]);
	}
	buf_free(&m.unwritten);
}

START_TEST(random_lives)
{
	const char *given = getenv("RPVD_SEED"), *rounds = getenv("RPVD_ROUNDS");
	unsigned long seed = given != NULL ? strtoul(given, NULL, 10) : (unsigned long)time(NULL) % 1000000 * 1000;
	unsigned long n = given != NULL ? 1 : rounds != NULL ? strtoul(rounds, NULL, 10) : 60;

	fprintf(stderr, "random_lives: RPVD_SEED=%lu and %lu more\n", seed, n - 1);
	for (unsigned long i = 0; i < n; i++) {
		run("rm -f %s/*", dir);
		m_run(seed + i, 300);
	}
}
END_TEST

/* ---- all ---------------------------------------------------------------------------------------- */

static const struct { const char *why, *live, *path; bool rotated; } generation_names[] = {
	{ "the numbers of logrotate", "/l/access.log", "/l/access.log.1", true },
	{ "packed", "/l/access.log", "/l/access.log.12.gz", true },
	{ "a date", "/l/access.log", "/l/access.log-20261101.gz", true },
	{ "itself", "/l/access.log", "/l/access.log", false },
	{ "another site's log that begins alike", "/l/access.log", "/l/access.log.shop", false },
	{ "another log", "/l/access.log", "/l/other.log.1", false },
	{ "a log is no generation of its rotated file", "/l/access.log.1", "/l/access.log", false },
};

START_TEST(names_of_generations)
{
	ck_assert_msg(generations_is_rotated(generation_names[_i].live, generation_names[_i].path) == generation_names[_i].rotated,
	    "%s", generation_names[_i].why);
}
END_TEST

static Suite *
tail_suite(void)
{
	Suite *s = suite_create("tail");
	TCase *tc = tcase_create("tail");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, lines_of_content, 0, N_ELEM(contents));
	tcase_add_test(tc, lines_in_small_writes);
	tcase_add_test(tc, partial_line_is_not_consumed);
	tcase_add_test(tc, holes_cost_no_memory);
	tcase_add_test(tc, long_lines_cost_no_memory);
	tcase_add_test(tc, rename_rotation);
	tcase_add_test(tc, writer_that_never_reopens);
	tcase_add_test(tc, torn_last_line);
	tcase_add_test(tc, missing_for_seconds);
	tcase_add_test(tc, several_rotations_while_stopped);
	tcase_add_test(tc, deleted_and_created);
	tcase_add_test(tc, moved_to_another_directory);
	tcase_add_test(tc, rotation_undone);
	tcase_add_loop_test(tc, truncated_without_copy, 0, 4);
	tcase_add_test(tc, copytruncate_behind);
	tcase_add_test(tc, copytruncate_in_its_middle);
	tcase_add_loop_test(tc, copytruncate_of_what_nobody_saw, 0, 2);
	tcase_add_loop_test(tc, copy_that_ends_too_early, 0, 2);
	tcase_add_loop_test(tc, truncated_while_away, 0, 2);
	tcase_add_loop_test(tc, resume_after_rotations, 0, 16);
	tcase_add_test(tc, resume_while_gzip_works);
	tcase_add_loop_test(tc, resume_where_the_file_is_gone, 0, 2);
	tcase_add_test(tc, resume_waits_for_the_disk);
	tcase_add_test(tc, resume_past_an_xz);
	tcase_add_test(tc, going_back);
	tcase_add_test(tc, release);
	tcase_add_test(tc, no_regular_file);
	tcase_add_test(tc, live_gzip);
	tcase_add_test(tc, symlinks);
	tcase_add_test(tc, symlink_out_of_its_directory);
	tcase_add_test(tc, permissions);
	tcase_add_test(tc, directory_that_is_not_shown);
	tcase_add_loop_test(tc, read_errors, 0, 2);
	tcase_add_test(tc, stale_handle);
	tcase_add_loop_test(tc, damaged_gzip, 0, 2);
	tcase_add_test(tc, idle_is_cheap);
	tcase_add_loop_test(tc, replay_from, 0, 2);
	tcase_add_loop_test(tc, names_of_generations, 0, N_ELEM(generation_names));
	tcase_add_test(tc, watch_tells);
	tcase_add_test(tc, watch_overflows);
	tcase_add_test(tc, watch_at_its_limits);
	suite_add_tcase(s, tc);
	tc = tcase_create("storm");		/* CK_RUN_CASE=storm: these alone */
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, rotation_storm, 0, 2);
	tcase_add_loop_test(tc, copytruncate_storm, 0, 2);
	suite_add_tcase(s, tc);
	tc = tcase_create("lives");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, random_lives);
	suite_add_tcase(s, tc);
	return (s);
}

int
main(void)
{
	SRunner *sr = srunner_create(tail_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
