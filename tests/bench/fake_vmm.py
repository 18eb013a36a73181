#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fake_vmm.py - stands in for vmm where a test is of the sweep alone: takes vmm's options,
measures nothing, and writes a CSV and a summary that follow from shape and seed.

FAKE_LOG      a file that gets a line a run
FAKE_STATUS   STATUS@N,...: the exit status of the Nth run of that file; 4 and the like write
              nothing
FAKE_PAUSE    FILE@N: the Nth run makes this file and waits for a signal
FAKE_KERNEL, FAKE_VERSION   of host and program
"""
import argparse
import json
import os
import pathlib
import random
import signal
import sys

PROTOCOLS = {"ipi": "safe", "generation": "safe", "none": "control: loses flushes"}
COLUMNS = ["protocol", "run", "seq", "initiator", "targets", "ipis", "deferred", "taken_over",
           "pages", "start_ns", "pte_ns", "wall_ns", "stall_ns"]
FLUSHES = 20
QUANTILES = ["p50", "p90", "p99", "p995", "p999", "max"]


def arguments_read():
    parser = argparse.ArgumentParser()
    for name in "list-protocols", "quiet", "host":
        parser.add_argument("--" + name, action="store_true")
    for name in "vcpus", "overcommit", "initiators", "slice-us", "seed", "repeat", "pages":
        parser.add_argument("--" + name, type=int, default=1)
    for name in "out", "csv", "json", "protocol", "duration", "warmup", "extra":
        parser.add_argument("--" + name, default="")
    return parser.parse_args()


def number_of_run():
    """From 1; the log has them all."""
    path = os.environ.get("FAKE_LOG")
    if path is None:
        return 0
    with open(path, "a", encoding="utf-8") as file:
        file.write(" ".join(sys.argv[1:]) + "\n")
    return len(pathlib.Path(path).read_text(encoding="utf-8").splitlines())


def asked(name, number):
    """What stands before an @ of the variable, if this is the run behind it."""
    for word in os.environ.get(name, "").split(","):
        what, _, at = word.rpartition("@")
        if what and int(at) == number:
            return what
    return None


def walls_of(arguments, name):
    shape = [arguments.vcpus, arguments.overcommit, arguments.initiators, arguments.slice_us]
    dice = random.Random(f"{shape} {arguments.seed} {name}")
    return [dice.randrange(10000, 90000) for _ in range(FLUSHES)]


def times_of(values):
    return dict.fromkeys(QUANTILES, max(values)) | {"samples": len(values)}


def protocol_of(name, walls, stale):
    return {"name": name, "safe": PROTOCOLS[name] == "safe", "flushes": len(walls),
            "flushes_per_s": 50.0, "wall_ns": times_of(walls), "stall_ns": times_of(walls),
            "floor_ns": times_of(walls), "switch_ns": times_of(walls), "checks": 1000,
            "stale": stale, "disturbed": False, "ipis_per_flush": 1.0, "deferred_per_flush": 2.0,
            "sample_ns": 100, "exits": {"signal": {"count": 100, "total_ns": 1, "max_ns": 1}}}


def write(arguments, names, stale):
    with open(arguments.csv, "w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for name in names:
            for seq, wall in enumerate(walls_of(arguments, name)):
                file.write(f"{name},0,{seq},0,1,1,0,0,1,{seq},1,{wall},{wall - 1}\n")
    summary = {
        "schema": 1, "version": os.environ.get("FAKE_VERSION", "1"), "seed": arguments.seed,
        "started": "2026-01-01T00:00:00.000Z", "vcpus": arguments.vcpus,
        "slots": -(-arguments.vcpus // arguments.overcommit), "overcommit": arguments.overcommit,
        "initiators": arguments.initiators, "slice_us": arguments.slice_us,
        "host": {"kernel": os.environ.get("FAKE_KERNEL", "Linux 6.1"), "load_1m": os.getpid()},
        "protocols": [protocol_of(name, walls_of(arguments, name), stale) for name in names]}
    pathlib.Path(arguments.json).write_text(json.dumps(summary), encoding="utf-8")
    if "hist" in arguments.extra:
        text = "# Histogram\n000000 000001\n000001 000002\n# Histogram Overflows: 00003\n"
        (pathlib.Path(arguments.out) / "switch.hist").write_text(text, encoding="ascii")


def main():
    arguments = arguments_read()
    if arguments.list_protocols:
        print("\n".join(f"{name:<18}{kind}" for name, kind in PROTOCOLS.items()))
        return 0
    number = number_of_run()
    pause, status = asked("FAKE_PAUSE", number), int(asked("FAKE_STATUS", number) or 0)
    if pause:
        pathlib.Path(pause).touch()
        signal.pause()
    if status in (0, 1):
        write(arguments, arguments.protocol.split(","), status)
    return status


if __name__ == "__main__":
    sys.exit(main())
