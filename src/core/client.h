/*
 * client: user agent -> browser or bot, of which class and by which rule; and device.
 *
 * The bot rules are a data file (data/bots.txt), handed in as bytes; matching takes
 * time linear in the user agent, whatever the rules and the input are.  Pure.
 */
#ifndef RPVD_CLIENT_H
#define RPVD_CLIENT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum device { DEVICE_DESKTOP, DEVICE_MOBILE, DEVICE_TABLET };

/* "desktop", "mobile", "tablet". */
const char *device_name(enum device);
enum device device_of(struct slice agent);

/* What bots are for: the sections of the data file, whose head describes them. */
enum agent_class {
	AGENT_BROWSER, AGENT_SEARCH, AGENT_AI_CRAWLER, AGENT_AI_ASSISTANT, AGENT_AD, AGENT_SEO, AGENT_MONITOR,
	AGENT_PREVIEW, AGENT_FEED, AGENT_ARCHIVE, AGENT_LIBRARY, AGENT_SCANNER, AGENT_OTHER,
	AGENT_CLASSES
};

/* "browser", "search", "ai_crawler", ... */
const char *agent_class_name(enum agent_class);

struct agent_verdict {
	enum agent_class class;
	bool is_bot;			/* of any class but AGENT_BROWSER */
	unsigned number;		/* of the rule; below bots_rules() */
	struct slice rule;		/* a phrase as the file has it, "(empty)" or "(no browser)"; of a browser its
					 * sign, empty where the file has none.  As long as the rules live */
};

struct bots;

/* text: the data file's bytes; name: for messages, which say name:line.  NULL with err set. */
struct bots *bots_parse(struct slice text, const char *name, struct err *);
void bots_free(struct bots **);
/* Of several rules that say the same of an agent the first of the file is told.  An empty agent or `-` is
 * a bot. */
void bots_judge(const struct bots *, struct slice agent, struct agent_verdict *);
/* How many rules there are, and "CLASS/RULE" of each. */
unsigned bots_rules(const struct bots *);
struct slice bots_rule_name(const struct bots *, unsigned number);
enum agent_class bots_rule_class(const struct bots *, unsigned number);

#endif
