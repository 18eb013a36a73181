/* SPDX-License-Identifier: MIT */
/*
 * elf_loader.h - a payload's ELF64 file into guest memory.
 *
 * Pure: bytes in, bytes out, no file and no KVM, so it can be fuzzed.
 * Follows: System V ABI, ELF-64 object file format; ET_EXEC, EM_X86_64.
 * Tested: tests/unit/elf_loader_refuses_bad_files_test.c
 */
#ifndef ELF_LOADER_H
#define ELF_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "why.h"

/**
 * elf_load - check @image and copy its PT_LOAD segments.
 *
 * Shape:   @image is @image_bytes of untrusted bytes, any alignment. @memory is
 *          the host address of guest-physical 0 and holds @memory_bytes >=
 *          SD_PAYLOAD_END. Segments go to their p_vaddr (mapped 1:1) and must
 *          lie in [SD_PAYLOAD_GPA, SD_PAYLOAD_END). With @memory NULL the file is
 *          checked and nothing is copied.
 * Returns: 0 and the entry point in *entry.
 * Errors:  -ENOEXEC, EXIT_USAGE and one line in @why that begins with @name and
 *          names what is wrong: not an ELF, 32-bit, big-endian, wrong version,
 *          another machine, not ET_EXEC, truncated header / program headers /
 *          segment, filesz > memsz, address overflow, out of range, overlapping
 *          segments, no segment, entry outside an executable segment. @memory
 *          is not touched unless every check has passed.
 */
__attribute__((warn_unused_result))
int elf_load(const char *name, const uint8_t *image, size_t image_bytes,
	     uint8_t *memory, size_t memory_bytes, uint64_t *entry, struct why *why);

#endif
