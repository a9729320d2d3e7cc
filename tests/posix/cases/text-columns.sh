printf 'a 1\nbb 22\nccc 333\n' | while read n v; do printf '%-5s|%5s\n' $n $v; done
