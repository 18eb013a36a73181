#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every command of README.md and bench/README.md runs: here, made short, or in the test
that is named; the first ones always, all with --long. Options stand for themselves: vmm or a script knows each, and takes it with
the value it has in the text. A command that is new, or gone, has to be told here.
"""
import pathlib
import re
import shutil
import subprocess
import tempfile

from bench import Bench, check, fail, require

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = ["README.md", "bench/README.md"]

SHORT = ["--duration", "0.1", "--warmup", "0.01"]
# What ./run would do, with less of it; OUT is a folder of its own.
HERE = {
    "./run vmm --vcpus 8 --overcommit 4": ["VMM", "--vcpus", "8", "--overcommit", "4", *SHORT],
    "./vmm --vcpus 8 --overcommit 4": None,                     # the same
    "build/vmm --host": ["VMM", "--host"],
    "build/vmm FILE": ["VMM", "BUILD/guest-payload/example/exit_cost", "--flushes", "10"],
    "./run bench churn --duration 0.4 --pairs 24": [
        "churn", "--duration", "0.1", "--rounds", "1", "--pairs", "1", "--overcommit", "1,2",
        "--protocol", "ipi,generation"],
    "./run bench scale": ["scale", "--vcpus", "2,4", "--rounds", "1", "--duration", "0.1"],
    "./run bench spinning": ["spinning", "--rounds", "1", "--duration", "0.1", "--ple", "50"],
    "./run bench teardown": ["teardown", "--rounds", "1", "--flushes", "20",
                             "--protocol", "generation"],
    "./run bench": ["sweep", "--quick", "--minutes", "0.4", "--rounds", "2", "--vcpus", "2,4",
                    "--slots", "1", "--initiators", "1", "--slice-us", "500",
                    "--protocol", "ipi,generation"],
}
# What a new user types; the others in the long form.
FIRST = ["./run vmm --vcpus 8 --overcommit 4", "./run bench"]
TESTED = {
    "./run bench costs": "costs_stand_beside_floors",
    "./run bench shadow [--rounds N]": "shadow_cost_prints_its_tables",
    "./run bench sim": "sim_stands_beside_measurement",
    "./run bench soak": "soak_goes_on_where_it_was",
    "./run bench stall_parts": "stall_parts_follow_the_csv",
    "./run svm": "holds_on_kvm_amd",
    "./run svm --npt 0 --litmus": "holds_on_kvm_amd",
    "bench/compare A B": "compare_tells_noise_from_change",
    "build/bench/sim": "sim_stands_beside_measurement",
    "ctest --test-dir build": "ctest_lists_every_test",
    "meson install -C build": "install_puts_everything_in_place",
}
# What runs this test, or stands for others.
FORMS = {"./run", "./run test", "./run test --long", "./run bench NAME", "ctest"}

COMMAND = re.compile(r"(\./run|\./vmm|build/|bench/compare|meson |ctest\b)")
VALUES = {"US": "100", "DIR": "OUT", "FILE": "OUT/trace.json", "P": "2", "N": "1",
          "RATE": "10", "NAME": "two-initiators", "LIST": "ipi", "S": "0.1", "X": "1", "M": "1"}


def told(text):
    """The commands and options in @text."""
    for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            line = line.removeprefix("$ ").split("  #")[0].strip()
            if COMMAND.match(line):
                yield line
    prose = re.sub(r"^```\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for span in re.findall(r"`([^`]+)`", prose):
        if COMMAND.match(span) or span.startswith("--"):
            yield " ".join(span.split())


def check_all_are_known(commands):
    tests = (ROOT / "tests/meson.build").read_text(encoding="utf-8")
    known = {*HERE, *TESTED, *FORMS}
    for command in sorted(commands - known):
        fail(f"no test runs {command!r}")
    for command in sorted(known - FORMS - commands):
        fail(f"{command!r} is in no README any more")
    for test in set(TESTED.values()):
        check(f"'{test}'" in tests, f"there is no test {test}")


def run(bench, command):
    words = HERE[command]
    if words is None:
        return
    with tempfile.TemporaryDirectory() as out:
        words = [word.replace("BUILD", bench.build) for word in words]
        words = ([bench.vmm, *words[1:]] if words[0] == "VMM" else
                 [str(ROOT / "bench" / "bench.py"), bench.vmm, *words])
        done = subprocess.run([*words, "--out", out], capture_output=True, text=True,
                              check=False, timeout=600)
        check(done.returncode == 0, f"{command}: status {done.returncode}: {done.stderr}")
        check(done.stdout.strip(), f"{command} says nothing")
        if words[2:3] == ["sweep"]:
            check_sweep(pathlib.Path(out), done)


def check_sweep(out, done):
    """The way of one command to its page."""
    for name in ["flush-latency.csv", "summary.csv", "sweep.json", "parts.csv", "costs.csv",
                 "index.html"]:
        check((out / name).stat().st_size > 0 and name in done.stdout,
              f"./run bench: no {name}: {done.stdout}{done.stderr}")
    check(list((out / "plots").glob("*.svg")), "./run bench: no pictures")
    check("Traceback" not in done.stderr, f"./run bench: {done.stderr}")


def check_option(bench, option, manual, scripts):
    name = option.split("=")[0].split()[0]
    if f"Fl {name[2:]}\n" not in manual and f"Fl {name[2:]} " not in manual:
        check(any(f'"{name}"' in text for text in scripts) or
              name in ("--slots", "--vcpus", "--npt"), f"nobody knows {option}")
        return
    words = [VALUES.get(word, word) for word in re.split(r"[ ]", option)]
    if len(words) == 1 and "=" not in option:
        return                  # named alone; with its value elsewhere
    words[-1] = re.sub("=([A-Z]+)$", lambda found: f"={VALUES[found[1]]}", words[-1])
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([bench.vmm, *(word.replace("OUT", out) for word in words),
                               "--list-protocols"], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{option}: {done.stderr}")


def main():
    require("require_kvm")
    check(shutil.which("gnuplot"), "gnuplot is missing (Debian package gnuplot-nox)")
    bench = Bench()
    found = {span for name in TEXTS for span in told((ROOT / name).read_text(encoding="utf-8"))}
    options = {span for span in found if span.startswith("--")}
    check(len(found) > 40 and len(options) > 20, f"{len(found)} commands: where are they?")
    check_all_are_known(found - options)
    manual = (ROOT / "vmm/vmm.1").read_text(encoding="utf-8")
    scripts = [path.read_text(encoding="utf-8") for path in
               [*(ROOT / "bench").glob("*/*.py"), ROOT / "bench/compare"]]
    for option in sorted(options):
        check_option(bench, option, manual, scripts)
    commands = HERE if bench.long else FIRST
    for command in commands:
        run(bench, command)
    print(f"{len(commands)} commands run, {len(TESTED)} elsewhere; {len(options)} options")


main()
