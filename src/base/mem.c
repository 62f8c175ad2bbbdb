/*
 * mem: see mem.h.
 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

_Noreturn void
must_failed(const char *cond, const char *file, int line)
{
	log_error("bug at %s:%d: must(%s) does not hold", file, line, cond);
	abort();
}

_Noreturn void
mem_failed(size_t size)
{
	log_error("out of memory (%zu bytes asked), stopping: what was committed stays; free some, or raise MemoryMax", size);
	abort();
}

static void *
checked(void *p, size_t size)
{
	if (p == NULL && size > 0)
		mem_failed(size);
	return (p);
}

void *
mem_alloc(size_t size)
{
	return (checked(malloc(size), size));
}

void *
mem_calloc(size_t count, size_t size)
{
	return (checked(calloc(count, size), count));
}

void *
mem_realloc(void *p, size_t size)
{
	return (checked(realloc(p, size), size));
}

void *
mem_dup(const void *p, size_t len)
{
	void *copy = mem_alloc(len > 0 ? len : 1);

	if (len > 0)
		memcpy(copy, p, len);
	return (copy);
}

char *
mem_strndup(const char *s, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return (copy);
}

char *
mem_strdup(const char *s)
{
	return (mem_strndup(s, strlen(s)));
}

void
mem_grow(void *arrayp, size_t *capp, size_t need, size_t size)
{
	void **array = arrayp;
	size_t cap = *capp;

	if (need <= cap)
		return;
	must(size > 0 && need <= SIZE_MAX / 2 / size);
	if (cap == 0)
		cap = 8;
	while (cap < need)
		cap *= 2;
	*array = mem_realloc(*array, cap * size);
	*capp = cap;
}
