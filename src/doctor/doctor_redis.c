/*
 * doctor_redis: is this Redis one that keeps what it is given, and may rpvd do there what it has to.
 */
#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "doctor/doctor_impl.h"
#include "store/redis.h"
#include "store/store.h"

#define OLDEST_MAJOR 6
#define CLOCK_SLACK_S 5

struct look {
	struct doctor *d;
	struct ctl ctl;
	const char *site;
};

static redisReply *
ask(struct look *l, size_t argc, const struct slice *argv)
{
	if (ctl_connect(&l->ctl) != CTL_OK)
		return (NULL);
	ctl_send(&l->ctl, argc, argv);
	return (ctl_receive(&l->ctl));
}

/* A field of INFO; "" where it has none. */
static void
field(const redisReply *info, const char *name, char *out, size_t room)
{
	struct slice rest = info != NULL && info->type == REDIS_REPLY_STRING ? slice_make(info->str, info->len) : slice_make(NULL, 0);

	out[0] = '\0';
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n'), key = slice_cut(&line, ':');

		if (slice_is(key, name))
			snprintf(out, room, "%.*s", (int)(line.len > 0 ? line.len - 1 : 0), line.p);	/* \r */
	}
}

/* ---- what kind ----------------------------------------------------------------- */

static void
check_version(struct look *l, const redisReply *info)
{
	struct err fix = doctor_fix("Upgrade it, or use rpvd's own, rpvd-redis.service.");
	char version[32], role[32];

	field(info, "redis_version", version, sizeof(version));
	field(info, "role", role, sizeof(role));
	if (version[0] != '\0' && atoi(version) < OLDEST_MAJOR)
		doctor_find(l->d, "redis_version", &fix, "Redis is %s: rpvd is tested with %d.0 and younger", version, OLDEST_MAJOR);
	fix = doctor_fix("Name the primary in the URL of redis { }.");
	if (strcmp(role, "slave") == 0)
		doctor_find(l->d, "redis_role", &fix, "this Redis is a replica: nothing can be written to it");
}

static void
check_memory(struct look *l, const redisReply *info)
{
	char policy[64], used[32], max[32];
	struct err fix = doctor_fix("Set maxmemory-policy noeviction in redis.conf (CONFIG SET maxmemory-policy noeviction), or use a Redis of its own for rpvd.");
	double most;

	field(info, "maxmemory_policy", policy, sizeof(policy));
	field(info, "used_memory", used, sizeof(used));
	field(info, "maxmemory", max, sizeof(max));
	most = strtod(max, NULL);
	if (policy[0] != '\0' && strcmp(policy, "noeviction") != 0 && !l->d->config->redis_allow_eviction)
		doctor_find(l->d, "redis_eviction", &fix, "Redis may throw keys away (maxmemory-policy %s)%s: figures would be silently wrong", policy,
		    most > 0 ? "" : " once it has a maxmemory");
	fix = doctor_fix("Raise maxmemory in redis.conf, or make room.");
	if (most > 0 && strtod(used, NULL) > 0.9 * most)
		doctor_find(l->d, "redis_memory", &fix, "Redis uses %.0f of %.0f MB (maxmemory): soon it takes nothing more", strtod(used, NULL) / 1e6, most / 1e6);
}

static void
check_disk(struct look *l, const redisReply *info)
{
	struct err fix = doctor_fix("See Redis' log, and the room and rights of its directory.");
	char aof[8], aof_ok[16], rdb_ok[16];
	redisReply *save;

	field(info, "aof_enabled", aof, sizeof(aof));
	field(info, "aof_last_write_status", aof_ok, sizeof(aof_ok));
	field(info, "rdb_last_bgsave_status", rdb_ok, sizeof(rdb_ok));
	if ((strcmp(aof, "1") == 0 && strcmp(aof_ok, "err") == 0) || strcmp(rdb_ok, "err") == 0)
		doctor_find(l->d, "redis_disk", &fix, "Redis could not write to its disk the last time it tried");
	if (strcmp(aof, "0") != 0)
		return;
	save = ask(l, 3, (struct slice[]){ SLICE("CONFIG"), SLICE("GET"), SLICE("save") });
	fix = doctor_fix("Set appendonly yes and appendfsync everysec in redis.conf.");
	if (save != NULL && save->type == REDIS_REPLY_ARRAY && save->elements == 2 && save->element[1]->len == 0)
		doctor_find(l->d, "redis_persistence", &fix, "Redis keeps nothing on disk: a restart of it costs all figures that the logs and the journal do not"
		    " reach back to");
	else if (save != NULL)
		doctor_note(l->d, "redis_persistence", "Redis saves now and then (no appendonly): after a crash rpvd reads the time since again, from logs and journal");
	else
		doctor_note(l->d, "redis_persistence", "Redis has no append-only file, and does not tell whether it saves at all");
	if (save != NULL)
		freeReplyObject(save);
}

static void
check_clock(struct look *l)
{
	redisReply *r = ask(l, 1, (struct slice[]){ SLICE("TIME") });
	struct err fix = doctor_fix("Set the wrong clock (timedatectl set-ntp true): signatures are checked by this machine's, windows end by it.");
	long long by;

	if (r != NULL && r->type == REDIS_REPLY_ARRAY && r->elements == 2) {
		by = strtoll(r->element[0]->str, NULL, 10) - (long long)time(NULL);
		if (by > CLOCK_SLACK_S || by < -CLOCK_SLACK_S)
			doctor_find(l->d, "clock", &fix, "this machine's clock differs from Redis' by %lld seconds", by > 0 ? by : -by);
	}
	if (r != NULL)
		freeReplyObject(r);
}

/* ---- what rpvd may do ------------------------------------------------------------ */

/* As rpvd itself asks before it loads a state. */
struct trial {
	struct look *look;
	struct event_base *base;
	struct redis *redis;
	struct store *store;
};

/* Full, a replica, ...: what it refuses then is no second trouble. */
static bool
is_told(const struct doctor *d)
{
	for (size_t i = 0; i < d->findings.n; i++)
		if (strncmp(d->findings.list[i].check, "redis_", 6) == 0)
			return (true);
	return (false);
}

static void
on_tried(enum store_result result, const char *message, void *arg)
{
	struct trial *t = arg;
	bool rights = strstr(message, "ACL SETUSER") != NULL;
	struct err fix = doctor_fix(rights ? "Give it that rule (and ACL SAVE, or redis.conf); it is all that rpvd needs." :
	    "See rpvd.conf(5), redis, for what kinds of Redis will do.");

	if (result == STORE_REFUSED && (rights || !is_told(t->look->d)))
		doctor_find(t->look->d, rights ? "redis_acl" : "redis", &fix, "%s", message);
	event_base_loopexit(t->base, NULL);
}

static void
on_up(void *arg)
{
	struct trial *t = arg;

	store_preflight(t->store, on_tried, t);
}

static void
on_down(void *arg, const char *why)
{
	struct trial *t = arg;

	(void)why;			/* told by look_around() */
	event_base_loopexit(t->base, NULL);
}

static void
check_rights(struct look *l)
{
	struct redis_conf conf = redis_conf_of(l->d->config);
	struct redis_calls calls = { on_up, on_down };
	struct trial t = { .look = l, .base = event_base_new() };
	struct err err;

	must(t.base != NULL);
	t.redis = redis_new(t.base, &conf, &calls, &t, &err);
	if (t.redis != NULL) {
		t.store = store_new(t.redis, &(struct store_conf){ .site = l->site, .owner = "", .keys = "",
		    .allow_eviction = l->d->config->redis_allow_eviction });
		redis_connect(t.redis);
		event_base_dispatch(t.base);
		redis_free(&t.redis);
		store_free(&t.store);
	}
	event_base_free(t.base);
}

/* ---- what rpvd has to tell --------------------------------------------------------- */

/* Of the provider of "webhook_PROVIDER_...", the first field whose rest begins so: its value, or NULL. */
static const char *
sibling(const redisReply *status, struct slice name, struct slice begin)
{
	struct slice rest = name;
	size_t len;

	slice_cut(&rest, '_');
	slice_cut(&rest, '_');
	len = name.len - rest.len;
	for (size_t i = 0; i + 1 < status->elements; i += 2) {
		struct slice other = slice_make(status->element[i]->str, status->element[i]->len);

		if (other.len > len && slice_starts(other, slice_make(name.p, len)) && slice_starts(slice_skip(other, len), begin))
			return (status->element[i + 1]->str);
	}
	return (NULL);
}

/* What the listener made of it: which change of the body would explain it. */
static const char *
hint_of(const redisReply *status, struct slice name)
{
	const char *hint = sibling(status, name, SLICE("hint"));

	return (hint != NULL ? hint : "");
}

static void
check_signatures(struct look *l)
{
	struct buf key = { 0 };
	redisReply *r;
	struct err fix = doctor_fix("Put the endpoint's own signing secret into its secret file; where that is right, something on the way changes the"
	    " body: no proxy_set_body, no rewriting proxy or firewall in front.");

	buf_printf(&key, "rpv:%s:status", l->site);
	r = ask(l, 2, (struct slice[]){ SLICE("HGETALL"), buf_view(&key) });
	for (size_t i = 0; r != NULL && r->type == REDIS_REPLY_ARRAY && i + 1 < r->elements; i += 2) {
		struct slice name = slice_make(r->element[i]->str, r->element[i]->len);
		const char *many = strcmp(r->element[i + 1]->str, "1") == 0 ? "" : "s";

		if (!slice_starts(name, SLICE("webhook_")) || !slice_ends(name, SLICE("_bad_signature")))
			continue;
		if (sibling(r, name, SLICE("200")) != NULL)	/* its secret is right */
			doctor_note(l->d, "signature", "site %s: %s webhook%s had a signature that does not fit, others of the provider did (%.*s)", l->site,
			    r->element[i + 1]->str, many, SLICE_FMT(name));
		else
			doctor_find(l->d, "signature", &fix, "site %s: %s webhook%s came with a signature that does not fit (%.*s)%s%s", l->site,
			    r->element[i + 1]->str, many, SLICE_FMT(name), hint_of(r, name)[0] != '\0' ? ": " : "", hint_of(r, name));
	}
	if (r != NULL)
		freeReplyObject(r);
	buf_free(&key);
}

/* ---- all of it ------------------------------------------------------------------------ */

static void
look_around(struct look *l)
{
	redisReply *info = ask(l, 1, (struct slice[]){ SLICE("INFO") });

	if (info == NULL && l->ctl.redis == NULL && ctl_connect(&l->ctl) != CTL_OK) {
		struct err fix = doctor_fix("See that Redis runs and that redis { url } in the configuration names it (systemctl status rpvd-redis).");

		doctor_find(l->d, "redis", &fix, "%s", l->ctl.err.msg);
		return;
	}
	if (info != NULL) {
		check_version(l, info);
		check_memory(l, info);
		check_disk(l, info);
		freeReplyObject(info);
	} else
		doctor_note(l->d, "redis", "Redis does not tell its INFO to this user: version, eviction and persistence were not looked at");
	check_clock(l);
	for (size_t i = 0; i < l->d->config->n_sites; i++) {
		l->site = l->d->config->sites[i].name;
		check_rights(l);
		check_signatures(l);
	}
}

void
doctor_redis(struct doctor *d)
{
	const struct config *c = d->config;
	struct look l = { .d = d, .site = c->n_sites > 0 ? c->sites[0].name : "" };
	struct err err, fix = doctor_fix("Correct url in redis { }.");

	if (redis_url_parse(&l.ctl.url, c->redis_url, c->redis_password_file, &err) != 0) {
		doctor_find(d, "redis", &fix, "%s", err.msg);
		return;
	}
	l.ctl.password_file = c->redis_password_file != NULL ? mem_strdup(c->redis_password_file) : NULL;
	l.ctl.tls = (struct tls_files){ c->redis_ca, c->redis_certificate, c->redis_certificate_key };
	look_around(&l);
	ctl_disconnect(&l.ctl);
	free(l.ctl.password_file);
	buf_free(&l.ctl.unsent);
	redis_url_free(&l.ctl.url);
}
