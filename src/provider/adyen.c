/*
 * adyen: standard webhooks, https://docs.adyen.com/development-resources/webhooks
 *
 * The signature is in the body, one an item, and covers eight fields of it: not the
 * time, nor the additional data.  So the body is parsed before anything is believed,
 * and the whole delivery is refused where one item is not genuine.  Booleans are
 * texts.  A payment counts when it is authorised, or, where the owner captures
 * later, when it is captured.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "provider/modules.h"
#include "provider/report.h"

/* https://docs.adyen.com/development-resources/currency-codes: "differs from standard" */
static const struct own_unit own_units[] = { { "CLP", 2 }, { "CVE", 0 }, { "IDR", 0 }, { "ISK", 2 }, { NULL, 0 } };
static const struct amounts amounts = { UNITS_ISO, own_units };

/* ---- items ---- */

static bool
succeeded(const struct report *r)
{
	return (slice_is(report_text(r, "success"), "true"));
}

/* additionalData["metadata.rpv"] */
static struct slice
metadata(const struct report *r)
{
	struct slice name = delivery_prefixed(r->out, "metadata.", r->conf->visitor_key);

	return (body_text_of(&r->object, "additionalData", name));
}

static bool
add_paid(struct report *r, const char *payment)
{
	struct order_message *m = &r->message;
	struct slice reference = report_text(r, "merchantReference");

	if (!report_id(r, payment, &m->order_id) || !report_money(r, "amount.currency", "amount.value") || report_is_zero(r))
		return (false);
	m->customer = report_text(r, "additionalData.shopperReference");
	m->recurring = slice_is(report_text(r, "additionalData.shopperInteraction"), "ContAuth");
	m->visitor = metadata(r);
	if (m->visitor.len == 0)
		m->visitor = reference;
	message_token(m, reference);
	return (report_add(r, ORDER_PAID));
}

static bool
on_authorisation(struct report *r)
{
	if (!succeeded(r) || r->conf->count_captures)
		return (delivery_ignore(r->out, "not_paid"));
	return (add_paid(r, "pspReference"));
}

static bool
on_capture(struct report *r)
{
	if (!r->conf->count_captures)
		return (delivery_ignore(r->out, "same_money"));
	if (!succeeded(r))
		return (delivery_ignore(r->out, "not_paid"));
	return (add_paid(r, "originalReference"));
}

static bool
on_refund(struct report *r)
{
	static const struct part_paths paths = { "pspReference", "originalReference", "amount.currency", "amount.value" };

	if (!succeeded(r))
		return (delivery_ignore(r->out, "not_final"));
	return (report_add_part(r, ORDER_REFUNDED, &paths));
}

/* Its events have references of their own; the payment names the dispute. */
static bool
add_dispute(struct report *r, enum order_kind kind)
{
	static const struct part_paths paths = { NULL, "originalReference", "amount.currency", "amount.value" };

	if (!succeeded(r))
		return (delivery_ignore(r->out, "no_change"));
	r->message.part_id = delivery_prefixed(r->out, "cb:", report_text(r, "originalReference"));
	return (report_add_part(r, kind, &paths));
}

static bool
on_chargeback(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTED));
}

static bool
on_chargeback_reversed(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTE_WON));
}

/* Money that was refunded comes back to the shop: no event of ours says so. */
static bool
on_refund_undone(struct report *r)
{
	return (delivery_ignore(r->out, succeeded(r) ? "not_represented" : "no_change"));
}

/* SECOND_CHARGEBACK takes what CHARGEBACK took; NOTIFICATION_OF_CHARGEBACK takes nothing. */
static const struct report_type types[] = {
	{ "AUTHORISATION", on_authorisation },
	{ "CAPTURE", on_capture },
	{ "REFUND", on_refund },
	{ "REFUND_FAILED", on_refund_undone },
	{ "REFUNDED_REVERSED", on_refund_undone },
	{ "CHARGEBACK", on_chargeback },
	{ "CHARGEBACK_REVERSED", on_chargeback_reversed },
	{ "PREARBITRATION_WON", on_chargeback_reversed },
};

static struct body
item_at(const struct report *r, size_t i)
{
	struct body items = body_item(&r->body, "notificationItems", i);

	return ((struct body){ r->out, body_at(&items, "NotificationRequestItem"), "NotificationRequestItem" });
}

/* ---- signatures ---- */

/* Nothing is escaped, so that a colon could carry bytes from one field into the next: only the owner's
 * own reference may have some, and then there is one way to read the whole. */
static bool
signed_text(const struct body *item, struct buf *out)
{
	static const char *const fields[] = { "pspReference", "originalReference", "merchantAccountCode", "merchantReference",
	    "amount.value", "amount.currency", "eventCode", "success" };

	for (size_t i = 0; i < N_ELEM(fields); i++) {
		struct slice field = body_text(item, fields[i]);

		if (slice_find(field, ':') >= 0 && strcmp(fields[i], "merchantReference") != 0)
			return (false);
		buf_printf(out, "%s%.*s", i > 0 ? ":" : "", SLICE_FMT(field));
	}
	return (true);
}

static bool
item_is_signed(const struct report *r, const struct body *item)
{
	struct signatures s = { .len = 32 };
	struct buf text = { 0 };
	bool is_signed;

	r->out->secret_index = -1;	/* not that of the item before */
	signatures_add_base64(&s, body_text(item, "additionalData.hmacSignature"));
	if (signed_text(item, &text))
		is_signed = signed_hmac256_hex_keys(r->conf, &s, buf_view(&text), r->out);
	else
		is_signed = delivery_reject(r->out, 400, "malformed_signature");
	buf_free(&text);
	return (is_signed);
}

static bool
all_are_signed(const struct report *r)
{
	size_t n = body_count(&r->body, "notificationItems");
	bool all = n > 0;

	for (size_t i = 0; i < n && all; i++) {
		struct body item = item_at(r, i);

		all = body_at(&item, "additionalData.hmacSignature") != NULL;
	}
	if (!all)
		return (delivery_reject(r->out, 401, "missing_signature"));
	for (size_t i = 0; i < n; i++) {
		struct body item = item_at(r, i);

		if (!item_is_signed(r, &item))
			return (false);
	}
	return (true);
}

/* What is no JSON has no signature: nobody's word, and not to be kept. */
static bool
parse_signed(struct report *r)
{
	if (!report_parse(r) && !r->request->was_checked)
		return (delivery_reject(r->out, 401, "missing_signature"));
	return (r->out->verdict == VERDICT_ACCEPT && (r->request->was_checked || all_are_signed(r)));
}

static bool
read_item(const struct report *whole, size_t i)
{
	struct report r = *whole;
	report_reader *read;

	r.object = r.body = item_at(whole, i);
	read = report_reader_of(&r, "eventCode", types, N_ELEM(types));
	if (read != NULL && report_time(&r, "eventDate", TIME_RFC3339))
		read(&r);
	return (r.out->verdict == VERDICT_ACCEPT);
}

static void
adyen_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	struct slice live;

	if (!report_begin(&r, &provider_adyen, &amounts, conf, req, out) || !parse_signed(&r) || !report_id(&r, "live", &live) ||
	    report_is_of_other_mode(&r, !slice_is(live, "true")))
		return;
	delivery_ignore(out, "irrelevant_type");	/* until an item says otherwise */
	for (size_t i = 0; i < body_count(&r.body, "notificationItems") && read_item(&r, i);)
		i++;
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "adyen.com", "adyen.link", NULL };

const struct provider provider_adyen = { .name = "adyen", .read = adyen_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET, .accepted = "[accepted]" };
