/*
 * engine_rules: everything that the owner decides, as the core needs it.
 */
#ifndef RPVD_ENGINE_RULES_H
#define RPVD_ENGINE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "core/client.h"
#include "core/evidence.h"
#include "core/money.h"
#include "core/source.h"
#include "core/window.h"

#define IDENTITIES_MAX 8

enum identity_kind { IDENTITY_COOKIE, IDENTITY_UID, IDENTITY_IP_UA };

struct glob_rule {
	struct slice glob, value;	/* token: parameter; page: its group's name */
};

struct network {
	unsigned char addr[16];		/* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;			/* of 128 */
};

/* Borrowed by the engine and by makers of facts until replaced. */
struct engine_rules {
	const struct bots *bots;
	struct source_rules source;
	struct { enum identity_kind kind; size_t cookie; } identities[IDENTITIES_MAX];
	size_t n_identities;
	const struct glob_rule *pages, *tokens;
	size_t n_pages, n_tokens;
	const struct slice *ignore_paths;
	size_t n_ignore_paths;
	const struct network *ignore_networks;
	size_t n_ignore_networks;
	const struct network *trusted_proxies;
	size_t n_trusted_proxies;
	bool trusts_unix;		/* a proxy that comes by a unix socket, which has no address */
	const char *const *assets;	/* as page_is_asset() */
	int64_t session_timeout_ms, lookback_ms;
	int basis;			/* enum conf_basis */
	struct currency currency;
	const struct rates *rates;	/* may be NULL */
	/* Two letters, or "(unknown)"; called once a visit; may be NULL. */
	const char *(*country)(void *arg, struct slice addr);
	void *country_arg;
	/* Whether an address is of a network that hosts machines; called once a visit; may be NULL. */
	bool (*is_hosting)(void *arg, struct slice addr);
	void *hosting_arg;
	struct evidence_limits limits;
	bool strict;			/* visits with evidence (evidence.h) are taken out of the figures */
	const struct level *levels;
	size_t n_levels, max_series;
	size_t visits_bytes, series_bytes;	/* of memory, that they may take, about; 0: no bound */
	size_t settle_visits;		/* more in memory than at the last time, and it is looked who may leave; 0: 1024 */
	uint64_t max_history;		/* bytes of the store that visits may take, about; 0: no bound */
};

#endif
