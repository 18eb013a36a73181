#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A timeline that was cut short can still be read: after SIGKILL, on a full disk; an
orderly interruption closes it."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import timeline as timelines
from bench import PATIENCE, Bench, check, fail, private_mounts, require

OPTIONS = ["--vcpus", "4", "--overcommit", "2", "--protocol", "generation", "--pace-us", "0"]
LIMIT_S = 30 * PATIENCE
DISK_BYTES = 256 << 10
SCRIPT = f'''
mount -t tmpfs -o size={DISK_BYTES} none "$0"
status=0
"$@" || status=$?
cp "$0/trace.json" "$0/.."
exit $status
'''


def wait_for_bytes(path, count):
    end = time.monotonic() + LIMIT_S
    while not path.exists() or path.stat().st_size < count:
        if time.monotonic() > end:
            fail(f"{path}: not {count} bytes within {LIMIT_S} s")
        time.sleep(0.01)


def run_until(bench, folder, sent):
    """Timeline file of a run that got the signal @sent in the middle; its status too."""
    path = pathlib.Path(folder, "trace.json")
    path.unlink(missing_ok=True)
    command = bench.command(folder, *OPTIONS, "--duration", "60", "--trace", str(path))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    try:
        wait_for_bytes(path, 1 << 20)
        process.send_signal(sent)
        process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        fail(f"not over {LIMIT_S} s after {sent!r}")
    finally:
        process.kill()
    return path, process.returncode


def check_killed(bench, folder):
    path, status = run_until(bench, folder, signal.SIGKILL)
    check(status == -signal.SIGKILL, f"status {status}")
    text = path.read_text(encoding="ascii")
    # The last write may not have been over.
    timeline = timelines.read_text(timelines.close_cut(text[:text.rindex("\n") + 1]))[0]
    check(not timeline.marks, f"it was closed: {timeline.marks}")
    check(any(s.name == "flush" for s in timeline.slices), "no flush")


def check_interrupted(bench, folder):
    path, status = run_until(bench, folder, signal.SIGINT)
    check(status == 0, f"status {status}")
    timeline = timelines.read(path)
    check(any(s.name == "flush" for s in timeline.slices), "no flush")


def check_full_disk(bench, folder):
    disk = os.path.join(folder, "disk")
    os.makedirs(disk)
    command = bench.command(folder, *OPTIONS, "--flushes", "3000", "--trace", f"{disk}/trace.json")
    done = bench.run([*private_mounts(), "sh", "-euc", SCRIPT, disk, *command])
    check(done.status == 5, f"status {done.status}, said: {done.err}")
    check(f"{disk}/trace.json: No space left on device" in done.err and
          done.err.count("\n") == 1, f"said: {done.err}")
    timeline = timelines.read_cut(os.path.join(folder, "trace.json"))
    check(timeline.slices, "nothing was written")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        check_killed(bench, folder)
        check_interrupted(bench, folder)
        require("require_private_mounts")
        check_full_disk(bench, folder)


main()
