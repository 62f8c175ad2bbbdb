/*
 * local: see local.h.
 */
#include "io/local.h"

#include <errno.h>
#include <event2/util.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

bool
local_is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127);
	if (sa->sa_family == AF_INET6)
		return (IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr));
	return (false);
}

static int
socket_new(int family, int type)
{
	return (socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/* True where nobody answers at this socket file, which then is gone. */
static bool
stale_removed(const struct sockaddr_un *un, int type, struct err *err)
{
	struct stat st;
	int fd, error;

	if (lstat(un->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		err_set(err, "unix:%s: there is a file that is no socket", un->sun_path);
		return (false);
	}
	fd = socket_new(AF_UNIX, type);
	error = fd < 0 || connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0 ? 0 : errno;
	if (fd >= 0)
		close(fd);
	if (error == ENOENT || (error == ECONNREFUSED && (unlink(un->sun_path) == 0 || errno == ENOENT)))
		return (true);
	err_set(err, "unix:%s: another process listens there", un->sun_path);
	return (false);
}

/* With its mode from the first moment on. */
static int
bind_unix(int fd, const struct sockaddr_un *un, mode_t mode)
{
	mode_t old = umask(~mode & 0777);
	int rc = bind(fd, (const struct sockaddr *)un, sizeof(*un));

	umask(old);
	return (rc);
}

static int
start_listening(int fd, int type, int backlog)
{
	return (type == SOCK_STREAM ? listen(fd, backlog) : 0);
}

static int
open_unix(struct local *l, const char *path, int type, int backlog, mode_t mode, struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int rc;

	if (path[0] == '\0' || strlen(path) >= sizeof(un.sun_path))
		return (err_set(err, "unix:%s: a socket path has 1 to %zu bytes", path, sizeof(un.sun_path) - 1));
	memcpy(un.sun_path, path, strlen(path));
	l->fd = socket_new(AF_UNIX, type);
	if (l->fd < 0)
		return (err_set(err, "unix:%s: %s", path, strerror(errno)));
	rc = bind_unix(l->fd, &un, mode);
	if (rc != 0 && errno == EADDRINUSE) {
		if (!stale_removed(&un, type, err))
			return (-1);
		rc = bind_unix(l->fd, &un, mode);
	}
	if (rc != 0)
		return (err_set(err, "unix:%s: cannot create the socket: %s", path, strerror(errno)));
	l->path = mem_strdup(path);
	if (lstat(path, &l->stat) != 0 || start_listening(l->fd, type, backlog) != 0)
		return (err_set(err, "unix:%s: cannot listen: %s", path, strerror(errno)));
	return (0);
}

static int
open_inet(struct local *l, const char *text, int type, int backlog, struct err *err)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr *sa = (struct sockaddr *)&ss;
	int len = sizeof(ss), on = 1;

	if (evutil_parse_sockaddr_port(text, sa, &len) != 0 || ((struct sockaddr_in *)&ss)->sin_port == 0)
		return (err_set(err, "%s: expected unix:/path, 127.0.0.1:PORT or [::1]:PORT", text));
	if (!local_is_loopback(sa))
		return (err_set(err, "%s: not a loopback address; let the web server in front pass webhooks on", text));
	l->fd = socket_new(sa->sa_family, type);
	if (l->fd < 0)
		return (err_set(err, "%s: %s", text, strerror(errno)));
	if (type == SOCK_STREAM)	/* of datagrams two processes would have one port */
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(l->fd, sa, (socklen_t)len) != 0 || start_listening(l->fd, type, backlog) != 0)
		return (err_set(err, "%s: cannot listen: %s", text, strerror(errno)));
	return (0);
}

int
local_open(struct local *l, const char *text, int type, int backlog, mode_t mode, struct err *err)
{
	int rc;

	*l = (struct local){ .fd = -1 };
	rc = strncmp(text, "unix:", 5) == 0 ? open_unix(l, text + 5, type, backlog, mode, err) :
	    open_inet(l, text, type, backlog, err);
	if (rc != 0)
		local_close(l);
	return (rc);
}

bool
local_is_at(int fd, int type, const char *text)
{
	struct sockaddr_storage is = { 0 }, want = { 0 };
	const struct sockaddr_un *un = (const struct sockaddr_un *)&is;
	socklen_t len = sizeof(is), type_len = sizeof(int);
	int is_type, want_len = sizeof(want);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &is_type, &type_len) != 0 || is_type != type ||
	    getsockname(fd, (struct sockaddr *)&is, &len) != 0)
		return (false);
	if (strncmp(text, "unix:", 5) == 0)
		return (is.ss_family == AF_UNIX && strcmp(un->sun_path, text + 5) == 0);
	return (evutil_parse_sockaddr_port(text, (struct sockaddr *)&want, &want_len) == 0 &&
	    evutil_sockaddr_cmp((struct sockaddr *)&is, (struct sockaddr *)&want, 1) == 0);
}

int
local_inherit(struct local *l, int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	*l = (struct local){ .fd = -1 };
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return (err_set(err, "descriptor %d: %s", fd, strerror(errno)));
	l->fd = fd;
	return (0);
}

void
local_close(struct local *l)
{
	struct stat st;

	if (l->path != NULL && lstat(l->path, &st) == 0 && st.st_dev == l->stat.st_dev && st.st_ino == l->stat.st_ino)
		unlink(l->path);
	free(l->path);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct local){ .fd = -1 };
}
