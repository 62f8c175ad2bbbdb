/*
 * hit_ltsv: lines of labelled values, parted by tabs (ltsv.org).
 */
#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

#define LABEL_MAX 40

/* Which field a label fills.  ltsv.org's "host" is the client; in other hands it is the shop's. */
static const struct name *
label_find(const struct format *f, struct slice label, struct slice value, enum field *field)
{
	char text[LABEL_MAX];
	size_t len = label.len <= LABEL_MAX ? name_normalise(label, text, sizeof(text)) : 0;
	const struct name *name = len > 0 ? names_find(f->names, slice_make(text, len)) : NULL;

	if (name == NULL)
		return (NULL);
	*field = (name->how & HOW_BY_VALUE) != 0 && !looks_like_address(value) ? FIELD_HOST : name->field;
	return (name);
}

enum hit_drop
ltsv_line(struct format *f, char *line, size_t len, struct cut *cut)
{
	const struct name *from[FIELDS] = { NULL };
	struct slice rest = slice_make(line, len);
	bool any = false;
	int64_t ms;

	while (rest.len > 0) {
		struct slice value = slice_cut(&rest, '\t'), label;
		const struct name *name;
		enum field field = FIELD_SKIP;

		if (slice_find(value, ':') <= 0)
			return (HIT_MALFORMED);
		label = slice_cut(&value, ':');
		name = label_find(f, label, value, &field);
		if (name == NULL || hit_value(value).len == 0 || (from[field] != NULL && from[field] <= name))
			continue;
		from[field] = name;
		cut->field[field] = value;
		any = true;
	}
	cut->time = hit_time_any;
	if (!any || !hit_time_any(cut->field[FIELD_TIME], &ms))
		return (any ? HIT_OK : HIT_MALFORMED);	/* and the line stays as it is: it may be something else */
	for (size_t i = FIELD_SKIP + 1; i < FIELDS; i++)
		if (from[i] != NULL) {
			cut->how |= from[i]->how & (HOW_PATH | HOW_PORT);
			hit_unescape(line, &cut->field[i], ESCAPES_ANY);
		}
	if (slice_find(cut->field[FIELD_TARGET], '?') >= 0)
		cut->how &= ~(unsigned)HOW_PATH;
	return (HIT_OK);
}

void
ltsv_compile(struct format *f)
{
	f->read = ltsv_line;
	f->names = names_new(NAMES_LTSV, f);
	format_has_all(f);
}
