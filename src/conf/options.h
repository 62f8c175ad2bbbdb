/*
 * options: the table of all options and sections, and what follows from one row:
 * how its text becomes a value, what else would have been accepted, its place in
 * the manual and in the sample file.  Internal to src/conf.
 */
#ifndef RPVD_OPTIONS_H
#define RPVD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Where an option stands.  Sections of sections come after the one that holds them. */
enum section_id { IN_TOP, IN_REDIS, IN_WEBHOOK, IN_SITE, IN_LOG, IN_SYSLOG, IN_ORDERS, IN_TOKEN, IN_PAGE, IN_PROVIDER, SECTIONS };

enum option_type {
	T_STRING,			/* char *; with choices: one of them */
	T_PATH,				/* char *, made absolute */
	T_LIST,				/* char **, NULL-terminated */
	T_DURATION,			/* int64_t, milliseconds */
	T_UNSIGNED,			/* unsigned */
	T_SIZE,				/* uint64_t, bytes */
	T_BOOL,				/* bool */
	T_ENUM,				/* an enum that counts as its choices do */
	T_CURRENCY			/* struct currency */
};

/* NULL, or what was expected instead.  May lower-case the value in place. */
typedef const char *option_check(char *value);

struct option {
	enum section_id where;
	const char *name;
	enum option_type type;
	size_t field;			/* offset in the struct of its section */
	const char *fallback;		/* as the owner would write it; for lists words with blanks; NULL: none */
	const char *min, *max;		/* T_DURATION, T_UNSIGNED, T_SIZE */
	const char *const *choices;	/* NULL-terminated; T_ENUM, T_STRING */
	option_check *check;		/* each value, each item of a list */
	bool required;
	bool secret;			/* its value never stands in a message */
	const char *sample;		/* right-hand side in the sample file; NULL: the fallback */
	bool sampled;			/* in the sample file without a `#` before it */
	const char *text;		/* the sentences of the manual; one blank behind a full stop */
};

struct section {
	const char *name;
	enum section_id parent;
	const char *title;		/* what its title is, "NAME"; NULL: it has none and occurs once */
	bool title_is_path;
	option_check *check_title;
	size_t array, count;		/* offsets in the parent's struct, of titled sections */
	size_t size;			/* of one element; its members: */
	size_t title_field, line_field;	/* line_field: NO_LINE where it has none */
	const char *sample;		/* title in the sample file; in single quotes where it is commented out */
	const char *text;
};

#define NO_LINE ((size_t)-1)

extern const struct option options[];
extern const size_t n_options;
extern const struct section sections[SECTIONS];

/* NULL where there is none of that name in that section. */
const struct option *option_find(enum section_id where, const char *name);
/* IN_TOP where there is none. */
enum section_id section_find(enum section_id where, const char *name);
/* The name in that section that is nearest to a misspelt one; NULL where none is near. */
const char *option_near(enum section_id where, const char *name);

/* Sets the field of a scalar option.  -1 with err saying what was expected; the field
 * stays as it was.  dir: what relative paths are relative to. */
int option_set(const struct option *, const char *dir, const char *value, void *field, struct err *expected);
/* Absolute: value itself, or below dir.  The caller's. */
char *option_path(const char *dir, const char *value);

#endif
