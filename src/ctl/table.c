/*
 * table: see table.h.
 */
#include "ctl/table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

#define GAP 2				/* blanks between columns */

struct table {
	size_t columns, count, cap;
	struct buf *cells;		/* row after row, the heads first; already safe */
};

void
table_safe(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x20 && c <= 0x7e)
			buf_putc(out, (char)c);
		else
			buf_printf(out, "\\x%02x", c);
	}
}

/* The tail has the odd byte: the end of a path says more than its beginning. */
static void
cut_middle(struct buf *out, struct slice text, size_t width)
{
	size_t keep = width > 3 ? width - 3 : 0, head = keep / 2;

	if (text.len <= width) {
		buf_put(out, text.p, text.len);
		return;
	}
	buf_put(out, text.p, head);
	buf_puts(out, "...");
	buf_put(out, text.p + text.len - (keep - head), keep - head);
}

void
table_cut(struct buf *out, struct slice text, size_t width)
{
	struct buf safe = { 0 };

	table_safe(&safe, text);
	cut_middle(out, buf_view(&safe), width);
	buf_free(&safe);
}

struct table *
table_new(const char *const *heads, size_t columns)
{
	struct table *t = mem_calloc(1, sizeof(*t));

	must(columns > 0);
	t->columns = columns;
	for (size_t i = 0; i < columns; i++)
		table_text(t, heads[i]);
	return (t);
}

void
table_free(struct table **tp)
{
	struct table *t = *tp;

	if (t == NULL)
		return;
	*tp = NULL;
	for (size_t i = 0; i < t->count; i++)
		buf_free(&t->cells[i]);
	free(t->cells);
	free(t);
}

void
table_cell(struct table *t, struct slice text)
{
	mem_grow(&t->cells, &t->cap, t->count + 1, sizeof(*t->cells));
	t->cells[t->count] = (struct buf){ 0 };
	table_safe(&t->cells[t->count++], text);
}

void
table_text(struct table *t, const char *text)
{
	table_cell(t, slice_of(text));
}

static size_t
column_width(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < t->count; i += t->columns)
		if (t->cells[i].len > width)
			width = t->cells[i].len;
	return (width);
}

/* How many columns fit beside a name of the least width, and what is left for the name. */
static size_t
fit_columns(const struct table *t, size_t width, size_t *name)
{
	size_t full = column_width(t, 0), least = full < TABLE_NAME_MIN ? full : TABLE_NAME_MIN;
	size_t used = 0, n = 1;

	for (; n < t->columns; n++) {
		size_t more = GAP + column_width(t, n);

		if (least + used + more > width)
			break;
		used += more;
	}
	*name = width > used + least ? width - used : least;
	if (*name > full)
		*name = full;
	return (n);
}

static void
put_blanks(struct buf *out, size_t n)
{
	for (; n > 0; n--)
		buf_putc(out, ' ');
}

static void
write_row(const struct buf *cells, size_t columns, const size_t *widths, struct buf *out)
{
	size_t start = out->len;

	cut_middle(out, buf_view(&cells[0]), widths[0]);
	put_blanks(out, columns > 1 ? widths[0] - (out->len - start) : 0);
	for (size_t i = 1; i < columns; i++) {
		put_blanks(out, GAP + widths[i] - cells[i].len);
		buf_put(out, cells[i].p, cells[i].len);
	}
	buf_putc(out, '\n');
}

void
table_write(const struct table *t, size_t width, struct buf *out)
{
	size_t *widths = mem_calloc(t->columns, sizeof(*widths)), columns;

	must(t->count % t->columns == 0);
	columns = fit_columns(t, width, &widths[0]);
	for (size_t i = 1; i < columns; i++)
		widths[i] = column_width(t, i);
	for (size_t i = 0; i < t->count; i += t->columns)
		write_row(&t->cells[i], columns, widths, out);
	free(widths);
}

void
table_count(struct buf *out, uint64_t n, const char *one, const char *many)
{
	buf_printf(out, "%" PRIu64 " %s", n, n == 1 ? one : many);
}
