# SPDX-License-Identifier: MIT
"""prediction.py - the model (bench/sim/) beside the cells of a sweep, and on a machine of
256 CPUs (CLOUD of bench/sim/sim.py).

Costs are those of the sweep's own `vmm --host` and of each cell's own PTE stores. The model
has its share of a sweep's time and no more: what is not simulated when that is over is left
out, counted.
"""
import subprocess
import time

from lib import protocols
from lib import results
from sim import sim
from report import folder as sweep_folder

FIGURES = ["wall_p50_ns", "stall_p50_ns", "stall_p99_ns", "flushes_per_s"]
BUDGET_S = {False: 40, True: 4}         # by whether the sweep is a quick one
CELLS_SHARE = 0.5                       # of it for the cells that were measured
SECONDS = {False: 5, True: 1}           # simulated of each, at least
ROTATIONS = {False: 100, True: 20}      # the same, as `ipi` flushes once a rotation
CLOUD_OVERCOMMIT = {False: [1, 2, 4, 8, 16], True: [1, 4]}
CLOUD_SECONDS = {False: 1, True: 0.1}


class Prediction:
    """cells: those simulated, with `measured` and `simulated`; cloud: rows of
    sim.cloud_row(). What there is none of is said in missing, a line each."""

    def __init__(self):
        self.cells, self.cloud, self.missing = [], [], []


def shape_of(folder, cell):
    run = folder.run
    return {"vcpus": cell["vcpus"], "slots": cell["slots"], "pages": run["pages"],
            "slice-ns": cell["slice_us"] * 1000, "pace-ns": run["pace_us"] * 1000,
            "initiators": cell["initiators"],
            "flush-ceiling": sim.BY_PAGE_CEILING if run["by_page"] else 0}


def pte_of(folder, cell):
    """p50 and p90 of the PTE stores; None where no flush was kept."""
    times = folder.pte.get((sweep_folder.key_of(cell), cell["protocol"]))
    return tuple(results.quantile(times, share) for share in (0.5, 0.9)) if times else None


def simulate_cell(folder, program, cell, quick):
    """@cell with what was measured in it and what the model says, figure by figure."""
    seconds = max(SECONDS[quick], ROTATIONS[quick] * cell["overcommit"] * cell["slice_us"] / 1e6)
    measured = {name: cell[name] for name in FIGURES}
    one = {"shape": shape_of(folder, cell), "protocol": cell["protocol"],
           "entry_flush": folder.run["entry_flush"], "pte": pte_of(folder, cell)}
    return {**cell, "measured": measured,
            "simulated": sim.simulate(program, folder.host, one, seconds)}


def simulate_cells(folder, program, found, deadline, quick):
    wanted = [cell for cell in folder.cells if cell["protocol"] in protocols.SAFE and
              cell["wall_p50_ns"] and pte_of(folder, cell)]
    wanted.sort(key=lambda cell: sweep_folder.key_of(cell) != folder.base)
    for number, cell in enumerate(wanted):
        if time.monotonic() >= deadline:
            found.missing.append(f"{len(wanted) - number} of {len(wanted)} cells were not "
                                 "simulated: the time for it was over")
            return
        found.cells.append(simulate_cell(folder, program, cell, quick))


def simulate_cloud(program, found, deadline, quick):
    cells = [(overcommit, protocol) for overcommit in CLOUD_OVERCOMMIT[quick]
             for protocol in protocols.SAFE]
    for number, (overcommit, protocol) in enumerate(cells):
        if time.monotonic() >= deadline:
            found.missing.append(f"{len(cells) - number} of {len(cells)} cells of the large "
                                 "machine were not simulated: the time for it was over")
            return
        found.cloud.append(sim.cloud_row(program, overcommit, protocol, CLOUD_SECONDS[quick]))


def simulate_host(folder, program, found, deadline, quick):
    """The cells, if there is what the model has to know of this host."""
    if not folder.host or not folder.run:
        found.missing.append("no cell of this host was simulated: that takes host.json and "
                             "summary.json")
        return
    try:
        simulate_cells(folder, program, found, deadline, quick)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found.missing.append("no cell of this host was simulated: host.json or summary.json "
                             f"lacks what it takes ({type(error).__name__}: {error})")


def make(folder, program):
    """Simulates with @program, the model's binary (build/bench/sim)."""
    found, quick = Prediction(), bool(folder.sweep.get("quick"))
    if not program.exists():
        found.missing.append("nothing was simulated: the model (bench/sim of the build folder) "
                             "is not built")
        return found
    begin = time.monotonic()
    try:
        simulate_host(folder, program, found, begin + CELLS_SHARE * BUDGET_S[quick], quick)
        simulate_cloud(program, found, begin + BUDGET_S[quick], quick)
    except (OSError, subprocess.CalledProcessError) as error:
        found.missing.append(f"the model ended early: {error}")
    return found
