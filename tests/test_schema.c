/*
 * Of which layout and windows a state is, as text.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/schema.h"

#define MINUTE INT64_C(60000)

static const char *
text_of(struct buf *b)
{
	buf_putc(b, '\0');
	return (b->p);
}

static const struct {
	const char *why;
	struct level levels[4];
	size_t n;
	const char *text;
} texts[] = {
	{ "nobody says which", { { 0 } }, 0, "2" },
	{ "one window; buckets of hours, whatever they were called", { { "24h", 60 * MINUTE, 24 } }, 1, "2 24h/1h" },
	{ "a name stays as it is, a bucket is written in the largest unit", { { "240m", 10 * MINUTE, 24 }, { "4w", 1440 * MINUTE, 28 } }, 2,
	    "2 240m/10m 4w/1d" },
	{ "minutes that are no hours", { { "3h", 90 * MINUTE, 2 } }, 1, "2 3h/90m" },
	{ "the default lengths with another bucket", { { "1h", MINUTE, 60 }, { "24h", 15 * MINUTE, 96 }, { "7d", 60 * MINUTE, 168 },
	    { "30d", 720 * MINUTE, 60 } }, 4, "2 1h/1m 24h/15m 7d/1h 30d/12h" },
	{ "the default lengths under another name", { { "60m", MINUTE, 60 }, { "24h", 15 * MINUTE, 96 }, { "7d", 60 * MINUTE, 168 },
	    { "30d", 360 * MINUTE, 120 } }, 4, "2 60m/1m 24h/15m 7d/1h 30d/6h" },
};

START_TEST(text)
{
	struct buf out = { 0 };

	schema_text(texts[_i].levels, texts[_i].n, "2", &out);
	ck_assert_msg(strcmp(text_of(&out), texts[_i].text) == 0, "%s: %s", texts[_i].why, out.p);
	buf_free(&out);
}
END_TEST

/* What was written before windows could be chosen is a state of these. */
START_TEST(text_of_default)
{
	struct buf out = { 0 };

	schema_text(windows_default, N_ELEM(windows_default), "2", &out);
	ck_assert_str_eq(text_of(&out), "2");
	buf_free(&out);
}
END_TEST

static const struct { const char *why, *schema, *version, *windows, *names; } parts[] = {
	{ "a version alone has the default windows", "2", "2", "1h/1m 24h/15m 7d/1h 30d/6h", "1h 24h 7d 30d" },
	{ "one window", "2 3h/5m", "2", "3h/5m", "3h" },
	{ "three, of a later version", "12 30m/10m 3h/5m 2d/1d", "12", "30m/10m 3h/5m 2d/1d", "30m 3h 2d" },
	{ "a name that no configuration allows, in a damaged record", "2 123456789/5m 3h/5m", "2", "123456789/5m 3h/5m", "3h" },
	{ "blanks too many", "2  3h/5m ", "2", " 3h/5m ", "3h" },
};

START_TEST(part)
{
	struct slice schema = slice_of(parts[_i].schema);
	struct buf windows = { 0 }, names = { 0 };

	ck_assert_msg(slice_is(schema_version(schema), parts[_i].version), "%s", parts[_i].why);
	schema_windows(schema, &windows);
	schema_names(schema, &names);
	ck_assert_msg(strcmp(text_of(&windows), parts[_i].windows) == 0, "%s: %s", parts[_i].why, windows.p);
	ck_assert_msg(strcmp(text_of(&names), parts[_i].names) == 0, "%s: %s", parts[_i].why, names.p);
	buf_free(&windows);
	buf_free(&names);
}
END_TEST

static const struct { const char *why, *gone, *schema, *names; } gones[] = {
	{ "nothing was replaced", "", "2", "" },
	{ "another layout of the same windows", "1", "2", "" },
	{ "the default ones", "2", "2 3h/5m 24h/1h", "1h 7d 30d" },
	{ "another bucket is the same name", "2 3h/5m", "2 3h/1m", "" },
	{ "two states, one after the other, of which some windows are the same", "2 3h/5m 2d/1d;2", "2 7d/1h", "3h 2d 1h 24h 30d" },
	{ "the one in between was removed by hand", "2 3h/5m;", "2", "3h" },
};

START_TEST(gone)
{
	struct buf names = { 0 };

	schema_gone(slice_of(gones[_i].gone), slice_of(gones[_i].schema), &names);
	ck_assert_msg(strcmp(text_of(&names), gones[_i].names) == 0, "%s: %s", gones[_i].why, names.p);
	buf_free(&names);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("schema");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, text, 0, N_ELEM(texts));
	tcase_add_test(tc, text_of_default);
	tcase_add_loop_test(tc, part, 0, N_ELEM(parts));
	tcase_add_loop_test(tc, gone, 0, N_ELEM(gones));
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed > 0);
}
