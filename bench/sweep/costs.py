# SPDX-License-Identifier: MIT
"""costs.py - what the tool itself costs, beside the floors of `vmm --host`.

    ./run bench costs [--out DIR] [--quick] [vmm options]

A row of DIR/costs.csv for each cost:
what,value,low,high,unit,floor_what,floor_value,floor_unit,note

start-up      main() to the first instruction of the last of N vCPUs: median, least and most
              of several runs.
memory        what each vCPU more takes, in resident and in mapped memory: the peaks of runs
              of N and of 2N vCPUs at their first flush, the guest's own memory among them.
exits         out of the guest and to the VMM, all vCPUs, for each flush of a protocol: its
              doorbells, and the end of every slice meanwhile (exits a second, warm-up
              included, over flushes a second).
slot switch   park of one vCPU to KVM_RUN of the next: medians of the protocols, the middle
              one, least and most. The floor is a futex hand-over between two threads.
sample        writing down what a flush took, as the payload measures it, likewise. The
              floor is one reading of the clock.

The floors are from DIR/host.json, where a sweep has left `vmm --host --json` of the same
host; else it is run, or, with --quick, floors stay empty. Empty is what was not measured.
"""
import collections
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from lib import runs
from sweep import plan as sweep_plan
from sweep import summary as sweep_summary
from lib import words

COLUMNS = ["what", "value", "low", "high", "unit", "floor_what", "floor_value", "floor_unit",
           "note"]
Cost = collections.namedtuple("Cost", COLUMNS)

START_VCPUS = [1, 8, 64]
START_RUNS, START_RUNS_QUICK = 3, 1
MEMORY_VCPUS = 64                       # and twice as many
LIMIT_S = 60                            # of a run that is interrupted
POLL_S = 0.01                           # whether a file has grown
BOOT_SLICE_US = 200                     # of runs that boot and little more
DURATION_S, DURATION_QUICK_S, WARMUP_S = 0.3, 0.1, 0.05     # a protocol, of the base cell


def cost(what, value, unit, spread=("", ""), floor=("", "", ""), note=""):
    return Cost(what, value, *spread, unit, *floor, note)


def boot(vcpus):
    """Options of a run that boots and flushes, and no more."""
    return [*runs.shape(vcpus, runs.cpus()), "--protocol", "generation", "--warmup", 0,
            "--slice-us", BOOT_SLICE_US]


def middle(values, scale):
    """The median, and its (least, most)."""
    values = [value / scale for value in values]
    return round(statistics.median(values), 3), (round(min(values), 3), round(max(values), 3))


def start_ups(vmm, count):
    for vcpus in START_VCPUS:
        what = f"start-up, {words.counted(vcpus, 'vCPU')}"
        runs.say_progress(what)
        value, spread = middle([runs.run(vmm, *boot(vcpus), "--flushes", 1)["first_instruction_ns"]
                                for _ in range(count)], 1e6)
        yield cost(what, value, "ms", spread,
                   note=f"main() to the first instruction of the last vCPU, runs: {count}")


def peaks_of(pid):
    """(resident, mapped) in KiB, up to now."""
    text = pathlib.Path("/proc", str(pid), "status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in text.splitlines())
    return tuple(int(fields[key].split()[0]) for key in ("VmHWM", "VmPeak"))


def peaks(vmm, vcpus):
    """Of a run that goes on until it is interrupted, when it has written its first flush.
    Not ru_maxrss, which a process takes over from whoever has started it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [vmm, "--out", folder, "--quiet", *map(str, boot(vcpus)),
                   "--duration", str(LIMIT_S)]
        rows, seen = pathlib.Path(folder, "flush-latency.csv"), None
        with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                              preexec_fn=runs.die_with_parent) as process:
            while process.poll() is None and seen is None:
                time.sleep(POLL_S)
                if rows.exists() and rows.read_bytes().count(b"\n") > 1:
                    seen = peaks_of(process.pid)
                    process.send_signal(signal.SIGINT)
        if process.returncode != 0 or seen is None:
            sys.exit(f"exit status {process.returncode} of {' '.join(command)}")
        return seen


def memory(vmm):
    runs.say_progress("memory")
    few, many = (peaks(vmm, vcpus) for vcpus in (MEMORY_VCPUS, 2 * MEMORY_VCPUS))
    note = f"{2 * MEMORY_VCPUS} vCPUs less {MEMORY_VCPUS}, guest memory included"
    for index, kind in enumerate(("resident", "mapped")):
        yield cost(f"memory of a vCPU, {kind}",
                   round((many[index] - few[index]) / MEMORY_VCPUS, 1), "KiB", note=note)


def floor(host, name, what, scale, unit):
    """Of a primitive: its median; empty where it is not there, or was not measured."""
    primitive = (host or {}).get("primitives", {}).get(name, {})
    if not primitive.get("p50"):
        return "", "", ""
    return what, round(primitive["p50"] / scale, 3), unit


def exits(protocols, host):
    an_exit = floor(host, "exit_ns", "an exit to userspace and back", 1000, "us")
    for protocol in protocols:
        count = sum(kind["count"] for kind in protocol["exits"].values())
        each = sweep_summary.exits_per_flush(protocol, WARMUP_S)
        yield cost(f"exits for a flush, {protocol['name']}",
                   "" if each is None else round(each, 3), "exits", floor=an_exit,
                   note=f"{count} exits of all vCPUs, warm-up included, flushes: "
                        f"{protocol['flushes']}")


def base_cell(vmm, base, duration_s, host, options):
    """Exits, switches and samples of one run of every safe protocol."""
    runs.say_progress("exits, switches and samples")
    protocols = runs.run(vmm, *options, *runs.cell(base), "--duration", duration_s,
                         "--warmup", WARMUP_S)["protocols"]
    yield from exits(protocols, host)
    switches = [p["switch_ns"]["p50"] for p in protocols if p["switch_ns"]["p50"]]
    if switches:
        value, spread = middle(switches, 1000)
        yield cost("slot switch", value, "us", spread,
                   floor(host, "futex_handover_ns", "futex hand-over on one CPU", 1000, "us"),
                   f"medians of {len(switches)} protocols")
    samples = [p["sample_ns"] for p in protocols if p["flushes"] and p["sample_ns"]]
    if samples:
        value, spread = middle(samples, 1)
        yield cost("recording a sample", value, "ns", spread,
                   floor(host, "clock_ns", "a reading of the clock", 1, "ns"),
                   f"means of {len(samples)} protocols")


def host_of(vmm, out, quick):
    path = out / "host.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    if quick:
        return None
    runs.say_progress("primitives of this host")
    with tempfile.TemporaryDirectory() as folder:
        return runs.host(vmm, pathlib.Path(folder, "host.json"))


def measure(vmm, out, base, quick=False, options=()):
    """Writes @out/costs.csv; the base cell is {"slots", "vcpus", "initiators", "slice_us"}.
    Returns its rows."""
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    host = host_of(vmm, out, quick)
    rows = [*start_ups(vmm, START_RUNS_QUICK if quick else START_RUNS), *memory(vmm),
            *base_cell(vmm, base, DURATION_QUICK_S if quick else DURATION_S, host, options)]
    runs.say_progress("")
    runs.write_csv(out / "costs.csv", COLUMNS, rows)
    return rows


def print_rows(rows):
    print(f"{'cost':<30}{'value':>10}{'low':>10}{'high':>10} {'unit':<6}floor")
    for row in rows:
        beside = f"{row.floor_value} {row.floor_unit} {row.floor_what}" if row.floor_what else ""
        print(f"{row.what:<30}{row.value:>10}{row.low:>10}{row.high:>10} {row.unit:<6}{beside}"
              .rstrip())


def main(words):
    parser = runs.parser("costs", __doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs, and shorter ones")
    arguments, options = parser.parse_known_args(words)
    print_rows(measure(arguments.vmm, arguments.out, sweep_plan.BASE._asdict(), arguments.quick,
                       options))
    print(arguments.out / "costs.csv")
