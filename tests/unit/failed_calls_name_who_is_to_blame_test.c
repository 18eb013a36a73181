// SPDX-License-Identifier: MIT
/*
 * failed_calls_name_who_is_to_blame_test.c - a call on a vCPU that fails is the host's
 * failure before guest code has run, and afterwards the guest's, unless only a host can
 * be short of what is missing. This file's ioctl() stands in for the kernel.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "kvm.h"
#include "unit_test.h"

static int g_error;

int ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	errno = g_error;
	return -1;
}

static struct kvm_vcpu_fd vcpu(bool has_run)
{
	return (struct kvm_vcpu_fd){ .fd = 9, .id = 5, .has_run = has_run };
}

/* Every call that is made on a vCPU after its first KVM_RUN. */
static int call(unsigned which, struct kvm_vcpu_fd fd, struct why *why)
{
	static struct kvm_regs regs;
	static struct kvm_sregs sregs;
	static struct kvm_lapic_state lapic;

	switch (which) {
	case 0:
		return kvm_get_regs(fd, &regs, why);
	case 1:
		return kvm_set_regs(fd, &regs, why);
	case 2:
		return kvm_get_sregs(fd, &sregs, why);
	case 3:
		return kvm_set_sregs(fd, &sregs, why);
	case 4:
		return kvm_get_lapic(fd, &lapic, why);
	case 5:
		return kvm_set_lapic(fd, &lapic, why);
	default:
		return kvm_set_msr(fd, 0x10, 0, why);
	}
}

static const char *const g_names[] = {
	"KVM_GET_REGS", "KVM_SET_REGS", "KVM_GET_SREGS", "KVM_SET_SREGS", "KVM_GET_LAPIC",
	"KVM_SET_LAPIC", "KVM_SET_MSRS",
};

#define CALLS (sizeof(g_names) / sizeof(g_names[0]))

static void is_blamed(bool has_run, int error, enum exit_status status)
{
	g_error = error;
	for (unsigned i = 0; i < CALLS; i++) {
		struct why why = { 0 };

		assert_int_equal(call(i, vcpu(has_run), &why), -error);
		assert_int_equal(why.status, status);
		assert_non_null(strstr(why.text, g_names[i]));
		assert_non_null(strstr(why.text, "vCPU 5"));
		assert_non_null(strstr(why.text, strerror(error)));
		assert_true((strstr(why.text, "its guest") != NULL) == (status == EXIT_GUEST));
	}
}

static void a_guest_that_has_run_is(void **state)
{
	static const int errors[] = { EINVAL, EFAULT, EIO, EBUSY, ENXIO };

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		is_blamed(true, errors[i], EXIT_GUEST);
}

static void one_that_has_not_is_not(void **state)
{
	(void)state;
	is_blamed(false, EINVAL, EXIT_HOST);
}

static void the_host_is_for_what_only_it_lacks(void **state)
{
	static const int errors[] = { ENOMEM, EPERM, ENOSYS, ENOTTY, EAGAIN };

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		is_blamed(true, errors[i], EXIT_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_that_has_run_is),
		cmocka_unit_test(one_that_has_not_is_not),
		cmocka_unit_test(the_host_is_for_what_only_it_lacks),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
