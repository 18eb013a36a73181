#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In a fully preemptible kernel KVM stores over the byte of a vCPU that it schedules out: park
settles that first, and KVM does every flush on entry that was asked for, with nested paging and
without. A vmm whose parks do not settle loses some."""
import pathlib
import sys
import tempfile

from machine import Machine, check
from bench import SAFE, read_summary

sys.path.insert(2, str(pathlib.Path(__file__).resolve().parents[1] / "mutants"))
from mutants import TABLE       # noqa: E402
from workshop import Workshop   # noqa: E402

# Two processes that wake up all the time: KVM_RUN gets preempted in the few microseconds
# before KVM looks at its byte. They end with the machine.
WAKING = """
for cpu in 0 1; do
	nice -n -20 python3 -c 'import time
while True: time.sleep(0.0002)' &
done
exec "$@" """
OPTIONS = ["--vcpus", "8", "--overcommit", "4", "--slice-us", "2000", "--pace-us", "0",
           "--entry-flush", "steal", "--extra", "flushes", "-q"]
LOSING_RUNS = 4         # each loses some of a thousand; some lose none


def run(machine, vmm, *options):
    """Status, and the protocols of the summary."""
    with tempfile.TemporaryDirectory() as folder:
        done = machine.inside("sh", "-c", WAKING, "sh", vmm, *OPTIONS, *options, "--out", folder)
        check(done.status in (0, 1), f"{machine.host}: status {done.status}: {done.err}")
        return done.status, read_summary(folder)["protocols"]


def tell(machine, protocol):
    asked, flushed = protocol["entry_flushes_asked"], protocol["entry_flushes_done"]
    print(f"{machine.host}: {protocol['name']}: {asked} flushes on entry asked for, {flushed} "
          f"done, {protocol['stale']} stale of {protocol['checks']}", flush=True)
    return asked, flushed


def check_all_done(machine):
    """Of what initiators ask for the VMM does not see all."""
    status, protocols = run(machine, machine.vmm, "--protocol", "deferred,takeover,generation",
                            "--duration", "10")
    check(status == 0, f"{machine.host}: status {status}")
    for protocol in protocols:
        name, (asked, flushed) = protocol["name"], tell(machine, protocol)
        check(name in SAFE and protocol["stale"] == 0 and protocol["checks"] > 0, f"{protocol}")
        check(asked > 100, f"{name}: {asked} asked for")
        check(flushed == asked if name == "generation" else flushed >= asked,
              f"{name}: {asked} asked for, {flushed} done")


def check_some_get_lost(machine, vmm):
    for _ in range(LOSING_RUNS):
        _, (protocol,) = run(machine, vmm, "--protocol", "generation", "--duration", "30")
        asked, flushed = tell(machine, protocol)
        if flushed < asked:
            return
    check(False, f"{machine.host}: none is lost when park does not settle")


def main():
    machines = [Machine(f",npt={npt},args=preempt=full") for npt in (1, 0)]
    for machine in machines:
        check_all_done(machine)
    mutant = next(m for m in TABLE if m.name == "park_does_not_settle")
    workshop = Workshop(pathlib.Path(machines[0].build), pathlib.Path(machines[0].vmm))
    workshop.prepare()
    with workshop.built(mutant, mutant.bug, ["vmm"]) as folder:
        for machine in machines:
            check_some_get_lost(machine, folder / "vmm")


main()
