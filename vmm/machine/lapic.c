// SPDX-License-Identifier: MIT
/*
 * lapic.c - pending vectors in a copy of the local APIC (lapic.h).
 *
 * Threads: any; each has its own copy.
 * Tested:  tests/unit/lapic_clears_one_vector_test.c
 */
#include "lapic.h"

#include <string.h>

#define APIC_ISR     0x100
#define APIC_IRR     0x200
#define APIC_STRIDE  0x10               /* between registers of 32 vectors */
#define VECTOR_WORDS 8
#define RESERVED     UINT32_C(0xffff)   /* of word 0: vectors 0 to 15 */

/* 32 vectors of the ISR or the IRR. */
static uint32_t load(const struct kvm_lapic_state *lapic, unsigned base, unsigned word)
{
	uint32_t vectors;

	memcpy(&vectors, lapic->regs + base + word * APIC_STRIDE, sizeof(vectors));
	return word == 0 ? vectors & ~RESERVED : vectors;
}

static bool has(const struct kvm_lapic_state *lapic, unsigned base, uint8_t vector)
{
	return load(lapic, base, vector / 32) >> vector % 32 & 1;
}

static uint8_t highest(const struct kvm_lapic_state *lapic, unsigned base)
{
	for (unsigned vector = UINT8_MAX; vector > 0; vector--)
		if (has(lapic, base, (uint8_t)vector))
			return (uint8_t)vector;
	return 0;
}

static uint32_t count_pending(const struct kvm_lapic_state *lapic)
{
	uint32_t count = 0;

	for (unsigned word = 0; word < VECTOR_WORDS; word++)
		count += (uint32_t)__builtin_popcount(load(lapic, APIC_IRR, word));
	return count;
}

bool lapic_has_pending(const struct kvm_lapic_state *lapic)
{
	return count_pending(lapic) != 0;
}

bool lapic_is_pending(const struct kvm_lapic_state *lapic, uint8_t vector)
{
	return has(lapic, APIC_IRR, vector);
}

uint8_t lapic_highest_pending(const struct kvm_lapic_state *lapic)
{
	return highest(lapic, APIC_IRR);
}

uint8_t lapic_highest_in_service(const struct kvm_lapic_state *lapic)
{
	return highest(lapic, APIC_ISR);
}

bool lapic_clear_pending(struct kvm_lapic_state *lapic, uint8_t vector)
{
	char *at = lapic->regs + APIC_IRR + vector / 32 * APIC_STRIDE;
	uint32_t vectors;

	if (!lapic_is_pending(lapic, vector) || has(lapic, APIC_ISR, vector) ||
	    count_pending(lapic) != 1)
		return false;
	memcpy(&vectors, at, sizeof(vectors));
	vectors &= ~(UINT32_C(1) << vector % 32);
	memcpy(at, &vectors, sizeof(vectors));
	return true;
}
