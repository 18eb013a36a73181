#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The main job, with both ways of flushing on entry: table, CSV and summary agree
with each other, safe protocols are clean and controls are caught."""
import re
import tempfile

from bench import (CONTROLS, SAFE, UNSAFE, Bench, check, check_counts, check_order, check_safe, require)


def check_table(text, verdicts):
    for name, verdict in verdicts.items():
        check(re.search(rf"^{name} .* {verdict}\*?$", text, re.MULTILINE),
              f"no row of {name} that ends in {verdict}:\n{text}")


def expected_verdicts(summary):
    """Where every exit drops all translations, a parked vCPU brings no old one back."""
    verdicts = dict.fromkeys(SAFE, "ok") | dict.fromkeys(UNSAFE, "unsafe")
    verdicts |= dict.fromkeys(CONTROLS, "caught")
    if not summary["exit_keeps_stale"]:
        verdicts["skip-preempted"] = "(caught|hidden)"
    return verdicts


def check_controls(controls, verdicts):
    for control in controls:
        check(not control["safe"], f"{control['name']} is called safe")
        check(control["stale"] > 0 or verdicts[control["name"]] != "caught",
              f"{control['name']}: not caught in {control['checks']} checks")


def check_main_job(bench, way):
    with tempfile.TemporaryDirectory() as folder:
        done, summary, rows = bench.run_clean(
            folder, "--vcpus", "8", "--overcommit", "4", "--protocol", "all",
            "--duration", "60", "--flushes", "100", "--entry-flush", way)
    verdicts = expected_verdicts(summary)
    check_table(done.out, verdicts)
    check(f"entry flush by {way}" in done.out, f"the table does not say {way}:\n{done.out}")
    check([p["name"] for p in summary["protocols"]] == SAFE + UNSAFE + CONTROLS, "wrong list of protocols")
    check((summary["vcpus"], summary["slots"], summary["initiators"]) == (8, 2, 1), "wrong machine")
    check(summary["command"][0] == bench.vmm, f"command: {summary['command']}")
    check((summary["workload"], summary["preempt"], summary["sleepers"], summary["pages"],
           summary["ple_us"], summary["clear_pending"]) == ("toggle", "slice", 0, 1, 0, False),
          "not the defaults")
    check(all(p["rounds"] == 1 for p in summary["protocols"]), "not one round each")
    check(not summary["interrupted"], "interrupted, but by whom?")
    check(all(p["dropped"] == 0 for p in summary["protocols"]), "samples were dropped")
    check_counts(summary, rows)
    check(sum(check_order(rows).values()) == len(rows), "a number is missing in seq")
    check(all(row.targets == 7 and row.initiator == 0 for row in rows), "wrong targets")
    check_safe(summary["protocols"][:len(SAFE)])
    check_controls(summary["protocols"][len(SAFE + UNSAFE):], verdicts)


def main():
    require("require_kvm")
    bench = Bench()
    check_main_job(bench, "steal")
    check_main_job(bench, "sregs")


main()
