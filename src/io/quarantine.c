/*
 * quarantine: see quarantine.h.
 *
 * A log of the journal's form, whose records are
 *
 *	JOURNAL_QUARANTINE	version 1 | provider | path | id | detail | body: slices, the site being the record's own
 *	JOURNAL_RELEASED	the number of one that was understood since: u64
 *
 * Age is a file's affair, as in the journal, but here a file goes with its oldest record: so
 * that nothing is too old, and what is an hour younger may go with it.
 */
#include "io/quarantine.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/journal.h"

#define VERSION 1
#define FILE_MS (INT64_C(3600) * 1000)
#define BYTES_MAX (64 * 1024 * 1024)

struct quarantine {
	struct journal *log;
	uint64_t *waiting;		/* numbers, ascending */
	size_t n_waiting, cap;
	uint64_t *pending;		/* added, not synced */
	size_t n_pending, pending_cap;
	uint64_t forgotten;
};

/* ---- records -------------------------------------------------------------- */

static void
encode(const struct quarantined *q, struct buf *out)
{
	buf_putc(out, VERSION);
	buf_slice(out, q->provider);
	buf_slice(out, q->path);
	buf_slice(out, q->id);
	buf_slice(out, q->detail);
	buf_slice(out, q->body);
}

int
quarantined_decode(struct slice bytes, struct quarantined *q)
{
	struct reader r = reader_of(bytes);

	if (reader_u8(&r) != VERSION)
		return (-1);
	q->provider = reader_slice(&r);
	q->path = reader_slice(&r);
	q->id = reader_slice(&r);
	q->detail = reader_slice(&r);
	q->body = reader_slice(&r);
	return (r.bad || reader_more(&r) ? -1 : 0);
}

/* ---- which wait ------------------------------------------------------------ */

static void
waiting_add(struct quarantine *q, uint64_t number)
{
	mem_grow(&q->waiting, &q->cap, q->n_waiting + 1, sizeof(*q->waiting));
	q->waiting[q->n_waiting++] = number;
}

static int
compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return ((x > y) - (x < y));
}

static uint64_t *
waiting_find(const struct quarantine *q, uint64_t number)
{
	if (q->n_waiting == 0)
		return (NULL);
	return (bsearch(&number, q->waiting, q->n_waiting, sizeof(number), compare_numbers));
}

static void
waiting_remove(struct quarantine *q, uint64_t number)
{
	uint64_t *at = waiting_find(q, number);

	if (at == NULL)
		return;
	q->n_waiting--;
	memmove(at, at + 1, (size_t)(q->waiting + q->n_waiting - at) * sizeof(*at));
}

static int
count_record(const struct journal_record *rec, void *arg)
{
	struct quarantine *q = arg;
	struct reader r = reader_of(rec->bytes);

	if (rec->kind == JOURNAL_QUARANTINE)
		waiting_add(q, rec->seq);
	else if (rec->kind == JOURNAL_RELEASED)
		waiting_remove(q, reader_u64(&r));
	return (0);
}

static int
count_all(struct quarantine *q, struct err *err)
{
	q->n_waiting = 0;
	return (journal_read(q->log, 0, count_record, q, err));
}

/* ---- life ------------------------------------------------------------------ */

struct quarantine *
quarantine_open(const struct journal *journal, struct err *err)
{
	struct quarantine *q = mem_calloc(1, sizeof(*q));

	q->log = journal_open_beside(journal, "quarantine", FILE_MS, err);
	if (q->log == NULL || count_all(q, err) != 0)
		quarantine_close(&q);
	return (q);
}

void
quarantine_close(struct quarantine **qp)
{
	struct quarantine *q = *qp;

	if (q == NULL)
		return;
	journal_close(&q->log);
	free(q->waiting);
	free(q->pending);
	free(q);
	*qp = NULL;
}

/* ---- writing ---------------------------------------------------------------- */

void
quarantine_add(struct quarantine *q, const struct quarantined *one)
{
	struct buf bytes = { 0 };

	encode(one, &bytes);
	mem_grow(&q->pending, &q->pending_cap, q->n_pending + 1, sizeof(*q->pending));
	q->pending[q->n_pending++] = journal_append(q->log, JOURNAL_QUARANTINE, one->received_ms, one->site, buf_view(&bytes));
	buf_free(&bytes);
}

int
quarantine_sync(struct quarantine *q, struct err *err)
{
	int rc = journal_sync(q->log, err);

	for (size_t i = 0; rc == 0 && i < q->n_pending; i++)
		waiting_add(q, q->pending[i]);
	q->n_pending = 0;
	return (rc);
}

void
quarantine_probe(struct quarantine *q)
{
	journal_probe(q->log);
}

/* ---- reading ----------------------------------------------------------------- */

struct again {
	struct quarantine *q;
	const struct quarantine_calls *calls;
	void *arg;
	uint64_t *released;
	size_t n, cap;
};

static int
again_record(const struct journal_record *rec, void *arg)
{
	struct again *a = arg;
	struct quarantined one = { .number = rec->seq, .received_ms = rec->received_ms, .site = rec->site };

	if (rec->kind != JOURNAL_QUARANTINE || waiting_find(a->q, rec->seq) == NULL || quarantined_decode(rec->bytes, &one) != 0 ||
	    !a->calls->understands(a->arg, &one))
		return (0);
	mem_grow(&a->released, &a->cap, a->n + 1, sizeof(*a->released));
	a->released[a->n++] = rec->seq;
	return (0);
}

/* A mark stands behind what it is about, and so goes with it or later. */
static int
release(struct quarantine *q, const uint64_t *numbers, size_t n, int64_t now_ms, struct err *err)
{
	struct buf mark = { 0 };

	for (size_t i = 0; i < n; i++) {
		mark.len = 0;
		buf_u64(&mark, numbers[i]);
		journal_append(q->log, JOURNAL_RELEASED, now_ms, SLICE(""), buf_view(&mark));
		waiting_remove(q, numbers[i]);
	}
	buf_free(&mark);
	return (n > 0 ? journal_sync(q->log, err) : 0);
}

int
quarantine_again(struct quarantine *q, int64_t now_ms, const struct quarantine_calls *calls, void *arg, struct err *err)
{
	struct again a = { q, calls, arg, NULL, 0, 0 };
	int rc = 0;

	must(q->n_pending == 0);
	if (q->n_waiting > 0)
		rc = journal_read(q->log, q->waiting[0] - 1, again_record, &a, err);
	if (a.n > 0 && calls->sync(arg) == 0 && release(q, a.released, a.n, now_ms, err) != 0)
		rc = -1;
	free(a.released);
	return (rc);
}

/* ---- forgetting ---------------------------------------------------------------- */

int
quarantine_forget(struct quarantine *q, int64_t now_ms, int64_t keep_ms, struct err *err)
{
	struct journal_status before, after;
	size_t waited = q->n_waiting;

	journal_status(q->log, &before);
	if (before.bytes == 0)
		return (0);
	if (journal_rotate(q->log, now_ms, keep_ms, UINT64_MAX, err) != 0)
		return (-1);
	for (journal_status(q->log, &after); after.bytes > BYTES_MAX && journal_drop_oldest(q->log);)
		journal_status(q->log, &after);
	if (after.bytes == before.bytes)
		return (0);
	if (count_all(q, err) != 0)
		return (-1);
	q->forgotten += waited - q->n_waiting;
	return (0);
}

void
quarantine_status(const struct quarantine *q, struct quarantine_status *s)
{
	struct journal_status log;

	journal_status(q->log, &log);
	*s = (struct quarantine_status){ q->n_waiting, log.bytes, log.newest_ms, log.problem, q->forgotten };
}
