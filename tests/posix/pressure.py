"""Memory that is short: what is kept of files on disks goes before anybody is refused, and is read again."""

import hashlib
import pathlib
import random
import tempfile

import corpus
from mounts import DISKS
from volumes import MIB, check_disk, make_disk

# So much that what programs leave of it is the same.
MEMORY = {"virt": "128M", "x86": "138M"}
# What becomes most of the memory when it is read, and what has room beside all else only when that goes.
FILES = {f"file {nth}": random.Random(nth).randbytes(16 * MIB) for nth in range(3)}
MUCH = "48M"
PARTITIONS = [("ext4", 62 * MIB, [])]

SCRIPT = r"""
disk=$1$2 much=$3
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
    with tempfile.TemporaryDirectory(prefix="pressure-") as folder:
        disk, script = pathlib.Path(folder, "disk.img"), pathlib.Path(folder, "root/tests/pressure.sh")
        make_disk(disk, PARTITIONS, FILES)
        script.parent.mkdir(parents=True)
        script.write_text(SCRIPT)
        name, before = DISKS[platform]
        command = f"sh /tests/pressure.sh {name} {before}1 {MUCH}"
        words = (f"DISK={disk}", f"MEM={MEMORY[platform]}")
        out, err, status = corpus.ochre(platform, command, script.parent.parent, "1", *words)
        complaints = check_disk(disk, PARTITIONS)
    text = out.decode(errors="replace")
    if status or text != EXPECTED:
        complaints.append(f"status {status}, or it says something else")
    return complaints, text + err.decode(errors="replace")
