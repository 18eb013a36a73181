#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A command in an emulated machine has the files, folder, words, limits and outputs that it has
here, and its exit status comes back; so does every file of vmm, where it was asked for."""
import json
import os
import pathlib
import shutil
import tempfile

from machine import Machine, check, said

# Everything of one boot: it writes what it sees, and that is compared with here.
SCRIPT = r"""
printf 'to stdout'; printf 'to stderr' >&2
printf '%s\n' "$0" "$@" >words
pwd >folder; umask >mask; printf %s "$VARIABLE" >variable; ulimit -n >files
echo more >>old; echo no >/dev/full && exit 1
mkdir -p new/folder && echo new >new/folder/file && mv new/folder/file moved
kill -9 $$
"""
WORDS = ["a b", "", "c\nd", "\u00e9*'\""]


def check_a_command(machine, folder):
    pathlib.Path(folder, "old").write_text("old\n", encoding="ascii")
    done = machine.inside("sh", "-c", SCRIPT, *WORDS, cwd=folder,
                          env={**os.environ, "VARIABLE": "=\n1"})
    check(done.out == "to stdout", f"stdout: {done.out!r}, stderr: {done.err!r}")
    check(said(done.err).startswith("to stderr"), f"stderr: {done.err!r}")
    check(done.status == -9, f"ended by SIGKILL, enter by {done.status}: {done.err}")

    def has(name, wanted):
        found = pathlib.Path(folder, name).read_text(encoding="utf-8")
        check(found == wanted, f"{name}: {found!r}, not {wanted!r}")
    has("words", "".join(f"{word}\n" for word in WORDS))
    has("folder", f"{folder}\n")
    has("variable", "=\n1")
    has("old", "old\nmore\n")
    has("moved", "new\n")
    here = machine.run(["sh", "-c", "umask; ulimit -n"]).out.split()
    has("mask", f"{here[0]}\n")
    has("files", f"{here[1]}\n")


def check_files_of_vmm(machine, folder):
    shutil.copy(os.path.join(machine.build, "guest-payload", "payload"),
                os.path.join(folder, "my payload"))
    command = [machine.vmm, "--on", "amd", "--csv", "a b.csv", "--json", "j.json", "--trace",
               "t.json", "--extra", "hgrm,hist", "--out", "o o", "--duration", "0.5",
               "--protocol", "generation", "--vcpus", "2", "--overcommit", "2", "my payload"]
    done = machine.run(command, limit_s=200, cwd=folder)
    check(done.status == 0 and said(done.err) == "", f"status {done.status}: {done.err}")
    found = {str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*")
             if path.is_file()}
    check({"a b.csv", "j.json", "t.json", "o o/generation-stall.hgrm", "o o/stall.hist"} <= found,
          f"files: {found}")
    summary = json.loads(pathlib.Path(folder, "j.json").read_text(encoding="utf-8"))
    check(summary["host"]["below"] == "tcg" and summary["host"]["emulated"], summary["host"])
    check("generation" in done.out, f"no table: {done.out}")
    json.loads(pathlib.Path(folder, "t.json").read_text(encoding="utf-8"))


def check_refusals(machine):
    """At once, and nothing boots: the limit is far below a boot."""
    for options, status, words in (
            (["--on", "amd", "--slice-us", "1"], 2, "must be 50"),
            (["--on", "amd,npt=2"], 2, "npt=2: must be 0 to 1"),
            (["--on", "amd", "/nowhere/payload"], 2, "No such file"),
            (["--on", "vax"], 2, "no such host")):
        done = machine.run([machine.vmm, *options], limit_s=2)
        check(done.status == status and words in done.err and done.err.count("\n") == 1,
              f"{options}: status {done.status}, said {done.err!r}")
    done = machine.run([machine.vmm, "--on", "amd"], limit_s=10,
                       env={**os.environ, "SHOOTDOWN_KERNEL": "/nowhere"})
    check(done.status == 3 and "SHOOTDOWN_KERNEL" in done.err and done.err.count("\n") == 1,
          f"no kernel: status {done.status}, said {done.err!r}")


def main():
    machine = Machine()
    check_refusals(machine)
    with tempfile.TemporaryDirectory(prefix="a folder ") as folder:
        check_a_command(machine, os.path.realpath(folder))
    with tempfile.TemporaryDirectory() as folder:
        check_files_of_vmm(machine, folder)


main()
