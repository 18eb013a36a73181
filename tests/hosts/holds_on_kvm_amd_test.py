#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On an emulated AMD host the safe protocols lose no flush, with nested paging and without;
the controls are caught where an exit leaves a translation behind; and the litmus tests show
what they show without nested paging."""
from machine import Machine

SHAPE = ["--vcpus", "8", "--overcommit", "4", "--protocol", "all", "--duration", "3"]
HOSTS = {",npt=1": ["none"], ",npt=0": ["none", "skip-preempted"]}
TIMES = 3                       # as long as a short run may take


def main():
    for keys, caught in HOSTS.items():
        Machine(keys).check_controls(SHAPE, {"kvm": "svm", "emulated": True}, caught, TIMES)
    Machine(",npt=0").check_litmus(TIMES)


main()
