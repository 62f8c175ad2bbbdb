/*
 * webhook: see webhook.h.
 *
 * A connection is read until its request is whole (READING), perhaps waits for the
 * shared sync (WAITING), gets its answer (WRITING) and is closed; where it was refused
 * before it was read to its end, what the client still sends is taken and dropped for
 * a second (LINGERING), or the close would reset the connection under the answer.
 *
 * Deadlines are absolute, one timer a phase: a client that sends a byte a second gets
 * no more time than one that sends nothing.  Where all places are taken and others
 * wait, the slowest readers make room early.  Plain events instead of bufferevents: a
 * request is fed to its reader as it comes, and an answer fits one buffer, so there is
 * nothing to queue.
 */
#include "io/webhook.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/util.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/http.h"
#include "io/local.h"
#include "provider/mismatch.h"

#define CONNS_MAX 128			/* or fewer, by the descriptors that there are: see places() */
#define CONNS_MIN 2
#define DESCRIPTORS_KEPT 16
#define BACKLOG 4096			/* further clients wait here; one too many is refused, by nginx with 502 */
#define ACCEPTS_AT_ONCE 64		/* then the rest of the loop has its turn */
#define PENDING_MAX 64
#define PENDING_BYTES_MAX (1024 * 1024)
#define GROUP_MS 2
#define DEADLINE_MS 10000
#define LINGER_MS 1000
#define REST_MS 100			/* of the listener, out of descriptors */
#define READ_BYTES (64 * 1024)
#define HELD_MAX (32 * 1024 * 1024)	/* bytes of requests that are not yet whole */
#define CROWD_STEP 16			/* slow readers that make room at a time */
#define TYPE_MAX 63			/* bytes of a type that are told */
#define HINT_REST_MS 2000		/* between two searches for why a signature does not fit */
#define CONN_MAGIC 0x77686b63u

enum conn_phase { READING, WAITING, WRITING, LINGERING };

struct conn {
	unsigned magic;
	TAILQ_ENTRY(conn) link;
	struct webhooks *hooks;
	int fd;
	enum conn_phase phase;
	struct event readable, writable, deadline;
	int64_t since_ms;
	struct http_reader *reader;	/* NULL from WAITING on */
	size_t held, dropped;		/* bytes that came and are kept, that came while lingering */
	const struct webhook_endpoint *endpoint;	/* NULL where no path fitted; not after the answer is chosen */
	const char *accepted;			/* the text of the answer 200, of its provider; or NULL */
	int status;
	const char *reason;
	char detail[sizeof(((struct delivery *)0)->detail)], type[TYPE_MAX + 1];
	int secret_index;
	int64_t signed_s, received_ms;
	bool head_only, unread;
	char out[512];
	size_t out_len, out_sent;
};

struct webhooks {
	struct event_base *base;
	struct webhook_calls calls;
	void *arg;
	struct local socket;
	int spare_fd;
	size_t places;			/* connections at once */
	struct event listener, commit, rest, crowd;
	bool listening, resting, draining, commit_at_once;
	const struct webhook_endpoint *endpoints;
	size_t n_endpoints;
	TAILQ_HEAD(conns, conn) conns;	/* oldest first */
	size_t n_conns, n_reading, held;
	struct conn *pending[PENDING_MAX];
	size_t n_pending, pending_bytes;
	int64_t deadline_ms;
	long said_full;
	int64_t next_hint_ms;		/* monotonic */
	struct delivery delivery;	/* too large for the stack */
};

static const struct answer {
	int status;
	const char *phrase, *headers, *text;
} answers[] = {
	{ 200, "OK", "", "" },
	{ 400, "Bad Request", "", "The request could not be understood.\n" },
	{ 401, "Unauthorized", "", "The signature does not fit.\n" },
	{ 404, "Not Found", "", "There is no webhook at this path.\n" },
	{ 405, "Method Not Allowed", "Allow: POST\r\n", "Webhooks come by POST.\n" },
	{ 411, "Length Required", "", "The request has no length.\n" },
	{ 413, "Content Too Large", "", "The body is larger than 2 MiB.\n" },
	{ 414, "URI Too Long", "", "The path is longer than 2048 bytes.\n" },
	{ 415, "Unsupported Media Type", "", "Compressed bodies are not read.\n" },
	{ 417, "Expectation Failed", "", "The expectation is not known.\n" },
	{ 431, "Request Header Fields Too Large", "", "The headers are larger than 16 KiB, or more than 64.\n" },
	{ 501, "Not Implemented", "", "The transfer coding is not known.\n" },
	{ 503, "Service Unavailable", "Retry-After: 5\r\n", "The event could not be stored; please send it again.\n" },
	{ 505, "HTTP Version Not Supported", "", "Only HTTP/1.0 and HTTP/1.1 are spoken.\n" },
};

_Static_assert(HTTP_BODY_MAX == 2 << 20 && HTTP_TARGET_MAX == 2048 && HTTP_HEAD_MAX == 16 << 10 && HTTP_HEADERS_MAX == 64, "answers[]");

static void conn_free(struct conn *);

static struct timeval
timeval_ms(int64_t ms)
{
	return ((struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 });
}

static void
timer_set(struct event *timer, int64_t ms)
{
	struct timeval tv = timeval_ms(ms);

	must(event_add(timer, &tv) == 0);
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* ---- the listener --------------------------------------------------------- */

static void
listener_update(struct webhooks *w)
{
	bool want = !w->draining && !w->resting && w->n_conns < w->places;

	if (want && !w->listening)
		must(event_add(&w->listener, NULL) == 0);
	if (!want && w->listening)
		event_del(&w->listener);
	w->listening = want;
	if (w->n_conns == w->places && !w->draining && !evtimer_pending(&w->crowd, NULL))
		timer_set(&w->crowd, w->deadline_ms / 100 + 1);
}

/* Out of descriptors: the clients wait in the backlog.  The spare descriptor goes
 * meanwhile, so that a journal file can still be opened. */
static void
listener_rest(struct webhooks *w, int error)
{
	if (log_limit(&w->said_full, 60))
		log_error("webhook: cannot accept connections (%s), they wait, next try in %d ms; raise LimitNOFILE if this stays",
		    strerror(error), REST_MS);
	if (w->spare_fd >= 0)
		close(w->spare_fd);
	w->spare_fd = -1;
	w->resting = true;
	timer_set(&w->rest, REST_MS);
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct webhooks *w = arg;

	(void)fd;
	(void)what;
	w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	w->resting = false;
	listener_update(w);
}

static bool
someone_waits(const struct webhooks *w)
{
	struct pollfd p = { .fd = w->socket.fd, .events = POLLIN };

	return (poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0);
}

static void conn_lost(struct conn *, const char *reason);

/* All places are taken: whoever had a tenth of the deadline and is still not whole makes
 * room, so that slow clients cannot keep quick ones out. */
static void
on_crowd(evutil_socket_t fd, short what, void *arg)
{
	struct webhooks *w = arg;
	int64_t before = monotonic_ms() - w->deadline_ms / 10;
	struct conn *c, *next;
	unsigned n = 0;

	(void)fd;
	(void)what;
	if (w->n_conns == w->places && someone_waits(w))
		for (c = TAILQ_FIRST(&w->conns); c != NULL && n < CROWD_STEP && c->since_ms < before; c = next) {
			next = TAILQ_NEXT(c, link);
			if (c->phase == READING || c->phase == LINGERING) {
				conn_lost(c, "slow while others wait");
				n++;
			}
		}
	listener_update(w);
}

/* ---- one connection ------------------------------------------------------- */

static void
held_release(struct conn *c)
{
	c->hooks->held -= c->held;
	c->held = 0;
}

static void
conn_free(struct conn *c)
{
	struct webhooks *w = c->hooks;

	must(c->phase != WAITING);
	if (c->phase == READING)
		w->n_reading--;
	held_release(c);
	event_del(&c->readable);
	event_del(&c->writable);
	event_del(&c->deadline);
	close(c->fd);
	http_reader_free(&c->reader);
	TAILQ_REMOVE(&w->conns, c, link);
	w->n_conns--;
	c->magic = 0;
	free(c);
	listener_update(w);
}

static void
conn_tell(const struct conn *c, int status, const char *reason)
{
	const struct webhook_end end = { c->endpoint, status, reason, c->detail, c->type, c->secret_index, c->signed_s, c->received_ms };

	c->hooks->calls.done(c->hooks->arg, &end);
}

/* Ends without an answer; a connection that brought nothing was no request. */
static void
conn_lost(struct conn *c, const char *reason)
{
	if (c->phase == READING && c->held > 0)
		conn_tell(c, 0, reason);
	conn_free(c);
}

static void
conn_linger(struct conn *c)
{
	c->phase = LINGERING;
	shutdown(c->fd, SHUT_WR);
	timer_set(&c->deadline, c->hooks->deadline_ms < LINGER_MS ? c->hooks->deadline_ms : LINGER_MS);
	must(event_add(&c->readable, NULL) == 0);
}

static void
conn_write(struct conn *c)
{
	ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);

	if (n > 0)
		c->out_sent += (size_t)n;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		conn_free(c);
	else if (c->out_sent < c->out_len)
		must(event_add(&c->writable, NULL) == 0);
	else if (c->unread)
		conn_linger(c);
	else
		conn_free(c);
}

static const struct answer *
answer_find(int status)
{
	for (size_t i = 0; i < N_ELEM(answers); i++)
		if (answers[i].status == status)
			return (&answers[i]);
	return (&answers[1]);
}

/* Some providers want to be told a word.  Whose clock differs has no wrong secret. */
static const char *
answer_text(const struct conn *c, const struct answer *a)
{
	if (c->status == 200 && c->accepted != NULL)
		return (c->accepted);
	if (c->status == 401 && c->reason != NULL && slice_starts(slice_of(c->reason), SLICE("timestamp_too_")))
		return ("The time of the signature is too far from now.\n");
	return (a->text);
}

static void
conn_format(struct conn *c)
{
	const struct answer *a = answer_find(c->status);
	const char *text = answer_text(c, a);
	int n = snprintf(c->out, sizeof(c->out), "HTTP/1.1 %d %s\r\n%s%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
	    a->status, a->phrase, a->headers, text[0] != '\0' ? "Content-Type: text/plain\r\n" : "", strlen(text),
	    c->head_only ? "" : text);

	must(n > 0 && (size_t)n < sizeof(c->out));
	c->out_len = (size_t)n;
}

/* c->status and what belongs to it are set: says so and sends it.  May free c. */
static void
conn_answer(struct conn *c)
{
	struct webhooks *w = c->hooks;

	if (c->phase == READING) {
		w->n_reading--;
		event_del(&c->readable);
	}
	c->phase = WRITING;
	http_reader_free(&c->reader);
	held_release(c);
	conn_tell(c, c->status, c->reason);
	c->endpoint = NULL;
	conn_format(c);
	timer_set(&c->deadline, w->deadline_ms);
	conn_write(c);
}

static void
conn_refuse(struct conn *c, int status, const char *reason)
{
	c->status = status;
	c->reason = reason;
	conn_answer(c);
}

/* ---- group commit --------------------------------------------------------- */

static void
commit(struct webhooks *w)
{
	struct conn *group[PENDING_MAX];
	size_t n = w->n_pending;
	bool durable;

	event_del(&w->commit);
	w->commit_at_once = false;
	if (n == 0)
		return;
	memcpy(group, w->pending, n * sizeof(*group));
	w->n_pending = w->pending_bytes = 0;
	durable = w->calls.sync(w->arg) == 0;
	for (size_t i = 0; i < n; i++) {
		if (!durable) {
			group[i]->status = 503;
			group[i]->reason = "not_stored";
		}
		conn_answer(group[i]);
	}
}

static void
on_commit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	commit(arg);
}

/* Where nobody else is on the way there is nothing to wait for: the sync comes as soon as
 * the loop has seen to what arrived already.  While it runs, the next group gathers. */
static void
commit_soon(struct webhooks *w)
{
	if (w->n_pending == PENDING_MAX || w->pending_bytes >= PENDING_BYTES_MAX)
		commit(w);
	else if (w->n_reading == 0 && !w->commit_at_once) {
		w->commit_at_once = true;
		timer_set(&w->commit, 0);
	} else if (w->n_pending == 1)
		timer_set(&w->commit, GROUP_MS);
}

/* The request is appended; its answer waits for the sync.  May free c. */
static void
conn_wait(struct conn *c)
{
	struct webhooks *w = c->hooks;

	must(w->n_pending < PENDING_MAX && c->phase == READING);
	w->n_reading--;
	c->phase = WAITING;
	event_del(&c->readable);
	event_del(&c->deadline);
	w->pending[w->n_pending++] = c;
	w->pending_bytes += c->held;
	http_reader_free(&c->reader);
	held_release(c);
	commit_soon(w);
}

/* ---- one request ---------------------------------------------------------- */

static const struct webhook_endpoint *
endpoint_find(const struct webhooks *w, struct slice target)
{
	struct slice path = slice_cut(&target, '?');

	for (size_t i = 0; i < w->n_endpoints; i++)
		if (slice_is(path, w->endpoints[i].path))
			return (&w->endpoints[i]);
	return (NULL);
}

/* What is told of the delivery later, when it is gone itself. */
static void
conn_note(struct conn *c, const struct delivery *d)
{
	size_t len = d->type.len < TYPE_MAX ? d->type.len : TYPE_MAX;

	c->status = d->verdict == VERDICT_ACCEPT ? 200 : d->status;
	c->reason = d->reason;
	c->secret_index = d->secret_index;
	c->signed_s = d->signed_s;
	snprintf(c->detail, sizeof(c->detail), "%s", d->detail);
	if (len > 0)
		memcpy(c->type, d->type.p, len);
	c->type[len] = '\0';
}

/* Strangers cause this too, so not for each of them. */
static void
conn_hint(struct conn *c, const struct request *req)
{
	struct webhooks *w = c->hooks;
	const char *hint;

	if (c->reason == NULL || strcmp(c->reason, "bad_signature") != 0 || monotonic_ms() < w->next_hint_ms)
		return;
	w->next_hint_ms = monotonic_ms() + HINT_REST_MS;
	hint = mismatch_hint(c->endpoint->provider, &c->endpoint->conf, req);
	if (hint != NULL)
		snprintf(c->detail, sizeof(c->detail), "%s", hint);
}

/* Lets the provider judge, appends what is to be kept; true where the answer waits for the sync. */
static bool
request_judge(struct conn *c, const struct http_request *q)
{
	struct webhooks *w = c->hooks;
	struct delivery *d = &w->delivery;
	struct header headers[HTTP_HEADERS_MAX];
	struct request req = { .method = q->method, .headers = headers, .n_headers = q->n_headers, .body = q->body };
	bool keep;

	for (size_t i = 0; i < q->n_headers; i++)
		headers[i] = (struct header){ q->headers[i].name, q->headers[i].value };
	req.received_ms = c->received_ms = w->calls.now_ms(w->arg);
	memset(d, 0, sizeof(*d));
	c->endpoint->provider->read(&c->endpoint->conf, &req, d);
	keep = d->verdict == VERDICT_QUARANTINE || (d->verdict == VERDICT_ACCEPT && d->n_messages > 0);
	if (keep)
		w->calls.append(w->arg, c->endpoint->site, c->endpoint, &req, d);
	if (d->wants_certificate.len > 0)
		w->calls.wants(w->arg, d->wants_certificate);
	conn_note(c, d);
	delivery_free(d);
	conn_hint(c, &req);
	return (keep);
}

/* May free c. */
static void
request_take(struct conn *c)
{
	const struct http_request *q = http_request(c->reader);

	c->endpoint = endpoint_find(c->hooks, q->target);
	c->accepted = c->endpoint != NULL ? c->endpoint->provider->accepted : NULL;
	c->head_only = slice_is(q->method, "HEAD");
	if (c->endpoint == NULL)
		conn_refuse(c, 404, "unknown_path");
	else if (!slice_is(q->method, "POST"))
		conn_refuse(c, 405, "method");
	else if (request_judge(c, q))
		conn_wait(c);
	else
		conn_answer(c);
}

/* What cannot become whole is its endpoint's affair all the same, where it names one.  May free c. */
static void
request_refuse(struct conn *c, int status, const char *reason)
{
	const struct http_request *q = http_addressed(c->reader);

	if (q != NULL) {
		c->endpoint = endpoint_find(c->hooks, q->target);
		c->head_only = slice_is(q->method, "HEAD");
	}
	c->unread = true;
	conn_refuse(c, status, reason);
}

/* Whoever holds most makes room, so that what is small gets through: where so much is held by at
 * most CONNS_MAX requests, one of them has a share of at least HELD_MAX / CONNS_MAX, 256 KiB. */
static void
make_room(struct webhooks *w)
{
	struct conn *c, *largest = NULL;

	TAILQ_FOREACH(c, &w->conns, link)
		if (largest == NULL || c->held > largest->held)
			largest = c;
	must(largest != NULL && largest->phase == READING);
	request_refuse(largest, 503, "too many large requests at once");
}

/* May free c. */
static void
conn_feed(struct conn *c, struct slice bytes)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct webhooks *w = c->hooks;

	c->held += bytes.len;
	w->held += bytes.len;
	switch (http_read(c->reader, bytes)) {
	case HTTP_CONTINUE:
		/* Nothing was sent before, so there is room; if not, the client goes on by itself. */
		(void)!send(c->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL);
		break;
	case HTTP_DONE:
		request_take(c);
		return;
	case HTTP_REFUSED:
		request_refuse(c, http_status(c->reader), http_reason(c->reader));
		return;
	case HTTP_MORE:
		break;
	}
	if (w->held > HELD_MAX)
		make_room(w);
}

/* Lingering: what comes is dropped, up to a limit, until the client has closed. */
static void
conn_drop_input(struct conn *c, size_t n)
{
	c->dropped += n;
	if (c->dropped > 2 * HTTP_BODY_MAX)
		conn_free(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	char bytes[READ_BYTES];
	ssize_t n;

	must(c->magic == CONN_MAGIC);
	(void)what;
	n = recv(fd, bytes, sizeof(bytes), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		conn_lost(c, "the client left");
	else if (c->phase == LINGERING)
		conn_drop_input(c, (size_t)n);
	else
		conn_feed(c, slice_make(bytes, (size_t)n));
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	must(c->magic == CONN_MAGIC && c->phase == WRITING);
	conn_write(c);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	must(c->magic == CONN_MAGIC);
	conn_lost(c, "too slow");
}

static void
conn_new(struct webhooks *w, int fd)
{
	struct conn *c = mem_calloc(1, sizeof(*c));

	c->magic = CONN_MAGIC;
	c->hooks = w;
	c->fd = fd;
	c->phase = READING;
	c->secret_index = -1;
	c->since_ms = monotonic_ms();
	c->reader = http_reader_new();
	TAILQ_INSERT_TAIL(&w->conns, c, link);
	w->n_conns++;
	w->n_reading++;
	must(event_assign(&c->readable, w->base, fd, EV_READ | EV_PERSIST, on_readable, c) == 0);
	must(event_assign(&c->writable, w->base, fd, EV_WRITE, on_writable, c) == 0);
	must(evtimer_assign(&c->deadline, w->base, on_deadline, c) == 0);
	must(event_add(&c->readable, NULL) == 0);
	timer_set(&c->deadline, w->deadline_ms);
	on_readable(fd, EV_READ, c);	/* mostly it is all there; may free c */
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct webhooks *w = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS_AT_ONCE && w->n_conns < w->places; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client >= 0)
			conn_new(w, client);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			listener_rest(w, errno);
			break;
		} else if (errno != EINTR && errno != ECONNABORTED)
			break;
	}
	listener_update(w);
}

/* ---- sockets -------------------------------------------------------------- */

static int
listen_inherited(struct webhooks *w, int fd, struct err *err)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss), on_len = sizeof(int);
	int on = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &on_len) != 0 || !on)
		return (err_set(err, "descriptor %d is no listening socket", fd));
	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    (ss.ss_family != AF_UNIX && !local_is_loopback((struct sockaddr *)&ss)))
		return (err_set(err, "descriptor %d listens on an address that is neither a unix socket nor loopback", fd));
	return (local_inherit(&w->socket, fd, err));
}

static int
listen_any(struct webhooks *w, const char *text, int fd, struct err *err)
{
	return (fd >= 0 ? listen_inherited(w, fd, err) : local_open(&w->socket, text, SOCK_STREAM, BACKLOG, 0660, err));
}

/* Clients never take what the logs need: to look for what follows a rotated file is to open all
 * that may be it.  A descriptor is the lowest that is free: about as many are in use already. */
static size_t
places(int lowest_fd)
{
	struct rlimit limit;
	rlim_t left, kept;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= (rlim_t)(lowest_fd + 2 * CONNS_MAX))
		return (CONNS_MAX);
	left = lowest_fd >= 0 && limit.rlim_cur > (rlim_t)lowest_fd ? limit.rlim_cur - (rlim_t)lowest_fd : 0;
	kept = left / 2 > DESCRIPTORS_KEPT ? left / 2 : DESCRIPTORS_KEPT;
	return (left > kept + CONNS_MIN ? (size_t)(left - kept) : CONNS_MIN);
}

/* ---- from outside --------------------------------------------------------- */

struct webhooks *
webhooks_new(struct event_base *base, const char *text, int fd, const struct webhook_calls *calls, void *arg, struct err *err)
{
	struct webhooks *w = mem_calloc(1, sizeof(*w));

	w->base = base;
	w->calls = *calls;
	w->arg = arg;
	w->deadline_ms = DEADLINE_MS;
	w->socket.fd = -1;
	w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	w->places = places(w->spare_fd);
	TAILQ_INIT(&w->conns);
	must(evtimer_assign(&w->commit, base, on_commit, w) == 0);
	must(evtimer_assign(&w->rest, base, on_rested, w) == 0);
	must(evtimer_assign(&w->crowd, base, on_crowd, w) == 0);
	must(event_assign(&w->listener, base, -1, EV_READ | EV_PERSIST, on_acceptable, w) == 0);
	if (listen_any(w, text, fd, err) != 0) {
		webhooks_free(&w);
		return (NULL);
	}
	must(event_assign(&w->listener, base, w->socket.fd, EV_READ | EV_PERSIST, on_acceptable, w) == 0);
	listener_update(w);
	return (w);
}

void
webhooks_free(struct webhooks **wp)
{
	struct webhooks *w = *wp;
	struct conn *c;

	if (w == NULL)
		return;
	w->draining = true;
	listener_update(w);
	commit(w);
	while ((c = TAILQ_FIRST(&w->conns)) != NULL)
		conn_free(c);
	event_del(&w->commit);
	event_del(&w->rest);
	event_del(&w->crowd);
	local_close(&w->socket);
	if (w->spare_fd >= 0)
		close(w->spare_fd);
	free(w);
	*wp = NULL;
}

void
webhooks_set_endpoints(struct webhooks *w, const struct webhook_endpoint *endpoints, size_t n)
{
	commit(w);			/* whose requests still know the old ones */
	w->endpoints = endpoints;
	w->n_endpoints = n;
}

size_t
webhooks_drain(struct webhooks *w)
{
	int64_t silent_since = monotonic_ms() - w->deadline_ms / 10;	/* who connects is about to say something */
	struct conn *c, *next;
	size_t n = 0;

	while (!w->draining && !w->resting && w->n_conns < w->places && someone_waits(w))
		on_acceptable(w->socket.fd, EV_READ, w);
	w->draining = true;
	listener_update(w);
	for (c = TAILQ_FIRST(&w->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->phase == READING && c->held == 0 && c->since_ms < silent_since)
			conn_free(c);
		else
			n += c->phase != LINGERING;
	}
	return (n);
}

void
webhooks_set_deadline_ms(struct webhooks *w, int64_t ms)
{
	w->deadline_ms = ms;
}
