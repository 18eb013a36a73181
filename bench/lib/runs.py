# SPDX-License-Identifier: MIT
"""runs.py - running vmm for the scripts beside it, and the statistics they share.

A run's results are its summary.json as a dictionary. Nothing is kept but what a
script writes itself.
"""
import argparse
import csv
import ctypes
import json
import os
import pathlib
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)                # before the fork: nothing is loaded after it


def parser(name, description, **defaults):
    """The options of every script: the binary, where the results go; with defaults for them,
    --duration and --rounds. All others are vmm's."""
    arguments = argparse.ArgumentParser(prog=f"bench {name}", description=description,
                                        allow_abbrev=False,
                                        epilog="More options go to every run of vmm.")
    arguments.add_argument("vmm", type=os.path.abspath, help=argparse.SUPPRESS)
    arguments.add_argument("--out", default="out", type=pathlib.Path)
    if "duration" in defaults:
        arguments.add_argument("--duration", default=defaults["duration"], type=float,
                               help="seconds a protocol and round")
    if "rounds" in defaults:
        arguments.add_argument("--rounds", default=defaults["rounds"], type=int)
    return arguments


def numbers(text):
    return [int(number) for number in text.split(",")]


def cpus():
    return len(os.sched_getaffinity(0))


def overcommit(vcpus, slots):
    """vCPUs that share a slot, at most."""
    return -(-vcpus // slots)


def die_with_parent():
    """In the child: a script that is killed leaves no run behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Stop:
    """Who wants Ctrl-C for himself: the first one asks for the end, the second one is the end.
    What runs meanwhile is in a session of its own, and is told by this alone."""

    def __init__(self):
        self.asked = False
        self.child = None
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_):
        self.asked = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.tell(self.child)

    def tell(self, child):
        self.child = child
        if self.asked and child is not None:
            child.send_signal(signal.SIGINT)


def launch(command, stop=None, limit_s=None, **streams):
    """Run @command to its end; it dies with the script. Returns a CompletedProcess. It is killed
    when it takes too long: TimeoutExpired."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                          start_new_session=stop is not None,
                          **{"stdout": subprocess.DEVNULL, "text": True} | streams) as child:
        try:
            if stop is not None:
                stop.tell(child)
            said = child.communicate(timeout=limit_s)
        except BaseException:
            child.kill()
            raise
        finally:
            if stop is not None:
                stop.tell(None)
    return subprocess.CompletedProcess(command, child.returncode, *said)


def call(command, **streams):
    """launch() what has to end well: ends the script when it fails."""
    done = launch(command, **streams)
    if done.returncode != 0:
        sys.exit(f"exit status {done.returncode} of {shlex.join(command)}")
    return done


def protocols(vmm, wanted):
    """The protocols of @wanted, by name: `safe`, `all` or a list."""
    if wanted not in ("safe", "all"):
        return list(dict.fromkeys(wanted.split(",")))
    listed = call([vmm, "--list-protocols"], stdout=subprocess.PIPE).stdout
    rows = [line.split(maxsplit=1) for line in listed.splitlines()]
    return [name for name, kind in rows if wanted == "all" or kind == "safe"]


def shape(vcpus, slots):
    """vmm's options for so many vCPUs and slots."""
    return ["--vcpus", vcpus, "--overcommit", overcommit(vcpus, slots)]


def cell(fields):
    """vmm's options for a cell: {"slots", "vcpus", "initiators", "slice_us"}."""
    return [*shape(fields["vcpus"], fields["slots"]), "--initiators", fields["initiators"],
            "--slice-us", fields["slice_us"]]


def write_csv(path, columns, rows):
    """A whole file: the header @columns, then @rows."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def host(vmm, path):
    """What `vmm --host` leaves in @path. Ends the script when vmm fails."""
    call([vmm, "--host", "--json", str(path)])
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def run(vmm, *options, folder=None):
    """One run of vmm; returns its summary. Ends the script when vmm fails."""
    with tempfile.TemporaryDirectory() as own:
        out = folder or own
        call([vmm, "--out", out, "--quiet", *map(str, options)])
        with open(f"{out}/summary.json", encoding="utf-8") as file:
            return json.load(file)


def say_progress(text):
    """One live line, on a terminal only; "" takes it away."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def median(values):
    """Of those that were measured; None where none was."""
    measured = [value for value in values if value is not None]
    return statistics.median(measured) if measured else None


def us(value_ns, width, digits=0):
    """Nanoseconds as microseconds, so wide; "-" for what was not measured."""
    return f"{'-' if value_ns is None else f'{value_ns / 1000:.{digits}f}us':>{width}}"


def sweep(arguments, options_of, values, figures, path, column):
    """Rounds over all @values in turn, so that drift of the host spreads over them.

    Each run has the options options_of(value). A row for each round, value and protocol
    goes to the CSV @path, the value under the name @column. Returns the medians over the
    rounds, checks and stale loads summed, by (protocol, value).
    """
    cells = {}
    arguments.out.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([column, "protocol", "round", *figures, "checks", "stale"])
        for number in range(arguments.rounds):
            for value in values:
                say_progress(f"round {number + 1} of {arguments.rounds}, {column} {value}")
                for protocol in run(arguments.vmm, *options_of(value))["protocols"]:
                    row = {name: figure(protocol) for name, figure in figures.items()}
                    row |= {name: protocol[name] for name in ("checks", "stale")}
                    rows.writerow([value, protocol["name"], number, *row.values()])
                    cells.setdefault((protocol["name"], value), []).append(row)
    say_progress("")
    return {key: {name: median([row[name] for row in rows]) for name in figures} |
            {name: sum(row[name] for row in rows) for name in ("checks", "stale")}
            for key, rows in cells.items()}


def rates(protocol):
    """Flushes a second of each round."""
    return [figures["flushes_per_s"] for figures in protocol["by_round"]]
