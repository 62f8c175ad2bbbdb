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
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_ISO, NULL };

static bool
add_paid(struct report *r)
{
	struct order_message *m = &r->message;

	if (!report_money(r, "currency", "total") || !report_amount_or_0(r, "tax", &m->tax) ||
	    !report_time(r, "created_at", TIME_RFC3339) || report_is_zero(r))
		return (false);
	m->customer = report_customer(r, "customer_id", "user_email");
	m->visitor = body_text_of(&r->body, "meta.custom_data", r->conf->visitor_key);
	return (report_add(r, ORDER_PAID));
}

static bool
on_order_created(struct report *r)
{
	if (!slice_is(report_text(r, "status"), "paid"))
		return (delivery_ignore(r->out, "not_paid"));
	message_token(&r->message, report_text(r, "identifier"));
	return (add_paid(r));
}

static void
name_invoice(struct report *r)
{
	r->message.order_id = delivery_prefixed(r->out, "inv:", r->message.order_id);
}

static bool
on_invoice_paid(struct report *r)
{
	struct slice reason = report_text(r, "billing_reason");

	if (slice_is(reason, "initial"))	/* order_created tells of it */
		return (delivery_ignore(r->out, "same_money"));
	if (!slice_is(reason, "renewal") && !slice_is(reason, "updated"))
		return (body_complain(&r->object, "billing_reason", "is none of initial, renewal, updated"));
	name_invoice(r);
	r->message.recurring = true;
	return (add_paid(r));
}

/* Two states of one order's refunds are two events. */
static struct slice
refund_event_id(const struct report *r, struct slice so_far)
{
	struct buf text = { 0 };
	struct slice id;

	buf_printf(&text, "%.*s:%.*s", SLICE_FMT(r->message.order_id), SLICE_FMT(so_far));
	id = delivery_prefixed(r->out, "refunded:", buf_view(&text));
	buf_free(&text);
	return (id);
}

static bool
on_order_refunded(struct report *r)
{
	struct order_message *m = &r->message;
	bool is_told = body_at(&r->object, "refunded_amount") != NULL;
	const char *amount = is_told ? "refunded_amount" : "total";

	/* Older ones do not say how much: all of it. */
	if (!is_told && !body_is_true(&r->object, "refunded"))
		return (delivery_ignore(r->out, "partial_amount_unknown"));
	if (!report_money(r, "currency", amount) || !report_time(r, "updated_at", TIME_RFC3339) || report_is_zero(r))
		return (false);
	m->event_id = refund_event_id(r, report_text(r, amount));
	m->part_id = SLICE("so-far");
	m->cumulative = true;
	return (report_add(r, ORDER_REFUNDED));
}

static bool
on_invoice_refunded(struct report *r)
{
	if (slice_is(report_text(r, "billing_reason"), "initial"))	/* order_refunded tells of it */
		return (delivery_ignore(r->out, "same_money"));
	name_invoice(r);
	return (on_order_refunded(r));
}

/* subscription_payment_recovered always comes beside a success. */
static const struct report_type types[] = {
	{ "order_created", on_order_created },
	{ "order_refunded", on_order_refunded },
	{ "subscription_payment_success", on_invoice_paid },
	{ "subscription_payment_refunded", on_invoice_refunded },
};

static const struct mac_header signature = { .name = "X-Signature", .is_hex = true };

static void
lemonsqueezy_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;
	bool is_test;

	if (!report_begin(&r, &provider_lemonsqueezy, &amounts, conf, req, out) ||
	    !signed_header(conf, req, &signature, SLICE(""), out) || !report_parse(&r))
		return;
	read = report_reader_of(&r, "meta.event_name", types, N_ELEM(types));
	if (read != NULL && body_id(&r.body, "data.id", &r.message.order_id) &&
	    body_object(&r.body, "data.attributes", &r.object) && body_bool(&r.object, "test_mode", &is_test) &&
	    !report_is_of_other_mode(&r, is_test))
		read(&r);
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "lemonsqueezy.com", NULL };

const struct provider provider_lemonsqueezy = { .name = "lemonsqueezy", .read = lemonsqueezy_read, .token_params = tokens,
    .payment_pages = pages, .needs = NEEDS_SECRET };
