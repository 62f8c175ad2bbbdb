/*
 * stripe: https://docs.stripe.com/webhooks
 *
 * Stripe tells of one payment in up to five events.  One of them counts: the session
 * of a Checkout, the invoice of a subscription; or the payment intent, where the
 * owner says so.  An order is named by its invoice if there is one, else by its
 * payment intent, so that the session and the first invoice of a subscription are one
 * order.  Refunds and disputes name payment intents: aliases tie the two.
 */
#include "base/mem.h"
#include "provider/body.h"
#include "provider/modules.h"
#include "provider/signature.h"

struct event {
	const struct provider_conf *conf;
	struct delivery *out;
	struct body object;		/* data.object */
	struct slice type;
	struct order_message message;	/* filled in as far as known */
};

/* ---- money ---- */

/* Stripe's minor units; where they are not those of ISO 4217.
 * https://docs.stripe.com/currencies#special-cases */
static int
unit_exponent(struct currency c)
{
	if (memcmp(c.code, "MGA", 3) == 0)
		return (0);
	if (memcmp(c.code, "ISK", 3) == 0 || memcmp(c.code, "UGX", 3) == 0)
		return (2);
	return (currency_exponent(c));
}

static bool
read_units(const struct event *e, const char *path, int64_t *minor)
{
	struct currency c = e->message.currency;

	return (body_units(&e->object, path, unit_exponent(c), c, minor));
}

static bool
read_units_or_0(const struct event *e, const char *path, int64_t *minor)
{
	struct currency c = e->message.currency;

	return (body_units_or_0(&e->object, path, unit_exponent(c), c, minor));
}

/* ---- messages ---- */

static bool
add(struct event *e, enum order_kind kind)
{
	e->message.kind = kind;
	return (delivery_add(e->out, &e->message));
}

/* A trial, a full discount: no order. */
static bool
is_zero(struct event *e)
{
	if (e->message.amount != 0)
		return (false);
	delivery_ignore(e->out, "zero_amount");
	return (true);
}

/* The first of two paths that is there. */
static struct slice
either(const struct event *e, const char *path, const char *other)
{
	struct slice text = body_text(&e->object, path);

	return (text.len > 0 ? text : body_text(&e->object, other));
}

static struct slice
visitor_in(const struct event *e, const char *path)
{
	return (body_text_of(&e->object, path, e->conf->visitor_key));
}

static bool
session_paid(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice intent = body_text(&e->object, "payment_intent");
	struct slice reference = body_text(&e->object, "client_reference_id");

	if (!body_currency(&e->object, "currency", &m->currency) || !read_units(e, "amount_total", &m->amount) ||
	    !read_units_or_0(e, "total_details.amount_tax", &m->tax) ||
	    !read_units_or_0(e, "total_details.amount_shipping", &m->shipping) || is_zero(e))
		return (false);
	m->order_id = either(e, "invoice", "payment_intent");
	if (m->order_id.len == 0)
		return (body_complain(&e->object, "payment_intent", "is missing, and so is invoice"));
	m->customer = body_text(&e->object, "customer");
	if (m->customer.len == 0)
		m->customer = delivery_email(e->out, body_text(&e->object, "customer_details.email"));
	m->visitor = visitor_in(e, "metadata");
	if (m->visitor.len == 0)
		m->visitor = reference;
	message_token(m, body_text(&e->object, "id"));
	message_token(m, intent);
	message_token(m, reference);
	if (!slice_equal(m->order_id, intent))
		message_alias(m, intent);
	return (add(e, ORDER_PAID));
}

static bool
on_session_completed(struct event *e)
{
	struct slice status = body_text(&e->object, "payment_status");

	if (e->conf->count_payment_intents)
		return (delivery_ignore(e->out, "same_money"));
	if (slice_is(status, "paid"))
		return (session_paid(e));
	return (delivery_ignore(e->out, slice_is(status, "no_payment_required") ? "zero_amount" : "not_paid"));
}

static bool
on_session_async_succeeded(struct event *e)
{
	if (e->conf->count_payment_intents)
		return (delivery_ignore(e->out, "same_money"));
	return (session_paid(e));
}

/* total_taxes[], before 2025-03-31 `tax`. */
static bool
read_invoice_tax(struct event *e)
{
	struct currency c = e->message.currency;
	size_t n = body_count(&e->object, "total_taxes");

	if (!json_is_array(body_at(&e->object, "total_taxes")))
		return (read_units_or_0(e, "tax", &e->message.tax));
	for (size_t i = 0; i < n; i++) {
		struct body tax = body_item(&e->object, "total_taxes", i);
		int64_t minor;

		if (!body_units(&tax, "amount", unit_exponent(c), c, &minor))
			return (false);
		e->message.tax += minor;
	}
	return (e->message.tax <= MONEY_MAX || body_complain(&e->object, "total_taxes", "is no amount"));
}

static bool
on_invoice_paid(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice reason = body_text(&e->object, "billing_reason");

	/* `manual` follows a Checkout that makes an invoice: the session told of it. */
	if (e->conf->count_payment_intents || !slice_starts(reason, SLICE("subscription")))
		return (delivery_ignore(e->out, "same_money"));
	if (!body_id(&e->object, "id", &m->order_id) || !body_currency(&e->object, "currency", &m->currency) ||
	    !read_units(e, "amount_paid", &m->amount) || !read_invoice_tax(e) ||
	    !read_units_or_0(e, "shipping_cost.amount_total", &m->shipping) || is_zero(e))
		return (false);
	m->recurring = !slice_is(reason, "subscription_create");
	m->customer = body_text(&e->object, "customer");
	m->visitor = visitor_in(e, "parent.subscription_details.metadata");
	if (m->visitor.len == 0)
		m->visitor = visitor_in(e, "subscription_details.metadata");
	message_alias(m, body_text(&e->object, "payment_intent"));
	message_alias(m, body_text(&e->object, "charge"));
	return (add(e, ORDER_PAID));
}

/* Since 2025-03-31 the only event that knows both the invoice and the payment intent. */
static bool
on_invoice_payment_paid(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice intent = body_text(&e->object, "payment.payment_intent");

	if (e->conf->count_payment_intents || intent.len == 0)
		return (delivery_ignore(e->out, "irrelevant_type"));
	if (!body_id(&e->object, "invoice", &m->order_id))
		return (false);
	message_alias(m, intent);
	return (add(e, ORDER_ALIAS));
}

static bool
on_payment_intent_succeeded(struct event *e)
{
	struct order_message *m = &e->message;

	if (!e->conf->count_payment_intents)
		return (delivery_ignore(e->out, "same_money"));
	if (!body_id(&e->object, "id", &m->order_id) || !body_currency(&e->object, "currency", &m->currency) ||
	    !read_units(e, "amount_received", &m->amount) || is_zero(e))
		return (false);
	m->customer = body_text(&e->object, "customer");
	m->visitor = visitor_in(e, "metadata");
	message_token(m, m->order_id);
	return (add(e, ORDER_PAID));
}

/* A refund or dispute: its id, whose it is, how much. */
static bool
add_part(struct event *e, enum order_kind kind)
{
	struct order_message *m = &e->message;

	if (!body_id(&e->object, "id", &m->part_id) || !body_currency(&e->object, "currency", &m->currency) ||
	    !read_units(e, "amount", &m->amount))
		return (false);
	m->order_id = either(e, "payment_intent", "charge");
	if (m->order_id.len == 0)
		return (body_complain(&e->object, "payment_intent", "is missing, and so is charge"));
	return (add(e, kind));
}

static bool
on_refund(struct event *e)
{
	if (!slice_is(body_text(&e->object, "status"), "succeeded"))
		return (delivery_ignore(e->out, "not_final"));
	return (add_part(e, ORDER_REFUNDED));
}

/* An inquiry (warning_needs_response, warning_closed) takes no money. */
static bool
is_inquiry(const struct event *e)
{
	return (slice_starts(body_text(&e->object, "status"), SLICE("warning_")));
}

static bool
on_dispute_created(struct event *e)
{
	if (is_inquiry(e))
		return (delivery_ignore(e->out, "inquiry"));
	return (add_part(e, ORDER_DISPUTED));
}

static bool
on_funds_withdrawn(struct event *e)
{
	return (add_part(e, ORDER_DISPUTED));
}

static bool
on_funds_reinstated(struct event *e)
{
	return (add_part(e, ORDER_DISPUTE_WON));
}

static bool
on_dispute_closed(struct event *e)
{
	if (slice_is(body_text(&e->object, "status"), "won"))
		return (add_part(e, ORDER_DISPUTE_WON));
	return (delivery_ignore(e->out, is_inquiry(e) ? "inquiry" : "no_change"));
}

/* ---- events ---- */

/* What is not here is no money, or the same money again: charge.succeeded,
 * charge.captured, charge.refunded, invoice.payment_succeeded, ... */
static const struct { const char *type; bool (*read)(struct event *); } types[] = {
	{ "checkout.session.completed", on_session_completed },
	{ "checkout.session.async_payment_succeeded", on_session_async_succeeded },
	{ "invoice.paid", on_invoice_paid },
	{ "invoice_payment.paid", on_invoice_payment_paid },
	{ "payment_intent.succeeded", on_payment_intent_succeeded },
	{ "refund.created", on_refund },
	{ "refund.updated", on_refund },
	{ "charge.dispute.created", on_dispute_created },
	{ "charge.dispute.funds_withdrawn", on_funds_withdrawn },
	{ "charge.dispute.funds_reinstated", on_funds_reinstated },
	{ "charge.dispute.closed", on_dispute_closed },
};

static bool
read_event(const struct body *body, struct event *e)
{
	struct order_message *m = &e->message;
	bool is_live;
	size_t i;

	if (slice_is(body_text(body, "object"), "v2.core.event"))
		return (delivery_ignore(e->out, "irrelevant_type"));
	if (!slice_is(body_text(body, "object"), "event"))
		return (body_complain(body, "object", "is not \"event\""));
	if (!body_id(body, "type", &e->type))
		return (false);
	e->out->type = e->type;
	for (i = 0; i < N_ELEM(types) && !slice_is(e->type, types[i].type);)
		i++;
	if (i == N_ELEM(types))
		return (delivery_ignore(e->out, "irrelevant_type"));
	if (body_at(body, "livemode") == NULL)
		return (body_complain(body, "livemode", "is missing"));
	if (!body_bool_or_false(body, "livemode", &is_live))
		return (false);
	if (is_live == e->conf->test)
		return (delivery_ignore(e->out, "test_mode"));
	return (body_id(body, "id", &m->event_id) && body_time(body, "created", TIME_UNIX, &m->time_ms) &&
	    body_object(body, "data.object", &e->object) && types[i].read(e));
}

/* ---- signature ---- */

/* "t=1772445600,v1=HEX,v1=HEX,v0=..." */
static bool
signed_by_stripe(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct signatures v1 = { .len = 32 };
	struct slice header, time = SLICE("");
	int64_t seconds;

	if (req->was_checked)
		return (true);
	if (!request_header(req, "Stripe-Signature", &header))
		return (delivery_reject(out, 401, "missing_signature"));
	while (header.len > 0) {
		struct slice value = slice_cut(&header, ','), scheme = slice_cut(&value, '=');

		if (slice_is(scheme, "t"))
			time = value;
		else if (slice_is(scheme, "v1"))
			signatures_add_hex(&v1, value);
	}
	if (!unix_seconds(time, &seconds))
		return (delivery_reject(out, 400, "malformed_signature"));
	return (signed_hmac256(conf, &v1, (struct slice[]){ time, SLICE("."), req->body }, 3, out) &&
	    signed_in_time(conf, req, seconds, out));
}

static void
stripe_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e = { .conf = conf, .out = out, .message.provider = SLICE("stripe") };
	struct body body;

	delivery_begin(out);
	if (request_is_post(req, out) && signed_by_stripe(conf, req, out) && body_parse(req->body, out, &body))
		read_event(&body, &e);
}

/* Checkout's {CHECKOUT_SESSION_ID}, as the manual of Checkout spells the parameter; the Payment
 * Element adds payment_intent by itself. */
static const char *const tokens[] = { "*", "session_id", "*", "payment_intent", NULL };

const struct provider provider_stripe = { "stripe", stripe_read, tokens };
