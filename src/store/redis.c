/*
 * redis: see redis.h.
 *
 * One state machine: idle -> (waiting -> resolving -> connecting -> securing -> hello -> up)*;
 * resolving is for host names, securing for TLS.
 * One timer, whose meaning is the state's: the next attempt (waiting), the deadline of
 * the attempt (up to hello), the deadline of the oldest outstanding reply (up).
 *
 * The reply deadline runs from when the reply became the oldest or bytes last came.
 * Writes do not move it, else a busy client would never notice a stopped server; but
 * while the oldest command is itself still on its way out, it is moved as long as bytes
 * go out: a big command on a slow line is no fault, and a stopped server soon takes none.
 *
 * A callback may drop the connection that its reply came by.  `life` counts connections;
 * the loops over replies end where it has changed.
 */
#include "store/redis.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "store/redis_url.h"
#include "store/redis_why.h"
#include "store/resolve.h"

#define CONNECT_MS 3000
#define REPLY_MS 5000
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 5000
#define STEADY_MS 5000			/* up for so long: the next trouble is a new one */
#define ELEMENTS_MAX (1 << 25)		/* of one reply: more than any of ours has */
#define WRITE_CHUNK (1 << 20)
#define READ_CHUNK (16 * 1024)

enum state { IDLE, WAITING, RESOLVING, CONNECTING, SECURING, HELLO, UP };

struct pending {			/* a command whose reply has not come */
	redis_reply_fn *fn;
	void *arg;
	uint64_t end;			/* of its last byte, in all that was queued */
};

struct redis {
	struct event_base *base;
	struct redis_conf conf;
	struct redis_calls calls;
	void *arg;
	struct redis_url url;
	char *password_file, *ca, *certificate, *certificate_key;

	enum state state;
	uint64_t life;
	struct event *timer;
	unsigned failures;		/* attempts in a row; the back-off follows it */
	int64_t up_at;
	char *last_why;			/* told last; NULL since on_up */

	struct resolve *resolve;	/* owns the list that `next` points into */
	const struct addrinfo *next;	/* address to try when this one refuses */
	unsigned unanswered;		/* attempts that timed out: begin behind so many addresses */
	int fd;				/* while connecting; then bev has it */
	struct event *connected;
	struct bufferevent *bev;
	redisReader *reader;
	redisReplyObjectFunctions functions, of_hiredis;	/* the reader's; what they rest on */

	struct pending *queue;		/* a ring of cap (0 or a power of two) places */
	size_t head, count, cap;
	uint64_t queued, written;	/* bytes, of this connection */
	bool heard;			/* anything came back */
	int64_t since;			/* when the wait for the oldest reply began */

	struct redis_info info;
	struct buf scratch;		/* of put_command() */
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
arm(struct redis *r, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	event_add(r->timer, &tv);
}

/* ---- the queue of outstanding replies ---- */

static void
queue_grow(struct redis *r)
{
	size_t cap = r->cap == 0 ? 64 : r->cap * 2;
	struct pending *queue = mem_calloc(cap, sizeof(*queue));

	for (size_t i = 0; i < r->count; i++)
		queue[i] = r->queue[(r->head + i) & (r->cap - 1)];
	free(r->queue);
	r->queue = queue;
	r->cap = cap;
	r->head = 0;
}

static void
queue_push(struct redis *r, struct pending p)
{
	if (r->count == r->cap)
		queue_grow(r);
	r->queue[(r->head + r->count++) & (r->cap - 1)] = p;
}

static struct pending
queue_pop(struct redis *r)
{
	struct pending p;

	must(r->count > 0);
	p = r->queue[r->head];
	r->head = (r->head + 1) & (r->cap - 1);
	r->count--;
	return (p);
}

/* ---- commands ---- */

/* "*3\r\n" or "$3\r\n". */
static void
put_length(struct buf *out, char kind, size_t n)
{
	char text[24], *p = text + sizeof(text);

	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	*--p = kind;
	buf_put(out, p, (size_t)(text + sizeof(text) - p));
}

/* Own code for RESP requests (five lines of a documented format): hiredis' formatter works by
 * sprintf and took a ninth of a whole replay. */
static void
put_command(struct redis *r, redis_reply_fn *fn, void *arg, size_t argc, const struct slice *argv)
{
	must(argc > 0);
	r->scratch.len = 0;
	put_length(&r->scratch, '*', argc);
	for (size_t i = 0; i < argc; i++) {
		put_length(&r->scratch, '$', argv[i].len);
		buf_put(&r->scratch, argv[i].p, argv[i].len);
		buf_put(&r->scratch, "\r\n", 2);
	}
	must(evbuffer_add(bufferevent_get_output(r->bev), r->scratch.p, r->scratch.len) == 0);
	r->queued += r->scratch.len;
	if (r->count == 0)
		r->since = now_ms();
	queue_push(r, (struct pending){ fn, arg, r->queued });
	if (r->state == UP && !event_pending(r->timer, EV_TIMEOUT, NULL))
		arm(r, r->conf.reply_ms);
}

bool
redis_command(struct redis *r, redis_reply_fn *fn, void *arg, size_t argc, const struct slice *argv)
{
	if (r->state != UP)
		return (false);
	put_command(r, fn, arg, argc, argv);
	return (true);
}

size_t
redis_backlog(const struct redis *r)
{
	return (r->bev != NULL ? evbuffer_get_length(bufferevent_get_output(r->bev)) : 0);
}

/* ---- the end of a connection ---- */

static void
close_all(struct redis *r)
{
	r->life++;
	event_del(r->timer);
	resolve_free(&r->resolve);
	r->next = NULL;
	if (r->connected != NULL)
		event_free(r->connected);
	r->connected = NULL;
	if (r->bev != NULL)
		bufferevent_free(r->bev);	/* closes the socket */
	else if (r->fd >= 0)
		close(r->fd);
	r->bev = NULL;
	r->fd = -1;
	if (r->reader != NULL)
		redisReaderFree(r->reader);
	r->reader = NULL;
	r->queued = r->written = 0;
	r->heard = false;
}

/* Every outstanding callback, once.  They find the connection down: no command can join. */
static void
cancel_replies(struct redis *r)
{
	while (r->count > 0) {
		struct pending p = queue_pop(r);

		if (p.fn != NULL)
			p.fn(NULL, p.arg);
	}
}

/* Between two thirds and all of 0.15, 0.3, ... 5 s: many clients of a Redis that comes
 * back do not all come at once. */
static int64_t
retry_delay(struct redis *r)
{
	int64_t top = RETRY_FIRST_MS * 3 / 2;
	uint32_t random;

	for (unsigned i = 0; i < r->failures && top < RETRY_LAST_MS; i++)
		top *= 2;
	if (top > RETRY_LAST_MS)
		top = RETRY_LAST_MS;
	evutil_secure_rng_get_bytes(&random, sizeof(random));
	return (top * 2 / 3 + (int64_t)(random % (uint32_t)(top / 3 + 1)));
}

static void
tell_down(struct redis *r, const char *why)
{
	if (r->last_why != NULL && strcmp(r->last_why, why) == 0)
		return;
	free(r->last_why);
	r->last_why = mem_strdup(why);
	if (r->calls.on_down != NULL)
		r->calls.on_down(r->arg, why);
}

/* The attempt or connection is over; why may lie in what is freed here. */
static void
drop(struct redis *r, const char *why)
{
	struct err sentence;

	err_set(&sentence, "%s", why);
	if (r->state == UP && now_ms() - r->up_at > STEADY_MS)
		r->failures = 0;
	close_all(r);
	r->state = WAITING;
	arm(r, retry_delay(r));
	r->failures++;
	cancel_replies(r);
	tell_down(r, sentence.msg);
}

static void
drop_errno(struct redis *r, int errnum)
{
	struct err why;

	redis_why_errno(&r->url, errnum, &why);
	drop(r, why.msg);
}

void
redis_reset(struct redis *r, const char *why)
{
	if (r->state > WAITING)
		drop(r, why);
}

/* ---- hello: authenticate, select, name, see that it answers ---- */

static void
hello_reply(struct redis *r, enum redis_hello step, const redisReply *reply)
{
	struct err why;

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR && redis_why_refused(&r->url, step, reply->str, &why))
		drop(r, why.msg);
}

static void
on_auth(redisReply *reply, void *arg)
{
	hello_reply(arg, HELLO_AUTH, reply);
}

static void
on_select(redisReply *reply, void *arg)
{
	hello_reply(arg, HELLO_SELECT, reply);
}

static void
on_setname(redisReply *reply, void *arg)
{
	hello_reply(arg, HELLO_SETNAME, reply);
}

/* Who may not ask, does without. */
static void
on_info(redisReply *reply, void *arg)
{
	struct redis *r = arg;

	hello_reply(r, HELLO_INFO, reply);
	if (reply == NULL || reply->type == REDIS_REPLY_NIL || reply->str == NULL)
		return;
	redis_info_parse(&r->info, reply->type == REDIS_REPLY_ERROR ? slice_make(NULL, 0) : slice_make(reply->str, reply->len));
	if (r->info.replica && r->state >= HELLO)
		drop(r, redis_why_replica);
}

/* "save", "3600 1 300 100", or "" */
static void
on_config(redisReply *reply, void *arg)
{
	struct redis *r = arg;

	r->info.snapshots = SNAPSHOTS_UNKNOWN;
	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[1]->str != NULL)
		r->info.snapshots = reply->element[1]->len > 0 ? SNAPSHOTS_ON : SNAPSHOTS_OFF;
}

static void
ask_info(struct redis *r)
{
	put_command(r, on_info, r, 1, (struct slice[]){ SLICE("INFO") });
	put_command(r, on_config, r, 3, (struct slice[]){ SLICE("CONFIG"), SLICE("GET"), SLICE("save") });
}

/* The last answer.  A PING since only it fails while Redis loads its data. */
static void
on_ping(redisReply *reply, void *arg)
{
	struct redis *r = arg;
	uint64_t life = r->life;

	hello_reply(r, HELLO_PING, reply);
	if (reply == NULL || r->life != life)
		return;
	event_del(r->timer);
	r->state = UP;
	r->up_at = now_ms();
	r->unanswered = 0;
	free(r->last_why);
	r->last_why = NULL;
	if (r->calls.on_up != NULL)
		r->calls.on_up(r->arg);
}

/* Read anew each time, so that a changed password needs no restart.  False: dropped. */
static bool
hello_auth(struct redis *r)
{
	struct slice argv[3] = { SLICE("AUTH") };
	char *password = NULL;
	struct err err;
	size_t n = 1;

	if (r->password_file != NULL && (password = redis_password_read(r->password_file, &err)) == NULL) {
		drop(r, err.msg);
		return (false);
	}
	if (r->url.user != NULL)
		argv[n++] = slice_of(r->url.user);
	argv[n++] = slice_of(password != NULL ? password : r->url.password);
	if (r->url.user != NULL || password != NULL || r->url.password != NULL) {
		put_command(r, on_auth, r, n, argv);
		explicit_bzero(r->scratch.p, r->scratch.len);
	}
	redis_password_free(password);
	return (true);
}

static void
hello(struct redis *r)
{
	char db[16];

	r->state = HELLO;
	if (!hello_auth(r))
		return;
	if (r->url.db != 0) {
		snprintf(db, sizeof(db), "%d", r->url.db);
		put_command(r, on_select, r, 2, (struct slice[]){ SLICE("SELECT"), slice_of(db) });
	}
	put_command(r, on_setname, r, 3, (struct slice[]){ SLICE("CLIENT"), SLICE("SETNAME"), SLICE("rpvd") });
	ask_info(r);
	put_command(r, on_ping, r, 1, (struct slice[]){ SLICE("PING") });
}

/* ---- replies ---- */

static void
protocol_error(struct redis *r, const char *what)
{
	struct err why;

	err_set(&why, "what answers does not speak the Redis protocol (%s): check the URL; a port for TLS wants rediss://", what);
	drop(r, why.msg);
}

static void
take_reply(struct redis *r, redisReply *reply)
{
	struct pending p;

	if (r->count == 0) {
		protocol_error(r, "a reply that nobody asked for");
		return;
	}
	p = queue_pop(r);
	if (p.fn != NULL)
		p.fn(reply, p.arg);
}

/* The chunks are small because the reader moves the rest of what it holds for each KB of
 * replies that it hands out. */
static void
feed(struct redis *r, const char *bytes, size_t len)
{
	uint64_t life = r->life;

	if (redisReaderFeed(r->reader, bytes, len) != REDIS_OK) {
		protocol_error(r, r->reader->errstr);
		return;
	}
	while (r->life == life) {
		void *reply = NULL;

		if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
			protocol_error(r, r->reader->errstr);
			return;
		}
		if (reply == NULL)
			return;
		take_reply(r, reply);
		freeReplyObject(reply);
	}
}

/* Called for each few KB: other events of the loop have their turn between two calls. */
static void
on_readable(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct redis *r = arg;
	uint64_t life = r->life;
	SCRATCH char chunk[READ_CHUNK];

	r->since = now_ms();
	r->heard = true;
	while (r->life == life) {
		int n = evbuffer_remove(in, chunk, sizeof(chunk));

		if (n <= 0)
			return;
		feed(r, chunk, (size_t)n);
	}
}

/* Bytes went out: of the oldest command, or only of younger ones? */
static void
on_written(struct evbuffer *out, const struct evbuffer_cb_info *change, void *arg)
{
	struct redis *r = arg;

	(void)out;
	if (change->n_deleted > 0 && r->count > 0 && r->queue[r->head].end > r->written)
		r->since = now_ms();
	r->written += change->n_deleted;
}

/* A Redis that turns a client away says why and closes; our first write may then fail
 * before its words were read.  OpenSSL's code where they are an alert of TLS, else 0. */
static unsigned long
read_last_words(struct redis *r)
{
	SSL *ssl = r->url.tls ? bufferevent_openssl_get_ssl(r->bev) : NULL;
	char words[512];
	ssize_t n;

	ERR_clear_error();
	if (ssl != NULL)
		n = SSL_read(ssl, words, sizeof(words));
	else
		n = recv(bufferevent_getfd(r->bev), words, sizeof(words), MSG_DONTWAIT);
	if (n > 0)
		feed(r, words, (size_t)n);
	return (ssl != NULL && n <= 0 ? ERR_get_error() : 0);
}

/* True where TLS is the reason.  error: of the last words. */
static bool
is_tls_trouble(struct redis *r, unsigned long error, struct err *why)
{
	if (!r->url.tls)
		return (false);
	for (unsigned long e; (e = bufferevent_get_openssl_error(r->bev)) != 0;)
		if (error == 0 || ERR_SYSTEM_ERROR(error))
			error = e;
	if (error == 0 || ERR_SYSTEM_ERROR(error))
		return (false);
	tls_why(&r->url, &r->conf.tls, bufferevent_openssl_get_ssl(r->bev), error, why);
	return (true);
}

static const char *
why_closed(const struct redis *r)
{
	if (r->state == SECURING)
		return ("the connection was closed before TLS was set up: the port does not speak it, or Redis has as many clients as "
		    "its maxclients allows");
	if (r->state == HELLO && !r->heard && r->url.tls)
		return ("Redis closed the connection as soon as TLS was set up: does it want a certificate of its clients (certificate "
		    "here, tls-auth-clients there)?");
	if (r->state == HELLO && !r->heard && r->url.path == NULL)
		return ("Redis closed the connection without a word: it cut this client off, or its port is one for TLS (then write "
		    "rediss://)");
	return ("Redis closed the connection: it was stopped or restarted, or cut this client off");
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	int errnum = EVUTIL_SOCKET_ERROR();
	bool reset = errnum == ECONNRESET || errnum == EPIPE;
	unsigned long error = 0;
	struct redis *r = arg;
	uint64_t life = r->life;
	struct err why;

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) != 0) {	/* by TLS */
		hello(r);
		return;
	}
	if (r->state == HELLO)
		error = read_last_words(r);
	if (r->life != life)
		return;
	if (is_tls_trouble(r, error, &why))
		drop(r, why.msg);
	else if ((what & BEV_EVENT_EOF) != 0 || (reset && r->state < UP && !r->heard))
		drop(r, why_closed(r));
	else
		drop_errno(r, errnum);
}

/* ---- connecting ---- */

/* NULL: dropped. */
static struct bufferevent *
secure_socket(struct redis *r)
{
	struct bufferevent *bev;
	struct err err;
	SSL *ssl = tls_session(&r->conf.tls, r->url.host, &err);

	if (ssl == NULL) {
		drop(r, err.msg);
		return (NULL);
	}
	bev = bufferevent_openssl_socket_new(r->base, r->fd, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	must(bev != NULL);
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return (bev);
}

#if HIREDIS_MAJOR >= 1
typedef size_t reply_count;
#else
typedef int reply_count;
#endif

/* hiredis makes room for all that a reply announces before any of it came. */
static void *
new_array(const redisReadTask *task, reply_count n)
{
	const struct redis *r = task->privdata;

	return (n <= ELEMENTS_MAX ? r->of_hiredis.createArray(task, n) : NULL);
}

static redisReader *
new_reader(struct redis *r)
{
	redisReader *reader = redisReaderCreate();

	must(reader != NULL);
	r->of_hiredis = *reader->fn;
	r->functions = r->of_hiredis;
	r->functions.createArray = new_array;
	reader->fn = &r->functions;
	reader->privdata = r;
	return (reader);
}

static void
use_socket(struct redis *r)
{
	struct bufferevent *bev = r->url.tls ? secure_socket(r) : bufferevent_socket_new(r->base, r->fd, BEV_OPT_CLOSE_ON_FREE);

	if (bev == NULL && r->url.tls)
		return;
	must(bev != NULL);
	r->bev = bev;
	bufferevent_set_max_single_write(r->bev, WRITE_CHUNK);
	bufferevent_setcb(r->bev, on_readable, NULL, on_event, r);
	must(evbuffer_add_cb(bufferevent_get_output(r->bev), on_written, r) != NULL);
	bufferevent_enable(r->bev, EV_READ | EV_WRITE);
	r->reader = new_reader(r);
	if (r->url.tls)
		r->state = SECURING;
	else
		hello(r);
}

/* A peer that is gone without a word is noticed by the kernel too. */
static void
set_tcp_options(const struct redis *r)
{
	const int on = 1, user_timeout = (int)r->conf.reply_ms;

	setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(r->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(r->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof(user_timeout));
}

static void connect_next(struct redis *, int errnum);

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct redis *r = arg;
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	(void)what;
	event_free(r->connected);
	r->connected = NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) != 0)
		errnum = errno;
	if (errnum == 0)
		use_socket(r);
	else
		connect_next(r, errnum);
}

/* 0 where the connection is made or on its way, else an errno. */
static int
connect_to(struct redis *r, const struct sockaddr *address, socklen_t len)
{
	r->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0)
		return (errno);
	if (address->sa_family != AF_UNIX)
		set_tcp_options(r);
	if (connect(r->fd, address, len) == 0) {
		use_socket(r);
		return (0);
	}
	if (errno != EINPROGRESS)
		return (errno);
	r->connected = event_new(r->base, r->fd, EV_WRITE, on_connected, r);
	must(r->connected != NULL);
	event_add(r->connected, NULL);
	return (0);
}

/* The next address of the host, if there is one: errnum is why the last one failed. */
static void
connect_next(struct redis *r, int errnum)
{
	while (r->next != NULL) {
		const struct addrinfo *a = r->next;

		if (r->fd >= 0)
			close(r->fd);
		r->next = a->ai_next;
		if ((errnum = connect_to(r, a->ai_addr, a->ai_addrlen)) == 0)
			return;
	}
	drop_errno(r, errnum);
}

static void
on_resolved(const struct addrinfo *list, const char *why, void *arg)
{
	struct redis *r = arg;
	unsigned count = 0;
	struct err err;

	if (list == NULL) {
		err_set(&err, "the host name %s was not found (%s): check the URL and the name service", r->url.host, why);
		drop(r, err.msg);
		return;
	}
	r->state = CONNECTING;
	for (r->next = list; r->next != NULL; r->next = r->next->ai_next)
		count++;
	r->next = list;
	for (unsigned skip = r->unanswered % count; skip > 0; skip--)
		r->next = r->next->ai_next;
	connect_next(r, 0);
}

static void
attempt_unix(struct redis *r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int errnum;

	r->state = CONNECTING;
	must(strlen(r->url.path) < sizeof(address.sun_path));
	strcpy(address.sun_path, r->url.path);
	errnum = connect_to(r, (const struct sockaddr *)&address, sizeof(address));
	if (errnum != 0)
		drop_errno(r, errnum);
}

static void
attempt(struct redis *r)
{
	arm(r, r->conf.connect_ms);
	if (r->url.path != NULL) {
		attempt_unix(r);
		return;
	}
	r->state = RESOLVING;
	r->resolve = resolve_start(r->base, r->url.host, r->url.port, on_resolved, r);
	if (r->resolve == NULL)
		drop(r, "no thread could be started to look up the Redis host: the limit on tasks or descriptors is reached");
}

/* ---- the timer ---- */

static void
check_oldest_reply(struct redis *r)
{
	int64_t left;

	if (r->count == 0)
		return;
	left = r->since + r->conf.reply_ms - now_ms();
	if (left > 0)
		arm(r, left);
	else
		drop_errno(r, ETIMEDOUT);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct redis *r = arg;
	struct err why;

	(void)fd;
	(void)what;
	switch (r->state) {
	case IDLE:
		break;
	case WAITING:
		attempt(r);
		break;
	case RESOLVING:
		err_set(&why, "the look-up of the host name %s timed out: check the name service", r->url.host);
		drop(r, why.msg);
		break;
	case CONNECTING:
		r->unanswered++;
		drop_errno(r, ETIMEDOUT);
		break;
	case SECURING:
		drop(r, "the connection is accepted, but TLS is not answered (timed out): the port does not speak it, or Redis hangs");
		break;
	case HELLO:
		drop(r, "Redis accepts the connection but does not answer (timed out): it hangs, or is overloaded");
		break;
	case UP:
		check_oldest_reply(r);
		break;
	}
}

/* ---- life ---- */

struct redis_conf
redis_conf_of(const struct config *config)
{
	return ((struct redis_conf){
	    .url = config->redis_url, .password_file = config->redis_password_file,
	    .tls = { config->redis_ca, config->redis_certificate, config->redis_certificate_key },
	});
}

/* Files that cannot be read are a mistake of the configuration: told at once. */
static int
check_conf(struct redis_url *url, const struct redis_conf *conf, struct err *err)
{
	char *password;

	if (redis_url_parse(url, conf->url, conf->password_file, err) != 0)
		return (-1);
	if (url->tls && tls_check(&conf->tls, err) != 0)
		return (-1);
	if (url->host != NULL && !url->tls &&
	    (conf->tls.ca != NULL || conf->tls.certificate != NULL || conf->tls.certificate_key != NULL))
		return (err_set(err, "ca and certificate are for TLS, but the Redis URL does not begin with rediss://"));
	if (conf->password_file == NULL)
		return (0);
	if ((password = redis_password_read(conf->password_file, err)) == NULL)
		return (-1);
	redis_password_free(password);
	return (0);
}

int
redis_check(const struct redis_conf *conf, struct err *err)
{
	struct redis_url url = { 0 };
	int rc = check_conf(&url, conf, err);

	redis_url_free(&url);
	return (rc);
}

static char *
copy_of(const char *text)
{
	return (text != NULL ? mem_strdup(text) : NULL);
}

/* The caller's strings need not last. */
static void
keep_files(struct redis *r, const struct redis_conf *conf)
{
	r->password_file = copy_of(conf->password_file);
	r->ca = copy_of(conf->tls.ca);
	r->certificate = copy_of(conf->tls.certificate);
	r->certificate_key = copy_of(conf->tls.certificate_key);
	r->conf.tls = (struct tls_files){ r->ca, r->certificate, r->certificate_key };
	r->conf.url = r->conf.password_file = NULL;
}

struct redis *
redis_new(struct event_base *base, const struct redis_conf *conf, const struct redis_calls *calls, void *arg,
    struct err *err)
{
	struct redis *r = mem_calloc(1, sizeof(*r));

	r->fd = -1;
	if (check_conf(&r->url, conf, err) != 0) {
		redis_free(&r);
		return (NULL);
	}
	r->base = base;
	r->conf = *conf;
	if (r->conf.connect_ms <= 0)
		r->conf.connect_ms = CONNECT_MS;
	if (r->conf.reply_ms <= 0)
		r->conf.reply_ms = REPLY_MS;
	keep_files(r, conf);
	r->calls = *calls;
	r->arg = arg;
	r->timer = evtimer_new(base, on_timer, r);
	must(r->timer != NULL);
	return (r);
}

void
redis_free(struct redis **rp)
{
	struct redis *r = *rp;

	if (r == NULL)
		return;
	*rp = NULL;
	if (r->timer != NULL) {
		close_all(r);
		r->state = IDLE;
		cancel_replies(r);
		event_free(r->timer);
	}
	redis_url_free(&r->url);
	free(r->password_file);
	free(r->ca);
	free(r->certificate);
	free(r->certificate_key);
	free(r->last_why);
	free(r->queue);
	buf_free(&r->scratch);
	free(r);
}

void
redis_connect(struct redis *r)
{
	if (r->state != IDLE)
		return;
	r->state = WAITING;
	arm(r, 0);		/* from the loop, so that no callback comes out of this call */
}

bool
redis_is_up(const struct redis *r)
{
	return (r->state == UP);
}

const struct redis_info *
redis_info(const struct redis *r)
{
	return (&r->info);
}

void
redis_learn(struct redis *r)
{
	if (r->state == UP)
		ask_info(r);
}

const char *
redis_user(const struct redis *r)
{
	return (r->url.user != NULL ? r->url.user : "default");
}

const char *
redis_name(const struct redis *r)
{
	return (r->url.name);
}
