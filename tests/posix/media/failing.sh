# A disk, vda, with sectors of the file b that cannot be read and of c that cannot be written; and one, vdb, that vanishes.
while [ ! -b /dev/vdb ]; do sleep 0.1; done
mkdir /mnt/v /mnt/w /mnt/x

# What a command says, and its status.
try() {
    "$@"
    echo "$1: $?"
}
sum() {
    sha256sum "$1" | cut -c 1-16
}
# Writes where that fails, and waits for it.
overwrite() {
    dd if=/dev/zero of=$1 bs=4k count=16 seek=16 conv=notrunc,fsync 2>&1 | grep error
}

for kind in vfat ext4; do
    case $kind in vfat) device=/dev/vda1 ;; *) device=/dev/vda2 ;; esac
    echo "== $kind, with bad sectors"
    mount -t $kind $device /mnt/v
    for file in a b c d; do sum /mnt/v/$file; done
    cat /mnt/v/b | wc -c
    overwrite /mnt/v/c
    echo fine >/mnt/v/d && try sync -d /mnt/v/d
    echo fine >/mnt/v/e && try sync -d /mnt/v/e
    try rm /mnt/v/c
    try umount /mnt/v
    try mount -t $kind $device /mnt/v
    ls /mnt/v
    cat /mnt/v/d /mnt/v/e
    for file in a b; do sum /mnt/v/$file; done
    try umount /mnt/v
done
mount -t ext4 /dev/vda2 /mnt/v && mount -t vfat /dev/vdb1 /mnt/w && mount -t ext4 /dev/vdb2 /mnt/x
for at in /mnt/w /mnt/x; do
    cat $at/a | wc -c
    echo new >$at/new
done
echo now
read line
for at in /mnt/w /mnt/x; do
    echo "== $at is gone"
    cat $at/a | wc -c
    cat $at/b | wc -c
    ls $at
    overwrite $at/d
    try cp /bin/yash $at/yash
    try sync -f $at/new
    try timeout 20 umount $at
done
try timeout 20 mount -t ext4 /dev/vdb2 /mnt/x
try timeout 20 dd if=/dev/vdb of=/dev/null count=1 2>/dev/null
echo "== the other is there"
sum /mnt/v/a && echo more >/mnt/v/d && cat /mnt/v/d
try umount /mnt/v
svc list | grep ":"
svc crashes
