#!/usr/bin/env python3
"""Packs what cargo built into an initial RAM disk.

usage: cargo build --message-format json-render-diagnostics ... | initrd.py OUT.cpio

Every program becomes `ochre/NAME`, as far as it is loaded: names and debug information stay behind,
in cargo's folder.
"""

import json
import struct
import sys

import cpio
from elf import LOAD, Elf
from output import replacing


def main(out):
    programs = executables(sys.stdin)
    if programs is None:
        return 1
    files = ((f"ochre/{name}", loaded(path)) for name, path in sorted(programs.items()))
    with replacing(out) as new:
        new.write_bytes(cpio.archive(files))
    return 0


def executables(messages):
    """{name: path} of the programs, if cargo says that it built all; None if it failed."""
    found, built = {}, False
    for line in messages:
        message = json.loads(line)
        if message.get("executable"):
            found[message["target"]["name"]] = message["executable"]
        built = message.get("success", built)
    return found if built else None


def loaded(path):
    """A program up to the end of its last segment, without sections."""
    elf = Elf(path)
    end = max(s.offset + s.filesz for s in elf.segments if s.kind == LOAD)
    data = bytearray(elf.data[:end].ljust(end, b"\0"))
    struct.pack_into("<Q", data, 40, 0)
    struct.pack_into("<HHH", data, 58, 0, 0, 0)
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
