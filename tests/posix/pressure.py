"""Memory that is short: what is kept of files on disks goes before anybody is refused, and is read again."""

import hashlib
import random

import mounts
from volumes import MIB

# So much that what programs leave of it is the same.
MEMORY = {"virt": "128M", "x86": "138M"}
# What becomes most of the memory when it is read, and what has room beside all else only when that goes.
FILES = {f"file {nth}": random.Random(nth).randbytes(16 * MIB) for nth in range(3)}
MUCH = "48M"
PARTITIONS = [("ext4", 62 * MIB, [])]

SCRIPT = r"""
disk=$1${2}1 much=$3
while [ ! -b /dev/$disk ]; do sleep 0.1; done
mount -t ext4 /dev/$disk /mnt || exit 1
figure() { while read name amount unit; do [ $name = $1: ] && echo $amount; done </proc/meminfo; }
look() { (cd /mnt && sha256sum file*); }
fill() { look; [ $(figure Cached) -gt 40000 ] && [ $(figure MemFree) -lt $(figure Cached) ] && echo "most of it is kept"; }
fill
dd if=/dev/zero of=/dev/null bs=$much count=1 2>/dev/null && echo "a program has it"
fill
dd if=/dev/zero of=/tmp/full bs=1M 2>&1 | grep -o "No space left on device"
[ $(figure Shmem) -gt 20000 ] && echo "a file has it"
rm /tmp/full
fill
umount /mnt
"""
SUMS = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items())
KEPT = SUMS + "most of it is kept\n"
EXPECTED = f"{KEPT}a program has it\n{KEPT}No space left on device\na file has it\n{KEPT}"


def press(platform):
    """What is wrong, and what the machine said."""
    words = [*mounts.DISKS[platform], MUCH]
    return mounts.run(platform, SCRIPT, words, EXPECTED, PARTITIONS, FILES, [f"MEM={MEMORY[platform]}"])
