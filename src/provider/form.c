/*
 * form: see form.h.
 */
#include "provider/form.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/page.h"

#define NAME_MAX_BYTES 128		/* longer names are nobody's that we read */

/* Decoded, or NULL where that is no text: a NUL, bad UTF-8. */
static json_t *
text_json(struct slice raw)
{
	char *decoded = mem_alloc(raw.len + 1);
	size_t len = percent_decode(raw, true, decoded);
	json_t *json = memchr(decoded, '\0', len) == NULL ? json_stringn(decoded, len) : NULL;

	free(decoded);
	return (json);
}

/* "b[c]" into "b" and "c"; in is empty where it is no name of that kind. */
static struct slice
outer_name(struct slice name, struct slice *in)
{
	struct slice rest = name, outer = slice_cut(&rest, '[');

	*in = SLICE("");
	if (rest.len < 2 || rest.p[rest.len - 1] != ']' || outer.len == 0)
		return (name);
	*in = slice_make(rest.p, rest.len - 1);
	return (outer);
}

/* The object of that name; NULL where a text has it. */
static json_t *
inner_object(json_t *form, const char *name)
{
	json_t *object = json_object_get(form, name);

	if (object == NULL) {
		object = json_object();
		must(json_object_set_new(form, name, object) == 0);
	}
	return (json_is_object(object) ? object : NULL);
}

static void
terminated(char to[NAME_MAX_BYTES + 1], struct slice name)
{
	memcpy(to, name.p, name.len);
	to[name.len] = '\0';
}

/* Takes value over.  False where the name was there before. */
static bool
put(json_t *form, struct slice name, json_t *value)
{
	char outer[NAME_MAX_BYTES + 1], inner[NAME_MAX_BYTES + 1];
	struct slice in, out = outer_name(name, &in);
	json_t *object = form;
	bool is_new = true;

	terminated(outer, out);
	terminated(inner, in);
	if (in.len > 0)
		object = slice_find(in, '[') < 0 && slice_find(in, ']') < 0 ? inner_object(form, outer) : NULL;
	if (object != NULL && json_object_get(object, in.len > 0 ? inner : outer) == NULL)
		must(json_object_set(object, in.len > 0 ? inner : outer, value) == 0);
	else
		is_new = false;
	json_decref(value);
	return (is_new || in.len > 0 || slice_find(name, '[') >= 0);
}

static bool
put_pair(json_t *form, struct slice pair, struct delivery *d)
{
	struct slice raw = slice_cut(&pair, '=');
	json_t *name = text_json(raw), *value = text_json(pair);
	bool fine = true;

	if (name == NULL || value == NULL) {
		json_decref(value);
		fine = delivery_bad_body(d, "not UTF-8");
	} else if (json_string_length(name) > NAME_MAX_BYTES || raw.len == 0)
		json_decref(value);
	else if (!put(form, slice_make(json_string_value(name), json_string_length(name)), value))
		fine = delivery_bad_body(d, "the same field twice");
	json_decref(name);
	return (fine);
}

bool
form_parse(struct slice text, struct delivery *d, struct body *out)
{
	json_t *form = json_object();

	delivery_keep_json(d, form);
	*out = (struct body){ d, form, "" };
	while (text.len > 0)
		if (!put_pair(form, slice_cut(&text, '&'), d))
			return (false);
	return (true);
}
