/*
 * Fuzzer: lines of order files, and webhook bodies of every provider, rightly signed.
 *
 * The first two bytes choose module and way.  A body is signed here with the only
 * secret, so that the fuzzer gets behind the signature; what comes out has to keep the
 * promises of provider.h and must survive the journal's encoding.  With other choices
 * the rest is the signature header itself, or a body that something else was signed
 * for.  Each body comes once more as from the quarantine, where no signature is asked
 * for, so that those with signatures within them are read, too.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "provider/mismatch.h"
#include "provider/provider.h"

#define NOW INT64_C(1772445600)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct slice secret = { "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", 44 };
static const struct slice key = { "0123456789abcdef0123456789abcdef", 32 };

#define URL "https://shop.example/hooks/square"
#define CERTIFICATE_URL "https://api.paypal.com/v1/notifications/certs/CERT-1"

enum { HEX = 1, DECODED = 2, SHA512 = 4 };
/* before: what is signed in front of the body.  No header: the signature is elsewhere, or there is none. */
static const struct { const char *name, *header, *prefix, *before; int how; } modules[] = {
	{ "generic", "webhook-signature", "v1,", "m.1772445600.", DECODED },
	{ "dodo", "webhook-signature", "v1,", "m.1772445600.", DECODED },
	{ "polar", "webhook-signature", "v1,", "m.1772445600.", 0 },
	{ "bigcommerce", "webhook-signature", "v1,", "m.1772445600.", 0 },
	{ "stripe", "Stripe-Signature", "t=1772445600,v1=", "1772445600.", HEX },
	{ "paddle", "Paddle-Signature", "ts=1772445600;h1=", "1772445600:", HEX },
	{ "shopify", "X-Shopify-Hmac-Sha256", "", "", 0 },
	{ "woocommerce", "X-WC-Webhook-Signature", "", "", 0 },
	{ "square", "x-square-hmacsha256-signature", "", URL, 0 },
	{ "lemonsqueezy", "X-Signature", "", "", HEX },
	{ "razorpay", "X-Razorpay-Signature", "", "", HEX },
	{ "creem", "creem-signature", "", "", HEX },
	{ "paystack", "x-paystack-signature", "", "", HEX | SHA512 },
	{ "paypal", "PAYPAL-TRANSMISSION-SIG", "", "", 0 },
	{ "adyen", "none", "", "", 0 },
	{ "gumroad", "none", "", "", 0 },
};

static void
check_message(const struct order_message *m)
{
	must(m->order_id.len > 0 && m->event_id.len > 0 && m->provider.len > 0);
	must(m->amount >= 0 && m->amount <= MONEY_MAX && m->tax >= 0 && m->tax <= MONEY_MAX);
	must(m->shipping >= 0 && m->shipping <= MONEY_MAX && m->time_ms >= 0);
	must(m->n_tokens <= ORDER_TOKENS_MAX && m->n_aliases <= ORDER_ALIASES_MAX);
	must(m->kind != ORDER_PAID || m->amount > 0);
	must((m->ip.len == 0) == (m->user_agent.len == 0));
}

static void
check_encoding(const struct order_message *m)
{
	struct order_event e = { .kind = m->kind, .event_id = m->event_id, .provider = m->provider, .order_id = m->order_id,
	    .part_id = m->part_id, .time_ms = m->time_ms, .currency = m->currency, .amount = m->amount, .tax = m->tax,
	    .shipping = m->shipping, .n_aliases = m->n_aliases };
	struct order_event back;
	struct buf b = { 0 };

	memcpy(e.aliases, m->aliases, sizeof(e.aliases));
	order_event_encode(&e, &b);
	must(order_event_decode(buf_view(&b), &back) == 0);
	must(back.amount == m->amount && slice_equal(back.order_id, m->order_id));
	buf_free(&b);
}

static void
check_delivery(struct delivery *d)
{
	must(d->n_messages <= DELIVERY_MESSAGES_MAX);
	must((d->reason == NULL) == (d->n_messages > 0));
	must((d->verdict == VERDICT_ACCEPT) == (d->status == 200));
	must(d->verdict == VERDICT_ACCEPT || d->n_messages == 0);
	must(d->verdict != VERDICT_QUARANTINE || d->detail[0] != '\0');
	for (size_t i = 0; i < d->n_messages; i++) {
		check_message(&d->messages[i]);
		check_encoding(&d->messages[i]);
	}
	delivery_free(d);
}

static size_t
mac_of(size_t module, struct slice body, unsigned char mac[64])
{
	const char *before = modules[module].before;
	struct slice with = modules[module].how & DECODED ? key : secret;
	struct buf text = { 0 };
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha512_state state512;

	buf_puts(&text, before);
	buf_put(&text, body.p, body.len);
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)with.p, with.len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.p, text.len);
	crypto_auth_hmacsha256_final(&state, mac);
	crypto_auth_hmacsha512_init(&state512, (const unsigned char *)with.p, with.len);
	crypto_auth_hmacsha512_update(&state512, (const unsigned char *)text.p, text.len);
	if (modules[module].how & SHA512)
		crypto_auth_hmacsha512_final(&state512, mac);
	buf_free(&text);
	return (modules[module].how & SHA512 ? 64 : 32);
}

static void
sign(size_t module, struct slice body, char value[256])
{
	unsigned char mac[64];
	size_t len = mac_of(module, body, mac);
	char text[160];

	if (modules[module].how & HEX)
		sodium_bin2hex(text, sizeof(text), mac, len);
	else
		sodium_bin2base64(text, sizeof(text), mac, len, sodium_base64_VARIANT_ORIGINAL);
	snprintf(value, 256, "%s%s", modules[module].prefix, text);
}

static void
deliver(size_t module, struct slice body, struct slice signature, int flags)
{
	struct header headers[] = { { SLICE("webhook-id"), SLICE("m") }, { SLICE("webhook-timestamp"), SLICE("1772445600") },
	    { slice_of(modules[module].header), signature }, { SLICE("PAYPAL-TRANSMISSION-ID"), SLICE("m") },
	    { SLICE("PAYPAL-TRANSMISSION-TIME"), flags & 4 ? signature : SLICE("2026-03-02T10:00:00Z") },
	    { SLICE("PAYPAL-CERT-URL"), flags & 8 ? signature : SLICE(CERTIFICATE_URL) },
	    { SLICE("PAYPAL-AUTH-ALGO"), SLICE("SHA256withRSA") }, { SLICE("square-environment"), flags & 1 ? SLICE("Sandbox") : SLICE("") } };
	struct certificate pinned = { SLICE(""), body };
	struct certificate_list certificates = { &pinned, 1 };
	struct provider_conf conf = { .secrets = &secret, .n_secrets = 1, .visitor_key = SLICE("rpv"), .tolerance_s = 300,
	    .test = flags & 1, .count_payment_intents = flags & 2, .count_captures = flags & 2, .notification_url = SLICE(URL),
	    .seller_id = SLICE("s"), .webhook_id = SLICE("w"), .certificates = &certificates };
	struct request req = { .method = SLICE("POST"), .headers = headers, .n_headers = N_ELEM(headers), .body = body,
	    .received_ms = NOW * 1000 };
	struct delivery d;

	provider_find(modules[module].name)->read(&conf, &req, &d);
	if (d.reason != NULL && strcmp(d.reason, "bad_signature") == 0)
		(void)mismatch_hint(provider_find(modules[module].name), &conf, &req);
	check_delivery(&d);
	req.was_checked = true;		/* as from the quarantine */
	provider_find(modules[module].name)->read(&conf, &req, &d);
	check_delivery(&d);
}

/* A ping without the seller's id ends there, so it is given one. */
static void
deliver_ping(size_t module, struct slice rest, int flags)
{
	struct buf ping = { 0 };

	buf_puts(&ping, rest.len > 0 && *rest.p == '{' ? "{\"seller_id\":\"s\"," : "seller_id=s&");
	if (rest.len > 0)
		buf_put(&ping, rest.p + (*rest.p == '{'), rest.len - (*rest.p == '{'));
	deliver(module, buf_view(&ping), SLICE(""), flags);
	buf_free(&ping);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice rest = slice_make((const char *)bytes, len);
	size_t module = len > 0 ? bytes[0] % N_ELEM(modules) : 0;
	unsigned way = len > 1 ? bytes[1] : 0;
	char signature[256];
	struct delivery d;
	struct err err;

	rest = slice_skip(rest, len > 1 ? 2 : len);
	if (way & 0x40) {
		(void)order_line_read(rest, &d, &err);
		check_delivery(&d);
	} else if (strcmp(modules[module].name, "gumroad") == 0 && !(way & 0x80)) {
		deliver_ping(module, rest, (int)(way >> 2));
	} else if ((way & 0x90) == 0x90) {
		sign(module, SLICE("{}"), signature);
		deliver(module, rest, slice_of(signature), 0);
	} else if (way & 0x80) {
		deliver(module, SLICE("{}"), rest, (int)(way & 0x0f));
	} else {
		sign(module, rest, signature);
		deliver(module, rest, slice_of(signature), (int)(way >> 2));
	}
	return (0);
}
