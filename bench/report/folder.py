# SPDX-License-Identifier: MIT
"""folder.py - reading the folder that a sweep leaves behind (bench/sweep/).

Whatever is missing or cannot be read is left out and said in `missing`, a line each: a
sweep that was stopped half-way is worth a page all the same. What a figure is says
sweep/summary.py.
"""
import array
import collections
import csv
import math
import operator
import pathlib

from lib import results
from lib import runs
from sweep import stall_parts
from sweep import plan as sweep_plan
from sweep.summary import FIGURES

KEY = list(sweep_plan.Cell._fields)
COUNTS = ["rounds", "disturbed", "flushes", "checks", "stale"]
PARTS = [f"{part}_ns" for part in stall_parts.PARTS]
TIMES = ["pte", *results.TIMES]
TRUE = {"1", "true", "yes"}

Figure = collections.namedtuple("Figure", "value low high")


def number(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text}: not a number")
    return value


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
             "overcommit": runs.overcommit(cell["vcpus"], cell["slots"])}
    return cell | {name: read_figure(row, name) for name in FIGURES}


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
            raise results.Unusable(f"{path}: no folder")
        if not any((self.path / name).exists() for name in ("summary.csv", "sweep.json")):
            raise results.Unusable(f"{path}: neither summary.csv nor sweep.json, no folder of a sweep")
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
        """What follows its schema; None where it does not."""
        try:
            return results.read_json(self.path / name, name.removesuffix(".json"))
        except FileNotFoundError:
            self.missing.append(f"{name} is missing")
        except results.Unusable as error:
            self.missing.append(f"{name} is left out: {str(error).removeprefix(str(self.path))}")
        return None

    def table(self, name, read, reader_of=csv.DictReader):
        """What @read makes of each row; rows that it cannot read are counted and said."""
        rows, bad = [], 0
        try:
            with open(self.path / name, encoding="utf-8", errors="replace", newline="") as file:
                for row in reader_of(results.whole_lines(file, lambda: self.missing.append(
                        f"{name}: {results.CUT}"))):
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
        base, keys = self.sweep.get("base"), [key_of(cell) for cell in self.cells]
        wanted = base and key_of(base)
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
