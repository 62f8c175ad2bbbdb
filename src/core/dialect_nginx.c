/*
 * dialect_nginx: the strings of nginx' log_format.
 */
#include "core/hit_impl.h"
#include "core/hit_time.h"

static const struct variable variables[] = {
	{ "remote_addr", FIELD_ADDR, NULL, 0 },
	{ "remote_addr_port", FIELD_ADDR, NULL, HOW_PORT },	/* nginx has none: for presets of others (format.c) */
	{ "http_x_forwarded_for", FIELD_FORWARDED, NULL, 0 },
	{ "proxy_add_x_forwarded_for", FIELD_FORWARDED, NULL, 0 },
	{ "http_forwarded", FIELD_FORWARDED, NULL, 0 },
	{ "http_cf_connecting_ip", FIELD_FORWARDED, NULL, 0 },
	{ "http_true_client_ip", FIELD_FORWARDED, NULL, 0 },
	{ "http_x_real_ip", FIELD_FORWARDED, NULL, 0 },
	{ "msec", FIELD_TIME, hit_time_msec, 0 },
	{ "time_any", FIELD_TIME, hit_time_any, 0 },		/* likewise */
	{ "time_local", FIELD_TIME, hit_time_local, 0 },
	{ "time_iso8601", FIELD_TIME, hit_time_iso8601, 0 },
	{ "request", FIELD_REQUEST, NULL, 0 },
	{ "request_method", FIELD_METHOD, NULL, 0 },
	{ "request_uri", FIELD_TARGET, NULL, 0 },
	{ "uri", FIELD_TARGET, NULL, HOW_PATH },
	{ "document_uri", FIELD_TARGET, NULL, HOW_PATH },
	{ "url_of_get", FIELD_TARGET, NULL, HOW_GET },		/* likewise */
	{ "args", FIELD_ARGS, NULL, 0 },
	{ "query_string", FIELD_ARGS, NULL, 0 },
	{ "server_protocol", FIELD_PROTOCOL, NULL, 0 },
	{ "status", FIELD_STATUS, NULL, 0 },
	{ "body_bytes_sent", FIELD_BYTES, NULL, 0 },
	{ "bytes_sent", FIELD_BYTES, NULL, 0 },
	{ "http_referer", FIELD_REFERRER, NULL, 0 },
	{ "http_user_agent", FIELD_AGENT, NULL, 0 },
	{ "host", FIELD_HOST, NULL, 0 },
	{ "http_host", FIELD_HOST, NULL, 0 },
	{ "server_name", FIELD_HOST, NULL, 0 },
	{ "uid_got", FIELD_UID_GOT, NULL, 0 },
	{ "uid_set", FIELD_UID_SET, NULL, 0 },
	{ "http_cookie", FIELD_COOKIES, NULL, 0 },
};

static bool
is_name_byte(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
}

/* Takes $name or ${name} off the front of *rest, which begins with the dollar. */
static int
take_name(struct slice *rest, struct slice *name, struct err *err)
{
	struct slice s = slice_skip(*rest, 1);
	bool braces = s.len > 0 && s.p[0] == '{';
	size_t n = 0;

	if (braces)
		s = slice_skip(s, 1);
	while (n < s.len && is_name_byte(s.p[n]))
		n++;
	*name = slice_make(s.p, n);
	s = slice_skip(s, n);
	if (n == 0 || (braces && (s.len == 0 || s.p[0] != '}')))
		return (err_set(err, "log format: a variable's name is missing at \"%.20s\"", rest->p));
	*rest = slice_skip(s, braces ? 1 : 0);
	return (0);
}

static const struct variable *
variable_find(const struct format *f, struct slice name)
{
	struct slice cookie = slice_skip(name, strlen("cookie_"));

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (slice_equal_nocase(name, slice_of(variables[i].name)))
			return (&variables[i]);
	if (cookie.len == 0 || !slice_equal_nocase(slice_make(name.p, strlen("cookie_")), SLICE("cookie_")))
		return (&variable_unknown);
	return (variable_cookie(f, cookie));
}

static int
nginx_next(struct pieces *s, struct piece *piece, struct err *err)
{
	ptrdiff_t dollar = slice_find(s->rest, '$');

	*piece = (struct piece){ .text = s->rest };
	if (dollar < 0)
		return (0);
	piece->text.len = (size_t)dollar;
	s->rest = slice_skip(s->rest, (size_t)dollar);
	if (take_name(&s->rest, &piece->name, err) != 0)
		return (-1);
	piece->variable = variable_find(s->format, piece->name);
	return (1);
}

const struct dialect dialect_nginx = { "$", nginx_next };
