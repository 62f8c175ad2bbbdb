/*
 * crash_memory: preloaded into rpvd by crash.py; its n-th request for memory is refused, once.
 *
 * CRASH_MEMORY: n.  CRASH_LOG: a file for a line "memory N SIZE -" where it happened, "theirs N SIZE -"
 * at the first request that comes straight from libevent or jansson, which have to ask rpvd, and
 * "calls N" at exit.  Not for a build with AddressSanitizer, whose own memory it would replace.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
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

/* Where their code lies; before it is known nobody of them has begun. */
static struct range {
	uintptr_t begin, end;
} ranges[16];
static size_t n_ranges;

static int
look_at_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (strstr(info->dlpi_name, "/libevent") == NULL && strstr(info->dlpi_name, "/libjansson") == NULL)
		return (0);
	for (int i = 0; i < info->dlpi_phnum && n_ranges < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
			uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

			ranges[n_ranges++] = (struct range){ begin, begin + info->dlpi_phdr[i].p_memsz };
		}
	return (0);
}

static void __attribute__((constructor))
begin(void)
{
	dl_iterate_phdr(look_at_library, NULL);
	say("ranges", n_ranges);
}

static void
look_at_caller(void *caller, size_t size)
{
	static int told;

	for (size_t i = 0; i < n_ranges && !told; i++)
		if ((uintptr_t)caller >= ranges[i].begin && (uintptr_t)caller < ranges[i].end) {
			told = 1;
			say("theirs", size);
		}
}

static int
is_refused(size_t size, void *caller)
{
	const char *text;

	look_at_caller(caller, size);

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
	return (is_refused(size, __builtin_return_address(0)) ? NULL : __libc_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
	return (is_refused(count * size, __builtin_return_address(0)) ? NULL : __libc_calloc(count, size));
}

void *
realloc(void *p, size_t size)
{
	return (is_refused(size, __builtin_return_address(0)) ? NULL : __libc_realloc(p, size));
}

static void __attribute__((destructor))
end(void)
{
	say("calls", 0);
}
