#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/compare where the truth is known: as many false alarms as asked for, a real change
found, other hosts and shapes refused.

Usage: compare_tells_noise_from_change_test.py VMM BUILD
"""
import collections
import contextlib
import copy
import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPARE = ROOT / "bench" / "compare"

sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "bench")]
from lib import comparison  # noqa: E402
from lib import results  # noqa: E402
from report import compare as report_compare  # noqa: E402
import sweep_data  # noqa: E402

COLUMNS = ["protocol", "run", "seq", "initiator", "targets", "ipis", "deferred", "taken_over",
           "pages", "start_ns", "pte_ns", "wall_ns", "stall_ns"]
SUMMARY = sweep_data.SUMMARY
Done = collections.namedtuple("Done", "stdout stderr")
SEEDS = 400
ROUNDS = 10
FLUSHES = 40


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def rounds_of(dice, scale=1.0, rounds=ROUNDS, count=FLUSHES):
    """Flushes that share what their round is like: not independent of each other."""
    found = {}
    for number in range(rounds):
        pace = scale * dice.lognormvariate(0, 0.05)
        wall = [int(60000 * pace * dice.lognormvariate(0, 0.2)) for _ in range(count)]
        found[number] = {"wall": wall, "stall": [ns - ns // 10 for ns in wall]}
    return found


def flushes(rounds):
    return [ns for one in rounds.values() for ns in one["wall"]]


def check_false_alarms():
    """5 % of comparisons of the same with the same are significant, not more of the whole
    family; by flushes it would be several times as many."""
    alarms = dict.fromkeys(comparison.FIGURES, 0)
    family = by_flush = covered = 0
    for seed in range(SEEDS):
        dice = random.Random(seed)
        a, b = rounds_of(dice), rounds_of(dice)
        cells = comparison.compare_cells({("ipi", ()): a}, {("ipi", ()): b}, 200)
        comparison.judge(cells)
        for figure in cells[0]["figures"]:
            alarms[figure["figure"][:-3]] += figure["p"] < 0.05
        family += set(comparison.verdicts(cells)) != {"same"}
        by_flush += comparison.mann_whitney(flushes(a), flushes(b)) < 0.05
        low, high = cells[0]["figures"][0]["interval"]
        covered += low <= 0 <= high
    # 5 % of 400 are 20, with a standard deviation of 4.4.
    for figure, count in alarms.items():
        check(8 <= count <= 34, f"{figure}: {count} false alarms of {SEEDS}")
    check(family <= 34, f"{family} families of {SEEDS} with a false alarm")
    check(by_flush > SEEDS / 5, f"flushes as the unit: only {by_flush} false alarms?")
    check(covered >= 0.88 * SEEDS, f"intervals with the truth inside: {covered} of {SEEDS}")
    print(f"{SEEDS} seeds: false alarms {alarms}, family {family}, by flush {by_flush}; "
          f"intervals with the truth inside {covered}")


def check_statistics():
    """Against values worked out by hand."""
    check(comparison.superiority([1, 2, 3], [4, 5, 6]) == 1, "U of all above")
    check(comparison.superiority([4, 5, 6], [1, 2, 3]) == 0, "U of none above")
    check(comparison.superiority([1, 2], [1, 2]) == 0.5, "U with ties")
    check(comparison.mann_whitney([1] * 5, [1] * 5) == 1.0, "all alike")
    # U = 0 of 5 and 5: z = (12.5 - 0.5) / sqrt(25 * 11 / 12) = 2.5067, p = 0.01219.
    p = comparison.mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])
    check(abs(p - 0.01219) < 1e-5, f"p {p}")
    # Two pairs tied: variance 25 / 12 * (11 - 12 / 90), U = 2 * 0.5 + 0.
    p = comparison.mann_whitney([1, 2, 3, 4, 5], [4, 5, 6, 7, 8])
    check(abs(p - 0.0353) < 5e-4, f"p with ties {p}")
    check(numpy.allclose(comparison.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]), "Holm")
    check([comparison.rounds_needed(tests, 0.05) for tests in (1, 4, 56)] == [4, 5, 9],
          "rounds needed")
    # The smallest that so many do not exceed, of any number of values: exact.
    for per_mille in 500, 900, 990, 999:
        for count in range(1, 3001):
            check(results.quantile(range(count), per_mille / 1000) ==
                  max(0, -(-per_mille * count // 1000) - 1), f"{per_mille} of {count}")
    check(results.figure(range(99), "p99") is None and results.figure(range(100), "p99") == 98 and
          results.figure([1], "p50") is None, "a quantile of too few")
    check(comparison.superiority([1, 2], [2, 3]) == 0.875, "superiority")


def write_folder(folder, protocols, **changes):
    """@protocols: {name: rounds}."""
    folder.mkdir()
    summary = copy.deepcopy(SUMMARY)
    summary["host"] |= changes.pop("host", {})
    (folder / "summary.json").write_text(json.dumps(summary | changes), encoding="utf-8")
    with open(folder / "flush-latency.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for name, rounds in protocols.items():
            for number, one in rounds.items():
                for seq, (wall, stall) in enumerate(zip(one["wall"], one["stall"])):
                    rows.writerow([name, number, seq, 0, 7, 1, 6, 0, 1, seq, 0, wall, stall])
    return folder


def compare(*arguments, status):
    """In this process: scipy takes a second to load."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            report_compare.main(["--resamples", "200", *map(str, arguments)])
        except SystemExit as end:
            code = end.code
    check(code == status, f"{arguments}: status {code}, not {status}:\n"
                          f"{out.getvalue()}{err.getvalue()}")
    return Done(out.getvalue(), err.getvalue())


def check_program(base):
    """The file that one calls does the same."""
    done = subprocess.run([COMPARE, "--resamples", "200", base / "a", base / "slow"], capture_output=True, text=True,
                          check=False)
    check(done.returncode == 1 and not done.stderr and
          done.stdout == compare(base / "a", base / "slow", status=1).stdout, f"{done}")


def check_changes(base):
    """With flushes enough for a 99th percentile."""
    dice = random.Random(1)

    def folder(name, scale):
        return write_folder(base / name, {"ipi": rounds_of(dice, scale, count=400),
                                          "yield": rounds_of(dice, count=400)})

    a, same, slow = folder("a", 1.0), folder("same", 1.0), folder("slow", 1.2)
    compare(a, a, status=0)
    compare(a, same, status=0)
    compare(slow, a, status=0)          # faster is no regress
    done = compare(a, slow, "--json", base / "found.json", status=1)
    check("slower" in done.stdout, done.stdout)
    found = json.loads((base / "found.json").read_text(encoding="utf-8"))
    cells = {cell["protocol"]: cell for cell in found["cells"]}
    for figure in cells["ipi"]["figures"]:
        check(figure["verdict"] == "slower" and figure["confidence"] > 0.95, figure)
        check(figure["interval"][0] > 0 and 0.05 < figure["relative"] < 0.4, figure)
    check(cells["ipi"]["effect"]["wall"] > 0.6, cells["ipi"]["effect"])
    check({figure["verdict"] for figure in cells["yield"]["figures"]} == {"same"}, cells["yield"])
    check(found["slower"] == 4 and found["faster"] == 0, found)
    again = compare(a, slow, "--json", "-", status=1)
    check(json.loads(again.stdout)["cells"] == found["cells"], "the same seed, other intervals")
    compare(a, slow, "--at-least", "60", status=0)
    one = compare(a, slow, "--figures", "stall_p50", "--json", "-", status=1)
    check(json.loads(one.stdout)["slower"] == 1, one.stdout)
    check("only in" in compare(a, write_folder(base / "less", {"ipi": rounds_of(dice)}),
                               status=0).stderr, "what one folder lacks is not said")


def check_definition(base):
    """A cell's figure is that of all its flushes: here of most rounds it is another one."""
    walls = [[1000] * 10, [1000] * 10, [9000] * 180]
    cells = {("ipi", ()): {number: {"wall": wall, "stall": wall}
                           for number, wall in enumerate(walls)}}
    found = comparison.compare_cells(cells, cells)[0]["figures"]
    check([(figure["figure"], figure["a"]) for figure in found] ==
          [(f"{name}_ns", 9000) for name in comparison.FIGURES], f"{found}")
    few = {("ipi", ()): {0: {"wall": [5] * 99, "stall": [5] * 99}}}
    found, = comparison.compare_cells(few, few)
    check(found["too_few"] == ["wall_p99_ns", "stall_p99_ns"] and
          [figure["figure"] for figure in found["figures"]] == ["wall_p50_ns", "stall_p50_ns"],
          f"{found}")
    # Nine rounds of ten are quicker, and the tenth has most of the flushes.
    def side(quick, slow):
        return {number: {"wall": wall, "stall": wall} for number, wall in enumerate(
            [[quick + number] * 20 for number in range(9)] + [[slow] * 400])}

    a = write_folder(base / "mixed-a", {"ipi": side(5000, 6000)})
    b = write_folder(base / "mixed-b", {"ipi": side(4000, 9000)})
    done = compare(a, b, "--figures", "wall_p50", "--json", base / "mixed.json", status=0)
    check(json.loads((base / "mixed.json").read_text(encoding="utf-8"))["mixed"] == 1 and
          done.stdout.rstrip().endswith("mixed"), done.stdout)


def check_power():
    """A fifth more is found nearly always, not only with the seed above."""
    found = 0
    for seed in range(100):
        dice = random.Random(seed)
        cells = comparison.compare_cells({("ipi", ()): rounds_of(dice)},
                                         {("ipi", ()): rounds_of(dice, 1.2)}, 100)
        comparison.judge(cells)
        found += "slower" in comparison.verdicts(cells)
    check(found >= 85, f"a fifth more was found in {found} of 100")
    print(f"a fifth more is found in {found} of 100")


def check_refusals(base):
    dice = random.Random(2)
    rounds = {"ipi": rounds_of(dice)}
    a = write_folder(base / "plain", rounds)
    others = {
        "host": {"host": {"kernel": "Linux 6.2"}},
        "shape": {"slice_us": 1000},
        "schema": {"schema": 2},
    }
    for what, change in others.items():
        b = write_folder(base / what, rounds, **change)
        done = compare(a, b, status=2)
        check(f"another {what}" in done.stderr and done.stderr.count("\n") == 1, done.stderr)
        compare(a, b, "--despite", what, status=0)
        for other in others:
            if other != what:
                compare(a, b, "--despite", other, status=2)
    # Of another kind nothing is compared, whatever is allowed.
    for number, host in enumerate(({"kvm": "svm"}, {"below": "TCG"}, {"emulated": True})):
        b = write_folder(base / f"kind-{number}", rounds, host=host)
        for despite in [], ["--despite", "host,shape,schema"]:
            done = compare(a, b, *despite, status=2)
            check(done.stderr.startswith("compare: another kind of host: ") and
                  done.stderr.count("\n") == 1 and not done.stdout, done.stderr)
        check("an emulator's" in compare(b, b, status=0).stdout if "emulated" in host else True,
              "times of an emulator")
    compare(a, write_folder(base / "busy", rounds, host={"load_1m": 9.0, "clock_step_ns": 22,
                                                             "tsc_hz": 2299999000}),
            status=0)
    done = compare(a, write_folder(base / "once", {"ipi": rounds_of(dice, rounds=3)}), status=2)
    check("it takes 5 rounds" in done.stderr, done.stderr)
    check("no protocol" in compare(a, write_folder(base / "other", {"none": rounds_of(dice)}),
                                   status=2).stderr, "nothing in common")
    empty = base / "empty"
    empty.mkdir()
    compare(a, empty, status=2)
    (empty / "summary.json").write_text(json.dumps(SUMMARY), encoding="utf-8")
    compare(a, empty, status=2)
    (empty / "flush-latency.csv").write_text("protocol,run\nipi,x\n", encoding="utf-8")
    check(compare(a, empty, status=2).stderr.startswith("compare: "), "a bad CSV")
    bad = json.loads(json.dumps(SUMMARY)) | {"slice_us": "long"}
    (empty / "summary.json").write_text(json.dumps(bad), encoding="utf-8")
    check("$.slice_us" in compare(a, empty, status=2).stderr, "a summary with a wrong type")
    (empty / "summary.json").write_text("[]", encoding="utf-8")
    compare(a, empty, status=2)
    compare(a, status=2)
    compare(a, a, "--alpha", "2", status=2)
    compare(a, a, "--despite", "weather", status=2)
    compare(a, a, "--figures", "wall_p42", status=2)


def write_sweep(folder, scales):
    """@scales: {cell: scale of its flushes}, as a sweep leaves them; no summary has a cell."""
    folder.mkdir()
    summary = {key: value for key, value in SUMMARY.items() if key not in results.CELL}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    with open(folder / "flush-latency.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["slots", "vcpus", "initiators", "slice_us", *COLUMNS])
        for (vcpus, slots, slice_us, initiators), scale in scales.items():
            for number, one in rounds_of(random.Random(3), scale).items():
                for seq, (wall, stall) in enumerate(zip(one["wall"], one["stall"])):
                    rows.writerow([slots, vcpus, initiators, slice_us, "ipi", number, seq, 0, 7, 1,
                                   6, 0, 1, seq, 0, wall, stall])
    return folder


def check_sweeps(base):
    """Cells that differ in one thing alone are told apart, and one is compared by itself."""
    cells = [(8, 2, 2000, 1), (8, 2, 2000, 8), (8, 2, 500, 1), (8, 1, 2000, 1), (16, 2, 2000, 1)]
    a = write_sweep(base / "sweep", dict.fromkeys(cells, 1.0))
    b = write_sweep(base / "slower", dict.fromkeys(cells, 1.0) | {cells[1]: 1.5})
    result = base / "sweep.json"
    compare(a, b, "--json", result, status=1)
    found = json.loads(result.read_text(encoding="utf-8"))["cells"]
    check([tuple(cell["shape"].values()) for cell in found] == sorted(cells), f"{found}")
    slower = [tuple(cell["shape"].values()) for cell in found
              if any(figure["verdict"] == "slower" for figure in cell["figures"])]
    check(slower == [cells[1]], f"slower: {slower}")
    compare(a, b, "--cell", "8/2/2000/1", status=0)
    compare(a, b, "--cell", "8/2/2000/8", status=1)
    compare(a, b, "--cell", "8/2/2000/7", status=2)


def main():
    check_statistics()
    check_false_alarms()
    check_power()
    with tempfile.TemporaryDirectory() as folder:
        check_changes(pathlib.Path(folder))
        check_program(pathlib.Path(folder))
        check_definition(pathlib.Path(folder))
        check_refusals(pathlib.Path(folder))
        check_sweeps(pathlib.Path(folder))


main()
