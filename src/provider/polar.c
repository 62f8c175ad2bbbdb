/*
 * polar: https://polar.sh/docs/integrate/webhooks
 *
 * Standard Webhooks, but the key is the secret as it is written, its prefix
 * included.  order.paid counts; order.created may be pending, order.refunded tells a
 * state that refunds tell by themselves.  The amount of a refund is without the tax
 * that goes back with it.
 */
#include "base/mem.h"
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

/* Polar has currencies with two digits and currencies with none. */
static const struct own_unit own_units[] = {
	{ "BIF", 0 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "JPY", 0 }, { "KMF", 0 }, { "KRW", 0 }, { "MGA", 0 },
	{ "PYG", 0 }, { "RWF", 0 }, { "VND", 0 }, { "VUV", 0 }, { "XAF", 0 }, { "XOF", 0 }, { "XPF", 0 }, { NULL, 0 }
};
static const struct amounts amounts = { 2, own_units };

static bool
on_order_paid(struct event *e)
{
	struct order_message *m = &e->message;
	struct slice reason = event_text(e, "billing_reason");

	if (!event_id_text(e, "id", &m->order_id) || !event_money(e, "currency", "total_amount") ||
	    !event_amount_or_0(e, "tax_amount", &m->tax) || event_is_zero(e))
		return (false);
	m->recurring = !slice_is(reason, "purchase") && !slice_is(reason, "subscription_create");
	m->customer = event_text(e, "customer_id");
	m->visitor = event_visitor(e, "metadata");
	if (m->visitor.len == 0)
		m->visitor = event_text(e, "customer.external_id");
	message_token(m, event_text(e, "checkout_id"));
	message_token(m, event_text(e, "metadata.reference_id"));
	return (event_add(e, ORDER_PAID));
}

static bool
on_refund(struct event *e)
{
	struct order_message *m = &e->message;

	if (!slice_is(event_text(e, "status"), "succeeded"))
		return (delivery_ignore(e->out, "not_final"));
	if (!event_id_text(e, "id", &m->part_id) || !event_id_text(e, "order_id", &m->order_id) ||
	    !body_currency(&e->object, "currency", &m->currency) || !event_amount_of_both(e, "amount", "tax_amount", &m->amount))
		return (false);
	return (event_add(e, ORDER_REFUNDED));
}

static const struct event_type types[] = {
	{ "order.paid", on_order_paid },
	{ "refund.created", on_refund },
	{ "refund.updated", on_refund },
};

static void
polar_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	event_read_standard(&provider_polar, &amounts, KEYS_LITERAL, types, N_ELEM(types), conf, req, out);
}

/* Of a success URL with checkout_id={CHECKOUT_ID}. */
static const char *const tokens[] = { "*", "checkout_id", NULL };
static const char *const pages[] = { "polar.sh", NULL };

const struct provider provider_polar = { .name = "polar", .read = polar_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET };
