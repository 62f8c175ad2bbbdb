/*
 * geo: client address -> country, or network, from a database in MaxMind's format.
 *
 * Two shapes of record are read: `country.iso_code`, and the flat `country_code`; of networks a
 * number `autonomous_system_number`, and a text `asn` such as AS64500.
 * The file is copied into memory at the start: whatever is done to it afterwards
 * (overwritten, cut, swapped) concerns the next geo_open() only.
 */
#ifndef RPVD_GEO_H
#define RPVD_GEO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct geo;

/* NULL with err set where the file cannot be read, or is no such database.  The caller keeps
 * an older one then.  The result is the caller's. */
struct geo *geo_open(const char *path, struct err *);
/* Sets *gp to NULL, so that a second call does nothing. */
void geo_free(struct geo **gp);
/* addr is an address as text, as logged.  True with two capital letters in out (no NUL); false
 * where it is no address, has no country, or the database is broken at that place. */
bool geo_country(struct geo *, struct slice addr, char out[2]);
/* Likewise the number of its autonomous system. */
bool geo_as_number(struct geo *, struct slice addr, uint32_t *out);

#endif
