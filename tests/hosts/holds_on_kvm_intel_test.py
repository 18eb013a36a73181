#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On an emulated Intel host the safe protocols lose no flush, with nested paging, without, and
without unrestricted guests. The controls are caught where the emulator lets them be: its TLB has
no tags, so that with nested paging an exit drops what skip-preempted left behind. The litmus
tests show what they show without nested paging. Bochs takes half an hour of CPU time."""
from machine import Machine

SHAPE = ["--vcpus", "8", "--overcommit", "4", "--protocol", "all", "--duration", "1"]
HOSTS = {
    ",ept=0": ["none", "skip-preempted"],
    ",ept=1": ["none"],
    ",cpu=corei5_lynnfield_750": ["none"],
    ",cpu=core2_penryn_t9600,ept=0": ["none", "skip-preempted"],
}
HOST = {"kvm": "vmx", "below": "bochs", "emulated": True}


def main():
    for keys, caught in HOSTS.items():
        Machine(keys, "intel").check_controls(SHAPE, HOST, caught)
    Machine(",ept=0", "intel").check_litmus()


main()
