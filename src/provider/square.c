/*
 * square: https://developer.squareup.com/docs/webhooks/overview
 *
 * Square signs the address that was typed into the subscription together with the
 * body, so that address is configuration.  A payment is told at each change, and
 * counts when it is completed; orders and invoices are the same money again.  A
 * refund has an order id of its own, which is not the purchase's: the payment ties
 * the two.
 */
#include "base/mem.h"
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
on_payment(struct report *r)
{
	struct order_message *m = &r->message;

	if (!body_object(&r->body, "data.object.payment", &r->object))
		return (false);
	if (!slice_is(report_text(r, "status"), "COMPLETED"))
		return (delivery_ignore(r->out, "not_paid"));
	if (!report_id(r, "id", &m->order_id) || !report_time(r, "created_at", TIME_RFC3339) ||
	    !report_money(r, "total_money.currency", "total_money.amount") || report_is_zero(r))
		return (false);
	m->customer = report_text(r, "customer_id");
	m->visitor = report_text(r, "reference_id");
	message_token(m, report_text(r, "order_id"));
	message_token(m, m->visitor);
	return (report_add(r, ORDER_PAID));
}

static bool
on_refund(struct report *r)
{
	static const struct part_paths paths = { "id", "payment_id", "amount_money.currency", "amount_money.amount" };

	if (!body_object(&r->body, "data.object.refund", &r->object))
		return (false);
	if (!slice_is(report_text(r, "status"), "COMPLETED"))
		return (delivery_ignore(r->out, "not_final"));
	return (report_add_part(r, ORDER_REFUNDED, &paths));
}

static bool
on_dispute(struct report *r)
{
	static const struct part_paths paths = { "id", "disputed_payment.payment_id", "amount_money.currency", "amount_money.amount" };
	struct slice state;

	if (!body_object(&r->body, "data.object.dispute", &r->object) || !report_id(r, "state", &state))
		return (false);
	if (slice_starts(state, SLICE("INQUIRY_")))	/* takes no money */
		return (delivery_ignore(r->out, "inquiry"));
	return (report_add_part(r, slice_is(state, "WON") ? ORDER_DISPUTE_WON : ORDER_DISPUTED, &paths));
}

static const struct report_type types[] = {
	{ "payment.created", on_payment },
	{ "payment.updated", on_payment },
	{ "refund.created", on_refund },
	{ "refund.updated", on_refund },
	{ "dispute.created", on_dispute },
	{ "dispute.state.updated", on_dispute },
};

/* Nobody signs this header, but the sandbox has a key of its own.  What comes from the quarantine had
 * it looked at before. */
static bool
is_other_mode(struct report *r)
{
	struct slice environment = SLICE("");

	if (r->request->was_checked)
		return (false);
	request_header(r->request, "square-environment", &environment);
	return (report_is_of_other_mode(r, slice_equal_nocase(environment, SLICE("Sandbox"))));
}

static const struct mac_header signature = { .name = "x-square-hmacsha256-signature" };

static void
square_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;

	if (!report_begin(&r, &provider_square, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, conf->notification_url, out) || is_other_mode(&r) || !report_parse(&r))
		return;
	read = report_reader_of(&r, "type", types, N_ELEM(types));
	if (read != NULL && report_id(&r, "event_id", &r.message.event_id) && report_time(&r, "created_at", TIME_RFC3339))
		read(&r);
}

/* Payment links go back to the shop with the first; checkouts of the older kind with the others, where the
 * transaction is the order. */
static const char *const tokens[] = { "*", "orderId", "*", "transactionId", "*", "referenceId", NULL };
static const char *const pages[] = { "checkout.square.site", "square.link", "squareup.com", NULL };

const struct provider provider_square = { .name = "square", .read = square_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET | NEEDS_NOTIFICATION_URL };
