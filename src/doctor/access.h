/*
 * access: may somebody else read this file, and if not, which right is missing where.
 *
 * The doctor is mostly root, for whom everything is open; rpvd is not.
 */
#ifndef RPVD_ACCESS_H
#define RPVD_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define USER_GROUPS_MAX 64

struct user {
	char name[64];			/* or the number */
	uid_t uid;
	gid_t groups[USER_GROUPS_MAX];
	int n_groups;
};

/* By name; the process of that id; who runs this; the owner of a directory, as the shipped unit runs
 * it, with the group adm.  False where there is none. */
bool user_by_name(struct user *, const char *name);
bool user_of_process(struct user *, pid_t);
void user_self(struct user *);
bool user_of_dir(struct user *, const char *dir);

/* want: 4 read, 2 write, 1 enter.  False with what is wrong and how it is mended; where the
 * path does not exist *missing is set, too. */
bool access_check(const struct user *, const char *path, int want, bool *missing, struct err *what, struct err *fix);

#endif
