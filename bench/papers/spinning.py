# SPDX-License-Identifier: MIT
"""spinning.py - does pause-loop exiting help who waits for a preempted vCPU?

    ./run bench spinning [--ple US,...] [--protocol LIST] [--rounds N] [--duration S]
                          [--out DIR] [vmm options]

Flushes under each window of --ple (0 is off), rounds through all windows in turn.
DIR/spinning.csv has a row for each round, window and protocol; medians over the
rounds go to stdout.
"""
from lib import runs

FIGURES = {
    "flushes_per_s": lambda p: p["flushes_per_s"],
    "wall_p50_ns": lambda p: p["wall_ns"]["p50"],
    "wall_p99_ns": lambda p: p["wall_ns"]["p99"],
    "stall_p50_ns": lambda p: p["stall_ns"]["p50"],
    "stall_p99_ns": lambda p: p["stall_ns"]["p99"],
    "spun": lambda p: p["spun"],
}


def print_medians(cells):
    print(f"{'protocol':<17}{'--ple':>7}{'flushes/s':>11}{'wall p50':>11}{'wall p99':>11}"
          f"{'stall p50':>11}{'stall p99':>11}{'slices lost':>13}{'stale':>6} of checks")
    for (name, window), cell in sorted(cells.items()):
        times = "".join(runs.us(cell[key], 11) for key in
                        ("wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns"))
        print(f"{name:<17}{window:>7}{cell['flushes_per_s']:>11.0f}{times}{cell['spun']:>13.0f}"
              f"{cell['stale']:>6} {cell['checks']:.3g}")


def main(words):
    parser = runs.parser("spinning", __doc__.splitlines()[0], rounds=3, duration=2)
    parser.add_argument("--ple", default=[0, 50, 200, 1000], metavar="US,...", type=runs.numbers)
    parser.add_argument("--protocol", default="ipi,deferred,generation")
    arguments, options = parser.parse_known_args(words)
    path = arguments.out / "spinning.csv"
    cells = runs.sweep(arguments,
                       lambda window: ["--ple", window, "--protocol", arguments.protocol,
                                       "--duration", arguments.duration, *options],
                       arguments.ple, FIGURES, path, "ple_us")
    print_medians(cells)
    print(path)
