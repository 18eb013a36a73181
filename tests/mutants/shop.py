# SPDX-License-Identifier: MIT
"""shop.py - a copy of the sources with one small change, and the unit tests that use it.

By hand, because a change is to cost a fraction of a second: only the objects that the
changed file is part of are compiled, and only programs that have such an object are linked.
An object that is as it was, byte for byte, is no reason to run a test.
"""
import dataclasses
import json
import os
import pathlib
import re
import resource
import shlex
import subprocess
import tempfile
import time

import changes
from workshop import ROOT, Broken, Workshop, call

OPTIONS = ["-Ddebug=false", "-Doptimization=1"] # no line numbers: equal code is equal bytes
# They take seconds, and are about the kernel's part.
LEFT_OUT = {"rows_are_whole_at_every_moment", "forbidden_calls_are_named"}
FILE_BYTES = 256 << 20                          # the most that a test may write


def limit_s(seconds):
    """For a test that takes so long; the host may be busy."""
    return 5 + 10 * seconds


def confine():
    """A changed program may do anything."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))


@dataclasses.dataclass
class Test:
    name: str
    link: list                  # the command, without -o and the program
    objects: set                # that it is made of, its own and the libraries'
    seconds: float = 0          # that it has taken without a change
    kills: int = 0


class Shop(Workshop):
    """@wanted: names of tests, with commas; all if empty."""

    def __init__(self, build, vmm, wanted):
        super().__init__(build, vmm)
        folder = build / "small-changes"
        self.source, self.build, self.out = folder / "source", folder / "build", folder / "changed"
        self.wanted = wanted.split(",") if wanted else []

    def begin(self):
        self.source.mkdir(parents=True, exist_ok=True)
        self.out.mkdir(exist_ok=True)
        self.prepare(*OPTIONS)
        call("ninja", "-C", self.build, "build.ninja")
        names = self.read_names()
        call("ninja", "-C", self.build, *(f"tests/{name}" for name in names))
        self.made_from = self.read_deps()
        self.compiler = self.read_compilers()
        self.tests = [self.read_test(name) for name in names]
        self.clean = {}

    def read_names(self):
        listed = json.loads((self.build / "meson-info" / "intro-tests.json").read_text("utf-8"))
        return sorted({test["name"] for test in listed if test["suite"][0].endswith(":unit")
                       and test["cmd"][0].endswith(f"/tests/{test['name']}")
                       and test["name"] not in LEFT_OUT
                       and (not self.wanted or test["name"] in self.wanted)})

    def ninja(self, *arguments):
        done = subprocess.run(["ninja", "-C", self.build, "-t", *arguments], check=True,
                              capture_output=True, text=True)
        return done.stdout.splitlines()

    def read_deps(self):
        """{object: files that it was made from}, all below the copy."""
        deps, now = {}, None
        for line in self.ninja("deps"):
            if line and line[0] != " ":
                now = deps.setdefault(line.split(":")[0], set())
            elif line.strip():
                path = pathlib.Path(os.path.normpath(self.build / line.strip()))
                if path.is_relative_to(self.source):
                    now.add(str(path.relative_to(self.source)))
        return deps

    def read_compilers(self):
        """{object: command}, without the words that say where results go."""
        commands = json.loads((self.build / "compile_commands.json").read_text("utf-8"))
        compilers = {}
        for entry in commands:
            words = shlex.split(entry["command"])
            words = words[1:] if words[0].endswith("ccache") else words
            for name in ("-MQ", "-MF", "-o"):
                at = words.index(name) if name in words else len(words)
                del words[at:at + 2]
            compilers[entry["output"]] = [word for word in words if word != "-MD"] + ["-w"]
        return compilers

    def read_test(self, name):
        words = shlex.split(self.ninja("commands", f"tests/{name}")[-1])
        at = words.index("-o")
        link = words[:at] + words[at + 2:]
        done = subprocess.run([*link, "-o", self.out / "program", "-Wl,--trace"], cwd=self.build,
                              check=True, capture_output=True, text=True)
        objects = set()
        for line in done.stdout.splitlines():   # an object, or one of an archive's
            found = re.fullmatch(r"(?:\(?(.*\.a)\)?)?\(?(.*\.o)\)?", line)
            member = f"{found[1]}.p/{found[2]}" if found and found[1] else line
            objects |= {known for known in (member, line, found and found[2])
                        if known in self.made_from}
        return Test(name, link, objects)

    # --- without a change ---

    def run_program(self, program, seconds):
        """Exit status; None when it does not end."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                return subprocess.run([program], cwd=folder, check=False, preexec_fn=confine,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, timeout=seconds).returncode
            except subprocess.TimeoutExpired:
                return None

    def passes(self, test, seconds):
        return self.run_program(self.build / "tests" / test.name, seconds) == 0

    def measure(self, test):
        """A busy host may fail a test; not three times."""
        for _ in range(3):
            start = time.monotonic()
            if self.passes(test, 120):
                test.seconds = time.monotonic() - start
                return
        raise Broken(f"{test.name} fails without any change")

    def tests_of(self, file):
        """Those that use @file, each of which passes: the one first that has noticed most."""
        objects = {name for name, files in self.made_from.items() if file in files}
        tests = [test for test in self.tests if test.objects & objects]
        for test in tests:
            if not test.seconds:
                self.measure(test)
        return sorted(tests, key=lambda test: (-test.kills, test.seconds))

    # --- with one ---

    def compile(self, name):
        """The bytes of the object @name of the sources as they stand; None: it has errors."""
        path = self.out / name.replace("/", "+")
        done = subprocess.run([*self.compiler[name], "-o", path], cwd=self.build, check=False,
                              capture_output=True)
        return path.read_bytes() if done.returncode == 0 else None

    def differs(self, name, file):
        """Whether the change of @file changes the object @name; None: it has errors."""
        if file not in self.made_from[name]:
            return False
        if name not in self.clean:
            self.clean[name] = (self.build / name).read_bytes()
        made = self.compile(name)
        return None if made is None else made != self.clean[name]

    def link(self, test, objects):
        """The changed program: @objects before the libraries that have them as they were."""
        changed = {name: str(self.out / name.replace("/", "+")) for name in objects}
        words = [changed.pop(word, word) for word in test.link]
        at = words.index("-Wl,--start-group")
        program = self.out / "program"
        done = subprocess.run([*words[:at], *changed.values(), *words[at:], "-o", program],
                              cwd=self.build, check=False, capture_output=True)
        return program if done.returncode == 0 else None

    def fails(self, test, program):
        """Twice, and not for want of time: the unchanged one passes in between."""
        seconds = limit_s(test.seconds)
        return self.run_program(program, seconds) != 0 and self.passes(test, seconds) \
            and self.run_program(program, seconds) != 0

    def run_tests(self, change, tests):
        outcome, differing = "same" if tests else "survived", {}
        for test in tests:
            for name in test.objects - differing.keys():
                differing[name] = self.differs(name, change.file)
                if differing[name] is None:
                    return "unbuilt", ""
            objects = {name for name in test.objects if differing[name]}
            if not objects:
                continue
            program = self.link(test, objects)
            if not program:
                return "unbuilt", ""
            if self.fails(test, program):
                test.kills += 1
                return "noticed", test.name
            outcome = "survived"
        return outcome, ""

    def try_change(self, change):
        """(outcome, test): noticed and by which, survived, same or unbuilt."""
        text = (ROOT / change.file).read_text(encoding="ascii")
        tests = self.tests_of(change.file)
        try:
            self.write(change.file, changes.changed(text, change).encode())
            return self.run_tests(change, tests)
        finally:
            self.write(change.file, text.encode())
