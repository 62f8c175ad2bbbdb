/*
 * hit: see hit.h.
 *
 * Two halves that meet in the array of fields: a front end (hit_steps.c, hit_json.c and
 * their like; format.c picks it) finds the fields of a line and undoes its escapes, and
 * hit_fill() knows what the fields mean, whatever the line looked like.
 */
#include "core/hit.h"

#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

const char *
hit_drop_name(enum hit_drop drop)
{
	static const char *const names[HIT_DROPS] = { "ok", "empty", "malformed", "bad_time", "bad_status", "future" };

	must(drop < HIT_DROPS);
	return (names[drop]);
}

/* ---- escapes ---------------------------------------------------------------- */

int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* The byte that the escape at p stands for; the result is its length, 0 where it is none. */
static size_t
escape_read(const char *p, const char *end, enum escapes escapes, char *byte)
{
	static const char letters[] = "n\nt\tr\rb\bv\v";

	if (end - p >= 2 && (p[1] == '"' || p[1] == '\\')) {
		*byte = p[1];
		return (2);
	}
	if (end - p >= 6 && memcmp(p + 1, "u00", 3) == 0 && hex_digit(p[4]) >= 0 && hex_digit(p[5]) >= 0) {
		*byte = (char)(hex_digit(p[4]) * 16 + hex_digit(p[5]));	/* nginx, escape=json: a control byte */
		return (6);
	}
	for (size_t i = 0; escapes == ESCAPES_APACHE && end - p >= 2 && i < sizeof(letters) - 1; i += 2)
		if (p[1] == letters[i]) {
			*byte = letters[i + 1];
			return (2);
		}
	if (end - p < 4 || p[1] != 'x' || hex_digit(p[2]) < 0 || hex_digit(p[3]) < 0)
		return (0);
	*byte = (char)(hex_digit(p[2]) * 16 + hex_digit(p[3]));
	return (4);
}

/* nginx writes \xHH; Apache also \" and \\.  Both are undone once, in place. */
void
hit_unescape(char *line, struct slice *s, enum escapes escapes)
{
	char *from, *to, *end, byte;

	if (slice_find(*s, '\\') < 0)
		return;
	from = to = line + (s->p - line);
	end = from + s->len;
	while (from < end) {
		size_t n = *from == '\\' ? escape_read(from, end, escapes, &byte) : 0;

		if (n == 0) {
			byte = *from;
			n = 1;
		}
		*to++ = byte;
		from += n;
	}
	s->len = (size_t)(to - s->p);
}

/* ---- what the fields mean ----------------------------------------------------- */

/* Most lines carry the very stamp of the line before. */
static bool
time_fill(struct format *f, const struct cut *cut, struct hit *hit)
{
	struct slice stamp = cut->field[FIELD_TIME];

	if (stamp.len == f->stamp_len && stamp.len > 0 && memcmp(stamp.p, f->stamp, stamp.len) == 0 &&
	    cut->time == f->stamp_time) {
		hit->time_ms = f->stamp_ms;
		return (true);
	}
	if (cut->time != NULL ? !cut->time(stamp, &hit->time_ms) : !hit_time_pattern(cut->pattern, stamp, &hit->time_ms))
		return (false);
	if (stamp.len <= STAMP_MAX) {
		memcpy(f->stamp, stamp.p, stamp.len);
		f->stamp_len = stamp.len;
		f->stamp_time = cut->time;
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

/* "GET /a b HTTP/1.1": whatever it was, the last word is the protocol. */
static struct slice
last_word(struct slice s)
{
	const char *space = s.len > 0 ? memrchr(s.p, ' ', s.len) : NULL;

	if (space != NULL)
		s = slice_skip(s, (size_t)(space + 1 - s.p));
	if (!slice_starts(s, SLICE("HTTP/")))
		s.len = 0;
	return (s);
}

/* "GET /lamp HTTP/1.1": garbage without a space has no method and no target. */
static void
request_split(struct slice request, struct hit *hit)
{
	ptrdiff_t space = slice_find(request, ' ');
	struct slice rest;

	hit->method = hit->target = hit->protocol = slice_make(request.p, 0);
	if (space < 0)
		return;
	hit->method.len = (size_t)space;
	rest = slice_skip(request, (size_t)space + 1);
	hit->target = slice_cut(&rest, ' ');
	hit->protocol = rest;
	if (!slice_starts(rest, SLICE("HTTP/")))
		hit->protocol = last_word(rest);
}

/* nginx writes an absent $args as "-", so that $uri$is_args$args reads "/lamp-". */
static struct slice
target_without_mark(struct slice target)
{
	if (target.len > 0 && target.p[target.len - 1] == '-' && slice_find(target, '?') < 0)
		target.len--;
	return (target);
}

static void
reverse(char *p, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		char c = p[i];

		p[i] = p[len - 1 - i];
		p[len - 1 - i] = c;
	}
}

/* What stood in [from, to) stands `by` bytes further now. */
static void
fields_move(struct cut *cut, const char *from, const char *to, ptrdiff_t by)
{
	for (size_t i = FIELD_SKIP + 1; i < FIELDS; i++)
		if (cut->field[i].len > 0 && cut->field[i].p >= from && cut->field[i].p < to)
			cut->field[i].p += by;
}

/* The arguments go behind the path, over the byte that closed it; what stood between moves up. */
static struct slice
args_move_down(char *line, struct cut *cut, struct slice path, struct slice args)
{
	char *at = line + (path.p - line) + path.len + 1, *end = line + (args.p - line) + args.len;
	size_t between = (size_t)(args.p - at);

	fields_move(cut, at, at + between, (ptrdiff_t)args.len);
	reverse(at, between);
	reverse(at + between, args.len);
	reverse(at, (size_t)(end - at));
	at[-1] = '?';
	path.len += 1 + args.len;
	return (path);
}

/* They stood in front of it: the path goes there, and they move up behind it by one byte. */
static struct slice
args_move_up(char *line, struct cut *cut, struct slice path, struct slice args)
{
	char *at = line + (args.p - line), *behind = at + args.len;
	size_t between = (size_t)(path.p - behind);

	fields_move(cut, behind, behind + between, (ptrdiff_t)path.len);
	reverse(at, args.len + between);
	reverse(at + args.len + between, path.len);
	reverse(at, args.len + between + path.len);	/* path, arguments, what stood between */
	memmove(at + path.len + 1, at + path.len, args.len);
	at[path.len] = '?';
	return (slice_make(at, path.len + 1 + args.len));
}

static struct slice
target_join(char *line, struct cut *cut, struct slice path, struct slice args)
{
	if ((cut->how & HOW_ARGS_MARK) != 0 || slice_starts(args, SLICE("?")))
		args = slice_skip(args, 1);
	if (args.len == 0 || path.len == 0)
		return (path);
	/* One byte between the two is where the question mark goes. */
	if (args.p > path.p + path.len)
		return (args_move_down(line, cut, path, args));
	if (path.p > args.p + args.len)
		return (args_move_up(line, cut, path, args));
	return (path);
}

static void
target_fill(char *line, struct cut *cut, struct hit *hit)
{
	struct slice target;

	if (cut->field[FIELD_REQUEST].len > 0) {
		request_split(cut->field[FIELD_REQUEST], hit);
		return;
	}
	target = cut->field[FIELD_TARGET];
	if ((cut->how & HOW_IS_ARGS) != 0)
		target = target_without_mark(target);
	else if ((cut->how & HOW_PATH) != 0)
		target = target_join(line, cut, hit_value(target), hit_value(cut->field[FIELD_ARGS]));
	hit->target = hit_value(target);
	hit->method = hit_value(cut->field[FIELD_METHOD]);
	if ((cut->how & HOW_GET) != 0 && hit->target.len > 0)
		hit->method = SLICE("GET");
	hit->protocol = hit_value(cut->field[FIELD_PROTOCOL]);
}

/* 192.0.2.7:4567, [2001:db8::1]:80, and as HAProxy writes it, 2001:db8::1:80. */
static struct slice
without_port(struct slice addr)
{
	const char *colon = addr.len > 0 ? memrchr(addr.p, ':', addr.len) : NULL;

	if (colon != NULL)
		addr.len = (size_t)(colon - addr.p);
	if (addr.len > 2 && addr.p[0] == '[' && addr.p[addr.len - 1] == ']')
		return (slice_make(addr.p + 1, addr.len - 2));
	return (addr);
}

/* The value of a cookie in the whole header. */
static struct slice
cookie_find(struct slice cookies, const char *name)
{
	struct slice want = slice_of(name);

	while (cookies.len > 0) {
		struct slice value = slice_cut(&cookies, ';'), is;

		while (value.len > 0 && (value.p[0] == ' ' || value.p[0] == '+'))
			value = slice_skip(value, 1);
		is = slice_cut(&value, '=');
		if (slice_equal_nocase(is, want))
			return (value);
	}
	return (slice_make(cookies.p, 0));
}

static void
cookies_fill(const struct format *f, const struct cut *cut, struct hit *hit)
{
	struct slice header = hit_value(cut->field[FIELD_COOKIES]);

	hit->cookie_header = header;
	for (size_t i = 0; i < HIT_COOKIES_MAX; i++)
		hit->cookies[i] = hit_value(cut->field[FIELD_COOKIE + i]);
	if (header.len == 0)
		return;
	for (size_t i = 0; i < f->n_cookies; i++)
		if (hit->cookies[i].len == 0)
			hit->cookies[i] = cookie_find(header, f->cookies[i]);
}

static enum hit_drop
hit_fill(struct format *f, char *line, struct cut *cut, struct hit *hit)
{
	if (!time_fill(f, cut, hit))
		return (HIT_BAD_TIME);
	if (!status_fill(cut->field[FIELD_STATUS], hit))
		return (HIT_BAD_STATUS);
	target_fill(line, cut, hit);
	hit->bytes = bytes_of(cut->field[FIELD_BYTES]);
	hit->addr = hit_value(cut->field[FIELD_ADDR]);
	if ((cut->how & HOW_PORT) != 0)
		hit->addr = without_port(hit->addr);
	hit->forwarded = hit_value(cut->field[FIELD_FORWARDED]);
	hit->referrer = hit_value(cut->field[FIELD_REFERRER]);
	hit->agent = hit_value(cut->field[FIELD_AGENT]);
	hit->host = hit_value(cut->field[FIELD_HOST]);
	hit->uid_got = hit_value(cut->field[FIELD_UID_GOT]);
	hit->uid_set = hit_value(cut->field[FIELD_UID_SET]);
	cookies_fill(f, cut, hit);
	return (HIT_OK);
}

enum hit_drop
hit_parse(struct format *f, char *line, size_t len, struct hit *hit)
{
	SCRATCH struct cut cut;
	enum hit_drop drop;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0)
		return (HIT_EMPTY);
	for (size_t i = 0; i < FIELDS; i++)
		cut.field[i] = slice_make(line, 0);
	cut.how = 0;
	cut.time = NULL;
	cut.pattern = NULL;
	drop = f->read(f, line, len, &cut);
	return (drop == HIT_OK ? hit_fill(f, line, &cut, hit) : drop);
}
