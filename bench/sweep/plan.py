# SPDX-License-Identifier: MIT
"""plan.py - which cells a sweep measures, for how long, and in which order.

A cell is a number of slots, of vCPUs, of initiators, and a slice; one run of vmm measures
every protocol in it, one after the other. The base cell is what the others differ from. The
cells nearest to the base come first, until a round is full: those that differ in one thing,
one of each axis in turn; then in two and so on, the cheapest first. So whatever the time,
axes are there before corners. Each round goes through all cells.

How long a cell takes is known but for what vmm needs to boot the vCPUs and to begin and
end each protocol. That is a guess for a quiet host, times a factor, the pace, which is
measured as the sweep goes.

Pure: no file, no clock. Tested: tests/bench/sweep_plan_keeps_its_budget_test.py
"""
import collections
import math
import random

from lib import runs

Cell = collections.namedtuple("Cell", "slots vcpus initiators slice_us")
# What one run is given: seconds of each protocol that count, and before them.
Times = collections.namedtuple("Times", "duration_s warmup_s")

BASE = Cell(slots=2, vcpus=8, initiators=1, slice_us=2000)
AXES = {"vcpus": [2, 4, 8, 16, 32, 64, 128], "initiators": [1, 2, 8],
        "slice_us": [500, 2000, 5000]}

# The least that is measured of a protocol in a run. `ipi` flushes once a rotation.
LEAST_S = 0.1
LEAST_ROTATIONS = 11
LONGEST_S = 60
# The base cell, and its neighbours on each axis, are what most plots are of: they are given
# so many times the least.
Weights = collections.namedtuple("Weights", "base neighbour")
FULL = Weights(10, 3)
QUICK = Weights(9, 1)

# What a run takes besides, on a quiet host: boot, then at each protocol's begin and end.
START_S = 0.06
START_VCPU_S = 0.001
PROTOCOL_S = 0.02
PROTOCOL_ROTATIONS = 2

# Of the time for measuring, what a plan leaves for runs that take longer than it thinks.
MARGIN = 0.1


def slots_axis(cpus):
    """1 to @cpus; from five on the powers of two, and all."""
    if cpus <= 4:
        return list(range(1, cpus + 1))
    return sorted({cpus} | {1 << power for power in range(cpus.bit_length())})


def axes_of(cpus, given):
    """The values of each axis, by name: those @given, sorted, or the defaults."""
    axes = {"slots": slots_axis(cpus)} | AXES | given
    return {name: sorted(set(axes[name])) for name in Cell._fields}


def overcommit(cell):
    return runs.overcommit(cell.vcpus, cell.slots)


def is_possible(cell):
    """Whether vmm, which is given vCPUs and overcommit, comes to these slots."""
    return (cell.initiators <= cell.vcpus and cell.slots <= cell.vcpus and
            -(-cell.vcpus // overcommit(cell)) == cell.slots)


def base_of(axes):
    """The value nearest to the usual one on each axis."""
    return Cell(*(min(axes[name], key=lambda value, usual=usual: (abs(value - usual), value))
                  for name, usual in zip(Cell._fields, BASE)))


def cells_of(axes):
    return [cell for cell in (Cell(slots, vcpus, initiators, slice_us)
                              for slots in axes["slots"] for vcpus in axes["vcpus"]
                              for initiators in axes["initiators"]
                              for slice_us in axes["slice_us"]) if is_possible(cell)]


def rotation_s(cell):
    """Until every vCPU had its slot once."""
    return overcommit(cell) * cell.slice_us / 1e6


def distance(cell, base):
    return sum(a != b for a, b in zip(cell, base))


def overhead_s(cell, protocols):
    """Of one run of so many protocols, on a quiet host; times are not in it."""
    return (START_S + START_VCPU_S * cell.vcpus +
            protocols * (PROTOCOL_S + PROTOCOL_ROTATIONS * rotation_s(cell)))


def run_s(cell, times, protocols, pace):
    """What one run is expected to take."""
    return protocols * sum(times) + pace * overhead_s(cell, protocols)


def whole_ms(seconds):
    """No less than @seconds."""
    return math.ceil(seconds * 1000 - 1e-6) / 1000


def times_of(cell, base, weights, stretch=1.0):
    weight = dict(enumerate(weights)).get(distance(cell, base), 1)
    duration = max(min(LEAST_S * weight * stretch, LONGEST_S),
                   LEAST_ROTATIONS * rotation_s(cell))
    return Times(whole_ms(duration), whole_ms(max(0.01, rotation_s(cell))))


def least_times(cell, times):
    """No run is cut shorter than this."""
    least_s = whole_ms(max(LEAST_S, LEAST_ROTATIONS * rotation_s(cell)))
    return Times(min(times.duration_s, least_s), times.warmup_s)


def round_s(plan, protocols, pace):
    return sum(run_s(cell, times, protocols, pace) for cell, times in plan.items())


def order_of_choice(cells, base, cost_of):
    """Nearest to the base first, then the cheapest; neighbours by axes in turn."""
    turns, ranked = collections.Counter(), []
    for cell in sorted(cells, key=lambda cell: (cost_of(cell), cell)):
        differs = tuple(a != b for a, b in zip(cell, base))
        ranked.append((sum(differs), turns[differs], cost_of(cell), cell))
        turns[differs] += sum(differs) == 1
    return [cell for *_, cell in sorted(ranked)]


def choose(cells, base, weights, protocols, pace, budget_s):
    """{cell: times} of as many of @cells as fit, the base in any case."""
    def cost_of(cell):
        return run_s(cell, times_of(cell, base, weights), protocols, pace)

    chosen, spent_s = {}, 0.0
    for cell in order_of_choice(cells, base, cost_of):
        if not chosen or spent_s + cost_of(cell) <= budget_s:
            chosen[cell] = times_of(cell, base, weights)
            spent_s += cost_of(cell)
    return chosen


def make(axes, base, weights, protocols, rounds, budget_s, pace=1.0):
    """{cell: times} of one round of @rounds that are to fit into @budget_s seconds.

    @protocols is how many there are. Cells that are chosen and leave time get more of it.
    """
    budget_s *= (1 - MARGIN) / rounds
    chosen = choose(cells_of(axes), base, weights, protocols, pace, budget_s)
    low, high = 1.0, LONGEST_S / LEAST_S
    for _ in range(40):
        middle = (low + high) / 2
        plan = {cell: times_of(cell, base, weights, middle) for cell in chosen}
        low, high = (middle, high) if round_s(plan, protocols, pace) <= budget_s else (low, middle)
    return {cell: times_of(cell, base, weights, low) for cell in chosen}


def shortened(plan, cells, protocols, pace, left_s):
    """{cell: times} by which a run of each of @cells, some more than once, fits into @left_s s.

    One share for all, of what the times of @plan are above the least.
    """
    least = {cell: least_times(cell, times) for cell, times in plan.items()}
    full_s = sum(run_s(cell, plan[cell], protocols, pace) for cell in cells)
    least_s = sum(run_s(cell, least[cell], protocols, pace) for cell in cells)
    if full_s <= left_s:
        return plan
    share = max(0.0, (left_s - least_s) / (full_s - least_s)) if full_s > least_s else 0.0
    return {cell: Times(whole_ms(least[cell].duration_s + share *
                                 (times.duration_s - least[cell].duration_s)), times.warmup_s)
            for cell, times in plan.items()}


def round_seed(seed, number):
    """Of everything random in round @number."""
    return random.Random(f"{seed} {number}").getrandbits(31)


def order_of(plan, protocols, seed):
    """One round: the cells in the order in which they are run, and the names @protocols of
    each in theirs, drawn from that round's @seed."""
    dice = random.Random(seed)
    cells = sorted(plan)
    dice.shuffle(cells)
    return [(cell, dice.sample(protocols, len(protocols))) for cell in cells]
