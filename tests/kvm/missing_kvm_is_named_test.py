#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Without a usable /dev/kvm: status 3, one line that names it, and no files.
Each case has a /dev of its own, in a mount namespace."""
import os
import tempfile

from bench import Bench, check, check_refused, private_mounts, require

CASES = {
    "not there": (":", "/dev/kvm: not there"),
    "forbidden": (": >/dev/kvm; chmod 0 /dev/kvm", "/dev/kvm: Permission denied"),
    "no KVM": (": >/dev/kvm", "KVM_GET_API_VERSION"),
}
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
        for what, (make, words) in CASES.items():
            for options in ["--on", "kvm"], ["--on", "kvm", "--host"]:
                command = [*private_mounts(), "sh", "-euc", SCRIPT.format(make),
                           *bench.command(out, *options)]
                check_refused(bench.run(command), f"{what} {options}", 3, words)
        check(not os.path.exists(out), "files of a run that never was")


main()
