/*
 * doctor_nginx: what nginx' configuration says about the logs, and which of its locations are rpvd's.
 */
#include <fnmatch.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/hit.h"
#include "doctor/doctor_impl.h"

#define NGINX_FLUSH_MS 0		/* without flush= a buffer is written when it is full: whenever that is */

/* ---- access_log ------------------------------------------------------------- */

bool
doctor_log_is(const struct log_conf *log, const char *path)
{
	char a[PATH_MAX], b[PATH_MAX];

	if (strcmp(log->path, path) == 0 || fnmatch(log->path, path, FNM_PATHNAME) == 0)
		return (true);
	return (realpath(log->path, a) != NULL && realpath(path, b) != NULL && strcmp(a, b) == 0);
}

struct log_look {
	struct doctor *d;
	const struct site_conf *site;
	const struct log_conf *log;
	unsigned found, all;
	struct buf others;		/* paths of all */
};

/* "name=value" behind the path, or NULL. */
static const char *
parameter(const struct nginx_node *n, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 2; i < n->n_words; i++)
		if (strncmp(n->words[i], name, len) == 0 && (n->words[i][len] == '=' || n->words[i][len] == '\0'))
			return (n->words[i][len] == '=' ? n->words[i] + len + 1 : "");
	return (NULL);
}

struct format_look {
	const char *name;
	const struct nginx_node *found;
};

static void
look_at_format(const struct nginx_node *n, void *arg)
{
	struct format_look *l = arg;

	if (n->n_words > 2 && strcmp(n->words[1], l->name) == 0)
		l->found = n;
}

/* Its strings, joined; escape= is no part of them.  NULL where there is none of that name. */
static char *
format_of_nginx(const struct doctor *d, const char *name)
{
	struct format_look l = { name, NULL };
	struct buf text = { 0 };

	if (strcmp(name, "combined") == 0)
		return (mem_strdup(format_spec("combined")));
	nginx_each(d->nginx, "log_format", look_at_format, &l);
	if (l.found == NULL)
		return (NULL);
	for (size_t i = 2; i < l.found->n_words; i++)
		if (i > 2 || strncmp(l.found->words[i], "escape=", 7) != 0)
			buf_puts(&text, l.found->words[i]);
	buf_putc(&text, '\0');
	return (text.p);
}

static void
check_format(struct log_look *l, const struct nginx_node *n)
{
	const char *name = n->n_words > 2 && strchr(n->words[2], '=') == NULL ? n->words[2] : "combined";
	const char *ours = format_spec(l->log->format);
	char *theirs = format_of_nginx(l->d, name);
	struct err fix;

	if (theirs != NULL && ours != NULL && strcmp(ours, theirs) != 0) {
		if (strcmp(name, "combined") == 0)
			err_set(&fix, "Set format = \"combined\" in %s line %d.", l->d->config->file, l->log->line);
		else
			err_set(&fix, "Set in %.150s line %d: format = '%.300s'", l->d->config->file, l->log->line, theirs);
		doctor_find(l->d, "nginx_format", &fix, "%s: nginx writes it with log_format %s (%s:%d), which is not the format that is configured here",
		    n->words[1], name, n->file, n->line);
	}
	free(theirs);
}

static void
check_buffer(struct log_look *l, const struct nginx_node *n)
{
	const char *buffer = parameter(n, "buffer"), *flush = parameter(n, "flush");
	int64_t flush_ms = NGINX_FLUSH_MS;
	struct err fix;

	if (buffer == NULL && parameter(n, "gzip") == NULL)
		return;
	if (parameter(n, "gzip") != NULL) {
		fix = doctor_fix("Take gzip= away; logrotate compresses what is rotated.");
		doctor_find(l->d, "nginx_gzip", &fix, "%s: nginx writes it compressed (%s:%d), which cannot be followed", n->words[1], n->file, n->line);
		return;
	}
	if (flush != NULL && duration_parse(flush, &flush_ms) && l->site->reorder_ms >= flush_ms)
		return;
	if (flush != NULL && flush_ms > 0)
		err_set(&fix, "Take buffer= and flush= away, or set reorder = \"%llds\" for site %s: figures then come so much later, but right.",
		    (long long)(flush_ms + 1999) / 1000, l->site->name);
	else
		err_set(&fix, "Take buffer= away, or add flush=5s to it and set reorder = \"6s\" for site %s.", l->site->name);
	doctor_find(l->d, "nginx_buffer", &fix, "%s: nginx keeps lines back (buffer=%s%s%s, %s:%d): orders may be decided before their visit is read",
	    n->words[1], buffer, flush != NULL ? " flush=" : " and no flush=", flush != NULL ? flush : "", n->file, n->line);
}

static void
look_at_access_log(const struct nginx_node *n, void *arg)
{
	struct log_look *l = arg;

	if (n->n_words < 2 || strcmp(n->words[1], "off") == 0)
		return;
	l->all++;
	if (strstr(l->others.p != NULL ? l->others.p : "", n->words[1]) == NULL && l->others.len < 150) {
		buf_printf(&l->others, "%s%s", l->others.len > 0 ? ", " : "", n->words[1]);
		buf_putc(&l->others, '\0');
		l->others.len--;
	}
	if (!doctor_log_is(l->log, n->words[1]))
		return;
	if (l->found++ > 0)
		return;			/* the same log from several servers: once */
	check_format(l, n);
	check_buffer(l, n);
}

static void
check_nginx_log(struct doctor *d, const struct site_conf *site, const struct log_conf *log)
{
	struct log_look l = { .d = d, .site = site, .log = log };
	struct err fix;

	nginx_each(d->nginx, "access_log", look_at_access_log, &l);
	if (l.found == 0 && l.all > 0) {
		err_set(&fix, "Name the right one in %.150s line %d; nginx writes %.200s.", d->config->file, log->line, l.others.p);
		doctor_find(d, "nginx_log", &fix, "%s: no access_log of nginx (%s) goes there", log->path, d->nginx_file);
	}
	buf_free(&l.others);
}

void
doctor_nginx(struct doctor *d)
{
	if (d->nginx == NULL)
		return;
	for (size_t i = 0; i < d->config->n_sites; i++)
		for (size_t k = 0; k < d->config->sites[i].n_logs; k++)
			check_nginx_log(d, &d->config->sites[i], &d->config->sites[i].logs[k]);
}

/* ---- locations ---------------------------------------------------------------- */

static bool
regex_fits(const char *pattern, bool nocase, const char *path)
{
	regex_t re;
	bool ok;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB | (nocase ? REG_ICASE : 0)) != 0)
		return (false);
	ok = regexec(&re, path, 0, NULL, 0) == 0;
	regfree(&re);
	return (ok);
}

/* As nginx chooses: the exact one, else the longest prefix; unless that has ^~, the first
 * expression that fits goes before it. */
const struct nginx_node *
doctor_location(const struct nginx_node *server, const char *path)
{
	const struct nginx_node *prefix = NULL, *regex = NULL;
	size_t longest = 0;
	bool final = false;

	for (size_t i = 0; i < server->n_children; i++) {
		const struct nginx_node *n = server->children[i];
		const char *how = n->n_words > 2 ? n->words[1] : "", *what = n->n_words > 1 ? n->words[n->n_words - 1] : "";

		if (n->n_words < 2 || strcmp(n->words[0], "location") != 0)
			continue;
		if (strcmp(how, "=") == 0 && strcmp(what, path) == 0)
			return (n);
		if (how[0] == '~' && regex == NULL && regex_fits(what, strcmp(how, "~*") == 0, path))
			regex = n;
		if ((how[0] == '\0' || strcmp(how, "^~") == 0) && strncmp(path, what, strlen(what)) == 0 && strlen(what) >= longest) {
			prefix = n;
			longest = strlen(what);
			final = how[0] != '\0';
		}
	}
	return (regex != NULL && !final ? regex : prefix);
}

struct upstream_look {
	const char *name, *listen;
	bool found;
};

/* "unix:/path", "host:port", with what nginx may have behind it. */
static bool
same_address(const char *theirs, const char *listen)
{
	size_t len = strlen(listen);

	if (strncmp(theirs, listen, len) == 0)
		return (theirs[len] == '\0' || theirs[len] == ':' || theirs[len] == '/');
	return (strncmp(listen, "127.0.0.1:", 10) == 0 && strncmp(theirs, "localhost:", 10) == 0 &&
	    strtoul(theirs + 10, NULL, 10) == strtoul(listen + 10, NULL, 10));
}

static void
look_at_upstream(const struct nginx_node *n, void *arg)
{
	struct upstream_look *l = arg;
	size_t len;

	if (n->n_words < 2)
		return;
	len = strlen(n->words[1]);
	if (strncmp(l->name, n->words[1], len) != 0 || (l->name[len] != '\0' && l->name[len] != '/'))
		return;
	for (size_t i = 0; i < n->n_children; i++)
		if (n->children[i]->n_words > 1 && strcmp(n->children[i]->words[0], "server") == 0)
			l->found |= same_address(n->children[i]->words[1], l->listen);
}

bool
doctor_passes(const struct doctor *d, const struct nginx_node *location)
{
	const struct nginx_node *pass = location != NULL ? nginx_child(location, "proxy_pass") : NULL;
	struct upstream_look l = { .listen = d->listen };

	if (pass == NULL || pass->n_words < 2 || l.listen == NULL || strncmp(pass->words[1], "http://", 7) != 0)
		return (false);
	l.name = pass->words[1] + 7;
	if (same_address(l.name, l.listen))
		return (true);
	nginx_each(d->nginx, "upstream", look_at_upstream, &l);
	return (l.found);
}
