#!/usr/bin/env python3
"""Turns what cargo built into the file a platform boots.

usage: cargo build --message-format json-render-diagnostics ... | image.py TARGET OUT.elf|OUT.img

TARGET is the program of the package that is meant: a build of the test kernel builds both. Leaves
OUT.elf, with the functions' names filled in, and for OUT.img the flat image too: the bytes
of the loaded segments from load address 0 on, as arm64 Linux boot loaders want them.
"""

import json
import pathlib
import shutil
import sys

import symbols
from elf import LOAD, Elf
from output import replacing


def main(target, out):
    out = pathlib.Path(out)
    built = executable(sys.stdin, target)
    if built is None:
        return 1
    with replacing(out.with_suffix(".elf")) as elf:
        shutil.copyfile(built, elf)
        symbols.main(elf)
        image = flat(Elf(elf))
    if out.suffix == ".img":
        with replacing(out) as img:
            img.write_bytes(image)
    return 0


def executable(messages, target):
    """The path of the target's program, if cargo says that it built all; None if it failed."""
    path, built = None, False
    for line in messages:
        message = json.loads(line)
        if message.get("target", {}).get("name") == target:
            path = message.get("executable") or path
        built = message.get("success", built)
    return path if built else None


def flat(elf):
    """The segments' bytes, each at its load address."""
    image = bytearray()
    for segment in elf.segments:
        if segment.kind == LOAD and segment.filesz:
            image += bytes(segment.paddr - len(image))
            image += elf.data[segment.offset : segment.offset + segment.filesz]
    return image


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
