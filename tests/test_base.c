/*
 * Tests of src/base: buffers and readers, maps, the heap, globs, hashes, the Bloom filter, the log.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bloom.h"
#include "base/buf.h"
#include "base/glob.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine_world.h"

static const struct hash_key key = { "0123456789abcde" };

/* ---- buf ------------------------------------------------------------------------ */

static const struct { int64_t v; size_t len; } integers[] = {
	{ 0, 1 }, { -1, 1 }, { 63, 1 }, { -64, 1 }, { 64, 2 }, { -65, 2 }, { INT64_MAX, 10 }, { INT64_MIN, 10 },
};

START_TEST(integers_come_back)
{
	struct buf b = { 0 };
	struct reader r;

	buf_svarint(&b, integers[_i].v);
	ck_assert_uint_eq(b.len, integers[_i].len);
	buf_varint(&b, (uint64_t)integers[_i].v);
	buf_u64(&b, (uint64_t)integers[_i].v);
	buf_slice(&b, SLICE("text"));
	buf_putc(&b, 'x');
	r = reader_of(buf_view(&b));
	ck_assert_int_eq(reader_svarint(&r), integers[_i].v);
	ck_assert_uint_eq(reader_varint(&r), (uint64_t)integers[_i].v);
	ck_assert_uint_eq(reader_u64(&r), (uint64_t)integers[_i].v);
	ck_assert(slice_is(reader_slice(&r), "text"));
	ck_assert_uint_eq(reader_u8(&r), 'x');
	ck_assert(!r.bad && !reader_more(&r));
	buf_free(&b);
}
END_TEST

static const struct { const char *why; struct slice bytes; bool good; } varints[] = {
	{ "one byte", { "\x7f", 1 }, true },
	{ "nothing", { "", 0 }, false },
	{ "no end", { "\x80", 1 }, false },
	{ "the largest", { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10 }, true },
	{ "one bit more", { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 }, false },
	{ "eleven bytes", { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00", 11 }, false },
	{ "longer than it need be", { "\x81\x00", 2 }, true },
};

START_TEST(foreign_varints)
{
	struct reader r = reader_of(varints[_i].bytes);
	uint64_t v = reader_varint(&r);

	ck_assert_msg(r.bad == !varints[_i].good, "%s", varints[_i].why);
	if (r.bad)
		ck_assert_msg(v == 0 && reader_u64(&r) == 0 && reader_slice(&r).len == 0 && reader_u8(&r) == 0,
		    "%s: after something bad everything is nothing", varints[_i].why);
}
END_TEST

START_TEST(bounds_are_kept)
{
	struct buf b = { 0 };
	struct reader r;

	buf_svarint(&b, -10);
	r = reader_of(buf_view(&b));
	ck_assert_int_eq(reader_within(&r, 10), -10);
	ck_assert(!r.bad);
	r = reader_of(buf_view(&b));
	ck_assert_int_eq(reader_within(&r, 9), 0);
	ck_assert(r.bad);
	b.len = 0;
	buf_varint(&b, UINT64_MAX);		/* a length beyond everything */
	r = reader_of(buf_view(&b));
	ck_assert_uint_eq(reader_slice(&r).len, 0);
	ck_assert(r.bad);
	buf_free(&b);
}
END_TEST

START_TEST(text_grows)
{
	struct buf b = { 0 };
	char decimal[32];

	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%0*d,", i % 300 + 1, 7);	/* beyond its first guess, too */
	ck_assert_uint_eq(b.len, 1000 + 300 * 301 / 2 * 3 + 100 * 101 / 2);
	ck_assert_mem_eq(b.p + b.len - 2, "7,", 2);
	buf_free(&b);
	ck_assert_uint_eq(decimal_put(decimal, INT64_MIN), 20);
	ck_assert_mem_eq(decimal, "-9223372036854775808", 20);
	ck_assert_uint_eq(decimal_put(decimal, 0), 1);
	ck_assert_mem_eq(decimal, "0", 1);
	ck_assert_uint_eq(decimal_put(decimal, 1234567890), 10);
	ck_assert_mem_eq(decimal, "1234567890", 10);
}
END_TEST

/* ---- maps ------------------------------------------------------------------------ */

#define KEYS 300

/* Against an array, through growth and shrinking; few keys, so that runs are long and wrap. */
START_TEST(map64_is_a_map)
{
	struct random r = random_seeded("map64_is_a_map");
	static char here[KEYS];
	void *model[KEYS] = { 0 };
	struct map64 m = { 0 };
	size_t count = 0, seen = 0;
	uint64_t k;

	for (int i = 0; i < 20000; i++) {
		bool fill = i / 2000 % 2 == 0;

		k = random_below(&r, KEYS);
		ck_assert_ptr_eq(map64_get(&m, k << 32), model[k]);
		if (random_below(&r, 4) == 0 ? fill : !fill) {
			ck_assert_ptr_eq(map64_del(&m, k << 32), model[k]);
			count -= model[k] != NULL;
			model[k] = NULL;
		} else {
			map64_put(&m, k << 32, &here[i % KEYS]);
			count += model[k] == NULL;
			model[k] = &here[i % KEYS];
		}
		ck_assert_uint_eq(m.count, count);
	}
	for (size_t i = 0; map64_next(&m, &i, &k) != NULL; seen++)
		ck_assert_ptr_eq(map64_get(&m, k), model[k >> 32]);
	ck_assert_uint_eq(seen, count);
	map64_free(&m);
}
END_TEST

START_TEST(a_big_map64_gets_small_again)
{
	struct map64 m = { 0 };
	int x;

	for (uint64_t k = 0; k < 10000; k++)
		map64_put(&m, k, &x);
	for (uint64_t k = 0; k < 9990; k++)
		ck_assert_ptr_eq(map64_del(&m, k), &x);
	ck_assert_uint_le(m.cap, 1024);
	for (uint64_t k = 0; k < 10000; k++)
		ck_assert_ptr_eq(map64_get(&m, k), k < 9990 ? NULL : &x);
	ck_assert_ptr_null(map64_del(&m, 1));
	map64_free(&m);
}
END_TEST

START_TEST(strmap_is_a_map)
{
	struct strmap *m = strmap_new(&key);
	char name[16] = "", *copy = mem_strdup("key");
	int values[1000];
	struct slice k;
	size_t seen = 0;

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		strmap_put(m, slice_of(name), &values[i]);
	}
	strmap_put(m, SLICE(""), &values[0]);		/* the empty one is a key */
	strmap_put(m, slice_make("a\0b", 3), &values[1]);
	strmap_put(m, slice_of(copy), &values[2]);
	free(copy);					/* keys are copied */
	ck_assert_ptr_eq(strmap_get(m, SLICE("key")), &values[2]);
	ck_assert_ptr_eq(strmap_get(m, SLICE("")), &values[0]);
	ck_assert_ptr_null(strmap_get(m, SLICE("a")));
	ck_assert_uint_eq(strmap_count(m), 1003);
	for (size_t i = 0; strmap_next(m, &i, &k) != NULL;)
		seen += k.len <= 4;
	ck_assert_uint_eq(seen, 1003);
	strmap_put(m, SLICE("k7"), &values[8]);		/* replaces */
	ck_assert_ptr_eq(strmap_del(m, SLICE("k7")), &values[8]);
	ck_assert_ptr_null(strmap_del(m, SLICE("k7")));
	ck_assert_uint_eq(strmap_count(m), 1002);
	strmap_free(&m);
	ck_assert_ptr_null(m);
}
END_TEST

/* Which names meet in one slot follows from a key that no stranger knows: under another key the same
 * names stand in another order. */
START_TEST(strmap_is_keyed)
{
	struct hash_key other = key;
	struct strmap *a = strmap_new(&key), *b;
	char name[16];
	struct slice ka, kb;
	size_t same = 0, i = 0, k = 0;

	other.bytes[HASH_KEY_LEN - 1] ^= 1;
	b = strmap_new(&other);
	for (int n = 0; n < 1000; n++) {
		snprintf(name, sizeof(name), "k%d", n);
		strmap_put(a, slice_of(name), &same);
		strmap_put(b, slice_of(name), &same);
	}
	while (strmap_next(a, &i, &ka) != NULL && strmap_next(b, &k, &kb) != NULL)
		same += slice_equal(ka, kb);
	ck_assert_uint_lt(same, 50);
	strmap_free(&a);
	strmap_free(&b);
}
END_TEST

/* ---- heap ------------------------------------------------------------------------ */

static int
by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x < y ? -1 : x > y);
}

START_TEST(a_heap_sorts)
{
	struct random r = random_seeded("a_heap_sorts");
	struct heap h = { .compare = by_value };
	int values[500], last = -1;

	ck_assert_ptr_null(heap_first(&h));
	ck_assert_ptr_null(heap_pop(&h));
	for (size_t i = 0; i < N_ELEM(values); i++) {
		values[i] = (int)random_below(&r, 100);
		heap_push(&h, &values[i]);
	}
	for (size_t i = 0; i < N_ELEM(values); i++) {
		int *first = heap_first(&h);

		ck_assert_ptr_eq(heap_pop(&h), first);
		ck_assert_int_ge(*first, last);
		last = *first;
	}
	ck_assert_uint_eq(h.count, 0);
	heap_free(&h);
}
END_TEST

/* ---- globs ----------------------------------------------------------------------- */

static const struct { const char *why, *glob, *text; bool match; } globs[] = {
	{ "the same", "/a", "/a", true },
	{ "the whole of the text", "/a", "/ab", false },
	{ "and of the pattern", "/ab", "/a", false },
	{ "any run", "/a*c", "/abbc", true },
	{ "an empty one", "/a*c", "/ac", true },
	{ "a slash too", "/a*", "/a/b/c", true },
	{ "one byte", "/a?c", "/abc", true },
	{ "not none", "/a?c", "/ac", false },
	{ "a slash is one", "/a?c", "/a/c", true },
	{ "the last star has to give way", "*abc", "ababc", true },
	{ "several", "*a*b*", "xxaxxbxx", true },
	{ "in their order", "*a*b*", "xxbxxaxx", false },
	{ "stars at the end match nothing", "a***", "a", true },
	{ "nothing and nothing", "", "", true },
	{ "nothing and something", "", "a", false },
	{ "a star and nothing", "*", "", true },
	{ "a byte and nothing", "?", "", false },
	{ "brackets are themselves", "[a]", "a", false },
	{ "so is a backslash", "\\*", "\\anything", true },
	{ "case counts", "/A", "/a", false },
};

START_TEST(globs_match)
{
	ck_assert_msg(glob_match(slice_of(globs[_i].glob), slice_of(globs[_i].text)) == globs[_i].match, "%s", globs[_i].why);
}
END_TEST

/* Time is pattern times text: without that this takes longer than the sun will shine. */
START_TEST(globs_do_not_blow_up)
{
	char pattern[200], text[20000];

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	memset(text, 'a', sizeof(text));
	pattern[sizeof(pattern) - 1] = 'b';
	ck_assert(!glob_match(slice_make(pattern, sizeof(pattern)), slice_make(text, sizeof(text))));
}
END_TEST

/* ---- hashes ---------------------------------------------------------------------- */

/* The reference vectors of SipHash-2-4: key 00..0f, messages of 0 and of 15 bytes 00, 01, ... */
START_TEST(hash_is_siphash)
{
	struct hash_key k;
	char message[15];

	for (size_t i = 0; i < sizeof(k.bytes); i++)
		k.bytes[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (char)i;
	ck_assert_uint_eq(hash_bytes(&k, SLICE("")), UINT64_C(0x726fdb47dd0e0e31));
	ck_assert_uint_eq(hash_bytes(&k, slice_make(message, 15)), UINT64_C(0xa129ca6149be45e5));
}
END_TEST

START_TEST(a_bloom_filter_never_says_no_too_often)
{
	struct random r = random_seeded("a_bloom_filter_never_says_no_too_often");
	struct random again = r;
	struct bloom *b = bloom_new(23);
	size_t wrong = 0;

	for (int i = 0; i < 100000; i++)
		bloom_add(b, random_next(&r));
	for (int i = 0; i < 100000; i++)
		ck_assert(bloom_may_have(b, random_next(&again)));
	for (int i = 0; i < 100000; i++)
		wrong += bloom_may_have(b, random_next(&again));
	ck_assert_uint_lt(wrong, 200);
	bloom_free(&b);
	ck_assert_ptr_null(b);
}
END_TEST

/* ---- log ------------------------------------------------------------------------ */

/* A pipe, as of a shell; a stream, as the service manager's journal; its datagrams. */
static const int kinds[] = { 0, SOCK_STREAM, SOCK_DGRAM };

/* The reader hangs: standard error takes no more, and the descriptor would wait. */
START_TEST(the_log_waits_for_nobody)
{
	int fds[2], old = dup(STDERR_FILENO);
	unsigned long before = log_drops();
	char text[65536];
	ssize_t n;

	ck_assert_int_eq(kinds[_i] == 0 ? pipe(fds) : socketpair(AF_UNIX, kinds[_i], 0, fds), 0);
	dup2(fds[1], STDERR_FILENO);
	ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 100000 && log_drops() < before + 5; i++)
		log_error("line %d", i);
	ck_assert_uint_eq(log_drops(), before + 5);
	while (read(fds[0], text, sizeof(text)) > 0)
		;
	log_error("the next");
	dup2(old, STDERR_FILENO);
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "(5 log lines dropped) the next\n"));
	ck_assert_uint_eq(log_drops(), before + 5);
	close(fds[0]);
	close(fds[1]);
	close(old);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("base");
	TCase *tc = tcase_create("base");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, integers_come_back, 0, (int)N_ELEM(integers));
	tcase_add_loop_test(tc, foreign_varints, 0, (int)N_ELEM(varints));
	tcase_add_test(tc, bounds_are_kept);
	tcase_add_test(tc, text_grows);
	tcase_add_test(tc, map64_is_a_map);
	tcase_add_test(tc, a_big_map64_gets_small_again);
	tcase_add_test(tc, strmap_is_a_map);
	tcase_add_test(tc, strmap_is_keyed);
	tcase_add_test(tc, a_heap_sorts);
	tcase_add_loop_test(tc, globs_match, 0, (int)N_ELEM(globs));
	tcase_add_test(tc, globs_do_not_blow_up);
	tcase_add_test(tc, hash_is_siphash);
	tcase_add_test(tc, a_bloom_filter_never_says_no_too_often);
	tcase_add_loop_test(tc, the_log_waits_for_nobody, 0, (int)N_ELEM(kinds));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
