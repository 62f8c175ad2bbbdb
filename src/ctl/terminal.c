/*
 * terminal: its size, and numbers and times as people read them; see ctl.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"

#define WIDTH_DEFAULT 100

size_t
ctl_width(void)
{
	const char *columns = getenv("COLUMNS");
	long n = columns != NULL ? strtol(columns, NULL, 10) : 0;
	struct winsize size;

	if (n > 0 && n < 10000)
		return ((size_t)n);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return (size.ws_col);
	return (WIDTH_DEFAULT);
}

size_t
ctl_height(void)
{
	struct winsize size;

	return (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0);
}

void
ctl_put_time(struct buf *out, const char *value)
{
	struct tm tm = { 0 };
	const char *end = strptime(value, "%Y-%m-%dT%H:%M:%SZ", &tm);
	char text[64];
	time_t t;

	if (end != NULL && *end == '\0') {
		t = timegm(&tm);
		if (localtime_r(&t, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm) > 0)
			value = text;
	}
	buf_puts(out, value);
}

void
ctl_put_number(struct buf *out, const char *format, double factor, const char *value)
{
	char text[64], *end;
	double n = strtod(value, &end);

	if (end == value || *end != '\0') {
		buf_puts(out, value);
		return;
	}
	snprintf(text, sizeof(text), format, n * factor);
	buf_puts(out, text);
}
