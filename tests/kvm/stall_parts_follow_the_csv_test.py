#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`./run bench stall_parts` on a run: the parts of every protocol's stall are none negative and add
up to the mean of the CSV's column, and what ipi waits for on few slots is parked targets."""
import pathlib
import statistics
import tempfile

from bench import SAFE, SLICE, Bench, check, read_rows, require

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = "protocol,flushes,post_ns,flight_ns,handler_ns,parked_wait_ns,rest_ns,stall_mean_ns"
# Of a tenth of a nanosecond each, and the CSV's own.
ROUNDING_NS = 1


def check_row(protocol, flushes, parts, mean, rows):
    stalls = [row.stall_ns for row in rows if row.protocol == protocol]
    check(len(stalls) >= flushes > 0, f"{protocol}: {flushes} flushes, {len(stalls)} rows")
    check(min(parts.values()) >= 0, f"{protocol}: {parts}")
    check(abs(sum(parts.values()) - mean) <= ROUNDING_NS, f"{protocol}: {parts}, stall {mean}")
    check(len(stalls) > flushes or abs(statistics.fmean(stalls) - mean) <= ROUNDING_NS,
          f"{protocol}: {statistics.fmean(stalls)} ns in the CSV, {mean} here")
    return len(stalls) - flushes


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        command = [ROOT / "bench" / "bench.py", bench.vmm, "stall_parts", "--out", out,
                   *SLICE, "--flushes", "100", "--csv", out / "flushes.csv", "--vcpus", "8",
                   "--overcommit", "4"]
        done = bench.run(command, limit_s=100)
        check((done.status, done.err) == (0, ""), f"status {done.status}, said: {done.err}")
        header, *lines = (out / "parts.csv").read_text(encoding="ascii").splitlines()
        rows = read_rows((out / "flushes.csv").read_text(encoding="ascii"))
    check(header == HEADER, f"{header}")
    table = {fields[0]: fields[1:] for fields in (line.split(",") for line in lines)}
    check(list(table) == SAFE, f"{list(table)}")
    names, lost = HEADER.split(",")[2:-1], 0
    for protocol, (flushes, *parts, mean) in table.items():
        check(protocol in done.out, f"no {protocol} in the table: {done.out}")
        parts = dict(zip(names, map(float, parts)))
        lost += check_row(protocol, int(flushes), parts, float(mean), rows)
        if protocol == "ipi":
            check(parts["parked_wait_ns"] > float(mean) / 2, f"ipi: {parts}")
    check((f"{lost} flushes left out" in done.out) == (lost > 0) and lost * 100 <= len(rows),
          f"{lost} flushes without a row are not said, or are many: {done.out}")
    print(f"{len(table)} protocols, {len(rows)} flushes, {lost} left out")


main()
