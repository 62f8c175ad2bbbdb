/*
 * lemonsqueezy: https://docs.lemonsqueezy.com/help/webhooks
 *
 * JSON:API without event ids and times: an event is known by what it tells of.  The
 * first payment of a subscription is an order, and an invoice as well; later ones
 * are invoices alone, whose ids are kept apart from those of orders by `inv:`.
 * Refunds come as the sum of all so far.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "provider/event.h"
#include "provider/modules.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
add_paid(struct event *e)
{
	struct order_message *m = &e->message;

	if (!event_money(e, "currency", "total") || !event_amount_or_0(e, "tax", &m->tax) ||
	    !event_time(e, "created_at", TIME_RFC3339) || event_is_zero(e))
		return (false);
	m->customer = event_customer(e, "customer_id", "user_email");
	m->visitor = body_text_of(&e->body, "meta.custom_data", e->conf->visitor_key);
	return (event_add(e, ORDER_PAID));
}

static bool
on_order_created(struct event *e)
{
	if (!slice_is(event_text(e, "status"), "paid"))
		return (delivery_ignore(e->out, "not_paid"));
	message_token(&e->message, event_text(e, "identifier"));
	return (add_paid(e));
}

static void
name_invoice(struct event *e)
{
	e->message.order_id = delivery_prefixed(e->out, "inv:", e->message.order_id);
}

static bool
on_invoice_paid(struct event *e)
{
	struct slice reason = event_text(e, "billing_reason");

	if (slice_is(reason, "initial"))	/* order_created tells of it */
		return (delivery_ignore(e->out, "same_money"));
	if (!slice_is(reason, "renewal") && !slice_is(reason, "updated"))
		return (body_complain(&e->object, "billing_reason", "is none of initial, renewal, updated"));
	name_invoice(e);
	e->message.recurring = true;
	return (add_paid(e));
}

/* Two states of one order's refunds are two events. */
static struct slice
refund_event_id(const struct event *e, struct slice so_far)
{
	struct buf text = { 0 };
	struct slice id;

	buf_printf(&text, "%.*s:%.*s", SLICE_FMT(e->message.order_id), SLICE_FMT(so_far));
	id = delivery_prefixed(e->out, "refunded:", buf_view(&text));
	buf_free(&text);
	return (id);
}

static bool
on_order_refunded(struct event *e)
{
	struct order_message *m = &e->message;
	bool is_told = body_at(&e->object, "refunded_amount") != NULL;
	const char *amount = is_told ? "refunded_amount" : "total";

	/* Older ones do not say how much: all of it. */
	if (!is_told && !body_is_true(&e->object, "refunded"))
		return (delivery_ignore(e->out, "partial_amount_unknown"));
	if (!event_money(e, "currency", amount) || !event_time(e, "updated_at", TIME_RFC3339) || event_is_zero(e))
		return (false);
	m->event_id = refund_event_id(e, event_text(e, amount));
	m->part_id = SLICE("so-far");
	m->cumulative = true;
	return (event_add(e, ORDER_REFUNDED));
}

static bool
on_invoice_refunded(struct event *e)
{
	if (slice_is(event_text(e, "billing_reason"), "initial"))	/* order_refunded tells of it */
		return (delivery_ignore(e->out, "same_money"));
	name_invoice(e);
	return (on_order_refunded(e));
}

/* subscription_payment_recovered always comes beside a success. */
static const struct event_type types[] = {
	{ "order_created", on_order_created },
	{ "order_refunded", on_order_refunded },
	{ "subscription_payment_success", on_invoice_paid },
	{ "subscription_payment_refunded", on_invoice_refunded },
};

static const struct mac_header signature = { .name = "X-Signature", .is_hex = true };

static void
lemonsqueezy_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	event_reader *read;
	bool is_test;

	if (!event_begin(&e, &provider_lemonsqueezy, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, SLICE(""), out) || !event_parse(&e))
		return;
	read = event_reader_of(&e, "meta.event_name", types, N_ELEM(types));
	if (read != NULL && body_id(&e.body, "data.id", &e.message.order_id) &&
	    body_object(&e.body, "data.attributes", &e.object) && body_bool(&e.object, "test_mode", &is_test) &&
	    !event_is_of_other_mode(&e, is_test))
		read(&e);
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "lemonsqueezy.com", NULL };

const struct provider provider_lemonsqueezy = { .name = "lemonsqueezy", .read = lemonsqueezy_read, .token_params = tokens,
    .payment_pages = pages, .needs = NEEDS_SECRET };
