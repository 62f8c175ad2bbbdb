/*
 * shim: a file system and a kernel that misbehave, for logs.py, which compiles it and
 * has rpvd load it (LD_PRELOAD).  What goes wrong now is said by files in $SHIM_DIR:
 *
 *	eio		reading a log fails, as from a dying disk
 *	stale		holds the number of a descriptor that is dead, as after a restart of an NFS server
 *	slow		each of its reads takes 20 ms
 *	nobirth		files have no birth time
 *	nowatch		inotify has no watch left
 *	noinotify	nor an instance
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the file says, as a number; -1: there is none. */
static int
marked(const char *what)
{
	char path[4096], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", getenv("SHIM_DIR"), what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return (-1);
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	return (atoi(text));
}

static int
is_log(int fd)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return (strstr(path, "/logs/") != NULL);
}

static ssize_t
checked_pread(int fd, void *p, size_t len, off_t offset)
{
	if (marked("stale") == fd) {
		errno = ESTALE;
		return (-1);
	}
	if (marked("eio") >= 0 && is_log(fd)) {
		errno = EIO;
		return (-1);
	}
	if (marked("slow") >= 0 && is_log(fd))
		usleep(20000);
	return (syscall(SYS_pread64, fd, p, len, offset));
}

ssize_t
pread(int fd, void *p, size_t len, off_t offset)
{
	return (checked_pread(fd, p, len, offset));
}

ssize_t
pread64(int fd, void *p, size_t len, off_t offset)
{
	return (checked_pread(fd, p, len, offset));
}

ssize_t __pread64_chk(int, void *, size_t, off_t, size_t);
ssize_t
__pread64_chk(int fd, void *p, size_t len, off_t offset, size_t room)
{
	if (len > room)
		abort();
	return (checked_pread(fd, p, len, offset));
}

ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t
__pread_chk(int fd, void *p, size_t len, off_t offset, size_t room)
{
	return (__pread64_chk(fd, p, len, offset, room));
}

int
statx(int fd, const char *path, int flags, unsigned mask, struct statx *sx)
{
	int rc = (int)syscall(SYS_statx, fd, path, flags, mask, sx);

	if (rc == 0 && marked("nobirth") >= 0) {
		sx->stx_mask &= ~(unsigned)STATX_BTIME;
		memset(&sx->stx_btime, 0, sizeof(sx->stx_btime));
	}
	return (rc);
}

int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (marked("nowatch") >= 0) {
		errno = ENOSPC;
		return (-1);
	}
	return ((int)syscall(SYS_inotify_add_watch, fd, path, mask));
}

int
inotify_init1(int flags)
{
	if (marked("noinotify") >= 0) {
		errno = EMFILE;
		return (-1);
	}
	return ((int)syscall(SYS_inotify_init1, flags));
}
