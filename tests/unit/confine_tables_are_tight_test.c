// SPDX-License-Identifier: MIT
/*
 * confine_tables_are_tight_test.c - each kind of thread has a table, with no row twice,
 * none without its reason and nothing that opens, creates or executes; a vCPU thread
 * has less than others give to theirs.
 */
#include <linux/futex.h>
#include <linux/kvm.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "unit_test.h"

/* Its filter "vcpu" for x86-64 with musl. */
#define FIRECRACKER_VCPU_CALLS  21
#define FIRECRACKER_VCPU_IOCTLS 24

static bool compares_equal(const struct scmp_arg_cmp *a, const struct scmp_arg_cmp *b)
{
	return a->arg == b->arg && a->op == b->op && a->datum_a == b->datum_a &&
		a->datum_b == b->datum_b;
}

static bool rows_equal(const struct confine_row *a, const struct confine_row *b)
{
	if (a->call != b->call || a->to_self != b->to_self || a->compared != b->compared ||
	    a->fd != b->fd || a->fd_argument != b->fd_argument)
		return false;
	for (unsigned i = 0; i < a->compared; i++)
		if (!compares_equal(&a->compare[i], &b->compare[i]))
			return false;
	return true;
}

static bool first_of_its_call(const struct confine_table *table, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (table->rows[i].call == table->rows[row].call)
			return false;
	return true;
}

static size_t calls_of(const struct confine_table *table)
{
	size_t calls = 0;

	for (size_t i = 0; i < table->count; i++)
		calls += first_of_its_call(table, i);
	return calls;
}

static size_t rows_of(const struct confine_table *table, int call)
{
	size_t rows = 0;

	for (size_t i = 0; i < table->count; i++)
		rows += table->rows[i].call == call;
	return rows;
}

static bool has(const struct confine_table *table, int call)
{
	return rows_of(table, call) > 0;
}

/* Is there a row for @call with argument @n alone compared, to @value? */
static bool has_with(const struct confine_table *table, int call, unsigned n, uint64_t value)
{
	const struct confine_row wanted = {
		.call = call, .compared = 1,
		.compare = { { .arg = n, .op = SCMP_CMP_EQ, .datum_a = value } },
	};

	for (size_t i = 0; i < table->count; i++)
		if (rows_equal(&table->rows[i], &wanted))
			return true;
	return false;
}

/* Eight bytes to main's eventfd. */
static bool has_wake(const struct confine_table *table)
{
	const struct confine_row wanted = {
		.call = SCMP_SYS(write), .fd = CONFINE_WAKE_FD, .fd_argument = 0, .compared = 1,
		.compare = { { .arg = 2, .op = SCMP_CMP_EQ, .datum_a = sizeof(uint64_t) } },
	};

	for (size_t i = 0; i < table->count; i++)
		if (rows_equal(&table->rows[i], &wanted))
			return true;
	return false;
}

/* Is argument @n, a descriptor, the one of @row? */
static bool names_fd(const struct confine_row *row, unsigned n)
{
	for (unsigned i = 0; i < row->compared; i++)
		if (row->compare[i].arg == n && row->compare[i].op == SCMP_CMP_EQ)
			return true;
	return row->fd != CONFINE_ANY_FD && row->fd_argument == n;
}

/* Main alone writes results, and maps nothing but memory. */
static void other_threads_have_descriptors_of_their_own(void **state)
{
	(void)state;
	for (int kind = 0; kind < CONFINE_KINDS; kind++)
		for (size_t i = 0; i < g_confine_tables[kind].count; i++) {
			const struct confine_row *row = &g_confine_tables[kind].rows[i];

			if (kind == CONFINE_MAIN)
				continue;
			if (row->call == SCMP_SYS(write) && !names_fd(row, 0))
				fail_msg("%s: %s", g_confine_tables[kind].thread, row->why);
			if (row->call == SCMP_SYS(mmap) && !names_fd(row, 4))
				fail_msg("%s: %s", g_confine_tables[kind].thread, row->why);
			assert_int_not_equal(row->call, SCMP_SYS(pwrite64));
			assert_int_not_equal(row->call, SCMP_SYS(ftruncate));
			assert_int_not_equal(row->call, SCMP_SYS(close));
		}
}

/* But to look for an interrupt. */
static void vcpus_run_and_change_no_other(void **state)
{
	const struct confine_table *vcpu = &g_confine_tables[CONFINE_VCPU];

	(void)state;
	for (size_t i = 0; i < vcpu->count; i++)
		if (vcpu->rows[i].call == SCMP_SYS(ioctl) &&
		    vcpu->rows[i].compare[0].datum_a != KVM_GET_LAPIC) {
			assert_int_equal(vcpu->rows[i].fd, CONFINE_VCPU_FD);
			assert_int_equal(vcpu->rows[i].fd_argument, 0);
		}
}

static void vcpus_have_fewer_calls_than_firecracker_s(void **state)
{
	const struct confine_table *vcpu = &g_confine_tables[CONFINE_VCPU];

	(void)state;
	/* docs/security.md has these numbers. */
	assert_int_equal(calls_of(vcpu), 19);
	assert_int_equal(rows_of(vcpu, SCMP_SYS(ioctl)), 6);
	assert_int_equal(calls_of(&g_confine_tables[CONFINE_MAIN]), 23);
	assert_int_equal(calls_of(&g_confine_tables[CONFINE_MOVER]), 14);
	assert_int_equal(calls_of(&g_confine_tables[CONFINE_RECLAIM]), 12);
	assert_int_equal(rows_of(&g_confine_tables[CONFINE_MAIN], SCMP_SYS(ioctl)), 6);
	assert_true(calls_of(vcpu) < FIRECRACKER_VCPU_CALLS);
	assert_true(rows_of(vcpu, SCMP_SYS(ioctl)) < FIRECRACKER_VCPU_IOCTLS);
	for (int kind = 0; kind < CONFINE_KINDS; kind++)
		print_message("%s: %zu system calls, %zu requests of ioctl()\n",
			      g_confine_tables[kind].thread, calls_of(&g_confine_tables[kind]),
			      rows_of(&g_confine_tables[kind], SCMP_SYS(ioctl)));
}

static void every_kind_has_a_table(void **state)
{
	(void)state;
	for (int kind = 0; kind < CONFINE_KINDS; kind++) {
		assert_non_null(g_confine_tables[kind].thread);
		assert_non_null(strstr(g_confine_tables[kind].thread, " thread"));
		assert_true(g_confine_tables[kind].count > 0);
		for (int other = 0; other < kind; other++)
			assert_string_not_equal(g_confine_tables[kind].thread,
						g_confine_tables[other].thread);
	}
}

static void check_row(const struct confine_table *table, size_t row)
{
	assert_true(table->rows[row].call >= 0);
	assert_true(table->rows[row].compared <= CONFINE_COMPARED_MAX);
	assert_non_null(table->rows[row].why);
	assert_true(strlen(table->rows[row].why) > 3);
	for (size_t i = 0; i < row; i++)
		if (rows_equal(&table->rows[i], &table->rows[row]))
			fail_msg("%s: rows %zu and %zu are the same", table->thread, i, row);
	/* A call that any argument may have needs no row for some of them. */
	if (table->rows[row].compared == 0 && rows_of(table, table->rows[row].call) != 1)
		fail_msg("%s: row %zu is not the only one of its call", table->thread, row);
}

static void no_row_stands_twice_or_without_its_reason(void **state)
{
	(void)state;
	for (int kind = 0; kind < CONFINE_KINDS; kind++)
		for (size_t row = 0; row < g_confine_tables[kind].count; row++)
			check_row(&g_confine_tables[kind], row);
}

static void nothing_is_opened_created_or_executed(void **state)
{
	static const int calls[] = {
		SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
		SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(socket), SCMP_SYS(connect),
		SCMP_SYS(ptrace), SCMP_SYS(process_vm_writev), SCMP_SYS(kill), SCMP_SYS(bpf),
		SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_register), SCMP_SYS(mprotect),
		SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(sched_setscheduler),
	};

	(void)state;
	for (int kind = 0; kind < CONFINE_KINDS; kind++)
		for (size_t i = 0; i < COUNT_OF(calls); i++)
			if (has(&g_confine_tables[kind], calls[i]))
				fail_msg("%s: call %d", g_confine_tables[kind].thread, calls[i]);
}

/* Of these not every use is harmless. */
static void dangerous_calls_are_allowed_by_argument_only(void **state)
{
	static const int calls[] = {
		SCMP_SYS(ioctl), SCMP_SYS(futex), SCMP_SYS(mmap), SCMP_SYS(madvise),
		SCMP_SYS(tgkill), SCMP_SYS(rt_sigaction), SCMP_SYS(clock_gettime),
	};

	(void)state;
	for (int kind = 0; kind < CONFINE_KINDS; kind++)
		for (size_t i = 0; i < g_confine_tables[kind].count; i++) {
			const struct confine_row *row = &g_confine_tables[kind].rows[i];

			for (size_t j = 0; j < COUNT_OF(calls); j++)
				if (row->call == calls[j] && row->compared == 0)
					fail_msg("%s: %s", g_confine_tables[kind].thread, row->why);
			if (row->call == SCMP_SYS(tgkill))
				assert_true(row->to_self);
		}
}

/* Else the word about a forbidden call would itself be one. */
static void the_handler_can_do_its_work(void **state)
{
	(void)state;
	for (int kind = 0; kind < CONFINE_KINDS; kind++) {
		const struct confine_table *table = &g_confine_tables[kind];

		assert_true(has(table, SCMP_SYS(rt_sigreturn)));
		assert_true(has(table, SCMP_SYS(exit_group)));
		assert_true(has_with(table, SCMP_SYS(write), 0, STDERR_FILENO) ||
			    rows_of(table, SCMP_SYS(write)) == 1);
		assert_true(has(table, SCMP_SYS(poll)));
		if (kind == CONFINE_MAIN)
			continue;
		assert_true(has_wake(table));
		assert_true(has_with(table, SCMP_SYS(futex), 1, FUTEX_WAIT_BITSET_PRIVATE));
		assert_true(has_with(table, SCMP_SYS(clock_gettime), 0, CLOCK_MONOTONIC));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vcpus_have_fewer_calls_than_firecracker_s),
		cmocka_unit_test(every_kind_has_a_table),
		cmocka_unit_test(no_row_stands_twice_or_without_its_reason),
		cmocka_unit_test(nothing_is_opened_created_or_executed),
		cmocka_unit_test(dangerous_calls_are_allowed_by_argument_only),
		cmocka_unit_test(other_threads_have_descriptors_of_their_own),
		cmocka_unit_test(vcpus_run_and_change_no_other),
		cmocka_unit_test(the_handler_can_do_its_work),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
