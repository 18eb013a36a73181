// SPDX-License-Identifier: MIT
/*
 * byte_transitions_keep_a_pending_flush_test.c - the steps of include/word.h on
 * KVM's preempted byte: only taking it loses a flush that was asked for.
 */
#include <string.h>

#include "unit_test.h"
#include "word.h"

/* The words have values too: no step on the byte may touch them. */
static struct sd_region region_with_byte(uint8_t byte)
{
	struct sd_region region;

	memset(&region, 0, sizeof(region));
	sd_u32_store(&region.request, SD_WORD_GENERATION | SD_WORD_PREEMPTED);
	sd_u32_store(&region.served, SD_WORD_GENERATION);
	(void)sd_u8_exchange(&region.preempted, byte);
	return region;
}

static void byte_is(const struct sd_region *region, uint8_t byte)
{
	struct sd_region expected = region_with_byte(byte);

	assert_int_equal(sd_u8_load(&region->preempted), byte);
	assert_memory_equal(region, &expected, sizeof(expected));
}

static void byte_steps_keep_the_other_bits(void **state)
{
	(void)state;
	for (unsigned int old = 0; old < 256; old++) {
		uint8_t preempted = (uint8_t)(old | SD_BYTE_PREEMPTED);
		uint8_t flush = (uint8_t)(old | SD_BYTE_FLUSH_TLB);
		int deferred = old & SD_BYTE_PREEMPTED;
		struct sd_region region = region_with_byte((uint8_t)old);

		assert_int_equal(sd_byte_defer(&region), deferred);
		byte_is(&region, deferred ? flush : (uint8_t)old);

		region = region_with_byte((uint8_t)old);
		sd_byte_mark(&region);
		byte_is(&region, preempted);

		region = region_with_byte((uint8_t)old);
		sd_byte_ask_flush(&region);
		byte_is(&region, flush);

		region = region_with_byte((uint8_t)old);
		assert_int_equal(sd_byte_take(&region), !!(old & SD_BYTE_FLUSH_TLB));
		byte_is(&region, 0);
	}
}

/* CVE-2019-3016: the second preemption erased the flush asked for before. */
static void a_second_preemption_keeps_the_flush(void **state)
{
	struct sd_region region = region_with_byte(0);

	(void)state;
	assert_false(sd_byte_defer(&region));
	sd_byte_mark(&region);
	assert_true(sd_byte_defer(&region));
	sd_byte_mark(&region);
	assert_true(sd_byte_take(&region));
	assert_false(sd_byte_take(&region));
	assert_false(sd_byte_defer(&region));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_steps_keep_the_other_bits),
		cmocka_unit_test(a_second_preemption_keeps_the_flush),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
