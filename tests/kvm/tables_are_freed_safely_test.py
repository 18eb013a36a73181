#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Page tables freed under a lockless walker. After a grace period no safe protocol lets a
walker meet a freed table; freed at once, those that interrupt every target hold the
walker's table, and those that skip preempted ones do not: that is seen in every run when
vCPUs are parked inside the walk, and is a declared hazard, no failure."""
import tempfile

from bench import PATIENCE, SAFE, UNSAFE, Bench, check, read_summary, require

HELD = ["ipi", "sleep", "yield"]
MISSED = [name for name in SAFE if name not in HELD]
# Policy and initiators. A flush waits for a walker because its handler cannot run before
# the walk has ended: parked after the acknowledgement as well, a walker that had taken
# the interrupt too early would go on with tables that are free by then.
SHAPES = [("slice", "3"), ("random", "1"), ("at-step=walk,served", "1"),
          ("at-step=walk,served", "3")]


def run(bench, free, policy, protocols, *options):
    with tempfile.TemporaryDirectory() as folder:
        done = bench.run(bench.command(
            folder, "--workload", "teardown", "--table-free", free, "--preempt", policy,
            "--protocol", ",".join(protocols), "--slice-us", "500", "--pace-us", "0",
            "--duration", "60", "--flushes", "600" if bench.long else "40", *options), limit_s=300)
        check(done.status == 0, f"{free}, {policy}: status {done.status}: {done.err}{done.out}")
        summary = read_summary(folder)
    check(summary["table_free"] == free, f"table_free {summary['table_free']}")
    for protocol in summary["protocols"]:
        what = f"{free}, {policy}, {protocol['name']}"
        check(protocol["walks"] > 0, f"{what}: no walks")
        check(protocol["tables_freed"] > 0, f"{what}: no table was freed")
        check((protocol["graces"] > 0) == (free == "rcu"), f"{what}: {protocol['graces']} graces")
        check((protocol["tables_held_max"] > 0) == (free == "rcu"), f"{what}: tables held")
    return done, summary["protocols"]


def check_no_bad_walk(what, protocols):
    for protocol in protocols:
        check(protocol["bad_walks"] == 0,
              f"{what}: {protocol['name']}: {protocol['bad_walks']} bad walks of "
              f"{protocol['walks']}")


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    for policy, initiators in SHAPES:
        _, protocols = run(bench, "rcu", policy, SAFE, "--initiators", initiators)
        check_no_bad_walk(f"rcu, {policy}", protocols)
        _, protocols = run(bench, "now", policy, HELD, "--initiators", initiators)
        check_no_bad_walk(f"now, {policy}", protocols)
    _, protocols = run(bench, "rcu", "slice", SAFE, "--initiators", "8", "--pages", "64")
    check_no_bad_walk("rcu, all initiate", protocols)
    # What has to be seen takes time: a flush of these waits for nobody.
    done, protocols = run(bench, "now", "at-step=walk", MISSED + UNSAFE, "--flushes", "2000",
                          "--duration", str(0.2 * PATIENCE))
    for protocol in protocols:
        check(protocol["bad_walks"] > 0, f"now: {protocol['name']}: no bad walk was seen")
    check("hazard" in done.out, f"the hazard is not declared: {done.out}")


main()
