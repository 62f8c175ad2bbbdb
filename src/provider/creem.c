/*
 * creem: https://docs.creem.io/code/webhooks
 *
 * A checkout tells of the first payment, of a subscription, too; subscription.paid
 * tells of each payment of a subscription, the first included.  A refund names the
 * transaction, which the checkout's order shows as well, so that names the order; a
 * checkout of before that field was there is named by its order alone.
 */
#include "base/mem.h"
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

#define FIRST_MS (INT64_C(24) * 3600 * 1000)	/* the first payment is made when the subscription begins, not a day later */

static const struct amounts amounts = { UNITS_ISO, NULL };

static void
read_customer(struct report *r)
{
	r->message.customer = report_customer(r, "customer.id", "customer.email");
	if (r->message.customer.len == 0)
		r->message.customer = report_text(r, "customer");
}

static bool
on_checkout_completed(struct report *r)
{
	struct order_message *m = &r->message;
	struct slice request = report_text(r, "request_id"), order;

	/* `amount` is what the goods cost, without the tax that may come on top of it. */
	if (!report_money(r, "order.currency", report_text(r, "order.amount_paid").len > 0 ? "order.amount_paid" : "order.amount") ||
	    !report_amount_or_0(r, "order.tax_amount", &m->tax) || report_is_zero(r) || !report_id(r, "order.id", &order))
		return (false);
	m->order_id = report_either(r, "order.transaction", "order.id");
	if (!slice_equal(m->order_id, order))
		message_alias(m, order);
	read_customer(r);
	m->visitor = report_visitor(r, "metadata");
	if (m->visitor.len == 0)
		m->visitor = request;
	message_token(m, report_text(r, "id"));
	message_token(m, request);
	return (report_add(r, ORDER_PAID));
}

/* Paid when the subscription began. */
static bool
is_first(struct report *r, bool *first)
{
	const char *when = report_text(r, "last_transaction_date").len > 0 ? "last_transaction_date" : "current_period_start_date";
	int64_t created_ms, paid_ms;

	if (!body_time(&r->object, "created_at", TIME_RFC3339, &created_ms) || !body_time(&r->object, when, TIME_RFC3339, &paid_ms))
		return (false);
	*first = paid_ms - created_ms < FIRST_MS;
	return (true);
}

static bool
on_subscription_paid(struct report *r)
{
	struct order_message *m = &r->message;
	bool first;

	if (!is_first(r, &first))
		return (false);
	if (first)				/* checkout.completed tells of it */
		return (delivery_ignore(r->out, "same_money"));
	if (body_at(&r->object, "last_transaction.amount_paid") != NULL) {
		if (!report_money(r, "last_transaction.currency", "last_transaction.amount_paid") ||
		    !report_amount_or_0(r, "last_transaction.tax_amount", &m->tax))
			return (false);
	} else if (!report_money(r, "product.currency", "product.price"))
		return (false);
	if (report_is_zero(r) || !report_id(r, "last_transaction_id", &m->order_id))
		return (false);
	m->recurring = true;
	read_customer(r);
	m->visitor = report_visitor(r, "metadata");
	return (report_add(r, ORDER_PAID));
}

/* Of a refund or a dispute, whose names for the money differ. */
static bool
add_part(struct report *r, enum order_kind kind, const char *currency, const char *amount)
{
	const struct part_paths paths = { "id", body_at(&r->object, "transaction.id") != NULL ? "transaction.id" : "order.id", currency,
	    amount };

	return (report_add_part(r, kind, &paths));
}

static bool
on_refund_created(struct report *r)
{
	if (!slice_is(report_text(r, "status"), "succeeded"))
		return (delivery_ignore(r->out, "not_final"));
	return (add_part(r, ORDER_REFUNDED, "refund_currency", "refund_amount"));
}

static bool
on_dispute_created(struct report *r)
{
	return (add_part(r, ORDER_DISPUTED, "currency", "amount"));
}

static const struct report_type types[] = {
	{ "checkout.completed", on_checkout_completed },
	{ "subscription.paid", on_subscription_paid },
	{ "refund.created", on_refund_created },
	{ "dispute.created", on_dispute_created },
};

/* prod; test, and what Creem's own people see: sandbox, local. */
static bool
is_test(const struct report *r)
{
	struct slice mode = report_text(r, "mode");

	return (slice_is(mode, "test") || slice_is(mode, "sandbox") || slice_is(mode, "local"));
}

static const struct mac_header signature = { .name = "creem-signature", .is_hex = true };

static void
creem_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;

	if (!report_begin(&r, &provider_creem, &amounts, conf, req, out) || !signed_header(conf, req, &signature, SLICE(""), out) ||
	    !report_parse(&r))
		return;
	read = report_reader_of(&r, "eventType", types, N_ELEM(types));
	if (read != NULL && report_id(&r, "id", &r.message.event_id) && report_time(&r, "created_at", TIME_UNIX_MS) &&
	    body_object(&r.body, "object", &r.object) && !report_is_of_other_mode(&r, is_test(&r)))
		read(&r);
}

/* The success URL comes back with both. */
static const char *const tokens[] = { "*", "checkout_id", "*", "request_id", NULL };
static const char *const pages[] = { "creem.io", NULL };

const struct provider provider_creem = { .name = "creem", .read = creem_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
