#!/usr/bin/env python3
"""Services come to harm at random moments while programs work on their volumes: nobody is to notice.

usage: chaos.py [--on virt|x86|rpi] [--smp N] [--seed N] [--kills N] [--icount | --record]

Makes a disk with a FAT and an ext4 partition, and one with nothing, boots, mounts the first two, and runs
tests/posix/chaos: a script whose output must always be the same, whatever is done to the services below it. The third
is the disk of a service that is driven mad. What the tormentor tells must have come over the console byte by byte.
Afterwards the host's fsck checks the volumes, and what was synced is read by the host's tools.

The same seed hurts the same services in the same order, after the same pauses. Of a run that fails, the disk and all
that was said are in target/test-logs. With --icount instructions are counted: an instruction is a nanosecond, and the times that
services took to serve again are held against what they may take. With --record a machine of one CPU is recorded, and a run
that fails can be seen again, instruction by instruction.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import recording
from corpus import ARCHES, ROOT
from mounts import DISKS
from recording import DISK
from volumes import FIRST, MIB, check_disk, make_disk, tools

from qemu import without_make

PARTITIONS = [("vfat", 40 * MIB, ["-F", "32", "-s", "1"]), ("ext4", 40 * MIB, [])]
# What belongs to a service that may write anything there.
MAD = ("ext2", 4 * MIB, [])
# Seconds for a boot, and for each kill.
LIMIT, EACH = 240, 2
LOGS = ROOT / "target/test-logs"
# Instructions until a service serves again, half of the times: the beginning of its name.
BUDGETS = {"vd": 3_000_000, "console": 3_000_000, "vfat": 10_000_000, "ext4": 10_000_000}
# Deeds of a run that is only to show that it can be seen again.
FEW = 5
# What goes on meanwhile, and on a Pi, which takes its time.
LITTLE = """
for volume in /mnt/*; do
    mkdir -p $volume/work && seq 1 3000 >$volume/work/synced && sync && cp -r /etc $volume/work || exit 1
done
find /mnt -type f | sort | xargs cksum && rm -r /mnt/*/work/etc
"""
# Bytes of the line that tells of a deed.
DEED = 240
# What the workload leaves in each volume, synced.
SYNCED = "".join(f"{number}\n" for number in range(1, 3001))


def main():
    options = arguments()
    complaints, said = torment(options.on, options.smp, options.seed, options.kills, options.how)
    print(said, end="")
    print(*complaints, sep="\n", end="\n" if complaints else "")
    print(f"{'FAIL' if complaints else 'ok'} {again(options.on, options.smp, options.seed, options.kills, options.how)}")
    return int(bool(complaints))


def again(platform, smp, seed, kills, how):
    """The command for a run."""
    return f"tests/posix/chaos.py --on {platform} --smp {smp} --seed {seed} --kills {kills}{how and f' --{how}'}"


def torment(platform, smp, seed, kills, how=""):
    """What is wrong afterwards, and what the machine said but for the deeds. How: `icount`, `record`, or as it is."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        folder = pathlib.Path(folder)
        text, status = run(platform, smp, seed, kills, folder, how, LITTLE if platform == "rpi" else "")
        disk, said = folder / DISK, without_deeds(text)
        complaints = [f"status {status}"] if status else []
        complaints += transcript(text, kills) + check_disk(disk, PARTITIONS) + lost(disk, folder)
        complaints += slow(said) if how == "icount" else []
        if complaints:
            complaints += keep(f"chaos-{platform}-{smp}-{seed}", folder, text, again(platform, smp, seed, kills, how))
    return complaints, said


def repeat(platform):
    """What is wrong with a short run, or if what was recorded of it is not the same again; and what was said."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        folder = pathlib.Path(folder)
        text, status = run(platform, "1", 1, FEW, folder, "record", LITTLE)
        same, ended = recording.replay(folder, limit(FEW))
    complaints = [f"status {status}"] if status else []
    complaints += transcript(text, FEW) + (["it is not the same again"] if (same, ended) != (text, status) else [])
    return complaints, f"{text}\n--- again, with status {ended}\n{same}" if complaints else text


def transcript(text, kills):
    """What is missing of what the tormentor has said, or comes twice, or is not as it was."""
    told = [line for line in text.split("\n") if line.startswith("deed ")]
    for number, line in enumerate(told, 1):
        if not re.fullmatch(rf"deed {number} [\w:, ]+ \.+", line) or len(line) != DEED:
            return [f"the line of deed {number} is {line!r}"]
    return [] if len(told) == kills else [f"{len(told)} of {kills} deeds are told of"]


def without_deeds(text):
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("deed "))


def lost(disk, folder):
    """What was synced on volumes, and is not there."""
    kinds = [kind for kind, _, _ in PARTITIONS]
    return [f"{kind}: what was synced is lost" for kind in kinds if contents(disk, folder, kind, "work/synced") != SYNCED]


def contents(disk, folder, kind, name):
    """A file of a volume of `PARTITIONS`, by the host's tools."""
    if kind == "vfat":
        command = ["mtype", "-i", f"{disk}@@{FIRST}", f"::{name}"]
    else:
        part = folder / "ext.part"
        with open(disk, "rb") as source, open(part, "wb") as out:
            source.seek(FIRST + PARTITIONS[0][1])
            out.write(source.read(PARTITIONS[1][1]))
        command = ["debugfs", "-R", f"cat {name}", str(part)]
    return subprocess.run(command, capture_output=True, text=True, env=tools(), check=False).stdout


def slow(said):
    """Services that took too long until they served again."""
    times = re.findall(r"^(\S+) +(\d+) +(\d+) +\d+ +\d+$", said, re.M)
    budget = lambda name: next((most for begin, most in BUDGETS.items() if name.startswith(begin)), None)  # noqa: E731
    return [
        f"{name} takes {half} instructions to serve again, and may take {budget(name)}"
        for name, count, half in times
        if int(count) and budget(name) and int(half) > budget(name)
    ]


def keep(name, folder, text, command):
    """Leaves what there is of a run that failed where it can be looked at; how to see it again."""
    place = LOGS / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder / "root")
    subprocess.run(["cp", "-r", "--sparse=always", folder, place], check=True)
    (place / "said").write_text(text)
    exactly = f"{place / 'replay'}, instruction by instruction, or " if (place / "replay").exists() else ""
    return [f"{place} has what was said, and the disk; to see it again: {exactly}{command}"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", choices=ARCHES, default="virt")
    parser.add_argument("--smp", default="1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    how = parser.add_mutually_exclusive_group()
    for name in ("icount", "record"):
        how.add_argument(f"--{name}", dest="how", action="store_const", const=name, default="")
    options = parser.parse_args()
    if options.how == "record" and (options.on, options.smp) != ("virt", "1"):
        parser.error("what is recorded is virt with one CPU: QEMU's recorded x86 does not get far")
    return options


def run(platform, smp, seed, kills, folder, how, workload=""):
    """Boots a machine with a new disk, and has it tormented over a workload: what it said, and its status."""
    make_disk(folder / DISK, [*PARTITIONS, MAD])
    root = folder / "root"
    (root / "tests").mkdir(parents=True)
    (root / "mnt/fat").mkdir(parents=True)
    (root / "mnt/ext").mkdir()
    shutil.copy2(ROOT / "target/posix" / ARCHES[platform] / "chaos", root / "tests")
    (root / "tests/workload.sh").write_text(workload or (ROOT / "tests/posix/chaos/workload.sh").read_text())
    disk_name, before = DISKS[platform]
    fat, ext, mad = (f"{disk_name}{before}{number}" for number in (1, 2, 3))
    services = ["console", disk_name, f"vfat:{fat}", f"ext4:{ext}", f"disk:{mad}"]
    (root / "tests/chaos.sh").write_text(
        f"mount -t vfat /dev/{fat} /mnt/fat && mount -t ext4 /dev/{ext} /mnt/ext && "
        f"/tests/chaos {seed} {kills} /tests/workload.sh {' '.join(services)} && "
        "umount /mnt/fat && umount /mnt/ext\n"
    )
    if how == "record":
        words = "exit=qemu log=error chaos exec=/bin/sh args=/tests/chaos.sh"
        return recording.record(platform, folder, root, words, limit(kills))
    words = [f"ROOT={root}", f"DISK={folder / DISK}", f"SMP={smp}", f"LOG={folder / 'log'}", "CMDLINE=chaos"]
    words += ["ICOUNT=1"] if how == "icount" else []
    make = ["make", "-s", "--no-print-directory", f"exec-{platform}", "CMD=sh /tests/chaos.sh", *words]
    done = subprocess.run(
        ["timeout", str(limit(kills)), *make], cwd=ROOT, env=without_make(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
    )  # fmt: skip
    return done.stdout, done.returncode


def limit(kills):
    """Seconds that a run may take."""
    return LIMIT + kills * EACH


if __name__ == "__main__":
    sys.exit(main())
