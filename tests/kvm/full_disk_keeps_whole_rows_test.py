#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A disk that fills up during the run: status 5 and a line that names the file;
the CSV ends with a whole row, and a summary that is elsewhere is whole."""
import os
import pathlib
import tempfile

from bench import (Bench, check, check_order, private_mounts, read_rows, read_summary, require)

DISK_BYTES = 64 << 10
FLUSHES = 3000                  # of at least 40 bytes each
SCRIPT = f'''
mount -t tmpfs -o size={DISK_BYTES} none "$0"
status=0
"$@" || status=$?
cp "$0/rows.csv" "$0/.."
[ ! -e "$0/whole.json" ] || cp "$0/whole.json" "$0/.."
exit $status
'''


def run_on_full_disk(bench, folder, *options):
    """What came of it; rows.csv of the disk is in @folder afterwards."""
    disk = os.path.join(folder, "disk")
    os.makedirs(disk, exist_ok=True)
    command = bench.command(folder, "--vcpus", "2", "--overcommit", "1", "--pace-us", "0",
                            "--protocol", "generation", "--flushes", str(FLUSHES),
                            "--csv", f"{disk}/rows.csv", *options)
    done = bench.run([*private_mounts(), "sh", "-euc", SCRIPT, disk, *command])
    check(done.status == 5, f"status {done.status}, said: {done.err}")
    check(f"{disk}/rows.csv: No space left on device" in done.err, f"said: {done.err}")
    text = pathlib.Path(folder, "rows.csv").read_text(encoding="ascii")
    rows = read_rows(text)
    check_order(rows)
    check(0 < len(rows) < FLUSHES, f"{len(rows)} rows: the disk was not full")
    check(len(text) > DISK_BYTES // 2, f"only {len(text)} bytes of {DISK_BYTES} were used")
    return done, rows


def main():
    require("require_kvm")
    require("require_private_mounts")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done, rows = run_on_full_disk(bench, folder)
        check(done.err.count("\n") == 1, f"more than a line: {done.err}")
        summary = read_summary(folder)
        generation = summary["protocols"][0]
        check(generation["flushes"] + generation["dropped"] == FLUSHES, f"summary: {generation}")
        check(generation["flushes"] > len(rows), "the summary forgot what the CSV lost")
        check("generation" in done.out, "no table")

        # The summary on the same disk: either it is whole, or a line names it.
        done, _ = run_on_full_disk(bench, folder, "--json", f"{folder}/disk/whole.json")
        if "whole.json: No space left on device" not in done.err:
            os.rename(f"{folder}/whole.json", f"{folder}/summary.json")
            read_summary(folder)


main()
