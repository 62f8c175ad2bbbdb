/*
 * log: see log.h.  Standard error is written with one write() a line and never
 * waited for: a line that does not fit a full pipe is dropped and counted.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level log_max = LOG_LEVEL_INFO;
static int log_priorities;
static unsigned long log_dropped;

void
log_init(enum log_level max)
{
	log_max = max;
	log_priorities = getenv("JOURNAL_STREAM") != NULL;
}

static size_t
escape_into(char *out, size_t room, const char *text)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && n + 5 < room; p++)
		if (*p >= 0x20 && *p < 0x7f)
			out[n++] = (char)*p;
		else
			n += (size_t)snprintf(out + n, room - n, "\\x%02x", *p);
	return (n);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char text[1500], line[2048];
	size_t n = 0;
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log_priorities)
		n = (size_t)snprintf(line, sizeof(line), "<%d>", level);
	else
		n = (size_t)snprintf(line, sizeof(line), "rpvd: ");
	if (log_dropped > 0)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "(%lu log lines dropped) ", log_dropped);
	n += escape_into(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		log_dropped++;
	else
		log_dropped = 0;
}

int
log_limit(long *last, long seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (*last != 0 && now.tv_sec - *last < seconds)
		return (0);
	*last = now.tv_sec > 0 ? now.tv_sec : 1;
	return (1);
}
