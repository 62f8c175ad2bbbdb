/*
 * money: exact amounts.  Minor units of a currency in int64, rates as exact decimals,
 * 128-bit integers on the way, rounding half to even once; no floating point.  Pure.
 */
#ifndef RPVD_MONEY_H
#define RPVD_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

/* ISO 4217 code, three capitals and a NUL. */
struct currency {
	char code[4];
};

/* Amounts beyond this many minor units (in either direction) are refused as absurd. */
#define MONEY_MAX INT64_C(1000000000000)

/* Letters of either case; false where it is not three of them. */
bool currency_parse(struct slice, struct currency *out);
bool currency_equal(struct currency, struct currency);
/* Digits behind the point (ISO 4217): 0, 2, 3 or 4. */
int currency_exponent(struct currency);

/* "45.20" -> 4520 for EUR.  Optional sign, digits, optional fraction, optional exponent as
 * in JSON numbers (1e2); more digits than the currency has: half to even.
 * False: no number, or beyond MONEY_MAX. */
bool money_parse(struct slice text, struct currency, int64_t *minor);
/* The sum of n texts, rounded once: shipping and its tax, written with four digits each. */
bool money_parse_sum(const struct slice *texts, size_t n, struct currency, int64_t *minor);
/* An integer in units of 10^-unit_exponent -> ISO minor units; half to even where that divides. */
bool money_from_units(int64_t units, int unit_exponent, struct currency, int64_t *minor);
/* "1234.50" / "-0.05" / "1234" (JPY); out has room for 32 bytes. */
void money_format(int64_t minor, struct currency, char out[32]);

struct rates;

/* The ECB's CSV: "Date,USD,JPY,...\n2026-03-02,1.08,N/A,...", any order of days.
 * One EUR is so many.  NULL with err set (name:line). */
struct rates *rates_parse(struct slice text, const char *name, struct err *);
void rates_free(struct rates **);

/* An exact fraction num/den > 0 that turns minor units of one currency into those of another. */
struct factor {
	uint64_t num, den;
};

/* The latest day up to time_ms' UTC day that has both.  {1,1} for the same currency, rates
 * may then be NULL.  False where there is none (or where the exact fraction is longer than
 * 64 bits, which takes rates of ten digits and more). */
bool rates_factor(const struct rates *, struct currency from, struct currency to, int64_t time_ms, struct factor *);
/* round_half_even(amount * a / b * factor); b > 0.  False on overflow beyond MONEY_MAX-sized inputs. */
bool money_scale(int64_t amount, int64_t a, int64_t b, struct factor, int64_t *out);

#endif
