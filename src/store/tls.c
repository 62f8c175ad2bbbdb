/*
 * tls: see tls.h.
 *
 * The name is checked by OpenSSL in the handshake: before a password can be sent.
 */
#include "store/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- files ---- */

/* What is wrong with a file that OpenSSL did not take. */
static int
bad_file(const char *option, const char *file, const char *what, struct err *err)
{
	int errnum = access(file, R_OK) == 0 ? 0 : errno;

	ERR_clear_error();
	if (errnum != 0)
		return (err_set(err, "cannot read %s (%s of redis): %s", file, option, strerror(errnum)));
	return (err_set(err, "%s (%s of redis) %s", file, option, what));
}

static int
use_authorities(SSL_CTX *ctx, const struct tls_files *files, struct err *err)
{
	if (files->ca == NULL) {
		must(SSL_CTX_set_default_verify_paths(ctx) == 1);
		return (0);
	}
	if (SSL_CTX_load_verify_file(ctx, files->ca) != 1)
		return (bad_file("ca", files->ca, "holds no certificate in PEM", err));
	return (0);
}

static int
use_certificate(SSL_CTX *ctx, const struct tls_files *files, struct err *err)
{
	const char *key = files->certificate_key != NULL ? files->certificate_key : files->certificate;

	if (files->certificate == NULL && files->certificate_key == NULL)
		return (0);
	if (files->certificate == NULL)
		return (err_set(err, "redis has a certificate_key, but no certificate: give both, or none"));
	if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1)
		return (bad_file("certificate", files->certificate, "holds no certificate in PEM", err));
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return (bad_file("certificate_key", key, "holds no key in PEM, without a password, that belongs to the certificate", err));
	return (0);
}

/* NULL with err set. */
static SSL_CTX *
make_context(const struct tls_files *files, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	must(ctx != NULL);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	/* The protocol above says itself where a reply ends. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (use_authorities(ctx, files, err) == 0 && use_certificate(ctx, files, err) == 0)
		return (ctx);
	SSL_CTX_free(ctx);
	return (NULL);
}

int
tls_check(const struct tls_files *files, struct err *err)
{
	SSL_CTX *ctx = make_context(files, err);

	if (ctx == NULL)
		return (-1);
	SSL_CTX_free(ctx);
	return (0);
}

struct ssl_st *
tls_session(const struct tls_files *files, const char *host, struct err *err)
{
	SSL_CTX *ctx = make_context(files, err);
	SSL *ssl;

	if (ctx == NULL)
		return (NULL);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);		/* the session keeps it */
	must(ssl != NULL);
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) != 1) {	/* a name, not an address */
		ERR_clear_error();
		SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		if (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1) {
			ERR_clear_error();
			SSL_free(ssl);
			err_set(err, "%s is no host name that TLS could check: correct the URL", host);
			return (NULL);
		}
	}
	SSL_set_connect_state(ssl);
	return (ssl);
}

/* ---- sentences ---- */

static void
why_untrusted(const struct redis_url *u, const struct tls_files *files, const char *what, struct err *why)
{
	if (files->ca != NULL)
		err_set(why, "the certificate of %s port %s is not signed by an authority in %s (%s): put that of its CA into the file",
		    u->host, u->port, files->ca, what);
	else
		err_set(why, "the certificate of %s port %s is not signed by an authority that this system knows (%s): name the "
		    "certificate of its CA by ca in the section redis", u->host, u->port, what);
}

static void
why_certificate(const struct redis_url *u, const struct tls_files *files, long result, struct err *why)
{
	switch (result) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		err_set(why, "the certificate of %s port %s is for another name: write the name in the URL that it was made for, or "
		    "make one for %s", u->host, u->port, u->host);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		err_set(why, "the certificate of %s port %s, or of its CA, has expired: renew it", u->host, u->port);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		err_set(why, "the certificate of %s port %s is not valid yet: is this machine's clock right?", u->host, u->port);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		why_untrusted(u, files, X509_verify_cert_error_string(result), why);
		break;
	default:
		err_set(why, "the certificate of %s port %s cannot be used: %s", u->host, u->port, X509_verify_cert_error_string(result));
	}
}

/* The server's verdict on this client. */
static bool
is_about_us(int reason)
{
	return (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE ||
	    reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA || reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
	    reason == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED || reason == SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE);
}

static void
why_alert(const struct tls_files *files, const char *what, struct err *why)
{
	if (files->certificate == NULL)
		err_set(why, "Redis wants a certificate of this client (%s): name one by certificate in the section redis, or set "
		    "tls-auth-clients no there", what);
	else
		err_set(why, "Redis does not accept the certificate %s (%s): is it signed by the CA of tls-ca-cert-file there, and not "
		    "expired?", files->certificate, what);
}

void
tls_why(const struct redis_url *u, const struct tls_files *files, const struct ssl_st *ssl, unsigned long error, struct err *why)
{
	const char *what = ERR_reason_error_string(error);
	long result = SSL_get_verify_result(ssl);
	int reason = ERR_GET_REASON(error);

	if (what == NULL)
		what = "unknown error";
	if (result != X509_V_OK)
		why_certificate(u, files, result, why);
	else if (ERR_GET_LIB(error) == ERR_LIB_SSL && is_about_us(reason))
		why_alert(files, what, why);
	else if (ERR_GET_LIB(error) == ERR_LIB_SSL && (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG))
		err_set(why, "what answers on %s port %s does not speak TLS: write redis:// in the URL, or the port of tls-port there",
		    u->host, u->port);
	else
		err_set(why, "TLS with %s port %s failed (%s)", u->host, u->port, what);
}
