"""Boots to be tried on each platform, good machines and bad, and what the console must then say."""

import dataclasses
import glob
import typing

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
    # The guest's exit status; None if the run ends when `until` appears.
    status: typing.Optional[int] = 0
    until: typing.Optional[str] = None
    # The kernel's command line; None where something else than QEMU hands it over.
    words: typing.Optional[str] = "exit=qemu then=off"
    # More of QEMU's command line.
    qemu: tuple = ()
    # What is done to the device tree before the kernel sees it.
    tree: typing.Optional[typing.Callable] = None
    # Seconds, where it takes longer than others.
    limit: typing.Optional[float] = None


def cpus(count):
    return BOOTED, rf"\b{count} CPUs?\b"


def cut_in_two(tree):
    """RAM in two banks with a hole between them."""
    tree.cells("/memory@40000000", "reg", 0, 0x4000_0000, 0, 0x0400_0000, 0, 0x4800_0000, 0, 0x0400_0000)


def overlap(tree):
    """Two banks that share 32 MiB."""
    tree.cells("/memory@40000000", "reg", 0, 0x4000_0000, 0, 0x0800_0000, 0, 0x4600_0000, 0, 0x0400_0000)


def absent_cpu(tree):
    """The second CPU has a number that no CPU has."""
    tree.cells("/cpus/cpu@1", "reg", 99)


def sleeping_cpu(tree):
    """The fourth CPU's spin table is where no CPU looks."""
    tree.cells("/cpus/cpu@3", "cpu-release-addr", 0, 0x9000)


def mini_uart(tree):
    """The console is the mini UART, as on a board whose PL011 serves Bluetooth."""
    tree.text("/chosen", "stdout-path", "serial1:115200n8")


def virt(name, expect=(BOOTED,), **more):
    """A boot on virt; capital letters are the Makefile's variables."""
    return boot("virt", name, expect, more)


def rpi(name, expect=(BOOTED,), **more):
    return boot("rpi", name, expect, more)


def x86(name, expect=(BOOTED,), **more):
    return boot("x86", name, expect, more)


def boot(platform, name, expect, more):
    variables = {key: value for key, value in more.items() if key.isupper()}
    rest = {key: value for key, value in more.items() if not key.isupper()}
    return Boot(platform, name, variables, expect, **rest)


def banks(*sizes):
    """QEMU's words for RAM in several NUMA nodes, which virt's device tree shows one by one."""
    words = []
    for number, size in enumerate(sizes):
        words += ["-object", f"memory-backend-ram,id=bank{number},size={size}"]
        words += ["-numa", f"node,memdev=bank{number}"]
    return tuple(words)


OFF = {"words": "then=off"}
PANIC = {"words": "exit=qemu then=panic", "status": PANICKED}
REPORT = (r"panic", r"\b(start|main|panic)\w*")

VIRT = [
    *(virt(f"cpu {cpu}", CPU=cpu) for cpu in ("cortex-a53", "cortex-a57", "cortex-a72", "max")),
    *(virt(f"smp {n}", cpus(n), SMP=n) for n in (1, 2, 4, 8)),
    *(virt(f"gicv3 smp {n}", cpus(n), SMP=n, MACHINE="virt,gic-version=3") for n in (1, 8)),
    virt("EL2", MACHINE="virt,virtualization=on"),
    virt("EL2 gicv3 max", MACHINE="virt,virtualization=on,gic-version=3", CPU="max"),
    virt("EL3 below us", MACHINE="virt,secure=on,virtualization=on"),
    virt("smp 12, beyond the limit", cpus(8), SMP=12, MACHINE="virt,gic-version=3"),
    *(virt(f"mem {mem}", MEM=mem) for mem in ("16M", "64M", "8G")),
    virt("mem in four banks", MEM="256M", qemu=banks("64M", "32M", "96M", "64M")),
    virt("mem with a hole", MEM="256M", tree=cut_in_two),
    virt("initrd", (BOOTED, "initrd"), INITRD="tests/run"),
    virt("empty initrd", INITRD="/dev/null"),
    virt("unknown words", (BOOTED, "teapot", "spout=9"), words="exit=qemu teapot spout=9 then=off"),
    virt("odd values", words="exit=qemu hz=0 log=loud test then=off"),
    virt("quiet", (r"\A\Z",), words="exit=qemu quiet then=off"),
    virt("power off", **OFF),
    virt("panic", REPORT, **PANIC),
    virt("panic smp 1", REPORT, SMP=1, **PANIC),
    virt("tree without memory", (r"memory",), status=REFUSED, tree=lambda t: t.remove("/memory@40000000")),
    virt("tree with overlapping memory", MEM="256M", tree=overlap),
    virt("tree truncated", (r"device tree",), status=None, until="device tree", tree=lambda t: t.truncate()),
    virt("tree bit-flipped", (r"device tree",), status=None, until="device tree", tree=lambda t: t.flip(16)),
    virt("tree absent", (r"device tree",), status=None, until="device tree", tree=lambda t: t.forget()),
    virt("tree without chosen", status=None, until=BOOTED, tree=lambda t: t.remove("/chosen")),
    virt("tree with a CPU that is not there", (*cpus(3), r"CPU 1 does not"), tree=absent_cpu),
    virt("user pages under PAN", (r"^test user-pages\S+: ok$", r"\bpan\b"), CPU="max",
         KERNEL="target/virt/tests.img", words="exit=qemu test=user-pages-are-out-of-reach"),
    virt("shipped image", KERNEL="dist/ochre-virt.img"),
]

RPI = [
    rpi("device tree", cpus(4)),
    *(rpi(f"smp {n}", cpus(n), SMP=n) for n in (1, 2, 3)),
    rpi("no device tree", (BOOTED, "built-in"), DTB="none", status=None, until=BOOTED),
    rpi("mini UART", tree=mini_uart, qemu=("-serial", "null")),
    rpi("a CPU that does not come up", (*cpus(3), r"CPU 3 does not"), tree=sleeping_cpu),
    rpi("tree truncated", (BOOTED, "built-in"), status=None, until=BOOTED, tree=lambda t: t.truncate()),
    rpi("tree absent", (BOOTED, "built-in"), status=None, until=BOOTED, tree=lambda t: t.forget()),
    rpi("initrd", (BOOTED, "initrd"), INITRD="tests/run"),
    rpi("power off", **OFF),
    rpi("panic", REPORT, **PANIC),
    rpi("shipped image", KERNEL="dist/kernel8.img"),
]

CD = {"KERNEL": "none", "words": None, "status": None, "until": BOOTED}
FROM_CD = ("-cdrom", "dist/ochre-x86.iso")
OVMF = ("-bios", next(iter(glob.glob("/usr/share/ovmf/OVMF.fd")), "OVMF.fd"))

X86 = [
    *(
        x86(f"{machine} {cpu}", MACHINE=machine, CPU=cpu)
        for machine in ("pc", "q35")
        for cpu in ("qemu64", "max")
    ),
    *(x86(f"smp {n}", cpus(n), SMP=n) for n in (1, 2, 8)),
    x86("smp 8 pc max", cpus(8), SMP=8, MACHINE="pc", CPU="max"),
    x86("smp 12, beyond the limit", cpus(8), SMP=12),
    x86("smp 1 of 4 sockets filled", cpus(1), SMP="1,maxcpus=4"),
    *(x86(f"mem {mem}", MEM=mem) for mem in ("16M", "64M", "3G", "8G")),
    x86("mem 8G pc", MEM="8G", MACHINE="pc"),
    x86("no ACPI", MACHINE="pc,acpi=off"),
    x86("initrd", (BOOTED, "initrd"), INITRD="tests/run"),
    x86("unknown words", (BOOTED, "teapot", "spout=9"), words="exit=qemu teapot spout=9 then=off"),
    x86("power off", **OFF),
    x86("power off pc", MACHINE="pc", **OFF),
    x86("panic", REPORT, **PANIC),
    x86("CD from BIOS", qemu=FROM_CD, **CD),
    x86("CD from BIOS pc", MACHINE="pc", qemu=FROM_CD, **CD),
    x86("CD from UEFI", qemu=(*FROM_CD, *OVMF), limit=120.0, **CD),
    x86("user pages under SMAP and SMEP", (r"^test user-pages\S+: ok$", r"\bsmep smap\b"), CPU="max",
        KERNEL="target/x86/tests.elf", words="exit=qemu test=user-pages-are-out-of-reach"),
    x86("shipped image", KERNEL="dist/ochre-x86.elf"),
]

ALL = VIRT + RPI + X86
