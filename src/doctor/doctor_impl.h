/*
 * doctor_impl: shared by the checks of the doctor.
 */
#ifndef RPVD_DOCTOR_IMPL_H
#define RPVD_DOCTOR_IMPL_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "doctor/access.h"
#include "doctor/doctor.h"
#include "io/nginx_conf.h"

struct finding {
	const char *check;		/* one word, the same over versions: "log_format" */
	struct err what, fix;		/* notes have no fix */
};

struct findings {
	struct finding *list;
	size_t n, cap;
};

struct doctor {
	const struct doctor_options *opt;
	const struct config *config;
	struct tables *tables;
	struct user user;		/* as whom rpvd runs, or would */
	pid_t pid;			/* of the rpvd that runs; 0: none */
	const char *listen;		/* where webhooks arrive: as in the configuration, or rpvd.socket's; NULL: not known */
	const char *nginx_file;
	struct nginx_node *nginx;	/* NULL: no nginx here */
	struct findings findings, notes;
};

/* fix: NULL for none in words of ours. */
void doctor_find(struct doctor *, const char *check, const struct err *fix, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void doctor_note(struct doctor *, const char *check, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* For a fix that has nothing to be filled in. */
struct err doctor_fix(const char *text);

/* One file each. */
void doctor_logs(struct doctor *);
void doctor_nginx(struct doctor *);
void doctor_rotation(struct doctor *);
void doctor_redis(struct doctor *);
void doctor_hooks(struct doctor *);
void doctor_state(struct doctor *);

/* doctor_nginx.c: by its last access_log lines nginx writes this log. */
bool doctor_log_is(const struct log_conf *, const char *path);
/* doctor_nginx.c: of a server of nginx, the location that takes this path, or NULL. */
const struct nginx_node *doctor_location(const struct nginx_node *server, const char *path);
/* doctor_nginx.c: it passes requests to rpvd's listener. */
bool doctor_passes(const struct doctor *, const struct nginx_node *location);

#endif
