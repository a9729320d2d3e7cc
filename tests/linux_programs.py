"""The Linux programs as tests: what tests/posix has, each run of a machine a batch of them."""

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
import mounts  # noqa: E402
import power_cuts  # noqa: E402
import randomness  # noqa: E402
import replacing  # noqa: E402
import storms  # noqa: E402

# On which machines the corpus runs, and which of its cases.
RUNS = (("virt", 1, "*"), ("x86", 1, "*"))
# On which machines there are storms.
STORMS = (("virt", 4), ("x86", 2))
# How many damaged volumes are mounted, by machine.
DAMAGED = {"virt": 8, "x86": 8, "rpi": 4}
# What is wrong with disks that are sound at first, and machines that have two.
WRONG = {"full, read-only, or none": bad_disks.scarce, "with bad sectors, or gone": bad_disks.failing}
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
    for platform in mounts.DISKS:
        tests = {f"{platform}/1 disks: mounted and unmounted": (platform, "services", "linux")}
        yield tests, lambda names, platform=platform: [(names[0], *mounted(platform))]
        tests = {f"{platform}/1 services: replaced while they work": (platform, "services", "linux")}
        yield tests, lambda names, platform=platform: [(names[0], *wrong(replacing.use, platform))]
    for platform, images in DAMAGED.items():
        tests = {f"{platform}/1 disks: {images} damaged volumes": (platform, "services", "linux")}
        yield tests, lambda names, run=(platform, images): [(names[0], *damaged(*run))]
    for platform in ("virt", "x86"):
        for name, use in WRONG.items():
            tests = {f"{platform}/1 disks: {name}": (platform, "services", "linux")}
            yield tests, lambda names, run=(use, platform): [(names[0], *wrong(*run))]
    for platform in randomness.SOURCES:
        tests = {f"{platform}/1 random: from boot to boot": (platform, "services", "linux")}
        yield tests, lambda names, platform=platform: [(names[0], *drawn(platform))]
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


def mounted(platform):
    """What is wrong when a person mounts disks of all kinds, works on them, and unmounts them."""
    built(platform)
    complaints, output = mounts.use(platform)
    return "; ".join(complaints) or None, output


def damaged(platform, images):
    """What is wrong when volumes were mounted in which something had been changed."""
    built(platform)
    complaints, output = bad_media.use(platform, range(1, images + 1))
    return "; ".join(complaints) or None, output


def wrong(use, platform):
    """What is wrong when what programs use fails, or is replaced."""
    built(platform)
    complaints, output = use(platform)
    return "; ".join(complaints) or None, output


def drawn(platform):
    """What is wrong with bytes that should be random, while their service ends again and again."""
    built(platform)
    complaints, output = randomness.use(platform)
    return "; ".join(complaints) or None, output


def cut(seed):
    """What is wrong with volumes after the machine has ended while they were written."""
    built("virt")
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        writes, complaints = power_cuts.round_of("virt", pathlib.Path(folder), seed / 2)
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
