/*
 * status: what a site tells of itself, in rpv:SITE:status.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/hooks.h"
#include "io/intake.h"
#include "io/journal.h"
#include "io/keys.h"
#include "io/quarantine.h"
#include "io/rebuild.h"
#include "io/rules.h"
#include "io/site_impl.h"
#include "io/stream.h"
#include "io/syslog.h"
#include "io/tail.h"
#include "io/tally.h"
#include "store/redis.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "dev"
#endif

#define FIGURES_AHEAD_MS INT64_C(600000)	/* no clock is corrected by more without somebody's doing */

/* Names and values one after the other, as offsets: the buffer moves while it grows. */
struct pairs {
	struct buf bytes;
	size_t *ends, n, cap;
};

static void
put(struct pairs *p, const char *s)
{
	buf_puts(&p->bytes, s);
	mem_grow(&p->ends, &p->cap, p->n + 1, sizeof(*p->ends));
	p->ends[p->n++] = p->bytes.len;
}

static void
put_text(struct pairs *p, const char *name, const char *value)
{
	put(p, name);
	put(p, value);
}

static void
put_number(struct pairs *p, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	put_text(p, name, text);
}

static void
put_time(struct pairs *p, const char *name, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	if (ms <= 0)
		return;
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_text(p, name, text);
}

static void
put_input(struct pairs *p, const struct site *s, const char *kind, size_t no, size_t input)
{
	struct err err;
	char name[32];

	snprintf(name, sizeof(name), "%s_%zu", kind, no);
	put_text(p, name, inputs_problem(s, input, &err) ? err.msg : "ok");
}

void
site_add_progress(const struct site *s, struct replayed *sum)
{
	int64_t event_ms = s->engine != NULL ? engine_clock(s->engine) : INT64_MIN;

	for (size_t i = 0; s->intake != NULL && i < intake_logs(s->intake); i++) {
		struct tail_status t;

		stream_status(intake_stream(s->intake, i), &t);
		sum->read += t.offset;
		sum->size += t.size > t.offset ? t.size : t.offset;
	}
	if (s->env.rebuild && s->rebuild_bytes > 0) {	/* many files are one log */
		uint64_t behind = rebuild_behind(s);

		sum->size = s->rebuild_bytes;
		sum->read = behind < s->rebuild_bytes ? s->rebuild_bytes - behind : 0;
	}
	sum->lines += s->engine != NULL ? engine_counter(s->engine, COUNT_LINES) : 0;
	if (event_ms > 0 && event_ms > sum->event_ms)
		sum->event_ms = event_ms;
}

static void
put_progress(struct pairs *p, struct site *s, uint64_t behind)
{
	bool says = progress_note(&s->progress, s->at_end ? 0 : behind, site_uptime());
	int64_t seconds = progress_seconds(&s->progress, site_uptime());

	put_number(p, "behind_bytes", behind);
	if (s->engine != NULL)
		pace_note(&s->pace, engine_counter(s->engine, COUNT_LINES), site_uptime());
	if (s->progress.is_behind) {
		put_number(p, "catch_up_bytes", s->progress.all);
		put_number(p, "catch_up_lines_per_second", (uint64_t)(s->pace.a_second + 0.5));
	}
	if (seconds >= 0)
		put_number(p, "catch_up_seconds", (uint64_t)seconds);
	if (says && seconds >= 0 && !s->env.replay)
		log_info("site %s: catching up: %llu MB of logs to be read, about %lld s at this rate", s->conf->name,
		    (unsigned long long)(behind >> 20), (long long)seconds);
}

/* What a log turned out to be, where its format is auto. */
static void
put_found(struct pairs *p, struct site *s, size_t i)
{
	unsigned found = stream_found(intake_stream(s->intake, i));
	char name[32];
	struct err text;

	if (found == 0)
		return;
	snprintf(name, sizeof(name), "format_%zu", i + 1);
	rules_found(s->rules, found, &text);
	put_text(p, name, text.msg);
}

static void
put_crowd(struct pairs *p, const struct site *s)
{
	unsigned addresses, percent = crowd_percent(&s->crowd, &addresses);

	put_number(p, "crowd_percent", percent);
	if (percent > 0)
		put_number(p, "crowd_addresses", addresses);
}

/* What came by syslog, and what of it is no line of a log. */
static void
put_syslogs(struct pairs *p, const struct site *s)
{
	struct syslog_counts sum = { 0 }, one;

	for (size_t i = 0; i < s->conf->n_syslogs; i++) {
		syslogs_counts(s->env.syslogs, s->conf->syslogs[i].path, &one);
		sum.lines += one.lines;
		sum.malformed += one.malformed;
		sum.truncated += one.truncated;
		sum.dropped += one.dropped;
	}
	if (s->conf->n_syslogs == 0 || s->env.replay)
		return;
	put_number(p, "syslog_lines", sum.lines);
	put_number(p, "syslog_malformed", sum.malformed);
	put_number(p, "syslog_truncated", sum.truncated);
	put_number(p, "syslog_dropped", sum.dropped);
}

/* How far the logs are behind, in bytes, and what is wrong with any of them. */
static void
put_logs(struct pairs *p, struct site *s)
{
	uint64_t behind = 0, truncations = 0, overlong = 0, nul_bytes = 0, torn = 0, lost = 0;

	for (size_t i = 0; s->intake != NULL && i < intake_logs(s->intake); i++) {
		struct tail_status t;

		stream_status(intake_stream(s->intake, i), &t);
		behind += t.behind;
		truncations += t.truncations;
		overlong += t.overlong;
		nul_bytes += t.nul_bytes;
		torn += t.torn;
		lost += t.lost_bytes;
		put_input(p, s, "log", i + 1, i);
		put_found(p, s, i);
	}
	for (size_t i = 0; i < s->n_orders; i++)
		put_input(p, s, "orders", i + 1, (s->intake != NULL ? intake_logs(s->intake) : 0) + i);
	put_progress(p, s, behind);
	put_crowd(p, s);
	put_syslogs(p, s);
	put_number(p, "truncations", truncations);
	put_number(p, "overlong", overlong);
	put_number(p, "nul_bytes", nul_bytes);
	put_number(p, "torn", torn);
	put_number(p, "lost_bytes", lost);
}

static void
put_journal(struct pairs *p, const struct site *s)
{
	/* Records of other sites change nothing here and ask for no commit. */
	bool idle = s->state == SITE_RUNNING && !s->committing && s->applied == s->n_queued && !engine_is_dirty(s->engine);
	uint64_t taken = idle ? s->journal_queued : s->journal_committed;
	struct quarantine_status q;
	struct journal_status j;

	quarantine_status(hooks_quarantine(s->env.hooks), &q);
	journal_status(s->env.journal, &j);
	put_number(p, "journal_last", j.last);
	put_number(p, "journal_depth", j.last > taken ? j.last - taken : 0);
	put_number(p, "journal_bytes", j.bytes);
	put_number(p, "journal_damaged", j.damaged);
	put_number(p, "journal_cut_bytes", j.cut_bytes);
	put_text(p, "journal", j.problem != NULL ? j.problem : q.problem != NULL ? q.problem : "ok");
	if (j.newest_ms - site_now(s) > CLOCK_SLACK_MS)
		put_number(p, "clock_behind_seconds", (uint64_t)(j.newest_ms - site_now(s)) / 1000);
}

static void
put_pair(void *pairs, const char *name, const char *value)
{
	put_text(pairs, name, value);
}

static void
put_hooks(struct pairs *p, const struct site *s)
{
	struct quarantine_status q;

	quarantine_status(hooks_quarantine(s->env.hooks), &q);
	put_number(p, "quarantine", q.waiting);
	put_number(p, "quarantine_bytes", q.bytes);
	put_number(p, "quarantine_forgotten", q.forgotten);
	tally_put(s->tally, site_now(s), put_pair, p);
	tally_put(hooks_strangers(s->env.hooks), site_now(s), put_pair, p);
}

static void
put_engine(struct pairs *p, const struct site *s)
{
	const struct engine *e = s->engine;
	int64_t now = s->env.replay ? engine_now_ms(e) : site_now(s), clock = engine_clock(e);

	put_time(p, "watermark", clock > engine_watermark_ms(e) ? clock : engine_watermark_ms(e));
	put_time(p, "last_line", clock);
	/* Nothing has come for a while is not the same as being behind. */
	put_number(p, "lag_seconds", !s->at_end && clock > 0 && now > clock ? (uint64_t)(now - clock) / 1000 : 0);
	put_number(p, "visits_in_memory", engine_visits(e));
	put_number(p, "orders_waiting", engine_waiting(e));
	put_number(p, "unconverted", engine_unconverted(e));
	put_number(p, "forgetting", engine_forgetting(e));
	for (enum counter c = 0; c < COUNTERS; c++)
		put_number(p, counter_name(c), engine_counter(e, c));
}

static void
put_clock(struct pairs *p, const struct site *s)
{
	int64_t off = clock_off_ms(s->env.clock), shown = s->engine != NULL && !s->env.replay ? engine_now_ms(s->engine) : 0;

	put_number(p, "clock_step", clock_steps(s->env.clock));
	if (off != 0)
		put_number(p, off > 0 ? "clock_ahead_seconds" : "clock_back_seconds", (uint64_t)(off > 0 ? off : -off) / 1000);
	if (shown - site_now(s) > FIGURES_AHEAD_MS)
		put_number(p, "figures_ahead_seconds", (uint64_t)(shown - site_now(s)) / 1000);
}

/* From where on the figures are whole, and what was lost before. */
static void
put_origin(struct pairs *p, const struct site *s)
{
	struct buf text = { 0 };

	if (s->origin.under_way)
		put_number(p, "rebuild_percent", rebuild_percent(s));
	if (store_is_building(s->store))
		return;			/* the figures that are shown are still the old ones */
	put_time(p, "figures_since", s->origin.since_ms);
	put_time(p, "rebuilt", s->origin.rebuilt_ms);
	origin_partial(s, &text);
	buf_putc(&text, '\0');
	if (text.len > 1)
		put_text(p, "partial_windows", text.p);
	text.len = 0;
	origin_sentence(s, &text);
	buf_putc(&text, '\0');
	if (text.len > 1)
		put_text(p, "rebuild", text.p);
	buf_free(&text);
}

/* Those that have figures, which are still others while a new state is built, or where the state is refused. */
static void
put_windows(struct pairs *p, const struct site *s)
{
	struct buf names = { 0 };

	store_windows(s->store, &names);
	buf_putc(&names, '\0');
	put_text(p, "windows", names.p);
	buf_free(&names);
}

static void
put_redis(struct pairs *p, const struct redis_info *info)
{
	struct err text;

	redis_info_persistence(info, &text);
	put_text(p, "redis_persistence", text.msg);
	if (!info->known)
		return;
	err_set(&text, "%s %s%s", info->software, info->version, info->cluster ? ", cluster" : "");
	put_text(p, "redis", text.msg);
	redis_info_memory(info, &text);
	put_text(p, "redis_memory", text.msg);
	put_number(p, "redis_memory_percent", info->max > 0 ? info->used * 100 / info->max : 0);
	if (redis_info_evicts(info))
		put_text(p, "redis_eviction", info->eviction);
}

static const char *
state_of(const struct site *s)
{
	if (s->stopped)
		return ("stopped");
	if (s->problem[0] != '\0')
		return (s->problem);
	if (s->state == SITE_RUNNING && (s->origin.under_way || store_is_building(s->store)))
		return (store_is_building(s->store) ? "rebuilding; the figures are those from before" : "rebuilding");
	return (s->env.replay ? "replayed" : s->at_end ? "live" : "catching up");
}

/* What is in the way of the status cannot be told there. */
static void
on_status(struct redisReply *r, void *arg)
{
	struct site *s = arg;

	if (r != NULL && r->type == REDIS_REPLY_ERROR && log_limit(&s->last_status_error, 60))
		log_error("redis: key rpv:%s:status not written: %.100s%s", s->conf->name, r->str, strstr(r->str, "WRONGTYPE") != NULL ?
		    "; another program's key is in the way: remove or rename it" : "");
}

void
site_publish_status(struct site *s)
{
	struct pairs p = { 0 };
	struct slice *slices;
	size_t at = 0;

	put_text(&p, "version", PACKAGE_VERSION);
	put_text(&p, "state", state_of(s));
	put_time(&p, "updated", site_now(s));
	put_time(&p, "started", s->begun_ms);
	put_windows(&p, s);
	if (s->engine != NULL)
		put_engine(&p, s);
	if (s->engine != NULL && s->state == SITE_RUNNING)
		put_origin(&p, s);
	put_logs(&p, s);
	put_journal(&p, s);
	put_redis(&p, redis_info(s->redis));
	put_number(&p, "commits", s->commits);
	put_number(&p, "redis_rewinds", s->rewinds);
	put_number(&p, "redis_lost", s->redis_lost);
	put_number(&p, "state_refused", s->state_refused);
	put_number(&p, "public_refused", s->public_refused);
	put_text(&p, "public_keys", s->public_problem[0] != '\0' ? s->public_problem : "ok");
	put_number(&p, "input_faults", s->input_faults);
	put_number(&p, "log_dropped", log_drops());
	put_clock(&p, s);
	if (keys_failed(s->keys) != NULL)
		put_text(&p, "keys", keys_failed(s->keys));
	put_hooks(&p, s);
	slices = mem_calloc(p.n, sizeof(*slices));
	for (size_t i = 0; i < p.n; at = p.ends[i++])
		slices[i] = slice_make(p.bytes.p + at, p.ends[i] - at);
	publish_status(s->redis, s->conf->name, slices, p.n, on_status, s);
	free(slices);
	free(p.ends);
	buf_free(&p.bytes);
}

bool
site_has_problem(const struct site *s)
{
	return (s->problem[0] != '\0');
}

void
site_sentence(const struct site *s, char *out, size_t room)
{
	if (s->problem[0] != '\0')
		snprintf(out, room, "%s: %s", s->conf->name, s->problem);
	else if (s->engine == NULL || s->state != SITE_RUNNING)
		snprintf(out, room, "%s: loading", s->conf->name);
	else
		snprintf(out, room, "%s: %llu lines, %llu visits, %llu orders", s->conf->name,
		    (unsigned long long)engine_counter(s->engine, COUNT_LINES), (unsigned long long)engine_counter(s->engine, COUNT_VISITS),
		    (unsigned long long)engine_counter(s->engine, COUNT_ORDERS));
}
