/* SPDX-License-Identifier: MIT */
/*
 * guest_on_host.h - the payload's C, run by a test: include this, then the source.
 *
 * The guest's addresses are arrays here. Its two ways out are instructions that trap in a
 * process, too: `int3` (the gate) and `out` (a doorbell); signal handlers play what stands
 * after them, with the registers as the payload has set them. Nothing of the payload is
 * changed for it.
 *
 * Owns: the arrays, zeroed by guest_begin(), which every test calls first: cmocka takes
 *       the signals for itself between tests.
 */
#ifndef GUEST_ON_HOST_H
#define GUEST_ON_HOST_H

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "control.h"
#include "layout.h"
#include "region.h"
#include "sample.h"
#include "unit_test.h"

#define GUEST_INITIATORS 2              /* that have a window with its frames */
#define GUEST_FRAMES ((SD_FRAME_SETS + 1) * SD_MAX_PAGES * GUEST_INITIATORS)

#define GUEST_ARRAY(name, bytes) \
	static char name[bytes] __attribute__((aligned(SD_PAGE_BYTES)))

GUEST_ARRAY(g_guest_control, SD_PAGE_BYTES);
GUEST_ARRAY(g_guest_published, SD_MAX_INITIATORS * SD_MAX_GROUPS * sizeof(struct sd_published));
GUEST_ARRAY(g_guest_regions, SD_MAX_VCPUS * SD_REGION_STRIDE);
GUEST_ARRAY(g_guest_tables, SD_MAX_VCPUS * SD_TABLES_STRIDE);
GUEST_ARRAY(g_guest_frames, GUEST_FRAMES * SD_PAGE_BYTES);
GUEST_ARRAY(g_guest_rings, GUEST_INITIATORS * SD_RING_STRIDE);
GUEST_ARRAY(g_guest_windows, GUEST_INITIATORS * SD_WINDOW_STRIDE);

#undef SD_CONTROL_GPA
#undef SD_PUBLISHED_GPA
#undef SD_REGION_GPA
#undef SD_TABLES_GPA
#undef SD_FRAMES_GPA
#undef SD_RING_GPA
#undef SD_WINDOW_VA
#define GUEST_ADDRESS(name) ((uint64_t)(uintptr_t)(name))
#define SD_CONTROL_GPA      GUEST_ADDRESS(g_guest_control)
#define SD_PUBLISHED_GPA    GUEST_ADDRESS(g_guest_published)
#define SD_REGION_GPA       GUEST_ADDRESS(g_guest_regions)
#define SD_TABLES_GPA       GUEST_ADDRESS(g_guest_tables)
#define SD_FRAMES_GPA       GUEST_ADDRESS(g_guest_frames)
#define SD_RING_GPA         GUEST_ADDRESS(g_guest_rings)
#define SD_WINDOW_VA        GUEST_ADDRESS(g_guest_windows)

#include "../../guest-payload/guest.h"
#include "pte.h"
#include "word.h"

/* One trip through the gate. */
struct gate_trip {
	uint32_t count;
	uint32_t destinations[SD_MAX_VCPUS];
	uint32_t vector;
	struct g_range range;
};

static struct {
	unsigned trips;                 /* through the gate */
	struct gate_trip trip;          /* the last one */
	unsigned rings;                 /* of the doorbell */
	uint32_t request;               /* the last one */
	void (*in_gate)(void);          /* or NULL: what happens there besides */
	void (*in_doorbell)(void);
} g_host;

#define OUT_DX_EAX 0xef

static inline void guest_gate(int number, siginfo_t *info, void *context)
{
	const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct gate_trip *trip = &g_host.trip;

	(void)number;
	(void)info;
	g_host.trips++;
	trip->count = (uint32_t)registers[REG_RCX];
	trip->vector = (uint32_t)registers[REG_R8];
	trip->range.va = (uint64_t)registers[REG_R9];
	trip->range.pages = (uint32_t)registers[REG_R10];
	if (trip->count != 0)
		memcpy(trip->destinations, (const void *)registers[REG_RSI],
		       trip->count * sizeof(uint32_t));
	if (g_host.in_gate != NULL)
		g_host.in_gate();
}

static inline void guest_doorbell(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (*(const uint8_t *)registers[REG_RIP] != OUT_DX_EAX ||
	    (uint16_t)registers[REG_RDX] != SD_PORT_REQUEST) {
		signal(number, SIG_DFL);
		return;
	}
	g_host.rings++;
	g_host.request = (uint32_t)registers[REG_RAX];
	if (g_host.in_doorbell != NULL)
		g_host.in_doorbell();
	registers[REG_RIP]++;
}

static inline void guest_catch(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	assert_int_equal(sigaction(number, &action, NULL), 0);
}

/* Everything zero but @vcpus, all of which run, and one page. */
static inline void guest_begin(uint32_t vcpus)
{
	memset(g_guest_control, 0, sizeof(g_guest_control));
	memset(g_guest_published, 0, sizeof(g_guest_published));
	memset(g_guest_regions, 0, vcpus * (size_t)SD_REGION_STRIDE);
	memset(g_guest_tables, 0, vcpus * (size_t)SD_TABLES_STRIDE);
	memset(g_guest_rings, 0, sizeof(g_guest_rings));
	memset(&g_host, 0, sizeof(g_host));
	g_control()->vcpus = vcpus;
	g_control()->initiators = 1;
	g_control()->pages = 1;
	guest_catch(SIGTRAP, guest_gate);
	guest_catch(SIGSEGV, guest_doorbell);
}

/* A handler of @vcpu, whole. */
static inline void guest_serve(uint32_t vcpu)
{
	sd_word_serve_end(g_region(vcpu), sd_word_serve_begin(g_region(vcpu)));
}

/* In the gate: every vCPU that got an IPI serves at once. */
static inline void guest_serve_all(void)
{
	for (uint32_t i = 0; i < g_host.trip.count; i++)
		guest_serve(g_control()->x2apic ? g_host.trip.destinations[i]
						: g_host.trip.destinations[i] >> 24);
}

__attribute__((noreturn))
void g_fail(const char *file, uint32_t line, uint64_t a, uint64_t b)
{
	print_error("%s:%u: %llu, %llu\n", file, line, (unsigned long long)a,
		    (unsigned long long)b);
	abort();
}

#endif
