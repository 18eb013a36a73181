#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Results that cannot be written are refused before the run: status 5, one line
that names the file. (Below a file: permissions do not bind root.)"""
import os
import pathlib
import tempfile

from bench import Bench, check, check_refused, require


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "file")
        pathlib.Path(file).write_text("mine\n", encoding="ascii")
        good = os.path.join(folder, "good")
        for options, name in [
                (["--out", file], file),
                (["--out", f"{file}/below"], f"{file}/below"),
                (["--out", "/proc/nowhere"], "/proc/nowhere"),
                (["--out", good, "--csv", f"{file}/x.csv"], f"{file}/x.csv"),
                (["--out", good, "--csv", folder], folder),
                (["--out", good, "--json", f"{file}/x.json"], f"{file}/x.json"),
                (["--out", good, "--json", folder], folder),
                (["--out", good, "--trace", f"{file}/x.json"], f"{file}/x.json"),
                (["--out", good, "--trace", folder], folder)]:
            check_refused(bench.run([bench.vmm, *options]), options, 5, name)
        check(pathlib.Path(file).read_text(encoding="ascii") == "mine\n", "the file was changed")


main()
