#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""With its filters vmm does whatever it does without: every kind of run ends as it
should, and says no more. While it runs, each of its threads has one filter, no
capability and no way to one. (--host: host_measures_every_primitive.)"""
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from bench import (PATIENCE, Bench, check, check_counts, check_order, fail, read_csv, read_summary,
                   require)

LIMIT_S = 20 * PATIENCE
SHORT = ["--confine", "on", "--flushes", "20", "--warmup", "0", "--slice-us", "500", "--protocol",
         "sleep,deferred,generation,hypercall"]
RUNS = [
    ["--protocol", "all"],
    ["--preempt", "random"],
    ["--preempt", "at-step"],
    ["--preempt", "host"],
    ["--ple", "50", "--clear-pending"],
    ["--sleepers", "3"],
    ["--sleepers", "7", "--overcommit", "8"],
    ["--workload", "churn"],
    ["--workload", "teardown", "--preempt", "at-step"],
    ["--workload", "teardown", "--table-free", "now"],
    ["--initiators", "4", "--pages", "8", "--flush-ceiling", "33"],
    ["--entry-flush", "sregs"],
    ["--vcpus", "1"],
    ["--vcpus", "40", "--overcommit", "20"],
    ["--repeat", "3", "--protocol", "generation"],
    ["--reclaim", "2000"],
    ["--reclaim", "2000", "--shadow-reclaim", "rcu"],
    ["--reclaim", "2000", "--shadow-reclaim", "counter", "--workload", "churn"],
    ["--trace", "{folder}/trace.json", "--preempt", "at-step"],
    ["--trace", "{folder}/trace.json", "--reclaim", "2000"],
    ["--break-over", "1000000000", "--extra", "exits,hgrm,hist"],
    ["--break-over", "1", "--trace", "{folder}/trace.json", "--protocol", "generation"],
    ["--break-over", "1", "--protocol", "hypercall"],
    ["--print", "sleep:wall.max", "--fail-over", "deferred:stall.max=1000s"],
]
STATUS = {"Seccomp": "2", "Seccomp_filters": "1", "NoNewPrivs": "1", "CapEff": "0" * 16,
          "CapPrm": "0" * 16, "CapInh": "0" * 16}


def check_runs(bench, folder):
    for line in RUNS:
        options = [word.format(folder=folder) for word in line]
        done = bench.run(bench.command(folder, *SHORT, *options))
        # A busy host can leave a control without anything to catch: 1, and says why.
        control = "all" in options and done.status == 1
        check(done.status == 0 or control, f"{options}: {done.status}, said: {done.err}")
        check("forbidden" not in done.err, f"{options}: said: {done.err}")
        summary = read_summary(folder)
        check(summary["confine"] == "on", f"{options}: confine {summary['confine']}")
        check_counts(summary, read_csv(folder))
        for protocol in summary["protocols"]:
            check(protocol["stale"] == 0 or not protocol["safe"], f"{options}: {protocol}")
    print(f"{len(RUNS)} runs")


def field(status, name):
    return status.split(f"\n{name}:\t", 1)[1].split("\n", 1)[0]


def check_threads(pid, vcpus):
    """Every thread of the process, the ring's workers too."""
    tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    check(len(tasks) > vcpus, f"{len(tasks)} threads for {vcpus} vCPUs")
    for task in tasks:
        status = (task / "status").read_text(encoding="ascii")
        for name, value in STATUS.items():
            check(field(status, name) == value, f"{task}: {name} is {field(status, name)}")
    return len(tasks)


def wait_for_rows(csv):
    end = time.monotonic() + LIMIT_S
    while not csv.exists() or csv.stat().st_size < 1000:
        if time.monotonic() > end:
            fail(f"no row after {LIMIT_S} s")
        time.sleep(0.01)


def check_interrupted(bench, folder):
    """In the middle: look at the threads, stop and continue, SIGINT."""
    csv = pathlib.Path(folder, "flush-latency.csv")
    csv.unlink(missing_ok=True)
    command = bench.command(folder, "--duration", "60", "--confine", "on", "--protocol",
                            "generation", "--sleepers", "2")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    try:
        wait_for_rows(csv)
        print(f"{check_threads(process.pid, 8)} threads")
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        fail(f"not over {LIMIT_S} s after SIGINT")
    finally:
        process.kill()
    check(process.returncode == 0 and err == "", f"status {process.returncode}, said: {err}")
    check(read_summary(folder)["interrupted"], "not interrupted")
    check_order(read_csv(folder))


def main():
    require("require_kvm")
    bench = Bench()
    require("require_confined", bench.vmm)
    with tempfile.TemporaryDirectory() as folder:
        check_runs(bench, folder)
        check_interrupted(bench, folder)


main()
