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
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

static void
hmac(struct slice key, struct slice text, unsigned char mac[32])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.p, text.len);
	crypto_auth_hmacsha256_final(&state, mac);
}

/* Appends the entry of one secret to a header's value. */
static void
append_mac(char *value, const char *prefix, struct slice key, struct slice text, bool hex)
{
	unsigned char mac[32];
	char written[80];

	hmac(key, text, mac);
	if (hex)
		sodium_bin2hex(written, sizeof(written), mac, sizeof(mac));
	else
		sodium_bin2base64(written, sizeof(written), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
	strcat(strcat(value, prefix), written);
}

static void
sign_generic(struct post *p, const char *const *secrets, int64_t at)
{
	struct buf text = { 0 };
	char *value;

	strcpy(add_header(p, "webhook-id"), "msg_1");
	sprintf(add_header(p, "webhook-timestamp"), "%jd", (intmax_t)at);
	buf_printf(&text, "msg_1.%jd.", (intmax_t)at);
	buf_put(&text, p->body.p, p->body.len);
	value = add_header(p, "webhook-signature");
	for (size_t i = 0; secrets[i] != NULL; i++) {
		unsigned char key[64];
		size_t len;

		ck_assert_int_eq(sodium_base642bin(key, sizeof(key), secrets[i] + strlen("whsec_"),
		    strlen(secrets[i]) - strlen("whsec_"), NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL), 0);
		append_mac(value, i > 0 ? " v1," : "v1,", slice_make((char *)key, len), buf_view(&text), false);
	}
	buf_free(&text);
}

static void
sign_stripe(struct post *p, const char *const *secrets, int64_t at)
{
	struct buf text = { 0 };
	char *value = add_header(p, "Stripe-Signature");

	buf_printf(&text, "%jd.", (intmax_t)at);
	buf_put(&text, p->body.p, p->body.len);
	sprintf(value, "t=%jd", (intmax_t)at);
	for (size_t i = 0; secrets[i] != NULL; i++)
		append_mac(value, ",v1=", slice_of(secrets[i]), buf_view(&text), true);
	buf_free(&text);
}

static void
sign_shopify(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "X-Shopify-Hmac-Sha256"), "", slice_of(secrets[0]), buf_view(&p->body), false);
}

static void
sign_woocommerce(struct post *p, const char *const *secrets, int64_t at)
{
	(void)at;
	append_mac(add_header(p, "X-WC-Webhook-Signature"), "", slice_of(secrets[0]), buf_view(&p->body), false);
}

/* What each of the four needs for the common cases. */
static const struct shop {
	const char *name, *header;
	void (*sign)(struct post *, const char *const *secrets, int64_t at);
	bool is_timed;
	const char *secret, *old_secret;
	const char *paid;		/* a genuine purchase */
	const char *malformed[8];	/* signature headers that are none */
} shops[] = {
	{ "generic", "webhook-signature", sign_generic, true,
	    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=",
	    "{\"id\":\"e1\",\"time\":\"2026-03-02T10:00:00Z\",\"type\":\"order.paid\","
	    "\"order\":{\"id\":\"1\",\"total\":\"45.20\",\"currency\":\"EUR\"}}",
	    { "", "v1", "v1,", "v1,%%%", "v2,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "v1,AAAA", NULL } },
	{ "stripe", "Stripe-Signature", sign_stripe, true, "whsec_new", "whsec_old",
	    "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"checkout.session.completed\",\"created\":1772445600,"
	    "\"livemode\":true,\"data\":{\"object\":{\"id\":\"cs_1\",\"payment_status\":\"paid\",\"currency\":\"eur\","
	    "\"amount_total\":4520,\"payment_intent\":\"pi_1\"}}}",
	    { "", "t=1772445600", "v1=00", "t=1772445600,v0=0000000000000000000000000000000000000000000000000000000000000000",
	      "t=,v1=0000000000000000000000000000000000000000000000000000000000000000",
	      "t=1e9,v1=0000000000000000000000000000000000000000000000000000000000000000", "t=1772445600,v1=xyz", NULL } },
	{ "shopify", "X-Shopify-Hmac-Sha256", sign_shopify, false, "shpss_new", "shpss_old",
	    "{\"id\":5401,\"financial_status\":\"paid\",\"total_price\":\"45.20\",\"currency\":\"EUR\","
	    "\"processed_at\":\"2026-03-02T05:00:00-05:00\",\"test\":false}",
	    { "", "invalid", "%%%%", "AAAA", NULL } },
	{ "woocommerce", "X-WC-Webhook-Signature", sign_woocommerce, false, "a&b<c>\"d'", "old secret",
	    "{\"id\":77,\"currency\":\"EUR\",\"total\":\"45.20\",\"date_paid_gmt\":\"2026-03-02T10:00:00\"}",
	    { "", "invalid", "%%%%", "AAAA", NULL } },
};

static const struct shop *
shop_of(const char *name)
{
	for (size_t i = 0; i < N_ELEM(shops); i++)
		if (strcmp(shops[i].name, name) == 0)
			return (&shops[i]);
	ck_abort_msg("%s", name);
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
flip_bit(char *text, bool hex, unsigned bit)
{
	unsigned char mac[32];
	size_t len;

	if (hex)
		ck_assert_int_eq(sodium_hex2bin(mac, sizeof(mac), text, 64, NULL, &len, NULL), 0);
	else
		ck_assert_int_eq(sodium_base642bin(mac, sizeof(mac), text, 44, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL), 0);
	ck_assert_uint_eq(len, sizeof(mac));
	mac[bit / 8] ^= (unsigned char)(1 << bit % 8);
	if (hex)
		sodium_bin2hex(text, 65, mac, sizeof(mac));
	else
		sodium_bin2base64(text, 45, mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
}

START_TEST(each_bit_of_a_signature)
{
	const struct shop *shop = &shops[_i];
	bool hex = strcmp(shop->name, "stripe") == 0;

	for (unsigned bit = 0; bit < 256; bit++) {
		struct delivery d;
		struct post p;
		char *value;

		post_begin(&p, shop->paid);
		shop->sign(&p, (const char *[]){ shop->secret, NULL }, NOW);
		value = p.values[p.n_headers - 1];
		flip_bit(value + strlen(value) - (hex ? 64 : 44), hex, bit);
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
	struct provider_conf conf = { .secrets = &secret, .n_secrets = 1, .visitor_key = SLICE("rpv"), .tolerance_s = 300 };
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

enum { TEST_SITE = 1, COUNT_INTENTS = 2 };

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
};

START_TEST(meaning)
{
	const struct shop *shop = shop_of(meanings[_i].provider);
	const char *secrets[] = { shop->secret, NULL };
	struct provider_conf conf = { .test = meanings[_i].conf & TEST_SITE,
	    .count_payment_intents = meanings[_i].conf & COUNT_INTENTS };
	struct buf says = { 0 };
	struct delivery d;
	struct post p;

	post_begin(&p, meanings[_i].body);
	shop->sign(&p, secrets, NOW);
	deliver(&p, shop->name, secrets, conf, &d);
	if (d.status == 400)
		ck_assert_str_eq(d.reason, "bad_body");
	if (d.status == 400)		/* the complaint names the field */
		buf_put(&says, d.detail, strcspn(d.detail, ":"));
	else if (d.n_messages == 0)
		buf_puts(&says, d.reason);
	for (size_t i = 0; i < d.n_messages; i++) {
		ck_assert(slice_is(d.messages[i].provider, shop->name));
		buf_puts(&says, i > 0 ? "\n" : "");
		describe(&says, &d.messages[i]);
	}
	buf_putc(&says, '\0');
	ck_assert_msg(d.status == meanings[_i].status && strcmp(says.p, meanings[_i].says) == 0,
	    "%s: %s:\n%d %s (%s), expected\n%d %s", shop->name, meanings[_i].why, d.status, says.p, d.detail,
	    meanings[_i].status, meanings[_i].says);
	buf_free(&says);
	delivery_free(&d);
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
	ck_assert_uint_ge(n, N_ELEM(shops));
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
	struct provider_conf conf = { .secrets = secrets, .tolerance_s = 300, .certificates = pinned,
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
		pinned[conf.n_certificates++] = (struct certificate){ slice_of(url), slice_of(json_string_value(pem)) };
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
	find_cases();
	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, signatures, 0, N_ELEM(signings));
	tcase_add_loop_test(tc, malformed_signatures, 0, N_ELEM(shops));
	tcase_add_loop_test(tc, each_bit_of_a_signature, 0, N_ELEM(shops));
	tcase_add_loop_test(tc, empty_secrets_never_accept, 0, N_ELEM(empty_secrets));
	tcase_add_loop_test(tc, hints, 0, N_ELEM(changes));
	tcase_add_test(tc, hints_are_cheap);
	tcase_add_test(tc, hints_about_the_secret_file);
	tcase_add_test(tc, checked_before);
	tcase_add_loop_test(tc, types, 0, N_ELEM(type_names));
	tcase_add_test(tc, clock_is_behind);
	tcase_add_test(tc, signed_time_is_told);
	tcase_add_loop_test(tc, standard_webhooks, 0, N_ELEM(standards));
	tcase_add_test(tc, ed25519);
	tcase_add_test(tc, very_long_list);
	tcase_add_loop_test(tc, meaning, 0, N_ELEM(meanings));
	tcase_add_test(tc, woocommerce_ping);
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
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
