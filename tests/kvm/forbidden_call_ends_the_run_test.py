#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A forbidden system call in the middle of a run: status 4 and one line that names the
call and the kind of thread, whichever it is; the rows that are on disk are whole. A
preloaded library makes the call."""
import os
import pathlib
import re
import tempfile

from bench import Bench, check, check_counts, check_order, read_csv, read_summary, require

OPENAT = r"forbidden system call openat\(0xffffff9c, 0x[0-9a-f]+, 0x0, 0x0\)"
# The function that makes the call, and the thread's name. Once a slice of 2 ms and slot,
# ten times a second.
VCPU = ("timer_settime", "vCPU thread")
MAIN = ("io_uring_submit_and_wait_timeout", "main thread")
LATE = {VCPU: 1000, MAIN: 30}   # there are rows by then
EARLY = {VCPU: 20, MAIN: 5}     # a second is enough for that


def run(bench, folder, mode, duration_s, function, at):
    environment = dict(os.environ, FORBIDDEN_IN=function, FORBIDDEN_AT=str(at),
                       LD_PRELOAD=os.path.join(bench.build, "tests", "forbidden_call.so"))
    return bench.run(bench.command(folder, "--vcpus", "2", "--confine", mode,
                                   "--protocol", "generation", "--duration", duration_s),
                     env=environment)


def check_ended(bench, folder, where):
    """The run ended at the call; returns the rows up to there."""
    function, thread = where
    done = run(bench, folder, "on", "50", function, LATE[where])
    check(done.status == 4, f"{thread}: status {done.status}, said: {done.err}")
    check(re.fullmatch(f"vmm: {thread}: {OPENAT}; see --confine\n", done.err),
          f"{thread}: said: {done.err!r}")
    rows = read_csv(folder)
    check_order(rows)
    check(rows, f"{thread}: no row")
    return rows


def check_passed(bench, folder, mode, where, wanted):
    """The run took no notice but for what @wanted matches on stderr."""
    function, _ = where
    done = run(bench, folder, mode, "1", function, EARLY[where])
    check(done.status == 0, f"{mode}, {function}: status {done.status}, said: {done.err}")
    check(re.fullmatch(wanted, done.err), f"{mode}, {function}: said: {done.err!r}")
    summary = read_summary(folder)
    check(summary["confine"] == mode, f"confine {summary['confine']}, not {mode}")
    check_counts(summary, read_csv(folder))


def main():
    require("require_kvm")
    require("require_confined", os.path.abspath(Bench().vmm))
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        # Another thread than main: all that was measured is reported.
        rows = check_ended(bench, folder, VCPU)
        summary = read_summary(folder)
        check_counts(summary, rows)
        check(summary["confine"] == "on", f"confine {summary['confine']}")

        # Main itself can but finish the rows.
        rows = check_ended(bench, folder, MAIN)
        check(pathlib.Path(folder, "summary.json").read_bytes() == b"", "who wrote a summary?")
        print(f"{len(rows)} rows until main's call")

        for where in VCPU, MAIN:
            check_passed(bench, folder, "log", where,
                         f"vmm: {where[1]}: {OPENAT}, let through\n")
            check_passed(bench, folder, "off", where, "")


main()
