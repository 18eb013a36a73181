#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""README.md is one page; no line of the documentation is too wide; every link leads to a
file or a heading that is there; each page of docs/ is linked from README.md; every protocol
has its row; and docs/usage.md has what --help prints (GOLDEN=write puts it there).

Tables, what stands in fences, and lines with a link in angle brackets may be wider.

Usage: documentation_is_in_shape_test.py VMM BUILD
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md"),
                *ROOT.glob("tests/README.md")])
README_LINES = 150
COLUMNS = 100

LINK = re.compile(r"\]\(([^)\s]+)\)|<(?:img|a)[^>]* (?:src|href)=\"([^\"]+)\"")


def prose(text):
    """@text without what stands in fences: the same lines, those empty."""
    return re.sub(r"^```.*?^```$", lambda found: "\n" * found[0].count("\n"), text,
                  flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """Of its headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def wide_lines(page, text):
    for number, line in enumerate(prose(text).split("\n"), 1):
        if len(line) > COLUMNS and not line.startswith(("|", "<")):
            yield f"{page.relative_to(ROOT)}:{number}: {len(line)} columns"


def links(text):
    return [first or second for first, second in LINK.findall(prose(text))]


def broken_links(page, text):
    for link in links(text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            yield f"{page.relative_to(ROOT)}: no {link}"
        elif anchor and anchor not in anchors(target):
            yield f"{page.relative_to(ROOT)}: no heading {link}"


def rows(page):
    """What stands in backquotes in the first column of a table of @page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {name for cell in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
            for name in re.findall(r"`([\w-]+)", cell)}


def missing_rows():
    def names(path, pattern):
        return re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    protocols = names("include/protocols.def", r'^SD_PROTOCOL\(\w+, +"([a-z0-9-]+)"')
    if len(protocols) < 3:
        yield "protocols.def: what has become of the table?"
    for page in ["README.md", "docs/protocols.md"]:
        yield from (f"{page}: no row of {name}" for name in protocols if name not in rows(page))
    section = (ROOT / "vmm/vmm.1.in").read_text(encoding="utf-8").split(".Sh PROTOCOLS")[1]
    manual = [name for line in re.findall(r"^\.It Cm (.*)", section.split(".Sh")[0], re.MULTILINE)
              for name in line.split(" , ")]
    if sorted(manual) != sorted(protocols):
        yield f"vmm.1.in: protocols {manual}"


def check_help(vmm):
    """The first fence of the page on options."""
    done = subprocess.run([vmm, "--help"], capture_output=True, text=True, check=True)
    # Off where the build is instrumented.
    text = re.sub(r"(seccomp filters: .*)\(off\)", r"\1(on)", done.stdout)
    path = ROOT / "docs/usage.md"
    page = path.read_text(encoding="utf-8")
    before, sign, rest = page.partition("## Options\n")
    fenced = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    if not sign or not fenced.search(rest):
        yield "docs/usage.md: where are the options?"
    elif fenced.search(rest)[1] != text and os.environ.get("GOLDEN") == "write":
        path.write_text(before + sign + fenced.sub(lambda _: f"```\n{text}```", rest, count=1),
                        encoding="utf-8")
    elif fenced.search(rest)[1] != text:
        yield "docs/usage.md: not what --help prints (GOLDEN=write puts it there)"


def main():
    wrong = [*missing_rows(), *check_help(sys.argv[1])]
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        wrong += [*wide_lines(page, text), *broken_links(page, text)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = readme.count("\n")
    if lines > README_LINES:
        wrong.append(f"README.md: {lines} lines, {README_LINES} are one page")
    for page in sorted(ROOT.glob("docs/*.md")):
        if f"docs/{page.name}" not in links(readme):
            wrong.append(f"README.md: no link to docs/{page.name}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(PAGES)} pages; README.md has {lines} lines")


main()
