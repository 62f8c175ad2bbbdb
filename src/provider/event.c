/*
 * event: see event.h.
 */
#include "provider/event.h"

#include "base/mem.h"

bool
event_begin(struct event *e, const struct provider *provider, const struct amounts *amounts, const struct provider_conf *conf,
    const struct request *req, struct delivery *out)
{
	*e = (struct event){ .conf = conf, .request = req, .out = out, .amounts = amounts,
	    .message.provider = slice_of(provider->name) };
	delivery_begin(out);
	return (request_is_post(req, out));
}

bool
event_parse(struct event *e)
{
	bool parsed = body_parse(e->request->body, e->out, &e->body);

	e->object = e->body;
	return (parsed);
}

event_reader *
event_reader_of(struct event *e, const char *path, const struct event_type *types, size_t n)
{
	struct slice type;

	if (!body_id(&e->body, path, &type))
		return (NULL);
	e->out->type = type;
	for (size_t i = 0; i < n; i++)
		if (slice_is(type, types[i].type))
			return (types[i].read);
	delivery_ignore(e->out, "irrelevant_type");
	return (NULL);
}

void
event_read_standard(const struct provider *provider, const struct amounts *amounts, enum standard_keys keys,
    const struct event_type *types, size_t n, const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct event e;
	struct slice id;
	event_reader *read;

	if (!event_begin(&e, provider, amounts, conf, req, out) || !signed_standard(conf, req, keys, &id, out) || !event_parse(&e))
		return;
	e.message.event_id = delivery_keep(out, id);
	read = event_reader_of(&e, "type", types, n);
	if (read != NULL && event_time(&e, "timestamp", TIME_RFC3339) && body_object(&e.body, "data", &e.object))
		read(&e);
}

bool
event_is_of_other_mode(struct event *e, bool is_test)
{
	if (is_test == e->conf->test)
		return (false);
	delivery_ignore(e->out, "test_mode");
	return (true);
}

/* ---- of the object ---- */

struct slice
event_text(const struct event *e, const char *path)
{
	return (body_text(&e->object, path));
}

struct slice
event_either(const struct event *e, const char *path, const char *other)
{
	struct slice text = body_text(&e->object, path);

	return (text.len > 0 ? text : body_text(&e->object, other));
}

struct slice
event_visitor(const struct event *e, const char *path)
{
	return (body_text_of(&e->object, path, e->conf->visitor_key));
}

struct slice
event_customer(const struct event *e, const char *id, const char *email)
{
	struct slice text = body_text(&e->object, id);

	return (text.len > 0 ? text : delivery_email(e->out, body_text(&e->object, email)));
}

static int
unit_exponent(const struct amounts *a, struct currency c)
{
	for (const struct own_unit *own = a->except; own != NULL && own->currency != NULL; own++)
		if (memcmp(c.code, own->currency, 3) == 0)
			return (own->exponent);
	return (a->exponent == UNITS_ISO ? currency_exponent(c) : a->exponent);
}

bool
event_amount(const struct event *e, const char *path, int64_t *minor)
{
	struct currency c = e->message.currency;

	if (e->amounts->exponent == UNITS_TEXT)
		return (body_amount(&e->object, path, c, minor));
	return (body_units(&e->object, path, unit_exponent(e->amounts, c), c, minor));
}

bool
event_amount_or_0(const struct event *e, const char *path, int64_t *minor)
{
	*minor = 0;
	return (body_at(&e->object, path) == NULL || event_amount(e, path, minor));
}

bool
event_amount_of_both(const struct event *e, const char *path, const char *other, int64_t *minor)
{
	struct currency c = e->message.currency;
	int64_t units, more = 0;

	if (!body_integer(&e->object, path, &units) || (body_at(&e->object, other) != NULL && !body_integer(&e->object, other, &more)))
		return (false);
	return ((!__builtin_add_overflow(units, more, &units) && money_from_units(units, unit_exponent(e->amounts, c), c, minor)) ||
	    body_complain(&e->object, path, "is no amount"));
}

bool
event_money(struct event *e, const char *currency, const char *amount)
{
	return (body_currency(&e->object, currency, &e->message.currency) && event_amount(e, amount, &e->message.amount));
}

bool
event_id_text(const struct event *e, const char *path, struct slice *id)
{
	return (body_id(&e->object, path, id));
}

bool
event_time(struct event *e, const char *path, enum time_form form)
{
	return (body_time(&e->object, path, form, &e->message.time_ms));
}

/* ---- the message ---- */

bool
event_is_zero(struct event *e)
{
	if (e->message.amount != 0)
		return (false);
	delivery_ignore(e->out, "zero_amount");
	return (true);
}

/* "paid:" and the order, "refunded:" and the refund. */
static struct slice
id_by_content(const struct event *e)
{
	const struct order_message *m = &e->message;
	struct buf name = { 0 };
	struct slice id;

	buf_printf(&name, "%s:", order_kind_name(m->kind) + strlen("order."));
	buf_putc(&name, '\0');
	id = delivery_prefixed(e->out, name.p, m->kind == ORDER_PAID ? m->order_id : m->part_id);
	buf_free(&name);
	return (id);
}

bool
event_add(struct event *e, enum order_kind kind)
{
	e->message.kind = kind;
	if (e->message.event_id.len == 0)
		e->message.event_id = id_by_content(e);
	return (delivery_add(e->out, &e->message));
}

bool
event_add_part(struct event *e, enum order_kind kind, const struct part_paths *p)
{
	struct order_message *m = &e->message;

	return ((p->id == NULL || body_id(&e->object, p->id, &m->part_id)) && body_id(&e->object, p->order, &m->order_id) &&
	    event_money(e, p->currency, p->amount) && event_add(e, kind));
}
