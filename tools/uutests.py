#!/usr/bin/env python3
"""Builds the test suite of the coreutils that userland/programs.txt pins, as published and unmodified.

usage: uutests.py ARCH...

target/uutests/ARCH gets the static test program `tests`, target/uutests/source has what it reads.
tests/posix/uutils.py runs it.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import time

import userland

OUT = userland.ROOT / "target" / "uutests"
SOURCE = OUT / "source"


def main(arches):
    if not arches or set(arches) - set(userland.ARCHES):
        sys.exit(__doc__)
    (program,) = (program for program in userland.programs() if program.crate == "coreutils")
    unpack(program)
    for arch in arches:
        build(program, arch)


def unpack(program):
    """Puts the published source into target/uutests/source."""
    mark = OUT / "unpacked"
    if mark.exists() and mark.read_text() == str(program):
        return
    folder = f"{program.crate}-{program.version}"
    shutil.rmtree(SOURCE, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    with tarfile.open(package(program)) as archive:
        archive.extractall(OUT, filter="data")
    (OUT / folder).rename(SOURCE)
    mark.write_text(str(program))


def package(program):
    """The file in cargo's cache; cargo downloads it when it is to tell of it."""
    users = pathlib.Path(os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo"))
    pattern = f"registry/cache/*/{program.crate}-{program.version}.crate"
    if not list(users.glob(pattern)):
        command = ["cargo", "info", "--quiet", "--registry", "crates-io", f"{program.crate}@{program.version}"]
        subprocess.run(command, cwd=OUT, stdout=subprocess.DEVNULL, check=True)
    return next(users.glob(pattern))


def build(program, arch):
    """Builds the test program unless its stamp says that nothing has changed since."""
    _, more = userland.recipe(program, arch)
    target = f"{arch}-unknown-linux-musl"
    command = ["cargo", "test", "--no-run", "--release", "--locked", "--target", target, "--test", "tests"]
    command += ["--message-format", "json-render-diagnostics", *program.options]
    stamp = OUT / arch / "stamp"
    identity = "\n".join([str(program), *command, *sorted(map(str, more.items())), userland.compilers()])
    if stamp.exists() and stamp.read_text() == identity:
        return
    userland.say(f"the tests of {program} for {arch} ...")
    userland.make_home(pathlib.Path(more["CARGO_HOME"]))
    began, cpu = time.monotonic(), userland.cpu_seconds()
    log = OUT / arch / "log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "w", encoding="utf-8") as err:
        done = subprocess.run(
            command, cwd=SOURCE, env={**os.environ, **more}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err
        )
    if done.returncode:
        userland.fail(program, arch, log)
    made = (json.loads(line) for line in done.stdout.splitlines())
    (tests,) = (item["executable"] for item in made if item.get("executable") and item["target"]["name"] == "tests")
    shutil.copy2(tests, OUT / arch / "tests")
    stamp.write_text(identity)
    userland.say(f"{time.monotonic() - began:.0f} s, {userland.cpu_seconds() - cpu:.0f} s of CPU")


if __name__ == "__main__":
    main(sys.argv[1:])
