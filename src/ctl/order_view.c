/*
 * order_view: see order_view.h.
 */
#include "ctl/order_view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "core/credit.h"
#include "core/window.h"
#include "ctl/json.h"
#include "ctl/table.h"

#define SOURCE_WIDTH 24			/* in a table */
#define COLUMNS_MAX 12

/* ---- names ---------------------------------------------------------------- */

void
series_names_free(struct series_names *names)
{
	char *name;

	for (size_t i = 0; (name = map64_next(&names->by_number, &i, NULL)) != NULL;)
		free(name);
	map64_free(&names->by_number);
}

void
series_names_put(struct series_names *names, uint32_t number, struct slice name)
{
	free(map64_get(&names->by_number, number));
	map64_put(&names->by_number, number, mem_strndup(name.p, name.len));
}

const char *
series_name(const struct series_names *names, uint32_t number)
{
	const char *name = map64_get(&names->by_number, number);

	if (number == SERIES_NONE)
		return ("(unknown)");
	return (name != NULL ? name : "(other)");
}

/* ---- what an order says ---------------------------------------------------- */

struct order_sums
order_sums(const struct order *o)
{
	struct order_sums s = { o->paid ? o->total : 0, order_refunded(o), order_lost(o), 0 };

	if (s.paid > s.refunded + s.disputed)
		s.net = s.paid - s.refunded - s.disputed;
	return (s);
}

const char *
order_join(const struct order *o)
{
	if (!o->paid)
		return ("unpaid");
	return (o->how == JOIN_NONE && o->waiting ? "waiting" : join_name(o->how));
}

/* What of the amount each touch has by the model. */
static void
split(const struct order *o, int model, int64_t amount, int64_t parts[TOUCHES_MAX])
{
	uint64_t weights[TOUCHES_MAX];

	credit_weights(model, o->touches, o->n_touches, o->time_ms, weights);
	credit_split(amount, weights, o->n_touches, parts);
}

/* The first touch of each source that the model credits. */
static size_t
credited(const struct order *o, int model, size_t touches[TOUCHES_MAX])
{
	int64_t parts[TOUCHES_MAX];
	size_t n = 0;

	if (o->n_touches == 0)
		return (0);
	split(o, model, ORDER_ONE, parts);
	for (size_t i = 0; i < o->n_touches; i++) {
		bool again = parts[i] == 0;

		for (size_t k = 0; k < n; k++)
			again |= o->touches[touches[k]].source == o->touches[i].source;
		if (!again)
			touches[n++] = i;
	}
	return (n);
}

/* Taken back out of a damaged record it might be anything; a split wants no debts. */
static bool
has_credit(const struct order *o)
{
	return (o->counted && o->counted_joined && o->n_touches > 0 && o->counted_net >= 0);
}

static void
put_time(struct buf *out, const char *format, int64_t time_ms, bool local)
{
	time_t seconds = (time_t)(time_ms / 1000);
	char text[64];
	struct tm tm;

	if ((local ? localtime_r(&seconds, &tm) : gmtime_r(&seconds, &tm)) != NULL &&
	    strftime(text, sizeof(text), format, &tm) > 0)
		buf_puts(out, text);
}

/* ---- JSON ------------------------------------------------------------------ */

static json_t *
json_money(int64_t minor, struct currency currency)
{
	char text[32];

	money_format(minor, currency, text);
	return (json_string(text));
}

static json_t *
json_time(int64_t time_ms)
{
	struct buf b = { 0 };
	json_t *value;

	put_time(&b, "%Y-%m-%dT%H:%M:%SZ", time_ms, false);
	value = json_stringn(b.p, b.len);
	buf_free(&b);
	return (value);
}

static json_t *
json_parts(const struct order *o, const struct part *parts, size_t n, bool disputes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *part = json_object();

		/* A dispute that was won before it was told has no amount yet. */
		json_object_set_new(part, "amount", parts[i].amount < 0 ? json_null() : json_money(parts[i].amount, o->currency));
		if (disputes)
			json_object_set_new(part, "won", json_boolean(parts[i].won));
		json_array_append_new(list, part);
	}
	return (list);
}

static json_t *
json_offers(const struct order *o)
{
	json_t *offers = json_object();

	json_object_set_new(offers, "visitor", json_boolean(o->visitors[0] != 0 || o->visitors[1] != 0));
	json_object_set_new(offers, "tokens", json_integer((json_int_t)o->n_tokens));
	json_object_set_new(offers, "ip_ua", json_boolean(o->agents[0] != 0 || o->agents[1] != 0));
	json_object_set_new(offers, "customer", json_boolean(o->customer != 0));
	return (offers);
}

static json_t *
json_touch(const struct order_shop *shop, const struct touch *t)
{
	json_t *touch = json_object();

	json_object_set_new(touch, "start", json_time(t->start_ms));
	json_object_set_new(touch, "source", json_text(slice_of(series_name(&shop->names, t->source))));
	json_object_set_new(touch, "channel", json_text(slice_of(series_name(&shop->names, t->channel))));
	json_object_set_new(touch, "campaign", json_text(slice_of(series_name(&shop->names, t->campaign))));
	json_object_set_new(touch, "direct", json_boolean(t->is_direct));
	json_object_set_new(touch, "share", json_object());
	if (shop->currency.code[0] != '\0')
		json_object_set_new(touch, "credit", json_object());
	return (touch);
}

/* "share": of the order; "credit": of what stands in the figures. */
static void
json_model(const struct order_shop *shop, const struct order *o, int model, json_t *touches)
{
	const char *name = conf_model_name((enum conf_model)model);
	int64_t ones[TOUCHES_MAX], nets[TOUCHES_MAX] = { 0 };

	split(o, model, ORDER_ONE, ones);
	if (has_credit(o))
		split(o, model, o->counted_net, nets);
	for (size_t i = 0; i < o->n_touches; i++) {
		json_t *touch = json_array_get(touches, i), *credit = json_object_get(touch, "credit");

		json_object_set_new(json_object_get(touch, "share"), name, json_real((double)ones[i] / (double)ORDER_ONE));
		if (credit != NULL)
			json_object_set_new(credit, name, json_money(nets[i], shop->currency));
	}
}

static json_t *
json_touches(const struct order_shop *shop, const struct order *o)
{
	json_t *touches = json_array();

	for (size_t i = 0; i < o->n_touches; i++)
		json_array_append_new(touches, json_touch(shop, &o->touches[i]));
	for (int model = 0; model < CONF_MODELS && o->n_touches > 0; model++)
		json_model(shop, o, model, touches);
	return (touches);
}

static json_t *
json_sources(const struct order_shop *shop, const struct order *o)
{
	size_t touches[TOUCHES_MAX], n = credited(o, shop->model, touches);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_text(slice_of(series_name(&shop->names, o->touches[touches[i]].source))));
	return (list);
}

static json_t *
json_figures(const struct order_shop *shop, const struct order *o)
{
	json_t *figures;

	if (!o->counted || shop->currency.code[0] == '\0')
		return (json_null());
	figures = json_object();
	json_object_set_new(figures, "currency", json_string(shop->currency.code));
	json_object_set_new(figures, "paid", json_money(o->counted_gross, shop->currency));
	json_object_set_new(figures, "net", json_money(o->counted_net, shop->currency));
	json_object_set_new(figures, "attributed", json_boolean(o->counted_joined));
	json_object_set_new(figures, "recurring", json_boolean(o->counted_recurring));
	return (figures);
}

static void
json_amounts(json_t *object, const struct order *o)
{
	struct order_sums sums = order_sums(o);

	json_object_set_new(object, "currency", json_string(o->currency.code));
	json_object_set_new(object, "paid", json_money(sums.paid, o->currency));
	json_object_set_new(object, "refunded", json_money(sums.refunded, o->currency));
	json_object_set_new(object, "disputed", json_money(sums.disputed, o->currency));
	json_object_set_new(object, "net", json_money(sums.net, o->currency));
	json_object_set_new(object, "tax", json_money(o->tax, o->currency));
	json_object_set_new(object, "shipping", json_money(o->shipping, o->currency));
	json_object_set_new(object, "refunds", json_parts(o, o->refunds, o->n_refunds, false));
	json_object_set_new(object, "refunded_running_total", json_money(o->cumulative, o->currency));
	json_object_set_new(object, "disputes", json_parts(o, o->disputes, o->n_disputes, true));
}

json_t *
order_json(const struct order_shop *shop, const struct order *o)
{
	json_t *object = json_object();

	json_object_set_new(object, "provider", json_text(o->provider));
	json_object_set_new(object, "id", json_text(o->id));
	json_object_set_new(object, "time", o->paid ? json_time(o->time_ms) : json_null());
	json_amounts(object, o);
	json_object_set_new(object, "recurring", json_boolean(o->recurring));
	json_object_set_new(object, "unconverted", json_boolean(o->unconverted));
	json_object_set_new(object, "offers", json_offers(o));
	json_object_set_new(object, "join", json_string(join_name(o->how)));
	json_object_set_new(object, "waiting", json_boolean(o->how == JOIN_NONE && (o->waiting || !o->paid)));
	json_object_set_new(object, "visit_start", o->how != JOIN_NONE && !o->erased ? json_time(o->visit.start_ms) : json_null());
	json_object_set_new(object, "forgotten", json_boolean(o->erased));
	json_object_set_new(object, "sources", json_sources(shop, o));
	json_object_set_new(object, "touches", json_touches(shop, o));
	json_object_set_new(object, "in_figures", json_figures(shop, o));
	return (object);
}

/* ---- a table of orders ------------------------------------------------------ */

enum column { COL_ORDER, COL_TIME, COL_CURRENCY, COL_PAID, COL_REFUNDED, COL_DISPUTED, COL_NET, COL_JOIN, COL_SOURCE, COL_VISIT, COLS };

static const char *const column_heads[COLS] = {
	"order", "time", "", "paid", "refunded", "disputed", "net", "join", "source", "visit",
};

static void
put_money(struct buf *out, int64_t minor, struct currency currency)
{
	char text[32];

	money_format(minor, currency, text);
	buf_puts(out, text);
}

/* The first source, and how many more: the table cuts names only. */
static void
put_sources(struct buf *out, const struct order_shop *shop, const struct order *o)
{
	size_t touches[TOUCHES_MAX], n = credited(o, shop->model, touches);

	if (n > 0)
		table_cut(out, slice_of(series_name(&shop->names, o->touches[touches[0]].source)), SOURCE_WIDTH);
	if (n > 1)
		buf_printf(out, " +%zu", n - 1);
}

static void
put_cell(struct buf *b, const struct order_shop *shop, const struct order *o, enum column column)
{
	struct order_sums sums = order_sums(o);

	switch (column) {
	case COL_ORDER: buf_printf(b, "%.*s:%.*s", SLICE_FMT(o->provider), SLICE_FMT(o->id)); break;
	case COL_TIME: if (o->paid) put_time(b, "%Y-%m-%d %H:%M", o->time_ms, true); break;
	case COL_CURRENCY: buf_puts(b, o->currency.code); break;
	case COL_PAID: put_money(b, sums.paid, o->currency); break;
	case COL_REFUNDED: put_money(b, sums.refunded, o->currency); break;
	case COL_DISPUTED: put_money(b, sums.disputed, o->currency); break;
	case COL_NET: put_money(b, sums.net, o->currency); break;
	case COL_JOIN: buf_puts(b, order_join(o)); break;
	case COL_SOURCE: put_sources(b, shop, o); break;
	case COL_VISIT: if (o->how != JOIN_NONE && !o->erased) put_time(b, "%m-%d %H:%M", o->visit.start_ms, true); break;
	case COLS: break;
	}
	if (b->len == 0)
		buf_putc(b, '-');
}

/* Most listings have one currency, and few have refunds: what says nothing takes no room. */
static bool
wants_column(struct order *const *orders, size_t n, enum column column)
{
	bool wanted = false;

	for (size_t i = 0; i < n; i++)
		switch (column) {
		case COL_CURRENCY: wanted |= !currency_equal(orders[i]->currency, orders[0]->currency); break;
		case COL_REFUNDED: wanted |= order_refunded(orders[i]) > 0; break;
		case COL_DISPUTED: wanted |= order_lost(orders[i]) > 0; break;
		default: return (true);
		}
	return (wanted);
}

static void
orders_head(const struct order_shop *shop, struct order *const *orders, size_t n, size_t width, struct buf *out)
{
	struct buf line = { 0 };

	buf_printf(&line, "%s: %zu order%s", shop->site, n, n == 1 ? "" : "s, the latest first");
	if (!wants_column(orders, n, COL_CURRENCY))
		buf_printf(&line, ", %s", orders[0]->currency.code);
	buf_printf(&line, ", source by %s", conf_model_name((enum conf_model)shop->model));
	table_cut(out, buf_view(&line), width);
	buf_puts(out, "\n\n");
	buf_free(&line);
}

void
orders_write(const struct order_shop *shop, struct order *const *orders, size_t n, size_t width, struct buf *out)
{
	const char *heads[COLUMNS_MAX];
	enum column shown[COLUMNS_MAX];
	size_t columns = 0;
	struct table *t;

	must(n > 0);
	for (enum column c = 0; c < COLS; c++)
		if (wants_column(orders, n, c)) {
			shown[columns] = c;
			heads[columns++] = column_heads[c];
		}
	orders_head(shop, orders, n, width, out);
	t = table_new(heads, columns);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < columns; k++) {
			struct buf b = { 0 };

			put_cell(&b, shop, orders[i], shown[k]);
			table_cell(t, buf_view(&b));
			buf_free(&b);
		}
	table_write(t, width, out);
	table_free(&t);
}

/* ---- one order in full ------------------------------------------------------ */

static void
line(struct buf *out, const char *name, struct buf *value)
{
	buf_printf(out, "%-12s", name);
	table_safe(out, buf_view(value));
	buf_putc(out, '\n');
	value->len = 0;
}

static void
put_amount(struct buf *b, int64_t minor, struct currency currency)
{
	put_money(b, minor, currency);
	buf_printf(b, " %s", currency.code);
}

static void
put_refunds(struct buf *b, const struct order *o)
{
	put_amount(b, order_refunded(o), o->currency);
	for (size_t i = 0; i < o->n_refunds && o->n_refunds > 1; i++) {
		buf_puts(b, i == 0 ? ": " : " + ");
		put_money(b, o->refunds[i].amount, o->currency);
	}
	if (o->cumulative > 0) {
		buf_puts(b, "; as a running total ");
		put_money(b, o->cumulative, o->currency);
	}
}

static void
put_disputes(struct buf *b, const struct order *o)
{
	put_amount(b, order_lost(o), o->currency);
	for (size_t i = 0; i < o->n_disputes; i++) {
		const struct part *d = &o->disputes[i];

		buf_puts(b, i == 0 ? "; " : ", ");
		if (d->amount >= 0) {
			put_money(b, d->amount, o->currency);
			buf_putc(b, ' ');
		}
		buf_puts(b, d->won ? "won" : "lost so far");
	}
}

static void
put_paid(struct buf *b, const struct order *o)
{
	put_amount(b, o->total, o->currency);
	if (o->tax != 0 || o->shipping != 0) {
		buf_puts(b, ", of which tax ");
		put_money(b, o->tax, o->currency);
		buf_puts(b, ", shipping ");
		put_money(b, o->shipping, o->currency);
	}
	if (o->recurring)
		buf_puts(b, "; a renewal");
}

static void
put_offer(struct buf *b, bool given, const char *what)
{
	if (given)
		buf_printf(b, "%s%s", b->len > 0 ? ", " : "", what);
}

static void
put_offers(struct buf *b, const struct order *o)
{
	put_offer(b, o->visitors[0] != 0 || o->visitors[1] != 0, "visitor cookie");
	put_offer(b, o->n_tokens > 0, "");
	if (o->n_tokens > 0)
		buf_printf(b, "%zu token%s", o->n_tokens, o->n_tokens == 1 ? "" : "s");
	put_offer(b, o->agents[0] != 0 || o->agents[1] != 0, "address and browser");
	put_offer(b, o->customer != 0, "customer");
	put_offer(b, b->len == 0, "nothing to join it by");
}

static void
put_join(struct buf *b, const struct order *o)
{
	if (o->erased)
		buf_printf(b, "%s%s; whose it is was forgotten", o->how != JOIN_NONE ? "by " : "", join_name(o->how));
	else if (o->how != JOIN_NONE) {
		buf_printf(b, "by %s, to the visit of ", join_name(o->how));
		put_time(b, "%Y-%m-%d %H:%M:%S %Z", o->visit.start_ms, true);
	} else if (o->waiting)
		buf_puts(b, "waiting for a visit that fits");
	else
		buf_puts(b, "none; no visit fitted within 7 days");
}

static void
put_figures(struct buf *b, const struct order_shop *shop, const struct order *o)
{
	if (o->unconverted)
		buf_puts(b, "not yet: there is no rate for its currency");
	else if (!o->counted)
		buf_puts(b, "not yet");
	else if (shop->currency.code[0] == '\0')
		buf_puts(b, o->counted_joined ? "attributed" : "in the sales, unattributed");
	else {
		put_amount(b, o->counted_net, shop->currency);
		buf_puts(b, " of ");
		put_money(b, o->counted_gross, shop->currency);
		buf_puts(b, o->counted_joined ? ", attributed" : ", in the sales, unattributed");
	}
}

static void
write_lines(const struct order_shop *shop, const struct order *o, struct buf *out)
{
	struct order_sums sums = order_sums(o);
	struct buf b = { 0 };

	buf_printf(&b, "%.*s:%.*s", SLICE_FMT(o->provider), SLICE_FMT(o->id));
	line(out, "order", &b);
	if (o->paid) {
		put_time(&b, "%Y-%m-%d %H:%M:%S %Z", o->time_ms, true);
		line(out, "time", &b);
		put_paid(&b, o);
	} else
		buf_puts(&b, "not yet: what came of it waits for the payment");
	line(out, "paid", &b);
	put_refunds(&b, o);
	line(out, "refunded", &b);
	put_disputes(&b, o);
	line(out, "disputed", &b);
	put_amount(&b, sums.net, o->currency);
	line(out, "net", &b);
	put_offers(&b, o);
	line(out, "offers", &b);
	if (o->paid) {
		put_join(&b, o);
		line(out, "join", &b);
		put_figures(&b, shop, o);
		line(out, "in figures", &b);
	}
	buf_free(&b);
}

static void
touch_cell(struct table *t, const struct order_shop *shop, const struct order *o, size_t i)
{
	struct buf b = { 0 };

	buf_printf(&b, "%zu %s", i + 1, series_name(&shop->names, o->touches[i].source));
	table_cell(t, buf_view(&b));
	buf_free(&b);
}

static void
write_touches(const struct order_shop *shop, const struct order *o, size_t width, struct buf *out)
{
	static const char *const heads[] = { "touch", "start", "channel", "campaign" };
	struct table *t = table_new(heads, N_ELEM(heads));

	for (size_t i = 0; i < o->n_touches; i++) {
		const struct touch *touch = &o->touches[i];
		struct buf b = { 0 };

		touch_cell(t, shop, o, i);
		put_time(&b, "%Y-%m-%d %H:%M", touch->start_ms, true);
		table_cell(t, buf_view(&b));
		table_text(t, series_name(&shop->names, touch->channel));
		table_text(t, series_name(&shop->names, touch->campaign));
		buf_free(&b);
	}
	buf_puts(out, "\nTouches, the earliest first:\n\n");
	table_write(t, width, out);
	table_free(&t);
}

/* Money where the order stands in the figures, else hundredths of the order. */
static void
put_credit(struct buf *b, const struct order_shop *shop, const struct order *o, int64_t part)
{
	if (has_credit(o) && shop->currency.code[0] != '\0')
		put_money(b, part, shop->currency);
	else
		buf_printf(b, "%.2f%%", (double)part * 100 / (double)ORDER_ONE);
}

static void
write_credit(const struct order_shop *shop, const struct order *o, size_t width, struct buf *out)
{
	int64_t parts[CONF_MODELS][TOUCHES_MAX];
	const char *heads[1 + CONF_MODELS] = { "touch" };
	bool money = has_credit(o) && shop->currency.code[0] != '\0';
	struct table *t;

	for (int model = 0; model < CONF_MODELS; model++) {
		heads[1 + model] = conf_model_name((enum conf_model)model);
		split(o, model, money ? o->counted_net : ORDER_ONE, parts[model]);
	}
	t = table_new(heads, N_ELEM(heads));
	for (size_t i = 0; i < o->n_touches; i++) {
		struct buf b = { 0 };

		touch_cell(t, shop, o, i);
		for (int model = 0; model < CONF_MODELS; model++) {
			b.len = 0;
			put_credit(&b, shop, o, parts[model][i]);
			table_cell(t, buf_view(&b));
		}
		buf_free(&b);
	}
	buf_printf(out, "\nIts credit by model%s%s; this site goes by %s:\n\n", money ? ", " : "",
	    money ? shop->currency.code : "", conf_model_name((enum conf_model)shop->model));
	table_write(t, width, out);
	table_free(&t);
}

void
order_write(const struct order_shop *shop, const struct order *o, size_t width, struct buf *out)
{
	write_lines(shop, o, out);
	if (o->n_touches == 0)
		return;
	write_touches(shop, o, width, out);
	write_credit(shop, o, width, out);
}
