#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is wrong with a command for the emulated Intel machine is said in one line before
anything boots."""
import os

from machine import Machine, check


def main():
    machine = Machine(kind="intel")
    nowhere = {**os.environ, "SHOOTDOWN_KERNEL": "/nowhere"}
    for options, status, words, environment in (
            (["--on", "intel", "--slice-us", "1"], 2, "must be 50", os.environ),
            (["--on", "intel,ept=2"], 2, "ept=2: must be 0 to 1", os.environ),
            (["--on", "intel,npt=1"], 2, "npt: not a key of intel", os.environ),
            (["--on", "intel,cpu=vax"], 2, "cpu=vax: Bochs has no such CPU", os.environ),
            (["--on", "intel", "/nowhere/payload"], 2, "No such file", os.environ),
            (["--on", "intel"], 3, "SHOOTDOWN_KERNEL", nowhere)):
        done = machine.run([machine.vmm, *options], limit_s=10, env=environment)
        check(done.status == status and words in done.err and done.err.count("\n") == 1,
              f"{options}: status {done.status}, said {done.err!r}")


main()
