/*
 * hosts: see hosts.h.
 *
 * A known host is found by its suffixes at label borders, each looked up in a hash
 * table: shop.blog.example, blog.example, example.  How many patterns there are does
 * not matter, and the longest pattern of the file bounds how many labels are tried.
 * Most suffixes are no key: a filter says so at a tenth of the price of the hash.
 */
#include "core/hosts.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

#define TLD_LABEL_MAX 3		/* letters of a label that a trailing .* stands for */
#define NAME_MAX_BYTES 100	/* of a source's name in the file */
#define SPOTS 65536		/* places of the filter; a power of two */

static const struct {
	const char *word, *medium;
} kinds[KINDS] = {
	[KIND_NONE] = { "", "" },
	[KIND_SEARCH] = { "search", "organic" },
	[KIND_SOCIAL] = { "social", "social" },
	[KIND_VIDEO] = { "video", "video" },
	[KIND_MAIL] = { "mail", "email" },
	[KIND_AI] = { "ai", "ai" },
	[KIND_SHOPPING] = { "shopping", "referral" },
	[KIND_ADS] = { "ads", "cpc" },
	[KIND_AFFILIATE] = { "affiliate", "affiliate" },
	[KIND_PAYMENT] = { "payment", "" },
	[KIND_SPAM] = { "spam", "" },
};

/* What a table without payment pages gets: one that was written before they stood there would
 * else make a source of the page where an order was paid, and take the order from its own. */
static const struct slice usual_payment_pages[] = {
	SLICE("checkout.stripe.com"), SLICE("buy.stripe.com"), SLICE("hooks.stripe.com"),
	SLICE("paypal.com"), SLICE("pay.shopify.com"), SLICE("shop.app"),
	SLICE("checkout.paddle.com"), SLICE("lemonsqueezy.com"), SLICE("klarna.com"),
};

struct sources {
	char *text;			/* what the patterns and names point into */
	struct known *list;
	size_t count;
	struct strmap *hosts;		/* pattern -> struct known */
	struct strmap *stems;		/* pattern without its .* -> struct known */
	struct strmap *names;		/* name -> its first struct known; also what stands behind a = */
	uint64_t spots[SPOTS / 64];	/* filter: a bit for each key of hosts and stems */
	size_t labels_max;		/* of any key of hosts and stems */
	bool has_payment;
};

const char *
kind_word(enum kind kind)
{
	return (kinds[kind].word);
}

const char *
kind_medium(enum kind kind)
{
	return (kinds[kind].medium);
}

/* ---- the data file ---------------------------------------------------------------- */

static size_t
count_byte(struct slice s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == c;
	return (n);
}

static bool
is_host_byte(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
}

/* Lower-case labels of at least one byte each. */
static bool
is_host_pattern(struct slice s)
{
	struct slice label;

	if (s.len == 0 || s.len > HOST_MAX || s.p[s.len - 1] == '.')
		return (false);
	while (s.len > 0) {
		label = slice_cut(&s, '.');
		if (label.len == 0)
			return (false);
		for (size_t i = 0; i < label.len; i++)
			if (!is_host_byte(label.p[i]))
				return (false);
	}
	return (true);
}

static bool
is_source_name(struct slice s, char least)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < least || s.p[i] > '~' || s.p[i] != ascii_lower(s.p[i]))
			return (false);
	return (s.len > 0 && s.len <= NAME_MAX_BYTES);
}

static enum kind
kind_of_word(struct slice word)
{
	for (size_t i = KIND_NONE + 1; i < N_ELEM(kinds); i++)
		if (slice_is(word, kinds[i].word))
			return ((enum kind)i);
	return (KIND_NONE);
}

static struct slice
without_star(struct slice pattern)
{
	return (slice_make(pattern.p, pattern.len - (slice_ends(pattern, SLICE(".*")) ? 2 : 0)));
}

static bool
is_other_name(struct slice pattern)
{
	return (slice_starts(pattern, SLICE("=")));
}

/* What a utm_source can be: with spaces, but not around it. */
static bool
is_utm_name(struct slice s)
{
	return (is_source_name(s, ' ') && s.p[0] != ' ' && s.p[s.len - 1] != ' ');
}

/* What is wrong with the line, or NULL. */
static const char *
known_parse(struct slice line, struct known *known)
{
	known->pattern = slice_cut(&line, '\t');
	known->name = slice_cut(&line, '\t');
	known->kind = kind_of_word(line);
	if (is_other_name(known->pattern) ? !is_utm_name(slice_skip(known->pattern, 1)) :
	    !is_host_pattern(without_star(known->pattern)))
		return ("is no host pattern (lower case, at most a trailing .*), and no = with another name");
	if (!is_source_name(known->name, '!'))
		return ("has no name behind a tab (lower case, no spaces)");
	if (known->kind == KIND_NONE)
		return ("has no kind behind a second tab (search social video mail ai shopping ads affiliate payment spam)");
	return (NULL);
}

/* Spreads keys over the filter, and nothing more: what collides is looked up for nothing. */
static size_t
spot_of(struct slice key)
{
	uint64_t spread = key.len, word;
	size_t i;

	for (i = 0; i + 8 <= key.len; i += 8) {
		memcpy(&word, key.p + i, 8);
		spread = (spread ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		spread ^= spread >> 29;
	}
	word = 0;
	if (i < key.len)
		memcpy(&word, key.p + i, key.len - i);
	spread = (spread ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return ((spread >> 40) % SPOTS);
}

static bool
may_be_key(const struct sources *s, struct slice key)
{
	size_t spot = spot_of(key);

	return ((s->spots[spot / 64] >> spot % 64 & 1) != 0);
}

static bool
has_kind(const struct known *known, enum kind kind)
{
	return (known == NULL || known->kind == kind);
}

/* Files known as host or stem.  False where one like it is there. */
static bool
add_host(struct sources *s, struct known *known)
{
	struct slice key = without_star(known->pattern);
	struct strmap *map = key.len < known->pattern.len ? s->stems : s->hosts;
	size_t labels = count_byte(key, '.') + 1;

	if (strmap_get(map, key) != NULL)
		return (false);
	strmap_put(map, key, known);
	s->spots[spot_of(key) / 64] |= UINT64_C(1) << spot_of(key) % 64;
	if (labels > s->labels_max)
		s->labels_max = labels;
	s->has_payment |= known->kind == KIND_PAYMENT;
	return (true);
}

/* Files known, or says why it cannot stand beside the earlier lines. */
static const char *
sources_add(struct sources *s, struct known *known)
{
	struct slice other = slice_skip(known->pattern, 1);
	bool is_other = is_other_name(known->pattern);

	if (!has_kind(strmap_get(s->names, known->name), known->kind) ||
	    (is_other && !has_kind(strmap_get(s->names, other), known->kind)))
		return ("gives its name another kind than an earlier line");
	if (is_other ? strmap_get(s->names, other) != NULL : !add_host(s, known))
		return ("stands here for the second time");
	if (strmap_get(s->names, known->name) == NULL)
		strmap_put(s->names, known->name, known);
	if (is_other)
		strmap_put(s->names, other, known);
	return (NULL);
}

static int
sources_read(struct sources *s, struct slice text, const char *name, struct err *err)
{
	struct slice line;
	struct known *known;
	const char *wrong;

	for (size_t number = 1; text.len > 0; number++) {
		line = slice_cut(&text, '\n');
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0 || line.p[0] == '#')
			continue;
		known = &s->list[s->count++];
		known->order = number;
		wrong = known_parse(line, known);
		if (wrong == NULL)
			wrong = sources_add(s, known);
		if (wrong != NULL)
			return (err_set(err, "%s:%zu: \"%.*s\" %s", name, number,
			    (int)(known->pattern.len < 80 ? known->pattern.len : 80), known->pattern.p, wrong));
	}
	return (0);
}

static void
add_usual_payment_pages(struct sources *s)
{
	for (size_t i = 0; i < N_ELEM(usual_payment_pages); i++) {
		struct known *known = &s->list[s->count];

		*known = (struct known){ usual_payment_pages[i], usual_payment_pages[i], KIND_PAYMENT, SIZE_MAX };
		s->count += add_host(s, known);
	}
}

struct sources *
sources_parse(struct slice text, const char *name, struct err *err)
{
	/* The tables hold what the owner's file says and nothing of strangers, so nobody
	 * can crowd them: the key may be a known one. */
	static const struct hash_key key;
	struct sources *s = mem_calloc(1, sizeof(*s));

	s->text = mem_strndup(text.p, text.len);
	s->list = mem_calloc(count_byte(text, '\n') + 1 + N_ELEM(usual_payment_pages), sizeof(*s->list));
	s->hosts = strmap_new(&key);
	s->stems = strmap_new(&key);
	s->names = strmap_new(&key);
	if (sources_read(s, slice_make(s->text, text.len), name, err) != 0)
		sources_free(&s);
	else if (!s->has_payment)
		add_usual_payment_pages(s);
	return (s);
}

void
sources_free(struct sources **sp)
{
	struct sources *s = *sp;

	if (s == NULL)
		return;
	strmap_free(&s->hosts);
	strmap_free(&s->stems);
	strmap_free(&s->names);
	free(s->list);
	free(s->text);
	free(s);
	*sp = NULL;
}

/* ---- hosts ------------------------------------------------------------------------ */

static const struct known *
longer(const struct known *a, const struct known *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL ? a : b);
	if (a->pattern.len != b->pattern.len)
		return (a->pattern.len > b->pattern.len ? a : b);
	return (a->order < b->order ? a : b);
}

/* Cuts off a last label that .* may stand for; false where it may not, or is the only one. */
static bool
cut_tld(struct slice *host)
{
	size_t len = host->len, letters = 0;

	while (len > 0 && host->p[len - 1] >= 'a' && host->p[len - 1] <= 'z' && letters < TLD_LABEL_MAX) {
		len--;
		letters++;
	}
	if (letters == 0 || len < 2 || host->p[len - 1] != '.')
		return (false);
	host->len = len - 1;
	return (true);
}

/* The longest pattern whose host, or stem under a .*, is exactly suffix. */
static const struct known *
known_exactly(const struct sources *s, struct slice suffix)
{
	const struct known *best = may_be_key(s, suffix) ? strmap_get(s->hosts, suffix) : NULL;

	for (int i = 0; i < 2 && cut_tld(&suffix); i++)
		if (may_be_key(s, suffix))
			best = longer(best, strmap_get(s->stems, suffix));
	return (best);
}

const struct known *
known_host(const struct sources *s, struct slice host)
{
	const struct known *best = NULL;
	size_t at = host.len, labels = 0;

	/* From the last label on; two more than any key has, for what .* stands for. */
	while (labels++ < s->labels_max + 2) {
		while (at > 0 && host.p[at - 1] != '.')
			at--;
		best = longer(best, known_exactly(s, slice_skip(host, at)));
		if (at == 0)
			break;
		at--;
	}
	return (best);
}

const struct known *
known_name(const struct sources *s, struct slice name)
{
	return (strmap_get(s->names, name));
}
