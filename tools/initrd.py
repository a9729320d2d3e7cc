#!/usr/bin/env python3
"""Packs what cargo built into an initial RAM disk.

usage: cargo build --message-format json-render-diagnostics ... | initrd.py OUT.cpio NAME=MANIFEST...

Every program becomes `ochre/NAME`, as far as it is loaded: names and debug information stay behind,
in cargo's folder. Every manifest becomes `ochre/NAME`, and the programs that it names, and `init`, get a
table of their functions beside them, `ochre/NAME.sym`, with which `init` reads their stacks.
"""

import json
import pathlib
import re
import struct
import sys

import cpio
import symbols
from elf import LOAD, Elf, functions
from output import replacing


# Bytes of the largest table.
MOST = 1 << 20


def main(out, *manifests):
    programs = executables(sys.stdin)
    if programs is None:
        return 1
    files = {name: loaded(path) for name, path in programs.items()}
    for manifest in manifests:
        name, _, path = manifest.partition("=")
        files[name] = pathlib.Path(path).read_bytes()
        services = ["init", *re.findall(r"^\s*program\s+(\S+)", files[name].decode(), re.M)]
        files |= {f"{it}.sym": table(programs[it]) for it in services if it in programs}
    with replacing(out) as new:
        new.write_bytes(cpio.archive((f"ochre/{name}", files[name]) for name in sorted(files)))
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


def table(path):
    """The names of a program's functions, as `src/symbols.rs` reads them."""
    elf = Elf(path)
    found = {f.addr: symbols.shorten(f.name) for f in functions(elf)}
    text = elf.section(".text")
    return bytes(symbols.encode([*sorted(found.items()), (text.addr + text.size, "")], MOST))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
