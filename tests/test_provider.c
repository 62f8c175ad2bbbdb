/*
 * Tests of src/provider: signatures first, the same mistakes at every provider; then
 * what a body means; then bodies that are none.
 *
 * Requests are signed here, by libsodium.  With RPVD_WEBHOOK_CASES (a directory of
 * case files) or RPVD_SHARED (which has them in webhooks/cases) every request of
 * those is asked, too.
 */
#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "provider/mismatch.h"
#include "provider/provider.h"

#define NOW INT64_C(1772445600)		/* 2026-03-02T10:00:00Z */

/* ---- signing ---- */

#define HEADERS_MAX 8

/* A request under construction: the strings live here. */
struct post {
	const char *method;
	struct buf body;
	struct header headers[HEADERS_MAX];
	char values[HEADERS_MAX][2048];
	size_t n_headers;
	int64_t received;
};

static char *
add_header(struct post *p, const char *name)
{
	size_t i = p->n_headers++;

	must(i < HEADERS_MAX);
	p->headers[i].name = slice_of(name);
	p->values[i][0] = '\0';
	return (p->values[i]);
}

/* 32 bytes, or 64 of SHA-512. */
static size_t
hmac(struct slice key, struct slice text, bool is_sha512, unsigned char mac[64])
{
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha512_state state512;

	if (is_sha512) {
		crypto_auth_hmacsha512_init(&state512, (const unsigned char *)key.p, key.len);
		crypto_auth_hmacsha512_update(&state512, (const unsigned char *)text.p, text.len);
		crypto_auth_hmacsha512_final(&state512, mac);
		return (64);
	}
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.p, text.len);
	crypto_auth_hmacsha256_final(&state, mac);
	return (32);
}

enum { AS_BASE64 = 0, AS_HEX = 1, WITH_512 = 2 };	/* how a MAC is made and written, as bits */

/* Appends the entry of one secret to a header's value. */
static void
append_mac(char *value, const char *prefix, struct slice key, struct slice text, int how)
{
	unsigned char mac[64];
	char written[160];
	size_t len = hmac(key, text, how & WITH_512, mac);

	if (how & AS_HEX)
		sodium_bin2hex(written, sizeof(written), mac, len);
	else
		sodium_bin2base64(written, sizeof(written), mac, len, sodium_base64_VARIANT_ORIGINAL);
	strcat(strcat(value, prefix), written);
}

static void
sign_standard(struct post *p, const char *const *secrets, int64_t at, bool is_decoded)
{
	struct buf text = { 0 };
	char *value;

	strcpy(add_header(p, "webhook-id"), "msg_1");
	sprintf(add_header(p, "webhook-timestamp"), "%jd", (intmax_t)at);
	buf_printf(&text, "msg_1.%jd.", (intmax_t)at);
	buf_put(&text, p->body.p, p->body.len);
	value = add_header(p, "webhook-signature");
	for (size_t i = 0; secrets[i] != NULL; i++) {
		struct slice secret = slice_of(secrets[i]);
		unsigned char key[64];
		size_t len;

		if (is_decoded) {
			ck_assert_int_eq(sodium_base642bin(key, sizeof(key), secret.p + strlen("whsec_"),
			    secret.len - strlen("whsec_"), NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL), 0);
			secret = slice_make((char *)key, len);
		}
		append_mac(value, i > 0 ? " v1," : "v1,", secret, buf_view(&text), AS_BASE64);
	}
	buf_free(&text);
}

static void
sign_generic(struct post *p, const char *const *secrets, int64_t at)
{
	sign_standard(p, secrets, at, true);
}

static void
sign_literal(struct post *p, const char *const *secrets, int64_t at)
{
	sign_standard(p, secrets, at, false);
}

static void
sign_timed(struct post *p, const char *const *secrets, int64_t at, const char *header, const char *first, const char *more, char joint)
{
	struct buf text = { 0 };
	char *value = add_header(p, header);

	buf_printf(&text, "%jd%c", (intmax_t)at, joint);
	buf_put(&text, p->body.p, p->body.len);
	sprintf(value, "%s%jd", first, (intmax_t)at);
	for (size_t i = 0; secrets[i] != NULL; i++)
		append_mac(value, more, slice_of(secrets[i]), buf_view(&text), AS_HEX);
	buf_free(&text);
}

static void
sign_stripe(struct post *p, const char *const *secrets, int64_t at)
{
	sign_timed(p, secrets, at, "Stripe-Signature", "t=", ",v1=", '.');
}

static void
sign_paddle(struct post *p, const char *const *secrets, int64_t at)
{
	sign_timed(p, secrets, at, "Paddle-Signature", "ts=", ";h1=", ':');
}

static void
sign_shopify(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "X-Shopify-Hmac-Sha256"), "", slice_of(secrets[0]), buf_view(&p->body), AS_BASE64);
}

static void
sign_woocommerce(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "X-WC-Webhook-Signature"), "", slice_of(secrets[0]), buf_view(&p->body), AS_BASE64);
}

#define NOTIFICATION_URL "https://shop.example/hooks/square"

static void
sign_square(struct post *p, const char *const *secrets, int64_t at)
{
	struct buf text = { 0 };

	(void)at;
	buf_puts(&text, NOTIFICATION_URL);
	buf_put(&text, p->body.p, p->body.len);
	append_mac(add_header(p, "x-square-hmacsha256-signature"), "", slice_of(secrets[0]), buf_view(&text), AS_BASE64);
	buf_free(&text);
}

static void
sign_lemonsqueezy(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "X-Signature"), "", slice_of(secrets[0]), buf_view(&p->body), AS_HEX);
}

static void
sign_razorpay(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "X-Razorpay-Signature"), "", slice_of(secrets[0]), buf_view(&p->body), AS_HEX);
}

static void
sign_creem(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "creem-signature"), "", slice_of(secrets[0]), buf_view(&p->body), AS_HEX);
}

static void
sign_paystack(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "x-paystack-signature"), "", slice_of(secrets[0]), buf_view(&p->body), AS_HEX | WITH_512);
}

#define ZERO64 "0000000000000000000000000000000000000000000000000000000000000000"

/* What each that signs by a header and a secret needs for the common cases. */
static const struct shop {
	const char *name, *header;
	void (*sign)(struct post *, const char *const *secrets, int64_t at);
	bool is_timed;
	const char *secret, *old_secret;
	const char *paid;		/* a genuine purchase */
	const char *malformed[8];	/* signature headers that are none */
	int how;			/* of its MAC */
} shops[] = {
	{ "generic", "webhook-signature", sign_generic, true,
	    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=",
	    "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\","
	    "\"order\":{\"id\":\"1\",\"total\":\"45.20\",\"currency\":\"EUR\"}}",
	    { "", "v1", "v1,", "v1,%%%", "v2,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "v1,AAAA", NULL }, 0 },
	{ "stripe", "Stripe-Signature", sign_stripe, true, "whsec_new", "whsec_old",
	    "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"checkout.session.completed\",\"created\":1772445600,"
	    "\"livemode\":true,\"data\":{\"object\":{\"id\":\"cs_1\",\"payment_status\":\"paid\",\"currency\":\"eur\","
	    "\"amount_total\":4520,\"payment_intent\":\"pi_1\"}}}",
	    { "", "t=1772445600", "v1=00", "t=1772445600,v0=0000000000000000000000000000000000000000000000000000000000000000",
	      "t=,v1=0000000000000000000000000000000000000000000000000000000000000000",
	      "t=1e9,v1=0000000000000000000000000000000000000000000000000000000000000000", "t=1772445600,v1=xyz", NULL }, AS_HEX },
	{ "shopify", "X-Shopify-Hmac-Sha256", sign_shopify, false, "shpss_new", "shpss_old",
	    "{\"id\":5401,\"financial_status\":\"paid\",\"total_price\":\"45.20\",\"currency\":\"EUR\","
	    "\"processed_at\":\"2026-03-02T05:00:00-05:00\",\"test\":false}",
	    { "", "invalid", "%%%%", "AAAA", NULL }, 0 },
	{ "woocommerce", "X-WC-Webhook-Signature", sign_woocommerce, false, "a&b<c>\"d'", "old secret",
	    "{\"id\":77,\"currency\":\"EUR\",\"total\":\"45.20\",\"date_paid_gmt\":\"2026-03-02T10:00:00\"}",
	    { "", "invalid", "%%%%", "AAAA", NULL }, 0 },
	{ "paddle", "Paddle-Signature", sign_paddle, true, "pdl_ntfset_new", "pdl_ntfset_old",
	    "{\"event_id\":\"evt_1\",\"event_type\":\"transaction.completed\",\"occurred_at\":\"2026-03-02T10:00:00.5Z\",\"data\":{"
	    "\"id\":\"txn_1\",\"currency_code\":\"EUR\",\"details\":{\"totals\":{\"grand_total\":\"4520\"}}}}",
	    { "", "ts=1772445600", "h1=00", "ts=1772445600;h2=" ZERO64, "ts=;h1=" ZERO64, "ts=1772445600,h1=" ZERO64, "ts=1;h1=xyz", NULL }, AS_HEX },
	{ "lemonsqueezy", "X-Signature", sign_lemonsqueezy, false, "lemon new", "lemon old",
	    "{\"meta\":{\"event_name\":\"order_created\"},\"data\":{\"id\":\"7\",\"attributes\":{\"status\":\"paid\",\"currency\":\"EUR\","
	    "\"total\":4520,\"test_mode\":false,\"created_at\":\"2026-03-02T10:00:00Z\"}}}", { "", "invalid", "00", NULL }, AS_HEX },
	{ "square", "x-square-hmacsha256-signature", sign_square, false, "square new", "square old",
	    "{\"type\":\"payment.updated\",\"event_id\":\"e1\",\"created_at\":\"2026-03-02T10:00:02Z\",\"data\":{\"object\":{\"payment\":{"
	    "\"id\":\"pay1\",\"status\":\"COMPLETED\",\"created_at\":\"2026-03-02T10:00:00Z\",\"total_money\":{\"amount\":4520,\"currency\":\"EUR\"}}}}}",
	    { "", "invalid", "%%%%", "AAAA", NULL }, 0 },
	{ "polar", "webhook-signature", sign_literal, true, "whsec_new", "polar_whs_old",
	    "{\"type\":\"order.paid\",\"timestamp\":\"2026-03-02T10:00:00Z\",\"data\":{\"id\":\"o1\",\"total_amount\":4520,\"currency\":\"eur\","
	    "\"billing_reason\":\"purchase\"}}", { "", "v1", "v1,", "v1,%%%", "v1,AAAA", NULL }, 0 },
	{ "dodo", "webhook-signature", sign_generic, true,
	    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=",
	    "{\"type\":\"payment.succeeded\",\"timestamp\":\"2026-03-02T10:00:00Z\",\"data\":{\"payment_id\":\"pay_1\",\"total_amount\":4520,"
	    "\"currency\":\"EUR\"}}", { "", "v1", "v1,", "v1,%%%", "v1,AAAA", NULL }, 0 },
	{ "razorpay", "X-Razorpay-Signature", sign_razorpay, false, "razor new", "razor old",
	    "{\"event\":\"payment.captured\",\"created_at\":1772445600,\"payload\":{\"payment\":{\"entity\":{\"id\":\"pay_1\",\"amount\":4520,"
	    "\"currency\":\"INR\"}}}}", { "", "invalid", "00", NULL }, AS_HEX },
	{ "paystack", "x-paystack-signature", sign_paystack, false, "sk_live_new", "sk_live_old",
	    "{\"event\":\"charge.success\",\"data\":{\"domain\":\"live\",\"reference\":\"ref_1\",\"amount\":4520,\"currency\":\"NGN\","
	    "\"paid_at\":\"2026-03-02T10:00:00.000Z\"}}", { "", "invalid", ZERO64, NULL }, AS_HEX | WITH_512 },
	{ "creem", "creem-signature", sign_creem, false, "creem new", "creem old",
	    "{\"id\":\"evt_1\",\"eventType\":\"checkout.completed\",\"created_at\":1772445600000,\"object\":{\"id\":\"ch_1\",\"mode\":\"prod\","
	    "\"order\":{\"id\":\"ord_1\",\"amount\":4520,\"currency\":\"EUR\"}}}", { "", "invalid", "00", NULL }, AS_HEX },
};

/* NULL for one that does not sign so. */
static const struct shop *
find_shop(const char *name)
{
	for (size_t i = 0; i < N_ELEM(shops); i++)
		if (strcmp(shops[i].name, name) == 0)
			return (&shops[i]);
	return (NULL);
}

static const struct shop *
shop_of(const char *name)
{
	const struct shop *shop = find_shop(name);

	ck_assert_msg(shop != NULL, "%s", name);
	return (shop);
}

static void
post_begin(struct post *p, const char *body)
{
	memset(p, 0, sizeof(*p));
	p->method = "POST";
	p->received = NOW;
	buf_puts(&p->body, body);
}

/* Hands the request over, with these secrets configured; delivery_free() ends *d. */
static void
deliver(struct post *p, const char *provider, const char *const *secrets, struct provider_conf conf, struct delivery *d)
{
	struct slice list[4];
	struct request req = { .method = slice_of(p->method), .headers = p->headers, .n_headers = p->n_headers,
	    .body = buf_view(&p->body), .received_ms = p->received * 1000 };

	for (size_t i = 0; i < p->n_headers; i++)
		p->headers[i].value = slice_of(p->values[i]);
	conf.secrets = list;
	for (conf.n_secrets = 0; secrets[conf.n_secrets] != NULL; conf.n_secrets++)
		list[conf.n_secrets] = slice_of(secrets[conf.n_secrets]);
	conf.visitor_key = SLICE("rpv");
	conf.tolerance_s = 300;
	conf.notification_url = SLICE(NOTIFICATION_URL);
	ck_assert_msg(provider_find(provider) != NULL, "%s", provider);
	provider_find(provider)->read(&conf, &req, d);
	buf_free(&p->body);		/* nothing may point into the request from here on */
	memset(p, 'x', sizeof(*p));
}

static void
assert_answer(const char *why, const char *provider, const struct delivery *d, int status, const char *reason)
{
	enum verdict verdict = status == 200 ? VERDICT_ACCEPT :
	    reason != NULL && strcmp(reason, "bad_body") == 0 ? VERDICT_QUARANTINE : VERDICT_REJECT;

	ck_assert_msg(d->status == status && d->verdict == verdict, "%s: %s: %d %s (%s)", provider, why,
	    d->status, d->reason != NULL ? d->reason : "-", d->detail);
	if (reason == NULL)
		ck_assert_msg(d->reason == NULL && d->n_messages > 0, "%s: %s", provider, why);
	else
		ck_assert_msg(d->n_messages == 0 && d->reason != NULL && strcmp(d->reason, reason) == 0,
		    "%s: %s: %s", provider, why, d->reason != NULL ? d->reason : "-");
	if (status != 200 && strcmp(reason, "bad_body") == 0)
		ck_assert_msg(d->detail[0] != '\0', "%s: %s: says nothing", provider, why);
}

/* ---- signatures ---- */

enum { OLD = 1, NEW = 2 };			/* secrets, as bits */
enum change { NONE, TAMPER, SPACE, NO_HEADER, GET, NOT_JSON, EMPTY };

static const struct {
	const char *why;
	int signs, knows;		/* which secrets the sender signs with, and which are configured */
	enum change change;
	int64_t ago;			/* signed so many seconds before it arrives */
	bool timed_only;
	int status;
	const char *reason;
	int secret;
} signings[] = {
	{ "genuine", NEW, NEW, NONE, 0, false, 200, NULL, 0 },
	{ "a digit of the body changed", NEW, NEW, TAMPER, 0, false, 401, "bad_signature", -1 },
	{ "a space behind the body: same JSON, other bytes", NEW, NEW, SPACE, 0, false, 401, "bad_signature", -1 },
	{ "a secret that is not ours", OLD, NEW, NONE, 0, false, 401, "bad_signature", -1 },
	{ "rotated, signed with the new one", NEW, NEW | OLD, NONE, 0, false, 200, NULL, 0 },
	{ "rotated, signed with the old one", OLD, NEW | OLD, NONE, 0, false, 200, NULL, 1 },
	{ "no secret configured", NEW, 0, NONE, 0, false, 401, "bad_signature", -1 },
	{ "no signature", NEW, NEW, NO_HEADER, 0, false, 401, "missing_signature", -1 },
	{ "a GET", NEW, NEW, GET, 0, false, 405, "method", -1 },
	{ "signed, but no JSON", NEW, NEW, NOT_JSON, 0, false, 400, "bad_body", 0 },
	{ "signed, but empty", NEW, NEW, EMPTY, 0, false, 400, "bad_body", 0 },
	{ "signed with both, one of them known", NEW | OLD, NEW, NONE, 0, true, 200, NULL, 0 },
	{ "signed with both, the other one known", NEW | OLD, OLD, NONE, 0, true, 200, NULL, 0 },
	{ "as old as allowed", NEW, NEW, NONE, 300, true, 200, NULL, 0 },
	{ "a second too old", NEW, NEW, NONE, 301, true, 401, "timestamp_too_old", 0 },
	{ "replayed a day later", NEW, NEW, NONE, 86400, true, 401, "timestamp_too_old", 0 },
	{ "as far ahead as allowed", NEW, NEW, NONE, -300, true, 200, NULL, 0 },
	{ "a second too far ahead", NEW, NEW, NONE, -301, true, 401, "timestamp_too_new", 0 },
	{ "old and forged: the signature is looked at first", OLD, NEW, NONE, 86400, true, 401, "bad_signature", -1 },
};

static void
pick_secrets(const struct shop *shop, int which, const char *out[3])
{
	size_t n = 0;

	if (which & NEW)
		out[n++] = shop->secret;
	if (which & OLD)
		out[n++] = shop->old_secret;
	out[n] = NULL;
}

START_TEST(signatures)
{
	for (size_t s = 0; s < N_ELEM(shops); s++) {
		const struct shop *shop = &shops[s];
		const char *signs[3], *knows[3];
		enum change change = signings[_i].change;
		struct delivery d;
		struct post p;

		if (signings[_i].timed_only && !shop->is_timed)
			continue;
		pick_secrets(shop, signings[_i].signs, signs);
		pick_secrets(shop, signings[_i].knows, knows);
		post_begin(&p, change == NOT_JSON ? "hello=world" : change == EMPTY ? "" : shop->paid);
		shop->sign(&p, signs, NOW - signings[_i].ago);
		if (change == TAMPER)
			*(char *)memmem(p.body.p, p.body.len, "45", 2) = '9';
		else if (change == SPACE)
			buf_putc(&p.body, ' ');
		else if (change == NO_HEADER)
			p.n_headers = 0;
		else if (change == GET)
			p.method = "GET";
		deliver(&p, shop->name, knows, (struct provider_conf){ 0 }, &d);
		assert_answer(signings[_i].why, shop->name, &d, signings[_i].status, signings[_i].reason);
		ck_assert_int_eq(d.secret_index, signings[_i].secret);
		delivery_free(&d);
	}
}
END_TEST

START_TEST(malformed_signatures)
{
	const struct shop *shop = &shops[_i];

	for (size_t m = 0; shop->malformed[m] != NULL; m++) {
		struct delivery d;
		struct post p;

		post_begin(&p, shop->paid);
		shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
		strcpy(p.values[p.n_headers - 1], shop->malformed[m]);
		deliver(&p, shop->name, (const char *[]){ shop->secret, NULL }, (struct provider_conf){ 0 }, &d);
		assert_answer(shop->malformed[m], shop->name, &d, 400, "malformed_signature");
		delivery_free(&d);
	}
}
END_TEST

/* The signature with one of its bits the other way, in the header's own writing. */
static void
flip_bit(char *text, int how, unsigned bit)
{
	unsigned char mac[64];
	size_t written = strlen(text), len;

	if (how & AS_HEX)
		ck_assert_int_eq(sodium_hex2bin(mac, sizeof(mac), text, written, NULL, &len, NULL), 0);
	else
		ck_assert_int_eq(sodium_base642bin(mac, sizeof(mac), text, written, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL), 0);
	ck_assert_uint_eq(len, how & WITH_512 ? 64 : 32);
	mac[bit / 8] ^= (unsigned char)(1 << bit % 8);
	if (how & AS_HEX)
		sodium_bin2hex(text, written + 1, mac, len);
	else
		sodium_bin2base64(text, written + 1, mac, len, sodium_base64_VARIANT_ORIGINAL);
}

START_TEST(each_bit_of_a_signature)
{
	const struct shop *shop = &shops[_i];
	size_t written = shop->how & WITH_512 ? 128 : shop->how & AS_HEX ? 64 : 44;

	for (unsigned bit = 0; bit < (shop->how & WITH_512 ? 512 : 256); bit++) {
		struct delivery d;
		struct post p;
		char *value;

		post_begin(&p, shop->paid);
		shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
		value = p.values[p.n_headers - 1];
		flip_bit(value + strlen(value) - written, shop->how, bit);
		deliver(&p, shop->name, (const char *[]){ shop->secret, NULL }, (struct provider_conf){ 0 }, &d);
		assert_answer("a bit of the signature", shop->name, &d, 401, "bad_signature");
		delivery_free(&d);
	}
}
END_TEST

/* A line of the secret file that is empty, or has only a prefix, is no key; not even for who signs with nothing. */
static const struct { const char *provider, *secret, *signs; } empty_secrets[] = {
	{ "generic", "", "whsec_" }, { "generic", "whsec_", "whsec_" }, { "generic", "whpk_", "whsec_" },
	{ "stripe", "", "" }, { "shopify", "", "" }, { "woocommerce", "", "" },
	{ "paddle", "", "" }, { "lemonsqueezy", "", "" }, { "square", "", "" }, { "polar", "", "" }, { "dodo", "whsec_", "whsec_" },
	{ "razorpay", "", "" }, { "paystack", "", "" }, { "creem", "", "" },
};

START_TEST(empty_secrets_never_accept)
{
	const struct shop *shop = shop_of(empty_secrets[_i].provider);
	struct delivery d;
	struct post p;

	post_begin(&p, shop->paid);
	shop->sign(&p, (const char *[]){ empty_secrets[_i].signs, NULL }, NOW);
	deliver(&p, shop->name, (const char *[]){ empty_secrets[_i].secret, NULL }, (struct provider_conf){ 0 }, &d);
	assert_answer(empty_secrets[_i].secret, shop->name, &d, 401, "bad_signature");
	delivery_free(&d);
}
END_TEST

/* What the sender signed, and what arrived. */
static const struct { const char *why, *sent, *came, *hint; } changes[] = {
	{ "a newline at its end", "{\"a\":1}", "{\"a\":1}\n", "the end of the body" },
	{ "blanks at its end", "{\"a\":1}", "{\"a\":1} \r\n", "the end of the body" },
	{ "its last newline is lost", "{\"a\":1}\n", "{\"a\":1}", "the end of the body" },
	{ "line ends of another system", "{\"a\":\n1}", "{\"a\":\r\n1}", "the line ends" },
	{ "and back", "{\"a\":\r\n1}", "{\"a\":\n1}", "the line ends" },
	{ "a byte order mark", "{\"a\":1}", "\xef\xbb\xbf{\"a\":1}", "the character set" },
	{ "encoded twice", "{\"a\":\"J\xc3\xbcrgen\"}", "{\"a\":\"J\xc3\x83\xc2\xbcrgen\"}", "the character set" },
	{ "come as Latin-1", "{\"a\":\"J\xc3\xbcrgen\"}", "{\"a\":\"J\xfcrgen\"}", "the character set" },
	{ "spaced out", "{\"a\":1,\"b\":[2,3]}", "{ \"a\": 1, \"b\": [ 2, 3 ] }", "the JSON" },
	{ "made compact, of Stripe's form", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"d\"\n  }\n}", "{\"a\":1,\"b\":{\"c\":\"d\"}}", "the JSON" },
	{ "PHP's slashes lost", "{\"u\":\"https:\\/\\/a\"}", "{\"u\":\"https://a\"}", "the JSON" },
	{ "escapes written out", "{\"a\":\"J\\u00fcrgen \\ud83d\\ude00\\u20ac\"}", "{\"a\":\"J\xc3\xbcrgen \xf0\x9f\x98\x80\xe2\x82\xac\"}", "the JSON" },
	{ "both, as PHP does", "{\"a\":\"\\u00fc\\/\"}", "{\"a\":\"\xc3\xbc/\"}", "the JSON" },
	{ "slashes escaped", "{\"u\":\"https://a\"}", "{\"u\":\"https:\\/\\/a\"}", "the JSON" },
	{ "of Python's form, made compact", "{\"a\": [1, 2], \"b\": {}}", "{\"a\":[1,2],\"b\":{}}", "the JSON" },
	{ "quotes and blanks within strings stay", "{\"a\":\"b \\\" { , \\\\\"}", "{ \"a\" : \"b \\\" { , \\\\\" }", "the JSON" },
	{ "empty ones in Stripe's form", "{\n  \"a\": {},\n  \"b\": []\n}", "{\"a\":{},\"b\":[]}", "the JSON" },
	{ "a string without an end", "{\"a\":1}", "{\"a\":1,\"", NULL },
	{ "an escape without an end", "{\"a\":1}", "{\"a\\", NULL },
	{ "a character without an end", "{\"a\":1}", "{\"a\xf0", NULL },
	{ "lost", "{\"a\":1}", "", "the body is empty" },
	{ "forged: nothing is known of it", "{\"a\":1}", "{\"a\":2}", NULL },
	{ "no JSON at all", "a=1&b=2", "b=2&a=1", NULL },
};

/* Signs one body, delivers another; what mismatch_hint() says of it. */
static const char *
hint_for(const struct shop *shop, const char *sent, const char *came, const char *knows)
{
	struct slice secret = slice_of(knows);
	struct provider_conf conf = { .secrets = &secret, .n_secrets = 1, .visitor_key = SLICE("rpv"), .tolerance_s = 300,
	    .notification_url = SLICE(NOTIFICATION_URL) };
	struct delivery d;
	struct post p;
	struct request req;
	const char *hint;

	post_begin(&p, sent);
	shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
	for (size_t i = 0; i < p.n_headers; i++)
		p.headers[i].value = slice_of(p.values[i]);
	req = (struct request){ .method = SLICE("POST"), .headers = p.headers, .n_headers = p.n_headers, .body = slice_of(came),
	    .received_ms = NOW * 1000 };
	provider_find(shop->name)->read(&conf, &req, &d);
	ck_assert_str_eq(d.reason, "bad_signature");
	delivery_free(&d);
	hint = mismatch_hint(provider_find(shop->name), &conf, &req);
	buf_free(&p.body);
	return (hint);
}

START_TEST(hints)
{
	for (size_t s = 0; s < N_ELEM(shops); s++) {
		const char *hint = hint_for(&shops[s], changes[_i].sent, changes[_i].came, shops[s].secret);

		if (changes[_i].hint == NULL)
			ck_assert_msg(hint == NULL, "%s: %s: %s", changes[_i].why, shops[s].name, hint);
		else
			ck_assert_msg(hint != NULL && strstr(hint, changes[_i].hint) != NULL, "%s: %s: %s", changes[_i].why, shops[s].name,
			    hint != NULL ? hint : "no hint");
	}
}
END_TEST

/* What is configured in place of what was typed. */
static const struct { const char *url; bool is_known; } mistyped[] = {
	{ NOTIFICATION_URL "/", true }, { "http://shop.example/hooks/square", true }, { "http://shop.example/hooks/square/", true },
	{ "https://www.shop.example/hooks/square", false }, { "http", false }, { "https:", false }, { "", false },
};

START_TEST(hints_about_an_address)
{
	const struct shop *shop = shop_of("square");
	struct slice secret = slice_of(shop->secret);
	struct provider_conf conf = { .secrets = &secret, .n_secrets = 1, .notification_url = slice_of(mistyped[_i].url) };
	struct request req = { .method = SLICE("POST") };
	const char *hint;
	struct post p;

	post_begin(&p, shop->paid);
	shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
	p.headers[0].value = slice_of(p.values[0]);
	req.headers = p.headers;
	req.n_headers = 1;
	req.body = buf_view(&p.body);
	hint = mismatch_hint(provider_find("square"), &conf, &req);
	ck_assert_msg((hint != NULL && strstr(hint, "notification_url") != NULL) == mistyped[_i].is_known, "%s: %s", mistyped[_i].url,
	    hint != NULL ? hint : "no hint");
	buf_free(&p.body);
}
END_TEST

/* It costs a stranger nothing to send these, and us little to look at them. */
START_TEST(hints_are_cheap)
{
	static const char *const parts[] = { "[", "{\"a\":", "\"", "\\", "\xc3", "/", "\n", "[]," };

	for (size_t i = 0; i < N_ELEM(parts); i++) {
		struct buf body = { 0 };
		struct timespec begun, ended;

		while (body.len + strlen(parts[i]) <= MISMATCH_BODY_MAX)
			buf_puts(&body, parts[i]);
		buf_putc(&body, '\0');
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
		ck_assert_ptr_null(hint_for(&shops[1], "{}", body.p, shops[1].secret));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
		ck_assert_msg(ended.tv_sec - begun.tv_sec < 2, "%s: %ld s", parts[i], (long)(ended.tv_sec - begun.tv_sec));
		buf_free(&body);
	}
}
END_TEST

START_TEST(hints_about_the_secret_file)
{
	static const char *const forms[] = { "%s ", " %s", "\t%s\t", "\"%s\"", "'%s'", " \"%s\" " };

	for (size_t s = 0; s < N_ELEM(shops); s++)
		for (size_t i = 0; i < N_ELEM(forms); i++) {
			char knows[200];
			const char *hint;

			snprintf(knows, sizeof(knows), forms[i], shops[s].secret);
			hint = hint_for(&shops[s], shops[s].paid, shops[s].paid, knows);
			ck_assert_msg(hint != NULL && strstr(hint, "secret file") != NULL, "%s: %s", shops[s].name, knows);
		}
	ck_assert_ptr_null(hint_for(&shops[1], "{}", "{} {}", "another"));
}
END_TEST

/* A body from the quarantine: no header is left but webhook-id, and the time has long passed. */
START_TEST(checked_before)
{
	for (size_t s = 0; s < N_ELEM(shops); s++) {
		struct header id = { SLICE("webhook-id"), SLICE("msg_1") };
		struct provider_conf conf = { .visitor_key = SLICE("rpv"), .tolerance_s = 300 };
		struct request req = { .method = SLICE("POST"), .headers = &id, .n_headers = 1, .body = slice_of(shops[s].paid),
		    .received_ms = NOW * 1000 };
		struct delivery d;

		provider_find(shops[s].name)->read(&conf, &req, &d);
		ck_assert_msg(d.status == 401 && d.n_messages == 0, "%s: accepted without a signature", shops[s].name);
		delivery_free(&d);
		req.was_checked = true;
		provider_find(shops[s].name)->read(&conf, &req, &d);
		ck_assert_msg(d.status == 200 && d.n_messages == 1, "%s: %d %s", shops[s].name, d.status, d.detail);
		delivery_free(&d);
	}
}
END_TEST

/* What a sender calls its events; said also of what is not known. */
static const struct { const char *provider, *body, *header, *value, *type; } type_names[] = {
	{ "generic", "{\"id\":\"e\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.shipped\"}", NULL, NULL, "order.shipped" },
	{ "stripe", "{\"object\":\"event\",\"type\":\"customer.created\",\"livemode\":true}", NULL, NULL, "customer.created" },
	{ "shopify", "{\"id\":1}", "X-Shopify-Topic", "products/update", "products/update" },
	{ "shopify", "{\"id\":1}", "shopify-topic", "products/update", "products/update" },
	{ "woocommerce", "{\"id\":1}", "X-WC-Webhook-Topic", "product.updated", "product.updated" },
	{ "woocommerce", "{\"id\":1}", NULL, NULL, "" },
	{ "paddle", "{\"event_type\":\"payout.paid\"}", NULL, NULL, "payout.paid" },
	{ "lemonsqueezy", "{\"meta\":{\"event_name\":\"license_key_created\"}}", NULL, NULL, "license_key_created" },
	{ "square", "{\"type\":\"order.updated\"}", NULL, NULL, "order.updated" },
	{ "polar", "{\"type\":\"checkout.created\"}", NULL, NULL, "checkout.created" },
	{ "dodo", "{\"type\":\"license_key.created\"}", NULL, NULL, "license_key.created" },
	{ "bigcommerce", "{\"scope\":\"store/cart/created\"}", NULL, NULL, "store/cart/created" },
	{ "razorpay", "{\"event\":\"invoice.paid\"}", NULL, NULL, "invoice.paid" },
	{ "paystack", "{\"event\":\"transfer.failed\"}", NULL, NULL, "transfer.failed" },
	{ "creem", "{\"eventType\":\"subscription.update\"}", NULL, NULL, "subscription.update" },
	{ "adyen", "{\"live\":\"true\",\"notificationItems\":[{\"NotificationRequestItem\":{\"eventCode\":\"REPORT_AVAILABLE\"}}]}", NULL, NULL, "REPORT_AVAILABLE" },
	{ "paypal", "{\"event_type\":\"CHECKOUT.ORDER.APPROVED\"}", NULL, NULL, "CHECKOUT.ORDER.APPROVED" },
};

START_TEST(types)
{
	struct header topic = { slice_of(type_names[_i].header), slice_of(type_names[_i].value) };
	struct provider_conf conf = { .tolerance_s = 300 };
	struct request req = { .method = SLICE("POST"), .headers = &topic, .n_headers = topic.name.len > 0, .body = slice_of(type_names[_i].body),
	    .was_checked = true };
	struct delivery d;

	provider_find(type_names[_i].provider)->read(&conf, &req, &d);
	ck_assert_msg(d.status == 200 && strcmp(d.reason, "irrelevant_type") == 0, "%s: %s", type_names[_i].body, d.reason);
	ck_assert_msg(slice_is(d.type, type_names[_i].type), "%s: %.*s", type_names[_i].body, SLICE_FMT(d.type));
	delivery_free(&d);
}
END_TEST

/* The clock is known to be behind: what looks too new may be right, what is too old is too old all the same. */
START_TEST(clock_is_behind)
{
	static const struct { int64_t ago; int status; } times[] = { { -86400 * 365, 200 }, { -301, 200 }, { 0, 200 }, { 300, 200 }, { 301, 401 } };

	for (size_t s = 0; s < N_ELEM(shops); s++)
		for (size_t i = 0; i < N_ELEM(times) && shops[s].is_timed; i++) {
			struct delivery d;
			struct post p;

			post_begin(&p, shops[s].paid);
			shops[s].sign(&p, (const char *[]){ shops[s].secret, NULL }, NOW - times[i].ago);
			deliver(&p, shops[s].name, (const char *[]){ shops[s].secret, NULL }, (struct provider_conf){ .is_behind = true }, &d);
			ck_assert_msg(d.status == times[i].status, "%s: signed %d s ago: %d", shops[s].name, (int)times[i].ago, d.status);
			delivery_free(&d);
		}
}
END_TEST

/* It may be off by forty days, or right: in time by either is in time, and nothing in between. */
START_TEST(clock_is_in_doubt)
{
	static const struct { int64_t doubt, ago; int status; } times[] = {
		{ 86400 * 40, 0, 200 }, { 86400 * 40, 300, 200 }, { 86400 * 40, 301, 401 }, { 86400 * 40, -301, 401 },
		{ 86400 * 40, -86400 * 40, 200 }, { 86400 * 40, -86400 * 40 - 300, 200 }, { 86400 * 40, -86400 * 40 - 301, 401 },
		{ 86400 * 40, -86400 * 20, 401 }, { -7200, 7200, 200 }, { -7200, 7501, 401 }, { -7200, -7200, 401 }, { -7200, 0, 200 },
	};

	for (size_t s = 0; s < N_ELEM(shops); s++)
		for (size_t i = 0; i < N_ELEM(times) && shops[s].is_timed; i++) {
			struct delivery d;
			struct post p;

			post_begin(&p, shops[s].paid);
			shops[s].sign(&p, (const char *[]){ shops[s].secret, NULL }, NOW - times[i].ago);
			deliver(&p, shops[s].name, (const char *[]){ shops[s].secret, NULL }, (struct provider_conf){ .doubt_s = times[i].doubt }, &d);
			ck_assert_msg(d.status == times[i].status, "%s: off by %d s, signed %d s ago: %d", shops[s].name, (int)times[i].doubt,
			    (int)times[i].ago, d.status);
			delivery_free(&d);
		}
}
END_TEST

START_TEST(signed_time_is_told)
{
	static const int64_t ago[] = { 0, 300, 301, -301, 86400 };

	for (size_t s = 0; s < N_ELEM(shops); s++)
		for (size_t i = 0; i < N_ELEM(ago); i++) {
			struct delivery d;
			struct post p;

			post_begin(&p, shops[s].paid);
			shops[s].sign(&p, (const char *[]){ shops[s].secret, NULL }, NOW - ago[i]);
			deliver(&p, shops[s].name, (const char *[]){ shops[s].secret, NULL }, (struct provider_conf){ 0 }, &d);
			ck_assert_int_eq(d.signed_s, shops[s].is_timed ? NOW - ago[i] : 0);
			delivery_free(&d);
			post_begin(&p, shops[s].paid);		/* nobody's word without a good signature */
			shops[s].sign(&p, (const char *[]){ shops[s].old_secret, NULL }, NOW - ago[i]);
			deliver(&p, shops[s].name, (const char *[]){ shops[s].secret, NULL }, (struct provider_conf){ 0 }, &d);
			ck_assert_int_eq(d.signed_s, 0);
			delivery_free(&d);
		}
}
END_TEST

static const struct { const char *why, *secret, *header, *value; int status; const char *reason; } standards[] = {
	{ "a secret without whsec_", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", NULL, NULL, 200, NULL },
	{ "and without its padding", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", NULL, NULL, 200, NULL },
	{ "a secret that is no base64", "whsec_MDEyMzQ1!!", NULL, NULL, 401, "bad_signature" },
	{ "another id over the same signature", NULL, "webhook-id", "msg_2", 401, "bad_signature" },
	{ "an id with a point: signed bytes could move", NULL, "webhook-id", "msg_1.1772445600.x", 400, "malformed_signature" },
	{ "an empty id", NULL, "webhook-id", "", 400, "malformed_signature" },
	{ "another time over the same signature", NULL, "webhook-timestamp", "1772445601", 401, "bad_signature" },
	{ "a time with a sign", NULL, "webhook-timestamp", "+1772445600", 400, "malformed_signature" },
	{ "a time with a fraction", NULL, "webhook-timestamp", "1772445600.0", 400, "malformed_signature" },
	{ "an empty time", NULL, "webhook-timestamp", "", 400, "malformed_signature" },
	{ "a time beyond all times", NULL, "webhook-timestamp", "99999999999999999999", 400, "malformed_signature" },
};

START_TEST(standard_webhooks)
{
	const struct shop *shop = shop_of("generic");
	const char *secret = standards[_i].secret != NULL ? standards[_i].secret : shop->secret;
	struct delivery d;
	struct post p;

	post_begin(&p, shop->paid);
	shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
	for (size_t i = 0; standards[_i].header != NULL && i < p.n_headers; i++)
		if (slice_is(p.headers[i].name, standards[_i].header))
			strcpy(p.values[i], standards[_i].value);
	deliver(&p, "generic", (const char *[]){ secret, NULL }, (struct provider_conf){ 0 }, &d);
	assert_answer(standards[_i].why, "generic", &d, standards[_i].status, standards[_i].reason);
	delivery_free(&d);
}
END_TEST

/* v1a: the owner has only the public key. */
START_TEST(ed25519)
{
	const char *body = shop_of("generic")->paid;

	for (int tampered = 0; tampered < 2; tampered++) {
		unsigned char public[crypto_sign_PUBLICKEYBYTES], private[crypto_sign_SECRETKEYBYTES], sig[crypto_sign_BYTES];
		char key[80] = "whpk_";
		struct buf text = { 0 };
		struct delivery d;
		struct post p;

		crypto_sign_seed_keypair(public, private, (const unsigned char *)"a seed of thirty-two bytes, no less");
		sodium_bin2base64(key + 5, sizeof(key) - 5, public, sizeof(public), sodium_base64_VARIANT_ORIGINAL);
		post_begin(&p, body);
		buf_printf(&text, "msg_1.%jd.%s", (intmax_t)NOW, body);
		crypto_sign_detached(sig, NULL, (const unsigned char *)text.p, text.len, private);
		buf_free(&text);
		strcpy(add_header(&p, "Webhook-Id"), "msg_1");
		sprintf(add_header(&p, "Webhook-Timestamp"), "%jd", (intmax_t)NOW);
		sodium_bin2base64(strcpy(add_header(&p, "Webhook-Signature"), "v1a,") + 4, 200, sig, sizeof(sig),
		    sodium_base64_VARIANT_ORIGINAL);
		if (tampered)
			*(char *)memmem(p.body.p, p.body.len, "45", 2) = '9';
		deliver(&p, "generic", (const char *[]){ key, NULL }, (struct provider_conf){ 0 }, &d);
		assert_answer("v1a", "generic", &d, tampered ? 401 : 200, tampered ? "bad_signature" : NULL);
		delivery_free(&d);
	}
}
END_TEST

/* More entries than anyone sends: the first sixteen are looked at. */
START_TEST(very_long_list)
{
	const struct shop *shop = shop_of("stripe");

	for (int before = 15; before <= 16; before++) {
		struct buf long_header = { 0 };
		struct delivery d;
		struct post p;
		char mine[200];

		post_begin(&p, shop->paid);
		shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
		strcpy(mine, strchr(p.values[0], ','));
		buf_printf(&long_header, "t=%jd", (intmax_t)NOW);
		for (int i = 0; i < before; i++)
			buf_printf(&long_header, ",v1=%064d", i);
		buf_printf(&long_header, "%s", mine);
		ck_assert(long_header.len < sizeof(p.values[0]));
		memcpy(p.values[0], long_header.p, long_header.len);
		p.values[0][long_header.len] = '\0';
		buf_free(&long_header);
		deliver(&p, "stripe", (const char *[]){ shop->secret, NULL }, (struct provider_conf){ 0 }, &d);
		assert_answer("behind strangers", "stripe", &d, before == 15 ? 200 : 401, before == 15 ? NULL : "bad_signature");
		delivery_free(&d);
	}
}
END_TEST

/* ---- what a body means ---- */

static void
put_field(struct buf *b, const char *name, struct slice value)
{
	if (value.len > 0)
		buf_printf(b, " %s=%.*s", name, SLICE_FMT(value));
}

static void
put_list(struct buf *b, const char *name, const struct slice *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0)
			buf_printf(b, " %s=", name);
		else
			buf_puts(b, ",");
		buf_put(b, list[i].p, list[i].len);
	}
}

static void
put_amount(struct buf *b, const char *name, int64_t minor, struct currency c)
{
	char text[32];

	money_format(minor, c, text);
	if (minor != 0)
		buf_printf(b, " %s=%s", name, text);
}

/* "paid evt_1 o=1001 45.20 EUR tax=7.22 ..." */
static void
describe(struct buf *b, const struct order_message *m)
{
	char amount[32];

	money_format(m->amount, m->currency, amount);
	buf_printf(b, "%s %.*s t=%jd o=%.*s", order_kind_name(m->kind) + strlen("order."), SLICE_FMT(m->event_id),
	    (intmax_t)(m->time_ms - NOW * 1000), SLICE_FMT(m->order_id));
	put_field(b, "part", m->part_id);
	if (m->kind != ORDER_ALIAS)
		buf_printf(b, " %s %s", amount, m->currency.code);
	put_amount(b, "tax", m->tax, m->currency);
	put_amount(b, "ship", m->shipping, m->currency);
	buf_puts(b, m->recurring ? " recurring" : "");
	buf_puts(b, m->cumulative ? " cumulative" : "");
	put_field(b, "c", m->customer);
	put_field(b, "v", m->visitor);
	put_list(b, "tok", m->tokens, m->n_tokens);
	put_field(b, "ip", m->ip);
	put_field(b, "ua", m->user_agent);
	put_list(b, "alias", m->aliases, m->n_aliases);
}

enum { TEST_SITE = 1, COUNT_INTENTS = 2, COUNT_CAPTURES = 4 };

#define G_PAID(more) "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\",\"order\":{\"id\":\"1\"," more "}}"
#define G(type, more) "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order." type "\"," more "}"
#define S(type, object) "{\"id\":\"evt_1\",\"object\":\"event\",\"created\":1772445600,\"livemode\":true,\"type\":\"" type \
    "\",\"data\":{\"object\":{" object "}}}"
#define S_SESSION(more) S("checkout.session.completed", "\"id\":\"cs_1\",\"payment_status\":\"paid\"," \
    "\"payment_intent\":\"pi_1\"," more)
#define S_INVOICE(more) S("invoice.paid", "\"id\":\"in_1\",\"currency\":\"eur\",\"customer\":\"cus_1\"," more)
#define H_ORDER(more) "{\"id\":5401,\"processed_at\":\"2026-03-02T05:00:00-05:00\",\"test\":false,\"financial_status\":" more "}"
#define H_PLAIN "\"paid\",\"currency\":\"EUR\",\"total_price\":\"45.20\""
#define H_REFUND(more) "{\"id\":99,\"order_id\":5401,\"created_at\":\"2026-03-02T10:00:09Z\",\"processed_at\":null," \
    "\"refund_line_items\":[],\"transactions\":[" more "]}"
#define H_TX(kind, status, amount) "{\"kind\":\"" kind "\",\"status\":\"" status "\",\"amount\":\"" amount "\",\"currency\":\"EUR\"}"
#define W_ORDER(more) "{\"id\":77,\"currency\":\"EUR\",\"total\":\"45.20\",\"date_paid_gmt\":\"2026-03-02T10:00:00\"," \
    "\"date_modified_gmt\":\"2026-03-02T10:00:07\"," more "}"

#define P_EVENT(type, more) "{\"event_id\":\"evt_1\",\"event_type\":\"" type "\",\"occurred_at\":\"2026-03-02T10:00:01Z\",\"data\":{" more "}}"
#define P_ADJUST(action, status) P_EVENT("adjustment.updated", "\"id\":\"adj_1\",\"action\":\"" action "\",\"status\":\"" status "\"," \
    "\"transaction_id\":\"txn_1\",\"currency_code\":\"EUR\",\"totals\":{\"total\":\"700\"}")
#define L_EVENT(name, more) "{\"meta\":{\"event_name\":\"" name "\",\"custom_data\":{\"rpv\":\"v\"}},\"data\":{\"id\":7,\"attributes\":{" \
    "\"test_mode\":false,\"currency\":\"EUR\",\"created_at\":\"2026-03-02T10:00:00.000000Z\",\"updated_at\":\"2026-03-02T10:00:09Z\"," more "}}}"
#define Q_EVENT(type, object, more) "{\"type\":\"" type "\",\"event_id\":\"e1\",\"created_at\":\"2026-03-02T10:00:02.037339943Z\",\"data\":{" \
    "\"object\":{\"" object "\":{" more "}}}}"
#define STANDARD(type, more) "{\"type\":\"" type "\",\"timestamp\":\"2026-03-02T10:00:00Z\",\"data\":{" more "}}"
#define R_EVENT(type, more) "{\"event\":\"" type "\",\"created_at\":1772445600,\"payload\":{" more "}}"
#define R_PAYMENT(more) "\"payment\":{\"entity\":{\"id\":\"pay_1\",\"amount\":4520,\"currency\":\"INR\"," more "}}"
#define K_EVENT(type, more) "{\"event\":\"" type "\",\"data\":{\"domain\":\"live\",\"currency\":\"NGN\"," more "}}"
#define E_EVENT(type, more) "{\"id\":\"evt_1\",\"eventType\":\"" type "\",\"created_at\":1772445600500,\"object\":{" more "}}"
#define A_ITEM(code, success, more) "{\"NotificationRequestItem\":{\"eventCode\":\"" code "\",\"success\":\"" success "\",\"pspReference\":\"P1\"," \
    "\"originalReference\":\"O1\",\"merchantReference\":\"order-1\",\"eventDate\":\"2026-03-02T11:00:00+01:00\"," more "}}"
#define A_EUR "\"amount\":{\"value\":4520,\"currency\":\"EUR\"}"
#define A_LIVE(items) "{\"live\":\"true\",\"notificationItems\":[" items "]}"
#define Y_EVENT(type, more) "{\"id\":\"WH-1\",\"event_type\":\"" type "\",\"create_time\":\"2026-03-02T10:00:08Z\",\"resource\":{" more "}}"
#define Y_MONEY "\"amount\":{\"value\":\"45.20\",\"currency_code\":\"EUR\"},\"create_time\":\"2026-03-02T10:00:00Z\""
#define Y_DISPUTE "\"dispute_id\":\"PP-1\",\"disputed_transactions\":[{\"seller_transaction_id\":\"CAP1\"}]," \
    "\"dispute_amount\":{\"value\":\"45.20\",\"currency_code\":\"EUR\"}"
#define B_EVENT(scope, more) "{\"scope\":\"" scope "\",\"data\":{\"type\":\"order\",\"id\":7," more "}}"
#define M_PING(more) "seller_id=mine%3D%3D&sale_id=s1&price=4520&currency=eur&sale_timestamp=2026-03-02T10%3A00%3A00Z&email=A%40B.example&" more

/* says: the events, one a line, or the reason for none. */
static const struct { const char *why, *provider; int conf; const char *body; int status; const char *says; } meanings[] = {
	/* generic */
	{ "all that an order can say", "generic", 0, G_PAID("\"total\":\"45.20\",\"currency\":\"eur\",\"tax\":\"7.22\",\"shipping\":\"4.90\","
	    "\"customer\":\"c9\",\"visitor\":\"v\",\"token\":\"t1\",\"tokens\":[\"t2\",\"t3\"],\"ip\":\"2001:db8::7\",\"user_agent\":\"UA\","
	    "\"recurring\":true,\"aliases\":[\"a1\",\"a2\"]"), 200,
	    "paid e1 t=0 o=1 45.20 EUR tax=7.22 ship=4.90 recurring c=c9 v=v tok=t1,t2,t3 ip=2001:db8::7 ua=UA alias=a1,a2" },
	{ "an address without a user agent joins nothing", "generic", 0, G_PAID("\"total\":\"1\",\"currency\":\"EUR\",\"ip\":\"192.0.2.1\""),
	    200, "paid e1 t=0 o=1 1.00 EUR" },
	{ "null is absent", "generic", 0, G_PAID("\"total\":\"1\",\"currency\":\"EUR\",\"tax\":null,\"tokens\":null,\"recurring\":null"),
	    200, "paid e1 t=0 o=1 1.00 EUR" },
	{ "a number is read by its text: a double has no 45.205", "generic", 0, G_PAID("\"total\":45.205,\"currency\":\"EUR\""), 200,
	    "paid e1 t=0 o=1 45.20 EUR" },
	{ "a number of many digits keeps them all", "generic", 0, G_PAID("\"total\":45.20500000000000000000000001,\"currency\":\"EUR\""), 200,
	    "paid e1 t=0 o=1 45.21 EUR" },
	{ "an id may be a number, of any length", "generic", 0, "{\"id\":123456789012345678901234567890,\"time\":\"2026-03-02T11:00:00+01:00\","
	    "\"type\":\"order.paid\",\"order\":{\"id\":9007199254740993,\"total\":\"1\",\"currency\":\"EUR\"}}", 200,
	    "paid 123456789012345678901234567890 t=0 o=9007199254740993 1.00 EUR" },
	{ "no id over HTTP: webhook-id stands in", "generic", 0, "{\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\","
	    "\"order\":{\"id\":\"1\",\"total\":\"1\",\"currency\":\"EUR\"}}", 200, "paid msg_1 t=0 o=1 1.00 EUR" },
	{ "a fraction is cut to milliseconds", "generic", 0, "{\"id\":\"e1\",\"time\":\"2026-03-02t10:00:00.0019999z\",\"type\":\"order.paid\","
	    "\"order\":{\"id\":\"1\",\"total\":\"1\",\"currency\":\"EUR\"}}", 200, "paid e1 t=1 o=1 1.00 EUR" },
	{ "west of Greenwich, over midnight", "generic", 0, "{\"id\":\"e1\",\"time\":\"2026-03-01T22:30:00-11:30\",\"type\":\"order.paid\","
	    "\"order\":{\"id\":\"1\",\"total\":\"1\",\"currency\":\"EUR\"}}", 200, "paid e1 t=0 o=1 1.00 EUR" },
	{ "a free order", "generic", 0, G_PAID("\"total\":\"0.00\",\"currency\":\"EUR\""), 200, "zero_amount" },
	{ "a refund", "generic", 0, G("refunded", "\"refund\":{\"id\":\"r\",\"order_id\":\"1\",\"amount\":\"18.08\",\"currency\":\"EUR\"}"),
	    200, "refunded e1 t=0 o=1 part=r 18.08 EUR" },
	{ "a running total", "generic", 0, G("refunded", "\"refund\":{\"id\":\"r\",\"order_id\":\"1\",\"amount\":\"18.08\",\"currency\":\"EUR\","
	    "\"cumulative\":true}"), 200, "refunded e1 t=0 o=1 part=r 18.08 EUR cumulative" },
	{ "a dispute", "generic", 0, G("disputed", "\"dispute\":{\"id\":\"d\",\"order_id\":\"1\",\"amount\":\"45.20\",\"currency\":\"EUR\"}"),
	    200, "disputed e1 t=0 o=1 part=d 45.20 EUR" },
	{ "and won", "generic", 0, G("dispute_won", "\"dispute\":{\"id\":\"d\",\"order_id\":\"1\",\"amount\":\"45.20\",\"currency\":\"EUR\"}"),
	    200, "dispute_won e1 t=0 o=1 part=d 45.20 EUR" },
	{ "two ids of one order", "generic", 0, G("alias", "\"alias\":{\"order_id\":\"1\",\"alias\":\"pay_77\"}"), 200,
	    "alias e1 t=0 o=1 alias=pay_77" },
	{ "a type that is not ours", "generic", 0, G("shipped", "\"order\":{\"id\":\"1\"}"), 200, "irrelevant_type" },
	{ "unknown fields", "generic", 0, G_PAID("\"total\":\"1\",\"currency\":\"EUR\",\"weight\":{\"kg\":[1,-2.5e3,true,\"\\\"1\\\\\"]}"),
	    200, "paid e1 t=0 o=1 1.00 EUR" },
	{ "letters of other alphabets, and brackets in a string", "generic", 0, G_PAID("\"total\":\"1\",\"currency\":\"EUR\","
	    "\"customer\":\"\xc3\xa4[[{\\u00e4\""), 200, "paid e1 t=0 o=1 1.00 EUR c=\xc3\xa4[[{\xc3\xa4" },

	/* stripe */
	{ "a session", "stripe", 0, S_SESSION("\"currency\":\"eur\",\"amount_total\":4520,\"customer\":null,\"customer_details\":{\"email\":"
	    "\"Ann@Example.COM\"},\"metadata\":{\"rpv\":\"v\"},\"client_reference_id\":\"cart-1\",\"invoice\":null,"
	    "\"total_details\":{\"amount_tax\":722,\"amount_shipping\":490}"), 200,
	    "paid evt_1 t=0 o=pi_1 45.20 EUR tax=7.22 ship=4.90 c=email:ann@example.com v=v tok=cs_1,pi_1,cart-1" },
	{ "a session with an invoice is named by that", "stripe", 0, S_SESSION("\"currency\":\"eur\",\"amount_total\":4520,\"invoice\":\"in_1\","
	    "\"customer\":\"cus_1\",\"client_reference_id\":\"v\""), 200,
	    "paid evt_1 t=0 o=in_1 45.20 EUR c=cus_1 v=v tok=cs_1,pi_1,v alias=pi_1" },
	{ "a session of nothing", "stripe", 0, S("checkout.session.completed", "\"payment_status\":\"no_payment_required\""), 200, "zero_amount" },
	{ "a session that is not paid yet", "stripe", 0, S("checkout.session.completed", "\"payment_status\":\"unpaid\""), 200, "not_paid" },
	{ "three days later", "stripe", 0, S("checkout.session.async_payment_succeeded", "\"id\":\"cs_1\",\"payment_status\":\"paid\","
	    "\"payment_intent\":\"pi_1\",\"currency\":\"eur\",\"amount_total\":4520"), 200, "paid evt_1 t=0 o=pi_1 45.20 EUR tok=cs_1,pi_1" },
	{ "the first invoice of a subscription", "stripe", 0, S_INVOICE("\"billing_reason\":\"subscription_create\",\"amount_paid\":4520,"
	    "\"total_taxes\":[{\"amount\":700},{\"amount\":22}],\"shipping_cost\":{\"amount_total\":490},"
	    "\"parent\":{\"subscription_details\":{\"metadata\":{\"rpv\":\"v\"}}}"), 200,
	    "paid evt_1 t=0 o=in_1 45.20 EUR tax=7.22 ship=4.90 c=cus_1 v=v" },
	{ "a renewal, before 2025-03-31", "stripe", 0, S_INVOICE("\"billing_reason\":\"subscription_cycle\",\"amount_paid\":4520,\"tax\":722,"
	    "\"payment_intent\":\"pi_1\",\"charge\":\"ch_1\",\"subscription_details\":{\"metadata\":{\"rpv\":\"v\"}},\"shipping_cost\":null"), 200,
	    "paid evt_1 t=0 o=in_1 45.20 EUR tax=7.22 recurring c=cus_1 v=v alias=pi_1,ch_1" },
	{ "an invoice that a session told of", "stripe", 0, S_INVOICE("\"billing_reason\":\"manual\",\"amount_paid\":4520"), 200, "same_money" },
	{ "which payment intent paid which invoice", "stripe", 0, S("invoice_payment.paid", "\"invoice\":\"in_1\",\"payment\":{\"payment_intent\":"
	    "\"pi_1\"}"), 200, "alias evt_1 t=0 o=in_1 alias=pi_1" },
	{ "a refund", "stripe", 0, S("refund.created", "\"id\":\"re_1\",\"status\":\"succeeded\",\"amount\":700,\"currency\":\"eur\","
	    "\"payment_intent\":\"pi_1\",\"charge\":\"ch_1\""), 200, "refunded evt_1 t=0 o=pi_1 part=re_1 7.00 EUR" },
	{ "a refund of a charge without intent", "stripe", 0, S("refund.updated", "\"id\":\"re_1\",\"status\":\"succeeded\",\"amount\":700,"
	    "\"currency\":\"eur\",\"payment_intent\":null,\"charge\":\"ch_1\""), 200, "refunded evt_1 t=0 o=ch_1 part=re_1 7.00 EUR" },
	{ "a refund under way", "stripe", 0, S("refund.created", "\"id\":\"re_1\",\"status\":\"pending\""), 200, "not_final" },
	{ "a chargeback", "stripe", 0, S("charge.dispute.created", "\"id\":\"dp_1\",\"status\":\"needs_response\",\"amount\":4520,"
	    "\"currency\":\"eur\",\"payment_intent\":\"pi_1\""), 200, "disputed evt_1 t=0 o=pi_1 part=dp_1 45.20 EUR" },
	{ "closed and won", "stripe", 0, S("charge.dispute.closed", "\"id\":\"dp_1\",\"status\":\"won\",\"amount\":4520,"
	    "\"currency\":\"eur\",\"payment_intent\":\"pi_1\""), 200, "dispute_won evt_1 t=0 o=pi_1 part=dp_1 45.20 EUR" },
	{ "closed and lost", "stripe", 0, S("charge.dispute.closed", "\"id\":\"dp_1\",\"status\":\"lost\""), 200, "no_change" },
	{ "an inquiry takes no money", "stripe", 0, S("charge.dispute.created", "\"id\":\"dp_1\",\"status\":\"warning_needs_response\""),
	    200, "inquiry" },
	{ "Iceland's crowns come in hundredths", "stripe", 0, S_SESSION("\"currency\":\"isk\",\"amount_total\":150000"), 200,
	    "paid evt_1 t=0 o=pi_1 1500 ISK tok=cs_1,pi_1" },
	{ "so do Uganda's shillings", "stripe", 0, S_SESSION("\"currency\":\"ugx\",\"amount_total\":150000"), 200,
	    "paid evt_1 t=0 o=pi_1 1500 UGX tok=cs_1,pi_1" },
	{ "Madagascar's ariary come whole", "stripe", 0, S_SESSION("\"currency\":\"mga\",\"amount_total\":15000"), 200,
	    "paid evt_1 t=0 o=pi_1 15000.00 MGA tok=cs_1,pi_1" },
	{ "Kuwait's dinars have three digits", "stripe", 0, S_SESSION("\"currency\":\"kwd\",\"amount_total\":12340"), 200,
	    "paid evt_1 t=0 o=pi_1 12.340 KWD tok=cs_1,pi_1" },
	{ "the same money again", "stripe", 0, S("payment_intent.succeeded", "\"id\":\"pi_1\",\"amount_received\":4520,\"currency\":\"eur\""),
	    200, "same_money" },
	{ "which a shop without Checkout wants", "stripe", COUNT_INTENTS, S("payment_intent.succeeded", "\"id\":\"pi_1\",\"amount_received\":4520,"
	    "\"amount\":9999,\"currency\":\"eur\",\"customer\":\"cus_1\",\"metadata\":{\"rpv\":\"v\"}"), 200,
	    "paid evt_1 t=0 o=pi_1 45.20 EUR c=cus_1 v=v tok=pi_1" },
	{ "and then no sessions", "stripe", COUNT_INTENTS, S_SESSION("\"currency\":\"eur\",\"amount_total\":4520"), 200, "same_money" },
	{ "a charge is the same money, too", "stripe", 0, S("charge.succeeded", "\"id\":\"ch_1\""), 200, "irrelevant_type" },
	{ "a live event on a test site", "stripe", TEST_SITE, S_SESSION("\"currency\":\"eur\",\"amount_total\":4520"), 200, "test_mode" },
	{ "a test event", "stripe", 0, "{\"id\":\"evt_1\",\"object\":\"event\",\"created\":1772445600,\"livemode\":false,"
	    "\"type\":\"checkout.session.completed\",\"data\":{\"object\":{\"id\":\"cs_1\"}}}", 200, "test_mode" },
	{ "a thin notification", "stripe", 0, "{\"id\":\"evt_65\",\"object\":\"v2.core.event\"}", 200, "irrelevant_type" },
	{ "an amount that is no integer", "stripe", 0, S_SESSION("\"currency\":\"eur\",\"amount_total\":45.2"), 400, "data.object.amount_total" },
	{ "an amount beyond int64", "stripe", 0, S_SESSION("\"currency\":\"eur\",\"amount_total\":99999999999999999999"), 400, "data.object.amount_total" },
	{ "a negative amount", "stripe", 0, S_SESSION("\"currency\":\"eur\",\"amount_total\":-1"), 400, "data.object.amount_total" },
	{ "neither invoice nor intent", "stripe", 0, S("checkout.session.completed", "\"payment_status\":\"paid\",\"currency\":\"eur\","
	    "\"amount_total\":1"), 400, "data.object.payment_intent" },
	{ "no livemode: never a guess", "stripe", 0, "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"invoice.paid\"}", 400, "livemode" },
	{ "not an event", "stripe", 0, "{\"id\":\"evt_1\"}", 400, "object" },

	/* shopify */
	{ "an order, in the shopper's money", "shopify", 0, H_ORDER("\"paid\",\"currency\":\"EUR\",\"total_price\":\"93.75\","
	    "\"total_price_set\":{\"presentment_money\":{\"amount\":\"15000\",\"currency_code\":\"JPY\"}},"
	    "\"total_tax_set\":{\"presentment_money\":{\"amount\":\"1364\",\"currency_code\":\"JPY\"}},"
	    "\"total_tax\":\"8.52\",\"customer\":{\"id\":7},\"email\":\"a@b.example\","
	    "\"note_attributes\":[{\"name\":\"gift\",\"value\":\"no\"},{\"name\":\"rpv\",\"value\":\"v\"}],"
	    "\"checkout_token\":\"chk\",\"cart_token\":null,\"token\":\"tok\","
	    "\"client_details\":{\"browser_ip\":\"192.0.2.1\",\"user_agent\":\"UA\"},\"browser_ip\":\"192.0.2.9\",\"source_name\":\"web\""), 200,
	    "paid paid:5401 t=0 o=5401 15000 JPY tax=1364 c=7 v=v tok=chk,tok ip=192.0.2.1 ua=UA" },
	{ "tax in another currency than the total: never a guess", "shopify", 0, H_ORDER("\"paid\","
	    "\"total_price_set\":{\"presentment_money\":{\"amount\":\"15000\",\"currency_code\":\"JPY\"}},"
	    "\"total_tax_set\":{\"presentment_money\":{\"amount\":\"8.52\",\"currency_code\":\"EUR\"}}"), 400,
	    "total_tax_set.presentment_money" },
	{ "an order, the old way", "shopify", 0, H_ORDER(H_PLAIN ",\"total_tax\":\"7.22\",\"shipping_lines\":[{\"price\":\"4.00\"},{\"price\":\"0.90\"}],"
	    "\"current_total_price\":\"1.00\",\"email\":\"A@B.example\",\"source_name\":\"subscription_contract\","
	    "\"client_details\":{\"user_agent\":\"UA\"},\"browser_ip\":\"192.0.2.9\""), 200,
	    "paid paid:5401 t=0 o=5401 45.20 EUR tax=7.22 ship=4.90 recurring c=email:a@b.example ip=192.0.2.9 ua=UA" },
	{ "not paid, whatever a header says", "shopify", 0, H_ORDER("\"pending\""), 200, "not_paid" },
	{ "partly paid", "shopify", 0, H_ORDER("\"partially_paid\""), 200, "not_paid" },
	{ "no status at all", "shopify", 0, H_ORDER("null"), 200, "not_paid" },
	{ "an order that shows its refunds", "shopify", 0, H_ORDER("\"partially_refunded\",\"currency\":\"EUR\",\"total_price\":\"45.20\",\"refunds\":["
	    H_REFUND(H_TX("refund", "success", "5.00")) "," H_REFUND("") "]"), 200,
	    "paid paid:5401 t=0 o=5401 45.20 EUR\nrefunded refunded:99 t=9000 o=5401 part=99 5.00 EUR" },
	{ "an order of nothing", "shopify", 0, H_ORDER("\"paid\",\"currency\":\"EUR\",\"total_price\":\"0.00\""), 200, "zero_amount" },
	{ "the parts of a refund that went through", "shopify", 0, H_REFUND(H_TX("refund", "success", "5.00") "," H_TX("refund", "success", "3.00") ","
	    H_TX("refund", "failure", "9.00") "," H_TX("void", "success", "1.00")), 200, "refunded refunded:99 t=9000 o=5401 part=99 8.00 EUR" },
	{ "a refund of two currencies: never a guess", "shopify", 0, H_REFUND(H_TX("refund", "success", "5.00") ",{\"kind\":\"refund\","
	    "\"status\":\"success\",\"amount\":\"5\",\"currency\":\"JPY\"}"), 400, "transactions.currency" },
	{ "goods back to stock, no money", "shopify", 0, H_REFUND(""), 200, "zero_amount" },
	{ "a refund on its way", "shopify", 0, H_REFUND(H_TX("refund", "pending", "5.00")), 200, "not_final" },
	{ "a refund on a test site", "shopify", TEST_SITE, H_REFUND(H_TX("refund", "success", "5.00")), 200, "test_mode" },
	{ "a chargeback", "shopify", 0, "{\"id\":62,\"order_id\":5401,\"type\":\"chargeback\",\"amount\":\"45.20\",\"currency\":\"EUR\","
	    "\"status\":\"needs_response\",\"evidence_due_by\":null,\"initiated_at\":\"2026-03-02T10:00:00Z\"}", 200,
	    "disputed disputed:62 t=0 o=5401 part=62 45.20 EUR" },
	{ "won", "shopify", 0, "{\"id\":62,\"order_id\":5401,\"type\":\"chargeback\",\"amount\":\"45.20\",\"currency\":\"EUR\","
	    "\"status\":\"won\",\"evidence_due_by\":null,\"initiated_at\":\"2026-03-02T10:00:00Z\"}", 200,
	    "dispute_won dispute_won:62 t=0 o=5401 part=62 45.20 EUR" },
	{ "an inquiry", "shopify", 0, "{\"id\":62,\"type\":\"inquiry\",\"evidence_due_by\":null}", 200, "inquiry" },
	{ "a test order", "shopify", 0, "{\"id\":5401,\"financial_status\":\"paid\",\"test\":true}", 200, "test_mode" },
	{ "a product", "shopify", 0, "{\"id\":1,\"title\":\"Mug\"}", 200, "irrelevant_type" },
	{ "an order without its time", "shopify", 0, "{\"id\":5401,\"financial_status\":\"paid\",\"currency\":\"EUR\",\"total_price\":\"1\"}",
	    400, "created_at" },

	/* woocommerce */
	{ "an order", "woocommerce", 0, W_ORDER("\"total_tax\":\"7.22\",\"shipping_total\":\"4.12\",\"shipping_tax\":\"0.78\",\"number\":\"RE-1\","
	    "\"customer_id\":9,\"billing\":{\"email\":\"A@B.example\"},\"order_key\":\"wc_order_k\",\"customer_ip_address\":\"192.0.2.1\","
	    "\"customer_user_agent\":\"UA\",\"created_via\":\"checkout\",\"meta_data\":[{\"key\":\"_odd\",\"value\":{\"a\":[1]}},"
	    "{\"key\":\"_rpv\",\"value\":\"v\"}],\"refunds\":[]"), 200,
	    "paid paid:77 t=0 o=77 45.20 EUR tax=7.22 ship=4.90 c=9 v=v tok=wc_order_k ip=192.0.2.1 ua=UA" },
	{ "a guest's renewal", "woocommerce", 0, W_ORDER("\"customer_id\":0,\"billing\":{\"email\":\"A@B.example\"},\"meta_data\":["
	    "{\"key\":\"_subscription_renewal\",\"value\":\"55\"},{\"key\":\"rpv\",\"value\":\"v\"}]"), 200,
	    "paid paid:77 t=0 o=77 45.20 EUR recurring c=email:a@b.example v=v" },
	{ "four decimals: shipping and its tax are rounded together", "woocommerce", 0, W_ORDER("\"shipping_total\":\"4.1250\","
	    "\"shipping_tax\":\"0.7850\",\"total_tax\":\"7.2249\""), 200, "paid paid:77 t=0 o=77 45.20 EUR tax=7.22 ship=4.91" },
	{ "all its refunds, each time", "woocommerce", 0, W_ORDER("\"refunds\":[{\"id\":78,\"total\":\"-10.00\"},{\"id\":79,\"total\":\"-0.50\"},"
	    "{\"id\":80,\"total\":\"0.00\"}]"), 200, "paid paid:77 t=0 o=77 45.20 EUR\nrefunded refunded:78 t=7000 o=77 part=78 10.00 EUR\n"
	    "refunded refunded:79 t=7000 o=77 part=79 0.50 EUR" },
	{ "yen with decimals", "woocommerce", 0, "{\"id\":77,\"currency\":\"JPY\",\"total\":\"1500.0000\",\"date_paid_gmt\":\"2026-03-02T10:00:00\"}",
	    200, "paid paid:77 t=0 o=77 1500 JPY" },
	{ "not paid", "woocommerce", 0, "{\"id\":77,\"currency\":\"EUR\",\"total\":\"45.20\",\"date_paid_gmt\":null}", 200, "not_paid" },
	{ "an order of nothing", "woocommerce", 0, "{\"id\":77,\"currency\":\"EUR\",\"total\":\"0.00\",\"date_paid_gmt\":\"2026-03-02T10:00:00\"}",
	    200, "zero_amount" },
	{ "a deletion", "woocommerce", 0, "{\"id\":77}", 200, "irrelevant_type" },
	{ "a subscription looks like an order, and is none", "woocommerce", 0, W_ORDER("\"billing_period\":\"month\""), 200, "irrelevant_type" },
	{ "a refund without amount drops the whole: the order shows it again", "woocommerce", 0, W_ORDER("\"refunds\":[{\"id\":78}]"),
	    400, "refunds.total" },

	/* paddle */
	{ "a transaction", "paddle", 0, P_EVENT("transaction.completed", "\"id\":\"txn_1\",\"origin\":\"web\",\"billed_at\":\"2026-03-02T10:00:00Z\",\"currency_code\":\"EUR\",\"customer_id\":\"ctm_1\",\"custom_data\":{\"rpv\":\"v\"},\"details\":{\"totals\":{\"grand_total\":\"4520\",\"tax\":\"722\"},\"adjusted_totals\":{\"grand_total\":\"1\"}}"), 200,
	    "paid evt_1 t=0 o=txn_1 45.20 EUR tax=7.22 c=ctm_1 v=v tok=txn_1" },
	{ "a renewal that was not billed: it happened when it was told", "paddle", 0, P_EVENT("transaction.completed", "\"id\":\"txn_1\",\"origin\":\"subscription_recurring\",\"billed_at\":null,\"currency_code\":\"JPY\",\"custom_data\":null,\"details\":{\"totals\":{\"grand_total\":\"1500\"}}"), 200,
	    "paid evt_1 t=1000 o=txn_1 1500 JPY recurring tok=txn_1" },
	{ "a change of the card", "paddle", 0, P_EVENT("transaction.completed", "\"id\":\"txn_1\",\"currency_code\":\"EUR\",\"details\":{\"totals\":{\"grand_total\":\"0\"}}"), 200,
	    "zero_amount" },
	{ "the same money before", "paddle", 0, P_EVENT("transaction.paid", ""), 200,
	    "irrelevant_type" },
	{ "a refund", "paddle", 0, P_ADJUST("refund", "approved"), 200,
	    "refunded evt_1 t=1000 o=txn_1 part=adj_1 7.00 EUR" },
	{ "a refund that waits", "paddle", 0, P_ADJUST("refund", "pending_approval"), 200,
	    "not_final" },
	{ "a chargeback has no id that its reversal knows", "paddle", 0, P_ADJUST("chargeback", "approved"), 200,
	    "disputed evt_1 t=1000 o=txn_1 part=cb:txn_1 7.00 EUR" },
	{ "and given back", "paddle", 0, P_ADJUST("chargeback_reverse", "approved"), 200,
	    "dispute_won evt_1 t=1000 o=txn_1 part=cb:txn_1 7.00 EUR" },
	{ "a warning takes nothing", "paddle", 0, P_ADJUST("chargeback_warning", "approved"), 200,
	    "inquiry" },
	{ "a credit is no refund", "paddle", 0, P_ADJUST("credit", "approved"), 200,
	    "irrelevant_type" },
	{ "an amount with a point: never a guess", "paddle", 0, P_EVENT("transaction.completed", "\"id\":\"txn_1\",\"currency_code\":\"EUR\",\"details\":{\"totals\":{\"grand_total\":\"45.20\"}}"), 400,
	    "data.details.totals.grand_total" },

	/* lemonsqueezy */
	{ "an order", "lemonsqueezy", 0, L_EVENT("order_created", "\"status\":\"paid\",\"total\":4520,\"tax\":722,\"customer_id\":5,\"user_email\":\"A@B.example\",\"identifier\":\"abc\""), 200,
	    "paid paid:7 t=0 o=7 45.20 EUR tax=7.22 c=5 v=v tok=abc" },
	{ "an order that is not paid", "lemonsqueezy", 0, L_EVENT("order_created", "\"status\":\"pending\",\"total\":4520"), 200,
	    "not_paid" },
	{ "the first invoice: the order told of it", "lemonsqueezy", 0, L_EVENT("subscription_payment_success", "\"billing_reason\":\"initial\",\"total\":4520"), 200,
	    "same_money" },
	{ "a renewal", "lemonsqueezy", 0, L_EVENT("subscription_payment_success", "\"billing_reason\":\"renewal\",\"total\":4520,\"user_email\":\"A@B.example\""), 200,
	    "paid paid:inv:7 t=0 o=inv:7 45.20 EUR recurring c=email:a@b.example v=v" },
	{ "a reason nobody told us of", "lemonsqueezy", 0, L_EVENT("subscription_payment_success", "\"billing_reason\":\"gift\",\"total\":4520"), 400,
	    "data.attributes.billing_reason" },
	{ "what was refunded so far", "lemonsqueezy", 0, L_EVENT("order_refunded", "\"total\":4520,\"refunded\":false,\"refunded_amount\":700"), 200,
	    "refunded refunded:7:700 t=9000 o=7 part=so-far 7.00 EUR cumulative" },
	{ "the old shape: all of it", "lemonsqueezy", 0, L_EVENT("order_refunded", "\"total\":4520,\"refunded\":true"), 200,
	    "refunded refunded:7:4520 t=9000 o=7 part=so-far 45.20 EUR cumulative" },
	{ "a renewal's", "lemonsqueezy", 0, L_EVENT("subscription_payment_refunded", "\"billing_reason\":\"renewal\",\"total\":4520,\"refunded_amount\":300"), 200,
	    "refunded refunded:inv:7:300 t=9000 o=inv:7 part=so-far 3.00 EUR cumulative" },
	{ "the first invoice's: the order's tells of it", "lemonsqueezy", 0, L_EVENT("subscription_payment_refunded", "\"billing_reason\":\"initial\",\"total\":4520,\"refunded_amount\":300"), 200,
	    "same_money" },
	{ "test mode", "lemonsqueezy", 0, "{\"meta\":{\"event_name\":\"order_created\"},\"data\":{\"id\":7,\"attributes\":{\"test_mode\":true}}}", 200,
	    "test_mode" },
	{ "no mode: never a guess", "lemonsqueezy", 0, "{\"meta\":{\"event_name\":\"order_created\"},\"data\":{\"id\":7,\"attributes\":{}}}", 400,
	    "data.attributes.test_mode" },
	{ "beside a success", "lemonsqueezy", 0, L_EVENT("subscription_payment_recovered", "\"total\":4520"), 200,
	    "irrelevant_type" },

	/* square */
	{ "a payment, tip and all", "square", 0, Q_EVENT("payment.updated", "payment", "\"id\":\"pay1\",\"status\":\"COMPLETED\",\"created_at\":\"2026-03-02T10:00:00.000Z\",\"amount_money\":{\"amount\":1,\"currency\":\"EUR\"},\"total_money\":{\"amount\":4520,\"currency\":\"EUR\"},\"order_id\":\"ord1\",\"reference_id\":\"v\",\"customer_id\":\"C1\""), 200,
	    "paid e1 t=0 o=pay1 45.20 EUR c=C1 v=v tok=ord1,v" },
	{ "approved is not paid", "square", 0, Q_EVENT("payment.created", "payment", "\"id\":\"pay1\",\"status\":\"APPROVED\""), 200,
	    "not_paid" },
	{ "a refund has an order of its own", "square", 0, Q_EVENT("refund.created", "refund", "\"id\":\"ref1\",\"status\":\"COMPLETED\",\"payment_id\":\"pay1\",\"order_id\":\"other\",\"amount_money\":{\"amount\":700,\"currency\":\"EUR\"}"), 200,
	    "refunded e1 t=2037 o=pay1 part=ref1 7.00 EUR" },
	{ "a refund on its way", "square", 0, Q_EVENT("refund.updated", "refund", "\"id\":\"ref1\",\"status\":\"PENDING\""), 200,
	    "not_final" },
	{ "a dispute, evidence required", "square", 0, Q_EVENT("dispute.state.updated", "dispute", "\"id\":\"d1\",\"state\":\"EVIDENCE_REQUIRED\",\"disputed_payment\":{\"payment_id\":\"pay1\"},\"amount_money\":{\"amount\":4520,\"currency\":\"EUR\"}"), 200,
	    "disputed e1 t=2037 o=pay1 part=d1 45.20 EUR" },
	{ "a dispute, lost", "square", 0, Q_EVENT("dispute.state.updated", "dispute", "\"id\":\"d1\",\"state\":\"LOST\",\"disputed_payment\":{\"payment_id\":\"pay1\"},\"amount_money\":{\"amount\":4520,\"currency\":\"EUR\"}"), 200,
	    "disputed e1 t=2037 o=pay1 part=d1 45.20 EUR" },
	{ "a dispute, won", "square", 0, Q_EVENT("dispute.state.updated", "dispute", "\"id\":\"d1\",\"state\":\"WON\",\"disputed_payment\":{\"payment_id\":\"pay1\"},\"amount_money\":{\"amount\":4520,\"currency\":\"EUR\"}"), 200,
	    "dispute_won e1 t=2037 o=pay1 part=d1 45.20 EUR" },
	{ "an inquiry", "square", 0, Q_EVENT("dispute.created", "dispute", "\"id\":\"d1\",\"state\":\"INQUIRY_EVIDENCE_REQUIRED\""), 200,
	    "inquiry" },
	{ "a dispute without its state", "square", 0, Q_EVENT("dispute.created", "dispute", "\"id\":\"d1\""), 400,
	    "data.object.dispute.state" },
	{ "an order: the same money", "square", 0, Q_EVENT("order.updated", "order", ""), 200,
	    "irrelevant_type" },

	/* polar */
	{ "an order", "polar", 0, STANDARD("order.paid", "\"id\":\"o1\",\"total_amount\":4520,\"tax_amount\":722,\"currency\":\"eur\",\"billing_reason\":\"purchase\",\"customer_id\":\"c1\",\"checkout_id\":\"chk\",\"metadata\":{\"rpv\":\"v\",\"reference_id\":\"ref\"},\"customer\":{\"external_id\":\"x\"}"), 200,
	    "paid msg_1 t=0 o=o1 45.20 EUR tax=7.22 c=c1 v=v tok=chk,ref" },
	{ "a renewal of somebody known by the shop's own id", "polar", 0, STANDARD("order.paid", "\"id\":\"o1\",\"total_amount\":4520,\"currency\":\"eur\",\"billing_reason\":\"subscription_cycle\",\"metadata\":{},\"customer\":{\"external_id\":\"x\"}"), 200,
	    "paid msg_1 t=0 o=o1 45.20 EUR recurring v=x" },
	{ "no reason: no renewal", "polar", 0, STANDARD("order.paid", "\"id\":\"o1\",\"total_amount\":4520,\"currency\":\"eur\""), 200,
	    "paid msg_1 t=0 o=o1 45.20 EUR" },
	{ "two digits where ISO has none", "polar", 0, STANDARD("order.paid", "\"id\":\"o1\",\"total_amount\":150000,\"currency\":\"isk\",\"billing_reason\":\"purchase\""), 200,
	    "paid msg_1 t=0 o=o1 1500 ISK" },
	{ "and where it has three", "polar", 0, STANDARD("order.paid", "\"id\":\"o1\",\"total_amount\":150,\"currency\":\"kwd\",\"billing_reason\":\"purchase\""), 200,
	    "paid msg_1 t=0 o=o1 1.500 KWD" },
	{ "none where it has two", "polar", 0, STANDARD("order.paid", "\"id\":\"o1\",\"total_amount\":15000,\"currency\":\"mga\",\"billing_reason\":\"purchase\""), 200,
	    "paid msg_1 t=0 o=o1 15000.00 MGA" },
	{ "a refund's tax goes back beside it", "polar", 0, STANDARD("refund.updated", "\"id\":\"r1\",\"order_id\":\"o1\",\"status\":\"succeeded\",\"amount\":588,\"tax_amount\":112,\"currency\":\"eur\""), 200,
	    "refunded msg_1 t=0 o=o1 part=r1 7.00 EUR" },
	{ "both are rounded together", "polar", 0, STANDARD("refund.created", "\"id\":\"r1\",\"order_id\":\"o1\",\"status\":\"succeeded\",\"amount\":30,\"tax_amount\":30,\"currency\":\"isk\""), 200,
	    "refunded msg_1 t=0 o=o1 part=r1 1 ISK" },
	{ "a refund under way", "polar", 0, STANDARD("refund.created", "\"id\":\"r1\",\"order_id\":\"o1\",\"status\":\"pending\""), 200,
	    "not_final" },
	{ "a state that refunds tell", "polar", 0, STANDARD("order.refunded", ""), 200,
	    "irrelevant_type" },

	/* dodo */
	{ "a payment", "dodo", 0, STANDARD("payment.succeeded", "\"payment_id\":\"pay_1\",\"total_amount\":4520,\"tax\":722,\"currency\":\"EUR\",\"customer\":{\"customer_id\":\"cus_1\"},\"metadata\":{\"rpv\":\"v\"},\"checkout_session_id\":\"cks_1\",\"subscription_id\":\"sub_1\""), 200,
	    "paid msg_1 t=0 o=pay_1 45.20 EUR tax=7.22 c=cus_1 v=v tok=cks_1" },
	{ "of a subscription, and no checkout began it", "dodo", 0, STANDARD("payment.succeeded", "\"payment_id\":\"pay_2\",\"total_amount\":4520,\"currency\":\"EUR\",\"customer\":{\"email\":\"A@B.example\"},\"subscription_id\":\"sub_1\""), 200,
	    "paid msg_1 t=0 o=pay_2 45.20 EUR recurring c=email:a@b.example" },
	{ "a refund", "dodo", 0, STANDARD("refund.succeeded", "\"refund_id\":\"ref_1\",\"payment_id\":\"pay_1\",\"amount\":700,\"currency\":\"EUR\""), 200,
	    "refunded msg_1 t=0 o=pay_1 part=ref_1 7.00 EUR" },
	{ "a dispute in cents", "dodo", 0, STANDARD("dispute.opened", "\"dispute_id\":\"d1\",\"payment_id\":\"pay_1\",\"amount\":\"4520\",\"currency\":\"EUR\""), 200,
	    "disputed msg_1 t=0 o=pay_1 part=d1 45.20 EUR" },
	{ "settled at once by the bank, in euros", "dodo", 0, STANDARD("dispute.lost", "\"dispute_id\":\"d1\",\"payment_id\":\"pay_1\",\"amount\":\"45.20\",\"currency\":\"EUR\""), 200,
	    "disputed msg_1 t=0 o=pay_1 part=d1 45.20 EUR" },
	{ "won", "dodo", 0, STANDARD("dispute.won", "\"dispute_id\":\"d1\",\"payment_id\":\"pay_1\",\"amount\":\"4520\",\"currency\":\"EUR\""), 200,
	    "dispute_won msg_1 t=0 o=pay_1 part=d1 45.20 EUR" },
	{ "the same money again", "dodo", 0, STANDARD("subscription.renewed", ""), 200,
	    "irrelevant_type" },

	/* razorpay */
	{ "a payment; `tax` is that of the fee", "razorpay", 0, R_EVENT("payment.captured", R_PAYMENT("\"order_id\":\"order_1\",\"customer_id\":null,\"email\":\"A@B.example\",\"notes\":{\"rpv\":\"v\"},\"tax\":99")), 200,
	    "paid paid:pay_1 t=0 o=pay_1 45.20 INR c=email:a@b.example v=v tok=order_1" },
	{ "told by its order, which knows the receipt", "razorpay", 0, R_EVENT("order.paid", R_PAYMENT("\"order_id\":\"order_1\",\"notes\":[]") ",\"order\":{\"entity\":{\"receipt\":\"r1\"}}"), 200,
	    "paid paid:pay_1 t=0 o=pay_1 45.20 INR tok=order_1,r1" },
	{ "the first of a subscription", "razorpay", 0, R_EVENT("subscription.charged", R_PAYMENT("\"notes\":[]") ",\"subscription\":{\"entity\":{\"paid_count\":1}}"), 200,
	    "paid paid:pay_1 t=0 o=pay_1 45.20 INR" },
	{ "the second", "razorpay", 0, R_EVENT("subscription.charged", R_PAYMENT("\"notes\":[]") ",\"subscription\":{\"entity\":{\"paid_count\":2}}"), 200,
	    "paid paid:pay_1 t=0 o=pay_1 45.20 INR recurring" },
	{ "a refund", "razorpay", 0, R_EVENT("refund.processed", R_PAYMENT("\"captured\":true") ",\"refund\":{\"entity\":{\"id\":\"rf\",\"payment_id\":\"pay_1\",\"amount\":700,\"currency\":\"INR\"}}"), 200,
	    "refunded refunded:rf t=0 o=pay_1 part=rf 7.00 INR" },
	{ "of what was never captured", "razorpay", 0, R_EVENT("refund.processed", R_PAYMENT("\"captured\":false") ",\"refund\":{\"entity\":{\"id\":\"rf\",\"payment_id\":\"pay_1\",\"amount\":4520,\"currency\":\"INR\"}}"), 200,
	    "not_paid" },
	{ "a dispute, created", "razorpay", 0, R_EVENT("payment.dispute.created", "\"dispute\":{\"entity\":{\"id\":\"d1\",\"payment_id\":\"pay_1\",\"amount\":4520,\"currency\":\"INR\"}}"), 200,
	    "disputed disputed:d1 t=0 o=pay_1 part=d1 45.20 INR" },
	{ "a dispute, won", "razorpay", 0, R_EVENT("payment.dispute.won", "\"dispute\":{\"entity\":{\"id\":\"d1\",\"payment_id\":\"pay_1\",\"amount\":4520,\"currency\":\"INR\"}}"), 200,
	    "dispute_won dispute_won:d1 t=0 o=pay_1 part=d1 45.20 INR" },
	{ "a dispute, lost", "razorpay", 0, R_EVENT("payment.dispute.lost", "\"dispute\":{\"entity\":{\"id\":\"d1\",\"payment_id\":\"pay_1\",\"amount\":4520,\"currency\":\"INR\"}}"), 200,
	    "no_change" },
	{ "a dispute, closed", "razorpay", 0, R_EVENT("payment.dispute.closed", "\"dispute\":{\"entity\":{\"id\":\"d1\",\"payment_id\":\"pay_1\",\"amount\":4520,\"currency\":\"INR\"}}"), 200,
	    "irrelevant_type" },
	{ "authorised is not paid", "razorpay", 0, R_EVENT("payment.authorized", R_PAYMENT("\"notes\":[]")), 200,
	    "irrelevant_type" },

	/* paystack */
	{ "a charge", "paystack", 0, K_EVENT("charge.success", "\"reference\":\"ref_1\",\"amount\":4520,\"paid_at\":\"2026-03-02T10:00:00.000Z\",\"customer\":{\"customer_code\":\"C1\",\"email\":\"a@b.example\"},\"metadata\":{\"rpv\":\"v\"},\"ip_address\":\"192.0.2.1\",\"plan\":{\"id\":1}"), 200,
	    "paid paid:ref_1 t=0 o=ref_1 45.20 NGN c=C1 v=v tok=ref_1" },
	{ "two digits of all currencies; metadata is a text", "paystack", 0, "{\"event\":\"charge.success\",\"data\":{\"domain\":\"live\",\"currency\":\"XOF\",\"reference\":\"r\",\"amount\":150000,\"paid_at\":\"2026-03-02T10:00:00Z\",\"metadata\":\"\"}}", 200,
	    "paid paid:r t=0 o=r 1500 XOF tok=r" },
	{ "a refund happened when it came", "paystack", 0, K_EVENT("refund.processed", "\"transaction_reference\":\"ref_1\",\"refund_reference\":\"rf\",\"amount\":\"700\""), 200,
	    "refunded refunded:rf t=0 o=ref_1 part=rf 7.00 NGN" },
	{ "a refund by its number", "paystack", 0, K_EVENT("refund.processed", "\"transaction_reference\":\"ref_1\",\"refund_reference\":null,\"id\":12,\"amount\":700"), 200,
	    "refunded refunded:12 t=0 o=ref_1 part=12 7.00 NGN" },
	{ "a dispute", "paystack", 0, K_EVENT("charge.dispute.create", "\"id\":3,\"refund_amount\":4520,\"transaction\":{\"reference\":\"ref_1\"}"), 200,
	    "disputed disputed:3 t=0 o=ref_1 part=3 45.20 NGN" },
	{ "whose claim is declined", "paystack", 0, K_EVENT("charge.dispute.resolve", "\"id\":3,\"resolution\":\"declined\",\"refund_amount\":4520,\"transaction\":{\"reference\":\"ref_1\"}"), 200,
	    "dispute_won dispute_won:3 t=0 o=ref_1 part=3 45.20 NGN" },
	{ "or accepted", "paystack", 0, K_EVENT("charge.dispute.resolve", "\"id\":3,\"resolution\":\"merchant-accepted\""), 200,
	    "no_change" },
	{ "test mode", "paystack", 0, "{\"event\":\"charge.success\",\"data\":{\"domain\":\"test\"}}", 200,
	    "test_mode" },
	{ "on a test site", "paystack", TEST_SITE, "{\"event\":\"charge.success\",\"data\":{\"domain\":\"test\",\"currency\":\"NGN\",\"reference\":\"r\",\"amount\":1,\"paid_at\":\"2026-03-02T10:00:00Z\"}}", 200,
	    "paid paid:r t=0 o=r 0.01 NGN tok=r" },
	{ "money that goes out", "paystack", 0, K_EVENT("transfer.success", "\"amount\":1"), 200,
	    "irrelevant_type" },

	/* creem */
	{ "a checkout, named by its transaction", "creem", 0, E_EVENT("checkout.completed", "\"id\":\"ch_1\",\"request_id\":\"req\",\"mode\":\"prod\",\"order\":{\"id\":\"ord_1\",\"transaction\":\"tran_1\",\"amount\":1000,\"amount_paid\":1210,\"tax_amount\":210,\"currency\":\"EUR\"},\"customer\":{\"id\":\"cust_1\"},\"metadata\":{\"rpv\":\"v\"}"), 200,
	    "paid evt_1 t=500 o=tran_1 12.10 EUR tax=2.10 c=cust_1 v=v tok=ch_1,req alias=ord_1" },
	{ "of before that was told", "creem", 0, E_EVENT("checkout.completed", "\"id\":\"ch_1\",\"request_id\":\"req\",\"mode\":\"prod\",\"order\":{\"id\":\"ord_1\",\"amount\":1000,\"currency\":\"EUR\"},\"customer\":\"cust_1\""), 200,
	    "paid evt_1 t=500 o=ord_1 10.00 EUR c=cust_1 v=req tok=ch_1,req" },
	{ "the first of a subscription", "creem", 0, E_EVENT("subscription.paid", "\"id\":\"sub_1\",\"last_transaction_id\":\"tran_1\",\"created_at\":\"2026-03-02T10:00:07Z\",\"current_period_start_date\":\"2026-03-02T10:00:00Z\",\"product\":{\"price\":1000,\"currency\":\"EUR\"}"), 200,
	    "same_money" },
	{ "a renewal", "creem", 0, E_EVENT("subscription.paid", "\"id\":\"sub_1\",\"last_transaction_id\":\"tran_2\",\"created_at\":\"2026-02-02T10:00:07Z\",\"current_period_start_date\":\"2026-03-02T10:00:00Z\",\"product\":{\"price\":1000,\"currency\":\"EUR\"},\"customer\":{\"id\":\"cust_1\"},\"metadata\":{\"rpv\":\"v\"}"), 200,
	    "paid evt_1 t=500 o=tran_2 10.00 EUR recurring c=cust_1 v=v" },
	{ "a renewal whose period is told as that of before", "creem", 0, E_EVENT("subscription.paid", "\"id\":\"sub_1\",\"last_transaction_id\":\"tran_2\",\"created_at\":\"2026-02-02T10:00:07Z\",\"last_transaction_date\":\"2026-03-02T10:00:00Z\",\"current_period_start_date\":\"2026-02-02T10:00:00Z\",\"product\":{\"price\":1000,\"currency\":\"EUR\"}"), 200,
	    "paid evt_1 t=500 o=tran_2 10.00 EUR recurring" },
	{ "a renewal that knows its tax", "creem", 0, E_EVENT("subscription.paid", "\"id\":\"sub_1\",\"last_transaction_id\":\"tran_2\",\"created_at\":\"2026-02-02T10:00:07Z\",\"current_period_start_date\":\"2026-03-02T10:00:00Z\",\"product\":{\"price\":1000,\"currency\":\"EUR\"},\"last_transaction\":{\"amount_paid\":1210,\"tax_amount\":210,\"currency\":\"EUR\"}"), 200,
	    "paid evt_1 t=500 o=tran_2 12.10 EUR tax=2.10 recurring" },
	{ "a refund", "creem", 0, E_EVENT("refund.created", "\"id\":\"ref_1\",\"status\":\"succeeded\",\"refund_amount\":700,\"refund_currency\":\"EUR\",\"transaction\":{\"id\":\"tran_1\",\"order\":\"ord_1\"},\"order\":{\"id\":\"ord_1\"}"), 200,
	    "refunded evt_1 t=500 o=tran_1 part=ref_1 7.00 EUR" },
	{ "a refund under way", "creem", 0, E_EVENT("refund.created", "\"id\":\"ref_1\",\"status\":\"pending\""), 200,
	    "not_final" },
	{ "a dispute", "creem", 0, E_EVENT("dispute.created", "\"id\":\"disp_1\",\"amount\":1210,\"currency\":\"EUR\",\"transaction\":{\"id\":\"tran_1\"}"), 200,
	    "disputed evt_1 t=500 o=tran_1 part=disp_1 12.10 EUR" },
	{ "test mode", "creem", 0, E_EVENT("checkout.completed", "\"id\":\"ch_1\",\"mode\":\"test\""), 200,
	    "test_mode" },
	{ "no money", "creem", 0, E_EVENT("subscription.expired", "\"id\":\"sub_1\""), 200,
	    "irrelevant_type" },

	/* adyen */
	{ "an authorisation", "adyen", 0, A_LIVE(A_ITEM("AUTHORISATION", "true", A_EUR ",\"additionalData\":{\"shopperReference\":\"s1\",\"metadata.rpv\":\"v\",\"shopperInteraction\":\"Ecommerce\"}")), 200,
	    "paid paid:P1 t=0 o=P1 45.20 EUR c=s1 v=v tok=order-1" },
	{ "a renewal; the reference may be a visitor", "adyen", 0, A_LIVE(A_ITEM("AUTHORISATION", "true", A_EUR ",\"additionalData\":{\"shopperInteraction\":\"ContAuth\"}")), 200,
	    "paid paid:P1 t=0 o=P1 45.20 EUR recurring v=order-1 tok=order-1" },
	{ "refused", "adyen", 0, A_LIVE(A_ITEM("AUTHORISATION", "false", A_EUR)), 200,
	    "not_paid" },
	{ "the card was looked at", "adyen", 0, A_LIVE(A_ITEM("AUTHORISATION", "true", "\"amount\":{\"value\":0,\"currency\":\"EUR\"}")), 200,
	    "zero_amount" },
	{ "a capture: the same money", "adyen", 0, A_LIVE(A_ITEM("CAPTURE", "true", A_EUR)), 200,
	    "same_money" },
	{ "which a shop that captures later wants", "adyen", COUNT_CAPTURES, A_LIVE(A_ITEM("CAPTURE", "true", A_EUR)), 200,
	    "paid paid:O1 t=0 o=O1 45.20 EUR v=order-1 tok=order-1" },
	{ "and then no authorisations", "adyen", COUNT_CAPTURES, A_LIVE(A_ITEM("AUTHORISATION", "true", A_EUR)), 200,
	    "not_paid" },
	{ "Chile's pesos come in hundredths", "adyen", 0, A_LIVE(A_ITEM("AUTHORISATION", "true", "\"amount\":{\"value\":150000,\"currency\":\"CLP\"}")), 200,
	    "paid paid:P1 t=0 o=P1 1500 CLP v=order-1 tok=order-1" },
	{ "Cape Verde's escudos come whole", "adyen", 0, A_LIVE(A_ITEM("AUTHORISATION", "true", "\"amount\":{\"value\":1500,\"currency\":\"CVE\"}")), 200,
	    "paid paid:P1 t=0 o=P1 1500.00 CVE v=order-1 tok=order-1" },
	{ "a refund, and a chargeback beside it", "adyen", 0, A_LIVE(A_ITEM("REFUND", "true", A_EUR) "," A_ITEM("CHARGEBACK", "true", A_EUR)), 200,
	    "refunded refunded:P1 t=0 o=O1 part=P1 45.20 EUR\ndisputed disputed:cb:O1 t=0 o=O1 part=cb:O1 45.20 EUR" },
	{ "a refund that did not work", "adyen", 0, A_LIVE(A_ITEM("REFUND", "false", A_EUR)), 200,
	    "not_final" },
	{ "refunded money that comes back", "adyen", 0, A_LIVE(A_ITEM("REFUNDED_REVERSED", "true", A_EUR)), 200,
	    "not_represented" },
	{ "won", "adyen", 0, A_LIVE(A_ITEM("CHARGEBACK_REVERSED", "true", A_EUR)), 200,
	    "dispute_won dispute_won:cb:O1 t=0 o=O1 part=cb:O1 45.20 EUR" },
	{ "won", "adyen", 0, A_LIVE(A_ITEM("PREARBITRATION_WON", "true", A_EUR)), 200,
	    "dispute_won dispute_won:cb:O1 t=0 o=O1 part=cb:O1 45.20 EUR" },
	{ "taken for good: it was taken before", "adyen", 0, A_LIVE(A_ITEM("SECOND_CHARGEBACK", "true", A_EUR)), 200,
	    "irrelevant_type" },
	{ "one that counts beside one that does not", "adyen", 0, A_LIVE(A_ITEM("REPORT_AVAILABLE", "true", A_EUR) "," A_ITEM("REFUND", "true", A_EUR)), 200,
	    "refunded refunded:P1 t=0 o=O1 part=P1 45.20 EUR" },
	{ "one that cannot be read: none of them counts", "adyen", 0, A_LIVE(A_ITEM("REFUND", "true", A_EUR) "," A_ITEM("REFUND", "true", "\"amount\":{\"value\":\"x\",\"currency\":\"EUR\"}")), 400,
	    "NotificationRequestItem.amount.value" },
	{ "the test system", "adyen", 0, "{\"live\":\"false\",\"notificationItems\":[]}", 200,
	    "test_mode" },
	{ "no mode: never a guess", "adyen", 0, "{\"notificationItems\":[]}", 400,
	    "live" },
	{ "nothing in it", "adyen", 0, A_LIVE(""), 200,
	    "irrelevant_type" },

	/* paypal */
	{ "a capture", "paypal", 0, Y_EVENT("PAYMENT.CAPTURE.COMPLETED", "\"id\":\"CAP1\",\"custom_id\":\"v\",\"invoice_id\":\"RE-1\",\"supplementary_data\":{\"related_ids\":{\"order_id\":\"ORD1\"}}," Y_MONEY), 200,
	    "paid WH-1 t=0 o=CAP1 45.20 EUR v=v tok=ORD1,RE-1,v" },
	{ "a subscription's payment", "paypal", 0, Y_EVENT("PAYMENT.SALE.COMPLETED", "\"id\":\"S1\",\"custom\":\"v\",\"billing_agreement_id\":\"I-1\",\"create_time\":\"2026-03-02T10:00:00Z\",\"amount\":{\"total\":\"45.20\",\"currency\":\"EUR\",\"details\":{\"tax\":\"7.22\",\"shipping\":\"4.90\"}}"), 200,
	    "paid WH-1 t=0 o=S1 45.20 EUR tax=7.22 ship=4.90 recurring v=v tok=v" },
	{ "yen without decimals", "paypal", 0, Y_EVENT("PAYMENT.CAPTURE.COMPLETED", "\"id\":\"CAP1\",\"create_time\":\"2026-03-02T10:00:00Z\",\"amount\":{\"value\":\"1500\",\"currency_code\":\"JPY\"}"), 200,
	    "paid WH-1 t=0 o=CAP1 1500 JPY" },
	{ "a refund of the capture that its link leads up to", "paypal", 0, Y_EVENT("PAYMENT.CAPTURE.REFUNDED", "\"id\":\"REF1\",\"links\":[{\"rel\":\"self\",\"href\":\"https://api.paypal.com/v2/payments/refunds/REF1\"},{\"rel\":\"up\",\"href\":\"https://api.paypal.com/v2/payments/captures/CAP1\"}]," Y_MONEY), 200,
	    "refunded WH-1 t=0 o=CAP1 part=REF1 45.20 EUR" },
	{ "the older form has a minus", "paypal", 0, Y_EVENT("PAYMENT.SALE.REFUNDED", "\"id\":\"REF1\",\"sale_id\":\"S1\",\"create_time\":\"2026-03-02T10:00:00Z\",\"amount\":{\"total\":\"-3.00\",\"currency\":\"EUR\"}"), 200,
	    "refunded WH-1 t=0 o=S1 part=REF1 3.00 EUR" },
	{ "a refund of nobody knows what", "paypal", 0, Y_EVENT("PAYMENT.CAPTURE.REFUNDED", "\"id\":\"REF1\"," Y_MONEY), 400,
	    "resource.links" },
	{ "a dispute", "paypal", 0, Y_EVENT("CUSTOMER.DISPUTE.CREATED", Y_DISPUTE), 200,
	    "disputed WH-1 t=8000 o=CAP1 part=PP-1 45.20 EUR" },
	{ "won: resolved seller favour", "paypal", 0, Y_EVENT("CUSTOMER.DISPUTE.RESOLVED", Y_DISPUTE ",\"dispute_outcome\":{\"outcome_code\":\"RESOLVED_SELLER_FAVOUR\"}"), 200,
	    "dispute_won WH-1 t=8000 o=CAP1 part=PP-1 45.20 EUR" },
	{ "won: resolved with payout", "paypal", 0, Y_EVENT("CUSTOMER.DISPUTE.RESOLVED", Y_DISPUTE ",\"dispute_outcome\":{\"outcome_code\":\"RESOLVED_WITH_PAYOUT\"}"), 200,
	    "dispute_won WH-1 t=8000 o=CAP1 part=PP-1 45.20 EUR" },
	{ "won: canceled by buyer", "paypal", 0, Y_EVENT("CUSTOMER.DISPUTE.RESOLVED", Y_DISPUTE ",\"dispute_outcome\":{\"outcome_code\":\"CANCELED_BY_BUYER\"}"), 200,
	    "dispute_won WH-1 t=8000 o=CAP1 part=PP-1 45.20 EUR" },
	{ "won: denied", "paypal", 0, Y_EVENT("CUSTOMER.DISPUTE.RESOLVED", Y_DISPUTE ",\"dispute_outcome\":{\"outcome_code\":\"DENIED\"}"), 200,
	    "dispute_won WH-1 t=8000 o=CAP1 part=PP-1 45.20 EUR" },
	{ "lost", "paypal", 0, Y_EVENT("CUSTOMER.DISPUTE.RESOLVED", Y_DISPUTE ",\"dispute_outcome\":{\"outcome_code\":\"RESOLVED_BUYER_FAVOUR\"}"), 200,
	    "no_change" },
	{ "approved is not paid", "paypal", 0, Y_EVENT("CHECKOUT.ORDER.APPROVED", "\"id\":\"ORD1\""), 200,
	    "irrelevant_type" },
	{ "an amount with an exponent", "paypal", 0, Y_EVENT("PAYMENT.SALE.REFUNDED", "\"id\":\"REF1\",\"sale_id\":\"S1\",\"create_time\":\"2026-03-02T10:00:00Z\",\"amount\":{\"total\":\"-3e2\",\"currency\":\"EUR\"}"), 400,
	    "resource.amount.total" },
	{ "a minus alone", "paypal", 0, Y_EVENT("PAYMENT.SALE.REFUNDED", "\"id\":\"REF1\",\"sale_id\":\"S1\",\"create_time\":\"2026-03-02T10:00:00Z\",\"amount\":{\"total\":\"-\",\"currency\":\"EUR\"}"), 400,
	    "resource.amount.total" },

	/* bigcommerce */
	{ "paid, but the amount has to be asked for", "bigcommerce", 0, B_EVENT("store/order/statusUpdated", "\"status\":{\"new_status_id\":11}"), 200,
	    "needs_api" },
	{ "not paid yet", "bigcommerce", 0, B_EVENT("store/order/statusUpdated", "\"status\":{\"new_status_id\":7}"), 200,
	    "not_paid" },
	{ "a refund, whose amount has to be asked for", "bigcommerce", 0, B_EVENT("store/order/refund/created", "\"refund\":{\"refund_id\":2}"), 200,
	    "needs_api" },
	{ "a product", "bigcommerce", 0, B_EVENT("store/product/updated", "\"x\":1"), 200,
	    "irrelevant_type" },
	{ "a status that is none", "bigcommerce", 0, B_EVENT("store/order/statusUpdated", "\"status\":{}"), 400,
	    "data.status.new_status_id" },

	/* gumroad: a form */
	{ "a sale, in dollars whatever stands beside it", "gumroad", 0, M_PING("url_params%5Brpv%5D=v&url_params[rpv]=w&resource_name=sale"), 200,
	    "paid paid:s1 t=0 o=s1 45.20 USD c=email:a@b.example v=v" },
	{ "the plain ping", "gumroad", 0, M_PING("purchaser_id=77&shipping_rate=500"), 200,
	    "paid paid:s1 t=0 o=s1 45.20 USD ship=5.00 c=77" },
	{ "as JSON", "gumroad", 0, "{\"seller_id\":\"mine==\",\"sale_id\":\"s1\",\"price\":4520,\"sale_timestamp\":\"2026-03-02T10:00:00Z\",\"is_recurring_charge\":true,\"url_params\":{\"rpv\":\"v\"}}", 200,
	    "paid paid:s1 t=0 o=s1 45.20 USD recurring v=v" },
	{ "a gift", "gumroad", 0, "seller_id=mine==&sale_id=s1&price=0&gift_price=1500&is_gift_receiver_purchase=true&sale_timestamp=2026-03-02T10:00:00Z", 200,
	    "paid paid:s1 t=0 o=s1 15.00 USD" },
	{ "all returned", "gumroad", 0, M_PING("resource_name=refund&refunded=true"), 200,
	    "refunded refunded:s1 t=0 o=s1 part=s1 45.20 USD" },
	{ "a part, nobody says how much", "gumroad", 0, M_PING("resource_name=refund&refunded=false"), 200,
	    "partial_amount_unknown" },
	{ "a dispute", "gumroad", 0, M_PING("resource_name=dispute"), 200,
	    "disputed disputed:s1 t=0 o=s1 part=s1 45.20 USD" },
	{ "won", "gumroad", 0, M_PING("resource_name=dispute_won"), 200,
	    "dispute_won dispute_won:s1 t=0 o=s1 part=s1 45.20 USD" },
	{ "a pre-order", "gumroad", 0, M_PING("is_preorder_authorization=true"), 200,
	    "not_paid" },
	{ "the seller tries it", "gumroad", 0, M_PING("test=true"), 200,
	    "test_mode" },
	{ "a price that is no number", "gumroad", 0, "seller_id=mine==&sale_id=s1&price=12,50&sale_timestamp=2026-03-02T10:00:00Z", 400,
	    "price" },
	{ "a cancellation", "gumroad", 0, "seller_id=mine%3d%3d&resource_name=cancellation", 200,
	    "irrelevant_type" },
};

/* Signed, where a header signs; else as one that was looked at before. */
static void
deliver_meaning(const char *provider, const char *body, struct provider_conf conf, struct delivery *d)
{
	const struct shop *shop = find_shop(provider);
	struct request req = { .method = SLICE("POST"), .body = slice_of(body), .received_ms = NOW * 1000, .was_checked = true };
	struct post p;

	if (shop == NULL) {
		conf.visitor_key = SLICE("rpv");
		conf.seller_id = SLICE("mine==");
		provider_find(provider)->read(&conf, &req, d);
		return;
	}
	post_begin(&p, body);
	shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
	deliver(&p, provider, (const char *[]){ shop->secret, NULL }, conf, d);
}

START_TEST(meaning)
{
	const char *provider = meanings[_i].provider;
	struct provider_conf conf = { .test = meanings[_i].conf & TEST_SITE,
	    .count_payment_intents = meanings[_i].conf & COUNT_INTENTS, .count_captures = meanings[_i].conf & COUNT_CAPTURES };
	struct buf says = { 0 };
	struct delivery d;

	deliver_meaning(provider, meanings[_i].body, conf, &d);
	if (d.status == 400)
		ck_assert_str_eq(d.reason, "bad_body");
	if (d.status == 400)		/* the complaint names the field */
		buf_put(&says, d.detail, strcspn(d.detail, ":"));
	else if (d.n_messages == 0)
		buf_puts(&says, d.reason);
	for (size_t i = 0; i < d.n_messages; i++) {
		ck_assert(slice_is(d.messages[i].provider, provider));
		buf_puts(&says, i > 0 ? "\n" : "");
		describe(&says, &d.messages[i]);
	}
	buf_putc(&says, '\0');
	ck_assert_msg(d.status == meanings[_i].status && strcmp(says.p, meanings[_i].says) == 0,
	    "%s: %s:\n%d %s (%s), expected\n%d %s", provider, meanings[_i].why, d.status, says.p, d.detail,
	    meanings[_i].status, meanings[_i].says);
	buf_free(&says);
	delivery_free(&d);
}
END_TEST

/* ---- signatures elsewhere than in a header of a secret ---- */

static const struct { const char *why, *url, *environment; bool test; int status; const char *reason; } squares[] = {
	{ "as it was typed", NOTIFICATION_URL, "Production", false, 200, NULL },
	{ "a slash at its end", NOTIFICATION_URL "/", "Production", false, 401, "bad_signature" },
	{ "none configured", "", "Production", false, 401, "bad_signature" },
	{ "the sandbox on a live site", NOTIFICATION_URL, "Sandbox", false, 200, "test_mode" },
	{ "the sandbox on a test site", NOTIFICATION_URL, "sandbox", true, 200, NULL },
	{ "production on a test site", NOTIFICATION_URL, "Production", true, 200, "test_mode" },
};

START_TEST(square)
{
	const struct shop *shop = shop_of("square");
	struct slice secret = slice_of(shop->secret);
	struct provider_conf conf = { .secrets = &secret, .n_secrets = 1, .notification_url = slice_of(squares[_i].url), .test = squares[_i].test };
	struct request req = { .method = SLICE("POST"), .received_ms = NOW * 1000 };
	struct delivery d;
	struct post p;

	post_begin(&p, shop->paid);
	shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
	strcpy(add_header(&p, "Square-Environment"), squares[_i].environment);
	for (size_t i = 0; i < p.n_headers; i++)
		p.headers[i].value = slice_of(p.values[i]);
	req.headers = p.headers;
	req.n_headers = p.n_headers;
	req.body = buf_view(&p.body);
	provider_find("square")->read(&conf, &req, &d);
	assert_answer(squares[_i].why, "square", &d, squares[_i].status, squares[_i].reason);
	delivery_free(&d);
	req.was_checked = true;		/* from the quarantine, which has no such header */
	req.n_headers = 0;
	provider_find("square")->read(&conf, &req, &d);
	ck_assert_uint_eq(d.n_messages, 1);
	delivery_free(&d);
	buf_free(&p.body);
}
END_TEST

#define ADYEN_KEY "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"

/* reference: merchantReference; more: what comes behind the signature. */
static void
put_item(struct buf *out, const char *key_hex, const char *psp, const char *reference, const char *changed_amount)
{
	unsigned char key[32];
	char signature[64] = "";
	struct buf text = { 0 };
	size_t len;

	ck_assert_int_eq(sodium_hex2bin(key, sizeof(key), key_hex, strlen(key_hex), NULL, &len, NULL), 0);
	buf_printf(&text, "%s::Shop:%s:4520:EUR:AUTHORISATION:true", psp, reference);
	append_mac(signature, "", slice_make((char *)key, len), buf_view(&text), AS_BASE64);
	buf_printf(out, "{\"NotificationRequestItem\":{\"pspReference\":\"%s\",\"merchantAccountCode\":\"Shop\",\"merchantReference\":\"%s\","
	    "\"amount\":{\"value\":%s,\"currency\":\"EUR\"},\"eventCode\":\"AUTHORISATION\",\"success\":\"true\","
	    "\"eventDate\":\"2026-03-02T10:00:00Z\",\"additionalData\":{\"hmacSignature\":\"%s\"}}}", psp, reference, changed_amount, signature);
	buf_free(&text);
}

static const struct {
	const char *why, *keys[2], *signs[2], *psp, *reference, *amount;	/* two items; the first is always as it should be */
	int status;
	const char *reason;
	size_t n;
} adyens[] = {
	{ "genuine", { ADYEN_KEY }, { ADYEN_KEY }, NULL, NULL, NULL, 200, NULL, 1 },
	{ "the key in small letters", { "44782def547aaa06c910c43932b1eb0c71fc68d9d0c057550c48ec2acf6ba056" }, { ADYEN_KEY }, NULL, NULL, NULL, 200, NULL, 1 },
	{ "another key", { "00FF" }, { ADYEN_KEY }, NULL, NULL, NULL, 401, "bad_signature", 0 },
	{ "half a byte of a key", { ADYEN_KEY "0" }, { ADYEN_KEY }, NULL, NULL, NULL, 401, "bad_signature", 0 },
	{ "a key that is no hex", { "G" ADYEN_KEY }, { ADYEN_KEY }, NULL, NULL, NULL, 401, "bad_signature", 0 },
	{ "an empty key is none, not even for who signs with nothing", { "" }, { "" }, NULL, NULL, NULL, 401, "bad_signature", 0 },
	{ "two items", { ADYEN_KEY }, { ADYEN_KEY, ADYEN_KEY }, "P2", "order-2", "4520", 200, NULL, 2 },
	{ "two items, two keys, both known", { ADYEN_KEY, "00FF" }, { ADYEN_KEY, "00FF" }, "P2", "order-2", "4520", 200, NULL, 2 },
	{ "the second of another key: all is refused", { ADYEN_KEY }, { ADYEN_KEY, "00FF" }, "P2", "order-2", "4520", 401, "bad_signature", 0 },
	{ "the second changed: all is refused", { ADYEN_KEY }, { ADYEN_KEY, ADYEN_KEY }, "P2", "order-2", "4521", 401, "bad_signature", 0 },
	{ "a colon in the owner's own reference", { ADYEN_KEY }, { ADYEN_KEY, ADYEN_KEY }, "P2", "order:2", "4520", 200, NULL, 2 },
	{ "a colon elsewhere could carry bytes over", { ADYEN_KEY }, { ADYEN_KEY, ADYEN_KEY }, "P2:x", "order-2", "4520", 400, "malformed_signature", 0 },
};

static void
adyen_answer(const char *const *keys, struct slice body, struct delivery *d)
{
	struct slice secrets[2];
	struct provider_conf conf = { .secrets = secrets, .visitor_key = SLICE("rpv"), .tolerance_s = 300 };
	struct request req = { .method = SLICE("POST"), .body = body, .received_ms = NOW * 1000 };

	for (; conf.n_secrets < 2 && keys[conf.n_secrets] != NULL; conf.n_secrets++)
		secrets[conf.n_secrets] = slice_of(keys[conf.n_secrets]);
	provider_find("adyen")->read(&conf, &req, d);
}

START_TEST(adyen)
{
	struct buf body = { 0 };
	struct delivery d;

	buf_puts(&body, "{\"live\":\"true\",\"notificationItems\":[");
	put_item(&body, adyens[_i].signs[0], "P1", "order-1", "4520");
	if (adyens[_i].psp != NULL) {
		buf_puts(&body, ",");
		put_item(&body, adyens[_i].signs[1], adyens[_i].psp, adyens[_i].reference, adyens[_i].amount);
	}
	buf_puts(&body, "]}");
	adyen_answer(adyens[_i].keys, buf_view(&body), &d);
	assert_answer(adyens[_i].why, "adyen", &d, adyens[_i].status, adyens[_i].reason);
	ck_assert_uint_eq(d.n_messages, adyens[_i].n);
	delivery_free(&d);
	buf_free(&body);
}
END_TEST

/* Nobody's word is quarantined. */
static const struct { const char *why, *body; int status; const char *reason; } unsigned_items[] = {
	{ "no JSON", "live=true", 401, "missing_signature" },
	{ "empty", "", 401, "missing_signature" },
	{ "no items", "{\"live\":\"true\",\"notificationItems\":[]}", 401, "missing_signature" },
	{ "an item without a signature", "{\"live\":\"true\",\"notificationItems\":[{\"NotificationRequestItem\":{\"pspReference\":\"P\"}}]}", 401,
	    "missing_signature" },
	{ "one that is none", "{\"notificationItems\":[{\"NotificationRequestItem\":{\"additionalData\":{\"hmacSignature\":\"%%%\"}}}]}", 400,
	    "malformed_signature" },
	{ "items that are none", "{\"notificationItems\":[1,\"a\",null,[]]}", 401, "missing_signature" },
};

START_TEST(adyen_unsigned)
{
	struct delivery d;

	adyen_answer((const char *[]){ ADYEN_KEY, NULL }, slice_of(unsigned_items[_i].body), &d);
	assert_answer(unsigned_items[_i].why, "adyen", &d, unsigned_items[_i].status, unsigned_items[_i].reason);
	delivery_free(&d);
}
END_TEST

static const struct { const char *why, *seller, *body; int status; const char *reason; } sellers[] = {
	{ "the seller's", "mine==", "seller_id=mine%3D%3D&resource_name=cancellation", 200, "irrelevant_type" },
	{ "another's", "mine==", "seller_id=yours==&resource_name=cancellation", 401, "wrong_account" },
	{ "one byte of it", "mine==", "seller_id=m&resource_name=cancellation", 401, "wrong_account" },
	{ "nobody's", "mine==", "resource_name=cancellation", 401, "wrong_account" },
	{ "nobody's, and none is configured", "", "seller_id=&resource_name=cancellation", 401, "wrong_account" },
	{ "nobody's JSON", "mine==", "{\"resource_name\":\"cancellation\"}", 401, "wrong_account" },
	{ "no JSON: nobody's word, and not kept", "mine==", "{\"seller_id\":\"mine==\"", 401, "wrong_account" },
	{ "the same field twice: not kept either", "mine==", "seller_id=mine==&seller_id=yours==", 401, "wrong_account" },
	{ "twice, in two writings", "mine==", "seller_id=mine==&seller%5Fid=mine==", 401, "wrong_account" },
	{ "a NUL", "mine==", "seller_id=mine==&a=%00", 401, "wrong_account" },
	{ "no UTF-8", "mine==", "seller_id=mine==&a=%ff", 401, "wrong_account" },
	{ "nested deeper than it is read, and lists", "mine==", "a[b][c]=1&a[b]=1&d[]=1&d[]=2&e[=1&f]=1&[g]=1&seller_id=mine==&resource_name=x", 200,
	    "irrelevant_type" },
	{ "pairs that are none", "mine==", "&&=&=1&a&seller_id=mine==&b=&resource_name=x", 200, "irrelevant_type" },
	{ "a text and an object of one name", "mine==", "url_params=1&url_params[rpv]=2&seller_id=mine==&resource_name=x", 200, "irrelevant_type" },
	{ "an object and a text of one name", "mine==", "url_params[rpv]=2&url_params=1&seller_id=mine==&resource_name=x", 401, "wrong_account" },
};

START_TEST(gumroad)
{
	char *exact = mem_dup(sellers[_i].body, strlen(sellers[_i].body));
	struct provider_conf conf = { .visitor_key = SLICE("rpv"), .seller_id = slice_of(sellers[_i].seller) };
	struct request req = { .method = SLICE("POST"), .body = slice_make(exact, strlen(sellers[_i].body)), .received_ms = NOW * 1000 };
	struct delivery d;

	provider_find("gumroad")->read(&conf, &req, &d);
	assert_answer(sellers[_i].why, "gumroad", &d, sellers[_i].status, sellers[_i].reason);
	delivery_free(&d);
	free(exact);
}
END_TEST

START_TEST(bigcommerce)
{
	static const char body[] = "{\"scope\":\"store/order/refund/created\",\"data\":{\"id\":7}}";

	for (int ours = 0; ours < 2; ours++) {
		struct delivery d;
		struct post p;

		post_begin(&p, body);
		sign_literal(&p, (const char *[]){ "client secret", NULL }, NOW);
		deliver(&p, "bigcommerce", (const char *[]){ ours ? "client secret" : "another", NULL }, (struct provider_conf){ 0 }, &d);
		assert_answer("literal key", "bigcommerce", &d, ours ? 200 : 401, ours ? "needs_api" : "bad_signature");
		delivery_free(&d);
	}
}
END_TEST

/* ---- PayPal: keys of our own ---- */

#define LIVE_URL "https://api.paypal.com/v1/notifications/certs/CERT-1"
#define TEST_URL "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"
#define DAY 86400

static EVP_PKEY *paypal_key, *other_key, *short_key;

/* In PEM, self-signed, from 2020 until so many seconds from NOW on. */
static void
certificate_of(EVP_PKEY *key, int64_t until, char pem[4096])
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	must(ASN1_TIME_set(X509_getm_notBefore(x), 1577836800) != NULL && ASN1_TIME_set(X509_getm_notAfter(x), NOW + until) != NULL);
	must(X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0 && PEM_write_bio_X509(bio, x) == 1);
	len = BIO_read(bio, pem, 4095);
	must(len > 0);
	pem[len] = '\0';
	BIO_free(bio);
	X509_free(x);
}

static void
sign_paypal(char *value, EVP_PKEY *key, const char *text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[512];
	size_t len = sizeof(signature);

	must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	must(EVP_DigestSign(ctx, signature, &len, (const unsigned char *)text, strlen(text)) == 1);
	sodium_bin2base64(value, 1024, signature, len, sodium_base64_VARIANT_ORIGINAL);
	EVP_MD_CTX_free(ctx);
}

static const char capture[] = Y_EVENT("PAYMENT.CAPTURE.COMPLETED", "\"id\":\"CAP1\"," Y_MONEY);

enum paypal_key { OURS, ANOTHERS, TOO_SHORT };
static const struct {
	const char *why;
	enum paypal_key signs, known;
	const char *known_url;		/* where the certificate is from; "" pinned; NULL: there is none */
	const char *url, *webhook_id, *algorithm, *body;
	int64_t ago, expires;		/* signed so long ago; the certificate's end, from now */
	int status;
	const char *reason;
} paypals[] = {
	{ "genuine", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, 0, DAY, 200, NULL },
	{ "with a pinned certificate", OURS, OURS, "", LIVE_URL, "WH1", "SHA256withRSA", capture, 0, DAY, 200, NULL },
	{ "another body", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", Y_EVENT("X", ""), 0, DAY, 401, "bad_signature" },
	{ "another endpoint's", OURS, OURS, LIVE_URL, LIVE_URL, "WH2", "SHA256withRSA", capture, 0, DAY, 401, "bad_signature" },
	{ "another key", ANOTHERS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_signature" },
	{ "a key of 1024 bits", TOO_SHORT, TOO_SHORT, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_signature" },
	{ "an expired certificate", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, 0, -1, 401, "bad_signature" },
	{ "a certificate that is not here yet", OURS, OURS, LIVE_URL, LIVE_URL "2", "WH1", "SHA256withRSA", capture, 0, DAY, 503, "no_certificate" },
	{ "none at all", OURS, OURS, NULL, LIVE_URL, "WH1", "SHA256withRSA", capture, 0, DAY, 503, "no_certificate" },
	{ "another algorithm", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA1withRSA", capture, 0, DAY, 400, "malformed_signature" },
	{ "three days old", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, 3 * DAY, DAY, 200, NULL },
	{ "and a second", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, 3 * DAY + 1, DAY, 401, "timestamp_too_old" },
	{ "five minutes ahead", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, -300, DAY, 200, NULL },
	{ "and a second", OURS, OURS, LIVE_URL, LIVE_URL, "WH1", "SHA256withRSA", capture, -301, DAY, 401, "timestamp_too_new" },
	{ "the sandbox on a live site", OURS, OURS, TEST_URL, TEST_URL, "WH1", "SHA256withRSA", capture, 0, DAY, 200, "test_mode" },
	{ "http", OURS, OURS, "", "http://api.paypal.com/v1/CERT-1", "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_certificate_url" },
	{ "a host that begins so", OURS, OURS, "", "https://api.paypal.com.evil.example/CERT-1", "WH1", "SHA256withRSA", capture, 0, DAY, 401,
	    "bad_certificate_url" },
	{ "a user of that name", OURS, OURS, "", "https://api.paypal.com@evil.example/CERT-1", "WH1", "SHA256withRSA", capture, 0, DAY, 401,
	    "bad_certificate_url" },
	{ "a port", OURS, OURS, "", "https://api.paypal.com:444/CERT-1", "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_certificate_url" },
	{ "a query", OURS, OURS, "", "https://api.paypal.com/v1/CERT-1?x=/", "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_certificate_url" },
	{ "an escape", OURS, OURS, "", "https://api.paypal.com/v1/%2e%2e/x", "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_certificate_url" },
	{ "nothing behind the host", OURS, OURS, "", "https://api.paypal.com/", "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_certificate_url" },
	{ "another host of PayPal's", OURS, OURS, "", "https://www.paypal.com/CERT-1", "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_certificate_url" },
	{ "a file", OURS, OURS, "", "file:///etc/passwd", "WH1", "SHA256withRSA", capture, 0, DAY, 401, "bad_certificate_url" },
};

static void
rfc3339_of(int64_t seconds, char text[32])
{
	time_t t = (time_t)seconds;

	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
}

START_TEST(paypal)
{
	EVP_PKEY *const keys[] = { paypal_key, other_key, short_key };
	char pem[4096], text[8192];
	const char *known = paypals[_i].known_url;
	struct certificate certificate;
	struct certificate_list certificates = { &certificate, known != NULL };
	struct provider_conf conf = { .visitor_key = SLICE("rpv"), .tolerance_s = 300, .webhook_id = SLICE("WH1"),
	    .certificates = &certificates };
	struct request req = { .method = SLICE("POST"), .received_ms = NOW * 1000, .body = slice_of(paypals[_i].body) };
	struct delivery d;
	struct post p;

	certificate_of(keys[paypals[_i].known], paypals[_i].expires, pem);
	certificate = (struct certificate){ slice_of(known != NULL ? known : ""), slice_of(pem) };
	post_begin(&p, "");
	strcpy(add_header(&p, "Paypal-Transmission-Id"), "69cd13f0-d67a-11e5-baa3-778b53f4ae55");
	rfc3339_of(NOW - paypals[_i].ago, add_header(&p, "PAYPAL-TRANSMISSION-TIME"));
	strcpy(add_header(&p, "PAYPAL-CERT-URL"), paypals[_i].url);
	strcpy(add_header(&p, "PAYPAL-AUTH-ALGO"), paypals[_i].algorithm);
	snprintf(text, sizeof(text), "%s|%s|%s|%lu", p.values[0], p.values[1], paypals[_i].webhook_id,
	    crc32(0, (const unsigned char *)capture, (unsigned)strlen(capture)));
	sign_paypal(add_header(&p, "PAYPAL-TRANSMISSION-SIG"), keys[paypals[_i].signs], text);
	for (size_t i = 0; i < p.n_headers; i++)
		p.headers[i].value = slice_of(p.values[i]);
	req.headers = p.headers;
	req.n_headers = p.n_headers;
	provider_find("paypal")->read(&conf, &req, &d);
	assert_answer(paypals[_i].why, "paypal", &d, paypals[_i].status, paypals[_i].reason);
	ck_assert(slice_is(d.wants_certificate, paypals[_i].status == 503 ? paypals[_i].url : ""));
	ck_assert_int_eq(d.secret_index, -1);
	delivery_free(&d);
	for (req.n_headers = 0; req.n_headers < p.n_headers; req.n_headers++) {	/* one header after the other is not there */
		provider_find("paypal")->read(&conf, &req, &d);
		assert_answer("a header is missing", "paypal", &d, 401, "missing_signature");
		delivery_free(&d);
	}
}
END_TEST

START_TEST(certificates_in_pem)
{
	char pem[4096], public[64] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

	certificate_of(paypal_key, DAY, pem);
	ck_assert(certificate_is_usable(slice_of(pem)));
	for (size_t len = 0; len + 2 < strlen(pem); len += 7)
		ck_assert_msg(!certificate_is_usable(slice_make(pem, len)), "of %zu bytes", len);
	certificate_of(short_key, DAY, pem);
	ck_assert(!certificate_is_usable(slice_of(pem)));
	ck_assert(!certificate_is_usable(slice_of(public)));
}
END_TEST

START_TEST(woocommerce_ping)
{
	static const struct { const char *body; int status; const char *reason; } pings[] = {
		{ "webhook_id=7", 200, "ping" },
		{ "webhook_id=7&total=5", 401, "missing_signature" },
		{ "webhook_id=", 401, "missing_signature" },
		{ "", 401, "missing_signature" },
	};

	for (size_t i = 0; i < N_ELEM(pings); i++) {
		struct delivery d;
		struct post p;

		post_begin(&p, pings[i].body);
		deliver(&p, "woocommerce", (const char *[]){ "secret", NULL }, (struct provider_conf){ 0 }, &d);
		assert_answer(pings[i].body, "woocommerce", &d, pings[i].status, pings[i].reason);
		delivery_free(&d);
	}
}
END_TEST

START_TEST(shopify_without_x)
{
	const struct shop *shop = shop_of("shopify");
	struct delivery d;
	struct post p;

	post_begin(&p, shop->paid);
	shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
	p.headers[0].name = SLICE("shopify-hmac-sha256");
	deliver(&p, "shopify", (const char *[]){ shop->secret, NULL }, (struct provider_conf){ 0 }, &d);
	assert_answer("the newer spelling", "shopify", &d, 200, NULL);
	delivery_free(&d);
}
END_TEST

/* A snapshot of more refunds than a delivery has room for is kept for later, not cut short. */
START_TEST(more_refunds_than_fit)
{
	const struct shop *shop = shop_of("woocommerce");

	for (int n = DELIVERY_MESSAGES_MAX - 1; n <= DELIVERY_MESSAGES_MAX; n++) {
		struct buf body = { 0 };
		struct delivery d;
		struct post p;

		buf_puts(&body, "{\"id\":77,\"currency\":\"EUR\",\"total\":\"450.20\",\"date_paid_gmt\":\"2026-03-02T10:00:00\","
		    "\"date_modified_gmt\":\"2026-03-02T10:00:00\",\"refunds\":[");
		for (int i = 0; i < n; i++)
			buf_printf(&body, "%s{\"id\":%d,\"total\":\"-1\"}", i > 0 ? "," : "", i + 1);
		buf_puts(&body, "]}");
		buf_putc(&body, '\0');
		post_begin(&p, body.p);
		buf_free(&body);
		shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
		deliver(&p, shop->name, (const char *[]){ shop->secret, NULL }, (struct provider_conf){ 0 }, &d);
		if (n < DELIVERY_MESSAGES_MAX)
			assert_answer("just fits", shop->name, &d, 200, NULL);
		else
			assert_answer("one too many", shop->name, &d, 400, "bad_body");
		delivery_free(&d);
	}
}
END_TEST

/* ---- lines of order files, and bodies that are none ---- */

#define LINE(more) "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\",\"order\":{\"id\":\"1\",\"total\":\"1.00\"," \
    "\"currency\":\"EUR\"" more "}}"
#define LINE_TIME(time) "{\"id\":\"e1\",\"time\":\"" time "\",\"type\":\"order.paid\",\"order\":{\"id\":\"1\",\"total\":\"1.00\",\"currency\":\"EUR\"}}"
#define LINE_TOTAL(total) "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\",\"order\":{\"id\":\"1\",\"total\":" total \
    ",\"currency\":\"EUR\"}}"
#define DEEP16 "[[[[[[[[[[[[[[[["
#define FLAT16 "]]]]]]]]]]]]]]]]"

/* says NULL: fine; else what the sentence has to name. */
static const struct { const char *why, *line, *says; } lines[] = {
	{ "a plain line", LINE(""), NULL },
	{ "white space around", " \t" LINE("") "\r", NULL },
	{ "a provider of its own", "{\"id\":\"e1\",\"provider\":\"stripe\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.alias\","
	    "\"alias\":{\"order_id\":\"1\",\"alias\":\"2\"}}", NULL },
	{ "a provider that could be taken for another's order", "{\"id\":\"e1\",\"provider\":\"a:b\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.alias\","
	    "\"alias\":{\"order_id\":\"1\",\"alias\":\"2\"}}", "provider: has a colon" },
	{ "an unknown type", "{\"type\":\"visitor.seen\"}", NULL },
	{ "empty", "", "not JSON" },
	{ "two objects", LINE("") LINE(""), "not JSON" },
	{ "no id: in a file nothing stands in", "{\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.alias\",\"alias\":{\"order_id\":\"1\",\"alias\":\"2\"}}", "id: is missing" },
	{ "an empty id", "{\"id\":\"\",\"type\":\"order.paid\"}", "id: is empty" },
	{ "an id that is a list", "{\"id\":[1],\"type\":\"order.paid\"}", "id: is" },
	{ "no type", "{\"id\":\"e1\"}", "type: is missing" },
	{ "no order", "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\"}", "order: is missing" },
	{ "an order that is a list", "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\",\"order\":[]}", "order: is missing or no object" },
	{ "a list at the top", "[]", "not a JSON object" },
	{ "a word at the top", "\"order\"", "not" },
	{ "a number at the top", "12", "not" },
	{ "null", "null", "not" },
	{ "cut", "{\"id\":\"e1\",\"time\"", "not JSON" },
	{ "cut within an escape", "{\"id\":\"e1\\", "not JSON" },
	{ "a comma too many", LINE(",") , "not JSON" },
	{ "the total twice: two readers could see two amounts", LINE(",\"total\":\"9.00\""), "twice" },
	{ "the total twice, once in escapes", LINE(",\"tot\\u0061l\":\"9.00\""), "twice" },
	{ "a NUL in a string", LINE(",\"customer\":\"a\\u0000b\""), "NUL" },
	{ "a NUL in a key", LINE(",\"cust\\u0000omer\":\"a\""), "NUL" },
	{ "a byte that is no UTF-8", LINE(",\"customer\":\"\xff\""), "UTF-8" },
	{ "an overlong form of it", LINE(",\"customer\":\"\xc0\xaf\""), "UTF-8" },
	{ "half of a surrogate pair", LINE(",\"customer\":\"\\ud800\""), "not JSON" },
	{ "a control byte in a string", LINE(",\"customer\":\"a\nb\""), "not JSON" },
	{ "as deep as allowed", LINE(",\"x\":" DEEP16 DEEP16 DEEP16 "[[[[[[[[[[[[[[" "]]]]]]]]]]]]]]" FLAT16 FLAT16 FLAT16), NULL },
	{ "one deeper", LINE(",\"x\":" DEEP16 DEEP16 DEEP16 "[[[[[[[[[[[[[[[" "]]]]]]]]]]]]]]]" FLAT16 FLAT16 FLAT16), "deeper" },
	{ "a number as a key", "{1:2}", "not JSON" },
	{ "a number as a key, apart", "{-1.5 \n: 2}", "not JSON" },
	{ "a leading zero", LINE_TOTAL("01"), "not JSON" },
	{ "a minus alone", LINE_TOTAL("-"), "not JSON" },
	{ "a point alone", LINE_TOTAL("1."), "not JSON" },
	{ "an exponent alone", LINE_TOTAL("1e"), "not JSON" },
	{ "letters behind a number", LINE_TOTAL("1EUR"), "not JSON" },
	{ "two numbers", LINE_TOTAL("1 2"), "not JSON" },
	{ "what JSON does not have", LINE_TOTAL("NaN"), "not JSON" },
	{ "an exponent in text", LINE_TOTAL("\"1e3\""), "order.total: is no amount" },
	{ "an exponent in a number", LINE_TOTAL("1e3"), "order.total: is no amount" },
	{ "a negative one", LINE_TOTAL("\"-1.00\""), "order.total: is negative" },
	{ "a negative number", LINE_TOTAL("-1.00"), "order.total: is negative" },
	{ "a plus", LINE_TOTAL("\"+1.00\""), "order.total: is no amount" },
	{ "words", LINE_TOTAL("\"12 EUR\""), "order.total: is no amount" },
	{ "absurd", LINE_TOTAL("99999999999999999999999999999999"), "order.total: is no amount" },
	{ "a boolean", LINE_TOTAL("true"), "order.total: is" },
	{ "null", LINE_TOTAL("null"), "order.total: is missing" },
	{ "a negative tax", LINE(",\"tax\":\"-1\""), "order.tax: is negative" },
	{ "tax in words", LINE(",\"shipping\":\"free\""), "order.shipping: is no amount" },
	{ "recurring in words", LINE(",\"recurring\":\"yes\""), "order.recurring: is neither" },
	{ "tokens that are no list", LINE(",\"tokens\":\"t\""), "order.tokens: is no array" },
	{ "a token that is a list", LINE(",\"tokens\":[[\"t\"]]"), "order.tokens: has an entry" },
	{ "an empty alias", LINE(",\"aliases\":[\"\"]"), "order.aliases: has an entry" },
	{ "sixteen tokens", LINE(",\"tokens\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"), NULL },
	{ "seventeen", LINE(",\"token\":\"0\",\"tokens\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"), "order.tokens: has too many" },
	{ "a time without zone", LINE_TIME("2026-03-02T10:00:00"), "time: is no time" },
	{ "a day alone", LINE_TIME("2026-03-02"), "time: is no time" },
	{ "February 30", LINE_TIME("2026-02-30T10:00:00Z"), "time: is no time" },
	{ "February 29 of a leap year", LINE_TIME("2028-02-29T10:00:00Z"), NULL },
	{ "February 29 of another", LINE_TIME("2100-02-29T10:00:00Z"), "time: is no time" },
	{ "a leap second", LINE_TIME("2016-12-31T23:59:60Z"), NULL },
	{ "25 o'clock", LINE_TIME("2026-03-02T25:00:00Z"), "time: is no time" },
	{ "an offset without colon", LINE_TIME("2026-03-02T10:00:00+0100"), "time: is no time" },
	{ "an offset of a day", LINE_TIME("2026-03-02T10:00:00+24:00"), "time: is no time" },
	{ "a point without fraction", LINE_TIME("2026-03-02T10:00:00.Z"), "time: is no time" },
	{ "something behind", LINE_TIME("2026-03-02T10:00:00Z!"), "time: is no time" },
	{ "before 1970", LINE_TIME("1969-12-31T23:59:59Z"), "time: is no time" },
	{ "the last second there is", LINE_TIME("9999-12-31T23:59:59Z"), NULL },
	{ "a day beyond it", LINE_TIME("9999-12-31T23:59:59-23:00"), "time: is no time" },
};

START_TEST(order_lines)
{
	struct slice line = slice_of(lines[_i].line);
	char *exact = mem_dup(line.p, line.len);	/* so that a sanitizer sees one byte too many */
	struct err err = { "" };
	struct delivery d;
	int rc = order_line_read(slice_make(exact, line.len), &d, &err);

	ck_assert_msg(rc == (lines[_i].says == NULL ? 0 : -1), "%s: %d %s", lines[_i].why, rc, err.msg);
	if (rc == 0)
		ck_assert_msg(d.n_messages == 1 || d.reason != NULL, "%s", lines[_i].why);
	else
		ck_assert_msg(strstr(err.msg, lines[_i].says) != NULL, "%s: %s", lines[_i].why, err.msg);
	delivery_free(&d);
	free(exact);
}
END_TEST

START_TEST(provider_of_a_line)
{
	struct delivery d;

	ck_assert_int_eq(order_line_read(slice_of(lines[0].line), &d, NULL), 0);
	ck_assert(slice_is(d.messages[0].provider, "generic"));
	delivery_free(&d);
	delivery_free(&d);			/* a second time does nothing */
	ck_assert_int_eq(order_line_read(slice_of(lines[2].line), &d, NULL), 0);
	ck_assert(slice_is(d.messages[0].provider, "stripe"));
	delivery_free(&d);
}
END_TEST

/* Cut at every byte: never an event, never a crash. */
START_TEST(line_cut_anywhere)
{
	struct slice line = SLICE(LINE(",\"tax\":1.5e0,\"tokens\":[1,\"\\u00e4\"],\"recurring\":false"));

	for (size_t len = 0; len < line.len; len++) {
		char *exact = mem_dup(line.p, len);
		struct delivery d;

		ck_assert_int_eq(order_line_read(slice_make(exact, len), &d, NULL), -1);
		delivery_free(&d);
		free(exact);
	}
}
END_TEST

/* Ids are bounded, wherever they come from. */
START_TEST(long_ids)
{
	static const char *const templates[] = {
		"{\"id\":\"%s\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.alias\",\"alias\":{\"order_id\":\"1\",\"alias\":\"2\"}}",
		"{\"id\":\"e\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.alias\",\"alias\":{\"order_id\":\"%s\",\"alias\":\"2\"}}",
		"{\"id\":\"e\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.alias\",\"alias\":{\"order_id\":\"1\",\"alias\":\"%s\"}}",
		"{\"id\":\"e\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.alias\",\"provider\":\"%s\",\"alias\":{\"order_id\":\"1\",\"alias\":\"2\"}}",
		"{\"id\":\"e\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\",\"order\":{\"id\":\"1\",\"total\":\"1\",\"currency\":\"EUR\",\"aliases\":[\"%s\"]}}",
		"{\"id\":\"e\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.refunded\",\"refund\":{\"id\":\"%s\",\"order_id\":\"1\",\"amount\":\"1\",\"currency\":\"EUR\"}}",
	};

	for (int len = ORDER_ID_MAX; len <= ORDER_ID_MAX + 1; len++) {
		char id[ORDER_ID_MAX + 2], line[1024];
		struct delivery d;

		memset(id, 'a', sizeof(id));
		id[len] = '\0';
		snprintf(line, sizeof(line), templates[_i], id);
		ck_assert_int_eq(order_line_read(slice_of(line), &d, NULL), len == ORDER_ID_MAX ? 0 : -1);
		delivery_free(&d);
	}
}
END_TEST

START_TEST(table_of_providers)
{
	size_t n = 0;

	for (; providers()[n] != NULL; n++) {
		const char *const *params = providers()[n]->token_params;

		ck_assert_ptr_eq(provider_find(providers()[n]->name), providers()[n]);
		while (*params != NULL) {
			ck_assert_msg(params[1] != NULL, "%s: a glob without its parameter", providers()[n]->name);
			params += 2;
		}
	}
	ck_assert_uint_eq(n, 16);
	ck_assert_ptr_null(provider_find("gener"));
	ck_assert_ptr_null(provider_find(""));
	ck_assert_str_eq(provider_find("woocommerce")->token_params[1], "key");
	ck_assert_str_eq(provider_find("stripe")->token_params[1], "session_id");
}
END_TEST

/* ---- the shared cases ---- */

static void
set_text(json_t *o, const char *name, struct slice s)
{
	if (s.len > 0)
		json_object_set_new(o, name, json_stringn(s.p, s.len));
}

static void
set_amount(json_t *o, const char *name, int64_t minor, struct currency c)
{
	char text[32];

	money_format(minor, c, text);
	json_object_set_new(o, name, json_string(text));
}

static void
set_list(json_t *o, const char *name, const struct slice *list, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_stringn(list[i].p, list[i].len));
	if (n > 0)
		json_object_set_new(o, name, array);
	else
		json_decref(array);
}

static json_t *
order_json(const struct order_message *m)
{
	json_t *o = json_object();

	set_text(o, "id", m->order_id);
	set_amount(o, "total", m->amount, m->currency);
	set_text(o, "currency", slice_of(m->currency.code));
	if (m->tax != 0)
		set_amount(o, "tax", m->tax, m->currency);
	if (m->shipping != 0)
		set_amount(o, "shipping", m->shipping, m->currency);
	set_text(o, "customer", m->customer);
	set_text(o, "visitor", m->visitor);
	set_text(o, "ip", m->ip);
	set_text(o, "user_agent", m->user_agent);
	set_list(o, "tokens", m->tokens, m->n_tokens);
	set_list(o, "aliases", m->aliases, m->n_aliases);
	if (m->recurring)
		json_object_set_new(o, "recurring", json_true());
	return (o);
}

static json_t *
part_json(const struct order_message *m)
{
	json_t *o = json_object();

	set_text(o, "id", m->part_id);
	set_text(o, "order_id", m->order_id);
	set_amount(o, "amount", m->amount, m->currency);
	set_text(o, "currency", slice_of(m->currency.code));
	if (m->cumulative)
		json_object_set_new(o, "cumulative", json_true());
	return (o);
}

static json_t *
alias_json(const struct order_message *m)
{
	json_t *o = json_object();

	set_text(o, "order_id", m->order_id);
	set_text(o, "alias", m->aliases[0]);
	return (o);
}

/* The message in the form of the case files. */
static json_t *
message_json(const struct order_message *m)
{
	json_t *e = json_object();
	time_t seconds = (time_t)(m->time_ms / 1000);
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
	set_text(e, "id", m->event_id);
	set_text(e, "time", slice_of(text));
	set_text(e, "type", slice_of(order_kind_name(m->kind)));
	set_text(e, "provider", m->provider);
	if (m->kind == ORDER_PAID)
		json_object_set_new(e, "order", order_json(m));
	else if (m->kind == ORDER_ALIAS)
		json_object_set_new(e, "alias", alias_json(m));
	else
		json_object_set_new(e, m->kind == ORDER_REFUNDED ? "refund" : "dispute", part_json(m));
	return (e);
}

/* Same money told twice is, of a type that does not matter: a matter of taste. */
static const char *
reason_class(const char *reason)
{
	return (reason == NULL ? "" : strcmp(reason, "same_money") == 0 ? "irrelevant_type" : reason);
}

static void
assert_as_expected(const char *name, size_t i, const struct delivery *d, const json_t *expect)
{
	const char *verdict = d->verdict == VERDICT_ACCEPT ? "accept" : "reject";
	const char *reason = json_string_value(json_object_get(expect, d->verdict == VERDICT_ACCEPT ? "ignored" : "reason"));
	json_t *got = json_array();
	char *text;

	for (size_t m = 0; m < d->n_messages; m++)
		json_array_append_new(got, message_json(&d->messages[m]));
	text = json_dumps(got, 0);
	ck_assert_msg(strcmp(verdict, json_string_value(json_object_get(expect, "verdict"))) == 0 &&
	    d->status == json_integer_value(json_object_get(expect, "status")), "%s[%zu]: %d %s (%s)", name, i, d->status,
	    reason_class(d->reason), d->detail);
	ck_assert_msg(strcmp(reason_class(d->reason), reason_class(reason)) == 0, "%s[%zu]: %s, expected %s", name, i,
	    reason_class(d->reason), reason_class(reason));
	ck_assert_msg(json_equal(got, json_object_get(expect, "events")), "%s[%zu]: %s", name, i, text);
	free(text);
	json_decref(got);
}

static struct slice
option_of(const json_t *config, const char *name)
{
	const char *value = json_string_value(json_object_get(config, name));

	return (slice_of(value != NULL ? value : ""));
}

static void
run_request(const char *name, size_t n, json_t *config, json_t *request)
{
	struct slice secrets[8];
	struct header headers[32];
	struct certificate pinned[4];
	struct certificate_list certificates = { pinned, 0 };
	struct provider_conf conf = { .secrets = secrets, .tolerance_s = 300, .certificates = &certificates,
	    .notification_url = option_of(config, "notification_url"), .seller_id = option_of(config, "seller_id"),
	    .webhook_id = option_of(config, "webhook_id") };
	struct request req = { .headers = headers };
	const char *encoded = json_string_value(json_object_get(request, "body"));
	unsigned char *body = mem_alloc(strlen(encoded) + 1);
	struct delivery d;
	json_t *pair, *pem;
	const char *url;
	size_t i;

	json_object_foreach(json_object_get(config, "certificates"), url, pem)
		pinned[certificates.n++] = (struct certificate){ slice_of(url), slice_of(json_string_value(pem)) };
	conf.visitor_key = slice_of(json_string_value(json_object_get(config, "visitor_key")));
	conf.n_secrets = json_array_size(json_object_get(config, "secrets"));
	for (i = 0; i < conf.n_secrets; i++)
		secrets[i] = slice_of(json_string_value(json_array_get(json_object_get(config, "secrets"), i)));
	json_array_foreach(json_object_get(request, "headers"), req.n_headers, pair)
		headers[req.n_headers] = (struct header){ slice_of(json_string_value(json_array_get(pair, 0))),
		    slice_of(json_string_value(json_array_get(pair, 1))) };
	req.method = slice_of(json_string_value(json_object_get(request, "method")));
	req.received_ms = json_integer_value(json_object_get(request, "received")) * 1000;
	ck_assert_int_eq(sodium_base642bin(body, strlen(encoded) + 1, encoded, strlen(encoded), NULL, &req.body.len, NULL,
	    sodium_base64_VARIANT_ORIGINAL), 0);
	req.body.p = mem_dup(body, req.body.len);
	free(body);
	provider_find(json_string_value(json_object_get(config, "provider")))->read(&conf, &req, &d);
	assert_as_expected(name, n, &d, json_object_get(request, "expect"));
	delivery_free(&d);
	free((void *)(uintptr_t)req.body.p);
}

#define PROVIDERS_MAX 32

static void
run_case(const char *path, const char *name, size_t counts[PROVIDERS_MAX])
{
	json_t *c = json_load_file(path, 0, NULL), *config, *request;
	const char *provider;
	size_t i, p = 0;

	ck_assert_msg(c != NULL, "%s", path);
	provider = json_string_value(json_object_get(c, "provider"));
	while (providers()[p] != NULL && strcmp(providers()[p]->name, provider) != 0)
		p++;
	ck_assert_msg(providers()[p] != NULL, "%s: there is no provider %s", name, provider);
	config = json_object_get(c, "config");
	json_object_set(config, "provider", json_object_get(c, "provider"));
	json_array_foreach(json_object_get(c, "requests"), i, request)
		run_request(name, i, config, request);
	counts[p]++;
	json_decref(c);
}

static char cases_dir[4096];		/* "" where there are none */

START_TEST(shared_cases)
{
	DIR *dir = opendir(cases_dir);
	size_t counts[PROVIDERS_MAX] = { 0 };
	struct dirent *entry;

	ck_assert_msg(dir != NULL, "%s: cannot be read", cases_dir);
	while ((entry = readdir(dir)) != NULL) {
		char path[sizeof(cases_dir) + 260];

		if (strlen(entry->d_name) < 5 || strcmp(entry->d_name + strlen(entry->d_name) - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", cases_dir, entry->d_name);
		run_case(path, entry->d_name, counts);
	}
	closedir(dir);
	for (size_t i = 0; providers()[i] != NULL; i++) {
		printf("%s: %zu cases\n", providers()[i]->name, counts[i]);
		ck_assert_msg(counts[i] > 0, "no case of %s in %s", providers()[i]->name, cases_dir);
	}
	fflush(stdout);
}
END_TEST

static void
find_cases(void)
{
	const char *cases = getenv("RPVD_WEBHOOK_CASES"), *shared = getenv("RPVD_SHARED");

	if (cases != NULL)
		snprintf(cases_dir, sizeof(cases_dir), "%s", cases);
	else if (shared != NULL)
		snprintf(cases_dir, sizeof(cases_dir), "%s/webhooks/cases", shared);
	else
		printf("neither RPVD_WEBHOOK_CASES nor RPVD_SHARED is set: the shared cases are left out\n");
}

int
main(void)
{
	Suite *suite = suite_create("provider");
	TCase *tc = tcase_create("provider"), *shared;
	SRunner *runner = srunner_create(suite);
	int failed;

	must(sodium_init() >= 0);
	paypal_key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	short_key = EVP_RSA_gen(1024);
	must(paypal_key != NULL && other_key != NULL && short_key != NULL);
	find_cases();
	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, signatures, 0, N_ELEM(signings));
	tcase_add_loop_test(tc, malformed_signatures, 0, N_ELEM(shops));
	tcase_add_loop_test(tc, each_bit_of_a_signature, 0, N_ELEM(shops));
	tcase_add_loop_test(tc, empty_secrets_never_accept, 0, N_ELEM(empty_secrets));
	tcase_add_loop_test(tc, hints, 0, N_ELEM(changes));
	tcase_add_loop_test(tc, hints_about_an_address, 0, N_ELEM(mistyped));
	tcase_add_test(tc, hints_are_cheap);
	tcase_add_test(tc, hints_about_the_secret_file);
	tcase_add_test(tc, checked_before);
	tcase_add_loop_test(tc, types, 0, N_ELEM(type_names));
	tcase_add_test(tc, clock_is_behind);
	tcase_add_test(tc, clock_is_in_doubt);
	tcase_add_test(tc, signed_time_is_told);
	tcase_add_loop_test(tc, standard_webhooks, 0, N_ELEM(standards));
	tcase_add_test(tc, ed25519);
	tcase_add_test(tc, very_long_list);
	tcase_add_loop_test(tc, meaning, 0, N_ELEM(meanings));
	tcase_add_test(tc, woocommerce_ping);
	tcase_add_loop_test(tc, square, 0, N_ELEM(squares));
	tcase_add_loop_test(tc, adyen, 0, N_ELEM(adyens));
	tcase_add_loop_test(tc, adyen_unsigned, 0, N_ELEM(unsigned_items));
	tcase_add_loop_test(tc, gumroad, 0, N_ELEM(sellers));
	tcase_add_test(tc, bigcommerce);
	tcase_add_loop_test(tc, paypal, 0, N_ELEM(paypals));
	tcase_add_test(tc, certificates_in_pem);
	tcase_add_test(tc, shopify_without_x);
	tcase_add_test(tc, more_refunds_than_fit);
	tcase_add_loop_test(tc, order_lines, 0, N_ELEM(lines));
	tcase_add_test(tc, provider_of_a_line);
	tcase_add_test(tc, line_cut_anywhere);
	tcase_add_loop_test(tc, long_ids, 0, 6);
	tcase_add_test(tc, table_of_providers);
	if (cases_dir[0] != '\0') {
		shared = tcase_create("shared cases");
		suite_add_tcase(suite, shared);
		tcase_set_timeout(shared, 60);
		tcase_add_test(shared, shared_cases);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	EVP_PKEY_free(paypal_key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(short_key);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
