# SPDX-License-Identifier: MIT
"""page.py - the page of a sweep: which protocol, at which overcommit, at what cost.

    ./run bench page [DIR]

Reads the folder DIR that a sweep has written, has the pictures drawn (plots.py) and the
model run (prediction.py), and writes DIR/index.html, one file that loads nothing. Its words
stand in page.html. What is missing in DIR the page says.
"""
import argparse
import pathlib
import re
import shlex
import statistics
import sys

import jinja2
import markupsafe

from lib import results
from lib.words import (listed, rate_text, ratio_text, shape_text, spread_text, time_text,
                       times_text, value_text)
from report import folder as sweep_folder
from report import plots
from report import prediction
from sim import sim

HERE = pathlib.Path(__file__).resolve().parent
NONE = "–"                              # in a table: no figure
TIMES = {"wall p50": "wall_p50_ns", "wall p99": "wall_p99_ns", "wall p99.9": "wall_p999_ns",
         "stall p50": "stall_p50_ns", "stall p99": "stall_p99_ns",
         "stall p99.9": "stall_p999_ns"}
COUNTS = {"IPIs a flush": "ipis_per_flush", "deferrals a flush": "deferred_per_flush",
          "exits a flush": "exits_per_flush", "floor p50": "floor_p50_ns",
          "switch p50": "switch_p50_ns", "switch p99": "switch_p99_ns",
          "a sample takes": "sample_ns"}
PRIMITIVES = {
    "ipi_round_trip_ns": "IPI round trip", "shootdown_floor_ns": "floor of a shootdown",
    "gate_ns": "gate, ring 3 to ring 0 and back", "exit_ns": "exit to userspace and back",
    "flush_on_entry_steal_ns": "flush on entry by steal time",
    "flush_on_entry_sregs_ns": "flush on entry by KVM_SET_SREGS",
    "futex_handover_ns": "futex hand-over on one CPU", "slot_switch_ns": "slot switch",
    "clock_ns": "reading of the clock, in the guest", "kick_ns": "kick of a vCPU out of the guest",
    "kick_flush_ns": "kick for a changed mapping"}
SHORT = {"us": "µs"}                    # units as the page writes them
BEST = [("stall_p50_ns", "median stall", True), ("stall_p99_ns", "99th percentile of it", True),
        ("flushes_per_s", "flushes a second", False)]
WITHIN = 1.25                           # simulated to measured: what counts as near
MODEL_TITLES = {"wall_p50_ns": "wall p50", "stall_p50_ns": "stall p50",
                "stall_p99_ns": "stall p99", "flushes_per_s": "flushes/s"}


def figure_cell(name, cell):
    """A figure, and below it the least and most of the rounds."""
    figure = cell[name]
    if figure is None:
        return NONE
    value = value_text(name, figure.value)
    if figure.low == figure.high:
        return value
    return value, "–".join(value_text(name, end) for end in (figure.low, figure.high))


def shape_of(cell):
    return (f"{shape_text({name: cell[name] for name in sweep_folder.KEY})}, "
            f"overcommit {cell['overcommit']:g}")


# --- what and where -----------------------------------------------------------------------

def warnings(folder):
    sweep, said = folder.sweep, []
    if not sweep.get("complete", False):
        said.append(f"This sweep is not finished: {sweep.get('cells_done', 'some')} of "
                    f"{sweep.get('cells_planned', 'its')} cells have all their rounds.")
    if sweep.get("quick"):
        said.append("A quick sweep: short runs, few cells. Its figures are for a look.")
    if host_of(folder).get("emulated"):
        said.append("All times are an emulator's: they mean ratios only.")
    stale = [cell for cell in folder.cells if cell["safe"] and cell["stale"]]
    if stale:
        said.append("STALE TRANSLATIONS under a protocol that is declared safe: " + listed(
            f"{cell['stale']} under {cell['protocol']} with {shape_of(cell)}"
            for cell in stale) + ".")
    if not folder.cells:
        said.append("Nothing was measured.")
    shapes = {sweep_folder.key_of(cell): cell["rounds"] for cell in folder.cells}
    once = sum(rounds < 2 for rounds in shapes.values())
    if once:
        said.append(f"{once} of {len(shapes)} cells have one round only, and so no range: "
                    "what is said of them may be chance.")
    return said + [f"{line}." for line in folder.missing]


def host_of(folder):
    return folder.run.get("host") or (folder.host or {}).get("host") or {}


def host_text(folder):
    host = host_of(folder)
    if not host:
        return "What host it was is not known."
    ring = " (no VMX or SVM: guest ring 0 is emulated)" if host["kvm"] == "pvm" else ""
    words = [f"Host: KVM of kind {host['kvm']}{ring}, {host['cpu']}, "
             f"{host['cpus_online']} CPUs online, {host['kernel']}"]
    if host.get("below", "none") != "none":
        words.append(f"below it {host['below']}" + ", an emulator" * host.get("emulated", False))
    words += [f"mitigations: {host['mitigations']}",
              f"load {host['load_1m']:.3g} at the beginning",
              "KVM marks preempted vCPUs itself" if host["marks_preempted"]
              else "preempted vCPUs are marked by the VMM only"]
    if folder.run:
        words.append(f"flush on entry by {folder.run['entry_flush']}")
    return "; ".join(words) + "."


def count_text(folder):
    cells = folder.cells
    if not cells:
        return None
    shapes = {sweep_folder.key_of(cell) for cell in cells}
    rounds, disturbed = (sum(cell[name] for cell in cells) for name in ("rounds", "disturbed"))
    return (f"Measured: {len(folder.protocols)} protocols in {len(shapes)} cells, "
            f"{sum(cell['flushes'] for cell in cells)} flushes in {rounds} runs of a protocol; "
            f"in {disturbed} of these runs the host gave more than 2 % of the slots' CPU "
            "time to other work (disturbed).")


def oracle_text(folder):
    """Checks and stale loads, of the safe protocols and of the others."""
    said = []
    for safe, who in ((True, "protocols that are declared safe"), (False, "the others")):
        cells = [cell for cell in folder.cells if cell["safe"] == safe]
        if cells:
            stale, checks = (sum(cell[name] for cell in cells) for name in ("stale", "checks"))
            said.append(f"{stale} of {checks} under {who}")
    return ("Loads that used a translation older than a flush that had returned: " +
            "; ".join(said) + ".") if said else None


# --- the answer ---------------------------------------------------------------------------

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
    """A sentence: who is best and worst of the cells of one shape, by how much, and who is not
    told apart from the best."""
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


def answer_row(cells):
    row, first = [], None
    for name, _, least in BEST:
        best, near = best_of(cells, name, least)
        first = first or best
        names = " / ".join(cell["protocol"] for cell in [best, *near] if cell)
        row.append((names, spread_text(name, best[name])) if best else NONE)
    if first is None:
        return None
    costs = ", ".join(rate_text(first[name].value) if first[name] else NONE
                      for name in ("ipis_per_flush", "exits_per_flush"))
    return row + [(costs, first["protocol"])]


def answer(folder):
    cells, fixed = plots.over_overcommit(folder)
    rows = {overcommit: answer_row([c for c in cells if c["overcommit"] == overcommit])
            for overcommit in sorted({cell["overcommit"] for cell in cells})}
    said = [extremes(folder.at_base(), *figure) for figure in BEST]
    return {"shape": shape_text(fixed), "sentences": list(filter(None, said)),
            "rows": [[f"{overcommit:g}", *row] for overcommit, row in rows.items() if row]}


# --- tables -------------------------------------------------------------------------------

def grouped(folder, row_of):
    """Rows for a table with a group for each shape."""
    shapes = {}
    for cell in folder.cells:
        shapes.setdefault(sweep_folder.key_of(cell), []).append(cell)
    return [row for cells in shapes.values() for row in [shape_of(cells[0]), *(
        [cell["protocol"] + "*" * (cell["disturbed"] > 0), *row_of(cell)] for cell in cells)]]


def times_row(cell):
    return [figure_cell(name, cell) for name in ["flushes_per_s", *TIMES.values()]]


def counts_row(cell):
    return [*(figure_cell(name, cell) for name in COUNTS.values()),
            f"{cell['disturbed']} of {cell['rounds']}", cell["flushes"],
            f"{cell['stale']} of {cell['checks']}"]


def part_rows(folder):
    return [[part["protocol"], part["flushes"], *(time_text(part[name]) for name in plots.PARTS),
             time_text(part["stall_mean_ns"])] for part in folder.parts]


def primitive_rows(folder):
    found = (folder.host or {}).get("primitives", {})
    return [[PRIMITIVES.get(name, name),
             *(NONE if primitive[key] is None else time_text(primitive[key])
               for key in ("p50", "p90", "p99")), primitive["samples"]]
            for name, primitive in found.items() if primitive]


def cost_row(row):
    """A row of costs.csv as the table has it."""
    def value(name, unit):
        number, unit = row.get(name), row.get(unit) or ""
        return f"{number} {SHORT.get(unit, unit)}".strip() if number else NONE

    ends = row.get("low"), row.get("high")
    return [row.get("what") or NONE, value("value", "unit"),
            "–".join(ends) if all(ends) and ends[0] != ends[1] else NONE,
            row.get("floor_what") or NONE, value("floor_value", "floor_unit"),
            times_the_floor(row), row.get("note") or NONE]


def times_the_floor(row):
    """How many times its floor a cost is, where both have one unit."""
    try:
        if row["unit"] == row["floor_unit"] and float(row["floor_value"]) > 0:
            return f"{float(row['value']) / float(row['floor_value']):.3g}"
    except (KeyError, TypeError, ValueError):
        pass
    return NONE


# --- the model ----------------------------------------------------------------------------

def ratios(cells, name):
    """Simulated to measured: (ratio, cell), where both are known, in order."""
    return sorted(((cell["simulated"][name] / cell["measured"][name].value, cell)
                   for cell in cells if cell["measured"][name] and cell["simulated"][name]
                   and cell["measured"][name].value > 0), key=lambda pair: pair[0])


def near(pairs):
    return sum(1 / WITHIN <= ratio <= WITHIN for ratio, _ in pairs)


def model_sentence(cells):
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


def beside(cell, name):
    """Measured, simulated, and below them their ratio."""
    measured, simulated = cell["measured"][name], cell["simulated"][name]
    if not measured or not simulated or measured.value <= 0:
        return NONE
    return (f"{value_text(name, measured.value)} / {value_text(name, simulated)}",
            ratio_text(simulated / measured.value))


def ratio_cell(pairs):
    if not pairs:
        return NONE
    middle = statistics.median(ratio for ratio, _ in pairs)
    ends = "–".join(ratio_text(pair[0]) for pair in (pairs[0], pairs[-1]))
    return f"{ratio_text(middle)} ({ends})", f"{near(pairs)} of {len(pairs)} near"


def cloud_cell(row):
    if row is None or not row["flushes"]:
        return NONE
    return time_text(row["wall_p50_ns"]), time_text(row["stall_p99_ns"])


def model_tables(folder, predicted):
    cells, cloud = predicted.cells, {(row["protocol"], row["vcpus"]): row
                                     for row in predicted.cloud}
    names = dict.fromkeys(cell["protocol"] for cell in cells)
    columns = list(dict.fromkeys(row["vcpus"] for row in predicted.cloud))
    return {
        "missing": predicted.missing, "titles": list(MODEL_TITLES.values()),
        "sentence": model_sentence(cells) if cells else None,
        "within": f"{100 * (WITHIN - 1):.0f}",
        "base": [[cell["protocol"], *(beside(cell, name) for name in MODEL_TITLES)]
                 for cell in cells if sweep_folder.key_of(cell) == folder.base],
        "all": [[name, *(ratio_cell(ratios([c for c in cells if c["protocol"] == name], figure))
                         for figure in MODEL_TITLES)] for name in names],
        "cpus": sim.CLOUD_CPUS, "slice_ms": f"{sim.CLOUD_SLICE_NS / 1e6:g}",
        "cloud_vcpus": [f"{vcpus} vCPUs" for vcpus in columns],
        "cloud": [[name, *(cloud_cell(cloud.get((name, vcpus))) for vcpus in columns)]
                  for name in dict.fromkeys(name for name, _ in cloud)]}


# --- the whole ----------------------------------------------------------------------------

def again(folder):
    sweep = folder.sweep
    return {
        "command": shlex.join(sweep.get("command", ["not kept"])),
        "sweep": f"Version {sweep.get('version', 'not kept')}, seed "
                 f"{sweep.get('seed', 'not kept')}, {sweep.get('rounds', '?')} rounds; from "
                 f"{sweep.get('started', '?')} to {sweep.get('ended', '?')}, "
                 f"{sweep.get('seconds', '?')} s.",
        "seeds": ", ".join(f"{name}: {seed}" for name, seed in sweep.get("seeds", {}).items())}


def inlined(path, name):
    """A picture as an element of the page: ids of its own, as wide as the page has it."""
    svg = path.read_text(encoding="utf-8")
    head, rest = svg[svg.index("<svg"):].split(">", 1)
    view = re.search(r'viewBox="[^"]*"', head)[0]
    rest = re.sub(r"""(\sid=['"]|href=['"]#|url\(#)""", rf"\g<1>{name}-", rest)
    return markupsafe.Markup(f'<svg role="img" aria-label="{name}" {view}>' +
                             rest.replace("xlink:href", "href"))


def text_of(folder, predicted, drawn):
    """The page, with the pictures @drawn, which are in the folder."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("page.html").render(
        style=markupsafe.Markup((HERE / "page.css").read_text(encoding="utf-8")),
        pictures={name: inlined(folder.path / "plots" / f"{name}.svg", name) for name in drawn},
        warnings=warnings(folder), host=host_text(folder), count=count_text(folder),
        oracle=oracle_text(folder), answer=answer(folder),
        base_shape=shape_text(folder.base_fields()), over_vcpus=plots.time_over_vcpus(folder),
        parts=part_rows(folder), part_names=[words for words, *_ in plots.PARTS.values()],
        switches=sum(count for _, _, count in folder.switches),
        costs=list(map(cost_row, folder.costs)), primitives=primitive_rows(folder),
        model=model_tables(folder, predicted), least=results.LEAST,
        time_titles=list(TIMES), times=grouped(folder, times_row), count_titles=list(COUNTS),
        counts=grouped(folder, counts_row), again=again(folder),
        rounds=max((cell["rounds"] for cell in folder.cells), default=0))


def make(out, program):
    """Writes @out/index.html and the pictures; @program is the model's binary. Returns the
    path. Raises Unusable, one line."""
    folder = sweep_folder.Folder(out)
    predicted = prediction.make(folder, pathlib.Path(program))
    cloud = plots.prediction_picture("prediction", predicted.cloud, sim.CLOUD_CPUS,
                                     {"wall time, median": "wall_p50_ns"})
    drawn = plots.draw(plots.pictures(folder) + [cloud] * (cloud is not None),
                       folder.path / "plots")
    path = folder.path / "index.html"
    try:
        path.write_text(text_of(folder, predicted, drawn), encoding="utf-8")
    except OSError as error:
        raise results.Unusable(f"{path}: {error.strerror}") from error
    return path


def main(words):
    parser = argparse.ArgumentParser(prog="bench page", description=__doc__.splitlines()[0])
    parser.add_argument("vmm", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("out", nargs="?", default="out", metavar="DIR",
                        help="the folder of a sweep (out)")
    arguments = parser.parse_args(words)
    try:
        print(make(arguments.out, arguments.vmm.parent / "bench" / "sim"))
    except results.Unusable as error:
        print(f"page: {error}", file=sys.stderr)
        sys.exit(2)
