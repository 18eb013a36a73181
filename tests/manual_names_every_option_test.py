#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""vmm(1) has every option of vmm/option_table.c and every protocol of
include/protocols.def, and no other.

Usage: manual_names_every_option_test.py VMM BUILD
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def found(path, pattern):
    return re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def compare(what, wanted, manual):
    if len(wanted) < 3:
        sys.exit(f"FAIL: {len(wanted)} {what} in the sources: what has become of the table?")
    for name in sorted(set(wanted) ^ set(manual)):
        print(f"{what}: {name} is {'not in the manual' if name in wanted else 'only there'}")
    return set(wanted) != set(manual) or len(manual) != len(set(manual))


def main():
    options = found("vmm/option_table.c",
                    r'^\t\{ (?:NUMBER|VALUE|NAME|TEXT|FLAG|ACTION)\("([a-z-]+)"')
    protocols = found("include/protocols.def", r'^SD_PROTOCOL\(\w+, +"([a-z0-9-]+)"')
    manual = (ROOT / "vmm/vmm.1").read_text(encoding="utf-8")
    section = manual.split(".Sh PROTOCOLS")[1].split(".Sh")[0]
    wrong = compare("option", options,
                    found("vmm/vmm.1", r"^\.It (?:Fl [a-z] , )?Fl Fl ([a-z-]+)"))
    wrong |= compare("protocol", protocols,
                     [name for line in re.findall(r"^\.It Cm (.*)", section, re.MULTILINE)
                      for name in line.split(" , ")])
    if wrong:
        sys.exit("FAIL")
    print(f"{len(options)} options, {len(protocols)} protocols")


main()
