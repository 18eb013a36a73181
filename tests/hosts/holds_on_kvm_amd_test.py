#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On an emulated AMD host the safe protocols lose no flush, with nested paging and without;
the controls are caught where an exit leaves a translation behind; and the litmus tests show
what they show without nested paging."""
import tempfile

from machine import Machine, check
from bench import SAFE, read_summary

SHAPE = ["--vcpus", "8", "--overcommit", "4", "--protocol", "all", "--duration", "3"]
HOSTS = {",npt=1": ["none"], ",npt=0": ["none", "skip-preempted"]}


def run(keys, *options):
    machine = Machine(keys)
    with tempfile.TemporaryDirectory() as folder:
        done = machine.run([machine.vmm, "--on", machine.host, *options, "--out", folder],
                           limit_s=3 * machine.limit_s)
        check(done.status == 0, f"{keys} {options}: status {done.status}: {done.out}{done.err}")
        return done.out, None if "--litmus" in options else read_summary(folder)


def check_paging(keys, caught):
    _, summary = run(keys, *SHAPE)
    check((summary["host"]["kvm"], summary["host"]["emulated"]) == ("svm", True),
          f"{keys}: {summary['host']}")
    found = {protocol["name"]: protocol for protocol in summary["protocols"]}
    for name in SAFE:
        check(found[name]["stale"] == 0 and found[name]["checks"] > 0,
              f"{keys}: {name}: {found[name]['stale']} stale of {found[name]['checks']}")
    for name in caught:
        check(found[name]["stale"] > 0, f"{keys}: {name} was not caught")
    print(f"{keys}: 0 stale of {sum(found[name]['checks'] for name in SAFE)}; caught: {caught}",
          flush=True)


def main():
    for keys, caught in HOSTS.items():
        check_paging(keys, caught)
    out, _ = run(",npt=0", "--litmus")
    check(" as expected, 0 not, 1 " in out, f"litmus: {out}")


main()
