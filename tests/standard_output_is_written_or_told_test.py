#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What goes to standard output and cannot be written there is status 5 and one line, also
for --help and its like: a full disk, a closed descriptor, a pipe that nobody reads.
Usage: standard_output_is_written_or_told_test.py VMM BUILD"""
import os
import subprocess
import sys

ANSWERS = ["--help", "-h", "--version", "--list-protocols"]


def run(vmm, option, stdout, before=None):
    return subprocess.run([vmm, option], stdin=subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=20, check=False,
                          preexec_fn=before)


def check_told(done, what, reason):
    if done.returncode != 5 or done.stderr != f"vmm: standard output: {reason}\n":
        sys.exit(f"FAIL: {what}: status {done.returncode}, said: {done.stderr!r}")


def main():
    vmm = sys.argv[1]
    for option in ANSWERS:
        good = run(vmm, option, subprocess.PIPE)
        if good.returncode != 0 or good.stderr or not good.stdout.endswith("\n"):
            sys.exit(f"FAIL: {option}: status {good.returncode}, said: {good.stderr!r}")
        with open("/dev/full", "w", encoding="ascii") as full:
            check_told(run(vmm, option, full), f"{option} >/dev/full", "No space left on device")
        check_told(run(vmm, option, None, lambda: os.close(1)), f"{option} >&-",
                   "Bad file descriptor")
        check_told(run(vmm, option, None, lambda: os.closerange(0, 2)), f"{option} <&- >&-",
                   "Bad file descriptor")
        reader, writer = os.pipe()
        os.close(reader)
        check_told(run(vmm, option, writer), f"{option} | true", "Broken pipe")
        os.close(writer)
    print(f"{len(ANSWERS)} options, each in five ways")


main()
