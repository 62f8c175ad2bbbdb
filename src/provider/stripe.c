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
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

/* Where Stripe's minor units are not those of ISO 4217.
 * https://docs.stripe.com/currencies#special-cases */
static const struct own_unit own_units[] = { { "MGA", 0 }, { "ISK", 2 }, { "UGX", 2 }, { NULL, 0 } };
static const struct amounts amounts = { UNITS_ISO, own_units };

static bool
session_paid(struct report *r)
{
	struct order_message *m = &r->message;
	struct slice intent = report_text(r, "payment_intent"), reference = report_text(r, "client_reference_id");

	if (!report_money(r, "currency", "amount_total") || !report_amount_or_0(r, "total_details.amount_tax", &m->tax) ||
	    !report_amount_or_0(r, "total_details.amount_shipping", &m->shipping) || report_is_zero(r))
		return (false);
	m->order_id = report_either(r, "invoice", "payment_intent");
	if (m->order_id.len == 0)
		return (body_complain(&r->object, "payment_intent", "is missing, and so is invoice"));
	m->customer = report_customer(r, "customer", "customer_details.email");
	m->visitor = report_visitor(r, "metadata");
	if (m->visitor.len == 0)
		m->visitor = reference;
	message_token(m, report_text(r, "id"));
	message_token(m, intent);
	message_token(m, reference);
	if (!slice_equal(m->order_id, intent))
		message_alias(m, intent);
	return (report_add(r, ORDER_PAID));
}

static bool
on_session_completed(struct report *r)
{
	struct slice status = report_text(r, "payment_status");

	if (r->conf->count_payment_intents)
		return (delivery_ignore(r->out, "same_money"));
	if (slice_is(status, "paid"))
		return (session_paid(r));
	return (delivery_ignore(r->out, slice_is(status, "no_payment_required") ? "zero_amount" : "not_paid"));
}

static bool
on_session_async_succeeded(struct report *r)
{
	if (r->conf->count_payment_intents)
		return (delivery_ignore(r->out, "same_money"));
	return (session_paid(r));
}

/* total_taxes[], before 2025-03-31 `tax`. */
static bool
read_invoice_tax(struct report *r)
{
	struct report tax = *r;
	size_t n = body_count(&r->object, "total_taxes");

	if (!json_is_array(body_at(&r->object, "total_taxes")))
		return (report_amount_or_0(r, "tax", &r->message.tax));
	for (size_t i = 0; i < n; i++) {
		int64_t minor;

		tax.object = body_item(&r->object, "total_taxes", i);
		if (!report_amount(&tax, "amount", &minor))
			return (false);
		r->message.tax += minor;
	}
	return (r->message.tax <= MONEY_MAX || body_complain(&r->object, "total_taxes", "is no amount"));
}

static bool
on_invoice_paid(struct report *r)
{
	struct order_message *m = &r->message;
	struct slice reason = report_text(r, "billing_reason");

	/* `manual` follows a Checkout that makes an invoice: the session told of it. */
	if (r->conf->count_payment_intents || !slice_starts(reason, SLICE("subscription")))
		return (delivery_ignore(r->out, "same_money"));
	if (!report_id(r, "id", &m->order_id) || !report_money(r, "currency", "amount_paid") || !read_invoice_tax(r) ||
	    !report_amount_or_0(r, "shipping_cost.amount_total", &m->shipping) || report_is_zero(r))
		return (false);
	m->recurring = !slice_is(reason, "subscription_create");
	m->customer = report_text(r, "customer");
	m->visitor = report_visitor(r, "parent.subscription_details.metadata");
	if (m->visitor.len == 0)
		m->visitor = report_visitor(r, "subscription_details.metadata");
	message_alias(m, report_text(r, "payment_intent"));
	message_alias(m, report_text(r, "charge"));
	return (report_add(r, ORDER_PAID));
}

/* Since 2025-03-31 the only event that knows both the invoice and the payment intent. */
static bool
on_invoice_payment_paid(struct report *r)
{
	struct order_message *m = &r->message;
	struct slice intent = report_text(r, "payment.payment_intent");

	if (r->conf->count_payment_intents || intent.len == 0)
		return (delivery_ignore(r->out, "irrelevant_type"));
	if (!body_id(&r->object, "invoice", &m->order_id))
		return (false);
	message_alias(m, intent);
	return (report_add(r, ORDER_ALIAS));
}

static bool
on_payment_intent_succeeded(struct report *r)
{
	struct order_message *m = &r->message;

	if (!r->conf->count_payment_intents)
		return (delivery_ignore(r->out, "same_money"));
	if (!report_id(r, "id", &m->order_id) || !report_money(r, "currency", "amount_received") || report_is_zero(r))
		return (false);
	m->customer = report_text(r, "customer");
	m->visitor = report_visitor(r, "metadata");
	message_token(m, m->order_id);
	return (report_add(r, ORDER_PAID));
}

/* A refund or dispute, of a payment intent; of the charge where there is none. */
static bool
add_part(struct report *r, enum order_kind kind)
{
	const struct part_paths of_intent = { "id", "payment_intent", "currency", "amount" };
	const struct part_paths of_charge = { "id", "charge", "currency", "amount" };

	if (report_either(r, "payment_intent", "charge").len == 0)
		return (body_complain(&r->object, "payment_intent", "is missing, and so is charge"));
	return (report_add_part(r, kind, report_text(r, "payment_intent").len > 0 ? &of_intent : &of_charge));
}

static bool
on_refund(struct report *r)
{
	if (!slice_is(report_text(r, "status"), "succeeded"))
		return (delivery_ignore(r->out, "not_final"));
	return (add_part(r, ORDER_REFUNDED));
}

/* An inquiry (warning_needs_response, warning_closed) takes no money. */
static bool
is_inquiry(const struct report *r)
{
	return (slice_starts(report_text(r, "status"), SLICE("warning_")));
}

static bool
on_dispute_created(struct report *r)
{
	if (is_inquiry(r))
		return (delivery_ignore(r->out, "inquiry"));
	return (add_part(r, ORDER_DISPUTED));
}

static bool
on_funds_withdrawn(struct report *r)
{
	return (add_part(r, ORDER_DISPUTED));
}

static bool
on_funds_reinstated(struct report *r)
{
	return (add_part(r, ORDER_DISPUTE_WON));
}

static bool
on_dispute_closed(struct report *r)
{
	if (slice_is(report_text(r, "status"), "won"))
		return (add_part(r, ORDER_DISPUTE_WON));
	return (delivery_ignore(r->out, is_inquiry(r) ? "inquiry" : "no_change"));
}

/* ---- events ---- */

/* What is not here is no money, or the same money again: charge.succeeded,
 * charge.captured, charge.refunded, invoice.payment_succeeded, ... */
static const struct report_type types[] = {
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
read_event(struct report *r)
{
	const struct body *body = &r->body;
	struct order_message *m = &r->message;
	report_reader *read;
	bool is_live;

	if (slice_is(body_text(body, "object"), "v2.core.event"))
		return (delivery_ignore(r->out, "irrelevant_type"));
	if (!slice_is(body_text(body, "object"), "event"))
		return (body_complain(body, "object", "is not \"event\""));
	read = report_reader_of(r, "type", types, N_ELEM(types));
	if (read == NULL)
		return (false);
	if (body_at(body, "livemode") == NULL)
		return (body_complain(body, "livemode", "is missing"));
	if (!body_bool_or_false(body, "livemode", &is_live) || report_is_of_other_mode(r, !is_live))
		return (false);
	return (body_id(body, "id", &m->event_id) && body_time(body, "created", TIME_UNIX, &m->time_ms) &&
	    body_object(body, "data.object", &r->object) && read(r));
}

/* "t=1772445600,v1=HEX,v1=HEX,v0=..." */
static const struct timed_header signature = { "Stripe-Signature", "t", "v1", ',', SLICE(".") };

static void
stripe_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;

	if (report_begin(&r, &provider_stripe, &amounts, conf, req, out) && signed_timed_header(conf, req, &signature, out) &&
	    report_parse(&r))
		read_event(&r);
}

/* Checkout's {CHECKOUT_SESSION_ID}, as the manual of Checkout spells the parameter; the Payment
 * Element adds payment_intent by itself. */
static const char *const tokens[] = { "*", "session_id", "*", "payment_intent", NULL };
static const char *const pages[] = { "checkout.stripe.com", "buy.stripe.com", "invoice.stripe.com", "billing.stripe.com",
    "hooks.stripe.com", NULL };

const struct provider provider_stripe = { .name = "stripe", .read = stripe_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
