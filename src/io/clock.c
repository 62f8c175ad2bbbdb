/*
 * clock: see clock.h.
 *
 * The time since boot goes on by itself, and says how much may have passed.
 */
#include "io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define LEAP_MS (366 * DAY_MS)
#define BELIEVED_AFTER_MS (INT64_C(3600) * 1000)

struct clock {
	int fd;				/* or -1 */
	int64_t wall_ms, up_ms;		/* believed last, and when that was since boot; 0, 0: nothing yet */
	int64_t leapt_up_ms, ahead_ms;	/* since when it is not believed, and how far ahead it is */
};

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

struct clock *
clock_new(const char *file, struct err *err)
{
	struct clock *c = mem_calloc(1, sizeof(*c));

	c->fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;
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
	free(c);
	*cp = NULL;
}

static int64_t
host_ms(const struct clock *c)
{
	char text[32] = "";

	if (c->fd >= 0 && pread(c->fd, text, sizeof(text) - 1, 0) > 0)
		return (strtoll(text, NULL, 10));
	return (clock_ms(CLOCK_REALTIME));
}

static void
say_leap(const struct clock *c)
{
	log_error("clock: it is %lld days ahead of what it was a moment ago, or when the last webhook came: time goes on as before for "
	    "an hour, then it is believed; set it, if it is wrong", (long long)(c->ahead_ms / DAY_MS));
}

int64_t
clock_now_ms(struct clock *c)
{
	int64_t wall = host_ms(c), up = clock_ms(CLOCK_BOOTTIME), expected = c->wall_ms + (up - c->up_ms);
	bool leapt = c->wall_ms != 0 && wall - expected > LEAP_MS;

	if (leapt && c->ahead_ms == 0) {
		c->leapt_up_ms = up;
		c->ahead_ms = wall - expected;
		say_leap(c);
	}
	if (leapt && up - c->leapt_up_ms < BELIEVED_AFTER_MS) {
		c->ahead_ms = wall - expected;
		return (expected);
	}
	if (c->ahead_ms != 0)
		log_notice("clock: it is believed again");
	c->ahead_ms = 0;
	c->wall_ms = wall;
	c->up_ms = up;
	return (wall);
}

void
clock_was(struct clock *c, int64_t ms)
{
	if (ms <= 0 || (c->wall_ms != 0 && c->wall_ms - ms <= LEAP_MS))
		return;
	c->wall_ms = ms;
	c->up_ms = clock_ms(CLOCK_BOOTTIME);
}

int64_t
clock_ahead_ms(const struct clock *c)
{
	return (c->ahead_ms);
}
