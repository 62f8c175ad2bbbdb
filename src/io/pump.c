/*
 * pump: what a site reads, on its way into the engine: order files, the webhook journal,
 * the logs.
 *
 * One step at a time, so that replies and signals get their turn between two.  Order events
 * go before hits: an order file is history, and what the journal has was answered for.
 */
#include <event2/event.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/feed.h"
#include "io/generations.h"
#include "io/intake.h"
#include "io/journal.h"
#include "io/keys.h"
#include "io/rules.h"
#include "io/site_impl.h"
#include "io/stream.h"
#include "io/syslog.h"
#include "io/tail.h"
#include "io/tally.h"

#define SYSLOG_SHARE 8			/* of the memory limit, for lines that wait for their commit */
#define LOG_NAME_MAX 200
#define HITS_A_STEP 4096		/* between two looks at the event loop */
#define HITS_MOST (16 * HITS_A_STEP)	/* where held lines have their turn, and would be in the way of a commit */
#define HITS_AHEAD 4			/* between two steps of looking ahead: longer than a miss of the cache */
#define HITS_ASKED 512			/* hits ahead for which may be fetched what is fetched for this one */
#define EVENTS_A_STEP 512
#define COMMIT_BYTES ((size_t)6 << 20)	/* replay: so much that is to be written asks for a commit */
/* How far the watermark stays behind the time at which the logs were looked at and found read to
 * their end: a line may be in writing, or in a new file that tail.c has not noticed yet. */
#define READING_MS 300

/* ---- inputs -------------------------------------------------------------- */

void
inputs_close(struct site *s)
{
	intake_free(&s->intake);
	for (size_t i = 0; i < s->n_orders; i++)
		tail_close(&s->orders[i].tail);
	free(s->orders);
	s->orders = NULL;
	s->n_orders = 0;
}

static struct tail *
log_open(const struct site *s, const char *path)
{
	struct feed *feed;
	struct tail *tail;

	if (strcmp(path, LOG_STDIN) != 0)
		return (tail_open(path, s->env.replay));
	feed = feed_of_pipe(STDIN_FILENO);
	tail = tail_open_feed(STDIN_NAME, feed);
	feed_free(&feed);
	return (tail);
}

/* tail becomes the intake's. */
static int
add_tail(struct site *s, const struct log_conf *log, struct tail *tail, struct err *err)
{
	struct format *format = rules_format(s->rules, log, err);

	if (format == NULL) {
		struct err inner = *err;

		tail_close(&tail);
		return (err_set(err, "%s:%d: log \"%.100s\": %.300s", s->env.config->file, log->line, log->path, inner.msg));
	}
	intake_add(s->intake, stream_new(tail, format, facts_maker_new(rules_engine(s->rules)), keys_ring(s->keys)));
	return (0);
}

static int
add_log(struct site *s, const struct log_conf *log, const char *path, struct err *err)
{
	return (add_tail(s, log, log_open(s, path), err));
}

/* Whoever sends has nothing for a replay. */
static int
add_syslogs(struct site *s, struct err *err)
{
	size_t limit = (size_t)(s->env.config->memory_limit / SYSLOG_SHARE / s->env.config->n_sites);
	int rc = 0;

	if (s->env.replay && s->conf->n_syslogs > 0)
		log_notice("site %s: a replay has no lines that came by syslog", s->conf->name);
	if (s->env.replay || s->env.rebuild)
		return (0);
	for (size_t i = 0; i < s->conf->n_syslogs && rc == 0; i++) {
		const struct log_conf *log = &s->conf->syslogs[i];
		char name[LOG_NAME_MAX];

		snprintf(name, sizeof(name), SYSLOG_PREFIX "%s", log->path);
		rc = add_tail(s, log, tail_open_feed(name, syslogs_feed(s->env.syslogs, log->path, limit / s->conf->n_syslogs)), err);
	}
	return (rc);
}

/* The paths of all logs of a site, as their patterns give them. */
struct paths {
	struct {
		const struct log_conf *log;
		char *path;
		dev_t dev;
		ino_t ino;		/* 0: there is no such file yet */
	} *list;
	size_t n, cap;
};

static void
paths_add(struct paths *p, const struct log_conf *log, const char *path)
{
	struct stat st = { 0 };

	if (stat(path, &st) != 0)
		st.st_ino = 0;
	mem_grow(&p->list, &p->cap, p->n + 1, sizeof(*p->list));
	p->list[p->n].log = log;
	p->list[p->n].path = mem_strdup(path);
	p->list[p->n].dev = st.st_dev;
	p->list[p->n++].ino = st.st_ino;
}

static void
paths_free(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->list[i].path);
	free(p->list);
}

/* A glob gives one stream a file; a name that fits none is a file that may come later. */
static void
paths_find(struct paths *p, const struct log_conf *log)
{
	glob_t found;

	if (strpbrk(log->path, "*?[") == NULL || glob(log->path, 0, NULL, &found) != 0) {
		paths_add(p, log, log->path);
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		paths_add(p, log, found.gl_pathv[i]);
	globfree(&found);
}

/* Two names of one file: a link, a hard link, or what two patterns fit. */
static bool
is_same_file(const struct paths *p, size_t a, size_t b)
{
	if (p->list[a].ino != 0 && p->list[b].ino != 0)
		return (p->list[a].ino == p->list[b].ino && p->list[a].dev == p->list[b].dev);
	return (strcmp(p->list[a].path, p->list[b].path) == 0);
}

/* What is configured more than once is read once, under its first name.  Live, the rotated files of a
 * log are that log's, not logs of their own: tomorrow another file will have their name. */
static bool
belongs_to_another(const struct site *s, const struct paths *p, size_t i)
{
	const char *path = p->list[i].path;

	for (size_t k = 0; k < i; k++)
		if (is_same_file(p, k, i)) {
			log_notice("site %s: %s is the same file as %s: read once", s->conf->name, path, p->list[k].path);
			return (true);
		}
	for (size_t k = 0; k < p->n && !s->env.replay; k++)
		if (generations_is_rotated(p->list[k].path, path))
			return (true);
	return (false);
}

static int
add_logs(struct site *s, struct err *err)
{
	struct paths p = { 0 };
	int rc = 0;

	for (size_t i = 0; i < s->conf->n_logs; i++)
		paths_find(&p, &s->conf->logs[i]);
	for (size_t i = 0; i < p.n && rc == 0; i++)
		if (!belongs_to_another(s, &p, i))
			rc = add_log(s, p.list[i].log, p.list[i].path, err);
	paths_free(&p);
	return (rc);
}

int
inputs_open(struct site *s, struct err *err)
{
	s->intake = intake_new(s->conf->reorder_ms, s->env.replay);
	s->orders = mem_calloc(s->conf->n_orders + 1, sizeof(*s->orders));
	s->n_orders = s->conf->n_orders;
	for (size_t i = 0; i < s->n_orders; i++)
		s->orders[i].tail = tail_open(s->conf->orders[i], s->env.replay);
	return (add_logs(s, err) == 0 ? add_syslogs(s, err) : -1);
}

/* ---- positions ----------------------------------------------------------- */

#define POSITIONS_VERSION 1

/* What a number in the journal stands for: numbers alone are given anew in a state directory
 * that was emptied, put back from a copy, or is another daemon's. */
static uint64_t
mark_of(int64_t received_ms, struct slice bytes)
{
	static const struct hash_key key = { "rpvd journal mrk" };

	return (hash_bytes(&key, bytes) + (uint64_t)received_ms * UINT64_C(0x9e3779b97f4a7c15));
}

static void
journal_at(struct site *s, uint64_t seq, uint64_t mark)
{
	s->journal_queued = seq;
	s->journal_mark = mark;
}

bool
pump_is_settled(const struct site *s)
{
	return (!s->fetching && s->applied == s->n_queued && intake_is_settled(s->intake));
}

/* An input of that name has files, whose positions it saves itself. */
static bool
has_files(const struct site *s, struct slice path, bool *known)
{
	uint64_t first, last;
	bool has = false;

	*known = true;
	for (size_t i = 0; i < intake_logs(s->intake); i++) {
		struct stream *stream = intake_stream(s->intake, i);

		if (!slice_is(path, stream_path(stream)))
			continue;
		has = tail_files(stream_lock(stream), &first, &last);
		stream_unlock(stream);
		return (has);
	}
	for (size_t i = 0; i < s->n_orders; i++)
		if (slice_is(path, s->conf->orders[i]))
			return (tail_files(s->orders[i].tail, &first, &last));
	*known = false;
	return (false);
}

/* Positions of files that were not found again yet, and of logs that were taken out of the
 * configuration and may come back, stay what they were. */
static void
positions_keep(const struct site *s, struct buf *logs)
{
	struct reader r = reader_of(buf_view(&s->loaded));
	struct slice record, path;
	size_t others = 0;
	bool known;

	while (position_next(&r, &record, &path)) {
		if (path.len == 0 || has_files(s, path, &known) || (!known && others++ >= POSITIONS_MAX))
			continue;
		buf_put(logs, record.p, record.len);
	}
}

void
positions_save(struct site *s, struct buf *out)
{
	struct buf logs = { 0 };

	must(pump_is_settled(s));
	out->len = 0;
	buf_putc(out, POSITIONS_VERSION);
	buf_varint(out, s->journal_queued);
	buf_u64(out, s->journal_mark);
	intake_save(s->intake, &logs);
	for (size_t i = 0; i < s->n_orders; i++) {
		uint64_t first;

		tail_save(s->orders[i].tail, UINT64_MAX, 0, &logs);
		if (!tail_files(s->orders[i].tail, &first, &s->orders[i].saved_file))
			s->orders[i].saved_file = 0;
	}
	positions_keep(s, &logs);
	buf_slice(out, buf_view(&logs));
	buf_free(&logs);
	origin_save(&s->origin, out);
}

void
positions_committed(struct site *s)
{
	intake_committed(s->intake);
	for (size_t i = 0; i < s->n_orders; i++)
		tail_release(s->orders[i].tail, s->orders[i].saved_file);
}

struct looked_up {
	uint64_t seq, mark;
};

static int
look_up(const struct journal_record *r, void *arg)
{
	struct looked_up *l = arg;

	if (r->seq == l->seq)
		l->mark = mark_of(r->received_ms, r->bytes);
	return (1);
}

/* Whether the record with that number, which was taken, is the one that our journal has there.
 * Where it cannot be told, no: events that come again change nothing. */
static bool
journal_fits(const struct site *s, uint64_t seq, uint64_t mark)
{
	struct looked_up l = { seq, ~mark };
	uint64_t first = journal_first(s->env.journal);
	struct err err;

	if (journal_last(s->env.journal) < seq)
		return (false);
	if (seq == 0 || first == 0 || first > seq)
		return (true);		/* removed by age: what is there came later */
	return (journal_read(s->env.journal, seq - 1, look_up, &l, &err) == 0 && l.mark == mark);
}

static void
journal_resume(struct site *s, uint64_t seq, uint64_t mark)
{
	if (journal_fits(s, seq, mark))
		journal_at(s, seq, mark);
	else {
		log_warning("journal: not the one of which record %llu was taken last (it was emptied or put back, or another rpvd kept "
		    "this site meanwhile) site=%s; read from its beginning, orders are counted once all the same",
		    (unsigned long long)seq, s->conf->name);
		journal_at(s, 0, 0);
	}
}

static void
orders_resume(struct site *s, struct slice saved)
{
	struct file_pos positions[POSITIONS_MAX];
	uint64_t reads[POSITIONS_MAX];

	for (size_t i = 0; i < s->n_orders; i++) {
		struct order_input *in = &s->orders[i];

		tail_resume(in->tail, positions, positions_of(saved, s->conf->orders[i], positions, reads, POSITIONS_MAX));
		in->ended = in->waiting = false;
		in->saved_file = 0;
	}
}

/* Also again and again: the files stay open, and what is read anew is found even where it was
 * deleted meanwhile. */
int
positions_load(struct site *s, struct slice saved)
{
	struct reader r = reader_of(saved);
	struct slice logs = { NULL, 0 };
	uint64_t seq = 0, mark = 0;

	if (saved.len > 0) {
		if (reader_u8(&r) != POSITIONS_VERSION)
			return (-1);
		seq = reader_varint(&r);
		mark = reader_u64(&r);
		logs = reader_slice(&r);
	}
	origin_load(&s->origin, r.bad ? slice_make(NULL, 0) : slice_make(r.p, (size_t)(r.end - r.p)));
	s->queue.len = s->queue_reader = 0;
	s->n_queued = s->applied = 0;
	s->at_end = false;
	if (r.bad || intake_resume(s->intake, logs) != 0)
		return (-1);
	orders_resume(s, logs);
	s->loaded.len = 0;
	buf_put(&s->loaded, logs.p, logs.len);
	journal_resume(s, seq, mark);
	return (0);
}

/* ---- order events -------------------------------------------------------- */

static void
enqueue(struct site *s, struct slice bytes, bool is_webhook)
{
	buf_putc(&s->queue, is_webhook);
	buf_slice(&s->queue, bytes);
	s->n_queued++;
}

static void
enqueue_message(struct site *s, const struct order_message *m)
{
	struct order_event event;
	struct buf bytes = { 0 };

	order_event_hash(keys_ring(s->keys), m, &event);
	order_event_encode(&event, &bytes);
	enqueue(s, buf_view(&bytes), false);
	buf_free(&bytes);
}

static void
order_line(struct site *s, struct order_input *in, const struct line *line)
{
	SCRATCH struct delivery d;	/* order_line_read() begins it: it is too large to be zeroed for each line */
	struct err err;

	in->lines++;
	if (line->len == 0)
		return;
	if (order_line_read(slice_make(line->p, line->len), &d, &err) != 0) {
		engine_count(s->engine, COUNT_EVENTS_REJECTED, 1);
		if (in->complaints++ < 10)
			log_warning("orders: %s:%llu: %s; line skipped", tail_path(in->tail), (unsigned long long)in->lines, err.msg);
	} else if (d.n_messages == 0)
		engine_count(s->engine, COUNT_ZERO_AMOUNT, 1);
	for (size_t i = 0; i < d.n_messages; i++)
		enqueue_message(s, &d.messages[i]);
	delivery_free(&d);
}

/* True where the file has nothing more now. */
static bool
order_file_read(struct site *s, struct order_input *in)
{
	struct line line;

	while (s->n_queued < EVENTS_A_STEP && !in->ended && !in->waiting) {
		enum tail_state state = tail_next(in->tail, &line);

		if (state == TAIL_LINE)
			order_line(s, in, &line);
		else {
			in->ended = state == TAIL_END;
			in->waiting = state == TAIL_WAIT;
		}
	}
	return (in->ended || in->waiting);
}

static int
journal_record(const struct journal_record *r, void *arg)
{
	struct site *s = arg;

	if ((r->kind == JOURNAL_EVENT || r->kind == JOURNAL_FORGET) && slice_is(r->site, s->conf->name))
		enqueue(s, r->bytes, true);
	journal_at(s, r->seq, mark_of(r->received_ms, r->bytes));
	return (s->n_queued >= EVENTS_A_STEP);
}

static void
queue_clear(struct site *s)
{
	must(s->applied == s->n_queued);
	s->queue.len = s->queue_reader = 0;
	s->n_queued = s->applied = 0;
}

/* Fills the queue with what is next: order files first, then the journal. */
static void
events_read(struct site *s)
{
	struct err err;

	queue_clear(s);
	for (size_t i = 0; i < s->n_orders; i++)
		if (!order_file_read(s, &s->orders[i]))
			return;
	if (s->n_queued == 0 && s->journal_queued < journal_last(s->env.journal) &&
	    journal_read(s->env.journal, s->journal_queued, journal_record, s, &err) != 0 && log_limit(&s->last_journal_error, 60))
		log_error("journal: %s", err.msg);
}

/* Straight into the queue where it is the journal's very next; otherwise events_read() finds it. */
void
pump_journalled(struct site *s, uint64_t seq, int64_t received_ms, struct slice bytes)
{
	if (s->state != SITE_RUNNING || seq != s->journal_queued + 1 || s->n_queued - s->applied >= EVENTS_A_STEP)
		return;
	if (s->applied == s->n_queued)
		queue_clear(s);
	enqueue(s, bytes, true);
	journal_at(s, seq, mark_of(received_ms, bytes));
}

static void
events_ahead(struct site *s)
{
	struct reader r = reader_of(slice_skip(buf_view(&s->queue), s->queue_reader));
	struct order_event event;

	while (reader_more(&r)) {
		reader_u8(&r);
		if (order_event_decode(reader_slice(&r), &event) == 0)
			engine_order_ahead(s->engine, &event);
	}
}

/* ---- steps --------------------------------------------------------------- */

enum step { STEP_NOTHING, STEP_MORE, STEP_FETCH };

static void
on_fetched(enum store_result result, const char *message, void *arg)
{
	struct site *s = arg;

	s->fetching = false;
	if (result != STORE_OK)
		site_lost(s, result, message);
	else
		pump(s);
}

static enum step
fetch(struct site *s)
{
	s->fetching = true;
	store_fetch(s->store, s->engine, on_fetched, s);
	return (STEP_FETCH);
}

/* What became of a webhook's event shows only here. */
static enum engine_result
event_apply(struct site *s, const struct order_event *event, bool is_webhook)
{
	uint64_t same = engine_counter(s->engine, COUNT_NO_CHANGE), other = engine_counter(s->engine, COUNT_CONFLICT);
	enum engine_result result = engine_order(s->engine, event);

	if (is_webhook && engine_counter(s->engine, COUNT_NO_CHANGE) > same)
		tally_event(s->tally, event->provider, "duplicate");
	if (is_webhook && engine_counter(s->engine, COUNT_CONFLICT) > other)
		tally_event(s->tally, event->provider, "conflict");
	return (result);
}

static void
forget_apply(struct site *s, struct slice bytes)
{
	struct forget f = { 0 };

	if (forget_decode(bytes, &f) == 0)
		engine_forget(s->engine, &f);
	else
		engine_count(s->engine, COUNT_DAMAGED, 1);
}

static enum step
events_apply(struct site *s)
{
	struct reader r;
	struct order_event event;
	const struct need *needs;
	struct slice bytes;
	bool is_webhook;

	if (s->applied == 0) {
		events_ahead(s);
		if (engine_needs(s->engine, &needs) > 0)
			return (fetch(s));
	}
	r = reader_of(slice_skip(buf_view(&s->queue), s->queue_reader));
	while (s->applied < s->n_queued) {
		is_webhook = reader_u8(&r) != 0;
		bytes = reader_slice(&r);
		if (forget_is(bytes))
			forget_apply(s, bytes);
		else if (order_event_decode(bytes, &event) != 0)
			engine_count(s->engine, COUNT_DAMAGED, 1);
		else if (event_apply(s, &event, is_webhook) == ENGINE_NEEDS)
			return (fetch(s));
		s->applied++;
		s->queue_reader = (size_t)(r.p - s->queue.p);
	}
	return (STEP_MORE);
}

static enum step
events_step(struct site *s)
{
	if (s->applied == s->n_queued)
		events_read(s);
	return (s->n_queued > s->applied ? events_apply(s) : STEP_NOTHING);
}

static void
count_lines(struct site *s)
{
	struct intake_counts counts = intake_counted(s->intake);

	if (counts.lines == 0)
		return;
	engine_count(s->engine, COUNT_LINES, counts.lines);
	engine_count(s->engine, COUNT_EMPTY, counts.drops[HIT_EMPTY]);
	engine_count(s->engine, COUNT_MALFORMED, counts.drops[HIT_MALFORMED]);
	engine_count(s->engine, COUNT_BAD_TIME, counts.drops[HIT_BAD_TIME]);
	engine_count(s->engine, COUNT_BAD_STATUS, counts.drops[HIT_BAD_STATUS]);
	engine_count(s->engine, COUNT_FUTURE, counts.drops[HIT_FUTURE]);
}

/* Standard input has nothing yet. */
static void
pump_later(struct site *s)
{
	static const struct timeval later = { 0, 10000 };

	event_add(s->pump_event, &later);
}

/* The logs are read to their end: time goes on by the wall clock.  Not where a log is there and
 * cannot be read: what decides about an order may be in it. */
static enum step
hits_end(struct site *s, enum intake_state state)
{
	int64_t until = s->env.replay ? INT64_MAX : s->woken_ms - s->conf->reorder_ms - READING_MS;

	if (s->env.replay && state != INTAKE_END) {
		intake_wake(s->intake);
		pump_later(s);
		return (STEP_NOTHING);
	}
	if (!s->env.replay && intake_is_stuck(s->intake))
		return (STEP_NOTHING);
	if (engine_watermark(s->engine, until) == ENGINE_NEEDS)
		return (fetch(s));
	s->at_end = true;
	return (STEP_NOTHING);
}

static bool
commit_is_wanted(const struct site *s)
{
	if (s->committing)
		return (false);
	return (s->commit_wanted || engine_is_full(s->engine) || (s->env.replay && engine_unstored(s->engine) > COMMIT_BYTES));
}

/* Each step follows a pointer further than the one before, and has to wait for nothing. */
static void
look_ahead(const struct site *s)
{
	if (!engine_looks_ahead(s->engine))
		return;
	for (int step = 0; step < HIT_AHEAD_STEPS; step++) {
		const struct facts *facts = intake_ahead(s->intake, (size_t)(HIT_AHEAD_STEPS - step) * HITS_AHEAD);

		if (facts != NULL)
			engine_hit_ahead(s->engine, facts, step);
	}
}

/* Where one visitor has to be fetched, so have others that come next: all in one round. */
static void
ask_ahead(const struct site *s)
{
	for (size_t i = 1; i <= HITS_ASKED; i++) {
		const struct facts *facts = intake_ahead(s->intake, i);

		if (facts != NULL)
			engine_hit_needs(s->engine, facts);
	}
}

/* Whose visits they are shows whether the log has clients' addresses or a proxy's. */
static enum engine_result
hit_apply(struct site *s, const struct facts *facts, bool late)
{
	uint64_t visits = engine_counter(s->engine, COUNT_VISITS);
	enum engine_result result = engine_hit(s->engine, facts, late);

	if (facts->by_agent && engine_counter(s->engine, COUNT_VISITS) > visits)
		crowd_note(&s->crowd, &keys_ring(s->keys)->site, facts_addr(facts), facts->user_agent, facts->time_ms);
	return (result);
}

/* As of now: what is read next may be later than all that was seen when the logs last woke us, by days where the host slept
 * meanwhile, and may be dated by a clock that stepped since the last look at it. */
static void
tell_time(struct site *s)
{
	int64_t now = site_now(s);

	intake_clock(s->intake, now, clock_off_ms(s->env.clock));
}

static enum step
hits_step(struct site *s)
{
	const struct facts *facts;
	bool late;

	s->at_end = false;
	for (int i = 0; i < HITS_MOST; i++) {
		enum intake_state state;

		if ((i >= HITS_A_STEP || (s->commit_wanted && !s->committing)) && intake_is_settled(s->intake))
			return (STEP_MORE);
		if (!s->env.replay)
			tell_time(s);
		state = intake_next(s->intake, s->env.replay ? INT64_MIN : s->woken_ms, &facts, &late);
		if (state != INTAKE_HIT)
			return (hits_end(s, state));
		look_ahead(s);
		if (hit_apply(s, facts, late) == ENGINE_NEEDS) {
			ask_ahead(s);
			return (fetch(s));
		}
		intake_taken(s->intake);
	}
	return (STEP_MORE);
}

/* By way of the loop's next round: an event that is made active anew while active events are
 * served is served in the same round, and no socket would be looked at meanwhile. */
void
pump_soon(struct site *s)
{
	static const struct timeval at_once = { 0, 0 };

	event_add(s->pump_event, &at_once);
}

void
pump(struct site *s)
{
	enum step step;

	if (s->state != SITE_RUNNING || s->fetching || s->stopping || s->finishing || s->swapping)
		return;
	if (!s->committing && engine_is_full(s->engine))
		site_commit(s);		/* also where each step ends in a fetch */
	if (s->committing && engine_is_overfull(s->engine))
		return;			/* on_commit() goes on */
	step = events_step(s);
	if (step == STEP_NOTHING)
		step = hits_step(s);
	count_lines(s);
	if (step == STEP_MORE)
		pump_soon(s);
	if (step != STEP_FETCH && (commit_is_wanted(s) || (s->env.replay && s->at_end)))
		site_commit(s);
	else if (step != STEP_FETCH)
		site_plan_commit(s);
}

void
on_pump(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pump(arg);
}
