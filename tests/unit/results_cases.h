/* SPDX-License-Identifier: MIT */
/*
 * results_cases.h - cases of a report, each one change of a plain run.
 *
 * A case is the statements that change the run of results_fixture.h. The golden text has them,
 * and below them every line that they take out of the text of the plain run or put into it.
 * The test itself says what the text of a run is: case_text().
 */
#ifndef RESULTS_CASES_H
#define RESULTS_CASES_H

#include <stdbool.h>

#include "golden.h"
#include "results_fixture.h"

/* Of the test; malloc'ed. */
static char *case_text(const struct run_results *run);

static bool has_line(const char *text, const char *line, size_t bytes)
{
	for (; *text != '\0'; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") == bytes && memcmp(text, line, bytes) == 0)
			return true;
	return false;
}

/* The lines of @text that are not in @other. */
static void print_others(FILE *out, char sign, const char *text, const char *other)
{
	for (; *text != '\0'; text += strcspn(text, "\n") + 1)
		if (!has_line(other, text, strcspn(text, "\n")))
			fprintf(out, "%c%.*s\n", sign, (int)strcspn(text, "\n"), text);
}

/* The plain run: a protocol that is held up by parks, one that is not, and a control. */
static struct run_results *plain_run(void)
{
	struct run_results *run = fixture_reset();

	run->results[1] = run->results[SD_PROTOCOL_deferred];
	run->results[2] = run->results[SD_PROTOCOL_skip_preempted];
	run->result_count = 3;
	return run;
}

/* What @statements have changed in the text. */
static void print_case(FILE *out, const char *statements, const struct run_results *run)
{
	char *text = case_text(run), *plain = case_text(plain_run());

	fprintf(out, "\n# %s\n", statements);
	print_others(out, '-', plain, text);
	print_others(out, '+', text, plain);
	free(plain);
	free(text);
}

#define CASE(...) \
	do { \
		struct run_results *run = plain_run(); \
		struct options *options = &g_fixture.options; \
		struct protocol_result *ipi = run->results, *deferred = ipi + 1, *control = ipi + 2; \
\
		(void)options, (void)deferred, (void)control; \
		__VA_ARGS__; \
		print_case(g_out, #__VA_ARGS__, run); \
	} while (0)

/* The cases of the test in hand. */
static FILE *g_out;
static char *g_text;
static size_t g_bytes;

static int cases_begin(void **state)
{
	(void)state;
	g_out = open_memstream(&g_text, &g_bytes);
	return g_out == NULL ? -1 : 0;
}

static void cases_check(const char *name)
{
	assert_int_equal(fflush(g_out), 0);
	golden_check(name, g_text);
}

static int cases_end(void **state)
{
	(void)state;
	fclose(g_out);
	free(g_text);
	return 0;
}

#define WITH_CASES(test) cmocka_unit_test_setup_teardown(test, cases_begin, cases_end)

#endif
