/*
 * backfill: see backfill.h.
 */
#include "io/backfill.h"

#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/progress.h"
#include "io/site.h"

#define SHOW_MS 250

struct backfill {
	struct event *timer;
	struct site *const *sites;
	size_t n;
	struct pace pace;
};

static struct replayed
sum_of(const struct backfill *b)
{
	struct replayed sum = { .event_ms = INT64_MIN };

	for (size_t i = 0; i < b->n; i++)
		site_add_progress(b->sites[i], &sum);
	return (sum);
}

static void
show(evutil_socket_t fd, short what, void *arg)
{
	struct backfill *b = arg;
	struct replayed sum = sum_of(b);
	struct buf text = { 0 };

	(void)fd;
	(void)what;
	pace_note(&b->pace, sum.lines, site_uptime());
	if (sum.size == 0)
		return;			/* the state is loaded still */
	progress_put(&text, &sum, &b->pace, site_uptime());
	buf_putc(&text, '\0');
	log_below(text.p);
	buf_free(&text);
}

struct backfill *
backfill_begin(struct event_base *base, struct site *const *sites, size_t n)
{
	struct timeval often = { 0, SHOW_MS * 1000 };
	struct backfill *b;

	if (!isatty(STDERR_FILENO))
		return (NULL);
	b = mem_calloc(1, sizeof(*b));
	b->sites = sites;
	b->n = n;
	b->timer = event_new(base, -1, EV_PERSIST, show, b);
	must(b->timer != NULL && event_add(b->timer, &often) == 0);
	pace_note(&b->pace, sum_of(b).lines, site_uptime());
	return (b);
}

void
backfill_end(struct backfill **bp, bool ok)
{
	struct backfill *b = *bp;
	struct buf text = { 0 };
	struct replayed sum;

	if (b == NULL)
		return;
	sum = sum_of(b);
	log_below("");
	if (ok) {
		progress_put_sum(&text, &sum, &b->pace, site_uptime());
		log_info("%.*s", SLICE_FMT(buf_view(&text)));
	}
	buf_free(&text);
	event_free(b->timer);
	free(b);
	*bp = NULL;
}
