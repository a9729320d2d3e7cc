seq 20 | xargs -P 4 -n 1 sh -c 'echo $0' | sort -n | paste -sd ' '
