/*
 * nginx_conf: nginx's configuration as a tree of directives, includes followed.
 *
 * What `nginx -T` would show, but without running nginx, which only root can.  Mistakes are
 * nginx's to find: what cannot be read is passed over.
 */
#ifndef RPVD_NGINX_CONF_H
#define RPVD_NGINX_CONF_H

#include <stddef.h>

struct nginx_node {
	char **words;			/* "listen", "443", "ssl": without quotes; the root has none */
	size_t n_words;
	char *file;
	int line;
	struct nginx_node *parent;
	struct nginx_node **children;	/* of a block, in order */
	size_t n_children, cap;
};

/* NULL where there is no such file, or it cannot be read: errno. */
struct nginx_node *nginx_conf_read(const char *file);
void nginx_conf_free(struct nginx_node **);

/* The first child of that name, or NULL; one that the parents may give it: the nearest. */
const struct nginx_node *nginx_child(const struct nginx_node *, const char *name);
const struct nginx_node *nginx_inherited(const struct nginx_node *, const char *name);
/* Calls fn for each directive of that name, at any depth. */
void nginx_each(const struct nginx_node *, const char *name, void (*fn)(const struct nginx_node *, void *), void *arg);

#endif
