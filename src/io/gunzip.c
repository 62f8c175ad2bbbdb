/*
 * gunzip: see gunzip.h.  zlib's own gzFile would do, but takes a cut file for a whole
 * one and cannot say how far it is.
 */
#include "io/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

#define IN_BYTES (64 * 1024)
#define GZIP_WINDOW (16 + MAX_WBITS)	/* 16: with gzip's header, and nothing else */

struct gunzip {
	z_stream z;
	gunzip_reader *read;
	void *arg;
	uint64_t read_to;		/* in the file: where the next input comes from */
	bool in_member;			/* between its header and its end */
	bool any_member;
	bool at_end;			/* of the file */
	unsigned char in[IN_BYTES];
};

bool
gunzip_is(const unsigned char *bytes, size_t len)
{
	return (len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b);
}

struct gunzip *
gunzip_new(gunzip_reader *read, void *arg)
{
	struct gunzip *g = mem_calloc(1, sizeof(*g));

	g->read = read;
	g->arg = arg;
	must(inflateInit2(&g->z, GZIP_WINDOW) == Z_OK);
	return (g);
}

void
gunzip_free(struct gunzip **gp)
{
	if (*gp == NULL)
		return;
	inflateEnd(&(*gp)->z);
	free(*gp);
	*gp = NULL;
}

uint64_t
gunzip_used(const struct gunzip *g)
{
	return (g->read_to - g->z.avail_in);
}

/* Moves what is left to the front and reads behind it.  0, or -1 with errno. */
static int
more_input(struct gunzip *g)
{
	ssize_t n;

	if (g->z.avail_in > 0)
		memmove(g->in, g->z.next_in, g->z.avail_in);
	g->z.next_in = g->in;
	n = g->read(g->arg, g->in + g->z.avail_in, sizeof(g->in) - g->z.avail_in, g->read_to);
	if (n < 0)
		return (-1);
	g->at_end = n == 0;
	g->read_to += (uint64_t)n;
	g->z.avail_in += (uInt)n;
	return (0);
}

/* Between two members: whether another one begins.  What else follows the last one is
 * not gzip's (tapes and block devices pad with zeros) and is not looked at, as gzip does. */
static enum gunzip_state
next_member(struct gunzip *g, struct err *err)
{
	while (g->z.avail_in < 2 && !g->at_end)
		if (more_input(g) != 0)
			return (GUNZIP_IO);
	if (!gunzip_is(g->z.next_in, g->z.avail_in)) {
		if (g->any_member)
			return (GUNZIP_END);
		err_set(err, "it is cut in its first bytes");
		return (GUNZIP_DAMAGED);
	}
	must(inflateReset(&g->z) == Z_OK);
	g->in_member = g->any_member = true;
	return (GUNZIP_BYTES);
}

/* One step of zlib's: GUNZIP_BYTES where it may go on. */
static enum gunzip_state
step(struct gunzip *g, struct err *err)
{
	if (g->z.avail_in == 0 && !g->at_end && more_input(g) != 0)
		return (GUNZIP_IO);
	switch (inflate(&g->z, Z_NO_FLUSH)) {
	case Z_OK:
		return (GUNZIP_BYTES);
	case Z_STREAM_END:
		g->in_member = false;
		return (GUNZIP_BYTES);
	case Z_BUF_ERROR:
		if (!g->at_end)
			return (GUNZIP_BYTES);
		err_set(err, "it is cut after %llu bytes", (unsigned long long)g->read_to);
		return (GUNZIP_DAMAGED);
	default:
		err_set(err, "it is corrupt near byte %llu", (unsigned long long)gunzip_used(g));
		return (GUNZIP_DAMAGED);
	}
}

enum gunzip_state
gunzip_read(struct gunzip *g, void *out, size_t room, size_t *got, struct err *err)
{
	enum gunzip_state state = GUNZIP_BYTES;

	must(room > 0 && room <= UINT32_MAX);
	g->z.next_out = out;
	g->z.avail_out = (uInt)room;
	while (state == GUNZIP_BYTES && g->z.avail_out > 0)
		state = g->in_member ? step(g, err) : next_member(g, err);
	*got = room - g->z.avail_out;
	/* What stopped it is said by the next call, which meets it again. */
	return (*got > 0 ? GUNZIP_BYTES : state);
}
