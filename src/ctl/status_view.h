/*
 * status_view: rpv:SITE:status as its owner reads it: what is wrong first, in sentences,
 * then the fields in groups.  Pure: in come names and values, out come lines.
 *
 * What is 0 and was never anything but a reason to drop something is left out; a field
 * that is not known here is shown at the end under its own name.
 */
#ifndef RPVD_STATUS_VIEW_H
#define RPVD_STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct status_field {
	struct slice name, value;
};

struct status {
	const struct status_field *fields;
	size_t n;
};

/* The name of a page, campaign or source has an e-mail address in it, which then is public. */
bool status_is_email(struct slice name);
/* Appends a sentence a line for all that wants attention; now_ms is the wall clock. */
void status_complaints(const struct status *, int64_t now_ms, struct buf *out);
/* Complaints and groups. */
void status_write(const struct status *, const char *site, int64_t now_ms, struct buf *out);

#endif
