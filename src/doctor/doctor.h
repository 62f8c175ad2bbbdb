/*
 * doctor: `rpvd doctor` looks at everything around rpvd that keeps figures from being right:
 * logs, web server, Redis, webhooks, state directory, clock.
 *
 * It changes nothing and asks for nothing.  Each finding is one sentence about what is wrong
 * and one about what to do; notes are what an owner may want to know and need not mend.
 */
#ifndef RPVD_DOCTOR_H
#define RPVD_DOCTOR_H

#include <stdbool.h>

struct doctor_options {
	const char *config;
	const char *nginx;		/* the web server's main file; NULL: /etc/nginx/nginx.conf */
	const char *logrotate;		/* directory; NULL: /etc/logrotate.d */
	const char *user;		/* as whom rpvd runs; NULL: found out */
	bool json;
};

/* To standard output.  The exit code: 0 nothing was found, 1 something was, 2 the configuration
 * has mistakes (which go to standard error). */
int doctor_run(const struct doctor_options *);

#endif
