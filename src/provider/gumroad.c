/*
 * gumroad: pings, https://gumroad.com/ping
 *
 * Nothing is signed.  Who knows the address may send what he likes, so the owner
 * keeps that secret, and the seller's id in each ping is compared, which keeps out
 * what was meant for another.  Prices are in US cents, whatever the currency beside
 * them says.  A partial refund is told without its amount.
 */
#include <sodium.h>

#include "base/mem.h"
#include "provider/event.h"
#include "provider/form.h"
#include "provider/modules.h"

static const struct amounts amounts = { UNITS_ISO, NULL };
static const struct currency dollars = { "USD" };

/* A form has texts, JSON truth. */
static bool
is_true(const struct event *e, const char *path)
{
	return (slice_is(event_text(e, path), "true") || body_is_true(&e->object, path));
}

/* What a gift cost stands beside a price of nothing. */
static bool
read_price(struct event *e)
{
	bool is_gift = is_true(e, "is_gift_receiver_purchase") && event_text(e, "gift_price").len > 0;

	e->message.currency = dollars;
	return (event_amount(e, is_gift ? "gift_price" : "price", &e->message.amount));
}

static bool
on_sale(struct event *e)
{
	struct order_message *m = &e->message;

	if (is_true(e, "is_preorder_authorization"))
		return (delivery_ignore(e->out, "not_paid"));
	if (!read_price(e) || !event_amount_or_0(e, "shipping_rate", &m->shipping) || event_is_zero(e) ||
	    !event_time(e, "sale_timestamp", TIME_RFC3339))
		return (false);
	m->recurring = is_true(e, "is_recurring_charge");
	m->customer = event_customer(e, "purchaser_id", "email");
	m->visitor = event_visitor(e, "url_params");
	return (event_add(e, ORDER_PAID));
}

/* There is one of each kind for a sale, at most, and no id but the sale's. */
static bool
add_part(struct event *e, enum order_kind kind)
{
	e->message.part_id = e->message.order_id;
	return (read_price(e) && !event_is_zero(e) && event_add(e, kind));
}

static bool
on_refund(struct event *e)
{
	if (!is_true(e, "refunded"))
		return (delivery_ignore(e->out, "partial_amount_unknown"));
	return (add_part(e, ORDER_REFUNDED));
}

static bool
on_dispute(struct event *e)
{
	return (add_part(e, ORDER_DISPUTED));
}

static bool
on_dispute_won(struct event *e)
{
	return (add_part(e, ORDER_DISPUTE_WON));
}

static const struct event_type types[] = {
	{ "sale", on_sale },
	{ "refund", on_refund },
	{ "dispute", on_dispute },
	{ "dispute_won", on_dispute_won },
};

static bool
is_of_seller(const struct event *e)
{
	struct slice mine = e->conf->seller_id, told = event_text(e, "seller_id");

	return (mine.len > 0 && told.len == mine.len && sodium_memcmp(told.p, mine.p, mine.len) == 0);
}

/* What cannot be read names no seller: nobody's word, and not to be kept. */
static bool
parse_of_seller(struct event *e)
{
	bool is_json = e->request->body.len > 0 && *e->request->body.p == '{';
	bool parsed = is_json ? event_parse(e) : form_parse(e->request->body, e->out, &e->body);

	e->object = e->body;
	return ((parsed && is_of_seller(e)) || delivery_reject(e->out, 401, "wrong_account"));
}

/* The seller's plain ping, which tells of sales alone, has no resource_name. */
static event_reader *
kind_of(struct event *e)
{
	if (body_at(&e->body, "resource_name") != NULL)
		return (event_reader_of(e, "resource_name", types, N_ELEM(types)));
	e->out->type = SLICE("sale");
	return (on_sale);
}

static void
gumroad_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	event_reader *read;

	if (!event_begin(&e, &provider_gumroad, &amounts, conf, req, out) || !parse_of_seller(&e))
		return;
	read = kind_of(&e);
	e.message.time_ms = req->received_ms;
	if (read != NULL && !event_is_of_other_mode(&e, is_true(&e, "test")) && event_id_text(&e, "sale_id", &e.message.order_id))
		read(&e);
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "gumroad.com", NULL };

const struct provider provider_gumroad = { .name = "gumroad", .read = gumroad_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SELLER_ID };
