"""What a person does with disks: mounts volumes of all kinds, works on them, unmounts them, reads and writes disks as files."""

import hashlib
import pathlib
import shlex
import tempfile

import corpus
from volumes import MIB, check_disk, make_disk

# The disk, by platform, and what comes before a partition's number.
DISKS = {"virt": ("vda", ""), "x86": ("vda", ""), "rpi": ("mmcblk0", "p")}
PARTITIONS = [("vfat", 20 * MIB, ["-F", "16"]), ("ext4", 20 * MIB, []), ("ext3", 12 * MIB, []), ("ext2", 6 * MIB, [])]

SCRIPT = r"""
disk=$1 before=$2 number=0
while [ ! -b /dev/$disk ]; do sleep 0.1; done
for kind in vfat ext4 ext3 ext2; do
    number=$((number + 1)) device=/dev/$disk$before$((number))
    mount -t $kind $device /mnt && cp -r /etc /mnt/etc && mkdir "/mnt/a directory" || exit 1
    seq 5000 >"/mnt/a directory/numbers" && mv "/mnt/a directory/numbers" /mnt/moved && rmdir "/mnt/a directory" || exit 1
    cd /mnt && umount /mnt 2>/dev/null && echo "unmounted while it is used"
    cd / && umount /mnt && mount $device /mnt || exit 1
    (cd /etc && find . -type f | sort | xargs sha256sum) >/tmp/here
    (cd /mnt/etc && find . -type f | sort | xargs sha256sum) >/tmp/there
    [ "$(cat /tmp/here)" = "$(cat /tmp/there)" ] && echo "$kind: the same"
    sha256sum </mnt/moved
    rm -r /mnt/etc && ls -A /mnt | grep -v lost+found
    umount /mnt || exit 1
done
mount -t ext4 /dev/$disk${before}1 /mnt 2>/dev/null || echo "vfat is not ext4"
for options in nonsense errors=perhaps noload,ro rw,sync,errors=remount-ro,relatime; do
    mount -t ext4 -o $options /dev/$disk${before}2 /mnt && umount /mnt && echo "with $options"
done 2>&1 | sed 's,/dev/.*,a disk,'
mount -o uid=1000,nosuid,nodev,noexec,x-any /dev/$disk${before}1 /mnt && cp /bin/true /mnt && mknod /mnt/zero c 1 3 2>/dev/null
grep -o " /mnt vfat.*" /proc/mounts
/mnt/true 2>/dev/null || echo "nothing runs: $?"
umount /mnt
mount -t tmpfs -o nodev none /mnt && mknod /mnt/zero c 1 3 && cat /mnt/zero 2>/dev/null || echo "no device"
umount /mnt && mount -t proc -o nonsense none /mnt 2>&1
mount -t vfat /dev/$disk${before}9 /mnt 2>/dev/null || echo "there is no ninth"
dd if=/dev/$disk bs=512 count=1 2>/dev/null | tail -c 2 | od -An -tx1
cp /dev/$disk${before}4 /tmp/copy
[ "$(sha256sum </tmp/copy)" = "$(sha256sum </dev/$disk${before}4)" ] && echo "a disk can be read"
printf hello | dd of=/dev/$disk seek=1000 bs=1 conv=notrunc,fsync 2>/dev/null || echo "not written"
dd if=/dev/$disk skip=1000 count=5 bs=1 2>/dev/null && echo
svc list | grep -c disk: || true
"""
NUMBERS = hashlib.sha256("".join(f"{number}\n" for number in range(1, 5001)).encode()).hexdigest()
EXPECTED = "".join(
    f"{kind}: the same\n{NUMBERS}  -\nmoved\n" for kind in ("vfat", "ext4", "ext3", "ext2")
) + """vfat is not ext4
mount: /mnt: wrong fs type, bad option, bad superblock on a disk
mount: /mnt: wrong fs type, bad option, bad superblock on a disk
mount: /mnt: wrong fs type, bad option, bad superblock on a disk
with rw,sync,errors=remount-ro,relatime
 /mnt vfat rw,nosuid,nodev,noexec 0 0
nothing runs: 126
no device
mount: /mnt: wrong fs type, bad option, bad superblock on none.
there is no ninth
 55 aa
a disk can be read
hello
0
"""


def use(platform):
    """What is wrong, and what the machine said."""
    return run(platform, SCRIPT, DISKS[platform], EXPECTED, PARTITIONS)


def run(platform, script, words, expected, partitions, files=None, more=()):
    """Runs a script with these words at a machine with such a disk: what is wrong if it does not say what is expected, or
    if the volumes are not whole afterwards; and what was said."""
    with tempfile.TemporaryDirectory(prefix="mounts-") as folder:
        disk, file = pathlib.Path(folder, "disk.img"), pathlib.Path(folder, "root/tests/script.sh")
        make_disk(disk, partitions, files)
        file.parent.mkdir(parents=True)
        file.write_text(script)
        command = shlex.join(["sh", "/tests/script.sh", *words])
        out, err, status = corpus.ochre(platform, command, file.parent.parent, "1", f"DISK={disk}", *more)
        complaints = check_disk(disk, partitions)
    text = out.decode(errors="replace")
    if status or text != expected:
        complaints.append(f"status {status}, or it says something else")
    return complaints, text + err.decode(errors="replace")
