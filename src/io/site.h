/*
 * site: one site at work: logs and order events into its engine, changes into Redis.
 *
 * Moves bytes and decides nothing.  Its life is a circle: connect, load the state, seek
 * the logs to the positions that came with it, go on; whatever happens to the connection,
 * to Redis or to another daemon ends in dropping the memory and going round again.
 */
#ifndef RPVD_SITE_H
#define RPVD_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "provider/provider.h"

struct buf;
struct event_base;
struct geo;
struct hooks;
struct journal;
struct site;
struct syslogs;
struct tables;
struct webhook_end;
struct webhook_endpoint;

struct site_env {
	struct event_base *base;
	const struct config *config;
	const struct tables *tables;
	struct geo *geo, *asn;		/* of countries, of networks; NULL: none */
	struct journal *journal;
	const struct hooks *hooks;	/* for the status */
	const char *owner;		/* of the lease */
	bool replay;
	/* Unix milliseconds. */
	int64_t (*now_ms)(void *arg);
	/* Replay: the end of the input is committed and published (ok), or it cannot go on. */
	void (*on_done)(struct site *, bool ok, void *arg);
	void *arg;
	/* A new state is built from what is on disk and takes the place of the one in use; then
	 * on_done. */
	bool rebuild;
	const struct clock *clock;	/* for the status */
	struct syslogs *syslogs;	/* where lines come by syslog; not read by a replay or rebuild */
};

/* Everything about the configuration that can be wrong is found here.  NULL with err set. */
struct site *site_new(const struct site_env *, const struct site_conf *, struct err *);
void site_free(struct site **);
/* Before a replay: adds a line for each log and order file that cannot be read. */
void site_check_inputs(struct site *, struct buf *mistakes);
/* The same for what can never be a live log, from the configuration alone. */
void inputs_check(const struct config *, struct buf *mistakes);
void site_start(struct site *);
/* Takes in no more, commits, releases the lease; then on_stopped is called (at once where there is no
 * connection). */
void site_stop(struct site *, void (*on_stopped)(struct site *, void *), void *arg);
const char *site_name(const struct site *);

/* Journals what a delivery says (not synced). */
void site_append(struct site *, const struct request *, const struct delivery *);
/* The journal was synced up to its last record, or the sync failed and nothing since the last counts. */
void site_journal_synced(struct site *, bool ok);
/* For the status. */
void site_count_request(struct site *, const struct webhook_end *);
void site_know_secrets(struct site *, const struct webhook_endpoint *);
/* At a reload: what was counted of webhooks goes on in the site that takes over. */
void site_inherit(struct site *next, struct site *before);

/* Once a second. */
void site_tick(struct site *);
/* Something changed beside a log. */
void site_wake(struct site *);
/* Calls back with the directories to watch. */
void site_watch_dirs(struct site *, void (*)(const char *dir, void *), void *arg);
/* All that came by syslog is taken and committed; true of a site that takes none. */
bool site_took_syslog(const struct site *);
/* What may be removed from the journal: the last record that is committed. */
uint64_t site_journal_committed(const struct site *);
bool site_has_problem(const struct site *);
/* How far a replay or a rebuild is, added to *sum. */
struct replayed;
void site_add_progress(const struct site *, struct replayed *sum);
/* One sentence for the status line. */
void site_sentence(const struct site *, char *out, size_t room);

/* Milliseconds that only ever pass, also while the machine sleeps. */
int64_t site_uptime(void);
#define CLOCK_SLACK_MS 60000		/* the wall clock may be set back so far by those who keep it right */

#endif
