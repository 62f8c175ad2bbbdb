/*
 * http: see http.h.
 *
 * Everything but body bytes comes in lines, and a line goes byte by byte through one
 * small machine, so that the result cannot depend on how the stream was cut.  What a
 * single byte can rule out (bare CR or LF, control bytes, sizes) is refused at that
 * byte; a line is judged at its end, the framing at the end of the head.  Where RFC
 * 9112 leaves a choice between being kind and being strict, this is strict: a request
 * that another reader could cut elsewhere is refused.
 */
#include "io/http.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define CHUNK_LINE_MAX 256		/* size and extensions of one chunk */
#define CHUNK_EXTRA_MAX (16 * 1024)	/* chunk extensions and trailers of a request, each */

enum phase {
	REQUEST_LINE,
	HEADER_LINES,
	BODY_LENGTH,			/* from here on it is the body */
	CHUNK_SIZE,
	CHUNK_BYTES,
	CHUNK_END,
	TRAILER_LINES
};

struct http_reader {
	enum http_state state;
	enum phase phase;
	int status;
	const char *reason;

	struct buf head;		/* request line and headers without line ends; reserved once, so it never moves */
	struct buf line;		/* the chunk size or trailer being read */
	size_t line_start;		/* in head */
	size_t head_bytes, target_bytes, extension_bytes, trailer_bytes, n_trailers;
	unsigned spaces;		/* in the request line so far */
	bool cr;			/* the last byte was CR: only LF may follow */

	struct buf body;
	size_t left;			/* of the body or of this chunk */
	bool is_http10, expects, body_began;
	struct http_request request;
};

/* What the headers say about where the body ends and what it is. */
struct framing {
	unsigned n_host, n_length, n_coding;
	struct slice host, length, coding;
	bool compressed, expects_continue, expects_else;
};

struct http_reader *
http_reader_new(void)
{
	struct http_reader *r = mem_calloc(1, sizeof(*r));

	r->state = HTTP_MORE;
	r->phase = REQUEST_LINE;
	buf_reserve(&r->head, HTTP_HEAD_MAX);
	return (r);
}

void
http_reader_free(struct http_reader **rp)
{
	struct http_reader *r = *rp;

	if (r == NULL)
		return;
	buf_free(&r->head);
	buf_free(&r->line);
	buf_free(&r->body);
	free(r);
	*rp = NULL;
}

const struct http_request *
http_request(const struct http_reader *r)
{
	must(r->state == HTTP_DONE);
	return (&r->request);
}

const struct http_request *
http_addressed(const struct http_reader *r)
{
	return (r->phase > REQUEST_LINE ? &r->request : NULL);
}

int
http_status(const struct http_reader *r)
{
	must(r->state == HTTP_REFUSED);
	return (r->status);
}

const char *
http_reason(const struct http_reader *r)
{
	must(r->state == HTTP_REFUSED);
	return (r->reason);
}

static void
refuse(struct http_reader *r, int status, const char *reason)
{
	r->state = HTTP_REFUSED;
	r->status = status;
	r->reason = reason;
}

static void
done(struct http_reader *r)
{
	r->state = HTTP_DONE;
	r->request.body = r->body.len > 0 ? buf_view(&r->body) : SLICE("");
}

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

static bool
is_alnum(char c)
{
	return (is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'));
}

static bool
all_of(struct slice s, const char *others)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || strchr(others, s.p[i]) == NULL))
			return (false);
	return (true);
}

static bool
is_token(struct slice s)
{
	return (s.len > 0 && all_of(s, "!#$%&'*+-.^_`|~"));
}

/* Only the origin form ("/path?query"): what a proxy in front sends. */
static bool
is_target(struct slice s)
{
	if (s.len == 0 || s.p[0] != '/')
		return (false);
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '#')
			return (false);
	return (true);
}

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_skip(s, 1);
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return (s);
}

/* ---- the head ------------------------------------------------------------- */

static void
take_version(struct http_reader *r, struct slice s)
{
	if (s.len != 8 || !slice_starts(s, SLICE("HTTP/")) || !is_digit(s.p[5]) || s.p[6] != '.' || !is_digit(s.p[7]))
		refuse(r, 400, "bad version in the request line");
	else if (!slice_is(s, "HTTP/1.1") && !slice_is(s, "HTTP/1.0"))
		refuse(r, 505, "version other than HTTP/1.0 and HTTP/1.1");
	else
		r->is_http10 = s.p[7] == '0';
}

/* POST /hooks/stripe HTTP/1.1 */
static void
take_request_line(struct http_reader *r, struct slice line)
{
	struct http_request *q = &r->request;

	q->method = slice_cut(&line, ' ');
	q->target = slice_cut(&line, ' ');
	r->phase = HEADER_LINES;
	if (!is_token(q->method))
		refuse(r, 400, "bad method");
	else if (!is_target(q->target))
		refuse(r, 400, "bad target");
	else
		take_version(r, line);
}

/* NULL, or what is wrong with "Name: value". */
static const char *
header_split(struct slice line, struct http_header *h)
{
	ptrdiff_t colon = slice_find(line, ':');

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return ("folded header");
	if (colon < 0)
		return ("header without a colon");
	h->name = slice_make(line.p, (size_t)colon);
	h->value = trim(slice_skip(line, (size_t)colon + 1));
	if (trim(h->name).len < h->name.len)
		return ("space before the colon of a header");
	return (is_token(h->name) ? NULL : "bad header name");
}

static void
take_header(struct http_reader *r, struct slice line)
{
	struct http_request *q = &r->request;
	struct http_header h;
	const char *wrong = header_split(line, &h);

	if (wrong != NULL)
		refuse(r, 400, wrong);
	else if (q->n_headers == HTTP_HEADERS_MAX)
		refuse(r, 431, "too many headers");
	else
		q->headers[q->n_headers++] = h;
}

static void
framing_add(struct framing *f, const struct http_header *h)
{
	if (slice_equal_nocase(h->name, SLICE("host"))) {
		f->n_host++;
		f->host = h->value;
	} else if (slice_equal_nocase(h->name, SLICE("content-length"))) {
		f->n_length++;
		f->length = h->value;
	} else if (slice_equal_nocase(h->name, SLICE("transfer-encoding"))) {
		f->n_coding++;
		f->coding = h->value;
	} else if (slice_equal_nocase(h->name, SLICE("content-encoding"))) {
		if (h->value.len > 0 && !slice_equal_nocase(h->value, SLICE("identity")))
			f->compressed = true;
	} else if (slice_equal_nocase(h->name, SLICE("expect"))) {
		if (slice_equal_nocase(h->value, SLICE("100-continue")))
			f->expects_continue = true;
		else
			f->expects_else = true;
	}
}

static bool
all_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.p[i]))
			return (false);
	return (s.len > 0);
}

/* What two readers could understand differently; NULL where there is no doubt. */
static const char *
framing_doubt(const struct http_reader *r, const struct framing *f)
{
	if (f->n_host > 1)
		return ("more than one Host");
	if (f->n_host == 0 && !r->is_http10)
		return ("no Host");
	if (!all_of(f->host, "-._~:[]%!$&'()*+;="))
		return ("bad Host");
	if (f->n_length > 1)
		return ("more than one Content-Length");
	if (f->n_length > 0 && f->n_coding > 0)
		return ("both Content-Length and Transfer-Encoding");
	if (f->n_coding > 1)
		return ("more than one Transfer-Encoding");
	if (f->n_coding > 0 && r->is_http10)
		return ("Transfer-Encoding in HTTP/1.0");
	if (f->n_length > 0 && !all_digits(f->length))
		return ("bad Content-Length");
	return (NULL);
}

/* Of digits only; anything too large is HTTP_BODY_MAX + 1. */
static size_t
length_value(struct slice digits)
{
	size_t n = 0;

	for (size_t i = 0; i < digits.len && n <= HTTP_BODY_MAX; i++)
		n = n * 10 + (size_t)(digits.p[i] - '0');
	return (n <= HTTP_BODY_MAX ? n : HTTP_BODY_MAX + 1);
}

/* The body follows, or there is none. */
static void
body_begin(struct http_reader *r, const struct framing *f)
{
	if (f->n_coding == 0 && r->left == 0) {
		done(r);
		return;
	}
	r->phase = f->n_coding > 0 ? CHUNK_SIZE : BODY_LENGTH;
	/* RFC 9110, 10.1.1: in HTTP/1.0 the expectation is ignored. */
	r->expects = f->expects_continue && !r->is_http10;
}

static void
head_end(struct http_reader *r)
{
	struct framing f = { .host = SLICE("") };
	const char *doubt;

	for (size_t i = 0; i < r->request.n_headers; i++)
		framing_add(&f, &r->request.headers[i]);
	doubt = framing_doubt(r, &f);
	if (doubt == NULL && f.n_length > 0)
		r->left = length_value(f.length);
	if (doubt != NULL)
		refuse(r, 400, doubt);
	else if (f.n_coding > 0 && !slice_equal_nocase(f.coding, SLICE("chunked")))
		refuse(r, 501, "Transfer-Encoding other than chunked");
	else if (r->left > HTTP_BODY_MAX)
		refuse(r, 413, "Content-Length over the limit");
	else if (f.n_length == 0 && f.n_coding == 0 && slice_is(r->request.method, "POST"))
		refuse(r, 411, "POST without a length");
	else if (f.compressed)
		refuse(r, 415, "compressed body");
	else if (f.expects_else)
		refuse(r, 417, "Expect other than 100-continue");
	else
		body_begin(r, &f);
}

/* ---- the body ------------------------------------------------------------- */

static int
hex_value(char c)
{
	if (is_digit(c))
		return (c - '0');
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* 1f;name="value" */
static void
take_chunk_size(struct http_reader *r, struct slice line)
{
	size_t n = 0, i;

	for (i = 0; i < line.len && hex_value(line.p[i]) >= 0; i++)
		if (n <= HTTP_BODY_MAX)
			n = n * 16 + (size_t)hex_value(line.p[i]);
	r->extension_bytes += line.len - i;
	r->left = n;
	r->phase = n > 0 ? CHUNK_BYTES : TRAILER_LINES;
	if (i == 0 || (i < line.len && line.p[i] != ';'))
		refuse(r, 400, "bad chunk size");
	else if (r->extension_bytes > CHUNK_EXTRA_MAX)
		refuse(r, 400, "chunk extensions too long");
	else if (n > HTTP_BODY_MAX - r->body.len)
		refuse(r, 413, "chunks over the limit");
}

/* Trailers are dropped: merged into the headers they would be a second, unsigned say. */
static void
take_trailer(struct http_reader *r, struct slice line)
{
	struct http_header h;
	const char *wrong;

	if (line.len == 0) {
		done(r);
		return;
	}
	wrong = header_split(line, &h);
	if (wrong != NULL)
		refuse(r, 400, wrong);
	else if (++r->n_trailers > HTTP_HEADERS_MAX)
		refuse(r, 431, "too many trailers");
}

/* As many of the n bytes as belong to this body or chunk. */
static size_t
take_body(struct http_reader *r, const char *p, size_t n)
{
	if (n > r->left)
		n = r->left;
	buf_put(&r->body, p, n);
	r->left -= n;
	if (r->left > 0)
		return (n);
	if (r->phase == CHUNK_BYTES)
		r->phase = CHUNK_END;
	else
		done(r);
	return (n);
}

/* ---- lines ---------------------------------------------------------------- */

static void
line_end(struct http_reader *r)
{
	struct slice line = buf_view(&r->line);

	if (r->phase <= HEADER_LINES) {
		line = slice_skip(buf_view(&r->head), r->line_start);
		r->line_start = r->head.len;
	}
	r->line.len = 0;
	if (r->phase == REQUEST_LINE)
		take_request_line(r, line);
	else if (r->phase == HEADER_LINES && line.len > 0)
		take_header(r, line);
	else if (r->phase == HEADER_LINES)
		head_end(r);
	else if (r->phase == CHUNK_SIZE)
		take_chunk_size(r, line);
	else if (r->phase == CHUNK_END)
		r->phase = CHUNK_SIZE;
	else
		take_trailer(r, line);
}

/* Counts one byte of a line; false where it is one too many. */
static bool
line_has_room(struct http_reader *r, char c)
{
	if (r->phase == REQUEST_LINE) {
		if (c == ' ')
			r->spaces++;
		else if (r->spaces == 1 && ++r->target_bytes > HTTP_TARGET_MAX)
			refuse(r, 414, "target too long");
	}
	if (r->phase <= HEADER_LINES && ++r->head_bytes > HTTP_HEAD_MAX)
		refuse(r, 431, "head too large");
	else if (r->phase == CHUNK_SIZE && r->line.len == CHUNK_LINE_MAX)
		refuse(r, 400, "chunk size line too long");
	else if (r->phase == TRAILER_LINES && ++r->trailer_bytes > CHUNK_EXTRA_MAX)
		refuse(r, 431, "trailers too large");
	return (r->state == HTTP_MORE);
}

static void
take_line_byte(struct http_reader *r, char c)
{
	unsigned char byte = (unsigned char)c;

	if (r->cr && c == '\n') {
		r->cr = false;
		if (r->phase > HEADER_LINES || line_has_room(r, c))
			line_end(r);
	} else if (r->cr)
		refuse(r, 400, "CR without LF");
	else if (c == '\n')
		refuse(r, 400, "LF without CR");
	else if (c != '\r' && c != '\t' && (byte < 0x20 || byte == 0x7f))
		refuse(r, 400, "control byte in a header");
	else if (c != '\r' && r->phase == CHUNK_END)
		refuse(r, 400, "chunk longer than its size");
	else if (line_has_room(r, c)) {
		if (c == '\r')
			r->cr = true;
		else
			buf_putc(r->phase <= HEADER_LINES ? &r->head : &r->line, c);
	}
}

/* True once, where the head is whole, the client waits to be asked, and nothing of the
 * body came with the head. */
static bool
waits_for_continue(struct http_reader *r)
{
	bool waits = r->state == HTTP_MORE && r->expects && !r->body_began;

	if (r->phase > HEADER_LINES)
		r->expects = false;
	return (waits);
}

enum http_state
http_read(struct http_reader *r, struct slice bytes)
{
	while (bytes.len > 0 && r->state == HTTP_MORE) {
		size_t n = 1;

		r->body_began = r->phase > HEADER_LINES;
		if (r->phase == BODY_LENGTH || r->phase == CHUNK_BYTES)
			n = take_body(r, bytes.p, bytes.len);
		else
			take_line_byte(r, bytes.p[0]);
		bytes = slice_skip(bytes, n);
	}
	return (waits_for_continue(r) ? HTTP_CONTINUE : r->state);
}
