/*
 * clock: see clock.h.
 *
 * DIR/clock holds one line: believed time, time since boot then, time since boot when the last step was
 * believed, and the sum of the three, which tells a line that was half written.  It is not synced: what
 * it says holds for this boot only.
 */
#include "io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define YEAR_MS (366 * 24 * HOUR_MS)
#define STEP_MS (5 * MINUTE_MS)		/* those who keep it right correct less than that without a word */
#define UNSET_MS INT64_C(1767225600000)	/* 2026: before there was an rpvd a clock was not set yet */
#define STEADY_MS (3 * HOUR_MS)
#define SAVE_MS INT64_C(10000)

struct moment {
	int64_t wall_ms, up_ms;
};

struct clock {
	int fd, saved_fd;		/* of tests; of DIR/clock; or -1 */
	struct moment at;		/* believed last; 0, 0: nothing yet */
	struct moment saved;		/* in DIR/clock */
	int64_t seen_ms;		/* it is no earlier than this */
	int64_t steady_up_ms;		/* without a step since then */
	bool may_be_rebooted;		/* since `at`, which an earlier run has saved */
	int64_t off_ms, off_up_ms;	/* so far off is a clock that is not believed, and since when */
	unsigned steps;
};

/* ---- the host's clocks ---------------------------------------------------- */

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static struct moment
host_moment(const struct clock *c)
{
	struct moment m = { 0 };
	char text[64] = "", *end;

	if (c->fd < 0 || pread(c->fd, text, sizeof(text) - 1, 0) <= 0)
		return ((struct moment){ clock_ms(CLOCK_REALTIME), clock_ms(CLOCK_BOOTTIME) });
	m.wall_ms = strtoll(text, &end, 10);
	m.up_ms = *end == ' ' ? strtoll(end, NULL, 10) : m.wall_ms;
	return (m);
}

/* ---- over restarts --------------------------------------------------------- */

static bool
saved_read(struct clock *c, struct moment *m, int64_t *steady_up_ms)
{
	int64_t sum;
	char text[128] = "";

	return (pread(c->saved_fd, text, sizeof(text) - 1, 0) > 0 &&
	    sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &m->wall_ms, &m->up_ms, steady_up_ms, &sum) == 4 &&
	    m->wall_ms > 0 && m->up_ms > 0 && *steady_up_ms <= m->up_ms && sum == m->wall_ms + m->up_ms + *steady_up_ms);
}

static void
save(struct clock *c)
{
	struct buf text = { 0 };

	if (c->saved_fd < 0 || (c->saved.wall_ms != 0 && c->at.up_ms - c->saved.up_ms < SAVE_MS && c->at.wall_ms >= c->saved.wall_ms))
		return;
	c->saved = c->at;
	buf_printf(&text, "%020" PRId64 " %020" PRId64 " %020" PRId64 " %020" PRId64 "\n", c->at.wall_ms, c->at.up_ms, c->steady_up_ms,
	    c->at.wall_ms + c->at.up_ms + c->steady_up_ms);
	(void)!pwrite(c->saved_fd, text.p, text.len, 0);
	buf_free(&text);
}

/* A lower time since boot is another boot's; then nothing is known of how long the host was off. */
void
clock_remember(struct clock *c, const char *dir)
{
	struct moment now = host_moment(c), then;
	struct buf path = { 0 };
	struct stat st;
	int64_t steady_up_ms;

	buf_printf(&path, "%s/clock", dir);
	buf_putc(&path, '\0');
	c->saved_fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	buf_free(&path);
	if (c->saved_fd >= 0 && (fstat(c->saved_fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(c->saved_fd);
		c->saved_fd = -1;
	}
	if (c->saved_fd < 0 || !saved_read(c, &then, &steady_up_ms))
		return;
	clock_was(c, then.wall_ms);
	if (now.up_ms < then.up_ms)
		return;
	c->at = then;
	c->steady_up_ms = steady_up_ms;
	c->may_be_rebooted = now.wall_ms - now.up_ms >= then.wall_ms;
}

void
clock_was(struct clock *c, int64_t ms)
{
	if (ms > c->seen_ms)
		c->seen_ms = ms;
}

/* ---- steps ----------------------------------------------------------------- */

static void
say_step(const struct clock *c, const char *more)
{
	int64_t off = (c->off_ms < 0 ? -c->off_ms : c->off_ms) / 1000;

	log_error("clock: it has stepped %s by %lld days %02lld:%02lld: time goes on as before for %s, then it is believed; set it, "
	    "if it is wrong", c->off_ms < 0 ? "back" : "ahead", (long long)(off / 86400), (long long)(off / 3600 % 24),
	    (long long)(off / 60 % 60), more);
}

/* How long a step has to stand. */
static int64_t
patience_ms(const struct clock *c, const struct moment *now, int64_t off_ms)
{
	return ((c->may_be_rebooted || now->up_ms < HOUR_MS) && off_ms <= YEAR_MS && off_ms >= -YEAR_MS ? MINUTE_MS : HOUR_MS);
}

/* It goes from a time that it cannot be to one that it can. */
static bool
is_set_right(const struct clock *c, int64_t expected_ms, int64_t wall_ms)
{
	if (expected_ms < UNSET_MS)
		return (wall_ms >= UNSET_MS && wall_ms >= c->seen_ms && (c->seen_ms < UNSET_MS || wall_ms - c->seen_ms <= YEAR_MS));
	return (c->seen_ms - expected_ms > STEP_MS && wall_ms > expected_ms && wall_ms - c->seen_ms <= YEAR_MS);
}

static void
believe(struct clock *c, const struct moment *now)
{
	c->at = *now;
	c->may_be_rebooted = false;
	c->off_ms = 0;
	save(c);
}

static void
believe_step(struct clock *c, const struct moment *now)
{
	log_notice("clock: it is believed%s", c->off_ms != 0 ? " now, as it has stepped" : ": it was not set before");
	c->steps += c->off_ms == 0;
	c->steady_up_ms = now->up_ms;
	c->saved.wall_ms = 0;
	believe(c, now);
}

static void
begin(struct clock *c, const struct moment *now)
{
	c->at = *now;
	c->steady_up_ms = now->up_ms;
	if (c->seen_ms >= UNSET_MS && now->wall_ms - c->seen_ms > YEAR_MS)
		c->at.wall_ms = c->seen_ms;
}

int64_t
clock_now_ms(struct clock *c)
{
	struct moment now = host_moment(c);
	int64_t expected, off;

	if (c->at.wall_ms == 0)
		begin(c, &now);
	expected = c->at.wall_ms + (now.up_ms - c->at.up_ms);
	off = now.wall_ms - expected;
	if (off <= STEP_MS && off >= -STEP_MS) {
		if (c->off_ms != 0)
			log_notice("clock: it is what it was before its step");
		believe(c, &now);
		return (now.wall_ms);
	}
	if (is_set_right(c, expected, now.wall_ms)) {
		believe_step(c, &now);
		return (now.wall_ms);
	}
	if (c->off_ms == 0 || off - c->off_ms > STEP_MS || c->off_ms - off > STEP_MS) {
		c->off_up_ms = now.up_ms;
		c->off_ms = off;
		c->steps++;
		say_step(c, patience_ms(c, &now, off) < HOUR_MS ? "a minute" : "an hour");
	}
	if (now.up_ms - c->off_up_ms < patience_ms(c, &now, off)) {
		c->off_ms = off;
		return (expected);
	}
	believe_step(c, &now);
	return (now.wall_ms);
}

int64_t
clock_off_ms(const struct clock *c)
{
	return (c->off_ms);
}

unsigned
clock_steps(const struct clock *c)
{
	return (c->steps);
}

bool
clock_is_steady(const struct clock *c)
{
	return (c->off_ms == 0 && c->at.up_ms - c->steady_up_ms >= STEADY_MS);
}

/* ---- life ------------------------------------------------------------------ */

struct clock *
clock_new(const char *file, struct err *err)
{
	struct clock *c = mem_calloc(1, sizeof(*c));

	c->fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	c->saved_fd = -1;
	if (file != NULL && c->fd < 0) {
		err_set(err, "%s: %s", file, strerror(errno));
		clock_free(&c);
	}
	return (c);
}

void
clock_free(struct clock **cp)
{
	struct clock *c = *cp;

	if (c == NULL)
		return;
	if (c->fd >= 0)
		close(c->fd);
	if (c->saved_fd >= 0)
		close(c->saved_fd);
	free(c);
	*cp = NULL;
}
