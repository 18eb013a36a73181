#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several initiators under every safe protocol: no stale load, and each flushes its
share of --flushes exactly; --repeat goes round the protocols."""
import collections
import tempfile

from bench import SAFE, Bench, check, check_counts, check_order, check_safe, require


def run(bench, *options):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, rows = bench.run_clean(folder, "--vcpus", "8", "--overcommit", "4", *options)
    check_safe(summary["protocols"])
    check_counts(summary, rows)
    check_order(rows)
    return summary, rows


def flushes_by_initiator(rows, protocol):
    return collections.Counter(row.initiator for row in rows if row.protocol == protocol)


def check_shares(bench, initiators, flushes):
    summary, rows = run(bench, "--initiators", str(initiators), "--flushes", str(flushes))
    check(summary["initiators"] == initiators, "wrong number of initiators")
    for protocol in SAFE:
        counts = flushes_by_initiator(rows, protocol)
        shares = {i: flushes // initiators + (i < flushes % initiators) for i in range(initiators)}
        check(counts == shares, f"{protocol}: flushes by initiator {dict(counts)}")


def check_rounds(bench):
    _, rows = run(bench, "--protocol", "generation,takeover", "--repeat", "3", "--flushes", "50")
    rounds = list(dict.fromkeys((row.run, row.protocol) for row in rows))
    check(rounds == [(number, name) for number in range(3) for name in ("generation", "takeover")],
          f"order of the rounds: {rounds}")
    check(len(rows) == 3 * 2 * 50, f"{len(rows)} rows")


def main():
    require("require_kvm")
    bench = Bench()
    check_shares(bench, 2, 2000 if bench.long else 60)
    check_shares(bench, 8, 2003 if bench.long else 83)
    _, rows = run(bench, "--initiators", "3", "--flushes", "1000", "--protocol", "generation")
    check(len(rows) == 1000, f"{len(rows)} rows")
    check_rounds(bench)


main()
