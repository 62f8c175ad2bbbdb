/*
 * hooks: the way of a webhook from the listener to its site: what is kept of it and where, when it is
 * on disk, what is counted and what the log is told.
 *
 * Stands between webhook.c (requests), journal.c and quarantine.c (disk), and the sites.
 */
#ifndef RPVD_HOOKS_H
#define RPVD_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct certificates;
struct event_base;
struct hooks;
struct journal;
struct quarantine;
struct site;
struct tally;
struct webhook_endpoint;

/* Opens the quarantine beside the journal, which outlives this.  NULL with err set. */
struct hooks *hooks_new(struct journal *, int64_t (*now_ms)(void *arg), void *arg, struct err *);
/* Answers what was appended; the sites are to be there still. */
void hooks_free(struct hooks **);
/* As webhooks_new().  0, or -1 with err set. */
int hooks_listen(struct hooks *, struct event_base *, const char *listen, int fd, struct err *);
/* At the start and at a reload, after the listener: whose webhooks are taken, all borrowed until the
 * next call; after it the sites before are not called any more. */
void hooks_set(struct hooks *, struct site *const *, size_t n_sites, const struct webhook_endpoint *, size_t n_endpoints);
/* Whom to ask for those that webhooks name; outlives this.  To be called where an endpoint wants some. */
void hooks_use(struct hooks *, struct certificates *);
/* What waits in the quarantine is shown to the providers' modules again.  To be called after
 * hooks_set(), where webhooks are taken at all. */
void hooks_try_again(struct hooks *);
/* As webhooks_drain(); 0 where nobody listens. */
size_t hooks_drain(struct hooks *);
/* Once a second: what may be in the quarantine no longer goes, where the clock can say so. */
void hooks_tick(struct hooks *, int64_t quarantine_keep_ms, bool clock_is_steady);

/* For the status: requests that were nobody's. */
const struct tally *hooks_strangers(const struct hooks *);
const struct quarantine *hooks_quarantine(const struct hooks *);

#endif
