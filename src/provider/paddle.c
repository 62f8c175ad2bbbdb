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
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
on_transaction_completed(struct report *r)
{
	struct order_message *m = &r->message;

	if (!report_id(r, "id", &m->order_id) || !report_money(r, "currency_code", "details.totals.grand_total") ||
	    !report_amount_or_0(r, "details.totals.tax", &m->tax) || report_is_zero(r))
		return (false);
	if (report_text(r, "billed_at").len > 0 && !report_time(r, "billed_at", TIME_RFC3339))
		return (false);
	m->recurring = slice_starts(report_text(r, "origin"), SLICE("subscription_"));
	m->customer = report_text(r, "customer_id");
	m->visitor = report_visitor(r, "custom_data");
	message_token(m, m->order_id);
	return (report_add(r, ORDER_PAID));
}

static bool
add_dispute(struct report *r, enum order_kind kind)
{
	static const struct part_paths paths = { NULL, "transaction_id", "currency_code", "totals.total" };

	r->message.part_id = delivery_prefixed(r->out, "cb:", report_text(r, "transaction_id"));
	return (report_add_part(r, kind, &paths));
}

static bool
on_adjustment(struct report *r)
{
	static const struct part_paths paths = { "id", "transaction_id", "currency_code", "totals.total" };
	struct slice action = report_text(r, "action");

	if (slice_is(action, "chargeback"))
		return (add_dispute(r, ORDER_DISPUTED));
	if (slice_is(action, "chargeback_reverse"))
		return (add_dispute(r, ORDER_DISPUTE_WON));
	if (slice_starts(action, SLICE("chargeback_warning")))		/* takes no money */
		return (delivery_ignore(r->out, "inquiry"));
	if (!slice_is(action, "refund"))
		return (delivery_ignore(r->out, "irrelevant_type"));
	if (!slice_is(report_text(r, "status"), "approved"))
		return (delivery_ignore(r->out, "not_final"));
	return (report_add_part(r, ORDER_REFUNDED, &paths));
}

static const struct report_type types[] = {
	{ "transaction.completed", on_transaction_completed },
	{ "adjustment.created", on_adjustment },
	{ "adjustment.updated", on_adjustment },
};

/* "ts=1772445600;h1=HEX;h1=HEX" */
static const struct timed_header signature = { "Paddle-Signature", "ts", "h1", ';', SLICE(":") };

static void
paddle_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;

	if (!report_begin(&r, &provider_paddle, &amounts, conf, req, out) || !signed_timed_header(conf, req, &signature, out) ||
	    !report_parse(&r))
		return;
	read = report_reader_of(&r, "event_type", types, N_ELEM(types));
	if (read != NULL && report_id(&r, "event_id", &r.message.event_id) && report_time(&r, "occurred_at", TIME_RFC3339) &&
	    body_object(&r.body, "data", &r.object))
		read(&r);
}

/* A payment link opens the shop's own page so. */
static const char *const tokens[] = { "*", "_ptxn", NULL };
static const char *const pages[] = { "checkout.paddle.com", "buy.paddle.com", "sandbox-checkout.paddle.com", NULL };

const struct provider provider_paddle = { .name = "paddle", .read = paddle_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
