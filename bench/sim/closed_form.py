# SPDX-License-Identifier: MIT
"""closed_form.py - how long a flush takes, from slots and slices alone.

S slots with K vCPUs each, slices of T that end on a grid, slot j's grid jT/S later than
slot 0's; handlers, IPIs and switches cost nothing. All times are integers of one unit.

A flush that begins u after the last grid point of its own slot, 0 <= u < T:

`ipi`. An initiator that spins keeps its slot for T - u, is away for the K-1 slices of
those who share it, and sees what they have done when it is back: K T - u after the
beginning. Nobody elsewhere is later: on another slot whoever runs serves at once, and the
last of the K-1 others gets it after what is left of that slice, at most T, and K-2 more
slices, at most (K-1) T <= K T - u. So

    wall = K T - u    (K >= 2; 0 for K = 1),    parked (K-1) T,    stall = T - u

What u is depends on who flushes. A flush ends at a grid point, when its initiator is
back. One that pauses for P by the clock and then stores its PTEs for p begins the next at

    u = (x + p) mod T,   x = P mod K T if that is less than T (it pauses on its slot), else 0
        (the pause ends while it is off its slot, and it begins when it is back)

so every flush is the same, one a rotation: this is the bench's. One that works for a
random time even in [0, n T) of run time begins anywhere: u is even in [0, T), wall even in
((K-1) T, K T], with median and mean (K - 1/2) T.

`sleep`. The initiator leaves its slot at once. There the first of the K-1 others begins at
u, until e = T if u < T/2, else 2T (half a slice to one and a half), and the last of them
at e + (K-3) T if K >= 3. On slot j the last begins r_j + (K-2) T after the beginning, r_j
in (0, T] being what is left of the slice there. Whoever is last, at W, wakes the
initiator, which goes to the head of its queue and gets its slot at the next grid point at
which that is passed on, after W and not before e:

    wall = min { n T : n T > W, n T >= e } - u,  W = max(u + max_j r_j + (K-2) T, own)

There is none for `yield`: in which order targets are found off their slot decides when the
slot is first given away, and before or after T/2 makes a slice of difference. For the
protocols that wait for running targets only it is the sum of the parts of one flush, as
long as no slice ends within it (undisturbed()).
"""


def begins_at(slice_, k, pace, pte=0):
    """u of every flush of an initiator whose last flush ended at a grid point."""
    pause = pace % (k * slice_)
    return ((pause if pause < slice_ else 0) + pte) % slice_


def ipi_wall(slice_, k, begin):
    return k * slice_ - begin if k > 1 else 0


def ipi_wall_median(slice_, k):
    """Of flushes that begin anywhere in a slice; the mean as well."""
    return (2 * k - 1) * slice_ / 2 if k > 1 else 0


def sleep_wall(slots, slice_, k, begin):
    if k == 1:
        return 0
    first_ends = slice_ if begin < slice_ // 2 else 2 * slice_
    last = begin if k == 2 else first_ends + (k - 3) * slice_
    for slot in range(1, slots):
        left = (slice_ * slot // slots - begin - 1) % slice_ + 1
        last = max(last, begin + left + (k - 2) * slice_)
    end = max(first_ends, (last // slice_ + 1) * slice_)
    return end - begin


def undisturbed(costs, targets, running):
    """A flush that posts to @targets, interrupts @running of them, and meets no end of a
    slice: what `deferred`, `generation` and `takeover` take most of the time."""
    local = costs["gate"] // 2 + costs["flush"]
    remote = costs["deliver"] + 2 * (costs["handler"] // 2) + costs["flush"]
    return (targets * costs["post"] + costs["gate"] // 2 + running * costs["send"] +
            (max(local, remote) if running else local))
