# SPDX-License-Identifier: MIT
"""timeline.py - reading a timeline of vmm --trace, strictly, for the tests beside it.

Times are whole nanoseconds. Every event is checked for what its phase needs, and the
whole for what a viewer relies on: slices of a track nest, arrows have both ends, each
in a slice, and every track has a name.
"""
import collections
import json
import pathlib

from bench import check, fail

GROUPS = {1: "rounds", 2: "slots", 3: "vCPUs", 4: "guest"}
KEYS = {
    "M": {"ph", "pid", "tid", "name", "args"},
    "X": {"ph", "pid", "tid", "name", "ts", "dur"},
    "i": {"ph", "pid", "tid", "name", "ts", "s"},
    "s": {"ph", "pid", "tid", "name", "ts", "id", "cat"},
    "f": {"ph", "pid", "tid", "name", "ts", "id", "cat", "bp"},
}

Slice = collections.namedtuple("Slice", ["group", "index", "name", "start", "end", "args"])
Arrow = collections.namedtuple("Arrow", ["start", "finish"])
End = collections.namedtuple("End", ["group", "index", "at"])
Timeline = collections.namedtuple("Timeline", ["slices", "arrows", "names", "marks"])


def nanoseconds(time):
    """A time is written with three decimals, so that a double does not change it."""
    return round(float(time) * 1000)


def parse(text):
    try:
        events = json.loads(text, parse_float=str)
    except ValueError as error:
        fail(f"timeline: {error}: ...{text[-200:]!r}")
    check(isinstance(events, list) and events, "the timeline is no array of events")
    return events


def close_cut(text):
    """What a viewer does with a file that was not closed: the comma goes, the bracket comes."""
    return text.rstrip().rstrip(",") + "]"


def check_keys(event):
    phase = event.get("ph")
    check(phase in KEYS, f"phase {phase!r}: {event}")
    missing = KEYS[phase] - event.keys()
    check(not missing, f"no {missing} in {event}")
    check(event.keys() <= KEYS[phase] | {"args"}, f"unknown keys in {event}")
    check(isinstance(event["pid"], int) and isinstance(event["tid"], int), f"whose? {event}")
    for key in event.keys() & {"ts", "dur"}:
        whole, dot, decimals = event[key].partition(".")
        check(whole.isdigit() and dot and len(decimals) == 3 and decimals.isdigit(),
              f"{key}: {event}")


def check_nesting(slices):
    """Slices of a track are apart, or one is in the other."""
    around = []
    for this in sorted(slices, key=lambda s: (s.start, -s.end)):
        while around and around[-1].end <= this.start:
            around.pop()
        check(not around or this.end <= around[-1].end, f"{this} sticks out of {around[-1:]}")
        around.append(this)


def holds(slices, end):
    return any(s.start <= end.at <= s.end for s in slices)


def check_arrows(arrows, tracks):
    """Both ends, the finish not before the start, and a slice around each."""
    for number, arrow in arrows.items():
        check(set(arrow) == {"s", "f"}, f"arrow {number} has no other end: {arrow}")
        check(arrow["f"].at >= 0 and arrow["s"].at >= 0, f"arrow {number}: {arrow}")
    for phase in "s", "f":
        ends = collections.defaultdict(list)
        for arrow in arrows.values():
            ends[arrow[phase].group, arrow[phase].index].append(arrow[phase].at)
        for track, times in ends.items():
            check_inside(times, tracks[track], track)


def check_inside(times, slices, track):
    """Each time lies in a slice of its track: both in order, one pass."""
    slices = sorted(slices, key=lambda s: s.start)
    reach, index = -1, 0
    for at in sorted(times):
        while index < len(slices) and slices[index].start <= at:
            reach = max(reach, slices[index].end)
            index += 1
        check(at <= reach, f"an arrow's end at {at} of {track} is in no slice")


def check_names(names, tracks):
    check({g: names.get(("process_name", g)) for g in GROUPS} == GROUPS, f"groups: {names}")
    for group, index in tracks:
        check(("thread_name", group, index) in names, f"track {group}, {index} has no name")


def read_text(text):
    slices, arrows, names, marks = [], collections.defaultdict(dict), {}, []
    for event in parse(text):
        check_keys(event)
        track = event["pid"], event["tid"] - 1
        if event["ph"] == "M" and "name" in event["args"]:
            key = (event["name"], *track) if event["name"] == "thread_name" else \
                (event["name"], event["pid"])
            check(key not in names, f"named twice: {event}")
            names[key] = event["args"]["name"]
        elif event["ph"] == "X":
            start = nanoseconds(event["ts"])
            slices.append(Slice(*track, event["name"], start, start + nanoseconds(event["dur"]),
                                event.get("args", {})))
        elif event["ph"] == "i":
            marks.append((event["name"], event.get("args", {})))
        elif event["ph"] in "sf":
            check(event["ph"] not in arrows[event["id"]], f"a second end: {event}")
            check((event["cat"], event["name"]) == ("request", "request"), f"{event}")
            check(event.get("bp") == ("e" if event["ph"] == "f" else None), f"{event}")
            arrows[event["id"]][event["ph"]] = End(*track, nanoseconds(event["ts"]))
    tracks = collections.defaultdict(list)
    for this in slices:
        tracks[this.group, this.index].append(this)
    for track in tracks.values():
        check_nesting(track)
    check_names(names, tracks)
    return Timeline(slices, arrows, names, marks), tracks


def read(path):
    """A file that was closed."""
    timeline, tracks = read_text(pathlib.Path(path).read_text(encoding="ascii"))
    check_arrows(timeline.arrows, tracks)
    check([name for name, _ in timeline.marks] == ["end"], f"marks: {timeline.marks}")
    return timeline


def read_end(path):
    """A file that was closed, but has only the last rows: arrows may have lost an end."""
    timeline, _ = read_text(pathlib.Path(path).read_text(encoding="ascii"))
    check([name for name, _ in timeline.marks] == ["end"], f"marks: {timeline.marks}")
    return timeline


def read_cut(path):
    """A file that was not: arrows may lack a slice that had not ended."""
    return read_text(close_cut(pathlib.Path(path).read_text(encoding="ascii")))[0]
