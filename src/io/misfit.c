/*
 * misfit: see misfit.h.
 *
 * Lines are judged by the thousand, so that what was long ago counts no more; but a format
 * that never fits is told after twenty lines: a small shop would wait for a thousand for days.
 */
#include "io/misfit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FITS_AGAIN 100			/* lines in a row that fit: somebody mended it */

/* ---- what else it may be ----------------------------------------------------- */

/* 2026/03/02 10:00:00 [error] ... */
static bool
is_error_log(const char *line, size_t len)
{
	static const char shape[] = "9999/99/99 99:99:99 [";

	if (len < strlen(shape))
		return (false);
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '9' ? !isdigit((unsigned char)line[i]) : line[i] != shape[i])
			return (false);
	return (true);
}

/* What auto reads of it; -1: nothing. */
static int
found_in(const char *line, size_t len)
{
	struct format *format = format_compile("auto", NULL, 0, NULL);
	char *copy = mem_dup(line, len);	/* the parser writes into it */
	struct hit hit;
	int found = -1;

	if (hit_parse(format, copy, len, &hit) == HIT_OK)
		for (int i = 0; format_found_name((unsigned)i) != NULL; i++)
			if ((format_found(format) & 1U << i) != 0)
				found = i;
	free(copy);
	format_free(&format);
	return (found);
}

const char *
misfit_guess(const char *line, size_t len)
{
	static const struct { const char *found, *words; } known[] = {
		{ "common", "They look like the preset common: set format = \"auto\", or \"common\"" },
		{ "combined", "They look like the preset combined: set format = \"auto\", or \"combined\"" },
		{ "combined with more behind it", "They look like combined with more behind it: set format = \"auto\", or where nginx writes "
		    "them, \"nginx:NAME\" with the name of its log_format" },
		{ "combined with the host in front", "They look like the preset vhost_combined: set format = \"auto\", or \"vhost_combined\"" },
		{ "lighttpd", "They look like lighttpd's: set format = \"auto\", or \"lighttpd\"" },
		{ "JSON", "They look like JSON with well-known names: set format = \"auto\", or \"json\"" },
		{ "LTSV", "They look like LTSV: set format = \"auto\", or \"ltsv\"" },
		{ "HAProxy", "They look like HAProxy's: set format = \"auto\", or \"haproxy\"" },
		{ "Envoy", "They look like Envoy's: set format = \"auto\", or \"envoy\"" },
		{ "Istio", "They look like Istio's: set format = \"auto\", or \"istio\"" },
		{ "AWS ALB", "They look like those of an AWS load balancer: set format = \"auto\", or \"alb\"" },
		{ "Amazon S3", "They look like those of Amazon S3: set format = \"auto\", or \"s3\"" },
		{ "Google Cloud Storage", "They look like those of Google Cloud Storage: set format = \"auto\", or \"cloudstorage\"" },
		{ "Bunny CDN", "They look like Bunny's: set format = \"auto\", or \"bunny\"" },
		{ "AWS ELB", "They look like those of a classic AWS load balancer: set format = \"auto\", or \"elb\"" },
	};
	int found = len > 0 ? found_in(line, len) : -1;

	for (size_t i = 0; found >= 0 && i < N_ELEM(known); i++)
		if (strcmp(format_found_name((unsigned)found), known[i].found) == 0)
			return (known[i].words);
	if (len > 0 && line[0] == '{')
		return ("They look like JSON with names of its own: set format to the log_format string with which the web server writes them");
	if (len > 1 && line[0] == '#')
		return ("They look like the W3C's extended format: set format = \"auto\", or \"w3c\"");
	if (is_error_log(line, len))
		return ("They look like an error log: rpvd reads the access log");
	return (NULL);
}

/* ---- an example ---------------------------------------------------------------- */

/* Its shape, and nothing of what it says: whoever visits has a right to that. */
static void
set_example(char *out, size_t room, const char *line, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len && n + sizeof("\\x00...") < room; i++) {
		unsigned char c = (unsigned char)line[i];

		if (isdigit(c))
			out[n++] = '9';
		else if (isalpha(c) || c >= 0x80)
			out[n++] = 'a';
		else if (isprint(c))
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, room - n, "\\x%02x", c);
	}
	snprintf(out + n, room - n, "%s", i < len ? "..." : "");
}

/* ---- judging ---------------------------------------------------------------------- */

static void
begin_stretch(struct misfit *m)
{
	m->lines = m->rejected = 0;
}

/* A tenth of its bytes are none that a web server writes: control bytes it escapes. */
static bool
is_no_text(const char *line, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += iscntrl((unsigned char)line[i]) && line[i] != '\t' && line[i] != '\r';
	return (n * 10 > len);
}

static void
become_loud(struct misfit *m, const char *line, size_t len)
{
	if (m->is_loud)
		return;
	m->is_loud = m->was_loud = true;
	m->of = m->lines;
	m->unread = m->rejected;
	m->guess = is_no_text(line, len) ? "They are no text: is this a log at all?  Give the path of the web server's access log" :
	    misfit_guess(line, len);
	set_example(m->example, sizeof(m->example), line, len);
}

void
misfit_note(struct misfit *m, enum hit_drop drop, const char *line, size_t len)
{
	bool rejected = drop == HIT_MALFORMED || drop == HIT_BAD_TIME || drop == HIT_BAD_STATUS;

	if (drop == HIT_EMPTY)
		return;
	m->lines++;
	m->rejected += rejected;
	m->in_row = rejected ? 0 : m->in_row + 1;
	if (rejected && (m->rejected > MISFIT_LINES / 2 || (m->rejected == m->lines && m->lines >= MISFIT_FIRST)))
		become_loud(m, line, len);
	if (m->is_loud && m->in_row >= FITS_AGAIN) {
		m->is_loud = false;
		begin_stretch(m);
	}
	if (m->lines == MISFIT_LINES) {
		m->is_loud = m->rejected > MISFIT_LINES / 2;
		begin_stretch(m);
	}
}

bool
misfit_problem(const struct misfit *m, bool ever, const char *path, struct err *err)
{
	if (!m->is_loud && !(ever && m->was_loud))
		return (false);
	err_set(err, "%.150s: %u of %u lines are not of the log's format, and count nowhere.  %s.  An example, letters as a, "
	    "digits as 9: %s", path, m->unread, m->of,
	    m->guess != NULL ? m->guess : "Set format to the log_format string of the web server", m->example);
	return (true);
}
