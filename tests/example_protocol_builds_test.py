#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The protocol that docs/protocols.md adds as an example: its steps apply to a copy of the
sources, the copy builds, knows the protocol, and where there is KVM its flushes are right.

Usage: example_protocol_builds_test.py VMM BUILD
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "mutants"))

from workshop import ROOT, Workshop, call  # noqa: E402

NAME = "by-word"
FLUSHES = 300
STEP = re.compile(r"^\d\. (?:A new file,|In) `([^`]+)`"
                  r"(?:, (after|before|replace) `([^`]+)`(?: by)?)?:\n\n```\w*\n(.*?)^```",
                  re.DOTALL | re.MULTILINE)


def read_steps():
    """Files and their new text."""
    text = (ROOT / "docs/protocols.md").read_text(encoding="utf-8")
    section = text.split("\n## Adding a protocol\n")[1].split("\n## ")[0]
    files = {}
    for file, how, anchor, block in STEP.findall(section):
        if not how:
            files[file] = block
            continue
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines(keepends=True)
        found = [n for n, line in enumerate(lines) if anchor in line]
        if len(found) != 1:
            sys.exit(f"docs/protocols.md: {file} has {len(found)} lines with {anchor}")
        if how == "replace":
            lines[found[0]] = lines[found[0]].replace(anchor, block.rstrip("\n"))
        else:
            lines.insert(found[0] + (how == "after"), block)
        files[file] = "".join(lines)
    if len(files) != 5:
        sys.exit(f"docs/protocols.md: {len(files)} of 5 steps are understood: {list(files)}")
    return files


def check_runs(vmm):
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [vmm, "--protocol", NAME, "--flushes", str(FLUSHES), "--duration", "20",
             "--slice-us", "2000", "--out", out],
            capture_output=True, text=True, check=False, timeout=100)
        if done.returncode != 0:
            sys.exit(f"{NAME}: status {done.returncode}: {done.stdout}{done.stderr}")
        summary = json.loads(pathlib.Path(out, "summary.json").read_text(encoding="utf-8"))
    protocol = summary["protocols"][0]
    if protocol["stale"] != 0 or protocol["checks"] == 0 or protocol["flushes"] == 0:
        sys.exit(f"{NAME}: {protocol['stale']} stale of {protocol['checks']} loads, "
                 f"{protocol['flushes']} flushes")
    if protocol["deferred_per_flush"] == 0:
        sys.exit(f"{NAME} defers nobody")
    print(f"{protocol['flushes']} flushes, {protocol['deferred_per_flush']:.1f} deferred in each")


def main():
    build = pathlib.Path(sys.argv[2]).resolve()
    workshop = Workshop(build, sys.argv[1])
    workshop.source, workshop.build = build / "example" / "source", build / "example" / "build"
    workshop.prepare()
    for file, text in read_steps().items():
        workshop.write(pathlib.Path(file), text.encode())
    call("ninja", "-C", workshop.build, "vmm")
    vmm = workshop.build / "vmm"
    listed = subprocess.run([vmm, "--list-protocols"], capture_output=True, text=True, check=True)
    if not re.search(rf"^{NAME} +safe$", listed.stdout, re.MULTILINE):
        sys.exit(f"{NAME} is not listed: {listed.stdout}")
    if f".It Cm {NAME}\n" not in (workshop.source / "vmm/vmm.1.in").read_text(encoding="utf-8"):
        sys.exit(f"{NAME} is not in the manual")
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        check_runs(vmm)
    else:
        print(f"{NAME} was built, and not run: no /dev/kvm")


main()
