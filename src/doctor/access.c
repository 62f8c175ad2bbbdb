/*
 * access: see access.h.
 *
 * By modes.  Where a file has an access control list these do not tell; then nothing is said.
 */
#include "doctor/access.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- users --------------------------------------------------------------- */

static void
set_name(struct user *u)
{
	const struct passwd *pw = getpwuid(u->uid);

	if (pw != NULL)
		snprintf(u->name, sizeof(u->name), "%s", pw->pw_name);
	else
		snprintf(u->name, sizeof(u->name), "uid %lu", (unsigned long)u->uid);
}

static void
add_group(struct user *u, gid_t gid)
{
	if (u->n_groups < USER_GROUPS_MAX)
		u->groups[u->n_groups++] = gid;
}

static void
set_groups(struct user *u, const struct passwd *pw)
{
	u->n_groups = USER_GROUPS_MAX;
	if (getgrouplist(pw->pw_name, pw->pw_gid, u->groups, &u->n_groups) < 0)
		u->n_groups = USER_GROUPS_MAX;
}

bool
user_by_name(struct user *u, const char *name)
{
	const struct passwd *pw = getpwnam(name);

	*u = (struct user){ 0 };
	if (pw == NULL)
		return (false);
	u->uid = pw->pw_uid;
	set_groups(u, pw);
	set_name(u);
	return (true);
}

/* "Uid:\t1\t2\t3\t4": the second is the effective one.  "Groups:\t4 24". */
bool
user_of_process(struct user *u, pid_t pid)
{
	char path[64], line[4096];
	FILE *f;

	*u = (struct user){ .uid = (uid_t)-1 };
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if ((f = fopen(path, "re")) == NULL)
		return (false);
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned long id;
		char *p = line + 7;

		if (sscanf(line, "Uid:\t%*u\t%lu", &id) == 1)
			u->uid = (uid_t)id;
		else if (sscanf(line, "Gid:\t%*u\t%lu", &id) == 1)
			add_group(u, (gid_t)id);
		else if (strncmp(line, "Groups:", 7) == 0)
			for (char *end; (id = strtoul(p, &end, 10)), end != p; p = end)
				add_group(u, (gid_t)id);
	}
	fclose(f);
	set_name(u);
	return (u->uid != (uid_t)-1);
}

void
user_self(struct user *u)
{
	*u = (struct user){ .uid = geteuid() };
	u->n_groups = getgroups(USER_GROUPS_MAX - 1, u->groups);
	if (u->n_groups < 0)
		u->n_groups = 0;
	add_group(u, getegid());
	set_name(u);
}

bool
user_of_dir(struct user *u, const char *dir)
{
	const struct passwd *pw;
	const struct group *adm;
	struct stat st;

	*u = (struct user){ 0 };
	if (stat(dir, &st) != 0 || st.st_uid == 0)
		return (false);
	u->uid = st.st_uid;
	pw = getpwuid(st.st_uid);
	if (pw != NULL)
		set_groups(u, pw);
	else
		add_group(u, st.st_gid);
	if ((adm = getgrnam("adm")) != NULL)
		add_group(u, adm->gr_gid);
	set_name(u);
	return (true);
}

/* ---- rights --------------------------------------------------------------- */

static bool
is_in(const struct user *u, gid_t gid)
{
	for (int i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return (true);
	return (false);
}

static bool
allows(const struct stat *st, const struct user *u, int want)
{
	int shift = st->st_uid == u->uid ? 6 : is_in(u, st->st_gid) ? 3 : 0;

	return (u->uid == 0 || ((int)(st->st_mode >> shift) & want) == want);
}

static bool
has_list(const char *path)
{
	return (getxattr(path, "system.posix_acl_access", NULL, 0) > 0);
}

static void
say(const struct user *u, const char *path, const struct stat *st, int want, struct err *what, struct err *fix)
{
	const struct passwd *pw = getpwuid(st->st_uid);
	const struct group *gr = getgrgid(st->st_gid);
	char owner[64], group[64];
	const char *verb = (want & 2) != 0 ? "write to" : (want & 4) != 0 ? "read" : "enter";

	snprintf(owner, sizeof(owner), pw != NULL ? "%s" : "%s%lu", pw != NULL ? pw->pw_name : "", (unsigned long)st->st_uid);
	snprintf(group, sizeof(group), gr != NULL ? "%s" : "%s%lu", gr != NULL ? gr->gr_name : "", (unsigned long)st->st_gid);
	err_set(what, "%.200s: rpvd (user %s) may not %s it: it belongs to %s:%s and has mode %04o", path, u->name, verb, owner, group,
	    (unsigned)(st->st_mode & 07777));
	if (((int)(st->st_mode >> 3) & want) == want && st->st_gid != 0)
		err_set(fix, "Let %s join the group %s (systemctl edit rpvd: SupplementaryGroups=%s; else usermod -a -G %s %s), then restart rpvd.",
		    u->name, group, group, group, u->name);
	else if (st->st_gid != 0)
		err_set(fix, "Give the group %s that right (chmod g+%s %.200s), and let %s be in it.", group,
		    (want & 2) != 0 ? "rwX" : (want & 4) != 0 ? "rX" : "x", path, u->name);
	else
		err_set(fix, "Change the owner or group of %.200s (chgrp adm, chmod g+rX), so that %s has that right.", path, u->name);
}

static bool
check_one(const struct user *u, const char *path, int want, bool *missing, struct err *what, struct err *fix)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		*missing = errno == ENOENT || errno == ENOTDIR;
		err_set(what, "%.300s: %s", path, strerror(errno));
		err_set(fix, "Correct the path in the configuration, or see why it is not there.");
		return (false);
	}
	if (allows(&st, u, want) || has_list(path))
		return (true);
	say(u, path, &st, want, what, fix);
	return (false);
}

bool
access_check(const struct user *u, const char *path, int want, bool *missing, struct err *what, struct err *fix)
{
	char real[PATH_MAX], *whole;
	bool ok = true;

	*missing = false;
	if (realpath(path, real) == NULL)
		return (check_one(u, path, want, missing, what, fix));
	whole = mem_strdup(real);
	for (char *slash = real + 1; ok && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		ok = check_one(u, real, 1, missing, what, fix);
		*slash = '/';
	}
	ok = ok && check_one(u, whole, want, missing, what, fix);
	free(whole);
	return (ok);
}
