/*
 * signature: is a request from who knows the secret?
 *
 * Every secret is tried against every signature of the header; signatures are
 * decoded first and compared in constant time, without an early exit.  Internal to
 * src/provider.
 */
#ifndef RPVD_PROVIDER_SIGNATURE_H
#define RPVD_PROVIDER_SIGNATURE_H

#include "provider/delivery.h"

#define SIGNATURES_MAX 16		/* senders send one to three */
#define SIGNATURE_LEN_MAX 64

/* The usable entries of a header: `len` bytes each. */
struct signatures {
	size_t len, n;
	unsigned char bytes[SIGNATURES_MAX][SIGNATURE_LEN_MAX];
};

/* The first header of that name; false where there is none. */
bool request_header(const struct request *, const char *name, struct slice *value);
/* False and 405 where it is no POST. */
bool request_is_post(const struct request *, struct delivery *);

/* Adds an entry that decodes to `len` bytes, skips any other. */
void signatures_add_hex(struct signatures *, struct slice text);
void signatures_add_base64(struct signatures *, struct slice text);

/* With its padding or without; false where it is no base64, empty, or has no room. */
bool signature_base64(struct slice text, unsigned char *out, size_t room, size_t *len);

/* HMAC-SHA256 over the parts, one after the other, with the secrets' own bytes as keys.
 * False and 401 bad_signature where none fits. */
bool signed_hmac256(const struct provider_conf *, const struct signatures *, const struct slice *parts,
    size_t n_parts, struct delivery *);
/* Likewise, with keys that are written in hex. */
bool signed_hmac256_hex_keys(const struct provider_conf *, const struct signatures *, struct slice text, struct delivery *);

/* A header whose whole value is one HMAC of the body. */
struct mac_header {
	const char *name, *other_name;	/* other_name: another spelling of it, or NULL */
	bool is_hex;			/* else base64 */
	bool is_sha512;			/* else SHA-256 */
};
/* before: what is signed in front of the body, or empty. */
bool signed_header(const struct provider_conf *, const struct request *, const struct mac_header *, struct slice before,
    struct delivery *);

/* A header such as "t=SECONDS,v1=HEX,v1=HEX": HMAC-SHA256 of seconds, joint and body. */
struct timed_header {
	const char *name, *time, *mac;	/* "Stripe-Signature", "t", "v1" */
	char separator;			/* ',' */
	struct slice joint;		/* "." */
};
bool signed_timed_header(const struct provider_conf *, const struct request *, const struct timed_header *, struct delivery *);

/* A signed time stamp, to be asked after the signature: within the tolerance, bounds included. */
bool signed_in_time(const struct provider_conf *, const struct request *, int64_t seconds, struct delivery *);

/* Likewise, with another bound for what is past. */
bool signed_past(const struct provider_conf *, const struct request *, int64_t seconds, int64_t past_s, struct delivery *);

/* Standard Webhooks 1.0.0.  Keys are the secrets' own bytes (Polar, BigCommerce), or base64
 * behind whsec_ (Generic, Dodo), where whpk_ is an Ed25519 public key.  *id is webhook-id. */
enum standard_keys { KEYS_LITERAL, KEYS_BASE64 };
bool signed_standard(const struct provider_conf *, const struct request *, enum standard_keys, struct slice *id,
    struct delivery *);

#endif
