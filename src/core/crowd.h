/*
 * crowd: notices that a few addresses carry most visits.
 *
 * A log that shows the proxy's address in place of the client's looks like a shop that nearly
 * all visit from one place, with many browsers.  Visits that are told apart by address and browser
 * are too few then, and countries wrong.  Counted over a day of event time, in a fixed number of
 * places, by keyed hash: an address is nowhere, and what is here is never written.  Pure.
 */
#ifndef RPVD_CROWD_H
#define RPVD_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/slice.h"

#define CROWD_PLACES 64
#define CROWD_ADDRESSES 3		/* so many at most are "a few" */
#define CROWD_VISITS 50			/* of fewer visits a day nothing is said */
#define CROWD_BROWSERS 5		/* fewer at one address are a person's, or a robot's */

struct crowd_day {
	int64_t day;
	uint64_t visits;
	struct crowd_place {
		uint64_t address;
		uint64_t browsers;	/* a bit each, by hash */
		uint64_t visits, surplus;	/* surplus: so many of them may be another's */
	} places[CROWD_PLACES];
};

/* {0} at first. */
struct crowd {
	struct crowd_day now, before;
};

/* A visit that is known by address and browser has begun.  user_agent: any hash of it. */
void crowd_note(struct crowd *, const struct hash_key *, struct slice addr, uint64_t user_agent, int64_t time_ms);
/* Per cent of the visits of the latest day that has enough of them, which *addresses (1 to
 * CROWD_ADDRESSES) carry; 0 where it is half or less. */
unsigned crowd_percent(const struct crowd *, unsigned *addresses);

#endif
