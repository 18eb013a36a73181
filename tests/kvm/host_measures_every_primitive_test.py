#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`vmm --host`, confined: every primitive has its samples, and its row; IPIs and kicks with
two CPUs."""
import json
import os
import pathlib
import re
import tempfile

from bench import Bench, check, check_times, require

# Samples of each; a slot's switches are as many as half a second holds.
ROUNDS, KICKS, HANDOVERS = 2000, 200, 3999
ON_ONE_CPU = {"clock_ns": ROUNDS, "gate_ns": ROUNDS, "exit_ns": ROUNDS,
              "flush_on_entry_steal_ns": ROUNDS, "flush_on_entry_sregs_ns": ROUNDS,
              "futex_handover_ns": HANDOVERS}
ON_TWO_CPUS = {"ipi_round_trip_ns": ROUNDS, "shootdown_floor_ns": ROUNDS,
               "kick_ns": KICKS, "kick_flush_ns": KICKS}
NAMES = {"kick_ns": "kick of a vCPU out of the guest",
         "kick_flush_ns": "kick for a changed mapping",
         "clock_ns": "reading of the clock, in the guest"}


def check_host(bench, cpus, confine):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "host.json")
        done = bench.run([bench.vmm, "--host", "--json", path, "--cpus",
                          ",".join(map(str, cpus))], limit_s=140)
        check((done.status, done.err) == (0, ""), f"status {done.status}, said: {done.err}")
        check(f"\nconfine        {confine}\n" in done.out, f"not confined: {done.out}")
        host = json.loads(path.read_text(encoding="utf-8"))
    found = host["primitives"]
    wanted = ON_ONE_CPU | (ON_TWO_CPUS if len(cpus) > 1 else dict.fromkeys(ON_TWO_CPUS, 0))
    check(found.keys() == wanted.keys() | {"slot_switch_ns"}, f"{list(found)}")
    if host["host"]["pv_features"] & 1 << 5 == 0:       # steal time
        wanted["flush_on_entry_steal_ns"] = 0
    for name, samples in wanted.items():
        check(found[name]["samples"] == samples, f"{name}: {found[name]}, wanted {samples}")
    check(found["slot_switch_ns"]["samples"] > 0, f"{found['slot_switch_ns']}")
    for name, primitive in found.items():
        check_times(name, primitive)
    for name, words in NAMES.items():
        row = next((line for line in done.out.splitlines() if line.startswith(words)), "")
        check(row.endswith("not measured") == (wanted[name] == 0) and row, f"{name}: {row!r}")


def main():
    require("require_kvm")
    bench = Bench()
    cpus = sorted(os.sched_getaffinity(0))
    # Off where the build is instrumented.
    default = re.search(r"^  --confine .*\((on|off)\)$", bench.run([bench.vmm, "--help"]).out,
                        re.MULTILINE)[1]
    check_host(bench, cpus[:1], default)
    if len(cpus) > 1:
        check_host(bench, cpus[:2], default)


main()
