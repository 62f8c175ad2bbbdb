/*
 * glob: `*` is any run of bytes, `/` too; `?` is one byte; nothing else is special.
 */
#ifndef RPVD_GLOB_H
#define RPVD_GLOB_H

#include <stdbool.h>

#include "base/slice.h"

/* The whole of text.  Time is at most len(pattern) * len(text), whatever they are. */
bool glob_match(struct slice pattern, struct slice text);

#endif
