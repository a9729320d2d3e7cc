# What chaos disturbs: it works on the file systems that are mounted below /mnt, and says what came out.
for volume in /mnt/*; do
    cd "$volume" || exit 1
    rm -rf work || exit 1
    mkdir work && cd work || exit 1
    seq 1 3000 >numbers
    sort -r numbers | uniq >reversed
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
    grep -c 7 numbers reversed
    tail -c 1000 program | cksum
    rm again && mv program "a longer name than that.bin"
    ls | sort
    cd / || exit 1
done
