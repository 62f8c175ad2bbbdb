/*
 * origin: see origin.h.
 */
#include "io/origin.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/generations.h"
#include "io/intake.h"
#include "io/journal.h"
#include "io/keys.h"
#include "io/logfile.h"
#include "io/rules.h"
#include "io/site_impl.h"
#include "io/stream.h"
#include "io/tail.h"

#define FIRST_LINES 2000		/* of a file, among which one must be a hit */

/* ---- how far the logs reach back ------------------------------------------- */

static int64_t
first_time(struct logfile *file, struct format *format)
{
	struct line line;
	struct hit hit;
	struct err err;

	for (int i = 0; i < FIRST_LINES && logfile_next(file, &line, &err) == LOGFILE_LINE; i++)
		if (hit_parse(format, line.p, line.len, &hit) == HIT_OK)
			return (hit.time_ms);
	return (0);
}

static struct format *
format_of(const struct site *s, const char *path)
{
	struct err err;

	for (size_t i = 0; i < s->conf->n_logs; i++)
		if (strcmp(s->conf->logs[i].path, path) == 0 || fnmatch(s->conf->logs[i].path, path, 0) == 0)
			return (rules_format(s->rules, &s->conf->logs[i], &err));
	return (NULL);
}

static int64_t
begin_of_file(const char *path, struct format *format)
{
	struct err err;
	struct logfile *file = logfile_open(path, true, &err);
	int64_t ms = file != NULL ? first_time(file, format) : 0;

	logfile_close(&file);
	return (ms);
}

/* In a replay rotated files may be logs of their own: together with theirs they are one. */
static int64_t
begin_of_files(const struct site *s, const char *path, struct format *format)
{
	int64_t first = begin_of_file(path, format), ms;

	for (size_t i = 0; i < intake_logs(s->intake); i++) {
		const char *other = stream_path(intake_stream(s->intake, i));

		if (generations_is_rotated(other, path))
			return (0);	/* counted there */
		ms = generations_is_rotated(path, other) ? begin_of_file(other, format) : 0;
		if (ms > 0 && (first == 0 || ms < first))
			first = ms;
	}
	return (first);
}

static bool
is_link(const char *path)
{
	struct stat st;

	return (lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
}

/* *rotated: there are older files, so there may have been still older ones. */
static int64_t
begin_of_log(const char *path, struct format *format, bool *rotated)
{
	struct generations gs = { 0 };
	struct err err;
	int64_t ms = 0;

	if (generations_scan(&gs, path, is_link(path), &err) == 0)
		for (size_t i = 0; i < gs.count && ms == 0; i++)
			if (generations_is_part(&gs, i)) {
				*rotated = i + 1 < gs.count;
				ms = first_time(gs.items[i].file, format);
			}
	generations_free(&gs);
	return (ms);
}

/* The figures are whole from where all logs are there: that which begins last decides.  One without
 * a line says nothing; one that was never rotated, where others were, is a new one.  False where
 * there is no line at all. */
static bool
find_logs(struct site *s, bool rewound)
{
	bool any_rotated = false, has_lines;

	for (size_t i = 0; i < intake_logs(s->intake); i++) {
		const char *path = stream_path(intake_stream(s->intake, i));
		struct format *format = format_of(s, path);
		bool rotated = false;
		int64_t ms = format == NULL ? 0 : rewound ? begin_of_log(path, format, &rotated) :
		    begin_of_files(s, path, format);

		format_free(&format);
		if (ms > 0 && (rotated > any_rotated || (rotated == any_rotated && ms > s->origin.since_ms)))
			s->origin.since_ms = ms;
		any_rotated = any_rotated || rotated;
	}
	s->origin.limit = LIMIT_LOG;
	has_lines = s->origin.since_ms > 0;
	if (!has_lines && !s->env.replay && intake_logs(s->intake) > 0)
		s->origin.since_ms = site_now(s);	/* nothing was logged yet: from now on all is */
	return (has_lines);
}

/* What was sent is nowhere any more. */
static void
find_syslog(struct site *s)
{
	if (s->conf->n_syslogs == 0)
		return;
	s->origin.since_ms = site_now(s);
	s->origin.limit = LIMIT_SYSLOG;
}

/* ---- how far the journal does ------------------------------------------------ */

struct journal_look {
	struct site *site;
	int64_t first_ms;
};

static bool
has_key(struct site *s, int64_t day)
{
	const struct keyring *ring = keys_ring(s->keys);

	for (size_t i = 0; i < ring->n_days; i++)
		if (ring->days[i].day == day)
			return (true);
	return (false);
}

static int
look_at_event(const struct journal_record *r, void *arg)
{
	struct journal_look *look = arg;
	struct origin *o = &look->site->origin;
	struct order_event e;

	if (look->first_ms == 0)
		look->first_ms = r->received_ms;
	if (r->kind != JOURNAL_EVENT || !slice_is(r->site, look->site->conf->name) || order_event_decode(r->bytes, &e) != 0)
		return (0);
	if (e.kind != ORDER_PAID || e.agents[0] == 0 || e.visitors[0] != 0 || e.n_tokens > 0)
		return (0);
	if (has_key(look->site, day_of(e.time_ms)) || has_key(look->site, day_of(e.time_ms) - 1))
		return (0);
	o->keyless++;
	if (e.time_ms > o->keyless_ms)
		o->keyless_ms = e.time_ms;
	return (0);
}

static void
find_journal(struct site *s)
{
	struct journal_look look = { s, 0 };
	struct err err;

	if (s->conf->n_providers == 0 || journal_read(s->env.journal, 0, look_at_event, &look, &err) != 0)
		return;
	/* Earlier records were removed by age. */
	if (journal_first(s->env.journal) > 1 && look.first_ms > s->origin.since_ms) {
		s->origin.since_ms = look.first_ms;
		s->origin.limit = LIMIT_JOURNAL;
	}
}

/* ---- what cannot be read ------------------------------------------------------- */

void
origin_unreadable(const char *path, struct buf *mistakes)
{
	struct generations gs = { 0 };
	struct err err;

	if (path[0] != '/')
		return;			/* no file */
	if (generations_scan(&gs, path, is_link(path), &err) != 0)
		buf_printf(mistakes, "%s\n", err.msg);
	for (size_t i = 0; i < gs.count; i++) {
		const struct generation *g = &gs.items[i];
		const char *packer = g->file != NULL ? logfile_packer(g->file) : NULL;

		if (g->is_rotated && g->file == NULL)
			buf_printf(mistakes, "%s/%s: may not be read, and what is in it is missing then: join its group, or move it elsewhere\n",
			    gs.dir, g->name);
		else if (g->is_rotated && packer != NULL && strcmp(packer, "gzip") != 0)
			buf_printf(mistakes, "%s/%s: is packed with %s, which rpvd cannot read: unpack it, or move it elsewhere\n", gs.dir, g->name,
			    packer);
	}
	generations_free(&gs);
}

/* Said, and counted. */
static uint64_t
find_unread(const struct site *s)
{
	struct buf lines = { 0 };
	uint64_t n = 0;

	for (size_t i = 0; i < intake_logs(s->intake); i++)
		origin_unreadable(stream_path(intake_stream(s->intake, i)), &lines);
	for (struct slice rest = buf_view(&lines); rest.len > 0; n++) {
		struct slice line = slice_cut(&rest, '\n');

		log_warning("site %s: %.*s", s->conf->name, SLICE_FMT(line));
	}
	buf_free(&lines);
	return (n);
}

/* ---- how far the figures did before ----------------------------------------------- */

/* In a file beside the keys: Redis, which knows it, may be empty. */
static char *
begin_path(const struct site *s)
{
	struct buf path = { 0 };

	buf_printf(&path, "%s/begin-%s", s->env.config->state_dir, s->conf->name);
	buf_putc(&path, '\0');
	return (path.p);
}

/* INT64_MIN where it is not known. */
static int64_t
begin_read(const struct site *s)
{
	char *path = begin_path(s);
	size_t len;
	struct err err;
	char *text = file_read_own(path, 100, &len, &err);
	int64_t ms = text != NULL && len > 0 ? strtoll(text, NULL, 10) : INT64_MIN;

	free(text);
	free(path);
	return (ms);
}

static void
begin_write(const struct site *s, int64_t ms)
{
	char *path = begin_path(s), text[32];
	int len = snprintf(text, sizeof(text), "%" PRId64 "\n", ms);

	if (file_replace(path, slice_make(text, (size_t)len)) != 0)
		log_warning("%s: %s; a rebuild will not know whether anything is missing", path, strerror(errno));
	free(path);
}

void
origin_find(struct site *s, bool rewound)
{
	int64_t begin = begin_read(s), since;
	bool has_lines;

	s->origin = (struct origin){ .is_rebuild = rewound, .under_way = rewound };
	has_lines = find_logs(s, rewound);
	if (rewound) {
		find_syslog(s);
		find_journal(s);
		s->origin.unread = find_unread(s);
	}
	since = s->origin.since_ms;
	if (!rewound || (begin != INT64_MIN && since <= begin))
		s->origin.limit = LIMIT_NONE;
	if (has_lines && (begin == INT64_MIN || since < begin))
		begin_write(s, since);
}

void
origin_note_begin(struct site *s, bool anew)
{
	int64_t first = engine_clock(s->engine);

	if (anew)
		s->begin_known = begin_read(s) != INT64_MIN;
	if (s->begin_known || s->origin.since_ms == 0 || first <= 0)
		return;
	begin_write(s, first);
	s->begin_known = true;
}

/* ---- as bytes ------------------------------------------------------------------ */

void
origin_save(const struct origin *o, struct buf *out)
{
	buf_putc(out, (char)(o->is_rebuild | o->under_way << 1));
	buf_svarint(out, o->since_ms);
	buf_varint(out, (uint64_t)o->limit);
	buf_svarint(out, o->rebuilt_ms);
	buf_varint(out, o->keyless);
	buf_svarint(out, o->keyless_ms);
	buf_varint(out, o->unread);
}

/* Nothing is known of a state that began before this was kept. */
void
origin_load(struct origin *o, struct slice saved)
{
	struct reader r = reader_of(saved);
	unsigned flags;

	*o = (struct origin){ 0 };
	if (saved.len == 0)
		return;
	flags = reader_u8(&r);
	o->is_rebuild = (flags & 1) != 0;
	o->under_way = (flags & 2) != 0;
	o->since_ms = reader_svarint(&r);
	o->limit = (enum origin_limit)(reader_varint(&r) % (LIMIT_SYSLOG + 1));
	o->rebuilt_ms = reader_svarint(&r);
	o->keyless = reader_varint(&r);
	o->keyless_ms = reader_svarint(&r);
	o->unread = reader_varint(&r);
	if (r.bad)
		*o = (struct origin){ 0 };
}

/* ---- in words -------------------------------------------------------------------- */

/* The oldest bucket of a window. */
static int64_t
window_begin(const struct level *level, int64_t now_ms)
{
	return ((now_ms / level->bucket_ms - level->buckets + 1) * level->bucket_ms);
}

/* A first line somewhere in the oldest bucket is no proof that one is missing. */
static bool
is_partial(const struct site *s, const struct level *level, int64_t since_ms)
{
	return (since_ms > window_begin(level, windows_now(engine_windows(s->engine))) + level->bucket_ms);
}

void
origin_partial(const struct site *s, struct buf *out)
{
	const struct level *levels;
	size_t n = windows_levels(engine_windows(s->engine), &levels);

	for (size_t i = 0; i < n; i++)
		if (is_partial(s, &levels[i], s->origin.since_ms))
			buf_printf(out, "%s%s", out->len > 0 ? " " : "", levels[i].name);
}

static void
put_minute(struct buf *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%MZ", &tm);
	buf_puts(out, text);
}

void
origin_sentence(const struct site *s, struct buf *out)
{
	const struct origin *o = &s->origin;
	const struct level *levels;
	size_t n = windows_levels(engine_windows(s->engine), &levels);

	if (!o->is_rebuild)
		return;
	if (o->limit != LIMIT_NONE && o->since_ms > 0 && is_partial(s, &levels[n - 1], o->since_ms)) {
		buf_puts(out, "figures before ");
		put_minute(out, o->since_ms);
		buf_puts(out, " could not be rebuilt: ");
		buf_puts(out, o->limit == LIMIT_SYSLOG ? "lines that came by syslog cannot be read again" :
		    o->limit == LIMIT_JOURNAL ? "the journal of webhooks reaches back no further" : intake_logs(s->intake) > 1 ?
		    "not every log reaches back further" : "no log reaches back further");
	}
	if (o->unread > 0 && is_partial(s, &levels[n - 1], o->rebuilt_ms))
		buf_printf(out, "%s%" PRIu64 " rotated %s could not be read, and what is in %s is missing", out->len > 0 ? "; " : "", o->unread,
		    o->unread == 1 ? "file" : "files", o->unread == 1 ? "it" : "them");
	if (o->keyless > 0 && is_partial(s, &levels[n - 1], o->keyless_ms)) {
		buf_printf(out, "%s%" PRIu64 " %s up to ", out->len > 0 ? "; " : "", o->keyless, o->keyless == 1 ? "order" : "orders");
		put_minute(out, o->keyless_ms);
		buf_puts(out, " can be joined by nothing better than address and browser, whose daily keys are forgotten");
	}
}
