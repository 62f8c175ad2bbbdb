/*
 * delivery: see delivery.h.
 *
 * What messages borrow from lives in one place that goes at the end: the parsed
 * body, and the few strings that are in no body.
 */
#include "provider/delivery.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct kept {
	struct kept *next;
	char bytes[];
};

struct arena {
	json_t *json;
	struct kept *kept;
};

void
delivery_begin(struct delivery *d)
{
	/* Not the whole struct: its messages are tens of kilobytes, and count from n_messages on. */
	d->verdict = VERDICT_ACCEPT;
	d->status = 200;
	d->reason = NULL;
	d->detail[0] = '\0';
	d->secret_index = -1;
	d->signed_s = 0;
	d->wants_certificate = d->type = SLICE("");
	d->n_messages = 0;
	d->arena = mem_calloc(1, sizeof(struct arena));
}

void
delivery_free(struct delivery *d)
{
	struct arena *arena = d->arena;

	d->n_messages = 0;
	d->arena = NULL;
	if (arena == NULL)
		return;
	for (struct kept *k = arena->kept, *next; k != NULL; k = next) {
		next = k->next;
		free(k);
	}
	json_decref(arena->json);
	free(arena);
}

bool
delivery_ignore(struct delivery *d, const char *reason)
{
	if (d->n_messages == 0)
		d->reason = reason;
	return (false);
}

bool
delivery_reject(struct delivery *d, int status, const char *reason)
{
	d->verdict = VERDICT_REJECT;
	d->status = status;
	d->reason = reason;
	d->n_messages = 0;
	return (false);
}

bool
delivery_bad_body(struct delivery *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->detail, sizeof(d->detail), fmt, ap);
	va_end(ap);
	delivery_reject(d, 400, "bad_body");
	d->verdict = VERDICT_QUARANTINE;
	return (false);
}

static bool
id_fits(struct slice id, bool required)
{
	return (id.len <= ORDER_ID_MAX && (id.len > 0 || !required));
}

bool
delivery_add(struct delivery *d, const struct order_message *m)
{
	bool has_part = m->kind != ORDER_PAID && m->kind != ORDER_ALIAS;

	if (!id_fits(m->event_id, true) || !id_fits(m->provider, true) || !id_fits(m->order_id, true) ||
	    !id_fits(m->part_id, has_part))
		return (delivery_bad_body(d, "an id is empty or longer than %d bytes", ORDER_ID_MAX));
	for (size_t i = 0; i < m->n_aliases; i++)
		if (!id_fits(m->aliases[i], true))
			return (delivery_bad_body(d, "an alias is empty or longer than %d bytes", ORDER_ID_MAX));
	if (d->n_messages == DELIVERY_MESSAGES_MAX)
		return (delivery_bad_body(d, "more than %d events in one delivery", DELIVERY_MESSAGES_MAX));
	d->messages[d->n_messages++] = *m;
	d->reason = NULL;
	return (true);
}

/* Room for len bytes and a NUL. */
static char *
arena_room(struct delivery *d, size_t len)
{
	struct arena *arena = d->arena;
	struct kept *k = mem_alloc(sizeof(*k) + len + 1);

	k->next = arena->kept;
	arena->kept = k;
	k->bytes[len] = '\0';
	return (k->bytes);
}

struct slice
delivery_keep(struct delivery *d, struct slice text)
{
	return (delivery_prefixed(d, "", text));
}

struct slice
delivery_prefixed(struct delivery *d, const char *prefix, struct slice text)
{
	size_t len = strlen(prefix);
	char *room = arena_room(d, len + text.len);

	memcpy(room, prefix, len);
	if (text.len > 0)
		memcpy(room + len, text.p, text.len);
	return (slice_make(room, len + text.len));
}

struct slice
delivery_email(struct delivery *d, struct slice address)
{
	const struct slice prefix = SLICE("email:");
	char *room;

	if (address.len == 0)
		return (address);
	room = arena_room(d, prefix.len + address.len);
	memcpy(room, prefix.p, prefix.len);
	for (size_t i = 0; i < address.len; i++)
		room[prefix.len + i] = ascii_lower(address.p[i]);
	return (slice_make(room, prefix.len + address.len));
}

void
delivery_keep_json(struct delivery *d, json_t *json)
{
	struct arena *arena = d->arena;

	must(arena->json == NULL);
	arena->json = json;
}

void
message_token(struct order_message *m, struct slice token)
{
	if (token.len > 0 && m->n_tokens < ORDER_TOKENS_MAX)
		m->tokens[m->n_tokens++] = token;
}

void
message_alias(struct order_message *m, struct slice alias)
{
	if (alias.len > 0 && m->n_aliases < ORDER_ALIASES_MAX)
		m->aliases[m->n_aliases++] = alias;
}

void
message_agent(struct order_message *m, struct slice ip, struct slice user_agent)
{
	if (ip.len == 0 || user_agent.len == 0)
		return;
	m->ip = ip;
	m->user_agent = user_agent;
}
