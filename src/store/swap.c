/*
 * swap: a new state of a site, built beside the one in use, and how it takes its place.
 *
 * What is built lies under `new:` below the site's prefix, and its `meta` has one field more,
 * `phase`, which says what is to be done with it:
 *
 *	build	goes on: its positions say where
 *	clear	it is whole: the records of the old state are removed
 *	move	they are gone: those of the new one get their names; `meta`, without the field, last
 *	drop	it cannot be used (another version began it): is removed, and begun anew
 *	cancel	it is not wanted any more: is removed
 *
 * Each step can be done again, so whoever finds the field goes on from there: a kill at any
 * moment costs nothing but the next start.  Renaming costs Redis a microsecond a record and
 * leaves the layout as it is for everyone who reads it; a pointer to the state in use
 * would be one more thing that each of them has to know.
 */
#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/redis.h"
#include "store/store_impl.h"

#define SCAN_COUNT "1000"

/* KEYS: lease, new:meta, meta.  ARGV: owner, lease in ms, epoch, schema, whether to begin one, keys.  What
 * another installation keeps, or has been asked to build anew, is not ours to replace. */
static const char begin_script[] =
    "local shown = ''\n"
    "if redis.call('TYPE', KEYS[3])['ok'] == 'hash' then\n"
    "  local was = redis.call('HMGET', KEYS[3], 'keys', 'by', 'schema')\n"
    "  if was[1] and was[1] ~= ARGV[6] then return {'KEYS', was[2] or '?'} end\n"
    "  shown = was[3] or ''\n"
    "end\n"
    "local owner = redis.call('GET', KEYS[1])\n"
    "if owner and owner ~= ARGV[1] then return {'HELD', owner} end\n"
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
    "local m = redis.call('HMGET', KEYS[2], 'phase', 'schema')\n"
    "if m[1] == 'build' and m[2] and m[2] ~= ARGV[4] then\n"
    "  redis.call('HSET', KEYS[2], 'phase', 'drop')\n"
    "  return {'OK', 'drop'}\n"
    "end\n"
    "if m[1] then return {'OK', m[1], shown} end\n"
    "if ARGV[5] ~= '1' then return {'OK', 'none'} end\n"
    "redis.call('HSET', KEYS[2], 'phase', 'build', 'epoch', ARGV[3])\n"
    "return {'OK', 'build', shown}\n";

/* KEYS: lease, new:meta, meta, new:forget, forget.  ARGV: owner, lease in ms, phase, the next one: ""
 * renews only, "end" gives the name, "none" removes it.  Persons who are to be forgotten are so by both states:
 * rpvctl may have asked meanwhile.  "clear" writes down what the old state was, if it was another: there may be public keys
 * of its windows. */
static const char phase_script[] =
    "local owner = redis.call('GET', KEYS[1])\n"
    "if owner and owner ~= ARGV[1] then return {'HELD', owner} end\n"
    "if redis.call('HGET', KEYS[2], 'phase') ~= ARGV[3] then\n"
    "  if redis.call('EXISTS', KEYS[2], KEYS[3]) == 0 then return {'ABSENT'} end\n"
    "  return {'FENCED', ''}\n"
    "end\n"
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
    "if ARGV[4] == 'none' then redis.call('DEL', KEYS[2])\n"
    "elseif ARGV[4] == 'end' then\n"
    "  if redis.call('TYPE', KEYS[5])['ok'] ~= 'hash' then redis.call('DEL', KEYS[5]) end\n"
    "  local asked = redis.call('HGETALL', KEYS[4])\n"
    "  for i = 1, #asked, 2 do redis.call('HSET', KEYS[5], asked[i], asked[i + 1]) end\n"
    "  redis.call('DEL', KEYS[4])\n"
    "  redis.call('HDEL', KEYS[2], 'phase')\n"
    "  redis.call('RENAME', KEYS[2], KEYS[3])\n"
    "  return {'OK', redis.call('HGET', KEYS[3], 'replaced') or ''}\n"
    "elseif ARGV[4] == 'clear' then\n"
    "  local was = {}\n"
    "  if redis.call('TYPE', KEYS[3])['ok'] == 'hash' then was = redis.call('HMGET', KEYS[3], 'schema', 'replaced') end\n"
    "  if was[1] and was[1] ~= redis.call('HGET', KEYS[2], 'schema') or was[2] then\n"
    "    redis.call('HSET', KEYS[2], 'replaced', (was[2] and was[2] .. ';' or '') .. (was[1] or ''))\n"
    "  end\n"
    "  redis.call('HSET', KEYS[2], 'phase', 'clear')\n"
    "elseif ARGV[4] ~= '' then redis.call('HSET', KEYS[2], 'phase', ARGV[4]) end\n"
    "return {'OK'}\n";

enum phase { PHASE_NONE, PHASE_BUILD, PHASE_CLEAR, PHASE_MOVE, PHASE_DROP, PHASE_CANCEL };
static const char *const phase_names[] = { "none", "build", "clear", "move", "drop", "cancel" };

struct walk {				/* over all keys, once a phase */
	struct store *store;
	store_fn *fn;
	void *arg;
	enum phase phase;
	char cursor[32];
	bool prepares;			/* for store_prepare(): may go on with a new one */
	size_t pending;			/* replies of this step still to come, and one for the step itself */
	enum store_result result;
	char message[512];
};

void
store_was_here(struct store *s, bool was_here)
{
	s->was_here = was_here;
}

void
store_rebuild(struct store *s)
{
	s->wants_rebuild = true;
}

/* A new state that is whole already cannot be cancelled any more. */
static const char request_script[] =
    "if ARGV[2] == 'cancel' then\n"
    "  if redis.call('HGET', KEYS[1], 'phase') == 'build' then redis.call('HSET', KEYS[1], 'phase', 'cancel') end\n"
    "  return {'OK'}\n"
    "end\n"
    "redis.call('HSETNX', KEYS[1], 'phase', 'build')\n"
    "redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1])\n"
    "return {'OK'}\n";

static void
on_requested(struct redisReply *r, void *arg)
{
	struct store_call *call = arg;
	char message[512];
	enum store_result result = store_reply(NULL, r, message, sizeof(message));	/* the store may be gone */

	call->fn(result, message, call->arg);
	free(call);
}

static void
arg_epoch(struct store *s)
{
	char text[24];

	store_arg(s, slice_make(text, (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)randombytes_random() << 8)));
}

bool
store_request_rebuild(struct store *s, bool cancel, store_fn *fn, void *arg)
{
	struct store_call *call = store_call_new(s, fn, arg);

	store_args_begin(s);
	store_arg(s, SLICE("EVAL"));
	store_arg(s, slice_of(request_script));
	store_arg(s, SLICE("1"));
	store_arg_base(s, SLICE(STORE_NEW "meta"));
	arg_epoch(s);
	store_arg(s, slice_of(phase_names[cancel ? PHASE_CANCEL : PHASE_BUILD]));
	if (store_send(s, on_requested, call))
		return (true);
	free(call);
	return (false);
}

bool
store_is_building(const struct store *s)
{
	return (s->prefix_len > s->base_len);
}

void
store_choose(struct store *s, bool building)
{
	s->prefix_len = s->base_len;
	s->prefix[s->base_len] = '\0';
	if (building) {
		must(s->base_len + strlen(STORE_NEW) < sizeof(s->prefix));
		strcpy(s->prefix + s->base_len, STORE_NEW);
		s->prefix_len += strlen(STORE_NEW);
	}
	map64_free(&s->verified);
}

/* ---- steps ---------------------------------------------------------------- */

static void
walk_fail(struct walk *w, enum store_result result, const char *message)
{
	if (w->result != STORE_OK)
		return;
	w->result = result;
	snprintf(w->message, sizeof(w->message), "%s", message);
}

static void
walk_end(struct walk *w)
{
	w->fn(w->result, w->message, w->arg);
	free(w);
}

static bool
walk_send(struct walk *w, redis_reply_fn *fn)
{
	if (store_send(w->store, fn, w))
		return (true);
	walk_fail(w, STORE_DOWN, "");
	return (false);
}

static void
arg_ms(struct store *s, long ms)
{
	char text[24];

	store_arg(s, slice_make(text, (size_t)snprintf(text, sizeof(text), "%ld", ms)));
}

static void
send_phase(struct walk *w, const char *next, redis_reply_fn *fn)
{
	struct store *s = w->store;

	store_args_begin(s);
	store_arg(s, SLICE("EVAL"));
	store_arg(s, slice_of(phase_script));
	store_arg(s, SLICE("5"));
	store_arg_base(s, SLICE("lease"));
	store_arg_base(s, SLICE(STORE_NEW "meta"));
	store_arg_base(s, SLICE("meta"));
	store_arg_base(s, SLICE(STORE_NEW "forget"));
	store_arg_base(s, SLICE("forget"));
	store_arg(s, slice_of(s->owner));
	arg_ms(s, LEASE_MS);
	store_arg(s, slice_of(phase_names[w->phase]));
	store_arg(s, slice_of(next));
	if (!walk_send(w, fn))
		fn(NULL, w);
}

static bool
script_fits(struct walk *w, const struct redisReply *r)
{
	char message[512];
	enum store_result result = store_reply(w->store, r, message, sizeof(message));

	if (result != STORE_OK)
		walk_fail(w, result, message);
	return (result == STORE_OK);
}

/* ---- one walk ---------------------------------------------------------------- */

static void scan(struct walk *);
static void prepare(struct walk *);

static void
on_phase_ended(struct redisReply *r, void *arg)
{
	struct walk *w = arg;

	if (!script_fits(w, r)) {
		walk_end(w);
		return;
	}
	if (w->phase == PHASE_CLEAR) {
		w->phase = PHASE_MOVE;
		strcpy(w->cursor, "0");
		scan(w);
	} else if (w->prepares)
		prepare(w);		/* nothing is half done now */
	else {
		store_choose(w->store, false);
		store_take_text(&w->store->replaced, r, 1);
		store_take_text(&w->store->shown, NULL, 0);
		walk_end(w);
	}
}

static void
batch_done(struct walk *w)
{
	static const char *const next[] = { [PHASE_CLEAR] = "move", [PHASE_MOVE] = "end", [PHASE_DROP] = "none", [PHASE_CANCEL] = "none" };

	if (--w->pending > 0)
		return;
	if (w->result != STORE_OK)
		walk_end(w);
	else if (strcmp(w->cursor, "0") != 0)
		scan(w);
	else
		send_phase(w, next[w->phase], on_phase_ended);
}

/* A key that SCAN told twice is gone at the second time. */
static void
on_changed(struct redisReply *r, void *arg)
{
	struct walk *w = arg;
	char message[512];

	if (r == NULL)
		walk_fail(w, STORE_DOWN, "");
	else if (r->type == REDIS_REPLY_ERROR && strncmp(r->str, "ERR no such key", 15) != 0) {
		snprintf(message, sizeof(message), "Redis refused: %.300s", r->str);
		walk_fail(w, STORE_REFUSED, message);
	}
	batch_done(w);
}

static void
on_renewed(struct redisReply *r, void *arg)
{
	struct walk *w = arg;

	script_fits(w, r);
	batch_done(w);
}

/* Of the old state, what stays: who writes, and what rpvctl has asked for and nobody has taken yet. */
static bool
stays(struct slice name)
{
	return (slice_is(name, "lease") || slice_is(name, "forget"));
}

/* What is to be done with a key that begins with the site's prefix; `name` is the rest of it. */
static void
change_key_of(struct walk *w, struct slice key, struct slice name)
{
	struct store *s = w->store;
	bool is_new = slice_starts(name, SLICE(STORE_NEW));
	struct slice rest = slice_skip(name, is_new ? strlen(STORE_NEW) : 0);

	if (is_new ? w->phase == PHASE_CLEAR || slice_is(rest, "meta") || (w->phase == PHASE_MOVE && slice_is(rest, "forget")) : w->phase != PHASE_CLEAR || stays(rest))
		return;
	store_args_begin(s);
	store_arg(s, w->phase == PHASE_MOVE ? SLICE("RENAME") : SLICE("UNLINK"));
	store_arg(s, key);
	if (w->phase == PHASE_MOVE)
		store_arg_base(s, rest);
	w->pending++;
	if (!walk_send(w, on_changed))
		w->pending--;
}

static void
on_scanned(struct redisReply *r, void *arg)
{
	struct walk *w = arg;
	const struct redisReply *keys;
	struct slice prefix = slice_make(w->store->prefix, w->store->base_len);
	char message[512];

	if (r == NULL || r->type != REDIS_REPLY_ARRAY || r->elements != 2) {
		snprintf(message, sizeof(message), "Redis refused: %.300s", r != NULL && r->type == REDIS_REPLY_ERROR ? r->str : "SCAN");
		walk_fail(w, r == NULL ? STORE_DOWN : STORE_REFUSED, r == NULL ? "" : message);
		walk_end(w);
		return;
	}
	snprintf(w->cursor, sizeof(w->cursor), "%s", r->element[0]->str);
	keys = r->element[1];
	w->pending = 2;
	for (size_t i = 0; i < keys->elements; i++) {
		struct slice key = slice_make(keys->element[i]->str, keys->element[i]->len);

		if (slice_starts(key, prefix))
			change_key_of(w, key, slice_skip(key, prefix.len));
	}
	send_phase(w, "", on_renewed);
	batch_done(w);
}

static void
scan(struct walk *w)
{
	struct store *s = w->store;
	struct buf pattern = { 0 };

	buf_put(&pattern, s->prefix, s->base_len);
	buf_putc(&pattern, '*');
	store_args_begin(s);
	store_arg(s, SLICE("SCAN"));
	store_arg(s, slice_of(w->cursor));
	store_arg(s, SLICE("MATCH"));
	store_arg(s, buf_view(&pattern));
	store_arg(s, SLICE("COUNT"));
	store_arg(s, SLICE(SCAN_COUNT));
	buf_free(&pattern);
	if (!walk_send(w, on_scanned))
		walk_end(w);
}

/* ---- beginning, or going on -------------------------------------------------- */

static enum phase
phase_of(const struct redisReply *r)
{
	for (size_t i = 0; i < N_ELEM(phase_names); i++)
		if (r->elements >= 2 && strcmp(r->element[1]->str, phase_names[i]) == 0)
			return ((enum phase)i);
	return (PHASE_NONE);
}

static void
on_begun(struct redisReply *r, void *arg)
{
	struct walk *w = arg;

	if (!script_fits(w, r)) {
		walk_end(w);
		return;
	}
	w->phase = phase_of(r);
	store_take_text(&w->store->shown, r, 2);
	strcpy(w->cursor, "0");
	if (w->phase == PHASE_NONE || w->phase == PHASE_BUILD) {
		store_choose(w->store, w->phase == PHASE_BUILD);
		w->store->wants_rebuild = false;
		walk_end(w);
		return;
	}
	/* One that was whole already is what was wanted. */
	if (w->phase != PHASE_CANCEL)
		w->store->wants_rebuild = w->phase == PHASE_DROP;
	scan(w);
}

static void
prepare(struct walk *w)
{
	struct store *s = w->store;

	store_args_begin(s);
	store_arg(s, SLICE("EVAL"));
	store_arg(s, slice_of(begin_script));
	store_arg(s, SLICE("3"));
	store_arg_base(s, SLICE("lease"));
	store_arg_base(s, SLICE(STORE_NEW "meta"));
	store_arg_base(s, SLICE("meta"));
	store_arg(s, slice_of(s->owner));
	arg_ms(s, LEASE_MS);
	arg_epoch(s);
	store_arg(s, slice_of(s->schema));
	store_arg(s, s->wants_rebuild ? SLICE("1") : SLICE("0"));
	store_arg(s, slice_of(s->keys));
	if (!walk_send(w, on_begun))
		walk_end(w);
}

static struct walk *
walk_new(struct store *s, enum phase phase, bool prepares, store_fn *fn, void *arg)
{
	struct walk *w = mem_calloc(1, sizeof(*w));

	*w = (struct walk){ .store = s, .fn = fn, .arg = arg, .phase = phase, .cursor = "0", .prepares = prepares };
	return (w);
}

void
store_prepare(struct store *s, store_fn *fn, void *arg)
{
	prepare(walk_new(s, PHASE_NONE, true, fn, arg));
}

static void
on_whole(struct redisReply *r, void *arg)
{
	struct walk *w = arg;

	if (!script_fits(w, r)) {
		walk_end(w);
		return;
	}
	w->phase = PHASE_CLEAR;
	scan(w);
}

void
store_swap(struct store *s, store_fn *fn, void *arg)
{
	must(store_is_building(s));
	send_phase(walk_new(s, PHASE_BUILD, false, fn, arg), "clear", on_whole);
}
