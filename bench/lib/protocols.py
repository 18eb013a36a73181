# SPDX-License-Identifier: MIT
"""protocols.py - the protocols by name, from the list that guest and VMM are built from."""
import pathlib
import re

LIST = pathlib.Path(__file__).resolve().parents[2] / "include" / "protocols.def"
KINDS = dict(re.findall(r'^SD_PROTOCOL\(\w+,\s*"([^"]+)",\s*(\w+)',
                        LIST.read_text(encoding="utf-8"), re.MULTILINE))
NAMES = list(KINDS)
SAFE = [name for name, kind in KINDS.items() if kind == "SAFE"]
