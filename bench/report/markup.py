# SPDX-License-Identifier: MIT
"""markup.py - HTML in which nothing but what is made here is markup."""
import html
import re

NONE = "–"                              # in a table: no figure


class Html(str):
    """Text that is markup already."""


def as_html(text):
    return text if isinstance(text, Html) else Html(html.escape(str(text)))


def element(name, text, **attributes):
    said = "".join(f' {key.rstrip("_")}="{html.escape(str(value))}"'
                   for key, value in attributes.items())
    return Html(f"<{name}{said}>{as_html(text)}</{name}>")


def paragraph(text, **attributes):
    return element("p", text, **attributes) if text else Html("")


def joined(parts, between="\n"):
    return Html(between.join(as_html(part) for part in parts if part))


def table_row(row, columns):
    if isinstance(row, str):
        return element("tr", element("th", row, colspan=columns, scope="rowgroup"), class_="group")
    cells = [element("th", row[0], scope="row")]
    cells += [element("td", cell) if isinstance(cell, Html) or not is_words(cell)
              else element("td", cell, class_="text") for cell in row[1:]]
    return element("tr", joined(cells, ""))


def is_words(cell):
    return len(str(cell)) > 24


def table(caption, header, rows, kind="wide"):
    """Rows are lists, or a string for the heading of a group. Nothing where there are none."""
    if not rows:
        return Html("")
    head = element("tr", joined((element("th", name, scope="col") for name in header), ""))
    body = joined(table_row(row, len(header)) for row in rows)
    return element("div", element("table", joined([
        element("caption", caption), element("thead", head), element("tbody", body)])),
        class_=kind)


def inlined_svg(path, name, text):
    """The picture as an element of the page: names of its own, and no title of gnuplot's."""
    svg = path.read_text(encoding="utf-8")
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<title>.*?</title>|<desc>.*?</desc>", "", svg, flags=re.S)
    svg = re.sub(r'\s(xmlns(:xlink)?|width|height)="[^"]*"', "", svg[:svg.index(">")]) + \
        svg[svg.index(">"):]
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"""(\sid=['"]|href=['"]#|url\(#)""", rf"\g<1>{name}-", svg)
    svg = re.sub(r"<g [^>]*>\s*</g>\n?", "", svg)
    return Html(svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(text)}"', 1))
