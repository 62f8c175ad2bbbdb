/*
 * commit: a list of changes -> one transaction, and the lease around it.
 *
 * Neither MULTI nor a script rolls back: an error in its middle leaves the earlier writes.
 * So everything is validated first: the writer's epoch and the number of the last commit,
 * with `meta` under WATCH, and the type of every record.  What is sent then between MULTI
 * and EXEC can only be refused as a whole: when it is queued (out of memory, read-only,
 * rights), or because another writer touched `meta` meanwhile; and a server that dies keeps
 * all of it or nothing.  (The few records that each site has once are watched, too; watching
 * all of them takes Redis quadratic time.)  Not a
 * script: a record costs one microsecond this way and eight that way, and while a script
 * runs nobody else is served.
 */
#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/orderbook.h"
#include "store/redis.h"
#include "store/redis_why.h"
#include "store/schema.h"
#include "store/store_impl.h"

#define ARGS_MAX 2000			/* of one command; Lua's unpack() ends at 8,000 */
#define VERIFIED_MAX 65536

/* The records that each site has once.  An empty one is not there, and so its name is free for others. */
static const char *const records[] = { "s", "open", "waiting", "unconverted", "orders", "forget" };

/* A state whose hashes are made by other keys than ours is another installation's: an order would not
 * find the visits in it.  Epochs of a new state begin at a random number: a writer from before Redis was emptied must not
 * find its own again.  "again": the state was there once, and what rotated logs hold belongs to it; said
 * by who began it, since a start that ends before its first commit leaves a record all the same. */
static const char acquire_script[] =
    "if KEYS[9] ~= KEYS[1] and redis.call('HGET', KEYS[9], 'phase') then return {'REBUILD'} end\n"
    "for i, want in ipairs({'hash', 'string', 'hash', 'hash', 'set', 'set', 'zset', 'hash'}) do\n"
    "  local have = redis.call('TYPE', KEYS[i])['ok']\n"
    "  if have ~= 'none' and have ~= want then return {'TYPE', KEYS[i], have, want} end\n"
    "end\n"
    "local owner, known = redis.call('GET', KEYS[2]), redis.call('EXISTS', KEYS[1])\n"
    "local was = redis.call('HMGET', KEYS[1], 'keys', 'by', 'epoch', 'seq')\n"
    "if was[1] and was[1] ~= ARGV[6] then return {'KEYS', was[2] or '?'} end\n"
    "for i, field in pairs({[3] = 'epoch', [4] = 'seq'}) do\n"
    "  if was[i] and (#was[i] > 18 or not string.match(was[i], '^%d+$')) then return {'NUMBER', field, KEYS[1]} end\n"
    "end\n"
    "if owner and owner ~= ARGV[1] then return {'HELD', owner} end\n"
    "local schema = redis.call('HGET', KEYS[1], 'schema')\n"
    "if schema and schema ~= ARGV[3] then return {'SCHEMA', schema} end\n"
    "redis.call('HSETNX', KEYS[1], 'epoch', ARGV[4])\n"
    "if known == 0 and ARGV[5] == '1' then redis.call('HSET', KEYS[1], 'again', '1') end\n"
    "local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)\n"
    "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])\n"
    "redis.call('HSET', KEYS[1], 'schema', ARGV[3], 'keys', ARGV[6], 'by', ARGV[1])\n"
    "redis.call('HSETNX', KEYS[1], 'seq', '0')\n"
    "local m = redis.call('HMGET', KEYS[1], 'seq', 'positions', 'engine', 'again', 'replaced')\n"
    "return {'OK', tostring(epoch), m[1], m[2] or '', m[3] or '', m[4] or '', m[5] or ''}\n";

static const char store_absent[] = "Redis has no state of this site any more: it was emptied, or is another one than before";

static const char renew_script[] =
    "local epoch = redis.call('HGET', KEYS[1], 'epoch')\n"
    "if not epoch then return {'ABSENT'} end\n"
    "if epoch ~= ARGV[1] then return {'FENCED', ''} end\n"
    "if ARGV[3] == '0' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end\n"
    "return {'OK'}\n";

static const char swept_script[] =
    "if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then redis.call('HDEL', KEYS[1], 'replaced') end\n"
    "return {'OK'}\n";

/* ---- the store ----------------------------------------------------------- */

struct store *
store_new(struct redis *redis, const struct store_conf *conf)
{
	struct store *s = mem_calloc(1, sizeof(*s));
	struct buf schema = { 0 };
	int n = snprintf(s->prefix, sizeof(s->prefix), "rpvd:{%s.0}:", conf->site);

	must(n > 0 && (size_t)n < sizeof(s->prefix));
	s->prefix_len = s->base_len = (size_t)n;
	s->redis = redis;
	s->site = mem_strdup(conf->site);
	s->owner = mem_strdup(conf->owner);
	s->keys = mem_strdup(conf->keys);
	s->allow_eviction = conf->allow_eviction;
	schema_text(conf->levels, conf->n_levels, STORE_SCHEMA, &schema);
	s->schema = mem_strndup(schema.p, schema.len);
	buf_free(&schema);
	return (s);
}

void
store_free(struct store **sp)
{
	struct store *s = *sp;

	if (s == NULL)
		return;
	free(s->site);
	free(s->owner);
	free(s->keys);
	free(s->schema);
	buf_free(&s->shown);
	buf_free(&s->replaced);
	map64_free(&s->verified);
	buf_free(&s->positions);
	buf_free(&s->args);
	free(s->places);
	free(s->argv);
	free(s);
	*sp = NULL;
}

const char *
store_prefix(const struct store *s)
{
	return (s->prefix);
}

struct slice
store_positions(const struct store *s)
{
	return (buf_view(&s->positions));
}

uint64_t
store_lost_commits(const struct store *s)
{
	return (s->lost);
}

bool
store_was_empty(const struct store *s)
{
	return (s->was_empty);
}

bool
store_is_again(const struct store *s)
{
	return (s->again);
}

void
store_windows(const struct store *s, struct buf *names)
{
	schema_names(s->shown.len > 0 ? buf_view(&s->shown) : slice_of(s->schema), names);
}

bool
store_replaced(const struct store *s, struct buf *names)
{
	if (s->replaced.len == 0 || s->swept)
		return (false);
	schema_gone(buf_view(&s->replaced), slice_of(s->schema), names);
	return (true);
}

/* ---- arguments ----------------------------------------------------------- */

/* Arguments are gathered as offsets into one buffer, which moves while it grows. */
static size_t
arg_add(struct store *s, struct slice a, struct slice b)
{
	mem_grow(&s->places, &s->places_cap, s->n_args + 1, sizeof(*s->places));
	s->places[s->n_args] = (struct place){ s->args.len, a.len + b.len };
	buf_put(&s->args, a.p, a.len);
	buf_put(&s->args, b.p, b.len);
	return (s->n_args++);
}

void
store_args_begin(struct store *s)
{
	s->args.len = 0;
	s->n_args = 0;
}

void
store_arg(struct store *s, struct slice a)
{
	arg_add(s, a, SLICE(""));
}

void
store_arg_key(struct store *s, struct slice name)
{
	arg_add(s, slice_make(s->prefix, s->prefix_len), name);
}

void
store_arg_base(struct store *s, struct slice name)
{
	arg_add(s, slice_make(s->prefix, s->base_len), name);
}

static void
arg_number(struct store *s, size_t n)
{
	char text[24];

	store_arg(s, slice_make(text, (size_t)snprintf(text, sizeof(text), "%zu", n)));
}

static void
arg_u64(struct store *s, uint64_t v)
{
	char text[24];

	store_arg(s, slice_make(text, (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)v)));
}

bool
store_send(struct store *s, redis_reply_fn *fn, void *arg)
{
	mem_grow(&s->argv, &s->argv_cap, s->n_args, sizeof(*s->argv));
	for (size_t i = 0; i < s->n_args; i++)
		s->argv[i] = slice_make(s->args.p + s->places[i].at, s->places[i].len);
	return (redis_command(s->redis, fn, arg, s->n_args, s->argv));
}

/* ---- grouping ------------------------------------------------------------ */

static int
by_key(const void *x, const void *y, void *arg)
{
	const struct changes *all = arg;
	const struct change *a = &all->list[*(const uint32_t *)x], *b = &all->list[*(const uint32_t *)y];
	struct slice ka = change_key(all, a), kb = change_key(all, b);
	int c = memcmp(ka.p, kb.p, ka.len < kb.len ? ka.len : kb.len);

	if (c != 0)
		return (c);
	if (ka.len != kb.len)
		return (ka.len < kb.len ? -1 : 1);
	if (a->op != b->op)
		return (a->op < b->op ? -1 : 1);
	return (*(const uint32_t *)x < *(const uint32_t *)y ? -1 : 1);
}

static const char *const op_names[CHANGE_OPS] = { "SET", "APPEND", "HSET", "HDEL", "SADD", "SREM", "ZADD", "UNLINK" };

/* Arguments of one change behind its key. */
static void
change_args(struct store *s, const struct changes *all, const struct change *c)
{
	char ttl[24];

	switch (c->op) {
	case CHANGE_SET:
		store_arg(s, change_value(all, c));
		store_arg(s, SLICE("EX"));
		store_arg(s, slice_make(ttl, (size_t)snprintf(ttl, sizeof(ttl), "%lld", (long long)ORDER_KEEP_S)));
		break;
	case CHANGE_APPEND:
		store_arg(s, change_value(all, c));
		break;
	case CHANGE_HSET:
		store_arg(s, change_field(all, c));
		store_arg(s, change_value(all, c));
		break;
	case CHANGE_ZADD:
		store_arg(s, change_value(all, c));
		store_arg(s, change_field(all, c));
		break;
	case CHANGE_HDEL:
	case CHANGE_SADD:
	case CHANGE_SREM:
		store_arg(s, change_field(all, c));
		break;
	case CHANGE_DEL:
	case CHANGE_OPS:
		break;
	}
}

struct group {
	enum change_op op;
	size_t first, n;		/* range in the sorted order */
	bool same_key;			/* as the group before */
};

static bool
may_share(enum change_op op)
{
	return (op == CHANGE_HSET || op == CHANGE_HDEL || op == CHANGE_SADD || op == CHANGE_SREM || op == CHANGE_ZADD);
}

/* Equal operations on one record, up to ARGS_MAX arguments, become one command. */
static struct group *
make_groups(const struct changes *all, const uint32_t *order, size_t *np)
{
	struct group *groups = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct change *c = &all->list[order[i]];
		struct group *g = n > 0 ? &groups[n - 1] : NULL;
		const struct change *before = g != NULL ? &all->list[order[g->first]] : NULL;
		bool same_key = before != NULL && slice_equal(change_key(all, before), change_key(all, c));

		if (same_key && g->op == c->op && may_share(c->op) && g->n < ARGS_MAX / 2)
			g->n++;
		else {
			mem_grow(&groups, &cap, n + 1, sizeof(*groups));
			groups[n++] = (struct group){ c->op, i, 1, same_key };
		}
	}
	*np = n;
	return (groups);
}

/* ---- replies ------------------------------------------------------------- */

static const char *
element(const struct redisReply *r, size_t i)
{
	return (i < r->elements && r->element[i]->str != NULL ? r->element[i]->str : "");
}

static void
why_refused(const struct store *s, const char *text, char *message, size_t room)
{
	static const struct redis_info unknown;
	struct err why;

	redis_why_error(s != NULL ? redis_info(s->redis) : &unknown, s != NULL ? redis_user(s->redis) : "default", text, &why);
	snprintf(message, room, "%s", why.msg);
}

static void
why_others_keys(const struct store *s, const char *owner, char *message, size_t room)
{
	snprintf(message, room, "the state in Redis is another installation's (%.100s, with other keys in its state_dir): use another site "
	    "name, database or Redis, or that state_dir; where that one is gone for good: redis-cli HDEL '%smeta' keys", owner,
	    s != NULL ? s->prefix : "");
}

static void
why_other_schema(const struct store *s, struct slice theirs, char *message, size_t room)
{
	struct slice version = schema_version(theirs);
	struct buf have = { 0 }, want = { 0 };

	if (s == NULL || !slice_is(version, STORE_SCHEMA))
		snprintf(message, room, "the state in Redis is of schema %.*s, this rpvd writes schema %s; use the matching version, "
		    "another site name, or let rpvd --rebuild make the state anew", (int)(version.len < 20 ? version.len : 20),
		    version.p, STORE_SCHEMA);
	else {
		schema_windows(theirs, &have);
		schema_windows(slice_of(s->schema), &want);
		snprintf(message, room, "the state in Redis has the windows %.*s, and configured are %.*s; nothing was written: put the windows back, "
		    "or have the figures made anew by rpvd --rebuild-later && systemctl reload rpvd", (int)(have.len < 120 ? have.len : 120), have.p,
		    (int)want.len, want.p);
	}
	buf_free(&have);
	buf_free(&want);
}

/* What a script's reply says; message is written where it is not STORE_OK.  s may be NULL where no state
 * is touched. */
enum store_result
store_reply(const struct store *s, const struct redisReply *r, char *message, size_t room)
{
	const char *word;

	message[0] = '\0';
	if (r == NULL)
		return (STORE_DOWN);
	if (r->type == REDIS_REPLY_ERROR) {
		why_refused(s, r->str, message, room);
		return (STORE_REFUSED);
	}
	word = r->type == REDIS_REPLY_ARRAY ? element(r, 0) : "";
	if (strcmp(word, "OK") == 0)
		return (STORE_OK);
	if (strcmp(word, "HELD") == 0) {
		snprintf(message, room, "another rpvd (%.100s) keeps this site; waiting until it is gone", element(r, 1));
		return (STORE_HELD);
	}
	if (strcmp(word, "FENCED") == 0) {
		snprintf(message, room, "another rpvd took this site over");
		return (STORE_FENCED);
	}
	if (strcmp(word, "ABSENT") == 0) {
		snprintf(message, room, "%s", store_absent);
		return (STORE_ABSENT);
	}
	if (strcmp(word, "TYPE") == 0)
		snprintf(message, room, "key %.200s holds a %s where rpvd keeps a %s; nothing was written: remove or rename that key",
		    element(r, 1), element(r, 2), element(r, 3));
	else if (strcmp(word, "KEYS") == 0)
		why_others_keys(s, element(r, 1), message, room);
	else if (strcmp(word, "NUMBER") == 0)
		snprintf(message, room, "field %.20s of key %.200s is not what rpvd wrote: put a backup back, or let rpvd --rebuild make "
		    "the state anew", element(r, 1), element(r, 2));
	else if (strcmp(word, "SCHEMA") == 0)
		why_other_schema(s, slice_of(element(r, 1)), message, room);
	else
		snprintf(message, room, "unexpected answer from Redis");
	return (STORE_REFUSED);
}

static void
call_done(struct store *s, struct store_call *call, enum store_result result, const char *message)
{
	store_fn *fn = call->fn;
	void *arg = call->arg;

	(void)s;
	free(call);
	fn(result, message, arg);
}

struct store_call *
store_call_new(struct store *s, store_fn *fn, void *arg)
{
	struct store_call *call = mem_calloc(1, sizeof(*call));

	call->store = s;
	call->fn = fn;
	call->arg = arg;
	return (call);
}

/* ---- one commit ---------------------------------------------------------- */

struct commit {
	struct store_call *call;
	const struct changes *all;
	struct slice positions;
	uint32_t *order;		/* places in `all`, by key */
	size_t n;
	struct group *groups;
	size_t pending;			/* replies still to come in this step, and one for the step itself */
	enum store_result result;
	char message[512];
};

struct type_check {
	struct commit *commit;
	size_t group;
};

static void
commit_fail(struct commit *c, enum store_result result, const char *message)
{
	if (c->result != STORE_OK)
		return;
	c->result = result;
	snprintf(c->message, sizeof(c->message), "%s", message);
}

static void
commit_done(struct commit *c)
{
	struct store *s = c->call->store;

	if (c->result == STORE_OK)
		s->seq++;
	else
		map64_free(&s->verified);
	s->validating = false;
	store_fetch_waiting(s);		/* where the commit never got to be written */
	call_done(s, c->call, c->result, c->message);
	free(c->order);
	free(c->groups);
	free(c);
}

/* True where the reply is no error. */
static bool
commit_reply(struct commit *c, const struct redisReply *r)
{
	const struct redis *redis = c->call->store->redis;
	struct err why;

	if (r != NULL && r->type != REDIS_REPLY_ERROR)
		return (true);
	if (r == NULL) {
		commit_fail(c, STORE_DOWN, "");
		return (false);
	}
	redis_why_error(redis_info(redis), redis_user(redis), r->str, &why);
	commit_fail(c, STORE_REFUSED, why.msg);
	return (false);
}

static void
commit_send(struct commit *c, redis_reply_fn *fn, void *arg)
{
	c->pending++;
	if (!store_send(c->call->store, fn, arg))
		fn(NULL, arg);
}

static struct slice
group_name(const struct commit *c, size_t group)
{
	return (change_key(c->all, &c->all->list[c->order[c->groups[group].first]]));
}

/* The rest of the commit is written, and with it the positions: what is missing will not be read again. */
static void
commit_torn(struct commit *c, size_t command, const char *error)
{
	struct slice name = command < c->n ? group_name(c, command) : SLICE("meta");
	char message[512];

	snprintf(message, sizeof(message), "key %s%.*s became another program's while a commit was written (%.100s), so that the state is "
	    "not whole: remove or rename that key, then let rpvd --rebuild make the state anew", c->call->store->prefix,
	    (int)(name.len < 200 ? name.len : 200), name.p, error);
	commit_fail(c, STORE_REFUSED, message);
}

static void
on_exec(struct redisReply *r, void *arg)
{
	struct commit *c = arg;

	if (commit_reply(c, r)) {
		if (r->type == REDIS_REPLY_NIL)
			commit_fail(c, STORE_FENCED, "another program changed or removed this site's records while they were written");
		for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++)
			if (r->element[i]->type == REDIS_REPLY_ERROR)
				commit_torn(c, i, r->element[i]->str);
	}
	if (--c->pending == 0)
		commit_done(c);
}

/* "QUEUED", or why the whole will be refused. */
static void
on_queued(struct redisReply *r, void *arg)
{
	struct commit *c = arg;

	commit_reply(c, r);
	if (--c->pending == 0)
		commit_done(c);
}

static void
send_group(struct commit *c, const struct group *g)
{
	struct store *s = c->call->store;

	store_args_begin(s);
	store_arg(s, slice_of(op_names[g->op]));
	store_arg_key(s, change_key(c->all, &c->all->list[c->order[g->first]]));
	for (size_t i = 0; i < g->n; i++)
		change_args(s, c->all, &c->all->list[c->order[g->first + i]]);
	commit_send(c, on_queued, c);
}

static void
send_trim(struct commit *c)
{
	struct store *s = c->call->store;
	char text[24];

	for (size_t i = 0; i < c->n; i++)
		if (c->groups[i].op == CHANGE_ZADD) {
			store_args_begin(s);
			store_arg(s, SLICE("ZREMRANGEBYRANK"));
			store_arg_key(s, SLICE("orders"));
			store_arg(s, SLICE("0"));
			store_arg(s, slice_make(text, (size_t)snprintf(text, sizeof(text), "-%d", ORDERS_LISTED + 1)));
			commit_send(c, on_queued, c);
			return;
		}
}

static void
send_word(struct commit *c, const char *word, redis_reply_fn *fn)
{
	store_args_begin(c->call->store);
	store_arg(c->call->store, slice_of(word));
	commit_send(c, fn, c);
}

/* Not while `meta` is watched: the commit would take it for another program's doing. */
static void
send_swept(struct store *s)
{
	s->swept = false;
	s->replaced.len = 0;
	store_args_begin(s);
	store_arg(s, SLICE("EVAL"));
	store_arg(s, slice_of(swept_script));
	arg_number(s, 1);
	store_arg_base(s, SLICE("meta"));
	arg_u64(s, s->epoch);
	store_send(s, NULL, NULL);	/* where it is lost, it is swept once more */
}

void
store_swept(struct store *s)
{
	s->swept = true;
	if (!s->validating)
		send_swept(s);
}

/* Everything from MULTI to EXEC goes out in one go: no other command comes between. */
static void
commit_write(struct commit *c)
{
	struct store *s = c->call->store;

	c->pending = 1;
	send_word(c, "MULTI", on_queued);
	for (size_t i = 0; i < c->n; i++)
		send_group(c, &c->groups[i]);
	send_trim(c);
	store_args_begin(s);
	store_arg(s, SLICE("HSET"));
	store_arg_key(s, SLICE("meta"));
	store_arg(s, SLICE("seq"));
	arg_u64(s, s->seq + 1);
	store_arg(s, SLICE("positions"));
	store_arg(s, c->positions);
	commit_send(c, on_queued, c);
	store_args_begin(s);
	store_arg(s, SLICE("SET"));
	store_arg_base(s, SLICE("lease"));
	store_arg(s, slice_of(s->owner));
	store_arg(s, SLICE("PX"));
	arg_u64(s, LEASE_MS);
	commit_send(c, on_queued, c);
	send_word(c, "EXEC", on_exec);
	s->validating = false;
	if (s->swept)
		send_swept(s);
	store_fetch_waiting(s);
	if (--c->pending == 0)
		commit_done(c);
}

static void
validated(struct commit *c)
{
	if (--c->pending > 0)
		return;
	if (c->result == STORE_OK) {
		commit_write(c);
		return;
	}
	if (c->result != STORE_DOWN)	/* the watches must not stay */
		redis_command(c->call->store->redis, NULL, NULL, 1, (struct slice[]){ SLICE("UNWATCH") });
	commit_done(c);
}

static void
on_validating(struct redisReply *r, void *arg)
{
	struct commit *c = arg;

	commit_reply(c, r);
	validated(c);
}

static bool
is_number(const struct redisReply *r, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return (r->type == REDIS_REPLY_STRING && strcmp(r->str, text) == 0);
}

static void
on_meta(struct redisReply *r, void *arg)
{
	struct commit *c = arg;
	const struct store *s = c->call->store;

	if (!commit_reply(c, r))
		;
	else if (r->type == REDIS_REPLY_ARRAY && r->elements == 2 && r->element[0]->type == REDIS_REPLY_NIL)
		commit_fail(c, STORE_ABSENT, store_absent);
	else if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || !is_number(r->element[0], s->epoch) ||
	    !is_number(r->element[1], s->seq))
		commit_fail(c, STORE_FENCED, "another rpvd took this site over, or its state was put back");
	validated(c);
}

/* The record may be gone when it is done, and its name free for others. */
static bool
removes(enum change_op op)
{
	return (op == CHANGE_HDEL || op == CHANGE_SREM || op == CHANGE_DEL);
}

/* A type is looked at once, and again where the record may have been gone meanwhile. */
static bool
is_verified(struct store *s, const struct group *g, struct slice name)
{
	static const struct hash_key no_key;
	uint64_t h = hash_bytes(&no_key, name);
	bool known = g->op == CHANGE_DEL || g->op == CHANGE_SET ||	/* these take any type */
	    map64_get(&s->verified, h) != NULL;

	if (removes(g->op))
		map64_del(&s->verified, h);
	else if (!known) {
		if (s->verified.count >= VERIFIED_MAX)
			map64_free(&s->verified);
		map64_put(&s->verified, h, s);
	}
	return (known);
}

static const char *const op_types[CHANGE_OPS] = { "string", "string", "hash", "hash", "set", "set", "zset", NULL };

static void
on_type(struct redisReply *r, void *arg)
{
	struct type_check *check = arg;
	struct commit *c = check->commit;
	const struct group *g = &c->groups[check->group];
	struct slice name = group_name(c, check->group);
	char message[512];

	if (commit_reply(c, r) && r->str != NULL && strcmp(r->str, "none") != 0 && strcmp(r->str, op_types[g->op]) != 0) {
		snprintf(message, sizeof(message), "key %s%.*s holds a %s where rpvd keeps a %s; nothing was written: remove or rename that key",
		    c->call->store->prefix, (int)(name.len < 200 ? name.len : 200), name.p, r->str, op_types[g->op]);
		commit_fail(c, STORE_REFUSED, message);
	}
	free(check);
	validated(c);
}

/* Not `forget`, to which rpvctl adds at any time. */
static bool
is_watched(struct slice name)
{
	for (size_t i = 0; i < N_ELEM(records); i++)
		if (slice_is(name, records[i]))
			return (!slice_is(name, "forget"));
	return (false);
}

/* Before the types are looked at: what changes behind that look ends the commit as a whole. */
static void
send_watch(struct commit *c)
{
	struct store *s = c->call->store;

	store_args_begin(s);
	store_arg(s, SLICE("WATCH"));
	store_arg_key(s, SLICE("meta"));
	for (size_t i = 0; i < c->n; i++)
		if (!c->groups[i].same_key && is_watched(group_name(c, i)))
			store_arg_key(s, group_name(c, i));
	commit_send(c, on_validating, c);
}

static void
send_types(struct commit *c)
{
	struct store *s = c->call->store;

	for (size_t i = 0; i < c->n; i++) {
		struct slice name = group_name(c, i);
		struct type_check *check;

		if (is_verified(s, &c->groups[i], name))
			continue;
		check = mem_alloc(sizeof(*check));
		*check = (struct type_check){ c, i };
		store_args_begin(s);
		store_arg(s, SLICE("TYPE"));
		store_arg_key(s, name);
		commit_send(c, on_type, check);
	}
}

void
store_commit(struct store *s, const struct changes *all, struct slice positions, store_fn *fn, void *arg)
{
	struct commit *c = mem_calloc(1, sizeof(*c));

	c->call = store_call_new(s, fn, arg);
	c->all = all;
	c->positions = positions;
	c->order = mem_calloc(all->count + 1, sizeof(*c->order));
	for (size_t i = 0; i < all->count; i++)
		c->order[i] = (uint32_t)i;
	qsort_r(c->order, all->count, sizeof(*c->order), by_key, (void *)all);
	c->groups = make_groups(all, c->order, &c->n);
	c->pending = 1;
	s->validating = true;
	send_watch(c);
	store_args_begin(s);
	store_arg(s, SLICE("HMGET"));
	store_arg_key(s, SLICE("meta"));
	store_arg(s, SLICE("epoch"));
	store_arg(s, SLICE("seq"));
	commit_send(c, on_meta, c);
	send_types(c);
	validated(c);
}

static void
on_simple(struct redisReply *r, void *arg)
{
	struct store_call *call = arg;
	char message[512];
	enum store_result result = store_reply(call->store, r, message, sizeof(message));

	call_done(call->store, call, result, message);
}

static void
lease_command(struct store *s, size_t ms, store_fn *fn, void *arg)
{
	struct store_call *call = store_call_new(s, fn, arg);

	store_args_begin(s);
	store_arg(s, SLICE("EVAL"));
	store_arg(s, slice_of(renew_script));
	arg_number(s, 2);
	store_arg_key(s, SLICE("meta"));
	store_arg_base(s, SLICE("lease"));
	arg_u64(s, s->epoch);
	store_arg(s, slice_of(s->owner));
	arg_number(s, ms);
	if (!store_send(s, on_simple, call))
		call_done(s, call, STORE_DOWN, "");
}

void
store_renew(struct store *s, store_fn *fn, void *arg)
{
	lease_command(s, LEASE_MS, fn, arg);
}

void
store_release(struct store *s, store_fn *fn, void *arg)
{
	lease_command(s, 0, fn, arg);
}

bool
store_acquire(struct store *s, redis_reply_fn *fn, void *arg)
{
	store_args_begin(s);
	store_arg(s, SLICE("EVAL"));
	store_arg(s, slice_of(acquire_script));
	arg_number(s, 3 + N_ELEM(records));
	store_arg_key(s, SLICE("meta"));
	store_arg_base(s, SLICE("lease"));
	for (size_t i = 0; i < N_ELEM(records); i++)
		store_arg_key(s, slice_of(records[i]));
	store_arg_base(s, SLICE(STORE_NEW "meta"));
	store_arg(s, slice_of(s->owner));
	arg_number(s, LEASE_MS);
	store_arg(s, slice_of(s->schema));
	arg_u64(s, (uint64_t)randombytes_random() << 8);
	store_arg(s, s->was_here ? SLICE("1") : SLICE("0"));
	store_arg(s, slice_of(s->keys));
	return (store_send(s, fn, arg));
}
