/*
 * site: see site.h.
 */
#include "io/site.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/intake.h"
#include "io/journal.h"
#include "io/keys.h"
#include "io/rebuild.h"
#include "io/rules.h"
#include "io/site_impl.h"
#include "io/stream.h"
#include "io/tail.h"
#include "io/tally.h"
#include "io/uses.h"
#include "store/publish.h"
#include "store/redis.h"
#include "store/store.h"

#define IDLE_COMMIT_MS 60000
#define PUBLISH_EVERY_MS 200
#define DOWNS_MS 60000
#define DOWNS_TOLD 5			/* so often a minute the log is told that the connection was lost */
#define PUBLISH_SHARE 4			/* it has no more of Redis' time than one in so many, ... */
#define PUBLISH_PAUSE_MS 15000		/* ... unless the figures got older than this meanwhile */
#define LEARN_MS 60000			/* what Redis says of itself */
#define PUBLISH_RETRY_MS 3000		/* until all is tried again, where a key was refused */
#define LEASE_MARGIN_MS 2000		/* so much before its end the lease counts no longer as ours */
#define KEY_SLACK_MS 60000		/* a day's key lives so much longer: Redis may lose its last seconds, and the lines come again */

static void site_load(struct site *);

int64_t
site_now(const struct site *s)
{
	return (s->env.now_ms(s->env.arg));
}

int64_t
site_uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

const char *
site_name(const struct site *s)
{
	return (s->conf->name);
}

static void
start_timer(struct event *timer, int64_t ms)
{
	struct timeval tv = { 0, 0 };

	if (ms > 0)
		tv = (struct timeval){ ms / 1000, (int)(ms % 1000) * 1000 };
	evtimer_add(timer, &tv);
}

/* ---- the end ------------------------------------------------------------- */

static void
finish(struct site *s, bool ok)
{
	if (s->env.on_done != NULL)
		s->env.on_done(s, ok, s->env.arg);
}

/* Says once that the site has stopped, whatever else may still come back. */
static void
tell_stopped(struct site *s)
{
	void (*on_stopped)(struct site *, void *) = s->on_stopped;

	s->on_stopped = NULL;
	if (on_stopped != NULL)
		on_stopped(s, s->stopped_arg);
}

static void
on_released(enum store_result result, const char *message, void *arg)
{
	struct site *s = arg;

	(void)result;
	(void)message;
	if (s->stopping)
		tell_stopped(s);
	else
		finish(s, inputs_were_read(s));
}

/* The lease goes last: what is written before must not meet another daemon's. */
static void
release(struct site *s)
{
	s->releasing = false;
	s->stopped = true;
	site_publish_status(s);
	store_release(s->store, on_released, s);
}

static void
stop_released(struct site *s)
{
	s->releasing = true;
	s->last_publish_ms = 0;
	site_publish(s);
	if (!s->publishing)
		release(s);
}

/* The publication that was under way when it should stop may have missed the last commit: then once more. */
static void
stop_published(struct site *s)
{
	if (s->publish_again)
		stop_released(s);
	else
		release(s);
}

static const char *
in_the_way(const char *error)
{
	return (strstr(error, "WRONGTYPE") != NULL ? "; another program's key is in the way: remove or rename it" : "");
}

static void
say_unpublished(const struct site *s, const char *error)
{
	log_error("redis: public keys not written site=%s: %s%s", s->conf->name, error, in_the_way(error));
}

/* ---- public keys: whose they are, and those of windows that are no more ------- */

static bool
lease_holds(void *arg)
{
	const struct site *s = arg;

	return (s->env.replay || site_uptime() < s->lease_until_ms);
}

static bool
may_remove(void *arg)
{
	const struct site *s = arg;

	return (s->state == SITE_RUNNING && !s->stopping && lease_holds(arg));
}

static void
on_removed(bool ok, const char *error, void *arg)
{
	struct site *s = arg;

	s->removing = false;
	if (ok)
		store_swept(s->store);
	else if (may_remove(s))
		log_error("redis: public keys of windows that are no more not removed site=%s: %s%s; tried again at the next start",
		    s->conf->name, error, in_the_way(error));
	else
		s->removed = false;	/* broken off: at the next publication, if there is one */
	if (s->finishing && !s->stopping && redis_is_up(s->redis))
		store_release(s->store, on_released, s);
}

/* Once a load; true where on_removed() will be called. */
static bool
remove_windows(struct site *s)
{
	struct publish_conf conf = site_publish_conf(s);
	struct buf names = { 0 };

	conf.may_go_on = may_remove;
	if (!s->removed && store_replaced(s->store, &names)) {
		if (names.len == 0)
			store_swept(s->store);
		else
			s->removing = publish_remove(s->redis, &conf, buf_view(&names), on_removed, s);
	}
	s->removed = true;
	buf_free(&names);
	return (s->removing);
}

static void
on_final_publish(bool ok, const char *error, void *arg)
{
	struct site *s = arg;

	if (!ok) {
		say_unpublished(s, error);
		finish(s, false);
		return;
	}
	if (!remove_windows(s))
		store_release(s->store, on_released, s);
}

/* The end of a replay: everything is committed; now everything is published. */
static void
replay_finish(struct site *s)
{
	struct publish_conf conf = site_publish_conf(s);

	s->finishing = true;
	keys_forget(s->keys, day_of(engine_clock(s->engine)) - 1);
	windows_roll(engine_windows(s->engine));
	site_publish_status(s);
	publish_sweep(s->redis, &conf, engine_windows(s->engine));
	if (!publish(s->redis, &conf, engine_windows(s->engine), true, on_final_publish, s))
		finish(s, false);
}

/* ---- a rebuild ----------------------------------------------------------- */

static void
rebuild_finish(struct site *s)
{
	struct publish_conf conf = site_publish_conf(s);

	s->finishing = s->stopped = true;
	engine_now(s->engine, site_now(s));
	windows_roll(engine_windows(s->engine));
	site_publish_status(s);
	publish_sweep(s->redis, &conf, engine_windows(s->engine));
	if (!publish(s->redis, &conf, engine_windows(s->engine), true, on_final_publish, s))
		finish(s, false);
}

static void
on_swapped(enum store_result result, const char *message, void *arg)
{
	struct site *s = arg;

	s->swapping = false;
	if (result != STORE_OK) {
		site_lost(s, result, message);
		return;
	}
	log_notice("site %s: the new figures have taken the place of the old ones", s->conf->name);
	s->publish_all = s->sweep = true;
	s->removed = false;
	s->last_publish_ms = 0;
	s->lease_sent_ms = 0;		/* renewed at the next tick; meanwhile it is ours as before */
	if (s->stopping)
		stop_released(s);
	else
		pump(s);
}

static void
swap(struct site *s)
{
	s->swapping = true;
	log_info("site %s: all is read; the old figures are replaced", s->conf->name);
	store_swap(s->store, on_swapped, s);
}

/* ---- commits ------------------------------------------------------------- */

/* The lease that Redis was asked for at last_ms is ours: until it can have ended, nobody else
 * writes, and the public keys are ours, too. */
static void
lease_is_ours(struct site *s)
{
	s->lease_until_ms = s->lease_sent_ms + LEASE_MS - LEASE_MARGIN_MS;
}

static void
on_commit(enum store_result result, const char *message, void *arg)
{
	struct site *s = arg;

	s->committing = false;
	if (result != STORE_OK) {
		site_lost(s, result, message);
		return;
	}
	s->commits++;
	s->journal_committed = s->journal_in_flight;
	s->clock_committed_ms = s->clock_in_flight_ms;
	lease_is_ours(s);
	positions_committed(s);
	if (s->stopping)
		stop_released(s);
	else if (s->last_commit)
		replay_finish(s);
	else if (s->env.replay && s->at_end)
		site_commit(s);
	else if (rebuild_is_whole(s))
		swap(s);
	else if (s->env.rebuild && !s->origin.under_way && s->at_end)
		rebuild_finish(s);
	else {
		site_publish(s);
		pump(s);
	}
}

static bool
may_commit(const struct site *s)
{
	return (s->state == SITE_RUNNING && !s->committing && !s->finishing && !s->swapping && pump_is_settled(s));
}

void
site_commit(struct site *s)
{
	if (!may_commit(s))
		return;
	if (!s->env.replay)
		engine_now(s->engine, site_now(s));
	changes_clear(&s->changes);
	engine_changes(s->engine, &s->changes);
	positions_save(s, &s->positions);
	s->journal_in_flight = s->journal_queued;
	s->clock_in_flight_ms = engine_clock(s->engine);
	s->committing = true;
	s->commit_wanted = false;
	s->last_commit = s->env.replay && s->at_end;
	s->last_commit_ms = s->lease_sent_ms = site_uptime();
	store_commit(s->store, &s->changes, buf_view(&s->positions), on_commit, s);
}

/* The first change after a pause goes out at once, those that follow it together. */
void
site_plan_commit(struct site *s)
{
	if (s->env.replay || s->committing || !engine_is_dirty(s->engine) || evtimer_pending(s->commit_event, NULL))
		return;
	start_timer(s->commit_event, s->last_commit_ms + s->env.config->commit_interval_ms - site_uptime());
}

/* Where this is no moment for it, pump() commits at the next one. */
static void
on_commit_timer(evutil_socket_t fd, short what, void *arg)
{
	struct site *s = arg;

	(void)fd;
	(void)what;
	if (s->state != SITE_RUNNING || s->stopping)
		return;
	s->commit_wanted = true;
	site_commit(s);
}

/* ---- publishing ---------------------------------------------------------- */

/* A publication of what changed says nothing of a key that was refused before. */
static void
public_keys_written(struct site *s)
{
	if (s->publish_all_ms != 0 || s->public_problem[0] == '\0')
		return;
	log_notice("redis: public keys are written again site=%s", s->conf->name);
	s->public_problem[0] = '\0';
}

static void
public_keys_refused(struct site *s, const char *error)
{
	s->public_refused++;
	snprintf(s->public_problem, sizeof(s->public_problem), "%s%s", error, in_the_way(error));
	if (s->publish_all_ms == 0)	/* else this one was not yet the next attempt */
		s->publish_all_ms = site_uptime() + PUBLISH_RETRY_MS;
	if (log_limit(&s->last_publish_error, 60))
		say_unpublished(s, error);
}

static void
on_published(bool ok, const char *error, void *arg)
{
	struct site *s = arg;

	s->publishing = false;
	s->publish_took_ms = site_uptime() - s->publish_begun_ms;
	if (ok)
		public_keys_written(s);
	else if (s->redis != NULL && redis_is_up(s->redis))
		public_keys_refused(s, error);
	if (s->releasing && s->redis != NULL)
		stop_published(s);
	else if (s->publish_again && s->state == SITE_RUNNING && !s->stopping)
		site_publish(s);
}

static void
on_publish_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	site_publish(arg);
}

struct publish_conf
site_publish_conf(struct site *s)
{
	return ((struct publish_conf){ s->conf->name, s->conf->currency, (int)s->conf->model, lease_holds, s });
}

/* From the begin of the last one to that of the next: where thousands of series change, commits come first. */
static int64_t
publish_pause(const struct site *s)
{
	int64_t pause = s->publish_took_ms < PUBLISH_PAUSE_MS ? s->publish_took_ms * PUBLISH_SHARE : PUBLISH_PAUSE_MS;

	pause = pause < PUBLISH_PAUSE_MS ? pause : PUBLISH_PAUSE_MS;
	return (pause > PUBLISH_EVERY_MS ? pause : PUBLISH_EVERY_MS);
}

/* What has changed, now or as soon as it is time.  Only while the lease is certainly ours: a
 * daemon that slept would put old figures over its successor's. */
void
site_publish(struct site *s)
{
	int64_t now = site_uptime();

	if (s->env.replay || s->state != SITE_RUNNING || store_is_building(s->store))
		return;
	s->publish_again = s->publishing;
	if (s->publishing || now >= s->lease_until_ms)
		return;
	if (now < s->last_publish_ms + publish_pause(s)) {
		start_timer(s->publish_event, s->last_publish_ms + publish_pause(s) - now);
		return;
	}
	if (s->publish_all_ms != 0 && now >= s->publish_all_ms) {
		s->publish_all = true;
		s->publish_all_ms = 0;
	}
	s->publish = site_publish_conf(s);
	engine_now(s->engine, site_now(s));
	windows_roll(engine_windows(s->engine));
	s->publishing = publish(s->redis, &s->publish, engine_windows(s->engine), s->publish_all, on_published, s);
	s->last_publish_ms = s->publish_begun_ms = now;
	if (!s->publishing)
		return;
	s->publish_all = false;
	/* Behind the first walk: what is alive now, and leaves before the sweep's answers, that walk has shown. */
	if (s->sweep)
		s->sweep = !publish_sweep(s->redis, &s->publish, engine_windows(s->engine));
	if (!s->removed && !s->stopping)
		remove_windows(s);
}

/* ---- connection and state ------------------------------------------------- */

/* Whatever it was: the memory goes, and what Redis holds then is where we go on. */
void
site_lost(struct site *s, enum store_result result, const char *message)
{
	bool was_running = s->state == SITE_RUNNING;

	s->state = SITE_WAITING;
	s->held = result == STORE_HELD;
	if (message[0] != '\0')
		snprintf(s->problem, sizeof(s->problem), "%s", message);
	if (s->stopping || s->finishing) {
		if (s->stopping)
			tell_stopped(s);
		else
			finish(s, false);
		return;
	}
	if (result == STORE_DOWN)
		return;			/* on_redis_down() says why, on_redis_up() begins again */
	s->state_refused += result == STORE_REFUSED;
	if (was_running || strcmp(s->problem, s->told) != 0)
		log_error("site %s: %s", s->conf->name, s->problem);
	snprintf(s->told, sizeof(s->told), "%s", s->problem);
	if (s->env.replay || (s->env.rebuild && result != STORE_FENCED && result != STORE_ABSENT))
		finish(s, false);
	else
		start_timer(s->retry_event, result == STORE_HELD || result == STORE_FENCED || result == STORE_ABSENT ? 1000 : 5000);
}

/* Redis has been emptied, or is another one than before. */
static bool
is_forgotten(const struct site *s)
{
	return (store_was_empty(s->store) && !s->env.replay && (store_is_again(s->store) || store_is_building(s->store)));
}

static void
say_loaded(const struct site *s)
{
	if (s->env.replay)
		return;
	if (store_is_building(s->store))
		log_notice("site %s: a new state is %s from the logs, rotated ones too, the order files and the journal, as far as they "
		    "reach back; the old figures stay until it is whole", s->conf->name, store_was_empty(s->store) ? "built" : "built further");
	else if (store_lost_commits(s->store) > 0)
		log_warning("site %s: state loaded; Redis has lost the last %llu commits (a crash, a failover or a restored backup): going on "
		    "where it ends, what they held is read again", s->conf->name, (unsigned long long)store_lost_commits(s->store));
	else if (!store_was_empty(s->store))
		log_info("site %s: state loaded; going on where it ends", s->conf->name);
	else if (is_forgotten(s))
		log_warning("site %s: Redis has no state of it any more: it is made anew from the logs, rotated ones too, and "
		    "the journal, as far as they reach back", s->conf->name);
	else
		log_info("site %s: no state in Redis: reading the logs and the journal from their beginning", s->conf->name);
}

/* The state is there: begins to work. */
static void
run(struct site *s)
{
	say_loaded(s);
	s->rewinds += store_lost_commits(s->store) > 0;
	s->state = SITE_RUNNING;
	s->problem[0] = s->told[0] = '\0';
	s->held = s->commit_wanted = false;
	s->was_here = true;
	s->woken_ms = site_now(s);
	if (!s->env.replay)		/* figures are in no window, and of no worth, before there is a clock */
		engine_now(s->engine, s->woken_ms);
	s->publish_all = s->sweep = true;
	s->removed = false;
	s->publish_all_ms = s->last_publish_ms = s->last_commit_ms = 0;
	s->journal_committed = s->journal_queued;
	s->clock_committed_ms = engine_clock(s->engine);
	lease_is_ours(s);
	/* Order events go first, and a commit may follow them: without the logs' positions in it, what is rotated
	 * away before the next one would be nobody's. */
	if (!s->env.replay)
		intake_look(s->intake);
	pump_soon(s);
}

static void
on_loaded(enum store_result result, const char *message, void *arg)
{
	struct site *s = arg;

	s->loading = false;
	if (result != STORE_OK) {
		site_lost(s, result, message);
		return;
	}
	if (s->stopping)
		return;
	if (store_was_empty(s->store))
		keys_reset_days(s->keys);
	if (positions_load(s, store_positions(s->store)) != 0) {
		site_lost(s, STORE_REFUSED, "the stored positions are of another version of rpvd");
		return;
	}
	if (is_forgotten(s))
		intake_rewind(s->intake, &s->loaded);
	if (store_was_empty(s->store))
		origin_find(s, is_forgotten(s));
	run(s);
}

/* Not before all replies of the time before have come: they would speak of another engine. */
static void
site_load(struct site *s)
{
	if (s->loading || s->stopping || !redis_is_up(s->redis))
		return;
	if (s->committing || s->fetching || s->publishing || s->removing || s->swapping) {
		start_timer(s->retry_event, 100);
		return;
	}
	engine_free(&s->engine);
	s->state = SITE_LOADING;
	s->loading = true;
	s->lease_sent_ms = site_uptime();
	s->engine = engine_new(rules_engine(s->rules), keys_ring(s->keys), s->env.replay);
	s->rebuild_begun_ms = 0;
	s->rebuild_bytes = s->rebuild_told = 0;
	store_was_here(s->store, s->was_here && !s->env.replay);
	store_load(s->store, s->engine, on_loaded, s);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	site_load(arg);
}

static void
on_redis_up(void *arg)
{
	struct site *s = arg;

	if (s->redis_was_down)
		log_notice("redis: connected url=%s site=%s", redis_name(s->redis), s->conf->name);
	s->redis_was_down = false;
	site_load(s);
}

/* A connection that comes and goes must not fill the log. */
static void
tell_redis_down(struct site *s, const char *why)
{
	int64_t now = site_uptime();

	if (now - s->downs_ms >= DOWNS_MS) {
		s->downs_ms = now;
		s->downs_told = 0;
	}
	if (++s->downs_told > DOWNS_TOLD)
		return;
	s->redis_was_down = true;
	log_warning("redis: %s url=%s site=%s; logs wait, webhooks are still accepted, trying again%s", why, redis_name(s->redis),
	    s->conf->name, s->downs_told == DOWNS_TOLD ? "; for a minute no more is said of it" : "");
}

static void
on_redis_down(void *arg, const char *why)
{
	struct site *s = arg;

	s->state = SITE_WAITING;
	s->redis_lost++;
	snprintf(s->problem, sizeof(s->problem), "Redis: %s", why);
	if (s->env.replay || s->env.rebuild) {
		log_error("redis: %s url=%s", why, redis_name(s->redis));
		finish(s, false);
		return;
	}
	tell_redis_down(s, why);
	if (s->stopping)
		tell_stopped(s);
}

/* ---- time ---------------------------------------------------------------- */

static void
on_renewed(enum store_result result, const char *message, void *arg)
{
	struct site *s = arg;

	if (s->state != SITE_RUNNING || result == STORE_DOWN)
		return;
	if (result != STORE_OK) {
		site_lost(s, result, message);
		return;
	}
	lease_is_ours(s);
	site_publish(s);
}

void
site_wake(struct site *s)
{
	s->woken_ms = site_now(s);
	intake_wake(s->intake);
	for (size_t i = 0; i < s->n_orders; i++)
		s->orders[i].waiting = false;
	pump(s);
}

bool
site_took_syslog(const struct site *s)
{
	if (s->conf->n_syslogs == 0 || s->state != SITE_RUNNING)
		return (true);		/* without a Redis there is nothing to wait for */
	return (s->at_end && !s->committing && !s->fetching && !engine_is_dirty(s->engine));
}

static void
keep_lease(struct site *s)
{
	int64_t now = site_uptime();

	if (s->committing || s->swapping || now - s->lease_sent_ms < LEASE_MS / 3)
		return;
	s->lease_sent_ms = now;
	store_renew(s->store, on_renewed, s);
}

static void
keep_records(struct site *s)
{
	int64_t now = site_now(s), clock = s->clock_committed_ms;

	/* What is not committed may be read again, and needs its key then. */
	if (clock_is_steady(s->env.clock) && keys_forget(s->keys, day_of((clock < now ? clock : now) - KEY_SLACK_MS) - 1))
		intake_keys(s->intake);
	if (site_uptime() - s->last_commit_ms < IDLE_COMMIT_MS)
		return;
	s->commit_wanted = true;
	site_commit(s);
}

void
site_tick(struct site *s)
{
	if (s->env.replay || s->stopping)
		return;
	if (s->state == SITE_RUNNING)
		site_wake(s);
	inputs_tell(s);
	uses_save(s->uses, false);
	if (s->state == SITE_RUNNING) {
		rebuild_tick(s);
		keep_records(s);
		keep_lease(s);
		site_ask_requests(s);
		site_publish(s);
	}
	if (site_uptime() - s->last_learn_ms >= LEARN_MS) {
		s->last_learn_ms = site_uptime();
		redis_learn(s->redis);
	}
	/* While another daemon has the site, so it has the status. */
	if (s->state != SITE_LOADING && !s->held && redis_is_up(s->redis))
		site_publish_status(s);
}

void
site_watch_dirs(struct site *s, void (*watch)(const char *dir, void *), void *arg)
{
	for (size_t i = 0; i < intake_logs(s->intake); i++) {
		char *dir = stream_dir(intake_stream(s->intake, i));

		if (dir != NULL)
			watch(dir, arg);
		free(dir);
	}
	for (size_t i = 0; i < s->n_orders; i++) {
		char *dir = tail_dir(s->orders[i].tail);

		watch(dir, arg);
		free(dir);
	}
}

/* ---- life ---------------------------------------------------------------- */

static void
make_events(struct site *s)
{
	s->pump_event = evtimer_new(s->env.base, on_pump, s);
	s->retry_event = evtimer_new(s->env.base, on_retry, s);
	s->commit_event = evtimer_new(s->env.base, on_commit_timer, s);
	s->publish_event = evtimer_new(s->env.base, on_publish_timer, s);
}

struct site *
site_new(const struct site_env *env, const struct site_conf *conf, struct err *err)
{
	struct site *s = mem_calloc(1, sizeof(*s));
	struct redis_conf redis = redis_conf_of(env->config);
	struct redis_calls calls = { on_redis_up, on_redis_down };
	char keys[KEYS_NAME_LEN + 1];

	s->env = *env;
	s->conf = conf;
	s->state = SITE_WAITING;
	s->begun_ms = site_now(s);
	make_events(s);
	s->tally = tally_new();
	s->rules = rules_new(conf, env->tables, env->geo, env->asn, err);
	if (s->rules != NULL)
		rules_limit(s->rules, env->config->memory_limit / env->config->n_sites);
	s->keys = s->rules != NULL ? keys_open(env->config->state_dir, conf->name, &s->was_here, err) : NULL;
	s->redis = s->keys != NULL ? redis_new(env->base, &redis, &calls, s, err) : NULL;
	if (s->redis == NULL || inputs_open(s, err) != 0) {
		site_free(&s);
		return (NULL);
	}
	keys_name(s->keys, keys);
	s->store = store_new(s->redis, &(struct store_conf){ conf->name, env->owner, keys, env->config->redis_allow_eviction,
	    rules_engine(s->rules)->levels, rules_engine(s->rules)->n_levels });
	s->uses = uses_open(env->config->state_dir, conf->name);
	if (env->rebuild)
		store_rebuild(s->store);
	return (s);
}

void
site_free(struct site **sp)
{
	struct site *s = *sp;

	if (s == NULL)
		return;
	s->on_stopped = NULL;
	s->env.on_done = NULL;
	s->stopping = true;
	redis_free(&s->redis);
	store_free(&s->store);
	map64_free(&s->requested);
	engine_free(&s->engine);
	inputs_close(s);
	rules_free(&s->rules);
	keys_close(&s->keys);
	event_free(s->pump_event);
	event_free(s->retry_event);
	event_free(s->commit_event);
	event_free(s->publish_event);
	changes_free(&s->changes);
	buf_free(&s->positions);
	buf_free(&s->loaded);
	buf_free(&s->queue);
	buf_free(&s->unsynced);
	if (s->uses != NULL)
		uses_save(s->uses, true);
	uses_close(&s->uses);
	tally_free(&s->tally);
	free(s->told_inputs);
	free(s->told_found);
	free(s);
	*sp = NULL;
}

/* The keys may have grown since they were read: at a reload the old site worked on. */
void
site_start(struct site *s)
{
	keys_refresh(s->keys);
	redis_connect(s->redis);
}

void
site_stop(struct site *s, void (*on_stopped)(struct site *, void *), void *arg)
{
	s->stopping = true;
	s->on_stopped = on_stopped;
	s->stopped_arg = arg;
	if (s->state != SITE_RUNNING)
		tell_stopped(s);
	else if (s->committing || s->swapping)
		;			/* on_commit() goes on; what was read since is read again */
	else if (may_commit(s))
		site_commit(s);
	else
		stop_released(s);
}
