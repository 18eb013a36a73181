#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every picture of a sweep is drawn, in its size, with every protocol in it, and shows what
the data say; a protocol looks the same wherever it appears, and like no other in grey.

Usage: plots_are_made_test.py VMM BUILD
"""
import itertools
import pathlib
import sys
import tempfile
import xml.etree.ElementTree

import numpy
from PIL import Image

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2] / "bench"), str(HERE.parent)]
from lib import protocols  # noqa: E402
from report import folder as sweep_folder  # noqa: E402
from report import plots  # noqa: E402
import sweep_data  # noqa: E402

NAMES = ["stall-distribution", "wall-distribution", "stall-overcommit", "rate-overcommit",
         "stall-vcpus", "stall-parts", "slot-switch"]
SVG = "{http://www.w3.org/2000/svg}"
BY_PROTOCOL = NAMES[:6]
WIDTH = 960                             # 85 mm at 287 dots an inch


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def check_png(path):
    """In its size, and neither empty nor black."""
    with Image.open(path) as image:
        pixels = numpy.asarray(image.convert("RGB"))
        check(image.format == "PNG" and image.width == WIDTH and image.height > WIDTH / 3,
              f"{path}: {image.format}, {image.size}")
    white = (pixels == 255).all(axis=2).mean()
    colours = len(numpy.unique(pixels.reshape(-1, 3), axis=0))
    check(0.3 < white < 0.97 and colours > 50,
          f"{path}: {100 * white:.0f} % white, {colours} colours")
    return colours


def check_svg(path, name):
    root = xml.etree.ElementTree.parse(path).getroot()
    check(root.tag == f"{SVG}svg", f"{name}: {root.tag}")
    paths = sum(1 for _ in root.iter(f"{SVG}path"))
    check(paths > 15, f"{name}: {paths} paths")
    texts = {"".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")}
    for protocol in sweep_data.PROTOCOLS if name in BY_PROTOCOL else ():
        check(protocol in texts, f"{name}: no {protocol} in {texts}")
    check(any("slot" in text for text in texts), f"{name}: no shape in {texts}")
    return paths


def check_styles(folder):
    """Of each protocol the same, whatever else a sweep has; two differ in more than colour."""
    few = sweep_folder.Folder(folder.path)
    few.protocols = ["takeover", "of-tomorrow", "ipi"]
    check(plots.style_of(few, "takeover") == plots.style_of(folder, "takeover"), "a new colour")
    styles = [plots.style_of(few, name) for name in [*protocols.NAMES, "of-tomorrow"]]
    for (one, *shape), (other, *other_shape) in itertools.combinations(styles, 2):
        check(one != other and shape != other_shape, f"{one} {shape}, {other} {other_shape}")
    hatches = [(colour, hatch) for _, colour, hatch in plots.PARTS.values()]
    check(len(set(hatches)) == len(sweep_folder.PARTS) == len(plots.PARTS), f"{hatches}")


def check_distribution(values):
    """The line is the data's, and only rises."""
    values.sort()
    rows = plots.corners(values)
    check(rows[0] == (values[0], 0.0) and rows[-1] == (values[-1], 100.0), "ends of the line")
    check(all(a[0] <= b[0] and a[1] <= b[1] for a, b in zip(rows, rows[1:])), "the line falls")
    for value, share in rows[1:]:       # where its steps end
        below = sum(one <= value for one in values)
        least = sum(one < value for one in values)
        check(least / len(values) * 100 <= share + 1e-9 <= below / len(values) * 100 + 1e-6,
              f"{share} % at {value}, {least} to {below} of {len(values)}")


def check_histogram(switches):
    bins = plots.histogram_bins(switches)
    check(sum(one[2] for one in bins) == sum(one[2] for one in switches), "counts are lost")
    check(all(a[1] == b[0] for a, b in zip(bins, bins[1:])), "gaps between bins")
    edges = {edge for low, high, _ in switches for edge in (low, high)}
    for low, high, count in bins[1:]:
        check(low in edges and high in edges, f"[{low}, {high}) cuts a bucket")
        inside = sum(number for begin, end, number in switches if low <= begin and end <= high)
        check(inside == count, f"{count} in [{low}, {high}), not {inside}")
    buckets = sweep_folder.buckets_of([(20, 98), (10, 1), (40, 1)])
    check(buckets == [(10, 20, 1), (20, 40, 98), (40, 60, 1)], buckets)
    check(plots.switch_quantile(buckets, 0.5) == (20, 40), "p50")
    check(plots.switch_quantile(buckets, 0.991) == (40, None), "the last bucket is open")
    check(plots.switch_quantile(buckets, 0.01) == (10, 20), "p1")


def check_left_out(path):
    """What rests on too few flushes is no point, and the line has a gap there."""
    folder = sweep_folder.Folder(path)
    cells = folder.at(**folder.base_fields("vcpus"))
    for cell in cells:
        if cell["protocol"] == "takeover" and cell["vcpus"] == 8:
            cell["stall_p99_ns"] = None
    found = plots.curve([cell for cell in cells if cell["protocol"] == "takeover"], "vcpus",
                        "stall_p99_ns")
    check(list(found[:, 0]) == [2, 4, 8, 16, 32] and
          list(numpy.isnan(found[:, 1])) == [False, False, True, False, False], f"{found}")
    check(plots.curve([cell | {"stall_p99_ns": None} for cell in cells], "vcpus",
                      "stall_p99_ns") is None, "a line without a point")
    kinds = {True: 0, False: 0}
    for cell in sweep_folder.Folder(path).cells:
        enough = cell["flushes"] >= 100
        kinds[enough] += 1
        check((cell["stall_p99_ns"] is not None) == enough, cell)
    check(all(kinds.values()), f"cells with a p99, and without: {kinds}")


def check_axes(path):
    """The two pictures over vCPUs and overcommit are not of the same cells."""
    folder = sweep_folder.Folder(path)
    check(plots.over_overcommit(folder)[1] == {"slots": 2, "initiators": 1, "slice_us": 2000},
          plots.over_overcommit(folder)[1])
    cells, fixed = plots.over_vcpus(folder)
    check(fixed == {"slots": 1, "initiators": 1, "slice_us": 2000}, fixed)
    check({cell["vcpus"] for cell in cells} == {4, 8, 16}, cells)
    check(plots.time_over_vcpus(folder) == "stall", "stall is shown of other cells")
    folder.cells = [cell for cell in folder.cells if cell["slots"] == 2]
    check(plots.over_vcpus(folder)[1] == plots.over_overcommit(folder)[1], "other cells")
    check(plots.vcpus_picture(folder).name == "wall-vcpus", "the same picture twice")


def check_bars(folder):
    """The bars of a protocol lie end to end, from 0 to its mean stall."""
    axes = plots.parts_picture(folder).figure.axes[0]
    for place, stall in enumerate(folder.parts):
        ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches
                if round(bar.get_y() + bar.get_height() / 2) == place]
        check(len(ends) == len(plots.PARTS) and ends[0][0] == 0 and
              abs(ends[-1][1] * 1e6 - stall["stall_mean_ns"]) < 1, f"{ends}, {stall}")
        check(all(abs(a[1] - b[0]) < 1e-12 for a, b in zip(ends, ends[1:])), f"gaps in {ends}")
    short = {stall["protocol"] for stall in plots.short_bars(folder.parts)}
    check(short == {"sleep", "deferred", "generation", "takeover", "hypercall"}, short)


def main():
    with tempfile.TemporaryDirectory() as base:
        path = sweep_data.write(pathlib.Path(base) / "out", most=500)
        folder = sweep_folder.Folder(path)
        check(not folder.missing, folder.missing)
        pictures = plots.pictures(folder)
        check([picture.name for picture in pictures] == NAMES, pictures)
        check(plots.draw(pictures, path / "plots") == NAMES, "not all are drawn")
        check(len(list((path / "plots").iterdir())) == 2 * len(NAMES), "files that are no picture")
        paths = colours = 0
        for name in NAMES:
            colours += check_png(path / "plots" / f"{name}.png")
            paths += check_svg(path / "plots" / f"{name}.svg", name)
        check_styles(folder)
        check_distribution(folder.flushes["deferred"]["stall"])
        check_distribution([5, 5, 5, 5, 7])
        check_histogram(folder.switches)
        check_bars(folder)
        check_left_out(path)
        check_axes(path)
    print(f"{len(NAMES)} pictures, twice each; {paths} paths, {colours} colours")


main()
