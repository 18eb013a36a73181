# SPDX-License-Identifier: MIT
"""soak.py - flushes until there are so many that a rare loss would have shown.

    ./run bench soak [--flushes N] [--least N] [--chunk N] [--seed X] [--out DIR] [--fresh]
                  [vmm options]

Runs, each in another shape drawn from the seed: vCPUs, slots, slice, initiators, pages,
sleepers, workload. The policies take turns, --chunk flushes a protocol in each run, until
every safe protocol has --least under each policy; one that has is left out of its runs.
Then all protocols for the same time with a CPU for each vCPU, where most is flushed, until
there are --flushes in all.

DIR/soak.csv has a row for each run, whose number is its --seed, and protocol; the same
command goes on from it (lib/journal.py), and --fresh begins anew. The counts by protocol and
policy go to stdout. The first run that fails ends it all, and its command is named.
"""
import random
import sys
import time

from lib import runs
from lib.journal import Journal, Refused

POLICIES = ["slice", "random", "at-step", "host"]
COUNTS = ["flushes", "checks", "stale", "dropped"]
SHAPE = ["vcpus", "overcommit", "slice_us", "initiators", "pages", "sleepers", "workload"]
COLUMNS = ["run", "preempt", *SHAPE, "seconds", "protocol", *COUNTS]
LONGEST_S = 10          # of one protocol in one run
REST_S = 2              # the same, once each has its share


def draw_shape(seed, number):
    dice = random.Random(f"{seed} {number}")
    slots = dice.randint(1, runs.cpus())
    vcpus = dice.choice([4, 8, 8, 12])
    workload = dice.choice(5 * ["toggle"] + ["churn"])
    sleepers = dice.choice([0, 0, 2]) if workload == "toggle" else 0
    return {
        "vcpus": vcpus, "overcommit": runs.overcommit(vcpus, slots),
        "slice_us": dice.choice([100, 200, 500, 1000, 2000]),
        # Many: while one waits for a rotation, others flush.
        "initiators": min(dice.choice([1, 4, 8, 8]), vcpus - sleepers),
        "pages": dice.choice([1, 1, 1, 8, 64]), "sleepers": sleepers, "workload": workload,
    }


def fastest_shape():
    """A CPU for each vCPU; never less than one who flushes and one who is asked."""
    return {"vcpus": max(2, runs.cpus()), "overcommit": 1, "slice_us": 2000, "initiators": 1,
            "pages": 1, "sleepers": 0, "workload": "toggle"}


class Soak:
    """What has been flushed, and what is missing."""

    def __init__(self, arguments, options):
        self.arguments, self.options = arguments, options
        self.protocols = runs.protocols(arguments.vmm, "safe")
        self.journal = self.open()
        self.path = self.journal.rows_path
        self.rows = [row for record in self.journal.records for row in record["rows"]]
        self.next_run = len(self.journal.records)

    def open(self):
        """Begin, or go on with, the soak in the folder. Raises Refused."""
        out, settings = self.arguments.out, {"seed": self.arguments.seed, "options": self.options}
        out.mkdir(parents=True, exist_ok=True)
        journal = Journal(out, "soak", "soak.csv", self.arguments.fresh)
        if journal.begin is not None:
            journal.refuse(settings)
        elif journal.rows_path.exists() and not self.arguments.fresh:
            raise Refused(f"{journal.rows_path} is no soak's: take another --out, or --fresh")
        else:
            journal.start({"settings": settings, "columns": COLUMNS})
        return journal

    def flushes(self, **wanted):
        return sum(row["flushes"] for row in self.rows
                   if all(row[name] == value for name, value in wanted.items()))

    def lacking(self, policy):
        return [name for name in self.protocols
                if self.flushes(protocol=name, preempt=policy) < self.arguments.least]

    def next_policy(self):
        """In turn those that lack flushes; when none does, all, until there are enough."""
        lacking = [policy for policy in POLICIES if self.lacking(policy)]
        if not lacking and self.flushes() >= self.arguments.flushes:
            return None
        lacking = lacking or POLICIES
        return lacking[self.next_run % len(lacking)]

    def run(self, policy):
        number, lacking = self.next_run, self.lacking(policy)
        shape = draw_shape(self.arguments.seed, number) if lacking else fastest_shape()
        until = (["--flushes", self.arguments.chunk, "--duration", LONGEST_S] if lacking
                 else ["--duration", REST_S])
        began = time.monotonic()
        options = [word for name, value in shape.items()
                   for word in (f"--{name.replace('_', '-')}", value)]
        summary = runs.run(self.arguments.vmm, "--preempt", policy, *options,
                           "--seed", number, "--pace-us", 0, "--warmup", 0.02,
                           *until, "--protocol", ",".join(lacking or self.protocols),
                           *self.options)
        seconds = round(time.monotonic() - began, 1)
        rows = [{"run": number, "preempt": policy, **shape, "seconds": seconds,
                 "protocol": protocol["name"], **{name: protocol[name] for name in COUNTS}}
                for protocol in summary["protocols"]]
        self.journal.add({"rows": rows}, [row.values() for row in rows])
        self.rows += rows
        self.next_run += 1

    def go_on(self):
        while (policy := self.next_policy()) is not None:
            runs.say_progress(f"run {self.next_run + 1}, {self.flushes():,} of "
                              f"{self.arguments.flushes:,} flushes, {policy}")
            self.run(policy)
        runs.say_progress("")

    def print_counts(self):
        print(f"{'flushes':<12}" + "".join(f"{policy:>12}" for policy in POLICIES) +
              f"{'all':>13}{'checks':>10}{'stale':>7}")
        for name in [*self.protocols, None]:
            wanted = {} if name is None else {"protocol": name}
            rows = [row for row in self.rows if name in (None, row["protocol"])]
            print(f"{name or 'all':<12}" +
                  "".join(f"{self.flushes(preempt=policy, **wanted):>12,}"
                          for policy in POLICIES) +
                  f"{self.flushes(**wanted):>13,}{sum(r['checks'] for r in rows):>10.2e}"
                  f"{sum(r['stale'] for r in rows):>7}")
        seconds = {row["run"]: row["seconds"] for row in self.rows}
        print(f"{len(seconds)} runs, {sum(seconds.values()) / 60:.0f} minutes")


def main(words):
    parser = runs.parser("soak", __doc__.splitlines()[0])
    parser.add_argument("--flushes", default=10_000_000, type=int, help="in all (10 million)")
    parser.add_argument("--least", default=100_000, type=int,
                        help="of each protocol under each policy (100000)")
    parser.add_argument("--chunk", default=20000, type=int, help="a protocol and run (20000)")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--fresh", action="store_true", help="drop what DIR has of a soak")
    arguments, options = parser.parse_known_args(words)
    try:
        soak = Soak(arguments, options)
    except Refused as refusal:
        print(f"soak: {refusal}", file=sys.stderr)
        sys.exit(2)
    soak.go_on()
    soak.print_counts()
    print(soak.path)
