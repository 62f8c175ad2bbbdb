/*
 * forget: which person is to be forgotten, as a value: the keyed hashes under which the
 * state knows them, and their orders.
 *
 * rpvctl makes it, the journal keeps it, the engine carries it out (erase.c) as soon as
 * the logs are read up to its time.  So a state that is made anew from the journal and
 * the logs joins the person's orders as it did before, and then forgets them again.
 */
#ifndef RPVD_FORGET_H
#define RPVD_FORGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/names.h"

#define FORGET_HASHES_MAX 1000
#define FORGET_ORDERS_MAX 10000

struct forget {				/* {0} is an empty one */
	uint64_t id;			/* random: of the request */
	int64_t time_ms;		/* 0: asked for, and not in the journal yet */
	uint64_t *hashes;		/* of cookies, uids, customers, address + browser; ascending */
	size_t n_hashes, hashes_cap;
	struct buf orders;		/* slices: records' names, "o:PROVIDER:ID" */
	size_t n_orders;
	/* Found on the way: visits that were somebody else's (address + browser) before the person took them over.
	 * What is known of them under the other's hash goes, too. */
	uint64_t *visits;		/* ids, ascending */
	size_t n_visits, visits_cap;
};

void forget_clear(struct forget *);
/* False where there are too many; 0 is no hash, and one that is there already is not added again. */
bool forget_add_hash(struct forget *, uint64_t hash);
bool forget_add_order(struct forget *, struct slice name);
/* This hash is the person's. */
bool forget_has(const struct forget *, uint64_t hash);
void forget_add_visit(struct forget *, uint64_t id);
bool forget_has_visit(const struct forget *, uint64_t id);

/* In the journal such a record stands among order events. */
bool forget_is(struct slice bytes);
void forget_encode(const struct forget *, struct buf *);
/* Into an empty one.  -1, and empty again, where the bytes are none of ours. */
int forget_decode(struct slice bytes, struct forget *);
/* The field of the record `forget` that holds it: 16 hexadecimal digits. */
void forget_field(const struct forget *, struct name *);

#endif
