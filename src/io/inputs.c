/*
 * inputs: what is wrong with a site's logs and order files, and telling the owner.
 *
 * A replay that passed over a file would leave figures that look whole, and what is read later
 * would come late: it does not begin without one that can be had, and does not end well where
 * one could not be read to its end.  Live, a file may come or be mended later: it is waited for,
 * and that is said once.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/intake.h"
#include "io/rules.h"
#include "io/site_impl.h"
#include "io/stream.h"
#include "io/syslog.h"
#include "io/tail.h"

struct input {
	struct stream *stream;		/* a log; NULL: an order file */
	struct tail *tail;
	const char *path;
};

/* Logs, then order files; false behind the last. */
static bool
input(const struct site *s, size_t i, struct input *in)
{
	size_t logs = s->intake != NULL ? intake_logs(s->intake) : 0;

	if (i >= logs + s->n_orders)
		return (false);
	if (i < logs) {
		*in = (struct input){ .stream = intake_stream(s->intake, i) };
		in->path = stream_path(in->stream);
	} else {
		*in = (struct input){ .tail = s->orders[i - logs].tail };
		in->path = tail_path(in->tail);
	}
	return (true);
}

/* What keeps it from being read.  False where nothing does. */
static bool
problem_of(const struct site *s, const struct input *in, struct err *err)
{
	struct tail_status status;

	if (slice_starts(slice_of(in->path), SLICE(SYSLOG_PREFIX)) &&
	    syslogs_problem(s->env.syslogs, in->path + strlen(SYSLOG_PREFIX), err))
		return (true);

	if (in->stream != NULL)
		stream_status(in->stream, &status);
	else
		tail_status(in->tail, &status);
	if (status.problem[0] == '\0')
		return (false);
	if ((s->env.replay || s->env.rebuild) && in->path[0] == '/' && access(in->path, F_OK) != 0 && errno == ENOENT)
		err_set(err, "%s: no such file: correct its path in %s", in->path, s->env.config->file);
	else
		err_set(err, "%s", status.problem);
	return (true);
}

/* The file has no lines for us, whatever the owner does with it; or it was found to be damaged where it was
 * read, and only what follows there is lost.  What a chmod or a correct path would bring is another thing. */
static bool
can_do_without(const struct tail *tail)
{
	struct tail_status status;

	tail_status(tail, &status);
	return (status.is_no_file || !status.waiting_for_file);
}

/* positions_load() goes back to where it was: a line that is read here is read again. */
void
site_check_inputs(struct site *s, struct buf *mistakes)
{
	struct line line;
	struct input in;
	struct err err;

	for (size_t i = 0; input(s, i, &in); i++) {
		struct tail *tail = in.stream != NULL ? stream_stop(in.stream) : in.tail;

		tail_next(tail, &line);
		if (problem_of(s, &in, &err) && !(s->env.replay && can_do_without(tail)))	/* then its end says so */
			buf_printf(mistakes, "%s\n", err.msg);
	}
}

static bool
problem_or_misfit(const struct site *s, const struct input *in, struct err *err)
{
	return (problem_of(s, in, err) || (in->stream != NULL && stream_misfits(in->stream, s->env.replay, err)));
}

/* A file that is named like a packed one is there for a replay. */
static void
check_log(const struct config *config, const struct log_conf *log, const char *path, struct buf *mistakes)
{
	struct err err;

	if (strcmp(path, LOG_STDIN) != 0 && !slice_ends(slice_of(path), SLICE(".gz")) && tail_check(path, &err) != 0)
		buf_printf(mistakes, "%s:%d: %s\n", config->file, log->line, err.msg);
}

void
inputs_check(const struct config *config, struct buf *mistakes)
{
	for (size_t i = 0; i < config->n_sites; i++)
		for (size_t k = 0; k < config->sites[i].n_logs; k++) {
			const struct log_conf *log = &config->sites[i].logs[k];
			glob_t found;

			if (glob(log->path, 0, NULL, &found) != 0)
				continue;
			for (size_t n = 0; n < found.gl_pathc; n++)
				check_log(config, log, found.gl_pathv[n], mistakes);
			globfree(&found);
		}
}

bool
inputs_problem(const struct site *s, size_t i, struct err *err)
{
	struct input in;

	return (input(s, i, &in) && problem_or_misfit(s, &in, err));
}

/* Once: it stays so until the log shows other addresses. */
static void
tell_crowd(struct site *s)
{
	unsigned addresses, percent = crowd_percent(&s->crowd, &addresses);

	if (percent > 0 && !s->told_crowd)
		log_warning("site %s: %u %% of a day's visits that are known by address and browser come from %u address%s: the log very"
		    " likely shows a proxy's; have the web server log the client's (nginx: set_real_ip_from, real_ip_header), or add"
		    " $http_x_forwarded_for to the log and set trusted_proxies", s->conf->name, percent, addresses,
		    addresses > 1 ? "es" : "");
	s->told_crowd = percent > 0;
}

/* Without a wall clock, a replay takes such a line for what it says. */
static void
say_future(const struct site *s)
{
	int64_t ahead_ms = engine_clock(s->engine) - site_now(s);

	if (ahead_ms > DAY_MS)
		log_warning("site %s: the logs have a line that is dated %lld days ahead of this machine's clock: after it all lines"
		    " are late, and the windows end there; take it out and replay into an emptied site, or set the clock right",
		    s->conf->name, (long long)(ahead_ms / DAY_MS));
}

/* What the lines of a log turned out to be, where nobody said it. */
static void
tell_found(const struct site *s, const struct input *in, unsigned *told)
{
	unsigned found = in->stream != NULL ? stream_found(in->stream) : 0;
	struct err text;

	if ((found & ~*told) == 0)
		return;
	*told |= found;
	rules_found(s->rules, *told, &text);
	log_notice("site %s: %s: format: %s", s->conf->name, in->path, text.msg);
}

/* A pipe does not tell that its writer has failed. */
static void
say_empty(const struct site *s)
{
	struct tail_status status;
	struct input in;

	for (size_t i = 0; input(s, i, &in); i++) {
		if (in.stream == NULL || strcmp(in.path, STDIN_NAME) != 0)
			continue;
		stream_status(in.stream, &status);
		if (status.size == 0 && status.problem[0] == '\0')
			log_warning("site %s: standard input was empty: has what writes into rpvd failed?", s->conf->name);
	}
}

/* Lines that do not fit were read all the same. */
bool
inputs_were_read(struct site *s)
{
	bool ok = true;
	struct input in;
	struct err err;

	for (size_t i = 0; input(s, i, &in); i++)
		if (problem_of(s, &in, &err)) {
			log_error("site %s: %s", s->conf->name, err.msg);
			ok = false;
		} else if (problem_or_misfit(s, &in, &err))
			log_warning("site %s: %s", s->conf->name, err.msg);
	for (size_t i = 0; input(s, i, &in); i++) {
		unsigned told = 0;

		tell_found(s, &in, &told);
	}
	say_empty(s);
	say_future(s);
	tell_crowd(s);
	return (ok);
}

static void
tell(struct site *s, const struct input *in, struct err *told)
{
	struct err now = { "" };

	problem_or_misfit(s, in, &now);
	if (strcmp(now.msg, told->msg) == 0)
		return;
	s->input_faults += now.msg[0] != '\0';
	if (now.msg[0] != '\0')
		log_warning("site %s: %s", s->conf->name, now.msg);
	else
		log_notice("site %s: %s can be read now", s->conf->name, in->path);
	*told = now;
}

void
inputs_tell(struct site *s)
{
	struct input in;

	for (size_t i = 0; input(s, i, &in); i++) {
		mem_grow(&s->told_inputs, &s->told_inputs_cap, i + 1, sizeof(*s->told_inputs));
		mem_grow(&s->told_found, &s->told_found_cap, i + 1, sizeof(*s->told_found));
		if (i == s->n_told_inputs) {
			s->told_found[s->n_told_inputs] = 0;
			s->told_inputs[s->n_told_inputs++] = (struct err){ "" };
		}
		tell(s, &in, &s->told_inputs[i]);
		tell_found(s, &in, &s->told_found[i]);
	}
	tell_crowd(s);
}
