/*
 * Tests of core/money: exact amounts, rates, rounding.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/money.h"

#define NOT_A_NUMBER INT64_MIN

static struct currency
currency(const char *code)
{
	struct currency c;

	ck_assert_msg(currency_parse(slice_of(code), &c), "%s is no currency", code);
	return (c);
}

static const struct { const char *why, *text, *code; } codes[] = {
	{ "as ISO writes it", "EUR", "EUR" },
	{ "as Stripe writes it", "eur", "EUR" },
	{ "both", "uSd", "USD" },
	{ "too long", "EURO", NULL },
	{ "too short", "EU", NULL },
	{ "nothing", "", NULL },
	{ "a digit", "E1R", NULL },
	{ "a neighbour of the letters", "E@R", NULL },
	{ "a neighbour of the small letters", "E`r", NULL },
};

START_TEST(codes_are_three_letters)
{
	struct currency c;
	bool ok = currency_parse(slice_of(codes[_i].text), &c);

	ck_assert_msg(ok == (codes[_i].code != NULL), "%s", codes[_i].why);
	if (ok)
		ck_assert_str_eq(c.code, codes[_i].code);
}
END_TEST

static const struct { const char *codes; int digits; } exponents[] = {
	{ "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0 },
	{ "BHD IQD JOD KWD LYD OMR TND", 3 },
	{ "CLF UYW", 4 },
	{ "EUR USD GBP HUF TWD MGA MRU CHF XXX ZWL AAA", 2 },
};

START_TEST(exponents_are_those_of_iso)
{
	struct slice rest = slice_of(exponents[_i].codes);

	while (rest.len > 0) {
		struct currency c;

		ck_assert(currency_parse(slice_cut(&rest, ' '), &c));
		ck_assert_msg(currency_exponent(c) == exponents[_i].digits, "%s", c.code);
	}
}
END_TEST

static const struct { const char *why, *text, *code; int64_t minor; } amounts[] = {
	{ "as every shop writes it", "45.20", "EUR", 4520 },
	{ "no fraction", "45", "EUR", 4500 },
	{ "one digit of two", "45.2", "EUR", 4520 },
	{ "more digits than the currency has, nothing in them", "45.2000", "EUR", 4520 },
	{ "half goes to the even cent below", "45.205", "EUR", 4520 },
	{ "half goes to the even cent above", "45.215", "EUR", 4522 },
	{ "a trifle more than half", "45.20500000000000000000000000000000000000001", "EUR", 4521 },
	{ "a trifle less than half", "45.21499999999999999999999999999999999999999", "EUR", 4521 },
	{ "half, behind many zeros", "45.205000000000000000000000000000000000000000", "EUR", 4520 },
	{ "less than half of the smallest", "0.004", "EUR", 0 },
	{ "yen have no digits behind the point", "1500.00", "JPY", 1500 },
	{ "half a yen", "1500.5", "JPY", 1500 },
	{ "half a yen of an odd one", "1501.5", "JPY", 1502 },
	{ "dinars have three", "1.234", "KWD", 1234 },
	{ "unidades de fomento have four", "1.2345", "CLF", 12345 },
	{ "a negative one", "-10.00", "EUR", -1000 },
	{ "a negative half is rounded like a positive one", "-45.205", "EUR", -4520 },
	{ "negative nothing", "-0.00", "EUR", 0 },
	{ "a plus", "+3.1", "EUR", 310 },
	{ "leading zeros", "000000000000000000000000000000000000000000000000001.50", "EUR", 150 },
	{ "an exponent, as JSON numbers may have", "1e2", "EUR", 10000 },
	{ "an exponent with its sign", "4520E-2", "EUR", 4520 },
	{ "an exponent with a plus", "4.52e+1", "EUR", 4520 },
	{ "far too small to see", "9e-9999", "EUR", 0 },
	{ "nothing, times much", "0e9999", "EUR", 0 },
	{ "the largest", "10000000000.00", "EUR", MONEY_MAX },
	{ "rounds down to the largest", "10000000000.005", "EUR", MONEY_MAX },
	{ "the largest, negative", "-10000000000.00", "EUR", -MONEY_MAX },
	{ "one cent beyond the largest", "10000000000.01", "EUR", NOT_A_NUMBER },
	{ "far beyond", "1e9999", "EUR", NOT_A_NUMBER },
	{ "beyond any exponent", "1e10000", "EUR", NOT_A_NUMBER },
	{ "beyond any int", "1e99999999999999999999", "EUR", NOT_A_NUMBER },
	{ "beyond 128 bits", "999999999999999999999999999999999999999999999999999999", "EUR", NOT_A_NUMBER },
	{ "nothing", "", "EUR", NOT_A_NUMBER },
	{ "a sign alone", "-", "EUR", NOT_A_NUMBER },
	{ "two signs", "--1", "EUR", NOT_A_NUMBER },
	{ "a point alone", ".", "EUR", NOT_A_NUMBER },
	{ "no digit before the point", ".5", "EUR", NOT_A_NUMBER },
	{ "no digit behind the point", "5.", "EUR", NOT_A_NUMBER },
	{ "two points", "1.2.3", "EUR", NOT_A_NUMBER },
	{ "an exponent without digits", "1e", "EUR", NOT_A_NUMBER },
	{ "an exponent with a sign alone", "1e-", "EUR", NOT_A_NUMBER },
	{ "a broken exponent", "1e1.5", "EUR", NOT_A_NUMBER },
	{ "a comma", "1,50", "EUR", NOT_A_NUMBER },
	{ "a space before", " 1", "EUR", NOT_A_NUMBER },
	{ "a space behind", "1 ", "EUR", NOT_A_NUMBER },
	{ "a unit", "12 EUR", "EUR", NOT_A_NUMBER },
	{ "what floating point calls numbers", "nan", "EUR", NOT_A_NUMBER },
	{ "and this", "inf", "EUR", NOT_A_NUMBER },
	{ "hexadecimal", "0x10", "EUR", NOT_A_NUMBER },
};

START_TEST(amounts_are_exact)
{
	int64_t minor = 77;
	bool ok = money_parse(slice_of(amounts[_i].text), currency(amounts[_i].code), &minor);

	ck_assert_msg(ok == (amounts[_i].minor != NOT_A_NUMBER), "%s: %s", amounts[_i].why, amounts[_i].text);
	if (ok)
		ck_assert_msg(minor == amounts[_i].minor, "%s: %s is %jd", amounts[_i].why, amounts[_i].text, (intmax_t)minor);
}
END_TEST

static const struct { const char *why, *a, *b; int64_t minor; } sums[] = {
	{ "rounded once: each half alone would go down", "4.125", "0.785", 491 },
	{ "different numbers of digits", "1", "0.0051", 101 },
	{ "one takes from the other", "5.00", "-7.50", -250 },
	{ "one takes all", "5.00", "-5.000", 0 },
	{ "nothing and something tiny", "0", "1e-30", 0 },
	{ "two sizes that no integer holds", "1e20", "1e-20", NOT_A_NUMBER },
	{ "a word", "5.00", "five", NOT_A_NUMBER },
};

START_TEST(sums_are_rounded_once)
{
	struct slice texts[] = { slice_of(sums[_i].a), slice_of(sums[_i].b) };
	int64_t minor = 0;
	bool ok = money_parse_sum(texts, 2, currency("EUR"), &minor);

	ck_assert_msg(ok == (sums[_i].minor != NOT_A_NUMBER), "%s", sums[_i].why);
	if (ok)
		ck_assert_msg(minor == sums[_i].minor, "%s: %jd", sums[_i].why, (intmax_t)minor);
}
END_TEST

static const struct { const char *why; int64_t units; int exponent; const char *code; int64_t minor; } units[] = {
	{ "cents are cents", 4520, 2, "EUR", 4520 },
	{ "Stripe counts ISK in hundredths", 150000, 2, "ISK", 1500 },
	{ "Stripe counts MGA whole", 15, 0, "MGA", 1500 },
	{ "half goes to even", 150050, 2, "ISK", 1500 },
	{ "half goes to even, upwards", 150150, 2, "ISK", 1502 },
	{ "negative", -4520, 2, "EUR", -4520 },
	{ "the largest", MONEY_MAX, 2, "EUR", MONEY_MAX },
	{ "beyond the largest", MONEY_MAX + 1, 2, "EUR", NOT_A_NUMBER },
	{ "beyond the largest by its exponent", MONEY_MAX / 10, 0, "EUR", NOT_A_NUMBER },
	{ "the smallest int64 does not turn round", INT64_MIN, 2, "EUR", NOT_A_NUMBER },
	{ "the largest int64, in tiny units", INT64_MAX, 18, "JPY", 9 },
	{ "no such exponent", 1, 100000, "EUR", NOT_A_NUMBER },
};

START_TEST(units_become_minor_units)
{
	int64_t minor = 0;
	bool ok = money_from_units(units[_i].units, units[_i].exponent, currency(units[_i].code), &minor);

	ck_assert_msg(ok == (units[_i].minor != NOT_A_NUMBER), "%s", units[_i].why);
	if (ok)
		ck_assert_msg(minor == units[_i].minor, "%s: %jd", units[_i].why, (intmax_t)minor);
}
END_TEST

static const struct { int64_t minor; const char *code, *text; } formats[] = {
	{ 123450, "EUR", "1234.50" }, { -5, "EUR", "-0.05" }, { 0, "EUR", "0.00" }, { 1234, "JPY", "1234" },
	{ 0, "JPY", "0" }, { -7, "JPY", "-7" }, { 1, "KWD", "0.001" }, { 12345, "CLF", "1.2345" },
	{ INT64_MAX, "EUR", "92233720368547758.07" }, { INT64_MIN, "CLF", "-922337203685477.5808" },
};

START_TEST(amounts_are_written)
{
	char out[32];

	money_format(formats[_i].minor, currency(formats[_i].code), out);
	ck_assert_str_eq(out, formats[_i].text);
}
END_TEST

/* What is written is read back the same, over random amounts of all sizes. */
START_TEST(written_amounts_read_back)
{
	static const char *const all[] = { "EUR", "JPY", "KWD", "CLF" };

	srandom(20260302);
	for (int i = 0; i < 20000; i++) {
		struct currency c = currency(all[i % 4]);
		int64_t range = (random() << 20 ^ random()) % MONEY_MAX >> random() % 40, back = 0;
		int64_t minor = i % 3 == 0 ? -range : range;
		char text[32];

		money_format(minor, c, text);
		ck_assert_msg(money_parse(slice_of(text), c, &back) && back == minor, "%s (seed 20260302)", text);
	}
}
END_TEST

/* ---- rates ---- */

#define DAY(n) ((int64_t)(n) * 86400000)		/* 20514 is 2026-03-02, a Monday */

static const char rates_text[] =
    "Date, USD ,JPY,GBP,HUF,EUR,\r\n"
    "2026-03-04,1.10,N/A,,400,7,\r\n"
    "\r\n"
    "2026-03-02, 1.0800 ,160.5,0.85,N/A,1,\r\n"
    "2026-03-03,1.09,161,0.86\r\n"
    "2026-02-27,1.07,159,0.84,390,,";

static const struct { const char *why, *from, *to; int64_t time; uint64_t num, den; } factors[] = {
	{ "to the euro", "USD", "EUR", DAY(20514), 25, 27 },
	{ "from the euro, to its very last millisecond", "EUR", "USD", DAY(20515) - 1, 27, 25 },
	{ "a day's rate counts from its first millisecond", "EUR", "USD", DAY(20515), 109, 100 },
	{ "across the euro, and yen have no cents", "USD", "JPY", DAY(20514), 1605, 1080 },
	{ "N/A: the day before has it", "EUR", "JPY", DAY(20516), 161, 100 },
	{ "an empty cell: the day before has it", "EUR", "GBP", DAY(20516), 43, 50 },
	{ "both are looked for on one day, however far back", "GBP", "HUF", DAY(20515), 3250, 7 },
	{ "a weekend has Friday's rate", "EUR", "USD", DAY(20513), 107, 100 },
	{ "long after the last line", "EUR", "USD", DAY(30000), 11, 10 },
	{ "before the first line", "EUR", "USD", DAY(20510), 0, 0 },
	{ "before 1970", "EUR", "USD", -1, 0, 0 },
	{ "no such column", "EUR", "CHF", DAY(20516), 0, 0 },
	{ "no such column, and the same: needs no rate", "CHF", "CHF", DAY(20516), 1, 1 },
	{ "the euro is 1, whatever a column says", "EUR", "HUF", DAY(20516), 400, 1 },
};

START_TEST(rates_of_a_day)
{
	struct err err = { "" };
	struct rates *rates = rates_parse(SLICE(rates_text), "rates.csv", &err);
	struct factor f = { 0, 0 };
	bool ok;

	ck_assert_msg(rates != NULL, "%s", err.msg);
	ok = rates_factor(rates, currency(factors[_i].from), currency(factors[_i].to), factors[_i].time, &f);
	ck_assert_msg(ok == (factors[_i].den != 0), "%s", factors[_i].why);
	if (ok)
		ck_assert_msg(f.num * factors[_i].den == f.den * factors[_i].num, "%s: %ju/%ju",
		    factors[_i].why, (uintmax_t)f.num, (uintmax_t)f.den);
	rates_free(&rates);
	ck_assert_ptr_null(rates);
	rates_free(&rates);
}
END_TEST

START_TEST(no_rates_at_all)
{
	struct factor f = { 0, 0 };

	ck_assert(rates_factor(NULL, currency("EUR"), currency("EUR"), 0, &f));
	ck_assert(f.num == 1 && f.den == 1);
	ck_assert(!rates_factor(NULL, currency("EUR"), currency("USD"), 0, &f));
}
END_TEST

START_TEST(later_line_of_a_day_counts)
{
	struct err err;
	struct rates *rates = rates_parse(SLICE("Date,USD\n2026-03-02,2\n2026-03-02,3\n"), "r", &err);
	struct factor f;

	ck_assert(rates_factor(rates, currency("EUR"), currency("USD"), DAY(20514), &f));
	ck_assert(f.num == 3 && f.den == 1);
	rates_free(&rates);
	/* It replaces the other whole: what it lacks is looked for on earlier days. */
	rates = rates_parse(SLICE("Date,USD\n2026-03-02,2\n2026-03-02,N/A\n2026-02-27,5\n"), "r", &err);
	ck_assert(rates_factor(rates, currency("EUR"), currency("USD"), DAY(20514), &f));
	ck_assert(f.num == 5 && f.den == 1);
	rates_free(&rates);
}
END_TEST

/* Times before 1970 belong to the day that they are in, not to the one after. */
START_TEST(days_before_1970)
{
	struct rates *rates = rates_parse(SLICE("Date,USD\n1970-01-01,2\n1969-12-30,3\n"), "r", NULL);
	struct factor f;

	ck_assert(rates_factor(rates, currency("EUR"), currency("USD"), 0, &f) && f.num == 2);
	ck_assert(rates_factor(rates, currency("EUR"), currency("USD"), -1, &f) && f.num == 3);
	ck_assert(rates_factor(rates, currency("EUR"), currency("USD"), -DAY(2), &f) && f.num == 3);
	ck_assert(!rates_factor(rates, currency("EUR"), currency("USD"), -DAY(2) - 1, &f));
	rates_free(&rates);
}
END_TEST

static const struct { const char *why, *text, *says; } bad_rates[] = {
	{ "an empty file", "", "r.csv: empty" },
	{ "a header of no currency", "Date\n2026-03-02\n", "r.csv:1:" },
	{ "something else altogether", "<html>,<body>\n", "r.csv:1:" },
	{ "one column twice", "Date,USD,USD\n", "USD stands there twice" },
	{ "a day that is none", "Date,USD\n2026-02-30,1\n", "r.csv:2:" },
	{ "a month that is none", "Date,USD\n2026-13-01,1\n", "r.csv:2:" },
	{ "a month of nothing", "Date,USD\n2026-00-10,1\n", "r.csv:2:" },
	{ "another way to write a day", "Date,USD\n02.03.2026,1\n", "r.csv:2:" },
	{ "no day", "Date,USD\n\n,1\n", "r.csv:3:" },
	{ "a word for a rate", "Date,USD\n2026-03-02,high\n", "the rate of USD" },
	{ "a rate of nothing would divide by zero", "Date,USD\n2026-03-02,0.000\n", "the rate of USD" },
	{ "a negative rate", "Date,USD\n2026-03-02,-1.08\n", "the rate of USD" },
	{ "more digits than any rate has", "Date,USD\n2026-03-02,1.0000000000001\n", "the rate of USD" },
	{ "more digits than a number keeps", "Date,USD\n2026-03-02,1.00000000000000000000000000000000000001\n", "the rate of USD" },
	{ "a value that belongs to no currency", "Date,USD\n2026-03-02,1,2\n", "column 3" },
	{ "a value under an empty head", "Date,,USD\n2026-03-02,1,2\n", "column 2" },
};

START_TEST(bad_rates_are_named)
{
	struct err err = { "" };
	struct rates *rates = rates_parse(slice_of(bad_rates[_i].text), "r.csv", &err);

	ck_assert_msg(rates == NULL, "%s", bad_rates[_i].why);
	ck_assert_msg(strstr(err.msg, bad_rates[_i].says) != NULL, "%s: says %s", bad_rates[_i].why, err.msg);
}
END_TEST

/* The fraction that does not fit is refused, not rounded. */
START_TEST(factor_that_has_no_room)
{
	struct rates *rates = rates_parse(SLICE("Date,AAA,BBB\n2026-03-02,0.999999999989,999999999961\n"), "r", NULL);
	struct factor f;

	ck_assert_ptr_nonnull(rates);
	ck_assert(!rates_factor(rates, currency("AAA"), currency("BBB"), DAY(20514), &f));
	ck_assert(rates_factor(rates, currency("EUR"), currency("BBB"), DAY(20514), &f));
	rates_free(&rates);
}
END_TEST

/* ---- scaling ---- */

static const struct { const char *why; int64_t amount, a, b; struct factor f; int64_t out; } scales[] = {
	{ "nothing to do", 4520, 1, 1, { 1, 1 }, 4520 },
	{ "half to even, down", 5, 1, 2, { 1, 1 }, 2 },
	{ "half to even, up", 7, 1, 2, { 1, 1 }, 4 },
	{ "more than half", 2, 1, 3, { 1, 1 }, 1 },
	{ "less than half", 1, 1, 3, { 1, 1 }, 0 },
	{ "negative halves mirror the positive ones", -7, 1, 2, { 1, 1 }, -4 },
	{ "a negative basis", 7, -1, 2, { 1, 1 }, -4 },
	{ "share and rate are rounded together: 10 * 1/3 * 3", 10, 1, 3, { 3, 1 }, 10 },
	{ "all of the largest", MONEY_MAX, MONEY_MAX, MONEY_MAX, { 1, 1 }, MONEY_MAX },
	{ "the largest, with the longest fractions", MONEY_MAX, MONEY_MAX, MONEY_MAX,
	    { UINT64_MAX, UINT64_MAX - 1 }, MONEY_MAX },
	{ "the largest, just above half: an intermediate of 143 bits decides", MONEY_MAX, MONEY_MAX - 1, MONEY_MAX,
	    { UINT64_MAX, UINT64_MAX }, MONEY_MAX - 1 },
	{ "too large a result", INT64_MAX, 2, 1, { 1, 1 }, NOT_A_NUMBER },
	{ "too large a result, by far", INT64_MAX, INT64_MAX, 1, { UINT64_MAX, 1 }, NOT_A_NUMBER },
	{ "too large a result, whose lower 128 bits are zero", INT64_C(1) << 62, INT64_C(1) << 62, 1,
	    { UINT64_C(1) << 63, 1 }, NOT_A_NUMBER },
	{ "the largest result", INT64_MAX, 1, 1, { 1, 1 }, INT64_MAX },
	{ "the smallest number of all", INT64_MIN, INT64_MIN, INT64_MAX, { 1, UINT64_MAX }, 1 },
	{ "zero", 0, MONEY_MAX, 1, { UINT64_MAX, 1 }, 0 },
};

START_TEST(scaling_is_exact)
{
	int64_t out = 0;
	bool ok = money_scale(scales[_i].amount, scales[_i].a, scales[_i].b, scales[_i].f, &out);

	ck_assert_msg(ok == (scales[_i].out != NOT_A_NUMBER), "%s", scales[_i].why);
	if (ok)
		ck_assert_msg(out == scales[_i].out, "%s: %jd", scales[_i].why, (intmax_t)out);
}
END_TEST

/* Against 128-bit division where that has room: 2 * |out * d - n| <= d, and even at a half. */
START_TEST(scaling_rounds_half_to_even)
{
	srandom(4711);
	for (int i = 0; i < 50000; i++) {
		int64_t amount = random() % 2000 - 1000, a = random() % 1000, b = random() % 1000 + 1, out = 0;
		struct factor f = { (uint64_t)random() % 50, (uint64_t)random() % 50 + 1 };
		int64_t n = amount * a * (int64_t)f.num, d = b * (int64_t)f.den, off;

		ck_assert(money_scale(amount, a, b, f, &out));
		off = 2 * llabs(out * d - n);
		ck_assert_msg(off < d || (off == d && out % 2 == 0), "%jd * %jd / %jd * %ju/%ju = %jd (seed 4711)",
		    (intmax_t)amount, (intmax_t)a, (intmax_t)b, (uintmax_t)f.num, (uintmax_t)f.den, (intmax_t)out);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("money");
	TCase *tc = tcase_create("money");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, codes_are_three_letters, 0, N_ELEM(codes));
	tcase_add_loop_test(tc, exponents_are_those_of_iso, 0, N_ELEM(exponents));
	tcase_add_loop_test(tc, amounts_are_exact, 0, N_ELEM(amounts));
	tcase_add_loop_test(tc, sums_are_rounded_once, 0, N_ELEM(sums));
	tcase_add_loop_test(tc, units_become_minor_units, 0, N_ELEM(units));
	tcase_add_loop_test(tc, amounts_are_written, 0, N_ELEM(formats));
	tcase_add_test(tc, written_amounts_read_back);
	tcase_add_loop_test(tc, rates_of_a_day, 0, N_ELEM(factors));
	tcase_add_test(tc, no_rates_at_all);
	tcase_add_test(tc, later_line_of_a_day_counts);
	tcase_add_test(tc, days_before_1970);
	tcase_add_loop_test(tc, bad_rates_are_named, 0, N_ELEM(bad_rates));
	tcase_add_test(tc, factor_that_has_no_room);
	tcase_add_loop_test(tc, scaling_is_exact, 0, N_ELEM(scales));
	tcase_add_test(tc, scaling_rounds_half_to_even);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
