/*
 * hit_json: lines that are JSON objects, whatever their values are called.
 *
 * One walk over the line, without a tree and without an allocation: a value is a slice of
 * the line, and only those that somebody asks for are looked at.  jansson, which rpvd
 * reads webhooks with, builds the tree, needs ten times as long, and refuses lines that
 * web servers do write (bytes that are no UTF-8, nginx' \xHH).  So this reader forgives
 * what a string holds, and nothing of how the object is put together: a line that was cut
 * short is none.
 *
 * The lines of a log have the same keys nearly always, and mostly in the same order: what a
 * key stood for is remembered, with the key that followed it, and then only compared.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

#define DEPTH_MAX 8
#define MEMOS 256		/* a power of two */
#define KEY_MAX 40
#define PATH_BYTES 160

struct memo {			/* a key that was seen, in the object where it was */
	char key[KEY_MAX];	/* as it stood there */
	uint8_t len, path_len;
	bool is_dull;		/* an object that nobody asks for anything of */
	uint64_t id;		/* another one whenever the memo is set anew */
	uint64_t parent;	/* the id of the key whose object it is in; 0: none */
	const struct name *name;
	struct memo *next;	/* which key came after it the last time */
	char path[KEY_MAX];	/* normalised */
};

struct shape {
	struct memo memos[MEMOS];
	struct memo first;	/* no key: its next is the first one */
	uint64_t last_id;
};

struct scan {
	struct shape *shape;
	const struct names *names;
	const char *p, *end;
	struct cut *cut;
	struct memo *last;	/* the key before */
	const struct name *from[FIELDS];	/* which name filled it */
	char path[PATH_BYTES];	/* of the object that is read */
};

/* ---- pieces ------------------------------------------------------------------ */

static void
skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
}

static bool
take(struct scan *s, char c)
{
	skip_blanks(s);
	if (s->p == s->end || *s->p != c)
		return (false);
	s->p++;
	return (true);
}

/* What a string holds; s->p is behind its first quote, and then behind its last. */
static bool
take_string(struct scan *s, struct slice *out)
{
	const char *from = s->p, *at = from;

	while ((at = byte_near(at, s->end, '"')) != NULL) {
		if (at == from || at[-1] != '\\' || !is_escaped(from, at)) {
			*out = slice_make(from, (size_t)(at - from));
			s->p = at + 1;
			return (true);
		}
		at++;
	}
	return (false);
}

/* A number, or one of the three words; null is nothing. */
static bool
take_scalar(struct scan *s, struct slice *out)
{
	const char *from = s->p;

	while (s->p < s->end && ((*s->p >= '0' && *s->p <= '9') || (*s->p >= 'a' && *s->p <= 'z') || *s->p == '.' ||
	    *s->p == '-' || *s->p == '+' || *s->p == 'E'))
		s->p++;
	*out = slice_make(from, (size_t)(s->p - from));
	if (slice_is(*out, "null"))
		out->len = 0;
	return (s->p > from || (s->p < s->end && (*s->p == ',' || *s->p == '}')));	/* "status":, as nginx writes an absent one */
}

/* Over an object or an array whose first bracket is behind us. */
static bool
skip_nested(struct scan *s)
{
	struct slice ignored;

	for (int depth = 1; depth > 0;) {
		if (s->p == s->end)
			return (false);
		switch (*s->p++) {
		case '"':
			if (!take_string(s, &ignored))
				return (false);
			break;
		case '{': case '[':
			depth++;
			break;
		case '}': case ']':
			depth--;
			break;
		default:
			break;
		}
	}
	return (true);
}

/* ---- keys ----------------------------------------------------------------------- */

/* Response headers and the like: many keys, none of which says what was asked for. */
static bool
is_dull(struct slice path)
{
	return (slice_is(path, "respheaders") || slice_is(path, "requesttls") || slice_is(path, "tls") ||
	    slice_is(path, "responseheaders") || slice_is(path, "resheaders"));
}

/* Spreads keys over the memos, and nothing more: who makes them collide is only slow. */
static size_t
memo_slot(struct slice key, uint64_t parent)
{
	uint64_t a = 0, b = 0;

	if (key.len >= 8) {
		memcpy(&a, key.p, 8);
		memcpy(&b, key.p + key.len - 8, 8);
	} else if (key.len >= 4) {
		memcpy(&a, key.p, 4);
		memcpy(&b, key.p + key.len - 4, 4);
	} else if (key.len > 0) {
		a = (unsigned char)key.p[0];
		b = (unsigned char)key.p[key.len - 1];
	}
	a = (a ^ (b << 7 | b >> 57) ^ key.len ^ parent << 32) * UINT64_C(0x9e3779b97f4a7c15);
	return ((a >> 40) % MEMOS);
}

static void
memo_set(struct scan *s, struct memo *m, struct slice key, uint64_t parent, size_t before, size_t path_len)
{
	struct slice path = slice_make(s->path, path_len);

	m->name = names_find(s->names, path);
	m->is_dull = is_dull(path);
	m->id = ++s->shape->last_id;
	m->parent = parent;
	m->len = 0;
	m->next = NULL;
	m->path_len = (uint8_t)(path_len - before < KEY_MAX ? path_len - before : KEY_MAX);
	memcpy(m->path, s->path + before, m->path_len);
	if (key.len > KEY_MAX)
		return;			/* looked up each time */
	memcpy(m->key, key.p, key.len);
	m->len = (uint8_t)key.len;
}

/* Its part of the path.  What Traefik calls request_User-Agent is a header: a visitor who sends one named Uri
 * says nothing of the request's. */
static size_t
key_normalise(const struct scan *s, struct slice key, char *out, size_t room)
{
	static const char request[] = "request_", headers[] = "requestheaders";
	size_t n = sizeof(headers) - 1;

	if (out != s->path || key.len < sizeof(request) || !slice_starts(key, SLICE(request)) ||
	    key.p[sizeof(request) - 1] < 'A' || key.p[sizeof(request) - 1] > 'Z')
		return (name_normalise(key, out, room));
	memcpy(out, headers, n);
	return (n + name_normalise(slice_skip(key, sizeof(request) - 1), out + n, room - n));
}

/* The key that came next the last time, if it does so again; s->p is behind its first quote. */
static inline struct memo *
key_expected(const struct scan *s, uint64_t parent)
{
	struct memo *m = s->last->next;

	if (m == NULL || m->len == 0 || m->parent != parent || s->end - s->p <= m->len || s->p[m->len] != '"' ||
	    memcmp(s->p, m->key, m->len) != 0)
		return (NULL);
	return (m);
}

/* What a key stands for.  parent, path_len: the object's. */
static struct memo *
take_key(struct scan *s, uint64_t parent, size_t path_len)
{
	struct memo *m = key_expected(s, parent);
	struct slice key;

	if (m != NULL)
		s->p += m->len + 1;
	else {
		if (!take_string(s, &key))
			return (NULL);
		m = &s->shape->memos[memo_slot(key, parent)];
		if (m->len == 0 || m->len != key.len || m->parent != parent || memcmp(m->key, key.p, key.len) != 0)
			memo_set(s, m, key, parent, path_len,
			    path_len + key_normalise(s, key, s->path + path_len, PATH_BYTES - path_len));
		s->last->next = m;
	}
	s->last = m;
	return (m);
}

/* ---- values ---------------------------------------------------------------------- */

static void
fill(struct scan *s, const struct name *name, struct slice value)
{
	enum field field = name->field;

	if (hit_value(value).len == 0 || (s->from[field] != NULL && s->from[field] <= name))
		return;
	s->from[field] = name;
	s->cut->field[field] = value;
}

static bool scan_object(struct scan *, const struct memo *, size_t path_len, int depth);

/* The first of several, as Caddy has a header's values. */
static bool
take_array(struct scan *s, struct slice *out)
{
	skip_blanks(s);
	if (s->p < s->end && *s->p == '"') {
		s->p++;
		if (!take_string(s, out))
			return (false);
	}
	return (skip_nested(s));
}

static bool
take_value(struct scan *s, const struct memo *m, size_t path_len, int depth)
{
	struct slice value = slice_make(s->p, 0);
	bool ok;

	skip_blanks(s);
	if (s->p == s->end)
		return (false);
	switch (*s->p) {
	case '"':
		s->p++;
		ok = take_string(s, &value);
		break;
	case '{':
		s->p++;
		return (depth == DEPTH_MAX || m->is_dull ? skip_nested(s) : scan_object(s, m, path_len, depth + 1));
	case '[':
		s->p++;
		ok = take_array(s, &value);
		break;
	default:
		ok = take_scalar(s, &value);
	}
	if (ok && m->name != NULL)
		fill(s, m->name, value);
	return (ok);
}

/* Its first brace is behind us.  m: the key that it is the value of; path_len: of the path to that. */
static bool
scan_object(struct scan *s, const struct memo *m, size_t path_len, int depth)
{
	uint64_t parent = m->id;
	const struct memo *key;

	must(path_len + m->path_len <= PATH_BYTES);
	memcpy(s->path + path_len, m->path, m->path_len);	/* the memo may become another's meanwhile */
	path_len += m->path_len;
	if (take(s, '}'))
		return (true);
	do {
		if (!take(s, '"') || (key = take_key(s, parent, path_len)) == NULL)
			return (false);
		if (!take(s, ':') || !take_value(s, key, path_len, depth))
			return (false);
	} while (take(s, ','));
	return (take(s, '}'));
}

/* ---- escapes ------------------------------------------------------------------------ */

static bool
hex4(const char *p, const char *end, uint32_t *value)
{
	uint32_t sum = 0;

	if (end - p < 4)
		return (false);
	for (int i = 0; i < 4; i++) {
		if (hex_digit(p[i]) < 0)
			return (false);
		sum = sum << 4 | (uint32_t)hex_digit(p[i]);
	}
	*value = sum;
	return (true);
}

static char *
put_utf8(char *to, uint32_t c)
{
	if (c < 0x80)
		*to++ = (char)c;
	else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return (to);
}

/* \uHHHH, two of them for what is beyond 16 bits; half a pair is no character. */
static const char *
undo_unicode(const char *p, const char *end, char **to)
{
	uint32_t c, low;

	if (!hex4(p + 2, end, &c))
		return (NULL);
	p += 6;
	if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' && hex4(p + 2, end, &low) &&
	    low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	} else if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	*to = put_utf8(*to, c);
	return (p);
}

/* One escape; p is at its backslash.  NULL where it is none. */
static const char *
undo_escape(const char *p, const char *end, char **to)
{
	static const char letters[] = "\"\"\\\\//n\nt\tr\rb\bf\f";

	if (end - p < 2)
		return (NULL);
	if (p[1] == 'u')
		return (undo_unicode(p, end, to));
	if (p[1] == 'x' && end - p >= 4 && hex_digit(p[2]) >= 0 && hex_digit(p[3]) >= 0) {
		*(*to)++ = (char)(hex_digit(p[2]) * 16 + hex_digit(p[3]));	/* nginx without escape=json */
		return (p + 4);
	}
	for (size_t i = 0; i < sizeof(letters) - 1; i += 2)
		if (p[1] == letters[i]) {
			*(*to)++ = letters[i + 1];
			return (p + 2);
		}
	return (NULL);
}

void
json_unescape(char *line, struct slice *s)
{
	ptrdiff_t first = slice_find(*s, '\\');
	const char *p, *end = s->p + s->len, *next;
	char *to;

	if (first < 0)
		return;
	p = s->p + first;
	to = line + (p - line);
	while (p < end) {
		next = *p == '\\' ? undo_escape(p, end, &to) : NULL;
		if (next == NULL)
			*to++ = *p++;
		else
			p = next;
	}
	s->len = (size_t)(to - s->p);
}

/* ---- lines ------------------------------------------------------------------------- */

/* Some call the path a request. */
static void
request_is_target(struct cut *cut)
{
	struct slice *request = &cut->field[FIELD_REQUEST];

	if (request->len == 0 || request->p[0] != '/' || slice_find(*request, ' ') >= 0)
		return;
	cut->field[FIELD_TARGET] = *request;
	cut->how |= HOW_PATH;
	request->len = 0;
}

enum hit_drop
json_line(struct format *f, char *line, size_t len, struct cut *cut)
{
	SCRATCH struct scan s;
	bool escapes = memchr(line, '\\', len) != NULL;

	s.shape = f->shape;
	s.names = f->names;
	s.p = line;
	s.end = line + len;
	s.cut = cut;
	s.last = &f->shape->first;
	memset(s.from, 0, sizeof(s.from));
	if (!take(&s, '{') || !scan_object(&s, &f->shape->first, 0, 0))
		return (HIT_MALFORMED);
	skip_blanks(&s);
	if (s.p != s.end)
		return (HIT_MALFORMED);
	for (size_t i = FIELD_SKIP + 1; i < FIELDS; i++)
		if (s.from[i] != NULL) {
			cut->how |= s.from[i]->how;
			if (escapes)
				json_unescape(line, &cut->field[i]);
		}
	if (s.from[FIELD_REQUEST] != NULL && s.from[FIELD_TARGET] == NULL)
		request_is_target(cut);
	if ((cut->how & HOW_PATH) != 0 && slice_find(cut->field[FIELD_TARGET], '?') >= 0)
		cut->how &= ~(unsigned)HOW_PATH;	/* it is whole */
	if (s.from[FIELD_METHOD] == NULL && s.from[FIELD_REQUEST] == NULL)
		cut->how |= HOW_GET;
	cut->time = hit_time_any;
	return (HIT_OK);
}

void
json_compile(struct format *f)
{
	f->read = json_line;
	f->shape = mem_calloc(1, sizeof(*f->shape));
	f->names = names_new(NAMES_JSON, f);
	format_has_all(f);
}

void
shape_free(struct shape **sp)
{
	free(*sp);
	*sp = NULL;
}
