/*
 * report: see report.h.
 */
#include "provider/report.h"

#include "base/mem.h"

bool
report_begin(struct report *r, const struct provider *provider, const struct amounts *amounts, const struct provider_conf *conf,
    const struct request *req, struct delivery *out)
{
	*r = (struct report){ .conf = conf, .request = req, .out = out, .amounts = amounts,
	    .message.provider = slice_of(provider->name) };
	delivery_begin(out);
	return (request_is_post(req, out));
}

bool
report_parse(struct report *r)
{
	bool parsed = body_parse(r->request->body, r->out, &r->body);

	r->object = r->body;
	return (parsed);
}

report_reader *
report_reader_of(struct report *r, const char *path, const struct report_type *types, size_t n)
{
	struct slice type;

	if (!body_id(&r->body, path, &type))
		return (NULL);
	r->out->type = type;
	for (size_t i = 0; i < n; i++)
		if (slice_is(type, types[i].type))
			return (types[i].read);
	delivery_ignore(r->out, "irrelevant_type");
	return (NULL);
}

void
report_read_standard(const struct provider *provider, const struct amounts *amounts, enum standard_keys keys,
    const struct report_type *types, size_t n, const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	struct slice id;
	report_reader *read;

	if (!report_begin(&r, provider, amounts, conf, req, out) || !signed_standard(conf, req, keys, &id, out) || !report_parse(&r))
		return;
	r.message.event_id = delivery_keep(out, id);
	read = report_reader_of(&r, "type", types, n);
	if (read != NULL && report_time(&r, "timestamp", TIME_RFC3339) && body_object(&r.body, "data", &r.object))
		read(&r);
}

bool
report_is_of_other_mode(struct report *r, bool is_test)
{
	if (is_test == r->conf->test)
		return (false);
	delivery_ignore(r->out, "test_mode");
	return (true);
}

/* ---- of the object ---- */

struct slice
report_text(const struct report *r, const char *path)
{
	return (body_text(&r->object, path));
}

struct slice
report_either(const struct report *r, const char *path, const char *other)
{
	struct slice text = body_text(&r->object, path);

	return (text.len > 0 ? text : body_text(&r->object, other));
}

struct slice
report_visitor(const struct report *r, const char *path)
{
	return (body_text_of(&r->object, path, r->conf->visitor_key));
}

struct slice
report_customer(const struct report *r, const char *id, const char *email)
{
	struct slice text = body_text(&r->object, id);

	return (text.len > 0 ? text : delivery_email(r->out, body_text(&r->object, email)));
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
report_amount(const struct report *r, const char *path, int64_t *minor)
{
	struct currency c = r->message.currency;

	if (r->amounts->exponent == UNITS_TEXT)
		return (body_amount(&r->object, path, c, minor));
	return (body_units(&r->object, path, unit_exponent(r->amounts, c), c, minor));
}

bool
report_amount_or_0(const struct report *r, const char *path, int64_t *minor)
{
	*minor = 0;
	return (body_at(&r->object, path) == NULL || report_amount(r, path, minor));
}

bool
report_amount_of_both(const struct report *r, const char *path, const char *other, int64_t *minor)
{
	struct currency c = r->message.currency;
	int64_t units, more = 0;

	if (!body_integer(&r->object, path, &units) || (body_at(&r->object, other) != NULL && !body_integer(&r->object, other, &more)))
		return (false);
	return ((!__builtin_add_overflow(units, more, &units) && money_from_units(units, unit_exponent(r->amounts, c), c, minor)) ||
	    body_complain(&r->object, path, "is no amount"));
}

bool
report_money(struct report *r, const char *currency, const char *amount)
{
	return (body_currency(&r->object, currency, &r->message.currency) && report_amount(r, amount, &r->message.amount));
}

bool
report_id(const struct report *r, const char *path, struct slice *id)
{
	return (body_id(&r->object, path, id));
}

bool
report_time(struct report *r, const char *path, enum time_form form)
{
	return (body_time(&r->object, path, form, &r->message.time_ms));
}

/* ---- the message ---- */

bool
report_is_zero(struct report *r)
{
	if (r->message.amount != 0)
		return (false);
	delivery_ignore(r->out, "zero_amount");
	return (true);
}

/* "paid:" and the order, "refunded:" and the refund. */
static struct slice
id_by_content(const struct report *r)
{
	const struct order_message *m = &r->message;
	struct buf name = { 0 };
	struct slice id;

	buf_printf(&name, "%s:", order_kind_name(m->kind) + strlen("order."));
	buf_putc(&name, '\0');
	id = delivery_prefixed(r->out, name.p, m->kind == ORDER_PAID ? m->order_id : m->part_id);
	buf_free(&name);
	return (id);
}

bool
report_add(struct report *r, enum order_kind kind)
{
	r->message.kind = kind;
	if (r->message.event_id.len == 0)
		r->message.event_id = id_by_content(r);
	return (delivery_add(r->out, &r->message));
}

bool
report_add_part(struct report *r, enum order_kind kind, const struct part_paths *p)
{
	struct order_message *m = &r->message;

	return ((p->id == NULL || body_id(&r->object, p->id, &m->part_id)) && body_id(&r->object, p->order, &m->order_id) &&
	    report_money(r, p->currency, p->amount) && report_add(r, kind));
}
