// SPDX-License-Identifier: MIT
/*
 * shadow_notifier_overtakes_test.c - a lookup is in doubt if and only if a change has
 * ended since it began, or a range goes on when it is judged.
 */
#include "notifier.h"
#include "unit_test.h"

/* Steps of the host: (start, ) end of a range, P a page. */
static void play(struct notifier *notifier, char step)
{
	switch (step) {
	case '(': notifier_range_start(notifier); break;
	case ')': notifier_range_end(notifier); break;
	case 'P': notifier_page(notifier); break;
	default: fail();
	}
}

/* The fault begins after @before and is judged after @between. */
static void each_order_of_host_and_fault(void **state)
{
	static const struct { const char *before, *between; bool overtaken; } cases[] = {
		{ "", "", false },
		{ "P", "", false }, { "PPP", "", false },
		{ "()", "", false }, { "(())", "", false },
		{ "", "P", true }, { "P", "P", true },
		{ "", "(", true },              /* goes on */
		{ "(", "", true }, { "(", "P", true },
		{ "(", ")", true },             /* began during it */
		{ "", "()", true },             /* all of it while the fault looked */
		{ "()(", "", true }, { "()(", ")", true }, { "((", ")", true },
		{ "((", "))", true }, { "(()", ")", true }, { "()()", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct notifier notifier = { 0 };
		uint64_t sequence;

		for (const char *step = cases[i].before; *step != '\0'; step++)
			play(&notifier, *step);
		sequence = notifier_fault_begin(&notifier);
		for (const char *step = cases[i].between; *step != '\0'; step++)
			play(&notifier, *step);
		if (notifier_overtook(&notifier, sequence) != cases[i].overtaken)
			fail_msg("\"%s\" fault \"%s\"", cases[i].before, cases[i].between);
	}
}

/* A look without the lock, for who waits for the end. */
static void ranges_go_on_from_the_first_start_to_the_last_end(void **state)
{
	static const struct { const char *steps; bool goes_on; } cases[] = {
		{ "", false }, { "P", false }, { "(", true }, { "()", false }, { "((", true },
		{ "(()", true }, { "(())", false }, { "()(", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct notifier notifier = { 0 };

		for (const char *step = cases[i].steps; *step != '\0'; step++)
			play(&notifier, *step);
		assert_int_equal(notifier_goes_on(&notifier), cases[i].goes_on);
	}
}

static void somebody_waits_until_all_have_waited(void **state)
{
	struct notifier notifier = { 0 };

	(void)state;
	assert_false(notifier_is_waiting(&notifier));
	notifier_will_wait(&notifier);
	notifier_will_wait(&notifier);
	assert_true(notifier_is_waiting(&notifier));
	notifier_waited(&notifier);
	assert_true(notifier_is_waiting(&notifier));
	notifier_waited(&notifier);
	assert_false(notifier_is_waiting(&notifier));
	assert_false(notifier_overtook(&notifier, notifier_fault_begin(&notifier)));
}

/* What a fault reads is one line, whatever it is judged by. */
static void both_words_are_on_one_line(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct notifier, sequence) / SD_CACHE_LINE,
			 offsetof(struct notifier, ranges) / SD_CACHE_LINE);
	assert_int_equal(sizeof(struct notifier), SD_CACHE_LINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_order_of_host_and_fault),
		cmocka_unit_test(ranges_go_on_from_the_first_start_to_the_last_end),
		cmocka_unit_test(somebody_waits_until_all_have_waited),
		cmocka_unit_test(both_words_are_on_one_line),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
