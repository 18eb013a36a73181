#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`./run bench sim` in small: every measured cell has its simulated one, the closed form
agrees with the model, and the cloud has all cells and its plots."""
import csv
import pathlib
import tempfile

from bench import PATIENCE, SAFE, Bench, check, require, slice_us

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "bench.py"
FIGURES = 7
SLICE_US = slice_us(2000)


def rows(folder, name):
    with open(pathlib.Path(folder, name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_measured(folder):
    found = rows(folder, "sim-measured.csv")
    check({row["protocol"] for row in found} == set(SAFE), f"protocols of {found[:1]}")
    check(len(found) == len(SAFE) * FIGURES, f"{len(found)} rows measured")
    for row in found:
        measured, simulated = float(row["measured"]), float(row["simulated"])
        check(measured > 0 and simulated > 0, f"nothing to compare: {row}")
        check(abs(float(row["ratio"]) - simulated / measured) < 1e-9, f"ratio: {row}")
    slice_ns = 1000 * int(SLICE_US)
    by = {(row["protocol"], row["figure"]): float(row["simulated"]) for row in found}
    # What the protocols are for, whatever the host costs: on two slots of two.
    check(by["ipi", "wall_p50_ns"] > slice_ns, f"ipi waits {by['ipi', 'wall_p50_ns']} ns")
    check(by["generation", "wall_p50_ns"] < slice_ns, "generation waits for a slice")


def check_closed(folder):
    found = rows(folder, "sim-closed.csv")
    check({row["protocol"] for row in found} == {"ipi", "sleep"}, f"closed forms: {found}")
    for row in found:
        check(float(row["closed_ns"]) == float(row["free_of_cost_ns"]), f"not exact: {row}")


def check_cloud(folder):
    found = rows(folder, "sim-cloud.csv")
    shapes = {(row["vcpus"], row["protocol"]) for row in found}
    check(shapes == {(vcpus, name) for vcpus in ("256", "512") for name in SAFE}, f"{shapes}")
    check(all(int(row["flushes"]) > 0 for row in found), "a cell without flushes")
    svg = pathlib.Path(folder, "sim-cloud.svg").read_text(encoding="utf-8")
    check(all(name in svg for name in SAFE) and svg.rstrip().endswith("</svg>"), "the SVG")
    png = pathlib.Path(folder, "sim-cloud.png").read_bytes()
    check(png.startswith(b"\x89PNG") and len(png) > 5000, "the PNG")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done = bench.run([SCRIPT, bench.vmm, "sim", "--out", folder, "--rounds", "1",
                          "--duration", str(10 * PATIENCE), "--flushes", "100",
                          "--overcommit", "2", "--slices", SLICE_US,
                          "--seconds", "2", "--cloud-overcommit", "1,2",
                          "--cloud-seconds", "0.2"], limit_s=110)
        check(done.status == 0, f"status {done.status}: {done.err}{done.out}")
        check_measured(folder)
        check_closed(folder)
        check_cloud(folder)


main()
