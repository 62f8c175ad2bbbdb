/*
 * test_geo: countries by address; broken and changing databases.
 *
 * A tiny database is made by tests/e2e/mmdb.py.  Large and broken ones travel beside the
 * source: RPVD_SHARED names the directory that has data/geo.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "io/geo.h"

/* libMaxMindDB 1.7 forgets some memory when a database's description is damaged: AddressSanitizer
 * is told to look away there, and only there. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static char folder[] = "/tmp/test_geo.XXXXXX";

static const char *
shared(const char *name)
{
	static char path[512];
	const char *dir = getenv("RPVD_SHARED");

	if (dir == NULL) {
		printf("RPVD_SHARED is not set: %s is not tested\n", name);
		return (NULL);
	}
	snprintf(path, sizeof(path), "%s/data/geo/%s", dir, name);
	return (path);
}

static const char *
temp(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return (path);
}

/* A database of three networks; NULL where nothing can make it. */
static const char *
made(void)
{
	static char path[128];
	const char *src = getenv("abs_srcdir");
	char command[1024];

	snprintf(path, sizeof(path), "%s/made.mmdb", folder);
	if (access(path, R_OK) == 0)
		return (path);
	snprintf(command, sizeof(command), "python3 -B '%s/tests/e2e/mmdb.py' '%s' 2.125.160.0/20=GB 2001:218::/32=JP 81.2.69.0/24=flat:SE",
	    src != NULL ? src : ".", path);
	if (system("command -v python3 >/dev/null") != 0) {
		printf("python3 is not here: no database is made\n");
		return (NULL);
	}
	ck_assert_int_eq(system(command), 0);
	return (path);
}

/* The answer as text; "" for none. */
static const char *
country(struct geo *geo, const char *address)
{
	static char out[3];

	out[0] = out[1] = out[2] = '\0';
	return (geo_country(geo, slice_of(address), out) ? out : "");
}

static void
copy(const char *from, const char *to, long at_most)
{
	gzFile in = gzopen(from, "rb");		/* plain files as well */
	FILE *out = fopen(to, "wb");
	char block[65536];
	int n;

	ck_assert_msg(in != NULL && out != NULL, "%s -> %s: %s", from, to, strerror(errno));
	while (at_most > 0 && (n = gzread(in, block, sizeof(block))) > 0) {
		fwrite(block, 1, (size_t)(n < at_most ? n : at_most), out);
		at_most -= n;
	}
	ck_assert_int_eq(fclose(out), 0);
	gzclose(in);
}

START_TEST(refused)
{
	static const struct { const char *why, *name, *content, *says; } rows[] = {
		{ "no such file", "absent.mmdb", NULL, "No such file" },
		{ "an empty file, as a failed download leaves one", "empty.mmdb", "", "database" },
		{ "a page of the web server in place of the database", "html.mmdb", "<html>404</html>", "database" },
		{ "the marker, and nothing behind it", "marker.mmdb", "\xab\xcd\xefMaxMind.com", "database" },
		{ "a directory", ".", NULL, "regular file" },
	};
	struct err err = { "" };

	for (size_t i = 0; i < N_ELEM(rows); i++) {
		if (rows[i].content != NULL) {
			FILE *f = fopen(temp(rows[i].name), "wb");

			fputs(rows[i].content, f);
			fclose(f);
		}
		ck_assert_msg(geo_open(temp(rows[i].name), &err) == NULL, "%s: was opened", rows[i].why);
		ck_assert_msg(strstr(err.msg, rows[i].says) != NULL, "%s: %s", rows[i].why, err.msg);
		ck_assert_msg(strstr(err.msg, rows[i].name) != NULL, "%s: the file is not named: %s", rows[i].why, err.msg);
	}
}
END_TEST

static uint32_t
as_number(struct geo *geo, const char *address)
{
	uint32_t number = 0;

	return (geo_as_number(geo, slice_of(address), &number) ? number : 0);
}

/* Every row of the answers, twice: the second time from the cache. */
START_TEST(answers)
{
	const char *path = shared("answers.tsv");
	char line[256], opened[128] = "";
	struct geo *geo = NULL;
	struct err err;
	size_t n = 0;
	FILE *f;

	if (path == NULL)
		return;
	ck_assert_ptr_nonnull(f = fopen(path, "r"));
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f) != NULL) {
		char *rest = line, *file = strsep(&rest, "\t"), *address = strsep(&rest, "\t"), *answer = strsep(&rest, "\t\n"), name[160];
		bool is_asn = strstr(file, "ASN") != NULL;

		if (strcmp(opened, file) != 0) {
			geo_free(&geo);
			snprintf(opened, sizeof(opened), "%s", file);
			snprintf(name, sizeof(name), "test/%s", file);
			geo = geo_open(shared(name), &err);
			ck_assert_msg(geo != NULL, "%s", err.msg);
		}
		ck_assert_msg(!is_asn || as_number(geo, address) == (uint32_t)atol(answer), "%s %s: %u, expected %s", file, address,
		    as_number(geo, address), answer);
		ck_assert_msg(is_asn || as_number(geo, address) == 0, "%s %s: it has no networks", file, address);
		for (int again = 0; again < 2; again++)
			ck_assert_msg(strcmp(country(geo, address), is_asn ? "" : answer) == 0, "%s %s: %s, expected %s",
			    file, address, country(geo, address), is_asn ? "nothing: it has no countries" : answer);
		n++;
	}
	ck_assert_uint_gt(n, 500);
	geo_free(&geo);
	fclose(f);
}
END_TEST

START_TEST(texts)
{
	static const struct { const char *why, *address, *answer; } rows[] = {
		{ "plain", "2.125.160.216", "GB" },
		{ "as a listener for both protocols logs it", "::ffff:2.125.160.216", "GB" },
		{ "the same in other letters", "::FFFF:27d:a0d8", "GB" },
		{ "IPv6", "2001:218::1", "JP" },
		{ "a flat country_code", "81.2.69.160", "SE" },
		{ "the last address of the network", "2.125.175.255", "GB" },
		{ "the first behind it", "2.125.176.0", "" },
		{ "a unix socket", "unix:", "" },
		{ "absent", "", "" },
		{ "not all of it is an address", "2.125.160.216 ", "" },
		{ "octal digits are no address", "02.0175.160.216", "" },
		{ "a name must not be resolved", "localhost", "" },
		{ "too long to be an address", "2001:0218:0000:0000:0000:0000:0000:0000:0000:0000:0000", "" },
		{ "private", "10.0.0.1", "" },
	};
	const char *path = made();
	struct geo *geo;
	struct err err;
	char out[2];

	if (path == NULL)
		return;
	ck_assert_ptr_nonnull(geo = geo_open(path, &err));
	for (size_t i = 0; i < N_ELEM(rows); i++)
		ck_assert_msg(strcmp(country(geo, rows[i].address), rows[i].answer) == 0, "%s: %s is in %s",
		    rows[i].why, rows[i].address, country(geo, rows[i].address));
	ck_assert_msg(!geo_country(geo, SLICE("2.125.160.216\0x"), out), "a NUL inside ends no address");
	geo_free(&geo);
	geo_free(&geo);
}
END_TEST

/* Addresses spread over both families, so that every part of the tree is met. */
static void
ask_many(struct geo *geo)
{
	char address[64];
	unsigned r = 1;

	for (int i = 0; i < 20000; i++) {
		r = r * 1103515245U + 12345U;
		if (i % 2 == 0)
			snprintf(address, sizeof(address), "%u.%u.%u.%u", r >> 24, r >> 16 & 255, r >> 8 & 255, r & 255);
		else
			snprintf(address, sizeof(address), "%x:%x:%x::%x", 0x2000U | (r >> 20), r >> 8 & 0xffff, r & 0xffff, i);
		ck_assert_uint_le(strlen(country(geo, address)), 2);
	}
}

/* An error, or no answer; never a crash. */
START_TEST(broken)
{
	const char *path = shared("broken");
	struct dirent *entry;
	char name[320];
	struct geo *geo;
	struct err err;
	size_t n = 0;
	DIR *dir;

	if (path == NULL)
		return;
	ck_assert_ptr_nonnull(dir = opendir(path));
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "broken/%s", entry->d_name);
		n++;
		if ((geo = geo_open(shared(name), &err)) == NULL)
			ck_assert_str_ne(err.msg, "");
		else
			ask_many(geo);
		geo_free(&geo);
	}
	closedir(dir);
	ck_assert_uint_ge(n, 10);
}
END_TEST

/* A good database with bytes changed at random, or cut. */
static void
damage(const char *path, int changes)
{
	char bytes[65536], name[128];
	unsigned seed = 20260302, r = seed;
	struct geo *geo;
	struct err err;
	size_t len;
	FILE *f;

	ck_assert_ptr_nonnull(f = fopen(path, "rb"));
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	printf("damaged: seed %u\n", seed);
	snprintf(name, sizeof(name), "%s", temp("damaged.mmdb"));
	for (int round = 0; round < 200; round++) {
		char copied[sizeof(bytes)];

		memcpy(copied, bytes, len);
		for (int i = 0; i < changes; i++) {
			r = r * 1103515245U + 12345U;
			copied[(r >> 4) % len] = (char)(r >> 20);
		}
		f = fopen(name, "wb");
		fwrite(copied, 1, round % 4 == 0 ? (r >> 3) % len : len, f);
		fclose(f);
		if (__lsan_disable != NULL)
			__lsan_disable();
		geo = geo_open(name, &err);
		if (__lsan_enable != NULL)
			__lsan_enable();
		if (geo != NULL)
			ask_many(geo);
		geo_free(&geo);
	}
}

START_TEST(damaged)
{
	if (made() != NULL)
		damage(made(), 4);
	if (shared("test/GeoIP2-Country-Test.mmdb") != NULL)
		damage(shared("test/GeoIP2-Country-Test.mmdb"), 20);
}
END_TEST

/* A mapped file that is cut would end the process; and the old answers stay. */
START_TEST(changed_while_open)
{
	const char *path = made();
	struct geo *geo;
	struct err err;
	char name[128];

	if (path == NULL)
		return;
	snprintf(name, sizeof(name), "%s", temp("changing.mmdb"));
	copy(path, name, 1 << 30);
	ck_assert_ptr_nonnull(geo = geo_open(name, &err));
	copy(path, name, 400);
	ck_assert_str_eq(country(geo, "2.125.160.216"), "GB");
	ck_assert_msg(geo_open(name, &err) == NULL, "half a file was opened");
	ck_assert_int_eq(truncate(name, 0), 0);
	ck_assert_str_eq(country(geo, "2001:218::1"), "JP");
	ask_many(geo);
	geo_free(&geo);
}
END_TEST

/* The flat shape, on a database of full size. */
START_TEST(flat)
{
	static const struct { const char *address, *answer; } rows[] = { { "2.125.160.216", "GB" }, { "133.11.0.1", "JP" }, { "10.0.0.1", "" }, { "2001:218::1", "" } };
	const char *path = shared("country-ipv4.mmdb.gz");
	struct timespec begin, end;
	struct geo *geo;
	struct err err;
	char name[128];

	if (path == NULL)
		return;
	snprintf(name, sizeof(name), "%s", temp("flat.mmdb"));
	copy(path, name, 1L << 30);
	geo = geo_open(name, &err);
	ck_assert_msg(geo != NULL, "%s", err.msg);
	for (size_t i = 0; i < N_ELEM(rows); i++)
		ck_assert_msg(strcmp(country(geo, rows[i].address), rows[i].answer) == 0, "%s: %s", rows[i].address, country(geo, rows[i].address));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < 50; i++)
		ask_many(geo);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("flat: %.0f ns an address, new each time\n",
	    ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / 1e6);
	geo_free(&geo);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("geo");
	TCase *tc = tcase_create("geo");
	SRunner *runner = srunner_create(suite);
	int failed;

	must(mkdtemp(folder) != NULL);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, broken);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, changed_while_open);
	tcase_add_test(tc, flat);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (const char *const *name = (const char *const[]){ "made.mmdb", "empty.mmdb", "html.mmdb", "marker.mmdb", "damaged.mmdb",
	    "changing.mmdb", "flat.mmdb", NULL }; *name != NULL; name++)
		unlink(temp(*name));
	rmdir(folder);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
