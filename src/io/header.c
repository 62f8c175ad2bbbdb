/*
 * header: see header.h.
 */
#include "io/header.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/generations.h"
#include "io/logfile.h"

#define FILES_KEPT 8			/* late lines of an older file may come between */

struct place {				/* how far a file was read, and what holds there */
	uint64_t file_no, end;
	struct buf header;
	bool was_looked_for;
};

struct headers {
	struct place places[FILES_KEPT];
	struct place *now;		/* NULL: anywhere */
	size_t next;			/* which place to give up first */
};

struct headers *
headers_new(const struct format *f)
{
	return (format_has_header(f) ? mem_calloc(1, sizeof(struct headers)) : NULL);
}

void
headers_free(struct headers **hp)
{
	if (*hp == NULL)
		return;
	for (size_t i = 0; i < FILES_KEPT; i++)
		buf_free(&(*hp)->places[i].header);
	free(*hp);
	*hp = NULL;
}

void
headers_forget(struct headers *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < FILES_KEPT; i++) {
		h->places[i].file_no = h->places[i].end = 0;
		h->places[i].was_looked_for = false;
		h->places[i].header.len = 0;
	}
	h->now = NULL;
}

/* ---- by what was read ----------------------------------------------------------- */

static void
keep(struct buf *to, struct slice header)
{
	to->len = 0;
	buf_put(to, header.p, header.len);
}

static struct place *
place_of(struct headers *h, uint64_t file_no)
{
	for (size_t i = 0; i < FILES_KEPT; i++)
		if (h->places[i].end > 0 && h->places[i].file_no == file_no)
			return (&h->places[i]);
	return (NULL);
}

static struct place *
place_new(struct headers *h, uint64_t file_no)
{
	struct place *p = &h->places[h->next++ % FILES_KEPT];

	p->file_no = file_no;
	p->header.len = 0;
	p->was_looked_for = false;
	return (p);
}

/* A new file without a header of its own goes on with that of the one before it. */
static void
go_to(struct headers *h, struct format *f, const struct line *line)
{
	struct place *from = h->now, *to = place_of(h, line->file_no);
	bool goes_on = from != NULL && line->offset == 0 && line->file_no > from->file_no;

	if (from != NULL)
		keep(&from->header, format_header(f));
	if (to != NULL && line->offset >= to->end)
		format_header_set(f, buf_view(&to->header));
	else if (!goes_on)
		format_header_set(f, SLICE(""));
	h->now = to != NULL ? to : place_new(h, line->file_no);
}

void
headers_place(struct headers *h, struct format *f, const struct line *line)
{
	if (h == NULL)
		return;
	if (h->now == NULL || h->now->file_no != line->file_no || line->offset < h->now->end)
		go_to(h, f, line);
	h->now->end = line->end;
}

/* ---- on disk ----------------------------------------------------------------------- */

/* What the header lines of a file up to an offset leave, put to *header. */
static void
read_file(struct logfile *file, uint64_t until, struct format *f, struct buf *header)
{
	struct line line;
	struct err err;
	struct hit hit;

	format_header_set(f, SLICE(""));
	while (logfile_next(file, &line, &err) == LOGFILE_LINE && line.end <= until)
		if (line.len > 0 && line.p[0] == '#')
			hit_parse(f, line.p, line.len, &hit);
	keep(header, format_header(f));
}

static bool
is_link(const char *path)
{
	struct stat st;

	return (lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
}

/* In the file of the line, and then in those before it, youngest first. */
static void
search(struct format *f, const struct tail *tail, const struct line *line, struct buf *header)
{
	const char *path = tail_path(tail);
	const struct file_id *id = tail_file(tail, line->file_no);
	struct file_pos pos = { .offset = line->offset };
	struct generations gs = { 0 };
	struct err err;
	ptrdiff_t i = -1;

	if (id != NULL && generations_scan(&gs, path, is_link(path), &err) == 0) {
		pos.id = *id;
		i = generations_find_id(&gs, id);
		if (i < 0)
			i = generations_find(&gs, &pos, NULL);
	}
	for (uint64_t until = line->offset; i >= 0 && header->len == 0; i--, until = UINT64_MAX)
		if (gs.items[i].file != NULL && generations_is_part(&gs, (size_t)i))
			read_file(gs.items[i].file, until, f, header);
	generations_free(&gs);
}

bool
headers_find(struct headers *h, struct format *f, const struct tail *tail, const struct line *line)
{
	struct buf header = { 0 };
	bool found;

	if (h == NULL || h->now->was_looked_for || !format_lacks_header(f, slice_make(line->p, line->len)))
		return (false);
	h->now->was_looked_for = true;
	search(f, tail, line, &header);
	format_header_set(f, buf_view(&header));
	found = header.len > 0;
	buf_free(&header);
	return (found);
}
