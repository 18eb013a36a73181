#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""draw_folders.py - docs/pictures/folders.svg: which folder includes headers of which.

Usage: draw_folders.py [--check]

Folders stand in layers, each above those that it includes. An arrow that a longer way along
arrows implies is left out. Against the order of the layers, so in a cycle, an arrow is red.
--check writes nothing and ends with 1 where the picture is another.
"""
import pathlib
import sys

from includes import folder_edges, read_includes

PICTURE = pathlib.Path(__file__).resolve().with_name("folders.svg")
WIDTH, ROW, BOX_HEIGHT, LETTER = 800, 74, 30, 8


def order_of(nodes, edges):
    """From those that include to those that are included (Eades, Lin and Smyth): few
    arrows go backwards."""
    left, first, last = set(nodes), [], []
    while left:
        out = {n: sum(a == n and b in left for a, b in edges) for n in left}
        into = {n: sum(b == n and a in left for a, b in edges) for n in left}
        sinks = sorted(n for n in left if not out[n])
        sources = sorted(n for n in left if not into[n])
        if sinks:
            last[:0] = sinks
            left -= set(sinks)
        elif sources:
            first += sources
            left -= set(sources)
        else:
            node = min(left, key=lambda n: (into[n] - out[n], n))
            first.append(node)
            left.remove(node)
    return first + last


def reaches(start, end, edges):
    """Is there a way of two arrows or more?"""
    seen, work = set(), [b for a, b in edges if a == start and b != end]
    while work:
        node = work.pop()
        if node == end:
            return True
        if node not in seen:
            seen.add(node)
            work += [b for a, b in edges if a == node]
    return False


def layers_of(order, forward):
    """Each folder one below the lowest of those that include it."""
    layer = {}
    for node in order:
        layer[node] = max((layer[a] + 1 for a, b in forward if b == node), default=0)
    return [[node for node in order if layer[node] == n] for n in range(max(layer.values()) + 1)]


def box_width(name):
    return len(name) * LETTER + 24


def places_of(layers, edges):
    """The middle of each box; in a layer they stand near those that include them."""
    places = {}
    for number, layer in enumerate(layers):
        def wish(node):
            above = [places[a][0] for a, b in edges if b == node and a in places]
            return sum(above) / len(above) if above else WIDTH / 2
        layer = sorted(layer, key=lambda node: (wish(node), node))
        gap = (WIDTH - sum(map(box_width, layer))) / (len(layer) + 1)
        x = 0
        for node in layer:
            x += gap + box_width(node) / 2
            places[node] = (x, 30 + number * ROW)
            x += box_width(node) / 2
    return places


def arrow(start, end, back):
    (x1, y1), (x2, y2) = start, end
    down = 1 if y2 > y1 else -1
    y1, y2 = y1 + down * BOX_HEIGHT / 2, y2 - down * (BOX_HEIGHT / 2 + 6)
    bend = (y2 - y1) / 2
    look = 'class="back" marker-end="url(#red)"' if back else 'marker-end="url(#grey)"'
    return (f'<path {look} d="M{x1:.0f},{y1:.0f} C{x1:.0f},{y1 + bend:.0f} '
            f'{x2:.0f},{y2 - bend:.0f} {x2:.0f},{y2:.0f}"/>')


def box(name, place):
    x, y = place
    width = box_width(name)
    return (f'<rect x="{x - width / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" width="{width}" '
            f'height="{BOX_HEIGHT}" rx="5"/>\n<text x="{x:.0f}" y="{y + 5:.0f}">{name}</text>')


def draw():
    nodes, edges = folder_edges(list(read_includes()))
    order = order_of(nodes, edges)
    forward = {(a, b) for a, b in edges if order.index(a) < order.index(b)}
    shown = sorted(edge for edge in forward if not reaches(*edge, forward))
    layers = layers_of(order, forward)
    places = places_of(layers, edges)
    height = 60 + (len(layers) - 1) * ROW
    heads = "\n".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" class="{name}"/></marker>'
        for name in ("grey", "red"))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}">',
        "<style>text{font:14px sans-serif;text-anchor:middle;fill:#222}"
        "rect{fill:#eef3fa;stroke:#56789a}path{fill:none;stroke:#889;stroke-width:1.3}"
        ".back{stroke:#c33;stroke-dasharray:4 3}marker path{stroke:none}"
        ".grey{fill:#889}.red{fill:#c33}</style>",
        f"<defs>{heads}</defs>",
        f'<rect width="{WIDTH}" height="{height}" style="fill:#fff;stroke:none"/>',
        *(arrow(places[a], places[b], False) for a, b in shown),
        *(arrow(places[a], places[b], True) for a, b in sorted(edges - forward)),
        *(box(name, places[name]) for name in order),
        "</svg>", ""])


def main():
    picture = draw()
    if sys.argv[1:] != ["--check"]:
        PICTURE.write_text(picture, encoding="utf-8")
    elif PICTURE.read_text(encoding="utf-8") != picture:
        sys.exit("docs/pictures/folders.svg: folders include other folders now; "
                 "docs/pictures/draw_folders.py draws them")


main()
