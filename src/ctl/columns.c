/*
 * columns: see columns.h.
 */
#include "ctl/columns.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

#define COLUMNS_MAX 16

void
figures_free(struct figures *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free((char *)f->rows[i].name.p);
		freeReplyObject(f->rows[i].hash);
		if (f->rows[i].more != NULL)
			freeReplyObject(f->rows[i].more);
	}
	free(f->rows);
	*f = (struct figures){ 0 };
}

void
figures_add(struct figures *f, struct slice name, redisReply *hash)
{
	mem_grow(&f->rows, &f->cap, f->count + 1, sizeof(*f->rows));
	f->rows[f->count++] = (struct figures_row){ { mem_strndup(name.p, name.len), name.len }, hash, NULL };
}

const char *
figures_field(const struct figures_row *row, const char *field)
{
	const char *value = ctl_field(row->hash, field);

	return (value == NULL && row->more != NULL ? ctl_field(row->more, field) : value);
}

static const char *
figures_number(const struct figures_row *row, const char *field)
{
	const char *value = figures_field(row, field);

	return (value != NULL ? value : "0");
}

void
figures_head(const struct ctl *ctl, const char *what, const redisReply *hash, struct buf *out)
{
	const char *updated = ctl_field(hash, "updated"), *currency = ctl_field(hash, "currency");
	struct buf line = { 0 };

	if (currency == NULL)
		currency = ctl->currency;
	buf_printf(&line, "%s: %s", ctl->site, what);
	if (currency[0] != '\0')
		buf_printf(&line, ", %s", currency);
	if (updated != NULL) {
		buf_puts(&line, ", figures of ");
		ctl_put_time(&line, updated);
	}
	table_cut(out, buf_view(&line), ctl_width());
	buf_puts(out, "\n\n");
	buf_free(&line);
}

/* "0", "0.00", "0.0000" */
static bool
is_zero(const char *value)
{
	return (value[strspn(value, "-0.")] == '\0');
}

static bool
is_whole(const char *value)
{
	const char *point = strchr(value, '.');

	return (point == NULL || is_zero(point));
}

static bool
all_rows(const struct figures *f, const char *field, bool (*claim)(const char *))
{
	for (size_t i = 0; i < f->count; i++)
		if (!claim(figures_number(&f->rows[i], field)))
			return (false);
	return (true);
}

static void
add_cell(struct table *t, const struct column *column, bool whole, const char *value)
{
	struct buf b = { 0 };

	switch (column->form) {
	case COLUMN_PLAIN:
	case COLUMN_IF_ANY:
		buf_puts(&b, value);
		break;
	case COLUMN_ORDERS:
		buf_put(&b, value, whole ? strcspn(value, ".") : strlen(value));
		break;
	case COLUMN_RPV:
		ctl_put_number(&b, "%.4f", 1, value);
		break;
	case COLUMN_AOV:
		ctl_put_number(&b, "%.2f", 1, value);
		break;
	case COLUMN_PERCENT:
		ctl_put_number(&b, "%.2f%%", 100, value);
		break;
	}
	table_cell(t, buf_view(&b));
	buf_free(&b);
}

void
figures_write(const struct figures *f, const char *name_head, const struct column *columns, size_t n, struct buf *out)
{
	const struct column *shown[COLUMNS_MAX];
	const char *heads[COLUMNS_MAX + 1] = { name_head };
	bool whole[COLUMNS_MAX];
	struct table *t;
	size_t count = 0;

	must(n <= COLUMNS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (columns[i].form == COLUMN_IF_ANY && all_rows(f, columns[i].field, is_zero))
			continue;
		whole[count] = all_rows(f, columns[i].field, is_whole);
		shown[count] = &columns[i];
		heads[++count] = columns[i].head;
	}
	t = table_new(heads, count + 1);
	for (size_t i = 0; i < f->count; i++) {
		table_cell(t, f->rows[i].name);
		for (size_t j = 0; j < count; j++)
			add_cell(t, shown[j], whole[j], shown[j]->form == COLUMN_IF_ANY && figures_field(&f->rows[i], shown[j]->field) == NULL ?
			    "" : figures_number(&f->rows[i], shown[j]->field));
	}
	table_write(t, ctl_width(), out);
	table_free(&t);
}
