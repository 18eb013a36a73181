# SPDX-License-Identifier: MIT
"""page.py - the page of a sweep: which protocol, at which overcommit, at what cost.

    ./run bench page [OUT]

Reads the folder OUT that a sweep has written, has the pictures drawn (plots.py) and the
model run (prediction.py), and writes
OUT/index.html, one file that loads nothing. What is missing in OUT the page says.
"""
import argparse
import pathlib
import shlex
import sys

from report import findings
from report import page_model
from report import plots
from report import prediction
from sim import sim
from report import folder as sweep_folder
from report.gnuplot import draw, require_gnuplot
from report.markup import NONE, Html, element, inlined_svg, joined, paragraph, table
from lib.words import listed, rate_text, shape_text, spread_text, time_text, value_text

HERE = pathlib.Path(__file__).resolve().parent
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
POOLED = "†"


def figure_cell(name, cell):
    """A figure, and below it the least and most of the rounds."""
    figure = sweep_folder.shown(cell, name)
    if figure is None:
        return NONE
    value = value_text(name, figure.value)
    if name in cell["pooled"]:
        return value + POOLED
    if figure.low == figure.high:
        return value
    ends = [value_text(name, end) for end in (figure.low, figure.high)]
    return joined([value, element("small", "–".join(ends))], "")


def shape_of(cell):
    return (f"{shape_text({name: cell[name] for name in sweep_folder.KEY})}, "
            f"overcommit {cell['overcommit']:g}")


class Page:
    """All sections of one sweep's page."""

    def __init__(self, folder, predicted, drawn):
        self.folder, self.predicted, self.drawn = folder, predicted, drawn

    def picture(self, name, title, sentence):
        """One picture with what it shows; or why there is none."""
        if name not in self.drawn:
            return paragraph(f"{title}: too little was measured for a picture.")
        svg = inlined_svg(self.folder.path / "plots" / f"{name}.svg", name, title)
        caption = joined([element("strong", f"{title}."), sentence], " ")
        return element("figure", joined([svg, element("figcaption", caption)]), id=name)

    # What and where

    def warnings(self):
        folder, sweep = self.folder, self.folder.sweep
        said = []
        if not sweep.get("complete", False):
            said.append(f"This sweep is not finished: {sweep.get('cells_done', 'some')} of "
                        f"{sweep.get('cells_planned', 'its')} cells have all their rounds.")
        if sweep.get("quick"):
            said.append("A quick sweep: short runs, few cells. Its figures are for a look.")
        stale = [cell for cell in folder.cells if cell["safe"] and cell["stale"]]
        if stale:
            said.append("STALE TRANSLATIONS under a protocol that is declared safe: " +
                        listed(f"{cell['stale']} under {cell['protocol']} with "
                                        f"{shape_of(cell)}" for cell in stale) + ".")
        if not folder.cells:
            said.append("Nothing was measured.")
        shapes = {sweep_folder.key_of(cell): cell["rounds"] for cell in folder.cells}
        once = sum(rounds < 2 for rounds in shapes.values())
        if once:
            said.append(f"{once} of {len(shapes)} cells have one round only, and so no range: "
                        "what is said of them may be chance.")
        said += [f"{line}." for line in folder.missing]
        return joined(paragraph(line, class_="warning") for line in said)

    def host_text(self):
        run = self.folder.run
        host = run.get("host") or (self.folder.host or {}).get("host") or {}
        if not isinstance(host, dict) or not host:
            return "What host it was is not known."
        kvm = host.get("kvm", "?")
        ring = " (no VMX or SVM: guest ring 0 is emulated)" if kvm == "pvm" else ""
        words = [f"Host: KVM of kind {kvm}{ring}, {host.get('cpu', '?')}, "
                 f"{host.get('cpus_online', '?')} CPUs online, {host.get('kernel', '?')}"]
        if host.get("mitigations"):
            words.append(f"mitigations: {host['mitigations']}")
        if isinstance(host.get("load_1m"), (int, float)):
            words.append(f"load {host['load_1m']:.3g} at the beginning")
        words.append("KVM marks preempted vCPUs itself" if host.get("marks_preempted")
                     else "preempted vCPUs are marked by the VMM only")
        if run.get("entry_flush"):
            words.append(f"flush on entry by {run['entry_flush']}")
        return "; ".join(words) + "."

    def count_text(self):
        cells = self.folder.cells
        shapes = {sweep_folder.key_of(cell) for cell in cells}
        rounds, disturbed = (sum(cell[name] for cell in cells) for name in ("rounds", "disturbed"))
        return (f"Measured: {len(self.folder.protocols)} protocols in {len(shapes)} cells, "
                f"{sum(cell['flushes'] for cell in cells)} flushes in {rounds} runs of a protocol; "
                f"in {disturbed} of these runs the host gave more than 2 % of the slots' CPU "
                "time to other work (disturbed).")

    def oracle_text(self):
        """Checks and stale loads, of the safe protocols and of the others."""
        said = []
        for safe, who in ((True, "protocols that are declared safe"), (False, "the others")):
            cells = [cell for cell in self.folder.cells if cell["safe"] == safe]
            if cells:
                stale, checks = (sum(cell[name] for cell in cells) for name in
                                 ("stale", "checks"))
                said.append(f"{stale} of {checks} under {who}")
        return ("Loads that used a translation older than a flush that had returned: " +
                "; ".join(said) + ".") if said else None

    def what(self):
        return joined([paragraph(text) for text in (
            "How long a vCPU is held up when it shoots down the TLBs of the others, with more "
            "vCPUs than CPUs, under each way of doing that. Wall is the time from after the PTE "
            "stores to the return of the flush; stall is the same less the time that the "
            "initiator itself was parked by the VMM. A slot is one CPU's worth of run time; "
            "overcommit is vCPUs a slot.",
            self.host_text(), self.count_text() if self.folder.cells else None,
            self.oracle_text())])

    # The answer

    def answer(self):
        cells, fixed = plots.over_overcommit(self.folder)
        rows = []
        for overcommit in sorted({cell["overcommit"] for cell in cells}):
            row = self.answer_row([c for c in cells if c["overcommit"] == overcommit])
            if row:
                rows.append([f"{overcommit:g}", *row])
        if not rows:
            return paragraph("Too little was measured for an answer.")
        return joined([
            table(f"The best safe protocol by overcommit, {shape_text(fixed)}: median of "
                  "the rounds (least to most); behind a stroke who is not told apart from it, as "
                  "their rounds overlap",
                  ["overcommit", "least stall p50", "least stall p99", "most flushes/s",
                   "IPIs, exits a flush"], rows, kind="wide names"),
            paragraph(self.answer_sentence())])

    @staticmethod
    def answer_row(cells):
        row, first = [], None
        for name, least in (("stall_p50_ns", True), ("stall_p99_ns", True),
                            ("flushes_per_s", False)):
            best, near = findings.best_of(cells, name, least)
            first = first or best
            if best is None:
                row.append(NONE)
                continue
            names = [best["protocol"]] + [cell["protocol"] for cell in near]
            row.append(joined([" / ".join(names), element(
                "small", spread_text(name, best[name]))], ""))
        if first is None:
            return None
        costs = [rate_text(first[name].value) if first[name] else NONE
                 for name in ("ipis_per_flush", "exits_per_flush")]
        return row + [joined([", ".join(costs), element("small", first["protocol"])], "")]

    def answer_sentence(self):
        cells = self.folder.at_base()
        said = [findings.extremes(cells, name, what, least) for name, what, least in (
            ("stall_p50_ns", "median stall", True),
            ("stall_p99_ns", "99th percentile of it", True),
            ("flushes_per_s", "flushes a second", False))]
        if not any(said):
            return None
        return (f"In the base cell ({shape_text(self.folder.base_fields())}): " +
                " ".join(filter(None, said)))

    def pictures(self):
        folder = self.folder
        overcommit, vcpus = plots.over_overcommit(folder)[0], plots.over_vcpus(folder)[0]
        time = plots.time_over_vcpus(folder)
        words = {"stall": "Stall", "wall": "Wall time"}[time]
        one = "; at each point a line from the least to the most of the rounds"
        return joined([
            self.picture("stall-distribution", "Stall in the base cell",
                         findings.distribution(folder, "stall")),
            self.picture("wall-distribution", "Wall time in the base cell",
                         findings.distribution(folder, "wall")),
            self.picture("stall-overcommit", f"Stall against overcommit{one}",
                         findings.time_over(overcommit, "overcommit", "stall")),
            self.picture("rate-overcommit", f"Flushes a second against overcommit{one}",
                         findings.rate_over(overcommit)),
            self.picture(f"{time}-vcpus", f"{words} against the number of vCPUs{one}",
                         findings.time_over(vcpus, "vcpus", time)),
            self.parts(), self.switches()])

    def parts(self):
        if not self.folder.parts:
            return paragraph("What a stall is made of was not measured (parts.csv).")
        rows = [[stall["protocol"], stall["flushes"],
                 *(time_text(stall[name]) for name in sweep_folder.PARTS),
                 time_text(stall["stall_mean_ns"])] for stall in self.folder.parts]
        return joined([
            self.picture("stall-parts", "What the mean stall of a traced run of the base cell "
                         "is made of", findings.parts(self.folder)),
            table("Parts of the mean stall, one traced run of the base cell",
                  ["protocol", "flushes", *plots.PART_NAMES.values(), "sum"], rows)])

    def switches(self):
        if not self.folder.switches:
            return paragraph("What a slot switch costs was not kept as a histogram "
                             "(switch.hist).")
        return self.picture("slot-switch", "What a slot switch costs; bars are at least a tenth "
                            "of a decade wide", findings.switches(self.folder))

    # Tables

    def grouped(self, row_of):
        """Rows for a table with a group for each shape."""
        shapes = {}
        for cell in self.folder.cells:
            shapes.setdefault(sweep_folder.key_of(cell), []).append(cell)
        for cells in shapes.values():
            yield shape_of(cells[0])
            yield from ([cell["protocol"] + "*" * (cell["disturbed"] > 0), *row_of(cell)]
                        for cell in cells)

    def cells(self):
        def times(cell):
            return [figure_cell(name, cell) for name in
                    ["flushes_per_s", *TIMES.values()]]

        def counts(cell):
            return [figure_cell(name, cell) for name in COUNTS.values()] + [
                f"{cell['disturbed']} of {cell['rounds']}", cell["flushes"],
                f"{cell['stale']} of {cell['checks']}"]

        caption = ("Median of the rounds, least and most below it; * at least one round was "
                   f"disturbed; {POOLED} of all rounds together, as p99.9 always is, because a "
                   f"round has fewer than {sweep_folder.LEAST['p50']} flushes for p50 or "
                   f"{sweep_folder.LEAST['p99']} for p99; {NONE} not measured, or too few of all "
                   f"rounds ({sweep_folder.LEAST['p999']} for p99.9)")
        return joined([
            table(f"Times of all cells. {caption}", ["protocol", "flushes/s", *TIMES],
                  list(self.grouped(times))),
            table("Counts of all cells, and what was measured beside them",
                  ["protocol", *COUNTS, "disturbed", "flushes", "stale of checks"],
                  list(self.grouped(counts)))])

    def exits(self):
        cells = [cell for cell in self.folder.at_base() if cell["exits_per_flush"]]
        if not cells:
            return paragraph("Exits were not counted.")
        return paragraph("Exits to userspace for each flush in the base cell, the VMM's own "
                         "preemption among them: " + listed(
                             f"{cell['protocol']} "
                             f"{spread_text('exits', cell['exits_per_flush'])}"
                             for cell in sorted(cells, key=lambda cell:
                                                cell["exits_per_flush"].value)) + ".")

    def primitives(self):
        found = (self.folder.host or {}).get("primitives")
        rows = []
        for name, primitive in (found if isinstance(found, dict) else {}).items():
            try:
                rows.append([PRIMITIVES.get(name, name),
                             *(time_text(float(primitive[key])) for key in
                               ("p50", "p90", "p99")), primitive["samples"]])
            except (KeyError, TypeError, ValueError):
                continue
        if not rows:
            return paragraph("The primitives of this host were not measured (host.json).")
        return table("Primitives of this host (vmm --host)",
                     ["primitive", "p50", "p90", "p99", "samples"], rows)

    def costs(self):
        rows = [cost_row(row) for row in self.folder.costs]
        if not rows:
            return paragraph("What the tool itself costs was not measured (costs.csv).")
        return table("What the tool itself costs, and the floor of this host it stands against",
                     ["cost", "value", "least–most", "floor", "value", "times the floor", "note"],
                     rows)

    # The model

    def model(self):
        found = self.predicted
        said = [paragraph(f"{line[:1].upper()}{line[1:]}.") for line in found.missing]
        if found.cells:
            said += [paragraph(findings.model(found.cells)), page_model.measured(self.folder,
                                                                                 found.cells)]
        if found.cloud:
            said += [self.picture("prediction", f"A machine of {sim.CLOUD_CPUS} CPUs",
                                  findings.cloud(found.cloud)), page_model.cloud(found.cloud)]
        return joined(said)

    # The end

    def again(self):
        sweep = self.folder.sweep
        command = sweep.get("command")
        command = shlex.join(map(str, command)) if isinstance(command, list) else "not kept"
        seeds = sweep.get("seeds")
        lines = [f"Version {sweep.get('version', 'not kept')}, seed "
                 f"{sweep.get('seed', 'not kept')}, {sweep.get('rounds', '?')} rounds; from "
                 f"{sweep.get('started', '?')} to {sweep.get('ended', '?')}, "
                 f"{sweep.get('seconds', '?')} s."]
        if isinstance(seeds, dict):
            lines.append("Seeds of the rounds: " + ", ".join(
                f"{name}: {seed}" for name, seed in seeds.items()) + ".")
        return joined([paragraph(element("code", command)), *map(paragraph, lines), paragraph(
            "A seed decides what is random in the VMM; what the host does meanwhile it does not. "
            "bench/compare says what has changed between the folders of two sweeps.")])

    def limits(self):
        rounds = max((cell["rounds"] for cell in self.folder.cells), default=0)
        said = [
            "One host, one machine configuration: compare ratios within this page, not "
            "microseconds between hosts.",
            f"Ranges are the least and most of {rounds} rounds, no confidence intervals. Where "
            "two overlap they are called not told apart; where they do not, that may still be "
            "chance.",
            "The initiator's stall has the VMM's own parks taken off, not what the host took "
            "away; runs with more than 2 % of that count as disturbed and are shown all the "
            "same.",
            "p99.9 is of the flushes of all rounds together and has no range.",
            "Parts of a stall come from a traced run, and tracing costs time in each handler."]
        if self.predicted.cloud:
            said.append(f"The machine of {sim.CLOUD_CPUS} CPUs was never measured. Its costs are "
                        "published figures and assumptions, named in bench/sim/sim.py.")
        return element("ul", joined(element("li", line) for line in said))

    def text(self):
        sections = {
            "What was measured": self.what,
            "Which protocol, at which overcommit, at what cost": self.answer,
            "Pictures": self.pictures, "Exits": self.exits,
            "What the tool itself costs": lambda: joined([self.costs(), self.primitives()]),
            "The model beside the measurement": self.model, "All cells": self.cells,
            "How to do it again": self.again, "Limits of this": self.limits}
        body = [element("h1", "TLB shootdowns with more vCPUs than CPUs"), self.warnings()]
        for title, section in sections.items():
            body += [element("h2", title), section()]
        head = joined([
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", "TLB shootdowns with more vCPUs than CPUs"),
            element("style", Html((HERE / "page.css").read_text(encoding="utf-8")))])
        return "<!DOCTYPE html>\n" + element("html", joined([
            element("head", head), element("body", joined(body))]), lang="en") + "\n"


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


def make(out, program):
    """Writes @out/index.html and the pictures; returns its path. Raises Unusable, one line."""
    require_gnuplot()
    folder = sweep_folder.Folder(out)
    predicted = prediction.make(folder, pathlib.Path(program))
    cloud = plots.prediction_picture(folder, predicted.cloud, sim.CLOUD_CPUS)
    drawn = draw(plots.pictures(folder) + [cloud] * (cloud is not None), folder.path)
    path = folder.path / "index.html"
    try:
        path.write_text(Page(folder, predicted, drawn).text(), encoding="utf-8")
    except OSError as error:
        raise sweep_folder.Unusable(f"{path}: {error.strerror}") from error
    return path


def main(words):
    parser = argparse.ArgumentParser(prog="bench page", description=__doc__.splitlines()[0])
    parser.add_argument("vmm", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("out", nargs="?", default="out", help="the folder of a sweep (out)")
    arguments = parser.parse_args(words)
    try:
        print(make(arguments.out, arguments.vmm.parent / "bench" / "sim"))
    except sweep_folder.Unusable as error:
        print(f"page: {error}", file=sys.stderr)
        sys.exit(2)
