/*
 * log: see log.h.  Standard error is written with one call a line and never waited for:
 * the loop would hang on a reader that hangs.  Standard error itself is not made
 * non-blocking, since other processes share it.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static enum log_level log_max = LOG_LEVEL_INFO;
static int log_priorities;
static unsigned long log_dropped;	/* since a line was written last */
static unsigned long log_dropped_ever;
static char log_bottom[256];		/* what stands below */

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

/* False where it would have to wait.  The service manager's journal is a socket.  A pipe that
 * poll() calls writable has room for 4096 bytes, more than a line. */
static bool
write_now(const char *line, size_t n)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t sent = send(STDERR_FILENO, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno == ENOTSOCK && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0)
		sent = write(STDERR_FILENO, line, n);
	return (sent == (ssize_t)n);
}

/* From the begin of the terminal's last line, which is emptied. */
static void
draw_bottom(void)
{
	char line[sizeof(log_bottom) + 8];
	int n = snprintf(line, sizeof(line), "\r\033[K%s", log_bottom);

	write_now(line, (size_t)n);
}

/* No wider than the terminal: what is wrapped would not be written over. */
void
log_below(const char *text)
{
	struct winsize size;
	size_t width = sizeof(log_bottom);

	if (!isatty(STDERR_FILENO))
		return;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < width)
		width = size.ws_col;
	snprintf(log_bottom, width, "%s", text);
	draw_bottom();
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
		n = (size_t)snprintf(line, sizeof(line), "%srpvd: ", log_bottom[0] != '\0' ? "\r\033[K" : "");
	if (log_dropped > 0)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "(%lu log lines dropped) ", log_dropped);
	n += escape_into(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	if (write_now(line, n)) {
		log_dropped = 0;
		if (log_bottom[0] != '\0')
			draw_bottom();
		return;
	}
	log_dropped++;
	log_dropped_ever++;
}

unsigned long
log_drops(void)
{
	return (log_dropped_ever);
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
