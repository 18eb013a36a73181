# SPDX-License-Identifier: MIT
"""churn.py - the table of the ebizzy results of 2012 and 2017, in their shape.

    ./run bench churn [--overcommit K,...] [--rounds N] [--pairs N] [--duration S]
                       [--protocol LIST] [--out DIR] [vmm options]

Every vCPU maps, touches, works, unmaps and flushes (vmm --workload churn); what is
counted is how often. One slot a CPU, K vCPUs a slot. Rounds go through all protocols
in turn, so that a protocol and `ipi` of the same round are a pair. At overcommit 1,
where nothing should be lost, --pairs rounds are made and the 95 % interval of the
ratio is shown; elsewhere mean and standard deviation of --rounds.

DIR/churn.csv has a row for each overcommit, protocol and round.
"""
import csv
from lib import runs
from papers import series

BASE = "ipi"


def measure(arguments, options, overcommit):
    vcpus = runs.cpus() * overcommit
    rounds = arguments.pairs if overcommit == 1 else arguments.rounds
    runs.say_progress(f"overcommit {overcommit}: {vcpus} vCPUs, {rounds} rounds")
    summary = runs.run(arguments.vmm, "--workload", "churn", "--vcpus", vcpus,
                       "--overcommit", overcommit, "--protocol", arguments.protocol,
                       "--repeat", rounds, "--duration", arguments.duration, *options)
    return {protocol["name"]: protocol for protocol in summary["protocols"]}


def print_table(overcommit, protocols):
    base = runs.rates(protocols[BASE])
    print(f"\novercommit {overcommit}: {runs.cpus() * overcommit} vCPUs on {runs.cpus()} slots, "
          f"{len(base)} rounds")
    print(f"{'protocol':<17}{'ops/s':>9}{'sd':>8}{'to ' + BASE:>10}{'95 % interval':>18}"
          f"{'wall p50':>11}{'wall p99':>11}{'stale':>7} of checks")
    for name, protocol in protocols.items():
        mean, sd = series.mean_sd(runs.rates(protocol))
        ratio, low, high = series.ratio_interval(runs.rates(protocol), base)
        print(f"{name:<17}{mean:>9.0f}{sd:>8.0f}{100 * (ratio - 1):>+9.1f}%"
              f"{100 * (low - 1):>+8.1f} to{100 * (high - 1):>+6.1f}%"
              f"{runs.us(protocol['wall_ns']['p50'], 11)}{runs.us(protocol['wall_ns']['p99'], 11)}"
              f"{protocol['stale']:>7} {protocol['checks']:.3g}", flush=True)


def main(words):
    parser = runs.parser("churn", __doc__.splitlines()[0], rounds=5, duration=1)
    parser.add_argument("--overcommit", default=[1, 2, 3], metavar="K,...", type=runs.numbers)
    parser.add_argument("--pairs", default=20, type=int, help="rounds at overcommit 1")
    parser.add_argument("--protocol", default="safe,ipi-pending-2017")
    arguments, options = parser.parse_known_args(words)
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "churn.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["overcommit", "protocol", "round", "ops_per_s", "stale"])
        for overcommit in arguments.overcommit:
            protocols = measure(arguments, options, overcommit)
            for name, protocol in protocols.items():
                for number, rate in enumerate(runs.rates(protocol)):
                    rows.writerow([overcommit, name, number, rate, protocol["stale"]])
            runs.say_progress("")
            print_table(overcommit, protocols)
    print(f"\n{path}")
