#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench.py - every benchmark by its name, for `./run bench`.

    bench/bench.py VMM [NAME] [options]

NAME is one of SCRIPTS, or `shadow`, a program beside VMM; without one it is the sweep.
Each module below has main(words): its options, VMM first.
"""
import importlib
import os
import sys

SCRIPTS = {
    "sweep": "sweep.sweep",             # every safe protocol by shape, with a page
    "page": "report.page",              # that page again, from the folder of a sweep
    "costs": "sweep.costs",             # what the tool itself costs
    "stall_parts": "sweep.stall_parts",     # what a stall is made of
    "soak": "soak.soak",                # flushes by the million
    "churn": "papers.churn",            # ebizzy's shape
    "scale": "papers.scale",            # up to 1024 vCPUs
    "spinning": "papers.spinning",      # what pause-loop exiting helps
    "teardown": "papers.teardown",      # freeing page tables
    "sim": "sim.sim",                   # the model beside the measurement
}


def main(words):
    if not words or words[0].startswith("-"):
        sys.exit("usage: bench.py VMM [NAME] [options]")
    vmm, name, rest = os.path.abspath(words[0]), "sweep", words[1:]
    if rest and not rest[0].startswith("-"):
        name, *rest = rest
    if name == "shadow":
        program = os.path.join(os.path.dirname(vmm), "shadow_cost")
        os.execv(program, [program, *rest])
    if name not in SCRIPTS:
        print(f"bench: {name}: none of {', '.join([*SCRIPTS, 'shadow'])}", file=sys.stderr)
        sys.exit(2)
    try:
        module = importlib.import_module(SCRIPTS[name])
    except ModuleNotFoundError as error:
        print(f"bench: {error}: see the packages in docs/usage.md", file=sys.stderr)
        sys.exit(3)
    module.main([vmm, *rest])


if __name__ == "__main__":
    main(sys.argv[1:])
