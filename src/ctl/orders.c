/*
 * orders: single orders: what was paid, what went back, which visit it was joined to, and
 * who has the credit.
 *
 * The only command that reads what lies below rpvd: (internal, of this very version)
 * and not the public keys: ten thousand orders are nothing to publish.
 */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/order_view.h"
#include "provider/provider.h"

#define LIMIT_DEFAULT 20
#define BATCH 500			/* commands sent before the first reply is awaited */
#define ALIAS_HOPS 16

struct listing {
	struct ctl *ctl;
	struct slice *names;		/* own; records still to be read */
	size_t n_names, names_cap;
	struct orderbook book;		/* owns all records read, aliases too */
	struct order **orders;		/* those that are listed */
	size_t n, cap, damaged;
	uint32_t *numbers;		/* of series, each once */
	size_t n_numbers, numbers_cap;
	struct order_shop shop;
};

static void
listing_init(struct listing *l, struct ctl *ctl)
{
	/* Ids come from strangers; the table's key is made of an address that they cannot know. */
	struct hash_key key = { { 0 } };
	uintptr_t where = (uintptr_t)l;

	*l = (struct listing){ .ctl = ctl, .shop.site = ctl->site };
	memcpy(key.bytes, &where, sizeof(where));
	orderbook_init(&l->book, &key);
}

static void
names_clear(struct listing *l)
{
	while (l->n_names > 0)
		free((char *)l->names[--l->n_names].p);
}

static void
listing_free(struct listing *l)
{
	names_clear(l);
	free(l->names);
	free(l->orders);
	free(l->numbers);
	series_names_free(&l->shop.names);
	orderbook_clear(&l->book);
}

/* ---- asking ----------------------------------------------------------------- */

static void
state_key(const struct ctl *ctl, struct slice name, struct buf *out)
{
	buf_printf(out, "rpvd:{%s.0}:", ctl->site);
	buf_put(out, name.p, name.len);
}

/* COMMAND KEY, or COMMAND KEY ARGUMENT. */
static void
send_state(struct ctl *ctl, const char *command, struct slice name, struct slice argument)
{
	struct buf key = { 0 };

	state_key(ctl, name, &key);
	ctl_send(ctl, argument.len > 0 ? 3 : 2, (struct slice[]){ slice_of(command), buf_view(&key), argument });
	buf_free(&key);
}

typedef void send_fn(struct listing *, size_t i);
typedef void take_fn(struct listing *, size_t i, const redisReply *);

/* n questions and their answers, in batches. */
static enum ctl_exit
ask_all(struct listing *l, size_t n, send_fn *ask, take_fn *take)
{
	for (size_t first = 0; first < n; first += BATCH) {
		size_t end = n - first > BATCH ? first + BATCH : n;

		for (size_t i = first; i < end; i++)
			ask(l, i);
		for (size_t i = first; i < end; i++) {
			redisReply *reply = ctl_receive(l->ctl);

			if (reply == NULL)
				return (CTL_REDIS);
			take(l, i, reply);
			freeReplyObject(reply);
		}
	}
	return (CTL_OK);
}

static struct slice
text_of(const redisReply *r)
{
	return (r->type == REDIS_REPLY_STRING ? slice_make(r->str, r->len) : slice_make(NULL, 0));
}

/* ---- records ---------------------------------------------------------------- */

/* "o:PROVIDER:ID"; an id may have colons. */
static bool
split_name(struct slice name, struct slice *provider, struct slice *id)
{
	if (!slice_is(slice_cut(&name, ':'), "o"))
		return (false);
	*provider = slice_cut(&name, ':');
	*id = name;
	return (provider->len > 0 && provider->len <= ORDER_ID_MAX && id->len > 0 && id->len <= ORDER_ID_MAX);
}

static void
add_name(struct listing *l, struct slice name)
{
	mem_grow(&l->names, &l->names_cap, l->n_names + 1, sizeof(*l->names));
	l->names[l->n_names++] = slice_make(mem_strndup(name.p, name.len), name.len);
}

static void
send_record(struct listing *l, size_t i)
{
	send_state(l->ctl, "GET", l->names[i], slice_make(NULL, 0));
}

/* A record may come twice; one that is another name of an order is kept, but not listed. */
static void
take_record(struct listing *l, size_t i, const redisReply *reply)
{
	struct slice provider, id, record = text_of(reply);
	struct order *o;

	if (record.len == 0 || !split_name(l->names[i], &provider, &id) || orderbook_find(&l->book, provider, id) != NULL)
		return;
	o = orderbook_add(&l->book, provider, id);
	if (order_decode(record, o) != 0) {
		orderbook_remove(&l->book, o);
		l->damaged++;
	} else if (o->alias_of.len == 0) {
		mem_grow(&l->orders, &l->cap, l->n + 1, sizeof(*l->orders));
		l->orders[l->n++] = o;
	}
}

static enum ctl_exit
read_records(struct listing *l)
{
	enum ctl_exit status = ask_all(l, l->n_names, send_record, take_record);

	names_clear(l);
	return (status);
}

/* ---- what else belongs to an order -------------------------------------------- */

static void
send_waiting(struct listing *l, size_t i)
{
	struct name name;

	name_order(&name, l->orders[i]->provider, l->orders[i]->id);
	send_state(l->ctl, "SISMEMBER", SLICE("waiting"), name_view(&name));
}

static void
take_waiting(struct listing *l, size_t i, const redisReply *reply)
{
	l->orders[i]->waiting = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
}

static void
add_number(struct listing *l, struct map64 *seen, uint32_t number)
{
	if (map64_get(seen, number) != NULL)
		return;
	map64_put(seen, number, l);
	mem_grow(&l->numbers, &l->numbers_cap, l->n_numbers + 1, sizeof(*l->numbers));
	l->numbers[l->n_numbers++] = number;
}

static void
collect_numbers(struct listing *l)
{
	struct map64 seen = { 0 };

	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->orders[i]->n_touches; k++) {
			const struct touch *t = &l->orders[i]->touches[k];

			add_number(l, &seen, t->source);
			add_number(l, &seen, t->channel);
			add_number(l, &seen, t->campaign);
		}
	map64_free(&seen);
}

static void
send_number(struct listing *l, size_t i)
{
	char text[16];

	send_state(l->ctl, "HGET", SLICE("s"), slice_make(text, (size_t)snprintf(text, sizeof(text), "%" PRIu32, l->numbers[i])));
}

/* The value begins with a byte for the dimension. */
static void
take_number(struct listing *l, size_t i, const redisReply *reply)
{
	if (text_of(reply).len > 0)
		series_names_put(&l->shop.names, l->numbers[i], slice_skip(text_of(reply), 1));
}

/* The site's currency, where no configuration told: any total has it. */
static enum ctl_exit
read_currency(struct listing *l)
{
	struct buf key = { 0 };
	redisReply *reply;

	if (l->ctl->currency[0] == '\0') {
		if (ctl_windows(l->ctl) != CTL_OK)
			return (CTL_REDIS);
		ctl_key(l->ctl, slice_of(ctl_usual_window(l->ctl)), &key);
		buf_puts(&key, ":total");
		ctl_send(l->ctl, 3, (struct slice[]){ SLICE("HGET"), buf_view(&key), SLICE("currency") });
		buf_free(&key);
		if ((reply = ctl_receive(l->ctl)) == NULL)
			return (CTL_REDIS);
		if (currency_parse(text_of(reply), &l->shop.currency))
			snprintf(l->ctl->currency, sizeof(l->ctl->currency), "%s", l->shop.currency.code);
		freeReplyObject(reply);
	}
	currency_parse(slice_of(l->ctl->currency), &l->shop.currency);
	return (CTL_OK);
}

static enum ctl_exit
complete(struct listing *l)
{
	enum ctl_exit status = ask_all(l, l->n, send_waiting, take_waiting);

	collect_numbers(l);
	if (status == CTL_OK)
		status = ask_all(l, l->n_numbers, send_number, take_number);
	return (status == CTL_OK ? read_currency(l) : status);
}

/* ---- which orders -------------------------------------------------------------- */

/* From the listing of the latest; a page may hold names that are aliases by now. */
static enum ctl_exit
find_latest(struct listing *l, size_t limit)
{
	enum ctl_exit status = CTL_OK;
	size_t found = 1;

	for (size_t first = 0; status == CTL_OK && found > 0 && l->n < limit; first += limit) {
		char from[24], to[24];
		struct buf key = { 0 };
		redisReply *reply;

		snprintf(from, sizeof(from), "%zu", first);
		snprintf(to, sizeof(to), "%zu", first + limit - 1);
		state_key(l->ctl, SLICE("orders"), &key);
		ctl_send(l->ctl, 4, (struct slice[]){ SLICE("ZREVRANGE"), buf_view(&key), slice_of(from), slice_of(to) });
		buf_free(&key);
		if ((reply = ctl_receive(l->ctl)) == NULL)
			return (CTL_REDIS);
		found = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
		for (size_t i = 0; i < found; i++)
			add_name(l, text_of(reply->element[i]));
		freeReplyObject(reply);
		status = read_records(l);
	}
	return (status);
}

/* A pattern that means just these bytes. */
static void
put_literal(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '\0' && strchr("*?[]\\", text.p[i]) != NULL)
			buf_putc(out, '\\');
		buf_putc(out, text.p[i]);
	}
}

/* All records whose name is "o:*", or "o:*:ID": SCAN, since KEYS would hold up everyone else. */
static enum ctl_exit
scan_records(struct listing *l, struct slice id)
{
	struct buf pattern = { 0 };
	char cursor[32] = "0";
	size_t prefix;

	state_key(l->ctl, SLICE(""), &pattern);
	prefix = pattern.len;
	buf_puts(&pattern, id.len > 0 ? "o:*:" : "o:*");
	put_literal(&pattern, id);
	do {
		redisReply *reply;

		ctl_send(l->ctl, 6, (struct slice[]){ SLICE("SCAN"), slice_of(cursor), SLICE("MATCH"), buf_view(&pattern),
		    SLICE("COUNT"), SLICE("1000") });
		if ((reply = ctl_receive(l->ctl)) == NULL)
			break;
		must(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->len < sizeof(cursor));
		strcpy(cursor, reply->element[0]->str);
		for (size_t i = 0; i < reply->element[1]->elements; i++)
			add_name(l, slice_skip(text_of(reply->element[1]->element[i]), prefix));
		freeReplyObject(reply);
	} while (strcmp(cursor, "0") != 0);
	buf_free(&pattern);
	return (l->ctl->redis == NULL ? CTL_REDIS : read_records(l));
}

/* Aliases lead on; what they lead to is read and listed. */
static enum ctl_exit
follow_aliases(struct listing *l)
{
	enum ctl_exit status = CTL_OK;
	bool more = true;

	for (int hop = 0; status == CTL_OK && more && hop < ALIAS_HOPS; hop++) {
		struct order *o;

		for (size_t i = 0; (o = strmap_next(l->book.by_key, &i, NULL)) != NULL;) {
			struct name name;

			if (o->alias_of.len == 0 || orderbook_find(&l->book, o->provider, o->alias_of) != NULL)
				continue;
			name_order(&name, o->provider, o->alias_of);
			add_name(l, name_view(&name));
		}
		more = l->n_names > 0;
		status = read_records(l);
	}
	return (status);
}

/* "PROVIDER:ID", else "ID" of any provider: first of those that there are modules for, then of those
 * that only order files name. */
static enum ctl_exit
find_order(struct listing *l, struct slice operand)
{
	struct buf name = { 0 };
	enum ctl_exit status;

	buf_puts(&name, "o:");
	buf_put(&name, operand.p, operand.len);
	add_name(l, buf_view(&name));
	if ((status = read_records(l)) == CTL_OK && strmap_count(l->book.by_key) == 0 && l->damaged == 0) {
		for (const struct provider *const *p = providers(); *p != NULL; p++) {
			name.len = 0;
			buf_printf(&name, "o:%s:%.*s", (*p)->name, SLICE_FMT(operand));
			add_name(l, buf_view(&name));
		}
		status = read_records(l);
	}
	if (status == CTL_OK && strmap_count(l->book.by_key) == 0 && l->damaged == 0)
		status = scan_records(l, operand);
	buf_free(&name);
	return (status == CTL_OK ? follow_aliases(l) : status);
}

/* ---- the command ---------------------------------------------------------------- */

static int
latest_first(const void *a, const void *b)
{
	const struct order *x = *(struct order *const *)a, *y = *(struct order *const *)b;
	int64_t tx = x->paid ? x->time_ms : INT64_MAX, ty = y->paid ? y->time_ms : INT64_MAX;
	int by_id = memcmp(x->id.p, y->id.p, x->id.len < y->id.len ? x->id.len : y->id.len);

	if (tx != ty)
		return (tx > ty ? -1 : 1);
	return (by_id != 0 ? by_id : (x->id.len > y->id.len) - (x->id.len < y->id.len));
}

static enum ctl_exit
set_model(struct listing *l)
{
	const char *name = l->ctl->opt.model != NULL ? l->ctl->opt.model : l->ctl->model;

	for (enum conf_model m = 0; name != NULL && m < CONF_MODELS; m++)
		if (strcmp(name, conf_model_name(m)) == 0) {
			l->shop.model = (int)m;
			return (CTL_OK);
		}
	if (name == NULL)
		return (CTL_OK);		/* the default is the first of them */
	err_set(&l->ctl->err, "there is no model %s: see rpvctl top --help", name);
	return (CTL_USAGE);
}

static void
write_json(struct listing *l, bool single, struct buf *out)
{
	json_t *object, *list = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(list, order_json(&l->shop, l->orders[i]));
	if (single) {
		json_write(json_incref(json_array_get(list, 0)), out);
		json_decref(list);
		return;
	}
	object = json_object();
	json_object_set_new(object, "site", json_text(slice_of(l->ctl->site)));
	json_object_set_new(object, "model", json_string(conf_model_name((enum conf_model)l->shop.model)));
	json_object_set_new(object, "unreadable", json_integer((json_int_t)l->damaged));
	json_object_set_new(object, "orders", list);
	json_write(object, out);
}

/* One id at two providers: which? */
static enum ctl_exit
ambiguous(struct listing *l)
{
	struct buf list = { 0 };

	for (size_t i = 0; i < l->n && i < 5; i++)
		buf_printf(&list, "%s%.*s:%.*s", i > 0 ? ", " : "", SLICE_FMT(l->orders[i]->provider), SLICE_FMT(l->orders[i]->id));
	err_set(&l->ctl->err, "which order?  one of: %.*s", SLICE_FMT(buf_view(&list)));
	buf_free(&list);
	return (CTL_USAGE);
}

static enum ctl_exit
nothing(struct listing *l)
{
	struct buf what = { 0 };
	enum ctl_exit status;

	if (l->damaged > 0) {
		err_set(&l->ctl->err, "no record of these orders can be read: rpvctl and rpvd must be of the same version");
		return (CTL_NOTHING);
	}
	buf_puts(&what, l->ctl->opt.operand != NULL ? "order " : "orders yet");
	if (l->ctl->opt.operand != NULL)
		buf_puts(&what, l->ctl->opt.operand);
	status = ctl_nothing(l->ctl, buf_view(&what));
	buf_free(&what);
	return (status);
}

static void
show(struct listing *l, struct buf *out)
{
	bool single = l->ctl->opt.operand != NULL;

	if (l->ctl->opt.json)
		write_json(l, single, out);
	else if (single)
		order_write(&l->shop, l->orders[0], ctl_width(), out);
	else {
		orders_write(&l->shop, l->orders, l->n, ctl_width(), out);
		if (l->damaged > 0)
			buf_printf(out, "\n%zu more cannot be read: rpvctl and rpvd must be of the same version\n", l->damaged);
	}
}

static size_t
limit_of(const struct ctl_options *o)
{
	if (o->limit > 0)
		return ((size_t)o->limit);
	return (o->all ? SIZE_MAX : LIMIT_DEFAULT);
}

static enum ctl_exit
find(struct listing *l)
{
	const struct ctl_options *o = &l->ctl->opt;

	if (o->operand != NULL)
		return (find_order(l, slice_of(o->operand)));
	return (o->all ? scan_records(l, slice_make(NULL, 0)) : find_latest(l, limit_of(o)));
}

/* For a program that is an answer like any other. */
static bool
is_empty_list(const struct listing *l)
{
	return (l->ctl->opt.json && l->ctl->opt.operand == NULL && l->damaged == 0 && ctl_has_site(l->ctl));
}

static enum ctl_exit
list_orders(struct listing *l, struct buf *out)
{
	enum ctl_exit status;

	if ((status = set_model(l)) != CTL_OK || (status = find(l)) != CTL_OK)
		return (status);
	if (l->n == 0 && !is_empty_list(l))
		return (nothing(l));
	if (l->ctl->opt.operand != NULL && l->n > 1)
		return (ambiguous(l));
	if (l->n > 1)
		qsort(l->orders, l->n, sizeof(*l->orders), latest_first);
	if (l->n > limit_of(&l->ctl->opt))
		l->n = limit_of(&l->ctl->opt);
	if ((status = complete(l)) == CTL_OK)
		show(l, out);
	return (status);
}

enum ctl_exit
ctl_orders(struct ctl *ctl, struct buf *out)
{
	struct listing l;
	enum ctl_exit status;

	listing_init(&l, ctl);
	status = list_orders(&l, out);
	listing_free(&l);
	return (status);
}

/* ---- for other commands ----------------------------------------------------------- */

enum ctl_exit
ctl_each_order(struct ctl *ctl, void (*fn)(const struct order *, void *), void *arg, size_t *damaged)
{
	struct listing l;
	enum ctl_exit status;

	listing_init(&l, ctl);
	status = scan_records(&l, slice_make(NULL, 0));
	for (size_t i = 0; status == CTL_OK && i < l.n; i++)
		fn(l.orders[i], arg);
	*damaged = l.damaged;
	listing_free(&l);
	return (status);
}
