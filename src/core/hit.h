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

/* One log line.  Slices point into the line that was parsed and live as long as it (a method that is
 * not logged is a constant);
 * absent values (`-`, empty, or not in the format) have len 0. */
struct hit {
	int64_t time_ms;		/* Unix milliseconds, event time; finer ones cut */
	int status;			/* 100-999 */
	uint64_t bytes;			/* of the body; 0 where the format has none */
	struct slice addr;		/* of the client, or of the proxy before us, as logged */
	struct slice forwarded;		/* whom proxies say they speak for: a list, of which only the end is to be trusted */
	struct slice method, target;	/* of the request line; both empty where it has fewer than two words */
	struct slice protocol;		/* HTTP/1.1 */
	struct slice referrer, agent, host;
	struct slice cookies[HIT_COOKIES_MAX];	/* in the order of format_compile()'s names */
	struct slice cookie_header;	/* all of them, where the format has that: the cookies above may come from it */
	struct slice uid_got, uid_set;	/* as nginx logs them: NAME=HEX */
};

enum hit_drop {
	HIT_OK,
	HIT_EMPTY,		/* an empty line, or one of a W3C log's header */
	HIT_MALFORMED,		/* does not fit the format */
	HIT_BAD_TIME,
	HIT_BAD_STATUS,
	HIT_FUTURE,		/* by the reader, who knows the time: dated days ahead of it */
	HIT_DROPS
};

/* One word for counters and status: "malformed". */
const char *hit_drop_name(enum hit_drop);

struct format;

/* spec: a preset (auto, combined, json, w3c, haproxy ...: format.c has the table), "haproxy:" and the names of what
 * it captures, or a format string of nginx (perhaps with escape= in front), Apache, lighttpd or Envoy.
 * cookies: up to HIT_COOKIES_MAX names that fill hit.cookies, from a variable of their own or from the whole header.
 * NULL with err set where the string cannot work (no time, no request, no status, two
 * variables without a separator ...).  The result is the caller's. */
struct format *format_compile(const char *spec, const char *const *cookies, size_t n_cookies, struct err *);
void format_free(struct format **);
/* The format string behind a preset's name; anything else stands for itself. */
const char *format_spec(const char *spec);
/* True where the format has the variable that fills cookies[i] / $uid_got or $uid_set /
 * an address (or a forwarded list) and a user agent: what a site's visitor identities need.  A format whose
 * lines name their values may have anything. */
bool format_has_cookie(const struct format *, size_t i);
bool format_has_uid(const struct format *);
bool format_has_agent(const struct format *);
/* What proxies say of the client's address: $http_x_forwarded_for and its like. */
bool format_has_forwarded(const struct format *);
/* A user agent alone: without one every hit is a bot's. */
bool format_has_user_agent(const struct format *);

/*
 * Lines of a W3C log mean what the header above them says, which may change in the middle of
 * a file.  A format that may read such lines keeps the last header that it was given, as a
 * line or here; who goes to another place or file sets that which holds there.
 */
bool format_has_header(const struct format *);
/* The lines that make the header in force; empty where there is none.  Valid until the next call. */
struct slice format_header(const struct format *);
void format_header_set(struct format *, struct slice lines);
/* Whether a line that was rejected may be one that wants a header, and there is none. */
bool format_lacks_header(const struct format *, struct slice line);

/* What auto has found so far, a bit each; the name of the i-th, NULL behind the last. */
unsigned format_found(const struct format *);
const char *format_found_name(unsigned i);
bool format_found_has_agent(unsigned i);
bool format_found_has_cookies(unsigned i);	/* or may have */

/* Parses one line without its newline (a trailing \r is dropped).  The line is changed
 * where escapes are undone.  *hit is complete on HIT_OK, undefined otherwise.
 * The format keeps a small cache of the last time stamp: not for several threads at once. */
enum hit_drop hit_parse(struct format *, char *line, size_t len, struct hit *hit);

#endif
