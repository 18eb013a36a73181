# SPDX-License-Identifier: MIT
"""plots.py - the pictures of a sweep, by matplotlib.

NAME.svg and NAME.png, made for a column of 85 mm. A protocol has its colour
(Okabe and Ito's) wherever it appears, and its kind of line and of point besides, for who
sees or prints grey; a part of a stall has its pattern. Bars go from the least to the most
of the rounds.
"""
import collections
import statistics

import matplotlib
import numpy
from matplotlib import figure as mpl_figure
from matplotlib import ticker

from lib import protocols
from lib import results
from lib import runs
from lib.words import UNITS, shape_text, short_time
from report import folder as sweep_folder

WIDTH_IN, DPI = 85 / 25.4, 287          # 960 pixels
FONT = {"font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica"],
        "font.size": 6.5, "axes.titlesize": 6.5, "axes.linewidth": 0.5, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
        "grid.color": "#D8D8D8", "grid.linewidth": 0.4, "xtick.major.width": 0.5,
        "ytick.major.width": 0.5, "xtick.minor.width": 0.3, "ytick.minor.width": 0.3,
        "hatch.linewidth": 0.5, "legend.frameon": False, "svg.fonttype": "none",
        "svg.hashsalt": "shootdown", "text.parse_math": False}

# Colour, dashes, point of each protocol in the order of the list; the last ones are of
# protocols that the list does not have.
STYLES = [
    ("#000000", "-", "s"), ("#C88A00", (0, (6, 2)), "o"), ("#882255", (0, (1, 1.5)), "v"),
    ("#D55E00", (0, (7, 2, 1, 2)), "D"), ("#0072B2", "-", "o"), ("#009E73", (0, (3, 1.5)), "^"),
    ("#CC79A7", (0, (7, 1.5, 1, 1.5, 1, 1.5)), "P"), ("#777777", (0, (0.5, 2)), "x"),
    ("#666666", (0, (4, 4)), "+"), ("#999999", (0, (1.5, 3)), "*"),
    ("#44AA99", (0, (5, 1)), "<"), ("#AA4499", (0, (2, 2)), ">"),
]
PARTS = {                               # light to dark, and a pattern over it
    "post_ns": ("posting", "#000000", ""), "flight_ns": ("in flight", "#FFFFFF", ""),
    "handler_ns": ("handler", "#B5DCF2", "///"), "parked_wait_ns": ("target parked", "#E69F00",
                                                                  "xxx"),
    "rest_ns": ("rest", "#8C8C8C", "..")}
LONGEST_NAME = 20
MARKS = 7                               # points on a line of a distribution
STEPS = 160                             # corners of such a line
LEAST_POINTS = 3                        # of an axis, if there is another choice
BIN = 10 ** 0.1                         # of a histogram, at least

Picture = collections.namedtuple("Picture", "name figure")


def style_of(folder, protocol):
    """Of a protocol, the same on every page."""
    known = protocols.NAMES
    others = [name for name in folder.protocols if name not in known]
    place = (known.index(protocol) if protocol in known
             else len(known) + others.index(protocol))
    return STYLES[place % len(STYLES)]


def plain(name):
    """What an SVG can hold, and what has room."""
    text = "".join(c for c in name if c.isprintable())
    return text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME - 1] + "…"


def new_figure(height_in, rows=1, **more):
    """One panel above the other; the axes as a list."""
    fig = mpl_figure.Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    fig.get_layout_engine().set(h_pad=0.04, hspace=0.04)
    return fig, fig.subplots(rows, squeeze=False, **more)[:, 0]


def key_below(axes, handles, names):
    axes.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, -0.24), ncol=3,
                handlelength=3.2, columnspacing=1.2)


def log_axis(axes, which, values, text=short_time, pad=1.4):
    """Labels at the decades, and at 2 and 5 where there are few of them."""
    low, high = min(values) / pad, max(values) * pad
    high = max(high, low * 8)
    few = high / low <= 40
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = {"x": axes.xaxis, "y": axes.yaxis}[which]
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if few else (1,), numticks=20))
    axis.set_minor_locator(ticker.LogLocator(subs=range(1, 10), numticks=20))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_formatter(ticker.NullFormatter())
    return low, high


# --- distributions ----------------------------------------------------------------------

def corners(values):
    """The distribution of sorted @values, thinned: (value, per cent that do not exceed it)."""
    ranks = numpy.unique(numpy.linspace(0, len(values) - 1, STEPS + 1).round().astype(int))
    return [(values[0], 0.0)] + [(values[rank], 100 * (rank + 1) / len(values)) for rank in ranks]


def landmarks_of(folder, time):
    """What a flush of the base cell may be held against: {name: ns}"""
    base = folder.base_fields()
    slice_ns = base["slice_us"] * 1000
    floors = [cell["floor_p50_ns"].value for cell in folder.at_base() if cell["floor_p50_ns"]]
    found = {"floor": statistics.median(floors)} if floors else {}
    if time == "stall":
        return found | {"slice": slice_ns}
    return found | {"rotation": slice_ns * runs.overcommit(base["vcpus"], base["slots"])}


def landmarks(axes, limits, named):
    """Lines down from the names at the top."""
    for name, value in named.items():
        if limits[0] < value < limits[1]:
            axes.axvline(value, color="#606060", linewidth=0.6, linestyle=(0, (2, 2)))
            axes.annotate(name, (value, 1), xycoords=("data", "axes fraction"), ha="center",
                          va="bottom", xytext=(0, 1), textcoords="offset points")


def distribution(folder, time):
    """How many flushes of the base cell took no longer, by protocol."""
    pools = {name: positive for name in folder.protocols
             if len(positive := [value for value in folder.flushes.get(name, {}).get(time, [])
                                 if value > 0]) >= results.LEAST["p99"]}
    if not pools:
        return None
    fig, (axes,) = new_figure(2.6)
    for index, (name, values) in enumerate(pools.items()):
        colour, dash, point = style_of(folder, name)
        x, y = zip(*corners(values))
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=0.9, drawstyle="steps-post",
                  marker=point, markersize=2.8, label=plain(name),
                  markevery=(index * len(x) // (MARKS * len(pools)), max(1, len(x) // MARKS)))
    limits = log_axis(axes, "x", [end for values in pools.values()
                                   for end in (values[0], values[-1])], pad=1.3)
    landmarks(axes, limits, landmarks_of(folder, time))
    axes.set_title(shape_text(folder.base_fields()), pad=12)
    axes.set_xlabel({"stall": "stall of the initiator", "wall": "wall time of a flush"}[time])
    axes.set_ylabel("flushes that took no longer (%)")
    axes.set_ylim(0, 100)
    key_below(axes, axes.lines[:len(pools)], list(map(plain, pools)))
    return Picture(f"{time}-distribution", fig)


# --- a figure over an axis ----------------------------------------------------------------

def dodge(index, count):
    """Bars of neighbours stand beside each other."""
    return 2 ** (0.36 * ((index + 0.5) / count - 0.5))


def curve(cells, x, name):
    """Of one protocol's @cells: (x, value, least, most), NaN where there is no figure, so that
    the line has a gap there; None where there is none at all."""
    rows = []
    for cell in sorted(cells, key=lambda cell: cell[x]):
        point = cell[name]
        rows.append((cell[x], *point) if point and point.value > 0
                    else (cell[x], *[numpy.nan] * 3))
    found = numpy.array(rows, dtype=float)
    return found if rows and not numpy.isnan(found[:, 1]).all() else None


def against(folder, name, x, label, figures, cells, fixed):
    """A panel for each of @figures, {title: column}, one below the other, over @x."""
    values = sorted({cell[x] for cell in cells})
    names = [name for name in folder.protocols if any(c["protocol"] == name for c in cells)]
    panels = {title: found for title, column in figures.items() if (found := {
        one: line for one in names if (line := curve(
            [cell for cell in cells if cell["protocol"] == one], x, column)) is not None})}
    if len(values) < 2 or not panels:
        return None
    fig, all_axes = new_figure(0.9 + 1.35 * len(panels), len(panels), sharex=True)
    handles = {}
    for axes, (title, found) in zip(all_axes, panels.items()):
        for one, line in found.items():
            colour, dash, point = style_of(folder, one)
            at = line[:, 0] * dodge(names.index(one), len(names))
            ends = numpy.clip([line[:, 1] - line[:, 2], line[:, 3] - line[:, 1]], 0, None)
            axes.errorbar(at, line[:, 1], yerr=ends, fmt="none", ecolor=colour, elinewidth=0.6)
            handles[one], = axes.plot(at, line[:, 1], color=colour, linestyle=dash, marker=point,
                                      linewidth=0.9, markersize=2.8)
        points = [value for line in found.values() for value in line[:, 1:].flat if value > 0]
        log_axis(axes, "y", points, "{:g}".format if title in RATES else short_time)
        axes.set_ylabel(title)
    all_axes[0].set_title(shape_text(fixed))
    last = all_axes[-1]
    last.set_xscale("log")
    last.set_xlim(values[0] / 1.25, values[-1] * 1.25)
    last.set_xticks(values, [f"{value:g}" for value in values])
    last.xaxis.set_minor_locator(ticker.NullLocator())
    last.set_xlabel(label)
    key_below(last, [handles[one] for one in names if one in handles],
              [plain(one) for one in names if one in handles])
    return Picture(name, fig)


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
    return [against(folder, name, "overcommit", label, figures, cells, fixed) for name, figures in
            (("stall-overcommit", quantiles("stall")), ("rate-overcommit", RATES))]


def time_over_vcpus(folder):
    """Stall; wall time where the stall of these very cells is shown over overcommit."""
    return "wall" if over_vcpus(folder)[1] == over_overcommit(folder)[1] else "stall"


def vcpus_picture(folder):
    time = time_over_vcpus(folder)
    return against(folder, f"{time}-vcpus", "vcpus", "vCPUs", quantiles(time),
                   *over_vcpus(folder))


def prediction_picture(name, rows, cpus, figures):
    """@rows of sim.cloud_row(): @figures, {title: column}, over vCPUs."""
    class Simulated:
        protocols = list(dict.fromkeys(row["protocol"] for row in rows))

    cells = [{"vcpus": row["vcpus"], "protocol": row["protocol"]} |
             {column: sweep_folder.Figure(*[row[column]] * 3) if row[column] else None
              for column in figures.values()} for row in rows]
    with matplotlib.rc_context(FONT):
        return against(Simulated, name, "vcpus", f"vCPUs on {cpus} CPUs (simulated)", figures,
                       cells, {})


# --- parts, switches ----------------------------------------------------------------------

def short_bars(parts):
    """Those that cannot be read beside the longest."""
    longest = max(part["stall_mean_ns"] for part in parts)
    short = [part for part in parts if part["stall_mean_ns"] < longest / 4]
    return short if len(short) < len(parts) else []


def parts_picture(folder):
    """The stall in its parts; what is short once more on a scale of its own."""
    parts = [part for part in folder.parts if part["stall_mean_ns"] > 0]
    if not parts:
        return None
    sets = [chosen for chosen in (parts, short_bars(parts)) if chosen]
    fig, all_axes = new_figure(0.5 + sum(0.6 + 0.18 * len(chosen) for chosen in sets), len(sets),
                               gridspec_kw={"height_ratios": list(map(len, sets))})
    titles = [shape_text(folder.base_fields()), "the short ones, on another scale"]
    for axes, chosen, title in zip(all_axes, sets, titles):
        scale, unit = next(pair for pair in UNITS
                           if max(part["stall_mean_ns"] for part in chosen) >= pair[0]
                           or pair == UNITS[-1])
        begin = numpy.zeros(len(chosen))
        for name, (words, colour, hatch) in PARTS.items():
            wide = numpy.array([max(0.0, part[name]) for part in chosen]) / scale
            axes.barh(range(len(chosen)), wide, 0.72, begin, color=colour, hatch=hatch,
                      edgecolor="black", linewidth=0.4, label=words)
            begin += wide
        axes.set_yticks(range(len(chosen)), [plain(part["protocol"]) for part in chosen])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set_title(title)
        axes.set_xlabel(f"mean stall of a flush ({unit})")
    all_axes[-1].legend(loc="upper center", bbox_to_anchor=(0.4, -0.32), ncol=3)
    return Picture("stall-parts", fig)


def histogram_bins(switches):
    """Buckets put together until each is BIN wide at least: (from, to, count)."""
    bins = []
    for low, high, count in switches:
        if bins and bins[-1][1] < bins[-1][0] * BIN:
            bins[-1] = (bins[-1][0], high, bins[-1][2] + count)
        else:
            bins.append((low if low > 0 else high / 2, high, count))
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
    bins = histogram_bins(switches)
    fig, (axes,) = new_figure(2.0)
    edges = [low for low, _, _ in bins] + [bins[-1][1]]
    axes.stairs([max(count, 0.5) for _, _, count in bins], edges, baseline=0.5, fill=True,
                facecolor="#7FB8D8", edgecolor="black", linewidth=0.4)
    limits = log_axis(axes, "x", [edges[0], edges[-1]], lambda us: short_time(us * 1000), 1.2)
    log_axis(axes, "y", [0.5, max(count for _, _, count in bins)], "{:g}".format, 1.6)
    landmarks(axes, limits, {name: high or low for name, share in {"p50": 0.5, "p99": 0.99}.items()
                             for low, high in [switch_quantile(switches, share)]})
    axes.set_title(shape_text(folder.base_fields()), pad=12)
    axes.set_xlabel("slot switch")
    axes.set_ylabel("switches")
    return Picture("slot-switch", fig)


def pictures(folder):
    """All that @folder has data for."""
    with matplotlib.rc_context(FONT):
        found = [distribution(folder, "stall"), distribution(folder, "wall"),
                 *overcommit_pictures(folder), vcpus_picture(folder), parts_picture(folder),
                 switch_picture(folder)]
    return [picture for picture in found if picture]


def draw(found, path):
    """Draws the pictures @found into the folder @path; returns their names. Raises Unusable."""
    nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
    try:
        path.mkdir(exist_ok=True)
        with matplotlib.rc_context(FONT):
            for picture in found:
                picture.figure.savefig(path / f"{picture.name}.png", dpi=DPI)
                picture.figure.savefig(path / f"{picture.name}.svg", metadata=nothing)
    except OSError as error:
        raise results.Unusable(f"{path}: {error.strerror}") from error
    return [picture.name for picture in found]
