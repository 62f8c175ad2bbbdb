/*
 * signature: see signature.h.
 */
#include "provider/signature.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "provider/body.h"

#define HMAC256_LEN crypto_auth_hmacsha256_BYTES
#define HMAC512_LEN crypto_auth_hmacsha512_BYTES
#define ED25519_LEN crypto_sign_BYTES

bool
request_header(const struct request *req, const char *name, struct slice *value)
{
	for (size_t i = 0; i < req->n_headers; i++)
		if (slice_equal_nocase(req->headers[i].name, slice_of(name))) {
			*value = req->headers[i].value;
			return (true);
		}
	return (false);
}

bool
request_is_post(const struct request *req, struct delivery *out)
{
	return (slice_is(req->method, "POST") || delivery_reject(out, 405, "method"));
}

/* ---- lists ---- */

/* With its padding or without; false where it is no base64 or has no room. */
static bool
base64_decode(struct slice text, unsigned char *out, size_t room, size_t *len)
{
	for (int i = 0; i < 2 && text.len > 0 && text.p[text.len - 1] == '='; i++)
		text.len--;
	*len = 0;
	return (sodium_base642bin(out, room, text.p, text.len, NULL, len, NULL,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0);
}

bool
signature_base64(struct slice text, unsigned char *out, size_t room, size_t *len)
{
	return (base64_decode(text, out, room, len) && *len > 0);
}

void
signatures_add_hex(struct signatures *s, struct slice text)
{
	size_t len = 0;

	if (s->n == SIGNATURES_MAX || text.len != 2 * s->len)
		return;
	if (sodium_hex2bin(s->bytes[s->n], s->len, text.p, text.len, NULL, &len, NULL) == 0 && len == s->len)
		s->n++;
}

void
signatures_add_base64(struct signatures *s, struct slice text)
{
	size_t len;

	if (s->n < SIGNATURES_MAX && base64_decode(text, s->bytes[s->n], s->len, &len) && len == s->len)
		s->n++;
}

/* ---- secrets against signatures ---- */

static bool
mac_fits(const struct signatures *s, const unsigned char *mac)
{
	bool fits = false;

	for (size_t i = 0; i < s->n; i++)
		fits |= sodium_memcmp(mac, s->bytes[i], s->len) == 0;
	return (fits);
}

static bool
hmac256_fits(const struct signatures *s, struct slice key, const struct slice *parts, size_t n_parts)
{
	unsigned char mac[HMAC256_LEN];
	crypto_auth_hmacsha256_state state;
	bool fits;

	must(s->len == HMAC256_LEN);
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.len);
	for (size_t i = 0; i < n_parts; i++)
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)parts[i].p, parts[i].len);
	crypto_auth_hmacsha256_final(&state, mac);
	fits = mac_fits(s, mac);
	sodium_memzero(mac, sizeof(mac));
	sodium_memzero(&state, sizeof(state));
	return (fits && key.len > 0);
}

static bool
hmac512_fits(const struct signatures *s, struct slice key, const struct slice *parts, size_t n_parts)
{
	unsigned char mac[HMAC512_LEN];
	crypto_auth_hmacsha512_state state;
	bool fits;

	must(s->len == HMAC512_LEN);
	crypto_auth_hmacsha512_init(&state, (const unsigned char *)key.p, key.len);
	for (size_t i = 0; i < n_parts; i++)
		crypto_auth_hmacsha512_update(&state, (const unsigned char *)parts[i].p, parts[i].len);
	crypto_auth_hmacsha512_final(&state, mac);
	fits = mac_fits(s, mac);
	sodium_memzero(mac, sizeof(mac));
	sodium_memzero(&state, sizeof(state));
	return (fits && key.len > 0);
}

/* Notes the first secret that fitted; the loops around go on to their end. */
static void
note_secret(struct delivery *out, size_t i, bool fits)
{
	if (fits && out->secret_index < 0)
		out->secret_index = (int)i;
}

static bool
some_secret_fitted(struct delivery *out)
{
	return (out->secret_index >= 0 || delivery_reject(out, 401, "bad_signature"));
}

typedef bool fits_fn(const struct signatures *, struct slice key, const struct slice *parts, size_t n_parts);

/* Every secret against every signature. */
static bool
signed_by(fits_fn *fits, const struct provider_conf *conf, const struct signatures *s, const struct slice *parts, size_t n_parts,
    struct delivery *out)
{
	if (s->n == 0)
		return (delivery_reject(out, 400, "malformed_signature"));
	for (size_t i = 0; i < conf->n_secrets; i++)
		note_secret(out, i, fits(s, conf->secrets[i], parts, n_parts));
	return (some_secret_fitted(out));
}

bool
signed_hmac256(const struct provider_conf *conf, const struct signatures *s, const struct slice *parts,
    size_t n_parts, struct delivery *out)
{
	return (signed_by(hmac256_fits, conf, s, parts, n_parts, out));
}

static bool
hex_key_fits(const struct signatures *s, struct slice secret, const struct slice *parts, size_t n_parts)
{
	unsigned char *key = mem_alloc(secret.len + 1);
	bool fits = false;
	size_t len = 0;

	if (sodium_hex2bin(key, secret.len, secret.p, secret.len, NULL, &len, NULL) == 0 && 2 * len == secret.len)
		fits = hmac256_fits(s, slice_make((const char *)key, len), parts, n_parts);
	sodium_memzero(key, secret.len);
	free(key);
	return (fits);
}

bool
signed_hmac256_hex_keys(const struct provider_conf *conf, const struct signatures *s, struct slice text, struct delivery *out)
{
	return (signed_by(hex_key_fits, conf, s, &text, 1, out));
}

bool
signed_header(const struct provider_conf *conf, const struct request *req, const struct mac_header *h, struct slice before,
    struct delivery *out)
{
	struct signatures s = { .len = h->is_sha512 ? HMAC512_LEN : HMAC256_LEN };
	struct slice value;

	if (req->was_checked)
		return (true);
	if (!request_header(req, h->name, &value) && (h->other_name == NULL || !request_header(req, h->other_name, &value)))
		return (delivery_reject(out, 401, "missing_signature"));
	if (h->is_hex)
		signatures_add_hex(&s, value);
	else
		signatures_add_base64(&s, value);
	return (signed_by(h->is_sha512 ? hmac512_fits : hmac256_fits, conf, &s, (struct slice[]){ before, req->body }, 2, out));
}

bool
signed_timed_header(const struct provider_conf *conf, const struct request *req, const struct timed_header *h,
    struct delivery *out)
{
	struct signatures s = { .len = HMAC256_LEN };
	struct slice list, time = SLICE("");
	int64_t seconds;

	if (req->was_checked)
		return (true);
	if (!request_header(req, h->name, &list))
		return (delivery_reject(out, 401, "missing_signature"));
	while (list.len > 0) {
		struct slice value = slice_cut(&list, h->separator), scheme = slice_cut(&value, '=');

		if (slice_is(scheme, h->time))
			time = value;
		else if (slice_is(scheme, h->mac))
			signatures_add_hex(&s, value);
	}
	if (!unix_seconds(time, &seconds))
		return (delivery_reject(out, 400, "malformed_signature"));
	return (signed_hmac256(conf, &s, (struct slice[]){ time, h->joint, req->body }, 3, out) &&
	    signed_in_time(conf, req, seconds, out));
}

bool
signed_past(const struct provider_conf *conf, const struct request *req, int64_t seconds, int64_t past_s, struct delivery *out)
{
	int64_t now = req->received_ms / 1000, other = now + conf->doubt_s;

	out->signed_s = seconds;
	if (seconds - other <= conf->tolerance_s && other - seconds <= past_s)
		return (true);
	if (now - seconds > past_s)
		return (delivery_reject(out, 401, "timestamp_too_old"));
	if (seconds - now > conf->tolerance_s && !conf->is_behind)
		return (delivery_reject(out, 401, "timestamp_too_new"));
	return (true);
}

bool
signed_in_time(const struct provider_conf *conf, const struct request *req, int64_t seconds, struct delivery *out)
{
	return (signed_past(conf, req, seconds, conf->tolerance_s, out));
}

/* ---- Standard Webhooks ---- */

struct standard {
	struct signatures v1, v1a;	/* HMAC-SHA256, Ed25519 */
	struct slice parts[5];		/* id . timestamp . body */
};

/* "v1,BASE64 v1a,BASE64 v9,..." */
static void
standard_entries(struct slice list, struct standard *st)
{
	st->v1.len = HMAC256_LEN;
	st->v1a.len = ED25519_LEN;
	while (list.len > 0) {
		struct slice value = slice_cut(&list, ' '), version = slice_cut(&value, ',');

		if (slice_is(version, "v1"))
			signatures_add_base64(&st->v1, value);
		else if (slice_is(version, "v1a"))
			signatures_add_base64(&st->v1a, value);
	}
}

/* key: base64 of 32 bytes, behind whpk_. */
static bool
ed25519_fits(const struct standard *st, struct slice key)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	struct buf message = { 0 };
	bool fits = false;
	size_t len;

	if (!base64_decode(key, public, sizeof(public), &len) || len != sizeof(public))
		return (false);
	for (size_t i = 0; i < N_ELEM(st->parts); i++)
		buf_put(&message, st->parts[i].p, st->parts[i].len);
	for (size_t i = 0; i < st->v1a.n; i++)
		fits |= crypto_sign_verify_detached(st->v1a.bytes[i], (const unsigned char *)message.p,
		    message.len, public) == 0;
	buf_free(&message);
	return (fits);
}

/* secret: base64, with whsec_ before it or without. */
static bool
base64_key_fits(const struct standard *st, struct slice secret)
{
	unsigned char *key = mem_alloc(secret.len + 1);
	struct slice text = secret;
	bool fits = false;
	size_t len;

	if (slice_starts(text, SLICE("whsec_")))
		text = slice_skip(text, 6);
	if (base64_decode(text, key, secret.len, &len))
		fits = hmac256_fits(&st->v1, slice_make((const char *)key, len), st->parts, N_ELEM(st->parts));
	sodium_memzero(key, secret.len);
	free(key);
	return (fits);
}

static bool
standard_secret_fits(const struct standard *st, struct slice secret, enum standard_keys keys)
{
	if (keys == KEYS_LITERAL)
		return (hmac256_fits(&st->v1, secret, st->parts, N_ELEM(st->parts)));
	if (slice_starts(secret, SLICE("whpk_")))
		return (ed25519_fits(st, slice_skip(secret, 5)));
	return (base64_key_fits(st, secret));
}

bool
signed_standard(const struct provider_conf *conf, const struct request *req, enum standard_keys keys,
    struct slice *id, struct delivery *out)
{
	struct standard st = { .parts = { [1] = SLICE("."), [3] = SLICE("."), [4] = req->body } };
	struct slice list;
	int64_t seconds;

	*id = SLICE("");
	if (req->was_checked) {
		request_header(req, "webhook-id", id);
		return (true);
	}
	if (!request_header(req, "webhook-id", id) || !request_header(req, "webhook-timestamp", &st.parts[2]) ||
	    !request_header(req, "webhook-signature", &list))
		return (delivery_reject(out, 401, "missing_signature"));
	standard_entries(list, &st);
	st.parts[0] = *id;
	/* A point in the id would let signed bytes move from the body into it. */
	if (st.v1.n + st.v1a.n == 0 || id->len == 0 || slice_find(*id, '.') >= 0 ||
	    !unix_seconds(st.parts[2], &seconds))
		return (delivery_reject(out, 400, "malformed_signature"));
	for (size_t i = 0; i < conf->n_secrets; i++)
		note_secret(out, i, standard_secret_fits(&st, conf->secrets[i], keys));
	return (some_secret_fitted(out) && signed_in_time(conf, req, seconds, out));
}
