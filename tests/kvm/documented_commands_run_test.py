#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every command of the documentation runs: README.md, CONTRIBUTING.md, docs/ and the READMEs
of folders. A run of vmm is made here, short; other commands here or in the test that is named.
What a new user types first always runs, all with --long. An option that stands for itself is one
that vmm or a script knows, and it takes the value that it has in the text. A command that is
new, or gone, has to be told here.
"""
import pathlib
import re
import subprocess
import tempfile

from bench import EMULATED, Bench, check, fail, require

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md"),
                ROOT / "tests/README.md"])

SHORT = ["--duration", "0.1", "--warmup", "0.01"]
MINUTES = "2" if EMULATED else "0.4"    # for every part of the page
# What ./run would do, with less of it. Runs of vmm are made as they are written, but short.
HERE = {
    "./run bench churn --duration 0.4 --pairs 24": [
        "churn", "--duration", "0.1", "--rounds", "1", "--pairs", "1", "--overcommit", "1,2",
        "--protocol", "ipi,generation"],
    "./run bench scale": ["scale", "--vcpus", "2,4", "--rounds", "1", "--duration", "0.1"],
    "./run bench spinning": ["spinning", "--rounds", "1", "--duration", "0.1", "--ple", "50"],
    "./run bench teardown": ["teardown", "--rounds", "1", "--flushes", "20",
                             "--protocol", "generation"],
    "./run bench": ["sweep", "--quick", "--minutes", MINUTES, "--rounds", "2", "--vcpus", "2,4",
                    "--slots", "1", "--initiators", "1", "--slice-us", "500",
                    "--protocol", "ipi,generation"],
}
# What a new user types; the others in the long form. A sweep takes minutes where all is slow.
FIRST = ["./run vmm --vcpus 8 --overcommit 4", *([] if EMULATED else ["./run bench"])]
TESTED = {
    "./run bench costs": "costs_stand_beside_floors",
    "./run bench shadow [--rounds N]": "shadow_cost_prints_its_tables",
    "./run bench sim": "sim_stands_beside_measurement",
    "./run bench soak": "soak_goes_on_where_it_was",
    "./run bench stall_parts": "stall_parts_follow_the_csv",
    "./run vmm --protocol by-word,deferred": "example_protocol_builds",
    "bench/compare A B": "compare_tells_noise_from_change",
    "build/vmm --vcpus 4 --overcommit 2 --protocol generation exit_cost": "example_payload_runs",
    "ctest --test-dir build": "ctest_lists_every_test",
    "meson install -C build": "install_puts_everything_in_place",
}
# What runs this test, or stands for others.
FORMS = {"./run", "./run build", "./run bench NAME", "./run vmm", "./run vmm OPTIONS", "ctest",
         "./run --on HOST COMMAND", "./run enter COMMAND", "./run test NAME", "./run test SUITE",
         "meson test -C build NAME"}

COMMAND = re.compile(r"(\./run|\./vmm|build/\S+ |bench/compare |meson |ctest\b)")
HOSTED = re.compile(r"\./run --on (\w+)(\S*) (vmm|enter) (.*)")
# Where commands in these machines are tested.
MACHINES = {"amd": "commands_run_in_a_machine", "intel": "commands_run_in_an_intel_machine"}
VMM = re.compile(r"(?:\./run vmm|build/vmm|\./vmm) (.+)")
TEST = re.compile(r"\./run test\b(.*)")
# For words in capitals, by the option that they belong to where it matters.
VALUES = {"US": "100", "FILE": "OUT/trace.json", "P": "2", "N": "1", "K": "1", "RATE": "10",
          "HOST,KEY=VALUE,...": "amd,npt=0", "--litmus=NAME": "two-initiators"}
# A payload is read at once, and an example has to be built.
OPERANDS = {"FILE": "BUILD/guest-payload/example/exit_cost"}


def told(text):
    """The commands and options in @text."""
    fenced, prose = False, []
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            prose.append(line)
        else:
            line = line.removeprefix("$ ").split("  #")[0].strip()
            if COMMAND.match(line):
                yield line
    for span in re.findall(r"`([^`]+)`", "\n".join(prose)):
        if COMMAND.match(span) or span.startswith("--"):
            yield " ".join(span.split())


def check_all_are_known(commands):
    tests = (ROOT / "tests/meson.build").read_text(encoding="utf-8")
    known = {*HERE, *TESTED, *FORMS}
    for command in sorted(commands - known):
        if not any(form.match(command) for form in (VMM, TEST, HOSTED)):
            fail(f"no test runs {command!r}")
    for command in sorted(known - FORMS - commands):
        fail(f"{command!r} is in no text any more")
    for test in {*TESTED.values(), *MACHINES.values()}:
        check(f"'{test}'" in tests, f"there is no test {test}")


def check_tests_are_there(bench, command):
    """Those that ./run test names."""
    words = [word for word in command.split()[2:] if word != "--list"]
    done = subprocess.run([ROOT / "tests/run_tests", bench.build, "--list", *words],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 0 and done.stdout, f"{command}: {done.stderr}")


def check_host_is_known(bench, command):
    """The machine, and what vmm is to do there."""
    host, keys, what, words = HOSTED.match(command).groups()
    check(host in MACHINES, f"{command}: no test has such a machine")
    options = words.split() if what == "vmm" else []
    done = subprocess.run([bench.vmm, "--on", host + keys, *options, "--list-protocols"],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{command}: {done.stderr}")


def words_of(bench, command):
    """What is run for @command, with OUT for a folder of its own."""
    found = VMM.match(command)
    if not found:
        return [str(ROOT / "bench" / "bench.py"), bench.vmm, *HERE[command], "--out", "OUT"]
    words = [OPERANDS.get(word, word) for word in found[1].split()]
    words = [word.replace("BUILD/", "build/").replace("build/", f"{bench.build}/")
             for word in words]
    if words == ["--host"]:
        return [bench.vmm, *words]
    return [bench.vmm, *SHORT, *words, "--out", "OUT"]


def run(bench, command):
    with tempfile.TemporaryDirectory() as out:
        words = [word.replace("OUT", out) for word in words_of(bench, command)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=out, check=False,
                              timeout=600)
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
    # summary.json, host.json and sweep.json follow their schemas, or the page says that not.
    page = (out / "index.html").read_text(encoding="utf-8")
    check(" is left out" not in page, "./run bench: a file that does not follow its schema")


def check_option(bench, option, known, scripts):
    option = re.sub(r"\[=(\w+)\]", r"=\1", option)
    name = option.split("=")[0].split()[0]
    if name not in known:
        check(any(f'"{name}"' in text for text in scripts) or
              name in ("--slots", "--vcpus"), f"nobody knows {option}")
        return
    words = re.split(r"[ =]" if name == "--litmus" else " ", option, maxsplit=1)
    if len(words) == 1:
        return                  # named alone; with its value elsewhere
    value = VALUES.get(option, VALUES.get(words[1], words[1]))
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([bench.vmm, f"{name}={value.replace('OUT', out)}",
                               "--list-protocols"], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{option}: {done.stderr}")


def main():
    require("require_kvm")
    bench = Bench()
    found = {span for text in TEXTS for span in told(text.read_text(encoding="utf-8"))}
    options = {span for span in found if span.startswith("--")}
    commands = found - options
    check(len(commands) > 30 and len(options) > 40, f"{len(found)} commands: where are they?")
    check_all_are_known(commands)
    known = set(re.findall("--[a-z-]+", bench.run([bench.vmm, "--help"]).out))
    scripts = [path.read_text(encoding="utf-8") for path in
               [*(ROOT / "bench").glob("*/*.py"), ROOT / "bench/compare", ROOT / "tests/run_tests"]]
    for option in sorted(options):
        check_option(bench, option, known, scripts)
    for command in filter(TEST.match, commands - FORMS):
        check_tests_are_there(bench, command)
    for command in filter(HOSTED.match, commands):
        check_host_is_known(bench, command)
    here = [command for command in sorted(commands - {*TESTED, *FORMS})
            if command in HERE or VMM.match(command)]
    chosen = here if bench.long else FIRST
    for command in chosen:
        run(bench, command)
    print(f"{len(chosen)} of {len(here)} commands run, {len(TESTED)} elsewhere; "
          f"{len(options)} options")


main()
