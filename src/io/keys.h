/*
 * keys: the secret keys of a site, in a file of the state directory (mode 0600).
 *
 * One key for what lives long (cookies, uids, customers, tokens), one for each UTC day
 * for address + user agent.  A new key is on disk before it is used; forgotten ones are
 * gone from the file at once.  Beside Redis, not in it: who has a dump of Redis has no
 * key to turn its hashes back.
 */
#ifndef RPVD_KEYS_H
#define RPVD_KEYS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "core/visitor.h"

struct keys;

/* Opens or makes DIR/keys-SITE.  NULL with err set (also where it is there and not readable as such:
 * new keys would silently part visitors from their past).  *found: it was there. */
struct keys *keys_open(const char *dir, const char *site, bool *found, struct err *);
/* The site's own key, for who only hashes: makes nothing.  0, or -1 with err set. */
int keys_look(const char *dir, const char *site, struct hash_key *, struct err *);
/* Reads the file again, which another instance in this process may have written since. */
void keys_refresh(struct keys *);
void keys_close(struct keys **);
/* Belongs to keys; its make() writes the file.  A write that fails is fatal (must not happen in use:
 * the caller is told by keys_failed()). */
struct keyring *keys_ring(struct keys *);
/* Forgets days before this one, in memory and on disk.  True where there was one: copies of the
 * ring are to go, too. */
bool keys_forget(struct keys *, int64_t first_day);
/* A new state: keys may be made for any day again. */
void keys_reset_days(struct keys *);
/* Which keys these are, without telling them: 16 hexadecimal digits. */
#define KEYS_NAME_LEN 16
void keys_name(const struct keys *, char out[KEYS_NAME_LEN + 1]);
/* The last write's error, or NULL. */
const char *keys_failed(const struct keys *);
/* Reads a file of at most max bytes whole; NULL with err set.  NUL-terminated, *len without it. */
char *file_read(const char *path, size_t max, size_t *len, struct err *);
/* The same for a file of state_dir: a link, a FIFO, whatever is no regular file is refused. */
char *file_read_own(const char *path, size_t max, size_t *len, struct err *);
/* Writes it whole or not at all, synced, mode 0600.  0, or -1 with errno set. */
int file_replace(const char *path, struct slice bytes);
/* Random name of this installation, kept in DIR/id: "host-XXXXXXXX". */
char *keys_owner(const char *dir, struct err *);

#endif
