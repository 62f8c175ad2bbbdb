/*
 * dialect_envoy: the text strings of Envoy's access log: %START_TIME% and its like.
 */
#include "core/hit_impl.h"
#include "core/hit_time.h"

/* %REQ(FIRST?SECOND)% is the first header, or where it is absent, the second; a length may follow. */
static const struct variable variables[] = {
	{ "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", FIELD_ADDR, NULL, 0 },
	{ "DOWNSTREAM_REMOTE_ADDRESS", FIELD_ADDR, NULL, HOW_PORT },
	{ "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", FIELD_ADDR, NULL, 0 },
	{ "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", FIELD_ADDR, NULL, HOW_PORT },
	{ "REQ(X-FORWARDED-FOR)", FIELD_FORWARDED, NULL, 0 },
	{ "START_TIME", FIELD_TIME, hit_time_iso8601, 0 },
	{ "REQ(:METHOD)", FIELD_METHOD, NULL, 0 },
	{ "REQ(X-ENVOY-ORIGINAL-PATH?:PATH)", FIELD_TARGET, NULL, 0 },
	{ "REQ(:PATH)", FIELD_TARGET, NULL, 0 },
	{ "PATH", FIELD_TARGET, NULL, 0 },
	{ "PROTOCOL", FIELD_PROTOCOL, NULL, 0 },
	{ "RESPONSE_CODE", FIELD_STATUS, NULL, 0 },
	{ "BYTES_SENT", FIELD_BYTES, NULL, 0 },
	{ "REQ(REFERER)", FIELD_REFERRER, NULL, 0 },
	{ "REQ(USER-AGENT)", FIELD_AGENT, NULL, 0 },
	{ "REQ(:AUTHORITY)", FIELD_HOST, NULL, 0 },
	{ "REQ(HOST)", FIELD_HOST, NULL, 0 },
	{ "REQ(COOKIE)", FIELD_COOKIES, NULL, 0 },
};

static const struct variable *
variable_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (slice_equal_nocase(name, slice_of(variables[i].name)))
			return (&variables[i]);
	return (&variable_unknown);
}

/* A name may hold percent signs in its parentheses: %START_TIME(%Y-%m-%d)%. */
static const char *
name_end(struct slice s)
{
	int depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		depth += s.p[i] == '(' ? 1 : s.p[i] == ')' ? -1 : 0;
		if (s.p[i] == '%' && depth == 0)
			return (s.p + i);
	}
	return (NULL);
}

/* Without a length behind it. */
static struct slice
name_alone(struct slice name)
{
	ptrdiff_t close = slice_find(name, ')');

	return (close > 0 && (size_t)close + 1 < name.len && name.p[close + 1] == ':' ? slice_make(name.p, (size_t)close + 1) : name);
}

static int
envoy_next(struct pieces *s, struct piece *piece, struct err *err)
{
	const char *end;

	*piece = (struct piece){ .text.p = s->room };
	for (; s->rest.len > 0; s->rest = slice_skip(s->rest, 1)) {
		if (s->rest.p[0] == '%' && (s->rest.len == 1 || s->rest.p[1] != '%'))
			break;
		if (s->rest.p[0] == '%')
			s->rest = slice_skip(s->rest, 1);
		*s->room++ = s->rest.p[0];
	}
	while (s->rest.len == 0 && s->room > piece->text.p && s->room[-1] == '\n')
		s->room--;		/* Envoy's strings bring their newline */
	piece->text.len = (size_t)(s->room - piece->text.p);
	if (s->rest.len == 0)
		return (0);
	end = name_end(slice_skip(s->rest, 1));
	if (end == NULL)
		return (err_set(err, "log format: the percent sign that ends a command is missing at \"%.20s\"", s->rest.p));
	piece->name = slice_make(s->rest.p, (size_t)(end + 1 - s->rest.p));
	piece->variable = variable_find(name_alone(slice_make(s->rest.p + 1, (size_t)(end - s->rest.p) - 1)));
	s->rest = slice_skip(s->rest, piece->name.len);
	return (1);
}

const struct dialect dialect_envoy = { "", envoy_next };
