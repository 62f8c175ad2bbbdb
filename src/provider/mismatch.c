/*
 * mismatch: see mismatch.h.
 */
#include "provider/mismatch.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define SECRETS_MAX 16
#define DEPTH_MAX 64

/* ---- changes, undone ------------------------------------------------------- */

/* Each puts what the body may have been before; nothing where it cannot have been changed so. */
typedef void undo_fn(struct slice body, struct buf *out);

static bool
is_blank(char c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

static void
without_end(struct slice body, struct buf *out)
{
	size_t len = body.len;

	while (len > 0 && is_blank(body.p[len - 1]))
		len--;
	if (len < body.len)
		buf_put(out, body.p, len);
}

static void
with_newline(struct slice body, struct buf *out)
{
	buf_put(out, body.p, body.len);
	buf_putc(out, '\n');
}

static void
with_crlf(struct slice body, struct buf *out)
{
	for (size_t i = 0; i < body.len; i++) {
		if (body.p[i] == '\n')
			buf_putc(out, '\r');
		buf_putc(out, body.p[i]);
	}
}

static void
with_lf(struct slice body, struct buf *out)
{
	for (size_t i = 0; i < body.len; i++)
		if (body.p[i] != '\r')
			buf_putc(out, body.p[i]);
}

static void
without_bom(struct slice body, struct buf *out)
{
	if (slice_starts(body, SLICE("\xef\xbb\xbf")))
		buf_put(out, body.p + 3, body.len - 3);
}

/* Bytes that were taken for Latin-1 and written as UTF-8 once more. */
static void
not_encoded_twice(struct slice body, struct buf *out)
{
	for (size_t i = 0; i < body.len; i++) {
		unsigned char c = (unsigned char)body.p[i];

		if ((c == 0xc2 || c == 0xc3) && i + 1 < body.len)
			c = (unsigned char)((c & 3) << 6 | (body.p[++i] & 0x3f));
		buf_putc(out, (char)c);
	}
}

/* The other way round: UTF-8 that came as Latin-1. */
static void
encoded_again(struct slice body, struct buf *out)
{
	for (size_t i = 0; i < body.len; i++) {
		unsigned char c = (unsigned char)body.p[i];

		if (c >= 0x80)
			buf_putc(out, (char)(0xc0 | c >> 6));
		buf_putc(out, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
	}
}

/* ---- JSON, as others write it ---- */

/* From one writer's form to another's, byte by byte: these are bytes of a stranger, who is not
 * given a parser. */
enum form { COMPACT = 0, SLASHES = 1, ASCII = 2, INDENTED = 4, SPACED = 8 };

struct writer {
	unsigned form;
	unsigned depth;
	struct buf *out;
};

static void
new_line(struct writer *w)
{
	if ((w->form & INDENTED) == 0)
		return;
	buf_putc(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_puts(w->out, "  ");
}

/* How many bytes the UTF-8 sequence at p has, and what it stands for; 1 and the byte where it is none. */
static size_t
code_point(const char *p, size_t len, uint32_t *code)
{
	unsigned char c = (unsigned char)p[0];
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

	*code = c;
	if (n == 1 || n > len)
		return (1);
	*code = c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		*code = *code << 6 | (p[i] & 0x3f);
	return (n);
}

static size_t
put_escaped(struct writer *w, const char *p, size_t len)
{
	uint32_t code;
	size_t n = code_point(p, len, &code);

	if (code < 0x10000)
		buf_printf(w->out, "\\u%04x", (unsigned)code);
	else
		buf_printf(w->out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((code - 0x10000) >> 10 & 0x3ff)), (unsigned)(0xdc00 + (code & 0x3ff)));
	return (n);
}

/* A string from its first quote on; how many bytes it has. */
static size_t
put_string(struct writer *w, const char *p, size_t len)
{
	size_t i = 1;

	buf_putc(w->out, '"');
	while (i < len && p[i] != '"') {
		if (p[i] == '\\' && i + 1 < len) {
			if (p[i + 1] != '/')
				buf_putc(w->out, '\\');
			else if ((w->form & SLASHES) != 0)
				buf_putc(w->out, '\\');
			buf_putc(w->out, p[i + 1]);
			i += 2;
		} else if ((p[i] & 0x80) != 0 && (w->form & ASCII) != 0)
			i += put_escaped(w, p + i, len - i);
		else {
			if (p[i] == '/' && (w->form & SLASHES) != 0)
				buf_putc(w->out, '\\');
			buf_putc(w->out, p[i++]);
		}
	}
	buf_putc(w->out, '"');
	return (i + 1);
}

static void
put_mark(struct writer *w, char c, char next)
{
	bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
	char before = w->out->len > 0 ? w->out->p[w->out->len - 1] : '\0';

	w->depth -= closes && w->depth > 0;
	if (closes && before != '{' && before != '[')
		new_line(w);
	buf_putc(w->out, c);
	w->depth += opens;
	if ((opens && next != '}' && next != ']') || c == ',')
		new_line(w);
	if ((c == ':' && (w->form & (INDENTED | SPACED)) != 0) || (c == ',' && (w->form & SPACED) != 0))
		buf_putc(w->out, ' ');
}

static size_t
skip_blanks(struct slice s, size_t i)
{
	while (i < s.len && is_blank(s.p[i]))
		i++;
	return (i);
}

static void
written_anew(struct slice body, unsigned form, struct buf *out)
{
	struct writer w = { form, 0, out };

	for (size_t i = skip_blanks(body, 0); i < body.len && out->len < 4 * MISMATCH_BODY_MAX; i = skip_blanks(body, i)) {
		size_t next = skip_blanks(body, i + 1);

		if (w.depth > DEPTH_MAX)
			break;
		if (body.p[i] == '"')
			i += put_string(&w, body.p + i, body.len - i);
		else
			put_mark(&w, body.p[i++], next < body.len ? body.p[next] : '\0');
	}
}

static void
compact(struct slice body, struct buf *out)
{
	written_anew(body, COMPACT, out);
}

static void
compact_ascii(struct slice body, struct buf *out)
{
	written_anew(body, ASCII, out);
}

static void
compact_slashes(struct slice body, struct buf *out)
{
	written_anew(body, SLASHES, out);
}

/* As PHP writes. */
static void
compact_php(struct slice body, struct buf *out)
{
	written_anew(body, SLASHES | ASCII, out);
}

/* As Stripe writes. */
static void
indented(struct slice body, struct buf *out)
{
	written_anew(body, INDENTED, out);
}

/* As Python writes. */
static void
spaced(struct slice body, struct buf *out)
{
	written_anew(body, SPACED | ASCII, out);
}

static const char end_changed[] = "the end of the body was changed on the way (a blank or a newline); have the web server pass it on as it came";
static const char lines_changed[] = "the line ends of the body were changed on the way; have the web server pass it on as it came";
static const char charset_changed[] = "the character set of the body was changed on the way; have the web server pass it on as it came";
static const char json_changed[] = "the JSON of the body was written anew on the way; have the web server pass it on as it came";

static const struct { undo_fn *undo; const char *hint; } changes[] = {
	{ without_end, end_changed },
	{ with_newline, end_changed },
	{ with_lf, lines_changed },
	{ with_crlf, lines_changed },
	{ without_bom, charset_changed },
	{ not_encoded_twice, charset_changed },
	{ encoded_again, charset_changed },
	{ compact, json_changed },
	{ compact_ascii, json_changed },
	{ compact_slashes, json_changed },
	{ compact_php, json_changed },
	{ indented, json_changed },
	{ spaced, json_changed },
};

/* ---- trying ------------------------------------------------------------------ */

/* d is too large for the stack. */
static bool
fits(const struct provider *provider, const struct provider_conf *conf, const struct request *req, struct delivery *d)
{
	provider->read(conf, req, d);
	delivery_free(d);
	return (d->secret_index >= 0);
}

static const char *
body_hint(const struct provider *provider, const struct provider_conf *conf, const struct request *req, struct delivery *d)
{
	struct request changed = *req;
	struct buf body = { 0 };
	const char *hint = NULL;

	for (size_t i = 0; i < N_ELEM(changes) && hint == NULL; i++) {
		body.len = 0;
		changes[i].undo(req->body, &body);
		changed.body = buf_view(&body);
		if (body.len > 0 && !slice_equal(changed.body, req->body) && fits(provider, conf, &changed, d))
			hint = changes[i].hint;
	}
	buf_free(&body);
	return (hint);
}

static struct slice
unquoted(struct slice s)
{
	while (s.len > 0 && is_blank(s.p[0]))
		s = slice_skip(s, 1);
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	if (s.len > 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.len - 1] == s.p[0])
		s = slice_make(s.p + 1, s.len - 2);
	return (s);
}

static const char *
secret_hint(const struct provider *provider, const struct provider_conf *conf, const struct request *req, struct delivery *d)
{
	struct slice secrets[SECRETS_MAX];
	struct provider_conf changed = *conf;
	bool any = false;

	changed.secrets = secrets;
	if (changed.n_secrets > SECRETS_MAX)
		changed.n_secrets = SECRETS_MAX;
	for (size_t i = 0; i < changed.n_secrets; i++) {
		secrets[i] = unquoted(conf->secrets[i]);
		any |= secrets[i].len < conf->secrets[i].len;
	}
	if (!any || !fits(provider, &changed, req, d))
		return (NULL);
	return ("the secret file has blanks or quotes around the secret, which count as part of it; take them out");
}

/* Square's address as it is mistaken most: another scheme, a slash more or less at its end. */
static const char *
url_hint(const struct provider *provider, const struct provider_conf *conf, const struct request *req, struct delivery *d)
{
	struct slice url = conf->notification_url, rest = url;
	bool is_https = slice_starts(url, SLICE("https"));
	struct provider_conf changed = *conf;
	bool found = false;

	if (url.len == 0)
		return (NULL);
	if (slice_ends(rest, SLICE("/")))
		rest.len--;
	rest = slice_skip(rest, is_https ? 5 : 4);
	for (int i = 0; i < 4 && !found; i++) {
		struct buf other = { 0 };

		buf_printf(&other, "%s%.*s%s", i & 1 ? "http" : "https", SLICE_FMT(rest), i & 2 ? "/" : "");
		changed.notification_url = buf_view(&other);
		found = fits(provider, &changed, req, d);
		buf_free(&other);
	}
	if (!found)
		return (NULL);
	return ("notification_url is not what was typed into the subscription: look at its scheme, and at the slash at its end");
}

const char *
mismatch_hint(const struct provider *provider, const struct provider_conf *conf, const struct request *req)
{
	struct delivery *d;
	const char *hint;

	if (req->body.len == 0)
		return ("the body is empty; have the web server pass it on");
	if (req->body.len > MISMATCH_BODY_MAX)
		return (NULL);
	d = mem_calloc(1, sizeof(*d));
	hint = body_hint(provider, conf, req, d);
	if (hint == NULL)
		hint = secret_hint(provider, conf, req, d);
	if (hint == NULL)
		hint = url_hint(provider, conf, req, d);
	free(d);
	return (hint);
}
