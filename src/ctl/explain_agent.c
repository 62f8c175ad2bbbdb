/*
 * explain agent: whether a user agent is a bot, of which class, and by which rule of bots.txt.
 */
#include "core/client.h"
#include "ctl/explain.h"
#include "io/rules.h"

static void *
agent_open(const struct explain_want *want, struct err *err)
{
	(void)err;			/* whoever loaded the tables has checked them */
	return ((void *)(uintptr_t)tables_bots(want->tables));
}

static void
agent_answer(void *arg, char *line, size_t len, struct buf *answer)
{
	const struct bots *bots = arg;
	struct agent_verdict v;

	bots_judge(bots, slice_make(line, len), &v);
	answer_text(answer, "class", slice_of(agent_class_name(v.class)));
	answer_bool(answer, "bot", v.is_bot);
	answer_text(answer, "rule", v.rule);
}

static void
agent_close(void *arg)
{
	(void)arg;			/* the tables are not ours */
}

const struct explainer explain_agent = { "agent", agent_open, agent_answer, agent_close };
