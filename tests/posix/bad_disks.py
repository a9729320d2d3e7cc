"""Disks on which something is wrong as long as programs use them: sectors that cannot be read or written, a disk that
vanishes, one that is full, one that can only be read; and what is no volume. Programs are told, and nothing else is disturbed.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import corpus
import machine
from volumes import FIRST, MIB, check_disk, make_disk

from qemu import without_make

PARTITIONS = [("vfat", 10 * MIB, ["-F", "16"]), ("ext4", 10 * MIB, [])]
# Their bytes: which file it is, and the place, over and over.
FILES = {name: b"".join(b"%c%015d" % (ord(name), at) for at in range(12500)) for name in "abcd"}
# What of a file cannot be read, or written.
BAD = {"read_aio": b"b%015d" % 5000, "write_aio": b"c%015d" % 5000}
RULE = '[inject-error]\nevent = "{}"\nsector = "{}"\nerrno = "5"\n'
SCRIPTS = pathlib.Path(__file__).with_name("media")
LIMIT = 180


def scarce(platform):
    """A disk that is full; and one that can only be read."""
    with tempfile.TemporaryDirectory(prefix="scarce-") as folder:
        disk, locked = pathlib.Path(folder, "disk.img"), pathlib.Path(folder, "locked.img")
        make_disk(disk, [*PARTITIONS, ("ext2", MIB, [])])
        with open(disk, "r+b") as file:
            # The third is no volume.
            file.seek(FIRST + 20 * MIB)
            file.write(bytes(MIB))
        make_disk(locked, PARTITIONS, FILES)
        before = hashlib.sha256(locked.read_bytes()).digest()
        complaints, text = run(platform, folder, "scarce", f"DISK={disk}", f"DISK2={locked},readonly=on")
        complaints += check_disk(disk, PARTITIONS)
        if hashlib.sha256(locked.read_bytes()).digest() != before:
            complaints.append("what can only be read was written")
    return complaints, text


def failing(platform):
    """A disk with bad sectors; and one that vanishes."""
    with tempfile.TemporaryDirectory(prefix="failing-") as folder:
        disk, lost = pathlib.Path(folder, "disk.img"), pathlib.Path(folder, "lost.img")
        make_disk(disk, PARTITIONS, FILES)
        make_disk(lost, PARTITIONS, FILES)
        rules = pathlib.Path(folder, "rules")
        rules.write_text("".join(RULE.format(event, sector) for event, sector in bad_sectors(disk.read_bytes())))
        complaints, text = run(platform, folder, "failing", f"DISK=blkdebug:{rules}:{disk}", f"DISK2={lost}")
        complaints += check_disk(disk, PARTITIONS)
    return complaints, text


def bad_sectors(image):
    """Those of the files on both volumes that are to fail."""
    for event, mark in BAD.items():
        at = -1
        while (at := image.find(mark, at + 1)) >= 0:
            yield event, at // 512


def run(platform, folder, name, *disks):
    """What is wrong when a script has run, and what it said. Where it says `now`, the second disk vanishes."""
    root, monitor = pathlib.Path(folder, "root"), os.path.join(folder, "monitor")
    (root / "tests").mkdir(parents=True)
    shutil.copy(SCRIPTS / f"{name}.sh", root / "tests")
    words = [f"CMD=sh /tests/{name}.sh 2>&1", f"ROOT={root}", "SMP=1", f"QEMUFLAGS=-qmp unix:{monitor},server=on,wait=off", *disks]
    line = ["timeout", str(LIMIT), "make", "-s", "--no-print-directory", f"exec-{platform}", *words]
    text = ""
    with subprocess.Popen(line, cwd=corpus.ROOT, env=without_make(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guest:
        for piece in guest.stdout:
            text += piece.decode(errors="replace")
            if piece == b"now\n":
                machine.ask(monitor, "drive_del disk2")
                machine.ask(monitor, "cont")
                guest.stdin.write(b"go\n")
                guest.stdin.close()
    complaints = [f"status {guest.returncode}"] if guest.returncode else []
    if text != (SCRIPTS / f"{name}.txt").read_text():
        complaints.append(f"it does not say what {name}.txt has")
    return complaints, text
