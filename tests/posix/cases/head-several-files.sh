seq 5 >a; seq 6 10 >b; head -n 2 a b; head -q -n 1 a b; head -v -n 1 a
