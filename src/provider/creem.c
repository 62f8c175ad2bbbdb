/*
 * creem: https://docs.creem.io/code/webhooks
 *
 * A checkout tells of the first payment, of a subscription, too; subscription.paid
 * tells of each payment of a subscription, the first included.  A refund names the
 * transaction, which the checkout's order shows as well, so that names the order; a
 * checkout of before that field was there is named by its order alone.
 */
#include "base/mem.h"
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

#define FIRST_MS (INT64_C(24) * 3600 * 1000)	/* the first period begins with the subscription, not a day later */

static const struct amounts amounts = { UNITS_ISO, NULL };

static void
read_customer(struct event *e)
{
	e->message.customer = event_customer(e, "customer.id", "customer.email");
	if (e->message.customer.len == 0)
		e->message.customer = event_text(e, "customer");
}

static bool
on_checkout_completed(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice request = event_text(e, "request_id"), order = event_text(e, "order.id");

	/* `amount` is what the goods cost, without the tax that may come on top of it. */
	if (!event_money(e, "order.currency", event_text(e, "order.amount_paid").len > 0 ? "order.amount_paid" : "order.amount") ||
	    !event_amount_or_0(e, "order.tax_amount", &m->tax) || event_is_zero(e) || !event_id_text(e, "order.id", &order))
		return (false);
	m->order_id = event_either(e, "order.transaction", "order.id");
	if (!slice_equal(m->order_id, order))
		message_alias(m, order);
	read_customer(e);
	m->visitor = event_visitor(e, "metadata");
	if (m->visitor.len == 0)
		m->visitor = request;
	message_token(m, event_text(e, "id"));
	message_token(m, request);
	return (event_add(e, ORDER_PAID));
}

/* It is of the period with which the subscription began. */
static bool
is_first(struct event *e, bool *first)
{
	int64_t created_ms, period_ms;

	if (!body_time(&e->object, "created_at", TIME_RFC3339, &created_ms) ||
	    !body_time(&e->object, "current_period_start_date", TIME_RFC3339, &period_ms))
		return (false);
	*first = period_ms - created_ms < FIRST_MS;
	return (true);
}

static bool
on_subscription_paid(struct event *e)
{
	struct order_message *m = &e->message;
	bool first;

	if (!is_first(e, &first))
		return (false);
	if (first)				/* checkout.completed tells of it */
		return (delivery_ignore(e->out, "same_money"));
	if (body_at(&e->object, "last_transaction.amount_paid") != NULL) {
		if (!event_money(e, "last_transaction.currency", "last_transaction.amount_paid") ||
		    !event_amount_or_0(e, "last_transaction.tax_amount", &m->tax))
			return (false);
	} else if (!event_money(e, "product.currency", "product.price"))
		return (false);
	if (event_is_zero(e) || !event_id_text(e, "last_transaction_id", &m->order_id))
		return (false);
	m->recurring = true;
	read_customer(e);
	m->visitor = event_visitor(e, "metadata");
	return (event_add(e, ORDER_PAID));
}

/* Of a refund or a dispute, whose names for the money differ. */
static bool
add_part(struct event *e, enum order_kind kind, const char *currency, const char *amount)
{
	const struct part_paths paths = { "id", body_at(&e->object, "transaction.id") != NULL ? "transaction.id" : "order.id", currency,
	    amount };

	return (event_add_part(e, kind, &paths));
}

static bool
on_refund_created(struct event *e)
{
	if (!slice_is(event_text(e, "status"), "succeeded"))
		return (delivery_ignore(e->out, "not_final"));
	return (add_part(e, ORDER_REFUNDED, "refund_currency", "refund_amount"));
}

static bool
on_dispute_created(struct event *e)
{
	return (add_part(e, ORDER_DISPUTED, "currency", "amount"));
}

static const struct event_type types[] = {
	{ "checkout.completed", on_checkout_completed },
	{ "subscription.paid", on_subscription_paid },
	{ "refund.created", on_refund_created },
	{ "dispute.created", on_dispute_created },
};

/* prod; test, and what Creem's own people see: sandbox, local. */
static bool
is_test(const struct event *e)
{
	struct slice mode = event_text(e, "mode");

	return (slice_is(mode, "test") || slice_is(mode, "sandbox") || slice_is(mode, "local"));
}

static const struct mac_header signature = { .name = "creem-signature", .is_hex = true };

static void
creem_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	event_reader *read;

	if (!event_begin(&e, &provider_creem, &amounts, conf, req, out) || !signed_header(conf, req, &signature, SLICE(""), out) ||
	    !event_parse(&e))
		return;
	read = event_reader_of(&e, "eventType", types, N_ELEM(types));
	if (read != NULL && event_id_text(&e, "id", &e.message.event_id) && event_time(&e, "created_at", TIME_UNIX_MS) &&
	    body_object(&e.body, "object", &e.object) && !event_is_of_other_mode(&e, is_test(&e)))
		read(&e);
}

/* The success URL comes back with both. */
static const char *const tokens[] = { "*", "checkout_id", "*", "request_id", NULL };
static const char *const pages[] = { "creem.io", NULL };

const struct provider provider_creem = { .name = "creem", .read = creem_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
