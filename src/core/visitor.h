/*
 * visitor: who made a hit, as a number that cannot be turned back.
 *
 * An identity is a cookie's value, nginx's uid, or address + user agent.  Each is
 * hashed under a secret key: the site's own for cookies, uids, customers and tokens; a
 * key of the UTC day for address + user agent, which is forgotten at the end of the next
 * day.  Pure: new day keys come from a callback, since randomness is the shell's.
 */
#ifndef RPVD_VISITOR_H
#define RPVD_VISITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/slice.h"
#include "core/order.h"

#define DAY_MS INT64_C(86400000)

struct day_key {
	int64_t day;			/* days since 1970 */
	struct hash_key key;
};

struct keyring {
	struct hash_key site;
	struct day_key *days;		/* ascending by day */
	size_t n_days, cap;
	int64_t first_day;		/* keys of earlier days are forgotten and never made again */
	/* Makes the key of a day and keeps it safe before it is used; NULL: none is made. */
	void (*make)(void *arg, int64_t day, struct hash_key *out);
	void *arg;
};

/* NULL where the day's key is forgotten, or not there and not made. */
const struct hash_key *keyring_day(struct keyring *, int64_t day);
/* Forgets the keys of days before this one; true where there were any. */
bool keyring_forget(struct keyring *, int64_t first_day);
/* `to`, zeroed or a copy from before, has the same keys and makes none; cheap, and false, where nothing has changed. */
bool keyring_copy(struct keyring *to, const struct keyring *from);
void keyring_clear(struct keyring *);

int64_t day_of(int64_t time_ms);

/* Text to 16 bytes, IPv4 as ::ffff:a.b.c.d.  False where it is no address. */
bool address_parse(struct slice text, unsigned char out[16]);

/* Never 0. */
uint64_t hash_cookie(const struct keyring *, struct slice value);
/* value: as nginx logs it (NAME=HEX), HEX alone, or the cookie's base64 form. */
uint64_t hash_uid(const struct keyring *, struct slice value);
uint64_t hash_token(const struct keyring *, struct slice token);
/* One number a user agent, to be put into hash_agent(). */
uint64_t hash_user_agent(const struct keyring *, struct slice agent);
/* Address (canonical, so that two spellings of an IPv6 address are one) + user agent under
 * the day's key; 0 where that is forgotten. */
uint64_t hash_agent(struct keyring *, int64_t day, struct slice addr, uint64_t user_agent);

/* The message without personal data.  Strings stay borrowed from the message. */
void order_event_hash(struct keyring *, const struct order_message *, struct order_event *);

#endif
