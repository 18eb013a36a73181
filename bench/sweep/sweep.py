# SPDX-License-Identifier: MIT
"""sweep.py - every safe protocol by slots, vCPUs, initiators and slices, within a time.

    ./run bench sweep [--quick] [--minutes M] [--rounds N] [--seed X] [--out DIR] [--fresh]
                   [--cells-only] [--slots N,...] [--vcpus N,...] [--initiators N,...]
                   [--slice-us US,...] [--protocol LIST] [vmm options]

15 minutes, 5 rounds; --quick: one minute, 2 rounds. plan.py says which cells
fit into that and for how long each is measured. Every round goes through all cells in an
order of its own, and every run through the protocols in one of its own, so that drift of
the host spreads over them.

A sweep that was killed goes on where it was when it is started again with the same options
and folder (lib/journal.py); of a complete one only the page is made again. --fresh
measures anew. The first Ctrl-C ends it in order: the run under way is not counted, what was
measured is written.

Files in DIR: flush-latency.csv, a row a flush (`run` is the round); summary.csv, a row a
cell and protocol (summary.py); sweep.json, what was measured and how;
summary.json, a run's without what differs from run to run; host.json, `vmm --host`;
switch.hist, slot switches of the base cell; parts.csv, costs.csv and index.html of the
modules beside this one.

Exit status: 0; that of vmm when a run fails, which ends the sweep (but for one whose guest
failed, 4: it is left out, and the next start measures it); 1 when a run saw a stale
translation (its command is on stderr, the sweep goes on), 6 when one was over a --fail-over;
2 usage, or a folder that holds another sweep; 5 results could not be written; 130 after
Ctrl-C.
"""
import argparse
import importlib
import pathlib
import shutil
import sys

from lib import results
from lib import runs
from lib.journal import Refused
from sweep import costs
from sweep import plan as sweep_plan
from sweep import stall_parts
from sweep.measure import Sweep, say
from sweep.plan import Cell
from sweep.run import Failed

MINUTES = {False: 15.0, True: 1.0}      # by --quick
ROUNDS = {False: 5, True: 2}
PARTS_S = {False: 2, True: 0.3}         # seconds of each protocol, traced
STOPPED = 130
# vmm's, and set by the sweep.
OWN = ["--overcommit", "--duration", "--warmup", "--repeat", "--csv", "--json"]


def measure_beside(sweep):
    """What stands beside the cells, as far as it is not there yet. What fails costs its own
    section of the page."""
    base, options = sweep.base._asdict(), sweep.options
    steps = {
        "parts.csv": lambda: stall_parts.measure(
            sweep.vmm, sweep.out, base, PARTS_S[sweep.quick], options),
        "costs.csv": lambda: costs.measure(sweep.vmm, sweep.out, base, sweep.quick, options),
    }
    for name, measure in steps.items():
        if (sweep.out / name).exists() or sweep.stop.asked:
            continue
        sweep.progress.say(f"{name}, and then the page")
        try:
            measure()
        except SystemExit as failure:
            say(f"no {name}: {failure}")


def make_page(sweep, page):
    sweep.progress.say("the page")
    try:
        page.make(sweep.out, pathlib.Path(sweep.vmm).parent / "bench" / "sim")
    except results.Unusable as failure:
        say(f"no page: {failure}")
    sweep.progress.say("")


def finish(sweep, page):
    """Files and table of what was measured; the exit status. @page: report.page, or None."""
    sweep.progress.say("")
    sweep.write()
    if page is not None:
        measure_beside(sweep)
        make_page(sweep, page)
    sweep.report()
    return STOPPED if sweep.stop.asked else sweep.status()


def sweep_all(arguments, options):
    # Loaded if there is to be one, and before the sweep: what it lacks is said at once.
    page = None if arguments.cells_only else importlib.import_module("report.page")
    sweep = Sweep(arguments, options)
    try:
        if not sweep.open():
            return STOPPED
        if sweep.is_complete():
            say(f"the sweep in {sweep.out} is complete; --fresh measures anew")
        sweep.measure()
        return finish(sweep, page)
    except Failed as failure:
        say(failure)
        if sweep.journal.records:
            finish(sweep, page)
        return failure.status
    finally:
        if sweep.journal is not None:
            shutil.rmtree(sweep.folder, ignore_errors=True)


def positive(text):
    value = float(text)
    if not 0 < value <= 24 * 60:
        raise argparse.ArgumentTypeError("must be above 0 and at most a day")
    return value


def count(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def counts(text):
    return sorted({count(word) for word in text.split(",")})


def arguments_read(words):
    parser = runs.parser("sweep", __doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a minute, 2 rounds")
    parser.add_argument("--minutes", type=positive, help="for all, page included (15)")
    parser.add_argument("--rounds", type=count, help="over all cells (5)")
    parser.add_argument("--seed", default=1, type=int, help="of every order and run (1)")
    parser.add_argument("--fresh", action="store_true", help="drop what DIR has of a sweep")
    parser.add_argument("--cells-only", action="store_true",
                        help="nothing is measured beside them: no host.json, parts, costs")
    parser.add_argument("--protocol", default="safe", metavar="LIST")
    for name in Cell._fields:
        parser.add_argument("--" + name.replace("_", "-"), metavar="N,...", type=counts)
    arguments, options = parser.parse_known_args(words)
    for option in options:
        if option.split("=")[0] in OWN:
            parser.error(f"{option}: the sweep sets that; see --minutes")
    settle(parser, arguments)
    return arguments, options


def settle(parser, arguments):
    """Defaults that follow from others."""
    quick = arguments.quick
    arguments.minutes = arguments.minutes or MINUTES[quick]
    arguments.rounds = arguments.rounds or ROUNDS[quick]
    given = {name: getattr(arguments, name) for name in Cell._fields if getattr(arguments, name)}
    arguments.axes = sweep_plan.axes_of(runs.cpus(), given)
    base = sweep_plan.base_of(arguments.axes)
    if not sweep_plan.is_possible(base):
        parser.error(f"{base.vcpus} vCPUs, {base.initiators} initiators and {base.slots} slots do "
                     "not go together")


def main(words):
    try:
        sys.exit(sweep_all(*arguments_read(words)))
    except Refused as refusal:
        say(refusal)
        sys.exit(2)
    except OSError as error:
        say(error)
        sys.exit(5)
