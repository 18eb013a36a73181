# SPDX-License-Identifier: MIT
"""compare.py - two result folders of vmm or of ./run bench: what has changed?

    bench/compare A B [--json FILE] [--alpha P] [--at-least PCT] [--despite WHAT,...]
                      [--figures LIST] [--cell V/S/US/I] [--resamples N] [--seed X]

For every protocol (and shape) that both have, median and 99th percentile of wall and
stall time of all flushes are compared, B to A, and tested by rounds (lib/comparison.py says
how and why). `vmm --repeat 10` makes ten; with too few nothing is decided, and how many it
would take is said.
Of a sweep --cell compares one cell: vCPUs, slots, slice and initiators, as in 8/2/2000/1.
Results of different hosts, shapes or schemas are refused; --despite host, shape or schema
compares them all the same. Of different kinds (of KVM, of what is below it, emulated or
not) nothing is compared.

Exit status: 0 nothing is significantly slower, 1 something is, 2 usage, or nothing could
be compared.
"""
import argparse
import json
import pathlib
import sys

from lib import comparison
from lib import results

WHAT = ["host", "shape", "schema"]


def share(text):
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


def percent(text):
    value = float(text)
    if not 0 <= value < 1e6:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value / 100


def whole(text):
    value = int(text)
    if value < 100:
        raise argparse.ArgumentTypeError("must be 100 or more")
    return value


def some_of(known):
    def words_of(text):
        words = text.split(",")
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word}: not one of {', '.join(known)}")
        return words

    return words_of


def arguments_read(words):
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.splitlines()[0])
    parser.add_argument("a", metavar="A")
    parser.add_argument("b", metavar="B")
    parser.add_argument("--json", metavar="FILE", help="the comparison as JSON, - for stdout")
    parser.add_argument("--alpha", default=0.05, type=share, metavar="P",
                        help="of all tests together (0.05)")
    parser.add_argument("--at-least", default=0.0, type=percent, metavar="PCT",
                        help="smaller differences do not count (0)")
    parser.add_argument("--despite", default=[], type=some_of(WHAT), metavar="WHAT,...",
                        help="compare what has another host, shape or schema")
    parser.add_argument("--figures", default=comparison.FIGURES, type=some_of(comparison.FIGURES), metavar="LIST",
                        help=f"some of {','.join(comparison.FIGURES)} (all)")
    parser.add_argument("--cell", metavar="V/S/US/I", help="of a sweep, this one alone (all)")
    parser.add_argument("--resamples", default=2000, type=whole, metavar="N")
    parser.add_argument("--seed", default=1, type=int, metavar="X")
    return parser.parse_args(words)


def refuse_different(summaries, allowed):
    found = results.differences(*summaries)
    for what, lines in found.items():
        if what not in allowed:
            remedy = f" (--despite {what} compares all the same)" if what in WHAT else ""
            raise results.Unusable(f"another {what}{remedy}: {'; '.join(lines)}")
    return found


def read(folder):
    """Its summary, and the rounds of its cells."""
    try:
        summary = results.read_json(pathlib.Path(folder, "summary.json"), "summary")
    except FileNotFoundError as error:
        raise results.Unusable(f"{error.filename}: {error.strerror}") from error
    path = pathlib.Path(folder, "flush-latency.csv")
    cells = results.read_rounds(path)
    if not cells:
        raise results.Unusable(f"{path}: no flush")
    return summary, cells


def shape_text(cell, summary):
    return "/".join(str(cell["shape"].get(name, summary.get(name))) for name in results.CELL)


def of_cell(wanted, cells):
    """Those of @cells that are asked for."""
    if wanted is None:
        return cells
    return {key: rounds for key, rounds in cells.items() if "/".join(map(str, key[1])) == wanted}


def us(ns, sign=""):
    return f"{ns / 1000:{sign}.1f}"


def print_figure(cell, figure, summary):
    relative = "-" if figure["relative"] is None else f"{100 * figure['relative']:+.1f}%"
    low_high = ("-" if figure["interval"] is None else
                " to ".join(us(end, "+") for end in figure["interval"]))
    effect = cell["effect"][figure["figure"].split("_", 1)[0]]
    verdict = figure["verdict"]
    if verdict in ("slower", "faster"):
        verdict += f", {100 * figure['confidence']:.2f} %"
    print(f"{cell['protocol']:<17}{shape_text(cell, summary):<18}{figure['figure'][:-3]:<10}"
          f"{us(figure['a']):>11}{us(figure['b']):>11}{relative:>9}{low_high:>22}"
          f"{figure['p_adjusted']:>9.4f}{effect:>8.2f}  {verdict}")


def print_table(arguments, summaries, cells, different):
    for name, summary in zip("AB", summaries):
        disturbed = [protocol["name"] for protocol in summary.get("protocols", [])
                     if protocol.get("disturbed")]
        print(f"{name}: {getattr(arguments, name.lower())}, vmm {summary.get('version')}, started "
              f"{summary.get('started')}" +
              (f"; disturbed: {', '.join(disturbed)}" if disturbed else "") +
              ("; times are an emulator's" if summary["host"].get("emulated") else ""))
    for what, lines in different.items():
        print(f"another {what}: " + "; ".join(lines))
    print(f"{'protocol':<17}{'vCPU/slot/us/init':<18}{'figure':<10}{'A us':>11}{'B us':>11}"
          f"{'B to A':>9}{'95 % of B-A, us':>22}{'p, Holm':>9}{'P(B>A)':>8}  verdict")
    for cell in cells:
        for figure in cell["figures"]:
            print_figure(cell, figure, summaries[0])


def only_in(cells, others):
    return sorted({key[0] for key in cells if key not in others})


def say_missing(arguments, cells):
    for name, mine, others in ("a", cells[0], cells[1]), ("b", cells[1], cells[0]):
        missing = only_in(mine, others)
        if missing:
            print(f"compare: only in {getattr(arguments, name)}: {', '.join(missing)}",
                  file=sys.stderr)


def say_left_out(cells):
    names = [f"{cell['protocol']} {name[:-3]}" for cell in cells for name in cell["too_few"]]
    if names:
        print(f"compare: too few flushes for {len(names)} figures: {', '.join(names[:8])}" +
              (", ..." if len(names) > 8 else ""), file=sys.stderr)


def write_json(arguments, result):
    text = json.dumps(result, indent=2) + "\n"
    if arguments.json == "-":
        sys.stdout.write(text)
        return
    with open(arguments.json, "w", encoding="utf-8") as file:
        file.write(text)


def compare(arguments):
    folders = [arguments.a, arguments.b]
    summaries, cells = zip(*map(read, folders))
    different = refuse_different(summaries, arguments.despite)
    cells = [of_cell(arguments.cell, found) for found in cells]
    found = comparison.compare_cells(*cells, arguments.resamples, arguments.seed,
                                     arguments.figures)
    say_missing(arguments, cells)
    say_left_out(found)
    if not any(cell["figures"] for cell in found):
        raise results.Unusable("no protocol of the same shape is in both, with flushes enough")
    comparison.judge(found, arguments.alpha, arguments.at_least)
    verdicts = comparison.verdicts(found)
    if arguments.json != "-":
        print_table(arguments, summaries, found, different)
    if arguments.json:
        write_json(arguments, {
            "schema": 1, "a": arguments.a, "b": arguments.b, "alpha": arguments.alpha,
            "at_least": arguments.at_least, "resamples": arguments.resamples,
            "seed": arguments.seed, "unit": "round", "different": different,
            "cells": found, "slower": verdicts.count("slower"),
            "faster": verdicts.count("faster"), "mixed": verdicts.count("mixed"),
            "undecided": verdicts.count("undecided")})
    undecided = verdicts.count("undecided")
    if undecided:
        print(f"compare: {undecided} of {len(verdicts)} figures undecided: it takes "
              f"{comparison.rounds_needed(len(verdicts), arguments.alpha)} rounds a side "
              "(vmm --repeat, ./run bench --rounds)", file=sys.stderr)
    if undecided == len(verdicts):
        return 2
    return 1 if "slower" in verdicts else 0


def main(words):
    arguments = arguments_read(words)
    try:
        sys.exit(compare(arguments))
    except (results.Unusable, OSError) as error:
        print(f"compare: {error}", file=sys.stderr)
        sys.exit(2)
