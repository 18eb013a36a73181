# SPDX-License-Identifier: MIT
"""includes.py - which file of the sources includes which other: for the picture of the folders,
and for the test that finds cycles."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Folders of vmm/ stand for themselves, those of the others with them.
TOP = ["include", "guest-payload", "hosts", "vmm", "bench"]
SUFFIXES = {".c", ".h", ".S", ".def"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def folder_of(path):
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2]) if parts[0] == "vmm" and len(parts) > 2 else parts[0]


def read_includes():
    """Pairs of files, the first one including the second. Of headers of one name the one in
    the same folder is meant, else the one of the same side."""
    sources = [path for top in TOP for path in (ROOT / top).rglob("*")
               if path.suffix in SUFFIXES]
    named = {}
    for path in sources:
        named.setdefault(path.name, []).append(path)
    for path in sources:
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            found = named.get(pathlib.PurePath(name).name, [])
            near = [other for other in found if folder_of(other) == folder_of(path)]
            side = [other for other in found if "guest-payload" not in other.parts]
            if near or side or found:
                yield path, (near or side or found)[0]


def folder_edges(includes):
    """Folders, and pairs of them, the first one including headers of the second."""
    edges = {(folder_of(path) + "/", folder_of(to) + "/") for path, to in includes}
    return {node for edge in edges for node in edge}, {(a, b) for a, b in edges if a != b}
