seq 10000 | awk '{ print ($1 * 7919) % 10007 }' | sort -n | sha256sum
