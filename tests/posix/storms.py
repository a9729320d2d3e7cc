#!/usr/bin/env python3
"""Programs that mean harm: Ochre, and whoever runs beside them, must not notice.

usage: storms.py [--on virt|x86|rpi] [--smp N] [--mem SIZE] [--calls N] [--seed N] [NAME...]

Runs tests/posix/stress in one boot and prints its lines, `ok NAME` or `FAIL NAME: why`; the status says
whether all went well. A failing `fuzz` names the seeds that were alive: --seed with --calls 500 makes
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
# Seconds for all tests, and for so many calls of the fuzzer.
LIMIT = 300
CALLS_PER_SECOND = 500


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="storms-") as folder:
        program = pathlib.Path(folder, "tests", PROGRAM)
        program.parent.mkdir()
        program.write_bytes((ROOT / "target/posix" / ARCHES[options.on] / PROGRAM).read_bytes())
        program.chmod(0o755)
        return run(options, folder)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", choices=ARCHES, default="virt")
    parser.add_argument("--smp", default="4")
    parser.add_argument("--mem", default="256M")
    parser.add_argument("--calls", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*")
    return parser.parse_intermixed_args()


def run(options, folder):
    """Runs the program, and passes on what it says as it comes."""
    command = f"CALLS={options.calls} SEED={options.seed} /tests/{PROGRAM} {' '.join(options.names)}"
    words = [f"CMD={command}", f"ROOT={folder}", f"SMP={options.smp}", f"MEM={options.mem}"]
    limit = LIMIT + options.calls // CALLS_PER_SECOND
    line = ["timeout", str(limit), "make", "-s", "--no-print-directory", f"exec-{options.on}", *words]
    running, failed, last = None, 0, ""
    with subprocess.Popen(
        line, cwd=ROOT, env=without_make(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    ) as machine:  # fmt: skip
        for text in machine.stdout:
            word, _, rest = text.rstrip().partition(" ")
            if word == "run":
                running, last = rest, ""
                continue
            if word in ("ok", "FAIL"):
                failed += word == "FAIL"
                running = None
            elif word == "fuzz:":
                last = rest
                continue
            print(text, end="", flush=True)
    if running:
        print(f"FAIL {running}: the machine did not live to its end, status {machine.returncode}; {last}")
    return int(bool(running) or failed > 0 or machine.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
