/*
 * delivery: how a provider module fills in its answer.
 *
 * The answering functions return false, so that a reader can end with
 * `return (delivery_ignore(out, "not_paid"))` wherever it knows enough.  Internal to
 * src/provider.
 */
#ifndef RPVD_PROVIDER_DELIVERY_H
#define RPVD_PROVIDER_DELIVERY_H

#include <jansson.h>
#include <stdbool.h>

#include "provider/provider.h"

/* Every module begins with this: accepted, no message, no reason yet. */
void delivery_begin(struct delivery *);

/* Accepted without an event; reason is a constant. */
bool delivery_ignore(struct delivery *, const char *reason);
bool delivery_reject(struct delivery *, int status, const char *reason);
/* Authentic, but cannot be used: what was read so far is dropped. */
bool delivery_bad_body(struct delivery *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Copies the message in.  False, and a bad body, where an id is missing or too long, or
 * where there are too many messages. */
bool delivery_add(struct delivery *, const struct order_message *);

/* Strings that live as long as the delivery: a copy; prefix and text ("paid:" and an order
 * id); "email:" and the address in small letters, or nothing where there is no address. */
struct slice delivery_keep(struct delivery *, struct slice text);
struct slice delivery_prefixed(struct delivery *, const char *prefix, struct slice text);
struct slice delivery_email(struct delivery *, struct slice address);
/* Takes the reference over. */
void delivery_keep_json(struct delivery *, json_t *);

/* Nothing is added where the text is empty or the list is full. */
void message_token(struct order_message *, struct slice);
void message_alias(struct order_message *, struct slice);
/* Address and user agent are of use together only. */
void message_agent(struct order_message *, struct slice ip, struct slice user_agent);

#endif
