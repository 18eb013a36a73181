#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A timeline of every protocol: a viewer can read it, and it tells the same story as the
CSV and the summary: each flush with its requests, each request with its arrow, each park
with its reason, as many of each as were counted."""
import bisect
import collections
import os
import tempfile

import timeline as timelines
from bench import SAFE, UNSAFE, Bench, check, require
from timeline import of_group

VCPUS, SLOTS, FLUSHES = 4, 2, 40
PROTOCOLS = SAFE + UNSAFE


def check_flushes(timeline, rows):
    """Every row has its slice, as long as its wall, and all of a round at one distance from
    the start_ns of the CSV."""
    slices = of_group(timeline, "guest", "flush")
    flushes = {(s.args["protocol"], s.args["run"], s.index, s.args["seq"]): s for s in slices}
    check(len(flushes) == len(slices), "a flush has two slices")
    keys = {(row.protocol, row.run, row.initiator, row.seq): row for row in rows}
    check(keys.keys() == flushes.keys(), f"{len(keys)} rows, {len(flushes)} slices")
    distances = collections.defaultdict(set)
    for key, row in keys.items():
        this = flushes[key]
        check(abs(this.end - this.start - row.wall_ns) <= 1, f"{this}: {row}")
        check((this.args["ipis"], this.args["deferred"], this.args["taken_over"],
               this.args["stall_ns"]) == (row.ipis, row.deferred, row.taken_over, row.stall_ns),
              f"{this}: {row}")
        distances[row.protocol, row.run].add(this.start - row.start_ns)
    for key, found in distances.items():
        check(max(found) - min(found) <= 2, f"{key}: not the clock of the CSV: {found}")


def check_requests(timeline, rows):
    """As many requests of each outcome as the CSV has."""
    for row in rows:
        check(row.targets == VCPUS - 1, f"{row}")
    outcomes = collections.Counter(s.args["outcome"] for s in of_group(timeline, "guest", "request"))
    check(outcomes["sent"] == sum(row.ipis for row in rows), f"{outcomes}")
    check(outcomes["deferred"] == sum(row.deferred for row in rows), f"{outcomes}")
    takeovers = of_group(timeline, "guest", "takeover")
    check(len(takeovers) == sum(row.taken_over for row in rows), f"{len(takeovers)} takeovers")


def check_one_arrow_a_request(timeline, summary):
    """Each request that was sent or deferred, by the guest or by the VMM, has one."""
    trace = summary["trace"]
    requests = [s for s in of_group(timeline, "guest", "request")]
    asked = [a["s"] for a in timeline.arrows.values() if a["s"].group == 3]
    check(len(timeline.arrows) + trace["arrows_lost"] == len(requests) + len(asked),
          f"{len(timeline.arrows)} arrows, {len(requests)} requests, {len(asked)} asked: {trace}")
    check(trace["arrows_lost"] * 100 <= len(requests), f"arrows lost: {trace}")
    check(len(timeline.arrows) == trace["arrows"], f"{len(timeline.arrows)} arrows: {trace}")
    check(asked, "the hypercall drew no arrow")


def around(slices, at):
    """The one of @slices, none in another and in order, in which @at lies."""
    index = bisect.bisect_right(slices, at, key=lambda s: s.start) - 1
    return slices[index] if index >= 0 and at <= slices[index].end else None


def check_arrow_heads(timeline):
    """An arrow ends where what it is about begins, or in a handler or a transfer that was
    under way when it was asked, at that time."""
    heads, under_way = collections.defaultdict(list), collections.defaultdict(list)
    for this in sorted(timeline.slices, key=lambda s: s.start):
        heads[this.group, this.index, this.start].append(this.name)
        if this.name in ("handler", "transfer"):
            under_way[this.group, this.index].append(this)
    names = collections.Counter()
    for arrow in timeline.arrows.values():
        start, finish = arrow["s"], arrow["f"]
        there = {"handler", "transfer", "deferral", "kick"} & \
            set(heads[finish.group, finish.index, finish.at])
        service = around(under_way[finish.group, finish.index], finish.at)
        if service is not None and finish.at - start.at <= 1:
            there.add(service.name)
        # Its row comes after the arrow's.
        elif service is not None and finish.at == service.start + 1:
            there.add(service.name)
        check(there, f"an arrow to nothing: {arrow}")
        names.update(there)
    for name in "handler", "deferral":
        check(names[name] > 0, f"no arrow to a {name}: {names}")


def check_parks(timeline, summary):
    """A vCPU runs or is off its slot, with a reason, and nothing else; a slot has one vCPU."""
    whys = collections.Counter()
    for vcpu in range(VCPUS):
        states = sorted((s for s in timeline.slices if s.group == 3 and s.index == vcpu and
                         s.name in ("running", "parked", "asleep", "done", "being created")),
                        key=lambda s: (s.start, s.end))
        for before, this in zip(states, states[1:]):
            check(this.start == before.end, f"a gap between {before} and {this}")
            check((before.name == "running") != (this.name == "running"), f"{before}, {this}")
        whys.update((s.name, s.args["why"]) for s in states if s.name != "running")
    sums = {key: sum(p[key] for p in summary["protocols"])
            for key in ("switches", "sleeps", "transfers")}
    parks = sum(whys.values())
    check(sums["switches"] <= parks, f"{sums['switches']} switches, {parks} parks: {whys}")
    check(whys["parked", "slice"] > 0 and whys["done", "ready"] > 0, f"{whys}")
    check(whys["being created", "created"] == VCPUS, f"{whys}")
    check(whys["asleep", "sleep"] == sums["sleeps"] > 0, f"{sums}, {whys}")
    transfers = of_group(timeline, "vCPUs", "transfer")
    check(len(transfers) == sums["transfers"], f"{len(transfers)} transfers: {sums}")
    running = [s for s in timeline.slices if s.group == 3 and s.name == "running"]
    held = [s for s in timeline.slices if s.group == 2]
    check(sorted((s.args["slot"], s.start, s.end, f"vCPU {s.index}") for s in running) ==
          sorted((s.index, s.start, s.end, s.name) for s in held), "slots and vCPUs differ")
    check({s.index for s in held} == set(range(SLOTS)), "not every slot ran")


def check_clocks(timeline):
    """Whatever a guest says that it began, its vCPU was running then: all have one clock, also
    where KVM, left to itself, sets those of the vCPUs apart."""
    running = collections.defaultdict(list)
    for this in sorted(timeline.slices, key=lambda s: s.start):
        if this.group == 3 and this.name == "running":
            running[this.index].append(this)
    told = of_group(timeline, "guest", "flush") + of_group(timeline, "guest", "handler")
    for this in told:
        check(around(running[this.index], this.start), f"its vCPU was off its slot then: {this}")


def check_exits(timeline, summary):
    """As many as the summary counts; the jobs before the first round had some more."""
    exits = collections.Counter(s.args["why"] for s in of_group(timeline, "vCPUs", "exit"))
    for kind in {kind for p in summary["protocols"] for kind in p["exits"]}:
        counted = sum(p["exits"].get(kind, {"count": 0})["count"] for p in summary["protocols"])
        check(exits[kind] >= counted > 0, f"{kind}: {exits[kind]} slices, {counted} counted")


def check_rounds(timeline):
    rounds = of_group(timeline, "rounds", "round")
    check([s.args["protocol"] for s in rounds] == PROTOCOLS, f"{rounds}")
    recorded = of_group(timeline, "rounds", "recorded")
    check(len(recorded) == len(rounds), f"{recorded}")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        _, summary, rows = bench.run_clean(
            folder, "--vcpus", str(VCPUS), "--overcommit", "2", "--flushes", str(FLUSHES),
            "--slice-us", "500", "--protocol", ",".join(PROTOCOLS), "--trace", path)
        timeline = timelines.read(path)
    check(summary["trace"]["dropped"] == 0, f"events were dropped: {summary['trace']}")
    check(len(timeline.slices) == summary["trace"]["slices"], f"{len(timeline.slices)} slices")
    check(timeline.marks == [("end", summary["trace"])], f"{timeline.marks}")
    check(len(rows) == FLUSHES * len(PROTOCOLS), f"{len(rows)} rows")
    check_flushes(timeline, rows)
    check_requests(timeline, rows)
    check_one_arrow_a_request(timeline, summary)
    check_arrow_heads(timeline)
    check_parks(timeline, summary)
    check_clocks(timeline)
    check_exits(timeline, summary)
    check_rounds(timeline)
    check(of_group(timeline, "vCPUs", "entry flush"), "nobody was flushed on entry")
    print(f"{len(timeline.slices)} slices, {len(timeline.arrows)} arrows, {summary['trace']}")


main()
