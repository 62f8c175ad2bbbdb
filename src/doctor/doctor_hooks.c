/*
 * doctor_hooks: does a webhook get from the provider's side of nginx to rpvd, unchanged?
 *
 * The probe is a GET, which rpvd's listener answers in words of its own and counts as nobody's
 * fault; where nginx lets only POST through, an unsigned one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "doctor/doctor_impl.h"
#include "doctor/probe.h"

#define GET_ANSWER "Webhooks come by POST."
#define POST_ANSWER "The signature does not fit."
#define PATH_ANSWER "There is no webhook at this path."
#define BODY_LEAST (1024 * 1024)

/* ---- the listener ------------------------------------------------------------- */

/* True where it answers and knows the path. */
static bool
check_listener(struct doctor *d, const struct endpoint_conf *e)
{
	struct probe_answer a;
	struct err err, fix;

	if (probe(d->listen, false, "localhost", "GET", e->path, &a, &err) != 0) {
		fix = doctor_fix("Start rpvd (systemctl start rpvd.socket rpvd.service).");
		doctor_find(d, "listener", &fix, "nobody takes webhooks: %s", err.msg);
		return (false);
	}
	if (strstr(a.body, GET_ANSWER) != NULL)
		return (true);
	fix = doctor_fix("Let the rpvd that runs read this configuration (systemctl reload rpvd), or end what listens there.");
	doctor_find(d, "listener", &fix, "%s: answers %d at %s: it is not rpvd, or not with this configuration", d->listen, a.status,
	    e->path);
	return (false);
}

/* ---- by way of nginx -------------------------------------------------------------- */

struct listen {
	char address[300];
	bool tls, usable;
};

/* "443 ssl", "127.0.0.1:8080", "[::]:80", "unix:/path", "*:80", "host" */
static struct listen
listen_of(const struct nginx_node *n)
{
	struct listen l = { .usable = n->n_words > 1 };
	const char *what = n->n_words > 1 ? n->words[1] : "";

	for (size_t i = 2; i < n->n_words; i++) {
		l.tls = l.tls || strcmp(n->words[i], "ssl") == 0;
		if (strcmp(n->words[i], "proxy_protocol") == 0 || strcmp(n->words[i], "quic") == 0)
			l.usable = false;
	}
	if (strncmp(what, "unix:", 5) == 0)
		snprintf(l.address, sizeof(l.address), "%s", what);
	else if (strspn(what, "0123456789") == strlen(what))
		snprintf(l.address, sizeof(l.address), "127.0.0.1:%s", what);
	else if (strncmp(what, "[::]", 4) == 0)
		snprintf(l.address, sizeof(l.address), "[::1]%s", what[4] != '\0' ? what + 4 : ":80");
	else if (strncmp(what, "*:", 2) == 0 || strncmp(what, "0.0.0.0:", 8) == 0)
		snprintf(l.address, sizeof(l.address), "127.0.0.1%s", strchr(what, ':'));
	else
		snprintf(l.address, sizeof(l.address), "%s%s", what, strrchr(what, ':') != NULL && what[strlen(what) - 1] != ']' ? "" : ":80");
	return (l);
}

/* That with TLS, where there is one: providers want it. */
static struct listen
best_listen(const struct nginx_node *server)
{
	struct listen best = { .address = "127.0.0.1:80", .usable = true };
	bool any = false;

	for (size_t i = 0; i < server->n_children; i++) {
		struct listen l;

		if (server->children[i]->n_words == 0 || strcmp(server->children[i]->words[0], "listen") != 0)
			continue;
		l = listen_of(server->children[i]);
		if (!any || (l.usable && (!best.usable || (l.tls && !best.tls))))
			best = l;
		any = true;
	}
	return (best);
}

static const char *
name_of(const struct doctor *d, const struct nginx_node *server)
{
	const struct nginx_node *n = nginx_child(server, "server_name");

	for (size_t i = 1; n != NULL && i < n->n_words; i++)
		if (strpbrk(n->words[i], "*~_") == NULL && n->words[i][0] != '\0' && n->words[i][0] != '.')
			return (n->words[i]);
	for (size_t i = 0; i < d->config->n_sites; i++)
		if (d->config->sites[i].hosts != NULL && d->config->sites[i].hosts[0] != NULL)
			return (d->config->sites[i].hosts[0]);
	return ("localhost");
}

static void
check_probe(struct doctor *d, const struct nginx_node *server, const struct nginx_node *location, const struct endpoint_conf *e)
{
	struct listen l = best_listen(server);
	const char *host = name_of(d, server);
	struct probe_answer a;
	struct err err, fix;

	if (!l.usable) {
		doctor_note(d, "hook_way", "nginx' server at %s:%d expects another proxy in front and was not asked", server->file, server->line);
		return;
	}
	if (probe(l.address, l.tls, host, "GET", e->path, &a, &err) != 0) {
		fix = doctor_fix("See that nginx runs with this configuration (nginx -t; systemctl reload nginx).");
		doctor_find(d, "hook_way", &fix, "nginx does not answer for %s: %s", host, err.msg);
		return;
	}
	if (l.tls && a.expires_in_s < 0) {
		fix = doctor_fix("Renew it: providers send nothing to a server whose certificate has expired.");
		doctor_find(d, "certificate", &fix, "the certificate of %s has expired", host);
	}
	if (strstr(a.body, GET_ANSWER) != NULL)
		return;
	if (probe(l.address, l.tls, host, "POST", e->path, &a, &err) == 0 && strstr(a.body, POST_ANSWER) != NULL)
		return;			/* only POST passes */
	if (strstr(a.body, PATH_ANSWER) != NULL) {
		fix = doctor_fix("Pass the path on as it is: proxy_pass without anything behind the name, no rewrite; see contrib/nginx/hooks.conf.");
		doctor_find(d, "hook_path", &fix, "nginx passes %s on under another path (%s:%d)", e->path, location->file, location->line);
		return;
	}
	fix = doctor_fix(a.status == 502 || a.status == 504 ?
	    "Let nginx' user open rpvd's socket (group www-data, mode 0660), and see nginx' error log." :
	    "Let this location pass everybody on, without password, redirection or address list; see contrib/nginx/hooks.conf.");
	doctor_find(d, "hook_way", &fix, "a webhook to %s%s does not reach rpvd: nginx answers %d itself", host, e->path, a.status);
}

/* ---- what may be done to it ------------------------------------------------------- */

/* "1m", "512k", "0": without limit. */
static long long
size_of(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	return (n == 0 ? INT64_MAX : *end == 'k' || *end == 'K' ? n << 10 : *end == 'm' || *end == 'M' ? n << 20 : *end == 'g' || *end == 'G' ?
	    n << 30 : n);
}

static void
check_location(struct doctor *d, const struct nginx_node *n)
{
	static const char *const changes[] = { "proxy_set_body", "proxy_pass_request_body", "proxy_pass_request_headers" };
	const struct nginx_node *limit = nginx_inherited(n, "client_max_body_size");
	struct err fix = doctor_fix("Take that away for this location: a signature is over the very bytes of the body.");

	for (size_t i = 0; i < N_ELEM(changes); i++) {
		const struct nginx_node *c = nginx_inherited(n, changes[i]);

		if (c != NULL && c->n_words > 1 && (i == 0 || strcmp(c->words[1], "off") == 0))
			doctor_find(d, "hook_body", &fix, "nginx changes webhooks on their way: %s %.60s (%s:%d): no signature will fit", changes[i], c->words[1],
			    c->file, c->line);
	}
	fix = doctor_fix("Set client_max_body_size 3m in this location.");
	if (limit != NULL && limit->n_words > 1 && size_of(limit->words[1]) < BODY_LEAST)
		doctor_find(d, "hook_size", &fix, "nginx refuses webhooks larger than %s (%s:%d)", limit->words[1], limit->file, limit->line);
}

struct server_look {
	struct doctor *d;
	const struct endpoint_conf *e;
	unsigned found;
};

static void
look_at_server(const struct nginx_node *server, void *arg)
{
	struct server_look *l = arg;
	const struct nginx_node *location = server->n_children > 0 ? doctor_location(server, l->e->path) : NULL;

	if (!doctor_passes(l->d, location))
		return;
	if (l->found++ == 0) {
		check_location(l->d, location);
		check_probe(l->d, server, location, l->e);
	}
}

/* ---- secrets ------------------------------------------------------------------------ */

static void
check_secret(struct doctor *d, const struct endpoint_conf *e)
{
	struct err what, fix;
	struct stat st;
	bool missing;

	if (e->secret_file == NULL)
		return;			/* the service manager's to give */
	if (!access_check(&d->user, e->secret_file, 4, &missing, &what, &fix)) {
		if (missing)
			fix = doctor_fix("Write the endpoint's signing secret into it, mode 0600, of rpvd's user; or give it as a systemd credential.");
		doctor_find(d, "secret", &fix, "%s", what.msg);
	} else if (stat(e->secret_file, &st) == 0 && (st.st_mode & 7) != 0) {
		err_set(&fix, "chmod o= %.200s, and change the secret at the provider where others use this machine.", e->secret_file);
		doctor_find(d, "secret", &fix, "%s: everybody on this machine may read it (mode %04o)", e->secret_file, (unsigned)(st.st_mode & 07777));
	}
}

static void
check_endpoint(struct doctor *d, const struct endpoint_conf *e)
{
	struct server_look l = { d, e, 0 };
	struct err fix = doctor_fix("Put contrib/nginx/hooks.conf into the server block of the shop, and reload nginx.");

	check_secret(d, e);
	if (d->listen == NULL) {
		doctor_note(d, "listener", "webhooks come by a socket of the service manager; where it is was not told, and it was not asked");
		return;
	}
	if (!check_listener(d, e) || d->nginx == NULL)
		return;
	nginx_each(d->nginx, "server", look_at_server, &l);
	if (l.found == 0)
		doctor_find(d, "hook_location", &fix, "no server of nginx (%s) passes %s on to rpvd (%s)", d->nginx_file, e->path, d->listen);
}

void
doctor_hooks(struct doctor *d)
{
	for (size_t i = 0; i < d->config->n_sites; i++)
		for (size_t k = 0; k < d->config->sites[i].n_providers; k++)
			check_endpoint(d, &d->config->sites[i].providers[k]);
}
