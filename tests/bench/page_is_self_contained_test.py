#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page of a sweep loads nothing, has every protocol and cell in it, says what its data
say and not the opposite, takes nothing from them as markup, and says what is missing.

Usage: page_is_self_contained_test.py VMM BUILD
"""
import csv
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
BENCH = HERE.parents[2] / "bench"
sys.path[:0] = [str(BENCH), str(HERE.parent)]
from lib import protocols as protocol_list  # noqa: E402
from report import page  # noqa: E402
from report import plots  # noqa: E402
from report import prediction  # noqa: E402
from sim import sim  # noqa: E402
import sweep_data  # noqa: E402
from report import folder as sweep_folder  # noqa: E402

SIM = pathlib.Path(sys.argv[2]) / "bench" / "sim"
PICTURES = ["stall-distribution", "wall-distribution", "stall-overcommit", "rate-overcommit",
            "stall-vcpus", "stall-parts", "slot-switch", "prediction"]
EMPTY = {"meta", "br", "hr"}
LOADS = {"script", "link", "img", "iframe", "object", "embed", "audio", "video", "base", "image",
         "foreignobject"}
FILES = ["flush-latency.csv", "summary.csv", "sweep.json", "summary.json", "host.json",
         "parts.csv", "costs.csv", "switch.hist"]
LONG_S = 3600                           # nothing here depends on how fast the model is
HOSTILE = "<script>x</script>'\"&`touch pwned`; system('touch pwned')"


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


class Reader(html.parser.HTMLParser):
    """What is in a page: balance of its tags, ids, references, words, rows of its tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.tags = [], [], [], set()
        self.words, self.rows, self.cell, self.svgs = [], [], None, {}
        self.feed(text)
        self.close()
        check(not self.open, f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.begin(tag, attrs)
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.begin(tag, attrs)

    def begin(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            check(not name.startswith("on"), f"{tag} {name}={value}")
            check(name not in ("src", "srcset", "action"), f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(value)
                if tag == "figure":
                    self.figure = value
            if name.endswith("href"):
                check(value.startswith("#"), f"{tag} {name}={value}")
                self.references.append(value[1:])
            for url in re.findall(r"url\(([^)]*)\)", value or ""):
                check(url.startswith("#"), f"{tag} {name}={value}")
                self.references.append(url[1:])
        if tag == "svg" and "figure" in self.open:
            self.svgs[self.figure] = 0
        if tag in ("path", "use") and self.svgs:
            self.svgs[list(self.svgs)[-1]] += 1
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        check(self.open and self.open[-1] == tag, f"</{tag}> in {self.open}")
        self.open.pop()
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            check("url(" not in data and "@import" not in data, "the style loads something")
            return
        self.words.append(data)
        if self.cell is not None:
            self.cell += data

    def text(self):
        return " ".join("".join(self.words).split())


def make(path, program=SIM):
    """The whole way, pictures and model as well."""
    made = page.make(path, program)
    check(made == path / "index.html", made)
    return made.read_text(encoding="utf-8")


def text_of(path):
    """The words of a page, without its pictures and model: quicker."""
    folder = sweep_folder.Folder(path)
    plots.pictures(folder)
    return Reader(page.text_of(folder, prediction.Prediction(), [])).text()


def check_loads_nothing(text, reader, pictures):
    check(not reader.tags & LOADS, reader.tags & LOADS)
    check("://" not in text, text[max(0, text.find("://") - 60):text.find("://") + 20])
    check(len(reader.ids) == len(set(reader.ids)), "an id stands twice")
    lost = set(reader.references) - set(reader.ids)
    check(reader.references and not lost, f"references to nothing: {lost}")
    for name in pictures:
        check(reader.svgs.get(name, 0) > 20, f"no picture {name}: {reader.svgs}")


def check_cells(path, reader):
    """Every row of summary.csv is in the table of counts, below the heading of its cell."""
    group, found = None, set()
    for row in reader.rows:
        if len(row) == 1:
            group = row[0]
        elif group:
            found.add((group, row[0].rstrip("*"), *row[-2:]))
    rows = 0
    with open(path / "summary.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            slots, vcpus = int(row["slots"]), int(row["vcpus"])
            words = [f"{vcpus} vCPUs", f"{slots} slot{'s' * (slots > 1)}"]
            if row["initiators"] != "1":
                words.append(f"{row['initiators']} initiators")
            words += [f"slices of {int(row['slice_us']) // 1000} ms",
                      f"overcommit {-(-vcpus // slots)}"]
            wanted = (", ".join(words), row["protocol"], row["flushes"],
                      f"{row['stale']} of {row['checks']}")
            check(wanted in found, f"{wanted} is not in the page")
            rows += 1
    check(rows == len(sweep_data.shapes()) * len(sweep_data.PROTOCOLS), f"{rows} rows")
    return rows


def check_model(reader):
    """The table of the large machine has every protocol, and the model was compared."""
    heads = [row for row in reader.rows if row[1:2] == [f"{sim.CLOUD_CPUS} vCPUs"]]
    check(len(heads) == 1, heads)
    for name in protocol_list.SAFE:
        rows = [row for row in reader.rows if row[0] == name and len(row) == len(heads[0])]
        check(rows, f"nothing simulated of {name}")
    check("median of the wall time is within 25 %" in reader.text(), "no ratio of the model")


def check_whole(base):
    """A page of everything."""
    path = sweep_data.write(base / "whole", sweep={"quick": True})
    text = make(path)
    reader = Reader(text)
    check_loads_nothing(text, reader, PICTURES)
    check_model(reader)
    words = reader.text()
    total = sweep_data.CHECKS * len(sweep_data.shapes()) * len(sweep_data.PROTOCOLS)
    for wanted in (f"0 of {total} under protocols that are declared safe",
                   "guest ring 0 is emulated", "2 CPUs online", "seed 7", "Version 0.1.0",
                   "bench/bench.py build/vmm", "14.2"):
        check(wanted in words, f"not in the page: {wanted}")
    for unwanted in ("STALE", "missing", "not finished", "too little", "Too little"):
        check(unwanted not in words, f"in the page: {unwanted}")
    return check_cells(path, reader)


def check_hostile(base):
    """Data are words: in HTML, in SVG and for matplotlib."""
    protocols = {"ipi": (500000, 0.1), HOSTILE: (60000, 0.2)}
    path = sweep_data.write(base / "hostile", protocols, sweep={
        "quick": True, "command": ["bench/bench.py", HOSTILE], "version": HOSTILE})
    host = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    host["host"]["cpu"] = f"</p>{HOSTILE}"
    sweep_data.write_json(path / "summary.json", host)
    with open(path / "costs.csv", "a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow([HOSTILE] * 9)
    os.chdir(base)
    text = make(path, base / "no-sim")
    reader = Reader(text)
    check_loads_nothing(text, reader, PICTURES[:-1])
    check("nothing was simulated" in reader.text().lower(), "a model that is not built")
    check(not list(base.rglob("pwned")), "what a protocol is called was run")
    check(reader.text().count(HOSTILE) > 20, "the name is lost")
    check(f"</p>{HOSTILE}" in reader.text(), "the CPU's name is lost")


def check_opposites(base):
    """Two sets of data that differ in who is best: so do the sentences."""
    best_first = {"ipi": (50000, 0.1), "takeover": (500000, 0.1), "sleep": (90000, 0.1)}
    worst_first = {"ipi": (500000, 0.1), "takeover": (50000, 0.1), "sleep": (90000, 0.1)}
    for name, protocols, best, worst in (("one", best_first, "ipi", "takeover"),
                                         ("other", worst_first, "takeover", "ipi")):
        words = text_of(sweep_data.write(base / name, protocols))
        for wanted in (f"{best} has the least median stall", f"{worst} has the most"):
            check(wanted in words, f"{name}: not in the page: {wanted}")
        for unwanted in (f"{worst} has the least median stall", f"{best} has the most, "):
            check(unwanted not in words, f"{name}: in the page: {unwanted}")
        check(re.search(rf"{best} has the least median stall, \d+\.\d µs \([^;]*\); {worst} has "
                        r"the most, \d+ µs \([^)]*\), (9|10)(\.\d)? times apart", words), words)
    alike = {"ipi": (60000, 0.3), "takeover": (60000, 0.3)}
    words = text_of(sweep_data.write(base / "alike", alike))
    check(re.search(r"median stall, [^;]* not told apart from (ipi|takeover)\.", words),
          "two that are alike are told apart")


def check_emulated(base):
    """Whose times they are is said first; a summary that breaks its promises is none."""
    path = sweep_data.write(base / "emulated", {"ipi": (60000, 0.3)})
    check("emulator" not in text_of(path), "real times are called an emulator's")
    run = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    run["host"] |= {"kvm": "svm", "below": "TCG", "emulated": True}
    sweep_data.write_json(path / "summary.json", run)
    words = text_of(path)
    check("All times are an emulator's" in words[:words.index("What was measured")] and
          "below it TCG, an emulator" in words, words[:500])
    run["host"]["emulated"] = "yes"
    sweep_data.write_json(path / "summary.json", run)
    check("$.host.emulated: 'yes' is not of type 'boolean'" in text_of(path), "not as promised")


def check_stale(base):
    """A stale load under a safe protocol is the first thing said."""
    path = sweep_data.write(base / "stale", {"ipi": (60000, 0.3), "yield": (70000, 0.3)},
                            stale={"yield": 3})
    words = text_of(path)
    check("STALE TRANSLATIONS" in words and "3 under yield with 8 vCPUs" in words, words[:400])
    total = 3 * len(sweep_data.shapes())
    check(f"{total} of {2 * sweep_data.CHECKS * len(sweep_data.shapes())} under" in words,
          "the sum of stale loads")


def check_no_time(base):
    """A model that has no time left says so."""
    folder = sweep_folder.Folder(sweep_data.write(base / "late", {"ipi": (60000, 0.3)}))
    prediction.BUDGET_S = dict.fromkeys(prediction.BUDGET_S, 0)
    found = prediction.make(folder, SIM)
    prediction.BUDGET_S = dict.fromkeys(prediction.BUDGET_S, LONG_S)
    cells = len(sweep_data.shapes())
    check(not found.cells and not found.cloud, "simulated after the time was over")
    check([line.split(" were")[0] for line in found.missing] ==
          [f"{cells} of {cells} cells", "35 of 35 cells of the large machine"], found.missing)
    words = Reader(page.text_of(folder, found, [])).text()
    check(f"{cells} of {cells} cells were not simulated" in words, "what is left out is not said")


def check_parts_missing(base):
    """Without any one of the files, or with it broken, there is a page that says so."""
    whole = sweep_data.write(base / "parts", {"ipi": (60000, 0.3), "yield": (70000, 0.3)})
    for name in FILES:
        for content in (None, b"", b"\xff\xfe{]\n,,,\n\"", (whole / name).read_bytes()[:150]):
            path = base / "broken"
            shutil.copytree(whole, path)
            if content is None:
                (path / name).unlink()
            else:
                (path / name).write_bytes(content)
            words = text_of(path)
            if content is None:
                check(f"{name} is missing" in words, f"{name}: not said: {words[:300]}")
            prediction.make(sweep_folder.Folder(path), base / "no-sim")
            shutil.rmtree(path)
    check("have one round only" not in text_of(whole), "three rounds are called one")
    words = text_of(sweep_data.write(base / "half", {"ipi": (60000, 0.3)}, sweep={
        "complete": False, "cells_done": 3, "cells_planned": 41}))
    check("not finished: 3 of 41 cells" in words, words[:400])


def run_page(path):
    """The program; it ends with status 2 and one line."""
    done = subprocess.run([BENCH / "bench.py", sys.argv[1], "page", path], capture_output=True,
                          text=True, check=False)
    check(done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout,
          f"status {done.returncode}: {done.stdout}{done.stderr}")
    check(done.stderr.startswith("page: "), done.stderr)
    return done.stderr


def check_refusals(base):
    empty = base / "empty"
    empty.mkdir()
    check("no folder of a sweep" in run_page(empty), "an empty folder")
    check("no folder" in run_page(base / "nowhere"), "a folder that is not there")
    check("no folder" in run_page(BENCH / "compare"), "a file")
    path = sweep_data.write(base / "few", {"ipi": (60000, 0.3)}, sweep={"quick": True})
    (path / "plots").write_text("in the way", encoding="utf-8")
    check("plots: File exists" in run_page(path), "pictures that cannot be written")


def main():
    prediction.BUDGET_S = dict.fromkeys(prediction.BUDGET_S, LONG_S)
    with tempfile.TemporaryDirectory() as name:
        base = pathlib.Path(name)
        rows = check_whole(base)
        check_hostile(base)
        check_opposites(base)
        check_emulated(base)
        check_stale(base)
        check_no_time(base)
        check_parts_missing(base)
        check_refusals(base)
    print(f"{rows} rows and {len(PICTURES)} pictures in a page, {4 * len(FILES)} folders that "
          "lack something")


main()
