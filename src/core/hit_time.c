/*
 * hit_time: the time stamps of web servers, read by position.
 *
 * All three end in clock_ms(), which checks every part: a date that does not exist
 * is a broken line, not the first of the next month.
 */
#include "core/hit_time.h"

#define YEAR_FIRST 1970
#define YEAR_LAST 2100
#define SECONDS_LAST INT64_C(4133980799)	/* the end of YEAR_LAST */

struct clock {
	int year, month, day, hour, minute, second, ms;
	int offset;			/* minutes east of UTC */
};

/* Exactly n decimal digits at p. */
static bool
number(const char *p, int n, int *value)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return (false);
		sum = sum * 10 + (p[i] - '0');
	}
	*value = sum;
	return (true);
}

static bool
month_number(const char *p, int *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(p, names + i * 3, 3) == 0) {
			*month = i + 1;
			return (true);
		}
	return (false);
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return (days[month - 1] + (month == 2 && leap ? 1 : 0));
}

/* Days since 1970-01-01.  Years are counted from March, so that the leap day is a
 * year's last one and the lengths of months follow one line. */
static int64_t
days_since_epoch(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int m = month <= 2 ? month + 9 : month - 3;

	return (INT64_C(365) * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468);
}

/* A second 60 is a leap second and counts as the one that follows, as in POSIX. */
static bool
clock_valid(const struct clock *c)
{
	return (c->year >= YEAR_FIRST && c->year <= YEAR_LAST && c->month >= 1 && c->month <= 12 &&
	    c->day >= 1 && c->day <= month_days(c->year, c->month) && c->hour < 24 && c->minute < 60 &&
	    c->second <= 60);
}

static bool
clock_ms(const struct clock *c, int64_t *ms)
{
	int64_t seconds;

	if (!clock_valid(c))
		return (false);
	seconds = days_since_epoch(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 +
	    c->second - c->offset * 60;
	if (seconds < 0 || seconds > SECONDS_LAST)
		return (false);
	*ms = seconds * 1000 + c->ms;
	return (true);
}

/* HH MM SS with one byte between each. */
static bool
time_of_day(const char *p, struct clock *c)
{
	return (p[2] == ':' && p[5] == ':' && number(p, 2, &c->hour) && number(p + 3, 2, &c->minute) &&
	    number(p + 6, 2, &c->second));
}

/* +HHMM, or with a colon +HH:MM. */
static bool
zone(struct slice s, struct clock *c)
{
	bool colon = s.len == 6 && s.p[3] == ':';
	int hours, minutes;

	if ((s.len != 5 && !colon) || (s.p[0] != '+' && s.p[0] != '-'))
		return (false);
	if (!number(s.p + 1, 2, &hours) || !number(s.p + s.len - 2, 2, &minutes) || hours > 23 || minutes > 59)
		return (false);
	c->offset = hours * 60 + minutes;
	if (s.p[0] == '-')
		c->offset = -c->offset;
	return (true);
}

/* The first three digits of a fraction; *rest is what follows its last digit. */
static bool
fraction(struct slice s, int *ms, struct slice *rest)
{
	size_t n = 0;
	int value = 0;

	for (; n < s.len && s.p[n] >= '0' && s.p[n] <= '9'; n++)
		if (n < 3)
			value = value * 10 + (s.p[n] - '0');
	*rest = slice_skip(s, n);
	*ms = n == 1 ? value * 100 : n == 2 ? value * 10 : value;
	return (n > 0);
}

bool
hit_time_local(struct slice s, int64_t *ms)
{
	struct clock c = { 0 };

	if (s.len != 26 || s.p[2] != '/' || s.p[6] != '/' || s.p[11] != ':' || s.p[20] != ' ')
		return (false);
	return (number(s.p, 2, &c.day) && month_number(s.p + 3, &c.month) && number(s.p + 7, 4, &c.year) &&
	    time_of_day(s.p + 12, &c) && zone(slice_skip(s, 21), &c) && clock_ms(&c, ms));
}

bool
hit_time_iso8601(struct slice s, int64_t *ms)
{
	struct clock c = { 0 };
	struct slice rest = slice_skip(s, 19);

	if (s.len < 20 || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T')
		return (false);
	if (!number(s.p, 4, &c.year) || !number(s.p + 5, 2, &c.month) || !number(s.p + 8, 2, &c.day) ||
	    !time_of_day(s.p + 11, &c))
		return (false);
	if (rest.p[0] == '.' && !fraction(slice_skip(rest, 1), &c.ms, &rest))
		return (false);
	return ((slice_is(rest, "Z") || zone(rest, &c)) && clock_ms(&c, ms));
}

bool
hit_time_msec(struct slice s, int64_t *ms)
{
	int64_t seconds = 0;
	size_t n = 0;
	int part = 0;
	struct slice rest;

	for (; n < s.len && n < 11 && s.p[n] >= '0' && s.p[n] <= '9'; n++)
		seconds = seconds * 10 + (s.p[n] - '0');
	rest = slice_skip(s, n);
	if (n == 0 || seconds > SECONDS_LAST)
		return (false);
	if (rest.len > 0 && (rest.p[0] != '.' || !fraction(slice_skip(rest, 1), &part, &rest) || rest.len > 0))
		return (false);
	*ms = seconds * 1000 + part;
	return (true);
}
