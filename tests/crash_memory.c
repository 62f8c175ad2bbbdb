/*
 * crash_memory: preloaded into rpvd by crash.py; its n-th request for memory is refused, once.
 *
 * CRASH_MEMORY: n.  CRASH_LOG: a file for a line "memory N SIZE -" where it happened, and "calls N"
 * at exit.  Not for a build with AddressSanitizer, whose own memory it would replace.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static long calls, at = -1;

static void
say(const char *what, size_t size)
{
	const char *path = getenv("CRASH_LOG");
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	char line[80];
	int n = snprintf(line, sizeof(line), "%s %ld %zu -\n", what, calls, size);

	if (fd < 0)
		return;
	(void)!write(fd, line, (size_t)n);
	close(fd);
}

static int
is_refused(size_t size)
{
	const char *text;

	if (at < 0) {
		text = getenv("CRASH_MEMORY");
		at = text != NULL ? strtol(text, NULL, 10) : 0;
	}
	if (++calls != at)
		return (0);
	say("memory", size);
	errno = ENOMEM;
	return (1);
}

void *
malloc(size_t size)
{
	return (is_refused(size) ? NULL : __libc_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
	return (is_refused(count * size) ? NULL : __libc_calloc(count, size));
}

void *
realloc(void *p, size_t size)
{
	return (is_refused(size) ? NULL : __libc_realloc(p, size));
}

static void __attribute__((destructor))
end(void)
{
	say("calls", 0);
}
