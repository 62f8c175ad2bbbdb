/*
 * local: sockets that only this machine can reach: unix:PATH, 127.0.0.1:PORT or [::1]:PORT.
 *
 * A socket file that a dead process left is replaced, that of a living one is not.
 */
#ifndef RPVD_LOCAL_H
#define RPVD_LOCAL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

struct sockaddr;

struct local {
	int fd;				/* nonblocking */
	char *path;			/* of a socket file that is ours to remove; else NULL */
	struct stat stat;		/* of that */
};

/* type: SOCK_STREAM, which listens with this backlog, or SOCK_DGRAM.  mode: of a socket file.
 * 0, or -1 with err set and nothing to be closed. */
int local_open(struct local *, const char *text, int type, int backlog, mode_t mode, struct err *);
/* Whether fd, which the service manager holds open, is a socket of this type at this address. */
bool local_is_at(int fd, int type, const char *text);
/* Takes over such a one. */
int local_inherit(struct local *, int fd, struct err *);
/* Also removes the socket file, unless another process has taken its name since.  fd is -1 then. */
void local_close(struct local *);
bool local_is_loopback(const struct sockaddr *);

#endif
