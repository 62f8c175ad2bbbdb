/*
 * hit_w3c: the W3C's extended log format, as IIS and CloudFront write it.
 *
 * A line "#Fields:" names the columns of those that follow, and may come again with others
 * in the middle of a file: so a line says nothing without the last of them above it, which
 * whoever seeks in a file has to find first (format_header_set()).
 *
 * IIS parts columns by a blank and writes blanks in a value as +; CloudFront parts them by a
 * tab and has values percent-encoded.  Both write UTC.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"
#include "core/page.h"

#define COLUMNS_MAX 128
#define DATE_LEN 10

enum role { ROLE_NONE, ROLE_FIELD, ROLE_DATE, ROLE_TIME };

struct columns {
	struct { enum role role; enum field field; } list[COLUMNS_MAX];
	size_t n;			/* 0: no #Fields line was seen */
	unsigned how;
	char date[DATE_LEN];		/* of a #Date line; it counts where no column has it */
	char stamp[STAMP_MAX + 1];	/* date and time, where they do not stand side by side */
	struct buf header;		/* the lines that led here */
};

/* ---- the header ------------------------------------------------------------------- */

static void
column_add(struct format *f, struct slice name, const struct name *from[FIELDS])
{
	struct columns *c = f->columns;
	char text[NAME_MAX_BYTES];
	const struct name *is = names_find(f->names, slice_make(text, name_normalise(name, text, sizeof(text))));
	size_t i = c->n++;

	c->list[i].role = slice_is(name, "date") ? ROLE_DATE : slice_is(name, "time") ? ROLE_TIME : ROLE_NONE;
	c->list[i].field = FIELD_SKIP;
	if (is == NULL || (from[is->field] != NULL && from[is->field] <= is))
		return;
	for (size_t k = 0; k < i; k++)	/* the better name of two for one field */
		if (c->list[k].role == ROLE_FIELD && c->list[k].field == is->field)
			c->list[k].role = ROLE_NONE;
	from[is->field] = is;
	c->list[i].role = ROLE_FIELD;
	c->list[i].field = is->field;
}

static void
fields_read(struct format *f, struct slice names)
{
	const struct name *from[FIELDS] = { NULL };

	f->columns->n = 0;
	f->columns->how = 0;
	while (names.len > 0 && f->columns->n < COLUMNS_MAX) {
		struct slice name = slice_cut(&names, slice_find(names, '\t') >= 0 ? '\t' : ' ');

		if (name.len > 0)
			column_add(f, name, from);
	}
	for (size_t i = 0; i < FIELDS; i++)
		if (from[i] != NULL)
			f->columns->how |= from[i]->how;
}

/* What is to be said again elsewhere, for lines to be read as they are from here on. */
static void
header_keep(struct columns *c, struct slice fields)
{
	struct buf header = { 0 };

	buf_put(&header, fields.p, fields.len);
	if (c->date[0] != '\0')
		buf_printf(&header, "\n#Date: %.*s", DATE_LEN, c->date);
	buf_free(&c->header);
	c->header = header;
}

static void
header_line(struct format *f, struct slice line)
{
	struct columns *c = f->columns;
	struct slice kept = buf_view(&c->header);

	if (slice_starts(line, SLICE("#Fields:"))) {
		fields_read(f, slice_skip(line, strlen("#Fields:")));
		header_keep(c, line);
	} else if (slice_starts(line, SLICE("#Date: ")) && line.len >= strlen("#Date: ") + DATE_LEN) {
		memcpy(c->date, line.p + strlen("#Date: "), DATE_LEN);
		header_keep(c, slice_cut(&kept, '\n'));
	}
}

struct slice
format_header(const struct format *f)
{
	return (f->columns != NULL ? buf_view(&f->columns->header) : SLICE(""));
}

void
format_header_set(struct format *f, struct slice header)
{
	if (f->columns == NULL)
		return;
	f->columns->n = 0;
	f->columns->date[0] = '\0';
	f->columns->header.len = 0;
	while (header.len > 0)
		header_line(f, slice_cut(&header, '\n'));
}

bool
format_has_header(const struct format *f)
{
	return (f->columns != NULL);
}

bool
format_lacks_header(const struct format *f, struct slice line)
{
	int64_t ms;

	if (f->columns == NULL || f->columns->n > 0 || line.len < 20)
		return (false);
	return (f->detector == NULL || (line.p[4] == '-' && line.p[10] != 'T' && hit_time_utc(slice_make(line.p, 19), &ms)));
}

/* ---- values ------------------------------------------------------------------------- */

static void
plus_undo(char *line, struct slice *s)
{
	char *p = line + (s->p - line);

	for (size_t i = 0; i < s->len; i++)
		if (p[i] == '+')
			p[i] = ' ';
}

static void
percent_undo(char *line, struct slice *s)
{
	if (slice_find(*s, '%') >= 0)
		s->len = percent_decode(*s, false, line + (s->p - line));
}

/* %2520 stands for %20: CloudFront encodes the percent sign of what was encoded already. */
static void
percent_fold(char *line, struct slice *s)
{
	char *from = line + (s->p - line), *to = from, *end = from + s->len;

	if (slice_find(*s, '%') < 0)
		return;
	while (from < end) {
		bool twice = end - from >= 5 && from[0] == '%' && from[1] == '2' && from[2] == '5' && hex_digit(from[3]) >= 0 &&
		    hex_digit(from[4]) >= 0;

		*to++ = *from;
		from += twice ? 3 : 1;
	}
	s->len = (size_t)(to - s->p);
}

static void
undo_escapes(char *line, struct cut *cut, bool tabs)
{
	struct slice *agent = &cut->field[FIELD_AGENT];

	if (!tabs) {
		plus_undo(line, agent);
		return;
	}
	percent_undo(line, agent);
	if (slice_find(*agent, ' ') < 0)
		percent_undo(line, agent);	/* older files have agents encoded twice */
	percent_undo(line, &cut->field[FIELD_REFERRER]);
	percent_undo(line, &cut->field[FIELD_COOKIES]);
	percent_undo(line, &cut->field[FIELD_FORWARDED]);
	percent_fold(line, &cut->field[FIELD_TARGET]);
	percent_fold(line, &cut->field[FIELD_ARGS]);
}

/* ---- lines -------------------------------------------------------------------------- */

static void
time_join(struct columns *c, struct cut *cut, struct slice date, struct slice time)
{
	size_t n = 0;

	if (date.len > 0 && time.p == date.p + date.len + 1) {
		cut->field[FIELD_TIME] = slice_make(date.p, date.len + 1 + time.len);
		return;
	}
	if (date.len == 0)
		date = slice_make(c->date, DATE_LEN);
	if (time.len == 0 || time.len > STAMP_MAX - DATE_LEN - 1 || date.len != DATE_LEN || date.p[0] == '\0')
		return;
	memcpy(c->stamp, date.p, DATE_LEN);
	n = DATE_LEN;
	c->stamp[n++] = ' ';
	memcpy(c->stamp + n, time.p, time.len);
	cut->field[FIELD_TIME] = slice_make(c->stamp, n + time.len);
}

/* In quotes, as some write all values, it may have the separator in it.  *more: there is another behind it. */
static struct slice
take_value(struct slice *rest, char separator, bool *more)
{
	struct slice value = *rest;
	const char *end = rest->p + rest->len;

	if (rest->len > 1 && rest->p[0] == '"')
		for (const char *at = rest->p + 1; (at = byte_near(at, end, '"')) != NULL; at++)
			if (at + 1 == end || at[1] == separator) {
				value = slice_make(rest->p + 1, (size_t)(at - rest->p) - 1);
				*more = at + 1 < end;
				*rest = slice_skip(*rest, (size_t)(at + 1 - rest->p) + (*more ? 1 : 0));
				return (value);
			}
	*more = slice_find(*rest, separator) >= 0;
	return (slice_cut(rest, separator));
}

/* False where the line has more or fewer columns than the header names. */
static bool
cut_columns(struct columns *c, struct slice rest, char separator, struct cut *cut)
{
	struct slice date = { rest.p, 0 }, time = { rest.p, 0 };

	for (size_t i = 0; i < c->n; i++) {
		bool more;
		struct slice value = take_value(&rest, separator, &more);

		if (more != (i + 1 < c->n))
			return (false);
		if (c->list[i].role == ROLE_FIELD)
			cut->field[c->list[i].field] = value;
		else if (c->list[i].role == ROLE_DATE)
			date = value;
		else if (c->list[i].role == ROLE_TIME)
			time = value;
	}
	time_join(c, cut, date, time);
	return (true);
}

enum hit_drop
w3c_line(struct format *f, char *line, size_t len, struct cut *cut)
{
	bool tabs = memchr(line, '\t', len) != NULL;
	int64_t ms;

	if (line[0] == '#') {
		header_line(f, slice_make(line, len));
		return (HIT_EMPTY);
	}
	if (f->columns->n == 0 || !cut_columns(f->columns, slice_make(line, len), tabs ? '\t' : ' ', cut))
		return (HIT_MALFORMED);
	cut->how = f->columns->how;
	if (slice_find(cut->field[FIELD_TARGET], '?') >= 0)
		cut->how &= ~(unsigned)HOW_PATH;
	cut->time = hit_time_utc;
	if (hit_time_utc(cut->field[FIELD_TIME], &ms))
		undo_escapes(line, cut, tabs);
	return (HIT_OK);
}

void
w3c_compile(struct format *f)
{
	f->read = w3c_line;
	f->names = names_new(NAMES_W3C, f);
	f->columns = mem_calloc(1, sizeof(*f->columns));
	format_has_all(f);
}

void
columns_free(struct columns **cp)
{
	if (*cp == NULL)
		return;
	buf_free(&(*cp)->header);
	free(*cp);
	*cp = NULL;
}
