/*
 * stream: see stream.h.
 *
 * Two locks, taken in this order: `reading` is held while lines are taken from the tail and
 * until they stand in the queue, so that whoever holds it sees each line either in the
 * tail or in the queue; `queue` guards what the two sides hand each other, and is never held for long.
 */
#include "io/stream.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/header.h"
#include "io/misfit.h"

#define AHEAD_LINES 512			/* of a batch that a thread reads ahead */
#define LINES 32			/* of one that is read when it is asked for */
#define BATCHES 24			/* one in use, the others under way */
#define BYTES_A_LINE 128		/* on average; a batch ends early where they are longer */

struct batch {
	enum tail_state state;		/* behind its lines; TAIL_LINE: there may be more */
	size_t n, next, cap, room;
	struct reading *lines;
	char *bytes;
};

struct stream {
	struct tail *tail;
	struct format *format;
	struct facts_maker *maker;
	struct headers *headers;	/* NULL: the format has none */
	struct misfit misfit;
	const struct keyring *ring;
	struct batch *now;		/* whose lines are taken */
	bool ahead, running;
	/* With a thread only. */
	pthread_t thread;
	pthread_mutex_t reading, queue;
	pthread_cond_t filled, emptied;
	bool stop;
	struct keyring keys;		/* for the thread's next batch */
	struct batch *full[BATCHES], *empty[BATCHES];	/* first in, first out; any order */
	size_t n_full, n_empty;
};

static struct batch *
batch_new(size_t lines)
{
	struct batch *b = mem_calloc(1, sizeof(*b));

	b->state = TAIL_LINE;
	b->cap = lines;
	b->room = lines * BYTES_A_LINE + FACTS_BYTES_MAX;
	b->lines = mem_calloc(lines, sizeof(*b->lines));
	b->bytes = mem_alloc(b->room);
	return (b);
}

static void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	free(b->lines);
	free(b->bytes);
	free(b);
}

struct stream *
stream_new(struct tail *tail, struct format *format, struct facts_maker *maker, const struct keyring *ring)
{
	struct stream *s = mem_calloc(1, sizeof(*s));

	s->tail = tail;
	s->format = format;
	s->headers = headers_new(format);
	s->maker = maker;
	s->ring = ring;
	s->now = batch_new(LINES);
	must(pthread_mutex_init(&s->reading, NULL) == 0 && pthread_mutex_init(&s->queue, NULL) == 0 &&
	    pthread_cond_init(&s->filled, NULL) == 0 && pthread_cond_init(&s->emptied, NULL) == 0);
	return (s);
}

void
stream_free(struct stream **sp)
{
	struct stream *s = *sp;

	if (s == NULL)
		return;
	stream_stop(s);
	tail_close(&s->tail);
	format_free(&s->format);
	headers_free(&s->headers);
	facts_maker_free(&s->maker);
	keyring_clear(&s->keys);
	for (size_t i = 0; i < s->n_empty; i++)
		batch_free(s->empty[i]);
	batch_free(s->now);
	pthread_cond_destroy(&s->filled);
	pthread_cond_destroy(&s->emptied);
	pthread_mutex_destroy(&s->queue);
	pthread_mutex_destroy(&s->reading);
	free(s);
	*sp = NULL;
}

const char *
stream_path(const struct stream *s)
{
	return (tail_path(s->tail));
}

char *
stream_dir(const struct stream *s)
{
	return (tail_dir(s->tail));
}

/* ---- reading ------------------------------------------------------------- */

static void
batch_fill(struct stream *s, struct batch *b)
{
	size_t used = 0;

	b->n = b->next = 0;
	while (b->n < b->cap && used + FACTS_BYTES_MAX <= b->room) {
		struct reading *r = &b->lines[b->n];
		SCRATCH struct line line;
		SCRATCH struct hit hit;

		b->state = tail_next(s->tail, &line);
		if (b->state != TAIL_LINE)
			return;
		r->file_no = line.file_no;
		r->offset = line.offset;
		headers_place(s->headers, s->format, &line);
		r->drop = hit_parse(s->format, line.p, line.len, &hit);
		if (r->drop == HIT_MALFORMED && headers_find(s->headers, s->format, s->tail, &line))
			r->drop = hit_parse(s->format, line.p, line.len, &hit);
		misfit_note(&s->misfit, r->drop, line.p, line.len);
		if (r->drop == HIT_OK) {
			facts_of(s->maker, &hit, &r->facts, b->bytes + used);
			used += r->facts.used;
		}
		b->n++;
	}
}

/* The next batch to fill, or NULL where the thread has to stop. */
static struct batch *
to_fill(struct stream *s)
{
	struct batch *b = NULL;

	pthread_mutex_lock(&s->queue);
	while (s->n_empty == 0 && !s->stop)
		pthread_cond_wait(&s->emptied, &s->queue);
	if (!s->stop) {
		b = s->empty[--s->n_empty];
		facts_maker_keys(s->maker, &s->keys);
	}
	pthread_mutex_unlock(&s->queue);
	return (b);
}

static void *
read_ahead(void *arg)
{
	struct stream *s = arg;
	struct batch *b;
	bool more = true;

	pthread_setname_np(pthread_self(), "rpvd reader");
	while (more && (b = to_fill(s)) != NULL) {
		pthread_mutex_lock(&s->reading);
		batch_fill(s, b);
		more = b->state == TAIL_LINE;
		pthread_mutex_lock(&s->queue);
		s->full[s->n_full++] = b;
		pthread_cond_signal(&s->filled);
		pthread_mutex_unlock(&s->queue);
		pthread_mutex_unlock(&s->reading);
	}
	return (NULL);
}

/* Signals are the main thread's. */
static void
thread_start(struct stream *s)
{
	sigset_t all, before;

	keyring_copy(&s->keys, s->ring);
	s->stop = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->running = pthread_create(&s->thread, NULL, read_ahead, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!s->running)
		s->ahead = false;	/* no thread to be had: slower, and right */
}

static void
thread_join(struct stream *s)
{
	if (!s->running)
		return;
	pthread_mutex_lock(&s->queue);
	s->stop = true;
	pthread_cond_signal(&s->emptied);
	pthread_mutex_unlock(&s->queue);
	pthread_join(s->thread, NULL);
	s->running = false;
}

void
stream_read_ahead(struct stream *s)
{
	must(s->now->n == 0 && !s->ahead);
	s->ahead = true;
	batch_free(s->now);
	s->now = batch_new(AHEAD_LINES);
	while (s->n_empty < BATCHES - 1)
		s->empty[s->n_empty++] = batch_new(AHEAD_LINES);
}

/* Hands the batch that was used back, with the keys of today, for the next one. */
static void
next_batch(struct stream *s)
{
	if (!s->running)
		thread_start(s);
	if (!s->running)
		return;
	pthread_mutex_lock(&s->queue);
	keyring_copy(&s->keys, s->ring);
	s->empty[s->n_empty++] = s->now;
	if (s->n_empty >= BATCHES / 2)		/* a thread that waits is woken for more than one */
		pthread_cond_signal(&s->emptied);
	while (s->n_full == 0)
		pthread_cond_wait(&s->filled, &s->queue);
	s->now = s->full[0];
	s->n_full--;
	memmove(s->full, s->full + 1, s->n_full * sizeof(struct batch *));
	pthread_mutex_unlock(&s->queue);
	if (s->now->state != TAIL_LINE)
		thread_join(s);		/* it has ended by itself; a look after stream_wake() begins anew */
}

const struct reading *
stream_peek(struct stream *s, enum tail_state *state)
{
	while (s->now->next == s->now->n && s->now->state == TAIL_LINE) {
		if (s->ahead)
			next_batch(s);
		if (!s->ahead) {
			facts_maker_keys(s->maker, s->ring);
			batch_fill(s, s->now);
		}
	}
	*state = s->now->next < s->now->n ? TAIL_LINE : s->now->state;
	return (*state == TAIL_LINE ? &s->now->lines[s->now->next] : NULL);
}

void
stream_taken(struct stream *s)
{
	must(s->now->next < s->now->n);
	s->now->next++;
}

const struct reading *
stream_ahead(const struct stream *s, size_t k)
{
	const struct batch *b = s->now;

	return (b->n - b->next > k ? &b->lines[b->next + k] : NULL);
}

void
stream_wake(struct stream *s)
{
	if (s->now->state == TAIL_WAIT)
		s->now->state = TAIL_LINE;
}

/* A thread takes what is there with its next batch: it reads what has an end, and ends with it. */
void
stream_keys(struct stream *s)
{
	if (s->running)
		return;
	keyring_clear(&s->keys);
	facts_maker_keys(s->maker, s->ring);
}

struct tail *
stream_stop(struct stream *s)
{
	thread_join(s);
	headers_forget(s->headers);
	while (s->n_full > 0)
		s->empty[s->n_empty++] = s->full[--s->n_full];
	s->now->n = s->now->next = 0;
	s->now->state = TAIL_LINE;
	return (s->tail);
}

/* ---- the tail, beside its thread ------------------------------------------- */

struct tail *
stream_lock(struct stream *s)
{
	pthread_mutex_lock(&s->reading);
	pthread_mutex_lock(&s->queue);
	return (s->tail);
}

void
stream_unlock(struct stream *s)
{
	pthread_mutex_unlock(&s->queue);
	pthread_mutex_unlock(&s->reading);
}

void
stream_status(struct stream *s, struct tail_status *status)
{
	tail_status(stream_lock(s), status);
	stream_unlock(s);
}

bool
stream_misfits(struct stream *s, bool ever, struct err *err)
{
	bool loud = misfit_problem(&s->misfit, ever, tail_path(stream_lock(s)), err);

	stream_unlock(s);
	return (loud);
}

unsigned
stream_found(struct stream *s)
{
	unsigned found;

	stream_lock(s);
	found = format_found(s->format);
	stream_unlock(s);
	return (found);
}

static bool
pending_in(const struct batch *b, uint64_t file_no, uint64_t *offset)
{
	for (size_t i = b->next; i < b->n; i++)
		if (b->lines[i].file_no == file_no) {
			*offset = b->lines[i].offset;
			return (true);
		}
	return (false);
}

bool
stream_pending(const struct stream *s, uint64_t file_no, uint64_t *offset)
{
	if (pending_in(s->now, file_no, offset))
		return (true);
	for (size_t i = 0; i < s->n_full; i++)
		if (pending_in(s->full[i], file_no, offset))
			return (true);
	return (false);
}

static uint64_t
first_file_in(const struct batch *b, uint64_t first)
{
	for (size_t i = b->next; i < b->n; i++)
		if (b->lines[i].file_no < first)
			first = b->lines[i].file_no;
	return (first);
}

uint64_t
stream_first_file(const struct stream *s, uint64_t first)
{
	first = first_file_in(s->now, first);
	for (size_t i = 0; i < s->n_full; i++)
		first = first_file_in(s->full[i], first);
	return (first);
}
