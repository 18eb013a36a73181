#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two options that name one file, however they call it, are refused with status 2 and one
line that names both, and no file is touched; the folder that files go to is made."""
import os
import pathlib
import shutil
import tempfile

from bench import Bench, check, check_refused, require

OPTIONS = ["--vcpus", "2", "--overcommit", "1", "--protocol", "ipi", "--flushes", "3",
           "--warmup", "0", "-q"]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file()}


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir("o")
        for name in "summary.json", "flush-latency.csv", "break.json", "stall.hist":
            pathlib.Path("o", name).write_text("mine\n", encoding="ascii")
        shutil.copy(bench.payload("busy_for_ever"), "p")
        os.link("p", "hard")
        os.symlink("o/flush-latency.csv", "soft")
        before = contents(folder)
        cases = [
            (["--csv", "p", "p"], "--csv and PAYLOAD"),
            (["--json", "hard", "p"], "--json and PAYLOAD"),
            (["--csv", "o/summary.json"], "--csv and summary.json of --out"),
            (["--csv", "x1", "--json", f"{folder}/./x1"], "--csv and --json"),
            (["--trace", "o/flush-latency.csv"], "flush-latency.csv of --out and --trace"),
            (["--json", "soft"], "flush-latency.csv of --out and --json"),
            (["--break-over", "9", "--json", "o/../o/break.json"], "--json and break.json of --out"),
            (["--extra", "hist", "--csv", "o/stall.hist"], "--csv and stall.hist of --out"),
            (["--host", "--json", "p", "p"], "--json and PAYLOAD")]
        for options, words in cases:
            done = bench.run(bench.command("o", *OPTIONS, *options))
            check_refused(done, options, 2, f"vmm: {words}: both are ")
            check(contents(folder) == before, f"{options}: {contents(folder).keys()}")
        done = bench.run(["sh", "-c", '"$@" >table', "sh",
                          *bench.command("o", *OPTIONS, "--csv", "table")])
        check(done.status == 2 and "--csv and standard output: both are table" in done.err,
              f"the table in the CSV: {done}")

        # Both files in a folder that is not there.
        new = ["--csv", "deep/er/a", "--json", "deep/../deep/er/b"]
        done = bench.run(bench.command("deep/er", *OPTIONS, *new))
        check(done.status == 0 and done.err == "", f"{new}: {done.status}, said: {done.err}")
        check(sorted(os.listdir("deep/er")) == ["a", "b"], f"{os.listdir('deep/er')}")
        # Elsewhere: no empty folder is left.
        done = bench.run(bench.command("none", *OPTIONS, "--csv", "a", "--json", "b"))
        check(done.status == 0 and not os.path.exists("none"), f"{done.status}, said: {done.err}")
        os.chdir("/")
    print(f"{len(cases)} refused")


main()
