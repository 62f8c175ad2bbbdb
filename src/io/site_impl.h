/*
 * site_impl: shared by site.c (connection, commits), pump.c (from the inputs into the engine),
 * inputs.c and status.c (what is told of it).
 */
#ifndef RPVD_SITE_IMPL_H
#define RPVD_SITE_IMPL_H

#include "base/buf.h"
#include "base/map.h"
#include "core/crowd.h"
#include "core/engine.h"
#include "io/origin.h"
#include "io/progress.h"
#include "io/site.h"
#include "store/publish.h"
#include "store/store.h"

enum site_state { SITE_WAITING, SITE_LOADING, SITE_RUNNING };

struct order_input {
	struct tail *tail;
	uint64_t lines;
	unsigned complaints;
	bool ended, waiting;
	uint64_t saved_file;		/* all files before it are read, said the positions saved last */
};

#define STDIN_NAME "standard input"
#define SYSLOG_PREFIX "syslog "		/* before its address, as the name of a log */

struct event;

struct site {
	struct site_env env;
	const struct site_conf *conf;
	enum site_state state;
	char problem[512], told[512];	/* why it waits; what the log was told of it */
	bool redis_was_down, held;	/* the log was told so; another daemon has the site */
	unsigned downs_told;		/* in the minute that began at downs_ms */
	bool was_here;			/* this state directory has worked for the site before */
	struct rules *rules;
	struct keys *keys;
	struct redis *redis;
	struct store *store;
	struct engine *engine;
	struct intake *intake;
	struct order_input *orders;
	size_t n_orders;
	struct progress progress;	/* of the logs */
	struct pace pace;
	struct crowd crowd;		/* of the visits that began here */
	bool told_crowd;
	struct err *told_inputs;	/* of each log and order file: what the log was told of it */
	size_t n_told_inputs, told_inputs_cap;
	unsigned *told_found;		/* of each of them: as stream_found() */
	size_t told_found_cap;
	/* Order events read and not yet applied: 1 of a webhook, 0 of an order file; varint length; bytes. */
	struct buf queue;
	size_t queue_reader, n_queued, applied;
	uint64_t journal_queued, journal_in_flight, journal_committed;
	int64_t clock_in_flight_ms, clock_committed_ms;	/* engine_clock() of the last commits */
	uint64_t journal_mark;		/* of record journal_queued */
	struct buf unsynced;		/* what was journalled since the last sync: seq, time, bytes */
	struct event *pump_event, *retry_event, *commit_event, *publish_event;
	bool loading, fetching, committing, commit_wanted, publishing, publish_again, publish_all, sweep;
	bool removing, removed;		/* public keys of windows that are no more; that was tried since the load */
	bool at_end, last_commit;	/* of the inputs; of a replay */
	bool stopping, stopped, finishing;
	bool releasing;			/* the lease goes when the last publication is answered */
	int64_t woken_ms;		/* wall time: all that was written by then is seen */
	/* By site_uptime(): the wall clock may be set. */
	int64_t begun_ms, last_commit_ms, last_publish_ms, publish_all_ms, lease_sent_ms, lease_until_ms, last_learn_ms, downs_ms;
	int64_t publish_begun_ms, publish_took_ms;
	long last_journal_error, last_publish_error, last_status_error;
	uint64_t commits, rewinds;	/* rewinds: loads that found less than was committed */
	uint64_t redis_lost, state_refused, public_refused, input_faults;	/* since the start */
	char public_problem[320];	/* what is in the way of a public key; "" where nothing is */
	struct origin origin;		/* of the state */
	bool begin_known;		/* to the next rebuild: on disk */
	bool swapping;			/* what was built takes its place: Redis is left alone */
	uint64_t rebuild_bytes;		/* of the logs, when it began */
	int64_t rebuild_begun_ms;	/* site_uptime() */
	unsigned rebuild_told;		/* per cent */
	struct changes changes;
	struct map64 requested;		/* requests of rpvctl that are in the journal */
	long last_request_error;
	struct buf positions, loaded;	/* to be committed; of the files, as they were loaded */
	struct publish_conf publish;
	struct tally *tally;		/* of webhooks */
	struct uses *uses;		/* of their secrets */
	void (*on_stopped)(struct site *, void *);
	void *stopped_arg;
};

/* site.c */
int64_t site_now(const struct site *);
void site_commit(struct site *);
void site_plan_commit(struct site *);
void site_publish(struct site *);
void site_lost(struct site *, enum store_result, const char *message);
struct publish_conf site_publish_conf(struct site *);
/* pump.c */
int inputs_open(struct site *, struct err *);
void inputs_close(struct site *);
/* Nothing is half taken: positions may be saved. */
bool pump_is_settled(const struct site *);
void positions_save(struct site *, struct buf *out);
void positions_committed(struct site *);
/* -1 where the bytes are not of this version. */
int positions_load(struct site *, struct slice saved);
/* The journal has this record on disk. */
void pump_journalled(struct site *, uint64_t seq, int64_t received_ms, struct slice bytes);
/* Takes a step, and comes back by the event loop where there is more. */
void pump(struct site *);
void pump_soon(struct site *);
void on_pump(int fd, short what, void *site);
/* inputs.c */
/* The end of a replay: whether every file was read to its end; says which was not. */
bool inputs_were_read(struct site *);
/* Of input i (the logs, then the order files): whether anything is wrong, and what. */
bool inputs_problem(const struct site *, size_t i, struct err *);
/* Says what is new about them. */
void inputs_tell(struct site *);
/* requests.c */
/* Asks Redis whether rpvctl wants something. */
void site_ask_requests(struct site *);
/* status.c */
void site_publish_status(struct site *);

#endif
