/*
 * money: see money.h.
 *
 * A written number is read as an exact decimal, mantissa times a power of ten, and
 * meets a currency only at the end: that is where it is rounded, once.  Products
 * of an amount, a share and a rate need more than 128 bits; they are divided bit by
 * bit, which is slow (a fraction of a microsecond), exact, and short.
 */
#include "core/money.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

__extension__ typedef unsigned __int128 u128;

#define DIGITS_MAX 30		/* significant digits that a decimal keeps; what follows is only "more than that" */
#define EXPONENT_MAX 9999	/* of ten: far beyond this everything is zero or absurd */
#define DAY_MS INT64_C(86400000)

struct decimal {
	bool negative;
	u128 mantissa;
	int exponent;		/* value = mantissa * 10^exponent */
	bool inexact;		/* non-zero digits follow that the mantissa has no room for */
};

/* ---- currencies ---- */

static const struct { char code[4]; int digits; } odd_currencies[] = {
	{ "BHD", 3 }, { "BIF", 0 }, { "CLF", 4 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "IQD", 3 },
	{ "ISK", 0 }, { "JOD", 3 }, { "JPY", 0 }, { "KMF", 0 }, { "KRW", 0 }, { "KWD", 3 }, { "LYD", 3 },
	{ "OMR", 3 }, { "PYG", 0 }, { "RWF", 0 }, { "TND", 3 }, { "UGX", 0 }, { "UYI", 0 }, { "UYW", 4 },
	{ "VND", 0 }, { "VUV", 0 }, { "XAF", 0 }, { "XOF", 0 }, { "XPF", 0 },
};

bool
currency_parse(struct slice text, struct currency *out)
{
	struct currency c = { "" };

	if (text.len != 3)
		return (false);
	for (size_t i = 0; i < 3; i++) {
		char lower = ascii_lower(text.p[i]);

		if (lower < 'a' || lower > 'z')
			return (false);
		c.code[i] = (char)(lower - 'a' + 'A');
	}
	*out = c;
	return (true);
}

bool
currency_equal(struct currency a, struct currency b)
{
	return (memcmp(a.code, b.code, 3) == 0);
}

int
currency_exponent(struct currency c)
{
	for (size_t i = 0; i < N_ELEM(odd_currencies); i++)
		if (memcmp(odd_currencies[i].code, c.code, 3) == 0)
			return (odd_currencies[i].digits);
	return (2);
}

/* ---- exact arithmetic ---- */

/* 10^n, n <= 38. */
static u128
power_of_ten(int n)
{
	u128 p = 1;

	must(n >= 0 && n <= 38);
	while (n-- > 0)
		p *= 10;
	return (p);
}

static uint64_t
magnitude_of(int64_t n)
{
	return (n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* Is the rest of a division more than half, or half of something odd? */
static bool
rounds_up(u128 rest, u128 divisor, bool inexact, bool quotient_is_odd)
{
	u128 above = divisor - rest;	/* rest + rest would overflow */

	if (rest != above)
		return (rest > above);
	return (inexact || quotient_is_odd);
}

static bool
signed_within(u128 magnitude, bool negative, int64_t limit, int64_t *out)
{
	if (magnitude > (u128)limit)
		return (false);
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return (true);
}

/* x * 10^shift, half to even, at most MONEY_MAX in size. */
static bool
round_to_minor(struct decimal d, int shift, int64_t *minor)
{
	u128 p, q;

	shift += d.exponent;
	if (d.mantissa == 0 || shift < -38) {	/* the mantissa is below 10^38 / 2 */
		*minor = 0;
		return (true);
	}
	if (shift > 12)				/* MONEY_MAX is 10^12 */
		return (false);
	p = power_of_ten(shift < 0 ? -shift : shift);
	if (shift >= 0) {
		if (d.mantissa > (u128)MONEY_MAX / p)
			return (false);
		q = d.mantissa * p;
	} else {
		q = d.mantissa / p;
		if (rounds_up(d.mantissa % p, p, d.inexact, q & 1))
			q++;
	}
	return (signed_within(q, d.negative, MONEY_MAX, minor));
}

/* ---- written numbers ---- */

/* Takes leading digits off *text into d; false where there is none. */
static bool
take_digits(struct slice *text, struct decimal *d, bool fraction)
{
	size_t n = 0;

	for (; n < text->len && text->p[n] >= '0' && text->p[n] <= '9'; n++) {
		int digit = text->p[n] - '0';

		if (d->mantissa < power_of_ten(DIGITS_MAX - 1)) {
			d->mantissa = d->mantissa * 10 + (unsigned)digit;
			d->exponent -= fraction;
		} else {
			d->inexact |= digit != 0;
			d->exponent += !fraction;
		}
		if (d->exponent < -EXPONENT_MAX || d->exponent > EXPONENT_MAX)
			return (false);
	}
	*text = slice_skip(*text, n);
	return (n > 0);
}

static bool
take_byte(struct slice *text, char a, char b)
{
	if (text->len == 0 || (*text->p != a && *text->p != b))
		return (false);
	*text = slice_skip(*text, 1);
	return (true);
}

/* e+12, E-3: false where malformed or beyond EXPONENT_MAX. */
static bool
take_exponent(struct slice *text, struct decimal *d)
{
	bool negative = text->len > 0 && *text->p == '-';
	int n = 0;

	(void)take_byte(text, '+', '-');
	if (text->len == 0)
		return (false);
	for (; text->len > 0; *text = slice_skip(*text, 1)) {
		if (*text->p < '0' || *text->p > '9')
			return (false);
		n = n * 10 + (*text->p - '0');
		if (n > EXPONENT_MAX)
			return (false);
	}
	d->exponent += negative ? -n : n;
	return (true);
}

/* [+-] digits [. digits] [e [+-] digits] */
static bool
decimal_parse(struct slice text, struct decimal *out)
{
	struct decimal d = { 0 };

	d.negative = text.len > 0 && *text.p == '-';
	(void)take_byte(&text, '+', '-');
	if (!take_digits(&text, &d, false))
		return (false);
	if (take_byte(&text, '.', '.') && !take_digits(&text, &d, true))
		return (false);
	if (take_byte(&text, 'e', 'E') && !take_exponent(&text, &d))
		return (false);
	*out = d;
	return (text.len == 0);
}

/* Brings the one with the larger exponent to the smaller; false where it has no room. */
static bool
decimal_align(struct decimal *a, struct decimal *b)
{
	struct decimal *high = a->exponent > b->exponent ? a : b;
	int shift = high->exponent - (high == a ? b : a)->exponent;

	if (high->mantissa == 0) {
		high->exponent -= shift;
		return (true);
	}
	for (; shift > 0; shift--, high->exponent--) {
		if (high->mantissa >= power_of_ten(36))
			return (false);
		high->mantissa *= 10;
	}
	return (true);
}

static bool
decimal_add(struct decimal *sum, struct decimal d)
{
	if (!decimal_align(sum, &d))
		return (false);
	if (sum->negative == d.negative) {
		sum->mantissa += d.mantissa;
	} else if (sum->mantissa >= d.mantissa) {
		sum->mantissa -= d.mantissa;
	} else {
		sum->mantissa = d.mantissa - sum->mantissa;
		sum->negative = d.negative;
	}
	sum->inexact |= d.inexact;
	return (sum->mantissa < power_of_ten(37));
}

bool
money_parse(struct slice text, struct currency c, int64_t *minor)
{
	return (money_parse_sum(&text, 1, c, minor));
}

bool
money_parse_sum(const struct slice *texts, size_t n, struct currency c, int64_t *minor)
{
	struct decimal sum = { 0 }, d;

	for (size_t i = 0; i < n; i++) {
		if (!decimal_parse(texts[i], &d))
			return (false);
		if (i == 0)
			sum = d;
		else if (!decimal_add(&sum, d))
			return (false);
	}
	return (round_to_minor(sum, currency_exponent(c), minor));
}

bool
money_from_units(int64_t units, int unit_exponent, struct currency c, int64_t *minor)
{
	struct decimal d = { 0 };

	if (unit_exponent < -EXPONENT_MAX || unit_exponent > EXPONENT_MAX)
		return (false);
	d.negative = units < 0;
	d.mantissa = magnitude_of(units);
	d.exponent = -unit_exponent;
	return (round_to_minor(d, currency_exponent(c), minor));
}

void
money_format(int64_t minor, struct currency c, char out[32])
{
	int digits = currency_exponent(c);
	uint64_t n = magnitude_of(minor);
	char text[32];
	size_t at = sizeof(text), written = 0;

	for (int i = 0; n > 0 || i <= digits; i++) {	/* from the right; one digit before the point at least */
		if (i == digits && digits > 0)
			text[--at] = '.';
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	}
	if (minor < 0)
		text[--at] = '-';
	written = sizeof(text) - at;
	memcpy(out, text + at, written);
	out[written] = '\0';
}

/* 192 bits (high * 2^64 and the lower half of low) over 128, bit by bit; false where the quotient is no 64 bits. */
static bool
divide_long(u128 high, u128 low, u128 divisor, u128 *quotient, u128 *rest)
{
	*quotient = *rest = 0;
	for (int bit = 191; bit >= 0; bit--) {
		u128 from = bit >= 64 ? high >> (bit - 64) : low >> bit;

		*rest = *rest << 1 | (from & 1);	/* rest < divisor < 2^127 */
		*quotient <<= 1;
		if (*rest >= divisor) {
			*rest -= divisor;
			*quotient |= 1;
		}
		if (*quotient >> 64 != 0)
			return (false);
	}
	return (true);
}

/* amount * a * num, divided by b * den. */
bool
money_scale(int64_t amount, int64_t a, int64_t b, struct factor f, int64_t *out)
{
	bool negative = (amount < 0) != (a < 0);
	u128 product = (u128)magnitude_of(amount) * magnitude_of(a);
	u128 low = (u128)(uint64_t)product * f.num;
	u128 high = (product >> 64) * f.num + (low >> 64);	/* at most 127 bits: product has 126 */
	u128 divisor, rest, quotient;

	must(b > 0 && f.den > 0);
	divisor = (u128)(uint64_t)b * f.den;
	if (high >> 64 == 0) {
		u128 whole = high << 64 | (uint64_t)low;

		quotient = whole / divisor;
		rest = whole % divisor;
		if (quotient >> 64 != 0)
			return (false);
	} else if (!divide_long(high, low, divisor, &quotient, &rest))
		return (false);
	if (rounds_up(rest, divisor, false, quotient & 1))
		quotient++;
	return (signed_within(quotient, negative, INT64_MAX, out));
}

/* ---- rates ---- */

struct rate {
	uint64_t mantissa;	/* 0: none on that day */
	int exponent;		/* one EUR is mantissa * 10^exponent */
};

struct day {
	int64_t number;		/* days since 1970 */
	size_t line;		/* of two lines for one day the later counts */
	struct rate *rates;	/* one per column */
};

struct rates {
	struct currency *columns;	/* code "" where the column is to be skipped */
	size_t n_columns, cap_columns;
	struct day *days;		/* by number */
	size_t n_days, cap_days;
};

#define RATE_MAX UINT64_C(1000000000000)

static struct slice
trimmed(struct slice s)
{
	while (s.len > 0 && memchr(" \t\r", *s.p, 3) != NULL)
		s = slice_skip(s, 1);
	while (s.len > 0 && memchr(" \t\r", s.p[s.len - 1], 3) != NULL)
		s.len--;
	return (s);
}

/* "Date,USD,JPY," */
static int
read_columns(struct rates *rates, struct slice line, const char *where, struct err *err)
{
	(void)slice_cut(&line, ',');
	while (line.len > 0) {
		struct slice cell = trimmed(slice_cut(&line, ','));
		struct currency c = { "" };

		if (cell.len > 0 && !currency_parse(cell, &c))
			return (err_set(err, "%s: expected a currency code such as USD at the head of each column", where));
		for (size_t i = 0; i < rates->n_columns; i++)
			if (cell.len > 0 && currency_equal(rates->columns[i], c))
				return (err_set(err, "%s: column %s stands there twice", where, c.code));
		mem_grow(&rates->columns, &rates->cap_columns, rates->n_columns + 1, sizeof(*rates->columns));
		rates->columns[rates->n_columns++] = c;
	}
	if (rates->n_columns == 0)
		return (err_set(err, "%s: expected a first line such as Date,USD,JPY", where));
	return (0);
}

/* "2026-03-02" */
static bool
read_day(struct slice cell, int64_t *number)
{
	struct tm tm = { 0 }, back;
	int at[3] = { 0 };
	time_t t;

	if (cell.len != 10 || cell.p[4] != '-' || cell.p[7] != '-')
		return (false);
	for (size_t i = 0, part = 0; i < cell.len; i++) {
		if (i == 4 || i == 7) {
			part++;
			continue;
		}
		if (cell.p[i] < '0' || cell.p[i] > '9')
			return (false);
		at[part] = at[part] * 10 + (cell.p[i] - '0');
	}
	tm.tm_year = at[0] - 1900;
	tm.tm_mon = at[1] - 1;
	tm.tm_mday = at[2];
	back = tm;
	t = timegm(&back);		/* makes March 2 of February 30 */
	*number = t / 86400 - (t % 86400 < 0);
	return (back.tm_mday == at[2] && back.tm_mon == at[1] - 1);
}

/* A positive decimal of up to 12 digits; trailing zeros say nothing. */
static bool
read_rate(struct slice cell, struct rate *rate)
{
	struct decimal d;

	if (!decimal_parse(cell, &d) || d.negative || d.mantissa == 0 || d.inexact)
		return (false);
	while (d.mantissa % 10 == 0) {
		d.mantissa /= 10;
		d.exponent++;
	}
	if (d.mantissa > RATE_MAX || d.exponent < -12 || d.exponent > 6)
		return (false);
	*rate = (struct rate){ (uint64_t)d.mantissa, d.exponent };
	return (true);
}

static int
read_rates(struct rates *rates, struct slice line, const char *where, size_t number, struct err *err)
{
	struct slice cell = trimmed(slice_cut(&line, ','));
	struct day *day;
	int64_t day_number;

	if (!read_day(cell, &day_number))
		return (err_set(err, "%s: expected a day as 2026-03-02 at the beginning of the line", where));
	mem_grow(&rates->days, &rates->cap_days, rates->n_days + 1, sizeof(*rates->days));
	day = &rates->days[rates->n_days++];
	*day = (struct day){ day_number, number, mem_calloc(rates->n_columns, sizeof(*day->rates)) };
	for (size_t i = 0; line.len > 0; i++) {
		cell = trimmed(slice_cut(&line, ','));
		if (cell.len == 0 || slice_is(cell, "N/A"))
			continue;
		if (i >= rates->n_columns || rates->columns[i].code[0] == '\0')
			return (err_set(err, "%s: a value in column %zu, which has no currency", where, i + 2));
		if (!read_rate(cell, &day->rates[i]))
			return (err_set(err, "%s: the rate of %s is no positive number of at most 12 digits",
			    where, rates->columns[i].code));
	}
	return (0);
}

static int
compare_days(const void *left, const void *right)
{
	const struct day *a = left, *b = right;

	if (a->number != b->number)
		return (a->number < b->number ? -1 : 1);
	return (a->line < b->line ? -1 : a->line > b->line);
}

struct rates *
rates_parse(struct slice text, const char *name, struct err *err)
{
	struct rates *rates = mem_calloc(1, sizeof(*rates));
	char where[256];
	bool bad = false;

	for (size_t number = 1; text.len > 0 && !bad; number++) {
		struct slice line = trimmed(slice_cut(&text, '\n'));

		if (line.len == 0)
			continue;
		snprintf(where, sizeof(where), "%s:%zu", name, number);
		if (rates->n_columns == 0)
			bad = read_columns(rates, line, where, err) != 0;
		else
			bad = read_rates(rates, line, where, number, err) != 0;
	}
	if (!bad && rates->n_columns == 0) {
		err_set(err, "%s: empty, expected a first line such as Date,USD,JPY", name);
		bad = true;
	}
	if (bad)
		rates_free(&rates);
	else if (rates->n_days > 0)
		qsort(rates->days, rates->n_days, sizeof(*rates->days), compare_days);
	return (rates);
}

void
rates_free(struct rates **ratesp)
{
	struct rates *rates = *ratesp;

	if (rates == NULL)
		return;
	for (size_t i = 0; i < rates->n_days; i++)
		free(rates->days[i].rates);
	free(rates->days);
	free(rates->columns);
	free(rates);
	*ratesp = NULL;
}

/* One EUR in that currency; false where the file has no such column. */
static bool
column_of(const struct rates *rates, struct currency c, size_t *column)
{
	*column = rates->n_columns;		/* EUR itself: always 1, whatever a column says */
	if (memcmp(c.code, "EUR", 3) == 0)
		return (true);
	for (size_t i = 0; i < rates->n_columns; i++)
		if (currency_equal(rates->columns[i], c)) {
			*column = i;
			return (true);
		}
	return (false);
}

static struct rate
rate_on(const struct rates *rates, const struct day *day, size_t column)
{
	return (column < rates->n_columns ? day->rates[column] : (struct rate){ 1, 0 });
}

/* The number of days up to and including that one. */
static size_t
days_until(const struct rates *rates, int64_t number)
{
	size_t low = 0, high = rates->n_days;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rates->days[middle].number <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

/* to / from * 10^shift in lowest terms; false where that has no room. */
static bool
fraction_of(struct rate from, struct rate to, int shift, struct factor *out)
{
	u128 num = to.mantissa, den = from.mantissa, a, b;

	shift += to.exponent - from.exponent;
	if (shift >= 0)
		num *= power_of_ten(shift);	/* at most 18 + 4: below 2^113 */
	else
		den *= power_of_ten(-shift);
	for (a = num, b = den; b != 0;) {
		u128 rest = a % b;

		a = b;
		b = rest;
	}
	num /= a;
	den /= a;
	*out = (struct factor){ (uint64_t)num, (uint64_t)den };
	return (num <= UINT64_MAX && den <= UINT64_MAX);
}

bool
rates_factor(const struct rates *rates, struct currency from, struct currency to, int64_t time_ms, struct factor *out)
{
	int64_t number = time_ms / DAY_MS - (time_ms % DAY_MS < 0);
	size_t column_from, column_to;

	if (currency_equal(from, to)) {
		*out = (struct factor){ 1, 1 };
		return (true);
	}
	if (rates == NULL || !column_of(rates, from, &column_from) || !column_of(rates, to, &column_to))
		return (false);
	for (size_t n = days_until(rates, number); n-- > 0;) {
		const struct day *day = &rates->days[n];
		struct rate one = rate_on(rates, day, column_from), other = rate_on(rates, day, column_to);

		/* A line is replaced whole by a later line of the same day. */
		if (n + 1 < rates->n_days && rates->days[n + 1].number == day->number)
			continue;
		if (one.mantissa > 0 && other.mantissa > 0)
			return (fraction_of(one, other, currency_exponent(to) - currency_exponent(from), out));
	}
	return (false);
}
