#!/usr/bin/env python3
"""Volumes with something wrong in them are mounted and used: each ends soon and in a known way, and nothing else is disturbed.

usage: bad_media.py [--on virt|x86|rpi] [--seed N] [--images N]

A disk has a sound volume in its first partition, and in the others FAT and ext images in which some words were
changed. One boot mounts each, looks at all of it, reads it, changes it, and unmounts it, while others work
on the sound one. The same seed makes the same images, and --seed N --images 1 the one that a failure names.
"""

import argparse
import pathlib
import random
import re
import shutil
import sys
import tempfile

import corpus
from mounts import DISKS
from volumes import MIB, check_disk, make_gpt, make_volume

KIB = 1 << 10
# The volumes that are damaged: kind, bytes, how they are made, and how much of them is interesting.
BASES = (
    ("vfat", 1440 * KIB, ("-F", "12"), 60 * KIB),
    ("ext4", 3 * MIB, ("-b", "1024", "-N", "256"), 3 * MIB),
    ("vfat", 5 * MIB, ("-F", "16", "-s", "1"), 200 * KIB),
    ("ext4", 3 * MIB, ("-b", "1024", "-N", "256", "-O", "^metadata_csum"), 3 * MIB),
    ("vfat", 33 * MIB, ("-F", "32", "-s", "1"), 700 * KIB),
    ("ext3", 3 * MIB, ("-b", "1024", "-N", "256"), 3 * MIB),
    ("ext2", 2 * MIB, ("-b", "1024", "-N", "128"), 2 * MIB),
)
SOUND = ("ext4", 20 * MIB, ())
FILES = {f"A file with the number {nth}.bin": bytes([nth]) * nth**2 * 20 for nth in range(1, 40)}
# A boot has as many as a table of partitions has room for.
MOST = 120
# Seconds of a boot, and for each volume.
LIMIT, EACH = 120, 30

SCRIPT = pathlib.Path(__file__).with_name("media") / "volumes.sh"
# What may be wrong with a volume, as programs say it.
KNOWN = (
    "I/O error", "Input/output error", "Invalid argument", "Read-only file system", "No space left on device", "No such file or directory",
    "Structure needs cleaning", "Not a directory", "Is a directory", "File too large", "Operation not permitted",
    "File exists", "Directory not empty", "File name too long", "Filename too long", "No such device or address",
    "Too many levels of symbolic links", "wrong fs type, bad option, bad superblock", "can't read superblock",
)  # fmt: skip


def main():
    options = arguments()
    failed = 0
    for first in range(options.seed, options.seed + options.images, MOST):
        seeds = range(first, min(first + MOST, options.seed + options.images))
        complaints, said = use(options.on, seeds)
        failed += len(complaints)
        print(said, *complaints, sep="\n", flush=True)
    print(f"{options.images} images, {failed} complaints")
    return int(failed > 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", choices=corpus.ARCHES, default="virt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=int, default=200)
    return parser.parse_args()


def use(platform, seeds):
    """What is wrong when the images of some seeds were used, and what the machine said."""
    with tempfile.TemporaryDirectory(prefix="media-") as folder:
        disk, log = pathlib.Path(folder, "disk.img"), pathlib.Path(folder, "log")
        make_images(disk, seeds)
        tests = pathlib.Path(folder, "root/tests")
        tests.mkdir(parents=True)
        shutil.copy(SCRIPT, tests)
        name, before = DISKS[platform]
        kinds = " ".join(BASES[seed % len(BASES)][0] for seed in seeds)
        out, err, status = corpus.ochre(
            platform, f"sh /tests/{SCRIPT.name} {name} '{before}' {kinds}", tests.parent, "1", f"DISK={disk}", f"LOG={log}",
            limit=LIMIT + EACH * len(seeds),
        )  # fmt: skip
        text = out.decode(errors="replace")
        complaints = [f"status {status}: {err.decode(errors='replace')[-500:]}"] if status or err else []
        complaints += judge(text, seeds) + check_disk(disk, [SOUND])
        complaints += quiet(log.read_text(errors="replace") if log.exists() else "")
    return complaints, text


def make_images(disk, seeds):
    """A disk with the sound volume, and one for each seed."""
    with tempfile.TemporaryDirectory(prefix="images-") as folder:
        bases = []
        for nth, (kind, size, words, end) in enumerate([*BASES, (*SOUND, 0)]):
            path = pathlib.Path(folder, str(nth))
            make_volume(path, kind, size, words, FILES if end else None)
            bases.append((path.read_bytes(), end))
        images = [bases[-1][0]]
        for seed in seeds:
            image, end = bases[seed % len(BASES)]
            images.append(damaged(image, end, random.Random(seed)))
        make_gpt(disk, images)


def damaged(image, end, chance):
    """An image in which some words were changed where there is something."""
    image = bytearray(image)
    for _ in range(chance.randint(1, 20)):
        while True:
            # The first blocks decide most.
            at = chance.randrange(chance.choice((96, 8 * KIB, end // 8, end))) & ~3
            if any(byte not in (0, 0xFF) for byte in image[at & ~63 : (at & ~63) + 64]):
                break
        value = chance.choice((0, 2**32 - 1, chance.randrange(64), chance.randrange(4096), 1 << chance.randrange(32), chance.getrandbits(32)))
        width = chance.choice((1, 2, 4))
        image[at : at + width] = value.to_bytes(4, "little")[:width]
    return bytes(image)


LINE = re.compile(r"^volume (\d+) (\w+): (.*)$", re.M)


def judge(text, seeds):
    """What is wrong with what the script says: a line for each volume, and one at the end."""
    complaints, lines = [], {int(number): rest for number, _, rest in LINE.findall(text)}
    for number, seed in enumerate(seeds, 2):
        said = lines.get(number)
        if said is None:
            complaints.append(f"seed {seed}: its volume was not used")
            continue
        wrong = [part for part in said.split("; ") if not is_fine(part)]
        complaints += [f"seed {seed}: {part}" for part in wrong]
    if not text.endswith("the sound one is the same, all services are well\n"):
        complaints.append("something else was disturbed")
    return complaints


def is_fine(part):
    """Whether that may come of a step: it succeeds, or says something that is known."""
    step, _, outcome = part.partition(" ")
    status, _, why = outcome.partition(" ")
    # What has no end ends with those who look at it; but mounting and unmounting end by themselves.
    if status in ("0", "124"):
        return status == "0" or step == "use"
    return step != "umount" and any(known in why for known in KNOWN)


def quiet(log):
    """What the kernel or the supervisor should not have had to say."""
    return [line for line in log.splitlines() if re.search(r"panic|is given up|out of memory", line, re.I)]


if __name__ == "__main__":
    sys.exit(main())
