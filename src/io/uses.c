/*
 * uses: see uses.h.
 *
 * A line a secret: "HASH MILLISECONDS".  Nothing depends on the file, so that one that cannot be
 * written is no fault of its own: the journal beside it says so louder.
 */
#include "io/uses.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/keys.h"

#define USES_MAX 256			/* more secrets than any site has had; the one used least lately goes */
#define FILE_MAX_BYTES (64 * 1024)
#define SAVE_MS (INT64_C(3600) * 1000)

struct use {
	uint64_t secret;
	int64_t last_ms, saved_ms;
};

struct uses {
	char *path;
	struct use all[USES_MAX];
	size_t n;
};

static struct use *
find(struct uses *u, uint64_t secret)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->all[i].secret == secret)
			return (&u->all[i]);
	return (NULL);
}

static void
add(struct uses *u, struct use use)
{
	struct use *to = &u->all[0];

	if (u->n < USES_MAX)
		to = &u->all[u->n++];
	else
		for (size_t i = 1; i < u->n; i++)
			if (u->all[i].last_ms < to->last_ms)
				to = &u->all[i];
	*to = use;
}

static void
take_line(struct uses *u, struct slice line)
{
	char *text = mem_strndup(line.p, line.len), *end;
	struct use use = { .secret = strtoull(text, &end, 16) };

	if (line.len > 17 && end == text + 16 && *end == ' ') {
		use.last_ms = use.saved_ms = strtoll(end, &end, 10);
		if (*end == '\0' && find(u, use.secret) == NULL)
			add(u, use);
	}
	free(text);
}

struct uses *
uses_open(const char *dir, const char *site)
{
	struct uses *u = mem_calloc(1, sizeof(*u));
	struct buf path = { 0 };
	size_t len = 0;
	char *text;

	buf_printf(&path, "%s/uses-%s", dir, site);
	u->path = mem_strndup(path.p, path.len);
	buf_free(&path);
	text = file_read_own(u->path, FILE_MAX_BYTES, &len, NULL);
	for (struct slice rest = slice_make(text, text != NULL ? len : 0); rest.len > 0;)
		take_line(u, slice_cut(&rest, '\n'));
	free(text);
	return (u);
}

void
uses_close(struct uses **up)
{
	if (*up == NULL)
		return;
	free((*up)->path);
	free(*up);
	*up = NULL;
}

int64_t
uses_last(struct uses *u, uint64_t secret, int64_t now_ms)
{
	const struct use *use = find(u, secret);

	if (use != NULL)
		return (use->last_ms);
	add(u, (struct use){ secret, now_ms, 0 });
	return (now_ms);
}

void
uses_note(struct uses *u, uint64_t secret, int64_t now_ms)
{
	struct use *use = find(u, secret);

	if (use == NULL)
		add(u, (struct use){ secret, now_ms, 0 });
	else if (now_ms > use->last_ms)
		use->last_ms = now_ms;
}

void
uses_save(struct uses *u, bool all)
{
	struct buf out = { 0 };
	bool behind = false;

	for (size_t i = 0; i < u->n; i++)
		behind |= u->all[i].last_ms - u->all[i].saved_ms >= (all ? 1 : SAVE_MS);
	for (size_t i = 0; behind && i < u->n; i++)
		buf_printf(&out, "%016" PRIx64 " %" PRId64 "\n", u->all[i].secret, u->all[i].last_ms);
	if (behind && file_replace(u->path, buf_view(&out)) == 0)
		for (size_t i = 0; i < u->n; i++)
			u->all[i].saved_ms = u->all[i].last_ms;
	buf_free(&out);
}
