/*
 * body: see body.h.
 *
 * jansson reads real numbers into doubles, and refuses integers beyond 64 bits
 * wherever they stand.  So every number is put between quotes before jansson sees
 * it: it then is a string of exactly what the sender wrote.  The same pass counts
 * brackets, so that depth is bounded before anything recurses.
 */
#include "provider/body.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"

#define TIME_MS_MAX INT64_C(253402300799999)	/* the end of the year 9999 */

/* ---- parsing ---- */

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

static size_t
digits_at(struct slice s, size_t i)
{
	size_t n = 0;

	while (i + n < s.len && is_digit(s.p[i + n]))
		n++;
	return (n);
}

/* -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?  The longest that fits; 0: none. */
static size_t
number_length(struct slice s)
{
	size_t i = s.len > 0 && s.p[0] == '-', n = digits_at(s, i);

	if (n == 0)
		return (0);
	i += s.p[i] == '0' ? 1 : n;
	if (i < s.len && s.p[i] == '.' && (n = digits_at(s, i + 1)) > 0)
		i += 1 + n;
	if (i < s.len && (s.p[i] == 'e' || s.p[i] == 'E')) {
		size_t sign = i + 1 < s.len && (s.p[i + 1] == '+' || s.p[i + 1] == '-');

		if ((n = digits_at(s, i + 1 + sign)) > 0)
			i += 1 + sign + n;
	}
	return (i);
}

/* From one quote to behind the other, or to the end. */
static size_t
string_length(struct slice s)
{
	size_t i = 1;

	for (; i < s.len && s.p[i] != '"'; i++)
		if (s.p[i] == '\\')
			i++;
	return (i < s.len ? i + 1 : s.len);
}

/* In quotes a number could pass for a key, which it is not in JSON. */
static bool
is_key(struct slice rest)
{
	while (rest.len > 0 && memchr(" \t\r\n", *rest.p, 4) != NULL)
		rest = slice_skip(rest, 1);
	return (rest.len > 0 && *rest.p == ':');
}

static bool
quote_numbers(struct slice text, struct buf *out, struct delivery *d)
{
	size_t depth = 0, n;

	for (; text.len > 0; text = slice_skip(text, n)) {
		char c = *text.p;

		n = 1;
		if (c == '"') {
			n = string_length(text);
		} else if (c == '{' || c == '[') {
			if (++depth > BODY_DEPTH_MAX)
				return (delivery_bad_body(d, "nested deeper than %d", BODY_DEPTH_MAX));
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c == '-' || is_digit(c)) {
			n = number_length(text);
			if (n == 0 || is_key(slice_skip(text, n)))
				return (delivery_bad_body(d, "not JSON"));
			buf_putc(out, '"');
			buf_put(out, text.p, n);
			buf_putc(out, '"');
			continue;
		}
		buf_put(out, text.p, n);
	}
	return (true);
}

/* jansson's own sentence quotes the body: not for a log. */
static const char *
json_complaint(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return ("the same key twice in one object");
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return ("a NUL in a string");
	case json_error_invalid_utf8:
		return ("not UTF-8");
	default:
		return ("not JSON");
	}
}

bool
body_parse(struct slice text, struct delivery *d, struct body *out)
{
	struct buf quoted = { 0 };
	json_error_t error;
	json_t *json;

	if (!quote_numbers(text, &quoted, d)) {
		buf_free(&quoted);
		return (false);
	}
	json = json_loadb(quoted.p != NULL ? quoted.p : "", quoted.len, JSON_REJECT_DUPLICATES, &error);
	buf_free(&quoted);
	if (json == NULL) {
		must(json_error_code(&error) != json_error_out_of_memory);
		return (delivery_bad_body(d, "%s", json_complaint(&error)));
	}
	delivery_keep_json(d, json);
	*out = (struct body){ d, json, "" };
	if (!json_is_object(json))
		return (delivery_bad_body(d, "not a JSON object"));
	return (true);
}

/* ---- walking ---- */

static json_t *
not_null(json_t *json)
{
	return (json_is_null(json) ? NULL : json);
}

json_t *
body_at(const struct body *b, const char *path)
{
	struct slice rest = slice_of(path);
	json_t *json = b->json;

	while (rest.len > 0 && json != NULL) {
		struct slice step = slice_cut(&rest, '.');
		char key[64];

		must(step.len < sizeof(key));
		memcpy(key, step.p, step.len);
		key[step.len] = '\0';
		json = json_object_get(json, key);	/* NULL where json is no object */
	}
	return (not_null(json));
}

bool
body_has(const struct body *b, const char *key)
{
	return (json_object_get(b->json, key) != NULL);
}

static struct slice
text_of(const json_t *json)
{
	if (!json_is_string(json))
		return (SLICE(""));
	return (slice_make(json_string_value(json), json_string_length(json)));
}

struct slice
body_text(const struct body *b, const char *path)
{
	return (text_of(body_at(b, path)));
}

struct slice
body_text_of(const struct body *b, const char *path, struct slice wanted)
{
	json_t *object = body_at(b, path), *value;
	const char *key;

	if (json_is_object(object))
		json_object_foreach(object, key, value)
			if (slice_is(wanted, key))
				return (text_of(value));
	return (SLICE(""));
}

bool
body_is_true(const struct body *b, const char *path)
{
	return (json_is_true(body_at(b, path)));
}

size_t
body_count(const struct body *b, const char *path)
{
	return (json_array_size(body_at(b, path)));	/* 0 where it is no array */
}

struct body
body_item(const struct body *b, const char *path, size_t i)
{
	return ((struct body){ b->out, json_array_get(body_at(b, path), i), path });
}

/* ---- fields ---- */

bool
body_complain(const struct body *b, const char *path, const char *what)
{
	return (delivery_bad_body(b->out, "%s%s%s: %s", b->name, *b->name != '\0' ? "." : "", path, what));
}

static bool
required_text(const struct body *b, const char *path, struct slice *text)
{
	*text = body_text(b, path);
	if (text->len > 0)
		return (true);
	return (body_complain(b, path, body_at(b, path) == NULL ? "is missing" : "is empty or of another type"));
}

bool
body_object(const struct body *b, const char *path, struct body *out)
{
	*out = (struct body){ b->out, body_at(b, path), path };
	return (json_is_object(out->json) || body_complain(b, path, "is missing or no object"));
}

bool
body_id(const struct body *b, const char *path, struct slice *id)
{
	if (!required_text(b, path, id))
		return (false);
	return (id->len <= ORDER_ID_MAX || body_complain(b, path, "is too long"));
}

bool
body_currency(const struct body *b, const char *path, struct currency *c)
{
	struct slice text;

	if (!required_text(b, path, &text))
		return (false);
	return (currency_parse(text, c) || body_complain(b, path, "is no currency code"));
}

static bool
amount_of(const struct body *b, const char *path, struct slice text, struct currency c, int64_t *minor)
{
	/* money_parse() would take what a JSON number may be; an amount is plainer. */
	if (text.len == 0 || !is_digit(*text.p) || slice_find(text, 'e') >= 0 || slice_find(text, 'E') >= 0 ||
	    !money_parse(text, c, minor))
		return (body_complain(b, path, "is no amount"));
	return (true);
}

bool
body_amount(const struct body *b, const char *path, struct currency c, int64_t *minor)
{
	struct slice text;

	if (!required_text(b, path, &text))
		return (false);
	if (*text.p == '-')
		return (body_complain(b, path, "is negative"));
	return (amount_of(b, path, text, c, minor));
}

bool
body_amount_unsigned(const struct body *b, const char *path, struct currency c, int64_t *minor)
{
	struct slice text;

	return (required_text(b, path, &text) && amount_of(b, path, slice_skip(text, *text.p == '-'), c, minor));
}

/* An int64 in decimal digits. */
static bool
integer_parse(struct slice text, int64_t *out)
{
	bool negative = text.len > 0 && *text.p == '-';
	int64_t n = 0;

	if (negative)
		text = slice_skip(text, 1);
	if (text.len == 0 || digits_at(text, 0) != text.len)
		return (false);
	for (size_t i = 0; i < text.len; i++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text.p[i] - '0', &n))
			return (false);
	*out = negative ? -n : n;
	return (true);
}

bool
body_integer(const struct body *b, const char *path, int64_t *n)
{
	struct slice text;

	if (!required_text(b, path, &text))
		return (false);
	if (*text.p == '-')
		return (body_complain(b, path, "is negative"));
	return (integer_parse(text, n) || body_complain(b, path, "is no amount"));
}

bool
body_units(const struct body *b, const char *path, int exponent, struct currency c, int64_t *minor)
{
	int64_t units;

	if (!body_integer(b, path, &units))
		return (false);
	return (money_from_units(units, exponent, c, minor) || body_complain(b, path, "is no amount"));
}

bool
body_amount_or_0(const struct body *b, const char *path, struct currency c, int64_t *minor)
{
	*minor = 0;
	return (body_at(b, path) == NULL || body_amount(b, path, c, minor));
}

bool
body_units_or_0(const struct body *b, const char *path, int exponent, struct currency c, int64_t *minor)
{
	*minor = 0;
	return (body_at(b, path) == NULL || body_units(b, path, exponent, c, minor));
}

bool
body_bool(const struct body *b, const char *path, bool *value)
{
	const json_t *json = body_at(b, path);

	*value = json_is_true(json);
	return (json_is_boolean(json) || body_complain(b, path, "is neither true nor false"));
}

bool
body_bool_or_false(const struct body *b, const char *path, bool *value)
{
	*value = false;
	return (body_at(b, path) == NULL || body_bool(b, path, value));
}

bool
body_time(const struct body *b, const char *path, enum time_form form, int64_t *ms)
{
	static const char *const wrong[] = {
		[TIME_RFC3339] = "is no time such as 2026-03-02T10:00:00Z",
		[TIME_GMT] = "is no time such as 2026-03-02T10:00:00",
		[TIME_UNIX] = "is no time in Unix seconds",
		[TIME_UNIX_MS] = "is no time in Unix milliseconds"
	};
	struct slice text;

	if (!required_text(b, path, &text))
		return (false);
	return (time_parse(text, form, ms) || body_complain(b, path, wrong[form]));
}

/* ---- times ---- */

/* n digits, taken off the front. */
static bool
take_number(struct slice *s, size_t n, int *out)
{
	*out = 0;
	if (digits_at(*s, 0) < n)
		return (false);
	for (size_t i = 0; i < n; i++)
		*out = *out * 10 + (s->p[i] - '0');
	*s = slice_skip(*s, n);
	return (true);
}

static bool
take_one_of(struct slice *s, const char *bytes)
{
	if (s->len == 0 || *s->p == '\0' || strchr(bytes, *s->p) == NULL)
		return (false);
	*s = slice_skip(*s, 1);
	return (true);
}

/* 2026-03-02, as seconds */
static bool
take_date(struct slice *s, int64_t *seconds)
{
	struct tm tm = { 0 };
	int year, month, day;

	if (!take_number(s, 4, &year) || !take_one_of(s, "-") || !take_number(s, 2, &month) ||
	    !take_one_of(s, "-") || !take_number(s, 2, &day))
		return (false);
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	*seconds = timegm(&tm);			/* makes March 2 of February 30 */
	return (tm.tm_mon == month - 1 && tm.tm_mday == day);
}

/* 10:00:00.25, as milliseconds; a leap second is the first of the next minute */
static bool
take_clock(struct slice *s, int64_t *ms)
{
	int hour, minute, second;
	size_t n;

	if (!take_number(s, 2, &hour) || !take_one_of(s, ":") || !take_number(s, 2, &minute) ||
	    !take_one_of(s, ":") || !take_number(s, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return (false);
	*ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
	if (!take_one_of(s, "."))
		return (true);
	n = digits_at(*s, 0);
	for (size_t i = 0, unit = 100; i < n && unit > 0; i++, unit /= 10)
		*ms += (s->p[i] - '0') * (int64_t)unit;
	*s = slice_skip(*s, n);
	return (n > 0);
}

/* Z, +02:00, as milliseconds ahead of UTC */
static bool
take_zone(struct slice *s, int64_t *ms)
{
	bool west = s->len > 0 && *s->p == '-';
	int hour, minute;

	*ms = 0;
	if (take_one_of(s, "Zz"))
		return (true);
	if (!take_one_of(s, "+-") || !take_number(s, 2, &hour) || !take_one_of(s, ":") ||
	    !take_number(s, 2, &minute) || hour > 23 || minute > 59)
		return (false);
	*ms = (hour * 60 + minute) * INT64_C(60000) * (west ? -1 : 1);
	return (true);
}

bool
unix_seconds(struct slice text, int64_t *seconds)
{
	return (text.len <= 12 && text.len > 0 && is_digit(*text.p) && integer_parse(text, seconds));
}

bool
time_parse(struct slice text, enum time_form form, int64_t *ms)
{
	int64_t date, clock, zone = 0;

	if (form == TIME_UNIX) {
		if (!unix_seconds(text, &date))
			return (false);
		*ms = date * 1000;
	} else if (form == TIME_UNIX_MS) {
		if (text.len > 15 || text.len == 0 || !is_digit(*text.p) || !integer_parse(text, ms))
			return (false);
	} else {
		if (!take_date(&text, &date) || !take_one_of(&text, "Tt ") || !take_clock(&text, &clock))
			return (false);
		if (form == TIME_RFC3339 && !take_zone(&text, &zone))
			return (false);
		*ms = date * 1000 + clock - zone;
		if (text.len > 0)
			return (false);
	}
	return (*ms >= 0 && *ms <= TIME_MS_MAX);
}
