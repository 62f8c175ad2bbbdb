/*
 * inputs: what is wrong with a site's logs and order files, and telling the owner.
 *
 * A replay that passed over a file would leave figures that look whole: it does not
 * begin without one, and does not end well where one could not be read to its end.  Live,
 * a file may come or be mended later: it is waited for, and that is said once.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/intake.h"
#include "io/misfit.h"
#include "io/site_impl.h"
#include "io/tail.h"

/* Logs, then order files. */
static struct tail *
input(const struct site *s, size_t i)
{
	size_t logs = s->intake != NULL ? intake_logs(s->intake) : 0;

	if (i < logs)
		return (intake_tail(s->intake, i));
	return (i - logs < s->n_orders ? s->orders[i - logs].tail : NULL);
}

/* What keeps it from being read.  False where nothing does. */
static bool
problem_of(const struct site *s, const struct tail *t, struct err *err)
{
	struct tail_status status;

	tail_status(t, &status);
	if (status.problem[0] == '\0')
		return (false);
	if (s->env.replay && access(tail_path(t), F_OK) != 0 && errno == ENOENT)
		err_set(err, "%s: no such file: correct its path in %s", tail_path(t), s->env.config->file);
	else
		err_set(err, "%s", status.problem);
	return (true);
}

/* positions_load() goes back to where it was: a line that is read here is read again. */
void
site_check_inputs(struct site *s, struct buf *mistakes)
{
	struct line line;
	struct tail *t;
	struct err err;

	for (size_t i = 0; (t = input(s, i)) != NULL; i++) {
		tail_next(t, &line);
		if (problem_of(s, t, &err))
			buf_printf(mistakes, "%s\n", err.msg);
	}
}

bool
inputs_problem(const struct site *s, size_t i, struct err *err)
{
	const struct tail *t = input(s, i);

	if (problem_of(s, t, err))
		return (true);
	return (s->intake != NULL && i < intake_logs(s->intake) &&
	    misfit_problem(intake_misfit(s->intake, i), s->env.replay, tail_path(t), err));
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

/* Lines that do not fit were read all the same. */
bool
inputs_were_read(const struct site *s)
{
	bool ok = true;
	struct tail *t;
	struct err err;

	for (size_t i = 0; (t = input(s, i)) != NULL; i++)
		if (problem_of(s, t, &err)) {
			log_error("site %s: %s", s->conf->name, err.msg);
			ok = false;
		} else if (inputs_problem(s, i, &err))
			log_warning("site %s: %s", s->conf->name, err.msg);
	say_future(s);
	return (ok);
}

static void
tell(const struct site *s, size_t i, struct err *told)
{
	struct err now = { "" };

	inputs_problem(s, i, &now);
	if (strcmp(now.msg, told->msg) == 0)
		return;
	if (now.msg[0] != '\0')
		log_warning("site %s: %s", s->conf->name, now.msg);
	else
		log_notice("site %s: %s can be read now", s->conf->name, tail_path(input(s, i)));
	*told = now;
}

void
inputs_tell(struct site *s)
{
	for (size_t i = 0; input(s, i) != NULL; i++) {
		mem_grow(&s->told_inputs, &s->told_inputs_cap, i + 1, sizeof(*s->told_inputs));
		if (i == s->n_told_inputs)
			s->told_inputs[s->n_told_inputs++] = (struct err){ "" };
		tell(s, i, &s->told_inputs[i]);
	}
}
