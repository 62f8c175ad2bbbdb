/*
 * redis_why: sentences for an owner whose Redis cannot be used: what is wrong, and what
 * to do about it.  Pure, and the same for rpvd and rpvctl.  None holds a password.
 */
#ifndef RPVD_REDIS_WHY_H
#define RPVD_REDIS_WHY_H

#include <stdbool.h>

#include "base/err.h"
#include "store/redis_info.h"
#include "store/redis_url.h"

/* The commands that open a connection. */
enum redis_hello { HELLO_AUTH, HELLO_SELECT, HELLO_SETNAME, HELLO_INFO, HELLO_PING };

/* The connection could not be made, or broke, with this errno. */
void redis_why_errno(const struct redis_url *, int errnum, struct err *);
/* Redis answered this command with an error (its text, NUL-terminated).  True where that
 * keeps the connection from being used; else *err is untouched. */
bool redis_why_refused(const struct redis_url *, enum redis_hello, const char *text, struct err *);

/* Redis answered a command of ours with an error.  user: as redis_user(). */
void redis_why_error(const struct redis_info *, const char *user, const char *text, struct err *);
/* A write was tried on a replica: what was the primary is none any more. */
bool redis_is_demoted(const char *text);
extern const char redis_why_replica[];

#endif
