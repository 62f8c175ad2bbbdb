/*
 * nginx_format: "nginx:NAME" is the log_format of that name in nginx' own configuration.
 */
#ifndef RPVD_NGINX_FORMAT_H
#define RPVD_NGINX_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "core/hit.h"

struct nginx_node;

#define NGINX_CONF "/etc/nginx/nginx.conf"

bool format_is_nginx(const char *spec);
/* The format string that log_format NAME has, with escape= in front; the caller's.  *where: its directive, NULL for
 * combined, which is built into nginx.  NULL where there is none of that name: err says which there are. */
char *nginx_format_of(const struct nginx_node *root, const char *file, const char *name, const struct nginx_node **where,
    struct err *);
/* As format_compile(), also for nginx:NAME (from NGINX_CONF) and nginx:FILE:NAME, which are read from disk now. */
struct format *format_open(const char *spec, const char *const *cookies, size_t n_cookies, struct err *);
/* The string itself, for who wants to look at it; the caller's.  NULL where nginx has none of that name. */
char *format_text(const char *spec);

#endif
