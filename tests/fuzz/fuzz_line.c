/*
 * Log lines and log formats: both come from outside, and neither may crash.
 *
 * The first byte picks a format; one value of it takes the format string from the
 * input, too, up to the first newline.  What must hold for every line: slices lie
 * inside it, do not overlap, and a second reading of the same bytes says the same, as does
 * a reader that has not seen the lines before (but for W3C, where these say what it means).
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit.h"

#define MAIN "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent " \
	"\"$http_referer\" \"$http_user_agent\""

static const char *const specs[] = {
	"combined",
	"common",
	"vhost_combined",
	MAIN " $msec \"$cookie_rpv\"",
	MAIN " \"$uid_got\" \"$uid_set\"",
	"$msec|$host|$request_method|$request_uri|$status|$cookie_rpv",
	"{\"t\":\"$time_iso8601\",\"m\":\"$request_method\",\"u\":\"$uri$is_args$args\",\"s\":$status}",
	"$status $time_iso8601 $request_method $uri $args $remote_addr",
	"auto",
	"json",
	"ltsv",
	"w3c",
	"haproxy",
	"haproxy:Host|Referer|User-Agent|X-Forwarded-For|Cookie",
	"envoy",
	"alb",
	"lighttpd",
	"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %{Cookie}i",
	"%q|%m|%U|%>s|%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t|%{rpv}C",
	"%{%A %B %e %Y %I:%M:%S %p}t %m %U%q %>s",
	"escape=json {\"t\":\"$time_iso8601\",\"r\":\"$request\",\"s\":$status,\"c\":\"$http_cookie\"}",
	"escape=none $msec $status $request \"$http_user_agent\"",
	"s3",
	"cloudstorage",
	"bunny",
};

static const char *const cookies[] = { "rpv" };

#define SLICES 12
#define METHOD 1

static void
hit_slices(const struct hit *hit, struct slice *slices)
{
	const struct slice all[SLICES] = { hit->addr, hit->method, hit->target, hit->referrer, hit->agent,
	    hit->host, hit->cookies[0], hit->cookies[1], hit->uid_got, hit->uid_set, hit->forwarded, hit->protocol };

	memcpy(slices, all, sizeof(all));
}

static void
slices_check(const struct slice *slices, const char *line, size_t len)
{
	for (size_t i = 0; i < SLICES; i++) {
		if (slices[i].len == 0 || (i == METHOD && slice_is(slices[i], "GET") && (slices[i].p < line || slices[i].p >= line + len)))
			continue;	/* a constant: methods are not logged */
		must(slices[i].p >= line && slices[i].p + slices[i].len <= line + len);
		for (size_t j = 0; j < i; j++)
			must(slices[j].len == 0 || slices[i].p + slices[i].len <= slices[j].p ||
			    slices[j].p + slices[j].len <= slices[i].p);
	}
}

static void
hit_check(const struct hit *hit, const char *line, size_t len)
{
	struct slice slices[SLICES];

	must(hit->status >= 100 && hit->status <= 999);
	must(hit->time_ms >= 0 && hit->time_ms < INT64_C(4133980800000));
	must(slice_find(hit->method, ' ') < 0 || hit->method.p != hit->target.p);
	hit_slices(hit, slices);
	slices_check(slices, line, len);
	slices_check((struct slice[SLICES]){ hit->cookie_header }, line, len);	/* cookies may lie in it */
}

static void
hits_equal(const struct hit *a, const struct hit *b)
{
	struct slice as[SLICES], bs[SLICES];

	hit_slices(a, as);
	hit_slices(b, bs);
	must(a->time_ms == b->time_ms && a->status == b->status && a->bytes == b->bytes);
	must(slice_equal(a->cookie_header, b->cookie_header));
	for (size_t i = 0; i < SLICES; i++)
		must(slice_equal(as[i], bs[i]));
}

/* As one that has seen nothing yet reads it. */
static void
fresh_check(const char *spec, const char *bytes, size_t len, enum hit_drop drop, const struct hit *want)
{
	struct err err;
	struct format *f = format_compile(spec, cookies, N_ELEM(cookies), &err);
	char *copy = mem_dup(bytes, len);
	struct hit hit;

	must(hit_parse(f, copy, len, &hit) == drop);
	if (drop == HIT_OK)
		hits_equal(&hit, want);
	free(copy);
	format_free(&f);
}

/* Twice, since the second reading meets what is remembered of the first. */
static void
line_check(struct format *f, const char *spec, const char *bytes, size_t len)
{
	char *first = mem_dup(bytes, len), *second = mem_dup(bytes, len);
	struct hit a, b;
	enum hit_drop drop = hit_parse(f, first, len, &a);

	must(drop < HIT_DROPS);
	must(drop == HIT_EMPTY ? len == 0 || (len == 1 && bytes[0] == '\r') || bytes[0] == '#' : len > 0);
	must(hit_parse(f, second, len, &b) == drop);
	if (drop == HIT_OK) {
		hit_check(&a, first, len);
		hits_equal(&a, &b);
	} else
		must(drop != HIT_MALFORMED || memcmp(first, bytes, len) == 0);
	if (!format_has_header(f))
		fresh_check(spec, bytes, len, drop, &a);
	free(first);
	free(second);
}

static void
lines_check(struct format *f, const char *spec, struct slice rest)
{
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		line_check(f, spec, line.p, line.len);
	}
}

/* The caller's. */
static char *
spec_of_input(struct slice *rest, uint8_t pick)
{
	struct slice line;

	if (pick < N_ELEM(specs))
		return (mem_strdup(specs[pick]));
	line = slice_cut(rest, '\n');
	return (mem_strndup(line.p, line.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size);
	struct err err = { "" };
	struct format *f;
	char *spec;

	if (size == 0)
		return (0);
	rest = slice_skip(rest, 1);
	spec = spec_of_input(&rest, data[0] % (N_ELEM(specs) + 1));
	f = format_compile(spec, cookies, N_ELEM(cookies), &err);
	must((f == NULL) == (err.msg[0] != '\0'));
	if (f != NULL)
		lines_check(f, spec, rest);
	format_free(&f);
	free(spec);
	return (0);
}
