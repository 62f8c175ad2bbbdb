/*
 * http: a strict reader of HTTP/1.0 and 1.1 requests, for webhooks only.
 *
 * Pure: fed with bytes as they come, it answers "more", "done" or a status to refuse
 * with.  Own code because the packaged choices accept what a proxy in front may read
 * differently (two Content-Lengths, `+5`, bare LF, a space before the colon, NUL, folded
 * headers), and have no absolute deadlines; both are measured facts.  One request a
 * connection: no keep-alive, so there is nothing to smuggle into.
 */
#ifndef RPVD_HTTP_H
#define RPVD_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define HTTP_HEAD_MAX (16 * 1024)	/* request line and headers */
#define HTTP_HEADERS_MAX 64
#define HTTP_TARGET_MAX 2048
#define HTTP_BODY_MAX (2 * 1024 * 1024)

struct http_header {
	struct slice name, value;
};

/* A whole request.  Slices belong to the http_reader. */
struct http_request {
	struct slice method, target;
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	struct slice body;		/* chunks joined, trailers dropped */
};

enum http_state {
	HTTP_MORE,			/* not yet whole */
	HTTP_CONTINUE,			/* as HTTP_MORE; said once where the client waits for "100 Continue" */
	HTTP_DONE,
	HTTP_REFUSED			/* http_status() says with what; close after the answer */
};

struct http_reader;

struct http_reader *http_reader_new(void);
void http_reader_free(struct http_reader **);
/* Takes all bytes that came.  After DONE or REFUSED it takes no more (further bytes are ignored). */
enum http_state http_read(struct http_reader *, struct slice bytes);
const struct http_request *http_request(const struct http_reader *);	/* after HTTP_DONE */
/* Method and target of one that is not whole, and may never be; NULL until its first line was read. */
const struct http_request *http_addressed(const struct http_reader *);
int http_status(const struct http_reader *);				/* after HTTP_REFUSED: 400, 405, 411, 413, 414, 415, 417, 431, 501, 505 */
const char *http_reason(const struct http_reader *);			/* a short sentence for the log; a constant */

#endif
