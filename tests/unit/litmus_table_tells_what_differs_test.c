// SPDX-License-Identifier: MIT
/*
 * litmus_table_tells_what_differs_test.c - a loss that was expected and not seen, one that
 * was not expected, and rounds that prove nothing, each end in status 1; what a host
 * cannot show does not.
 */
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "report.h"

static const struct litmus_result g_lost = {
	.name = "a/wrong", .hazard = "h", .protocol = "generation", .loses = true,
	.rounds = 10, .complete = 10, .lost = 7, .checks = 100, .stale = 70,
};

static const struct litmus_result g_kept = {
	.name = "a/right", .hazard = "h", .protocol = "generation",
	.rounds = 10, .complete = 10, .checks = 100,
};

static const struct {
	struct litmus_result result;
	const char *observed;
	enum exit_status status;
} g_cases[] = {
	{ { .loses = true, .rounds = 9, .complete = 9, .lost = 9, .checks = 1, .stale = 1 },
	  "lost", EXIT_OK },
	{ { .loses = true, .rounds = 9, .complete = 9, .lost = 1, .checks = 1, .stale = 1 },
	  "lost", EXIT_OK },
	{ { .loses = true, .rounds = 9, .complete = 9, .checks = 1 }, "never", EXIT_WRONG },
	{ { .rounds = 9, .complete = 9, .checks = 1 }, "never", EXIT_OK },
	{ { .rounds = 9, .complete = 9, .lost = 1, .checks = 9, .stale = 1 }, "lost", EXIT_WRONG },
	/* Nobody looked, or somebody never came to where the script says. */
	{ { .rounds = 9, .complete = 9 }, "nothing", EXIT_WRONG },
	{ { .rounds = 9, .complete = 8, .checks = 9 }, "nothing", EXIT_WRONG },
	{ { .loses = true, .rounds = 9, .complete = 8, .lost = 8, .checks = 9, .stale = 8 },
	  "nothing", EXIT_WRONG },
	{ { .rounds = 0 }, "nothing", EXIT_WRONG },
	{ { .skip = "why" }, "SKIP", EXIT_OK },
	{ { .loses = true, .skip = "why" }, "SKIP", EXIT_OK },
	/* A host may show it all the same. */
	{ { .loses = true, .unless = "why", .rounds = 9, .complete = 9, .checks = 9 },
	  "SKIP", EXIT_OK },
	{ { .loses = true, .unless = "why", .rounds = 9, .complete = 9, .lost = 1, .checks = 9,
	    .stale = 1 }, "lost", EXIT_OK },
	{ { .loses = true, .unless = "why", .rounds = 9, .complete = 0, .checks = 9 },
	  "nothing", EXIT_WRONG },
};

static void each_outcome_has_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++) {
		assert_string_equal(litmus_observed(&g_cases[i].result), g_cases[i].observed);
		assert_int_equal(litmus_verdict(&g_cases[i].result, 1), g_cases[i].status);
	}
}

static void one_that_differs_is_enough(void **state)
{
	struct litmus_result results[3] = { g_lost, g_kept, g_lost };

	(void)state;
	assert_int_equal(litmus_verdict(results, 0), EXIT_OK);
	assert_int_equal(litmus_verdict(results, 3), EXIT_OK);
	results[1].lost = 1;
	assert_int_equal(litmus_verdict(results, 3), EXIT_WRONG);
}

static char *table_text(const struct run_results *run, const struct litmus_result *results,
			uint32_t count)
{
	static char text[2048];
	FILE *out = fmemopen(text, sizeof(text), "w");

	litmus_print(out, run, results, count);
	fclose(out);
	return text;
}

static void the_table_marks_what_differs(void **state)
{
	struct litmus_result results[3] = { g_lost, g_kept, g_kept };
	const struct run_results run = { .host = { .kvm = "pvm" } };

	(void)state;
	results[0].lost = 0;
	results[2].skip = "no TLB";
	results[2].rounds = 0;
	golden_check("litmus.txt", table_text(&run, results, 3));
}

static void an_emulated_host_is_said_first(void **state)
{
	static const struct options options = { .action = OPTIONS_LITMUS };
	struct run_results run = { .options = &options, .host = { .kvm = "svm", .below = "tcg" } };

	(void)state;
	assert_non_null(strstr(table_text(&run, &g_kept, 1), "host kvm-svm on tcg, "));
	assert_null(strstr(table_text(&run, &g_kept, 1), "mulat"));
	run.host.emulated = true;
	assert_ptr_equal(strstr(table_text(&run, &g_kept, 1), "emulated host (tcg): times are an "
				"emulator's and mean ratios only\n"), table_text(&run, &g_kept, 1));
}

/* Only where an exit empties the TLB is that the reason. */
static void what_was_skipped_can_be_played_elsewhere(void **state)
{
	static const char remedy[] = ": ./run --on amd,npt=0 vmm --litmus\n";
	static const struct options options = { .action = OPTIONS_LITMUS };
	struct run_results run = { .options = &options, .host = { .kvm = "svm", .emulated = true } };
	struct litmus_result skipped = g_kept;

	(void)state;
	skipped.skip = "an exit empties the TLB";
	assert_non_null(strstr(table_text(&run, &skipped, 1), remedy));
	assert_null(strstr(table_text(&run, &g_kept, 1), "./run"));
	run.exit_keeps_stale = true;
	assert_null(strstr(table_text(&run, &skipped, 1), "./run"));
	run.exit_keeps_stale = run.host.emulated = false;
	assert_null(strstr(table_text(&run, &skipped, 1), "./run"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_outcome_has_its_status),
		cmocka_unit_test(one_that_differs_is_enough),
		cmocka_unit_test(the_table_marks_what_differs),
		cmocka_unit_test(an_emulated_host_is_said_first),
		cmocka_unit_test(what_was_skipped_can_be_played_elsewhere),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
