/*
 * columns: named hashes of figures as a table of chosen fields.
 */
#ifndef RPVD_CTL_COLUMNS_H
#define RPVD_CTL_COLUMNS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct ctl;
struct redisReply;

enum column_form {
	COLUMN_PLAIN,			/* as published */
	COLUMN_ORDERS,			/* without decimals where no row has any */
	COLUMN_RPV,			/* 4 decimals: one visit earns cents */
	COLUMN_AOV,			/* 2 decimals */
	COLUMN_PERCENT,
	COLUMN_IF_ANY			/* as published, left out where it is 0 in all rows; empty where a row has none */
};

struct column {
	const char *head, *field;
	enum column_form form;
};

struct figures {
	struct figures_row {
		struct slice name;	/* NUL-terminated */
		struct redisReply *hash;
		struct redisReply *more;	/* fields that hash does not have; NULL: none */
	} *rows;
	size_t count, cap;
};

void figures_free(struct figures *);
/* Of the row, its second hash included; NULL where there is no such field. */
const char *figures_field(const struct figures_row *, const char *field);
/* Copies the name, takes the hash. */
void figures_add(struct figures *, struct slice name, struct redisReply *hash);
/* "shop: WHAT, EUR, figures of TIME", the time being that of the hash. */
void figures_head(const struct ctl *, const char *what, const struct redisReply *hash, struct buf *out);
void figures_write(const struct figures *, const char *name_head, const struct column *, size_t columns, struct buf *out);

#endif
