#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every function that docs/architecture.md and docs/protocols.md name is in the file that
they name with it, every file is there, and the picture of the folders is of these sources.

Usage: architecture_is_what_it_says_test.py VMM BUILD
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = ["docs/architecture.md", "docs/protocols.md"]

# `file`, `function()`, `function()`
STEP = re.compile(r"`([\w./-]+\.[chS])`((?:,\s+`\w+\(\)`)+)")
# A function of a file: `function()` of `file`.
OF = re.compile(r"`(\w+)\(\)`\s+of\s+`([\w./-]+\.[chS])`")
FILE = re.compile(r"`((?:include|guest-payload|vmm|hosts|tests|bench|docs)/[\w./-]+\.\w+)`")


def functions(text):
    for file, names in STEP.findall(text):
        yield from ((file, name) for name in re.findall(r"\w+(?=\(\))", names))
    yield from ((file, name) for name, file in OF.findall(text))


def main():
    wrong, count = [], 0
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        # What the reader is to write is not there yet.
        files = {file for file in FILE.findall(text) if not re.search("by_word|NAME", file)}
        wrong += [f"{page}: no {file}" for file in sorted(files) if not (ROOT / file).exists()]
        for file, name in functions(text):
            count += 1
            path = ROOT / file
            source = path.read_text(encoding="utf-8") if path.exists() else ""
            if not re.search(rf"^[\w].*\b{name}\(", source, re.MULTILINE):
                wrong.append(f"{page}: {file} has no {name}()")
    picture = subprocess.run([ROOT / "docs/pictures/draw_folders.py", "--check"],
                             stderr=subprocess.PIPE, text=True, check=False)
    if picture.returncode != 0:
        wrong.append(picture.stderr.strip())
    if wrong or count < 20:
        sys.exit("\n".join(wrong) or f"{count} functions: where are they?")
    print(f"{count} functions are where they are said to be")


main()
