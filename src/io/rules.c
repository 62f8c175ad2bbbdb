/*
 * rules: see rules.h.
 */
#include "io/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/hosting.h"
#include "io/geo.h"
#include "io/keys.h"
#include "io/nginx_format.h"
#include "io/tables_builtin.h"
#include "provider/provider.h"

#define TABLE_MAX (16 * 1024 * 1024)

struct tables {
	struct sources *sources;
	struct bots *bots;
	struct hosting *hosting;
};

struct rules {
	struct engine_rules engine;
	struct glob_rule *pages, *tokens;
	struct slice *ignore_paths;
	struct level levels[LEVELS_MAX];
	char *window_names[LEVELS_MAX];
	struct network *networks, *proxies;
	const char **referrers;
	const char *cookies[HIT_COOKIES_MAX];
	size_t n_cookies;
	struct rates *rates;
	struct geo *geo, *asn;
	const struct hosting *hosting;
	char country[3];
};

/* ---- tables -------------------------------------------------------------- */

/* The bytes of one table: from the directory, or built in.  *own is to be freed. */
static int
table_bytes(const char *data_dir, const char *file, struct slice builtin, struct slice *bytes, char **own, char *path, size_t room, struct err *err)
{
	size_t len;

	*own = NULL;
	*bytes = builtin;
	snprintf(path, room, "built-in %s", file);
	if (data_dir == NULL)
		return (0);
	snprintf(path, room, "%s/%s", data_dir, file);
	*own = file_read(path, TABLE_MAX, &len, err);
	if (*own == NULL)
		return (-1);
	*bytes = slice_make(*own, len);
	return (0);
}

/* A directory of one's own may be older than this list. */
static int
hosting_bytes(const char *data_dir, struct slice *bytes, char **own, char *path, size_t room, struct err *err)
{
	snprintf(path, room, "%s/hosting.txt", data_dir != NULL ? data_dir : "");
	return (table_bytes(data_dir != NULL && access(path, F_OK) == 0 ? data_dir : NULL, "hosting.txt",
	    slice_make(builtin_hosting, builtin_hosting_len), bytes, own, path, room, err));
}

struct tables *
tables_load(const char *data_dir, struct err *err)
{
	struct tables *t = mem_calloc(1, sizeof(*t));
	struct slice bytes;
	char *own, path[512];

	if (table_bytes(data_dir, "sources.tsv", slice_make(builtin_sources, builtin_sources_len), &bytes, &own, path, sizeof(path), err) == 0)
		t->sources = sources_parse(bytes, path, err);
	free(own);
	own = NULL;
	if (t->sources != NULL &&
	    table_bytes(data_dir, "bots.txt", slice_make(builtin_bots, builtin_bots_len), &bytes, &own, path, sizeof(path), err) == 0)
		t->bots = bots_parse(bytes, path, err);
	free(own);
	own = NULL;
	if (t->bots != NULL && hosting_bytes(data_dir, &bytes, &own, path, sizeof(path), err) == 0)
		t->hosting = hosting_parse(bytes, path, err);
	free(own);
	if (t->sources == NULL || t->bots == NULL || t->hosting == NULL)
		tables_free(&t);
	return (t);
}

void
tables_free(struct tables **tp)
{
	if (*tp == NULL)
		return;
	sources_free(&(*tp)->sources);
	bots_free(&(*tp)->bots);
	hosting_free(&(*tp)->hosting);
	free(*tp);
	*tp = NULL;
}

const struct sources *
tables_sources(const struct tables *t)
{
	return (t->sources);
}

const struct bots *
tables_bots(const struct tables *t)
{
	return (t->bots);
}

/* ---- one site ------------------------------------------------------------ */

static const char *
country_of(void *arg, struct slice addr)
{
	struct rules *r = arg;

	return (geo_country(r->geo, addr, r->country) ? r->country : "(unknown)");
}

static bool
is_hosting(void *arg, struct slice addr)
{
	const struct rules *r = arg;
	uint32_t number;

	return (geo_as_number(r->asn, addr, &number) && hosting_has(r->hosting, number));
}

static size_t
list_len(char **list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return (n);
}

static void
take_identities(struct rules *r, const struct site_conf *site)
{
	for (size_t i = 0; site->visitor[i] != NULL && i < IDENTITIES_MAX; i++) {
		const char *what = site->visitor[i];

		if (strcmp(what, "uid") == 0)
			r->engine.identities[i].kind = IDENTITY_UID;
		else if (strcmp(what, "ip_ua") == 0)
			r->engine.identities[i].kind = IDENTITY_IP_UA;
		else {
			must(strncmp(what, "cookie:", 7) == 0 && r->n_cookies < HIT_COOKIES_MAX);
			r->engine.identities[i].kind = IDENTITY_COOKIE;
			r->engine.identities[i].cookie = r->n_cookies;
			r->cookies[r->n_cookies++] = what + 7;
		}
		r->engine.n_identities = i + 1;
	}
}

static struct glob_rule *
glob_rules(const struct rule_conf *conf, size_t n, size_t more)
{
	struct glob_rule *rules = mem_calloc(n + more + 1, sizeof(*rules));

	for (size_t i = 0; i < n; i++)
		rules[i] = (struct glob_rule){ slice_of(conf[i].glob), slice_of(conf[i].value) };
	return (rules);
}

/* The site's own token patterns, then those that its providers' success URLs bring. */
static void
take_tokens(struct rules *r, const struct site_conf *site)
{
	size_t more = 0, n = site->n_tokens;

	for (size_t i = 0; i < site->n_providers; i++) {
		const struct provider *p = provider_find(site->providers[i].provider);

		more += p != NULL ? list_len((char **)p->token_params) / 2 : 0;
	}
	r->tokens = glob_rules(site->tokens, site->n_tokens, more);
	for (size_t i = 0; i < site->n_providers; i++) {
		const struct provider *p = provider_find(site->providers[i].provider);

		for (const char *const *pair = p != NULL ? p->token_params : NULL; pair != NULL && pair[0] != NULL; pair += 2)
			r->tokens[n++] = (struct glob_rule){ slice_of(pair[0]), slice_of(pair[1]) };
	}
	r->engine.tokens = r->tokens;
	r->engine.n_tokens = n;
}

const char **
rules_referrers(const struct site_conf *site)
{
	size_t n = 0, most = list_len(site->ignore_referrers);
	const char **list;

	for (size_t i = 0; i < site->n_providers; i++) {
		const struct provider *p = provider_find(site->providers[i].provider);

		most += p != NULL ? list_len((char **)p->payment_pages) : 0;
	}
	list = mem_calloc(most + 1, sizeof(*list));
	for (size_t i = 0; i < list_len(site->ignore_referrers); i++)
		list[n++] = site->ignore_referrers[i];
	for (size_t i = 0; i < site->n_providers; i++) {
		const struct provider *p = provider_find(site->providers[i].provider);

		for (const char *const *page = p != NULL ? p->payment_pages : NULL; page != NULL && *page != NULL; page++)
			list[n++] = *page;
	}
	return (list);
}

static void
take_network(struct network *net, const char *text)
{
	struct slice rest = slice_of(text), addr = slice_cut(&rest, '/');
	bool is_v4 = slice_find(addr, ':') < 0;

	must(address_parse(addr, net->addr));		/* the configuration was checked */
	net->bits = rest.len > 0 ? (unsigned)atoi(rest.p) + (is_v4 ? 96 : 0) : 128;
}

static void
take_proxies(struct rules *r, char **list)
{
	r->proxies = mem_calloc(list_len(list) + 1, sizeof(*r->proxies));
	for (size_t i = 0; i < list_len(list); i++)
		if (strcmp(list[i], "unix:") == 0)
			r->engine.trusts_unix = true;
		else
			take_network(&r->proxies[r->engine.n_trusted_proxies++], list[i]);
	r->engine.trusted_proxies = r->proxies;
}

/* The shortest first: who looks for the longest takes the last. */
static void
take_windows(struct rules *r, char **list)
{
	size_t n = 0;

	for (; n < LEVELS_MAX && list != NULL && list[n] != NULL; n++) {
		int64_t length_ms, bucket_ms;
		size_t at = n;

		must(window_parse(list[n], &length_ms, &bucket_ms) == NULL);	/* the configuration was checked */
		r->window_names[n] = mem_strndup(list[n], strcspn(list[n], "/"));
		for (; at > 0 && r->levels[at - 1].bucket_ms * r->levels[at - 1].buckets > length_ms; at--)
			r->levels[at] = r->levels[at - 1];
		r->levels[at] = (struct level){ r->window_names[n], bucket_ms, length_ms / bucket_ms };
	}
	r->engine.levels = r->levels;
	r->engine.n_levels = n;
}

static int
take_rates(struct rules *r, const char *path, struct err *err)
{
	size_t len;
	char *text;

	if (path == NULL)
		return (0);
	text = file_read(path, TABLE_MAX, &len, err);
	if (text == NULL)
		return (-1);
	r->rates = rates_parse(slice_make(text, len), path, err);
	free(text);
	return (r->rates != NULL ? 0 : -1);
}

static void
take_lists(struct rules *r, const struct site_conf *site)
{
	size_t n_paths = list_len(site->ignore_paths), n_networks = list_len(site->ignore_networks);

	r->pages = glob_rules(site->pages, site->n_pages, 0);
	r->engine.pages = r->pages;
	r->engine.n_pages = site->n_pages;
	r->ignore_paths = mem_calloc(n_paths + 1, sizeof(*r->ignore_paths));
	for (size_t i = 0; i < n_paths; i++)
		r->ignore_paths[i] = slice_of(site->ignore_paths[i]);
	r->engine.ignore_paths = r->ignore_paths;
	r->engine.n_ignore_paths = n_paths;
	r->networks = mem_calloc(n_networks + 1, sizeof(*r->networks));
	for (size_t i = 0; i < n_networks; i++)
		take_network(&r->networks[i], site->ignore_networks[i]);
	r->engine.ignore_networks = r->networks;
	r->engine.n_ignore_networks = n_networks;
}

struct rules *
rules_new(const struct site_conf *site, const struct tables *tables, struct geo *geo, struct geo *asn, struct err *err)
{
	static const char *const none[] = { NULL };
	struct rules *r = mem_calloc(1, sizeof(*r));
	struct engine_rules *e = &r->engine;

	e->bots = tables->bots;
	e->source.sources = tables->sources;
	e->source.own_hosts = site->hosts != NULL ? (const char *const *)site->hosts : none;
	e->assets = (const char *const *)site->assets;
	e->session_timeout_ms = site->session_timeout_ms;
	e->lookback_ms = site->lookback_ms;
	e->basis = (int)site->basis;
	e->currency = site->currency;
	e->max_series = site->max_series;
	e->limits = evidence_usual;
	e->strict = site->bots == BOTS_STRICT;
	e->max_history = site->history_limit;
	take_identities(r, site);
	take_tokens(r, site);
	r->referrers = rules_referrers(site);
	e->source.ignore_referrers = r->referrers;
	take_lists(r, site);
	take_windows(r, site->windows);
	take_proxies(r, site->trusted_proxies);
	if (geo != NULL) {
		r->geo = geo;
		e->country = country_of;
		e->country_arg = r;
	}
	if (asn != NULL) {
		r->asn = asn;
		r->hosting = tables->hosting;
		e->is_hosting = is_hosting;
		e->hosting_arg = r;
	}
	if (take_rates(r, site->rates, err) != 0)
		rules_free(&r);
	else
		e->rates = r->rates;
	return (r);
}

struct rules *
rules_of_visitors(const struct site_conf *site)
{
	struct rules *r = mem_calloc(1, sizeof(*r));

	take_identities(r, site);
	return (r);
}

int
rules_check_rates(const struct site_conf *site, struct err *err)
{
	struct rules r = { .rates = NULL };
	int rc = take_rates(&r, site->rates, err);

	rates_free(&r.rates);
	return (rc);
}

/* The rest is for what a commit and a publication copy of them, the filters, and the process itself. */
void
rules_limit(struct rules *r, uint64_t memory)
{
	r->engine.visits_bytes = memory / 8;
	r->engine.series_bytes = memory / 4;
}

void
rules_free(struct rules **rp)
{
	struct rules *r = *rp;

	if (r == NULL)
		return;
	free(r->pages);
	free(r->tokens);
	free(r->ignore_paths);
	free(r->networks);
	free(r->proxies);
	free(r->referrers);
	for (size_t i = 0; i < N_ELEM(r->window_names); i++)
		free(r->window_names[i]);
	rates_free(&r->rates);
	free(r);
	*rp = NULL;
}

const struct engine_rules *
rules_engine(const struct rules *r)
{
	return (&r->engine);
}

static bool
shows_visitor(const struct rules *r, const struct format *f)
{
	for (size_t i = 0; i < r->engine.n_identities; i++)
		switch (r->engine.identities[i].kind) {
		case IDENTITY_COOKIE:
			if (format_has_cookie(f, r->engine.identities[i].cookie))
				return (true);
			break;
		case IDENTITY_UID:
			if (format_has_uid(f))
				return (true);
			break;
		case IDENTITY_IP_UA:
			if (format_has_agent(f))
				return (true);
			break;
		}
	return (false);
}

static bool
has_address_identity(const struct rules *r)
{
	for (size_t i = 0; i < r->engine.n_identities; i++)
		if (r->engine.identities[i].kind == IDENTITY_IP_UA)
			return (true);
	return (false);
}

/* The variable that the first identity wants. */
static int
say_no_visitor(const struct rules *r, struct err *err)
{
	static const char why[] = "is needed, or another identity in visitor: without it no hit has a visitor";

	switch (r->engine.identities[0].kind) {
	case IDENTITY_COOKIE:
		return (err_set(err, "log format: $cookie_%s %s", r->cookies[r->engine.identities[0].cookie], why));
	case IDENTITY_UID:
		return (err_set(err, "log format: $uid_got, better with $uid_set, %s", why));
	case IDENTITY_IP_UA:
		break;
	}
	return (err_set(err, "log format: $remote_addr %s", why));
}

/* Its first identity is in no line of common and its like. */
static bool
wants_cookies(const struct rules *r)
{
	return (r->engine.n_identities > 0 && r->engine.identities[0].kind != IDENTITY_IP_UA);
}

void
rules_found(const struct rules *r, unsigned found, struct err *text)
{
	bool agents = false, cookies = false;
	size_t n = 0;

	err_set(text, "%s", "");
	for (unsigned i = 0; format_found_name(i) != NULL; i++) {
		if ((found & 1U << i) == 0)
			continue;
		n += (size_t)snprintf(text->msg + n, sizeof(text->msg) - n, "%s%s", n > 0 ? ", " : "", format_found_name(i));
		agents = agents || format_found_has_agent(i);
		cookies = cookies || format_found_has_cookies(i);
	}
	if (n > 0 && !agents)
		snprintf(text->msg + n, sizeof(text->msg) - n, "; it has no user agent, without which every hit counts as a bot's: let the "
		    "web server write combined");
	else if (n > 0 && !cookies && wants_cookies(r))
		snprintf(text->msg + n, sizeof(text->msg) - n, "; no cookie can be told in it, so visitors are known by address and browser: "
		    "name the format (nginx:NAME takes nginx' own)");
}

struct format *
rules_format(const struct rules *r, const struct log_conf *log, struct err *err)
{
	struct format *f = format_open(log->format, r->cookies, r->n_cookies, err);

	if (f == NULL)
		return (NULL);
	if (!format_has_user_agent(f))
		err_set(err, "log format: needs $http_user_agent, without which every hit counts as a bot's; combined has it");
	else if (!shows_visitor(r, f))
		say_no_visitor(r, err);
	else if (strcmp(log->format, "auto") == 0 && !has_address_identity(r))
		err_set(err, "log format: auto sees cookies only where a line names them, and visitor has no \"ip_ua\": set format (\"nginx:NAME\" "
		    "takes nginx' own; \"json\", \"ltsv\" and \"w3c\" find cookies by their names), or add \"ip_ua\" to visitor");
	else
		return (f);
	format_free(&f);
	return (NULL);
}
