/*
 * tables_builtin: data/sources.tsv, data/bots.txt and data/hosting.txt as they were when rpvd was built
 * (tables_builtin.c is generated from them), so that it runs from anywhere.
 */
#ifndef RPVD_TABLES_BUILTIN_H
#define RPVD_TABLES_BUILTIN_H

#include <stddef.h>

extern const char builtin_sources[], builtin_bots[], builtin_hosting[];
extern const size_t builtin_sources_len, builtin_bots_len, builtin_hosting_len;

#endif
