/*
 * watch: top, again and again, until interrupted.
 *
 * What stops the first picture ends the command; later a Redis that goes away is told on
 * the screen, and tried again.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

#define EVERY_S 2

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Over the old picture, line by line, so that nothing flickers. */
static void
draw_on_terminal(const struct buf *picture)
{
	struct slice rest = buf_view(picture);
	struct buf screen = { 0 };

	buf_puts(&screen, "\x1b[H");
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		buf_put(&screen, line.p, line.len);
		buf_puts(&screen, "\x1b[K\n");
	}
	buf_puts(&screen, "\x1b[J");
	fwrite(screen.p, 1, screen.len, stdout);
	buf_free(&screen);
}

static void
draw(const struct buf *picture, bool terminal, bool first)
{
	if (terminal) {
		if (first)
			fputs("\x1b[2J", stdout);
		draw_on_terminal(picture);
	} else {
		if (!first)
			putchar('\n');
		fwrite(picture->p, 1, picture->len, stdout);
	}
	fflush(stdout);
}

enum ctl_exit
ctl_watch(struct ctl *ctl, struct buf *out)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const struct timespec pause = { .tv_sec = EVERY_S };
	bool terminal = isatty(STDOUT_FILENO) && !ctl->opt.json;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (bool first = true; !interrupted && !ferror(stdout); first = false) {
		struct buf picture = { 0 };
		enum ctl_exit status = ctl_connect(ctl);

		if (status == CTL_OK)
			status = ctl_top(ctl, &picture);
		if (status != CTL_OK && first && !interrupted) {
			buf_free(&picture);
			return (status);
		}
		if (status != CTL_OK) {
			table_safe(&picture, slice_of(ctl->err.msg));
			buf_putc(&picture, '\n');
		}
		draw(&picture, terminal, first);
		buf_free(&picture);
		nanosleep(&pause, NULL);
	}
	(void)out;
	return (CTL_OK);
}
