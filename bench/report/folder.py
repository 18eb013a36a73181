# SPDX-License-Identifier: MIT
"""folder.py - reading the folder that a sweep leaves behind (bench/sweep/).

Whatever is missing or cannot be read is left out and said in `missing`, a line each: a
sweep that was stopped half-way is worth a page all the same. A figure of the rounds that
rests on too few flushes counts as not measured; `pooled` of a cell then has the one of all
rounds together, without a range, where those are enough.
"""
import array
import collections
import csv
import json
import math
import operator
import pathlib

from lib import comparison
from lib import runs
from sweep import stall_parts
from sweep import plan as sweep_plan
from sweep.summary import POOLED, POOLED_LEAST, SPREAD

KEY = list(sweep_plan.Cell._fields)
COUNTS = ["rounds", "disturbed", "flushes", "checks", "stale"]
PARTS = [f"{part}_ns" for part in stall_parts.PARTS]
TIMES = ["pte", *comparison.TIMES]
TRUE = {"1", "true", "yes"}

# A quantile takes this many flushes: of a round on average where it is the median of the
# rounds' quantiles, of all rounds where it is pooled, as p99.9 always is.
LEAST = {"p50": 10, "p99": 100, "p999": POOLED_LEAST}

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


def shown(cell, name):
    """The figure @name of the rounds, else that of all rounds together, or None."""
    return cell[name] or cell["pooled"].get(name)


def read_cell(row):
    """A row of summary.csv: one cell under one protocol."""
    cell = {name: int(row[name]) for name in KEY + COUNTS}
    if min(cell[name] for name in KEY) < 1:
        raise ValueError("a shape of nothing")
    cell |= {"protocol": row["protocol"], "safe": row["safe"].lower() in TRUE,
             "overcommit": runs.overcommit(cell["vcpus"], cell["slots"]), "pooled": {}}
    for name in [*SPREAD, *POOLED]:
        cell[name] = None if too_few(cell, name) else read_figure(row, name)
    return cell


def pool_figures(cell, times):
    """What the rounds alone are too short for, of all flushes of @cell: {time: sorted}."""
    for time in comparison.TIMES:
        values = times.get(time, [])
        for quantile, share in comparison.SHARES.items():
            name = f"{time}_{quantile}_ns"
            if cell[name] is None and len(values) >= LEAST[quantile]:
                value = comparison.quantile(values, share)
                cell["pooled"][name] = Figure(value, value, value)


def key_of(cell):
    return tuple(cell[name] for name in KEY)


def flush_fields(file):
    """Of each row of flush-latency.csv its shape, protocol and times. By place: a sweep has
    some million rows."""
    reader = csv.reader(file)
    header = next(reader, [])
    try:
        places = [header.index(name) for name in [*KEY, "protocol", *(f"{t}_ns" for t in TIMES)]]
    except ValueError:
        places = [len(header)]          # in no row
    fields = operator.itemgetter(*places)
    for row in reader:
        try:
            yield fields(row)
        except IndexError:
            yield ()


def pool_flush(pools, fields):
    values = [int(text) for text in fields[5:]]
    if len(values) != len(TIMES):
        raise ValueError("a row without its times")
    key = fields[:5]
    if key not in pools:
        pools[key] = [array.array("q") for _ in TIMES]
    for pool, value in zip(pools[key], values):
        pool.append(value)


def shape_and_protocol(fields):
    """The key of a pool, None where it is none."""
    try:
        return tuple(map(int, fields[:4])), fields[4]
    except ValueError:
        return None


def buckets_of(rows):
    """(from, to, count) of each bucket of a histogram; the last is as wide as that before."""
    rows = sorted((us, count) for us, count in rows if us >= 0 and count >= 0)
    lows = [us for us, _ in rows]
    ends = lows[1:] + [lows[-1] + (lows[-1] - lows[-2] if len(lows) > 1 else 1)] if lows else []
    return [(low, high, count) for (low, count), high in zip(rows, ends) if high > low]


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
        self.switches = buckets_of(self.table(
            "switch.hist", lambda row: (number(row["us"]), int(row["count"]))))

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

    def table(self, name, read, reader_of=csv.DictReader):
        """What @read makes of each row; rows that it cannot read are counted and said."""
        rows, bad = [], 0
        try:
            with open(self.path / name, encoding="utf-8", errors="replace", newline="") as file:
                for row in reader_of(file):
                    try:
                        rows.append(read(row))
                    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
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
        self.missing.append("the base cell is not known or was not measured: the first one is "
                            "taken for it")
        return keys[0]

    def read_flushes(self):
        """The base cell's flushes by protocol and time, sorted, and every cell's PTE stores."""
        pools = {}
        self.table("flush-latency.csv", lambda row: pool_flush(pools, row), flush_fields)
        times = {key: dict(zip(TIMES, map(sorted, found))) for fields, found in pools.items()
                 if (key := shape_and_protocol(fields))}
        for cell in self.cells:
            pool_figures(cell, times.get((key_of(cell), cell["protocol"]), {}))
        base = {name: found for (key, name), found in times.items() if key == self.base}
        return base, {key: found["pte"] for key, found in times.items()}

    def at(self, **fixed):
        """The cells in which each of @fixed is so."""
        return [cell for cell in self.cells
                if all(cell[name] == value for name, value in fixed.items())]

    def base_fields(self, *but):
        fields = dict(zip(KEY, self.base)) if self.base else {}
        return {name: value for name, value in fields.items() if name not in but}

    def at_base(self):
        return self.at(**self.base_fields())
