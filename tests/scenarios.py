"""Boots to be tried on each platform, good machines and bad, and what the console must then say."""

import dataclasses
import glob
import typing

import initrds

BOOTED = r"^boot: done, \d+ ns since power-on, \d+ ns of them in the kernel$"
REFUSED = 4
PANICKED = 3


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot of the kernel as it ships."""

    platform: str
    name: str
    # Variables of the Makefile.
    variables: dict = dataclasses.field(default_factory=dict)
    # Regular expressions that the output must match.
    expect: tuple = (BOOTED,)
    # Those that it must not match: a machine in order gives no cause for warnings.
    unwanted: tuple = ()
    # The guest's exit status; None if the run ends when `until` appears.
    status: typing.Optional[int] = 0
    until: typing.Optional[str] = None
    # The kernel's command line; None where something else than QEMU hands it over.
    words: typing.Optional[str] = "exit=qemu then=off"
    # More of QEMU's command line.
    qemu: tuple = ()
    # The bytes of an initial RAM disk.
    initrd: typing.Optional[bytes] = None
    # What is done to the device tree before the kernel sees it.
    tree: typing.Optional[typing.Callable] = None
    # Seconds, where it takes longer than others.
    limit: typing.Optional[float] = None


# What the console says ----------------------------------------------------------------------------


def says(what, text):
    """A line of the boot report."""
    return rf"^  {what:<11}{text}$"


def warns(text):
    return rf"^warning: {text}$"


def cpus(count, present=None):
    """So many are used, of those there are, and all of them run."""
    return BOOTED, says("cpus", rf"{count} of {present or count}: .+"), says("running", f"{count} CPUs")


def memory(mib, banks=1):
    plural = "s" if banks > 1 else ""
    return BOOTED, says("memory", rf"{mib} MiB in {banks} bank{plural}, \d+ MiB free")


def refused(why):
    return (rf"^error: cannot boot with \d+ KiB of memory: {why}; give the machine at least 16 MiB$",)


# What is done to device trees ---------------------------------------------------------------------

RAM = "/memory@40000000"


def banks_at(*banks):
    """RAM in these banks of (start, size), all below 4 GiB."""
    cells = [cell for start, size in banks for cell in (0, start, 0, size)]
    return lambda tree: tree.cells(RAM, "reg", *cells)


MIB = 1 << 20
HOLE = banks_at((0x4000_0000, 64 * MIB), (0x4800_0000, 64 * MIB))
OVERLAP = banks_at((0x4000_0000, 128 * MIB), (0x4600_0000, 64 * MIB))
MANY = banks_at((0x4000_0000, 32 * MIB), *((0x4200_0000 + 2 * n * MIB, MIB) for n in range(1, 40)))
TIGHT = banks_at((0x4020_0000, 2 * MIB + 0x5_0000))
ELSEWHERE = banks_at((0x4800_0000, 64 * MIB))


def reserve(tree):
    """Two ranges are taken, one of which must not even be mapped."""
    tree.add("/reserved-memory")
    tree.cells("/reserved-memory", "#address-cells", 2)
    tree.cells("/reserved-memory", "#size-cells", 2)
    for name, start in (("taken", 0x4400_0000), ("unmapped", 0x4600_0000)):
        node = f"/reserved-memory/{name}@{start:x}"
        tree.add(node)
        tree.cells(node, "reg", 0, start, 0, MIB)
    tree.text("/reserved-memory/unmapped@46000000", "no-map", "")


def reserve_all(tree):
    """Nothing is free."""
    tree.add("/reserved-memory")
    tree.cells("/reserved-memory", "#address-cells", 2)
    tree.cells("/reserved-memory", "#size-cells", 2)
    tree.add("/reserved-memory/all@0")
    tree.cells("/reserved-memory/all@0", "reg", 0, 0, 0x10, 0)


def initrd_in_the_kernel(tree):
    """The initrd begins where an image that `wrap` made has the kernel."""
    tree.cells("/chosen", "linux,initrd-start", 0x4040_1000)
    tree.cells("/chosen", "linux,initrd-end", 0x4050_0000)


def vast(tree):
    """A TiB of RAM, where there are 64 MiB."""
    tree.cells(RAM, "reg", 0, 0x4000_0000, 0x100, 0)


def far(tree):
    """A second bank that is not there, half a TiB away."""
    tree.cells(RAM, "reg", 0, 0x4000_0000, 0, 0x1000_0000, 0x80, 0, 0, 0x1000_0000)


def without(*nodes):
    return lambda tree: tree.remove(*nodes)


def absent_cpu(tree):
    """The second CPU has a number that no CPU has."""
    tree.cells("/cpus/cpu@1", "reg", 99)


def sleeping_cpu(tree):
    """The fourth CPU's spin table is where no CPU looks."""
    tree.cells("/cpus/cpu@3", "cpu-release-addr", 0, 0x9000)


def unmapped_cpu(tree):
    """The fourth CPU's spin table is in no memory."""
    tree.cells("/cpus/cpu@3", "cpu-release-addr", 0, 0x7000_0000)


def unstartable_cpu(tree):
    """The third CPU does not say how it is started."""
    tree.remove_property("/cpus/cpu@2", "enable-method")


def mini_uart(tree):
    """The console is the mini UART, as on a board whose PL011 serves Bluetooth."""
    tree.text("/chosen", "stdout-path", "serial1:115200n8")


def no_stdout(tree):
    tree.remove_property("/chosen", "stdout-path")


def placed(address, is_there=True):
    return lambda tree: tree.place(address, is_there)


# Boots --------------------------------------------------------------------------------------------


def virt(name, *expect, **more):
    """A boot on virt; capital letters are the Makefile's variables."""
    return boot("virt", name, expect, more)


def rpi(name, *expect, **more):
    return boot("rpi", name, expect, more)


def x86(name, *expect, **more):
    return boot("x86", name, expect, more)


def boot(platform, name, expect, more):
    """A boot that ends well and without a warning, unless it expects something else."""
    variables = {key: value for key, value in more.items() if key.isupper()}
    rest = {key: value for key, value in more.items() if not key.isupper()}
    expect = tuple(expect) or (BOOTED,)
    odd = any("warning" in pattern or "error" in pattern for pattern in expect)
    rest.setdefault("unwanted", () if odd else ("^warning", "^error"))
    return Boot(platform, name, variables, expect, **rest)


def banks(*sizes):
    """QEMU's words for RAM in several NUMA nodes, which virt's device tree shows one by one."""
    words = []
    for number, size in enumerate(sizes):
        words += ["-object", f"memory-backend-ram,id=bank{number},size={size}"]
        words += ["-numa", f"node,memdev=bank{number}"]
    return tuple(words)


def everywhere(new):
    """What holds on every platform; `new` makes its boots."""
    unknown = (warns(f'unknown command-line word "{word}", ignored') for word in ("teapot", "spout=9"))
    odd = (warns(f'unknown command-line word "{word}", ignored') for word in ("hz=0", "log=loud", "test", "hz=1001"))
    entries = len(initrds.SOUND) >> 10
    return [
        new("no initrd", BOOTED, says("initrd", "none")),
        new("initrd", BOOTED, says("initrd", rf"7 entries, {entries} KiB at 0x[0-9a-f]+"), initrd=initrds.SOUND),
        *(
            new(f"initrd {what}", BOOTED, warns(f"initrd: {why}; going on without it"), initrd=data)
            for what, data, why in (
                ("of noise", initrds.NOISE, "no cpio header"),
                ("compressed", initrds.COMPRESSED, "compressed: not supported yet"),
                ("cut short", initrds.CUT_SHORT, "an entry is cut short"),
                ("without trailer", initrds.NO_TRAILER, "no cpio header"),
            )
        ),
        new("unknown words", BOOTED, *unknown, words="exit=qemu teapot spout=9 then=off"),
        new("odd values", BOOTED, says("timer", ".*, slices of 1/100 s"), *odd,
            words="exit=qemu hz=0 log=loud test hz=1001 then=off"),
        new("hz=250", BOOTED, says("timer", ".*, slices of 1/250 s"), words="exit=qemu hz=250 then=off"),
        new("log=debug", BOOTED, r"^debug:   bank +\d+ KiB at 0x[0-9a-f]+$", r"^debug:   reserved +\d+ KiB at 0x[0-9a-f]+$",
            words="exit=qemu log=debug then=off"),
        new("quiet", r"\A\Z", words="exit=qemu quiet then=off"),
        new("quiet, but for warnings", r'\Awarning: unknown command-line word "teapot", ignored\n\Z',
            words="exit=qemu quiet teapot then=off"),
        # A machine that resets instead would boot for ever.
        new("power off", words="then=off", qemu=("-action", "reboot=reset")),
        new("panic", *REPORT, status=PANICKED, words="exit=qemu then=panic"),
        new("panic among four", *REPORT, "^error: CPU 3 was (idle|booting|serving an interrupt)$", SMP=4, status=PANICKED, words="exit=qemu then=panic"),
    ]


REPORT = (
    BOOTED,
    r"^error: kernel panic on CPU 0, idle$",
    r"^error:   the command line asked for a panic$",
    r"^error:   at src/main\.rs:\d+:\d+$",
    r"^error: registers:$",
    r"^error: +\d+  ffffffff[0-9a-f]{8}  start::resume \+ 0x[0-9a-f]+$",
)
NO_TREE = (BOOTED, says("machine", r".* \(built-in description\)"))
# Without a tree nobody says how to exit.
WAITS = {"status": None, "until": BOOTED}
NOT_FOUND = warns("device tree: not found; using the built-in description of this board")


def first_reads(platform):
    """What there is if the first process is to find the device tree."""
    words = "exit=qemu init=ochre/abitest"
    return {"words": words, "INITRD": f"target/{platform}/initrd.cpio", "status": None, "until": r"^test firmware: ok$"}


VIRT = [
    *everywhere(virt),
    virt("the first process reads the tree", **first_reads("virt")),
    virt("the first process reads a tree in mid-page", tree=placed(0x4c00_0108), **first_reads("virt")),
    *(
        virt(f"cpu {cpu}", *cpus(4), says("cpus", f"4 of 4: part {part} .*"), CPU=cpu)
        for cpu, part in (
            ("cortex-a53", "0xd03"), ("cortex-a57", "0xd07"), ("cortex-a72", "0xd08"),
            ("max", "0x51"),
        )
    ),
    *(virt(f"smp {n}", *cpus(n), says("interrupts", "GICv2 at 0x8000000"), SMP=n) for n in (1, 2, 4, 8)),
    *(
        virt(f"gicv3 smp {n}", *cpus(n), says("interrupts", "GICv3 at 0x8000000"), SMP=n, MACHINE="virt,gic-version=3")
        for n in (1, 8)
    ),
    virt("EL2", *cpus(4), MACHINE="virt,virtualization=on"),
    virt("EL2 gicv3 max", *cpus(4), MACHINE="virt,virtualization=on,gic-version=3", CPU="max"),
    virt("EL3 below us", *cpus(4), MACHINE="virt,secure=on,virtualization=on"),
    virt("smp 12, beyond the limit", *cpus(8, 12), warns("4 CPUs beyond the limit of 8: not used"),
         SMP=12, MACHINE="virt,gic-version=3"),
    *(virt(f"mem {mem}", *memory(mib), MEM=mem) for mem, mib in (("16M", 16), ("64M", 64), ("8G", 8192))),
    virt("mem in four nodes", *memory(256), MEM="256M", qemu=banks("64M", "32M", "96M", "64M")),
    virt("mem with a hole", *memory(128, 2), MEM="256M", tree=HOLE),
    virt("too little RAM", *refused("NoMemory"), status=REFUSED, tree=TIGHT),
    virt("RAM without the kernel", *refused(r"the kernel, at 0x4\w+\.\.0x4\w+, is not in it"), status=REFUSED, tree=ELSEWHERE),
    virt("empty initrd", BOOTED, says("initrd", "none"), INITRD="/dev/null"),
    virt("tree without memory", warns("device tree: no memory in it"), *refused(".*"), status=REFUSED, tree=without(RAM)),
    virt("tree with overlapping memory", *memory(160), warns("memory banks overlap: taken as one"), MEM="256M", tree=OVERLAP),
    virt("tree with 40 banks", *memory(63, 32), warns("memory at 0x.+ is one too many: ignored"), MEM="256M", tree=MANY),
    virt("tree with reservations", *memory(255, 2), r"^debug:   reserved +1024 KiB at 0x44000000$",
         r"^debug:   bank +\d+ KiB at 0x46100000$", words="exit=qemu log=debug then=off", tree=reserve),
    virt("tree reserving all RAM", *refused("NoMemory"), status=REFUSED, tree=reserve_all),
    virt("tree with more RAM than there is", r"bus error", status=PANICKED, MEM="64M", tree=vast),
    virt("tree with RAM far away", *memory(512, 2), MEM="256M", tree=far),
    virt("tree with the initrd in the kernel", BOOTED, says("initrd", "none"), warns("initrd: it is where the kernel is, ignored"),
         tree=initrd_in_the_kernel),
    virt("tree truncated", *NO_TREE, warns("device tree: .+; using the built-in description of this board"),
         tree=lambda tree: tree.truncate(), **WAITS),
    virt("tree bit-flipped", *NO_TREE, warns("device tree: .+; using the built-in description of this board"),
         tree=lambda tree: tree.flip(16), **WAITS),
    virt("tree absent", *NO_TREE, NOT_FOUND, tree=lambda tree: tree.forget(), **WAITS),
    virt("tree in odd alignment", *NO_TREE, NOT_FOUND, tree=placed(0x4900_0004), **WAITS),
    virt("tree across two large pages", *cpus(4), tree=placed(0x491f_f000)),
    virt("tree at the end of RAM", *cpus(4), MEM="256M", tree=placed(0x4ff0_0000)),
    virt("tree above 4 GiB", *cpus(4), MEM="8G", tree=placed(0x2_0000_0000)),
    virt("tree not where it should be", *NO_TREE, NOT_FOUND, tree=placed(0x4a00_0000, is_there=False), **WAITS),
    virt("tree where nothing is", *NO_TREE, NOT_FOUND, tree=placed(0x3000_0000, is_there=False), **WAITS),
    virt("tree on no bus", *NO_TREE, NOT_FOUND, tree=placed(0x20_0000_0000, is_there=False), **WAITS),
    virt("tree beyond reach", *NO_TREE, NOT_FOUND, tree=placed(0x8000_0000_0000, is_there=False), **WAITS),
    virt("tree without chosen", BOOTED, warns("no console is chosen: .*"), tree=without("/chosen"), **WAITS),
    virt("tree without console", BOOTED, warns("no console is chosen: taking .*"), tree=no_stdout),
    virt("tree without UART", BOOTED, warns(".*, and no other either"), tree=without("/pl011@9000000")),
    virt("tree without CPUs", BOOTED, *cpus(1), warns("the boot CPU 0x0 is not in the device tree"), tree=without("/cpus")),
    virt("tree without GIC", BOOTED, warns("no interrupt controller the kernel knows"), SMP=1, tree=without("/intc@8000000")),
    virt("tree without GIC, smp 4", BOOTED, warns("no interrupt controller the kernel knows"), SMP=4, tree=without("/intc@8000000")),
    virt("tree without timer", *cpus(4), warns("no timer in the device tree: taking the generic one"), tree=without("/timer")),
    virt("tree without PSCI", BOOTED, warns("cpu@3: it wants PSCI and there is none, not used"), tree=without("/psci")),
    virt("tree with a CPU that is not there", says("running", "3 CPUs"), BOOTED, warns("CPU 1 does not start: PSCI knows no such CPU"), tree=absent_cpu),
    virt("tree with a CPU without a way to start", *cpus(3, 4), warns("cpu@2: no known way to start it, not used"), tree=unstartable_cpu),
    virt("shipped image", *cpus(4), KERNEL="dist/ochre-virt.img"),
]

RPI = [
    *everywhere(rpi),
    rpi("device tree", *cpus(4), *memory(960), says("machine", r"Raspberry Pi 3 Model B \(device tree\)"),
        says("console", "PL011 at 0x3f201000"), says("interrupts", "BCM2836 at 0x40000000")),
    *(rpi(f"smp {n}", *cpus(n), SMP=n) for n in (1, 2, 3)),
    rpi("the first process reads the tree", **first_reads("rpi")),
    rpi("no device tree", *NO_TREE, *cpus(4), NOT_FOUND, DTB="none", **WAITS),
    rpi("mini UART", *cpus(4), says("console", "mini UART at 0x3f215040"), tree=mini_uart, qemu=("-serial", "null")),
    rpi("a CPU that does not come up", BOOTED, says("running", "3 CPUs"), warns("CPU 3 does not come up; going on without it"), tree=sleeping_cpu),
    rpi("a CPU whose spin table is no memory", BOOTED, says("running", "3 CPUs"),
        warns("CPU 3 does not start: its release address is no memory"), tree=unmapped_cpu),
    rpi("tree truncated", *NO_TREE, *cpus(4), warns("device tree: .+; using the built-in description of this board"),
        tree=lambda tree: tree.truncate(), **WAITS),
    rpi("tree bit-flipped", *NO_TREE, warns("device tree: .+; using the built-in description of this board"),
        tree=lambda tree: tree.flip(16), **WAITS),
    rpi("tree absent", *NO_TREE, *cpus(4), NOT_FOUND, tree=lambda tree: tree.forget(), **WAITS),
    rpi("shipped image", *cpus(4), KERNEL="dist/kernel8.img"),
]

CD = {"KERNEL": "none", "words": None, **WAITS}
FROM_CD = ("-cdrom", "dist/ochre-x86.iso")
OVMF = ("-bios", next(iter(glob.glob("/usr/share/ovmf/OVMF.fd")), "OVMF.fd"))

X86 = [
    *everywhere(x86),
    *(
        x86(f"{machine} {cpu}", *cpus(4), says("machine", r".* \(PVH \+ ACPI\)"), MACHINE=machine, CPU=cpu)
        for machine in ("pc", "q35")
        for cpu in ("qemu64", "max")
    ),
    *(x86(f"smp {n}", *cpus(n), SMP=n) for n in (1, 2, 8)),
    x86("smp 8 pc max", *cpus(8), SMP=8, MACHINE="pc", CPU="max"),
    x86("smp 12, beyond the limit", *cpus(8, 12), warns("4 CPUs beyond the limit of 8: not used"), SMP=12),
    x86("smp 1 of 4 sockets filled", BOOTED, says("running", "1 CPUs"), SMP="1,maxcpus=4"),
    *(
        x86(f"mem {mem}", *memory(mib, banks), MEM=mem)
        for mem, mib, banks in (("3M", 2, 2), ("16M", 15, 2), ("64M", 63, 2), ("3G", 3071, 3), ("8G", 8191, 3))
    ),
    x86("mem 8G pc", *memory(8191, 3), MEM="8G", MACHINE="pc"),
    x86("no ACPI", BOOTED, warns("ACPI: .*; going on with one CPU"), says("running", "1 CPUs"), MACHINE="pc,acpi=off"),
    x86("power off pc", MACHINE="pc", words="then=off", qemu=("-action", "reboot=reset")),
    x86("CD from BIOS", *cpus(4), says("machine", r".* \(multiboot2 \+ ACPI\)"), qemu=FROM_CD, **CD),
    x86("CD from BIOS pc", *cpus(4), MACHINE="pc", qemu=FROM_CD, **CD),
    x86("CD from UEFI", *cpus(4), says("machine", r".* \(multiboot2 \+ ACPI\)"), qemu=(*FROM_CD, *OVMF), limit=120.0,
        unwanted=("^warning",), **CD),
    x86("shipped image", *cpus(4), KERNEL="dist/ochre-x86.elf"),
]

ALL = VIRT + RPI + X86
