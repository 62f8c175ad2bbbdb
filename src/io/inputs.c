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

/* False where nothing is wrong. */
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
inputs_were_read(const struct site *s)
{
	bool ok = true;
	struct tail *t;
	struct err err;

	for (size_t i = 0; (t = input(s, i)) != NULL; i++)
		if (problem_of(s, t, &err)) {
			log_error("site %s: %s", s->conf->name, err.msg);
			ok = false;
		}
	return (ok);
}

static void
tell(const struct site *s, const struct tail *t, struct err *told)
{
	struct err now = { "" };

	problem_of(s, t, &now);
	if (strcmp(now.msg, told->msg) == 0)
		return;
	if (now.msg[0] != '\0')
		log_warning("site %s: %s", s->conf->name, now.msg);
	else
		log_notice("site %s: %s can be read now", s->conf->name, tail_path(t));
	*told = now;
}

void
inputs_tell(struct site *s)
{
	struct tail *t;

	for (size_t i = 0; (t = input(s, i)) != NULL; i++) {
		mem_grow(&s->told_inputs, &s->told_inputs_cap, i + 1, sizeof(*s->told_inputs));
		if (i == s->n_told_inputs)
			s->told_inputs[s->n_told_inputs++] = (struct err){ "" };
		tell(s, t, &s->told_inputs[i]);
	}
}
