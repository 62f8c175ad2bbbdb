/*
 * json: see json.h.
 */
#include "ctl/json.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/table.h"

/* Fields that are no numbers, though they may look like one. */
static const char *const text_fields[] = {
	"revenue", "refunds", "recurring", "sales", "unattributed", "version",
};

json_t *
json_text(struct slice text)
{
	json_t *value = json_stringn(text.len > 0 ? text.p : "", text.len);
	struct buf safe = { 0 };

	if (value != NULL)
		return (value);
	table_safe(&safe, text);
	value = json_stringn(safe.p, safe.len);
	buf_free(&safe);
	must(value != NULL);
	return (value);
}

/* The grammar of JSON's own numbers: strtod() takes much more. */
static bool
is_number(const char *s, bool *integer)
{
	size_t digits;

	s += *s == '-';
	digits = strspn(s, "0123456789");
	if (digits == 0 || (digits > 1 && *s == '0'))
		return (false);
	s += digits;
	*integer = *s == '\0';
	if (*s == '.') {
		if ((digits = strspn(++s, "0123456789")) == 0)
			return (false);
		s += digits;
	}
	if (*s == 'e' || *s == 'E') {
		s += 1 + (s[1] == '-' || s[1] == '+');
		if ((digits = strspn(s, "0123456789")) == 0)
			return (false);
		s += digits;
	}
	return (*s == '\0');
}

static json_t *
field_value(const char *name, struct slice value)
{
	json_t *number = NULL;
	bool integer;
	long long n;

	for (size_t i = 0; i < N_ELEM(text_fields); i++)
		if (strcmp(name, text_fields[i]) == 0)
			return (json_text(value));
	if (strlen(value.p) != value.len || !is_number(value.p, &integer))
		return (json_text(value));
	if (!integer)
		number = json_real(strtod(value.p, NULL));	/* NULL for what is beyond a double */
	else {
		errno = 0;
		n = strtoll(value.p, NULL, 10);
		if (errno == 0)
			number = json_integer(n);
	}
	return (number != NULL ? number : json_text(value));
}

void
json_fields(json_t *object, const redisReply *hash)
{
	for (size_t i = 0; i + 1 < hash->elements; i += 2) {
		const redisReply *name = hash->element[i], *value = hash->element[i + 1];
		struct buf key = { 0 };

		/* Our own names; but a key that is not UTF-8 would be lost. */
		table_safe(&key, slice_make(name->str, name->len));
		buf_putc(&key, '\0');
		json_object_set_new(object, key.p, field_value(key.p, slice_make(value->str, value->len)));
		buf_free(&key);
	}
}

void
json_write(json_t *value, struct buf *out)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));

	must(text != NULL);
	for (const char *p = text; *p != '\0'; p++)
		if (*p == 0x7f)		/* ASCII that JSON lets through, and no terminal should see */
			buf_puts(out, "\\u007f");
		else
			buf_putc(out, *p);
	buf_putc(out, '\n');
	free(text);
	json_decref(value);
}
