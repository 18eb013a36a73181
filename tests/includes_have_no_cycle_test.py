#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No header of the VMM includes itself by way of others; no more do modules, a .c file and its
header taken as one, nor folders.

Usage: includes_have_no_cycle_test.py VMM BUILD
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "docs/pictures"))
from includes import ROOT, folder_edges, folder_of, read_includes  # noqa: E402

SIDE = {"include", "hosts", "vmm"}


def reached(start, edges):
    seen, work = set(), list(edges.get(start, ()))
    while work:
        node = work.pop()
        if node not in seen:
            seen.add(node)
            work += edges.get(node, ())
    return seen


def cycles(pairs):
    """Groups of nodes that all reach each other, each sorted."""
    edges = {}
    for a, b in pairs:
        if a != b:
            edges.setdefault(a, set()).add(b)
    reach = {node: reached(node, edges) for node in edges}
    return sorted({tuple(sorted(other for other in ways if node in reach.get(other, ())))
                   for node, ways in reach.items() if node in ways})


def module_of(path):
    return str(path.relative_to(ROOT).with_suffix(""))


def main():
    # The test's own claim first: it can find one.
    assert cycles([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]) == [("a", "b", "c")]
    includes = [(a, b) for a, b in read_includes()
                if {folder_of(a).split("/")[0], folder_of(b).split("/")[0]} <= SIDE]
    levels = {
        "headers": [(module_of(a), module_of(b)) for a, b in includes
                    if a.suffix == b.suffix == ".h"],
        "modules": [(module_of(a), module_of(b)) for a, b in includes],
        "folders": folder_edges(includes)[1],
    }
    found = [f"{level} include each other: {', '.join(cycle)}"
             for level, pairs in levels.items() for cycle in cycles(pairs)]
    if found or len(includes) < 400:
        sys.exit("\n".join(found) or f"only {len(includes)} includes: where are they?")
    print(f"{len(includes)} includes, no cycle")


main()
