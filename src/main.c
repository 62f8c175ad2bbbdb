/*
 * rpvd: options, start, stop.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <maxminddb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "doctor/doctor.h"
#include "io/daemon.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "dev"
#endif

#define DEFAULT_CONFIG "/etc/rpvd/rpvd.conf"

static const char usage[] =
    "usage: rpvd [-c FILE] [-t | --replay | --rebuild[=SITE]] [-v]\n"
    "       rpvd doctor [-c FILE] [--json] [--user NAME] [--nginx FILE] [--logrotate DIR]\n"
    "\n"
    "Revenue per visit, from web server logs and checkout webhooks, into Redis.\n"
    "\n"
    "  -c, --config FILE  the configuration; default " DEFAULT_CONFIG "\n"
    "  -t, --test         check the configuration and exit: 0 where it is fine, 2 where not\n"
    "      --replay       read all logs and order files from their beginning to their end, commit, exit\n"
    "      --rebuild[=SITE]  make the figures anew from logs, order files and journal, then exit\n"
    "      --rebuild-later[=SITE], --rebuild-cancel[=SITE]\n"
    "                     have the daemon do so, or give it up, at its next start or reload\n"
    "      --clock FILE   take the wall time (Unix milliseconds) from FILE: for tests\n"
    "  -v, --verbose      say more in the log\n"
    "  doctor, --doctor   say what is wrong around rpvd, and what to do: 0 nothing, 1 something\n"
    "      --json         what the doctor finds as JSON\n"
    "      --user NAME    the doctor takes this for rpvd's user\n"
    "      --nginx FILE   nginx' main file; default /etc/nginx/nginx.conf\n"
    "      --logrotate DIR  default /etc/logrotate.d\n"
    "      --version      print the version, and those of the libraries, and exit\n"
    "  -h, --help         print this and exit\n"
    "\n"
    "SIGHUP reloads the configuration, SIGTERM commits and ends.  See rpvd(8), rpvd.conf(5).\n";

enum { OPT_REPLAY = 256, OPT_REBUILD, OPT_REBUILD_LATER, OPT_REBUILD_CANCEL, OPT_VERSION, OPT_CLOCK, OPT_DOCTOR, OPT_JSON, OPT_USER, OPT_NGINX, OPT_LOGROTATE };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "test", no_argument, NULL, 't' },
	{ "replay", no_argument, NULL, OPT_REPLAY },
	{ "rebuild", optional_argument, NULL, OPT_REBUILD },
	{ "rebuild-later", optional_argument, NULL, OPT_REBUILD_LATER },
	{ "rebuild-cancel", optional_argument, NULL, OPT_REBUILD_CANCEL },
	{ "clock", required_argument, NULL, OPT_CLOCK },
	{ "doctor", no_argument, NULL, OPT_DOCTOR },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "user", required_argument, NULL, OPT_USER },
	{ "nginx", required_argument, NULL, OPT_NGINX },
	{ "logrotate", required_argument, NULL, OPT_LOGROTATE },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* With the libraries that meet strangers' bytes, as they are here: an owner who reads of a hole in one can look. */
static void
put_version(void)
{
	puts("rpvd " PACKAGE_VERSION);
	printf("libevent %s, hiredis %d.%d.%d, jansson %s, libsodium %s, zlib %s, libmaxminddb %s\n", event_get_version(), HIREDIS_MAJOR,
	    HIREDIS_MINOR, HIREDIS_PATCH, JANSSON_VERSION, sodium_version_string(), zlibVersion(), MMDB_lib_version());
}

/* What was asked for. */
struct line {
	struct daemon_options run;
	struct doctor_options doctor;
	enum log_level level;
	bool test, ask_doctor;
};

/* Ends the process where there is nothing more to do. */
static void
take_options(struct line *l, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:thv", options, NULL)) != -1)
		switch (c) {
		case 'c':
			l->run.config = optarg;
			break;
		case 't':
			l->test = true;
			break;
		case 'v':
			l->level = LOG_LEVEL_DEBUG;
			break;
		case OPT_REPLAY:
			l->run.replay = true;
			break;
		case OPT_REBUILD:
			l->run.rebuild = true;
			l->run.rebuild_site = optarg;
			break;
		case OPT_REBUILD_LATER:
			l->run.rebuild_later = true;
			l->run.rebuild_site = optarg;
			break;
		case OPT_REBUILD_CANCEL:
			l->run.rebuild_cancel = true;
			l->run.rebuild_site = optarg;
			break;
		case OPT_CLOCK:
			l->run.clock = optarg;
			break;
		case OPT_DOCTOR:
			l->ask_doctor = true;
			break;
		case OPT_JSON:
			l->doctor.json = true;
			break;
		case OPT_USER:
			l->doctor.user = optarg;
			break;
		case OPT_NGINX:
			l->doctor.nginx = optarg;
			break;
		case OPT_LOGROTATE:
			l->doctor.logrotate = optarg;
			break;
		case OPT_VERSION:
			put_version();
			exit(0);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
}

/* What is opened next would be standard input, or would be written to as standard error. */
static void
fill_descriptors(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDWR);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct line l = { .run = { .config = DEFAULT_CONFIG }, .level = LOG_LEVEL_INFO };
	int c;

	fill_descriptors();
	take_options(&l, argc, argv);
	if (optind + 1 == argc && strcmp(argv[optind], "doctor") == 0) {
		l.ask_doctor = true;
		optind++;
	}
	if (optind < argc) {
		fprintf(stderr, "rpvd: unexpected argument \"%s\"\n%s", argv[optind], usage);
		return (2);
	}
	log_init(l.level);
	l.doctor.config = l.run.config;
	if (l.ask_doctor)
		return (doctor_run(&l.doctor));
	if (!l.test)
		return (daemon_run(&l.run));
	c = daemon_check(&l.run);
	if (c == 0)
		printf("%s: fine\n", l.run.config);
	return (c);
}
