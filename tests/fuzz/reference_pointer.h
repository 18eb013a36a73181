/* SPDX-License-Identifier: MIT */
/*
 * reference_pointer.h - what a pointer of the guest leads to, looked up byte for byte in
 * the guest's page tables as they are at that moment: what guest_pointer.h has to find.
 */
#ifndef REFERENCE_POINTER_H
#define REFERENCE_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_memory.h"

/* reference_copy - @bytes, at least 1, from @gva on, as the tables of @vcpu say. False:
 * some of it cannot be read; part of @to may have been written. */
bool reference_copy(const struct guest_memory *memory, uint32_t vcpu, uint64_t gva, void *to,
		    size_t bytes);

/* reference_text - a string of at most @size - 1 bytes: up to the first one that cannot
 * be read or is not printable ASCII; "?" where that is nothing. */
void reference_text(const struct guest_memory *memory, uint32_t vcpu, uint64_t gva, char *text,
		    size_t size);

#endif
