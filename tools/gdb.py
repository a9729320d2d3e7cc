"""Ochre's commands for gdb; `make debug` loads them, or `source tools/gdb.py`.

    ochre-attach SOCKET   connect to QEMU and run to the kernel's entry
    ochre-cpus            each CPU: where it is, in which function, and what it is doing
    ochre-threads         each CPU with its backtrace
    ochre-memory          the kernel's address space; once there is a kernel, RAM as it knows it
    ochre-tables ADDRESS  how the kernel's page table translates an address, level by level
    ochre-log             the log, with all that the console was not shown
"""

import os
import time

import gdb

PHYS_MAP = 0xFFFF_8000_0000_0000

# The kernel's address space, as src/layout.rs has it.
WINDOWS = [
    ("physical map", PHYS_MAP, None),
    ("image", 0xFFFF_FFFF_8000_0000, None),
    ("stacks", 0xFFFF_FFFF_A000_0000, 0xFFFF_FFFF_B000_0000),
    ("devices", 0xFFFF_FFFF_C000_0000, 0xFFFF_FFFF_E000_0000),
]
PARTS = [("text", "r-x"), ("rodata", "r--"), ("symbols", "r--"), ("data", "rw-"), ("bss", "rw-")]

# Page-table entries, as src/arch/*/paging.rs has them: the bit that tells a table from a page, its
# value for a table, and what is allowed where `entry & mask == value`.
ADDRESS = 0x0000_FFFF_FFFF_F000
AARCH64 = {
    "kind": 1 << 1,
    "table": True,
    "access": [
        ("write", 1 << 7, 0), ("execute", 1 << 53, 0), ("user", 1 << 6, 1 << 6),
        ("global", 1 << 11, 0), ("device", 1 << 2, 1 << 2),
    ],
}
X86_64 = {
    "kind": 1 << 7,
    "table": False,
    "access": [
        ("write", 1 << 1, 1 << 1), ("execute", 1 << 63, 0), ("user", 1 << 2, 1 << 2),
        ("global", 1 << 8, 1 << 8), ("device", 3 << 3, 3 << 3),
    ],
}

# The state of a `spin::Once` that has its value.
ONCE_COMPLETE = 2


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
    """ochre-cpus: each CPU, what it is doing, where it is and in which function."""

    def __init__(self):
        super().__init__("ochre-cpus", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        # Asked of the CPU that is selected: others may not have the kernel's memory yet.
        states = [doing(number) for number, _ in enumerate(gdb.selected_inferior().threads())]
        for number, _ in each_cpu():
            frame = gdb.newest_frame()
            line = frame.find_sal()
            place = f" {os.path.relpath(line.symtab.filename)}:{line.line}" if line.symtab else ""
            print(f"cpu {number}  {states[number]:<9}  {frame.pc():#018x}  {frame.name() or '?'}{place}")


class Threads(gdb.Command):
    """ochre-threads: each CPU with its backtrace."""

    def __init__(self):
        super().__init__("ochre-threads", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for number, _ in each_cpu():
            print(f"cpu {number}")
            gdb.execute("backtrace 16")


class Memory(gdb.Command):
    """ochre-memory: the windows of the kernel's address space, and RAM as the kernel knows it."""

    def __init__(self):
        super().__init__("ochre-memory", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for name, start, end in WINDOWS:
            print(f"{name:<12}  {start:#018x}  {f'{end:#018x}' if end else ''}".rstrip())
            if name == "image":
                for part, access in PARTS:
                    first, last = address(f"__{part}_start"), address(f"__{part}_end")
                    print(f"  {part:<10}  {first:#018x}  {last:#018x}  {access} {(last - first) // 1024} KiB")
        if the_kernel := kernel():
            print_ram(the_kernel)


def print_ram(the_kernel):
    for what in ("memory", "reserved"):
        for start, end in ranges(the_kernel["info"][what]):
            print(f"{what:<12}  {start:#018x}  {end:#018x}  {(end - start) // 1024} KiB")
    stats = the_kernel["vm"]["ram"]["frames"]["stats"]
    free, total = int(stats["free"]), int(stats["total"])
    print(f"frames        {free} free of {total}")


class Tables(gdb.Command):
    """ochre-tables ADDRESS: how the kernel's page table translates it, level by level."""

    def __init__(self):
        super().__init__("ochre-tables", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        the_kernel = kernel()
        if not the_kernel:
            raise gdb.GdbError("there is no kernel yet")
        at = int(spoken("rust", f"({argument}) as u64")) & (1 << 64) - 1
        table = number_in(the_kernel["vm"]["ram"]["space"]["table"]["root"]) << 12
        for level in range(4):
            shift = 39 - 9 * level
            index = at >> shift & 511
            entry = read_u64(PHYS_MAP + table + 8 * index)
            kind, access = decode(entry, level)
            table = entry & ADDRESS & -(1 << shift if kind == "page" else 4096)
            print(f"level {level}  entry {index:3}  {entry:#018x}  {kind} {table:#x} {access}".rstrip())
            if kind != "table":
                return


def decode(entry, level):
    """What an entry is, and what it allows."""
    bits = AARCH64 if "aarch64" in gdb.selected_inferior().architecture().name() else X86_64
    if not entry & 1:
        return "nothing", ""
    if level < 3 and bool(entry & bits["kind"]) == bits["table"]:
        return "table", ""
    has = [name for name, mask, value in bits["access"] if entry & mask == value]
    return "page", " ".join(has)


class Log(gdb.Command):
    """ochre-log: what the ring in memory holds."""

    def __init__(self):
        super().__init__("ochre-log", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        log = part(static("ochre::log::LOG"), "ochre::log::Log")
        ring, written = log["ring"], int(log["written"])
        data = gdb.selected_inferior().read_memory(int(ring.address), ring.type.sizeof).tobytes()
        at = written % len(data)
        kept = data[at:] + data[:at] if written > len(data) else data[:written]
        print(kept.decode(errors="replace"), end="")


# The kernel's values ------------------------------------------------------------------------------


def static(name):
    """The value of one of the kernel's statics."""
    return spoken("rust", name)


def kernel():
    """The kernel's value, or None before there is one."""
    made = number_in(part(static("ochre::kernel::lock::install::INSTALLED"), "u8"))
    return part(static("ochre::kernel::lock::LOCK")["kernel"], "ochre::kernel::Kernel") if made else None


def doing(cpu):
    """The name of what a CPU is doing."""
    value = number_in(static("ochre::panic::DOING")[cpu])
    names = {field.enumval: field.name for field in gdb.lookup_type("ochre::panic::Doing").fields()}
    return names[value].rpartition("::")[2].lower()


def part(value, kind):
    """What of type `kind` a value has inside its wrappers; None if nothing."""
    if value.type.name == kind:
        return value
    if value.type.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        for field in value.type.fields():
            found = part(value[field], kind)
            if found is not None:
                return found
    return None


def number_in(value):
    """The number inside of wrappers such as `Frame` or `AtomicU8`."""
    while value.type.code == gdb.TYPE_CODE_STRUCT:
        value = value[value.type.fields()[0]]
    return int(value)


def ranges(regions):
    """(start, end) of each range in a `Regions`."""
    for nth in range(number_in(regions["len"])):
        found = part(regions["xs"][nth], "core::ops::range::Range<ochre::units::PhysAddr>")
        yield number_in(found["start"]), number_in(found["end"])


def read_u64(at):
    return int.from_bytes(gdb.selected_inferior().read_memory(at, 8).tobytes(), "little")


# The machine --------------------------------------------------------------------------------------


def each_cpu():
    """Every CPU's number and gdb thread, selected in turn; the selection comes back afterwards."""
    before = gdb.selected_thread()
    if before is None:
        raise gdb.GdbError("no machine is attached")
    try:
        for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
            thread.switch()
            yield thread.num - 1, thread
    finally:
        before.switch()


def address(symbol):
    """Where the linker put a symbol. It has no type, which Rust's expressions cannot bear."""
    return int(spoken("c", f"(unsigned long)&{symbol}"))


def spoken(language, expression):
    """An expression's value, whatever the language of the function that runs."""
    gdb.execute(f"set language {language}", to_string=True)
    try:
        return gdb.parse_and_eval(expression)
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
for command in (Attach, Cpus, Threads, Memory, Tables, Log):
    command()
