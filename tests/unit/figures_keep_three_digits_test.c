// SPDX-License-Identifier: MIT
/*
 * figures_keep_three_digits_test.c - times, counts and ratios as text have three digits and a
 * unit, from the smallest to the largest, and counts below 10000 are exact.
 */
#include "figure.h"
#include "unit_test.h"

static void figures_keep_three_digits(void **state)
{
	static const struct { uint64_t ns; const char *text; } times[] = {
		{ 0, "0ns" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1.00us" }, { 9994, "9.99us" },
		{ 9996, "10.0us" }, { 99940, "99.9us" }, { 99960, "100us" }, { 999400, "999us" }, { 999500, "1.00ms" },
		{ 999600, "1.00ms" }, { 8048000, "8.05ms" }, { 999600000, "1.00s" },
		{ 2000000000, "2.00s" }, { UINT64_MAX, "18.4Gs" },
	};
	static const struct { uint64_t count; const char *text; } counts[] = {
		{ 0, "0" }, { 9999, "9999" }, { 10000, "10.0k" }, { 99960, "100k" },
		{ 999400, "999k" }, { 999500, "1.00M" }, { 999600, "1.00M" }, { 1900000000, "1.90G" },
		{ UINT64_MAX, "18.4E" },
	};
	static const struct { double ratio; const char *text; } ratios[] = {
		{ 0.0, "0" }, { 1e-9, "<.01" }, { 0.005, "0.01" }, { 0.00501, "0.01" }, { 0.5, "0.50" }, { 7.0, "7.00" },
		{ 9.996, "10.0" }, { 99.96, "100" }, { 999.5, "1000" }, { 1023.0, "1023" }, { 9999.4, "9999" }, { 9999.5, "10.0k" },
		{ 9999.6, "10.0k" }, { 123456.0, "123k" }, { 1e9, "1.00G" }, { 1.8446744e28, "18.4R" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++)
		assert_string_equal(figure_time(times[i].ns).text, times[i].text);
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		assert_string_equal(figure_count(counts[i].count).text, counts[i].text);
	for (size_t i = 0; i < COUNT_OF(ratios); i++)
		assert_string_equal(figure_ratio(ratios[i].ratio).text, ratios[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_keep_three_digits),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
