// SPDX-License-Identifier: MIT
/*
 * guest_asks_for_every_other_vcpu_test.c - the request of the hypercall protocol names each
 * vCPU there is but the one that asks, and the range of the flush.
 */
#include "guest_on_host.h"

#include "../../guest-payload/protocols/hypercall.c"

#define WORDS (SD_MAX_VCPUS / 64)

static struct sd_flush_request g_request;
static uint32_t g_self;

/* The VMM's side: it follows the address in the caller's region. */
static void take_request(void)
{
	uint64_t address = sd_u64_load(&g_region(g_self)->argument);

	assert_int_equal(g_host.request, SD_REQ_FLUSH_OTHERS);
	memcpy(&g_request, (const void *)(uintptr_t)address, sizeof(g_request));
}

static bool is_named(uint32_t vcpu)
{
	return g_request.targets[vcpu / 64] >> vcpu % 64 & 1;
}

static void ask(uint32_t vcpus, uint32_t self, struct g_range range)
{
	guest_begin(vcpus);
	memset(&g_request, 0x5a, sizeof(g_request));
	g_host.in_doorbell = take_request;
	g_self = self;
	g_protocol_hypercall.cover_all(self, range);
	assert_int_equal(g_host.rings, 1);
}

static void all_but_the_caller_are_named(void **state)
{
	static const uint32_t counts[] = {
		1, 2, 3, 8, 63, 64, 65, 66, 127, 128, 129, 130, 191, 192, 193, 1000, 1023, 1024,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		for (uint32_t self = 0; self < counts[i]; self += self % 64 == 1 ? 30 : 1) {
			ask(counts[i], self, G_EVERYTHING);
			for (uint32_t vcpu = 0; vcpu < SD_MAX_VCPUS; vcpu++)
				assert_int_equal(is_named(vcpu), vcpu < counts[i] && vcpu != self);
		}
}

static void the_range_is_the_flush_s(void **state)
{
	(void)state;
	ask(2, 0, (struct g_range){ .va = 0x40203000, .pages = 7 });
	assert_int_equal(g_request.start, 0x40203000);
	assert_int_equal(g_request.pages, 7);
	ask(2, 0, G_EVERYTHING);
	assert_int_equal(g_request.pages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_but_the_caller_are_named),
		cmocka_unit_test(the_range_is_the_flush_s),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
