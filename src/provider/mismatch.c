/*
 * mismatch: see mismatch.h.
 */
#include "provider/mismatch.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define SECRETS_MAX 16

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

static void
written_anew(struct slice body, size_t flags, struct buf *out)
{
	json_t *json = json_loadb(body.p, body.len, JSON_DECODE_ANY, NULL);
	char *text = json != NULL ? json_dumps(json, JSON_ENCODE_ANY | flags) : NULL;

	if (text != NULL)
		buf_puts(out, text);
	free(text);
	json_decref(json);
}

static void
compact(struct slice body, struct buf *out)
{
	written_anew(body, JSON_COMPACT, out);
}

static void
compact_ascii(struct slice body, struct buf *out)
{
	written_anew(body, JSON_COMPACT | JSON_ENSURE_ASCII, out);
}

/* As PHP writes. */
static void
compact_php(struct slice body, struct buf *out)
{
	written_anew(body, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ESCAPE_SLASH, out);
}

static void
compact_slash(struct slice body, struct buf *out)
{
	written_anew(body, JSON_COMPACT | JSON_ESCAPE_SLASH, out);
}

/* As Stripe writes. */
static void
indented(struct slice body, struct buf *out)
{
	written_anew(body, JSON_INDENT(2), out);
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
	{ compact_slash, json_changed },
	{ compact_php, json_changed },
	{ indented, json_changed },
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
	free(d);
	return (hint);
}
