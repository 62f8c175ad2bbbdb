/*
 * rebuild: see rebuild.h.
 */
#include "io/rebuild.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/intake.h"
#include "io/site_impl.h"
#include "io/stream.h"
#include "io/tail.h"
#include "store/redis.h"

bool
rebuild_would_lose(const struct site_conf *conf, struct err *err)
{
	if (conf->n_syslogs == 0)
		return (false);
	err_set(err, "site %s: lines that came by syslog cannot be read again, and a rebuild would lose their figures: where that is meant, take"
	    " syslog out of the configuration for its time", conf->name);
	return (true);
}

/* ---- before it begins ---------------------------------------------------------------- */

void
rebuild_check(struct site *s, struct buf *mistakes)
{
	size_t before = mistakes->len;
	struct err err;

	if (rebuild_would_lose(s->conf, &err))
		buf_printf(mistakes, "%s\n", err.msg);
	site_check_inputs(s, mistakes);
	for (size_t i = 0; mistakes->len == before && i < intake_logs(s->intake); i++)
		origin_unreadable(stream_path(intake_stream(s->intake, i)), mistakes);
}

/* ---- on the way ------------------------------------------------------------------------ */

uint64_t
rebuild_behind(const struct site *s)
{
	struct tail_status status;
	uint64_t behind = 0;

	for (size_t i = 0; i < intake_logs(s->intake); i++) {
		stream_status(intake_stream(s->intake, i), &status);
		behind += status.behind;
	}
	return (behind);
}

unsigned
rebuild_percent(const struct site *s)
{
	uint64_t behind = rebuild_behind(s);

	if (s->rebuild_bytes == 0)
		return (0);
	return (behind < s->rebuild_bytes ? (unsigned)((s->rebuild_bytes - behind) * 100 / s->rebuild_bytes) : 0);
}

/* On a terminal it is shown all the time (backfill.c). */
static void
tell_progress(struct site *s)
{
	unsigned percent = rebuild_percent(s);

	if (isatty(STDERR_FILENO) || percent < s->rebuild_told + 10)
		return;
	log_info("site %s: rebuild: %u %% of the logs are read", s->conf->name, percent);
	s->rebuild_told = percent;
}

static void
say_rebuilt(const struct site *s)
{
	struct buf missing = { 0 };

	origin_sentence(s, &missing);
	if (missing.len > 0)
		log_warning("site %s: rebuilt; %.*s", s->conf->name, (int)missing.len, missing.p);
	else
		log_notice("site %s: rebuilt, nothing is missing", s->conf->name);
	buf_free(&missing);
}

void
rebuild_tick(struct site *s)
{
	uint64_t behind = rebuild_behind(s);

	origin_note_begin(s, s->rebuild_begun_ms == 0);
	if (s->rebuild_begun_ms == 0)
		s->rebuild_begun_ms = site_uptime();
	if (behind > s->rebuild_bytes)
		s->rebuild_bytes = behind;
	if (s->origin.under_way && s->at_end && !s->committing && !s->fetching) {
		s->origin.under_way = false;
		s->origin.rebuilt_ms = site_now(s);
		engine_now(s->engine, s->origin.rebuilt_ms);
		tell_progress(s);
		say_rebuilt(s);
		s->commit_wanted = true;
	} else if (s->origin.under_way)
		tell_progress(s);
	/* What follows is done when it is committed. */
	if (rebuild_is_whole(s) || (s->env.rebuild && !s->origin.under_way))
		s->commit_wanted = true;
	if (s->commit_wanted)
		site_commit(s);
}

bool
rebuild_is_whole(const struct site *s)
{
	return (store_is_building(s->store) && !s->origin.under_way);
}

/* ---- asking the daemon ------------------------------------------------------------------- */

struct asked {
	struct event_base *base;
	const struct config *config;
	const char *site;
	struct redis *redis;
	size_t pending;
	bool cancel, failed;
};

static void
on_request_result(enum store_result result, const char *message, void *arg)
{
	struct asked *q = arg;

	if (result != STORE_OK) {
		log_error("%s", result == STORE_DOWN ? "the connection to Redis was lost" : message);
		q->failed = true;
	}
	if (--q->pending == 0)
		event_base_loopexit(q->base, NULL);
}

static void
on_request_up(void *arg)
{
	struct asked *q = arg;

	for (size_t i = 0; i < q->config->n_sites; i++) {
		const char *name = q->config->sites[i].name;
		struct store *store;

		if (q->site != NULL && strcmp(name, q->site) != 0)
			continue;
		store = store_new(q->redis, &(struct store_conf){ .site = name, .owner = "", .keys = "" });
		q->pending++;
		if (!store_request_rebuild(store, q->cancel, on_request_result, q))
			on_request_result(STORE_DOWN, "", q);
		store_free(&store);
	}
}

static void
on_request_down(void *arg, const char *why)
{
	struct asked *q = arg;

	log_error("redis: %s", why);
	q->failed = true;
	event_base_loopexit(q->base, NULL);
}

int
rebuild_request(const struct config *config, const char *site, bool cancel)
{
	struct redis_conf conf = redis_conf_of(config);
	struct redis_calls calls = { on_request_up, on_request_down };
	struct asked q = { .base = event_base_new(), .config = config, .site = site, .cancel = cancel };
	struct err err = { "" };

	must(q.base != NULL);
	q.redis = redis_new(q.base, &conf, &calls, &q, &err);
	if (q.redis != NULL) {
		redis_connect(q.redis);
		event_base_dispatch(q.base);
		redis_free(&q.redis);
	} else
		log_error("%s", err.msg);
	event_base_free(q.base);
	if (err.msg[0] == '\0' && !q.failed)
		log_notice(cancel ? "given up: rpvd goes on with the old figures when it is started, or reloaded (systemctl reload rpvd)" :
		    "asked for: rpvd builds the figures anew when it is started, or reloaded (systemctl reload rpvd)");
	return (err.msg[0] != '\0' || q.failed ? 1 : 0);
}

/* ---- who owns what ----------------------------------------------------------------------- */

static void
give_back(const char *dir, const struct stat *owner, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL) {
		struct stat st;
		struct buf path = { 0 };

		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0 ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (st.st_uid != owner->st_uid && fchownat(dirfd(d), de->d_name, owner->st_uid, owner->st_gid, AT_SYMLINK_NOFOLLOW) != 0)
			log_warning("%s/%s: cannot be given to the owner of its directory: chown it by hand", dir, de->d_name);
		buf_printf(&path, "%s/%s", dir, de->d_name);
		buf_putc(&path, '\0');
		if (S_ISDIR(st.st_mode) && depth > 0)
			give_back(path.p, owner, depth - 1);
		buf_free(&path);
	}
	if (d != NULL)
		closedir(d);
}

void
state_dir_give_back(const char *dir)
{
	struct stat st;

	if (geteuid() == 0 && stat(dir, &st) == 0 && st.st_uid != 0)
		give_back(dir, &st, 1);
}
