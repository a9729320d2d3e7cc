#!/usr/bin/env python3
"""The coreutils' own tests, on Ochre and on Linux.

usage: uutils.py record
       uutils.py check [--on linux|virt|x86|rpi] [--smp N] [--jobs N] [--part K/N] [FILTER...]

`record` runs them on Linux, and writes which do not pass there into uutests/linux. What passes there must
pass on Ochre, but for the tests that uutests/ochre names, each with the reason. Each test is a process of
its own. Time is counted in instructions, so that no test is late because this machine is busy. A FILTER
is part of a test's name, as in test_cp::. --part runs every Nth test from the Kth.
"""

import argparse
import collections
import dataclasses
import pathlib
import re
import shutil
import sys
import tempfile

import corpus
import linux

ROOT = corpus.ROOT
BUILT = ROOT / "target" / "uutests"
LISTS = corpus.HERE / "uutests"
MEMORY = "1G"
# Seconds for one test.
LIMIT = 60
# Seconds for a run.
ALL = 7200
TAIL = 30


@dataclasses.dataclass(frozen=True)
class Result:
    """How a test ended: ok, ignored, failed, limit, or cut where the machine ended first."""

    status: str
    milliseconds: int
    output: bytes


def main():
    options = arguments()
    if options.verb == "record":
        return record(options)
    return check(options)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=("record", "check"))
    parser.add_argument("--on", choices=("linux", *corpus.ARCHES), default="virt")
    parser.add_argument("--smp", default="1")
    parser.add_argument("--jobs", default="1", help="tests at a time")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--keep", type=pathlib.Path, help="a file for what the tests say")
    parser.add_argument("filters", nargs="*")
    return parser.parse_intermixed_args()


# The two verbs ----------------------------------------------------------------------------------


def record(options):
    """Writes down which tests do not pass on Linux."""
    results, complete = run("linux", options)
    if not complete or options.filters or options.part != "1/1":
        return 1
    (LISTS / "linux").write_text(listing(results))
    print(summary("linux", results))
    return 0


def listing(results):
    tally = count(results)
    lines = [f"# {tally['ok']} tests pass on Linux, {tally['ignored']} are ignored, and these do not pass:"]
    for name, result in sorted(results.items()):
        if result.status not in ("ok", "ignored"):
            lines.append(f"{name}  {reason(result)}")
    return "\n".join(lines) + "\n"


def reason(result):
    """What a failed test says in its panic, on one line."""
    if result.status == "limit":
        return f"no end within {LIMIT} s"
    text = re.sub(r"\x1b\[[0-9;]*m", "", result.output.decode(errors="replace"))
    found = re.search(r"panicked at [^\n]*\n(.*?)(?:\nnote: |\Z)", text, re.S)
    lines = [line.strip() for line in found[1].splitlines()] if found else []
    empty = ("", "stdout =", "stderr =", "assertion failed: `(left == right)`", "Diff < left / right > :")
    return "; ".join(line for line in lines if line not in empty)[:150]


def check(options):
    """Compares with what is written down."""
    results, complete = run(options.on, options)
    theirs, ours = names("linux"), names("ochre") if options.on != "linux" else {}
    wrong = 0
    for name, result in sorted(results.items()):
        passes = result.status in ("ok", "ignored")
        if passes and name in ours:
            wrong += 1
            print(f"FAIL {name} passes, though uutests/ochre says: {ours[name]}")
        elif not passes and name not in theirs and name not in ours:
            wrong += 1
            print(f"FAIL {name}: {result.status} after {result.milliseconds} ms")
            print("\n".join("     | " + line for line in corpus.shown(result.output)[-TAIL:]))
    print(summary(options.on, results))
    print(f"{len(results) - wrong} passed, {wrong + (not complete)} failed")
    return 1 if wrong or not complete else 0


def names(which):
    """{test: reason} of a list."""
    path = LISTS / which
    lines = path.read_text().splitlines() if path.exists() else []
    parts = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {name: reason.strip() for name, _, reason in parts}


def summary(system, results):
    tally = count(results)
    failed = sum(tally.values()) - tally["ok"] - tally["ignored"]
    return f"{system}: {tally['ok']} ok, {failed} not, {tally['ignored']} ignored"


def count(results):
    return collections.Counter(result.status for result in results.values())


# Runs -------------------------------------------------------------------------------------------


def run(system, options):
    """{name: result}, and whether all tests came to an end."""
    arch = corpus.ARCHES.get(system, "aarch64")
    words = ["./run-uutests", "./tests.static", options.jobs, str(LIMIT), options.part, *options.filters]
    command = "cd /uutests && PATH=/bin UUTESTS_BINARY_PATH=/bin/coreutils " + " ".join(words)
    with tempfile.TemporaryDirectory(prefix="uutils-") as folder:
        place = pathlib.Path(folder, "uutests")
        shutil.copytree(BUILT / "source/tests/fixtures", place / "tests/fixtures", symlinks=True)
        shutil.copy2(BUILT / arch / "tests", place / "tests.static")
        shutil.copy2(ROOT / "target/posix" / arch / "run-uutests", place)
        if system == "linux":
            out, err, status = linux.run(command, arch=arch, smp=options.smp, mem=MEMORY, icount=True, root=folder, limit=ALL)
        else:
            out, err, status = corpus.ochre(system, command, folder, options.smp, f"MEM={MEMORY}", "ICOUNT=1", limit=ALL)
    if options.keep:
        options.keep.write_bytes(out + b"\n@stderr " + str(status).encode() + b"\n" + err)
    results, wanted = parse(out)
    ended = sum(result.status != "cut" for result in results.values())
    slow = sorted(results.items(), key=lambda item: -item[1].milliseconds)[:8]
    total = sum(result.milliseconds for result in results.values()) / 1000
    print(f"{total:.0f} s; longest:", *(f"{name} {result.milliseconds} ms" for name, result in slow), flush=True)
    complete = status == 0 and ended == wanted
    if not complete or err:
        print(f"uutils: {system} ran {ended} of {wanted}, status {status}: {err[-2000:].decode(errors='replace')}", flush=True)
    return results, complete


BEGUN = re.compile(rb"@begin (\S+)\n")
ENDED = re.compile(rb"@test (\S+) (\d+) (\w+) (\d+)\n")


def parse(text):
    """What run-uutests prints: results by name, and how many there were to be."""
    head = re.match(rb"@tests (\d+)\n", text)
    results, at = {}, head.end() if head else 0
    while at < len(text):
        if begun := BEGUN.match(text, at):
            results[begun[1].decode()] = Result("cut", 0, b"")
            at = begun.end()
        elif ended := ENDED.match(text, at):
            at = ended.end() + int(ended[4])
            results[ended[1].decode()] = Result(ended[3].decode(), int(ended[2]), text[ended.end() : at])
            at += 1
        else:
            break
    return results, int(head[1]) if head else 0


if __name__ == "__main__":
    sys.exit(main())
