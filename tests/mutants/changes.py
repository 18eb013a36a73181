# SPDX-License-Identifier: MIT
"""changes.py - the small changes of a C source that a test has to notice: each operator of
arithmetic and comparison, and each constant, one at a time.

By libclang's lexer, whose tokens know what they are part of: a `*` that multiplies, a `&`
that does not take an address. Left out: include guards and other directives than #define,
static assertions, characters and strings, and the sizes of arrays of characters, which are
room.
"""
import collections
import pathlib
import re

import clang.cindex

BINARY = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "<<": ">>", ">>": "<<",
          "&": "|", "|": "&", "^": "|", "&&": "||", "||": "&&", "==": "!=", "!=": "==",
          "<": "<=", "<=": "<", ">": ">=", ">=": ">"}
ASSIGNING = {f"{old}=": f"{BINARY[old]}=" for old in ("+", "-", "*", "/", "%", "<<", ">>",
                                                      "&", "|", "^")}
UNARY = {"!": "", "-": "", "~": "", "++": "--", "--": "++"}
WORDS = {"true": "false", "false": "true"}
NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)")
REAL = re.compile(r"\d+\.\d*([eE]-?\d+)?|\d+[eE]-?\d+")

Kind = clang.cindex.CursorKind
Token = clang.cindex.TokenKind

# @code: the line it is on, without indentation; @nth of the same change in equal lines.
Change = collections.namedtuple("Change", ["file", "line", "offset", "old", "new", "code", "nth"])


def name_of(change):
    """What finds it again when lines have moved."""
    return change.file, change.code, change.old, change.new, change.nth


def other_number(text):
    """One more, as it is written; None if @text is no number."""
    found = NUMBER.fullmatch(text)
    if found:
        value = int(found[1], 0) + 1
        return (hex(value) if found[1][:2] in ("0x", "0X") else str(value)) + found[2]
    return f"({text} * 2)" if REAL.fullmatch(text) and float(text) else None


def other_in_macro(token, before):
    """The body of a macro is not parsed: `-` stands between two operands, or is a sign."""
    operand = before is not None and (before.kind in (Token.LITERAL, Token.IDENTIFIER)
                                      or before.spelling == ")")
    return (BINARY if operand else UNARY).get(token.spelling)


def other(token, before):
    """What stands for @token in the change of it, None if nothing does."""
    if token.spelling in WORDS:
        return WORDS[token.spelling]
    if token.kind == Token.LITERAL:
        return other_number(token.spelling)
    if token.kind != Token.PUNCTUATION:
        return None
    if token.cursor.kind == Kind.MACRO_DEFINITION:
        return other_in_macro(token, before)
    table = {Kind.BINARY_OPERATOR: BINARY, Kind.COMPOUND_ASSIGNMENT_OPERATOR: ASSIGNING,
             Kind.UNARY_OPERATOR: UNARY}.get(token.cursor.kind, {})
    return table.get(token.spelling)


def is_left_out(token, line, asserted):
    at = token.extent.start.offset
    return (line.lstrip().startswith("#") and not line.lstrip().startswith("#define")
            or re.search(r"\bchar \*?\w+\[[^]]*$", line[:token.extent.start.column - 1])
            or any(start <= at < end for start, end in asserted))


def changes_of(root, file, folders):
    """The changes of @file, a path below @root, as they come; @folders to include from."""
    path = pathlib.Path(root, file)
    text = path.read_text(encoding="ascii")
    lines = text.split("\n")
    unit = clang.cindex.Index.create().parse(
        str(path), ["-xc", "-std=c17", "-D_GNU_SOURCE", *(f"-I{root}/{name}" for name in folders)],
        options=clang.cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
    asserted = [(node.extent.start.offset, node.extent.end.offset)
                for node in unit.cursor.get_children()
                if node.kind == Kind.STATIC_ASSERT and node.location.file.name == str(path)]
    seen, before = collections.Counter(), None
    for token in unit.get_tokens(extent=unit.cursor.extent):
        new, line = other(token, before), token.location.line
        before = token if token.kind != Token.COMMENT else before
        if new is None or is_left_out(token, lines[line - 1], asserted):
            continue
        key = lines[line - 1].strip(), token.spelling, new
        yield Change(file, line, token.extent.start.offset, token.spelling, new, key[0], seen[key])
        seen[key] += 1


def changed(text, change):
    at = change.offset
    assert text[at:at + len(change.old)] == change.old
    return text[:at] + change.new + text[at + len(change.old):]
