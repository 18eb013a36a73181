#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--break-over ends the run at the first flush that was held up longer, with status 0 and
one line, and leaves what every vCPU did and the end of the timeline; a run without such
a flush is as it always is."""
import json
import os
import pathlib
import re
import tempfile

import timeline as timelines
from bench import Bench, check, read_csv, read_summary, require

VCPUS, SLOTS = 4, 2
MACHINE = ["--vcpus", str(VCPUS), "--overcommit", "2"]
STATES = {"running", "parked", "asleep", "done"}


def read_break(folder):
    text = pathlib.Path(folder, "break.json").read_text(encoding="utf-8")
    found = json.loads(text)
    check(found["schema"] == 1, f"{found}")
    return found


def check_vcpus(vcpus, initiator):
    check([v["vcpu"] for v in vcpus] == list(range(VCPUS)), f"{vcpus}")
    for vcpu in vcpus:
        check(vcpu["state"] in STATES and vcpu["slot"] == vcpu["vcpu"] % SLOTS and
              0 <= vcpu["preempted"] <= 3, f"{vcpu}")
        # The flush has returned, and no other has begun: nobody owes an acknowledgement.
        check(vcpu["request"] == vcpu["served"], f"{vcpu}")
    # It rang the bell itself; some of the others share its slot.
    check(vcpus[initiator]["state"] == "running", f"{vcpus}")
    check(any(v["state"] == "parked" for v in vcpus if v["slot"] == vcpus[initiator]["slot"]),
          f"two vCPUs a slot, and none is parked: {vcpus}")


def check_broken(bench, folder, *options, trace="break-trace.json"):
    """The first flush takes more than a microsecond: the run breaks there."""
    done = bench.run(bench.command(folder, *MACHINE, "--protocol", "ipi,generation", "--duration",
                                   "60", "--break-over", "1", *options))
    check(done.status == 0, f"status {done.status}, said: {done.err}")
    check(re.fullmatch(r"ipi: round 0, flush 0 of vCPU 0 was held up .*, over 1\.00us: see "
                       r".*/break\.json and .*json\n", done.err), f"said: {done.err!r}")
    found, summary, rows = read_break(folder), read_summary(folder), read_csv(folder)
    check((found["broke"], summary["broke"]) == (True, True), f"{found}")
    check((found["break_over_us"], summary["break_over_us"]) == (1, 1), f"{found}")
    flush, row = found["flush"], rows[0]
    check(all(flush[key] == getattr(row, key) for key in flush), f"{flush}: {row}")
    check_vcpus(found["vcpus"], flush["initiator"])
    check(len(rows) == 1, f"it went on: {rows}")
    check(summary["protocols"][1]["flushes"] == 0, f"it went on: {summary['protocols'][1]}")
    path = pathlib.Path(folder, trace)
    check(found["timeline"] == str(path), f"{found['timeline']}, not {path}")
    timeline = timelines.read_end(path)
    check(any((s.name, s.index, s.args.get("seq")) == ("flush", 0, 0) for s in timeline.slices),
          "the flush is not in the timeline")
    check_window(timeline)
    check(any(s.name == "running" for s in timeline.slices), "nobody ran in the timeline")


def check_window(timeline):
    """What is kept begins before the flush, however long that took."""
    flush, = [s for s in timeline.slices if (s.name, s.args.get("seq")) == ("flush", 0)]
    check(min(s.end for s in timeline.slices) <= flush.start, "the timeline begins in the flush")


def check_long(bench, folder):
    """A rotation of sixteen slices: longer than what is kept of short flushes."""
    done = bench.run(bench.command(folder, "--vcpus", "32", "--overcommit", "16", "--slice-us",
                                   "20000", "--protocol", "ipi", "--duration", "60",
                                   "--break-over", "1"))
    check(done.status == 0, f"status {done.status}, said: {done.err}")
    found = read_break(folder)
    check(found["broke"], f"{found}")
    check(found["flush"]["wall_ns"] > 150_000_000, f"no long flush: {found['flush']}")
    check_window(timelines.read_end(found["timeline"]))


def check_unbroken(bench, folder):
    _, summary, rows = bench.run_clean(folder, *MACHINE, "--protocol", "generation", "--flushes",
                                       "50", "--break-over", "1000000000")
    found = read_break(folder)
    check((found["broke"], found["vcpus"], summary["broke"]) == (False, [], False), f"{found}")
    check("flush" not in found, f"{found}")
    check(len(rows) == 50, f"{len(rows)} rows")
    check(not timelines.read_end(found["timeline"]).slices, "a timeline of what?")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        check_broken(bench, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_unbroken(bench, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_long(bench, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_broken(bench, folder, "--trace", f"{folder}/all.json", trace="all.json")
        check(not os.path.exists(f"{folder}/break-trace.json"), "two timelines")


main()
