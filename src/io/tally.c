/*
 * tally: see tally.h.
 */
#include "io/tally.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

#define HOOKS_MAX 64
#define COUNTS_MAX 100			/* of one provider; the rest is "other" */
#define NAME_MAX_LEN 79
#define CLOCK_SURE 3			/* deliveries that are off by the same */
#define CLOCK_SAME_S 120
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define UNUSED_DAYS 7			/* then a secret is said to be unused */

struct count {
	char name[NAME_MAX_LEN + 1];
	uint64_t n;
};

struct secret {
	bool is_known;
	uint64_t n;
	int64_t last_ms;
};

struct hook {
	char name[48];			/* "stripe"; "" of nobody */
	struct count *counts;
	size_t n, cap;
	struct secret secrets[TALLY_SECRETS_MAX];
	int64_t last_ms;		/* accepted */
	char hint[160];
	unsigned off_times;		/* deliveries in a row that were off by off_s */
	int64_t off_s, off_signed_s;
};

struct tally {
	struct hook hooks[HOOKS_MAX];
	size_t n;
};

struct tally *
tally_new(void)
{
	return (mem_calloc(1, sizeof(struct tally)));
}

void
tally_free(struct tally **tp)
{
	struct tally *t = *tp;

	for (size_t i = 0; t != NULL && i < t->n; i++)
		free(t->hooks[i].counts);
	free(t);
	*tp = NULL;
}

/* ---- finding ---------------------------------------------------------------- */

/* What may stand in the name of a field; an underscore parts them. */
static void
put_name(char *out, size_t room, struct slice text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len && len + 1 < room; i++) {
		char c = text.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		out[len++] = plain || strchr(".-/", c) != NULL ? c : c == ' ' || c == '_' ? '_' : '?';
	}
	out[len] = '\0';
}

static const struct hook *
hook_find(const struct tally *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->hooks[i].name, name) == 0)
			return (&t->hooks[i]);
	return (NULL);
}

/* The last place is for all who come too late. */
static struct hook *
hook_of(struct tally *t, struct slice provider)
{
	char name[sizeof(t->hooks->name)];
	struct hook *h;

	put_name(name, sizeof(name), provider);
	for (char *p = name; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	if (t->n >= HOOKS_MAX - 1 && hook_find(t, name) == NULL)
		snprintf(name, sizeof(name), "others");
	h = (struct hook *)hook_find(t, name);
	if (h == NULL) {
		h = &t->hooks[t->n++];
		snprintf(h->name, sizeof(h->name), "%s", name);
	}
	return (h);
}

static bool
count_known(struct hook *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->counts[i].name, name) == 0) {
			h->counts[i].n++;
			return (true);
		}
	return (false);
}

static void
count(struct hook *h, const char *name)
{
	if (count_known(h, name))
		return;
	if (h->n >= COUNTS_MAX) {
		name = "other";
		if (count_known(h, name))
			return;
	}
	mem_grow(&h->counts, &h->cap, h->n + 1, sizeof(*h->counts));
	h->counts[h->n] = (struct count){ .n = 1 };
	snprintf(h->counts[h->n].name, sizeof(h->counts->name), "%s", name);
	h->n++;
}

/* ---- counting ----------------------------------------------------------------- */

/* One request that is sent again is off by more and more, and proves nothing; so does none that
 * is off as no other is. */
static void
clock_look(struct hook *h, const struct tally_request *r, bool in_time)
{
	int64_t off = r->received_ms / 1000 - r->signed_s;

	if (in_time)
		h->off_times = 0;
	else if (h->off_times > 0 && r->signed_s == h->off_signed_s)
		return;
	else if (h->off_times > 0 && off - h->off_s <= CLOCK_SAME_S && h->off_s - off <= CLOCK_SAME_S)
		h->off_times++;
	else
		h->off_times = 1;
	h->off_s = off;
	h->off_signed_s = r->signed_s;
}

static bool
is_untimely(const char *reason)
{
	return (reason != NULL && (strcmp(reason, "timestamp_too_old") == 0 || strcmp(reason, "timestamp_too_new") == 0));
}

static void
count_answer(struct hook *h, const struct tally_request *r)
{
	char reason[NAME_MAX_LEN + 1] = "", name[NAME_MAX_LEN + 1];

	if (r->reason != NULL)
		put_name(reason, sizeof(reason), slice_of(r->reason));
	if (r->status == 0)
		snprintf(name, sizeof(name), "closed_%.60s", reason);
	else
		snprintf(name, sizeof(name), "%d%s%.60s", r->status, reason[0] != '\0' ? "_" : "", reason);
	count(h, name);
}

static void
count_type(struct hook *h, const char *type)
{
	char plain[64], name[NAME_MAX_LEN + 1];

	put_name(plain, sizeof(plain), slice_of(type));
	snprintf(name, sizeof(name), "type_%s", plain[0] != '\0' ? plain : "none");
	count(h, name);
}

void
tally_request(struct tally *t, const struct tally_request *r)
{
	struct hook *h = hook_of(t, slice_of(r->provider != NULL ? r->provider : ""));

	count_answer(h, r);
	if (r->reason != NULL && strcmp(r->reason, "irrelevant_type") == 0)
		count_type(h, r->type != NULL ? r->type : "");
	if (r->status == 200)
		h->last_ms = r->received_ms;
	if (r->signed_s != 0)
		clock_look(h, r, !is_untimely(r->reason));
	if (r->secret >= 0 && r->secret < TALLY_SECRETS_MAX) {
		h->secrets[r->secret].n++;
		h->secrets[r->secret].last_ms = r->received_ms;
		h->hint[0] = '\0';
	} else if (r->hint != NULL && r->hint[0] != '\0')
		snprintf(h->hint, sizeof(h->hint), "%s", r->hint);
}

void
tally_event(struct tally *t, struct slice provider, const char *what)
{
	count(hook_of(t, provider), what);
}

int64_t
tally_clock_off(const struct tally *t, const char *provider)
{
	const struct hook *h = hook_find(t, provider);

	return (h != NULL && h->off_times >= CLOCK_SURE ? h->off_s : 0);
}

void
tally_forget_secrets(struct tally *t)
{
	for (size_t i = 0; i < t->n; i++)
		memset(t->hooks[i].secrets, 0, sizeof(t->hooks[i].secrets));
}

void
tally_secret_known(struct tally *t, const char *provider, unsigned secret, int64_t last_ms)
{
	if (secret < TALLY_SECRETS_MAX)
		hook_of(t, slice_of(provider))->secrets[secret] = (struct secret){ .is_known = true, .last_ms = last_ms };
}

/* ---- telling -------------------------------------------------------------------- */

struct teller {
	void (*put)(void *arg, const char *name, const char *value);
	void *arg;
	const struct hook *hook;
};

static void __attribute__((format(printf, 3, 4)))
tell(const struct teller *to, const char *what, const char *fmt, ...)
{
	char name[sizeof(to->hook->name) + NAME_MAX_LEN + 16], value[320];
	va_list ap;

	snprintf(name, sizeof(name), "%s%s_%s", to->hook->name[0] != '\0' ? "webhook_" : "request", to->hook->name, what);
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	to->put(to->arg, name, value);
}

static void
tell_time(const struct teller *to, const char *what, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	tell(to, what, "%s", text);
}

/* One secret alone is no question; which of several is in use is one. */
static void
tell_secrets(const struct teller *to, int64_t now_ms)
{
	const struct hook *h = to->hook;
	unsigned n = 0;

	for (unsigned i = 0; i < TALLY_SECRETS_MAX; i++)
		n += h->secrets[i].is_known;
	for (unsigned i = 0; n > 1 && i < TALLY_SECRETS_MAX; i++) {
		const struct secret *s = &h->secrets[i];
		char what[32];

		if (!s->is_known)
			continue;
		snprintf(what, sizeof(what), "secret_%u", i + 1);
		tell(to, what, "%" PRIu64, s->n);
		snprintf(what, sizeof(what), "secret_%u_unused_days", i + 1);
		if (now_ms - s->last_ms >= UNUSED_DAYS * DAY_MS)
			tell(to, what, "%" PRId64, (now_ms - s->last_ms) / DAY_MS);
	}
}

static void
tell_hook(const struct teller *to, int64_t now_ms)
{
	const struct hook *h = to->hook;

	for (size_t i = 0; i < h->n; i++)
		tell(to, h->counts[i].name, "%" PRIu64, h->counts[i].n);
	if (h->name[0] != '\0' && h->last_ms > 0)
		tell_time(to, "last", h->last_ms);
	if (h->off_times >= CLOCK_SURE)
		tell(to, "clock", "This machine's clock is %" PRId64 " s %s that of %s, whose webhooks are refused for that: set the clock.",
		    h->off_s < 0 ? -h->off_s : h->off_s, h->off_s < 0 ? "behind" : "ahead of", h->name);
	if (h->hint[0] != '\0')
		tell(to, "hint", "%s", h->hint);
	tell_secrets(to, now_ms);
}

void
tally_put(const struct tally *t, int64_t now_ms, void (*put)(void *arg, const char *name, const char *value), void *arg)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct teller to = { put, arg, &t->hooks[i] };

		tell_hook(&to, now_ms);
	}
}
