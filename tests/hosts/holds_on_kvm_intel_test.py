#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On an emulated Intel host the safe protocols lose no flush, with nested paging, without, and
without unrestricted guests. The controls are caught where the emulator lets them be: its TLB has
no tags, so that with nested paging an exit drops what skip-preempted left behind. The litmus
tests show what they show without nested paging. Bochs takes half an hour of CPU time."""
import tempfile

from machine import Machine, check
from bench import SAFE, read_summary

SHAPE = ["--vcpus", "8", "--overcommit", "4", "--protocol", "all", "--duration", "1"]
HOSTS = {
    ",ept=0": ["none", "skip-preempted"],
    ",ept=1": ["none"],
    ",cpu=corei5_lynnfield_750": ["none"],
    ",cpu=core2_penryn_t9600,ept=0": ["none", "skip-preempted"],
}


def check_protocols(keys, caught):
    machine = Machine(kind="intel", keys=keys)
    with tempfile.TemporaryDirectory() as folder:
        done = machine.run([machine.vmm, "--on", machine.host, *SHAPE, "--out", folder],
                           limit_s=machine.limit_s)
        check(done.status == 0, f"{keys}: status {done.status}: {done.out}{done.err}")
        summary = read_summary(folder)
    check((summary["host"]["kvm"], summary["host"]["below"], summary["host"]["emulated"]) ==
          ("vmx", "bochs", True), f"{keys}: {summary['host']}")
    found = {protocol["name"]: protocol for protocol in summary["protocols"]}
    for name in SAFE:
        check(found[name]["stale"] == 0 and found[name]["checks"] > 0,
              f"{keys}: {name}: {found[name]['stale']} stale of {found[name]['checks']}")
    for name in caught:
        check(found[name]["stale"] > 0, f"{keys}: {name} was not caught")
    print(f"{keys}: 0 stale of {sum(found[name]['checks'] for name in SAFE)}; caught: {caught}",
          flush=True)


def check_litmus():
    machine = Machine(kind="intel", keys=",ept=0")
    with tempfile.TemporaryDirectory() as folder:
        done = machine.run([machine.vmm, "--on", machine.host, "--litmus", "--out", folder],
                           limit_s=machine.limit_s)
    check(done.status == 0, f"litmus: status {done.status}: {done.out}{done.err}")
    check(" as expected, 0 not, 1 " in done.out, f"litmus: {done.out}")


def main():
    for keys, caught in HOSTS.items():
        check_protocols(keys, caught)
    check_litmus()


main()
