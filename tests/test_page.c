/*
 * Targets: the page, the query, the asset list.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/page.h"

/* Long targets are a prefix, n times x, a suffix. */
#define LONG_MAX 40000

static const struct {
	const char *why, *target, *page;
} pages[] = {
	{ "the root", "/", "/" },
	{ "a plain path", "/blog/how-to", "/blog/how-to" },
	{ "no target at all", "", "/" },
	{ "OPTIONS *", "*", "/" },
	{ "CONNECT", "shop.example:443", "/" },
	{ "the query goes", "/a?b=c", "/a" },
	{ "the fragment goes", "/a#b", "/a" },
	{ "a fragment before a question mark", "/a#b?c", "/a" },
	{ "only a query", "/?a=b", "/" },
	{ "a query without a path", "?a=b", "/" },

	{ "an absolute target gives its path", "http://shop.example/a/b?c", "/a/b" },
	{ "the scheme has no case", "HTTPS://shop.example/a", "/a" },
	{ "user and port belong to the host", "http://u:p@shop.example:80/a", "/a" },
	{ "an absolute target without a path", "http://shop.example", "/" },
	{ "... but with a query", "http://shop.example?a=/b", "/" },
	{ "... or with a fragment", "http://shop.example#/b", "/" },
	{ "an empty host", "http:///a", "/a" },
	{ "a scheme begins with a letter", "1http://h/a", "/" },
	{ "any scheme", "a+b-c.1://h/a", "/a" },
	{ "no scheme", "://h/a", "/" },
	{ "one slash is no ://", "http:/a", "/" },
	{ "a relative path is none", "a/b", "/" },

	{ "unreserved escapes are undone", "/%61%2D%2e%5F%7e%30", "/a-._~0" },
	{ "others stay, in capitals", "/%2f%3a%e2%82%ac%20", "/%2F%3A%E2%82%AC%20" },
	{ "an escaped slash is no slash", "/a%2f%2fb", "/a%2F%2Fb" },
	{ "an escaped percent sign is not undone twice", "/%2561", "/%2561" },
	{ "what decoding leaves is not decoded again", "/%4%31", "/%41" },
	{ "a percent sign that escapes nothing stays", "/%zz/%4", "/%zz/%4" },
	{ "... at the end too", "/100%", "/100%" },
	{ "two percent signs", "/%%41", "/%A" },
	{ "bytes beyond ASCII become escapes", "/caf\xc3\xa9", "/caf%C3%A9" },
	{ "control bytes and spaces likewise", "/a b\t\x7f", "/a%20b%09%7F" },
	{ "quotes and brackets stay", "/\"<a>'[b]\\^`{|}", "/\"<a>'[b]\\^`{|}" },

	{ "slashes are folded", "//a///b", "/a/b" },
	{ "a trailing slash goes", "/a/", "/a" },
	{ "many go", "/a///", "/a" },
	{ "only slashes", "///", "/" },
	{ "dots are not resolved", "/a/../b/.", "/a/../b/." },

	{ "index.html is its folder", "/a/index.html", "/a" },
	{ "of the root", "/index.html", "/" },
	{ "index.htm", "/index.htm", "/" },
	{ "index.php, with a query", "/shop/index.php?id=1", "/shop" },
	{ "an escaped one", "/%69ndex.html", "/" },
	{ "a whole segment only", "/myindex.php", "/myindex.php" },
	{ "case matters", "/Index.html", "/Index.html" },
	{ "the last segment only", "/index.html/a", "/index.html/a" },
	{ "a slash behind it: it is not the last any more", "/a/index.html/", "/a/index.html" },
	{ "one index goes, not two", "/index.html/index.html", "/index.html" },
	{ "another ending", "/index.xhtml", "/index.xhtml" },
};

START_TEST(target_has_page)
{
	char out[PAGE_MAX];
	size_t len = page_of(slice_of(pages[_i].target), out);

	ck_assert_msg(slice_is(slice_make(out, len), pages[_i].page), "%s: %s gives %.*s", pages[_i].why,
	    pages[_i].target, (int)len, out);
}
END_TEST

static const struct {
	const char *why, *head;
	size_t n;
	const char *tail;
	size_t len;			/* of the page */
	const char *end;		/* how it ends */
} long_pages[] = {
	{ "exactly the longest", "/", 254, "", 255, "x" },
	{ "cut", "/", 255, "", 255, "x" },
	{ "a very long one", "/", 39000, "", 255, "x" },
	{ "the slash is removed before the cut", "/", 254, "/", 255, "x" },
	{ "many slashes are", "/", 253, "///////////////////////////////////////", 254, "x" },
	{ "and index.html", "/", 200, "/index.html", 201, "x" },
	{ "also where it reaches over the cut", "/", 250, "/index.html", 251, "x" },
	{ "also where it lies behind it", "/", 254, "/index.html", 255, "x" },
	{ "the cut may leave half an index", "/", 248, "/index.htmlx", 255, "/index" },
	{ "the cut may leave a slash", "/", 253, "/a", 255, "/" },
	{ "the cut may halve an escape", "/", 252, "%2F", 255, "%2" },
	{ "an escape grows from one byte", "/", 252, "\xff", 255, "%F" },
	{ "a decoded escape counts one byte", "/", 250, "%41%41%41%41", 255, "xAAAA" },
};

START_TEST(long_target_has_page)
{
	static char target[LONG_MAX + 1];
	char out[PAGE_MAX + 1];
	size_t n = long_pages[_i].n, len;

	strcpy(target, long_pages[_i].head);
	memset(target + strlen(target), 'x', n);
	strcpy(target + strlen(long_pages[_i].head) + n, long_pages[_i].tail);
	len = page_of(slice_of(target), out);
	out[len] = '\0';
	ck_assert_msg(len == long_pages[_i].len, "%s: %zu bytes", long_pages[_i].why, len);
	ck_assert_msg(slice_ends(slice_make(out, len), slice_of(long_pages[_i].end)), "%s: %s",
	    long_pages[_i].why, out);
}
END_TEST

/* For every byte: it stands for itself, or as an escape; and its escape is undone or not. */
START_TEST(each_byte)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	char target[8], want[8], out[PAGE_MAX];
	int c = _i;
	size_t len;

	if (c == '/' || c == '?' || c == '#')
		return;
	snprintf(want, sizeof(want), c >= '!' && c <= '~' ? "/x%c" : "/x%%%02X", (unsigned)c);
	len = page_of(slice_make((char[]){ '/', 'x', (char)c }, 3), out);
	ck_assert(slice_is(slice_make(out, len), want));
	snprintf(target, sizeof(target), "/x%%%02x", (unsigned)c);
	snprintf(want, sizeof(want), c != 0 && strchr(unreserved, c) != NULL ? "/x%c" : "/x%%%02X", (unsigned)c);
	len = page_of(slice_of(target), out);
	ck_assert(slice_is(slice_make(out, len), want));
}
END_TEST

static const struct {
	const char *why, *page;
	bool is_asset;
} assets[] = {
	{ "a style sheet", "/a/app.css", true },
	{ "case does not matter", "/LOGO.PNG", true },
	{ "the longest ending", "/site.webmanifest", true },
	{ "the last dot counts", "/app.min.js", true },
	{ "... whatever stands before", "/a.css.html", false },
	{ "no name but an ending", "/.css", true },
	{ "an archive", "/a.tar.gz", true },
	{ "robots.txt is no page", "/robots.txt", true },
	{ "a page", "/about", false },
	{ "the root", "/", false },
	{ "an ending of a folder is none", "/a.css/b", false },
	{ "nothing behind the dot", "/a.", false },
	{ "an ending that only begins so", "/a.cssx", false },
	{ "an ending that only ends so", "/a.xcss", false },
	{ "a page with an ending", "/a.html", false },
	{ "the name of an ending", "/css", false },
};

START_TEST(page_is_an_asset)
{
	ck_assert_msg(page_is_asset(slice_of(assets[_i].page), NULL) == assets[_i].is_asset, "%s", assets[_i].why);
}
END_TEST

START_TEST(own_list_replaces_the_built_in)
{
	static const char *const own[] = { "html", "x-1", NULL }, *const none[] = { NULL };

	ck_assert(page_is_asset(SLICE("/a.HTML"), own));
	ck_assert(page_is_asset(SLICE("/a.x-1"), own));
	ck_assert(!page_is_asset(SLICE("/a.css"), own));
	ck_assert(!page_is_asset(SLICE("/a.css"), none));
	ck_assert(!page_is_asset(SLICE(""), NULL));
}
END_TEST

static const struct {
	const char *why, *target, *query;
} queries[] = {
	{ "none", "/a", "" },
	{ "one", "/a?b=c", "b=c" },
	{ "empty", "/a?", "" },
	{ "up to the fragment", "/a?b=c#d?e=f", "b=c" },
	{ "a fragment before it does not hide it", "/a#b?c=d", "c=d" },
	{ "the first question mark", "/a?b?c", "b?c" },
	{ "an absolute target", "http://h/a?b", "b" },
	{ "no target", "", "" },
};

START_TEST(target_has_query)
{
	struct slice query = target_query(slice_of(queries[_i].target));

	ck_assert_msg(slice_is(query, queries[_i].query), "%s: %.*s", queries[_i].why, SLICE_FMT(query));
}
END_TEST

static const struct {
	const char *why, *query, *name, *value;	/* NULL: does not occur */
} params[] = {
	{ "the only one", "a=1", "a", "1" },
	{ "the last one", "a=1&b=2", "b", "2" },
	{ "of a repeated one the first", "a=1&a=2", "a", "1" },
	{ "even if empty", "a=&a=2", "a", "" },
	{ "even if without =", "a&a=2", "a", "" },
	{ "the value goes on behind another =", "a=b=c", "a", "b=c" },
	{ "values stay raw", "a=%41+b", "a", "%41+b" },
	{ "names stay raw", "%61=1", "a", NULL },
	{ "case matters", "A=1", "a", NULL },
	{ "a longer name is another", "ab=1", "a", NULL },
	{ "a shorter one too", "a=1", "ab", NULL },
	{ "empty parts are skipped", "&&a=1&", "a", "1" },
	{ "no query", "", "a", NULL },
	{ "a semicolon separates nothing", "b=1;a=2", "a", NULL },
};

START_TEST(query_has_param)
{
	struct slice value = SLICE("untouched");
	bool found = query_param(slice_of(params[_i].query), slice_of(params[_i].name), &value);

	ck_assert_msg(found == (params[_i].value != NULL), "%s", params[_i].why);
	ck_assert_msg(slice_is(value, found ? params[_i].value : "untouched"), "%s: %.*s", params[_i].why,
	    SLICE_FMT(value));
}
END_TEST

static const struct {
	const char *why, *text;
	bool plus;
	const char *decoded;
} escapes[] = {
	{ "both cases", "%c3%A9", false, "\xc3\xa9" },
	{ "reserved bytes too", "%2F%3F", false, "/?" },
	{ "plus stays in a path", "a+b", false, "a+b" },
	{ "plus is a space in a query", "a+b", true, "a b" },
	{ "an escaped plus is a plus", "%2B", true, "+" },
	{ "malformed ones stay", "%zz%4%", true, "%zz%4%" },
	{ "once only", "%2541", false, "%41" },
	{ "nothing", "", true, "" },
};

START_TEST(escapes_are_undone)
{
	char out[64];
	size_t len = percent_decode(slice_of(escapes[_i].text), escapes[_i].plus, out);

	ck_assert_msg(slice_is(slice_make(out, len), escapes[_i].decoded), "%s", escapes[_i].why);
}
END_TEST

START_TEST(nul_is_a_byte)
{
	char out[4];

	ck_assert_uint_eq(percent_decode(SLICE("%00\0"), false, out), 2);
	ck_assert_int_eq(out[0] | out[1], 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("page");
	TCase *tc = tcase_create("page");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, target_has_page, 0, (int)N_ELEM(pages));
	tcase_add_loop_test(tc, long_target_has_page, 0, (int)N_ELEM(long_pages));
	tcase_add_loop_test(tc, each_byte, 0, 256);
	tcase_add_loop_test(tc, page_is_an_asset, 0, (int)N_ELEM(assets));
	tcase_add_test(tc, own_list_replaces_the_built_in);
	tcase_add_loop_test(tc, target_has_query, 0, (int)N_ELEM(queries));
	tcase_add_loop_test(tc, query_has_param, 0, (int)N_ELEM(params));
	tcase_add_loop_test(tc, escapes_are_undone, 0, (int)N_ELEM(escapes));
	tcase_add_test(tc, nul_is_a_byte);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
