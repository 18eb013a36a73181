#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--litmus loses a flush under every wrong variant, and none under a right one; the table,
the summary and the exit status say the same."""
import json
import pathlib
import re
import tempfile

from bench import Bench, check, check_types, require

KEYS = {"name": str, "hazard": str, "protocol": str, "expected": str, "observed": str,
        "ok": bool, "rounds": int, "complete": int, "lost": int, "checks": int, "stale": int}

# What each stands for: a hazard that has to be there whatever else is.
LOST = [
    "two-initiators/ipi-pending-2017", "two-initiators/serve-reads-again",
    "park-in-handler/ipi-pending-2017", "mask-bit/ipi-pending-2017-as-written",
    "park-in-two-steps/ipi-pending-2017-as-written", "acknowledged-early/serve-before-flush",
    "unparked-under-the-look/cas-inverted", "waiter-leaves/without-mark",
    "run-is-cancelled/debt-dropped", "preempted-twice/mark-by-store",
    "marked-under-the-copy/byte-by-copy", "marked-under-the-copy/word-by-copy",
    "runs-again/preempted-stays", "kick-on-its-way/caller-returns",
    "in-mid-instruction/parked-there", "freed-in-a-walk/generation",
    "freed-in-a-walk/grace-for-runners-only",
]
RIGHT = ["generation", "takeover", "deferred"]
# Lost in a store buffer alone, and every step drains it.
BUFFERED = ["marked-already/look-is-enough"]
# Seen without a stale translation.
OTHER = ["in-mid-instruction", "freed-in-a-walk"]


def read_litmuses(folder):
    summary = json.loads(pathlib.Path(folder, "summary.json").read_text(encoding="utf-8"))
    check_types("summary", summary, {"schema": int, "command": list, "host": dict, "litmus": list,
                                     "exit_keeps_stale": bool, "interrupted": bool})
    for litmus in summary["litmus"]:
        check_types(litmus.get("name"), litmus, KEYS)
    return summary, {litmus["name"]: litmus for litmus in summary["litmus"]}


def check_one(litmus):
    """It was played to its end in every round, and showed what it had to."""
    what = f"{litmus}"
    check(litmus["ok"] and litmus["rounds"] >= 8, what)
    check(litmus["complete"] == litmus["rounds"] and litmus["checks"] >= litmus["rounds"], what)
    check((litmus["lost"] > 0) == (litmus["stale"] > 0) and litmus["lost"] <= litmus["rounds"], what)
    if litmus["expected"] == "never":
        check(litmus["observed"] == "never" and litmus["stale"] == 0, what)
    elif litmus["name"] in BUFFERED:
        check(litmus["observed"] == "SKIP" and "store buffer" in litmus["skip"], what)
    else:
        # Seldom less than each time: what else runs on the CPU can empty its TLB.
        check(litmus["observed"] == "lost", what)


def check_table(out, litmuses):
    """A line for each, with the same figures."""
    for litmus in litmuses.values():
        if litmus["rounds"] == 0:
            check(re.search(rf"^{re.escape(litmus['name'])} +{litmus['expected']} +SKIP: .*",
                            out, re.MULTILINE), f"{litmus['name']}: not in the table:\n{out}")
            continue
        figures = re.search(rf"^{re.escape(litmus['name'])} +{litmus['expected']} +"
                            rf"{litmus['observed']}.* \((\d+) of (\d+)\)$", out, re.MULTILINE)
        check(figures, f"{litmus['name']}: not in the table:\n{out}")
        check([int(figure) for figure in figures.groups()] == [litmus["lost"], litmus["rounds"]],
              f"{litmus['name']}: {litmus['lost']} of {litmus['rounds']}, but:\n{out}")


def run(bench, folder, option):
    done = bench.run(bench.command(folder, option))
    check(done.status == 0 and done.err == "",
          f"{option}: status {done.status}, said: {done.err}{done.out}")
    summary, litmuses = read_litmuses(folder)
    check_table(done.out, litmuses)
    return summary, litmuses


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        summary, litmuses = run(bench, folder, "--litmus")
        _, one = run(bench, folder, "--litmus=two-initiators/generation")
    check(list(one) == ["two-initiators/generation"], f"asked for one, played {list(one)}")
    for name, litmus in litmuses.items():
        if summary["exit_keeps_stale"] or name.split("/")[0] in OTHER:
            check_one(litmus)
        else:
            remedy = "=0" if summary["host"]["emulated"] else ""
            check(litmus["observed"] == "SKIP" and "empties the TLB" in litmus["skip"] and
                  remedy in litmus["skip"], f"{litmus}")
    expected = {name for name, litmus in litmuses.items() if litmus["expected"] == "lost"}
    check(expected == set(LOST + BUFFERED), f"lost: {expected ^ set(LOST + BUFFERED)}")
    for interleaving in "two-initiators", "park-in-handler":
        for protocol in RIGHT:
            check(f"{interleaving}/{protocol}" in litmuses, f"no {interleaving}/{protocol}")
    # Each wrong one has a right one that is played the same way.
    kept = {name.split("/")[0] for name in litmuses if name not in expected}
    check({name.split("/")[0] for name in expected} <= kept, f"{expected}, {kept}")


main()
