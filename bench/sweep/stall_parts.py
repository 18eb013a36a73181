# SPDX-License-Identifier: MIT
"""stall_parts.py - what the stall of a flush is made of, from a timeline of vmm --trace.

    ./run bench stall_parts [--out DIR] [--duration S] [vmm options]

One traced run of every safe protocol. Of the time of a flush, without that in which the
initiator itself was parked, each moment is one part:

post         up to where it begins to wait: all requests, and the trip through the gate,
             which sends the IPIs and flushes its own TLB. Where it waits for nobody, up to
             the end of the last request.
Then it waits until the last of its targets is covered, and what that one does counts:
flight       it runs, and its handler has not begun: the IPI is on its way, or held off.
             Also where park takes the request over, or the initiator does, up to then.
handler      its handler runs, up to the acknowledgement.
parked_wait  it is off its slot, and nobody takes the request over.
rest         after that: to see the acknowledgement and return; where nobody was waited
             for, the trip through the gate for its own TLB.

hypercall has no handler and waits in its doorbell: post is up to where the VMM has asked
the last target, the way out of the guest included; flight the rest of the doorbell, in
which those that were kicked leave the guest; rest is the way back and its own TLB.

DIR/parts.csv: protocol,flushes,post_ns,flight_ns,handler_ns,parked_wait_ns,rest_ns,
stall_mean_ns: means over the flushes; the parts add up to the last column, the mean of what
vmm counted as stall. Tracing costs, some 30 us a handler where ring 0 is emulated: this is
how a stall divides, not how long it is. Flushes of which the timeline has lost a piece are
left out, and counted on stdout.
"""
import bisect
import collections
import os
import pathlib
import tempfile

from lib import runs
from lib import traces

PARTS = ["post", "flight", "handler", "parked_wait", "rest"]
COLUMNS = ["protocol", "flushes", *(f"{part}_ns" for part in PARTS), "stall_mean_ns"]
OFF_SLOT = {"parked", "asleep", "done", "being created"}
DURATION_S = 1

# What covered a target: until @end nothing had. @handler: when it began, None without one;
# @transfer: when the park began that took the request over, None without one.
Cover = collections.namedtuple("Cover", ["handler", "transfer", "end"])


class Lost(Exception):
    """The timeline lacks something that this flush needs."""


class Spans:
    """Slices of one name on one track: apart, and in order."""

    def __init__(self, slices):
        self.slices = sorted(slices, key=lambda s: s.start)
        self.starts = [s.start for s in self.slices]

    def begin_in(self, start, end):
        """Those that begin there, both ends included."""
        return self.slices[bisect.bisect_left(self.starts, start):
                           bisect.bisect_right(self.starts, end)]

    def at(self, time):
        """The one that has begun by then and not ended before, or None."""
        index = bisect.bisect_right(self.starts, time) - 1
        return self.slices[index] if index >= 0 and time <= self.slices[index].end else None

    def within(self, start, end):
        """(start, end) of what lies there, cut off."""
        first = max(0, bisect.bisect_right(self.starts, start) - 1)
        return [(max(s.start, start), min(s.end, end))
                for s in self.slices[first:bisect.bisect_left(self.starts, end)] if s.end > start]


class Record:
    """A timeline, by track and name."""

    def __init__(self, timeline):
        by_track = collections.defaultdict(list)
        for this in timeline.slices:
            name = "off" if this.name in OFF_SLOT else this.name
            by_track[traces.GROUPS[this.group], this.index, name].append(this)
        self.spans = {key: Spans(slices) for key, slices in by_track.items()}
        self.empty = Spans([])
        self.finishes, self.asked_by_vmm = {}, collections.defaultdict(list)
        for arrow in timeline.arrows.values():
            if set(arrow) != {"s", "f"}:
                continue
            start = arrow["s"]
            if traces.GROUPS[start.group] == "guest":
                self.finishes[start.index, start.at] = arrow["f"]
            else:
                self.asked_by_vmm[start.index].append(start.at)
        for times in self.asked_by_vmm.values():
            times.sort()
        self.flushes = traces.of_group(timeline, "guest", "flush")

    def of(self, group, index, name):
        return self.spans.get((group, index, name), self.empty)


def handler_cover(record, target, handler, end):
    """A handler that was parked before it had acknowledged may have been too late."""
    for transfer in record.of("vCPUs", target, "transfer").begin_in(
            handler.start, min(handler.end, end)):
        return Cover(handler.start, transfer.start, transfer.end)
    return Cover(handler.start, None, handler.end)


def cover_of(record, flush, request):
    """By the request's arrow."""
    target = request.args["target"]
    finish = record.finishes.get((flush.index, request.start))
    if finish is None:
        raise Lost(f"no arrow from {request}")
    if traces.GROUPS[finish.group] == "guest":
        handler = record.of("guest", target, "handler").at(finish.at)
        if handler is None:
            raise Lost(f"no handler for {request}")
        return handler_cover(record, target, handler, flush.end)
    transfer = record.of("vCPUs", target, "transfer").at(finish.at)
    if transfer is not None:
        return Cover(None, transfer.start, transfer.end)
    return Cover(None, None, finish.at)


def last_covered(record, flush, requests, waits):
    """(target, Cover) of the one that was covered last; a wait's end is the latest."""
    seen = {wait.args["target"]: wait.end for wait in waits}
    covers = []
    for request in requests:
        target, cover = request.args["target"], cover_of(record, flush, request)
        covers.append((target, cover._replace(end=min(cover.end, seen.get(target, flush.end)))))
    return max(covers, key=lambda pair: pair[1].end)


def part_at(time, posted, cover, off):
    """Which part a moment is, of a flush that waits from @posted on."""
    if time < posted:
        return "post"
    if time >= cover.end:
        return "rest"
    if cover.transfer is not None and time >= cover.transfer:
        return "flight"
    if any(start <= time < end for start, end in off):
        return "parked_wait"
    return "handler" if cover.handler is not None and time >= cover.handler else "flight"


def cuts_of(record, flush):
    """Where the part may change, and a function from a time to its part."""
    requests = [request for request in record.of("guest", flush.index, "request").begin_in(
        flush.start, flush.end) if request.args["seq"] == flush.args["seq"]]
    sent = [request for request in requests if request.args["outcome"] == "sent"]
    if len(sent) != flush.args["ipis"] or \
            len(requests) - len(sent) != flush.args["deferred"]:
        raise Lost(f"{len(requests)} requests in {flush}")
    if not requests:
        return doorbell_cuts(record, flush)
    if not sent:
        asked = requests[-1].end
        return [asked], lambda time: "post" if time < asked else "rest"
    waits = record.of("guest", flush.index, "wait").begin_in(flush.start, flush.end)
    if not waits:
        raise Lost(f"no wait in {flush}")
    return waiting_cuts(record, flush, waits[0].start, last_covered(record, flush, sent, waits))


def waiting_cuts(record, flush, posted, last):
    target, cover = last
    off = record.of("vCPUs", target, "off").within(flush.start, flush.end)
    cuts = [posted, *cover, *(time for span in off for time in span)]
    return ([cut for cut in cuts if cut is not None],
            lambda time: part_at(time, posted, cover, off))


def doorbell_cuts(record, flush):
    """Who asks the VMM has asked everybody with the last of its requests, and waits in there."""
    times = record.asked_by_vmm[flush.index]
    asked = times[bisect.bisect_left(times, flush.start):bisect.bisect_right(times, flush.end)]
    doorbell = record.of("vCPUs", flush.index, "exit").at(asked[-1]) if asked else None
    if doorbell is None:
        raise Lost(f"nobody was asked in {flush}")
    return ([asked[-1], doorbell.end],
            lambda time: "post" if time < asked[-1] else
            "flight" if time < doorbell.end else "rest")


def parts_of(record, flush):
    """Nanoseconds of each part; together what vmm counted as stall. Its rounding, and that
    of each park, goes to the rest, or where that is too short to the longest part."""
    own = record.of("vCPUs", flush.index, "off").within(flush.start, flush.end)
    cuts, part = cuts_of(record, flush)
    times = sorted({flush.start, flush.end, *(time for span in own for time in span),
                    *(cut for cut in cuts if flush.start < cut < flush.end)})
    parts = dict.fromkeys(PARTS, 0)
    for start, end in zip(times, times[1:]):
        if not any(first <= start < last for first, last in own):
            parts[part(start)] += end - start
    differ = flush.args["stall_ns"] - sum(parts.values())
    if abs(differ) > 2 * (len(own) + 1):
        raise Lost(f"{differ} ns from {parts} to the stall of {flush}")
    longest = max(parts, key=parts.get)
    parts["rest" if parts["rest"] + differ >= 0 else longest] += differ
    return parts


def rows_of(timeline):
    """A row of parts.csv for each protocol, and of how many flushes a piece was lost."""
    record, lost = Record(timeline), 0
    flushes = {}
    for flush in record.flushes:
        try:
            parts = parts_of(record, flush)
        except Lost:
            lost += 1
            continue
        flushes.setdefault(flush.args["protocol"], []).append(
            [*parts.values(), flush.args["stall_ns"]])
    return [[protocol, len(parts), *(f"{sum(column) / len(parts):.1f}" for column in zip(*parts))]
            for protocol, parts in flushes.items()], lost


def measure(vmm, out, base, duration_s=DURATION_S, options=()):
    """Writes @out/parts.csv of a traced run of the cell @base: {"slots", "vcpus",
    "initiators", "slice_us"}. Returns its rows, and the number of flushes left out."""
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        runs.run(vmm, *runs.cell(base), "--duration", duration_s, "--trace", path, *options)
        rows, lost = rows_of(traces.read(path))
    runs.write_csv(out / "parts.csv", COLUMNS, rows)
    return rows, lost


def print_rows(rows, lost):
    print("what a stall is made of, mean of all flushes, us")
    print(f"{'protocol':<18}{'flushes':>8}" + "".join(f"{part:>13}" for part in PARTS) +
          f"{'stall':>13}")
    for protocol, flushes, *times in rows:
        print(f"{protocol:<18}{flushes:>8}" +
              "".join(f"{float(time) / 1000:>13.1f}" for time in times))
    if lost:
        print(f"{lost} flushes left out: the timeline has lost a piece of them")


def main(words):
    parser = runs.parser("stall_parts", __doc__.splitlines()[0])
    parser.add_argument("--duration", default=DURATION_S, type=float, help="seconds a protocol")
    arguments, options = parser.parse_known_args(words)
    base = {"slots": runs.cpus(), "vcpus": 4 * runs.cpus(), "initiators": 1, "slice_us": 2000}
    print_rows(*measure(arguments.vmm, arguments.out, base, arguments.duration, options))
    print(arguments.out / "parts.csv")
