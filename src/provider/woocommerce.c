/*
 * woocommerce: https://woocommerce.com/document/webhooks/
 *
 * Every delivery is the order as it is now: order.updated comes for each change, shows
 * all refunds, and may stand for several changes at once.  The topic is in a header
 * that nobody signed, so the body decides: money moved where date_paid_gmt is set.
 * Nothing is sent twice; what is refused is lost.
 */
#include "provider/body.h"
#include "provider/modules.h"
#include "provider/signature.h"

static const struct slice own_name = { "woocommerce", 11 };

/* Saving a webhook sends this form, unsigned, and wants exactly 200. */
static bool
is_ping(struct slice body)
{
	const struct slice form = SLICE("webhook_id=");
	int64_t id;

	return (slice_starts(body, form) && unix_seconds(slice_skip(body, form.len), &id));
}

/* meta_data[] of that key, or with an underscore before it, which hides it from the shop's own pages. */
static struct slice
meta(const struct body *order, struct slice key)
{
	for (size_t i = 0; i < body_count(order, "meta_data"); i++) {
		struct body item = body_item(order, "meta_data", i);
		struct slice name = body_text(&item, "key"), value = body_text(&item, "value");

		if (value.len > 0 && (slice_equal(name, key) ||
		    (slice_starts(name, SLICE("_")) && slice_equal(slice_skip(name, 1), key))))
			return (value);
	}
	return (SLICE(""));
}

/* Written with as many digits as the shop is set to; shipping and its tax are rounded together. */
static bool
read_money(const struct body *order, struct order_message *m)
{
	struct slice shipping[] = { body_text(order, "shipping_total"), body_text(order, "shipping_tax") };
	int64_t each;

	if (!body_currency(order, "currency", &m->currency) ||
	    !body_amount(order, "total", m->currency, &m->amount) ||
	    !body_amount_or_0(order, "total_tax", m->currency, &m->tax) ||
	    !body_amount_or_0(order, "shipping_total", m->currency, &each) ||
	    !body_amount_or_0(order, "shipping_tax", m->currency, &each))
		return (false);
	for (size_t i = 0; i < 2; i++)
		if (shipping[i].len == 0)
			shipping[i] = SLICE("0");
	return (money_parse_sum(shipping, 2, m->currency, &m->shipping) ||
	    body_complain(order, "shipping_total", "is no amount"));
}

static void
read_keys(const struct body *order, const struct provider_conf *conf, struct order_message *m)
{
	m->customer = body_text(order, "customer_id");
	if (slice_is(m->customer, "0"))
		m->customer = SLICE("");
	if (m->customer.len == 0)
		m->customer = delivery_email(order->out, body_text(order, "billing.email"));
	m->visitor = meta(order, conf->visitor_key);
	message_token(m, body_text(order, "order_key"));
	message_agent(m, body_text(order, "customer_ip_address"), body_text(order, "customer_user_agent"));
	m->recurring = slice_is(body_text(order, "created_via"), "subscription") ||
	    meta(order, SLICE("subscription_renewal")).len > 0;
}

/* {id, reason, total: "-10.00"}: no time of its own, no currency of its own. */
static bool
add_refund(const struct body *order, size_t i, const struct order_message *paid)
{
	struct body refund = body_item(order, "refunds", i);
	struct order_message m = { .kind = ORDER_REFUNDED, .provider = own_name,
	    .order_id = paid->order_id, .currency = paid->currency };

	if (!body_id(&refund, "id", &m.part_id) || !body_time(order, "date_modified_gmt", TIME_GMT, &m.time_ms) ||
	    !body_amount_unsigned(&refund, "total", m.currency, &m.amount))
		return (false);
	if (m.amount == 0)
		return (true);
	m.event_id = delivery_prefixed(order->out, "refunded:", m.part_id);
	return (delivery_add(order->out, &m));
}

static bool
read_order(const struct body *order, const struct provider_conf *conf)
{
	struct order_message m = { .kind = ORDER_PAID, .provider = own_name };

	if (body_text(order, "date_paid_gmt").len == 0)
		return (delivery_ignore(order->out, "not_paid"));
	if (!body_id(order, "id", &m.order_id) || !body_time(order, "date_paid_gmt", TIME_GMT, &m.time_ms) ||
	    !read_money(order, &m))
		return (false);
	if (m.amount == 0)
		return (delivery_ignore(order->out, "zero_amount"));
	read_keys(order, conf, &m);
	m.event_id = delivery_prefixed(order->out, "paid:", m.order_id);
	if (!delivery_add(order->out, &m))
		return (false);
	for (size_t i = 0; i < body_count(order, "refunds"); i++)
		if (!add_refund(order, i, &m))
			return (false);
	return (true);
}

static const struct mac_header signature = { .name = "X-WC-Webhook-Signature" };

static void
woocommerce_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct slice value;
	struct body body;

	delivery_begin(out);
	if (!request_is_post(req, out))
		return;
	request_header(req, "X-WC-Webhook-Topic", &out->type);
	if (!req->was_checked && !request_header(req, signature.name, &value) && is_ping(req->body)) {
		delivery_ignore(out, "ping");
		return;
	}
	if (!signed_header(conf, req, &signature, SLICE(""), out) || !body_parse(req->body, out, &body))
		return;
	/* A product, a customer, {"id":N} of something deleted; and a subscription (of the extension),
	 * which looks like an order but whose payments are orders of their own. */
	if (!body_has(&body, "date_paid_gmt") || body_has(&body, "billing_period"))
		delivery_ignore(out, "irrelevant_type");
	else
		read_order(&body, conf);
}

/* The thank-you page: /checkout/order-received/77/?key=wc_order_... */
static const char *const tokens[] = { "*/order-received/*", "key", NULL };

static const char *const pages[] = { NULL };

const struct provider provider_woocommerce = { .name = "woocommerce", .read = woocommerce_read, .token_params = tokens,
    .payment_pages = pages, .needs = NEEDS_SECRET };
