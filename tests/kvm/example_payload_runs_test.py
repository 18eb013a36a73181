#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guest-payload/example/ runs as a payload of one's own: its samples become rows,
also by the command that its first comment gives."""
import os
import pathlib
import re
import shlex
import shutil
import tempfile

from bench import Bench, check, check_counts, check_order, require

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "guest-payload" / "example" / "exit_cost.c"


def check_run(bench, payload):
    with tempfile.TemporaryDirectory() as folder:
        done, summary, rows = bench.run_clean(
            folder, "--vcpus", "4", "--overcommit", "2", "--protocol", "generation",
            "--flushes", "60", "--duration", "60", payload)
    check(re.search(r"^generation .* blind\*?$", done.out, re.MULTILINE), f"verdict: {done.out}")
    check("payload not the built-in one" in done.out and summary["payload"] == str(payload) and
          summary["claimed"], f"whose payload is that? {summary['payload']}: {done.out}")
    check(len(rows) == 60, f"{len(rows)} rows")
    check_counts(summary, rows)
    check(sum(check_order(rows).values()) == len(rows), "a number is missing in seq")
    check(all(row.initiator == 0 and row.wall_ns > 0 for row in rows), "an exit costs something")

    with tempfile.TemporaryDirectory() as folder:
        _, _, rows = bench.run_clean(
            folder, "--vcpus", "4", "--overcommit", "2", "--protocol", "generation",
            "--initiators", "3", "--flushes", "100", "--repeat", "2", payload)
    counts = check_order(rows)
    check(len(rows) == 200, f"{len(rows)} rows of 100 exits twice")
    check(set(counts.values()) == {34, 33}, f"shares: {counts}")


def build_by_hand(folder):
    """The command in the source's comment, run from the project's root."""
    text = SOURCE.read_text(encoding="ascii")
    command = re.search(r"^ \*   (cc .*? -o exit_cost)$", text, re.MULTILINE | re.DOTALL)
    check(command, "the comment has no command any more")
    words = shlex.split(command[1].replace("\n *", " "))
    words[-1] = os.path.join(folder, "exit_cost")
    return words


def main():
    require("require_kvm")
    bench = Bench()
    check_run(bench, os.path.join(bench.build, "guest-payload", "example", "exit_cost"))
    if shutil.which("cc") is None:
        print("not built by hand: no cc")
        return
    with tempfile.TemporaryDirectory() as folder:
        words = build_by_hand(folder)
        done = bench.run(words, cwd=ROOT)
        check(done.status == 0 and done.err == "", f"{' '.join(words)}: {done.err}")
        check_run(bench, words[-1])


main()
