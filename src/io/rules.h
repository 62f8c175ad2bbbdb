/*
 * rules: what the configuration says of a site, as the engine takes it.
 */
#ifndef RPVD_RULES_H
#define RPVD_RULES_H

#include "base/err.h"
#include "conf/conf.h"
#include "core/engine.h"
#include "core/hit.h"

struct geo;
struct rules;

/* Tables that all sites share: loaded from data_dir, or those that were built in. */
struct tables;

struct tables *tables_load(const char *data_dir, struct err *);
void tables_free(struct tables **);
const struct sources *tables_sources(const struct tables *);
const struct bots *tables_bots(const struct tables *);

/* Borrows site, tables, geo (NULL: no countries) and asn (NULL: no networks).  Reads the rates file.  NULL with err set. */
struct rules *rules_new(const struct site_conf *site, const struct tables *, struct geo *geo, struct geo *asn, struct err *);
/* For rules_format() alone, of a configuration that may have mistakes, but not in `visitor`.  Borrows site. */
struct rules *rules_of_visitors(const struct site_conf *);
/* Whether the site's rates file, where it has one, can be used: 0, or -1 with err set. */
int rules_check_rates(const struct site_conf *, struct err *);
/* What the site may take of memory; before an engine has the rules. */
void rules_limit(struct rules *, uint64_t memory);
void rules_free(struct rules **);
const struct engine_rules *rules_engine(const struct rules *);
/* From where visitors only come back: hosts that the owner names, then the payment pages of the site's providers.
 * NULL-terminated; the list is the caller's, the strings are not. */
const char **rules_referrers(const struct site_conf *);
/* The format of one of the site's logs, with the cookies that its identities want; the caller's. */
struct format *rules_format(const struct rules *, const struct log_conf *, struct err *);
/* What format_found() of auto says, in words, and what the site's rules miss in it. */
void rules_found(const struct rules *, unsigned found, struct err *text);

#endif
