/*
 * explain source: where the visitor of a request came from, and which rule says so.
 *
 * A line is a target and, behind a tab, the referrer, as a log has them.  Each is taken for
 * the first pageview of a visit, so that one which brings nothing is (direct)/(none).
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "core/source.h"
#include "ctl/explain.h"
#include "io/rules.h"

struct source_explainer {
	struct source_rules rules;
	char **hosts;			/* rules.own_hosts: those of --host, then the configuration's */
	size_t n_hosts, n_owned;	/* the first of them, which are ours */
	size_t cap;
	const char **referrers;		/* rules.ignore_referrers; NULL: none */
};

static void
source_close(void *arg)
{
	struct source_explainer *x = arg;

	for (size_t i = 0; i < x->n_owned; i++)
		free(x->hosts[i]);
	free(x->hosts);
	free(x->referrers);
	free(x);
}

/* NULL-terminated at any time. */
static void
put_host(struct source_explainer *x, char *host)
{
	mem_grow(&x->hosts, &x->cap, x->n_hosts + 2, sizeof(*x->hosts));
	x->hosts[x->n_hosts++] = host;
	x->hosts[x->n_hosts] = NULL;
	x->rules.own_hosts = (const char *const *)x->hosts;
}

/* A host, as url_host() would find it in a referrer. */
static int
take_host(struct source_explainer *x, struct slice text, struct err *err)
{
	struct buf url = { 0 };
	char host[HOST_MAX];
	size_t len;

	buf_puts(&url, "http://");
	buf_put(&url, text.p, text.len);
	len = url_host(buf_view(&url), host);
	buf_free(&url);
	if (len == 0 || len != text.len)
		return (err_set(err, "--host \"%.*s\": expected a host name such as shop.example, without scheme, port and path",
		    (int)(text.len < 80 ? text.len : 80), text.p));
	put_host(x, mem_strndup(host, len));
	x->n_owned++;
	return (0);
}

/* list: NULL where no host was given. */
static int
take_hosts(struct source_explainer *x, const char *list, struct err *err)
{
	struct slice rest = slice_of(list);

	if (list == NULL)
		return (0);
	do {
		if (take_host(x, slice_cut(&rest, ','), err) != 0)
			return (-1);
	} while (rest.len > 0);
	return (0);
}

static const struct site_conf *
configured_site(const struct explain_want *want, struct err *err)
{
	for (size_t i = 0; i < want->config->n_sites; i++)
		if (want->site == NULL || strcmp(want->config->sites[i].name, want->site) == 0)
			return (&want->config->sites[i]);
	err_set(err, "%s has no site \"%s\"", want->config->file, want->site != NULL ? want->site : "");
	return (NULL);
}

static int
take_configured(struct source_explainer *x, const struct explain_want *want, struct err *err)
{
	const struct site_conf *site = want->config != NULL ? configured_site(want, err) : NULL;

	if (site == NULL)
		return (want->config != NULL ? -1 : 0);
	for (char **host = site->hosts; host != NULL && *host != NULL; host++)
		put_host(x, *host);
	x->referrers = rules_referrers(site);
	x->rules.ignore_referrers = x->referrers;
	return (0);
}

static void *
source_open(const struct explain_want *want, struct err *err)
{
	struct source_explainer *x = mem_calloc(1, sizeof(*x));

	x->rules.sources = tables_sources(want->tables);
	if (take_hosts(x, want->host, err) == 0 && take_configured(x, want, err) == 0)
		return (x);
	source_close(x);
	return (NULL);
}

/* utm, own_host, direct, referrer; click_id:gclid; known:google.* (search). */
static void
answer_rule(struct buf *answer, const struct source *s)
{
	struct buf rule = { 0 };

	buf_puts(&rule, source_rule_word(s->rule));
	if (s->rule != RULE_OWN_HOST && s->by.len > 0)
		buf_printf(&rule, ":%.*s", SLICE_FMT(s->by));
	if (s->kind[0] != '\0')
		buf_printf(&rule, " (%s)", s->kind);
	answer_text(answer, "rule", buf_view(&rule));
	buf_free(&rule);
}

static void
source_answer(void *arg, char *line, size_t len, struct buf *answer)
{
	struct source_explainer *x = arg;
	struct slice referrer = slice_make(line, len), target = slice_cut(&referrer, '\t');
	struct source s;

	source_of(&x->rules, target, referrer, &s);
	answer_text(answer, "source", slice_make(s.source, s.source_len));
	answer_text(answer, "medium", slice_make(s.medium, s.medium_len));
	answer_text(answer, "campaign", s.campaign_len > 0 ? slice_make(s.campaign, s.campaign_len) : SLICE("(none)"));
	answer_text(answer, "channel", slice_of(channel_of(x->rules.sources, &s)));
	answer_rule(answer, &s);
}

const struct explainer explain_source = { "source", source_open, source_answer, source_close };
