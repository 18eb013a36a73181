# SPDX-License-Identifier: MIT
"""workshop.py - a copy of the sources in the build folder, edited, built and run.

The copy has a build folder of its own. Both stay from one run of the test to the next,
and files that have not changed keep their times: nothing is built twice.
"""
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("include", "guest-payload", "vmm", "bench", "tests", "meson.build")

# A run takes a second; the limit is for a mutant that hangs its guest.
RUN_LIMIT_S = 100
TEST_LIMIT_S = 300


class Broken(Exception):
    """The sources do not build: nothing is proved."""


def read_source(file):
    return (ROOT / file).read_text(encoding="utf-8")


def edited(mutant, edits):
    """The files that @edits of a mutant are of, and their new text. ValueError where one
    has changed."""
    files = {}
    for edit in edits:
        text = files.get(edit.file) or read_source(edit.file)
        if text.count(edit.old) != 1:
            raise ValueError(f"{mutant.name}: {edit.file} has {text.count(edit.old)} times what "
                             f"it edits; look at the mutant again:\n{edit.old}")
        files[edit.file] = text.replace(edit.old, edit.new)
    return files


def call(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def source_files():
    for name in SOURCES:
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)


class Workshop:
    def __init__(self, build, vmm):
        self.source = build / "mutants" / "source"
        self.build = build / "mutants" / "build"
        self.vmm = vmm                  # of the unedited sources

    def prepare(self):
        wanted = set(source_files())
        for path in [path for path in self.source.rglob("*") if path.is_file()]:
            if path.relative_to(self.source) not in wanted:
                path.unlink()
        for file in wanted:
            self.write(file, (ROOT / file).read_bytes())
            shutil.copymode(ROOT / file, self.source / file)
        if not (self.build / "build.ninja").exists():
            call("meson", "setup", self.build, self.source)

    def write(self, file, content):
        path = self.source / file
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    @contextlib.contextmanager
    def edited(self, mutant, edits):
        files = edited(mutant, edits)
        try:
            for file, text in files.items():
                self.write(file, text.encode())
            yield
        finally:
            for file in files:
                self.write(file, (ROOT / file).read_bytes())

    def ninja(self, *targets):
        if targets:
            call("ninja", "-C", self.build, *targets)

    def payload(self, run):
        return f"tests/guest/{run.payload}" if run.payload else "guest-payload/payload"

    def targets(self, mutant):
        """What has to be built for the mutant's run."""
        return [self.payload(mutant.run)] if mutant.guest else ["vmm"]

    def run(self, mutant):
        """Status, words on stderr, and the protocols of the summary by name; the status
        is None, and the words say why, when there is no result."""
        vmm, operand = self.build / "vmm", []
        if mutant.guest:
            vmm, operand = self.vmm, [self.build / self.payload(mutant.run)]
        with tempfile.TemporaryDirectory() as folder:
            try:
                done = subprocess.run([vmm, "--out", folder, *mutant.run.options, *operand],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      timeout=RUN_LIMIT_S, check=False)
                summary = json.loads(pathlib.Path(folder, "summary.json").read_text("utf-8"))
            except (subprocess.TimeoutExpired, OSError, ValueError) as error:
                return None, str(error), {}
        return done.returncode, done.stderr, {p["name"]: p for p in summary["protocols"]}

    def run_test(self, test):
        """Its exit status; None when it has none."""
        try:
            done = subprocess.run([self.build / "tests" / test.name, *test.arguments],
                                  capture_output=True, text=True, timeout=TEST_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            return None
        return done.returncode
