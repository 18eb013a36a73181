# SPDX-License-Identifier: MIT
"""summary.py - what a sweep's runs come to: summary.csv, switch.hist, and a table.

A cell's figure is that of all its flushes together (lib/results.py); beside it stand the
least and the most of its rounds. Of floors and slot switches vmm keeps no sample: there the
figure is the median of the rounds.

Tested: tests/bench/sweep_summary_follows_its_rows_test.py
"""
import collections
import statistics

from lib import results
from lib import runs
from lib.words import counted
from sweep.plan import Cell, overcommit

# Of the rows of all rounds; what is in proportion to time or to flushes; of single runs.
QUANTILES = [f"{time}_{name}_ns" for time in results.TIMES for name in ("p50", "p99", "p999")]
RATES = ["flushes_per_s", "ipis_per_flush", "deferred_per_flush", "exits_per_flush", "sample_ns"]
MEDIANS = ["floor_p50_ns", "switch_p50_ns", "switch_p99_ns"]
FIGURES = [*QUANTILES, *RATES, *MEDIANS]
COLUMNS = ["slots", "vcpus", "overcommit", "initiators", "slice_us", "protocol", "safe",
           "rounds", "disturbed", "flushes", "checks", "stale",
           *(f"{name}{end}" for name in FIGURES for end in ("", "_min", "_max"))]

# Lower edges of switch.hist: a microsecond each up to 200, then coarser; the last is open.
HIST_EDGES = [*range(200), *range(200, 1000, 20), *range(1000, 10001, 200)]


def exits_per_flush(protocol, warmup_s):
    """Exits are counted from the protocol's start on, flushes after its warm-up: so exits
    a second over flushes a second. None without a flush."""
    if not protocol["flushes"]:
        return None
    seconds = warmup_s + protocol["flushes"] / protocol["flushes_per_s"]
    exits = sum(kind["count"] for kind in protocol["exits"].values())
    return round(exits / seconds / protocol["flushes_per_s"], 4)


def figures_of(protocol, times):
    """What a record of the journal keeps of @protocol, an entry of a run's summary; @times is
    what the run was given."""
    found = {name: protocol[name] for name in
             ("name", "safe", "disturbed", "flushes", "checks", "stale", "flushes_per_s")}
    seconds = (protocol["flushes"] / protocol["flushes_per_s"] if protocol["flushes"]
               else times.duration_s)
    by_flush = {name: protocol[name] if protocol["flushes"] else None
                for name in ("ipis_per_flush", "deferred_per_flush", "sample_ns")}
    for figure in MEDIANS:
        time, name, _ = figure.split("_")
        found[figure] = (protocol[f"{time}_ns"] or {}).get(name)
    return found | by_flush | {"seconds": seconds,
                               "exits_per_flush": exits_per_flush(protocol, times.warmup_s)}


def by_protocol(records):
    """{(cell, protocol): {round: figures}}, cells in order."""
    found = collections.defaultdict(dict)
    for record in records:
        for figures in record["protocols"]:
            found[Cell(*record["cell"]), figures["name"]][record["round"]] = figures
    return dict(sorted(found.items(), key=lambda item: item[0][0]))


def spread(whole, rounds):
    """A figure of a cell, and the least and most of those that its rounds have; "" for what
    there is none of."""
    rounds = [figure for figure in rounds if figure is not None]
    return ("" if whole is None else whole,
            *((min(rounds), max(rounds)) if rounds else ("", "")))


def weighted(rounds, name, weight):
    """Mean of what was measured, each with its @weight; None where nothing was."""
    pairs = [(one[name], one[weight]) for one in rounds if one[name] is not None]
    total = sum(weight for _, weight in pairs)
    return round(sum(value * weight for value, weight in pairs) / total, 4) if total else None


def figures_of_cell(rounds, times):
    """{figure: (of all rounds, least, most of the rounds)}; @times: {round: {time: [ns]}}."""
    found = {}
    for figure in QUANTILES:
        time, name, _ = figure.split("_")
        each = [one[time] for one in times.values()]
        found[figure] = spread(results.figure(sum(each, []), name),
                               [results.figure(one, name) for one in each])
    for name in FIGURES[len(QUANTILES):]:
        each = [one[name] for one in rounds]
        known = [figure for figure in each if figure is not None]
        if name in MEDIANS:
            whole = statistics.median(known) if known else None
        else:
            whole = weighted(rounds, name, "seconds" if name == "flushes_per_s" else "flushes")
        found[name] = spread(whole, each)
    return found


def cells_of(records, rows_path):
    """{(cell, protocol): (its rounds, its figures)}"""
    times = results.read_rounds(rows_path) if records else {}
    found = {}
    for (cell, name), rounds in by_protocol(records).items():
        shape = tuple(getattr(cell, field) for field in results.CELL)
        rounds = list(rounds.values())
        found[cell, name] = rounds, figures_of_cell(rounds, times.get((name, shape), {}))
    return found


def write_summary(path, cells):
    """A row a cell and protocol of cells_of()."""
    def row_of(cell, name, rounds, figures):
        sums = [sum(one[key] for one in rounds)
                for key in ("disturbed", "flushes", "checks", "stale")]
        return [cell.slots, cell.vcpus, overcommit(cell), cell.initiators, cell.slice_us, name,
                int(rounds[0]["safe"]), len(rounds), *sums,
                *(value for figure in FIGURES for value in figures[figure])]

    runs.write_csv(path, COLUMNS, (row_of(*key, *found) for key, found in cells.items()))


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


def print_table(cells, base):
    """Of cells_of(): all flushes of a cell together, in microseconds."""
    if not cells:
        return
    columns = ["wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns", "floor_p50_ns"]
    print(f"{'protocol':<17}{'flushes/s':>10}" +
          "".join(f"{name[:-3].replace('_', ' '):>12}" for name in columns) +
          f"{'stall p99 of the rounds':>27}{'stale':>7} of checks   (us, all flushes of a cell)")
    for cell in extremes([cell for cell, _ in cells], base):
        print(f"{cell.vcpus} vCPUs on {counted(cell.slots, 'slot')}, "
              f"{counted(cell.initiators, 'initiator')}, slices of {cell.slice_us} us" +
              (", the base" if cell == base else ""))
        for (_, name), (rounds, figures) in ((key, cells[key]) for key in cells
                                             if key[0] == cell):
            least, most = map(us, figures["stall_p99_ns"][1:])
            low_high = f"{least} to {most}" if least != "-" else "-"
            print(f"{name:<17}{figures['flushes_per_s'][0]:>10.0f}" +
                  "".join(f"{us(figures[column][0]):>12}" for column in columns) +
                  f"{low_high:>27}{sum(one['stale'] for one in rounds):>7} "
                  f"{sum(one['checks'] for one in rounds):.3g}")
