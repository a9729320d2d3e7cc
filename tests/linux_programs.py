"""The Linux programs as tests: what tests/posix has, each run of a machine a batch of them."""

import functools
import hashlib
import os
import pathlib
import sys
import tempfile

import machine

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "posix"))

import bad_disks  # noqa: E402
import bad_media  # noqa: E402
import chaos  # noqa: E402
import corpus  # noqa: E402
import figures  # noqa: E402
import mounts  # noqa: E402
import power_cuts  # noqa: E402
import pressure  # noqa: E402
import randomness  # noqa: E402
import replacing  # noqa: E402
import storms  # noqa: E402

# On which machines the corpus runs, and which of its cases.
RUNS = (("virt", 1, "*"), ("x86", 1, "*"))
# On which machines there are storms.
STORMS = (("virt", 4), ("x86", 2))
# How many damaged volumes are mounted, by machine.
DAMAGED = {"virt": 8, "x86": 8}
# What a person does at a machine with disks, or whose services end, and on which machines.
USES = {
    "disks: mounted and unmounted": (mounts.use, mounts.DISKS),
    "disks: read until memory is short": (pressure.press, pressure.MEMORY),
    "disks: full, read-only, or none": (bad_disks.scarce, ("virt", "x86")),
    "disks: with bad sectors, or gone": (bad_disks.failing, ("virt", "x86")),
    "services: replaced while they work": (replacing.use, ("virt", "x86")),
    "services: recorded, and the same again": (chaos.repeat, ("virt",)),
    "random: from boot to boot": (randomness.use, randomness.SOURCES),
}
# Where it is measured what operations cost a program.
MEASURED = ("virt",)
# On which machines services end, and how often.
CHAOS = (("virt", 1, 25), ("virt", 4, 25), ("x86", 2, 25), ("rpi", 4, 5))


def batches():
    for platform, smp, pattern in RUNS:
        names = [name for name in corpus.every_name() if corpus.is_chosen(name, [pattern])]
        tests = {f"{platform}/{smp} linux: {name}": (platform, group(name), "linux") for name in names}
        yield tests, lambda wanted, platform=platform, smp=smp: compared(platform, smp, wanted)
    for platform, smp in STORMS:
        tests = {f"{platform}/{smp} storm: {name}": (platform, "stress", "linux") for name in storms.SHORT}
        yield tests, lambda wanted, platform=platform, smp=smp: stormed(platform, smp, wanted)
    for platform, smp, kills in CHAOS:
        tests = {f"{platform}/{smp} chaos: {kills} deeds": (platform, "services", "linux")}
        yield tests, lambda names, run=(platform, smp, kills): [(names[0], *tormented(*run))]
    for name, (use, platforms) in USES.items():
        for platform in platforms:
            tests = {f"{platform}/1 {name}": (platform, "services", "linux")}
            yield tests, lambda names, run=(use, platform): [(names[0], *used(*run))]
    for platform, images in DAMAGED.items():
        tests = {f"{platform}/1 disks: {images} damaged volumes": (platform, "services", "linux")}
        use = functools.partial(bad_media.use, seeds=range(1, images + 1))
        yield tests, lambda names, run=(use, platform): [(names[0], *used(*run))]
    for seed in (1, 2):
        tests = {f"virt/1 power cut: {seed}": ("virt", "services", "linux")}
        yield tests, lambda names, seed=seed: [(names[0], *cut(seed))]
    for platform in ("virt", "x86"):
        name = f"{platform}/1 linux programs: equal inside and outside"
        tests = {name: (platform, "integration", "linux")}
        yield tests, lambda names, platform=platform: [(names[0], *equal(platform))]


def group(name):
    return "syscalls" if name.startswith("abi-") else "integration"


def compared(platform, smp, wanted):
    """(name, problem, output) of each case that is wanted, from one boot."""
    names = {test.partition(": ")[2]: test for test in wanted}
    arch = built(platform)
    for name, difference in corpus.compare(platform, arch, sorted(names), str(smp)):
        yield names[name], "not what Linux does" if difference else None, "\n".join(difference)


def stormed(platform, smp, wanted):
    """(name, problem, output) of each storm that is wanted, from one boot."""
    names = {test.partition(": ")[2]: test for test in wanted}
    built(platform)
    for name, problem, output in storms.run(platform, str(smp), names, storms.FEW):
        yield names.pop(name, name), problem, output
    for test in names.values():
        yield test, "it was not run", ""


def tormented(platform, smp, kills):
    """What is wrong after programs have worked while services ended below them."""
    built(platform)
    complaints, output = chaos.torment(platform, smp, smp, kills)
    return "; ".join(complaints) or None, output


def used(use, platform):
    """What is wrong when a person has used a machine so."""
    built(platform)
    complaints, output = use(platform)
    return "; ".join(complaints) or None, output


@functools.lru_cache(maxsize=None)
def measure(platform):
    """{figure: instructions} of a program there; none where it is not measured."""
    if platform not in MEASURED:
        return {}
    built(platform)
    return figures.measure(platform)


def cut(seed):
    """What is wrong with volumes after the machine has ended while they were written."""
    built("virt")
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        writes, complaints = power_cuts.round_of("virt", pathlib.Path(folder), 4 * seed, seed / 20)
    return "; ".join(complaints) or None, f"{writes} files were written"


def equal(platform):
    """What is wrong with the programs' bytes as a program in there sees them, and what it says."""
    folder = os.path.join(machine.ROOT, "target/userland", built(platform), "bin")
    expected = ""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            expected += f"{hashlib.sha256(file.read()).hexdigest()}  /bin/{name}\n"
    command = "sha256sum " + " ".join(line.split()[1] for line in expected.splitlines())
    with tempfile.TemporaryDirectory(prefix="ochre-") as nothing:
        out, err, status = corpus.ochre(platform, command, nothing, "1")
    wrong = (out.decode(errors="replace"), status) != (expected, 0)
    return f"status {status}, or other sums" if wrong else None, (out + err).decode(errors="replace")


def built(platform):
    """The architecture of a platform for which there are programs."""
    arch = corpus.ARCHES[platform]
    needed = (f"target/userland/{arch}/bin/yash", f"target/posix/{arch}/run-cases")
    if not all(os.path.exists(os.path.join(machine.ROOT, path)) for path in needed):
        raise OSError(f"there are no Linux programs yet: `make userland-{arch} posix-programs-{arch}`")
    return arch
