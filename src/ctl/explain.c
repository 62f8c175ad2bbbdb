/*
 * explain: see explain.h.
 *
 * The answers are put together here and not by jansson: a log has bytes that are no UTF-8,
 * which jansson refuses, and the answer must tell which bytes these were.  A byte that is no
 * part of a character comes as \udcXX, half of a surrogate pair, as Python's surrogateescape
 * has it (PEP 383): what reads JSON there gets the log's very bytes back.
 */
#include "ctl/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "io/rules.h"
#include "io/tail.h"

#define READ_BYTES (64 * 1024)

static const struct explainer *const explainers[] = { &explain_line, &explain_source, &explain_agent };

/* ---- answers ---------------------------------------------------------------------- */

static void
put_name(struct buf *out, const char *name)
{
	if (out->len > 0 && out->p[out->len - 1] != '{')
		buf_putc(out, ',');
	buf_printf(out, "\"%s\":", name);
}

/* The character at the front of s, and its length; 0 where these bytes are none. */
static size_t
utf8_read(struct slice s, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)s.p[0];
	size_t len = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
	uint32_t c = len > 1 ? first & (0x7fU >> len) : first;

	if (len == 0 || len > s.len)
		return (0);
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return (0);
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return (0);
	*character = c;
	return (len);
}

static void
put_character(struct buf *out, uint32_t c)
{
	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", (char)c);
	else if (c >= ' ' && c < 0x7f)
		buf_putc(out, (char)c);
	else if (c < 0x10000)
		buf_printf(out, "\\u%04x", (unsigned)c);
	else
		buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
		    (unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
}

void
answer_text(struct buf *out, const char *name, struct slice value)
{
	uint32_t c = 0;
	size_t n;

	put_name(out, name);
	buf_putc(out, '"');
	for (; value.len > 0; value = slice_skip(value, n)) {
		n = utf8_read(value, &c);
		if (n > 0)
			put_character(out, c);
		else {
			buf_printf(out, "\\udc%02x", (unsigned)(unsigned char)value.p[0]);
			n = 1;
		}
	}
	buf_putc(out, '"');
}

void
answer_number(struct buf *out, const char *name, int64_t value)
{
	put_name(out, name);
	buf_printf(out, "%lld", (long long)value);
}

void
answer_bool(struct buf *out, const char *name, bool value)
{
	put_name(out, name);
	buf_puts(out, value ? "true" : "false");
}

/* ---- lines ------------------------------------------------------------------------ */

struct lines {
	const struct explainer *e;
	void *arg;
	struct buf pending;		/* what was read and not answered: the begin of a line */
	bool is_overlong;		/* it had more before that, which was dropped */
	struct buf out;
};

static void
answer(struct lines *l, char *line, size_t len)
{
	struct buf members = { 0 };

	buf_putc(&members, '{');
	if (l->is_overlong || len > LINE_MAX_BYTES)
		answer_text(&members, "rejected", SLICE("overlong"));
	else
		l->e->line(l->arg, line, len, &members);
	buf_putc(&members, '}');
	buf_putc(&members, '\n');
	buf_put(&l->out, members.p, members.len);
	buf_free(&members);
	l->is_overlong = false;
}

/* Answers the whole lines, and at the end of the input the last one without a newline. */
static void
answer_pending(struct lines *l, bool at_end)
{
	char *p = l->pending.p, *end = l->pending.p + l->pending.len, *newline;

	while (p < end && (newline = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		answer(l, p, (size_t)(newline - p));
		p = newline + 1;
	}
	if (at_end && (p < end || l->is_overlong)) {
		answer(l, p, (size_t)(end - p));
		p = end;
	}
	if (end - p > LINE_MAX_BYTES) {	/* nothing of it is wanted any more */
		l->is_overlong = true;
		p = end;
	}
	l->pending.len = (size_t)(end - p);
	if (l->pending.len > 0)
		memmove(l->pending.p, p, l->pending.len);
}

/* Each read is answered before the next one, so that who types sees an answer. */
static enum ctl_exit
answer_input(struct lines *l, struct err *err)
{
	ssize_t n;

	do {
		buf_reserve(&l->pending, READ_BYTES);
		n = read(STDIN_FILENO, l->pending.p + l->pending.len, READ_BYTES);
		if (n < 0 && errno != EINTR) {
			err_set(err, "standard input: %s", strerror(errno));
			return (CTL_USAGE);
		}
		l->pending.len += n > 0 ? (size_t)n : 0;
		answer_pending(l, n == 0);
		if (fwrite(l->out.p != NULL ? l->out.p : "", 1, l->out.len, stdout) != l->out.len || fflush(stdout) != 0)
			break;		/* nobody reads on; main() looks what it was */
		l->out.len = 0;
	} while (n != 0);
	return (CTL_OK);
}

/* ---- the command ------------------------------------------------------------------ */

static const struct explainer *
find_explainer(struct ctl *ctl)
{
	for (size_t i = 0; i < N_ELEM(explainers); i++)
		if (strcmp(explainers[i]->kind, ctl->opt.operand) == 0)
			return (explainers[i]);
	err_set(&ctl->err, "explain %s: there are only line, source and agent", ctl->opt.operand);
	return (NULL);
}

static enum ctl_exit
explain_by(struct ctl *ctl, const struct explainer *e, const struct explain_want *want)
{
	struct lines lines = { .e = e, .arg = e->open(want, &ctl->err) };
	enum ctl_exit status;

	if (lines.arg == NULL)
		return (CTL_USAGE);
	status = answer_input(&lines, &ctl->err);
	buf_free(&lines.pending);
	buf_free(&lines.out);
	e->close(lines.arg);
	return (status);
}

enum ctl_exit
ctl_explain(struct ctl *ctl, struct buf *out)
{
	const struct explainer *e = find_explainer(ctl);
	struct explain_want want = { .format = ctl->opt.format, .host = ctl->hosts, .site = ctl->opt.site, .config = ctl->config };
	struct tables *tables;
	enum ctl_exit status;

	(void)out;			/* answers are not kept until the end */
	if (e == NULL)
		return (CTL_USAGE);
	tables = tables_load(want.config != NULL ? want.config->data_dir : NULL, &ctl->err);
	if (tables == NULL)
		return (CTL_USAGE);
	want.tables = tables;
	status = explain_by(ctl, e, &want);
	tables_free(&tables);
	return (status);
}
