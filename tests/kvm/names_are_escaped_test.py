#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever is named with a newline or an escape sequence in it, on the command line or as a
file, a message about it is one line that a terminal does not obey."""
import os
import pathlib
import re
import tempfile

from bench import Bench, check, require

EVIL = "a\nb\x1b[31mc\x9bd\u202e"
SHOWN = r"a\nb\x1b[31mc"
OPTIONS = ["--vcpus", "2", "--overcommit", "1", "--protocol", "ipi", "--warmup", "0"]


def check_shown(done, what, status):
    check(done.status == status, f"{what}: status {done.status}, said: {done.err!r}")
    check(SHOWN in done.err, f"{what}: named as: {done.err!r}")
    check(done.err.count("\n") == 1 and done.err.endswith("\n"), f"{what}: lines: {done.err!r}")
    check(not re.search(r"[^ -~\n]", done.err + done.out), f"{what}: obeyed: {done.err!r}")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        bad = os.path.join(folder, EVIL)
        pathlib.Path(bad).write_text("no payload\n", encoding="ascii")
        below = os.path.join(bad, "x")
        out = os.path.join(folder, "out")
        refused = [[bad], [below], [bad, bad], ["--litmus", bad], [f"--litmus={EVIL}"],
                   *([f"--{name}={EVIL}"] for name in (
                       "vcpus", "cpus", "preempt", "protocol", "duration", "fail-over", "print",
                       "extra", "seed", "confine", EVIL)),
                   ["--csv", bad, "--json", bad]]
        for options in refused:
            check_shown(bench.run(bench.command(out, *options)), options, 2)
        for options in (["--out", below], ["--csv", below], ["--json", below], ["--trace", below]):
            check_shown(bench.run([bench.vmm, "--out", out, *OPTIONS, *options]), options, 5)
        # The names of what --break-over leaves.
        os.unlink(bad)
        done = bench.run([bench.vmm, "--out", bad, *OPTIONS, "--duration", "10", "--break-over", "1"])
        check_shown(done, "--break-over", 0)
        check(os.path.exists(os.path.join(bad, "break.json")), "the file itself")
        command = pathlib.Path(bad, "summary.json").read_bytes()
        check(command.isascii() and b"\x1b" not in command, f"summary.json: {command}")
    print(f"{len(refused)} refused, 4 not written, 1 told")


main()
