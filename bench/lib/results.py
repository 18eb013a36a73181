# SPDX-License-Identifier: MIT
"""results.py - reading what vmm and a sweep have written, and what makes it comparable.

A cell's figure is that of all its flushes together, whatever round they are of: in the
table and the summary of vmm, in summary.csv, on the page and in compare alike. The rounds
(the column `run`) show how far it may be off: least and most of the rounds' own figures
stand beside it, and tests and intervals are over rounds.
"""
import csv
import json
import pathlib
import sys

import jsonschema
import numpy

SCHEMAS = pathlib.Path(__file__).resolve().parents[1] / "schema"
SCHEMA = 1
TIMES = ["wall", "stall"]
# A quantile takes as many flushes as leave one above it, as vmm has it.
SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
LEAST = {"p50": 2, "p90": 10, "p99": 100, "p999": 1000}

# What makes cells comparable. The CSV of a sweep has the first ones itself, a cell a value,
# and its summary has not.
CELL = ["vcpus", "slots", "slice_us", "initiators"]
SHAPE = CELL + ["pages", "pace_us", "preempt", "steps", "ple_us", "sleepers", "workload",
                "table_free", "clear_pending", "by_page", "entry_flush", "cpus"]
# Of the host: which kind it is, what else has to be the same, and what changes from one
# moment to the next. The TSC is calibrated at boot.
HOST_KIND = ["kvm", "below", "emulated"]
HOST = ["kernel", "cpu", "mitigations", "clocksource", "cpus_online", "max_vcpus", "tsc_hz",
        "pv_features", "marks_preempted", "quota_cpus"]
HOST_CHANGES = ["load_1m", "clock_step_ns"]
TSC_TOLERANCE = 1e-3


class Unusable(Exception):
    """Results that cannot be used; one line."""


def check(name, found):
    """That @found follows bench/schema/@name.json. Raises Unusable."""
    path = SCHEMAS / f"{name}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(
        schema, resolver=jsonschema.RefResolver(path.as_uri(), schema))
    error = jsonschema.exceptions.best_match(validator.iter_errors(found))
    if error is not None:
        raise Unusable(f"{error.json_path}: {error.message.splitlines()[0][:160]}")


def read_json(path, schema):
    """Raises Unusable; FileNotFoundError where there is none."""
    try:
        found = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.get("schema") == SCHEMA:
            check(schema, found)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, Unusable) as error:
        raise Unusable(f"{path}: {error}") from error
    return found


CUT = "its last row is cut short and left out"


def whole_lines(file, when_cut):
    """The lines of @file but for a last one without its end, which a vmm has left that was
    killed in it (SIGKILL): what of it there is may look like a number. Then @when_cut()."""
    for line in file:
        if line.endswith("\n"):
            yield line
        else:
            when_cut()


def read_rounds(path):
    """{(protocol, its shape as far as the CSV has it): {round: {time: [ns]}}}. A row that is
    cut short is left out, and a line on stderr says so."""
    cells = {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(whole_lines(
                    file, lambda: print(f"{path}: {CUT}", file=sys.stderr))):
                key = row["protocol"], tuple(int(row[name]) for name in CELL if name in row)
                one = cells.setdefault(key, {}).setdefault(
                    int(row["run"]), {time: [] for time in TIMES})
                for time in TIMES:
                    one[time].append(int(row[f"{time}_ns"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{path}: {type(error).__name__}: {error}") from error
    return cells


def quantile(values, share):
    """The smallest of @values that @share of them do not exceed."""
    return numpy.quantile(values, share, method="inverted_cdf").item()


def figure(values, name):
    """The quantile @name; None where there are too few values for it."""
    return quantile(values, SHARES[name]) if len(values) >= LEAST[name] else None


def unlike(a, b, keys):
    """A line for each of @keys in which @a and @b differ."""
    found = []
    for key in keys:
        left, right = a.get(key), b.get(key)
        if key == "tsc_hz" and left and right and abs(left / right - 1) < TSC_TOLERANCE:
            continue
        if left != right:
            found.append(f"{key}: {left} and {right}")
    return found


def differences(a, b):
    """What makes two summaries incomparable: {what: [one line each]}"""
    hosts = a.get("host", {}), b.get("host", {})
    found = {"schema": [] if a["schema"] == b["schema"] == SCHEMA else
             [f"schema {a['schema']} and {b['schema']}, {SCHEMA} is known"],
             "kind of host": unlike(*hosts, HOST_KIND), "host": unlike(*hosts, HOST),
             "shape": unlike(a, b, SHAPE)}
    return {what: lines for what, lines in found.items() if lines}
