#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""sweep.py - every safe protocol by slots, vCPUs, initiators and slices, within a time.

    bench/sweep.py VMM [--quick] [--minutes M] [--rounds N] [--seed X] [--out DIR] [--fresh]
                   [--slots N,...] [--vcpus N,...] [--initiators N,...] [--slice-us US,...]
                   [--protocol LIST] [vmm options]

15 minutes, 5 rounds; --quick: one minute, 2 rounds. bench/sweep_plan.py says which cells
fit into that and for how long each is measured. Every round goes through all cells in an
order of its own, and every run through the protocols in one of its own, so that drift of
the host spreads over them.

A sweep that was killed goes on where it was when it is started again with the same options
and folder (bench/sweep_journal.py); of a complete one only the page is made again. --fresh
measures anew. The first Ctrl-C ends it in order: the run under way is not counted, what was
measured is written.

Files in DIR: flush-latency.csv, a row a flush (`run` is the round); summary.csv, a row a
cell and protocol (bench/sweep_summary.py); sweep.json, what was measured and how;
summary.json, a run's without what differs from run to run; host.json, `vmm --host`;
switch.hist, slot switches of the base cell; parts.csv, costs.csv and index.html of the
modules beside this one.

Exit status: 0; that of vmm when a run fails, 1 when a run saw a stale translation (its
command is on stderr, the sweep goes on) and 6 when one was over a --fail-over; 2 usage, or a
folder that holds another sweep; 5 results could not be written; 130 after Ctrl-C.
"""
import argparse
import collections
import csv
import ctypes
import datetime
import json
import os
import pathlib
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time

import comparison
import runs
import sweep_journal
import sweep_plan
import sweep_summary
from sweep_journal import Refused
from sweep_plan import Cell, Times

MINUTES = {False: 15.0, True: 1.0}      # by --quick
ROUNDS = {False: 5, True: 2}
WEIGHTS = {False: sweep_plan.FULL, True: sweep_plan.QUICK}
# Of the time, for page, parts and costs.
AFTER_SHARE, AFTER_LEAST_S = 6, 15
# What vmm found or was told to find; the run is whole.
FINDINGS = {1: "a stale translation, or a control that was not caught", 6: "over a threshold"}
STOPPED = 130
# Left to vmm nothing of this: the sweep sets it.
OWN = ["--overcommit", "--duration", "--warmup", "--repeat", "--csv", "--json"]
FILES = ["summary.csv", "sweep.json", "summary.json", "host.json", "parts.csv", "costs.csv",
         "switch.hist", "index.html"]
QUIET_S = 60                            # between two lines where there is no terminal
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """A run that failed; vmm has said why on stderr."""

    def __init__(self, status, command):
        super().__init__(f"exit status {status} of {shlex.join(command)}")
        self.status = status


class Stop:
    """The first SIGINT asks for the end, the second one is the end."""

    def __init__(self):
        self.asked = False
        self.child = None
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_):
        self.asked = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if self.child is not None:
            self.child.send_signal(signal.SIGINT)


class Progress:
    """One live line on a terminal, elsewhere a line a minute."""

    def __init__(self):
        self.live = sys.stderr.isatty()
        self.last = time.monotonic()

    def say(self, text):
        if self.live:
            runs.say_progress(text)
        elif text and time.monotonic() - self.last >= QUIET_S:
            self.last = time.monotonic()
            print(f"sweep: {text}", file=sys.stderr, flush=True)


def say(text):
    runs.say_progress("")
    print(f"sweep: {text}", file=sys.stderr, flush=True)


def say_finding(record):
    """What vmm found in a run, and how to find it again."""
    if record["status"] != 0:
        say(f"status {record['status']}, {FINDINGS[record['status']]}: "
            f"{shlex.join(record['command'])}")


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace(
        "+00:00", "Z")


# --- vmm ---------------------------------------------------------------------------------

def die_with_parent():
    """In the child: a sweep that is killed leaves no run behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def call(command, stop):
    """Run @command to its end; its stderr is shown. Its group is its own, so that Ctrl-C
    comes to the sweep alone."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, start_new_session=True,
                          preexec_fn=die_with_parent) as child:
        stop.child = child
        if stop.asked:
            child.send_signal(signal.SIGINT)
        said = child.communicate()[1]
        stop.child = None
    if said:
        runs.say_progress("")
        sys.stderr.write(said)
    return child.returncode


def names_of(vmm, wanted):
    """The protocols of @wanted, by name: `safe`, `all` or a list."""
    if wanted not in ("safe", "all"):
        return list(dict.fromkeys(wanted.split(",")))
    done = subprocess.run([vmm, "--list-protocols"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(done.returncode, [vmm, "--list-protocols"])
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    return [name for name, kind in rows if wanted == "all" or kind == "safe"]


def command_of(vmm, cell, protocols, times, seed, options, folder):
    command = [vmm, *options, "--vcpus", cell.vcpus, "--overcommit", sweep_plan.overcommit(cell),
               "--initiators", cell.initiators, "--slice-us", cell.slice_us,
               "--protocol", ",".join(protocols), "--duration", times.duration_s,
               "--warmup", times.warmup_s, "--repeat", 1, "--seed", seed, "--out", folder,
               "--csv", folder / "flush-latency.csv", "--json", folder / "summary.json", "--quiet"]
    return [str(word) for word in command]


def run(command, cell, folder, stop):
    """One run: its status, seconds, summary and rows. None if it was asked to stop."""
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.monotonic()
    status = call(command, stop)
    seconds = time.monotonic() - begun
    if stop.asked:
        return None
    if status != 0 and status not in FINDINGS:
        raise Failed(status if status > 0 else 128 - status, command)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if summary["slots"] != cell.slots:
        raise Refused(f"{summary['slots']} slots, not {cell.slots}, of {shlex.join(command)}")
    with open(folder / "flush-latency.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return status, seconds, summary, rows


# --- the sweep ---------------------------------------------------------------------------

class Sweep:
    """One folder's sweep, as far as it is."""

    def __init__(self, arguments, options):
        self.vmm, self.out = arguments.vmm, arguments.out
        self.options, self.fresh = options, arguments.fresh
        self.quick, self.rounds, self.seed = arguments.quick, arguments.rounds, arguments.seed
        self.budget_s = arguments.minutes * 60
        self.axes = arguments.axes
        self.base = sweep_plan.base_of(self.axes)
        self.protocols = names_of(self.vmm, arguments.protocol)
        self.folder = self.out / "run"          # of the run under way
        self.stop, self.progress = Stop(), Progress()
        self.journal, self.plan = None, {}
        self.paces, self.pace = [], 1.0
        self.spent_s = 0.0                      # by this sweep, before this process
        self.begun = time.monotonic()

    def settings(self):
        """What has to be the same for a sweep to go on."""
        return {"axes": self.axes, "protocols": self.protocols, "rounds": self.rounds,
                "minutes": self.budget_s / 60, "quick": self.quick, "seed": self.seed,
                "options": self.options}

    def elapsed_s(self):
        return time.monotonic() - self.begun

    def measuring_s(self):
        """Left for runs."""
        after_s = max(AFTER_LEAST_S, self.budget_s / AFTER_SHARE)
        return max(0.0, self.budget_s - after_s - self.elapsed_s())

    def keep_pace(self, cell, times, seconds):
        """By the last runs; their median, for what else the host does comes and goes."""
        count = len(self.protocols)
        overhead_s = max(0.0, seconds - count * sum(times))
        self.paces = (self.paces + [overhead_s / sweep_plan.overhead_s(cell, count)])[-9:]
        self.pace = statistics.median(self.paces)

    def probe(self):
        """A moment of the base cell: which host and vmm these are, and how fast now. None if
        it was asked to stop."""
        times = Times(0.02, 0)
        found = run(command_of(self.vmm, self.base, self.protocols, times, self.seed,
                               self.options, self.folder), self.base, self.folder, self.stop)
        if found is None:
            return None
        _, seconds, summary, rows = found
        self.keep_pace(self.base, times, seconds)
        return {"version": summary["version"], "host": summary["host"],
                "columns": [*Cell._fields, *rows[0]], "summary": summary}

    def open(self):
        """Begin, or go on with, the sweep in the folder. False if it was asked to stop."""
        self.out.mkdir(parents=True, exist_ok=True)
        self.journal = sweep_journal.Journal(self.out, self.fresh)
        if self.journal.begin is not None:
            self.refuse_settings()
        probed = self.probe()
        if probed is None:
            return False
        if self.journal.begin is None:
            self.start(probed)
        else:
            self.go_on(probed)
        self.plan = {Cell(*cell): Times(*times) for cell, times in self.journal.begin["plan"]}
        return not self.stop.asked

    def start(self, probed):
        for name in FILES:
            (self.out / name).unlink(missing_ok=True)
        self.measure_host()
        plan = sweep_plan.make(self.axes, self.base, WEIGHTS[self.quick], len(self.protocols),
                               self.rounds, self.measuring_s(), max(1.0, self.pace))
        varied = {*Cell._fields, "overcommit"}
        probed["summary"] = {key: value for key, value in probed["summary"].items()
                             if key not in varied} | {"protocols": []}
        if not self.stop.asked:
            self.journal.start(probed | {"settings": self.settings(), "started": now(),
                                         "plan": list(plan.items())})

    def go_on(self, probed):
        begin, records = self.journal.begin, self.journal.records
        for key in "version", "columns":
            if begin[key] != probed[key]:
                raise Refused(f"{self.out} holds a sweep of another vmm, {begin['version']}, not "
                              f"{probed['version']}; --fresh starts anew")
        self.refuse_host(probed["host"])
        for record in records:
            say_finding(record)
        self.spent_s = records[-1]["elapsed_s"] if records else 0.0

    def refuse_settings(self):
        old = self.journal.begin["settings"]
        for key, value in json.loads(json.dumps(self.settings())).items():
            if old[key] != value:
                raise Refused(f"{self.out} holds a sweep of other {key}: {old[key]}, not {value}; "
                              "--fresh starts anew")

    def refuse_host(self, host):
        sides = [{"schema": comparison.SCHEMA, "host": one}
                 for one in (self.journal.begin["host"], host)]
        lines = comparison.differences(*sides).get("host")
        if lines:
            raise Refused(f"{self.out} holds a sweep of another host: {'; '.join(lines)}; "
                          "--fresh starts anew")

    def measure_host(self):
        """host.json; it stays away when it was cut short."""
        path = self.out / "host.json"
        status = call([self.vmm, "--host", "--json", str(path)], self.stop)
        if status != 0 or self.stop.asked:
            path.unlink(missing_ok=True)

    # What is still to do.

    def left(self, number):
        """The runs of round @number that are missing: (cell, protocols in their order)."""
        done = {Cell(*record["cell"]) for record in self.journal.records
                if record["round"] == number}
        order = sweep_plan.order_of(self.plan, self.protocols, self.round_seed(number))
        return [(cell, protocols) for cell, protocols in order if cell not in done]

    def round_seed(self, number):
        return sweep_plan.round_seed(self.seed, number)

    def all_left(self):
        return [(number, cell) for number in range(self.rounds) for cell, _ in self.left(number)]

    def is_complete(self):
        return not self.all_left()

    def times_now(self):
        """The plan for what is left, cut to the time that is left."""
        cells = [cell for _, cell in self.all_left()]
        return sweep_plan.shortened(self.plan, cells, len(self.protocols), self.pace,
                                    self.measuring_s())

    def round_fits(self, number):
        """A third and later round is begun only if it fits; two are needed for a spread."""
        left = self.left(number)
        if number < 2 or len(left) < len(self.plan):
            return True
        least_s = sum(sweep_plan.run_s(cell, sweep_plan.least_times(cell, self.plan[cell]),
                                       len(self.protocols), self.pace) for cell, _ in left)
        return least_s <= self.measuring_s()

    def run_fits(self, cell, times):
        return (sweep_plan.run_s(cell, times, len(self.protocols), self.pace) <=
                self.measuring_s())

    def measure(self):
        """Rounds until all is done, the time is over, or it was asked to stop."""
        for number in range(self.rounds):
            if not self.round_fits(number):
                return
            for cell, protocols in self.left(number):
                times = self.times_now()[cell]
                if not self.run_fits(cell, times):
                    continue
                self.say_where(number, cell)
                if not self.measure_run(number, cell, protocols, times):
                    return

    def say_where(self, number, cell):
        count = len(self.plan) * self.rounds
        done = len(self.journal.records)
        left_s = min(self.measuring_s(), sum(
            sweep_plan.run_s(one, self.plan[one], len(self.protocols), self.pace)
            for _, one in self.all_left()))
        self.progress.say(
            f"run {done + 1} of {count}, round {number + 1} of {self.rounds}: {cell.vcpus} vCPUs "
            f"on {cell.slots} slots, {cell.initiators} initiators, {cell.slice_us} us; "
            f"{int(left_s) // 60}:{int(left_s) % 60:02} left")

    def measure_run(self, number, cell, protocols, times):
        """One run, into the journal. False if it was asked to stop."""
        seed = self.round_seed(number)
        extra = ["--extra", "hist"] if cell == self.base else []
        command = command_of(self.vmm, cell, protocols, times, seed, self.options + extra,
                             self.folder)
        found = run(command, cell, self.folder, self.stop)
        if found is None:
            return False
        status, seconds, summary, rows = found
        self.refuse_host(summary["host"])
        self.keep_pace(cell, times, seconds)
        self.add(number, cell, times, status, seconds, summary, rows, command)
        say_finding(self.journal.records[-1])
        return True

    def add(self, number, cell, times, status, seconds, summary, rows, command):
        flushes = collections.defaultdict(lambda: {name: [] for name in comparison.TIMES})
        column = {name: rows[0].index(name) for name in rows[0]}
        for row in rows[1:]:
            row[column["run"]] = number
            for name in comparison.TIMES:
                flushes[row[column["protocol"]]][name].append(int(row[column[f"{name}_ns"]]))
        protocols = sorted(summary["protocols"], key=lambda p: self.protocols.index(p["name"]))
        record = {"round": number, "cell": cell, "seed": summary["seed"], "status": status,
                  "started": summary["started"], "seconds": round(seconds, 3),
                  "elapsed_s": round(self.spent_s + self.elapsed_s(), 3), "times": times, "command": command,
                  "protocols": [sweep_summary.figures_of(
                      protocol, flushes[protocol["name"]], times.warmup_s)
                      for protocol in protocols]}
        hist = self.folder / "switch.hist"
        if hist.exists():
            record["switch_us"] = sweep_summary.read_hist(hist)
        self.journal.add(record, [[*cell, *row] for row in rows[1:]])

    # What it comes to.

    def cells_done(self):
        counts = collections.Counter(Cell(*record["cell"]) for record in self.journal.records)
        return sum(count == self.rounds for count in counts.values())

    def status(self):
        found = {record["status"] for record in self.journal.records}
        return next((status for status in FINDINGS if status in found), 0)

    def sweep_json(self):
        begin, records = self.journal.begin, self.journal.records
        return {
            "schema": 1, "version": begin["version"], "started": begin["started"],
            "ended": now(), "seconds": round(self.spent_s + self.elapsed_s(), 1), "seed": self.seed,
            "seeds": {number: self.round_seed(number) for number in range(self.rounds)},
            "rounds": self.rounds, "quick": self.quick, "complete": self.is_complete(),
            "command": sys.argv, "base": self.base._asdict(), "axes": self.axes,
            "protocols": self.protocols, "cells_done": self.cells_done(),
            "cells_planned": len(self.plan), "runs_done": len(records),
            "runs_planned": len(self.plan) * self.rounds,
            "cells_possible": len(sweep_plan.cells_of(self.axes)), "pace": round(self.pace, 2)}

    def write_json(self, name, value):
        (self.out / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")

    def write(self):
        """All that follows from the journal."""
        records = self.journal.records
        sweep_summary.write_summary(self.out / "summary.csv", records, self.journal.rows_path)
        sweep_summary.write_switches(self.out / "switch.hist", records)
        self.write_json("summary.json", self.journal.begin["summary"])
        self.write_json("sweep.json", self.sweep_json())

    def measure_rest(self):
        """What is measured beside the cells, as far as it is not there yet."""
        for name, measure in {"host.json": self.measure_host}.items():
            if not (self.out / name).exists():
                measure()

    def report(self):
        records = self.journal.records
        sweep_summary.print_table(records, self.base)
        planned = len(self.plan) * self.rounds
        print(f"{self.cells_done()} of {len(self.plan)} cells in all {self.rounds} rounds, "
              f"{len(records)} of {planned} runs, {(self.spent_s + self.elapsed_s()) / 60:.1f} minutes; "
              f"{len(sweep_plan.cells_of(self.axes)) - len(self.plan)} more cells did not fit")
        print("\n".join(str(self.out / name) for name in [sweep_journal.ROWS, *FILES]
                        if (self.out / name).exists()))


def finish(sweep):
    """Files and table of what was measured; the exit status."""
    shutil.rmtree(sweep.folder, ignore_errors=True)
    sweep.progress.say("")
    sweep.write()
    if not sweep.stop.asked:
        sweep.measure_rest()
    sweep.report()
    return STOPPED if sweep.stop.asked else sweep.status()


def sweep_all(arguments, options):
    sweep = Sweep(arguments, options)
    try:
        if not sweep.open():
            return STOPPED
        if sweep.is_complete():
            say(f"the sweep in {sweep.out} is complete; --fresh measures anew")
        sweep.measure()
    except Failed as failure:
        say(failure)
        if sweep.journal is not None and sweep.journal.records:
            finish(sweep)
        return failure.status
    return finish(sweep)


def positive(text):
    value = float(text)
    if not 0 < value <= 24 * 60:
        raise argparse.ArgumentTypeError("must be above 0 and at most a day")
    return value


def count(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def counts(text):
    return sorted({count(word) for word in text.split(",")})


def arguments_read():
    parser = argparse.ArgumentParser(
        prog="sweep", description=__doc__.splitlines()[0], allow_abbrev=False,
        epilog="More options go to every run of vmm.")
    parser.add_argument("vmm", type=os.path.abspath)
    parser.add_argument("--out", default="out", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="a minute, 2 rounds")
    parser.add_argument("--minutes", type=positive, help="for all, page included (15)")
    parser.add_argument("--rounds", type=count, help="over all cells (5)")
    parser.add_argument("--seed", default=1, type=int, help="of every order and run (1)")
    parser.add_argument("--fresh", action="store_true", help="drop what DIR has of a sweep")
    parser.add_argument("--protocol", default="safe", metavar="LIST")
    for name in Cell._fields:
        parser.add_argument("--" + name.replace("_", "-"), metavar="N,...", type=counts)
    arguments, options = parser.parse_known_args()
    for option in options:
        if option.split("=")[0] in OWN:
            parser.error(f"{option}: the sweep sets that; see --minutes")
    settle(parser, arguments)
    return arguments, options


def settle(parser, arguments):
    """Defaults that follow from others."""
    quick = arguments.quick
    arguments.minutes = arguments.minutes or MINUTES[quick]
    arguments.rounds = arguments.rounds or ROUNDS[quick]
    given = {name: getattr(arguments, name) for name in Cell._fields if getattr(arguments, name)}
    arguments.axes = sweep_plan.axes_of(runs.cpus(), given)
    base = sweep_plan.base_of(arguments.axes)
    if not sweep_plan.is_possible(base):
        parser.error(f"{base.vcpus} vCPUs, {base.initiators} initiators and {base.slots} slots do "
                     "not go together")


def main():
    try:
        sys.exit(sweep_all(*arguments_read()))
    except Refused as refusal:
        say(refusal)
        sys.exit(2)
    except OSError as error:
        say(error)
        sys.exit(5)


if __name__ == "__main__":
    main()
