/*
 * syslog: log lines that a web server sends to this machine's own sockets, by datagrams.
 *
 * nginx: access_log syslog:server=unix:/run/rpvd/syslog.sock,nohostname NAME; each datagram is a line behind
 * a header.  A sender has no place to go back to.  What is promised:
 *
 * - A line that was taken from the socket is kept in memory until it is committed, so that a lost Redis or a
 *   reload costs none.  It is not kept on disk, for it has addresses in it: a kill -9, or a power
 *   failure, costs what came since the last commit.
 * - A stop takes what waits in the sockets, and commits it.  What is sent while nobody listens is lost: nginx
 *   says so in its error log.  A socket that the service manager holds open keeps it, as far as its queue goes.
 * - Where Redis is away for so long that the memory is full, the sockets are left alone: then the kernel
 *   drops (UDP: counted), or refuses the sender (a unix socket: nginx says so).
 */
#ifndef RPVD_SYSLOG_H
#define RPVD_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct event_base;
struct feed;
struct syslogs;				/* all sockets of a daemon */

struct syslog_counts {
	uint64_t lines;			/* put into the feed */
	uint64_t malformed;		/* datagrams without a header */
	uint64_t truncated;		/* of more than 64 KiB */
	uint64_t dropped;		/* by the kernel, as far as it tells */
};

/* arrived(): some milliseconds after lines came. */
struct syslogs *syslogs_new(struct event_base *, void (*arrived)(void *arg), void *arg);
void syslogs_free(struct syslogs **);
/* The lines that come to this address, whether or not anybody listens there yet; at most limit bytes of
 * them.  The same feed each time, for as long as syslogs_keep() keeps it. */
struct feed *syslogs_feed(struct syslogs *, const char *address, size_t limit);
/* A socket of the service manager's, for whichever address it is at. */
void syslogs_inherit(struct syslogs *, int fd);
/* Listens at all of them where it does not yet.  -1 with err of the last one that failed: it is tried
 * again with the next call. */
int syslogs_listen(struct syslogs *, struct err *);
/* Once a second: tries again to listen where it could not, and lets go of lines that are committed for long. */
void syslogs_tick(struct syslogs *);
/* The addresses from now on; others are closed. */
void syslogs_keep(struct syslogs *, bool (*wanted)(const char *address, void *arg), void *arg);
/* Takes what waits in the sockets, and closes them. */
void syslogs_close(struct syslogs *);
bool syslogs_any(const struct syslogs *);

/* So many messages a unix socket keeps on this machine for who is slow.  A sender that does not wait, such as
 * nginx, drops what is more, and says nothing. */
int syslog_queue(void);
#define SYSLOG_QUEUE 512		/* what systemd sets at boot; fewer are few */

void syslogs_counts(const struct syslogs *, const char *address, struct syslog_counts *);
/* True where nobody listens at this address, and err says why. */
bool syslogs_problem(const struct syslogs *, const char *address, struct err *);

#endif
