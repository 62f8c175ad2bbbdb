/*
 * hit_ltsv: lines of labelled values, parted by tabs (ltsv.org).
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

#define LABEL_MAX 32
#define LABELS_MAX 64

/* The i-th label of the last line, and what it stood for: mostly it is the same again. */
struct labels {
	struct { char text[LABEL_MAX]; size_t len; const struct name *name; } list[LABELS_MAX];
};

struct filled {
	const struct name *from[FIELDS];	/* by which label */
};

/* At the front of *value, which it is taken off.  False where there is none. */
static bool
take_label(struct format *f, size_t i, struct slice *value, const struct name **name)
{
	struct slice label;
	char text[LABEL_MAX];
	ptrdiff_t colon;

	if (i < LABELS_MAX && f->labels->list[i].len > 0 && value->len > f->labels->list[i].len &&
	    value->p[f->labels->list[i].len] == ':' && memcmp(value->p, f->labels->list[i].text, f->labels->list[i].len) == 0) {
		*name = f->labels->list[i].name;
		*value = slice_skip(*value, f->labels->list[i].len + 1);
		return (true);
	}
	colon = slice_find(*value, ':');
	if (colon <= 0)
		return (false);
	label = slice_cut(value, ':');
	*name = label.len <= LABEL_MAX ? names_find(f->names, slice_make(text, name_normalise(label, text, sizeof(text)))) : NULL;
	if (i < LABELS_MAX && label.len <= LABEL_MAX) {
		memcpy(f->labels->list[i].text, label.p, label.len);
		f->labels->list[i].len = label.len;
		f->labels->list[i].name = *name;
	}
	return (true);
}

/* ltsv.org's "host" is the client; in other hands it is the shop's. */
static void
fill(struct cut *cut, struct filled *filled, const struct name *name, struct slice value)
{
	enum field field;

	if (name == NULL || hit_value(value).len == 0)
		return;
	field = (name->how & HOW_BY_VALUE) != 0 && !looks_like_address(value) ? FIELD_HOST : name->field;
	if (filled->from[field] != NULL && filled->from[field] <= name)
		return;
	filled->from[field] = name;
	cut->field[field] = value;
}

static bool
cut_line(struct format *f, struct slice rest, struct cut *cut, struct filled *filled)
{
	for (size_t i = 0; rest.len > 0; i++) {
		struct slice value = slice_cut(&rest, '\t');
		const struct name *name;

		if (!take_label(f, i, &value, &name))
			return (false);
		fill(cut, filled, name, value);
	}
	return (true);
}

enum hit_drop
ltsv_line(struct format *f, char *line, size_t len, struct cut *cut)
{
	struct filled filled = { { NULL } };
	bool escapes = memchr(line, '\\', len) != NULL;
	int64_t ms;

	if (!cut_line(f, slice_make(line, len), cut, &filled))
		return (HIT_MALFORMED);
	cut->time = hit_time_any;
	if (escapes && !hit_time_any(cut->field[FIELD_TIME], &ms))
		return (HIT_OK);	/* a bad time; and the line stays as it is, for it may be something else */
	for (size_t i = FIELD_SKIP + 1; i < FIELDS; i++)
		if (filled.from[i] != NULL) {
			cut->how |= filled.from[i]->how & (HOW_PATH | HOW_PORT);
			if (escapes)
				hit_unescape(line, &cut->field[i], ESCAPES_ANY);
		}
	if ((cut->how & HOW_PATH) != 0 && slice_find(cut->field[FIELD_TARGET], '?') >= 0)
		cut->how &= ~(unsigned)HOW_PATH;
	return (HIT_OK);
}

void
ltsv_compile(struct format *f)
{
	f->read = ltsv_line;
	f->names = names_new(NAMES_LTSV, f);
	f->labels = mem_calloc(1, sizeof(*f->labels));
	format_has_all(f);
}

void
labels_free(struct labels **lp)
{
	free(*lp);
	*lp = NULL;
}
