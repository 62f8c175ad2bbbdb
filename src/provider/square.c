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
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
on_payment(struct event *e)
{
	struct order_message *m = &e->message;

	if (!body_object(&e->body, "data.object.payment", &e->object))
		return (false);
	if (!slice_is(event_text(e, "status"), "COMPLETED"))
		return (delivery_ignore(e->out, "not_paid"));
	if (!event_id_text(e, "id", &m->order_id) || !event_time(e, "created_at", TIME_RFC3339) ||
	    !event_money(e, "total_money.currency", "total_money.amount") || event_is_zero(e))
		return (false);
	m->customer = event_text(e, "customer_id");
	m->visitor = event_text(e, "reference_id");
	message_token(m, event_text(e, "order_id"));
	message_token(m, m->visitor);
	return (event_add(e, ORDER_PAID));
}

static bool
on_refund(struct event *e)
{
	static const struct part_paths paths = { "id", "payment_id", "amount_money.currency", "amount_money.amount" };

	if (!body_object(&e->body, "data.object.refund", &e->object))
		return (false);
	if (!slice_is(event_text(e, "status"), "COMPLETED"))
		return (delivery_ignore(e->out, "not_final"));
	return (event_add_part(e, ORDER_REFUNDED, &paths));
}

static bool
on_dispute(struct event *e)
{
	static const struct part_paths paths = { "id", "disputed_payment.payment_id", "amount_money.currency", "amount_money.amount" };
	struct slice state;

	if (!body_object(&e->body, "data.object.dispute", &e->object) || !event_id_text(e, "state", &state))
		return (false);
	if (slice_starts(state, SLICE("INQUIRY_")))	/* takes no money */
		return (delivery_ignore(e->out, "inquiry"));
	return (event_add_part(e, slice_is(state, "WON") ? ORDER_DISPUTE_WON : ORDER_DISPUTED, &paths));
}

static const struct event_type types[] = {
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
is_other_mode(struct event *e)
{
	struct slice environment = SLICE("");

	if (e->request->was_checked)
		return (false);
	request_header(e->request, "square-environment", &environment);
	return (event_is_of_other_mode(e, slice_equal_nocase(environment, SLICE("Sandbox"))));
}

static const struct mac_header signature = { .name = "x-square-hmacsha256-signature" };

static void
square_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	event_reader *read;

	if (!event_begin(&e, &provider_square, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, conf->notification_url, out) || is_other_mode(&e) || !event_parse(&e))
		return;
	read = event_reader_of(&e, "type", types, N_ELEM(types));
	if (read != NULL && event_id_text(&e, "event_id", &e.message.event_id) && event_time(&e, "created_at", TIME_RFC3339))
		read(&e);
}

/* Payment links go back to the shop with it; referenceId is from checkouts of the older kind. */
static const char *const tokens[] = { "*", "orderId", "*", "referenceId", NULL };
static const char *const pages[] = { "checkout.square.site", "square.link", "squareup.com", NULL };

const struct provider provider_square = { .name = "square", .read = square_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET | NEEDS_NOTIFICATION_URL };
