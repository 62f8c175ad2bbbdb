/*
 * credit: an order's net goes to the touches that led to it.
 *
 * Parts are whole minor units by largest remainder, ties to the earlier touch, so they
 * always add up to the amount exactly.  Pure.
 */
#ifndef RPVD_CREDIT_H
#define RPVD_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOUCHES_MAX 64

/* A visit that may earn: what is needed of it long after it ended. */
struct touch {
	int64_t start_ms;
	bool is_direct;
	uint32_t source, channel, campaign;	/* series numbers (window.h) */
};

/* model: as enum conf_model.  touches in time order, the last is the converting visit,
 * 1 <= n <= TOUCHES_MAX.  Weights are integers with a sum > 0; only their ratios count. */
void credit_weights(int model, const struct touch *touches, size_t n, int64_t order_ms, uint64_t weights[TOUCHES_MAX]);
/* amount >= 0. */
void credit_split(int64_t amount, const uint64_t *weights, size_t n, int64_t parts[TOUCHES_MAX]);

#endif
