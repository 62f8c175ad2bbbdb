/*
 * Tests of ctl/table: the layout of rpvctl's tables, and that nothing of a stranger's
 * bytes reaches a terminal as such.
 */
#include "ctl/table.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct { const char *why, *in; size_t len; const char *out; } texts[] = {
	{ "plain", "google / organic ~", 18, "google / organic ~" },
	{ "nothing", "", 0, "" },
	{ "clear screen", "\x1b[2J", 4, "\\x1b[2J" },
	{ "C1 control sequence introducer", "\x9b" "2J", 3, "\\x9b2J" },
	{ "title change, ended by BEL", "\x1b]0;x\x07", 6, "\\x1b]0;x\\x07" },
	{ "NUL inside", "a\0b", 3, "a\\x00b" },
	{ "new line and tab", "a\nb\tc\r", 6, "a\\x0ab\\x09c\\x0d" },
	{ "DEL", "\x7f", 1, "\\x7f" },
	{ "right-to-left override, U+202E", "\xe2\x80\xae", 3, "\\xe2\\x80\\xae" },
	{ "zero width space, U+200B", "\xe2\x80\x8b", 3, "\\xe2\\x80\\x8b" },
};

START_TEST(safe)
{
	struct buf b = { 0 };

	table_safe(&b, slice_make(texts[_i].in, texts[_i].len));
	ck_assert_msg(slice_is(buf_view(&b), texts[_i].out), "%s: %.*s", texts[_i].why, SLICE_FMT(buf_view(&b)));
	buf_free(&b);
}
END_TEST

static const struct { const char *why, *in; size_t width; const char *out; } cuts[] = {
	{ "fits", "/lamp", 5, "/lamp" },
	{ "one too long", "/lamps", 5, "/...s" },
	{ "even rest", "0123456789", 7, "01...89" },
	{ "odd rest: the end has more", "0123456789", 8, "01...789" },
	{ "measured after the bytes are made safe", "\x1b\x1b\x1b", 11, "\\x1b...\\x1b" },
};

START_TEST(cut)
{
	struct buf b = { 0 };

	table_cut(&b, slice_of(cuts[_i].in), cuts[_i].width);
	ck_assert_msg(slice_is(buf_view(&b), cuts[_i].out), "%s: %.*s", cuts[_i].why, SLICE_FMT(buf_view(&b)));
	buf_free(&b);
}
END_TEST

static const char *const heads[] = { "page", "visits", "rpv" };
static const char *const cells[] = {
	"/", "1000", "0.5",
	"/products/brass-lamp", "2", "12.25",
	"\x1b[1m", "0", "0",
};

static const struct { const char *why; size_t rows, width; const char *out; } layouts[] = {
	{ "heads alone", 0, 80,
	    "page  visits  rpv\n" },
	{ "numbers right-aligned, no blanks at the end", 3, 80,
	    "page                  visits    rpv\n"
	    "/                       1000    0.5\n"
	    "/products/brass-lamp       2  12.25\n"
	    "\\x1b[1m                    0      0\n" },
	{ "exactly as wide as the terminal", 2, 35,
	    "page                  visits    rpv\n"
	    "/                       1000    0.5\n"
	    "/products/brass-lamp       2  12.25\n" },
	{ "one narrower: the name gives way", 2, 34,
	    "page                 visits    rpv\n"
	    "/                      1000    0.5\n"
	    "/product...ass-lamp       2  12.25\n" },
	{ "the name at its least", 2, 27,
	    "page          visits    rpv\n"
	    "/               1000    0.5\n"
	    "/pro...-lamp       2  12.25\n" },
	{ "narrower still: the last column goes, the name has its room", 2, 26,
	    "page                visits\n"
	    "/                     1000\n"
	    "/produc...ass-lamp       2\n" },
	{ "no room for any number", 2, 10,
	    "page\n"
	    "/\n"
	    "/pro...-lamp\n" },
	{ "no width at all", 1, 0,
	    "page\n"
	    "/\n" },
};

START_TEST(layout)
{
	struct table *t = table_new(heads, N_ELEM(heads));
	struct buf b = { 0 };

	for (size_t i = 0; i < layouts[_i].rows * N_ELEM(heads); i++)
		table_text(t, cells[i]);
	table_write(t, layouts[_i].width, &b);
	ck_assert_msg(slice_is(buf_view(&b), layouts[_i].out), "%s:\n%.*s", layouts[_i].why, SLICE_FMT(buf_view(&b)));
	buf_free(&b);
	table_free(&t);
	ck_assert_ptr_null(t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, safe, 0, N_ELEM(texts));
	tcase_add_loop_test(tc, cut, 0, N_ELEM(cuts));
	tcase_add_loop_test(tc, layout, 0, N_ELEM(layouts));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
