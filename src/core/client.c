/*
 * client: see client.h.
 *
 * All rules of the bots file go into one automaton (Aho and Corasick, 1975) that
 * reads each byte of the agent once.  The agent's two ends are symbols like bytes,
 * so that an anchored rule is an ordinary one.  The table is dense, over classes of
 * bytes: a byte that no rule has is the class OTHER, and both cases are one class.
 */
#include "core/client.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define BYTES 256
#define BEGIN BYTES		/* symbols beside the bytes */
#define END (BYTES + 1)
#define SYMBOLS (BYTES + 2)
#define OTHER 0			/* class of what no rule has */
#define ROOT 0
#define RULE_MAX 62		/* symbols in a rule: one bit each in bots_judge() */
#define STATES_MAX UINT16_MAX
#define NO_RULE UINT16_MAX	/* behind every rule: each has a state of its own at least, or is another's double */

static const char *const class_names[AGENT_CLASSES] = {
	"browser", "search", "ai_crawler", "ai_assistant", "ad", "seo", "monitor",
	"preview", "feed", "archive", "library", "scanner", "other",
};

enum rule_kind { RULE_BOT, RULE_EXCEPTION, RULE_BROWSER };

struct rule {
	enum rule_kind kind;
	enum agent_class class;
	struct slice phrase;		/* with its anchors; borrowed from the file */
	uint16_t symbols[RULE_MAX];
	size_t len;
};

/* What ends in a state. */
struct ending {
	uint16_t bot, sign;		/* the rule that ends just here; the first of all signs that end here; or NO_RULE */
	uint16_t shorter;		/* the state of the longest bot rule inside this one; ROOT: there is none */
	uint8_t bot_len;		/* symbols */
	uint8_t exception;		/* of the longest one, since the others lie inside it; 0 for none */
	bool any;			/* there is something */
};

struct known {				/* a rule, once it is in the automaton */
	enum agent_class class;
	size_t name, len;		/* "CLASS/RULE" in bots.names */
};

struct bots {
	uint16_t class_of[SYMBOLS];
	size_t classes, states;
	uint16_t *next;			/* states x classes */
	struct ending *endings;		/* by state */
	uint64_t settled;		/* bits of hits that no exception can reach any more */
	bool has_browsers;		/* the file says what makes a browser */
	struct known *rules;		/* then those that need no file: (empty), (no browser), and of a browser without sign */
	unsigned n_rules;
	char *names;
};

const char *
agent_class_name(enum agent_class class)
{
	must((size_t)class < N_ELEM(class_names));
	return (class_names[class]);
}

/* ---- the rules file --------------------------------------------------------------- */

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t' || s.p[s.len - 1] == '\r'))
		s.len--;
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_skip(s, 1);
	return (s);
}

static bool
take(struct slice *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return (false);
	*s = slice_skip(*s, 1);
	return (true);
}

/* [!+][^]phrase[$].  What is wrong with it, or NULL. */
static const char *
rule_parse(struct slice line, enum agent_class class, struct rule *rule)
{
	rule->kind = take(&line, '!') ? RULE_EXCEPTION : take(&line, '+') ? RULE_BROWSER : RULE_BOT;
	rule->class = rule->kind == RULE_BOT ? class : AGENT_BROWSER;
	rule->phrase = line;
	rule->len = 0;
	if (line.len > RULE_MAX)
		return ("is too long");
	if (take(&line, '^'))
		rule->symbols[rule->len++] = BEGIN;
	for (size_t i = 0; i < line.len; i++)
		rule->symbols[rule->len++] = (unsigned char)ascii_lower(line.p[i]);
	if (line.len > 0 && line.p[line.len - 1] == '$')
		rule->symbols[rule->len - 1] = END;
	if (line.len == 0 || (line.len == 1 && line.p[0] == '$'))
		return ("has no phrase");
	return (NULL);
}

/* [class]: what is wrong with it, or NULL. */
static const char *
class_parse(struct slice line, enum agent_class *class)
{
	struct slice name = slice_make(line.p + 1, line.len - 2);

	for (size_t i = AGENT_BROWSER + 1; i < AGENT_CLASSES; i++)
		if (slice_is(name, class_names[i])) {
			*class = (enum agent_class)i;
			return (NULL);
		}
	return ("is no class; there are search, ai_crawler, ai_assistant, ad, seo, monitor, preview, feed, archive, library, scanner, other");
}

/* The rules in an array that the caller frees, or NULL. */
static struct rule *
rules_read(struct slice text, const char *name, size_t *count, struct err *err)
{
	struct rule *rules = mem_alloc(sizeof(*rules));
	enum agent_class class = AGENT_OTHER;
	size_t cap = 1, n = 0;
	struct slice line;
	const char *wrong;

	for (size_t number = 1; text.len > 0; number++) {
		line = trim(slice_cut(&text, '\n'));
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (line.len > 2 && line.p[0] == '[' && line.p[line.len - 1] == ']')
			wrong = class_parse(line, &class);
		else {
			mem_grow(&rules, &cap, n + 1, sizeof(*rules));
			wrong = rule_parse(line, class, &rules[n++]);
		}
		if (wrong != NULL) {
			err_set(err, "%s:%zu: \"%.*s\" %s", name, number,
			    (int)(line.len < 80 ? line.len : 80), line.p, wrong);
			free(rules);
			return (NULL);
		}
	}
	*count = n;
	return (rules);
}

/* ---- the automaton ---------------------------------------------------------------- */

static void
bots_classes(struct bots *b, const struct rule *rules, size_t count)
{
	b->classes = OTHER + 1;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < rules[i].len; k++)
			if (b->class_of[rules[i].symbols[k]] == OTHER)
				b->class_of[rules[i].symbols[k]] = (uint16_t)b->classes++;
	for (int c = 'A'; c <= 'Z'; c++)
		b->class_of[c] = b->class_of[c - 'A' + 'a'];
}

static uint16_t *
bots_next(const struct bots *b, size_t state, size_t class)
{
	return (&b->next[state * b->classes + class]);
}

/* The trie's path for the rule, and what ends there. */
static void
bots_insert(struct bots *b, const struct rule *rule, uint16_t number)
{
	size_t state = ROOT;
	uint16_t *next;
	struct ending *ending;

	for (size_t k = 0; k < rule->len; k++) {
		next = bots_next(b, state, b->class_of[rule->symbols[k]]);
		if (*next == ROOT)
			*next = (uint16_t)b->states++;
		state = *next;
	}
	ending = &b->endings[state];
	ending->any = true;
	if (rule->kind == RULE_BOT && ending->bot == NO_RULE) {
		ending->bot = number;
		ending->bot_len = (uint8_t)rule->len;
	} else if (rule->kind == RULE_EXCEPTION)
		ending->exception = (uint8_t)rule->len;
	else if (rule->kind == RULE_BROWSER && ending->sign == NO_RULE)
		ending->sign = number;
}

/* What ends in the longest proper suffix ends here too. */
static void
ending_inherit(struct ending *to, const struct ending *from, uint16_t state)
{
	to->shorter = from->bot != NO_RULE ? state : from->shorter;
	if (to->exception == 0)
		to->exception = from->exception;
	if (from->sign < to->sign)
		to->sign = from->sign;
	to->any |= from->any;
}

/* Turns the trie into the automaton: breadth first, so that a state's suffix is done
 * before the state.  A missing step is the suffix's step. */
static void
bots_link(struct bots *b)
{
	uint16_t *queue = mem_calloc(b->states, sizeof(*queue));
	uint16_t *suffix = mem_calloc(b->states, sizeof(*suffix));
	size_t head = 0, tail = 1;	/* the root is in */

	for (; head < tail; head++) {
		size_t state = queue[head];

		for (size_t class = 0; class < b->classes; class++) {
			uint16_t *next = bots_next(b, state, class);
			uint16_t fallback = state == ROOT ? ROOT : *bots_next(b, suffix[state], class);

			if (*next == ROOT) {
				*next = fallback;
				continue;
			}
			suffix[*next] = fallback;
			ending_inherit(&b->endings[*next], &b->endings[fallback], fallback);
			queue[tail++] = *next;
		}
	}
	free(suffix);
	free(queue);
}

/* states_max: with room for them all; what is left of it is given back. */
static void
bots_build(struct bots *b, const struct rule *rules, size_t count, size_t states_max)
{
	size_t longest = 0;

	bots_classes(b, rules, count);
	b->next = mem_calloc(states_max * b->classes, sizeof(*b->next));
	b->endings = mem_calloc(states_max, sizeof(*b->endings));
	for (size_t i = 0; i < states_max; i++)
		b->endings[i].bot = b->endings[i].sign = NO_RULE;
	b->states = ROOT + 1;
	for (size_t i = 0; i < count; i++) {
		bots_insert(b, &rules[i], (uint16_t)i);
		b->has_browsers |= rules[i].kind == RULE_BROWSER;
		if (rules[i].kind == RULE_EXCEPTION && rules[i].len > longest)
			longest = rules[i].len;
	}
	b->settled = ~((UINT64_C(2) << longest) - 1);
	bots_link(b);
	b->next = mem_realloc(b->next, b->states * b->classes * sizeof(*b->next));
	b->endings = mem_realloc(b->endings, b->states * sizeof(*b->endings));
}

static void
name_rule(struct bots *b, struct buf *names, enum agent_class class, struct slice phrase)
{
	struct known *k = &b->rules[b->n_rules++];

	k->class = class;
	k->name = names->len;
	buf_printf(names, "%s/", agent_class_name(class));
	buf_put(names, phrase.p, phrase.len);
	k->len = names->len - k->name;
}

/* Verdicts without a rule of the file, behind those of the file. */
enum { EMPTY, NO_BROWSER, UNSIGNED, UNWRITTEN };

static void
bots_names(struct bots *b, const struct rule *rules, size_t count)
{
	struct buf names = { 0 };

	b->rules = mem_calloc(count + UNWRITTEN, sizeof(*b->rules));
	for (size_t i = 0; i < count; i++)
		name_rule(b, &names, rules[i].class, rules[i].phrase);
	name_rule(b, &names, AGENT_OTHER, SLICE("(empty)"));
	name_rule(b, &names, AGENT_OTHER, SLICE("(no browser)"));
	name_rule(b, &names, AGENT_BROWSER, SLICE(""));
	b->names = names.p;
}

struct bots *
bots_parse(struct slice text, const char *name, struct err *err)
{
	struct bots *b = NULL;
	size_t count = 0, states_max = ROOT + 1;
	struct rule *rules = rules_read(text, name, &count, err);

	if (rules == NULL)
		return (NULL);
	for (size_t i = 0; i < count; i++)
		states_max += rules[i].len;
	if (states_max > STATES_MAX - UNWRITTEN) {
		err_set(err, "%s: more rules than fit (%zu of %d bytes)", name, states_max, STATES_MAX - UNWRITTEN);
		goto out;
	}
	b = mem_calloc(1, sizeof(*b));
	bots_build(b, rules, count, states_max);
	bots_names(b, rules, count);
out:
	free(rules);
	return (b);
}

void
bots_free(struct bots **bp)
{
	struct bots *b = *bp;

	if (b == NULL)
		return;
	free(b->next);
	free(b->endings);
	free(b->rules);
	free(b->names);
	free(b);
	*bp = NULL;
}

unsigned
bots_rules(const struct bots *b)
{
	return (b->n_rules);
}

struct slice
bots_rule_name(const struct bots *b, unsigned number)
{
	must(number < b->n_rules);
	return (slice_make(b->names + b->rules[number].name, b->rules[number].len));
}

enum agent_class
bots_rule_class(const struct bots *b, unsigned number)
{
	must(number < b->n_rules);
	return (b->rules[number].class);
}

/* ---- matching --------------------------------------------------------------------- */

struct scan {
	size_t state, at;	/* at: symbols read */
	uint64_t hits;		/* bit k: a bot rule's hit that began k symbols ago, not excepted yet */
	uint16_t by[64];	/* of such a hit, by the place where it began: the first of the rules */
	uint16_t bot, sign;	/* the first rule that nothing excepts, the first sign; or NO_RULE */
};

/* Hits that no exception can take back. */
static void
scan_settle(struct scan *scan, uint64_t hits)
{
	scan->hits &= ~hits;
	for (; hits != 0; hits &= hits - 1) {
		uint16_t rule = scan->by[(scan->at - (size_t)__builtin_ctzll(hits)) % 64];

		if (rule < scan->bot)
			scan->bot = rule;
	}
}

/* Rare: something ends here.  An exception takes back the hits inside it; since it may
 * end after them, they wait. */
static void
scan_ending(const struct bots *b, struct scan *scan, const struct ending *ending)
{
	for (const struct ending *e = ending; e != b->endings; e = &b->endings[e->shorter]) {
		uint64_t hit = UINT64_C(1) << e->bot_len;
		uint16_t *by = &scan->by[(scan->at - e->bot_len) % 64];

		if (e->bot == NO_RULE)
			continue;
		if ((scan->hits & hit) == 0 || e->bot < *by)
			*by = e->bot;
		scan->hits |= hit;
	}
	if (ending->exception > 0)
		scan->hits &= ~((UINT64_C(2) << ending->exception) - 1);
	if (ending->sign < scan->sign)
		scan->sign = ending->sign;
}

static inline void
scan_step(const struct bots *b, struct scan *scan, size_t symbol)
{
	scan->state = *bots_next(b, scan->state, b->class_of[symbol]);
	scan->at++;
	scan->hits <<= 1;
	if (b->endings[scan->state].any)
		scan_ending(b, scan, &b->endings[scan->state]);
	if ((scan->hits & b->settled) != 0)
		scan_settle(scan, scan->hits & b->settled);
}

/* The number of the rule that decides. */
static unsigned
first_rule(const struct bots *b, struct slice agent)
{
	unsigned unwritten = b->n_rules - UNWRITTEN;
	struct scan scan = { .state = ROOT, .bot = NO_RULE, .sign = NO_RULE };

	if (agent.len == 0 || slice_is(agent, "-"))
		return (unwritten + EMPTY);
	scan_step(b, &scan, BEGIN);
	for (size_t i = 0; i < agent.len; i++)
		scan_step(b, &scan, (unsigned char)agent.p[i]);
	scan_step(b, &scan, END);
	scan_settle(&scan, scan.hits);
	if (scan.bot != NO_RULE)
		return (scan.bot);
	if (b->has_browsers && scan.sign == NO_RULE)
		return (unwritten + NO_BROWSER);
	return (scan.sign != NO_RULE ? scan.sign : unwritten + UNSIGNED);
}

void
bots_judge(const struct bots *b, struct slice agent, struct agent_verdict *v)
{
	v->number = first_rule(b, agent);
	v->class = bots_rule_class(b, v->number);
	v->is_bot = v->class != AGENT_BROWSER;
	v->rule = slice_skip(bots_rule_name(b, v->number), strlen(agent_class_name(v->class)) + 1);
}

/* ---- device ----------------------------------------------------------------------- */

enum sign { SIGN_TABLET = 1, SIGN_PHONE = 2, SIGN_ANDROID = 4, SIGN_MOBILE = 8 };

/* What the word at the front of s, which is not empty, says.  Case matters. */
static unsigned
signs_at(struct slice s)
{
	switch (s.p[0]) {
	case 'A':
		return (slice_starts(s, SLICE("Android")) ? SIGN_ANDROID : 0);
	case 'M':
		return (slice_starts(s, SLICE("Mobile")) ? SIGN_PHONE | SIGN_MOBILE :
		    slice_starts(s, SLICE("Mobi")) ? SIGN_PHONE : 0);
	case 'P':
		return (slice_starts(s, SLICE("PlayBook")) ? SIGN_TABLET : 0);
	case 'S':
		return (slice_starts(s, SLICE("Silk")) ? SIGN_TABLET : 0);
	case 'T':
		return (slice_starts(s, SLICE("Tablet")) ? SIGN_TABLET : 0);
	case 'i':
		return (slice_starts(s, SLICE("iPad")) ? SIGN_TABLET :
		    slice_starts(s, SLICE("iPhone")) || slice_starts(s, SLICE("iPod")) ? SIGN_PHONE : 0);
	}
	return (0);
}

enum device
device_of(struct slice agent)
{
	unsigned signs = 0;

	for (; agent.len > 0; agent.p++, agent.len--)
		signs |= signs_at(agent);
	if ((signs & SIGN_TABLET) || (signs & (SIGN_ANDROID | SIGN_MOBILE)) == SIGN_ANDROID)
		return (DEVICE_TABLET);
	return (signs & SIGN_PHONE ? DEVICE_MOBILE : DEVICE_DESKTOP);
}

const char *
device_name(enum device device)
{
	static const char *const names[] = {
		[DEVICE_DESKTOP] = "desktop", [DEVICE_MOBILE] = "mobile", [DEVICE_TABLET] = "tablet",
	};

	must((size_t)device < N_ELEM(names));
	return (names[device]);
}
