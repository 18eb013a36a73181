# SPDX-License-Identifier: MIT
"""comparison.py - are two sets of results different, and how sure is that?

The flushes of one round are not independent: they share the phase of the slots and
whatever the host did at that time. What is independent is the round (the column `run`),
so a round counts once: by the median and the 99th percentile of its flushes. Tests and
intervals are over rounds. Two runs made one after the other still differ by what the host
did meanwhile; rounds of both made in turn, or several runs, are the remedy.

test      Mann-Whitney U of the rounds' figures, ties corrected, normal approximation with
          continuity correction; two-sided. All tests of a comparison are one family: Holm.
          Where even rounds that do not overlap would not be significant there are too few
          of them, and no verdict: 5 a side for one protocol, 9 for 14 cells.
interval  95 %, percentile bootstrap over rounds of the difference of the medians of the
          rounds' figures; from 4 rounds a side on. Below some ten it is too narrow.
effect    of all flushes: how probable it is that one of B takes longer than one of A, ties
          half (Vargha and Delaney's A; 0.5: no effect).
"""
import csv
import json
import math
import pathlib
import random
import statistics

SCHEMA = 1
LEAST_RESAMPLED = 4                     # rounds a side for an interval
TIMES = ["wall", "stall"]
SHARES = {"p50": 0.5, "p99": 0.99}
FIGURES = [f"{time}_{name}" for time in TIMES for name in SHARES]

# What makes cells comparable. The CSV of a sweep has the first ones itself, a cell a value,
# and its summary has not.
CELL = ["vcpus", "slots", "slice_us", "initiators"]
SHAPE = CELL + ["pages", "pace_us", "preempt", "steps", "ple_us", "sleepers", "workload",
                "table_free", "clear_pending", "by_page", "entry_flush", "cpus"]
# Of the host, what changes from one moment to the next; the TSC is calibrated at boot.
HOST_CHANGES = {"load_1m"}
TSC_TOLERANCE = 1e-3


class Unusable(Exception):
    """A folder that cannot be compared; one line."""


def read_summary(folder):
    path = pathlib.Path(folder, "summary.json")
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unusable(f"{path}: {error}") from error
    if not isinstance(summary, dict) or "schema" not in summary:
        raise Unusable(f"{path}: no summary of vmm")
    return summary


def read_cells(folder):
    """{(protocol, its shape as far as the CSV has it): {round: {time: [ns]}}}"""
    path = pathlib.Path(folder, "flush-latency.csv")
    cells = {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = row["protocol"], tuple(int(row[name]) for name in CELL if name in row)
                one = cells.setdefault(key, {}).setdefault(
                    int(row["run"]), {time: [] for time in TIMES})
                for time in TIMES:
                    one[time].append(int(row[f"{time}_ns"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{path}: {type(error).__name__}: {error}") from error
    if not cells:
        raise Unusable(f"{path}: no flush")
    return cells


def differences(a, b):
    """What makes two summaries incomparable: {what: [one line each]}"""
    found = {"schema": [], "host": [], "shape": []}
    if not a["schema"] == b["schema"] == SCHEMA:
        found["schema"].append(f"schema {a['schema']} and {b['schema']}, {SCHEMA} is known")
    host_a, host_b = a.get("host", {}), b.get("host", {})
    for key in sorted((host_a.keys() | host_b.keys()) - HOST_CHANGES):
        left, right = host_a.get(key), host_b.get(key)
        if key == "tsc_hz" and left and right and abs(left / right - 1) < TSC_TOLERANCE:
            continue
        if left != right:
            found["host"].append(f"{key}: {left} and {right}")
    for key in SHAPE:
        if a.get(key) != b.get(key):
            found["shape"].append(f"{key}: {a.get(key)} and {b.get(key)}")
    return {what: lines for what, lines in found.items() if lines}


def quantile(values, share):
    """Of sorted @values: the smallest that @share of them do not exceed."""
    return values[max(0, math.ceil(share * len(values) - 1e-9) - 1)]


def ranks_u(a, b):
    """U of @b over @a (pairs in which b is larger, ties half), and sum(t^3 - t) of the ties."""
    values = sorted([(value, 0) for value in a] + [(value, 1) for value in b])
    rank_sum, ties, index = 0.0, 0, 0
    while index < len(values):
        end = index
        while end < len(values) and values[end][0] == values[index][0]:
            end += 1
        count = end - index
        rank_sum += (index + end + 1) / 2 * sum(side for _, side in values[index:end])
        ties += count ** 3 - count
        index = end
    return rank_sum - len(b) * (len(b) + 1) / 2, ties


def mann_whitney(a, b):
    """Two-sided p."""
    u, ties = ranks_u(a, b)
    total = len(a) + len(b)
    variance = len(a) * len(b) / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(u - len(a) * len(b) / 2) - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def least_p(a, b):
    """Of @a and @b rounds that do not overlap."""
    return mann_whitney(range(a), range(a, a + b))


def rounds_needed(tests, alpha):
    """A side, for one of @tests to be able to be significant."""
    rounds = 2
    while least_p(rounds, rounds) * tests > alpha:
        rounds += 1
    return rounds


def superiority(a, b):
    return ranks_u(a, b)[0] / (len(a) * len(b))


def holm(ps):
    """Adjusted p of each, in the order given."""
    order = sorted((p, index) for index, p in enumerate(ps))
    adjusted, largest = list(ps), 0.0
    for place, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - place)))
        adjusted[index] = largest
    return adjusted


def interval(a, b, resamples, dice):
    """95 % of the difference of the medians, b less a, by drawing rounds again."""
    drawn = sorted(statistics.median(dice.choices(b, k=len(b))) -
                   statistics.median(dice.choices(a, k=len(a))) for _ in range(resamples))
    return [quantile(drawn, 0.025), quantile(drawn, 0.975)]


def compare_figure(rounds_a, rounds_b, figure, resamples, dice):
    """@rounds_: the rounds of one cell, {time: [ns]} each."""
    time, name = figure.split("_")
    sides = [[quantile(sorted(one[time]), SHARES[name]) for one in rounds]
             for rounds in (rounds_a, rounds_b)]
    a, b = (statistics.median(side) for side in sides)
    enough = min(map(len, sides)) >= LEAST_RESAMPLED
    return {
        "figure": f"{figure}_ns", "a": a, "b": b, "difference": b - a,
        "relative": (b - a) / a if a else None,
        "interval": interval(*sides, resamples, dice) if enough else None,
        "p": mann_whitney(*sides), "p_least": least_p(*map(len, sides)),
    }


def compare_cells(cells_a, cells_b, resamples=2000, seed=1, figures=tuple(FIGURES)):
    """One entry for each cell that both have: rounds, flushes, effect and figures."""
    found = []
    for key in sorted(cells_a, key=lambda key: key[1]):
        if key not in cells_b:
            continue
        dice = random.Random(f"{seed} {key}")
        rounds = [list(cells[key].values()) for cells in (cells_a, cells_b)]
        flushes = {time: [[ns for one in side for ns in one[time]] for side in rounds]
                   for time in TIMES}
        found.append({
            "protocol": key[0], "shape": dict(zip(SHAPE, key[1])),
            "rounds": list(map(len, rounds)), "flushes": list(map(len, flushes["wall"])),
            "effect": {time: superiority(*sides) for time, sides in flushes.items()},
            "figures": [compare_figure(*rounds, figure, resamples, dice) for figure in figures],
        })
    return found


def judge(cells, alpha=0.05, at_least=0.0):
    """Adds adjusted p, confidence and verdict to each figure. A difference of less than
    @at_least of A is none."""
    figures = [figure for cell in cells for figure in cell["figures"]]
    for figure, adjusted in zip(figures, holm([figure["p"] for figure in figures])):
        figure["p_adjusted"] = adjusted
        figure["confidence"] = 1 - adjusted
        if adjusted > alpha and figure["p_least"] * len(figures) > alpha:
            figure["verdict"] = "undecided"
        elif adjusted > alpha or abs(figure["relative"] or 0.0) < at_least or \
                figure["difference"] == 0:
            figure["verdict"] = "same"
        else:
            figure["verdict"] = "slower" if figure["difference"] > 0 else "faster"


def verdicts(cells):
    return [figure["verdict"] for cell in cells for figure in cell["figures"]]
