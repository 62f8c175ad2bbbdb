/*
 * paystack: https://paystack.com/docs/payments/webhooks
 *
 * HMAC-SHA512 with the API's secret key.  Events have neither ids nor, but for
 * payments, times: they happened when they came.  The first and the later payments
 * of a subscription look alike, so none is called a renewal.
 */
#include "base/mem.h"
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

static const struct amounts amounts = { 2, NULL };	/* of all currencies, of XOF, too */

static bool
on_charge_success(struct event *e)
{
	struct order_message *m = &e->message;

	if (!event_id_text(e, "reference", &m->order_id) || !event_time(e, "paid_at", TIME_RFC3339) ||
	    !event_money(e, "currency", "amount") || event_is_zero(e))
		return (false);
	m->customer = event_customer(e, "customer.customer_code", "customer.email");
	m->visitor = event_visitor(e, "metadata");	/* may be a text, a number, null */
	message_token(m, m->order_id);
	return (event_add(e, ORDER_PAID));
}

static bool
on_refund_processed(struct event *e)
{
	const struct part_paths paths = { event_text(e, "refund_reference").len > 0 ? "refund_reference" : "id",
	    "transaction_reference", "currency", "amount" };

	return (event_add_part(e, ORDER_REFUNDED, &paths));
}

static bool
add_dispute(struct event *e, enum order_kind kind)
{
	static const struct part_paths paths = { "id", "transaction.reference", "currency", "refund_amount" };

	return (event_add_part(e, kind, &paths));
}

static bool
on_dispute_created(struct event *e)
{
	return (add_dispute(e, ORDER_DISPUTED));
}

/* Declined: the shopper's claim is. */
static bool
on_dispute_resolved(struct event *e)
{
	if (!slice_is(event_text(e, "resolution"), "declined"))
		return (delivery_ignore(e->out, "no_change"));
	return (add_dispute(e, ORDER_DISPUTE_WON));
}

static const struct event_type types[] = {
	{ "charge.success", on_charge_success },
	{ "refund.processed", on_refund_processed },
	{ "charge.dispute.create", on_dispute_created },
	{ "charge.dispute.resolve", on_dispute_resolved },
};

static const struct mac_header signature = { .name = "x-paystack-signature", .is_hex = true, .is_sha512 = true };

static void
paystack_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	event_reader *read;
	struct slice domain;

	if (!event_begin(&e, &provider_paystack, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, SLICE(""), out) || !event_parse(&e))
		return;
	read = event_reader_of(&e, "event", types, N_ELEM(types));
	e.message.time_ms = req->received_ms;
	if (read != NULL && body_object(&e.body, "data", &e.object) && event_id_text(&e, "domain", &domain) &&
	    !event_is_of_other_mode(&e, slice_is(domain, "test")))
		read(&e);
}

/* The callback's address has both. */
static const char *const tokens[] = { "*", "reference", "*", "trxref", NULL };
static const char *const pages[] = { "paystack.com", "paystack.shop", NULL };

const struct provider provider_paystack = { .name = "paystack", .read = paystack_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
