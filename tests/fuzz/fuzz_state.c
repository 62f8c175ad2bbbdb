/*
 * Fuzzer: records of the state that are not as rpvd left them.
 *
 * A small shop's day is told to an engine and committed.  Then the input damages
 * records: (which, where in it, how many bytes, the bytes).  The engine is loaded from
 * that, or refuses it, and goes on with the day: it may count anything, but must end
 * nothing and keep answering.
 */
#include <stdlib.h>

#include "../engine_world.h"
#include "base/map.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define STEPS 24

static void
step_hit(struct input *in, unsigned i)
{
	static const char *const targets[] = { "/a?utm_source=news&utm_medium=email", "/b", "/thanks?order=t1", "/c?gclid=1", "/d.png", "/robots.txt", "/e" };
	static const char *const visitors[] = { "", "v1", "v2" };

	in->kind = INPUT_HIT;
	in->late = i == 13;
	in->hit = (struct hit){ .time_ms = in->ms - (in->late ? 600000 : 0), .status = i % 7 == 6 ? 302 : 200, .method = SLICE("GET"),
	    .addr = SLICE("192.0.2.1"), .agent = SLICE("Firefox/140"), .referrer = SLICE("https://shop.example/") };
	if (i % 11 == 10)
		in->hit.status = 404;
	in->hit.target = slice_of(targets[i % N_ELEM(targets)]);
	in->hit.cookies[0] = slice_of(visitors[i % N_ELEM(visitors)]);
}

static void
step_event(struct input *in, unsigned i)
{
	struct order_message *m = &in->message;

	in->kind = INPUT_EVENT;
	*m = (struct order_message){ .kind = (enum order_kind)(i / 3 % 2 == 0 ? ORDER_PAID : i / 3 % ORDER_KINDS), .time_ms = in->ms,
	    .provider = SLICE("generic"), .order_id = i % 2 == 0 ? SLICE("o1") : SLICE("o2"), .amount = 1000 + i, .part_id = SLICE("r") };
	must(currency_parse(i % 5 == 0 ? SLICE("USD") : SLICE("EUR"), &m->currency));
	if (m->kind == ORDER_ALIAS)
		m->aliases[m->n_aliases++] = SLICE("o3");
	if (m->kind != ORDER_PAID)
		return;
	m->customer = SLICE("email:a@b.example");
	m->tokens[m->n_tokens++] = i % 2 == 0 ? SLICE("t1") : SLICE("t2");
	if (i % 4 == 0)
		m->visitor = SLICE("v1");
	m->ip = SLICE("192.0.2.1");
	m->user_agent = SLICE("Firefox/140");
}

static void
step_forget(struct world *w, int64_t ms)
{
	struct forget f = { .id = (uint64_t)ms };
	struct input in = { .kind = INPUT_FORGET, .ms = ms, .forget = &f };

	forget_add_hash(&f, hash_cookie(&w->ring, SLICE("v1")));
	forget_add_order(&f, SLICE("o:generic:o1"));
	world_take(w, &in);
	forget_clear(&f);
}

static void
step(struct world *w, unsigned i)
{
	struct input in = { .ms = WORLD_DAY + i * INT64_C(1500000) };

	if (i % 3 == 2)
		step_event(&in, i);
	else
		step_hit(&in, i);
	world_take(w, &in);
	if (i == STEPS / 2 - 1 || i == STEPS - 4)	/* one is still to be forgotten when the records are damaged */
		step_forget(w, in.ms + 1000);
}

/* Field or string number k of all that the store holds. */
static struct buf *
bytes_at(struct world *w, size_t k)
{
	struct record *record;
	struct buf *value;

	for (size_t i = 0; (record = strmap_next(w->store, &i, NULL)) != NULL;) {
		if (record->type == RECORD_STRING && k-- == 0)
			return (&record->bytes);
		for (size_t f = 0; record->type == RECORD_HASH && (value = strmap_next(record->fields, &f, NULL)) != NULL;)
			if (k-- == 0)
				return (value);
	}
	return (NULL);
}

static void
damage(struct world *w, struct slice *in)
{
	struct buf *b;
	size_t which, at, n;

	while (in->len >= 4) {
		which = (uint8_t)in->p[0] | (size_t)((uint8_t)in->p[1] & 3) << 8;
		at = (uint8_t)in->p[2];
		n = (uint8_t)in->p[3] & 31;
		b = bytes_at(w, which);
		if (b != NULL && ((uint8_t)in->p[3] & 32) != 0 && at < b->len)
			b->len = at;		/* cut */
		*in = slice_skip(*in, 4);
		n = n < in->len ? n : in->len;
		if (b != NULL && at <= b->len) {
			size_t len = b->len > at + n ? b->len : at + n;

			buf_reserve(b, n);
			memcpy(b->p + at, in->p, n);
			b->len = len;
		}
		*in = slice_skip(*in, n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct slice in = slice_make((const char *)p, len);
	struct world *w;

	if (len < 1)
		return (0);
	w = world_new((p[0] & 1) != 0);
	in = slice_skip(in, 1);
	for (unsigned i = 0; i < STEPS / 2; i++) {
		step(w, i);
		if (i % 4 == 3)
			world_commit(w);
	}
	damage(w, &in);
	if (world_try_reload(w) == 0) {
		for (unsigned i = STEPS / 2; i < STEPS; i++)
			step(w, i);
		world_commit(w);
		free(world_figures(w));
	}
	world_free(&w);
	return (0);
}
