// SPDX-License-Identifier: MIT
/*
 * creating_a_vm_outlasts_signals_test.c - KVM_CREATE_VM that a signal interrupted is
 * repeated, and any other error is told. This file's ioctl() stands in for the kernel.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm.h"
#include "unit_test.h"

#define VM_FD 77

/* What the kernel answers, in turn: errno, 0 success. */
static const int *g_answers;
static unsigned g_calls;

int ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	assert_true(request == KVM_CREATE_VM);
	errno = g_answers[g_calls++];
	return errno == 0 ? VM_FD : -1;
}

static int create(const int *answers, struct kvm_vm *vm, struct why *why)
{
	g_answers = answers;
	g_calls = 0;
	return kvm_create_vm((struct kvm_system){ .fd = 3 }, vm, why);
}

static void interrupted_ones_are_repeated(void **state)
{
	static const int answers[] = { EINTR, EINTR, EINTR, 0 };
	struct why why = { 0 };
	struct kvm_vm vm;

	(void)state;
	assert_int_equal(create(answers, &vm, &why), 0);
	assert_int_equal(vm.fd, VM_FD);
	assert_int_equal(g_calls, 4);
	assert_string_equal(why.text, "");
}

static void others_are_told(void **state)
{
	static const int answers[] = { EINTR, EMFILE };
	struct why why = { 0 };
	struct kvm_vm vm;

	(void)state;
	assert_int_equal(create(answers, &vm, &why), -EMFILE);
	assert_int_equal(g_calls, 2);
	assert_int_equal(why.status, EXIT_HOST);
	assert_non_null(strstr(why.text, "KVM_CREATE_VM: "));
	assert_non_null(strstr(why.text, strerror(EMFILE)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupted_ones_are_repeated),
		cmocka_unit_test(others_are_told),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
