// SPDX-License-Identifier: MIT
/*
 * restore_fpu.c - FXRSTOR on one CPU, over and over, until it is killed: what a context switch
 * does, a million times as often.
 *
 * Usage: restore_fpu CPU
 */
#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	alignas(16) static char state[512];
	cpu_set_t cpus;

	if (argc != 2)
		return 2;
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		return 3;
	__asm__ volatile("fxsave %0" : "=m"(state));
	for (;;)
		__asm__ volatile("fxrstor %0" : : "m"(state));
}
