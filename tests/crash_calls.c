/*
 * crash_calls: preloaded into rpvd by crash.py; makes something happen at its n-th call that
 * changes the world outside: a file, a name, a socket.
 *
 * CRASH="HOW N":
 *	before	killed before the call
 *	after	killed after it
 *	torn	killed when half of the bytes are written; only calls that write count
 *	power	the host loses its power before the call: what was not synced is gone, too
 *	fail	the call fails, as on a full disk or a lost connection; nobody is killed
 *	short	the call writes half, and says so; only calls that write count
 *	hang	the call does not come back
 *	poison	killed whenever it is about to send CRASH_BYTES; N is not used
 *	hup, badhup, term
 *		a signal comes before it (badhup: CRASH_BAD is renamed to CRASH_CONF before)
 *	count	nothing
 * CRASH_SYNC: with any value N counts syncs of a journal alone, and 0 is the first.
 * CRASH_LOG: a file for a line "HOW N CALL PATH" where it happened, and "calls N", "writes N" at exit.
 * CRASH_DIR: of this directory's files it is known what is synced; only these lose it.
 *
 * Calls: open that makes a file, mkdir, write, writev, send, sendto, sendmsg, ftruncate, fsync, fdatasync,
 * rename, unlink.  Not what goes to standard error, and not what a process tells itself
 * through a pipe.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 64

enum how { COUNT, BEFORE, AFTER, TORN, POWER, FAIL, SHORT, HANG, POISON, HUP, BADHUP, TERM, HOWS };
static const char *const hows[HOWS] = { "count", "before", "after", "torn", "power", "fail", "short", "hang", "poison", "hup", "badhup", "term" };

static enum how how;
static long at, calls, writes;
static bool syncs_only;
static const char *log_path, *dir, *bad, *conf, *poison;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_mkdirat)(int, const char *, mode_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_unlinkat)(int, const char *, int);

/* ---- what a power cut leaves ----------------------------------------------------- */

static struct known {
	char path[PATH_MAX];
	off_t synced;			/* so many bytes are on disk */
	bool new_name;			/* made or renamed to, and its directory not synced since */
	char before[PATH_MAX];		/* a link to what had the name until then, or "" */
} files[FILES_MAX];
static size_t n_files;

static void
path_of(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	out[n > 0 ? n : 0] = '\0';
}

static void
path_at(int dirfd, const char *name, char out[PATH_MAX])
{
	char base[PATH_MAX] = "";

	if (name[0] == '/' || dirfd == AT_FDCWD)
		snprintf(out, PATH_MAX, "%s", name);
	else {
		path_of(dirfd, base);
		snprintf(out, PATH_MAX, "%.2000s/%.2000s", base, name);
	}
}

static bool
is_ours(const char *path)
{
	return (dir != NULL && strncmp(path, dir, strlen(dir)) == 0 && path[strlen(dir)] == '/');
}

static struct known *
known(const char *path)
{
	for (size_t i = 0; i < n_files; i++)
		if (strcmp(files[i].path, path) == 0)
			return (&files[i]);
	if (n_files == FILES_MAX || !is_ours(path))
		return (NULL);
	snprintf(files[n_files].path, PATH_MAX, "%s", path);
	return (&files[n_files++]);
}

static void
note_opened(const char *path, bool was_there, int flags)
{
	struct known *f = known(path);
	struct stat st;

	if (f == NULL)
		return;
	if (!was_there)
		f->new_name = true;
	if (!was_there || (flags & O_TRUNC) != 0)
		f->synced = 0;
	else if (f->synced == 0 && stat(path, &st) == 0)
		f->synced = st.st_size;
}

static void
note_synced(int fd)
{
	char path[PATH_MAX];
	struct known *f;
	struct stat st;

	path_of(fd, path);
	if (fstat(fd, &st) != 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		if ((f = known(path)) != NULL)
			f->synced = st.st_size;
		return;
	}
	for (size_t i = 0; i < n_files; i++) {
		const char *slash = strrchr(files[i].path, '/');

		if ((size_t)(slash - files[i].path) != strlen(path) || strncmp(files[i].path, path, strlen(path)) != 0)
			continue;
		files[i].new_name = false;
		if (files[i].before[0] != '\0')
			real_unlinkat(AT_FDCWD, files[i].before, 0);
		files[i].before[0] = '\0';
	}
}

static void
note_renamed(const char *from, const char *to)
{
	struct known *f = known(from), *t = known(to);

	if (f == NULL || t == NULL)
		return;
	t->synced = f->synced;
	t->new_name = true;
	f->path[0] = '\0';
}

/* Before the rename, so that what had the name can come back. */
static void
note_renaming(const char *to)
{
	struct known *t = known(to);

	if (t == NULL || t->before[0] != '\0')
		return;
	snprintf(t->before, PATH_MAX, "%.4000s.lost", to);
	if (link(to, t->before) != 0)
		t->before[0] = '\0';
}

static void
power_cut(void)
{
	for (size_t i = n_files; i-- > 0;) {
		struct known *f = &files[i];
		struct stat st;

		if (f->path[0] == '\0')
			continue;
		if (f->before[0] != '\0')
			real_rename(f->before, f->path);
		else if (f->new_name)
			remove(f->path);
		else if (stat(f->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > f->synced)
			(void)!truncate(f->path, f->synced);
	}
}

/* ---- the n-th call ---------------------------------------------------------------- */

static void
say(const char *what, const char *call, const char *path)
{
	char line[PATH_MAX + 100];
	int fd = log_path != NULL ? real_open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	int n = snprintf(line, sizeof(line), "%s %ld %s %s\n", what, calls, call, path[0] != '\0' ? path : "-");

	if (fd < 0)
		return;
	(void)!real_write(fd, line, (size_t)n);
	close(fd);
}

static void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void
reload_badly(void)
{
	if (bad != NULL && conf != NULL)
		real_rename(bad, conf);
	raise(SIGHUP);
}

/* True where this is the call.  What happens before a call has happened then. */
static bool
is_it(const char *call, const char *path)
{
	bool is_write = strncmp(call, "write", 5) == 0 || strncmp(call, "send", 4) == 0;

	writes += is_write;
	if (((how == TORN || how == SHORT) && !is_write) || (syncs_only && (strcmp(call, "fdatasync") != 0 || strstr(path, "/journal/") == NULL)))
		return (false);
	if (syncs_only ? calls++ != at : ++calls != at)
		return (false);
	say(hows[how], call, path);
	switch (how) {
	case BEFORE:
		die();
		break;
	case POWER:
		power_cut();
		die();
		break;
	case HANG:
		for (;;)
			sleep(1000);
	case HUP:
		raise(SIGHUP);
		break;
	case BADHUP:
		reload_badly();
		break;
	case TERM:
		raise(SIGTERM);
		break;
	default:
		break;
	}
	return (true);
}

/* The call is done: its result, or the end. */
static ssize_t
done(bool it, ssize_t result)
{
	if (it && (how == AFTER || how == TORN))
		die();
	return (result);
}

static bool
fails(bool it, int error)
{
	if (!it || how != FAIL)
		return (false);
	errno = error;
	return (true);
}

static size_t
part(bool it, size_t n)
{
	return (it && (how == TORN || how == SHORT) ? (n + 1) / 2 : n);
}

static bool
is_socket(int fd)
{
	struct stat st;

	return (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode));
}

/* A pipe, or the end of a pair: no name on either side. */
static bool
is_private(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss), peer_len = sizeof(ss);
	struct stat st;
	int pair = 0;

	if (!is_socket(fd))
		return (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
	pair += getsockname(fd, (struct sockaddr *)&ss, &len) == 0 && len <= sizeof(sa_family_t);
	pair += getpeername(fd, (struct sockaddr *)&ss, &peer_len) == 0 && peer_len <= sizeof(sa_family_t);
	return (pair == 2);
}

static bool
counts(int fd)
{
	char path[PATH_MAX];

	if (fd == STDERR_FILENO || is_private(fd))
		return (false);
	path_of(fd, path);
	return (strstr(path, "anon_inode") == NULL);
}

static int
error_of(int fd)
{
	return (is_socket(fd) ? EPIPE : ENOSPC);
}

/* ---- the calls -------------------------------------------------------------------- */

static int
opened(int fd, const char *path, bool was_there, int flags)
{
	if (fd >= 0 && (flags & (O_WRONLY | O_RDWR)) != 0)
		note_opened(path, was_there, flags);
	return (fd);
}

static int
open_any(int dirfd, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	struct stat st;
	bool was_there, it;
	int fd;

	if ((flags & (O_WRONLY | O_RDWR)) == 0)
		return (real_openat(dirfd, name, flags, mode));
	path_at(dirfd, name, path);
	was_there = lstat(path, &st) == 0;
	if (was_there || (flags & O_CREAT) == 0)
		return (opened(real_openat(dirfd, name, flags, mode), path, was_there, flags));
	it = is_it("open", path);
	if (fails(it, ENOSPC))
		return (-1);
	fd = opened(real_openat(dirfd, name, flags, mode), path, was_there, flags);
	return ((int)done(it, fd));
}

#define MODE_OF(flags, mode) do { \
	va_list ap; \
	va_start(ap, flags); \
	mode = ((flags) & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0; \
	va_end(ap); \
} while (0)

int
open(const char *path, int flags, ...)
{
	mode_t mode;

	MODE_OF(flags, mode);
	return (open_any(AT_FDCWD, path, flags, mode));
}

int
open64(const char *path, int flags, ...)
{
	mode_t mode;

	MODE_OF(flags, mode);
	return (open_any(AT_FDCWD, path, flags, mode));
}

int
openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode;

	MODE_OF(flags, mode);
	return (open_any(dirfd, path, flags, mode));
}

int
openat64(int dirfd, const char *path, int flags, ...)
{
	mode_t mode;

	MODE_OF(flags, mode);
	return (open_any(dirfd, path, flags, mode));
}

int
mkdirat(int dirfd, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	struct stat st;
	bool it;
	int rc;

	path_at(dirfd, name, path);
	if (lstat(path, &st) == 0)
		return (real_mkdirat(dirfd, name, mode));
	it = is_it("mkdir", path);
	if (fails(it, ENOSPC))
		return (-1);
	rc = real_mkdirat(dirfd, name, mode);
	if (rc == 0)
		note_opened(path, false, 0);
	return ((int)done(it, rc));
}

int
mkdir(const char *path, mode_t mode)
{
	return (mkdirat(AT_FDCWD, path, mode));
}

static bool
writing(const char *call, int fd)
{
	char path[PATH_MAX];

	path_of(fd, path);
	return (is_it(call, path));
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	bool it;

	if (!counts(fd))
		return (real_write(fd, bytes, n));
	it = writing("write", fd);
	return (fails(it, error_of(fd)) ? -1 : done(it, real_write(fd, bytes, part(it, n))));
}

/* Half of what the parts are together. */
static ssize_t
half_writev(int fd, const struct iovec *iov, int n)
{
	size_t total = 0, left;
	ssize_t sum = 0;

	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	left = (total + 1) / 2;
	for (int i = 0; i < n && left > 0; i++) {
		size_t len = iov[i].iov_len < left ? iov[i].iov_len : left;
		ssize_t done_now = real_write(fd, iov[i].iov_base, len);

		if (done_now < 0)
			return (sum > 0 ? sum : -1);
		sum += done_now;
		if ((size_t)done_now < len)
			break;
		left -= len;
	}
	return (sum);
}

static bool
is_poisoned(const struct iovec *iov, int n)
{
	for (int i = 0; i < n && how == POISON; i++)
		if (memmem(iov[i].iov_base, iov[i].iov_len, poison, strlen(poison)) != NULL)
			return (true);
	return (false);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	bool it = writing("writev", fd);

	if (is_poisoned(iov, n)) {
		say("poison", "writev", "");
		die();
	}

	if (fails(it, error_of(fd)))
		return (-1);
	return (done(it, it && (how == TORN || how == SHORT) ? half_writev(fd, iov, n) : real_writev(fd, iov, n)));
}

ssize_t
send(int fd, const void *bytes, size_t n, int flags)
{
	bool it;

	if (!counts(fd))
		return (real_send(fd, bytes, n, flags));
	it = writing("send", fd);
	return (fails(it, EPIPE) ? -1 : done(it, real_send(fd, bytes, part(it, n), flags)));
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	bool it = writing("sendmsg", fd);

	return (fails(it, EPIPE) ? -1 : done(it, real_sendmsg(fd, m, flags)));
}

int
ftruncate(int fd, off_t len)
{
	bool it = writing("ftruncate", fd);

	return (fails(it, EIO) ? -1 : (int)done(it, real_ftruncate(fd, len)));
}

static int
sync_any(const char *call, int fd, int (*real)(int))
{
	bool it = writing(call, fd);
	int rc;

	if (fails(it, EIO))
		return (-1);
	rc = real(fd);
	if (rc == 0)
		note_synced(fd);
	return ((int)done(it, rc));
}

int
fsync(int fd)
{
	return (sync_any("fsync", fd, real_fsync));
}

int
fdatasync(int fd)
{
	return (sync_any("fdatasync", fd, real_fdatasync));
}

int
rename(const char *from, const char *to)
{
	bool it = is_it("rename", to);
	int rc;

	if (fails(it, ENOSPC))
		return (-1);
	note_renaming(to);
	rc = real_rename(from, to);
	if (rc == 0)
		note_renamed(from, to);
	return ((int)done(it, rc));
}

int
unlinkat(int dirfd, const char *name, int flags)
{
	char path[PATH_MAX];
	bool it;

	path_at(dirfd, name, path);
	it = is_it("unlink", path);
	return (fails(it, EIO) ? -1 : (int)done(it, real_unlinkat(dirfd, name, flags)));
}

int
unlink(const char *path)
{
	return (unlinkat(AT_FDCWD, path, 0));
}

/* ---- beginning and end -------------------------------------------------------------- */

static void
find(void *fn, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		abort();
	memcpy(fn, &symbol, sizeof(symbol));
}

static void __attribute__((constructor))
begin(void)
{
	const char *text = getenv("CRASH");
	char word[16] = "count";

	find(&real_open, "open");
	find(&real_openat, "openat");
	find(&real_mkdirat, "mkdirat");
	find(&real_write, "write");
	find(&real_writev, "writev");
	find(&real_send, "send");
	find(&real_sendmsg, "sendmsg");
	find(&real_ftruncate, "ftruncate");
	find(&real_fsync, "fsync");
	find(&real_fdatasync, "fdatasync");
	find(&real_rename, "rename");
	find(&real_unlinkat, "unlinkat");
	log_path = getenv("CRASH_LOG");
	dir = getenv("CRASH_DIR");
	poison = getenv("CRASH_BYTES");
	bad = getenv("CRASH_BAD");
	conf = getenv("CRASH_CONF");
	syncs_only = getenv("CRASH_SYNC") != NULL;
	if (text != NULL)
		(void)sscanf(text, "%15s %ld", word, &at);
	for (how = COUNT; how < HOWS && strcmp(hows[how], word) != 0; how++)
		;
	if (how == HOWS || (how == POISON && poison == NULL))
		abort();
}

static void __attribute__((destructor))
end(void)
{
	say("calls", "-", "");
	calls = writes;
	say("writes", "-", "");
}
