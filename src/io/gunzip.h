/*
 * gunzip: the plain bytes of a gzip file, front to back, through all of its members.
 */
#ifndef RPVD_GUNZIP_H
#define RPVD_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct gunzip;

enum gunzip_state {
	GUNZIP_BYTES,			/* *got > 0 */
	GUNZIP_END,
	GUNZIP_DAMAGED,			/* cut or corrupt; all before it was given.  err says which */
	GUNZIP_IO			/* errno; the same call again goes on where it was */
};

/* Whether these first bytes of a file are gzip's. */
bool gunzip_is(const unsigned char *bytes, size_t len);

/* As pread(). */
typedef ssize_t gunzip_reader(void *arg, void *out, size_t room, uint64_t offset);

/* EAGAIN of the reader where nothing has come yet: it is asked again.  arg must outlive it. */
struct gunzip *gunzip_new(gunzip_reader *, void *arg);
void gunzip_free(struct gunzip **);
enum gunzip_state gunzip_read(struct gunzip *, void *out, size_t room, size_t *got, struct err *);
/* Compressed bytes used so far. */
uint64_t gunzip_used(const struct gunzip *);

#endif
