/*
 * quarantine: signed webhooks whose bodies could not be understood, kept for a version that can.
 *
 * A body is as the provider sent it, personal data and all, so it is kept apart from the journal:
 * in DIR/quarantine/ (directory 0700, files 0600), for `quarantine_keep` at most, which is seven
 * days at most, and never more than 64 MiB in all.  Every start and every reload shows them to the
 * providers' modules again; what is understood then goes into the journal and is not tried again.
 */
#ifndef RPVD_QUARANTINE_H
#define RPVD_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct journal;
struct quarantine;

struct quarantined {
	uint64_t number;		/* from 1; set when it is read */
	int64_t received_ms;
	struct slice site, provider, path;
	struct slice id;		/* the header webhook-id, which stands in for an id in the body; or empty */
	struct slice detail;		/* what could not be understood: a field's name, no values */
	struct slice body;
};

/* Beside the journal, under its lock.  NULL with err set. */
struct quarantine *quarantine_open(const struct journal *, struct err *);
void quarantine_close(struct quarantine **);

/* In memory, until quarantine_sync(): 0, or -1 with err set, and nothing counts that was added since the last. */
void quarantine_add(struct quarantine *, const struct quarantined *);
int quarantine_sync(struct quarantine *, struct err *);
/* As journal_probe(). */
void quarantine_probe(struct quarantine *);

struct quarantine_calls {
	/* For each that waits; it lives until the call returns, which must add none.  True: understood now. */
	bool (*understands)(void *arg, const struct quarantined *);
	/* At the end, where any was: makes what came of them durable.  0, or -1: then all of them wait on. */
	int (*sync)(void *arg);
};
/* What is understood waits no longer.  -1 with err set where a file cannot be read or written. */
int quarantine_again(struct quarantine *, int64_t now_ms, const struct quarantine_calls *, void *arg, struct err *);
/* Removes what is older than keep_ms, or too much.  To be called often. */
int quarantine_forget(struct quarantine *, int64_t now_ms, int64_t keep_ms, struct err *);

struct quarantine_status {
	uint64_t waiting, bytes;	/* bytes: of the files */
	int64_t newest_ms;		/* latest receipt, by the clock of then; 0 where there is none */
	const char *problem;		/* as in struct journal_status */
	uint64_t forgotten;		/* since the open: removed by age or size before they were understood */
};
void quarantine_status(const struct quarantine *, struct quarantine_status *);

/* A record of DIR/quarantine/: the bytes of a JOURNAL_QUARANTINE.  For rpvctl.  0 or -1. */
int quarantined_decode(struct slice bytes, struct quarantined *);

#endif
