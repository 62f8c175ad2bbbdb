/*
 * dodo: Dodo Payments, https://docs.dodopayments.com/developer-resources/webhooks
 *
 * Standard Webhooks.  Every payment is a payment.succeeded, renewals too;
 * subscription.renewed is the same money again.  A renewal is a payment of a
 * subscription that no checkout began.
 */
#include "base/mem.h"
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
on_payment_succeeded(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice session = event_text(e, "checkout_session_id");

	if (!event_id_text(e, "payment_id", &m->order_id) || !event_money(e, "currency", "total_amount") ||
	    !event_amount_or_0(e, "tax", &m->tax) || event_is_zero(e))
		return (false);
	m->recurring = event_text(e, "subscription_id").len > 0 && session.len == 0;
	m->customer = event_customer(e, "customer.customer_id", "customer.email");
	m->visitor = event_visitor(e, "metadata");
	message_token(m, session);
	return (event_add(e, ORDER_PAID));
}

static bool
on_refund_succeeded(struct event *e)
{
	static const struct part_paths paths = { "refund_id", "payment_id", "currency", "amount" };

	return (event_add_part(e, ORDER_REFUNDED, &paths));
}

/* The amount of a dispute is text; with a point in it, it is no count of minor units. */
static bool
add_dispute(struct event *e, enum order_kind kind)
{
	static const struct part_paths paths = { "dispute_id", "payment_id", "currency", "amount" };
	static const struct amounts in_text = { UNITS_TEXT, NULL };

	if (slice_find(event_text(e, "amount"), '.') >= 0)
		e->amounts = &in_text;
	return (event_add_part(e, kind, &paths));
}

/* Lost: one that the card's bank has settled at once was never opened. */
static bool
on_dispute(struct event *e)
{
	return (add_dispute(e, ORDER_DISPUTED));
}

static bool
on_dispute_won(struct event *e)
{
	return (add_dispute(e, ORDER_DISPUTE_WON));
}

static const struct event_type types[] = {
	{ "payment.succeeded", on_payment_succeeded },
	{ "refund.succeeded", on_refund_succeeded },
	{ "dispute.opened", on_dispute },
	{ "dispute.lost", on_dispute },
	{ "dispute.won", on_dispute_won },
	{ "dispute.cancelled", on_dispute_won },
};

static void
dodo_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	event_read_standard(&provider_dodo, &amounts, KEYS_BASE64, types, N_ELEM(types), conf, req, out);
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "dodopayments.com", NULL };

const struct provider provider_dodo = { .name = "dodo", .read = dodo_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
