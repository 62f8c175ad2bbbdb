/*
 * credit: see credit.h.
 */
#include "core/credit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "core/model.h"

#define WEEK_MS (7.0 * 86400000)

__extension__ typedef unsigned __int128 u128;

/* The last touch that is not direct, else the last. */
static size_t
last_non_direct(const struct touch *touches, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (!touches[i].is_direct)
			return (i);
	return (n - 1);
}

/* 40 % the first, 40 % the last, 20 % over those between; of two, half each.  Scaled by
 * 5(n-2)/2 to whole numbers: 2(n-2), 1, ..., 1, 2(n-2). */
static void
by_position(size_t n, uint64_t *weights)
{
	if (n <= 2) {
		weights[0] = weights[n - 1] = 1;
		return;
	}
	for (size_t i = 0; i < n; i++)
		weights[i] = 1;
	weights[0] = weights[n - 1] = 2 * (n - 2);
}

/* 2^(-age / 7 days) in units of 2^-62: exact for ages up to nine weeks, as a double has
 * 53 bits; beyond that the loss is far below a minor unit. */
static uint64_t
decayed(int64_t start_ms, int64_t order_ms)
{
	int64_t age = order_ms > start_ms ? order_ms - start_ms : 0;

	return ((uint64_t)ldexp(pow(2.0, -(double)age / WEEK_MS), 62));
}

void
credit_weights(int model, const struct touch *touches, size_t n, int64_t order_ms, uint64_t weights[TOUCHES_MAX])
{
	must(n >= 1 && n <= TOUCHES_MAX);
	memset(weights, 0, n * sizeof(*weights));
	switch (model) {
	case MODEL_LAST_NON_DIRECT:
		weights[last_non_direct(touches, n)] = 1;
		break;
	case MODEL_LAST:
		weights[n - 1] = 1;
		break;
	case MODEL_FIRST:
		weights[0] = 1;
		break;
	case MODEL_LINEAR:
		for (size_t i = 0; i < n; i++)
			weights[i] = 1;
		break;
	case MODEL_POSITION:
		by_position(n, weights);
		break;
	default:
		must(model == MODEL_TIME_DECAY);
		for (size_t i = 0; i < n; i++)
			weights[i] = decayed(touches[i].start_ms, order_ms);
		if (weights[n - 1] == 0)	/* all of them ages ago: the last one has to take it */
			weights[n - 1] = 1;
	}
}

void
credit_split(int64_t amount, const uint64_t *weights, size_t n, int64_t parts[TOUCHES_MAX])
{
	u128 total = 0, rest[TOUCHES_MAX];
	int64_t left = amount;

	must(amount >= 0 && n >= 1 && n <= TOUCHES_MAX);
	for (size_t i = 0; i < n; i++)
		total += weights[i];
	must(total > 0);
	for (size_t i = 0; i < n; i++) {
		u128 exact = (u128)(uint64_t)amount * weights[i];

		parts[i] = (int64_t)(exact / total);
		rest[i] = exact % total;
		left -= parts[i];
	}
	for (; left > 0; left--) {
		size_t best = 0;

		for (size_t i = 1; i < n; i++)
			if (rest[i] > rest[best])
				best = i;
		parts[best]++;
		rest[best] = 0;
	}
}
