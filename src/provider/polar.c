/*
 * polar: https://polar.sh/docs/integrate/webhooks
 *
 * Standard Webhooks, but the key is the secret as it is written, its prefix
 * included.  order.paid counts; order.created may be pending, order.refunded tells a
 * state that refunds tell by themselves.  The amount of a refund is without the tax
 * that goes back with it.
 */
#include "base/mem.h"
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

/* Polar has currencies with two digits and currencies with none. */
static const struct own_unit own_units[] = {
	{ "BIF", 0 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "JPY", 0 }, { "KMF", 0 }, { "KRW", 0 }, { "MGA", 0 },
	{ "PYG", 0 }, { "RWF", 0 }, { "VND", 0 }, { "VUV", 0 }, { "XAF", 0 }, { "XOF", 0 }, { "XPF", 0 }, { NULL, 0 }
};
static const struct amounts amounts = { 2, own_units };

static bool
on_order_paid(struct report *r)
{
	struct order_message *m = &r->message;
	struct slice reason = report_text(r, "billing_reason");

	if (!report_id(r, "id", &m->order_id) || !report_money(r, "currency", "total_amount") ||
	    !report_amount_or_0(r, "tax_amount", &m->tax) || report_is_zero(r))
		return (false);
	m->recurring = reason.len > 0 && !slice_is(reason, "purchase") && !slice_is(reason, "subscription_create");
	m->customer = report_text(r, "customer_id");
	m->visitor = report_visitor(r, "metadata");
	if (m->visitor.len == 0)
		m->visitor = report_text(r, "customer.external_id");
	message_token(m, report_text(r, "checkout_id"));
	message_token(m, report_text(r, "metadata.reference_id"));
	return (report_add(r, ORDER_PAID));
}

static bool
on_refund(struct report *r)
{
	struct order_message *m = &r->message;

	if (!slice_is(report_text(r, "status"), "succeeded"))
		return (delivery_ignore(r->out, "not_final"));
	if (!report_id(r, "id", &m->part_id) || !report_id(r, "order_id", &m->order_id) ||
	    !body_currency(&r->object, "currency", &m->currency) || !report_amount_of_both(r, "amount", "tax_amount", &m->amount))
		return (false);
	return (report_add(r, ORDER_REFUNDED));
}

static const struct report_type types[] = {
	{ "order.paid", on_order_paid },
	{ "refund.created", on_refund },
	{ "refund.updated", on_refund },
};

static void
polar_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	report_read_standard(&provider_polar, &amounts, KEYS_LITERAL, types, N_ELEM(types), conf, req, out);
}

/* Of a success URL with checkout_id={CHECKOUT_ID}. */
static const char *const tokens[] = { "*", "checkout_id", NULL };
static const char *const pages[] = { "polar.sh", NULL };

const struct provider provider_polar = { .name = "polar", .read = polar_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
