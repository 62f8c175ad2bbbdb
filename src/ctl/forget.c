/*
 * forget: a person is forgotten.
 *
 * rpvd knows a person by keyed hashes: of cookies, of customer ids and addresses.  They are
 * computed here, under the site's key, which lies in state_dir; what the person gave does
 * not leave this process.  Orders lead from one hash to others of the same person, until no
 * more are found.  The request, hashes and names of orders, goes into the site's record
 * `forget`; rpvd carries it out and takes it away in one commit.
 */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "core/forget.h"
#include "core/orderbook.h"
#include "core/visitor.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "io/keys.h"

#define DEFAULT_DIR "/var/lib/rpvd"
#define PATIENCE_S 30
#define ROUNDS 3			/* orders that came meanwhile ask for another */

struct search {
	struct ctl *ctl;
	struct forget who;
	bool found_order, grew, too_many;
	size_t damaged;
};

/* ---- whom ------------------------------------------------------------------ */

static bool
add_hash(struct search *s, uint64_t hash)
{
	size_t before = s->who.n_hashes;

	s->too_many |= !forget_add_hash(&s->who, hash);
	s->grew |= s->who.n_hashes > before;
	return (s->who.n_hashes > before);
}

static void
add_customer_of(struct search *s, struct keyring *ring, struct slice provider, struct slice customer)
{
	struct order_message m = { .provider = provider, .customer = customer };
	struct order_event e;

	order_event_hash(ring, &m, &e);
	add_hash(s, e.customer);
}

/* "PROVIDER:ID", or an address. */
static enum ctl_exit
add_customer(struct search *s, struct keyring *ring, const char *text)
{
	struct slice id = slice_of(text), provider = slice_cut(&id, ':');
	struct buf email = { 0 };

	if (strchr(text, '@') == NULL && (provider.len == 0 || id.len == 0)) {
		err_set(&s->ctl->err, "--customer is an e-mail address, or PROVIDER:ID such as stripe:cus_Nff");
		return (CTL_USAGE);
	}
	if (strchr(text, '@') == NULL) {
		add_customer_of(s, ring, provider, id);
		return (CTL_OK);
	}
	buf_puts(&email, "email:");
	for (const char *p = text; *p != '\0'; p++)
		buf_putc(&email, ascii_lower(*p));
	add_customer_of(s, ring, SLICE(""), buf_view(&email));
	explicit_bzero(email.p, email.len);
	buf_free(&email);
	return (CTL_OK);
}

static enum ctl_exit
add_persons(struct search *s)
{
	const struct ctl_options *o = &s->ctl->opt;
	const char *dir = s->ctl->state_dir != NULL ? s->ctl->state_dir : DEFAULT_DIR;
	struct keyring ring = { .n_days = 0 };
	enum ctl_exit status = CTL_OK;
	struct err why;

	if (o->customer == NULL && o->visitor == NULL)
		return (CTL_OK);
	if (keys_look(dir, s->ctl->site, &ring.site, &why) != 0) {
		err_set(&s->ctl->err, "the key of the hashes is needed: %s; run this on rpvd's machine, as root", why.msg);
		return (CTL_USAGE);
	}
	if (o->customer != NULL)
		status = add_customer(s, &ring, o->customer);
	if (o->visitor != NULL) {
		add_hash(s, hash_cookie(&ring, slice_of(o->visitor)));
		add_hash(s, hash_uid(&ring, slice_of(o->visitor)));
	}
	keyring_clear(&ring);
	return (status);
}

/* ---- their orders ------------------------------------------------------------- */

static bool
is_named(const struct ctl_options *o, const struct order *order)
{
	struct slice id = slice_of(o->order != NULL ? o->order : ""), provider = slice_cut(&id, ':');

	if (o->order == NULL)
		return (false);
	return (slice_is(order->id, o->order) || (slice_equal(provider, order->provider) && slice_equal(id, order->id)));
}

static bool
is_theirs(const struct search *s, const struct order *o)
{
	const struct forget *f = &s->who;

	return (forget_has(f, o->customer) || forget_has(f, o->visitors[0]) || forget_has(f, o->visitors[1]) ||
	    (o->how != JOIN_NONE && forget_has(f, o->visit.visitor)));
}

static void
add_keys(const struct order *o, void *arg)
{
	struct search *s = arg;
	bool named = is_named(&s->ctl->opt, o);

	s->found_order |= named;
	if (o->erased || !(named || is_theirs(s, o)))
		return;
	add_hash(s, o->customer);
	add_hash(s, o->visitors[0]);
	add_hash(s, o->visitors[1]);
	if (o->how != JOIN_NONE)
		add_hash(s, o->visit.visitor);
}

static void
add_order(const struct order *o, void *arg)
{
	struct search *s = arg;
	struct name name;

	if (o->erased || !(is_named(&s->ctl->opt, o) || is_theirs(s, o)))
		return;
	name_order(&name, o->provider, o->id);
	s->too_many |= !forget_add_order(&s->who, name_view(&name));
}

/* From order to hash to order; each walk reads them all, and few are needed. */
static enum ctl_exit
find_orders(struct search *s)
{
	enum ctl_exit status;

	do {
		s->grew = false;
		if ((status = ctl_each_order(s->ctl, add_keys, s, &s->damaged)) != CTL_OK)
			return (status);
	} while (s->grew && !s->too_many);
	buf_free(&s->who.orders);
	s->who.n_orders = 0;
	return (ctl_each_order(s->ctl, add_order, s, &s->damaged));
}

static enum ctl_exit
check(struct search *s)
{
	if (s->ctl->opt.order != NULL && !s->found_order) {
		err_set(&s->ctl->err, "there is no order %.200s", s->ctl->opt.order);
		return (CTL_NOTHING);
	}
	if (s->damaged > 0) {
		err_set(&s->ctl->err, "records of orders cannot be read: rpvctl and rpvd must be of the same version");
		return (CTL_NOTHING);
	}
	if (s->too_many) {
		err_set(&s->ctl->err, "more than %d orders or %d hashes: this is no single person; name them by order", FORGET_ORDERS_MAX, FORGET_HASHES_MAX);
		return (CTL_NOTHING);
	}
	return (CTL_OK);
}

/* ---- the request ---------------------------------------------------------------- */

static redisReply *
ask(struct search *s, const char *command, struct slice value)
{
	struct buf key = { 0 };
	struct name field;

	buf_printf(&key, "rpvd:{%s.0}:forget", s->ctl->site);
	forget_field(&s->who, &field);
	ctl_send(s->ctl, value.len > 0 ? 4 : 3, (struct slice[]){ slice_of(command), buf_view(&key), name_view(&field), value });
	buf_free(&key);
	return (ctl_receive(s->ctl));
}

static enum ctl_exit
wait_until_done(struct search *s, bool *done)
{
	static const struct timespec pause = { 0, 200 * 1000 * 1000 };

	*done = false;
	for (int i = 0; i < PATIENCE_S * 5 && !*done; i++) {
		redisReply *reply;

		nanosleep(&pause, NULL);
		if ((reply = ask(s, "HEXISTS", slice_make(NULL, 0))) == NULL)
			return (CTL_REDIS);
		*done = reply->type == REDIS_REPLY_INTEGER && reply->integer == 0;
		freeReplyObject(reply);
	}
	return (CTL_OK);
}

/* A state that is made beside this one takes its place, with what is asked of this one. */
static enum ctl_exit
check_rebuild(struct search *s)
{
	struct buf key = { 0 };
	redisReply *reply;
	bool under_way;

	buf_printf(&key, "rpvd:{%s.0}:new:meta", s->ctl->site);
	ctl_send(s->ctl, 2, (struct slice[]){ SLICE("EXISTS"), buf_view(&key) });
	buf_free(&key);
	if ((reply = ctl_receive(s->ctl)) == NULL)
		return (CTL_REDIS);
	under_way = reply->type == REDIS_REPLY_INTEGER && reply->integer != 0;
	freeReplyObject(reply);
	if (!under_way)
		return (CTL_OK);
	err_set(&s->ctl->err, "a rebuild of site %s is under way: ask again when it is done", s->ctl->site);
	return (CTL_NOTHING);
}

static enum ctl_exit
request(struct search *s, bool *done)
{
	struct buf value = { 0 };
	enum ctl_exit status;
	redisReply *reply;

	if ((status = check_rebuild(s)) != CTL_OK)
		return (status);
	s->who.time_ms = 0;
	randombytes_buf(&s->who.id, sizeof(s->who.id));
	forget_encode(&s->who, &value);
	reply = ask(s, "HSET", buf_view(&value));
	buf_free(&value);
	if (reply == NULL)
		return (CTL_REDIS);
	freeReplyObject(reply);
	status = wait_until_done(s, done);
	return (status == CTL_OK && *done ? check_rebuild(s) : status);
}

/* ---- the command ----------------------------------------------------------------- */

static void
tell(const struct search *s, size_t orders, bool done, struct buf *out)
{
	json_t *object;

	if (s->ctl->opt.json) {
		object = json_object();
		json_object_set_new(object, "site", json_text(slice_of(s->ctl->site)));
		json_object_set_new(object, "hashes", json_integer((json_int_t)s->who.n_hashes));
		json_object_set_new(object, "orders", json_integer((json_int_t)orders));
		json_object_set_new(object, "done", json_boolean(done));
		json_write(object, out);
		return;
	}
	if (!done) {
		buf_printf(out, "asked for, and not done yet: rpvd does it when it runs and has read its logs up to now (rpvctl status)\n");
		return;
	}
	buf_printf(out, "forgotten: %zu hash%s of cookies, customers and addresses, the visits under %s, and whose %zu order%s %s;\n"
	    "figures and amounts stay as they are\n", s->who.n_hashes, s->who.n_hashes == 1 ? "" : "es",
	    s->who.n_hashes == 1 ? "it" : "them", orders, orders == 1 ? "" : "s", orders == 1 ? "was" : "were");
	buf_puts(out, "still there: hashes in rpvd's journal until journal_keep has passed, and in Redis's append-only file until\n"
	    "its next rewrite (redis-cli BGREWRITEAOF); bodies that were not understood until quarantine_keep has passed, if there\n"
	    "are any (rpvctl journal --quarantine); what the web server's logs, order files and backups hold is yours to delete\n");
}

static enum ctl_exit
forget(struct search *s, struct buf *out)
{
	enum ctl_exit status = add_persons(s);
	size_t orders = 0;
	bool done = true;

	for (int round = 0; round < ROUNDS && status == CTL_OK && done; round++) {
		if ((status = find_orders(s)) != CTL_OK || (status = check(s)) != CTL_OK)
			return (status);
		if (round > 0 && s->who.n_orders == 0)
			break;
		orders += s->who.n_orders;
		status = request(s, &done);
	}
	if (status != CTL_OK)
		return (status);
	tell(s, orders, done, out);
	if (!done)
		err_set(&s->ctl->err, "not done within %d s", PATIENCE_S);
	return (done ? CTL_OK : CTL_NOTHING);
}

enum ctl_exit
ctl_forget(struct ctl *ctl, struct buf *out)
{
	struct search s = { .ctl = ctl };
	enum ctl_exit status;

	if (ctl->opt.customer == NULL && ctl->opt.visitor == NULL && ctl->opt.order == NULL) {
		err_set(&ctl->err, "whom?  --customer, --visitor or --order: see rpvctl forget --help");
		return (CTL_USAGE);
	}
	status = forget(&s, out);
	forget_clear(&s.who);
	return (status);
}
