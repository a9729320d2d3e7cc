# What takes a seek and stays where it is.
for name in null zero full random; do
    dd if=/dev/$name of=/dev/null bs=1 skip=5 count=1 status=none && echo "$name: skipped"
    dd if=/dev/zero of=/dev/null seek=7 bs=16 count=1 status=none && echo "$name: sought"
done
cp --reflink=always /dev/null /dev/full
: >a
: >b
cp --reflink=always a b
cp --reflink=always a /dev/null
head -c 1 /proc/self/mem
test -r /proc/modules && echo modules
grep -c '^\(MemTotal\|Dirty\|Writeback\|Mapped\|Slab\|Committed_AS\|VmallocChunk\):' /proc/meminfo
