#!/usr/bin/env python3
"""What operations cost a program on Ochre and on Linux, in guest instructions.

usage: figures.py [virt|x86] [NAME...]

One program measures them on both, in the same QEMU with one CPU, where an instruction takes a
nanosecond. While a disk works time is no measure: there the emulator counts instructions, of a run that
reads and of one that does not, and the figure is the difference. The status says whether Ochre reaches each figure in figures.txt.
"""

import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import corpus
from corpus import ARCHES, HERE, ROOT
from volumes import MIB, make_disk

import linux

# The disk that files are read from, cold.
PARTITIONS = [("vfat", 40 * MIB, ["-F", "16", "-s", "8"]), ("ext4", 40 * MIB, [])]
# Files that are read, by the kind of their file system.
READS = {"read-16-MiB-of-FAT": "vfat", "read-16-MiB-of-ext4": "ext4"}


def main(words):
    platform, names = (words[0], words[1:]) if words[:1] and words[0] in ARCHES else ("virt", words)
    arch = ARCHES[platform]
    wanted = dict(line.split() for line in (HERE / "figures.txt").read_text().splitlines() if line[:1] != "#")
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        command = " ".join(["/tests/abi-bench", *names])
        root, *disks = prepared(pathlib.Path(folder), arch)
        on_linux = figures(*linux.run(command, arch=arch, icount=True, root=root, disk=disks[0]))
        on_ochre = figures(*corpus.ochre(platform, command, root, "1", "ICOUNT=1", f"DISK={disks[1]}"))
        for name, kind in READS.items():
            if not names or name in names:
                on_linux[name] = reading(kind, lambda command, flags: linux.run(command, arch=arch, root=root, disk=disks[0], flags=flags))
                on_ochre[name] = reading(kind, lambda command, flags: corpus.ochre(platform, command, root, "1", f"DISK={disks[1]}", f"QEMUFLAGS={flags}"))
    missed = False
    print(f"{'':<22}{'Linux':>10}{'Ochre':>10}{'to reach':>10}{'ratio':>8}")
    for name, theirs in on_linux.items():
        ours, goal = on_ochre.get(name), theirs if wanted[name] == "Linux" else int(wanted[name])
        missed |= ours is None or ours > goal
        print(f"{name:<22}{theirs:>10}{ours or '-':>10}{goal:>10}{f'{ours / theirs:.2f}' if ours else '-':>8}")
    return int(missed)


def prepared(folder, arch):
    """The root with the program, and a disk for each side."""
    bench, disks = folder / "root/tests/abi-bench", (folder / "linux.img", folder / "ochre.img")
    bench.parent.mkdir(parents=True)
    shutil.copy(ROOT / "target/posix" / arch / "abi-bench", bench)
    make_disk(disks[0], PARTITIONS, {"big": random.Random(1).randbytes(16 * MIB)})
    shutil.copy(*disks)
    return bench.parent.parent, *disks


def measure(platform):
    """{name: instructions} of Ochre alone."""
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        root, _, disk = prepared(pathlib.Path(folder), ARCHES[platform])
        return figures(*corpus.ochre(platform, "/tests/abi-bench", root, "1", "ICOUNT=1", f"DISK={disk}"))


def reading(kind, run):
    """The instructions that it takes to read a file."""
    counts = []
    for how in ("", "read"):
        with tempfile.TemporaryDirectory(prefix="count-") as folder:
            plugin, out = pathlib.Path(folder, "count.so"), pathlib.Path(folder, "count")
            subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", plugin, HERE / "count.c"], check=True)
            said = run(f"/tests/abi-bench volume {kind} {how}", f"-plugin {plugin},out={out}")
            if said[2]:
                print(f"figures: status {said[2]}: {said[1][-300:]}", file=sys.stderr)
                return None
            counts.append(int(out.read_text()))
    return counts[1] - counts[0]


def figures(out, err, status):
    """{name: instructions}; a run that fails is told, and has those that it came to."""
    if status:
        print(f"figures: status {status}: {err[-300:]}", file=sys.stderr)
    lines = (line.split() for line in out.decode(errors="replace").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
