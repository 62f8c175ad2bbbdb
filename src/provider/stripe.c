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
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

/* Where Stripe's minor units are not those of ISO 4217.
 * https://docs.stripe.com/currencies#special-cases */
static const struct own_unit own_units[] = { { "MGA", 0 }, { "ISK", 2 }, { "UGX", 2 }, { NULL, 0 } };
static const struct amounts amounts = { UNITS_ISO, own_units };

static bool
session_paid(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice intent = event_text(e, "payment_intent"), reference = event_text(e, "client_reference_id");

	if (!event_money(e, "currency", "amount_total") || !event_amount_or_0(e, "total_details.amount_tax", &m->tax) ||
	    !event_amount_or_0(e, "total_details.amount_shipping", &m->shipping) || event_is_zero(e))
		return (false);
	m->order_id = event_either(e, "invoice", "payment_intent");
	if (m->order_id.len == 0)
		return (body_complain(&e->object, "payment_intent", "is missing, and so is invoice"));
	m->customer = event_customer(e, "customer", "customer_details.email");
	m->visitor = event_visitor(e, "metadata");
	if (m->visitor.len == 0)
		m->visitor = reference;
	message_token(m, event_text(e, "id"));
	message_token(m, intent);
	message_token(m, reference);
	if (!slice_equal(m->order_id, intent))
		message_alias(m, intent);
	return (event_add(e, ORDER_PAID));
}

static bool
on_session_completed(struct event *e)
{
	struct slice status = event_text(e, "payment_status");

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
	struct event tax = *e;
	size_t n = body_count(&e->object, "total_taxes");

	if (!json_is_array(body_at(&e->object, "total_taxes")))
		return (event_amount_or_0(e, "tax", &e->message.tax));
	for (size_t i = 0; i < n; i++) {
		int64_t minor;

		tax.object = body_item(&e->object, "total_taxes", i);
		if (!event_amount(&tax, "amount", &minor))
			return (false);
		e->message.tax += minor;
	}
	return (e->message.tax <= MONEY_MAX || body_complain(&e->object, "total_taxes", "is no amount"));
}

static bool
on_invoice_paid(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice reason = event_text(e, "billing_reason");

	/* `manual` follows a Checkout that makes an invoice: the session told of it. */
	if (e->conf->count_payment_intents || !slice_starts(reason, SLICE("subscription")))
		return (delivery_ignore(e->out, "same_money"));
	if (!event_id_text(e, "id", &m->order_id) || !event_money(e, "currency", "amount_paid") || !read_invoice_tax(e) ||
	    !event_amount_or_0(e, "shipping_cost.amount_total", &m->shipping) || event_is_zero(e))
		return (false);
	m->recurring = !slice_is(reason, "subscription_create");
	m->customer = event_text(e, "customer");
	m->visitor = event_visitor(e, "parent.subscription_details.metadata");
	if (m->visitor.len == 0)
		m->visitor = event_visitor(e, "subscription_details.metadata");
	message_alias(m, event_text(e, "payment_intent"));
	message_alias(m, event_text(e, "charge"));
	return (event_add(e, ORDER_PAID));
}

/* Since 2025-03-31 the only event that knows both the invoice and the payment intent. */
static bool
on_invoice_payment_paid(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice intent = event_text(e, "payment.payment_intent");

	if (e->conf->count_payment_intents || intent.len == 0)
		return (delivery_ignore(e->out, "irrelevant_type"));
	if (!body_id(&e->object, "invoice", &m->order_id))
		return (false);
	message_alias(m, intent);
	return (event_add(e, ORDER_ALIAS));
}

static bool
on_payment_intent_succeeded(struct event *e)
{
	struct order_message *m = &e->message;

	if (!e->conf->count_payment_intents)
		return (delivery_ignore(e->out, "same_money"));
	if (!event_id_text(e, "id", &m->order_id) || !event_money(e, "currency", "amount_received") || event_is_zero(e))
		return (false);
	m->customer = event_text(e, "customer");
	m->visitor = event_visitor(e, "metadata");
	message_token(m, m->order_id);
	return (event_add(e, ORDER_PAID));
}

/* A refund or dispute, of a payment intent; of the charge where there is none. */
static bool
add_part(struct event *e, enum order_kind kind)
{
	const struct part_paths of_intent = { "id", "payment_intent", "currency", "amount" };
	const struct part_paths of_charge = { "id", "charge", "currency", "amount" };

	if (event_either(e, "payment_intent", "charge").len == 0)
		return (body_complain(&e->object, "payment_intent", "is missing, and so is charge"));
	return (event_add_part(e, kind, event_text(e, "payment_intent").len > 0 ? &of_intent : &of_charge));
}

static bool
on_refund(struct event *e)
{
	if (!slice_is(event_text(e, "status"), "succeeded"))
		return (delivery_ignore(e->out, "not_final"));
	return (add_part(e, ORDER_REFUNDED));
}

/* An inquiry (warning_needs_response, warning_closed) takes no money. */
static bool
is_inquiry(const struct event *e)
{
	return (slice_starts(event_text(e, "status"), SLICE("warning_")));
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
	if (slice_is(event_text(e, "status"), "won"))
		return (add_part(e, ORDER_DISPUTE_WON));
	return (delivery_ignore(e->out, is_inquiry(e) ? "inquiry" : "no_change"));
}

/* ---- events ---- */

/* What is not here is no money, or the same money again: charge.succeeded,
 * charge.captured, charge.refunded, invoice.payment_succeeded, ... */
static const struct event_type types[] = {
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
read_event(struct event *e)
{
	const struct body *body = &e->body;
	struct order_message *m = &e->message;
	event_reader *read;
	bool is_live;

	if (slice_is(body_text(body, "object"), "v2.core.event"))
		return (delivery_ignore(e->out, "irrelevant_type"));
	if (!slice_is(body_text(body, "object"), "event"))
		return (body_complain(body, "object", "is not \"event\""));
	read = event_reader_of(e, "type", types, N_ELEM(types));
	if (read == NULL)
		return (false);
	if (body_at(body, "livemode") == NULL)
		return (body_complain(body, "livemode", "is missing"));
	if (!body_bool_or_false(body, "livemode", &is_live) || event_is_of_other_mode(e, !is_live))
		return (false);
	return (body_id(body, "id", &m->event_id) && body_time(body, "created", TIME_UNIX, &m->time_ms) &&
	    body_object(body, "data.object", &e->object) && read(e));
}

/* "t=1772445600,v1=HEX,v1=HEX,v0=..." */
static const struct timed_header signature = { "Stripe-Signature", "t", "v1", ',', SLICE(".") };

static void
stripe_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;

	if (event_begin(&e, &provider_stripe, &amounts, conf, req, out) && signed_timed_header(conf, req, &signature, out) &&
	    event_parse(&e))
		read_event(&e);
}

/* Checkout's {CHECKOUT_SESSION_ID}, as the manual of Checkout spells the parameter; the Payment
 * Element adds payment_intent by itself. */
static const char *const tokens[] = { "*", "session_id", "*", "payment_intent", NULL };
static const char *const pages[] = { "checkout.stripe.com", "buy.stripe.com", "invoice.stripe.com", "billing.stripe.com",
    "hooks.stripe.com", NULL };

const struct provider provider_stripe = { .name = "stripe", .read = stripe_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
