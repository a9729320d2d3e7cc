#!/usr/bin/env python3
"""Puts the functions' names into the kernel's image, for the backtrace of a panic.

usage: symbols.py ELF

Fills the section `.symbols`, for which the linker script keeps room, in place. All is little-endian: a
u32 offset of the code from `layout::IMAGE_BASE`; then an entry for each function, by ascending address,
of a u16 with the distance from the function before, and the name, ended by a zero byte. What does not
fit is left out, the longest names first, after all have been shortened.
"""

import re
import struct
import sys

from elf import Elf, functions

LONGEST = 60
IMAGE_BASE = 0xFFFFFFFF80000000


def main(path):
    elf = Elf(path)
    section = elf.section(".symbols")
    table = encode(entries(elf), section.size)
    with open(path, "r+b") as file:
        file.seek(section.offset)
        file.write(table.ljust(section.size, b"\0"))


def entries(elf):
    """(offset from the image's base, short name) of each function, by address; no name ends them."""
    upper = [f for f in functions(elf) if f.addr >= IMAGE_BASE]
    names = [(f.addr - IMAGE_BASE, shorten(f.name)) for f in upper]
    return names + [(elf.symbol("__text_end") - IMAGE_BASE, "")]


def shorten(name):
    """A name as one would say it: `<ochre::mm::Frames as Drop>::drop` is `Frames::drop`.

    The kernel's own crate goes unsaid, and so do generic arguments, the paths of types, the hashes of
    crates, and of a library's path all but its end.
    """
    name = re.sub(r"\[[0-9a-f]{8,16}\]", "", name)
    name = re.sub(r"^<(.*)>(::.*)$", lambda m: implementer(m[1]) + m[2], name)
    previous = None
    while name != previous:
        previous, name = name, re.sub(r"(::)?<[^<>]*>", "", name)
    ours = name.removeprefix("ochre::")
    name = ours if ours != name else "::".join(name.split("::")[-2:])
    return name if len(name) <= LONGEST else "..." + name[3 - LONGEST :]


def implementer(impl):
    """`Type` of `path::Type<T> as path::Trait<U>`."""
    depth = 0
    for at, char in enumerate(impl):
        depth += (char == "<") - (char == ">")
        if depth == 0 and impl.startswith(" as ", at):
            impl = impl[:at]
            break
    plain = re.sub(r"<.*>", "", impl).lstrip("&*")
    return plain.rpartition("::")[2] or plain


def encode(table, room):
    """The section's bytes; the longest names are left out until they fit into `room`."""
    table = list(table)
    while True:
        before, _ = table[0]
        encoded = bytearray(struct.pack("<I", before))
        for addr, name in table:
            encoded += struct.pack("<H", addr - before) + name.encode() + b"\0"
            before = addr
        if len(encoded) <= room:
            return encoded
        longest = max(len(name) for _, name in table)
        table = [entry for entry in table if len(entry[1]) < longest]


if __name__ == "__main__":
    main(*sys.argv[1:])
