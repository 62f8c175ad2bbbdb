/*
 * source: see source.h.
 *
 * A known host is found by its suffixes at label borders, each looked up in a hash
 * table: shop.blog.example, blog.example, example.  How many patterns there are does
 * not matter, and the longest pattern of the file bounds how many labels are tried.
 */
#include "core/source.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "core/page.h"

#define TLD_LABEL_MAX 3		/* letters of a label that a trailing .* stands for */
#define NAME_MAX_BYTES 100	/* of a source's name in the file */

enum kind { KIND_NONE, KIND_SEARCH, KIND_SOCIAL, KIND_VIDEO, KIND_MAIL, KIND_AI, KIND_SHOPPING };

static const struct {
	const char *word, *medium;
} kinds[] = {
	[KIND_NONE] = { "", "" },
	[KIND_SEARCH] = { "search", "organic" },
	[KIND_SOCIAL] = { "social", "social" },
	[KIND_VIDEO] = { "video", "video" },
	[KIND_MAIL] = { "mail", "email" },
	[KIND_AI] = { "ai", "ai" },
	[KIND_SHOPPING] = { "shopping", "referral" },
};

/* The first that fits counts. */
static const struct click_id {
	struct slice param;
	const char *source, *medium;
} click_ids[] = {
	{ SLICE("gclid"), "google", "cpc" },
	{ SLICE("gbraid"), "google", "cpc" },
	{ SLICE("wbraid"), "google", "cpc" },
	{ SLICE("dclid"), "google", "cpc" },
	{ SLICE("msclkid"), "bing", "cpc" },
	{ SLICE("fbclid"), "facebook", "social" },
	{ SLICE("ttclid"), "tiktok", "cpc" },
	{ SLICE("li_fat_id"), "linkedin", "cpc" },
	{ SLICE("twclid"), "twitter", "cpc" },
};

/* Pages that take a payment and send the visitor back, with all their subdomains.  Only
 * hosts that do nothing else, or that nobody links to a shop from. */
static const struct slice payment_pages[] = {
	SLICE("checkout.stripe.com"), SLICE("buy.stripe.com"), SLICE("hooks.stripe.com"),
	SLICE("paypal.com"), SLICE("pay.shopify.com"), SLICE("shop.app"),
	SLICE("checkout.paddle.com"), SLICE("lemonsqueezy.com"), SLICE("klarna.com"),
	SLICE("invoice.stripe.com"), SLICE("billing.stripe.com"), SLICE("m.stripe.network"),
	SLICE("checkout.shopify.com"), SLICE("buy.paddle.com"), SLICE("mollie.com"),
	SLICE("adyen.com"), SLICE("adyen.link"), SLICE("checkout.square.site"),
	SLICE("braintreegateway.com"), SLICE("authorize.net"), SLICE("worldpay.com"),
	SLICE("2checkout.com"), SLICE("secure.payu.com"), SLICE("payu.in"),
	SLICE("razorpay.com"), SLICE("sofort.com"), SLICE("giropay.de"), SLICE("ogone.com"),
	SLICE("afterpay.com"), SLICE("clearpay.co.uk"), SLICE("affirm.com"), SLICE("sezzle.com"),
	SLICE("pay.gocardless.com"), SLICE("saferpay.com"), SLICE("datatrans.com"),
	SLICE("multisafepay.com"), SLICE("buckaroo.nl"), SLICE("przelewy24.pl"),
	SLICE("cardinalcommerce.com"),
};

struct known {
	struct slice pattern, name;	/* into sources.text */
	enum kind kind;
	size_t order;			/* line in the file: of equal length the earlier wins */
};

struct sources {
	char *text;			/* what the patterns and names point into */
	struct known *list;
	size_t count;
	struct strmap *hosts;		/* pattern -> struct known */
	struct strmap *stems;		/* pattern without its .* -> struct known */
	struct strmap *names;		/* name -> its first struct known */
	size_t labels_max;		/* of any key of hosts and stems */
};

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
is_source_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] != ascii_lower(s.p[i]))
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

/* What is wrong with the line, or NULL. */
static const char *
known_parse(struct slice line, struct known *known)
{
	known->pattern = slice_cut(&line, '\t');
	known->name = slice_cut(&line, '\t');
	known->kind = kind_of_word(line);
	if (!is_host_pattern(slice_ends(known->pattern, SLICE(".*")) ?
	    slice_make(known->pattern.p, known->pattern.len - 2) : known->pattern))
		return ("is no host pattern (lower case, at most a trailing .*)");
	if (!is_source_name(known->name))
		return ("has no name behind a tab (lower case, no spaces)");
	if (known->kind == KIND_NONE)
		return ("has no kind behind a second tab (search social video mail ai shopping)");
	return (NULL);
}

/* Files known, or says why it cannot stand beside the earlier lines. */
static const char *
sources_add(struct sources *s, struct known *known)
{
	bool is_stem = slice_ends(known->pattern, SLICE(".*"));
	struct strmap *map = is_stem ? s->stems : s->hosts;
	struct slice key = slice_make(known->pattern.p, known->pattern.len - (is_stem ? 2 : 0));
	size_t labels = count_byte(key, '.') + 1;
	const struct known *same = strmap_get(s->names, known->name);

	if (strmap_get(map, key) != NULL)
		return ("stands here for the second time");
	if (same != NULL && same->kind != known->kind)
		return ("gives its name another kind than an earlier line");
	if (same == NULL)
		strmap_put(s->names, known->name, known);
	strmap_put(map, key, known);
	if (labels > s->labels_max)
		s->labels_max = labels;
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

struct sources *
sources_parse(struct slice text, const char *name, struct err *err)
{
	/* The tables hold what the owner's file says and nothing of strangers, so nobody
	 * can crowd them: the key may be a known one. */
	static const struct hash_key key;
	struct sources *s = mem_calloc(1, sizeof(*s));

	s->text = mem_strndup(text.p, text.len);
	s->list = mem_calloc(count_byte(text, '\n') + 1, sizeof(*s->list));
	s->hosts = strmap_new(&key);
	s->stems = strmap_new(&key);
	s->names = strmap_new(&key);
	if (sources_read(s, slice_make(s->text, text.len), name, err) != 0)
		sources_free(&s);
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
	const struct known *best = strmap_get(s->hosts, suffix);

	for (int i = 0; i < 2 && cut_tld(&suffix); i++)
		best = longer(best, strmap_get(s->stems, suffix));
	return (best);
}

static const struct known *
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

/* The length of the scheme and ://, or 0. */
static size_t
scheme_len(struct slice url)
{
	size_t i = 0;
	char c;

	while (i < url.len) {
		c = ascii_lower(url.p[i]);
		if (!((c >= 'a' && c <= 'z') ||
		    (i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-'))))
			break;
		i++;
	}
	return (i > 0 && slice_starts(slice_skip(url, i), SLICE("://")) ? i + 3 : 0);
}

/* Up to the first of the four, which end a host. */
static size_t
host_span(struct slice s)
{
	size_t i = 0;

	while (i < s.len && s.p[i] != '/' && s.p[i] != ':' && s.p[i] != '?' && s.p[i] != '#')
		i++;
	return (i);
}

/* What follows user:password@ at the front, if anything does. */
static struct slice
skip_user(struct slice s)
{
	for (size_t i = 0; i < s.len && s.p[i] != '/' && s.p[i] != '?' && s.p[i] != '#'; i++)
		if (s.p[i] == '@')
			return (host_span(slice_skip(s, i + 1)) > 0 ? slice_skip(s, i + 1) : s);
	return (s);
}

/* Control bytes are in no name; they are dropped, as from a campaign. */
static bool
is_control(char c)
{
	return ((unsigned char)c < ' ' || c == 0x7f);
}

size_t
url_host(struct slice url, char out[HOST_MAX])
{
	size_t skip = scheme_len(url), len, n = 0;
	struct slice host;

	if (skip == 0)
		return (0);
	host = skip_user(slice_skip(url, skip));
	len = host_span(host);
	while (len > 0 && (host.p[len - 1] == '.' || is_control(host.p[len - 1])))
		len--;
	if (len > HOST_MAX)	/* longer than any name can be: none */
		return (0);
	for (size_t i = 0; i < len; i++) {
		out[n] = ascii_lower(host.p[i]);
		n += !is_control(host.p[i]);
	}
	return (n);
}

struct slice
referrer_origin(struct slice referrer)
{
	size_t i = slice_starts(referrer, SLICE("https://")) ? 8 : scheme_len(referrer);

	if (i == 0)
		return (SLICE(""));
	while (i < referrer.len && referrer.p[i] != '/' && referrer.p[i] != '?' && referrer.p[i] != '#')
		i++;
	return (slice_make(referrer.p, i));
}

/* host itself, or a subdomain of it. */
static bool
is_under(struct slice host, struct slice domain)
{
	return (slice_ends(host, domain) &&
	    (host.len == domain.len || host.p[host.len - domain.len - 1] == '.'));
}

static bool
host_is_internal(const struct source_rules *rules, struct slice host)
{
	const char *const *p;

	for (p = rules->own_hosts; p != NULL && *p != NULL; p++)
		if (slice_is(host, *p))
			return (true);
	for (p = rules->ignore_referrers; p != NULL && *p != NULL; p++)
		if (is_under(host, slice_of(*p)))
			return (true);
	for (size_t i = 0; i < N_ELEM(payment_pages); i++)
		if (is_under(host, payment_pages[i]))
			return (true);
	return (false);
}

bool
referrer_is_internal(const struct source_rules *rules, struct slice referrer)
{
	SCRATCH char host[HOST_MAX];
	size_t len = url_host(referrer, host);

	return (len > 0 && host_is_internal(rules, slice_make(host, len)));
}

/* ---- the query -------------------------------------------------------------------- */

/* Raw values; p is NULL where the parameter did not occur, since of a repeated one the
 * first counts, even if empty. */
struct params {
	struct slice source, medium, campaign;
	struct slice clicks[N_ELEM(click_ids)];
	bool has_click;			/* one of them is not empty */
};

static struct slice *
params_field(struct params *params, struct slice name)
{
	if (slice_starts(name, SLICE("utm_"))) {
		name = slice_skip(name, 4);
		return (slice_is(name, "source") ? &params->source :
		    slice_is(name, "medium") ? &params->medium :
		    slice_is(name, "campaign") ? &params->campaign : NULL);
	}
	for (size_t i = 0; i < N_ELEM(click_ids); i++)
		if (slice_equal(name, click_ids[i].param))
			return (&params->clicks[i]);
	return (NULL);
}

static void
params_read(struct params *params, struct slice query)
{
	struct slice value, *field;

	*params = (struct params){ .has_click = false };
	while (query.len > 0) {
		value = slice_cut(&query, '&');
		field = params_field(params, slice_cut(&value, '='));
		if (field != NULL && field->p == NULL)
			*field = value;
	}
	for (size_t i = 0; i < N_ELEM(click_ids); i++)
		params->has_click |= params->clicks[i].len > 0;
}

/* Decoded, without control bytes, trimmed, lower case, cut; the order matters: spaces at
 * the cut stay.  NUL-terminated; returns the length. */
static size_t
utm_value(struct slice raw, char out[UTM_MAX + 1])
{
	size_t len = 0, end = 0;	/* end: behind the last byte that is no space */
	char c;

	while (raw.len > 0 && end < UTM_MAX) {
		c = percent_next(&raw, true);
		if (is_control(c) || (c == ' ' && len == 0))
			continue;
		if (len < UTM_MAX)
			out[len] = ascii_lower(c);
		len++;
		if (c != ' ')
			end = len;
	}
	len = end < UTM_MAX ? end : UTM_MAX;
	out[len] = '\0';
	return (len);
}

/* ---- source ----------------------------------------------------------------------- */

static size_t
put_text(char *out, size_t max, struct slice text)
{
	must(text.len <= max);
	memcpy(out, text.p, text.len);
	out[text.len] = '\0';
	return (text.len);
}

static void
source_set(struct source *out, struct slice source, const char *medium)
{
	out->source_len = put_text(out->source, SOURCE_NAME_MAX, source);
	out->medium_len = put_text(out->medium, UTM_MAX, slice_of(medium));
}

/* Google's ids also come with its other hosts as referrer. */
static bool
is_own_platform(struct slice referrer, const char *source)
{
	return (slice_is(referrer, source) || (strcmp(source, "google") == 0 &&
	    (slice_is(referrer, "youtube") || slice_is(referrer, "gmail"))));
}

/* A click id of one platform under the referrer of another is a copied link's: stale. */
static const struct click_id *
click_of(const struct params *params, const struct known *referrer)
{
	for (size_t i = 0; i < N_ELEM(click_ids); i++)
		if (params->clicks[i].len > 0 &&
		    (referrer == NULL || is_own_platform(referrer->name, click_ids[i].source)))
			return (&click_ids[i]);
	return (NULL);
}

static bool
source_of_referrer(const struct source_rules *rules, const struct params *params, struct slice host,
    struct source *out)
{
	bool is_internal = host.len > 0 && host_is_internal(rules, host);
	const struct known *known = NULL;
	const struct click_id *click;

	if (host.len > 0 && (params->has_click || !is_internal))
		known = known_host(rules->sources, host);
	if (params->has_click && (click = click_of(params, known)) != NULL)
		source_set(out, slice_of(click->source), click->medium);
	else if (host.len == 0 || is_internal) {
		source_set(out, SLICE("(direct)"), "(none)");
		return (false);
	} else if (known != NULL)
		source_set(out, known->name, kinds[known->kind].medium);
	else
		source_set(out, slice_skip(host, slice_starts(host, SLICE("www.")) ? 4 : 0), "referral");
	return (true);
}

bool
source_of(const struct source_rules *rules, struct slice target, struct slice referrer, struct source *out)
{
	struct params params;
	SCRATCH char host[HOST_MAX];
	size_t host_len;

	params_read(&params, target_query(target));
	out->campaign_len = utm_value(params.campaign, out->campaign);
	out->source_len = utm_value(params.source, out->source);
	if (out->source_len > 0) {
		out->medium_len = utm_value(params.medium, out->medium);
		if (out->medium_len == 0)
			out->medium_len = put_text(out->medium, UTM_MAX, SLICE("(none)"));
		return (true);
	}
	host_len = url_host(referrer, host);
	return (source_of_referrer(rules, &params, slice_make(host, host_len), out));
}

bool
source_is_direct(const struct source *s)
{
	return (strcmp(s->source, "(direct)") == 0 && strcmp(s->medium, "(none)") == 0);
}

/* ---- channel ---------------------------------------------------------------------- */

/* A source is of a kind by its name, else as a host. */
static enum kind
kind_of_source(const struct sources *sources, struct slice source)
{
	const struct known *known = strmap_get(sources->names, source);

	if (known == NULL)
		known = known_host(sources, source);
	return (known != NULL ? known->kind : KIND_NONE);
}

static bool
is_one_of(const char *s, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(s, *list) == 0)
			return (true);
	return (false);
}

/* GA4: ^(.*cp.*|ppc|retargeting|paid.*)$ */
static bool
is_paid(const struct source *s)
{
	return (strstr(s->medium, "cp") != NULL || strcmp(s->medium, "ppc") == 0 ||
	    strcmp(s->medium, "retargeting") == 0 || strncmp(s->medium, "paid", 4) == 0);
}

/* GA4: ^(.*(([^a-df-z]|^)shop|shopping).*)$, so that "workshop" is none and "eshop" is one. */
static bool
is_shop_campaign(const struct source *s)
{
	const char *at = s->campaign;

	for (; (at = strstr(at, "shop")) != NULL; at++)
		if (at == s->campaign || at[-1] < 'a' || at[-1] > 'z' || at[-1] == 'e' ||
		    strncmp(at, "shopping", 8) == 0)
			return (true);
	return (false);
}

static const char *
paid_channel(enum kind kind, const struct source *s)
{
	static const char *const display[] = { "display", "banner", "expandable", "interstitial", "cpm", NULL };
	bool paid = is_paid(s);

	if (paid && (kind == KIND_SHOPPING || is_shop_campaign(s)))
		return ("Paid Shopping");
	if (paid && kind == KIND_SEARCH)
		return ("Paid Search");
	if (paid && kind == KIND_SOCIAL)
		return ("Paid Social");
	if (paid && kind == KIND_VIDEO)
		return ("Paid Video");
	if (is_one_of(s->medium, display))
		return ("Display");
	return (paid ? "Paid Other" : NULL);
}

static const char *
organic_channel(enum kind kind, const struct source *s)
{
	static const char *const social[] = { "social", "social-network", "social-media", "sm",
		"social network", "social media", NULL };

	if (kind == KIND_SHOPPING || is_shop_campaign(s))
		return ("Organic Shopping");
	if (kind == KIND_AI || strcmp(s->medium, "ai") == 0)
		return ("AI Assistant");
	if (kind == KIND_SOCIAL || is_one_of(s->medium, social))
		return ("Organic Social");
	if (kind == KIND_VIDEO || strstr(s->medium, "video") != NULL)
		return ("Organic Video");
	return (kind == KIND_SEARCH || strcmp(s->medium, "organic") == 0 ? "Organic Search" : NULL);
}

static const char *
other_channel(const struct source *s)
{
	static const char *const email[] = { "email", "e-mail", "e_mail", "e mail", NULL };
	static const char *const referral[] = { "referral", "app", "link", NULL };

	if (is_one_of(s->source, email) || is_one_of(s->medium, email))
		return ("Email");
	if (strcmp(s->medium, "affiliate") == 0)
		return ("Affiliates");
	if (is_one_of(s->medium, referral))
		return ("Referral");
	if (strcmp(s->medium, "audio") == 0)
		return ("Audio");
	if (strcmp(s->source, "sms") == 0 || strcmp(s->medium, "sms") == 0)
		return ("SMS");
	if (slice_ends(slice_make(s->medium, s->medium_len), SLICE("push")) || strstr(s->medium, "mobile") != NULL ||
	    strstr(s->medium, "notification") != NULL || strcmp(s->source, "firebase") == 0)
		return ("Mobile Push Notifications");
	return ("Unassigned");
}

const char *
channel_of(const struct sources *sources, const struct source *s)
{
	static const char *const none[] = { "(none)", "(not set)", NULL };
	const char *channel;
	enum kind kind;

	if (strcmp(s->source, "(direct)") == 0 && is_one_of(s->medium, none))
		return ("Direct");
	kind = kind_of_source(sources, slice_make(s->source, s->source_len));
	channel = paid_channel(kind, s);
	if (channel == NULL)
		channel = organic_channel(kind, s);
	return (channel != NULL ? channel : other_channel(s));
}
