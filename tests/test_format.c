/*
 * The formats beside nginx' strings (test_hit.c has those): JSON, LTSV, W3C, HAProxy, the
 * strings of Apache and Envoy, load balancers, and auto, which tells them apart.  One rule a row.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit.h"
#include "core/hit_time.h"

#define START "1.2.3.4 - - [22/Nov/2026:03:20:55 +0000] "
#define T INT64_C(1795317655000)	/* of START */
#define MORE "\"GET / HTTP/1.1\" 200 5 \"-\" \"x\""
#define LTSV "time:22/Nov/2026:03:20:55 +0000\tstatus:200\t"
#define JSON "{\"ts\":1795317655,\"status\":200,"
#define FIELDS "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status cs(User-Agent)\n"
#define HAPROXY "1.2.3.4:5 [22/Nov/2026:03:20:55.459] www app/a 0/0/0/0/0 200 5 - - ---- 1/1/0/0/0 0/0 "
#define ENVOY "[2026-11-22T03:20:55.459Z] \"GET /a?b HTTP/2\" 200 - 0 5 12 11 "
#define ALB "https 2026-11-22T03:20:55.459000Z app/lb/50dc 1.2.3.4:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "
#define APACHE "%h %l %u %t \"%r\" %>s %b"
#define S3 "79a5 b [22/Nov/2026:03:20:55 +0000] 1.2.3.4 - 3E57 REST.GET.OBJECT a \"GET /b/a?b HTTP/1.1\" 200 - 113 - 7 - \"http://r/\" \"Moz \\\"x\\\"\" - k SigV4"
#define ISTIO "[2026-11-22T03:20:55.459Z] \"GET /a?b HTTP/1.1\" 200 - via_upstream - \"-\" 0 5 12 11 \"9.9.9.9\" \"x\" \"id\" \"shop.example\" " \
	"\"10.0.0.1:80\" inbound|80|| 127.0.0.6:1 10.0.0.1:80 9.9.9.9:0 - default"
#define MEASURED "%m %U%q %>s "

static const char *const cookie_names[] = { "rpv", "s-id" };

/* The last line of `lines` is the one that counts.  Fields that are left out are absent. */
static const struct row {
	const char *why, *spec, *lines;
	enum hit_drop drop;
	int64_t time_ms;
	int status;
	uint64_t bytes;
	const char *addr, *method, *target, *referrer, *agent, *host, *forwarded, *protocol, *rpv, *sid, *uid_got, *header;
} rows[] = {
	/* JSON: names */
	{ "nginx' own variables", "json", "{\"msec\":\"1795317655.459\",\"remote_addr\":\"1.2.3.4\",\"request_method\":\"GET\",\"request_uri\":\"/a?b\","
	    "\"server_protocol\":\"HTTP/2.0\",\"status\":\"200\",\"body_bytes_sent\":\"5\",\"http_referer\":\"r\",\"http_user_agent\":\"x\",\"host\":\"h\","
	    "\"http_x_forwarded_for\":\"9.9.9.9\",\"cookie_rpv\":\"c\",\"uid_got\":\"uid=1\"}",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .protocol = "HTTP/2.0",
	    .referrer = "r", .agent = "x", .host = "h", .forwarded = "9.9.9.9", .rpv = "c", .uid_got = "uid=1" },
	{ "a request line", "json", JSON "\"request\":\"GET /a?b HTTP/1.1\"}", .time_ms = T, .status = 200, .method = "GET", .target = "/a?b",
	    .protocol = "HTTP/1.1" },
	{ "Caddy", "caddy", "{\"level\":\"info\",\"ts\":1795317655.4598,\"request\":{\"remote_ip\":\"10.0.0.1\",\"client_ip\":\"1.2.3.4\",\"proto\":\"HTTP/2.0\","
	    "\"method\":\"GET\",\"host\":\"h\",\"uri\":\"/a?b\",\"headers\":{\"Referer\":[\"r\"],\"User-Agent\":[\"x\",\"y\"],\"X-Forwarded-For\":[\"9.9.9.9\"],"
	    "\"Cookie\":[\"a=1; s-id=2\"]}},\"size\":5,\"status\":200,\"resp_headers\":{\"Referer\":[\"no\"],\"X-{\":[\"}\"]}}",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .protocol = "HTTP/2.0",
	    .referrer = "r", .agent = "x", .host = "h", .forwarded = "9.9.9.9", .sid = "2", .header = "a=1; s-id=2" },
	{ "Traefik", "traefik_json", "{\"ClientAddr\":\"[2001:db8::1]:4\",\"DownstreamContentSize\":5,\"DownstreamStatus\":200,\"OriginStatus\":502,"
	    "\"RequestHost\":\"h\",\"RequestMethod\":\"GET\",\"RequestPath\":\"/a?b\",\"RequestProtocol\":\"HTTP/1.1\",\"StartLocal\":\"2026-11-22T04:20:55.459876543+01:00\","
	    "\"StartUTC\":\"2026-11-22T03:20:55.459876543Z\",\"request_Referer\":\"r\",\"request_User-Agent\":\"x\",\"time\":\"2026-11-22T03:20:56Z\"}",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "2001:db8::1", .method = "GET", .target = "/a?b", .protocol = "HTTP/1.1",
	    .referrer = "r", .agent = "x", .host = "h" },
	{ "Traefik, of a visitor who sends headers of these names", "traefik_json", "{\"ClientHost\":\"1.2.3.4\",\"DownstreamStatus\":200,\"RequestMethod\":\"GET\","
	    "\"RequestPath\":\"/a\",\"StartUTC\":\"2026-11-22T03:20:55Z\",\"request_Client-Ip\":\"6.6.6.6\",\"request_Remote-Ip\":\"6.6.6.6\",\"request_Uri\":\"/x\","
	    "\"request_Url\":\"/x\",\"request_Method\":\"POST\",\"request_X-Forwarded-For\":\"9.9.9.9\",\"request_Cookie\":\"rpv=1\"}",
	    .time_ms = T, .status = 200, .addr = "1.2.3.4", .method = "GET", .target = "/a", .forwarded = "9.9.9.9", .rpv = "1", .header = "rpv=1" },
	{ "Google's load balancer", "gcp", "{\"httpRequest\":{\"requestMethod\":\"GET\",\"requestUrl\":\"https://h/a?b\",\"requestSize\":\"1\",\"status\":200,"
	    "\"responseSize\":\"5\",\"userAgent\":\"x\",\"remoteIp\":\"1.2.3.4\",\"referer\":\"r\",\"serverIp\":\"10.0.0.1\",\"latency\":\"0.1s\"},"
	    "\"insertId\":\"i\",\"timestamp\":\"2026-11-22T03:20:55.459876Z\",\"jsonPayload\":{\"@type\":\"t\"}}",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "https://h/a?b", .referrer = "r", .agent = "x" },
	{ "Cloudflare, with nanoseconds", "json", "{\"ClientIP\":\"1.2.3.4\",\"ClientRequestHost\":\"h\",\"ClientRequestMethod\":\"GET\",\"ClientRequestURI\":\"/a?b\","
	    "\"ClientRequestUserAgent\":\"x\",\"ClientRequestReferer\":\"r\",\"EdgeResponseStatus\":200,\"EdgeResponseBytes\":5,\"EdgeStartTimestamp\":1795317655459876543}",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .referrer = "r", .agent = "x", .host = "h" },
	{ "Elastic Common Schema, with dots or nested", "json", "{\"@timestamp\":\"2026-11-22T03:20:55.459Z\",\"source.address\":\"1.2.3.4\",\"http\":{\"request\":"
	    "{\"method\":\"GET\",\"referrer\":\"r\"},\"response\":{\"status_code\":200,\"body\":{\"bytes\":5}}},\"url.original\":\"/a?b\",\"user_agent\":{\"original\":\"x\"}}",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .referrer = "r", .agent = "x" },
	{ "ingress-nginx", "json", JSON "\"vhost\":\"h\",\"request_proto\":\"HTTP/2.0\",\"path\":\"/a\",\"request_query\":\"b=c\",\"method\":\"GET\",\"x_forwarded_for\":\"9.9.9.9\","
	    "\"http_referrer\":\"r\",\"http_user_agent\":\"x\"}", .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c", .protocol = "HTTP/2.0", .referrer = "r",
	    .agent = "x", .host = "h", .forwarded = "9.9.9.9" },
	{ "Azure Front Door", "json", "{\"time\":\"2026-11-22T03:20:55.459Z\",\"properties\":{\"httpMethod\":\"GET\",\"requestUri\":\"https://h:443/a?b\",\"httpStatusCode\":\"200\","
	    "\"clientIp\":\"1.2.3.4\",\"userAgent\":\"x\",\"referer\":\"r\",\"hostName\":\"h\",\"responseBytes\":\"5\"}}", .time_ms = T + 459, .status = 200, .bytes = 5,
	    .addr = "1.2.3.4", .method = "GET", .target = "https://h:443/a?b", .referrer = "r", .agent = "x", .host = "h" },
	{ "Akamai", "json", "{\"cliIP\":\"1.2.3.4\",\"reqTimeSec\":\"1795317655.459\",\"reqMethod\":\"GET\",\"reqHost\":\"h\",\"reqPath\":\"/a\",\"queryStr\":\"b=c\",\"statusCode\":\"200\",\"UA\":\"x\"}",
	    .time_ms = T + 459, .status = 200, .addr = "1.2.3.4", .method = "GET", .target = "/a?b=c", .agent = "x", .host = "h" },
	{ "a request that is a path", "json", JSON "\"remoteIP\":\"1.2.3.4\",\"request\":\"/a\",\"query\":\"?b=c\",\"method\":\"POST\"}", .time_ms = T, .status = 200,
	    .addr = "1.2.3.4", .method = "POST", .target = "/a?b=c" },
	{ "milliseconds", "json", "{\"time\":1795317655459,\"statusCode\":200}", .time_ms = T + 459, .status = 200 },
	{ "as the common log writes it, in brackets", "json", "{\"time\":\"[22/Nov/2026:03:20:55 +0000]\",\"code\":200}", .time_ms = T, .status = 200 },
	{ "path and query", "json", JSON "\"path\":\"/a\",\"query\":\"b=c\"}", .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c" },
	{ "a query that brings its mark", "json", JSON "\"path\":\"/a\",\"query\":\"?b=c\"}", .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c" },
	{ "the query in front, and much between", "json", JSON "\"query\":\"b=c\",\"method\":\"GET\",\"agent\":\"x\",\"path\":\"/a\",\"host\":\"h\"}",
	    .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c", .agent = "x", .host = "h" },
	{ "the query behind, and much between", "json", JSON "\"path\":\"/a\",\"method\":\"GET\",\"agent\":\"x\",\"query\":\"b=c\",\"host\":\"h\"}",
	    .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c", .agent = "x", .host = "h" },
	{ "a path that is whole already", "json", JSON "\"uri\":\"/a?b=c\",\"args\":\"b=c\"}", .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c" },
	{ "the better name counts, wherever it stands", "json", JSON "\"ip\":\"9.9.9.9\",\"remote_addr\":\"1.2.3.4\",\"client\":\"8.8.8.8\"}",
	    .time_ms = T, .status = 200, .addr = "1.2.3.4" },
	{ "but one that is empty does not", "json", JSON "\"remote_addr\":\"-\",\"clientip\":null,\"client\":\"\",\"ip\":\"9.9.9.9\"}",
	    .time_ms = T, .status = 200, .addr = "9.9.9.9" },
	{ "a header that a visitor named like a field is none", "json", JSON "\"request\":{\"headers\":{\"Status\":[\"500\"],\"Remote_addr\":[\"6.6.6.6\"],\"Client-Ip\":[\"6.6.6.6\"]}}}",
	    .time_ms = T, .status = 200 },

	/* JSON: how it is put together */
	{ "blanks", "json", " { \"ts\" : 1795317655 , \"status\" : 200 , \"a\" : { } , \"b\" : [ ] } ", .time_ms = T, .status = 200 },
	{ "escapes", "json", JSON "\"agent\":\"\\\"\\\\\\/\\t\\u00e9\\u20ac\\ud83d\\ude00\\x41\\ud83d.\\q\\u12\"}", .time_ms = T, .status = 200,
	    .agent = "\"\\/\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" "A\xef\xbf\xbd.\\q\\u12" },
	{ "bytes that are no UTF-8", "json", JSON "\"agent\":\"\xff\xfe\"}", .time_ms = T, .status = 200, .agent = "\xff\xfe" },
	{ "values of other kinds", "json", JSON "\"a\":true,\"b\":null,\"c\":-1.5e+3,\"d\":[1,[2,{\"x\":\"]\"}]],\"e\":{\"f\":{\"g\":\"}\"}}}", .time_ms = T, .status = 200 },
	{ "deeper than anybody looks", "json", JSON "\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}", .time_ms = T, .status = 200 },
	{ "nginx without a value", "json", "{\"ts\":1795317655,\"size\":,\"status\":200}", .time_ms = T, .status = 200 },
	{ "cut short", "json", JSON "\"agent\":\"Moz", .drop = HIT_MALFORMED },
	{ "cut behind a value", "json", JSON "\"agent\":\"x\"", .drop = HIT_MALFORMED },
	{ "cut in a nested one", "json", JSON "\"a\":{\"b\":[\"x\"", .drop = HIT_MALFORMED },
	{ "glued", "json", JSON "\"agent\":\"Moz" JSON "\"agent\":\"x\"}", .drop = HIT_MALFORMED },
	{ "two", "json", JSON "\"agent\":\"x\"}" JSON "\"agent\":\"x\"}", .drop = HIT_MALFORMED },
	{ "an array", "json", "[1]", .drop = HIT_MALFORMED },
	{ "a key without a value", "json", "{\"a\"}", .drop = HIT_MALFORMED },
	{ "a word for a value", "json", "{\"a\":%}", .drop = HIT_MALFORMED },
	{ "no time", "json", "{\"status\":200}", .drop = HIT_BAD_TIME },
	{ "no status", "json", "{\"ts\":1795317655}", .drop = HIT_BAD_STATUS },

	/* LTSV */
	{ "ltsv.org's labels", "ltsv", LTSV "host:1.2.3.4\tforwardedfor:9.9.9.9\treq:GET /a?b HTTP/1.1\tsize:5\treferer:r\tua:x y\tvhost:h\tcookie:a=1; rpv=2",
	    .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .protocol = "HTTP/1.1", .referrer = "r",
	    .agent = "x y", .host = "h", .forwarded = "9.9.9.9", .rpv = "2", .header = "a=1; rpv=2" },
	{ "time in brackets, and parts of the request", "ltsv", "time:[22/Nov/2026:03:20:55 +0000]\tremote_addr:1.2.3.4\thost:shop.example\tmethod:GET\turi:/a\tquery:b\tstatus:200\tua:a\\x22b:c",
	    .time_ms = T, .status = 200, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .host = "shop.example", .agent = "a\"b:c" },
	{ "another order than the line before", "ltsv", LTSV "ua:x\treferer:r\n" LTSV "referer:r\tua:x", .time_ms = T, .status = 200, .agent = "x", .referrer = "r" },
	{ "empty values", "ltsv", LTSV "referer:-\tua:", .time_ms = T, .status = 200 },
	{ "a part without a label", "ltsv", LTSV "referer", .drop = HIT_MALFORMED },
	{ "a part with none before its colon", "ltsv", LTSV ":x", .drop = HIT_MALFORMED },
	{ "cut in a label", "ltsv", LTSV "ua:x\tvho", .drop = HIT_MALFORMED },
	{ "no time", "ltsv", "status:200\tua:x", .drop = HIT_BAD_TIME },

	/* W3C */
	{ "IIS", "iis", FIELDS "2026-11-22 03:20:55 1.2.3.4 GET /a b=c 200 Mozilla/5.0+(X)", .time_ms = T, .status = 200, .addr = "1.2.3.4",
	    .method = "GET", .target = "/a?b=c", .agent = "Mozilla/5.0 (X)" },
	{ "its other columns", "w3c", "#Fields: date time s-ip cs-version cs(Cookie) cs(Referer) cs-host sc-bytes sc-status c-ip x-forwarded-for\n"
	    "2026-11-22 03:20:55 10.0.0.1 HTTP/2 a=1;+rpv=2 http://r/?q=a+b h 5 200 1.2.3.4 9.9.9.9",
	    .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .host = "h", .referrer = "http://r/?q=a+b", .protocol = "HTTP/2", .rpv = "2",
	    .forwarded = "9.9.9.9", .header = "a=1;+rpv=2" },
	{ "a header is no hit", "w3c", FIELDS "#Software: x", .drop = HIT_EMPTY },
	{ "columns that change", "w3c", FIELDS "2026-11-22 03:20:54 1.2.3.4 GET /a - 200 x\n#Fields: sc-status date time c-ip\n404 2026-11-22 03:20:55 1.2.3.4",
	    .time_ms = T, .status = 404, .addr = "1.2.3.4" },
	{ "no query", "w3c", FIELDS "2026-11-22 03:20:55 - GET /a - 200 -", .time_ms = T, .status = 200, .method = "GET", .target = "/a" },
	{ "the query in front of the path", "w3c", "#Fields: date time cs-uri-query cs-method cs-uri-stem sc-status\n2026-11-22 03:20:55 b=c GET /a 200",
	    .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c" },
	{ "the date in the header, and a fraction", "w3c", "#Date: 2026-11-22 00:00:00\n#Fields: time sc-status\n03:20:55.459 200", .time_ms = T + 459, .status = 200 },
	{ "a date that stands elsewhere", "w3c", "#Fields: time sc-status date\n03:20:55 200 2026-11-22", .time_ms = T, .status = 200 },
	{ "CloudFront: tabs, and percents", "cloudfront", "#Version: 1.0\n#Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query x-host-header\n"
	    "2026-11-22\t03:20:55\t1.2.3.4\tGET\td1.cloudfront.net\t/a%2520b\t200\thttp://r/?q=%2520\tMozilla/5.0%20(X)\tb=%2541\tshop.example",
	    .time_ms = T, .status = 200, .addr = "1.2.3.4", .method = "GET", .target = "/a%20b?b=%41", .referrer = "http://r/?q=%20", .agent = "Mozilla/5.0 (X)",
	    .host = "shop.example" },
	{ "CloudFront, older: agents encoded twice", "cloudfront", "#Fields: date time sc-status cs(User-Agent)\n2026-11-22\t03:20:55\t200\tMozilla/5.0%2520(X)",
	    .time_ms = T, .status = 200, .agent = "Mozilla/5.0 (X)" },
	{ "values in quotes", "w3c", "#Fields: date time c-ip cs(User-agent) cs-method cs-uri cs-uri-query sc-status cs(Referrer)\n"
	    "\"2026-11-22\" \"03:20:55\" \"1.2.3.4\" \"Moz (Y)\" \"GET\" \"/a\" \"b=c\" \"200\" \"-\"", .time_ms = T, .status = 200, .addr = "1.2.3.4",
	    .method = "GET", .target = "/a?b=c", .agent = "Moz (Y)" },
	{ "a quote that stays open", "w3c", "#Fields: date time sc-status cs(User-Agent)\n2026-11-22 03:20:55 200 \"Moz", .time_ms = T, .status = 200, .agent = "\"Moz" },
	{ "a whole address", "w3c", "#Fields: date time cs-method cs-uri cs-uri-query sc-status\n2026-11-22 03:20:55 GET /a?b b 200", .time_ms = T, .status = 200,
	    .method = "GET", .target = "/a?b" },
	{ "no header", "w3c", "2026-11-22 03:20:55 1.2.3.4 GET /a - 200 x", .drop = HIT_MALFORMED },
	{ "a column too few", "w3c", FIELDS "2026-11-22 03:20:55 1.2.3.4 GET /a - 200", .drop = HIT_MALFORMED },
	{ "one too many", "w3c", FIELDS "2026-11-22 03:20:55 1.2.3.4 GET /a - 200 x y", .drop = HIT_MALFORMED },
	{ "a day that is none", "w3c", FIELDS "2026-11-31 03:20:55 1.2.3.4 GET /a - 200 x", .drop = HIT_BAD_TIME },
	{ "no time at all", "w3c", "#Fields: sc-status cs-method\n200 GET", .drop = HIT_BAD_TIME },

	/* HAProxy */
	{ "captures by their looks", "haproxy", HAPROXY "{shop.example|https://r.example/|Mozilla/5.0 (X)|9.9.9.9, 10.0.0.1} \"GET /a?b HTTP/1.1\"",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .protocol = "HTTP/1.1",
	    .referrer = "https://r.example/", .agent = "Mozilla/5.0 (X)", .host = "shop.example", .forwarded = "9.9.9.9, 10.0.0.1" },
	{ "by their names", "haproxy:User-Agent|x|Referer", HAPROXY "{https://x|y|z|https://r} \"GET / HTTP/1.1\"", .time_ms = T + 459, .status = 200,
	    .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .agent = "https://x", .referrer = "z" },
	{ "behind syslog, over IPv6, with what the response captured", "haproxy", "Nov 22 03:20:55 lb haproxy[1]: 2001:db8::1:55 [22/Nov/2026:03:20:55.000] a~ b/c 0/0/0/0/0 304 1 - - ---- 1/1/1/1/0 0/0 {x.example} {nginx} \"GET / HTTP/2.0\" 0/0/0",
	    .time_ms = T, .status = 304, .bytes = 1, .addr = "2001:db8::1", .method = "GET", .target = "/", .protocol = "HTTP/2.0", .host = "x.example" },
	{ "its escapes", "haproxy", HAPROXY "{|#22a#7C#zz} \"GET /#22 HTTP/1.1\"", .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4",
	    .method = "GET", .target = "/\"", .protocol = "HTTP/1.1", .agent = "\"a|#zz" },
	{ "a cookie that it captured", "haproxy", "1.2.3.4:5 [22/Nov/2026:03:20:55.459] w a/a 0/0/0/0/0 200 5 rpv=abc - ---- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"",
	    .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .rpv = "abc", .header = "rpv=abc" },
	{ "a bad request", "haproxy", HAPROXY "\"<BADREQ>\"", .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4" },
	{ "nobody was answered", "haproxy", "1.2.3.4:5 [22/Nov/2026:03:20:55.459] w a/a 0/0/-1/-1/0 -1 0 - - CC-- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"", .drop = HIT_BAD_STATUS },
	{ "its tcplog", "haproxy", "1.2.3.4:5 [22/Nov/2026:03:20:55.459] w a/a 0/0/5007 212 -- 0/0/0/0/3 0/0", .drop = HIT_MALFORMED },
	{ "cut short", "haproxy", HAPROXY "\"GET /a", .drop = HIT_MALFORMED },
	{ "cut in a capture", "haproxy", HAPROXY "{shop.exam", .drop = HIT_MALFORMED },

	/* Apache's strings */
	{ "its common", APACHE, START "\"GET /a?b HTTP/1.1\" 200 -", .time_ms = T, .status = 200, .addr = "1.2.3.4", .method = "GET", .target = "/a?b", .protocol = "HTTP/1.1" },
	{ "as it stands in the configuration", "%h %l %u %t \\\"%r\\\" %>s %b \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\"", START MORE,
	    .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .agent = "x" },
	{ "modifiers", "%!404,500{Referer}i %200{User-Agent}i %<s %t \"%>r\"", "r x 200 [22/Nov/2026:03:20:55 +0000] \"GET / HTTP/1.1\"",
	    .time_ms = T, .status = 200, .method = "GET", .target = "/", .protocol = "HTTP/1.1", .referrer = "r", .agent = "x" },
	{ "percent signs, and dollars", "%%$1 %t \"%r\" %s $", "%$1 [22/Nov/2026:03:20:55 +0000] \"GET / HTTP/1.1\" 200 $", .time_ms = T, .status = 200,
	    .method = "GET", .target = "/", .protocol = "HTTP/1.1" },
	{ "method, path and query", MEASURED "%{msec}t", "GET /a?b=c 200 1795317655459", .time_ms = T + 459, .status = 200, .method = "GET", .target = "/a?b=c" },
	{ "apart", "%m %U %q| %>s %{usec}t %H", "GET /a ?b=c| 200 1795317655459876 HTTP/1.1", .time_ms = T + 459, .status = 200, .method = "GET", .target = "/a?b=c", .protocol = "HTTP/1.1" },
	{ "the query in front", "%q|%m|%U|%>s %{sec}t", "?b=c|GET|/a|200 1795317655", .time_ms = T, .status = 200, .method = "GET", .target = "/a?b=c" },
	{ "addresses, hosts, cookies", MEASURED "%{msec}t %{c}a %h %a %v %V \"%{Host}i\" %{rpv}C \"%{Cookie}i\" \"%{X-Forwarded-For}i\"",
	    "GET / 200 1795317655459 1.1.1.1 2.2.2.2 1.2.3.4 v V \"h\" c \"a=1; s-id=2\" \"9.9.9.9\"", .time_ms = T + 459, .status = 200, .addr = "1.2.3.4",
	    .method = "GET", .target = "/", .host = "h", .rpv = "c", .sid = "2", .forwarded = "9.9.9.9", .header = "a=1; s-id=2" },
	{ "its escapes", APACHE " \"%{User-Agent}i\"", START "\"GET / HTTP/1.1\" 200 5 \"\\\"a\\\\b\\tc\\xc3\\xa9\\q\"", .time_ms = T, .status = 200, .bytes = 5,
	    .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .agent = "\"a\\b\tc\xc3\xa9\\q" },
	{ "an unquoted value with blanks in front of the status", "%{Cookie}i %s %t \"%r\"", "a=1; b=2 200 [22/Nov/2026:03:20:55 +0000] \"GET / HTTP/1.1\"",
	    .time_ms = T, .status = 200, .method = "GET", .target = "/", .protocol = "HTTP/1.1", .header = "a=1; b=2" },
	{ "strftime", MEASURED "[%{%d/%b/%Y %T %z}t]", "GET / 200 [22/Nov/2026 04:20:55 +0100]", .time_ms = T, .status = 200, .method = "GET", .target = "/" },
	{ "without a zone it is UTC", MEASURED "%{%F %T}t", "GET / 200 2026-11-22 03:20:55", .time_ms = T, .status = 200, .method = "GET", .target = "/" },
	{ "a time in parts", MEASURED "[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t]", "GET / 200 [22/Nov/2026:03:20:55.459 +0000]", .time_ms = T + 459, .status = 200, .method = "GET", .target = "/" },
	{ "names, and half a day", MEASURED "%{begin:%A, %B %e %Y, %I:%M:%S %p %Z}t", "GET / 200 Sunday, November 22 2026, 03:20:55 AM UTC", .time_ms = T, .status = 200, .method = "GET", .target = "/" },
	{ "in the afternoon", MEASURED "%{%D %r}t", "GET / 200 11/22/26 03:20:55 PM", .time_ms = T + 43200000, .status = 200, .method = "GET", .target = "/" },
	{ "seconds and their fraction", MEASURED "%{%s}t.%{usec_frac}t", "GET / 200 1795317655.459876", .time_ms = T + 459, .status = 200, .method = "GET", .target = "/" },
	{ "another text than the pattern's", MEASURED "%{%F %T}t", "GET / 200 2026/11/22 03:20:55", .drop = HIT_BAD_TIME },
	{ "more than the pattern", MEASURED "%{%F %T}t|", "GET / 200 2026-11-22 03:20:55.1|", .drop = HIT_BAD_TIME },
	{ "hour 13 of the forenoon", MEASURED "%{%D %r}t", "GET / 200 11/22/26 13:20:55 PM", .drop = HIT_BAD_TIME },

	/* Envoy */
	{ "its default", "envoy", ENVOY "\"9.9.9.9\" \"Moz (X)\" \"id\" \"shop.example\" \"10.0.0.1:80\"", .time_ms = T + 459, .status = 200, .bytes = 5,
	    .method = "GET", .target = "/a?b", .protocol = "HTTP/2", .agent = "Moz (X)", .host = "shop.example", .forwarded = "9.9.9.9" },
	{ "a string", "%START_TIME% %DOWNSTREAM_REMOTE_ADDRESS% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% \"%REQ(REFERER):200%\" %%\n",
	    "2026-11-22T03:20:55.000Z [2001:db8::1]:80 GET /a 200 \"r\" %", .time_ms = T, .status = 200, .addr = "2001:db8::1", .method = "GET", .target = "/a", .referrer = "r" },

	{ "Istio", "istio", ISTIO, .time_ms = T + 459, .status = 200, .bytes = 5, .method = "GET", .target = "/a?b", .protocol = "HTTP/1.1", .agent = "x",
	    .host = "shop.example", .forwarded = "9.9.9.9" },
	{ "Istio", "auto", ISTIO, .time_ms = T + 459, .status = 200, .bytes = 5, .method = "GET", .target = "/a?b", .protocol = "HTTP/1.1", .agent = "x",
	    .host = "shop.example", .forwarded = "9.9.9.9" },

	/* load balancers of AWS */
	{ "ALB", "alb", ALB "\"GET https://shop.example:443/a?b HTTP/1.1\" \"Moz \\x22\" C T arn \"Root=1\" \"shop.example\" \"arn\" 0 2018-07-02T22:22:48.364000Z \"forward\" \"-\"",
	    .time_ms = T + 459, .status = 200, .bytes = 57, .addr = "1.2.3.4", .method = "GET", .target = "https://shop.example:443/a?b", .protocol = "HTTP/1.1",
	    .agent = "Moz \"", .host = "shop.example" },
	{ "ELB", "elb", "2026-11-22T03:20:55.459000Z lb [2001:db8::1]:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET http://s:80/ HTTP/1.1\" \"x\" C T",
	    .time_ms = T + 459, .status = 200, .bytes = 57, .addr = "2001:db8::1", .method = "GET", .target = "http://s:80/", .protocol = "HTTP/1.1", .agent = "x" },

	/* storage and other networks */
	{ "S3", "s3", S3, .time_ms = T, .status = 200, .bytes = 113, .addr = "1.2.3.4", .method = "GET", .target = "/b/a?b", .protocol = "HTTP/1.1",
	    .referrer = "http://r/", .agent = "Moz \"x\"" },
	{ "Google Cloud Storage", "cloudstorage", "\"1795317655459876\",\"1.2.3.4\",\"1\",\"\",\"GET\",\"/b/a?b\",\"200\",\"0\",\"57\",\"9000\",\"h\",\"r\",\"Moz, (X)\",\"id\",\"GET_Object\",\"b\",\"a\"",
	    .time_ms = T + 459, .status = 200, .bytes = 57, .addr = "1.2.3.4", .method = "GET", .target = "/b/a?b", .referrer = "r", .agent = "Moz, (X)", .host = "h" },
	{ "Bunny: no method", "bunny", "HIT|200|1795317655459|57|390|1.2.3.4|https://r/|https://h/a?b|DE|Moz (X)|id|DE", .time_ms = T + 459, .status = 200, .bytes = 57,
	    .addr = "1.2.3.4", .method = "GET", .target = "https://h/a?b", .referrer = "https://r/", .agent = "Moz (X)" },
	{ "JSON without a method", "json", JSON "\"ip\":\"1.2.3.4\",\"path\":\"/a\",\"length\":5}", .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4",
	    .method = "GET", .target = "/a" },
	{ "S3", "auto", S3, .time_ms = T, .status = 200, .bytes = 113, .addr = "1.2.3.4", .method = "GET", .target = "/b/a?b", .protocol = "HTTP/1.1",
	    .referrer = "http://r/", .agent = "Moz \"x\"" },
	{ "Google Cloud Storage", "auto", "\"1795317655459876\",\"1.2.3.4\",\"1\",\"\",\"GET\",\"/b\",\"200\",\"0\",\"57\",\"9000\",\"h\",\"\",\"x\",\"id\",\"GET_Object\",\"b\",\"a\"",
	    .time_ms = T + 459, .status = 200, .bytes = 57, .addr = "1.2.3.4", .method = "GET", .target = "/b", .agent = "x", .host = "h" },
	{ "its header", "auto", "\"time_micros\",\"c_ip\",\"c_ip_type\"", .drop = HIT_MALFORMED },
	{ "Bunny", "auto", "MISS|404|1795317655459|57|390|1.2.3.4|-|https://h/|DE|x|id|DE", .time_ms = T + 459, .status = 404, .bytes = 57,
	    .addr = "1.2.3.4", .method = "GET", .target = "https://h/", .agent = "x" },

	/* auto: the common log and what stands around it */
	{ "common", "auto", START "\"GET / HTTP/1.1\" 200 5", .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1" },
	{ "combined", "auto", START MORE, .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .agent = "x" },
	{ "main", "auto", START MORE " \"9.9.9.9, 10.0.0.1\"", .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/",
	    .protocol = "HTTP/1.1", .agent = "x", .forwarded = "9.9.9.9, 10.0.0.1" },
	{ "words and quotes behind it; a duration is no address", "auto", START MORE " 1062 [a] [] \"0.005\" \"9.9.9.9\" \"-\"", .time_ms = T, .status = 200, .bytes = 5,
	    .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .agent = "x", .forwarded = "9.9.9.9" },
	{ "the host in front, with a port", "auto", "shop.example:443 " START MORE, .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET",
	    .target = "/", .protocol = "HTTP/1.1", .agent = "x", .host = "shop.example" },
	{ "a list in place of the address", "auto", "9.9.9.9, 10.0.0.1 - - [22/Nov/2026:03:20:55 +0000] " MORE, .time_ms = T, .status = 200, .bytes = 5, .method = "GET",
	    .target = "/", .protocol = "HTTP/1.1", .agent = "x", .forwarded = "9.9.9.9, 10.0.0.1" },
	{ "host and list", "auto", "[2001:db8::2]:80 9.9.9.9, 10.0.0.1 - bob [22/Nov/2026:03:20:55 +0000] " MORE, .time_ms = T, .status = 200, .bytes = 5, .method = "GET",
	    .target = "/", .protocol = "HTTP/1.1", .agent = "x", .forwarded = "9.9.9.9, 10.0.0.1", .host = "[2001:db8::2]" },
	{ "lighttpd", "auto", "1.2.3.4 shop.example - [22/Nov/2026:03:20:55 +0000] " MORE, .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET",
	    .target = "/", .protocol = "HTTP/1.1", .agent = "x", .host = "shop.example" },
	{ "a user with blanks", "auto", "1.2.3.4 - John Doe [22/Nov/2026:03:20:55 +0000] " MORE, .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET",
	    .target = "/", .protocol = "HTTP/1.1", .agent = "x" },
	{ "empty values", "auto", "1.2.3.4 -  [22/Nov/2026:03:20:55 +0000] \"\" 400 0 \"\" \"\"", .time_ms = T, .status = 400, .addr = "1.2.3.4" },
	{ "escape=none: quotes in every field", "auto", START "\"GET /a\"b HTTP/1.1\" 200 1 \"r\"s\" \"echo \"x\" y\"", .time_ms = T, .status = 200, .bytes = 1,
	    .addr = "1.2.3.4", .method = "GET", .target = "/a\"b", .protocol = "HTTP/1.1", .referrer = "r\"s", .agent = "echo \"x\" y" },
	{ "escape=none: an agent that ends in a backslash", "auto", START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\\\"", .time_ms = T, .status = 200, .bytes = 1,
	    .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .agent = "x\\" },
	{ "a forged status stays in the target", "auto", START "\"GET /\\\" 200 5 HTTP/1.1\" 404 7", .time_ms = T, .status = 404, .bytes = 7, .addr = "1.2.3.4",
	    .method = "GET", .target = "/\"", .protocol = "HTTP/1.1" },
	{ "glued in the request", "auto", START "\"GET /a HT" START MORE, .drop = HIT_MALFORMED },
	{ "glued in the agent", "auto", START "\"GET /a HTTP/1.1\" 200 5 \"-\" \"Moz" START MORE, .drop = HIT_MALFORMED },
	{ "glued behind the line", "auto", START MORE START MORE, .drop = HIT_MALFORMED },
	{ "glued in the user", "auto", "1.2.3.4 - " START MORE, .drop = HIT_MALFORMED },
	{ "cut in the agent", "auto", START "\"GET / HTTP/1.1\" 200 5 \"-\" \"Moz", .drop = HIT_MALFORMED },
	{ "cut in the referrer", "auto", START "\"GET / HTTP/1.1\" 200 5 \"http", .drop = HIT_MALFORMED },
	{ "a day that is none", "auto", "1.2.3.4 - - [31/Nov/2026:03:20:55 +0000] " MORE, .drop = HIT_BAD_TIME },
	{ "words where an address is to be", "auto", "a b c d [22/Nov/2026:03:20:55 +0000] " MORE, .drop = HIT_MALFORMED },

	/* auto: the others */
	{ "JSON", "auto", JSON "\"remote_addr\":\"1.2.3.4\"}", .time_ms = T, .status = 200, .addr = "1.2.3.4" },
	{ "LTSV", "auto", LTSV "host:1.2.3.4", .time_ms = T, .status = 200, .addr = "1.2.3.4" },
	{ "LTSV with the common log's time in brackets", "auto", "host:1.2.3.4\ttime:[22/Nov/2026:03:20:55 +0000]\tstatus:200", .time_ms = T, .status = 200, .addr = "1.2.3.4" },
	{ "W3C", "auto", FIELDS "2026-11-22 03:20:55 1.2.3.4 GET /a b=c 200 x", .time_ms = T, .status = 200, .addr = "1.2.3.4", .method = "GET", .target = "/a?b=c", .agent = "x" },
	{ "combined below a W3C header", "auto", FIELDS START MORE, .time_ms = T, .status = 200, .bytes = 5, .addr = "1.2.3.4", .method = "GET", .target = "/",
	    .protocol = "HTTP/1.1", .agent = "x" },
	{ "W3C once more, below that", "auto", FIELDS START MORE "\n2026-11-22 03:20:55 1.2.3.4 GET /a - 200 x", .time_ms = T, .status = 200, .addr = "1.2.3.4",
	    .method = "GET", .target = "/a", .agent = "x" },
	{ "HAProxy", "auto", "Nov 22 03:20:55 lb haproxy[1]: " HAPROXY "\"GET / HTTP/1.1\"", .time_ms = T + 459, .status = 200, .bytes = 5, .addr = "1.2.3.4",
	    .method = "GET", .target = "/", .protocol = "HTTP/1.1" },
	{ "Envoy", "auto", ENVOY "\"-\" \"x\" \"id\" \"h\" \"-\"", .time_ms = T + 459, .status = 200, .bytes = 5, .method = "GET", .target = "/a?b", .protocol = "HTTP/2",
	    .agent = "x", .host = "h" },
	{ "ALB", "auto", ALB "\"GET / HTTP/1.1\" \"x\" - - - \"Root=1\" \"-\" \"-\"", .time_ms = T + 459, .status = 200, .bytes = 57, .addr = "1.2.3.4", .method = "GET",
	    .target = "/", .protocol = "HTTP/1.1", .agent = "x" },
	{ "ELB", "auto", "2026-11-22T03:20:55.459000Z lb 1.2.3.4:2817 10.0.0.1:80 0 0 0 200 200 0 57 \"GET / HTTP/1.1\" \"x\" C T", .time_ms = T + 459, .status = 200,
	    .bytes = 57, .addr = "1.2.3.4", .method = "GET", .target = "/", .protocol = "HTTP/1.1", .agent = "x" },
	{ "an error log", "auto", "2026/11/22 03:20:55 [error] 1#1: *1 open() failed", .drop = HIT_MALFORMED },
	{ "a comment that is no header", "auto", "# rotated", .drop = HIT_MALFORMED },
	{ "garbage", "auto", "garbage", .drop = HIT_MALFORMED },
};

static void
same(const char *why, const char *name, struct slice is, const char *want)
{
	struct slice w = slice_of(want != NULL ? want : "");

	ck_assert_msg(slice_equal(is, w), "%s: %s is \"%.*s\", not \"%s\"", why, name, (int)(is.len < 200 ? is.len : 200), is.p, w.p);
}

static struct format *
compile(const char *spec)
{
	struct err err = { "" };
	struct format *f = format_compile(spec, cookie_names, N_ELEM(cookie_names), &err);

	ck_assert_msg(f != NULL, "%s: %s", spec, err.msg);
	return (f);
}

/* All lines but the last are only read.  *copy: the last, which the hit is of; on the heap and of the exact size. */
static enum hit_drop
parse(struct format *f, const char *lines, char **copy, struct hit *hit)
{
	struct slice rest = slice_of(lines);
	enum hit_drop drop = HIT_EMPTY;

	for (*copy = NULL; rest.len > 0;) {
		struct slice line = slice_cut(&rest, '\n');

		free(*copy);
		*copy = mem_dup(line.p, line.len);
		drop = hit_parse(f, *copy, line.len, hit);
	}
	return (drop);
}

static void
row_check(const struct row *r, enum hit_drop drop, const struct hit *hit)
{
	ck_assert_msg(drop == r->drop, "%s: %s, not %s", r->why, hit_drop_name(drop), hit_drop_name(r->drop));
	if (drop != HIT_OK)
		return;
	ck_assert_msg(hit->time_ms == r->time_ms, "%s: time is %lld", r->why, (long long)hit->time_ms);
	ck_assert_msg(hit->status == r->status, "%s: status is %d", r->why, hit->status);
	ck_assert_msg(hit->bytes == r->bytes, "%s: bytes is %llu", r->why, (unsigned long long)hit->bytes);
	same(r->why, "addr", hit->addr, r->addr);
	same(r->why, "forwarded", hit->forwarded, r->forwarded);
	same(r->why, "method", hit->method, r->method);
	same(r->why, "target", hit->target, r->target);
	same(r->why, "protocol", hit->protocol, r->protocol);
	same(r->why, "referrer", hit->referrer, r->referrer);
	same(r->why, "agent", hit->agent, r->agent);
	same(r->why, "host", hit->host, r->host);
	same(r->why, "cookie rpv", hit->cookies[0], r->rpv);
	same(r->why, "cookie s-id", hit->cookies[1], r->sid);
	same(r->why, "uid_got", hit->uid_got, r->uid_got);
	same(r->why, "cookie header", hit->cookie_header, r->header);
}

/* Twice: the second time what a reader remembers of the first is used. */
START_TEST(hit_of_line)
{
	const struct row *r = &rows[_i];
	struct format *f = compile(r->spec);
	struct hit hit;
	char *copy;

	for (int i = 0; i < 2; i++) {
		row_check(r, parse(f, r->lines, &copy, &hit), &hit);
		free(copy);
	}
	format_free(&f);
}
END_TEST

/* Cut anywhere, no byte behind it is read. */
START_TEST(hit_of_cut_line)
{
	const struct row *r = &rows[_i];
	struct format *f = compile(r->spec);
	size_t len = strlen(r->lines);
	struct hit hit;
	char *copy;

	for (size_t n = 0; n < len; n++) {
		char *lines = mem_strndup(r->lines, n);

		ck_assert(parse(f, lines, &copy, &hit) < HIT_DROPS);
		free(copy);
		free(lines);
	}
	format_free(&f);
}
END_TEST

/* What auto makes of a line is what the line says, whatever came before it. */
START_TEST(auto_is_of_the_line)
{
	struct format *f = compile("auto");
	struct hit hit;
	char *copy;

	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < N_ELEM(rows); i++) {
			const struct row *r = &rows[(i * 37 + round) % N_ELEM(rows)];

			if (strcmp(r->spec, "auto") != 0)
				continue;
			row_check(r, parse(f, r->lines, &copy, &hit), &hit);
			free(copy);
		}
	format_free(&f);
}
END_TEST

START_TEST(auto_says_what_it_found)
{
	static const struct { const char *lines, *name; bool agent, cookies; } found[] = {
		{ START "\"GET / HTTP/1.1\" 200 5", "common", false, false },
		{ START MORE, "combined", true, false },
		{ START MORE " 5", "combined with more behind it", true, false },
		{ "h " START MORE, "combined with the host in front", true, false },
		{ JSON "\"a\":1}", "JSON", true, true },
		{ FIELDS "2026-11-22 03:20:55 1.2.3.4 GET /a - 200 x", "W3C", true, true },
		{ "garbage", NULL, false, false },
	};

	for (size_t i = 0; i < N_ELEM(found); i++) {
		struct format *f = compile("auto");
		struct hit hit;
		char *copy;
		unsigned bit = 0;

		ck_assert_uint_eq(format_found(f), 0);
		parse(f, found[i].lines, &copy, &hit);
		while (found[i].name != NULL && strcmp(format_found_name(bit), found[i].name) != 0)
			bit++;
		ck_assert_uint_eq(format_found(f), found[i].name != NULL ? 1U << bit : 0);
		if (found[i].name != NULL) {
			ck_assert(format_found_has_agent(bit) == found[i].agent);
			ck_assert(format_found_has_cookies(bit) == found[i].cookies);
		}
		free(copy);
		format_free(&f);
	}
}
END_TEST

/* The header can be taken along and set elsewhere. */
START_TEST(header_of_w3c)
{
	static const char line[] = "2026-11-22 03:20:55 1.2.3.4 GET /a - 200 x";
	static const char *const specs[] = { "w3c", "auto" };

	for (size_t i = 0; i < N_ELEM(specs); i++) {
		struct format *f = compile(specs[i]), *g = compile(specs[i]);
		struct hit hit;
		char *copy;

		ck_assert(format_has_header(f));
		ck_assert_uint_eq(format_header(f).len, 0);
		ck_assert_int_eq(parse(f, line, &copy, &hit), HIT_MALFORMED);
		ck_assert(format_lacks_header(f, slice_of(line)));
		free(copy);
		ck_assert_int_eq(parse(f, "#Date: 2026-11-22 01:02:03\n" FIELDS, &copy, &hit), HIT_EMPTY);
		free(copy);
		ck_assert(!format_lacks_header(f, slice_of(line)));
		format_header_set(g, format_header(f));
		ck_assert(slice_equal(format_header(g), format_header(f)));
		ck_assert_int_eq(parse(g, line, &copy, &hit), HIT_OK);
		free(copy);
		format_header_set(g, SLICE(""));
		ck_assert_int_eq(parse(g, line, &copy, &hit), HIT_MALFORMED);
		free(copy);
		format_free(&f);
		format_free(&g);
	}
}
END_TEST

/* auto looks for a header on disk only for what could be below one. */
START_TEST(header_lacks)
{
	struct format *f = compile("auto"), *json = compile("json");

	ck_assert(!format_lacks_header(f, slice_of("garbage that is long enough to be a line")));
	ck_assert(!format_lacks_header(f, slice_of("2026-11-22T03:20:55Z something else")));
	ck_assert(!format_lacks_header(f, slice_of("2026-11-22")));
	ck_assert(format_lacks_header(f, slice_of("2026-11-22\t03:20:55\tFRA2\t5")));
	ck_assert(!format_has_header(json));
	format_free(&f);
	format_free(&json);
}
END_TEST

static const struct {
	const char *why, *spec, *says;	/* says: a part of the sentence; NULL: compiles */
} spec_rows[] = {
	{ "a word that is no preset", "combine", "auto, combined, common" },
	{ "nothing between directives", "%h%u %t %r %s", "%h and %u need a separator" },
	{ "no time", "%h %r %s", "%t" },
	{ "no status", "%t %r", "%>s" },
	{ "no request", "%t %s", "%r, or %m and %U%q" },
	{ "a percent at the end", "%t %r %s %", "letter is missing at \"%\"" },
	{ "a brace that stays open", "%t %r %s %{Referer", "letter is missing" },
	{ "a time of a day without a year", "%{%d/%b %T}t %r %s", "needs a time" },
	{ "a time with a letter that is none", "%{%F %T %Q}t %r %s", "needs a time" },
	{ "all at once", "%t %r %s", NULL },
	{ "Envoy: a percent too few", "%START_TIME% %REQ(:METHOD)% %RESPONSE_CODE", "percent sign that ends a command" },
	{ "Envoy: no status", "%START_TIME% %REQ(:METHOD)% %REQ(:PATH)%", "needs $status" },
	{ "Envoy", "%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%", NULL },
	{ "nginx: escape=", "escape=json $msec $status $request", NULL },
	{ "nginx: no such escape=", "escape=jsn $msec $status $request", NULL },	/* a text in front, as far as can be known */
	{ "captures", "haproxy:Host|User-Agent", NULL },
};

START_TEST(format_of_spec)
{
	struct err err = { "" };
	struct format *f = format_compile(spec_rows[_i].spec, NULL, 0, &err);

	ck_assert_msg((f != NULL) == (spec_rows[_i].says == NULL), "%s: %s", spec_rows[_i].why, err.msg);
	if (f == NULL)
		ck_assert_msg(strstr(err.msg, spec_rows[_i].says) != NULL, "%s: %s", spec_rows[_i].why, err.msg);
	format_free(&f);
}
END_TEST

/* escape=json and escape=none of one string read the same bytes differently. */
START_TEST(escape_parameter)
{
	static const struct { const char *spec, *line, *agent; } lines[] = {
		{ "$msec $status $request \"$http_user_agent\"", "1.5 200 GET / \"\\x41\\n\\\\\"", "A\\n\\" },
		{ "escape=json $msec $status $request \"$http_user_agent\"", "1.5 200 GET / \"\\u0041\\n\\\\\"", "A\n\\" },
		{ "escape=none $msec $status $request \"$http_user_agent\"", "1.5 200 GET / \"\\x41\\n\\\\\"", "\\x41\\n\\\\" },
		{ "escape=none $msec $status $request \"$http_user_agent\"", "1.5 200 GET / \"a\\\"", "a\\" },
		{ "{\"t\":\"$msec\",\"s\":$status,\"r\":\"$request\",\"a\":\"$http_user_agent\"}", "{\"t\":\"1.5\",\"s\":200,\"r\":\"GET /\",\"a\":\"\\\"\\t\\x41\"}", "\"\tA" },
	};

	for (size_t i = 0; i < N_ELEM(lines); i++) {
		struct format *f = compile(lines[i].spec);
		struct hit hit;
		char *copy;

		ck_assert_int_eq(parse(f, lines[i].line, &copy, &hit), HIT_OK);
		same(lines[i].spec, "agent", hit.agent, lines[i].agent);
		free(copy);
		format_free(&f);
	}
}
END_TEST

static const struct { const char *text; int64_t ms; } any_rows[] = {
	{ "1795317655", T }, { "1795317655.459876", T + 459 }, { "1795317655459", T + 459 }, { "1795317655459876", T + 459 },
	{ "1795317655459876543", T + 459 }, { "2026-11-22T03:20:55Z", T }, { "2026-11-22T04:20:55.459+01:00", T + 459 },
	{ "2026-11-22 03:20:55", T }, { "2026-11-22 03:20:55.459 +0000", T + 459 }, { "2026-11-22 03:20:55 UTC", T },
	{ "2026-11-22\t03:20:55", T }, { "22/Nov/2026:03:20:55 +0000", T }, { "[22/Nov/2026:03:20:55 +0000]", T },
	{ "22/Nov/2026:03:20:55.459", T + 459 }, { "", -1 }, { "-", -1 }, { "[]", -1 }, { "2026-11-22", -1 }, { "2026-11-22X03:20:55", -1 },
	{ "2026-11-22 03:20:55 CET", -1 }, { "22/Nov/2026:03:20:55", -1 }, { "22/Nov/2026:03:20:55.", -1 }, { "99999999999999999999", -1 },
	{ "179531765545x", -1 }, { "9795317655459", -1 },
};

START_TEST(time_of_anything)
{
	size_t len = strlen(any_rows[_i].text);
	char *copy = mem_dup(any_rows[_i].text, len);
	int64_t ms = -7;
	bool ok = hit_time_any(slice_make(copy, len), &ms);

	ck_assert_msg(ok == (any_rows[_i].ms >= 0) && ms == (ok ? any_rows[_i].ms : -7), "%s is %lld", any_rows[_i].text, (long long)ms);
	free(copy);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("format");
	TCase *tc = tcase_create("formats");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, hit_of_line, 0, (int)N_ELEM(rows));
	tcase_add_loop_test(tc, hit_of_cut_line, 0, (int)N_ELEM(rows));
	tcase_add_test(tc, auto_is_of_the_line);
	tcase_add_test(tc, auto_says_what_it_found);
	tcase_add_test(tc, header_of_w3c);
	tcase_add_test(tc, header_lacks);
	tcase_add_loop_test(tc, format_of_spec, 0, (int)N_ELEM(spec_rows));
	tcase_add_test(tc, escape_parameter);
	tcase_add_loop_test(tc, time_of_anything, 0, (int)N_ELEM(any_rows));
	suite_add_tcase(s, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
