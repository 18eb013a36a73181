#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing waits without end for somebody to read: a standard output, a standard error or a
FIFO that is full is given up after a while (3 s in the VMM under AddressSanitizer), or a
second after the first Ctrl-C. Output that was lost is status 5 and a line; what goes
elsewhere is all there, and who reads late has missed nothing."""
import concurrent.futures
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from bench import (PATIENCE, Bench, check, check_counts, fail, read_csv, read_rows, read_summary,
                   require)

OPTIONS = ["--vcpus", "2", "--overcommit", "1", "--protocol", "generation", "--warmup", "0"]
FEW = ["--flushes", "3"]
MANY = ["--duration", "600", "--pace-us", "0"]
LIMIT_S = 30 * PATIENCE
UNREAD = "nobody reads it"


class FullPipe:
    """What nobody reads until it is drained."""

    def __init__(self, fifo=None):
        if fifo is None:
            self.reader, self.writer = os.pipe()
        else:
            os.mkfifo(fifo)
            self.reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            self.writer = os.open(fifo, os.O_WRONLY)
        os.set_blocking(self.writer, False)
        self.junk = 0
        try:
            while True:
                self.junk += os.write(self.writer, bytes(1 << 12))
        except BlockingIOError:
            os.set_blocking(self.writer, True)

    def drain(self):
        """What there is behind the junk, once nobody writes any more."""
        os.close(self.writer)
        with open(self.reader, "rb") as rest:
            return rest.read()[self.junk:].decode("ascii")

    def close(self):
        os.close(self.writer)
        os.close(self.reader)


def impatient(bench, folder, *options):
    return [os.path.join(bench.build, "tests", "sanitized_vmm"), *bench.command(folder)[1:],
            *OPTIONS, *options]


def end_of(process, what):
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        fail(f"{what}: not over after {LIMIT_S} s")
    return process.returncode, out, err


def check_lost(what, status, err, name="standard output"):
    check(status == 5 and err == f"vmm: {name}: {UNREAD}\n", f"{what}: status {status}, said: {err}")


def start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                            text=True)


def give_up_output(bench, folder):
    """The table, and what has no run behind it."""
    for options in FEW, ["--help"]:
        pipe = FullPipe()
        status, _, err = end_of(start(impatient(bench, folder, *options), stdout=pipe.writer),
                                options)
        check_lost(options, status, err)
        pipe.close()
    check_counts(read_summary(folder), read_csv(folder))


def give_up_messages(bench, folder):
    """More lines than a pipe holds; the results are all there."""
    pipe = FullPipe()
    status, out, _ = end_of(start(impatient(bench, folder, bench.payload("logs_too_much")),
                                  stderr=pipe.writer), "messages")
    check(status == 4 and "generation" in out, f"messages: status {status}, {out}")
    read_summary(folder)
    pipe.close()


def give_up_rows(bench, folder):
    fifo = os.path.join(folder, "fifo")
    pipe = FullPipe(fifo)
    status, out, err = end_of(start(impatient(bench, folder, *FEW, "--trace", fifo)), "rows")
    check(status == 5 and re.fullmatch(rf"vmm: {fifo}: {UNREAD}; \d+ rows are lost\n", err)
          and "generation" in out, f"rows: status {status}, said: {err}")
    check_counts(read_summary(folder), read_csv(folder))
    pipe.close()


def hurry(bench, folder):
    """One signal is enough, where what is confined is not sanitized."""
    pipe = FullPipe()
    process = start([*bench.command(folder, *OPTIONS), *MANY], stdout=pipe.writer)
    csv = os.path.join(folder, "flush-latency.csv")
    end = time.monotonic() + LIMIT_S
    while not (os.path.exists(csv) and os.path.getsize(csv) > 500):
        check(time.monotonic() < end and process.poll() is None, "no rows")
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    status, _, err = end_of(process, "a signal")
    check_lost("a signal", status, err)
    check(read_summary(folder)["interrupted"], "not interrupted")
    pipe.close()


def read_late(bench, folder):
    """As a pager does."""
    pipe = FullPipe()
    process = start([*bench.command(folder, *OPTIONS), *FEW], stdout=pipe.writer)
    got = []
    reader = threading.Timer(2, lambda: got.append(pipe.drain()))
    reader.start()
    status, _, err = end_of(process, "a late reader")
    reader.join(LIMIT_S)
    check(status == 0 and err == "" and "generation" in got[0], f"late: {status}, {err}{got}")


def fill_device(bench, folder):
    for option in "--csv", "--json", "--trace":
        done = bench.run(bench.command(folder, *OPTIONS, *FEW, option, "/dev/full"))
        check(done.status == 5 and done.err.count("\n") == 1 and
              "vmm: /dev/full: No space left on device" in done.err,
              f"{option}: status {done.status}, said: {done.err}")
    done = bench.run(["sh", "-c", '"$@" 2>/dev/full', "sh",
                      *bench.command(folder, *OPTIONS, bench.payload("logs_too_much"))])
    check(done.status == 4 and "generation" in done.out, f"2>/dev/full: status {done.status}")
    read_rows("".join(open(os.path.join(folder, "flush-latency.csv"), encoding="ascii")))


CLAIMS = [give_up_output, give_up_messages, give_up_rows, hurry, read_late, fill_device]


def in_a_folder(claim, bench):
    with tempfile.TemporaryDirectory() as folder:
        claim(bench, folder)


def main():
    require("require_kvm")
    bench = Bench()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for claim in [pool.submit(in_a_folder, claim, bench) for claim in CLAIMS]:
            claim.result()


main()
