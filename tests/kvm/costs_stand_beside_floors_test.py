#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`./run bench costs`, quickly: a row for each cost of the tool, what counts can be checked
is what it has to be, and a floor stands where a sweep has left one."""
import csv
import json
import pathlib
import tempfile

from bench import SAFE, Bench, check, require

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "bench.py"
COLUMNS = ["what", "value", "low", "high", "unit", "floor_what", "floor_value", "floor_unit",
           "note"]
ROWS = [*(f"start-up, {vcpus}" for vcpus in ("1 vCPU", "8 vCPUs", "64 vCPUs")),
        "memory of a vCPU, resident", "memory of a vCPU, mapped",
        *(f"exits for a flush, {name}" for name in SAFE), "slot switch", "recording a sample"]

# What a sweep may have left: one primitive was not measured.
HOST = {"primitives": {"exit_ns": {"p50": 80123, "samples": 2000},
                       "futex_handover_ns": {"p50": None, "samples": 0},
                       "clock_ns": {"p50": 15, "samples": 2000}}}


def measure(bench, out):
    done = bench.run([SCRIPT, bench.vmm, "costs", "--out", out, "--quick"], limit_s=110)
    check((done.status, done.err) == (0, ""), f"status {done.status}, said: {done.err}")
    with open(pathlib.Path(out, "costs.csv"), encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file)
        rows = {row["what"]: row for row in lines}
        check(lines.fieldnames == COLUMNS, f"{lines.fieldnames}")
    check(list(rows) == ROWS, f"{list(rows)}")
    check(all(what in done.out for what in ROWS), f"not every cost is printed: {done.out}")
    return rows


def check_values(rows):
    for row in rows.values():
        check(row["unit"] and (row["value"] == "" or float(row["value"]) > 0), f"{row}")
        check(row["low"] == "" or
              float(row["low"]) <= float(row["value"]) <= float(row["high"]), f"{row}")
        check(row["value"] or row["note"].endswith("flushes: 0"), f"{row}")
    # A page of its own, its region, its tables: the guest's alone.
    check(float(rows["memory of a vCPU, resident"]["value"]) >= 4, f"{rows}")
    check(float(rows["memory of a vCPU, mapped"]["value"]) >=
          float(rows["memory of a vCPU, resident"]["value"]), f"{rows}")
    # A doorbell at least.
    hypercall = rows["exits for a flush, hypercall"]["value"]
    check(hypercall == "" or float(hypercall) >= 1, f"{hypercall} exits")


def check_floors(rows):
    for what, row in rows.items():
        found = row["floor_what"], row["floor_value"], row["floor_unit"]
        wanted = ("", "", "")
        if what.startswith("exits"):
            wanted = ("an exit to userspace and back", "80.123", "us")
        elif what == "recording a sample":
            wanted = ("a reading of the clock", "15.0", "ns")
        check(found == wanted, f"{what}: {found}, not {wanted}")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as out:
        rows = measure(bench, out)
        check_values(rows)
        check(not any(row["floor_what"] for row in rows.values()), f"a floor of what? {rows}")
        pathlib.Path(out, "host.json").write_text(json.dumps(HOST), encoding="utf-8")
        rows = measure(bench, out)
        check_values(rows)
        check_floors(rows)


main()
