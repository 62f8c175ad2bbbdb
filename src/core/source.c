/*
 * source: see source.h.
 */
#include "core/source.h"

#include "base/mem.h"
#include "core/hosts.h"
#include "core/page.h"

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

/* ---- hosts ------------------------------------------------------------------------ */

/* The length of the scheme and ://, or 0. */
static size_t
scheme_len(struct slice url)
{
	size_t i = 0;
	char c;

	if (slice_starts(url, SLICE("https://")))	/* nearly all of them */
		return (8);
	while (i < url.len) {
		c = ascii_lower(url.p[i]);
		if (!((c >= 'a' && c <= 'z') ||
		    (i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-'))))
			break;
		i++;
	}
	return (i > 0 && slice_starts(slice_skip(url, i), SLICE("://")) ? i + 3 : 0);
}

/* user:password@host:port: up to the first of the three that end it. */
static struct slice
cut_authority(struct slice s)
{
	size_t i = 0;

	while (i < s.len && s.p[i] != '/' && s.p[i] != '?' && s.p[i] != '#')
		i++;
	return (slice_make(s.p, i));
}

/* The host of it: without a port, and without a user where a host follows. */
static struct slice
cut_host(struct slice authority)
{
	ptrdiff_t at = slice_find(authority, '@');
	struct slice rest = slice_skip(authority, (size_t)(at + 1)), host = slice_cut(&rest, ':');

	return (at >= 0 && host.len == 0 ? slice_cut(&authority, ':') : host);
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
	host = cut_host(cut_authority(slice_skip(url, skip)));
	len = host.len;
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
	size_t skip = scheme_len(referrer);

	return (skip == 0 ? SLICE("") : slice_make(referrer.p, skip + cut_authority(slice_skip(referrer, skip)).len));
}

/* host itself, or a subdomain of it. */
static bool
is_under(struct slice host, struct slice domain)
{
	return (slice_ends(host, domain) &&
	    (host.len == domain.len || host.p[host.len - domain.len - 1] == '.'));
}

/* The rule that a host without its query falls under, and what in it did. */
struct origin {
	enum source_rule rule;
	struct slice by;
	const struct known *known;	/* of RULE_PAYMENT_PAGE, RULE_KNOWN and RULE_SPAM */
};

static struct origin
origin_known(const struct known *known)
{
	enum source_rule rule = known == NULL ? RULE_REFERRER : known->kind == KIND_PAYMENT ? RULE_PAYMENT_PAGE :
	    known->kind == KIND_SPAM ? RULE_SPAM : RULE_KNOWN;

	return ((struct origin){ rule, known != NULL ? known->pattern : SLICE(""), known });
}

static struct origin
origin_of(const struct source_rules *rules, struct slice host)
{
	const char *const *p;

	if (host.len == 0)
		return ((struct origin){ .rule = RULE_DIRECT });
	for (p = rules->own_hosts; p != NULL && *p != NULL; p++)
		if (slice_is(host, *p))
			return ((struct origin){ RULE_OWN_HOST, slice_of(*p), NULL });
	for (p = rules->ignore_referrers; p != NULL && *p != NULL; p++)
		if (is_under(host, slice_of(*p)))
			return ((struct origin){ RULE_IGNORED, slice_of(*p), NULL });
	return (origin_known(known_host(rules->sources, host)));
}

bool
referrer_is_internal(const struct source_rules *rules, struct slice referrer)
{
	SCRATCH char host[HOST_MAX];
	enum source_rule rule = origin_of(rules, slice_make(host, url_host(referrer, host))).rule;

	return (rule == RULE_OWN_HOST || rule == RULE_IGNORED || rule == RULE_PAYMENT_PAGE);
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

/* Where a click on any platform's advertisement may come from: its id is not stale there. */
static bool
is_between(enum kind kind)
{
	return (kind == KIND_ADS || kind == KIND_AFFILIATE || kind == KIND_PAYMENT || kind == KIND_SPAM);
}

/* A click id of one platform under the referrer of another is a copied link's: stale. */
static const struct click_id *
click_of(const struct source_rules *rules, const struct params *params, struct slice host)
{
	const struct known *known = params->has_click && host.len > 0 ? known_host(rules->sources, host) : NULL;

	if (known != NULL && is_between(known->kind))
		known = NULL;
	for (size_t i = 0; params->has_click && i < N_ELEM(click_ids); i++)
		if (params->clicks[i].len > 0 && (known == NULL || is_own_platform(known->name, click_ids[i].source)))
			return (&click_ids[i]);
	return (NULL);
}

static bool
source_of_host(struct slice host, const struct origin *from, struct source *out)
{
	out->rule = from->rule;
	out->by = from->by;
	switch (from->rule) {
	case RULE_KNOWN:
		out->kind = kind_word(from->known->kind);
		source_set(out, from->known->name, kind_medium(from->known->kind));
		return (true);
	case RULE_REFERRER:
	case RULE_SPAM:
		source_set(out, slice_skip(host, slice_starts(host, SLICE("www.")) ? 4 : 0), "referral");
		return (true);
	default:
		source_set(out, SLICE("(direct)"), "(none)");
		return (false);
	}
}

static bool
source_of_referrer(const struct source_rules *rules, const struct params *params, struct slice host,
    struct source *out)
{
	const struct click_id *click = click_of(rules, params, host);
	struct origin from;

	if (click == NULL) {
		from = origin_of(rules, host);
		return (source_of_host(host, &from, out));
	}
	out->rule = RULE_CLICK_ID;
	out->by = click->param;
	source_set(out, slice_of(click->source), click->medium);
	return (true);
}

bool
source_of(const struct source_rules *rules, struct slice target, struct slice referrer, struct source *out)
{
	struct params params;
	SCRATCH char host[HOST_MAX];
	size_t host_len;

	params_read(&params, target_query(target));
	out->by = SLICE("");
	out->kind = "";
	out->campaign_len = utm_value(params.campaign, out->campaign);
	out->source_len = utm_value(params.source, out->source);
	if (out->source_len > 0) {
		out->rule = RULE_UTM;
		out->medium_len = utm_value(params.medium, out->medium);
		if (out->medium_len == 0)
			out->medium_len = put_text(out->medium, UTM_MAX, SLICE("(none)"));
		return (true);
	}
	host_len = url_host(referrer, host);
	return (source_of_referrer(rules, &params, slice_make(host, host_len), out));
}

const char *
source_rule_word(enum source_rule rule)
{
	static const char *const words[] = {
		[RULE_UTM] = "utm", [RULE_CLICK_ID] = "click_id", [RULE_OWN_HOST] = "own_host", [RULE_IGNORED] = "ignored",
		[RULE_PAYMENT_PAGE] = "payment_page", [RULE_KNOWN] = "known", [RULE_SPAM] = "spam",
		[RULE_REFERRER] = "referrer", [RULE_DIRECT] = "direct",
	};

	return (words[rule]);
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
	const struct known *known = known_name(sources, source);

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
