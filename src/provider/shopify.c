/*
 * shopify: https://shopify.dev/docs/apps/build/webhooks
 *
 * The topic stands in a header that nobody signed, so the body's own shape tells what
 * it is: an order has financial_status, a refund order_id and refund_line_items, a
 * dispute evidence_due_by.  An order shows its refunds, too, which are told once more
 * by themselves: ids make that harmless.
 *
 * A shop counts in its own currency and sells in the shopper's (presentment money).
 * Refunds speak the shopper's, so the shopper's counts for both.
 */
#include "provider/body.h"
#include "provider/modules.h"
#include "provider/signature.h"

static const struct slice own_name = { "shopify", 7 };

/* ---- orders ---- */

/* NAME_set.presentment_money, the amount in the currency that m already has. */
static bool
read_presentment(const struct body *order, const char *set, struct order_message *m, int64_t *minor)
{
	struct body money;
	struct currency c;

	*minor = 0;
	if (body_at(order, set) == NULL)
		return (true);
	if (!body_object(order, set, &money) || !body_currency(&money, "currency_code", &c) ||
	    !body_amount(&money, "amount", c, minor))
		return (false);
	return (currency_equal(c, m->currency) || body_complain(order, set, "is in another currency than the total"));
}

static bool
read_shipping_lines(const struct body *order, struct order_message *m)
{
	for (size_t i = 0; i < body_count(order, "shipping_lines"); i++) {
		struct body line = body_item(order, "shipping_lines", i);
		int64_t minor;

		if (!body_amount(&line, "price", m->currency, &minor))
			return (false);
		m->shipping += minor;
		if (m->shipping > MONEY_MAX)
			return (body_complain(order, "shipping_lines", "is no amount"));
	}
	return (true);
}

static bool
read_money(const struct body *order, struct order_message *m)
{
	if (body_at(order, "total_price_set.presentment_money") != NULL)
		return (body_currency(order, "total_price_set.presentment_money.currency_code", &m->currency) &&
		    read_presentment(order, "total_price_set.presentment_money", m, &m->amount) &&
		    read_presentment(order, "total_tax_set.presentment_money", m, &m->tax) &&
		    read_presentment(order, "total_shipping_price_set.presentment_money", m, &m->shipping));
	return (body_currency(order, "currency", &m->currency) &&
	    body_amount(order, "total_price", m->currency, &m->amount) &&
	    body_amount_or_0(order, "total_tax", m->currency, &m->tax) && read_shipping_lines(order, m));
}

/* note_attributes[] of that name: what the cart carried through the checkout. */
static struct slice
note_attribute(const struct body *order, struct slice name)
{
	for (size_t i = 0; i < body_count(order, "note_attributes"); i++) {
		struct body note = body_item(order, "note_attributes", i);

		if (slice_equal(body_text(&note, "name"), name))
			return (body_text(&note, "value"));
	}
	return (SLICE(""));
}

static void
read_keys(const struct body *order, const struct provider_conf *conf, struct order_message *m)
{
	struct slice ip = body_text(order, "client_details.browser_ip");

	m->customer = body_text(order, "customer.id");
	if (m->customer.len == 0)
		m->customer = delivery_email(order->out, body_text(order, "email"));
	m->visitor = note_attribute(order, conf->visitor_key);
	message_token(m, body_text(order, "checkout_token"));
	message_token(m, body_text(order, "cart_token"));
	message_token(m, body_text(order, "token"));
	message_agent(m, ip.len > 0 ? ip : body_text(order, "browser_ip"), body_text(order, "client_details.user_agent"));
	m->recurring = slice_starts(body_text(order, "source_name"), SLICE("subscription_contract"));
}

static bool
read_when(const struct body *b, struct order_message *m)
{
	return (body_time(b, body_at(b, "processed_at") != NULL ? "processed_at" : "created_at", TIME_RFC3339, &m->time_ms));
}

/* ---- refunds ---- */

struct refunded {
	int64_t sum;
	struct currency currency;
	bool is_money;		/* a part that went through */
	bool is_waiting;	/* a part that did not, or not yet */
	bool is_test;
};

/* Voids, captures and failures are transactions, too. */
static bool
read_transaction(const struct body *refund, size_t i, struct refunded *r)
{
	struct body t = body_item(refund, "transactions", i);
	struct currency c;
	int64_t minor;

	if (!slice_is(body_text(&t, "kind"), "refund"))
		return (true);
	if (!slice_is(body_text(&t, "status"), "success")) {
		r->is_waiting = true;
		return (true);
	}
	if (!body_currency(&t, "currency", &c) || !body_amount(&t, "amount", c, &minor))
		return (false);
	if (r->is_money && !currency_equal(c, r->currency))
		return (body_complain(&t, "currency", "differs within one refund"));
	r->currency = c;
	r->sum += minor;
	r->is_money = true;
	r->is_test |= body_is_true(&t, "test");
	return (r->sum <= MONEY_MAX || body_complain(&t, "amount", "is no amount"));
}

/* order_id: of the order that shows it; empty where the refund comes by itself. */
static bool
add_refund(const struct body *refund, const struct provider_conf *conf, struct slice order_id)
{
	struct order_message m = { .kind = ORDER_REFUNDED, .provider = own_name, .order_id = order_id };
	struct refunded r = { 0 };

	for (size_t i = 0; i < body_count(refund, "transactions"); i++)
		if (!read_transaction(refund, i, &r))
			return (false);
	/* Without money it took goods back to stock, no more. */
	if (!r.is_money || r.sum == 0)
		return (delivery_ignore(refund->out, r.is_waiting ? "not_final" : "zero_amount"));
	if (r.is_test != conf->test)
		return (delivery_ignore(refund->out, "test_mode"));
	m.amount = r.sum;
	m.currency = r.currency;
	if (!body_id(refund, "id", &m.part_id) || !read_when(refund, &m) ||
	    (order_id.len == 0 && !body_id(refund, "order_id", &m.order_id)))
		return (false);
	m.event_id = delivery_prefixed(refund->out, "refunded:", m.part_id);
	return (delivery_add(refund->out, &m));
}

/* ---- the three shapes ---- */

static void
read_order(const struct body *order, const struct provider_conf *conf)
{
	struct order_message m = { .kind = ORDER_PAID, .provider = own_name };
	struct slice status = body_text(order, "financial_status");

	if (body_is_true(order, "test") != conf->test) {
		delivery_ignore(order->out, "test_mode");
		return;
	}
	if (!slice_is(status, "paid") && !slice_is(status, "partially_refunded") && !slice_is(status, "refunded")) {
		delivery_ignore(order->out, "not_paid");
		return;
	}
	if (!body_id(order, "id", &m.order_id) || !read_when(order, &m) || !read_money(order, &m))
		return;
	if (m.amount == 0) {
		delivery_ignore(order->out, "zero_amount");
		return;
	}
	read_keys(order, conf, &m);
	m.event_id = delivery_prefixed(order->out, "paid:", m.order_id);
	if (!delivery_add(order->out, &m))
		return;
	for (size_t i = 0; i < body_count(order, "refunds") && order->out->verdict == VERDICT_ACCEPT; i++) {
		struct body refund = body_item(order, "refunds", i);

		add_refund(&refund, conf, m.order_id);
	}
}

static void
read_dispute(const struct body *dispute)
{
	struct order_message m = { .kind = ORDER_DISPUTED, .provider = own_name };
	bool is_won = slice_is(body_text(dispute, "status"), "won");

	if (!slice_is(body_text(dispute, "type"), "chargeback")) {
		delivery_ignore(dispute->out, "inquiry");
		return;
	}
	if (!body_id(dispute, "id", &m.part_id) || !body_id(dispute, "order_id", &m.order_id) ||
	    !body_time(dispute, "initiated_at", TIME_RFC3339, &m.time_ms) ||
	    !body_currency(dispute, "currency", &m.currency) ||
	    !body_amount(dispute, "amount", m.currency, &m.amount))
		return;
	if (is_won)
		m.kind = ORDER_DISPUTE_WON;
	m.event_id = delivery_prefixed(dispute->out, is_won ? "dispute_won:" : "disputed:", m.part_id);
	delivery_add(dispute->out, &m);
}

static void
read_body(const struct body *body, const struct provider_conf *conf)
{
	if (body_has(body, "financial_status"))
		read_order(body, conf);
	else if (body_has(body, "order_id") && body_has(body, "refund_line_items"))
		add_refund(body, conf, SLICE(""));
	else if (body_has(body, "evidence_due_by"))
		read_dispute(body);
	else
		delivery_ignore(body->out, "irrelevant_type");
}

static const struct mac_header signature = { .name = "X-Shopify-Hmac-Sha256", .other_name = "Shopify-Hmac-Sha256" };

static void
shopify_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct body body;

	delivery_begin(out);
	if (!request_is_post(req, out))
		return;
	/* The newer spelling of the headers has no X-. */
	if (!request_header(req, "X-Shopify-Topic", &out->type))
		request_header(req, "Shopify-Topic", &out->type);
	if (signed_header(conf, req, &signature, SLICE(""), out) && body_parse(req->body, out, &body))
		read_body(&body, conf);
}

/* Shopify's own pages carry their tokens in the path, on Shopify's servers. */
static const char *const tokens[] = { NULL };
static const char *const pages[] = { "checkout.shopify.com", "pay.shopify.com", "shop.app", NULL };

const struct provider provider_shopify = { .name = "shopify", .read = shopify_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
