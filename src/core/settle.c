/*
 * settle: order events -> orders -> figures in the windows.
 *
 * What an order adds to the windows is remembered with it (counted_*).  When it
 * changes, that is taken back first and then counted anew, so that refunds, disputes,
 * joins and aliases need no arithmetic of their own.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/engine_impl.h"

/* ---- figures ------------------------------------------------------------- */

static int64_t
oldest_shown(const struct engine *e)
{
	int64_t now = windows_now(e->windows), oldest = INT64_MAX;
	const struct level *levels;
	size_t n = windows_levels(e->windows, &levels);

	for (size_t i = 0; i < n; i++) {
		int64_t start = now - levels[i].bucket_ms * levels[i].buckets;

		oldest = start < oldest ? start : oldest;
	}
	return (oldest);
}

enum engine_result
order_visit(struct engine *e, const struct order *o, struct visit **v)
{
	uint64_t at = o->visit.visitor, next;
	struct visitor *who;

	*v = NULL;
	if (o->how == JOIN_NONE || o->erased || o->visit.start_ms < oldest_shown(e))
		return (ENGINE_DONE);
	for (int hops = 0; hops < 8; hops++) {
		*v = visits_by_id(&e->visits, at, o->visit.id, &next);
		if (*v != NULL)
			return (ENGINE_DONE);
		who = visits_find(&e->visits, next);
		if (who != NULL ? who->complete : !visits_may_have_blocks(&e->visits, next))
			return (ENGINE_DONE);
		if (next == at) {
			want(e, NEED_VISITOR, at, epoch_of(e->clock - engine_retention_ms(e)), SLICE(""), SLICE(""));
			return (ENGINE_NEEDS);
		}
		at = next;
	}
	return (ENGINE_DONE);
}

static void
add_to_visit(struct engine *e, struct visit *v, const int64_t figures[4])
{
	windows_add(e->windows, DIM_TOTAL, e->total, v->start_ms, FIG_ORDERS, figures, 4);
	windows_add(e->windows, DIM_LANDING, v->landing, v->start_ms, FIG_ORDERS, figures, 4);
	windows_add(e->windows, DIM_COUNTRY, v->country, v->start_ms, FIG_ORDERS, figures, 4);
	windows_add(e->windows, DIM_DEVICE, v->device, v->start_ms, FIG_ORDERS, figures, 4);
	for (uint32_t i = 0; i < v->n_pages; i++)
		windows_add(e->windows, DIM_PAGE, v->pages[i], v->start_ms, FIG_ORDERS, figures, 4);
	for (size_t i = 0; i < 4; i++)
		v->credit[i] = figure_add(v->credit[i], figures[i]);
	visits_dirty(&e->visits, v);
}

static void
add_to_touches(struct engine *e, const struct order *o, int model, int64_t sign)
{
	uint64_t weights[TOUCHES_MAX];
	int64_t ones[TOUCHES_MAX], nets[TOUCHES_MAX], backs[TOUCHES_MAX];
	size_t n = o->n_touches, first = FIG_ORDERS + 4 * (size_t)model;

	credit_weights(model, o->touches, n, o->time_ms, weights);
	credit_split(o->counted_net > 0 ? ORDER_ONE : 0, weights, n, ones);
	credit_split(o->counted_net, weights, n, nets);
	credit_split(o->counted_gross - o->counted_net, weights, n, backs);
	for (size_t i = 0; i < n; i++) {
		const struct touch *t = &o->touches[i];
		const int64_t figures[4] = { sign * ones[i], sign * nets[i], sign * backs[i],
		    o->counted_recurring ? sign * nets[i] : 0 };

		if (weights[i] == 0)
			continue;
		windows_add(e->windows, DIM_SOURCE, t->source, t->start_ms, first, figures, 4);
		windows_add(e->windows, DIM_CHANNEL, t->channel, t->start_ms, first, figures, 4);
		windows_add(e->windows, DIM_CAMPAIGN, t->campaign, t->start_ms, first, figures, 4);
	}
}

/* All that stands in the windows for the order, once (sign 1) or taken back (-1). */
static void
add_order(struct engine *e, struct order *o, int64_t sign)
{
	int64_t net = o->counted_net, gross = o->counted_gross, one = net > 0;
	const int64_t sales[3] = { sign * net, sign * one, o->counted_joined ? 0 : sign * net };
	const int64_t figures[4] = { sign * one * ORDER_ONE, sign * net, sign * (gross - net),
	    o->counted_recurring ? sign * net : 0 };
	struct visit *v;

	windows_add(e->windows, DIM_TOTAL, e->total, o->time_ms, FIG_SALES, sales, 3);
	if (!o->counted_joined || o->erased)
		return;
	must(order_visit(e, o, &v) == ENGINE_DONE);	/* the caller made sure that it is here */
	if (v != NULL)
		add_to_visit(e, v, figures);
	for (int model = 0; model < CONF_MODELS; model++)
		add_to_touches(e, o, model, sign);
}

/* ---- no sum goes round ----------------------------------------------------- */

/* A visit's money is that of each of its pages, which may all be summed into "(other)"; no other figure has an
 * order's money more than once. */
#define GROSS_MAX (INT64_MAX / (VISIT_PAGES_MAX + 12))

/* Windows that show one epoch show none that is so many epochs older, so that its place is free.  One far ahead takes
 * its place from nobody. */
static int64_t *
gross_of(struct engine *e, const struct order *o)
{
	int64_t epoch = epoch_of(o->time_ms);
	size_t i = (uint64_t)epoch % HISTORY_EPOCHS;

	if (e->gross[i].epoch + HISTORY_EPOCHS <= epoch_of(windows_now(e->windows))) {
		e->gross[i].epoch = epoch;
		e->gross[i].sum = 0;
	}
	return (e->gross[i].epoch <= epoch ? &e->gross[i].sum : NULL);
}

static void
note_gross(struct engine *e, const struct order *o, int64_t gross)
{
	int64_t *sum = gross_of(e, o);

	if (sum != NULL)
		*sum = *sum + gross > 0 ? *sum + gross : 0;
}

/* Whether all sums hold the order with that gross, too. */
static bool
sums_hold(struct engine *e, const struct order *o, int64_t gross)
{
	int64_t all = o->counted ? -o->counted_gross : 0;

	if (gross > GROSS_MAX || gross_of(e, o) == NULL)
		return (gross <= GROSS_MAX);
	for (size_t i = 0; i < HISTORY_EPOCHS; i++)
		all += e->gross[i].sum;
	return (all <= GROSS_MAX - gross);
}

void
order_uncount(struct engine *e, struct order *o)
{
	if (o->counted) {
		add_order(e, o, -1);
		note_gross(e, o, -o->counted_gross);
	}
	o->counted = false;
}

/* Gross and net in the reporting currency; false where no rate is known. */
static bool
settle(const struct engine *e, const struct order *o, int64_t *gross, int64_t *net)
{
	const struct engine_rules *rules = e->rules;
	int64_t basis = order_basis(o, rules->basis), left = o->total - order_taken_back(o);
	struct factor f;

	if (!rates_factor(rules->rates, o->currency, rules->currency, o->time_ms, &f))
		return (false);
	if (basis < 0)
		basis = 0;
	if (left < 0)
		left = 0;
	if (!money_scale(basis, 1, 1, f, gross) || !money_scale(left, basis, o->total, f, net))
		return (false);
	if (*net > *gross)
		*net = *gross;
	return (true);
}

void
order_count(struct engine *e, struct order *o)
{
	int64_t gross, net;
	bool joined = o->how != JOIN_NONE, known;
	struct name name;

	if (!o->paid || o->alias_of.len > 0)
		return;
	known = settle(e, o, &gross, &net);
	if (known && !sums_hold(e, o, gross)) {
		engine_count(e, COUNT_OVER_SUMS, !o->unconverted);
		known = false;
	}
	if (known && o->counted && gross == o->counted_gross && net == o->counted_net &&
	    joined == o->counted_joined && o->recurring == o->counted_recurring)
		return;
	order_uncount(e, o);
	name_order(&name, o->provider, o->id);
	o->unconverted = !known;
	if (!known) {
		strmap_put(e->unconverted, name_view(&name), e);
		return;
	}
	strmap_del(e->unconverted, name_view(&name));
	o->counted = true;
	o->counted_gross = gross;
	o->counted_net = net;
	o->counted_joined = joined;
	o->counted_recurring = o->recurring;
	add_order(e, o, 1);
	note_gross(e, o, gross);
}

/* ---- rates that come later ------------------------------------------------- */

#define RECOUNTS 256			/* orders that are looked at together */

/* NULL in *o where there is no such order any more. */
static enum engine_result
have_order(struct engine *e, struct slice name, struct order **o)
{
	struct slice provider, id;
	struct visit *v;

	*o = NULL;
	if (!split_order_name(name, &provider, &id))
		return (ENGINE_DONE);
	*o = orderbook_find(&e->book, provider, id);
	if (*o != NULL)
		return (order_visit(e, *o, &v));
	if (!order_may_be_stored(e, provider, id))
		return (ENGINE_DONE);
	want(e, NEED_ORDER, 0, 0, provider, id);
	return (ENGINE_NEEDS);
}

static void
recount(struct engine *e, struct slice name)
{
	struct order *o;

	must(have_order(e, name, &o) == ENGINE_DONE);
	if (o == NULL || !o->paid || !o->unconverted) {
		strmap_del(e->unconverted, name);
		return;
	}
	order_count(e, o);
	if (!o->unconverted)
		orderbook_dirty(&e->book, o);
}

static void
list_unconverted(struct engine *e)
{
	struct slice name;

	e->recount = false;
	e->recounts.len = e->next_recount = 0;
	for (size_t i = 0; strmap_next(e->unconverted, &i, &name) != NULL;)
		buf_slice(&e->recounts, name);
}

/* So many of them that one round of fetching serves them all. */
static enum engine_result
recount_some(struct engine *e)
{
	struct reader first = reader_of(slice_skip(buf_view(&e->recounts), e->next_recount)), r = first;
	enum engine_result rc = ENGINE_DONE;
	struct order *o;

	for (int i = 0; i < RECOUNTS && reader_more(&r); i++)
		if (have_order(e, reader_slice(&r), &o) == ENGINE_NEEDS)
			rc = ENGINE_NEEDS;
	if (rc == ENGINE_NEEDS)
		return (rc);
	e->next_recount = (size_t)(r.p - e->recounts.p);
	while (first.p < r.p)
		recount(e, reader_slice(&first));
	return (ENGINE_DONE);
}

enum engine_result
recount_unconverted(struct engine *e, bool all)
{
	if (e->recount)
		list_unconverted(e);
	while (e->next_recount < e->recounts.len) {
		if (recount_some(e) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
		if (!all)
			break;
	}
	return (ENGINE_DONE);
}

/* ---- events -------------------------------------------------------------- */

/* The order of that id, through aliases; made where it is new. */
static enum engine_result
resolve(struct engine *e, struct slice provider, struct slice id, struct order **out)
{
	struct order *o;

	for (int hops = 0; hops < 16; hops++) {
		o = orderbook_find(&e->book, provider, id);
		if (o == NULL && order_may_be_stored(e, provider, id)) {
			want(e, NEED_ORDER, 0, 0, provider, id);
			return (ENGINE_NEEDS);
		}
		if (o == NULL)
			o = orderbook_add(&e->book, provider, id);
		*out = o;
		if (o->alias_of.len == 0)
			return (ENGINE_DONE);
		id = o->alias_of;
	}
	return (ENGINE_DONE);
}

/* `from` becomes another name of `into`, and what waits under it moves. */
static enum engine_result
unite(struct engine *e, struct order *from, struct order *into)
{
	struct visit *v;

	if (from == into)
		return (ENGINE_DONE);
	if (order_visit(e, from, &v) == ENGINE_NEEDS || order_visit(e, into, &v) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	order_uncount(e, from);
	order_uncount(e, into);
	order_forget(e, from);
	order_forget(e, into);		/* its time and its keys may be others from now on */
	into->has_sleeper = false;
	order_merge(into, from);
	from->alias_of = slice_make(mem_strndup(into->id.p, into->id.len), into->id.len);
	from->paid = false;
	orderbook_dirty(&e->book, from);
	orderbook_dirty(&e->book, into);
	if (into->paid && into->how == JOIN_NONE)
		order_queue(e, into);
	order_count(e, into);
	return (ENGINE_DONE);
}

static enum engine_result
unite_aliases(struct engine *e, const struct order_event *ev)
{
	for (size_t i = 0; i < ev->n_aliases; i++) {
		struct order *from, *into;

		if (ev->aliases[i].len == 0 || ev->aliases[i].len > ORDER_ID_MAX)
			continue;
		if (resolve(e, ev->provider, ev->aliases[i], &from) == ENGINE_NEEDS ||
		    resolve(e, ev->provider, ev->order_id, &into) == ENGINE_NEEDS ||
		    unite(e, from, into) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
	}
	return (ENGINE_DONE);
}

static void
take_event(struct engine *e, struct order *o, const struct order_event *ev)
{
	bool was_paid = o->paid, contradicts = order_contradicts(o, ev, &e->ring->site);

	if (contradicts)
		engine_count(e, COUNT_CONFLICT, 1);
	switch (order_apply(o, ev, e->next_event++, &e->ring->site)) {
	case ORDER_SAME:
		if (!contradicts)
			engine_count(e, ev->kind == ORDER_PAID && ev->amount == 0 ? COUNT_ZERO_AMOUNT : COUNT_NO_CHANGE, 1);
		return;
	case ORDER_OTHER_CURRENCY:
		engine_count(e, COUNT_OTHER_CURRENCY, 1);
		return;
	case ORDER_CHANGED:
		break;
	}
	if (o->paid && !was_paid)
		engine_count(e, COUNT_ORDERS, 1);
	if (o->paid && o->how == JOIN_NONE && ev->kind == ORDER_PAID)
		order_queue(e, o);
	order_count(e, o);
	orderbook_dirty(&e->book, o);
}

static bool
is_sane(const struct order_event *ev)
{
	return (ev->time_ms >= 0 && ev->time_ms <= TIME_MAX_MS && ev->amount >= 0 && ev->amount <= MONEY_MAX && ev->tax >= -MONEY_MAX && ev->tax <= MONEY_MAX &&
	    ev->shipping >= -MONEY_MAX && ev->shipping <= MONEY_MAX && ev->provider.len > 0 &&
	    ev->provider.len <= ORDER_ID_MAX && ev->order_id.len > 0 && ev->order_id.len <= ORDER_ID_MAX);
}

void
engine_order_ahead(struct engine *e, const struct order_event *ev)
{
	struct order *o;

	if (!is_sane(ev))
		return;
	if (resolve(e, ev->provider, ev->order_id, &o) == ENGINE_DONE) {
		struct visit *v;

		order_visit(e, o, &v);
	}
	for (size_t i = 0; i < ev->n_aliases; i++)
		if (ev->aliases[i].len > 0 && ev->aliases[i].len <= ORDER_ID_MAX)
			resolve(e, ev->provider, ev->aliases[i], &o);
}

enum engine_result
engine_order(struct engine *e, const struct order_event *ev)
{
	struct order *o;
	struct visit *v;

	if (!is_sane(ev)) {
		engine_count(e, COUNT_ABSURD, 1);
		return (ENGINE_DONE);
	}
	if (unite_aliases(e, ev) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (e->replay)
		windows_advance(e->windows, ev->time_ms);
	if (ev->kind != ORDER_ALIAS) {
		if (resolve(e, ev->provider, ev->order_id, &o) == ENGINE_NEEDS || order_visit(e, o, &v) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
		take_event(e, o, ev);
	}
	engine_count(e, COUNT_EVENTS, 1);
	return (ENGINE_DONE);
}
