/*
 * Tests of ctl/status_view: what is wrong is said, what is not is not, and no field is lost.
 */
#include "ctl/status_view.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NOW INT64_C(1772448000000)	/* 2026-03-02T10:40:00Z */
#define FIELDS_MAX 24

/* "name=value name=value"; '+' is a blank. */
static size_t
read_fields(char *text, struct status_field fields[FIELDS_MAX])
{
	struct slice rest = slice_of(text);
	size_t n = 0;

	for (char *p = text; *p != '\0'; p++)
		if (*p == '+')
			*p = ' ';
		else if (*p == ' ')
			*p = '\n';
	while (rest.len > 0) {
		struct slice value = slice_cut(&rest, '\n'), name = slice_cut(&value, '=');

		ck_assert_uint_lt(n, FIELDS_MAX);
		fields[n++] = (struct status_field){ name, value };
	}
	return (n);
}

#define WELL "state=live updated=2026-03-02T10:40:00Z "

static const struct { const char *why, *fields, *said; } complaints[] = {
	{ "all is well", WELL "lines=1000 bot=500 pageviews=300 orders=12 joined_token=11 log_1=ok", "" },
	{ "nothing has come yet", WELL "lines=0 bot=0 pageviews=0 orders=0", "" },
	{ "a replay is over: nobody expects to hear more", "state=replayed updated=2026-01-01T00:00:00Z", "" },
	{ "a problem is its own sentence", "state=Redis:+out+of+memory updated=2026-03-02T10:40:00Z", "Redis: out of memory\n" },
	{ "rpvd is gone", "state=live updated=2026-03-02T10:39:00Z",
	    "Nothing was heard from rpvd for 60 seconds: it is stopped, or cannot go on.  See its log: journalctl -u rpvd\n" },
	{ "a log's own words", WELL "log_1=ok log_2=/x:+may+not+be+read", "/x: may not be read\n" },
	{ "an order file's too", WELL "orders_1=/o:+no+such+file orders_waiting=5", "/o: no such file\n" },
	{ "other fields that begin like an input's", WELL "log_1=ok log_dropped=0 orders_waiting=5", "" },
	{ "keys", WELL "keys=cannot+be+written", "cannot be written\n" },
	{ "what is not said in words of ours", WELL "log_1=a\x1b[2Jb", "a\\x1b[2Jb\n" },
	{ "a broken line in a hundred is nothing", WELL "lines=100 malformed=1 bad_time=1", "" },
	{ "three are another format", WELL "lines=100 malformed=2 bad_status=1",
	    "3 of 100 log lines could not be read: is `format` in rpvd.conf the web server's?\n" },
	{ "bots are not asked for their cookie", WELL "lines=100 bot=80 no_visitor=2", "" },
	{ "people are", WELL "lines=100 bot=80 no_visitor=3",
	    "3 hits are nobody's: the log has none of the identities that `visitor` names.\n" },
	{ "no pageview among many lines", WELL "lines=1001 pageviews=0",
	    "No line is a pageview: see below what became of them.\n" },
	{ "names that tell who somebody is", WELL "email_names=2",
	    "2 names of pages, campaigns or sources have an e-mail address inside, for everyone to read who sees the figures: group such"
	    " pages with `page` in rpvd.conf, and keep addresses out of utm parameters.\n" },
	{ "none do", WELL "email_names=0", "" },
	{ "late lines", WELL "lines=100 pageviews=1 late=3",
	    "3 log lines came late, and split no visit: set `reorder` a little above the log's flush=.\n" },
	{ "the proxy's address in place of the clients'", WELL "crowd_percent=97 crowd_addresses=2",
	    "97% of the last day's visits that are known by address and browser come from 2 addresses: the log very likely shows a proxy's."
	    "  Have the web server log the client's (nginx: set_real_ip_from, real_ip_header), or add $http_x_forwarded_for to the log and"
	    " set `trusted_proxies`.\n" },
	{ "visitors from everywhere", WELL "crowd_percent=0", "" },
	{ "a quiet night", WELL "last_line=2026-03-02T05:00:00Z", "" },
	{ "a silent log", WELL "last_line=2026-03-02T03:00:00Z",
	    "The logs have had no line for 7 hours: is the web server's disk full, or does it log to another file?\n" },
	{ "lines from the future", WELL "lines=100 pageviews=1 future=2",
	    "2 log lines are dated more than a day ahead, and left out: is this machine's clock right, and the web server's?\n" },
	{ "what a rebuild could not bring back", WELL "rebuild=figures+before+2026-03-02T10:00Z+could+not+be+rebuilt:+no+log+reaches+back+further",
	    "Figures before 2026-03-02T10:00Z could not be rebuilt: no log reaches back further.\n" },
	{ "figures from before are shown, and that is told", "state=rebuilding;+the+figures+are+those+from+before updated=2026-03-02T10:40:00Z",
	    "rebuilding; the figures are those from before\n" },
	{ "lost bytes", WELL "lost_bytes=7", "7 bytes of the logs were lost: truncated or removed, and not read before.\n" },
	{ "few orders prove nothing", WELL "orders=9", "" },
	{ "half of them joined is enough", WELL "orders=10 joined_visitor=1 joined_token=2 joined_ip_ua=1 joined_customer=1", "" },
	{ "less is not", WELL "orders=10 joined_token=4",
	    "Only 4 of 10 orders could be joined to a visit: revenue per visit is told too low.  See rpvd(8), JOINS.\n" },
	{ "money that is in no figure", WELL "unconverted=4",
	    "4 orders are in a currency without a rate, and left out: see `rates` in rpvd.conf(5).\n" },
	{ "a Redis that keeps its figures", WELL "redis_persistence=append-only+file:+fine redis_memory_percent=89", "" },
	{ "one that keeps nothing", WELL "redis_persistence=none:+when+Redis+ends",
	    "Redis keeps nothing on disk: when it ends, everything has to be made anew from the logs and the journal, as far as they reach "
	    "back.  Set appendonly yes in redis.conf.\n" },
	{ "one that cannot", WELL "redis_persistence=Redis+cannot+write", "Redis cannot write\n" },
	{ "one that is nearly full", WELL "redis_memory_percent=90",
	    "Redis is nearly full (90% of its maxmemory): at 100% nothing more is counted until there is room.\n" },
	{ "one that forgets what it likes", WELL "redis_eviction=allkeys-lru",
	    "Redis may evict keys, orders and positions among them: set maxmemory-policy noeviction in redis.conf.\n" },
	{ "bad lines of order files", WELL "events_rejected=2",
	    "2 lines of order files could not be read; rpvd's log has the first.\n" },
	{ "other currencies", WELL "other_currency=2",
	    "2 refunds or disputes were in another currency than the order, and left out.\n" },
	{ "a clock that leapt ahead", WELL "clock_ahead_seconds=34560000",
	    "This machine's clock leapt 400 days 00:00 ahead, which is believed after an hour, or a minute after a boot: set it, if it is wrong.\n" },
	{ "a clock that leapt back", WELL "clock_back_seconds=7260",
	    "This machine's clock leapt 0 days 02:01 back, which is believed after an hour, or a minute after a boot: set it, if it is wrong.\n" },
	{ "figures of a time to come", WELL "figures_ahead_seconds=3456000",
	    "The figures are those of a time that comes in 3456000 s, and stand still until then: this machine's clock was ahead.  When it"
	    " is right, rpvd --rebuild-later and a reload make them anew.\n" },
	{ "a clock that is behind", WELL "clock_behind_seconds=259200", 
	    "This machine's clock is 259200 s behind what it was when the last webhook came: set it, and see that it is set at boot.\n" },
	{ "records", WELL "damaged=1 journal_damaged=2",
	    "1 record of the state in Redis could not be read.\n2 records of the webhook journal are damaged: is the disk?\n" },
	{ "the wrong secret, and what is fine", WELL "webhook_stripe_200=8 webhook_stripe_200_same_money=3 webhook_stripe_401_bad_signature=2",
	    "2 webhooks of stripe were signed with another secret: is the secret file that of this endpoint?\n" },
	{ "told otherwise than before", WELL "webhook_stripe_conflict=2 webhook_stripe_duplicate=9",
	    "2 events of stripe told another amount than before of an order or refund that is known; what came first counts.\n" },
	{ "money without measure", WELL "over_sums=1",
	    "Orders came that no sum could hold, with those that count already, and were kept out of the figures: is a rate, or an amount, wrong by"
	    " millions?\n" },
	{ "a clock that differs", WELL "webhook_stripe_clock=Set+the+clock.", "Set the clock.\n" },
	{ "a body that was changed", WELL "webhook_stripe-2_hint=the+body+is+empty",
	    "Webhooks of stripe-2 do not fit their signatures: the body is empty.\n" },
	{ "a secret that was replaced", WELL "webhook_stripe_secret_1=5 webhook_stripe_secret_2=0 webhook_stripe_secret_2_unused_days=9",
	    "Secret 2 of stripe was not used for 9 days: where it was replaced, take it out of the secret file.\n" },
	{ "types, whatever they are called", WELL "webhook_stripe_type_bad_signature=3 webhook_stripe_type_test_mode=1 webhook_stripe_last=2026-03-02T10:00:00Z", "" },
	{ "scanners are nobody's concern", WELL "request_404_unknown_path=9999 request_closed_too_slow=5", "" },
	{ "not understood", WELL "quarantine=3 quarantine_bytes=300",
	    "3 signed webhooks wait for a version of rpvd that understands them; `rpvctl journal --quarantine` says what is wrong.\n" },
	{ "all understood since", WELL "quarantine=0 quarantine_bytes=300 journal=ok", "" },
	{ "the journal cannot be written", WELL "journal=/j:+No+space",
	    "The webhook journal cannot be written, so webhooks are refused, and not every provider sends again: /j: No space\n" },
	{ "a ping of another seller", WELL "webhook_gumroad_401_wrong_account=2",
	    "2 webhooks of gumroad were of another seller: is seller_id right?  Else somebody knows the address.\n" },
	{ "what a figure cannot show", WELL "webhook_gumroad_200_partial_amount_unknown=1",
	    "1 webhook of gumroad told of a partial refund without its amount: tell it in an order file.\n" },
	{ "thin bodies", WELL "webhook_bigcommerce_200_needs_api=3",
	    "3 webhooks of bigcommerce told that money moved, but not how much: let the shop send generic events, or an order file.\n" },
	{ "one of each", WELL "unconverted=1 events_rejected=1 other_currency=1 quarantine=1 webhook_stripe_401_bad_signature=1 webhook_stripe_200_test_mode=1",
	    "1 order is in a currency without a rate, and left out: see `rates` in rpvd.conf(5).\n"
	    "1 line of order files could not be read; rpvd's log has the first.\n"
	    "1 refund or dispute was in another currency than the order, and left out.\n"
	    "1 webhook of stripe was signed with another secret: is the secret file that of this endpoint?\n"
	    "1 webhook of stripe was of the provider's test mode, and not counted.\n"
	    "1 signed webhook waits for a version of rpvd that understands it; `rpvctl journal --quarantine` says what is wrong.\n" },
	{ "a full disk", WELL "webhook_woocommerce_503_not_stored=1",
	    "1 webhook of woocommerce could not be written to the journal; the provider sends again.  Is the disk full?\n" },
};

START_TEST(complains)
{
	struct status_field fields[FIELDS_MAX];
	char *text = mem_strdup(complaints[_i].fields);
	struct status s = { fields, read_fields(text, fields) };
	struct buf b = { 0 };

	status_complaints(&s, NOW, &b);
	ck_assert_msg(slice_is(buf_view(&b), complaints[_i].said), "%s: %.*s", complaints[_i].why, SLICE_FMT(buf_view(&b)));
	buf_free(&b);
	free(text);
}
END_TEST

static const struct { const char *why, *fields, *text; } pages[] = {
	{ "groups in their order, zeros that say nothing left out",
	    WELL "version=0.1 log_1=ok log_2=ok lines=7 late=0 bot=2 asset=0 visits=1 orders=0 journal_last=0 webhook_stripe_200_same_money=3",
	    "shop: all is well\n"
	    "\n"
	    "State\n"
	    "  state                               live\n"
	    "  version of rpvd                     0.1\n"
	    "  as of                               2026-03-02 10:40:00 UTC\n"
	    "\n"
	    "Logs\n"
	    "  log 1                               ok\n"
	    "  log 2                               ok\n"
	    "  lines read                          7\n"
	    "\n"
	    "Hits\n"
	    "  visits                              1\n"
	    "  bots                                2\n"
	    "\n"
	    "Orders\n"
	    "  orders paid                         0\n"
	    "\n"
	    "Webhooks\n"
	    "  stripe: 200 same money              3\n"
	    "\n"
	    "Journal of webhooks\n"
	    "  events ever                         0\n" },
	{ "complaints first; a field of a later version under its own name",
	    WELL "lost_bytes=7 phase_of_moon=full",
	    "shop: something wants attention\n"
	    "\n"
	    "* 7 bytes of the logs were lost: truncated or removed, and not read before.\n"
	    "\n"
	    "State\n"
	    "  state                               live\n"
	    "  as of                               2026-03-02 10:40:00 UTC\n"
	    "\n"
	    "Logs\n"
	    "  bytes lost                          7\n"
	    "\n"
	    "Other\n"
	    "  phase_of_moon                       full\n" },
};

START_TEST(page)
{
	struct status_field fields[FIELDS_MAX];
	char *text = mem_strdup(pages[_i].fields);
	struct status s = { fields, read_fields(text, fields) };
	struct buf b = { 0 };

	setenv("TZ", "UTC", 1);
	status_write(&s, "shop", NOW, &b);
	ck_assert_msg(slice_is(buf_view(&b), pages[_i].text), "%s:\n%.*s", pages[_i].why, SLICE_FMT(buf_view(&b)));
	buf_free(&b);
	free(text);
}
END_TEST

static const struct { const char *name; bool is; } names[] = {
	{ "/unsubscribe/anna@mail.example", true }, { "/u/anna%40mail.example/x", true }, { "news-a.b+c@x.co", true }, { "a@b.example?", true },
	{ "/@anna", false }, { "/a@b", false }, { "/photo@2x.html", true }, { "@mail.example", false }, { "a@.example", false }, { "a@b.c", false },
	{ "a@b.", false }, { "%40mail.example", false }, { "/lamp", false }, { "", false }, { "a@", false }, { "a%4", false },
};

START_TEST(emails)
{
	ck_assert_msg(status_is_email(slice_of(names[_i].name)) == names[_i].is, "%s", names[_i].name);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status");
	TCase *tc = tcase_create("status");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, complains, 0, N_ELEM(complaints));
	tcase_add_loop_test(tc, emails, 0, N_ELEM(names));
	tcase_add_loop_test(tc, page, 0, N_ELEM(pages));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
