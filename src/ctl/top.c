/*
 * top: the series of a dimension that earn, attract or are worth the most.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/json.h"

#define LIMIT_DEFAULT 20
#define LIMIT_LEAST 3
#define LINES_AROUND 5			/* head, blank, column heads, total, prompt */

/* Those that have touches have attribution models; what bots fetch earns nothing. */
static const struct dimension { const char *name; bool has_models, of_bots; } dimensions[] = {
	{ "landing", false, false }, { "page", false, false }, { "source", true, false }, { "channel", true, false },
	{ "campaign", true, false }, { "country", false, false }, { "device", false, false },
	{ "bot", false, true }, { "bot_page", false, true },
};

/* The zset of DIM is by revenue, the others have a suffix. */
static const struct { const char *name, *suffix; } sorts[] = {
	{ "revenue", "" }, { "rpv", "@rpv" }, { "visits", "@visits" },
};

static const struct column columns[] = {
	{ "visits", "visits", COLUMN_PLAIN },
	{ "orders", "orders", COLUMN_ORDERS },
	{ "revenue", "revenue", COLUMN_PLAIN },
	{ "rpv", "rpv", COLUMN_RPV },
	{ "conversion", "conversion_rate", COLUMN_PERCENT },
	{ "aov", "aov", COLUMN_AOV },
	{ "recurring", "recurring", COLUMN_IF_ANY },
	/* Of a page, beside its visits: what bots fetched of it. */
	{ "search", "search", COLUMN_IF_ANY },
	{ "crawlers", "ai_crawler", COLUMN_IF_ANY },
	{ "assistants", "ai_assistant", COLUMN_IF_ANY },
};

static const struct column bot_columns[] = {
	{ "fetches", "fetches", COLUMN_PLAIN },
	{ "pages", "pages", COLUMN_PLAIN },
	{ "errors", "errors", COLUMN_PLAIN },
}, bot_page_columns[] = {
	{ "fetches", "fetches", COLUMN_PLAIN },
	{ "search", "search", COLUMN_PLAIN },
	{ "crawlers", "ai_crawler", COLUMN_PLAIN },
	{ "assistants", "ai_assistant", COLUMN_PLAIN },
};

struct question {
	const char *dimension, *window, *sort, *suffix;
	bool of_bots;
	const char *model;		/* NULL: the site's default */
	long limit;
};

static enum ctl_exit
ask_dimension(struct ctl *ctl, struct question *q)
{
	const char *name = ctl->opt.operand != NULL ? ctl->opt.operand : ctl->opt.by != NULL ? ctl->opt.by : "source";

	if (ctl->opt.operand != NULL && ctl->opt.by != NULL) {
		err_set(&ctl->err, "%s and --by %s: which?", ctl->opt.operand, ctl->opt.by);
		return (CTL_USAGE);
	}
	for (size_t i = 0; i < N_ELEM(dimensions); i++)
		if (strcmp(dimensions[i].name, name) == 0) {
			q->dimension = name;
			q->of_bots = dimensions[i].of_bots;
			if (ctl->opt.model == NULL || dimensions[i].has_models)
				return (CTL_OK);
			err_set(&ctl->err, "%s has no attribution models; source, channel and campaign have", name);
			return (CTL_USAGE);
		}
	err_set(&ctl->err, "there is no dimension %s; there are: landing, page, source, channel, campaign, country, device, bot, bot_page", name);
	return (CTL_USAGE);
}

static enum ctl_exit
ask_sort(struct ctl *ctl, struct question *q)
{
	const char *name = ctl->opt.sort != NULL ? ctl->opt.sort : sorts[0].name;

	if (q->of_bots) {
		q->sort = "fetches";
		q->suffix = "";
		if (ctl->opt.sort == NULL || strcmp(ctl->opt.sort, q->sort) == 0)
			return (CTL_OK);
		err_set(&ctl->err, "%s has no visits and no revenue: it is sorted by fetches", q->dimension);
		return (CTL_USAGE);
	}
	for (size_t i = 0; i < N_ELEM(sorts); i++)
		if (strcmp(sorts[i].name, name) == 0) {
			q->sort = name;
			q->suffix = sorts[i].suffix;
			return (CTL_OK);
		}
	err_set(&ctl->err, "--sort is revenue, rpv or visits");
	return (CTL_USAGE);
}

/* The series of the default model have no suffix. */
static enum ctl_exit
ask_model(struct ctl *ctl, struct question *q)
{
	struct buf list = { 0 };

	if (ctl->opt.model == NULL || (ctl->model != NULL && strcmp(ctl->opt.model, ctl->model) == 0))
		return (CTL_OK);
	for (enum conf_model m = 0; m < CONF_MODELS; m++) {
		if (strcmp(ctl->opt.model, conf_model_name(m)) == 0) {
			q->model = ctl->opt.model;
			buf_free(&list);
			return (CTL_OK);
		}
		buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", conf_model_name(m));
	}
	err_set(&ctl->err, "--model is one of: %.*s", SLICE_FMT(buf_view(&list)));
	buf_free(&list);
	return (CTL_USAGE);
}

/* As many rows as asked for; else 20, but no more than the terminal can show. */
static long
ask_limit(const struct ctl *ctl)
{
	long room = (long)ctl_height() - LINES_AROUND;

	if (ctl->opt.limit > 0)
		return (ctl->opt.limit);
	if (ctl_height() == 0 || room > LIMIT_DEFAULT)
		return (LIMIT_DEFAULT);
	return (room > LIMIT_LEAST ? room : LIMIT_LEAST);
}

static enum ctl_exit
ask(struct ctl *ctl, struct question *q)
{
	enum ctl_exit status;

	*q = (struct question){ .window = ctl->opt.window != NULL ? ctl->opt.window : ctl_usual_window(ctl), .limit = ask_limit(ctl) };
	if ((status = ask_dimension(ctl, q)) != CTL_OK || (status = ask_sort(ctl, q)) != CTL_OK)
		return (status);
	return (ask_model(ctl, q));
}

/* "24h:source", "24h:source.first" */
static void
series_name(const struct question *q, struct buf *out)
{
	buf_printf(out, "%s:%s", q->window, q->dimension);
	if (q->model != NULL)
		buf_printf(out, ".%s", q->model);
}

/* The names in their order, or NULL. */
static redisReply *
read_names(struct ctl *ctl, const struct question *q)
{
	struct buf series = { 0 }, key = { 0 };
	char last[24];

	snprintf(last, sizeof(last), "%ld", q->limit - 1);
	series_name(q, &series);
	buf_puts(&series, q->suffix);
	ctl_key(ctl, buf_view(&series), &key);
	ctl_send(ctl, 4, (struct slice[]){ SLICE("ZREVRANGE"), buf_view(&key), SLICE("0"), slice_of(last) });
	buf_free(&series);
	buf_free(&key);
	return (ctl_receive(ctl));
}

/* Asks for the hash of one value of the dimension. */
static void
send_name(struct ctl *ctl, const struct question *q, struct slice value)
{
	struct buf series = { 0 }, key = { 0 };

	series_name(q, &series);
	buf_putc(&series, ':');
	buf_put(&series, value.p, value.len);
	ctl_key(ctl, buf_view(&series), &key);
	ctl_send(ctl, 2, (struct slice[]){ SLICE("HGETALL"), buf_view(&key) });
	buf_free(&series);
	buf_free(&key);
}

static void
send_names(struct ctl *ctl, const struct question *q, const redisReply *names)
{
	for (size_t i = 0; i < names->elements; i++)
		send_name(ctl, q, slice_make(names->element[i]->str, names->element[i]->len));
}

/* What bots fetched of the pages that people see. */
static enum ctl_exit
read_fetches(struct ctl *ctl, const struct question *q, struct figures *rows)
{
	const struct question fetches = { .dimension = "bot_page", .window = q->window };

	for (size_t i = 0; i < rows->count; i++)
		send_name(ctl, &fetches, rows->rows[i].name);
	for (size_t i = 0; i < rows->count; i++)
		if ((rows->rows[i].more = ctl_receive(ctl)) == NULL)
			return (CTL_REDIS);
	return (CTL_OK);
}

/* A series may have left the window since its name was read: then it is left out. */
static enum ctl_exit
read_rows(struct ctl *ctl, const struct question *q, struct figures *rows)
{
	redisReply *names = read_names(ctl, q);
	enum ctl_exit status = CTL_OK;

	if (names == NULL)
		return (CTL_REDIS);
	send_names(ctl, q, names);
	for (size_t i = 0; i < names->elements && status == CTL_OK; i++) {
		redisReply *hash = ctl_receive(ctl);

		if (hash == NULL)
			status = CTL_REDIS;
		else if (hash->elements > 0)
			figures_add(rows, slice_make(names->element[i]->str, names->element[i]->len), hash);
		else
			freeReplyObject(hash);
	}
	freeReplyObject(names);
	if (status == CTL_OK && strcmp(q->dimension, "page") == 0)
		status = read_fetches(ctl, q, rows);
	return (status);
}

static void
write_json(const struct ctl *ctl, const struct question *q, const struct figures *rows, const redisReply *total,
    const struct partial *partial, struct buf *out)
{
	json_t *object = json_object(), *list = json_array(), *sum = json_object();

	for (size_t i = 0; i < rows->count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "value", json_text(rows->rows[i].name));
		json_fields(row, rows->rows[i].hash);
		if (rows->rows[i].more != NULL && rows->rows[i].more->elements > 0) {
			json_t *fetched = json_object();

			json_fields(fetched, rows->rows[i].more);
			json_object_set_new(row, "bots", fetched);
		}
		json_array_append_new(list, row);
	}
	json_fields(sum, total);
	json_object_set_new(object, "site", json_text(slice_of(ctl->site)));
	json_object_set_new(object, "window", json_text(slice_of(q->window)));
	json_object_set_new(object, "dimension", json_text(slice_of(q->dimension)));
	if (q->model != NULL)
		json_object_set_new(object, "model", json_text(slice_of(q->model)));
	json_object_set_new(object, "sort", json_text(slice_of(q->sort)));
	if (ctl->currency[0] != '\0')
		json_object_set_new(object, "currency", json_text(slice_of(ctl->currency)));
	if (ctl_is_partial(partial, q->window))
		json_object_set_new(object, "figures_since", json_text(slice_of(partial->since)));
	json_object_set_new(object, "rows", list);
	json_object_set_new(object, "total", sum);
	json_write(object, out);
}

/* Takes total: the last row, but of what bots fetch. */
static void
write_table(const struct ctl *ctl, const struct question *q, struct figures *rows, redisReply *total, struct buf *out)
{
	struct buf what = { 0 };

	buf_printf(&what, "%s by %s%s%s, last %s", q->dimension, q->sort, q->model != NULL ? ", model " : "",
	    q->model != NULL ? q->model : "", q->window);
	buf_putc(&what, '\0');
	figures_head(ctl, what.p, total, out);
	if (q->of_bots) {
		bool of_page = strcmp(q->dimension, "bot_page") == 0;

		freeReplyObject(total);
		figures_write(rows, q->dimension, of_page ? bot_page_columns : bot_columns,
		    of_page ? N_ELEM(bot_page_columns) : N_ELEM(bot_columns), out);
	} else {
		figures_add(rows, SLICE("total"), total);
		figures_write(rows, q->dimension, columns, N_ELEM(columns), out);
	}
	buf_free(&what);
}

static enum ctl_exit
no_model(struct ctl *ctl, const struct question *q)
{
	err_set(&ctl->err, "site %s has no %s of model %s in %s; of its default model there is, without --model",
	    ctl->site, q->dimension, q->model, q->window);
	return (CTL_NOTHING);
}

enum ctl_exit
ctl_top(struct ctl *ctl, struct buf *out)
{
	struct figures rows = { 0 };
	struct buf series = { 0 };
	struct partial partial = { "", "" };
	redisReply *total = NULL;
	struct question q;
	enum ctl_exit status;

	if ((status = ask(ctl, &q)) != CTL_OK)
		return (status);
	buf_printf(&series, "%s:total", q.window);
	total = ctl_hash(ctl, buf_view(&series), &status);
	buf_free(&series);
	if (total == NULL)
		return (status);
	status = read_rows(ctl, &q, &rows);
	if (status == CTL_OK && rows.count == 0 && q.model != NULL)
		status = no_model(ctl, &q);
	if (status == CTL_OK)
		ctl_partial(ctl, &partial);
	if (status == CTL_OK && !ctl->opt.json) {
		write_table(ctl, &q, &rows, total, out);
		ctl_put_partial(&partial, q.window, out);
		total = NULL;
	} else if (status == CTL_OK)
		write_json(ctl, &q, &rows, total, &partial, out);
	if (total != NULL)
		freeReplyObject(total);
	figures_free(&rows);
	return (status);
}
