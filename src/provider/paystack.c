/*
 * paystack: https://paystack.com/docs/payments/webhooks
 *
 * HMAC-SHA512 with the API's secret key.  Events have neither ids nor, but for
 * payments, times: they happened when they came.  The first and the later payments
 * of a subscription look alike, so none is called a renewal.
 */
#include "base/mem.h"
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

static const struct amounts amounts = { 2, NULL };	/* of all currencies, of XOF, too */

static bool
on_charge_success(struct report *r)
{
	struct order_message *m = &r->message;

	if (!report_id(r, "reference", &m->order_id) || !report_time(r, "paid_at", TIME_RFC3339) ||
	    !report_money(r, "currency", "amount") || report_is_zero(r))
		return (false);
	m->customer = report_customer(r, "customer.customer_code", "customer.email");
	m->visitor = report_visitor(r, "metadata");	/* may be a text, a number, null */
	message_token(m, m->order_id);
	return (report_add(r, ORDER_PAID));
}

static bool
on_refund_processed(struct report *r)
{
	const struct part_paths paths = { report_text(r, "refund_reference").len > 0 ? "refund_reference" : "id",
	    "transaction_reference", "currency", "amount" };

	return (report_add_part(r, ORDER_REFUNDED, &paths));
}

static bool
add_dispute(struct report *r, enum order_kind kind)
{
	static const struct part_paths paths = { "id", "transaction.reference", "currency", "refund_amount" };

	return (report_add_part(r, kind, &paths));
}

static bool
on_dispute_created(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTED));
}

/* Declined: the shopper's claim is. */
static bool
on_dispute_resolved(struct report *r)
{
	if (!slice_is(report_text(r, "resolution"), "declined"))
		return (delivery_ignore(r->out, "no_change"));
	return (add_dispute(r, ORDER_DISPUTE_WON));
}

static const struct report_type types[] = {
	{ "charge.success", on_charge_success },
	{ "refund.processed", on_refund_processed },
	{ "charge.dispute.create", on_dispute_created },
	{ "charge.dispute.resolve", on_dispute_resolved },
};

static const struct mac_header signature = { .name = "x-paystack-signature", .is_hex = true, .is_sha512 = true };

static void
paystack_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;
	struct slice domain;

	if (!report_begin(&r, &provider_paystack, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, SLICE(""), out) || !report_parse(&r))
		return;
	read = report_reader_of(&r, "event", types, N_ELEM(types));
	r.message.time_ms = req->received_ms;
	if (read != NULL && body_object(&r.body, "data", &r.object) && report_id(&r, "domain", &domain) &&
	    !report_is_of_other_mode(&r, slice_is(domain, "test")))
		read(&r);
}

/* The callback's address has both. */
static const char *const tokens[] = { "*", "reference", "*", "trxref", NULL };
static const char *const pages[] = { "paystack.com", "paystack.shop", NULL };

const struct provider provider_paystack = { .name = "paystack", .read = paystack_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
