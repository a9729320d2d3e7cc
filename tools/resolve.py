#!/usr/bin/env python3
"""Adds function, file and line to the addresses in a panic's report.

usage: resolve.py ELF [FILE]

Reads the report from FILE or standard input. Needs the ELF of the very build that panicked.
"""

import re
import subprocess
import sys

from elf import Elf, Names

ADDRESS = re.compile(r"0x[0-9a-f]{16}|\bffffffff[89ab][0-9a-f]{7}\b", re.I)


def main(elf, report=None):
    names = Names(Elf(elf))
    for line in open(report, encoding="utf-8") if report else sys.stdin:
        print(line.rstrip("\n"))
        for match in ADDRESS.findall(line):
            address = int(match, 16)
            if name := names.at(address):
                print(f"    {address:#x}  {name}  {place(elf, address)}")


def place(elf, address):
    """`file:line` by the debug information, where there is binutils' addr2line."""
    found = subprocess.run(
        ["addr2line", "-e", elf, hex(address)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return "" if found.startswith("??") else re.sub(r"^.*/(?=src/|tests/)", "", found)


if __name__ == "__main__":
    main(*sys.argv[1:])
