/*
 * nginx_conf: see nginx_conf.h.
 *
 * Words are parted by blanks; `;` ends a directive, `{` opens its block, `#` begins a comment;
 * quotes keep all of these, and `${` is no block.  Bodies of Lua are passed over.
 */
#include "io/nginx_conf.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/keys.h"

#define DEPTH_MAX 32
#define FILES_MAX 2000
#define FILE_BYTES_MAX (4 * 1024 * 1024)

struct parse {
	const char *dir;		/* of the main file: includes are relative to it */
	unsigned depth, files;
	const char *file, *p;
	int line;
};

static void parse_file(struct parse *, struct nginx_node *, const char *file);

/* ---- words ---------------------------------------------------------------- */

static void
skip_blanks(struct parse *s)
{
	for (; *s->p != '\0'; s->p++) {
		if (*s->p == '#')
			while (s->p[1] != '\0' && s->p[1] != '\n')
				s->p++;
		else if (!isspace((unsigned char)*s->p))
			return;
		s->line += *s->p == '\n';
	}
}

static void
take_quoted(struct parse *s, struct buf *out)
{
	char quote = *s->p++;

	for (; *s->p != '\0' && *s->p != quote; s->p++) {
		if (*s->p == '\\' && (s->p[1] == quote || s->p[1] == '\\'))
			s->p++;
		s->line += *s->p == '\n';
		buf_putc(out, *s->p);
	}
	if (*s->p != '\0')
		s->p++;
}

static void
take_plain(struct parse *s, struct buf *out)
{
	int braces = 0;

	for (; *s->p != '\0' && !isspace((unsigned char)*s->p) && *s->p != ';'; s->p++) {
		if (*s->p == '{' && (s->p[-1] != '$' || out->len == 0))
			return;
		braces += *s->p == '{';
		if (*s->p == '}' && braces-- == 0)
			return;
		if (*s->p == '\\' && s->p[1] != '\0')
			buf_putc(out, *s->p++);
		buf_putc(out, *s->p);
	}
}

static void
take_word(struct parse *s, struct nginx_node *n)
{
	struct buf word = { 0 };

	if (*s->p == '"' || *s->p == '\'')
		take_quoted(s, &word);
	else
		take_plain(s, &word);
	n->words = mem_realloc(n->words, (n->n_words + 1) * sizeof(*n->words));
	n->words[n->n_words++] = mem_strndup(word.p != NULL ? word.p : "", word.len);
	buf_free(&word);
}

/* ---- blocks --------------------------------------------------------------- */

static struct nginx_node *
node_new(const struct parse *s, struct nginx_node *parent)
{
	struct nginx_node *n = mem_calloc(1, sizeof(*n));

	n->file = mem_strdup(s->file);
	n->line = s->line;
	n->parent = parent;
	return (n);
}

static void
adopt(struct nginx_node *parent, struct nginx_node *n)
{
	mem_grow(&parent->children, &parent->cap, parent->n_children + 1, sizeof(struct nginx_node *));
	parent->children[parent->n_children++] = n;
}

static void
skip_lua(struct parse *s)
{
	for (int depth = 1; *s->p != '\0' && depth > 0; s->p++) {
		depth += *s->p == '{' ? 1 : *s->p == '}' ? -1 : 0;
		s->line += *s->p == '\n';
	}
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return (n >= m && strcmp(text + n - m, end) == 0);
}

static void
include(struct parse *s, struct nginx_node *into, const char *pattern)
{
	struct buf path = { 0 };
	glob_t found;

	if (pattern[0] != '/')
		buf_printf(&path, "%s/", s->dir);
	buf_puts(&path, pattern);
	buf_putc(&path, '\0');
	if (glob(path.p, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			parse_file(s, into, found.gl_pathv[i]);
		globfree(&found);
	}
	buf_free(&path);
}

/* To the end of the block, or of the file. */
static void
parse_block(struct parse *s, struct nginx_node *block)
{
	s->depth++;
	for (skip_blanks(s); *s->p != '\0' && *s->p != '}'; skip_blanks(s)) {
		struct nginx_node *n = node_new(s, block);

		for (skip_blanks(s); *s->p != '\0' && strchr(";{}", *s->p) == NULL; skip_blanks(s))
			take_word(s, n);
		if (*s->p == '{' && s->depth < DEPTH_MAX) {
			s->p++;
			if (n->n_words > 0 && ends_with(n->words[0], "_by_lua_block"))
				skip_lua(s);
			else
				parse_block(s, n);
		} else if (*s->p == ';' || *s->p == '{')
			s->p++;
		if (n->n_words == 2 && strcmp(n->words[0], "include") == 0)
			include(s, block, n->words[1]);
		adopt(block, n);
	}
	if (*s->p == '}')
		s->p++;
	s->depth--;
}

static void
parse_file(struct parse *s, struct nginx_node *into, const char *file)
{
	struct parse inner = { .dir = s->dir, .depth = s->depth + 1, .files = s->files + 1, .file = file, .line = 1 };
	struct err err;
	size_t len;
	char *text;

	if (s->depth >= DEPTH_MAX || s->files >= FILES_MAX || (text = file_read(file, FILE_BYTES_MAX, &len, &err)) == NULL)
		return;
	/* One that is too many closes nothing here. */
	for (inner.p = text; *inner.p != '\0';)
		parse_block(&inner, into);
	s->files = inner.files;
	free(text);
}

struct nginx_node *
nginx_conf_read(const char *file)
{
	char *dir = mem_strdup(file), *slash = strrchr(dir, '/');
	struct parse s = { .dir = slash != NULL ? dir : ".", .file = file };
	struct nginx_node *root = NULL;
	FILE *f = fopen(file, "re");
	int errnum = errno;

	if (slash != NULL)
		*slash = '\0';
	if (f != NULL) {
		fclose(f);
		root = node_new(&s, NULL);
		parse_file(&s, root, file);
	}
	free(dir);
	errno = errnum;
	return (root);
}

void
nginx_conf_free(struct nginx_node **np)
{
	struct nginx_node *n = *np;

	if (n == NULL)
		return;
	for (size_t i = 0; i < n->n_children; i++)
		nginx_conf_free(&n->children[i]);
	for (size_t i = 0; i < n->n_words; i++)
		free(n->words[i]);
	free(n->children);
	free(n->words);
	free(n->file);
	free(n);
	*np = NULL;
}

/* ---- looking ---------------------------------------------------------------- */

const struct nginx_node *
nginx_child(const struct nginx_node *n, const char *name)
{
	for (size_t i = 0; i < n->n_children; i++)
		if (n->children[i]->n_words > 0 && strcmp(n->children[i]->words[0], name) == 0)
			return (n->children[i]);
	return (NULL);
}

const struct nginx_node *
nginx_inherited(const struct nginx_node *n, const char *name)
{
	const struct nginx_node *found = NULL;

	for (; n != NULL && found == NULL; n = n->parent)
		found = nginx_child(n, name);
	return (found);
}

void
nginx_each(const struct nginx_node *n, const char *name, void (*fn)(const struct nginx_node *, void *), void *arg)
{
	for (size_t i = 0; i < n->n_children; i++) {
		if (n->children[i]->n_words > 0 && strcmp(n->children[i]->words[0], name) == 0)
			fn(n->children[i], arg);
		nginx_each(n->children[i], name, fn, arg);
	}
}
