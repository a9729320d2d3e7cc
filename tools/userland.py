#!/usr/bin/env python3
"""Builds the Linux programs of userland/programs.txt, unmodified, as static binaries.

usage: userland.py [--record] ARCH... [CRATE...]

ARCH is aarch64 or x86_64; without a CRATE all are built. They end up in target/userland/ARCH/bin. What
is there and was made with the same pins, flags and tools is kept. What is built is compared with
userland/SHA256SUMS, or written there.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

import zig

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "target" / "userland"
PINS = ROOT / "userland" / "programs.txt"
SUMS = ROOT / "userland" / "SHA256SUMS"
ARCHES = ("aarch64", "x86_64")

# One profile for all, for builds that end soon; the crates' own profiles differ.
PROFILE = {
    "LTO": "off",
    "CODEGEN_UNITS": "16",
    "OPT_LEVEL": "1",
    "DEBUG": "0",
    "STRIP": "symbols",
    "INCREMENTAL": "false",
}
RUSTFLAGS = ["-Clinker=rust-lld", "-Clink-self-contained=yes", "-Ctarget-feature=+crt-static"]


@dataclasses.dataclass
class Program:
    """One crate of the list, and which of its binaries are wanted under which names. A version with a
    slash is the folder of one that is nowhere else."""

    crate: str
    version: str
    options: list
    binaries: dict

    def __str__(self):
        return f"{self.crate} {self.version}"

    @property
    def folder(self):
        return ROOT / self.version if "/" in self.version else None

    def source(self):
        """What cargo is told of where it is."""
        return ["--path", str(self.folder)] if self.folder else [self.crate, "--version", f"={self.version}"]

    def digests(self):
        """What says that it has changed, if it is ours."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file()) if self.folder else []
        return [digest(path) for path in files]


def main(arguments):
    record = "--record" in arguments
    arches = [word for word in arguments if word in ARCHES]
    crates = [word for word in arguments if word not in (*ARCHES, "--record")]
    chosen = [program for program in programs() if program.crate in crates or not crates]
    if not arches or len(chosen) < len(crates):
        sys.exit(__doc__)
    sums = {}
    for arch in arches:
        for program in chosen:
            with alone(program):
                anew = build(program, arch)
            if anew or record:
                names = program.binaries.values()
                sums.update({f"{arch}/{name}": digest(path(arch, name)) for name in names})
    return write(sums) if record else compare(sums)


def programs():
    lines = (line.partition("#")[0].split() for line in PINS.read_text().splitlines())
    for crate, version, *rest in filter(None, lines):
        colon = rest.index(":")
        pairs = (binary.partition("=") for binary in rest[colon + 1 :])
        yield Program(crate, version, rest[:colon], {file: name or file for file, _, name in pairs})


@contextlib.contextmanager
def alone(program):
    """Nobody else builds the program at the same time, for another architecture say."""
    folder = OUT / "cargo" / program.crate
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def path(arch, name):
    return OUT / arch / "bin" / name


def build(program, arch):
    """Builds one program unless its stamp says that nothing has changed since; whether it did."""
    command, more = recipe(program, arch)
    stamp = OUT / arch / "stamps" / program.crate
    identity = "\n".join([*command, *sorted(map(str, more.items())), compilers(), *program.digests()])
    there = all(path(arch, name).exists() for name in program.binaries.values())
    if there and stamp.exists() and stamp.read_text() == identity:
        return False
    say(f"{program} for {arch} ...")
    make_home(pathlib.Path(more["CARGO_HOME"]))
    began, cpu = time.monotonic(), cpu_seconds()
    log = OUT / arch / f"{program.crate}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(
            command, env={**os.environ, **more}, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    if done.returncode:
        fail(program, arch, log)
    for file, name in program.binaries.items():
        path(arch, name).parent.mkdir(exist_ok=True)
        shutil.copy2(install_root(arch) / "bin" / file, path(arch, name))
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(identity)
    say(f"{program} for {arch}: {time.monotonic() - began:.0f} s, {cpu_seconds() - cpu:.0f} s of CPU")
    return True


def recipe(program, arch):
    """The command that builds a program, and its environment."""
    target = f"{arch}-unknown-linux-musl"
    name = target.replace("-", "_")
    command = ["cargo", "install", *program.source(), "--locked"]
    command += ["--quiet", "--force", "--target", target, "--root", str(install_root(arch))]
    command += [*program.options, *(word for file in program.binaries for word in ("--bin", file))]
    build = OUT / "cargo" / program.crate
    flags = [*RUSTFLAGS, f"--remap-path-prefix={build}=/build"]
    more = {f"CARGO_PROFILE_RELEASE_{key}": value for key, value in PROFILE.items()}
    more["CARGO_TARGET_DIR"] = str(build / "target")
    more["CARGO_HOME"] = str(build / "home")
    more["LANG"] = "en_US.UTF-8"
    more["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
    more["RUSTUP_TOOLCHAIN"] = (ROOT / "target" / "toolchain").read_text().strip()
    more[f"CC_{name}"], more[f"AR_{name}"] = map(str, zig.wrappers())
    return command, more


def make_home(home):
    """A home of cargo's own for a program, with the user's settings and downloads, but only the sources
    that the program asks for: uucore's build script puts the messages of all utilities whose sources it
    finds into the program, in English and in the language of LANG."""
    users = pathlib.Path(os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo"))
    (home / "registry").mkdir(parents=True, exist_ok=True)
    for name in ("registry/cache", "registry/index"):
        (users / name).mkdir(parents=True, exist_ok=True)
    for name in ("registry/cache", "registry/index", "config.toml"):
        if (users / name).exists() and not (home / name).exists():
            (home / name).symlink_to(users / name)


def install_root(arch):
    return OUT / arch / "install"


def compilers():
    """What the compilers call themselves: other ones give other bytes."""
    toolchain = (ROOT / "rust-toolchain.toml").read_text()
    return "\n".join([*re.findall('^channel = .*', toolchain, re.M), zig.REQUIREMENT])


def fail(program, arch, log):
    lines = log.read_text(errors="replace").splitlines()
    print("\n".join("     | " + line for line in lines[-30:]), file=sys.stderr)
    say(f"{program} for {arch} does not build; all of it is in {log}")
    say("is the network there? `make setup` installs compilers; `make userland` goes on from here")
    sys.exit(1)


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def recorded():
    if not SUMS.exists():
        return {}
    lines = (line.split() for line in SUMS.read_text().splitlines())
    return {name: value for value, name in lines}


def write(sums):
    sums = {**recorded(), **sums}
    SUMS.write_text("".join(f"{value}  {name}\n" for name, value in sorted(sums.items())))
    return 0


def compare(sums):
    """Tells of binaries that are not the recorded ones, which is no failure."""
    known = recorded()
    for name, value in sums.items():
        if known.get(name, value) != value:
            say(f"{name} is not the recorded one: {value}")
    return 0


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def say(text):
    print(f"userland: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
