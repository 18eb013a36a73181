#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On an emulated AMD host the safe protocols lose no flush, with nested paging and
without; the controls are caught where an exit leaves a translation behind; in a fully
preemptible kernel KVM does every flush on entry that was asked for, and loses some when
park does not settle; and the litmus tests show what they show without nested paging.
Six minutes: TCG emulates the machine."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("kvm", "mutants"):
    sys.path.insert(0, str(HERE.parent / folder))
from bench import SAFE, Bench, check, read_summary, require  # noqa: E402
from mutants import TABLE  # noqa: E402
from workshop import ROOT, edited, source_files  # noqa: E402

LIMIT_S = 900
SHAPE = ["--vcpus", "8", "--overcommit", "4"]

# Two processes that wake up all the time: KVM_RUN gets preempted in the few microseconds
# before KVM looks at its byte.
PREEMPTED = ["--kernel-args", "preempt=full svm_wakes_us=200", *SHAPE, "--slice-us", "2000",
             "--pace-us", "0", "--entry-flush", "steal", "--extra", "flushes"]
LOSING_RUNS = 4         # each loses some of a thousand; some lose none


def svm(work, folder, *options, script=HERE / "run_svm.sh"):
    """The status of run_svm.sh, and what it said."""
    done = subprocess.run([script, work, *options, "--out", folder],
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


def check_preempt_full(work, npt):
    """KVM stores over the byte of a vCPU that it schedules out: park settles that first,
    and what was asked for is done. Of what initiators ask for the VMM sees not all."""
    what = f"preempt=full npt={npt}"
    with tempfile.TemporaryDirectory() as folder:
        done = svm(work, folder, "--npt", npt, *PREEMPTED, "--protocol",
                   "deferred,takeover,generation", "--duration", "10")
        found = protocols(folder, what)
    check(done.returncode == 0, f"{what}: status {done.returncode}: {done.stdout}{done.stderr}")
    for name, protocol in found.items():
        asked, flushed = protocol["entry_flushes_asked"], protocol["entry_flushes_done"]
        print(f"{what}: {name}: {asked} flushes on entry asked for, {flushed} done, KVM marked "
              f"{protocol['kvm_reported']} times, 0 stale of {protocol['checks']}")
        check(asked > 100, f"{what}: {name}: {asked} asked for")
        check(flushed == asked if name == "generation" else flushed >= asked,
              f"{what}: {name}: {asked} asked for, {flushed} done")


def without_settling(build, work):
    """The script of a copy of the sources whose parks do not settle, and its folder."""
    source, other = build / "svm-unsettled" / "source", build / "svm-unsettled" / "work"
    mutant = next(m for m in TABLE if m.name == "park_does_not_settle")
    changed = edited(mutant, mutant.bug)
    shutil.rmtree(source, ignore_errors=True)
    for file in source_files():
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, source / file)
    for file, text in changed.items():
        (source / file).write_text(text, encoding="utf-8")
    shutil.copytree(pathlib.Path(work) / "kernel", other / "kernel", dirs_exist_ok=True)
    return source / "tests" / "host-svm" / "run_svm.sh", other


def check_flushes_get_lost(build, work, npt):
    """As above, without what keeps them."""
    what = f"unsettled npt={npt}"
    script, other = without_settling(build, work)
    asked = flushed = 0
    for _ in range(LOSING_RUNS):
        with tempfile.TemporaryDirectory() as folder:
            done = svm(other, folder, "--npt", npt, *PREEMPTED, "--protocol", "generation",
                       "--duration", "30", script=script)
            check(done.returncode in (0, 1), f"{what}: status {done.returncode}: {done.stderr}")
            protocol, = read_summary(folder)["protocols"]
        asked += protocol["entry_flushes_asked"]
        flushed += protocol["entry_flushes_done"]
        print(f"{what}: {asked} flushes on entry asked for, {flushed} done, "
              f"{protocol['stale']} stale of {protocol['checks']}")
        if flushed < asked:
            return
    check(False, f"{what}: {asked} asked for, {flushed} done: none is lost")


def check_litmus(work):
    with tempfile.TemporaryDirectory() as folder:
        done = svm(work, folder, "--npt", "0", "--litmus")
    check(done.returncode == 0, f"litmus: status {done.returncode}: {done.stdout}{done.stderr}")
    last = done.stdout.strip().splitlines()[-1]
    check(" as expected, 0 not, " in last, f"litmus: {last}")
    print(f"litmus: {last}")


def main():
    require("require_emulated_svm")
    build = pathlib.Path(Bench().build)
    work = os.path.join(build, "svm")
    check_paging(work, "1")
    check_paging(work, "0")
    check_preempt_full(work, "1")
    check_preempt_full(work, "0")
    check_flushes_get_lost(build, work, "1")
    check_flushes_get_lost(build, work, "0")
    check_litmus(work)


main()
