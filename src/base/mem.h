/*
 * mem: memory that cannot fail, and must(): the line between a bug and bad input.
 *
 * Out of memory ends the process: state and input positions lie in Redis, and a
 * restart is the tested path.  Sizes that come from outside are bounded first.
 */
#ifndef RPVD_MEM_H
#define RPVD_MEM_H

#include <stddef.h>

/* A condition that only a bug can break: reports file, line, condition; aborts. */
#define must(cond) \
	((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__))

#define N_ELEM(array) (sizeof(array) / sizeof((array)[0]))

/* A buffer on the stack that is written before it is read: not zeroed even where the build zeroes
 * what is not initialised, which costs a tenth of a replay.  Only where lines pass by the million. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define SCRATCH __attribute__((uninitialized))
#endif
#endif
#ifndef SCRATCH
#define SCRATCH
#endif

_Noreturn void must_failed(const char *cond, const char *file, int line);
/* Ends the process.  For a library that answers NULL for want of memory alone. */
_Noreturn void mem_failed(size_t size);

/* Never NULL.  mem_calloc is zeroed; count * size is checked for overflow. */
void *mem_alloc(size_t size);
void *mem_calloc(size_t count, size_t size);
void *mem_realloc(void *p, size_t size);
void *mem_dup(const void *p, size_t len);
/* len bytes and a NUL behind them. */
char *mem_strndup(const char *s, size_t len);
char *mem_strdup(const char *s);
/* Grows *arrayp (elements of `size`) to hold at least `need`; *capp is its capacity. */
void mem_grow(void *arrayp, size_t *capp, size_t need, size_t size);

#endif
