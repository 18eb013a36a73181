#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Storms of signals, to the process and to each of its threads. Those that it handles,
ignores or that stop nothing change nothing: every flush has its row, nothing is stale.
Those that nobody handles end it, at once and by their number, and the rows that are in
the CSV by then are whole."""
import concurrent.futures
import contextlib
import os
import random
import signal
import sys
import time

from bench import SAFE, Bench, check, check_order, fail, read_rows, require
from faults import LIMIT_S, Victim, tgkill

# SIGUSR1 is the VMM's own kick; a file that grows too large or a pipe that is closed is
# told by the write.
HARMLESS = [signal.SIGWINCH, signal.SIGURG, signal.SIGCHLD, signal.SIGCONT, signal.SIGUSR1,
            signal.SIGPIPE, signal.SIGXFSZ]
FATAL = [signal.SIGALRM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2, signal.SIGVTALRM,
         signal.SIGPROF, signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGRTMAX, signal.SIGKILL]


def storm(bench, protocol, dice, wanted):
    """As many as go into one run, one after the other without a pause."""
    count = 0
    end = time.monotonic() + LIMIT_S
    with Victim(bench, 60, [protocol], "--vcpus", "4", "--overcommit", "2", "--initiators", "2",
                "--slice-us", "1000") as victim:
        # Before its first thread has a handler, a kick is fatal.
        while not victim.has_rows() and not victim.is_over():
            time.sleep(0.002)
        while not victim.is_over() and count < wanted:
            for thread in [0, victim.process.pid, *victim.threads()]:
                number = dice.choice(HARMLESS)
                if thread == 0:
                    victim.process.send_signal(number)
                    count += 1
                else:
                    count += tgkill(victim.process.pid, thread, number)
            if time.monotonic() > end:
                fail(f"{victim.what}: not over after {LIMIT_S} s")
        victim.check_whole()
    return count


def end_by(bench, number, dice):
    """True when the signal came before the end of the run."""
    with Victim(bench, 300, ["generation"], "--vcpus", "4", "--overcommit", "2", "--pace-us",
                "0") as victim:
        rows_at = dice.randrange(1, 300) * 40
        end = time.monotonic() + LIMIT_S
        while not victim.is_over() and not (victim.csv().exists() and
                                            victim.csv().stat().st_size >= rows_at):
            if time.monotonic() > end:
                fail(f"{victim.what}: not over after {LIMIT_S} s")
            time.sleep(0.0005)
        thread = dice.choice([0, victim.process.pid, *victim.threads()])
        if thread == 0:
            victim.process.send_signal(number)
        else:
            tgkill(victim.process.pid, thread, number)
        _, err = victim.wait()
        check(victim.process.returncode in (0, -number) and err == "",
              f"signal {number}: status {victim.process.returncode}, said: {err}")
        text = victim.csv().read_text(encoding="ascii")
        check_order(read_rows(text) if text else [])
        return victim.process.returncode != 0


def waits_for_room(victim):
    """Does main stand in poll(2), for one descriptor and 100 ms: vmm/base/standard.c?"""
    with open(f"/proc/{victim.process.pid}/syscall", encoding="ascii") as file:
        call = file.read().split()
        return call[:1] == ["7"] and call[2:4] == ["0x1", "0x64"]


def interrupt_the_table(bench, number):
    """The table goes into a pipe that is full, and the signal comes meanwhile."""
    with Victim(bench, 20, ["generation"], "--vcpus", "2") as victim:
        pipe = victim.process.stdout.fileno()
        writer = os.open(f"/proc/{os.getpid()}/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
        filled = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                filled += os.write(writer, b"\n" * 4096)
        os.close(writer)
        end = time.monotonic() + LIMIT_S
        while not waits_for_room(victim):
            check(time.monotonic() < end and not victim.is_over(), f"{victim.what}: no table")
            time.sleep(0.002)
        victim.process.send_signal(number)
        out, err = victim.wait()
        check(victim.process.returncode == 0 and err == "",
              f"signal {number}: status {victim.process.returncode}, said: {err}")
        check("generation" in out[filled:] and out.endswith("\n"),
              f"signal {number}: {out[filled:]}")


def main():
    require("require_kvm")
    bench = Bench()
    seeds = [int(word[7:]) for word in sys.argv if word.startswith("--seed=")]
    seed = seeds[0] if seeds else random.SystemRandom().randrange(1 << 32)
    print(f"--seed={seed}", flush=True)
    dice = random.Random(seed)
    goal = 200_000 if bench.long else 2000
    count = runs = 0
    while count < goal:
        count += storm(bench, SAFE[runs % len(SAFE)], dice, goal - count)
        runs += 1
    print(f"{count} signals in {runs} runs", flush=True)
    for number in [signal.SIGUSR1, signal.SIGINT, signal.SIGTERM, signal.SIGWINCH]:
        for _ in range(50 if bench.long else 1):
            interrupt_the_table(bench, number)
    numbers = FATAL * 20 + [signal.SIGKILL] * 1000 if bench.long else FATAL
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda run: end_by(bench, run[1], random.Random(seed + run[0])),
                             enumerate(numbers)))
    check(sum(ends) > len(ends) // 4, f"only {sum(ends)} of {len(ends)} came before the end")
    print(f"{sum(ends)} of {len(ends)} runs ended by a signal")


main()
