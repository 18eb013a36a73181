#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/run_tests: a test that was not run, or whose machine died under it, counts as
failed and never as passed; what a machine that died had not begun runs in the next one;
and the last line is the sum of all places."""
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Of the suite kvm, in this order; each prints what it is.
KVM = {"first": "exit 0", "second": "echo SKIP: no second; exit 77", "third": "exit 1",
       "fourth": "exit 0"}
LINES = 2                       # of a test that ran: begun, over
# Machines, each as many lines long as it lives; the last one for ever.
ENTER = """#!/bin/sh
[ "$1" = --resolve ] && exec echo amd
shift
lines=$(head -n 1 {lives})
sed -i 1d {lives}
[ "$lines" = all ] && exec "$@"
"$@" 2>/dev/null | head -n "${{lines:-0}}"
"""
MESON = """#!/bin/sh
echo '{{"name": "shootdown:unit / here", "result": "{result}", "stdout": ""}}' \
    >{build}/meson-logs/testlog-long.json
exit 1
"""


def make_build(build, lives, result):
    for folder in "meson-info", "meson-logs", "hosts":
        (build / folder).mkdir(parents=True)
    tests = [{"name": name, "suite": ["shootdown:kvm"], "timeout": 10, "env": {},
              "cmd": ["sh", "-c", text]} for name, text in KVM.items()]
    tests += [{"name": name, "suite": ["shootdown:unit"], "timeout": 10, "env": {}, "cmd": []}
              for name in ("here", "there")]
    (build / "meson-info" / "intro-tests.json").write_text(json.dumps(tests), encoding="utf-8")
    (build / "lives").write_text("".join(f"{life}\n" for life in lives), encoding="utf-8")
    for name, text in ("hosts/enter", ENTER.format(lives=build / "lives")), \
            ("meson", MESON.format(result=result, build=build)):
        (build / name).write_text(text, encoding="utf-8")
        (build / name).chmod(0o755)


def run(lives, *names, result="OK"):
    """Exit status and the lines about what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        build = pathlib.Path(folder, "build")
        make_build(build, lives, result)
        done = subprocess.run([sys.executable, HERE / "run_tests", build, "--on", "amd", *names],
                              capture_output=True, text=True, check=False, timeout=60,
                              env={"PATH": f"{build}:/usr/bin:/bin"})
    return done.returncode, done.stdout.splitlines(), done.stderr


def check(ended, status, *lines):
    found, said, complaint = ended
    assert found == status, f"status {found}, not {status}: {said} {complaint}"
    for line in lines:
        assert line in said, f"no {line!r} in {said}"
    assert said[-1:] == [lines[-1]], f"the last line is not {lines[-1]!r}: {said}"


def main():
    check(run(["all"], "kvm"), 1, "second: SKIP: no second", "failed: third",
          "2 passed, 1 failed, 1 skipped")
    check(run(["all"], "first", "second"), 0, "1 passed, 0 failed, 1 skipped")
    # Under the second one; the next machine has the rest.
    check(run([LINES + 1, "all"], "kvm"), 1, "failed: second third",
          "emulated AMD machine: 2 passed, 2 failed, 0 skipped", "2 passed, 2 failed, 0 skipped")
    # Between two: nothing is lost.
    check(run([2 * LINES, "all"], "first", "second", "fourth"), 0, "2 passed, 0 failed, 1 skipped")
    # One after the other, and one in which nothing begins.
    check(run([1, 1, 1, 1], "kvm"), 1, "emulated AMD machine: 0 passed, 4 failed, 0 skipped",
          "0 passed, 4 failed, 0 skipped")
    check(run([0, "all"], "kvm"), 1, "not run: 0 passed, 4 failed, 0 skipped",
          "0 passed, 4 failed, 0 skipped")
    # Here: meson itself ended early.
    check(run([], "unit"), 1, "this host: 1 passed, 0 failed, 0 skipped",
          "not run: 0 passed, 1 failed, 0 skipped", "1 passed, 1 failed, 0 skipped")
    # Everywhere.
    check(run(["all"]), 1, "this host: 1 passed, 0 failed, 0 skipped",
          "emulated AMD machine: 2 passed, 1 failed, 1 skipped", "3 passed, 2 failed, 1 skipped")
    check(run(["all"], "here", result="UNEXPECTEDPASS"), 1, "0 passed, 1 failed, 0 skipped")
    status, _, complaint = run([], "forth")
    assert status == 2 and "no test or suite forth: did you mean fourth" in complaint, complaint


main()
