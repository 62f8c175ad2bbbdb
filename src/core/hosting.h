/*
 * hosting: the networks, by AS number, in which machines live and next to no people.
 *
 * The list is a data file (data/hosting.txt), handed in as bytes.  Pure.
 */
#ifndef RPVD_HOSTING_H
#define RPVD_HOSTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct hosting;

/* text: the data file's bytes; name: for messages, which say name:line.  NULL with err set. */
struct hosting *hosting_parse(struct slice text, const char *name, struct err *);
void hosting_free(struct hosting **);
bool hosting_has(const struct hosting *, uint32_t as_number);

#endif
