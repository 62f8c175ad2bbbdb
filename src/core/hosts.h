/*
 * hosts: the table of known hosts (data/sources.tsv), by host and by name.
 *
 * A line is a pattern, a name and a kind.  Patterns match on label borders, the longest
 * wins; finding one takes time linear in the host, however many there are.  Pure.
 */
#ifndef RPVD_HOSTS_H
#define RPVD_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

#define HOST_MAX 255

enum kind {
	KIND_NONE,
	KIND_SEARCH, KIND_SOCIAL, KIND_VIDEO, KIND_MAIL, KIND_AI, KIND_SHOPPING,
	KIND_ADS, KIND_AFFILIATE,	/* a click there is paid for */
	KIND_PAYMENT,			/* gives a visitor back */
	KIND_SPAM,			/* sends robots that want to be looked up */
	KINDS
};

struct known {
	struct slice pattern, name;	/* into sources */
	enum kind kind;
	size_t order;			/* line in the file: of equal length the earlier wins */
};

struct sources;

/* text: the file's bytes; name: for messages, which say name:line.  NULL with err set.  A file
 * without a payment page gets the best known ones. */
struct sources *sources_parse(struct slice text, const char *name, struct err *);
void sources_free(struct sources **);

/* host: lower case, no dot at the end.  NULL where nobody knows it. */
const struct known *known_host(const struct sources *, struct slice host);
/* By a name in the table, as a utm_source has it.  NULL where nobody has it. */
const struct known *known_name(const struct sources *, struct slice name);
/* As in the file; what a visit from there has as medium, "" where it has none. */
const char *kind_word(enum kind);
const char *kind_medium(enum kind);

#endif
