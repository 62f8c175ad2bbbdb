/*
 * uses: when each signing secret of a site was used last, over restarts: DIR/uses-SITE, mode 0600.
 *
 * Only so that a secret that is not in use any more can be named.  The file knows secrets by their
 * hash under the site's key; where it is lost or damaged, counting begins anew.
 */
#ifndef RPVD_USES_H
#define RPVD_USES_H

#include <stdbool.h>
#include <stdint.h>

struct uses;

/* Never NULL. */
struct uses *uses_open(const char *dir, const char *site);
/* Does not save. */
void uses_close(struct uses **);
/* Unix milliseconds; a secret that is new was used now. */
int64_t uses_last(struct uses *, uint64_t secret, int64_t now_ms);
void uses_note(struct uses *, uint64_t secret, int64_t now_ms);
/* Writes the file where it is behind by an hour or lacks a secret, or by anything where `all`. */
void uses_save(struct uses *, bool all);

#endif
