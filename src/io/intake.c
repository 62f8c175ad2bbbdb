/*
 * intake: see intake.h.
 */
#include "io/intake.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/heap.h"
#include "base/mem.h"
#include "io/generations.h"
#include "io/stream.h"
#include "io/tail.h"

#define NEVER (INT64_MIN / 4)
#define FUTURE_MS INT64_C(86400000)	/* a wrong time zone is less ahead, a wrong clock or a forged time is more */

#define AHEAD_LOGS_MAX 4		/* with more logs than that a thread for each would be no help */

/* A line that is held back: a copy, since the stream's batch moves on. */
struct held {
	struct log *log;
	uint64_t file_no, offset;
	bool taken;
	struct facts facts;
	struct held *newer;		/* in reading order of its log */
	char bytes[];
};

struct log {
	struct stream *stream;
	size_t index;
	const struct reading *next;	/* a hit; NULL: not looked for yet, or none, ... */
	bool waits;			/* ... but there may be one soon */
	struct held *first_held, *last_held;
	uint64_t *reread;		/* of each position of tail_resume(): how far that file was read */
	size_t n_reread;
	uint64_t reread_file, reread_end;	/* of the file read now */
	uint64_t saved_file;		/* intake_save() said of all files before it that they were read, ... */
	uint64_t saved_offset;		/* ... and of the last one, up to here */
};

struct intake {
	struct log **logs;
	size_t n, cap;
	bool replay, begun;
	int64_t reorder_ms, highest;
	int64_t now_ms;			/* as intake_clock() */
	int64_t latest;			/* later lines are no hits */
	int64_t doubt_ms;		/* ... or so much later: that is not known yet */
	int64_t horizon;		/* held lines before it were given out */
	int64_t taken_before;		/* the horizon when the positions of intake_resume() were saved */
	struct heap held;
	struct log *current;		/* whose line is out, where it is not a held one */
	struct held *out;		/* the held line that is out */
	bool late;
	struct intake_counts counts;
};

static int
compare_held(const void *x, const void *y)
{
	const struct held *a = x, *b = y;

	if (a->facts.time_ms != b->facts.time_ms)
		return (a->facts.time_ms < b->facts.time_ms ? -1 : 1);
	if (a->log != b->log)
		return (a->log->index < b->log->index ? -1 : 1);
	if (a->file_no != b->file_no)
		return (a->file_no < b->file_no ? -1 : 1);
	return (a->offset < b->offset ? -1 : a->offset > b->offset);
}

struct intake *
intake_new(int64_t reorder_ms, bool replay)
{
	struct intake *in = mem_calloc(1, sizeof(*in));

	in->replay = replay;
	in->reorder_ms = reorder_ms;
	in->highest = in->horizon = in->taken_before = NEVER;
	in->latest = INT64_MAX;
	in->held.compare = compare_held;
	return (in);
}

/* Everything but the stream. */
static void
log_forget(struct log *log)
{
	struct held *h;

	while ((h = log->first_held) != NULL) {
		log->first_held = h->newer;
		free(h);
	}
	free(log->reread);
	*log = (struct log){ .stream = log->stream, .index = log->index, .reread_file = UINT64_MAX };
}

void
intake_free(struct intake **inp)
{
	struct intake *in = *inp;

	if (in == NULL)
		return;
	for (size_t i = 0; i < in->n; i++) {
		log_forget(in->logs[i]);
		stream_free(&in->logs[i]->stream);
		free(in->logs[i]);
	}
	free(in->logs);
	heap_free(&in->held);
	free(in);
	*inp = NULL;
}

void
intake_add(struct intake *in, struct stream *stream)
{
	struct log *log = mem_calloc(1, sizeof(*log));

	must(!in->begun);
	log->stream = stream;
	log->index = in->n;
	log->reread_file = UINT64_MAX;
	mem_grow(&in->logs, &in->cap, in->n + 1, sizeof(*in->logs));
	in->logs[in->n++] = log;
}

size_t
intake_logs(const struct intake *in)
{
	return (in->n);
}

struct stream *
intake_stream(const struct intake *in, size_t i)
{
	return (in->logs[i]->stream);
}

int64_t
intake_highest(const struct intake *in)
{
	return (in->highest == NEVER ? INT64_MIN : in->highest);
}

struct intake_counts
intake_counted(struct intake *in)
{
	struct intake_counts counts = in->counts;

	in->counts = (struct intake_counts){ 0 };
	return (counts);
}

/* ---- reading ------------------------------------------------------------- */

/* Where a file was read up to before the restart; 0 for files that were not. */
static uint64_t
read_before(const struct log *log, const struct tail *tail, uint64_t file_no)
{
	size_t which;

	return (log->n_reread > 0 && tail_resumed(tail, file_no, &which) ? log->reread[which] : 0);
}

/* The same, of the file of this line. */
static uint64_t
reread_end(struct log *log, uint64_t file_no)
{
	if (log->n_reread == 0 || log->reread_file == file_no)
		return (log->reread_end);
	log->reread_file = file_no;
	log->reread_end = read_before(log, stream_lock(log->stream), file_no);
	stream_unlock(log->stream);
	return (log->reread_end);
}

static void
log_taken(struct log *log)
{
	log->next = NULL;
	stream_taken(log->stream);
}

static enum hit_drop
drop_of(const struct intake *in, const struct reading *r)
{
	return (r->drop == HIT_OK && r->facts.time_ms > in->latest ? HIT_FUTURE : r->drop);
}

/* Of the future, if the wall clock is not right as it says. */
static bool
is_in_doubt(const struct intake *in, const struct reading *r)
{
	return (in->doubt_ms > 0 && drop_of(in, r) == HIT_FUTURE && r->facts.time_ms <= in->latest + in->doubt_ms);
}

/* Makes sure that the log's next hit is known; false where there is none now. */
static bool
log_peek(struct intake *in, struct log *log)
{
	enum tail_state state = TAIL_LINE;

	while (log->next == NULL && (log->next = stream_peek(log->stream, &state)) != NULL) {
		enum hit_drop drop = drop_of(in, log->next);

		if (is_in_doubt(in, log->next)) {
			log->next = NULL;
			break;
		}
		if (drop == HIT_OK)
			break;
		if (log->next->offset >= reread_end(log, log->next->file_no)) {
			in->counts.lines++;
			in->counts.drops[drop]++;
		}
		log_taken(log);
	}
	log->waits = log->next == NULL && state == TAIL_WAIT;
	return (log->next != NULL);
}

/* NULL: none has one; or, in a replay, which goes by the order of all lines, one may have an earlier one soon. */
static struct log *
earliest(struct intake *in)
{
	struct log *best = NULL;

	for (size_t i = 0; i < in->n; i++) {
		struct log *log = in->logs[i];

		if (log_peek(in, log) && (best == NULL || log->next->facts.time_ms < best->next->facts.time_ms))
			best = log;
		if (in->replay && log->waits)
			return (NULL);
	}
	return (best);
}

void
intake_look(struct intake *in)
{
	enum tail_state state;

	for (size_t i = 0; i < in->n; i++) {
		stream_peek(in->logs[i]->stream, &state);
		stream_wake(in->logs[i]->stream);
	}
}

static void
hold(struct intake *in, struct log *log)
{
	const struct reading *r = log->next;
	struct held *h = mem_alloc(sizeof(*h) + r->facts.used);

	*h = (struct held){ .log = log, .file_no = r->file_no, .offset = r->offset, .facts = r->facts };
	memcpy(h->bytes, r->facts.bytes, r->facts.used);
	h->facts.bytes = h->bytes;
	*(log->last_held != NULL ? &log->last_held->newer : &log->first_held) = h;
	log->last_held = h;
	heap_push(&in->held, h);
}

/* A held line that has its turn, or NULL. */
static struct held *
released(struct intake *in, int64_t before_ms)
{
	struct held *h = heap_first(&in->held);

	if (before_ms > in->horizon)
		in->horizon = before_ms;
	return (h != NULL && h->facts.time_ms < in->horizon ? heap_pop(&in->held) : NULL);
}

bool
intake_is_settled(const struct intake *in)
{
	const struct held *h = heap_first(&in->held);

	return (in->out == NULL && (h == NULL || h->facts.time_ms >= in->horizon));
}

static enum intake_state
give_held(struct intake *in, struct held *h, const struct facts **facts, bool *late)
{
	in->out = h;
	*facts = &h->facts;
	*late = false;
	return (INTAKE_HIT);
}

static enum intake_state
give_current(struct intake *in, struct log *log, const struct facts **facts, bool *late)
{
	in->current = log;
	*facts = &log->next->facts;
	*late = in->late;
	return (INTAKE_HIT);
}

/* Takes the earliest line in: it goes out at once, is held, or was taken before the restart. */
static bool
take_in(struct intake *in, struct log *log)
{
	int64_t time_ms = log->next->facts.time_ms;
	bool again = log->next->offset < reread_end(log, log->next->file_no);

	in->late = time_ms < in->highest - in->reorder_ms;
	if (again && time_ms < in->taken_before) {
		log_taken(log);
		return (false);
	}
	if (time_ms > in->highest)
		in->highest = time_ms;
	if (in->late || in->reorder_ms == 0)
		return (true);
	if (!again)
		in->counts.lines++;
	hold(in, log);
	log_taken(log);
	return (false);
}

static bool
all_ended(const struct intake *in)
{
	enum tail_state state;

	for (size_t i = 0; i < in->n; i++)
		if (stream_peek(in->logs[i]->stream, &state) != NULL || state != TAIL_END)
			return (false);
	return (true);
}

/* In a replay nobody minds a line that comes a moment later, and all cores are ours. */
static void
begin(struct intake *in)
{
	in->begun = true;
	for (size_t i = 0; i < in->n && in->replay && in->n <= AHEAD_LOGS_MAX; i++)
		stream_read_ahead(in->logs[i]->stream);
}

void
intake_clock(struct intake *in, int64_t now_ms, int64_t off_ms)
{
	in->now_ms = now_ms;
	in->doubt_ms = off_ms > 0 ? off_ms : 0;
}

enum intake_state
intake_next(struct intake *in, int64_t wall_ms, const struct facts **facts, bool *late)
{
	struct log *log;
	struct held *h;

	if (!in->begun)
		begin(in);
	in->latest = wall_ms > NEVER ? (wall_ms > in->now_ms ? wall_ms : in->now_ms) + FUTURE_MS : INT64_MAX;
	if (in->out != NULL)
		return (give_held(in, in->out, facts, late));
	if (in->current != NULL)
		return (give_current(in, in->current, facts, late));
	for (;;) {
		h = released(in, in->highest - in->reorder_ms);
		if (h != NULL)
			return (give_held(in, h, facts, late));
		log = earliest(in);
		if (log == NULL)
			break;
		if (take_in(in, log))
			return (give_current(in, log, facts, late));
	}
	/* Wall time counts where there is nothing to read, not where it cannot be read yet. */
	if (all_ended(in))
		h = released(in, in->highest + 1);
	else
		h = released(in, wall_ms > NEVER && !intake_is_stuck(in) ? wall_ms - in->reorder_ms : NEVER);
	if (h != NULL)
		return (give_held(in, h, facts, late));
	return (all_ended(in) ? INTAKE_END : INTAKE_WAIT);
}

const struct facts *
intake_ahead(const struct intake *in, size_t k)
{
	const struct reading *r = in->current != NULL ? stream_ahead(in->current->stream, k) : NULL;

	return (r != NULL && r->drop == HIT_OK ? &r->facts : NULL);
}

static void
drop_taken(struct log *log)
{
	struct held *h;

	while ((h = log->first_held) != NULL && h->taken) {
		log->first_held = h->newer;
		if (log->first_held == NULL)
			log->last_held = NULL;
		free(h);
	}
}

void
intake_taken(struct intake *in)
{
	if (in->out != NULL) {
		struct log *log = in->out->log;

		in->out->taken = true;
		in->out = NULL;
		drop_taken(log);
	} else {
		must(in->current != NULL);
		if (in->current->next->offset >= reread_end(in->current, in->current->next->file_no))
			in->counts.lines++;
		log_taken(in->current);
		in->current = NULL;
	}
}

void
intake_wake(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		stream_wake(in->logs[i]->stream);
}

void
intake_keys(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		stream_keys(in->logs[i]->stream);
}

bool
intake_is_stuck(const struct intake *in)
{
	for (size_t i = 0; i < in->n; i++) {
		struct tail_status status;

		stream_status(in->logs[i]->stream, &status);
		if (status.stuck)
			return (true);
	}
	return (false);
}

/* ---- positions ----------------------------------------------------------- */

static void
save_position(const char *path, const struct file_pos *pos, uint64_t safe, uint64_t read, struct buf *out)
{
	buf_putc(out, 'f');
	buf_slice(out, slice_of(path));
	buf_u64(out, pos->id.dev);
	buf_u64(out, pos->id.ino);
	buf_svarint(out, pos->id.birth_ns);
	buf_u64(out, pos->id.head_hash);
	buf_varint(out, pos->id.head_len);
	buf_varint(out, safe);
	buf_varint(out, read);
}

static uint64_t
first_held_in(const struct log *log, uint64_t file_no, uint64_t otherwise)
{
	for (const struct held *h = log->first_held; h != NULL; h = h->newer)
		if (h->file_no == file_no && !h->taken)
			return (h->offset < otherwise ? h->offset : otherwise);
	return (otherwise);
}

/* The first file of which a line is not taken yet: the files before it may go when what is
 * saved now is committed. */
static uint64_t
first_in_work(const struct log *log, uint64_t last)
{
	if (log->first_held != NULL && log->first_held->file_no < last)
		last = log->first_held->file_no;
	return (stream_first_file(log->stream, last));
}

static void
save_files(struct log *log, const struct tail *tail, struct buf *out)
{
	uint64_t first, last;
	struct file_pos pos;

	log->saved_file = log->saved_offset = 0;
	if (!tail_files(tail, &first, &last))
		return;
	log->saved_file = first_in_work(log, last);
	for (uint64_t no = first; no <= last; no++) {
		uint64_t read, before, safe, of;

		if (!tail_position(tail, no, &pos))
			continue;
		if (!stream_pending(log->stream, no, &read))
			read = pos.offset;
		/* What is in hand of an emptied file is found again in its copy. */
		of = tail_continued(tail, no);
		if (of != 0 && stream_pending(log->stream, of, &before))
			read = before;
		safe = first_held_in(log, no, read);
		if (of != 0)
			safe = first_held_in(log, of, safe);
		/* While lines are read again, what was read before stays so. */
		before = read_before(log, tail, no);
		save_position(tail_path(tail), &pos, safe, read > before ? read : before, out);
		log->saved_offset = safe;
	}
}

static void
save_log(struct log *log, struct buf *out)
{
	save_files(log, stream_lock(log->stream), out);
	stream_unlock(log->stream);
}

void
tail_save(const struct tail *t, uint64_t hold_file, uint64_t hold_offset, struct buf *out)
{
	uint64_t first, last;
	struct file_pos pos;

	if (!tail_files(t, &first, &last))
		return;
	for (uint64_t no = first; no <= last; no++)
		if (tail_position(t, no, &pos)) {
			uint64_t at = no == hold_file && hold_offset < pos.offset ? hold_offset : pos.offset;

			save_position(tail_path(t), &pos, at, at, out);
		}
}

void
intake_save(struct intake *in, struct buf *out)
{
	must(intake_is_settled(in));
	buf_putc(out, 'h');
	buf_svarint(out, in->highest);
	buf_svarint(out, in->horizon);
	for (size_t i = 0; i < in->n; i++)
		save_log(in->logs[i], out);
}

static int
position_read(struct reader *r, struct slice *path, struct file_pos *pos, uint64_t *read)
{
	*path = reader_slice(r);
	pos->id.dev = reader_u64(r);
	pos->id.ino = reader_u64(r);
	pos->id.birth_ns = reader_svarint(r);
	pos->id.head_hash = reader_u64(r);
	pos->id.head_len = (uint32_t)reader_varint(r);
	pos->offset = reader_varint(r);
	*read = reader_varint(r);
	return (r->bad || pos->id.head_len > HEAD_HASH_BYTES ? -1 : 0);
}

/* Of either kind: 'h' is of all logs, 'f' of one file. */
static bool
record_read(struct reader *r, struct slice *path, struct file_pos *pos, uint64_t *read)
{
	*path = slice_make(NULL, 0);
	if (!reader_more(r))
		return (false);
	if (reader_u8(r) == 'f')
		return (position_read(r, path, pos, read) == 0);
	(void)reader_svarint(r);
	(void)reader_svarint(r);
	return (!r->bad);
}

bool
position_next(struct reader *r, struct slice *record, struct slice *path)
{
	const char *begin = r->p;
	struct file_pos pos;
	uint64_t read;

	if (!record_read(r, path, &pos, &read))
		return (false);
	*record = slice_make(begin, (size_t)(r->p - begin));
	return (true);
}

/* The positions of one path, in the order in which they were saved. */
size_t
positions_of(struct slice saved, const char *path, struct file_pos *positions, uint64_t *reads, size_t max)
{
	struct reader r = reader_of(saved);
	struct file_pos pos;
	struct slice own;
	uint64_t read;
	size_t n = 0;

	while (record_read(&r, &own, &pos, &read))
		if (slice_is(own, path) && n < max) {
			positions[n] = pos;
			reads[n++] = read;
		}
	return (n);
}

/* To where the positions say; without any, to the file of the log's name. */
static void
log_resume(struct log *log, struct slice saved)
{
	struct file_pos positions[POSITIONS_MAX];
	uint64_t reads[POSITIONS_MAX];
	struct tail *tail = stream_stop(log->stream);
	size_t n = positions_of(saved, tail_path(tail), positions, reads, POSITIONS_MAX);

	log_forget(log);
	tail_resume(tail, positions, n);
	log->reread = mem_dup(reads, n * sizeof(*log->reread));
	log->n_reread = n;
}

int
intake_resume(struct intake *in, struct slice saved)
{
	struct reader r = reader_of(saved);

	if (saved.len > 0 && reader_u8(&r) != 'h')
		return (-1);
	in->highest = saved.len > 0 ? reader_svarint(&r) : NEVER;
	in->horizon = in->taken_before = saved.len > 0 ? reader_svarint(&r) : NEVER;
	if (r.bad)
		return (-1);
	in->current = NULL;
	in->out = NULL;
	in->counts = (struct intake_counts){ 0 };
	while (heap_pop(&in->held) != NULL)
		;			/* freed with their logs */
	for (size_t i = 0; i < in->n; i++)
		log_resume(in->logs[i], saved);
	return (0);
}

static bool
is_log(const struct intake *in, const char *dir, const char *name)
{
	struct buf path = { 0 };
	bool found = false;

	buf_printf(&path, "%s/%s", dir, name);
	for (size_t i = 0; i < in->n && !found; i++)
		found = slice_is(buf_view(&path), stream_path(in->logs[i]->stream));
	buf_free(&path);
	return (found);
}

/* Index of the oldest file of a log, or -1.  Where rotated files are configured as logs
 * themselves they are read as such. */
static ptrdiff_t
oldest_part(const struct intake *in, const struct generations *gs)
{
	ptrdiff_t oldest = -1;

	for (size_t i = gs->count; i-- > 0;)
		if (generations_is_part(gs, i)) {
			if (oldest >= 0 && is_log(in, gs->dir, gs->items[i].name))
				return (-1);
			oldest = (ptrdiff_t)i;
		}
	return (oldest);
}

static void
log_rewind(const struct intake *in, struct tail *tail, struct buf *out)
{
	struct generations gs = { 0 };
	struct stat st;
	struct err err;
	bool is_link = lstat(tail_path(tail), &st) == 0 && S_ISLNK(st.st_mode);
	ptrdiff_t oldest = generations_scan(&gs, tail_path(tail), is_link, &err) == 0 ? oldest_part(in, &gs) : -1;

	if (oldest >= 0) {
		struct file_pos begin = { gs.items[oldest].id, 0 };

		tail_resume(tail, &begin, 1);
		save_position(tail_path(tail), &begin, 0, 0, out);
	}
	generations_free(&gs);
}

void
intake_rewind(struct intake *in, struct buf *out)
{
	for (size_t i = 0; i < in->n; i++) {
		struct tail *tail = stream_stop(in->logs[i]->stream);

		if (!tail_is_feed(tail))
			log_rewind(in, tail, out);
	}
}

void
intake_committed(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++) {
		struct tail *tail = stream_lock(in->logs[i]->stream);

		tail_release(tail, in->logs[i]->saved_file);
		tail_release_bytes(tail, in->logs[i]->saved_offset);
		stream_unlock(in->logs[i]->stream);
	}
}
