for i in 1 2 3 4 5 6 7 8; do ( for j in 1 2 3 4 5 6 7 8 9; do echo "line $i $j"; done >>f ) & done; wait; sort f | uniq | wc -l; grep -vc '^line [1-8] [1-9]$' f
