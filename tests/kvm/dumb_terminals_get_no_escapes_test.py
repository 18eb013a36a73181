#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A terminal that does not say it knows escape sequences gets none: TERM is dumb, or not set."""
import os
import pty
import subprocess
import tempfile
import threading

from bench import Bench, check, require

RUNS = ["--protocol", "generation", "--duration", "0.5"], ["--litmus=mask-bit"]


def said(command, term):
    """What @command writes to a terminal as its stderr."""
    environment = {key: value for key, value in os.environ.items() if key != "TERM"}
    if term is not None:
        environment["TERM"] = term
    ours, theirs = pty.openpty()
    words = []

    def read():
        try:
            while chunk := os.read(ours, 4096):
                words.append(chunk)
        except OSError:
            pass                # the other end is closed

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=theirs, timeout=120, check=False)
    os.close(theirs)
    reader.join()
    os.close(ours)
    check(done.returncode == 0, f"{command}, TERM {term}: status {done.returncode}: {words}")
    return b"".join(words)


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        for options in RUNS:
            command = bench.command(folder, "--on", "kvm", *options)
            check(b"\x1b[" in said(command, "xterm"), f"{options}: no progress on a terminal")
            for term in "dumb", "", None:
                words = said(command, term)
                check(words == b"", f"{options}, TERM {term!r}: {words!r}")


main()
