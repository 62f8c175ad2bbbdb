/*
 * hit_haproxy: HAProxy's httplog, with or without a syslog header in front.
 *
 *     192.0.2.7:56876 [22/Nov/2026:03:24:29.791] www app/app1 0/0/0/0/0 200 141 - - ---- 1/1/0/0/0 0/0
 *         {shop.example|https://r.example/|Mozilla/5.0 ...} "GET /lamp HTTP/1.1"
 *
 * What stands between the braces is what the configuration captures, without its name:
 * either the format tells the names, or each value is taken for what it looks like.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

#define CAPTURES_MAX 16
#define CUT_BYTES 900			/* of a line that HAProxy itself may have cut (its default is 1024 with the header) */

struct captures {
	enum field list[CAPTURES_MAX];
	size_t n;			/* 0: by their looks */
};

/* ---- captures -------------------------------------------------------------------- */

static bool
has_scheme(struct slice s)
{
	return (slice_starts(s, SLICE("http://")) || slice_starts(s, SLICE("https://")) ||
	    slice_starts(s, SLICE("android-app://")));
}

bool
looks_like_list(struct slice s)
{
	while (s.len > 0) {
		struct slice one = slice_cut(&s, ',');

		while (one.len > 0 && one.p[0] == ' ')
			one = slice_skip(one, 1);
		if (!looks_like_address(one) && !slice_is(one, "unknown"))
			return (false);
	}
	return (true);
}

static bool
looks_like_host(struct slice s, bool is_first)
{
	bool dot = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = ascii_lower(s.p[i]);

		if (c == '.' || c == ':')
			dot = true;
		else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '[' && c != ']')
			return (false);
	}
	return (dot || is_first);
}

/* A first value that is an address is the host by which a scanner came; anywhere else it is a proxy's list. */
static enum field
capture_looks(struct slice value, size_t i)
{
	if (has_scheme(value))
		return (FIELD_REFERRER);
	if (i > 0 && looks_like_list(value))
		return (FIELD_FORWARDED);
	if (looks_like_host(value, i == 0))
		return (FIELD_HOST);
	return (FIELD_AGENT);
}

static void
take_captures(const struct captures *c, struct slice values, struct cut *cut)
{
	for (size_t i = 0; values.len > 0; i++) {
		struct slice value = slice_cut(&values, '|');
		enum field field = FIELD_SKIP;

		if (value.len == 0)
			continue;
		if (c != NULL && c->n > 0)
			field = i < c->n ? c->list[i] : FIELD_SKIP;
		else
			field = capture_looks(value, i);
		if (cut->field[field].len == 0)
			cut->field[field] = value;
	}
}

/* ---- lines -------------------------------------------------------------------------- */

/* #22 is a quote. */
static void
hash_undo(char *line, struct slice *s)
{
	char *from, *to, *end;

	if (slice_find(*s, '#') < 0)
		return;
	from = to = line + (s->p - line);
	end = from + s->len;
	while (from < end)
		if (end - from >= 3 && *from == '#' && hex_digit(from[1]) >= 0 && hex_digit(from[2]) >= 0) {
			*to++ = (char)(hex_digit(from[1]) * 16 + hex_digit(from[2]));
			from += 3;
		} else
			*to++ = *from++;
	s->len = (size_t)(to - s->p);
}

/* The words between the time and the captures; *rest begins with the first. */
static bool
take_words(struct slice *rest, struct cut *cut)
{
	static const enum field fields[] = { FIELD_SKIP, FIELD_SKIP, FIELD_SKIP, FIELD_STATUS, FIELD_BYTES, FIELD_COOKIES,
	    FIELD_SKIP, FIELD_SKIP, FIELD_SKIP, FIELD_SKIP };

	for (size_t i = 0; i < N_ELEM(fields); i++) {
		struct slice word = slice_cut(rest, ' ');

		/* The timers, the connections and the queues are numbers with slashes between. */
		if (word.len == 0 || ((i == 2 || i == 8 || i == 9) && slice_find(word, '/') < 0))
			return (false);
		cut->field[fields[i]] = word;
	}
	return (true);
}

/* {...} of the request, and perhaps a second one of the response, which says nothing of who came. */
static bool
take_braces(const struct captures *c, struct slice *rest, struct cut *cut)
{
	for (int i = 0; rest->len > 0 && rest->p[0] == '{'; i++) {
		ptrdiff_t close = slice_find(*rest, '}');

		if (close < 0 || i == 2)
			return (false);
		if (i == 0)
			take_captures(c, slice_make(rest->p + 1, (size_t)close - 1), cut);
		*rest = slice_skip(*rest, (size_t)close + 1);
		if (rest->len > 0 && rest->p[0] == ' ')
			*rest = slice_skip(*rest, 1);
	}
	return (true);
}

/* A quote in it is #22, so that the next one ends it; httpslog has more behind it. */
static bool
take_request(struct slice rest, size_t len, struct cut *cut)
{
	ptrdiff_t close;

	if (rest.len == 0 || rest.p[0] != '"')
		return (false);
	rest = slice_skip(rest, 1);
	close = slice_find(rest, '"');
	if (close < 0 && len < CUT_BYTES)
		return (false);
	cut->field[FIELD_REQUEST] = close < 0 ? rest : slice_make(rest.p, (size_t)close);
	return (true);
}

enum hit_drop
haproxy_line(struct format *f, char *line, size_t len, struct cut *cut)
{
	const char *end = line + len, *bracket = clf_time_find(line, end), *close, *from;
	struct slice rest;

	if (bracket == NULL || bracket - line < 2 || bracket[-1] != ' ' || (close = memchr(bracket, ']', (size_t)(end - bracket))) == NULL)
		return (HIT_MALFORMED);
	from = memrchr(line, ' ', (size_t)(bracket - 1 - line));
	from = from != NULL ? from + 1 : line;
	cut->field[FIELD_ADDR] = slice_make(from, (size_t)(bracket - 1 - from));
	cut->field[FIELD_TIME] = slice_make(bracket + 1, (size_t)(close - bracket) - 1);
	rest = slice_skip(slice_make(close, (size_t)(end - close)), 2);
	if (!take_words(&rest, cut) || !take_braces(f->captures, &rest, cut) || !take_request(rest, len, cut))
		return (HIT_MALFORMED);
	for (size_t i = FIELD_SKIP + 1; memchr(line, '#', len) != NULL && i < FIELDS; i++)
		hash_undo(line, &cut->field[i]);
	if (slice_starts(cut->field[FIELD_REQUEST], SLICE("<BADREQ>")))
		cut->field[FIELD_REQUEST].len = 0;
	cut->how = HOW_PORT;
	cut->time = hit_time_haproxy;
	return (HIT_OK);
}

static enum field
capture_named(struct slice name)
{
	static const struct { const char *name; enum field field; } known[] = {
		{ "host", FIELD_HOST }, { "referer", FIELD_REFERRER }, { "user-agent", FIELD_AGENT },
		{ "x-forwarded-for", FIELD_FORWARDED }, { "forwarded", FIELD_FORWARDED }, { "cookie", FIELD_COOKIES },
	};

	for (size_t i = 0; i < N_ELEM(known); i++)
		if (slice_equal_nocase(name, slice_of(known[i].name)))
			return (known[i].field);
	return (FIELD_SKIP);
}

void
haproxy_compile(struct format *f, const char *captures)
{
	struct slice rest = slice_of(captures);

	f->read = haproxy_line;
	f->captures = mem_calloc(1, sizeof(*f->captures));
	f->has[FIELD_ADDR] = f->has[FIELD_TIME] = f->has[FIELD_REQUEST] = f->has[FIELD_STATUS] = f->has[FIELD_BYTES] = true;
	f->has[FIELD_COOKIES] = true;
	if (captures == NULL)
		f->has[FIELD_HOST] = f->has[FIELD_REFERRER] = f->has[FIELD_AGENT] = f->has[FIELD_FORWARDED] = true;
	while (rest.len > 0 && f->captures->n < CAPTURES_MAX) {
		enum field field = capture_named(slice_cut(&rest, '|'));

		f->captures->list[f->captures->n++] = field;
		f->has[field] = true;
	}
}

void
captures_free(struct captures **cp)
{
	free(*cp);
	*cp = NULL;
}
