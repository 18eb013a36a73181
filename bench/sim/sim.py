# SPDX-License-Identifier: MIT
"""sim.py - the model beside the measurement, and what it says of machines nobody has here.

    ./run bench sim [--parts measured,closed,cloud] [--overcommit K,...] [--slices US,...]
                     [--rounds N] [--duration S] [--seconds S] [--out DIR] [vmm options]

measured: cells of every safe protocol are run on this host, then simulated with the costs
of `vmm --host` and the cell's own PTE stores, and compared figure by figure. The model has
no noise but the spread of those costs up to their p90: what a measured p99 has more is the
host's. Nothing but the PTE stores is taken from the cells themselves. Of N runs those that
nothing disturbed (the summary's word) count, and of their figures the median; where all were,
the one from which least was taken, marked *. Each primitive is from the quietest of N runs
too: the one with the lowest p90.
closed: closed_form.py beside model and measurement.
cloud: 256 CPUs, up to 4096 vCPUs, with the assumptions of CLOUD below.

DIR/sim-measured.csv, sim-closed.csv and sim-cloud.csv have the tables, sim-cloud.svg and
.png the plot, sim-host.json the primitives.
"""
import json
import pathlib
import statistics
import sys

from sim import closed_form
from sim import model
from lib import protocols
from lib import runs
from report import plots

PARTS = ["measured", "closed", "cloud"]
FIGURES = ["wall_p50_ns", "wall_p90_ns", "wall_p99_ns", "stall_p50_ns", "stall_p90_ns",
           "stall_p99_ns", "flushes_per_s"]
BY_PAGE_CEILING = 33                    # of vmm --flush-ceiling, where it flushes by page

# A machine with VMX, one slot a CPU, one vCPU that flushes, each time after run time that
# is even in [0, 2 ms): flushes begin anywhere in a slice. (p50, p90) of a cost, or one value.
CLOUD_CPUS = 256
CLOUD_SLICE_NS = 3000000                # EEVDF's base slice on 8 CPUs and more; assumption
CLOUD_WORK_NS = 2 * CLOUD_SLICE_NS
CLOUD = {
    "post": (50, 150),                  # a line in the same or in the other socket; assumption
    "gate": 100,                        # ring 0 is no trip there; assumption
    "send": 1200,                       # a broadcast to 79 vCPUs in 93 us (4180bf1b655a)
    "deliver": 1300,                    # 2.5 us for a unicast IPI (same commit) less its send
    "handler": 500,                     # assumption
    "flush": 500,                       # of a whole TLB, refills not counted; assumption
    "page": 200,                        # INVLPG "can take 100s of cycles" (4ce94eabac16's series)
    "exit": 1000,                       # a VMX exit to the kernel; assumption
    "kick": 2500,                       # a host's IPI and an exit
    "enter": 500,                       # half of an exit
    "switch": 2400,                     # futex hand-over between two threads of one CPU, measured
    "entry-flush": 700,                 # in record_steal_time(), measured
    "signal": 1000,                     # one kick of many; assumption
    "pte": 1000,                        # one page; assumption
}


def host_costs(arguments):
    """The quietest of several runs of --host, primitive by primitive."""
    path, best = arguments.out / "sim-host.json", None
    for number in range(arguments.rounds):
        runs.say_progress(f"primitives of this host, {number + 1} of {arguments.rounds}")
        host = runs.host(arguments.vmm, path)
        best = best or host
        for name, primitive in host["primitives"].items():
            if (primitive["p90"] or 0) < (best["primitives"][name]["p90"] or 0):
                best["primitives"][name] = primitive
    path.write_text(json.dumps(best, indent=2) + "\n", encoding="utf-8")
    return best


def shape_of(summary):
    """What vmm ran, in the model's words."""
    return {
        "vcpus": summary["vcpus"], "slots": summary["slots"], "pages": summary["pages"],
        "slice-ns": summary["slice_us"] * 1000, "pace-ns": summary["pace_us"] * 1000,
        "initiators": summary["initiators"],
        "flush-ceiling": BY_PAGE_CEILING if summary["by_page"] else 0,
    }


def figures_of(protocol):
    figures = {"flushes_per_s": protocol["flushes_per_s"]}
    for name in [*model.TIMES, "pte_ns"]:
        for key in model.QUANTILES:
            figures[f"{name[:-3]}_{key}_ns"] = protocol[name][key]
    return figures


def kept(protocols):
    """Of one protocol's entries of several summaries those that count."""
    quiet = [protocol for protocol in protocols if not protocol["disturbed"]]
    return quiet or [min(protocols, key=lambda protocol: protocol["taken_pct"])]


def measure(arguments, options):
    """A list of summaries for each cell; the rounds go through all cells in turn."""
    shapes = [(slice_us, overcommit) for slice_us in arguments.slices
              for overcommit in arguments.overcommit]
    cells = [[] for _ in shapes]
    for number in range(arguments.rounds):
        for cell, (slice_us, overcommit) in zip(cells, shapes):
            runs.say_progress(f"measuring, {number + 1} of {arguments.rounds}: slice {slice_us} "
                              f"us, overcommit {overcommit}")
            cell.append(runs.run(
                arguments.vmm, "--vcpus", runs.cpus() * overcommit, "--overcommit", overcommit,
                "--slice-us", slice_us, "--protocol", ",".join(protocols.SAFE),
                "--duration", arguments.duration, *options))
    return cells


def figures_of_cells(measured):
    """A dictionary for each cell and protocol: what was measured."""
    cells = []
    for summaries in measured:
        for index, protocol in enumerate(summaries[0]["protocols"]):
            count = kept([summary["protocols"][index] for summary in summaries])
            rows = [figures_of(protocol) for protocol in count]
            figures = {key: runs.median([row[key] for row in rows]) for key in rows[0]}
            cells.append({
                "shape": shape_of(summaries[0]), "protocol": protocol["name"],
                "entry_flush": summaries[0]["entry_flush"], "runs": len(count),
                "disturbed": count[0]["disturbed"], "measured": figures,
                "pte": model.cost(figures["pte_p50_ns"], figures["pte_p90_ns"]),
            })
    return cells


def simulate(program, host, cell, seconds):
    """What the model says of @cell, with the costs of @host and its own PTE stores."""
    costs = model.costs_of(host, cell["entry_flush"]) | {"pte": cell["pte"]}
    return model.run(program, cell["protocol"], cell["shape"], costs, seconds)


def simulate_cells(arguments, host, cells):
    """Adds what the model says."""
    for cell in cells:
        runs.say_progress(f"simulating: {cell['shape']['vcpus']} vCPUs, {cell['protocol']}")
        cell["simulated"] = simulate(arguments.sim, host, cell, arguments.seconds)
    runs.say_progress("")
    return cells


def ratio(measured, simulated):
    return simulated / measured if measured and simulated else None


def write_rows(path, header, rows):
    runs.write_csv(path, header, rows)
    print(path)


def text(figure, value):
    if value is None:
        return "-"
    return f"{value:.0f}" if figure == "flushes_per_s" else f"{value / 1000:.0f}"


def print_measured(cells):
    shown = ["wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns", "flushes_per_s"]
    titles = ["wall p50 us", "wall p99 us", "stall p50 us", "stall p99 us", "flushes/s"]
    print("measured, simulated, and simulated to measured")
    print(f"{'vCPUs':>5} {'slots':>5} {'slice':>6}  {'protocol':<11}" +
          "".join(f"{title:>22}" for title in titles))
    for cell in cells:
        shape = cell["shape"]
        mark = "*" if cell["disturbed"] else " "
        line = (f"{shape['vcpus']:>5} {shape['slots']:>5} {shape['slice-ns'] // 1000:>6}  "
                f"{cell['protocol'] + mark:<11}")
        for figure in shown:
            both = cell["measured"][figure], cell["simulated"][figure]
            part = ratio(*both)
            line += (f"{text(figure, both[0]):>8}{text(figure, both[1]):>8}" +
                     (f"{part:>6.2f}" if part is not None else f"{'-':>6}"))
        print(line)
    print(f"runs that count: {sum(cell['runs'] for cell in cells if not cell['disturbed'])}, "
          f"cells disturbed in every run: {sum(cell['disturbed'] for cell in cells)} of "
          f"{len(cells)}")
    for figure, title in zip(shown, titles):
        ratios = [part for cell in cells if (part := ratio(cell["measured"][figure],
                                                           cell["simulated"][figure]))]
        near = sum(1 / 1.25 <= part <= 1.25 for part in ratios)
        if ratios:
            print(f"{title}: {near} of {len(ratios)} cells within 25 %, median ratio "
                  f"{statistics.median(ratios):.2f}")


def part_measured(arguments, cells):
    write_rows(arguments.out / "sim-measured.csv",
               ["vcpus", "slots", "slice_us", "protocol", "runs", "disturbed", "figure",
                "measured", "simulated", "ratio"],
               [[c["shape"]["vcpus"], c["shape"]["slots"], c["shape"]["slice-ns"] // 1000,
                 c["protocol"], c["runs"], int(c["disturbed"]), figure, c["measured"][figure],
                 c["simulated"][figure], ratio(c["measured"][figure], c["simulated"][figure])]
                for c in cells for figure in FIGURES])
    print_measured(cells)


def closed_wall(cell, shape):
    """p50 of the wall time by the closed form, or None where there is no honest one."""
    per_slot, rest = divmod(shape["vcpus"], shape["slots"])
    if rest or shape["initiators"] != 1 or per_slot < 2:
        return None
    begin = closed_form.begins_at(shape["slice-ns"], per_slot, shape["pace-ns"], cell["pte"][0])
    if cell["protocol"] == "ipi":
        return closed_form.ipi_wall(shape["slice-ns"], per_slot, begin)
    if cell["protocol"] == "sleep":
        return closed_form.sleep_wall(shape["slots"], shape["slice-ns"], per_slot, begin)
    return None


def part_closed(arguments, cells):
    """Rows for the measured cells with a closed form, the model without costs among them."""
    rows = []
    for cell in cells:
        expected = closed_wall(cell, cell["shape"])
        if expected is None:
            continue
        pte = {"pte": (cell["pte"][0], cell["pte"][0])}
        free = model.run(arguments.sim, cell["protocol"], cell["shape"], pte, arguments.seconds)
        rows.append([cell["shape"]["vcpus"], cell["shape"]["slots"],
                     cell["shape"]["slice-ns"] // 1000, cell["protocol"], expected,
                     free["wall_p50_ns"], cell["simulated"]["wall_p50_ns"],
                     cell["measured"]["wall_p50_ns"]])
    header = ["vcpus", "slots", "slice_us", "protocol", "closed_ns", "free_of_cost_ns",
              "simulated_ns", "measured_ns"]
    write_rows(arguments.out / "sim-closed.csv", header, rows)
    print("wall p50, us: the closed form, the model free of cost, with costs, measured")
    for row in rows:
        print(f"{row[0]:>5} {row[1]:>5} {row[2]:>6}  {row[3]:<11}" +
              "".join(f"{value / 1000:>10.1f}" if value is not None else f"{'-':>10}"
                      for value in row[4:]))


def cloud_row(program, overcommit, protocol, seconds):
    """One cell of CLOUD: what a row of sim-cloud.csv has. Run time shrinks with overcommit,
    flushes do not."""
    costs = {name: cost if isinstance(cost, tuple) else (cost, cost)
             for name, cost in CLOUD.items()}
    shape = {"vcpus": CLOUD_CPUS * overcommit, "slots": CLOUD_CPUS,
             "slice-ns": CLOUD_SLICE_NS, "pace-ns": 0, "work-ns": CLOUD_WORK_NS,
             "initiators": 1, "pages": 1, "flush-ceiling": BY_PAGE_CEILING}
    figures = model.run(program, protocol, shape, costs, seconds * overcommit)
    return {"vcpus": shape["vcpus"], "cpus": CLOUD_CPUS, "overcommit": overcommit,
            "protocol": protocol, **figures}


def part_cloud(arguments):
    rows = []
    for overcommit in arguments.cloud_overcommit:
        for protocol in protocols.SAFE:
            runs.say_progress(f"simulating: {CLOUD_CPUS * overcommit} vCPUs, {protocol}")
            rows.append(cloud_row(arguments.sim, overcommit, protocol, arguments.cloud_seconds))
    runs.say_progress("")
    write_rows(arguments.out / "sim-cloud.csv", rows[0], [row.values() for row in rows])
    print(f"{CLOUD_CPUS} CPUs, slice {CLOUD_SLICE_NS / 1e6:g} ms, us:")
    print(f"{'vCPUs':>5}  {'protocol':<11}" + "".join(
        f"{title:>12}" for title in ("wall p50", "wall p99", "stall p50", "stall p99", "flushes")))
    for row in rows:
        print(f"{row['vcpus']:>5}  {row['protocol']:<11}" + "".join(
            f"{row[name] / 1000:>12.1f}" for name in
            ("wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns")) +
            f"{row['flushes']:>12}")
    picture = plots.prediction_picture("sim-cloud", rows, CLOUD_CPUS, {
        "wall time, median": "wall_p50_ns", "stall, p99": "stall_p99_ns"})
    for name in plots.draw([picture] * (picture is not None), arguments.out):
        print(*(arguments.out / f"{name}.{suffix}" for suffix in ("svg", "png")), sep="\n")


def names(value):
    return value.split(",")


def main(words):
    parser = runs.parser("sim", __doc__.splitlines()[0], rounds=5, duration=0.5)
    parser.add_argument("--parts", default=PARTS, metavar="PART,...", type=names)
    parser.add_argument("--overcommit", default=[1, 2, 4], metavar="K,...", type=runs.numbers)
    parser.add_argument("--slices", default=[2000], metavar="US,...", type=runs.numbers)
    parser.add_argument("--seconds", default=20, type=float, help="simulated for each cell")
    parser.add_argument("--cloud-overcommit", default=[1, 2, 4, 8, 16], metavar="K,...",
                        type=runs.numbers)
    parser.add_argument("--cloud-seconds", default=2, type=float,
                        help="simulated for each cell, times overcommit")
    arguments, options = parser.parse_known_args(words)
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"--parts: {', '.join(sorted(unknown))}: not one of {', '.join(PARTS)}")
    arguments.sim = pathlib.Path(arguments.vmm).parent / "bench" / "sim"
    if not arguments.sim.exists():
        sys.exit(f"{arguments.sim} is not built")
    arguments.out.mkdir(parents=True, exist_ok=True)
    if {"measured", "closed"} & set(arguments.parts):
        host = host_costs(arguments)
        cells = simulate_cells(arguments, host,
                               figures_of_cells(measure(arguments, options)))
        if "measured" in arguments.parts:
            part_measured(arguments, cells)
        if "closed" in arguments.parts:
            part_closed(arguments, cells)
    if "cloud" in arguments.parts:
        part_cloud(arguments)
