# SPDX-License-Identifier: MIT
"""machine.py - commands inside an emulated machine, for the tests beside it."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "kvm"))

from bench import SAFE, Bench, check, fail, read_summary, require      # noqa: E402

# A machine that shares its CPUs with many. Bochs takes a minute of CPU time for a short run.
LIMIT_S = 200
LIMITS_S = {"amd": LIMIT_S, "intel": 1800}
GONE_S = 5                      # what is left behind is gone by then


class Machine(Bench):
    """The host amd, or another @kind; with @keys one of another shape."""

    def __init__(self, keys="", kind="amd"):
        super().__init__()
        require(f"require_emulated_{kind}", self.build)
        self.limit_s = LIMITS_S[kind]
        self.enter = os.path.join(self.build, "hosts", "enter")
        self.host = kind + keys

    def inside(self, *command, **more):
        return self.run([self.enter, self.host, *command], limit_s=self.limit_s, **more)

    def measure(self, folder, *options, times=1):
        """A run of vmm there that ends well: what it prints."""
        done = self.run([self.vmm, "--on", self.host, *options, "--out", folder],
                        limit_s=times * self.limit_s)
        check(done.status == 0,
              f"{self.host} {options}: status {done.status}: {done.out}{done.err}")
        return done.out

    def check_controls(self, shape, host, caught, times=1):
        """In a run of @shape on what summary.json calls @host the safe protocols lose
        nothing, and the controls that @caught names are caught."""
        with tempfile.TemporaryDirectory() as folder:
            self.measure(folder, *shape, times=times)
            summary = read_summary(folder)
        check(host.items() <= summary["host"].items(), f"{self.host}: {summary['host']}")
        found = {protocol["name"]: protocol for protocol in summary["protocols"]}
        for name in SAFE:
            check(found[name]["stale"] == 0 and found[name]["checks"] > 0,
                  f"{self.host}: {name}: {found[name]['stale']} stale of {found[name]['checks']}")
        for name in caught:
            check(found[name]["stale"] > 0, f"{self.host}: {name} was not caught")
        print(f"{self.host}: 0 stale of {sum(found[name]['checks'] for name in SAFE)};"
              f" caught: {caught}", flush=True)

    def check_litmus(self, times=1):
        with tempfile.TemporaryDirectory() as folder:
            out = self.measure(folder, "--litmus", times=times)
        check(" as expected, 0 not, 1 " in out, f"litmus: {out}")

    def start_vmm(self, folder, *options, **more):
        command = [*self.command(folder, *options), "--on", self.host]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True, **more)


def write_script(path, text):
    path.write_text("#!/bin/sh\n" + text, encoding="ascii")
    path.chmod(0o755)


def qemu_with(folder, before, after):
    """An environment in which QEMU is started by a script in @folder."""
    name = "qemu-system-x86_64"
    write_script(folder / name, f"{before}exec {shutil.which(name)} \"$@\"{after}\n")
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def as_it_comes(folder, after=""):
    """QEMU without hosts/qemu_mend.c."""
    return qemu_with(folder, "unset LD_PRELOAD\n", after)


def said(err):
    """@err without the one line of a machine that did not boot and was started again."""
    return "".join(line for line in err.splitlines(keepends=True)
                   if not ("no sign of life" in line and line.endswith("starting it again\n")))


def processes_of(session):
    """Processes that name @session, an environment variable's value, as theirs."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and session.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def check_nothing_left(session):
    end = time.monotonic() + GONE_S
    while processes_of(session):
        if time.monotonic() > end:
            fail(f"left behind: {processes_of(session)}")
        time.sleep(0.05)


def emulators_of(session):
    """The QEMU processes among them."""
    return [pid for pid in processes_of(session)
            if pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").startswith("qemu")]


__all__ = ["LIMIT_S", "Machine", "as_it_comes", "check", "check_nothing_left", "emulators_of",
           "fail", "processes_of", "qemu_with", "said", "write_script"]
