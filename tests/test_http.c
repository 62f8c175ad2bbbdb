/*
 * The request reader.  Every probe is fed whole, one byte at a time and in pieces of
 * seven, and must come to the same end each time.
 */
#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/http.h"

#define DONE 0
#define MORE 1

#define B(literal) (literal), sizeof(literal) - 1
#define POST "POST /h HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define CHUNKED POST HOST "Transfer-Encoding: chunked\r\n\r\n"
#define S16 "0123456789abcdef"

/* Fed is: head, then `repeat` n times, then tail. */
static const struct probe {
	const char *why, *head;
	size_t head_len;
	const char *repeat;
	size_t n;
	const char *tail;
	size_t tail_len;
	int want;			/* DONE, MORE or a status */
	const char *body;		/* where DONE */
} probes[] = {
	/* what must work */
	{ "a plain request", B(POST HOST "Content-Length: 5\r\n\r\nhello"), "", 0, B(""), DONE, "hello" },
	{ "an empty body with its length", B(POST HOST "Content-Length: 0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "HTTP/1.0 without Host, as simple clients send", B("POST /h HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi"), "", 0, B(""), DONE, "hi" },
	{ "header names have no case", B(POST "hOsT: a\r\ncONTENT-lENGTH: 2\r\n\r\nhi"), "", 0, B(""), DONE, "hi" },
	{ "no space behind the colon", B(POST "Host:a\r\nContent-Length:2\r\n\r\nhi"), "", 0, B(""), DONE, "hi" },
	{ "spaces and tabs around a value are not part of it", B(POST "Host: \ta \t\r\nContent-Length: \t2 \r\n\r\nhi"), "", 0, B(""), DONE, "hi" },
	{ "leading zeros are digits", B(POST HOST "Content-Length: 0002\r\n\r\nhi"), "", 0, B(""), DONE, "hi" },
	{ "a body is bytes, line ends and NUL too", B(POST HOST "Content-Length: 6\r\n\r\n\r\n\nx\ry"), "", 0, B(""), DONE, "\r\n\nx\ry" },
	{ "bytes over 0x7f in a value", B(POST HOST "X-Name: J\xc3\xbcrgen\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "a header without a value", B(POST HOST "X-Empty:\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "an empty Host is a Host", B(POST "Host:\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "Host with a port", B(POST "Host: [::1]:8377\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "GET needs no length: the webhook layer says 405", B("GET /h HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), DONE, "" },
	{ "HEAD likewise", B("HEAD / HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), DONE, "" },
	{ "an unknown method likewise", B("BREW /pot HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), DONE, "" },
	{ "a query belongs to the target", B("POST /h?a=%20b&c HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "identity is no compression", B(POST HOST "Content-Encoding: identity\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "what follows a whole request is not read", B(POST HOST "Content-Length: 2\r\n\r\nhiPOST \0\n"), "", 0, B(""), DONE, "hi" },
	{ "the largest body", B(POST HOST "Content-Length: 2097152\r\n\r\n"), S16, 131072, B(""), DONE, NULL },
	{ "64 headers", B(POST HOST "Content-Length: 0\r\n"), "a: b\r\n", 62, B("\r\n"), DONE, "" },
	{ "a target of 2048 bytes", B("POST /"), "a", 2047, B(" HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), DONE, "" },
	{ "a head of 16384 bytes", B(POST HOST "Content-Length: 0\r\nx: "), "y", 16384 - 18 - 9 - 19 - 3 - 4, B("\r\n\r\n"), DONE, "" },

	/* chunked */
	{ "chunks are joined", B(CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "", 0, B(""), DONE, "abcde" },
	{ "chunked has no case", B(POST HOST "Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), "", 0, B(""), DONE, "a" },
	{ "an empty chunked body", B(CHUNKED "0\r\n\r\n"), "", 0, B(""), DONE, "" },
	{ "sizes are hex of both cases", B(CHUNKED "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n"), "", 0, B(""), DONE, "01234567890123456789a" },
	{ "zeros before a size", B(CHUNKED "0003\r\nabc\r\n000\r\n\r\n"), "", 0, B(""), DONE, "abc" },
	{ "chunk extensions are ignored", B(CHUNKED "3;a=\"b;c\"\r\nabc\r\n0;z\r\n\r\n"), "", 0, B(""), DONE, "abc" },
	{ "trailers are dropped", B(CHUNKED "1\r\na\r\n0\r\nContent-Length: 9\r\nX: y\r\n\r\n"), "", 0, B(""), DONE, "a" },
	{ "the largest body in chunks", B(CHUNKED), "10\r\n" S16 "\r\n", 131072, B("0\r\n\r\n"), DONE, NULL },

	/* not yet whole */
	{ "nothing", B(""), "", 0, B(""), MORE, NULL },
	{ "half a request line", B("POST /h"), "", 0, B(""), MORE, NULL },
	{ "a head without its empty line", B(POST HOST "Content-Length: 0\r\n"), "", 0, B(""), MORE, NULL },
	{ "the last LF is missing", B(POST HOST "Content-Length: 0\r\n\r"), "", 0, B(""), MORE, NULL },
	{ "one byte short of its length", B(POST HOST "Content-Length: 5\r\n\r\nhell"), "", 0, B(""), MORE, NULL },
	{ "a chunk without its end", B(CHUNKED "3\r\nabc"), "", 0, B(""), MORE, NULL },
	{ "no last chunk", B(CHUNKED "3\r\nabc\r\n"), "", 0, B(""), MORE, NULL },
	{ "trailers without their empty line", B(CHUNKED "0\r\nX: y\r\n"), "", 0, B(""), MORE, NULL },

	/* where two readers could differ: 400 */
	{ "two unlike Content-Lengths", B(POST HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "two equal Content-Lengths", B(POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "a list of lengths", B(POST HOST "Content-Length: 5, 5\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "Content-Length before Transfer-Encoding", B(POST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "Transfer-Encoding before Content-Length", B(POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "any Transfer-Encoding beside a length", B(POST HOST "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "two Transfer-Encodings", B(POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "chunks in HTTP/1.0", B("POST /h HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "+5 is no length", B(POST HOST "Content-Length: +5\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "-1 is no length", B(POST HOST "Content-Length: -1\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "0x5 is no length", B(POST HOST "Content-Length: 0x5\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "5.0 is no length", B(POST HOST "Content-Length: 5.0\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "an empty length", B(POST HOST "Content-Length:\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a length with a space in it", B(POST HOST "Content-Length: 1 2\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "bare LF behind the request line", B("POST /h HTTP/1.1\nHost: a\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "bare LF behind a header", B(POST "Host: a\nContent-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "bare LF as the empty line", B(POST HOST "Content-Length: 0\r\n\n"), "", 0, B(""), 400, NULL },
	{ "bare CR in a header", B(POST "Host: a\rX: y\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "two CRs", B(POST "Host: a\r\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a folded header", B(POST HOST "X: y\r\n z\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "folded by a tab", B(POST HOST "X: y\r\n\tContent-Length: 5\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a space before the first header", B(POST " Host: a\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "space before the colon", B(POST HOST "Content-Length : 5\r\n\r\nhello"), "", 0, B(""), 400, NULL },
	{ "tab before the colon", B(POST HOST "Transfer-Encoding\t: chunked\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a header without a colon", B(POST HOST "Content-Length\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a header without a name", B(POST HOST ": x\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a name that is no token", B(POST HOST "X(y): z\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a name with bytes over 0x7f", B(POST HOST "X\xc3\xa4: z\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "NUL in a value", B(POST "Host: a\0b\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "NUL in a name", B(POST HOST "X\0Y: z\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "an escape in a value", B(POST HOST "X: \x1b[2J\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "DEL in a value", B(POST HOST "X: \x7f\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "no Host in HTTP/1.1", B(POST "Content-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "two Hosts", B(POST HOST HOST "Content-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "two Hosts in HTTP/1.0", B("POST /h HTTP/1.0\r\n" HOST HOST "Content-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a Host that is none", B(POST "Host: a/b\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a method that is no token", B("PO(ST /h HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "no method", B(" /h HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "an empty line first", B("\r\n" POST HOST "Content-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "no target", B("POST  HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "a target with a host", B("POST http://a/h HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "the star target", B("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "a fragment", B("POST /h#x HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "bytes over 0x7f in the target", B("POST /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "a tab in the request line", B("POST /h\tHTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "two spaces in the request line", B("POST /h  HTTP/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "a space behind the version", B("POST /h HTTP/1.1 \r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "HTTP/0.9", B("GET /\r\n"), "", 0, B(""), 400, NULL },
	{ "a version in small letters", B("POST /h http/1.1\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "HTTP/1.10", B("POST /h HTTP/1.10\r\n" HOST "\r\n"), "", 0, B(""), 400, NULL },
	{ "a TLS hello on the plain port", B("\x16\x03\x01\x02\x00\x01"), "", 0, B(""), 400, NULL },
	{ "a chunk size of 0x5", B(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a chunk size of +5", B(CHUNKED "+5\r\nhello\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a chunk size of -1", B(CHUNKED "-1\r\n"), "", 0, B(""), 400, NULL },
	{ "an empty chunk size", B(CHUNKED "\r\nhello\r\n"), "", 0, B(""), 400, NULL },
	{ "an extension without a size", B(CHUNKED ";a\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a space behind a chunk size", B(CHUNKED "5 \r\nhello\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a space before a chunk size", B(CHUNKED " 5\r\nhello\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "bare LF behind a chunk size", B(CHUNKED "5\nhello\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "bare LF in a chunk extension", B(CHUNKED "5;a\nb\r\nhello\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a chunk longer than its size", B(CHUNKED "3\r\nabcd\r\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "bare LF behind a chunk", B(CHUNKED "3\r\nabc\n0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "bare CR behind a chunk", B(CHUNKED "3\r\nabc\r0\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a folded trailer", B(CHUNKED "0\r\nX: y\r\n z\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "a trailer that is no header", B(CHUNKED "0\r\nGET / HTTP/1.1\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "one endless chunk extension", B(CHUNKED "1;"), "x", 300, B(""), 400, NULL },
	{ "endless extensions of small chunks", B(CHUNKED), "1;" S16 S16 S16 S16 "\r\na\r\n", 300, B(""), 400, NULL },

	/* the other answers */
	{ "one byte over the limit, before the body", B(POST HOST "Content-Length: 2097153\r\n\r\n"), "", 0, B(""), 413, NULL },
	{ "a length beyond any integer", B(POST HOST "Content-Length: 100000000000000000000\r\n\r\n"), "", 0, B(""), 413, NULL },
	{ "2^64 + 5 does not wrap to 5", B(POST HOST "Content-Length: 18446744073709551621\r\n\r\nhello"), "", 0, B(""), 413, NULL },
	{ "a chunk over the limit, before its bytes", B(CHUNKED "200001\r\n"), "", 0, B(""), 413, NULL },
	{ "a chunk size beyond any integer", B(CHUNKED "10000000000000005\r\nhello"), "", 0, B(""), 413, NULL },
	{ "chunks that add up", B(CHUNKED), "10\r\n" S16 "\r\n", 131072, B("1\r\n"), 413, NULL },
	{ "65 headers", B(POST HOST "Content-Length: 0\r\n"), "a: b\r\n", 63, B("\r\n"), 431, NULL },
	{ "a head of 16385 bytes", B(POST HOST "Content-Length: 0\r\nx: "), "y", 16384 - 18 - 9 - 19 - 3 - 4 + 1, B("\r\n\r\n"), 431, NULL },
	{ "an endless header", B(POST HOST "x: "), "y", 20000, B(""), 431, NULL },
	{ "an endless method", B(""), "P", 20000, B(""), 431, NULL },
	{ "65 trailers", B(CHUNKED "0\r\n"), "a: b\r\n", 65, B(""), 431, NULL },
	{ "an endless trailer", B(CHUNKED "0\r\nx: "), "y", 20000, B(""), 431, NULL },
	{ "a target of 2049 bytes", B("POST /"), "a", 2048, B(" HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 414, NULL },
	{ "an endless target", B("POST /"), "a", 20000, B(""), 414, NULL },
	{ "POST without a length", B(POST HOST "\r\n"), "", 0, B(""), 411, NULL },
	{ "POST without a length in HTTP/1.0", B("POST /h HTTP/1.0\r\n\r\n"), "", 0, B(""), 411, NULL },
	{ "a coding that only looks like chunked", B(POST HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "", 0, B(""), 501, NULL },
	{ "a list of codings", B(POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"), "", 0, B(""), 501, NULL },
	{ "identity as a coding", B(POST HOST "Transfer-Encoding: identity\r\n\r\n"), "", 0, B(""), 501, NULL },
	{ "an empty coding", B(POST HOST "Transfer-Encoding:\r\n\r\n"), "", 0, B(""), 501, NULL },
	{ "a compressed body", B(POST HOST "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"), "", 0, B(""), 415, NULL },
	{ "compressed beside identity", B(POST HOST "Content-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n"), "", 0, B(""), 415, NULL },
	{ "an expectation that is not known", B(POST HOST "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"), "", 0, B(""), 417, NULL },
	{ "HTTP/2 without TLS", B("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "", 0, B(""), 400, NULL },
	{ "HTTP/2.0", B("POST /h HTTP/2.0\r\n"), "", 0, B(""), 505, NULL },
	{ "HTTP/1.2", B("POST /h HTTP/1.2\r\n"), "", 0, B(""), 505, NULL },
	{ "HTTP/0.9 by name", B("GET / HTTP/0.9\r\n"), "", 0, B(""), 505, NULL },
};

static void
probe_bytes(const struct probe *p, struct buf *b)
{
	buf_put(b, p->head, p->head_len);
	for (size_t i = 0; i < p->n; i++)
		buf_puts(b, p->repeat);
	buf_put(b, p->tail, p->tail_len);
}

static enum http_state
feed(struct http_reader *r, struct slice bytes, size_t step)
{
	enum http_state state = HTTP_MORE;

	for (size_t at = 0; at < bytes.len; at += step) {
		size_t n = bytes.len - at < step ? bytes.len - at : step;

		state = http_read(r, slice_make(bytes.p + at, n));
	}
	return (state);
}

static void
check_probe(const struct probe *p, struct slice bytes, size_t step)
{
	struct http_reader *r = http_reader_new();
	enum http_state state = feed(r, bytes, step);
	int got = state == HTTP_DONE ? DONE : state == HTTP_REFUSED ? http_status(r) : MORE;

	ck_assert_msg(got == p->want, "%s (step %zu): %d instead of %d%s%s", p->why, step, got, p->want,
	    state == HTTP_REFUSED ? ": " : "", state == HTTP_REFUSED ? http_reason(r) : "");
	if (state == HTTP_REFUSED)
		ck_assert_uint_gt(strlen(http_reason(r)), 0);
	if (state == HTTP_DONE && p->body != NULL)
		ck_assert_msg(slice_is(http_request(r)->body, p->body), "%s (step %zu): body is %.*s", p->why, step,
		    SLICE_FMT(http_request(r)->body));
	if (state == HTTP_DONE && p->body == NULL)
		ck_assert_uint_eq(http_request(r)->body.len, HTTP_BODY_MAX);
	http_reader_free(&r);
	ck_assert_ptr_null(r);
}

START_TEST(probe_ends_the_same_however_cut)
{
	const struct probe *p = &probes[_i];
	struct buf b = { 0 };

	probe_bytes(p, &b);
	check_probe(p, buf_view(&b), b.len + 1);
	check_probe(p, buf_view(&b), 1);
	check_probe(p, buf_view(&b), 7);
	buf_free(&b);
}
END_TEST

START_TEST(request_is_what_was_sent)
{
	struct http_reader *r = http_reader_new();
	const struct http_request *q;

	ck_assert_int_eq(feed(r, SLICE("PUT /a/b?c=d HTTP/1.1\r\nHost: shop.example\r\nX-Sig:  a b \r\nContent-Length: 3\r\n\r\na\0b"), 3), HTTP_DONE);
	q = http_request(r);
	ck_assert(slice_is(q->method, "PUT"));
	ck_assert(slice_is(q->target, "/a/b?c=d"));
	ck_assert_uint_eq(q->n_headers, 3);
	ck_assert(slice_is(q->headers[0].name, "Host") && slice_is(q->headers[0].value, "shop.example"));
	ck_assert(slice_is(q->headers[1].name, "X-Sig") && slice_is(q->headers[1].value, "a b"));
	ck_assert(slice_equal(q->body, SLICE("a\0b")));
	http_reader_free(&r);
}
END_TEST

#define EXPECT "Expect: 100-continue\r\n"

static const struct {
	const char *why, *first, *second;
	enum http_state want_first, want_second;
} continues[] = {
	{ "asked once, when the head is whole", POST HOST EXPECT "Content-Length: 2\r\n\r\n", "h", HTTP_CONTINUE, HTTP_MORE },
	{ "not before the head is whole", POST HOST EXPECT "Content-Length: 2\r\n", "\r\n", HTTP_MORE, HTTP_CONTINUE },
	{ "no case", POST HOST "expect: 100-Continue\r\nContent-Length: 2\r\n\r\n", "hi", HTTP_CONTINUE, HTTP_DONE },
	{ "not where the body is coming already", POST HOST EXPECT "Content-Length: 2\r\n\r\nh", "i", HTTP_MORE, HTTP_DONE },
	{ "before chunks", POST HOST EXPECT "Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n", HTTP_CONTINUE, HTTP_DONE },
	{ "not where there is no body", POST HOST EXPECT "Content-Length: 0\r\n\r\n", "", HTTP_DONE, HTTP_DONE },
	{ "not where the body is too large", POST HOST EXPECT "Content-Length: 2097153\r\n\r\n", "", HTTP_REFUSED, HTTP_REFUSED },
	{ "HTTP/1.0 clients do not know it", "POST /h HTTP/1.0\r\n" EXPECT "Content-Length: 2\r\n\r\n", "hi", HTTP_MORE, HTTP_DONE },
};

START_TEST(continue_is_said_once)
{
	struct http_reader *r = http_reader_new();
	enum http_state first = http_read(r, slice_of(continues[_i].first));
	enum http_state second = http_read(r, slice_of(continues[_i].second));

	ck_assert_msg(first == continues[_i].want_first, "%s: first %d", continues[_i].why, first);
	ck_assert_msg(second == continues[_i].want_second, "%s: second %d", continues[_i].why, second);
	http_reader_free(&r);
}
END_TEST

START_TEST(each_byte_value_in_each_place)
{
	/* A control byte is refused wherever it stands in the head; nothing crashes. */
	static const char head[] = POST HOST "X: y\r\nContent-Length: 0\r\n\r\n";

	for (size_t at = 0; at < sizeof(head) - 1; at++) {
		char changed[sizeof(head)];
		struct http_reader *r = http_reader_new();

		memcpy(changed, head, sizeof(head));
		changed[at] = (char)_i;
		if (http_read(r, slice_make(changed, sizeof(head) - 1)) == HTTP_DONE)
			ck_assert_msg(_i == head[at] || _i == '\t' || (_i >= ' ' && _i != 0x7f), "byte %#x at %zu", (unsigned)_i, at);
		http_reader_free(&r);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http");
	TCase *tc = tcase_create("http");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, probe_ends_the_same_however_cut, 0, (int)N_ELEM(probes));
	tcase_add_test(tc, request_is_what_was_sent);
	tcase_add_loop_test(tc, continue_is_said_once, 0, (int)N_ELEM(continues));
	tcase_add_loop_test(tc, each_byte_value_in_each_place, 0, 256);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
