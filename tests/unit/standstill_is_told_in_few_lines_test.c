// SPDX-License-Identifier: MIT
/*
 * standstill_is_told_in_few_lines_test.c - of a guest that stands still a few vCPUs have a
 * line, those first that others wait for; of the rest it says how many there are.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "standstill.h"
#include "unit_test.h"

#define VCPUS 40

static struct session g_session;
static struct vcpu_thread g_threads[VCPUS];

static void begin(uint32_t vcpus)
{
	struct why why = { 0 };

	memset(&g_session, 0, sizeof(g_session));
	memset(g_threads, 0, sizeof(g_threads));
	g_session.shape.vcpus = vcpus;
	g_session.threads = g_threads;
	if (guest_memory_create(&g_session.machine.memory, vcpus, 1, 1, &why) != 0)
		fail_msg("%s", why.text);
	for (uint32_t i = 0; i < vcpus; i++)
		vcpu_state_set(&g_threads[i], VCPU_PARKED);
}

static void end(void)
{
	guest_memory_destroy(&g_session.machine.memory);
}

/* The vCPUs that have a line, in order; *more: what the last line says, 0 without one. */
static uint32_t told(uint32_t vcpus[VCPUS], uint32_t *more)
{
	uint32_t count = 0;

	*more = 0;
	for (const char *at = standstill_text(&g_session); *at != '\0'; at = strchr(at, '\n') + 1) {
		assert_non_null(strchr(at, '\n'));
		assert_int_equal(*more, 0);
		if (sscanf(at, "vmm: and %u more\n", more) == 1)
			continue;
		assert_int_equal(sscanf(at, "vmm: vCPU %u: ", &vcpus[count]), 1);
		count++;
	}
	return count;
}

static void a_few_have_a_line_each(void **state)
{
	uint32_t vcpus[VCPUS], more;

	(void)state;
	begin(STANDSTILL_VCPUS);
	assert_int_equal(told(vcpus, &more), STANDSTILL_VCPUS);
	assert_int_equal(more, 0);
	for (uint32_t i = 0; i < STANDSTILL_VCPUS; i++)
		assert_int_equal(vcpus[i], i);
	end();
}

static void the_others_are_counted(void **state)
{
	uint32_t vcpus[VCPUS], more;

	(void)state;
	begin(STANDSTILL_VCPUS + 1);
	assert_int_equal(told(vcpus, &more), STANDSTILL_VCPUS);
	assert_int_equal(more, 1);
	end();
	begin(VCPUS);
	assert_int_equal(told(vcpus, &more), STANDSTILL_VCPUS);
	assert_int_equal(more, VCPUS - STANDSTILL_VCPUS);
	end();
}

/* One runs, one has not served; flags of the word are no request. */
static void those_who_are_waited_for_come_first(void **state)
{
	struct sd_region *region;
	uint32_t vcpus[VCPUS], more;

	(void)state;
	begin(VCPUS);
	vcpu_state_set(&g_threads[39], VCPU_RUNNING);
	sd_u32_store(&guest_region(&g_session.machine.memory, 30)->request, SD_WORD_GENERATION);
	region = guest_region(&g_session.machine.memory, 35);
	sd_u32_store(&region->request, 7 * SD_WORD_GENERATION + SD_WORD_FLAGS);
	sd_u32_store(&region->served, 7 * SD_WORD_GENERATION);
	assert_int_equal(told(vcpus, &more), STANDSTILL_VCPUS);
	assert_int_equal(vcpus[0], 30);
	assert_int_equal(vcpus[1], 39);
	assert_int_equal(vcpus[2], 0);
	assert_int_equal(vcpus[STANDSTILL_VCPUS - 1], STANDSTILL_VCPUS - 3);
	assert_int_equal(more, VCPUS - STANDSTILL_VCPUS);
	end();
}

static void a_line_has_what_the_vcpu_was_at(void **state)
{
	struct sd_region *region;

	(void)state;
	begin(1);
	region = guest_region(&g_session.machine.memory, 0);
	g_threads[0].regs.rip = 0x101234;
	g_threads[0].regs.rflags = 0x3202;
	g_threads[0].pending_vector = 0xe1;
	g_threads[0].vector_in_service = 0xe2;
	sd_u32_store(&region->request, 0x1d);
	sd_u32_store(&region->served, 0x18);
	assert_string_equal(standstill_text(&g_session),
			    "vmm: vCPU 0: parked, rip 0x101234, rflags 0x3202, request 0x1d, "
			    "served 0x18, vector 0xe1 pending, 0xe2 in service\n");
	end();
}

/* The longest there are fit. */
static void no_line_is_cut(void **state)
{
	(void)state;
	begin(VCPUS);
	for (uint32_t i = 0; i < VCPUS; i++) {
		struct sd_region *region = guest_region(&g_session.machine.memory, i);

		g_threads[i].regs.rip = g_threads[i].regs.rflags = UINT64_MAX;
		g_threads[i].pending_vector = g_threads[i].vector_in_service = UINT8_MAX;
		sd_u32_store(&region->request, UINT32_MAX);
		sd_u32_store(&region->served, UINT32_MAX);
	}
	assert_non_null(strstr(standstill_text(&g_session), "vmm: vCPU 15: "));
	assert_non_null(strstr(standstill_text(&g_session), "in service\nvmm: and 24 more\n"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_have_a_line_each),
		cmocka_unit_test(the_others_are_counted),
		cmocka_unit_test(those_who_are_waited_for_come_first),
		cmocka_unit_test(a_line_has_what_the_vcpu_was_at),
		cmocka_unit_test(no_line_is_cut),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
