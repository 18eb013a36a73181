#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The whole process stopped, one thread of it stopped, main or a vCPU's, or a vCPU's
thread that gets no CPU: the run goes on after it, every flush has its row, nothing is
stale. The moments are random; the seed is printed, --seed=N repeats them."""
import contextlib
import os
import random
import signal
import subprocess
import sys
import time

from bench import SAFE, Bench, check, fail, require
from faults import LIMIT_S, StoppedThread, Victim

STARVED_S = 1


def pause(dice, longest_s):
    """How long the fault lasts; mostly short: it is the moments that count."""
    time.sleep(longest_s * dice.random() ** 4)


def stop_process(victim, dice):
    victim.process.send_signal(signal.SIGSTOP)
    pause(dice, 0.1)
    victim.process.send_signal(signal.SIGCONT)
    return True


def stop_thread(victim, thread, dice):
    with StoppedThread(thread) as stopped:
        pause(dice, 0.1 if stopped.stopped else 0)
        return stopped.stopped


def stop_main(victim, dice):
    return stop_thread(victim, victim.process.pid, dice)


def stop_vcpu(victim, dice):
    threads = victim.threads()
    return bool(threads) and stop_thread(victim, dice.choice(threads), dice)


def two_at_a_time(victim, dice):
    """Of two slots, or of one: they hold each other up."""
    threads = victim.threads()
    if len(threads) < 2:
        return False
    first, second = dice.sample(threads, 2)
    with StoppedThread(first) as one, StoppedThread(second) as other:
        pause(dice, 0.05)
        return one.stopped and other.stopped


FAULTS = [stop_process, stop_main, stop_vcpu, two_at_a_time]


def run_with(bench, fault, protocol, dice, wanted):
    """A run during which @fault happens as often as it can; returns how often it did."""
    count = 0
    end = time.monotonic() + LIMIT_S
    with Victim(bench, 60, [protocol], "--vcpus", "6", "--overcommit", "3", "--initiators",
                str(dice.choice((1, 3))), "--preempt", dice.choice(("slice", "random")),
                "--slice-us", "1000") as victim:
        while not victim.is_over() and count < wanted:
            pause(dice, 0.02)
            count += fault(victim, dice)
            if time.monotonic() > end:
                fail(f"{victim.what}: not over after {LIMIT_S} s")
        victim.check_whole()
    return count


@contextlib.contextmanager
def hog(cpus):
    """Somebody who leaves a thread of SCHED_IDLE nothing of these CPUs."""
    process = subprocess.Popen(["sh", "-c", "while :; do :; done"], stdin=subprocess.DEVNULL)
    try:
        os.sched_setaffinity(process.pid, cpus)
        yield
    finally:
        process.kill()
        process.wait()


def starve(bench, protocol, flushes):
    """One of four vCPUs is left to the mercy of the host's scheduler. False when the run
    was at its end before."""
    with Victim(bench, flushes, [protocol], "--vcpus", "4", "--overcommit", "2",
                "--initiators", "2") as victim:
        while not victim.has_rows() and not victim.is_over():
            time.sleep(0.01)
        threads = victim.threads()
        starved = threads[-1] if len(threads) == 4 else None
        if starved is not None:
            with contextlib.suppress(ProcessLookupError):
                cpus = os.sched_getaffinity(starved)
                os.sched_setscheduler(starved, os.SCHED_IDLE, os.sched_param(0))
                with hog(cpus):
                    time.sleep(STARVED_S)
        victim.check_whole()
    return starved is not None


def main():
    require("require_kvm")
    require("require_ptrace")
    bench = Bench()
    seeds = [int(word[7:]) for word in sys.argv if word.startswith("--seed=")]
    seed = seeds[0] if seeds else random.SystemRandom().randrange(1 << 32)
    print(f"--seed={seed}", flush=True)
    dice = random.Random(seed)
    goal = 1000 if bench.long else 6
    for fault in FAULTS:
        count = runs = 0
        while count < goal:
            count += run_with(bench, fault, SAFE[runs % len(SAFE)], dice, goal - count)
            runs += 1
            check(runs <= goal * 10, f"{fault.__name__}: only {count} in {runs} runs")
        print(f"{fault.__name__}: {count} in {runs} runs", flush=True)
    protocols = SAFE if bench.long else ["generation"]
    for protocol in protocols:
        flushes = 60
        while not starve(bench, protocol, flushes):
            flushes *= 4
            check(flushes < 1 << 20, f"{protocol}: {flushes} flushes were over at once")
    print(f"starved: {len(protocols)} runs")


main()
