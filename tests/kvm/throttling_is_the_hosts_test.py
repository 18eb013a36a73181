#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In a cgroup that may use a fifth of a CPU a run goes well, takes as long as it takes,
and the report names the quota and what it cost; without one it names none."""
import contextlib
import os
import pathlib
import sys
import tempfile

from bench import Bench, check, read_summary, require

QUOTA_US, PERIOD_US = 20000, 100000
OPTIONS = ["--on", "kvm", "--vcpus", "4", "--overcommit", "4", "--protocol", "generation",
           "--flushes", "5", "--warmup", "0"]


def find_parent():
    """A cgroup with the CPU controller that may have children, and its version."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, after = line.split(" - ", 1)
        kind, _, options = after.split(" ", 2)
        mount = pathlib.Path(before.split()[4])
        if kind == "cgroup" and "cpu" in options.split(","):
            return mount, 1
        if kind == "cgroup2" and "cpu" in (mount / "cgroup.controllers").read_text().split():
            (mount / "cgroup.subtree_control").write_text("+cpu")
            return mount, 2
    raise OSError("no cgroups with a CPU controller are mounted")


@contextlib.contextmanager
def quota():
    """Its folder; the group goes when all is over."""
    parent, version = find_parent()
    group = parent / f"shootdown-test-{os.getpid()}"
    group.mkdir()
    try:
        if version == 2:
            (group / "cpu.max").write_text(f"{QUOTA_US} {PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(QUOTA_US))
        yield group
    finally:
        group.rmdir()


def run(bench, group):
    with tempfile.TemporaryDirectory() as folder:
        def join():
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))
        command = bench.command(folder, *OPTIONS)
        done = bench.run(command, 300, preexec_fn=join)
        check(done.status == 0 and done.err == "", f"status {done.status}, said: {done.err}")
        return done.out, read_summary(folder)


def main():
    require("require_kvm")
    bench = Bench()
    try:
        with quota() as group:
            out, summary = run(bench, group)
    except OSError as error:
        print(f"SKIP: {error}")
        sys.exit(77)
    protocol = summary["protocols"][0]
    check(summary["host"]["quota_cpus"] == QUOTA_US / PERIOD_US, f"{summary['host']}")
    check(protocol["throttles"] > 0 and protocol["throttled_ns"] > 0, f"{protocol}")
    check("cgroup quota 0.20 CPUs" in out and "throttled: a cgroup's CPU quota" in out, out)
    check(protocol["disturbed"], f"throttled and not disturbed: {protocol}")
    out, summary = run(bench, None)
    if summary["host"]["quota_cpus"] is None:
        check("quota" not in out and summary["protocols"][0]["throttles"] == 0, out)


main()
