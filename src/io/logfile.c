/*
 * logfile: see logfile.h.
 *
 * The buffer holds the bytes of the file from `base` on:
 *
 *	0            at              end              n
 *	| anchor,    | whole lines   | start of a     |
 *	| lines gone | to give out   | line           |
 *
 * A refill reads from a little before `end`: the anchor again, to compare, and the started
 * line again, since only whole lines are ever taken as read.  So one pread() finds new
 * bytes, the end of the file and truncation.  mmap() would save the copy and could not do
 * this: a truncated mapping is a SIGBUS.
 */
#include "io/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "io/feed.h"
#include "io/gunzip.h"

#define BUF_BYTES ((size_t)256 * 1024)
#define ANCHOR_BYTES 256
#define TELLING_BYTES 32		/* an address and some of the time */

_Static_assert(BUF_BYTES > 2 * LINE_MAX_BYTES, "a whole line and its anchor fit");

struct logfile {
	int fd;
	struct feed *feed;		/* in place of fd */
	bool gz;
	struct gunzip *gunzip;		/* gz, once it is read */
	struct file_id id;
	unsigned char head[HEAD_HASH_BYTES];	/* its first id.head_len bytes */

	char *buf;			/* NULL until it is read, and after logfile_stop() */
	uint64_t base;
	size_t at, end, n;
	/* The caller may write into lines: what a refill compares is kept apart. */
	char anchor[ANCHOR_BYTES];
	size_t anchor_len;

	bool skipping;			/* in a line that is too long, which began at long_start */
	uint64_t long_start;
	uint64_t overlong, nul_bytes;
};

enum fill { FILL_MORE, FILL_EOF, FILL_TRUNCATED, FILL_WAIT, FILL_STALE, FILL_ERROR, FILL_DAMAGED };

/* ---- open ------------------------------------------------------------------- */

static const char *
user_name(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return (pw != NULL ? pw->pw_name : "rpvd");
}

/* What to do so that this process may read (or enter) what is there. */
static int
say_no_access(struct err *err, const char *path, const char *what)
{
	struct stat st;
	const struct group *gr;
	char dir[256];
	const char *slash = strrchr(path, '/');
	mode_t group_bits;

	if (stat(path, &st) != 0) {
		/* Not even its name may be looked up: it is the directory that is closed. */
		if (slash == NULL || slash == path)
			return (err_set(err, "%s: %s", path, strerror(EACCES)));
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
		return (say_no_access(err, dir, "enter"));
	}
	group_bits = S_ISDIR(st.st_mode) ? S_IXGRP : S_IRGRP;
	gr = getgrgid(st.st_gid);
	if ((st.st_mode & group_bits) == 0)
		return (err_set(err, "%s: user %s may not %s it and mode %04o keeps its group (%s) out too: chmod g+r%s it",
		    path, user_name(geteuid()), what, (unsigned)st.st_mode & 07777u,
		    gr != NULL ? gr->gr_name : "?", S_ISDIR(st.st_mode) ? "x" : ""));
	return (err_set(err, "%s: user %s may not %s it: add the user to group %s (usermod -aG %s %s) and restart rpvd",
	    path, user_name(geteuid()), what, gr != NULL ? gr->gr_name : "?",
	    gr != NULL ? gr->gr_name : "GROUP", user_name(geteuid())));
}

static int
say_open_error(struct err *err, const char *path)
{
	int saved = errno;

	if (saved == EACCES || saved == EPERM)
		say_no_access(err, path, "read");
	else if (saved == ELOOP)
		err_set(err, "%s: refused, for it became a symbolic link; if you made it, restart rpvd", path);
	else if (saved == ENOENT)
		err_set(err, "%s: no such file (yet); rpvd waits for it", path);
	else
		err_set(err, "%s: %s", path, strerror(saved));
	errno = saved;
	return (-1);
}

/* 0, or -1 with errno EINVAL and err set. */
static int
check_regular(const char *path, mode_t mode, struct err *err)
{
	const char *what = S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" :
	    S_ISDIR(mode) ? "a directory" : S_ISLNK(mode) ? "a symbolic link" : "a device";

	if (S_ISREG(mode))
		return (0);
	err_set(err, "%s is %s; rpvd reads regular files only: have the web server log to a file", path, what);
	errno = EINVAL;
	return (-1);
}

static int
open_regular(const char *path, bool follow, struct err *err)
{
	struct stat st;
	int fd;

	/* Looked at first: opening alone already changes something for a FIFO's writer. */
	if (fstatat(AT_FDCWD, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
		return (say_open_error(err, path));
	if (!S_ISLNK(st.st_mode) && check_regular(path, st.st_mode, err) != 0)
		return (-1);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return (say_open_error(err, path));
	if (fstat(fd, &st) == 0 && check_regular(path, st.st_mode, err) != 0) {
		close(fd);
		errno = EINVAL;
		return (-1);
	}
	return (fd);
}

static void
set_head(struct logfile *f, const void *bytes, size_t len)
{
	/* Public on purpose: the number must be the same in every run, and keeps no secret. */
	static const struct hash_key key = { "rpvd file head 1" };

	if (len > HEAD_HASH_BYTES)
		len = HEAD_HASH_BYTES;
	memcpy(f->head, bytes, len);
	f->id.head_len = (uint32_t)len;
	f->id.head_hash = hash_bytes(&key, slice_make((const char *)f->head, len));
}

static uint64_t
hash_of_head(const struct logfile *f, size_t len)
{
	struct logfile part = { .fd = -1 };

	set_head(&part, f->head, len);
	return (part.id.head_hash);
}

static ssize_t
read_at(const struct logfile *f, void *out, size_t room, uint64_t offset)
{
	return (f->feed != NULL ? feed_read(f->feed, out, room, offset) : pread(f->fd, out, room, (off_t)offset));
}

static ssize_t
read_packed(void *logfile, void *out, size_t room, uint64_t offset)
{
	const struct logfile *f = logfile;
	ssize_t n = read_at(f, out, room, offset);

	if (n != 0 || f->feed == NULL || feed_has_ended(f->feed))
		return (n);
	errno = EAGAIN;
	return (-1);
}

/* 0, or -1 with errno. */
static int
read_head(struct logfile *f)
{
	unsigned char bytes[HEAD_HASH_BYTES];
	ssize_t n = read_at(f, bytes, sizeof(bytes), 0);
	struct gunzip *g;
	size_t got = 0;

	if (n < 0)
		return (-1);
	f->gz = gunzip_is(bytes, (size_t)n);
	if (!f->gz) {
		set_head(f, bytes, (size_t)n);
		return (0);
	}
	g = gunzip_new(read_packed, f);
	gunzip_read(g, bytes, sizeof(bytes), &got, NULL);
	gunzip_free(&g);
	set_head(f, bytes, got);
	return (0);
}

static void
id_from(struct file_id *id, const struct statx *sx)
{
	id->dev = makedev(sx->stx_dev_major, sx->stx_dev_minor);
	id->ino = sx->stx_ino;
	id->birth_ns = sx->stx_mask & STATX_BTIME ?
	    sx->stx_btime.tv_sec * INT64_C(1000000000) + sx->stx_btime.tv_nsec : 0;
}

/* Takes fd over. */
static struct logfile *
logfile_of(int fd, const char *path, struct err *err)
{
	struct logfile *f = mem_calloc(1, sizeof(*f));
	struct statx sx;
	int saved;

	f->fd = fd;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &sx) != 0 || read_head(f) != 0) {
		saved = errno;
		err_set(err, "%s: %s", path, strerror(saved));
		logfile_close(&f);
		errno = saved;
		return (NULL);
	}
	id_from(&f->id, &sx);
	return (f);
}

struct logfile *
logfile_of_feed(struct feed *feed)
{
	struct logfile *f = mem_calloc(1, sizeof(*f));

	f->fd = -1;
	f->feed = feed_share(feed);
	f->id.ino = feed_id(feed);
	if (feed_begin(feed) == 0 && feed_is_pipe(feed))
		(void)read_head(f);	/* where it fails, so does the first reading, which says why */
	return (f);
}

struct logfile *
logfile_open(const char *path, bool follow, struct err *err)
{
	int fd = open_regular(path, follow, err);

	return (fd >= 0 ? logfile_of(fd, path, err) : NULL);
}

struct logfile *
logfile_again(const struct logfile *f, struct err *err)
{
	int fd = f->feed == NULL ? fcntl(f->fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (f->feed != NULL)
		return (logfile_of_feed(f->feed));
	if (fd < 0) {
		err_set(err, "open file: %s", strerror(errno));
		return (NULL);
	}
	return (logfile_of(fd, "open file", err));
}

void
logfile_stop(struct logfile *f)
{
	f->base += f->at;
	f->at = f->end = f->n = 0;
	f->anchor_len = 0;
	gunzip_free(&f->gunzip);
	free(f->buf);
	f->buf = NULL;
}

void
logfile_close(struct logfile **fp)
{
	if (*fp == NULL)
		return;
	logfile_stop(*fp);
	if ((*fp)->fd >= 0)
		close((*fp)->fd);
	feed_free(&(*fp)->feed);
	free(*fp);
	*fp = NULL;
}

/* ---- lines ------------------------------------------------------------------ */

static size_t
count_nuls(const char *p, size_t len)
{
	size_t k = 0;

	while (k < len && p[k] == '\0')
		k++;
	return (k);
}

bool
logfile_take(struct logfile *f, struct line *line)
{
	while (f->at < f->end) {
		char *p = f->buf + f->at;
		size_t room = f->end - f->at, len;

		if (*p == '\0') {
			size_t nuls = count_nuls(p, room);

			f->nul_bytes += nuls;
			f->at += nuls;
			continue;
		}
		if (f->base + f->at == 0 && room > 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
			f->at += 3;	/* a mark of byte order, as Windows puts before UTF-8 */
			continue;
		}
		len = (size_t)((char *)memchr(p, '\n', room) - p);
		line->p = p;
		line->len = len;
		line->offset = f->base + f->at;
		line->end = line->offset + len + 1;
		f->at += len + 1;
		if (len <= LINE_MAX_BYTES)
			return (true);
		f->overlong++;
	}
	return (false);
}

static void
remember_anchor(struct logfile *f)
{
	f->anchor_len = f->end < ANCHOR_BYTES ? f->end : ANCHOR_BYTES;
	memcpy(f->anchor, f->buf + f->end - f->anchor_len, f->anchor_len);
}

/* A hole can be as large as the disk: jump over it, to where data or the end is. */
static void
jump_hole(struct logfile *f)
{
	/* The size first: what is written behind it meanwhile is not jumped over. */
	off_t size = lseek(f->fd, 0, SEEK_END), here = (off_t)(f->base + f->n);
	off_t to = lseek(f->fd, here, SEEK_DATA);

	if (to < 0 && errno == ENXIO)
		to = size;
	if (to <= here || size < to)
		return;
	f->nul_bytes += (uint64_t)(to - here);
	f->base = (uint64_t)to - ANCHOR_BYTES;
	f->at = f->end = f->n = ANCHOR_BYTES;
	memset(f->buf, 0, ANCHOR_BYTES);
}

/* There is no newline behind `end`: a started line, unless it is too long already.  A run of
 * NULs is left alone while it fits: it may be a page that is still on its way here. */
static void
settle_started(struct logfile *f)
{
	size_t nuls = count_nuls(f->buf + f->at, f->n - f->at);

	if (f->n - f->at - nuls > LINE_MAX_BYTES) {
		f->nul_bytes += nuls;
		f->overlong++;
		f->skipping = true;
		f->long_start = f->base + f->at + nuls;
		f->at = f->end = f->n;
	} else if (f->n == BUF_BYTES) {
		must(nuls > 0);
		f->nul_bytes += nuls;
		f->at = f->end = f->at + nuls;
		if (f->at == f->n && !f->gz)
			jump_hole(f);
	}
}

/* New bytes are there, [at, n): finds out what of them is lines. */
static void
settle(struct logfile *f)
{
	const char *nl;

	f->end = f->at;
	if (f->skipping) {
		nl = f->n > f->at ? memchr(f->buf + f->at, '\n', f->n - f->at) : NULL;
		f->skipping = nl == NULL;
		f->at = f->end = nl != NULL ? (size_t)(nl + 1 - f->buf) : f->n;
	}
	nl = f->n > f->at ? memrchr(f->buf + f->at, '\n', f->n - f->at) : NULL;
	if (nl != NULL)
		f->end = (size_t)(nl + 1 - f->buf);
	else if (!f->skipping)
		settle_started(f);
	remember_anchor(f);
}

static enum fill
read_failed(const struct logfile *f, struct err *err)
{
	if (errno == EAGAIN && f->feed != NULL)
		return (FILL_WAIT);
	err_set(err, "reading failed at byte %llu: %s", (unsigned long long)logfile_position(f), strerror(errno));
	return (errno == ESTALE ? FILL_STALE : FILL_ERROR);
}

/* Whether the bytes before the position, or where there are none the first ones, are
 * still what they were. */
static bool
is_unchanged(const struct logfile *f, size_t n)
{
	if (f->anchor_len > 0)
		return (n >= f->anchor_len && memcmp(f->buf, f->anchor, f->anchor_len) == 0);
	return (n >= f->id.head_len && memcmp(f->buf, f->head, f->id.head_len) == 0);
}

static enum fill
fill_plain(struct logfile *f, struct err *err)
{
	size_t started = f->n - f->end;
	uint64_t from = f->base + f->end - f->anchor_len;
	ssize_t n = read_at(f, f->buf, BUF_BYTES, from);
	bool grew;

	if (n < 0 && errno == EINTR)
		return (FILL_MORE);
	f->base = from;
	f->at = f->end = f->anchor_len;
	f->n = f->anchor_len + started;
	if (n < 0) {
		/* The buffer is as it was, but for the anchor's place: read all of it again. */
		f->n = f->end;
		return (read_failed(f, err));
	}
	if (!is_unchanged(f, (size_t)n))
		return (FILL_TRUNCATED);
	f->n = (size_t)n;
	if (from == 0 && f->id.head_len < HEAD_HASH_BYTES && f->n > f->id.head_len)
		set_head(f, f->buf, f->n);
	if (from == 0 && f->at == 0 && gunzip_is(f->head, f->id.head_len)) {
		/* It was empty when it was opened: a live log that is packed as it is written. */
		err_set(err, "it is packed with gzip: the live log must be plain (nginx: access_log without gzip)");
		f->n = 0;
		return (FILL_ERROR);
	}
	/* A full buffer without a newline goes on: settle() makes room. */
	grew = f->n != f->anchor_len + started || f->n == BUF_BYTES;
	settle(f);
	if (!grew && f->feed != NULL && !feed_has_ended(f->feed))
		return (FILL_WAIT);
	return (grew ? FILL_MORE : FILL_EOF);
}

static enum fill
fill_gz(struct logfile *f, struct err *err)
{
	struct err why;
	size_t got;

	if (f->gunzip == NULL)
		f->gunzip = gunzip_new(read_packed, f);
	memmove(f->buf, f->buf + f->end, f->n - f->end);
	f->base += f->end;
	f->n -= f->end;
	f->at = f->end = 0;
	switch (gunzip_read(f->gunzip, f->buf + f->n, BUF_BYTES - f->n, &got, &why)) {
	case GUNZIP_BYTES:
		f->n += got;
		settle(f);
		return (FILL_MORE);
	case GUNZIP_END:
		settle(f);
		return (FILL_EOF);
	case GUNZIP_IO:
		return (read_failed(f, err));
	case GUNZIP_DAMAGED:
		break;
	}
	err_set(err, "%s", why.msg);
	return (FILL_DAMAGED);
}

static enum fill
fill(struct logfile *f, struct err *err)
{
	if (f->buf == NULL)
		f->buf = mem_alloc(BUF_BYTES);
	return (f->gz ? fill_gz(f, err) : fill_plain(f, err));
}

bool
logfile_look(struct logfile *f)
{
	struct err err;

	if (f->n == 0)
		fill(f, &err);
	return (f->n > 0);
}

enum logfile_state
logfile_next(struct logfile *f, struct line *line, struct err *err)
{
	static const enum logfile_state states[] = {
		[FILL_EOF] = LOGFILE_EOF,
		[FILL_WAIT] = LOGFILE_WAIT,
		[FILL_TRUNCATED] = LOGFILE_TRUNCATED,
		[FILL_STALE] = LOGFILE_STALE,
		[FILL_ERROR] = LOGFILE_ERROR,
		[FILL_DAMAGED] = LOGFILE_DAMAGED,
	};
	enum fill got;

	while (!logfile_take(f, line))
		if ((got = fill(f, err)) != FILL_MORE)
			return (states[got]);
	return (LOGFILE_LINE);
}

bool
logfile_rest(struct logfile *f, struct line *line)
{
	size_t nuls = count_nuls(f->buf + f->end, f->n - f->end);

	must(f->at == f->end);
	f->nul_bytes += nuls;
	line->p = f->buf + f->end + nuls;
	line->len = f->n - f->end - nuls;
	line->offset = f->base + f->end + nuls;
	line->end = f->base + f->n;
	f->at = f->end = f->n;
	return (line->len > 0);
}

/* ---- positions and identity --------------------------------------------------- */

static bool
seek_gz(struct logfile *f, uint64_t offset, struct err *err)
{
	enum fill got = FILL_MORE;
	size_t step = 0;

	if (f->buf == NULL)
		f->buf = mem_alloc(BUF_BYTES);
	while (f->base + f->end < offset && (got == FILL_MORE || got == FILL_WAIT)) {
		/* Bytes, not lines: all that is there counts as used. */
		got = fill_gz(f, err);
		step = f->n;
		if (offset - f->base < step)
			step = (size_t)(offset - f->base);
		f->at = f->end = step;
		f->skipping = false;
	}
	f->overlong = f->nul_bytes = 0;
	if (f->base + f->end < offset)
		return (false);
	settle(f);
	return (true);
}

bool
logfile_seek(struct logfile *f, uint64_t offset, struct err *err)
{
	size_t len = offset < ANCHOR_BYTES ? (size_t)offset : ANCHOR_BYTES;
	ssize_t n;

	if (f->gz)
		return (seek_gz(f, offset, err));
	do
		n = read_at(f, f->anchor, len, offset - len);
	while (n >= 0 && n < (ssize_t)len && f->feed != NULL && feed_is_pipe(f->feed) && !feed_has_ended(f->feed));
	if (n != (ssize_t)len) {
		err_set(err, "it ends before byte %llu", (unsigned long long)offset);
		return (false);
	}
	f->base = offset;
	f->at = f->end = f->n = 0;
	f->anchor_len = len;
	return (true);
}

const struct file_id *
logfile_id(const struct logfile *f)
{
	return (&f->id);
}

bool
logfile_is_gz(const struct logfile *f)
{
	return (f->gz);
}

const char *
logfile_packer(const struct logfile *f)
{
	static const struct { struct slice magic; const char *name; } packers[] = {
		{ { "\xfd" "7zXZ", 5 }, "xz" },
		{ { "BZh", 3 }, "bzip2" },
		{ { "\x28\xb5\x2f\xfd", 4 }, "zstd" },
	};
	struct slice head = { (const char *)f->head, f->id.head_len };

	for (size_t i = 0; i < N_ELEM(packers); i++)
		if (slice_starts(head, packers[i].magic))
			return (packers[i].name);
	return (f->gz ? "gzip" : NULL);
}

uint64_t
logfile_position(const struct logfile *f)
{
	return (f->skipping ? f->long_start : f->base + f->at);
}

uint64_t
logfile_seen(const struct logfile *f)
{
	return (f->base + f->n);
}

uint64_t
logfile_end(const struct logfile *f)
{
	struct stat st;

	if (f->feed != NULL)		/* what more a pipe has is not known */
		return (feed_is_pipe(f->feed) && !feed_has_ended(f->feed) ? UINT64_MAX : feed_end(f->feed));
	return (fstat(f->fd, &st) == 0 ? (uint64_t)st.st_size : 0);
}

int64_t
logfile_mtime_ns(const struct logfile *f)
{
	struct stat st;

	if (fstat(f->fd, &st) != 0)
		return (0);
	return (st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec);
}

void
logfile_progress(const struct logfile *f, uint64_t *offset, uint64_t *size)
{
	*size = f->feed != NULL ? feed_size(f->feed) : logfile_end(f);
	*offset = logfile_position(f);
	if (f->gz)
		*offset = f->gunzip != NULL ? gunzip_used(f->gunzip) : 0;
}

void
logfile_counts(const struct logfile *f, uint64_t *overlong, uint64_t *nul_bytes)
{
	*overlong = f->overlong;
	*nul_bytes = f->nul_bytes;
}

bool
file_id_of(struct file_id *id, const char *path, bool follow, struct err *err)
{
	struct statx sx;

	*id = (struct file_id){ 0 };
	if (statx(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &sx) != 0) {
		say_open_error(err, path);
		return (false);
	}
	id_from(id, &sx);
	return (true);
}

bool
file_id_same(const struct file_id *a, const struct file_id *b)
{
	if (a->dev != b->dev || a->ino != b->ino)
		return (false);
	return (a->birth_ns == 0 || b->birth_ns == 0 || a->birth_ns == b->birth_ns);
}

bool
file_pos_is_telling(const struct file_pos *pos)
{
	return (pos->id.head_len >= TELLING_BYTES || (pos->offset > 0 && pos->id.head_len > 0));
}

static bool
begins_as(const struct logfile *f, const struct file_id *id)
{
	if (id->head_len > f->id.head_len)
		return (false);
	return (hash_of_head(f, id->head_len) == id->head_hash || id->head_len == 0);
}

bool
logfile_holds(const struct logfile *f, const struct file_pos *pos)
{
	return ((f->gz || logfile_end(f) >= pos->offset) && begins_as(f, &pos->id));
}

bool
logfile_is_short_of(const struct logfile *f, const struct file_pos *pos)
{
	return (!f->gz && file_pos_is_telling(pos) && logfile_end(f) < pos->offset && begins_as(f, &pos->id));
}

/* Whether both have the same `len` (at most an anchor's) bytes at `offset`. */
static bool
same_bytes(const struct logfile *f, const void *bytes, size_t len, uint64_t offset)
{
	char here[ANCHOR_BYTES];

	return (read_at(f, here, len, offset) == (ssize_t)len && memcmp(here, bytes, len) == 0);
}

bool
logfile_continues(const struct logfile *f, const struct logfile *old)
{
	uint64_t position = old->base + old->end;

	if (f->gz || old->gz)
		return (true);
	return (same_bytes(f, old->anchor, old->anchor_len, position - old->anchor_len));
}

bool
logfile_shares_head(const struct logfile *f, const struct logfile *of)
{
	uint32_t len = f->id.head_len < of->id.head_len ? f->id.head_len : of->id.head_len;

	return (memcmp(f->head, of->head, len) == 0);
}

bool
logfile_is_copy_of(const struct logfile *f, const struct logfile *of)
{
	uint64_t size = logfile_end(f);
	size_t len = size < ANCHOR_BYTES ? (size_t)size : ANCHOR_BYTES;
	char tail[ANCHOR_BYTES];

	if (f->gz || of->gz || size == 0 || size > logfile_end(of))
		return (false);
	if (f->id.head_len > of->id.head_len || memcmp(f->head, of->head, f->id.head_len) != 0)
		return (false);
	return (pread(f->fd, tail, len, (off_t)(size - len)) == (ssize_t)len &&
	    same_bytes(of, tail, len, size - len));
}
