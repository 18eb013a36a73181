# SPDX-License-Identifier: MIT
"""count_results.py - the last lines of a test run, for run_tests: why tests were skipped,
how many ran where, and `N passed, M failed, K skipped`."""
import collections

# kind: passed, failed or skipped. said: what the test printed.
Result = collections.namedtuple("Result", ["name", "where", "kind", "said"])


def reason(result):
    """The line that tests/require.sh has printed."""
    lines = result.said.splitlines()
    return next((line for line in lines if line.startswith("SKIP")), "SKIP: no reason given")


def counts(results):
    kinds = collections.Counter(result.kind for result in results)
    return ", ".join(f"{kinds[kind]} {kind}" for kind in ("passed", "failed", "skipped"))


def print_counts(names, results):
    """@results, an iterable, of the tests @names. One without a result was not run, and
    counts as failed. Returns the exit status: 1 when a test failed or there is none."""
    results = list(results)
    missing = set(names) - {result.name for result in results}
    results += [Result(name, "not run", "failed", "") for name in sorted(missing)]
    for result in results:
        if result.kind == "skipped":
            print(f"{result.name}: {reason(result)}")
    failed = [result.name for result in results if result.kind == "failed"]
    if failed:
        print(f"failed: {' '.join(failed)}")
    for where in dict.fromkeys(result.where for result in results):
        print(f"{where}: {counts(r for r in results if r.where == where)}")
    print(counts(results), flush=True)
    return 0 if results and not failed else 1
