/*
 * Tests of the file of keys: nobody else may read it, a forgotten key is gone from the disk, and
 * what is no whole file of keys is refused, since new ones would part visitors from their past
 * and none at all would be everybody's.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/keys.h"

static char dir[64], path[96];

static void
begin(void)
{
	strcpy(dir, "/tmp/rpvd-keys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys-shop", dir);
}

static void
end(void)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while ((entry = readdir(d)) != NULL)
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(dir);
}

static void
put(const char *text)
{
	FILE *f = fopen(path, "we");

	fputs(text, f);
	fclose(f);
}

static char *
content(void)
{
	struct err err;
	size_t len;
	char *text = file_read(path, 65536, &len, &err);

	ck_assert_ptr_nonnull(text);
	return (text);
}

static struct keys *
open_keys(bool was_there)
{
	struct err err = { "" };
	bool found = !was_there;
	struct keys *k = keys_open(dir, "shop", &found, &err);

	ck_assert_msg(k != NULL, "%s", err.msg);
	ck_assert(found == was_there);
	return (k);
}

START_TEST(keys_stay)
{
	struct keys *k = open_keys(false);
	struct keyring *ring = keys_ring(k);
	struct hash_key looked;
	struct stat st;
	struct err err;
	uint64_t cookie = hash_cookie(ring, SLICE("a")), agent = hash_agent(ring, 20000, SLICE("192.0.2.1"), 1);

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	keys_close(&k);
	k = open_keys(true);
	ck_assert(hash_cookie(keys_ring(k), SLICE("a")) == cookie && hash_agent(keys_ring(k), 20000, SLICE("192.0.2.1"), 1) == agent);
	ck_assert_int_eq(keys_look(dir, "shop", &looked, &err), 0);
	ck_assert(memcmp(&looked, &keys_ring(k)->site, sizeof(looked)) == 0);
	ck_assert_int_eq(keys_look(dir, "other", &looked, &err), -1);	/* and makes none */
	snprintf(path, sizeof(path), "%s/keys-other", dir);
	ck_assert_int_eq(access(path, F_OK), -1);
	keys_close(&k);
}
END_TEST

START_TEST(a_forgotten_key_is_gone)
{
	struct keys *k = open_keys(false);
	struct keyring *ring = keys_ring(k);
	uint64_t before = hash_agent(ring, 20000, SLICE("192.0.2.1"), 1);
	char *text, *line;

	hash_agent(ring, 20001, SLICE("192.0.2.1"), 1);
	text = content();
	line = strstr(text, "day 20000 ");
	ck_assert(line != NULL && strstr(text, "day 20001 ") != NULL);
	line = strndup(line + 10, 32);
	free(text);
	keys_forget(k, 20001);
	text = content();
	ck_assert(strstr(text, line) == NULL && strstr(text, "day 20001 ") != NULL);
	ck_assert_uint_eq(hash_agent(ring, 20000, SLICE("192.0.2.1"), 1), 0);
	free(text);
	free(line);
	keys_close(&k);
	k = open_keys(true);
	ck_assert_uint_eq(hash_agent(keys_ring(k), 20000, SLICE("192.0.2.1"), 1), 0);
	ck_assert_uint_ne(before, 0);
	keys_close(&k);
}
END_TEST

#define KEY "00112233445566778899aabbccddeeff"

static const struct { const char *why, *text; } bad[] = {
	{ "empty, as a crash of the host may leave it", "" },
	{ "without the site's key", "first 20000\n" },
	{ "cut within a key", "first 20000\nsite 0011223344" },
	{ "a key too long", "first 20000\nsite " KEY "00\n" },
	{ "no key", "first 20000\nsite zz112233445566778899aabbccddeeff\n" },
	{ "another word", "first 20000\nsite " KEY "\nweek 3 " KEY "\n" },
	{ "days in disorder", "first 1\nsite " KEY "\nday 5 " KEY "\nday 4 " KEY "\n" },
	{ "rubbish", "\xff\xfe\n" },
};

START_TEST(what_is_no_file_of_keys_is_refused)
{
	struct err err = { "" };
	bool found;
	struct keys *k;
	char *text;

	put(bad[_i].text);
	k = keys_open(dir, "shop", &found, &err);
	ck_assert_msg(k == NULL && found, "%s: taken", bad[_i].why);
	ck_assert_msg(strstr(err.msg, "keys-shop") != NULL && strstr(err.msg, "put back a copy") != NULL, "%s: %s", bad[_i].why, err.msg);
	text = content();
	ck_assert_str_eq(text, bad[_i].text);		/* left as it is */
	free(text);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
	char target[96];
	struct err err = { "" };
	struct keys *k = open_keys(false);
	bool found;

	keys_close(&k);
	snprintf(target, sizeof(target), "%s/elsewhere", dir);
	ck_assert_int_eq(rename(path, target), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_ptr_null(keys_open(dir, "shop", &found, &err));
	ck_assert_msg(strstr(err.msg, "no regular file") != NULL, "%s", err.msg);
	ck_assert_int_eq(unlink(target), 0);		/* one that leads nowhere is not made, either */
	ck_assert_ptr_null(keys_open(dir, "shop", &found, &err));
	ck_assert_int_eq(access(target, F_OK), -1);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);	/* and nothing waits for a writer */
	ck_assert_ptr_null(keys_open(dir, "shop", &found, &err));
}
END_TEST

/* Where the new file is written before it takes its name. */
START_TEST(a_link_in_the_way_of_a_new_file)
{
	char temp[128], target[128];
	struct err err = { "" };
	struct stat st;
	bool found;

	snprintf(temp, sizeof(temp), "%s.new", path);
	snprintf(target, sizeof(target), "%s/elsewhere", dir);
	ck_assert_int_eq(symlink(target, temp), 0);
	ck_assert_ptr_null(keys_open(dir, "shop", &found, &err));
	ck_assert_msg(strstr(err.msg, "keys-shop") != NULL, "%s", err.msg);
	ck_assert_int_ne(access(target, F_OK), 0);
	ck_assert_int_ne(lstat(path, &st), 0);
}
END_TEST

/* A name that is a link is nobody's: a new one takes its place, and what it leads to is not read. */
START_TEST(the_name_is_no_link)
{
	char id[128], target[128], *name;
	struct err err = { "" };
	struct stat st;
	FILE *f;

	snprintf(id, sizeof(id), "%s/id", dir);
	snprintf(target, sizeof(target), "%s/elsewhere", dir);
	f = fopen(target, "we");
	ck_assert_ptr_nonnull(f);
	fputs("secret", f);
	fclose(f);
	ck_assert_int_eq(symlink(target, id), 0);
	name = keys_owner(dir, &err);
	ck_assert_ptr_nonnull(name);
	ck_assert_str_ne(name, "secret");
	free(name);
	ck_assert_int_eq(lstat(id, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keys");
	TCase *tc = tcase_create("keys");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, keys_stay);
	tcase_add_test(tc, a_forgotten_key_is_gone);
	tcase_add_loop_test(tc, what_is_no_file_of_keys_is_refused, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, a_link_is_not_followed);
	tcase_add_test(tc, a_link_in_the_way_of_a_new_file);
	tcase_add_test(tc, the_name_is_no_link);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
