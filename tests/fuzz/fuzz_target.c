/*
 * Targets, queries and referrers: what a stranger may put into a log line.  The input
 * is a target and, behind its first newline, a referrer.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/page.h"
#include "core/source.h"

static const char sources_text[] =
	"google.*\tgoogle\tsearch\n"
	"gemini.google.com\tgemini\tai\n"
	"mail.google.com\tgmail\tmail\n"
	"youtube.com\tyoutube\tvideo\n"
	"facebook.com\tfacebook\tsocial\n"
	"t.co\ttwitter\tsocial\n"
	"ebay.*\tebay\tshopping\n"
	"chatgpt.com\tchatgpt\tai\n"
	"taboola.com\ttaboola\tads\n"
	"awin1.com\tawin\taffiliate\n"
	"pay.ebay.*\tebay-pay\tpayment\n"
	"semalt.com\tsemalt\tspam\n"
	"=fb\tfacebook\tsocial\n";

static bool
is_page(struct slice page)
{
	if (page.len == 0 || page.len > PAGE_MAX || page.p[0] != '/')
		return (false);
	for (size_t i = 0; i < page.len; i++)
		if (page.p[i] < '!' || page.p[i] > '~' || page.p[i] == '?' || page.p[i] == '#' ||
		    (page.p[i] == '/' && i > 0 && page.p[i - 1] == '/'))
			return (false);
	return (page.len == 1 || page.len == PAGE_MAX || page.p[page.len - 1] != '/');
}

static void
check_page(struct slice target)
{
	char page[PAGE_MAX], again[PAGE_MAX];
	size_t len = page_of(target, page), len_again;

	must(is_page(slice_make(page, len)));
	page_is_asset(slice_make(page, len), NULL);
	len_again = page_of(slice_make(page, len), again);
	must(is_page(slice_make(again, len_again)) && len_again <= len);
	/* Where no % is left to escape anything, a page is its own page, but for a second
	 * index.html and what the cut laid bare. */
	if (memchr(page, '%', len) == NULL && len < PAGE_MAX && memmem(page, len, "/index.", 7) == NULL)
		must(slice_equal(slice_make(page, len), slice_make(again, len_again)));
}

static void
check_query(struct slice target)
{
	struct slice query = target_query(target), rest = query, value, first;
	char *out = malloc(query.len + 1);

	must(query.len <= target.len && percent_decode(query, true, out) <= query.len);
	while (rest.len > 0) {
		value = slice_cut(&rest, '&');
		must(query_param(query, slice_cut(&value, '='), &first));
		must(first.p <= value.p);
		if (query.len > 4096)	/* the square of it takes too long here */
			break;
	}
	free(out);
}

static void
check_text(const char *text, size_t len, size_t max)
{
	must(len <= max && text[len] == '\0' && strnlen(text, max + 1) <= len);
}

/* The rule that is told is the one that decided, and what it names is what it says. */
static void
check_rule(const struct source_rules *rules, const struct source *s, struct slice referrer, bool has)
{
	char bytes[HOST_MAX];
	struct slice host = slice_make(bytes, url_host(referrer, bytes));
	const struct known *known = host.len > 0 ? known_host(rules->sources, host) : NULL;
	bool is_internal = s->rule == RULE_OWN_HOST || s->rule == RULE_IGNORED || s->rule == RULE_PAYMENT_PAGE;

	must(source_rule_word(s->rule)[0] != '\0');
	must((s->kind[0] != '\0') == (s->rule == RULE_KNOWN));
	must(s->rule == RULE_UTM || s->rule == RULE_CLICK_ID || is_internal == referrer_is_internal(rules, referrer));
	must(has || is_internal || (s->rule == RULE_DIRECT && host.len == 0));
	if (s->rule == RULE_KNOWN || s->rule == RULE_PAYMENT_PAGE || s->rule == RULE_SPAM)
		must(known != NULL && slice_equal(known->pattern, s->by));
	if (s->rule == RULE_REFERRER)
		must(known == NULL && s->by.len == 0 && strcmp(s->medium, "referral") == 0);
}

static void
check_source(const struct sources *sources, struct slice target, struct slice referrer)
{
	static const char *const own[] = { "shop.example", NULL };
	const struct source_rules rules = { sources, own, NULL };
	char host[HOST_MAX];
	struct source s;
	size_t len = url_host(referrer, host);
	bool has = source_of(&rules, target, referrer, &s);

	must(len <= HOST_MAX && (len == 0 || host[len - 1] != '.'));
	check_text(s.source, s.source_len, SOURCE_NAME_MAX);
	check_text(s.medium, s.medium_len, UTM_MAX);
	check_text(s.campaign, s.campaign_len, UTM_MAX);
	must(s.source_len > 0 && s.medium_len > 0);
	must(has || (source_is_direct(&s) && (len == 0 || referrer_is_internal(&rules, referrer))));
	must(channel_of(sources, &s)[0] != '\0');
	check_rule(&rules, &s, referrer, has);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct sources *sources;
	struct slice referrer = slice_make((const char *)bytes, len), target = slice_cut(&referrer, '\n');

	if (sources == NULL)
		sources = sources_parse(slice_make(sources_text, sizeof(sources_text) - 1), "sources", NULL);
	check_page(target);
	check_query(target);
	check_source(sources, target, referrer);
	return (0);
}
