#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A PAYLOAD that cannot be run ends with status 2 and one line that says why."""
import os
import pathlib
import struct
import tempfile

from bench import Bench, check, check_refused, require

START = 0x100000                # SD_PAYLOAD_GPA
END = 0x400000                  # SD_PAYLOAD_END
TEXT = b"\x0f\x0b" * 8          # ud2
HEADER = struct.Struct("<4s5B7xHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
READ_EXECUTE = 5


def segment(address=START, offset=0, file_bytes=len(TEXT), memory_bytes=None):
    return SEGMENT.pack(1, READ_EXECUTE, offset, address, address, file_bytes,
                        file_bytes if memory_bytes is None else memory_bytes, 4096)


def elf(segments=None, **changed):
    """A payload of 16 bytes that would be loaded, but for what is changed."""
    segments = [segment(offset=256)] if segments is None else segments
    fields = {
        "magic": b"\x7fELF", "wide": 2, "data": 1, "version": 1, "abi": 0, "abi_version": 0,
        "type": 2, "machine": 62, "version_again": 1, "entry": START, "phoff": HEADER.size,
        "shoff": 0, "flags": 0, "ehsize": HEADER.size, "phentsize": SEGMENT.size,
        "phnum": len(segments), "shentsize": 0, "shnum": 0, "shstrndx": 0,
    }
    fields.update(changed)
    image = HEADER.pack(*fields.values()) + b"".join(segments)
    return image.ljust(256, b"\0") + TEXT


IMAGES = {
    "empty": (b"", "not an ELF file"),
    "text": (b"#!/bin/sh\necho no payload\n", "not an ELF file"),
    "header_cut": (elf()[:40], "truncated"),
    "segment_cut": (elf()[:264], "truncated"),
    "table_cut": (elf(phoff=250), "truncated"),
    "table_far_away": (elf(phoff=2**64 - 8), "truncated"),
    "32_bit": (elf(wide=1), "32-bit"),
    "big_endian": (elf(data=2), "big-endian"),
    "aarch64": (elf(machine=183), "machine"),
    "position_independent": (elf(type=3), "position-independent"),
    "relocatable": (elf(type=1), "not an executable"),
    "no_segment": (elf([]), "no segment"),
    "many_segments": (elf(phnum=65535), "program headers"),
    "overlap": (elf([segment(offset=256), segment(START + 8, 256)]), "overlap"),
    "below": (elf([segment(START - 4096, 256)]), "not within"),
    "above": (elf([segment(END - 8, 256)]), "not within"),
    "huge": (elf([segment(offset=256, memory_bytes=2**63)]), "not within"),
    "wraps_round": (elf([segment(2**64 - 8, 256)]), "overflows"),
    "larger_in_file": (elf([segment(offset=256, memory_bytes=8)]), "larger in the file"),
    "entry_outside": (elf(entry=START + 16), "entry"),
}


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        for name, (image, words) in IMAGES.items():
            path = pathlib.Path(folder, name)
            path.write_bytes(image)
            check_refused(bench.run(bench.command(out, str(path))), name, 2, words)
        for path in folder, os.path.join(folder, "not-there"), "/dev/zero":
            check_refused(bench.run(bench.command(out, path)), path, 2, path)
        # What all the others differ from is taken, and fails in the guest.
        good = pathlib.Path(folder, "good")
        good.write_bytes(elf())
        done = bench.run(bench.command(out, str(good)))
        check(done.status == 4 and "triple fault" in done.err, f"good: {done.status} {done.err}")


main()
