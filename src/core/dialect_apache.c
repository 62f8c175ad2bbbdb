/*
 * dialect_apache: the strings of Apache's LogFormat, and lighttpd's accesslog.format.
 *
 * They may be given as they stand in the configuration, with \" for a quote.
 */
#include "core/hit_impl.h"
#include "core/hit_time.h"

#define TIME_TEXT_MAX 3		/* of what may stand between two parts of one time: "%{%T}t.%{msec_frac}t" */

static bool
msec_of(struct slice s, int64_t *ms)
{
	return (hit_time_unix(s, 1000, ms));
}

static bool
usec_of(struct slice s, int64_t *ms)
{
	return (hit_time_unix(s, 1000000, ms));
}

/* By name: without the modifiers between % and the letter, header names in small letters. */
static const struct variable variables[] = {
	{ "a", FIELD_ADDR, NULL, 0 },
	{ "h", FIELD_ADDR, NULL, 0 },
	{ "{c}a", FIELD_ADDR, NULL, 0 },
	{ "{x-forwarded-for}i", FIELD_FORWARDED, NULL, 0 },
	{ "{forwarded}i", FIELD_FORWARDED, NULL, 0 },
	{ "{cf-connecting-ip}i", FIELD_FORWARDED, NULL, 0 },
	{ "{true-client-ip}i", FIELD_FORWARDED, NULL, 0 },
	{ "{x-real-ip}i", FIELD_FORWARDED, NULL, 0 },
	{ "{usec}t", FIELD_TIME, usec_of, 0 },
	{ "{msec}t", FIELD_TIME, msec_of, 0 },
	{ "t", FIELD_TIME, hit_time_local, 0 },
	{ "{sec}t", FIELD_TIME, hit_time_msec, 0 },
	{ "{*}t", FIELD_TIME, NULL, 0 },	/* strftime's */
	{ "r", FIELD_REQUEST, NULL, 0 },
	{ "m", FIELD_METHOD, NULL, 0 },
	{ "U", FIELD_TARGET, NULL, HOW_PATH },
	{ "q", FIELD_ARGS, NULL, HOW_ARGS_MARK },
	{ "H", FIELD_PROTOCOL, NULL, 0 },
	{ "s", FIELD_STATUS, NULL, 0 },
	{ "B", FIELD_BYTES, NULL, 0 },
	{ "b", FIELD_BYTES, NULL, 0 },
	{ "O", FIELD_BYTES, NULL, 0 },
	{ "{referer}i", FIELD_REFERRER, NULL, 0 },
	{ "{user-agent}i", FIELD_AGENT, NULL, 0 },
	{ "{host}i", FIELD_HOST, NULL, 0 },
	{ "V", FIELD_HOST, NULL, 0 },
	{ "v", FIELD_HOST, NULL, 0 },
	{ "{cookie}i", FIELD_COOKIES, NULL, 0 },
};

/* What stands in a directive, between % and its end. */
struct directive {
	struct slice all;		/* as it was written */
	struct slice argument;		/* between the braces */
	bool has_argument;
	char letter;
};

static bool
is_modifier(char c)
{
	return (c == '<' || c == '>' || c == '!' || c == ',' || (c >= '0' && c <= '9'));
}

/* Takes one off the front of *rest, which begins with the percent sign. */
static int
take_directive(struct slice *rest, struct directive *d, struct err *err)
{
	struct slice s = slice_skip(*rest, 1), inside;
	ptrdiff_t close;

	*d = (struct directive){ .letter = '\0' };
	while (s.len > 0 && is_modifier(s.p[0]))
		s = slice_skip(s, 1);
	if (s.len > 0 && s.p[0] == '{' && (close = slice_find(s, '}')) > 0) {
		inside = slice_make(s.p + 1, (size_t)close - 1);
		d->argument = inside;
		d->has_argument = true;
		s = slice_skip(s, (size_t)close + 1);
		while (s.len > 0 && is_modifier(s.p[0]))
			s = slice_skip(s, 1);
	}
	if (s.len > 1 && s.p[0] == '^')		/* ^ti and ^to: trailers */
		s = slice_skip(s, 2);
	if (s.len == 0 || !((s.p[0] >= 'a' && s.p[0] <= 'z') || (s.p[0] >= 'A' && s.p[0] <= 'Z')))
		return (err_set(err, "log format: a directive's letter is missing at \"%.20s\"", rest->p));
	d->letter = s.p[0];
	s = slice_skip(s, 1);
	d->all = slice_make(rest->p, (size_t)(s.p - rest->p));
	*rest = s;
	return (0);
}

/* Of the time when the request began, which is what Apache logs unless told otherwise. */
static struct slice
time_argument(const struct directive *d)
{
	return (slice_skip(d->argument, slice_starts(d->argument, SLICE("begin:")) ? strlen("begin:") : 0));
}

static bool
is_whole_time(struct slice argument)
{
	return (slice_is(argument, "sec") || slice_is(argument, "msec") || slice_is(argument, "usec"));
}

static bool
named(const struct directive *d, const char *name)
{
	struct slice argument = d->letter == 't' ? time_argument(d) : d->argument, want = slice_of(name);
	bool braces = want.p[0] == '{';

	if (braces != d->has_argument || want.p[want.len - 1] != d->letter)
		return (false);
	return (!braces || slice_equal_nocase(argument, slice_make(want.p + 1, want.len - 3)));
}

static const struct variable *
variable_find(const struct format *f, const struct directive *d, struct slice pattern)
{
	if (d->has_argument && d->letter == 'C')
		return (variable_cookie(f, d->argument));
	if (pattern.len > 0 && !hit_time_pattern_check(pattern))
		return (&variable_unknown);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (pattern.len > 0 ? variables[i].field == FIELD_TIME && variables[i].time == NULL : named(d, variables[i].name))
			return (&variables[i]);
	return (&variable_unknown);
}

/* A part of a time, as "%{%d/%b/%Y %T}t" and "%{msec_frac}t". */
static bool
is_time_part(const struct directive *d)
{
	return (d->letter == 't' && d->has_argument && !is_whole_time(time_argument(d)));
}

/* People write one time as several, with a dot or a blank between: "%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t".
 * They are read as one, by the pattern that the parts give together. */
static void
join_times(struct pieces *s, struct directive *d, char *pattern, size_t *len)
{
	struct directive next;
	struct err err;

	*len = time_argument(d).len;
	memcpy(pattern, time_argument(d).p, *len);
	for (;;) {
		struct slice rest = s->rest;
		ptrdiff_t percent = slice_find(rest, '%');

		if (percent < 0 || percent > TIME_TEXT_MAX || memchr(rest.p, '"', (size_t)percent) != NULL ||
		    memchr(rest.p, '\\', (size_t)percent) != NULL)
			return;
		rest = slice_skip(rest, (size_t)percent);
		if (take_directive(&rest, &next, &err) != 0 || !is_time_part(&next))
			return;
		memcpy(pattern + *len, s->rest.p, (size_t)percent);
		*len += (size_t)percent;
		memcpy(pattern + *len, time_argument(&next).p, time_argument(&next).len);
		*len += time_argument(&next).len;
		d->all.len = (size_t)(rest.p - d->all.p);
		s->rest = rest;
	}
}

/* Text up to the next directive, as it stands in a line. */
static void
take_text(struct pieces *s)
{
	while (s->rest.len > 0) {
		char c = s->rest.p[0], next = s->rest.len > 1 ? s->rest.p[1] : '\0';
		size_t n = 1;

		if (c == '%' && next != '%')
			return;
		if (c == '%' || (c == '\\' && (next == '"' || next == '\\')))
			c = s->rest.p[n++];
		else if (c == '\\' && (next == 't' || next == 'n')) {
			c = next == 't' ? '\t' : '\n';
			n++;
		}
		*s->room++ = c;
		s->rest = slice_skip(s->rest, n);
	}
}

/* %t alone brings its brackets. */
static int
apache_next(struct pieces *s, struct piece *piece, struct err *err)
{
	struct directive d;

	*piece = (struct piece){ .text.p = s->room };
	if (s->is_open)
		*s->room++ = ']';
	s->is_open = false;
	take_text(s);
	piece->text.len = (size_t)(s->room - piece->text.p);
	if (s->rest.len == 0)
		return (0);
	if (take_directive(&s->rest, &d, err) != 0)
		return (-1);
	s->is_open = d.letter == 't' && !d.has_argument;
	if (s->is_open) {
		*s->room++ = '[';
		piece->text.len++;
	}
	if (is_time_part(&d)) {
		piece->pattern.p = s->room;
		join_times(s, &d, s->room, &piece->pattern.len);
		s->room += piece->pattern.len;
	}
	piece->variable = variable_find(s->format, &d, piece->pattern);
	piece->name = d.all;
	return (1);
}

const struct dialect dialect_apache = { "", apache_next };
