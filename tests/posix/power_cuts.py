#!/usr/bin/env python3
"""The machine ends at random moments while files are written: volumes stay whole, and what was synced is there.

usage: power_cuts.py [--on virt|x86|rpi] [--seed N] [--cuts N]

Each round boots, mounts a FAT and an ext4 volume, and writes files on both, each of which is synced and told of. Then
QEMU is killed. The ext4 volume must be fine for the host's e2fsck once that has replayed the journal, as it is; then
Ochre mounts both once more and unmounts them, and the host's fsck must find nothing on either, and in each
file what it had when that was synced, or what came after it.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from chaos import PARTITIONS, contents
from corpus import ARCHES, ROOT
from mounts import DISKS
from volumes import FIRST, check_disk, make_disk, tools

from qemu import without_make

# Files on each volume, and lines of each: `write` has the same.
SLOTS, LINES = 8, 400
# Seconds until the machine is given up that writes nothing; files that are synced before it ends at most, and
# seconds after the last of them.
LIMIT, MOST, LONGEST = 120, 24, 0.2
VOLUMES = {"fat": "vfat", "ext": "ext4"}

WRITE = r"""
i=0
while :; do
    for v in fat ext; do
        seq $i $((i + 400)) >/mnt/$v/new && sync /mnt/$v/new && mv /mnt/$v/new /mnt/$v/f$((i % 8)) &&
            sync /mnt/$v && echo "synced $v $i" || echo "failed $v $i"
    done
    i=$((i + 1))
done
"""


def main():
    options = arguments()
    chance, failed = random.Random(options.seed), 0
    for cut in range(options.cuts):
        with tempfile.TemporaryDirectory(prefix="cuts-") as folder:
            writes, complaints = round_of(options.on, pathlib.Path(folder), chance.randint(1, MOST), chance.uniform(0, LONGEST))
        failed += bool(complaints)
        print(f"{'FAIL' if complaints else 'ok'} cut {cut}, after {writes} files", *complaints, sep="\n  ", flush=True)
    print(f"{options.cuts - failed} passed, {failed} failed")
    return int(failed > 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", choices=ARCHES, default="virt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cuts", type=int, default=200)
    return parser.parse_args()


def round_of(platform, folder, files, seconds):
    """One cut: how many files were synced before, and what is wrong after it."""
    disk, copy = folder / "disk.img", folder / "copy.img"
    make_disk(disk, PARTITIONS)
    script = folder / "root/tests/write.sh"
    script.parent.mkdir(parents=True)
    script.write_text(WRITE)
    synced, said = write_until_cut(platform, disk, folder, files, seconds)
    writes = sum(number // SLOTS + 1 for number in synced.values())
    if said:
        return writes, [said]
    shutil.copy(disk, copy)
    complaints = [f"as it was left, {text}" for text in replayed(copy)]
    done = machine(platform, disk, folder, mounting(platform) + "umount /mnt/fat && umount /mnt/ext", capture_output=True, text=True)
    if done.returncode:
        return writes, [*complaints, f"it cannot be mounted again: {done.stdout}{done.stderr}"]
    return writes, complaints + check_disk(disk, PARTITIONS) + compare(disk, folder, synced)


def mounting(platform):
    name = "".join(DISKS[platform])
    return f"mkdir -p /mnt/fat /mnt/ext; mount -t vfat /dev/{name}1 /mnt/fat && mount -t ext4 /dev/{name}2 /mnt/ext && "


def line(platform, disk, folder, command):
    words = [f"CMD={command}", f"DISK={disk}", f"ROOT={folder / 'root'}", "SMP=1"]
    return ["make", "-s", "--no-print-directory", f"exec-{platform}", *words]


def machine(platform, disk, folder, command, **more):
    options = {"cwd": ROOT, "env": without_make(), "stdin": subprocess.DEVNULL, "check": False}
    return subprocess.run(["timeout", str(LIMIT), *line(platform, disk, folder, command)], **options, **more)


def write_until_cut(platform, disk, folder, files, seconds):
    """What was synced last in each file, or what went wrong before the cut, which comes so long after so many files."""
    synced, end, begun = {}, None, time.monotonic()
    with subprocess.Popen(
        line(platform, disk, folder, mounting(platform) + "sh /tests/write.sh"), cwd=ROOT, env=without_make(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as running:  # fmt: skip
        os.set_blocking(running.stdout.fileno(), False)
        text = b""
        while running.poll() is None and time.monotonic() < begun + LIMIT:
            text += running.stdout.read() or b""
            if text.count(b"synced") >= files and end is None:
                end = time.monotonic() + seconds
            if end is not None and time.monotonic() >= end:
                break
            time.sleep(0.002)
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        os.set_blocking(running.stdout.fileno(), True)
        text += running.stdout.read()
    said = text.decode(errors="replace")
    if end is None or "failed" in said:
        return {}, f"it does not write:\n{said}"
    for volume, number in re.findall(r"^synced (\w+) (\d+)\s*$", said, re.M):
        synced[volume, int(number) % SLOTS] = int(number)
    return synced, ""


def replayed(disk):
    """What e2fsck says when it has done what it does after a crash."""
    place = FIRST + PARTITIONS[0][1]
    with open(disk, "rb") as source, open(f"{disk}.ext", "wb") as out:
        source.seek(place)
        out.write(source.read(PARTITIONS[1][1]))
    subprocess.run(["e2fsck", "-p", "-E", "journal_only", f"{disk}.ext"], capture_output=True, env=tools(), check=False)
    done = subprocess.run(["e2fsck", "-f", "-n", f"{disk}.ext"], capture_output=True, text=True, env=tools(), check=False)
    return [f"e2fsck -f -n says {done.stdout}{done.stderr}"] if done.returncode else []


def compare(disk, folder, synced):
    """Files that have neither what was synced nor what came after."""
    wrong = []
    for (volume, slot), number in synced.items():
        text = contents(disk, folder, VOLUMES[volume], f"f{slot}")
        # A file that came later may have taken its place.
        if text not in (numbers(number), numbers(number + SLOTS)):
            wrong.append(f"{volume}/f{slot} was synced as {number}, and begins with {text[:40]!r} of {len(text)} bytes")
    return wrong


def numbers(first):
    return "".join(f"{number}\n" for number in range(first, first + LINES + 1))


if __name__ == "__main__":
    sys.exit(main())
