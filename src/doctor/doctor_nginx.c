/*
 * doctor_nginx: what nginx' configuration says about the logs, and which of its locations are rpvd's.
 */
#include <fnmatch.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "core/hit.h"
#include "doctor/doctor_impl.h"
#include "io/nginx_format.h"

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

/* nginx:NAME, as an owner of this configuration of nginx would write it. */
static void
say_name(const struct doctor *d, const char *name, char *out, size_t room)
{
	if (strcmp(name, "combined") == 0)
		snprintf(out, room, "combined");
	else if (strcmp(d->nginx_file, NGINX_CONF) == 0)
		snprintf(out, room, "nginx:%s", name);
	else
		snprintf(out, room, "nginx:%s:%s", d->nginx_file, name);
}

/* The string that the log's format stands for; the caller's.  NULL: it stands for none, as auto. */
static char *
our_format(const struct doctor *d, const char *spec)
{
	const struct nginx_node *where;
	const char *name = strrchr(spec, ':');
	struct err err;

	if (format_is_nginx(spec))
		return (nginx_format_of(d->nginx, d->nginx_file, name + 1, &where, &err));
	return (strchr(format_spec(spec), '$') != NULL ? mem_strdup(format_spec(spec)) : NULL);
}

/* Whether auto misses a cookie that the string has, of those by which visitors are told apart. */
static bool
has_cookie(const struct site_conf *site, const char *theirs)
{
	for (size_t i = 0; site->visitor[i] != NULL; i++) {
		const char *colon = strchr(site->visitor[i], ':'), *at = theirs;

		if (strcmp(site->visitor[i], "uid") == 0 && (strstr(theirs, "uid_got") != NULL || strstr(theirs, "uid_set") != NULL))
			return (true);
		while (colon != NULL && (at = strstr(at, "cookie_")) != NULL) {
			at += strlen("cookie_");
			if (strncasecmp(at, colon + 1, strlen(colon + 1)) == 0)
				return (true);
		}
	}
	return (false);
}

static void
check_format(struct log_look *l, const struct nginx_node *n)
{
	const char *name = n->n_words > 2 && strchr(n->words[2], '=') == NULL ? n->words[2] : "combined";
	const struct nginx_node *where;
	struct err fix, unused;
	char *ours = our_format(l->d, l->log->format), *theirs = nginx_format_of(l->d->nginx, l->d->nginx_file, name, &where, &unused);
	char format[400];

	say_name(l->d, name, format, sizeof(format));
	err_set(&fix, "Set format = \"%s\" in %.150s line %d.", format, l->d->config->file, l->log->line);
	if (theirs != NULL && ours != NULL && strcmp(ours, theirs) != 0)
		doctor_find(l->d, "nginx_format", &fix, "%s: nginx writes it with log_format %s (%s:%d), which is not the format that is configured here",
		    n->words[1], name, n->file, n->line);
	else if (theirs != NULL && strcmp(l->log->format, "auto") == 0 && has_cookie(l->site, theirs))
		doctor_find(l->d, "nginx_format", &fix, "%s: nginx writes a visitor's cookie into it (log_format %s, %s:%d), of which format = \"auto\" "
		    "does not know where it stands", n->words[1], name, n->file, n->line);
	free(ours);
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
