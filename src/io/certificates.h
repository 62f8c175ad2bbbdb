/*
 * certificates: PayPal's certificates, kept in DIR/certificates/ and fetched where one is missing.
 *
 * Fetched by libcurl in a thread, one at a time and not often: nothing waits for it, since the
 * webhook that named the address was answered 503 and comes again.  Only addresses that
 * certificate_url_is_known() vouches for are asked; redirects are not followed.
 */
#ifndef RPVD_CERTIFICATES_H
#define RPVD_CERTIFICATES_H

#include <stdint.h>

#include "base/err.h"
#include "provider/provider.h"

struct certificates;
struct event_base;

/* For tests: whom to trust and whither to connect instead.  NULL: the system's, and the host itself. */
struct certificates_net {
	const char *ca_file;
	const char *connect_to;		/* "::127.0.0.1:8443" */
	int64_t rest_ms;		/* between two fetches; 0: the usual */
};

/* With those that are there already; what cannot be read is fetched again. */
struct certificates *certificates_open(struct event_base *, const char *state_dir, const struct certificates_net *);
/* Breaks off what is under way. */
void certificates_close(struct certificates **);
/* Fetches it soon, unless it is here or under way. */
void certificates_want(struct certificates *, struct slice url);
/* Changes as certificates come, the address of it never. */
const struct certificate_list *certificates_list(const struct certificates *);

#endif
