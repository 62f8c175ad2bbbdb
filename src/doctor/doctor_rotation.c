/*
 * doctor_rotation: what logrotate does with the logs.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "doctor/doctor_impl.h"
#include "io/keys.h"

#define WORDS_MAX 16
#define FILE_BYTES_MAX (1024 * 1024)

struct rotation {
	struct doctor *d;
	const char *file;
	char **patterns;		/* of the block that is read */
	size_t n, cap;
	bool inside;			/* its braces */
};

static bool
is_of(const struct rotation *r, const char *path)
{
	for (size_t i = 0; i < r->n; i++)
		if (fnmatch(r->patterns[i], path, 0) == 0)
			return (true);
	return (false);
}

/* One line of a block: a word, and what it is given. */
static void
check_word(const struct rotation *r, struct slice word, struct slice value)
{
	bool copies = slice_is(word, "copytruncate");
	bool packs = slice_is(word, "compresscmd") && value.len > 0 && !slice_ends(value, SLICE("gzip")) && !slice_ends(value, SLICE("pigz"));
	struct err fix = doctor_fix(copies ?
	    "Put create, and a postrotate with nginx -s reopen, in its place, as Debian's nginx has them." :
	    "Take compresscmd away: what gzip packed rpvd can read again.");

	for (size_t i = 0; (copies || packs) && i < r->d->config->n_sites; i++)
		for (size_t k = 0; k < r->d->config->sites[i].n_logs; k++) {
			const char *path = r->d->config->sites[i].logs[k].path;

			if (is_of(r, path))
				doctor_find(r->d, copies ? "copytruncate" : "compresscmd", &fix, "%s: logrotate (%s) %s", path, r->file, copies ?
				    "copies it and cuts it off: what is written in between is lost" :
				    "packs it with a program whose files rpvd cannot read again");
		}
}

static void
clear(struct rotation *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->patterns[i]);
	r->n = 0;
}

static void
add_pattern(struct rotation *r, struct slice word)
{
	if (slice_ends(word, SLICE("{"))) {
		word.len--;
		r->inside = true;
	}
	if (word.len > 1 && (word.p[0] == '"' || word.p[0] == '\''))
		word = slice_make(word.p + 1, word.len - 2);
	mem_grow(&r->patterns, &r->cap, r->n + 1, sizeof(*r->patterns));
	r->patterns[r->n++] = mem_strndup(word.p, word.len);
}

static size_t
words_of(struct slice line, struct slice words[WORDS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < line.len && n < WORDS_MAX;) {
		size_t begin;

		while (i < line.len && strchr(" \t\r", line.p[i]) != NULL)
			i++;
		for (begin = i; i < line.len && strchr(" \t\r", line.p[i]) == NULL;)
			i++;
		if (i > begin)
			words[n++] = slice_make(line.p + begin, i - begin);
	}
	return (n);
}

static void
read_line(struct rotation *r, struct slice line)
{
	struct slice words[WORDS_MAX];
	size_t n = words_of(line, words);

	for (size_t i = 0; i < n && words[i].p[0] != '#'; i++)
		if (slice_is(words[i], "{"))
			r->inside = true;
		else if (slice_is(words[i], "}")) {
			r->inside = false;
			clear(r);
		} else if (r->inside) {
			check_word(r, words[i], i + 1 < n ? words[i + 1] : SLICE(""));
			return;
		} else if (strchr("/\"'", words[i].p[0]) != NULL)
			add_pattern(r, words[i]);
}

static void
read_file(struct doctor *d, const char *file)
{
	struct rotation r = { .d = d, .file = file };
	struct err err;
	size_t len;
	char *text = file_read(file, FILE_BYTES_MAX, &len, &err);

	for (struct slice rest = slice_make(text, text != NULL ? len : 0); rest.len > 0;)
		read_line(&r, slice_cut(&rest, '\n'));
	clear(&r);
	free(r.patterns);
	free(text);
}

void
doctor_rotation(struct doctor *d)
{
	const char *dir = d->opt->logrotate != NULL ? d->opt->logrotate : "/etc/logrotate.d";
	DIR *handle = opendir(dir);
	struct dirent *de;

	while (handle != NULL && (de = readdir(handle)) != NULL) {
		struct buf path = { 0 };

		buf_printf(&path, "%s/%s", dir, de->d_name);
		buf_putc(&path, '\0');
		if (de->d_name[0] != '.' && strstr(de->d_name, ".dpkg-") == NULL)
			read_file(d, path.p);
		buf_free(&path);
	}
	if (handle != NULL)
		closedir(handle);
}
