/*
 * razorpay: https://razorpay.com/docs/webhooks
 *
 * payment.captured, order.paid and subscription.charged tell of one payment, and all
 * of them show it: its id names the order, so that what comes second changes nothing
 * but what it knows better.  A payment that was never captured goes back by itself,
 * as a refund that was no revenue before.
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

	if (!body_object(&r->body, "payload.payment.entity", &r->object) || !report_id(r, "id", &m->order_id) ||
	    !report_money(r, "currency", "amount") || report_is_zero(r))
		return (false);
	m->customer = report_customer(r, "customer_id", "email");
	m->visitor = report_visitor(r, "notes");		/* an empty one is a list */
	message_token(m, report_text(r, "order_id"));
	message_token(m, body_text(&r->body, "payload.order.entity.receipt"));
	return (report_add(r, ORDER_PAID));
}

static bool
on_subscription_charged(struct report *r)
{
	int64_t count;

	r->message.recurring = unix_seconds(body_text(&r->body, "payload.subscription.entity.paid_count"), &count) && count > 1;
	return (on_payment(r));
}

static bool
on_refund(struct report *r)
{
	static const struct part_paths paths = { "id", "payment_id", "currency", "amount" };

	if (json_is_false(body_at(&r->body, "payload.payment.entity.captured")))
		return (delivery_ignore(r->out, "not_paid"));
	return (body_object(&r->body, "payload.refund.entity", &r->object) && report_add_part(r, ORDER_REFUNDED, &paths));
}

static bool
add_dispute(struct report *r, enum order_kind kind)
{
	static const struct part_paths paths = { "id", "payment_id", "currency", "amount" };

	return (body_object(&r->body, "payload.dispute.entity", &r->object) && report_add_part(r, kind, &paths));
}

static bool
on_dispute_created(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTED));
}

static bool
on_dispute_won(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTE_WON));
}

static bool
on_dispute_lost(struct report *r)
{
	return (delivery_ignore(r->out, "no_change"));
}

static const struct report_type types[] = {
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
	struct report r;
	report_reader *read;

	if (!report_begin(&r, &provider_razorpay, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, SLICE(""), out) || !report_parse(&r))
		return;
	read = report_reader_of(&r, "event", types, N_ELEM(types));
	if (read != NULL && report_time(&r, "created_at", TIME_UNIX))
		read(&r);
}

/* Where a callback comes by GET. */
static const char *const tokens[] = { "*", "razorpay_order_id", NULL };
static const char *const pages[] = { "razorpay.com", "rzp.io", NULL };

const struct provider provider_razorpay = { .name = "razorpay", .read = razorpay_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
