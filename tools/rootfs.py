#!/usr/bin/env python3
"""Makes the root of the Linux programs: one cpio archive, the same bytes from the same files.

usage: rootfs.py BIN OUT.cpio [--native INITRD.cpio] [--root DIR] [--app PROGRAM] [--file NAME=PATH]...

It begins with what is in INITRD.cpio. It has, each laid over what is before it: the directories below, userland/root, the programs in the
folder BIN as /bin with the names of userland/links.txt, DIR with its modes and links, PROGRAM as
/bin/NAME, and single files. Programs begin at a page of the archive: see cpio.py.
"""

import argparse
import dataclasses
import os
import pathlib
import stat
import sys

import cpio
from output import replacing

USERLAND = pathlib.Path(__file__).resolve().parent.parent / "userland"

# git keeps no directory that is empty, and no mode.
DIRECTORIES = {
    ".": 0o755, "bin": 0o755, "dev": 0o755, "etc": 0o755, "home": 0o755, "mnt": 0o755, "proc": 0o555, "root": 0o700,
    "run": 0o755, "sys": 0o555, "tmp": 0o1777, "var": 0o755, "var/log": 0o755, "var/tmp": 0o1777,
}  # fmt: skip


# What is elsewhere.
LINKS = {"var/log/messages": "/proc/ochre/log", "var/log/crash": "/proc/ochre/crash"}


@dataclasses.dataclass
class Node:
    """A file of the archive; `twin` tells hard links of the same file."""

    mode: int
    data: bytes = b""
    mtime: int = 0
    twin: tuple = ()
    device: tuple = (0, 0)


def main():
    options = arguments()
    tree = image(options.bin)
    if options.root:
        lay(tree, options.root)
    if options.app:
        add(tree, f"bin/{options.app.name}", program(options.app))
    for pair in options.file:
        name, _, path = pair.partition("=")
        add(tree, name.strip("/"), from_disk(pathlib.Path(path)))
    with replacing(options.out) as new, open(new, "wb") as out:
        native = options.native.read_bytes() if options.native else b""
        native = native.removesuffix(cpio.entry(cpio.TRAILER, b""))
        out.write(native)
        for part in archive(tree, len(native)):
            out.write(part)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--native", type=pathlib.Path)
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--app", type=pathlib.Path)
    parser.add_argument("--file", action="append", default=[])
    return parser.parse_args()


def image(programs):
    """The tree that every image has."""
    tree = {name: Node(stat.S_IFDIR | mode) for name, mode in DIRECTORIES.items()}
    for path in sorted(p for p in (USERLAND / "root").rglob("*") if p.is_file()):
        name = str(path.relative_to(USERLAND / "root"))
        mode = 0o755 if name.startswith("bin/") else 0o644
        add(tree, name, Node(stat.S_IFREG | mode, path.read_bytes()))
    for name, target in LINKS.items():
        add(tree, name, Node(stat.S_IFLNK | 0o777, target.encode()))
    for path in sorted(programs.iterdir()):
        add(tree, f"bin/{path.name}", program(path))
    for name, target in links():
        if f"bin/{target}" in tree:
            add(tree, f"bin/{name}", Node(stat.S_IFLNK | 0o777, target.encode()))
    return tree


def links():
    """(name, program it means) for each word of userland/links.txt."""
    for line in (USERLAND / "links.txt").read_text().splitlines():
        target, _, names = line.partition("#")[0].partition(":")
        yield from ((name, target) for name in names.split())


def program(path):
    return Node(stat.S_IFREG | 0o755, path.read_bytes())


def lay(tree, folder):
    """Lays a folder of this machine over the tree; everything in it becomes root's."""
    if not folder.is_dir():
        sys.exit(f"rootfs: {folder} is no directory")
    for parent, directories, files in os.walk(folder):
        for name in sorted(directories + files):
            path = pathlib.Path(parent, name)
            add(tree, str(path.relative_to(folder)), from_disk(path))


def from_disk(path):
    info = path.lstat()
    node = Node(info.st_mode, mtime=int(info.st_mtime))
    if stat.S_ISREG(info.st_mode):
        node.data = path.read_bytes()
        node.twin = (info.st_dev, info.st_ino) if info.st_nlink > 1 else ()
    elif stat.S_ISLNK(info.st_mode):
        node.data = os.readlink(path).encode("utf-8", "surrogateescape")
    elif stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
        node.device = (os.major(info.st_rdev), os.minor(info.st_rdev))
    elif stat.S_ISSOCK(info.st_mode):
        sys.exit(f"rootfs: {path} is a socket, which no archive can have")
    return node


def add(tree, name, node):
    """Puts a file in the place of what has its name; directories above it come as needed."""
    old = tree.get(name)
    if old and stat.S_ISDIR(old.mode) and not stat.S_ISDIR(node.mode):
        for inner in [other for other in tree if other.startswith(name + "/")]:
            del tree[inner]
    parent = os.path.dirname(name)
    if parent and not (parent in tree and stat.S_ISDIR(tree[parent].mode)):
        add(tree, parent, Node(stat.S_IFDIR | 0o755))
    tree[name] = node


def archive(tree, position):
    """The parts of an archive that begin at a position: directories before what is in them, of hard links the last with the bytes."""
    twins = {}
    for name, node in tree.items():
        if node.twin:
            twins.setdefault(node.twin, []).append(name)
    inodes = {twin: number for number, twin in enumerate(twins, len(tree) + 1)}
    for number, (name, node) in enumerate(sorted(tree.items()), 1):
        names = sorted(twins.get(node.twin, [name]))
        fields = {
            "mode": node.mode, "mtime": node.mtime, "device": node.device,
            "inode": inodes.get(node.twin, number), "links": len(names),
        }  # fmt: skip
        data = node.data if name == names[-1] else b""
        if stat.S_ISREG(node.mode) and data.startswith(b"\x7fELF"):
            part = cpio.at_page(position, name, data, **fields)
        else:
            part = cpio.entry(name, data, **fields)
        position += len(part)
        yield part
    yield cpio.entry(cpio.TRAILER, b"")


if __name__ == "__main__":
    main()
