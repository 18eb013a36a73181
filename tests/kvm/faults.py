# SPDX-License-Identifier: MIT
"""faults.py - a vmm to which things happen, for the faults_* tests beside it.

Counts are checked, never times: however long a fault lasts, every flush of the quota has
its row, nothing is stale, and the run ends by itself.
"""
import ctypes
import os
import pathlib
import subprocess
import tempfile

from bench import check, check_counts, check_order, check_safe, fail, read_csv, read_summary

LIMIT_S = 300                   # of a run, beside other work: only a hang takes so long
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WAIT_ALL = 0x40000000           # __WALL: threads too

libc = ctypes.CDLL(None, use_errno=True)


def tgkill(process, thread, number):
    """False when the thread is gone."""
    return libc.tgkill(process, thread, number) == 0


def ptrace(request, thread):
    return libc.ptrace(ctypes.c_long(request), ctypes.c_long(thread), None, None) == 0


class StoppedThread:
    """One thread that does not run meanwhile, whatever the others do; by ptrace(2)."""

    def __init__(self, thread):
        self.thread = thread
        self.stopped = False

    def __enter__(self):
        if ptrace(PTRACE_SEIZE, self.thread):
            # Of one that has just ended it is the end that is waited for.
            ptrace(PTRACE_INTERRUPT, self.thread)
            _, status = os.waitpid(self.thread, WAIT_ALL)
            self.stopped = os.WIFSTOPPED(status)
        return self

    def __exit__(self, *_):
        if self.stopped:
            ptrace(PTRACE_DETACH, self.thread)


class Victim:
    """A vmm on its way to @flushes flushes of each of @protocols."""

    def __init__(self, bench, flushes, protocols, *options, env=None):
        self.folder = tempfile.TemporaryDirectory()
        self.flushes = flushes
        self.protocols = protocols
        self.what = f"{','.join(protocols)} {' '.join(options)}"
        self.process = subprocess.Popen(
            bench.command(self.folder.name, "--protocol", ",".join(protocols), "--flushes",
                          str(flushes), "--warmup", "0.01", *options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()

    def is_over(self):
        return self.process.poll() is not None

    def csv(self):
        return pathlib.Path(self.folder.name, "flush-latency.csv")

    def has_rows(self):
        """It records: all threads are there, with their handlers."""
        return self.csv().exists() and self.csv().stat().st_size > 200

    def threads(self):
        """Of the vCPUs; the kernel's own, of io_uring, have another name."""
        found = []
        for folder in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*"):
            try:
                name = (folder / "comm").read_text(encoding="ascii").strip()
            except OSError:
                continue
            if name == "vmm" and int(folder.name) != self.process.pid:
                found.append(int(folder.name))
        return sorted(found)

    def wait(self):
        try:
            return self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            fail(f"{self.what}: not over after {LIMIT_S} s")

    def check_whole(self):
        """The end of a run to which nothing has happened."""
        _, err = self.wait()
        check(self.process.returncode == 0 and err == "",
              f"{self.what}: status {self.process.returncode}, said: {err}")
        summary, rows = read_summary(self.folder.name), read_csv(self.folder.name)
        check_counts(summary, rows)
        check_safe(summary["protocols"])
        check([protocol["name"] for protocol in summary["protocols"]] == self.protocols,
              f"{self.what}: {summary['protocols']}")
        for protocol in summary["protocols"]:
            check(protocol["flushes"] == self.flushes and protocol["dropped"] == 0,
                  f"{self.what}: {protocol['name']}: {protocol['flushes']} flushes")
        numbers = sum(check_order(rows).values())
        check(numbers == len(rows), f"{self.what}: {numbers} numbers, {len(rows)} rows")
        check(not summary["interrupted"], f"{self.what}: interrupted")
        return summary
