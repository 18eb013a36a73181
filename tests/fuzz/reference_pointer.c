// SPDX-License-Identifier: MIT
/*
 * reference_pointer.c - pointers of the guest, byte for byte (reference_pointer.h).
 *
 * Follows: layout.h: where the tables of a vCPU begin.
 */
#include "reference_pointer.h"

#include "reference_walk.h"

#define END_OF_ADDRESSES ((u128)1 << 64)

REFERENCE_BEGIN

/* -1: cannot be read. */
static int byte_at(const struct guest_memory *memory, uint32_t vcpu, u128 gva)
{
	struct reference_walk walk = {
		.memory = memory->hva, .memory_bytes = memory->bytes, .gva = (uint64_t)gva,
	};

	if (gva >= END_OF_ADDRESSES ||
	    reference_walk(&walk, SD_TABLES_GPA + (uint64_t)vcpu * SD_TABLES_STRIDE) != 0)
		return -1;
	return memory->hva[walk.gpa];
}

bool reference_copy(const struct guest_memory *memory, uint32_t vcpu, uint64_t gva, void *to,
		    size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		int byte = byte_at(memory, vcpu, (u128)gva + i);

		if (byte < 0)
			return false;
		((uint8_t *)to)[i] = (uint8_t)byte;
	}
	return true;
}

void reference_text(const struct guest_memory *memory, uint32_t vcpu, uint64_t gva, char *text,
		    size_t size)
{
	size_t length = 0;

	while (length < size - 1) {
		int byte = byte_at(memory, vcpu, (u128)gva + length);

		if (byte < ' ' || byte > '~')
			break;
		text[length++] = (char)byte;
	}
	if (length == 0)
		text[length++] = '?';
	text[length] = '\0';
}

REFERENCE_END
