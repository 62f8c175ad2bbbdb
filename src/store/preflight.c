/*
 * preflight: before a load: whether this Redis may keep a site, and lets us.
 *
 * What rpvd may do is tried, and not asked for: who may ask (ACL DRYRUN) has rights that
 * rpvd does not need, and older servers have no such command.  Between MULTI and DISCARD
 * every command is checked when it is queued (rights, memory, role of the server, slot),
 * and none is done.  Therefore the first question is whether we may use these two; and the
 * keys are made-up ones below the site's prefixes.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/redis_why.h"
#include "store/store_impl.h"

#define STATE "\1"			/* a key below rpvd:{SITE.0}: */
#define PUBLIC "\2"			/* a key below rpv:SITE: */
#define ARGS 6

static const char *const frame[][ARGS] = { { "MULTI" }, { "DISCARD" }, { "MULTI" }, { "EXEC" }, { "WATCH", STATE }, { "UNWATCH" } };

/* All other commands that store and publish send, and those in their scripts. */
static const char *const commands[][ARGS] = {
	{ "MULTI" },
	{ "EVAL", "return 1", "1", STATE }, { "TYPE", STATE }, { "GET", STATE }, { "EXISTS", STATE }, { "MGET", STATE },
	{ "SET", STATE, "x", "PX", "1" }, { "APPEND", STATE, "x" }, { "DEL", STATE },
	{ "HGET", STATE, "x" }, { "HMGET", STATE, "x" }, { "HGETALL", STATE }, { "HSET", STATE, "x", "x" },
	{ "HSETNX", STATE, "x", "x" }, { "HINCRBY", STATE, "x", "1" }, { "HDEL", STATE, "x" },
	{ "SMEMBERS", STATE }, { "SADD", STATE, "x" }, { "SREM", STATE, "x" },
	{ "ZADD", STATE, "1", "x" }, { "ZREMRANGEBYRANK", STATE, "0", "-1" },
	{ "EVAL", "return 1", "1", PUBLIC }, { "TYPE", PUBLIC }, { "DEL", PUBLIC }, { "HSET", PUBLIC, "x", "x" },
	{ "ZADD", PUBLIC, "1", "x" }, { "ZREM", PUBLIC, "x" }, { "ZRANGE", PUBLIC, "0", "-1" },
	{ "UNLINK", PUBLIC }, { "UNLINK", STATE }, { "RENAME", STATE, STATE }, { "SCAN", "0" },
	{ "DISCARD" },
};

struct preflight;

struct check {
	struct preflight *preflight;
	const char *command;
	bool public;
};

struct preflight {
	struct store *store;
	store_fn *fn;
	void *arg;
	struct check checks[N_ELEM(commands)];	/* as many as the frame has, and more */
	size_t pending;			/* replies to come in this step, and one for the step itself */
	bool framed, down, no_state_keys, no_public_keys;
	uint64_t primaries;
	struct buf forbidden, unknown;	/* "+hset +append"; "HSET, APPEND" */
	char trouble[256];		/* the first error that is about something else */
};

/* ---- the verdict ---- */

static bool
is_forbidden(const struct preflight *p, struct err *why)
{
	const struct store *s = p->store;
	struct buf rule = { 0 };

	if (p->forbidden.len == 0 && !p->no_state_keys && !p->no_public_keys)
		return (false);
	buf_printf(&rule, "ACL SETUSER %s %.*s", redis_user(s->redis), SLICE_FMT(buf_view(&p->forbidden)));
	if (p->no_state_keys)
		buf_printf(&rule, "~%s* ", s->prefix);
	if (p->no_public_keys)
		buf_printf(&rule, "~rpv:%s:* ", s->site);
	err_set(why, "Redis does not allow rpvd's user all that it does there; this does: %.*s", (int)rule.len - 1, rule.p);
	buf_free(&rule);
	return (true);
}

static enum store_result
verdict(const struct preflight *p, struct err *why)
{
	const struct store *s = p->store;
	const struct redis_info *info = redis_info(s->redis);

	why->msg[0] = '\0';
	if (p->down)
		return (STORE_DOWN);
	if (p->unknown.len > 0)
		err_set(why, "this Redis does not know %.*s: it is too old, or the commands were renamed there", SLICE_FMT(buf_view(&p->unknown)));
	else if (is_forbidden(p, why))
		;
	else if (p->primaries > 1)
		err_set(why, "this is a cluster of %llu primaries, and rpvd keeps a site in one Redis: name a Redis without cluster mode, "
		    "or a cluster with one primary", (unsigned long long)p->primaries);
	else if (redis_info_evicts(info) && !s->allow_eviction)
		err_set(why, "Redis may evict keys (maxmemory-policy %s), orders and positions among them: set it to noeviction, give rpvd a "
		    "Redis of its own, or take the risk by allow_eviction = true in the section redis", info->eviction);
	else if (p->trouble[0] != '\0')
		redis_why_error(info, redis_user(s->redis), p->trouble, why);
	return (why->msg[0] != '\0' ? STORE_REFUSED : STORE_OK);
}

/* ---- the questions ---- */

static void step_done(struct preflight *);

/* "+hset ", once each. */
static void
add_forbidden(struct preflight *p, const char *command)
{
	char word[32] = "+", *q = word + 1;

	while (*command != '\0' && q < word + sizeof(word) - 2)
		*q++ = ascii_lower(*command++);
	*q++ = ' ';
	*q = '\0';
	if (p->forbidden.len == 0 || memmem(p->forbidden.p, p->forbidden.len, word, strlen(word)) == NULL)
		buf_puts(&p->forbidden, word);
}

static void
take_error(struct check *check, const char *text)
{
	struct preflight *p = check->preflight;
	bool noperm = strstr(text, "NOPERM") != NULL;	/* also in EXEC's "EXECABORT ... NOPERM" */

	if (noperm && strstr(text, "key") != NULL)
		*(check->public ? &p->no_public_keys : &p->no_state_keys) = true;
	else if (noperm)
		add_forbidden(p, check->command);
	else if (strncmp(text, "ERR unknown command", 19) == 0)
		buf_printf(&p->unknown, "%s%s", p->unknown.len > 0 ? ", " : "", check->command);
	else if (p->trouble[0] == '\0' && strncmp(text, "ERR", 3) != 0 && strncmp(text, "EXECABORT", 9) != 0)	/* these follow from others */
		snprintf(p->trouble, sizeof(p->trouble), "%s", text);
}

/* Nothing could be tried: the rule has all. */
static void
forbid_all(struct preflight *p)
{
	for (size_t i = 0; i < N_ELEM(frame); i++)
		add_forbidden(p, frame[i][0]);
	for (size_t i = 0; i < N_ELEM(commands); i++)
		add_forbidden(p, commands[i][0]);
	p->no_state_keys = p->no_public_keys = true;
}

static void
on_check(redisReply *reply, void *arg)
{
	struct check *check = arg;
	struct preflight *p = check->preflight;

	if (reply == NULL)
		p->down = true;
	else if (reply->type == REDIS_REPLY_ERROR)
		take_error(check, reply->str);
	step_done(p);
}

/* An error: it is no cluster, or does not say. */
static void
on_cluster(redisReply *reply, void *arg)
{
	struct preflight *p = arg;

	if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		p->primaries = redis_info_primaries(slice_make(reply->str, reply->len));
	step_done(p);
}

static void
send_check(struct preflight *p, size_t i, const char *const words[ARGS])
{
	struct store *s = p->store;
	struct buf public = { 0 };

	buf_printf(&public, "rpv:%s:preflight", s->site);
	p->checks[i] = (struct check){ .preflight = p, .command = words[0] };
	store_args_begin(s);
	for (size_t k = 0; k < ARGS && words[k] != NULL; k++)
		if (strcmp(words[k], STATE) == 0)
			store_arg_key(s, SLICE("preflight"));
		else if (strcmp(words[k], PUBLIC) == 0) {
			p->checks[i].public = true;
			store_arg(s, buf_view(&public));
		} else
			store_arg(s, slice_of(words[k]));
	buf_free(&public);
	p->pending++;
	if (!store_send(s, on_check, &p->checks[i]))
		on_check(NULL, &p->checks[i]);
}

static void
step_done(struct preflight *p)
{
	store_fn *fn = p->fn;
	void *arg = p->arg;
	enum store_result result;
	struct err why;

	if (--p->pending > 0)
		return;
	if (!p->framed && p->forbidden.len > 0)
		forbid_all(p);
	if (!p->framed && !p->down && p->forbidden.len == 0 && p->unknown.len == 0) {
		p->framed = true;
		p->pending = 1;
		for (size_t i = 0; i < N_ELEM(commands); i++)
			send_check(p, i, commands[i]);
		step_done(p);
		return;
	}
	result = verdict(p, &why);
	buf_free(&p->forbidden);
	buf_free(&p->unknown);
	free(p);
	fn(result, why.msg, arg);
}

void
store_preflight(struct store *s, store_fn *fn, void *arg)
{
	struct preflight *p = mem_calloc(1, sizeof(*p));

	*p = (struct preflight){ .store = s, .fn = fn, .arg = arg, .pending = 2 };
	redis_learn(s->redis);
	if (!redis_command(s->redis, on_cluster, p, 2, (struct slice[]){ SLICE("CLUSTER"), SLICE("INFO") }))
		on_cluster(NULL, p);
	for (size_t i = 0; i < N_ELEM(frame); i++)
		send_check(p, i, frame[i]);
	step_done(p);
}
