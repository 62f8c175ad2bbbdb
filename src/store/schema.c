/*
 * schema: see schema.h.
 *
 * A bucket's length is written in one way, whatever the configuration calls it; a window's
 * name is what its keys have, and stays.
 */
#include "store/schema.h"

#include <inttypes.h>

#include "base/mem.h"

static void
put_duration(struct buf *out, int64_t ms)
{
	int64_t minutes = ms / 60000;

	if (minutes % 1440 == 0)
		buf_printf(out, "%" PRId64 "d", minutes / 1440);
	else if (minutes % 60 == 0)
		buf_printf(out, "%" PRId64 "h", minutes / 60);
	else
		buf_printf(out, "%" PRId64 "m", minutes);
}

static void
put_levels(struct buf *out, const struct level *levels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s/", i > 0 ? " " : "", levels[i].name);
		put_duration(out, levels[i].bucket_ms);
	}
}

static void
put_default(struct buf *out)
{
	put_levels(out, windows_default, N_ELEM(windows_default));
}

void
schema_text(const struct level *levels, size_t n, const char *version, struct buf *out)
{
	struct buf ours = { 0 }, usual = { 0 };

	put_levels(&ours, levels, n);
	put_default(&usual);
	buf_puts(out, version);
	if (n > 0 && !slice_equal(buf_view(&ours), buf_view(&usual))) {
		buf_putc(out, ' ');
		buf_put(out, ours.p, ours.len);
	}
	buf_free(&ours);
	buf_free(&usual);
}

struct slice
schema_version(struct slice schema)
{
	return (slice_cut(&schema, ' '));
}

void
schema_windows(struct slice schema, struct buf *out)
{
	slice_cut(&schema, ' ');
	if (schema.len > 0)
		buf_put(out, schema.p, schema.len);
	else
		put_default(out);
}

/* What stands in `out` from `from` on is a list of words. */
static bool
has_word(const struct buf *out, size_t from, struct slice word)
{
	struct slice rest = slice_skip(buf_view(out), from);

	while (rest.len > 0)
		if (slice_equal(slice_cut(&rest, ' '), word))
			return (true);
	return (false);
}

static void
put_word(struct buf *out, size_t from, struct slice word)
{
	if (out->len > from)
		buf_putc(out, ' ');
	buf_put(out, word.p, word.len);
}

void
schema_names(struct slice schema, struct buf *out)
{
	struct buf windows = { 0 };
	struct slice rest;
	size_t from = out->len;

	schema_windows(schema, &windows);
	for (rest = buf_view(&windows); rest.len > 0;) {
		struct slice window = slice_cut(&rest, ' '), name = slice_cut(&window, '/');

		if (name.len > 0 && name.len <= WINDOW_NAME_MAX)
			put_word(out, from, name);
	}
	buf_free(&windows);
}

void
schema_gone(struct slice gone, struct slice schema, struct buf *out)
{
	struct buf ours = { 0 }, theirs = { 0 };
	size_t from = out->len;

	schema_names(schema, &ours);
	while (gone.len > 0) {
		struct slice rest;

		theirs.len = 0;
		schema_names(slice_cut(&gone, ';'), &theirs);
		for (rest = buf_view(&theirs); rest.len > 0;) {
			struct slice name = slice_cut(&rest, ' ');

			if (!has_word(&ours, 0, name) && !has_word(out, from, name))
				put_word(out, from, name);
		}
	}
	buf_free(&ours);
	buf_free(&theirs);
}
