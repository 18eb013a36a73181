#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--realtime without CAP_SYS_NICE, or with a slot for every CPU, ends with
status 3 and one line, before anything runs."""
import os
import tempfile

from bench import Bench, check_refused, require


def main():
    require("require_kvm")
    require("require_command", "setpriv", "util-linux")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        one_slot = bench.command(folder, "--realtime", "1", "--vcpus", "2", "--overcommit", "2")
        drop = ["setpriv", "--bounding-set=-sys_nice"] if os.geteuid() == 0 else []
        check_refused(bench.run(drop + one_slot), "no capability", 3, "CAP_SYS_NICE")

        require("require_sys_nice")
        for slots in os.cpu_count(), os.cpu_count() + 1:
            command = bench.command(folder, "--realtime", "1", "--vcpus", str(slots),
                                    "--overcommit", "1")
            check_refused(bench.run(command), f"{slots} slots", 3, f"{slots} slots")


main()
