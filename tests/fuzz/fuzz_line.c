/*
 * Log lines and log formats: both come from outside, and neither may crash.
 *
 * The first byte picks a format; one value of it takes the format string from the
 * input, too, up to the first newline.  What must hold for every line: slices lie
 * inside it, do not overlap, and a second reading of the same bytes says the same.
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
};

static const char *const cookies[] = { "rpv" };

#define SLICES 10

static void
hit_slices(const struct hit *hit, struct slice *slices)
{
	const struct slice all[SLICES] = { hit->addr, hit->method, hit->target, hit->referrer, hit->agent,
	    hit->host, hit->cookies[0], hit->cookies[1], hit->uid_got, hit->uid_set };

	memcpy(slices, all, sizeof(all));
}

static void
slices_check(const struct slice *slices, const char *line, size_t len)
{
	for (size_t i = 0; i < SLICES; i++) {
		if (slices[i].len == 0)
			continue;
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
}

static void
hits_equal(const struct hit *a, const struct hit *b)
{
	struct slice as[SLICES], bs[SLICES];

	hit_slices(a, as);
	hit_slices(b, bs);
	must(a->time_ms == b->time_ms && a->status == b->status && a->bytes == b->bytes);
	for (size_t i = 0; i < SLICES; i++)
		must(slice_equal(as[i], bs[i]));
}

/* Twice, since the second reading meets the cached time stamp. */
static void
line_check(struct format *f, const char *bytes, size_t len)
{
	char *first = mem_dup(bytes, len), *second = mem_dup(bytes, len);
	struct hit a, b;
	enum hit_drop drop = hit_parse(f, first, len, &a);

	must(drop < HIT_DROPS);
	must((drop == HIT_EMPTY) == (len == 0 || (len == 1 && bytes[0] == '\r')));
	must(hit_parse(f, second, len, &b) == drop);
	if (drop == HIT_OK) {
		hit_check(&a, first, len);
		hits_equal(&a, &b);
	}
	free(first);
	free(second);
}

static void
lines_check(struct format *f, struct slice rest)
{
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		line_check(f, line.p, line.len);
	}
}

static struct format *
format_of_input(struct slice *rest, uint8_t pick)
{
	struct err err = { "" };
	struct slice line;
	struct format *f;
	char *spec;

	if (pick < N_ELEM(specs))
		return (format_compile(specs[pick], cookies, N_ELEM(cookies), &err));
	line = slice_cut(rest, '\n');
	spec = mem_strndup(line.p, line.len);
	f = format_compile(spec, cookies, N_ELEM(cookies), &err);
	must((f == NULL) == (err.msg[0] != '\0'));
	free(spec);
	return (f);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size);
	struct format *f;

	if (size == 0)
		return (0);
	rest = slice_skip(rest, 1);
	f = format_of_input(&rest, data[0] % (N_ELEM(specs) + 1));
	if (f != NULL)
		lines_check(f, rest);
	format_free(&f);
	return (0);
}
