/*
 * order_view: an order's record as its owner reads it.  Pure: in come decoded records and
 * the names of their series, out come lines or JSON.
 *
 * Amounts are in the order's own currency, what the customer paid and what went back;
 * only what stands in the figures is in the site's currency and by the site's basis.
 */
#ifndef RPVD_ORDER_VIEW_H
#define RPVD_ORDER_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/slice.h"
#include "core/orderbook.h"

/* Names of series by their numbers (window.h). */
struct series_names {
	struct map64 by_number;		/* NUL-terminated */
};

void series_names_free(struct series_names *);		/* {0} is an empty one */
void series_names_put(struct series_names *, uint32_t number, struct slice name);
/* "(other)" where the series is gone: what it earned is there now.  "(unknown)": a visit too old to say. */
const char *series_name(const struct series_names *, uint32_t number);

/* What the orders of one listing have in common.  Borrowed. */
struct order_shop {
	const char *site;
	int model;			/* enum conf_model: whose credit the listing names */
	struct currency currency;	/* of the figures; "" where it is not known */
	struct series_names names;
};

/* In minor units of the order's own currency. */
struct order_sums {
	int64_t paid, refunded, disputed, net;
};

struct order_sums order_sums(const struct order *);
/* "visitor", ..., "none"; "waiting" where it may still be joined, "unpaid" where only a refund or a
 * dispute has come yet. */
const char *order_join(const struct order *);

/* "sources": those that the shop's model credits, each once, by their first touch. */
json_t *order_json(const struct order_shop *, const struct order *);
/* A table, a row an order. */
void orders_write(const struct order_shop *, struct order *const *, size_t n, size_t width, struct buf *out);
/* One order in full. */
void order_write(const struct order_shop *, const struct order *, size_t width, struct buf *out);

#endif
