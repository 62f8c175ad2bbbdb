/*
 * hit_impl: what the front ends of hit share.
 *
 * A front end knows one way to write a line.  It finds the line's fields, undoes the
 * server's escapes in them, in place, and says nothing of what they mean: that is
 * hit_fill()'s, whatever the line looked like.
 */
#ifndef RPVD_HIT_IMPL_H
#define RPVD_HIT_IMPL_H

#include "core/hit.h"

#define STAMP_MAX 40		/* no time stamp that is worth remembering is longer */

/* What hit_fill() wants to know of a line. */
enum field {
	FIELD_SKIP,		/* a place to drop what nobody asks for */
	FIELD_ADDR,
	FIELD_FORWARDED,
	FIELD_TIME,
	FIELD_REQUEST,
	FIELD_METHOD,
	FIELD_TARGET,
	FIELD_ARGS,
	FIELD_PROTOCOL,
	FIELD_STATUS,
	FIELD_BYTES,
	FIELD_REFERRER,
	FIELD_AGENT,
	FIELD_HOST,
	FIELD_UID_GOT,
	FIELD_UID_SET,
	FIELD_COOKIES,		/* the whole header: "a=1; b=2" */
	FIELD_COOKIE,
	FIELDS = FIELD_COOKIE + HIT_COOKIES_MAX
};

typedef bool (*time_fn)(struct slice, int64_t *);

/* How the fields of a line, or of all lines of a format, are to be taken. */
enum how {
	HOW_PORT = 1,		/* the address has a port behind it */
	HOW_PATH = 2,		/* the target has no query: the arguments are to be put behind it ... */
	HOW_ARGS_MARK = 4,	/* ... and bring their own question mark, where there are any */
	HOW_IS_ARGS = 8,	/* $uri$is_args$args, read as one field */
	HOW_BY_VALUE = 16,	/* of a name: an address, or else the host that was asked for */
	HOW_GET = 32,		/* methods are not logged: all that has a target is a GET */
};

/* A line's fields.  Slices lie in the line. */
struct cut {
	struct slice field[FIELDS];
	time_fn time;		/* of FIELD_TIME */
	const char *pattern;	/* in place of it: hit_time_pattern() */
	unsigned how;
};

/* HIT_OK with *cut filled, HIT_EMPTY or HIT_MALFORMED.  The line is not empty, and unchanged where it is
 * no HIT_OK.  cut->field is empty on entry. */
typedef enum hit_drop (*read_fn)(struct format *, char *line, size_t len, struct cut *);

struct steps;
struct shape;
struct labels;
struct columns;
struct captures;
struct detector;

struct format {
	read_fn read;
	bool has[FIELDS];		/* what its lines can say */
	/* One of these, as the front end wants. */
	struct steps *steps;
	struct names *names;
	struct shape *shape;
	struct labels *labels;
	struct columns *columns;
	struct captures *captures;
	struct detector *detector;

	char *cookies[HIT_COOKIES_MAX];	/* the names that were asked for */
	size_t n_cookies;

	char stamp[STAMP_MAX];		/* the last time stamp, and what it means */
	size_t stamp_len;
	time_fn stamp_time;
	int64_t stamp_ms;
};

/* A variable of a format string: which field it fills.  Of two for one field the one that stands first in its
 * dialect's table does. */
struct variable {
	const char *name;
	enum field field;
	time_fn time;			/* of FIELD_TIME; NULL there: the string has the pattern */
	unsigned how;
};

/* A format string is read piece by piece: text, then a variable. */
struct piece {
	struct slice text;		/* between the variable before and this one */
	const struct variable *variable;
	struct slice name;		/* as it stands in the string */
	struct slice pattern;		/* of a time that has one */
};

struct pieces {
	struct slice rest;		/* not read yet */
	char *room;			/* twice the string's length and some, for text that stands otherwise in a line */
	const struct format *format;	/* which cookies are asked for */
	int (*next)(struct pieces *, struct piece *, struct err *);
	const char *sigil;
	bool is_open;			/* a bracket that is to be closed in the next text */
};

/* How a server's format strings are written. */
struct dialect {
	const char *sigil;		/* in front of a piece's name */
	/* 1 with a piece; 0 at the end, where text alone may be left; -1 with err set. */
	int (*next)(struct pieces *, struct piece *, struct err *);
};

/* Variables that fill nothing. */
extern const struct variable variable_unknown;
/* The variable of a cookie; variable_unknown where it is not asked for. */
const struct variable *variable_cookie(const struct format *, struct slice name);

extern const struct dialect dialect_nginx, dialect_apache, dialect_envoy;

/* How the writer of a format string hides quotes and bytes in a field. */
enum escapes {
	ESCAPES_ANY,			/* nginx' \xHH, Apache's \" and \\: whichever it is */
	ESCAPES_APACHE,			/* these, and \n, \t, \r, \b, \v */
	ESCAPES_JSON,			/* nginx, escape=json */
	ESCAPES_NONE			/* nginx, escape=none */
};

/* Names of values, where a line brings them. */
struct name {
	const char *name;		/* normalised */
	enum field field;
	unsigned how;
};

#define NAMES_MAX 256
#define NAMES_SLOTS 1021
#define NAME_MAX_BYTES 80

enum names_of { NAMES_JSON, NAMES_LTSV, NAMES_W3C };

/* Of two for one field the one nearer the front of the list counts. */
struct names {
	struct name list[NAMES_MAX];
	size_t n;
	uint16_t slots[NAMES_SLOTS];	/* place in the list + 1 */
	char cookies[HIT_COOKIES_MAX][4][NAME_MAX_BYTES + 1];
};

struct names *names_new(enum names_of, const struct format *);	/* for free() */
/* By a normalised name; NULL: nobody asks for it. */
const struct name *names_find(const struct names *, struct slice);
/* Small letters and digits alone, at most room of them. */
size_t name_normalise(struct slice, char *out, size_t room);
/* As addresses are written, perhaps with a port. */
bool looks_like_address(struct slice);

/* Each makes f the format of one front end.  -1 with err set where the string is none. */
int steps_compile(struct format *f, const char *spec, const struct dialect *, enum escapes, struct err *);
void steps_free(struct steps **);
void json_compile(struct format *f);
void ltsv_compile(struct format *f);
void shape_free(struct shape **);
void labels_free(struct labels **);
void w3c_compile(struct format *f);
void columns_free(struct columns **);
void haproxy_compile(struct format *f, const char *captures);
void captures_free(struct captures **);
void auto_compile(struct format *f);
void detector_free(struct detector **);

/* Lines that begin like the common log format, with host, list of proxies, referrer, agent and more as far as a
 * line has them.  bracket: as clf_time_find() has it.  *kind: which of them. */
enum clf_kind { CLF_COMMON, CLF_COMBINED, CLF_MORE, CLF_HOST, CLF_LIGHTTPD, CLF_KINDS };
enum hit_drop clf_read(char *line, size_t len, const char *bracket, struct cut *, enum clf_kind *kind);
/* "[22/Nov/2026:03:20:55" in a line: where its bracket is, or NULL. */
const char *clf_time_find(const char *p, const char *end);

/* What their formats read a line with, for hit_auto.c. */
enum hit_drop json_line(struct format *, char *line, size_t len, struct cut *);
enum hit_drop ltsv_line(struct format *, char *line, size_t len, struct cut *);
enum hit_drop w3c_line(struct format *, char *line, size_t len, struct cut *);
enum hit_drop haproxy_line(struct format *, char *line, size_t len, struct cut *);
/* Only bytes that a list of addresses has. */
bool looks_like_list(struct slice);

/* It may say whatever a line happens to have. */
void format_has_all(struct format *);
/* Undoes a web server's, or JSON's, escapes in a slice of the line. */
void hit_unescape(char *line, struct slice *, enum escapes);
void json_unescape(char *line, struct slice *);
/* 0-15, or -1. */
int hex_digit(char);
/* "-" is nothing. */
static inline struct slice
hit_value(struct slice s)
{
	if (s.len == 1 && s.p[0] == '-')
		s.len = 0;
	return (s);
}

/* An odd number of backslashes in front of it hides a quote. */
static inline bool
is_escaped(const char *from, const char *quote)
{
	const char *p = quote;

	while (p > from && p[-1] == '\\')
		p--;
	return (((quote - p) & 1) != 0);
}

#endif
