# SPDX-License-Identifier: MIT
"""model.py - running the model (bench/sim/), and where its costs come from.

A cost is (p50, p90) in nanoseconds; its tail above p90 is left to the host.
"""
import csv
import io
import subprocess

from lib import results

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
TIMES = ["wall_ns", "stall_ns"]

# What no primitive of --host tells apart. Assumptions, the same for every host but the
# IPI: a store to the ICR is an exit on VMX and SVM, and two emulated instructions in a loop
# of four, 1.2 to 3.3 us each, where ring 0 is emulated.
POST_NS = 20                            # a locked operation on a line that is mostly at hand
SIGNAL_NS = 2000                        # tgkill()
SEND_NS = {"pvm": 9000, "vmx": 1200, "svm": 1200}


def kick_of(primitives):
    """A signal to a vCPU in the guest, up to where it is out, and what its flush adds to the
    way back of who asked for it: KVM takes that one out too, to sync its shadow pages. The
    medians: after those is the host, which lets the kicked thread wait for its CPU. Not
    measured, on one CPU: half of a doorbell, and nothing."""
    kick, flush = (primitives[name]["p50"] for name in ("kick_ns", "kick_flush_ns"))
    if kick is None or flush is None:
        return primitives["exit_ns"]["p50"] // 2, 0
    return max(0, kick - SIGNAL_NS), max(0, flush - kick)


def cost(p50_ns, p90_ns, scale=1.0):
    """A cost of two quantiles. Without a p50 it was not measured: nothing; without a p90 it
    was too seldom: no tail."""
    p50_ns = p50_ns or 0
    return int(p50_ns * scale), int(max(p50_ns, p90_ns or 0) * scale)


def costs_of(host, entry_flush):
    """The costs of this host, from the JSON of `vmm --host`. The floor is one flush of one
    running target: half of the gate, an IPI, and the way to and through the handler, which
    is therefore what is left of it. A doorbell is half out and half back in."""
    primitives = host["primitives"]
    kick_ns, kicked_flush_ns = kick_of(primitives)

    def pair(name, scale=1.0):
        return cost(*(primitives[name][quantile] for quantile in ("p50", "p90")), scale)

    send = SEND_NS[host["host"]["kvm"]]
    gate, floor = pair("gate_ns"), pair("shootdown_floor_ns")
    remote = [max(0, whole - gate[0] // 2 - send) // 2 for whole in floor]
    return {
        "post": (POST_NS, POST_NS),
        "signal": (SIGNAL_NS, SIGNAL_NS),
        "send": (send, send),
        "gate": gate,
        "deliver": tuple(remote),
        "handler": tuple(remote),       # its flush included
        "exit": pair("exit_ns"),
        "kick": (kick_ns, kick_ns),
        "kicked-flush": (kicked_flush_ns, kicked_flush_ns),
        "enter": pair("exit_ns", 0.5),
        "switch": pair("slot_switch_ns"),
        "entry-flush": pair(f"flush_on_entry_{entry_flush}_ns"),
    }


def figures_of(rows, seconds):
    """What the summary says of a protocol, from the rows of a CSV."""
    figures = {"flushes": len(rows), "flushes_per_s": len(rows) / seconds}
    for name in TIMES:
        values = sorted(int(row[name]) for row in rows)
        for key, share in QUANTILES.items():
            figures[f"{name[:-3]}_{key}_ns"] = results.quantile(values, share) if values else None
    for name in "ipis", "deferred", "taken_over":
        figures[f"{name}_per_flush"] = (sum(int(row[name]) for row in rows) / len(rows)
                                        if rows else None)
    return figures


def run(sim, protocol, shape, costs, seconds, seed=1):
    """Simulates @seconds after a warm-up; @shape has sim's options by name."""
    rotation_ns = shape["slice-ns"] * -(-shape["vcpus"] // shape["slots"])
    options = {**shape, "protocol": protocol, "seed": seed, "warmup-ns": 4 * rotation_ns,
               "duration-ns": int(seconds * 1e9)}
    options |= {f"{name}-ns": ",".join(map(str, pair)) for name, pair in costs.items()}
    command = [sim]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=True)
    return figures_of(list(csv.DictReader(io.StringIO(done.stdout))), seconds)
