#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A wrong command line ends with status 2 and one line that says what is wrong.
Needs no /dev/kvm: the command line is looked at first."""
from bench import CONTROLS, SAFE, STEPS, UNSAFE, Bench, check_refused

CASES = [
    (["--bogus"], "--bogus"),
    (["--bogus=1"], "--bogus"),
    (["-x"], "-x"),
    (["--vcpus"], "--vcpus"),
    (["--vcpus", ""], "--vcpus"),
    (["--vcpus", "0"], "1 to 1024"),
    (["--vcpus", "1025"], "1 to 1024"),
    (["--vcpus", "-1"], "--vcpus -1"),
    (["--vcpus", "8x"], "--vcpus 8x"),
    (["--vcpus", "99999999999999999999"], "--vcpus"),
    (["--vcpus", "8", "--overcommit", "9"], "1 to 8"),
    (["--overcommit", "0"], "--overcommit 0"),
    (["--vcpus", "2", "--initiators", "3"], "1 to 2"),
    (["--initiators", "65"], "--initiators 65"),
    (["--protocol", "ipi,nonesuch"], ", ".join(SAFE + UNSAFE + CONTROLS)),
    (["--protocol", "ipi,,ipi"], "empty"),
    (["--entry-flush", "maybe"], "auto, steal or sregs"),
    (["--sleepers", "8"], "--sleepers 8: must be 0 to 7"),
    (["--sleepers", "1024"], "0 to 1023"),
    (["--initiators", "4", "--sleepers", "5"], "0 to 4"),
    (["--workload", "churn", "--sleepers", "8"], "0 to 7"),
    (["--workload", "ebizzy"], "toggle, churn or teardown"),
    (["--workload", "teardown", "--vcpus", "256"], "1 to 255 with --workload teardown"),
    (["--workload", "teardown", "--flush-ceiling", "33"], "must be 0"),
    (["--table-free", "later"], "--table-free later: must be rcu or now"),
    (["--table-free"], "needs a value"),
    (["--pages", "0"], "1 to 64"),
    (["--pages", "65"], "1 to 64"),
    (["--vcpus", "64", "--initiators", "64", "--pages", "32"], "1 to 31 with 64 initiators"),
    (["--vcpus", "99", "--workload", "churn", "--pages", "32"], "1 to 31 with 64 initiators"),
    (["--flush-ceiling", "64"], "0 to 63"),
    (["--ple", "1000001"], "0 to 1000000"),
    (["--clear-pending=yes"], "takes no value"),
    (["--preempt", "never"], "slice, random, at-step or host"),
    (["--preempt", "random=read"], "slice, random, at-step or host"),
    (["--preempt", "at-step=read,sent"], "sent: unknown; one of " + ", ".join(STEPS)),
    (["--preempt", "at-step="], "empty"),
    (["--preempt", "at-step=read,,served"], "empty"),
    (["--fail-over", "generation:stall.p99"], "must be as generation:stall.p99=200us"),
    (["--fail-over", "mine:stall.p99=1us"], "unknown protocol"),
    (["--fail-over", "ipi:mine.p99=1us"], "unknown time"),
    (["--fail-over", "ipi:stall.p1=1us"], "unknown quantile"),
    (["--fail-over", "ipi:stall.p99=1"], "must be a time"),
    (["--fail-over", "none:stall.p99=1us"], "none is not measured"),
    (["--preempt", "host", "--realtime", "1"], "not with --preempt host"),
    (["--litmus=nonesuch"], "nonesuch: unknown; one of two-initiators, park-in-handler, "),
    (["--litmus=two-initiators/"], "unknown"),
    (["--litmus", "two-initiators"], "a name goes behind '='"),
    (["--duration", "0"], "--duration 0"),
    (["--duration", "nan"], "--duration nan"),
    (["--slice-us", "49"], "--slice-us 49"),
    (["--cpus", "3-1"], "--cpus 3-1"),
    (["--realtime", "100"], "--realtime 100"),
    (["--seed", "0xg"], "--seed 0xg"),
    (["--quiet=yes"], "takes no value"),
    (["one", "two"], "only one PAYLOAD"),
    ([""], "PAYLOAD"),
    (["--protocol", "a\nvmm: b"], "unknown"),
]


def main():
    bench = Bench()
    for options, words in CASES:
        check_refused(bench.run([bench.vmm, *options]), options, 2, words)


main()
