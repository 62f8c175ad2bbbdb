/*
 * asleep: orders that wait for a time that is far ahead are not in memory.
 *
 * In a replay, and in a catch-up, all orders are known before the lines of their visits are read.
 * Nothing is decided of them until their time comes; until then the store has them, among those that
 * wait, and here is only when to ask for them again.  One that an event speaks of meanwhile is fetched
 * like any other, and is awake until the next commit.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/engine_impl.h"

#define SLEEP_AHEAD_MS (60 * INT64_C(60000))	/* what is nearer stays awake */
#define WAKE_AHEAD_MS (20 * INT64_C(60000))	/* so much longer than what has to be woken: one round serves many */
#define WAKEN_TOGETHER 256

struct sleeper {
	int64_t moment_ms;		/* of its first decision */
	uint16_t len;
	char name[];			/* name_order() */
};

static struct slice
sleeper_name(const struct sleeper *s)
{
	return (slice_make(s->name, s->len));
}

int
sleeper_compare(const void *x, const void *y)
{
	const struct sleeper *a = x, *b = y;
	int c;

	if (a->moment_ms != b->moment_ms)
		return (a->moment_ms < b->moment_ms ? -1 : 1);
	c = memcmp(a->name, b->name, a->len < b->len ? a->len : b->len);
	return (c != 0 ? c : a->len < b->len ? -1 : a->len > b->len);
}

/* Where somebody is to be forgotten, all who wait are looked at. */
static bool
is_far_ahead(const struct engine *e, const struct order *o)
{
	return (e->n_erasures == 0 && o->time_ms + JOIN_AFTER_MS > e->watermark + SLEEP_AHEAD_MS);
}

static bool
may_sleep(const struct engine *e, const struct order *o)
{
	return (o->waiting && !o->dirty && o->stored_waiting && is_far_ahead(e, o));
}

/* All their moments are as far ahead. */
static void
drop_dues(struct engine *e)
{
	struct heap kept = { .compare = e->dues.compare };

	for (size_t i = 0; i < e->dues.count; i++) {
		struct due *d = e->dues.items[i];

		if (!may_sleep(e, d->order)) {
			heap_push(&kept, d);
			continue;
		}
		d->order->dues--;
		free(d);
	}
	heap_free(&e->dues);
	e->dues = kept;
}

static void
sleep(struct engine *e, struct order *o)
{
	struct sleeper *s;
	struct name name;

	must(o->dues == 0);
	order_forget(e, o);
	e->n_asleep++;
	if (!o->has_sleeper) {
		name_order(&name, o->provider, o->id);
		s = mem_alloc(sizeof(*s) + name.len);
		s->moment_ms = o->time_ms + JOIN_AFTER_MS;
		s->len = (uint16_t)name.len;
		memcpy(s->name, name.text, name.len);
		heap_push(&e->asleep, s);
	}
	orderbook_remove(&e->book, o);
}

void
orders_sleep(struct engine *e)
{
	struct order *o, **all = NULL;
	size_t n = 0, cap = 0;

	/* A list: a deletion would move others before the place of the walk. */
	for (size_t i = 0; (o = strmap_next(e->book.by_key, &i, NULL)) != NULL;)
		if (may_sleep(e, o)) {
			mem_grow(&all, &cap, n + 1, sizeof(struct order *));
			all[n++] = o;
		}
	if (n > 0)
		drop_dues(e);
	for (size_t i = 0; i < n; i++)
		sleep(e, all[i]);
	free(all);
}

bool
order_sleeps_on(struct engine *e, struct order *o)
{
	if (!is_far_ahead(e, o) || o->dirty)
		return (false);
	sleep(e, o);
	return (true);
}

/* Who is not in memory, and has not been decided about, is asleep. */
void
order_wakes(struct engine *e, struct order *o)
{
	if (!o->paid || o->how != JOIN_NONE || o->alias_of.len > 0 || o->erased || o->time_ms + JOIN_AFTER_MS < e->watermark ||
	    e->n_asleep == 0)
		return;
	e->n_asleep--;
	o->stored_waiting = o->has_sleeper = true;
	order_queue(e, o);
}

static struct order *
find(const struct engine *e, const struct sleeper *s)
{
	return (strmap_get(e->book.by_key, sleeper_name(s)));
}

/* Those who are awake already need nothing. */
static void
drop_awake(struct engine *e)
{
	struct sleeper *s;
	struct order *o;

	while ((s = heap_first(&e->asleep)) != NULL && (o = find(e, s)) != NULL) {
		o->has_sleeper = false;
		free(heap_pop(&e->asleep));
	}
}

/* The first places of the heap are not the next ones in order, but nearly all of them are among these. */
static void
want_next(struct engine *e, int64_t before_ms)
{
	for (size_t i = 0, n = 0; i < e->asleep.count && i < 4 * WAKEN_TOGETHER && n < WAKEN_TOGETHER; i++) {
		const struct sleeper *s = e->asleep.items[i];
		struct slice provider, id;

		if (s->moment_ms >= before_ms || find(e, s) != NULL || !split_order_name(sleeper_name(s), &provider, &id))
			continue;
		want(e, NEED_ORDER, 0, 0, provider, id);
		n++;
	}
}

enum engine_result
orders_wake(struct engine *e, int64_t before_ms)
{
	const struct due *d = heap_first(&e->dues);
	const struct sleeper *s;

	if (d != NULL && d->moment_ms < before_ms)
		before_ms = d->moment_ms + 1;		/* of one moment, the order's time decides */
	drop_awake(e);
	s = heap_first(&e->asleep);
	if (s == NULL || s->moment_ms >= before_ms)
		return (ENGINE_DONE);
	want_next(e, s->moment_ms + WAKE_AHEAD_MS);
	return (ENGINE_NEEDS);
}

enum engine_result
orders_wake_all(struct engine *e)
{
	drop_awake(e);
	if (e->asleep.count == 0)
		return (ENGINE_DONE);
	want_next(e, INT64_MAX);
	return (ENGINE_NEEDS);
}

void
sleepers_free(struct engine *e)
{
	struct sleeper *s;

	while ((s = heap_pop(&e->asleep)) != NULL)
		free(s);
	heap_free(&e->asleep);
}
