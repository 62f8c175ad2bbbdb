/*
 * daemon: all sites, the webhook listener, signals and the service manager around one
 * event loop.
 */
#ifndef RPVD_DAEMON_H
#define RPVD_DAEMON_H

#include <stdbool.h>

struct daemon_options {
	const char *config;
	bool replay;
	bool rebuild;			/* makes the figures anew from what is on disk, and ends */
	bool rebuild_later;		/* only asks whoever runs next to do so, or */
	bool rebuild_cancel;		/* to give it up */
	const char *rebuild_site;	/* that one; NULL: all */
	const char *clock;		/* NULL, or a file that holds the wall time in Unix milliseconds: for tests */
};

/* Reads and checks everything that can be checked without starting; mistakes go to standard
 * error.  0 where it would start. */
int daemon_check(const struct daemon_options *);
/* Runs until SIGTERM, or to the end of a replay or rebuild.  The exit code: 0 fine, 1 it could not go on,
 * 2 the configuration has mistakes. */
int daemon_run(const struct daemon_options *);

#endif
