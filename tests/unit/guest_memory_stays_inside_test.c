// SPDX-License-Identifier: MIT
/*
 * guest_memory_stays_inside_test.c - no guest-physical address leads out of the
 * guest's memory, and a new job finds only what it should.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "guest_memory.h"
#include "pte.h"
#include "unit_test.h"

static struct guest_memory memory_for(uint32_t vcpus, uint32_t initiators, uint32_t pages)
{
	struct guest_memory memory;
	struct why why = { 0 };

	if (guest_memory_create(&memory, vcpus, initiators, pages, &why) != 0)
		fail_msg("%u vCPUs: %s", vcpus, why.text);
	return memory;
}

static void addresses_at_every_edge(void **state)
{
	struct guest_memory memory = memory_for(1, 1, 1);
	const uint64_t end = memory.bytes;
	const struct { uint64_t gpa; size_t bytes; bool inside; } cases[] = {
		{ 0, 0, true },
		{ 0, 1, true },
		{ 0, end, true },
		{ 0, end + 1, false },
		{ 1, end - 1, true },
		{ 1, end, false },
		{ end - 1, 1, true },
		{ end - 1, 2, false },
		{ end, 0, true },               /* nothing, right after: no byte of it is outside */
		{ end, 1, false },
		{ end + 1, 0, false },
		{ end + 1, 1, false },
		{ 0, SIZE_MAX, false },
		{ 1, SIZE_MAX, false },         /* the sum is 0 */
		{ end - 1, SIZE_MAX - end + 2, false },
		{ UINT64_MAX, 0, false },
		{ UINT64_MAX, 1, false },       /* the sum is 0 */
		{ UINT64_MAX, SIZE_MAX, false },
		{ UINT64_MAX - end + 1, end, false },
		{ UINT64_C(1) << 63, UINT64_C(1) << 63, false },
		{ end | UINT64_C(1) << 32, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t *at = guest_memory_at(&memory, cases[i].gpa, cases[i].bytes);

		if ((at != NULL) != cases[i].inside)
			fail_msg("0x%llx + 0x%zx is %s", (unsigned long long)cases[i].gpa,
				 cases[i].bytes, at != NULL ? "inside" : "outside");
		if (at != NULL)
			assert_ptr_equal(at, memory.hva + cases[i].gpa);
	}
	guest_memory_destroy(&memory);
}

/* Every byte that is said to be there can be read and written. */
static void the_last_byte_is_there(void **state)
{
	struct guest_memory memory = memory_for(8, 2, 3);
	volatile uint8_t *last = guest_memory_at(&memory, memory.bytes - 1, 1);

	(void)state;
	assert_int_equal(*last, 0);
	*last = 1;
	assert_int_equal(memory.bytes % SD_PAGE_BYTES, 0);
	assert_true(sd_frame_gpa(1, SD_FRAME_SETS, 2, 3) + SD_PAGE_BYTES <= memory.bytes);
	guest_memory_destroy(&memory);
}

static void holds_what_was_asked_for(void **state)
{
	const uint32_t vcpus[] = { 1, 8, SD_MAX_VCPUS };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(vcpus); i++) {
		uint32_t initiators = vcpus[i] < SD_MAX_INITIATORS ? vcpus[i] : SD_MAX_INITIATORS;
		struct guest_memory memory = memory_for(vcpus[i], initiators, 1);
		const struct { const void *at; size_t bytes; } parts[] = {
			{ guest_control(&memory), sizeof(struct sd_control) },
			{ guest_region(&memory, vcpus[i] - 1), sizeof(struct sd_region) },
			{ guest_memory_at(&memory, SD_RING_GPA + (uint64_t)(initiators - 1) *
					  SD_RING_STRIDE, SD_RING_STRIDE), SD_RING_STRIDE },
		};

		assert_int_equal(memory.vcpus, vcpus[i]);
		assert_int_equal(memory.initiators, initiators);
		assert_int_equal(memory.pages, 1);
		for (size_t part = 0; part < COUNT_OF(parts); part++)
			assert_ptr_equal(guest_memory_at(&memory,
							 (uint64_t)((const uint8_t *)parts[part].at - memory.hva),
							 parts[part].bytes), parts[part].at);
		guest_memory_destroy(&memory);
	}
}

static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static void too_many_frames_are_refused(void **state)
{
	const uint32_t most = SD_MAX_FRAMES / (SD_FRAME_SETS + 1) / SD_MAX_PAGES;
	const struct { uint32_t initiators, pages; } cases[] = {
		{ most + 1, SD_MAX_PAGES }, { SD_MAX_INITIATORS, SD_MAX_PAGES },
		{ UINT32_MAX, 1 }, { 1, UINT32_MAX },
		{ SD_MAX_FRAMES / (SD_FRAME_SETS + 1) + 1, 1 },
	};
	struct guest_memory memory = memory_for(SD_MAX_VCPUS, most, SD_MAX_PAGES);
	int before;

	(void)state;
	guest_memory_destroy(&memory);
	before = next_fd();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct why why = { 0 };

		assert_int_equal(guest_memory_create(&memory, 1, cases[i].initiators, cases[i].pages,
						     &why), -EINVAL);
		assert_int_equal(why.status, EXIT_USAGE);
		assert_non_null(strstr(why.text, "frames"));
		assert_int_equal(memory.fd, -1);
		guest_memory_destroy(&memory);  /* as after a success: nothing to do */
	}
	assert_int_equal(next_fd(), before);
}

/* Byte for byte: what a new job must find zero, and what must stay. */
static void a_new_job_finds_zeros_where_it_should(void **state)
{
	const uint32_t vcpus = 3, initiators = 2;
	struct guest_memory memory = memory_for(vcpus, initiators, 1);
	const size_t cleared = offsetof(struct sd_region, dropped);
	const size_t published = initiators * SD_MAX_GROUPS * sizeof(struct sd_published);

	(void)state;
	assert_int_equal(cleared, offsetof(struct sd_region, ring_head) + sizeof(uint64_t));
	memset(memory.hva + SD_PUBLISHED_GPA, 0x5a, published + SD_CACHE_LINE);
	memset(memory.hva + SD_REGION_GPA, 0x5a, (vcpus + 1) * SD_REGION_STRIDE);
	guest_memory_reset_job(&memory);
	for (size_t i = 0; i < published; i++)
		assert_int_equal(memory.hva[SD_PUBLISHED_GPA + i], 0);
	assert_int_equal(memory.hva[SD_PUBLISHED_GPA + published], 0x5a);
	for (uint32_t vcpu = 0; vcpu <= vcpus; vcpu++) {
		const uint8_t *region = memory.hva + SD_REGION_GPA + vcpu * SD_REGION_STRIDE;

		for (size_t i = 0; i < SD_REGION_STRIDE; i++) {
			bool zeroed = vcpu < vcpus && i >= cleared && i < SD_REGION_LINES_END;

			if (region[i] != (zeroed ? 0 : 0x5a))
				fail_msg("vCPU %u, byte 0x%zx: 0x%x", vcpu, i, region[i]);
		}
	}
	guest_memory_destroy(&memory);
}

/* By name, so that a field that moves to the wrong side shows. */
static void the_handshake_survives_a_new_job(void **state)
{
	struct guest_memory memory = memory_for(1, 1, 1);
	struct sd_region *region = guest_region(&memory, 0);

	(void)state;
	memset(region, 0xff, sizeof(*region));
	guest_memory_reset_job(&memory);
	assert_int_equal(region->steal[0], 0xff);
	assert_int_equal(sd_u8_load(&region->preempted), 0xff);
	assert_int_equal(sd_u32_load(&region->request), UINT32_MAX);
	assert_int_equal(sd_u32_load(&region->served), UINT32_MAX);
	assert_true(sd_u64_load(&region->parked_ticks) == UINT64_MAX);
	assert_true(sd_u64_load(&region->parks) == UINT64_MAX);
	assert_true(sd_u64_load(&region->ring_tail) == UINT64_MAX);
	assert_true(sd_u64_load(&region->ring_head) == UINT64_MAX);
	assert_int_equal(sd_u64_load(&region->dropped), 0);
	assert_int_equal(sd_u64_load(&region->flushes), 0);
	assert_int_equal(sd_u64_load(&region->checks), 0);
	assert_int_equal(sd_u64_load(&region->stale), 0);
	assert_int_equal(sd_u64_load(&region->skipped), 0);
	assert_int_equal(sd_u64_load(&region->sample_ticks), 0);
	assert_int_equal(sd_u64_load(&region->started_ticks), 0);
	assert_int_equal(region->mailbox.kind, SD_MAIL_NONE);
	guest_memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_at_every_edge),
		cmocka_unit_test(the_last_byte_is_there),
		cmocka_unit_test(holds_what_was_asked_for),
		cmocka_unit_test(too_many_frames_are_refused),
		cmocka_unit_test(a_new_job_finds_zeros_where_it_should),
		cmocka_unit_test(the_handshake_survives_a_new_job),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
