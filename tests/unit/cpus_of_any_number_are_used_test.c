// SPDX-License-Identifier: MIT
/*
 * cpus_of_any_number_are_used_test.c - a kernel with more CPUs than a cpu_set_t has is asked
 * with a mask that is large enough, and which CPUs may be used is tried, not read off.
 *
 * The two system calls are made up here: what they answer is Linux's, sched_setaffinity(2).
 */
#include <errno.h>
#include <string.h>

#include "cpus.h"
#include "unit_test.h"

static struct {
	uint32_t possible;              /* CPUs of the kernel: what a mask has to have */
	struct cpus allowed;            /* where a thread may go */
	struct cpus own;                /* where it may run now */
} g_kernel;

int sched_getaffinity(pid_t thread, size_t bytes, cpu_set_t *set)
{
	assert_int_equal(thread, 0);
	if (bytes * 8 < g_kernel.possible || bytes % sizeof(long) != 0) {
		errno = EINVAL;
		return -1;
	}
	memset(set, 0, bytes);
	memcpy(set, &g_kernel.own, (g_kernel.possible + 63) / 64 * 8);
	return 0;
}

int sched_setaffinity(pid_t thread, size_t bytes, const cpu_set_t *set)
{
	struct cpus wanted = { 0 }, left = { 0 };

	assert_int_equal(thread, 0);
	memcpy(&wanted, set, bytes < sizeof(wanted) ? bytes : sizeof(wanted));
	for (uint32_t i = 0; i < CPUS_MAX / 64; i++)
		left.words[i] = wanted.words[i] & g_kernel.allowed.words[i];
	if (cpus_count(&left) == 0) {
		errno = EINVAL;
		return -1;
	}
	g_kernel.own = left;
	return 0;
}

static struct cpus range(uint32_t first, uint32_t last)
{
	struct cpus cpus = { 0 };

	for (uint32_t cpu = first; cpu <= last; cpu++)
		cpus_add(&cpus, cpu);
	return cpus;
}

static void boot(uint32_t possible, struct cpus allowed, struct cpus own)
{
	g_kernel.possible = possible;
	g_kernel.allowed = allowed;
	g_kernel.own = own;
}

static void assert_chosen(const struct cpus *wanted, struct cpus expected)
{
	struct cpus own = g_kernel.own, chosen;
	struct why why = { 0 };

	if (cpus_choose(wanted, &chosen, &why) != 0)
		fail_msg("%s", why.text);
	assert_memory_equal(&chosen, &expected, sizeof(chosen));
	assert_memory_equal(&g_kernel.own, &own, sizeof(own));
}

static void assert_refused(struct cpus wanted, const char *words)
{
	struct cpus own = g_kernel.own, chosen;
	struct why why = { 0 };

	assert_int_not_equal(cpus_choose(&wanted, &chosen, &why), 0);
	assert_int_equal(why.status, EXIT_HOST);
	if (strstr(why.text, words) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", why.text, words);
	assert_memory_equal(&g_kernel.own, &own, sizeof(own));
}

static void every_size_of_kernel_is_asked(void **state)
{
	static const uint32_t sizes[] = { 2, 64, 1024, 1025, 4096, CPUS_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct cpus all = range(0, sizes[i] - 1);

		boot(sizes[i], all, all);
		assert_chosen(NULL, all);
	}
}

static void a_kernel_too_large_is_said_to_be(void **state)
{
	struct cpus chosen;
	struct why why = { 0 };

	(void)state;
	boot(CPUS_MAX + 1, range(0, 1), range(0, 1));
	assert_int_equal(cpus_choose(NULL, &chosen, &why), -EINVAL);
	assert_non_null(strstr(why.text, "up to 8192 CPUs"));
}

/* isolcpus: not in the thread's set, and there to be used all the same. */
static void an_isolated_cpu_may_be_used(void **state)
{
	struct cpus both = range(0, 1), second = range(1, 1);

	(void)state;
	boot(2, both, range(0, 0));
	assert_chosen(NULL, range(0, 0));
	assert_chosen(&both, both);
	assert_chosen(&second, second);
}

static void a_cpu_that_is_refused_is_named(void **state)
{
	(void)state;
	boot(8192, range(0, 4000), range(0, 3));
	assert_refused(range(4000, 4001), "--cpus: CPU 4001 is not there to be used (offline, or "
		       "outside of the cpuset)");
	assert_refused(range(8191, 8191), "CPU 8191 is not");
}

static void a_set_is_text(void **state)
{
	static const struct { uint32_t first[3], last[3]; const char *text; } cases[] = {
		{ { 0, 0, 0 }, { 0, 0, 0 }, "0" },
		{ { 0, 5, 5 }, { 3, 5, 5 }, "0-3,5" },
		{ { 1023, 1025, 8191 }, { 1024, 1025, 8191 }, "1023-1025,8191" },
		{ { 62, 127, 129 }, { 65, 128, 129 }, "62-65,127-129" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cpus cpus = { 0 };

		for (size_t j = 0; j < 3; j++)
			for (uint32_t cpu = cases[i].first[j]; cpu <= cases[i].last[j]; cpu++)
				cpus_add(&cpus, cpu);
		cpus_text(text, sizeof(text), &cpus);
		assert_string_equal(text, cases[i].text);
	}
	cpus_text(text, 4, &(struct cpus){ .words = { 0x5555 } });
	assert_string_equal(text, "0,2");
}

static void slots_go_round(void **state)
{
	struct cpus cpus = { 0 };

	(void)state;
	cpus_add(&cpus, 3);
	cpus_add(&cpus, 1500);
	cpus_add(&cpus, 8191);
	for (uint32_t nth = 0; nth < 9; nth++)
		assert_int_equal(cpus_nth(&cpus, nth), nth % 3 == 0 ? 3 : nth % 3 == 1 ? 1500 : 8191);
	assert_int_equal(cpus_count(&cpus), 3);
	assert_int_equal(cpus_next(&cpus, 1501), 8191);
	assert_int_equal(cpus_next(&cpus, 8192), CPUS_MAX);
	assert_false(cpus_has(&cpus, CPUS_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_of_kernel_is_asked),
		cmocka_unit_test(a_kernel_too_large_is_said_to_be),
		cmocka_unit_test(an_isolated_cpu_may_be_used),
		cmocka_unit_test(a_cpu_that_is_refused_is_named),
		cmocka_unit_test(a_set_is_text),
		cmocka_unit_test(slots_go_round),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
