"""Ochre's commands for gdb; `make debug` loads them, or `source tools/gdb.py`.

    ochre-attach SOCKET   connect to QEMU and run to the kernel's entry
    ochre-cpus            each CPU: where it is, in which function
    ochre-threads         each CPU with its backtrace
    ochre-memory          the image's parts and what surrounds them in the kernel's address space
"""

import os
import time

import gdb

# The kernel's address space, as src/layout.rs has it.
WINDOWS = [
    ("physical map", 0xFFFF_8000_0000_0000, None),
    ("image", 0xFFFF_FFFF_8000_0000, None),
    ("stacks", 0xFFFF_FFFF_A000_0000, 0xFFFF_FFFF_B000_0000),
    ("heap", 0xFFFF_FFFF_B000_0000, 0xFFFF_FFFF_C000_0000),
    ("devices", 0xFFFF_FFFF_C000_0000, 0xFFFF_FFFF_E000_0000),
]
PARTS = [("text", "r-x"), ("rodata", "r--"), ("symbols", "r--"), ("data", "rw-"), ("bss", "rw-")]


class Attach(gdb.Command):
    """ochre-attach SOCKET: connect to QEMU and run to the kernel's entry."""

    def __init__(self):
        super().__init__("ochre-attach", gdb.COMMAND_RUNNING)

    def invoke(self, socket, from_tty):
        wait_for(socket)
        gdb.execute(f"target remote {socket}")
        # A breakpoint of the hardware: the entry's page is not mapped yet.
        gdb.execute("thbreak kernel_entry")
        gdb.execute("continue")


class Cpus(gdb.Command):
    """ochre-cpus: each CPU, where it is and in which function."""

    def __init__(self):
        super().__init__("ochre-cpus", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for number, _ in each_cpu():
            frame = gdb.newest_frame()
            line = frame.find_sal()
            place = f" {os.path.relpath(line.symtab.filename)}:{line.line}" if line.symtab else ""
            print(f"cpu {number}  {frame.pc():#018x}  {frame.name() or '?'}{place}")


class Threads(gdb.Command):
    """ochre-threads: each CPU with its backtrace."""

    def __init__(self):
        super().__init__("ochre-threads", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for number, _ in each_cpu():
            print(f"cpu {number}")
            gdb.execute("backtrace 16")


class Memory(gdb.Command):
    """ochre-memory: the image's parts, and the windows of the kernel's address space."""

    def __init__(self):
        super().__init__("ochre-memory", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for name, start, end in WINDOWS:
            print(f"{name:<12}  {start:#018x}  {f'{end:#018x}' if end else ''}".rstrip())
            if name == "image":
                for part, access in PARTS:
                    first, last = address(f"__{part}_start"), address(f"__{part}_end")
                    print(f"  {part:<10}  {first:#018x}  {last:#018x}  {access} {(last - first) // 1024} KiB")


def each_cpu():
    """Every CPU's number and gdb thread, selected in turn; the selection comes back afterwards."""
    before = gdb.selected_thread()
    if before is None:
        raise gdb.GdbError("no machine is attached")
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
        thread.switch()
        yield thread.num - 1, thread
    before.switch()


def address(symbol):
    """Where the linker put a symbol. It has no type, which Rust's expressions cannot bear."""
    gdb.execute("set language c", to_string=True)
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{symbol}"))
    finally:
        gdb.execute("set language auto", to_string=True)


def wait_for(socket):
    """QEMU makes its socket a moment after it starts."""
    deadline = time.monotonic() + 10
    while not os.path.exists(socket):
        if time.monotonic() > deadline:
            raise gdb.GdbError(f"QEMU does not listen on {socket}")
        time.sleep(0.02)


gdb.execute("set pagination off")
gdb.execute("set confirm off")
for command in (Attach, Cpus, Threads, Memory):
    command()
