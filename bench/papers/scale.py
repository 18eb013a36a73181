# SPDX-License-Identifier: MIT
"""scale.py - how a flush grows with the number of vCPUs, on the same slots.

    ./run bench scale [--vcpus N,...] [--protocol LIST] [--rounds N] [--duration S]
                       [--out DIR] [vmm options]

One slot a CPU, slices of 10 ms, no pause between flushes; a run takes at least so long
that every vCPU has its slot eight times. DIR/scale.csv has a row for each round, number
of vCPUs and protocol; medians over the rounds go to stdout, with the growth against the
first number.
"""
from lib import runs

FIGURES = {
    "wall_p50_ns": lambda p: p["wall_ns"]["p50"],
    "wall_p99_ns": lambda p: p["wall_ns"]["p99"],
    "stall_p50_ns": lambda p: p["stall_ns"]["p50"],
    "pte_p50_ns": lambda p: p["pte_ns"]["p50"],
    "ipis_per_flush": lambda p: p["ipis_per_flush"],
    "deferred_per_flush": lambda p: p["deferred_per_flush"],
    "flushes": lambda p: p["flushes"],
}


SLICE_US = 10000
ROTATIONS = 8


def options_of(arguments, options, vcpus):
    overcommit = runs.overcommit(vcpus, runs.cpus())
    duration = max(arguments.duration, ROTATIONS * overcommit * SLICE_US / 1e6)
    return ["--vcpus", vcpus, "--overcommit", overcommit, "--slice-us", SLICE_US,
            "--pace-us", 0, "--protocol", arguments.protocol, "--duration", duration, *options]


def print_medians(first, cells):
    print(f"{'protocol':<17}{'vCPUs':>6}{'wall p50':>11}{'growth':>8}{'wall p99':>11}"
          f"{'PTE p50':>10}{'IPIs':>6}{'deferred':>9}{'flushes':>9}{'stale':>6} of checks")
    for (name, vcpus), cell in sorted(cells.items()):
        base = cells[name, first]["wall_p50_ns"]
        growth = f"{cell['wall_p50_ns'] / base:.2f}" if base and cell["wall_p50_ns"] else "-"
        print(f"{name:<17}{vcpus:>6}{runs.us(cell['wall_p50_ns'], 11, 1)}{growth:>8}"
              f"{runs.us(cell['wall_p99_ns'], 11)}{runs.us(cell['pte_p50_ns'], 10, 1)}"
              f"{cell['ipis_per_flush']:>6.2f}{cell['deferred_per_flush']:>9.1f}"
              f"{cell['flushes']:>9.0f}{cell['stale']:>6} {cell['checks']:.3g}")


def main(words):
    parser = runs.parser("scale", __doc__.splitlines()[0], rounds=3, duration=4)
    parser.add_argument("--vcpus", default=[8, 64, 256, 1024], metavar="N,...",
                        type=runs.numbers)
    parser.add_argument("--protocol", default="generation")
    arguments, options = parser.parse_known_args(words)
    path = arguments.out / "scale.csv"
    cells = runs.sweep(arguments, lambda vcpus: options_of(arguments, options, vcpus),
                       arguments.vcpus, FIGURES, path, "vcpus")
    print_medians(arguments.vcpus[0], cells)
    print(path)
