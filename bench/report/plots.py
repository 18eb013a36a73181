# SPDX-License-Identifier: MIT
"""plots.py - the pictures of a sweep, by gnuplot.

OUT/plots/NAME.svg and NAME.png, made for a column of 85 mm: a protocol is its kind of line
and of point, a part of a stall its pattern; colour (Okabe and Ito's) only comes on top. Bars
go from the least to the most of the rounds. A point that rests on too few flushes
(folder.py) is not drawn.
"""
import statistics

from lib import runs
from report import folder as sweep_folder
from report.gnuplot import (TITLE, Picture, at_screen, block, key, key_height, landmarks,
                     log_axis, log_range, panel, quoted)
from lib.words import UNITS, shape_text, short_time

# Colour, dashes, point: what one of them does not tell apart in grey, another does.
STYLES = [
    ("#000000", "1", 5), ("#C88A00", "(12,4)", 6), ("#882255", "(2,3)", 9),
    ("#D55E00", "(14,4,2,4)", 4), ("#0072B2", "1", 7), ("#009E73", "(6,3)", 10),
    ("#CC79A7", "(14,3,2,3,2,3)", 13), ("#777777", "(1,4)", 2), ("#666666", "(8,8)", 1),
    ("#999999", "(3,6)", 3),
]
# Light to dark, and a pattern over it.
PART_STYLES = [("#000000", 0), ("#FFFFFF", 0), ("#B5DCF2", 4), ("#E69F00", 5), ("#8C8C8C", 1)]
PART_NAMES = {"post_ns": "posting", "flight_ns": "in flight", "handler_ns": "handler",
              "parked_wait_ns": "target parked", "rest_ns": "rest"}

MARKS = 7                               # points on a line of a distribution
LEAST_POINTS = 3                        # of an axis, if there is another choice
STEPS = 160                             # corners of such a line
BELOW = 1e-9                            # any axis: where a bar down to 0 ends
BIN = 10 ** 0.1                         # of a histogram, at least


def style_of(folder, protocol):
    return STYLES[folder.protocols.index(protocol) % len(STYLES)]


def line_key(folder, names, height):
    def symbol(index, x, y):
        colour, dash, point = style_of(folder, names[index])
        return (f"set arrow from {at_screen(x, y, height)} to {at_screen(x + 32, y, height)} "
                f"nohead lc '{colour}' dt {dash} lw 1.6\n"
                f"set label '' at {at_screen(x + 16, y, height)} point pt {point} ps POINT "
                f"lc '{colour}'\n")

    return key(names, height, symbol)


def corners(values):
    """The distribution of sorted @values, thinned: (value, per cent that do not exceed it)."""
    count = len(values)
    ranks = sorted({round(step * (count - 1) / STEPS) for step in range(STEPS + 1)})
    rows = [(values[0], 0.0)]
    for rank in ranks:
        rows += [(values[rank], rows[-1][1]), (values[rank], 100 * (rank + 1) / count)]
    return rows


def marks(values, index, count):
    """Points on that line, elsewhere for each protocol."""
    shares = [(mark + (index + 0.5) / count) / MARKS for mark in range(MARKS)]
    return [(values[int(share * len(values))], 100 * share) for share in shares]


def landmarks_of(folder, time):
    """What a flush of the base cell may be held against: {name: ns}"""
    base = folder.base_fields()
    slice_ns = base["slice_us"] * 1000
    floors = [cell["floor_p50_ns"].value for cell in folder.at_base() if cell["floor_p50_ns"]]
    found = {"floor": statistics.median(floors)} if floors else {}
    if time == "stall":
        return found | {"slice": slice_ns}
    return found | {"rotation": slice_ns * runs.overcommit(base["vcpus"], base["slots"])}


def distribution(folder, time):
    """How many flushes of the base cell took no longer, by protocol."""
    pools = {name: positive for name in folder.protocols
             if len(positive := [value for value in folder.flushes.get(name, {}).get(time, [])
                                 if value > 0]) >= sweep_folder.LEAST["p99"]}
    if not pools:
        return None
    names = list(pools)
    height = 306 + key_height(names)
    script, curves = "", []
    for index, (name, values) in enumerate(pools.items()):
        colour, dash, point = style_of(folder, name)
        script += block(f"line{index}", corners(values))
        script += block(f"mark{index}", marks(values, index, len(pools)))
        curves.append(f"$line{index} with lines lc '{colour}' dt {dash} lw 1.6 notitle")
        curves.append(f"$mark{index} with points lc '{colour}' pt {point} ps POINT notitle")
    what = {"stall": "stall of the initiator", "wall": "wall time of a flush"}[time]
    ends = [values[end] for values in pools.values() for end in (0, -1)]
    script += panel(height, TITLE + 28, 50 + key_height(names))
    script += f"set title {quoted(shape_text(folder.base_fields()))} offset 0,-0.2\n"
    script += log_axis("x", ends, pad=1.3) + line_key(folder, names, height)
    script += landmarks(log_range(ends, 1.3), landmarks_of(folder, time))
    script += (f"set xlabel '{what}' offset 0,0.4\nset yrange [0:100]\nset ytics 25\n"
               "set ylabel 'flushes that took no longer (%)' offset 0.6,0\n")
    script += "plot " + ", ".join(curves) + "\n"
    return Picture(f"{time}-distribution", height, script)


def dodge(index, count):
    """Bars of neighbours stand beside each other."""
    return 2 ** (0.36 * ((index + 0.5) / count - 0.5))


def curve_blocks(cells, names, x, figure, number):
    """The points of each protocol that has any; () where one is left out, and the line ends."""
    found = {}
    for index, name in enumerate(names):
        rows = []
        for cell in sorted((c for c in cells if c["protocol"] == name), key=lambda c: c[x]):
            point = sweep_folder.shown(cell, figure)
            rows.append((cell[x] * dodge(index, len(names)), point.value,
                         max(point.low, BELOW), point.high)
                        if point and point.value > 0 else ())
        if any(rows):
            found[name] = (f"d{number}_{index}", rows)
    return found


def curve_commands(folder, found):
    commands = []
    for name, (data, _) in found.items():
        colour, dash, point = style_of(folder, name)
        commands.append(f"${data} using 1:2 with lines lc '{colour}' dt {dash} lw 1.6 notitle")
        commands.append(f"${data} using 1:2:3:4 with yerrorbars lc '{colour}' dt 1 lw 0.9 "
                        f"pt {point} ps POINT notitle")
    return commands


def against(folder, name, x, label, figures, cells, fixed):
    """A panel for each of @figures, {title: column}, one below the other, over @x."""
    values = sorted({cell[x] for cell in cells})
    names = [name for name in folder.protocols if any(c["protocol"] == name for c in cells)]
    panels = [(title, found) for number, (title, column) in enumerate(figures.items())
              if (found := curve_blocks(cells, names, x, column, number))]
    if len(values) < 2 or not panels:
        return None
    drawn = [name for name in names if any(name in found for _, found in panels)]
    one = 190 if len(panels) > 1 else 236
    height = TITLE + one * len(panels) + 44 + key_height(drawn)
    tics = ", ".join(f"'{value:g}' {value:g}" for value in values)
    script = "".join(block(data, rows) for _, found in panels for data, rows in found.values())
    script += "set multiplot\nset logscale x\n"
    script += f"set xrange [{values[0] / 1.25:g}:{values[-1] * 1.25:g}]\n"
    for number, (title, found) in enumerate(panels):
        last = number == len(panels) - 1
        top = TITLE + one * number
        script += panel(height, top + 6, height - top - one + 10)
        heading = quoted(shape_text(fixed)) + " offset 0,-0.4" if number == 0 else ""
        script += f"set title {heading}\n"
        script += f"set xtics ({tics if last else tics_unlabelled(values)})\n"
        script += f"set xlabel {quoted(label) if last else ''} offset 0,0.4\n"
        points = [point for _, rows in found.values() for row in rows for point in row[1:]
                  if point > BELOW]
        text = "{:g}".format if title in RATES else short_time
        script += log_axis("y", points, text)
        script += f"set ylabel {quoted(title)} offset 0.6,0\n"
        script += line_key(folder, drawn, height) if last else "unset key\n"
        script += "plot " + ", ".join(curve_commands(folder, found)) + "\n"
    return Picture(name, height, script + "unset multiplot\n")


def tics_unlabelled(values):
    return ", ".join(f"'' {value:g}" for value in values)


def over_overcommit(folder):
    """Cells that differ in overcommit alone: by the number of slots, or of vCPUs, whichever
    has more of them. Returns them and what they have in common."""
    ways = []
    for axis in "slots", "vcpus":
        fixed = folder.base_fields(axis)
        cells = folder.at(**fixed) if fixed else []
        ways.append((len({cell["overcommit"] for cell in cells}), cells, fixed))
    _, cells, fixed = max(ways, key=lambda way: way[0])
    return cells, fixed


def over_vcpus(folder):
    """Cells that differ in the number of vCPUs: with the base's overcommit if there are
    enough, else on one number of slots, one that over_overcommit() does not show."""
    if not folder.base:
        return [], {}
    base = folder.base_fields()
    fixed = {name: base[name] for name in ("initiators", "slice_us")}
    taken = over_overcommit(folder)[1].get("slots")
    slots = sorted({cell["slots"] for cell in folder.cells} - {taken}, reverse=True)
    ways = [{"overcommit": runs.overcommit(base["vcpus"], base["slots"])},
            *({"slots": number} for number in slots), {"slots": base["slots"]}]
    for way in ways:
        cells = folder.at(**fixed, **way)
        if len({cell["vcpus"] for cell in cells}) >= LEAST_POINTS:
            break
    return cells, way | fixed


RATES = {"flushes a second": "flushes_per_s"}


def quantiles(time):
    """Title and figure of each panel."""
    what = {"stall": "stall", "wall": "wall time"}[time]
    return {f"{what}, median": f"{time}_p50_ns", f"{what}, p99": f"{time}_p99_ns",
            f"{what}, p99.9": f"{time}_p999_ns"}


def overcommit_pictures(folder):
    cells, fixed = over_overcommit(folder)
    label = "overcommit (vCPUs a slot)"
    return [
        against(folder, "stall-overcommit", "overcommit", label, quantiles("stall"), cells, fixed),
        against(folder, "rate-overcommit", "overcommit", label,
                RATES, cells, fixed),
    ]


def time_over_vcpus(folder):
    """Stall; wall time where the stall of these very cells is shown over overcommit."""
    return "wall" if over_vcpus(folder)[1] == over_overcommit(folder)[1] else "stall"


def vcpus_picture(folder):
    time = time_over_vcpus(folder)
    return against(folder, f"{time}-vcpus", "vcpus", "vCPUs", quantiles(time),
                   *over_vcpus(folder))


def bars(parts, name):
    """Rows of boxxyerror for each part of a stacked bar: x, y, x from, to, y from, to."""
    rows = {part: [] for part in sweep_folder.PARTS}
    for place, stall in enumerate(parts):
        begin = 0.0
        for part in sweep_folder.PARTS:
            end = begin + max(0.0, stall[part])
            rows[part].append((begin, float(place), begin, end, place - 0.36, place + 0.36))
            begin = end
    return {part: (f"{name}_{part}", rows[part]) for part in rows}


def short_bars(parts):
    """Those that cannot be read beside the longest."""
    longest = max(part["stall_mean_ns"] for part in parts)
    short = [part for part in parts if part["stall_mean_ns"] < longest / 4]
    return short if len(short) < len(parts) else []


def bars_panel(parts, rows):
    """One set of bars, on a scale of its own."""
    longest = max(part["stall_mean_ns"] for part in parts)
    scale, unit = next((pair for pair in UNITS if longest >= pair[0]), UNITS[-1])
    names = ", ".join(f"{quoted(part['protocol'])} {place}" for place, part in enumerate(parts))
    commands = []
    for part, (colour, pattern) in zip(sweep_folder.PARTS, PART_STYLES):
        using = (f"${rows[part][0]} using ($1/{scale:g}):2:($3/{scale:g}):($4/{scale:g}):5:6 "
                 "with boxxyerror")
        commands.append(f"{using} fs solid 1 noborder fc '{colour}' notitle")
        commands.append(f"{using} fs transparent pattern {pattern} border lc 'black' "
                        "lc 'black' lw 0.8 notitle")
    return (f"set yrange [{len(parts) - 0.5:g}:-0.5]\nset ytics ({names}) nomirror scale 0\n"
            f"set xrange [0:{longest / scale * 1.04:g}]\nset xtics autofreq\n"
            f"set xlabel 'mean stall of a flush ({unit})' offset 0,0.4\n"
            f"plot {', '.join(commands)}\n")


def part_key(height):
    def symbol(index, x, y):
        colour, pattern = PART_STYLES[index]
        box = f"rect from {at_screen(x, y - 6, height)} to {at_screen(x + 32, y + 6, height)}"
        return (f"set object {box} fs solid 1 noborder fc '{colour}'\n"
                f"set object {box} fs transparent pattern {pattern} border lc 'black' "
                "fc 'black' lw 0.8\n")

    return key(list(PART_NAMES.values()), height, symbol)


def parts_picture(folder):
    """The stall in its parts; what is short once more on a scale of its own."""
    parts = [part for part in folder.parts if part["stall_mean_ns"] > 0]
    if not parts:
        return None
    sets = [chosen for chosen in (parts, short_bars(parts)) if chosen]
    sizes = [24 * len(chosen) + 8 for chosen in sets]
    height = sum(sizes) + 82 * len(sets) + key_height(list(PART_NAMES.values()))
    drawn = [bars(chosen, f"p{number}") for number, chosen in enumerate(sets)]
    script = "".join(block(*pair) for rows in drawn for pair in rows.values())
    script += "set multiplot\nset border 1\nset grid noytics\n"
    titles, top = [shape_text(folder.base_fields()), "the short ones, on another scale"], 34
    for chosen, rows, size, title in zip(sets, drawn, sizes, titles):
        script += panel(height, top, height - top - size, left=104)
        script += f"set title {quoted(title)} offset 0,-0.4\n" + bars_panel(chosen, rows)
        if top == 34:
            script += part_key(height)
        top += size + 82
    return Picture("stall-parts", height, script + "unset multiplot\n")


def histogram_bins(switches):
    """Buckets put together until each is BIN wide at least: (from, to, count)."""
    bins = []
    for low, high, count in switches:
        if bins and bins[-1][1] < bins[-1][0] * BIN:
            bins[-1] = (bins[-1][0], high, bins[-1][2] + count)
        elif low > 0:
            bins.append((low, high, count))
        else:
            bins.append((high / 2, high, count))
    return bins


def switch_quantile(switches, share):
    """The bucket that it is in, (from, to) in us; to is None for the last one, which is open."""
    total, below = sum(count for _, _, count in switches), 0
    for low, high, count in switches:
        below += count
        if below >= share * total:
            return low, None if high == switches[-1][1] else high
    return None


def switch_picture(folder):
    counted = [at for at, one in enumerate(folder.switches) if one[2]]
    if not counted:
        return None
    switches = folder.switches[counted[0]:counted[-1] + 1]
    height, bins = 270, histogram_bins(switches)
    rows = [((low + high) / 2, float(count), low, high, 0.5, float(count))
            for low, high, count in bins if count]
    edges = [bins[0][0], bins[-1][1]]
    script = block("bins", rows) + panel(height, 30, 50) + "unset key\n"
    script += log_axis("x", edges, lambda us: short_time(us * 1000), 1.2)
    script += log_axis("y", [0.5, max(row[1] for row in rows)], "{:g}".format, 1.6)
    script += landmarks(log_range(edges, 1.2), {
        name: high or low for name, share in {"p50": 0.5, "p99": 0.99}.items()
        for low, high in [switch_quantile(switches, share)]})
    script += ("set xlabel 'slot switch' offset 0,0.4\nset ylabel 'switches' offset 0.6,0\n"
               "plot $bins using 1:2:3:4:5:6 with boxxyerror fs solid 0.5 border lc 'black' "
               "lc '#0072B2' lw 0.8 notitle\n")
    return Picture("slot-switch", height, script)


def prediction_picture(folder, rows, cpus):
    """@rows of sim.cloud_row(): the median wall time over vCPUs, in the styles of @folder."""
    names = list(dict.fromkeys([*folder.protocols, *(row["protocol"] for row in rows)]))
    cells = [{"vcpus": row["vcpus"], "protocol": row["protocol"],
              "pooled": {}, "wall_p50_ns": sweep_folder.Figure(*[row["wall_p50_ns"]] * 3)}
             for row in rows if row["wall_p50_ns"]]

    class Simulated:
        protocols = names

    return against(Simulated, "prediction", "vcpus", f"vCPUs on {cpus} CPUs (simulated)",
                   {"wall time, median": "wall_p50_ns"}, cells, {})


def pictures(folder):
    """All that @folder has data for."""
    found = [distribution(folder, "stall"), distribution(folder, "wall"),
             *overcommit_pictures(folder), vcpus_picture(folder), parts_picture(folder),
             switch_picture(folder)]
    return [picture for picture in found if picture]
