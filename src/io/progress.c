/*
 * progress: see progress.h.
 */
#include "io/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define KNOWN_MS 1000			/* before that a rate says nothing */
#define FIRST_SAID_MS 10000
#define SAID_MS 60000
#define PACE_MS 200			/* shorter stretches say nothing of the pace */

bool
progress_note(struct progress *p, uint64_t behind, int64_t uptime_ms)
{
	if (behind == 0) {
		*p = (struct progress){ 0 };
		return (false);
	}
	if (!p->is_behind)
		*p = (struct progress){ .is_behind = true, .begun_ms = uptime_ms, .said_ms = uptime_ms - SAID_MS + FIRST_SAID_MS,
		    .all = behind };
	else if (behind > p->behind)
		p->all += behind - p->behind;	/* more has come, or one more file was found */
	p->behind = behind;
	if (uptime_ms - p->said_ms < SAID_MS)
		return (false);
	p->said_ms = uptime_ms;
	return (true);
}

int64_t
progress_seconds(const struct progress *p, int64_t uptime_ms)
{
	int64_t passed = uptime_ms - p->begun_ms;

	if (!p->is_behind || passed < KNOWN_MS || p->all == p->behind)
		return (-1);
	return ((int64_t)((double)p->behind / (double)(p->all - p->behind) * (double)passed / 1000 + 0.5));
}

/* ---- the pace ---------------------------------------------------------------- */

void
pace_note(struct pace *p, uint64_t lines, int64_t uptime_ms)
{
	int64_t passed = uptime_ms - p->noted_ms;
	double now;

	if (p->begun_ms == 0 || lines < p->noted) {
		*p = (struct pace){ .begun_ms = uptime_ms, .noted_ms = uptime_ms, .first = lines, .noted = lines };
		return;
	}
	if (passed < PACE_MS)
		return;
	now = (double)(lines - p->noted) * 1000 / (double)passed;
	p->a_second = p->noted == p->first ? now : p->a_second + (now - p->a_second) / 4;
	p->noted = lines;
	p->noted_ms = uptime_ms;
}

/* ---- in words ------------------------------------------------------------------ */

static void
put_count(struct buf *out, uint64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_putc(out, ',');
		buf_putc(out, text[i]);
	}
}

static void
put_bytes(struct buf *out, uint64_t n)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double size = (double)n / 1000;
	size_t i = 0;

	for (; size >= 1000 && i < 3; i++)
		size /= 1000;
	buf_printf(out, size < 10 ? "%.1f %s" : "%.0f %s", size, units[i]);
}

static void
put_seconds(struct buf *out, int64_t s)
{
	if (s < 120)
		buf_printf(out, "%" PRId64 " s", s);
	else if (s < 7200)
		buf_printf(out, "%" PRId64 " min", (s + 30) / 60);
	else
		buf_printf(out, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
}

static void
put_event_time(struct buf *out, const char *word, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	if (ms == INT64_MIN || gmtime_r(&t, &tm) == NULL || strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm) == 0)
		return;
	buf_printf(out, ", %s %s", word, text);
}

void
progress_put(struct buf *out, const struct replayed *r, const struct pace *p, int64_t uptime_ms)
{
	int64_t passed = uptime_ms - p->begun_ms;

	if (r->size > r->read)
		buf_printf(out, "%" PRIu64 "%% of ", r->read * 100 / r->size);
	put_bytes(out, r->size);
	buf_puts(out, ", ");
	put_count(out, (uint64_t)(p->a_second + 0.5));
	buf_puts(out, " lines/s");
	if (r->size > r->read && r->read > 0 && passed >= KNOWN_MS) {
		buf_puts(out, ", ");
		put_seconds(out, (int64_t)((double)(r->size - r->read) / (double)r->read * (double)passed / 1000 + 0.5));
		buf_puts(out, " left");
	}
	put_event_time(out, "at", r->event_ms);
}

void
progress_put_sum(struct buf *out, const struct replayed *r, const struct pace *p, int64_t uptime_ms)
{
	double seconds = (double)(uptime_ms - p->begun_ms) / 1000;

	put_count(out, r->lines);
	buf_puts(out, " lines (");
	put_bytes(out, r->read);
	buf_printf(out, ") in %.1f s", seconds);
	if (seconds > 0) {
		buf_puts(out, ", ");
		put_count(out, (uint64_t)((double)(r->lines - p->first) / seconds + 0.5));
		buf_puts(out, " lines/s");
	}
	put_event_time(out, "up to", r->event_ms);
}
