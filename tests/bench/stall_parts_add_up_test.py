#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/sweep/stall_parts.py on timelines made by hand, one flush each, whose parts are known."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
from sweep import stall_parts  # noqa: E402
from lib import traces  # noqa: E402

VCPUS, GUEST = 3, 4                     # pid of a row


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


class Made:
    """A timeline; vCPU 0 flushes, from 1000 ns on."""

    def __init__(self):
        self.events, self.arrows = [], 0

    def slice(self, pid, vcpu, name, start, end, **args):
        self.events.append({"ph": "X", "pid": pid, "tid": vcpu + 1, "name": name,
                            "ts": f"{start / 1000:.3f}", "dur": f"{(end - start) / 1000:.3f}",
                            "args": args})
        return self

    def arrow(self, *ends):
        self.arrows += 1
        for phase, (pid, vcpu, at) in zip("sf", ends):
            self.events.append({"ph": phase, "pid": pid, "tid": vcpu + 1, "id": self.arrows,
                                "ts": f"{at / 1000:.3f}"})
        return self

    def flush(self, end, stall, ipis=0, deferred=0, protocol="any"):
        return self.slice(GUEST, 0, "flush", 1000, end, protocol=protocol, run=0, seq=7,
                          ipis=ipis, deferred=deferred, taken_over=0, stall_ns=stall)

    def request(self, target, start, end, outcome="sent"):
        return self.slice(GUEST, 0, "request", start, end, target=target, outcome=outcome, seq=7)

    def wait(self, target, start, end):
        return self.slice(GUEST, 0, "wait", start, end, target=target, seq=7)

    def off(self, vcpu, start, end, name="parked"):
        return self.slice(VCPUS, vcpu, name, start, end, why="slice")

    def handler(self, vcpu, start, end, asked):
        return self.slice(GUEST, vcpu, "handler", start, end).arrow(
            (GUEST, 0, asked), (GUEST, vcpu, max(start, asked)))

    def transfer(self, vcpu, start, end, asked):
        return self.slice(VCPUS, vcpu, "transfer", start, end).arrow(
            (GUEST, 0, asked), (VCPUS, vcpu, max(start, asked)))

    def asks_vmm(self, vcpu, at, name):
        return self.slice(VCPUS, vcpu, name, at, at, by=0).arrow((VCPUS, 0, at), (VCPUS, vcpu, at))

    def timeline(self):
        return traces.timeline_of(self.events)


# What is asked, and what are post, flight, handler, parked wait and rest.
CASES = {
    "a running target":
        (Made().request(1, 1010, 1030).wait(1, 1200, 1900).handler(1, 1300, 1800, 1010)
         .flush(2000, 1000, ipis=1), [200, 100, 500, 0, 200]),
    "a handler that was under way, and over before the IPIs are out":
        (Made().request(1, 1010, 1030).wait(1, 1200, 1210).handler(1, 990, 1150, 1010)
         .flush(1300, 300, ipis=1), [200, 0, 0, 0, 100]),
    "a handler that begins before the IPIs are out":
        (Made().request(1, 1010, 1030).wait(1, 1200, 1410).handler(1, 1100, 1400, 1010)
         .flush(1500, 500, ipis=1), [200, 0, 200, 0, 100]),
    "an acknowledgement that is seen before its handler's last entry":
        (Made().request(1, 1010, 1030).wait(1, 1200, 1390).handler(1, 1250, 1460, 1010)
         .flush(1400, 400, ipis=1), [200, 50, 140, 0, 10]),
    "a parked target, while the initiator runs and is parked":
        (Made().off(1, 900, 3200).off(0, 1500, 3000).request(1, 1010, 1030).wait(1, 1200, 3340)
         .handler(1, 3250, 3300, 1010).flush(3350, 850, ipis=1), [200, 50, 50, 500, 50]),
    "a target that is parked in its handler":
        (Made().off(1, 1400, 2400).request(1, 1010, 1030).wait(1, 1200, 2600)
         .handler(1, 1300, 2500, 1010).flush(2700, 1700, ipis=1), [200, 100, 200, 1000, 200]),
    "a target that sleeps":
        (Made().off(1, 900, 3200, "asleep").request(1, 1010, 1030).wait(1, 1200, 3340)
         .handler(1, 3200, 3300, 1010).flush(3350, 2350, ipis=1), [200, 0, 100, 2000, 50]),
    "all deferred":
        (Made().off(1, 900, 4000).off(2, 900, 4000).request(1, 1010, 1030, "deferred")
         .request(2, 1030, 1050, "deferred").flush(1400, 400, deferred=2), [50, 0, 0, 0, 350]),
    "one deferred and one that runs":
        (Made().off(1, 900, 4000).request(1, 1010, 1030, "deferred").request(2, 1030, 1050)
         .wait(2, 1200, 1350).handler(2, 1250, 1300, 1030)
         .flush(1400, 400, ipis=1, deferred=1), [200, 50, 50, 0, 100]),
    "taken over by park":
        (Made().off(1, 1500, 4000).request(1, 1010, 1030).wait(1, 1200, 1590)
         .transfer(1, 1500, 1520, 1010).flush(1600, 600, ipis=1), [200, 320, 0, 0, 80]),
    "taken over by the park of a handler":
        (Made().off(1, 1500, 4900).request(1, 1010, 1030).wait(1, 1200, 1590)
         .handler(1, 1300, 5000, 1010).slice(VCPUS, 1, "transfer", 1500, 1520)
         .flush(1600, 600, ipis=1), [200, 120, 200, 0, 80]),
    "taken over by the initiator":
        (Made().off(1, 1500, 4000).request(1, 1010, 1030).wait(1, 1200, 1560)
         .slice(VCPUS, 1, "deferral", 1560, 1560, by=0).arrow((GUEST, 0, 1010), (VCPUS, 1, 1560))
         .flush(1600, 600, ipis=1), [200, 300, 0, 60, 40]),
    "the last of two, which was not waited for last":
        (Made().request(1, 1010, 1030).request(2, 1030, 1050).wait(1, 1200, 1800)
         .wait(2, 1800, 1810).handler(1, 1500, 1700, 1010).handler(2, 1250, 1300, 1030)
         .flush(1900, 900, ipis=2), [200, 300, 200, 0, 200]),
    "one wait for all, in which the initiator sleeps":
        (Made().request(1, 1010, 1030).request(2, 1030, 1050).wait("all", 1200, 2900)
         .off(0, 1300, 2800, "asleep").off(2, 900, 2500).handler(1, 1250, 1280, 1010)
         .handler(2, 2500, 2600, 1030).flush(2950, 450, ipis=2), [200, 0, 0, 100, 150]),
    "an initiator that is parked while it asks":
        (Made().off(0, 1020, 5020).request(1, 1010, 5030).wait(1, 5200, 5210)
         .handler(1, 5100, 5150, 1010).flush(5300, 300, ipis=1), [200, 0, 0, 0, 100]),
    "asked through the VMM":
        (Made().slice(VCPUS, 0, "exit", 1100, 1700, why="flush others")
         .asks_vmm(1, 1300, "deferral").asks_vmm(2, 1350, "kick").flush(2000, 1000),
         [350, 350, 0, 0, 300]),
    "asked through the VMM, and parked after it":
        (Made().slice(VCPUS, 0, "exit", 1100, 1700, why="flush others").off(0, 1700, 9700)
         .asks_vmm(1, 1300, "deferral").asks_vmm(2, 1350, "kick").flush(10000, 1000),
         [350, 350, 0, 0, 300]),
    "a nanosecond too many":
        (Made().request(1, 1010, 1030).wait(1, 1200, 1900).handler(1, 1300, 1800, 1010)
         .flush(2000, 999, ipis=1), [200, 100, 500, 0, 199]),
    "a nanosecond too many, and no rest":
        (Made().request(1, 1010, 1030).wait(1, 1200, 2000).handler(1, 1300, 2000, 1010)
         .flush(2000, 999, ipis=1), [200, 100, 699, 0, 0]),
}

# A piece is missing, or does not fit.
LOST = {
    "no arrow":
        Made().request(1, 1010, 1030).wait(1, 1200, 1900).flush(2000, 1000, ipis=1),
    "no handler where the arrow ends":
        Made().request(1, 1010, 1030).wait(1, 1200, 1900)
        .arrow((GUEST, 0, 1010), (GUEST, 1, 1300)).flush(2000, 1000, ipis=1),
    "fewer requests than the flush made":
        Made().request(1, 1010, 1030).wait(1, 1200, 1900).handler(1, 1300, 1800, 1010)
        .flush(2000, 1000, ipis=2),
    "no wait":
        Made().request(1, 1010, 1030).handler(1, 1300, 1800, 1010).flush(2000, 1000, ipis=1),
    "a park of the initiator that the timeline has not":
        Made().request(1, 1010, 1030).wait(1, 1200, 1900).handler(1, 1300, 1800, 1010)
        .flush(2000, 700, ipis=1),
    "nobody asked": Made().flush(2000, 1000),
}


def check_case(name, made, expected):
    timeline = made.timeline()
    record = stall_parts.Record(timeline)
    check(len(record.flushes) == 1, f"{name}: {len(record.flushes)} flushes")
    parts = stall_parts.parts_of(record, record.flushes[0])
    check(list(parts.values()) == expected, f"{name}: {parts}, not {expected}")
    check(sum(parts.values()) == record.flushes[0].args["stall_ns"], f"{name}: {parts}")


def check_lost(name, made):
    rows, lost = stall_parts.rows_of(made.timeline())
    check(rows == [] and lost == 1, f"{name}: {lost} lost, {rows}")


def check_means():
    """Of two flushes, apart, and of two protocols."""
    first = CASES["a running target"][0].timeline().slices
    whole = Made()
    for number, protocol in enumerate(["ipi", "ipi", "sleep"]):
        at = 10000 * number
        for this in first:
            args = this.args | ({"protocol": protocol} if this.name == "flush" else {})
            whole.slice(this.group, this.index, this.name, at + this.start,
                        at + this.end + (100 if this.name == "flush" and number else 0), **args)
        whole.events[-1]["args"]["stall_ns"] += 100 if number else 0
        whole.arrow((GUEST, 0, at + 1010), (GUEST, 1, at + 1300))
    rows, lost = stall_parts.rows_of(whole.timeline())
    check(lost == 0 and rows == [
        ["ipi", 2, "200.0", "100.0", "500.0", "0.0", "250.0", "1050.0"],
        ["sleep", 1, "200.0", "100.0", "500.0", "0.0", "300.0", "1100.0"],
    ], f"{lost} lost, {rows}")


def main():
    for name, (made, expected) in CASES.items():
        check_case(name, made, expected)
    for name, made in LOST.items():
        check_lost(name, made)
    check_means()
    print(f"{len(CASES)} flushes divided, {len(LOST)} left out")


main()
