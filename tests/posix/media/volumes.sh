# Mounts one volume of a disk after the other, each of a kind, and does all that can be done to it. The first one is
# sound: others work there all the while.

# Sums of what is in a directory.
sums() {
    (cd "$1" && sha256sum *)
}

# Runs a command; notes its status, and the last that it said of what went wrong.
step() {
    name=$1
    shift
    "$@" >/tmp/out 2>/tmp/err
    said="$said; $name $? $(tail -n 1 /tmp/err | tr ';' ' ')"
}

# Adds a line to all files.
append() {
    for file in A*; do
        [ ! -f "$file" ] || echo more >>"$file" || return 1
    done
}

# All that is done to a volume.
use() {
    cd /mnt/bad
    step find find . -maxdepth 6 -size +10
    step cat sh -c 'cat A*'
    step write cp /etc/passwd written
    step append append
    step move mv "A file with the number 7.bin" "another name"
    step mkdir mkdir -p a/b/c
    step remove rm -rf "A file with the number 3.bin" "another name" a
    step sync sync .
    echo "$said" >/tmp/said
}
if [ "$1" = use ]; then
    use
    exit
fi

disk=$1 before=$2 number=1
shift 2
while [ ! -b /dev/$disk ]; do sleep 0.1; done
mkdir -p /mnt/sound /mnt/bad
mount -t ext4 /dev/$disk${before}1 /mnt/sound && cp -r /etc /mnt/sound/etc || exit 1

# Works on the sound one until there is a file that says to end.
(
    while [ ! -e /tmp/end ]; do
        cp -r /mnt/sound/etc /mnt/sound/copy && [ "$(sums /mnt/sound/copy)" = "$(sums /etc)" ] &&
            rm -r /mnt/sound/copy || echo "the sound one is disturbed"
        sleep 1
    done
) &

for kind in "$@"; do
    number=$((number + 1)) said=
    step mount timeout 20 mount -t $kind /dev/$disk$before$number /mnt/bad
    case $said in "; mount 0"*)
        : >/tmp/said
        step use timeout 60 sh "$0" use
        said="$said$(cat /tmp/said)"
        step umount timeout 20 umount /mnt/bad
        ;;
    esac
    echo "volume $number $kind: ${said#; }"
done
touch /tmp/end
wait
umount /mnt/sound && mount -t ext4 /dev/$disk${before}1 /mnt/sound || exit 1
[ "$(sums /mnt/sound/etc)" = "$(sums /etc)" ] || exit 1
umount /mnt/sound
svc list | grep "[a-z]:$disk\|given up" && exit 1
svc crashes | grep . && exit 1
echo "the sound one is the same, all services are well"
