#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A slot's CPU that goes offline in the middle of a run is told of, and the run goes on. In an
emulated machine only: of this one no CPU is taken."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from bench import Bench, check, read_summary, require

SWITCH = pathlib.Path("/sys/devices/system/cpu/cpu1/online")
OPTIONS = ["--protocol", "generation", "--duration", "100", "--vcpus", "8", "--overcommit", "4"]
ROWS_BYTES = 500                # some flushes


def wait_for_rows(process, rows, more):
    before = rows.stat().st_size if rows.exists() else 0
    while process.poll() is None and not (rows.exists() and rows.stat().st_size > before + more):
        time.sleep(0.02)


def run(bench, folder, meanwhile):
    """Flushes, @meanwhile, and flushes again."""
    with subprocess.Popen(bench.command(folder, *OPTIONS), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        rows = pathlib.Path(folder, "flush-latency.csv")
        wait_for_rows(process, rows, ROWS_BYTES)
        meanwhile()
        wait_for_rows(process, rows, ROWS_BYTES)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    check(process.returncode == 0 and err == "", f"status {process.returncode}, said: {err}")
    return out, read_summary(folder)["protocols"][0]


def main():
    require("require_kvm")
    if "SHOOTDOWN_HOST" not in os.environ or not SWITCH.exists():
        print("SKIP: not in an emulated machine of two CPUs")
        sys.exit(77)
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        out, protocol = run(bench, folder, lambda: None)
        check(protocol["strayed"] == 0 and "offline" not in out, f"nothing went offline: {out}")
        try:
            out, protocol = run(bench, folder, lambda: SWITCH.write_text("0"))
        finally:
            SWITCH.write_text("1")
    check(0 < protocol["strayed"] <= protocol["switches"], f"{protocol}")
    check("slices ended on a CPU that is not their slot's" in out, out)
    check(protocol["stale"] == 0 and protocol["flushes"] > 0, f"{protocol}")


main()
