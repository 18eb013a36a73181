# SPDX-License-Identifier: MIT
"""words.py - how the figures of a sweep are written, in pictures and in sentences."""
import math

UNITS = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")]


def time_text(ns):
    """Three digits."""
    ns = float(f"{ns:.3g}")
    scale, unit = next((pair for pair in UNITS if abs(ns) >= pair[0]), UNITS[-1])
    value = ns / scale
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if abs(value) >= 1e-3 else 0
    return f"{value:.{digits}f} {unit}"


def short_time(ns):
    scale, unit = next((pair for pair in UNITS if ns >= pair[0]), UNITS[-1])
    return f"{ns / scale:g} {unit}"


def counted(number, noun):
    return f"{number} {noun}" + "s" * (number != 1)


def shape_text(fields):
    """What is the same for a whole picture."""
    words = []
    if "vcpus" in fields:
        words.append(f"{fields['vcpus']} vCPUs")
    if "slots" in fields:
        words.append(counted(fields["slots"], "slot"))
    if "overcommit" in fields:
        words.append(f"overcommit {fields['overcommit']}")
    if fields.get("initiators", 1) != 1:
        words.append(f"{fields['initiators']} initiators")
    if "slice_us" in fields:
        words.append(f"slices of {short_time(fields['slice_us'] * 1000)}")
    return ", ".join(words)


def listed(words):
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def times_text(ratio):
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}" if ratio >= 2 else f"{ratio:.2f}"


def rate_text(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio_text(ratio):
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def value_text(name, value):
    return time_text(value) if name.endswith("_ns") else rate_text(value)


def spread_text(name, figure):
    """Median of the rounds, and from the least to the most of them."""
    if figure.low == figure.high:
        return value_text(name, figure.value)
    return (f"{value_text(name, figure.value)} ({value_text(name, figure.low)} to "
            f"{value_text(name, figure.high)})")
