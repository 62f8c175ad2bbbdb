/*
 * User agents, and the two data files.  The input is a file of bots, and behind its
 * first NUL an agent; both are tried as a file of sources too, the first as one of networks.  The automaton is
 * compared with the rules taken literally.
 */
#include "base/mem.h"
#include "core/client.h"
#include "core/hosting.h"
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

static bool
is_class_line(struct slice line)
{
	return (line.len > 2 && line.p[0] == '[' && line.p[line.len - 1] == ']');
}

/* bots_judge() as the file's head describes it: the number, in the order of the file without its classes, of the
 * rule that decides; -1 where it is none of the file. */
static int
naive_judge(struct slice rules, struct slice agent, bool *is_bot)
{
	struct slice rest = rules;
	int number = 0, sign = -1;
	bool has_signs = false;
	ptrdiff_t from, to;

	*is_bot = true;
	if (agent.len == 0 || slice_is(agent, "-"))
		return (-1);
	while (rest.len > 0) {
		struct slice line = trim(slice_cut(&rest, '\n'));
		struct literal l;

		if (line.len == 0 || line.p[0] == '#' || is_class_line(line))
			continue;
		l = literal_of(line);
		has_signs |= l.kind == '+';
		for (size_t at = 0; at <= agent.len && l.kind != '!'; at++) {
			if (!stands_at(&l, agent, at, &from, &to))
				continue;
			if (l.kind == 'b' && !is_excepted(rules, agent, from, to))
				return (number);
			if (l.kind == '+' && sign < 0)
				sign = number;
		}
		number++;
	}
	*is_bot = has_signs && sign < 0;
	return (sign);
}

static void
check_bots(struct slice rules, struct slice agent)
{
	struct err err = { "" };
	struct bots *bots = bots_parse(rules, "fuzz", &err);
	struct agent_verdict v;
	bool is_bot;
	int number;

	must((bots != NULL) == (err.msg[0] == '\0'));
	if (bots == NULL)
		return;
	bots_judge(bots, agent, &v);
	must(v.number < bots_rules(bots) && v.is_bot == (v.class != AGENT_BROWSER) && slice_ends(bots_rule_name(bots, v.number), v.rule));
	if (rules.len + agent.len <= NAIVE_MAX) {
		number = naive_judge(rules, agent, &is_bot);
		must(v.is_bot == is_bot && (number < 0 ? v.number >= bots_rules(bots) - 3 : v.number == (unsigned)number));
	}
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

static void
check_hosting(struct slice text)
{
	struct err err = { "" };
	struct hosting *h = hosting_parse(text, "fuzz", &err);

	must((h != NULL) == (err.msg[0] == '\0'));
	must(h == NULL || !hosting_has(h, 0));
	hosting_free(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice agent = slice_make((const char *)bytes, len), rules = slice_cut(&agent, '\0');

	check_bots(rules, agent);
	check_sources(rules, agent);
	check_hosting(rules);
	must(device_name(device_of(agent))[0] != '\0');
	return (0);
}
