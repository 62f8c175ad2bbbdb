/*
 * generic: events in rpvd's own form, over HTTP as Standard Webhooks or a line of an
 * order file each.
 *
 * It is the form in which every other module ends, so that its fields are those of
 * struct order_message, one to one.
 */
#include "base/mem.h"
#include "provider/body.h"
#include "provider/modules.h"
#include "provider/signature.h"

/* false: not one of ours, which is no mistake of the sender's. */
static bool
kind_of(struct slice type, enum order_kind *kind)
{
	for (unsigned k = 0; k < ORDER_KINDS; k++)
		if (slice_is(type, order_kind_name((enum order_kind)k))) {
			*kind = (enum order_kind)k;
			return (true);
		}
	return (false);
}

/* An array of up to max ids, behind the n that are there already. */
static bool
read_list(const struct body *b, const char *path, struct slice *list, size_t *n, size_t max)
{
	json_t *array = body_at(b, path), *value;
	size_t i;

	if (array == NULL)
		return (true);
	if (!json_is_array(array))
		return (body_complain(b, path, "is no array"));
	if (json_array_size(array) > max - *n)
		return (body_complain(b, path, "has too many entries"));
	json_array_foreach(array, i, value) {
		if (!json_is_string(value) || json_string_length(value) == 0)
			return (body_complain(b, path, "has an entry that is no text"));
		list[(*n)++] = slice_make(json_string_value(value), json_string_length(value));
	}
	return (true);
}

static bool
read_order(const struct body *event, struct order_message *m)
{
	struct body order;

	if (!body_object(event, "order", &order) || !body_id(&order, "id", &m->order_id) ||
	    !body_currency(&order, "currency", &m->currency) ||
	    !body_amount(&order, "total", m->currency, &m->amount) ||
	    !body_amount_or_0(&order, "tax", m->currency, &m->tax) ||
	    !body_amount_or_0(&order, "shipping", m->currency, &m->shipping) ||
	    !body_bool_or_false(&order, "recurring", &m->recurring))
		return (false);
	m->customer = body_text(&order, "customer");
	m->visitor = body_text(&order, "visitor");
	message_agent(m, body_text(&order, "ip"), body_text(&order, "user_agent"));
	message_token(m, body_text(&order, "token"));
	if (!read_list(&order, "tokens", m->tokens, &m->n_tokens, ORDER_TOKENS_MAX) ||
	    !read_list(&order, "aliases", m->aliases, &m->n_aliases, ORDER_ALIASES_MAX))
		return (false);
	return (m->amount > 0 || delivery_ignore(event->out, "zero_amount"));
}

/* `refund` and `dispute` have the same fields. */
static bool
read_part(const struct body *event, const char *name, struct order_message *m)
{
	struct body part;

	return (body_object(event, name, &part) && body_id(&part, "id", &m->part_id) &&
	    body_id(&part, "order_id", &m->order_id) && body_currency(&part, "currency", &m->currency) &&
	    body_amount(&part, "amount", m->currency, &m->amount) &&
	    (m->kind != ORDER_REFUNDED || body_bool_or_false(&part, "cumulative", &m->cumulative)));
}

static bool
read_alias(const struct body *event, struct order_message *m)
{
	struct body alias;

	m->n_aliases = 1;
	return (body_object(event, "alias", &alias) && body_id(&alias, "order_id", &m->order_id) &&
	    body_id(&alias, "alias", &m->aliases[0]));
}

static bool
read_kind(const struct body *event, struct order_message *m)
{
	switch (m->kind) {
	case ORDER_PAID:
		return (read_order(event, m));
	case ORDER_REFUNDED:
		return (read_part(event, "refund", m));
	case ORDER_DISPUTED:
	case ORDER_DISPUTE_WON:
		return (read_part(event, "dispute", m));
	case ORDER_ALIAS:
		return (read_alias(event, m));
	case ORDER_KINDS:
		break;
	}
	must(m->kind < ORDER_KINDS);
	return (false);
}

/* id_elsewhere stands in for an `id` that is not there; empty where nothing does. */
static void
read_event(const struct body *event, struct slice id_elsewhere, struct delivery *out)
{
	struct order_message m = { .provider = body_text(event, "provider"), .event_id = id_elsewhere };
	struct slice type = body_text(event, "type");

	out->type = type;
	if (type.len == 0) {
		body_complain(event, "type", "is missing");
		return;
	}
	if (!kind_of(type, &m.kind)) {
		delivery_ignore(out, "irrelevant_type");
		return;
	}
	if (m.provider.len == 0)
		m.provider = SLICE("generic");
	if (slice_find(m.provider, ':') >= 0) {		/* it parts provider and id in the names of records */
		body_complain(event, "provider", "has a colon");
		return;
	}
	if ((id_elsewhere.len == 0 || body_at(event, "id") != NULL) && !body_id(event, "id", &m.event_id))
		return;
	if (body_time(event, "time", TIME_RFC3339, &m.time_ms) && read_kind(event, &m))
		delivery_add(out, &m);
}

static void
generic_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct body event;
	struct slice id;

	delivery_begin(out);
	if (!request_is_post(req, out) || !signed_standard(conf, req, KEYS_BASE64, &id, out) ||
	    !body_parse(req->body, out, &event))
		return;
	read_event(&event, delivery_keep(out, id), out);
}

int
order_line_read(struct slice line, struct delivery *out, struct err *err)
{
	struct body event;

	delivery_begin(out);
	if (body_parse(line, out, &event))
		read_event(&event, SLICE(""), out);
	if (out->verdict != VERDICT_ACCEPT)
		return (err_set(err, "%s", out->detail));
	return (0);
}

static const char *const none[] = { NULL };

const struct provider provider_generic = { .name = "generic", .read = generic_read, .token_params = none, .payment_pages = none,
    .needs = NEEDS_SECRET };
