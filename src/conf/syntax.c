/*
 * syntax: see syntax.h.  A reader of tokens, and one function for each form:
 *
 *	NAME = VALUE    NAME = {VALUE, VALUE}    NAME {...}    NAME "TITLE" {...}
 *
 * Each writes what it read to `out`; what turns out to be mistaken is taken back, and
 * an empty value with a negative line put there, so that nobody misses it a second time.
 */
#include "conf/syntax.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "conf/options.h"

#define MISTAKES_MAX 100

enum { END, WORD = 'w', DOUBLE = '"', SINGLE = '\'', ADD = '+' };	/* or the character itself */

struct token {
	int kind, line;
	bool bad;			/* reported already */
	struct slice text;		/* of strings: what is between the quotes, as it stands there */
};

struct syntax {
	struct slice rest;
	int line;
	struct token next;
	struct buf *out;
	struct mistakes *mistakes;
	unsigned serial;
	size_t n_sections;
};

void
mistake_add(struct mistakes *m, int line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (m->n > MISTAKES_MAX)
		return;
	mem_grow(&m->list, &m->cap, m->n + 1, sizeof(m->list[0]));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	if (m->n == MISTAKES_MAX) {
		line = INT32_MAX;
		snprintf(text, sizeof(text), MISTAKES_MORE);
	}
	m->list[m->n++] = (struct mistake){ line, mem_strdup(text) };
}

void
mistakes_free(struct mistakes *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->list[i].text);
	free(m->list);
	*m = (struct mistakes){ 0 };
}

const char *
syntax_value(const char *numbered, int *line)
{
	char *end;

	*line = (int)strtol(numbered, &end, 10);
	must(*end == '.');
	(void)strtoul(end + 1, &end, 10);
	must(*end == ' ');
	return (end + 1);
}

/* Of items the number is not 0. */
bool
syntax_is_no_item(const char *numbered)
{
	return (strncmp(numbered + strcspn(numbered, "."), ".0 ", 3) == 0);
}

/* ---- tokens ---- */

static void
skip_to(struct syntax *s, const char *p)
{
	for (; s->rest.p < p; s->rest = slice_skip(s->rest, 1))
		if (*s->rest.p == '\n')
			s->line++;
}

static void
skip_line(struct syntax *s)
{
	ptrdiff_t n = slice_find(s->rest, '\n');

	s->rest = slice_skip(s->rest, n < 0 ? s->rest.len : (size_t)n);
}

static void
skip_comment(struct syntax *s)
{
	const char *end = memmem(s->rest.p + 2, s->rest.len - 2, "*/", 2);

	if (end == NULL)
		mistake_add(s->mistakes, s->line, "the comment that begins here has no */");
	skip_to(s, end != NULL ? end + 2 : s->rest.p + s->rest.len);
}

static void
skip_blank(struct syntax *s)
{
	while (s->rest.len > 0) {
		char c = s->rest.p[0];

		if (c == '#' || slice_starts(s->rest, SLICE("//")))
			skip_line(s);
		else if (slice_starts(s->rest, SLICE("/*")))
			skip_comment(s);
		else if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			skip_to(s, s->rest.p + 1);
		else
			return;
	}
}

/* Of what libConfuse reads behind a backslash in double quotes, this ends its reading,
 * or the string. */
static bool
escape_bad(struct slice s)
{
	if (s.len < 2)
		return (false);
	if (s.p[1] >= '0' && s.p[1] <= '9')
		return (true);
	if (s.p[1] != 'x' || s.len < 3 || s.p[2] != '0')
		return (false);
	return (s.len < 4 || !isxdigit((unsigned char)s.p[3]) || s.p[3] == '0');
}

/* A string ends on its line (or goes on behind a backslash at the line's end): no value has
 * a line break inside, and a forgotten quote would turn the rest of the file inside out. */
static struct slice
string_text(struct syntax *s, char quote)
{
	struct slice at = slice_skip(s->rest, 1);
	const char *begin = at.p;
	int line = s->line;

	while (at.len > 0 && at.p[0] != quote && at.p[0] != '\n') {
		if (at.p[0] == '\\' && quote == '"' && escape_bad(at))
			s->next.bad = true;
		at = slice_skip(at, at.p[0] == '\\' ? 2 : 1);
	}
	struct slice text = slice_make(begin, (size_t)(at.p - begin));

	if (at.len == 0 || at.p[0] == '\n')
		mistake_add(s->mistakes, line, "the string that begins here has no closing %c", quote);
	if (s->next.bad) {
		mistake_add(s->mistakes, line, "a backslash before a digit (or \\x00) in double quotes: "
		    "write \\\\ for a backslash, or use single quotes");
		text.len = 0;
	}
	skip_to(s, at.len > 0 && at.p[0] == quote ? at.p + 1 : at.p);
	return (text);
}

static bool
is_word(char c)
{
	return (strchr(" #\"'\t\n\r={}()+,*", c) == NULL);
}

static void
read_token(struct syntax *s)
{
	size_t n = 0;

	skip_blank(s);
	s->next = (struct token){ END, s->line, false, { s->rest.p, 0 } };
	if (s->rest.len == 0)
		return;
	if (s->rest.p[0] == '"' || s->rest.p[0] == '\'') {
		s->next.kind = s->rest.p[0];
		s->next.text = string_text(s, s->rest.p[0]);
		return;
	}
	while (n < s->rest.len && is_word(s->rest.p[n]))
		n++;
	s->next.kind = n > 0 ? WORD : s->rest.p[0];
	if (n == 0)
		n = slice_starts(s->rest, SLICE("+=")) ? 2 : 1;
	s->next.text = slice_make(s->rest.p, n);
	s->rest = slice_skip(s->rest, n);
}

static struct token
take(struct syntax *s)
{
	struct token t = s->next;

	if (t.kind != END)
		read_token(s);
	return (t);
}

static bool
is_text(const struct token *t)
{
	return (t->kind == WORD || t->kind == DOUBLE || t->kind == SINGLE);
}

/* For messages: bounded, and printable. */
static const char *
shown(const struct token *t, char out[44])
{
	size_t n = t->text.len < 40 ? t->text.len : 40;

	if (t->kind == END)
		return ("the end of the file");
	for (size_t i = 0; i < n; i++)
		out[i] = isprint((unsigned char)t->text.p[i]) ? t->text.p[i] : '?';
	memcpy(out + n, n < t->text.len ? "..." : "", n < t->text.len ? 4 : 1);
	return (out);
}

/* ---- what libConfuse gets ---- */

/* libConfuse takes a variable that is not there for an empty one, and "${DIR}/secret" is then "/secret". */
static void
check_variables(struct syntax *s, const struct token *t)
{
	for (struct slice at = t->text; t->kind == DOUBLE && at.len > 0; at = slice_skip(at, 1)) {
		struct slice inside = at.len > 2 ? slice_skip(at, 2) : slice_make(NULL, 0), rest = inside;
		char name[64];

		if (at.p[0] == '\\' && at.len > 1)
			at = slice_skip(at, 1);
		if (!slice_starts(at, SLICE("${")) || slice_find(inside, '}') < 0)
			continue;
		inside = slice_cut(&rest, '}');
		if (slice_find(inside, ':') >= 0 || inside.len >= sizeof(name))
			continue;
		memcpy(name, inside.p, inside.len);
		name[inside.len] = '\0';
		if (getenv(name) == NULL)
			mistake_add(s->mistakes, t->line, "the environment has no %.*s%s", inside.len < 60 ? (int)inside.len : 60, inside.p,
			    strcmp(name, "CREDENTIALS_DIRECTORY") == 0 ? ": the service manager sets it for rpvd.service with "
			    "LoadCredential=NAME:FILE; to check by hand, CREDENTIALS_DIRECTORY=DIR rpvd -t" : "; in single quotes ${...} is text");
	}
}

/* `"LINE.SERIAL VALUE"`.  Words and single quotes are literal but for \' (and a backslash at
 * the line's end).  A `${` that nothing closes would make libConfuse look for its end
 * outside of the string. */
static void
put_value(struct syntax *s, const struct token *t)
{
	check_variables(s, t);
	buf_printf(s->out, "\"%d.%u ", t->bad ? -t->line : t->line, ++s->serial);
	for (struct slice at = t->text; at.len > 0; at = slice_skip(at, 1)) {
		bool pair = at.p[0] == '\\' && at.len > 1;

		if (t->kind == SINGLE && pair && (at.p[1] == '\'' || at.p[1] == '\n')) {
			buf_put(s->out, at.p[1] == '\n' ? "\\\n" : "'", at.p[1] == '\n' ? 2 : 1);
			at = slice_skip(at, 1);
		} else if (t->kind == DOUBLE && pair) {
			buf_put(s->out, at.p, 2);
			at = slice_skip(at, 1);
		} else {
			if (at.p[0] == '"' || at.p[0] == '\\' ||
			    (at.p[0] == '$' && (t->kind != DOUBLE || slice_find(at, '}') < 0)))
				buf_putc(s->out, '\\');
			buf_putc(s->out, at.p[0]);
		}
	}
	buf_puts(s->out, "\" ");
}

static void
put_nothing(struct syntax *s, int line)
{
	put_value(s, &(struct token){ .kind = WORD, .line = line, .bad = true });
}

/* A list that nobody closed runs into the next option. */
static bool
begins_option(const struct syntax *s)
{
	struct slice at = s->rest;

	while (at.len > 0 && (at.p[0] == ' ' || at.p[0] == '\t'))
		at = slice_skip(at, 1);
	return (s->next.kind == WORD && (slice_starts(at, SLICE("=")) || slice_starts(at, SLICE("+="))));
}

static bool
put_list(struct syntax *s, const char *name)
{
	char text[44];
	int line = take(s).line;
	size_t n = 0;

	if (!is_text(&s->next))
		buf_printf(s->out, "\"%d.0 \"", line);
	for (; is_text(&s->next) && !begins_option(s); n++) {
		if (n < LIST_MAX)
			put_value(s, &s->next);
		take(s);
		if (s->next.kind == ',') {
			take(s);
			buf_putc(s->out, ',');
		} else if (s->next.kind == DOUBLE || s->next.kind == SINGLE) {
			mistake_add(s->mistakes, s->next.line, "a comma is missing before \"%s\" in the list of %s",
			    shown(&s->next, text), name);
			buf_putc(s->out, ',');
		} else
			break;
	}
	if (n > LIST_MAX)
		mistake_add(s->mistakes, line, "%s has more than %d items", name, LIST_MAX);
	if (s->next.kind == '}') {
		take(s);
		return (n <= LIST_MAX);
	}
	mistake_add(s->mistakes, s->next.line, "the list of %s (line %d) is not closed: expected , or } but found %s",
	    name, line, shown(&s->next, text));
	return (false);
}

/* The right side of `NAME = `; o is NULL where nobody knows that name. */
static bool
put_right_side(struct syntax *s, const struct option *o, const struct token *name, const struct token *op)
{
	bool is_list = s->next.kind == '{', many = o == NULL || o->type == T_LIST;
	char text[44];

	buf_puts(s->out, "{");
	if (is_list) {
		if (!put_list(s, shown(name, text)))
			return (false);
	} else if (is_text(&s->next) && (s->next.kind != WORD || s->next.line == op->line)) {
		put_value(s, &s->next);
		take(s);
	} else {
		mistake_add(s->mistakes, op->line, "%s has no value", shown(name, text));
		return (false);
	}
	buf_puts(s->out, "}\n");
	if (many || (!is_list && op->kind == '='))
		return (true);
	mistake_add(s->mistakes, name->line, "%s takes one value, not a list: %s = \"...\"", o->name, o->name);
	return (false);
}

static void
put_option(struct syntax *s, const struct option *o, const struct token *name)
{
	struct token op = take(s);
	size_t mark = s->out->len;

	if (o != NULL)
		buf_printf(s->out, "%s += ", o->name);
	if (put_right_side(s, o, name, &op) && o != NULL)
		return;
	s->out->len = mark;
	if (o == NULL)
		return;
	buf_printf(s->out, "%s += {", o->name);
	put_nothing(s, op.line);
	buf_puts(s->out, "}\n");
}

/* ---- sections ---- */

static void
skip_block(struct syntax *s)
{
	struct token open = take(s);

	for (size_t depth = 1; depth > 0; take(s)) {
		if (s->next.kind == END) {
			mistake_add(s->mistakes, open.line, "the { of this line has no }");
			return;
		}
		depth += s->next.kind == '{';
		depth -= s->next.kind == '}';
	}
}

static void put_body(struct syntax *, enum section_id, const struct token *open);

static void
put_section(struct syntax *s, enum section_id id, const struct token *name, const struct token *title)
{
	const struct section *sec = &sections[id];

	buf_printf(s->out, "%s ", sec->name);
	if (sec->title != NULL && title->kind != END)
		put_value(s, title);
	else if (sec->title != NULL) {
		mistake_add(s->mistakes, name->line, "%s has no name: expected %s \"%s\" {", sec->name, sec->name, sec->title);
		put_nothing(s, name->line);
	} else if (title->kind != END)
		mistake_add(s->mistakes, title->line, "%s has no name: expected %s {", sec->name, sec->name);
	buf_puts(s->out, "{\n");
	struct token open = take(s);

	put_body(s, id, &open);
	buf_puts(s->out, "}\n");
}

/* ---- names ---- */

static void
say_unknown(struct syntax *s, enum section_id where, const struct token *t, const char *name, const char *near)
{
	char place[64] = "", text[44];

	if (where != IN_TOP)
		snprintf(place, sizeof(place), " in %s", sections[where].name);
	for (enum section_id i = IN_TOP; near == NULL && i < SECTIONS; i++) {
		if (option_find(i, name) == NULL && section_find(i, name) == IN_TOP)
			continue;
		if (i == IN_TOP)
			mistake_add(s->mistakes, t->line, "%s stands outside of all sections, not%s", name, place);
		else
			mistake_add(s->mistakes, t->line, "%s belongs inside of %s { }", name, sections[i].name);
		return;
	}
	if (near != NULL)
		mistake_add(s->mistakes, t->line, "unknown option %s%s; did you mean %s?", shown(t, text), place, near);
	else
		mistake_add(s->mistakes, t->line, "unknown option %s%s; rpvd.conf(5) lists all", shown(t, text), place);
}

/* A misspelt name is read as the one it is near to, so that what follows is checked as well. */
static const char *
known_name(struct syntax *s, enum section_id where, const struct token *t)
{
	char name[32] = "";
	const char *near;

	if (t->text.len < sizeof(name))
		memcpy(name, t->text.p, t->text.len);
	if (option_find(where, name) != NULL)
		return (option_find(where, name)->name);
	if (section_find(where, name) != IN_TOP)
		return (sections[section_find(where, name)].name);
	near = option_near(where, name);
	say_unknown(s, where, t, name, near);
	return (near);
}

static void
say_form(struct syntax *s, const struct token *name, const struct option *o, enum section_id id)
{
	char text[44];

	if (id != IN_TOP && sections[id].title != NULL)
		mistake_add(s->mistakes, name->line, "%s is a section: expected %s \"%s\" {", sections[id].name,
		    sections[id].name, sections[id].title);
	else if (id != IN_TOP)
		mistake_add(s->mistakes, name->line, "%s is a section: expected %s {", sections[id].name, sections[id].name);
	else
		mistake_add(s->mistakes, name->line, "expected = after %s", o != NULL ? o->name : shown(name, text));
}

/* Which of the names of this body occurred: bits by place in the table. */
struct seen {
	uint64_t options;
	unsigned sections;
};

static void
once(struct syntax *s, struct seen *seen, const struct token *name, const struct option *o, enum section_id id)
{
	uint64_t option = o != NULL && s->next.kind == '=' ? UINT64_C(1) << (o - options) : 0;
	unsigned section = id != IN_TOP && sections[id].title == NULL ? 1U << id : 0;

	if ((seen->options & option) != 0 || (seen->sections & section) != 0)
		mistake_add(s->mistakes, name->line, "%s stands twice here", o != NULL ? o->name : sections[id].name);
	seen->options |= option;
	seen->sections |= section;
}

static void
put_statement(struct syntax *s, enum section_id where, struct seen *seen)
{
	struct token name = take(s), title = { .kind = END };
	const char *known = known_name(s, where, &name);
	const struct option *o = known != NULL ? option_find(where, known) : NULL;
	enum section_id id = known != NULL ? section_find(where, known) : IN_TOP;

	once(s, seen, &name, o, id);
	if (s->next.kind == '=' || s->next.kind == ADD) {
		if (id != IN_TOP)
			say_form(s, &name, o, id);
		put_option(s, o, &name);
		return;
	}
	if (is_text(&s->next) && (s->next.kind != WORD || s->next.line == name.line))
		title = take(s);
	if (s->next.kind == '{' && id != IN_TOP && ++s->n_sections <= LIST_MAX) {
		put_section(s, id, &name, &title);
		return;
	}
	if (s->n_sections == LIST_MAX + 1)
		mistake_add(s->mistakes, name.line, "more than %d sections", LIST_MAX);
	else if (known != NULL || s->next.kind != '{')
		say_form(s, &name, o, id);
	if (s->next.kind == '{')
		skip_block(s);
}

/* One mistake for all that follows on the line. */
static void
skip_junk(struct syntax *s)
{
	struct token junk = s->next;
	char text[44];

	mistake_add(s->mistakes, junk.line, "expected the name of an option, found %s", shown(&junk, text));
	while (s->next.kind != END && s->next.kind != '}' && s->next.line == junk.line) {
		if (s->next.kind == '{')
			skip_block(s);
		else
			take(s);
	}
}

/* Up to the } that closes it, which is taken; the file's own body ends with the file. */
static void
put_body(struct syntax *s, enum section_id where, const struct token *open)
{
	struct seen seen = { 0 };

	while (s->next.kind != END) {
		if (s->next.kind == WORD)
			put_statement(s, where, &seen);
		else if (s->next.kind != '}')
			skip_junk(s);
		else {
			struct token brace = take(s);

			if (where != IN_TOP)
				return;
			mistake_add(s->mistakes, brace.line, "a } without its {");
		}
	}
	if (where != IN_TOP)
		mistake_add(s->mistakes, open->line, "the { of this line has no }");
}

void
syntax_clean(struct slice text, struct buf *out, struct mistakes *mistakes)
{
	struct syntax s = { .rest = text, .line = 1, .out = out, .mistakes = mistakes };

	must(n_options <= 64);
	if (slice_starts(s.rest, SLICE("\xEF\xBB\xBF")))	/* some editors begin files so */
		s.rest = slice_skip(s.rest, 3);
	read_token(&s);
	put_body(&s, IN_TOP, NULL);
	buf_putc(out, '\n');
	buf_putc(out, '\0');
}
