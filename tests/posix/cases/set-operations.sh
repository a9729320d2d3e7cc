seq 1 6 >a; seq 4 9 >b; sort a b | uniq -d | paste -sd ' '; sort a b | uniq -u | paste -sd ' '; sort -u a b | wc -l
