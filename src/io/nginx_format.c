/*
 * nginx_format: see nginx_format.h.
 */
#include "io/nginx_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/nginx_conf.h"

#define PREFIX "nginx:"

bool
format_is_nginx(const char *spec)
{
	return (strncmp(spec, PREFIX, strlen(PREFIX)) == 0);
}

/* ---- in its configuration ---------------------------------------------------------- */

/* The strings of a log_format, joined, with the parameter in front. */
static char *
text_of(const struct nginx_node *n)
{
	struct buf text = { 0 };
	size_t i = 2;

	if (n->n_words > 2 && strncmp(n->words[2], "escape=", strlen("escape=")) == 0) {
		if (strcmp(n->words[2], "escape=default") != 0)
			buf_printf(&text, "%s ", n->words[2]);
		i++;
	}
	for (; i < n->n_words; i++)
		buf_puts(&text, n->words[i]);
	buf_putc(&text, '\0');
	return (text.p);
}

struct look {
	const char *name;
	const struct nginx_node *found;
	struct buf all;			/* names that there are */
};

static void
look_at_format(const struct nginx_node *n, void *arg)
{
	struct look *l = arg;

	if (n->n_words < 3)
		return;
	if (l->found == NULL && strcmp(n->words[1], l->name) == 0)
		l->found = n;
	if (l->all.len < 200)
		buf_printf(&l->all, ", %s", n->words[1]);
}

char *
nginx_format_of(const struct nginx_node *root, const char *file, const char *name, const struct nginx_node **where, struct err *err)
{
	struct look l = { .name = name };
	char *text = NULL;

	*where = NULL;
	if (strcmp(name, "combined") == 0)	/* built into nginx */
		return (mem_strdup(format_spec("combined")));
	nginx_each(root, "log_format", look_at_format, &l);
	*where = l.found;
	if (l.found != NULL)
		text = text_of(l.found);
	else
		err_set(err, "log format: %.200s and what it includes have no log_format %.60s; there is combined%.*s", file, name,
		    (int)l.all.len, l.all.p != NULL ? l.all.p : "");
	buf_free(&l.all);
	return (text);
}

/* ---- for a log ------------------------------------------------------------------------ */

/* nginx:NAME or nginx:/path:NAME. */
static void
split(const char *spec, char **file, char **name)
{
	const char *rest = spec + strlen(PREFIX), *colon = rest[0] == '/' ? strrchr(rest, ':') : NULL;

	*file = colon != NULL ? mem_strndup(rest, (size_t)(colon - rest)) : mem_strdup(NGINX_CONF);
	*name = mem_strdup(colon != NULL ? colon + 1 : rest);
}

static struct format *
compile(const struct nginx_node *root, const char *file, const char *name, const char *const *cookies, size_t n_cookies,
    struct err *err)
{
	const struct nginx_node *where;
	char *text = nginx_format_of(root, file, name, &where, err);
	struct format *f = text != NULL ? format_compile(text, cookies, n_cookies, err) : NULL;
	struct err inner = *err;

	if (f == NULL && where != NULL)
		err_set(err, "%.300s (%.200s:%d: log_format %.60s)", inner.msg, where->file, where->line, name);
	free(text);
	return (f);
}

struct format *
format_open(const char *spec, const char *const *cookies, size_t n_cookies, struct err *err)
{
	struct nginx_node *root = NULL;
	struct format *f = NULL;
	char *file, *name;

	if (!format_is_nginx(spec))
		return (format_compile(spec, cookies, n_cookies, err));
	split(spec, &file, &name);
	if (name[0] == '\0' || name[0] == '/')
		err_set(err, "log format: \"%.200s\": write nginx:NAME, or nginx:/path/of/nginx.conf:NAME", spec);
	else if ((root = nginx_conf_read(file)) == NULL)
		err_set(err, "log format: %.200s: %s; it is read for nginx:%.60s: name the right file as nginx:/path/of/nginx.conf:%.60s, "
		    "or copy the string of its log_format", file, strerror(errno), name, name);
	else
		f = compile(root, file, name, cookies, n_cookies, err);
	nginx_conf_free(&root);
	free(file);
	free(name);
	return (f);
}

char *
format_text(const char *spec)
{
	const struct nginx_node *where;
	struct nginx_node *root;
	char *file, *name, *text = NULL;
	struct err err;

	if (!format_is_nginx(spec))
		return (mem_strdup(format_spec(spec)));
	split(spec, &file, &name);
	root = nginx_conf_read(file);
	if (root != NULL)
		text = nginx_format_of(root, file, name, &where, &err);
	nginx_conf_free(&root);
	free(file);
	free(name);
	return (text);
}
