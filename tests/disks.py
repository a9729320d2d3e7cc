"""Disks as tests: the program disktest with an image of its own, which the host looks at afterwards."""

import dataclasses
import functools
import os
import re
import shutil
import struct
import subprocess
import tempfile
import typing

import machine

# The storm's image: two partitions, and what it has to be in the end.
SECTORS = 16384
PARTS = ((64, 8128), (8192, 8192))
MASK = (1 << 64) - 1

# Sector 64 cannot be read.
BROKEN = """\
[inject-error]
event = "read_aio"
sector = "64"
errno = "5"
"""


@dataclasses.dataclass(frozen=True)
class Disk:
    """A run: what disktest is to do, on which machine, with which disk."""

    platform: str
    name: str
    does: str
    variables: dict
    # What makes the image, and what looks at it afterwards.
    image: typing.Callable = lambda path: blank(path)
    wanted: typing.Callable = lambda path: None
    # What QEMU makes a disk of, in the image's place.
    file: str = "{image}"
    # How often the driver is killed.
    kills: int = 100
    extra: tuple = ()


def disks():
    for platform in ("virt", "rpi", "x86"):
        for smp in (1, 4):
            # The Pi's driver moves the data itself, which takes its time.
            kills = 20 if platform == "rpi" else 100
            yield Disk(platform, f"storm, {smp} CPUs", "storm", {"SMP": smp}, wanted=stormed, kills=kills)
        # More than 32 bits of bytes, and a card of the larger kind.
        yield Disk(platform, "ends", "ends", {}, functools.partial(blank, sectors=8 << 21))
    # QEMU's SD cards can always be written, and do not tell of errors.
    for platform in ("virt", "x86"):
        for smp, width in ((1, 12), (4, 16), (4, 32)):
            yield Disk(
                platform, f"FAT{width} storm, {smp} CPUs", "tree", {"SMP": smp},
                functools.partial(fat, width), planted,
            )
        for smp, block in ((1, 4096), (4, 1024)):
            yield Disk(
                platform, f"ext4 storm, {smp} CPUs", "tree program=ext", {"SMP": smp},
                functools.partial(ext4, block), checked,
            )
        yield Disk(platform, "read-only", "read-only", {}, file="{image},readonly=on")
        yield Disk(platform, "broken", "broken", {}, file="blkdebug:{broken}:{image}")
        # Four seconds for what a client's memory holds, and a minute.
        yield Disk(platform, "slow", "slow", {}, file="{image},throttling.bps-total=32768")
        yield Disk(platform, "stuck", "stuck", {}, file="{image},throttling.bps-total=2048")
    yield Disk("virt", "memory", "memory", {}, file="", kills=20)
    yield Disk("rpi", "absent", "absent", {}, file="")
    now = ("-global", "virtio-mmio.force-legacy=false")
    yield Disk("virt", "storm, virtio 1.0", "storm", {"SMP": 4}, wanted=stormed, extra=now)
    yield Disk("virt", "storm, GICv3", "storm", {"MACHINE": "virt,gic-version=3"}, wanted=stormed)
    yield Disk("x86", "storm, pc", "storm", {"MACHINE": "pc"}, wanted=stormed)
    yield Disk("x86", "gone", "gone", {"MACHINE": "pc"})


def batches():
    for disk in disks():
        tests = {f"{disk.platform} disk: {disk.name}": (disk.platform, "services")}
        yield tests, lambda names, disk=disk: [(names[0], *run(disk))]


def figures(platform, variables):
    """What reading costs on a platform, as disktest prints it."""
    disk = Disk(platform, "figures", "figures", variables)
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        return boot(disk, os.path.join(folder, "image")).output


def run(disk):
    """What is wrong, or None, and the output."""
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        image = os.path.join(folder, "image")
        outcome = boot(disk, image)
        what = disk.does.split()[0]
        if outcome.status != 0 or not re.search(rf"^test disk-{what}: ok$", outcome.output, re.M):
            problem = f"status {outcome.status}, or it does not say that all was well"
        else:
            problem = disk.wanted(image)
    return problem, outcome.output


def boot(disk, image):
    """Boots the machine with its disk."""
    disk.image(image)
    broken = f"{image}.broken"
    write(broken, BROKEN.encode())
    variables = {
        **disk.variables,
        "INITRD": f"target/{disk.platform}/initrd.cpio",
        "DISK": disk.file.format(image=image, broken=broken),
    }
    words = f"exit=qemu run=disktest args={disk.does} count={disk.kills}"
    return machine.run(disk.platform, variables, words, disk.extra)


def blank(path, sectors=SECTORS):
    """An image with two partitions."""
    table = b"".join(
        struct.pack("<B3xB3xII", 0, 0x83, first, sectors) for first, sectors in PARTS
    )
    write(path, bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa")
    os.truncate(path, sectors * 512)


def stormed(path):
    """What a storm leaves."""
    return None if read(path) == scattered() else "the image is not what was written"


@functools.lru_cache(maxsize=None)
def scattered():
    """SplitMix64 of each word's number."""
    return b"".join(struct.pack("<Q", mixed(word)) for word in range(SECTORS * 512 // 8))


def fat(width, path):
    """A disk that others have made."""
    size = {12: 8, 16: 20, 32: 34}[width]
    write(path, bytes(size << 20))
    subprocess.run([tool("mkfs.vfat"), "-F", str(width), path], check=True, stdout=subprocess.DEVNULL)


def ext4(block, path):
    """A disk that others have made, with the other kind of file system."""
    write(path, bytes(32 << 20))
    subprocess.run([tool("mkfs.ext4"), "-q", "-b", str(block), path], check=True)


def checked(path):
    """What is wrong with the tree that a storm leaves there, in the eyes of others."""
    fsck = subprocess.run([tool("e2fsck"), "-fn", path], capture_output=True, text=True, check=False)
    if fsck.returncode:
        return f"e2fsck: {fsck.stdout}"
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        dump = [tool("debugfs"), "-R", f"rdump / {folder}", path]
        subprocess.run(dump, check=True, capture_output=True)
        return wrong_in(folder)


def planted(path):
    """What is wrong with the tree that a storm leaves, in the eyes of others."""
    checked = subprocess.run([tool("fsck.fat"), "-n", path], capture_output=True, text=True, check=False)
    if checked.returncode:
        return f"fsck.fat: {checked.stdout}"
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        subprocess.run(["mcopy", "-s", "-i", path, "::*", folder], check=True)
        return wrong_in(folder)


def wrong_in(folder):
    """What of the tree is not what was made."""
    for nth in range(40):
        name = f"RENAMED.{nth}" if nth % 3 == 0 else f"A file with the number {nth}.bin"
        file = os.path.join(folder, f"Directory number {nth // 8}", name)
        if not os.path.exists(file) or read(file) != grown(nth):
            return f"file {nth} is not what was written"
    return None


@functools.lru_cache(maxsize=None)
def grown(nth):
    """What is in a file of the tree."""
    length = nth * 7919 % 90000
    words = (mixed(nth << 32 | word) for word in range(-(-length // 8)))
    return b"".join(struct.pack("<Q", word) for word in words)[:length]


def tool(name):
    """One that may be where only root looks."""
    return shutil.which(name) or f"/usr/sbin/{name}"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def mixed(word):
    word = (word + 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
    return word ^ word >> 31
