"""Services get another program while programs work on what they serve; what is no program for them is refused, and what
does not serve makes way for the program before."""

import mounts
from volumes import MIB

# A jump to itself, and how it is repeated up to so many bytes of instructions.
LOOPS = {"virt": r"\000\000\000\024", "x86": r"\353\376"}
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
# Programs that fault at once, that go in circles, and that end at once.
spoiled() {
    printf "$1" >/tmp/code
    for half in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do cat /tmp/code /tmp/code >/tmp/codes; mv /tmp/codes /tmp/code; done
    (head -c 4096 /ochre/fat; cat /tmp/code) >/tmp/$2
}
spoiled '\000' faults
spoiled "$4" circles
for program in /tmp/faults /tmp/circles /ochre/clock; do
    svc replace vfat:${fat#/dev/} $program 2>&1 | sed 's/fault: .*/it faulted/; s/given .*/given its device/'
    [ "$(cat /mnt/fat/[123] /mnt/ext/[123] | sha256sum)" = "$(cat /tmp/originals)" ] || echo "and that was lost"
done
svc list | grep -c "^vfat:.* runs "
svc crashes | sed -n 's/^reason *fault: .*/it faulted/; s/^reason *//p; /^it faulted/p; /^program/p'
svc replace vfat:${fat#/dev/} /ochre/fat
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
svc: vfat:vda1 goes on with the program before:
init: vfat:vda1: it faulted
svc: vfat:vda1 goes on with the program before:
init: vfat:vda1: it did not answer for 1000 ms
svc: vfat:vda1 goes on with the program before:
vfat:vda1: was not given its device
init: vfat:vda1: it ended with code 2 (0x2)
1
it ended with code 2 (0x2)
program took another's place, which goes on if nothing was served
it did not answer for 1000 ms
program took another's place, which goes on if nothing was served
it faulted
program took another's place, which goes on if nothing was served
"""


def use(platform):
    """What is wrong, and what the machine said."""
    script = f"exec 2>&1\n{SCRIPT}"
    return mounts.run(platform, script, [*mounts.DISKS[platform], "virtio-blk", LOOPS[platform]], EXPECTED, PARTITIONS)
