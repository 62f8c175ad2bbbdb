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

/* Ten digits, a point, three digits: so until the year 2286.  Each is looked at, and none of them alone. */
static bool
usual_msec(const char *p, int64_t *ms)
{
	unsigned value = 0, wrong = 0;
	uint64_t sum = 0;

	for (int i = 0; i < 10; i++) {
		wrong |= (unsigned)(unsigned char)p[i] - '0' > 9;
		sum = sum * 10 + ((unsigned char)p[i] - (unsigned)'0');
	}
	for (int i = 11; i < 14; i++) {
		wrong |= (unsigned)(unsigned char)p[i] - '0' > 9;
		value = value * 10 + ((unsigned char)p[i] - (unsigned)'0');
	}
	if (wrong != 0 || p[10] != '.' || sum > SECONDS_LAST)
		return (false);
	*ms = (int64_t)sum * 1000 + (int64_t)value;
	return (true);
}

bool
hit_time_msec(struct slice s, int64_t *ms)
{
	int64_t seconds = 0;
	size_t n = 0;
	int part = 0;
	struct slice rest;

	if (s.len == 14 && usual_msec(s.p, ms))
		return (true);
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

/* Digits alone, by how many a second has. */
bool
hit_time_unix(struct slice s, int64_t a_second, int64_t *ms)
{
	int64_t value = 0;

	if (s.len == 0 || s.len > 19)
		return (false);
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || value > INT64_MAX / 10 - 1)
			return (false);
		value = value * 10 + (s.p[i] - '0');
	}
	if (value / a_second > SECONDS_LAST)
		return (false);
	*ms = a_second >= 1000 ? value / (a_second / 1000) : value * 1000;
	return (true);
}

bool
hit_time_utc(struct slice s, int64_t *ms)
{
	struct clock c = { 0 };
	struct slice rest = slice_skip(s, 19);

	if (s.len < 19 || s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != ' ' && s.p[10] != '\t'))
		return (false);
	if (!number(s.p, 4, &c.year) || !number(s.p + 5, 2, &c.month) || !number(s.p + 8, 2, &c.day) ||
	    !time_of_day(s.p + 11, &c))
		return (false);
	if (rest.len > 0 && rest.p[0] == '.' && !fraction(slice_skip(rest, 1), &c.ms, &rest))
		return (false);
	if (rest.len > 0 && rest.p[0] == ' ')
		rest = slice_skip(rest, 1);
	return ((rest.len == 0 || slice_is(rest, "Z") || slice_is(rest, "UTC") || zone(rest, &c)) && clock_ms(&c, ms));
}

bool
hit_time_haproxy(struct slice s, int64_t *ms)
{
	struct clock c = { 0 };
	struct slice rest;

	if (s.len < 22 || s.p[2] != '/' || s.p[6] != '/' || s.p[11] != ':' || s.p[20] != '.')
		return (false);
	return (number(s.p, 2, &c.day) && month_number(s.p + 3, &c.month) && number(s.p + 7, 4, &c.year) &&
	    time_of_day(s.p + 12, &c) && fraction(slice_skip(s, 21), &c.ms, &rest) && rest.len == 0 && clock_ms(&c, ms));
}

/* 1795317655459 and 1795317655.459: a number says by its size what it counts. */
static bool
time_of_number(struct slice s, int64_t *ms)
{
	if (slice_find(s, '.') < 0 && s.len >= 12)
		return (hit_time_unix(s, s.len >= 18 ? 1000000000 : s.len >= 15 ? 1000000 : 1000, ms));
	return (hit_time_msec(s, ms));
}

bool
hit_time_any(struct slice s, int64_t *ms)
{
	if (s.len > 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
		s = slice_make(s.p + 1, s.len - 2);
	if (s.len > 4 && s.p[4] == '-')
		return (hit_time_utc(s, ms));
	if (s.len > 20 && s.p[2] == '/')
		return (s.p[20] == '.' ? hit_time_haproxy(s, ms) : hit_time_local(s, ms));
	return (time_of_number(s, ms));
}

/* ---- patterns --------------------------------------------------------------- */

/* What is read so far. */
struct parts {
	struct clock clock;
	struct slice rest;
	int64_t seconds;		/* %s; -1: not given */
	int hour12, afternoon;		/* %I, %p; -1: not given */
};

static bool
take_number(struct parts *t, size_t least, size_t most, int *value)
{
	size_t n = 0;
	int sum = 0;

	while (n < most && n < t->rest.len && (t->rest.p[n] == ' ' && least < most && n == 0))
		n++;			/* %e, %k and %l are padded with a blank */
	for (; n < most && n < t->rest.len && t->rest.p[n] >= '0' && t->rest.p[n] <= '9'; n++)
		sum = sum * 10 + (t->rest.p[n] - '0');
	if (n < least)
		return (false);
	t->rest = slice_skip(t->rest, n);
	*value = sum;
	return (true);
}

static bool
take_month_name(struct parts *t, bool full)
{
	static const unsigned char lengths[] = { 7, 8, 5, 5, 3, 4, 4, 6, 9, 7, 8, 8 };

	if (t->rest.len < 3 || !month_number(t->rest.p, &t->clock.month))
		return (false);
	t->rest = slice_skip(t->rest, full ? lengths[t->clock.month - 1] : 3);
	return (true);
}

/* Names of days, and of zones: they say nothing that is not said better elsewhere. */
static bool
take_word(struct parts *t)
{
	size_t n = 0;

	while (n < t->rest.len && ((t->rest.p[n] >= 'A' && t->rest.p[n] <= 'Z') || (t->rest.p[n] >= 'a' && t->rest.p[n] <= 'z')))
		n++;
	t->rest = slice_skip(t->rest, n);
	return (n > 0);
}

static bool
take_noon(struct parts *t)
{
	if (t->rest.len < 2 || ascii_lower(t->rest.p[1]) != 'm' ||
	    (ascii_lower(t->rest.p[0]) != 'a' && ascii_lower(t->rest.p[0]) != 'p'))
		return (false);
	t->afternoon = ascii_lower(t->rest.p[0]) == 'p';
	t->rest = slice_skip(t->rest, 2);
	return (true);
}

static bool
take_zone(struct parts *t)
{
	size_t n = t->rest.len >= 6 && t->rest.p[3] == ':' ? 6 : 5;

	if (slice_starts(t->rest, SLICE("Z"))) {
		t->rest = slice_skip(t->rest, 1);
		return (true);
	}
	if (t->rest.len < n || !zone(slice_make(t->rest.p, n), &t->clock))
		return (false);
	t->rest = slice_skip(t->rest, n);
	return (true);
}

static bool
take_seconds(struct parts *t)
{
	size_t n = 0;

	t->seconds = 0;
	for (; n < t->rest.len && n < 11 && t->rest.p[n] >= '0' && t->rest.p[n] <= '9'; n++)
		t->seconds = t->seconds * 10 + (t->rest.p[n] - '0');
	t->rest = slice_skip(t->rest, n);
	return (n > 0);
}

/* What strftime's short forms stand for. */
static const char *
expansion(char letter)
{
	switch (letter) {
	case 'T':	return ("%H:%M:%S");
	case 'R':	return ("%H:%M");
	case 'F':	return ("%Y-%m-%d");
	case 'D':	return ("%m/%d/%y");
	case 'r':	return ("%I:%M:%S %p");
	case 'c':	return ("%a %b %e %H:%M:%S %Y");
	default:	return (NULL);
	}
}

static bool take_pattern(struct parts *, const char *pattern, size_t len);

static bool
take_part(struct parts *t, char letter)
{
	const char *longer = expansion(letter);
	struct clock *c = &t->clock;
	int ignored;

	if (longer != NULL)
		return (take_pattern(t, longer, strlen(longer)));
	switch (letter) {
	case 'Y': case 'G':	return (take_number(t, 4, 4, letter == 'Y' ? &c->year : &ignored));
	case 'y': case 'g':
		if (!take_number(t, 2, 2, letter == 'y' ? &c->year : &ignored))
			return (false);
		c->year += letter == 'y' ? 2000 : 0;
		return (true);
	case 'm':		return (take_number(t, 2, 2, &c->month));
	case 'd':		return (take_number(t, 2, 2, &c->day));
	case 'e':		return (take_number(t, 1, 2, &c->day));
	case 'b': case 'h':	return (take_month_name(t, false));
	case 'B':		return (take_month_name(t, true));
	case 'H':		return (take_number(t, 2, 2, &c->hour));
	case 'k':		return (take_number(t, 1, 2, &c->hour));
	case 'I':		return (take_number(t, 2, 2, &t->hour12));
	case 'l':		return (take_number(t, 1, 2, &t->hour12));
	case 'M':		return (take_number(t, 2, 2, &c->minute));
	case 'S':		return (take_number(t, 2, 2, &c->second));
	case 'j':		return (take_number(t, 3, 3, &ignored));
	case 'u': case 'w':	return (take_number(t, 1, 1, &ignored));
	case 'U': case 'V': case 'W':	return (take_number(t, 2, 2, &ignored));
	case 'a': case 'A': case 'Z':	return (take_word(t));
	case 'p': case 'P':	return (take_noon(t));
	case 'z':		return (take_zone(t));
	case 's':		return (take_seconds(t));
	case 'L':		return (fraction(t->rest, &c->ms, &t->rest));
	default:		return (false);
	}
}

/* Apache's own: msec_frac and usec_frac, with a percent sign in front or without. */
static size_t
is_fraction(const char *pattern, size_t len)
{
	size_t percent = len > 0 && pattern[0] == '%' ? 1 : 0;

	if (len - percent < 9 || (pattern[percent] != 'm' && pattern[percent] != 'u') || memcmp(pattern + percent + 1, "sec_frac", 8) != 0)
		return (0);
	return (percent + 9);
}

static bool
take_pattern(struct parts *t, const char *pattern, size_t len)
{
	for (size_t i = 0, n; i < len;) {
		n = is_fraction(pattern + i, len - i);
		if (n > 0 ? !take_part(t, 'L') : pattern[i] == '%' && i + 1 < len && pattern[i + 1] != '%' && !take_part(t, pattern[i + 1]))
			return (false);
		if (n == 0 && pattern[i] == '%' && i + 1 < len && pattern[i + 1] != '%')
			n = 2;
		if (n == 0) {		/* text */
			n = pattern[i] == '%' ? 2 : 1;
			if (t->rest.len == 0 || t->rest.p[0] != pattern[i])
				return (false);
			t->rest = slice_skip(t->rest, 1);
		}
		i += n;
	}
	return (true);
}

bool
hit_time_pattern(const char *pattern, struct slice s, int64_t *ms)
{
	struct parts t = { .clock.hour = -1, .rest = s, .seconds = -1, .hour12 = -1, .afternoon = -1 };

	if (!take_pattern(&t, pattern, strlen(pattern)) || t.rest.len > 0)
		return (false);
	if (t.clock.hour < 0)
		t.clock.hour = t.hour12 < 0 || t.hour12 > 12 ? 24 : t.hour12 % 12 + (t.afternoon == 1 ? 12 : 0);
	if (t.seconds < 0)
		return (clock_ms(&t.clock, ms));
	if (t.seconds > SECONDS_LAST)
		return (false);
	*ms = t.seconds * 1000 + t.clock.ms;
	return (true);
}

/* What the letters of a pattern give, as bits. */
enum { HAS_YEAR = 1, HAS_MONTH = 2, HAS_DAY = 4, HAS_HOUR = 8, HAS_MINUTE = 16, HAS_ALL = 31, IS_WRONG = 32 };

static unsigned
gives(char letter)
{
	const char *longer = expansion(letter);
	unsigned all = 0;

	for (; longer != NULL && *longer != '\0'; longer++)
		if (*longer == '%')
			all |= gives(longer[1]);
	if (all != 0)
		return (all);
	if (strchr("Yy", letter) != NULL)
		return (HAS_YEAR);
	if (strchr("mbhB", letter) != NULL)
		return (HAS_MONTH);
	if (strchr("de", letter) != NULL)
		return (HAS_DAY);
	if (strchr("HkIl", letter) != NULL)
		return (HAS_HOUR);
	if (letter == 'M')
		return (HAS_MINUTE);
	if (letter == 's')
		return (HAS_ALL);
	return (strchr("SGgjuwUVWaAZpPzL%", letter) != NULL ? 0 : IS_WRONG);
}

bool
hit_time_pattern_check(struct slice pattern)
{
	unsigned all = 0;

	for (size_t i = 0; i + 1 < pattern.len; i++)
		if (pattern.p[i] == '%' && is_fraction(pattern.p + i, pattern.len - i) == 0)
			all |= gives(pattern.p[++i]);
	return (all == HAS_ALL);
}
