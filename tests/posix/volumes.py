"""Disks for tests: images with partitions, made and checked with the host's own tools."""

import pathlib
import shutil
import struct
import subprocess
import tempfile
import zlib

SECTOR, MIB = 512, 1 << 20
# Where the first partition begins, as partitioning tools have it.
FIRST = 1 << 20

# How a file system is made in a file, and checked there: by its kind, and the number in the table of
# partitions.
KINDS = {
    "vfat": (["mkfs.vfat"], ["fsck.fat", "-n"], 0x0C),
    "ext4": (["mkfs.ext4", "-q", "-F"], ["e2fsck", "-f", "-n"], 0x83),
    "ext3": (["mkfs.ext3", "-q", "-F"], ["e2fsck", "-f", "-n"], 0x83),
    "ext2": (["mkfs.ext2", "-q", "-F"], ["e2fsck", "-f", "-n"], 0x83),
}


def make_disk(path, partitions, files=None):
    """A disk with a partition for each (kind, bytes, more words for what makes it), in an MBR, and the same files in all."""
    table, place = b"", FIRST
    with open(path, "wb") as disk:
        for kind, size, words in partitions:
            part = pathlib.Path(f"{path}.part")
            make_volume(part, kind, size, words, files)
            disk.seek(place)
            with open(part, "rb") as source:
                shutil.copyfileobj(source, disk)
            part.unlink()
            number = KINDS[kind][2]
            table += struct.pack("<8BII", 0, 0, 2, 0, number, 0xFF, 0xFF, 0xFF, place // SECTOR, size // SECTOR)
            place += size
        # The length of an SD card is a power of two.
        disk.truncate(1 << (place - 1).bit_length())
        disk.seek(446)
        disk.write(table.ljust(64, b"\0") + b"\x55\xaa")


def make_gpt(path, images):
    """A disk with a partition for each image, in a GPT."""
    place, entries = FIRST, b""
    with open(path, "wb") as disk:
        for image in images:
            disk.seek(place)
            disk.write(image)
            end = place + -(-len(image) // MIB) * MIB
            identity = len(entries).to_bytes(16, "little")
            entries += struct.pack("<16s16sQQQ72x", b"data".ljust(16), identity, place // SECTOR, end // SECTOR - 1, 0)
            place = end
        # The length of an SD card is a power of two.
        sectors = (1 << (place - 1).bit_length()) // SECTOR
        disk.truncate(sectors * SECTOR)
        entries = entries.ljust(128 * 128, b"\0")
        words = (1, sectors - 1, 34, sectors - 34, bytes(16), 2, 128, 128, zlib.crc32(entries))
        head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, *words)
        disk.seek(446)
        disk.write(struct.pack("<8BII", 0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF, 1, sectors - 1).ljust(64, b"\0") + b"\x55\xaa")
        disk.write((head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]).ljust(SECTOR, b"\0") + entries)


def make_volume(path, kind, size, words=(), files=None):
    with open(path, "wb") as file:
        file.truncate(size)
    with tempfile.TemporaryDirectory(prefix="files-") as folder:
        for name, data in (files or {}).items():
            pathlib.Path(folder, name).write_bytes(data)
        # What makes FAT takes no files.
        words = [*words, *(["-d", folder] if files and kind != "vfat" else [])]
        run([*KINDS[kind][0], *words, path])
        if files and kind == "vfat":
            run(["mcopy", "-s", "-i", path, *pathlib.Path(folder).iterdir(), "::"])


def run(command):
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, env=tools())


def check_disk(path, partitions):
    """What the host's tools say against the volumes of a disk that `make_disk` made: nothing, if all is well."""
    said, place = [], FIRST
    for kind, size, _ in partitions:
        part = pathlib.Path(f"{path}.part")
        with open(path, "rb") as disk, open(part, "wb") as out:
            disk.seek(place)
            out.write(disk.read(size))
        done = subprocess.run([*KINDS[kind][1], str(part)], capture_output=True, text=True, env=tools(), check=False)
        if done.returncode:
            said.append(f"{kind}: {' '.join(KINDS[kind][1])} says, with status {done.returncode}:\n{done.stdout}{done.stderr}")
        part.unlink()
        place += size
    return said


def tools():
    """Debian keeps them where only root looks."""
    return {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"}
