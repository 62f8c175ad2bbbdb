/*
 * Headers of syslog messages, and the feed that keeps what came once.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/feed.h"
#include "io/syslog_header.h"

#define LINE "1.2.3.4 - - [22/Nov/2026:03:20:55 +0000] \"GET / HTTP/1.1\" 200 5"

/* message: NULL where there is no header. */
static const struct { const char *why, *datagram, *message; } rows[] = {
	/* RFC 3164 */
	{ "as nginx sends it with nohostname", "<190>Nov 30 03:13:25 nginx: " LINE, LINE },
	{ "with a host name", "<190>Nov 30 03:13:25 www nginx: " LINE, LINE },
	{ "a day of one digit", "<190>Nov  3 03:13:25 www nginx: " LINE, LINE },
	{ "a process", "<190>Nov 30 03:13:25 www haproxy[4711]: " LINE, LINE },
	{ "a time as rsyslog writes it", "<190>2026-11-30T03:13:25.123456+01:00 www nginx: " LINE, LINE },
	{ "an IPv6 address for a host", "<190>Nov 30 03:13:25 2001:db8::1 nginx: " LINE, LINE },
	{ "newlines and NULs at the end", "<190>Nov 30 03:13:25 nginx: " LINE "\r\n", LINE },
	{ "an empty line", "<190>Nov 30 03:13:25 nginx: ", "" },
	{ "a line that begins like a tag", "<190>Nov 30 03:13:25 nginx: ::1 - x: y", "::1 - x: y" },
	{ "the lowest priority", "<0>Nov 30 03:13:25 nginx: x", "x" },
	{ "the highest", "<191>Nov 30 03:13:25 nginx: x", "x" },
	{ "no priority", "Nov 30 03:13:25 nginx: " LINE, NULL },
	{ "an empty one", "<>Nov 30 03:13:25 nginx: x", NULL },
	{ "one too high", "<192>Nov 30 03:13:25 nginx: x", NULL },
	{ "four digits", "<1900>Nov 30 03:13:25 nginx: x", NULL },
	{ "no number", "<19a>Nov 30 03:13:25 nginx: x", NULL },
	{ "one that stays open", "<190 Nov 30 03:13:25 nginx: x", NULL },
	{ "no time", "<190>nginx: " LINE, NULL },
	{ "half a time", "<190>Nov 30 03:13 nginx: x", NULL },
	{ "no tag", "<190>Nov 30 03:13:25 www " LINE, NULL },
	{ "nothing behind the host", "<190>Nov 30 03:13:25 www", NULL },
	{ "a colon is no tag", "<190>Nov 30 03:13:25 www : x", NULL },
	{ "a line alone", LINE, NULL },
	{ "nothing", "", NULL },

	/* RFC 5424 */
	{ "all fields", "<165>1 2026-11-30T03:13:25.003Z www nginx 8710 ID47 - " LINE, LINE },
	{ "none of them", "<165>1 - - - - - - " LINE, LINE },
	{ "an element", "<165>1 - - - - - [a@1 b=\"c\"] " LINE, LINE },
	{ "two, with brackets and quotes in a value", "<165>1 - - - - - [a@1 b=\"\\\"]\\\\\"][c@1 d=\"[\"] x", "x" },
	{ "a mark of byte order", "<165>1 - - - - - - \xef\xbb\xbf" LINE, LINE },
	{ "no message", "<165>1 - - - - - -", "" },
	{ "a message that begins with a bracket", "<165>1 - - - - - - [x] y", "[x] y" },
	{ "another version", "<165>2 - - - - - - x", NULL },
	{ "a field too few", "<165>1 - - - - - x", NULL },
	{ "an element that stays open", "<165>1 - - - - - [a@1 b=\"c] x", NULL },
	{ "a backslash at the end", "<165>1 - - - - - [a@1 b=\"c\\", NULL },
	{ "no blank behind the elements", "<165>1 - - - - - [a@1]x", NULL },
	{ "an empty field", "<165>1  - - - - - x", NULL },
};

START_TEST(message_of_datagram)
{
	struct slice message = { NULL, 0 };
	bool is = syslog_message(slice_of(rows[_i].datagram), &message);

	ck_assert_msg(is == (rows[_i].message != NULL), "%s", rows[_i].why);
	ck_assert_msg(!is || slice_is(message, rows[_i].message), "%s: \"%.*s\"", rows[_i].why, SLICE_FMT(message));
}
END_TEST

/* ---- the feed ---------------------------------------------------------------- */

#define LIMIT ((size_t)64 * 1024)

static void
put_lines(struct feed *f, size_t n)
{
	char line[100];

	memset(line, 'x', sizeof(line));
	while (n-- > 0)
		feed_put(f, slice_make(line, 99));
}

START_TEST(kept_until_committed)
{
	struct feed *f = feed_new(LIMIT), *other = feed_new(LIMIT);
	char bytes[4];

	ck_assert(feed_id(f) != feed_id(other));
	ck_assert(feed_read(f, bytes, 1, 0) == 0 && !feed_has_ended(f));
	feed_put(f, SLICE("ab"));
	feed_put(f, SLICE(""));
	ck_assert(feed_read(f, bytes, 4, 0) == 4 && memcmp(bytes, "ab\n\n", 4) == 0);
	ck_assert(feed_read(f, bytes, 4, 1) == 3 && feed_read(f, bytes, 4, 4) == 0);
	put_lines(f, 600);
	ck_assert_uint_eq(feed_end(f), 60004);
	ck_assert_uint_eq(feed_begin(f), 0);
	ck_assert_uint_lt(feed_room(f), 6000);
	feed_release(f, 60004);
	ck_assert_uint_gt(feed_room(f), LIMIT - LIMIT / 8 - 100);
	put_lines(f, 300);
	ck_assert_msg(feed_begin(f) > 50000 && feed_begin(f) <= 60004 - LIMIT / 8 + 100, "begins at %llu", (unsigned long long)feed_begin(f));
	ck_assert(feed_read(f, bytes, 4, 0) == -1 && errno == ESPIPE);
	ck_assert_msg(feed_read(f, bytes, 4, 60004 - 4000) == 4, "what Redis may have forgotten");
	feed_free(&f);
	feed_free(&other);
	ck_assert_ptr_null(f);
}
END_TEST

START_TEST(rests_empty)
{
	struct feed *f = feed_new(LIMIT), *second = feed_share(f);
	char bytes[4];

	put_lines(f, 100);
	feed_rest(f);
	ck_assert_msg(feed_begin(f) == 0, "nothing is committed");
	feed_release(f, 5000);
	feed_rest(f);
	ck_assert_msg(feed_begin(f) > 3500 && feed_begin(f) < 5000 - 256, "begins at %llu", (unsigned long long)feed_begin(f));
	ck_assert(feed_read(f, bytes, 4, 5000) == 4);
	feed_release(f, 1000);		/* it goes back nowhere */
	feed_release(f, UINT64_MAX);
	ck_assert_uint_eq(feed_end(f), 10000);
	feed_free(&f);
	ck_assert_uint_eq(feed_end(second), 10000);
	feed_free(&second);
}
END_TEST

/* More than a feed keeps, in pieces, by a reader who always looks back a little. */
START_TEST(reads_a_pipe)
{
	int fds[2];
	struct feed *f;
	uint64_t at = 0, written = 0;
	char piece[10000], back[16], bytes[64 * 1024];

	memset(piece, 'p', sizeof(piece));
	ck_assert(pipe(fds) == 0);
	f = feed_of_pipe(fds[0]);
	ck_assert(feed_is_pipe(f) && feed_read(f, bytes, 1, 0) == 0 && !feed_has_ended(f));
	while (written < 3000000) {
		ssize_t n;

		ck_assert(write(fds[1], piece, sizeof(piece)) == sizeof(piece));
		written += sizeof(piece);
		while (at < written) {
			n = feed_read(f, bytes, sizeof(bytes), at);
			ck_assert_int_gt(n, 0);
			at += (uint64_t)n;
		}
		ck_assert(feed_read(f, back, sizeof(back), at - sizeof(back)) == sizeof(back));
	}
	close(fds[1]);
	ck_assert(feed_read(f, bytes, 1, at) == 0 && feed_has_ended(f));
	ck_assert_uint_eq(feed_size(f), 3000000);
	ck_assert(feed_read(f, bytes, 1, 0) == -1);
	feed_free(&f);
	close(fds[0]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("syslog");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, message_of_datagram, 0, (int)N_ELEM(rows));
	tcase_add_test(tc, kept_until_committed);
	tcase_add_test(tc, rests_empty);
	tcase_add_test(tc, reads_a_pipe);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
