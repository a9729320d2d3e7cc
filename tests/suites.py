"""Everything that can be tested, as a list of tests: a name, the suites it is in, and how to run it."""

import dataclasses
import functools
import itertools
import os
import re
import subprocess
import tempfile
import typing

import disks
import idle
import linux_programs
import machine
import scenarios
import services
import trees

import budgets  # from tools/, which machine has put on the path

PLATFORMS = ("virt", "rpi", "x86")
SMPS = (1, 4)
BUILT = {"virt": "img", "rpi": "img", "x86": "elf"}


@dataclasses.dataclass(frozen=True)
class Test:
    """`run` returns what went wrong, or None, and the output to keep."""

    name: str
    suites: frozenset
    run: typing.Callable[[], typing.Tuple[typing.Optional[str], str]]


@dataclasses.dataclass(frozen=True)
class Batch:
    """Tests that share one run of a machine: their names, each with its suites. `run` is given the
    names of those that are wanted, and yields of each its name, what went wrong or None, and the
    output to keep."""

    tests: dict
    run: typing.Callable


def in_qemu(limit):
    """All tests that need QEMU; those that take long first."""
    batches = (linux_programs.batches(), disks.batches(), services.batches(), idle.batches())
    for tests, run in itertools.chain(*batches):
        yield Batch({name: frozenset((*suites, "qemu")) for name, suites in tests.items()}, run)
    for test in alone(limit):
        yield Batch({test.name: test.suites}, lambda _, test=test: [(test.name, *test.run())])


def alone(limit):
    """The tests that have a run of their own."""
    for platform in PLATFORMS:
        yield from kernel_tests(platform, limit)
        yield from program_tests(platform, limit)
        yield from (scenario(boot, limit) for boot in scenarios.ALL if boot.platform == platform)
        yield from figures(platform)
        yield debugger(platform)
        yield from honesty(platform, limit)
    yield from images()


# The test kernel ----------------------------------------------------------------------------------


def kernel_tests(platform, limit):
    """Each test of the test kernel's own list, on one CPU and on four."""
    listed = boot_tests(platform, 1, "list", limit)
    rows = re.findall(r'^test (\S+) (\w+) (?:pass|panic "(.*)")$', listed.output, re.M)
    problem = None if rows and listed.status == 0 else f"no list of tests, status {listed.status}"
    yield Test(f"{platform} test=list", suites(platform, "kernel"), lambda: (problem, listed.output))
    for smp in SMPS:
        for name, group, panic in rows:
            yield kernel_test(platform, smp, name, group, panic, limit)


def kernel_test(platform, smp, name, group, panic, limit):
    def run():
        outcome = boot_tests(platform, smp, name, limit, counted=group == "perf")
        wanted = re.escape(panic) if panic else rf"^test {re.escape(name)}: ok$"
        status = scenarios.PANICKED if panic else 0
        return verdict(outcome, (wanted,), status), outcome.output

    return Test(f"{platform}/{smp} {name}", suites(platform, group), run)


def boot_tests(platform, smp, name, limit, counted=False):
    """`counted`: guest time is instructions, so that what is about time does not depend on the host."""
    variables = {"SMP": smp, "KERNEL": tests_kernel(platform), "ICOUNT": 1 if counted else ""}
    return machine.run(platform, variables, f"exit=qemu test={name}", limit=limit)


def tests_kernel(platform):
    return f"target/{platform}/tests.{BUILT[platform]}"


# User programs ------------------------------------------------------------------------------------

# Programs of the initrd that test the kernel from outside, each with its suite, the limit it needs in
# seconds, and what it must say at its end.
PROGRAMS = (
    ("abitest", "syscalls", 120, r"^test every-call-with-every-error: ok$"),
    ("confine", "syscalls", 300, r"^  CALLS calls, \d+ refused.*\n(?:.*\n)*?test random-calls: ok$"),
    ("torture", "stress", 300, r"^test torture-2: ok$"),
)
# How many random calls `confine` makes: emulating a Pi takes its time.
CALLS = {"virt": "1000000", "x86": "1000000", "rpi": "200000"}
# Demos, and what they show.
DEMOS = {
    "ipc": r"full|Full",
    "coop": r"\S",
    "preempt": r"\S",
    "memory": r"0xdeadbeef|0xDEADBEEF",
    "async": r"\S",
}


def program_tests(platform, limit):
    """Each program on one CPU and on four; each demo on four."""
    for smp in SMPS:
        for name, group, needs, expected in PROGRAMS:
            expected = expected.replace("CALLS", CALLS[platform])
            yield program_test(platform, smp, name, group, max(limit, needs), expected)
    for name, expected in DEMOS.items():
        yield program_test(platform, 4, name, "integration", limit, expected)
    # A PCI device that does nothing but interrupt.
    for machine_name in ("q35", "pc") if platform == "x86" else ():
        more = {"MACHINE": machine_name, "QEMUFLAGS": "-device edu,addr=5"}
        name = f"abitest, and edu on {machine_name}"
        yield program_test(platform, 1, name, "syscalls", limit, r"^  edu asks at line \d+\ntest pci-interrupt: ok$", more)


def program_test(platform, smp, name, group, limit, expected, more=()):
    def run():
        outcome = run_program(platform, {"SMP": smp, **dict(more)}, name.split(",")[0], limit)
        unwanted = (r"FAILED", r"kernel panic")
        return verdict(outcome, (expected,), 0, unwanted), outcome.output

    return Test(f"{platform}/{smp} program: {name}", suites(platform, group), run)


def run_program(platform, variables, name, limit):
    variables = {**variables, "INITRD": f"target/{platform}/initrd.cpio"}
    words = f"exit=qemu run={name}" + (f" count={CALLS[platform]}" if name == "confine" else "")
    return machine.run(platform, variables, words, limit=limit)


# Boots --------------------------------------------------------------------------------------------


def scenario(boot, limit):
    def run():
        with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
            variables, extra = dict(boot.variables), boot.qemu
            if boot.initrd is not None:
                variables["INITRD"] = os.path.join(folder, "initrd")
                with open(variables["INITRD"], "wb") as file:
                    file.write(boot.initrd)
            if boot.tree:
                variables["KERNEL"], more = lie(boot, variables, folder)
                extra += more
            outcome = machine.run(
                boot.platform, variables, boot.words, extra, boot.until, boot.limit or limit
            )
        return verdict(outcome, boot.expect, boot.status, boot.unwanted), outcome.output

    return Test(f"{boot.platform} boot: {boot.name}", suites(boot.platform, "boot"), run)


def lie(boot, variables, folder):
    """An image that gives the kernel the scenario's device tree, and what QEMU needs for it."""
    tree = trees.Tree(boot.platform, os.path.join(folder, "dtb"), variables, boot.words)
    boot.tree(tree)
    image = os.path.join(folder, "Image")
    trees.wrap(os.path.join(machine.ROOT, f"target/{boot.platform}/ochre.img"), tree, image)
    return image, tree.loader()


def verdict(outcome, expected, status, unwanted=()):
    """What is wrong with a run, or None."""
    if outcome.timed_out:
        return "did not end in time"
    for pattern in expected:
        if not re.search(pattern, outcome.output, re.M):
            return f"the output does not match {pattern!r}"
    for pattern in unwanted:
        if re.search(pattern, outcome.output, re.M):
            return f"the output matches {pattern!r}"
    if outcome.status != status:
        return f"exit status {outcome.status}, expected {status}"
    return None


# Figures ------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def measure(platform):
    """{figure: instructions} of one platform; what the kernel did not say is not there."""
    # What firmware does about one device more is no figure of Ochre's.
    variables = {"SMP": 1, "MEM": "256M", "ICOUNT": 1, "RNG": "none"}
    boot = machine.run(platform, variables, "exit=qemu then=off")
    bench = machine.run(
        platform, {**variables, "KERNEL": tests_kernel(platform)}, "exit=qemu test=bench"
    )
    calls = run_program(platform, variables, "bench", machine.LIMIT * 3)
    output = bench.output + calls.output + disks.figures(platform, variables)
    found = dict(re.findall(r"^bench (\S+) (\d+)$", output, re.M))
    if match := re.search(r"^boot: done, (\d+) ns since power-on", boot.output, re.M):
        found["boot"] = match[1]
    return {figure: int(value) for figure, value in found.items()}


def figures(platform):
    """One test for each figure that has a budget, of the platform or of Linux programs there."""
    sources = {platform: measure, f"{platform}-linux": linux_programs.measure}
    for (owner, figure), budget in budgets.read().items():
        if owner in sources and figure != "image":
            run = functools.partial(within, sources[owner], owner, figure, budget)
            yield Test(f"{owner} bench: {figure}", suites(platform, "perf"), run)


def within(source, owner, figure, budget):
    value = source(owner.partition("-")[0]).get(figure)
    problem = None
    if value is None:
        problem = "nobody printed it"
    elif value > budget:
        problem = "over budget"
    return problem, f"bench {owner} {figure} {value} budget {budget}"


# Debugger and images ------------------------------------------------------------------------------


AT_ENTRY = ("ochre-cpus", "ochre-threads", "ochre-memory")
AT_DONE = (
    "thbreak ochre::report::done", "continue", "ochre-cpus", "ochre-memory", "ochre-log",
    "ochre-tables &ochre::kernel::lock::LOCK", "ochre-tables ochre::kernel_entry",
    "ochre-tables 0xffff800000400000 + {ram}", "ochre-tables 0x10",
)
# Where RAM begins.
RAM = {"virt": 0x4000_0000, "rpi": 0, "x86": 0x10_0000}
ADDRESS = "0x[0-9a-f]{16}"


def debugger(platform):
    """gdb reaches the kernel's entry and the end of boot, and Ochre's commands answer there."""

    def run():
        command = [os.path.join(machine.ROOT, "tools/debug.py"), f"target/{platform}/ochre.elf"]
        for line in AT_ENTRY + AT_DONE:
            command += ["--batch", line.format(ram=RAM[platform])]
        outcome = tool([*command, *machine.qemu_line(platform), "-display", "none"])
        expected = (
            # At the entry:
            rf"^cpu 0  nothing +{ADDRESS}  ochre::kernel_entry src/",
            r"^#0 .*kernel_entry",
            rf"^  text +{ADDRESS}  {ADDRESS}  r-x \d+ KiB$",
            # At the end of boot:
            rf"^cpu 0  boot +{ADDRESS}  ochre::report::done src/report\.rs:\d+$",
            rf"^cpu 3  (idle|boot|interrupt) +{ADDRESS}  ",
            rf"^memory +{RAM[platform]:#018x}  {ADDRESS}  \d+ KiB$",
            rf"^reserved +{ADDRESS}  {ADDRESS}  \d+ KiB$",
            r"^frames +\d+ free of \d+$",
            # The log, which the console does not show a second time:
            r"(?s)^Ochre .*^Ochre .*^  timer ",
            # Data, code, RAM, and nothing:
            rf"^level 3  entry +\d+  {ADDRESS}  page 0x[0-9a-f]+ write global$",
            rf"^level 3  entry +\d+  {ADDRESS}  page 0x[0-9a-f]+ execute global$",
            rf"^level [12]  entry +\d+  {ADDRESS}  page 0x[0-9a-f]+ write global$",
            r"^level 0  entry +0  0x0{16}  nothing",
        )
        return verdict(outcome, expected, 0, unwanted=("Python Exception", "^Error")), outcome.output

    return Test(f"{platform} gdb", suites(platform, "boot"), run)


def tool(command):
    """Runs something on this machine, under the same limit."""
    try:
        done = subprocess.run(
            command, cwd=machine.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=machine.LIMIT, text=True, check=False,
        )
        return machine.Outcome(done.stdout, done.returncode, False)
    except subprocess.TimeoutExpired as error:
        return machine.Outcome((error.stdout or b"").decode(errors="replace"), None, True)


def image(platform, name, expected, *command):
    def run():
        outcome = tool(command)
        return verdict(outcome, expected, 0), outcome.output

    return Test(f"{platform} image: {name}", suites(platform, "boot"), run)


def images():
    yield image(
        "virt", "arm64 header", (r"A +R +M +d",),
        *"od -An -tc -j56 -N4 dist/ochre-virt.img".split(),
    )
    yield image(
        "rpi", "FAT folder", (r"kernel8\.img", r"config\.txt"),
        *"mdir -b -i dist/ochre-rpi.img ::".split(),
    )
    yield image(
        "x86", "multiboot2 header in the first 32 KiB", (r"e8 *52 *50 *d6|d6 *50 *52 *e8",),
        *"od -An -tx1 -w8 -N32768 dist/ochre-x86.elf".split(),
    )


# The runner itself --------------------------------------------------------------------------------

# Tests of the test kernel that go wrong, each in a way of its own, and what the runner must say. They
# are run only where asked for by their full names.
WRONG = {
    "fail": r"exit status 3|does not match",
    "hang": r"did not end in time",
    "leave": r"does not match '\^test leave: ok\$'",
    "survive": r"does not match .*this.*never.*comes",
}
HIDDEN = "hidden"
HANGS_AFTER = 8


def honesty(platform, limit):
    """What goes wrong is counted as failed, by a run of the runner of its own."""
    for name, why in WRONG.items():
        panic = "this never comes" if name == "survive" else None
        wrong = kernel_test(platform, 4, name, HIDDEN, panic, limit)
        yield dataclasses.replace(wrong, suites=frozenset({HIDDEN}))
        yield Test(
            f"{platform} runner: {name} is a failure",
            suites(platform, "kernel"),
            functools.partial(counted_as_failed, wrong.name, why, name == "hang"),
        )


def counted_as_failed(name, why, hangs):
    with tempfile.TemporaryDirectory(prefix="ochre-") as logs:
        runner = os.path.join(machine.ROOT, "tests/run")
        outcome = tool([runner, "--limit", str(HANGS_AFTER), "--logs", logs, name])
    expected = [rf"^FAIL {name} .*({why})", r"^0 passed, 1 failed\n\Z"]
    if hangs:
        # A dump of all CPUs, which shows the function that they are in.
        expected += [rf"^     \| cpu {cpu}  ffffffff[0-9a-f]{{8}}  .*spin_for_ever" for cpu in range(4)]
    return verdict(outcome, expected, 1), outcome.output


def suites(platform, group):
    return frozenset((platform, group, "qemu"))
