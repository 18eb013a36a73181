#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print why tests were skipped, then `N passed, M failed, K skipped`.

Usage: count_results.py TESTLOG.json (of `meson test`)
Exit status: 1 when a test failed or none ran.
"""
import json
import sys


def read_log(path):
    try:
        with open(path, encoding="utf-8") as log:
            return [json.loads(line) for line in log if line.strip()]
    except FileNotFoundError:
        return []


def reason(test):
    """The line that tests/require.sh has printed."""
    lines = (test.get("stdout") or "").splitlines()
    return next((line for line in lines if line.startswith("SKIP")), "SKIP: no reason given")


def main():
    tests = read_log(sys.argv[1])
    passed = [test for test in tests if test["result"] in ("OK", "EXPECTEDFAIL")]
    skipped = [test for test in tests if test["result"] == "SKIP"]
    failed = len(tests) - len(passed) - len(skipped)
    for test in skipped:
        print(f"{test['name']}: {reason(test)}")
    print(f"{len(passed)} passed, {failed} failed, {len(skipped)} skipped")
    return 0 if tests and not failed else 1


sys.exit(main())
