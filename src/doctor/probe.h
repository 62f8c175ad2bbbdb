/*
 * probe: one HTTP request and its answer, as a client: blocking, with a deadline.
 */
#ifndef RPVD_PROBE_H
#define RPVD_PROBE_H

#include <stdbool.h>

#include "base/err.h"

struct probe_answer {
	int status;
	char body[512];			/* its begin */
	long long expires_in_s;		/* the certificate's rest of life; only with TLS */
};

/* address: "unix:/path", "host:port", "[v6]:port".  tls: whom the certificate belongs to is not
 * looked at.  0, or -1 with err set. */
int probe(const char *address, bool tls, const char *host, const char *method, const char *path, struct probe_answer *, struct err *);

#endif
