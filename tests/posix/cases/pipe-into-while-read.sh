seq 5 | while read n; do echo "<$n>"; done; printf 'a b c\n' | { read x y; echo "$y,$x"; }
