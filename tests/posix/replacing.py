"""Services get another program while programs work on what they serve; what is no program for them is refused."""

import mounts
from volumes import MIB

PARTITIONS = [("vfat", 20 * MIB, ["-F", "16"]), ("ext4", 20 * MIB, [])]
SCRIPT = r"""
fat=/dev/$1${2}1 ext=/dev/$1${2}2
while [ ! -b $fat ]; do sleep 0.1; done
mkdir /mnt/fat /mnt/ext
mount -t vfat $fat /mnt/fat && mount -t ext4 $ext /mnt/ext || exit 1
for at in fat ext; do
    (for copy in 1 2 3; do cp /bin/find /mnt/$at/$copy || echo failed; done; echo >/tmp/$at) &
done
while [ ! -e /mnt/fat/1 ] || [ ! -e /mnt/ext/1 ]; do sleep 0.1; done
svc replace vfat:${fat#/dev/} /ochre/fat && svc replace ext4:${ext#/dev/} /ochre/ext && svc replace $1 /ochre/$3
wait
[ -e /tmp/fat ] && [ -e /tmp/ext ] && echo "all was copied"
cat /mnt/fat/[123] /mnt/ext/[123] | sha256sum >/tmp/copies
cat /bin/find /bin/find /bin/find /bin/find /bin/find /bin/find | sha256sum >/tmp/originals
[ "$(cat /tmp/copies)" = "$(cat /tmp/originals)" ] && echo "and it is the same"
svc list | grep -c " 2  *[0-9]*  "
for file in /etc/passwd /bin/find /nothing /etc; do svc replace $1 $file; done
svc replace nothing /ochre/fat
svc kill nothing
svc log nothing
svc replace $1 2>/dev/null || svc help | head -n 1
svc crashes
umount $fat && umount $ext
"""
EXPECTED = """all was copied
and it is the same
3
svc: /etc/passwd is no program for a service of this machine
svc: /bin/find is no program for a service of this machine
svc: there is no file /nothing
svc: there is no file /etc
svc: there is no service nothing: `svc list` shows all
svc: there is no service nothing: `svc list` shows all
svc: there is no service nothing: `svc list` shows all
usage: svc list                 all services: how each is, how often it was started, what it has served
"""


def use(platform):
    """What is wrong, and what the machine said."""
    script = f"exec 2>&1\n{SCRIPT}"
    return mounts.run(platform, script, [*mounts.DISKS[platform], "virtio-blk"], EXPECTED, PARTITIONS)
