#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The models are of the functions as they are now.

Each step of a model names the function it stands for, with a digest of its text
without comments and white space: DIGEST file function digest. A function that
has changed, or a transition of include/ that no model has, is an error.

Usage: steps_are_current_test.py [VMM BUILD]
       steps_are_current_test.py --renew FUNCTION    after a look at the model
"""
import argparse
import hashlib
import re
import sys
from pathlib import Path

MODELS = Path(__file__).resolve().parent
ROOT = MODELS.parent.parent
DIGEST = re.compile(r"\bDIGEST (?P<file>\S+) (?P<function>\w+) (?P<digest>[0-9a-f]+)")
TRANSITIONS = ("include/word.h", "include/range.h", "include/asleep.h", "include/grace.h")


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)


def c_function(text, name):
    """From the line of its name to the brace that closes it."""
    found = re.search(rf"^[a-z][^\n;#]*\b{name}\([^;{{]*\)\s*\{{.*?^\}}", text,
                      re.MULTILINE | re.DOTALL)
    return found and found.group(0)


def assembly_function(text, name):
    """A macro, or from its label to the alignment of what follows."""
    found = re.search(rf"^\s*\.macro\s+{name}\b.*?^\s*\.endm"
                      rf"|^{name}:.*?(?=^\s*\.balign|\Z)", text, re.MULTILINE | re.DOTALL)
    return found and found.group(0)


def digest(file, name):
    """None when there is no such function."""
    text = without_comments((ROOT / file).read_text(encoding="utf-8"))
    find = assembly_function if file.endswith(".S") else c_function
    body = find(text, name)
    return body and hashlib.sha256("".join(body.split()).encode()).hexdigest()[:12]


def transitions():
    """Each transition that there is, and its header."""
    for header in TRANSITIONS:
        text = without_comments((ROOT / header).read_text(encoding="utf-8"))
        for name in re.findall(r"^static inline [^\n;]*\b(sd_\w+)\(", text, re.MULTILINE):
            yield name, header


def claims():
    """Every DIGEST line of every model: its path and its match."""
    return [(path, match) for path in sorted(MODELS.glob("*.pml"))
            for match in DIGEST.finditer(path.read_text(encoding="utf-8"))]


def renew(names):
    for path in sorted(MODELS.glob("*.pml")):
        old = path.read_text(encoding="utf-8")
        new = DIGEST.sub(lambda match: renewed(match, names), old)
        if new != old:
            path.write_text(new, encoding="utf-8")
    return 0


def renewed(match, names):
    if match["function"] not in names:
        return match[0]
    return f"DIGEST {match['file']} {match['function']} {digest(match['file'], match['function'])}"


def check():
    problems = []
    modelled = claims()
    for path, match in modelled:
        file, name = match["file"], match["function"]
        now = digest(file, name)
        if now is None:
            problems.append(f"{path.name} models {name}(), which is no longer in {file}")
        elif now != match["digest"]:
            problems.append(f"{name}() in {file} has changed: does {path.name} still say the same?"
                            f" Then: tests/model/{Path(__file__).name} --renew {name}")
    known = {match["function"] for _, match in modelled}
    problems += [f"no model has {name}() of {header}"
                 for name, header in transitions() if name not in known]
    print("\n".join(problems) or f"{len(modelled)} functions are as their models say")
    return 1 if problems or not modelled else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--renew", action="append", metavar="FUNCTION",
                        help="the model has been looked at and is right")
    parser.add_argument("ignored", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    return renew(arguments.renew) if arguments.renew else check()


if __name__ == "__main__":
    sys.exit(main())
