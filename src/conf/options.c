/*
 * options: the table, and the values that its rows allow.  A new option is a row here
 * and a field in conf.h; parser, manual and sample file follow.
 */
#include "conf/options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"

/* ---- checks ---- */

#define SUN_PATH_MAX 107		/* a unix socket's name, without its NUL */

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 127)
			return (true);
	return (false);
}

/* Letters, digits, and `more`; 1 to max bytes. */
static bool
is_name(const char *s, size_t max, const char *more)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr(more, s[i]) == NULL)
			return (false);
	return (len > 0 && len <= max);
}

static bool
is_visible(const char *s, size_t max)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] > '~')
			return (false);
	return (len > 0 && len <= max);
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = ascii_lower(*s);
}

static const char *
check_site(char *value)
{
	return (is_name(value, 64, "-_.") ? NULL : "1 to 64 letters, digits, `-`, `_` or `.`");
}

static const char *
check_host(char *value)
{
	size_t len = strlen(value);

	lower(value);
	if (is_name(value, 253, "-_.") && value[0] != '.' && value[len - 1] != '.')
		return (NULL);
	return ("a host name such as shop.example, without scheme, port and path (xn--... where it is not ASCII)");
}

static const char *
check_network(char *value)
{
	unsigned char address[16];
	char text[INET6_ADDRSTRLEN + 1] = "";
	size_t len = strcspn(value, "/");
	long bits, max;
	char *end;

	if (len < sizeof(text))
		memcpy(text, value, len);
	max = inet_pton(AF_INET, text, address) == 1 ? 32 : inet_pton(AF_INET6, text, address) == 1 ? 128 : -1;
	if (max > 0 && value[len] == '\0')
		return (NULL);
	bits = value[len] == '/' && isdigit((unsigned char)value[len + 1]) ? strtol(value + len + 1, &end, 10) : -1;
	if (max > 0 && bits >= 0 && bits <= max && *end == '\0')
		return (NULL);
	return ("an address or a network such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32");
}

static const char *
check_proxy(char *value)
{
	if (strcmp(value, "unix:") == 0 || check_network(value) == NULL)
		return (NULL);
	return ("an address, a network such as 10.0.0.0/8 or 2001:db8::/32, or unix:");
}

static const char *
check_visitor(char *value)
{
	if (strcmp(value, "uid") == 0 || strcmp(value, "ip_ua") == 0)
		return (NULL);
	if (strncmp(value, "cookie:", 7) == 0 && is_name(value + 7, 64, "-_."))
		return (NULL);
	return ("cookie:NAME, uid or ip_ua");
}

static const char *
check_glob(char *value)
{
	if (is_visible(value, 255) && strchr("/*?", value[0]) != NULL)
		return (NULL);
	return ("a path pattern such as /p/*: it begins with / or *, and has no blanks");
}

static const char *
check_page(char *value)
{
	return (is_visible(value, 255) ? NULL : "a page name such as /p/:product, of 1 to 255 visible characters");
}

static const char *
check_param(char *value)
{
	if (is_visible(value, 64) && strpbrk(value, "&=#?/") == NULL)
		return (NULL);
	return ("the name of a query parameter, such as order");
}

static const char *
check_key(char *value)
{
	return (is_visible(value, 64) ? NULL : "1 to 64 visible characters");
}

static const char *
check_extension(char *value)
{
	lower(value);
	return (is_name(value, 16, "-_") ? NULL : "an extension without its dot, such as css");
}

static const char *
check_provider(char *value)
{
	return (is_name(value, 32, "-_") ? NULL : "the name of a provider, such as stripe");
}

static const char *
check_endpoint(char *value)
{
	if (is_visible(value, 255) && value[0] == '/' && strpbrk(value, "?#%") == NULL)
		return (NULL);
	return ("a path such as /hooks/stripe");
}

static const char *
check_url(char *value)
{
	if (is_visible(value, 1000) && (strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0))
		return (NULL);
	return ("an address such as https://shop.example/hooks/square");
}

static const char *
check_id(char *value)
{
	return (is_visible(value, 128) ? NULL : "1 to 128 visible characters");
}

static const char *
check_path(char *value)
{
	return (value[0] != '\0' && strlen(value) < 4000 && !has_control(value) ? NULL : "a file name");
}

static bool
is_socket(const char *value, size_t len)
{
	return (strncmp(value, "unix:/", 6) == 0 && len - 5 <= SUN_PATH_MAX && len > 6);
}

static const char *
check_listen(char *value)
{
	const char *port = strncmp(value, "127.0.0.1:", 10) == 0 ? value + 10 :
	    strncmp(value, "[::1]:", 6) == 0 ? value + 6 : "";

	if (is_socket(value, strlen(value)))
		return (NULL);
	if (port[0] >= '1' && port[0] <= '9' && strspn(port, "0123456789") == strlen(port) &&
	    strlen(port) <= 5 && atoi(port) <= 65535)
		return (NULL);
	return ("unix:/path/of/socket, 127.0.0.1:PORT or [::1]:PORT: the web server stands in front");
}

static const char *
check_syslog(char *value)
{
	return (check_listen(value) == NULL ? NULL : "unix:/path/of/socket, 127.0.0.1:PORT or [::1]:PORT");
}

static const char *
check_redis(char *value)
{
	size_t len = strcspn(value, "?");

	if (is_socket(value, len))
		return (NULL);
	if (is_visible(value, 1024) && ((strncmp(value, "redis://", 8) == 0 && value[8] != '\0') ||
	    (strncmp(value, "rediss://", 9) == 0 && value[9] != '\0')))
		return (NULL);
	return ("unix:/path/of/socket, redis://[user:password@]host:port/db or rediss://...");
}

static const char *
check_window(char *value)
{
	int64_t length_ms, bucket_ms;

	return (window_parse(value, &length_ms, &bucket_ms));
}

/* ---- the tables ---- */

static const char *const basis_names[] = { [BASIS_TOTAL] = "total", [BASIS_NET_OF_TAX] = "net_of_tax", [BASIS_NET] = "net", NULL };
static const char *const bots_names[] = { [BOTS_LENIENT] = "lenient", [BOTS_STRICT] = "strict", NULL };
static const char *const model_names[] = {
	[MODEL_LAST_NON_DIRECT] = "last_non_direct", [MODEL_LAST] = "last", [MODEL_FIRST] = "first",
	[MODEL_LINEAR] = "linear", [MODEL_POSITION] = "position", [MODEL_TIME_DECAY] = "time_decay", NULL
};
static const char *const count_names[] = { "checkout", "payment_intents", "capture", NULL };

const char *
conf_model_name(enum conf_model model)
{
	must(model < CONF_MODELS);
	return (model_names[model]);
}

const struct section sections[SECTIONS] = {
	[IN_TOP] = { .name = "", .text = "Outside of all sections." },
	[IN_REDIS] = { .name = "redis", .sample = "",
	    .text = "The Redis that holds state and metrics." },
	[IN_WEBHOOK] = { .name = "webhook", .sample = "",
	    .text = "Where checkout webhooks come in. Without this section, and without a socket from "
	    "systemd, none are taken." },
	[IN_SITE] = { .name = "site", .title = "NAME", .check_title = check_site,
	    .array = offsetof(struct config, sites), .count = offsetof(struct config, n_sites),
	    .size = sizeof(struct site_conf), .title_field = offsetof(struct site_conf, name),
	    .line_field = offsetof(struct site_conf, line), .sample = "\"shop\"",
	    .text = "A shop, with logs and orders of its own. At least one; its name stands in the keys rpv:NAME:*." },
	[IN_LOG] = { .name = "log", .parent = IN_SITE, .title = "PATH", .title_is_path = true, .check_title = check_path,
	    .array = offsetof(struct site_conf, logs), .count = offsetof(struct site_conf, n_logs),
	    .size = sizeof(struct log_conf), .title_field = offsetof(struct log_conf, path),
	    .line_field = offsetof(struct log_conf, line), .sample = "\"/var/log/nginx/access.log\"",
	    .text = "An access log; PATH may have the wildcards of the shell, for several logs; - is standard input, which only a replay reads, to its end. Rotation is followed: rotated files "
	    "that PATH fits, too, are older parts of their log. A replay reads each file that fits, gzipped ones too." },
	[IN_SYSLOG] = { .name = "syslog", .parent = IN_SITE, .title = "ADDRESS", .check_title = check_syslog,
	    .array = offsetof(struct site_conf, syslogs), .count = offsetof(struct site_conf, n_syslogs),
	    .size = sizeof(struct log_conf), .title_field = offsetof(struct log_conf, path),
	    .line_field = offsetof(struct log_conf, line), .sample = "'unix:/run/rpvd/syslog.sock'",
	    .text = "Log lines that the web server sends by syslog, to unix:PATH, 127.0.0.1:PORT or [::1]:PORT (UDP), with the header of RFC 3164 "
	    "or RFC 5424. nginx: access_log syslog:server=unix:/run/rpvd/syslog.sock,nohostname NAME; with the log_format NAME. "
	    "A log file promises more, for it can be read again: a line that came is kept in memory until it is committed, "
	    "so that a Redis that is away, a reload and a stop cost none; a kill -9 or a power failure cost those since the last commit, "
	    "and what is sent while rpvd does not run is lost. A replay or a rebuild has none of these lines. See rpvd(8), LINES BY SYSLOG." },
	[IN_ORDERS] = { .name = "orders", .parent = IN_SITE, .title = "PATH", .title_is_path = true, .check_title = check_path,
	    .array = offsetof(struct site_conf, orders), .count = offsetof(struct site_conf, n_orders),
	    .size = sizeof(char *), .title_field = 0, .line_field = NO_LINE, .sample = "'/var/lib/rpvd/history.ndjson'",
	    .text = "A file of orders that happened elsewhere or earlier: one generic order event a line, as JSON. "
	    "It has no options: orders \"PATH\" {}." },
	[IN_TOKEN] = { .name = "token", .parent = IN_SITE, .title = "GLOB", .check_title = check_glob,
	    .array = offsetof(struct site_conf, tokens), .count = offsetof(struct site_conf, n_tokens),
	    .size = sizeof(struct rule_conf), .title_field = offsetof(struct rule_conf, glob),
	    .line_field = NO_LINE, .sample = "'/checkout/thanks*'",
	    .text = "Where a logged address shows an id that the order has too: the page that thanks, mostly. "
	    "The configured providers bring patterns of their own." },
	[IN_PAGE] = { .name = "page", .parent = IN_SITE, .title = "GLOB", .check_title = check_glob,
	    .array = offsetof(struct site_conf, pages), .count = offsetof(struct site_conf, n_pages),
	    .size = sizeof(struct rule_conf), .title_field = offsetof(struct rule_conf, glob),
	    .line_field = NO_LINE, .sample = "'/p/*'",
	    .text = "Pages that count as one. The first that matches wins." },
	[IN_PROVIDER] = { .name = "provider", .parent = IN_SITE, .title = "NAME", .check_title = check_provider,
	    .array = offsetof(struct site_conf, providers), .count = offsetof(struct site_conf, n_providers),
	    .size = sizeof(struct endpoint_conf), .title_field = offsetof(struct endpoint_conf, provider),
	    .line_field = offsetof(struct endpoint_conf, line), .sample = "'stripe'",
	    .text = "A payment provider that sends webhooks to this site. May occur several times, each with a path of its own." },
};

#define TOP(f) offsetof(struct config, f)
#define SITE(f) offsetof(struct site_conf, f)
#define HOOK(f) offsetof(struct endpoint_conf, f)

const struct option options[] = {
	{ IN_TOP, "state_dir", T_PATH, TOP(state_dir), .fallback = "/var/lib/rpvd", .check = check_path,
	    .text = "Directory of the webhook journal. It must survive a restart." },
	{ IN_TOP, "data_dir", T_PATH, TOP(data_dir), .check = check_path, .sample = "\"/usr/local/share/rpvd\"",
	    .text = "Directory of sources.tsv, bots.txt and hosting.txt, in place of the installed ones. See TABLES." },
	{ IN_TOP, "geo", T_PATH, TOP(geo), .check = check_path, .sample = "\"/var/lib/GeoIP/GeoLite2-Country.mmdb\"",
	    .text = "Database of countries in MaxMind's format, with country.iso_code or country_code. "
	    "Without it every country is (unknown)." },
	{ IN_TOP, "asn", T_PATH, TOP(asn), .check = check_path, .sample = "\"/var/lib/GeoIP/GeoLite2-ASN.mmdb\"",
	    .text = "Database of networks in MaxMind's format, with autonomous_system_number, or asn. "
	    "With it a visit from a network that hosts machines (hosting.txt) has that as evidence against it." },
	{ IN_TOP, "journal_keep", T_DURATION, TOP(journal_keep_ms), "35d", "1d", "400d",
	    .text = "How long webhooks stay in the journal after they were committed. "
	    "A Redis that lost its state is rebuilt from these." },
	{ IN_TOP, "quarantine_keep", T_DURATION, TOP(quarantine_keep_ms), "7d", "1h", "7d",
	    .text = "How long signed webhooks that could not be understood are kept, for a version of rpvd that can. "
	    "Such a body is kept as it came, with the customer's data in it." },
	{ IN_TOP, "commit_interval", T_DURATION, TOP(commit_interval_ms), "250ms", "50ms", "10s",
	    .text = "How often changes go to Redis." },
	{ IN_TOP, "memory_limit", T_SIZE, TOP(memory_limit), "128M", "32M", "64G",
	    .text = "What visits and series, and the copies of them on their way to Redis, take of memory at most, about, whoever makes "
	    "up visitors and pages; up to 32 MB for the program come on top. "
	    "All sites have equal shares. Near it visits wait in Redis instead, and the least important series go into (other). "
	    "A replay takes no less than it needs to be fast. See rpvd(8), WHAT BOUNDS MEMORY." },

	{ IN_REDIS, "url", T_STRING, TOP(redis_url), "unix:/run/rpvd/redis.sock", .check = check_redis,
	    .secret = true, .sampled = true,
	    .text = "unix:PATH[?db=N] or redis://[user:password@]host:port/db. rediss:// is the same by TLS; "
	    "the server's certificate must be made for that host." },
	{ IN_REDIS, "password_file", T_PATH, TOP(redis_password_file), .check = check_path, .sample = "\"/etc/rpvd/redis.password\"",
	    .text = "File whose first line is the password. Better than a password in the URL; "
	    "best as a credential, \"${CREDENTIALS_DIRECTORY}/redis.password\"." },
	{ IN_REDIS, "ca", T_PATH, TOP(redis_ca), .check = check_path, .sample = "\"/etc/rpvd/redis-ca.pem\"",
	    .text = "With rediss://: file of the certificates of the authorities that may have signed the server's, in PEM. Without it, "
	    "those that the system knows." },
	{ IN_REDIS, "certificate", T_PATH, TOP(redis_certificate), .check = check_path, .sample = "\"/etc/rpvd/redis-client.pem\"",
	    .text = "With rediss://: rpvd's own certificate and its chain, in PEM, for a Redis that wants one of its clients "
	    "(tls-auth-clients yes, which is its default)." },
	{ IN_REDIS, "certificate_key", T_PATH, TOP(redis_certificate_key), .check = check_path, .sample = "\"/etc/rpvd/redis-client.key\"",
	    .text = "The key of the certificate, where it is not in the same file. rpvd must be able to read it: by LoadCredential=redis.key:FILE "
	    "in the unit it is /run/credentials/rpvd.service/redis.key." },
	{ IN_REDIS, "allow_eviction", T_BOOL, TOP(redis_allow_eviction), "false",
	    .text = "Whether a Redis will do that may evict keys (maxmemory, with another maxmemory-policy than noeviction). It may then "
	    "forget orders, or everything; what it forgot is missing until all is made anew." },

	{ IN_WEBHOOK, "listen", T_STRING, TOP(webhook_listen), .check = check_listen,
	    .sample = "\"unix:/run/rpvd/webhook.sock\"", .sampled = true,
	    .text = "unix:PATH, 127.0.0.1:PORT or [::1]:PORT. The web server, which has the certificate, passes requests on to it." },

	{ IN_SITE, "hosts", T_LIST, SITE(hosts), "", .check = check_host,
	    .sample = "{\"shop.example\", \"www.shop.example\"}", .sampled = true,
	    .text = "The site's own host names. A referrer from one of them is no source." },
	{ IN_SITE, "currency", T_CURRENCY, SITE(currency), .required = true, .sample = "\"EUR\"", .sampled = true,
	    .text = "Currency of all published figures. Orders in others are converted by the rates." },
	{ IN_SITE, "rates", T_PATH, SITE(rates), .check = check_path, .sample = "\"/etc/rpvd/rates.csv\"",
	    .text = "Exchange rates in the layout of the CSV file that the European Central Bank publishes." },
	{ IN_SITE, "visitor", T_LIST, SITE(visitor), "ip_ua", .check = check_visitor, .sample = "{\"cookie:rpv\", \"ip_ua\"}",
	    .text = "What makes a visitor, the first that a hit has. cookie:NAME is a logged cookie ($cookie_NAME), "
	    "uid the one of nginx's userid module, ip_ua address and user agent under a key that changes every day. "
	    "At most four cookies." },
	{ IN_SITE, "session_timeout", T_DURATION, SITE(session_timeout_ms), "30m", "1m", "24h",
	    .text = "A longer gap between two pageviews starts a new visit." },
	{ IN_SITE, "lookback", T_DURATION, SITE(lookback_ms), "30d", "1d", "90d",
	    .text = "How far before an order visits may earn credit for it." },
	{ IN_SITE, "reorder", T_DURATION, SITE(reorder_ms), "0s", "0s", "1h",
	    .text = "How much disorder in the logs is put right, at the price of as much delay. "
	    "Set it a little above the flush= of a buffered access_log." },
	{ IN_SITE, "basis", T_ENUM, SITE(basis), "total", .choices = basis_names,
	    .text = "What of an order is revenue. All that was paid, that without tax, or that without tax and shipping." },
	{ IN_SITE, "model", T_ENUM, SITE(model), "last_non_direct", .choices = model_names,
	    .text = "Attribution model of the dimensions source, channel and campaign. "
	    "The other models have dimensions of their own, such as source.first." },
	{ IN_SITE, "bots", T_ENUM, SITE(bots), "lenient", .choices = bots_names,
	    .text = "Whether visits that pass for a person's, but behave like a machine's, count. "
	    "lenient shows the evidence beside the figures; strict leaves such visits out, unless the visitor buys." },
	{ IN_SITE, "windows", T_LIST, SITE(windows), "1h/1m 24h/15m 7d/1h 30d/6h", .check = check_window,
	    .sample = "{\"1h/1m\", \"24h/15m\", \"7d/1h\", \"30d/6h\"}",
	    .text = "Over what the figures are kept, each LENGTH/BUCKET: a window is its last buckets, the current one included, "
	    "and is called as its length is written. "
	    "One to eight, in m, h, d or w; a length is at most 90d, and at most 1000 of its buckets. "
	    "Where they are changed, the figures have to be made anew: see RECOVERY in rpvd(8)." },
	{ IN_SITE, "ignore_paths", T_LIST, SITE(ignore_paths), "", .check = check_glob, .sample = "{\"/wp-json/*\", \"/healthz\"}",
	    .text = "Path patterns of hits that are no pageviews. * is any run of characters, / too; ? is one." },
	{ IN_SITE, "ignore_referrers", T_LIST, SITE(ignore_referrers), "", .check = check_host, .sample = "{\"pay.example\"}",
	    .text = "Hosts, with their subdomains, from which visitors only come back. "
	    "The payment pages that are known need not be listed: see TABLES." },
	{ IN_SITE, "ignore_networks", T_LIST, SITE(ignore_networks), "", .check = check_network, .sample = "{\"192.0.2.0/24\", \"::1\"}",
	    .text = "Addresses and networks whose hits are dropped, such as the office and the monitoring." },
	{ IN_SITE, "trusted_proxies", T_LIST, SITE(trusted_proxies), "", .check = check_proxy, .sample = "{\"10.0.0.0/8\", \"127.0.0.1\"}",
	    .text = "Addresses and networks of your own proxies, load balancers and CDN, and unix: for one that comes by a unix socket. "
	    "Where the log has $http_x_forwarded_for, or another list of that kind, it is read from the right, over these: "
	    "the first other address is the client's, for visitors, ignore_networks and countries. "
	    "Trust none that you do not run: who writes the list chooses the address." },
	{ IN_SITE, "assets", T_LIST, SITE(assets), .check = check_extension, .sample = "{\"css\", \"js\", \"png\"}",
	    .text = "Extensions of files that are no pages, without the dot, in place of the built-in list." },
	{ IN_SITE, "max_series", T_UNSIGNED, SITE(max_series), "10000", "10", "1000000",
	    .text = "Most series of one dimension. What is beyond goes into (other)." },
	{ IN_SITE, "history_limit", T_SIZE, SITE(history_limit), "1G", "16M", "1024G",
	    .text = "What past visits may take of Redis, about, at some 100 bytes each. "
	    "From four fifths of it on visits of one pageview are not kept, from all of it on none but those that an order or a token names: "
	    "they count as ever, but no later order finds them." },

	{ IN_LOG, "format", T_STRING, offsetof(struct log_conf, format), "auto", .sampled = true,
	    .text = "How its lines are written. auto tells by the lines; else a preset (combined, json, w3c, haproxy and others below), nginx:NAME "
	    "for a log_format of nginx's configuration, or a web server's format string in single quotes." },
	{ IN_SYSLOG, "format", T_STRING, offsetof(struct log_conf, format), "auto", .sampled = true,
	    .text = "As that of a log." },
	{ IN_TOKEN, "param", T_STRING, offsetof(struct rule_conf, value), .required = true, .check = check_param,
	    .sample = "\"order\"", .sampled = true, .text = "Query parameter that has the id." },
	{ IN_PAGE, "as", T_STRING, offsetof(struct rule_conf, value), .required = true, .check = check_page,
	    .sample = "\"/p/:product\"", .sampled = true, .text = "The page that they count as." },

	{ IN_PROVIDER, "path", T_STRING, HOOK(path), .check = check_endpoint, .sample = "\"/hooks/stripe\"", .sampled = true,
	    .text = "Path of the requests. Not given, /hooks/NAME." },
	{ IN_PROVIDER, "secret_file", T_PATH, HOOK(secret_file), .check = check_path, .sample = "\"/etc/rpvd/stripe.secret\"", .sampled = true,
	    .text = "File with the signing secrets, one a line, all of them valid. "
	    "Not given, the systemd credential NAME.secret; another credential is \"${CREDENTIALS_DIRECTORY}/CREDENTIAL\"." },
	{ IN_PROVIDER, "visitor_key", T_STRING, HOOK(visitor_key), "rpv", .check = check_key,
	    .text = "Name under which the shop carries the visitor cookie through the checkout." },
	{ IN_PROVIDER, "tolerance", T_DURATION, HOOK(tolerance_ms), "300s", "1s", "24h",
	    .text = "How far a signed time may be from now." },
	{ IN_PROVIDER, "test", T_BOOL, HOOK(test), "false",
	    .text = "Count events of the provider's test mode, and only those." },
	{ IN_PROVIDER, "count", T_STRING, HOOK(count), "checkout", .choices = count_names,
	    .text = "What is an order, at providers that tell of one payment in several ways. Stripe: checkout counts Checkout sessions "
	    "and subscription invoices, payment_intents counts Payment Intents, for shops without Checkout. Adyen: checkout counts what is "
	    "authorised, capture what is captured, for shops that capture later. For all others it is checkout." },
	{ IN_PROVIDER, "notification_url", T_STRING, HOOK(notification_url), .check = check_url,
	    .sample = "\"https://shop.example/hooks/square\"",
	    .text = "Square only, and needed there. The address as it was typed into the webhook subscription, to the letter: it is signed." },
	{ IN_PROVIDER, "seller_id", T_STRING, HOOK(seller_id), .check = check_id, .sample = "\"tRp3gJ8kD0Q1ujhAfzHrDw==\"",
	    .text = "Gumroad only, and needed there. The seller's id that each ping has to have, since none is signed." },
	{ IN_PROVIDER, "webhook_id", T_STRING, HOOK(webhook_id), .check = check_id, .sample = "\"9XL90610J3647323C\"",
	    .text = "PayPal only, and needed there. The webhook's id as PayPal shows it: it is signed." },
	{ IN_PROVIDER, "certificate_file", T_PATH, HOOK(certificate_file), .check = check_path, .sample = "\"/etc/rpvd/paypal.pem\"",
	    .text = "PayPal only. The certificate with which PayPal's signatures are checked, in PEM. "
	    "Not given, those that webhooks name are fetched from PayPal." },
};
const size_t n_options = N_ELEM(options);

/* ---- names ---- */

const struct option *
option_find(enum section_id where, const char *name)
{
	for (size_t i = 0; i < n_options; i++)
		if (options[i].where == where && strcmp(options[i].name, name) == 0)
			return (&options[i]);
	return (NULL);
}

enum section_id
section_find(enum section_id where, const char *name)
{
	for (enum section_id i = IN_REDIS; i < SECTIONS; i++)
		if (sections[i].parent == where && strcmp(sections[i].name, name) == 0)
			return (i);
	return (IN_TOP);
}

/* Levenshtein's, a row at a time. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[33], la = strlen(a), lb = strlen(b);

	if (la > 32 || lb > 32)
		return (SIZE_MAX);
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return (row[lb]);
}

static void
nearer(const char *name, const char *candidate, const char **best, size_t *distance)
{
	size_t d = edit_distance(name, candidate);

	if (d < *distance) {
		*distance = d;
		*best = candidate;
	}
}

const char *
option_near(enum section_id where, const char *name)
{
	size_t distance = (strlen(name) + 1) / 3 + 1;	/* two letters that changed places are two edits */
	const char *best = NULL;

	for (size_t i = 0; i < n_options; i++)
		if (options[i].where == where)
			nearer(name, options[i].name, &best, &distance);
	for (size_t i = IN_REDIS; i < SECTIONS; i++)
		if (sections[i].parent == where)
			nearer(name, sections[i].name, &best, &distance);
	return (best);
}

/* ---- values ---- */

bool
duration_parse(const char *text, int64_t *ms)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", INT64_C(86400000) }, { "w", INT64_C(604800000) },
	};
	int64_t n;
	char *end;

	if (!isdigit((unsigned char)text[0]))		/* strtoimax takes blanks and signs */
		return (false);
	errno = 0;
	n = strtoimax(text, &end, 10);
	for (size_t i = 0; errno == 0 && i < N_ELEM(units); i++)
		if (strcmp(end, units[i].unit) == 0)
			return (!__builtin_mul_overflow(n, units[i].ms, ms));
	return (false);
}

#define BUCKETS_MAX 1000
#define WINDOW_MAX_MS (90 * INT64_C(86400000))

/* As it may stand in a key: one spelling a length, nothing but digits and a unit. */
static bool
window_duration(const char *text, size_t len, int64_t *ms)
{
	char copy[8];			/* 129600m are 90 days */

	if (len < 2 || len >= sizeof(copy) || text[0] == '0' || strchr("mhdw", text[len - 1]) == NULL)
		return (false);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return (duration_parse(copy, ms));
}

const char *
window_parse(const char *text, int64_t *length_ms, int64_t *bucket_ms)
{
	size_t len = strcspn(text, "/");
	const char *bucket = text + len + (text[len] == '/');

	if (!window_duration(text, len, length_ms) || !window_duration(bucket, strlen(bucket), bucket_ms))
		return ("LENGTH/BUCKET such as 24h/15m (units m h d w)");
	if (*length_ms > WINDOW_MAX_MS)
		return ("a length of at most 90d");
	if (*length_ms % *bucket_ms != 0)
		return ("a length that is so many whole buckets, such as 24h/15m");
	if (*length_ms / *bucket_ms > BUCKETS_MAX)
		return ("at most 1000 buckets: longer ones");
	return (NULL);
}

char *
option_path(const char *dir, const char *value)
{
	struct buf path = { 0 };

	if (value[0] != '/')
		buf_printf(&path, "%s/", dir);
	buf_puts(&path, value);
	buf_putc(&path, '\0');
	return (path.p);
}

static int
set_duration(const struct option *o, const char *value, int64_t *field, struct err *expected)
{
	int64_t ms = 0, min = 0, max = 0;

	must(duration_parse(o->min, &min) && duration_parse(o->max, &max));
	if (!duration_parse(value, &ms) || ms < min || ms > max)
		return (err_set(expected, "a duration from %s to %s, such as %s (units ms s m h d w)", o->min, o->max, o->fallback));
	*field = ms;
	return (0);
}

static int
set_unsigned(const struct option *o, const char *value, unsigned *field, struct err *expected)
{
	unsigned long n = strlen(value) <= 9 ? strtoul(value, NULL, 10) : 0;

	if (strspn(value, "0123456789") != strlen(value) || n < strtoul(o->min, NULL, 10) || n > strtoul(o->max, NULL, 10))
		return (err_set(expected, "a number from %s to %s", o->min, o->max));
	*field = (unsigned)n;
	return (0);
}

/* "64M": units K M G, each 1024 times the one before. */
static bool
size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const char *unit;
	uintmax_t n;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return (false);
	errno = 0;
	n = strtoumax(text, &end, 10);
	if (errno != 0)
		return (false);
	*bytes = n;
	if (*end == '\0')
		return (true);
	unit = strchr(units, *end);
	if (unit == NULL || end[1] != '\0')
		return (false);
	return (!__builtin_mul_overflow(n, UINT64_C(1) << (10 * (unit - units + 1)), bytes));
}

static int
set_size(const struct option *o, const char *value, uint64_t *field, struct err *expected)
{
	uint64_t bytes = 0, min = 0, max = 0;

	must(size_parse(o->min, &min) && size_parse(o->max, &max));
	if (!size_parse(value, &bytes) || bytes < min || bytes > max)
		return (err_set(expected, "a size from %s to %s, such as %s (units K M G)", o->min, o->max, o->fallback));
	*field = bytes;
	return (0);
}

static int
set_bool(const char *value, bool *field, struct err *expected)
{
	bool yes = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "on") == 0;
	bool no = strcmp(value, "false") == 0 || strcmp(value, "no") == 0 || strcmp(value, "off") == 0;

	if (!yes && !no)
		return (err_set(expected, "true or false"));
	*field = yes;
	return (0);
}

/* The place among the choices, or -1 with all of them in *expected. */
static int
choice(const struct option *o, const char *value, struct err *expected)
{
	struct buf all = { 0 };

	for (int i = 0; o->choices[i] != NULL; i++)
		if (strcmp(o->choices[i], value) == 0)
			return (i);
	for (size_t i = 0; o->choices[i] != NULL; i++)
		buf_printf(&all, "%s%s", i == 0 ? "" : o->choices[i + 1] != NULL ? ", " : " or ", o->choices[i]);
	err_set(expected, "%.*s", (int)all.len, all.p);
	buf_free(&all);
	return (-1);
}

_Static_assert(sizeof(enum conf_basis) == sizeof(unsigned) && sizeof(enum conf_bots) == sizeof(unsigned) && sizeof(enum conf_model) == sizeof(unsigned), "T_ENUM");

static int
set_enum(const struct option *o, const char *value, void *field, struct err *expected)
{
	int i = choice(o, value, expected);

	if (i < 0)
		return (-1);
	memcpy(field, &(unsigned){ (unsigned)i }, sizeof(unsigned));
	return (0);
}

static int
set_string(const struct option *o, const char *dir, const char *value, char **field, struct err *expected)
{
	char *copy = mem_strdup(value);
	const char *wrong = has_control(value) || value[0] == '\0' ? "visible text" : NULL;

	if (wrong == NULL && o->check != NULL)
		wrong = o->check(copy);
	if (wrong != NULL)
		err_set(expected, "%s", wrong);
	if (wrong != NULL || (o->choices != NULL && choice(o, value, expected) < 0)) {
		free(copy);
		return (-1);
	}
	*field = o->type == T_PATH ? option_path(dir, copy) : mem_strdup(copy);
	free(copy);
	return (0);
}

int
option_set(const struct option *o, const char *dir, const char *value, void *field, struct err *expected)
{
	switch (o->type) {
	case T_STRING:
	case T_PATH:
	case T_LIST:				/* one item of it */
		return (set_string(o, dir, value, field, expected));
	case T_DURATION:
		return (set_duration(o, value, field, expected));
	case T_UNSIGNED:
		return (set_unsigned(o, value, field, expected));
	case T_SIZE:
		return (set_size(o, value, field, expected));
	case T_BOOL:
		return (set_bool(value, field, expected));
	case T_ENUM:
		return (set_enum(o, value, field, expected));
	case T_CURRENCY:
		break;
	}
	must(o->type == T_CURRENCY);
	if (currency_parse(slice_of(value), field))
		return (0);
	return (err_set(expected, "a currency code of three letters, such as EUR"));
}

/* ---- the manual ---- */

/* One word; what roff would read as its own is escaped. */
static int
write_word(FILE *f, const char *word, int len, bool begins_line)
{
	int column = 0;

	if (begins_line && (word[0] == '.' || word[0] == '\''))
		column += fprintf(f, "\\&");
	for (int i = 0; i < len; i++)
		column += word[i] == '\\' ? fprintf(f, "\\e") : fprintf(f, "%c", word[i]);
	return (column);
}

/* Each sentence begins a line, as mdoc wants it. */
static void
write_roff(FILE *f, const char *text)
{
	int column = 0;

	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (column > 0 && (text[-2] == '.' || column + len > 76)) {
			fputc('\n', f);
			column = 0;
		}
		if (column > 0)
			column += fprintf(f, " ");
		column += write_word(f, text, len, column == 0);
		text += len + (text[len] == ' ');
	}
	fputc('\n', f);
}

static const char *
type_name(const struct option *o)
{
	static const char *const names[] = {
		[T_STRING] = "string", [T_PATH] = "path", [T_LIST] = "list", [T_DURATION] = "duration",
		[T_UNSIGNED] = "number", [T_SIZE] = "size", [T_BOOL] = "bool", [T_ENUM] = "word", [T_CURRENCY] = "currency",
	};

	return (o->choices != NULL ? names[T_ENUM] : names[o->type]);
}

static void
write_limits(FILE *f, const struct option *o)
{
	if (o->choices != NULL) {
		fputs("One of", f);
		for (size_t i = 0; o->choices[i] != NULL; i++)
			fprintf(f, "%s\n.Cm %s", i == 0 ? "" : " ,", o->choices[i]);
		fputs(" .\n", f);
	}
	if (o->min != NULL)
		fprintf(f, "From %s to %s.\n", o->min, o->max);
	if (o->required)
		fputs("Required.\n", f);
	else if (o->fallback != NULL && o->fallback[0] != '\0')
		fprintf(f, "Default:\n.Cm %s .\n", o->fallback);
}

static void
write_section(FILE *f, enum section_id id)
{
	const struct section *s = &sections[id];
	bool listed = false;

	if (id == IN_TOP)
		fputs(".Ss Global options\n", f);
	else if (s->title != NULL)
		fprintf(f, ".Ss %s \\(dq%s\\(dq%s%s\n", s->name, s->title, s->parent != IN_TOP ? " in " : "", sections[s->parent].name);
	else
		fprintf(f, ".Ss %s\n", s->name);
	write_roff(f, s->text);
	for (size_t i = 0; i < n_options; i++) {
		if (options[i].where != id)
			continue;
		if (!listed)
			fputs(".Bl -tag -width Ds\n", f);
		listed = true;
		fprintf(f, ".It Ic %s No = Ar %s\n", options[i].name, type_name(&options[i]));
		write_roff(f, options[i].text);
		write_limits(f, &options[i]);
	}
	if (listed)
		fputs(".El\n", f);
}

void
config_write_mdoc(FILE *f)
{
	for (enum section_id id = IN_TOP; id < SECTIONS; id++)
		write_section(f, id);
}

/* ---- the sample file ---- */

static void
write_comment(FILE *f, int indent, const char *text)
{
	int column = 0;

	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (column == 0 || column + len > 78)
			column = fprintf(f, "%s%*s#", column > 0 ? "\n" : "", indent, "") - (column > 0);
		column += fprintf(f, " %.*s", len, text);
		text += len + (text[len] == ' ');
	}
	fputc('\n', f);
}

static void
write_sample_option(FILE *f, const struct option *o, int indent, const char *mark)
{
	fprintf(f, "%*s%s%s = ", indent, "", mark, o->name);
	if (o->sample != NULL)
		fprintf(f, "%s\n", o->sample);
	else
		fprintf(f, o->type == T_LIST ? "{\"%s\"}\n" : "\"%s\"\n", o->fallback);
}

static void
write_sample_body(FILE *f, enum section_id id, int indent, bool silent)
{
	for (size_t i = 0; i < n_options; i++) {
		const struct option *o = &options[i];

		if (o->where != id)
			continue;
		write_comment(f, indent, o->text);
		write_sample_option(f, o, indent, silent || !o->sampled ? "#" : "");
	}
}

/* A section whose title stands in single quotes in the table is an offer, not a need. */
static void
write_sample_section(FILE *f, enum section_id id, int indent)
{
	const struct section *s = &sections[id];
	bool silent = s->sample[0] == '\'';
	const char *mark = silent ? "#" : "";
	int title = (int)strlen(s->sample) - 2;

	fputc('\n', f);
	write_comment(f, indent, s->text);
	fprintf(f, "%*s%s%s ", indent, "", mark, s->name);
	if (title > 0)
		fprintf(f, "\"%.*s\" ", title, s->sample + 1);
	fputs("{\n", f);
	write_sample_body(f, id, indent + 4, silent);
	for (enum section_id i = IN_REDIS; id != IN_TOP && i < SECTIONS; i++)
		if (sections[i].parent == id)
			write_sample_section(f, i, indent + 4);
	fprintf(f, "%*s%s}\n", indent, "", mark);
}

void
config_write_sample(FILE *f)
{
	fputs("# Configuration of rpvd; rpvd.conf(5) explains it, `rpvd -t` checks it.\n"
	    "# What is commented out is the default, or an example where there is none.\n\n", f);
	write_sample_body(f, IN_TOP, 0, false);
	for (enum section_id i = IN_REDIS; i < SECTIONS; i++)
		if (sections[i].parent == IN_TOP)
			write_sample_section(f, i, 0);
}
