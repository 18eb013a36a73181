# SPDX-License-Identifier: MIT
"""comparison.py - are two sets of results different, and how sure is that?

The flushes of one round are not independent: they share the phase of the slots and
whatever the host did at that time. What is independent is the round (the column `run`), so
tests and intervals are over rounds, each by the quantile of its own flushes. What stands
in the table is the quantile of all flushes, as everywhere (lib/results.py). Two runs made
one after the other still differ by what the host did meanwhile; rounds of both made in
turn, or several runs, are the remedy.

test      Mann-Whitney U of the rounds' figures, ties corrected, normal approximation with
          continuity correction; two-sided. All tests of a comparison are one family: Holm.
          Where even rounds that do not overlap would not be significant there are too few
          of them, and no verdict: 5 a side for one protocol, 9 for 14 cells.
interval  95 %, percentile bootstrap of the difference of the two figures, by drawing rounds
          again; from 4 rounds a side on. Below some ten it is too narrow.
effect    of all flushes: how probable it is that one of B takes longer than one of A, ties
          half (Vargha and Delaney's A; 0.5: no effect).
"""
import zlib

import numpy
from scipy import stats

from lib import results

LEAST_RESAMPLED = 4                     # rounds a side for an interval
FIGURES = [f"{time}_{name}" for time in results.TIMES for name in ("p50", "p99")]
AT_ONCE = 1 << 22                       # numbers held by the bootstrap


def superiority(a, b):
    """How probable it is that one of @b is larger than one of @a, ties half."""
    return stats.mannwhitneyu(b, a, method="asymptotic").statistic / (len(a) * len(b))


def mann_whitney(a, b):
    """Two-sided p."""
    return float(stats.mannwhitneyu(a, b, method="asymptotic").pvalue)


def least_p(a, b):
    """Of @a and @b rounds that do not overlap."""
    return mann_whitney(range(a), range(a, a + b))


def rounds_needed(tests, alpha):
    """A side, for one of @tests to be able to be significant."""
    rounds = 2
    while least_p(rounds, rounds) * tests > alpha:
        rounds += 1
    return rounds


def holm(ps):
    """Adjusted p of each, in the order given."""
    order = numpy.argsort(ps, kind="stable")
    factors = numpy.arange(len(ps), 0, -1)
    adjusted = numpy.empty(len(ps))
    adjusted[order] = numpy.minimum(1, numpy.maximum.accumulate(numpy.asarray(ps)[order] * factors))
    return adjusted.tolist()


def resampled(rounds, share, resamples, dice):
    """The quantile @share of all flushes of as many rounds, drawn again, so many times."""
    values = numpy.concatenate(rounds)
    order = numpy.argsort(values, kind="stable")
    owners = numpy.repeat(numpy.arange(len(rounds)), list(map(len, rounds)))[order]
    counts = (owners == numpy.arange(len(rounds))[:, None]).cumsum(axis=1, dtype=float)
    drawn = dice.multinomial(len(rounds), [1 / len(rounds)] * len(rounds), size=resamples)
    found = []
    for part in numpy.array_split(drawn, -(-resamples * len(values) // AT_ONCE)):
        below = part @ counts           # flushes drawn that are no longer than each value
        wanted = numpy.maximum(1, numpy.ceil(share * below[:, -1:] - 1e-9))
        found.append(values[order][(below >= wanted).argmax(axis=1)])
    return numpy.concatenate(found)


def interval(a, b, share, resamples, dice):
    """95 % of the difference of the quantiles, b less a."""
    drawn = resampled(b, share, resamples, dice) - resampled(a, share, resamples, dice)
    return [results.quantile(drawn, 0.025), results.quantile(drawn, 0.975)]


def compare_figure(sides, figure, resamples, dice):
    """@sides: of A and B the rounds, each the times of its flushes. None where a side has too
    few flushes for the figure."""
    name = figure.split("_")[1]
    share = results.SHARES[name]
    a, b = (results.figure(numpy.concatenate(side), name) for side in sides)
    if a is None or b is None:
        return None
    rounds = [[results.quantile(one, share) for one in side] for side in sides]
    enough = min(map(len, rounds)) >= LEAST_RESAMPLED
    return {
        "figure": f"{figure}_ns", "a": a, "b": b, "difference": b - a,
        "relative": (b - a) / a if a else None,
        "interval": interval(*sides, share, resamples, dice) if enough else None,
        "p": mann_whitney(*rounds), "p_least": least_p(*map(len, rounds)),
        "rounds_effect": superiority(*rounds),
    }


def compare_cells(cells_a, cells_b, resamples=2000, seed=1, figures=tuple(FIGURES)):
    """One entry for each cell that both have: rounds, flushes, effect and figures."""
    found = []
    for key in sorted(cells_a, key=lambda key: key[1]):
        if key not in cells_b:
            continue
        dice = numpy.random.default_rng([seed % 2**64, zlib.crc32(repr(key).encode())])
        rounds = [list(cells[key].values()) for cells in (cells_a, cells_b)]
        by_time = {time: [[one[time] for one in side if one[time]] for side in rounds]
                   for time in results.TIMES}
        flushes = {time: list(map(numpy.concatenate, sides)) for time, sides in by_time.items()}
        compared = [compare_figure(by_time[figure.split("_")[0]], figure, resamples, dice)
                    for figure in figures]
        found.append({
            "protocol": key[0], "shape": dict(zip(results.SHAPE, key[1])),
            "rounds": list(map(len, rounds)), "flushes": list(map(len, flushes["wall"])),
            "effect": {time: superiority(*sides) for time, sides in flushes.items()},
            "figures": [figure for figure in compared if figure],
            "too_few": [f"{name}_ns" for name, figure in zip(figures, compared) if not figure],
        })
    return found


def verdict(figure, alpha, at_least, tests):
    """One word. `mixed`: the rounds say one thing, all flushes together another."""
    if figure["p_adjusted"] > alpha:
        return "undecided" if figure["p_least"] * tests > alpha else "same"
    if abs(figure["relative"] or 0.0) < at_least or figure["difference"] == 0:
        return "same"
    slower = figure["difference"] > 0
    if slower != (figure["rounds_effect"] > 0.5):
        return "mixed"
    return "slower" if slower else "faster"


def judge(cells, alpha=0.05, at_least=0.0):
    """Adds adjusted p, confidence and verdict to each figure. A difference of less than
    @at_least of A is none."""
    figures = [figure for cell in cells for figure in cell["figures"]]
    for figure, adjusted in zip(figures, holm([figure["p"] for figure in figures])):
        figure["p_adjusted"] = adjusted
        figure["confidence"] = 1 - adjusted
        figure["verdict"] = verdict(figure, alpha, at_least, len(figures))


def verdicts(cells):
    return [figure["verdict"] for cell in cells for figure in cell["figures"]]
