/*
 * paddle: Paddle Billing, https://developer.paddle.com/webhooks/overview
 *
 * A payment is told by transaction.paid and, with all its totals, by
 * transaction.completed, which counts.  All that goes back is an adjustment; live
 * refunds wait for an approval, which comes as an update.  A chargeback and its
 * reversal are adjustments with ids of their own, so the dispute that they make is
 * named by its transaction.
 */
#include "base/mem.h"
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
on_transaction_completed(struct event *e)
{
	struct order_message *m = &e->message;

	if (!event_id_text(e, "id", &m->order_id) || !event_money(e, "currency_code", "details.totals.grand_total") ||
	    !event_amount_or_0(e, "details.totals.tax", &m->tax) || event_is_zero(e))
		return (false);
	if (event_text(e, "billed_at").len > 0 && !event_time(e, "billed_at", TIME_RFC3339))
		return (false);
	m->recurring = slice_starts(event_text(e, "origin"), SLICE("subscription_"));
	m->customer = event_text(e, "customer_id");
	m->visitor = event_visitor(e, "custom_data");
	message_token(m, m->order_id);
	return (event_add(e, ORDER_PAID));
}

static bool
add_dispute(struct event *e, enum order_kind kind)
{
	static const struct part_paths paths = { NULL, "transaction_id", "currency_code", "totals.total" };

	e->message.part_id = delivery_prefixed(e->out, "cb:", event_text(e, "transaction_id"));
	return (event_add_part(e, kind, &paths));
}

static bool
on_adjustment(struct event *e)
{
	static const struct part_paths paths = { "id", "transaction_id", "currency_code", "totals.total" };
	struct slice action = event_text(e, "action");

	if (slice_is(action, "chargeback"))
		return (add_dispute(e, ORDER_DISPUTED));
	if (slice_is(action, "chargeback_reverse"))
		return (add_dispute(e, ORDER_DISPUTE_WON));
	if (slice_starts(action, SLICE("chargeback_warning")))		/* takes no money */
		return (delivery_ignore(e->out, "inquiry"));
	if (!slice_is(action, "refund"))
		return (delivery_ignore(e->out, "irrelevant_type"));
	if (!slice_is(event_text(e, "status"), "approved"))
		return (delivery_ignore(e->out, "not_final"));
	return (event_add_part(e, ORDER_REFUNDED, &paths));
}

static const struct event_type types[] = {
	{ "transaction.completed", on_transaction_completed },
	{ "adjustment.created", on_adjustment },
	{ "adjustment.updated", on_adjustment },
};

/* "ts=1772445600;h1=HEX;h1=HEX" */
static const struct timed_header signature = { "Paddle-Signature", "ts", "h1", ';', SLICE(":") };

static void
paddle_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	event_reader *read;

	if (!event_begin(&e, &provider_paddle, &amounts, conf, req, out) || !signed_timed_header(conf, req, &signature, out) ||
	    !event_parse(&e))
		return;
	read = event_reader_of(&e, "event_type", types, N_ELEM(types));
	if (read != NULL && event_id_text(&e, "event_id", &e.message.event_id) && event_time(&e, "occurred_at", TIME_RFC3339) &&
	    body_object(&e.body, "data", &e.object))
		read(&e);
}

/* A payment link opens the shop's own page so. */
static const char *const tokens[] = { "*", "_ptxn", NULL };
static const char *const pages[] = { "checkout.paddle.com", "buy.paddle.com", "sandbox-checkout.paddle.com", NULL };

const struct provider provider_paddle = { .name = "paddle", .read = paddle_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
