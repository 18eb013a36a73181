#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The host's wall clock leaps by years at every reading (tests/preload/stepping_clock.c):
every flush has its row, nothing is stale, runs that end by time end, and only the two
dates of the summary know of it."""
import datetime
import os

from bench import SAFE, Bench, check, require
from faults import Victim


def year(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).year


def main():
    require("require_kvm")
    bench = Bench()
    preload = os.path.join(bench.build, "tests", "stepping_clock.so")
    now = datetime.datetime.now().year
    runs = 0
    for number in range(1000 if bench.long else 7):
        protocol = SAFE[number % len(SAFE)]
        # One vCPU sleeps, the others pass the slots on: every clock there is, is in use.
        with Victim(bench, 10, [protocol], "--vcpus", "5", "--overcommit", "3", "--sleepers", "1",
                    "--ple", "50", "--duration", "300", env={"LD_PRELOAD": preload}) as victim:
            summary = victim.check_whole()
        years = [year(summary[key]) for key in ("started", "ended")]
        check(all(abs(found - now) >= 9 for found in years), f"the clock did not leap: {years}")
        runs += 1
    print(f"{runs} runs")


main()
