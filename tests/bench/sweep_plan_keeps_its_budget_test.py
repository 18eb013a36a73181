#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The plan of a sweep: its runs fit into the time that is given, for hosts of 1 to 64 CPUs
and of any pace; every cell is run as often as another, in orders that differ by round
and come again with the seed.

Usage: sweep_plan_keeps_its_budget_test.py VMM BUILD
"""
import collections
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "bench"))
from sweep import plan as sweep_plan  # noqa: E402
from sweep.plan import Cell, Times  # noqa: E402

NAMES = ["ipi", "sleep", "yield", "deferred", "generation", "takeover", "hypercall"]
# Seconds, rounds, weights: full and quick, and what else may be asked for.
SIZES = [(750, 5, sweep_plan.FULL), (45, 2, sweep_plan.QUICK), (300, 3, sweep_plan.FULL),
         (7200, 5, sweep_plan.FULL)]


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def plan_of(cpus, seconds, rounds, weights, pace=1.0, given=None):
    axes = sweep_plan.axes_of(cpus, given or {})
    base = sweep_plan.base_of(axes)
    return axes, base, sweep_plan.make(axes, base, weights, len(NAMES), rounds, seconds, pace)


def check_plan(cpus, seconds, rounds, weights, pace):
    what = f"{cpus} CPUs, {seconds} s, {rounds} rounds, pace {pace}"
    axes, base, plan = plan_of(cpus, seconds, rounds, weights, pace)
    total_s = rounds * sum(sweep_plan.run_s(cell, times, len(NAMES), pace)
                           for cell, times in plan.items())
    check(total_s <= seconds, f"{what}: {total_s:.1f} s")
    missing = [cell for cell in sweep_plan.cells_of(axes) if cell not in plan]
    check(total_s > 0.8 * seconds, f"{what}: only {total_s:.1f} s")
    check(base in plan and all(sweep_plan.is_possible(cell) for cell in plan), f"{what}: {plan}")
    for cell, times in plan.items():
        check(times.duration_s >= 11 * sweep_plan.rotation_s(cell) - 1e-6 and
              times.duration_s >= 0.1 and
              times.warmup_s >= sweep_plan.rotation_s(cell) - 1e-6, f"{what}: {cell} {times}")
    check(plan[base].duration_s >= 9 * 0.1, f"{what}: the base has {plan[base]}")
    return len(plan), len(missing)


def check_cells():
    """By hand, and whatever there is: vmm gets vCPUs and overcommit, and comes to the slots."""
    check(sweep_plan.slots_axis(2) == [1, 2] and sweep_plan.slots_axis(4) == [1, 2, 3, 4] and
          sweep_plan.slots_axis(6) == [1, 2, 4, 6] and sweep_plan.slots_axis(8) == [1, 2, 4, 8],
          "slots")
    check(not sweep_plan.is_possible(Cell(3, 4, 1, 500)), "4 vCPUs on 3 slots: 2 each, 2 slots")
    check(not sweep_plan.is_possible(Cell(2, 4, 8, 500)), "8 initiators of 4 vCPUs")
    check(not sweep_plan.is_possible(Cell(4, 2, 1, 500)), "4 slots for 2 vCPUs")
    check(sweep_plan.is_possible(Cell(3, 8, 1, 500)), "8 vCPUs on 3 slots")
    axes = sweep_plan.axes_of(2, {"vcpus": [8, 2, 8]})
    check(sweep_plan.cells_of(axes)[0] == Cell(1, 2, 1, 500) and axes["vcpus"] == [2, 8] and
          len(sweep_plan.cells_of(axes)) == 2 * (2 + 3) * 3, f"{sweep_plan.cells_of(axes)}")
    check(sweep_plan.base_of(sweep_plan.axes_of(1, {})) == Cell(1, 8, 1, 2000), "base, one CPU")
    check(sweep_plan.base_of(axes | {"slice_us": [500, 4000]}) == Cell(2, 8, 1, 500), "base")
    check(sweep_plan.rotation_s(Cell(1, 128, 1, 2000)) == 0.256, "a rotation")
    # The arithmetic of one run, by hand: 2 protocols, boot, begin and end of each.
    cell, times = Cell(2, 8, 1, 2000), Times(1, 0.1)
    want = 2 * 1.1 + 3 * (0.06 + 8 * 0.001 + 2 * (0.02 + 2 * 0.008))
    check(abs(sweep_plan.run_s(cell, times, 2, 3.0) - want) < 1e-9, "a run")


def check_nearest():
    """All that differ in one thing are there before any that differs in two."""
    _, base, plan = plan_of(2, *SIZES[0])
    distances = collections.Counter(sweep_plan.distance(cell, base) for cell in plan)
    axes = sweep_plan.axes_of(2, {})
    neighbours = sum(sweep_plan.distance(cell, base) == 1 for cell in sweep_plan.cells_of(axes))
    check(distances[1] == neighbours and distances[2] > 10, f"{distances}, {neighbours}")
    check({cell.vcpus for cell in plan} == {2, 4, 8, 16, 32, 64, 128}, "a number of vCPUs")
    # Where hardly anything fits there is still something of each axis.
    _, base, plan = plan_of(2, 35, 2, sweep_plan.QUICK, 3.0)
    check(len(plan) < 8, f"too much fits for that: {plan}")
    for axis in range(4):
        check(len({cell[axis] for cell in plan}) > 1, f"axis {axis} has one value: {list(plan)}")


def check_orders():
    _, _, plan = plan_of(2, *SIZES[0])
    rounds = [sweep_plan.order_of(plan, NAMES, sweep_plan.round_seed(7, number))
              for number in range(5)]
    again = [sweep_plan.order_of(plan, NAMES, sweep_plan.round_seed(7, number))
             for number in range(5)]
    check(rounds == again, "the same seed, another order")
    check(len({tuple(cell for cell, _ in order) for order in rounds}) == 5, "rounds in one order")
    check(rounds[0] != sweep_plan.order_of(plan, NAMES, sweep_plan.round_seed(8, 0)), "seeds")
    times = collections.Counter(cell for order in rounds for cell, _ in order)
    check(set(times) == set(plan) and set(times.values()) == {5}, f"{times}")
    for order in rounds:
        check(all(sorted(names) == sorted(NAMES) for _, names in order), "a protocol is missing")
    # Of 250 orders of seven names each is first in 36, with a standard deviation of 5.5.
    first = collections.Counter(names[0] for order in rounds for _, names in order)
    count = sum(first.values())
    check(set(first) == set(NAMES) and max(first.values()) < 1.8 * count / 7, f"{first}")


def check_shortened():
    """Runs that are slower than planned are cut alike, and no shorter than the least."""
    _, base, plan = plan_of(2, *SIZES[0])
    runs = [cell for cell in plan for _ in range(3)]

    def all_s(times, pace):
        return sum(sweep_plan.run_s(cell, times[cell], len(NAMES), pace) for cell in runs)

    planned_s = all_s(plan, 1.0)
    check(sweep_plan.shortened(plan, runs, len(NAMES), 1.0, planned_s) == plan, "cut for nothing")
    cut = sweep_plan.shortened(plan, runs, len(NAMES), 1.5, planned_s)
    check(abs(all_s(cut, 1.5) - planned_s) < 0.01 * planned_s, f"{all_s(cut, 1.5)}, {planned_s}")
    check(cut[base].duration_s < plan[base].duration_s, "the base is not cut")
    least = sweep_plan.shortened(plan, runs, len(NAMES), 1.5, 0)
    check(all(least[cell] == sweep_plan.least_times(cell, plan[cell]) and
              least[cell].duration_s >= 11 * sweep_plan.rotation_s(cell) - 1e-6
              for cell in plan),
          "shorter than the least")


def main():
    check_cells()
    plans = 0
    for cpus in 1, 2, 4, 6, 64:
        for seconds, rounds, weights in SIZES:
            for pace in 1.0, 3.0:
                chosen, missing = check_plan(cpus, seconds, rounds, weights, pace)
                check(missing or seconds > 1000, f"{cpus} CPUs, {seconds} s: all {chosen} cells?")
                plans += 1
    check_nearest()
    check_orders()
    check_shortened()
    print(f"{plans} plans")


main()
