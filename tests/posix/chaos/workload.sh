# What chaos disturbs: it works on the file systems that are mounted below /mnt, and says what came out.
for volume in /mnt/*; do
    cd "$volume" || exit 1
    rm -rf work || exit 1
    mkdir work && cd work || exit 1
    seq 1 3000 >synced && sync synced || exit 1
    sort -r synced | uniq >reversed
    seq 1 5000 | awk '{ print ($1 * 7919) % 20011, "line", $1 }' >unsorted
    sort -n unsorted | tee sorted | cksum
    cp -r /etc etc
    cp /bin/xargs program
    cp program again
    [ "$(sha256sum <program)" = "$(sha256sum </bin/xargs)" ] && echo "$volume: the copy is equal"
    for word in one two three four five six seven; do
        echo "$word" >>log
        mkdir "$word" && mv "log" "$word/log" && mv "$word/log" log && rmdir "$word"
    done
    cat log
    sync
    find . -type f | sort | xargs sha256sum
    grep -c 7 synced reversed
    tail -c 1000 program | cksum
    rm again && mv program "a longer name than that.bin"
    truncate -s 10000 sorted && cat sorted unsorted | sort -u | wc
    ls | sort
    cd / || exit 1
done
cp -r /mnt/fat/work /mnt/ext/work/copy || exit 1
(cd /mnt/ext/work/copy && find . -type f | sort | xargs cat | sha256sum)
sync
