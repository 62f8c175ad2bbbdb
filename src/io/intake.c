/*
 * intake: see intake.h.
 */
#include "io/intake.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/heap.h"
#include "base/mem.h"
#include "io/generations.h"
#include "io/misfit.h"
#include "io/tail.h"

#define NEVER (INT64_MIN / 4)
#define FUTURE_MS INT64_C(86400000)	/* a wrong time zone is less ahead, a wrong clock or a forged time is more */

/* A line that is held back: a copy, since the tail's buffer moves on. */
struct held {
	struct stream *stream;
	uint64_t file_no, offset;
	bool taken;
	struct hit hit;
	char *bytes;
	struct held *newer;		/* in reading order of its stream */
};

struct reread {				/* a file that was read further than its position */
	struct file_id id;
	uint64_t read;
};

struct stream {
	struct tail *tail;
	struct format *format;
	struct misfit misfit;
	size_t index;
	bool has, waiting, ended;
	struct line line;
	struct hit hit;
	struct held *first_held, *last_held;
	struct reread *reread;
	size_t n_reread;
	uint64_t reread_file, reread_end;	/* of the file read now */
	uint64_t saved_file;		/* intake_save() said of all files before it that they were read */
};

struct intake {
	struct stream **streams;
	size_t n, cap;
	int64_t reorder_ms, highest;
	int64_t latest;			/* later lines are no hits */
	int64_t horizon;		/* held lines before it were given out */
	int64_t taken_before;		/* the horizon when the positions of intake_resume() were saved */
	struct heap held;
	struct stream *current;		/* whose line is out, where it is not a held one */
	struct held *out;		/* the held line that is out */
	bool late;
	struct intake_counts counts;
};

static int
compare_held(const void *x, const void *y)
{
	const struct held *a = x, *b = y;

	if (a->hit.time_ms != b->hit.time_ms)
		return (a->hit.time_ms < b->hit.time_ms ? -1 : 1);
	if (a->stream != b->stream)
		return (a->stream->index < b->stream->index ? -1 : 1);
	if (a->file_no != b->file_no)
		return (a->file_no < b->file_no ? -1 : 1);
	return (a->offset < b->offset ? -1 : a->offset > b->offset);
}

struct intake *
intake_new(int64_t reorder_ms)
{
	struct intake *in = mem_calloc(1, sizeof(*in));

	in->reorder_ms = reorder_ms;
	in->highest = in->horizon = in->taken_before = NEVER;
	in->latest = INT64_MAX;
	in->held.compare = compare_held;
	return (in);
}

static void
held_free(struct held *h)
{
	free(h->bytes);
	free(h);
}

/* Everything but the tail and the format. */
static void
stream_forget(struct stream *s)
{
	struct held *h;

	while ((h = s->first_held) != NULL) {
		s->first_held = h->newer;
		held_free(h);
	}
	free(s->reread);
	*s = (struct stream){ .tail = s->tail, .format = s->format, .misfit = s->misfit, .index = s->index, .reread_file = UINT64_MAX };
}

static void
stream_free(struct stream *s)
{
	stream_forget(s);
	tail_close(&s->tail);
	format_free(&s->format);
	free(s);
}

void
intake_free(struct intake **inp)
{
	struct intake *in = *inp;

	if (in == NULL)
		return;
	for (size_t i = 0; i < in->n; i++)
		stream_free(in->streams[i]);
	free(in->streams);
	heap_free(&in->held);
	free(in);
	*inp = NULL;
}

void
intake_add(struct intake *in, struct tail *tail, struct format *format)
{
	struct stream *s = mem_calloc(1, sizeof(*s));

	s->tail = tail;
	s->format = format;
	s->index = in->n;
	s->reread_file = UINT64_MAX;
	mem_grow(&in->streams, &in->cap, in->n + 1, sizeof(*in->streams));
	in->streams[in->n++] = s;
}

size_t
intake_logs(const struct intake *in)
{
	return (in->n);
}

struct tail *
intake_tail(const struct intake *in, size_t i)
{
	return (in->streams[i]->tail);
}

const struct misfit *
intake_misfit(const struct intake *in, size_t i)
{
	return (&in->streams[i]->misfit);
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

static bool
same_file(const struct file_id *a, const struct file_id *b)
{
	return (a->dev == b->dev && a->ino == b->ino && a->birth_ns == b->birth_ns);
}

/* Where the file of this line was read up to before the restart; 0 for files that were not. */
static uint64_t
reread_end(struct stream *s, uint64_t file_no)
{
	const struct file_id *id;

	if (s->n_reread == 0)
		return (0);
	if (s->reread_file == file_no)
		return (s->reread_end);
	s->reread_file = file_no;
	s->reread_end = 0;
	id = tail_file(s->tail, file_no);
	for (size_t i = 0; id != NULL && i < s->n_reread; i++)
		if (same_file(&s->reread[i].id, id))
			s->reread_end = s->reread[i].read;
	return (s->reread_end);
}

/* Makes sure that the stream's next hit is parsed; false where there is none now. */
static bool
stream_peek(struct intake *in, struct stream *s)
{
	while (!s->has && !s->waiting && !s->ended) {
		enum tail_state state = tail_next(s->tail, &s->line);
		enum hit_drop drop;

		if (state != TAIL_LINE) {
			s->waiting = state == TAIL_WAIT;
			s->ended = state == TAIL_END;
			break;
		}
		drop = hit_parse(s->format, s->line.p, s->line.len, &s->hit);
		misfit_note(&s->misfit, drop, s->line.p, s->line.len);
		if (drop == HIT_OK && s->hit.time_ms > in->latest)
			drop = HIT_FUTURE;
		if (drop == HIT_OK)
			s->has = true;
		else if (s->line.offset >= reread_end(s, s->line.file_no)) {
			in->counts.lines++;
			in->counts.drops[drop]++;
		}
	}
	return (s->has);
}

static struct stream *
earliest(struct intake *in)
{
	struct stream *best = NULL;

	for (size_t i = 0; i < in->n; i++) {
		struct stream *s = in->streams[i];

		if (stream_peek(in, s) && (best == NULL || s->hit.time_ms < best->hit.time_ms))
			best = s;
	}
	return (best);
}

static struct slice
moved(struct slice s, const char *from, char *to)
{
	return (s.len > 0 ? slice_make(to + (s.p - from), s.len) : s);
}

static void
hold(struct intake *in, struct stream *s)
{
	struct held *h = mem_calloc(1, sizeof(*h));
	struct hit *hit = &h->hit;

	h->stream = s;
	h->file_no = s->line.file_no;
	h->offset = s->line.offset;
	h->bytes = mem_dup(s->line.p, s->line.len);
	*hit = s->hit;
	struct slice *slices[] = { &hit->addr, &hit->method, &hit->target, &hit->referrer, &hit->agent, &hit->host,
	    &hit->uid_got, &hit->uid_set };
	for (size_t i = 0; i < N_ELEM(slices); i++)
		*slices[i] = moved(*slices[i], s->line.p, h->bytes);
	for (size_t i = 0; i < HIT_COOKIES_MAX; i++)
		hit->cookies[i] = moved(hit->cookies[i], s->line.p, h->bytes);
	*(s->last_held != NULL ? &s->last_held->newer : &s->first_held) = h;
	s->last_held = h;
	heap_push(&in->held, h);
}

/* A held line that has its turn, or NULL. */
static struct held *
released(struct intake *in, int64_t before_ms)
{
	struct held *h = heap_first(&in->held);

	if (before_ms > in->horizon)
		in->horizon = before_ms;
	return (h != NULL && h->hit.time_ms < in->horizon ? heap_pop(&in->held) : NULL);
}

bool
intake_is_settled(const struct intake *in)
{
	const struct held *h = heap_first(&in->held);

	return (in->out == NULL && (h == NULL || h->hit.time_ms >= in->horizon));
}

static enum intake_state
give_held(struct intake *in, struct held *h, const struct hit **hit, bool *late)
{
	in->out = h;
	*hit = &h->hit;
	*late = false;
	return (INTAKE_HIT);
}

static enum intake_state
give_current(struct intake *in, struct stream *s, const struct hit **hit, bool *late)
{
	in->current = s;
	*hit = &s->hit;
	*late = in->late;
	return (INTAKE_HIT);
}

/* Takes the earliest line in: it goes out at once, is held, or was taken before the restart. */
static bool
take_in(struct intake *in, struct stream *s)
{
	int64_t time_ms = s->hit.time_ms;
	bool again = s->line.offset < reread_end(s, s->line.file_no);

	in->late = time_ms < in->highest - in->reorder_ms;
	if (again && time_ms < in->taken_before) {
		s->has = false;
		return (false);
	}
	if (time_ms > in->highest)
		in->highest = time_ms;
	if (in->late || in->reorder_ms == 0)
		return (true);
	if (!again)
		in->counts.lines++;
	hold(in, s);
	s->has = false;
	return (false);
}

static bool
all_ended(const struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (!in->streams[i]->ended)
			return (false);
	return (true);
}

enum intake_state
intake_next(struct intake *in, int64_t wall_ms, const struct hit **hit, bool *late)
{
	struct stream *s;
	struct held *h;

	in->latest = wall_ms > NEVER ? wall_ms + FUTURE_MS : INT64_MAX;
	if (in->out != NULL)
		return (give_held(in, in->out, hit, late));
	if (in->current != NULL)
		return (give_current(in, in->current, hit, late));
	for (;;) {
		h = released(in, in->highest - in->reorder_ms);
		if (h != NULL)
			return (give_held(in, h, hit, late));
		s = earliest(in);
		if (s == NULL)
			break;
		if (take_in(in, s))
			return (give_current(in, s, hit, late));
	}
	h = released(in, all_ended(in) ? in->highest + 1 : wall_ms > NEVER ? wall_ms - in->reorder_ms : NEVER);
	if (h != NULL)
		return (give_held(in, h, hit, late));
	return (all_ended(in) ? INTAKE_END : INTAKE_WAIT);
}

static void
drop_taken(struct stream *s)
{
	struct held *h;

	while ((h = s->first_held) != NULL && h->taken) {
		s->first_held = h->newer;
		if (s->first_held == NULL)
			s->last_held = NULL;
		held_free(h);
	}
}

void
intake_taken(struct intake *in)
{
	if (in->out != NULL) {
		struct stream *s = in->out->stream;

		in->out->taken = true;
		in->out = NULL;
		drop_taken(s);
	} else {
		must(in->current != NULL);
		if (in->current->line.offset >= reread_end(in->current, in->current->line.file_no))
			in->counts.lines++;
		in->current->has = false;
		in->current = NULL;
	}
}

void
intake_wake(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		in->streams[i]->waiting = false;
}

bool
intake_is_stuck(const struct intake *in)
{
	struct tail_status status;

	for (size_t i = 0; i < in->n; i++) {
		tail_status(in->streams[i]->tail, &status);
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
first_held_in(const struct stream *s, uint64_t file_no, uint64_t otherwise)
{
	for (const struct held *h = s->first_held; h != NULL; h = h->newer)
		if (h->file_no == file_no && !h->taken)
			return (h->offset < otherwise ? h->offset : otherwise);
	return (otherwise);
}

/* The first file of which a line is not taken yet: the files before it may go when what is
 * saved now is committed. */
static uint64_t
first_in_work(const struct stream *s, uint64_t last)
{
	if (s->first_held != NULL && s->first_held->file_no < last)
		last = s->first_held->file_no;
	if (s->has && s->line.file_no < last)
		last = s->line.file_no;
	return (last);
}

static void
save_stream(struct stream *s, struct buf *out)
{
	uint64_t first, last;
	struct file_pos pos;

	s->saved_file = 0;
	if (!tail_files(s->tail, &first, &last))
		return;
	s->saved_file = first_in_work(s, last);
	for (uint64_t no = first; no <= last; no++) {
		uint64_t read, safe;

		if (!tail_position(s->tail, no, &pos))
			continue;
		read = s->has && s->line.file_no == no ? s->line.offset : pos.offset;
		safe = first_held_in(s, no, read);
		save_position(tail_path(s->tail), &pos, safe, read, out);
	}
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
		save_stream(in->streams[i], out);
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
stream_resume(struct stream *s, struct slice saved)
{
	struct file_pos positions[POSITIONS_MAX];
	uint64_t reads[POSITIONS_MAX];
	size_t n = positions_of(saved, tail_path(s->tail), positions, reads, POSITIONS_MAX);

	stream_forget(s);
	tail_resume(s->tail, positions, n);
	s->reread = mem_calloc(n + 1, sizeof(*s->reread));
	s->n_reread = n;
	for (size_t k = 0; k < n; k++)
		s->reread[k] = (struct reread){ positions[k].id, reads[k] };
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
		;			/* freed with their streams */
	for (size_t i = 0; i < in->n; i++)
		stream_resume(in->streams[i], saved);
	return (0);
}

static bool
is_log(const struct intake *in, const char *dir, const char *name)
{
	struct buf path = { 0 };
	bool found = false;

	buf_printf(&path, "%s/%s", dir, name);
	for (size_t i = 0; i < in->n && !found; i++)
		found = slice_is(buf_view(&path), tail_path(in->streams[i]->tail));
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

void
intake_rewind(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++) {
		struct tail *tail = in->streams[i]->tail;
		struct generations gs = { 0 };
		struct stat st;
		struct err err;
		bool is_link = lstat(tail_path(tail), &st) == 0 && S_ISLNK(st.st_mode);
		ptrdiff_t oldest = generations_scan(&gs, tail_path(tail), is_link, &err) == 0 ? oldest_part(in, &gs) : -1;

		if (oldest >= 0)
			tail_resume(tail, &(struct file_pos){ gs.items[oldest].id, 0 }, 1);
		generations_free(&gs);
	}
}

void
intake_committed(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		tail_release(in->streams[i]->tail, in->streams[i]->saved_file);
}
