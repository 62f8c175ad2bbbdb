/*
 * ctl: what the commands of rpvctl share.
 *
 * rpvctl reads the public keys (rpv:SITE:...), which can be had with redis-cli as well;
 * only `orders` reads rpvd's own records; `journal` reads the files in state_dir and `explain` standard
 * input, and no Redis.  It may block, so it uses hiredis as it comes.
 *
 * A command appends what it has to say to a buffer and returns its exit status; where
 * that is not CTL_OK, ctl->err says why.
 */
#ifndef RPVD_CTL_H
#define RPVD_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "core/window.h"
#include "store/redis_url.h"
#include "store/schema.h"
#include "store/tls.h"

struct config;				/* conf/conf.h */
struct redisContext;			/* hiredis/hiredis.h */
struct redisReply;

enum ctl_exit {
	CTL_OK = 0,
	CTL_NOTHING = 1,		/* no such site, window or series */
	CTL_USAGE = 2,			/* command line or configuration */
	CTL_REDIS = 3			/* Redis cannot be reached, or refuses */
};

struct ctl_options {			/* NULL, 0, false: not given */
	const char *conf, *url, *site, *window, *sort, *model, *provider, *kind, *order, *since, *customer, *visitor, *format, *by;
	long limit;
	bool json, help, version, all, quarantine;
	const char *operand;		/* DIM, SERIES, ORDER, RECORD or KIND */
};

struct ctl {
	struct ctl_options opt;
	char **hidden;			/* values of options that are kept out of the list of processes */
	size_t n_hidden, hidden_cap;
	struct redis_url url;
	char *password_file, *ca, *certificate, *certificate_key;
	struct tls_files tls;		/* the same, for rediss:// */
	char *site;
	char *hosts;			/* all of --host, with commas between; NULL: not given */
	struct config *config;		/* of -c, where a command wants all of it; else NULL */
	char *state_dir;		/* of the configuration; else NULL */
	char *model;			/* the site's default model and currency, where a */
	char currency[4];		/* configuration tells them; else NULL and "" */
	char windows[LEVELS_MAX][WINDOW_NAME_MAX + 1];	/* of ctl_windows() */
	size_t n_windows;
	struct redisContext *redis;	/* NULL: not connected */
	struct ssl_st *ssl;		/* NULL: without TLS */
	struct buf unsent;		/* commands, where TLS is to take them */
	struct err err;
};

typedef enum ctl_exit ctl_fn(struct ctl *, struct buf *out);

ctl_fn ctl_top, ctl_total, ctl_get, ctl_status, ctl_watch, ctl_orders, ctl_journal, ctl_forget, ctl_explain;

/* ---- connection.c ---- */

/* CTL_OK or CTL_REDIS; nothing to do where the connection stands. */
enum ctl_exit ctl_connect(struct ctl *);
void ctl_disconnect(struct ctl *);
/* Queues a command.  Its reply is fetched by ctl_receive(), in order. */
void ctl_send(struct ctl *, size_t argc, const struct slice *argv);
/* NULL with ctl->err set where the connection broke or Redis answered with an error; it is
 * closed then.  The caller frees it with freeReplyObject(). */
struct redisReply *ctl_receive(struct ctl *);
/* One command of one key: "rpv:SITE:" + series. */
struct redisReply *ctl_ask(struct ctl *, const char *command, struct slice series);

/* ---- orders.c ---- */

struct order;				/* core/orderbook.h */
/* Every order that is kept, aliases left out; *damaged: how many could not be read. */
enum ctl_exit ctl_each_order(struct ctl *, void (*fn)(const struct order *, void *arg), void *arg, size_t *damaged);

/* ---- series.c ---- */

/* The key of a series. */
void ctl_key(const struct ctl *, struct slice series, struct buf *out);
/* A field of a HGETALL reply; NULL where absent. */
const char *ctl_field(const struct redisReply *hash, const char *name);
/* The same; "0" where absent. */
const char *ctl_number(const struct redisReply *hash, const char *name);
/* The hash of a series; NULL with *status and err set where there is none. */
struct redisReply *ctl_hash(struct ctl *, struct slice series, enum ctl_exit *status);
/* Learns which windows the site has, the shortest first; where it does not tell, they are the default ones.  CTL_OK or
 * CTL_REDIS. */
enum ctl_exit ctl_windows(struct ctl *);
/* Of these, the one that is shown where none is asked for: the shortest of a day or more, else the longest. */
const char *ctl_usual_window(const struct ctl *);
/* Windows that reach back further than the figures do. */
struct partial {
	char windows[64];		/* "7d 30d"; "" where all are whole, or it is not known */
	char since[40];			/* the figures' begin, as published */
};
void ctl_partial(struct ctl *, struct partial *);
bool ctl_is_partial(const struct partial *, const char *window);
/* The line under a table; window: that one, NULL: all.  Nothing where they are whole. */
void ctl_put_partial(const struct partial *, const char *window, struct buf *out);
/* Chooses ctl->site where no option and no configuration did: there must be just one. */
enum ctl_exit ctl_pick_site(struct ctl *);
/* CTL_NOTHING, with a sentence that tells a missing series from a missing site. */
enum ctl_exit ctl_nothing(struct ctl *, struct slice series);
/* Whether Redis has figures of the site. */
bool ctl_has_site(struct ctl *);

/* ---- terminal.c ---- */

/* COLUMNS, else what the terminal says, else 100. */
size_t ctl_width(void);
/* Lines of the terminal; 0 where standard output is none. */
size_t ctl_height(void);
/* A published time ("2026-03-02T10:40:00Z") as local time; any other text as it is. */
void ctl_put_time(struct buf *out, const char *value);
/* "0.0234" by "%.2f" and the like; factor 100 for a percentage. */
void ctl_put_number(struct buf *out, const char *format, double factor, const char *value)
    __attribute__((format(printf, 2, 0)));

#endif
