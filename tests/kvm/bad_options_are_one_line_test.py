#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A wrong command line ends with status 2 and one line that says what is wrong.
Needs no /dev/kvm: the command line is looked at first. Here is a case of each kind;
options_are_checked has every option with its limits."""
from bench import CONTROLS, SAFE, UNSAFE, Bench, check_refused

CASES = [
    (["--bogus"], "--bogus"),
    (["-x"], "-x"),
    (["--vcpus", ""], "--vcpus"),
    (["--vcpus", "99999999999999999999"], "--vcpus"),
    (["--vcpus", "8", "--overcommit", "9"], "1 to 8"),
    (["--protocol", "ipi,nonesuch"], ", ".join(SAFE + UNSAFE + CONTROLS)),
    (["--protocol", "a\nvmm: b"], "unknown"),
    (["--litmus=nonesuch"], "nonesuch: unknown; one of two-initiators, park-in-handler, "),
    (["--litmus=two-initiators/"], "unknown"),
    (["--quiet=yes"], "takes no value"),
    (["one", "two"], "only one PAYLOAD"),
    ([""], "PAYLOAD"),
]


def main():
    bench = Bench()
    for options, words in CASES:
        check_refused(bench.run([bench.vmm, *options]), options, 2, words)


main()
