#!/usr/bin/env python3
"""Programs that mean harm: Ochre, and whoever runs beside them, must not notice.

usage: storms.py [--on virt|x86|rpi] [--smp N] [--mem SIZE] [--calls N] [--seed N] [NAME...]

Runs tests/posix/stress in one boot and prints a line of each test, `ok NAME` or `FAIL NAME: why`; the status
says whether all went well. A failing `fuzz` names the seeds that were alive: --seed with --calls 500 makes
one of them again. A machine that died is a failure of the test that ran.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from corpus import ARCHES, ROOT

from qemu import without_make

PROGRAM = "stress"
# Those that take a minute of a CPU together, with so many calls of the fuzzer.
SHORT = (
    "forks", "orphans", "pipes", "descriptors", "threads", "kills", "memory", "mappings", "inherited", "stack", "tmp",
    "mapped-file", "directory", "deep", "stops", "hog-pipes", "hog-descriptors", "hog-threads", "hog-groups", "hog-memories",
    "fuzz",
)  # fmt: skip
FEW = 20_000
# Seconds for all tests, and for so many calls of the fuzzer.
LIMIT = 300
CALLS_PER_SECOND = 500


def main():
    options = arguments()
    failed = 0
    for name, problem, output in run(options.on, options.smp, options.names, options.calls, options.seed, options.mem):
        failed += bool(problem)
        print(output + (f"FAIL {name}: {problem}" if problem else f"ok {name}"), flush=True)
    return int(failed > 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", choices=ARCHES, default="virt")
    parser.add_argument("--smp", default="4")
    parser.add_argument("--mem", default="256M")
    parser.add_argument("--calls", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*")
    return parser.parse_intermixed_args()


def run(platform, smp, names, calls, seed=1, mem="256M"):
    """(name, what went wrong or None, what it said) of each test, as it ends."""
    with tempfile.TemporaryDirectory(prefix="storms-") as folder:
        program = pathlib.Path(folder, "tests", PROGRAM)
        program.parent.mkdir()
        program.write_bytes((ROOT / "target/posix" / ARCHES[platform] / PROGRAM).read_bytes())
        program.chmod(0o755)
        command = f"CALLS={calls} SEED={seed} /tests/{PROGRAM} {' '.join(names)}"
        words = [f"CMD={command}", f"ROOT={folder}", f"SMP={smp}", f"MEM={mem}"]
        limit = LIMIT + calls // CALLS_PER_SECOND
        line = ["timeout", str(limit), "make", "-s", "--no-print-directory", f"exec-{platform}", *words]
        with subprocess.Popen(
            line, cwd=ROOT, env=without_make(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        ) as machine:  # fmt: skip
            yield from outcomes(machine)


def outcomes(machine):
    """Those of the tests that a machine runs."""
    running, output, last, failed = None, "", "", False
    for text in machine.stdout:
        word, _, rest = text.rstrip().partition(" ")
        if word == "run":
            running, output, last = rest, "", ""
        elif word in ("ok", "FAIL") and running:
            failed |= word == "FAIL"
            yield running, rest.partition(": ")[2] if word == "FAIL" else None, output
            running = None
        elif word == "fuzz:":
            last = rest
        else:
            output += text
    machine.wait()
    if running or bool(machine.returncode) != failed:
        yield running or "the machine", f"it did not live to its end, status {machine.returncode}; {last}", output


if __name__ == "__main__":
    sys.exit(main())
