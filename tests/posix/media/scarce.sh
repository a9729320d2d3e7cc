# A disk, vda, that is filled, and one, vdb, that can only be read.
while [ ! -b /dev/vdb ]; do sleep 0.1; done
mkdir /mnt/v

# What a command says, and its status.
try() {
    "$@"
    echo "$1: $?"
}
sum() {
    sha256sum "$1" | cut -c 1-16
}

for kind in vfat ext4; do
    case $kind in vfat) device=/dev/vda1 ;; *) device=/dev/vda2 ;; esac
    echo "== $kind, full"
    mount -t $kind $device /mnt/v && seq 20000 >/mnt/v/before
    dd if=/dev/zero of=/mnt/v/all bs=64k 2>&1 | grep -o "No space.*"
    try cp /etc/profile /mnt/v/more
    try mkdir /mnt/v/directory 2>&1 | grep -v "directory'$"
    try sync -f /mnt/v
    sum /mnt/v/before
    try rm /mnt/v/all
    try cp /bin/yash /mnt/v/more
    umount /mnt/v && mount -t $kind $device /mnt/v
    [ "$(sum /mnt/v/more)" = "$(sum /bin/yash)" ] && sum /mnt/v/before
    umount /mnt/v
done
for kind in vfat ext4; do
    case $kind in vfat) device=/dev/vdb1 ;; *) device=/dev/vdb2 ;; esac
    echo "== $kind, read-only"
    try mount -w -t $kind $device /mnt/v
    try mount -t $kind $device /mnt/v
    sum /mnt/v/a
    try touch /mnt/v/new
    try rm /mnt/v/a
    try mkdir /mnt/v/new
    try mv /mnt/v/a /mnt/v/b
    try dd if=/dev/zero of=/mnt/v/a count=1
    try mount -o remount,rw /mnt/v
    sum /mnt/v/a
    grep /mnt/v /proc/mounts
    umount /mnt/v
done
echo hello | dd of=/dev/vdb
echo "== what is no volume"
try mount -t ext4 /dev/vda9 /mnt/v
try mount -t ext4 /dev/vdq /mnt/v
for kind in vfat ext4 ext3 ext2; do
    try mount -t $kind /dev/vda3 /mnt/v
done
try mount /dev/vda3 /mnt/v
try mount -t vfat /dev/vda2 /mnt/v
try mount -t ext4 /dev/vda1 /mnt/v
try mount -t ext4 /etc/passwd /mnt/v
try mount -t ext4 /dev/null /mnt/v
try mount -t strange /dev/vda1 /mnt/v
try mount -t ext4 /dev/vda2 /etc/passwd
try mount -t ext4 /dev/vda2 /nothing
mount /dev/vda2 /mnt/v && try mount /dev/vda2 /tmp
umount /mnt/v
cd /dev && mount vda2 /mnt/v && umount /mnt/v && mount /dev/vda2 /mnt/v && try umount /dev/vda2
svc list | grep ":"
svc crashes
