/*
 * join: which visit an order belongs to.
 *
 * Decisions fall in event time: at order time + 30 s, for a missing token at + 30 min,
 * then whenever a token is seen or an earlier order of the customer is joined.  Each such
 * moment is queued; before a line of time T is taken, all moments before T are decided,
 * by moment, then order time.  A decision looks only at what was known at its moment, so
 * an order that is told late is joined as if it had been told in time.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/engine_impl.h"

#define AHEAD 160			/* decisions that are looked up together */
#define AHEAD_ROUNDS 2			/* further rounds: what was found names visits, whose visitors are wanted then */

struct found {
	enum join_how how;
	struct visit *visit;		/* NULL: only known by `ref` (it left the memory of the store) */
	struct visit_ref ref;
	struct visitor *owner;
};

/* ---- the queue ----------------------------------------------------------- */

static int
compare_slices(struct slice a, struct slice b)
{
	int c = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return (c != 0 ? c : a.len < b.len ? -1 : a.len > b.len);
}

static int
compare_orders(const struct order *a, const struct order *b)
{
	int c = compare_slices(a->provider, b->provider);

	return (c != 0 ? c : compare_slices(a->id, b->id));
}

int
due_compare(const void *x, const void *y)
{
	const struct due *a = x, *b = y;

	if (a->moment_ms != b->moment_ms)
		return (a->moment_ms < b->moment_ms ? -1 : 1);
	if (a->order_ms != b->order_ms)
		return (a->order_ms < b->order_ms ? -1 : 1);
	return (compare_orders(a->order, b->order));
}

static void
push_due(struct engine *e, struct order *o, int64_t moment_ms)
{
	struct due *d;

	if (moment_ms < o->time_ms + JOIN_AFTER_MS)
		moment_ms = o->time_ms + JOIN_AFTER_MS;
	if (moment_ms > o->time_ms + JOIN_RETRY_MS)
		return;
	d = mem_alloc(sizeof(*d));
	*d = (struct due){ moment_ms, o->time_ms, o, o->round, 0 };
	o->dues++;
	heap_push(&e->dues, d);
}

struct token *
token_get(struct engine *e, uint64_t hash)
{
	struct token *t = map64_get(&e->tokens, hash);

	if (t == NULL) {
		t = mem_calloc(1, sizeof(*t));
		t->hash = hash;
		t->known = !e->tokens_stored;
		map64_put(&e->tokens, hash, t);
	}
	return (t);
}

struct customer *
customer_get(struct engine *e, uint64_t hash)
{
	struct customer *c = map64_get(&e->customers, hash);

	if (c == NULL) {
		c = mem_calloc(1, sizeof(*c));
		c->hash = hash;
		c->known = !e->customers_stored;
		map64_put(&e->customers, hash, c);
	}
	return (c);
}

/* For one more: nearly always it is the only one, and there are tens of thousands of such lists. */
static void
room_for(void *arrayp, size_t *capp, size_t n, size_t size)
{
	void **array = arrayp;

	if (*capp == 0) {
		*array = mem_alloc(size);
		*capp = 1;
	}
	mem_grow(arrayp, capp, n + 1, size);
}

static void
wait_for_token(struct token *t, struct order *o)
{
	for (size_t i = 0; i < t->n_waiting; i++)
		if (t->waiting[i] == o)
			return;
	room_for(&t->waiting, &t->cap, t->n_waiting, sizeof(*t->waiting));
	t->waiting[t->n_waiting++] = o;
}

static void
wait_for_customer(struct customer *c, struct order *o)
{
	for (struct order *w = c->waiting; w != NULL; w = w->next_of_customer)
		if (w == o)
			return;
	o->next_of_customer = c->waiting;
	c->waiting = o;
}

void
order_queue(struct engine *e, struct order *o)
{
	if (!o->waiting) {
		o->waiting = true;
		e->n_waiting++;
	}
	push_due(e, o, o->time_ms + JOIN_AFTER_MS);
	if (o->n_tokens > 0)
		push_due(e, o, o->time_ms + TOKEN_WAIT_MS);
	for (size_t i = 0; i < o->n_tokens; i++) {
		struct token *t = token_get(e, o->tokens[i]);

		wait_for_token(t, o);
		if (t->seen)
			push_due(e, o, t->seen_ms);
	}
	if (o->customer != 0)
		wait_for_customer(customer_get(e, o->customer), o);
}

void
order_forget(struct engine *e, struct order *o)
{
	if (!o->waiting)
		return;
	o->waiting = false;
	o->round++;
	e->n_waiting--;
	for (size_t i = 0; i < o->n_tokens; i++) {
		struct token *t = map64_get(&e->tokens, o->tokens[i]);

		for (size_t k = 0; t != NULL && k < t->n_waiting; k++)
			if (t->waiting[k] == o)
				t->waiting[k--] = t->waiting[--t->n_waiting];
	}
	if (o->customer != 0) {
		struct customer *c = map64_get(&e->customers, o->customer);
		struct order **at = c != NULL ? &c->waiting : NULL;

		while (at != NULL && *at != NULL && *at != o)
			at = &(*at)->next_of_customer;
		if (at != NULL && *at == o)
			*at = o->next_of_customer;
		o->next_of_customer = NULL;
	}
}

void
token_wake(struct engine *e, const struct token *t)
{
	for (size_t i = 0; i < t->n_waiting; i++)
		push_due(e, t->waiting[i], t->seen_ms);
}

void
token_seen(struct engine *e, uint64_t hash, struct visit *v)
{
	struct token *t = token_get(e, hash);

	if (t->seen)
		return;
	t->seen = t->dirty = true;
	t->seen_ms = e->clock;
	t->visit = (struct visit_ref){ v->visitor, v->id, v->start_ms };
	v->referred = true;
	visits_dirty(&e->visits, v);
	engine_count(e, COUNT_TOKENS, 1);
	token_wake(e, t);
}

/* ---- finding ------------------------------------------------------------- */

static enum engine_result
have_visitor(struct engine *e, uint64_t hash, struct visitor **who)
{
	*who = visits_find(&e->visits, hash);
	if (*who != NULL ? (*who)->complete : !visits_may_have_blocks(&e->visits, hash))
		return (ENGINE_DONE);
	want(e, NEED_VISITOR, hash, epoch_of(e->clock - engine_retention_ms(e)), SLICE(""), SLICE(""));
	return (ENGINE_NEEDS);
}

/* What the store has of an address + agent; the day says in which epoch. */
static enum engine_result
have_agent(struct engine *e, uint64_t agent, int64_t day)
{
	if (!visits_may_have_blocks(&e->visits, agent) || map64_get(&e->agents, agent) != NULL)
		return (ENGINE_DONE);
	want(e, NEED_AGENT, agent, epoch_of(day * DAY_MS), SLICE(""), SLICE(""));
	return (ENGINE_NEEDS);
}

/* The visit by its reference, through marks, with all of its owner's visits in memory. */
static enum engine_result
have_visit(struct engine *e, const struct visit_ref *ref, struct visit **v, struct visitor **owner)
{
	uint64_t at = ref->visitor, next;

	for (int hops = 0; hops < 8; hops++) {
		if (have_visitor(e, at, owner) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
		*v = visits_by_id(&e->visits, at, ref->id, &next);
		if (next == at)
			return (ENGINE_DONE);
		at = next;
	}
	*v = NULL;
	return (ENGINE_DONE);
}

static bool
in_lookback(const struct engine *e, int64_t start_ms, int64_t order_ms)
{
	return (start_ms >= order_ms - e->rules->lookback_ms && start_ms <= order_ms + JOIN_AFTER_MS);
}

/* Of several that start at the same time the one that was there first. */
static struct visit *
latest_in_lookback(const struct engine *e, const struct visitor *who, int64_t order_ms, int64_t moment_ms)
{
	struct visit *best = NULL;

	for (size_t i = 0; who != NULL && i < who->n; i++) {
		struct visit *v = who->visits[i];

		if (v->moved_to == 0 && v->since_ms <= moment_ms && in_lookback(e, v->start_ms, order_ms) &&
		    (best == NULL || v->start_ms > best->start_ms))
			best = v;
	}
	return (best);
}

static void
found_visit(struct found *f, enum join_how how, struct visit *v, struct visitor *owner)
{
	*f = (struct found){ how, v, { v->visitor, v->id, v->start_ms }, owner };
}

static enum engine_result
find_by_visitor(struct engine *e, const struct order *o, int64_t moment_ms, struct found *f)
{
	for (size_t i = 0; i < 2; i++) {
		struct visitor *who;
		struct visit *v;

		if (o->visitors[i] == 0)
			continue;
		if (have_visitor(e, o->visitors[i], &who) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
		v = latest_in_lookback(e, who, o->time_ms, moment_ms);
		if (v != NULL) {
			found_visit(f, JOIN_VISITOR, v, who);
			break;
		}
	}
	return (ENGINE_DONE);
}

static enum engine_result
find_by_token(struct engine *e, const struct order *o, int64_t moment_ms, struct found *f)
{
	for (size_t i = 0; i < o->n_tokens; i++) {
		struct token *t = token_get(e, o->tokens[i]);
		struct visitor *owner = NULL;
		struct visit *v = NULL;

		if (!t->seen || t->seen_ms > moment_ms || t->visit.visitor == 0)
			continue;		/* not yet, or by somebody who was forgotten */
		if (have_visit(e, &t->visit, &v, &owner) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
		if (v == NULL)
			continue;		/* older than anything that is kept */
		found_visit(f, JOIN_TOKEN, v, owner);
		break;
	}
	return (ENGINE_DONE);
}

static bool
better_entry(const struct engine *e, const struct order *o, int64_t moment_ms, const struct agent_entry *x, const struct agent_entry *best)
{
	if (x->born_ms > moment_ms || !in_lookback(e, x->start_ms, o->time_ms))
		return (false);
	return (best->id == 0 || x->start_ms > best->start_ms || (x->start_ms == best->start_ms && x->id < best->id));
}

static enum engine_result
find_by_agent_of(struct engine *e, const struct order *o, int64_t moment_ms, uint64_t agent, struct found *f)
{
	struct agent_list *list = map64_get(&e->agents, agent);
	struct agent_entry best = { 0 };
	struct visit *v = NULL;
	struct visitor *owner = NULL;

	for (size_t i = 0; list != NULL && i < list->n; i++)
		if (better_entry(e, o, moment_ms, &list->entries[i], &best))
			best = list->entries[i];
	for (v = visits_of_agent(&e->visits, agent); v != NULL; v = v->next_of_agent) {
		struct agent_entry x = { v->visitor, v->id, v->start_ms, v->born_ms };

		if (better_entry(e, o, moment_ms, &x, &best))
			best = x;
	}
	if (best.id == 0)
		return (ENGINE_DONE);
	if (have_visit(e, &(struct visit_ref){ best.visitor, best.id, best.start_ms }, &v, &owner) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (v != NULL)
		found_visit(f, JOIN_IP_UA, v, owner);
	return (ENGINE_DONE);
}

static enum engine_result
find_by_agent(struct engine *e, const struct order *o, int64_t moment_ms, struct found *f)
{
	for (int i = 0; i < 2 && f->how == JOIN_NONE; i++)
		if (o->agents[i] != 0 && find_by_agent_of(e, o, moment_ms, o->agents[i], f) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
	return (ENGINE_DONE);
}

/* The customer's latest order with an earlier order time that was joined by 1-3. */
static const struct customer_order *
earlier_order(const struct customer *c, const struct order *o)
{
	const struct customer_order *best = NULL;

	for (size_t i = 0; i < c->n_joined; i++) {
		const struct customer_order *x = &c->joined[i];
		int same;

		if (x->time_ms >= o->time_ms)
			continue;
		if (best != NULL && x->time_ms == best->time_ms) {
			same = compare_slices(x->provider, best->provider);
			same = same != 0 ? same : compare_slices(x->id, best->id);
		} else
			same = best == NULL || x->time_ms > best->time_ms ? 1 : -1;
		if (same > 0)
			best = x;
	}
	return (best);
}

static enum engine_result
find_by_customer(struct engine *e, const struct order *o, int64_t moment_ms, struct found *f)
{
	const struct customer_order *earlier;
	struct visitor *owner = NULL;
	struct visit *v = NULL, *latest;

	if (o->customer == 0)
		return (ENGINE_DONE);
	earlier = earlier_order(customer_get(e, o->customer), o);
	if (earlier == NULL)
		return (ENGINE_DONE);
	if (have_visit(e, &earlier->visit, &v, &owner) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	latest = latest_in_lookback(e, owner, o->time_ms, moment_ms);
	if (latest != NULL)
		found_visit(f, JOIN_CUSTOMER, latest, owner);
	else if (v != NULL)
		found_visit(f, JOIN_CUSTOMER, v, owner);
	else
		*f = (struct found){ JOIN_CUSTOMER, NULL, earlier->visit, NULL };
	return (ENGINE_DONE);
}

/* Everything that the joins may look at first, asked for in one go: a round of fetching costs
 * more than a block that turns out not to be needed. */
static enum engine_result
have_keys(struct engine *e, const struct order *o)
{
	int64_t first_epoch = epoch_of(e->clock - engine_retention_ms(e));
	enum engine_result rc = ENGINE_DONE;
	struct visitor *who;

	if (o->customer != 0 && !customer_get(e, o->customer)->known) {
		want(e, NEED_CUSTOMER, o->customer, 0, SLICE(""), SLICE(""));
		rc = ENGINE_NEEDS;
	}
	for (size_t i = 0; i < o->n_tokens; i++)
		if (!token_get(e, o->tokens[i])->known) {
			want(e, NEED_TOKEN, o->tokens[i], first_epoch, SLICE(""), SLICE(""));
			rc = ENGINE_NEEDS;
		}
	for (size_t i = 0; i < 2; i++) {
		if (o->visitors[i] != 0 && have_visitor(e, o->visitors[i], &who) == ENGINE_NEEDS)
			rc = ENGINE_NEEDS;
		if (o->agents[i] != 0 && have_agent(e, o->agents[i], day_of(o->time_ms) - (int64_t)i) == ENGINE_NEEDS)
			rc = ENGINE_NEEDS;
	}
	return (rc);
}

/* Tries the joins by falling strength.  f->how is JOIN_NONE where there is nothing yet. */
static enum engine_result
find_join(struct engine *e, const struct order *o, int64_t moment_ms, struct found *f)
{
	*f = (struct found){ JOIN_NONE, NULL, { 0 }, NULL };
	if (have_keys(e, o) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (find_by_visitor(e, o, moment_ms, f) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (f->how == JOIN_NONE && find_by_token(e, o, moment_ms, f) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	if (f->how != JOIN_NONE || (o->n_tokens > 0 && moment_ms < o->time_ms + TOKEN_WAIT_MS))
		return (ENGINE_DONE);
	if (find_by_agent(e, o, moment_ms, f) == ENGINE_NEEDS)
		return (ENGINE_NEEDS);
	return (f->how == JOIN_NONE ? find_by_customer(e, o, moment_ms, f) : ENGINE_DONE);
}

/* ---- joining ------------------------------------------------------------- */

static struct touch
touch_of(const struct visit *v)
{
	return ((struct touch){ v->start_ms, v->is_direct, v->source, v->channel, v->campaign });
}

/* The visitor's visits that start within the lookback, up to and including the converting one;
 * the latest TOUCHES_MAX of them. */
static void
take_touches(struct engine *e, struct order *o, const struct found *f, int64_t moment_ms)
{
	struct touch touches[TOUCHES_MAX];
	size_t n = 0, i = 0;

	if (f->visit == NULL) {
		touches[n++] = (struct touch){ .start_ms = f->ref.start_ms };	/* out of every window */
	} else {
		while (f->owner->visits[i] != f->visit)
			i++;
		touches[TOUCHES_MAX - ++n] = touch_of(f->visit);
		while (i-- > 0 && n < TOUCHES_MAX) {
			struct visit *v = f->owner->visits[i];

			if (v->moved_to != 0 || v->since_ms > moment_ms || v->start_ms < o->time_ms - e->rules->lookback_ms)
				continue;
			touches[TOUCHES_MAX - ++n] = touch_of(v);
			if (v->evidence != 0)
				evidence_bought(e, v);
		}
		memmove(touches, touches + TOUCHES_MAX - n, n * sizeof(*touches));
	}
	o->touches = mem_dup(touches, n * sizeof(*touches));
	o->n_touches = n;
}

/* This makes the customer known to its later orders that wait. */
static void
tell_customer(struct engine *e, const struct order *o, int64_t moment_ms)
{
	struct customer *c = customer_get(e, o->customer);

	room_for(&c->joined, &c->joined_cap, c->n_joined, sizeof(*c->joined));
	c->joined[c->n_joined++] = (struct customer_order){ o->time_ms,
	    slice_make(mem_strndup(o->provider.p, o->provider.len), o->provider.len),
	    slice_make(mem_strndup(o->id.p, o->id.len), o->id.len), o->visit };
	c->dirty = true;
	for (struct order *w = c->waiting; w != NULL; w = w->next_of_customer)
		/* What is older than the retries is final, though still in memory. */
		if (w->time_ms > o->time_ms && w->time_ms + JOIN_RETRY_MS >= e->clock) {
			push_due(e, w, moment_ms);
			order_queue(e, w);	/* where this one was told late, all its moments may have passed */
		}
}

static void
join(struct engine *e, struct order *o, const struct found *f, int64_t moment_ms)
{
	o->how = f->how;
	o->visit = f->ref;
	take_touches(e, o, f, moment_ms);
	if (f->visit != NULL) {
		f->visit->referred = true;
		visits_dirty(&e->visits, f->visit);
		evidence_bought(e, f->visit);
	}
	order_count(e, o);
	orderbook_dirty(&e->book, o);
	engine_count(e, COUNT_JOIN_VISITOR + (enum counter)(f->how - JOIN_VISITOR), 1);
	if (f->how != JOIN_CUSTOMER && o->customer != 0)
		tell_customer(e, o, moment_ms);
	order_forget(e, o);
}

/* A moment that was queued before the order had another time and other keys through an alias says nothing: a state
 * that was loaded meanwhile does not have it. */
static bool
may_join(const struct due *d)
{
	const struct order *o = d->order;

	return (d->round == o->round && o->paid && o->how == JOIN_NONE && o->alias_of.len == 0 && !o->erased);
}

/* Looks up what the next decisions will want, so that one round of fetching serves many.  The first places
 * of the heap are not the next decisions in order, but nearly all of them are among these. */
static void
look_ahead(struct engine *e)
{
	size_t n = e->dues.count < AHEAD ? e->dues.count : AHEAD;

	for (size_t i = 0; i < n; i++) {
		struct due *d = e->dues.items[i];
		struct order *o = d->order;
		struct found f;

		d->looked = e->commit_no;
		if (may_join(d))
			find_join(e, o, d->moment_ms, &f);
		for (size_t k = 0; k < 2; k++) {
			struct visitor *who = o->visitors[k] != 0 ? visits_find(&e->visits, o->visitors[k]) : NULL;

			if (who != NULL && who->keep_ms < d->moment_ms)
				who->keep_ms = d->moment_ms;
		}
	}
}

static enum engine_result
decide(struct engine *e, int64_t before_ms)
{
	struct due *d;

	if (e->look_ahead > 0) {
		e->look_ahead--;
		look_ahead(e);
		if (e->n_wants > 0)
			return (ENGINE_NEEDS);
		e->look_ahead = 0;
	}
	for (;;) {
		struct found f = { JOIN_NONE, NULL, { 0 }, NULL };
		struct order *o;

		if (orders_wake(e, before_ms) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
		d = heap_first(&e->dues);
		if (d == NULL || d->moment_ms >= before_ms)
			break;
		o = d->order;
		if (may_join(d) && find_join(e, o, d->moment_ms, &f) == ENGINE_NEEDS) {
			if (d->looked != e->commit_no) {
				look_ahead(e);
				e->look_ahead = AHEAD_ROUNDS;
			}
			return (ENGINE_NEEDS);
		}
		heap_pop(&e->dues);
		if (f.how != JOIN_NONE)
			join(e, o, &f, d->moment_ms);
		o->dues--;
		free(d);
	}
	if (before_ms > e->watermark && before_ms < INT64_MAX)
		e->watermark = before_ms;
	return (ENGINE_DONE);
}

/* A person is forgotten between what is decided before that moment and what is decided after it. */
enum engine_result
join_due(struct engine *e, int64_t before_ms)
{
	while (erasure_next_ms(e) < before_ms)
		if (decide(e, erasure_next_ms(e)) == ENGINE_NEEDS || erasure_run(e) == ENGINE_NEEDS)
			return (ENGINE_NEEDS);
	return (decide(e, before_ms));
}
