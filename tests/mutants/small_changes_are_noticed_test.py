#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every small change of the sources that decide is noticed by a unit test, or README.md
says why it is harmless.

Usage: small_changes_are_noticed_test.py VMM BUILD [--file PATH,...] [--tests NAME,...]
                                       [--again] [--list]
Each change of changes.py in FILES, one at a time: built in a copy of the sources
(workshop.py), and the unit tests that use the file are run, those first that have noticed
most. A change that no test notices has survived; one that leaves every program as it is
byte for byte is none. What was found stays in BUILD/small-changes/found.json and is not looked
for again while file and tests are the same: an interrupted run goes on. --again: only
those that have survived, after tests have changed. --list: the survivors as rows for
README.md, with what is known of them.
Exit status: 0 all noticed or explained, and at least 90 % noticed; 1 not; 77 no libclang;
99 the sources do not build.
"""
import argparse
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "kvm"))

from bench import require

require("require_libclang")             # or this is a SKIP

import changes
from shop import Shop
from workshop import ROOT, Broken

README = HERE / "README.md"
HEAD = "| file | line | change | why it is harmless |"
FILES = ["include/word.h", "include/grace.h", "vmm/session/park.c", "vmm/session/slot.c",
         "vmm/session/round.c", "vmm/session/host_load.c", "vmm/measure/*.c", "vmm/report/*.c",
         "vmm/protocols/*.c", "guest-payload/flush.c", "guest-payload/window.c",
         "guest-payload/protocols/*.c"]
INCLUDES = ["include", *sorted({str(path.parent.relative_to(ROOT))
                               for path in ROOT.glob("vmm/**/*.h")})]
LEAST_PCT = 90
NICE = 15


# --- what was found, kept ---------------------------------------------------------------

class Found:
    """{name of a change: [outcome, test]} of each file in its present form."""

    def __init__(self, path):
        self.path = path
        with contextlib.suppress(OSError, ValueError):
            self.files = json.loads(path.read_text(encoding="utf-8"))
            return
        self.files = {}

    def of(self, file, digest):
        """Of @file as it is; what was found of an older form goes."""
        entry = self.files.setdefault(file, {})
        if entry.get("digest") != digest:
            entry = self.files[file] = {"digest": digest, "changes": {}}
        return entry["changes"]

    def keep(self):
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.files, indent=1), encoding="utf-8")
        part.replace(self.path)


def key_of(change):
    return json.dumps(changes.name_of(change))


# --- README.md --------------------------------------------------------------------------

def cell(text):
    return text.replace("|", "\\|")


def change_text(change):
    nth = f" ({change.nth + 1})" if change.nth else ""
    return f"`{cell(change.old)}` to `{cell(change.new) or 'nothing'}`{nth}"


def known():
    """{(file, code, change): reason}, from the table of README.md."""
    text = README.read_text(encoding="utf-8")
    rows = {}
    for line in text[text.find(HEAD):].splitlines()[2:]:
        fields = [field.strip() for field in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(fields) == 4:
            rows[tuple(fields[:3])] = fields[3]
    return rows


def row_key(change):
    return f"`{change.file}`", f"`{cell(change.code)}`", change_text(change)


# --- the run ----------------------------------------------------------------------------

def files_wanted(text):
    for pattern in text.split(",") if text else FILES:
        yield from sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))


def look_at(shop, file, found, again):
    """Every change of @file: {change: [outcome, test]}."""
    digest = hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
    before, results = found.of(file, digest), {}
    for change in changes.changes_of(ROOT, file, INCLUDES):
        key = key_of(change)
        if key not in before or again and before[key][0] == "survived":
            before[key] = shop.try_change(change)
            found.keep()
        results[change] = before[key]
        if results[change][0] == "survived":
            print(f"{file}:{change.line}: {change_text(change)} in: {change.code}", flush=True)
    return results


def score(outcomes):
    count = collections.Counter(outcome for outcome, _ in outcomes)
    tried = count["noticed"] + count["survived"]
    share = 100 * count["noticed"] / tried if tried else 100
    return count, tried, share


def print_scores(results):
    print(f"{'file':<44}{'changes':>8}{'noticed':>8}{'survived':>9}{'same':>6}{'unbuilt':>8}"
          f"{'score':>7}")
    rows = collections.defaultdict(list)
    for change, outcome in results.items():
        rows[change.file].append(outcome)
        rows["all"].append(outcome)
    for file, outcomes in rows.items():
        count, _, share = score(outcomes)
        print(f"{file:<44}{len(outcomes):>8}{count['noticed']:>8}{count['survived']:>9}"
              f"{count['same']:>6}{count['unbuilt']:>8}{share:>6.1f}%")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("vmm", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--file", default="", metavar="PATH,...")
    parser.add_argument("--tests", default="", metavar="NAME,...", help="no others")
    parser.add_argument("--again", action="store_true", help="those that have survived")
    parser.add_argument("--list", action="store_true", help="survivors as rows of README.md")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    os.nice(NICE)
    shop = Shop(arguments.build.resolve(), arguments.vmm.resolve(), arguments.tests)
    shop.begin()
    found, results = Found(shop.source.parent / "found.json"), {}
    for file in files_wanted(arguments.file):
        results |= look_at(shop, file, found, arguments.again)
    survivors = [change for change, (outcome, _) in results.items() if outcome == "survived"]
    reasons = known()
    unexplained = [change for change in survivors if row_key(change) not in reasons]
    if arguments.list:
        for change in survivors:
            print("| " + " | ".join([*row_key(change), reasons.get(row_key(change), "")]) + " |")
    print_scores(results)
    _, _, share = score(results.values())
    print(f"{len(survivors)} have survived, {len(unexplained)} of them without a reason in "
          f"README.md")
    return 0 if share >= LEAST_PCT and not unexplained else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as problem:
        print(problem, file=sys.stderr)
        sys.exit(99)
