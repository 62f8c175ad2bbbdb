/*
 * syslog: see syslog.h.
 *
 * A socket is emptied as soon as it can be read, whatever the sites do: the kernel keeps little.  Where
 * a feed is full, its socket rests, and is looked at again some milliseconds later.
 */
#include "io/syslog.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/feed.h"
#include "io/keys.h"
#include "io/local.h"
#include "io/syslog_header.h"
#include "io/tail.h"

#define DATAGRAM_MAX (LINE_MAX_BYTES + 1024)	/* a line and its header */
#define AT_ONCE 512			/* datagrams; then the rest of the loop has its turn */
#define WAIT_BYTES (8 * 1024 * 1024)	/* that may wait in the kernel, where it allows */
#define GATHER_MS 3			/* lines that come together go on together */
#define REST_MS 20
#define QUIET_TICKS 30			/* seconds */
#define INHERITED_MAX 32

struct listener {
	TAILQ_ENTRY(listener) link;
	struct syslogs *owner;
	char *address;
	struct feed *feed;
	struct local socket;
	struct event readable, rested;
	struct syslog_counts counts;
	uint32_t dropped;		/* the kernel's number, of this socket */
	uint64_t lines_then;		/* at the last tick that met more of them */
	unsigned quiet;			/* ticks since then */
	struct err problem;
};

struct syslogs {
	struct event_base *base;
	void (*arrived)(void *arg);
	void *arg;
	struct event gather;
	TAILQ_HEAD(, listener) listeners;
	int inherited[INHERITED_MAX];
	size_t n_inherited;
	char datagram[DATAGRAM_MAX + 1];
};

static void
timer_set(struct event *timer, int ms)
{
	struct timeval tv = { 0, ms * 1000 };

	must(event_add(timer, &tv) == 0);
}

/* ---- receiving ---------------------------------------------------------------- */

/* One of more lines is that many: the format decides what they are worth. */
static void
take_datagram(struct listener *l, struct slice datagram)
{
	struct slice message;

	if (datagram.len > DATAGRAM_MAX)
		l->counts.truncated++;
	else if (!syslog_message(datagram, &message))
		l->counts.malformed++;
	else {
		feed_put(l->feed, message);
		l->counts.lines++;
	}
}

/* What the kernel has dropped for want of room. */
static void
look_at_drops(struct listener *l)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (l->socket.fd < 0 || getsockopt(l->socket.fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return;
	l->counts.dropped += info[SK_MEMINFO_DROPS] - l->dropped;
	l->dropped = info[SK_MEMINFO_DROPS];
}

/* False where nothing waits. */
static bool
receive(struct listener *l)
{
	char *room = l->owner->datagram;
	ssize_t n = recv(l->socket.fd, room, DATAGRAM_MAX + 1, 0);

	if (n < 0)
		return (false);
	take_datagram(l, slice_make(room, (size_t)n));
	return (true);
}

static bool
has_room(const struct listener *l)
{
	return (feed_room(l->feed) > DATAGRAM_MAX + 1);
}

static void
empty(struct listener *l, unsigned most)
{
	uint64_t before = l->counts.lines;

	for (unsigned i = 0; i < most && has_room(l) && receive(l); i++)
		;
	if (l->counts.lines > before && !evtimer_pending(&l->owner->gather, NULL))
		timer_set(&l->owner->gather, GATHER_MS);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	empty(l, AT_ONCE);
	if (has_room(l))
		return;
	event_del(&l->readable);
	timer_set(&l->rested, REST_MS);
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	must(event_add(&l->readable, NULL) == 0);
}

static void
on_gathered(evutil_socket_t fd, short what, void *arg)
{
	struct syslogs *s = arg;

	(void)fd;
	(void)what;
	s->arrived(s->arg);
}

/* ---- sockets ------------------------------------------------------------------ */

int
syslog_queue(void)
{
	struct err err;
	size_t len;
	char *text = file_read("/proc/sys/net/unix/max_dgram_qlen", 100, &len, &err);
	int n = text != NULL ? atoi(text) : SYSLOG_QUEUE;

	free(text);
	return (n);
}

static void
mind_queue(const struct listener *l)
{
	if (strncmp(l->address, "unix:", 5) == 0 && syslog_queue() < SYSLOG_QUEUE)
		log_warning("syslog: %s: a unix socket keeps %d messages here, and senders drop more: set net.unix.max_dgram_qlen=%d by sysctl and"
		    " restart rpvd, or use 127.0.0.1:PORT, whose losses are counted", l->address, syslog_queue(), SYSLOG_QUEUE);
}

/* False where the service manager has none for this address. */
static bool
listener_inherit(struct listener *l)
{
	struct syslogs *s = l->owner;

	for (size_t i = 0; i < s->n_inherited; i++)
		if (local_is_at(s->inherited[i], SOCK_DGRAM, l->address)) {
			int fd = s->inherited[i];

			s->inherited[i] = s->inherited[--s->n_inherited];
			return (local_inherit(&l->socket, fd, &l->problem) == 0);
		}
	return (false);
}

/* Below /run/rpvd only systemd makes sockets. */
static int
say_no_socket(struct listener *l)
{
	struct err why = l->problem;

	if (strstr(why.msg, strerror(EACCES)) != NULL || strstr(why.msg, strerror(EROFS)) != NULL)
		err_set(&l->problem, "%.300s: enable rpvd-syslog.socket (systemctl enable --now rpvd-syslog.socket), or name a directory that"
		    " rpvd may write to", why.msg);
	return (-1);
}

/* Every user of this machine may write to it, as to /dev/log: who serves pages is another one than rpvd. */
static int
listener_open(struct listener *l)
{
	int bytes = WAIT_BYTES;

	if (!listener_inherit(l) && local_open(&l->socket, l->address, SOCK_DGRAM, 0, 0666, &l->problem) != 0)
		return (say_no_socket(l));
	l->problem.msg[0] = '\0';
	l->dropped = 0;
	if (setsockopt(l->socket.fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		(void)setsockopt(l->socket.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	must(event_assign(&l->readable, l->owner->base, l->socket.fd, EV_READ | EV_PERSIST, on_readable, l) == 0);
	must(event_add(&l->readable, NULL) == 0);
	log_info("syslog: listening at %s", l->address);
	mind_queue(l);
	return (0);
}

static void
listener_close(struct listener *l)
{
	if (l->socket.fd < 0)
		return;
	event_del(&l->readable);
	event_del(&l->rested);
	empty(l, UINT32_MAX);
	look_at_drops(l);
	local_close(&l->socket);
}

static void
listener_free(struct listener *l)
{
	listener_close(l);
	TAILQ_REMOVE(&l->owner->listeners, l, link);
	feed_free(&l->feed);
	free(l->address);
	free(l);
}

static struct listener *
find(const struct syslogs *s, const char *address)
{
	struct listener *l;

	TAILQ_FOREACH(l, &s->listeners, link)
		if (strcmp(l->address, address) == 0)
			return (l);
	return (NULL);
}

/* ---- from outside --------------------------------------------------------------- */

struct syslogs *
syslogs_new(struct event_base *base, void (*arrived)(void *arg), void *arg)
{
	struct syslogs *s = mem_calloc(1, sizeof(*s));

	s->base = base;
	s->arrived = arrived;
	s->arg = arg;
	TAILQ_INIT(&s->listeners);
	must(evtimer_assign(&s->gather, base, on_gathered, s) == 0);
	return (s);
}

void
syslogs_free(struct syslogs **sp)
{
	struct syslogs *s = *sp;
	struct listener *l;

	if (s == NULL)
		return;
	while ((l = TAILQ_FIRST(&s->listeners)) != NULL)
		listener_free(l);
	event_del(&s->gather);
	free(s);
	*sp = NULL;
}

struct feed *
syslogs_feed(struct syslogs *s, const char *address, size_t limit)
{
	struct listener *l = find(s, address);

	if (l != NULL)
		return (l->feed);
	l = mem_calloc(1, sizeof(*l));
	l->owner = s;
	l->address = mem_strdup(address);
	l->socket.fd = -1;
	l->feed = feed_new(limit > 4 * DATAGRAM_MAX ? limit : 4 * DATAGRAM_MAX);
	must(evtimer_assign(&l->rested, s->base, on_rested, l) == 0);
	TAILQ_INSERT_TAIL(&s->listeners, l, link);
	return (l->feed);
}

void
syslogs_inherit(struct syslogs *s, int fd)
{
	if (s->n_inherited < INHERITED_MAX)
		s->inherited[s->n_inherited++] = fd;
}

int
syslogs_listen(struct syslogs *s, struct err *err)
{
	struct listener *l;
	int rc = 0;

	TAILQ_FOREACH(l, &s->listeners, link)
		if (l->socket.fd < 0 && listener_open(l) != 0) {
			*err = l->problem;
			rc = -1;
		}
	return (rc);
}

void
syslogs_tick(struct syslogs *s)
{
	struct listener *l;
	struct err err;

	(void)syslogs_listen(s, &err);		/* the status says what is wrong */
	TAILQ_FOREACH(l, &s->listeners, link) {
		look_at_drops(l);
		l->quiet = l->counts.lines == l->lines_then ? l->quiet + 1 : 0;
		l->lines_then = l->counts.lines;
		if (l->quiet == QUIET_TICKS)
			feed_rest(l->feed);
	}
}

void
syslogs_keep(struct syslogs *s, bool (*wanted)(const char *address, void *arg), void *arg)
{
	struct listener *l, *next;

	for (l = TAILQ_FIRST(&s->listeners); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (!wanted(l->address, arg))
			listener_free(l);
	}
}

void
syslogs_close(struct syslogs *s)
{
	struct listener *l;

	TAILQ_FOREACH(l, &s->listeners, link)
		listener_close(l);
}

bool
syslogs_any(const struct syslogs *s)
{
	return (!TAILQ_EMPTY(&s->listeners));
}

void
syslogs_counts(const struct syslogs *s, const char *address, struct syslog_counts *counts)
{
	const struct listener *l = find(s, address);

	*counts = l != NULL ? l->counts : (struct syslog_counts){ 0 };
}

bool
syslogs_problem(const struct syslogs *s, const char *address, struct err *err)
{
	const struct listener *l = find(s, address);

	if (l == NULL || l->problem.msg[0] == '\0')
		return (false);
	err_set(err, "syslog %s", l->problem.msg);
	return (true);
}
