"""Device trees that lie, and images that hand them to the kernel.

QEMU repairs a tree it is given (it writes the memory nodes anew), so a test that wants the kernel
to see a bad one puts an image of its own around kernel and tree: a few instructions that set x0.
"""

import os
import struct
import subprocess

import machine

TREE_AT = 0x1000
KERNEL_AT = 2 << 20


class Tree:
    """A device tree in a file, edited by dtc's fdtput."""

    def __init__(self, platform, path, variables, words):
        """The tree that the platform's QEMU would hand over."""
        self.path = path
        # Where the kernel is told that it lies, if not within its image, and whether it does.
        self.at, self.is_there = None, False
        line = machine.qemu_line(platform, **variables)
        if "-dtb" in line:
            source = line[line.index("-dtb") + 1]
            with open(os.path.join(machine.ROOT, source), "rb") as file:
                self.write(file.read())
        else:
            kind = line.index("-machine") + 1
            line = [*line[:kind], f"{line[kind]},dumpdtb={path}", *line[kind + 1 :]]
            subprocess.run(line, cwd=machine.ROOT, capture_output=True, check=True)
        self.text("/chosen", "bootargs", words)

    def remove(self, *nodes):
        """Takes nodes away."""
        self._edit(["-r"], [*nodes])

    def remove_property(self, node, name):
        """Takes a property away."""
        self._edit(["-d"], [node, name])

    def add(self, node):
        """Adds an empty node."""
        self._edit(["-c"], [node])

    def place(self, address, is_there=True):
        """Hands it over at this physical address, where it may be or not."""
        self.at, self.is_there = address, is_there

    def loader(self):
        """QEMU's words that put it where it was placed."""
        if not self.is_there:
            return ()
        return "-device", f"loader,file={self.path},addr={self.at:#x},force-raw=on"

    def cells(self, node, name, *values):
        """Sets a property to 32-bit cells."""
        self._edit(["-t", "x"], [node, name, *(f"{value:x}" for value in values)])

    def text(self, node, name, value):
        """Sets a property to a string."""
        self._edit(["-t", "s"], [node, name, value])

    def read(self):
        with open(self.path, "rb") as file:
            return file.read()

    def write(self, data):
        with open(self.path, "wb") as file:
            file.write(data)

    def truncate(self):
        """Only the first half is there, though the header promises all."""
        data = self.read()
        self.write(data[: len(data) // 2])

    def flip(self, step):
        """Flips one bit in each `step` bytes of the structure and strings, not of the header."""
        data = bytearray(self.read())
        for at in range(64, len(data), step):
            data[at] ^= 1 << at % 8
        self.write(data)

    def forget(self):
        """No tree at all."""
        self.write(b"")

    def _edit(self, options, words):
        subprocess.run(["fdtput", *options, self.path, *words], check=True)


def wrap(kernel, tree, out):
    """Writes an arm64 Image that starts `kernel` with x0 at `tree`, or 0 if that has no bytes."""
    with open(kernel, "rb") as file:
        kernel = file.read()
    data = tree.read()
    (kernel_size,) = struct.unpack_from("<Q", kernel, 16)
    if tree.at is None and data:
        code = [adr(0, TREE_AT - 64)]
    else:
        code = [*move(0, tree.at or 0)]
    code.append(branch(KERNEL_AT - 64 - 4 * len(code)))
    header = struct.pack("<2I6Q2I", branch(64), 0, 0, KERNEL_AT + kernel_size, 0xA, 0, 0, 0, 0x644D_5241, 0)
    image = header + struct.pack(f"<{len(code)}I", *code)
    image = image.ljust(TREE_AT, b"\0") + data
    image = image.ljust(KERNEL_AT, b"\0") + kernel
    with open(out, "wb") as file:
        file.write(image)


def branch(offset):
    """`b .+offset`"""
    return 0x1400_0000 | offset >> 2


def adr(register, offset):
    """`adr register, .+offset`"""
    return 0x1000_0000 | (offset & 3) << 29 | offset >> 2 << 5 | register


def move(register, value):
    """`movz`, and a `movk` for each further 16 bits"""
    yield 0xD280_0000 | (value & 0xFFFF) << 5 | register
    for half in (1, 2):
        yield 0xF280_0000 | half << 21 | (value >> 16 * half & 0xFFFF) << 5 | register
