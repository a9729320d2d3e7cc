"""Services as tests: what the supervisor does when they come to harm, and what it gives them."""

import os
import pathlib
import re
import tempfile

import machine

PLATFORMS = ("virt", "rpi", "x86")
SMPS = (1, 4)
# Seconds for svctest.
LIMIT = 180
# The exit status of a machine whose supervisor has ended, and what it says.
ABANDONED = 5
ENDED = (r"^init: the supervisor has ended: ", r"^init: start the machine again; ")
# What each service was given, as it was when somebody last looked, for each platform.
GOLDEN = pathlib.Path(machine.ROOT, "tests", "caps")
# The disk that the machines have, whose driver is one of those services.
DISK = 8 << 20


def batches():
    for platform in PLATFORMS:
        for smp in SMPS:
            tests = {f"{platform}/{smp} services": (platform, "services")}
            yield tests, lambda names, run=(platform, smp): [(names[0], *harm(*run))]
        tests = {f"{platform} services: without the supervisor": (platform, "services")}
        yield tests, lambda names, platform=platform: [(names[0], *end(platform))]
        tests = {f"{platform} services: who has what": (platform, "services")}
        yield tests, lambda names, platform=platform: [(names[0], *caps(platform))]


def harm(platform, smp):
    """The program svctest, with the manifest that it is tested with."""
    outcome = boot(platform, {"SMP": smp}, "services=services.test chaos", LIMIT)
    tests = re.findall(r"^test \S+: (.*)$", outcome.output, re.M)
    rounds = re.findall(r"^round (\d) of the console$", outcome.output, re.M)
    if outcome.status != 0 or not tests or set(tests) != {"ok"}:
        return f"exit status {outcome.status}, and not all of it is ok", outcome.output
    if re.findall(r"^(.*): saved$", outcome.output, re.M) != ["victims:a", "victims:a", "victims:b"]:
        return "services were not asked to save what they have before they were ended", outcome.output
    if rounds != ["1", "2", "3"]:
        return "what was written while the console's driver changed is not what came out", outcome.output
    return None, outcome.output


def end(platform):
    """The supervisor's own end is told, with what there is to do, and is the machine's; nobody may just wish for it."""
    said = ""
    for words, status, *lines in (
        ("end=wild", 0, "^nothing has ended: Err"),
        ("chaos end=wild", ABANDONED, *ENDED, r"Unmapped, writing 0xdead0000 at 0x\w+$", r"^  0x\w+ hurt::hurt_itself \+ "),
        ("chaos end=panic", ABANDONED, *ENDED, "^panic at init/src/hurt.rs:.*: as told$"),
    ):
        outcome = boot(platform, {"SMP": 4}, f"services=services.test {words}", machine.LIMIT)
        said += outcome.output
        if outcome.status != status or not all(re.search(line, outcome.output, re.M) for line in lines):
            return f"{words}: exit status {outcome.status}, or not what is to be said", said
    return None, said


def caps(platform):
    """Nobody is given more than what is written down; OCHRE_BLESS=1 writes it down."""
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        disk = os.path.join(folder, "disk")
        with open(disk, "wb") as file:
            file.truncate(DISK)
        # Without Linux programs posix ends at once, and the machine with it.
        outcome = boot(platform, {"SMP": 1, "DISK": disk}, "run=posix caps", machine.LIMIT)
    found = "".join(re.findall(r"^caps: (.*\n)", outcome.output, re.M))
    golden = GOLDEN / f"{platform}.txt"
    if os.environ.get("OCHRE_BLESS"):
        golden.write_text(found, encoding="utf-8")
    if not found or found != golden.read_text(encoding="utf-8"):
        return f"{golden.relative_to(machine.ROOT)} has something else", outcome.output
    return None, outcome.output


def boot(platform, variables, words, limit):
    variables = {**variables, "INITRD": f"target/{platform}/initrd.cpio"}
    return machine.run(platform, variables, f"exit=qemu {words}", limit=limit)
