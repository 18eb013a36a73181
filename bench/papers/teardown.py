# SPDX-License-Identifier: MIT
"""teardown.py - what does it cost to free page tables after a grace period?

    ./run bench teardown [--flushes N] [--rounds N] [--protocol LIST] [--out DIR]
                          [vmm options]

The question that the threads of 2012 ("any idea how much?" - "no idea") and 2017 left
open. Three loads: half (half of the CPUs initiate, the others sleep), optimal (four
initiators a CPU, kernbench's word), and one vCPU a CPU, all initiating. For each, N
rounds of build, tear down and free under --table-free now and rcu, in turn: elapsed
time, CPU time of the vCPUs, switches, sleeps, as mean and standard deviation of the
rounds, and the tables held back at most. Under `now` a protocol that does not interrupt
every target is there for its cost only: its walkers meet freed tables (bad).

DIR/teardown.csv has a row for each load, way of freeing, protocol and round.
"""
import csv

from lib import runs
from papers import series

WAYS = ["now", "rcu"]
COLUMNS = {
    "elapsed_s": lambda p: p["flushes"] / p["flushes_per_s"],
    "cpu_s": lambda p: p["vcpu_cpu_ns"] / 1e9,
    "switches": lambda p: p["switches"],
    "sleeps": lambda p: p["sleeps"],
    "held_max": lambda p: p["tables_held_max"],
    "grace_us": lambda p: p["grace_ns"] / 1000,
    "walks": lambda p: p["walks"],
    "bad_walks": lambda p: p["bad_walks"],
}


def loads():
    cpus = runs.cpus()
    half = max(1, cpus // 2)
    return {
        "half": ["--vcpus", cpus, "--overcommit", 1, "--initiators", half,
                 "--sleepers", cpus - half],
        "optimal": ["--vcpus", 4 * cpus, "--overcommit", 4, "--initiators", 4 * cpus],
        "overcommit 1": ["--vcpus", cpus, "--overcommit", 1, "--initiators", cpus],
    }


def measure(arguments, options, rows):
    cells = {}
    for number in range(arguments.rounds):
        for load, shape in loads().items():
            for way in WAYS:
                runs.say_progress(f"round {number + 1} of {arguments.rounds}, {load}, {way}")
                summary = runs.run(arguments.vmm, "--workload", "teardown", "--table-free", way,
                                   "--protocol", arguments.protocol,
                                   "--flushes", arguments.flushes, *shape, *options)
                for protocol in summary["protocols"]:
                    values = {name: figure(protocol) for name, figure in COLUMNS.items()}
                    rows.writerow([load, way, protocol["name"], number, *values.values()])
                    cells.setdefault((load, protocol["name"], way), []).append(values)
    runs.say_progress("")
    return cells


def text(values, name, digits):
    mean, sd = series.mean_sd([value[name] for value in values])
    return f"{mean:.{digits}f} ({sd:.{digits}f})"


def print_table(arguments, cells):
    print(f"{arguments.flushes} rounds of tear-down, mean (sd) of {arguments.rounds}")
    print(f"{'load':<13}{'protocol':<12}{'free':<5}{'elapsed s':>16}{'vCPU CPU s':>16}"
          f"{'switches':>14}{'sleeps':>13}{'held max':>10}{'grace us':>10}{'bad walks':>11} of")
    for (load, name, way), values in cells.items():
        held = max(value["held_max"] for value in values)
        grace, _ = series.mean_sd([value["grace_us"] for value in values])
        bad, walks = (sum(value[key] for value in values) for key in ("bad_walks", "walks"))
        print(f"{load:<13}{name:<12}{way:<5}{text(values, 'elapsed_s', 3):>16}"
              f"{text(values, 'cpu_s', 3):>16}{text(values, 'switches', 0):>14}"
              f"{text(values, 'sleeps', 0):>13}{held:>10}{grace:>10.0f}{bad:>11} {walks:.3g}")


def main(words):
    parser = runs.parser("teardown", __doc__.splitlines()[0], rounds=5)
    parser.add_argument("--flushes", default=2000, type=int)
    parser.add_argument("--protocol", default="ipi,deferred,generation,takeover")
    arguments, options = parser.parse_known_args(words)
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "teardown.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["load", "table_free", "protocol", "round", *COLUMNS])
        print_table(arguments, measure(arguments, options, rows))
    print(path)
