#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A payload that breaks a rule ends the run: status 4 and one line that names
the vCPU and what it did. The payloads are tests/guest/misbehaving.c."""
import json
import pathlib
import re
import tempfile

from bench import Bench, check, read_csv, read_summary, require

CASES = {
    "ud2_at_boot": r"vCPU [0-3]: exit 8 \(triple fault\) at rip 0x1\w+",
    "no_idt": r"vCPU 0: exit 8 \(triple fault\) at rip 0x1\w+",
    "ud2": r"vCPU 0: exception 6 \(error code 0x0\) at rip 0x1\w+, cr2 0x0",
    "unmapped_write": r"vCPU 0: exception 14 \(error code 0x6\) at rip 0x1\w+, cr2 0x40003000",
    "wrong_port": r"vCPU 0: exception 13 \(error code 0x0\) at rip 0x1\w+, cr2 0x0",
    "write_behind_memory": r"vCPU 0: exit 6 \(access outside memory\) at rip 0x1\w+",
    "unknown_doorbell": r"vCPU 0: unknown doorbell 0x5d00",
    "byte_out": r"vCPU 0: out to port 0x10, 1 bytes, .*",
    "shifted_out": r"vCPU 0: out to port 0x12, 2 bytes, .*",
    "in_from_port": r"vCPU 0: in from port 0x10, 4 bytes, .*",
    "string_in": r"vCPU 0: in from port 0x10, 4 bytes, .*",
    "mail_file_outside": r"vCPU 0: the payload gave up at \?:7 \(0x1, 0x2\)",
    "mail_file_at_end": r"vCPU 0: the payload gave up at \?:7 \(0x1, 0x2\)",
    "mail_file_two_lines": r"vCPU 0: the payload gave up at name:7 \(0x1, 0x2\)",
    "mail_file_not_a_name": r"vCPU 0: the payload gave up at \?:7 \(0x1, 0x2\)",
    "ring_head_ahead": r"initiator 0: sample ring head 16385 out of reach of tail 0",
    "ring_head_behind": r"initiator 0: sample ring head \d{20} out of reach of tail 0",
    "stale_in_first_job": r"test of the flush on entry: 0 kept, 5 survived of 0 stale .*",
    "stale_by_claim": r"flush on entry by \S.*: 5 of 16 stale translations survived it, says the "
                      r"payload",
    "sregs_refused": r"vCPU 0: KVM_SET_SREGS: Invalid argument, for what its guest has done",
    "yield_outside": r"vCPU 0: yields to vCPU 4",
    "wake_outside": r"vCPU 0: wakes vCPU 65535",
    "unknown_step": r"vCPU 0: unknown doorbell 0x2[0-9a-f]",
    "flush_request_outside": r"vCPU 0: flush request at 0xf{15}7 runs round the end of .*",
    "flush_request_at_end": r"vCPU 0: flush request at 0x\w+ leads outside memory",
    "flush_request_unmapped": r"vCPU 0: flush request at 0x40003000 is not mapped",
    "stamps_outside": r"vCPU 0: batch of stamps at 0x4{4}0{8} is not mapped",
    "stamps_too_many": r"vCPU 0: batch of stamps: count 0x40",
    "stamp_elsewhere": r"vCPU 0: batch of stamps: there is none at 0x100000",
    "ring_unmapped": r"initiator 0: sample ring at 0x40003000 is not mapped",
    "flush_request_targets": r"vCPU 0: flush request of 0 pages from 0x0, or its targets, .*",
    "flush_request_range": r"vCPU 0: flush request of 2 pages from 0xf{13}000, .*",
}
# Where ring 0 is not emulated IOPL 3 opens every port; kvm-amd resets who shuts down.
OPEN_PORTS = {"wrong_port": r"vCPU 0: out to port 0x14, 4 bytes, .*"}
ELSEWHERE = {
    "vmx": OPEN_PORTS,
    "svm": {
        **OPEN_PORTS,
        "ud2_at_boot": r"vCPU [0-3]: exit 8 \(triple fault\); KVM has reset it, its rip is lost",
        "no_idt": r"vCPU 0: exit 8 \(triple fault\); KVM has reset it, its rip is lost",
    },
}


def fail_at_boot(bench):
    """Before there is a clock to trace by."""
    for option in ("--trace", "timeline.json"), ("--break-over", "1000"):
        with tempfile.TemporaryDirectory() as folder:
            done = bench.run(bench.command(folder, *option, bench.payload("ud2_at_boot")),
                             limit_s=20, cwd=folder)
            check(done.status == 4 and done.err.count("\n") == 1,
                  f"{option}: status {done.status}, said: {done.err}")
            read_summary(folder)
            if option[0] == "--trace":
                json.loads(pathlib.Path(folder, option[1]).read_text(encoding="ascii"))


def main():
    require("require_kvm")
    bench = Bench()
    fail_at_boot(bench)
    for name, words in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            done = bench.run(bench.command(folder, "--vcpus", "4", "--overcommit", "2",
                                           "--protocol", "generation", "--duration", "0.2",
                                           "--warmup", "0", "--entry-flush", "sregs",
                                           bench.payload(name)), limit_s=20)
            check(done.status == 4, f"{name}: status {done.status}, said: {done.err}")
            summary = read_summary(folder)
            wanted = ELSEWHERE.get(summary["host"]["kvm"], {}).get(name, words)
            check(re.fullmatch(f"vmm: {wanted}\n", done.err), f"{name}: said: {done.err!r}")
            check(read_csv(folder) == [], f"{name}: rows of flushes that never were")
            check(summary["protocols"][0]["flushes"] == 0, f"{name}: flushes")


main()
