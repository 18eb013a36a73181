// SPDX-License-Identifier: MIT
/*
 * lapic_clears_one_vector_test.c - a pending vector is found at its place, and is
 * taken out only where it is the only one and no handler of it is in flight.
 */
#include <stdbool.h>
#include <string.h>

#include "lapic.h"
#include "layout.h"
#include "unit_test.h"

#define ISR 0x100
#define TMR 0x180
#define IRR 0x200
#define ESR 0x280

/* The byte of @vector in a bank of registers, little-endian words of 32 vectors. */
static void set(struct kvm_lapic_state *lapic, unsigned bank, unsigned vector)
{
	char *byte = &lapic->regs[bank + vector / 32 * 16 + vector % 32 / 8];

	*byte = (char)(*byte | 1 << vector % 8);
}

static struct kvm_lapic_state nothing_pending(void)
{
	struct kvm_lapic_state lapic;

	memset(&lapic, 0, sizeof(lapic));
	return lapic;
}

static struct kvm_lapic_state pending(unsigned vector)
{
	struct kvm_lapic_state lapic = nothing_pending();

	set(&lapic, IRR, vector);
	return lapic;
}

static void is_refused(const struct kvm_lapic_state *before, uint8_t vector)
{
	struct kvm_lapic_state lapic = *before;

	assert_false(lapic_clear_pending(&lapic, vector));
	assert_memory_equal(&lapic, before, sizeof(lapic));
}

static void every_vector_has_its_place(void **state)
{
	(void)state;
	for (unsigned vector = 16; vector < 256; vector++) {
		struct kvm_lapic_state lapic = pending(vector);

		assert_true(lapic_has_pending(&lapic));
		assert_int_equal(lapic_highest_pending(&lapic), vector);
		assert_int_equal(lapic_highest_in_service(&lapic), 0);
		for (unsigned other = 0; other < 256; other++)
			assert_int_equal(lapic_is_pending(&lapic, (uint8_t)other), other == vector);
		set(&lapic, ISR, 16);
		set(&lapic, ISR, vector);
		set(&lapic, IRR, 16);
		assert_int_equal(lapic_highest_in_service(&lapic), vector);
		assert_int_equal(lapic_highest_pending(&lapic), vector);
	}
}

static void the_lowest_16_count_for_nothing(void **state)
{
	(void)state;
	for (unsigned vector = 0; vector < 16; vector++) {
		struct kvm_lapic_state lapic = pending(vector);

		assert_false(lapic_has_pending(&lapic));
		assert_int_equal(lapic_highest_pending(&lapic), 0);
		assert_false(lapic_is_pending(&lapic, (uint8_t)vector));
		is_refused(&lapic, (uint8_t)vector);
	}
}

/* All but the low words of the IRR's registers. */
static void only_the_irr_is_looked_at(void **state)
{
	struct kvm_lapic_state lapic;

	(void)state;
	memset(&lapic, 0xff, sizeof(lapic));
	for (unsigned word = 0; word < 8; word++)
		memset(&lapic.regs[IRR + word * 16], 0, 4);
	assert_false(lapic_has_pending(&lapic));
	for (unsigned vector = 0; vector < 256; vector++)
		assert_false(lapic_is_pending(&lapic, (uint8_t)vector));
}

static void the_only_one_is_taken_out(void **state)
{
	const struct kvm_lapic_state empty = nothing_pending();

	(void)state;
	for (unsigned vector = 16; vector < 256; vector++) {
		struct kvm_lapic_state lapic = pending(vector);

		assert_true(lapic_clear_pending(&lapic, (uint8_t)vector));
		assert_memory_equal(&lapic, &empty, sizeof(lapic));
		is_refused(&lapic, (uint8_t)vector);
	}
}

/* The rest of the page stays as KVM gave it out. */
static void nothing_else_changes(void **state)
{
	struct kvm_lapic_state lapic, expected;

	(void)state;
	memset(&lapic, 0x5a, sizeof(lapic));
	memset(&lapic.regs[ISR], 0, TMR - ISR);
	memset(&lapic.regs[IRR], 0, ESR - IRR);
	set(&lapic, ISR, SD_VECTOR_PING);
	expected = lapic;
	set(&lapic, IRR, SD_VECTOR_FLUSH);
	assert_true(lapic_clear_pending(&lapic, SD_VECTOR_FLUSH));
	assert_memory_equal(&lapic, &expected, sizeof(lapic));
}

static void one_that_is_not_pending_is_refused(void **state)
{
	const struct kvm_lapic_state none = nothing_pending();
	const struct kvm_lapic_state other = pending(SD_VECTOR_PING);

	(void)state;
	for (unsigned vector = 0; vector < 256; vector++) {
		is_refused(&none, (uint8_t)vector);
		if (vector != SD_VECTOR_PING)
			is_refused(&other, (uint8_t)vector);
	}
}

/* Its handler was parked half-way: served may go back, and this IPI heals it. */
static void a_handler_in_flight_keeps_its_ipi(void **state)
{
	(void)state;
	for (unsigned vector = 16; vector < 256; vector++) {
		struct kvm_lapic_state lapic = pending(vector);

		set(&lapic, ISR, vector);
		is_refused(&lapic, (uint8_t)vector);
	}
}

static void a_second_pending_vector_keeps_both(void **state)
{
	(void)state;
	for (unsigned other = 16; other < 256; other++) {
		struct kvm_lapic_state lapic = pending(SD_VECTOR_FLUSH);

		if (other == SD_VECTOR_FLUSH)
			continue;
		set(&lapic, IRR, other);
		is_refused(&lapic, SD_VECTOR_FLUSH);
		is_refused(&lapic, (uint8_t)other);
		assert_true(lapic_has_pending(&lapic));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_has_its_place),
		cmocka_unit_test(the_lowest_16_count_for_nothing),
		cmocka_unit_test(only_the_irr_is_looked_at),
		cmocka_unit_test(the_only_one_is_taken_out),
		cmocka_unit_test(nothing_else_changes),
		cmocka_unit_test(one_that_is_not_pending_is_refused),
		cmocka_unit_test(a_handler_in_flight_keeps_its_ipi),
		cmocka_unit_test(a_second_pending_vector_keeps_both),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
