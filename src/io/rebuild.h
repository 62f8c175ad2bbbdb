/*
 * rebuild: a site's figures made anew from what is on disk.
 *
 * An emptied Redis is filled again in place.  `rpvd --rebuild` builds a new state beside the one in
 * use (store/swap.c): the old figures stay visible until the new ones are whole.  A daemon does the same
 * where it finds one that was begun or asked for, and takes webhooks meanwhile.
 */
#ifndef RPVD_REBUILD_H
#define RPVD_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct site;
struct site_conf;

/* True where a rebuild would have less to read than there was, whatever is on disk; err says so. */
bool rebuild_would_lose(const struct site_conf *, struct err *);
/* Before `rpvd --rebuild` begins: adds a line for each file that cannot be read and would be missing. */
void rebuild_check(struct site *, struct buf *mistakes);
/* Bytes of the logs that are not read yet. */
uint64_t rebuild_behind(const struct site *);
/* Hundredths of the logs that are read. */
unsigned rebuild_percent(const struct site *);
/* Once a second while the site runs: shows how far it is, and notices the end. */
void rebuild_tick(struct site *);
/* What was built is committed whole. */
bool rebuild_is_whole(const struct site *);
/* `rpvd --rebuild-later`: whoever loads the site (NULL: all of the configuration) next rebuilds it, or gives
 * that up.  The exit code. */
struct config;
int rebuild_request(const struct config *, const char *site, bool cancel);
/* As root: what was made in the state directory belongs to who owns that. */
void state_dir_give_back(const char *dir);

#endif
