/*
 * test_conf: the configuration file: what is taken, what is said of mistakes, and that
 * manual and sample file agree with the table.
 *
 * `test_conf --write` (in the source directory) writes their generated parts anew.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "core/window.h"

#define BEGIN_MARK ".\\\" BEGIN OPTIONS"
#define END_MARK ".\\\" END OPTIONS"

static char folder[64] = "/tmp/test_conf.XXXXXX";
static char file[80];
static struct buf mistakes;

static struct config *
load_bytes(const void *text, size_t len)
{
	FILE *f = fopen(file, "wb");

	must(f != NULL && fwrite(text, 1, len, f) == len && fclose(f) == 0);
	buf_free(&mistakes);
	return (config_load(file, &mistakes));
}

static struct config *
load(const char *text)
{
	return (load_bytes(text, strlen(text)));
}

static const char *
said(void)
{
	buf_putc(&mistakes, '\0');
	mistakes.len--;
	return (mistakes.p);
}

static struct config *
load_good(const char *text)
{
	struct config *config = load(text);

	ck_assert_msg(config != NULL, "%s%s", said(), text);
	ck_assert_uint_eq(mistakes.len, 0);
	return (config);
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return (n);
}

/* ---- what is taken ---- */

static const struct { const char *why, *text; int64_t ms; } duration_rows[] = {
	{ "seconds where there is no unit", "90", 90000 },
	{ "milliseconds", "1500ms", 1500 },
	{ "m is minutes, not months", "30m", 1800000 },
	{ "hours", "2h", 7200000 },
	{ "days", "30d", INT64_C(2592000000) },
	{ "weeks", "2w", INT64_C(1209600000) },
	{ "zero is a duration; ranges are the options' own", "0s", 0 },
	{ "unknown unit", "30x", -1 },
	{ "units are lower case: 30M would be months to some", "30M", -1 },
	{ "negative", "-1s", -1 },
	{ "a sign", "+1s", -1 },
	{ "a fraction", "1.5h", -1 },
	{ "a blank between", "30 m", -1 },
	{ "a blank before", " 30m", -1 },
	{ "two of them", "1h30m", -1 },
	{ "nothing", "", -1 },
	{ "a unit alone", "m", -1 },
	{ "more than 63 bits after the unit", "9223372036854775807w", -1 },
	{ "more than 63 bits before it", "99999999999999999999", -1 },
};

START_TEST(durations)
{
	int64_t ms = -1;
	bool ok = duration_parse(duration_rows[_i].text, &ms);

	ck_assert_msg(ok == (duration_rows[_i].ms >= 0), "%s: \"%s\" was %s", duration_rows[_i].why, duration_rows[_i].text, ok ? "taken" : "refused");
	if (ok)
		ck_assert_msg(ms == duration_rows[_i].ms, "%s: \"%s\" is %lld ms", duration_rows[_i].why, duration_rows[_i].text, (long long)ms);
}
END_TEST

START_TEST(defaults)
{
	struct config *c = load_good("site shop { currency = eur\n log \"/a.log\" {}\n provider stripe {} }");
	const struct site_conf *s = &c->sites[0];
	const struct endpoint_conf *e = &s->providers[0];

	ck_assert_str_eq(c->file, file);
	ck_assert_str_eq(c->redis_url, "unix:/run/rpvd/redis.sock");
	ck_assert_ptr_null(c->redis_password_file);
	ck_assert_ptr_null(c->webhook_listen);
	ck_assert_str_eq(c->state_dir, "/var/lib/rpvd");
	ck_assert_ptr_null(c->data_dir);
	ck_assert_ptr_null(c->geo);
	ck_assert_int_eq(c->journal_keep_ms, INT64_C(35) * 86400000);
	ck_assert_int_eq(c->commit_interval_ms, 250);
	ck_assert_uint_eq(c->memory_limit, 128 << 20);
	ck_assert_uint_eq(c->n_sites, 1);
	ck_assert_str_eq(s->name, "shop");
	ck_assert_int_eq(s->line, 1);
	ck_assert_str_eq(s->currency.code, "EUR");
	ck_assert_ptr_null(s->rates);
	ck_assert_ptr_null(s->hosts[0]);
	ck_assert_str_eq(s->visitor[0], "ip_ua");
	ck_assert_ptr_null(s->visitor[1]);
	ck_assert_ptr_null(s->ignore_paths[0]);
	ck_assert_ptr_null(s->ignore_referrers[0]);
	ck_assert_ptr_null(s->ignore_networks[0]);
	ck_assert_ptr_null(s->assets);
	ck_assert_int_eq(s->session_timeout_ms, 1800000);
	ck_assert_int_eq(s->lookback_ms, INT64_C(2592000000));
	ck_assert_int_eq(s->reorder_ms, 0);
	ck_assert_int_eq(s->basis, BASIS_TOTAL);
	ck_assert_int_eq(s->model, MODEL_LAST_NON_DIRECT);
	ck_assert_uint_eq(s->max_series, 10000);
	ck_assert_uint_eq(s->history_limit, 1 << 30);
	/* Those of a state that says nothing of its windows. */
	for (size_t i = 0; i < N_ELEM(windows_default); i++) {
		int64_t length_ms, bucket_ms;

		ck_assert_ptr_nonnull(s->windows[i]);
		ck_assert_ptr_null(window_parse(s->windows[i], &length_ms, &bucket_ms));
		ck_assert_int_eq(bucket_ms, windows_default[i].bucket_ms);
		ck_assert_int_eq(length_ms, bucket_ms * windows_default[i].buckets);
		ck_assert_int_eq(strncmp(s->windows[i], windows_default[i].name, strlen(windows_default[i].name)), 0);
	}
	ck_assert_ptr_null(s->windows[N_ELEM(windows_default)]);
	ck_assert_str_eq(s->logs[0].format, "auto");
	ck_assert_str_eq(e->path, "/hooks/stripe");
	ck_assert_ptr_null(e->secret_file);
	ck_assert_str_eq(e->visitor_key, "rpv");
	ck_assert_str_eq(e->count, "checkout");
	ck_assert_int_eq(e->tolerance_ms, 300000);
	ck_assert(!e->test);
	config_free(&c);
	config_free(&c);
}
END_TEST

/* The example of the interface, and every option that it does not show. */
START_TEST(everything)
{
	struct config *c = load_good(
	    "redis   { url = \"redis://u:p@db.example:6379/2\" password_file = \"pw\" }  # or a socket\n"
	    "webhook { listen = \"[::1]:8377\" }\n"
	    "state_dir = \"/s\"  data_dir = 'd'  geo = \"sub/geo.mmdb\"  journal_keep = 7d  commit_interval = 100ms memory_limit = 65536K\n"
	    "site \"shop\" {\n"
	    "  hosts = {\"Shop.Example\", \"www.shop.example\"} currency = \"JPY\" rates = \"/etc/rates.csv\"\n"
	    "  visitor = {\"cookie:rpv\", uid, \"ip_ua\"}\n"
	    "  log \"/var/log/a.log\" { format = \"common\" }\n"
	    "  log \"b*.log\" {}\n"
	    "  orders \"/var/lib/h.ndjson\" {}\n"
	    "  token \"/checkout/thanks*\" { param = \"order\" }\n"
	    "  token \"/checkout/thanks*\" { param = \"key\" }   // one page may show two ids\n"
	    "  page \"/p/*\" { as = \"/p/:product\" }\n"
	    "  ignore_paths = {\"/wp-json/*\", \"*.xml\"} ignore_referrers = {PAY.example} /* one\n"
	    "  word */ ignore_networks = {\"10.0.0.0/8\", \"2001:db8::/32\", \"192.0.2.1\"} assets = {CSS, \"js\"}\n"
	    "  provider \"stripe\" { path = \"/hooks/stripe\"  secret_file = \"/etc/stripe.secret\" visitor_key = \"v\"\n"
	    "    tolerance = 60 test = yes count = payment_intents }\n"
	    "  provider \"stripe\" { path = \"/hooks/stripe-2\" }\n"
	    "  session_timeout = \"1800000ms\" reorder = \"2s\" lookback = \"2592000000ms\"\n"
	    "  basis = \"net\" model = \"time_decay\" max_series = 500 history_limit = \"2G\"\n"
	    "  windows = {\"90d/3h\", \"1000m/1m\", 1d/1d}\n"
	    "}\n"
	    "site \"b\" { currency = EUR orders \"x\" {} }\n");
	const struct site_conf *s = &c->sites[0];
	char path[128];

	ck_assert_str_eq(c->redis_url, "redis://u:p@db.example:6379/2");
	snprintf(path, sizeof(path), "%s/pw", folder);
	ck_assert_str_eq(c->redis_password_file, path);
	ck_assert_str_eq(c->webhook_listen, "[::1]:8377");
	ck_assert_str_eq(c->state_dir, "/s");
	snprintf(path, sizeof(path), "%s/sub/geo.mmdb", folder);
	ck_assert_str_eq(c->geo, path);
	ck_assert_int_eq(c->journal_keep_ms, 7 * 86400000);
	ck_assert_int_eq(c->commit_interval_ms, 100);
	ck_assert_uint_eq(c->memory_limit, 64 << 20);
	ck_assert_str_eq(s->hosts[0], "shop.example");
	ck_assert_str_eq(s->hosts[1], "www.shop.example");
	ck_assert_ptr_null(s->hosts[2]);
	ck_assert_str_eq(s->visitor[0], "cookie:rpv");
	ck_assert_str_eq(s->visitor[1], "uid");
	ck_assert_uint_eq(s->n_logs, 2);
	ck_assert_int_eq(s->logs[0].line, 7);
	ck_assert_str_eq(s->logs[0].format, "common");
	snprintf(path, sizeof(path), "%s/b*.log", folder);
	ck_assert_str_eq(s->logs[1].path, path);
	ck_assert_uint_eq(s->n_orders, 1);
	ck_assert_str_eq(s->orders[0], "/var/lib/h.ndjson");
	ck_assert_uint_eq(s->n_tokens, 2);
	ck_assert_str_eq(s->tokens[0].glob, "/checkout/thanks*");
	ck_assert_str_eq(s->tokens[0].value, "order");
	ck_assert_str_eq(s->tokens[1].value, "key");
	ck_assert_str_eq(s->pages[0].value, "/p/:product");
	ck_assert_str_eq(s->ignore_paths[1], "*.xml");
	ck_assert_str_eq(s->ignore_referrers[0], "pay.example");
	ck_assert_str_eq(s->ignore_networks[2], "192.0.2.1");
	ck_assert_str_eq(s->assets[0], "css");
	ck_assert_uint_eq(s->n_providers, 2);
	ck_assert_int_eq(s->providers[0].line, 15);
	ck_assert_str_eq(s->providers[0].secret_file, "/etc/stripe.secret");
	ck_assert_str_eq(s->providers[0].visitor_key, "v");
	ck_assert_int_eq(s->providers[0].tolerance_ms, 60000);
	ck_assert(s->providers[0].test);
	ck_assert_str_eq(s->providers[0].count, "payment_intents");
	ck_assert_ptr_null(s->providers[0].seller_id);
	ck_assert_str_eq(s->providers[1].path, "/hooks/stripe-2");
	ck_assert_int_eq(s->session_timeout_ms, 1800000);
	ck_assert_int_eq(s->lookback_ms, INT64_C(2592000000));
	ck_assert_int_eq(s->reorder_ms, 2000);
	ck_assert_int_eq(s->basis, BASIS_NET);
	ck_assert_int_eq(s->model, MODEL_TIME_DECAY);
	ck_assert_uint_eq(s->max_series, 500);
	ck_assert_uint_eq(s->history_limit, UINT64_C(2) << 30);
	ck_assert_str_eq(s->windows[0], "90d/3h");
	ck_assert_str_eq(s->windows[2], "1d/1d");
	ck_assert_ptr_null(s->windows[3]);
	ck_assert_uint_eq(c->n_sites, 2);
	ck_assert_int_eq(c->sites[1].line, 22);
	config_free(&c);
}
END_TEST

/* A value between its quotes; the same bytes come out. */
static const struct { const char *why, *written, *value; } quoting_rows[] = {
	{ "a log_format in single quotes is literal", "'$remote_addr - [$time_local] \"$request\" \"$http_referer\"'",
	    "$remote_addr - [$time_local] \"$request\" \"$http_referer\"" },
	{ "braces, as in formats that are JSON", "'{\"a\":\"${remote_addr}\",\"b\":$status}'", "{\"a\":\"${remote_addr}\",\"b\":$status}" },
	{ "backslashes stay, two of them too", "'a\\tb \\\\ \\x22 \\\"'", "a\\tb \\\\ \\x22 \\\"" },
	{ "a single quote inside", "'it\\'s'", "it's" },
	{ "a tab", "'time:$msec\treq:$request'", "time:$msec\treq:$request" },
	{ "comments do not begin inside", "'# \"$status\" // /* '", "# \"$status\" // /* " },
	{ "bytes beyond ASCII", "'caf\xc3\xa9 \xff'", "caf\xc3\xa9 \xff" },
	{ "double quotes unescape", "\"a \\\"b\\\" \\\\ c\\x41\"", "a \"b\" \\ cA" },
	{ "a variable of the environment", "\"${TEST_CONF} ${TEST_CONF_NONE:-else}\"", "from outside else" },
	{ "a ${ that nothing closes is text", "\"${TEST_CONF\"", "${TEST_CONF" },
	{ "a word needs no quotes", "combined", "combined" },
	{ "a word is literal", "$a\\b;c", "$a\\b;c" },
	{ "a backslash at the line's end goes on", "'a\\\nb'", "ab" },
};

START_TEST(quoting)
{
	char text[512];
	struct config *c;

	setenv("TEST_CONF", "from outside", 1);
	snprintf(text, sizeof(text), "site a { currency = EUR log l { format = %s } }", quoting_rows[_i].written);
	c = load_good(text);
	ck_assert_msg(strcmp(c->sites[0].logs[0].format, quoting_rows[_i].value) == 0, "%s: %s became %s", quoting_rows[_i].why,
	    quoting_rows[_i].written, c->sites[0].logs[0].format);
	config_free(&c);
}
END_TEST

START_TEST(lists)
{
	struct config *c = load_good("\xEF\xBB\xBFsite a { currency = EUR\r\n log l {}\r\n hosts = a.example\n hosts += {\"b.example\",\n"
	    "  c.example,}\n assets = {} }");
	const struct site_conf *s = &c->sites[0];

	ck_assert_str_eq(s->hosts[0], "a.example");
	ck_assert_str_eq(s->hosts[2], "c.example");
	ck_assert_ptr_null(s->hosts[3]);
	ck_assert_msg(s->assets != NULL && s->assets[0] == NULL, "an empty list is not the built-in one");
	config_free(&c);
}
END_TEST

/* ---- mistakes, one at a time ---- */

#define SHOP(body) "site \"shop\" {\n currency = EUR\n log \"/a.log\" {}\n" body "\n}\n"

static const struct { const char *why, *text; int line; const char *says; } mistaken[] = {
	{ "an empty file", "", 1, "no site" },
	{ "comments do not shift the lines (libConfuse counts each as three)", "# a\n// b\n/* c\n */\nx = 1\n" SHOP(""), 5, "unknown option x; rpvd.conf(5) lists all" },
	{ "a near name is offered", SHOP(" hsots = {\"a.example\"}"), 4, "unknown option hsots in site; did you mean hosts?" },
	{ "also at the top", "state_dri = \"/x\"\n" SHOP(""), 1, "did you mean state_dir?" },
	{ "an option of another section", SHOP(" listen = \"127.0.0.1:1\""), 4, "listen belongs inside of webhook { }" },
	{ "an option of no section", SHOP(" geo = \"/x\""), 4, "geo stands outside of all sections, not in site" },
	{ "a section at the wrong place", "log \"/x\" {}\n" SHOP(""), 1, "log belongs inside of site { }" },
	{ "what is unknown is skipped with its body", SHOP(" frobnicate \"x\" {\n a = { 1, 2 }\n b { c = d } }"), 4, "unknown option frobnicate" },
	{ "an unknown list", SHOP(" frobnicate = {\"x\", \"y\"}"), 4, "unknown option frobnicate" },
	{ "given twice", SHOP(" currency = USD"), 4, "currency stands twice here" },
	{ "a section that occurs once", "redis {}\nredis {}\n" SHOP(""), 2, "redis stands twice here" },

	{ "no =", SHOP(" basis \"net\""), 4, "expected = after basis" },
	{ "no value", SHOP(" basis =\n model = first"), 4, "basis has no value" },
	{ "no value at the end of a section", SHOP(" basis = "), 4, "basis has no value" },
	{ "an unclosed list", SHOP(" hosts = {\"a.example\"\n reorder = 1s"), 5, "the list of hosts (line 4) is not closed" },
	{ "an unclosed list behind its comma", SHOP(" hosts = {\"a.example\",\n reorder = 1s"), 5, "the list of hosts (line 4) is not closed" },
	{ "a missing comma", SHOP(" hosts = {\"a.example\" \"b.example\"}"), 4, "a comma is missing before \"b.example\"" },
	{ "a list for one value", SHOP(" basis = {\"net\"}"), 4, "basis takes one value, not a list" },
	{ "adding to what is no list", SHOP(" basis += \"net\""), 4, "basis takes one value, not a list" },
	{ "a section like an option", SHOP(" log = \"/x\""), 4, "log is a section: expected log \"PATH\" {" },
	{ "an option like a section", SHOP(" basis { }"), 4, "expected = after basis" },
	{ "a section without its title", SHOP(" log { }"), 4, "log has no name: expected log \"PATH\" {" },
	{ "a site without its name has a line all the same", "\nsite { log \"/a\" {}\n currency = EUR }", 2, "site has no name" },
	{ "a title too many", "redis \"x\" {}\n" SHOP(""), 1, "redis has no name: expected redis {" },
	{ "a } too few", "site \"shop\" {\n currency = EUR\n log \"/a.log\" {\n}\n", 1, "the { of this line has no }" },
	{ "a } too many", SHOP("") "}\n", 6, "a } without its {" },
	{ "junk", SHOP(" = , ( x"), 4, "expected the name of an option, found =" },
	{ "a string for a name", SHOP(" \"basis\" = net"), 4, "expected the name of an option, found basis" },
	{ "an unclosed double quote costs its line only", SHOP(" basis = \"net\n model = first"), 4, "the string that begins here has no closing \"" },
	{ "an unclosed single quote", SHOP(" basis = 'net"), 4, "the string that begins here has no closing '" },
	{ "a variable that is not there", "state_dir = \"${TEST_CONF_NONE}/x\"\n" SHOP(""), 1, "the environment has no TEST_CONF_NONE; in single quotes" },
	{ "a credential without a service manager", "redis { password_file = \"${CREDENTIALS_DIRECTORY}/x\" }\n" SHOP(""), 1,
	    "the environment has no CREDENTIALS_DIRECTORY: the service manager sets it" },
	{ "an unclosed comment", SHOP("") "/* x\n\n", 6, "the comment that begins here has no */" },
	{ "octal, which libConfuse stumbles over", SHOP(" rates = \"a\\777\""), 4, "a backslash before a digit" },
	{ "a NUL in disguise", SHOP(" rates = \"a\\x00b\""), 4, "a backslash before a digit" },

	{ "a site needs a currency", "\nsite \"a\" {\n log \"/a\" {} }", 2, "site needs currency: expected currency = \"EUR\"" },
	{ "a currency is three letters", "site \"a\" { log \"/a\" {}\n currency = \"EURO\" }", 2, "currency = \"EURO\": expected a currency code" },
	{ "a site needs input", "\nsite \"a\" { currency = EUR }", 2, "site \"a\" has neither log nor orders" },
	{ "the name goes into keys", "site \"a b\" { currency = EUR log \"/a\" {} }", 1, "site \"a b\": expected 1 to 64 letters" },
	{ "... and into names of files", "site \"../a\" { currency = EUR log \"/a\" {} }", 1, "site \"../a\": expected 1 to 64 letters" },
	{ "and its length is bounded", "site \"12345678901234567890123456789012345678901234567890123456789012345\" { currency = EUR log \"/a\" {} }", 1, "expected 1 to 64 letters" },
	{ "two sites of one name", SHOP("") SHOP(""), 6, "site \"shop\" is here already, in line 1" },
	{ "a log twice", SHOP(" log \"/a.log\" { format = common }"), 4, "log \"/a.log\" is here already, in line 3" },
	{ "orders twice", SHOP(" orders \"/o\" {}\n orders \"/o\" {}"), 5, "orders \"/o\" is here already" },
	{ "a log without a name", SHOP(" log \"\" {}"), 4, "log \"\": expected a file name" },
	{ "a token without param", SHOP(" token \"/thanks\" {\n }"), 4, "token needs param: expected param = \"order\"" },
	{ "a param is no query", SHOP(" token \"/thanks\" { param = \"order=\" }"), 4, "expected the name of a query parameter" },
	{ "a token is a path", SHOP(" token \"thanks\" { param = \"o\" }"), 4, "token \"thanks\": expected a path pattern" },
	{ "a page without as", SHOP(" page \"/p/*\" {}"), 4, "page needs as" },
	{ "a page is a member of keys", SHOP(" page \"/p/*\" { as = \"a b\" }"), 4, "as = \"a b\": expected a page name" },
	{ "paths cannot match with blanks", SHOP(" ignore_paths = {\"/a b\"}"), 4, "expected a path pattern" },

	{ "a host has no scheme", SHOP(" hosts = {\"https://a.example\"}"), 4, "hosts = \"https://a.example\": expected a host name" },
	{ "a host has no path", SHOP(" hosts = {\"a.example/\"}"), 4, "expected a host name" },
	{ "a host has no port", SHOP(" hosts = {\"a.example:8080\"}"), 4, "expected a host name" },
	{ "a host is not empty", SHOP(" hosts = {\"\"}"), 4, "hosts = \"\": expected" },
	{ "a host has no wildcard", SHOP(" hosts = {\"*.a.example\"}"), 4, "expected a host name" },
	{ "the line is the item's own", SHOP(" ignore_referrers = {\"a.example\",\n \"b/\"}"), 5, "ignore_referrers = \"b/\": expected a host name" },
	{ "a network too wide for IPv4", SHOP(" ignore_networks = {\"10.0.0.0/33\"}"), 4, "expected an address or a network" },
	{ "a network too wide for IPv6", SHOP(" ignore_networks = {\"::1/129\"}"), 4, "expected an address or a network" },
	{ "a network with a mask of octets", SHOP(" ignore_networks = {\"10.0.0.0/255.0.0.0\"}"), 4, "expected an address or a network" },
	{ "a network without a length", SHOP(" ignore_networks = {\"10.0.0.0/\"}"), 4, "expected an address or a network" },
	{ "a network of a negative length", SHOP(" ignore_networks = {\"10.0.0.0/-8\"}"), 4, "expected an address or a network" },
	{ "a proxy is a network", SHOP(" trusted_proxies = {\"10.0.0.0/8\", \"proxy.example\"}"), 4, "expected an address, a network such as 10.0.0.0/8" },
	{ "... or comes by a unix socket", SHOP(" trusted_proxies = {\"unix:/run/x\"}"), 4, "or unix:" },
	{ "syslog is of this machine", SHOP(" syslog \"192.0.2.1:514\" {}"), 4, "expected unix:/path/of/socket, 127.0.0.1:PORT or [::1]:PORT" },
	{ "syslog has a port", SHOP(" syslog \"127.0.0.1\" {}"), 4, "expected unix:/path/of/socket, 127.0.0.1:PORT or [::1]:PORT" },
	{ "syslog twice", SHOP(" syslog \"127.0.0.1:514\" {}\n syslog \"127.0.0.1:514\" {}"), 5, "syslog \"127.0.0.1:514\" is here already, in line 4" },
	{ "syslog of two sites", SHOP(" syslog \"127.0.0.1:514\" {}") "site b { currency = EUR\n syslog \"127.0.0.1:514\" {} }", 7,
	    "syslog \"127.0.0.1:514\" is here already, in line 4" },
	{ "syslog where webhooks are", "webhook { listen = \"127.0.0.1:8377\" }\n" SHOP(" syslog \"127.0.0.1:8377\" {}"), 5, "is where webhooks come in" },
	{ "standard input twice", SHOP(" log \"-\" {}\n log \"-\" {}"), 5, "log \"-\" is here already, in line 4" },
	{ "half an address", SHOP(" ignore_networks = {\"10.0.0\"}"), 4, "expected an address or a network" },
	{ "an extension with its dot", SHOP(" assets = {\".css\"}"), 4, "expected an extension without its dot" },

	{ "a cookie without a name", SHOP(" visitor = {\"cookie:\"}"), 4, "visitor = \"cookie:\": expected cookie:NAME, uid or ip_ua" },
	{ "an unknown identity", SHOP(" visitor = {\"ip\"}"), 4, "visitor = \"ip\": expected cookie:NAME, uid or ip_ua" },
	{ "a cookie's name is a name", SHOP(" visitor = {\"cookie:a b\"}"), 4, "expected cookie:NAME" },
	{ "an identity twice", SHOP(" visitor = {uid, uid}"), 4, "visitor has uid twice" },
	{ "five cookies", SHOP(" visitor = {\"cookie:a\", \"cookie:b\", \"cookie:c\", \"cookie:d\", \"cookie:e\"}"), 4, "visitor has 5 cookies; expected at most 4" },
	{ "no identity", SHOP(" visitor = {}"), 4, "visitor is an empty list" },

	{ "a window has buckets", SHOP(" windows = {\"24h\"}"), 4, "windows = \"24h\": expected LENGTH/BUCKET such as 24h/15m (units m h d w)" },
	{ "a window is no number of seconds: its name is in keys", SHOP(" windows = {\"3600/60\"}"), 4, "expected LENGTH/BUCKET such as 24h/15m" },
	{ "buckets of seconds are too many", SHOP(" windows = {\"1h/60s\"}"), 4, "expected LENGTH/BUCKET" },
	{ "... and of milliseconds", SHOP(" windows = {\"1h/60000ms\"}"), 4, "expected LENGTH/BUCKET" },
	{ "one spelling a length", SHOP(" windows = {\"01h/1m\"}"), 4, "expected LENGTH/BUCKET" },
	{ "no bucket at all", SHOP(" windows = {\"1h/0m\"}"), 4, "expected LENGTH/BUCKET" },
	{ "no length", SHOP(" windows = {\"/1m\"}"), 4, "expected LENGTH/BUCKET" },
	{ "two buckets", SHOP(" windows = {\"1h/1m/1m\"}"), 4, "expected LENGTH/BUCKET" },
	{ "a length that would wrap", SHOP(" windows = {\"99999999999999999w/1m\"}"), 4, "expected LENGTH/BUCKET" },
	{ "a bucket and a half", SHOP(" windows = {\"24h/7m\"}"), 4, "windows = \"24h/7m\": expected a length that is so many whole buckets" },
	{ "a bucket longer than the window", SHOP(" windows = {\"1h/2h\"}"), 4, "expected a length that is so many whole buckets" },
	{ "1001 buckets", SHOP(" windows = {\"1001m/1m\"}"), 4, "expected at most 1000 buckets: longer ones" },
	{ "three months and more", SHOP(" windows = {\"13w/1d\"}"), 4, "windows = \"13w/1d\": expected a length of at most 90d" },
	{ "a window twice", SHOP(" windows = {\"1h/1m\", \"1h/5m\"}"), 4, "windows has 1h/5m, which is as long as 1h/1m" },
	{ "... under two names", SHOP(" windows = {\"24h/15m\", \"1d/1h\"}"), 4, "windows has 1d/1h, which is as long as 24h/15m" },
	{ "nine windows", SHOP(" windows = {\"1h/1h\", \"2h/1h\", \"3h/1h\", \"4h/1h\", \"5h/1h\", \"6h/1h\", \"7h/1h\", \"8h/1h\", \"9h/1h\"}"), 4,
	    "windows has more than 8; expected one to 8" },
	{ "no window", SHOP(" windows = {}"), 4, "windows is an empty list; expected {\"24h/15m\"}, or more" },
	{ "the line is the window's own", SHOP(" windows = {\"1h/1m\",\n \"x\"}"), 5, "windows = \"x\": expected LENGTH/BUCKET" },

	{ "an unknown unit", SHOP(" session_timeout = \"30x\""), 4, "session_timeout = \"30x\": expected a duration from 1m to 24h, such as 30m (units ms s m h d w)" },
	{ "too short", SHOP(" session_timeout = \"59s\""), 4, "expected a duration from 1m to 24h" },
	{ "too long", SHOP(" session_timeout = \"25h\""), 4, "expected a duration from 1m to 24h" },
	{ "negative", SHOP(" reorder = \"-1s\""), 4, "reorder = \"-1s\": expected a duration from 0s to 1h" },
	{ "a lookback shorter than any session timeout may be", SHOP(" lookback = \"23h\""), 4, "lookback = \"23h\": expected a duration from 1d to 90d" },
	{ "committing without a pause", "commit_interval = 1ms\n" SHOP(""), 1, "expected a duration from 50ms to 10s" },
	{ "a journal for a day", "journal_keep = 1h\n" SHOP(""), 1, "expected a duration from 1d to 400d" },
	{ "basis", SHOP(" basis = gross"), 4, "basis = \"gross\": expected total, net_of_tax or net" },
	{ "model", SHOP(" model = best"), 4, "expected last_non_direct, last, first, linear, position or time_decay" },
	{ "too few series", SHOP(" max_series = 9"), 4, "max_series = \"9\": expected a number from 10 to 1000000" },
	{ "too many series", SHOP(" max_series = 1000001"), 4, "expected a number from 10 to 1000000" },
	{ "a number that would wrap", SHOP(" max_series = 18446744073709551716"), 4, "expected a number from 10 to 1000000" },
	{ "no number", SHOP(" max_series = 1e3"), 4, "expected a number from 10 to 1000000" },
	{ "too little memory", "memory_limit = 1M\n" SHOP(""), 1, "expected a size from 32M to 64G, such as 128M (units K M G)" },
	{ "a size without a unit is bytes", "memory_limit = 128\n" SHOP(""), 1, "expected a size from 32M" },
	{ "no unit of ours", "memory_limit = 128T\n" SHOP(""), 1, "expected a size from 32M" },
	{ "a size that would wrap", "memory_limit = 17179869184G\n" SHOP(""), 1, "expected a size from 32M" },
	{ "an empty path", "geo = \"\"\n" SHOP(""), 1, "geo = \"\": expected" },
	{ "an empty format", SHOP(" log \"/b\" { format = '' }"), 4, "format = \"\": expected visible text" },
	{ "a control byte", SHOP(" log \"/b\" { format = \"$msec\\n\" }"), 4, "expected visible text" },

	{ "a listener for the world", "webhook { listen = \"0.0.0.0:8377\" }\n" SHOP(""), 1, "listen = \"0.0.0.0:8377\": expected unix:/path/of/socket" },
	{ "a name is no address", "webhook { listen = \"localhost:8377\" }\n" SHOP(""), 1, "expected unix:/path/of/socket" },
	{ "a listener without a port", "webhook { listen = \"127.0.0.1\" }\n" SHOP(""), 1, "expected unix:/path/of/socket" },
	{ "a port too high", "webhook { listen = \"127.0.0.1:65536\" }\n" SHOP(""), 1, "expected unix:/path/of/socket" },
	{ "a relative socket", "webhook { listen = \"unix:run/x.sock\" }\n" SHOP(""), 1, "expected unix:/path/of/socket" },
	{ "a socket's name is bounded by the system", "webhook { listen = \"unix:/23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\" }\n" SHOP(""), 1, "expected unix:/path/of/socket" },
	{ "another scheme; the password is not repeated", "redis { url = \"http://u:secret@h\" }\n" SHOP(""), 1, "url: expected unix:/path/of/socket, redis://" },

	{ "two endpoints of one path", SHOP(" provider stripe { path = \"/h\" }\n provider shopify { path = \"/h\" }"), 5, "provider \"shopify\" has the path /h, as the one in line 4 has" },
	{ "also by default", SHOP(" provider stripe {}\n provider stripe {}"), 5, "has the path /hooks/stripe, as the one in line 4 has" },
	{ "also in two sites: a request shows none", SHOP(" provider stripe {}") "site b { currency = EUR log l {}\n provider stripe {} }", 7, "as the one in line 4 has" },
	{ "a path is absolute", SHOP(" provider stripe { path = \"hooks\" }"), 4, "path = \"hooks\": expected a path such as /hooks/stripe" },
	{ "a path has no query", SHOP(" provider stripe { path = \"/h?x=1\" }"), 4, "expected a path such as /hooks/stripe" },
	{ "yes and no", SHOP(" provider stripe { test = maybe }"), 4, "test = \"maybe\": expected true or false" },
	{ "count's words", SHOP(" provider stripe { count = invoices }"), 4, "count = \"invoices\": expected checkout, payment_intents or capture" },
	{ "count is Stripe's and Adyen's", SHOP(" provider shopify { count = checkout }"), 4,
	    "count is an option of provider \"stripe\" and \"adyen\" only" },
	{ "an address that only Square signs", SHOP(" provider shopify { notification_url = \"https://a/b\" }"), 4,
	    "notification_url is an option of provider \"square\" only" },
	{ "an address without its scheme", SHOP(" provider square { notification_url = \"shop.example/hooks\" }"), 4,
	    "notification_url = \"shop.example/hooks\": expected an address such as https://shop.example/hooks/square" },
	{ "an id with a blank", SHOP(" provider gumroad { seller_id = \"a b\" }"), 4, "seller_id = \"a b\": expected 1 to 128 visible characters" },
	{ "PayPal's webhook elsewhere", SHOP(" provider gumroad { webhook_id = \"WH1\" }"), 4, "webhook_id is an option of provider \"paypal\" only" },
};

START_TEST(mistake)
{
	struct config *c = load(mistaken[_i].text);
	char place[128];

	ck_assert_msg(c == NULL, "%s: was taken", mistaken[_i].why);
	snprintf(place, sizeof(place), "%s:%d: ", file, mistaken[_i].line);
	ck_assert_msg(strncmp(said(), place, strlen(place)) == 0, "%s: expected line %d: %s", mistaken[_i].why, mistaken[_i].line, said());
	ck_assert_msg(strstr(said(), mistaken[_i].says) != NULL, "%s: expected \"%s\": %s", mistaken[_i].why, mistaken[_i].says, said());
	ck_assert_msg(count_lines(said()) == 1, "%s: expected nothing else: %s", mistaken[_i].why, said());
	ck_assert_msg(strstr(said(), "secret@") == NULL, "%s: %s", mistaken[_i].why, said());
}
END_TEST

/* ---- mistakes together ---- */

START_TEST(all_at_once)
{
	static const char text[] =
	    "redis { url = \"tcp:x\" }\n"			/* 1 */
	    "staet_dir = \"/x\"\n"				/* 2 */
	    "site \"shop\" {\n"
	    "  hosts = {\"http://a\"\n"				/* (4) */
	    "  currency = \"E\"\n"				/* 5: two */
	    "  reorder =\n"					/* 6 */
	    "  sesion_timeout = \"30x\"\n"			/* 7: misspelt, and its value wrong */
	    "  log \"/a\" { fromat = 'x' }\n"			/* 8 */
	    "  token \"/t\" {}\n"				/* 9 */
	    "  rates = \"unclosed\n"				/* 10 */
	    "  basis = gross\n"					/* 11 */
	    "}\n"
	    "sites \"b\" { log \"/b\" {} }\n"			/* 13: misspelt, and has no currency */
	    "}\n";						/* 14 */
	static const int lines[] = { 1, 2, 5, 5, 6, 7, 7, 8, 9, 10, 11, 13, 13, 14 };
	const char *p;
	size_t i = 0;

	ck_assert_ptr_null(load(text));
	for (p = said(); *p != '\0'; p = strchr(p, '\n') + 1, i++) {
		ck_assert_msg(i < N_ELEM(lines), "too many: %s", said());
		ck_assert_msg(atoi(p + strlen(file) + 1) == lines[i], "expected line %d at: %s", lines[i], p);
	}
	ck_assert_msg(i == N_ELEM(lines), "too few: %s", said());
}
END_TEST

/* An unclosed string leaves libConfuse inside of it: the next file must not be read so. */
START_TEST(after_a_broken_file)
{
	static const char *const broken[] = { "site 'a", "site \"a", "x = \"${", "/* x", "site a { currency = \"\\8\" }", "{", "a = {" };
	struct config *c;

	for (size_t i = 0; i < N_ELEM(broken); i++) {
		ck_assert_ptr_null(load(broken[i]));
		c = load_good(SHOP(""));
		ck_assert_str_eq(c->sites[0].name, "shop");
		config_free(&c);
	}
}
END_TEST

START_TEST(files)
{
	char path[128];

	buf_free(&mistakes);
	snprintf(path, sizeof(path), "%s/absent.conf", folder);
	ck_assert_ptr_null(config_load(path, &mistakes));
	ck_assert_msg(strstr(said(), "absent.conf: cannot be opened: No such file") != NULL, "%s", said());
	buf_free(&mistakes);
	ck_assert_ptr_null(config_load(folder, &mistakes));
	ck_assert_msg(strstr(said(), "is a directory") != NULL, "%s", said());
	ck_assert_ptr_null(load_bytes("site\0x", 6));
	ck_assert_msg(strstr(said(), "zero bytes") != NULL, "%s", said());
	if (geteuid() == 0)
		return;				/* root may read everything */
	must(chmod(file, 0) == 0);
	buf_free(&mistakes);
	ck_assert_ptr_null(config_load(file, &mistakes));
	ck_assert_msg(strstr(said(), "cannot be opened: Permission denied") != NULL, "%s", said());
	must(chmod(file, 0600) == 0);
}
END_TEST

/* Where the owner wrote an option; what is said later finds its place among what was said first. */
START_TEST(places)
{
	struct config *c;
	struct slice more;
	FILE *f = fopen(file, "w");
	char want[512];

	must(f != NULL && fputs("geo =\n '/g'\nsite \"shop\" {\ncurrency = EURO\nrates = '/r'\nhosts = {}\nvisitor = {uid, no}\n"
	    "log \"/x\" { format = 'odd' }\nprovider generic {\ntest = 1 } }\n", f) >= 0 && fclose(f) == 0);
	buf_free(&mistakes);
	c = config_read(file, &mistakes);
	ck_assert_int_eq(config_line(c, &c->geo), 2);
	ck_assert_int_eq(config_line(c, &c->data_dir), 0);
	ck_assert_int_eq(config_line(c, &c->sites[0].rates), 5);
	ck_assert_int_eq(config_line(c, &c->sites[0].hosts), 6);
	ck_assert_int_eq(config_line(c, &c->sites[0].logs[0].format), 8);
	ck_assert_int_eq(config_line(c, &c->sites[0].providers[0].test), 10);
	ck_assert(config_is_mistaken(c, &c->sites[0].visitor) && config_is_mistaken(c, &c->sites[0].currency));
	ck_assert(!config_is_mistaken(c, &c->sites[0].rates) && !config_is_mistaken(c, &c->data_dir));
	config_complain(c, &mistakes, &c->sites[0].rates, "rates: %s", "no");
	config_complain(c, &mistakes, &c->data_dir, "nowhere");
	config_complain(c, &mistakes, &c->geo, "geo: no");
	config_sort_mistakes(c, &mistakes);
	more = buf_view(&mistakes);
	snprintf(want, sizeof(want), "%s: nowhere\n%s:2: geo: no\n%s:4: currency", file, file, file);
	ck_assert_msg(slice_starts(more, slice_of(want)), "%s", said());
	snprintf(want, sizeof(want), "%s:5: rates: no\n%s:7: visitor = \"no\"", file, file);
	ck_assert_msg(strstr(said(), want) != NULL, "%s", said());
	config_free(&c);
}
END_TEST

/* Beside a mistake, what is right can be checked further. */
START_TEST(read_in_spite_of_mistakes)
{
	struct config *c;
	FILE *f = fopen(file, "w");

	must(f != NULL && fputs("site \"shop\" {\ncurrency = EURO\nlog \"/x\" { format = 'odd' }\nprovider \"strip\" {}\n}\n", f) >= 0 &&
	    fclose(f) == 0);
	buf_free(&mistakes);
	c = config_read(file, &mistakes);
	ck_assert_msg(strstr(said(), ":2: currency = \"EURO\"") != NULL, "%s", said());
	ck_assert_str_eq(c->sites[0].logs[0].format, "odd");
	ck_assert_str_eq(c->sites[0].providers[0].provider, "strip");
	config_free(&c);
	buf_free(&mistakes);
	ck_assert_ptr_null(config_load(file, &mistakes));
	c = config_read("/nonexistent/x", &mistakes);
	ck_assert_uint_eq(c->n_sites, 0);
	config_free(&c);
}
END_TEST

/* n times `item` between head and tail. */
static struct config *
load_many(const char *head, const char *item, int n, const char *tail)
{
	struct buf text = { 0 };
	struct config *c;

	buf_puts(&text, head);
	for (int i = 0; i < n; i++)
		buf_printf(&text, item, i);
	buf_puts(&text, tail);
	c = load_bytes(text.p, text.len);
	buf_free(&text);
	return (c);
}

static const struct { const char *why, *head, *item; int n; const char *tail, *says; } bounds_rows[] = {
	{ "as many hosts as may be", "site a { currency = EUR log l {} hosts = {", "h%d,", 1000, "} }", NULL },
	{ "one more", "site a { currency = EUR log l {} hosts = {", "h%d,", 1001, "} }", "hosts has more than 1000 items" },
	{ "as many sections as may be", "site a { currency = EUR log l {} ", "page \"/%d\" { as = x }\n", 998, "}", NULL },
	{ "one more", "site a { currency = EUR log l {} ", "page \"/%d\" { as = x }\n", 999, "}", "more than 1000 sections" },
	{ "sections deep", "", "site a%d {", 5000, "", "expected" },
	{ "braces deep", "", "{%.0d", 100000, "", "has no }" },
	{ "mistakes without end", "", "x%d = 1\n", 5000, "", "there are more mistakes than these" },
	{ "a file that is no configuration", "", "# a comment number %d\n", 60000, "", "has more than 1048576 bytes" },
};

START_TEST(bounds)
{
	struct config *c = load_many(bounds_rows[_i].head, bounds_rows[_i].item, bounds_rows[_i].n, bounds_rows[_i].tail);

	if (bounds_rows[_i].says == NULL)
		ck_assert_msg(c != NULL, "%s: %s", bounds_rows[_i].why, said());
	else {
		ck_assert_msg(c == NULL, "%s: was taken", bounds_rows[_i].why);
		ck_assert_msg(strstr(said(), bounds_rows[_i].says) != NULL, "%s: %s", bounds_rows[_i].why, said());
		ck_assert_msg(count_lines(said()) <= 101, "%s: %zu mistakes", bounds_rows[_i].why, count_lines(said()));
	}
	config_free(&c);
}
END_TEST

/* Any start of a good file, and any file without one of its bytes: no crash, and no doubt. */
START_TEST(cut_anywhere)
{
	static const char text[] = "redis{url='unix:/r'}site \"s\"{currency=EUR hosts={\"a\",'b'}\nlog \"/l\"{format='\"$x\" \\\\'}/*c*/token \"/t\"{param=p}#x\n}";
	char less[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++) {
		struct config *c = load_bytes(text, i);

		ck_assert_msg((c != NULL) == (mistakes.len == 0), "cut at %zu", i);
		config_free(&c);
		memcpy(less, text, i);
		memcpy(less + i, text + i + 1, sizeof(text) - i - 1);
		c = load_bytes(less, sizeof(text) - 2);
		ck_assert_msg((c != NULL) == (mistakes.len == 0), "without byte %zu", i);
		config_free(&c);
	}
	config_free(&(struct config *){ load_good(text) });
}
END_TEST

/* ---- manual and sample ---- */

static const char *
source(const char *name)
{
	static char path[512];
	const char *dir = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : ".", name);
	return (path);
}

static char *
text_of(const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf text = { 0 };

	if (f == NULL)
		fprintf(stderr, "%s: %s (the environment's srcdir is the source directory)\n", path, strerror(errno));
	must(f != NULL);
	for (int c; (c = fgetc(f)) != EOF;)
		buf_putc(&text, (char)c);
	buf_putc(&text, '\0');
	fclose(f);
	return (text.p);
}

static char *
written(void (*write_it)(FILE *))
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	write_it(f);
	must(fclose(f) == 0);
	return (text);
}

/* Between the line of the first mark and that of the second; borrowed. */
static struct slice
between(const char *text, const char *first, const char *second)
{
	const char *begin = strstr(text, first), *end;

	must(begin != NULL);
	begin = strchr(begin, '\n') + 1;
	end = strstr(begin, second);
	must(end != NULL);
	return (slice_make(begin, (size_t)(end - begin)));
}

START_TEST(manual_follows_the_table)
{
	char *page = text_of(source("man/rpvd.conf.5")), *options = written(config_write_mdoc);

	ck_assert_msg(slice_is(between(page, BEGIN_MARK, END_MARK), options),
	    "man/rpvd.conf.5 differs from the table: write it anew with `tests/test_conf --write`");
	free(page);
	free(options);
}
END_TEST

START_TEST(example_of_the_manual_loads)
{
	char *page = text_of(source("man/rpvd.conf.5"));
	struct slice example = between(strstr(page, ".Sh EXAMPLES"), ".Bd -literal", ".Ed");
	struct config *c = load_bytes(example.p, example.len);

	ck_assert_msg(c != NULL, "%s", said());
	ck_assert_uint_eq(c->sites[0].n_providers, 2);
	config_free(&c);
	free(page);
}
END_TEST

START_TEST(sample_follows_the_table)
{
	char *sample = text_of(source("contrib/rpvd.conf.sample")), *expected = written(config_write_sample);
	struct config *c = load_good(sample);

	ck_assert_msg(strcmp(sample, expected) == 0,
	    "contrib/rpvd.conf.sample differs from the table: write it anew with `tests/test_conf --write`");
	ck_assert_str_eq(c->sites[0].name, "shop");
	config_free(&c);
	free(sample);
	free(expected);
}
END_TEST

START_TEST(options_of_one_provider)
{
	struct config *c = load_good(SHOP(
	    " provider square { notification_url = \"https://shop.example/hooks/square?a=1\" }\n"
	    " provider gumroad { path = \"/hooks/gumroad-8f14e45fceea167a\" seller_id = \"tRp3gJ8kD0Q1ujhAfzHrDw==\" }\n"
	    " provider paypal { webhook_id = \"9XL90610J3647323C\" certificate_file = \"/etc/rpvd/paypal.pem\" }\n"
	    " provider adyen { count = capture }"));
	const struct endpoint_conf *e = c->sites[0].providers;

	ck_assert_str_eq(e[0].notification_url, "https://shop.example/hooks/square?a=1");
	ck_assert_str_eq(e[1].seller_id, "tRp3gJ8kD0Q1ujhAfzHrDw==");
	ck_assert_str_eq(e[2].webhook_id, "9XL90610J3647323C");
	ck_assert_str_eq(e[2].certificate_file, "/etc/rpvd/paypal.pem");
	ck_assert_str_eq(e[3].count, "capture");
	config_free(&c);
}
END_TEST

/* Of another provider than the sample's. */
static bool
is_of_another_provider(const char *line)
{
	static const char *const names[] = { "notification_url", "seller_id", "webhook_id", "certificate_file" };

	for (size_t i = 0; i < N_ELEM(names); i++)
		if (strncmp(line, names[i], strlen(names[i])) == 0)
			return (true);
	return (false);
}

/* Every line that is commented out is an option or a section that may be switched on. */
START_TEST(sample_switched_on_loads)
{
	char *sample = written(config_write_sample);
	struct buf all = { 0 };
	struct config *c;

	for (const char *p = sample; *p != '\0'; p++) {
		bool switched_off = *p == '#' && p[1] != ' ' && (p == sample || p[-1] == '\n' || p[-1] == ' ');

		if (!switched_off || is_of_another_provider(p + 1))
			buf_putc(&all, *p);
	}
	buf_putc(&all, '\0');
	c = load_good(all.p);
	ck_assert_uint_eq(c->sites[0].n_providers, 1);
	ck_assert_uint_eq(c->sites[0].n_tokens, 1);
	ck_assert_str_eq(c->sites[0].visitor[0], "cookie:rpv");
	config_free(&c);
	buf_free(&all);
	free(sample);
}
END_TEST

static int
write_documents(void)
{
	char *page = text_of(source("man/rpvd.conf.5"));
	struct slice old = between(page, BEGIN_MARK, END_MARK);
	FILE *f = fopen(source("man/rpvd.conf.5"), "w");

	must(f != NULL);
	fprintf(f, "%.*s", (int)(old.p - page), page);
	config_write_mdoc(f);
	fputs(old.p + old.len, f);
	must(fclose(f) == 0);
	free(page);
	must((f = fopen(source("contrib/rpvd.conf.sample"), "w")) != NULL);
	config_write_sample(f);
	must(fclose(f) == 0);
	return (0);
}

static TCase *
cases(void)
{
	TCase *tc = tcase_create("conf");

	tcase_add_loop_test(tc, durations, 0, (int)N_ELEM(duration_rows));
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, everything);
	tcase_add_loop_test(tc, quoting, 0, (int)N_ELEM(quoting_rows));
	tcase_add_test(tc, lists);
	tcase_add_loop_test(tc, mistake, 0, (int)N_ELEM(mistaken));
	tcase_add_test(tc, all_at_once);
	tcase_add_test(tc, after_a_broken_file);
	tcase_add_test(tc, files);
	tcase_add_test(tc, places);
	tcase_add_test(tc, read_in_spite_of_mistakes);
	tcase_add_loop_test(tc, bounds, 0, (int)N_ELEM(bounds_rows));
	tcase_add_test(tc, cut_anywhere);
	tcase_add_test(tc, manual_follows_the_table);
	tcase_add_test(tc, example_of_the_manual_loads);
	tcase_add_test(tc, sample_follows_the_table);
	tcase_add_test(tc, options_of_one_provider);
	tcase_add_test(tc, sample_switched_on_loads);
	tcase_set_timeout(tc, 60);
	return (tc);
}

int
main(int argc, char **argv)
{
	Suite *suite;
	SRunner *runner;
	int failed;

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return (write_documents());
	must(mkdtemp(folder) != NULL);
	snprintf(file, sizeof(file), "%s/rpvd.conf", folder);
	suite = suite_create("conf");
	suite_add_tcase(suite, cases());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(file);
	rmdir(folder);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
