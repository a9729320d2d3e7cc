"""The Linux programs as tests: what tests/posix has, each run of a machine a batch of them."""

import os
import sys

import machine

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "posix"))

import corpus  # noqa: E402

# On which machines the corpus runs, and which of its cases.
RUNS = (("virt", 1, "*"), ("x86", 1, "*"))


def batches():
    for platform, smp, pattern in RUNS:
        names = [name for name in corpus.every_name() if corpus.is_chosen(name, [pattern])]
        tests = {f"{platform}/{smp} linux: {name}": (platform, group(name), "linux") for name in names}
        yield tests, lambda wanted, platform=platform, smp=smp: compared(platform, smp, wanted)


def group(name):
    return "syscalls" if name.startswith("abi-") else "integration"


def compared(platform, smp, wanted):
    """(name, problem, output) of each case that is wanted, from one boot."""
    names = {test.partition(": ")[2]: test for test in wanted}
    arch = corpus.ARCHES[platform]
    needed = (f"target/userland/{arch}/bin/yash", f"target/posix/{arch}/run-cases")
    if not all(os.path.exists(os.path.join(machine.ROOT, path)) for path in needed):
        raise OSError(f"there are no Linux programs yet: `make userland-{arch} posix-programs-{arch}`")
    for name, difference in corpus.compare(platform, arch, sorted(names), str(smp)):
        yield names[name], "not what Linux does" if difference else None, "\n".join(difference)
