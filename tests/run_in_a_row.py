#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run tests of a build folder one after the other, inside a machine that knows no meson.

Usage: run_in_a_row.py BUILD NAME...
Prints a line of JSON when a test begins, {"name"}, and one when it is over, with the keys
that meson's log has: name, result, stdout, duration. Emulated, a test may take PATIENCE
times as long as meson gives it.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

PATIENCE = 5
RESULTS = {0: "OK", 77: "SKIP", 99: "ERROR"}


def tell(**record):
    print(json.dumps(record), flush=True)


def run(test, build):
    """How it ended and what it said. Whatever it has started ends with it."""
    command = [*test["cmd"]]
    with subprocess.Popen(command, cwd=build, env={**os.environ, **test["env"]}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            said, _ = process.communicate(timeout=PATIENCE * test["timeout"])
            result = RESULTS.get(process.returncode, "FAIL")
        except subprocess.TimeoutExpired:
            result = "TIMEOUT"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if result == "TIMEOUT":
            said, _ = process.communicate()
    return result, said


def main():
    build, *names = sys.argv[1:]
    path = pathlib.Path(build, "meson-info", "intro-tests.json")
    tests = {test["name"]: test for test in json.loads(path.read_text(encoding="utf-8"))}
    for name in names:
        tell(name=name)
        begin = time.monotonic()
        result, said = run(tests[name], build)
        tell(name=name, result=result, stdout=said, duration=time.monotonic() - begin)


if __name__ == "__main__":
    main()
