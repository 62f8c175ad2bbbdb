/*
 * json: replies as JSON.  Counts and ratios are numbers; money stays a string, since a
 * JSON number is a double to most readers.  Output is ASCII, so that it is safe to look at.
 */
#ifndef RPVD_CTL_JSON_H
#define RPVD_CTL_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/slice.h"

struct redisReply;

/* A string; bytes that are not UTF-8 as \xHH (in which case all others outside ASCII are too). */
json_t *json_text(struct slice);
/* Sets the members of a HGETALL reply. */
void json_fields(json_t *object, const struct redisReply *hash);
/* Appends the value, and a newline; drops it. */
void json_write(json_t *, struct buf *out);

#endif
