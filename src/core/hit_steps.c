/*
 * hit_steps: a format string becomes a small program once; the program cuts each line.
 *
 * A step of the program says: here begins a field, and this literal text closes it.
 * To read a line is then one memchr() a field, and no byte is copied.  Regular
 * expressions would say the same and be fifty times slower.
 *
 *     $remote_addr - $remote_user [$time_local] "$request" ...
 *     ^field      ^closes it      ^closes it   ^closes it
 *
 * Which dialect the string is of (nginx, Apache, Envoy) is forgotten once it is compiled.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

#define STEPS_MAX 64

struct step {
	struct slice before, after;	/* literal text on both sides; after the last step often none */
	enum field field;
	const struct variable *variable;
	struct slice name, pattern;
	bool has_args_mark;		/* $uri$is_args$args, read as one field */
	bool before_status;		/* a blank and the status close it: it may have blanks itself, the status cannot */
};

struct steps {
	char *spec, *room;		/* names and literals of the steps point into them */
	struct step list[STEPS_MAX];
	size_t n;
	struct step *of[FIELDS];	/* NULL where the format has no such field */
	enum escapes escapes;
	time_fn time;
	char *pattern;
	unsigned how;
};

/* ---- compiling ---------------------------------------------------------------- */

static void
field_drop(struct steps *s, enum field field)
{
	if (s->of[field] == NULL)
		return;
	s->of[field]->field = FIELD_SKIP;
	s->of[field] = NULL;
}

/* Of two variables for one field the one that the table names first stays. */
static void
field_claim(struct steps *s, struct step *step)
{
	enum field field = step->variable->field;
	const struct step *other = s->of[field];

	step->field = FIELD_SKIP;
	if (field == FIELD_SKIP || (other != NULL && other->variable <= step->variable))
		return;
	field_drop(s, field);
	step->field = field;
	s->of[field] = step;
}

static bool
is_path_only(const struct step *step)
{
	return (step->variable->field == FIELD_TARGET && (step->variable->how & HOW_PATH) != 0);
}

/* $uri$is_args$args and %U%q are what people write for the target.  They are the runs of
 * variables that can be read without a separator: as one field. */
static bool
step_continues(struct step *last, const struct step *step)
{
	if (is_path_only(last) && slice_is(step->name, "is_args")) {
		last->has_args_mark = true;
		return (true);
	}
	if (is_path_only(last) && (step->variable->how & HOW_ARGS_MARK) != 0)
		return (true);
	return (last->has_args_mark && step->variable->field == FIELD_ARGS);
}

static int
step_add(struct steps *s, const struct piece *piece, const char *sigil, struct err *err)
{
	struct step step = { .before = piece->text, .variable = piece->variable, .name = piece->name, .pattern = piece->pattern };
	struct step *last = s->n > 0 ? &s->list[s->n - 1] : NULL;

	if (last != NULL && step.before.len == 0) {
		if (step_continues(last, &step))
			return (0);
		return (err_set(err, "log format: %s%.*s and %s%.*s need a separator between them", sigil,
		    SLICE_FMT(last->name), sigil, SLICE_FMT(step.name)));
	}
	if (s->n == STEPS_MAX)
		return (err_set(err, "log format: more than %d variables", STEPS_MAX));
	if (last != NULL)
		last->after = step.before;
	s->list[s->n] = step;
	field_claim(s, &s->list[s->n++]);
	return (0);
}

static int
steps_read(struct steps *s, struct pieces *pieces, struct err *err)
{
	struct piece piece;
	int more;

	while ((more = pieces->next(pieces, &piece, err)) == 1)
		if (step_add(s, &piece, pieces->sigil, err) != 0)
			return (-1);
	if (more == 0 && s->n > 0)
		s->list[s->n - 1].after = piece.text;
	return (more);
}

/* One way to the target is kept: $request, else $request_uri, else $uri and what
 * $args right behind it adds. */
static int
request_settle(struct steps *s, struct err *err)
{
	const struct step *target = s->of[FIELD_TARGET], *args = s->of[FIELD_ARGS];

	if (s->of[FIELD_REQUEST] != NULL) {
		field_drop(s, FIELD_ARGS);
		field_drop(s, FIELD_TARGET);
		field_drop(s, FIELD_METHOD);
		return (0);
	}
	if (target != NULL)
		s->how |= target->variable->how & HOW_GET;
	if (target == NULL || (s->of[FIELD_METHOD] == NULL && (s->how & HOW_GET) == 0))
		return (err_set(err, "log format: needs $request, or $request_method and $request_uri"
		    " (Apache: %%r, or %%m and %%U%%q)"));
	if (target->has_args_mark)
		s->how |= HOW_IS_ARGS;
	if (!is_path_only(target))
		field_drop(s, FIELD_ARGS);
	else if (args != NULL && args != target + 1 && (args->variable->how & HOW_ARGS_MARK) == 0)
		return (err_set(err, "log format: $args must follow $uri, or log $request_uri in their place"));
	else
		s->how |= HOW_PATH;
	return (0);
}

static int
settle(struct steps *s, struct err *err)
{
	const struct step *time = s->of[FIELD_TIME], *addr = s->of[FIELD_ADDR];

	if (time == NULL)
		return (err_set(err, "log format: needs a time: $msec, $time_local or $time_iso8601 (Apache: %%t)"));
	if (s->of[FIELD_STATUS] == NULL)
		return (err_set(err, "log format: needs $status (Apache: %%>s)"));
	for (size_t i = 0; i + 1 < s->n; i++)
		s->list[i].before_status = slice_is(s->list[i].after, " ") && s->list[i + 1].field == FIELD_STATUS;
	s->time = time->variable->time;
	if (s->time == NULL)
		s->pattern = mem_strndup(time->pattern.p, time->pattern.len);
	if (addr != NULL)
		s->how |= addr->variable->how & HOW_PORT;
	return (request_settle(s, err));
}

void
steps_free(struct steps **sp)
{
	if (*sp == NULL)
		return;
	free((*sp)->spec);
	free((*sp)->room);
	free((*sp)->pattern);
	free(*sp);
	*sp = NULL;
}

/* ---- cutting ------------------------------------------------------------------ */

static bool
literal_at(const char *p, const char *end, struct slice literal)
{
	if ((size_t)(end - p) < literal.len)
		return (false);
	for (size_t i = 0; i < literal.len; i++)
		if (p[i] != literal.p[i])
			return (false);
	return (true);
}

/*
 * A field may hold the first byte of its closing literal: escape=none leaves quotes
 * alone, and forwarded addresses have spaces.  But where the literal in front of the
 * field turns up in it once more, or the client's address has a space, a writer died
 * in the middle of a line and the next line was glued on: better no hit than half of
 * two.  A single byte in front says nothing.
 */
static bool
is_glued(const struct step *step, const char *p, const char *end)
{
	if (step->field == FIELD_ADDR)
		return (true);
	return (step->before.len > 1 &&
	    memmem(p, (size_t)(end - p), step->before.p, step->before.len) != NULL);
}

/* The last literal stands at the end of the line, and nowhere else. */
static const char *
last_field_end(const struct step *step, const char *p, const char *end)
{
	const char *at;

	if (step->after.len == 0)
		return (end);
	if ((size_t)(end - p) < step->after.len)
		return (NULL);
	at = end - step->after.len;
	if (!literal_at(at, end, step->after))
		return (NULL);
	if (memchr(p, *at, (size_t)(at - p)) != NULL && is_glued(step, p, at))
		return (NULL);
	return (at);
}

static bool
is_status(const char *p, const char *end)
{
	for (int i = 0; i < 3; i++)
		if (end - p <= i || p[i] < '0' || p[i] > '9')
			return (false);
	return (end - p == 3 || p[3] < '0' || p[3] > '9');
}

/* A cookie header without quotes: its end is where a status follows; else the first blank after all. */
static const char *
end_before_status(const char *p, const char *end)
{
	const char *first = memchr(p, ' ', (size_t)(end - p));

	for (const char *at = first; at != NULL; at = memchr(at + 1, ' ', (size_t)(end - at - 1)))
		if (is_status(at + 1, end))
			return (at);
	return (first);
}

static const char *
field_end(const struct step *step, const char *p, const char *end, bool escapes)
{
	char first = step->after.p[0];
	bool loose = false;

	if (step->before_status)
		return (end_before_status(p, end));
	for (const char *at = p; (at = byte_near(at, end, first)) != NULL; at++) {
		if (!literal_at(at, end, step->after)) {
			loose = true;
			continue;
		}
		if (escapes && first == '"' && is_escaped(p, at))
			continue;
		return (loose && is_glued(step, p, at) ? NULL : at);
	}
	return (NULL);
}

static bool
steps_cut(const struct steps *s, const char *p, const char *end, bool escapes, struct slice *fields)
{
	const struct step *step = s->list, *last = &s->list[s->n - 1];
	const char *at;

	if (!literal_at(p, end, step->before))
		return (false);
	p += step->before.len;
	for (; step < last; step++) {
		at = field_end(step, p, end, escapes);
		if (at == NULL)
			return (false);
		fields[step->field] = slice_make(p, (size_t)(at - p));
		p = at + step->after.len;
	}
	at = last_field_end(last, p, end);
	if (at == NULL)
		return (false);
	fields[last->field] = slice_make(p, (size_t)(at - p));
	return (true);
}

static void
undo_escapes(enum escapes escapes, char *line, struct slice *fields)
{
	for (size_t i = FIELD_SKIP + 1; i < FIELDS; i++)
		if (escapes == ESCAPES_JSON)
			json_unescape(line, &fields[i]);
		else
			hit_unescape(line, &fields[i], escapes);
}

/* Where the line cannot be read with hidden quotes, its backslashes are plain bytes:
 * with escape=none a user agent may end in one. */
static enum hit_drop
steps_line(struct format *f, char *line, size_t len, struct cut *cut)
{
	const struct steps *s = f->steps;
	bool escapes = s->escapes != ESCAPES_NONE && memchr(line, '\\', len) != NULL;

	cut->time = s->time;
	cut->pattern = s->pattern;
	cut->how = s->how;
	if (!escapes)
		return (steps_cut(s, line, line + len, false, cut->field) ? HIT_OK : HIT_MALFORMED);
	if (!steps_cut(s, line, line + len, true, cut->field) && !steps_cut(s, line, line + len, false, cut->field))
		return (HIT_MALFORMED);
	undo_escapes(s->escapes, line, cut->field);
	return (HIT_OK);
}

int
steps_compile(struct format *f, const char *spec, const struct dialect *dialect, enum escapes escapes, struct err *err)
{
	struct steps *s = mem_calloc(1, sizeof(*s));
	struct pieces pieces = { .format = f, .next = dialect->next, .sigil = dialect->sigil };

	f->read = steps_line;
	f->steps = s;
	s->escapes = escapes;
	s->spec = mem_strdup(spec);
	s->room = pieces.room = mem_alloc(2 * strlen(spec) + 16);
	pieces.rest = slice_of(s->spec);
	if (steps_read(s, &pieces, err) != 0 || settle(s, err) != 0)
		return (-1);
	for (size_t i = 0; i < FIELDS; i++)
		f->has[i] = s->of[i] != NULL;
	return (0);
}
