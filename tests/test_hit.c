/*
 * Log formats and lines.  The tables hold one rule a row; the recorded logs of real
 * servers, where they are at hand (RPVD_SHARED), say whether the rules are the world's.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "core/hit.h"
#include "core/hit_time.h"

#define SHOWN(s) (int)((s).len < 200 ? (s).len : 200), (s).p	/* Check refuses longer messages */

#define MAIN "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent " \
	"\"$http_referer\" \"$http_user_agent\""
#define COOKIE MAIN " $msec \"$cookie_rpv\""
#define UID MAIN " \"$uid_got\" \"$uid_set\""
#define SHORT "$msec $status \"$request\""
#define TAIL "$msec $status $request"
#define SPLIT "$msec $status $request_method $request_uri"
#define START "1.2.3.4 - - [22/Nov/2026:03:20:55 +0000] "
#define T INT64_C(1795317655000)	/* of START */

static const char *const cookie_names[] = { "rpv", "sid" };

static struct format *
compile(const char *spec)
{
	struct err err = { "" };
	struct format *f = format_compile(spec, cookie_names, N_ELEM(cookie_names), &err);

	ck_assert_msg(f != NULL, "%s: %s", spec, err.msg);
	return (f);
}

/* What a line says; fields that are left out are absent. */
static const struct line_row {
	const char *why, *spec, *line;
	enum hit_drop drop;
	int64_t time_ms;
	int status;
	uint64_t bytes;
	const char *addr, *method, *target, *referrer, *agent, *host, *rpv, *sid, *uid_got, *uid_set, *forwarded;
} line_rows[] = {
	/* presets */
	{ "combined", "combined", START "\"GET /lamp?a=b HTTP/1.1\" 200 512 \"https://r.example/\" \"Mozilla/5.0 (X)\"",
	    .time_ms = T, .status = 200, .bytes = 512, .addr = "1.2.3.4", .method = "GET", .target = "/lamp?a=b",
	    .referrer = "https://r.example/", .agent = "Mozilla/5.0 (X)" },
	{ "common has neither referrer nor agent", "common", START "\"POST / HTTP/1.0\" 302 7",
	    .time_ms = T, .status = 302, .bytes = 7, .addr = "1.2.3.4", .method = "POST", .target = "/" },
	{ "vhost_combined has the host in front", "vhost_combined", "shop.example:443 " START "\"GET / HTTP/2.0\" 200 1 \"-\" \"x\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/", .agent = "x",
	    .host = "shop.example" },
	{ "a user name may stand where - mostly does", "combined", "::1 - bob [22/Nov/2026:03:20:55 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "::1", .method = "GET", .target = "/", .agent = "x" },

	/* variables */
	{ "msec beats time_local; a cookie", COOKIE, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" 1772450504.123 \"AB\"",
	    .time_ms = INT64_C(1772450504123), .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET",
	    .target = "/", .agent = "x", .rpv = "AB" },
	{ "an absent cookie", COOKIE, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" 1772450504.123 \"-\"",
	    .time_ms = INT64_C(1772450504123), .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET",
	    .target = "/", .agent = "x" },
	{ "msec beats time_local from the front, too", "$msec [$time_local] $status $request", "1.5 [22/Nov/2026:03:20:55 +0000] 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/" },
	{ "time_local beats time_iso8601", "$time_iso8601 [$time_local] $status $request", "2000-01-01T00:00:00Z [22/Nov/2026:03:20:55 +0000] 200 GET /",
	    .time_ms = T, .status = 200, .method = "GET", .target = "/" },
	{ "a bad time_iso8601 that nobody asks for harms nothing", "$time_iso8601 $msec $status $request", "- 1.5 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/" },
	{ "the list of proxies", MAIN " \"$http_x_forwarded_for\"", START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" \"9.9.9.9, 10.0.0.2\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/", .agent = "x",
	    .forwarded = "9.9.9.9, 10.0.0.2" },
	{ "a list in place of the address", "$http_x_forwarded_for - $remote_user [$time_local] $status $request",
	    "9.9.9.9, 10.0.0.2 - - [22/Nov/2026:03:20:55 +0000] 200 GET /",
	    .time_ms = T, .status = 200, .method = "GET", .target = "/", .forwarded = "9.9.9.9, 10.0.0.2" },
	{ "no proxy", MAIN " \"$http_x_forwarded_for\"", START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" \"-\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/", .agent = "x" },
	{ "uid_got and uid_set as nginx logs them", UID, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" \"uid=0100007FD7\" \"-\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/", .agent = "x",
	    .uid_got = "uid=0100007FD7" },
	{ "uid_set", UID, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" \"-\" \"uid=0100007FD7\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/", .agent = "x",
	    .uid_set = "uid=0100007FD7" },
	{ "cookies go to the place of their name", "$msec $cookie_sid $cookie_other $cookie_rpv $status $request", "1.5 s o r 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/", .rpv = "r", .sid = "s" },
	{ "the last cookie variable of a name does not win", "$msec $cookie_rpv $cookie_rpv $status $request", "1.5 a b 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/", .rpv = "a" },
	{ "braces; nginx does not look at case", "${msec}x${Status}x${REQUEST}", "1.5x200xGET /x",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/x" },
	{ "host beats http_host beats server_name", "$msec $server_name $http_host $host $status $request", "1.5 a b c 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/", .host = "c" },
	{ "http_host beats server_name", "$msec $http_host $server_name $status $request", "1.5 b a 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/", .host = "b" },
	{ "body_bytes_sent beats bytes_sent", "$msec $bytes_sent $body_bytes_sent $status $request", "1.5 900 5 200 GET /",
	    .time_ms = 1500, .status = 200, .bytes = 5, .method = "GET", .target = "/" },
	{ "bytes_sent alone", "$msec $bytes_sent $status $request", "1.5 900 200 GET /",
	    .time_ms = 1500, .status = 200, .bytes = 900, .method = "GET", .target = "/" },
	{ "bytes - as Apache writes for none", "$msec $bytes_sent $status $request", "1.5 - 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/" },
	{ "an absurd size does not overflow", "$msec $bytes_sent $status $request", "1.5 99999999999999999999999999 200 GET /",
	    .time_ms = 1500, .status = 200, .bytes = UINT64_C(999999999999999999), .method = "GET", .target = "/" },
	{ "variables that nobody knows are skipped", "$http_x_trace $foo_bar9 $msec $status $request", "9.9.9.9 z 1.5 200 GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/" },

	/* the request */
	{ "request_method and request_uri", SPLIT, "1.5 200 GET /a?b=c", .time_ms = 1500, .status = 200,
	    .method = "GET", .target = "/a?b=c" },
	{ "both - where nginx read no request", SPLIT, "1.5 400 - -", .time_ms = 1500, .status = 400 },
	{ "request wins over the parts", "$msec $status $request_method $request_uri \"$request\"", "1.5 200 A /b \"GET /c HTTP/1.1\"",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/c" },
	{ "request_uri wins over uri", "$msec $status $request_method $uri $request_uri", "1.5 200 GET /decoded /raw?x",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/raw?x" },
	{ "uri alone is a path", "$msec $status $request_method $uri", "1.5 200 GET /a-", .time_ms = 1500, .status = 200,
	    .method = "GET", .target = "/a-" },
	{ "uri and args", "$msec $status $request_method $uri $args|", "1.5 200 GET /a b=c|", .time_ms = 1500,
	    .status = 200, .method = "GET", .target = "/a?b=c" },
	{ "uri and args over a wide separator, with escapes", "$msec $status $request_method $uri\" \"$query_string", "1.5 200 GET /\\x41\" \"b=\\x43",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/A?b=C" },
	{ "uri and no args", "$msec $status $request_method $uri?$args", "1.5 200 GET /a?-", .time_ms = 1500,
	    .status = 200, .method = "GET", .target = "/a" },
	{ "$uri$is_args$args is one field", "$msec $status $request_method $uri$is_args$args $host", "1.5 200 GET /a?b=c- h",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/a?b=c-", .host = "h" },
	{ "$uri$is_args$args without args: nginx writes -", "$msec $status $request_method $uri$is_args$args", "1.5 200 GET /a-",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/a" },
	{ "$uri$is_args$args beside request_uri changes nothing", "$msec $status $request_method $uri$is_args$args $request_uri", "1.5 200 GET /a- /b-",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/b-" },
	{ "HTTP/0.9 has two words", SHORT, "1.5 200 \"GET /old\"", .time_ms = 1500, .status = 200, .method = "GET", .target = "/old" },
	{ "one word is no request, but a hit", SHORT, "1.5 400 \"hello\"", .time_ms = 1500, .status = 400 },
	{ "TLS on a plain port", SHORT, "1.5 400 \"\\x16\\x03\\x01\"", .time_ms = 1500, .status = 400 },
	{ "an empty request", SHORT, "1.5 400 \"\"", .time_ms = 1500, .status = 400 },
	{ "a request of -", SHORT, "1.5 400 \"-\"", .time_ms = 1500, .status = 400 },
	{ "a target with a space ends there", SHORT, "1.5 400 \"GET /a b HTTP/1.1\"", .time_ms = 1500, .status = 400,
	    .method = "GET", .target = "/a" },
	{ "an escaped space too: escapes are undone first", SHORT, "1.5 200 \"GET /a\\x20b HTTP/1.1\"", .time_ms = 1500,
	    .status = 200, .method = "GET", .target = "/a" },
	{ "two spaces leave the target empty", SHORT, "1.5 400 \"GET  HTTP/1.1\"", .time_ms = 1500, .status = 400, .method = "GET" },
	{ "a space in front leaves the method empty", SHORT, "1.5 400 \" /a HTTP/1.1\"", .time_ms = 1500, .status = 400, .target = "/a" },

	/* escapes */
	{ "nginx: quote, backslash, bytes", SHORT, "1.5 200 \"GET /\\x22\\x5C\\xC3\\xA9 HTTP/1.1\"", .time_ms = 1500,
	    .status = 200, .method = "GET", .target = "/\"\\\xc3\xa9" },
	{ "nginx, escape=json: a control byte", SHORT, "1.5 200 \"GET /\\u001Ba\\u00zz\\u0100 HTTP/1.1\"", .time_ms = 1500,
	    .status = 200, .method = "GET", .target = "/\x1b" "a\\u00zz\\u0100" },
	{ "undone once", SHORT, "1.5 200 \"GET /\\x5Cx41 HTTP/1.1\"", .time_ms = 1500, .status = 200, .method = "GET", .target = "/\\x41" },
	{ "lower case, as Apache writes", SHORT, "1.5 200 \"GET /\\xc3\\xa9 HTTP/1.1\"", .time_ms = 1500, .status = 200,
	    .method = "GET", .target = "/\xc3\xa9" },
	{ "what is no escape stays", SHORT, "1.5 200 \"GET /\\xG1\\x4\\n\\ HTTP/1.1\"", .time_ms = 1500, .status = 200,
	    .method = "GET", .target = "/\\xG1\\x4\\n\\" },
	{ "an escape cut by the end of its field stays", SHORT, "1.5 200 \"GET /\\x4\"", .time_ms = 1500, .status = 200,
	    .method = "GET", .target = "/\\x4" },
	{ "Apache: quotes and backslashes", MAIN, START "\"GET /\\\"a\\\" HTTP/1.1\" 200 1 \"http://r/\\\" \\\"\" \"a\\\\\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/\"a\"",
	    .referrer = "http://r/\" \"", .agent = "a\\" },
	{ "Apache: a forged status stays in the target", "common", START "\"GET /\\\" 200 5 HTTP/1.1\" 404 7",
	    .time_ms = T, .status = 404, .bytes = 7, .addr = "1.2.3.4", .method = "GET", .target = "/\"" },
	{ "Apache: an even number of backslashes does not hide the quote", MAIN, START "\"GET / HTTP/1.1\" 200 1 \"r\\\\\" \"x\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/", .referrer = "r\\", .agent = "x" },
	{ "escape=none: an agent that ends in a backslash", COOKIE, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\\\" 1.5 \"c\"",
	    .time_ms = 1500, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/", .agent = "x\\", .rpv = "c" },
	{ "escape=none: a field at the end likewise", "$msec $status $request \"$http_user_agent\"", "1.5 200 GET / \"x\\\"",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/", .agent = "x\\" },
	{ "cookie, host and address too", "$msec $status \"$cookie_rpv\" $host $remote_addr $request", "1.5 200 \"a\\x22\" h\\x41 1\\x2E2 GET /",
	    .time_ms = 1500, .status = 200, .addr = "1.2", .method = "GET", .target = "/", .host = "hA", .rpv = "a\"" },
	{ "- is absent after its escape is undone", "$msec $status $host $request", "1.5 200 \\x2D GET /",
	    .time_ms = 1500, .status = 200, .method = "GET", .target = "/" },

	/* where a field ends */
	{ "at the whole separator: a raw quote in the target", MAIN, START "\"GET /a\"b HTTP/1.1\" 200 1 \"r\"s\" \"echo \"x\" y\"",
	    .time_ms = T, .status = 200, .bytes = 1, .addr = "1.2.3.4", .method = "GET", .target = "/a\"b", .referrer = "r\"s",
	    .agent = "echo \"x\" y" },
	{ "forwarded addresses have spaces", "$http_x_forwarded_for - $remote_user [$time_local] \"$request\" $status $remote_addr",
	    "10.0.0.2, 10.0.0.1 - - [22/Nov/2026:03:20:55 +0000] \"GET / HTTP/1.1\" 200 1.2.3.4",
	    .time_ms = T, .status = 200, .addr = "1.2.3.4", .forwarded = "10.0.0.2, 10.0.0.1", .method = "GET", .target = "/" },
	{ "empty values with escape=none", MAIN, "1.2.3.4 -  [22/Nov/2026:03:20:55 +0000] \"\" 400 0 \"\" \"\"",
	    .time_ms = T, .status = 400, .addr = "1.2.3.4" },
	{ "a last field takes the rest", TAIL, "1.5 200 GET /a \"b\" ", .time_ms = 1500, .status = 200, .method = "GET", .target = "/a" },
	{ "a last field may be empty", TAIL, "1.5 200 ", .time_ms = 1500, .status = 200 },
	{ "a \\r at the end is none of it", SPLIT, "1.5 200 GET /a\r", .time_ms = 1500, .status = 200, .method = "GET", .target = "/a" },
	{ "one only", SPLIT, "1.5 200 GET /a\r\r", .time_ms = 1500, .status = 200, .method = "GET", .target = "/a\r" },
	{ "text in front and behind", "<$msec|$status|$request>", "<1.5|200|GET />", .time_ms = 1500, .status = 200,
	    .method = "GET", .target = "/" },
	{ "time_iso8601 between tabs, labels in front", "time:$time_iso8601\tstatus:$status\treq:$request\tua:$http_user_agent",
	    "time:2026-11-22T03:20:55+00:00\tstatus:200\treq:GET / HTTP/1.1\tua:x y", .time_ms = T, .status = 200,
	    .method = "GET", .target = "/", .agent = "x y" },

	/* lines that are no hits */
	{ "empty", MAIN, "", .drop = HIT_EMPTY },
	{ "empty but for \\r", MAIN, "\r", .drop = HIT_EMPTY },
	{ "a space is not empty", MAIN, " ", .drop = HIT_MALFORMED },
	{ "garbage", MAIN, "garbage", .drop = HIT_MALFORMED },
	{ "no closing quote: the line was cut", MAIN, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"Mozilla/5.0 (compatible; +http://b.example/bot.html", .drop = HIT_MALFORMED },
	{ "fields are missing", COOKIE, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "text behind the last quote", MAIN, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" ", .drop = HIT_MALFORMED },
	{ "main read as combined: more fields than were named", MAIN, START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\" \"1.1.1.1\"", .drop = HIT_MALFORMED },
	{ "text in front is missing", "<$msec $status $request", "1.5 200 GET /", .drop = HIT_MALFORMED },
	{ "text in front is all there is", "<<$msec $status $request", "<", .drop = HIT_MALFORMED },
	{ "the last quote is the first one", "$msec $status $request \"$http_user_agent\"", "1.5 200 GET / \"", .drop = HIT_MALFORMED },
	{ "glued in the address", MAIN, "1.2.3.4 5.6.7.8 - - [22/Nov/2026:03:20:55 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "glued in the user", MAIN, "1.2.3.4 - " START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "glued in the time", MAIN, "1.2.3.4 - - [22/Nov/" START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_BAD_TIME },
	{ "glued in the request", MAIN, START "\"GET /a HT" START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "glued in the status", MAIN, START "\"GET /a HTTP/1.1\" 20" START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "glued in the size", MAIN, START "\"GET /a HTTP/1.1\" 200 5" START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "glued in the referrer", MAIN, START "\"GET /a HTTP/1.1\" 200 5 \"http" START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "glued in the agent", MAIN, START "\"GET /a HTTP/1.1\" 200 5 \"-\" \"Moz" START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "glued behind the line", MAIN, START "\"GET /a HTTP/1.1\" 200 5 \"-\" \"y\"" START "\"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_MALFORMED },
	{ "time -", SHORT, "- 200 \"GET /\"", .drop = HIT_BAD_TIME },
	{ "no time at all", SHORT, " 200 \"GET /\"", .drop = HIT_BAD_TIME },
	{ "time_local in words", MAIN, "1.2.3.4 - - [bad] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"", .drop = HIT_BAD_TIME },
	{ "a time beats a status", SHORT, "x y \"GET /\"", .drop = HIT_BAD_TIME },
	{ "status -", SHORT, "1.5 - \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status empty", SHORT, "1.5  \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status 000: nobody was answered", SHORT, "1.5 000 \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status 099", SHORT, "1.5 099 \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status of two digits", SHORT, "1.5 20 \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status of four", SHORT, "1.5 2000 \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status with a sign", SHORT, "1.5 +20 \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status with a letter", SHORT, "1.5 20o \"GET /\"", .drop = HIT_BAD_STATUS },
	{ "status 999 is one", SHORT, "1.5 999 \"GET /\"", .time_ms = 1500, .status = 999, .method = "GET", .target = "/" },
	{ "status 100 is one", SHORT, "1.5 100 \"GET /\"", .time_ms = 1500, .status = 100, .method = "GET", .target = "/" },
};

static void
same(const char *why, const char *name, struct slice is, const char *want)
{
	struct slice w = slice_of(want != NULL ? want : "");

	ck_assert_msg(slice_equal(is, w), "%s: %s is \"%.*s\", not \"%s\"", why, name, SHOWN(is), w.p);
}

/* On the heap and of the exact size, so that a sanitizer sees every step beyond it. */
static enum hit_drop
parse_copy(struct format *f, const char *line, size_t len, char **copy, struct hit *hit)
{
	*copy = mem_alloc(len > 0 ? len : 1);
	memcpy(*copy, line, len);
	return (hit_parse(f, *copy, len, hit));
}

START_TEST(hit_of_line)
{
	const struct line_row *r = &line_rows[_i];
	struct format *f = compile(r->spec);
	struct hit hit;
	char *copy;
	enum hit_drop drop = parse_copy(f, r->line, strlen(r->line), &copy, &hit);

	ck_assert_msg(drop == r->drop, "%s: %s, not %s", r->why, hit_drop_name(drop), hit_drop_name(r->drop));
	if (drop == HIT_OK) {
		ck_assert_msg(hit.time_ms == r->time_ms, "%s: time is %lld", r->why, (long long)hit.time_ms);
		ck_assert_msg(hit.status == r->status, "%s: status is %d", r->why, hit.status);
		ck_assert_msg(hit.bytes == r->bytes, "%s: bytes is %llu", r->why, (unsigned long long)hit.bytes);
		same(r->why, "addr", hit.addr, r->addr);
		same(r->why, "forwarded", hit.forwarded, r->forwarded);
		same(r->why, "method", hit.method, r->method);
		same(r->why, "target", hit.target, r->target);
		same(r->why, "referrer", hit.referrer, r->referrer);
		same(r->why, "agent", hit.agent, r->agent);
		same(r->why, "host", hit.host, r->host);
		same(r->why, "cookie rpv", hit.cookies[0], r->rpv);
		same(r->why, "cookie sid", hit.cookies[1], r->sid);
		same(r->why, "cookie 3", hit.cookies[2], NULL);
		same(r->why, "cookie 4", hit.cookies[3], NULL);
		same(r->why, "uid_got", hit.uid_got, r->uid_got);
		same(r->why, "uid_set", hit.uid_set, r->uid_set);
	}
	free(copy);
	format_free(&f);
}
END_TEST

/* Cut anywhere, a line is a hit or has a reason, and no byte behind it is read. */
START_TEST(hit_of_cut_line)
{
	const struct line_row *r = &line_rows[_i];
	struct format *f = compile(r->spec);
	struct hit hit;
	char *copy;

	for (size_t len = 0; len < strlen(r->line); len++) {
		enum hit_drop drop = parse_copy(f, r->line, len, &copy, &hit);

		ck_assert_msg(drop < HIT_DROPS, "%s, cut at %zu", r->why, len);
		ck_assert_msg((drop == HIT_EMPTY) == (len == 0 || (len == 1 && r->line[0] == '\r')),
		    "%s, cut at %zu", r->why, len);
		free(copy);
	}
	format_free(&f);
}
END_TEST

/* A NUL is a byte like any other (crashed machines leave runs of them). */
START_TEST(hit_of_nul_bytes)
{
	static const char line[] = "1.5 200 \"GET /a\0b HTTP/1.1\"";
	struct format *f = compile(SHORT);
	struct hit hit;
	char *copy;

	ck_assert_int_eq(parse_copy(f, line, sizeof(line) - 1, &copy, &hit), HIT_OK);
	ck_assert(slice_equal(hit.target, SLICE("/a\0b")));
	free(copy);
	ck_assert_int_eq(parse_copy(f, "\0\0\0\0\0\0\0\0", 8, &copy, &hit), HIT_MALFORMED);
	free(copy);
	format_free(&f);
}
END_TEST

/* The last stamp is remembered: it must not outlive a change in any byte of it. */
START_TEST(hit_time_is_not_stale)
{
	static const struct { const char *stamp; enum hit_drop drop; int64_t time_ms; } rows[] = {
		{ "22/Nov/2026:03:20:55 +0000", HIT_OK, T },
		{ "22/Nov/2026:03:20:55 +0000", HIT_OK, T },
		{ "22/Nov/2026:03:20:55 +0001", HIT_OK, T - 60000 },
		{ "22/Nov/2026:03:20:56 +0001", HIT_OK, T - 59000 },
		{ "32/Nov/2026:03:20:56 +0001", HIT_BAD_TIME, 0 },
		{ "22/Nov/2026:03:20:56 +000", HIT_BAD_TIME, 0 },
		{ "", HIT_BAD_TIME, 0 },
		{ "22/Nov/2026:03:20:56 +0001", HIT_OK, T - 59000 },
		{ "22/Nov/2026:03:20:55 +0000", HIT_OK, T },
	};
	struct format *f = compile("[$time_local] $status $request");

	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct hit hit;
		char line[80];
		int len = snprintf(line, sizeof(line), "[%s] 200 GET /", rows[i].stamp);

		ck_assert_int_eq(hit_parse(f, line, (size_t)len, &hit), rows[i].drop);
		if (rows[i].drop == HIT_OK)
			ck_assert_int_eq(hit.time_ms, rows[i].time_ms);
	}
	format_free(&f);
}
END_TEST

/* No limit on lines: some logs have targets of 32 KiB, and the next limit is the tail's. */
START_TEST(hit_of_long_line)
{
	static const char head[] = "1.5 200 \"GET /", tail[] = " HTTP/1.1\"";
	size_t n = 1000000, len = 0;
	struct format *f = compile(SHORT);
	char *line = mem_alloc(sizeof(head) + n + sizeof(tail));
	struct hit hit;

	memcpy(line, head, sizeof(head) - 1);
	len += sizeof(head) - 1;
	memset(line + len, 'x', n);
	len += n;
	memcpy(line + len, tail, sizeof(tail) - 1);
	len += sizeof(tail) - 1;
	ck_assert_int_eq(hit_parse(f, line, len, &hit), HIT_OK);
	ck_assert_uint_eq(hit.target.len, n + 1);
	free(line);
	format_free(&f);
}
END_TEST

static const struct {
	const char *why;
	bool (*read)(struct slice, int64_t *);
	const char *text;
	int64_t ms;			/* -1: no time */
} time_rows[] = {
	{ "UTC", hit_time_local, "22/Nov/2026:03:20:55 +0000", T },
	{ "east is earlier", hit_time_local, "22/Nov/2026:03:20:55 +0100", T - 3600000 },
	{ "west is later, minutes too", hit_time_local, "22/Nov/2026:03:20:55 -0330", T + 12600000 },
	{ "leap day", hit_time_local, "29/Feb/2012:12:00:00 +0000", INT64_C(1330516800000) },
	{ "2000 was a leap year", hit_time_local, "29/Feb/2000:00:00:00 +0000", INT64_C(951782400000) },
	{ "2100 will be none", hit_time_local, "29/Feb/2100:00:00:00 +0000", -1 },
	{ "no leap day in 2026", hit_time_local, "29/Feb/2026:00:00:00 +0000", -1 },
	{ "1 March after a leap day", hit_time_local, "01/Mar/2024:00:00:00 +0000", INT64_C(1709251200000) },
	{ "the first moment", hit_time_local, "01/Jan/1970:00:00:00 +0000", 0 },
	{ "the first moment elsewhere", hit_time_local, "01/Jan/1970:05:45:00 +0545", 0 },
	{ "before the first moment", hit_time_local, "01/Jan/1970:05:44:59 +0545", -1 },
	{ "the last moment", hit_time_local, "31/Dec/2100:23:59:59 +0000", INT64_C(4133980799000) },
	{ "behind the last moment, by its offset", hit_time_local, "31/Dec/2100:23:59:59 -0100", -1 },
	{ "year 1969", hit_time_local, "31/Dec/1969:23:59:59 -0100", -1 },
	{ "year 2101", hit_time_local, "01/Jan/2101:00:00:00 +0100", -1 },
	{ "30 April", hit_time_local, "30/Apr/2026:00:00:00 +0000", INT64_C(1777507200000) },
	{ "31 April", hit_time_local, "31/Apr/2026:00:00:00 +0000", -1 },
	{ "day 0", hit_time_local, "00/Apr/2026:00:00:00 +0000", -1 },
	{ "hour 24", hit_time_local, "22/Nov/2026:24:00:00 +0000", -1 },
	{ "minute 60", hit_time_local, "22/Nov/2026:03:60:00 +0000", -1 },
	{ "a leap second is the next one", hit_time_local, "31/Dec/2016:23:59:60 +0000", INT64_C(1483228800000) },
	{ "second 61", hit_time_local, "31/Dec/2016:23:59:61 +0000", -1 },
	{ "offset of a day", hit_time_local, "22/Nov/2026:03:20:55 +2400", -1 },
	{ "offset with minute 60", hit_time_local, "22/Nov/2026:03:20:55 +0060", -1 },
	{ "offset without a sign", hit_time_local, "22/Nov/2026:03:20:55 00000", -1 },
	{ "offset in words", hit_time_local, "22/Nov/2026:03:20:55 UTC  ", -1 },
	{ "a month in no English", hit_time_local, "22/Mai/2026:03:20:55 +0000", -1 },
	{ "a day of one digit", hit_time_local, "2/Nov/2026:03:20:55 +0000", -1 },
	{ "a space for a digit", hit_time_local, " 2/Nov/2026:03:20:55 +0000", -1 },
	{ "another separator", hit_time_local, "22-Nov-2026:03:20:55 +0000", -1 },
	{ "another one behind the month", hit_time_local, "22/Nov-2026:03:20:55 +0000", -1 },
	{ "none before the zone", hit_time_local, "22/Nov/2026:03:20:55++0000", -1 },
	{ "a T before the time", hit_time_local, "22/Nov/2026T03:20:55 +0000", -1 },
	{ "a dot behind the hour", hit_time_local, "22/Nov/2026:03.20:55 +0000", -1 },
	{ "a dot behind the minute", hit_time_local, "22/Nov/2026:03:20.55 +0000", -1 },
	{ "more behind it", hit_time_local, "22/Nov/2026:03:20:55 +00000", -1 },
	{ "nothing", hit_time_local, "", -1 },

	{ "as nginx writes it", hit_time_iso8601, "2026-11-22T03:20:55+00:00", T },
	{ "with an offset", hit_time_iso8601, "2026-11-22T03:20:55-08:00", T + 28800000 },
	{ "as strftime %z writes it", hit_time_iso8601, "2026-11-22T03:20:55+0100", T - 3600000 },
	{ "Z", hit_time_iso8601, "2026-11-22T03:20:55Z", T },
	{ "milliseconds", hit_time_iso8601, "2026-11-22T03:20:55.459Z", T + 459 },
	{ "one digit is tenths", hit_time_iso8601, "2026-11-22T03:20:55.4+00:00", T + 400 },
	{ "two are hundredths", hit_time_iso8601, "2026-11-22T03:20:55.04Z", T + 40 },
	{ "finer ones are cut", hit_time_iso8601, "2026-11-22T03:20:55.459999999+00:00", T + 459 },
	{ "a dot without digits", hit_time_iso8601, "2026-11-22T03:20:55.Z", -1 },
	{ "no zone", hit_time_iso8601, "2026-11-22T03:20:55", -1 },
	{ "a fraction and no zone", hit_time_iso8601, "2026-11-22T03:20:55.459", -1 },
	{ "a space for the T", hit_time_iso8601, "2026-11-22 03:20:55Z", -1 },
	{ "a slash behind the year", hit_time_iso8601, "2026/11-22T03:20:55Z", -1 },
	{ "a slash behind the month", hit_time_iso8601, "2026-11/22T03:20:55Z", -1 },
	{ "month 0", hit_time_iso8601, "2026-00-22T03:20:55Z", -1 },
	{ "month 13", hit_time_iso8601, "2026-13-22T03:20:55Z", -1 },
	{ "an offset with another separator", hit_time_iso8601, "2026-11-22T03:20:55+01.00", -1 },
	{ "a small z", hit_time_iso8601, "2026-11-22T03:20:55z", -1 },
	{ "more behind Z", hit_time_iso8601, "2026-11-22T03:20:55ZZ", -1 },
	{ "nothing", hit_time_iso8601, "", -1 },

	{ "as nginx writes it", hit_time_msec, "1772450504.123", INT64_C(1772450504123) },
	{ "what a double would round up", hit_time_msec, "1772450504.999999", INT64_C(1772450504999) },
	{ "what a double cannot hold", hit_time_msec, "1772450504.1230000000000000000001", INT64_C(1772450504123) },
	{ "whole seconds", hit_time_msec, "1772450504", INT64_C(1772450504000) },
	{ "tenths", hit_time_msec, "1.5", 1500 },
	{ "the last moment", hit_time_msec, "4133980799.999", INT64_C(4133980799999) },
	{ "behind it", hit_time_msec, "4133980800.000", -1 },
	{ "milliseconds without a dot", hit_time_msec, "1772450504123", -1 },
	{ "digits without end", hit_time_msec, "99999999999999999999999999", -1 },
	{ "no digits before the dot", hit_time_msec, ".123", -1 },
	{ "none behind it", hit_time_msec, "1772450504.", -1 },
	{ "a comma", hit_time_msec, "1772450504,123", -1 },
	{ "a sign", hit_time_msec, "-1.5", -1 },
	{ "an exponent", hit_time_msec, "1e9", -1 },
	{ "two dots", hit_time_msec, "1.2.3", -1 },
	{ "not a number", hit_time_msec, "nan", -1 },
	{ "nothing", hit_time_msec, "", -1 },
};

START_TEST(time_of_stamp)
{
	size_t len = strlen(time_rows[_i].text);
	char *copy = mem_dup(time_rows[_i].text, len);
	int64_t ms = -7;
	bool ok = time_rows[_i].read(slice_make(copy, len), &ms);

	ck_assert_msg(ok == (time_rows[_i].ms >= 0), "%s: %s", time_rows[_i].why, time_rows[_i].text);
	ck_assert_msg(ms == (ok ? time_rows[_i].ms : -7), "%s: %s is %lld", time_rows[_i].why, time_rows[_i].text,
	    (long long)ms);
	free(copy);
}
END_TEST

/* Every day of the range, counted one by one. */
START_TEST(time_of_every_day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t want = 0, ms;
	char text[40];

	for (int year = 1970; year <= 2100; year++)
		for (int month = 1; month <= 12; month++) {
			bool leap = month == 2 && year % 4 == 0 && year != 2100;

			for (int day = 1; day <= days[month - 1] + leap; day++) {
				int len = snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", year, month, day);

				ck_assert_msg(hit_time_iso8601(slice_make(text, (size_t)len), &ms) && ms == want, "%s", text);
				want += 86400000;
			}
		}
}
END_TEST

static const struct {
	const char *why, *spec, *says;	/* says: a part of the sentence; NULL: compiles */
} spec_rows[] = {
	{ "a word that is no preset: say which there are", "combine", "combined, common, vhost_combined" },
	{ "nothing", "", "combined, common, vhost_combined" },
	{ "presets have no capitals", "Combined", "\"Combined\"" },
	{ "no time", "$status $request", "$time_local" },
	{ "no status", "$msec $request", "$status" },
	{ "no request", "$msec $status $remote_addr", "$request" },
	{ "a target without a method", "$msec $status $request_uri", "$request_method" },
	{ "a method without a target", "$msec $status $request_method", "$request_uri" },
	{ "args without uri", "$msec $status $request_method $args", "$request_uri" },
	{ "args away from uri", "$msec $status $request_method $uri $host $args", "$args must follow $uri" },
	{ "args before uri", "$msec $status $request_method $args $uri", "$args must follow $uri" },
	{ "args anywhere beside request_uri", "$msec $status $request_method $args $request_uri", NULL },
	{ "args anywhere beside request", "$msec $args $status $request", NULL },
	{ "nothing between two variables", "$msec $status$request", "$status and $request need a separator" },
	{ "nothing between braces", "${msec}${status} $request", "$msec and $status need a separator" },
	{ "nothing between two that are skipped", "$foo$bar $msec $status $request", "$foo and $bar need a separator" },
	{ "is_args behind another variable", "$msec $status $request $host$is_args$args", "$host and $is_args need" },
	{ "args behind uri without is_args", "$msec $status $request $uri$args", "$uri and $args need" },
	{ "args behind request_uri", "$msec $status $request $request_uri$is_args$args", "$request_uri and $is_args need" },
	{ "uri with its args", "$msec $status $request_method ${uri}${is_args}${query_string}", NULL },
	{ "a dollar at the end", "$msec $status $request $", "name is missing at \"$\"" },
	{ "a dollar before a space", "$msec $ $status $request", "name is missing at \"$ $status" },
	{ "a brace that stays open", "$msec $status ${request", "name is missing at \"${request\"" },
	{ "empty braces", "$msec $status $request ${}", "name is missing at \"${}\"" },
	{ "the least that works", "$msec $status $request", NULL },
	{ "64 variables", "$msec $status $request"
	    " $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a"
	    " $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a", NULL },
	{ "65 variables", "$msec $status $request"
	    " $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a"
	    " $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a", "more than 64" },
};

START_TEST(format_of_spec)
{
	struct err err = { "" };
	struct format *f = format_compile(spec_rows[_i].spec, NULL, 0, &err);

	ck_assert_msg((f != NULL) == (spec_rows[_i].says == NULL), "%s: %s", spec_rows[_i].why, err.msg);
	if (f == NULL)
		ck_assert_msg(strstr(err.msg, spec_rows[_i].says) != NULL, "%s: %s", spec_rows[_i].why, err.msg);
	format_free(&f);
	ck_assert_ptr_null(f);
	format_free(&f);
}
END_TEST

START_TEST(format_has)
{
	static const struct { const char *spec; bool rpv, sid, uid, agent, forwarded; } rows[] = {
		{ "combined", false, false, false, true, false },
		{ "common", false, false, false, false, false },
		{ "vhost_combined", false, false, false, true, false },
		{ COOKIE, true, false, false, true, false },
		{ "$msec $status $cookie_SID $request", false, true, false, false, false },
		{ "$msec $status $cookie_rp $cookie_rpvx $cookie_ $request", false, false, false, false, false },
		{ "$msec $status $uid_got $request", false, false, true, false, false },
		{ "$msec $status $uid_set $request", false, false, true, false, false },
		{ "$msec $status $http_user_agent $request", false, false, false, false, false },
		{ MAIN " $http_x_forwarded_for", false, false, false, true, true },
		{ "$http_forwarded $msec $status $http_user_agent $request", false, false, false, true, true },
	};

	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct format *f = compile(rows[i].spec);

		ck_assert_msg(format_has_cookie(f, 0) == rows[i].rpv, "%s", rows[i].spec);
		ck_assert_msg(format_has_cookie(f, 1) == rows[i].sid, "%s", rows[i].spec);
		ck_assert_msg(!format_has_cookie(f, 2), "%s", rows[i].spec);
		ck_assert_msg(format_has_uid(f) == rows[i].uid, "%s", rows[i].spec);
		ck_assert_msg(format_has_agent(f) == rows[i].agent, "%s", rows[i].spec);
		ck_assert_msg(format_has_forwarded(f) == rows[i].forwarded, "%s", rows[i].spec);
		ck_assert_msg(format_has_user_agent(f) == (rows[i].agent || strstr(rows[i].spec, "agent") != NULL), "%s", rows[i].spec);
		format_free(&f);
	}
}
END_TEST

START_TEST(drop_names)
{
	ck_assert_str_eq(hit_drop_name(HIT_EMPTY), "empty");
	ck_assert_str_eq(hit_drop_name(HIT_MALFORMED), "malformed");
	ck_assert_str_eq(hit_drop_name(HIT_BAD_TIME), "bad_time");
	ck_assert_str_eq(hit_drop_name(HIT_BAD_STATUS), "bad_status");
	ck_assert_str_eq(hit_drop_name(HIT_FUTURE), "future");
}
END_TEST

/*
 * Recorded logs: line n of a log is row n of its answers.tsv.
 */

enum column { REMOTE_ADDR, METHOD, TARGET, STATUS, REFERER, AGENT, HOST_RESOLVED, REQUEST_URI, SID, COLUMNS };

static const char *const column_names[COLUMNS] = {
	"remote_addr", "method", "target", "status", "referer", "user_agent", "host_resolved", "request_uri", "cookie_sid",
};

struct answers {
	char *text;			/* of the whole file; the cells point into it */
	struct slice (*rows)[COLUMNS];
	size_t n_rows;
};

static char *
shared_path(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/data/%s", getenv("RPVD_SHARED"), name);
	return (path);
}

static char *
read_file(const char *name, size_t *len)
{
	size_t cap = 1 << 22;
	char *text = mem_alloc(cap);
	gzFile in = gzopen(shared_path(name), "rb");	/* plain files too */
	int n;

	ck_assert_msg(in != NULL, "%s", name);
	n = gzread(in, text, (unsigned)cap - 1);
	gzclose(in);
	ck_assert_msg(n >= 0 && (size_t)n < cap - 1, "%s", name);
	text[n] = '\0';
	*len = (size_t)n;
	return (text);
}

/* %XX undone in place, and "-" is nothing. */
static struct slice
cell_decode(struct slice s)
{
	char *from = (char *)(uintptr_t)s.p, *end = from + s.len, *to = from;

	if (slice_is(s, "-"))
		return (slice_make(s.p, 0));
	while (from < end) {
		char hex[3] = { 0 };

		if (*from == '%') {
			memcpy(hex, from + 1, 2);
			*to++ = (char)strtol(hex, NULL, 16);
			from += 3;
		} else
			*to++ = *from++;
	}
	return (slice_make(s.p, (size_t)(to - s.p)));
}

static void
answers_read(struct answers *a, const char *name)
{
	size_t len, at[COLUMNS];
	struct slice rest, line, head, cell;

	a->text = read_file(name, &len);
	a->rows = mem_calloc(1000, sizeof(a->rows[0]));
	a->n_rows = 0;
	rest = slice_make(a->text, len);
	for (size_t c = 0; c < COLUMNS; c++) {
		head = slice_make(a->text, (size_t)(strchr(a->text, '\n') - a->text));
		at[c] = SIZE_MAX;
		for (size_t i = 0; head.len > 0; i++) {
			cell = slice_cut(&head, '\t');
			if (slice_is(cell, column_names[c]))
				at[c] = i;
		}
	}
	(void)slice_cut(&rest, '\n');
	while (rest.len > 0) {
		line = slice_cut(&rest, '\n');
		for (size_t i = 0; i < 20; i++) {
			cell = cell_decode(slice_cut(&line, '\t'));
			for (size_t c = 0; c < COLUMNS; c++)
				if (at[c] == i)
					a->rows[a->n_rows][c] = cell;
		}
		ck_assert_uint_lt(a->n_rows, 999);
		a->n_rows++;
	}
}

static void
answers_free(struct answers *a)
{
	free(a->text);
	free(a->rows);
}

/* Where a log and the answers speak of different things. */
static const struct difference {
	const char *server, *log;	/* log: NULL: all that have not their own row above it */
	size_t row;			/* counted from 1 */
	enum column column;
	const char *why, *is;		/* is: what the line has; NULL: as much as it has is right */
} differences[] = {
	{ "nginx", "pipes", 481, METHOD, "nginx gives no method for what it rejects: OPTIONS *", "" },
	{ "nginx", "pipes", 482, METHOD, "the same: a target with spaces", "" },
	{ "nginx", "pipes", 485, METHOD, "the same: CONNECT", "" },
	{ "nginx", "pipes", 487, METHOD, "the same: a target that is too long", "" },
	{ "nginx", NULL, 482, TARGET, "a target with spaces ends at the first", "/a" },
	{ "nginx", NULL, 483, METHOD, "HTTP/0.9 is a request, though the answers have none", "GET" },
	{ "nginx", NULL, 483, TARGET, "the same", "/http09" },
	{ "nginx", NULL, 487, TARGET, "nginx logs the part of the target that it had read", NULL },
};

static const struct recorded {
	const char *server, *log, *spec;	/* spec: NULL: as its .format says */
	bool has_host, has_request, has_referrer, has_sid;
} recorded_rows[] = {
	{ "nginx", "combined", "combined", false, true, true, false },
	{ "nginx", "common", "common", false, true, false, false },
	{ "nginx", "vhost_combined", "vhost_combined", true, true, true, false },
	{ "nginx", "main", NULL, false, true, true, false },
	{ "nginx", "timed", NULL, true, true, true, false },
	{ "nginx", "upstream", NULL, true, true, true, false },
	{ "nginx", "ltsv", NULL, true, true, true, false },
	{ "nginx", "pipes", NULL, true, false, true, true },
	{ "nginx", "json_default", NULL, true, true, true, false },
	{ "nginx", "noescape", NULL, false, true, true, false },
	{ "apache", "combined", "combined", false, true, true, false },
	{ "apache", "vhost_combined", "vhost_combined", false, true, true, false },
	{ "apache", "timed", MAIN " $request_time \"$http_x_forwarded_for\" \"$cookie_sid\"", false, true, true, true },
};

static const struct difference *
difference_find(const struct recorded *r, size_t row, enum column column)
{
	for (size_t i = 0; i < N_ELEM(differences); i++) {
		const struct difference *d = &differences[i];

		if (d->row == row && d->column == column && strcmp(d->server, r->server) == 0 &&
		    (d->log == NULL || strcmp(d->log, r->log) == 0))
			return (d);
	}
	return (NULL);
}

static void
column_check(const struct recorded *r, size_t row, enum column column, struct slice is, struct slice want)
{
	const struct difference *d = difference_find(r, row, column);

	if (d != NULL && d->is != NULL)
		want = slice_of(d->is);
	else if (d != NULL && is.len > 0 && is.len < want.len)
		want.len = is.len;
	ck_assert_msg(slice_equal(is, want), "%s/%s:%zu: %s is \"%.*s\" (%zu), not \"%.*s\" (%zu)", r->server, r->log,
	    row, column_names[column], SHOWN(is), is.len, SHOWN(want), want.len);
}

static void
hit_check(const struct recorded *r, size_t row, const struct hit *hit, const struct slice *want)
{
	char status[12];

	snprintf(status, sizeof(status), "%d", hit->status);
	if (want[STATUS].len > 0)
		column_check(r, row, STATUS, slice_of(status), want[STATUS]);
	column_check(r, row, REMOTE_ADDR, hit->addr, want[REMOTE_ADDR]);
	column_check(r, row, METHOD, hit->method, want[METHOD]);
	if (r->has_request)
		column_check(r, row, TARGET, hit->target, want[TARGET]);
	else
		column_check(r, row, REQUEST_URI, hit->target, want[REQUEST_URI]);
	column_check(r, row, REFERER, hit->referrer, r->has_referrer ? want[REFERER] : SLICE(""));
	column_check(r, row, AGENT, hit->agent, r->has_referrer ? want[AGENT] : SLICE(""));
	if (r->has_host)
		column_check(r, row, HOST_RESOLVED, hit->host, want[HOST_RESOLVED]);
	if (r->has_sid)
		column_check(r, row, SID, hit->cookies[1], want[SID]);
}

/* The format string that a .format file names. */
static char *
spec_read(const struct recorded *r)
{
	char name[100], *text, *start, *spec;
	size_t len;

	if (r->spec != NULL)
		return (mem_strdup(r->spec));
	snprintf(name, sizeof(name), "formats/%s/%s.format", r->server, r->log);
	text = read_file(name, &len);
	start = strstr(text, "log_format=");
	ck_assert_ptr_nonnull(start);
	start += strlen("log_format=");
	spec = mem_strndup(start, strcspn(start, "\n"));
	free(text);
	return (spec);
}

START_TEST(recorded_logs)
{
	const struct recorded *r = &recorded_rows[_i];
	struct answers answers;
	char name[100], *spec = spec_read(r), *text;
	struct format *f = compile(spec);
	struct slice rest;
	struct hit hit;
	size_t len, row = 0, longest = 0;

	snprintf(name, sizeof(name), "formats/%s/answers.tsv", r->server);
	answers_read(&answers, name);
	snprintf(name, sizeof(name), "formats/%s/%s.log", r->server, r->log);
	text = read_file(name, &len);
	for (rest = slice_make(text, len); rest.len > 0; row++) {
		size_t at = (size_t)(rest.p - text);
		struct slice line = slice_cut(&rest, '\n');
		enum hit_drop drop = hit_parse(f, text + at, line.len, &hit);

		ck_assert_msg(drop == HIT_OK, "%s:%zu: %s", name, row + 1, hit_drop_name(drop));
		ck_assert_uint_lt(row, answers.n_rows);
		hit_check(r, row + 1, &hit, answers.rows[row]);
		longest = hit.target.len > longest ? hit.target.len : longest;
	}
	ck_assert_uint_eq(row, answers.n_rows);
	if (strcmp(r->server, "nginx") == 0 && r->has_request)
		ck_assert_uint_gt(longest, 32000);
	answers_free(&answers);
	free(text);
	free(spec);
	format_free(&f);
}
END_TEST

/* 10,000 lines of a real site: one was cut short, and just that one is dropped. */
START_TEST(recorded_site)
{
	struct format *f = compile("combined");
	size_t len, lines = 0, dropped = 0, last = 0;
	char *text = read_file("logs/semicomplete-combined.log.gz", &len);
	struct hit hit;

	for (struct slice rest = slice_make(text, len); rest.len > 0;) {
		size_t at = (size_t)(rest.p - text);
		struct slice line = slice_cut(&rest, '\n');

		lines++;
		if (hit_parse(f, text + at, line.len, &hit) != HIT_OK) {
			dropped++;
			last = lines;
		}
	}
	ck_assert_uint_eq(lines, 10000);
	ck_assert_uint_eq(dropped, 1);
	ck_assert_uint_eq(last, 8899);
	free(text);
	format_free(&f);
}
END_TEST

/* Format strings and lines that others collected, those of them that a hit can come from. */
START_TEST(recorded_pairs)
{
	static const struct { const char *name, *addr, *target, *agent; int64_t time_ms; int status; } rows[] = {
		{ "formats/pairs/05", "10.11.12.13", "/one/two/tool.git/info/refs?service=upload-pack",
		    "git/1.9.5.msysgit.0", -1, 0 },		/* it has no time */
		{ "formats/pairs/06", "127.0.0.1", "/?aap&noot=&mies=wim", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
		    "(KHTML, like Gecko) Chrome/54.0.2840.100 Safari/537.36", INT64_C(1483455396639), 200 },
		{ "formats/pairs/13", "10.77.150.123", "/25.chunk.js", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
		    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.110 Safari/537.36", INT64_C(1544920077000), 200 },
	};

	for (size_t i = 0; i < N_ELEM(rows); i++) {
		char name[40], *text, *spec;
		size_t len;
		struct err err;
		struct format *f;
		struct hit hit;

		snprintf(name, sizeof(name), "%s.format", rows[i].name);
		text = read_file(name, &len);
		spec = strstr(text, "log_format=") + strlen("log_format=");
		spec[strcspn(spec, "\n")] = '\0';
		f = format_compile(spec, NULL, 0, &err);
		ck_assert_msg((f != NULL) == (rows[i].time_ms >= 0), "%s", name);
		free(text);
		if (f == NULL)
			continue;
		snprintf(name, sizeof(name), "%s.log", rows[i].name);
		text = read_file(name, &len);
		ck_assert_int_eq(hit_parse(f, text, strcspn(text, "\n"), &hit), HIT_OK);
		same(name, "addr", hit.addr, rows[i].addr);
		same(name, "target", hit.target, rows[i].target);
		same(name, "agent", hit.agent, rows[i].agent);
		ck_assert_int_eq(hit.time_ms, rows[i].time_ms);
		ck_assert_int_eq(hit.status, rows[i].status);
		free(text);
		format_free(&f);
	}
}
END_TEST

static Suite *
hit_suite(void)
{
	Suite *s = suite_create("hit");
	TCase *tc = tcase_create("rules");

	tcase_add_loop_test(tc, hit_of_line, 0, (int)N_ELEM(line_rows));
	tcase_add_loop_test(tc, hit_of_cut_line, 0, (int)N_ELEM(line_rows));
	tcase_add_test(tc, hit_of_nul_bytes);
	tcase_add_test(tc, hit_time_is_not_stale);
	tcase_add_test(tc, hit_of_long_line);
	tcase_add_loop_test(tc, time_of_stamp, 0, (int)N_ELEM(time_rows));
	tcase_add_test(tc, time_of_every_day);
	tcase_add_loop_test(tc, format_of_spec, 0, (int)N_ELEM(spec_rows));
	tcase_add_test(tc, format_has);
	tcase_add_test(tc, drop_names);
	suite_add_tcase(s, tc);

	tc = tcase_create("recorded");
	if (getenv("RPVD_SHARED") == NULL)
		printf("hit: RPVD_SHARED is not set, recorded logs are skipped\n");
	else {
		tcase_add_loop_test(tc, recorded_logs, 0, (int)N_ELEM(recorded_rows));
		tcase_add_test(tc, recorded_site);
		tcase_add_test(tc, recorded_pairs);
	}
	suite_add_tcase(s, tc);
	return (s);
}

int
main(void)
{
	SRunner *runner = srunner_create(hit_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
