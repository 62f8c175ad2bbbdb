/*
 * orderbook: see orderbook.h.
 */
#include "core/orderbook.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/model.h"
#include "core/visitor.h"

#define RECORD_VERSION 1
#define PARTS_MAX 4096			/* refunds or disputes of one order; more are refused */

static const char *const join_names[JOINS] = { "none", "visitor", "token", "ip_ua", "customer" };

const char *
join_name(enum join_how how)
{
	must(how < JOINS);
	return (join_names[how]);
}

/* ---- the table ----------------------------------------------------------- */

void
orderbook_init(struct orderbook *book, const struct hash_key *key)
{
	*book = (struct orderbook){ .by_key = strmap_new(key) };
}

static void
order_free(struct order *o)
{
	free((char *)o->provider.p);
	free((char *)o->id.p);
	free((char *)o->alias_of.p);
	free(o->refunds);
	free(o->disputes);
	free(o->touches);
	free(o);
}

void
orderbook_clear(struct orderbook *book)
{
	struct order *o;

	if (book->by_key == NULL)
		return;
	for (size_t i = 0; (o = strmap_next(book->by_key, &i, NULL)) != NULL;)
		order_free(o);
	strmap_free(&book->by_key);
	free(book->dirty);
	*book = (struct orderbook){ 0 };
}

struct order *
orderbook_find(const struct orderbook *book, struct slice provider, struct slice id)
{
	struct name name;

	name_order(&name, provider, id);
	return (strmap_get(book->by_key, name_view(&name)));
}

struct order *
orderbook_add(struct orderbook *book, struct slice provider, struct slice id)
{
	struct order *o = mem_calloc(1, sizeof(*o));
	struct name name;

	o->provider = slice_make(mem_strndup(provider.p, provider.len), provider.len);
	o->id = slice_make(mem_strndup(id.p, id.len), id.len);
	name_order(&name, provider, id);
	strmap_put(book->by_key, name_view(&name), o);
	return (o);
}

void
orderbook_remove(struct orderbook *book, struct order *o)
{
	struct name name;

	must(!o->dirty && o->dues == 0);
	name_order(&name, o->provider, o->id);
	strmap_del(book->by_key, name_view(&name));
	order_free(o);
}

void
orderbook_dirty(struct orderbook *book, struct order *o)
{
	if (o->dirty)
		return;
	o->dirty = true;
	mem_grow(&book->dirty, &book->dirty_cap, book->n_dirty + 1, sizeof(*book->dirty));
	book->dirty[book->n_dirty++] = o;
}

/* ---- events -------------------------------------------------------------- */

/* An absent key is filled in; one that is there stays. */
static bool
fill(uint64_t *have, uint64_t more)
{
	if (*have != 0 || more == 0)
		return (false);
	*have = more;
	return (true);
}

/* Address + browser were hashed under the keys of the day of the event that brought them, and of the day before.
 * Looked for are the order's own day and the day before that: here they have their places by these. */
static bool
fill_agents(struct order *o, const struct order_event *e)
{
	int64_t days = day_of(e->time_ms) - day_of(o->time_ms);
	bool changed = false;

	if (o->agents[0] != 0 || o->agents[1] != 0)
		return (false);
	for (int64_t i = 0; i < 2; i++)
		if (i - days >= 0 && i - days < 2)
			changed |= fill(&o->agents[i - days], e->agents[i]);
	return (changed);
}

static bool
fill_keys(struct order *o, const struct order_event *e)
{
	bool changed;

	if (o->erased)			/* told again */
		return (false);
	changed = fill(&o->customer, e->customer);
	if (o->visitors[0] == 0 && o->visitors[1] == 0) {
		changed |= fill(&o->visitors[0], e->visitors[0]);
		changed |= fill(&o->visitors[1], e->visitors[1]);
	}
	changed |= fill_agents(o, e);
	if (o->n_tokens == 0 && e->n_tokens > 0) {
		memcpy(o->tokens, e->tokens, e->n_tokens * sizeof(*e->tokens));
		o->n_tokens = e->n_tokens;
		changed = true;
	}
	if (!o->recurring && e->recurring)
		changed = o->recurring = true;
	return (changed);
}

static struct part *
find_part(struct part *parts, size_t n, uint64_t id, struct currency currency, bool total)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].id == id && parts[i].total == total && currency_equal(parts[i].currency, currency))
			return (&parts[i]);
	return (NULL);
}

static struct part *
add_part(struct part **parts, size_t *n, size_t *cap, struct part part)
{
	if (*n >= PARTS_MAX)
		return (NULL);
	mem_grow(parts, cap, *n + 1, sizeof(**parts));
	(*parts)[*n] = part;
	return (&(*parts)[(*n)++]);
}

/* What was told of a refund, in words that come in any order: the first amount of an id, the
 * highest running total. */
static bool
take_refund(struct order *o, struct part told)
{
	struct part *p = find_part(o->refunds, o->n_refunds, told.id, told.currency, told.total);

	if (p == NULL)
		return (add_part(&o->refunds, &o->n_refunds, &o->refunds_cap, told) != NULL);
	if (!told.total || told.amount <= p->amount)
		return (false);
	p->amount = told.amount;
	return (true);
}

static bool
take_dispute(struct order *o, struct part told)
{
	struct part *d = find_part(o->disputes, o->n_disputes, told.id, told.currency, false), before;

	if (d == NULL)
		return (add_part(&o->disputes, &o->n_disputes, &o->disputes_cap, told) != NULL);
	before = *d;
	d->won |= told.won;
	if (d->amount < 0)
		d->amount = told.amount;
	return (before.won != d->won || before.amount != d->amount);
}

static size_t
keep_currency(struct part *parts, size_t n, struct currency currency)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (currency_equal(parts[i].currency, currency))
			parts[kept++] = parts[i];
	return (kept);
}

/* The order's currency is known: what waited in another one is no refund of it. */
static void
settle_parts(struct order *o)
{
	size_t n = 0;

	o->n_refunds = keep_currency(o->refunds, o->n_refunds, o->currency);
	o->n_disputes = keep_currency(o->disputes, o->n_disputes, o->currency);
	for (size_t i = 0; i < o->n_refunds; i++)
		if (!o->refunds[i].total)
			o->refunds[n++] = o->refunds[i];
		else if (o->refunds[i].amount > o->cumulative)
			o->cumulative = o->refunds[i].amount;
	o->n_refunds = n;
}

static enum order_change
apply_paid(struct order *o, const struct order_event *e, uint64_t event_no)
{
	if (e->amount == 0)
		return (ORDER_SAME);		/* a total of 0 is no order, nor the first */
	if (o->paid)
		return (fill_keys(o, e) ? ORDER_CHANGED : ORDER_SAME);
	o->paid = true;
	o->paid_no = event_no;
	o->time_ms = e->time_ms;
	o->total = e->amount;
	o->tax = e->tax;
	o->shipping = e->shipping;
	o->currency = e->currency;
	settle_parts(o);
	fill_keys(o, e);
	return (ORDER_CHANGED);
}

static bool
apply_refund(struct order *o, const struct order_event *e, uint64_t id)
{
	if (!e->cumulative || !o->paid)
		return (take_refund(o, (struct part){ e->cumulative ? 0 : id, e->amount, e->currency, false, e->cumulative }));
	if (e->amount <= o->cumulative)
		return (false);
	o->cumulative = e->amount;
	return (true);
}

enum order_change
order_apply(struct order *o, const struct order_event *e, uint64_t event_no, const struct hash_key *key)
{
	bool won = e->kind == ORDER_DISPUTE_WON, changed;
	uint64_t id;

	if (e->kind == ORDER_PAID)
		return (apply_paid(o, e, event_no));
	if (o->paid && !currency_equal(o->currency, e->currency))
		return (ORDER_OTHER_CURRENCY);
	if (o->currency.code[0] == '\0')
		o->currency = e->currency;	/* until the order's own is known */
	id = hash_bytes(key, e->part_id);
	if (e->kind == ORDER_REFUNDED)
		changed = apply_refund(o, e, id);
	else
		changed = take_dispute(o, (struct part){ id, won ? -1 : e->amount, e->currency, won, false });
	return (changed ? ORDER_CHANGED : ORDER_SAME);
}

bool
order_contradicts(const struct order *o, const struct order_event *e, const struct hash_key *key)
{
	bool refund = e->kind == ORDER_REFUNDED;
	const struct part *p;

	if (e->kind == ORDER_PAID)
		return (o->paid && e->amount > 0 && (e->amount != o->total || !currency_equal(e->currency, o->currency)));
	if (e->kind == ORDER_DISPUTE_WON || (refund && e->cumulative))
		return (false);			/* say nothing of their own; grow as they please */
	p = find_part(refund ? o->refunds : o->disputes, refund ? o->n_refunds : o->n_disputes, hash_bytes(key, e->part_id), e->currency,
	    false);
	return (p != NULL && p->amount >= 0 && p->amount != e->amount);
}

/* ---- erasing -------------------------------------------------------------- */

void
order_erase(struct order *o)
{
	o->erased = true;
	o->customer = 0;
	memset(o->visitors, 0, sizeof(o->visitors));
	memset(o->agents, 0, sizeof(o->agents));
	memset(o->tokens, 0, sizeof(o->tokens));
	o->n_tokens = 0;
	o->visit = (struct visit_ref){ 0 };
	free(o->touches);
	o->touches = NULL;
	o->n_touches = 0;
	if (!o->counted_joined || o->unconverted) {
		o->how = JOIN_NONE;	/* there is no visit left for which it could be counted */
		o->counted_joined = false;
	}
}

/* ---- aliases ------------------------------------------------------------- */

static struct order_event
keys_of(const struct order *o)
{
	struct order_event keys = { .time_ms = o->time_ms, .customer = o->customer, .recurring = o->recurring, .n_tokens = o->n_tokens };

	memcpy(keys.visitors, o->visitors, sizeof(keys.visitors));
	memcpy(keys.agents, o->agents, sizeof(keys.agents));
	memcpy(keys.tokens, o->tokens, sizeof(keys.tokens));
	return (keys);
}

/* Money, time and keys of the one that was paid first; what it lacks from the other. */
static void
merge_paid(struct order *into, const struct order *from, bool from_first)
{
	struct order_event mine = keys_of(into), theirs = keys_of(from);

	if (!from_first) {
		fill_keys(into, &theirs);
		return;
	}
	into->paid = true;
	into->paid_no = from->paid_no;
	into->time_ms = from->time_ms;
	into->total = from->total;
	into->tax = from->tax;
	into->shipping = from->shipping;
	into->currency = from->currency;
	into->customer = 0;
	into->n_tokens = 0;
	memset(into->visitors, 0, sizeof(into->visitors));
	memset(into->agents, 0, sizeof(into->agents));
	fill_keys(into, &theirs);
	fill_keys(into, &mine);
}

/* A paid order's running total in the form in which it waits for an order. */
static void
unsettle_total(struct order *o)
{
	if (o->cumulative > 0)
		take_refund(o, (struct part){ 0, o->cumulative, o->currency, false, true });
	o->cumulative = 0;
}

static void
merge_join(struct order *into, struct order *from)
{
	into->how = from->how;
	into->visit = from->visit;
	free(into->touches);
	into->touches = from->touches;
	into->n_touches = from->n_touches;
	from->touches = NULL;
	from->n_touches = 0;
}

void
order_merge(struct order *into, struct order *from)
{
	bool from_first = from->paid && (!into->paid || from->paid_no < into->paid_no);

	into->erased |= from->erased;
	unsettle_total(into);
	unsettle_total(from);
	merge_paid(into, from, from_first);
	if (into->currency.code[0] == '\0')
		into->currency = from->currency;
	for (size_t i = 0; i < from->n_refunds; i++)
		take_refund(into, from->refunds[i]);
	for (size_t i = 0; i < from->n_disputes; i++)
		take_dispute(into, from->disputes[i]);
	if (into->paid)
		settle_parts(into);
	if (from->how != JOIN_NONE && (into->how == JOIN_NONE || from_first))
		merge_join(into, from);
	if (into->erased)
		order_erase(into);
}

/* Sums stay far below 2^63: each part is at most MONEY_MAX, and there are at most PARTS_MAX. */
int64_t
order_refunded(const struct order *o)
{
	int64_t refunded = 0, total = o->cumulative;

	for (size_t i = 0; i < o->n_refunds; i++) {
		const struct part *p = &o->refunds[i];

		if (!currency_equal(p->currency, o->currency))
			continue;
		if (!p->total)
			refunded += p->amount;
		else if (p->amount > total)
			total = p->amount;
	}
	return (refunded > total ? refunded : total);
}

int64_t
order_lost(const struct order *o)
{
	int64_t lost = 0;

	for (size_t i = 0; i < o->n_disputes; i++)
		if (!o->disputes[i].won && o->disputes[i].amount > 0 && currency_equal(o->disputes[i].currency, o->currency))
			lost += o->disputes[i].amount;
	return (lost);
}

int64_t
order_taken_back(const struct order *o)
{
	return (order_refunded(o) + order_lost(o));
}

int64_t
order_basis(const struct order *o, int basis)
{
	int64_t amount = o->total;

	if (basis != BASIS_TOTAL)
		amount -= o->tax;
	if (basis == BASIS_NET)
		amount -= o->shipping;
	return (amount);
}

/* ---- records ------------------------------------------------------------- */

enum { PART_F_WON = 1, PART_F_TOTAL = 2 };

/* The currency of each part stands there as long as it need not be the order's. */
static void
encode_parts(const struct order *o, const struct part *parts, size_t n, struct buf *out)
{
	buf_varint(out, n);
	for (size_t i = 0; i < n; i++) {
		buf_u64(out, parts[i].id);
		buf_svarint(out, parts[i].amount);
		buf_putc(out, (char)((parts[i].won ? PART_F_WON : 0) | (parts[i].total ? PART_F_TOTAL : 0)));
		if (!o->paid)
			buf_put(out, parts[i].currency.code, 3);
	}
}

static struct currency
decode_currency(struct reader *r)
{
	struct slice code = reader_bytes(r, 3);
	struct currency c = { "" };

	if (code.len == 3)
		memcpy(c.code, code.p, 3);
	return (c);
}

static void
decode_parts(struct reader *r, const struct order *o, struct part **parts, size_t *n, size_t *cap)
{
	uint64_t count = reader_varint(r);
	int flags;

	if (count > PARTS_MAX)
		r->bad = true;
	for (uint64_t i = 0; i < count && !r->bad; i++) {
		struct part p;

		p.id = reader_u64(r);
		p.amount = reader_within(r, MONEY_MAX);
		flags = reader_u8(r);
		p.won = (flags & PART_F_WON) != 0;
		p.total = (flags & PART_F_TOTAL) != 0;
		p.currency = o->paid ? o->currency : decode_currency(r);
		add_part(parts, n, cap, p);
	}
}

static void
encode_join(const struct order *o, struct buf *out)
{
	buf_putc(out, (char)o->how);
	if (o->how == JOIN_NONE)
		return;
	buf_u64(out, o->visit.visitor);
	buf_varint(out, o->visit.id);
	buf_svarint(out, o->visit.start_ms);
	buf_varint(out, o->n_touches);
	for (size_t i = 0; i < o->n_touches; i++) {
		const struct touch *t = &o->touches[i];

		buf_svarint(out, t->start_ms);
		buf_putc(out, t->is_direct);
		buf_varint(out, t->source);
		buf_varint(out, t->channel);
		buf_varint(out, t->campaign);
	}
}

static void
decode_join(struct reader *r, struct order *o)
{
	uint64_t n;

	o->how = reader_u8(r);
	if (o->how >= JOINS)
		r->bad = true;
	if (r->bad || o->how == JOIN_NONE)
		return;
	o->visit.visitor = reader_u64(r);
	o->visit.id = reader_varint(r);
	o->visit.start_ms = reader_within(r, TIME_MAX_MS);
	n = reader_varint(r);
	if ((n == 0) != o->erased || n > TOUCHES_MAX)
		r->bad = true;
	if (r->bad || n == 0)
		return;
	o->touches = mem_calloc(n, sizeof(*o->touches));
	o->n_touches = n;
	for (uint64_t i = 0; i < n; i++) {
		struct touch *t = &o->touches[i];

		t->start_ms = reader_within(r, TIME_MAX_MS);
		t->is_direct = reader_u8(r) != 0;
		t->source = (uint32_t)reader_varint(r);
		t->channel = (uint32_t)reader_varint(r);
		t->campaign = (uint32_t)reader_varint(r);
	}
}

enum { ORDER_F_PAID = 1, ORDER_F_RECURRING = 2, ORDER_F_COUNTED = 4, ORDER_F_COUNTED_JOINED = 8, ORDER_F_COUNTED_RECURRING = 16,
	ORDER_F_UNCONVERTED = 32, ORDER_F_ERASED = 64 };

static int
order_flags(const struct order *o)
{
	return ((o->paid ? ORDER_F_PAID : 0) | (o->recurring ? ORDER_F_RECURRING : 0) | (o->counted ? ORDER_F_COUNTED : 0) |
	    (o->counted_joined ? ORDER_F_COUNTED_JOINED : 0) | (o->counted_recurring ? ORDER_F_COUNTED_RECURRING : 0) |
	    (o->unconverted ? ORDER_F_UNCONVERTED : 0) | (o->erased ? ORDER_F_ERASED : 0));
}

void
order_encode(const struct order *o, struct buf *out)
{
	buf_putc(out, RECORD_VERSION);
	buf_slice(out, o->alias_of);
	if (o->alias_of.len > 0)
		return;
	buf_putc(out, (char)order_flags(o));
	buf_varint(out, o->paid_no);
	buf_svarint(out, o->time_ms);
	buf_svarint(out, o->total);
	buf_svarint(out, o->tax);
	buf_svarint(out, o->shipping);
	buf_put(out, o->currency.code, 4);
	buf_svarint(out, o->counted_gross);
	buf_svarint(out, o->counted_net);
	buf_u64(out, o->customer);
	for (size_t i = 0; i < 2; i++) {
		buf_u64(out, o->visitors[i]);
		buf_u64(out, o->agents[i]);
	}
	buf_varint(out, o->n_tokens);
	for (size_t i = 0; i < o->n_tokens; i++)
		buf_u64(out, o->tokens[i]);
	buf_svarint(out, o->cumulative);
	encode_parts(o, o->refunds, o->n_refunds, out);
	encode_parts(o, o->disputes, o->n_disputes, out);
	encode_join(o, out);
}

static void
decode_flags(struct order *o, int flags)
{
	o->paid = (flags & ORDER_F_PAID) != 0;
	o->recurring = (flags & ORDER_F_RECURRING) != 0;
	o->counted = (flags & ORDER_F_COUNTED) != 0;
	o->counted_joined = (flags & ORDER_F_COUNTED_JOINED) != 0;
	o->counted_recurring = (flags & ORDER_F_COUNTED_RECURRING) != 0;
	o->unconverted = (flags & ORDER_F_UNCONVERTED) != 0;
	o->erased = (flags & ORDER_F_ERASED) != 0;
}

static void
decode_keys(struct reader *r, struct order *o)
{
	uint64_t n;

	o->customer = reader_u64(r);
	for (size_t i = 0; i < 2; i++) {
		o->visitors[i] = reader_u64(r);
		o->agents[i] = reader_u64(r);
	}
	n = reader_varint(r);
	if (n > ORDER_TOKENS_MAX)
		r->bad = true;
	for (o->n_tokens = 0; o->n_tokens < n && !r->bad; o->n_tokens++)
		o->tokens[o->n_tokens] = reader_u64(r);
}

static void
decode_money(struct reader *r, struct order *o)
{
	o->paid_no = reader_varint(r);
	o->time_ms = reader_within(r, TIME_MAX_MS);
	o->total = reader_within(r, MONEY_MAX);
	o->tax = reader_within(r, MONEY_MAX);
	o->shipping = reader_within(r, MONEY_MAX);
	o->currency = decode_currency(r);
	reader_u8(r);				/* the code's end */
	o->counted_gross = reader_svarint(r);
	o->counted_net = reader_svarint(r);
}

/* What later arithmetic takes for granted. */
static bool
makes_sense(const struct order *o)
{
	if (o->paid && o->total <= 0)
		return (false);
	if (o->counted && (!o->paid || o->counted_net < 0 || o->counted_gross < o->counted_net))
		return (false);
	return (!o->counted_joined || o->how != JOIN_NONE);
}

static int
decode(struct slice bytes, struct order *o)
{
	struct reader r = reader_of(bytes);
	struct slice alias;

	if (reader_u8(&r) != RECORD_VERSION)
		return (-1);
	alias = reader_slice(&r);
	if (alias.len > 0) {
		if (r.bad || alias.len > ORDER_ID_MAX)
			return (-1);
		o->alias_of = slice_make(mem_strndup(alias.p, alias.len), alias.len);
		return (0);
	}
	decode_flags(o, reader_u8(&r));
	decode_money(&r, o);
	decode_keys(&r, o);
	o->cumulative = reader_within(&r, MONEY_MAX);
	decode_parts(&r, o, &o->refunds, &o->n_refunds, &o->refunds_cap);
	decode_parts(&r, o, &o->disputes, &o->n_disputes, &o->disputes_cap);
	decode_join(&r, o);
	return (r.bad || !makes_sense(o) ? -1 : 0);
}

int
order_decode(struct slice bytes, struct order *o)
{
	struct order fresh = { .provider = o->provider, .id = o->id };

	if (decode(bytes, o) == 0)
		return (0);
	free(o->refunds);
	free(o->disputes);
	free(o->touches);
	*o = fresh;
	return (-1);
}
