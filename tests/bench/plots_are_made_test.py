#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every picture of a sweep is drawn, in its size, with every protocol in it, and shows what
the data say.

Usage: plots_are_made_test.py VMM BUILD
"""
import pathlib
import struct
import sys
import tempfile
import xml.etree.ElementTree
import zlib

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2] / "bench"), str(HERE.parent)]
from report import gnuplot  # noqa: E402
from report import plots  # noqa: E402
import sweep_data  # noqa: E402
from report import folder as sweep_folder  # noqa: E402

NAMES = ["stall-distribution", "wall-distribution", "stall-overcommit", "rate-overcommit",
         "stall-vcpus", "stall-parts", "slot-switch"]
SVG = "{http://www.w3.org/2000/svg}"
BY_PROTOCOL = NAMES[:6]


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def png_chunks(path):
    data = path.read_bytes()
    check(data[:8] == b"\x89PNG\r\n\x1a\n", f"{path}: no PNG")
    chunks, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + length]
        at += 12 + length
    return chunks


def paeth(left, up, corner):
    nearest = left + up - corner
    return min((abs(nearest - value), order, value)
               for order, value in enumerate((left, up, corner)))[2]


def png_rows(path):
    """The rows of pixels of a PNG with 8 bits a sample, its filters undone."""
    chunks = png_chunks(path)
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    check(depth == 8 and kind in (2, 6), f"{path}: depth {depth}, colour type {kind}")
    step = {2: 3, 6: 4}[kind]
    data, above = zlib.decompress(chunks[b"IDAT"]), bytes(width * step)
    for number in range(height):
        begin = number * (width * step + 1)
        row = bytearray(data[begin + 1:begin + 1 + width * step])
        how = data[begin]
        for at, value in enumerate(row) if how else ():
            left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
            row[at] = (value + [0, left, above[at], (left + above[at]) // 2,
                                paeth(left, above[at], corner)][how]) & 0xFF
        above = bytes(row)
        yield [tuple(row[at:at + 3]) for at in range(0, len(row), step)]


def check_png(folder, picture):
    chunks = png_chunks(folder / f"{picture.name}.png")
    size = struct.unpack_from(">II", chunks[b"IHDR"])
    expected = (gnuplot.WIDTH * gnuplot.PNG_SCALE, picture.height * gnuplot.PNG_SCALE)
    check(size == expected, f"{picture.name}: {size}, not {expected}")


def check_pixels(folder, name, most_white):
    colours = {}
    for row in png_rows(folder / f"{name}.png"):
        for pixel in row:
            colours[pixel] = colours.get(pixel, 0) + 1
    white = colours.get((255, 255, 255), 0) / sum(colours.values())
    check(0.3 < white < most_white, f"{name}: {100 * white:.0f} % white")
    check(len(colours) > 50, f"{name}: {len(colours)} colours")
    return len(colours)


def texts_of(root):
    return {"".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")}


def check_svg(folder, picture, protocols):
    root = xml.etree.ElementTree.parse(folder / f"{picture.name}.svg").getroot()
    check(root.tag == f"{SVG}svg", f"{picture.name}: {root.tag}")
    check((root.get("width"), root.get("height")) == (str(gnuplot.WIDTH), str(picture.height)),
          f"{picture.name}: {root.get('width')} by {root.get('height')}")
    paths = sum(1 for _ in root.iter(f"{SVG}path")) + sum(1 for _ in root.iter(f"{SVG}polygon"))
    check(paths > 20, f"{picture.name}: {paths} paths")
    texts = texts_of(root)
    for name in protocols if picture.name in BY_PROTOCOL else ():
        check(name in texts, f"{picture.name}: no {name} in {texts}")
    check(any("slot" in text for text in texts), f"{picture.name}: no shape in {texts}")
    return paths


def check_distribution(values):
    """The line is the data's, and only rises."""
    values.sort()
    rows = plots.corners(values)
    check(rows[0] == (values[0], 0.0) and rows[-1] == (values[-1], 100.0), "ends of the line")
    check(all(a[0] <= b[0] and a[1] <= b[1] for a, b in zip(rows, rows[1:])), "the line falls")
    for value, share in rows[2::2]:     # the upper ends of its steps
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
    found = plots.curve_blocks(cells, ["takeover"], "vcpus", "stall_p99_ns", 0)["takeover"][1]
    check([bool(row) for row in found] == [True, True, False, True, True], f"{found}")
    kinds = {"round": 0, "pooled": 0, "none": 0}
    for cell in sweep_folder.Folder(path).cells:
        a_round = cell["flushes"] / cell["rounds"]
        kind = "round" if a_round >= 100 else "pooled" if cell["flushes"] >= 100 else "none"
        kinds[kind] += 1
        check((cell["stall_p99_ns"] is not None) == (kind == "round"), cell)
        check(("stall_p99_ns" in cell["pooled"]) == (kind == "pooled"), cell)
    check(all(kinds.values()), f"cells with a p99 of rounds, of all rounds, and none: {kinds}")


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
    rows = plots.bars(folder.parts, "p")
    for place, stall in enumerate(folder.parts):
        ends = [rows[part][1][place] for part in sweep_folder.PARTS]
        check(ends[0][2] == 0 and abs(ends[-1][3] - stall["stall_mean_ns"]) < 1, f"{ends}")
        check(all(a[3] == b[2] for a, b in zip(ends, ends[1:])), f"gaps in {ends}")
    short = {stall["protocol"] for stall in plots.short_bars(folder.parts)}
    check(short == {"sleep", "deferred", "generation", "takeover", "hypercall"}, short)


def main():
    with tempfile.TemporaryDirectory() as base:
        path = sweep_data.write(pathlib.Path(base) / "out", most=500)
        folder = sweep_folder.Folder(path)
        check(not folder.missing, folder.missing)
        pictures = plots.pictures(folder)
        check([picture.name for picture in pictures] == NAMES, pictures)
        check(gnuplot.draw(pictures, path) == NAMES, "not all are drawn")
        check(len(list((path / "plots").iterdir())) == 2 * len(NAMES), "files that are no picture")
        paths = 0
        for picture in pictures:
            check_png(path / "plots", picture)
            paths += check_svg(path / "plots", picture, sweep_data.PROTOCOLS)
        colours = check_pixels(path / "plots", "slot-switch", 0.97)
        check_distribution(folder.flushes["deferred"]["stall"])
        check_distribution([5, 5, 5, 5, 7])
        check_histogram(folder.switches)
        check_bars(folder)
        check_left_out(path)
        check_axes(path)
    print(f"{len(NAMES)} pictures, twice each; {paths} paths, {colours} colours in one of them")


main()
