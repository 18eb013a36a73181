#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second SIGINT, SIGTERM or SIGHUP kills, whatever the guest does; the rows that are
in the CSV by then are whole."""
import pathlib
import random
import signal
import subprocess
import tempfile
import time

from bench import PATIENCE, Bench, check, check_order, fail, read_rows, require

LIMIT_S = 20 * PATIENCE
FLUSHES = 5000 // PATIENCE      # of a run that the second signal may find at its end
ROW_BYTES = 40                  # at least
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def wait_until(condition, what):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            fail(f"{what}: not within {LIMIT_S} s")
        time.sleep(0.001)


def wait_for_rows(process, csv, ready_bytes):
    """No limit for all of them: on a busy host they come slowly. Only they have to come."""
    size, end = 0, time.monotonic() + LIMIT_S
    while size < ready_bytes and process.poll() is None:
        before, size = size, csv.stat().st_size if csv.exists() else 0
        if size > before:
            end = time.monotonic() + LIMIT_S
        if time.monotonic() > end:
            fail(f"{csv}: {size} bytes, and no more within {LIMIT_S} s")
        time.sleep(0.001)


def is_pending(process, number):
    """Has nobody taken the signal yet? False once the process is over."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    masks = [line.split() for line in status.splitlines()]
    return any(int(line[1], 16) >> (number - 1) & 1 for line in masks
               if line[0] in ("SigPnd:", "ShdPnd:"))


def signal_twice(command, csv, first, second, ready_bytes):
    """Status after one signal when the CSV has @ready_bytes, another when that was handled."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    try:
        wait_for_rows(process, csv, ready_bytes)
        if process.poll() is None:
            process.send_signal(first)
            wait_until(lambda: not is_pending(process, first), "the first signal")
            process.send_signal(second)
        process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        fail(f"not over {LIMIT_S} s after the second signal")
    finally:
        process.kill()
    return process.returncode


def read(csv):
    text = csv.read_text(encoding="ascii")
    rows = read_rows(text) if text else []
    check_order(rows)
    return rows


def main():
    require("require_kvm")
    bench = Bench()
    pairs = [(first, second) for first in SIGNALS for second in SIGNALS]
    with tempfile.TemporaryDirectory() as folder:
        csv = pathlib.Path(folder, "flush-latency.csv")
        for first, second in pairs:
            # A guest that is deaf to the first one.
            command = bench.command(folder, "--vcpus", "2", "--overcommit", "2", "--protocol",
                                    "generation", bench.payload("busy_for_ever"))
            csv.unlink(missing_ok=True)
            status = signal_twice(command, csv, first, second, ready_bytes=5000)
            check(status == -second, f"{first!r}, {second!r}: status {status}")
            check(read(csv), "no rows")

        # The built-in payload may be done before the second one comes.
        moments = random.Random(1)
        ends = []
        for number in range(100 if bench.long else 10):
            first, second = pairs[number % len(pairs)]
            command = bench.command(folder, "--vcpus", "2", "--overcommit", "1", "--pace-us", "0",
                                    "--protocol", "generation", "--flushes", str(FLUSHES))
            csv.unlink(missing_ok=True)
            status = signal_twice(command, csv, first, second,
                                  moments.randrange(FLUSHES * ROW_BYTES // 2))
            check(status in (0, -second), f"{first!r}, {second!r}: status {status}")
            read(csv)
            ends.append(status)
        print(f"{len(ends)} runs, killed: {len(ends) - ends.count(0)}")


main()
