/*
 * endpoint: a provider { } of the configuration as its module needs it: which module, the
 * secrets and certificates of its files, and whether all is there that the provider needs.
 */
#ifndef RPVD_ENDPOINT_H
#define RPVD_ENDPOINT_H

#include "provider/provider.h"

struct buf;
struct config;
struct endpoint_conf;

#define ENDPOINT_SECRETS_MAX 16

/* What the module's configuration borrows, besides the owner's configuration itself. */
struct endpoint {
	char *secrets_text, *certificate_text;
	struct slice secrets[ENDPOINT_SECRETS_MAX];
	struct certificate pinned;
	struct certificate_list certificates;
};

/* 0, or -1 with all that is wrong appended ("FILE:LINE: sentence\n"); of options that are mistaken nothing more is
 * said.  Either way endpoint_clear() ends own.  A provider that needs certificates and has none pinned is to be
 * given some. */
int endpoint_read(const struct config *, const struct endpoint_conf *, struct endpoint *own, const struct provider **,
    struct provider_conf *, struct buf *mistakes);
/* Leaves no secret in memory. */
void endpoint_clear(struct endpoint *);

#endif
