/*
 * feed: see feed.h.
 *
 * One block of memory holds the bytes from `begin` on.  What was released goes when room is
 * needed: by then it is mostly all but the last lines, and moving those costs little.
 */
#include "io/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define PIPE_BYTES ((size_t)1 << 20)	/* of a pipe: what a reader looks back at is less than half of it */
#define REST_BYTES ((size_t)64 * 1024)
#define SLACK_BYTES 1024		/* at least: a reader compares the bytes before its position */

struct feed {
	unsigned owners;
	int fd;				/* -1: filled by feed_put() */
	bool ended;
	uint64_t id;
	char *bytes;
	size_t n, cap, limit;
	uint64_t begin, released;
	uint64_t size;			/* of a file that is read as a pipe; else 0 */
};

static struct feed *
new(int fd, size_t limit)
{
	struct feed *f = mem_calloc(1, sizeof(*f));

	f->owners = 1;
	f->fd = fd;
	f->limit = limit;
	return (f);
}

struct feed *
feed_of_pipe(int fd)
{
	struct feed *f = new(fd, PIPE_BYTES);
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		f->size = (uint64_t)st.st_size;
	f->cap = PIPE_BYTES;
	f->bytes = mem_alloc(f->cap);
	(void)fcntl(fd, F_SETPIPE_SZ, (int)PIPE_BYTES);	/* fewer changes of tasks, where that is allowed */
	return (f);
}

struct feed *
feed_new(size_t limit)
{
	struct feed *f = new(-1, limit);

	randombytes_buf(&f->id, sizeof(f->id));
	return (f);
}

struct feed *
feed_share(struct feed *f)
{
	f->owners++;
	return (f);
}

void
feed_free(struct feed **fp)
{
	struct feed *f = *fp;

	*fp = NULL;
	if (f == NULL || --f->owners > 0)
		return;
	free(f->bytes);
	free(f);
}

bool
feed_has_ended(const struct feed *f)
{
	return (f->ended);
}

bool
feed_is_pipe(const struct feed *f)
{
	return (f->fd >= 0);
}

uint64_t
feed_begin(const struct feed *f)
{
	return (f->begin);
}

uint64_t
feed_end(const struct feed *f)
{
	return (f->begin + f->n);
}

uint64_t
feed_size(const struct feed *f)
{
	return (f->size > feed_end(f) ? f->size : feed_end(f));
}

uint64_t
feed_id(const struct feed *f)
{
	return (f->id);
}

/* Lets go of the first k bytes. */
static void
drop(struct feed *f, size_t k)
{
	f->n -= k;
	f->begin += k;
	memmove(f->bytes, f->bytes + k, f->n);
}

/* ---- a pipe ----------------------------------------------------------------- */

/* Appends what has come, waiting a little for it.  0, or -1 with errno. */
static int
pull(struct feed *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	ssize_t n;

	if (f->ended || poll(&p, 1, FEED_WAIT_MS) <= 0)
		return (0);
	if (f->n == f->cap)
		drop(f, f->cap / 2);
	n = read(f->fd, f->bytes + f->n, f->cap - f->n);
	if (n < 0)
		return (errno == EINTR || errno == EAGAIN ? 0 : -1);
	f->ended = n == 0;
	f->n += (size_t)n;
	return (0);
}

ssize_t
feed_read(struct feed *f, void *out, size_t room, uint64_t offset)
{
	size_t from, n;

	if (f->fd >= 0 && feed_end(f) < offset + room && pull(f) != 0)
		return (-1);
	if (offset < f->begin) {
		errno = ESPIPE;
		return (-1);
	}
	if (offset >= feed_end(f))
		return (0);
	from = (size_t)(offset - f->begin);
	n = f->n - from < room ? f->n - from : room;
	memcpy(out, f->bytes + from, n);
	return ((ssize_t)n);
}

/* ---- a sender ----------------------------------------------------------------- */

static size_t
releasable_but(const struct feed *f, uint64_t slack)
{
	uint64_t keep = f->released > slack ? f->released - slack : 0;

	return (keep > f->begin ? (size_t)(keep - f->begin) : 0);
}

static size_t
releasable(const struct feed *f)
{
	return (releasable_but(f, f->limit / 8 > SLACK_BYTES ? f->limit / 8 : SLACK_BYTES));
}

size_t
feed_room(const struct feed *f)
{
	return (f->limit - (f->n - releasable(f)));
}

void
feed_put(struct feed *f, struct slice line)
{
	must(line.len < feed_room(f));
	if (f->n + line.len + 1 > f->limit)
		drop(f, releasable(f));
	mem_grow(&f->bytes, &f->cap, f->n + line.len + 1, 1);
	if (line.len > 0)
		memcpy(f->bytes + f->n, line.p, line.len);
	f->n += line.len;
	f->bytes[f->n++] = '\n';
}

static void
drop_and_shrink(struct feed *f, size_t k)
{
	if (k > 0)
		drop(f, k);
	if (f->cap > REST_BYTES && f->n < REST_BYTES) {
		f->cap = REST_BYTES;
		f->bytes = mem_realloc(f->bytes, f->cap);
	}
}

void
feed_release(struct feed *f, uint64_t offset)
{
	if (offset > f->released && offset <= feed_end(f))
		f->released = offset;
	if (releasable(f) > f->n / 2 && f->n > REST_BYTES / 2)
		drop_and_shrink(f, releasable(f));
}

/* Addresses have no business here any longer than that. */
void
feed_rest(struct feed *f)
{
	size_t k = releasable_but(f, SLACK_BYTES);

	drop_and_shrink(f, k);
	if (f->cap > f->n)
		sodium_memzero(f->bytes + f->n, f->cap - f->n);
}
