// SPDX-License-Identifier: MIT
/*
 * capabilities.c - giving up what the run does not need (capabilities.h).
 *
 * Threads: main, before it has started any other.
 * Follows: capabilities(7), cap_set_proc(3), prctl(2) PR_SET_NO_NEW_PRIVS.
 * Tested:  tests/kvm/capabilities_are_dropped_test.sh
 */
#include "capabilities.h"

#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

static int keep(cap_t wanted)
{
	cap_value_t nice = CAP_SYS_NICE;

	if (cap_set_flag(wanted, CAP_PERMITTED, 1, &nice, CAP_SET) != 0)
		return -1;
	return cap_set_flag(wanted, CAP_EFFECTIVE, 1, &nice, CAP_SET);
}

int capabilities_drop(bool keep_sys_nice, struct why *why)
{
	cap_t wanted = cap_init();
	int failed = wanted == NULL;

	if (!failed && keep_sys_nice)
		failed = keep(wanted);
	if (!failed)
		failed = cap_set_proc(wanted);
	if (!failed)
		failed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (wanted != NULL)
		cap_free(wanted);
	if (!failed)
		return 0;
	return why_set(why, EXIT_HOST, errno, "dropping capabilities: %s", strerror(errno));
}
