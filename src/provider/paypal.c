/*
 * paypal: https://developer.paypal.com/api/rest/webhooks/rest/
 *
 * Signed with a key whose certificate lies at PayPal, at an address that the request
 * names and nobody has signed: it is believed from PayPal's own hosts alone.  Signed
 * are the webhook's id, which is the owner's, a time, and the body's CRC-32.  That is
 * no hash: whoever has seen one delivery can make another body of the same sum, so TLS
 * has to guard the way in.  A retry may keep the time of the first try, so three days
 * are allowed.
 */
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "provider/certificate.h"
#include "provider/modules.h"
#include "provider/report.h"

#define PAST_S (3 * 86400)

static const struct amounts amounts = { UNITS_TEXT, NULL };

/* ---- events ---- */

static bool
on_capture(struct report *r)
{
	struct order_message *m = &r->message;

	if (!report_id(r, "id", &m->order_id) || !report_time(r, "create_time", TIME_RFC3339) ||
	    !report_money(r, "amount.currency_code", "amount.value") || report_is_zero(r))
		return (false);
	m->visitor = report_text(r, "custom_id");
	message_token(m, report_text(r, "supplementary_data.related_ids.order_id"));
	message_token(m, report_text(r, "invoice_id"));
	message_token(m, m->visitor);
	return (report_add(r, ORDER_PAID));
}

/* Of version 1 of the API: subscriptions. */
static bool
on_sale(struct report *r)
{
	struct order_message *m = &r->message;

	if (!report_id(r, "id", &m->order_id) || !report_time(r, "create_time", TIME_RFC3339) ||
	    !report_money(r, "amount.currency", "amount.total") || !report_amount_or_0(r, "amount.details.tax", &m->tax) ||
	    !report_amount_or_0(r, "amount.details.shipping", &m->shipping) || report_is_zero(r))
		return (false);
	m->recurring = report_text(r, "billing_agreement_id").len > 0;
	m->visitor = report_text(r, "custom");
	message_token(m, report_text(r, "invoice_number"));
	message_token(m, m->visitor);
	return (report_add(r, ORDER_PAID));
}

/* The last part of the path that links[rel=up] leads to: the capture's id. */
static struct slice
linked_up(const struct report *r)
{
	for (size_t i = 0; i < body_count(&r->object, "links"); i++) {
		struct body link = body_item(&r->object, "links", i);
		struct slice rest = body_text(&link, "href"), last = rest;

		if (!slice_is(body_text(&link, "rel"), "up"))
			continue;
		while (rest.len > 0)
			last = slice_cut(&rest, '/');
		return (last);
	}
	return (SLICE(""));
}

static bool
on_refund(struct report *r)
{
	struct order_message *m = &r->message;
	bool is_sale = body_at(&r->object, "amount.total") != NULL;

	m->order_id = report_text(r, "sale_id");
	if (m->order_id.len == 0)
		m->order_id = linked_up(r);
	if (m->order_id.len == 0)
		return (body_complain(&r->object, "links", "has no link up, and sale_id is missing"));
	if (!report_id(r, "id", &m->part_id) || !report_time(r, "create_time", TIME_RFC3339) ||
	    !body_currency(&r->object, is_sale ? "amount.currency" : "amount.currency_code", &m->currency) ||
	    !body_amount_unsigned(&r->object, is_sale ? "amount.total" : "amount.value", m->currency, &m->amount))
		return (false);
	return (report_add(r, ORDER_REFUNDED));
}

static bool
add_dispute(struct report *r, enum order_kind kind)
{
	struct order_message *m = &r->message;
	struct body first = body_item(&r->object, "disputed_transactions", 0);

	return (report_id(r, "dispute_id", &m->part_id) && body_id(&first, "seller_transaction_id", &m->order_id) &&
	    report_money(r, "dispute_amount.currency_code", "dispute_amount.value") && report_add(r, kind));
}

static bool
on_dispute_created(struct report *r)
{
	return (add_dispute(r, ORDER_DISPUTED));
}

/* The money is, or stays, the seller's. */
static const char *const won[] = { "RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED" };

static bool
on_dispute_resolved(struct report *r)
{
	struct slice outcome = report_text(r, "dispute_outcome.outcome_code");

	for (size_t i = 0; i < N_ELEM(won); i++)
		if (slice_is(outcome, won[i]))
			return (add_dispute(r, ORDER_DISPUTE_WON));
	return (delivery_ignore(r->out, "no_change"));
}

/* CHECKOUT.ORDER.APPROVED is not paid yet, PAYMENT.CAPTURE.REVERSED shows up as a dispute. */
static const struct report_type types[] = {
	{ "PAYMENT.CAPTURE.COMPLETED", on_capture },
	{ "PAYMENT.SALE.COMPLETED", on_sale },
	{ "PAYMENT.CAPTURE.REFUNDED", on_refund },
	{ "PAYMENT.SALE.REFUNDED", on_refund },
	{ "CUSTOMER.DISPUTE.CREATED", on_dispute_created },
	{ "CUSTOMER.DISPUTE.RESOLVED", on_dispute_resolved },
};

/* ---- signature ---- */

static const struct slice live_host = SLICE("https://api.paypal.com/"), test_host = SLICE("https://api.sandbox.paypal.com/");

/* Of PayPal's hosts, and plain: no port, no user, no query, nothing escaped. */
bool
certificate_url_is_known(struct slice url)
{
	struct slice path = slice_starts(url, live_host) ? slice_skip(url, live_host.len) :
	    slice_starts(url, test_host) ? slice_skip(url, test_host.len) : SLICE("");

	for (size_t i = 0; i < path.len; i++) {
		char c = ascii_lower(path.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && memchr("/-_.", c, 4) == NULL)
			return (false);
	}
	return (path.len > 0 && url.len <= CERTIFICATE_URL_MAX);
}

struct transmission {
	struct slice id, time, signature, url, algorithm;
	unsigned char bytes[CERTIFICATE_SIGNATURE_MAX];	/* of the signature */
	size_t len;
	int64_t seconds;
};

static bool
read_transmission(const struct request *req, struct delivery *out, struct transmission *t)
{
	int64_t ms = 0;

	if (!request_header(req, "PAYPAL-TRANSMISSION-ID", &t->id) || !request_header(req, "PAYPAL-TRANSMISSION-TIME", &t->time) ||
	    !request_header(req, "PAYPAL-TRANSMISSION-SIG", &t->signature) || !request_header(req, "PAYPAL-CERT-URL", &t->url) ||
	    !request_header(req, "PAYPAL-AUTH-ALGO", &t->algorithm))
		return (delivery_reject(out, 401, "missing_signature"));
	if (!certificate_url_is_known(t->url))
		return (delivery_reject(out, 401, "bad_certificate_url"));
	if (!slice_is(t->algorithm, "SHA256withRSA") || !time_parse(t->time, TIME_RFC3339, &ms) ||
	    !signature_base64(t->signature, t->bytes, sizeof(t->bytes), &t->len))
		return (delivery_reject(out, 400, "malformed_signature"));
	t->seconds = ms / 1000;
	return (true);
}

/* id | time | webhook id | CRC-32 of the body */
static void
put_signed(const struct transmission *t, const struct provider_conf *conf, struct slice body, struct buf *out)
{
	unsigned long sum = crc32_z(0, (const unsigned char *)body.p, body.len);

	buf_printf(out, "%.*s|%.*s|%.*s|%lu", SLICE_FMT(t->id), SLICE_FMT(t->time), SLICE_FMT(conf->webhook_id), sum);
}

static bool
certificates_fit(const struct provider_conf *conf, const struct request *req, const struct transmission *t, bool *any)
{
	struct buf text = { 0 };
	bool fits = false;

	*any = false;
	put_signed(t, conf, req->body, &text);
	for (size_t i = 0; conf->certificates != NULL && i < conf->certificates->n; i++) {
		const struct certificate *c = &conf->certificates->list[i];

		if (c->url.len > 0 && !slice_equal(c->url, t->url))
			continue;
		*any = true;
		fits |= certificate_signed(c->pem, buf_view(&text), slice_make((const char *)t->bytes, t->len), req->received_ms / 1000);
	}
	buf_free(&text);
	return (fits);
}

static bool
signed_by_paypal(const struct provider_conf *conf, const struct request *req, struct delivery *out, struct transmission *t)
{
	bool any;

	if (!read_transmission(req, out, t))
		return (false);
	if (!certificates_fit(conf, req, t, &any)) {
		if (any || conf->webhook_id.len == 0)
			return (delivery_reject(out, 401, "bad_signature"));
		out->wants_certificate = t->url;
		return (delivery_reject(out, 503, "no_certificate"));
	}
	return (signed_past(conf, req, t->seconds, PAST_S, out));
}

/* No body says whether it is of the sandbox; but the sandbox has keys of its own, and they lie there. */
static bool
is_genuine(struct report *r)
{
	struct transmission t;

	if (r->request->was_checked)
		return (true);
	return (signed_by_paypal(r->conf, r->request, r->out, &t) && !report_is_of_other_mode(r, slice_starts(t.url, test_host)));
}

static void
paypal_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;

	if (!report_begin(&r, &provider_paypal, &amounts, conf, req, out) || !is_genuine(&r) || !report_parse(&r))
		return;
	read = report_reader_of(&r, "event_type", types, N_ELEM(types));
	if (read != NULL && report_id(&r, "id", &r.message.event_id) && report_time(&r, "create_time", TIME_RFC3339) &&
	    body_object(&r.body, "resource", &r.object))
		read(&r);
}

/* The shopper comes back with ?token=ORDER&PayerID=... */
static const char *const tokens[] = { "*", "token", NULL };
static const char *const pages[] = { "paypal.com", NULL };

const struct provider provider_paypal = { .name = "paypal", .read = paypal_read, .token_params = tokens, .payment_pages = pages,
    .needs = NEEDS_WEBHOOK_ID };
