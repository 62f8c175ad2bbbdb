/*
 * order_event: an order event as bytes, for the journal and the engine's state.
 *
 * A version byte, then compact integers.  Most events lack most fields (a refund
 * has no keys at all), so that a byte of flags says which ones follow.
 */
#include "core/order.h"

#include "base/mem.h"

#define VERSION 1
#define TIME_MAX INT64_C(253402300799999)	/* the end of the year 9999 */

/* Which of the keyed hashes follow, and the booleans. */
enum {
	HAS_CUSTOMER = 1 << 0,
	HAS_VISITOR_COOKIE = 1 << 1,
	HAS_VISITOR_UID = 1 << 2,
	HAS_AGENT_TODAY = 1 << 3,
	HAS_AGENT_YESTERDAY = 1 << 4,
	IS_RECURRING = 1 << 5,
	IS_CUMULATIVE = 1 << 6,
	IS_EMAIL = 1 << 7
};

static const char *const kind_names[ORDER_KINDS] = {
	[ORDER_PAID] = "order.paid",
	[ORDER_REFUNDED] = "order.refunded",
	[ORDER_DISPUTED] = "order.disputed",
	[ORDER_DISPUTE_WON] = "order.dispute_won",
	[ORDER_ALIAS] = "order.alias",
};

const char *
order_kind_name(enum order_kind kind)
{
	must((unsigned)kind < ORDER_KINDS);
	return (kind_names[kind]);
}

static uint8_t
flags_of(const struct order_event *e)
{
	return ((uint8_t)((e->customer != 0 ? HAS_CUSTOMER : 0) |
	    (e->visitors[0] != 0 ? HAS_VISITOR_COOKIE : 0) | (e->visitors[1] != 0 ? HAS_VISITOR_UID : 0) |
	    (e->agents[0] != 0 ? HAS_AGENT_TODAY : 0) | (e->agents[1] != 0 ? HAS_AGENT_YESTERDAY : 0) |
	    (e->recurring ? IS_RECURRING : 0) | (e->cumulative ? IS_CUMULATIVE : 0) |
	    (e->customer_is_email ? IS_EMAIL : 0)));
}

static void
put_id(struct buf *b, struct slice id)
{
	must(id.len <= ORDER_ID_MAX);
	buf_slice(b, id);
}

static void
put_hash(struct buf *b, uint64_t hash)
{
	if (hash != 0)
		buf_u64(b, hash);
}

void
order_event_encode(const struct order_event *e, struct buf *b)
{
	must((unsigned)e->kind < ORDER_KINDS);
	must(e->n_tokens <= ORDER_TOKENS_MAX && e->n_aliases <= ORDER_ALIASES_MAX);
	buf_putc(b, VERSION);
	buf_putc(b, (char)e->kind);
	buf_putc(b, (char)flags_of(e));
	put_id(b, e->event_id);
	put_id(b, e->provider);
	put_id(b, e->order_id);
	put_id(b, e->part_id);
	buf_svarint(b, e->time_ms);
	buf_put(b, e->currency.code, 3);
	buf_svarint(b, e->amount);
	buf_svarint(b, e->tax);
	buf_svarint(b, e->shipping);
	put_hash(b, e->customer);
	put_hash(b, e->visitors[0]);
	put_hash(b, e->visitors[1]);
	put_hash(b, e->agents[0]);
	put_hash(b, e->agents[1]);
	buf_varint(b, e->n_tokens);
	for (size_t i = 0; i < e->n_tokens; i++)
		buf_u64(b, e->tokens[i]);
	buf_varint(b, e->n_aliases);
	for (size_t i = 0; i < e->n_aliases; i++)
		put_id(b, e->aliases[i]);
}

static struct slice
take_id(struct reader *r)
{
	struct slice id = reader_slice(r);

	if (id.len > ORDER_ID_MAX)
		r->bad = true;
	return (id);
}

static int64_t
take_between(struct reader *r, int64_t low, int64_t high)
{
	int64_t v = reader_svarint(r);

	if (v < low || v > high)
		r->bad = true;
	return (v);
}

static size_t
take_count(struct reader *r, size_t max)
{
	uint64_t n = reader_varint(r);

	if (n > max)
		r->bad = true;
	return (r->bad ? 0 : (size_t)n);
}

/* Three capitals; an event without an amount has three NULs. */
static struct currency
take_currency(struct reader *r)
{
	struct slice code = reader_bytes(r, 3);
	struct currency c = { "" };

	if (r->bad || slice_equal(code, SLICE("\0\0\0")))
		return (c);
	if (!currency_parse(code, &c) || memcmp(c.code, code.p, 3) != 0)
		r->bad = true;
	return (c);
}

/* A hash that is there is not 0: that would have a shorter encoding. */
static uint64_t
take_hash(struct reader *r, bool is_there)
{
	uint64_t hash = is_there ? reader_u64(r) : 0;

	if (is_there && hash == 0)
		r->bad = true;
	return (hash);
}

static void
take_keys(struct reader *r, uint8_t flags, struct order_event *e)
{
	e->customer = take_hash(r, flags & HAS_CUSTOMER);
	e->visitors[0] = take_hash(r, flags & HAS_VISITOR_COOKIE);
	e->visitors[1] = take_hash(r, flags & HAS_VISITOR_UID);
	e->agents[0] = take_hash(r, flags & HAS_AGENT_TODAY);
	e->agents[1] = take_hash(r, flags & HAS_AGENT_YESTERDAY);
	e->n_tokens = take_count(r, ORDER_TOKENS_MAX);
	for (size_t i = 0; i < e->n_tokens; i++)
		e->tokens[i] = reader_u64(r);
	e->n_aliases = take_count(r, ORDER_ALIASES_MAX);
	for (size_t i = 0; i < e->n_aliases; i++)
		e->aliases[i] = take_id(r);
}

int
order_event_decode(struct slice bytes, struct order_event *out)
{
	struct reader r = reader_of(bytes);
	struct order_event e = { .kind = ORDER_PAID };
	uint8_t version = reader_u8(&r), kind = reader_u8(&r), flags = reader_u8(&r);

	if (version != VERSION || kind >= ORDER_KINDS)
		return (-1);
	e.kind = (enum order_kind)kind;
	e.recurring = flags & IS_RECURRING;
	e.cumulative = flags & IS_CUMULATIVE;
	e.customer_is_email = flags & IS_EMAIL;
	e.event_id = take_id(&r);
	e.provider = take_id(&r);
	e.order_id = take_id(&r);
	e.part_id = take_id(&r);
	e.time_ms = take_between(&r, 0, TIME_MAX);
	e.currency = take_currency(&r);
	e.amount = take_between(&r, 0, MONEY_MAX);
	e.tax = take_between(&r, 0, MONEY_MAX);
	e.shipping = take_between(&r, 0, MONEY_MAX);
	take_keys(&r, flags, &e);
	if (e.kind == ORDER_ALIAS && e.n_aliases != 1)
		return (-1);
	if (r.bad || reader_more(&r))
		return (-1);
	*out = e;
	return (0);
}
