"""Reads what Ochre's tools need from a 64-bit little-endian ELF file: segments, sections, symbols."""

import bisect
import struct
import subprocess
from collections import namedtuple

Segment = namedtuple("Segment", "kind flags offset vaddr paddr filesz memsz")
Section = namedtuple("Section", "name kind flags addr offset size link")
Symbol = namedtuple("Symbol", "addr size name kind")

LOAD = 1  # Segment.kind
ALLOC, EXEC, WRITE, NOBITS = 2, 4, 1, 8  # Section.flags, and Section.kind of .bss
FUNCTION, NOTYPE = 2, 0  # Symbol.kind


class Elf:
    """One file, read whole."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is not a 64-bit little-endian ELF file")
        phoff, shoff = struct.unpack_from("<QQ", self.data, 32)
        phnum, _, shnum, names = struct.unpack_from("<4H", self.data, 56)
        self.segments = [self._segment(phoff + 56 * i) for i in range(phnum)]
        raw = [struct.unpack_from("<IIQQQQI", self.data, shoff + 64 * i) for i in range(shnum)]
        strings = raw[names][4]
        self.sections = [Section(self._string(strings + s[0]), *s[1:]) for s in raw]

    def section(self, name):
        """The section of that name, or None."""
        return next((s for s in self.sections if s.name == name), None)

    def symbols(self):
        """All symbols that have a name, as the linker wrote them."""
        table = self.section(".symtab")
        strings = self.sections[table.link].offset
        found = []
        for at in range(table.offset, table.offset + table.size, 24):
            name, info, _, index, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
            if name and index:
                found.append(Symbol(value, size, self._string(strings + name), info & 15))
        return found

    def symbol(self, name):
        """The address of the symbol of that name, or None."""
        return next((s.addr for s in self.symbols() if s.name == name), None)

    def _segment(self, at):
        kind, flags, offset, vaddr, paddr, filesz, memsz = struct.unpack_from("<IIQQQQQ", self.data, at)
        return Segment(kind, flags, offset, vaddr, paddr, filesz, memsz)

    def _string(self, at):
        return self.data[at : self.data.index(b"\0", at)].decode()


class Names:
    """Functions by address, for backtraces and dumps."""

    def __init__(self, elf):
        self.functions = functions(elf)
        self.starts = [f.addr for f in self.functions]
        self.end = elf.symbol("__text_end") or 0

    def at(self, address):
        """`function+0x12`, or None where there is no function."""
        index = bisect.bisect_right(self.starts, address) - 1
        if index < 0 or address >= self.end:
            return None
        function = self.functions[index]
        return f"{function.name}+{address - function.addr:#x}"


def functions(elf):
    """The text's functions by ascending address, one name for each, with readable names.

    Labels of assembly count as functions; the mapping symbols ($x, $d) of the ARM ELF do not.
    """
    text = elf.section(".text")
    at = {}
    for symbol in elf.symbols():
        named = not symbol.name.startswith(("$", ".L", "__"))
        if text.addr <= symbol.addr < text.addr + text.size and named:
            if symbol.kind == FUNCTION or (symbol.kind == NOTYPE and symbol.addr not in at):
                at[symbol.addr] = symbol
    ordered = [at[addr] for addr in sorted(at)]
    readable = demangle([s.name for s in ordered])
    return [s._replace(name=name) for s, name in zip(ordered, readable)]


def demangle(names):
    """Readable names: binutils' c++filt knows Rust's."""
    filtered = subprocess.run(
        ["c++filt"], input="\n".join(names) + "\n", capture_output=True, text=True, check=True
    ).stdout.split("\n")[: len(names)]
    return [without_hash(name) for name in filtered]


def without_hash(name):
    """Without the hash that ends a Rust name in the older mangling."""
    head, _, tail = name.rpartition("::h")
    return head if len(tail) == 16 and all(c in "0123456789abcdef" for c in tail) else name
