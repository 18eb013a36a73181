#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SIGINT or SIGTERM at any moment: status 0, both files valid and in agreement,
`interrupted` set. The moments are random; --seed=N, printed, repeats them."""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

from bench import (PATIENCE, Bench, check, check_counts, check_order, fail, read_csv, read_summary,
                   require)

OPTIONS = ["--vcpus", "4", "--overcommit", "2", "--protocol", "ipi,generation",
           "--duration", "0.2", "--warmup", "0"]
LATEST_S = 0.7                  # a run takes a little less
LIMIT_S = 30 * PATIENCE


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def wait_for_exit(process, delay_s):
    """True when it ended within @delay_s: the moment of the signal, not a synchronisation."""
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def check_interrupted_run(bench, number, delay_s):
    """Returns how it ended: before, interrupted, over."""
    with tempfile.TemporaryDirectory() as folder:
        process = start(bench.command(folder, *OPTIONS))
        over = wait_for_exit(process, delay_s)
        process.send_signal((signal.SIGINT, signal.SIGTERM)[number % 2])
        try:
            _, err = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            fail(f"not over {LIMIT_S} s after the signal")
        status = process.returncode
        if status in (-signal.SIGINT, -signal.SIGTERM) and not os.listdir(folder):
            return "before"     # the program had not got to its first file
        if status < 0 and pathlib.Path(folder, "summary.json").stat().st_size != 0:
            status = 0          # its results were written, and it was about to end
            over = True
        check(status == 0, f"status {status}, said: {err}")
        summary, rows = read_summary(folder), read_csv(folder)
        check_counts(summary, rows)
        check_order(rows)
        check(all(protocol["stale"] == 0 for protocol in summary["protocols"]), "stale loads")
        if over:
            check(not summary["interrupted"], "interrupted after its end")
        return "interrupted" if summary["interrupted"] else "over"


def main():
    require("require_kvm")
    bench = Bench()
    seeds = [word[7:] for word in sys.argv if word.startswith("--seed=")]
    seed = int(seeds[0]) if seeds else random.SystemRandom().randrange(2**32)
    print(f"--seed={seed}", flush=True)
    moments = random.Random(seed)
    ends = []
    for number in range(200 if bench.long else 20):
        delay_s = moments.uniform(0, LATEST_S)
        print(f"{number}: signal after {delay_s:.4f} s: ", end="", flush=True)
        ends.append(check_interrupted_run(bench, number, delay_s))
        print(ends[-1], flush=True)
    check(ends.count("interrupted") > len(ends) // 4, "hardly any run was interrupted")


main()
