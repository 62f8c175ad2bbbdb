/*
 * conf: the configuration file (libConfuse syntax) -> one checked, read-only struct.
 *
 * options.c holds one table: name, type, field, default, range and the manual's
 * sentence of every option; the parser, `rpvd -t`, the sample file and rpvd.conf(5)
 * all follow it.  All mistakes of a file are reported in one go, each with file and
 * line.  Knows nothing of Redis, logs or the event loop.
 */
#ifndef RPVD_CONF_H
#define RPVD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "core/model.h"
#include "core/money.h"

/* "last_non_direct", ... */
const char *conf_model_name(enum conf_model);

#define LOG_STDIN "-"

struct log_conf {
	char *path;			/* may be a glob; LOG_STDIN: standard input */
	char *format;			/* preset, nginx:NAME or format string; default "auto" */
	int line;			/* of the configuration file */
};

struct rule_conf {			/* token: glob -> param; page: glob -> as */
	char *glob, *value;
};

struct endpoint_conf {
	char *provider;			/* "stripe": checked against the provider table by the caller */
	char *path;			/* "/hooks/stripe"; default /hooks/PROVIDER */
	char *secret_file;		/* NULL: the systemd credential of that name (PROVIDER.secret) */
	char *visitor_key;		/* "rpv" */
	char *count;			/* "checkout" (default); stripe: or "payment_intents"; adyen: or "capture" */
	char *notification_url;		/* square */
	char *seller_id;		/* gumroad */
	char *webhook_id;		/* paypal */
	char *certificate_file;		/* paypal: pinned; or NULL */
	int64_t tolerance_ms;
	bool test;
	int line;
};

struct site_conf {
	char *name;			/* letters, digits, '-', '_', '.'; 1 to 64 */
	int line;
	char **hosts;			/* lower case; NULL-terminated, like all lists here */
	struct currency currency;
	char *rates;			/* path or NULL */
	char **visitor;			/* "cookie:NAME", "uid", "ip_ua"; default {"ip_ua"} */
	struct log_conf *logs; size_t n_logs;
	struct log_conf *syslogs; size_t n_syslogs;	/* path: unix:PATH, 127.0.0.1:PORT or [::1]:PORT */
	char **orders; size_t n_orders;	/* order files */
	struct rule_conf *tokens; size_t n_tokens;
	struct rule_conf *pages; size_t n_pages;
	char **ignore_paths, **ignore_referrers, **ignore_networks;	/* networks: CIDR or address */
	char **trusted_proxies;		/* the same, or "unix:" */
	char **assets;			/* extensions; NULL: the built-in list */
	struct endpoint_conf *providers; size_t n_providers;
	char **windows;			/* "24h/15m": window_parse() takes each; no two of one length */
	int64_t session_timeout_ms, reorder_ms, lookback_ms;
	enum conf_basis basis;
	enum conf_model model;
	enum conf_bots bots;
	unsigned max_series;		/* per dimension: 10000 */
	uint64_t history_limit;		/* bytes of Redis: 1G */
};

struct config {
	char *file;
	char *redis_url, *redis_password_file;
	bool redis_allow_eviction;
	char *redis_ca, *redis_certificate, *redis_certificate_key;	/* for rediss:// */
	char *webhook_listen;		/* NULL: no listener */
	char *state_dir;		/* "/var/lib/rpvd" */
	char *data_dir;			/* where sources.tsv and bots.txt are; NULL: the installed ones */
	char *geo, *asn;		/* MaxMind-format databases; NULL: none */
	int64_t journal_keep_ms;	/* 35d */
	int64_t quarantine_keep_ms;	/* 7d */
	int64_t commit_interval_ms;	/* 250ms */
	uint64_t memory_limit;		/* bytes, of all sites: 128M */
	struct site_conf *sites; size_t n_sites;
	struct config_places *places;	/* of its options in the file */
};

/* NULL where there is any mistake; all of them are written to *mistakes, one a line
 * ("FILE:LINE: sentence\n"). */
struct config *config_load(const char *file, struct buf *mistakes);
/* For more checks in the same run: what could be read in spite of mistakes.  What is mistaken
 * is NULL, 0 or "".  Never NULL. */
struct config *config_read(const char *file, struct buf *mistakes);
void config_free(struct config **);

/* The line of the option that filled this field of the struct or of one below it; 0 where nobody wrote it. */
int config_line(const struct config *, const void *field);
/* What was written there is mistaken, and the field not what the owner means. */
bool config_is_mistaken(const struct config *, const void *field);
/* One more mistake: "FILE:LINE: sentence\n", with the line of that field's option where it has one. */
void config_complain(const struct config *, struct buf *mistakes, const void *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* In the order of the file, which is the order in which they are mended. */
void config_sort_mistakes(const struct config *, struct buf *mistakes);

/* rpvd.conf(5)'s option list in mdoc, and a commented sample file, from the table. */
void config_write_mdoc(FILE *);
void config_write_sample(FILE *);

/* "30m", "1500ms", "30d", "90" (seconds); units ms s m h d w.  False where it is none. */
bool duration_parse(const char *, int64_t *ms);
/* "24h/15m": a window's length, and that of its buckets; in m, h, d or w.  NULL, or what was expected instead. */
const char *window_parse(const char *, int64_t *length_ms, int64_t *bucket_ms);

#endif
