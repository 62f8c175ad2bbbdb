/*
 * total: a site's totals, a row for each window.
 */
#include <hiredis/hiredis.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"

static const struct column columns[] = {
	{ "visits", "visits", COLUMN_PLAIN },
	{ "orders", "orders", COLUMN_ORDERS },
	{ "revenue", "revenue", COLUMN_PLAIN },
	{ "rpv", "rpv", COLUMN_RPV },
	{ "conv", "conversion_rate", COLUMN_PERCENT },
	{ "aov", "aov", COLUMN_AOV },
	{ "sales", "sales", COLUMN_PLAIN },
	{ "sold", "sales_orders", COLUMN_PLAIN },
	{ "coverage", "coverage", COLUMN_PERCENT },
	{ "unattributed", "unattributed", COLUMN_PLAIN },
};

/* With and without the visits that look like a machine's, and what speaks against these. */
static const struct column evidence[] = {
	{ "lenient", "visits_lenient", COLUMN_PLAIN },
	{ "rpv", "rpv_lenient", COLUMN_RPV },
	{ "strict", "visits_strict", COLUMN_PLAIN },
	{ "rpv", "rpv_strict", COLUMN_RPV },
	{ "robots", "evidence_robots", COLUMN_IF_ANY },
	{ "no_assets", "evidence_no_assets", COLUMN_IF_ANY },
	{ "rate", "evidence_rate", COLUMN_IF_ANY },
	{ "errors", "evidence_errors", COLUMN_IF_ANY },
	{ "hosting", "evidence_hosting", COLUMN_IF_ANY },
};

/* Nothing where nothing speaks against any visit. */
static void
write_evidence(const struct figures *figures, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < figures->count; i++)
		any |= strcmp(ctl_number(figures->rows[i].hash, "visits_lenient"), ctl_number(figures->rows[i].hash, "visits_strict")) != 0;
	if (!any)
		return;
	buf_puts(out, "\nWith (lenient) and without (strict) the visits that look like a machine's:\n\n");
	figures_write(figures, "window", evidence, N_ELEM(evidence), out);
}

static void
add_json(json_t *list, const char *window, const redisReply *hash, const struct partial *partial)
{
	json_t *row = json_object();

	json_object_set_new(row, "window", json_text(slice_of(window)));
	json_fields(row, hash);
	if (ctl_is_partial(partial, window))
		json_object_set_new(row, "figures_since", json_text(slice_of(partial->since)));
	json_array_append_new(list, row);
}

/* The windows that are there; *status is CTL_NOTHING where none is. */
static void
read_windows(struct ctl *ctl, struct figures *figures, enum ctl_exit *status)
{
	bool all = ctl->opt.window == NULL || strcmp(ctl->opt.window, "all") == 0;

	*status = CTL_NOTHING;
	for (size_t i = 0; i < (all ? ctl->n_windows : 1); i++) {
		const char *window = all ? ctl->windows[i] : ctl->opt.window;
		enum ctl_exit one;
		redisReply *hash;
		struct buf series = { 0 };

		buf_printf(&series, "%s:total", window);
		hash = ctl_hash(ctl, buf_view(&series), &one);
		buf_free(&series);
		if (hash != NULL) {
			figures_add(figures, slice_of(window), hash);
			*status = CTL_OK;
		} else if (one == CTL_REDIS) {
			*status = one;
			return;
		}
	}
}

static void
write_json(const struct ctl *ctl, const struct figures *figures, const struct partial *partial, struct buf *out)
{
	json_t *object = json_object(), *list = json_array();

	for (size_t i = 0; i < figures->count; i++)
		add_json(list, figures->rows[i].name.p, figures->rows[i].hash, partial);
	json_object_set_new(object, "site", json_text(slice_of(ctl->site)));
	if (ctl->currency[0] != '\0')
		json_object_set_new(object, "currency", json_text(slice_of(ctl->currency)));
	json_object_set_new(object, "windows", list);
	json_write(object, out);
}

enum ctl_exit
ctl_total(struct ctl *ctl, struct buf *out)
{
	struct figures figures = { 0 };
	struct partial partial = { "", "" };
	enum ctl_exit status;

	read_windows(ctl, &figures, &status);
	if (status == CTL_OK)
		ctl_partial(ctl, &partial);
	if (status == CTL_OK && ctl->opt.json)
		write_json(ctl, &figures, &partial, out);
	else if (status == CTL_OK) {
		figures_head(ctl, "totals", figures.rows[0].hash, out);
		figures_write(&figures, "window", columns, N_ELEM(columns), out);
		write_evidence(&figures, out);
		ctl_put_partial(&partial, ctl->opt.window != NULL && strcmp(ctl->opt.window, "all") != 0 ? ctl->opt.window : NULL, out);
	}
	figures_free(&figures);
	return (status);
}
