# SPDX-License-Identifier: MIT
"""workshop.py - a copy of the sources in the build folder, edited, built and run.

The copy has a build folder of its own. Both stay from one run of the test to the next,
and files that have not changed keep their times: nothing is built twice. Without edits
what runs is what the build folder itself has.
"""
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("include", "guest-payload", "hosts", "vmm", "bench", "tests", "meson.build")

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
        self.original = build
        self.vmm = vmm                  # of the unedited sources
        self.source = build / "mutants" / "source"
        self.build = build / "mutants" / "build"

    def prepare(self, *options):
        wanted = set(source_files())
        for path in [path for path in self.source.rglob("*") if path.is_file()]:
            if path.relative_to(self.source) not in wanted:
                path.unlink()
        for file in wanted:
            self.write(file, (ROOT / file).read_bytes())
            shutil.copymode(ROOT / file, self.source / file)
        if not (self.build / "build.ninja").exists():
            call("meson", "setup", *options, self.build, self.source)

    def write(self, file, content):
        path = self.source / file
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    @contextlib.contextmanager
    def built(self, mutant, edits, targets):
        """The folder that has @targets of the sources with @edits."""
        if not edits:
            yield self.original
            return
        files = edited(mutant, edits)
        try:
            for file, text in files.items():
                self.write(file, text.encode())
            call("ninja", "-C", self.build, *targets)
            yield self.build
        finally:
            for file in files:
                self.write(file, (ROOT / file).read_bytes())

    def run(self, mutant, edits):
        """Runs without end, each one's status, words on stderr, and protocols of the
        summary by name. No status: there is no result, and the words say why."""
        payload = payload_of(mutant)
        with self.built(mutant, edits, [payload if mutant.guest else "vmm"]) as folder:
            vmm = self.vmm if mutant.guest or not edits else folder / "vmm"
            operand = [folder / payload] if mutant.guest else []
            while True:
                yield run_once([vmm, *mutant.run.options, *operand])

    def test(self, mutant, edits):
        """The mutant's tests, and the exit status of each; None when it does not end."""
        targets = [f"tests/{test.name}" for test in mutant.tests]
        with self.built(mutant, edits, targets) as folder:
            for test, target in zip(mutant.tests, targets):
                try:
                    done = subprocess.run([folder / target, *test.arguments], check=False,
                                          capture_output=True, timeout=TEST_LIMIT_S)
                    yield test, done.returncode
                except subprocess.TimeoutExpired:
                    yield test, None


def payload_of(mutant):
    name = mutant.run.payload
    return f"tests/guest/{name}" if name else "guest-payload/payload"


def run_once(command):
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([*command, "--out", folder], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=RUN_LIMIT_S,
                                  check=False)
            summary = json.loads(pathlib.Path(folder, "summary.json").read_text("utf-8"))
        except (subprocess.TimeoutExpired, OSError, ValueError) as error:
            return None, str(error), {}
    return done.returncode, done.stderr, {p["name"]: p for p in summary["protocols"]}
