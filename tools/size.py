#!/usr/bin/env python3
"""Prints the size of kernels and of the kernel's source, and fails when one is over its budget.

usage: size.py target/PLATFORM/ochre.elf...
"""

import pathlib
import re
import sys

import budgets
from elf import ALLOC, EXEC, LOAD, NOBITS, Elf


def main(paths):
    budget = budgets.read()
    over = False
    print(f"{'':<8}{'text':>9}{'rodata':>9}{'data':>9}{'bss':>9}{'loaded':>9}{'budget':>9}")
    for path in map(pathlib.Path, paths):
        elf, platform = Elf(path), path.parent.name
        loaded = sum(s.filesz for s in elf.segments if s.kind == LOAD)
        limit = budget[platform, "image"]
        columns = [*parts(elf), loaded, limit]
        print(f"{platform:<8}" + "".join(f"{n:>9}" for n in columns) + verdict(loaded, limit))
        over |= loaded > limit
    lines, limit = source_lines(pathlib.Path("src")), budget["all", "lines"]
    print(f"\nlines of Rust in src/ without blanks, comments, tests and the simulated machine: {lines} of {limit}" + verdict(lines, limit))
    return int(over or lines > limit)


def verdict(value, limit):
    return "  OVER" if value > limit else ""


def parts(elf):
    """Bytes of text, rodata, data and bss."""
    sums = [0, 0, 0, 0]
    for section in elf.sections:
        if section.flags & ALLOC:
            sums[
                0 if section.flags & EXEC
                else 3 if section.kind == NOBITS
                else 2 if section.name.endswith("data") and "rodata" not in section.name
                else 1
            ] += section.size
    return sums


def source_lines(folder):
    """Lines of Rust that are neither blank, nor comment, nor in a test module, nor `arch/host`, which
    is a machine to run the kernel on."""
    simulated = folder / "arch" / "host"
    return sum(count(path) for path in folder.rglob("*.rs") if simulated not in path.parents)


def count(path):
    text = path.read_text(encoding="utf-8")
    # A file's tests are the module at its end.
    text = re.split(r"^#\[cfg\(test\)\]\nmod \w+ \{", text, maxsplit=1, flags=re.M)[0]
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    lines = (line.strip() for line in text.splitlines())
    return sum(1 for line in lines if line and not line.startswith("//"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
