#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every test that docs/specification.md names exists, and every test of the suites unit,
bench, kvm and hosts holds a promise there.

Usage: specification_names_its_tests_test.py VMM BUILD
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROMISED = {"unit", "bench", "kvm", "hosts"}


def read_tests(build):
    """The suite of each test; one that has a long form too is one test."""
    text = (build / "meson-info" / "intro-tests.json").read_text(encoding="utf-8")
    return {test["name"].removesuffix("_long"): test["suite"][0].rsplit(":", 1)[-1]
            for test in json.loads(text)}


def read_rows():
    """The names in the last column of each table."""
    text = (ROOT / "docs/specification.md").read_text(encoding="utf-8")
    for promise, tests in re.findall(r"^\| (.*?) \| (.*) \|$", text, re.MULTILINE):
        if not promise.startswith(("---", "promise")):
            yield promise, re.findall(r"`(\w+)`", tests)


def main():
    tests = read_tests(pathlib.Path(sys.argv[2]))
    rows = list(read_rows())
    named = {name for _, names in rows for name in names}
    wrong = [f"nothing holds: {promise}" for promise, names in rows if not names]
    wrong += [f"there is no test {name}" for name in sorted(named - set(tests))]
    wrong += [f"docs/specification.md: what does {name} promise?"
              for name, suite in sorted(tests.items()) if suite in PROMISED and name not in named]
    if wrong or len(rows) < 20:
        sys.exit("\n".join(wrong) or f"{len(rows)} promises: where are they?")
    print(f"{len(rows)} promises, {len(named)} tests")


main()
