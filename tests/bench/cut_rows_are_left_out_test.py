#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A CSV whose writer was killed in a row is read without that row, wherever it was cut, and
one line says so; what is left of a number is not taken for one.
Usage: cut_rows_are_left_out_test.py VMM BUILD"""
import contextlib
import io
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from lib import results  # noqa: E402
from report.folder import Folder  # noqa: E402
import sweep_data  # noqa: E402

CUT = "its last row is cut short and left out"


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def read(path):
    """The rounds, and what is said about them."""
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        return results.read_rounds(path), err.getvalue()


def count(cells):
    return sum(len(one["stall"]) for rounds in cells.values() for one in rounds.values())


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sweep_data.write(folder)
        path = folder / "flush-latency.csv"
        text = path.read_text(encoding="utf-8")
        start = text.rstrip("\n").rindex("\n") + 1
        path.write_text(text[:start], encoding="utf-8")
        without, said = read(path)
        check(said == "" and count(without) > 0, f"a whole one: {said}")
        # After the first byte, in the middle, and one digit before the end of the last number.
        for end in start + 1, (start + len(text)) // 2, len(text) - 2, len(text) - 1:
            path.write_text(text[:end], encoding="utf-8")
            cells, said = read(path)
            check(cells == without, f"cut at {end - start}: {count(cells)} flushes, not {count(without)}")
            check(said == f"{path}: {CUT}\n", f"cut at {end - start}: said: {said}")
        check(f"{path.name}: {CUT}" in Folder(folder).missing, "the page does not say it")
        path.write_text(text, encoding="utf-8")
        check(read(path)[1] == "" and count(read(path)[0]) == count(without) + 1, "the whole file")
        check(not any(CUT in line for line in Folder(folder).missing), "said of a whole file")
    print("4 cuts")


main()
