/*
 * razorpay: https://razorpay.com/docs/webhooks
 *
 * payment.captured, order.paid and subscription.charged tell of one payment, and all
 * of them show it: its id names the order, so that what comes second changes nothing
 * but what it knows better.  A payment that was never captured goes back by itself,
 * as a refund that was no revenue before.
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

	if (!body_object(&e->body, "payload.payment.entity", &e->object) || !event_id_text(e, "id", &m->order_id) ||
	    !event_money(e, "currency", "amount") || event_is_zero(e))
		return (false);
	m->customer = event_customer(e, "customer_id", "email");
	m->visitor = event_visitor(e, "notes");		/* an empty one is a list */
	message_token(m, event_text(e, "order_id"));
	message_token(m, body_text(&e->body, "payload.order.entity.receipt"));
	return (event_add(e, ORDER_PAID));
}

static bool
on_subscription_charged(struct event *e)
{
	int64_t count;

	e->message.recurring = unix_seconds(body_text(&e->body, "payload.subscription.entity.paid_count"), &count) && count > 1;
	return (on_payment(e));
}

static bool
on_refund(struct event *e)
{
	static const struct part_paths paths = { "id", "payment_id", "currency", "amount" };

	if (json_is_false(body_at(&e->body, "payload.payment.entity.captured")))
		return (delivery_ignore(e->out, "not_paid"));
	return (body_object(&e->body, "payload.refund.entity", &e->object) && event_add_part(e, ORDER_REFUNDED, &paths));
}

static bool
add_dispute(struct event *e, enum order_kind kind)
{
	static const struct part_paths paths = { "id", "payment_id", "currency", "amount" };

	return (body_object(&e->body, "payload.dispute.entity", &e->object) && event_add_part(e, kind, &paths));
}

static bool
on_dispute_created(struct event *e)
{
	return (add_dispute(e, ORDER_DISPUTED));
}

static bool
on_dispute_won(struct event *e)
{
	return (add_dispute(e, ORDER_DISPUTE_WON));
}

static bool
on_dispute_lost(struct event *e)
{
	return (delivery_ignore(e->out, "no_change"));
}

static const struct event_type types[] = {
	{ "payment.captured", on_payment },
	{ "order.paid", on_payment },
	{ "subscription.charged", on_subscription_charged },
	{ "refund.processed", on_refund },
	{ "payment.dispute.created", on_dispute_created },
	{ "payment.dispute.won", on_dispute_won },
	{ "payment.dispute.lost", on_dispute_lost },
};

static const struct mac_header signature = { .name = "X-Razorpay-Signature", .is_hex = true };

static void
razorpay_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	event_reader *read;

	if (!event_begin(&e, &provider_razorpay, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, SLICE(""), out) || !event_parse(&e))
		return;
	read = event_reader_of(&e, "event", types, N_ELEM(types));
	if (read != NULL && event_time(&e, "created_at", TIME_UNIX))
		read(&e);
}

/* Where a callback comes by GET. */
static const char *const tokens[] = { "*", "razorpay_order_id", NULL };
static const char *const pages[] = { "razorpay.com", "rzp.io", NULL };

const struct provider provider_razorpay = { .name = "razorpay", .read = razorpay_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
