#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A FIFO in place of a file: as the payload it is refused, as an output it needs a reader
by the start, and one that nobody reads from does not take the first Ctrl-C its effect."""
import os
import select
import signal
import subprocess
import tempfile
import threading
import time

from bench import PATIENCE, Bench, check, check_refused, fail, read_rows, require

OPTIONS = ["--vcpus", "2", "--overcommit", "1", "--protocol", "generation", "--warmup", "0", "-q"]
LIMIT_S = 30 * PATIENCE


def unread(fifo):
    """Its end for reading, which nobody reads."""
    return os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)


def is_full(writer):
    """Not by its bytes: a page of a pipe may be half empty and take no more."""
    return not select.select([], [writer], [], 0)[1]


def wait_until(condition, what, process):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end or process.poll() is not None:
            fail(f"{what}: status {process.poll()}")
        time.sleep(0.01)


def end_of(process, what):
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        fail(f"{what}: the first signal has had no effect within {LIMIT_S} s")
    return process.returncode, out, err


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def refuse_without_reader(bench, out, fifo):
    check_refused(bench.run(bench.command(out, *OPTIONS, fifo)), "payload", 2, f"{fifo}: a FIFO")
    for option in ("--csv", "--json", "--trace"):
        done = bench.run(bench.command(out, *OPTIONS, option, fifo))
        check_refused(done, option, 5, f"{fifo}: a FIFO that nobody reads")
    done = bench.run(bench.command(out, "--host", "--json", fifo))
    check_refused(done, "--host", 5, f"{fifo}: a FIFO that nobody reads")


def read_well(bench, out, fifo):
    """One that is read is as good as a file."""
    got = []

    def read():
        with open(fifo, encoding="ascii") as rows:
            got.append(rows.read())

    holder = unread(fifo)
    reader = threading.Thread(target=read)
    reader.start()
    while not reader.is_alive():
        pass
    done = bench.run(bench.command(out, *OPTIONS, "--duration", "1", "--pace-us", "0", "--csv", fifo))
    os.close(holder)
    reader.join(LIMIT_S)
    check(done.status == 0 and got, f"a reader: status {done.status}, said: {done.err}")
    check(len(read_rows(got[0])) > 0, "no rows")


def stop_unread_rows(bench, out, fifo):
    """Rows until the pipe is full, and more."""
    reader = unread(fifo)
    writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    process = start(bench.command(out, *OPTIONS, "--duration", "600", "--pace-us", "0",
                                  "--trace", fifo))
    wait_until(lambda: is_full(writer), "rows in the FIFO", process)
    csv = os.path.join(out, "flush-latency.csv")
    enough = os.path.getsize(csv) + 2 * select.PIPE_BUF
    wait_until(lambda: os.path.getsize(csv) > enough, "more rows", process)
    process.send_signal(signal.SIGINT)
    status, _, err = end_of(process, "rows")
    check(status == 5 and f"{fifo}: nobody reads it" in err, f"rows: {status}, said: {err}")
    os.close(reader)
    os.close(writer)


def stop_unread_text(bench, out, fifo):
    """A summary that has no room."""
    reader = unread(fifo)
    writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        pass
    process = start(bench.command(out, *OPTIONS, "--flushes", "3", "--json", fifo))
    # The table comes before the summary.
    table = process.stdout.readline()
    check(table != "", "no table")
    process.send_signal(signal.SIGTERM)
    status, _, err = end_of(process, "text")
    check(status == 5 and f"{fifo}: nobody reads it" in err, f"text: {status}, said: {err}")
    os.close(reader)
    os.close(writer)


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        fifo, out = os.path.join(folder, "fifo"), os.path.join(folder, "out")
        os.mkfifo(fifo)
        refuse_without_reader(bench, out, fifo)
        read_well(bench, out, fifo)
        stop_unread_rows(bench, out, fifo)
        stop_unread_text(bench, out, fifo)


main()
