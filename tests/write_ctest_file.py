#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write CTestTestfile.cmake, so that `ctest --test-dir BUILD` runs meson's tests.

Run by meson after each configuration. Every entry calls `meson test` for one
test: that is what knows which tests are expected to fail. Long tests need
`ctest -C long`. ctest does not build.
"""
import json
import os
import shlex


def quoted(text):
    """A CMake bracket argument: nothing in it is expanded."""
    return f"[==[{text}]==]"


def entry(meson, build, test):
    suites = [suite.split(":", 1)[-1] for suite in test["suite"]]
    name = test["name"]
    command = meson + [
        "test", "-C", build, "--no-rebuild", "--print-errorlogs",
        "--setup", "long" if "long" in suites else "quick",
        "--logbase", f"ctest-{name}", name,
    ]
    properties = {
        "LABELS": ";".join(suites),
        # meson's own limit comes first and says more
        "TIMEOUT": str(test["timeout"] + 30),
        "RUN_SERIAL": "FALSE" if test["is_parallel"] else "TRUE",
        "SKIP_REGULAR_EXPRESSION": "Skipped: +[1-9]",
    }
    text = (
        f"add_test({quoted(name)} {' '.join(map(quoted, command))})\n"
        f"set_tests_properties({quoted(name)} PROPERTIES "
        + " ".join(f"{key} {quoted(value)}" for key, value in properties.items())
        + ")\n"
    )
    if "long" in suites:
        text = f'if(CTEST_CONFIGURATION_TYPE STREQUAL "long")\n{text}endif()\n'
    return text


def main():
    build = os.environ["MESON_BUILD_ROOT"]
    meson = shlex.split(os.environ["MESONINTROSPECT"])[:-1]
    with open(os.path.join(build, "meson-info", "intro-tests.json"), encoding="utf-8") as file:
        tests = json.load(file)
    with open(os.path.join(build, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
        file.writelines(entry(meson, build, test) for test in tests)


main()
