#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever the host has too little of, descriptors, address space, threads, timers: the
run ends with one line and status 3 (5 where it is a file of results that cannot be
opened), or, with enough, well."""
import os
import random
import resource
import subprocess
import tempfile

from bench import PATIENCE, Bench, check, check_counts, read_csv, read_summary, require

VCPUS = 6
FLUSHES = 5
OPTIONS = ["--vcpus", str(VCPUS), "--overcommit", "3", "--protocol", "generation", "--flushes",
           str(FLUSHES), "--warmup", "0"]
KIB = 1024
SOMEBODY = 61234                # a user who runs nothing else
AS_SOMEBODY = f'''
mount -t tmpfs none /mnt
mknod /mnt/kvm c 10 232
chmod 666 /mnt/kvm
mount --bind /mnt/kvm /dev/kvm
threads=$1
shift
exec setpriv --reuid {SOMEBODY} --regid {SOMEBODY} --clear-groups --no-new-privs \
	prlimit --nproc="$threads" "$@"
'''


def check_end(what, status, out, err, folder):
    """True when the run went well."""
    if status == 0:
        check(err == "", f"{what}: status 0, said: {err}")
        summary, rows = read_summary(folder), read_csv(folder)
        check_counts(summary, rows)
        check(len(rows) == FLUSHES, f"{what}: {len(rows)} rows")
        check(summary["protocols"][0]["stale"] == 0, f"{what}: stale loads")
        return True
    check(status in (3, 5), f"{what}: status {status}, said: {err}")
    check(err.startswith("vmm: ") and err.count("\n") == 1, f"{what}: not one line: {err!r}")
    check(len(err) < 300, f"{what}: said: {err!r}")
    # A guest that has booted has a table, of what was measured: here nothing.
    check("idle:" in out if out else True, f"{what}: said: {out}")
    return False


def run(bench, what, command, before=None, more=()):
    """True when a run in a folder of its own went well, None when it was not even loaded."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        done = subprocess.run([*command, *bench.command(folder, *OPTIONS, *more)], preexec_fn=before,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120 * PATIENCE, check=False)
        if done.returncode == 127 and "error while loading shared libraries" in done.stderr:
            return None         # not ours yet
        return check_end(what, done.returncode, done.stdout, done.stderr, folder)


def climb(bench, kind, values):
    """From too little to enough; in between the threads' order may decide."""
    ends = []
    for value in values:
        ends.append(run(bench, f"{kind} {value}", [], lambda limit=value: resource.setrlimit(
            getattr(resource, kind), (limit, limit))))
    ended = [end for end in ends if end is not None]
    check(ended and not ended[0] and ended[-1], f"{kind}: {dict(zip(values, ends))}")
    print(f"{kind}: {ended.count(False)} refused, {ended.count(True)} went well", flush=True)


def climb_threads(bench, values, *more):
    """RLIMIT_NPROC does not bind root."""
    ends = [run(bench, f"nproc {value}", ["unshare", "-m", "sh", "-euc", AS_SOMEBODY, "sh",
                                          str(value)], more=more) for value in values]
    check(not ends[0] and ends[-1], f"nproc: {dict(zip(values, ends))}")
    print(f"RLIMIT_NPROC {' '.join(more)}: {ends.count(False)} refused, {ends.count(True)} went well", flush=True)


def find_enough_memory(bench):
    """KiB of address space, by halving: where to look closely."""
    low, high = 0, 1 << 20
    while high - low > 64:
        middle = (low + high) // 2
        limit = middle * KIB
        if run(bench, f"RLIMIT_AS {limit}", [], lambda: resource.setrlimit(
                resource.RLIMIT_AS, (limit, limit))):
            high = middle
        else:
            low = middle
    return high


def main():
    require("require_kvm")
    bench = Bench()
    dice = random.Random(1)
    climb(bench, "RLIMIT_NOFILE", range(3, 3 + VCPUS + 18, 1 if bench.long else 2))
    climb(bench, "RLIMIT_SIGPENDING", [0, 1, VCPUS // 2, 1 << 16])
    enough = find_enough_memory(bench)
    sizes = [dice.randrange(2000, enough - 64) for _ in range(1000 if bench.long else 10)]
    # Just below it are the threads' stacks, their kvm_run pages, and what comes later.
    sizes += range(enough - 2000, enough, 10 if bench.long else 200)
    climb(bench, "RLIMIT_AS", [size * KIB for size in sorted(sizes)] + [(enough + 4096) * KIB])
    if os.geteuid() != 0:
        print("RLIMIT_NPROC: not as another user, this one is not root")
        return
    require("require_private_mounts")
    climb_threads(bench, [*range(1, VCPUS + 3), 200])
    # One more than main and the vCPU is what KVM starts of its own, in the first KVM_RUN.
    climb_threads(bench, [1, 2, 3, 200], "--vcpus", "1", "--overcommit", "1")


main()
