/*
 * daemon: see daemon.h.
 *
 * A reload is the recovery path: a new configuration is read and checked as a whole,
 * then the sites commit and end, and new ones load their state.  The webhook listener
 * and the journal live on through it, so no delivery is refused.
 */
#include "io/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "io/backfill.h"
#include "io/certificates.h"
#include "io/clock.h"
#include "io/endpoint.h"
#include "io/geo.h"
#include "io/hooks.h"
#include "io/journal.h"
#include "io/keys.h"
#include "io/nginx_format.h"
#include "io/rebuild.h"
#include "io/rules.h"
#include "io/site.h"
#include "io/syslog.h"
#include "io/watch.h"
#include "io/webhook.h"
#include "store/redis.h"

#define STOP_MS 4000			/* a stop that takes longer is cut short; what is uncommitted is read again */
#define LAST_LINES_MS 2000		/* of which so long for what came by syslog */
#define LENIENT_MS (60 * 60000)		/* after the start the clock has so long to be set */
#define KEEP_ALL_MS (INT64_MAX / 2)

struct owned {				/* what a webhook_endpoint borrows */
	struct endpoint endpoint;
	char name[64];
};

/* Everything that a reload replaces. */
struct setup {
	struct config *config;
	struct tables *tables;
	struct geo *geo, *asn;
	struct site **sites;
	size_t n_sites;
	struct owned *owned;
	struct webhook_endpoint *endpoints;
	size_t n_endpoints;
};

struct daemon {
	struct daemon_options options;
	struct event_base *base;
	struct journal *journal;
	char *owner;
	struct certificates *certificates;
	struct hooks *hooks;
	struct watch *watch;
	struct syslogs *syslogs;
	struct event *events[6];
	size_t n_events;
	struct event *stop_timer;
	struct setup now, next;
	size_t running;			/* sites not yet stopped, or replays not yet done */
	bool stopping, reloading, reload_again, failed;
	bool lenient;			/* signed times may be in the future */
	int64_t begun_ms, stop_begun_ms;	/* as site_uptime() */
	struct clock *clock;
	long last_rotate_log;
};

/* ---- time ---------------------------------------------------------------- */

static int64_t
now_ms(void *arg)
{
	struct daemon *d = arg;

	return (clock_now_ms(d->clock));
}

/* ---- setting up ----------------------------------------------------------- */

static void
setup_free(struct setup *s)
{
	for (size_t i = 0; i < s->n_sites; i++)
		site_free(&s->sites[i]);
	for (size_t i = 0; i < s->n_endpoints; i++)
		endpoint_clear(&s->owned[i].endpoint);
	free(s->sites);
	free(s->owned);
	free(s->endpoints);
	tables_free(&s->tables);
	geo_free(&s->geo);
	geo_free(&s->asn);
	config_free(&s->config);
	*s = (struct setup){ 0 };
}

/* "stripe"; the second one of a site is "stripe-2". */
static void
endpoint_name(const struct setup *s, size_t site_no, struct webhook_endpoint *e, struct owned *own)
{
	unsigned n = 1;

	e->site = s->sites[site_no];
	for (const struct webhook_endpoint *before = s->endpoints; before < e; before++)
		n += before->site == e->site && before->provider == e->provider;
	snprintf(own->name, sizeof(own->name), n > 1 ? "%.50s-%u" : "%.50s", e->provider->name, n);
	e->name = own->name;
}

static int
add_endpoint(struct setup *s, size_t site_no, const struct endpoint_conf *conf, struct buf *mistakes)
{
	struct owned *own = &s->owned[s->n_endpoints];
	struct webhook_endpoint *e = &s->endpoints[s->n_endpoints];

	s->n_endpoints++;
	if (endpoint_read(s->config, conf, &own->endpoint, &e->provider, &e->conf, mistakes) != 0)
		return (-1);
	endpoint_name(s, site_no, e, own);
	e->path = conf->path;
	return (0);
}

static int
add_endpoints(struct setup *s, struct buf *mistakes)
{
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < s->config->n_sites; i++)
		n += s->config->sites[i].n_providers;
	s->owned = mem_calloc(n + 1, sizeof(*s->owned));
	s->endpoints = mem_calloc(n + 1, sizeof(*s->endpoints));
	for (size_t i = 0; i < s->config->n_sites; i++)
		for (size_t k = 0; k < s->config->sites[i].n_providers; k++)
			if (add_endpoint(s, i, &s->config->sites[i].providers[k], mistakes) != 0)
				rc = -1;
	return (rc);
}

/* Where none is pinned they are fetched as they are named; opened once there is an endpoint of that kind. */
static void
give_certificates(struct daemon *d, struct setup *s)
{
	for (size_t i = 0; i < s->n_endpoints; i++) {
		struct webhook_endpoint *e = &s->endpoints[i];

		if ((e->provider->needs & NEEDS_WEBHOOK_ID) == 0 || e->conf.certificates != NULL)
			continue;
		if (d->certificates == NULL)
			d->certificates = certificates_open(d->base, s->config->state_dir, NULL);
		hooks_use(d->hooks, d->certificates);
		e->conf.certificates = certificates_list(d->certificates);
	}
}

static void on_site_done(struct site *, bool ok, void *arg);

/* All but those that a rebuild of one leaves alone: their deliveries are journalled all the same. */
static bool
is_at_work(const struct daemon *d, const struct site *site)
{
	return (d->options.rebuild_site == NULL || strcmp(site_name(site), d->options.rebuild_site) == 0);
}

static int
add_sites(struct daemon *d, struct setup *s, struct buf *mistakes)
{
	struct site_env env = { d->base, s->config, s->tables, s->geo, s->asn, d->journal, d->hooks, d->owner, d->options.replay, now_ms,
	    d->options.replay || d->options.rebuild ? on_site_done : NULL, d, d->options.rebuild, d->clock, d->syslogs };
	struct err err;
	int rc = 0;

	s->sites = mem_calloc(s->config->n_sites + 1, sizeof(*s->sites));
	s->n_sites = s->config->n_sites;
	for (size_t i = 0; i < s->n_sites; i++) {
		s->sites[i] = site_new(&env, &s->config->sites[i], &err);
		if (s->sites[i] == NULL) {
			buf_printf(mistakes, "%s\n", err.msg);
			rc = -1;
		}
	}
	return (rc);
}

/* NULL where none is configured, or it cannot be used. */
static struct geo *
load_geo(const struct setup *s, const char *option, char *const *path, struct buf *mistakes)
{
	struct geo *geo = NULL;
	struct err err;

	if (*path != NULL && (geo = geo_open(*path, &err)) == NULL)
		config_complain(s->config, mistakes, path, "%s: %s", option, err.msg);
	return (geo);
}

static void
load_tables(struct setup *s, struct buf *mistakes)
{
	struct err err;

	s->tables = tables_load(s->config->data_dir, &err);
	if (s->tables == NULL)
		config_complain(s->config, mistakes, &s->config->data_dir, "data_dir: %s", err.msg);
	s->geo = load_geo(s, "geo", &s->config->geo, mistakes);
	s->asn = load_geo(s, "asn", &s->config->asn, mistakes);
}

static struct config *
read_config(struct setup *s, const char *file, struct buf *mistakes)
{
	s->config = config_load(file, mistakes);
	if (s->config != NULL)
		load_tables(s, mistakes);
	return (mistakes->len == 0 ? s->config : NULL);
}

/* In the log, which waits for nobody: the loop goes on. */
static void
log_mistakes(struct buf *mistakes)
{
	struct slice rest = buf_view(mistakes);

	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		log_error("%.*s", (int)line.len, line.p);
	}
	buf_free(mistakes);
}

/* To whoever started it. */
static void
say_mistakes(struct buf *mistakes)
{
	if (mistakes->len > 0)
		fwrite(mistakes->p, 1, mistakes->len, stderr);
	buf_free(mistakes);
}

/* ---- checking -------------------------------------------------------------- */

static int
format_line(const struct config *config, const struct log_conf *log)
{
	int line = config_line(config, &log->format);

	return (line > 0 ? line : log->line);
}

/* rules: NULL where `visitor` is mistaken; then a format is looked at for itself. */
static void
check_log(const struct config *config, const char *kind, const struct log_conf *log, const struct rules *rules, struct buf *mistakes)
{
	struct format *format;
	struct err err;

	if (log->format == NULL)
		return;
	format = rules != NULL ? rules_format(rules, log, &err) : format_open(log->format, NULL, 0, &err);
	if (format == NULL)
		buf_printf(mistakes, "%s:%d: %s \"%s\": %s\n", config->file, format_line(config, log), kind, log->path, err.msg);
	format_free(&format);
}

static void
check_endpoint(const struct config *config, const struct endpoint_conf *conf, struct buf *mistakes)
{
	const struct provider *provider;
	struct provider_conf checked;
	struct endpoint own;

	if (conf->provider[0] == '\0')
		return;
	endpoint_read(config, conf, &own, &provider, &checked, mistakes);
	endpoint_clear(&own);
}

static void
check_rates(const struct config *config, const struct site_conf *site, struct buf *mistakes)
{
	struct err err;

	if (rules_check_rates(site, &err) != 0)
		config_complain(config, mistakes, &site->rates, "site \"%s\": rates: %s", site->name, err.msg);
}

static void
check_site(const struct config *config, const struct site_conf *site, struct buf *mistakes)
{
	bool knows_visitors = !config_is_mistaken(config, &site->visitor) && site->visitor != NULL && site->visitor[0] != NULL;
	struct rules *rules = knows_visitors ? rules_of_visitors(site) : NULL;

	check_rates(config, site, mistakes);
	for (size_t i = 0; i < site->n_logs; i++)
		check_log(config, "log", &site->logs[i], rules, mistakes);
	for (size_t i = 0; i < site->n_syslogs; i++)
		check_log(config, "syslog", &site->syslogs[i], rules, mistakes);
	for (size_t i = 0; i < site->n_providers; i++)
		check_endpoint(config, &site->providers[i], mistakes);
	rules_free(&rules);
}

static void
check_redis_part(const struct config *config, const struct redis_conf *part, const void *field, struct buf *mistakes)
{
	struct err err;

	if (redis_check(part, &err) != 0)
		config_complain(config, mistakes, field, "redis: %s", err.msg);
}

/* Each option for itself, so that each mistake is told; what is asked of the files follows the URL, where that is sound. */
static void
check_redis(const struct config *config, struct buf *mistakes)
{
	const struct redis_conf all = redis_conf_of(config);
	const struct redis_conf url = { .url = all.url != NULL ? all.url : "unix:/" };
	struct redis_conf password = { .url = url.url, .password_file = all.password_file };
	struct redis_conf ca = { .url = url.url, .tls.ca = all.tls.ca };
	struct redis_conf own = { .url = url.url, .tls = { NULL, all.tls.certificate, all.tls.certificate_key } };
	struct err err;

	if (all.url == NULL || redis_check(&url, &err) != 0) {
		password.url = "unix:/-";
		ca.url = own.url = "rediss://-";
	}
	if (all.url != NULL)
		check_redis_part(config, &url, &config->redis_url, mistakes);
	if (all.password_file != NULL)
		check_redis_part(config, &password, &config->redis_password_file, mistakes);
	if (all.tls.ca != NULL)
		check_redis_part(config, &ca, &config->redis_ca, mistakes);
	if (all.tls.certificate != NULL || all.tls.certificate_key != NULL)
		check_redis_part(config, &own, all.tls.certificate != NULL ? &config->redis_certificate : &config->redis_certificate_key, mistakes);
}

/* Only one can have it, and only one who reads to its end. */
static void
check_stdin(const struct config *config, bool replay, struct buf *mistakes)
{
	size_t before = 0;

	for (size_t i = 0; i < config->n_sites; i++)
		for (size_t k = 0; k < config->sites[i].n_logs; k++) {
			const struct log_conf *log = &config->sites[i].logs[k];

			if (strcmp(log->path, LOG_STDIN) != 0)
				continue;
			if (!replay)
				buf_printf(mistakes, "%s:%d: log \"-\" is standard input, which only rpvd --replay reads, to its end: for a log that"
				    " grows give a file, or have the web server send it by syslog\n", config->file, log->line);
			else if (before++ > 0)
				buf_printf(mistakes, "%s:%d: another site reads standard input already\n", config->file, log->line);
			else if (isatty(STDIN_FILENO))
				buf_printf(mistakes, "%s:%d: log \"-\": standard input is a terminal: pipe lines into rpvd, or give it a file by <\n",
				    config->file, log->line);
		}
}

/* All that a start would find wrong but for the world outside: state directory, Redis, sockets. */
static void
check(const char *file, bool replay, struct buf *mistakes)
{
	struct setup s = { .config = config_read(file, mistakes) };

	load_tables(&s, mistakes);
	check_redis(s.config, mistakes);
	for (size_t i = 0; i < s.config->n_sites; i++)
		check_site(s.config, &s.config->sites[i], mistakes);
	check_stdin(s.config, replay, mistakes);
	config_sort_mistakes(s.config, mistakes);
	setup_free(&s);
}

/* ---- webhooks ------------------------------------------------------------- */

/* Sockets from the service manager: those of datagrams are for syslog.  The webhooks', or -1. */
static int
inherited_sockets(struct daemon *d)
{
	int n = sd_listen_fds(1), webhooks = -1;

	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
		if (sd_is_socket(fd, AF_UNSPEC, SOCK_DGRAM, -1) > 0)
			syslogs_inherit(d->syslogs, fd);
		else if (webhooks < 0)
			webhooks = fd;
	return (webhooks);
}

static int
start_webhooks(struct daemon *d, struct err *err)
{
	int fd = inherited_sockets(d);

	if (d->options.replay)
		return (0);
	if ((d->now.config->webhook_listen != NULL || fd >= 0) &&
	    hooks_listen(d->hooks, d->base, d->now.config->webhook_listen, fd, err) != 0) {
		if (!d->options.rebuild)
			return (-1);
		log_warning("webhook: %s; none are taken until the rebuild has ended", err->msg);
	}
	hooks_set(d->hooks, d->now.sites, d->now.n_sites, d->now.endpoints, d->now.n_endpoints);
	hooks_tick(d->hooks, d->now.config->quarantine_keep_ms, clock_is_steady(d->clock));
	hooks_try_again(d->hooks);
	return (0);
}

/* ---- lines by syslog --------------------------------------------------------- */

static int
start_syslogs(struct daemon *d, struct err *err)
{
	return (d->options.replay || d->options.rebuild ? 0 : syslogs_listen(d->syslogs, err));
}

static bool
is_wanted(const char *address, void *arg)
{
	const struct config *config = arg;

	for (size_t i = 0; i < config->n_sites; i++)
		for (size_t k = 0; k < config->sites[i].n_syslogs; k++)
			if (strcmp(config->sites[i].syslogs[k].path, address) == 0)
				return (true);
	return (false);
}

/* At a reload: lines that wait in the sockets, and those that are not committed, stay. */
static void
change_syslogs(struct daemon *d)
{
	struct err err;

	syslogs_keep(d->syslogs, is_wanted, d->now.config);
	if (syslogs_listen(d->syslogs, &err) != 0)
		log_error("syslog: %s; trying again", err.msg);
}

/* ---- a clock that is not set yet ------------------------------------------- */

static void
set_tolerance(struct daemon *d)
{
	for (size_t i = 0; i < d->now.n_endpoints; i++) {
		d->now.endpoints[i].conf.is_behind = d->lenient;
		d->now.endpoints[i].conf.doubt_s = clock_off_ms(d->clock) / 1000;
	}
}

/* It has been later when a webhook came: a machine that has just booted, and not yet been told the time.  Every
 * signed time is too new for it, and not every provider sends again.  What is too old even so stays refused. */
static void
mind_clock(struct daemon *d)
{
	struct journal_status journal;
	bool lenient;

	journal_status(d->journal, &journal);
	lenient = journal.newest_ms - now_ms(d) > CLOCK_SLACK_MS && site_uptime() - d->begun_ms < LENIENT_MS;
	if (lenient == d->lenient) {
		set_tolerance(d);	/* by a clock that is in doubt */
		return;
	}
	d->lenient = lenient;
	set_tolerance(d);
	if (lenient)
		log_warning("clock: it is %lld s behind the last webhook's receipt: webhooks may be signed in what looks like the future "
		    "until it is right, for an hour at most; see that it is set at boot", (long long)(journal.newest_ms - now_ms(d)) / 1000);
	else
		log_notice("clock: webhooks that are signed in the future are refused again");
}

/* ---- stopping and reloading ------------------------------------------------ */

/* Deliveries went to the old sites until now: two that speak of one journal and one file of
 * keys at a time would be one too many. */
static void
reload_swap(struct daemon *d)
{
	if (d->stopping)
		return;
	hooks_set(d->hooks, d->next.sites, d->next.n_sites, d->next.endpoints, d->next.n_endpoints);
	setup_free(&d->now);
	d->now = d->next;
	d->next = (struct setup){ 0 };
	d->reloading = false;
	set_tolerance(d);
	hooks_try_again(d->hooks);
	change_syslogs(d);
	for (size_t i = 0; i < d->now.n_sites; i++)
		site_start(d->now.sites[i]);
	sd_notify(0, "READY=1");
	log_notice("configuration reloaded");
}

static void on_sighup(evutil_socket_t, short what, void *arg);

static void
on_swap(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	reload_swap(d);
	if (d->reload_again)
		on_sighup(fd, what, d);
}

/* The sites have stopped; deliveries that are under way are still answered, since not every
 * provider sends again. */
static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	struct timeval soon = { 0, 10000 };

	(void)fd;
	(void)what;
	if (hooks_drain(d->hooks) == 0)
		event_base_loopexit(d->base, NULL);
	else
		event_base_once(d->base, -1, EV_TIMEOUT, on_drain, d, &soon);
}

static void
on_site_stopped(struct site *site, void *arg)
{
	struct daemon *d = arg;
	struct timeval at_once = { 0, 0 };

	(void)site;
	must(d->running > 0);
	if (--d->running > 0)
		return;
	/* Not from within the site's own callback. */
	event_base_once(d->base, -1, EV_TIMEOUT, d->stopping ? on_drain : on_swap, d, &at_once);
}

static void
stop_sites(struct daemon *d)
{
	d->running = d->now.n_sites;
	for (size_t i = 0; i < d->now.n_sites; i++)
		site_stop(d->now.sites[i], on_site_stopped, d);
}

static bool
all_took_syslog(const struct daemon *d)
{
	for (size_t i = 0; i < d->now.n_sites; i++)
		if (!site_took_syslog(d->now.sites[i]))
			return (false);
	return (true);
}

/* Nobody has the lines that came by syslog but us: they are taken first. */
static void
on_last_lines(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	struct timeval soon = { 0, 10000 };

	(void)fd;
	(void)what;
	if (all_took_syslog(d) || site_uptime() - d->stop_begun_ms > LAST_LINES_MS)
		stop_sites(d);
	else
		event_base_once(d->base, -1, EV_TIMEOUT, on_last_lines, d, &soon);
}

static void
stop_after_syslog(struct daemon *d)
{
	syslogs_close(d->syslogs);
	d->stop_begun_ms = site_uptime();
	for (size_t i = 0; i < d->now.n_sites; i++)
		site_wake(d->now.sites[i]);
	on_last_lines(-1, 0, d);
}

static void
on_stop_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	log_warning("stop: not committed in time; what is missing is read again at the next start");
	event_base_loopexit(d->base, NULL);
}

static void
on_sigterm(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	struct timeval patience = { STOP_MS / 1000, 0 };

	(void)fd;
	(void)what;
	if (d->stopping)
		return;
	d->stopping = true;
	sd_notify(0, "STOPPING=1");
	hooks_drain(d->hooks);
	if (d->options.replay) {
		d->failed = true;
		event_base_loopexit(d->base, NULL);
		return;
	}
	if (d->options.rebuild) {
		d->failed = true;
		log_notice("rebuild: interrupted; the next start of rpvd, or another --rebuild, goes on with it");
	}
	evtimer_add(d->stop_timer, &patience);
	if (syslogs_any(d->syslogs))
		stop_after_syslog(d);
	else
		stop_sites(d);
}

static int
same_setting(const struct config *config, const char *name, const char *was, char *const *is, struct buf *mistakes)
{
	if ((was == NULL) == (*is == NULL) && (was == NULL || strcmp(was, *is) == 0))
		return (0);
	config_complain(config, mistakes, is, "%s cannot be changed by a reload: restart rpvd", name);
	return (-1);
}

/* What was opened at the start, for all sites. */
static int
stays(const struct daemon *d, const struct config *next, struct buf *mistakes)
{
	const struct config *now = d->now.config;
	int rc = same_setting(next, "state_dir", now->state_dir, &next->state_dir, mistakes);

	return (same_setting(next, "webhook listen", now->webhook_listen, &next->webhook_listen, mistakes) == 0 ? rc : -1);
}

/* A new configuration is taken as a whole or not at all. */
static void
on_sighup(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	struct buf mistakes = { 0 };

	(void)fd;
	(void)what;
	if (d->stopping || d->options.replay || d->options.rebuild)
		return;
	d->reload_again = d->reloading;	/* the file may have changed since it was read */
	if (d->reloading)
		return;
	sd_notify(0, "RELOADING=1");
	check(d->options.config, false, &mistakes);
	if (mistakes.len > 0 || read_config(&d->next, d->options.config, &mistakes) == NULL ||
	    stays(d, d->next.config, &mistakes) != 0 || add_sites(d, &d->next, &mistakes) != 0 || add_endpoints(&d->next, &mistakes) != 0) {
		log_error("configuration not reloaded, the old one stays; mistakes follow");
		log_mistakes(&mistakes);
		setup_free(&d->next);
		sd_notify(0, "READY=1");
		return;
	}
	buf_free(&mistakes);
	d->reloading = true;
	stop_sites(d);
}

/* ---- time passes ----------------------------------------------------------- */

static void
watch_dir_of(const char *dir, void *arg)
{
	struct daemon *d = arg;

	if (d->watch != NULL)
		watch_dir(d->watch, dir);
}

static void
on_dir_changed(const char *dir, void *arg)
{
	struct daemon *d = arg;

	(void)dir;
	for (size_t i = 0; i < d->now.n_sites; i++)
		site_wake(d->now.sites[i]);
}

static void
on_syslog(void *arg)
{
	on_dir_changed(NULL, arg);
}

/* Nothing is too old by a clock that has just been set, or is not known for long: then files are closed, but stay. */
static void
rotate_journal(struct daemon *d)
{
	int64_t keep_ms = clock_is_steady(d->clock) ? d->now.config->journal_keep_ms : KEEP_ALL_MS;
	uint64_t committed = UINT64_MAX;
	struct err err;

	for (size_t i = 0; i < d->now.n_sites; i++)
		if (site_journal_committed(d->now.sites[i]) < committed)
			committed = site_journal_committed(d->now.sites[i]);
	if (journal_rotate(d->journal, now_ms(d), keep_ms, committed, &err) != 0 &&
	    log_limit(&d->last_rotate_log, 60))
		log_error("journal: %s", err.msg);
}

/* One sentence has room: of the first site that has a problem, else of the first. */
static void
tell_manager(const struct daemon *d)
{
	char sentence[600];
	size_t i = 0;

	while (i < d->now.n_sites && !site_has_problem(d->now.sites[i]))
		i++;
	site_sentence(d->now.sites[i < d->now.n_sites ? i : 0], sentence, sizeof(sentence));
	sd_notifyf(0, "STATUS=%s", sentence);
	sd_notify(0, "WATCHDOG=1");
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < d->now.n_sites && !d->stopping; i++) {
		if (!is_at_work(d, d->now.sites[i]))
			continue;
		site_tick(d->now.sites[i]);
		site_watch_dirs(d->now.sites[i], watch_dir_of, d);
	}
	if (!d->stopping && !d->options.rebuild)
		syslogs_tick(d->syslogs);
	rotate_journal(d);
	mind_clock(d);
	hooks_tick(d->hooks, d->now.config->quarantine_keep_ms, clock_is_steady(d->clock));
	tell_manager(d);
}

static void
on_site_done(struct site *site, bool ok, void *arg)
{
	struct daemon *d = arg;

	(void)site;
	d->failed |= !ok;
	if (!ok || --d->running == 0)
		event_base_loopexit(d->base, NULL);
}

/* ---- life ------------------------------------------------------------------ */

static void
add_event(struct daemon *d, struct event *e, const struct timeval *tv)
{
	event_add(e, tv);
	d->events[d->n_events++] = e;
}

static void
start_events(struct daemon *d)
{
	struct timeval second = { 1, 0 };

	add_event(d, evsignal_new(d->base, SIGTERM, on_sigterm, d), NULL);
	add_event(d, evsignal_new(d->base, SIGINT, on_sigterm, d), NULL);
	add_event(d, evsignal_new(d->base, SIGHUP, on_sighup, d), NULL);
	d->stop_timer = evtimer_new(d->base, on_stop_timeout, d);
	if (d->options.replay)
		return;
	add_event(d, event_new(d->base, -1, EV_PERSIST, on_second, d), &second);
	d->watch = watch_new(d->base, on_dir_changed, d);
}

static void
no_such_site(const char *file, const char *site, struct buf *mistakes)
{
	buf_printf(mistakes, "%s: there is no site \"%.100s\"\n", file, site);
}

/* 0, or -1 where there is no such site; files that cannot be read are mistakes, too. */
static int
mistakes_of_rebuild(struct daemon *d, struct buf *mistakes)
{
	size_t n = 0;

	if (!d->options.rebuild)
		return (0);
	for (size_t i = 0; i < d->now.n_sites; i++)
		if (is_at_work(d, d->now.sites[i])) {
			rebuild_check(d->now.sites[i], mistakes);
			n++;
		}
	if (n == 0)
		no_such_site(d->now.config->file, d->options.rebuild_site, mistakes);
	return (n > 0 ? 0 : -1);
}

static int
daemon_open(struct daemon *d, struct buf *mistakes)
{
	struct journal_status journal;
	struct err err;

	check(d->options.config, d->options.replay, mistakes);
	if (mistakes->len > 0 || read_config(&d->now, d->options.config, mistakes) == NULL)
		return (2);
	d->journal = journal_open(d->now.config->state_dir, &err);
	if (d->journal == NULL) {
		buf_printf(mistakes, "state_dir: %s\n", err.msg);
		return (1);
	}
	journal_status(d->journal, &journal);
	if (!d->options.replay && !d->options.rebuild) {
		clock_was(d->clock, journal.newest_ms);
		clock_remember(d->clock, d->now.config->state_dir);
	}
	d->hooks = hooks_new(d->journal, now_ms, d, &err);
	if (d->hooks == NULL) {
		buf_printf(mistakes, "state_dir: %s\n", err.msg);
		return (1);
	}
	d->owner = keys_owner(d->now.config->state_dir, &err);
	if (d->owner == NULL) {
		buf_printf(mistakes, "state_dir: %s\n", err.msg);
		return (1);
	}
	/* check() found no mistake in the configuration: it is the state directory that refuses. */
	if (add_sites(d, &d->now, mistakes) != 0 || add_endpoints(&d->now, mistakes) != 0)
		return (1);
	give_certificates(d, &d->now);
	if (mistakes_of_rebuild(d, mistakes) != 0)
		return (2);
	for (size_t i = 0; d->options.replay && i < d->now.n_sites; i++)
		site_check_inputs(d->now.sites[i], mistakes);
	if (mistakes->len > 0)
		return (1);
	state_dir_give_back(d->now.config->state_dir);
	if (start_webhooks(d, &err) != 0) {
		buf_printf(mistakes, "webhook: %s\n", err.msg);
		return (1);
	}
	if (start_syslogs(d, &err) != 0) {
		buf_printf(mistakes, "syslog: %s\n", err.msg);
		return (1);
	}
	return (0);
}

static void
daemon_close(struct daemon *d)
{
	hooks_free(&d->hooks);
	certificates_close(&d->certificates);
	setup_free(&d->now);
	setup_free(&d->next);
	syslogs_free(&d->syslogs);
	watch_free(&d->watch);
	for (size_t i = 0; i < d->n_events; i++)
		event_free(d->events[i]);
	if (d->stop_timer != NULL)
		event_free(d->stop_timer);
	journal_close(&d->journal);
	free(d->owner);
	clock_free(&d->clock);
	event_base_free(d->base);
}

static void
daemon_start(struct daemon *d)
{
	struct backfill *shown = NULL;

	for (size_t i = 0; i < d->now.n_sites; i++) {
		if (!is_at_work(d, d->now.sites[i]))
			continue;
		d->running++;
		site_start(d->now.sites[i]);
		site_watch_dirs(d->now.sites[i], watch_dir_of, d);
	}
	if (!d->options.replay)
		mind_clock(d);
	if (d->options.replay || d->options.rebuild)
		shown = backfill_begin(d->base, d->now.sites, d->now.n_sites);
	sd_notify(0, "READY=1");
	event_base_dispatch(d->base);
	backfill_end(&shown, !d->failed);
}

/* Libraries that would go on without memory, with half of what they were to do (a body that could
 * not be parsed, an event that is not there), stop as rpvd does. */
static void
memory_cannot_fail(void)
{
	event_set_mem_functions(mem_alloc, mem_realloc, free);
	json_set_alloc_funcs(mem_alloc, free);
}

static int
daemon_init(struct daemon *d, const struct daemon_options *options)
{
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	umask(0077);
	memory_cannot_fail();
	d->options = *options;
	d->begun_ms = site_uptime();
	d->clock = clock_new(options->clock, &err);
	if (d->clock == NULL) {
		fprintf(stderr, "rpvd: %s\n", err.msg);
		return (1);
	}
	d->base = event_base_new();
	must(d->base != NULL && sodium_init() >= 0);
	d->syslogs = syslogs_new(d->base, on_syslog, d);
	return (0);
}

/* Touches nothing but Redis: the daemon may be running. */
static int
request_rebuild(const struct daemon_options *options)
{
	struct buf mistakes = { 0 };
	struct config *config = config_load(options->config, &mistakes);
	bool known = options->rebuild_site == NULL;
	struct err err;
	int rc = 2;

	for (size_t i = 0; config != NULL && i < config->n_sites; i++) {
		bool asked = options->rebuild_site == NULL || strcmp(config->sites[i].name, options->rebuild_site) == 0;

		known = known || asked;
		if (asked && !options->rebuild_cancel && rebuild_would_lose(&config->sites[i], &err))
			buf_printf(&mistakes, "%s\n", err.msg);
	}
	if (config != NULL && !known)
		no_such_site(options->config, options->rebuild_site, &mistakes);
	else if (config != NULL && mistakes.len == 0)
		rc = rebuild_request(config, options->rebuild_site, options->rebuild_cancel);
	say_mistakes(&mistakes);
	config_free(&config);
	return (rc);
}

int
daemon_run(const struct daemon_options *options)
{
	struct daemon d = { 0 };
	struct buf mistakes = { 0 };
	int rc;

	if (options->rebuild_later || options->rebuild_cancel)
		return (request_rebuild(options));
	rc = daemon_init(&d, options);
	if (rc != 0)
		return (rc);
	start_events(&d);
	rc = daemon_open(&d, &mistakes);
	say_mistakes(&mistakes);
	if (rc == 0) {
		daemon_start(&d);
		rc = d.failed ? 1 : 0;
	}
	if (d.now.config != NULL)
		state_dir_give_back(d.now.config->state_dir);
	daemon_close(&d);
	return (rc);
}

int
daemon_check(const struct daemon_options *options)
{
	struct buf mistakes = { 0 };
	int rc;

	check(options->config, options->replay, &mistakes);
	rc = mistakes.len == 0 ? 0 : 2;
	if (rc == 0) {
		struct config *config = config_load(options->config, &mistakes);

		inputs_check(config, &mistakes);
		config_free(&config);
		rc = mistakes.len == 0 ? 0 : 1;
	}
	say_mistakes(&mistakes);
	return (rc);
}
