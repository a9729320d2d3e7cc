#!/usr/bin/env python3
"""The corpus of scripts that Linux and Ochre must run alike.

usage: corpus.py record [NAME...]
       corpus.py check [--on linux|virt|x86|rpi] [--arch ARCH] [--smp N] [NAME...]

A case is cases/NAME.sh; expected/NAME has what Linux made of it: a line with the status and the lengths
of standard output and error, then their bytes. All cases run in one boot. `record` runs them twice, on
one CPU and on four, and on both architectures, and refuses those that do not come out the same. NAME may have * in it.
"""

import argparse
import dataclasses
import difflib
import fnmatch
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import linux  # noqa: E402
from qemu import without_make  # noqa: E402

CASES = HERE / "cases"
EXPECTED = HERE / "expected"
COMMAND = "/tests/run-cases /tests/cases"
ARCHES = {"virt": "aarch64", "rpi": "aarch64", "x86": "x86_64"}
LIMIT = 1200


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a case wrote and how it ended."""

    status: str
    out: bytes
    err: bytes

    def bytes(self):
        return f"{self.status} {len(self.out)} {len(self.err)}\n".encode() + self.out + self.err

    def lines(self):
        parts = (("out", self.out), ("err", self.err))
        text = [f"{name}: {line}" for name, data in parts for line in shown(data)]
        return [f"status {self.status}", *text]


def shown(data):
    """Lines of any bytes, printable."""
    return [repr(line)[2:-1] for line in data.split(b"\n")]


def main():
    options = arguments()
    names = [name for name in every_name() if is_chosen(name, options.names)]
    if not names:
        sys.exit(f"corpus: no case is called {' '.join(options.names)}")
    return record(names, options) if options.verb == "record" else check(names, options)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=("record", "check"))
    parser.add_argument("--on", choices=("linux", *ARCHES), default="virt")
    parser.add_argument("--arch", choices=linux.DEBIAN, help="of linux; without it both record, and aarch64 checks")
    parser.add_argument("--smp", default="4")
    parser.add_argument("names", nargs="*")
    return parser.parse_intermixed_args()


def every_name():
    return sorted(path.stem for path in CASES.glob("*.sh"))


def is_chosen(name, patterns):
    return not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


# The two verbs ----------------------------------------------------------------------------------


def record(names, options):
    """Writes down what Linux does, where it always does the same."""
    arches = [options.arch] if options.arch else linux.DEBIAN
    runs = {f"{arch}, {smp} CPUs": run("linux", arch, names, smp) for arch in arches for smp in "14"}
    EXPECTED.mkdir(exist_ok=True)
    unsteady = 0
    for name in names:
        outcomes = {how: outcomes.get(name) for how, outcomes in runs.items()}
        first, *rest = outcomes.values()
        if first is None or any(other != first for other in rest):
            unsteady += 1
            print(f"corpus: {name} is not always the same:")
            report(first, next((other for other in rest if other != first), first))
        else:
            (EXPECTED / name).write_bytes(first.bytes())
    for path in EXPECTED.iterdir():
        if path.name not in every_name():
            path.unlink()
    print(f"{len(names) - unsteady} recorded on {'; '.join(runs)}; {unsteady} refused")
    return 1 if unsteady else 0


def check(names, options):
    """Compares what a system does with what is recorded."""
    arch = ARCHES.get(options.on, options.arch or "aarch64")
    failed = 0
    for name, difference in compare(options.on, arch, names, options.smp):
        failed += bool(difference)
        if difference:
            print(f"FAIL {name}\n" + "\n".join("     | " + line for line in difference))
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


def compare(system, arch, names, smp):
    """(name, lines of difference) of each case."""
    outcomes = run(system, arch, names, smp)
    for name in names:
        yield name, differences(expected(name), outcomes.get(name))


def expected(name):
    path = EXPECTED / name
    return parse_one(path.read_bytes())[0] if path.exists() else None


def report(before, after):
    print("\n".join("     | " + line for line in differences(before, after)))


def differences(before, after):
    """A diff of two outcomes; either may not be there."""
    if before == after and before is not None:
        return []
    texts = [outcome.lines() if outcome else ["(nothing)"] for outcome in (before, after)]
    return list(difflib.unified_diff(*texts, "expected", "found", lineterm="", n=2))[:60] or ["(nothing)"]


# Runs -------------------------------------------------------------------------------------------


def run(system, arch, names, smp):
    """{name: outcome} of all that came to an end."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        tests = pathlib.Path(folder, "tests")
        (tests / "cases").mkdir(parents=True)
        for program in ("run-cases", "abi-test", "typist"):
            shutil.copy2(ROOT / "target" / "posix" / arch / program, tests)
        for name in names:
            shutil.copyfile(CASES / f"{name}.sh", tests / "cases" / f"{name}.sh")
        if system == "linux":
            out, err, status = linux.run(COMMAND, arch=arch, smp=smp, root=folder, limit=LIMIT)
        else:
            out, err, status = ochre(system, COMMAND, folder, smp)
    outcomes, times = parse(out)
    longest = sorted(times.items(), key=lambda item: -item[1])[:8]
    print(f"{sum(times.values()) / 1000:.0f} s; longest:", *(f"{name} {ms} ms" for name, ms in longest), flush=True)
    if status or err or len(outcomes) != len(names):
        print(f"corpus: {system} ran {len(outcomes)} of {len(names)}, status {status}: {err[-500:]}", flush=True)
    return outcomes


def ochre(platform, command, folder, smp, *variables):
    """Runs a command on Ochre: (out, err, status)."""
    words = [f"CMD={command}", f"ROOT={folder}", f"SMP={smp}", *variables]
    try:
        done = subprocess.run(
            ["make", "-s", "--no-print-directory", f"exec-{platform}", *words], cwd=ROOT, env=without_make(),
            stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        return late.stdout or b"", late.stderr or b"", "none in time"
    return done.stdout, done.stderr, done.returncode


CASE = re.compile(rb"@case (\S+) (\d+) ")


def parse(text):
    """What run-cases prints, by name."""
    outcomes, times, at = {}, {}, 0
    while head := CASE.match(text, at):
        try:
            outcome, at = parse_one(text, head.end())
        except ValueError:
            break
        outcomes[head[1].decode()] = outcome
        times[head[1].decode()] = int(head[2])
        at += 1
    return outcomes, times


def parse_one(text, at=0):
    """The outcome that begins at a place, and where it ends."""
    end = text.index(b"\n", at)
    status, *lengths = text[at:end].split()
    out, err = map(int, lengths)
    middle, after = end + 1 + out, end + 1 + out + err
    if after > len(text):
        raise ValueError("it is cut")
    return Outcome(status.decode(), text[end + 1 : middle], text[middle:after]), after


if __name__ == "__main__":
    sys.exit(main())
