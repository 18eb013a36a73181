#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Without a usable /dev/kvm: status 3, one line that names it, and no files.
Each case has a /dev of its own, in a mount namespace."""
import os
import re
import tempfile

from bench import Bench, check, check_refused, private_mounts, require

CASES = {
    "not there": (":", "/dev/kvm: not there ("),
    "forbidden": (": >/dev/kvm; chmod 0 /dev/kvm", "/dev/kvm: Permission denied (its mode"),
    "no KVM": (": >/dev/kvm", "KVM_GET_API_VERSION"),
}
# Devices and other owners are for root alone to make.
ROOT_CASES = {
    "another's": (": >/dev/kvm; chmod 660 /dev/kvm; chown daemon:tape /dev/kvm",
                  "/dev/kvm: Permission denied (it belongs to group tape: usermod -aG tape USER"),
    "no driver": ("mknod /dev/kvm c 10 254; chmod 666 /dev/kvm", "/dev/kvm: No such device ("),
}
# Which module, or who has to allow it: as the CPU is.
ABSENT = "modprobe kvm_(intel|amd)|nested virtualisation|firmware"
# Root may open everything, but not without its capabilities.
SCRIPT = """
mount -t tmpfs none /dev
{}
exec setpriv --bounding-set=-all --inh-caps=-all "$0" "$@"
"""


def main():
    require("require_private_mounts")
    require("require_command", "setpriv", "util-linux")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        cases = {**CASES, **(ROOT_CASES if os.geteuid() == 0 else {})}
        for what, (make, words) in cases.items():
            for options in ["--on", "kvm"], ["--on", "kvm", "--host"]:
                command = [*private_mounts(), "sh", "-euc", SCRIPT.format(make),
                           *bench.command(out, *options)]
                done = bench.run(command)
                check_refused(done, f"{what} {options}", 3, words)
                check(what not in ("not there", "no driver") or re.search(ABSENT, done.err),
                      f"{what}: no remedy: {done.err}")
        check(not os.path.exists(out), "files of a run that never was")


main()
