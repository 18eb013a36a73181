# SPDX-License-Identifier: MIT
"""traces.py - reading a timeline of vmm --trace.

Times are whole nanoseconds. What is no timeline of vmm's is a ValueError, a KeyError or a
TypeError; tests/kvm/timeline.py checks what a viewer relies on besides.
"""
import collections
import json
import pathlib

GROUPS = {1: "rounds", 2: "slots", 3: "vCPUs", 4: "guest"}

# @row: which row of the file it is; those of one time count in this order.
Slice = collections.namedtuple("Slice", ["group", "index", "name", "start", "end", "args", "row"])
End = collections.namedtuple("End", ["group", "index", "at", "row"])
Timeline = collections.namedtuple("Timeline", ["slices", "arrows", "names", "marks"])


def nanoseconds(time):
    """A time is written with three decimals, so that a double does not change it."""
    return round(float(time) * 1000)


def parse(text):
    """The rows; times are left as they were written."""
    events = json.loads(text, parse_float=str)
    if not isinstance(events, list) or not events:
        raise ValueError("no array of events")
    return events


def close_cut(text):
    """What a viewer does with a file that was not closed: the comma goes, the bracket comes."""
    return text.rstrip().rstrip(",") + "]"


def add_name(names, event, track):
    key = (event["name"], *track) if event["name"] == "thread_name" else \
        (event["name"], event["pid"])
    if key in names:
        raise ValueError(f"named twice: {event}")
    names[key] = event["args"]["name"]


def timeline_of(events):
    """Slices in the order of their rows, arrows by number, each {"s": End, "f": End}."""
    slices, arrows, names, marks = [], collections.defaultdict(dict), {}, []
    for row, event in enumerate(events):
        track, args = (event["pid"], event["tid"] - 1), event.get("args", {})
        if event["ph"] == "M" and "name" in args:
            add_name(names, event, track)
        elif event["ph"] == "X":
            start = nanoseconds(event["ts"])
            slices.append(Slice(*track, event["name"], start, start + nanoseconds(event["dur"]),
                                args, row))
        elif event["ph"] == "i":
            marks.append((event["name"], args))
        elif event["ph"] in "sf":
            if event["ph"] in arrows[event["id"]]:
                raise ValueError(f"a second end: {event}")
            arrows[event["id"]][event["ph"]] = End(*track, nanoseconds(event["ts"]), row)
    return Timeline(slices, dict(arrows), names, marks)


def of_group(timeline, group, name):
    """The slices of that name on the tracks of that group."""
    number = next(n for n, g in GROUPS.items() if g == group)
    return [s for s in timeline.slices if s.group == number and s.name == name]


def read(path):
    return timeline_of(parse(pathlib.Path(path).read_text(encoding="ascii")))
