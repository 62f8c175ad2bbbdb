/*
 * doctor_redis: is this Redis one that keeps what it is given, and may rpvd do there what it has to.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "doctor/doctor_impl.h"

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
	if (policy[0] != '\0' && strcmp(policy, "noeviction") != 0)
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

/* Every command that rpvd sends, with arguments that do no harm were they carried out; K is a record,
 * P a public key.  A redis_version with DRYRUN is only asked. */
static const char *const commands[] = {
	"HSET K f v", "HDEL K f", "HGETALL K", "HMGET K f", "SET K v", "APPEND K v", "GET K", "MGET K", "SADD K v", "SREM K v", "SMEMBERS K",
	"ZADD K 1 v", "ZREMRANGEBYRANK K 0 -1", "UNLINK K", "TYPE K", "WATCH K", "UNWATCH", "MULTI", "EXEC", "PING", "SCAN 0", "RENAME K K",
	"EVAL return 1 K", "EXISTS K", "HSETNX K f v", "HINCRBY K f 1", "DEL K", "HSET P f v", "ZADD P 1 v", "ZREM P v", "ZRANGE P 0 -1",
	"UNLINK P",
};

/* "return" and "1 K" of EVAL: the script, the number of keys. */
static size_t
words_of(const struct look *l, const char *command, struct buf *bytes, size_t ends[8])
{
	size_t n = 0;

	for (struct slice rest = slice_of(command); rest.len > 0 && n < 6;) {
		struct slice word = slice_cut(&rest, ' ');

		if (slice_is(word, "K"))
			buf_printf(bytes, "rpvd:{%s.0}:doctor", l->site);
		else if (slice_is(word, "P"))
			buf_printf(bytes, "rpv:%s:doctor", l->site);
		else
			buf_put(bytes, word.p, word.len);
		ends[n++] = bytes->len;
	}
	return (n);
}

/* 1 allowed, 0 forbidden, -1 Redis does not tell. */
static int
dry_run(struct look *l, const struct slice user, const char *command)
{
	struct slice argv[9] = { SLICE("ACL"), SLICE("DRYRUN"), user };
	struct buf bytes = { 0 };
	size_t ends[8], n = words_of(l, command, &bytes, ends);
	redisReply *r;
	int allowed;

	for (size_t i = 0, at = 0; i < n && i < 5; at = ends[i++])
		argv[3 + i] = slice_make(bytes.p + at, ends[i] - at);
	r = ask(l, 3 + (n < 5 ? n : 5), argv);
	allowed = r == NULL ? -1 : strcmp(r->type == REDIS_REPLY_STATUS ? r->str : "", "OK") == 0;
	if (r != NULL)
		freeReplyObject(r);
	buf_free(&bytes);
	return (allowed);
}

static void
check_rights(struct look *l)
{
	redisReply *who = ask(l, 2, (struct slice[]){ SLICE("ACL"), SLICE("WHOAMI") });
	struct buf missing = { 0 };
	struct err fix;
	int allowed = who != NULL && who->type == REDIS_REPLY_STRING ? 1 : -1;

	for (size_t i = 0; i < N_ELEM(commands) && allowed >= 0; i++) {
		struct slice name = slice_of(commands[i]), rest = name;

		name = slice_cut(&rest, ' ');
		allowed = dry_run(l, slice_make(who->str, who->len), commands[i]);
		if (allowed == 0 && (missing.len == 0 || strstr(missing.p, commands[i]) == NULL) && missing.len < 120) {
			buf_printf(&missing, "%s%.*s%s", missing.len > 0 ? ", " : "", SLICE_FMT(name), strstr(commands[i], " P") != NULL ? " on rpv:*" : "");
			buf_putc(&missing, '\0');
			missing.len--;
		}
	}
	if (missing.len > 0) {
		err_set(&fix, "ACL SETUSER %.60s ~rpv:* ~rpvd:* +@read +@write +@transaction +@connection +@scripting, then ACL SAVE.", who->str);
		doctor_find(l->d, "redis_acl", &fix, "Redis forbids the user %.60s what rpvd has to do: %s", who->str, missing.p);
	} else if (allowed < 0)
		doctor_note(l->d, "redis_acl", "Redis does not tell what its user may do (ACL WHOAMI, ACL DRYRUN of Redis 7); rpvd says so when it is refused");
	buf_free(&missing);
	if (who != NULL)
		freeReplyObject(who);
}

/* ---- what rpvd has to tell --------------------------------------------------------- */

/* Whether any webhook of the provider of "webhook_PROVIDER_..." was taken: then its secret is right. */
static bool
any_taken(const redisReply *status, struct slice name)
{
	struct slice rest = name;
	size_t len;

	slice_cut(&rest, '_');
	slice_cut(&rest, '_');
	len = name.len - rest.len;
	for (size_t i = 0; i + 1 < status->elements; i += 2) {
		struct slice other = slice_make(status->element[i]->str, status->element[i]->len);

		if (other.len > len && slice_starts(other, slice_make(name.p, len)) && slice_starts(slice_skip(other, len), SLICE("200")))
			return (true);
	}
	return (false);
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

		if (!slice_starts(name, SLICE("webhook_")) || !slice_ends(name, SLICE("_bad_signature")))
			continue;
		if (any_taken(r, name))
			doctor_note(l->d, "signature", "site %s: %s webhooks had a signature that does not fit, others of the provider did (%.*s)", l->site,
			    r->element[i + 1]->str, SLICE_FMT(name));
		else
			doctor_find(l->d, "signature", &fix, "site %s: %s webhooks came with a signature that does not fit (%.*s); the log tells more of the first",
			    l->site, r->element[i + 1]->str, SLICE_FMT(name));
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
	check_rights(l);
	for (size_t i = 0; i < l->d->config->n_sites; i++) {
		l->site = l->d->config->sites[i].name;
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
