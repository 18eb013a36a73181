#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A command in the emulated Intel machine, which cannot reach this one's files, has those that it
names; what it writes, changes, moves and removes comes back, and so does its exit status. Where
it cannot be written the old file stays whole and the status is 5. SIGINT ends a run in order."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from machine import Machine, check
from bench import check_counts, read_csv, read_summary

# What it needs is named; the working folder's other files stay outside.
SCRIPT = r"""
printf 'to stdout'; printf 'to stderr' >&2
pwd >folder; umask >mask
cat "$1" >copy; echo more >>"$1"; rm "$2"
mkdir -p new/folder && echo new >new/folder/file && mv new/folder/file moved && ln -s moved link
python3 -c 'import json; print(json.dumps([1]))' >python
kill -9 $$
"""


def check_a_command(machine, folder):
    pathlib.Path(folder, "old file").write_text("old\n", encoding="ascii")
    pathlib.Path(folder, "removed").write_text("old\n", encoding="ascii")
    done = machine.inside("sh", "-c", SCRIPT, "sh", "old file", "removed", cwd=folder)
    check(done.out == "to stdout", f"stdout: {done.out!r}, stderr: {done.err!r}")
    check(done.err == "to stderr", f"stderr: {done.err!r}")
    check(done.status == -signal.SIGKILL, f"status {done.status}")
    for name, wanted in (("folder", f"{folder}\n"), ("copy", "old\n"), ("old file", "old\nmore\n"),
                         ("moved", "new\n"), ("link", "new\n"), ("python", "[1]\n")):
        found = pathlib.Path(folder, name).read_text(encoding="utf-8")
        check(found == wanted, f"{name}: {found!r}, not {wanted!r}")
    check(os.path.islink(os.path.join(folder, "link")), "link is no link")
    check(not os.path.exists(os.path.join(folder, "removed")), "removed is still there")


def check_files_of_vmm(machine, folder):
    shutil.copy(os.path.join(machine.build, "guest-payload", "payload"),
                os.path.join(folder, "my payload"))
    done = machine.run([machine.vmm, "--on", machine.host, "--csv", "a b.csv", "--json", "j.json",
                        "--trace", "t.json", "--extra", "hgrm,hist", "--out", "o o", "--vcpus", "2",
                        "--overcommit", "1", "--duration", "0.3", "--protocol", "generation",
                        "my payload"], limit_s=machine.limit_s, cwd=folder)
    check(done.status == 0 and done.err == "", f"status {done.status}: {done.err}")
    found = {str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*")
             if path.is_file()}
    check({"a b.csv", "j.json", "t.json", "o o/generation-stall.hgrm", "o o/stall.hist"} <= found,
          f"files: {found}")
    summary = json.loads(pathlib.Path(folder, "j.json").read_text(encoding="utf-8"))
    check(summary["host"]["below"] == "bochs" and summary["host"]["emulated"], summary["host"])
    json.loads(pathlib.Path(folder, "t.json").read_text(encoding="utf-8"))


def check_a_full_disk(machine, folder):
    """Nobody's files can be longer than 4 KiB: what is there stays."""
    pathlib.Path(folder, "small").write_text("old\n", encoding="ascii")
    command = ["sh", "-c", 'ulimit -S -f 4; exec "$@"', "sh", machine.enter, machine.host, "sh", "-c",
               'ulimit -f unlimited; echo new >small; head -c 100000 /dev/zero >large', "small"]
    done = machine.run(command, limit_s=machine.limit_s, cwd=folder)
    check(done.status == 5 and "large: File too large" in done.err and done.err.count("\n") == 1,
          f"status {done.status}: {done.err!r}")
    check(os.listdir(folder) == ["small"], f"files: {os.listdir(folder)}")
    check(pathlib.Path(folder, "small").read_text(encoding="ascii") == "old\n", "small has changed")


def check_interrupt(machine, folder):
    script = 'echo begins; exec "$0" --vcpus 2 --overcommit 1 --protocol ipi,generation ' \
             '--duration 20 --out out -q'
    with subprocess.Popen([machine.enter, machine.host, "sh", "-c", script, machine.vmm],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          cwd=folder) as run:
        check(run.stdout.readline() == "begins\n", "it did not begin")
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=machine.limit_s)
    check(run.returncode in (0, 128 + signal.SIGINT, -signal.SIGINT),
          f"status {run.returncode}: {out}")
    if run.returncode == 0:
        summary = read_summary(os.path.join(folder, "out"))
        check(summary["interrupted"], "not interrupted")
        check_counts(summary, read_csv(os.path.join(folder, "out")))


def main():
    machine = Machine(kind="intel", keys=",smp=1")
    for check_one in (check_a_command, check_files_of_vmm, check_a_full_disk, check_interrupt):
        with tempfile.TemporaryDirectory(prefix="a folder ") as folder:
            check_one(machine, os.path.realpath(folder))
            print(check_one.__name__, "ok", flush=True)


main()
