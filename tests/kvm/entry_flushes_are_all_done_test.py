#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every flush on entry that was asked for in KVM's byte is done, by the count of KVM's own
tracepoint; without tracefs that is one line and status 3."""
import pathlib
import subprocess
import sys
import tempfile

from bench import PATIENCE, Bench, check, private_mounts, read_summary, require

# The VMM alone asks for the flush there, and in the byte of a vCPU that is about to run:
# what initiators ask for in the moment between is done, and missed by the first count.
EXACT = ["generation"]
AT_LEAST = ["deferred", "takeover"]

TRACEPOINT = "/sys/kernel/tracing/events/kvm/kvm_pv_tlb_flush/id"

# In a mount namespace, so that nothing is left mounted.
MOUNTED = [*private_mounts(), "sh", "-c", f"""
    [ -e {TRACEPOINT} ] || mount -t tracefs none /sys/kernel/tracing
    exec "$@" """, "sh"]
HIDDEN = [*private_mounts(), "sh", "-c", 'mount -t tmpfs none /sys/kernel && exec "$@"', "sh"]


def run(bench, prefix, folder, *options):
    return subprocess.run([*prefix, bench.vmm, "--vcpus", "8", "--overcommit", "4", "--quiet",
                           "--extra", "flushes", "--entry-flush", "steal", "--out", folder,
                           *options], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=100 * PATIENCE, check=False)


def require_tracepoint():
    tried = subprocess.run([*MOUNTED, "test", "-r", TRACEPOINT], capture_output=True, check=False)
    if tried.returncode != 0:
        print("SKIP: this user may not mount tracefs, or it has no tracepoint of KVM")
        sys.exit(77)


def main():
    bench = Bench()
    require("require_kvm")
    require("require_private_mounts")
    require_tracepoint()
    with tempfile.TemporaryDirectory() as folder:
        done = run(bench, MOUNTED, folder, "--protocol", ",".join(EXACT + AT_LEAST), "--repeat",
                   "2", "--flushes", "1000", "--duration", "30", "--slice-us", "500")
        check(done.returncode == 0, f"status {done.returncode}: {done.stderr}")
        check("flushes on entry: " in done.stdout, f"not said: {done.stdout}")
        for protocol in read_summary(folder)["protocols"]:
            name, asked = protocol["name"], protocol["entry_flushes_asked"]
            flushed = protocol["entry_flushes_done"]
            print(f"{name}: {asked} asked for, {flushed} done")
            check(asked > 100, f"{name}: {asked} asked for")
            check(flushed == asked if name in EXACT else flushed >= asked,
                  f"{name}: {asked} asked for, {flushed} done")
    with tempfile.TemporaryDirectory() as folder:
        done = run(bench, HIDDEN, folder)
        check(done.returncode == 3 and done.stderr.count("\n") == 1
              and done.stderr.startswith("vmm: --extra flushes: "),
              f"no tracefs: status {done.returncode}: {done.stderr}")


main()
