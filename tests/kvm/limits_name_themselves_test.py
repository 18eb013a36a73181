#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What this process may not have is named for what it is, in one line: the limit of
descriptors with the number that is enough, and which call of io_uring's was refused by whom."""
import ctypes
import errno
import re
import resource
import struct
import tempfile
import time

from bench import Bench, check, require

SETUP, ENTER, REGISTER = 425, 426, 427          # arch/x86/entry/syscalls/syscall_64.tbl
VCPUS = 40
OPTIONS = ["--vcpus", str(VCPUS), "--overcommit", "20", "--protocol", "generation", "--flushes", "2",
           "--warmup", "0"]
libc = ctypes.CDLL(None, use_errno=True)


def refuse(call, error):
    """Under a seccomp filter that answers @call with @error, as containers have one."""
    def install():
        # Load the number; the one that is meant fails, all others pass (linux/filter.h).
        code = b"".join(struct.pack("HBBI", *line) for line in [
            (0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, 0x00050000 | error),
            (0x06, 0, 0, 0x7fff0000)])
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buffer))
        assert libc.prctl(38, 1, 0, 0, 0) == 0          # PR_SET_NO_NEW_PRIVS
        assert libc.prctl(22, 2, program, 0, 0) == 0    # PR_SET_SECCOMP
    return install


def run(bench, options, before):
    with tempfile.TemporaryDirectory() as folder:
        return bench.run(bench.command(folder, "--on", "kvm", *options), preexec_fn=before)


def check_refused(what, done, words):
    check(done.status == 3 and done.err.count("\n") == 1 and re.search(words, done.err),
          f"{what}: status {done.status}, said: {done.err}")


def check_descriptors(bench):
    def limited(soft, hard):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    done = run(bench, OPTIONS, limited(20, 20))
    check_refused("few descriptors", done, r"RLIMIT_NOFILE is 20, \d+ are enough")
    enough = int(re.search(r"(\d+) are enough", done.err).group(1))
    check(VCPUS < enough < VCPUS + 100, f"{VCPUS} vCPUs take {enough} descriptors?")
    # As many as it says, and no more; and where only the soft limit is in the way.
    for soft, hard in (enough, enough), (20, enough), (20, 4096):
        done = run(bench, OPTIONS, limited(soft, hard))
        check(done.status == 0 and done.err == "",
              f"limits {soft} and {hard}: status {done.status}, said: {done.err}")


def check_io_uring(bench):
    for call, name in (SETUP, "io_uring_setup"), (REGISTER, "io_uring_register"), \
            (ENTER, "io_uring_enter"):
        for error in errno.EPERM, errno.ENOSYS:
            began = time.monotonic()
            done = run(bench, OPTIONS, refuse(call, error))
            check_refused(f"{name} ends with {error}", done, f"^vmm: {name}: .*seccomp filter")
            check(time.monotonic() - began < 30, f"{name} ends with {error}: too late")


def main():
    require("require_kvm")
    bench = Bench()
    check_descriptors(bench)
    check_io_uring(bench)


main()
