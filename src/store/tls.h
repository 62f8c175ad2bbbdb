/*
 * tls: TLS to Redis: whom to trust, as whom to appear, and what to say when it fails.
 *
 * The peer's certificate must be signed by a known authority and be made for the host
 * that the URL names; there is no way to turn that off.  Files are read for each
 * connection, so that a renewed certificate needs no restart.  The same for rpvd and
 * rpvctl; who moves the bytes is their affair.
 */
#ifndef RPVD_TLS_H
#define RPVD_TLS_H

#include "base/err.h"
#include "store/redis_url.h"

struct ssl_st;				/* openssl/ssl.h: SSL */

/* Files in PEM; each may be NULL. */
struct tls_files {
	const char *ca;			/* authorities to trust, in place of the system's */
	const char *certificate;	/* this client's, with its chain */
	const char *certificate_key;	/* NULL: in the file of the certificate */
};

/* One connection's, as a client, which the caller frees with SSL_free(), or a bufferevent does.
 * NULL with err set where a file cannot be used. */
struct ssl_st *tls_session(const struct tls_files *, const char *host, struct err *);
/* 0, or -1 with err set where a file cannot be used. */
int tls_check(const struct tls_files *, struct err *);
/* Why the handshake failed or the connection broke, in one sentence; error: OpenSSL's code. */
void tls_why(const struct redis_url *, const struct tls_files *, const struct ssl_st *, unsigned long error, struct err *why);

#endif
