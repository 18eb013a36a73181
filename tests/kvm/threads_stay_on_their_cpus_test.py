#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No thread of the process may run where the process itself may not, the kernel's own ones
that write its files included."""
import os
import pathlib
import subprocess
import tempfile
import time

from bench import Bench, check, require

OPTIONS = ["--protocol", "generation", "--duration", "60", "--pace-us", "0", "--slice-us", "500"]
MORE = [], ["--reclaim", "2000"], ["--reclaim", "500", "--shadow-reclaim", "rcu", "--trace", "trace"]


def cpus_of(thread):
    """The set of CPUs of @thread, and its name; nothing of one that has gone."""
    try:
        status = (thread / "status").read_text(encoding="ascii")
    except OSError:
        return None
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    cpus = set()
    for item in lines["Cpus_allowed_list"].split(","):
        first, _, last = item.partition("-")
        cpus |= set(range(int(first), int(last or first) + 1))
    return lines["Name"], cpus


def watch(process, allowed):
    """For a second from the first file's first row on; the names of all threads seen."""
    names = set()
    until = time.monotonic() + 1
    while time.monotonic() < until:
        check(process.poll() is None, "over too early")
        for thread in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
            found = cpus_of(thread)
            if found is None:
                continue
            name, cpus = found
            names.add(name)
            check(cpus <= allowed, f"{name} may run on {cpus}, the process on {allowed}")
        time.sleep(0.02)
    return names


def main():
    require("require_kvm")
    mine = os.sched_getaffinity(0)
    if len(mine) < 2:
        print("SKIP: one CPU")
        raise SystemExit(77)
    bench = Bench()
    allowed = {max(mine)}
    seen = set()
    for more in MORE:
        with tempfile.TemporaryDirectory() as folder:
            with subprocess.Popen(bench.command(folder, "--on", "kvm", *OPTIONS, *more), cwd=folder,
                                  stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                  preexec_fn=lambda: os.sched_setaffinity(0, allowed)) as process:
                rows = pathlib.Path(folder, "flush-latency.csv")
                while process.poll() is None and not (rows.exists() and
                                                      rows.stat().st_size > 200):
                    time.sleep(0.02)
                seen |= watch(process, allowed)
                process.terminate()
            check(process.returncode == 0, f"{more}: status {process.returncode}")
    # Where the kernel writes at once it starts no worker (iou-wrk): then there is none to stray.
    print(f"threads: {', '.join(sorted(seen))}")


main()
