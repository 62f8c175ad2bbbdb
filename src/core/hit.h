/*
 * hit: a log format becomes a small program once; the program cuts each line into
 * borrowed slices.
 *
 * Pure: bytes in, struct hit or a reason out.  Escapes of the web server (nginx
 * \xHH, \" and \\) are undone once, in place, so the line's bytes are changed where
 * it has any.
 */
#ifndef RPVD_HIT_H
#define RPVD_HIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

#define HIT_COOKIES_MAX 4

/* One log line.  Slices point into the line that was parsed and live as long as it;
 * absent values (`-`, empty, or not in the format) have len 0. */
struct hit {
	int64_t time_ms;		/* Unix milliseconds, event time; finer ones cut */
	int status;			/* 100-999 */
	uint64_t bytes;			/* of the body; 0 where the format has none */
	struct slice addr;		/* of the client, or of the proxy before us, as logged */
	struct slice forwarded;		/* whom proxies say they speak for: a list, of which only the end is to be trusted */
	struct slice method, target;	/* of the request line; both empty where it has fewer than two words */
	struct slice referrer, agent, host;
	struct slice cookies[HIT_COOKIES_MAX];	/* in the order of format_compile()'s names */
	struct slice uid_got, uid_set;	/* as nginx logs them: NAME=HEX */
};

enum hit_drop {
	HIT_OK,
	HIT_EMPTY,		/* an empty line */
	HIT_MALFORMED,		/* does not fit the format */
	HIT_BAD_TIME,
	HIT_BAD_STATUS,
	HIT_FUTURE,		/* by the reader, who knows the time: dated days ahead of it */
	HIT_DROPS
};

/* One word for counters and status: "malformed". */
const char *hit_drop_name(enum hit_drop);

struct format;

/* spec: a preset (combined, common, vhost_combined) or an nginx log_format string.
 * cookies: up to HIT_COOKIES_MAX names whose $cookie_NAME variables fill hit.cookies.
 * NULL with err set where the string cannot work (no time, no request, no status, two
 * variables without a separator ...).  The result is the caller's. */
struct format *format_compile(const char *spec, const char *const *cookies, size_t n_cookies, struct err *);
void format_free(struct format **);
/* The format string behind a preset's name; a format string stands for itself.  NULL with err set. */
const char *format_spec(const char *spec, struct err *);
/* True where the format has the variable that fills cookies[i] / $uid_got or $uid_set /
 * an address (or a forwarded list) and a user agent: what a site's visitor identities need. */
bool format_has_cookie(const struct format *, size_t i);
bool format_has_uid(const struct format *);
bool format_has_agent(const struct format *);
/* What proxies say of the client's address: $http_x_forwarded_for and its like. */
bool format_has_forwarded(const struct format *);
/* A user agent alone: without one every hit is a bot's. */
bool format_has_user_agent(const struct format *);

/* Parses one line without its newline (a trailing \r is dropped).  The line is changed
 * where escapes are undone.  *hit is complete on HIT_OK, undefined otherwise.
 * The format keeps a small cache of the last time stamp: not for several threads at once. */
enum hit_drop hit_parse(struct format *, char *line, size_t len, struct hit *hit);

#endif
