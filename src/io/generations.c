/*
 * generations: see generations.h.
 *
 * Rotation may go on while the directory is read.  So it is read twice, and what was seen
 * counts only if both times the same names stood for the same inodes.
 */
#include "io/generations.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

#define SCAN_TRIES 3

static char *
resolved(const char *path, bool follow)
{
	char *real = follow ? realpath(path, NULL) : NULL;
	char *copy = mem_strdup(real != NULL ? real : path);

	free(real);
	return (copy);
}

/* Cuts the path in place; *base points into it or is all of it. */
static char *
split(char *path, const char **base)
{
	char *slash = strrchr(path, '/');

	*base = slash != NULL ? slash + 1 : path;
	if (slash == NULL)
		return (mem_strdup("."));
	return (mem_strndup(path, slash == path ? 1 : (size_t)(slash - path)));
}

char *
generations_dir(const char *path, bool follow)
{
	const char *base;
	char *real = resolved(path, follow), *dir = split(real, &base);

	free(real);
	return (dir);
}

/* ---- names -------------------------------------------------------------------- */

/* What is left of a name without the ending of a packer. */
static struct slice
unpacked_name(struct slice name)
{
	static const char *const endings[] = { ".gz", ".xz", ".bz2", ".zst" };

	for (size_t i = 0; i < N_ELEM(endings); i++)
		if (slice_ends(name, slice_of(endings[i])))
			name.len -= strlen(endings[i]);
	return (name);
}

/* .1  -20261101  .2026-11-01T00:00:00  _3  .old */
static bool
is_rotated_suffix(struct slice suffix)
{
	bool digits = false;

	if (slice_is(suffix, ".old"))
		return (true);
	for (size_t i = 0; i < suffix.len; i++) {
		char c = suffix.p[i];

		digits = digits || isdigit((unsigned char)c);
		if (!isdigit((unsigned char)c) && (c == '\0' || strchr(".-_:TZ+", c) == NULL))
			return (false);
	}
	return (digits);
}

bool
generations_is_rotated(const char *live, const char *path)
{
	struct slice base = slice_of(live), name = unpacked_name(slice_of(path));

	return (slice_starts(name, base) && name.len > base.len && is_rotated_suffix(slice_skip(name, base.len)));
}

/* .N, but no date */
static long
suffix_number(struct slice suffix)
{
	long n = 0;

	if (suffix.len < 2 || suffix.len > 5 || suffix.p[0] != '.')
		return (-1);
	for (size_t i = 1; i < suffix.len; i++) {
		if (!isdigit((unsigned char)suffix.p[i]))
			return (-1);
		n = 10 * n + (suffix.p[i] - '0');
	}
	return (n);
}

/* ---- scan ----------------------------------------------------------------------- */

static struct generation *
add(struct generations *gs, const char *name)
{
	struct generation *g;

	mem_grow(&gs->items, &gs->cap, gs->count + 1, sizeof(*gs->items));
	g = &gs->items[gs->count++];
	*g = (struct generation){ .name = mem_strdup(name), .number = -1 };
	return (g);
}

static void
clear(struct generations *gs)
{
	for (size_t i = 0; i < gs->count; i++) {
		free(gs->items[i].name);
		logfile_close(&gs->items[i].file);
	}
	gs->count = 0;
	gs->has_live = false;
}

void
generations_free(struct generations *gs)
{
	clear(gs);
	free(gs->items);
	free(gs->dir);
	*gs = (struct generations){ 0 };
}

/* 0, also where the file is passed over; -1 where the whole scan is worth nothing. */
static int
add_file(struct generations *gs, const char *base, const char *name, struct err *err)
{
	bool live = strcmp(name, base) == 0;
	struct slice suffix = unpacked_name(slice_of(name + strlen(base)));
	struct generation *g;
	struct logfile *file;
	struct file_id id;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", gs->dir, name) >= (int)sizeof(path))
		return (0);
	if (!file_id_of(&id, path, false, live ? &gs->live_err : NULL))
		return (0);
	file = logfile_open(path, false, err);
	if (file == NULL && live)
		gs->live_err = *err;
	if (file == NULL && errno != EACCES && errno != EPERM)
		return (errno == ENOENT || errno == ELOOP || errno == EINVAL ? 0 : -1);
	g = add(gs, name);
	g->file = file;
	g->id = file != NULL ? *logfile_id(file) : id;
	g->mtime_ns = file != NULL ? logfile_mtime_ns(file) : 0;
	g->number = live ? -1 : suffix_number(suffix);
	g->is_rotated = live || is_rotated_suffix(suffix);
	gs->has_live = gs->has_live || (live && file != NULL);
	return (0);
}

/* One walk over the directory; *seen is a number that is the same for the same names and
 * inodes, in whatever order they come.  gs may be NULL: only to look. */
static int
walk(struct generations *gs, const char *dir, const char *base, uint64_t *seen, struct err *err)
{
	static const struct hash_key key = { "rpvd names seen " };
	char entry[NAME_MAX + 32];
	struct dirent *de;
	DIR *d = opendir(dir);
	int len, rc = 0;

	*seen = 0;
	if (d == NULL)
		return (err_set(err, "%s: %s", dir, strerror(errno)));
	while (rc == 0 && (de = readdir(d)) != NULL) {
		if (strncmp(de->d_name, base, strlen(base)) != 0)
			continue;
		len = snprintf(entry, sizeof(entry), "%llu %s", (unsigned long long)de->d_ino, de->d_name);
		*seen += hash_bytes(&key, slice_make(entry, (size_t)len));
		if (gs != NULL)
			rc = add_file(gs, base, de->d_name, err);
	}
	closedir(d);
	return (rc);
}

/* ---- order ---------------------------------------------------------------------- */

struct order {
	const char *live;		/* its name */
	bool by_number;
};

/* Oldest first, but before them those that are not named like rotated files.  Where all are numbered, the numbers are right even if an old file was
 * touched lately; else the last write decides, which gzip keeps. */
static int
compare(const void *va, const void *vb, void *arg)
{
	const struct generation *a = va, *b = vb;
	const struct order *order = arg;
	bool a_live = strcmp(a->name, order->live) == 0, b_live = strcmp(b->name, order->live) == 0;

	if (a_live != b_live)
		return (a_live ? 1 : -1);
	if (a->is_rotated != b->is_rotated)
		return (a->is_rotated ? 1 : -1);
	if (order->by_number && a->number != b->number)
		return (a->number > b->number ? -1 : 1);
	if (a->mtime_ns != b->mtime_ns)
		return (a->mtime_ns < b->mtime_ns ? -1 : 1);
	return (strcmp(a->name, b->name));
}

static void
sort(struct generations *gs, const char *base)
{
	struct order order = { .live = base, .by_number = true };

	for (size_t i = 0; i < gs->count; i++)
		if (gs->items[i].number < 0 && gs->items[i].is_rotated && strcmp(gs->items[i].name, base) != 0)
			order.by_number = false;
	if (gs->count > 1)
		qsort_r(gs->items, gs->count, sizeof(*gs->items), compare, &order);
}

int
generations_scan(struct generations *gs, const char *path, bool follow, struct err *err)
{
	char *real = resolved(path, follow);
	const char *base;
	uint64_t before, after;
	int rc = 0, tries = 0;

	gs->dir = split(real, &base);
	do {
		clear(gs);
		err_set(&gs->live_err, "%s: no such file (yet); rpvd waits for it", path);
		rc = walk(gs, gs->dir, base, &before, err);
		if (rc == 0)
			rc = walk(NULL, gs->dir, base, &after, err);
		tries++;
	} while (rc == 0 && before != after && tries < SCAN_TRIES);
	if (rc == 0 && before != after)
		rc = err_set(err, "%s: is being rotated just now", path);
	if (rc == 0)
		sort(gs, base);
	free(real);
	return (rc);
}

void
generations_add_held(struct generations *gs, struct logfile *file)
{
	const struct file_pos start = { *logfile_id(file), 1 };
	struct generation *g, held;
	size_t at = 0;

	/* Its bytes may be there as a compressed file, too. */
	if (generations_find_id(gs, logfile_id(file)) >= 0 || generations_find(gs, &start, NULL) >= 0) {
		logfile_close(&file);
		return;
	}
	g = add(gs, "(deleted)");
	g->file = file;
	g->id = *logfile_id(file);
	g->mtime_ns = logfile_mtime_ns(file);
	g->is_rotated = true;
	/* By its last write, before the live one in any case. */
	held = *g;
	while (at + 1 < gs->count - (gs->has_live ? 1 : 0) && gs->items[at].mtime_ns < held.mtime_ns)
		at++;
	memmove(gs->items + at + 1, gs->items + at, (gs->count - 1 - at) * sizeof(*gs->items));
	gs->items[at] = held;
}

/* ---- search ----------------------------------------------------------------------- */

ptrdiff_t
generations_find_id(const struct generations *gs, const struct file_id *id)
{
	for (size_t i = 0; i < gs->count; i++)
		if (file_id_same(&gs->items[i].id, id))
			return ((ptrdiff_t)i);
	return (-1);
}

static bool
fits(const struct generation *g, const struct file_pos *pos, const struct logfile *old)
{
	if (g->file == NULL || !logfile_holds(g->file, pos))
		return (false);
	return (old == NULL || logfile_continues(g->file, old));
}

/* A copy, or a compressed one. */
static ptrdiff_t
find_content(const struct generations *gs, const struct file_pos *pos, const struct logfile *old, bool gz)
{
	if (!file_pos_is_telling(pos))
		return (-1);
	for (size_t i = gs->count; i-- > 0;)
		if (fits(&gs->items[i], pos, old) && logfile_is_gz(gs->items[i].file) == gz)
			return ((ptrdiff_t)i);
	return (-1);
}

ptrdiff_t
generations_find(const struct generations *gs, const struct file_pos *pos, const struct logfile *old)
{
	ptrdiff_t i;

	for (size_t k = 0; k < gs->count; k++)
		if (file_id_same(&gs->items[k].id, &pos->id) && fits(&gs->items[k], pos, old))
			return ((ptrdiff_t)k);
	i = find_content(gs, pos, old, false);
	return (i >= 0 ? i : find_content(gs, pos, old, true));
}

/* NAME.gz beside NAME: gzip is at work, or was told to keep both. */
static bool
is_packed_twin(const struct generations *gs, size_t i)
{
	struct slice name = slice_of(gs->items[i].name), stem = unpacked_name(name);

	if (stem.len == name.len)
		return (false);
	for (size_t k = 0; k < gs->count; k++)
		if (slice_is(stem, gs->items[k].name))
			return (true);
	return (false);
}

bool
generations_is_part(const struct generations *gs, size_t i)
{
	const struct generation *g = &gs->items[i];
	const struct logfile *live = gs->has_live ? gs->items[gs->count - 1].file : NULL;

	if (!g->is_rotated || g->file == NULL || is_packed_twin(gs, i))
		return (false);
	/* A copytruncate that has not come to its truncate yet. */
	return (live == NULL || live == g->file || !logfile_is_copy_of(g->file, live));
}
