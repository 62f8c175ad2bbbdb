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
#include "provider/event.h"
#include "provider/modules.h"

/* https://docs.adyen.com/development-resources/currency-codes: "differs from standard" */
static const struct own_unit own_units[] = { { "CLP", 2 }, { "CVE", 0 }, { "IDR", 0 }, { "ISK", 2 }, { NULL, 0 } };
static const struct amounts amounts = { UNITS_ISO, own_units };

/* ---- items ---- */

static bool
succeeded(const struct event *e)
{
	return (slice_is(event_text(e, "success"), "true"));
}

/* additionalData["metadata.rpv"] */
static struct slice
metadata(const struct event *e)
{
	struct slice name = delivery_prefixed(e->out, "metadata.", e->conf->visitor_key);

	return (body_text_of(&e->object, "additionalData", name));
}

static bool
add_paid(struct event *e, const char *payment)
{
	struct order_message *m = &e->message;
	struct slice reference = event_text(e, "merchantReference");

	if (!event_id_text(e, payment, &m->order_id) || !event_money(e, "amount.currency", "amount.value") || event_is_zero(e))
		return (false);
	m->customer = event_text(e, "additionalData.shopperReference");
	m->recurring = slice_is(event_text(e, "additionalData.shopperInteraction"), "ContAuth");
	m->visitor = metadata(e);
	if (m->visitor.len == 0)
		m->visitor = reference;
	message_token(m, reference);
	return (event_add(e, ORDER_PAID));
}

static bool
on_authorisation(struct event *e)
{
	if (!succeeded(e) || e->conf->count_captures)
		return (delivery_ignore(e->out, "not_paid"));
	return (add_paid(e, "pspReference"));
}

static bool
on_capture(struct event *e)
{
	if (!e->conf->count_captures)
		return (delivery_ignore(e->out, "same_money"));
	if (!succeeded(e))
		return (delivery_ignore(e->out, "not_paid"));
	return (add_paid(e, "originalReference"));
}

static bool
on_refund(struct event *e)
{
	static const struct part_paths paths = { "pspReference", "originalReference", "amount.currency", "amount.value" };

	if (!succeeded(e))
		return (delivery_ignore(e->out, "not_final"));
	return (event_add_part(e, ORDER_REFUNDED, &paths));
}

/* Its events have references of their own; the payment names the dispute. */
static bool
add_dispute(struct event *e, enum order_kind kind)
{
	static const struct part_paths paths = { NULL, "originalReference", "amount.currency", "amount.value" };

	if (!succeeded(e))
		return (delivery_ignore(e->out, "no_change"));
	e->message.part_id = delivery_prefixed(e->out, "cb:", event_text(e, "originalReference"));
	return (event_add_part(e, kind, &paths));
}

static bool
on_chargeback(struct event *e)
{
	return (add_dispute(e, ORDER_DISPUTED));
}

static bool
on_chargeback_reversed(struct event *e)
{
	return (add_dispute(e, ORDER_DISPUTE_WON));
}

/* Money that was refunded comes back to the shop: no event of ours says so. */
static bool
on_refund_undone(struct event *e)
{
	return (delivery_ignore(e->out, succeeded(e) ? "not_represented" : "no_change"));
}

/* SECOND_CHARGEBACK takes what CHARGEBACK took; NOTIFICATION_OF_CHARGEBACK takes nothing. */
static const struct event_type types[] = {
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
item_at(const struct event *e, size_t i)
{
	struct body items = body_item(&e->body, "notificationItems", i);

	return ((struct body){ e->out, body_at(&items, "NotificationRequestItem"), "NotificationRequestItem" });
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
item_is_signed(const struct event *e, const struct body *item)
{
	struct signatures s = { .len = 32 };
	struct buf text = { 0 };
	bool is_signed;

	e->out->secret_index = -1;	/* not that of the item before */
	signatures_add_base64(&s, body_text(item, "additionalData.hmacSignature"));
	if (signed_text(item, &text))
		is_signed = signed_hmac256_hex_keys(e->conf, &s, buf_view(&text), e->out);
	else
		is_signed = delivery_reject(e->out, 400, "malformed_signature");
	buf_free(&text);
	return (is_signed);
}

static bool
all_are_signed(const struct event *e)
{
	size_t n = body_count(&e->body, "notificationItems");
	bool all = n > 0;

	for (size_t i = 0; i < n && all; i++) {
		struct body item = item_at(e, i);

		all = body_at(&item, "additionalData.hmacSignature") != NULL;
	}
	if (!all)
		return (delivery_reject(e->out, 401, "missing_signature"));
	for (size_t i = 0; i < n; i++) {
		struct body item = item_at(e, i);

		if (!item_is_signed(e, &item))
			return (false);
	}
	return (true);
}

/* What is no JSON has no signature: nobody's word, and not to be kept. */
static bool
parse_signed(struct event *e)
{
	if (!event_parse(e) && !e->request->was_checked)
		return (delivery_reject(e->out, 401, "missing_signature"));
	return (e->out->verdict == VERDICT_ACCEPT && (e->request->was_checked || all_are_signed(e)));
}

static bool
read_item(const struct event *whole, size_t i)
{
	struct event e = *whole;
	event_reader *read;

	e.object = e.body = item_at(whole, i);
	read = event_reader_of(&e, "eventCode", types, N_ELEM(types));
	if (read != NULL && event_time(&e, "eventDate", TIME_RFC3339))
		read(&e);
	return (e.out->verdict == VERDICT_ACCEPT);
}

static void
adyen_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	struct slice live;

	if (!event_begin(&e, &provider_adyen, &amounts, conf, req, out) || !parse_signed(&e) || !event_id_text(&e, "live", &live) ||
	    event_is_of_other_mode(&e, !slice_is(live, "true")))
		return;
	for (size_t i = 0; i < body_count(&e.body, "notificationItems") && read_item(&e, i);)
		i++;
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "adyen.com", "adyen.link", NULL };

const struct provider provider_adyen = { .name = "adyen", .read = adyen_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_SECRET, .accepted = "[accepted]" };
