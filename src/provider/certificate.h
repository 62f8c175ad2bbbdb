/*
 * certificate: was a message signed with the key of this certificate?
 *
 * Whose the certificate is and how it came here is the caller's business.  OpenSSL's
 * place among the providers; no files, no clock.  Internal to src/provider.
 */
#ifndef RPVD_PROVIDER_CERTIFICATE_H
#define RPVD_PROVIDER_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "provider/provider.h"

#define CERTIFICATE_SIGNATURE_MAX 1024	/* bytes: a key of 8192 bits */

/* RSA, PKCS #1 v1.5, SHA-256.  False, too, where pem is no certificate, its key is none of RSA with
 * 2048 bits or more, or it has expired at now_s. */
bool certificate_signed(struct slice pem, struct slice message, struct slice signature, int64_t now_s);

#endif
