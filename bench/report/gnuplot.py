# SPDX-License-Identifier: MIT
"""gnuplot.py - pictures for a column of 85 mm: axes, panels and keys in gnuplot's words.

A picture is a script without its terminal; it is drawn twice, as SVG and as PNG, and looks
alike in both. Nothing that comes from data is anything but text to gnuplot.
"""
import math
import shutil
import subprocess

from report import folder as sweep_folder
from lib.words import short_time

WIDTH = 480                             # of the SVG, 85 mm: the font is 7.5 points high there
PNG_SCALE = 2                           # 287 dots an inch
LEFT, RIGHT = 90, 20                    # margins in the SVG's units
TITLE = 24
ROW = 19                                # of the key
LONG_NAME = 14                          # characters that fit a third of it
POINTS = {"svg": 0.55, "png": 0.8}      # the terminals' points are not of one size

COMMON = """
set encoding utf8
set tics nomirror scale 0.6
set border 3 lw 0.8
set grid xtics ytics lc '#D0D0D0' dt 1 lw 0.5
"""


def quoted(text):
    """@text in gnuplot's single quotes, in which nothing is special."""
    return "'" + "".join(c for c in str(text) if c.isprintable()).replace("'", "''") + "'"


def decades(low, high):
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def log_tics(low, high, text):
    """Labels at the decades, and at 2 and 5 where there are few of them; short tics between."""
    tics, labelled = [], (1,) if high / low > 40 else (1, 2, 5)
    for decade in decades(low, high):
        for step in range(1, 10):
            place = step * 10.0 ** decade
            tics.append(f"{quoted(text(place))} {place:g}" if step in labelled
                        else f"'' {place:g} 1")
    return f"({', '.join(tics)})"


def log_range(values, pad=1.4):
    low, high = min(values) / pad, max(values) * pad
    return low, max(high, low * 8)


def log_axis(axis, values, text=short_time, pad=1.4):
    low, high = log_range(values, pad)
    return (f"set logscale {axis}\nset {axis}range [{low:g}:{high:g}]\n"
            f"set {axis}tics {log_tics(low, high, text)}\n")


def block(name, rows):
    lines = "\n".join(" ".join(f"{value:g}" if isinstance(value, float) else str(value)
                               for value in row) for row in rows)
    return f"${name} << EOD\n{lines}\nEOD\n"


def key_columns(names):
    return 3 if max(map(len, names)) <= LONG_NAME else 2


def key_height(names):
    return ROW * -(-len(names) // key_columns(names)) + 4


def at_screen(x, y, height):
    return f"screen {x / WIDTH:g}, screen {y / height:g}"


def key(names, height, symbol):
    """The key at the bottom, row by row; gnuplot's own is laid out otherwise by each
    terminal. @symbol(index, x, y) draws into 32 units from x on, about the height y."""
    columns, script = key_columns(names), "unset key\n"
    for index, name in enumerate(names):
        row, column = divmod(index, columns)
        x, y = 30 + (WIDTH - 40) / columns * column, key_height(names) - ROW * (row + 0.5) - 2
        script += symbol(index, x, y)
        script += f"set label {quoted(name)} at {at_screen(x + 40, y, height)} left\n"
    return script


class Picture:
    """One picture: a script of gnuplot without its terminal."""

    def __init__(self, name, height, script):
        self.name, self.height, self.script = name, height, script

    def draw(self, folder):
        terminals = {
            "svg": f"svg size {WIDTH},{self.height} fixed noenhanced "
                   "font 'DejaVu Sans,Verdana,Helvetica,sans-serif,13' background 'white'",
            "png": f"pngcairo size {WIDTH * PNG_SCALE},{self.height * PNG_SCALE} noenhanced "
                   f"font 'DejaVu Sans,10.5' fontscale {PNG_SCALE} linewidth {PNG_SCALE} "
                   f"pointscale {PNG_SCALE} background 'white'",
        }
        for suffix, terminal in terminals.items():
            script = (f"set terminal {terminal}\nset output '{self.name}.{suffix}'\n"
                      f"POINT = {POINTS[suffix]}\n{COMMON}{self.script}")
            done = subprocess.run(["gnuplot"], input=script, text=True, cwd=folder,
                                  stderr=subprocess.PIPE, check=False)
            if done.returncode != 0:
                line = next((line for line in done.stderr.splitlines() if "line " in line), "")
                raise sweep_folder.Unusable(f"gnuplot cannot draw {self.name}: {line}")


def panel(height, top, bottom, left=LEFT):
    return (f"set lmargin at screen {left / WIDTH:g}\n"
            f"set rmargin at screen {1 - RIGHT / WIDTH:g}\n"
            f"set tmargin at screen {1 - top / height:g}\n"
            f"set bmargin at screen {bottom / height:g}\n")


def landmarks(limits, named):
    """Lines down from the names at the top."""
    tics = ", ".join(f"{quoted(name)} {value:g}" for name, value in named.items()
                     if limits[0] < value < limits[1])
    if not tics:
        return ""
    return (f"set logscale x2\nset x2range [{limits[0]:g}:{limits[1]:g}]\n"
            f"set x2tics ({tics}) scale 0 offset 0,-0.5\n"
            "set grid x2tics lc '#D0D0D0' dt 1 lw 0.5, lc '#D0D0D0' dt 1 lw 0.5\n"
            + "".join(f"set arrow from {value:g}, graph 0 to {value:g}, graph 1 nohead "
                      "lc '#606060' dt (3,3) lw 0.9 front\n" for value in named.values()
                      if limits[0] < value < limits[1]))


def require_gnuplot():
    if not shutil.which("gnuplot"):
        raise sweep_folder.Unusable("no gnuplot: it is in Debian's package gnuplot-nox")


def draw(drawn, out):
    """Draws the pictures @drawn into @out/plots; returns their names."""
    path = out / "plots"
    try:
        path.mkdir(exist_ok=True)
        for picture in drawn:
            picture.draw(path)
    except OSError as error:
        raise sweep_folder.Unusable(f"{path}: {error.strerror}") from error
    return [picture.name for picture in drawn]
