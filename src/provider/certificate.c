/*
 * certificate: see certificate.h.
 */
#include "provider/certificate.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define RSA_BITS_MIN 2048

static X509 *
parse(struct slice pem)
{
	BIO *bio = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.len) : NULL;
	X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return (x);
}

static bool
has_expired(const X509 *x, int64_t now_s)
{
	time_t now = (time_t)now_s;

	return (X509_cmp_time(X509_get0_notAfter(x), &now) <= 0);	/* 0: no time at all */
}

static bool
key_signed(EVP_PKEY *key, struct slice message, struct slice signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool fits = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len, (const unsigned char *)message.p, message.len) == 1;

	EVP_MD_CTX_free(ctx);
	return (fits);
}

/* The certificate's own, of which the result borrows; NULL where it is of no use. */
static EVP_PKEY *
rsa_key(const X509 *x)
{
	EVP_PKEY *key = x != NULL ? X509_get0_pubkey(x) : NULL;

	if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
		return (NULL);
	return (key);
}

bool
certificate_is_usable(struct slice pem)
{
	X509 *x = parse(pem);
	bool is_usable = rsa_key(x) != NULL;

	X509_free(x);
	ERR_clear_error();
	return (is_usable);
}

bool
certificate_signed(struct slice pem, struct slice message, struct slice signature, int64_t now_s)
{
	X509 *x = parse(pem);
	EVP_PKEY *key = rsa_key(x);
	bool fits = key != NULL && !has_expired(x, now_s) && key_signed(key, message, signature);

	X509_free(x);
	ERR_clear_error();
	return (fits);
}
