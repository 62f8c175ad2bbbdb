/*
 * tally: what became of the webhooks that came, counted since the start: by provider, answer and
 * reason; the types that are not known; which secrets are in use; whether the clocks agree.
 *
 * Pure: no I/O, no clock.
 */
#ifndef RPVD_TALLY_H
#define RPVD_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define TALLY_SECRETS_MAX 16

struct tally;

struct tally_request {
	const char *provider;		/* NULL: of nobody, no path fitted */
	int status;			/* 0: closed without an answer */
	const char *reason;		/* NULL, or some words */
	const char *type;		/* the provider's word, counted where the reason is "irrelevant_type" */
	const char *hint;		/* why a signature does not fit; NULL or "" where it is not known */
	int secret;			/* which one fitted, -1: none */
	int64_t signed_s, received_ms;	/* signed_s 0: no signed time, or a bad signature */
};

struct tally *tally_new(void);
void tally_free(struct tally **);
void tally_request(struct tally *, const struct tally_request *);
/* Something of an accepted event that came out later: "duplicate", "conflict". */
void tally_event(struct tally *, struct slice provider, const char *what);
/* How far this machine's clock is ahead of the provider's, in seconds: 0 where they agree, or where it is not
 * certain: at least three deliveries, each signed at a time of its own, were all off by the same, and none
 * since was in time. */
int64_t tally_clock_off(const struct tally *, const char *provider);
/* A secret that is configured (0 is the first), and when it was used last, or came to be known.  Where one of several
 * was not used for a week, that is told.  At a reload all are forgotten first. */
void tally_secret_known(struct tally *, const char *provider, unsigned secret, int64_t last_ms);
void tally_forget_secrets(struct tally *);
/* For the status: names "webhook_PROVIDER_...", of nobody's requests "request_..."; values are counts, times or
 * sentences. */
void tally_put(const struct tally *, int64_t now_ms, void (*put)(void *arg, const char *name, const char *value), void *arg);

#endif
