/*
 * doctor_logs: the logs themselves: may rpvd read them, do their lines fit the format, is their
 * time this machine's.
 */
#include <glob.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/hit.h"
#include "doctor/doctor_impl.h"
#include "io/generations.h"
#include "io/logfile.h"
#include "io/misfit.h"
#include "io/rules.h"
#include "io/syslog.h"
#include "io/tail.h"

#define LINES_LOOKED_AT 500		/* at either end */
#define TAIL_BYTES (256 * 1024)
#define FITS_ENOUGH 95			/* per cent */
#define AHEAD_MS 120000

struct look {
	struct format *format;
	unsigned lines, fit;
	int64_t newest_ms;
	const char *guess;		/* of the first that did not fit */
};

static void
look_at_line(struct look *l, struct line *line)
{
	char *copy = mem_strndup(line->p, line->len);	/* the parser writes into it */
	struct hit hit;
	enum hit_drop drop = hit_parse(l->format, line->p, line->len, &hit);

	if (drop != HIT_EMPTY)
		l->lines++;
	if (drop == HIT_OK) {
		l->fit++;
		if (hit.time_ms > l->newest_ms)
			l->newest_ms = hit.time_ms;
	} else if (drop != HIT_EMPTY && l->guess == NULL)
		l->guess = misfit_guess(copy, line->len);
	free(copy);
}

/* An offset at which a line begins, not far from the end. */
static uint64_t
near_end(const char *path, uint64_t size)
{
	FILE *f = fopen(path, "re");
	uint64_t at = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
	int c = '\n';

	if (f == NULL || at == 0 || fseeko(f, (off_t)at, SEEK_SET) != 0)
		at = 0;
	else
		do
			c = getc(f), at++;
		while (c != '\n' && c != EOF);
	if (f != NULL)
		fclose(f);
	return (c == '\n' ? at : 0);
}

static void
look_at_file(struct look *l, const char *path, struct logfile *file)
{
	uint64_t offset, size, begin;
	struct line line;
	struct err err;

	for (int i = 0; i < LINES_LOOKED_AT && logfile_next(file, &line, &err) == LOGFILE_LINE; i++)
		look_at_line(l, &line);
	logfile_progress(file, &offset, &size);
	begin = near_end(path, size);
	if (begin > logfile_position(file) && !logfile_seek(file, begin, &err))
		return;
	while (logfile_next(file, &line, &err) == LOGFILE_LINE)
		look_at_line(l, &line);
}

static void
judge_format(struct doctor *d, const struct log_conf *log, const char *path, const struct look *l)
{
	struct err fix;

	if (l->lines == 0 || l->fit * 100 >= l->lines * FITS_ENOUGH)
		return;
	if (l->guess != NULL)
		err_set(&fix, "%s (%s line %d).", l->guess, d->config->file, log->line);
	else
		err_set(&fix, "Set format of this log (%s line %d) to the web server's log_format string, in single quotes.", d->config->file, log->line);
	doctor_find(d, "log_format", &fix, "%s: %u of %u lines that were looked at fit the format that is configured", path, l->fit, l->lines);
}

static void
judge_time(struct doctor *d, const char *path, const struct look *l)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	struct err fix = doctor_fix("Set the clock that is wrong, here or at the web server (timedatectl set-ntp true); what is dated ahead counts late or not at all.");

	if (l->newest_ms > now_ms + AHEAD_MS)
		doctor_find(d, "clock", &fix, "%s: its newest line is dated %lld seconds ahead of this machine's clock", path,
		    (long long)(l->newest_ms - now_ms) / 1000);
}

static void
read_log(struct doctor *d, const struct log_conf *log, const char *path, struct format *format)
{
	struct look l = { .format = format };
	struct err why, fix;
	struct logfile *file = logfile_open(path, true, &why);

	if (file == NULL) {
		fix = doctor_fix("See that the path names the web server's access log, a plain file.");
		doctor_find(d, "log_file", &fix, "%s", why.msg);
		return;
	}
	if (logfile_packer(file) != NULL) {
		fix = doctor_fix("Let the web server write it plain: without gzip= behind access_log.");
		doctor_find(d, "log_file", &fix, "%s: is written compressed, and cannot be followed", path);
	} else {
		look_at_file(&l, path, file);
		if (l.lines == 0)
			doctor_note(d, "log_file", "%s: is empty as yet", path);
		judge_format(d, log, path, &l);
		judge_time(d, path, &l);
	}
	logfile_close(&file);
}

static void
check_path(struct doctor *d, const struct log_conf *log, const char *path, struct format *format)
{
	struct err what, fix;
	bool missing;

	if (!access_check(&d->user, path, 4, &missing, &what, &fix)) {
		if (missing)
			fix = doctor_fix("Name the file that the web server writes; rpvd waits for it as long as it is not there.");
		doctor_find(d, missing ? "log_file" : "log_rights", &fix, "%s", what.msg);
		if (missing || access(path, R_OK) != 0)
			return;
	}
	read_log(d, log, path, format);
}

/* Rotated files belong to theirs. */
static bool
is_rotated(const glob_t *found, size_t i)
{
	for (size_t k = 0; k < found->gl_pathc; k++)
		if (generations_is_rotated(found->gl_pathv[k], found->gl_pathv[i]))
			return (true);
	return (false);
}

static void
check_log(struct doctor *d, const struct rules *rules, const struct log_conf *log)
{
	struct err err, fix = doctor_fix("See rpvd.conf(5), format.");
	struct format *format = rules_format(rules, log, &err);
	glob_t found;

	if (strcmp(log->path, LOG_STDIN) == 0)
		doctor_note(d, "log_file", "log \"-\": standard input, which only a replay reads");
	else if (format == NULL)
		doctor_find(d, "log_format", &fix, "%s line %d: log \"%.100s\": %.250s", d->config->file, log->line, log->path, err.msg);
	else if (strpbrk(log->path, "*?[") == NULL || glob(log->path, 0, NULL, &found) != 0)
		check_path(d, log, log->path, format);
	else {
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (!is_rotated(&found, i))
				check_path(d, log, found.gl_pathv[i], format);
		globfree(&found);
	}
	format_free(&format);
}

static void
check_syslog(struct doctor *d, const struct log_conf *log)
{
	struct err fix;
	int queue = strncmp(log->path, "unix:", 5) == 0 ? syslog_queue() : SYSLOG_QUEUE;

	if (queue >= SYSLOG_QUEUE)
		return;
	err_set(&fix, "sysctl net.unix.max_dgram_qlen=%d, for good in /etc/sysctl.d, and restart rpvd; or use 127.0.0.1:PORT, whose losses"
	    " are counted.", SYSLOG_QUEUE);
	doctor_find(d, "syslog_queue", &fix, "%s: keeps %d messages, and the web server drops what is more without a word", log->path, queue);
}

void
doctor_logs(struct doctor *d)
{
	for (size_t i = 0; i < d->config->n_sites; i++) {
		const struct site_conf *site = &d->config->sites[i];
		struct err err, fix = doctor_fix("See rpvd -t.");
		struct rules *rules = rules_new(site, d->tables, NULL, NULL, &err);

		if (rules == NULL)
			doctor_find(d, "rates", &fix, "site %s: %.400s", site->name, err.msg);
		for (size_t k = 0; rules != NULL && k < site->n_logs; k++)
			check_log(d, rules, &site->logs[k]);
		for (size_t k = 0; k < site->n_syslogs; k++)
			check_syslog(d, &site->syslogs[k]);
		rules_free(&rules);
	}
}
