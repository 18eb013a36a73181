# SPDX-License-Identifier: MIT
"""summary.py - what a sweep's runs come to: summary.csv, switch.hist, and a table.

A figure is taken of each run by itself; a cell has the median, the least and the most of its
rounds. Wall and stall of a run are exact, by the rows of its flushes; the 99.9th percentile
is that of all rounds together, where they have the flushes for it.

Tested: tests/bench/sweep_summary_follows_its_rows_test.py
"""
import collections
import csv
import statistics

from lib import runs
from lib.comparison import SHARES, TIMES, quantile
from sweep.plan import Cell, overcommit
from lib.words import counted

SPREAD = ["flushes_per_s", "wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns",
          "floor_p50_ns", "switch_p50_ns", "switch_p99_ns", "ipis_per_flush",
          "deferred_per_flush", "exits_per_flush", "sample_ns"]
POOLED = {f"{time}_p999_ns": time for time in TIMES}
POOLED_LEAST = 1000
COLUMNS = ["slots", "vcpus", "overcommit", "initiators", "slice_us", "protocol", "safe",
           "rounds", "disturbed", "flushes", "checks", "stale",
           *(f"{name}{end}" for name in SPREAD for end in ("", "_min", "_max")), *POOLED]

# Lower edges of switch.hist: a microsecond each up to 200, then coarser; the last is open.
HIST_EDGES = [*range(200), *range(200, 1000, 20), *range(1000, 10001, 200)]


def exits_per_flush(protocol, warmup_s):
    """Exits are counted from the protocol's start on, flushes behind its warm-up: so exits
    a second over flushes a second."""
    seconds = warmup_s + protocol["flushes"] / protocol["flushes_per_s"]
    exits = sum(kind["count"] for kind in protocol["exits"].values())
    return round(exits / seconds / protocol["flushes_per_s"], 4)


def quantiles_of(protocol, name, shares):
    """{figure: ns} of a distribution of vmm's; None where there were too few samples."""
    return {f"{name}_{share}_ns": protocol[f"{name}_ns"][share] for share in shares}


def figures_of(protocol, flushes, warmup_s):
    """One protocol of one run: its entry in the summary, and {time: [ns]} of its rows."""
    found = {name: protocol[name] for name in
             ("name", "safe", "disturbed", "flushes", "checks", "stale", "flushes_per_s")}
    for time in TIMES:
        values = sorted(flushes.get(time, []))
        for name, share in SHARES.items():
            found[f"{time}_{name}_ns"] = quantile(values, share) if values else None
    found |= quantiles_of(protocol, "floor", ["p50"])
    found |= quantiles_of(protocol, "switch", ["p50", "p99"])
    by_flush = {"ipis_per_flush": protocol["ipis_per_flush"],
                "deferred_per_flush": protocol["deferred_per_flush"],
                "sample_ns": protocol["sample_ns"]}
    if protocol["flushes"] == 0:
        return found | dict.fromkeys([*by_flush, "exits_per_flush"])
    return found | by_flush | {"exits_per_flush": exits_per_flush(protocol, warmup_s)}


def by_protocol(records):
    """{(cell, protocol): [figures of each round]}, cells in order."""
    found = collections.defaultdict(list)
    for record in records:
        for figures in record["protocols"]:
            found[Cell(*record["cell"]), figures["name"]].append(figures)
    return dict(sorted(found.items(), key=lambda item: item[0][0]))


def spread_of(rounds, name):
    """Median, least and most over the rounds in which it was measured."""
    values = [figures[name] for figures in rounds if figures[name] is not None]
    return (statistics.median(values), min(values), max(values)) if values else ("", "", "")


def pooled(path):
    """{(cell, protocol): {time: [ns]}} of all rounds, from a sweep's flush-latency.csv."""
    found = {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = Cell(*(int(row[name]) for name in Cell._fields)), row["protocol"]
                times = found.setdefault(key, {time: [] for time in TIMES})
                for time in TIMES:
                    times[time].append(int(row[f"{time}_ns"]))
    except FileNotFoundError:
        pass
    return found


def row_of(cell, name, rounds, flushes):
    sums = [sum(figures[key] for figures in rounds)
            for key in ("disturbed", "flushes", "checks", "stale")]
    row = [cell.slots, cell.vcpus, overcommit(cell), cell.initiators, cell.slice_us, name,
           int(rounds[0]["safe"]), len(rounds), *sums]
    for figure in SPREAD:
        row += spread_of(rounds, figure)
    for time in POOLED.values():
        values = sorted(flushes.get(time, []))
        row.append(quantile(values, 0.999) if len(values) >= POOLED_LEAST else "")
    return row


def write_summary(path, records, rows_path):
    """A row a cell and protocol."""
    flushes = pooled(rows_path)
    runs.write_csv(path, COLUMNS,
                   (row_of(cell, name, rounds, flushes.get((cell, name), {}))
                    for (cell, name), rounds in by_protocol(records).items()))


# --- slot switches ---------------------------------------------------------------------

def read_hist(path):
    """{us: count} of all columns of a histogram in cyclictest's form; overflows count as the
    first microsecond that has no row."""
    counts = collections.Counter()
    with open(path, encoding="utf-8") as file:
        for line in file:
            head, _, rest = line.partition("Overflows:")
            if rest:
                counts[HIST_EDGES[-1]] += sum(map(int, rest.split()))
            elif not head.startswith("#"):
                us, *columns = line.split()
                counts[int(us)] += sum(map(int, columns))
    return {us: count for us, count in counts.items() if count}


def write_switches(path, records):
    """switch.hist of the runs that have one; returns whether there was any."""
    counts, edges = collections.Counter(), sorted(HIST_EDGES, reverse=True)
    for record in records:
        for us, count in record.get("switch_us", {}).items():
            counts[next(edge for edge in edges if edge <= int(us))] += count
    if not counts:
        return False
    runs.write_csv(path, ["us", "count"],
                   ((edge, counts[edge]) for edge in HIST_EDGES if edge <= max(counts)))
    return True


# --- the table --------------------------------------------------------------------------

def extremes(cells, base):
    """The base cell, and those of most and least overcommit and of most initiators."""
    ends = [max(cells, key=lambda cell: (overcommit(cell), cell)),
            min(cells, key=lambda cell: (overcommit(cell), cell)),
            max(cells, key=lambda cell: (cell.initiators, cell))]
    return list(dict.fromkeys([cell for cell in [base] if cell in cells] + ends))


def us(ns):
    return f"{ns / 1000:.1f}" if ns != "" else "-"


def print_table(records, base):
    """Medians over the rounds, in microseconds."""
    found = by_protocol(records)
    if not found:
        return
    columns = ["wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns", "floor_p50_ns"]
    print(f"{'protocol':<17}{'flushes/s':>10}" +
          "".join(f"{name[:-3].replace('_', ' '):>12}" for name in columns) +
          f"{'stall p99, least to most':>27}{'stale':>7} of checks   (us, median of the rounds)")
    for cell in extremes([cell for cell, _ in found], base):
        print(f"{cell.vcpus} vCPUs on {counted(cell.slots, 'slot')}, "
              f"{counted(cell.initiators, 'initiator')}, slices of {cell.slice_us} us" +
              (", the base" if cell == base else ""))
        for (_, name), rounds in ((key, found[key]) for key in found if key[0] == cell):
            least, most = map(us, spread_of(rounds, "stall_p99_ns")[1:])
            low_high = f"{least} to {most}" if least != "-" else "-"
            print(f"{name:<17}{spread_of(rounds, 'flushes_per_s')[0]:>10.0f}" +
                  "".join(f"{us(spread_of(rounds, column)[0]):>12}" for column in columns) +
                  f"{low_high:>27}{sum(figures['stale'] for figures in rounds):>7} "
                  f"{sum(figures['checks'] for figures in rounds):.3g}")
