# SPDX-License-Identifier: MIT
"""findings.py - what the numbers of a sweep say, in sentences.

Every sentence is put together from the figures: who is least and most, by how much, and
whether the ranges over the rounds overlap (then the two are not told apart). Text as it is,
nothing escaped. None where there is nothing to say.
"""
import statistics

from lib import comparison
from report import plots
from report import folder as sweep_folder
from lib.words import listed, ratio_text, shape_text, spread_text, time_text, times_text

WITHIN = 1.25                           # simulated to measured: what counts as near


def overlap(one, other):
    return one.low <= other.high and other.low <= one.high


def ranked(cells, name, least=True):
    """The cells of safe protocols that have the figure @name, the best first."""
    return sorted((cell for cell in cells if cell["safe"] and cell[name]),
                  key=lambda cell: cell[name].value, reverse=not least)


def best_of(cells, name, least=True):
    """The best cell, and those whose rounds overlap with its rounds."""
    order = ranked(cells, name, least)
    if not order:
        return None, []
    return order[0], [cell for cell in order[1:] if overlap(cell[name], order[0][name])]


def extremes(cells, name, what, least=True):
    """Who is best and worst of the cells of one shape."""
    best, near = best_of(cells, name, least)
    if best is None:
        return None
    words = ("least", "most") if least else ("most", "least")
    sentence = f"{best['protocol']} has the {words[0]} {what}, {spread_text(name, best[name])}"
    if near:
        sentence += f", not told apart from {listed(cell['protocol'] for cell in near)}"
    worst = ranked(cells, name, least)[-1]
    if worst is best or worst in near:
        return sentence + "."
    low, high = sorted((best[name].value, worst[name].value))
    factor = f", {times_text(high / low)} times apart" if low > 0 else ""
    return (sentence + f"; {worst['protocol']} has the {words[1]}, "
            f"{spread_text(name, worst[name])}{factor}.")


def distribution(folder, time):
    """Of the pooled flushes of the base cell."""
    pools = {name: times[time] for name, times in folder.flushes.items()
             if len(times[time]) >= sweep_folder.LEAST["p99"]}
    if not pools:
        return None

    def quantile(share):
        values = {name: comparison.quantile(pool, share) for name, pool in pools.items()}
        order = sorted(values, key=values.get)
        return " to ".join(f"{time_text(values[name])} ({name})"
                           for name in dict.fromkeys((order[0], order[-1])))

    longest = max(pools, key=lambda name: pools[name][-1])
    count = sum(map(len, pools.values()))
    few = [f"{name} ({len(folder.flushes.get(name, {}).get(time, []))})"
           for name in folder.protocols if name not in pools]
    left = f" Left out for too few flushes: {listed(few)}." if few else ""
    return (f"{count} flushes of all rounds. The median goes from {quantile(0.5)}, the 99th "
            f"percentile from {quantile(0.99)}; the longest is "
            f"{time_text(pools[longest][-1])} ({longest}).{left}")


def change(first, last):
    """How a figure went from one end of an axis to the other, as far as the rounds tell."""
    if overlap(first, last):
        return "stays"
    return "grows" if last.value > first.value else "falls"


def ends_of(cells, x, name):
    """{protocol: (first figure, last figure)} where both ends of the axis have one."""
    values = sorted({cell[x] for cell in cells})
    found = {}
    for end, value in enumerate((values[0], values[-1]) if len(values) > 1 else ()):
        for cell in cells:
            if cell[x] == value and cell[name] and cell[name].value > 0:
                found.setdefault(cell["protocol"], {})[end] = cell[name]
    return values, {protocol: (pair[0], pair[1]) for protocol, pair in found.items()
                    if len(pair) == 2}


def growth(cells, x, name, what):
    """Who grows, falls or stays between the ends of the axis @x."""
    values, ends = ends_of(cells, x, name)
    if not ends:
        return None
    groups = {}
    for protocol, (first, last) in ends.items():
        groups.setdefault(change(first, last), []).append((last.value / first.value, protocol))
    said = []
    if "grows" in groups:
        said.append("grows with " + listed(
            f"{name} ({times_text(ratio)} times)" for ratio, name in
            sorted(groups["grows"], reverse=True)))
    if "falls" in groups:
        said.append("falls with " + listed(
            f"{name} (to {100 * ratio:.3g} %)" for ratio, name in sorted(groups["falls"])))
    if "stays" in groups:
        said.append("stays within its rounds with " + listed(
            name for _, name in groups["stays"]))
    axis = {"overcommit": "overcommit {:g}", "vcpus": "{:g} vCPUs"}[x]
    return (f"From {axis.format(values[0])} to {values[-1]:g} {what} " + "; it ".join(said) + ".")


def counted(cells, names, wanted):
    """How many points of each quantile and protocol are @wanted: "p99 of ipi 2, sleep 1"."""
    said = []
    for name in names:
        counts = {}
        for cell in cells:
            if wanted(cell, name):
                counts[cell["protocol"]] = counts.get(cell["protocol"], 0) + 1
        if counts:
            quantile = sweep_folder.quantile_of(name).replace("p999", "p99.9")
            whole = sum(counts.values()) == len(cells)
            said.append(f"{quantile} of " + ("all" if whole else ", ".join(
                f"{protocol} {count}" for protocol, count in counts.items())))
    return "; ".join(said) or None


def left_out(cells, names):
    """The points that too few flushes are behind, and those that all rounds make together."""
    pooled = counted(cells, names, lambda cell, name: name in cell["pooled"])
    few = counted(cells, names, lambda cell, name: not sweep_folder.shown(cell, name) and
                  sweep_folder.too_few(cell, name))
    said = [f"Points of all rounds together, as one round has too few flushes: {pooled}."
            if pooled else None, f"Points left out for too few flushes: {few}." if few else None]
    return " ".join(filter(None, said)) or None


def at_most_of(cells, x):
    """The cells at the far end of the axis @x."""
    last = max((cell[x] for cell in cells), default=None)
    return [cell for cell in cells if cell[x] == last], last


def time_over(cells, x, time):
    """Of stall or wall, over the axis @x."""
    what = {"stall": "stall", "wall": "wall time"}[time]
    return " ".join(filter(None, [
        growth(cells, x, f"{time}_p50_ns", f"the median {what}"),
        growth(cells, x, f"{time}_p99_ns", "its 99th percentile"),
        left_out(cells, plots.quantiles(time).values())]))


def rate_over(cells):
    far, last = at_most_of(cells, "overcommit")
    sentence = extremes(far, "flushes_per_s", "flushes a second", least=False)
    return f"At overcommit {last:g} {sentence}" if sentence else None


def parts(folder):
    """Which part is the largest, by protocol."""
    largest = {}
    for stall in folder.parts:
        whole = stall["stall_mean_ns"]
        if whole > 0:
            name = max(sweep_folder.PARTS, key=lambda part: stall[part])
            share = f"{stall['protocol']} ({100 * stall[name] / whole:.0f} %)"
            largest.setdefault(name, []).append(share)
    if not largest:
        return None
    return "The largest part is " + "; ".join(
        f"{plots.PART_NAMES[name]} with {listed(shares)}" for name, shares in
        largest.items()) + "."


def switches(folder):
    counted = [one for one in folder.switches if one[2]]
    if not counted:
        return None

    def bound(share):
        low, high = plots.switch_quantile(folder.switches, share)
        return (f"below {time_text(high * 1000)}" if high else
                f"at {time_text(low * 1000)} or above")

    return (f"Of {sum(count for _, _, count in counted)} slot switches the median is "
            f"{bound(0.5)}, the 99th percentile {bound(0.99)}; the longest took "
            f"{time_text(counted[-1][0] * 1000)} or more.")


def ratios(cells, name):
    """Simulated to measured: (ratio, cell), where both are known."""
    return sorted(((cell["simulated"][name] / cell["measured"][name].value, cell)
                   for cell in cells if cell["measured"][name] and cell["simulated"][name]
                   and cell["measured"][name].value > 0), key=lambda pair: pair[0])


def near(pairs):
    return sum(1 / WITHIN <= ratio <= WITHIN for ratio, _ in pairs)


def model(cells):
    """How far the model is from the cells; from those that nothing disturbed if there are any."""
    quiet = [cell for cell in cells if not cell["disturbed"]]
    pairs = ratios(quiet or cells, "wall_p50_ns")
    if not pairs:
        return None
    which = "cells without a disturbed run" if quiet else "cells, all of them disturbed"
    middle = statistics.median(ratio for ratio, _ in pairs)
    ratio, cell = max(pairs, key=lambda pair: max(pair[0], 1 / pair[0]))
    return (f"The simulated median of the wall time is within {100 * (WITHIN - 1):.0f} % of the "
            f"measured one in {near(pairs)} of {len(pairs)} {which}, median ratio "
            f"{ratio_text(middle)}; the farthest off is {cell['protocol']} with "
            f"{shape_text(cell)}, ratio {ratio_text(ratio)}.")


def cloud(rows):
    """Least and most at each end of the table."""
    said = []
    for vcpus in dict.fromkeys((rows[0]["vcpus"], rows[-1]["vcpus"])) if rows else ():
        walls = {row["protocol"]: row["wall_p50_ns"] for row in rows
                 if row["vcpus"] == vcpus and row["wall_p50_ns"]}
        if not walls:
            continue
        order = sorted(walls, key=walls.get)
        low, high = walls[order[0]], walls[order[-1]]
        equal = [name for name in order if walls[name] == low]
        said.append(f"with {vcpus} vCPUs the median wall time goes from "
                    f"{time_text(low)} ({listed(equal)}) to {time_text(high)} "
                    f"({order[-1]}), {times_text(high / low)} times")
    return f"Simulated: {'; '.join(said)}." if said else None
