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
#include "provider/form.h"
#include "provider/modules.h"
#include "provider/report.h"

static const struct amounts amounts = { UNITS_ISO, NULL };
static const struct currency dollars = { "USD" };

/* A form has texts, JSON truth. */
static bool
is_true(const struct report *r, const char *path)
{
	return (slice_is(report_text(r, path), "true") || body_is_true(&r->object, path));
}

/* What a gift cost stands beside a price of nothing. */
static bool
read_price(struct report *r)
{
	bool is_gift = is_true(r, "is_gift_receiver_purchase") && report_text(r, "gift_price").len > 0;

	r->message.currency = dollars;
	return (report_amount(r, is_gift ? "gift_price" : "price", &r->message.amount));
}

static bool
on_sale(struct report *r)
{
	struct order_message *m = &r->message;

	if (is_true(r, "is_preorder_authorization"))
		return (delivery_ignore(r->out, "not_paid"));
	if (!read_price(r) || !report_amount_or_0(r, "shipping_rate", &m->shipping) || report_is_zero(r) ||
	    !report_time(r, "sale_timestamp", TIME_RFC3339))
		return (false);
	m->recurring = is_true(r, "is_recurring_charge");
	m->customer = report_customer(r, "purchaser_id", "email");
	m->visitor = report_visitor(r, "url_params");
	return (report_add(r, ORDER_PAID));
}

/* There is one of each kind for a sale, at most, and no id but the sale's. */
static bool
add_part(struct report *r, enum order_kind kind)
{
	r->message.part_id = r->message.order_id;
	return (read_price(r) && !report_is_zero(r) && report_add(r, kind));
}

static bool
on_refund(struct report *r)
{
	if (!is_true(r, "refunded"))
		return (delivery_ignore(r->out, "partial_amount_unknown"));
	return (add_part(r, ORDER_REFUNDED));
}

static bool
on_dispute(struct report *r)
{
	return (add_part(r, ORDER_DISPUTED));
}

static bool
on_dispute_won(struct report *r)
{
	return (add_part(r, ORDER_DISPUTE_WON));
}

static const struct report_type types[] = {
	{ "sale", on_sale },
	{ "refund", on_refund },
	{ "dispute", on_dispute },
	{ "dispute_won", on_dispute_won },
};

static bool
is_of_seller(const struct report *r)
{
	struct slice mine = r->conf->seller_id, told = report_text(r, "seller_id");

	return (mine.len > 0 && told.len == mine.len && sodium_memcmp(told.p, mine.p, mine.len) == 0);
}

/* What cannot be read names no seller: nobody's word, and not to be kept. */
static bool
parse_of_seller(struct report *r)
{
	bool is_json = r->request->body.len > 0 && *r->request->body.p == '{';
	bool parsed = is_json ? report_parse(r) : form_parse(r->request->body, r->out, &r->body);

	r->object = r->body;
	return ((parsed && is_of_seller(r)) || delivery_reject(r->out, 401, "wrong_account"));
}

/* The seller's plain ping, which tells of sales alone, has no resource_name. */
static report_reader *
kind_of(struct report *r)
{
	if (body_at(&r->body, "resource_name") != NULL)
		return (report_reader_of(r, "resource_name", types, N_ELEM(types)));
	r->out->type = SLICE("sale");
	return (on_sale);
}

static void
gumroad_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;

	if (!report_begin(&r, &provider_gumroad, &amounts, conf, req, out) || !parse_of_seller(&r))
		return;
	read = kind_of(&r);
	r.message.time_ms = req->received_ms;
	if (read != NULL && !report_is_of_other_mode(&r, is_true(&r, "test")) && report_id(&r, "sale_id", &r.message.order_id))
		read(&r);
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "gumroad.com", NULL };

const struct provider provider_gumroad = { .name = "gumroad", .read = gumroad_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SELLER_ID };
