#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What vmm writes follows bench/schema/, whatever it is asked for, and every key of a summary
is described there."""
import json
import pathlib
import sys
import tempfile

from bench import Bench, check, require

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench"))
from lib import results  # noqa: E402

SHORT = ["--vcpus", "4", "--overcommit", "2", "--flushes", "3", "--duration", "5", "--warmup",
         "0", "--quiet"]
RUNS = {
    "all protocols": ["--protocol", "all", "--repeat", "2"],
    "random": ["--preempt", "random", "--protocol", "generation", "--seed", str(2**64 - 1)],
    "at-step": ["--preempt", "at-step=read,walk", "--protocol", "generation"],
    "host": ["--preempt", "host", "--protocol", "deferred"],
    "churn": ["--workload", "churn", "--protocol", "takeover", "--pages", "40"],
    "teardown": ["--workload", "teardown", "--protocol", "generation", "--table-free", "rcu"],
    "reclaim": ["--reclaim", "100", "--protocol", "ipi", "--confine", "log"],
    "trace": ["--trace", "OUT/trace.json", "--protocol", "yield", "--ple", "100"],
    "break": ["--break-over", "1", "--protocol", "ipi", "--fail-over", "ipi:stall.p50=1s"],
    "no flush": ["--protocol", "ipi", "--duration", "0.01", "--slice-us", "200000"],
}


def read(path, schema):
    try:
        return results.read_json(path, schema)
    except (results.Unusable, FileNotFoundError) as error:
        sys.exit(f"FAIL: {error}")


def known(schema, reference):
    """The keys that it describes."""
    for word in filter(None, reference.split("/")):
        schema = schema[word]
    return set(schema["properties"])


def check_described(what, summary, schema):
    kinds = [(summary, ""), (summary["host"], "$defs/host")]
    kinds += [(protocol, "$defs/protocol") for protocol in summary["protocols"]]
    for found, reference in kinds:
        more = set(found) - known(schema, reference)
        check(not more, f"{what}: {', '.join(sorted(more))}: not in summary.json's {reference}")


def main():
    require("require_kvm")
    bench = Bench()
    schema = json.loads((results.SCHEMAS / "summary.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as out:
        for what, options in RUNS.items():
            options = [word.replace("OUT", out) for word in options]
            done = bench.run(bench.command(out, *SHORT, *options), limit_s=100)
            check(done.status in (0, 6), f"{what}: status {done.status}: {done.err}")
            summary = read(pathlib.Path(out, "summary.json"), "summary")
            check_described(what, summary, schema)
            host = {*results.HOST_KIND, *results.HOST, *results.HOST_CHANGES}
            check(set(summary["host"]) == host,
                  f"compare does not know of {set(summary['host']) ^ host}")


main()
