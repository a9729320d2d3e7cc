"""Disks as tests: the program disktest with an image of its own, which the host looks at afterwards."""

import dataclasses
import functools
import os
import re
import struct
import tempfile

import machine

# The storm's image: two partitions, and what it has to be in the end.
IMAGE = "image"
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
    # What QEMU makes a disk of, in the image's place.
    file: str = "{image}"
    # How long the image is.
    sectors: int = SECTORS
    # How often the driver is killed.
    kills: int = 100
    extra: tuple = ()


def disks():
    for platform in ("virt", "rpi", "x86"):
        for smp in (1, 4):
            # The Pi's driver moves the data itself, which takes its time.
            kills = 20 if platform == "rpi" else 100
            yield Disk(platform, f"storm, {smp} CPUs", "storm", {"SMP": smp}, kills=kills)
        # More than 32 bits of bytes, and a card of the larger kind.
        yield Disk(platform, "ends", "ends", {}, sectors=8 << 21)
    # QEMU's SD cards can always be written, and do not tell of errors.
    for platform in ("virt", "x86"):
        yield Disk(platform, "read-only", "read-only", {}, "{image},readonly=on")
        yield Disk(platform, "broken", "broken", {}, "blkdebug:{broken}:{image}")
        # Four seconds for what a client's memory holds, and a minute.
        yield Disk(platform, "slow", "slow", {}, "{image},throttling.bps-total=32768")
        yield Disk(platform, "stuck", "stuck", {}, "{image},throttling.bps-total=2048")
    yield Disk("virt", "memory", "memory", {}, "", kills=20)
    yield Disk("rpi", "absent", "absent", {}, "")
    now = ("-global", "virtio-mmio.force-legacy=false")
    yield Disk("virt", "storm, virtio 1.0", "storm", {"SMP": 4}, extra=now)
    yield Disk("virt", "storm, GICv3", "storm", {"MACHINE": "virt,gic-version=3"})
    yield Disk("x86", "storm, pc", "storm", {"MACHINE": "pc"})
    yield Disk("x86", "gone", "gone", {"MACHINE": "pc"})


def batches():
    for disk in disks():
        tests = {f"{disk.platform} disk: {disk.name}": (disk.platform, "services")}
        yield tests, lambda names, disk=disk: [(names[0], *run(disk))]


def figures(platform, variables):
    """What reading costs on a platform, as disktest prints it."""
    disk = Disk(platform, "figures", "figures", variables)
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        return boot(disk, folder).output


def run(disk):
    """What is wrong, or None, and the output."""
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        outcome = boot(disk, folder)
        problem = None
        if outcome.status != 0 or not re.search(rf"^test disk-{disk.does}: ok$", outcome.output, re.M):
            problem = f"status {outcome.status}, or it does not say that all was well"
        elif disk.does == "storm":
            with open(os.path.join(folder, IMAGE), "rb") as file:
                problem = None if file.read() == stormed() else "the image is not what was written"
    return problem, outcome.output


def boot(disk, folder):
    """Boots the machine with an image in a folder."""
    image, broken = (os.path.join(folder, name) for name in (IMAGE, "broken"))
    with open(image, "wb") as file:
        file.write(fresh())
        file.truncate(disk.sectors * 512)
    with open(broken, "w", encoding="ascii") as file:
        file.write(BROKEN)
    variables = {
        **disk.variables,
        "INITRD": f"target/{disk.platform}/initrd.cpio",
        "DISK": disk.file.format(image=image, broken=broken),
    }
    words = f"exit=qemu run=disktest args={disk.does} count={disk.kills}"
    return machine.run(disk.platform, variables, words, disk.extra)


def fresh():
    """An image with two partitions."""
    table = b"".join(
        struct.pack("<B3xB3xII", 0, 0x83, first, sectors) for first, sectors in PARTS
    )
    head = bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"
    return head.ljust(SECTORS * 512, b"\0")


@functools.lru_cache(maxsize=None)
def stormed():
    """What a storm leaves: SplitMix64 of each word's number."""
    return b"".join(struct.pack("<Q", mixed(word)) for word in range(SECTORS * 512 // 8))


def mixed(word):
    word = (word + 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
    return word ^ word >> 31
