/*
 * The request reader against itself: bytes fed whole and fed in pieces, whose lengths
 * are the first eight bytes of the input, must come to the same end.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "io/http.h"

#define N_STEPS 8

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
same_request(const struct http_request *a, const struct http_request *b)
{
	must(slice_equal(a->method, b->method));
	must(slice_equal(a->target, b->target));
	must(a->n_headers == b->n_headers && a->n_headers <= HTTP_HEADERS_MAX);
	for (size_t i = 0; i < a->n_headers; i++) {
		must(slice_equal(a->headers[i].name, b->headers[i].name));
		must(slice_equal(a->headers[i].value, b->headers[i].value));
	}
	must(slice_equal(a->body, b->body) && a->body.len <= HTTP_BODY_MAX);
}

static enum http_state
feed_pieces(struct http_reader *r, const uint8_t *steps, struct slice bytes)
{
	enum http_state state = HTTP_MORE;
	unsigned asked = 0;

	for (size_t i = 0; bytes.len > 0; i++) {
		size_t n = steps[i % N_STEPS] + (size_t)1;
		char *piece;

		if (n > bytes.len)
			n = bytes.len;
		piece = mem_dup(bytes.p, n);	/* its own block: a read past its end is seen */
		state = http_read(r, slice_make(piece, n));
		free(piece);
		asked += state == HTTP_CONTINUE;
		bytes = slice_skip(bytes, n);
	}
	must(asked <= 1);
	return (state == HTTP_CONTINUE ? HTTP_MORE : state);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reader *whole, *pieces;
	struct slice bytes;
	enum http_state a, b;

	if (size <= N_STEPS)
		return (0);
	whole = http_reader_new();
	pieces = http_reader_new();
	bytes = slice_make((const char *)data + N_STEPS, size - N_STEPS);
	a = http_read(whole, bytes);
	if (a == HTTP_CONTINUE)
		a = HTTP_MORE;
	b = feed_pieces(pieces, data, bytes);
	must(a == b);
	if (a == HTTP_REFUSED)
		must(http_status(whole) == http_status(pieces) && strcmp(http_reason(whole), http_reason(pieces)) == 0);
	if (a == HTTP_DONE)
		same_request(http_request(whole), http_request(pieces));
	http_reader_free(&whole);
	http_reader_free(&pieces);
	return (0);
}
