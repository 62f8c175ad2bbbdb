/*
 * tail: see tail.h.
 *
 * A stream is a row of pieces, oldest first: files that were or are the log.  One of them is
 * the current one, pieces before it are rotated away and looked at for late lines,
 * pieces behind it wait for their turn.  Everything that can happen to a log (rotation, truncation,
 * a start after hours away) becomes one act: find the files in the directory that
 * hold what was not read yet, and put them behind the row.
 */
#include "io/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/feed.h"
#include "io/generations.h"
#include "io/logfile.h"

#define PAST_FILES 16

struct piece {
	uint64_t no;
	char *name;			/* to speak of it; files are known by identity */
	struct logfile *file;
	bool is_begun;			/* lines of it were read, now or in an earlier run */
	bool is_fixed;			/* nobody can write to it: compressed, or a copy */
	bool is_done;			/* read, but not released */
	uint64_t continues;		/* a copy: number of the emptied file that it was made of; 0: none */
	size_t resumed;			/* it goes on at position resumed - 1 of tail_resume(); 0: at none */
	bool was_empty;			/* when it was looked at last */
	unsigned looks;			/* in a row without new bytes, the first at idle_since */
	int64_t idle_since_ms;
	uint64_t seen;
};

struct tail {
	char *path;
	struct feed *feed;		/* in place of files; path only names it */
	bool is_replay, follow;
	char *target, *home;		/* follow, live: what the link stands for, and that one's directory at first */
	bool is_ended;			/* replay */
	struct tail_times times;

	struct piece **pieces;
	size_t n_pieces, cap_pieces;
	size_t current;
	struct piece *reading;		/* the current one, or a late one; NULL before the first */
	struct piece *spent;		/* done; its buffer still holds the line that was given out */
	uint64_t last_no;
	int64_t next_look_ms;

	struct file_pos *wanted;	/* tail_resume()'s, until their files are found */
	size_t n_wanted;
	struct logfile **held;		/* open files from before a tail_resume() */
	size_t n_held;
	struct file_pos past[PAST_FILES];	/* the last ones that were released */
	size_t n_past;

	bool is_no_file;		/* what has the name can never be a log */
	bool unseen;			/* what is in the directory could not be found out */
	struct err name_problem, read_problem;	/* as long as it is so; empty: none */
	struct err loss;			/* stays */
	uint64_t truncations, torn, lost_bytes, overlong, nul_bytes;
};

static int64_t
monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* ---- pieces --------------------------------------------------------------------- */

/* Takes the file over. */
static struct piece *
append(struct tail *t, struct logfile *file, const char *name)
{
	struct piece *p = mem_calloc(1, sizeof(*p));

	p->no = ++t->last_no;
	p->name = mem_strdup(name);
	p->file = file;
	p->is_fixed = logfile_is_gz(file);
	p->was_empty = !t->is_replay && t->feed == NULL && !p->is_fixed && logfile_id(file)->head_len == 0;
	mem_grow(&t->pieces, &t->cap_pieces, t->n_pieces + 1, sizeof(struct piece *));
	t->pieces[t->n_pieces++] = p;
	return (p);
}

static void
piece_free(struct tail *t, struct piece *p)
{
	uint64_t overlong, nul_bytes;

	logfile_counts(p->file, &overlong, &nul_bytes);
	t->overlong += overlong;
	t->nul_bytes += nul_bytes;
	logfile_close(&p->file);
	free(p->name);
	free(p);
}

static size_t
index_of(const struct tail *t, const struct piece *p)
{
	size_t i = 0;

	while (i < t->n_pieces && t->pieces[i] != p)
		i++;
	must(i < t->n_pieces);
	return (i);
}

static struct piece *
piece_by_no(const struct tail *t, uint64_t no)
{
	for (size_t i = 0; i < t->n_pieces; i++)
		if (t->pieces[i]->no == no)
			return (t->pieces[i]);
	return (NULL);
}

static struct piece *
last_piece(const struct tail *t)
{
	return (t->n_pieces > 0 ? t->pieces[t->n_pieces - 1] : NULL);
}

static void
read_next(struct tail *t, size_t i)
{
	t->current = i;
	t->reading = t->pieces[i];
	t->reading->is_begun = true;
}

/* Its buffer goes with the next look: the line that was given out last may lie in it. */
static void
mark_done(struct tail *t, struct piece *p)
{
	if (t->spent != NULL && t->spent != p)
		logfile_stop(t->spent->file);
	p->is_done = true;
	t->spent = p;
}

/* Ends a file.  True where its last line, which has no newline, is to be given out: the
 * parser decides what it is worth. */
static bool
finish(struct tail *t, struct piece *p, struct line *line)
{
	bool torn = !p->is_done && logfile_rest(p->file, line);

	mark_done(t, p);
	if (!torn)
		return (false);
	t->torn++;
	line->file_no = p->no;
	return (true);
}

static void
lose(struct tail *t, uint64_t bytes, const char *name, const char *what)
{
	t->lost_bytes += bytes;
	err_set(&t->loss, "%s: %s", name, what);
}

/* ---- what was read before -------------------------------------------------------- */

/* The position is in this file, or in what it was made of; or behind all that a copy has of it. */
static bool
is_of(const struct file_pos *pos, const struct logfile *file, uint64_t *offset)
{
	*offset = pos->offset;
	if ((file_id_same(&pos->id, logfile_id(file)) || file_pos_is_telling(pos)) && logfile_holds(file, pos))
		return (true);
	*offset = logfile_end(file);
	return (logfile_is_short_of(file, pos));
}

/* How far a file was read by this stream already: true, and *offset.  A piece of which nothing
 * was read, or NULL, may be left out. */
static bool
was_read_but(const struct tail *t, const struct piece *but, const struct logfile *file, uint64_t *offset)
{
	size_t n = t->n_past < PAST_FILES ? t->n_past : PAST_FILES;

	for (size_t i = t->n_pieces; i-- > 0;) {
		const struct piece *p = t->pieces[i];

		if (p != but && is_of(&(struct file_pos){ *logfile_id(p->file), logfile_position(p->file) }, file, offset))
			return (true);
	}
	for (size_t i = 0; i < n; i++)
		if (is_of(&t->past[i], file, offset))
			return (true);
	for (size_t i = 0; i < t->n_wanted; i++)
		if (logfile_is_short_of(file, &t->wanted[i]))
			return (true);
	return (false);
}

static bool
was_read(const struct tail *t, const struct logfile *file, uint64_t *offset)
{
	return (was_read_but(t, NULL, file, offset));
}

/* Puts a file of the directory behind the row, to be read from an offset on. */
static void
append_generation(struct tail *t, struct generation *g, uint64_t offset)
{
	struct err err;
	struct piece *p;
	const char *packer = logfile_packer(g->file);
	uint64_t unused, size;

	if (packer != NULL && !logfile_is_gz(g->file)) {
		logfile_progress(g->file, &unused, &size);
		snprintf(err.msg, sizeof(err.msg), "is packed with %s and was not read yet: its lines are lost;"
		    " have logrotate use gzip, or delaycompress", packer);
		lose(t, size, g->name, err.msg);
		return;
	}
	if (!logfile_seek(g->file, offset, &err)) {
		lose(t, 0, g->name, err.msg);
		return;
	}
	p = append(t, g->file, g->name);
	p->is_begun = offset > 0;
	g->file = NULL;
}

static void
append_younger(struct tail *t, struct generations *gs, size_t from)
{
	uint64_t offset;

	for (size_t i = from; i < gs->count; i++)
		if (generations_is_part(gs, i) && !was_read(t, gs->items[i].file, &offset))
			append_generation(t, &gs->items[i], 0);
}

/* The live file, and others whose last write is later than a given time: where the one
 * before them is gone, and nothing better is known. */
static void
append_written_after(struct tail *t, struct generations *gs, int64_t after_ns)
{
	uint64_t offset;

	for (size_t i = 0; i < gs->count; i++) {
		bool live = gs->has_live && i + 1 == gs->count;

		if ((live || gs->items[i].mtime_ns > after_ns) && generations_is_part(gs, i) &&
		    !was_read(t, gs->items[i].file, &offset))
			append_generation(t, &gs->items[i], 0);
	}
}

/* ---- start ------------------------------------------------------------------------- */

/* The path to open, at which nothing is followed any more; NULL with err set.  Where the name is a
 * link, the owner made it to a file in one directory: who re-points it may not lead rpvd elsewhere. */
static const char *
target_of(struct tail *t, struct err *err)
{
	struct file_id unused;
	char *dir;

	if (!t->follow || t->is_replay)
		return (t->path);
	free(t->target);
	t->target = realpath(t->path, NULL);
	if (t->target == NULL) {
		if (file_id_of(&unused, t->path, true, err))
			err_set(err, "%s: was re-pointed just now", t->path);
		return (NULL);
	}
	dir = generations_dir(t->target, false);
	if (t->home == NULL)
		t->home = mem_strdup(dir);
	if (strcmp(dir, t->home) != 0) {
		err_set(err, "%s: refused, for its symbolic link leads to %s now, and led to %s when rpvd started; if you"
		    " made it, restart rpvd", t->path, dir, t->home);
		free(dir);
		return (NULL);
	}
	free(dir);
	return (t->target);
}

/* True where it can be read as this log; else err says why not. */
static bool
is_usable(const struct tail *t, const struct logfile *file, struct err *err)
{
	const char *packer = logfile_packer(file);

	if (packer == NULL || (t->is_replay && logfile_is_gz(file)))
		return (true);
	if (t->is_replay)
		err_set(err, "%s is packed with %s: unpack it first", t->path, packer);
	else
		err_set(err, "%s is packed with %s: the live log must be plain (nginx: access_log without gzip)",
		    t->path, packer);
	return (false);
}

/* The file of the name alone, in replay at the position that is of this file. */
static bool
start_plainly(struct tail *t)
{
	const char *target = target_of(t, &t->name_problem);
	struct logfile *file;
	uint64_t offset = 0;
	size_t resumed = 0;

	t->is_no_file = false;
	if (target == NULL)
		return (false);
	file = logfile_open(target, t->is_replay, &t->name_problem);
	t->is_no_file = file == NULL && errno == EINVAL;
	if (file == NULL)
		return (false);
	for (size_t i = 0; i < t->n_wanted; i++)
		if (logfile_holds(file, &t->wanted[i]) && t->wanted[i].id.head_len > 0) {
			offset = t->wanted[i].offset;
			resumed = i + 1;
		}
	if (!is_usable(t, file, &t->name_problem) || !logfile_seek(file, offset, &t->name_problem)) {
		logfile_close(&file);
		return (false);
	}
	append(t, file, t->path)->resumed = resumed;
	return (true);
}

/* A stream that was read before is known by its first bytes; what a sender said, by the feed's number. */
static bool
is_in_feed(const struct tail *t, const struct logfile *file, const struct file_pos *pos)
{
	if (feed_is_pipe(t->feed))
		return (pos->id.head_len > 0 && (logfile_holds(file, pos) || logfile_is_short_of(file, pos)));
	return (pos->id.ino == feed_id(t->feed) && pos->offset >= feed_begin(t->feed) && pos->offset <= feed_end(t->feed));
}

static bool
start_feed(struct tail *t)
{
	struct logfile *file = logfile_of_feed(t->feed);
	uint64_t offset = feed_begin(t->feed);
	size_t resumed = 0;

	for (size_t i = 0; i < t->n_wanted; i++)
		if (is_in_feed(t, file, &t->wanted[i])) {
			offset = t->wanted[i].offset;
			resumed = i + 1;
		} else if (t->wanted[i].id.ino == feed_id(t->feed) && t->wanted[i].offset < offset)
			lose(t, feed_begin(t->feed) - t->wanted[i].offset, t->path, "Redis forgot more of what came than is still in memory");
	if (!is_usable(t, file, &t->name_problem)) {
		logfile_close(&file);
		return (false);
	}
	if (!logfile_seek(file, offset, &t->name_problem)) {
		err_set(&t->name_problem, "%s begins as a stream of which %llu bytes are counted already, and ends before: nothing new",
		    t->path, (unsigned long long)offset);
		logfile_close(&file);
		return (false);
	}
	append(t, file, t->path)->resumed = resumed;
	return (true);
}

/* A pipe's first bytes say what it is: they are waited for. */
static bool
is_too_early(const struct tail *t)
{
	char head[HEAD_HASH_BYTES];
	ssize_t n;

	if (t->feed == NULL || !feed_is_pipe(t->feed) || feed_has_ended(t->feed) || feed_begin(t->feed) > 0)
		return (false);
	n = feed_read(t->feed, head, sizeof(head), 0);
	return (n >= 0 && n < (ssize_t)sizeof(head) && !feed_has_ended(t->feed));
}

static int
scan(struct tail *t, struct generations *gs)
{
	struct err err;
	const char *target = target_of(t, &err);

	*gs = (struct generations){ 0 };
	t->unseen = target == NULL || generations_scan(gs, target, false, &err) != 0;
	if (t->unseen) {
		t->name_problem = err;
		generations_free(gs);
		return (-1);
	}
	for (size_t i = 0; i < t->n_held; i++) {
		struct logfile *again = logfile_again(t->held[i], NULL);

		if (again != NULL)
			generations_add_held(gs, again);
	}
	return (0);
}

/* A position's file is not to be found.  Is that sure, or only so for now? */
static bool
is_surely_gone(struct tail *t, const struct generations *gs, const struct file_pos *pos)
{
	ptrdiff_t i = generations_find_id(gs, &pos->id);

	if (i >= 0 && gs->items[i].file == NULL) {
		snprintf(t->name_problem.msg, sizeof(t->name_problem.msg),
		    "%s: the log is to be read on in %s, which may not be read: give its group the right to", t->path,
		    gs->items[i].name);
		return (false);
	}
	/* An empty directory is more likely a disk that is not mounted yet. */
	if (!gs->has_live)
		t->name_problem = gs->live_err;
	return (gs->has_live);
}

static void
say_gone(struct tail *t, const struct generations *gs, const struct file_pos *pos)
{
	char what[256];
	bool truncated = generations_find_id(gs, &pos->id) >= 0;

	snprintf(what, sizeof(what), "the file read up to byte %llu %s; what followed there is lost,"
	    " the log goes on with the current file", (unsigned long long)pos->offset,
	    truncated ? "was emptied while rpvd was away, with no copy beside it" :
	    "is gone (deleted, packed other than with gzip, or moved to another directory)");
	lose(t, 0, t->path, what);
}

static void
forget_wanted(struct tail *t)
{
	for (size_t i = 0; i < t->n_held; i++)
		logfile_close(&t->held[i]);
	free(t->held);
	free(t->wanted);
	t->held = NULL;
	t->wanted = NULL;
	t->n_held = t->n_wanted = 0;
}

static bool
has_short_copy(const struct generations *gs, const struct file_pos *pos)
{
	for (size_t i = 0; i < gs->count; i++)
		if (gs->items[i].file != NULL && logfile_is_short_of(gs->items[i].file, pos))
			return (true);
	return (false);
}

/* Which file a position is in; -1: none, which is said. */
static ptrdiff_t
place(struct tail *t, const struct generations *gs, const struct file_pos *pos)
{
	ptrdiff_t at = generations_find(gs, pos, NULL), same = generations_find_id(gs, &pos->id);

	if (same >= 0 && same != at)
		t->truncations++;
	if (at < 0 && file_pos_is_telling(pos) && !has_short_copy(gs, pos))
		say_gone(t, gs, pos);
	return (at);
}

/* Up to which generation the log was read.  A file that was empty, or nearly so, cannot be told
 * from its truncated successor, so its position says nothing about that; the file before it,
 * which is kept in the positions until it has bytes (tail_release()), does. */
static ptrdiff_t
newest_read(const struct tail *t, const ptrdiff_t *at)
{
	ptrdiff_t newest = -1, newest_empty = -1;

	for (size_t i = 0; i < t->n_wanted; i++) {
		if (file_pos_is_telling(&t->wanted[i]) && at[i] > newest)
			newest = at[i];
		if (at[i] > newest_empty)
			newest_empty = at[i];
	}
	return (newest >= 0 ? newest : newest_empty);
}

/* Of two positions in one file the later counts: a truncated file and its copy, read on.  But that
 * of an empty file knows it by its inode only, which may be another's by now. */
static bool
is_superseded(const struct tail *t, const ptrdiff_t *at, size_t i)
{
	bool telling = file_pos_is_telling(&t->wanted[i]);

	for (size_t k = 0; k < t->n_wanted; k++)
		if (k != i && at[k] == at[i] && (file_pos_is_telling(&t->wanted[k]) == telling ? k > i : !telling))
			return (true);
	return (false);
}

/* An empty file is known by its inode alone where there are no birth times.  One that is compressed
 * now, or older than what was read before it, has the inode of a file that is gone. */
static bool
is_anothers_inode(const struct tail *t, const struct generations *gs, const ptrdiff_t *at, size_t i)
{
	if (at[i] < 0 || t->wanted[i].id.birth_ns != 0 || file_pos_is_telling(&t->wanted[i]))
		return (false);
	if (logfile_is_gz(gs->items[at[i]].file))
		return (true);
	for (size_t k = 0; k < i; k++)
		if (at[k] > at[i] && file_pos_is_telling(&t->wanted[k]))
			return (true);
	return (false);
}

static void
resume_at(struct tail *t, struct generations *gs)
{
	ptrdiff_t *at = mem_calloc(t->n_wanted, sizeof(*at)), newest;

	for (size_t i = 0; i < t->n_wanted; i++)
		at[i] = place(t, gs, &t->wanted[i]);
	for (size_t i = 0; i < t->n_wanted; i++)
		if (is_anothers_inode(t, gs, at, i))
			at[i] = -1;
	newest = newest_read(t, at);
	for (size_t i = 0; i < t->n_wanted; i++)
		if (at[i] >= 0 && at[i] <= newest && !is_superseded(t, at, i)) {
			size_t before = t->n_pieces;

			append_generation(t, &gs->items[at[i]], t->wanted[i].offset);
			if (t->n_pieces > before)
				last_piece(t)->resumed = i + 1;
		}
	free(at);
	if (newest >= 0 && gs->items[newest].is_rotated)
		append_younger(t, gs, (size_t)newest + 1);
	else if (newest >= 0)
		append_written_after(t, gs, gs->items[newest].mtime_ns);
	else
		/* No telling which of the others were read: rather lines lost than counted twice. */
		append_written_after(t, gs, INT64_MAX);
}

/* True where the row has a first piece now. */
static bool
start_at_positions(struct tail *t)
{
	struct generations gs;
	bool sure = true;

	if (scan(t, &gs) != 0)
		return (false);
	if (gs.has_live && !is_usable(t, gs.items[gs.count - 1].file, &t->name_problem)) {
		generations_free(&gs);
		return (false);
	}
	for (size_t i = 0; i < t->n_wanted && sure; i++)
		sure = generations_find(&gs, &t->wanted[i], NULL) >= 0 || is_surely_gone(t, &gs, &t->wanted[i]);
	if (sure) {
		resume_at(t, &gs);
		forget_wanted(t);
	}
	generations_free(&gs);
	return (t->n_pieces > 0);
}

static bool
start(struct tail *t)
{
	bool started = t->feed != NULL ? start_feed(t) :
	    t->n_wanted > 0 && !t->is_replay ? start_at_positions(t) : start_plainly(t);

	if (started) {
		forget_wanted(t);
		t->name_problem.msg[0] = '\0';
		t->next_look_ms = 0;	/* at its end: what it is followed by may be there, and may not be read */
		read_next(t, 0);
	}
	return (started);
}

/* ---- rotation and truncation --------------------------------------------------------- */

/* The name came back to a file that was read before (somebody undid a rotation). */
static void
append_returned(struct tail *t, struct generation *live, uint64_t offset)
{
	for (size_t i = 0; i < t->n_pieces; i++)
		if (file_id_same(logfile_id(t->pieces[i]->file), &live->id) && t->pieces[i] != t->reading)
			t->pieces[i]->is_done = true;
	append_generation(t, live, offset);
}

/* Another file has the name now: it, and what was rotated away in between, come next. */
static bool
extend(struct tail *t)
{
	struct piece *last = last_piece(t);
	struct file_pos end = { *logfile_id(last->file), logfile_position(last->file) };
	struct generations gs;
	struct generation *live;
	size_t before = t->n_pieces;
	uint64_t offset;
	ptrdiff_t at;

	if (scan(t, &gs) != 0)
		return (false);
	live = gs.has_live ? &gs.items[gs.count - 1] : NULL;
	if (live == NULL || !is_usable(t, live->file, &t->name_problem)) {
		if (live == NULL)
			t->name_problem = gs.live_err;
		generations_free(&gs);
		return (false);
	}
	at = generations_find_id(&gs, &end.id);
	if (at < 0)
		at = generations_find(&gs, &end, last->file);	/* compressed already */
	if (at >= 0 && gs.items[at].is_rotated)
		append_younger(t, &gs, (size_t)at + 1);
	else
		append_written_after(t, &gs, logfile_mtime_ns(last->file));
	if (live->file != NULL && was_read(t, live->file, &offset))
		append_returned(t, live, offset);
	if (t->n_pieces > before)
		last->looks = 0;
	t->name_problem.msg[0] = '\0';
	generations_free(&gs);
	return (t->n_pieces > before);
}

/* Looks which file has the name.  True where there is something new to read. */
static bool
look_at_name(struct tail *t)
{
	const struct piece *last = last_piece(t);
	const char *target;
	struct file_id id;

	if (last == NULL)
		return (start(t));
	if ((target = target_of(t, &t->name_problem)) == NULL || !file_id_of(&id, target, false, &t->name_problem))
		return (false);
	if (!file_id_same(&id, logfile_id(last->file)))
		return (extend(t));
	t->name_problem.msg[0] = '\0';
	return (false);
}

/* Index behind the newest file that was read of those older than index `end`, itself where none was. */
static size_t
behind_read(const struct tail *t, const struct piece *but, const struct generations *gs, size_t end)
{
	uint64_t offset;

	for (size_t i = end; i-- > 0;)
		if (gs->items[i].file != NULL && was_read_but(t, but, gs->items[i].file, &offset))
			return (i + 1);
	return (end);
}


static bool
append_copy(struct tail *t, struct generations *gs, size_t i, uint64_t offset)
{
	size_t before = t->n_pieces;

	append_generation(t, &gs->items[i], offset);
	if (t->n_pieces == before)
		return (false);
	last_piece(t)->is_fixed = true;
	return (true);
}

/* Copies between two indices of which nothing was read, but none of what is in the live file now: such
 * a one may be in the making, and is empty at first.  Where the live file was empty when it was opened
 * and has bytes now, nobody knows yet: on_first_bytes() looks again. */
static void
append_unread(struct tail *t, struct generations *gs, size_t from, size_t end, const struct logfile *live)
{
	bool is_empty = logfile_id(live)->head_len == 0;
	uint64_t offset;

	if (is_empty && logfile_end(live) > 0)
		return;
	for (size_t i = from; i < end; i++) {
		const struct logfile *file = gs->items[i].file;

		if (generations_is_part(gs, i) && logfile_id(file)->head_len > 0 &&
		    (is_empty || !logfile_shares_head(file, live)) && !was_read(t, file, &offset))
			append_copy(t, gs, i, 0);
	}
}

static size_t
index_of_own(const struct generations *gs, const struct piece *p)
{
	ptrdiff_t own = generations_find_id(gs, logfile_id(p->file));

	return (own >= 0 ? (size_t)own : gs->count);
}

/* The unread rest of a truncated file is in a copy, if logrotate made one: it goes on
 * there, through later copies, and then in the file itself, which begins anew. */
static bool
append_copies(struct tail *t, const struct piece *p, const struct logfile *again)
{
	struct file_pos pos = { *logfile_id(p->file), logfile_position(p->file) };
	struct generations gs;
	size_t own, from;
	ptrdiff_t at;

	if (scan(t, &gs) != 0)
		return (false);
	at = generations_find(&gs, &pos, p->file);
	own = index_of_own(&gs, p);
	from = at < 0 ? behind_read(t, NULL, &gs, own) : (size_t)at + 1;
	if (at < 0)
		t->lost_bytes += logfile_seen(p->file) - pos.offset;
	else if (append_copy(t, &gs, (size_t)at, pos.offset)) {
		last_piece(t)->resumed = p->resumed;
		last_piece(t)->continues = p->no;
	}
	append_unread(t, &gs, from, own, again);
	generations_free(&gs);
	return (true);
}

/* Numbers go up in the order of reading: for pieces of which nobody knows the number yet, since no
 * line of theirs was given out. */
static void
renumber(struct tail *t, size_t from)
{
	for (size_t i = from; i < t->n_pieces; i++)
		for (size_t k = i + 1; k < t->n_pieces; k++)
			if (t->pieces[k]->no < t->pieces[i]->no) {
				uint64_t no = t->pieces[k]->no;

				t->pieces[k]->no = t->pieces[i]->no;
				t->pieces[i]->no = no;
			}
}

/* Moves the pieces from `from` on to index `to`. */
static void
move_up(struct tail *t, size_t from, size_t to)
{
	size_t n = t->n_pieces - from;
	struct piece **moved = mem_dup(t->pieces + from, n * sizeof(*moved));

	memmove(t->pieces + to + n, t->pieces + to, (from - to) * sizeof(*moved));
	memcpy(t->pieces + to, moved, n * sizeof(*moved));
	free(moved);
	if (to <= t->current)
		t->current += n;
	renumber(t, t->current + 1);
}

/* A file that was rotated away meanwhile is no other case: copies and its new content
 * come behind it, before what follows.  False: not now, try again. */
static bool
on_truncated(struct tail *t, struct piece *p)
{
	struct logfile *again = logfile_again(p->file, &t->read_problem);
	size_t at = index_of(t, p), before = t->n_pieces;
	bool is_current = at == t->current;

	if (again == NULL || !append_copies(t, p, again)) {
		logfile_close(&again);
		return (false);
	}
	append(t, again, p->name);
	move_up(t, before, at + 1);
	t->truncations++;
	mark_done(t, p);
	if (is_current)
		read_next(t, at + 1);
	else
		t->reading = t->pieces[t->current];
	return (true);
}

/* A directory may let pass who knows a name, and show nobody what is in it. */
static bool
is_listable(const struct tail *t)
{
	char *dir = tail_dir(t);
	bool listable = faccessat(AT_FDCWD, dir, R_OK, AT_EACCESS) == 0;

	free(dir);
	return (listable);
}

/* A file that was empty has bytes, and they are in memory.  It may have been filled, copied and emptied
 * before them: no byte of its own tells, but a copy that nobody has read does.  False: not now, try again. */
static bool
on_first_bytes(struct tail *t, struct piece *p)
{
	size_t at = index_of(t, p), before = t->n_pieces, own;
	struct generations gs;

	if (scan(t, &gs) != 0 && is_listable(t))
		return (false);
	p->was_empty = false;
	if (t->unseen) {
		t->unseen = false;
		t->name_problem.msg[0] = '\0';
		return (true);
	}
	own = index_of_own(&gs, p);
	append_unread(t, &gs, behind_read(t, p, &gs, own), own, p->file);
	generations_free(&gs);
	if (t->n_pieces == before)
		return (true);
	move_up(t, before, at);
	renumber(t, at);
	t->truncations++;
	read_next(t, at);
	return (true);
}

/* A dead handle: the same file, opened again, goes on where it was. */
static bool
reopen(struct tail *t, struct piece *p)
{
	struct file_pos pos = { *logfile_id(p->file), logfile_position(p->file) };
	struct generations gs;
	struct logfile *file;
	ptrdiff_t at;

	if (scan(t, &gs) != 0)
		return (false);
	at = generations_find(&gs, &pos, NULL);
	if (at >= 0 && logfile_seek(gs.items[at].file, pos.offset, &t->read_problem)) {
		file = gs.items[at].file;
		gs.items[at].file = p->file;	/* closed with the rest */
		p->file = file;
	} else
		at = -1;
	generations_free(&gs);
	return (at >= 0);
}

/* ---- reading ---------------------------------------------------------------------------- */

enum step { STEP_ON, STEP_LINE, STEP_WAIT, STEP_END };

static void
note_look(struct piece *p, int64_t now_ms)
{
	uint64_t seen = logfile_seen(p->file);

	if (p->looks == 0 || seen != p->seen) {
		p->looks = 0;
		p->idle_since_ms = now_ms;
	}
	p->seen = seen;
	p->was_empty = seen == 0;
	p->looks++;
}

static bool
is_idle(const struct piece *p, int64_t now_ms, int64_t for_ms)
{
	return (p->looks >= 2 && now_ms - p->idle_since_ms >= for_ms);
}


/* The file behind it has bytes: whoever writes has gone on to it. */
static bool
is_succeeded(const struct tail *t, size_t i)
{
	return (i + 2 < t->n_pieces || (i + 1 < t->n_pieces && logfile_seen(t->pieces[i + 1]->file) > 0));
}

/* Nobody has written to it for long, and the file behind it is in use. */
static bool
is_left(const struct tail *t, const struct piece *p)
{
	uint64_t offset, size;
	struct timespec now;

	logfile_progress(t->pieces[t->current + 1]->file, &offset, &size);
	if (size == 0)
		return (false);
	clock_gettime(CLOCK_REALTIME, &now);
	return (logfile_mtime_ns(p->file) / 1000000 + t->times.grace_ms < (int64_t)now.tv_sec * 1000);
}

/* The current file is at its end; may the next one be begun?  Without delay where it can be told: while
 * this log waits, the others of its site are read further, and what it has then is late. */
static bool
may_go_on(const struct tail *t, const struct piece *p, int64_t now_ms)
{
	if (t->current + 1 == t->n_pieces)
		return (false);
	return (p->is_fixed || t->current + 2 < t->n_pieces || t->pieces[t->current + 1]->is_begun ||
	    is_idle(p, now_ms, t->times.switch_ms) || is_left(t, p));
}

/* Nothing more is to be expected from a rotated file. */
static bool
is_over(const struct tail *t, const struct piece *p, int64_t now_ms)
{
	return (is_idle(p, now_ms, t->times.grace_ms) && is_succeeded(t, index_of(t, p)));
}

/* The first rotated file from index i on that may bring late lines, else the current one. */
static struct piece *
late_from(const struct tail *t, size_t i)
{
	while (i < t->current && t->pieces[i]->is_done)
		i++;
	return (t->pieces[i]);
}

static enum step
at_end_of_late(struct tail *t, struct piece *p, struct line *line, int64_t now_ms)
{
	bool torn = is_over(t, p, now_ms) && finish(t, p, line);

	t->reading = late_from(t, index_of(t, p) + 1);
	return (torn ? STEP_LINE : STEP_ON);
}

static enum step
at_end_of_current(struct tail *t, struct piece *p, struct line *line, int64_t now_ms)
{
	if (may_go_on(t, p, now_ms)) {
		read_next(t, t->current + 1);
		return (p->is_fixed && finish(t, p, line) ? STEP_LINE : STEP_ON);
	}
	if (now_ms < t->next_look_ms)
		return (STEP_WAIT);
	t->next_look_ms = now_ms + t->times.look_ms;
	if (look_at_name(t))
		return (STEP_ON);
	t->reading = late_from(t, 0);
	return (t->reading != p ? STEP_ON : STEP_WAIT);
}

static enum step
at_end(struct tail *t, struct piece *p, struct line *line, int64_t now_ms)
{
	t->read_problem.msg[0] = '\0';
	note_look(p, now_ms);
	if (t->is_replay) {
		t->is_ended = true;
		return (finish(t, p, line) ? STEP_LINE : STEP_END);
	}
	if (p != t->pieces[t->current])
		return (at_end_of_late(t, p, line, now_ms));
	return (at_end_of_current(t, p, line, now_ms));
}

/* A cut or corrupt gzip file: its last, incomplete line is dropped. */
static enum step
at_damage(struct tail *t, struct piece *p, const struct err *err, struct line *line, int64_t now_ms)
{
	char what[300];

	snprintf(what, sizeof(what), "%.150s: what came before was read, the rest is lost; see gzip -t", err->msg);
	lose(t, logfile_rest(p->file, line) ? line->len : 0, p->name, what);
	mark_done(t, p);
	return (at_end(t, p, line, now_ms));
}

static enum step
at_trouble(struct tail *t, struct piece *p, enum logfile_state state, const struct err *err)
{
	if (t->is_replay) {
		t->is_ended = true;
		err_set(&t->loss, "%s: %s: the rest was not read", t->path,
		    state == LOGFILE_TRUNCATED ? "was truncated while it was read" : err->msg);
		return (STEP_END);
	}
	if (state == LOGFILE_TRUNCATED)
		return (on_truncated(t, p) ? STEP_ON : STEP_WAIT);
	err_set(&t->read_problem, "%s: %s; rpvd tries again", t->path, err->msg);
	if (state == LOGFILE_STALE && reopen(t, p))
		return (STEP_ON);
	/* Others may be readable: a late file's trouble does not hold the live one up. */
	t->reading = t->pieces[t->current];
	return (STEP_WAIT);
}

static enum step
step(struct tail *t, struct line *line, int64_t now_ms)
{
	struct piece *p = t->reading;
	struct err err = { "" };
	enum logfile_state state;

	if (p->was_empty && !p->is_done && p == t->pieces[t->current] && logfile_look(p->file) && !on_first_bytes(t, p))
		return (STEP_WAIT);
	p = t->reading;
	state = p->is_done ? LOGFILE_EOF : logfile_next(p->file, line, &err);
	switch (state) {
	case LOGFILE_LINE:
		p->looks = 0;
		line->file_no = p->no;
		return (STEP_LINE);
	case LOGFILE_WAIT:
		return (STEP_WAIT);
	case LOGFILE_EOF:
		return (at_end(t, p, line, now_ms));
	case LOGFILE_DAMAGED:
		return (at_damage(t, p, &err, line, now_ms));
	default:
		return (at_trouble(t, p, state, &err));
	}
}

static enum step
first_step(struct tail *t, int64_t now_ms)
{
	if (is_too_early(t))
		return (STEP_WAIT);
	if (t->is_replay)
		return (start(t) ? STEP_ON : STEP_END);
	if (now_ms < t->next_look_ms)
		return (STEP_WAIT);
	t->next_look_ms = now_ms + t->times.look_ms;
	return (start(t) ? STEP_ON : STEP_WAIT);
}

/* What tail_next() does when there is no line in memory. */
static enum tail_state
look(struct tail *t, struct line *line)
{
	static const enum tail_state states[] = {
		[STEP_LINE] = TAIL_LINE, [STEP_WAIT] = TAIL_WAIT, [STEP_END] = TAIL_END
	};
	int64_t now_ms = t->times.now_ms();
	enum step got = STEP_ON;

	if (t->spent != NULL)
		logfile_stop(t->spent->file);
	t->spent = NULL;
	if (t->is_ended)
		return (TAIL_END);
	while (got == STEP_ON)
		got = t->reading != NULL ? step(t, line, now_ms) : first_step(t, now_ms);
	return (states[got]);
}

enum tail_state
tail_next(struct tail *t, struct line *line)
{
	if (t->reading != NULL && !t->reading->was_empty && logfile_take(t->reading->file, line)) {
		line->file_no = t->reading->no;
		return (TAIL_LINE);
	}
	return (look(t, line));
}

/* ---- before anything runs ------------------------------------------------------------------- */

int
tail_check(const char *path, struct err *err)
{
	struct tail t = { .path = mem_strdup(path) };
	struct logfile *file = logfile_open(path, true, err);
	int rc = file == NULL ? (errno == EINVAL ? -1 : 0) : is_usable(&t, file, err) ? 0 : -1;

	logfile_close(&file);
	free(t.path);
	return (rc);
}

/* ---- the owner's side ----------------------------------------------------------------------- */

struct tail *
tail_open(const char *path, bool replay)
{
	struct tail *t = mem_calloc(1, sizeof(*t));
	struct stat st;

	t->path = mem_strdup(path);
	t->is_replay = replay;
	t->follow = replay || (lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
	t->times = (struct tail_times){ 200, 1000, 60000, monotonic_ms };
	return (t);
}

struct tail *
tail_open_feed(const char *name, struct feed *feed)
{
	struct tail *t = tail_open(name, feed_is_pipe(feed));

	t->feed = feed_share(feed);
	return (t);
}

bool
tail_is_feed(const struct tail *t)
{
	return (t->feed != NULL);
}

void
tail_set_times(struct tail *t, const struct tail_times *times)
{
	must(times->look_ms > 0);
	t->times = *times;
	if (t->times.now_ms == NULL)
		t->times.now_ms = monotonic_ms;
}

void
tail_close(struct tail **tp)
{
	struct tail *t = *tp;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_pieces; i++)
		piece_free(t, t->pieces[i]);
	forget_wanted(t);
	feed_free(&t->feed);
	free(t->pieces);
	free(t->path);
	free(t->target);
	free(t->home);
	free(t);
	*tp = NULL;
}

void
tail_resume(struct tail *t, const struct file_pos *positions, size_t n)
{
	struct logfile **held = mem_calloc(t->n_held + t->n_pieces + 1, sizeof(struct logfile *));
	size_t n_held = 0;

	for (size_t i = 0; i < t->n_held; i++)
		held[n_held++] = t->held[i];
	for (size_t i = 0; i < t->n_pieces; i++) {
		if ((held[n_held] = logfile_again(t->pieces[i]->file, NULL)) != NULL)
			n_held++;
		piece_free(t, t->pieces[i]);
	}
	t->n_held = 0;
	forget_wanted(t);
	t->held = held;
	t->n_held = n_held;
	t->wanted = mem_dup(positions, n * sizeof(*positions));
	t->n_wanted = n;
	t->n_pieces = t->current = t->n_past = 0;
	t->reading = t->spent = NULL;
	t->next_look_ms = 0;
	t->is_ended = false;
}

const struct file_id *
tail_file(const struct tail *t, uint64_t file_no)
{
	const struct piece *p = piece_by_no(t, file_no);

	return (p != NULL ? logfile_id(p->file) : NULL);
}

/* Whether a file behind this one could be told from others by its bytes.  Before that, this
 * one is what a later start finds its place by. */
static bool
has_bytes_behind(const struct tail *t, size_t i)
{
	while (++i < t->n_pieces) {
		const struct logfile *f = t->pieces[i]->file;

		if (file_pos_is_telling(&(struct file_pos){ *logfile_id(f), logfile_position(f) }))
			return (true);
	}
	return (false);
}

bool
tail_resumed(const struct tail *t, uint64_t file_no, size_t *which)
{
	const struct piece *p = piece_by_no(t, file_no);

	if (p == NULL || p->resumed == 0)
		return (false);
	*which = p->resumed - 1;
	return (true);
}

uint64_t
tail_continued(const struct tail *t, uint64_t file_no)
{
	const struct piece *p = piece_by_no(t, file_no);

	return (p != NULL ? p->continues : 0);
}

void
tail_release(struct tail *t, uint64_t file_no)
{
	size_t kept = 0, current = t->current;

	for (size_t i = 0; i < t->n_pieces; i++) {
		struct piece *p = t->pieces[i];

		if (i >= t->current || p->no >= file_no || !p->is_done || p == t->spent || !has_bytes_behind(t, i)) {
			t->pieces[kept++] = p;
			continue;
		}
		t->past[t->n_past++ % PAST_FILES] =
		    (struct file_pos){ *logfile_id(p->file), logfile_position(p->file) };
		piece_free(t, p);
		current--;
	}
	t->n_pieces = kept;
	t->current = current;
}

void
tail_release_bytes(struct tail *t, uint64_t offset)
{
	if (t->feed != NULL && !feed_is_pipe(t->feed))
		feed_release(t->feed, offset);
}

bool
tail_files(const struct tail *t, uint64_t *first, uint64_t *last)
{
	*first = UINT64_MAX;
	*last = 0;
	for (size_t i = 0; i < t->n_pieces; i++) {
		if (t->pieces[i]->no < *first)
			*first = t->pieces[i]->no;
		if (t->pieces[i]->no > *last)
			*last = t->pieces[i]->no;
	}
	return (t->n_pieces > 0);
}

bool
tail_position(const struct tail *t, uint64_t file_no, struct file_pos *pos)
{
	const struct piece *p = piece_by_no(t, file_no);

	if (p == NULL)
		return (false);
	*pos = (struct file_pos){ *logfile_id(p->file), logfile_position(p->file) };
	return (true);
}

void
tail_status(const struct tail *t, struct tail_status *s)
{
	const struct err *problem = t->name_problem.msg[0] != '\0' ? &t->name_problem :
	    t->read_problem.msg[0] != '\0' ? &t->read_problem : &t->loss;
	uint64_t overlong, nul_bytes;

	*s = (struct tail_status){
		.waiting_for_file = t->name_problem.msg[0] != '\0', .is_no_file = t->is_no_file,
		.stuck = t->read_problem.msg[0] != '\0' || t->unseen ||
		    (t->name_problem.msg[0] != '\0' && !t->is_no_file && (access(t->path, R_OK) == 0 || errno != ENOENT)),
		.truncations = t->truncations, .overlong = t->overlong,
		.nul_bytes = t->nul_bytes, .torn = t->torn, .lost_bytes = t->lost_bytes,
	};
	snprintf(s->problem, sizeof(s->problem), "%.*s", (int)sizeof(s->problem) - 1, problem->msg);
	for (size_t i = 0; i < t->n_pieces; i++) {
		logfile_counts(t->pieces[i]->file, &overlong, &nul_bytes);
		s->overlong += overlong;
		s->nul_bytes += nul_bytes;
	}
	for (size_t i = 0; i < t->n_pieces; i++) {
		uint64_t offset, size;

		logfile_progress(t->pieces[i]->file, &offset, &size);
		if (i == t->current && t->pieces[i]->is_done)
			s->offset = s->size = size;
		if (t->pieces[i]->is_done)
			continue;
		s->behind += size > offset ? size - offset : 0;
		s->stuck = s->stuck || (i > t->current && size > offset);
		if (i == t->current) {
			s->offset = offset;
			s->size = size;
		}
	}
}

const char *
tail_path(const struct tail *t)
{
	return (t->path);
}

char *
tail_dir(const struct tail *t)
{
	return (t->feed == NULL ? generations_dir(t->path, t->follow) : NULL);
}
