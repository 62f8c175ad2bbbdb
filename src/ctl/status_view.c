/*
 * status_view: see status_view.h.
 *
 * Two tables: which field stands where under which words, and what is wrong when.
 */
#include "ctl/status_view.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

#define SILENT_MS (15 * INT64_C(1000))	/* rpvd writes its status once a second */
#define QUIET_MS (6 * INT64_C(3600000))
#define LABEL_WIDTH 34

enum group { G_STATE, G_LOGS, G_HITS, G_ORDERS, G_WEBHOOKS, G_JOURNAL, G_REDIS, G_OTHER, GROUPS };

static const char *const group_heads[GROUPS] = {
	"State", "Logs", "Hits", "Orders", "Webhooks", "Journal of webhooks", "Redis", "Other",
};

/* A name that ends in '*' stands for all that begin so; first match. */
static const struct entry {
	enum group group;
	const char *name, *label;
	bool if_any;			/* left out where it is 0 */
} entries[] = {
	{ G_STATE, "state", "state", false },
	{ G_STATE, "version", "version of rpvd", false },
	{ G_STATE, "updated", "as of", false },
	{ G_STATE, "started", "running since", false },
	{ G_STATE, "watermark", "logs are read up to", false },
	{ G_STATE, "last_line", "latest line's time", false },
	{ G_STATE, "lag_seconds", "seconds behind", true },
	{ G_STATE, "commits", "commits since the start", false },
	{ G_STATE, "visits_in_memory", "visits in memory", false },
	{ G_STATE, "keys", "daily keys", false },
	{ G_STATE, "rebuild_percent", "rebuilt so far, per cent", false },
	{ G_STATE, "windows", "windows", false },
	{ G_STATE, "figures_since", "figures begin at", false },
	{ G_STATE, "partial_windows", "windows that reach back further", false },
	{ G_STATE, "rebuilt", "made anew", false },
	{ G_STATE, "rebuild", "missing since then", false },
	{ G_STATE, "visits_early", "visits that left memory early", true },
	{ G_STATE, "visits_unkept", "visits not kept for later orders", true },
	{ G_STATE, "series_merged", "series summed into (other)", true },
	{ G_STATE, "pages_over", "pageviews beyond 500 of a visit", true },
	{ G_STATE, "damaged", "unreadable records", true },
	{ G_STATE, "clock_step", "steps of the clock since the start", true },
	{ G_STATE, "clock_ahead_seconds", "seconds that the clock leapt ahead", true },
	{ G_STATE, "clock_back_seconds", "seconds that the clock leapt back", true },
	{ G_STATE, "figures_ahead_seconds", "seconds that the figures are ahead", true },
	{ G_STATE, "clock_behind_seconds", "seconds that the clock is behind", true },
	{ G_STATE, "log_dropped", "log lines that nobody took", true },
	{ G_LOGS, "log_*", "log ", false },
	{ G_LOGS, "format_*", "found format of log ", false },
	{ G_LOGS, "lines", "lines read", false },
	{ G_LOGS, "input_faults", "times that one could not be read", true },
	{ G_LOGS, "behind_bytes", "bytes still to be read", true },
	{ G_LOGS, "catch_up_bytes", "bytes since it fell behind", true },
	{ G_LOGS, "catch_up_lines_per_second", "lines a second", true },
	{ G_LOGS, "catch_up_seconds", "seconds until they are, about", true },
	{ G_LOGS, "syslog_lines", "lines by syslog since the start", false },
	{ G_LOGS, "syslog_malformed", "messages without a header", true },
	{ G_LOGS, "syslog_truncated", "messages over 64 KiB", true },
	{ G_LOGS, "syslog_dropped", "messages that the kernel dropped", true },
	{ G_LOGS, "late", "late lines", true },
	{ G_LOGS, "truncations", "truncations", true },
	{ G_LOGS, "lost_bytes", "bytes lost", true },
	{ G_LOGS, "overlong", "lines over 64 KiB", true },
	{ G_LOGS, "torn", "torn lines", true },
	{ G_LOGS, "nul_bytes", "NUL bytes", true },
	{ G_HITS, "visits", "visits", false },
	{ G_HITS, "pageviews", "pageviews", false },
	{ G_HITS, "bot", "bots", true },
	{ G_HITS, "bot_*", "  bots, ", true },
	{ G_HITS, "evidence_robots", "visits that asked for robots.txt", true },
	{ G_HITS, "evidence_no_assets", "visits without any picture or style", true },
	{ G_HITS, "evidence_rate", "visits faster than a person", true },
	{ G_HITS, "evidence_errors", "visits of little but errors", true },
	{ G_HITS, "evidence_hosting", "visits from hosters' networks", true },
	{ G_HITS, "asset", "images, styles, scripts", true },
	{ G_HITS, "status", "status not 2xx or 304", true },
	{ G_HITS, "method", "method not GET", true },
	{ G_HITS, "ignored_path", "ignored paths", true },
	{ G_HITS, "spam_referrer", "referrer spam", true },
	{ G_HITS, "ignored_network", "ignored networks", true },
	{ G_HITS, "no_visitor", "nobody's: no cookie, no address", true },
	{ G_HITS, "crowd_percent", "visits from a few addresses, %", true },
	{ G_HITS, "crowd_addresses", "those addresses", true },
	{ G_HITS, "empty", "empty lines, and headers", true },
	{ G_HITS, "malformed", "lines not of the format", true },
	{ G_HITS, "bad_time", "lines without a time", true },
	{ G_HITS, "bad_status", "lines without a status", true },
	{ G_HITS, "future", "lines dated in the future", true },
	{ G_HITS, "adopted", "visits that got their cookie late", true },
	{ G_HITS, "tokens", "tokens seen", true },
	{ G_HITS, "email_names", "names with an e-mail address", true },
	{ G_ORDERS, "orders", "orders paid", false },
	{ G_ORDERS, "joined_visitor", "joined by visitor cookie", true },
	{ G_ORDERS, "joined_token", "joined by token", true },
	{ G_ORDERS, "joined_ip_ua", "joined by address and browser", true },
	{ G_ORDERS, "joined_customer", "joined by customer", true },
	{ G_ORDERS, "orders_waiting", "waiting for a visit that fits", true },
	{ G_ORDERS, "unconverted", "in a currency without a rate", true },
	{ G_ORDERS, "over_sums", "beyond what a sum can hold", true },
	{ G_ORDERS, "forgetting", "persons to be forgotten", true },
	{ G_ORDERS, "forgotten", "persons forgotten", true },
	{ G_ORDERS, "orders_*", "order file ", false },
	{ G_ORDERS, "events", "events taken", false },
	{ G_ORDERS, "no_change", "told before", true },
	{ G_ORDERS, "conflict", "told otherwise than before", true },
	{ G_ORDERS, "zero_amount", "over nothing", true },
	{ G_ORDERS, "other_currency", "in another currency than the order", true },
	{ G_ORDERS, "absurd", "absurd", true },
	{ G_ORDERS, "events_rejected", "unreadable lines of order files", true },
	{ G_WEBHOOKS, "webhook_*", "", false },
	{ G_WEBHOOKS, "request_*", "nobody's: ", true },
	{ G_WEBHOOKS, "quarantine", "signed, not understood: kept", true },
	{ G_WEBHOOKS, "quarantine_bytes", "bytes of them", true },
	{ G_WEBHOOKS, "quarantine_forgotten", "gone without being understood", true },
	{ G_JOURNAL, "journal_last", "events ever", false },
	{ G_JOURNAL, "journal_depth", "not yet in Redis", false },
	{ G_JOURNAL, "journal_bytes", "bytes", false },
	{ G_JOURNAL, "journal_damaged", "damaged", true },
	{ G_JOURNAL, "journal_cut_bytes", "bytes of an unfinished write", true },
	{ G_JOURNAL, "journal", "writing", false },
	{ G_REDIS, "redis", "version of Redis", false },
	{ G_REDIS, "redis_memory", "its memory", false },
	{ G_REDIS, "redis_memory_percent", "percent of its maxmemory", true },
	{ G_REDIS, "redis_eviction", "keys may be evicted", false },
	{ G_REDIS, "redis_rewinds", "times it lost its last commits", true },
	{ G_REDIS, "redis_lost", "times it could not be reached", true },
	{ G_REDIS, "state_refused", "times it refused the state", true },
	{ G_REDIS, "public_refused", "times it refused public keys", true },
	{ G_REDIS, "public_keys", "public keys", false },
	{ G_REDIS, "redis_persistence", "kept over its crash", false },
	{ G_OTHER, "*", "", false },
};

/* ---- fields ------------------------------------------------------------------ */

static struct slice
field(const struct status *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (slice_is(s->fields[i].name, name))
			return (s->fields[i].value);
	return (slice_make(NULL, 0));
}

static uint64_t
number_of(struct slice text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	return (n);
}

static uint64_t
number(const struct status *s, const char *name)
{
	return (number_of(field(s, name)));
}

/* INT64_MIN where it is no published time. */
static int64_t
time_of(struct slice text)
{
	char copy[32] = "";
	struct tm tm = { 0 };
	const char *end;

	if (text.len == 0 || text.len >= sizeof(copy))
		return (INT64_MIN);
	memcpy(copy, text.p, text.len);
	end = strptime(copy, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return (end != NULL && *end == '\0' ? (int64_t)timegm(&tm) * 1000 : INT64_MIN);
}

/* ---- what is wrong ------------------------------------------------------------- */

static void
put_value(struct buf *out, struct slice text)
{
	table_safe(out, text);
}

static void
complain_state(const struct status *s, int64_t now_ms, struct buf *out)
{
	static const char *const fine[] = { "live", "replayed", "catching up", "rebuilding" };
	struct slice state = field(s, "state");
	int64_t updated = time_of(field(s, "updated"));
	bool is_fine = false;

	for (size_t i = 0; i < N_ELEM(fine); i++)
		is_fine |= slice_is(state, fine[i]);
	if (!is_fine) {
		put_value(out, state);
		buf_putc(out, '\n');
	}
	if (!slice_is(state, "replayed") && updated != INT64_MIN && now_ms - updated > SILENT_MS)
		buf_printf(out, "Nothing was heard from rpvd for %" PRId64 " seconds: it is stopped, or cannot go on.  See its log:"
		    " journalctl -u rpvd\n", (now_ms - updated) / 1000);
}

/* log_1, orders_2: of one log or order file. */
static bool
is_input(struct slice name)
{
	struct slice kind = slice_cut(&name, '_');

	if (!slice_is(kind, "log") && !slice_is(kind, "orders"))
		return (false);
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] < '0' || name.p[i] > '9')
			return (false);
	return (name.len > 0);
}

static void
complain_step(uint64_t seconds, const char *where, struct buf *out)
{
	if (seconds > 0)
		buf_printf(out, "This machine's clock leapt %" PRIu64 " days %02" PRIu64 ":%02" PRIu64 " %s, which is believed after an hour, or a"
		    " minute after a boot: set it, if it is wrong.\n", seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, where);
}

static void
complain_clock(const struct status *s, struct buf *out)
{
	complain_step(number(s, "clock_ahead_seconds"), "ahead", out);
	complain_step(number(s, "clock_back_seconds"), "back", out);
	if (number(s, "figures_ahead_seconds") > 0)
		buf_printf(out, "The figures are those of a time that comes in %" PRIu64 " s, and stand still until then: this machine's clock was"
		    " ahead.  When it is right, rpvd --rebuild-later and a reload make them anew.\n", number(s, "figures_ahead_seconds"));
	if (number(s, "clock_behind_seconds") > 0)
		buf_printf(out, "This machine's clock is %" PRIu64 " s behind what it was when the last webhook came: set it, and see that"
		    " it is set at boot.\n", number(s, "clock_behind_seconds"));
}

/* Fields that say "ok", or in a sentence what is wrong. */
static void
complain_inputs(const struct status *s, struct buf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		struct slice name = s->fields[i].name, value = s->fields[i].value;

		if ((!is_input(name) && !slice_is(name, "keys") && !slice_is(name, "public_keys")) || slice_is(value, "ok"))
			continue;
		if (slice_is(name, "public_keys"))
			buf_puts(out, "Public keys cannot be written: ");
		put_value(out, value);
		buf_putc(out, '\n');
	}
}

/* "figures before ... could not be rebuilt", as a sentence. */
static void
complain_rebuild(const struct status *s, struct buf *out)
{
	struct slice text = field(s, "rebuild");

	if (text.len == 0)
		return;
	buf_putc(out, text.p[0] >= 'a' && text.p[0] <= 'z' ? (char)(text.p[0] - 32) : text.p[0]);
	put_value(out, slice_skip(text, 1));
	buf_puts(out, ".\n");
}

/* Any web server that the world can reach is visited by robots all day. */
static void
complain_silence(const struct status *s, struct buf *out)
{
	int64_t updated = time_of(field(s, "updated")), last = time_of(field(s, "last_line"));

	if (slice_is(field(s, "state"), "live") && last != INT64_MIN && updated - last > QUIET_MS)
		buf_printf(out, "The logs have had no line for %" PRId64 " hours: is the web server's disk full, or does it log to another file?\n",
		    (updated - last) / 3600000);
}

/* A share of the lines that is more than the odd broken one. */
static void
put_count(struct buf *out, uint64_t n, const char *one, const char *many, const char *rest)
{
	table_count(out, n, one, many);
	buf_puts(out, rest);
}

static void
complain_lines(const struct status *s, struct buf *out)
{
	uint64_t lines = number(s, "lines"), bots = number(s, "bot"), hits = lines > bots ? lines - bots : 0;
	uint64_t unread = number(s, "malformed") + number(s, "bad_time") + number(s, "bad_status");

	if (unread * 50 > lines)
		buf_printf(out, "%" PRIu64 " of %" PRIu64 " log lines could not be read: is `format` in rpvd.conf the web server's?\n",
		    unread, lines);
	if (number(s, "no_visitor") * 10 > hits)
		put_count(out, number(s, "no_visitor"), "hit is", "hits are", " nobody's: the log has none of the identities that `visitor` names.\n");
	if (lines > 1000 && number(s, "pageviews") == 0)
		buf_puts(out, "No line is a pageview: see below what became of them.\n");
	if (number(s, "late") * 50 > lines)
		put_count(out, number(s, "late"), "log line", "log lines", " came late, and split no visit: set `reorder` a little above the log's flush=.\n");
	if (number(s, "future") > 0)
		put_count(out, number(s, "future"), "log line is", "log lines are", " dated more than a day ahead, and left out: is this machine's"
		    " clock right, and the web server's?\n");
	if (number(s, "lost_bytes") > 0)
		put_count(out, number(s, "lost_bytes"), "byte of the logs was", "bytes of the logs were", " lost: truncated or removed, and not read before.\n");
}

/* Lines that came by datagram, and are in no figure. */
static void
complain_syslog(const struct status *s, struct buf *out)
{
	uint64_t dropped = number(s, "syslog_dropped"), malformed = number(s, "syslog_malformed"), truncated = number(s, "syslog_truncated");

	if (dropped > 0)
		buf_printf(out, "%" PRIu64 " log lines that came by syslog were dropped by the kernel since rpvd's start, for too many came at once"
		    " or Redis was away: raise net.core.rmem_max, or have the web server log to a file.\n", dropped);
	if (malformed > 0)
		buf_printf(out, "%" PRIu64 " messages had no syslog header, and count nowhere: have only the web server send to that address, by RFC"
		    " 3164 or 5424.\n", malformed);
	if (truncated > 0)
		buf_printf(out, "%" PRIu64 " messages by syslog were longer than 64 KiB, and count nowhere.\n", truncated);
}

static void
complain_crowd(const struct status *s, struct buf *out)
{
	uint64_t addresses = number(s, "crowd_addresses");

	if (number(s, "crowd_percent") == 0)
		return;
	buf_printf(out, "%" PRIu64 "%% of the last day's visits that are known by address and browser come from %" PRIu64 " address%s: the log"
	    " very likely shows a proxy's.  Have the web server log the client's (nginx: set_real_ip_from, real_ip_header), or add"
	    " $http_x_forwarded_for to the log and set `trusted_proxies`.\n", number(s, "crowd_percent"), addresses, addresses == 1 ? "" : "es");
}

static bool
is_mail_byte(char c)
{
	c = ascii_lower(c);
	return ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '+');
}

/* LOCAL@HOST.TLD; a page's name has other escapes than those of plain bytes, so the @ may be one. */
bool
status_is_email(struct slice name)
{
	for (size_t i = 1; i < name.len; i++) {
		struct slice host = slice_skip(name, i);
		size_t n = 0, dot = 0;

		if (!is_mail_byte(name.p[i - 1]) || (host.p[0] != '@' && !slice_starts(host, SLICE("%40"))))
			continue;
		host = slice_skip(host, host.p[0] == '@' ? 1 : 3);
		for (; n < host.len && is_mail_byte(host.p[n]); n++)
			if (host.p[n] == '.' && n > 0)
				dot = n;
		if (dot > 0 && n - dot > 2)
			return (true);
	}
	return (false);
}

static void
complain_names(const struct status *s, struct buf *out)
{
	if (number(s, "email_names") > 0)
		put_count(out, number(s, "email_names"), "name of a page, campaign or source has", "names of pages, campaigns or sources have",
		    " an e-mail address inside, for everyone to read who sees the figures: group such pages with `page` in rpvd.conf, and keep"
		    " addresses out of utm parameters.\n");
}

static void
complain_orders(const struct status *s, struct buf *out)
{
	uint64_t joined = number(s, "joined_visitor") + number(s, "joined_token") + number(s, "joined_ip_ua") + number(s, "joined_customer");

	if (number(s, "orders") >= 10 && joined * 2 < number(s, "orders"))
		buf_printf(out, "Only %" PRIu64 " of %" PRIu64 " orders could be joined to a visit: revenue per visit is told too low."
		    "  See rpvd(8), JOINS.\n", joined, number(s, "orders"));
	if (number(s, "over_sums") > 0)
		buf_puts(out, "Orders came that no sum could hold, with those that count already, and were kept out of the figures: is a rate, or an"
		    " amount, wrong by millions?\n");
	if (number(s, "unconverted") > 0)
		put_count(out, number(s, "unconverted"), "order is", "orders are", " in a currency without a rate, and left out: see `rates` in rpvd.conf(5).\n");
	if (number(s, "events_rejected") > 0)
		put_count(out, number(s, "events_rejected"), "line", "lines", " of order files could not be read; rpvd's log has the first.\n");
	if (number(s, "other_currency") > 0)
		put_count(out, number(s, "other_currency"), "refund or dispute was", "refunds or disputes were", " in another currency than the order, and left out.\n");
	if (number(s, "damaged") > 0)
		put_count(out, number(s, "damaged"), "record", "records", " of the state in Redis could not be read.\n");
	if (number(s, "journal_damaged") > 0)
		put_count(out, number(s, "journal_damaged"), "record of the webhook journal is", "records of the webhook journal are", " damaged: is the disk?\n");
}

/* A Redis that works, but might not tomorrow. */
static void
complain_redis(const struct status *s, struct buf *out)
{
	struct slice persistence = field(s, "redis_persistence");

	if (slice_starts(persistence, SLICE("none")))
		buf_puts(out, "Redis keeps nothing on disk: when it ends, everything has to be made anew from the logs and the journal, as far "
		    "as they reach back.  Set appendonly yes in redis.conf.\n");
	else if (slice_starts(persistence, SLICE("Redis cannot"))) {
		put_value(out, persistence);
		buf_putc(out, '\n');
	}
	if (number(s, "redis_memory_percent") >= 90)
		buf_printf(out, "Redis is nearly full (%" PRIu64 "%% of its maxmemory): at 100%% nothing more is counted until there is room.\n",
		    number(s, "redis_memory_percent"));
	if (field(s, "redis_eviction").len > 0)
		buf_puts(out, "Redis may evict keys, orders and positions among them: set maxmemory-policy noeviction in redis.conf.\n");
}

/* "webhook_PROVIDER_STATUS_REASON" */
static const struct { const char *reason; bool was; const char *sentence; } refusals[] = {
	{ "bad_signature", true, "signed with another secret: is the secret file that of this endpoint?" },
	{ "missing_signature", false, "had no signature: someone else's, or the web server drops headers." },
	{ "timestamp_too_old", true, "signed too long ago: is this machine's clock right?" },
	{ "timestamp_too_new", true, "signed in the future: is this machine's clock right?" },
	{ "bad_body", true, "signed, but could not be understood." },
	{ "not_stored", false, "could not be written to the journal; the provider sends again.  Is the disk full?" },
	{ "test_mode", true, "of the provider's test mode, and not counted." },
	{ "wrong_account", true, "of another seller: is seller_id right?  Else somebody knows the address." },
	{ "no_certificate", false, "came before the certificate that rpvd fetches; the provider sends again.  Where rpvd may not reach the network, "
	    "set certificate_file." },
	{ "bad_certificate_url", false, "named a certificate that is not the provider's: forged." },
	{ "needs_api", false, "told that money moved, but not how much: let the shop send generic events, or an order file." },
	{ "partial_amount_unknown", false, "told of a partial refund without its amount: tell it in an order file." },
	{ "not_represented", false, "told that refunded money came back to the shop: the figures still count it as refunded." },
};

/* "webhook_PROVIDER_..." */
static void
complain_webhook(struct slice provider, struct slice what, struct slice value, struct buf *out)
{
	struct slice status, reason = what;

	if (slice_is(what, "clock")) {
		put_value(out, value);
		buf_putc(out, '\n');
	} else if (slice_is(what, "hint")) {
		buf_puts(out, "Webhooks of ");
		put_value(out, provider);
		buf_puts(out, " do not fit their signatures: ");
		put_value(out, value);
		buf_puts(out, ".\n");
	} else if (slice_is(what, "conflict")) {
		put_count(out, number_of(value), "event", "events", " of ");
		put_value(out, provider);
		buf_puts(out, " told another amount than before of an order or refund that is known; what came first counts.\n");
	} else if (slice_starts(what, SLICE("secret_")) && slice_ends(what, SLICE("_unused_days"))) {
		buf_printf(out, "Secret %" PRIu64 " of ", number_of(slice_skip(what, 7)));
		put_value(out, provider);
		buf_printf(out, " was not used for %" PRIu64 " days: where it was replaced, take it out of the secret file.\n", number_of(value));
	}
	status = slice_cut(&reason, '_');
	if (number_of(status) == 0)
		return;
	for (size_t k = 0; k < N_ELEM(refusals); k++)
		if (slice_is(reason, refusals[k].reason)) {
			put_count(out, number_of(value), "webhook", "webhooks", " of ");
			put_value(out, provider);
			buf_printf(out, " %s%s\n", !refusals[k].was ? "" : number_of(value) == 1 ? "was " : "were ", refusals[k].sentence);
		}
}

static void
complain_webhooks(const struct status *s, struct buf *out)
{
	struct slice journal = field(s, "journal");

	if (journal.len > 0 && !slice_is(journal, "ok")) {
		buf_puts(out, "The webhook journal cannot be written, so webhooks are refused, and not every provider sends again: ");
		put_value(out, journal);
		buf_putc(out, '\n');
	}
	for (size_t i = 0; i < s->n; i++) {
		struct slice what = s->fields[i].name, provider;

		if (!slice_is(slice_cut(&what, '_'), "webhook"))
			continue;
		provider = slice_cut(&what, '_');
		complain_webhook(provider, what, s->fields[i].value, out);
	}
	if (number(s, "quarantine") > 0)
		put_count(out, number(s, "quarantine"), "signed webhook waits for a version of rpvd that understands it",
		    "signed webhooks wait for a version of rpvd that understands them", "; `rpvctl journal --quarantine` says what is wrong.\n");
}

void
status_complaints(const struct status *s, int64_t now_ms, struct buf *out)
{
	complain_state(s, now_ms, out);
	complain_clock(s, out);
	complain_inputs(s, out);
	complain_rebuild(s, out);
	complain_silence(s, out);
	complain_lines(s, out);
	complain_crowd(s, out);
	complain_syslog(s, out);
	complain_names(s, out);
	complain_orders(s, out);
	complain_webhooks(s, out);
	complain_redis(s, out);
}

/* ---- groups ---------------------------------------------------------------------- */

static bool
entry_fits(const struct entry *e, struct slice name, struct slice *rest)
{
	size_t len = strlen(e->name);

	if (e->name[len - 1] != '*') {
		*rest = slice_make(NULL, 0);
		return (slice_is(name, e->name));
	}
	if (!slice_starts(name, slice_make(e->name, len - 1)))
		return (false);
	*rest = slice_skip(name, len - 1);
	return (true);
}

static const struct entry *
entry_of(struct slice name, struct slice *rest)
{
	for (size_t i = 0; i < N_ELEM(entries); i++)
		if (entry_fits(&entries[i], name, rest))
			return (&entries[i]);
	return (NULL);			/* the last one fits all */
}

static void
put_words(struct buf *label, struct slice words)
{
	for (size_t i = 0; i < words.len; i++)
		if (words.p[i] == '_')
			buf_putc(label, ' ');
		else
			put_value(label, slice_make(words.p + i, 1));
}

/* "stripe_200_same_money" as "stripe: 200 same money" */
static void
put_webhook(struct buf *label, struct slice rest)
{
	put_value(label, slice_cut(&rest, '_'));
	buf_puts(label, ": ");
	put_words(label, rest);
}

static void
put_line(struct buf *out, const struct entry *e, struct slice rest, struct slice value)
{
	struct buf label = { 0 }, text = { 0 };

	buf_puts(&label, e->label);
	if (e->group == G_WEBHOOKS && e->label[0] == '\0')
		put_webhook(&label, rest);
	else if (e->group == G_WEBHOOKS)
		put_words(&label, rest);
	else
		put_value(&label, rest);
	buf_put(&text, value.p, value.len);
	buf_putc(&text, '\0');
	buf_printf(out, "  %-*.*s  ", LABEL_WIDTH, SLICE_FMT(buf_view(&label)));
	if (time_of(value) != INT64_MIN)
		ctl_put_time(out, text.p);
	else
		put_value(out, value);
	buf_putc(out, '\n');
	buf_free(&label);
	buf_free(&text);
}

/* The fields of one entry; those of a pattern by name. */
static void
put_entry(const struct status *s, const struct entry *e, struct buf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		struct slice rest;

		if (entry_of(s->fields[i].name, &rest) == e && !(e->if_any && slice_is(s->fields[i].value, "0")))
			put_line(out, e, rest, s->fields[i].value);
	}
}

static void
put_group(const struct status *s, enum group group, struct buf *out)
{
	struct buf lines = { 0 };

	for (size_t i = 0; i < N_ELEM(entries); i++)
		if (entries[i].group == group)
			put_entry(s, &entries[i], &lines);
	if (lines.len > 0) {
		buf_printf(out, "\n%s\n", group_heads[group]);
		buf_put(out, lines.p, lines.len);
	}
	buf_free(&lines);
}

/* How far a daemon is that reads what it has not read yet. */
static void
put_catch_up(const struct status *s, struct buf *out)
{
	uint64_t all = number(s, "catch_up_bytes"), behind = number(s, "behind_bytes");

	if (all == 0 || behind > all)
		return;
	buf_printf(out, "%s: %" PRIu64 "%% of %.1f MB of logs read, %" PRIu64 " lines/s", slice_is(field(s, "state"), "live") ? "Reading" : "Catching up",
	    (all - behind) * 100 / all, (double)all / 1e6, number(s, "catch_up_lines_per_second"));
	if (field(s, "catch_up_seconds").len > 0)
		buf_printf(out, ", about %" PRIu64 " s left", number(s, "catch_up_seconds"));
	if (time_of(field(s, "last_line")) != INT64_MIN) {
		char *time = mem_strndup(field(s, "last_line").p, field(s, "last_line").len);

		buf_puts(out, ", at ");
		ctl_put_time(out, time);
		free(time);
	}
	buf_puts(out, "\n");
}

void
status_write(const struct status *s, const char *site, int64_t now_ms, struct buf *out)
{
	struct buf complaints = { 0 };

	status_complaints(s, now_ms, &complaints);
	buf_printf(out, "%s: ", site);
	if (complaints.len == 0) {
		buf_puts(out, "all is well\n");
	} else {
		buf_puts(out, "something wants attention\n\n");
		for (struct slice rest = buf_view(&complaints); rest.len > 0;) {
			struct slice line = slice_cut(&rest, '\n');

			buf_printf(out, "* %.*s\n", SLICE_FMT(line));
		}
	}
	put_catch_up(s, out);
	for (enum group g = 0; g < GROUPS; g++)
		put_group(s, g, out);
	buf_free(&complaints);
}
