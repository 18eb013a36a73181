#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On an emulated AMD host the safe protocols lose no flush, with nested paging and
without; the controls are caught where an exit leaves a translation behind; what KVM marks
itself survives a fully preemptible kernel; and the litmus tests show what they show
without nested paging. A quarter of an hour: TCG emulates the machine."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kvm"))
from bench import SAFE, Bench, check, read_summary, require  # noqa: E402

LIMIT_S = 900
SHAPE = ["--vcpus", "8", "--overcommit", "4"]


def svm(work, folder, *options):
    """The status of run_svm.sh, and what it said."""
    done = subprocess.run([HERE / "run_svm.sh", work, *options, "--out", folder],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)
    check(done.returncode != 125, f"{options}: {done.stderr}")
    return done


def protocols(folder, what):
    """By name. The host is what it has to be, and no safe protocol lost a flush."""
    summary = read_summary(folder)
    check(summary["host"]["kvm"] == "svm", f"{what}: host {summary['host']['kvm']}")
    found = {protocol["name"]: protocol for protocol in summary["protocols"]}
    for name in SAFE:
        if name in found:
            check(found[name]["stale"] == 0 and found[name]["checks"] > 0,
                  f"{what}: {name}: {found[name]['stale']} stale of {found[name]['checks']}")
    return found


def check_paging(work, npt):
    what = f"npt={npt}"
    with tempfile.TemporaryDirectory() as folder:
        done = svm(work, folder, "--npt", npt, *SHAPE, "--protocol", "all", "--duration", "3")
        found = protocols(folder, what)
    check(done.returncode == 0, f"{what}: status {done.returncode}: {done.stdout}{done.stderr}")
    caught = ["none"] if npt == "1" else ["none", "skip-preempted"]
    for name in caught:
        check(found[name]["stale"] > 0, f"{what}: {name} was not caught")
    print(f"{what}: 0 stale of {sum(found[name]['checks'] for name in SAFE)}; caught: {caught}")


def check_preempt_full(work):
    """KVM stores over the byte of a vCPU that it schedules out: park settles that first,
    and what is deferred is flushed."""
    what = "preempt=full"
    with tempfile.TemporaryDirectory() as folder:
        done = svm(work, folder, "--kernel-args", "preempt=full", *SHAPE, "--entry-flush", "steal",
                   "--protocol", "deferred,takeover,generation", "--duration", "5")
        found = protocols(folder, what)
    check(done.returncode == 0, f"{what}: status {done.returncode}: {done.stdout}{done.stderr}")
    deferred = sum(p["deferred_per_flush"] * p["flushes"] for p in found.values())
    check(deferred > 100, f"{what}: {deferred:.0f} deferrals")
    marked = sum(p.get("kvm_reported", 0) for p in found.values())
    print(f"{what}: {deferred:.0f} deferrals, KVM marked {marked} times, 0 stale of "
          f"{sum(p['checks'] for p in found.values())}")


def check_litmus(work):
    with tempfile.TemporaryDirectory() as folder:
        done = svm(work, folder, "--npt", "0", "--litmus")
    check(done.returncode == 0, f"litmus: status {done.returncode}: {done.stdout}{done.stderr}")
    last = done.stdout.strip().splitlines()[-1]
    check(" as expected, 0 not, " in last, f"litmus: {last}")
    print(f"litmus: {last}")


def main():
    require("require_emulated_svm")
    work = os.path.join(Bench().build, "svm")
    check_paging(work, "1")
    check_paging(work, "0")
    check_preempt_full(work)
    check_litmus(work)


main()
