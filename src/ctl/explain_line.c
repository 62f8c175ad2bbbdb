/*
 * explain line: what a log line says, field by field, or why it is rejected.
 */
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "core/hit.h"
#include "ctl/explain.h"

/* The format that the site's first log has in the configuration. */
static const char *
configured_format(const struct explain_want *want)
{
	for (size_t i = 0; want->config != NULL && i < want->config->n_sites; i++) {
		const struct site_conf *site = &want->config->sites[i];

		if ((want->site == NULL || strcmp(site->name, want->site) == 0) && site->n_logs > 0)
			return (site->logs[0].format);
	}
	return ("combined");
}

static void *
line_open(const struct explain_want *want, struct err *err)
{
	return (format_compile(want->format != NULL ? want->format : configured_format(want), NULL, 0, err));
}

static void
line_answer(void *arg, char *line, size_t len, struct buf *answer)
{
	struct format *format = arg;
	struct hit hit;
	enum hit_drop drop = hit_parse(format, line, len, &hit);

	if (drop != HIT_OK) {
		answer_text(answer, "rejected", slice_of(hit_drop_name(drop)));
		return;
	}
	answer_number(answer, "time_ms", hit.time_ms);
	answer_text(answer, "addr", hit.addr);
	answer_text(answer, "method", hit.method);
	answer_text(answer, "target", hit.target);
	answer_number(answer, "status", hit.status);
	answer_number(answer, "bytes", (int64_t)hit.bytes);
	answer_text(answer, "referrer", hit.referrer);
	answer_text(answer, "user_agent", hit.agent);
	answer_text(answer, "host", hit.host);
}

static void
line_close(void *arg)
{
	struct format *format = arg;

	format_free(&format);
}

const struct explainer explain_line = { "line", line_open, line_answer, line_close };
