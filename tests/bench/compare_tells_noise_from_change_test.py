#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/compare where the truth is known: as many false alarms as asked for, a real change
found, other hosts and shapes refused.

Usage: compare_tells_noise_from_change_test.py VMM BUILD
"""
import copy
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPARE = ROOT / "bench" / "compare"

sys.path.insert(0, str(ROOT / "bench"))
from lib import comparison  # noqa: E402

COLUMNS = ["protocol", "run", "seq", "initiator", "targets", "ipis", "deferred", "taken_over",
           "pages", "start_ns", "pte_ns", "wall_ns", "stall_ns"]
SUMMARY = {
    "schema": 1, "version": "0.1.0", "started": "2026-01-01T00:00:00.000Z",
    "host": {"kvm": "pvm", "kernel": "Linux 6.1", "cpu": "a CPU", "cpus_online": 2,
             "tsc_hz": 2299998000, "load_1m": 0.5},
    "vcpus": 8, "slots": 2, "slice_us": 2000, "pages": 1, "initiators": 1, "pace_us": 100,
    "preempt": "slice", "protocols": [],
}
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
    check(comparison.ranks_u([1, 2, 3], [4, 5, 6])[0] == 9, "U of all above")
    check(comparison.ranks_u([4, 5, 6], [1, 2, 3])[0] == 0, "U of none above")
    check(comparison.ranks_u([1, 2], [1, 2]) == (2, 12), "U with ties")
    check(comparison.mann_whitney([1] * 5, [1] * 5) == 1.0, "all alike")
    # U = 0 of 5 and 5: z = (12.5 - 0.5) / sqrt(25 * 11 / 12) = 2.5067, p = 0.01219.
    p = comparison.mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])
    check(abs(p - 0.01219) < 1e-5, f"p {p}")
    # Two pairs tied: variance 25 / 12 * (11 - 12 / 90), U = 2 * 0.5 + 0.
    p = comparison.mann_whitney([1, 2, 3, 4, 5], [4, 5, 6, 7, 8])
    check(abs(p - 0.0353) < 5e-4, f"p with ties {p}")
    check(comparison.holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06], "Holm")
    check([comparison.rounds_needed(tests, 0.05) for tests in (1, 4, 56)] == [4, 5, 9],
          "rounds needed")
    check(comparison.quantile([1, 2, 3, 4], 0.5) == 2 and comparison.quantile([7], 0.99) == 7,
          "quantile")
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
    done = subprocess.run([COMPARE, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    check(done.returncode == status, f"{arguments}: status {done.returncode}, not {status}:\n"
                                     f"{done.stdout}{done.stderr}")
    return done


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
    compare(a, write_folder(base / "busy", rounds, host={"load_1m": 9.0, "tsc_hz": 2299999000}),
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
    (empty / "summary.json").write_text("[]", encoding="utf-8")
    compare(a, empty, status=2)
    compare(a, status=2)
    compare(a, a, "--alpha", "2", status=2)
    compare(a, a, "--despite", "weather", status=2)
    compare(a, a, "--figures", "wall_p42", status=2)


def write_sweep(folder, scales):
    """@scales: {cell: scale of its flushes}, as a sweep leaves them; no summary has a cell."""
    folder.mkdir()
    summary = {key: value for key, value in SUMMARY.items() if key not in comparison.CELL}
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
        check_refusals(pathlib.Path(folder))
        check_sweeps(pathlib.Path(folder))


main()
