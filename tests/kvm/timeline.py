# SPDX-License-Identifier: MIT
"""timeline.py - reading a timeline of vmm --trace, strictly, for the tests beside it.

bench/lib/traces.py reads it. Here every event is checked for what its phase needs, and the
whole for what a viewer relies on: slices of a track nest; arrows have both ends, go
forward in time, and each end comes when a slice of its track is open; every track has a
name.
"""
import collections
import pathlib
import sys

from bench import check, fail

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
from lib.traces import GROUPS, close_cut, of_group, parse, timeline_of  # noqa: E402,F401

KEYS = {
    "M": {"ph", "pid", "tid", "name", "args"},
    "X": {"ph", "pid", "tid", "name", "ts", "dur"},
    "i": {"ph", "pid", "tid", "name", "ts", "s"},
    "s": {"ph", "pid", "tid", "name", "ts", "id", "cat"},
    "f": {"ph", "pid", "tid", "name", "ts", "id", "cat", "bp"},
}


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
    if phase in "sf":
        check((event["cat"], event["name"]) == ("request", "request"), f"{event}")
        check(event.get("bp") == ("e" if phase == "f" else None), f"{event}")


def check_nesting(slices):
    """Slices of a track are apart, or one is in the other."""
    around = []
    for this in sorted(slices, key=lambda s: (s.start, -s.end)):
        while around and around[-1].end <= this.start:
            around.pop()
        check(not around or this.end <= around[-1].end, f"{this} sticks out of {around[-1:]}")
        around.append(this)


def check_arrows(arrows, tracks):
    """Both ends, the finish not before the start, and a slice around each."""
    for number, arrow in arrows.items():
        check(set(arrow) == {"s", "f"}, f"arrow {number} has no other end: {arrow}")
        check((arrow["s"].at, arrow["s"].row) < (arrow["f"].at, arrow["f"].row),
              f"arrow {number} goes back: {arrow}")
    for phase in "s", "f":
        ends = collections.defaultdict(list)
        for arrow in arrows.values():
            ends[arrow[phase].group, arrow[phase].index].append(arrow[phase])
        for track, of_track in ends.items():
            check_inside(of_track, tracks[track], track)


def check_inside(ends, slices, track):
    """Each end comes while a slice of its track is open. As a viewer has it: by time, and
    by rows where times are equal; both in order, one pass."""
    slices = sorted(slices, key=lambda s: (s.start, s.row))
    reach, index = -1, 0
    for end in sorted(ends, key=lambda e: (e.at, e.row)):
        while index < len(slices) and \
                (slices[index].start, slices[index].row) < (end.at, end.row):
            reach = max(reach, slices[index].end)
            index += 1
        check(end.at <= reach, f"an arrow's end of {track} is in no slice: {end}")


def check_names(names, tracks):
    check({g: names.get(("process_name", g)) for g in GROUPS} == GROUPS, f"groups: {names}")
    for group, index in tracks:
        check(("thread_name", group, index) in names, f"track {group}, {index} has no name")


def read_text(text):
    try:
        events = parse(text)
        for event in events:
            check_keys(event)
        timeline = timeline_of(events)
    except ValueError as error:
        fail(f"timeline: {error}: ...{text[-200:]!r}")
    tracks = collections.defaultdict(list)
    for this in timeline.slices:
        tracks[this.group, this.index].append(this)
    for track in tracks.values():
        check_nesting(track)
    check_names(timeline.names, tracks)
    return timeline, tracks


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
