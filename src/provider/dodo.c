/*
 * dodo: Dodo Payments, https://docs.dodopayments.com/developer-resources/webhooks
 *
 * Standard Webhooks.  Every payment is a payment.succeeded, renewals too;
 * subscription.renewed is the same money again.  A renewal is a payment of a
 * subscription that no checkout began.
 */
#include "base/mem.h"
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
on_payment_succeeded(struct report *r)
{
	struct order_message *m = &r->message;
	struct slice session = report_text(r, "checkout_session_id");

	if (!report_id(r, "payment_id", &m->order_id) || !report_money(r, "currency", "total_amount") ||
	    !report_amount_or_0(r, "tax", &m->tax) || report_is_zero(r))
		return (false);
	m->recurring = report_text(r, "subscription_id").len > 0 && session.len == 0;
	m->customer = report_customer(r, "customer.customer_id", "customer.email");
	m->visitor = report_visitor(r, "metadata");
	message_token(m, session);
	return (report_add(r, ORDER_PAID));
}

static bool
on_refund_succeeded(struct report *r)
{
	static const struct part_paths paths = { "refund_id", "payment_id", "currency", "amount" };

	return (report_add_part(r, ORDER_REFUNDED, &paths));
}

/* The amount of a dispute is text; with a point in it, it is no count of minor units. */
static bool
add_dispute(struct report *r, enum order_kind kind)
{
	static const struct part_paths paths = { "dispute_id", "payment_id", "currency", "amount" };
	static const struct amounts in_text = { UNITS_TEXT, NULL };

	if (slice_find(report_text(r, "amount"), '.') >= 0)
		r->amounts = &in_text;
	return (report_add_part(r, kind, &paths));
}

/* Lost: one that the card's bank has settled at once was never opened. */
static bool
on_dispute(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTED));
}

static bool
on_dispute_won(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTE_WON));
}

static const struct report_type types[] = {
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
	report_read_standard(&provider_dodo, &amounts, KEYS_BASE64, types, N_ELEM(types), conf, req, out);
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "dodopayments.com", NULL };

const struct provider provider_dodo = { .name = "dodo", .read = dodo_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
