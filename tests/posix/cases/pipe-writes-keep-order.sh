for i in $(seq 60); do echo $i; done | paste -sd+ | sed 's/$//' | tr + '\n' | awk '{ s += $1 } END { print s }'
