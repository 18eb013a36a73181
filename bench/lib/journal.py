# SPDX-License-Identifier: MIT
"""journal.py - what a sweep or a soak has measured, kept so that a kill loses nothing.

NAME.journal is append-only, a JSON object a line: first what is being measured (settings,
and of a sweep vmm's version, the host, the plan), then a record for each run that is over.
The rows of a run are in the CSV before its record is in the journal, which says where they end.
Whoever opens the folder again drops a record that was cut short, and the rows after those
that the journal knows: a run is there whole and once, or it is measured again.

One of a kind at a time has a folder, by a lock on its journal.
Tested: tests/bench/sweep_goes_on_after_a_kill_test.py, soak_goes_on_where_it_was_test.py
"""
import csv
import fcntl
import io
import json
import os

SCHEMA = 2


class Refused(Exception):
    """This folder cannot be gone on with; one line."""


def lines_of(text, name):
    """The whole lines of a journal as objects, and how many bytes they take.

    Only the last one can be cut short: by a kill, or by the host's crash to zeros.
    """
    objects, end = [], 0
    for line in text.splitlines(keepends=True):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("cut short")
            objects.append(json.loads(line))
        except ValueError as error:
            if end + len(line) != len(text):
                raise Refused(f"{name} is damaged at byte {end}; --fresh starts anew") from error
            break
        end += len(line)
    return objects, end


def text_of(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def append(file, data):
    """Whole and on the disk before this returns."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


class Journal:
    """Of @what, which is "sweep" or "soak", in one folder; @rows is its CSV. `begin` is the
    first line, None of a new one; `records` the others. begin["columns"] are those of the rows."""

    def __init__(self, folder, what, rows, fresh=False):
        self.name, self.what, self.rows_path = f"{what}.journal", what, folder / rows
        self._file = open(folder / self.name, "a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(f"another {what} is at work in {folder}") from error
        if fresh:
            self._file.truncate(0)
        self._file.seek(0)
        objects, end = lines_of(self._file.read(), self.name)
        self._file.truncate(end)
        self.begin, self.records = (objects[0], objects[1:]) if objects else (None, [])
        if self.begin is not None and self.begin.get("schema") != SCHEMA:
            raise Refused(f"{folder / self.name} is another version's; --fresh starts anew")
        self._rows = self._open_rows() if self.begin is not None else None

    def _header(self):
        return text_of([self.begin["columns"]])

    def _open_rows(self):
        """The rows that the journal knows of, and no other."""
        end = self.records[-1]["csv_bytes"] if self.records else 0
        rows = open(self.rows_path, "a+b")
        rows.seek(0)
        if end and (rows.readline() != self._header() or rows.seek(0, os.SEEK_END) < end):
            raise Refused(f"{self.rows_path} is not what {self.name} says; --fresh starts anew")
        rows.truncate(end)
        rows.seek(end)
        return rows

    def refuse(self, settings):
        """If @settings are other ones than those that it was begun with."""
        old = self.begin["settings"]
        for key, value in json.loads(json.dumps(settings)).items():
            if old[key] != value:
                raise Refused(f"{self.rows_path.parent} holds a {self.what} of other {key}: "
                              f"{old[key]}, not {value}; --fresh starts anew")

    def start(self, begin):
        """A new one. Whatever rows were there are another's."""
        self.begin, self.records = begin | {"schema": SCHEMA}, []
        self._rows = self._open_rows()
        append(self._file, json.dumps(self.begin).encode() + b"\n")

    def add(self, record, rows):
        """One run. The header goes before the first one's rows."""
        append(self._rows, (b"" if self.records else self._header()) + text_of(rows))
        self.records.append(record | {"csv_bytes": self._rows.tell()})
        append(self._file, json.dumps(self.records[-1]).encode() + b"\n")

    def close(self):
        self._file.close()
        if self._rows is not None:
            self._rows.close()
