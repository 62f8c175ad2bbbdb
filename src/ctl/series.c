/*
 * series: which sites and series there are, and what their hashes say; see ctl.h.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

#define SITES_SHOWN 20

void
ctl_key(const struct ctl *ctl, struct slice series, struct buf *out)
{
	buf_puts(out, "rpv:");
	buf_puts(out, ctl->site);
	buf_putc(out, ':');
	buf_put(out, series.p, series.len);
}

const char *
ctl_field(const redisReply *hash, const char *name)
{
	for (size_t i = 0; i + 1 < hash->elements; i += 2)
		if (strcmp(hash->element[i]->str, name) == 0)
			return (hash->element[i + 1]->str);
	return (NULL);
}

const char *
ctl_number(const redisReply *hash, const char *name)
{
	const char *value = ctl_field(hash, name);

	return (value != NULL ? value : "0");
}

redisReply *
ctl_hash(struct ctl *ctl, struct slice series, enum ctl_exit *status)
{
	redisReply *hash = ctl_ask(ctl, "HGETALL", series);

	*status = CTL_REDIS;
	if (hash == NULL || (hash->type == REDIS_REPLY_ARRAY && hash->elements > 0))
		return (hash);
	freeReplyObject(hash);
	*status = ctl_nothing(ctl, series);
	return (NULL);
}

/* ---- windows ---- */

#define DAY_MS INT64_C(86400000)

static void
take_windows(struct ctl *ctl, struct slice names)
{
	ctl->n_windows = 0;
	while (names.len > 0 && ctl->n_windows < LEVELS_MAX) {
		struct slice name = slice_cut(&names, ' ');

		if (name.len > 0 && name.len <= WINDOW_NAME_MAX)
			snprintf(ctl->windows[ctl->n_windows++], sizeof(ctl->windows[0]), "%.*s", SLICE_FMT(name));
	}
}

enum ctl_exit
ctl_windows(struct ctl *ctl)
{
	struct buf key = { 0 }, usual = { 0 };
	redisReply *reply;

	ctl_key(ctl, SLICE("status"), &key);
	ctl_send(ctl, 3, (struct slice[]){ SLICE("HGET"), buf_view(&key), SLICE("windows") });
	buf_free(&key);
	reply = ctl_receive(ctl);
	take_windows(ctl, reply != NULL && reply->type == REDIS_REPLY_STRING ? slice_make(reply->str, reply->len) : SLICE(""));
	if (ctl->n_windows == 0) {
		schema_names(SLICE(""), &usual);
		take_windows(ctl, buf_view(&usual));
		buf_free(&usual);
	}
	if (reply == NULL)		/* another program's key is no reason to show nothing */
		return (ctl_connect(ctl));
	freeReplyObject(reply);
	return (CTL_OK);
}

const char *
ctl_usual_window(const struct ctl *ctl)
{
	for (size_t i = 0; i < ctl->n_windows; i++) {
		int64_t ms;

		if (duration_parse(ctl->windows[i], &ms) && ms >= DAY_MS)
			return (ctl->windows[i]);
	}
	return (ctl->windows[ctl->n_windows - 1]);
}

/* ---- where the figures begin ---- */

static void
copy_text(char *to, size_t room, const redisReply *r)
{
	snprintf(to, room, "%s", r->type == REDIS_REPLY_STRING ? r->str : "");
}

void
ctl_partial(struct ctl *ctl, struct partial *p)
{
	struct buf key = { 0 };
	redisReply *reply;

	*p = (struct partial){ "", "" };
	ctl_key(ctl, SLICE("status"), &key);
	ctl_send(ctl, 4, (struct slice[]){ SLICE("HMGET"), buf_view(&key), SLICE("partial_windows"), SLICE("figures_since") });
	buf_free(&key);
	reply = ctl_receive(ctl);
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
		copy_text(p->windows, sizeof(p->windows), reply->element[0]);
		copy_text(p->since, sizeof(p->since), reply->element[1]);
	}
	freeReplyObject(reply);
}

bool
ctl_is_partial(const struct partial *p, const char *window)
{
	for (struct slice rest = slice_of(p->windows); rest.len > 0;)
		if (slice_is(slice_cut(&rest, ' '), window))
			return (true);
	return (false);
}

/* "7d and 30d", "1h, 24h and 7d" */
static size_t
put_windows(const struct partial *p, struct buf *out)
{
	size_t n = 0;

	for (struct slice rest = slice_of(p->windows); rest.len > 0; n++) {
		struct slice window = slice_cut(&rest, ' ');

		buf_puts(out, n == 0 ? "" : rest.len > 0 ? ", " : " and ");
		table_safe(out, window);
	}
	return (n);
}

void
ctl_put_partial(const struct partial *p, const char *window, struct buf *out)
{
	size_t n = 1;

	if (p->windows[0] == '\0' || (window != NULL && !ctl_is_partial(p, window)))
		return;
	buf_putc(out, '\n');
	if (window != NULL)
		buf_puts(out, window);
	else
		n = put_windows(p, out);
	buf_printf(out, " %s not whole: the figures begin at ", n == 1 ? "is" : "are");
	ctl_put_time(out, p->since);
	buf_putc(out, '\n');
}

/* ---- sites ---- */

struct sites {
	char **names;
	size_t count, cap;
};

static void
sites_free(struct sites *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->names[i]);
	free(s->names);
}

static void
sites_add(struct sites *s, struct slice name)
{
	for (size_t i = 0; i < s->count; i++)
		if (slice_is(name, s->names[i]))
			return;
	mem_grow(&s->names, &s->cap, s->count + 1, sizeof(*s->names));
	s->names[s->count++] = mem_strndup(name.p, name.len);
}

/* "rpv:SITE:status" and "rpv:SITE:WINDOW:total" name a site; a site has no colon in its
 * name, a series ("rpv:SITE:24h:page:total") may have any. */
static void
sites_of_key(struct sites *s, struct slice key)
{
	struct slice site, window;

	if (!slice_is(slice_cut(&key, ':'), "rpv"))
		return;
	site = slice_cut(&key, ':');
	if (slice_is(key, "status")) {
		sites_add(s, site);
		return;
	}
	window = slice_cut(&key, ':');
	if (window.len > 0 && slice_is(key, "total"))
		sites_add(s, site);
}

static int
compare_names(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

/* SCAN, since KEYS would hold up everyone else. */
static enum ctl_exit
sites_find(struct ctl *ctl, struct sites *s)
{
	char cursor[32] = "0";

	do {
		redisReply *reply;

		ctl_send(ctl, 6, (struct slice[]){ SLICE("SCAN"), slice_of(cursor), SLICE("MATCH"), SLICE("rpv:*:[st]*t*"),
		    SLICE("COUNT"), SLICE("1000") });
		if ((reply = ctl_receive(ctl)) == NULL)
			return (CTL_REDIS);
		must(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->len < sizeof(cursor));
		strcpy(cursor, reply->element[0]->str);
		for (size_t i = 0; i < reply->element[1]->elements; i++)
			sites_of_key(s, slice_make(reply->element[1]->element[i]->str, reply->element[1]->element[i]->len));
		freeReplyObject(reply);
	} while (strcmp(cursor, "0") != 0);
	if (s->count > 1)
		qsort(s->names, s->count, sizeof(*s->names), compare_names);
	return (CTL_OK);
}

static void
sites_write(const struct sites *s, struct buf *out)
{
	for (size_t i = 0; i < s->count && i < SITES_SHOWN; i++)
		buf_printf(out, "%s%s", i > 0 ? ", " : "", s->names[i]);
	if (s->count > SITES_SHOWN)
		buf_printf(out, " and %zu more", s->count - SITES_SHOWN);
	buf_putc(out, '\0');
}

static enum ctl_exit
no_sites(struct ctl *ctl)
{
	err_set(&ctl->err, "there are no figures in Redis at %s yet: is rpvd running, with this Redis?", ctl->url.name);
	return (CTL_NOTHING);
}

enum ctl_exit
ctl_pick_site(struct ctl *ctl)
{
	struct sites sites = { 0 };
	struct buf list = { 0 };
	enum ctl_exit status;

	if (ctl->site != NULL || (status = sites_find(ctl, &sites)) != CTL_OK)
		return (ctl->site != NULL ? CTL_OK : CTL_REDIS);
	if (sites.count == 0)
		status = no_sites(ctl);
	else if (sites.count == 1)
		ctl->site = mem_strdup(sites.names[0]);
	else {
		sites_write(&sites, &list);
		err_set(&ctl->err, "which site?  -s one of: %s", list.p);
		status = CTL_USAGE;
	}
	buf_free(&list);
	sites_free(&sites);
	return (status);
}

static bool
sites_have(const struct sites *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->names[i], name) == 0)
			return (true);
	return (false);
}

bool
ctl_has_site(struct ctl *ctl)
{
	struct sites sites = { 0 };
	bool has = sites_find(ctl, &sites) == CTL_OK && sites_have(&sites, ctl->site);

	sites_free(&sites);
	return (has);
}

enum ctl_exit
ctl_nothing(struct ctl *ctl, struct slice series)
{
	struct sites sites = { 0 };
	struct buf list = { 0 };
	enum ctl_exit status = CTL_NOTHING;

	if (sites_find(ctl, &sites) != CTL_OK)
		return (CTL_REDIS);
	sites_write(&sites, &list);
	if (sites_have(&sites, ctl->site))
		err_set(&ctl->err, "site %s has no %.*s", ctl->site, SLICE_FMT(series));
	else if (sites.count == 0)
		status = no_sites(ctl);
	else
		err_set(&ctl->err, "there is no site %s in Redis at %s; there are: %s", ctl->site, ctl->url.name, list.p);
	buf_free(&list);
	sites_free(&sites);
	return (status);
}
