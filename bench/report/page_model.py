# SPDX-License-Identifier: MIT
"""page_model.py - the tables of a sweep's page in which the model (bench/sim/) stands."""
import statistics

from report import findings
from report import prediction
from sim import sim
from report import folder as sweep_folder
from report.markup import NONE, element, joined, paragraph, table
from lib.words import ratio_text, shape_text, time_text, value_text

TITLES = {"wall_p50_ns": "wall p50", "stall_p50_ns": "stall p50", "stall_p99_ns": "stall p99",
          "flushes_per_s": "flushes/s"}


def measured(folder, cells):
    """The cells that were measured and simulated: the base cell, and all by protocol."""
    return joined([
        paragraph("Costs are those of one run of vmm --host and of each cell's own PTE stores "
                  "(bench/sim/model.py). The model has nothing else on the CPUs."),
        base(folder, cells), ratios(cells)])


def beside(cell, name):
    """Measured, simulated, and below them their ratio."""
    figures = cell["measured"][name], cell["simulated"][name]
    if not all(figures) or figures[0].value <= 0:
        return NONE
    texts = [value_text(name, value) for value in (figures[0].value, figures[1])]
    return joined([" / ".join(texts), element(
        "small", ratio_text(figures[1] / figures[0].value))], "")


def base(folder, cells):
    rows = [[cell["protocol"], *(beside(cell, name) for name in prediction.FIGURES)]
            for cell in cells if sweep_folder.key_of(cell) == folder.base]
    return table(f"The base cell ({shape_text(folder.base_fields())}): measured / simulated, and "
                 "below that simulated to measured",
                 ["protocol", *(TITLES[name] for name in prediction.FIGURES)], rows)


def ratio_cell(pairs):
    """@pairs, sorted: (ratio, cell)."""
    if not pairs:
        return NONE
    middle = statistics.median(ratio for ratio, _ in pairs)
    ends = "–".join(ratio_text(pair[0]) for pair in (pairs[0], pairs[-1]))
    return joined([f"{ratio_text(middle)} ({ends})", element(
        "small", f"{findings.near(pairs)} of {len(pairs)} near")], "")


def ratios(cells):
    rows = []
    for name in dict.fromkeys(cell["protocol"] for cell in cells):
        mine = [cell for cell in cells if cell["protocol"] == name]
        rows.append([name, *(ratio_cell(findings.ratios(mine, figure))
                             for figure in prediction.FIGURES)])
    return table("All cells, simulated to measured: median ratio (least to most); near: within "
                 f"{100 * (findings.WITHIN - 1):.0f} %",
                 ["protocol", *(TITLES[name] for name in prediction.FIGURES)], rows)


def cloud_cell(row):
    if row is None or not row["flushes"]:
        return NONE
    return joined([time_text(row["wall_p50_ns"]), element(
        "small", time_text(row["stall_p99_ns"]))], "")


def cloud(rows):
    """Rows of sim.cloud_row(), a column for each number of vCPUs."""
    columns, lines = list(dict.fromkeys(row["vcpus"] for row in rows)), []
    for name in dict.fromkeys(row["protocol"] for row in rows):
        cells = {row["vcpus"]: row for row in rows if row["protocol"] == name}
        lines.append([name, *(cloud_cell(cells.get(vcpus)) for vcpus in columns)])
    return table(f"Simulated, {sim.CLOUD_CPUS} CPUs, slices of {sim.CLOUD_SLICE_NS / 1e6:g} ms, "
                 "one vCPU that flushes: median of the wall time, and below it the 99th "
                 "percentile of the stall",
                 ["protocol", *(f"{vcpus} vCPUs" for vcpus in columns)], lines)
