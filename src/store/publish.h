/*
 * publish: the public keys, rpv:SITE:..., from the windows' running sums.
 *
 * Written after the commit that changed them, outside of it: they follow from the
 * state, so a crash in between is mended by publishing everything at the next start.
 */
#ifndef RPVD_PUBLISH_H
#define RPVD_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "core/money.h"
#include "core/window.h"
#include "store/redis.h"

struct publish_conf {
	const char *site;
	struct currency currency;
	int model;			/* the default one: enum conf_model */
	bool (*may_go_on)(void *arg);	/* the keys are still ours to write; NULL: always */
	void *arg;
};

/* Changed series, or all of them, some at a time, so that they need not all be in memory as commands:
 * the windows have to stay until done is called.  That is when Redis has answered the last command
 * (ok is false where the connection was lost, a command refused, or may_go_on was false: error says
 * what); false, and no call, where the connection is down. */
typedef void publish_fn(bool ok, const char *error, void *arg);
bool publish(struct redis *, const struct publish_conf *, struct windows *, bool all, publish_fn *done, void *arg);

/* Deletes public keys of series that are no longer alive (left from before a crash). */
bool publish_sweep(struct redis *, const struct publish_conf *, struct windows *);

/* Removes what publish() has written of windows that are no more: their names, with blanks between, are copied.  Some at a
 * time; nothing but the fields and members that publish() writes, so that what another program keeps stays.  done as that of
 * publish(). */
bool publish_remove(struct redis *, const struct publish_conf *, struct slice windows, publish_fn *done, void *arg);

/* rpv:SITE:status, whole: fields and values in turn. */
bool publish_status(struct redis *, const char *site, const struct slice *pairs, size_t n, redis_reply_fn *fn, void *arg);

/* Figures as text, for tests: name of field i and its value; returns the number of fields. */
struct field {
	const char *name;
	char value[48];
};
#define PUBLISH_FIELDS_MAX 24
size_t publish_fields(const struct publish_conf *, enum dim, int model, const int64_t *figures, int64_t now_ms,
    struct field fields[PUBLISH_FIELDS_MAX]);

#endif
