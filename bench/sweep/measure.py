# SPDX-License-Identifier: MIT
"""measure.py - the course of a sweep (sweep.py): what is still to do in its
folder, run by run, within its time.

Times of runs follow the plan as long as what is left fits into the time that is left; else
all are cut alike, and at last runs are left out.

Tested: tests/bench/sweep_goes_on_after_a_kill_test.py
"""
import collections
import datetime
import json
import shlex
import statistics
import sys
import time
from subprocess import TimeoutExpired

from lib import results
from lib import runs
from lib import journal as sweep_journal
from sweep import plan as sweep_plan
from sweep import summary as sweep_summary
from lib.journal import Refused
from sweep.plan import Cell, Times
from sweep.run import FINDINGS, GUEST_FAILED, Failed, call, command_of, run
from lib.words import counted

WEIGHTS = {False: sweep_plan.FULL, True: sweep_plan.QUICK}     # by --quick
# Of the time, for page, parts and costs.
AFTER_SHARE, AFTER_LEAST_S = 6, 15
HOST_SHARE = 8                          # of the time, the most for host.json
PROBE = Times(0.02, 0)
PACES = 9                               # runs by which the pace is told
QUIET_S = 60                            # between two lines where there is no terminal
ROWS = "flush-latency.csv"
FILES = ["summary.csv", "sweep.json", "summary.json", "host.json", "parts.csv", "costs.csv",
         "switch.hist", "index.html"]


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


def clock_text(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace(
        "+00:00", "Z")


class Sweep:
    """One folder's sweep, as far as it is."""

    def __init__(self, arguments, options):
        self.vmm, self.out = arguments.vmm, arguments.out
        self.options, self.fresh = options, arguments.fresh
        self.quick, self.rounds, self.seed = arguments.quick, arguments.rounds, arguments.seed
        self.budget_s = arguments.minutes * 60
        self.axes = arguments.axes
        self.base = sweep_plan.base_of(self.axes)
        self.protocols = arguments.protocol     # a list of names once it is open
        self.cells_only = arguments.cells_only
        self.folder = self.out / "run"          # of the run under way
        self.stop, self.progress = runs.Stop(), Progress()
        self.journal, self.plan = None, {}
        self.paces, self.pace = [], 1.0
        self.cells = {}                         # what they come to, once it is written
        self.failed = self.failed_last = False  # the guest of any run, of the last one
        self.spent_s = 0.0                      # by this sweep, before this process
        self.begun = time.monotonic()

    def settings(self):
        """What has to be the same for a sweep to go on."""
        return {"axes": self.axes, "protocols": self.protocols, "rounds": self.rounds,
                "minutes": self.budget_s / 60, "quick": self.quick, "seed": self.seed,
                "cells_only": self.cells_only, "options": self.options}

    def elapsed_s(self):
        return time.monotonic() - self.begun

    def total_s(self):
        """What went into the folder, by this process and those before it."""
        return self.spent_s + self.elapsed_s()

    def after_s(self):
        return max(0 if self.cells_only else AFTER_LEAST_S, self.budget_s / AFTER_SHARE)

    def measuring_s(self):
        """Left for runs."""
        return max(0.0, self.budget_s - self.after_s() - self.elapsed_s())

    def keep_pace(self, cell, times, seconds):
        """By the last runs; their median, for what else the host does comes and goes."""
        count = len(self.protocols)
        overhead_s = max(0.0, seconds - count * sum(times))
        self.paces = (self.paces + [overhead_s / sweep_plan.overhead_s(cell, count)])[-PACES:]
        self.pace = statistics.median(self.paces)

    def probe(self):
        """A moment of the base cell: which host and vmm these are, and how fast now. None if
        it was asked to stop."""
        command = command_of(self.vmm, self.base, self.protocols, PROBE, self.round_seed(0),
                             self.options, self.folder)
        found = run(command, self.base, self.folder, self.stop)
        if found is None:
            return None
        _, seconds, summary, rows = found
        self.keep_pace(self.base, PROBE, seconds)
        return {"version": summary["version"], "host": summary["host"],
                "columns": [*results.CELL, *rows[0]], "summary": summary}

    def open(self):
        """Begin, or go on with, the sweep in the folder. False if it was asked to stop."""
        self.out.mkdir(parents=True, exist_ok=True)
        self.journal = sweep_journal.Journal(self.out, "sweep", ROWS, self.fresh)
        self.protocols = runs.protocols(self.vmm, self.protocols)
        if self.journal.begin is not None:
            self.journal.refuse(self.settings())
        probed = self.probe()
        if probed is None:
            return False
        if self.journal.begin is None:
            self.start(probed)
        else:
            self.go_on(probed)
        if self.stop.asked:
            return False
        self.plan = {Cell(*cell): Times(*times) for cell, times in self.journal.begin["plan"]}
        return True

    def start(self, probed):
        for name in FILES:
            (self.out / name).unlink(missing_ok=True)
        self.measure_host()
        plan = self.make_plan()
        varied = {*Cell._fields, "overcommit"}
        probed["summary"] = {key: value for key, value in probed["summary"].items()
                             if key not in varied} | {"protocols": []}
        if not self.stop.asked:
            self.journal.start(probed | {"settings": self.settings(), "started": now(),
                                         "plan": list(plan.items())})

    def make_plan(self):
        """At the pace of the probe; a host is not taken for faster than a quiet one."""
        pace, count, left_s = max(1.0, self.pace), len(self.protocols), self.measuring_s()
        plan = sweep_plan.make(self.axes, self.base, WEIGHTS[self.quick], count, self.rounds,
                               left_s, pace)
        least_s = self.rounds * sweep_plan.run_s(self.base, plan[self.base], count, pace)
        if least_s > left_s:
            raise Refused(f"{self.budget_s / 60:g} minutes are not enough: the base cell alone "
                          f"takes {least_s:.0f} s of the {left_s:.0f} s for cells")
        return plan

    def go_on(self, probed):
        begin, records = self.journal.begin, self.journal.records
        for key in "version", "columns":
            if begin[key] != probed[key]:
                raise Refused(f"{self.out} holds a sweep of another vmm, {begin['version']}, not "
                              f"{probed['version']}; --fresh starts anew")
        self.refuse_host(probed["host"])
        self.measure_host()
        for record in records:
            say_finding(record)
        self.spent_s = records[-1]["elapsed_s"] if records else 0.0

    def refuse_host(self, host):
        lines = results.unlike(self.journal.begin["host"], host,
                               results.HOST_KIND + results.HOST)
        if lines:
            raise Refused(f"{self.out} holds a sweep of another host: {'; '.join(lines)}; "
                          "--fresh starts anew")

    def measure_host(self):
        """host.json, if it is not there yet; it stays away where it was cut short."""
        path = self.out / "host.json"
        if self.cells_only or path.exists():
            return
        try:
            status = call([self.vmm, "--host", "--json", str(path)], self.stop,
                          self.budget_s / HOST_SHARE)
        except TimeoutExpired as error:
            status = f"none after {error.timeout:.0f} s"
        if status != 0 or self.stop.asked:
            path.unlink(missing_ok=True)
            say(f"no host.json: exit status of --host: {status}")

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
        """The plan for what is left, cut to the time that is left; not to the last of it, or
        the last runs would not fit."""
        cells = [cell for _, cell in self.all_left()]
        return sweep_plan.shortened(self.plan, cells, len(self.protocols), self.pace,
                                    (1 - sweep_plan.MARGIN / 2) * self.measuring_s())

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
                if not self.try_run(number, cell, protocols, times):
                    return

    def say_where(self, number, cell):
        count = len(self.plan) * self.rounds
        done = len(self.journal.records)
        left_s = min(self.measuring_s(), sum(
            sweep_plan.run_s(one, self.plan[one], len(self.protocols), self.pace)
            for _, one in self.all_left()))
        self.progress.say(
            f"run {done + 1} of {count}, round {number + 1} of {self.rounds}: {cell.vcpus} vCPUs "
            f"on {counted(cell.slots, 'slot')}, {counted(cell.initiators, 'initiator')}, "
            f"{cell.slice_us} us; {clock_text(left_s)} left")

    def try_run(self, number, cell, protocols, times):
        """One run. One whose guest fails is left out; two of them in a row end the sweep. So
        does one that takes some of what comes after the runs, half of it at most."""
        try:
            goes_on = self.measure_run(number, cell, protocols, times)
            self.failed_last = False
            return goes_on
        except Failed as failure:
            if failure.status != GUEST_FAILED or self.failed_last:
                raise
            say(failure)
            self.failed = self.failed_last = True
            return True
        except TimeoutExpired as expired:
            say(f"left out, not over after {expired.timeout:.0f} s: {shlex.join(expired.cmd)}")
            return False

    def measure_run(self, number, cell, protocols, times):
        """One run, into the journal. False if it was asked to stop."""
        extra = ["--extra", "hist"] if cell == self.base else []
        command = command_of(self.vmm, cell, protocols, times, self.round_seed(number),
                             self.options + extra, self.folder)
        found = run(command, cell, self.folder, self.stop,
                    self.measuring_s() + self.after_s() / 2)
        if found is None:
            return False
        status, seconds, summary, rows = found
        self.refuse_host(summary["host"])
        self.keep_pace(cell, times, seconds)
        record = {"round": number, "cell": cell, "times": times, "command": command,
                  "seed": summary["seed"], "status": status, "started": summary["started"],
                  "seconds": round(seconds, 3), "elapsed_s": round(self.total_s(), 3)}
        self.add(record, summary["protocols"], *rows)
        say_finding(self.journal.records[-1])
        return True

    def add(self, record, protocols, header, *rows):
        """@record with the figures of the run's @protocols, in the order of the sweep, and its
        rows after their cell."""
        shape = [getattr(record["cell"], name) for name in results.CELL]
        for row in rows:
            row[header.index("run")] = record["round"]
        record["protocols"] = [
            sweep_summary.figures_of(protocol, record["times"])
            for protocol in sorted(protocols, key=lambda p: self.protocols.index(p["name"]))]
        hist = self.folder / "switch.hist"
        if hist.exists():
            record["switch_us"] = sweep_summary.read_hist(hist)
        self.journal.add(record, [[*shape, *row] for row in rows])

    # What it comes to.

    def cells_done(self):
        counts = collections.Counter(Cell(*record["cell"]) for record in self.journal.records)
        return sum(count == self.rounds for count in counts.values())

    def status(self):
        """That of the worst run, as vmm has them in order: 1, 4, 6."""
        found = {record["status"] for record in self.journal.records}
        if self.failed:
            found.add(GUEST_FAILED)
        return min(found - {0}, default=0)

    def sweep_json(self):
        begin, records = self.journal.begin, self.journal.records
        return {
            "schema": 1, "version": begin["version"], "started": begin["started"],
            "ended": now(), "seconds": round(self.total_s(), 1), "seed": self.seed,
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
        self.cells = sweep_summary.cells_of(self.journal.records, self.journal.rows_path)
        sweep_summary.write_summary(self.out / "summary.csv", self.cells)
        sweep_summary.write_switches(self.out / "switch.hist", self.journal.records)
        self.write_json("summary.json", self.journal.begin["summary"])
        self.write_json("sweep.json", self.sweep_json())

    def report(self):
        records = self.journal.records
        sweep_summary.print_table(self.cells, self.base)
        planned = len(self.plan) * self.rounds
        print(f"{self.cells_done()} of {len(self.plan)} cells in all {self.rounds} rounds, "
              f"{len(records)} of {planned} runs, in {clock_text(self.total_s())}; "
              f"{len(sweep_plan.cells_of(self.axes)) - len(self.plan)} more cells did not fit")
        print("\n".join(str(self.out / name) for name in [ROWS, *FILES]
                        if (self.out / name).exists()))
