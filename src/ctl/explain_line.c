/*
 * explain line: what a log line says, field by field, or why it is rejected.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "core/hit.h"
#include "ctl/explain.h"
#include "io/nginx_format.h"

struct line_reader {
	struct format *format;
	char cookies[HIT_COOKIES_MAX][64];	/* "cookie_NAME" */
	size_t n_cookies;
};

/* The site whose first log is meant; NULL: none. */
static const struct site_conf *
configured_site(const struct explain_want *want)
{
	for (size_t i = 0; want->config != NULL && i < want->config->n_sites; i++) {
		const struct site_conf *site = &want->config->sites[i];

		if ((want->site == NULL || strcmp(site->name, want->site) == 0) && site->n_logs > 0)
			return (site);
	}
	return (NULL);
}

static void
add_cookie(struct line_reader *r, const char *name, size_t len)
{
	char *to = r->cookies[r->n_cookies];

	if (len == 0 || r->n_cookies == HIT_COOKIES_MAX || len + sizeof("cookie_") > sizeof(r->cookies[0]))
		return;
	snprintf(to, sizeof(r->cookies[0]), "cookie_%.*s", (int)len, name);
	for (size_t i = 0; i < r->n_cookies; i++)
		if (strcmp(r->cookies[i], to) == 0)
			return;
	r->n_cookies++;
}

/* The cookies that a format string logs each by its name: nginx' $cookie_NAME, Apache's %{NAME}C. */
static void
find_cookies(struct line_reader *r, const char *spec)
{
	const char *p, *end;

	for (p = spec; (p = strstr(p, "cookie_")) != NULL; p += strlen("cookie_"))
		if (p > spec && (p[-1] == '$' || p[-1] == '{'))
			add_cookie(r, p + strlen("cookie_"), strspn(p + strlen("cookie_"),
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"));
	for (p = spec; (p = strchr(p, '{')) != NULL && (end = strchr(p, '}')) != NULL; p = end)
		if (end[1] == 'C')
			add_cookie(r, p + 1, (size_t)(end - p) - 1);
}

/* Those by which the site knows its visitors, and those that the format names. */
static void
want_cookies(struct line_reader *r, const struct site_conf *site, const char *spec)
{
	char *text = format_text(spec);

	for (size_t i = 0; site != NULL && site->visitor[i] != NULL; i++)
		if (strncmp(site->visitor[i], "cookie:", strlen("cookie:")) == 0)
			add_cookie(r, site->visitor[i] + strlen("cookie:"), strlen(site->visitor[i]) - strlen("cookie:"));
	if (text != NULL)
		find_cookies(r, text);
	free(text);
}

static void *
line_open(const struct explain_want *want, struct err *err)
{
	struct line_reader *r = mem_calloc(1, sizeof(*r));
	const struct site_conf *site = configured_site(want);
	const char *spec = want->format != NULL ? want->format : site != NULL ? site->logs[0].format : "auto", *names[HIT_COOKIES_MAX];

	want_cookies(r, site, spec);
	for (size_t i = 0; i < r->n_cookies; i++)
		names[i] = r->cookies[i] + strlen("cookie_");
	r->format = format_open(spec, names, r->n_cookies, err);
	if (r->format == NULL) {
		free(r);
		return (NULL);
	}
	return (r);
}

static void
line_answer(void *arg, char *line, size_t len, struct buf *answer)
{
	struct line_reader *r = arg;
	struct hit hit;
	enum hit_drop drop = hit_parse(r->format, line, len, &hit);

	if (drop != HIT_OK) {
		answer_text(answer, "rejected", slice_of(hit_drop_name(drop)));
		return;
	}
	answer_number(answer, "time_ms", hit.time_ms);
	answer_text(answer, "addr", hit.addr);
	answer_text(answer, "method", hit.method);
	answer_text(answer, "target", hit.target);
	answer_number(answer, "status", hit.status);
	answer_number(answer, "bytes", (int64_t)hit.bytes);
	answer_text(answer, "referrer", hit.referrer);
	answer_text(answer, "user_agent", hit.agent);
	answer_text(answer, "host", hit.host);
	answer_text(answer, "protocol", hit.protocol);
	answer_text(answer, "forwarded", hit.forwarded);
	if (hit.cookie_header.len > 0)
		answer_text(answer, "cookie", hit.cookie_header);
	for (size_t i = 0; i < r->n_cookies; i++)
		answer_text(answer, r->cookies[i], hit.cookies[i]);
	if (hit.uid_got.len > 0)
		answer_text(answer, "uid_got", hit.uid_got);
	if (hit.uid_set.len > 0)
		answer_text(answer, "uid_set", hit.uid_set);
}

static void
line_close(void *arg)
{
	struct line_reader *r = arg;

	format_free(&r->format);
	free(r);
}

const struct explainer explain_line = { "line", line_open, line_answer, line_close };
