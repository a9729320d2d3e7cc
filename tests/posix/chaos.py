#!/usr/bin/env python3
"""Services end at random moments while programs work on their volumes: nobody is to notice.

usage: chaos.py [--on virt|x86|rpi] [--smp N] [--seed N] [--kills N] [--keep DISK]

Makes a disk with a FAT and an ext4 partition, boots, mounts both, and runs tests/posix/chaos: a script whose output
must always be the same, whatever is done to the services below it. Afterwards the host's fsck checks the volumes.
The same seed hurts the same services in the same order, after the same pauses.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from corpus import ARCHES, ROOT
from volumes import MIB, check_disk, make_disk

from qemu import without_make

PARTITIONS = [("vfat", 40 * MIB, ["-F", "32", "-s", "1"]), ("ext4", 40 * MIB, [])]
# The disk, by platform, and what comes before a partition's number.
DISKS = {"virt": ("vda", ""), "x86": ("vda", ""), "rpi": ("mmcblk0", "p")}
# Seconds for a boot, and for each kill.
LIMIT, EACH = 120, 1


def main():
    options = arguments()
    complaints, said = torment(options.on, options.smp, options.seed, options.kills, options.keep)
    print(said, end="")
    print(*complaints, sep="\n", end="\n" if complaints else "")
    print(f"{'FAIL' if complaints else 'ok'} chaos --on {options.on} --seed {options.seed} --kills {options.kills}")
    return int(bool(complaints))


def torment(platform, smp, seed, kills, keep=None):
    """What is wrong afterwards, and what the machine said."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        disk = pathlib.Path(folder, "disk.img")
        make_disk(disk, PARTITIONS)
        done = run(platform, smp, seed, kills, pathlib.Path(folder), disk)
        complaints = [f"status {done.returncode}"] if done.returncode else []
        complaints += check_disk(disk, PARTITIONS)
        if keep:
            shutil.copy(disk, keep)
    return complaints, done.stdout


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", choices=ARCHES, default="virt")
    parser.add_argument("--smp", default="1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--keep")
    return parser.parse_args()


def run(platform, smp, seed, kills, folder, disk):
    """Boots the machine, and has it tormented."""
    root = folder / "root"
    (root / "tests").mkdir(parents=True)
    (root / "mnt/fat").mkdir(parents=True)
    (root / "mnt/ext").mkdir()
    shutil.copy2(ROOT / "target/posix" / ARCHES[platform] / "chaos", root / "tests")
    shutil.copy2(ROOT / "tests/posix/chaos/workload.sh", root / "tests")
    disk_name, before = DISKS[platform]
    fat, ext = (f"{disk_name}{before}{number}" for number in (1, 2))
    services = [disk_name, f"vfat:{fat}", f"ext4:{ext}"]
    command = (
        f"mount -t vfat /dev/{fat} /mnt/fat && mount -t ext4 /dev/{ext} /mnt/ext && "
        f"/tests/chaos {seed} {kills} /tests/workload.sh {' '.join(services)} && "
        "umount /mnt/fat && umount /mnt/ext"
    )
    words = [f"CMD={command}", f"ROOT={root}", f"DISK={disk}", f"SMP={smp}", "CMDLINE=chaos"]
    limit = LIMIT + kills * EACH
    line = ["timeout", str(limit), "make", "-s", "--no-print-directory", f"exec-{platform}", *words]
    return subprocess.run(
        line, cwd=ROOT, env=without_make(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
