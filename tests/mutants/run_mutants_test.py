#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each mutant of mutants.py is of the sources as they are, and is caught.

Usage: run_mutants_test.py VMM BUILD [--long] [--only TEXT] [--repeat N]
       run_mutants_test.py --write-readme
Every mutant: its edits apply, what it names exists, README.md is the table. Built, run
and caught: those marked quick; with --long all. The unedited sources have to be clean
under the same options first.
Exit status: 0 all as expected; 1 not; 77 no KVM; 99 the sources do not build.
"""
import argparse
import contextlib
import itertools
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("model", "kvm")]

import run_models
from bench import require
from mutants import SURVIVED, TABLE
from workshop import Broken, Workshop, edited

README = HERE / "README.md"
FAILED = (1, 66)                # of a test; 66: ThreadSanitizer has found a race
HEAD = ("mutant", "hazard", "models", "tests", "KVM", "litmus")


# --- the table --------------------------------------------------------------------------

def problems_of_names(mutant, suites):
    """@suites: of each test of the build folder."""
    refuted = {(case.model, case.defines[0]) for case in run_models.CASES
               if case.expected != "holds"}
    for model in mutant.models:
        if model not in refuted:
            yield f"run_models.py refutes no {' '.join(model)}"
    for name in mutant.stress:
        if suites.get(name) != "mutants":
            yield f"no test {name} in the suite mutants"
    for test in mutant.tests:
        if suites.get(test.name) not in ("unit", "stress"):
            yield f"no unit or stress test {test.name}"


def problems_of(mutant, suites):
    try:
        edited(mutant, mutant.stage)
        edited(mutant, mutant.stage + mutant.bug)
    except (OSError, ValueError) as error:
        yield str(error)
    for problem in problems_of_names(mutant, suites):
        yield f"{mutant.name}: {problem}"
    if not (mutant.stress or mutant.tests or mutant.run):
        yield f"{mutant.name}: caught by nothing that runs"
    if not (mutant.models and mutant.run) and not mutant.remark:
        yield f"{mutant.name}: no word on why no model or no run shows it"


def check_table(build):
    listed = json.loads((build / "meson-info" / "intro-tests.json").read_text(encoding="utf-8"))
    suites = {test["name"]: test["suite"][0].split(":")[-1] for test in listed}
    names = [mutant.name for mutant in TABLE]
    problems = [f"two mutants are called {name}" for name in set(names) if names.count(name) > 1]
    problems += [problem for mutant in TABLE for problem in problems_of(mutant, suites)]
    text = README.read_text(encoding="utf-8")
    if text != readme(text):
        problems.append("README.md is not the table: run_mutants_test.py --write-readme")
    print("\n".join(problems) or f"{len(TABLE)} mutants are of the sources as they are")
    return not problems


# --- README.md --------------------------------------------------------------------------

def words_of_run(run):
    if run is None:
        return ""
    shown = [str(count) for count in run.counts]
    shown += [f"status {run.status}"] if run.status else []
    shown += [f'"{run.words}"'] if run.words else []
    shown += [f'or status 3, "{SURVIVED}"'] if run.surveyed else []
    operand = (f"tests/guest/{run.payload}",) if run.payload else ()
    return f"`{' '.join(run.options + operand)}`: {', '.join(shown)}"


def cells(mutant):
    yield f"`{mutant.name}`"
    yield f"{mutant.hazard} ({mutant.source}){'. ' if mutant.remark else ''}{mutant.remark}"
    yield "<br>".join(f"{model} `{name}`" for model, name in mutant.models)
    yield "<br>".join([f"`{test}`" for test in mutant.tests] +
                      [f"`{name}` (a copy)" for name in mutant.stress])
    yield words_of_run(mutant.run)
    yield mutant.litmus


def row(fields):
    return f"| {' | '.join(fields)} |"


def readme(text):
    """@text with the table that it should have. What stands around it stays."""
    rows = [row(HEAD), row(["---"] * len(HEAD)), *(row(cells(mutant)) for mutant in TABLE)]
    begin = text.index(row(HEAD))
    end = text.find("\n\n", begin) + 1 or len(text)
    return text[:begin] + "\n".join(rows) + "\n" + text[end:]


# --- catching ---------------------------------------------------------------------------

def say(mutant, wrong, good, words):
    print(f"{mutant.name:36} {'mutant' if wrong else 'clean':6} {words}"
          f"{'' if good else '  <-- NOT AS EXPECTED'}", flush=True)
    return good


def try_run(mutant, result, wrong):
    """The mutant shows all of its signs, the sources without the bug none."""
    status, said, protocols = result
    held = [count.holds(protocols) for count in mutant.run.counts]
    figures = [f"{key} {found[key]}" for found in protocols.values()
               for key in [*(count.key for count in mutant.run.counts), "checks", "flushes"]]
    if wrong:
        good = all(held) and status == mutant.run.status and mutant.run.words in said
        good |= mutant.run.surveyed and status == 3 and SURVIVED in said
    else:
        good = not any(held) and status == 0 and said == ""
    return say(mutant, wrong, good, f"status {status}, {', '.join(figures)} {said.strip()[:100]}")


def try_runs(workshop, mutant, repeat, wrong):
    with contextlib.closing(workshop.run(mutant, mutant.stage + mutant.bug * wrong)) as runs:
        return all([try_run(mutant, result, wrong) for result in itertools.islice(runs, repeat)])


def try_tests(workshop, mutant, wrong):
    return all([say(mutant, wrong, status in FAILED if wrong else status == 0,
                    f"{test}: status {status}")
                for test, status in workshop.test(mutant, mutant.bug * wrong)])


def is_caught(workshop, mutant, repeat, with_tests):
    good = True
    for wrong in (False, True):
        if mutant.run:
            good &= try_runs(workshop, mutant, repeat, wrong)
        if mutant.tests and with_tests:
            good &= try_tests(workshop, mutant, wrong)
    return good


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("vmm", nargs="?", type=pathlib.Path)
    parser.add_argument("build", nargs="?", type=pathlib.Path)
    parser.add_argument("--long", action="store_true", help="build and catch all")
    parser.add_argument("--only", default="", metavar="TEXT", help="those with TEXT in their name")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="every run N times")
    parser.add_argument("--write-readme", action="store_true", help="README.md from the table")
    return parser.parse_args()


def catch(arguments):
    chosen = [mutant for mutant in TABLE if (arguments.long or mutant.quick)
              and arguments.only in mutant.name]
    workshop = Workshop(arguments.build.resolve(), arguments.vmm.resolve())
    start = time.monotonic()
    workshop.prepare()
    caught = [is_caught(workshop, mutant, arguments.repeat, arguments.long) for mutant in chosen]
    print(f"{sum(caught)} of {len(chosen)} caught, {time.monotonic() - start:.0f} s")
    return bool(caught) and all(caught)


def main():
    arguments = parse_arguments()
    if arguments.write_readme:
        README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if not check_table(arguments.build):
        return 1
    require("require_kvm")
    require("require_cpus", "2")
    try:
        return 0 if catch(arguments) else 1
    except Broken as problem:
        print(problem, file=sys.stderr)
        return 99


if __name__ == "__main__":
    sys.exit(main())
