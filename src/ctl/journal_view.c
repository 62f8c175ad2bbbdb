/*
 * journal_view: see journal_view.h.
 */
#include "ctl/journal_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"

#define LABEL_WIDTH 12

bool
journal_entry_read(const struct journal_record *rec, struct journal_entry *e)
{
	*e = (struct journal_entry){ .number = rec->seq, .received_ms = rec->received_ms, .site = rec->site };
	switch (rec->kind) {
	case JOURNAL_EVENT:
		e->is_damaged = order_event_decode(rec->bytes, &e->event) != 0;
		return (true);
	case JOURNAL_QUARANTINE:
		e->is_kept = true;
		e->is_damaged = quarantined_decode(rec->bytes, &e->kept) != 0;
		return (true);
	case JOURNAL_RELEASED:
	case JOURNAL_FORGET:
		break;
	}
	return (false);
}

/* ---- values ------------------------------------------------------------------ */

static void
utc(int64_t ms, char out[40])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL || strftime(out, 40, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

static void
put_time(struct buf *out, int64_t ms)
{
	char text[40];

	utc(ms, text);
	ctl_put_time(out, text);
}

static const char *
kind_of(const struct journal_entry *e)
{
	return (e->is_damaged ? "(unreadable)" : order_kind_name(e->event.kind));
}

static void
put_order(struct buf *out, const struct order_event *e)
{
	buf_put(out, e->provider.p, e->provider.len);
	buf_putc(out, ':');
	buf_put(out, e->order_id.p, e->order_id.len);
}

static bool
has_amount(const struct order_event *e)
{
	return (e->kind != ORDER_ALIAS && e->kind != ORDER_DISPUTE_WON && e->currency.code[0] != '\0');
}

static void
put_amount(struct buf *out, const struct order_event *e, int64_t minor)
{
	char text[32];

	money_format(minor, e->currency, text);
	buf_printf(out, "%s %s", text, e->currency.code);
}

static const char *
state_of(const struct journal_entry *e)
{
	return (e->was_released ? "understood since" : "waiting");
}

/* ---- a list -------------------------------------------------------------------- */

struct table *
journal_table(bool kept)
{
	static const char *const events[] = { "order", "record", "received", "site", "event", "amount" };
	static const char *const bodies[] = { "what is wrong", "record", "received", "site", "provider", "bytes", "state" };

	return (kept ? table_new(bodies, N_ELEM(bodies)) : table_new(events, N_ELEM(events)));
}

static void
cell_number(struct table *t, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	table_text(t, text);
}

static void
cell_of(struct table *t, struct buf *b)
{
	table_cell(t, buf_view(b));
	b->len = 0;
}

void
journal_row(struct table *t, const struct journal_entry *e)
{
	struct buf b = { 0 };

	if (e->is_kept)
		buf_put(&b, e->kept.detail.p, e->kept.detail.len);
	else if (!e->is_damaged)
		put_order(&b, &e->event);
	cell_of(t, &b);
	cell_number(t, e->number);
	put_time(&b, e->received_ms);
	cell_of(t, &b);
	table_cell(t, e->site);
	if (e->is_kept) {
		table_cell(t, e->kept.provider);
		cell_number(t, e->kept.body.len);
		table_text(t, state_of(e));
	} else {
		table_text(t, kind_of(e));
		if (!e->is_damaged && has_amount(&e->event))
			put_amount(&b, &e->event, e->event.amount);
		cell_of(t, &b);
	}
	buf_free(&b);
}

/* ---- one in full ------------------------------------------------------------------ */

static void
line(struct buf *out, const char *label, struct slice value)
{
	if (value.len == 0)
		return;
	buf_printf(out, "%-*s  ", LABEL_WIDTH, label);
	table_safe(out, value);
	buf_putc(out, '\n');
}

static void
line_buf(struct buf *out, const char *label, struct buf *value)
{
	line(out, label, buf_view(value));
	value->len = 0;
}

static void
line_amount(struct buf *out, const char *label, const struct order_event *e, int64_t minor)
{
	struct buf b = { 0 };

	put_amount(&b, e, minor);
	line_buf(out, label, &b);
	buf_free(&b);
}

/* Those that are there; 0 is none. */
static void
line_hashes(struct buf *out, const char *label, const uint64_t *hashes, size_t n, const char *more)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		if (hashes[i] != 0)
			buf_printf(&b, "%s%016" PRIx64, b.len > 0 ? " " : "hash ", hashes[i]);
	if (b.len > 0)
		buf_puts(&b, more);
	line_buf(out, label, &b);
	buf_free(&b);
}

static void
write_money(const struct order_event *e, struct buf *out)
{
	if (!has_amount(e))
		return;
	line_amount(out, e->cumulative ? "so far" : "amount", e, e->amount);
	if (e->kind != ORDER_PAID)
		return;
	line_amount(out, "tax", e, e->tax);
	line_amount(out, "shipping", e, e->shipping);
	line(out, "recurring", e->recurring ? SLICE("yes") : SLICE("no"));
}

static void
write_event(const struct order_event *e, struct buf *out)
{
	struct buf b = { 0 };

	line(out, "event", slice_of(order_kind_name(e->kind)));
	line(out, "event id", e->event_id);
	put_order(&b, e);
	line_buf(out, "order", &b);
	for (size_t i = 0; i < e->n_aliases; i++)
		line(out, "alias", e->aliases[i]);
	line(out, e->kind == ORDER_REFUNDED ? "refund" : "dispute", e->part_id);
	put_time(&b, e->time_ms);
	line_buf(out, "happened", &b);
	write_money(e, out);
	line_hashes(out, "customer", &e->customer, 1, e->customer_is_email ? " (of an e-mail address)" : "");
	line_hashes(out, "visitor", e->visitors, 2, " (as a cookie, as a uid)");
	line_hashes(out, "browser", e->agents, 2, " (with its address, under the keys of two days)");
	line_hashes(out, "tokens", e->tokens, e->n_tokens, "");
	buf_free(&b);
}

static void
write_kept(const struct journal_entry *e, struct buf *out)
{
	struct buf b = { 0 };

	line(out, "provider", e->kept.provider);
	line(out, "path", e->kept.path);
	line(out, "webhook id", e->kept.id);
	line(out, "what is wrong", e->kept.detail);
	buf_printf(&b, "%zu bytes, not shown", e->kept.body.len);
	line_buf(out, "body", &b);
	line(out, "state", slice_of(state_of(e)));
	buf_free(&b);
}

void
journal_write(const struct journal_entry *e, struct buf *out)
{
	struct buf b = { 0 };

	buf_printf(&b, "%" PRIu64, e->number);
	line_buf(out, "record", &b);
	put_time(&b, e->received_ms);
	line_buf(out, "received", &b);
	line(out, "site", e->site);
	if (e->is_damaged)
		line(out, "event", SLICE("not readable by this version"));
	else if (e->is_kept)
		write_kept(e, out);
	else
		write_event(&e->event, out);
	buf_free(&b);
}

/* ---- JSON --------------------------------------------------------------------------- */

static void
set_text(json_t *o, const char *name, struct slice value)
{
	json_object_set_new(o, name, value.len > 0 ? json_text(value) : json_null());
}

static void
set_time(json_t *o, const char *name, int64_t ms)
{
	char text[40];

	utc(ms, text);
	set_text(o, name, slice_of(text));
}

static void
set_amount(json_t *o, const char *name, const struct order_event *e, int64_t minor)
{
	char text[32];

	money_format(minor, e->currency, text);
	set_text(o, name, slice_of(text));
}

static json_t *
hashes(const uint64_t *all, size_t n)
{
	json_t *array = json_array();
	char text[24];

	for (size_t i = 0; i < n; i++)
		if (all[i] != 0) {
			snprintf(text, sizeof(text), "%016" PRIx64, all[i]);
			json_array_append_new(array, json_string(text));
		}
	return (array);
}

static void
set_event(json_t *o, const struct order_event *e)
{
	json_t *aliases = json_array();

	set_text(o, "event", slice_of(order_kind_name(e->kind)));
	set_text(o, "event_id", e->event_id);
	set_text(o, "provider", e->provider);
	set_text(o, "order", e->order_id);
	set_text(o, "part", e->part_id);
	set_time(o, "time", e->time_ms);
	if (has_amount(e)) {
		set_text(o, "currency", slice_of(e->currency.code));
		set_amount(o, "amount", e, e->amount);
		json_object_set_new(o, "cumulative", json_boolean(e->cumulative));
	}
	if (e->kind == ORDER_PAID) {
		set_amount(o, "tax", e, e->tax);
		set_amount(o, "shipping", e, e->shipping);
		json_object_set_new(o, "recurring", json_boolean(e->recurring));
	}
	json_object_set_new(o, "customer_hash", hashes(&e->customer, 1));
	json_object_set_new(o, "customer_is_email", json_boolean(e->customer_is_email));
	json_object_set_new(o, "visitor_hashes", hashes(e->visitors, 2));
	json_object_set_new(o, "browser_hashes", hashes(e->agents, 2));
	json_object_set_new(o, "token_hashes", hashes(e->tokens, e->n_tokens));
	for (size_t i = 0; i < e->n_aliases; i++)
		json_array_append_new(aliases, json_text(e->aliases[i]));
	json_object_set_new(o, "aliases", aliases);
}

json_t *
journal_json(const struct journal_entry *e)
{
	json_t *o = json_object();

	json_object_set_new(o, "record", json_integer((json_int_t)e->number));
	set_time(o, "received", e->received_ms);
	set_text(o, "site", e->site);
	json_object_set_new(o, "readable", json_boolean(!e->is_damaged));
	if (e->is_damaged)
		return (o);
	if (!e->is_kept) {
		set_event(o, &e->event);
		return (o);
	}
	set_text(o, "provider", e->kept.provider);
	set_text(o, "path", e->kept.path);
	set_text(o, "webhook_id", e->kept.id);
	set_text(o, "wrong", e->kept.detail);
	json_object_set_new(o, "bytes", json_integer((json_int_t)e->kept.body.len));
	json_object_set_new(o, "waiting", json_boolean(!e->was_released));
	return (o);
}
