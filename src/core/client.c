/*
 * client: see client.h.
 *
 * All rules of the bots file go into one automaton (Aho and Corasick, 1975) that
 * reads each byte of the agent once.  The agent's two ends are symbols like bytes,
 * so that an anchored rule is an ordinary one.  Tables are dense, over classes of
 * bytes: a byte that no rule has is the class OTHER, and both cases are one class.
 */
#include "core/client.h"

#include <stdlib.h>

#include "base/mem.h"

#define BYTES 256
#define BEGIN BYTES		/* symbols beside the bytes */
#define END (BYTES + 1)
#define SYMBOLS (BYTES + 2)
#define OTHER 0			/* class of what no rule has */
#define ROOT 0
#define RULE_MAX 62		/* symbols in a rule: one bit each in bots_match() */
#define STATES_MAX UINT16_MAX

enum rule_kind { RULE_BOT, RULE_EXCEPTION, RULE_BROWSER };

struct rule {
	enum rule_kind kind;
	uint16_t symbols[RULE_MAX];
	size_t len;
};

/* What ends in a state: the longest of each kind, since the others lie inside it. */
struct ending {
	uint8_t bot, exception;		/* symbols, 0 for none */
	bool is_browser;
};

struct bots {
	uint16_t class_of[SYMBOLS];
	size_t classes, states;
	uint16_t *next;			/* states x classes: while it is built */
	struct ending *endings;		/* by state: likewise */
	uint32_t *rows;			/* by state: its ending, then where the row of each
					 * class's next state begins */
	uint64_t settled;		/* bits of hits that no exception can reach any more */
	bool has_browsers;		/* the file says what makes a browser */
};

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
rule_parse(struct slice line, struct rule *rule)
{
	rule->kind = take(&line, '!') ? RULE_EXCEPTION : take(&line, '+') ? RULE_BROWSER : RULE_BOT;
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

/* The rules in an array that the caller frees, or NULL. */
static struct rule *
rules_read(struct slice text, const char *name, size_t *count, struct err *err)
{
	struct rule *rules = mem_alloc(sizeof(*rules));
	size_t cap = 1, n = 0;
	struct slice line;
	const char *wrong;

	for (size_t number = 1; text.len > 0; number++) {
		line = trim(slice_cut(&text, '\n'));
		if (line.len == 0 || line.p[0] == '#')
			continue;
		mem_grow(&rules, &cap, n + 1, sizeof(*rules));
		wrong = rule_parse(line, &rules[n++]);
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
bots_insert(struct bots *b, const struct rule *rule)
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
	if (rule->kind == RULE_BOT)
		ending->bot = (uint8_t)rule->len;
	else if (rule->kind == RULE_EXCEPTION)
		ending->exception = (uint8_t)rule->len;
	else
		ending->is_browser = true;
}

/* What ends in the longest proper suffix ends here too. */
static void
ending_inherit(struct ending *to, const struct ending *from)
{
	if (to->bot == 0)
		to->bot = from->bot;
	if (to->exception == 0)
		to->exception = from->exception;
	to->is_browser |= from->is_browser;
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
			ending_inherit(&b->endings[*next], &b->endings[fallback]);
			queue[tail++] = *next;
		}
	}
	free(suffix);
	free(queue);
}

/* One load a byte instead of a multiplication and two loads. */
static void
bots_pack(struct bots *b)
{
	size_t width = b->classes + 1;

	b->rows = mem_calloc(b->states * width, sizeof(*b->rows));
	for (size_t state = 0; state < b->states; state++) {
		const struct ending *ending = &b->endings[state];
		uint32_t *row = &b->rows[state * width];

		row[0] = ending->bot | (uint32_t)ending->exception << 8 | (uint32_t)ending->is_browser << 16;
		for (size_t class = 0; class < b->classes; class++)
			row[1 + class] = (uint32_t)(*bots_next(b, state, class) * width);
	}
	for (size_t symbol = 0; symbol < SYMBOLS; symbol++)
		b->class_of[symbol]++;
	free(b->next);
	free(b->endings);
	b->next = NULL;
	b->endings = NULL;
}

static void
bots_build(struct bots *b, const struct rule *rules, size_t count, size_t states_max)
{
	size_t longest = 0;

	bots_classes(b, rules, count);
	b->next = mem_calloc(states_max * b->classes, sizeof(*b->next));
	b->endings = mem_calloc(states_max, sizeof(*b->endings));
	b->states = ROOT + 1;
	for (size_t i = 0; i < count; i++) {
		bots_insert(b, &rules[i]);
		b->has_browsers |= rules[i].kind == RULE_BROWSER;
		if (rules[i].kind == RULE_EXCEPTION && rules[i].len > longest)
			longest = rules[i].len;
	}
	b->settled = ~((UINT64_C(2) << longest) - 1);
	bots_link(b);
	bots_pack(b);
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
	if (states_max > STATES_MAX) {
		err_set(err, "%s: more rules than fit (%zu of %d bytes)", name, states_max, STATES_MAX);
		goto out;
	}
	b = mem_calloc(1, sizeof(*b));
	bots_build(b, rules, count, states_max);
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
	free(b->rows);
	free(b);
	*bp = NULL;
}

/* ---- matching --------------------------------------------------------------------- */

struct scan {
	const uint32_t *row;
	uint64_t hits;		/* bit k: a bot rule's hit that began k symbols ago, not excepted yet */
	bool is_browser;
};

/* Rare: something ends here.  An exception takes back the hits inside it; since it may
 * end after them, they wait. */
static void
scan_ending(struct scan *scan, uint32_t ending)
{
	unsigned bot = ending & 0xff, exception = ending >> 8 & 0xff;

	if (bot > 0)
		scan->hits |= UINT64_C(1) << bot;
	if (exception > 0)
		scan->hits &= ~((UINT64_C(2) << exception) - 1);
	scan->is_browser |= ending >> 16;
}

/* False where it is a bot, whatever follows. */
static inline bool
scan_step(const struct bots *b, struct scan *scan, size_t symbol)
{
	scan->row = b->rows + scan->row[b->class_of[symbol]];
	scan->hits <<= 1;
	if (scan->row[0] != 0)
		scan_ending(scan, scan->row[0]);
	return ((scan->hits & b->settled) == 0);
}

bool
bots_match(const struct bots *b, struct slice agent)
{
	struct scan scan = { .row = b->rows };	/* of the root */

	if (agent.len == 0 || slice_is(agent, "-") || !scan_step(b, &scan, BEGIN))
		return (true);
	for (size_t i = 0; i < agent.len; i++)
		if (!scan_step(b, &scan, (unsigned char)agent.p[i]))
			return (true);
	scan_step(b, &scan, END);
	return (scan.hits != 0 || (b->has_browsers && !scan.is_browser));
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
