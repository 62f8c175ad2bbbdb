/*
 * Fuzzer: lines of order files, and webhook bodies of every provider, rightly signed.
 *
 * The first byte chooses.  A body is signed here with the only secret, so that the
 * fuzzer gets behind the signature; what comes out has to keep the promises of
 * provider.h and must survive the journal's encoding.  With other choices the rest is
 * the signature header itself, or a body that something else was signed for.
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

enum { TIMED_ID = 1, TIMED = 2, HEX = 4, DECODED = 8 };
static const struct { const char *name, *header, *prefix; int how; } modules[] = {
	{ "generic", "webhook-signature", "v1,", TIMED_ID | DECODED },
	{ "stripe", "Stripe-Signature", "t=1772445600,v1=", TIMED | HEX },
	{ "shopify", "X-Shopify-Hmac-Sha256", "", 0 },
	{ "woocommerce", "X-WC-Webhook-Signature", "", 0 },
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

static void
sign(size_t module, struct slice body, char value[256])
{
	static const char *const before[] = { [TIMED_ID] = "m.1772445600.", [TIMED] = "1772445600." };
	int timed = modules[module].how & (TIMED_ID | TIMED);
	struct slice with = modules[module].how & DECODED ? key : secret;
	crypto_auth_hmacsha256_state state;
	unsigned char mac[32];
	char text[100];

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)with.p, with.len);
	if (timed)
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)before[timed], strlen(before[timed]));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.p, body.len);
	crypto_auth_hmacsha256_final(&state, mac);
	if (modules[module].how & HEX)
		sodium_bin2hex(text, sizeof(text), mac, sizeof(mac));
	else
		sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
	snprintf(value, 256, "%s%s", modules[module].prefix, text);
}

static void
deliver(size_t module, struct slice body, struct slice signature, int flags)
{
	struct header headers[] = { { SLICE("webhook-id"), SLICE("m") }, { SLICE("webhook-timestamp"), SLICE("1772445600") },
	    { slice_of(modules[module].header), signature } };
	struct provider_conf conf = { .secrets = &secret, .n_secrets = 1, .visitor_key = SLICE("rpv"), .tolerance_s = 300,
	    .test = flags & 1, .count_payment_intents = flags & 2 };
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

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice rest = slice_make((const char *)bytes, len);
	unsigned choice = len > 0 ? bytes[0] : 0;
	size_t module = choice % N_ELEM(modules);
	char signature[256];
	struct delivery d;
	struct err err;

	rest = slice_skip(rest, len > 0);
	if (choice & 0x40) {
		(void)order_line_read(rest, &d, &err);
		check_delivery(&d);
	} else if ((choice & 0x90) == 0x90) {
		sign(module, SLICE("{}"), signature);
		deliver(module, rest, slice_of(signature), 0);
	} else if (choice & 0x80) {
		deliver(module, SLICE("{}"), rest, 0);
	} else {
		sign(module, rest, signature);
		deliver(module, rest, slice_of(signature), (int)(choice >> 2));
	}
	return (0);
}
