/*
 * redis_url: where Redis is and as whom to speak to it.
 *
 *	unix:/path[?db=N]
 *	redis://[[user]:password@]host[:port][/db]	an IPv6 address in brackets
 *	rediss://...					the same by TLS
 *
 * Percent-escapes in user and password are undone.  No sentence here repeats the URL:
 * it may hold the password.
 */
#ifndef RPVD_REDIS_URL_H
#define RPVD_REDIS_URL_H

#include <stdbool.h>

#include "base/err.h"

struct redis_url {
	char *path;			/* of the socket; else NULL and */
	char *host, *port;
	char *user, *password;		/* NULL where not given */
	int db;
	bool tls;
	char *name;			/* the URL without user and password, for messages */
};

/* 0, or -1 with err set.  password_file may be NULL; it is only noted that there is one:
 * a second password in the URL is refused. */
int redis_url_parse(struct redis_url *, const char *url, const char *password_file, struct err *);
/* Wipes the password; a zeroed one is fine. */
void redis_url_free(struct redis_url *);

/* The first line of the file, without its line end; the caller wipes and frees it with
 * redis_password_free().  NULL with err set. */
char *redis_password_read(const char *file, struct err *);
void redis_password_free(char *);

#endif
