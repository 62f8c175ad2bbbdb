/*
 * User agents, and the two data files.  The input is a file of bots, and behind its
 * first NUL an agent; both are tried as a file of sources too.  The automaton is
 * compared with the rules taken literally.
 */
#include "base/mem.h"
#include "core/client.h"
#include "core/source.h"

#define NAIVE_MAX 400		/* bytes of both, for the slow way */

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && memchr(" \t\r", s.p[s.len - 1], 3) != NULL)
		s.len--;
	while (s.len > 0 && memchr(" \t", s.p[0], 2) != NULL)
		s = slice_skip(s, 1);
	return (s);
}

/* A rule line, cut into what it says. */
struct literal {
	char kind;
	bool at_begin, at_end;
	struct slice phrase;
};

static struct literal
literal_of(struct slice line)
{
	struct literal l = { 'b', false, false, { NULL, 0 } };

	if (line.p[0] == '!' || line.p[0] == '+') {
		l.kind = line.p[0];
		line = slice_skip(line, 1);
	}
	if (line.len > 0 && line.p[0] == '^') {
		l.at_begin = true;
		line = slice_skip(line, 1);
	}
	if (line.len > 0 && line.p[line.len - 1] == '$') {
		l.at_end = true;
		line.len--;
	}
	l.phrase = line;
	return (l);
}

/* Ends are places too: an anchored phrase is one longer on that side. */
static bool
stands_at(const struct literal *l, struct slice agent, size_t at, ptrdiff_t *from, ptrdiff_t *to)
{
	*from = (ptrdiff_t)at - l->at_begin;
	*to = (ptrdiff_t)(at + l->phrase.len) + l->at_end;
	return (at + l->phrase.len <= agent.len && (!l->at_begin || at == 0) &&
	    (!l->at_end || at + l->phrase.len == agent.len) &&
	    slice_equal_nocase(slice_make(agent.p + at, l->phrase.len), l->phrase));
}

static bool
is_excepted(struct slice rules, struct slice agent, ptrdiff_t from, ptrdiff_t to)
{
	ptrdiff_t a, b;

	while (rules.len > 0) {
		struct slice line = trim(slice_cut(&rules, '\n'));
		struct literal l;

		if (line.len == 0 || line.p[0] != '!')
			continue;
		l = literal_of(line);
		for (size_t at = 0; at <= agent.len; at++)
			if (stands_at(&l, agent, at, &a, &b) && a <= from && to <= b)
				return (true);
	}
	return (false);
}

/* bots_match() as the file's head describes it. */
static bool
naive_match(struct slice rules, struct slice agent)
{
	struct slice rest = rules;
	bool has_signs = false, has_sign = false;
	ptrdiff_t from, to;

	if (agent.len == 0 || slice_is(agent, "-"))
		return (true);
	while (rest.len > 0) {
		struct slice line = trim(slice_cut(&rest, '\n'));
		struct literal l;

		if (line.len == 0 || line.p[0] == '#' || line.p[0] == '!')
			continue;
		l = literal_of(line);
		has_signs |= l.kind == '+';
		for (size_t at = 0; at <= agent.len; at++) {
			if (!stands_at(&l, agent, at, &from, &to))
				continue;
			if (l.kind == 'b' && !is_excepted(rules, agent, from, to))
				return (true);
			has_sign |= l.kind == '+';
		}
	}
	return (has_signs && !has_sign);
}

static void
check_bots(struct slice rules, struct slice agent)
{
	struct err err = { "" };
	struct bots *bots = bots_parse(rules, "fuzz", &err);

	must((bots != NULL) == (err.msg[0] == '\0'));
	if (bots == NULL)
		return;
	if (rules.len + agent.len <= NAIVE_MAX)
		must(bots_match(bots, agent) == naive_match(rules, agent));
	else
		bots_match(bots, agent);
	bots_free(&bots);
}

static void
check_sources(struct slice text, struct slice host)
{
	struct err err = { "" };
	struct sources *sources = sources_parse(text, "fuzz", &err);
	struct source_rules rules = { sources, NULL, NULL };
	struct source s;

	must((sources != NULL) == (err.msg[0] == '\0'));
	if (sources == NULL)
		return;
	source_of(&rules, SLICE("/"), host, &s);
	must(channel_of(sources, &s)[0] != '\0');
	sources_free(&sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice agent = slice_make((const char *)bytes, len), rules = slice_cut(&agent, '\0');

	check_bots(rules, agent);
	check_sources(rules, agent);
	must(device_name(device_of(agent))[0] != '\0');
	return (0);
}
