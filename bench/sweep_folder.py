# SPDX-License-Identifier: MIT
"""sweep_folder.py - reading the folder that a sweep leaves behind (bench/sweep.py).

Whatever is missing or cannot be read is left out and said in `missing`, a line each: a
sweep that was stopped half-way is worth a page all the same. A figure that rests on too
few flushes counts as not measured.
"""
import array
import collections
import csv
import json
import math
import pathlib

import comparison

KEY = ["slots", "vcpus", "initiators", "slice_us"]
COUNTS = ["rounds", "disturbed", "flushes", "checks", "stale"]
SPREAD = ["flushes_per_s", "wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns",
          "floor_p50_ns", "switch_p50_ns", "switch_p99_ns", "ipis_per_flush",
          "deferred_per_flush", "exits_per_flush", "sample_ns"]
POOLED = ["wall_p999_ns", "stall_p999_ns"]
PARTS = ["post_ns", "flight_ns", "handler_ns", "parked_wait_ns", "rest_ns"]
TRUE = {"1", "true", "yes"}

# A quantile is left out below this many flushes: of one round, as the figure is the median
# of the rounds' quantiles, or for p99.9 of all rounds together.
LEAST = {"p50": 10, "p99": 100, "p999": 1000}

Figure = collections.namedtuple("Figure", "value low high")


class Unusable(Exception):
    """A folder of which no page can be made; one line."""


def number(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text}: not a number")
    return value


def quantile_of(name):
    """p50 of stall_p50_ns; None where @name is no quantile."""
    return next((part for part in name.split("_") if part in LEAST), None)


def too_few(cell, name):
    """Whether @cell has too few flushes for its figure @name."""
    quantile = quantile_of(name) if name.startswith(("wall", "stall")) else None
    if quantile is None:
        return False
    pool = cell["flushes"] if quantile == "p999" else cell["flushes"] / max(1, cell["rounds"])
    return pool < LEAST[quantile]


def read_figure(row, name):
    texts = [row.get(name, ""), row.get(f"{name}_min", ""), row.get(f"{name}_max", "")]
    if not texts[0]:
        return None
    value = number(texts[0])
    return Figure(value, *(number(text) if text else value for text in texts[1:]))


def read_cell(row):
    """A row of summary.csv: one cell under one protocol."""
    cell = {name: int(row[name]) for name in KEY + COUNTS}
    if min(cell[name] for name in KEY) < 1:
        raise ValueError("a shape of nothing")
    cell |= {"protocol": row["protocol"], "safe": row["safe"].lower() in TRUE,
             "overcommit": cell["vcpus"] / cell["slots"]}
    for name in SPREAD + POOLED:
        cell[name] = None if too_few(cell, name) else read_figure(row, name)
    return cell


def key_of(cell):
    return tuple(cell[name] for name in KEY)


class Folder:
    """One sweep. Each part is None or empty where its file is missing."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.missing = []
        if not self.path.is_dir():
            raise Unusable(f"{path}: no folder")
        if not any((self.path / name).exists() for name in ("summary.csv", "sweep.json")):
            raise Unusable(f"{path}: neither summary.csv nor sweep.json, no folder of a sweep")
        self.sweep = self.json("sweep.json") or {}
        self.run = self.json("summary.json") or {}
        self.host = self.json("host.json")
        self.cells = self.table("summary.csv", read_cell)
        self.protocols = list(dict.fromkeys(cell["protocol"] for cell in self.cells))
        self.base = self.find_base()
        self.flushes, self.pte = self.read_flushes()
        self.parts = self.table("parts.csv", self.read_part)
        self.costs = self.table("costs.csv", dict)
        self.switches = self.table(
            "switch.hist", lambda row: (number(row["us"]), int(row["count"])))

    def json(self, name):
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.missing.append(f"{name} is missing")
            return None
        except (OSError, ValueError):
            self.missing.append(f"{name} cannot be read")
            return None
        if not isinstance(found, dict):
            self.missing.append(f"{name} is no JSON object")
            return None
        return found

    def table(self, name, read):
        """What @read makes of each row; rows that it cannot read are counted and said."""
        rows, bad = [], 0
        try:
            with open(self.path / name, encoding="utf-8", errors="replace", newline="") as file:
                for row in csv.DictReader(file):
                    try:
                        rows.append(read(row))
                    except (KeyError, TypeError, ValueError, AttributeError):
                        bad += 1
        except FileNotFoundError:
            self.missing.append(f"{name} is missing")
        except (OSError, csv.Error):
            self.missing.append(f"{name} cannot be read to its end")
        if bad:
            self.missing.append(f"{name}: {bad} rows cannot be read and are left out")
        return rows

    @staticmethod
    def read_part(row):
        part = {name: number(row[name]) for name in PARTS + ["stall_mean_ns"]}
        return part | {"protocol": row["protocol"], "flushes": int(row["flushes"])}

    def find_base(self):
        """The cell that the sweep varies one thing of at a time, as far as it was measured."""
        base = self.sweep.get("base")
        keys = [key_of(cell) for cell in self.cells]
        try:
            wanted = tuple(int(base[name]) for name in KEY)
        except (KeyError, TypeError, ValueError):
            wanted = None
        if wanted in keys or not keys:
            return wanted
        self.missing.append("sweep.json names no cell that was measured as its base: "
                            "the first one is taken")
        return keys[0]

    def read_flushes(self):
        """The base cell's flushes by protocol and time, sorted, and every cell's PTE stores."""
        base, pte = {}, {}

        def read(row):
            key, name = tuple(int(row[field]) for field in KEY), row["protocol"]
            times = [int(row[f"{time}_ns"]) for time in ("pte", *comparison.TIMES)]
            pte.setdefault((key, name), array.array("q")).append(times[0])
            if key == self.base:
                mine = base.setdefault(name, {time: [] for time in comparison.TIMES})
                for time, value in zip(comparison.TIMES, times[1:]):
                    mine[time].append(value)

        self.table("flush-latency.csv", read)
        for times in base.values():
            for values in times.values():
                values.sort()
        return base, pte

    def at(self, **fixed):
        """The cells in which each of @fixed is so."""
        return [cell for cell in self.cells
                if all(cell[name] == value for name, value in fixed.items())]

    def base_fields(self, *but):
        fields = dict(zip(KEY, self.base)) if self.base else {}
        return {name: value for name, value in fields.items() if name not in but}

    def at_base(self):
        return self.at(**self.base_fields())
