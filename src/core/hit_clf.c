/*
 * hit_clf: lines that begin like the common log format, without being told what follows.
 *
 *     [HOST[:PORT] ]ADDRESS[, ADDRESS...] - USER [TIME] "REQUEST" STATUS BYTES[ "REFERRER" "AGENT"[ more]]
 *     ADDRESS HOST USER [TIME] ...			lighttpd
 *
 * What a line is depends on that line alone, so that it does not matter where reading begins,
 * or whether the server was set up anew in the middle of a file.  Each part is checked:
 * half a line with another one behind it is none.
 */
#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

#define TIME_LEN 26			/* 22/Nov/2026:03:20:55 +0000 */

struct line {
	const char *p, *end;		/* what is left of it */
	bool escapes;			/* a backslash hides a quote */
};

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

const char *
clf_time_find(const char *p, const char *end)
{
	for (; (p = byte_near(p, end, '[')) != NULL; p++) {
		if (end - p < 22)
			return (NULL);
		if (is_digit(p[1]) && p[3] == '/' && p[7] == '/' && is_digit(p[8]) && p[12] == ':' && p[15] == ':' && p[18] == ':')
			return (p);
	}
	return (NULL);
}

/* ---- in front of the time ------------------------------------------------------- */

/* An address, a list of them with ", " between, "-", "unix:", or a host's name. */
static struct slice
take_item(struct slice *head)
{
	const char *from = head->p;
	struct slice word;

	do
		word = slice_cut(head, ' ');
	while (word.len > 1 && word.p[word.len - 1] == ',' && head->len > 0);
	return (slice_make(from, (size_t)(word.p + word.len - from)));
}

static bool
is_client(struct slice s)
{
	return (looks_like_address(s) || slice_find(s, ',') >= 0 || slice_is(s, "-") || slice_is(s, "unix:") || slice_is(s, "unknown"));
}

/* Of a name or an address with a port perhaps. */
static bool
is_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = ascii_lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '.' && c != '-' && c != '_' && c != ':' && c != '[' && c != ']' && c != '%')
			return (false);
	}
	return (s.len > 0);
}

static struct slice
without_port(struct slice host)
{
	const char *colon = memrchr(host.p, ':', host.len);

	if (colon == NULL || colon + 1 == host.p + host.len || (host.p[0] != '[' && memchr(host.p, ':', (size_t)(colon - host.p)) != NULL))
		return (host);		/* an IPv6 address */
	for (const char *p = colon + 1; p < host.p + host.len; p++)
		if (!is_digit(*p))
			return (host);
	host.len = (size_t)(colon - host.p);
	return (host);
}

/* The user's name may have blanks; with " - " in it, it is the begin of another line. */
static bool
is_user(struct slice s)
{
	return (slice_find(s, ' ') < 0 || memmem(s.p, s.len, " - ", 3) == NULL);
}

static void
set_client(struct cut *cut, struct slice client)
{
	cut->field[slice_find(client, ',') >= 0 ? FIELD_FORWARDED : FIELD_ADDR] = client;
}

static bool
read_head(struct slice head, struct cut *cut, enum clf_kind *kind)
{
	struct slice first = take_item(&head), second;

	if (first.len == 0 || head.len == 0)
		return (false);
	if (slice_starts(head, SLICE("- "))) {
		set_client(cut, first);
		return ((is_client(first) || is_name(first)) && is_user(slice_skip(head, 2)));
	}
	second = take_item(&head);
	if (slice_starts(head, SLICE("- ")) && is_name(first) && is_client(second)) {
		cut->field[FIELD_HOST] = without_port(first);
		set_client(cut, second);
		*kind = CLF_HOST;
		return (is_user(slice_skip(head, 2)));
	}
	if (slice_find(head, ' ') >= 0 || head.len == 0 || !is_client(first) || !is_name(second))
		return (false);
	cut->field[FIELD_HOST] = without_port(second);
	set_client(cut, first);
	*kind = CLF_LIGHTTPD;
	return (true);
}

/* ---- behind it --------------------------------------------------------------------- */

static const char *
next_quote(const struct line *l, const char *from, const char *at)
{
	while ((at = byte_near(at, l->end, '"')) != NULL) {
		if (!l->escapes || at == from || at[-1] != '\\' || !is_escaped(from, at))
			return (at);
		at++;
	}
	return (NULL);
}

/* ` 200 512` behind a quote, at the end of the line or before a blank: its end, or NULL. */
static const char *
numbers_end(const char *p, const char *end)
{
	if (end - p < 6 || p[0] != ' ' || !is_digit(p[1]) || !is_digit(p[2]) || !is_digit(p[3]) || p[4] != ' ')
		return (NULL);
	p += 5;
	if (*p == '-')
		p++;
	else
		while (p < end && is_digit(*p))
			p++;
	return ((is_digit(p[-1]) || p[-1] == '-') && (p == end || *p == ' ') ? p : NULL);
}

/* The request, its status and its size. */
static bool
read_request(struct line *l, struct cut *cut)
{
	const char *from = l->p, *at = from, *end;

	while ((at = next_quote(l, from, at)) != NULL) {
		end = numbers_end(at + 1, l->end);
		if (end != NULL) {
			cut->field[FIELD_REQUEST] = slice_make(from, (size_t)(at - from));
			cut->field[FIELD_STATUS] = slice_make(at + 2, 3);
			cut->field[FIELD_BYTES] = slice_make(at + 6, (size_t)(end - at) - 6);
			l->p = end;
			return (true);
		}
		at++;
	}
	return (false);
}

/* Words, and what stands in quotes or brackets, with a blank between: what servers put behind an agent. */
static bool
read_more(const struct line *l, struct cut *cut)
{
	struct line rest = *l;

	while (rest.p < rest.end) {
		const char *from = rest.p + 1, *at;

		if (*rest.p != ' ')
			return (false);
		if (from == rest.end || *from != '"') {
			at = memchr(from, ' ', (size_t)(rest.end - from));
			at = at != NULL ? at : rest.end;
			if (memchr(from, '"', (size_t)(at - from)) != NULL)
				return (false);
			rest.p = at;
			continue;
		}
		from++;
		at = next_quote(&rest, from, from);
		if (at == NULL)
			return (false);
		if (cut->field[FIELD_FORWARDED].len == 0 && looks_like_list(slice_make(from, (size_t)(at - from))))
			cut->field[FIELD_FORWARDED] = slice_make(from, (size_t)(at - from));
		rest.p = at + 1;
	}
	return (true);
}

static bool
read_referrer(struct line *l, struct cut *cut)
{
	const char *from = l->p + 2, *at = from;

	if (l->end - l->p < 2 || l->p[1] != '"')
		return (false);
	while ((at = next_quote(l, from, at)) != NULL) {
		if (l->end - at > 2 && at[1] == ' ' && at[2] == '"') {
			cut->field[FIELD_REFERRER] = slice_make(from, (size_t)(at - from));
			l->p = at + 3;
			return (true);
		}
		at++;
	}
	return (false);
}

/* It ends at the first quote behind which what follows makes sense. */
static bool
read_agent(struct line *l, struct cut *cut, enum clf_kind *kind)
{
	struct slice forwarded = cut->field[FIELD_FORWARDED];
	const char *from = l->p, *at = from;

	while ((at = next_quote(l, from, at)) != NULL) {
		struct line rest = { at + 1, l->end, l->escapes };

		cut->field[FIELD_FORWARDED] = forwarded;
		if (at + 1 == l->end || (at[1] == ' ' && read_more(&rest, cut))) {
			cut->field[FIELD_AGENT] = slice_make(from, (size_t)(at - from));
			if (*kind == CLF_COMMON)
				*kind = at + 1 == l->end ? CLF_COMBINED : CLF_MORE;
			return (true);
		}
		at++;
	}
	return (false);
}

static bool
read_tail(struct line l, struct cut *cut, enum clf_kind *kind)
{
	if (!read_request(&l, cut))
		return (false);
	if (l.p == l.end)
		return (true);
	return (read_referrer(&l, cut) && read_agent(&l, cut, kind));
}

enum hit_drop
clf_read(char *line, size_t len, const char *bracket, struct cut *cut, enum clf_kind *kind)
{
	const char *end = line + len, *from;
	bool escapes = memchr(line, '\\', len) != NULL;
	SCRATCH struct cut empty;

	if (bracket - line < 4 || end - bracket < TIME_LEN + 4 || bracket[-1] != ' ')
		return (HIT_MALFORMED);
	from = bracket + 1 + TIME_LEN;
	if (memcmp(from, "] \"", 3) != 0)
		return (HIT_MALFORMED);
	*kind = CLF_COMMON;
	cut->field[FIELD_TIME] = slice_make(bracket + 1, TIME_LEN);
	cut->time = hit_time_local;
	from += 3;
	if (!read_head(slice_make(line, (size_t)(bracket - line) - 1), cut, kind) || clf_time_find(from, end) != NULL)
		return (HIT_MALFORMED);
	if (!escapes)
		return (read_tail((struct line){ from, end, false }, cut, kind) ? HIT_OK : HIT_MALFORMED);
	empty = *cut;
	if (!read_tail((struct line){ from, end, true }, cut, kind)) {
		*cut = empty;
		if (!read_tail((struct line){ from, end, false }, cut, kind))
			return (HIT_MALFORMED);
	}
	for (size_t i = FIELD_SKIP + 1; i < FIELDS; i++)
		hit_unescape(line, &cut->field[i], ESCAPES_ANY);
	return (HIT_OK);
}
