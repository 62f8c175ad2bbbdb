/*
 * redis: one connection to Redis on a libevent bufferevent.
 *
 * From hiredis only the reply reader is used (the same in 0.14 and 1.2): its async layer
 * has no usable deadlines (0.14 none at all, 1.2 re-arms them with every write), so a
 * stopped server would never be noticed.  Here every connection attempt and the oldest
 * outstanding reply have an absolute deadline of their own.
 *
 * Commands are pipelined; replies come in order.  When the connection is lost every
 * outstanding callback is called once with a NULL reply, then on_down; the connection is
 * made anew after a back-off with jitter (0.1 to 5 s), then on_up again.
 */
#ifndef RPVD_REDIS_H
#define RPVD_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "store/redis_info.h"
#include "store/tls.h"

struct config;
struct event_base;
struct redisReply;			/* hiredis/hiredis.h */
struct redis;

struct redis_conf {
	const char *url;		/* unix:/path[?db=N], redis://[user:password@]host[:port][/db], rediss:// */
	const char *password_file;	/* NULL, or a file whose first line is the password */
	struct tls_files tls;		/* for rediss:// */
	int64_t connect_ms;		/* an attempt, log-in included; 0: 3000 */
	int64_t reply_ms;		/* for the oldest outstanding reply; 0: 5000 */
};

/* What the configuration says; borrows from it. */
struct redis_conf redis_conf_of(const struct config *);

struct redis_calls {
	/* Connected, authenticated, database selected, name set: commands may be sent. */
	void (*on_up)(void *arg);
	/* Lost, or an attempt failed; why is one sentence with what to do, without the URL.
	 * Called once per change of reason. */
	void (*on_down)(void *arg, const char *why);
};

/* 0, or -1 with err set: URL, and the files that are named. */
int redis_check(const struct redis_conf *, struct err *);
/* Checks the same; does not connect yet.  NULL with err set (the URL is never repeated with its password). */
struct redis *redis_new(struct event_base *, const struct redis_conf *, const struct redis_calls *, void *arg, struct err *);
/* Outstanding callbacks are called with NULL; on_down is not.  Not from within any callback. */
void redis_free(struct redis **);
void redis_connect(struct redis *);
bool redis_is_up(const struct redis *);
/* The URL without user and password, for messages. */
const char *redis_name(const struct redis *);
/* As whom we are there: "default" where the URL names no user. */
const char *redis_user(const struct redis *);
/* What this Redis said of itself when we came, or at the last redis_learn(). */
const struct redis_info *redis_info(const struct redis *);
/* Asks it again: replies to commands that are sent afterwards find it renewed. */
void redis_learn(struct redis *);

/* reply is NULL where the connection was lost before it came; otherwise valid until the callback
 * returns.  A callback may send further commands, not free the connection. */
typedef void redis_reply_fn(struct redisReply *reply, void *arg);

/* Queues one command; false (and no callback) where the connection is down.  fn may be NULL. */
bool redis_command(struct redis *, redis_reply_fn *fn, void *arg, size_t argc, const struct slice *argv);
/* Bytes queued and not yet written, for back-pressure. */
size_t redis_backlog(const struct redis *);
/* Drops the connection now (state unknown) and reconnects; the outstanding callbacks and
 * on_down are called before this returns.  Nothing where there is no connection. */
void redis_reset(struct redis *, const char *why);

#endif
