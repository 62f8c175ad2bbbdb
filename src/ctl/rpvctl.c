/*
 * rpvctl: shows what rpvd publishes.  Options, configuration, and which command.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "store/redis.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "dev"
#endif

#define DEFAULT_CONF "/etc/rpvd/rpvd.conf"
#define DEFAULT_URL "unix:/run/rpvd/redis.sock"
#define LIMIT_MAX 100000

enum { OPT_JSON = 256, OPT_HELP, OPT_VERSION, OPT_WINDOW, OPT_SORT, OPT_LIMIT, OPT_MODEL, OPT_ALL, OPT_PROVIDER, OPT_KIND,
	OPT_ORDER, OPT_SINCE, OPT_QUARANTINE, OPT_CUSTOMER, OPT_VISITOR, OPT_FORMAT, OPT_HOST, OPT_BY };

static const struct option longopts[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "model", required_argument, NULL, OPT_MODEL },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "provider", required_argument, NULL, OPT_PROVIDER },
	{ "kind", required_argument, NULL, OPT_KIND },
	{ "order", required_argument, NULL, OPT_ORDER },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "quarantine", no_argument, NULL, OPT_QUARANTINE },
	{ "customer", required_argument, NULL, OPT_CUSTOMER },
	{ "visitor", required_argument, NULL, OPT_VISITOR },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "by", required_argument, NULL, OPT_BY },
	{ NULL, 0, NULL, 0 },
};

static const char general_help[] =
    "usage: rpvctl [-c FILE | -u URL] [-s SITE] [--json] COMMAND\n"
    "Shows the figures that rpvd keeps in Redis.\n"
    "\n"
    "  top      the best sources, pages, campaigns, ...\n"
    "  watch    the same, redrawn every 2 seconds\n"
    "  total    the totals of each window\n"
    "  get      one series, field by field\n"
    "  orders   the latest orders, or one in full: paid, refunded, joined to which visit\n"
    "  journal  the webhooks on disk: the latest, one in full, or whether all is whole\n"
    "  status   how rpvd is getting on\n"
    "  explain  what rpvd makes of a log line, a source, a user agent: on standard input\n"
    "  forget   a person: whose visits and orders these were\n"
    "\n"
    "  -c FILE  take Redis and site from this configuration (" DEFAULT_CONF ")\n"
    "  -u URL   unix:/path or redis://[[user]:password@]host[:port][/db]\n"
    "  -s SITE  the site; else the configuration's first, or the only one in Redis\n"
    "  --json   JSON instead of a table\n"
    "  --help, --version; rpvctl COMMAND --help\n";

static const char top_help[] =
    " [DIM | --by DIM] [--window 24h] [--sort revenue|rpv|visits] [--limit N] [--model M]\n"
    "\n"
    "  DIM         landing, page, source (default), channel, campaign, country, device;\n"
    "              bot, bot_page: what bots fetched, and how often\n"
    "  --window W  one of the site's windows, such as 7d (default 24h)\n"
    "  --sort S    revenue (default), rpv, visits\n"
    "  --limit N   so many rows (default 20, or what the terminal can show)\n"
    "  --model M   another attribution model than the site's default: last_non_direct,\n"
    "              last, first, linear, position, time_decay\n";

static const char orders_help[] =
    " [--limit N | --all] [--model M] [ORDER]\n"
    "\n"
    "  ORDER       one order in full: PROVIDER:ID, such as stripe:pi_3QYzK2, or its ID\n"
    "  --limit N   so many of the latest orders (default 20; the 10000 latest are listed)\n"
    "  --all       every order that is kept, and refunds whose order has not come\n"
    "  --model M   whose credit is shown, if not the site's own model's\n";

static const char journal_help[] =
    " [--limit N | --all] [--provider P] [--kind K] [--order ID] [--since AGE]\n"
    "                      [--quarantine] [RECORD | verify]\n"
    "\n"
    "  RECORD        one record in full, by its number\n"
    "  verify        reads all of it: is every record there and whole?\n"
    "  --limit N     so many of the latest (default 20)\n"
    "  --all         all of them\n"
    "  --provider P  of this provider\n"
    "  --kind K      paid, refunded, disputed, dispute_won or alias\n"
    "  --order ID    of this order: PROVIDER:ID, its ID or an alias\n"
    "  --since AGE   received in the last 30m, 24h, 7d, ...\n"
    "  --quarantine  signed webhooks that could not be understood, without their bodies\n"
    "\n"
    "It reads the files in state_dir, which are root's and rpvd's, and needs no Redis.\n";

static const char forget_help[] =
    " [--customer WHO] [--visitor COOKIE] [--order ORDER]\n"
    "\n"
    "  --customer WHO    an e-mail address, or PROVIDER:ID such as stripe:cus_Nff\n"
    "  --visitor COOKIE  a visitor cookie's value, or nginx's uid\n"
    "  --order ORDER     whose order this is: PROVIDER:ID or its ID\n"
    "\n"
    "Erases the person from the state: visits, customer, what leads from their orders to\n"
    "them, and all that their orders lead to.  Figures stay.  It cannot be undone.\n";

static const char explain_help[] =
    " line|source|agent [--format FORMAT] [--host HOST] <LINES\n"
    "\n"
    "  line    log lines: each is answered with what it says, or why it is rejected\n"
    "  --format FORMAT  as in rpvd.conf; with -c that of the site's first log\n"
    "  source  request targets, each with its referrer behind a tab: where the visitor came\n"
    "          from, and which rule says so\n"
    "  --host HOST  one of the site's own hosts; again, or with commas, for more.  With -c the\n"
    "          site's hosts and ignore_referrers are known without\n"
    "  agent   user agents: of which class, whether a bot, and by which rule\n"
    "\n"
    "Each line of standard input is answered with a line of JSON.  It reads no Redis, and no\n"
    "configuration but that of -c.\n";

/* Operands and options that a command takes. */
enum { WINDOW = 1, SORT = 2, LIMIT = 4, MODEL = 8, ALL = 16, OPERAND = 32, NEEDS_OPERAND = 64, RECORDS = 128, NO_REDIS = 256, ONE_ORDER = 512, PERSON = 1024,
	EXPLAIN = 2048 };

static const struct command {
	const char *name, *help;
	ctl_fn *run;
	unsigned takes;
} commands[] = {
	{ "top", top_help, ctl_top, WINDOW | SORT | LIMIT | MODEL | OPERAND },
	{ "watch", top_help, ctl_watch, WINDOW | SORT | LIMIT | MODEL | OPERAND },
	{ "total", " [--window all|W]\n\n  --window W  one of the site's windows, such as 7d; all (default)\n", ctl_total, WINDOW },
	{ "get", " SERIES\n\n  SERIES  such as 24h:total or 24h:source:google/organic\n", ctl_get, OPERAND | NEEDS_OPERAND },
	{ "orders", orders_help, ctl_orders, LIMIT | MODEL | ALL | OPERAND },
	{ "journal", journal_help, ctl_journal, LIMIT | ALL | OPERAND | RECORDS | ONE_ORDER | NO_REDIS },
	{ "status", "\n", ctl_status, 0 },
	{ "forget", forget_help, ctl_forget, PERSON | ONE_ORDER },
	{ "explain", explain_help, ctl_explain, OPERAND | NEEDS_OPERAND | EXPLAIN },
};

static void
complain(const char *text)
{
	struct buf line = { 0 };

	buf_puts(&line, "rpvctl: ");
	table_safe(&line, slice_of(text));
	buf_putc(&line, '\n');
	fwrite(line.p, 1, line.len, stderr);
	buf_free(&line);
}

static void
complain_lines(struct slice lines)
{
	while (lines.len > 0) {
		struct slice line = slice_cut(&lines, '\n');
		char *text = mem_strndup(line.p, line.len);

		complain(text);
		free(text);
	}
}

static enum ctl_exit
usage(const char *text)
{
	complain(text);
	fputs("rpvctl: see rpvctl --help\n", stderr);
	return (CTL_USAGE);
}

static enum ctl_exit
set_limit(struct ctl *ctl, const char *text)
{
	char *end;

	errno = 0;
	ctl->opt.limit = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || ctl->opt.limit < 1 || ctl->opt.limit > LIMIT_MAX)
		return (usage("--limit is a number from 1 to 100000"));
	return (CTL_OK);
}

/* What others on the machine may not read in the list of processes. */
static const char *
hide(struct ctl *ctl, char *arg)
{
	char *copy = mem_strdup(arg);

	memset(arg, '.', strlen(arg));
	mem_grow(&ctl->hidden, &ctl->hidden_cap, ctl->n_hidden + 1, sizeof(*ctl->hidden));
	ctl->hidden[ctl->n_hidden++] = copy;
	return (copy);
}

static void
add_host(struct ctl *ctl, const char *arg)
{
	struct buf hosts = { 0 };

	if (ctl->hosts != NULL)
		buf_printf(&hosts, "%s,", ctl->hosts);
	buf_puts(&hosts, arg);
	free(ctl->hosts);
	ctl->hosts = mem_strndup(hosts.p, hosts.len);
	buf_free(&hosts);
}

static enum ctl_exit
set_option(struct ctl *ctl, int opt, char *arg)
{
	struct ctl_options *o = &ctl->opt;

	switch (opt) {
	case 'c': o->conf = arg; break;
	case 'u': o->url = hide(ctl, arg); break;
	case 's': o->site = arg; break;
	case OPT_JSON: o->json = true; break;
	case OPT_HELP: o->help = true; break;
	case OPT_VERSION: o->version = true; break;
	case OPT_WINDOW: o->window = arg; break;
	case OPT_SORT: o->sort = arg; break;
	case OPT_LIMIT: return (set_limit(ctl, arg));
	case OPT_MODEL: o->model = arg; break;
	case OPT_ALL: o->all = true; break;
	case OPT_PROVIDER: o->provider = arg; break;
	case OPT_KIND: o->kind = arg; break;
	case OPT_ORDER: o->order = arg; break;
	case OPT_SINCE: o->since = arg; break;
	case OPT_QUARANTINE: o->quarantine = true; break;
	case OPT_CUSTOMER: o->customer = hide(ctl, arg); break;
	case OPT_VISITOR: o->visitor = hide(ctl, arg); break;
	case OPT_FORMAT: o->format = arg; break;
	case OPT_HOST: add_host(ctl, arg); break;
	case OPT_BY: o->by = arg; break;
	default:		/* getopt has said what is wrong */
		fputs("rpvctl: see rpvctl --help\n", stderr);
		return (CTL_USAGE);
	}
	return (CTL_OK);
}

/* Options may stand before and behind the command. */
static enum ctl_exit
parse_options(struct ctl *ctl, int argc, char **argv, const char **command)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "c:u:s:", longopts, NULL)) != -1)
		if (set_option(ctl, opt, optarg) != CTL_OK)
			return (CTL_USAGE);
	*command = optind < argc ? argv[optind++] : NULL;
	ctl->opt.operand = optind < argc ? argv[optind++] : NULL;
	if (optind < argc)
		return (usage("too many words behind the command"));
	return (CTL_OK);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < N_ELEM(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return (&commands[i]);
	return (NULL);
}

/* The first option that is given and that the command does not take; NULL where there is none. */
static const char *
stray_option(const struct ctl *ctl, const struct command *command)
{
	const struct ctl_options *o = &ctl->opt;
	const struct { bool given; unsigned bit; const char *name; } all[] = {
		{ o->window != NULL, WINDOW, "--window" }, { o->sort != NULL, SORT, "--sort" }, { o->by != NULL, SORT, "--by" },
		{ o->limit != 0, LIMIT, "--limit" }, { o->model != NULL, MODEL, "--model" }, { o->all, ALL, "--all" },
		{ o->provider != NULL, RECORDS, "--provider" }, { o->kind != NULL, RECORDS, "--kind" }, { o->order != NULL, ONE_ORDER, "--order" },
		{ o->since != NULL, RECORDS, "--since" }, { o->quarantine, RECORDS, "--quarantine" },
		{ o->customer != NULL, PERSON, "--customer" }, { o->visitor != NULL, PERSON, "--visitor" },
		{ o->format != NULL, EXPLAIN, "--format" }, { ctl->hosts != NULL, EXPLAIN, "--host" },
	};

	for (size_t i = 0; i < N_ELEM(all); i++)
		if (all[i].given && (command->takes & all[i].bit) == 0)
			return (all[i].name);
	return (NULL);
}

static bool
window_is_known(const struct ctl *ctl, const char *window)
{
	for (size_t i = 0; i < ctl->n_windows; i++)
		if (strcmp(window, ctl->windows[i]) == 0)
			return (true);
	return (false);
}

/* Which windows there are only the site knows. */
static enum ctl_exit
check_window(struct ctl *ctl, const struct command *command)
{
	const char *window = ctl->opt.window;
	struct buf text = { 0 };

	if (ctl_windows(ctl) != CTL_OK)
		return (CTL_REDIS);
	if (window == NULL || window_is_known(ctl, window) || (command->run == ctl_total && strcmp(window, "all") == 0))
		return (CTL_OK);
	buf_printf(&text, "there is no window %.20s; there are:", window);
	for (size_t i = 0; i < ctl->n_windows; i++)
		buf_printf(&text, " %s", ctl->windows[i]);
	buf_putc(&text, '\0');
	err_set(&ctl->err, "%s", text.p);
	buf_free(&text);
	return (CTL_USAGE);
}

static enum ctl_exit
check_options(const struct ctl *ctl, const struct command *command)
{
	const struct ctl_options *o = &ctl->opt;
	const char *stray = stray_option(ctl, command);
	struct err err;

	if (o->conf != NULL && o->url != NULL)
		return (usage("-c and -u exclude each other"));
	if (stray != NULL) {
		err_set(&err, "%s takes no %s", command->name, stray);
		return (usage(err.msg));
	}
	if (o->operand != NULL && (command->takes & OPERAND) == 0)
		return (usage("too many words behind the command"));
	if (o->operand == NULL && (command->takes & NEEDS_OPERAND) != 0)
		return (usage(command->run == ctl_get ? "get needs a series, such as 24h:total" :
		    "explain needs line, source or agent behind it"));
	if (o->operand != NULL && (o->all || (o->limit != 0 && (command->run == ctl_orders || command->run == ctl_journal))))
		return (usage("--all and --limit are for lists"));
	if (o->operand != NULL && (o->provider != NULL || o->kind != NULL || o->order != NULL || o->since != NULL))
		return (usage("--provider, --kind, --order and --since are for lists"));
	return (CTL_OK);
}

/* What the configuration says of the site that is asked for, or of its first. */
static void
use_site(struct ctl *ctl, const struct config *config)
{
	for (size_t i = 0; i < config->n_sites; i++) {
		const struct site_conf *site = &config->sites[i];

		if (ctl->opt.site != NULL && strcmp(site->name, ctl->opt.site) != 0)
			continue;
		if (ctl->site == NULL)
			ctl->site = mem_strdup(site->name);
		ctl->model = mem_strdup(conf_model_name(site->model));
		snprintf(ctl->currency, sizeof(ctl->currency), "%s", site->currency.code);
		return;
	}
}

static char *
copy_of(const char *text)
{
	return (text != NULL ? mem_strdup(text) : NULL);
}

static enum ctl_exit
set_url(struct ctl *ctl, const struct redis_conf *conf)
{
	struct err err;

	if (redis_url_parse(&ctl->url, conf->url, conf->password_file, &err) != 0)
		return (usage(err.msg));
	ctl->password_file = copy_of(conf->password_file);
	ctl->ca = copy_of(conf->tls.ca);
	ctl->certificate = copy_of(conf->tls.certificate);
	ctl->certificate_key = copy_of(conf->tls.certificate_key);
	ctl->tls = (struct tls_files){ ctl->ca, ctl->certificate, ctl->certificate_key };
	return (CTL_OK);
}

static enum ctl_exit
use_config(struct ctl *ctl, const char *file)
{
	struct buf mistakes = { 0 };
	struct config *config = config_load(file, &mistakes);
	enum ctl_exit status = CTL_USAGE;

	if (config == NULL)
		complain_lines(buf_view(&mistakes));
	else {
		struct redis_conf redis = redis_conf_of(config);

		ctl->state_dir = mem_strdup(config->state_dir);
		use_site(ctl, config);
		if (redis.url == NULL)
			redis.url = DEFAULT_URL;
		status = set_url(ctl, &redis);
	}
	config_free(&config);
	buf_free(&mistakes);
	return (status);
}

/* Where the configuration is for others to read, the usual place of Redis may still do. */
static enum ctl_exit
find_redis(struct ctl *ctl)
{
	struct err err;

	if (ctl->opt.site != NULL)
		ctl->site = mem_strdup(ctl->opt.site);
	if (ctl->opt.url != NULL)
		return (set_url(ctl, &(struct redis_conf){ .url = ctl->opt.url }));
	if (ctl->opt.conf != NULL || access(DEFAULT_CONF, R_OK) == 0)
		return (use_config(ctl, ctl->opt.conf != NULL ? ctl->opt.conf : DEFAULT_CONF));
	if (errno != ENOENT) {
		err_set(&err, "cannot read %s (%s); trying %s", DEFAULT_CONF, strerror(errno), DEFAULT_URL);
		complain(err.msg);
	}
	return (set_url(ctl, &(struct redis_conf){ .url = DEFAULT_URL }));
}

/* Explanations are the same everywhere, unless a configuration is named. */
static enum ctl_exit
find_config(struct ctl *ctl)
{
	struct buf mistakes = { 0 };

	if (ctl->opt.conf == NULL)
		return (CTL_OK);
	ctl->config = config_load(ctl->opt.conf, &mistakes);
	if (ctl->config == NULL)
		complain_lines(buf_view(&mistakes));
	buf_free(&mistakes);
	return (ctl->config != NULL ? CTL_OK : CTL_USAGE);
}

static enum ctl_exit
run(struct ctl *ctl, const struct command *command)
{
	bool explains = (command->takes & EXPLAIN) != 0;
	struct buf out = { 0 };
	enum ctl_exit status;

	if ((status = explains ? find_config(ctl) : find_redis(ctl)) != CTL_OK)
		return (status);
	if (explains || (command->takes & NO_REDIS) != 0)
		status = command->run(ctl, &out);
	else if ((status = ctl_connect(ctl)) == CTL_OK && (status = ctl_pick_site(ctl)) == CTL_OK &&
	    ((command->takes & WINDOW) == 0 || (status = check_window(ctl, command)) == CTL_OK))
		status = command->run(ctl, &out);
	if (status != CTL_OK)
		complain(ctl->err.msg);
	fwrite(out.p != NULL ? out.p : "", 1, out.len, stdout);
	buf_free(&out);
	return (status);
}

static enum ctl_exit
dispatch(struct ctl *ctl, const char *name)
{
	const struct command *command = name != NULL ? find_command(name) : NULL;
	enum ctl_exit status;
	struct err err;

	if (ctl->opt.version)
		printf("rpvctl %s\n", PACKAGE_VERSION);
	else if (ctl->opt.help && command != NULL)
		printf("usage: rpvctl [-c FILE | -u URL] [-s SITE] [--json] %s%s", command->name, command->help);
	else if (ctl->opt.help)
		fputs(general_help, stdout);
	else if (name == NULL) {
		fputs(general_help, stderr);
		return (CTL_USAGE);
	} else if (command == NULL) {
		err_set(&err, "there is no command %s; there are: top, watch, total, get, orders, journal, status, explain, forget", name);
		return (usage(err.msg));
	} else if ((status = check_options(ctl, command)) != CTL_OK)
		return (status);
	else
		return (run(ctl, command));
	return (CTL_OK);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	const char *command;
	enum ctl_exit status;

	signal(SIGPIPE, SIG_IGN);	/* a Redis that goes away is an error like others */
	status = parse_options(&ctl, argc, argv, &command);
	if (status == CTL_OK)
		status = dispatch(&ctl, command);
	ctl_disconnect(&ctl);
	redis_url_free(&ctl.url);
	for (size_t i = 0; i < ctl.n_hidden; i++) {
		explicit_bzero(ctl.hidden[i], strlen(ctl.hidden[i]));
		free(ctl.hidden[i]);
	}
	free(ctl.hidden);
	config_free(&ctl.config);
	free(ctl.password_file);
	free(ctl.state_dir);
	free(ctl.ca);
	free(ctl.certificate);
	free(ctl.certificate_key);
	buf_free(&ctl.unsent);
	free(ctl.site);
	free(ctl.hosts);
	free(ctl.model);
	if (fflush(stdout) != 0 && errno != EPIPE) {
		complain(strerror(errno));
		return (CTL_NOTHING);
	}
	return ((int)status);
}
