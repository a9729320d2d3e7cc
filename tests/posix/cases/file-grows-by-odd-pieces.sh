# Pieces that end in the middle of pages, over what is 64 pages long.
line=0123456789012345678901234567890123456789012345678901234567890123456789
i=0
while [ $i -lt 12 ]; do
    yes $line | head -n 400 >> grown
    i=$((i + 1))
done
stat -c '%s %b' grown
uniq -c grown
truncate -s 262144 exact
dd if=/dev/zero of=exact bs=65536 count=4 conv=notrunc status=none
printf after >> exact
stat -c '%s %b' exact
