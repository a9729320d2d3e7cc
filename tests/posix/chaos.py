#!/usr/bin/env python3
"""Services end at random moments while programs work on their volumes: nobody is to notice.

usage: chaos.py [--on virt|x86|rpi] [--smp N] [--seed N] [--kills N] [--exact] [--keep DISK]

Makes a disk with a FAT and an ext4 partition, boots, mounts both, and runs tests/posix/chaos: a script whose output
must always be the same, whatever is done to the services below it. Afterwards the host's fsck checks the volumes.
With --exact instructions are counted and there is one CPU: then the same seed is the same run, to the instruction.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from corpus import ARCHES, ROOT
from volumes import check_disk, make_disk

from qemu import without_make

MIB = 1 << 20
PARTITIONS = [("vfat", 40 * MIB, ["-F", "32", "-s", "1"]), ("ext4", 40 * MIB, [])]
# The disk, by platform, as Linux calls it.
DISKS = {"virt": "vda", "x86": "vda", "rpi": "mmcblk0p"}
SERVICES = {"virt": "block", "x86": "block", "rpi": "sd"}
# Seconds for a boot, and for each kill.
LIMIT, EACH = 120, 1


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        disk = pathlib.Path(folder, "disk.img")
        make_disk(disk, PARTITIONS)
        status = run(options, pathlib.Path(folder), disk)
        for complaint in check_disk(disk, PARTITIONS):
            print(f"FAIL {complaint}")
            status = 1
        if options.keep:
            shutil.copy(disk, options.keep)
    print(f"{'FAIL' if status else 'ok'} chaos --on {options.on} --seed {options.seed} --kills {options.kills}")
    return status


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", choices=ARCHES, default="virt")
    parser.add_argument("--smp", default="1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--keep")
    return parser.parse_args()


def run(options, folder, disk):
    """The status of the machine, with what it says as it comes."""
    root = folder / "root"
    (root / "tests").mkdir(parents=True)
    (root / "mnt/fat").mkdir(parents=True)
    (root / "mnt/ext").mkdir()
    shutil.copy2(ROOT / "target/posix" / ARCHES[options.on] / "chaos", root / "tests")
    shutil.copy2(ROOT / "tests/posix/chaos/workload.sh", root / "tests")
    name = DISKS[options.on]
    services = [SERVICES[options.on], "vfat", "ext4"]
    command = (
        f"mount -t vfat /dev/{name}1 /mnt/fat && mount -t ext4 /dev/{name}2 /mnt/ext && "
        f"/tests/chaos {options.seed} {options.kills} /tests/workload.sh {' '.join(services)} && "
        "umount /mnt/fat && umount /mnt/ext"
    )
    words = [f"CMD={command}", f"ROOT={root}", f"DISK={disk}", f"SMP={1 if options.exact else options.smp}"]
    words += ["CMDLINE=chaos", *(["ICOUNT=1"] if options.exact else [])]
    limit = LIMIT + options.kills * EACH
    line = ["timeout", str(limit), "make", "-s", "--no-print-directory", f"exec-{options.on}", *words]
    return subprocess.run(line, cwd=ROOT, env=without_make(), stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
