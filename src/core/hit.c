/*
 * hit: a log format becomes a small program once; the program cuts each line.
 *
 * A step of the program says: here begins a field, and this literal text closes it.
 * To read a line is then one memchr() a field, and no byte is copied.  Regular
 * expressions would say the same and be fifty times slower.
 *
 *     $remote_addr - $remote_user [$time_local] "$request" ...
 *     ^field      ^closes it      ^closes it   ^closes it
 *
 * Two halves that meet in the array of fields: a front end finds the fields of a
 * line and undoes its escapes (here nginx_read(); format_compile() picks it), and
 * hit_fill() knows what the fields mean, whatever the line looked like.
 */
#include "core/hit.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/hit_time.h"

#define STEPS_MAX 64
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
	FIELD_STATUS,
	FIELD_BYTES,
	FIELD_REFERRER,
	FIELD_AGENT,
	FIELD_HOST,
	FIELD_UID_GOT,
	FIELD_UID_SET,
	FIELD_COOKIE,
	FIELDS = FIELD_COOKIE + HIT_COOKIES_MAX
};

typedef bool (*time_fn)(struct slice, int64_t *);

/* Where a format has several variables for one field, the one named first here fills it. */
static const struct variable {
	const char *name;
	enum field field;
	time_fn time;
} variables[] = {
	{ "remote_addr", FIELD_ADDR, NULL },
	{ "http_x_forwarded_for", FIELD_FORWARDED, NULL },
	{ "proxy_add_x_forwarded_for", FIELD_FORWARDED, NULL },
	{ "http_forwarded", FIELD_FORWARDED, NULL },
	{ "http_cf_connecting_ip", FIELD_FORWARDED, NULL },
	{ "http_true_client_ip", FIELD_FORWARDED, NULL },
	{ "http_x_real_ip", FIELD_FORWARDED, NULL },
	{ "msec", FIELD_TIME, hit_time_msec },
	{ "time_local", FIELD_TIME, hit_time_local },
	{ "time_iso8601", FIELD_TIME, hit_time_iso8601 },
	{ "request", FIELD_REQUEST, NULL },
	{ "request_method", FIELD_METHOD, NULL },
	{ "request_uri", FIELD_TARGET, NULL },
	{ "uri", FIELD_TARGET, NULL },
	{ "document_uri", FIELD_TARGET, NULL },
	{ "args", FIELD_ARGS, NULL },
	{ "query_string", FIELD_ARGS, NULL },
	{ "status", FIELD_STATUS, NULL },
	{ "body_bytes_sent", FIELD_BYTES, NULL },
	{ "bytes_sent", FIELD_BYTES, NULL },
	{ "http_referer", FIELD_REFERRER, NULL },
	{ "http_user_agent", FIELD_AGENT, NULL },
	{ "host", FIELD_HOST, NULL },
	{ "http_host", FIELD_HOST, NULL },
	{ "server_name", FIELD_HOST, NULL },
	{ "uid_got", FIELD_UID_GOT, NULL },
	{ "uid_set", FIELD_UID_SET, NULL },
};

/* Variables that fill nothing, and cookies, which are told apart by their field. */
static const struct variable unknown = { "", FIELD_SKIP, NULL };
static const struct variable cookie_variables[HIT_COOKIES_MAX] = {
	{ "", FIELD_COOKIE, NULL },
	{ "", FIELD_COOKIE + 1, NULL },
	{ "", FIELD_COOKIE + 2, NULL },
	{ "", FIELD_COOKIE + 3, NULL },
};

#define COMMON "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"
#define COMBINED COMMON " \"$http_referer\" \"$http_user_agent\""

static const struct { const char *name, *spec; } presets[] = {
	{ "combined", COMBINED },
	{ "common", COMMON },
	{ "vhost_combined", "$host:$server_port " COMBINED },
};

struct step {
	struct slice before, after;	/* literal text on both sides; after the last step often none */
	enum field field;
	const struct variable *variable;
	struct slice name;
	bool has_args_mark;		/* $uri$is_args$args, read as one field */
};

struct format {
	char *spec;			/* names and literals of the steps point into it */
	struct step steps[STEPS_MAX];
	size_t n_steps;
	const struct step *step_of[FIELDS];	/* NULL where the format has no such field */
	time_fn time;

	char stamp[STAMP_MAX];		/* the last time stamp, and what it means */
	size_t stamp_len;
	int64_t stamp_ms;
};

const char *
hit_drop_name(enum hit_drop drop)
{
	static const char *const names[HIT_DROPS] = { "ok", "empty", "malformed", "bad_time", "bad_status", "future" };

	must(drop < HIT_DROPS);
	return (names[drop]);
}

/*
 * Compiling.
 */

static bool
is_name_byte(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
}

/* Takes $name or ${name} off the front of *rest, which begins with the dollar. */
static int
take_name(struct slice *rest, struct slice *name, struct err *err)
{
	struct slice s = slice_skip(*rest, 1);
	bool braces = s.len > 0 && s.p[0] == '{';
	size_t n = 0;

	if (braces)
		s = slice_skip(s, 1);
	while (n < s.len && is_name_byte(s.p[n]))
		n++;
	*name = slice_make(s.p, n);
	s = slice_skip(s, n);
	if (n == 0 || (braces && (s.len == 0 || s.p[0] != '}')))
		return (err_set(err, "log format: a variable's name is missing at \"%.20s\"", rest->p));
	*rest = slice_skip(s, braces ? 1 : 0);
	return (0);
}

static const struct variable *
variable_find(struct slice name, const char *const *cookies, size_t n_cookies)
{
	struct slice cookie = slice_skip(name, strlen("cookie_"));

	for (size_t i = 0; i < N_ELEM(variables); i++)
		if (slice_equal_nocase(name, slice_of(variables[i].name)))
			return (&variables[i]);
	if (cookie.len == 0 || !slice_equal_nocase(slice_make(name.p, strlen("cookie_")), SLICE("cookie_")))
		return (&unknown);
	for (size_t i = 0; i < n_cookies; i++)
		if (slice_equal_nocase(cookie, slice_of(cookies[i])))
			return (&cookie_variables[i]);
	return (&unknown);
}

static void
field_drop(struct format *f, enum field field)
{
	if (f->step_of[field] == NULL)
		return;
	f->steps[f->step_of[field] - f->steps].field = FIELD_SKIP;
	f->step_of[field] = NULL;
}

/* Of two variables for one field the one that the table names first stays. */
static void
field_claim(struct format *f, struct step *step)
{
	enum field field = step->variable->field;
	const struct step *other = f->step_of[field];

	step->field = FIELD_SKIP;
	if (field == FIELD_SKIP || (other != NULL && other->variable <= step->variable))
		return;
	field_drop(f, field);
	step->field = field;
	f->step_of[field] = step;
}

static bool
is_path_only(const struct step *step)
{
	return (step->variable->field == FIELD_TARGET && strcmp(step->variable->name, "request_uri") != 0);
}

/* $uri$is_args$args is what people write for the target.  It is the one run of
 * variables that can be read without a separator: as one field. */
static bool
step_continues(struct step *last, const struct step *step)
{
	if (is_path_only(last) && slice_is(step->name, "is_args")) {
		last->has_args_mark = true;
		return (true);
	}
	return (last->has_args_mark && step->variable->field == FIELD_ARGS);
}

static int
step_add(struct format *f, struct step step, struct err *err)
{
	struct step *last = f->n_steps > 0 ? &f->steps[f->n_steps - 1] : NULL;

	if (last != NULL && step.before.len == 0) {
		if (step_continues(last, &step))
			return (0);
		return (err_set(err, "log format: $%.*s and $%.*s need a separator between them",
		    SLICE_FMT(last->name), SLICE_FMT(step.name)));
	}
	if (f->n_steps == STEPS_MAX)
		return (err_set(err, "log format: more than %d variables", STEPS_MAX));
	if (last != NULL)
		last->after = step.before;
	f->steps[f->n_steps] = step;
	field_claim(f, &f->steps[f->n_steps++]);
	return (0);
}

static int
steps_compile(struct format *f, const char *const *cookies, size_t n_cookies, struct err *err)
{
	struct slice rest = slice_of(f->spec);

	for (;;) {
		struct step step = { 0 };
		ptrdiff_t dollar = slice_find(rest, '$');

		if (dollar < 0)
			break;
		step.before = slice_make(rest.p, (size_t)dollar);
		rest = slice_skip(rest, (size_t)dollar);
		if (take_name(&rest, &step.name, err) != 0)
			return (-1);
		step.variable = variable_find(step.name, cookies, n_cookies);
		if (step_add(f, step, err) != 0)
			return (-1);
	}
	f->steps[f->n_steps - 1].after = rest;
	return (0);
}

/* One way to the target is kept: $request, else $request_uri, else $uri and what
 * $args right behind it adds. */
static int
request_settle(struct format *f, struct err *err)
{
	const struct step *target = f->step_of[FIELD_TARGET], *args = f->step_of[FIELD_ARGS];

	if (f->step_of[FIELD_REQUEST] != NULL)
		return (0);
	if (target == NULL || f->step_of[FIELD_METHOD] == NULL)
		return (err_set(err, "log format: needs $request, or $request_method and $request_uri"));
	if (!is_path_only(target))
		field_drop(f, FIELD_ARGS);
	else if (args != NULL && args != target + 1)
		return (err_set(err, "log format: $args must follow $uri, or log $request_uri in their place"));
	return (0);
}

static int
format_settle(struct format *f, struct err *err)
{
	if (f->step_of[FIELD_TIME] == NULL)
		return (err_set(err, "log format: needs a time: $msec, $time_local or $time_iso8601"));
	if (f->step_of[FIELD_STATUS] == NULL)
		return (err_set(err, "log format: needs $status"));
	f->time = f->step_of[FIELD_TIME]->variable->time;
	return (request_settle(f, err));
}

const char *
format_spec(const char *spec, struct err *err)
{
	if (strchr(spec, '$') != NULL)
		return (spec);
	for (size_t i = 0; i < N_ELEM(presets); i++)
		if (strcmp(spec, presets[i].name) == 0)
			return (presets[i].spec);
	(void)err_set(err, "log format: \"%.40s\" is neither combined, common, vhost_combined nor an nginx "
	    "log_format string with $variables", spec);
	return (NULL);
}

struct format *
format_compile(const char *spec, const char *const *cookies, size_t n_cookies, struct err *err)
{
	struct format *f;

	must(n_cookies <= HIT_COOKIES_MAX);
	spec = format_spec(spec, err);
	if (spec == NULL)
		return (NULL);
	f = mem_calloc(1, sizeof(*f));
	f->spec = mem_strdup(spec);
	if (steps_compile(f, cookies, n_cookies, err) != 0 || format_settle(f, err) != 0)
		format_free(&f);
	return (f);
}

void
format_free(struct format **fp)
{
	if (*fp == NULL)
		return;
	free((*fp)->spec);
	free(*fp);
	*fp = NULL;
}

bool
format_has_cookie(const struct format *f, size_t i)
{
	must(i < HIT_COOKIES_MAX);
	return (f->step_of[FIELD_COOKIE + i] != NULL);
}

bool
format_has_uid(const struct format *f)
{
	return (f->step_of[FIELD_UID_GOT] != NULL || f->step_of[FIELD_UID_SET] != NULL);
}

bool
format_has_agent(const struct format *f)
{
	return ((f->step_of[FIELD_ADDR] != NULL || format_has_forwarded(f)) && f->step_of[FIELD_AGENT] != NULL);
}

bool
format_has_forwarded(const struct format *f)
{
	return (f->step_of[FIELD_FORWARDED] != NULL);
}

bool
format_has_user_agent(const struct format *f)
{
	return (f->step_of[FIELD_AGENT] != NULL);
}

/*
 * The front end for nginx log_format: cutting.
 */

/* Apache writes \" and \\ in a field, so an odd number of backslashes hides a quote. */
static bool
is_escaped(const char *from, const char *quote)
{
	const char *p = quote;

	while (p > from && p[-1] == '\\')
		p--;
	return (((quote - p) & 1) != 0);
}

static bool
literal_at(const char *p, const char *end, struct slice literal)
{
	if ((size_t)(end - p) < literal.len)
		return (false);
	for (size_t i = 0; i < literal.len; i++)
		if (p[i] != literal.p[i])
			return (false);
	return (true);
}

/*
 * A field may hold the first byte of its closing literal: escape=none leaves quotes
 * alone, and forwarded addresses have spaces.  But where the literal in front of the
 * field turns up in it once more, or the client's address has a space, a writer died
 * in the middle of a line and the next line was glued on: better no hit than half of
 * two.  A single byte in front says nothing.
 */
static bool
is_glued(const struct step *step, const char *p, const char *end)
{
	if (step->field == FIELD_ADDR)
		return (true);
	return (step->before.len > 1 &&
	    memmem(p, (size_t)(end - p), step->before.p, step->before.len) != NULL);
}

/* The last literal stands at the end of the line, and nowhere else. */
static const char *
last_field_end(const struct step *step, const char *p, const char *end)
{
	const char *at;

	if (step->after.len == 0)
		return (end);
	if ((size_t)(end - p) < step->after.len)
		return (NULL);
	at = end - step->after.len;
	if (!literal_at(at, end, step->after))
		return (NULL);
	if (memchr(p, *at, (size_t)(at - p)) != NULL && is_glued(step, p, at))
		return (NULL);
	return (at);
}

static const char *
field_end(const struct step *step, const char *p, const char *end, bool escapes)
{
	char first = step->after.p[0];
	bool loose = false;

	for (const char *at = p; (at = byte_near(at, end, first)) != NULL; at++) {
		if (!literal_at(at, end, step->after)) {
			loose = true;
			continue;
		}
		if (escapes && first == '"' && is_escaped(p, at))
			continue;
		return (loose && is_glued(step, p, at) ? NULL : at);
	}
	return (NULL);
}

static bool
nginx_cut(const struct format *f, const char *p, const char *end, bool escapes, struct slice *fields)
{
	const struct step *step = f->steps, *last = &f->steps[f->n_steps - 1];
	const char *at;

	if (!literal_at(p, end, step->before))
		return (false);
	p += step->before.len;
	for (; step < last; step++) {
		at = field_end(step, p, end, escapes);
		if (at == NULL)
			return (false);
		fields[step->field] = slice_make(p, (size_t)(at - p));
		p = at + step->after.len;
	}
	at = last_field_end(last, p, end);
	if (at == NULL)
		return (false);
	fields[last->field] = slice_make(p, (size_t)(at - p));
	return (true);
}

/*
 * The front end for nginx log_format: escapes.
 */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* The byte that the escape at p stands for; the result is its length, 0 where it is none. */
static size_t
escape_read(const char *p, const char *end, char *byte)
{
	if (end - p >= 2 && (p[1] == '"' || p[1] == '\\')) {
		*byte = p[1];
		return (2);
	}
	if (end - p >= 6 && memcmp(p + 1, "u00", 3) == 0 && hex_digit(p[4]) >= 0 && hex_digit(p[5]) >= 0) {
		*byte = (char)(hex_digit(p[4]) * 16 + hex_digit(p[5]));	/* nginx, escape=json: a control byte */
		return (6);
	}
	if (end - p < 4 || p[1] != 'x' || hex_digit(p[2]) < 0 || hex_digit(p[3]) < 0)
		return (0);
	*byte = (char)(hex_digit(p[2]) * 16 + hex_digit(p[3]));
	return (4);
}

/* nginx writes \xHH; Apache also \" and \\.  Both are undone once, in place. */
static void
unescape(char *line, struct slice *s)
{
	char *from, *to, *end, byte;

	if (slice_find(*s, '\\') < 0)
		return;
	from = to = line + (s->p - line);
	end = from + s->len;
	while (from < end) {
		size_t n = *from == '\\' ? escape_read(from, end, &byte) : 0;

		if (n == 0) {
			byte = *from;
			n = 1;
		}
		*to++ = byte;
		from += n;
	}
	s->len = (size_t)(to - s->p);
}

/* Where the line cannot be read with hidden quotes, its backslashes are plain bytes:
 * with escape=none a user agent may end in one. */
static bool
nginx_read(const struct format *f, char *line, size_t len, struct slice *fields)
{
	bool escapes = memchr(line, '\\', len) != NULL;

	if (!escapes)
		return (nginx_cut(f, line, line + len, false, fields));
	if (!nginx_cut(f, line, line + len, true, fields) && !nginx_cut(f, line, line + len, false, fields))
		return (false);
	for (size_t i = FIELD_SKIP + 1; i < FIELDS; i++)
		unescape(line, &fields[i]);
	return (true);
}

/*
 * What the fields mean, for every front end.
 */

static struct slice
value(struct slice s)
{
	if (s.len == 1 && s.p[0] == '-')
		s.len = 0;
	return (s);
}

/* Most lines carry the very stamp of the line before. */
static bool
time_fill(struct format *f, struct slice stamp, struct hit *hit)
{
	if (stamp.len == f->stamp_len && stamp.len > 0 && memcmp(stamp.p, f->stamp, stamp.len) == 0) {
		hit->time_ms = f->stamp_ms;
		return (true);
	}
	if (!f->time(stamp, &hit->time_ms))
		return (false);
	if (stamp.len <= STAMP_MAX) {
		memcpy(f->stamp, stamp.p, stamp.len);
		f->stamp_len = stamp.len;
		f->stamp_ms = hit->time_ms;
	}
	return (true);
}

static bool
status_fill(struct slice s, struct hit *hit)
{
	if (s.len != 3 || s.p[0] < '1' || s.p[0] > '9' || s.p[1] < '0' || s.p[1] > '9' || s.p[2] < '0' ||
	    s.p[2] > '9')
		return (false);
	hit->status = (s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + (s.p[2] - '0');
	return (true);
}

/* Anything that is no number counts as nothing sent. */
static uint64_t
bytes_of(struct slice s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s.len && i < 18 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		sum = sum * 10 + (uint64_t)(s.p[i] - '0');
	return (sum);
}

/* "GET /lamp HTTP/1.1": garbage without a space has no method and no target. */
static void
request_split(struct slice request, struct hit *hit)
{
	ptrdiff_t space = slice_find(request, ' ');
	struct slice rest;

	hit->method = hit->target = slice_make(request.p, 0);
	if (space < 0)
		return;
	hit->method.len = (size_t)space;
	rest = slice_skip(request, (size_t)space + 1);
	hit->target = slice_cut(&rest, ' ');
}

/* nginx writes an absent $args as "-", so that $uri$is_args$args reads "/lamp-". */
static struct slice
target_without_mark(struct slice target)
{
	if (target.len > 0 && target.p[target.len - 1] == '-' && slice_find(target, '?') < 0)
		target.len--;
	return (target);
}

/* Moves $args up to $uri, over the separator that stood between them. */
static struct slice
target_join(char *line, struct slice uri, struct slice args)
{
	char *to = line + (uri.p - line) + uri.len;

	if (args.len == 0)
		return (uri);
	*to++ = '?';
	memmove(to, args.p, args.len);
	uri.len += 1 + args.len;
	return (uri);
}

static void
target_fill(const struct format *f, char *line, const struct slice *fields, struct hit *hit)
{
	struct slice target = fields[FIELD_TARGET];

	if (f->step_of[FIELD_REQUEST] != NULL) {
		request_split(fields[FIELD_REQUEST], hit);
		return;
	}
	if (f->step_of[FIELD_TARGET]->has_args_mark)
		target = target_without_mark(target);
	if (f->step_of[FIELD_ARGS] != NULL)
		target = target_join(line, target, value(fields[FIELD_ARGS]));
	hit->method = value(fields[FIELD_METHOD]);
	hit->target = value(target);
}

static enum hit_drop
hit_fill(struct format *f, char *line, const struct slice *fields, struct hit *hit)
{
	if (!time_fill(f, fields[FIELD_TIME], hit))
		return (HIT_BAD_TIME);
	if (!status_fill(fields[FIELD_STATUS], hit))
		return (HIT_BAD_STATUS);
	target_fill(f, line, fields, hit);
	hit->bytes = bytes_of(fields[FIELD_BYTES]);
	hit->addr = value(fields[FIELD_ADDR]);
	hit->forwarded = value(fields[FIELD_FORWARDED]);
	hit->referrer = value(fields[FIELD_REFERRER]);
	hit->agent = value(fields[FIELD_AGENT]);
	hit->host = value(fields[FIELD_HOST]);
	hit->uid_got = value(fields[FIELD_UID_GOT]);
	hit->uid_set = value(fields[FIELD_UID_SET]);
	for (size_t i = 0; i < HIT_COOKIES_MAX; i++)
		hit->cookies[i] = value(fields[FIELD_COOKIE + i]);
	return (HIT_OK);
}

enum hit_drop
hit_parse(struct format *f, char *line, size_t len, struct hit *hit)
{
	SCRATCH struct slice fields[FIELDS];

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0)
		return (HIT_EMPTY);
	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = slice_make(line, 0);
	if (!nginx_read(f, line, len, fields))
		return (HIT_MALFORMED);
	return (hit_fill(f, line, fields, hit));
}
